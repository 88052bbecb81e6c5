//! Waits: what ended one, and what kept another from its end.
//!
//! Who polls is caused by what began to poll, so the record that ended a wait is never its cause
//! in the trace; here it is looked up: the lease that was bound at last, the disk that was made,
//! the sandbox that ran. It asks the index and decides nothing. What a newcomer gets wrong: only
//! what happened *during* a wait ended it; a disk that was there before was not waited for.

use crate::kernel::SimDuration;
use crate::model::{DiskStatus, Field, Kind, Point, Reason, SandboxStatus, Subject, Value};
use crate::trace::{Record, What};

use super::class;
use super::evidence::{Evidence, Role, becomes, has_left, is_birth, is_end, is_status};

impl Evidence<'_, '_> {
    /// How the wait for a lease ended, for what a boot did next.
    pub(super) fn of_boot_wait(&mut self, record: &Record) {
        let Some(since) = record.cause.index().filter(|_| record.subject.kind == Kind::Sandbox) else { return };
        let asked = match self.index.record(since).what {
            What::Decided(Reason::LeaseAsked { .. } | Reason::LeaseTakenUp { .. }) => Some(since),
            // A fault on one of its polls stands between.
            What::Struck { .. } | What::CallFailed { .. } => self.asked(record.subject),
            _ => None,
        };
        let Some((asked, lease)) = asked.and_then(|asked| Some((asked, self.lease_of(record.subject, asked)?))) else {
            return;
        };
        let end = self.index.last_since(lease, since, self.before, class::STATUS | class::END, is_change);
        self.add(Role::Awaited, end);
        if end.is_none() && since == asked && is_failed(record) {
            self.held_up(lease);
        }
    }

    /// Where a boot asked for the lease that it waits for.
    fn asked(&self, sandbox: Subject) -> Option<usize> {
        let tells = |r: &Record| {
            matches!(
                r.what,
                What::Decided(Reason::LeaseAsked { .. } | Reason::LeaseTakenUp { .. } | Reason::BootStarted)
            )
        };
        let last = self.index.last(sandbox, self.before, class::DECIDED, tells)?;
        (!matches!(self.index.record(last).what, What::Decided(Reason::BootStarted))).then_some(last)
    }

    /// The lease that was asked for there, or taken up.
    fn lease_of(&self, sandbox: Subject, asked: usize) -> Option<Subject> {
        if let What::Decided(Reason::LeaseTakenUp { lease }) = self.index.record(asked).what {
            return Some(lease.into());
        }
        let leases: Vec<Subject> = self.index.leases(sandbox).collect();
        let born_since = |lease: &Subject| {
            self.index.last(*lease, self.before, class::BIRTH, is_birth).is_some_and(|birth| birth > asked)
        };
        leases.into_iter().find(born_since)
    }

    /// Why a boot that asked there still waits: what became of the lease, or what holds it up.
    pub(super) fn waits_for_lease(&mut self, sandbox: Subject, asked: usize) {
        let Some(lease) = self.lease_of(sandbox, asked) else { return };
        let last = self.index.last(lease, self.before, class::STATUS | class::END, is_change);
        self.add(Role::NotReady, last);
        if last.is_none() {
            self.held_up(lease);
        }
    }

    /// What keeps a lease PENDING: its disk is not made, or a call about its volume was struck.
    fn held_up(&mut self, lease: Subject) {
        let Some(disk) = self.reference(lease, Field::Disk) else { return };
        // One search that ends at the first hit: a disk that is never made has as many records as tries.
        let last = self.index.last(disk, self.before, class::ANY, |r| is_try(r) || is_birth(r) || is_change(r));
        let is_made = |at: usize| becomes(self.index.record(at), DiskStatus::Provisioned);
        if !last.is_some_and(is_made) {
            self.add(Role::NotReady, last);
            return;
        }
        let birth = self.index.last(lease, self.before, class::BIRTH, is_birth).unwrap_or_default();
        let struck = |r: &Record| matches!(r.what, What::Struck { .. });
        for subject in [Some(lease), self.reference(disk, Field::Volume)].into_iter().flatten() {
            let last = self.index.last_since(subject, birth, self.before, class::WORLD, struck);
            self.add(Role::NotReady, last);
        }
    }

    /// The disk that a lease waited for.
    pub(super) fn waited_for_disk(&mut self, lease: Subject) {
        let Some(disk) = self.reference(lease, Field::Disk) else { return };
        let Some(birth) = self.index.last(lease, self.before, class::BIRTH, is_birth) else { return };
        let made = self.index.last_since(disk, birth, self.before, class::STATUS, is_change);
        self.add(Role::Awaited, made);
    }

