//! Which fix decided a link: the one table that relates reasons and fixes.
//!
//! For every fix it says at which links it shows – that they are as they are *because* it is in
//! force, or because it is not – or why it shows at none. The match has no wildcard: a new fix
//! does not compile until it is related. It runs nothing; whether the end would really come out
//! otherwise is what `explain --verify` tries. What a newcomer gets wrong: a fix that is
//! missing can be named at a link that it would never have let happen.

use crate::controllers::fixes::Fix;
use crate::model::reason::Ailment;
use crate::model::{Controller, Failure, Field, Invariant, Kind, Reason, RequestError, SandboxStatus, Value};
use crate::trace::{Record, What};

use super::class;
use super::index::Index;

/// What is known of a link when fixes are asked.
pub(super) struct Fact<'i, 'a> {
    pub(super) index: &'i Index<'a>,
    /// The position of the main record.
    pub(super) at: usize,
    pub(super) record: Record,
    pub(super) reason: Option<Reason>,
}

/// Whether a link is of the kind that a fix is about.
type Is = fn(&Fact<'_, '_>) -> bool;

/// Where a fix shows.
pub(super) enum Mark {
    /// At links that are so because it is in force.
    When(Is),
    /// At links that are so because it is not.
    Unless(Is),
    /// At some because it is, at others because it is not.
    Both { when: Is, unless: Is },
    /// At none, for that reason.
    Nowhere(&'static str),
}

impl Fact<'_, '_> {
    fn broken(&self, invariant: Invariant) -> bool {
        matches!(self.record.what, What::Broken { invariant: broken, .. } if broken == invariant)
    }

    /// A deploy whose config has a field of that name, which was not known: ignored, or refused.
    fn field_unknown(&self, name: &str) -> bool {
        match self.reason {
            Some(Reason::FieldIgnored { field, .. }) => field.rsplit('.').next() == Some(name),
            Some(Reason::DeployRefused { error: Failure::Other(error) }) => {
                error.contains(&format!("unknown field `{name}`"))
            }
            _ => false,
        }
    }

    /// The value that the write gave a field.
    fn written(&self, field: Field) -> Option<Value> {
        let sets = self.index.trace().records()[self.at + 1..].iter();
        let own = |r: &&Record| matches!(r.what, What::Set { .. }) && r.cause.index() == Some(self.at);
        sets.take_while(own).find_map(|set| match set.what {
            What::Set { field: written, to, .. } if written == field => Some(to),
            _ => None,
        })
    }

    fn becomes(&self, status: SandboxStatus) -> bool {
        self.written(Field::Status) == Some(Value::Status(status.into()))
    }

    fn is_new_disk(&self) -> bool {
        self.record.subject.kind == Kind::Disk && matches!(self.record.what, What::Created { .. })
    }

    fn raises_desired(&self) -> bool {
        self.record.actor.controller == Controller::Activator && self.written(Field::DesiredInstances).is_some()
    }

    /// Whether nothing references the pool that the link is about.
    fn is_retired(&self) -> bool {
        let is = |r: &Record| matches!(r.what, What::Set { field: Field::ReferencedByVersions, .. });
        let last = self.index.last(self.record.subject, self.at, class::SET, is);
        matches!(last.map(|at| self.index.record(at).what), Some(What::Set { to: Value::Int(0), .. }))
    }

    /// Whether the sandbox that the link is about is stopped or dead.
    fn is_over(&self) -> bool {
        let is = |r: &Record| matches!(r.what, What::Set { field: Field::Status, .. });
        let last = self.index.last(self.record.subject, self.at, class::SET, is);
        let status = last.map(|at| self.index.record(at).what);
        let over = [SandboxStatus::Stopped, SandboxStatus::Dead].map(|status| Value::Status(status.into()));
        matches!(status, Some(What::Set { to, .. }) if over.contains(&to))
    }

    /// Whether the pool counted fewer sandboxes than it had.
    fn overlooks_some(&self) -> bool {
        let Some(Reason::TooFew { actual, .. }) = self.reason else { return false };
        let pool = match self.record.subject.kind {
            Kind::Sandbox => self.index.parent(self.record.subject),
            _ => Some(self.record.subject),
        };
        pool.is_some_and(|pool| self.index.live_of_pool(pool, self.at) > actual as usize)
    }

    fn has_lease(&self) -> bool {
        self.index.leases(self.record.subject).next().is_some()
    }

