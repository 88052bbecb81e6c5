//! Statuses and their legal transitions (`SCENARIO.md`, *legal-transition*).

use std::fmt;

use serde::Serialize;

macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// Every status, in the order of a life.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As scenario files write it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

status!(
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
status!(
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
status!(
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
status!(
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
        matches!(self, Self::Pending | Self::Running)
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
}

impl DiskStatus {
    /// Whether a disk may go from `self` to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (_, Self::Error)
            | (Self::Provisioning, Self::Provisioned)
            | (Self::Provisioned, Self::Provisioning | Self::Deleting) => true,
            // ASSUMES: an operator may delete a disk that has no volume yet.
            (Self::Provisioning, Self::Deleting) => true,
            _ => false,
        }
    }
}
