//! `schedsim run FILE…`: replays scenarios and prints what happened and what came of it.
//!
//! Many runs use many threads; what they print comes strictly in the order of files, variants
//! and seeds. It may use everything. What a newcomer gets wrong: a story without `[expect]` ends
//! with status 1 where an invariant breaks, and with 0 whatever else comes out; only `test` asks for an
//! `[expect]`.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::replay::{Judged, Replay, Wanted, difference};
use crate::report::html;
use crate::scenario::Variant;
use crate::sim::Proofs;
use crate::trace;
use clap::Args;
use rayon::prelude::*;

use super::args::{Format, Logic, Look, page_file};
use super::input::{self, Loaded};
use super::output::{self, Buffer, Out, fit_for_eyes, width};
use super::{Exit, Refusal, crash, expected, file, json, progress, reproduce, story, text, watch};

/// Replays scenarios: timeline, outcome, figures
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Scenario files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Only this variant (repeatable); all by default
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    #[command(flatten)]
    logic: Logic,
    /// Writes the trace of the one run to FILE; `.jsonl`: one record a line, `.csv`: a table,
    /// `.json`: Chrome trace events, for Perfetto
    #[arg(long, value_name = "FILE", value_parser = trace_file, help_heading = "Results")]
    trace: Option<PathBuf>,
    /// Writes a page about all runs to FILE, to be looked at in a browser: no network, no server
    #[arg(long, value_name = "FILE.html", value_parser = page_file, help_heading = "Results")]
    report: Option<PathBuf>,
    /// For whom results are written; JSON: one object a run, as lines when there are several
    #[arg(long, value_enum, default_value = "text", help_heading = "Results")]
    format: Format,
    /// The whole timeline, however long; by default about 200 lines, with all steps and violations
    #[arg(long, help_heading = "Results")]
    full: bool,
    /// The lives of all entities, alike ones together, as golden texts tell them, instead of the timeline
    #[arg(long, help_heading = "Results", conflicts_with = "full")]
    lives: bool,
    /// The store at the end (or at --until) as tables, and where the backends know better
    #[arg(long, help_heading = "Results")]
    state: bool,
    /// However many records the run has, all but the last million lie in a file in FOLDER, by default the
    /// system's for such files, until the command ends; without it, all but 10 million
    #[arg(long, value_name = "FOLDER", value_parser = existing_folder, num_args = 0..=1, require_equals = true, default_missing_value = "",
        help_heading = "Results")]
    trace_to_disk: Option<PathBuf>,
    /// Ends a run as soon as a livelock is proved; metrics are then not checked
    #[arg(long, help_heading = "Results")]
    stop_when_proved: bool,
    /// Runs again in a fresh world and names the first record that differs
    #[arg(long, help_heading = "Results")]
    twice: bool,
    /// Writes what comes out into the file as its `[expect]`, for every variant that has none
    #[arg(long, help_heading = "Results", conflicts_with_all = ["seed", "seeds", "as_of", "with", "without", "set",
        "until", "stop_when_proved"])]
    expect_from_run: bool,
    /// Runs again whenever a file is saved that the scenario is read from, and marks what changed
    #[arg(long, help_heading = "Results", conflicts_with_all = ["expect_from_run", "format", "twice"])]
    watch: bool,
}

impl RunArgs {
    fn form(&self) -> text::Form {
        match (self.lives, self.full) {
            (true, _) => text::Form::Lives,
            (false, true) => text::Form::Full,
            (false, false) => text::Form::Timeline,
        }
    }
}

/// One run to make.
struct Job<'a> {
    loaded: &'a Loaded,
    variant: &'a Variant,
    seed: u64,
}

/// What one run prints.
struct Shown {
    out: String,
    exit: Exit,
    /// Its part of the report, when one is asked for.
    part: Option<html::Part>,
}

/// So many runs are made before the first is printed, for each thread.
const CHUNK_PER_THREAD: usize = 4;

pub(crate) fn run(args: &RunArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let asked = [("--watch", args.watch), ("--expect-from-run", args.expect_from_run)].into_iter().find(|(_, on)| *on);
    if let Some((flag, _)) = asked.filter(|_| args.files.iter().any(|file| file == "-")) {
        return Err(Refusal::wrong(format!("{flag} needs files, and `-` is standard input")));
    }
    if !args.watch {
        return once(args, look, out);
    }
    watch::watch(&args.files, &args.logic.overrides(), out, || {
        let kept = Buffer::default();
        once(args, look, &mut Out::to(kept.clone())).map(|_| kept.text())
    })?;
    Ok(Exit::Fine)
}

