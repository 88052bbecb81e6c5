//! Classes of records: one byte that tells a search whether a record is worth reading.
//!
//! A trace is read backwards in leaps, and most of the time goes by waiting for memory; the
//! classes of a whole trace fit the cache. It knows records only. What a newcomer gets wrong: a
//! class only says what *may* be so; a search that leaves one out finds the wrong record, so
//! debug builds look without them, too.

use crate::model::{Field, Reason};
use crate::trace::{Record, What};

/// A creation.
pub(super) const BIRTH: u8 = 1;
/// A deletion.
pub(super) const END: u8 = 2;
/// A status that was written.
pub(super) const STATUS: u8 = 4;
/// Another field that was written.
const FIELD: u8 = 8;
/// Any field that was written.
pub(super) const SET: u8 = STATUS | FIELD;
/// The beginning of a boot.
pub(super) const BOOT: u8 = 16;
/// A boot that failed.
pub(super) const FAILED: u8 = 32;
/// Another decision.
const OTHER_DECISION: u8 = 64;
/// Any decision.
pub(super) const DECIDED: u8 = BOOT | FAILED | OTHER_DECISION;
/// What the world did: faults, tasks, containers, addresses, volumes, and all the rest.
pub(super) const WORLD: u8 = 128;
/// All of them.
pub(super) const ANY: u8 = u8::MAX;
/// What a sandbox's life is told by.
pub(super) const LIFE: u8 = BIRTH | END | STATUS | FAILED;

/// The class of a record.
pub(super) fn of(record: &Record) -> u8 {
    match record.what {
        What::Created { .. } => BIRTH,
        What::Deleted { .. } => END,
        What::Set { field: Field::Status, .. } => STATUS,
        What::Set { .. } => FIELD,
        What::Decided(Reason::BootStarted) => BOOT,
        What::Decided(Reason::BootFailed { .. }) => FAILED,
        What::Decided(_) => OTHER_DECISION,
        _ => WORLD,
    }
}
