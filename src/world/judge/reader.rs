//! Reads trace records: which of them mean that something must be looked at again.
//!
//! It marks subjects and fills the memory; only what a record alone can tell – transitions,
//! creations, failed boots – is judged here. It makes no difference who wrote a record. What a
//! newcomer gets wrong: the fields that follow a creation are part of it, so that the creation
//! and not its last field is named as the cause.

use std::ops::Range;

use crate::kernel::RecordId;
use crate::model::{
    Address, AppId, Controller, DiskId, DiskIndex, Field, Id, Invariant, Kind, LeaseId, Name, NodeId, Point, Reason,
    SandboxId, SandboxIndex, Subject, Value, VolumeId,
};
use crate::ports::Query;
use crate::trace::{Record, Trace, What};
use crate::world::{Process, World};

use super::judging::{Dirty, Judge};
use super::rules::{self, Failed};

/// How many causes back the boot that made a disk may lie.
const BOOT_WITHIN: usize = 64;

/// Whether the judge has to see a record before time passes. Most records are decisions, and of
/// those only one kind matters.
pub(in crate::world) fn must_be_seen(what: &What) -> bool {
    match what {
        What::Decided(reason) => matches!(reason, Reason::BootFailed { .. }),
        What::Called { point, .. } => *point == Point::CreateContainer,
        What::Created { .. }
        | What::Deleted { .. }
        | What::Set { .. }
        | What::TaskStarted
        | What::PortBound
        | What::TaskEnded { .. }
        | What::ContainerGone
        | What::AddressTaken(_)
        | What::AddressFreed(_)
        | What::Mounted { .. }
        | What::VolumeMade
        | What::VolumeGone
        | What::RequestFailed { .. }
        | What::ProcessDown
        | What::ProcessUp
        | What::Struck { .. }
        | What::StepBegan
        | What::StepEnded { .. } => true,
        What::CallFailed { .. }
        | What::Patched { .. }
        | What::Conflict
        | What::RequestServed { .. }
        | What::Unmounted { .. }
        | What::Drawn { .. }
        | What::Broken { .. }
        | What::Settled
        | What::Unsettled
        | What::Note(_) => false,
    }
}

/// The first of these records that the judge must take in: the others are passed over here, for
/// speed.
pub(super) fn first_to_read(trace: &Trace, range: Range<usize>) -> Option<(usize, Record)> {
    let place = trace.records().first_in(range, |record| must_be_seen(&record.what))?;
    Some((place, trace.records().at(place)))
}

impl Judge {
    /// Takes one record in.
    pub(super) fn read(&mut self, world: &World, id: RecordId, record: &Record) {
        let subject = record.subject;
        let sandbox = SandboxId::from_index(subject.index);
        match record.what {
            What::Created { .. } => {
                self.birth = id;
                self.born(world, subject, id);
            }
            What::Deleted { .. } => self.gone(world, subject, id),
            What::Set { field, from, to } if record.cause != self.birth => {
                self.written(world, subject, field, (from, to), id);
            }
            What::Decided(Reason::BootFailed { .. }) if subject.kind == Kind::Sandbox => {
                self.boot_failed(world, sandbox, id);
            }
            What::Called { point: Point::CreateContainer, .. } => {
                self.mark(Dirty::Sandbox(sandbox), id);
                self.container_address(world, sandbox, id);
            }
            What::TaskStarted => {
                self.mark(Dirty::Sandbox(sandbox), id);
                self.container_address(world, sandbox, id);
                self.container_disks(world, sandbox, id);
            }
            What::TaskEnded { .. } => {
                self.exited |= record.actor.controller == Controller::World;
                self.mark(Dirty::Sandbox(sandbox), id);
            }
            What::PortBound | What::ContainerGone => self.mark(Dirty::Sandbox(sandbox), id),
            What::AddressTaken(address) => {
                self.memory.address_taken(sandbox, address);
                self.mark(Dirty::Sandbox(sandbox), id);
            }
            What::AddressFreed(address) => {
                self.memory.address_freed(sandbox, address);
                self.mark(Dirty::Sandbox(sandbox), id);
            }
            What::Mounted { .. } | What::VolumeGone => self.mark(Dirty::Volume(VolumeId(subject.index)), id),
            What::VolumeMade => self.volume_made(world, VolumeId(subject.index), id),
            What::RequestFailed { service, waited, error } if subject.kind == Kind::App => {
                let app = Id::from_index(subject.index);
                self.request_failed(world, Failed { app, service, waited, error }, id);
            }
            // Nobody is called so.
            What::RequestFailed { .. } => {}
            What::ProcessDown | What::ProcessUp => self.process_changed(world, subject, id),
            What::Struck { fault, effect, .. } => {
                self.struck(world, subject, (fault, effect));
                self.faults_moved(world, id);
            }
            What::StepBegan => {
                self.disturbed(world, None);
                self.step_began(world, subject.index, id);
            }
            What::StepEnded { .. } => self.step_ended(subject.index, id),
            // The fields of a creation.
            What::Set { .. } => {}
            other => debug_assert!(!must_be_seen(&other), "{other:?} must be seen, and nobody reads it"),
        }
    }

