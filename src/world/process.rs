//! Processes: what lives and dies together – the coordinator, and one on each node.
//!
//! A process is a group of kernel tasks; killing the group loses its memory and nothing else.
//! How its controllers start is told by the simulation, so that the world need not know them.
//! What a newcomer gets wrong: a crash inside a call drops the very task that made it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::kernel::{GroupId, SimDuration, SimTime};
use crate::model::{Entity, Kind, Node, NodeChange, NodeId, NodeStatus, Subject};
use crate::trace::What;

use super::WORLD;
use super::log::Log;
use super::spec::Environment;
use super::store::Store;

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

/// How a process starts its controllers.
type Start = Rc<dyn Fn(Process)>;

/// The processes of the platform.
pub struct Processes {
    log: Rc<Log>,
    store: Rc<Store>,
    environment: Environment,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    start: Option<Start>,
    /// Shared with captures of the world.
    up: Rc<BTreeMap<Process, bool>>,
    /// When each process last started.
    started: BTreeMap<Process, SimTime>,
    /// Machines without power: their processes do not start.
    dark: BTreeSet<NodeId>,
}

impl Processes {
    /// None is up yet.
    pub(super) fn new(log: &Rc<Log>, store: &Rc<Store>, environment: Environment) -> Self {
        Self { log: Rc::clone(log), store: Rc::clone(store), environment, state: RefCell::default() }
    }

    /// Tells how a process starts its controllers.
    pub(super) fn on_start(&self, start: impl Fn(Process) + 'static) {
        self.state.borrow_mut().start = Some(Rc::new(start));
    }

    /// Starts a process that is down.
    pub fn start(&self, process: Process) {
        let start = {
            let state = &mut *self.state.borrow_mut();
            let dark = matches!(process, Process::Node(node) if state.dark.contains(&node));
            if dark || Rc::make_mut(&mut state.up).insert(process, true) == Some(true) {
                return;
            }
            state.started.insert(process, self.log.now());
            state.start.clone()
        };
        self.log.record_and_follow(WORLD, process.subject(), What::ProcessUp);
        if let Process::Node(node) = process {
            self.set_session(node, NodeStatus::Ready);
        }
        if let Some(start) = start {
            start(process);
        }
    }

    /// Ends a process: its tasks are dropped, its memory is lost.
    pub(super) fn stop(self: &Rc<Self>, process: Process) {
        if Rc::make_mut(&mut self.state.borrow_mut().up).insert(process, false) != Some(true) {
            return;
        }
        self.log.record_and_follow(WORLD, process.subject(), What::ProcessDown);
        self.log.kernel().kill(process.group());
        if let Process::Node(node) = process {
            self.let_session_end(process, node);
        }
    }

    /// A node's session ends some time after its last renewal, unless the process comes back.
    /// Renewals are no writes, as an etcd lease is kept alive: only the end of a session shows.
    fn let_session_end(self: &Rc<Self>, process: Process, node: NodeId) {
        let Environment { session_ttl: ttl, session_renew: renew, .. } = self.environment;
        let now = self.log.now();
        let started = self.state.borrow().started.get(&process).copied().unwrap_or_default();
        let since_renewal = now.since(started).as_nanos() % renew.as_nanos().max(1);
        let ends = now + (ttl - SimDuration::from_nanos(since_renewal));
        let cause = self.log.kernel().cause();
        let processes = Rc::clone(self);
        self.log.kernel().spawn(GroupId::WORLD, "session", async move {
            let kernel = processes.log.kernel();
            kernel.set_cause(cause);
            kernel.sleep_until(ends).await;
            let came_back = processes.state.borrow().started.get(&process).is_some_and(|at| *at > started);
            if !came_back && !processes.is_up(process) {
                processes.set_session(node, NodeStatus::Unhealthy);
            }
        });
    }

    /// Writes the state of a node's session, unless an operator disabled the node.
    fn set_session(&self, node: NodeId, status: NodeStatus) {
        let known = self.store.tables().nodes.with(node, |node, _| node.status);
        if known.is_some_and(|known| known != status && known != NodeStatus::Disabled) {
            let write = |entity: &mut Node| vec![entity.apply(NodeChange::Status(status))];
            self.store.patch(WORLD, node, None, None, write).expect("the node exists and no revision is expected");
        }
    }

    /// Ends a process now and starts it again after the usual time (`restart_after`).
    pub fn crash(self: &Rc<Self>, process: Process) {
        if !self.is_up(process) {
            return;
        }
        self.stop(process);
        let processes = Rc::clone(self);
        self.log.kernel().spawn(GroupId::WORLD, "restart", async move {
            processes.log.kernel().sleep(processes.environment.restart_after).await;
            processes.start(process);
        });
    }

    /// The machine has lost its power, or has it again.
    pub(super) fn set_power(self: &Rc<Self>, node: NodeId, has_power: bool) {
        if has_power {
            self.state.borrow_mut().dark.remove(&node);
            self.start(Process::Node(node));
        } else {
            self.state.borrow_mut().dark.insert(node);
            self.stop(Process::Node(node));
        }
    }

    /// Whether the machine has power.
    pub fn has_power(&self, node: NodeId) -> bool {
        !self.state.borrow().dark.contains(&node)
    }

    /// Whether a process is up.
    pub fn is_up(&self, process: Process) -> bool {
        self.state.borrow().up.get(&process) == Some(&true)
    }

    /// Which processes are up, or were.
    pub(super) fn up(&self) -> Rc<BTreeMap<Process, bool>> {
        Rc::clone(&self.state.borrow().up)
    }
}
