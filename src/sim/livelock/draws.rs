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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::RecordId;
    use crate::model::{Actor, Failure, Name, NodeId};

    /// A failure at ten seconds and the draw that it led to; then a change of something, so many
    /// milliseconds later.
    fn story(controller: Controller, kind: Kind, status: Option<SandboxStatus>, change: (Kind, u64)) -> Vec<Record> {
        let failed = SimTime::ZERO + SimDuration::from_secs(10);
        let actor = Actor::on(controller, NodeId::from_index(0));
        let record = |millis: u64, kind, what| Record {
            at: failed + SimDuration::from_millis(millis),
            subject: Subject { kind, index: 1 },
            cause: RecordId::NONE,
            actor,
            what,
        };
        let set = |status| What::Set {
            field: Field::Status,
            from: Value::None,
            to: Value::Status(AnyStatus::Sandbox(status)),
        };
        let failure = Reason::HandlerFailed { error: Failure::Other(Name::new("no")) };
        let mut records = vec![
            record(0, kind, What::Decided(failure)),
            record(0, Kind::Cluster, What::Drawn { purpose: RETRY, bits: 7 }),
        ];
        records.extend(status.map(|status| record(2, kind, set(status))));
        records.push(record(change.1, change.0, set(SandboxStatus::Stopped)));
        records
    }

    #[test]
    fn a_retry_matters_when_what_it_reads_may_change_before_it_comes() {
        let dead = Some(SandboxStatus::Dead);
        let cases = [
            (Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 30_000), false, "no disk controller reads sandboxes"),
            (Controller::Disk, Kind::Disk, None, (Kind::Volume, 30_000), true, "but volumes"),
            (Controller::Disk, Kind::Disk, None, (Kind::Volume, 499), false, "before any retry"),
            (Controller::Disk, Kind::Disk, None, (Kind::Volume, 60_001), false, "after every retry"),
            (Controller::Launcher, Kind::App, None, (Kind::Volume, 60_000), true, "a launcher reads whatever there is"),
            (Controller::Sandbox, Kind::Sandbox, dead, (Kind::Lease, 30_000), false, "the dead are only read"),
            (Controller::Sandbox, Kind::Sandbox, dead, (Kind::Sandbox, 30_000), true, "it is dead no more"),
            (Controller::Sandbox, Kind::Sandbox, None, (Kind::Lease, 30_000), true, "it may be living"),
        ];
        for (controller, kind, status, change, expected, why) in cases {
            let records = story(controller, kind, status, change);
            assert_eq!(matters(&records, 0).is_some(), expected, "{why}");
        }
        let mut other = story(Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 30_000));
        other[1].what = What::Drawn { purpose: "node", bits: 7 };
        assert_eq!(matters(&other, 0), Some("node"));
    }
}