    fn gives_up_by(&self, controller: Controller) -> bool {
        matches!(self.reason, Some(Reason::LeaseGivenUp { .. })) && self.record.actor.controller == controller
    }
}

/// Whether the reason of a link is one of these.
macro_rules! reason {
    ($($pattern:pat_param)|+) => { |fact: &Fact<'_, '_>| matches!(fact.reason, $(Some($pattern))|+) };
}

/// Whether a link is a request that failed in one of these ways.
macro_rules! request {
    ($($pattern:pat_param)|+) => {
        |fact: &Fact<'_, '_>| matches!(fact.record.what, What::RequestFailed { error: $($pattern)|+, .. })
    };
}

/// Where a fix shows.
pub(super) fn mark(fix: Fix) -> Mark {
    use Mark::{Both, Nowhere, Unless, When};
    match fix {
        Fix::SkipDead => Unless(request!(RequestError::BadGateway)),
        Fix::SinglePoolWorker => Nowhere("how many workers there are shows in no decision, only in their races"),
        Fix::ActivatorSeesPending => Unless(|f| f.raises_desired()),
        Fix::MaxPoolSize => When(reason!(Reason::CappedAtMax { .. })),
        Fix::KeepDesiredOnReuse => Unless(reason!(Reason::ScaleReset)),
        Fix::RevisionCheckedIncrement => Both {
            when: |f| f.record.what == What::Conflict && f.record.actor.controller == Controller::Activator,
            unless: |f| f.raises_desired(),
        },
        Fix::ProactiveScaleDown => When(reason!(Reason::TooMany { .. })),
        Fix::VersionsSharePools => Unless(request!(RequestError::PoolTimeout(_))),
        Fix::SerialiseEntity => Nowhere("that two workers hold one entity shows in no decision of either"),
        Fix::EarlyAddress => Nowhere("when an address is written shows in no decision"),
        Fix::SkipOwnWrites => Nowhere("an event that is passed over leaves no decision"),
        Fix::TickKeepsWatch => Nowhere("that a tick closes the watch shows in no decision"),
        Fix::ExitWatch => When(reason!(Reason::ProcessExited { .. })),
        Fix::ExitMeansStopped => Both {
            when: |f| matches!(f.reason, Some(Reason::ProcessExited { .. })) && f.becomes(SandboxStatus::Stopped),
            unless: |f| matches!(f.reason, Some(Reason::ProcessExited { .. })) && f.becomes(SandboxStatus::Dead),
        },
        Fix::RecheckLeaseOnDiskChange => {
            Both { when: reason!(Reason::DiskChanged), unless: reason!(Reason::DiskNotReady) }
        }
        Fix::CrashBackoff => {
            When(reason!(Reason::CrashesCounted { .. } | Reason::CoolingDown { .. } | Reason::Recovered { .. }))
        }
        Fix::SeveralPorts => Unless(|f| f.field_unknown("ports")),
        Fix::PortTimeoutInConfig => Unless(|f| f.field_unknown("port_timeout")),
        Fix::VolumeOfDisk => When(reason!(Reason::ForeignVolume)),
        // No reason tells the backend's refusals apart.
        Fix::VolumeLeases => {
            When(reason!(Reason::LeaseFailed { error: Failure::Other(_) } | Reason::VolumeStaysLeased))
        }
        Fix::NoVolumeLeases => Both {
            when: reason!(Reason::LeaseFailed { error: Failure::VolumeElsewhere }),
            unless: reason!(Reason::LeaseFailed { error: Failure::Other(_) } | Reason::VolumeStaysLeased),
        },
        Fix::DisksOfCoordinator => Unless(reason!(Reason::ForeignVolume)),
        Fix::AliasesInConfig => Unless(|f| f.field_unknown("aliases")),
        Fix::SkipUdpPorts => Unless(reason!(Reason::BootFailed { error: Failure::PortNotBound { .. }, .. })),
        Fix::PortRequired => When(reason!(
            Reason::BootFailed { error: Failure::PortNotBound { .. }, .. }
                | Reason::Unwell { ailment: Ailment::PortSilent }
        )),
        Fix::PortDeadline15s => Unless(reason!(Reason::BootFailed { error: Failure::PortNotBound { .. }, .. })),
        Fix::PendingRunningBackstop => When(reason!(Reason::HealthyPending { .. })),
        Fix::PoolByDiff => When(reason!(Reason::Recovered { .. })),
        Fix::SchedulerResyncs => Nowhere("a sandbox that nobody looks at leaves no decision"),
        Fix::DeletedReleasesLeases => {
            Nowhere("what the clean-up of a deleted sandbox leaves shows in no decision of its own")
        }
        Fix::LeaseConflictWaits => {
            Nowhere("whether a refused lease waits or fails shows in its status, not in a decision")
        }
        Fix::StopGoesOn => Nowhere("that a stop goes on shows in what follows, not in a decision"),
        Fix::GracefulShutdown => Nowhere("how long a program may take to end shows in no decision"),
        Fix::ListenNotDial => Nowhere("how a port is looked at shows in no decision"),
        Fix::SagaBoot | Fix::UndoFailedAction => {
            Nowhere("the order of a boot, and what it undoes, show in no decision of their own")
        }
        Fix::ExitEndsPortWait => {
            Nowhere("that the wait ended early shows in the failure of the boot, not in a decision")
        }
        Fix::DeadWrittenOnce => Nowhere("a second DEAD is a write like the first"),
        Fix::IngressDropsBroken | Fix::IngressRetries => Unless(request!(RequestError::BadGateway)),
        Fix::IngressKeepsShares => Nowhere("how long a share is kept shows in no decision, only in last activities"),
        Fix::UncheckedPatch => Unless(|f| f.record.what == What::Conflict),
        Fix::ReleaseAddressOnFailedPatch | Fix::KeepAddressOnRetry => Unless(|f| f.broken(Invariant::NoLeakedAddress)),
        Fix::WatchdogReleasesAddress => {
            Both { when: reason!(Reason::StrayContainer { .. }), unless: |f| f.broken(Invariant::NoLeakedAddress) }
        }
        Fix::DropMissingPool => Unless(request!(RequestError::NoPool)),
        Fix::KeepReferencedPool => Unless(reason!(Reason::PoolEmpty { .. })),
        Fix::WatchPoolDeletions | Fix::ActivatorResyncs => {
            Unless(request!(RequestError::NoPool | RequestError::PoolTimeout(_)))
        }
        Fix::IgnoreStaleDead | Fix::DeathsOfOwnVersion => Unless(request!(RequestError::DiedDuringBoot)),
        Fix::DeleteClearsVersion => Nowhere("that the launcher knows no version shows in its silence"),
        Fix::ReleaseLeasesOnStop => Both {
            when: |f| f.gives_up_by(Controller::Sandbox),
            unless: |f| f.broken(Invariant::BoundLeaseHasLiveSandbox),
        },
        Fix::LeaseBelongsToSandbox => {
            Both { when: reason!(Reason::DiskHeld { .. }), unless: reason!(Reason::LeaseTakenUp { .. }) }
        }
        Fix::RefuseNoServices => When(reason!(Reason::DeployRefused { error: Failure::NoServices })),
        Fix::RereadApp => Nowhere("that the launcher goes by an old event shows in no decision of it"),
        Fix::ReleaseLeasesOnCollect => Both {
            when: |f| f.gives_up_by(Controller::Collector),
            unless: |f| {
                f.broken(Invariant::BoundLeaseHasLiveSandbox)
                    || (matches!(f.reason, Some(Reason::Collected { .. })) && f.record.subject.kind == Kind::Sandbox)
            },
        },
        Fix::RefreshPoolCache => Unless(request!(RequestError::MaxSize(_))),
        Fix::StalePendingMonitor => When(reason!(Reason::StalePending { .. })),
        Fix::ReuseRenewsVersion => When(reason!(Reason::PoolReused { .. })),
        Fix::WaitForNewPool => {
            Both { when: reason!(Reason::NewPoolAwaited { .. }), unless: reason!(Reason::PoolUnreferenced) }
        }
        Fix::StrictAppConfig => {
            Both { when: reason!(Reason::DeployRefused { .. }), unless: reason!(Reason::FieldIgnored { .. }) }
        }
        Fix::DeadOnBootFailure => Both {
            when: |f| matches!(f.reason, Some(Reason::BootFailed { .. })) && f.becomes(SandboxStatus::Dead),
            unless: reason!(Reason::BootFailed { .. }),
        },
        Fix::DiskOwnership => Both {
            when: |f| f.is_new_disk() && f.written(Field::CreatedBy).is_some(),
            unless: |f| f.is_new_disk() && f.written(Field::CreatedBy).is_none(),
        },
        Fix::ValidateDisksAtDeploy => Both {
            when: reason!(Reason::DeployRefused { .. }),
            unless: reason!(Reason::BootFailed { error: Failure::NoDisk(_), .. }),
        },
        Fix::MembershipByPool => Unless(|f| f.overlooks_some()),
        Fix::NoCrashesWhenRetired => {
            Unless(|f| matches!(f.reason, Some(Reason::CrashesCounted { .. })) && f.is_retired())
        }
        Fix::LookAtNewSandboxes => When(reason!(Reason::NewPoolAwaited { .. })),
        Fix::OwnNodeOnly => Unless(reason!(Reason::FoundOnStart { .. } | Reason::StrayContainer { .. })),
        Fix::DisksOnCoordinator => Both {
            when: reason!(Reason::NodeChosen { .. } | Reason::NoNode),
            unless: reason!(Reason::NodeChosen { .. }),
        },
        Fix::SpreadReplicas => When(reason!(Reason::NodeChosen { .. })),
        Fix::ReleaseLeasesLast => Unless(|f| f.gives_up_by(Controller::Sandbox)),
        Fix::ResetCooldownOnDeploy => {
            Both { when: reason!(Reason::CrashesForgiven { .. }), unless: reason!(Reason::CoolingDown { .. }) }
        }
        Fix::CompareVolumes => Unless(reason!(Reason::PoolReused { .. })),
        Fix::KeepLastCrashTime => Unless(reason!(Reason::CrashesForgiven { .. } | Reason::Recovered { .. })),
        Fix::DrainBeforeCreate => Both {
            when: reason!(Reason::DrainFirst | Reason::Drained { .. }),
            unless: reason!(Reason::AlreadyLeased { .. } | Reason::DiskHeld { .. }),
        },
        Fix::NodeHealth => When(reason!(Reason::NodeLost { .. })),
        Fix::LongerRequestWait => Unless(request!(RequestError::PoolTimeout(_) | RequestError::MaxSize(_))),
        Fix::WatchResumes => Unless(reason!(Reason::WatchBroke { .. })),
        Fix::ConfirmBeforeRelease => Unless(reason!(Reason::StrayContainer { .. })),
        Fix::ReleaseLeasesOnBootFailure => {
            Unless(|f| matches!(f.reason, Some(Reason::BootFailed { .. })) && f.has_lease())
        }
        Fix::OrphanLeaseSweep => Both {
            when: reason!(Reason::LeaseOrphaned { .. }),
            unless: |f| f.broken(Invariant::BoundLeaseHasLiveSandbox),
        },
        Fix::DeployFloorsPool => When(reason!(Reason::PoolFloored)),
        Fix::RepointActivator => Unless(request!(RequestError::PoolTimeout(_))),
        Fix::ReapMismatched => When(reason!(Reason::PoolReaped)),
        Fix::DrainWaitsForDead => Unless(reason!(Reason::Drained { empty: true, .. })),
        Fix::FloorOnlyNewVersion => Unless(reason!(Reason::PoolFloored)),
        Fix::TwoLauncherWorkers => {
            Nowhere("how many workers there are shows in no decision, only in who waits for whom")
        }
        Fix::DirtyKeyQueue => Unless(reason!(Reason::EventDropped { .. } | Reason::HandlerFailed { .. })),
        Fix::IdempotentDrain => Unless(|f| f.reason == Some(Reason::DrainFirst) && f.is_retired()),
        Fix::DisklessStoppedIsDrained => Both {
            when: reason!(Reason::Drained { empty: true, .. }),
            unless: reason!(Reason::Drained { empty: false, .. } | Reason::StillDraining),
        },
        Fix::ExitWakesController => Unless(reason!(Reason::ProcessExited { .. })),
        Fix::DiffClearsFields => Unless(reason!(Reason::Recovered { .. })),
        Fix::ResetOnlyOnNewVersion => Unless(reason!(Reason::CrashesForgiven { .. })),
        Fix::ReleaseAddressWithoutContainer => {
            Unless(|f| f.broken(Invariant::NoLeakedAddress) || matches!(f.reason, Some(Reason::CleanedUp)))
        }
        Fix::RestoreDesiredAfterCooldown => {
            Both { when: reason!(Reason::CooldownOver { .. }), unless: reason!(Reason::CoolingDown { .. }) }
        }
        Fix::RetryUnfinishedServices => Unless(reason!(Reason::StillDraining | Reason::PassedOver { .. })),
        Fix::ActivityOnlyForLive => Unless(|f| f.written(Field::LastActivity).is_some() && f.is_over()),
        Fix::OwnershipOrFail => Unless(reason!(Reason::OwnerUnknown { .. })),
        Fix::SlowFailuresCount => Unless(|f| {
            matches!(f.reason, Some(Reason::CleanedUp | Reason::StalePending { .. })) && f.becomes(SandboxStatus::Dead)
        }),
    }
}

/// Why a fix is never named at a link; none when it can be.
pub fn shows_nowhere(fix: Fix) -> Option<&'static str> {
    match mark(fix) {
        Mark::Nowhere(why) => Some(why),
        Mark::When(_) | Mark::Unless(_) | Mark::Both { .. } => None,
    }
}

/// Whether a fix decided a link, when it is in force or when it is not.
pub(super) fn decided(fix: Fix, in_force: bool, fact: &Fact<'_, '_>) -> bool {
    match (mark(fix), in_force) {
        (Mark::When(is) | Mark::Both { when: is, .. }, true) => is(fact),
        (Mark::Unless(is) | Mark::Both { unless: is, .. }, false) => is(fact),
        (Mark::When(_), false) | (Mark::Unless(_), true) | (Mark::Nowhere(_), _) => false,
    }
}
