//! The instants at which judges must look again although nothing was recorded.
//!
//! It orders alarms by time and knows nothing of what they mean. Graces, cooldowns and fault
//! windows end by themselves; this is how judges learn of it. What a newcomer gets wrong: at one
//! instant the order is that of the enum – fault windows first, progress last – because each
//! later kind depends on the earlier.

use std::collections::BTreeSet;

use crate::kernel::SimTime;
use crate::model::Invariant;
use crate::model::{PoolId, Subject};

use super::rest::Owner;

/// Why to look again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Alarm {
    /// A fault window opens or closes.
    FaultEdge,
    /// A pool's cooldown ends.
    Cooldown(PoolId),
    /// A step (by number) has had its time.
    Step(u32),
    /// A grace ends.
    Grace(Invariant, Subject),
    /// An app has had its time to settle.
    Progress(Owner),
}

/// All alarms that are set.
#[derive(Default)]
pub(super) struct Alarms(BTreeSet<(SimTime, Alarm)>);

impl Alarms {
    pub(super) fn set(&mut self, at: SimTime, alarm: Alarm) {
        self.0.insert((at, alarm));
    }
    pub(super) fn unset(&mut self, at: SimTime, alarm: Alarm) {
        self.0.remove(&(at, alarm));
    }
    /// The time of the next alarm.
    pub(super) fn next(&self) -> Option<SimTime> {
        self.0.first().map(|(at, _)| *at)
    }
    /// Takes the next alarm that is not later than `now`.
    pub(super) fn pop_due(&mut self, now: SimTime) -> Option<Alarm> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, alarm)| alarm)
    }
}
