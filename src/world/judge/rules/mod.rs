//! The invariants: for each a small function with its rule and the text of its detail.
//!
//! A rule answers `None` while it holds. It reads the truth and decides nothing: graces, causes
//! and "once for each subject" are for `suspicions.rs`. What a newcomer gets wrong: the detail names
//! the limit that decided and never a revision or a record, or golden texts would ripple.

mod apps;
mod containers;
mod disks;
mod pools;
mod requests;
mod statuses;
mod volumes;

pub(super) use apps::nothing_outlives_its_app;
pub(super) use containers::{
    address_owned_once, is_over, live_program_keeps_its_own, no_leaked_address, no_orphan_container,
};
pub(super) use disks::{
    bound_lease_has_live_sandbox, disk_has_owner, disk_subject, leased_disk, mounted_once, one_bound_lease_per_disk,
    written_once,
};
pub(super) use pools::{
    failures_back_off, meant_instances, no_boot_during_cooldown, no_overshoot, pool_within_max_size,
};
pub(super) use requests::{Failed, requests_served, rollout_keeps_serving};
pub(super) use statuses::{dead_is_final, legal_transition};
pub(super) use volumes::{used_disk_keeps_data, volume_has_disk, volume_keeps_its_app};

use crate::model::{Id, Invariant, SandboxStatus, Subject, Upper, VolumeId};

use super::memory::{Text, View};

/// Asks the rule of an invariant that has a grace.
pub(super) fn ask(view: View<'_>, invariant: Invariant, subject: Subject) -> Option<Text> {
    let index = subject.index;
    match invariant {
        Invariant::BoundLeaseHasLiveSandbox => bound_lease_has_live_sandbox(view, Id::from_index(index)),
        Invariant::NoLeakedAddress => no_leaked_address(view, Id::from_index(index)),
        Invariant::NoOrphanContainer => no_orphan_container(view, Id::from_index(index)),
        Invariant::NoOvershoot => no_overshoot(view, Id::from_index(index)),
        Invariant::NothingOutlivesItsApp => nothing_outlives_its_app(view, subject),
        Invariant::VolumeHasDisk => volume_has_disk(view, VolumeId(index)),
        Invariant::LiveProgramKeepsItsOwn => live_program_keeps_its_own(view, Id::from_index(index)),
        // These are judged at once, and progress has an alarm of its own.
        Invariant::OneBoundLeasePerDisk
        | Invariant::OneMountPerVolume
        | Invariant::AddressOwnedOnce
        | Invariant::DeadIsFinal
        | Invariant::LegalTransition
        | Invariant::PoolWithinMaxSize
        | Invariant::NoBootDuringCooldown
        | Invariant::DiskHasOwner
        | Invariant::FailuresBackOff
        | Invariant::RequestsServed
        | Invariant::RolloutKeepsServing
        | Invariant::VolumeKeepsItsApp
        | Invariant::UsedDiskKeepsData
        | Invariant::Progress => None,
    }
}

/// `DEAD`, or `gone` for a sandbox that was deleted.
fn fate(status: Option<SandboxStatus>) -> String {
    status.map_or_else(|| "gone".to_owned(), |status| Upper(status.name()).to_string())
}
