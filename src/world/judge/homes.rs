//! Which app each entity belongs to, also when the app is gone.
//!
//! Filled as entities are created, because a deleted app can be asked nothing. It knows ids and
//! names only. Disks may carry no owner: such a disk belongs to the app whose boot made it (the
//! causes of its creation tell), else to the first app that leased it, else to the app whose
//! configs name it. What a newcomer gets wrong: a disk without owner that a *living* app's
//! active version names is nobody's leftover.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{RecordId, SimTime};
use crate::model::{AppId, Name, PoolId, Subject};

/// Which app things belong to.
#[derive(Default)]
pub(super) struct Homes {
    of: BTreeMap<Subject, AppId>,
    belongings: BTreeMap<AppId, BTreeSet<Subject>>,
    deleted: BTreeMap<AppId, (SimTime, RecordId)>,
    /// The apps of all pools there ever were: sandboxes may outlive their pool.
    pools: Vec<Option<AppId>>,
    /// The disks that an app's configs ever named.
    named: BTreeMap<AppId, BTreeSet<Name>>,
    /// The disks that the active versions of living apps name.
    wishes: BTreeMap<AppId, BTreeSet<Name>>,
}

impl Homes {
    /// Takes down that a thing belongs to an app; returns the app that it belonged to before.
    pub(super) fn settle(&mut self, subject: Subject, app: AppId) -> Option<AppId> {
        let former = self.of.insert(subject, app);
        if let Some(things) = former.and_then(|former| self.belongings.get_mut(&former)) {
            things.remove(&subject);
        }
        self.belongings.entry(app).or_default().insert(subject);
        former
    }

    /// A thing is gone.
    pub(super) fn forget(&mut self, subject: Subject) -> Option<AppId> {
        let app = self.of.remove(&subject)?;
        self.belongings.get_mut(&app)?.remove(&subject);
        Some(app)
    }

    /// The app that a thing belongs to.
    pub(super) fn of(&self, subject: Subject) -> Option<AppId> {
        self.of.get(&subject).copied()
    }

    /// What belongs to an app, in the order of kinds and creation.
    pub(super) fn belongings(&self, app: AppId) -> impl Iterator<Item = Subject> {
        self.belongings.get(&app).into_iter().flatten().copied()
    }

    /// An app is deleted.
    pub(super) fn delete(&mut self, app: AppId, at: SimTime, record: RecordId) {
        self.deleted.insert(app, (at, record));
    }

    /// When an app was deleted, and by which record.
    pub(super) fn deleted(&self, app: AppId) -> Option<(SimTime, RecordId)> {
        self.deleted.get(&app).copied()
    }

    pub(super) fn pool_born(&mut self, pool: PoolId, app: AppId) {
        let index = pool.index() as usize;
        if self.pools.len() <= index {
            self.pools.resize(index + 1, None);
        }
        self.pools[index] = Some(app);
    }

    /// The app of a pool, also of one that is gone.
    pub(super) fn of_pool(&self, pool: PoolId) -> Option<AppId> {
        self.pools.get(pool.index() as usize).copied().flatten()
    }

    pub(super) fn names_disks(&mut self, app: AppId, disks: impl IntoIterator<Item = Name>) {
        self.named.entry(app).or_default().extend(disks);
    }

    /// The disks that an app's configs ever named.
    pub(super) fn named_disks(&self, app: AppId) -> Vec<Name> {
        self.named.get(&app).into_iter().flatten().copied().collect()
    }

    /// The active version of a living app names these disks; returns those that it names now
    /// and did not, or the other way round.
    pub(super) fn wishes(&mut self, app: AppId, disks: BTreeSet<Name>) -> Vec<Name> {
        let before = if disks.is_empty() { self.wishes.remove(&app) } else { self.wishes.insert(app, disks.clone()) };
        before.unwrap_or_default().symmetric_difference(&disks).copied().collect()
    }

    /// Whether the active version of a living app names the disk.
    pub(super) fn is_wished(&self, disk: Name) -> bool {
        self.wishes.values().any(|disks| disks.contains(&disk))
    }
}
