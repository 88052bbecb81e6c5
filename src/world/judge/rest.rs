//! What *settled* means: everything runs as wished, truly and not just in the store.
//!
//! A set of blockers, one for each subject that is not at rest; the cluster is settled while the set is
//! empty, so an empty cluster is settled from the start and no record says so. It judges with `SCENARIO.md`,
//! *Settled*, to the letter.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{RecordId, SimTime};
use crate::model::{
    AppId, Concurrency, DiskId, Kind, LeaseId, LeaseStatus, Name, Pool, PoolId, SandboxId, SandboxStatus, Subject,
    Upper, VolumeId,
};
use crate::ports::Query;

use super::memory::{Counts, Text, View};
use super::rhythm::Serving;

/// Something that is not at rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Blocker {
    /// A service of the app's active version has no pool, or the version is gone.
    App(AppId),
    /// A pool of an active version has not the sandboxes it should have.
    Pool(PoolId),
    /// A pool cools down.
    Cooldown(PoolId),
    /// A sandbox is PENDING or STOPPED.
    Sandbox(SandboxId),
    /// A lease is PENDING, or BOUND for a sandbox that is not RUNNING.
    Lease(LeaseId),
    /// It belongs to a deleted app.
    Leftover(Subject),
    /// What an operator asked for (a step, by number) is not over.
    Step(u32),
}

impl Blocker {
    /// Where it stands among all: by its kind, then by what it is about. One number is compared sooner.
    fn place(self) -> u64 {
        let kind: u64 = match self {
            Self::App(_) => 0,
            Self::Pool(_) => 1,
            Self::Cooldown(_) => 2,
            Self::Sandbox(_) => 3,
            Self::Lease(_) => 4,
            Self::Leftover(_) => 5,
            Self::Step(_) => 6,
        };
        let Subject { kind: of, index } = self.subject();
        kind << 40 | (of as u64) << 32 | u64::from(index)
    }

    pub(super) fn subject(self) -> Subject {
        match self {
            Self::App(app) => app.into(),
            Self::Pool(pool) | Self::Cooldown(pool) => pool.into(),
            Self::Sandbox(sandbox) => sandbox.into(),
            Self::Lease(lease) => lease.into(),
            Self::Leftover(subject) => subject,
            Self::Step(index) => Subject { kind: Kind::Step, index },
        }
    }
}

/// A part of the cluster at the end of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Of which app it is what belongs to it; none: of no app.
    pub app: Option<Name>,
    /// Whether it is at rest.
    pub rest: PartRest,
}

/// Whether a part of the cluster is at rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartRest {
    /// It is, since then.
    Since(SimTime),
    /// It is not.
    Not {
        /// The first of its things that is not.
        of: Subject,
        /// What is wrong with that.
        why: String,
    },
}

/// Whose a blocker is; none: no app's.
pub(super) type Owner = Option<AppId>;

/// Whether the cluster is settled.
pub(super) struct Rest {
    /// What is not at rest, by its place, each with the record that made it so, and whose it was then.
    blockers: BTreeMap<u64, (Blocker, RecordId, Owner)>,
    /// How many blockers each has that has any.
    counts: BTreeMap<Owner, u32>,
    /// Those whose count has changed since they were last asked for.
    moved: BTreeSet<Owner>,
    /// Of those who had a blocker and have none, since when.
    pub(super) calm: BTreeMap<Owner, SimTime>,
    /// Since when it is settled.
    pub(super) since: Option<SimTime>,
    /// The record that last gave or took a blocker.
    pub(super) moved_by: RecordId,
}

impl Rest {
    pub(super) fn new() -> Self {
        let (blockers, counts, moved, calm) = Default::default();
        Self { blockers, counts, moved, calm, since: Some(SimTime::ZERO), moved_by: RecordId::NONE }
    }

    /// Puts a blocker in or takes it out; `owner` says whose a new one is.
    pub(super) fn put(&mut self, blocker: Blocker, there: bool, cause: RecordId, owner: impl FnOnce() -> Owner) {
        let owner = match self.blockers.entry(blocker.place()) {
            Entry::Vacant(place) if there => {
                let owner = owner();
                place.insert((blocker, cause, owner));
                *self.counts.entry(owner).or_default() += 1;
                owner
            }
            Entry::Occupied(known) if !there => {
                let (.., owner) = known.remove();
                let Entry::Occupied(mut count) = self.counts.entry(owner) else { unreachable!("it has a blocker") };
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
                owner
            }
            Entry::Vacant(_) | Entry::Occupied(_) => return,
        };
        self.moved.insert(owner);
        self.moved_by = cause;
    }

