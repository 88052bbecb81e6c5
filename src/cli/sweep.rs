//! `schedsim sweep FILE --out DIR`: settings × seeds over scenarios; `sweep merge` joins shards.
//!
//! It reads the command line, shows progress and prints the recommendation; what is run and judged
//! is the study's. What a newcomer gets wrong: an interrupted sweep has lost nothing – the same line
//! with `--resume` goes on where it stopped, and ends in the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::study::sweep::file::SweepFile;
use crate::study::sweep::folder::{Closed, Folder, Shard, merge};
use crate::study::sweep::plan::{Key, Plan};
use crate::study::sweep::planning::{PlanOptions, Stories, Unplanned, plan_of};
use crate::study::sweep::precision::{self, Round};
use crate::study::sweep::rows::Measured;
use crate::study::sweep::run::{self, Watcher};
use crate::study::sweep::{recommend, results};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::args::{Look, Seeds};
use super::interrupt::{self, Interrupt};
use super::output::{self, Out};
use super::{Exit, Refusal, crash, input, progress, reproduce};

/// Runs settings × seeds over scenarios and says which settings are better, and how surely
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SweepArgs {
    #[command(subcommand)]
    command: Option<SweepCommand>,
    /// The sweep file; `-` is standard input, and its scenarios are then looked for in the present folder
    #[arg(required = true, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The folder of the results; new or empty
    #[arg(long, required = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Other seeds than the file's; B is the first that is left out
    #[arg(long, value_name = "A..B")]
    seeds: Option<Seeds>,
    /// So many runs at once; by default as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Only part K of N: every N-th run; `sweep merge` joins them
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<Shard>,
    /// Goes on with what DIR holds of this very sweep
    #[arg(long)]
    resume: bool,
    /// Adds seeds until every objective's interval is no wider than this to either side, like `5%`
    #[arg(long, value_name = "P%", value_parser = percent)]
    until_precise: Option<f64>,
    /// Means it: more than a million runs
    #[arg(long)]
    yes_really: bool,
}

#[derive(Subcommand)]
enum SweepCommand {
    Merge(MergeArgs),
}

/// Joins the folders of all shards into one, as if the sweep had been run in one piece
#[derive(Args)]
struct MergeArgs {
    /// The folder of the results; new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The folders of the shards, in any order
    #[arg(required = true, value_name = "SHARD-DIR")]
    shards: Vec<PathBuf>,
}

fn shard(text: &str) -> Result<Shard, String> {
    let hint = "write K/N, like \"2/8\": K from 1 to N";
    let (number, of) = text.split_once('/').ok_or(hint)?;
    let (number, of) = (number.parse().map_err(|_| hint)?, of.parse().map_err(|_| hint)?);
    if number == 0 || number > of { Err(hint.to_owned()) } else { Ok(Shard { number, of }) }
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|text| text.trim().parse::<f64>().ok());
    match number.filter(|percent| *percent > 0.0 && *percent <= 100.0) {
        Some(percent) => Ok(percent / 100.0),
        None => Err("write a percentage, like \"5%\"".to_owned()),
    }
}

pub(crate) fn run(args: &SweepArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    match &args.command {
        Some(SweepCommand::Merge(args)) => merged(args, look, out),
        None => {
            let (exit, text) = match args.jobs {
                None => swept(args, look)?,
                Some(jobs) => {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.into()).build();
                    let pool = pool.map_err(|error| Refusal::wrong(format!("cannot start {jobs} threads: {error}")))?;
                    pool.install(|| swept(args, look))?
                }
            };
            out.text(&text);
            Ok(exit)
        }
    }
}

fn merged(args: &MergeArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    interrupt::merging(&args.out);
    let (folder, plan) = merge(&args.out, &args.shards).map_err(closed)?;
    let judgement = results::finish(&folder, &plan).map_err(|error| {
        let (rows, dir) = (plan.runs(), args.out.display());
        let how = format!("schedsim sweep FILE --out {dir} --resume");
        Refusal::wrong(format!("{error}\nall {rows} runs are joined in {dir}; when that is mended, go on:\n  {how}"))
    })?;
    if !look.quiet {
        out.text(&recommend::recommendation(&plan, &judgement));
    }
    Ok(Exit::Fine)
}

