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
    pub(super) task: TaskId,
    /// How many records there were: what was seen is what these tell.
    pub(super) records: u32,
    /// How many events had run; the low half of it tells two of a task's own apart.
    pub(super) events: u32,
    /// What whoever woke the task was caused by, if it was not told before.
    pub(super) woken: RecordId,
    pub(super) act: Act,
    /// Whether it had just asked for fixes; the next ones of [`Observations::asked`].
    pub(super) asked: bool,
}

const _: () = assert!(size_of::<Observation>() <= 40, "an observation costs at most 40 bytes");

/// All that was observed in a run, in order.
#[derive(Clone, Default, Debug)]
pub(crate) struct Observations {
    pub(super) all: Vec<Observation>,
    /// Sets of fixes, in the order of the observations that have some.
    pub(super) asked: Vec<Asked>,
    /// The fixes that were asked for when no task ran.
    pub(super) at_start: Asked,
    /// Who has asked for fixes since anything was observed, how many records there were at first, and for which.
    asker: Option<TaskId>,
    asked_at: u32,
    asking: Asked,
}

/// A set of fixes, a bit each.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Asked([u64; 2]);

impl Asked {
    #[inline]
    fn add(&mut self, fix: u32) {
        self.0[fix as usize / 64] |= 1 << (fix % 64);
    }

    pub(super) fn bits(self) -> u128 {
        let [low, high] = self.0;
        u128::from(high) << 64 | u128::from(low)
    }
}

impl Observations {
    /// A task does something, after so many records and events.
    #[inline]
    pub(crate) fn add(&mut self, task: TaskId, (records, events): (usize, u64), woken: RecordId, act: Act) {
        let (records, events) = (records as u32, events as u32);
        let asked = self.asker.is_some() && self.take_asked(task, records);
        self.all.push(Observation { task, records, events, woken, act, asked });
    }

    /// A task, or nobody, asks for a fix after so many records.
    #[inline]
    pub(crate) fn ask(&mut self, task: Option<TaskId>, fix: u32, records: impl FnOnce() -> usize) {
        if task.is_none() {
            self.at_start.add(fix);
        } else if self.asker == task {
            self.asking.add(fix);
        } else {
            self.end_asking();
            (self.asker, self.asked_at) = (task, records() as u32);
            self.asking.add(fix);
        }
    }

    /// What was asked for belongs to what that task does now, after so many records, or stands for itself.
    fn take_asked(&mut self, task: TaskId, records: u32) -> bool {
        let here = (self.asker, self.asked_at) == (Some(task), records);
        if here {
            self.asker = None;
            self.asked.push(std::mem::take(&mut self.asking));
        } else {
            self.end_asking();
        }
        here
    }

    fn end_asking(&mut self) {
        if let Some(task) = self.asker.take() {
            self.asked.push(std::mem::take(&mut self.asking));
            let (records, woken) = (self.asked_at, RecordId::NONE);
            self.all.push(Observation { task, records, events: 0, woken, act: Act::Asks, asked: true });
        }
    }

    /// The run is over.
    pub(crate) fn ended(mut self) -> Self {
        self.end_asking();
        self
    }
}
