//! The scenario file: its format, its diagnostics.
//!
//! Turns a TOML text into a [`Scenario`] in which everything is checked. It may use the model,
//! the names of fixes and constants, and the world's plain data; it runs nothing. What a
//! newcomer gets wrong: nothing in a scenario file is ever ignored – a key that means nothing
//! here is an error, for that is the mistake this tool was born of.

pub(crate) mod claims;
mod cluster;
mod constants;
mod deploy;
pub(crate) mod diagnostics;
mod expect;
mod faults;
mod load;
mod moments;
pub(crate) mod numbers;
mod overrides;
mod policy;
pub(crate) mod schema;
mod services;
mod steps;
mod story;
pub(crate) mod suggest;
pub(crate) mod tree;
pub(crate) mod values;
pub(crate) mod walk;
mod words;

#[cfg(test)]
mod tests;

/// What a scenario may expect to break.
pub(crate) use crate::model::Invariant;
pub(crate) use constants::Constants;
pub(crate) use diagnostics::Diagnostics;
pub use overrides::Overrides;
pub(crate) use schema::json_schema;
pub(crate) use story::{Action, Bounds, Expect, Policy, Step, Traffic, Upgrade, WorkloadChange};
pub use story::{Scenario, Variant};
pub(crate) use suggest::similar;
pub use words::{Golden, Verdict};
