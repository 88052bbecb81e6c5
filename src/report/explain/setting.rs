//! What a scenario says of its run that no record does: titles of steps and faults, and which
//! fixes were in force when.
//!
//! It may read scenarios only. What a newcomer gets wrong: an `upgrade` changes the fixes in the
//! middle of a run, so that they are asked for at an instant.

use crate::controllers::fixes::Fixes;
use crate::kernel::SimTime;
use crate::model::Name;
use crate::report::timeline_options;
use crate::scenario::{Action, Scenario, Variant};
use crate::trace::timeline::Options;

/// The setting of a run.
#[derive(Clone, Debug)]
pub struct Setting {
    /// How records are told, with the titles of steps and faults.
    pub timeline: Options,
    /// The faults' names, by their numbers.
    pub faults: Vec<Name>,
    /// The steps' names, by their numbers.
    pub(super) steps: Vec<Name>,
    /// The apps and services that are asked, by the numbers of their streams.
    pub(super) traffic: Vec<Name>,
    /// The fixes in force, each set from an instant on.
    fixes: Vec<(SimTime, Fixes)>,
}

impl Setting {
    /// The setting of a scenario under a variant.
    pub fn of(scenario: &Scenario, variant: &Variant) -> Self {
        let mut fixes = vec![(SimTime::ZERO, variant.policy.fixes)];
        let mut steps: Vec<_> = scenario.steps.iter().collect();
        steps.sort_by_key(|step| step.at);
        for step in steps {
            let Action::Upgrade(upgrade) = &step.action else { continue };
            let before = fixes.last().map(|(_, fixes)| *fixes).unwrap_or_default();
            fixes.push((step.at, upgrade.of(before)));
        }
        Self {
            timeline: timeline_options(scenario),
            faults: scenario.faults.iter().map(|fault| fault.name).collect(),
            steps: scenario.steps.iter().map(|step| step.name).collect(),
            traffic: scenario.traffic.iter().map(|t| Name::new(&format!("{}.{}", t.app, t.service))).collect(),
            fixes,
        }
    }

    /// A run without steps and faults, under these fixes.
    pub fn plain(fixes: Fixes) -> Self {
        let (timeline, faults, steps, traffic) = Default::default();
        Self { timeline, faults, steps, traffic, fixes: vec![(SimTime::ZERO, fixes)] }
    }

    /// Other fixes are in force from an instant on.
    #[cfg(test)]
    pub(super) fn change_at(&mut self, at: SimTime, fixes: Fixes) {
        self.fixes.push((at, fixes));
    }

    /// The fixes in force at an instant.
    pub fn fixes_at(&self, at: SimTime) -> Fixes {
        let set = self.fixes.iter().rev().find(|(from, _)| *from <= at);
        set.map(|(_, fixes)| *fixes).unwrap_or_default()
    }
}
