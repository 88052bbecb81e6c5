//! The scenario file: its format, its diagnostics.
//!
//! Turns a TOML text into a [`Scenario`] in which everything is checked. It may use the model,
//! the names of fixes and constants, and the world's plain data; it runs nothing. What a
//! newcomer gets wrong: nothing in a scenario file is ever ignored – a key that means nothing
//! here is an error, for that is the mistake this tool was born of.

pub mod claims;
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

#[cfg(test)]
mod tests;

pub use claims::{Claim, Lasting, Moment};
pub use constants::Constants;
pub use diagnostics::{Diagnostics, Located};
pub use overrides::Overrides;
pub use schema::{json_schema, reference};
pub use story::{
    Action, Bounds, Expect, Golden, Policy, Scenario, Step, Traffic, Upgrade, Variant, Verdict, WorkloadChange,
};
pub use suggest::similar;