/// A folder that another process writes into may be free later: that has a status of its own.
fn closed(why: Closed) -> Refusal {
    match why {
        Closed::Busy(text) => Refusal { exit: Exit::Busy, text },
        Closed::Wrong(text) => Refusal::wrong(text),
    }
}

/// What to do instead of a shard that chooses its seeds.
const PRECISE_SHARD: &str = "\
--until-precise looks at all rows after each round, and a shard has only its own. Find the number of seeds first:
  `seeds_needed` in the summary.csv of a sweep over eight seeds or more says it, or --until-precise without --shard.
  Then give every shard the same --seeds A..B";

/// Runs it; answers what to print.
fn swept(args: &SweepArgs, look: &Look) -> Result<(Exit, String), Refusal> {
    let (Some(path), Some(out)) = (&args.file, &args.out) else { unreachable!("clap asks for both") };
    if args.until_precise.is_some() && args.shard.is_some() {
        return Err(Refusal::wrong(PRECISE_SHARD));
    }
    let interrupt = Interrupt::new(out);
    let (plan, stories) = read(path, args, look)?;
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let plan = match args.until_precise {
        None => plan,
        Some(precision) => {
            let begun = |plan: &Plan, folder: &Folder| watcher(plan, folder, path, look, &interrupt);
            let mut rounds = |round: &Round| {
                if !look.quiet {
                    output::note(&round.to_string());
                }
            };
            let reached = precision::widen(&plan, &stories, out, args.resume, precision, &begun, &mut rounds);
            let (plan, folder) = reached.map_err(closed)?;
            let text = judged(&folder, &plan, look)?;
            return Ok((Exit::Fine, text));
        }
    };
    let folder = Folder::open(out, &plan, shard, args.resume).map_err(closed)?;
    let rows = shard.share(plan.runs());
    interrupt.total(rows);
    let watcher = watcher(&plan, &folder, path, look, &interrupt);
    run::run(&plan, &stories, &folder, &*watcher).map_err(Refusal::wrong)?;
    drop(watcher);
    if shard != Shard::WHOLE {
        folder.complete(&plan).map_err(Refusal::wrong)?;
        let text = format!(
            "shard {}/{}: {rows} of {} runs in {}; join all shards with `schedsim sweep merge --out DIR SHARD-DIR...`\n",
            shard.number,
            shard.of,
            plan.runs(),
            out.display()
        );
        return Ok((Exit::Fine, if look.quiet { String::new() } else { text }));
    }
    Ok((Exit::Fine, judged(&folder, &plan, look)?))
}

/// Judges a folder that has all of its rows; answers what to print.
fn judged(folder: &Folder, plan: &Plan, look: &Look) -> Result<String, Refusal> {
    let judgement = results::finish(folder, plan).map_err(|error| {
        let (rows, dir, line) = (plan.runs(), folder.dir.display(), interrupt::going_on());
        Refusal::wrong(format!("{error}\nall {rows} runs are kept in {dir}; when that is mended, go on:\n  {line}"))
    })?;
    Ok(if look.quiet { String::new() } else { recommend::recommendation(plan, &judgement) })
}

fn read(path: &Path, args: &SweepArgs, look: &Look) -> Result<(Plan, Stories), Refusal> {
    let shown = path.display();
    let (text, name) = if path == Path::new("-") {
        (input::stdin().map_err(Refusal::wrong)?, "stdin".to_owned())
    } else {
        let text = std::fs::read_to_string(path);
        let cannot = |error| Refusal::wrong(format!("cannot read the sweep file `{shown}`: {error}"));
        (text.map_err(cannot)?, shown.to_string())
    };
    if SweepFile::is_scenario(&text) {
        return Err(Refusal::wrong(format!(
            "`{shown}` is a scenario, not a sweep file: `schedsim run {shown}` runs it, and a sweep file names it in `scenarios`"
        )));
    }
    // Of standard input: the present folder.
    let dir = path.parent().unwrap_or(Path::new(""));
    let seeds = args.seeds.as_ref().map(|seeds| (seeds.0.start, seeds.0.end));
    let options = PlanOptions { seeds, yes_really: args.yes_really };
    let (plan, stories, warnings) = plan_of(&text, &name, dir, &options).map_err(|unplanned| match unplanned {
        Unplanned::Wrong(problems) => {
            output::note(problems.render(true).trim_end());
            Refusal::wrong(format!("`{shown}` cannot be used"))
        }
        Unplanned::Large(words) => Refusal::wrong(words),
    })?;
    if !look.quiet {
        warnings.iter().for_each(|warning| output::warning(warning));
    }
    Ok((plan, stories))
}