    /// An entity was created.
    fn born(&mut self, world: &World, subject: Subject, id: RecordId) {
        let tables = &world.tables();
        let index = subject.index;
        let home = match subject.kind {
            Kind::App => {
                self.mark(Dirty::App(Id::from_index(index)), id);
                None
            }
            Kind::Version => tables.versions.get(Id::from_index(index)).map(|version| {
                let services = version.entity.config.iter();
                let disks = services.flat_map(|service| service.disks.iter().map(|disk| disk.name));
                self.memory.owners.names_disks(version.entity.app, disks);
                version.entity.app
            }),
            Kind::Pool => {
                let pool = Id::from_index(index);
                let app = tables.pools.with(pool, |pool, _| pool.app);
                if let Some(app) = app {
                    self.memory.owners.pool_born(pool, app);
                    self.mark(Dirty::App(app), id);
                }
                self.mark(Dirty::Pool(pool), id);
                app
            }
            Kind::Sandbox => self.sandbox_born(world, Id::from_index(index), id),
            Kind::Disk => {
                let disk = tables.disks.get(Id::from_index(index));
                self.mark_volumes(world, id);
                disk.and_then(|disk| {
                    let charge = (Invariant::DiskHasOwner, subject);
                    self.accuse(world, charge, id, |view| rules::disk_has_owner(view, &disk.entity));
                    disk.entity.created_by.or_else(|| self.maker(world, id))
                })
            }
            Kind::Lease => self.lease_born(world, Id::from_index(index), id),
            Kind::Node | Kind::Cluster | Kind::Volume | Kind::Step | Kind::Fault | Kind::Process => None,
        };
        if let Some(app) = home {
            self.give_home(subject, app, id);
        }
    }

    fn volume_made(&mut self, world: &World, volume: VolumeId, id: RecordId) {
        self.mark(Dirty::Volume(volume), id);
        let owner = self.view(world).owner_of_subject(volume.into());
        if let Some(app) = owner.and_then(|app| world.tables().apps.with(app, |app, _| app.name)) {
            self.memory.volumes.belongs(volume, app);
        }
    }

    /// A program of an app gets a disk.
    fn disk_given(&mut self, world: &World, disk: DiskId, name: Name, user: Name, id: RecordId) {
        self.memory.volumes.used(disk, name);
        let Some(volume) = world.tables().disks.with(disk, |disk, _| disk.volume).flatten() else { return };
        self.memory.volumes.belongs(volume, user);
        let charge = (Invariant::VolumeKeepsItsApp, volume.into());
        self.accuse(world, charge, id, |view| rules::volume_keeps_its_app(view, volume, user));
    }

    /// What disks there are, and which volumes they use, has changed.
    fn mark_volumes(&mut self, world: &World, id: RecordId) {
        self.check_writers(world, id);
        world.volumes().iter().for_each(|(volume, _)| self.mark(Dirty::Volume(volume), id));
    }

    fn request_failed(&mut self, world: &World, failed: Failed, id: RecordId) {
        let charge = (Invariant::RequestsServed, failed.app.into());
        if self.suspicions.is_found(charge) {
            return;
        }
        let broken = rules::requests_served(self.view(world), failed);
        if let Some((blamed, text)) = broken {
            let cause = if blamed == RecordId::NONE { id } else { blamed };
            self.suspicions.find(world, charge, cause, &text);
        }
    }

    fn sandbox_born(&mut self, world: &World, sandbox: SandboxId, id: RecordId) -> Option<AppId> {
        self.mark(Dirty::Sandbox(sandbox), id);
        self.sandbox_address(world, sandbox, id);
        let pool = world.store().pool_of(sandbox.index())?;
        let charge = (Invariant::NoBootDuringCooldown, pool.into());
        self.accuse(world, charge, id, |view| rules::no_boot_during_cooldown(view, pool, sandbox));
        self.memory.owners.of_pool(pool)
    }

