//! Evidence: what a decision went by, besides the record that set it off.
//!
//! One function says for every reason, and one for every invariant, which earlier records had to
//! be as they were: who held the disk, what had become of the sandboxes, since when the pool
//! cooled down. It asks the index and decides nothing. What a newcomer gets wrong: a resync
//! names the entity's last write as its cause, which is seldom *why* it acted; the evidence is.

use crate::model::Invariant;
use crate::model::reason::Ailment;
use crate::model::{
    AnyStatus, Controller, Field, Kind, LeaseStatus, Reason, RequestError, SandboxStatus, Subject, Value,
};
use crate::trace::{Record, What};

use super::class;
use super::index::Index;
use super::waits::is_try;

/// How many records a search without an index looks back: what a launcher does between two resyncs is far less.
const LOOKED_BACK_MAX: usize = 10_000;

/// In which way an earlier record was needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// It set off what followed.
    Cause,
    /// It said how many there should be.
    Wanted,
    /// It is what became of the pool's sandboxes.
    Members,
    /// It is why the sandbox was not ready.
    NotReady,
    /// It is the try before.
    TryBefore,
    /// It is who held the disk.
    Holder,
    /// It is the end of what this belongs to.
    OwnerGone,
    /// It is how the thing came to be.
    Birth,
    /// It is what had happened to the thing.
    Happened,
    /// It began the cooldown.
    Cooldown,
    /// It ended a wait.
    Awaited,
    /// It is what a controller had begun and not ended.
    Busy,
}

impl Role {
    /// What a story writes before a side cause.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cause => "set off by",
            Self::Wanted => "how many were wanted",
            Self::Members => "what became of its sandboxes",
            Self::NotReady => "why it was not ready",
            Self::TryBefore => "the try before",
            Self::Holder => "who held the disk",
            Self::OwnerGone => "the end of its owner",
            Self::Birth => "how it came to be",
            Self::Happened => "what had happened to it",
            Self::Cooldown => "since when it cooled down",
            Self::Awaited => "what it waited for",
            Self::Busy => "what its launcher was still waiting for",
        }
    }
}

/// An earlier record that was needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Because {
    pub(super) at: usize,
    pub(super) role: Role,
    /// Whether the story follows it, even when another came later.
    pub(super) leads: bool,
}

/// Collects evidence for one record.
pub(super) struct Evidence<'i, 'a> {
    pub(super) index: &'i mut Index<'a>,
    /// Only what came before that record counts.
    pub(super) before: usize,
    found: Vec<Because>,
}

impl<'i, 'a> Evidence<'i, 'a> {
    /// Collects into `found`, which must be empty.
    pub(super) fn new(index: &'i mut Index<'a>, before: usize, found: Vec<Because>) -> Self {
        debug_assert!(found.is_empty(), "what it holds belongs to another record");
        Self { index, before, found }
    }

    pub(super) fn found(self) -> Vec<Because> {
        self.found
    }

    pub(super) fn add(&mut self, role: Role, at: Option<usize>) {
        self.found.extend(at.map(|at| Because { at, role, leads: false }));
    }

    pub(super) fn add_last(&mut self, role: Role, subject: Subject, of: u8, is: impl Fn(&Record) -> bool) {
        let at = self.index.last(subject, self.before, of, is);
        self.add(role, at);
    }

    fn add_write(&mut self, role: Role, subject: Subject, field: Field) {
        let at = self.index.last_write(subject, field, self.before);
        self.add(role, at);
    }

    fn add_member(&mut self, pool: Subject, of: u8, is: impl Fn(&Record) -> bool) {
        let at = self.index.last_of_pool(pool, self.before, of, is);
        self.add(Role::Members, at);
    }

