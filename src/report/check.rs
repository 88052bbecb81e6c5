//! Checks: whether a run came out as its scenario expects, and if not, in what it differs.
//!
//! Pure comparison of an outcome and its figures with `[expect]`; it may run nothing. Failures
//! are data with one text each, read by the command line, JUnit and JSON. What a newcomer gets
//! wrong: `violations` and `rejected` are *exact* lists whose default is none – an expected
//! violation that no longer occurs is a failure, and asks to be taken out of the file.

use std::fmt;

use crate::kernel::SimDuration;
use crate::model::Invariant;
use crate::scenario::{Bounds, Expect, Scenario, Variant, Verdict};
use crate::sim::{Outcome, Violation};
use crate::trace::metrics::{Metrics, written};

use super::check_state::{Held, held};
use super::{settled_after, settled_in};

/// How a run differs from what was expected of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// A guard ended it before its horizon, so that nothing can be said of the rest.
    Stopped { guard: String },
    /// It ended otherwise.
    Verdict { expected: Verdict, found: Verdict },
    /// It never settled, or not in time.
    Settled {
        /// In how long it should have.
        limit: SimDuration,
        after: Option<String>,
        /// In how long it did; none: never.
        took: Option<SimDuration>,
    },
    /// An invariant broke that nobody expected to.
    Violated { invariant: Invariant, subjects: usize, first: String },
    /// An invariant held that was expected to break.
    Held { invariant: Invariant },
    /// A step was refused, with that text, that should have been taken.
    Refused { step: String, error: String },
    /// A step was taken that should have been refused.
    Taken { step: String },
    /// A figure is out of its bounds.
    Metric {
        name: String,
        /// The bound that it broke: `min`, `max` or `equals`.
        bound: &'static str,
        /// The limit, in billionths of the figure's unit.
        limit: u128,
        /// The value, likewise; none when there is no such figure.
        found: Option<u128>,
    },
    /// A claim of the state at a moment does not hold.
    State {
        /// The moment, and its span if it has one.
        when: String,
        claim: String,
        /// What was found, and who wrote it when.
        found: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped { guard } => write!(f, "a guard ended the run: {guard}"),
            Self::Verdict { expected, found } => write!(f, "expected {}, found {}", expected.name(), found.name()),
            Self::Settled { limit, after, took } => {
                write!(f, "expected to settle within {}{}, ", limit.clock(), after_step(after.as_deref()))?;
                match took {
                    None => f.write_str("never did"),
                    Some(took) => write!(f, "took {}", took.clock()),
                }
            }
            Self::Violated { invariant, subjects: 1, first } => write!(f, "{invariant} is broken: {first}"),
            Self::Violated { invariant, subjects, first } => {
                write!(f, "{invariant} is broken {subjects} times, first: {first}")
            }
            Self::Held { invariant } => {
                write!(f, "{invariant} holds, but `violations` lists it; if that is the fix, take it out")
            }
            Self::Refused { step, error } => write!(f, "step `{step}` was refused: {error}"),
            Self::Taken { step } => write!(f, "step `{step}` was not refused, but `rejected` lists it"),
            Self::Metric { name, found: None, .. } => write!(f, "there is no metric `{name}`"),
            Self::Metric { name, bound, limit, found: Some(found) } => {
                write!(f, "{name} is {}, expected {bound} {}", written(name, *found), written(name, *limit))
            }
            Self::State { when, claim, found } => write!(f, "at {when}: expected {claim}; {found}"),
        }
    }
}

fn after_step(step: Option<&str>) -> String {
    step.map(|step| format!(" of step `{step}`")).unwrap_or_default()
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// As expected, and good.
    Holds,
    /// Broken, as the scenario expects; or broken where nothing is expected.
    Broken { expected: bool },
    /// Not as expected.
    Failed,
}

/// One line of the checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// How it came out.
    pub mark: Mark,
    /// What was checked: a short word for a column.
    pub subject: String,
    /// The limit and what was found.
    pub text: String,
}

/// Whether a run came out as expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectResult {
    /// Whether the scenario expects anything.
    pub asked: bool,
    /// Whether all of it came; where nothing was asked, whether that is so at least of no invariant broken
    /// ([`ExpectResult::nothing_may_break`]).
    pub passed: bool,
    /// What did not.
    pub failures: Vec<Failure>,
    /// Every check with its mark, for golden texts.
    pub lines: Vec<Check>,
}

