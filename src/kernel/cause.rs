//! Causes: each trace record knows the record that caused it.
//!
//! A cause is the number of a trace record. The executor keeps one for every task and puts it
//! back whenever the task runs, so that it crosses awaits and timers by itself; queues and
//! watches carry it beside their items. What a newcomer gets wrong: a cause is not a parent
//! task – tasks live for ever, causes change with every item they take.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Serialize, Serializer};

/// The number of a trace record (from 1), or none: the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct RecordId(Option<NonZeroU32>);

impl RecordId {
    /// No record: the run itself is the cause.
    pub const NONE: Self = Self(None);

    /// The record at `index` (from 0) of the trace.
    pub fn from_index(index: usize) -> Self {
        let number = u32::try_from(index + 1).expect("the record budget is far below 2^32");
        Self(NonZeroU32::new(number))
    }
    /// The index (from 0) of the record in the trace.
    pub fn index(self) -> Option<usize> {
        self.0.map(|n| n.get() as usize - 1)
    }
    /// The number (from 1), 0 for none.
    pub fn number(self) -> u32 {
        self.0.map_or(0, NonZeroU32::get)
    }
    /// The record of that number, none for 0.
    pub fn from_number(number: u32) -> Self {
        Self(NonZeroU32::new(number))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.number())
    }
}
impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u32(self.number())
    }
}
