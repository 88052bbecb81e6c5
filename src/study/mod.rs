//! Studies: many runs of one story, and what tells them apart.
//!
//! They may use simulation, scenario and report; they print nothing. Runs are independent, so they use all
//! cores, and results come in the order of what was asked.

pub mod bisect;
pub(crate) mod compare;
pub mod deciding;
pub mod diverge;
pub mod each_fix;
mod logic;
mod otherwise;
pub mod sealed;
mod signature;
pub mod sweep;

pub(crate) use logic::Logic;
pub use signature::Signature;
