//! The trace: everything that happened, one small record each, in order.
//!
//! Records are structs; text is made only when somebody prints it. Metrics, timelines,
//! snapshots, reports and explanations read the trace and nothing else. It knows the kernel and
//! the model. What a newcomer gets wrong: record numbers are those of *this* run – compare runs
//! by their JSON lines, never by numbers.

pub(crate) mod csv;
pub mod digest;
pub(crate) mod evidence;
pub mod jsonl;
pub mod metrics;
pub(crate) mod packed;
pub(crate) mod perfetto;
pub(crate) mod read;
pub(crate) mod record;
mod records;
pub(crate) mod state;
pub mod timeline;
pub(crate) mod tracks;
mod words;

#[cfg(test)]
pub(crate) mod testing;

pub use record::{Record, Trace, What};
pub(crate) use records::{Archive, Stretch};
pub use records::{Reader, Records};

use std::fmt::Write;

use crate::model::Reason;

/// The decision that a write was made for, and its index: its cause, or the one before when the
/// cause only says what was counted. A bare reconcile explains nothing and is none.
pub(crate) fn decision(trace: &Trace, write: &Record) -> Option<(usize, Reason)> {
    let decided = |record: &Record| {
        let index = record.cause.index()?;
        let above = trace.records().at(index);
        if let What::Decided(reason) = above.what { Some((index, above, reason)) } else { None }
    };
    let (index, above, reason) = decided(write)?;
    if let Reason::Counted { .. } = reason {
        let (index, before, reason) = decided(&above)?;
        return (before.subject == above.subject && explains(reason)).then_some((index, reason));
    }
    explains(reason).then_some((index, reason))
}

/// A decision in words, for a line that names its actor already.
pub(crate) fn words(reason: Reason) -> String {
    let mut text = String::new();
    push_words(reason, &mut text);
    text
}

/// Appends a decision in words.
fn push_words(reason: Reason, out: &mut String) {
    match reason {
        Reason::Requested { action } => out.push_str(action),
        other => write!(out, "{other}").expect("a string takes everything"),
    }
}

/// Whether a decision says why the writes after it were made, and not only what else happened.
fn explains(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::Reconcile { .. }
            | Reason::FieldIgnored { .. }
            | Reason::HandlerFailed { .. }
            | Reason::EventsDropped { .. }
            | Reason::WatchBroke { .. }
            | Reason::WatchEnded
    )
}
