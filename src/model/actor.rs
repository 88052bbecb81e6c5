//! Who acts: the controllers, by the names that timelines and golden texts use.

use std::borrow::Cow;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entity::NodeId;
use super::words::{Words, words};

words!(
    /// A part of the scheduler, or the world around it.
    Controller {
        /// The simulated world: backends, processes, faults, judges.
        World = "world",
        /// A person.
        Operator = "operator",
        /// Takes deploys.
        Deploy = "deploy",
        /// Turns an active version into pools.
        Launcher = "launcher",
        /// Keeps the wanted number of sandboxes.
        Pool = "pool",
        /// Retires what is stuck, idle or empty.
        Monitor = "monitor",
        /// Gives sandboxes their node.
        Scheduler = "scheduler",
        /// Boots and stops sandboxes.
        Sandbox = "sandbox",
        /// Deletes what has long been dead or released.
        Collector = "collector",
        /// Removes containers that nobody knows.
        Watchdog = "watchdog",
        /// Makes volumes.
        Disk = "disk",
        /// Wakes the leases of a disk.
        DiskWatch = "disk-watch",
        /// Binds and releases disk leases.
        Lease = "lease",
        /// Serves requests.
        Activator = "activator",
        /// Watches the nodes' sessions.
        NodeHealth = "node-health",
    }
);

impl Controller {
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
}

/// A controller, and the node whose process it runs in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
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
            _ if !s.is_human_readable() => Self::serialize(self, s),
            None => s.serialize_str(self.controller.name()),
            Some(node) => s.collect_str(&format_args!("{}@{}", self.controller.name(), node.index())),
        }
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return Self::deserialize(d);
        }
        let text = Cow::<str>::deserialize(d)?;
        let (name, node) = text.split_once('@').map_or((&*text, None), |(name, node)| (name, Some(node)));
        let controller = Controller::named(name);
        let node = node.map(|node| node.parse::<u16>().map_err(D::Error::custom)).transpose()?;
        let controller = controller.ok_or_else(|| D::Error::custom(format!("`{name}` does nothing here")))?;
        Ok(Self { controller, node: node.unwrap_or(u16::MAX) })
    }
}
