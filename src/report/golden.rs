//! The golden text of one run: what a reviewer reads, and what its diff shows.
//!
//! Sections that change for different reasons: story, steps, faults, lives, totals, outcome,
//! checks, warnings. It reads results and runs nothing. What a newcomer gets wrong: it is not a
//! log – everything is told per entity, with ages and limits, so that a shift in time moves no
//! line.

mod disks;
mod groups;
mod lives;
mod page;
mod pools;
mod spans;

use std::collections::BTreeMap;

use crate::controllers::fixes::Fix;
use crate::kernel::Stop;
use crate::model::{Field, Kind, Name, Reason, Subject};
use crate::scenario::{Action, Golden, Policy, Scenario, Variant};
use crate::sim::Outcome;
use crate::trace::metrics::{Figure, Metric, Metrics};
use crate::trace::{Record, Trace, What};

use groups::Rules;
use lives::Life;
use page::{Page, clean};
use spans::age;

use super::check::{ExpectResult, Mark};
use super::{settled_after, settled_in, steps, verdict_in_words};

/// The golden text of one run.
pub fn golden(
    scenario: &Scenario,
    variant: &Variant,
    outcome: &Outcome,
    metrics: &Metrics,
    checked: &ExpectResult,
) -> String {
    let mut page = Page::default();
    story(&mut page, scenario, variant, outcome);
    steps_and_faults(&mut page, scenario, outcome);
    // The claims of a fact are what it tells; lives and figures would only say what stories say.
    if scenario.golden == Golden::Lives {
        page.section("lives");
        tell_lives(&mut page, &outcome.trace, &rules(scenario, variant));
        totals(&mut page, metrics);
        page.section("outcome");
        end(&mut page, scenario, variant, outcome);
    }
    checks(&mut page, checked);
    if !outcome.warnings.is_empty() {
        page.section("warnings");
        outcome.warnings.iter().for_each(|warning| page.prose(warning));
    }
    page.finish()
}

/// The lives of all entities alone.
pub fn lives(scenario: &Scenario, variant: &Variant, trace: &Trace) -> String {
    let mut page = Page::default();
    page.section("lives");
    tell_lives(&mut page, trace, &rules(scenario, variant));
    page.finish().trim_start().to_owned()
}

fn story(page: &mut Page, scenario: &Scenario, variant: &Variant, outcome: &Outcome) {
    let title = format!("{} @ {}", scenario.name, variant.name);
    page.raw(&format!("{title:<59}seed {} | ran {}", variant.seed, age(outcome.ended_at.elapsed(), false)));
    page.prose(&scenario.about);
    page.prose(&policy(&variant.policy));
}

fn policy(policy: &Policy) -> String {
    let mut text = match policy.as_of.as_str() {
        word @ ("current" | "proposed") => format!("Logic: {word}"),
        day => format!("Logic: as of {day}"),
    };
    for (word, fixes) in [("with", &policy.with), ("without", &policy.without)] {
        if !fixes.is_empty() {
            let names: Vec<&str> = fixes.iter().map(|fix| fix.info().name).collect();
            text.push_str(&format!(", {word} {}", names.join(", ")));
        }
    }
    text + "."
}

fn steps_and_faults(page: &mut Page, scenario: &Scenario, outcome: &Outcome) {
    page.section("steps");
    let made = versions_by_step(&outcome.trace);
    let ignored = ignored_by_step(&outcome.trace);
    for (index, step) in scenario.steps.iter().enumerate() {
        let mut text = steps::action(&step.action);
        if let Some(version) = made.get(&index) {
            text.push_str(&format!(", makes {version}"));
        }
        for field in ignored.get(&index).into_iter().flatten() {
            text.push_str(&format!(", {field}"));
        }
        if let Some((_, error)) = outcome.rejected.iter().find(|(refused, _)| *refused == index) {
            text.push_str(&format!(": REFUSED, {error}"));
        }
        page.entry(&format!("{:<8} {}", age(step.at.elapsed(), true), step.name), &clean(&text));
    }
    if scenario.faults.is_empty() {
        return;
    }
    page.section("faults");
    let mut strikes = vec![0u64; scenario.faults.len()];
    for record in outcome.trace.records() {
        if let What::Struck { fault, .. } = record.what
            && let Some(strikes) = strikes.get_mut(fault as usize)
        {
            *strikes += 1;
        }
    }
    for (fault, strikes) in scenario.faults.iter().zip(strikes) {
        page.entry(&fault.name, &clean(&format!("{}; struck x{strikes}", steps::fault(fault))));
    }
}

