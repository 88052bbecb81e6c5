//! Which app each entity belongs to, also when the app is gone.
//!
//! Filled as entities are created, because a deleted app can be asked nothing. It knows ids and
//! names only. Disks may carry no owner: such a disk belongs to the app whose boot made it (the
//! causes of its creation tell), else to the first app that leased it, else to the app whose
//! configs name it. What a newcomer gets wrong: a disk without owner that a *living* app's
//! active version names is nobody's leftover.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{RecordId, SimTime};
use crate::model::{AppId, Kind, Name, PoolId, Subject};

use super::memory::slot;

/// Which app things belong to.
#[derive(Default)]
pub(super) struct AppOwners {
    /// By the kind and the index of the thing.
    of: BTreeMap<Kind, Vec<Option<AppId>>>,
    deleted: BTreeMap<AppId, (SimTime, RecordId)>,
    /// The apps of all pools there ever were: sandboxes may outlive their pool.
    pools: Vec<Option<AppId>>,
    /// The disks that an app's configs ever named.
    named: BTreeMap<AppId, BTreeSet<Name>>,
    /// The disks that the active versions of living apps name.
    wanted_disks: BTreeMap<AppId, BTreeSet<Name>>,
}

impl AppOwners {
    /// Takes down that a thing belongs to an app; returns the app that it belonged to before.
    pub(super) fn settle(&mut self, subject: Subject, app: AppId) -> Option<AppId> {
        slot(self.of.entry(subject.kind).or_default(), subject.index).replace(app)
    }

    /// A thing is gone.
    pub(super) fn forget(&mut self, subject: Subject) -> Option<AppId> {
        self.of.get_mut(&subject.kind)?.get_mut(subject.index as usize)?.take()
    }

    /// The app that a thing belongs to.
    pub(super) fn of(&self, subject: Subject) -> Option<AppId> {
        *self.of.get(&subject.kind)?.get(subject.index as usize)?
    }

    /// What belongs to an app, in the order of kinds and creation. This looks at everything there
    /// ever was: it is asked when an app is deleted and at no other time.
    pub(super) fn belongings(&self, app: AppId) -> Vec<Subject> {
        let mut found = Vec::new();
        for (kind, owners) in &self.of {
            let indexes = (0..).zip(owners).filter(|(_, home)| **home == Some(app)).map(|(index, _)| index);
            found.extend(indexes.map(|index| Subject { kind: *kind, index }));
        }
        found
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
        *slot(&mut self.pools, pool.index()) = Some(app);
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
    pub(super) fn wanted_disks(&mut self, app: AppId, disks: BTreeSet<Name>) -> Vec<Name> {
        let before = if disks.is_empty() {
            self.wanted_disks.remove(&app)
        } else {
            self.wanted_disks.insert(app, disks.clone())
        };
        before.unwrap_or_default().symmetric_difference(&disks).copied().collect()
    }

    /// The living app whose active version names the disk.
    pub(super) fn wanting_app(&self, disk: Name) -> Option<AppId> {
        self.wanted_disks.iter().find(|(_, disks)| disks.contains(&disk)).map(|(app, _)| *app)
    }
}
