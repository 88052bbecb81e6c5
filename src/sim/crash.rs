//! Crashes at a chosen moment, for whoever searches all moments.
//!
//! Between two kernel events every task is suspended at some await, so a crash after the N-th
//! event, tried for every N, meets a process at every await of a story. It uses the world's own
//! way to crash a process, which drops its tasks and starts it again. What a newcomer gets
//! wrong: events are counted from the very first, those of the start included, and one event may
//! count several (a sleep that ends at once is one, too): the crash comes at the first moment at
//! which so many have run.

use std::cmp::Reverse;

use crate::kernel::RecordId;
use crate::world::{Process, World};

/// A process that dies at a chosen moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// How many kernel events have run by then.
    pub after: u64,
    /// Which process; it starts again after `restart_after`.
    pub process: Process,
}

/// Those that are still to come, the next one last.
#[derive(Default)]
pub(super) struct Crashes(Vec<Crash>);

impl Crashes {
    pub(super) fn new(mut crashes: Vec<Crash>) -> Self {
        crashes.sort_by_key(|crash| Reverse(crash.after));
        Self(crashes)
    }

    /// Whether one is still to come.
    pub(super) fn lie_ahead(&self) -> bool {
        !self.0.is_empty()
    }

    /// Lets those happen whose moment it is.
    pub(super) fn strike(&mut self, world: &World) {
        while let Some(crash) = self.0.pop_if(|crash| crash.after <= world.kernel.events()) {
            world.crash_process(crash.process);
            // No task runs, so nothing may follow from this one.
            world.kernel.set_cause(RecordId::NONE);
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
        let about = |record: &&Record| record.subject == process.subject();
        outcome.trace.records().iter().filter(about).copied().collect()
    }

    #[test]
    fn a_process_dies_at_its_moment_and_comes_back_and_no_other_does() {
        let undisturbed = minute(&[]);
        for process in [Process::Coordinator, NODE] {
            let outcome = minute(&[Crash { after: 50, process }]);
            let told = of(&outcome, process);
            let [_, down, up] = told[..] else { panic!("{told:?}") };
            assert_eq!((down.what, up.what), (What::ProcessDown, What::ProcessUp));
            assert_eq!((down.cause, up.at), (RecordId::NONE, down.at + SimDuration::from_secs(2)));
            let other = if process == NODE { Process::Coordinator } else { NODE };
            assert_eq!(of(&outcome, other).len(), 1, "the other one only started");
            let before = outcome.trace.records().iter().position(|record| record.what == What::ProcessDown);
            let before = before.expect("it died");
            assert_eq!(outcome.trace.records()[..before], undisturbed.trace.records()[..before]);
        }
    }

    #[test]
    fn crashes_come_in_the_order_of_their_moments_and_those_beyond_the_end_never() {
        let crash = |after, process| Crash { after, process };
        let never = crash(u64::MAX, Process::Coordinator);
        let outcome = minute(&[crash(90, Process::Coordinator), never, crash(0, NODE)]);
        let downs = outcome.trace.records().iter().filter(|record| record.what == What::ProcessDown);
        let who: Vec<_> = downs.map(|record| record.subject).collect();
        assert_eq!(who, [NODE.subject(), Process::Coordinator.subject()]);
    }
}
