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
use super::snapshots::{accept, compare, fingerprint_moved};
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
    expects: bool,
    /// How long the run took on the wall.
    took: Duration,
}

impl Case<'_> {
    fn title(&self) -> String {
        self.loaded.story.title(&self.variant.name)
    }

    /// What is wrong with it, whatever it was before.
    fn unexpected(&self) -> Vec<String> {
        let told =
            "there is no [expect]: a test asks for one, with a verdict at least; `run --expect-from-run` writes it";
        let failed = self.failures.iter().map(|text| format!("  {} {text}\n", painted(style::BAD, "[expect]")));
        failed.chain((!self.expects).then(|| format!("  {told}\n"))).collect()
    }

    /// How it differs from what is kept of it.
    fn moved(&self, prints: &Fingerprints) -> Option<String> {
        let story = self.loaded.story;
        let old = prints.lines.get(&self.title());
        // When the text moved as well, it says more.
        compare(&self.golden, &story.source(), &story.snapshot(&self.variant.name)).or_else(|| {
            (old != Some(&self.fingerprint)).then(|| fingerprint_moved(&story.folder, old, &self.fingerprint))
        })
    }

    /// Keeps it as it is now; says whether its text was written.
    fn keep(&self, prints: &mut Fingerprints) -> Result<bool, Refusal> {
        let story = self.loaded.story;
        prints.lines.insert(self.title(), self.fingerprint.clone());
        accept(&self.golden, &story.source(), &story.snapshot(&self.variant.name))
    }
}

/// A test under way: how it is told, and what came of it so far.
struct Test<'a> {
    args: &'a TestArgs,
    look: &'a Look,
    out: &'a mut Out,
    results: Vec<TestResult>,
    /// Whether a file cannot be used.
    broken: bool,
    review: Review,
    /// Runs whose fingerprints are not those of the folder, by it.
    moved: BTreeMap<PathBuf, Vec<(String, Fingerprint)>>,
}

pub(crate) fn test(args: &TestArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let corpus = corpus(args, look)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build();
    let pool = pool.map_err(|error| Refusal::wrong(format!("cannot start threads: {error}")))?;
    let (json, xml) = (args.format == Format::Json, args.junit_is_printed());
    if json && xml {
        return Err(Refusal::wrong("`--junit -` and `--format json` both want standard output; give --junit a file"));
    }
    let mut aside = Out::stderr();
    let (out, machine) = if json || xml { (&mut aside, Some(out)) } else { (out, None) };
    if let Some(path) = args.junit_file() {
        // Better before the runs than after them.
        file::apart(JUNIT, path, corpus.stories.iter().map(|story| story.file.as_path()))?;
        file::probe(JUNIT, path)?;
    }
    let (review, moved) = (Review::default(), BTreeMap::new());
    let mut test = Test { args, look, out, results: Vec::new(), broken: false, review, moved };
    let read: Vec<_> = pool.install(|| corpus.stories.par_iter().map(read).collect());
    let all_loaded = test.loaded(corpus.stories.iter().zip(read));
    let all =
        all_loaded.iter().flat_map(|loaded| loaded.scenario.variants.iter().map(move |variant| (loaded, variant)));
    let chosen: Vec<_> = all.filter(|(loaded, variant)| args.chooses(loaded, variant)).collect();
    if chosen.is_empty() && !all_loaded.is_empty() {
        return Err(Refusal::nothing(args.nothing_chosen(&all_loaded)));
    }
    let cases = pool.install(|| replay_all(&chosen, look));
    let mut folders = folders(&all_loaded)?;
    for case in &cases {
        test.judge(case, folders.get_mut(&case.loaded.story.folder).expect("every loaded's folder was read"))?;
    }
    for (folder, prints) in &mut folders {
        test.tidy(&corpus, &all_loaded, folder, prints)?;
    }
    let exit = test.finish()?;
    if let Some(machine) = machine {
        let mut text = Vec::new();
        match json {
            true => text.extend(results::object(&test.results).bytes()),
            false => results::junit(&test.results, &mut text).expect("memory can be written"),
        }
        machine.text(&String::from_utf8_lossy(&text));
    }
    Ok(exit)
}

