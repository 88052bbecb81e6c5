//! `schedsim test PATH…`: replays every scenario below a path and checks it.
//!
//! Runs happen on many threads; what is read, written and printed afterwards happens on one, in
//! the order of the scenarios. It may use everything. What a newcomer gets wrong: `--accept`
//! accepts texts, never expectations – a story that breaks its `[expect]` fails all the same.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::replay::{Judged, Replay};
use crate::report::corpus::{Corpus, Owner, SnapshotFolder, Story, shown};
use crate::report::fingerprints::{Fingerprint, Fingerprints};
use crate::report::snapshot_file;
use crate::scenario::{Diagnostics, Overrides, Scenario, Variant, similar};
use clap::Args;
use rayon::prelude::*;

use super::args::{Format, Look, shell_line};
use super::output::{self, Out, painted, style};
use super::results::{self, Place, TestResult};
use super::review::{Answer, Review};
use super::snapshots::{Text, accept, compare, fingerprint_moved};
use super::{Exit, Refusal, crash, file, input, reproduce};

/// Replays every scenario below PATH; checks [expect] and the snapshot beside it
#[derive(Args)]
pub(crate) struct TestArgs {
    /// Scenario files, and folders with scenarios below
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Writes snapshots and fingerprints as they are now; expectations are checked all the same
    #[arg(long)]
    accept: bool,
    /// So many runs at once; by default as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Only runs in whose name, like `mir-788/lease-carousel@before`, this text is
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only the variant of that name of each scenario
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Writes the results as JUnit XML, too; `-` is standard output, and the text goes to standard error then
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// For whom the results are written; with `json` the text goes to standard error
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Whether somebody is asked about each text that moved: `schedsim review`.
    #[arg(skip)]
    review: bool,
}

impl TestArgs {
    /// What a review runs: nothing is accepted but what its reader says.
    pub(super) fn for_review(paths: Vec<String>, filter: Option<String>, variant: Option<String>) -> Self {
        Self { paths, accept: false, jobs: None, filter, variant, junit: None, format: Format::Text, review: true }
    }

    /// Where the JUnit file is to be, if it is to be one.
    fn junit_file(&self) -> Option<&PathBuf> {
        self.junit.as_ref().filter(|path| path.as_os_str() != "-")
    }

    fn junit_is_printed(&self) -> bool {
        self.junit.is_some() && self.junit_file().is_none()
    }

    fn chooses(&self, loaded: &LoadedStory<'_>, variant: &Variant) -> bool {
        let title = loaded.story.title(&variant.name);
        self.variant.as_ref().is_none_or(|name| *name == variant.name)
            && self.filter.as_ref().is_none_or(|text| title.contains(text.as_str()))
    }

    /// Why there is nothing to run.
    fn nothing_chosen(&self, all_loaded: &[LoadedStory<'_>]) -> String {
        let all = || {
            all_loaded.iter().flat_map(|loaded| loaded.scenario.variants.iter().map(|variant| variant.name.as_str()))
        };
        match &self.variant {
            Some(name) if all().all(|known| known != name) => {
                let hint = similar(name, all()).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                format!("no scenario has a variant `{name}`{hint}")
            }
            _ => format!(
                "no run is called like that; there are {}, such as `{}`",
                all().count(),
                first_title(all_loaded)
            ),
        }
    }
}

fn first_title(all_loaded: &[LoadedStory<'_>]) -> String {
    all_loaded.first().map(|loaded| loaded.story.title(&loaded.scenario.variants[0].name)).unwrap_or_default()
}

/// What messages call the file of `--junit`.
const JUNIT: &str = "results";

/// A scenario file that could be read.
struct LoadedStory<'a> {
    story: &'a Story,
    file: String,
    scenario: Scenario,
}

/// What is kept of a run.
struct Case<'a> {
    loaded: &'a LoadedStory<'a>,
    variant: &'a Variant,
    golden: String,
    fingerprint: Fingerprint,
    /// The expectations that did not hold.
    failures: Vec<String>,
    /// Whether there are any.
    expects: bool,
    /// How long the run took on the wall.
    took: Duration,
}

/// Counts and the worst status so far.
#[derive(Default)]
struct Tally {
    results: Vec<TestResult>,
    broken: bool,
    review: Review,
    /// Runs whose fingerprints are not those on the folder, by it.
    moved: BTreeMap<PathBuf, Vec<(String, Fingerprint)>>,
}

