//! Classes of records: one byte that tells a search whether a record is worth reading.
//!
//! A trace is read backwards in leaps, and most of the time goes by waiting for memory; the
//! classes of a whole trace fit the cache. It knows records only, and is the one place that says
//! what is worth telling. What a newcomer gets wrong: a count that is kept, or a note that something
//! was looked at, changes nothing for anybody, and is of no class.

use crate::model::{Field, Reason, Value};
use crate::trace::{Record, What};

/// A creation.
pub(super) const BIRTH: u8 = 1;
/// A field that was written.
pub(super) const SET: u8 = 2;
/// A change that others go by: a creation, a deletion, a field of weight.
pub(super) const CHANGE: u8 = 4;
/// What somebody decided, or what really happened: a task's end, a volume, a fault that struck.
pub(super) const EVENT: u8 = 8;
/// The beginning of a reconcile.
pub(super) const TURN: u8 = 16;
/// All of them, and all others.
pub(super) const ANY: u8 = u8::MAX;
/// An address that was taken.
pub(super) const ADDRESS: u8 = 32;
/// A call that succeeded.
pub(super) const CALL: u8 = 64;
const NONE: u8 = 128;

/// The class of a record.
pub(super) fn of(record: &Record) -> u8 {
    match record.what {
        What::Created { .. } => BIRTH | CHANGE,
        What::Deleted { .. } => CHANGE,
        What::Set { .. } if is_telling(record) => SET | CHANGE,
        What::Set { .. } => SET,
        What::Decided(Reason::Reconcile { .. }) => TURN,
        What::Decided(reason) if !is_bookkeeping(reason) => EVENT,
        What::Struck { .. }
        | What::ProcessDown
        | What::ProcessUp
        | What::TaskStarted
        | What::PortBound
        | What::TaskEnded { .. }
        | What::ContainerGone
        | What::VolumeMade
        | What::VolumeGone
        | What::Mounted { .. }
        | What::Unmounted { .. } => EVENT,
        What::AddressTaken(_) => ADDRESS,
        What::Called { .. } => CALL,
        _ => NONE,
    }
}

/// Whether a decision only passes on what is behind it.
pub(super) fn is_bookkeeping(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Reconcile { .. }
            | Reason::Counted { .. }
            | Reason::NodeChosen { .. }
            | Reason::DeployAccepted { .. }
            | Reason::AddressTaken
            | Reason::DiskChanged
            | Reason::PoolReused { .. }
            | Reason::CleanUp
            | Reason::CleanedUp
            | Reason::HandlerFailed { .. }
    )
}

/// Whether a changed field is worth telling.
pub(super) fn is_telling(set: &Record) -> bool {
    let What::Set { field, from, to } = set.what else { return false };
    from != to
        && match field {
            Field::Status
            | Field::DesiredInstances
            | Field::ConsecutiveCrashCount
            | Field::CooldownUntil
            | Field::ActiveVersion
            | Field::CreatedBy => true,
            Field::ReferencedByVersions => to == Value::Int(0),
            // What is counted, noted down or only passed on.
            _ => false,
        }
}