    /// What a decision about a subject went by.
    pub(super) fn of_reason(&mut self, subject: Subject, reason: Reason) {
        match reason {
            Reason::NoRoom { .. } => {
                self.add_write(Role::Wanted, subject, Field::DesiredInstances);
            }
            Reason::TooFew { .. } => {
                self.add_write(Role::Wanted, subject, Field::DesiredInstances);
                self.add_member(subject, class::END | class::STATUS, has_left);
                self.waited_for_cooldown(subject);
            }
            Reason::TooMany { .. } => {
                if let Some(pool) = self.index.parent(subject) {
                    self.add_write(Role::Wanted, pool, Field::DesiredInstances);
                    self.add_member(pool, class::BIRTH, is_birth);
                }
            }
            Reason::PoolEmpty { .. } => {
                self.add_write(Role::Wanted, subject, Field::DesiredInstances);
                self.add_member(subject, class::END | class::STATUS, has_left);
            }
            Reason::InstancesConfigured { .. }
            | Reason::ScaleReset
            | Reason::PoolFloored
            | Reason::CappedAtMax { .. } => {
                self.add_write(Role::Wanted, subject, Field::DesiredInstances);
            }
            Reason::CrashesCounted { .. } => {
                self.add_member(subject, class::STATUS, |r| becomes(r, SandboxStatus::Dead))
            }
            Reason::Recovered { .. } | Reason::Idle { .. } | Reason::NewPoolAwaited { ready: true, .. } => {
                self.add_member(subject, class::STATUS, |r| becomes(r, SandboxStatus::Running));
            }
            Reason::NewPoolAwaited { ready: false, .. } => {
                self.add_member(subject, class::LIFE, |r| is_failed_boot(r) || has_left(r) || is_birth(r));
                self.new_pool_not_ready(subject);
            }
            Reason::Drained { empty: true, .. } => self.waited_for_drain(subject),
            Reason::Drained { empty: false, .. } | Reason::StillDraining => {
                self.add_member(subject, class::STATUS | class::BIRTH, |r| is_status(r) || is_birth(r))
            }
            Reason::CoolingDown { .. } | Reason::CooldownOver { .. } => {
                self.add_write(Role::Cooldown, subject, Field::CooldownUntil);
            }
            Reason::CrashesForgiven { .. } => {
                self.add_write(Role::Happened, subject, Field::ConsecutiveCrashCount);
            }
            Reason::PoolDeleted => {
                if let Some(pool) = self.index.parent(subject) {
                    self.add_last(Role::OwnerGone, pool, class::END, is_end);
                }
            }
            Reason::StalePending { .. } | Reason::HealthyPending { .. } => self.not_ready(subject),
            Reason::NodeLost { .. } => {
                let node = self.index.last_write(subject, Field::Node, self.before);
                if let Some(What::Set { to: Value::Ref(node), .. }) = node.map(|at| self.index.record(at).what) {
                    self.add_write(Role::Happened, node, Field::Status);
                }
            }
            Reason::NoNode => self.nodes(),
            Reason::BootStarted => {
                let before = self.index.last(subject, self.before, class::FAILED, is_failed_boot);
                self.add(Role::TryBefore, before);
                if before.is_none() {
                    self.waited_for_node(subject);
                }
            }
            Reason::Booted { .. } => self.waited_for_port(subject),
            Reason::LeaseBound | Reason::LeaseFailed { .. } => self.waited_for_disk(subject),
            Reason::VolumeReady | Reason::VolumeFailed { .. } => self.tried_before(subject, is_try),
            Reason::CleanedUp => {
                self.tried_before(subject, |r| matches!(r.what, What::Decided(Reason::CleanUpFailed { .. })));
            }
            Reason::VolumeGivenBack => {
                self.tried_before(subject, |r| matches!(r.what, What::Decided(Reason::VolumeStuck { .. })));
            }
            Reason::BootFailed { .. } => self.failed_boot(subject),
            Reason::BootOvertaken => {
                self.add_last(Role::Happened, subject, class::STATUS | class::END, |r| is_status(r) || is_end(r))
            }
            Reason::Unwell { ailment } | Reason::FoundOnStart { ailment } => {
                self.add_last(Role::Happened, subject, class::WORLD, |r| shows(r, ailment));
            }
            Reason::StrayContainer { .. } => {
                self.add_last(Role::OwnerGone, subject, class::STATUS | class::END, |r| {
                    is_end(r) || becomes(r, SandboxStatus::Dead)
                });
            }
            Reason::AlreadyLeased { by } | Reason::DiskHeld { by } => {
                self.add_last(Role::Holder, by.into(), class::STATUS | class::BIRTH, |r| is_status(r) || is_birth(r));
            }
            Reason::LeaseTakenUp { lease } => {
                self.add_last(Role::Happened, lease.into(), class::STATUS | class::BIRTH, |r| {
                    is_status(r) || is_birth(r)
                });
            }
            Reason::LeaseOrphaned { .. } => {
                if let Some(sandbox) = self.index.parent(subject) {
                    self.add_last(Role::OwnerGone, sandbox, class::STATUS | class::END, |r| {
                        is_end(r) || becomes(r, SandboxStatus::Dead)
                    });
                }
            }
            Reason::OwnerUnknown { version } => self.add_last(Role::OwnerGone, version.into(), class::END, is_end),
            // What set these off says all: the event, the call, the request.
            Reason::Reconcile { .. }
            | Reason::EventDropped { .. }
            | Reason::HandlerFailed { .. }
            | Reason::PassedOver { .. }
            | Reason::ServiceLeftOut { .. }
            | Reason::WatchBroke { .. }
            | Reason::WatchEnded
            | Reason::FieldIgnored { .. }
            | Reason::DeployAccepted { .. }
            | Reason::DeployRefused { .. }
            | Reason::Requested { .. }
            | Reason::NoPoolMatches { .. }
            | Reason::PoolReused { .. }
            | Reason::PoolUnreferenced
            | Reason::PoolReaped
            | Reason::DrainFirst
            | Reason::Counted { .. }
            | Reason::NodeChosen { .. }
            | Reason::AddressTaken
            | Reason::CleanUp
            | Reason::CleanUpFailed { .. }
            | Reason::ProcessExited { .. }
            | Reason::Collected { .. }
            | Reason::DiskMade { .. }
            | Reason::VolumeVanished
            | Reason::ForeignVolume
            | Reason::LeaseAsked { .. }
            | Reason::DiskNotReady
            | Reason::LeaseAdopted
            | Reason::MountedAgain
            | Reason::LeaseGivenUp { .. }
            | Reason::VolumeStuck { .. }
            | Reason::VolumeStaysLeased
            | Reason::DiskChanged => {}
        }
    }