pub(crate) fn test(args: &TestArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    if args.paths.iter().any(|path| path == "-") {
        return Err(Refusal::wrong("a snapshot lies beside a file, and standard input has no place; `run -` reads it"));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build();
    let pool = pool.map_err(|error| Refusal::wrong(format!("cannot start threads: {error}")))?;
    let corpus = Corpus::find(&args.paths).map_err(Refusal::wrong)?;
    if corpus.stories.is_empty() {
        return Err(Refusal::nothing(nothing_below(&args.paths, &corpus)));
    }
    if !look.quiet {
        corpus.sweeps.iter().for_each(|file| output::note(&format!("a sweep, skipped: {}", file.display())));
    }
    if look.verbose > 0 {
        corpus.skipped.iter().for_each(|file| output::note(&format!("no scenario: {}", file.display())));
    }

    let (json, xml) = (args.format == Format::Json, args.junit_is_printed());
    if json && xml {
        return Err(Refusal::wrong("`--junit -` and `--format json` both want standard output; give --junit a file"));
    }
    let mut aside = Out::stderr();
    let machine = &mut *out;
    let out = if json || xml { &mut aside } else { &mut *machine };
    if let Some(path) = args.junit_file() {
        // Better before the runs than after them.
        file::apart(JUNIT, path, corpus.stories.iter().map(|story| story.file.as_path()))?;
        file::probe(JUNIT, path)?;
    }
    let mut tally = Tally::default();
    let read: Vec<_> = pool.install(|| corpus.stories.par_iter().map(read).collect());
    let mut all_loaded = Vec::new();
    for (story, loaded) in corpus.stories.iter().zip(read) {
        match loaded {
            Ok(loaded) => all_loaded.push(loaded),
            Err(diagnostics) => {
                let why = input::why_unreadable(&story.file.display().to_string(), &diagnostics);
                output::note(why.trim_end());
                let result = unreadable(story, &diagnostics);
                let (bad, name) = (painted(style::BAD, "FAIL "), &story.name);
                let why = "the file cannot be used; standard error says why";
                out.text(&format!("{bad} {name}\n  {why}\n  reproduce: {}\n", result.reproduce));
                tally.results.push(result);
                tally.broken = true;
            }
        }
    }
    let chosen: Vec<_> = all_loaded
        .iter()
        .flat_map(|loaded| loaded.scenario.variants.iter().map(move |variant| (loaded, variant)))
        .filter(|(loaded, variant)| args.chooses(loaded, variant))
        .collect();
    if chosen.is_empty() && !all_loaded.is_empty() {
        return Err(Refusal::nothing(args.nothing_chosen(&all_loaded)));
    }
    let cases = pool.install(|| replay_all(&chosen, look));
    let mut folders = folders(&all_loaded)?;
    for case in &cases {
        judge(case, args, look, &mut folders, out, &mut tally)?;
    }
    tidy(&corpus, &all_loaded, args, &mut folders, out, &mut tally)?;
    let failed = tally.results.iter().filter(|result| result.failure.is_some()).count();
    if args.review {
        out.line(&tally.review.told());
    }
    out.line(&format!("{} passed, {failed} failed", tally.results.len() - failed));
    publish(&tally.results, args, out)?;
    if json {
        machine.text(&results::object(&tally.results));
    } else if xml {
        let mut xml = Vec::new();
        results::junit(&tally.results, &mut xml).expect("memory can be written");
        machine.text(&String::from_utf8_lossy(&xml));
    }
    Ok(match (tally.broken, failed) {
        (true, _) => Exit::Wrong,
        (false, 0) => Exit::Fine,
        (false, _) => Exit::Failed,
    })
}

/// The results for machines: JUnit where it is asked for, and GitHub's own where we run there.
fn publish(results: &[TestResult], args: &TestArgs, out: &mut Out) -> Result<(), Refusal> {
    let on_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    if on_github {
        out.text(&results::annotations(results));
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| on_github && !path.is_empty()) {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(results::summary(results).as_bytes()));
        if let Err(error) = written {
            // The tests have run; a summary that is lost changes nothing about them.
            output::warning(&format!("cannot write the step's summary: {error}"));
        }
    }
    let Some(path) = args.junit_file() else { return Ok(()) };
    file::write(JUNIT, path, |out| results::junit(results, out))
}

fn unreadable(story: &Story, diagnostics: &Diagnostics) -> TestResult {
    let file = story.file.to_string_lossy().into_owned();
    let reproduce = shell_line(["schedsim", "check", &reproduce::operand(&file)]);
    let places = diagnostics.problems().map(|problem| Place {
        file: problem.file.to_owned(),
        line: problem.line,
        column: problem.column,
        message: problem.message.to_owned(),
    });
    let (places, failure) = (places.collect(), Some(diagnostics.render(true)));
    TestResult { story: story.name.clone(), variant: None, file, failure, places, reproduce, took: Duration::ZERO }
}