/// Progress, and the line that reproduces a run that breaks.
struct Progress {
    bar: ProgressBar,
    files: Vec<String>,
    shard: Shard,
    state: Mutex<Best>,
    interrupt: Interrupt,
}

/// The best mean of the first objective so far, as a word for the bar; no result.
#[derive(Default)]
struct Best {
    /// Of settings with some of their runs: the sum, how many stand behind it, and how many runs there were.
    begun: BTreeMap<usize, (f64, u32, u64)>,
    best: Option<(f64, usize)>,
}

fn watcher(plan: &Plan, folder: &Folder, file: &Path, look: &Look, interrupt: &Interrupt) -> Box<dyn Watcher> {
    let total = folder.shard.share(plan.runs());
    let bar = output::progress(total, !look.quiet);
    bar.set_style(progress::style());
    bar.set_position(folder.kept());
    bar.reset_eta();
    bar.enable_steady_tick(Duration::from_millis(500));
    interrupt.begin(folder.kept(), &bar);
    let dir = file.parent().unwrap_or(Path::new(""));
    let files = plan.scenarios.iter().map(|story| dir.join(&story.file).display().to_string()).collect();
    Box::new(Progress { bar, files, shard: folder.shard, state: Mutex::default(), interrupt: interrupt.clone() })
}

impl Watcher for Progress {
    fn around(&self, plan: &Plan, key: Key, run: &mut dyn FnMut()) {
        let set = plan
            .assignments(key.setting)
            .into_iter()
            .flat_map(|(path, value)| ["--set".to_owned(), format!("{path}={value}")]);
        let variant = &plan.scenarios[key.scenario].variants[key.variant];
        let line = reproduce::run(&self.files[key.scenario], variant, key.seed, &set.collect::<Vec<_>>());
        crash::doing_what(&line, run);
    }

    fn writing(
        &self,
        plan: &Plan,
        key: Key,
        run: &Measured,
        write: &mut dyn FnMut() -> Result<(), String>,
    ) -> Result<(), String> {
        self.interrupt.writing(write)?;
        self.bar.inc(1);
        if !self.bar.is_hidden()
            && let Some(words) = self.state.lock().expect("nobody panics here").note(plan, self.shard, key, run)
        {
            self.bar.set_message(words);
        }
        Ok(())
    }
}

impl Best {
    /// Keeps the best mean so far; answers what to say when it is a new one.
    fn note(&mut self, plan: &Plan, shard: Shard, key: Key, run: &Measured) -> Option<String> {
        let objective = plan.objectives.first()?;
        let story = &plan.scenarios[key.scenario];
        let (sum, counted, runs) = self.begun.entry(key.setting).or_default();
        *runs += 1;
        if objective.is_about(&story.name, &story.variants[key.variant]) {
            *sum += run.value(&objective.metric);
            *counted += 1;
        }
        // Runs end in any order, and those of a setting that was half done are not all seen here.
        let (each, setting) = (plan.runs() / plan.settings.len() as u64, key.setting as u64);
        if *runs < shard.share((setting + 1) * each) - shard.share(setting * each) {
            return None;
        }
        let mean = *sum / f64::from(*counted);
        self.begun.remove(&key.setting);
        let better = |best: f64| if objective.maximise { mean > best } else { mean < best };
        if mean.is_nan() || self.best.is_some_and(|(best, _)| !better(best)) {
            return None;
        }
        self.best = Some((mean, key.setting));
        Some(format!("best so far: setting {setting}, {} {mean:.1}", objective.metric))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
