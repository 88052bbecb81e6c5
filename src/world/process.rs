//! Processes: what lives and dies together – the coordinator, and one on each node.
//!
//! A process is a group of kernel tasks; killing the group loses its memory and nothing else.
//! How its controllers start is told by the simulation, so that the world need not know them.
//! What a newcomer gets wrong: a crash inside a call drops the very task that made it.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::kernel::GroupId;
use crate::model::{Kind, NodeId, Subject};
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
    up: BTreeMap<Process, bool>,
}

impl World {
    /// Tells how a process starts its controllers.
    pub fn on_start(&self, start: impl Fn(&World, Process) + 'static) {
        self.processes.borrow_mut().start = Some(Rc::new(start));
    }

    /// Starts a process that is down.
    pub fn start_process(&self, process: Process) {
        let start = {
            let mut processes = self.processes.borrow_mut();
            if processes.up.insert(process, true) == Some(true) {
                return;
            }
            processes.start.clone()
        };
        self.record_and_follow(WORLD, process.subject(), What::ProcessUp);
        if let Some(start) = start {
            start(self, process);
        }
    }

    /// Ends a process: its tasks are dropped, its memory is lost.
    pub fn stop_process(&self, process: Process) {
        if self.processes.borrow_mut().up.insert(process, false) != Some(true) {
            return;
        }
        self.record_and_follow(WORLD, process.subject(), What::ProcessDown);
        self.kernel.kill(process.group());
    }

    /// Whether a process is up.
    pub fn is_up(&self, process: Process) -> bool {
        self.processes.borrow().up.get(&process) == Some(&true)
    }

    /// Ends a process now and starts it again after the usual time (`restart_after`).
    pub fn crash_process(&self, process: Process) {
        self.stop_process(process);
        let world = self.clone();
        self.kernel.spawn(GroupId::WORLD, "restart", async move {
            world.kernel.sleep(world.restart_after).await;
            world.start_process(process);
        });
    }
}
