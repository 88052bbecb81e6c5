//! Rules about writes of a status.
//!
//! They see the former and the new status and nothing else. A write of the status that is
//! there already is no transition. What a newcomer gets wrong: a sandbox that leaves DEAD breaks
//! both rules, for no transition leaves DEAD.

use crate::model::{AnyStatus, SandboxStatus};

/// `legal-transition`: statuses change only as they may.
pub(in crate::world::judge) fn legal_transition(from: AnyStatus, to: AnyStatus) -> Option<String> {
    let legal = match (from, to) {
        (AnyStatus::Sandbox(from), AnyStatus::Sandbox(to)) => from.may_become(to),
        (AnyStatus::Lease(from), AnyStatus::Lease(to)) => from.may_become(to),
        (AnyStatus::Disk(from), AnyStatus::Disk(to)) => from.may_become(to),
        // A node comes and goes as it likes; no entity has statuses of two kinds.
        (AnyStatus::Sandbox(_) | AnyStatus::Lease(_) | AnyStatus::Disk(_) | AnyStatus::Node(_), _) => true,
    };
    (from != to && !legal).then(|| format!("{} became {}", from.upper(), to.upper()))
}

/// `dead-is-final`: a dead sandbox is never written to life again.
pub(in crate::world::judge) fn dead_is_final(from: AnyStatus, to: AnyStatus) -> Option<String> {
    let risen = from == AnyStatus::Sandbox(SandboxStatus::Dead) && from != to;
    risen.then(|| format!("DEAD became {}", to.upper()))
}
