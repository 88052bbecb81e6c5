//! The lease manager of one node: binds disk leases, one a disk at a time (`docs/rules.md` §9).
//!
//! Which lease holds which disk, and the nonce of the volume's own lease, live in its memory and
//! are lost when it restarts; the store remains the truth. What a newcomer gets wrong: FAILED is
//! final – nothing ever drives it again and nothing deletes it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::constants::{Age, LookBack};
use crate::model::{
    Disk, DiskId, DiskLease, DiskLeaseChange, DiskStatus, LeaseId, LeaseIndex, LeaseStatus, Name, NodeId, Reason,
    SandboxStatus, VolumeId,
};
use crate::ports::{
    Clock, DiskBackend, EntityStore, Fact, Host, Listed, Nonce, Platform, Ports, Query, StoreError, Versioned,
};

use crate::time::SimDuration;

use super::fixes::Fix;
use super::runtime::{Draft, Failure, First, Reconciler, Rules, Task, periodically};

/// What the manager remembers of a disk that is held.
#[derive(Clone, Copy, Debug)]
struct Held {
    by: LeaseId,
    /// None while it is only reserved.
    volume: Option<VolumeId>,
    /// None when volumes have no leases, and when it was adopted: the process that bound it is gone, and the nonce
    /// with it.
    nonce: Option<Nonce>,
}

/// The lease manager of one node.
pub struct LeaseManager<P: Platform> {
    ports: Ports<P>,
    backend: P::Disks,
    rules: Rc<Rules>,
    active: RefCell<BTreeMap<DiskId, Held>>,
}

impl<P: Platform> LeaseManager<P> {
    /// The manager of a node.
    pub fn new(ports: Ports<P>, backend: P::Disks, rules: Rc<Rules>) -> Self {
        Self { ports, backend, rules, active: RefCell::default() }
    }

    fn held(&self, disk: DiskId) -> Option<Held> {
        self.active.borrow().get(&disk).copied()
    }

    fn fail(&self, id: LeaseId, lease: &mut Draft<DiskLease>, error: Failure) {
        self.ports.host.note(id, Reason::LeaseFailed { error });
        lease.status = LeaseStatus::Failed;
        lease.error_message = Some(error.text());
    }

    fn refuse(&self, id: LeaseId, lease: &mut Draft<DiskLease>, by: LeaseId) {
        self.ports.host.note(id, Reason::AlreadyLeased { by });
        lease.status = LeaseStatus::Failed;
        lease.error_message = Some(Name::new("already leased by another lease"));
    }

    async fn pending(&self, item: &Versioned<DiskLease>, lease: &mut Draft<DiskLease>) -> Result<(), Failure> {
        match self.held(lease.disk) {
            Some(held) if held.by == item.id => return Ok(()),
            // Rule 9.4: looked at again at its next event or the resync.
            Some(held) if self.rules.has(Fix::LeaseConflictWaits) => {
                self.ports.host.note(item.id, Reason::AlreadyLeased { by: held.by });
                return Ok(());
            }
            Some(held) => {
                self.refuse(item.id, lease, held.by);
                return Ok(());
            }
            None => {}
        }
        self.active.borrow_mut().insert(lease.disk, Held { by: item.id, volume: None, nonce: None });
        let bound = self.bind(item, lease).await;
        if lease.status != LeaseStatus::Bound {
            self.active.borrow_mut().remove(&lease.disk);
        }
        bound
    }

    /// Binds a lease whose disk is reserved for it. Rule 9.4.
    async fn bind(&self, item: &Versioned<DiskLease>, lease: &mut Draft<DiskLease>) -> Result<(), Failure> {
        let disk = match self.ports.store.get::<Disk>(lease.disk).await {
            Ok(disk) => disk,
            Err(StoreError::NotFound) => {
                self.fail(item.id, lease, Failure::DiskGone);
                return Ok(());
            }
            // Rule 9.5: a read that fails is final, too.
            Err(error) => {
                self.fail(item.id, lease, error.into());
                return Ok(());
            }
        };
        let volume = match (disk.entity.status, disk.entity.volume) {
            (DiskStatus::Provisioning, _) => {
                // Looked at again at the resync, or when the disk changes.
                self.ports.host.note(item.id, Reason::DiskNotReady);
                return Ok(());
            }
            (DiskStatus::Provisioned, Some(volume)) => volume,
            (DiskStatus::Provisioned, None) if self.rules.has(Fix::NoVolumeLeases) => {
                self.ports.host.note(item.id, Reason::DiskNotReady);
                return Ok(());
            }
            (status, _) => {
                self.fail(item.id, lease, Failure::NoVolume(status));
                return Ok(());
            }
        };
        // Rule 9.12.
        let volume = match self.rules.has(Fix::NoVolumeLeases) {
            true => self.volume_here(item, lease).await,
            false => Some(volume),
        };
        let Some(volume) = volume else { return Ok(()) };
        match self.take(volume, None, &disk.entity).await {
            Ok(nonce) => {
                let held = Held { by: item.id, volume: Some(volume), nonce };
                self.active.borrow_mut().insert(lease.disk, held);
                self.ports.host.note(item.id, Reason::LeaseBound);
                lease.status = LeaseStatus::Bound;
                lease.acquired_at = Some(self.ports.clock.now().floor_millis());
            }
            Err(error) => self.fail(item.id, lease, error),
        }
        Ok(())
    }

