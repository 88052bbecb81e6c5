//! What passes, what fails, and in which words.

use super::*;
use crate::kernel::Stop;
use crate::model::{Name, Subject};
use crate::report::testing::Story;
use crate::scenario::Bounds;
use crate::trace::testing::{Maker, d, t};

fn story() -> Story {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    m.stuck_life(pool, 0, t("1s"), 6);
    Story::new(m, "20m")
}

fn failures(story: &Story) -> Vec<String> {
    let result = story.check();
    assert_eq!(result.passed, result.failures.is_empty());
    let failed = result.lines.iter().filter(|line| line.mark == Mark::Failed).count();
    assert_eq!(failed, result.failures.len(), "each failure has its line");
    result.failures.iter().map(ToString::to_string).collect()
}

#[test]
fn without_an_expectation_everything_passes_and_says_so() {
    let mut story = story();
    story.violate(Invariant::Progress, Subject::CLUSTER, "unsettled for 25:00");
    let result = story.check();
    assert!(result.passed && !result.asked);
    assert_eq!(result.lines.len(), 1);
    assert_eq!(result.lines[0].mark, Mark::Broken { expected: false });
}

#[test]
fn an_empty_expectation_allows_no_violation_and_no_refusal() {
    let mut story = story();
    story.expect();
    assert_eq!(failures(&story), [""; 0]);
    story.violate(Invariant::Progress, Subject::CLUSTER, "unsettled for 25:00");
    story.outcome.rejected.push((0, Name::new("unknown field `size`")));
    assert_eq!(
        failures(&story),
        ["step `typo` was refused: unknown field `size`", "progress is broken: cluster: unsettled for 25:00"]
    );
}

#[test]
fn expected_violations_are_exact() {
    let mut story = story();
    story.expect().violations = vec![Invariant::Progress, Invariant::DiskHasOwner];
    story.violate(Invariant::Progress, Subject::CLUSTER, "unsettled");
    assert_eq!(failures(&story), ["disk-has-owner holds, but `violations` lists it; if that is the fix, take it out"]);
    let lines = story.check().lines;
    let broken = lines.iter().find(|line| line.mark == Mark::Broken { expected: true }).expect("one");
    assert_eq!(broken.text, "cluster: unsettled (expected here)");
}

#[test]
fn a_fact_about_something_else_says_nothing_of_violations() {
    let mut story = story();
    story.violate(Invariant::Progress, Subject::CLUSTER, "unsettled");
    story.expect().any_violations = true;
    assert_eq!((failures(&story), story.check().lines.len()), (Vec::new(), 0));
}

#[test]
fn expected_refusals_are_exact() {
    let mut story = story();
    story.expect().rejected = vec![0];
    assert_eq!(failures(&story), ["step `typo` was not refused, but `rejected` lists it"]);
    story.outcome.rejected.push((0, Name::new("no")));
    assert_eq!(failures(&story), [""; 0]);
}

#[test]
fn the_verdict_is_compared_when_it_is_given() {
    let mut story = story();
    story.expect().verdict = Some(Verdict::Settled);
    assert_eq!(failures(&story), ["expected settled, found unsettled"]);
    story.outcome.verdict = Verdict::Settled;
    assert_eq!(failures(&story), [""; 0]);
}

#[test]
fn settling_is_measured_from_the_step_that_is_named() {
    let mut story = story();
    let mut later = story.scenario.steps[0].clone();
    (later.name, later.at) = (Name::new("fix"), t("10m"));
    story.scenario.steps.push(later);
    story.expect().settled_within = Some(d("5m"));
    assert_eq!(failures(&story), ["expected to settle within 5:00 of step `fix`, never did"]);
    for (settled, after, expected) in [
        ("15m", None, &[][..]),
        ("16m", None, &["expected to settle within 5:00 of step `fix`, took 6:00"]),
        ("9m", None, &[]),
        ("9m", Some(0), &["expected to settle within 5:00 of step `typo`, took 9:00"]),
    ] {
        story.outcome.settled_at = Some(t(settled));
        story.expect().settled_after = after;
        assert_eq!(failures(&story), expected, "{settled} after {after:?}");
    }
}

#[test]
fn metrics_are_compared_exactly_with_each_bound() {
    const ONE: u128 = 1_000_000_000;
    let bounds = |min, max, equals| Bounds { min, max, equals };
    for (name, bounds, expected) in [
        ("boots_failed", bounds(Some(6 * ONE), Some(6 * ONE), Some(6 * ONE)), None),
        ("boots_failed", bounds(None, Some(5 * ONE), None), Some("boots_failed is 6, expected max 5")),
        ("boots_failed", bounds(Some(7 * ONE), None, None), Some("boots_failed is 6, expected min 7")),
        ("boots_failed", bounds(None, None, Some(0)), Some("boots_failed is 6, expected equals 0")),
        // Never ready, for all of 20 minutes.
        ("unready_s", bounds(None, Some(1200 * ONE), None), None),
        (
            "unready_s",
            bounds(None, Some(1200 * ONE - 1), None),
            Some("unready_s is 1200.000, expected max 1199.999999999"),
        ),
        ("boots_faild", bounds(None, Some(0), None), Some("there is no metric `boots_faild`")),
    ] {
        let mut story = story();
        story.expect().metrics.insert(name.to_owned(), bounds);
        assert_eq!(failures(&story), expected.into_iter().collect::<Vec<_>>(), "{name} {bounds:?}");
    }
}

#[test]
fn a_run_that_a_guard_ended_fails_whatever_came_until_then() {
    let mut story = story();
    story.expect().verdict = Some(Verdict::Unsettled);
    for (stop, expected) in [
        (Stop::Horizon, None),
        (Stop::TraceFull, Some("a guard ended the run: the trace is full, before the horizon")),
        (Stop::EventBudget, Some("a guard ended the run: the budget of events was used up before the horizon")),
        (
            Stop::ZeroTimeLoop { task: "resync" },
            Some("a guard ended the run: time stood still: `resync` and others ran on without it"),
        ),
    ] {
        story.outcome.stop = stop;
        assert_eq!(failures(&story), expected.into_iter().collect::<Vec<_>>(), "{stop:?}");
    }
    story.variant.expect = None;
    assert_eq!(failures(&story), [""; 0], "nothing was expected");
}