    /// Why a sandbox was still PENDING.
    pub(super) fn not_ready(&mut self, sandbox: Subject) {
        let tells = |r: &Record| match r.what {
            What::Decided(reason) => matches!(
                reason,
                Reason::BootStarted
                    | Reason::BootFailed { .. }
                    | Reason::NoNode
                    | Reason::LeaseAsked { .. }
                    | Reason::LeaseTakenUp { .. }
            ),
            What::Struck { .. } => true,
            // Nothing else keeps a sandbox from its boot's end.
            _ => false,
        };
        let last = self.index.last(sandbox, self.before, class::DECIDED | class::WORLD, tells);
        self.add(Role::NotReady, last);
        if let Some(asked) = last
            && let What::Decided(Reason::LeaseAsked { .. } | Reason::LeaseTakenUp { .. }) =
                self.index.record(asked).what
        {
            self.waits_for_lease(sandbox, asked);
        }
    }

    /// What happened to a sandbox and its leases while its boot ran.
    fn failed_boot(&mut self, sandbox: Subject) {
        let began = |r: &Record| matches!(r.what, What::Decided(Reason::BootStarted));
        let Some(began) = self.index.last(sandbox, self.before, class::BOOT, began) else { return };
        let happened =
            |r: &Record| is_end(r) || is_status(r) || matches!(r.what, What::TaskEnded { .. } | What::Struck { .. });
        let last =
            self.index.last_since(sandbox, began, self.before, class::END | class::STATUS | class::WORLD, happened);
        self.add(Role::Happened, last);
        self.leases_of(sandbox, Role::Happened);
        self.found.retain(|because| because.at > began);
    }

