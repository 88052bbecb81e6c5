//! The volume service: volumes, their exclusive leases, where they are mounted.
//!
//! It outlives every process of the platform. It knows volumes by name and holders by nonce
//! only. What a newcomer gets wrong: a nonce that nobody remembers keeps its volume leased – a
//! lease manager that restarts does lose it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::kernel::SimDuration;
use crate::model::{Actor, Filesystem, Kind, Name, NodeId, Point, Subject, VolumeId};
use crate::ports::{BackendError, DiskBackend, Nonce};
use crate::trace::What;

use super::World;
use super::gate::Call;
use super::spec::Spread;

/// One volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// The disk's name.
    pub name: Name,
    /// Its size.
    pub size_gb: u32,
    /// The proof that its exclusive lease is held, and by the manager of which node.
    pub lease: Option<(Nonce, NodeId)>,
    /// Whether it has a file system.
    pub initialised: bool,
    /// Where it is mounted.
    pub mounts: Vec<NodeId>,
    /// Whether it was removed.
    pub gone: bool,
}

/// All volumes.
pub struct Volumes {
    /// Shared with stills of the world: copied when one changes.
    volumes: Vec<Rc<Volume>>,
    by_name: BTreeMap<Name, VolumeId>,
    quota_gb: u64,
    nonces: u64,
}

impl Volumes {
    pub(super) fn new(quota_gb: u64) -> Self {
        Self { volumes: Vec::new(), by_name: BTreeMap::new(), quota_gb, nonces: 0 }
    }
    /// A volume, unless it was removed.
    pub fn get(&self, id: VolumeId) -> Option<&Volume> {
        self.volumes.get(id.0 as usize).map(|volume| &**volume).filter(|volume| !volume.gone)
    }
    /// All volumes that were not removed.
    pub fn iter(&self) -> impl Iterator<Item = (VolumeId, &Volume)> {
        self.shared().map(|(id, volume)| (id, &**volume))
    }
    /// The same, to be shared.
    pub(super) fn shared(&self) -> impl Iterator<Item = (VolumeId, &Rc<Volume>)> {
        let ids = (0..).map(VolumeId);
        ids.zip(&self.volumes).filter(|(_, volume)| !volume.gone)
    }
    fn get_mut(&mut self, id: VolumeId) -> Result<&mut Volume, Name> {
        let found = self.volumes.get_mut(id.0 as usize).filter(|volume| !volume.gone);
        found.map(Rc::make_mut).ok_or_else(|| Name::new("no such volume"))
    }
    fn used_gb(&self) -> u64 {
        self.iter().map(|(_, volume)| u64::from(volume.size_gb)).sum()
    }
}

/// The volume service as one controller of a node reaches it.
#[derive(Clone)]
pub struct SimDisks {
    world: World,
    actor: Actor,
    node: NodeId,
}

impl SimDisks {
    /// The service as `actor` on `node` reaches it.
    pub fn new(world: &World, actor: Actor, node: NodeId) -> Self {
        Self { world: world.clone(), actor, node }
    }

    fn volumes(&self) -> &RefCell<Volumes> {
        &self.world.0.volumes
    }

    async fn run<T>(
        &self,
        point: Point,
        subject: Subject,
        latency: SimDuration,
        act: impl FnOnce() -> Result<T, Name>,
    ) -> Result<T, BackendError> {
        let call = Call { point, actor: self.actor, subject, kind: None };
        self.world.backend_call(call, latency, act).await.map_err(BackendError)
    }

    fn latency(&self, volume: VolumeId, spread: Spread) -> SimDuration {
        self.world.log().draw(volume.into(), "volume latency", spread)
    }

    fn record(&self, volume: VolumeId, what: What) {
        self.world.log().record(self.actor, volume, what);
    }
}

impl DiskBackend for SimDisks {
    async fn create_volume(&self, name: Name, size_gb: u32) -> Result<VolumeId, BackendError> {
        let known = self.volumes().borrow().by_name.get(&name).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        // The volume has no number yet: what the call is about is the disk of that name.
        let disk = self.world.tables().disks.list(crate::ports::Query::By(crate::model::DiskIndex::Name(name)));
        let subject = disk.last().map_or(Subject::CLUSTER, |disk| disk.id.into());
        let latency = self.world.log().draw(subject, "volume latency", self.world.cluster().latency.create_volume);
        self.run(Point::CreateVolume, subject, latency, || {
            let mut volumes = self.volumes().borrow_mut();
            if let Some(id) = volumes.by_name.get(&name) {
                return Ok(*id);
            }
            let used = volumes.used_gb();
            if used + u64::from(size_gb) > volumes.quota_gb {
                let quota = volumes.quota_gb;
                return Err(Name::new(&format!("disk quota exceeded: {size_gb} GB wanted, {used} of {quota} GB used")));
            }
            let id = VolumeId(u32::try_from(volumes.volumes.len()).expect("fewer than 2^32 volumes"));
            let (lease, initialised, mounts, gone) = (None, false, Vec::new(), false);
            volumes.volumes.push(Rc::new(Volume { name, size_gb, lease, initialised, mounts, gone }));
            volumes.by_name.insert(name, id);
            drop(volumes);
            self.world.log().name_next(Kind::Volume, Name::new(&format!("volume/{name}")));
            self.record(id, What::VolumeMade);
            Ok(id)
        })
        .await
    }

