//! Explanations of the whole corpus: each leads back to something from outside.
//!
//! For every scenario and variant, every violation is explained. What a newcomer gets wrong: a
//! chain that ends in the middle of the scheduler is a cause that got lost, and is mended where
//! the record is written, not here.

use rayon::prelude::*;
use schedsim::model::{AnyStatus, Kind, SandboxStatus, Value};
use schedsim::report::explain::{Decider, Explainer, Limits, Page, Setting, story};
use schedsim::scenario::{Scenario, Variant};
use schedsim::sim::Simulation;
use schedsim::trace::{Record, Trace, What};

#[path = "common/corpus.rs"]
mod corpus;
use corpus::corpus;

/// Whether a chain may end there: an operator's step, a client, a process that starts, the world
/// itself – or what a ticker began by itself.
fn is_root(trace: &Trace, link: &schedsim::report::explain::Link) -> bool {
    let record = trace.get(link.record).expect("a record");
    matches!(
        record.what,
        What::StepBegan
            | What::ProcessUp
            | What::RequestFailed { .. }
            | What::RequestServed { .. }
            | What::Struck { .. }
    ) || matches!(record.subject.kind, Kind::Node | Kind::Cluster | Kind::Process)
        || (record.cause.index().is_none()
            && matches!(record.what, What::Decided(_) | What::TaskEnded { .. } | What::PortBound))
}

/// What is wrong with the explanations of one run.
fn faults(scenario: &Scenario, variant: &Variant) -> Vec<String> {
    let outcome = Simulation::new(scenario, variant).run();
    let trace = &outcome.trace;
    let setting = Setting::of(scenario, variant);
    let mut explainer = Explainer::new(trace, &setting);
    let mut faults = Vec::new();
    let name = format!("{} @ {}", scenario.name, variant.name);
    for violation in &outcome.violations {
        let chain = explainer.chain(violation.record, Limits::default()).expect("a record");
        let root = chain.root().expect("a root");
        if !is_root(trace, root) {
            let what = format!("{} {} {}", trace.name(root.subject), root.what, root.rule);
            faults.push(format!("{name}: {}: ends at record {}: {what}", violation.invariant, root.record.number()));
        }
        let whole = explainer.chain(violation.record, Limits::ALL).expect("a record");
        let known = explainer.chain_and_deciders(violation.record, Limits::default()).expect("a record").all_deciders();
        if let Some(missing) = whole.deciders().iter().find(|decider| !known.contains(decider)) {
            faults.push(format!("{name}: {}: {missing:?} is not listed", violation.invariant));
        }
        let links = story(&Page { trace, setting: &setting }, &chain).lines().count();
        if links > 50 {
            faults.push(format!("{name}: {}: {links} lines are no screen", violation.invariant));
        }
    }
    faults
}

#[test]
fn every_violation_of_the_corpus_leads_back_to_something_from_outside() {
    let scenarios = corpus();
    let runs: Vec<(&Scenario, &Variant)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)))
        .collect();
    let faults: Vec<String> = runs.par_iter().flat_map_iter(|(scenario, variant)| faults(scenario, variant)).collect();
    assert!(faults.is_empty(), "{}\n{} of them", faults.join("\n"), faults.len());
}

#[test]
fn the_fault_that_delayed_a_disk_is_named_by_every_boot_that_waited_for_it() {
    let scenarios = corpus();
    let carousel = scenarios.iter().find(|scenario| scenario.name == "lease-carousel").expect("in the corpus");
    for variant in &carousel.variants {
        let trace = Simulation::new(carousel, variant).run().trace;
        let setting = Setting::of(carousel, variant);
        let mut explainer = Explainer::new(&trace, &setting);
        let running = Value::Status(AnyStatus::Sandbox(SandboxStatus::Running));
        let runs = |r: &Record| matches!(r.what, What::Set { to, .. } if to == running);
        let booted = trace.records().iter().rposition(runs).expect("the new one runs");
        let record = schedsim::kernel::RecordId::from_index(booted);
        let chain = explainer.chain_and_deciders(record, Limits::default()).expect("a record");
        assert!(chain.all_deciders().contains(&Decider::Fault(0)), "{}: {:?}", variant.name, chain.all_deciders());
    }
}
