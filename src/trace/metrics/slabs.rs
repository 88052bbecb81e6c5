//! What the fold keeps of each thing: a few words in a slab, found by the subject's number.
//!
//! Plain state without rules; the fold decides what changes it. It may know the model only. What
//! a newcomer gets wrong: a slot that nobody wrote yet is that of a thing that does not exist,
//! so an empty sandbox is *gone*, not pending.

use crate::kernel::{SimDuration, SimTime};
use crate::model::{LeaseStatus, SandboxStatus, Value};

/// A quantity over time and its integral.
#[derive(Default, Clone, Debug)]
pub(super) struct Integral {
    pub(super) level: u64,
    pub(super) since: SimTime,
    pub(super) total: SimDuration,
}

impl Integral {
    pub(super) fn change(&mut self, at: SimTime, up: u64, down: u64) {
        self.total = self.total + at.since(self.since) * self.level;
        self.since = at;
        self.level = self.level + up - down;
    }
}

pub(super) const NOBODY: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) struct Sandbox {
    /// None: it does not exist, or no more.
    pub(super) status: Option<SandboxStatus>,
    pub(super) pool: u32,
    pub(super) task_ended: bool,
    pub(super) container: bool,
    pub(super) leases_bound: u32,
}

impl Sandbox {
    pub(super) fn is_live(self) -> bool {
        self.status.is_some_and(SandboxStatus::is_live)
    }
    pub(super) fn is_over(self) -> bool {
        self.status.is_none_or(|status| status == SandboxStatus::Dead)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) app: u32,
    pub(super) desired: u64,
    /// In a fixed pool: the number the launcher told last.
    pub(super) configured: u64,
    pub(super) references: u64,
    pub(super) ready: u64,
    pub(super) unready: bool,
    pub(super) wait_decided: Option<SimDuration>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) disk: u32,
    pub(super) sandbox: u32,
    /// None: it does not exist, or no more.
    pub(super) status: Option<LeaseStatus>,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Disk {
    pub(super) exists: bool,
    pub(super) owner: Option<u32>,
    pub(super) users: Vec<u32>,
    pub(super) volume: Option<u32>,
}

pub(super) const SANDBOX: Sandbox =
    Sandbox { status: None, pool: NOBODY, task_ended: false, container: false, leases_bound: 0 };
pub(super) const POOL: Pool =
    Pool { app: NOBODY, desired: 0, configured: 0, references: 0, ready: 0, unready: false, wait_decided: None };
pub(super) const LEASE: Lease = Lease { disk: NOBODY, sandbox: NOBODY, status: None };

/// The number of the entity that a field names.
pub(super) fn reference(value: Value) -> u32 {
    match value {
        Value::Ref(subject) => subject.index,
        _ => NOBODY,
    }
}

pub(super) fn number(value: Value) -> u64 {
    match value {
        Value::Int(n) => n,
        _ => 0,
    }
}
