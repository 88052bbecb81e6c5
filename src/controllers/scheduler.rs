//! The scheduler: gives every sandbox without a node a random ready one (`docs/rules.md` §6).
//!
//! It knows nothing of load or capacity. The coordinator's own node is the cluster's first. What a newcomer gets wrong: before `scheduler-resyncs`
//! it read the nodes once at its start and never listed sandboxes, so that what was created
//! while it was down stays without a node for ever.

use std::cell::RefCell;
use std::rc::Rc;

use crate::model::{Node, NodeId, NodeStatus, Reason, Sandbox, SandboxIndex, SandboxStatus};
use crate::ports::{EntityStore, Fact, Host, Platform, Ports, Query, Versioned};

use super::fixes::Fix;
use super::runtime::{Draft, Failure, Reconciler, Rules};

/// The scheduler.
pub struct Scheduler<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    /// The nodes as they were at the start, before `scheduler-resyncs`.
    nodes_at_start: RefCell<Option<Vec<NodeId>>>,
}

impl<P: Platform> Scheduler<P> {
    /// A scheduler under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules, nodes_at_start: RefCell::default() }
    }

    /// Reads the nodes once, as was done at its start before `scheduler-resyncs`. Rule 6.1.
    pub async fn remember_nodes(&self) {
        if !self.rules.has(Fix::SchedulerResyncs) {
            let nodes = self.list_ready().await.unwrap_or_default();
            *self.nodes_at_start.borrow_mut() = Some(nodes);
        }
    }

    /// The nodes among which one is drawn.
    async fn candidates(&self, item: &Versioned<Sandbox>, mut candidates: Vec<NodeId>) -> Vec<NodeId> {
        let stateful = !item.entity.spec.volumes.is_empty();
        // Rule 6.2: disks are where the coordinator is; the other nodes are for all else.
        if self.rules.has(Fix::DisksOnCoordinator) {
            let runner = |node: &NodeId| *node != NodeId::from_index(0);
            if stateful {
                candidates.retain(|node| !runner(node));
            } else if candidates.iter().any(runner) {
                candidates.retain(runner);
            }
        }
        // Rule 6.3: one that cannot be asked for is as good as spread.
        if self.rules.has(Fix::SpreadReplicas)
            && !stateful
            && candidates.len() > 1
            && let Ok(siblings) = self.ports.store.list_all_for::<Sandbox>(SandboxIndex::Pool(item.entity.pool)).await
        {
            let active = siblings.iter().filter(|other| other.entity.status.is_live());
            let active: Vec<NodeId> = active.filter_map(|other| other.entity.node).collect();
            let on = |node: &NodeId| active.iter().filter(|other| *other == node).count();
            let fewest = candidates.iter().map(on).min();
            candidates.retain(|node| Some(on(node)) == fewest);
        }
        candidates
    }

    async fn list_ready(&self) -> Result<Vec<NodeId>, Failure> {
        let nodes = self.ports.store.list::<Node>(Query::All).await?;
        let ready = nodes.iter().filter(|node| node.entity.status == NodeStatus::Ready);
        Ok(ready.map(|node| node.id).collect())
    }
}

impl<P: Platform> Reconciler for Scheduler<P> {
    type Entity = Sandbox;

    fn ignores(&self, item: &Versioned<Sandbox>) -> bool {
        // A stopped one gets a node, too: only a node can clean it up.
        item.entity.node.is_some() || item.entity.status == SandboxStatus::Dead
    }

    async fn reconcile(&self, item: &Versioned<Sandbox>, sandbox: &mut Draft<Sandbox>) -> Result<(), Failure> {
        let remembered = self.nodes_at_start.borrow().clone();
        let ready = match remembered {
            Some(nodes) => nodes,
            None => self.list_ready().await?,
        };
        let candidates = self.candidates(item, ready).await;
        let chosen = match candidates.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => Some(several[self.ports.host.draw_below(&item.meta.name, "node", several.len())]),
        };
        match chosen {
            None => self.ports.host.note(item.id, Reason::NoNode),
            Some(node) => {
                self.ports.host.note(item.id, Reason::NodeChosen { ready: candidates.len() as u32 });
                sandbox.node = Some(node);
            }
        }
        Ok(())
    }

    fn remembers(&self, fact: &mut dyn FnMut(Fact)) {
        self.nodes_at_start.borrow().iter().flatten().for_each(|node| fact(Fact::Thing((*node).into())));
    }
}
