//! The same story with some things otherwise, and all the things that could be.
//!
//! A fix is switched, a fault strikes no call, a step is a remark, a key has its default. It may use
//! scenarios and what a run says of itself. What a newcomer gets wrong: whatever is taken away stays
//! in its place, for others are known by theirs.

use crate::constants::Value;
use crate::controllers::fixes::{Fix, Fixes};
use crate::model::Name;
use crate::report::explain::{Decider, ProgramKey, Run};
use crate::scenario::{Action, Scenario, Variant};
use crate::trace::What;
use crate::world::spec::Phase;

/// The story with these things otherwise.
pub fn otherwise(scenario: &Scenario, variant: &Variant, deciders: &[Decider]) -> (Scenario, Variant) {
    let (mut scenario, mut variant) = (scenario.clone(), variant.clone());
    deciders.iter().for_each(|decider| change(&mut scenario, &mut variant, *decider));
    (scenario, variant)
}

fn change(scenario: &mut Scenario, variant: &mut Variant, decider: Decider) {
    match decider {
        Decider::Fix { fix, in_force } => {
            let fixes = &mut variant.policy.fixes;
            *fixes = if in_force { fixes.without(fix) } else { fixes.with(fix) };
            // An upgrade later in the story must not undo it.
            for step in &mut scenario.steps {
                if let Action::Upgrade(upgrade) = &mut step.action {
                    upgrade.with.retain(|known| *known != fix);
                    upgrade.without.retain(|known| *known != fix);
                    if in_force { upgrade.without.push(fix) } else { upgrade.with.push(fix) }
                }
            }
        }
        Decider::Fault(fault) => {
            if let Some(fault) = scenario.faults.get_mut(fault as usize) {
                fault.when.times = Some(0);
            }
        }
        Decider::Step(step) => {
            if let Some(step) = scenario.steps.get_mut(step as usize) {
                step.action = Action::Note { text: Name::new("taken out") };
            }
        }
        Decider::Traffic(stream) => {
            if let Some(traffic) = scenario.traffic.get_mut(stream as usize) {
                traffic.until = traffic.from;
            }
        }
        Decider::Program(app, service, key) => {
            scenario.workloads.entry((app, service)).and_modify(|program| key.reset(program));
        }
        Decider::Misspelt(step, path, _) => {
            let Some(step) = scenario.steps.get_mut(step as usize) else { return };
            let meant = step.misspelt().into_iter().find(|(known, ..)| *known == path);
            if let (Some((.., meant)), Action::Deploy { config, .. }) = (meant, &mut step.action) {
                *config = meant;
            }
        }
        Decider::Constant(path) => variant.tuning.unset(&path),
        Decider::Phase(phase) => variant.tuning.set(PHASE, phase.get()),
    }
}

/// The constant that says how tickers are offset.
const PHASE: &str = "ticker_phase";

/// Everything that could be otherwise and might make another run of this one.
///
/// A fix that nobody asked for and on which no constant hangs makes none, nor does a fault that
/// never struck; they are left out. The fixes, which are many, come last.
pub fn all(run: &Run<'_>) -> Vec<Decider> {
    let Run { scenario, variant, outcome } = *run;
    let struck = |fault: u32| {
        outcome.trace.records().iter().any(|r| matches!(r.what, What::Struck { fault: known, .. } if known == fault))
    };
    let sets = sets(scenario, variant);
    let matters = |fix: Fix| outcome.asked.has(fix) || moves_a_constant(variant, &sets, fix);
    let mut all: Vec<Decider> = (0..scenario.faults.len() as u32).filter(|f| struck(*f)).map(Decider::Fault).collect();
    for ((app, service), program) in &scenario.workloads {
        for key in ProgramKey::ALL {
            let mut other = program.clone();
            key.reset(&mut other);
            if other != *program {
                all.push(Decider::Program(*app, *service, *key));
            }
        }
    }
    for (place, step) in (0..).zip(&scenario.steps) {
        all.extend(step.misspelt().into_iter().map(|(path, near, _)| Decider::Misspelt(place, path, near)));
    }
    all.extend(variant.tuning.paths().map(|path| Decider::Constant(Name::new(path))));
    all.extend((0..scenario.traffic.len() as u32).map(Decider::Traffic));
    let does = |step: &u32| !matches!(scenario.steps[*step as usize].action, Action::Note { .. });
    all.extend((0..scenario.steps.len() as u32).filter(does).map(Decider::Step));
    let phase = variant.tuning.environment().ticker_phase;
    all.extend([Phase::Seed, Phase::Zero].into_iter().filter(|other| *other != phase).map(Decider::Phase));
    for fix in Fix::ALL.iter().copied().filter(|fix| matters(*fix)) {
        let in_force = [true, false].into_iter().filter(|in_force| sets.iter().any(|set| set.has(fix) == *in_force));
        all.extend(in_force.map(|in_force| Decider::Fix { fix, in_force }));
    }
    all
}

/// The fixes in force one after the other.
fn sets(scenario: &Scenario, variant: &Variant) -> Vec<Fixes> {
    let mut steps: Vec<_> = scenario.steps.iter().collect();
    steps.sort_by_key(|step| step.at);
    let mut sets = vec![variant.policy.fixes];
    for step in steps {
        if let Action::Upgrade(upgrade) = &step.action {
            sets.push(upgrade.of(*sets.last().expect("the variant's own")));
        }
    }
    sets
}

/// Whether the default of a constant that the story does not set hangs on a fix.
fn moves_a_constant(variant: &Variant, sets: &[Fixes], fix: Fix) -> bool {
    sets.iter().any(|set| variant.tuning.under(set.with(fix)) != variant.tuning.under(set.without(fix)))
}