    /// Rule 9.12: the first volume of the disk, if it is on the lease's node, which is this one. Rules 9.4, 9.5: what
    /// cannot be looked up is final, what is not there was.
    async fn volume_here(&self, item: &Versioned<DiskLease>, lease: &mut Draft<DiskLease>) -> Option<VolumeId> {
        match self.backend.volumes_of(lease.disk).await.as_deref().map(<[_]>::first) {
            Ok(Some((volume, node))) if *node == lease.node => return Some(*volume),
            Ok(Some(_)) => self.fail(item.id, lease, Failure::VolumeElsewhere),
            Ok(None) if self.rules.has(Fix::MissingVolumeWaits) => self.ports.host.note(item.id, Reason::DiskNotReady),
            Ok(None) => self.fail(item.id, lease, Failure::NoVolume(DiskStatus::Provisioned)),
            Err(error) => self.fail(item.id, lease, (*error).into()),
        }
        None
    }

    /// Rule 9.12: whether volumes have leases of their own.
    fn leases_volumes(&self) -> bool {
        self.rules.has(Fix::VolumeLeases) && !self.rules.has(Fix::NoVolumeLeases)
    }

    /// Takes the volume's own lease, if there is such a thing and it is not held, makes its file system, mounts it.
    async fn take(&self, volume: VolumeId, held: Option<Nonce>, disk: &Disk) -> Result<Option<Nonce>, Failure> {
        let nonce = match held {
            None if self.leases_volumes() => Some(self.backend.acquire_volume(volume).await?),
            held => held,
        };
        let ready = match self.backend.initialise(volume, disk.filesystem).await {
            Ok(()) => self.backend.mount(volume).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ready {
            // What this gives back is not checked: the lease fails for the first reason.
            if let Some(nonce) = nonce {
                let _ = self.backend.release_volume(volume, nonce).await;
            }
            return Err(error.into());
        }
        Ok(nonce)
    }

    async fn bound(&self, item: &Versioned<DiskLease>, lease: &mut Draft<DiskLease>) -> Result<(), Failure> {
        match self.held(lease.disk) {
            Some(held) if held.by != item.id => {
                self.refuse(item.id, lease, held.by);
                return Ok(());
            }
            Some(_) => {}
            None => {
                self.ports.host.note(item.id, Reason::LeaseAdopted);
                self.active.borrow_mut().insert(lease.disk, Held { by: item.id, volume: None, nonce: None });
            }
        }
        let disk = self.ports.store.get::<Disk>(lease.disk).await?;
        let Some(volume) = disk.entity.volume else { return Ok(()) };
        if let Some(held) = self.active.borrow_mut().get_mut(&lease.disk) {
            held.volume = Some(volume);
        }
        if !self.backend.is_mounted(volume).await? {
            // Rule 9.7: as for a new lease; what fails is final.
            self.ports.host.note(item.id, Reason::MountedAgain);
            let nonce = self.held(lease.disk).and_then(|held| held.nonce);
            match self.take(volume, nonce, &disk.entity).await {
                Ok(nonce) => {
                    if let Some(held) = self.active.borrow_mut().get_mut(&lease.disk) {
                        held.nonce = nonce;
                    }
                }
                Err(error) => self.fail(item.id, lease, error),
            }
        }
        Ok(())
    }

    /// Rule 9.8: unmounts and gives back what a lease holds, if it holds anything. What fails is
    /// written down, and the disk is another's all the same.
    async fn give_back(&self, id: LeaseId) -> Result<(), Failure> {
        let found = self.active.borrow().iter().find(|(_, held)| held.by == id).map(|(disk, held)| (*disk, *held));
        let Some((disk, held)) = found else { return Ok(()) };
        let free_at_once = self.rules.has(Fix::LeaseConflictWaits);
        if free_at_once {
            self.active.borrow_mut().remove(&disk);
        }
        if let Some(volume) = held.volume
            && let Err(error) = self.unmount(id, disk, volume, held.nonce).await
        {
            self.ports.host.note(id, Reason::VolumeStuck { error });
        }
        if !free_at_once {
            self.active.borrow_mut().remove(&disk);
        }
        let lost = held.volume.is_some() && held.nonce.is_none() && self.leases_volumes();
        self.ports.host.note(id, if lost { Reason::VolumeStaysLeased } else { Reason::VolumeGivenBack });
        Ok(())
    }

    async fn unmount(&self, id: LeaseId, disk: DiskId, volume: VolumeId, nonce: Option<Nonce>) -> Result<(), Failure> {
        let unmounted = match self.backend.is_mounted(volume).await {
            // Rule 9.8: not under another that holds the disk meanwhile.
            Ok(true) if self.held(disk).is_none_or(|held| held.by == id) => self.backend.unmount(volume).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        // One that was bound while this took its time had found it mounted.
        if self.held(disk).is_some_and(|held| held.by != id && held.volume == Some(volume)) {
            let _ = self.backend.mount(volume).await;
        }
        let released = match nonce {
            Some(nonce) => self.backend.release_volume(volume, nonce).await,
            None => Ok(()),
        };
        Ok(unmounted.and(released)?)
    }
}

impl<P: Platform> Reconciler for LeaseManager<P> {
    type Entity = DiskLease;

    async fn reconcile(&self, item: &Versioned<DiskLease>, lease: &mut Draft<DiskLease>) -> Result<(), Failure> {
        match item.entity.status {
            LeaseStatus::Pending => self.pending(item, lease).await,
            LeaseStatus::Bound => self.bound(item, lease).await,
            LeaseStatus::Released => self.give_back(item.id).await,
            // Rule 9.6: it is never tried again, but holds nothing any more.
            LeaseStatus::Failed if self.rules.has(Fix::LeaseConflictWaits) => self.give_back(item.id).await,
            LeaseStatus::Failed => Ok(()),
        }
    }

    async fn deleted(&self, id: LeaseId) -> Result<(), Failure> {
        self.give_back(id).await
    }

    fn remembers(&self, fact: &mut dyn FnMut(Fact)) {
        for (disk, held) in &*self.active.borrow() {
            fact(Fact::Thing((*disk).into()));
            fact(Fact::Thing(held.by.into()));
            fact(Fact::Number(u64::from(held.volume.is_some())));
            held.volume.into_iter().for_each(|volume| fact(Fact::Thing(volume.into())));
            fact(Fact::Nonce(held.nonce));
        }
    }
}

/// What a node does with old leases: collects the released, sweeps the orphaned.
pub struct LeaseCollector<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    node: NodeId,
}

impl<P: Platform> LeaseCollector<P> {
    /// The lease collector of a node.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>, node: NodeId) -> Self {
        Self { ports, rules, node }
    }

