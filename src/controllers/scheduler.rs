//! The scheduler: gives every sandbox without a node a random ready one (`docs/rules.md` §6).
//!
//! It knows nothing of load or capacity. The coordinator's own node is the cluster's first. What a newcomer gets wrong: before `scheduler-resyncs`
//! it read the nodes once at its start and never listed sandboxes, so that what was created
//! while it was down stays without a node for ever.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::{Node, NodeId, NodeIndex, Reason, Sandbox, SandboxIndex, SandboxStatus};
use crate::ports::{EntityStore, Fact, Host, Listed, Platform, Ports, Versioned};

use super::fixes::Fix;
use super::runtime::{Draft, Failure, Reconciler, Rules};

/// The scheduler.
pub struct Scheduler<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    /// The nodes as they were at the start, before `scheduler-resyncs`.
    nodes_at_start: RefCell<Option<Listed<Node>>>,
    /// Where in the list the coordinator stood last: mostly it stands there still.
    coordinator: Cell<usize>,
}

/// The nodes among which one is drawn: those that are ready, but for some. Of thousands only those are
/// looked at that are left out.
struct Candidates {
    ready: Listed<Node>,
    /// The places of those in the list, in order.
    but: Vec<usize>,
}

impl Candidates {
    fn len(&self) -> usize {
        self.ready.len() - self.but.len()
    }
    fn at(&self, nth: usize) -> NodeId {
        self.ready[self.but.iter().fold(nth, |place, but| place + usize::from(*but <= place))].id
    }
    fn place(&self, id: NodeId) -> Option<usize> {
        self.ready.iter().position(|node| node.id == id)
    }
    /// The same, for one that is thought to be at a place.
    fn place_near(&self, id: NodeId, place: usize) -> Option<usize> {
        let is_there = self.ready.get(place).is_some_and(|node| node.id == id);
        if is_there { Some(place) } else { self.place(id) }
    }
    fn leave_out(&mut self, places: impl IntoIterator<Item = usize>) {
        self.but.extend(places);
        self.but.sort_unstable();
    }
    /// Leaves out all but those that have the fewest of `placed`.
    fn spread(&mut self, placed: impl Iterator<Item = NodeId>) {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for place in placed.filter_map(|node| self.place(node)).filter(|place| !self.but.contains(place)) {
            *counts.entry(place).or_default() += 1;
        }
        let all_have_some = counts.len() == self.len();
        let fewest = counts.values().min().filter(|_| all_have_some).copied().unwrap_or(0);
        self.leave_out(counts.into_iter().filter(|(_, count)| *count > fewest).map(|(place, _)| place));
    }
}

impl<P: Platform> Scheduler<P> {
    /// A scheduler under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules, nodes_at_start: RefCell::default(), coordinator: Cell::default() }
    }

    /// Reads the nodes once, as was done at its start before `scheduler-resyncs`. Rule 6.1.
    pub async fn remember_nodes(&self) {
        if !self.rules.has(Fix::SchedulerResyncs) {
            let nodes = self.list_ready().await.unwrap_or_default();
            *self.nodes_at_start.borrow_mut() = Some(nodes);
        }
    }

    /// The nodes among which one is drawn.
    async fn candidates(&self, item: &Versioned<Sandbox>, ready: Listed<Node>) -> Candidates {
        let mut candidates = Candidates { ready, but: Vec::new() };
        let stateful = !item.entity.spec.volumes.is_empty();
        // Rule 6.2: disks are where the coordinator is; the other nodes are for all else.
        if self.rules.has(Fix::DisksOnCoordinator) {
            let coordinator = candidates.place_near(NodeId::from_index(0), self.coordinator.get());
            self.coordinator.set(coordinator.unwrap_or_default());
            if stateful {
                candidates.leave_out((0..candidates.len()).filter(|place| Some(*place) != coordinator));
            } else if candidates.len() > 1 {
                candidates.leave_out(coordinator);
            }
        }
        // Rule 6.3: one that cannot be asked for is as good as spread.
        if self.rules.has(Fix::SpreadReplicas)
            && !stateful
            && candidates.len() > 1
            && let Ok(siblings) = self.ports.store.list_all_for::<Sandbox>(SandboxIndex::Pool(item.entity.pool)).await
        {
            let active = siblings.iter().filter(|other| other.entity.status.is_live());
            candidates.spread(active.filter_map(|other| other.entity.node));
        }
        candidates
    }

    async fn list_ready(&self) -> Result<Listed<Node>, Failure> {
        Ok(self.ports.store.list_all_for::<Node>(NodeIndex::Ready).await?)
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
        let chosen = match candidates.len() {
            0 => None,
            1 => Some(candidates.at(0)),
            several => Some(candidates.at(self.ports.host.draw_below(&item.meta.name, "node", several))),
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
        let nodes = self.nodes_at_start.borrow();
        nodes.iter().flat_map(|nodes| nodes.iter()).for_each(|node| fact(Fact::Thing(node.id.into())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Name, NodeStatus, Revision};
    use crate::ports::{Meta, Origin};
    use crate::time::SimTime;

    fn listed(nodes: u32) -> Listed<Node> {
        let name = Name::new("n");
        let [created_at, updated_at] = [SimTime::ZERO; 2];
        let meta = Meta { name, revision: Revision(1), created_at, updated_at, origin: Origin(0) };
        let node = Node { name, status: NodeStatus::Ready, session_until: None };
        (0..nodes).rev().map(|index| Versioned::new(NodeId::from_index(index), node.clone(), meta)).collect()
    }

    #[test]
    fn what_is_left_keeps_the_order_of_the_list() {
        type Ids = &'static [u32];
        let cases: [(u32, Ids, Ids, Ids); 6] = [
            (4, &[], &[], &[3, 2, 1, 0]),
            (4, &[0], &[], &[3, 2, 1]),
            (4, &[3], &[2, 2, 7], &[1, 0]),
            (4, &[0], &[0, 2], &[3, 1]),
            (3, &[0], &[1, 2, 2], &[1]),
            (3, &[0], &[1, 2], &[2, 1]),
        ];
        for (nodes, out, placed, left) in cases {
            let mut candidates = Candidates { ready: listed(nodes), but: Vec::new() };
            let out: Vec<usize> = out.iter().filter_map(|id| candidates.place(NodeId::from_index(*id))).collect();
            candidates.leave_out(out);
            let near = |id| (0..4).map(move |place| (id, place));
            let found = |(id, place)| candidates.place_near(NodeId::from_index(id), place);
            assert!((0..4).flat_map(near).all(|(id, place)| found((id, place)) == found((id, 0))));
            candidates.spread(placed.iter().map(|id| NodeId::from_index(*id)));
            let found: Vec<u32> = (0..candidates.len()).map(|nth| candidates.at(nth).index()).collect();
            assert_eq!(found, left, "{nodes} nodes, {placed:?}");
        }
    }
}