/// The version that each deploy made, by the number of its step.
fn versions_by_step(trace: &Trace) -> BTreeMap<usize, Name> {
    let mut made = BTreeMap::new();
    for record in trace.records() {
        let What::Decided(Reason::DeployAccepted { version }) = record.what else { continue };
        if let Some(step) = step_of(trace, &record) {
            made.entry(step).or_insert_with(|| trace.name(version.into()));
        }
    }
    made
}

/// What each deploy's loader ignored, by the number of its step: a story may hang on it.
fn ignored_by_step(trace: &Trace) -> BTreeMap<usize, Vec<String>> {
    let mut ignored: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for record in trace.records() {
        let What::Decided(reason @ Reason::FieldIgnored { .. }) = record.what else { continue };
        if let Some(step) = step_of(trace, &record) {
            ignored.entry(step).or_default().push(reason.to_string());
        }
    }
    ignored
}

/// The number of the step that led to a record.
fn step_of(trace: &Trace, record: &Record) -> Option<usize> {
    let mut cause = record.cause;
    // Causes point backwards, so this ends; a deploy is a few records below its step.
    while let Some(above) = trace.get(cause) {
        if above.subject.kind == Kind::Step {
            return Some(above.subject.index as usize);
        }
        cause = above.cause;
    }
    None
}

/// What the rules say of deaths; nothing when an upgrade changes the rules on the way.
fn rules(scenario: &Scenario, variant: &Variant) -> Rules {
    let upgraded = scenario.steps.iter().any(|step| matches!(step.action, Action::Upgrade(_)));
    let has = |fix| !upgraded && variant.policy.fixes.has(fix);
    Rules {
        quick_crash: has(Fix::CrashBackoff)
            .then_some(variant.tuning.under(variant.policy.fixes).backoff.quick_crash.length()),
        slow_failures_count: has(Fix::SlowFailuresCount),
    }
}

fn tell_lives(page: &mut Page, trace: &Trace, rules: &Rules) {
    let lives = lives::lives(trace);
    let of_kind = |kind: Kind| lives.values().filter(move |life| life.subject.kind == kind);
    let children = |kind: Kind, field: Field, parent: Option<Subject>| -> Vec<&Life> {
        of_kind(kind).filter(|life| life.reference(field) == parent).collect()
    };
    // Nodes are there before anybody asks for anything.
    if of_kind(Kind::Node).count() == lives.len() {
        page.entry("none", "nothing was created");
    }
    for node in of_kind(Kind::Node).filter(|node| node.moments.len() > 1) {
        page.heading(&trace.name(node.subject));
        node.moments.iter().for_each(|moment| page.fact(&moment.label.to_string(), &disks::by_and_why(moment)));
    }
    for pool in of_kind(Kind::Pool) {
        pools::tell(page, &trace.name(pool.subject), pool);
        groups::tell(page, trace, rules, &children(Kind::Sandbox, Field::Pool, Some(pool.subject)));
    }
    for disk in of_kind(Kind::Disk) {
        let leases = children(Kind::Lease, Field::Disk, Some(disk.subject));
        let with_holder = leases
            .iter()
            .map(|lease| (*lease, lease.reference(Field::Sandbox).and_then(|sandbox| lives.get(&sandbox))));
        disks::tell(page, trace, disk, &with_holder.collect::<Vec<_>>());
        let telling: Vec<&Life> = leases.into_iter().filter(|lease| !disks::is_plain(lease)).collect();
        groups::tell(page, trace, rules, &telling);
    }
    // What names no parent would otherwise be told nowhere.
    for (kind, field) in [(Kind::Sandbox, Field::Pool), (Kind::Lease, Field::Disk)] {
        groups::tell(page, trace, rules, &children(kind, field, None));
    }
}