    /// Its tasks: each at the start and every five minutes. Rule 9.11.
    pub fn tasks(self) -> Vec<Task> {
        let this = Rc::new(self);
        let tuning = &this.rules.tuning;
        let collect: Task = (tuning.collect_every.task(), Box::pin(Rc::clone(&this).collect()));
        let sweep: Task = (tuning.orphan_sweep_every.task(), Box::pin(Rc::clone(&this).sweep()));
        if this.rules.has(Fix::OrphanLeaseSweep) { vec![collect, sweep] } else { vec![collect] }
    }

    async fn mine(&self) -> Listed<DiskLease> {
        // What cannot be listed now is listed at the next tick.
        self.ports.store.list(Query::By(LeaseIndex::Node(self.node))).await.unwrap_or_default()
    }

    /// Deletes leases that were released an hour ago.
    async fn collect(self: Rc<Self>) {
        let (period, limit) = (self.rules.tuning.collect_every, self.rules.tuning.released_kept);
        periodically(&self.ports, "lease-collection", period, First::AtOnce, async || {
            for lease in self.mine().await.iter() {
                let age = Age::at(self.ports.clock.now(), lease.meta.updated_at);
                if lease.entity.status == LeaseStatus::Released && age > limit {
                    self.ports.host.attach(lease.meta.origin);
                    self.ports.host.note(lease.id, Reason::Collected { age: age.length(), limit: limit.length() });
                    let _ = self.ports.store.delete(lease.id).await;
                }
            }
        })
        .await;
    }

    /// Releases leases whose sandbox is dead or gone.
    async fn sweep(self: Rc<Self>) {
        let period = self.rules.tuning.orphan_sweep_every;
        // Rule 9.11: at the start nobody else can be in the middle of a boot.
        let mut limit = LookBack::of(SimDuration::ZERO);
        periodically(&self.ports, "orphan-sweep", period, First::AtOnce, async || {
            let limit = std::mem::replace(&mut limit, self.rules.tuning.orphan_lease_age_min);
            for lease in self.mine().await.iter() {
                if let Err(error) = self.sweep_one(lease, limit).await {
                    self.ports.host.note(lease.id, Reason::HandlerFailed { error });
                }
            }
        })
        .await;
    }

    async fn sweep_one(&self, lease: &Versioned<DiskLease>, limit: LookBack) -> Result<(), Failure> {
        let age = Age::at(self.ports.clock.now(), lease.meta.created_at);
        if !lease.entity.status.is_open() || age <= limit {
            return Ok(());
        }
        let orphaned = match self.ports.store.get(lease.entity.sandbox).await {
            Ok(sandbox) => sandbox.entity.status == SandboxStatus::Dead,
            Err(StoreError::NotFound) => true,
            Err(error) => return Err(error.into()),
        };
        if orphaned {
            self.ports.host.attach(lease.meta.origin);
            self.ports.host.note(lease.id, Reason::LeaseOrphaned { age: age.length(), limit: limit.length() });
            self.ports.store.set(lease.id, DiskLeaseChange::Status(LeaseStatus::Released)).await?;
        }
        Ok(())
    }
}
