//! Rules about disks, their leases and their volumes.
//!
//! They compare the store's leases with sandboxes, and the volumes with what is really mounted
//! and written. What a newcomer gets wrong: a volume is written by whoever's task runs with it,
//! whatever the lease says.

use crate::model::{
    Disk, DiskId, DiskIndex, LeaseId, LeaseIndex, LeaseStatus, Name, SandboxId, SandboxStatus, Subject, VolumeId,
};
use crate::ports::Query;

use crate::world::judge::memory::{Text, View, Written};
use crate::world::{Volume, World};

use super::fate;

/// `one-bound-lease-per-disk`: no disk has two BOUND leases.
pub(in crate::world::judge) fn one_bound_lease_per_disk(view: View<'_>, disk: DiskId) -> Option<Text> {
    let mut bound = view.memory.bound_leases(disk);
    let (first, second) = (bound.next()?, bound.next()?);
    view.broken(true, || {
        format!("{} and {} are BOUND at once", view.world.log().name(first), view.world.log().name(second))
    })
}

/// `one-mount-per-volume`, by its mounts: no volume is mounted on two nodes.
pub(in crate::world::judge) fn mounted_once(view: View<'_>, volume: VolumeId) -> Option<Text> {
    let volumes = view.world.volumes();
    let (first, second) = match volumes.get(volume)?.mounts[..] {
        [first, second, ..] => (first, second),
        [] | [_] => return None,
    };
    view.broken(true, || {
        format!("mounted on {} and {} at once", view.world.log().name(first), view.world.log().name(second))
    })
}

/// `one-mount-per-volume`, by its writers: no two live containers may write one disk.
pub(in crate::world::judge) fn written_once(view: View<'_>, disk: Written) -> Option<Text> {
    let (first, second) = match *view.memory.writers(disk) {
        [first, second, ..] => (first, second),
        [] | [_] => return None,
    };
    view.broken(true, || {
        format!("{} and {} write it at once", view.world.log().name(first), view.world.log().name(second))
    })
}

/// The disk of that name that a sandbox has leased; without a lease of its own it uses the one that there is.
pub(in crate::world::judge) fn leased_disk(world: &World, sandbox: SandboxId, name: Name) -> Option<DiskId> {
    let leases = world.tables().leases.list(Query::By(LeaseIndex::Sandbox(sandbox)));
    let is = |disk: &DiskId| world.tables().disks.with(*disk, |disk, _| disk.name) == Some(name);
    let known = || world.tables().disks.list(Query::By(DiskIndex::Name(name))).first().map(|disk| disk.id);
    leases.iter().map(|lease| lease.entity.disk).find(is).or_else(known)
}

/// What a violation of `written_once` is filed under: the volume of that disk, else the disk,
/// else the later writer.
pub(in crate::world::judge) fn disk_subject(world: &World, (name, disk): Written, writers: &[SandboxId]) -> Subject {
    let used = disk.and_then(|disk| world.tables().disks.with(disk, |disk, _| disk.volume)).flatten();
    let is = |volume: &Volume| disk.map_or(volume.name == name, |disk| volume.disk == disk);
    let made = || world.volumes().iter().find(|(_, volume)| is(volume)).map(|(id, _)| id);
    let volume = used.or_else(made).map(Subject::from);
    let row = || world.tables().disks.list(Query::By(DiskIndex::Name(name))).first().map(|row| row.id.into());
    let writer = || writers.last().map(|writer| Subject::from(*writer));
    volume.or_else(row).or_else(writer).unwrap_or(Subject::CLUSTER)
}

/// `bound-lease-has-live-sandbox`: a BOUND lease belongs to a PENDING or RUNNING sandbox.
pub(in crate::world::judge) fn bound_lease_has_live_sandbox(view: View<'_>, lease: LeaseId) -> Option<Text> {
    let (status, sandbox) = view.world.tables().leases.with(lease, |lease, _| (lease.status, lease.sandbox))?;
    let holder = view.status_of(sandbox);
    let limit = view.limits.grace.bound_lease_has_live_sandbox;
    let broken = status == LeaseStatus::Bound && !holder.is_some_and(SandboxStatus::is_live);
    view.broken(broken, || {
        format!("BOUND while {} is {}: limit {}", view.world.log().name(sandbox), fate(holder), limit.clock())
    })
}

/// `disk-has-owner`: a disk names the app that made it.
pub(in crate::world::judge) fn disk_has_owner(view: View<'_>, disk: &Disk) -> Option<Text> {
    view.broken(disk.created_by.is_none(), || "created without an owner".to_owned())
}