/// Figures that every golden text shows, then those that it shows when they are not zero.
const ALWAYS: [Figure; 5] =
    [Figure::SandboxesCreated, Figure::BootsAttempted, Figure::BootsFailed, Figure::CrashesCounted, Figure::Cooldowns];
const WHEN_ANY: [Figure; 29] = [
    Figure::SandboxesPeak,
    Figure::CooldownMax,
    Figure::StalePendingStopped,
    Figure::LeasesCreated,
    Figure::LeaseConflicts,
    Figure::LeasesFailed,
    Figure::LeasesBoundToDead,
    Figure::DisksOrphaned,
    Figure::LeasesOrphaned,
    Figure::AddressesLeaked,
    Figure::ContainersOrphaned,
    Figure::Requests,
    Figure::RequestsOk,
    Figure::RequestsFailed,
    Figure::FailedNoCapacity,
    Figure::FailedCooldown,
    Figure::FailedMaxSize,
    Figure::FailedDied,
    Figure::FailedNoPool,
    Figure::FailedConflict,
    Figure::FailedBadGateway,
    Figure::FailedNoAnswer,
    Figure::FailedStore,
    Figure::FailedNotDeployed,
    Figure::FailedNoPlatform,
    Figure::Down,
    Figure::VolumesOrphaned,
    Figure::StoreConflicts,
    Figure::EventsDropped,
];

fn totals(page: &mut Page, metrics: &Metrics) {
    page.section("totals");
    let any = WHEN_ANY.iter().filter(|figure| !metrics.of(**figure).is_zero());
    for figure in ALWAYS.iter().chain(any).chain(&[Figure::Unready]) {
        let name = figure.name().trim_end_matches("_s").replace('_', " ");
        let value = match metrics.of(*figure) {
            Metric::Count(n) => n.to_string(),
            Metric::Seconds(d) => age(d, false),
        };
        page.raw(&format!("  {name:<24}{value:>9}"));
    }
}

fn end(page: &mut Page, scenario: &Scenario, variant: &Variant, outcome: &Outcome) {
    match &outcome.stop {
        Stop::Horizon => {}
        Stop::Enough => page.entry("STOPPED EARLY", "the livelock was proved"),
        Stop::TraceFull => page.entry("STOPPED EARLY", "the trace was full"),
        Stop::EventBudget => page.entry("STOPPED EARLY", "the event budget was used up"),
        Stop::ZeroTimeLoop { task } => {
            page.entry("STOPPED EARLY", &format!("too many events without progress of time, last in {task}"));
        }
    }
    let after = settled_after(scenario, variant.expect.as_ref());
    let after = after.map(|step| format!(" after step `{}`", scenario.steps[step].name)).unwrap_or_default();
    let (word, how) = verdict_in_words(scenario, outcome, |d| age(d, false));
    let took = settled_in(scenario, variant.expect.as_ref(), outcome);
    let took = took.map(|took| format!("{}{after}", age(took, false)));
    page.entry(&word, &took.into_iter().chain([how]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "));
}

fn checks(page: &mut Page, checked: &ExpectResult) {
    page.section("checks");
    if checked.lines.is_empty() {
        page.entry(if checked.asked { "ok" } else { "none" }, if checked.asked { "" } else { "nothing is expected" });
    }
    for line in &checked.lines {
        let mark = match line.mark {
            Mark::Holds => "ok",
            Mark::Broken { .. } => "BROKEN",
            Mark::Failed => "FAILED",
        };
        page.check(mark, &line.subject, &clean(&line.text));
    }
}

#[cfg(test)]
#[path = "golden/tests.rs"]
mod tests;
