//! What operators ask of the platform besides deploys (`docs/rules.md` §11).
//!
//! Each is a few store calls in a given order. What a newcomer gets wrong: deleting an app finds
//! what belongs to it by *indexed references* only; a disk without `created_by` survives.

use std::rc::Rc;

use crate::model::{
    AnyStatus, App, AppChange, AppVersion, Disk, DiskChange, DiskIndex, DiskLease, DiskLeaseChange, DiskStatus, Entity,
    Id, Kind, LeaseIndex, Name, Node, NodeChange, NodeStatus, Pool, PoolChange, Reason, Sandbox, SandboxChange,
    SandboxIndex, SandboxStatus, VolumeId,
};
use crate::ports::{EntityStore, Host, Platform, Ports, Query, StoreError, Versioned};

use super::fixes::Fix;
use super::pool::crash_reset;
use super::runtime::{Failure, Rules};

/// Carries out what operators ask for.
pub struct Operator<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
}

impl<P: Platform> Operator<P> {
    /// An operator's hand on these ports.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules }
    }

    async fn app(&self, name: Name) -> Result<Versioned<App>, Failure> {
        let known = self.ports.store.list::<App>(Query::By(name)).await?;
        known.first().cloned().ok_or(Failure::Unknown { kind: Kind::App, name })
    }

    /// Deletes everything that references the app through an index, then the app.
    ///
    /// # Errors
    /// There is no such app, or the store fails.
    pub async fn delete_app(&self, name: Name) -> Result<(), Failure> {
        let app = self.app(name).await?.id;
        self.ports.host.note(app, Reason::Requested { action: "delete app" });
        let store = &self.ports.store;
        // Rule 11.2: all referrers are listed before the first is deleted; who comes later stays.
        if self.rules.has(Fix::DeleteClearsVersion) {
            store.set(app, AppChange::ActiveVersion(None)).await?;
        }
        let pools = store.list::<Pool>(Query::By(app)).await?;
        let leases = store.list::<DiskLease>(Query::By(LeaseIndex::App(app))).await?;
        let versions = store.list::<AppVersion>(Query::By(app)).await?;
        let disks = store.list::<Disk>(Query::By(DiskIndex::CreatedBy(app))).await?;
        for pool in pools.iter() {
            self.delete(pool.id).await?;
        }
        for lease in leases.iter() {
            self.delete(lease.id).await?;
        }
        for version in versions.iter() {
            self.delete(version.id).await?;
        }
        for disk in disks.iter() {
            self.delete(disk.id).await?;
        }
        store.delete(app).await?;
        Ok(())
    }

    /// Deletes an entity; one that is gone already is no error.
    async fn delete<E: Entity>(&self, id: Id<E>) -> Result<(), Failure> {
        match self.ports.store.delete(id).await {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Stops all sandboxes of an app, clears its cooldowns, restores the configured counts.
    ///
    /// # Errors
    /// There is no such app, or the store fails.
    pub async fn restart_app(&self, name: Name) -> Result<(), Failure> {
        let app = self.app(name).await?;
        self.ports.host.note(app.id, Reason::Requested { action: "restart app" });
        for pool in self.ports.store.list::<Pool>(Query::By(app.id)).await?.iter() {
            self.restart_pool(pool).await?;
        }
        Ok(())
    }

    async fn restart_pool(&self, pool: &Versioned<Pool>) -> Result<(), Failure> {
        let store = &self.ports.store;
        for sandbox in store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool.id))).await?.iter() {
            if sandbox.entity.status.is_live() {
                store.set(sandbox.id, SandboxChange::Status(SandboxStatus::Stopped)).await?;
            }
        }
        let mut changes = crash_reset();
        if !pool.entity.referenced_by_versions.is_empty() {
            let version = store.get(pool.entity.spec.version).await?;
            let configured = version.entity.service(pool.entity.service).and_then(|s| s.concurrency.fixed());
            changes.extend(configured.map(PoolChange::DesiredInstances));
        }
        store.patch(pool.id, changes, None).await?;
        Ok(())
    }

    /// Deletes a disk: its volume first, by way of its controller.
    ///
    /// # Errors
    /// There is no such disk, or the store fails.
    pub async fn delete_disk(&self, name: Name) -> Result<(), Failure> {
        let known = self.ports.store.list::<Disk>(Query::By(DiskIndex::Name(name))).await?;
        let disk = known.first().ok_or(Failure::Unknown { kind: Kind::Disk, name })?;
        self.ports.host.note(disk.id, Reason::Requested { action: "delete disk" });
        self.ports.store.set(disk.id, DiskChange::Status(DiskStatus::Deleting)).await?;
        Ok(())
    }

    /// Writes a status by hand: the first entity of that name gets it, whatever it was.
    ///
    /// # Errors
    /// There is no such entity, or the store fails.
    pub async fn set_status(&self, name: Name, status: AnyStatus) -> Result<(), Failure> {
        match status {
            AnyStatus::Sandbox(status) => self.write::<Sandbox>(name, SandboxChange::Status(status)).await,
            AnyStatus::Disk(status) => self.write::<Disk>(name, DiskChange::Status(status)).await,
            AnyStatus::Lease(status) => self.write::<DiskLease>(name, DiskLeaseChange::Status(status)).await,
            AnyStatus::Node(status) => self.write::<Node>(name, NodeChange::Status(status)).await,
        }
    }

    /// Writes by hand which volume a disk has.
    ///
    /// # Errors
    /// There is no such disk, or the store fails.
    pub async fn set_volume(&self, disk: Name, volume: Option<VolumeId>) -> Result<(), Failure> {
        self.write::<Disk>(disk, DiskChange::Volume(volume)).await
    }

    async fn write<E: Entity>(&self, name: Name, change: E::Change) -> Result<(), Failure> {
        let all = self.ports.store.list::<E>(Query::All).await?;
        let named = |item: &&Versioned<E>| item.meta.name.short() == name.as_str();
        let found = all.iter().find(named).ok_or(Failure::Unknown { kind: E::KIND, name })?;
        self.ports.host.note(found.id, Reason::Requested { action: "write by hand" });
        self.ports.store.set(found.id, change).await?;
        Ok(())
    }

    /// Disables a node, and stops the sandboxes on it.
    ///
    /// # Errors
    /// There is no such node, or the store fails.
    pub async fn drain(&self, name: Name) -> Result<(), Failure> {
        let nodes = self.ports.store.list::<Node>(Query::All).await?;
        let node =
            nodes.iter().find(|node| node.entity.name == name).ok_or(Failure::Unknown { kind: Kind::Node, name })?;
        self.ports.host.note(node.id, Reason::Requested { action: "drain node" });
        self.ports.store.set(node.id, NodeChange::Status(NodeStatus::Disabled)).await?;
        for sandbox in self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Node(node.id))).await?.iter() {
            if sandbox.entity.status.is_live() {
                self.ports.store.set(sandbox.id, SandboxChange::Status(SandboxStatus::Stopped)).await?;
            }
        }
        Ok(())
    }

    /// Sets the desired instances of a service's pool: the one that the active version uses.
    ///
    /// # Errors
    /// There is no such app or pool, or the store fails.
    pub async fn set_desired(&self, name: Name, service: Name, instances: u32) -> Result<(), Failure> {
        let app = self.app(name).await?;
        let pools = self.ports.store.list::<Pool>(Query::By(app.id)).await?;
        let uses = |pool: &&Versioned<Pool>| {
            let active = app.entity.active_version;
            pool.entity.service == service
                && active.is_some_and(|version| pool.entity.referenced_by_versions.contains(&version))
        };
        let pool = pools.iter().find(uses).ok_or(Failure::NoPool { app: name, service })?;
        self.ports.host.note(pool.id, Reason::Requested { action: "set desired" });
        self.ports.store.set(pool.id, PoolChange::DesiredInstances(instances)).await?;
        Ok(())
    }
}
