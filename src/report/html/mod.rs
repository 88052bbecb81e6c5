//! The report: one page of HTML about one or several runs, made to be looked at.
//!
//! One file without network: lanes with states, leases and cooldowns, marks for what came from outside and
//! what broke, chains of causes, numbers. It reads outcomes and traces and prints nothing.

mod assets;
mod data;
mod figure;
mod page;
mod tellings;

use crate::model::{Invariant, Words};
use crate::scenario::{Scenario, Variant};
use crate::sim::Outcome;
use crate::trace::metrics::{Figure, Metrics};
use crate::trace::timeline::clock;

use super::explain::lines::Line;
use super::explain::{self, Explainer, Limits, Run, Setting};
use super::picture::picture;
use super::{ExpectResult, Failure, Mark, failed_requests, is_sound, settled_after, settled_in, verdict_in_words};

use tellings::Drawn;

/// More runs in one page would be looked at by nobody.
pub const RUNS_MAX: usize = 12;

/// How many links of a chain, and of what branches off it, the still page tells.
const CHAIN_MAX: usize = 20;
const BRANCH_MAX: usize = 3;

/// A finished run.
pub struct Source<'a> {
    pub scenario: &'a Scenario,
    /// The logic, with the seed of this run.
    pub variant: &'a Variant,
    pub outcome: &'a Outcome,
    pub metrics: &'a Metrics,
    pub checked: &'a ExpectResult,
    pub digest: &'a str,
    /// The command that makes it again.
    pub reproduce: &'a str,
    /// The command that explains it, without what is asked.
    pub explain: &'a str,
}