    /// The try before, of what is tried until it succeeds, since the thing last changed.
    pub(super) fn tried_before(&mut self, subject: Subject, is: impl Fn(&Record) -> bool) {
        let last = self.index.last(subject, self.before, class::ANY, |r| is(r) || is_birth(r) || is_change(r));
        self.add(Role::TryBefore, last.filter(|at| is(self.index.record(*at))));
    }

    /// The port that a boot waited for.
    pub(super) fn waited_for_port(&mut self, sandbox: Subject) {
        let began = |r: &Record| matches!(r.what, What::Decided(Reason::BootStarted));
        let Some(began) = self.index.last(sandbox, self.before, class::BOOT, began) else { return };
        let bound = |r: &Record| matches!(r.what, What::PortBound);
        let bound = self.index.last_since(sandbox, began, self.before, class::WORLD, bound);
        self.add(Role::Awaited, bound);
    }

    /// The last sandbox that left while a pool was drained. Where STOPPED is enough, DEAD is found
    /// only when both came before the same look.
    pub(super) fn waited_for_drain(&mut self, pool: Subject) {
        let first = |r: &Record| matches!(r.what, What::Decided(Reason::DrainFirst));
        let Some(began) = self.index.last(pool, self.before, class::DECIDED, first) else { return };
        let left =
            self.index.last_of_pool(pool, self.before, class::END | class::STATUS, |r| has_left(r) || is_dead(r));
        self.add(Role::Awaited, left.filter(|left| *left > began));
    }

    /// Why the new pool's youngest sandbox was not ready.
    pub(super) fn new_pool_not_ready(&mut self, pool: Subject) {
        let Some(birth) = self.index.last_of_pool(pool, self.before, class::BIRTH, is_birth) else { return };
        self.not_ready(self.index.record(birth).subject);
    }

    /// The cooldown that a pool waited for, when it was short of sandboxes before that was over.
    pub(super) fn waited_for_cooldown(&mut self, pool: Subject) {
        let Some(write) = self.index.last_write(pool, Field::CooldownUntil, self.before) else { return };
        let What::Set { to: Value::Time(until), .. } = self.index.record(write).what else { return };
        let left = self.index.last_of_pool(pool, self.before, class::END | class::STATUS, has_left);
        let short = left.is_some_and(|left| self.index.record(left).at < until);
        if short && until <= self.index.record(self.before).at {
            self.add(Role::Cooldown, Some(write));
        }
    }

    /// The node that a sandbox without one waited for, at its first boot.
    pub(super) fn waited_for_node(&mut self, sandbox: Subject) {
        let none = |r: &Record| matches!(r.what, What::Decided(Reason::NoNode));
        let Some(none) = self.index.last(sandbox, self.before, class::DECIDED, none) else { return };
        let Some(node) = self.reference(sandbox, Field::Node) else { return };
        let ready = self.index.last_since(node, none, self.before, class::STATUS, is_change);
        self.add(Role::Awaited, ready);
    }

    /// The sandbox that a request waited for.
    pub(super) fn waited_for_capacity(&mut self, app: Subject, waited: SimDuration) {
        if waited.is_zero() {
            return;
        }
        let arrived = self.index.record(self.before).at.elapsed().saturating_sub(waited);
        let runs = |r: &Record| is_change(r) && becomes(r, SandboxStatus::Running);
        let last = self
            .pools(app)
            .into_iter()
            .filter_map(|pool| self.index.last_of_pool(pool, self.before, class::STATUS, runs));
        let last = last.max().filter(|at| self.index.record(*at).at.elapsed() >= arrived);
        self.add(Role::Awaited, last);
    }

    /// What a field of a subject names.
    fn reference(&mut self, subject: Subject, field: Field) -> Option<Subject> {
        let write = self.index.last_write(subject, field, self.before)?;
        match self.index.record(write).what {
            What::Set { to: Value::Ref(named), .. } => Some(named),
            _ => None,
        }
    }
}

/// A status that became another, or the end.
fn is_change(r: &Record) -> bool {
    is_end(r) || (is_status(r) && !matches!(r.what, What::Set { from, to, .. } if from == to))
}

fn is_dead(r: &Record) -> bool {
    becomes(r, SandboxStatus::Dead)
}

fn is_failed(r: &Record) -> bool {
    matches!(r.what, What::Decided(Reason::BootFailed { .. }))
}

/// A try to make a volume that failed or was struck.
pub(super) fn is_try(r: &Record) -> bool {
    matches!(r.what, What::Decided(Reason::VolumeFailed { .. }) | What::Struck { point: Point::CreateVolume, .. })
}
