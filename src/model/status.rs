//! Statuses and their legal transitions (`SCENARIO.md`, *legal-transition*).

use serde::Serialize;

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

macro_rules! any_status {
    ($($kind:ident: $status:ident),*) => {
        /// A status of any kind of entity, as a record or a trigger has it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
        #[serde(untagged)]
        #[expect(missing_docs, reason = "each is of the kind of that name")]
        pub enum AnyStatus { $($kind($status)),* }

        impl AnyStatus {
            /// Every one.
            pub fn all() -> impl Iterator<Item = Self> {
                std::iter::empty()$(.chain($status::ALL.iter().copied().map(Self::$kind)))*
            }
            /// Those of a kind of entity; of most kinds there are none.
            pub fn of(kind: Kind) -> Vec<Self> {
                Self::all().filter(|status| status.kind() == kind).collect()
            }
            /// The kind of entity that has it.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind),* }
            }
            /// Its word.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind(status) => status.name()),* }
            }
            /// Its word as texts have it: `DEAD`.
            pub fn upper(self) -> String {
                $crate::model::Upper(self.name()).to_string()
            }
        }
        $(impl From<$status> for AnyStatus {
            fn from(status: $status) -> Self {
                Self::$kind(status)
            }
        })*
    };
}
any_status!(Sandbox: SandboxStatus, Disk: DiskStatus, Lease: LeaseStatus, Node: NodeStatus);

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
            // What failed is given up with its sandbox.
            Self::Failed => matches!(next, Self::Released),
            Self::Released => false,
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
