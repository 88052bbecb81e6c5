//! Crashes at a chosen await, for whoever searches all of them.
//!
//! After each poll a task is suspended at some await, and so are all others of its process: a
//! crash after the N-th poll of a process, tried for every N, meets it at every await of a
//! story. It uses the world's own way to crash a process, which drops its tasks and starts it
//! again. What a newcomer gets wrong: to crash between two polls of a process is no other
//! await – what others do meanwhile, they do as well while it is down.

use std::collections::BTreeMap;

use crate::kernel::RecordId;
use crate::world::{Process, World};

/// A process that dies at a chosen await.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// Which process; it starts again after `restart_after`.
    pub process: Process,
    /// It dies as soon as its tasks have been polled so often, since the start of the run.
    pub after: u64,
}

/// Those that are still to come, and how often the tasks of each process were polled.
#[derive(Default)]
pub(super) struct Crashes {
    ahead: Vec<Crash>,
    polls: BTreeMap<Process, u64>,
    counts: bool,
}

impl Crashes {
    pub(super) fn new(ahead: &[Crash]) -> Self {
        Self { ahead: ahead.to_vec(), counts: !ahead.is_empty(), ..Self::default() }
    }

    /// None, but polls are counted.
    pub(super) fn counting() -> Self {
        Self { counts: true, ..Self::default() }
    }

    /// How often the tasks of a process were polled.
    pub(super) fn polls(&self, process: Process) -> u64 {
        self.polls.get(&process).copied().unwrap_or(0)
    }

    /// Whether one is still to come.
    pub(super) fn lie_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Whether each await is to be a moment between two kernel steps.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// To be called before the first kernel step and after each: lets those happen whose moment
    /// it is.
    #[inline]
    pub(super) fn strike(&mut self, world: &World) {
        if self.counts {
            self.count_and_strike(world);
        }
    }

    #[cold]
    fn count_and_strike(&mut self, world: &World) {
        if let Some(process) = world.kernel().take_polled().and_then(Process::of) {
            *self.polls.entry(process).or_default() += 1;
        }
        let polls = &self.polls;
        let is_due = |crash: &mut Crash| polls.get(&crash.process).copied().unwrap_or(0) >= crash.after;
        for crash in self.ahead.extract_if(.., is_due) {
            world.processes().crash(crash.process);
            // No task runs, so nothing may follow from this one.
            world.kernel().set_cause(RecordId::NONE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SimDuration;
    use crate::model::NodeId;
    use crate::scenario::{Overrides, Scenario};
    use crate::sim::{Outcome, Simulation};
    use crate::trace::{Record, What};

    const NODE: Process = Process::Node(NodeId::from_index(0));

    /// A minute of a cluster without apps in which these processes die.
    fn minute(crashes: &[Crash]) -> Outcome {
        let text = "schema = 1\nhorizon = \"1m\"\n";
        let scenario = Scenario::from_text(text, "idle", None, &Overrides::default()).expect("a good text");
        Simulation::new(&scenario, &scenario.variants[0]).crashes(crashes).run()
    }

    fn of(outcome: &Outcome, process: Process) -> Vec<Record> {
        let about = |record: &Record| record.subject == process.subject();
        outcome.trace.records().iter().filter(about).collect()
    }

    #[test]
    fn a_process_dies_at_its_moment_and_comes_back_and_no_other_does() {
        let undisturbed = minute(&[]);
        for process in [Process::Coordinator, NODE] {
            let outcome = minute(&[Crash { process, after: 20 }]);
            let told = of(&outcome, process);
            let [_, down, up] = told[..] else { panic!("{told:?}") };
            assert_eq!((down.what, up.what), (What::ProcessDown, What::ProcessUp));
            assert_eq!((down.cause, up.at), (RecordId::NONE, down.at + SimDuration::from_secs(2)));
            let other = if process == NODE { Process::Coordinator } else { NODE };
            assert_eq!(of(&outcome, other).len(), 1, "the other one only started");
            let before = outcome.trace.records().iter().position(|record| record.what == What::ProcessDown);
            let before = before.expect("it died");
            assert!(outcome.trace.records().range(..before).eq(undisturbed.trace.records().range(..before)));
        }
    }

    #[test]
    fn crashes_come_in_the_order_of_their_moments_and_those_beyond_the_end_never() {
        let crash = |process, after| Crash { process, after };
        let never = crash(Process::Coordinator, u64::MAX);
        let outcome = minute(&[crash(Process::Coordinator, 30), never, crash(NODE, 0)]);
        let downs = outcome.trace.records().iter().filter(|record| record.what == What::ProcessDown);
        let who: Vec<_> = downs.map(|record| record.subject).collect();
        assert_eq!(who, [NODE.subject(), Process::Coordinator.subject()]);
    }

    #[test]
    fn the_awaits_of_a_process_are_the_moments_at_which_it_can_die() {
        let text = "schema = 1\nhorizon = \"1m\"\n";
        let scenario = Scenario::from_text(text, "idle", None, &Overrides::default()).expect("a good text");
        let simulation = Simulation::new(&scenario, &scenario.variants[0]);
        for process in [Process::Coordinator, NODE] {
            let awaits = simulation.awaits(process);
            assert!(awaits > 20, "{process:?}: {awaits}");
            let dies = |after| of(&minute(&[Crash { process, after }]), process).len() > 1;
            assert_eq!((dies(awaits), dies(awaits + 1)), (true, false));
        }
    }
}
