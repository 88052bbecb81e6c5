//! Volumes: finding or making a sandbox's disks, and waiting for their leases.
//!
//! A disk is found by its *name*, whoever made it; its lease belongs to one sandbox. What a
//! newcomer gets wrong: a boot that waits for a lease keeps its worker for up to five minutes.

use std::iter::repeat;

use crate::model::{
    AppId, Disk, DiskConfig, DiskId, DiskIndex, DiskLease, DiskStatus, LeaseIndex, LeaseStatus, Mount, Name, Reason,
    Sandbox, SandboxId,
};
use crate::model::{DiskLeaseChange, LeaseId};
use crate::ports::{Clock, EntityStore, Host, Platform, Query, StoreError, Versioned};

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::{End, Failure, poll_until};

use super::SandboxController;
use super::boot::Taken;

impl<P: Platform> SandboxController<P> {
    pub(super) async fn configure_volumes(&self, item: &Versioned<Sandbox>, taken: &mut Taken) -> Result<(), Failure> {
        if item.entity.spec.volumes.is_empty() {
            return Ok(());
        }
        let app = self.app_of(item).await?;
        for volume in &item.entity.spec.volumes {
            let disk = self.ensure_disk(item.id, volume, app).await?;
            let lease = self.acquire(item, volume, disk, app).await?;
            taken.leases.push(lease);
            self.wait_until_bound(volume, lease).await?;
        }
        Ok(())
    }

    /// The app that new disks and leases will name; none when the version cannot be read. Rule 7.5.
    async fn app_of(&self, item: &Versioned<Sandbox>) -> Result<Option<AppId>, Failure> {
        match self.ports.store.get(item.entity.spec.version).await {
            Ok(version) => Ok(Some(version.entity.app)),
            Err(StoreError::Failed(why)) if self.rules.has(Fix::OwnershipOrFail) => {
                Err(Failure::OwnerUnknown(Some(why)))
            }
            Err(_) if self.rules.has(Fix::OwnershipOrFail) => Err(Failure::OwnerUnknown(None)),
            Err(_) => {
                self.ports.host.note(item.id, Reason::OwnerUnknown { version: item.entity.spec.version });
                Ok(None)
            }
        }
    }

    /// Rule 7.5.
    async fn ensure_disk(
        &self,
        sandbox: SandboxId,
        config: &DiskConfig,
        app: Option<AppId>,
    ) -> Result<DiskId, Failure> {
        let known = self.ports.store.list::<Disk>(Query::By(DiskIndex::Name(config.name))).await?;
        if let Some(disk) = known.first() {
            return Ok(disk.id);
        }
        if config.size_gb == 0 {
            return Err(Failure::NoDisk(config.name));
        }
        self.ports.host.note(sandbox, Reason::DiskMade { size_gb: config.size_gb });
        let disk = Disk {
            name: config.name,
            size_gb: config.size_gb,
            filesystem: config.filesystem,
            status: DiskStatus::Provisioning,
            volume: None,
            created_by: app.filter(|_| self.rules.has(Fix::DiskOwnership)),
        };
        Ok(self.ports.store.create(disk).await?.id)
    }

    /// The lease that this boot will wait for: its own, or a new one.
    async fn acquire(
        &self,
        item: &Versioned<Sandbox>,
        config: &DiskConfig,
        disk: DiskId,
        app: Option<AppId>,
    ) -> Result<LeaseId, Failure> {
        let leases = self.ports.store.list::<DiskLease>(Query::By(LeaseIndex::Disk(disk))).await?;
        if let Some(lease) = self.existing_lease(item.id, config.name, &leases)? {
            self.ports.host.note(item.id, Reason::LeaseTakenUp { lease });
            return Ok(lease);
        }
        self.ports.host.note(item.id, Reason::LeaseAsked { disk });
        let lease = DiskLease {
            disk,
            sandbox: item.id,
            app,
            node: self.node,
            mount: Mount { path: config.mount_path, read_only: config.read_only },
            status: LeaseStatus::Pending,
            acquired_at: None,
            error_message: None,
        };
        Ok(self.ports.store.create(lease).await?.id)
    }

    /// Rule 7.5.
    fn existing_lease(
        &self,
        sandbox: SandboxId,
        disk: Name,
        leases: &[Versioned<DiskLease>],
    ) -> Result<Option<LeaseId>, Failure> {
        let mut here = leases.iter().filter(|lease| lease.entity.node == self.node);
        if !self.rules.has(Fix::LeaseBelongsToSandbox) {
            // The first of that disk and node, whatever its status and owner.
            return Ok(here.next().map(|lease| lease.id));
        }
        for lease in here {
            if lease.entity.sandbox == sandbox {
                return Ok(Some(lease.id));
            }
            // Rule 7.51: the proposal lets the own lease wait instead.
            if lease.entity.status.is_open() && !self.rules.has(Fix::ReleaseLeasesLast) {
                self.ports.host.note(sandbox, Reason::DiskHeld { by: lease.id });
                return Err(Failure::DiskLeased(disk));
            }
        }
        Ok(None)
    }

    async fn wait_until_bound(&self, config: &DiskConfig, lease: LeaseId) -> Result<(), Failure> {
        let limit = config.lease_timeout.unwrap_or(self.rules.tuning.lease_timeout);
        let disk = config.name;
        let clock = &self.ports.clock;
        // A ticker: it looks first a period later.
        let pauses = repeat(self.rules.tuning.lease_poll);
        let bound = poll_until(clock, clock.now() + limit, End::LooksBeyond, pauses, async |_| {
            let now = match self.ports.store.get(lease).await {
                Ok(lease) => lease,
                Err(StoreError::NotFound) => {
                    return Err(Failure::LeaseDeleted { disk });
                }
                Err(error) => return Err(error.into()),
            };
            match now.entity.status {
                LeaseStatus::Bound => Ok(Some(())),
                LeaseStatus::Pending => Ok(None),
                LeaseStatus::Failed => Err(Failure::LeaseFailed { disk, why: now.entity.error_message }),
                LeaseStatus::Released => Err(Failure::LeaseReleased { disk }),
            }
        });
        bound.await?.ok_or(Failure::LeaseLate { disk, limit })
    }

    /// Gives up the leases of a sandbox.
    pub(super) async fn release_leases(&self, sandbox: SandboxId) -> Result<(), Failure> {
        release_leases(&self.ports, sandbox).await
    }
}

/// Rule 7.52: gives up the leases of a sandbox, FAILED ones too.
pub(super) async fn release_leases<P: Platform>(
    ports: &crate::ports::Ports<P>,
    sandbox: SandboxId,
) -> Result<(), Failure> {
    for lease in ports.store.list::<DiskLease>(Query::By(LeaseIndex::Sandbox(sandbox))).await?.iter() {
        if lease.entity.status != LeaseStatus::Released {
            ports.host.note(lease.id, Reason::LeaseGivenUp { sandbox });
            ports.store.set(lease.id, DiskLeaseChange::Status(LeaseStatus::Released)).await?;
        }
    }
    Ok(())
}
