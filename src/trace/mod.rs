//! The trace: everything that happened, one small record each, in order.
//!
//! Records are structs; text is made only when somebody prints it. Metrics, timelines,
//! snapshots, reports and explanations read the trace and nothing else. It knows the kernel and
//! the model. What a newcomer gets wrong: record numbers are those of *this* run – compare runs
//! by their JSON lines, never by numbers.

pub mod jsonl;
pub mod metrics;
pub mod record;
pub mod timeline;

#[cfg(test)]
pub(crate) mod testing;

pub use record::{Record, Trace, What};
