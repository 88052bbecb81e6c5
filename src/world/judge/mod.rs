//! The judges: what *settled* means, and every invariant, apart from the world they judge.
//!
//! They read the trace's new records to learn where to look, and the truth of the store and the
//! backends to see what is there; they change nothing and know neither controllers nor
//! scenarios. The rules are those of `SCENARIO.md`, *Words*: one small function each, with its
//! text beside it. What a newcomer gets wrong: a rule is weighed only where a record says that
//! something changed, so a rule that reads a new field needs a line in `reader.rs` too.

mod alarms;
mod court;
mod docket;
mod homes;
mod limits;
mod memory;
mod progress;
mod reader;
mod rest;
mod rhythm;
mod rules;
mod services;
#[cfg(test)]
mod tests;
mod volumes;
mod weighing;

pub use court::Judge;
pub use docket::Violation;
pub use limits::Limits;
pub(in crate::world) use reader::must_be_seen;
pub use rhythm::Flaps;
