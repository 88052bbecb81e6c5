//! Node health: gives up the sandboxes of a node that is lost (`docs/rules.md` §6).
//!
//! It knows nodes by their status in the store. When a node was first seen away, and whether its
//! sandboxes were given up since, is in its memory only. What a newcomer gets wrong: a restart of
//! the coordinator starts the five minutes anew; and a node is given up once, whatever comes to it later.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::constants::Age;
use crate::model::{Node, NodeId, NodeStatus, Reason, Sandbox, SandboxChange, SandboxIndex, SandboxStatus};
use crate::ports::{Clock, EntityStore, Fact, Host, Platform, Ports, Query, Versioned};
use crate::time::SimTime;

use super::fixes::Fix;
use super::runtime::{Draft, Failure, Reconciler, Rules};

/// The node health controller.
pub struct NodeHealth<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    away: RefCell<BTreeMap<NodeId, Away>>,
}

/// A node that is away.
#[derive(Clone, Copy)]
struct Away {
    since: SimTime,
    given_up: bool,
}

impl<P: Platform> NodeHealth<P> {
    /// A node health controller under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules, away: RefCell::default() }
    }
}

impl<P: Platform> Reconciler for NodeHealth<P> {
    type Entity = Node;

    async fn reconcile(&self, item: &Versioned<Node>, _work: &mut Draft<Node>) -> Result<(), Failure> {
        // Rule 6.4: a node that was taken out of service is not away.
        if matches!(item.entity.status, NodeStatus::Ready | NodeStatus::Disabled) {
            self.away.borrow_mut().remove(&item.id);
            return Ok(());
        }
        let now = self.ports.clock.now();
        let away = *self.away.borrow_mut().entry(item.id).or_insert(Away { since: now, given_up: false });
        let (since, limit) = (Age::at(now, away.since), self.rules.tuning.node_grace);
        if since < limit || away.given_up {
            return Ok(());
        }
        let mut failed = None;
        for sandbox in self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Node(item.id))).await?.iter() {
            let left = match sandbox.entity.status {
                SandboxStatus::Dead => true,
                SandboxStatus::Stopped => !self.rules.has(Fix::LostStoppedDie),
                SandboxStatus::Pending | SandboxStatus::Running => false,
            };
            if !left {
                self.ports.host.note(sandbox.id, Reason::NodeLost { since: since.length(), limit: limit.length() });
                let set = self.ports.store.set(sandbox.id, SandboxChange::Status(SandboxStatus::Dead));
                // Rule 6.4: one that cannot be written does not hold up the others.
                failed = set.await.err().or(failed);
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        self.away.borrow_mut().entry(item.id).and_modify(|away| away.given_up = true);
        Ok(())
    }

    fn remembers(&self, fact: &mut dyn FnMut(Fact)) {
        for (node, away) in &*self.away.borrow() {
            fact(Fact::Thing((*node).into()));
            fact(Fact::Moment(Some(away.since)));
            fact(Fact::Number(u64::from(away.given_up)));
        }
    }
}
