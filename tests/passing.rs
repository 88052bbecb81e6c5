//! Time may pass within a kernel step, and no run can tell.
//!
//! When nothing else happens within the latency of a call, the clock moves on the spot. Every
//! story of the corpus is run with that and without it: records, events, violations, proofs and
//! the end must be the same. What a newcomer gets wrong: the fingerprints of the corpus do not
//! show this – both ways could be wrong alike since they were written.

use std::collections::BTreeSet;

use schedsim::kernel::{Budget, Stop};
use schedsim::scenario::{Scenario, Variant};
use schedsim::sim::{Outcome, Proofs, Simulation};

#[path = "common/corpus.rs"]
mod corpus;
use corpus::corpus;

fn assert_same(name: &str, quick: &Outcome, slow: &Outcome) {
    let records = quick.trace.records().iter().zip(slow.trace.records());
    for (n, (quick, slow)) in records.enumerate() {
        assert_eq!(quick, slow, "record {n} of {name}");
    }
    assert_eq!(quick.trace.records().len(), slow.trace.records().len(), "{name}");
    assert_eq!(quick.beside_the_trace(), slow.beside_the_trace(), "{name}");
}

fn both_ways<'a>(
    scenario: &'a Scenario,
    variant: &'a Variant,
    prepare: impl Fn(Simulation<'a>) -> Simulation<'a>,
) -> (Outcome, Outcome) {
    let simulation = prepare(Simulation::new(scenario, variant));
    (simulation.run(), simulation.between_steps().run())
}

#[test]
fn every_story_is_the_same_whether_time_passes_within_steps_or_between_them() {
    let mut variants = 0;
    for scenario in corpus() {
        for variant in &scenario.variants {
            let (quick, slow) = both_ways(&scenario, variant, |simulation| simulation);
            assert_same(&format!("{}@{}", scenario.name, variant.name), &quick, &slow);
            variants += 1;
        }
    }
    assert!(variants > 200, "{variants} only");
}

#[test]
fn a_trace_that_a_judge_fills_at_a_deadline_ends_the_run_there() {
    let mut filled = 0;
    for scenario in corpus() {
        let variant = &scenario.variants[0];
        let whole = Simulation::new(&scenario, variant).run();
        let mut invariants = BTreeSet::new();
        // What is judged at the end itself cannot end the run any sooner.
        let before_the_end = whole.violations.iter().filter(|violation| violation.at < whole.ended_at);
        for violation in before_the_end.filter(|violation| invariants.insert(violation.invariant)) {
            let records_max = violation.record.index().expect("it was recorded") + 1;
            let (quick, slow) = both_ways(&scenario, variant, |simulation| simulation.records_max(records_max));
            let name = format!("{} until {} is broken", scenario.name, violation.invariant.name());
            assert_same(&name, &quick, &slow);
            assert_eq!((quick.stop, quick.ended_at), (Stop::TraceFull, violation.at), "{name}");
            filled += 1;
        }
    }
    assert!(filled > 20, "{filled} only");
}

#[test]
fn a_run_that_a_guard_or_a_proof_ends_ends_at_the_same_event() {
    for scenario in corpus().iter().step_by(7) {
        let variant = &scenario.variants[0];
        for records_max in [50, 51, 52, 200] {
            let (quick, slow) = both_ways(scenario, variant, |simulation| simulation.records_max(records_max));
            assert_same(&format!("{} with {records_max} records", scenario.name), &quick, &slow);
        }
        for events in [100, 101, 102, 500] {
            let budget = Budget { events, ..Budget::default() };
            let (quick, slow) = both_ways(scenario, variant, |simulation| simulation.budget(budget));
            assert_same(&format!("{} with {events} events", scenario.name), &quick, &slow);
        }
    }
    let mut proved = 0;
    for scenario in corpus() {
        let variant = &scenario.variants[0];
        let (quick, slow) = both_ways(&scenario, variant, |simulation| simulation.proofs(Proofs::Stop));
        if quick.stop == Stop::Enough {
            assert_same(&format!("{} until it is proved", scenario.name), &quick, &slow);
            proved += 1;
        }
    }
    assert!(proved > 5, "{proved} only");
}
