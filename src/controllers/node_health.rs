//! Node health: gives up the sandboxes of a node that is lost (`docs/rules.md` §6).
//!
//! It knows nodes by their status in the store. When a node was first seen away is in its memory
//! only. What a newcomer gets wrong: a restart of the coordinator starts the five minutes anew.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::constants::Age;
use crate::model::{Node, NodeId, NodeStatus, Reason, Sandbox, SandboxChange, SandboxIndex, SandboxStatus};
use crate::ports::{Clock, EntityStore, Fact, Host, Platform, Ports, Query, Versioned};
use crate::time::SimTime;

use super::runtime::{Draft, Failure, Reconciler, Rules};

/// The node health controller.
pub struct NodeHealth<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    away_since: RefCell<BTreeMap<NodeId, SimTime>>,
}

impl<P: Platform> NodeHealth<P> {
    /// A node health controller under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules, away_since: RefCell::default() }
    }
}

impl<P: Platform> Reconciler for NodeHealth<P> {
    type Entity = Node;

    async fn reconcile(&self, item: &Versioned<Node>, _work: &mut Draft<Node>) -> Result<(), Failure> {
        // Rule 6.4: a node that was taken out of service is not away.
        if matches!(item.entity.status, NodeStatus::Ready | NodeStatus::Disabled) {
            self.away_since.borrow_mut().remove(&item.id);
            return Ok(());
        }
        let now = self.ports.clock.now();
        let first = *self.away_since.borrow_mut().entry(item.id).or_insert(now);
        let (since, limit) = (Age::at(now, first), self.rules.tuning.node_grace);
        if since < limit {
            return Ok(());
        }
        for sandbox in self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Node(item.id))).await?.iter() {
            if sandbox.entity.status != SandboxStatus::Dead {
                self.ports.host.note(sandbox.id, Reason::NodeLost { since: since.length(), limit: limit.length() });
                self.ports.store.set(sandbox.id, SandboxChange::Status(SandboxStatus::Dead)).await?;
            }
        }
        Ok(())
    }

    fn remembers(&self, fact: &mut dyn FnMut(Fact)) {
        for (node, since) in &*self.away_since.borrow() {
            fact(Fact::Thing((*node).into()));
            fact(Fact::Moment(Some(*since)));
        }
    }
}