impl ExpectResult {
    /// The same of a run of which nothing is expected: it fails where an invariant breaks.
    #[must_use]
    pub fn nothing_may_break(mut self, outcome: &Outcome) -> Self {
        self.failures = Invariant::ALL.iter().filter_map(|invariant| violated(*invariant, outcome)).collect();
        self.passed = self.failures.is_empty();
        self
    }
}

/// The failure of an invariant that nobody expected to break, if it did.
fn violated(invariant: Invariant, outcome: &Outcome) -> Option<Failure> {
    let mut found = outcome.violations.iter().filter(|violation| violation.invariant == invariant);
    let first = found.next()?;
    let first = format!("{}: {}", outcome.trace.name(first.subject), first.detail);
    Some(Failure::Violated { invariant, subjects: 1 + found.count(), first })
}

/// Compares a run with what its scenario expects.
pub fn check(scenario: &Scenario, variant: &Variant, outcome: &Outcome, metrics: &Metrics) -> ExpectResult {
    let mut checks = Checks { failures: Vec::new(), lines: Vec::new() };
    if let Some(expect) = &variant.expect {
        checks.stopped(outcome);
        checks.verdict(expect, outcome);
        checks.settled(scenario, expect, outcome);
        checks.rejected(scenario, expect, outcome);
        checks.metrics(expect, metrics);
        checks.state(expect, outcome);
    }
    checks.violations(variant.expect.as_ref(), outcome);
    let asked = variant.expect.is_some();
    ExpectResult { asked, passed: checks.failures.is_empty(), failures: checks.failures, lines: checks.lines }
}

struct Checks {
    failures: Vec<Failure>,
    lines: Vec<Check>,
}

impl Checks {
    fn line(&mut self, mark: Mark, subject: impl Into<String>, text: impl Into<String>) {
        self.lines.push(Check { mark, subject: subject.into(), text: text.into() });
    }

    fn fail(&mut self, failure: Failure, subject: impl Into<String>, text: impl Into<String>) {
        self.failures.push(failure);
        self.line(Mark::Failed, subject, text);
    }

    fn stopped(&mut self, outcome: &Outcome) {
        if let Some(guard) = outcome.stop.guard() {
            self.fail(Failure::Stopped { guard: guard.clone() }, "stopped", guard);
        }
    }

    fn verdict(&mut self, expect: &Expect, outcome: &Outcome) {
        let Some(expected) = expect.verdict else { return };
        let found = outcome.verdict;
        // What flaps was called by these before there was a word for it.
        let formerly = match expected {
            Verdict::Unsettled => outcome.recurrence.is_none(),
            Verdict::Livelock => outcome.recurrence.is_some(),
            Verdict::Settled | Verdict::Flaps => false,
        };
        if expected == found {
            self.line(Mark::Holds, "verdict", found.name());
        } else if found == Verdict::Flaps && formerly {
            self.line(Mark::Holds, "verdict", format!("{} (it flaps)", expected.name()));
        } else {
            let text = format!("{}, expected {}", found.name(), expected.name());
            self.fail(Failure::Verdict { expected, found }, "verdict", text);
        }
    }

    fn settled(&mut self, scenario: &Scenario, expect: &Expect, outcome: &Outcome) {
        let Some(limit) = expect.settled_within else { return };
        let after = settled_after(scenario, Some(expect)).map(|step| scenario.steps[step].name.to_string());
        let took = settled_in(scenario, Some(expect), outcome);
        let rule = format!("within {}{}", limit.clock(), after_step(after.as_deref()));
        match took {
            Some(took) if took <= limit => self.line(Mark::Holds, "settled", rule),
            Some(took) => {
                let text = format!("{rule}: took {}", took.clock());
                self.fail(Failure::Settled { limit, after, took: Some(took) }, "settled", text);
            }
            None => self.fail(Failure::Settled { limit, after, took }, "settled", format!("{rule}: never")),
        }
    }

