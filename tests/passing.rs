//! Time may pass within a kernel step, and no run can tell.
//!
//! When nothing else happens within the latency of a call, the clock moves on the spot. Every
//! story of the corpus is run with that and without it: records, events, violations, proofs and
//! the end must be the same. What a newcomer gets wrong: the fingerprints of the corpus do not
//! show this – both ways could be wrong alike since they were written.

use schedsim::scenario::{Scenario, Variant};
use schedsim::sim::{Outcome, Simulation};

#[path = "common/corpus.rs"]
mod corpus;
use corpus::corpus;

fn assert_same(name: &str, quick: &Outcome, slow: &Outcome) {
    let records = quick.trace.records().iter().zip(slow.trace.records());
    for (n, (quick, slow)) in records.enumerate() {
        assert_eq!(quick, slow, "record {n} of {name}");
    }
    assert_eq!(quick.trace.records().len(), slow.trace.records().len(), "{name}");
    let rest = |outcome: &Outcome| {
        let Outcome { trace: _, verdict, settled_at, livelock, ended_at, stop, events, violations, rejected, warnings } =
            outcome.clone();
        (verdict, settled_at, livelock, ended_at, stop, events, (violations, rejected, warnings))
    };
    assert_eq!(rest(quick), rest(slow), "{name}");
}

fn both_ways(scenario: &Scenario, variant: &Variant, records_max: Option<usize>) -> (Outcome, Outcome) {
    let run = || {
        let simulation = Simulation::new(scenario, variant);
        records_max.map_or(simulation.clone(), |max| simulation.records_max(max))
    };
    (run().run(), run().between_steps().run())
}

#[test]
fn every_story_is_the_same_whether_time_passes_within_steps_or_between_them() {
    let mut variants = 0;
    for scenario in corpus() {
        for variant in &scenario.variants {
            let (quick, slow) = both_ways(&scenario, variant, None);
            assert_same(&format!("{}@{}", scenario.name, variant.name), &quick, &slow);
            variants += 1;
        }
    }
    assert!(variants > 200, "{variants} only");
}

#[test]
fn a_trace_that_is_full_is_full_at_the_same_record() {
    for scenario in corpus().iter().step_by(7) {
        let variant = &scenario.variants[0];
        for records_max in [50, 51, 52, 200] {
            let (quick, slow) = both_ways(scenario, variant, Some(records_max));
            assert_same(&format!("{} with {records_max} records", scenario.name), &quick, &slow);
        }
    }
}
