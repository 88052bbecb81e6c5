//! The volume service as a node's controllers reach it: every call passes the gate.
//!
//! What the service knows without doing anything – a volume exists, whose it is, it has a file
//! system – it answers at once, and no fault is about that.

use std::cell::RefCell;
use std::future::Future;

use crate::model::{DiskId, Filesystem, Name, NodeId, Point, Subject, VolumeId};
use crate::ports::{BackendError, DiskBackend, Nonce};

use super::gate::{Call, Gated};
use super::spec::Spread;
use super::volumes::Volumes;

/// The volume service as one controller of a node reaches it.
pub type SimDisks = Gated<RefCell<Volumes>>;

impl SimDisks {
    fn order<T>(
        &self,
        point: Point,
        subject: impl Into<Subject>,
        spread: Spread,
        act: impl FnOnce(&mut Volumes) -> Result<T, BackendError>,
    ) -> impl Future<Output = Result<T, BackendError>> {
        let subject = subject.into();
        let takes = self.latency(subject, "volume latency", spread);
        self.call(Call::order(point, subject, takes), |_| act(&mut self.part.borrow_mut()))
    }

    fn ask<T>(
        &self,
        volume: VolumeId,
        look: impl FnOnce(&Volumes) -> T,
    ) -> impl Future<Output = Result<T, BackendError>> {
        self.call(Call::question(None, volume.into()), |_| Ok(look(&self.part.borrow())))
    }
}

impl DiskBackend for SimDisks {
    async fn create_volume(&self, disk: DiskId, name: Name, size_gb: u32) -> Result<VolumeId, BackendError> {
        let create = |volumes: &mut Volumes| volumes.create(self.actor, self.node(), disk, name, size_gb);
        self.order(Point::CreateVolume, disk, self.gate.latency.create_volume, create).await
    }

    async fn volumes_of(&self, disk: DiskId) -> Result<Vec<(VolumeId, NodeId)>, BackendError> {
        let look = || self.part.borrow().made_for(disk).map(|(id, volume)| (id, volume.node)).collect();
        self.call(Call::question(None, disk.into()), |_| Ok(look())).await
    }

    async fn volume_exists(&self, volume: VolumeId) -> Result<bool, BackendError> {
        self.ask(volume, |volumes| volumes.get(volume).is_some()).await
    }

    async fn delete_volume(&self, volume: VolumeId) -> Result<(), BackendError> {
        let delete = |volumes: &mut Volumes| volumes.delete(self.actor, volume);
        self.order(Point::DeleteVolume, volume, self.gate.latency.delete_volume, delete).await
    }

    async fn acquire_volume(&self, volume: VolumeId) -> Result<Nonce, BackendError> {
        let acquire = |volumes: &mut Volumes| volumes.acquire(self.node(), volume);
        self.order(Point::AcquireVolume, volume, self.gate.latency.acquire_volume, acquire).await
    }

    async fn initialise(&self, volume: VolumeId, _filesystem: Filesystem) -> Result<(), BackendError> {
        if self.ask(volume, |volumes| volumes.get(volume).is_some_and(|volume| volume.initialised)).await? {
            return Ok(());
        }
        let initialise = |volumes: &mut Volumes| volumes.initialise(volume);
        self.order(Point::Initialise, volume, self.gate.latency.initialise, initialise).await
    }

    async fn mount(&self, volume: VolumeId) -> Result<(), BackendError> {
        let mount = |volumes: &mut Volumes| volumes.mount(self.actor, self.node(), volume);
        self.order(Point::Mount, volume, self.gate.latency.mount, mount).await
    }

    async fn unmount(&self, volume: VolumeId) -> Result<(), BackendError> {
        let unmount = |volumes: &mut Volumes| volumes.unmount(self.actor, self.node(), volume);
        self.order(Point::Unmount, volume, self.gate.latency.unmount, unmount).await
    }

    async fn is_mounted(&self, volume: VolumeId) -> Result<bool, BackendError> {
        let node = self.node();
        self.ask(volume, |volumes| volumes.get(volume).is_some_and(|volume| volume.mounts.contains(&node))).await
    }

    async fn release_volume(&self, volume: VolumeId, nonce: Nonce) -> Result<(), BackendError> {
        let release = |volumes: &mut Volumes| volumes.release(volume, nonce);
        self.order(Point::ReleaseVolume, volume, self.gate.latency.release_volume, release).await
    }
}