/// What cannot be given of so many runs, and files that could not be written after them.
fn refused(args: &RunArgs, chosen: &[(&Loaded, &Variant)], total: u64) -> Result<(), Refusal> {
    if args.trace.is_some() && total > 1 {
        return Err(one_trace_only(chosen, args.logic.seeds.is_some()));
    }
    if args.report.is_some() && total > html::RUNS_MAX as u64 {
        let most = html::RUNS_MAX;
        return Err(Refusal::wrong(format!("--report shows at most {most} runs, and this asks for {total}")));
    }
    for (what, path) in [("trace", &args.trace), ("report", &args.report)] {
        if let Some(path) = path {
            file::apart(what, path, args.files.iter().map(Path::new))?;
            file::probe(what, path)?;
        }
    }
    Ok(())
}

fn once(args: &RunArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let loaded = input::load(&args.files, &args.logic.overrides())?;
    let chosen = choose(&loaded, &args.variant)?;
    let seeds = args.logic.seeds.as_ref().map(|seeds| seeds.0.clone());
    let per_variant = seeds.as_ref().map_or(1, |seeds| seeds.end - seeds.start);
    let total = u64::try_from(chosen.len()).unwrap_or(u64::MAX).saturating_mul(per_variant);
    refused(args, &chosen, total)?;
    if args.state && seeds.is_some() && args.format == Format::Text && look.verbose == 0 {
        output::warning("--state is not shown where a run has one line, as with --seeds; give -v or --format json");
    }

    let mut jobs = chosen.iter().flat_map(|(loaded, variant)| {
        let seeds = seeds.clone().unwrap_or(variant.seed..variant.seed.saturating_add(1));
        // The last seed of all has none after it; it is one run still.
        let first = seeds.start;
        std::iter::once(first).chain(first.saturating_add(1)..seeds.end).map(|seed| Job { loaded, variant, seed })
    });
    let several = total > 1;
    // One run needs no other thread, and to start some takes longer than many a run.
    let chunk = if several { rayon::current_num_threads() * CHUNK_PER_THREAD } else { 1 };
    let mut exit = Exit::Fine;
    let mut parts = Vec::new();
    // A report is of all runs, whoever has left.
    while !out.closed() || args.report.is_some() {
        let now: Vec<_> = jobs.by_ref().take(chunk).collect();
        if now.is_empty() {
            break;
        }
        let shown: Vec<_> = match now.as_slice() {
            [job] => vec![one(job, args, look, several)],
            jobs => jobs.par_iter().map(|job| one(job, args, look, several)).collect(),
        };
        for shown in shown {
            let shown = shown?;
            out.text(&shown.out);
            exit = exit.max(shown.exit);
            parts.extend(shown.part);
        }
    }
    if let Some(path) = &args.report {
        let page = html::page(parts);
        file::write("report", path, |out| out.write_all(page.as_bytes()))?;
        told(look, "report", path);
    }
    if args.expect_from_run {
        for loaded in &loaded {
            let of = chosen.iter().filter(|(from, _)| std::ptr::eq(*from, loaded));
            let variants: Vec<&Variant> = of.map(|(_, variant)| *variant).collect();
            if !variants.is_empty() {
                expected::write(Path::new(&loaded.file), &loaded.scenario, &variants)?;
            }
        }
    }
    Ok(exit)
}

