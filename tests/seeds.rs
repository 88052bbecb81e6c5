//! Figures of stories that were observed over several runs: each seed is a run of its own.
//!
//! The corpus tells a story once; where an incident says "in 10 of 10 runs", the runs are here.
//! It reads the trace and knows nothing of the controllers. What a newcomer gets wrong: only a
//! story whose latencies are drawn has runs that differ; with constant ones every seed is alike.

use std::path::Path;

use schedsim::model::{Field, Kind, Value};
use schedsim::report;
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::{Outcome, Simulation};
use schedsim::trace::What;
use schedsim::trace::metrics::Metric;

/// A run of that seed.
fn run(scenario: &Scenario, variant: &str, seed: u64) -> Outcome {
    let mut variant = scenario.variants.iter().find(|v| v.name == variant).expect("the story has it").clone();
    variant.seed = seed;
    Simulation::new(scenario, &variant).run()
}

/// What the first pool was set to want, in order.
fn desired(outcome: &Outcome) -> Vec<u64> {
    let wanted = outcome.trace.records().iter().filter_map(|record| match record.what {
        What::Set { field: Field::DesiredInstances, to: Value::Int(to), .. } => {
            (record.subject.kind == Kind::Pool && record.subject.index == 0).then_some(to)
        }
        _ => None,
    });
    wanted.collect()
}

fn double_scale_up() -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/requests/double-scale-up.toml");
    Scenario::from_file(&path, &Overrides::default()).expect("the story is well formed")
}

#[test]
fn five_callers_raise_desired_to_two_in_ten_of_ten_runs() {
    let story = double_scale_up();
    for seed in 0..10 {
        assert_eq!(desired(&run(&story, "after", seed)), [1, 2], "seed {seed}");
    }
}

#[test]
fn unchecked_writes_of_five_callers_are_lost_to_each_other() {
    let story = double_scale_up();
    let outcomes: Vec<Outcome> = (0..30).map(|seed| run(&story, "before", seed)).collect();
    let runs: Vec<Vec<u64>> = outcomes.iter().map(desired).collect();
    // Each writes the number that it has counted to, and the store takes one of the four: who is overtaken is refused, for a
    // caller was not told of a conflict then (rule 10.7). So which number is left is up to who comes first.
    let given_up = outcomes.iter().map(|outcome| report::figures(&story, outcome).get("failed_conflict"));
    for (run, given_up) in runs.iter().zip(given_up) {
        assert!(matches!(run[..], [1, 2..=5]), "{run:?}");
        assert_eq!(given_up, Some(Metric::Count(3)), "{run:?}");
    }
    let different: std::collections::BTreeSet<&Vec<u64>> = runs.iter().collect();
    assert!(different.len() > 1, "{runs:?}");
}
