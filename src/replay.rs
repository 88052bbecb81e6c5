//! One run with all that is read from it: figures, checks, digest, texts.
//!
//! `run`, `test` and this crate's own tests all go through here, so that they can never judge a
//! run differently. It may use simulation, trace and report, and prints nothing. What a newcomer
//! gets wrong: a run that ends before the horizon is shown and not judged, for expectations
//! speak of the whole story.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::archive::{Followed, OnDisk};
use crate::kernel::SimTime;
use crate::kernel::{Budget, Stop};
use crate::report::fingerprints::Fingerprint;
use crate::report::{self, ExpectResult, RunObject};
use crate::scenario::{Scenario, Variant};
use crate::sim::{Outcome, Proofs, RECORDS_MAX, Simulation};
use crate::trace::metrics::{self, Metrics};
use crate::trace::{self, Archive, Reader};

/// One run.
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Replay<'a> {
    pub scenario: &'a Scenario,
    /// The logic, with the seed of this run.
    pub variant: &'a Variant,
    pub outcome: Outcome,
    pub metrics: Metrics,
    /// The digest of the trace, once somebody has asked for it.
    digest: OnceLock<String>,
    /// Whether expectations were checked.
    pub judged: Judged,
    /// How the checks came out; of a run that was cut short, nothing was asked.
    pub checked: ExpectResult,
}

/// Whether a run was held against its expectations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It was.
    Yes,
    /// There are none; still, no invariant may break to the horizon.
    NoExpect,
    /// It ended before the horizon.
    CutShort,
    /// It was, but for its metrics and for what was still to break: it ended with the proof of a
    /// livelock.
    Proved,
}

/// So many records of a run lie in memory that is to have them on disk: 64 MiB.
const HELD: usize = 1 << 20;

/// What is wanted of a run.
#[derive(Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Its end, where that is not the horizon.
    pub until: Option<SimTime>,
    /// What is done about livelocks: a proof of one may end the run.
    pub proofs: Proofs,
    /// It is going to be explained.
    pub explained: bool,
    /// Who is told how far it is.
    pub progress: Option<&'a (dyn Fn(SimTime) + Sync)>,
    /// It may be as long as it likes, and its records lie in that folder.
    pub on_disk: Option<&'a Path>,
}

impl<'a> Replay<'a> {
    /// Runs the story under that logic, to its horizon or to `until`.
    pub fn of(scenario: &'a Scenario, variant: &'a Variant, until: Option<SimTime>) -> Self {
        Self::with(scenario, variant, &Wanted { until, ..Wanted::default() })
    }

    /// The same, as it is wanted.
    pub fn with(scenario: &'a Scenario, variant: &'a Variant, wanted: &Wanted<'_>) -> Self {
        let Wanted { until, proofs, explained, progress, on_disk } = *wanted;
        let mut simulation = Simulation::new(scenario, variant).proofs(proofs).until(until);
        let held = if on_disk.is_some() { HELD } else { RECORDS_MAX };
        simulation = simulation.archive(Arc::new(OnDisk::within(on_disk)), held..RECORDS_MAX);
        if on_disk.is_some() {
            simulation = simulation.budget(Budget { events: u64::MAX, ..Budget::default() });
        }
        if explained {
            simulation = simulation.keeps_evidence();
        }
        if let Some(progress) = progress {
            simulation = simulation.progress(progress);
        }
        let outcome = simulation.run();
        let metrics = report::figures(scenario, &outcome);
        let cut = until.is_some_and(|until| until < scenario.horizon);
        let (judged, checked) = match &variant.expect {
            Some(_) if cut => {
                let unasked = Variant { expect: None, ..variant.clone() };
                (Judged::CutShort, report::check(scenario, &unasked, &outcome, &metrics))
            }
            Some(expect) if outcome.stop == Stop::Enough => {
                let mut expect = expect.clone();
                expect.metrics.clear();
                // What has not broken yet might have; what has, and should not, is wrong all the same.
                expect.violations.retain(|listed| outcome.violations.iter().any(|found| found.invariant == *listed));
                let asked = Variant { expect: Some(expect), ..variant.clone() };
                (Judged::Proved, report::check(scenario, &asked, &outcome, &metrics))
            }
            Some(_) => (Judged::Yes, report::check(scenario, variant, &outcome, &metrics)),
            None => {
                let checked = report::check(scenario, variant, &outcome, &metrics);
                (Judged::NoExpect, if cut { checked } else { checked.nothing_may_break(&outcome) })
            }
        };
        Self { scenario, variant, outcome, metrics, digest: OnceLock::new(), judged, checked }
    }