/// What a page shows of one run.
pub struct Part {
    scenario: String,
    variant: String,
    about: String,
    /// What tells it from the other runs of the page.
    name: String,
    seed: u64,
    verdict: &'static str,
    how: String,
    /// Whether it is what anybody would wish.
    sound: bool,
    passed: bool,
    /// Whether anything was expected.
    asked: bool,
    expected: String,
    events: u64,
    findings: Vec<Finding>,
    /// When, what, how.
    outside: Vec<(String, String, String)>,
    figures: Vec<(&'static str, String)>,
    /// Mark, subject, text.
    checks: Vec<(&'static str, String, String)>,
    digest: String,
    reproduce: String,
    explain: String,
    drawn: Drawn,
    sealed: Option<Sealed>,
}

/// When an end of the run was sealed.
pub struct Sealed {
    pub end: String,
    /// How long what could have been otherwise would have helped, and the share of bad futures, as lines.
    pub text: String,
    /// That share as a drawing of `report::plots`.
    pub curve: Option<String>,
}

/// A rule that broke, or an expectation that did not come.
struct Finding {
    expected: bool,
    name: String,
    /// What is to be said when it is about no record.
    detail: String,
    cases: Vec<Case>,
}

/// One thing that broke a rule.
struct Case {
    /// The telling of the record that found it.
    told: usize,
    detail: String,
    /// What led to it.
    lines: Vec<Line>,
}

impl Part {
    /// What a page shows of that run.
    pub fn of(source: &Source<'_>) -> Self {
        let Source { scenario, variant, outcome, metrics, checked, digest, reproduce, explain } = *source;
        let setting = Setting::of(scenario, variant);
        let picture = picture(&outcome.trace, outcome.ended_at, &setting.timeline, outcome.livelock());
        let mut explainer = Explainer::new(&outcome.trace, &setting);
        let failed = explain::all_failed(&explainer, &Run { scenario, variant, outcome });
        let drawn = Drawn::of(&outcome.trace, &mut explainer, picture, &setting, &failed);
        let expected = match (checked.asked, checked.passed) {
            (false, true) => "nothing is expected".to_owned(),
            (true, true) => "all as expected".to_owned(),
            (_, false) => checked.failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        };
        let mark = |mark| match mark {
            Mark::Holds => "holds",
            Mark::Broken { expected: true } => "broken, expected",
            Mark::Broken { expected: false } => "broken",
            Mark::Failed => "failed",
        };
        Self {
            scenario: scenario.name.clone(),
            variant: variant.name.clone(),
            about: scenario.about.clone(),
            name: format!("{} @ {}", scenario.name, variant.name),
            seed: variant.seed,
            verdict: outcome.verdict.name(),
            how: how(scenario, variant, outcome),
            sound: is_sound(outcome, metrics),
            passed: checked.passed,
            asked: checked.asked,
            expected,
            events: outcome.events,
            findings: requests(variant, metrics)
                .into_iter()
                .chain(findings(&mut explainer, variant, outcome, checked, &setting, &drawn))
                .collect(),
            outside: outside(scenario, variant, outcome),
            figures: metrics.iter().map(|(figure, value)| (figure.name(), value.to_string())).collect(),
            checks: checked.lines.iter().map(|c| (mark(c.mark), c.subject.clone(), c.text.clone())).collect(),
            digest: digest.to_owned(),
            reproduce: reproduce.to_owned(),
            explain: explain.to_owned(),
            drawn,
            sealed: None,
        }
    }

    /// The page tells, too, when an end was sealed.
    pub fn tells(&mut self, sealed: Sealed) {
        self.sealed = Some(sealed);
    }
}

/// The page about these runs.
pub fn page(mut parts: Vec<Part>) -> String {
    name(&mut parts);
    page::page(&parts)
}

/// Gives each run the shortest name that tells it from the others.
fn name(parts: &mut [Part]) {
    let one_story = parts.windows(2).all(|pair| pair[0].scenario == pair[1].scenario);
    let seeds = parts.windows(2).any(|p| p[0].scenario == p[1].scenario && p[0].variant == p[1].variant);
    for part in parts {
        part.name = if one_story { part.variant.clone() } else { format!("{} @ {}", part.scenario, part.variant) };
        if seeds {
            part.name.push_str(&format!(", seed {}", part.seed));
        }
    }
}

/// The verdict in a sentence, after its word.
fn how(scenario: &Scenario, variant: &Variant, outcome: &Outcome) -> String {
    let after = settled_after(scenario, variant.expect.as_ref()).map(|step| scenario.steps[step].name);
    let (_, how) = verdict_in_words(scenario, outcome, |d| d.clock().to_string());
    let at = outcome.settled_at.map(|at| {
        let took = settled_in(scenario, variant.expect.as_ref(), outcome).unwrap_or_default();
        match after.filter(|_| !took.is_zero()) {
            Some(step) => format!("at {}, {} after {step}", clock(at), took.clock()),
            None => format!("at {}", clock(at)),
        }
    });
    at.into_iter().chain([how]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// What callers met with; expected where a bound or an invariant of the story speaks of it.
fn requests(variant: &Variant, metrics: &Metrics) -> Option<Finding> {
    let detail = failed_requests(metrics)?;
    let expected = variant.expect.as_ref().is_some_and(|expect| {
        expect.metrics.keys().filter_map(|name| Figure::named(name)).any(Figure::is_of_requests)
            || expect.violations.contains(&Invariant::RequestsServed)
    });
    Some(Finding { expected, name: "requests".to_owned(), detail, cases: Vec::new() })
}

/// Failed expectations first, then violations by rule: the unexpected before the expected, and
/// otherwise in order of time.
fn findings(
    explainer: &mut Explainer<'_>,
    variant: &Variant,
    outcome: &Outcome,
    checked: &ExpectResult,
    setting: &Setting,
    drawn: &Drawn,
) -> Vec<Finding> {
    let unseen = |failure: &&Failure| !matches!(failure, Failure::Violated { .. });
    let failed = |failure: &Failure| Finding {
        expected: false,
        name: "expectation".to_owned(),
        detail: failure.to_string(),
        cases: Vec::new(),
    };
    let mut findings: Vec<Finding> = checked.failures.iter().filter(unseen).map(failed).collect();
    let listed = |invariant| variant.expect.as_ref().is_some_and(|expect| expect.violations.contains(&invariant));
    let mut broken: Vec<Finding> = Vec::new();
    for violation in &outcome.violations {
        let (name, detail) = (violation.invariant.to_string(), violation.detail.to_string());
        let told = drawn.violation(violation);
        let place = broken.iter().position(|finding| finding.name == name).unwrap_or_else(|| {
            let expected = listed(violation.invariant);
            broken.push(Finding { expected, name, detail: detail.clone(), cases: Vec::new() });
            broken.len() - 1
        });
        // What is only counted on the page needs no chain.
        let chain = match broken[place].cases.len() < page::CASES_MAX {
            true => {
                explainer.chain(violation.record, Limits { links: CHAIN_MAX, branch: BRANCH_MAX, branches: CHAIN_MAX })
            }
            false => None,
        };
        let lines = chain.map(|chain| explain::lines::lines(&outcome.trace, setting, &chain)).unwrap_or_default();
        broken[place].cases.extend(told.map(|told| Case { told, detail, lines }));
    }
    broken.sort_by_key(|finding| finding.expected);
    findings.extend(broken);
    findings
}

/// Steps, refusals, faults and warnings, by time.
fn outside(scenario: &Scenario, variant: &Variant, outcome: &Outcome) -> Vec<(String, String, String)> {
    let mut rows = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let refused = outcome.rejected.iter().find(|(step, _)| *step == index);
        let expected = variant.expect.as_ref().is_some_and(|expect| expect.rejected.contains(&index));
        let how = refused.map_or_else(String::new, |(_, error)| {
            format!("refused: {error}{}", if expected { " (expected here)" } else { "" })
        });
        let what = format!("{}: {}", step.name, super::action(&step.action));
        rows.push((step.at, (clock(step.at), what, how)));
    }
    rows.sort_by_key(|(at, _)| *at);
    let mut rows: Vec<(String, String, String)> = rows.into_iter().map(|(_, row)| row).collect();
    rows.extend(scenario.faults.iter().map(|f| (String::new(), f.name.to_string(), super::steps::fault(f))));
    let mut warnings: Vec<&String> = Vec::new();
    for warning in &outcome.warnings {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    rows.extend(warnings.into_iter().map(|text| (String::new(), "warning".to_owned(), text.clone())));
    rows
}

#[cfg(test)]
mod tests;