    /// The last change of the last lease of a sandbox.
    fn leases_of(&mut self, sandbox: Subject, role: Role) {
        let leases: Vec<Subject> = self.index.leases(sandbox).collect();
        let last = leases.iter().filter_map(|lease| {
            self.index.last(*lease, self.before, class::STATUS | class::END, |r| is_status(r) || is_end(r))
        });
        let last = last.max();
        self.add(role, last);
    }

    /// The last change of any node.
    fn nodes(&mut self) {
        let count = self.index.trace().names_of(Kind::Node).len() as u32;
        let nodes = (0..count).map(|index| Subject { kind: Kind::Node, index });
        let last = nodes.filter_map(|node| self.index.last(node, self.before, class::STATUS, is_status)).max();
        self.add(Role::Happened, last);
    }

    /// What makes a broken invariant broken, besides the record that the judge names.
    pub(super) fn of_violation(&mut self, subject: Subject, invariant: Invariant, detail: &str) {
        match invariant {
            Invariant::NothingOutlivesItsApp => {
                let birth = self.index.last(subject, self.before, class::BIRTH, is_birth);
                // That it was made as it was made is the story; that the app ended is its occasion.
                self.found.extend(birth.map(|at| Because { at, role: Role::Birth, leads: true }));
                if let Some(app) = self.index.app(subject) {
                    self.add_last(Role::OwnerGone, app, class::END, is_end);
                }
            }
            Invariant::BoundLeaseHasLiveSandbox => {
                self.add_last(Role::Happened, subject, class::STATUS, |r| becomes(r, LeaseStatus::Bound));
                if let Some(sandbox) = self.index.parent(subject) {
                    self.add_last(Role::OwnerGone, sandbox, class::STATUS | class::END, |r| {
                        is_end(r) || becomes(r, SandboxStatus::Dead)
                    });
                }
            }
            Invariant::OneBoundLeasePerDisk => {
                let leases: Vec<Subject> = self.index.leases(subject).collect();
                for lease in leases {
                    self.add_last(Role::Holder, lease, class::STATUS, |r| becomes(r, LeaseStatus::Bound));
                }
            }
            Invariant::NoLeakedAddress => {
                self.add_last(Role::Happened, subject, class::WORLD, |r| matches!(r.what, What::AddressTaken(_)));
            }
            Invariant::NoOrphanContainer => {
                self.add_last(Role::Birth, subject, class::WORLD, |r| matches!(r.what, What::TaskStarted));
                self.add_last(Role::OwnerGone, subject, class::STATUS | class::END, |r| {
                    is_end(r) || becomes(r, SandboxStatus::Dead)
                });
            }
            Invariant::NoOvershoot | Invariant::PoolWithinMaxSize => {
                self.add_write(Role::Wanted, subject, Field::DesiredInstances);
                self.add_member(subject, class::BIRTH, is_birth);
            }
            Invariant::NoBootDuringCooldown => self.add_write(Role::Cooldown, subject, Field::CooldownUntil),
            Invariant::Progress => self.stuck(detail),
            // The record that the judge names began it.
            Invariant::OneMountPerVolume
            | Invariant::AddressOwnedOnce
            | Invariant::DeadIsFinal
            | Invariant::LegalTransition
            | Invariant::DiskHasOwner
            | Invariant::FailuresBackOff
            | Invariant::RequestsServed
            | Invariant::RolloutKeepsServing
            | Invariant::VolumeHasDisk
            | Invariant::VolumeKeepsItsApp
            | Invariant::UsedDiskKeepsData
            | Invariant::LiveProgramKeepsItsOwn => {}
        }
    }