    /// The digest of the trace.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| trace::digest::of(&self.outcome.trace))
    }

    /// The expectations that did not hold, in words.
    pub fn failures(&self) -> Vec<String> {
        self.checked.failures.iter().map(ToString::to_string).collect()
    }

    /// The text for review.
    pub fn golden(&self) -> String {
        report::golden(self.scenario, self.variant, &self.outcome, &self.metrics, &self.checked)
    }

    /// The lives of all entities, as the text for review tells them.
    pub fn lives(&self) -> String {
        report::lives(self.scenario, self.variant, &self.outcome.trace)
    }

    /// The result for programs, as one line, with the line that makes this run again, and the state at the end where that is
    /// asked for.
    pub fn json(&self, reproduce: &str, state: bool) -> RunObject {
        let state = state.then(|| {
            let state = trace::state::state(&self.outcome.trace, self.outcome.ended_at);
            ("state", report::state_json(&self.outcome.trace, &state))
        });
        let more = [("reproduce", reproduce.into())].into_iter().chain(state);
        report::json(self.scenario, self.variant, &self.outcome, &self.metrics, &self.checked, self.digest(), more)
    }

    /// The state at the end, as tables; one that is wider than `width` columns is told row by row.
    pub fn state_text(&self, width: usize) -> String {
        let state = trace::state::state(&self.outcome.trace, self.outcome.ended_at);
        report::state_text(&self.outcome.trace, &state, width)
    }

    /// Its line in the file of fingerprints.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { events: self.outcome.events, digest: self.digest().to_owned() }
    }
}

/// So many records of a run lie in memory of whose trace hardly anything is read: 16 MiB.
const HELD_LEAN: usize = 1 << 18;

/// A run of whose trace hardly anything is going to be read: all but the last of its records go to disk.
pub fn lean(simulation: Simulation<'_>) -> Simulation<'_> {
    simulation.archive(Arc::new(OnDisk::within(None)), HELD_LEAN..RECORDS_MAX)
}

/// A run whose trace nobody is going to read: its figures, and what a reader has of its records, who takes each in
/// before it leaves memory.
pub fn folded<R: Reader + 'static>(
    simulation: Simulation<'_>,
    scenario: &Scenario,
    reader: R,
) -> (Outcome, Metrics, R) {
    let archive = Arc::new(Followed::by((metrics::Fold::default(), reader)));
    let outcome = simulation.archive(Arc::clone(&archive) as Arc<dyn Archive>, HELD_LEAN..RECORDS_MAX).run();
    let (figures, reader) = archive.all(&outcome.trace);
    let figures = figures.finish(&report::frame(scenario, &outcome));
    (outcome, figures, reader)
}

