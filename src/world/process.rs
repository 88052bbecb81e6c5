//! Processes: what lives and dies together – the coordinator, and one on each node.
//!
//! A process is a group of kernel tasks; killing the group loses its memory and nothing else.
//! How its controllers start is told by the simulation, so that the world need not know them.
//! What a newcomer gets wrong: a crash inside a call drops the very task that made it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::kernel::{GroupId, SimDuration, SimTime};
use crate::model::{Entity, Kind, Node, NodeChange, NodeId, NodeStatus, Subject};
use crate::trace::What;

use super::{WORLD, World};

/// A process of the platform.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Process {
    /// Launcher, pool and monitor, scheduler, deploys.
    Coordinator,
    /// The controllers of one node.
    Node(NodeId),
}

impl Process {
    /// Its tasks' group.
    pub fn group(self) -> GroupId {
        match self {
            Self::Coordinator => GroupId(1),
            Self::Node(node) => GroupId(2 + node.index()),
        }
    }
    /// The process whose group that is; none for the world's.
    pub fn of(group: GroupId) -> Option<Self> {
        match group.0 {
            0 => None,
            1 => Some(Self::Coordinator),
            n => Some(Self::Node(NodeId::from_index(n - 2))),
        }
    }
    /// What trace records about it are filed under.
    pub fn subject(self) -> Subject {
        Subject { kind: Kind::Process, index: self.group().0 - 1 }
    }
}

type Start = Rc<dyn Fn(&World, Process)>;

/// How processes start, and which are up.
#[derive(Default)]
pub(super) struct Processes {
    start: Option<Start>,
    /// Shared with stills of the world.
    up: Rc<BTreeMap<Process, bool>>,
    /// When each process last started.
    started: BTreeMap<Process, SimTime>,
    /// Machines without power: their processes do not start.
    dark: BTreeSet<NodeId>,
}

impl World {
    /// Tells how a process starts its controllers.
    pub fn on_start(&self, start: impl Fn(&World, Process) + 'static) {
        self.0.processes.borrow_mut().start = Some(Rc::new(start));
    }

    /// Starts a process that is down.
    pub fn start_process(&self, process: Process) {
        let start = {
            let mut processes = self.0.processes.borrow_mut();
            let dark = matches!(process, Process::Node(node) if processes.dark.contains(&node));
            if dark || Rc::make_mut(&mut processes.up).insert(process, true) == Some(true) {
                return;
            }
            processes.started.insert(process, self.kernel().now());
            processes.start.clone()
        };
        self.log().record_and_follow(WORLD, process.subject(), What::ProcessUp);
        if let Process::Node(node) = process {
            self.set_session(node, NodeStatus::Ready);
        }
        if let Some(start) = start {
            start(self, process);
        }
    }

    /// Ends a process: its tasks are dropped, its memory is lost.
    pub fn stop_process(&self, process: Process) {
        if Rc::make_mut(&mut self.0.processes.borrow_mut().up).insert(process, false) != Some(true) {
            return;
        }
        self.log().record_and_follow(WORLD, process.subject(), What::ProcessDown);
        self.kernel().kill(process.group());
        if let Process::Node(node) = process {
            self.let_session_end(process, node);
        }
    }

    /// A node's session ends some time after its last renewal, unless the process comes back.
    /// ASSUMES: renewals are no writes (as with an etcd lease): only the end of a session shows.
    fn let_session_end(&self, process: Process, node: NodeId) {
        let (ttl, renew) = self.0.session;
        let now = self.kernel().now();
        let started = self.0.processes.borrow().started.get(&process).copied().unwrap_or_default();
        let since_renewal = now.since(started).as_nanos() % renew.as_nanos().max(1);
        let ends = now + (ttl - SimDuration::from_nanos(since_renewal));
        let world = self.clone();
        let cause = self.kernel().cause();
        self.kernel().spawn(GroupId::WORLD, "session", async move {
            world.kernel().set_cause(cause);
            world.kernel().sleep_until(ends).await;
            let came_back = world.0.processes.borrow().started.get(&process).is_some_and(|at| *at > started);
            if !came_back && !world.is_up(process) {
                world.set_session(node, NodeStatus::Unhealthy);
            }
        });
    }

    /// Writes the state of a node's session, unless an operator disabled the node.
    fn set_session(&self, node: NodeId, status: NodeStatus) {
        let known = self.tables().nodes.with(node, |node, _| node.status);
        if known.is_some_and(|known| known != status && known != NodeStatus::Disabled) {
            let write = |entity: &mut Node| vec![entity.apply(NodeChange::Status(status))];
            self.store().patch(WORLD, node, None, write).expect("the node exists and no revision is expected");
        }
    }

    /// The machine loses power: its process, its containers and its mounts are gone.
    pub fn node_down(&self, node: NodeId) {
        self.0.processes.borrow_mut().dark.insert(node);
        self.stop_process(Process::Node(node));
        self.lose_containers(node);
        self.lose_mounts(node);
    }

    /// The machine has power again: its process starts.
    pub fn node_up(&self, node: NodeId) {
        self.0.processes.borrow_mut().dark.remove(&node);
        self.start_process(Process::Node(node));
    }

    /// Whether the machine has power.
    pub fn has_power(&self, node: NodeId) -> bool {
        !self.0.processes.borrow().dark.contains(&node)
    }

    /// Whether a process is up.
    pub fn is_up(&self, process: Process) -> bool {
        self.0.processes.borrow().up.get(&process) == Some(&true)
    }

    /// Which processes are up, or were.
    pub(super) fn processes_up(&self) -> Rc<BTreeMap<Process, bool>> {
        Rc::clone(&self.0.processes.borrow().up)
    }

    /// Ends a process now and starts it again after the usual time (`restart_after`).
    pub fn crash_process(&self, process: Process) {
        if !self.is_up(process) {
            return;
        }
        self.stop_process(process);
        let world = self.clone();
        self.kernel().spawn(GroupId::WORLD, "restart", async move {
            world.kernel().sleep(world.0.restart_after).await;
            world.start_process(process);
        });
    }
}
