//! Evaluation: asks the rules about everything that is marked, then about the whole.
//!
//! Each kind of subject has one function that asks every rule which can turn on it. It reads the
//! truth as it is now, whatever the records said. What a newcomer gets wrong: marks are taken in
//! the order of [`Dirty`], because a sandbox's change may mark its pool and a lease's its disk.

use std::collections::BTreeSet;

use crate::kernel::{RecordId, SimTime};
use crate::model::Invariant;
use crate::model::{Actor, Address, AppId, Controller, DiskIndex, Kind, LeaseId, Name, PoolId, SandboxId, Subject};
use crate::ports::Query;
use crate::trace::{Record, What};
use crate::world::World;

use super::alarms::Alarm;
use super::judging::{Dirty, Judge};
use super::memory::{Look, Text, View};
use super::progress;
use super::rest::{Blocker, Owner};
use super::rhythm::End;
use super::rules;

impl Judge {
    /// Looks at everything that is marked, then at the whole.
    pub(super) fn evaluate(&mut self, world: &World) {
        while let Some((what, cause)) = self.dirty.pop() {
            match what {
                Dirty::Sandbox(id) => self.look_at_sandbox(world, id, cause),
                Dirty::Lease(id) => self.look_at_lease(world, id, cause),
                Dirty::Disk(id) => {
                    let charge = (Invariant::OneBoundLeasePerDisk, id.into());
                    self.accuse(world, charge, cause, |view| rules::one_bound_lease_per_disk(view, id));
                }
                Dirty::Volume(id) => {
                    let charge = (Invariant::OneMountPerVolume, id.into());
                    self.accuse(world, charge, cause, |view| rules::mounted_once(view, id));
                    let due = world.kernel().now() + self.limits.grace.volume_has_disk;
                    self.check(world, (Invariant::VolumeHasDisk, id.into()), due, cause);
                }
                Dirty::Writers(disk) => {
                    self.memory.review_writers(world, disk);
                    let subject = rules::disk_subject(world, disk, self.memory.writers(disk));
                    let charge = (Invariant::OneMountPerVolume, subject);
                    self.accuse(world, charge, cause, |view| rules::written_once(view, disk));
                }
                Dirty::Address(address) => self.look_at_address(world, address, cause),
                Dirty::App(id) => self.look_at_app(world, id, cause),
                Dirty::Pool(id) => self.look_at_pool(world, id, cause),
                Dirty::Step(step) => self.put(world, Blocker::Step(step), cause),
                Dirty::Home(subject) => self.look_at_home(world, subject, cause),
            }
        }
        self.settle(world);
    }

    fn look_at_sandbox(&mut self, world: &World, id: SandboxId, cause: RecordId) {
        let Look { status, is_new, recounted, retired } = self.memory.review_sandbox(world, id);
        if let Some(pool) = recounted {
            self.mark(Dirty::Pool(pool), cause);
        }
        if retired {
            self.retired(world, id, cause);
        }
        self.check_own(world, id, cause);
        if is_new {
            self.put(world, Blocker::Sandbox(id), cause);
        } else if !rules::is_over(status) {
            // What only a dead one can leave behind need not be sought.
            return;
        }
        let now = world.kernel().now();
        for (invariant, grace) in [
            (Invariant::NoLeakedAddress, self.limits.grace.no_leaked_address),
            (Invariant::NoOrphanContainer, self.limits.grace.no_orphan_container),
        ] {
            self.check(world, (invariant, id.into()), now + grace, cause);
        }
    }

    /// A sandbox that served was stopped: by whom?
    fn retired(&mut self, world: &World, id: SandboxId, cause: RecordId) {
        let by = world.log().with_trace(|trace| trace.get(cause).map(|record| record.actor.controller));
        if matches!(by, None | Some(Controller::Operator | Controller::World)) {
            return;
        }
        let Some(key) = self.view(world).service_of(id) else { return };
        self.memory.services.stopped(key, (world.kernel().now(), cause, id));
        self.accuse(world, (Invariant::RolloutKeepsServing, key.0.into()), cause, |view| {
            rules::rollout_keeps_serving(view, id)
        });
    }

