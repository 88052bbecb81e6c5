//! What the judges remember of volumes and disks: whose they are, and which were used.
//!
//! The app of a volume is known by its name, for an app that is deployed again under its name is the
//! same to whoever owns the data. It knows no rule.

use std::collections::BTreeMap;

use crate::model::{DiskId, Name, VolumeId};

/// What is remembered of volumes and disks.
#[derive(Default)]
pub(super) struct Volumes {
    owners: BTreeMap<VolumeId, Name>,
    used: BTreeMap<DiskId, Name>,
}

impl Volumes {
    /// The app that it was made for, as soon as that is known; the first stays.
    pub(super) fn belongs(&mut self, volume: VolumeId, app: Name) {
        self.owners.entry(volume).or_insert(app);
    }
    pub(super) fn owner(&self, volume: VolumeId) -> Option<Name> {
        self.owners.get(&volume).copied()
    }
    /// A program has started with a disk of that name.
    pub(super) fn used(&mut self, disk: DiskId, name: Name) {
        self.used.insert(disk, name);
    }
    /// The name of a disk that a program was ever started with, also of one that is gone.
    pub(super) fn name_of_used(&self, disk: DiskId) -> Option<Name> {
        self.used.get(&disk).copied()
    }
}
