//! The disk controller of one node: makes and removes volumes (`docs/rules.md` §8).
//!
//! It decides on the snapshot of its event. What a newcomer gets wrong: every node runs one and
//! looks at every disk; whether that makes one volume, or one a node, is a matter of the day.

use std::rc::Rc;

use crate::model::{Disk, DiskId, DiskStatus, NodeId, Reason, VolumeId};
use crate::ports::{BackendError, DiskBackend, EntityStore, Host, Platform, Ports, Versioned};

use super::fixes::Fix;
use super::runtime::{Draft, Failure, Reconciler, Rules};

/// The disk controller of one node.
pub struct DiskController<P: Platform> {
    ports: Ports<P>,
    backend: P::Disks,
    rules: Rc<Rules>,
    node: NodeId,
}

impl<P: Platform> DiskController<P> {
    /// The controller of a node.
    pub fn new(ports: Ports<P>, backend: P::Disks, rules: Rc<Rules>, node: NodeId) -> Self {
        Self { ports, backend, rules, node }
    }

    /// Rule 8.5: whether disks are this node's business. The coordinator's own node is the first.
    fn manages(&self) -> bool {
        self.node == NodeId::from_index(0) || !self.rules.has(Fix::DisksOfCoordinator)
    }

    /// Rule 8.4: the volume that is known to belong to a disk, and whether this node made it.
    async fn known_volume(&self, disk: DiskId) -> Result<Option<(VolumeId, bool)>, Failure> {
        let all = self.backend.volumes_of(disk).await?;
        let own = all.iter().find(|(_, node)| *node == self.node);
        // Rule 8.5: its own one before any other.
        let found = own.filter(|_| self.rules.has(Fix::DisksOfCoordinator)).or(all.first());
        Ok(found.map(|(volume, node)| (*volume, *node == self.node)))
    }

    /// Rule 8.1.
    async fn provision(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>) -> Result<(), Failure> {
        if !self.rules.has(Fix::VolumeOfDisk) {
            return match disk.volume {
                None => self.make_volume(item, disk).await,
                Some(volume) if self.backend.volume_exists(volume).await? => {
                    self.ready(item, disk, volume);
                    Ok(())
                }
                Some(_) => Err(BackendError::new("no such volume").into()),
            };
        }
        match self.known_volume(item.id).await? {
            Some((volume, true)) => self.ready(item, disk, volume),
            // Rule 8.5: somebody else's is waited for, by now it is passed over.
            Some((_, false)) if !self.rules.has(Fix::DisksOfCoordinator) => {
                self.ports.host.note(item.id, Reason::ForeignVolume);
            }
            Some((_, false)) | None => self.make_volume(item, disk).await?,
        }
        Ok(())
    }

    async fn make_volume(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>) -> Result<(), Failure> {
        match self.backend.create_volume(item.id, disk.name, disk.size_gb).await {
            Ok(volume) => self.ready(item, disk, volume),
            // Rule 8.2: it stays as it is.
            Err(BackendError(error)) if self.rules.has(Fix::VolumeOfDisk) => {
                return Err(BackendError(error).into());
            }
            Err(BackendError(error)) => self.ports.host.note(item.id, Reason::VolumeFailed { error }),
        }
        Ok(())
    }

    fn ready(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>, volume: VolumeId) {
        self.ports.host.note(item.id, Reason::VolumeReady);
        disk.volume = Some(volume);
        disk.status = DiskStatus::Provisioned;
    }

    /// Rule 8.1.
    async fn verify(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>) -> Result<(), Failure> {
        let exists = match disk.volume {
            None => false,
            Some(_) if self.rules.has(Fix::VolumeOfDisk) => self.known_volume(item.id).await?.is_some(),
            Some(volume) => self.backend.volume_exists(volume).await?,
        };
        if exists {
            return Ok(());
        }
        self.ports.host.note(item.id, Reason::VolumeVanished);
        disk.volume = None;
        if self.rules.has(Fix::VolumeOfDisk) {
            disk.status = DiskStatus::Provisioning;
        }
        self.provision(item, disk).await
    }

    /// Rule 8.6.
    async fn delete(&self, item: &Versioned<Disk>) -> Result<(), Failure> {
        if self.rules.has(Fix::VolumeOfDisk)
            && let Some((volume, _)) = self.known_volume(item.id).await?
        {
            self.backend.delete_volume(volume).await?;
        }
        self.ports.store.delete(item.id).await?;
        Ok(())
    }
}

impl<P: Platform> Reconciler for DiskController<P> {
    type Entity = Disk;

    async fn reconcile(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>) -> Result<(), Failure> {
        if !self.manages() {
            return Ok(());
        }
        match item.entity.status {
            DiskStatus::Provisioning => self.provision(item, disk).await,
            DiskStatus::Provisioned => self.verify(item, disk).await,
            DiskStatus::Deleting => self.delete(item).await,
            DiskStatus::Attached | DiskStatus::Detached | DiskStatus::Error => Ok(()),
        }
    }
}