/// The first thing in which two runs differ, in words; none when they are the same.
pub fn difference(first: &Replay<'_>, second: &Replay<'_>) -> Option<String> {
    let (a, b) = (&first.outcome, &second.outcome);
    let record = |outcome: &Outcome, index: usize| {
        let mut line = Vec::new();
        outcome.trace.write_json(index, &mut line).expect("memory can be written");
        String::from_utf8(line).expect("JSON is UTF-8")
    };
    let (long_a, long_b) = (a.trace.records().len(), b.trace.records().len());
    // When the digests agree, so do the records.
    let common = if first.digest() == second.digest() { 0 } else { long_a.min(long_b) };
    for index in 0..common {
        let (one, other) = (record(a, index), record(b, index));
        if one != other {
            return Some(format!("  the first record that differs:\n  first   {one}\n  second  {other}"));
        }
    }
    if long_a != long_b {
        let (which, longer) = if long_a > long_b { ("first ", a) } else { ("second", b) };
        let next = record(longer, long_a.min(long_b));
        return Some(format!("  one run ends where the other goes on:\n  {which}  {next}"));
    }
    let (one, other) = (a.beside_the_trace(), b.beside_the_trace());
    (one != other)
        .then(|| format!("  the records are the same, the outcome is not:\n  first   {one}\n  second  {other}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Overrides;

    fn story(steps: &str) -> Scenario {
        let text = format!("schema = 1\nhorizon = \"1m\"\nstep = [{steps}]\n[expect]\nverdict = \"livelock\"\n");
        Scenario::from_text(&text, "story", None, &Overrides::default()).expect("a scenario")
    }

    /// Runs two stories and says how they differ.
    fn compare(one: &str, other: &str, change: impl FnOnce(&mut Outcome)) -> Option<String> {
        let (one, other) = (story(one), story(other));
        let first = Replay::of(&one, &one.variants[0], None);
        let mut second = Replay::of(&other, &other.variants[0], None);
        change(&mut second.outcome);
        second.digest = OnceLock::new();
        difference(&first, &second)
    }

    const A: &str = "{ name = \"x\", at = \"1s\", do.note = \"a\" }";
    const B: &str = "{ name = \"x\", at = \"1s\", do.note = \"b\" }";

    #[test]
    fn two_runs_of_one_story_do_not_differ() {
        assert_eq!(compare(A, A, |_| ()), None);
    }

    #[test]
    fn the_first_record_that_differs_is_named() {
        let text = compare(A, B, |_| ()).expect("a difference");
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("the first record that differs"), "{text}");
        assert!(lines[1].contains("\"note\":\"a\"") && lines[2].contains("\"note\":\"b\""), "{text}");
    }

    #[test]
    fn a_run_that_goes_on_longer_differs() {
        let text = compare(A, A, |outcome| {
            let last = outcome.trace.records().last().expect("a record");
            outcome.trace.push(last);
        });
        assert!(text.expect("a difference").contains("one run ends where the other goes on:\n  second"));
    }

    #[test]
    fn what_no_record_tells_is_compared_too() {
        let text = compare(A, A, |outcome| outcome.events += 1);
        assert!(text.expect("a difference").contains("the outcome is not"));
    }

    #[test]
    fn a_run_is_judged_only_when_it_reaches_the_horizon() {
        let story = story(A);
        let until = |secs| SimTime::ZERO + crate::kernel::SimDuration::from_secs(secs);
        for (end, judged, passed) in [
            (None, Judged::Yes, false),
            (Some(until(60)), Judged::Yes, false),
            (Some(until(59)), Judged::CutShort, true),
        ] {
            let replay = Replay::of(&story, &story.variants[0], end);
            assert_eq!((replay.judged, replay.checked.passed), (judged, passed), "{end:?}");
        }
    }

    /// The first story of each folder of the corpus.
    fn some_stories() -> Vec<Scenario> {
        let mut files = std::collections::BTreeMap::new();
        let all = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/**/*.toml");
        for file in glob::glob(all).expect("a pattern").map(|file| file.expect("a file")) {
            files.entry(file.parent().map(Path::to_path_buf)).or_insert(file);
        }
        let load = |file: std::path::PathBuf| Scenario::from_file(&file, &Overrides::default()).ok();
        files.into_values().filter_map(load).collect()
    }

    #[test]
    fn what_an_archive_gives_back_is_what_was_put_into_it() {
        let mut kinds = std::collections::BTreeSet::new();
        for scenario in some_stories() {
            let outcome = Simulation::new(&scenario, &scenario.variants[0]).run();
            let records: Vec<_> = outcome.trace.records().iter().collect();
            let half = records.len() / 2;
            let bytes = trace::packed::pack(&records[half..], half);
            assert!(bytes.len() < 30 * (records.len() - half).max(1), "{}: {} bytes", scenario.name, bytes.len());
            assert!(trace::packed::unpack(&bytes, half) == records[half..], "{}", scenario.name);
            kinds.extend(records.iter().map(|record| format!("{:?}", std::mem::discriminant(&record.what))));
        }
        assert!(kinds.len() > 20, "only {} kinds of records", kinds.len());
    }

    #[test]
    fn what_is_taken_in_on_its_way_to_disk_is_what_the_trace_says() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/watches/queue-overflow.toml");
        let scenario = Scenario::from_file(file.as_ref(), &Overrides::default()).expect("a story");
        let variant = &scenario.variants[0];
        let archive = Arc::new(Followed::by(metrics::Fold::default()));
        let simulation = Simulation::new(&scenario, variant);
        let simulation = simulation.archive(Arc::clone(&archive) as Arc<dyn Archive>, 0..RECORDS_MAX);
        // Whoever follows two runs, one after the other, has taken in the second.
        let (_, second) = (simulation.run(), simulation.run());
        assert!(second.trace.records().archived() > 0, "some records lie on disk");
        // What is kept beyond the end of a run is none of it.
        let first: Vec<_> = second.trace.records().iter().take(9).collect();
        archive.keep(&first, second.trace.records().len());
        let figures = archive.all(&second.trace).finish(&report::frame(&scenario, &second));
        assert_eq!(figures, Replay::of(&scenario, variant, None).metrics);
    }

    #[test]
    fn a_run_on_disk_is_the_run_in_memory() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/watches/queue-overflow.toml");
        let scenario = Scenario::from_file(file.as_ref(), &Overrides::default()).expect("a story");
        let variant = &scenario.variants[0];
        let mut second = Replay::of(&scenario, variant, None);
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Arc::new(OnDisk::within(Some(folder.path())));
        second.outcome = Simulation::new(&scenario, variant).archive(archive, 0..0).run();
        let archived = second.outcome.trace.records().archived();
        assert!(archived > 0, "some records lie on disk");
        assert_eq!(std::fs::read_dir(folder.path()).expect("it can be read").count(), 0, "the file has no name");
        let first = Replay::of(&scenario, variant, None);
        assert_eq!(difference(&first, &second), None);
        assert_eq!(first.golden(), second.golden());
        assert_eq!(report::figures(&scenario, &second.outcome), first.metrics);
        let plain = trace::timeline::Options::default();
        let timeline = |of: &Replay<'_>| trace::timeline::render(&of.outcome.trace, &plain);
        assert_eq!(timeline(&first), timeline(&second));
        // Where nothing can be written, a run is full sooner, and says so.
        let nowhere = Arc::new(OnDisk::within(Some(&folder.path().join("nothing"))));
        let full = Simulation::new(&scenario, variant).archive(nowhere, 0..0).run();
        assert_eq!((full.stop, full.trace.records().archived()), (Stop::TraceFull, 0));
    }
}