    fn check_own(&mut self, world: &World, id: SandboxId, cause: RecordId) {
        let due = world.kernel().now() + self.limits.grace.live_program_keeps_its_own;
        self.check(world, (Invariant::LiveProgramKeepsItsOwn, id.into()), due, cause);
    }

    /// A lease or a disk has changed: who writes a disk may have it no more, or again.
    pub(super) fn check_writers(&mut self, world: &World, cause: RecordId) {
        for writer in self.memory.all_writers() {
            self.check_own(world, writer, cause);
        }
    }

    fn look_at_lease(&mut self, world: &World, id: LeaseId, cause: RecordId) {
        if let Some(disk) = self.memory.rebind(world, id) {
            self.mark(Dirty::Disk(disk), cause);
        }
        self.put(world, Blocker::Lease(id), cause);
        self.check_writers(world, cause);
        let due = world.kernel().now() + self.limits.grace.bound_lease_has_live_sandbox;
        self.check(world, (Invariant::BoundLeaseHasLiveSandbox, id.into()), due, cause);
    }

    fn look_at_address(&mut self, world: &World, address: Address, cause: RecordId) {
        self.memory.review_users(world, address);
        if let Some((later, text)) = rules::address_owned_once(self.view(world), address) {
            self.suspicions.find(world, (Invariant::AddressOwnedOnce, later.into()), cause, &text);
        }
    }

    fn look_at_app(&mut self, world: &World, id: AppId, cause: RecordId) {
        self.put(world, Blocker::App(id), cause);
        let version = world.tables().apps.with(id, |app, _| app.active_version).flatten();
        let version = version.and_then(|version| world.tables().versions.get(version));
        let services = version.iter().flat_map(|version| version.entity.config.iter());
        let names: BTreeSet<Name> = services.flat_map(|service| service.disks.iter().map(|disk| disk.name)).collect();
        for name in self.memory.owners.wanted_disks(id, names) {
            world.tables().disks.for_each(Query::By(DiskIndex::Name(name)), |disk| {
                self.dirty.insert(Dirty::Home(disk.id.into()), cause);
            });
        }
    }

    fn look_at_pool(&mut self, world: &World, id: PoolId, cause: RecordId) {
        let until = self.view(world).cooldown(id);
        let alarm = Alarm::Cooldown(id);
        if self.memory.cooldowns.get(&id).map(|(until, _)| *until) != until {
            if let Some((until, _)) = self.memory.cooldowns.remove(&id) {
                self.alarms.unset(until, alarm);
            }
            if let Some(until) = until {
                self.memory.cooldowns.insert(id, (until, cause));
                self.alarms.set(until, alarm);
            }
            self.put(world, Blocker::Cooldown(id), cause);
        }
        self.put(world, Blocker::Pool(id), cause);
        let charge = (Invariant::PoolWithinMaxSize, id.into());
        self.accuse(world, charge, cause, |view| rules::pool_within_max_size(view, id));
        let due = world.kernel().now() + self.limits.grace.no_overshoot;
        self.check(world, (Invariant::NoOvershoot, id.into()), due, cause);
    }

    fn look_at_home(&mut self, world: &World, subject: Subject, cause: RecordId) {
        self.put(world, Blocker::Leftover(subject), cause);
        let deleted = self.view(world).leftover_of(subject).and_then(|app| self.memory.owners.deleted(app));
        let due = deleted.map_or(SimTime::MAX, |(at, _)| at + self.limits.grace.nothing_outlives_its_app);
        self.check(world, (Invariant::NothingOutlivesItsApp, subject), due, cause);
    }

    /// Asks the rule of an invariant with a grace.
    fn check(&mut self, world: &World, charge: (Invariant, Subject), due: SimTime, cause: RecordId) {
        if rules::ask(self.silent_view(world), charge.0, charge.1).is_none() {
            self.suspicions.clear(&mut self.alarms, charge);
        } else if !self.suspicions.is_known(charge) {
            if due > world.kernel().now() {
                self.suspicions.suspect(&mut self.alarms, charge, due, cause);
            } else if let Some(text) = rules::ask(self.view(world), charge.0, charge.1) {
                self.suspicions.find(world, charge, cause, &text);
            }
        }
    }

