//! Reasons: why a controller decided as it did, as data.
//!
//! Metrics, explanations and texts all read these; the words are made here and nowhere else.
//! A reason names the rule and the values it compared. What a newcomer gets wrong: a reason is
//! noted *before* the write that it explains – the write's record then has it as its cause.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::time::{SimDuration, SimTime};

use super::entity::{AppId, DiskId, LeaseId, NodeId, PoolId, SandboxId, VersionId};
use super::error::Failure;
use super::id::Subject;
use super::name::{Name, Word, interned};

macro_rules! id_serialize {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_u32(self.index())
            }
        }
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                u32::deserialize(d).map(Self::from_index)
            }
        }
    )*};
}
id_serialize!(AppId, VersionId, PoolId, SandboxId, DiskId, LeaseId, NodeId);

/// Why a sandbox or container is not well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ailment {
    /// The task is gone.
    TaskGone,
    /// None of its first ports answers.
    PortSilent,
    /// There is no container.
    ContainerGone,
}

impl fmt::Display for Ailment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TaskGone => "its task is gone",
            Self::PortSilent => "its port does not answer",
            Self::ContainerGone => "its container is gone",
        })
    }
}

/// A decision of a controller, with the values that decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are what the text of the variant says they are")]
pub enum Reason {
    // -- runtime
    /// A reconcile began, for an event of this kind.
    Reconcile {
        #[serde(deserialize_with = "interned")]
        change: Word,
    },
    /// The queue was full for an event, or for so many of what was listed; the last of them has that number.
    EventsDropped { capacity: u32, count: u32, last: u32 },
    /// A handler returned an error.
    HandlerFailed { error: Failure },
    /// A call failed, and the handler goes on with the next thing.
    PassedOver { error: Failure },
    /// A watch broke.
    WatchBroke { retry_in: SimDuration },
    /// A watch ended without an error and is not reopened.
    WatchEnded,
    // -- deploy and operator
    /// The config has a field that nobody knows, and it was ignored.
    FieldIgnored { field: Name, line: u32 },
    /// A deploy was accepted.
    DeployAccepted { version: VersionId },
    /// A deploy was refused.
    DeployRefused { error: Failure },
    /// The coordinator's start fills in what the config of a service does not say.
    DefaultsFilledIn,
    /// An operator's request.
    Requested {
        #[serde(deserialize_with = "interned")]
        action: Word,
    },
    // -- launcher
    /// The active version needs a pool, and none matches its spec.
    NoPoolMatches { version: VersionId },
    /// A pool matches the spec and is used again.
    PoolReused { version: VersionId },
    /// The config wants this many.
    InstancesConfigured { instances: u32 },
    /// An auto pool is set to zero on reuse (older behaviour).
    ScaleReset,
    /// The active version does not use the pool.
    PoolUnreferenced,
    /// A deploy forgives the pool's crashes.
    CrashesForgiven { count: u32 },
    /// A service could not be seen to, and is left to the next pass.
    ServiceLeftOut { service: Name },
    /// The new pool has a ready sandbox, or the wait for it is over.
    NewPoolAwaited { ready: bool, waited: SimDuration },
    /// The old pool gives up its disks first.
    DrainFirst,
    /// The old pool is still being drained, and its service has no other.
    StillDraining,
    /// A deploy starts a pool that had scaled to zero.
    PoolFloored,
    /// The pool's spec is not the active version's any more.
    PoolReaped,
    /// The old pool is empty, or the wait for it is over.
    Drained { empty: bool, waited: SimDuration },
    // -- pool
    /// Early deaths were found and counted.
    CrashesCounted { found: u32, count: u32, wait: SimDuration, limit: SimDuration },
    /// The pool waits before it tries again.
    CoolingDown { until: SimTime },
    /// A sandbox has run long enough.
    Recovered { ran: SimDuration, limit: SimDuration },
    /// The cooldown is over, and the configured number comes back.
    CooldownOver { instances: u32 },
    /// More are wanted than any pool may have.
    CappedAtMax { limit: u32 },
    /// Too few.
    TooFew { actual: u32, desired: u32 },
    /// Too many.
    TooMany { actual: u32, desired: u32 },
    /// The pool of this sandbox was deleted.
    PoolDeleted,
    /// The counts were written down.
    Counted { actual: u32, ready: u32 },
    // -- monitor
    /// PENDING for too long.
    StalePending { age: SimDuration, limit: SimDuration },
    /// Idle for too long.
    Idle { since: SimDuration, limit: SimDuration },
    /// Wants nothing, has nothing, and nothing wants it.
    PoolEmpty { age: SimDuration, limit: SimDuration },
    // -- activator
    /// A request finds no room in the pool, which wants so many as far as the activator knows.
    NoRoom { desired: u32 },
    // -- scheduler
    /// A ready node was drawn.
    NodeChosen { ready: u32 },
    /// No node is ready.
    NoNode,
    /// The sandbox's node has not been ready for too long.
    NodeLost { since: SimDuration, limit: SimDuration },
    // -- sandbox
    /// A boot begins.
    BootStarted,
    /// An address was taken.
    AddressTaken,
    /// A boot failed.
    BootFailed { error: Failure, after: SimDuration },
    /// All ports answer (or none is waited for).
    Booted { after: SimDuration },
    /// The boot ended, but the sandbox had been stopped meanwhile.
    BootOvertaken,
    /// Healthy, yet PENDING for long.
    HealthyPending { age: SimDuration, limit: SimDuration },
    /// Something is wrong with the container.
    Unwell { ailment: Ailment },
    /// The container is cleaned up because the sandbox is to stop.
    CleanUp,
    /// The clean-up is done.
    CleanedUp,
    /// The clean-up failed.
    CleanUpFailed { error: Failure },
    /// Its process exited.
    ProcessExited { code: i32 },
    /// The node's process started, and the container is not well.
    FoundOnStart { ailment: Ailment },
    /// Dead or released for long enough.
    Collected { age: SimDuration, limit: SimDuration },
    /// A container that no living sandbox owns.
    StrayContainer { known: bool },
    // -- disks and leases
    /// No disk has that name: one is made.
    DiskMade { size_gb: u32 },
    /// The disk's volume exists.
    VolumeReady,
    /// The disk's volume could not be made.
    VolumeFailed { error: Name },
    /// The disk has no volume any more.
    VolumeVanished,
    /// Another node made a volume for the disk, and it is that node's business.
    ForeignVolume,
    /// A boot asks for the disk.
    LeaseAsked { disk: DiskId },
    /// A boot takes a lease that is there already.
    LeaseTakenUp { lease: LeaseId },
    /// Another lease of the disk is BOUND, so that the boot does not even ask.
    DiskHeld { by: LeaseId },
    /// The version cannot be read, so that disk and lease will name no app.
    OwnerUnknown { version: VersionId },
    /// The lease waits for its disk.
    DiskNotReady,
    /// Another lease of the disk came first.
    AlreadyLeased { by: LeaseId },
    /// The lease could not be bound.
    LeaseFailed { error: Failure },
    /// The volume is mounted.
    LeaseBound,
    /// The manager found a bound lease that it did not remember.
    LeaseAdopted,
    /// The mount was lost and is made again.
    MountedAgain,
    /// Nobody needs the lease any more.
    LeaseGivenUp { sandbox: SandboxId },
    /// The volume was unmounted and given back.
    VolumeGivenBack,
    /// A volume was unmounted; its own lease stays, for nobody has its nonce any more.
    VolumeStaysLeased,
    /// The volume could not be given back.
    VolumeStuck { error: Failure },
    /// Its sandbox is dead or gone.
    LeaseOrphaned { age: SimDuration, limit: SimDuration },
    /// The disk changed: its leases are looked at.
    DiskChanged,
}