    async fn volume_exists(&self, volume: VolumeId) -> Result<bool, BackendError> {
        Ok(self.volumes().borrow().get(volume).is_some())
    }

    async fn delete_volume(&self, volume: VolumeId) -> Result<(), BackendError> {
        let latency = self.latency(volume, self.world.cluster().latency.delete_volume);
        self.run(Point::DeleteVolume, volume.into(), latency, || {
            let mut volumes = self.volumes().borrow_mut();
            let Ok(found) = volumes.get_mut(volume) else { return Ok(()) };
            if !found.mounts.is_empty() {
                return Err(Name::new("the volume is mounted"));
            }
            if found.lease.is_some() {
                return Err(Name::new("the volume is leased"));
            }
            found.gone = true;
            let name = found.name;
            volumes.by_name.remove(&name);
            drop(volumes);
            self.record(volume, What::VolumeGone);
            Ok(())
        })
        .await
    }

    async fn acquire_volume(&self, volume: VolumeId) -> Result<Nonce, BackendError> {
        let latency = self.latency(volume, self.world.cluster().latency.acquire_volume);
        self.run(Point::AcquireVolume, volume.into(), latency, || {
            let volumes = &mut *self.volumes().borrow_mut();
            let nonce = Nonce(volumes.nonces + 1);
            let found = volumes.get_mut(volume)?;
            if found.lease.is_some() {
                return Err(Name::new("the volume is leased already"));
            }
            found.lease = Some((nonce, self.node));
            volumes.nonces += 1;
            Ok(nonce)
        })
        .await
    }

    async fn initialise(&self, volume: VolumeId, _filesystem: Filesystem) -> Result<(), BackendError> {
        let done = self.volumes().borrow().get(volume).is_some_and(|v| v.initialised);
        if done {
            return Ok(());
        }
        let latency = self.latency(volume, self.world.cluster().latency.initialise);
        self.run(Point::Initialise, volume.into(), latency, || {
            self.volumes().borrow_mut().get_mut(volume)?.initialised = true;
            Ok(())
        })
        .await
    }

    async fn mount(&self, volume: VolumeId) -> Result<(), BackendError> {
        let latency = self.latency(volume, self.world.cluster().latency.mount);
        self.run(Point::Mount, volume.into(), latency, || {
            let mut volumes = self.volumes().borrow_mut();
            let found = volumes.get_mut(volume)?;
            if !found.mounts.contains(&self.node) {
                // A second node is not refused: that the platform never tries is for judges to see.
                found.mounts.push(self.node);
                drop(volumes);
                self.record(volume, What::Mounted { node: self.node.index() });
            }
            Ok(())
        })
        .await
    }

    async fn unmount(&self, volume: VolumeId) -> Result<(), BackendError> {
        let latency = self.latency(volume, self.world.cluster().latency.unmount);
        self.run(Point::Unmount, volume.into(), latency, || {
            let mut volumes = self.volumes().borrow_mut();
            let found = volumes.get_mut(volume)?;
            let before = found.mounts.len();
            found.mounts.retain(|node| *node != self.node);
            if found.mounts.len() < before {
                drop(volumes);
                self.record(volume, What::Unmounted { node: self.node.index() });
            }
            Ok(())
        })
        .await
    }

    async fn is_mounted(&self, volume: VolumeId) -> Result<bool, BackendError> {
        Ok(self.volumes().borrow().get(volume).is_some_and(|v| v.mounts.contains(&self.node)))
    }

    async fn release_volume(&self, volume: VolumeId, nonce: Nonce) -> Result<(), BackendError> {
        let latency = self.latency(volume, self.world.cluster().latency.release_volume);
        self.run(Point::ReleaseVolume, volume.into(), latency, || {
            let mut volumes = self.volumes().borrow_mut();
            let found = volumes.get_mut(volume)?;
            if found.lease.is_none_or(|(held, _)| held != nonce) {
                return Err(Name::new("the nonce is not the holder's"));
            }
            found.lease = None;
            Ok(())
        })
        .await
    }
}

impl World {
    /// The machine loses power: what it had mounted is not any more.
    pub fn lose_mounts(&self, node: NodeId) {
        let lost: Vec<VolumeId> = {
            let mut volumes = self.0.volumes.borrow_mut();
            let mut lost = Vec::new();
            for (index, volume) in volumes.volumes.iter_mut().enumerate() {
                if volume.mounts.contains(&node) {
                    Rc::make_mut(volume).mounts.retain(|mounted| *mounted != node);
                    lost.push(VolumeId(index as u32));
                }
            }
            lost
        };
        for volume in lost {
            self.log().record(super::WORLD, volume, What::Unmounted { node: node.index() });
        }
    }
}
