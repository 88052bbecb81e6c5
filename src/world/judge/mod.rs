//! The judges: what *settled* means, and every invariant, apart from the world they judge.
//!
//! They read the trace's new records to learn where to look, and the truth of the store and the
//! backends to see what is there; they change nothing and know neither controllers nor
//! scenarios. The rules are those of `SCENARIO.md`, *Words*: one small function each, with its
//! text beside it. What a newcomer gets wrong: a rule is evaluated only where a record says that
//! something changed, so a rule that reads a new field needs a line in `reader.rs` too.

mod alarms;
mod evaluate;
mod judging;
mod limits;
mod memory;
mod owners;
mod progress;
mod reader;
mod rest;
mod rhythm;
mod rules;
mod services;
mod suspicions;
#[cfg(test)]
mod tests;
mod volumes;

pub use judging::Judge;
pub use limits::{Limits, STEP_MAX};
pub(in crate::world) use reader::must_be_seen;
pub use rest::{Part, PartRest};
pub use rhythm::Flaps;
pub use suspicions::Violation;