impl Reason {
    /// Whether it matters to a reader of the timeline, or only with `-v`.
    pub const fn is_routine(self) -> bool {
        matches!(
            self,
            Self::Reconcile { .. }
                | Self::Counted { .. }
                | Self::DiskChanged
                | Self::AddressTaken
                | Self::PoolReused { .. }
                | Self::CleanedUp
                | Self::DiskNotReady
                | Self::NoRoom { .. }
                | Self::DiskHeld { .. }
                | Self::OwnerUnknown { .. }
                | Self::NodeChosen { .. }
        )
    }
}

impl Reason {
    /// The other thing that it is about, besides its subject; a number alone does not name it.
    pub fn speaks_of(self) -> Option<Subject> {
        Some(match self {
            Self::AlreadyLeased { by } | Self::DiskHeld { by } => by.into(),
            Self::LeaseTakenUp { lease } => lease.into(),
            Self::LeaseAsked { disk } => disk.into(),
            Self::OwnerUnknown { version } => version.into(),
            // The others speak of their own subject only.
            _ => return None,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Reconcile { change } => write!(f, "reconcile: {change}"),
            Self::EventsDropped { capacity, count: 1, .. } => {
                write!(f, "event dropped: queue full, capacity {capacity}")
            }
            Self::EventsDropped { capacity, count, .. } => {
                write!(
                    f,
                    "{count} events dropped, of this and what was listed after it: queue full, capacity {capacity}"
                )
            }
            Self::HandlerFailed { error } => write!(f, "reconcile failed: {error}"),
            Self::PassedOver { error } => write!(f, "passed over: {error}"),
            Self::WatchBroke { retry_in } => {
                write!(f, "watch broke: reopened in {}", retry_in.clock())
            }
            Self::WatchEnded => f.write_str("watch ended: not reopened"),
            Self::FieldIgnored { field, line } => {
                write!(f, "config line {line}: unknown field `{field}` is ignored")
            }
            Self::DeployAccepted { .. } => f.write_str("deploy accepted"),
            Self::DeployRefused { error } => write!(f, "deploy refused: {error}"),
            Self::DefaultsFilledIn => f.write_str("defaults filled in: its config says nothing of how many"),
            Self::Requested { action } => write!(f, "operator: {action}"),
            Self::NoPoolMatches { .. } => f.write_str("no pool matches the active version's spec"),
            Self::PoolReused { .. } => f.write_str("the pool matches the active version's spec"),
            Self::InstancesConfigured { instances } => {
                write!(f, "configured instances {instances}")
            }
            Self::ScaleReset => f.write_str("scale of the reused pool is reset"),
            Self::PoolUnreferenced => f.write_str("the active version does not use it"),
            Self::CrashesForgiven { count } => write!(f, "crashes forgiven: {count}"),
            Self::ServiceLeftOut { service } => write!(f, "service {service} is left out of this pass"),
            Self::NewPoolAwaited { ready: true, waited } => write!(f, "new pool is ready after {}", waited.clock()),
            Self::NewPoolAwaited { ready: false, waited } => write!(f, "new pool not ready within {}", waited.clock()),
            Self::DrainFirst => f.write_str("disks: the old pool is drained first"),
            Self::StillDraining => f.write_str("the old pool is still being drained: no new one yet"),
            Self::PoolFloored => f.write_str("the pool had scaled to zero: one instance to see it work"),
            Self::PoolReaped => f.write_str("its spec is not the active version's"),
            Self::Drained { empty: true, waited } => write!(f, "old pool drained after {}", waited.clock()),
            Self::Drained { empty: false, waited } => write!(f, "old pool not drained within {}", waited.clock()),
            Self::CrashesCounted { found, count, wait, limit } => {
                write!(f, "{found} died before age {}: crash count {count}, cooldown {}", limit.clock(), wait.clock())
            }
            Self::CoolingDown { .. } => f.write_str("in cooldown"),
            Self::Recovered { ran, limit } => {
                write!(f, "ran for {}, limit {}: crashes forgotten", ran.clock(), limit.clock())
            }
            Self::CooldownOver { instances } => {
                write!(f, "cooldown over: configured instances {instances}")
            }
            Self::CappedAtMax { limit } => write!(f, "desired capped at {limit}"),
            Self::TooFew { actual, desired } => write!(f, "actual {actual} < desired {desired}"),
            Self::TooMany { actual, desired } => write!(f, "actual {actual} > desired {desired}"),
            Self::PoolDeleted => f.write_str("its pool is deleted"),
            Self::Counted { actual, ready } => write!(f, "actual {actual}, ready {ready}"),
            Self::StalePending { age, limit } => {
                write!(f, "stale PENDING at age {}: limit {}", age.clock(), limit.clock())
            }
            Self::Idle { since, limit } => {
                write!(f, "idle for {}: limit {}", since.clock(), limit.clock())
            }
            Self::PoolEmpty { age, limit } => {
                write!(f, "empty for {}: limit {}", age.clock(), limit.clock())
            }
            Self::NoRoom { desired } => write!(f, "a request finds no room, desired known as {desired}"),
            Self::NodeChosen { ready } => write!(f, "drawn among {ready} ready nodes"),
            Self::NoNode => f.write_str("no node is ready for it"),
            Self::NodeLost { since, limit } => {
                write!(f, "node not ready for {}: limit {}", since.clock(), limit.clock())
            }
            Self::BootStarted => f.write_str("boot begins"),
            Self::AddressTaken => f.write_str("address taken"),
            Self::BootFailed { error, after } => {
                write!(f, "boot fails after {}: {error}", after.clock())
            }
            Self::Booted { after } => write!(f, "ready after {}", after.clock()),
            Self::BootOvertaken => f.write_str("boot done, but it is no longer wanted"),
            Self::HealthyPending { age, limit } => {
                write!(f, "healthy and still PENDING at age {}: limit {}", age.clock(), limit.clock())
            }
            Self::Unwell { ailment } => write!(f, "unhealthy: {ailment}"),
            Self::CleanUp => f.write_str("clean-up begins"),
            Self::CleanedUp => f.write_str("clean-up done"),
            Self::CleanUpFailed { error } => write!(f, "clean-up failed: {error}"),
            Self::ProcessExited { code } => write!(f, "process exited with code {code}"),
            Self::FoundOnStart { ailment } => write!(f, "found at start: {ailment}"),
            Self::Collected { age, limit } => {
                write!(f, "unchanged for {}: limit {}", age.clock(), limit.clock())
            }
            Self::StrayContainer { known: true } => f.write_str("a container of a dead sandbox"),
            Self::StrayContainer { known: false } => f.write_str("a container of no known sandbox"),
            Self::DiskMade { size_gb } => write!(f, "no disk of that name: made with {size_gb} GB"),
            Self::VolumeReady => f.write_str("its volume exists"),
            Self::VolumeFailed { error } => write!(f, "volume not made: {error}"),
            Self::VolumeVanished => f.write_str("its volume has vanished"),
            Self::ForeignVolume => f.write_str("another node made a volume for it"),
            Self::LeaseAsked { .. } => f.write_str("its boot asks for the disk"),
            Self::LeaseTakenUp { .. } => f.write_str("its boot takes up a lease that exists"),
            Self::DiskHeld { .. } => f.write_str("another lease of the disk is BOUND"),
            Self::OwnerUnknown { .. } => f.write_str("its version cannot be read: disk and lease name no app"),
            Self::DiskNotReady => f.write_str("the disk is still provisioning"),
            Self::AlreadyLeased { .. } => f.write_str("already leased by another"),
            Self::LeaseFailed { error } => write!(f, "not bound: {error}"),
            Self::LeaseBound => f.write_str("volume mounted"),
            Self::LeaseAdopted => f.write_str("adopted: bound, but not remembered"),
            Self::MountedAgain => f.write_str("mount was lost: mounted again"),
            Self::LeaseGivenUp { .. } => f.write_str("its sandbox gives it up"),
            Self::VolumeGivenBack => f.write_str("volume unmounted and given back"),
            Self::VolumeStaysLeased => f.write_str("volume unmounted, not given back: the proof of its lease is lost"),
            Self::VolumeStuck { error } => write!(f, "volume not given back: {error}"),
            Self::LeaseOrphaned { age, limit } => {
                write!(f, "its sandbox is dead or gone at age {}: limit {}", age.clock(), limit.clock())
            }
            Self::DiskChanged => f.write_str("its disk changed"),
        }
    }
}
