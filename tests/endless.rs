//! A horizon of a thousand years ends all the same, and says why.
//!
//! The guards end it; here with a small budget, for the usual one takes some seconds. What a
//! newcomer gets wrong: a run that a guard ended has not come to its horizon, so whatever was
//! expected of it is not met, even where all of it holds so far.

#[macro_use]
#[path = "common/database.rs"]
mod database;

use schedsim::kernel::{Budget, SimTime, Stop};
use schedsim::report;
use schedsim::scenario::{Overrides, Scenario, Verdict};
use schedsim::sim::Simulation;

/// A disk that can never be made, and traffic, steps and faults that never come.
fn a_thousand_years(expect: &str) -> Scenario {
    let config = database!("size");
    let text = format!(
        r#"
schema  = 1
horizon = "365250d"
policy  = {{ as_of = "2026-03-11" }}
[[step]]
name = "typo"
at   = "0s"
do.deploy = {{ app = "pds", config = """
{config}""" }}
[[step]]
name = "late"
at   = "200000d"
do.note = "nobody waits for this"
{expect}
"#
    );
    let loaded = Scenario::from_text(&text, "endless", None, &Overrides::default());
    loaded.unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render(false)))
}

/// What one run gives, under a budget of events and of records.
fn check(expect: &str, (events, records): (u64, usize), stop: Stop, passes: bool) {
    let scenario = a_thousand_years(expect);
    let variant = &scenario.variants[0];
    let budget = Budget { events, ..Budget::default() };
    let outcome = Simulation::new(&scenario, variant).budget(budget).records_max(records).run();
    assert_eq!((outcome.stop, outcome.verdict), (stop, Verdict::Unsettled));
    assert!(outcome.events <= events && outcome.ended_at > SimTime::ZERO && outcome.ended_at < scenario.horizon);
    // The records of one kernel step are written together.
    assert!(outcome.trace.records().len() < records.saturating_add(100));

    let guard = stop.guard().expect("it was a guard");
    let metrics = report::figures(&scenario, &outcome);
    let checked = report::check(&scenario, variant, &outcome, &metrics);
    let failures: Vec<_> = checked.failures.iter().map(ToString::to_string).collect();
    let expected = (!passes).then(|| format!("a guard ended the run: {guard}"));
    assert_eq!((checked.passed, failures), (passes, expected.into_iter().collect()));
    let json =
        serde_json::to_string(&report::json(&scenario, variant, &outcome, &metrics, &checked, "", [])).expect("JSON");
    assert!(json.contains(&guard), "{json}");
    let golden = report::golden(&scenario, variant, &outcome, &metrics, &checked);
    assert!(golden.contains("STOPPED EARLY"), "{golden}");
}

#[test]
fn a_thousand_years_run_into_a_guard_and_every_result_says_so() {
    let all_of_it = "[expect]\nverdict = \"unsettled\"\n\
                     violations = [\"failures-back-off\", \"progress\"]\n";
    for (expect, passes) in [("", true), (all_of_it, false)] {
        check(expect, (20_000, usize::MAX), Stop::EventBudget, passes);
        check(expect, (u64::MAX, 20_000), Stop::TraceFull, passes);
    }
}