    pub(super) fn grace_is_over(&mut self, world: &World, charge: (Invariant, Subject)) {
        let Some(cause) = self.suspicions.take_due(charge) else { return };
        let text = rules::ask(self.view(world), charge.0, charge.1);
        debug_assert!(text.is_some(), "{charge:?} holds again, and no record led here");
        if let Some(text) = text {
            self.suspicions.find(world, charge, cause, &text);
        }
    }

    pub(super) fn time_is_up(&mut self, world: &World, owner: Owner) {
        if !self.progress.is_over(owner, world.kernel().now(), &self.limits, &mut self.alarms) {
            return;
        }
        let view = self.view(world);
        let concerns = |of| view.owner_of_subject(of).is_none_or(|of| owner.is_none_or(|owner| owner == of));
        let steps = self.rest.troubles_of(owner).any(|(blocker, _)| matches!(blocker, Blocker::Step(_)));
        if let Some(until) = progress::excused_until(world, owner, steps, concerns) {
            self.progress.excuse(owner, until, &self.limits, &mut self.alarms);
            return;
        }
        // Of several blockers the first is told, so its record is the cause.
        let cause = self.rest.troubles_of(owner).next().map_or(RecordId::NONE, |(_, record)| record);
        let hangs = self.hung.contains(&owner);
        if let Some(text) = progress::progress(view, &self.rest, owner, hangs) {
            let subject = owner.map_or(Subject::CLUSTER, Subject::from);
            self.suspicions.find(world, (Invariant::Progress, subject), cause, &text);
        }
    }

    /// Puts a blocker in or takes it out.
    fn put(&mut self, world: &World, blocker: Blocker, cause: RecordId) {
        let view = View { world, memory: &self.memory, limits: &self.limits, silent: true };
        let there = view.blocker(blocker).is_some();
        self.rest.put(blocker, there, cause, || view.owner(blocker));
    }

    /// Writes down when the cluster comes to rest, and when it leaves it.
    fn settle(&mut self, world: &World) {
        for owner in self.rest.take_moved() {
            match (self.progress.runs(owner), self.rest.is_troubled(owner)) {
                (false, true) => {
                    self.rest.calm.remove(&owner);
                    self.progress.restart(owner, world.kernel().now(), &self.limits, &mut self.alarms);
                }
                (true, false) => {
                    self.rest.calm.insert(owner, world.kernel().now());
                    self.progress.stop(owner, &mut self.alarms);
                    self.hung.remove(&owner);
                }
                (true, true) | (false, false) => {}
            }
        }
        let (was, is) = (self.rest.since.is_some(), self.rest.is_untroubled());
        if was == is {
            return;
        }
        let judge = Actor::central(Controller::World);
        let what = if is { What::Settled } else { What::Unsettled };
        world.log().record_caused(judge, Subject::CLUSTER, self.rest.moved_by, what);
        let now = world.kernel().now();
        self.rest.since = is.then_some(now);
        if is {
            self.rhythm.rests(now, self.view(world).serving());
        } else {
            let end = self.end_of_rest(world);
            self.rhythm.leaves(now, end);
        }
    }

    /// What ended a rest: a request that made a pool grow, a program that has exited by itself since
    /// the last rest ended, or nothing but the scheduler.
    fn end_of_rest(&mut self, world: &World) -> End {
        let exited = std::mem::take(&mut self.exited);
        let is_exit = |record: &Record| matches!(record.what, What::TaskEnded { .. });
        let is_raise =
            |record: &Record| record.actor.controller == Controller::Activator && record.subject.kind == Kind::Pool;
        let woken = world.log().with_trace(|trace| {
            let mut causes = std::iter::successors(trace.get(self.rest.moved_by), |record| trace.get(record.cause));
            causes.find(|record| is_exit(record) || is_raise(record)).is_some_and(|record| is_raise(&record))
        });
        match (woken, exited) {
            (true, _) => End::Woken,
            (false, true) => End::Exit,
            (false, false) => End::Itself,
        }
    }

    /// Records a violation of a rule without grace.
    pub(super) fn accuse(
        &mut self,
        world: &World,
        charge: (Invariant, Subject),
        cause: RecordId,
        broken: impl FnOnce(View<'_>) -> Option<Text>,
    ) {
        if self.suspicions.is_found(charge) {
            return;
        }
        if let Some(text) = broken(self.view(world)) {
            self.suspicions.find(world, charge, cause, &text);
        }
    }
}