    fn lease_born(&mut self, world: &World, lease: LeaseId, id: RecordId) -> Option<AppId> {
        self.mark(Dirty::Lease(lease), id);
        let (disk, app, sandbox) =
            world.tables().leases.with(lease, |lease, _| (lease.disk, lease.app, lease.sandbox))?;
        let app = app.or_else(|| self.app_of(world, sandbox))?;
        // The first to lease a disk that nobody owns and that no boot is known to have made.
        if self.memory.owners.of(disk.into()).is_none() {
            self.give_home(disk.into(), app, id);
        }
        Some(app)
    }

    /// An entity was deleted.
    fn gone(&mut self, world: &World, subject: Subject, id: RecordId) {
        let index = subject.index;
        match subject.kind {
            Kind::App => self.app_gone(world, Id::from_index(index), id),
            Kind::Version => {
                // An app whose active version is gone is not at rest.
                if let Some(app) = self.memory.owners.of(subject) {
                    self.mark(Dirty::App(app), id);
                    self.mark_pools(world, app, id);
                }
            }
            Kind::Pool => {
                self.mark(Dirty::Pool(Id::from_index(index)), id);
                if let Some(app) = self.memory.owners.of(subject) {
                    self.mark(Dirty::App(app), id);
                }
            }
            Kind::Sandbox => {
                self.mark(Dirty::Sandbox(Id::from_index(index)), id);
                self.mark_leases(world, Id::from_index(index), id);
            }
            Kind::Lease => self.mark(Dirty::Lease(Id::from_index(index)), id),
            Kind::Disk => {
                self.mark_volumes(world, id);
                let charge = (Invariant::UsedDiskKeepsData, subject);
                let disk = Id::from_index(index);
                self.accuse(world, charge, id, |view| rules::used_disk_keeps_data(view, disk));
            }
            Kind::Node | Kind::Cluster | Kind::Volume | Kind::Step | Kind::Fault | Kind::Process => {}
        }
        // Of a living app nothing remains to be told.
        let app = self.memory.owners.forget(subject);
        if app.is_some_and(|app| self.memory.owners.deleted(app).is_some()) {
            self.mark(Dirty::Home(subject), id);
        }
    }

    fn app_gone(&mut self, world: &World, app: AppId, id: RecordId) {
        self.mark(Dirty::App(app), id);
        self.mark_pools(world, app, id);
        self.memory.owners.delete(app, world.kernel().now(), id);
        // Disks that nobody owns, leased or is known to have made are told by their names.
        for name in self.memory.owners.named_disks(app) {
            let disks = world.tables().disks.list(Query::By(DiskIndex::Name(name)));
            for disk in disks.iter() {
                if self.memory.owners.of(disk.id.into()).is_none() {
                    self.memory.owners.settle(disk.id.into(), app);
                }
            }
        }
        for subject in self.memory.owners.belongings(app) {
            self.mark(Dirty::Home(subject), id);
        }
    }

    /// A field of an entity was written.
    fn written(&mut self, world: &World, subject: Subject, field: Field, values: (Value, Value), id: RecordId) {
        let index = subject.index;
        if field == Field::Status {
            self.status_written(world, subject, values, id);
        }
        match (subject.kind, field) {
            (Kind::App, Field::ActiveVersion) => {
                self.mark(Dirty::App(Id::from_index(index)), id);
                self.mark_pools(world, Id::from_index(index), id);
            }
            (Kind::Pool, Field::ReferencedByVersions) => {
                self.mark(Dirty::Pool(Id::from_index(index)), id);
                if let Some(app) = self.memory.owners.of_pool(Id::from_index(index)) {
                    self.mark(Dirty::App(app), id);
                }
            }
            (Kind::Pool, Field::DesiredInstances | Field::CooldownUntil) => {
                self.mark(Dirty::Pool(Id::from_index(index)), id);
            }
            (Kind::Sandbox, Field::Status) => {
                self.mark(Dirty::Sandbox(Id::from_index(index)), id);
                self.mark_leases(world, Id::from_index(index), id);
            }
            (Kind::Sandbox, Field::Address) => self.sandbox_address(world, Id::from_index(index), id),
            (Kind::Lease, Field::Status) => self.mark(Dirty::Lease(Id::from_index(index)), id),
            (Kind::Disk, Field::Volume) => self.mark_volumes(world, id),
            (Kind::Disk, Field::CreatedBy) => {
                if let Value::Ref(app) = values.1 {
                    self.give_home(subject, Id::from_index(app.index), id);
                }
            }
            // No rule reads the others.
            _ => {}
        }
    }