    /// What the thing that never comes to rest last went through: the text of the finding names it.
    fn stuck(&mut self, detail: &str) {
        let named = detail.split([' ', ',', ';']).find_map(|word| self.index.named(word));
        match named {
            Some(pool) if pool.kind == Kind::Pool => {
                self.add_member(pool, class::LIFE, |r| is_failed_boot(r) || is_status(r) || is_end(r) || is_birth(r));
            }
            Some(sandbox) if sandbox.kind == Kind::Sandbox => {
                self.not_ready(sandbox);
                self.add_last(Role::Happened, sandbox, class::STATUS, is_status);
            }
            Some(subject) => {
                self.add_last(Role::Birth, subject, class::BIRTH | class::STATUS, |r| is_birth(r) || is_status(r));
                self.found.iter_mut().for_each(|because| because.leads = true);
            }
            None => {}
        }
    }

    /// Why a request of an app failed: what its pools last went through, or what kept the launcher from making one.
    pub(super) fn of_request(&mut self, app: Subject, error: RequestError) {
        if error == RequestError::NoPool {
            self.launcher_is_busy(app);
        }
        let last = self.pools(app).into_iter().filter_map(|pool| {
            self.index.last_of_pool(pool, self.before, class::LIFE, |r| is_failed_boot(r) || is_status(r) || is_end(r))
        });
        let last = last.max();
        self.add(Role::Members, last);
    }

    /// A version that no pool serves yet: the launcher has turned to another app and not come back since.
    fn launcher_is_busy(&mut self, app: Subject) {
        let Some(active) = self.index.last_write(app, Field::ActiveVersion, self.before) else { return };
        let from = self.before.saturating_sub(LOOKED_BACK_MAX);
        let did = |at: &usize| {
            let record = self.index.record(*at);
            let does = matches!(record.what, What::Created { .. } | What::Patched { .. });
            does && record.actor.controller == Controller::Launcher
        };
        let Some(last) = (from..self.before).rev().find(did) else { return };
        if self.index.app(self.index.record(last).subject) != Some(app) {
            self.add(Role::Happened, Some(active));
            self.found.push(Because { at: last, role: Role::Busy, leads: true });
        }
    }

    /// The pools of an app.
    pub(super) fn pools(&self, app: Subject) -> Vec<Subject> {
        let count = self.index.trace().names_of(Kind::Pool).len() as u32;
        let pools = (0..count).map(|index| Subject { kind: Kind::Pool, index });
        pools.filter(|pool| self.index.parent(*pool) == Some(app)).collect()
    }
}

pub(super) fn is_birth(r: &Record) -> bool {
    matches!(r.what, What::Created { .. })
}

pub(super) fn is_end(r: &Record) -> bool {
    matches!(r.what, What::Deleted { .. })
}

fn is_failed_boot(r: &Record) -> bool {
    matches!(r.what, What::Decided(Reason::BootFailed { .. }))
}

/// A change of status, the first one left out.
pub(super) fn is_status(r: &Record) -> bool {
    matches!(r.what, What::Set { field: Field::Status, from, .. } if from != Value::None)
}

pub(super) fn becomes(r: &Record, status: impl Into<AnyStatus>) -> bool {
    matches!(r.what, What::Set { field: Field::Status, to: Value::Status(to), .. } if to == status.into())
}

/// A sandbox that no longer counts: stopped, dead or gone.
pub(super) fn has_left(r: &Record) -> bool {
    let live = |value| matches!(value, Value::Status(AnyStatus::Sandbox(status)) if status.is_live());
    match r.what {
        What::Set { field: Field::Status, from, to } => live(from) && !live(to),
        What::Deleted { .. } => true,
        // No other record takes a sandbox away.
        _ => false,
    }
}

fn shows(r: &Record, ailment: Ailment) -> bool {
    match ailment {
        Ailment::TaskGone => matches!(r.what, What::TaskEnded { .. }),
        Ailment::ContainerGone => matches!(r.what, What::ContainerGone),
        Ailment::PortSilent => matches!(r.what, What::Struck { .. } | What::TaskStarted | What::TaskEnded { .. }),
    }
}
