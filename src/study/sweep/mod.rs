//! Sweeps: settings × seeds over scenarios, and what follows from them.
//!
//! A sweep file becomes a plan, a plan becomes rows, rows become a judgement; each of the three lies
//! in the folder of results, and the later ones read nothing but the earlier. They may use
//! simulation and scenario, and print nothing. What a newcomer gets wrong: settings are compared run
//! by run under the *same* seeds, so a difference is the setting's, not the weather's.

pub(crate) mod aftermath;
mod append;
#[cfg(test)]
mod coverage_tests;
pub(crate) mod estimate;
pub(crate) mod figures;
pub mod file;
pub mod folder;
#[cfg(test)]
mod guide_tests;
pub(crate) mod judge;
mod judgement;
mod lock;
mod mention;
mod objectives;
pub(crate) mod page;
pub(crate) mod plan;
pub mod planning;
pub(crate) mod precision;
pub(crate) mod recommend;
mod records;
pub mod results;
pub(crate) mod rows;
pub mod run;
pub(crate) mod sample;
mod schema;
pub(crate) mod significance;
pub(crate) mod stats;
mod stories;
pub(crate) mod summary;
mod validate;
mod workers;

pub(crate) use schema::json_schema;