/// The stories to be tested.
fn corpus(args: &TestArgs, look: &Look) -> Result<Corpus, Refusal> {
    if args.paths.iter().any(|path| path == "-") {
        return Err(Refusal::wrong("a snapshot lies beside a file, and standard input has no place; `run -` reads it"));
    }
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
    Ok(corpus)
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
    TestResult { story: story.name.clone(), file, failure, places, reproduce, ..TestResult::default() }
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

impl Test<'_> {
    /// The scenarios that could be read; of the others it is told why.
    fn loaded<'s>(
        &mut self,
        read: impl Iterator<Item = (&'s Story, Result<LoadedStory<'s>, Diagnostics>)>,
    ) -> Vec<LoadedStory<'s>> {
        let mut all = Vec::new();
        for (story, loaded) in read {
            match loaded {
                Ok(loaded) => all.push(loaded),
                Err(diagnostics) => {
                    let why = input::why_unreadable(&story.file.display().to_string(), &diagnostics);
                    output::note(why.trim_end());
                    let why = "  the file cannot be used; standard error says why\n";
                    self.failed(&story.name, why, unreadable(story, &diagnostics));
                    self.broken = true;
                }
            }
        }
        all
    }

    fn failed(&mut self, title: &str, told: &str, result: TestResult) {
        let bad = painted(style::BAD, "FAIL ");
        self.out.text(&format!("{bad} {title}\n{told}  reproduce: {}\n", result.reproduce));
        self.results.push(result);
    }

    /// Checks one run, writes what is accepted, and tells.
    fn judge(&mut self, case: &Case<'_>, prints: &mut Fingerprints) -> Result<(), Refusal> {
        let Case { loaded: LoadedStory { story, file, .. }, variant, .. } = case;
        let (title, path) = (case.title(), story.snapshot(&variant.name));
        let mut failures = case.unexpected();
        if self.args.accept {
            if case.keep(prints)? {
                self.out.line(&format!("{} {}", painted(style::WARN, "wrote"), shown(&path)));
            }
        } else if let Some(how) = case.moved(prints) {
            failures.push(how);
            match self.answer(&title, &failures.concat()) {
                Answer::Accept => {
                    case.keep(prints)?;
                    failures.pop();
                }
                Answer::Reject => {
                    let pending = snapshot_file::pending(&path);
                    snapshot_file::remove(&pending)
                        .map_err(|error| Refusal::wrong(format!("cannot remove {}: {error}", shown(&pending))))?;
                }
                Answer::Skip => {
                    let moved = self.moved.entry(story.folder.snapshots.clone()).or_default();
                    moved.push((title.clone(), case.fingerprint.clone()));
                }
            }
        }
        let mut result = TestResult {
            story: story.name.clone(),
            variant: Some(variant.name.clone()),
            file: file.clone(),
            reproduce: reproduce::run(file, &variant.name, variant.seed, &[]),
            took: case.took,
            ..TestResult::default()
        };
        if failures.is_empty() {
            self.results.push(result);
            if !self.look.quiet {
                self.out.line(&format!("{} {title}", painted(style::GOOD, "pass ")));
            }
            return Ok(());
        }
        if case.failures.is_empty() {
            result.reproduce = shell_line(["schedsim", "test", &reproduce::operand(file)]);
        }
        let failures = failures.concat();
        result.failure = Some(failures.clone());
        self.failed(&title, &failures, result);
        Ok(())
    }

    /// What becomes of a run that moved; only a review asks.
    fn answer(&mut self, title: &str, how: &str) -> Answer {
        if !self.args.review {
            return Answer::Skip;
        }
        self.review.ask(&format!("{} {title}\n{how}", painted(style::WARN, "moved")), self.out)
    }

    /// What is left of scenarios that are gone; and the fingerprints, to their file.
    fn tidy(
        &mut self,
        corpus: &Corpus,
        all_loaded: &[LoadedStory<'_>],
        folder: &SnapshotFolder,
        prints: &mut Fingerprints,
    ) -> Result<(), Refusal> {
        let mut run = BTreeMap::new();
        for loaded in all_loaded.iter().filter(|loaded| loaded.story.folder == *folder) {
            let titles = loaded.scenario.variants.iter().map(|variant| loaded.story.title(&variant.name)).collect();
            run.insert(loaded.story.name.as_str(), titles);
        }
        for orphan in corpus.orphans(folder, &run).map_err(Refusal::wrong)? {
            if self.args.accept {
                let cannot = |error| Refusal::wrong(format!("cannot remove {}: {error}", shown(&orphan)));
                snapshot_file::remove(&orphan).map_err(cannot)?;
                self.out.line(&format!("{} {}", painted(style::WARN, "removed"), shown(&orphan)));
            } else {
                output::warning(&format!("{} belongs to no scenario; --accept removes it", shown(&orphan)));
            }
        }
        let path = Fingerprints::path(&folder.snapshots);
        let gone: Vec<_> =
            prints.lines.keys().filter(|title| corpus.owner(folder, title, &run) == Owner::Gone).cloned().collect();
        for title in gone {
            if self.args.accept {
                prints.lines.remove(&title);
                self.out.line(&format!("{} {title} from {}", painted(style::WARN, "removed"), shown(&path)));
            } else {
                let words = ["schedsim", "test"].into_iter().map(str::to_owned);
                let paths = self.args.paths.iter().map(|path| reproduce::operand(path));
                let reproduce = shell_line(words.chain(paths));
                let told = format!("  {}: its scenario is gone; --accept removes the line\n", shown(&path));
                let (story, variant) = title.rsplit_once('@').unwrap_or((&title, ""));
                let (story, variant) = (story.to_owned(), Some(variant.to_owned()));
                let (file, failure) = (shown(&path), Some(told.clone()));
                let result = TestResult { story, variant, file, failure, reproduce, ..TestResult::default() };
                self.failed(&title, &told, result);
            }
        }
        let moved = self.moved.remove(&folder.snapshots).unwrap_or_default();
        if !snapshot_file::in_ci() {
            // What is pending beside the texts is reviewed with them, whoever reviews.
            prints.leave_pending(&folder.snapshots, moved).unwrap_or_else(|error| {
                output::warning(&format!("cannot write {}: {error}", shown(&snapshot_file::pending(&path))));
            });
        }
        if self.args.accept || self.args.review {
            prints
                .write(&folder.snapshots)
                .map_err(|error| Refusal::wrong(format!("cannot write {}: {error}", shown(&path))))?;
        }
        Ok(())
    }

    /// Counts, and publishes where that is asked for.
    fn finish(&mut self) -> Result<Exit, Refusal> {
        let failed = self.results.iter().filter(|result| result.failure.is_some()).count();
        if self.args.review {
            self.out.line(&self.review.told());
        }
        self.out.line(&format!("{} passed, {failed} failed", self.results.len() - failed));
        publish(&self.results, self.args, self.out)?;
        Ok(match (self.broken, failed) {
            (true, _) => Exit::Wrong,
            (false, 0) => Exit::Fine,
            (false, _) => Exit::Failed,
        })
    }
}