    fn rejected(&mut self, scenario: &Scenario, expect: &Expect, outcome: &Outcome) {
        for (index, step) in scenario.steps.iter().enumerate() {
            let error = outcome.rejected.iter().find(|(refused, _)| *refused == index).map(|(_, error)| error);
            let name = step.name.to_string();
            match (expect.rejected.contains(&index), error) {
                (false, None) => {}
                (true, Some(_)) => self.line(Mark::Holds, "refused", format!("step `{name}`")),
                (false, Some(error)) => {
                    let text = format!("step `{name}`, not expected: {error}");
                    self.fail(Failure::Refused { step: name, error: error.to_string() }, "refused", text);
                }
                (true, None) => {
                    let text = format!("step `{name}` was taken, expected to be refused");
                    self.fail(Failure::Taken { step: name }, "refused", text);
                }
            }
        }
    }

    fn metrics(&mut self, expect: &Expect, metrics: &Metrics) {
        for (name, bounds) in &expect.metrics {
            let found = metrics.get(name).map(|metric| metric.billionths());
            let rule = bounds_text(name, bounds);
            let broken = broken_bound(bounds, found);
            match (broken, found) {
                (None, Some(found)) => {
                    let text = if bounds.equals.is_some() { rule } else { format!("{rule}: {}", written(name, found)) };
                    self.line(Mark::Holds, name, text);
                }
                (broken, found) => {
                    let (bound, limit) = broken.unwrap_or(("equals", 0));
                    let value = found.map_or_else(|| "no such metric".to_owned(), |found| written(name, found));
                    let failure = Failure::Metric { name: name.clone(), bound, limit, found };
                    self.fail(failure, name, format!("{rule}: {value}"));
                }
            }
        }
    }

    /// Claims of moments that the run reached.
    fn state(&mut self, expect: &Expect, outcome: &Outcome) {
        for Held { when, claim, wrong, .. } in held(&outcome.trace, &expect.moments, outcome.ended_at) {
            let subject = format!("at {when}");
            match wrong {
                None => self.line(Mark::Holds, subject, claim),
                Some(found) => {
                    let text = format!("{claim}: {found}");
                    self.fail(Failure::State { when, claim, found }, subject, text);
                }
            }
        }
    }

    fn violations(&mut self, expect: Option<&Expect>, outcome: &Outcome) {
        if expect.is_some_and(|expect| expect.any_violations) {
            return;
        }
        for invariant in Invariant::ALL {
            let found: Vec<&Violation> = outcome.violations.iter().filter(|v| v.invariant == *invariant).collect();
            let listed = expect.is_some_and(|expect| expect.violations.contains(invariant));
            let name = invariant.name();
            match (found.first(), listed) {
                (None, false) => {}
                (None, true) => {
                    let failure = Failure::Held { invariant: *invariant };
                    self.fail(failure, name, "holds, expected to be broken: take it out of `violations`");
                }
                (Some(violation), true) => {
                    let text = format!("{} (expected here)", told(outcome, violation, found.len()));
                    self.line(Mark::Broken { expected: true }, name, text);
                }
                (Some(violation), false) if expect.is_none() => {
                    let text = format!("{} (nothing is expected)", told(outcome, violation, found.len()));
                    self.line(Mark::Broken { expected: false }, name, text);
                }
                (Some(violation), false) => {
                    self.failures.extend(violated(*invariant, outcome));
                    self.line(Mark::Failed, name, told(outcome, violation, found.len()));
                }
            }
        }
    }
}

/// The first finding, and how many there are.
fn told(outcome: &Outcome, first: &Violation, subjects: usize) -> String {
    let name = outcome.trace.name(first.subject);
    match subjects {
        1 => format!("{name}: {}", first.detail),
        n => format!("{n} times, first {name}: {}", first.detail),
    }
}

/// The first bound that a value breaks.
fn broken_bound(bounds: &Bounds, found: Option<u128>) -> Option<(&'static str, u128)> {
    let found = found?;
    let broken = |name, limit: Option<u128>, ok: fn(u128, u128) -> bool| {
        limit.filter(|limit| !ok(found, *limit)).map(|limit| (name, limit))
    };
    broken("equals", bounds.equals, |found, limit| found == limit)
        .or_else(|| broken("min", bounds.min, |found, limit| found >= limit))
        .or_else(|| broken("max", bounds.max, |found, limit| found <= limit))
}

fn bounds_text(name: &str, bounds: &Bounds) -> String {
    let parts = [("=", bounds.equals), (">=", bounds.min), ("<=", bounds.max)];
    let told = parts.iter().filter_map(|(sign, limit)| limit.map(|limit| format!("{sign} {}", written(name, limit))));
    told.collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
