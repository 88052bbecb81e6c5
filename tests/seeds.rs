//! Figures of stories that were observed over several runs: each seed is a run of its own.
//!
//! The corpus tells a story once; where an incident says "in 10 of 10 runs", the runs are here.
//! It reads the trace and knows nothing of the controllers. What a newcomer gets wrong: only a
//! story whose latencies are drawn has runs that differ; with constant ones every seed is alike.

use std::path::Path;

use schedsim::model::{Field, Kind, Value};
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;
use schedsim::trace::What;

/// What the first pool was set to want, in order, in a run of that seed.
fn desired(scenario: &Scenario, variant: &str, seed: u64) -> Vec<u64> {
    let mut variant = scenario.variants.iter().find(|v| v.name == variant).expect("the story has it").clone();
    variant.seed = seed;
    let outcome = Simulation::new(scenario, &variant).run();
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
        assert_eq!(desired(&story, "after", seed), [1, 2], "seed {seed}");
    }
}

#[test]
fn unchecked_writes_of_five_callers_are_lost_to_each_other() {
    let story = double_scale_up();
    let runs: Vec<Vec<u64>> = (0..10).map(|seed| desired(&story, "before", seed)).collect();
    assert!(runs.iter().all(|run| run.iter().max() == Some(&5)), "{runs:?}");
    // A write reads and commits in one piece of the same length for all (rule 1.2), so they land in the order of the calls; which
    // of them find the one before differs.
    let different: std::collections::BTreeSet<&Vec<u64>> = runs.iter().collect();
    assert!(different.len() > 1 && runs.iter().all(|run| run.len() < 5), "{runs:?}");
}