fn nothing_below(paths: &[String], corpus: &Corpus) -> String {
    let paths = shell_line(paths);
    match corpus.skipped.len() + corpus.sweeps.len() {
        0 => format!("no scenario below {paths}: there is no .toml file"),
        n => format!(
            "no scenario below {paths}: none of {n} .toml files is one, with a top-level `schema` and a `horizon`"
        ),
    }
}

fn read(story: &Story) -> Result<LoadedStory<'_>, Diagnostics> {
    let file = story.file.to_string_lossy().into_owned();
    let scenario = Scenario::from_file(&story.file, &Overrides::default())?;
    Ok(LoadedStory { story, file, scenario })
}

fn replay_all<'a>(all: &[(&'a LoadedStory<'a>, &'a Variant)], look: &Look) -> Vec<Case<'a>> {
    let bar = output::progress(all.len() as u64, !look.quiet);
    let cases = all
        .par_iter()
        .map(|(loaded, variant)| {
            let line = reproduce::run(&loaded.file, &variant.name, variant.seed, &[]);
            let case = crash::doing_what(&line, || case(loaded, variant));
            bar.set_message(loaded.story.title(&variant.name));
            bar.inc(1);
            case
        })
        .collect();
    bar.finish_and_clear();
    cases
}

/// What comes of some work, and how long it took on the wall.
#[expect(clippy::disallowed_types, reason = "shown to whoever waits for a test; no run knows of it")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = std::time::Instant::now();
    (work(), begun.elapsed())
}

fn case<'a>(loaded: &'a LoadedStory<'a>, variant: &'a Variant) -> Case<'a> {
    let (replay, took) = timed(|| Replay::of(&loaded.scenario, variant, None));
    let (golden, fingerprint, failures) = (replay.golden(), replay.fingerprint(), replay.failures());
    Case { loaded, variant, golden, fingerprint, expects: replay.judged == Judged::Yes, failures, took }
}

