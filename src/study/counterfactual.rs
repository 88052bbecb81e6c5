//! Counterfactuals: the same story with one thing otherwise – does it still end so?
//!
//! Switches one fix, or takes one fault out, runs again and looks for the end of an
//! explanation. It may use simulation, scenario and reports; it prints nothing. What a newcomer
//! gets wrong: an end is looked for by what it is and whose, never by its record or its time,
//! for those move with everything else.

use std::mem::discriminant;

use rayon::prelude::*;

use crate::kernel::{RecordId, SimTime};
use crate::model::Name;
use crate::report::explain::Decider;
use crate::scenario::{Scenario, Variant, Verdict};
use crate::sim::Simulation;
use crate::trace::{Record, Trace, What};

/// What became of an end when one thing was otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It comes all the same, at that time first.
    Same(SimTime),
    /// It does not come to that subject, but to others of its kind: the first, and when.
    Elsewhere(Name, SimTime),
    /// It does not come.
    Averted,
}

/// One thing that was made otherwise, and what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tried {
    /// What was switched.
    pub decider: Decider,
    /// What became of the end.
    pub ending: Ending,
    /// How the other run ended as a whole.
    pub verdict: Verdict,
}

/// Runs the story once for each decider, with that one otherwise, and looks for the end: the
/// record `end` of `trace`. Until `until`, or the scenario's horizon.
pub fn verify(
    scenario: &Scenario,
    variant: &Variant,
    until: Option<SimTime>,
    trace: &Trace,
    end: RecordId,
    deciders: &[Decider],
) -> Vec<Tried> {
    let Some(end) = trace.get(end) else { return Vec::new() };
    let name = trace.name(end.subject);
    let tried = deciders.par_iter().map(|decider| {
        let (scenario, variant) = otherwise(scenario, variant, *decider);
        let mut simulation = Simulation::new(&scenario, &variant);
        if let Some(until) = until {
            simulation = simulation.until(until);
        }
        let outcome = simulation.run();
        Tried { decider: *decider, ending: look_for(end, name, &outcome.trace), verdict: outcome.verdict }
    });
    tried.collect()
}

/// The story with one thing otherwise.
fn otherwise(scenario: &Scenario, variant: &Variant, decider: Decider) -> (Scenario, Variant) {
    let (mut scenario, mut variant) = (scenario.clone(), variant.clone());
    match decider {
        Decider::Fix { fix, in_force } => {
            let fixes = &mut variant.policy.fixes;
            *fixes = if in_force { fixes.without(fix) } else { fixes.with(fix) };
            // An upgrade later in the story must not undo it.
            for step in &mut scenario.steps {
                if let crate::scenario::Action::Upgrade(upgrade) = &mut step.action {
                    upgrade.with.retain(|known| *known != fix);
                    upgrade.without.retain(|known| *known != fix);
                    if in_force { upgrade.without.push(fix) } else { upgrade.with.push(fix) }
                }
            }
        }
        // It stays in its place, for others are known by theirs, and strikes no call.
        Decider::Fault(fault) => {
            if let Some(fault) = scenario.faults.get_mut(fault as usize) {
                fault.when.times = Some(0);
            }
        }
    }
    (scenario, variant)
}

fn look_for(end: &Record, name: Name, trace: &Trace) -> Ending {
    let alike = |record: &&Record| record.subject.kind == end.subject.kind && is_alike(&record.what, &end.what);
    let mut found = trace.records().iter().filter(alike);
    let mut elsewhere = None;
    for record in found.by_ref() {
        if trace.name(record.subject) == name {
            return Ending::Same(record.at);
        }
        elsewhere.get_or_insert((trace.name(record.subject), record.at));
    }
    elsewhere.map_or(Ending::Averted, |(name, at)| Ending::Elsewhere(name, at))
}

/// Whether two records say the same but for their numbers.
fn is_alike(a: &What, b: &What) -> bool {
    match (a, b) {
        (What::Broken { invariant: a, .. }, What::Broken { invariant: b, .. }) => a == b,
        (What::Decided(a), What::Decided(b)) => discriminant(a) == discriminant(b),
        (What::Set { field: a, to: x, .. }, What::Set { field: b, to: y, .. }) => (a, x) == (b, y),
        (What::RequestFailed { error: a, .. }, What::RequestFailed { error: b, .. }) => a == b,
        _ => discriminant(a) == discriminant(b),
    }
}
