//! What tasks do on the way to their decisions, as they do it: the raw material of evidence.
//!
//! A run only appends to a list; what follows from it for each decision is worked out when somebody asks
//! (`trails.rs`). It decides nothing, and no run depends on it.

use crate::kernel::{RecordId, TaskId};
use crate::model::{Actor, Kind, Subject};

/// What a task does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// It begins a call, as that actor.
    Calls(Actor),
    /// It looks, as that actor, at a thing, or lists those of a kind that are its; at what really is, or in the store.
    Looks { by: Actor, at: Subject, listed: Option<Kind>, real: bool },
    /// It takes up something else, or has nothing in hand any more.
    Turns,
    /// It decides, writes or orders: that record says what.
    Decides,
    /// It has asked for fixes, and something else is about to happen.
    Asks,
}

/// Something that a task did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    /// The task's slot, and the number of its birth. Of all numbers here the low half: no run has 2^32 of anything
    /// within the life of a task.
    pub(super) task: (u32, u32),
    /// How many events had run.
    pub(super) events: u32,
    /// How many records there were: what was seen is what these tell.
    pub(super) records: u32,
    /// What whoever woke the task was caused by, if it was not told before.
    pub(super) woken: RecordId,
    /// Whether it had just asked for fixes; the next ones of [`Observations::asked`].
    pub(super) asked: bool,
    pub(super) act: Act,
}

/// All that was observed in a run, in order.
#[derive(Clone, Default, Debug)]
pub(crate) struct Observations {
    pub(super) all: Vec<Observation>,
    /// Sets of fixes, a bit each, in the order of the observations that have some.
    pub(super) asked: Vec<u128>,
    /// The fixes that were asked for when no task ran.
    pub(super) at_start: u128,
    /// The fixes that a task has asked for since anything was observed, and how many records there were at first.
    asking: Option<(TaskId, usize, u128)>,
}

impl Observations {
    /// A task does something, after so many records and events.
    pub(crate) fn add(&mut self, task: TaskId, (records, events): (usize, u64), woken: RecordId, act: Act) {
        let asked = match self.asking.take() {
            Some((asker, before, fixes)) if (asker, before) == (task, records) => {
                self.asked.push(fixes);
                true
            }
            Some(other) => {
                self.add_asked(other);
                false
            }
            None => false,
        };
        self.push(task, (records, events), woken, (asked, act));
    }

    /// A task, or nobody, asks for a fix after so many records.
    pub(crate) fn ask(&mut self, task: Option<TaskId>, fix: u32, records: impl FnOnce() -> usize) {
        let Some(task) = task else {
            self.at_start |= 1 << fix;
            return;
        };
        match &mut self.asking {
            Some((asker, _, fixes)) if *asker == task => *fixes |= 1 << fix,
            asking => {
                let other = asking.replace((task, records(), 1 << fix));
                other.into_iter().for_each(|other| self.add_asked(other));
            }
        }
    }

    /// The run is over.
    pub(crate) fn ended(mut self) -> Self {
        self.asking.take().into_iter().for_each(|left| self.add_asked(left));
        self
    }

    fn add_asked(&mut self, (task, records, fixes): (TaskId, usize, u128)) {
        self.asked.push(fixes);
        self.push(task, (records, 0), RecordId::NONE, (true, Act::Asks));
    }

    fn push(&mut self, task: TaskId, (records, events): (usize, u64), woken: RecordId, (asked, act): (bool, Act)) {
        let task = (task.slot() as u32, task.birth() as u32);
        self.all.push(Observation { task, events: events as u32, records: records as u32, woken, asked, act });
    }
}