/// The variants asked for, in the order of the files; a name that no file has is an error.
fn choose<'a>(loaded: &'a [Loaded], names: &[String]) -> Result<Vec<(&'a Loaded, &'a Variant)>, Refusal> {
    let all = || loaded.iter().flat_map(|l| l.scenario.variants.iter().map(move |v| (l, v)));
    if let Some(missing) = names.iter().find(|name| !all().any(|(_, v)| v.name == **name)) {
        let mut known: Vec<_> = all().map(|(_, variant)| variant.name.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        return Err(story::no_variant(missing, known));
    }
    Ok(all().filter(|(_, variant)| names.is_empty() || names.contains(&variant.name)).collect())
}

fn one_trace_only(chosen: &[(&Loaded, &Variant)], seeds: bool) -> Refusal {
    let names: Vec<_> = chosen.iter().map(|(l, v)| format!("{} @ {}", l.scenario.name, v.name)).collect();
    let hint = if seeds { "give one --seed" } else { "choose one with --variant" };
    Refusal::wrong(format!("--trace writes one run, and this asks for more ({}); {hint}", names.join(", ")))
}

fn one(job: &Job<'_>, args: &RunArgs, look: &Look, several: bool) -> Result<Shown, Refusal> {
    let mut words = args.logic.words();
    if args.stop_when_proved {
        words.push("--stop-when-proved".to_owned());
    }
    let line = reproduce::run(&job.loaded.file, &job.variant.name, job.seed, &words);
    crash::doing_what(&line, || {
        let mut variant = job.variant.clone();
        variant.seed = job.seed;
        let proofs = if args.stop_when_proved { Proofs::Stop } else { Proofs::Note };
        let horizon = job.loaded.scenario.horizon;
        let bar =
            progress::Simulated::new(args.logic.until.unwrap_or(horizon).min(horizon), 1, !several && !look.quiet);
        let tell = |now| bar.tell(0, now);
        let (until, explained) = (args.logic.until, args.report.is_some());
        let wanted = Wanted { until, proofs, explained, progress: Some(&tell), on_disk: args.trace_to_disk.as_deref() };
        let replay = Replay::with(&job.loaded.scenario, &variant, &wanted);
        if let Some(path) = &args.trace {
            write_trace(&replay, path, look)?;
        }
        let becomes_expected = args.expect_from_run && replay.judged == Judged::NoExpect;
        let mut shown = Shown {
            out: String::new(),
            exit: if replay.checked.passed || becomes_expected { Exit::Fine } else { Exit::Failed },
            part: args.report.is_some().then(|| {
                let explain =
                    reproduce::command("explain", &job.loaded.file, &job.variant.name, job.seed, &args.logic.words());
                part(&replay, &line, &explain)
            }),
        };
        match args.format {
            Format::Json if several => shown.out = json::line(&replay.json(&line, args.state)),
            Format::Json => shown.out = json::pretty(&replay.json(&line, args.state)),
            Format::Text if args.logic.seeds.is_some() && look.verbose == 0 => {
                shown.out = fit_for_eyes(text::line(&replay, &line))
            }
            Format::Text => {
                shown.out = text::whole(&replay, look, args.form(), &line);
                if args.state {
                    shown.out.push_str(&replay.state_text(width()));
                }
            }
        }
        let again = args.twice.then(|| Replay::with(&job.loaded.scenario, &variant, &wanted));
        match again.as_ref().map(|again| difference(&replay, again)) {
            Some(None) if args.format == Format::Text && !look.quiet => shown.out.push_str(&text::same_twice(&replay)),
            None | Some(None) => {}
            Some(Some(difference)) => {
                let what = format!("the same run gave two results\n{difference}");
                crash::report(&what, &format!("{line} --twice"));
                shown.exit = Exit::Bug;
            }
        }
        Ok(shown)
    })
}

fn write_trace(replay: &Replay<'_>, path: &Path, look: &Look) -> Result<(), Refusal> {
    let outcome = &replay.outcome;
    file::write("trace", path, |out| match TraceForm::of(path) {
        Some(TraceForm::Lines) => trace::jsonl::write(&outcome.trace, out),
        Some(TraceForm::Table) => trace::csv::write(&outcome.trace, out),
        Some(TraceForm::Events) => trace::perfetto::write(&outcome.trace, outcome.ended_at, out),
        None => unreachable!("the argument was parsed"),
    })?;
    told(look, "trace", path);
    Ok(())
}

fn told(look: &Look, what: &str, path: &Path) {
    if !look.quiet {
        output::note(&format!("{what} written to {}", path.display()));
    }
}

fn part(replay: &Replay<'_>, reproduce: &str, explain: &str) -> html::Part {
    html::Part::of(&html::Source {
        scenario: replay.scenario,
        variant: replay.variant,
        outcome: &replay.outcome,
        metrics: &replay.metrics,
        checked: &replay.checked,
        digest: replay.digest(),
        reproduce,
        explain,
    })
}

/// How a trace is written.
enum TraceForm {
    /// One record a line of JSON.
    Lines,
    Table,
    Events,
}

impl TraceForm {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "jsonl" => Some(Self::Lines),
            "csv" => Some(Self::Table),
            "json" => Some(Self::Events),
            _ => None,
        }
    }
}

/// The folder of that name; without a name, the system's for files that do not last.
fn existing_folder(text: &str) -> Result<PathBuf, String> {
    let folder = if text.is_empty() { std::env::temp_dir() } else { PathBuf::from(text) };
    if folder.is_dir() { Ok(folder) } else { Err(format!("there is no folder {}", folder.display())) }
}

fn trace_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let possible = "possible are `.jsonl`, `.json` and `.csv`";
    match (TraceForm::of(&path), path.extension()) {
        (Some(_), _) => Ok(path),
        (None, Some(other)) => Err(format!("a trace cannot be written as `.{}`; {possible}", other.to_string_lossy())),
        (None, None) => Err(format!("the ending says how a trace is written; {possible}")),
    }
}