    fn status_written(&mut self, world: &World, subject: Subject, (from, to): (Value, Value), id: RecordId) {
        if let (Value::Status(from), Value::Status(to)) = (from, to) {
            for (invariant, broken) in [
                (Invariant::LegalTransition, rules::legal_transition(from, to)),
                (Invariant::DeadIsFinal, rules::dead_is_final(from, to)),
            ] {
                if let Some(text) = broken {
                    self.accuse(world, (invariant, subject), id, |_| Some(text));
                }
            }
        }
        if self.triggers {
            self.faults_moved(world, id);
        }
    }

    fn boot_failed(&mut self, world: &World, sandbox: SandboxId, id: RecordId) {
        let Some(pool) = world.store().pool_of(sandbox.index()) else { return };
        let meant = rules::meant_instances(self.silent_view(world), pool);
        let (failed, meant) = self.memory.boot_failed(pool, meant, world.kernel().now(), &self.limits);
        let charge = (Invariant::FailuresBackOff, pool.into());
        self.accuse(world, charge, id, |view| rules::failures_back_off(view, failed, meant));
    }

    /// A node's process died or started: its sandboxes serve, or do not.
    fn process_changed(&mut self, world: &World, subject: Subject, id: RecordId) {
        // What it was asked for died with it.
        if subject == Process::Coordinator.subject() {
            while let Some(step) = self.memory.steps.keys().next().copied() {
                self.step_ended(step, id);
            }
        }
        let Some(node) = subject.index.checked_sub(Process::Node(NodeId::from_index(0)).subject().index) else {
            return;
        };
        let there = Query::By(SandboxIndex::Node(NodeId::from_index(node)));
        for row in world.tables().sandboxes.list(there).iter() {
            self.mark(Dirty::Sandbox(row.id), id);
        }
    }

    fn container_address(&mut self, world: &World, sandbox: SandboxId, id: RecordId) {
        let has = world.containers().get(sandbox).map(|container| container.address);
        let names = world.tables().sandboxes.with(sandbox, |sandbox, _| sandbox.address).flatten();
        // Mostly they are the same.
        for address in has.into_iter().chain(names.filter(|named| Some(*named) != has)) {
            self.uses_address(sandbox, address, id);
        }
    }

    fn sandbox_address(&mut self, world: &World, sandbox: SandboxId, id: RecordId) {
        let names = world.tables().sandboxes.with(sandbox, |sandbox, _| sandbox.address).flatten();
        if let Some(address) = names {
            self.uses_address(sandbox, address, id);
        }
    }

    fn uses_address(&mut self, sandbox: SandboxId, address: Address, id: RecordId) {
        self.memory.uses_address(sandbox, address);
        self.mark(Dirty::Address(address), id);
    }

    fn container_disks(&mut self, world: &World, sandbox: SandboxId, id: RecordId) {
        let spec = world.containers().get(sandbox).map(|container| container.spec.clone());
        let user = self.app_of(world, sandbox).and_then(|app| world.tables().apps.with(app, |app, _| app.name));
        for volume in spec.iter().flat_map(|spec| spec.volumes.iter()) {
            let leased = rules::leased_disk(world, sandbox, volume.name);
            if let (Some(disk), Some(user)) = (leased, user) {
                self.disk_given(world, disk, volume.name, user, id);
            }
            if !volume.read_only {
                self.memory.writes_disk(sandbox, (volume.name, leased));
                self.mark(Dirty::Writers((volume.name, leased)), id);
            }
        }
    }

    fn give_home(&mut self, subject: Subject, app: AppId, id: RecordId) {
        let former = self.memory.owners.settle(subject, app);
        if former.is_some() || self.memory.owners.deleted(app).is_some() {
            self.mark(Dirty::Home(subject), id);
        }
    }

    fn app_of(&self, world: &World, sandbox: SandboxId) -> Option<AppId> {
        self.memory.owners.of_pool(world.store().pool_of(sandbox.index())?)
    }

    /// The app whose boot led to a record, as its causes tell.
    fn maker(&self, world: &World, id: RecordId) -> Option<AppId> {
        let boot = world.log().with_trace(|trace| {
            let mut causes = std::iter::successors(trace.get(id), |record| trace.get(record.cause));
            causes.by_ref().take(BOOT_WITHIN).map(|record| record.subject).find(|s| s.kind == Kind::Sandbox)
        })?;
        self.app_of(world, SandboxId::from_index(boot.index))
    }
}
