//! Statuses and their legal transitions (`SCENARIO.md`, *legal-transition*).

use serde::{Serialize, Serializer};

use super::id::Kind;
use super::words::words;

words!(
    /// The life of a sandbox.
    SandboxStatus {
        /// Wanted, not yet running.
        Pending = "pending",
        /// Its ports answered.
        Running = "running",
        /// To be cleaned up; on its way to dead.
        Stopped = "stopped",
        /// Over; nothing of it may be left.
        Dead = "dead",
    }
);
words!(
    /// The life of a disk.
    DiskStatus {
        /// Its volume is being made.
        Provisioning = "provisioning",
        /// It has a volume.
        Provisioned = "provisioned",
        /// Mounted somewhere (a status of older data; nothing sets it today).
        Attached = "attached",
        /// Not mounted (likewise).
        Detached = "detached",
        /// To be removed, its volume first.
        Deleting = "deleting",
        /// Given up.
        Error = "error",
    }
);
words!(
    /// The life of a disk lease.
    LeaseStatus {
        /// Asked for.
        Pending = "pending",
        /// Held: the volume is mounted.
        Bound = "bound",
        /// Refused; final.
        Failed = "failed",
        /// Given back.
        Released = "released",
    }
);
words!(
    /// The state of a node.
    NodeStatus {
        /// Takes sandboxes.
        Ready = "ready",
        /// Drained by an operator.
        Disabled = "disabled",
        /// Its session ran out.
        Unhealthy = "unhealthy",
    }
);

/// A status of any kind of entity, as a record or a trigger has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AnyStatus {
    /// Of a sandbox.
    Sandbox(SandboxStatus),
    /// Of a disk.
    Disk(DiskStatus),
    /// Of a disk lease.
    Lease(LeaseStatus),
    /// Of a node.
    Node(NodeStatus),
}

impl AnyStatus {
    /// Those of a kind of entity; of most kinds there are none.
    pub fn of(kind: Kind) -> Vec<Self> {
        match kind {
            Kind::Sandbox => SandboxStatus::ALL.iter().copied().map(Self::from).collect(),
            Kind::Disk => DiskStatus::ALL.iter().copied().map(Self::from).collect(),
            Kind::Lease => LeaseStatus::ALL.iter().copied().map(Self::from).collect(),
            Kind::Node => NodeStatus::ALL.iter().copied().map(Self::from).collect(),
            Kind::Cluster
            | Kind::App
            | Kind::Version
            | Kind::Pool
            | Kind::Volume
            | Kind::Step
            | Kind::Fault
            | Kind::Process => Vec::new(),
        }
    }
    /// Of which kind of entity it is.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Sandbox(_) => Kind::Sandbox,
            Self::Disk(_) => Kind::Disk,
            Self::Lease(_) => Kind::Lease,
            Self::Node(_) => Kind::Node,
        }
    }
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox(status) => status.name(),
            Self::Disk(status) => status.name(),
            Self::Lease(status) => status.name(),
            Self::Node(status) => status.name(),
        }
    }
    /// Its word as texts have it: `DEAD`.
    pub fn loud(self) -> String {
        self.name().to_uppercase()
    }
}
impl Serialize for AnyStatus {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}
impl From<SandboxStatus> for AnyStatus {
    fn from(status: SandboxStatus) -> Self {
        Self::Sandbox(status)
    }
}
impl From<DiskStatus> for AnyStatus {
    fn from(status: DiskStatus) -> Self {
        Self::Disk(status)
    }
}
impl From<LeaseStatus> for AnyStatus {
    fn from(status: LeaseStatus) -> Self {
        Self::Lease(status)
    }
}
impl From<NodeStatus> for AnyStatus {
    fn from(status: NodeStatus) -> Self {
        Self::Node(status)
    }
}

impl SandboxStatus {
    /// Whether a sandbox may go from `self` to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => matches!(next, Self::Running | Self::Stopped | Self::Dead),
            Self::Running => matches!(next, Self::Stopped | Self::Dead),
            Self::Stopped => matches!(next, Self::Dead),
            Self::Dead => false,
        }
    }
    /// Whether it counts as capacity.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Pending | Self::Running => true,
            Self::Stopped | Self::Dead => false,
        }
    }
}

impl LeaseStatus {
    /// Whether a lease may go from `self` to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => matches!(next, Self::Bound | Self::Failed | Self::Released),
            Self::Bound => matches!(next, Self::Released | Self::Failed),
            Self::Failed | Self::Released => false,
        }
    }
    /// Whether it is held, or asked for.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Bound => true,
            Self::Failed | Self::Released => false,
        }
    }
}

impl DiskStatus {
    /// Whether a disk may go from `self` to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            // ASSUMES: an operator may delete a disk that has no volume yet.
            Self::Provisioning => matches!(next, Self::Provisioned | Self::Deleting | Self::Error),
            Self::Provisioned => matches!(next, Self::Provisioning | Self::Deleting | Self::Error),
            Self::Attached | Self::Detached | Self::Deleting | Self::Error => matches!(next, Self::Error),
        }
    }
}