/// The fingerprints of every folder that is concerned. A file that cannot be read stops all, for
/// to write it anew would lose the lines of scenarios that are not run.
fn folders<'a>(all_loaded: &'a [LoadedStory<'a>]) -> Result<BTreeMap<&'a SnapshotFolder, Fingerprints>, Refusal> {
    let mut folders = BTreeMap::new();
    for loaded in all_loaded {
        let folder = &loaded.story.folder;
        if !folders.contains_key(folder) {
            let prints = Fingerprints::read(&folder.snapshots).map_err(|text| {
                Refusal::wrong(format!("{text}\n  repair the file, or remove it and run with --accept"))
            })?;
            folders.insert(folder, prints);
        }
    }
    Ok(folders)
}

/// Checks one run, writes what is accepted, and tells.
fn judge(
    case: &Case<'_>,
    args: &TestArgs,
    look: &Look,
    folders: &mut BTreeMap<&SnapshotFolder, Fingerprints>,
    out: &mut Out,
    tally: &mut Tally,
) -> Result<(), Refusal> {
    let story = case.loaded.story;
    let title = story.title(&case.variant.name);
    let mut failures: Vec<String> =
        case.failures.iter().map(|text| format!("  {} {text}\n", painted(style::BAD, "[expect]"))).collect();
    if !case.expects {
        let told =
            "there is no [expect]: a test asks for one, with a verdict at least; `run --expect-from-run` writes it";
        failures.push(format!("  {told}\n"));
    }

    let path = story.snapshot(&case.variant.name);
    let text = if args.accept {
        accept(&case.golden, &story.source(), &path)?
    } else {
        compare(&case.golden, &story.source(), &path)
    };
    let same_text = matches!(text, Text::Same);
    match text {
        Text::Same => {}
        Text::Written => out.line(&format!("{} {}", painted(style::WARN, "wrote"), shown(&path))),
        Text::Differs(how) => failures.push(how),
    }
    let prints = folders.get_mut(&story.folder).expect("every loaded's folder was read");
    let old = prints.lines.get(&title).cloned();
    let old = old.as_ref();
    if args.accept {
        prints.lines.insert(title.clone(), case.fingerprint.clone());
    } else if same_text && old != Some(&case.fingerprint) {
        // When the text moved as well, it says more.
        failures.push(fingerprint_moved(&story.folder, old, &case.fingerprint));
    }
    let moved = !args.accept && (!same_text || old != Some(&case.fingerprint));
    let mut stays = moved;
    if args.review && moved {
        let told = failures.concat();
        let answer = tally.review.ask(&format!("{} {title}\n{told}", painted(style::WARN, "moved")), out);
        stays = answer == Answer::Skip;
        match answer {
            Answer::Accept => {
                accept(&case.golden, &story.source(), &path)?;
                prints.lines.insert(title.clone(), case.fingerprint.clone());
                failures.retain(|text| text.contains("[expect]"));
            }
            Answer::Reject => {
                let pending = snapshot_file::pending(&path);
                snapshot_file::remove(&pending)
                    .map_err(|error| Refusal::wrong(format!("cannot remove {}: {error}", shown(&pending))))?;
            }
            Answer::Skip => {}
        }
    }
    if stays {
        let of_shelf = tally.moved.entry(story.folder.snapshots.clone()).or_default();
        of_shelf.push((title.clone(), case.fingerprint.clone()));
    }

    let mut result = TestResult {
        story: story.name.clone(),
        variant: Some(case.variant.name.clone()),
        file: case.loaded.file.clone(),
        failure: None,
        places: Vec::new(),
        reproduce: reproduce::run(&case.loaded.file, &case.variant.name, case.variant.seed, &[]),
        took: case.took,
    };
    if failures.is_empty() {
        tally.results.push(result);
        if !look.quiet {
            out.line(&format!("{} {title}", painted(style::GOOD, "pass ")));
        }
        return Ok(());
    }
    if case.failures.is_empty() {
        result.reproduce = shell_line(["schedsim", "test", &reproduce::operand(&case.loaded.file)]);
    }
    let failures = failures.concat();
    out.text(&format!("{} {title}\n{failures}  reproduce: {}\n", painted(style::BAD, "FAIL "), result.reproduce));
    result.failure = Some(failures);
    tally.results.push(result);
    Ok(())
}

/// What is left of scenarios that are gone; and the fingerprints, to their files.
fn tidy(
    corpus: &Corpus,
    all_loaded: &[LoadedStory<'_>],
    args: &TestArgs,
    folders: &mut BTreeMap<&SnapshotFolder, Fingerprints>,
    out: &mut Out,
    tally: &mut Tally,
) -> Result<(), Refusal> {
    for (folder, prints) in folders {
        let mut run = BTreeMap::new();
        for loaded in all_loaded.iter().filter(|loaded| loaded.story.folder == **folder) {
            let titles = loaded.scenario.variants.iter().map(|variant| loaded.story.title(&variant.name)).collect();
            run.insert(loaded.story.name.as_str(), titles);
        }
        for orphan in corpus.orphans(folder, &run).map_err(Refusal::wrong)? {
            if args.accept {
                let cannot = |error| Refusal::wrong(format!("cannot remove {}: {error}", shown(&orphan)));
                snapshot_file::remove(&orphan).map_err(cannot)?;
                out.line(&format!("{} {}", painted(style::WARN, "removed"), shown(&orphan)));
            } else {
                output::warning(&format!("{} belongs to no scenario; --accept removes it", shown(&orphan)));
            }
        }
        let path = Fingerprints::path(&folder.snapshots);
        let gone: Vec<_> =
            prints.lines.keys().filter(|title| corpus.owner(folder, title, &run) == Owner::Gone).cloned().collect();
        for title in gone {
            if args.accept {
                prints.lines.remove(&title);
                out.line(&format!("{} {title} from {}", painted(style::WARN, "removed"), shown(&path)));
            } else {
                let words = ["schedsim", "test"].into_iter().map(str::to_owned);
                let paths = args.paths.iter().map(|path| reproduce::operand(path));
                let reproduce = shell_line(words.chain(paths));
                let failure = format!("  {}: its scenario is gone; --accept removes the line\n", shown(&path));
                out.text(&format!("{} {title}\n{failure}  reproduce: {reproduce}\n", painted(style::BAD, "FAIL ")));
                let (story, variant) = title.rsplit_once('@').unwrap_or((&title, ""));
                let (story, variant) = (story.to_owned(), Some(variant.to_owned()));
                let file = shown(&path);
                let (failure, places) = (Some(failure), Vec::new());
                let took = Duration::ZERO;
                tally.results.push(TestResult { story, variant, file, failure, places, reproduce, took });
            }
        }
        let moved = tally.moved.remove(&folder.snapshots).unwrap_or_default();
        if !snapshot_file::in_ci() {
            // What is pending beside the texts is reviewed with them, whoever reviews.
            prints.leave_pending(&folder.snapshots, moved).unwrap_or_else(|error| {
                output::warning(&format!("cannot write {}: {error}", shown(&snapshot_file::pending(&path))));
            });
        }
        if args.accept || args.review {
            prints
                .write(&folder.snapshots)
                .map_err(|error| Refusal::wrong(format!("cannot write {}: {error}", shown(&path))))?;
        }
    }
    Ok(())
}
