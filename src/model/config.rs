//! What an app version says of its services, after loading, validation and defaults.

use crate::time::SimDuration;

use super::name::Name;
use super::words::words;

/// One service of an app version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    pub name: Name,
    /// The image it runs: its own, or the one that the deploy built.
    pub image: Name,
    /// The command, when it is not the image's own.
    pub command: Option<Name>,
    /// The ports it must answer on, in the order of the file; none: nothing is waited for.
    pub ports: Vec<PortConfig>,
    /// How long a boot waits for each of them; none: the tuning's `port_timeout`.
    pub port_timeout: Option<SimDuration>,
    /// How long its program may take to end when it is stopped; none: the platform's default.
    pub shutdown_timeout: Option<SimDuration>,
    /// How many of it run.
    pub concurrency: Concurrency,
    /// Whether the config names it and says nothing of that.
    pub unsaid: bool,
    /// Its environment, sorted by key.
    pub env: Vec<(Name, Name)>,
    pub disks: Vec<DiskConfig>,
}

/// A port of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortConfig {
    pub number: u16,
    pub name: Name,
    /// Its type: `http`, `tcp`, `udp`, …
    pub port_type: Name,
    /// What its traffic goes by.
    pub protocol: Protocol,
    /// The port that every node opens for it; 0: none.
    pub node_port: u16,
}

impl PortConfig {
    /// Whether somebody who listens on it can be seen.
    pub fn is_tcp(&self) -> bool {
        self.protocol == Protocol::Tcp
    }
}

/// What the traffic of a port goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP: somebody who listens can be seen, and dialled.
    Tcp,
    /// UDP: nobody listens.
    Udp,
}

/// How many sandboxes a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// As many as its requests need.
    Auto {
        /// Requests that one sandbox takes at once, at least 1.
        requests_per_instance: u32,
        /// How long an idle sandbox is kept.
        scale_down_delay: SimDuration,
    },
    /// A number that never changes.
    Fixed {
        /// That number, at least 1.
        instances: u32,
    },
}

impl Concurrency {
    /// The number that never changes, if it is such a service.
    pub const fn fixed(self) -> Option<u32> {
        match self {
            Self::Fixed { instances } => Some(instances),
            Self::Auto { .. } => None,
        }
    }
    /// After how long without activity sandboxes are given up; none: never.
    pub fn idle_limit(self) -> Option<SimDuration> {
        match self {
            Self::Auto { scale_down_delay, .. } => Some(scale_down_delay).filter(|limit| !limit.is_zero()),
            Self::Fixed { .. } => None,
        }
    }
}

/// A disk that a service wants mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskConfig {
    pub name: Name,
    pub mount_path: Name,
    /// Mounted without the right to write.
    pub read_only: bool,
    /// Its size in GB; 0: the disk must exist already.
    pub size_gb: u32,
    pub filesystem: Filesystem,
    /// How long a boot waits for its lease; none: the tuning's `lease_timeout`.
    pub lease_timeout: Option<SimDuration>,
}

words!(
    /// A file system that a volume can carry.
    #[derive(Default)]
    Filesystem {
        /// ext4, the default.
        #[default]
        Ext4 = "ext4",
        /// XFS.
        Xfs = "xfs",
        /// Btrfs.
        Btrfs = "btrfs",
    }
);
