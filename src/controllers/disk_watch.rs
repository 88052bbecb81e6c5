//! The disk watch of one node: for every change of a disk, all leases of that disk are looked
//! at again (`docs/rules.md` §8).
//!
//! It shares a process with the lease manager and feeds its queue.

use std::rc::Rc;

use crate::model::{Disk, DiskId, DiskLease, LeaseIndex, NodeId, Reason};
use crate::ports::{Change, EntityStore, Host, Platform, Ports, Query, Versioned};

use super::fixes::Fix;
use super::lease::LeaseManager;
use super::runtime::{Draft, Failure, Reconciler, Rules, Runtime};

/// The disk watch of one node.
pub struct DiskWatch<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    node: NodeId,
    leases: Rc<Runtime<P, LeaseManager<P>>>,
}

impl<P: Platform> DiskWatch<P> {
    /// The disk watch of a node, which feeds that node's lease manager.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>, node: NodeId, leases: Rc<Runtime<P, LeaseManager<P>>>) -> Self {
        Self { ports, rules, node, leases }
    }
}

impl<P: Platform> Reconciler for DiskWatch<P> {
    type Entity = Disk;

    async fn reconcile(&self, item: &Versioned<Disk>, _disk: &mut Draft<Disk>) -> Result<(), Failure> {
        self.recheck_leases(item.id).await
    }
}

impl<P: Platform> DiskWatch<P> {
    /// Rule 8.3.
    async fn recheck_leases(&self, disk: DiskId) -> Result<(), Failure> {
        if !self.rules.has(Fix::RecheckLeaseOnDiskChange) {
            return Ok(());
        }
        let leases = self.ports.store.list::<DiskLease>(Query::By(LeaseIndex::Disk(disk))).await?;
        for lease in leases.iter().filter(|lease| lease.entity.node == self.node) {
            self.ports.host.note(lease.id, Reason::DiskChanged);
            self.leases.enqueue(Change::Updated, lease.clone(), self.ports.host.origin());
        }
        Ok(())
    }
}
