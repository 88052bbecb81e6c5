//! What a state means to somebody who looks: as wished, on the way, failed, over.
//!
//! Where there are few colours and signs, as in a terminal, states that mean the same look the same. It knows
//! statuses.

use crate::model::{AnyStatus, DiskStatus, LeaseStatus, NodeStatus, SandboxStatus};
use crate::trace::tracks::{Phase, State};

/// How a state is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Meaning {
    /// Nothing is wrong, and nothing goes on any more.
    Over,
    /// As wished.
    Good,
    /// One of several that take turns.
    Turn(u8),
    /// It is on its way to its end.
    Ends,
    /// It waits before it tries again.
    Cools,
    /// It is on its way to what is wished.
    Waits,
    /// It failed, or is lost.
    Bad,
}

impl Meaning {
    pub(super) fn of(state: State) -> Self {
        match state {
            State::Status(status) => Self::of_status(status),
            State::Phase(Phase::Up | Phase::Settled) => Self::Good,
            State::Phase(Phase::Unsettled | Phase::Runs) => Self::Waits,
            State::Phase(Phase::Down) => Self::Bad,
            State::Cooldown { .. } => Self::Cools,
            State::Thing(thing) if thing.kind == crate::model::Kind::Node => Self::Good,
            State::Thing(thing) => Self::turn(thing.index),
            State::Held { lease, sandbox } => Self::turn(sandbox.unwrap_or(lease).index),
        }
    }

    fn of_status(status: AnyStatus) -> Self {
        match status {
            AnyStatus::Sandbox(SandboxStatus::Pending)
            | AnyStatus::Disk(DiskStatus::Provisioning)
            | AnyStatus::Lease(LeaseStatus::Pending) => Self::Waits,
            AnyStatus::Sandbox(SandboxStatus::Running)
            | AnyStatus::Disk(DiskStatus::Provisioned | DiskStatus::Attached)
            | AnyStatus::Lease(LeaseStatus::Bound)
            | AnyStatus::Node(NodeStatus::Ready) => Self::Good,
            AnyStatus::Sandbox(SandboxStatus::Stopped)
            | AnyStatus::Disk(DiskStatus::Deleting | DiskStatus::Detached)
            | AnyStatus::Node(NodeStatus::Disabled) => Self::Ends,
            AnyStatus::Sandbox(SandboxStatus::Dead) | AnyStatus::Lease(LeaseStatus::Released) => Self::Over,
            AnyStatus::Disk(DiskStatus::Error)
            | AnyStatus::Lease(LeaseStatus::Failed)
            | AnyStatus::Node(NodeStatus::Unhealthy) => Self::Bad,
        }
    }

    fn turn(index: u32) -> Self {
        Self::Turn(u8::try_from(index % super::TURNS).expect("few"))
    }
}
