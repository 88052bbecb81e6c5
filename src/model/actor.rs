//! Who acts: the controllers, by the names that timelines and golden texts use.

use serde::{Serialize, Serializer};

use super::id::NodeId;

/// A part of the scheduler, or the world around it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Controller {
    /// The simulated world: backends, processes, faults, judges.
    World,
    /// A person.
    Operator,
    /// Takes deploys.
    Deploy,
    /// Turns an active version into pools.
    Launcher,
    /// Keeps the wanted number of sandboxes.
    Pool,
    /// Retires what is stuck, idle or empty.
    Monitor,
    /// Gives sandboxes their node.
    Scheduler,
    /// Boots and stops sandboxes.
    Sandbox,
    /// Deletes what has long been dead or released.
    Collector,
    /// Removes containers that nobody knows.
    Watchdog,
    /// Makes volumes.
    Disk,
    /// Wakes the leases of a disk.
    DiskWatch,
    /// Binds and releases disk leases.
    Lease,
    /// Serves requests.
    Activator,
    /// Watches the nodes' sessions.
    NodeHealth,
}

impl Controller {
    /// Every controller, in the order of the enum.
    pub const ALL: &[Self] = &[
        Self::World,
        Self::Operator,
        Self::Deploy,
        Self::Launcher,
        Self::Pool,
        Self::Monitor,
        Self::Scheduler,
        Self::Sandbox,
        Self::Collector,
        Self::Watchdog,
        Self::Disk,
        Self::DiskWatch,
        Self::Lease,
        Self::Activator,
        Self::NodeHealth,
    ];

    /// Whether it keeps watches on the store open, which can break.
    pub const fn has_watches(self) -> bool {
        match self {
            Self::Launcher
            | Self::Pool
            | Self::Scheduler
            | Self::Sandbox
            | Self::Disk
            | Self::DiskWatch
            | Self::Lease
            | Self::Activator
            | Self::NodeHealth => true,
            Self::World | Self::Operator | Self::Deploy | Self::Monitor | Self::Collector | Self::Watchdog => false,
        }
    }

    /// Its name in scenario files and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::World => "world",
            Self::Operator => "operator",
            Self::Deploy => "deploy",
            Self::Launcher => "launcher",
            Self::Pool => "pool",
            Self::Monitor => "monitor",
            Self::Scheduler => "scheduler",
            Self::Sandbox => "sandbox",
            Self::Collector => "collector",
            Self::Watchdog => "watchdog",
            Self::Disk => "disk",
            Self::DiskWatch => "disk-watch",
            Self::Lease => "lease",
            Self::Activator => "activator",
            Self::NodeHealth => "node-health",
        }
    }
}

/// A controller, and the node whose process it runs in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Actor {
    /// The controller.
    pub controller: Controller,
    /// The number of the node, or `u16::MAX` in the coordinator and the world.
    node: u16,
}

impl Actor {
    /// A controller of the coordinator, or the world.
    pub const fn central(controller: Controller) -> Self {
        Self { controller, node: u16::MAX }
    }
    /// A controller of a node's process.
    pub fn on(controller: Controller, node: NodeId) -> Self {
        Self { controller, node: u16::try_from(node.index()).expect("fewer than 65535 nodes") }
    }
    /// The node it runs on.
    pub fn node(self) -> Option<NodeId> {
        (self.node != u16::MAX).then(|| NodeId::from_index(u32::from(self.node)))
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.node() {
            None => s.serialize_str(self.controller.name()),
            Some(node) => s.collect_str(&format_args!("{}@{}", self.controller.name(), node.index())),
        }
    }
}
