//! The volume service: volumes, their exclusive leases, where they are mounted.
//!
//! A part of the world that outlives every process of the platform and acts at once. It knows
//! the disk and the node that a volume was made for and on, and holders by nonce only. What a newcomer gets
//! wrong: a nonce that nobody remembers keeps its volume leased – a lease manager that restarts does lose it.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::{Actor, DiskId, Kind, Name, NodeId, VolumeId};
use crate::ports::{BackendError, Nonce};
use crate::trace::What;

use super::WORLD;
use super::log::Log;

/// One volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// The disk that it was made for; that may be gone, or use another one.
    pub disk: DiskId,
    /// That disk's name.
    pub name: Name,
    pub node: NodeId,
    pub size_gb: u32,
    /// The proof that its exclusive lease is held, and by the manager of which node.
    pub lease: Option<(Nonce, NodeId)>,
    /// Whether it has a file system.
    pub initialised: bool,
    pub mounts: Vec<NodeId>,
    pub gone: bool,
}

/// All volumes.
pub struct Volumes {
    log: Rc<Log>,
    /// Shared with captures of the world: copied when one changes.
    volumes: Vec<Rc<Volume>>,
    /// How many were ever made for disks of a name.
    made: BTreeMap<Name, u32>,
    quota_gb: u64,
    nonces: u64,
}

impl Volumes {
    pub(super) fn new(log: &Rc<Log>, quota_gb: u64) -> Self {
        Self { log: Rc::clone(log), volumes: Vec::new(), made: BTreeMap::new(), quota_gb, nonces: 0 }
    }

    /// A volume, unless it was removed.
    pub fn get(&self, id: VolumeId) -> Option<&Volume> {
        self.volumes.get(id.0 as usize).map(|volume| &**volume).filter(|volume| !volume.gone)
    }
    /// The volume of that name, like `data` or, the second of that disk name, `data~2`.
    pub fn named(&self, name: Name) -> Option<VolumeId> {
        let full = format!("volume/{name}");
        self.iter().map(|(id, _)| id).find(|id| *self.log.name(*id) == *full)
    }
    /// Those that were made for a disk.
    pub fn made_for(&self, disk: DiskId) -> impl Iterator<Item = (VolumeId, &Volume)> {
        self.iter().filter(move |(_, volume)| volume.disk == disk)
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
    fn get_mut(&mut self, id: VolumeId) -> Result<&mut Volume, BackendError> {
        let found = self.volumes.get_mut(id.0 as usize).filter(|volume| !volume.gone);
        found.map(Rc::make_mut).ok_or_else(|| BackendError::new("no such volume"))
    }

    /// Makes a volume.
    pub(super) fn create(
        &mut self,
        actor: Actor,
        node: NodeId,
        disk: DiskId,
        name: Name,
        size_gb: u32,
    ) -> Result<VolumeId, BackendError> {
        let used: u64 = self.iter().map(|(_, volume)| u64::from(volume.size_gb)).sum();
        if used + u64::from(size_gb) > self.quota_gb {
            let quota = self.quota_gb;
            let why = format!("disk quota exceeded: {size_gb} GB wanted, {used} of {quota} GB used");
            return Err(BackendError::new(&why));
        }
        let id = VolumeId(u32::try_from(self.volumes.len()).expect("fewer than 2^32 volumes"));
        let (lease, initialised, mounts, gone) = (None, false, Vec::new(), false);
        self.volumes.push(Rc::new(Volume { disk, name, node, size_gb, lease, initialised, mounts, gone }));
        let made = self.made.entry(name).or_default();
        *made += 1;
        let full = if *made == 1 { format!("volume/{name}") } else { format!("volume/{name}~{made}") };
        self.log.name_next(Kind::Volume, Name::new(&full));
        self.log.record(actor, id, What::VolumeMade);
        Ok(id)
    }

    /// Removes a volume, unless it is gone.
    pub(super) fn delete(&mut self, actor: Actor, id: VolumeId) -> Result<(), BackendError> {
        let Ok(volume) = self.get_mut(id) else { return Ok(()) };
        if !volume.mounts.is_empty() {
            return Err(BackendError::new("the volume is mounted"));
        }
        if volume.lease.is_some() {
            return Err(BackendError::new("the volume is leased"));
        }
        volume.gone = true;
        self.log.record(actor, id, What::VolumeGone);
        Ok(())
    }

    /// Takes a volume's exclusive lease for the manager of a node.
    pub(super) fn acquire(&mut self, node: NodeId, id: VolumeId) -> Result<Nonce, BackendError> {
        let nonce = Nonce(self.nonces + 1);
        let volume = self.get_mut(id)?;
        if volume.lease.is_some() {
            return Err(BackendError::new("the volume is leased already"));
        }
        volume.lease = Some((nonce, node));
        self.nonces += 1;
        Ok(nonce)
    }

    /// Makes a file system.
    pub(super) fn initialise(&mut self, id: VolumeId) -> Result<(), BackendError> {
        self.get_mut(id)?.initialised = true;
        Ok(())
    }

    /// Mounts a volume on a node, unless it is there. A second node is not refused: that the
    /// platform never tries is for judges to see.
    pub(super) fn mount(&mut self, actor: Actor, node: NodeId, id: VolumeId) -> Result<(), BackendError> {
        let volume = self.get_mut(id)?;
        if !volume.mounts.contains(&node) {
            volume.mounts.push(node);
            self.log.record(actor, id, What::Mounted { node: node.index() });
        }
        Ok(())
    }

    /// Unmounts a volume from a node, if it is there.
    pub(super) fn unmount(&mut self, actor: Actor, node: NodeId, id: VolumeId) -> Result<(), BackendError> {
        let mounts = &mut self.get_mut(id)?.mounts;
        if let Some(place) = mounts.iter().position(|mounted| *mounted == node) {
            mounts.remove(place);
            self.log.record(actor, id, What::Unmounted { node: node.index() });
        }
        Ok(())
    }

    /// Gives a volume's exclusive lease back.
    pub(super) fn release(&mut self, id: VolumeId, nonce: Nonce) -> Result<(), BackendError> {
        let volume = self.get_mut(id)?;
        if volume.lease.is_none_or(|(held, _)| held != nonce) {
            return Err(BackendError::new("the nonce is not the holder's"));
        }
        volume.lease = None;
        Ok(())
    }

    /// A volume is lost, whoever uses it: mounts, lease and data.
    pub(super) fn lose(&mut self, id: VolumeId) {
        let mounts = self.get(id).map(|volume| volume.mounts.clone()).unwrap_or_default();
        for node in mounts {
            self.unmount(WORLD, node, id).expect("it is mounted");
        }
        if let Ok(volume) = self.get_mut(id) {
            volume.lease = None;
        }
        self.delete(WORLD, id).expect("nobody mounts or leases it");
    }

    /// The machine loses power: what it had mounted is not any more.
    pub(super) fn lose_mounts(&mut self, node: NodeId) {
        let mounted = self.iter().filter(|(_, volume)| volume.mounts.contains(&node));
        let mounted: Vec<VolumeId> = mounted.map(|(id, _)| id).collect();
        for id in mounted {
            self.unmount(WORLD, node, id).expect("it is mounted");
        }
    }
}
