//! Reports: what a run is judged by and shown as – checks, golden text, JSON result.
//!
//! Reads scenarios, outcomes and traces; runs nothing, and writes no files but snapshots and
//! fingerprints. Every text that a person reviews is made here. What a newcomer gets wrong: a golden text tells *lives*, with
//! limits instead of measurements, so that a change of one rule moves few lines; the
//! interleaved log is the timeline's business.

mod check;
mod check_state;
pub mod corpus;
pub mod explain;
pub mod fingerprints;
mod found;
mod golden;
pub(crate) mod html;
mod json;
pub(crate) mod line_diff;
pub(crate) mod picture;
pub(crate) mod plots;
pub(crate) mod snapshot_file;
mod state;
mod steps;

pub(crate) use crate::model::counted;
pub use check::check;
pub(crate) use check::{ExpectResult, Failure, Mark};
pub use golden::{golden, lives};
pub(crate) use json::RunObject;
pub use json::json;
pub(crate) use state::{state_json, state_text};
pub(crate) use steps::{action, timeline_options};

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Kind, Subject};
use crate::scenario::{Action, Expect, Scenario, Verdict};
use crate::sim::{self, Livelock, Outcome};
use crate::trace::Trace;
use crate::trace::metrics::{self, Figure, Frame, Metrics};

/// The figures of a run.
pub fn figures(scenario: &Scenario, outcome: &Outcome) -> Metrics {
    metrics::fold(&outcome.trace, &frame(scenario, outcome))
}

/// How long each app was down, by name, the longest first; those that never were are left out.
pub(crate) fn down_by_app(trace: &Trace, metrics: &Metrics) -> Vec<(String, SimDuration)> {
    let name = |index| trace.name(Subject { kind: Kind::App, index });
    let mut down: Vec<_> = metrics.down_by_app().iter().map(|(app, time)| (name(*app).to_string(), *time)).collect();
    down.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    down
}

/// What no record of a run tells to the fold of its figures.
pub fn frame(scenario: &Scenario, outcome: &Outcome) -> Frame {
    let when = |wanted: fn(&Action) -> bool| {
        scenario.steps.iter().filter(move |step| wanted(&step.action)).map(|step| step.at)
    };
    Frame {
        ended_at: outcome.ended_at,
        settled_at: outcome.settled_at,
        first_deploy: when(|action| matches!(action, Action::Deploy { .. })).min(),
        last_step: when(|action| !matches!(action, Action::Note { .. })).max(),
        workload_changed: when(|action| matches!(action, Action::SetWorkload { .. })).max(),
        fault_ends: scenario.faults.iter().map(|fault| fault.when.until).collect(),
    }
}

/// Why requests failed, with how many of how many; none: none did.
pub(crate) fn failed_requests(metrics: &Metrics) -> Option<String> {
    let count = |figure| metrics.of(figure);
    let failed = count(Figure::RequestsFailed);
    if failed.is_zero() {
        return None;
    }
    let reasons = metrics.iter().filter(|(_, value)| !value.is_zero());
    let reasons = reasons.filter_map(|(figure, value)| Some(format!("{value} {}", figure.why_failed()?)));
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    Some(format!("{failed} of {} requests fail: {reasons}", count(Figure::Requests)))
}

/// Whether a run is what anybody would wish: settled, nothing broken, nobody turned away.
pub(crate) fn is_sound(outcome: &Outcome, metrics: &Metrics) -> bool {
    let unharmed = outcome.violations.is_empty() && metrics.of(Figure::RequestsFailed).is_zero();
    outcome.verdict == Verdict::Settled && unharmed
}

/// The faults that strike in each period of what repeats: it does so while they last.
pub(crate) fn lasting_faults<'a>(scenario: &'a Scenario, outcome: &Outcome, proof: Livelock) -> Vec<&'a str> {
    let faults = sim::while_they_last(&outcome.trace, proof);
    faults.iter().filter_map(|fault| Some(scenario.faults.get(*fault as usize)?.name.as_str())).collect()
}

/// ``while fault `a` lasts``, if one strikes in each period.
pub(crate) fn while_they_last(scenario: &Scenario, outcome: &Outcome, proof: Livelock) -> Option<String> {
    let names: Vec<String> = lasting_faults(scenario, outcome, proof).iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("while fault {one} lasts")),
        several => Some(format!("while faults {} last", several.join(", "))),
    }
}

/// A verdict as it is shouted, and what there is to say of it beside when it came; `clock` writes
/// durations.
pub(crate) fn verdict_in_words(
    scenario: &Scenario,
    outcome: &Outcome,
    clock: impl Fn(SimDuration) -> String,
) -> (String, String) {
    let word = outcome.verdict.name().to_uppercase();
    let proved = |proof: Livelock| {
        let (from, period) = (clock(proof.from.elapsed()), clock(proof.period));
        let ahead = match while_they_last(scenario, outcome, proof) {
            None => ": no fault, step or draw lies ahead".to_owned(),
            Some(faults) => format!(" {faults}: nothing else lies ahead"),
        };
        format!("from {from}, repeats every {period}{ahead}")
    };
    let how = match (outcome.verdict, outcome.quiet, outcome.flaps, outcome.recurrence) {
        (Verdict::Settled, _, _, Some(proof)) => {
            let long = while_they_last(scenario, outcome, proof).unwrap_or_else(|| "for ever".to_owned());
            format!("{long}, as is proved from {} on", clock(proof.from.elapsed()))
        }
        (Verdict::Settled, Some(quiet), ..) if quiet.is_too_short() => {
            let why = match quiet.ahead {
                Some((at, what)) => format!("{what} at {}", clock(at.elapsed())),
                None if Some(quiet.since) > outcome.settled_at => {
                    format!("{} of rest from {} on would", clock(quiet.needed), clock(quiet.since.elapsed()))
                }
                None => format!("{} of rest would", clock(quiet.needed)),
            };
            return (format!("{word} so far"), format!("too short to tell: {why}"));
        }
        (Verdict::Settled, ..) => String::new(),
        (Verdict::Flaps, _, Some(flaps), proof) => {
            let (whole, tenth) = (flaps.permille() / 10, flaps.permille() % 10);
            let (from, times) = (clock(flaps.from.elapsed()), counted(flaps.times, "time"));
            let ever = proof.map_or_else(|| "to the end".to_owned(), proved);
            format!("settled {whole}.{tenth} % of the time from {from}, unsettled by itself {times}; {ever}")
        }
        (Verdict::Livelock, .., Some(proof)) => proved(proof),
        (Verdict::Livelock, .., None) => "without a proof".to_owned(),
        (Verdict::Flaps | Verdict::Unsettled, ..) => {
            "not as wished at the end, and no proof that it never will be".to_owned()
        }
    };
    (word, how)
}

/// The step that settling is measured from: the one that the expectation names, else the last.
fn settled_after(scenario: &Scenario, expect: Option<&Expect>) -> Option<usize> {
    expect.and_then(|expect| expect.settled_after).or_else(|| {
        let last = |(index, step): (usize, &crate::scenario::Step)| (step.at, index);
        scenario.steps.iter().enumerate().map(last).max().map(|(_, index)| index)
    })
}

/// How long after the step that its expectations name (by default the last) a run settled.
pub fn settled_in(scenario: &Scenario, expect: Option<&Expect>, outcome: &Outcome) -> Option<SimDuration> {
    let from = settled_after(scenario, expect).map_or(SimTime::ZERO, |step| scenario.steps[step].at);
    outcome.settled_at.map(|at| at.since(from))
}

#[cfg(test)]
pub(crate) mod testing;
