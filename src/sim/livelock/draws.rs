//! Whether what was drawn can have mattered.
//!
//! A queue of keys draws how long a failed entity waits before it is tried again. That decides nothing
//! when the retry finds, whenever it comes, what it found when it came: then the same would have
//! come of every other draw. All other draws matter. It reads the trace only. What a newcomer gets
//! wrong: it is not enough that the retry did nothing – at another moment it might have.

use crate::kernel::{SimDuration, SimTime};
use crate::model::{AnyStatus, Controller, Field, Kind, Reason, SandboxStatus, Subject, Value};
use crate::trace::{Record, What};

/// The one purpose of draws that can be without consequence.
pub(super) const RETRY: &str = "retry";

/// No retry comes sooner or later after its failure (rule 2.7).
const SOONEST: SimDuration = SimDuration::from_millis(500);
pub(super) const LATEST: SimDuration = SimDuration::from_mins(1);

/// The first purpose among the records from `first` on of which another draw might have changed
/// something.
pub(super) fn matters(records: &[Record], first: usize) -> Option<&'static str> {
    (first..records.len()).find_map(|nth| match records[nth].what {
        What::Drawn { purpose, .. } => Some(purpose).filter(|purpose| *purpose != RETRY || !is_idle(records, nth)),
        _ => None,
    })
}

/// Whether the retry of that draw finds the same whenever it comes.
fn is_idle(records: &[Record], nth: usize) -> bool {
    // The failure that led to it is noted in the same instant, by the controller that will try again.
    let Some(Record { at, actor, subject, what: What::Decided(Reason::HandlerFailed { .. }), .. }) =
        nth.checked_sub(1).map(|before| records[before])
    else {
        return false;
    };
    let (soonest, latest) = (at + SOONEST, at + LATEST);
    let from = nth + records[nth..].partition_point(|record| record.at < soonest);
    let to = nth + records[nth..].partition_point(|record| record.at <= latest);
    let mut meanwhile = records[from..to].iter();
    if actor.controller == Controller::Sandbox && is_dead(&records[..from], subject, at) {
        // A node does nothing for the dead but read them, whatever else is written of them.
        let rises =
            |record: &Record| matches!(record.what, What::Set { field: Field::Status, .. } | What::Deleted { .. });
        return !meanwhile.any(|record| record.subject == subject && rises(record));
    }
    let read = reads(actor.controller);
    !meanwhile.any(|record| changes(record).is_some_and(|kind| read.is_empty() || read.contains(&kind)))
}

/// Whether a sandbox was DEAD at the end of these records; it was written at `since` or later, or the
/// answer is no.
fn is_dead(records: &[Record], sandbox: Subject, since: SimTime) -> bool {
    let recent = records.iter().rev().take_while(|record| record.at + LATEST >= since);
    let status = recent.filter(|record| record.subject == sandbox).find_map(|record| match record.what {
        What::Set { field: Field::Status, to: Value::Status(status), .. } => Some(Some(status)),
        What::Deleted { .. } => Some(None),
        _ => None,
    });
    status.flatten() == Some(AnyStatus::Sandbox(SandboxStatus::Dead))
}

/// Of what a record is a change, if of anything that a controller can see.
fn changes(record: &Record) -> Option<Kind> {
    match record.what {
        What::Created { .. } | What::Patched { .. } | What::Deleted { .. } | What::Set { .. } => {
            Some(record.subject.kind)
        }
        What::TaskStarted | What::PortBound | What::TaskEnded { .. } | What::ContainerGone => Some(Kind::Sandbox),
        What::AddressTaken(_) | What::AddressFreed(_) => Some(Kind::Sandbox),
        What::VolumeMade | What::VolumeGone | What::Mounted { .. } | What::Unmounted { .. } => Some(Kind::Volume),
        // What is told of calls are acts upon the backends.
        What::Called { .. } => Some(if record.subject.kind == Kind::Sandbox { Kind::Sandbox } else { Kind::Volume }),
        What::ProcessDown | What::ProcessUp => Some(Kind::Process),
        _ => None,
    }
}

/// What a controller looks at when it reconciles; nothing: whatever there is.
fn reads(controller: Controller) -> &'static [Kind] {
    match controller {
        Controller::Pool => &[Kind::Process, Kind::Pool, Kind::Sandbox, Kind::Version],
        Controller::Scheduler => &[Kind::Process, Kind::Sandbox, Kind::Node],
        Controller::Disk => &[Kind::Process, Kind::Disk, Kind::Volume, Kind::Lease],
        Controller::Lease => &[Kind::Process, Kind::Lease, Kind::Disk, Kind::Volume],
        _ => &[],
    }
}
