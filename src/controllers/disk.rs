//! The disk controller of one node: makes and removes volumes (`docs/rules.md` §8).
//!
//! It decides on the snapshot of its event. What a newcomer gets wrong: every node runs one and
//! looks at every disk; that is safe because the backend makes volumes by name, once.

use crate::model::{Disk, DiskStatus, Reason};
use crate::ports::{BackendError, DiskBackend, EntityStore, Host, Platform, Ports, Versioned};

use super::runtime::{Draft, Failure, Reconciler};

/// The disk controller of one node.
pub struct DiskController<P: Platform> {
    ports: Ports<P>,
    backend: P::Disks,
}

impl<P: Platform> DiskController<P> {
    /// The controller of a node.
    pub fn new(ports: Ports<P>, backend: P::Disks) -> Self {
        Self { ports, backend }
    }

    async fn provision(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>) -> Result<(), Failure> {
        if let Some(volume) = disk.volume
            && self.backend.volume_exists(volume).await?
        {
            self.ports.host.note(item.id, Reason::VolumeReady);
            disk.status = DiskStatus::Provisioned;
            return Ok(());
        }
        match self.backend.create_volume(disk.name, disk.size_gb).await {
            Ok(volume) => {
                self.ports.host.note(item.id, Reason::VolumeReady);
                disk.volume = Some(volume);
                disk.status = DiskStatus::Provisioned;
                Ok(())
            }
            Err(BackendError(error)) => {
                // Rule 8.2: stays PROVISIONING; no failure is told, so the next resync tries again.
                self.ports.host.note(item.id, Reason::VolumeFailed { error });
                Ok(())
            }
        }
    }

    async fn verify(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>) -> Result<(), Failure> {
        let exists = match disk.volume {
            Some(volume) => self.backend.volume_exists(volume).await?,
            None => false,
        };
        if !exists {
            self.ports.host.note(item.id, Reason::VolumeVanished);
            disk.status = DiskStatus::Provisioning;
            return self.provision(item, disk).await;
        }
        Ok(())
    }

    async fn delete(&self, item: &Versioned<Disk>) -> Result<(), Failure> {
        if let Some(volume) = item.entity.volume {
            self.backend.delete_volume(volume).await?;
        }
        self.ports.store.delete(item.id).await?;
        Ok(())
    }
}

impl<P: Platform> Reconciler for DiskController<P> {
    type Entity = Disk;

    async fn reconcile(&self, item: &Versioned<Disk>, disk: &mut Draft<Disk>) -> Result<(), Failure> {
        match item.entity.status {
            DiskStatus::Provisioning => self.provision(item, disk).await,
            DiskStatus::Provisioned => self.verify(item, disk).await,
            DiskStatus::Deleting => self.delete(item).await,
            DiskStatus::Attached | DiskStatus::Detached | DiskStatus::Error => Ok(()),
        }
    }
}
