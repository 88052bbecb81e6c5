//! What happens in each period of what repeats, counted.
//!
//! It reads the trace of the first period.

use std::collections::BTreeSet;

use crate::model::{Kind, Reason};
use crate::trace::{Stretch, Trace, What};

use super::Livelock;

/// What is counted, in the order in which it is told.
const COUNTED: [&str; 10] = [
    "sandboxes created",
    "boots",
    "boots failed",
    "programs ended",
    "crashes counted",
    "sandboxes stopped as stale",
    "sandboxes collected",
    "leases created",
    "leases failed",
    "calls failed",
];

/// How often what happens in each period: only what does.
pub fn repeats(trace: &Trace, proof: Livelock) -> Vec<(&'static str, u64)> {
    let mut counts = [0; COUNTED.len()];
    for record in period(trace, proof) {
        let (place, count) = match record.what {
            What::Created { .. } if record.subject.kind == Kind::Sandbox => (0, 1),
            What::Decided(Reason::BootStarted) => (1, 1),
            What::Decided(Reason::BootFailed { .. }) => (2, 1),
            What::TaskEnded { .. } => (3, 1),
            What::Decided(Reason::CrashesCounted { found, .. }) => (4, u64::from(found)),
            What::Decided(Reason::StalePending { .. }) => (5, 1),
            What::Deleted { .. } if record.subject.kind == Kind::Sandbox => (6, 1),
            What::Created { .. } if record.subject.kind == Kind::Lease => (7, 1),
            What::Decided(Reason::LeaseFailed { .. } | Reason::AlreadyLeased { .. }) => (8, 1),
            What::CallFailed { .. } => (9, 1),
            _ => continue,
        };
        counts[place] += count;
    }
    COUNTED.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
}

/// The faults (by number) that strike in each period: what repeats does so while they last.
pub fn while_they_last(trace: &Trace, proof: Livelock) -> Vec<u32> {
    let struck = period(trace, proof).filter_map(|record| match record.what {
        What::Struck { fault, .. } => Some(fault),
        _ => None,
    });
    struck.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The records of the first period.
fn period(trace: &Trace, proof: Livelock) -> Stretch<'_> {
    let records = trace.records();
    let end = proof.from + proof.period;
    records.range(records.partition_point(|r| r.at <= proof.from)..records.partition_point(|r| r.at <= end))
}