    pub(super) fn is_untroubled(&self) -> bool {
        self.blockers.is_empty()
    }

    pub(super) fn is_troubled(&self, owner: Owner) -> bool {
        self.counts.contains_key(&owner)
    }

    /// Those who may have come to rest, or have left it, since this was last asked.
    pub(super) fn take_moved(&mut self) -> BTreeSet<Owner> {
        std::mem::take(&mut self.moved)
    }

    /// All that is not at rest, and whose it is.
    pub(super) fn troubles(&self) -> impl Iterator<Item = (Blocker, Owner)> {
        self.blockers.values().map(|(blocker, _, of)| (*blocker, *of))
    }

    /// What of that app is not at rest, each with the record that made it so.
    pub(super) fn troubles_of(&self, owner: Owner) -> impl Iterator<Item = (Blocker, RecordId)> {
        let its = self.blockers.values().filter(move |(.., of)| *of == owner);
        its.map(|(blocker, record, _)| (*blocker, *record))
    }

    /// What is not at rest.
    #[cfg(test)]
    pub(super) fn blockers(&self) -> impl Iterator<Item = Blocker> {
        self.blockers.values().map(|(blocker, ..)| *blocker)
    }
}

impl View<'_> {
    /// What is wrong, if it is.
    pub(super) fn blocker(self, blocker: Blocker) -> Option<Text> {
        match blocker {
            Blocker::App(app) => self.app_lacks_pool(app),
            Blocker::Pool(pool) => self.pool_lacks_sandboxes(pool),
            Blocker::Cooldown(pool) => {
                self.broken(self.cooldown(pool).is_some(), || format!("{} cools down", self.world.log().name(pool)))
            }
            Blocker::Sandbox(sandbox) => self.sandbox_in_between(sandbox),
            Blocker::Lease(lease) => self.lease_in_between(lease),
            Blocker::Step(step) => {
                let name = || self.world.log().name(Subject { kind: Kind::Step, index: step });
                let lasts = self.memory.steps.get(&step).is_some_and(|(due, _)| *due <= self.world.kernel().now());
                self.broken(lasts, || format!("{} is not over", name()))
            }
            Blocker::Leftover(subject) => self.leftover_of(subject).and_then(|app| {
                self.broken(true, || {
                    format!(
                        "{} belongs to {}, which is deleted",
                        self.world.log().name(subject),
                        self.world.log().name(app)
                    )
                })
            }),
        }
    }

    /// For every service of the active version there must be a pool that the version references.
    fn app_lacks_pool(self, app: AppId) -> Option<Text> {
        let id = self.world.tables().apps.with(app, |app, _| app.active_version).flatten()?;
        let name = || self.world.log().name(app);
        // A half deleted app: what ought to run is not known any more.
        let Some(version) = self.world.tables().versions.get(id) else {
            return self.broken(true, || format!("the active version of {} is gone", name()));
        };
        let mut served = Vec::new();
        self.world.tables().pools.for_each(Query::By(app), |pool| {
            if pool.entity.referenced_by_versions.contains(&id) {
                served.push(pool.entity.service);
            }
        });
        let service = version.entity.config.iter().map(|service| service.name).find(|name| !served.contains(name))?;
        self.broken(true, || format!("{} has no pool for `{service}`", name()))
    }

    /// A pool that the active version references must have the configured number of sandboxes
    /// RUNNING and able to serve; in auto mode at least the desired number.
    fn pool_lacks_sandboxes(self, id: PoolId) -> Option<Text> {
        let concurrency = self.active_concurrency(id)?;
        let desired = self.world.tables().pools.with(id, |pool, _| pool.desired_instances)?;
        let Counts { running, serving, .. } = self.memory.counts(id);
        let (wanted, rests) = match concurrency {
            Some(Concurrency::Fixed { instances }) => (instances, serving == instances && running == instances),
            Some(Concurrency::Auto { .. }) | None => (desired, serving >= desired),
        };
        self.broken(!rests, || {
            format!("{} has {serving} able to serve and {running} RUNNING of {wanted}", self.world.log().name(id))
        })
    }

    /// What serves now.
    pub(super) fn serving(self) -> Serving {
        let mut serving = Serving::new();
        self.world.tables().pools.for_each(Query::All, |pool| {
            let count = self.memory.counts(pool.id).serving;
            if count > 0 {
                *serving.entry((pool.entity.app, pool.entity.service)).or_default() += count;
            }
        });
        serving
    }

    /// How the service of a pool scales that the app's active version references; none inside when
    /// the version has no such service.
    pub(super) fn active_concurrency(self, id: PoolId) -> Option<Option<Concurrency>> {
        let tables = self.world.tables();
        let app = tables.pools.with(id, |pool, _| pool.app)?;
        let active = tables.apps.with(app, |app, _| app.active_version).flatten()?;
        let referenced = |pool: &Pool| pool.referenced_by_versions.contains(&active);
        let service = tables.pools.with(id, |pool, _| referenced(pool).then_some(pool.service)).flatten()?;
        tables.versions.with(active, |version, _| {
            version.config.iter().find(|config| config.name == service).map(|config| config.concurrency)
        })
    }

    /// When the cooldown of a pool ends, if one runs.
    pub(super) fn cooldown(self, pool: PoolId) -> Option<SimTime> {
        let until = self.world.tables().pools.with(pool, |pool, _| pool.cooldown_until).flatten()?;
        (until > self.world.kernel().now()).then_some(until)
    }

    fn sandbox_in_between(self, sandbox: SandboxId) -> Option<Text> {
        let status = self.status_of(sandbox)?;
        let between = match status {
            SandboxStatus::Pending | SandboxStatus::Stopped => true,
            SandboxStatus::Running | SandboxStatus::Dead => false,
        };
        self.broken(between, || format!("{} is {}", self.world.log().name(sandbox), Upper(status.name())))
    }

    fn lease_in_between(self, lease: LeaseId) -> Option<Text> {
        let (status, sandbox) = self.world.tables().leases.with(lease, |lease, _| (lease.status, lease.sandbox))?;
        let name = || self.world.log().name(lease);
        match status {
            LeaseStatus::Pending => self.broken(true, || format!("{} is PENDING", name())),
            LeaseStatus::Bound => self.broken(self.status_of(sandbox) != Some(SandboxStatus::Running), || {
                format!("{} is BOUND, and its sandbox is not RUNNING", name())
            }),
            LeaseStatus::Failed | LeaseStatus::Released => None,
        }
    }

    /// Whose a blocker is.
    pub(super) fn owner(self, blocker: Blocker) -> Owner {
        let owners = &self.memory.owners;
        match blocker {
            Blocker::App(app) => Some(app),
            Blocker::Pool(pool) | Blocker::Cooldown(pool) => owners.of_pool(pool),
            Blocker::Sandbox(sandbox) => owners.of_pool(self.world.store().pool_of(sandbox.index())?),
            Blocker::Lease(lease) => owners.of(lease.into()),
            Blocker::Leftover(subject) => owners.of(subject),
            Blocker::Step(_) => None,
        }
    }

    /// The app that a call about a thing is for, if it is for one.
    pub(super) fn owner_of_subject(self, subject: Subject) -> Owner {
        let owners = &self.memory.owners;
        match subject.kind {
            Kind::App => Some(AppId::from_index(subject.index)),
            Kind::Sandbox => owners.of_pool(self.world.store().pool_of(subject.index)?),
            Kind::Volume => owners.of(self.world.volumes().get(VolumeId(subject.index))?.disk.into()),
            _ => owners.of(subject),
        }
    }

    /// The deleted app that a thing belongs to.
    pub(super) fn leftover_of(self, subject: Subject) -> Option<AppId> {
        let owners = &self.memory.owners;
        let app = owners.of(subject)?;
        owners.deleted(app)?;
        if subject.kind == Kind::Disk {
            let disk = DiskId::from_index(subject.index);
            let (name, owner) = self.world.tables().disks.with(disk, |disk, _| (disk.name, disk.created_by))?;
            // Nobody's disk that a living app uses by name is no leftover.
            if owner.is_none() && owners.wanting_app(name).is_some() {
                return None;
            }
        }
        Some(app)
    }

    /// The status of a sandbox; none when it is gone.
    pub(super) fn status_of(self, sandbox: SandboxId) -> Option<SandboxStatus> {
        self.world.tables().sandboxes.with(sandbox, |sandbox, _| sandbox.status)
    }
}
