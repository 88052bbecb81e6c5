//! `schedsim`: a deterministic discrete-event simulator of a container platform's scheduler.
//!
//! The real controller logic runs on a simulated clock against sandbox and disk backends that
//! fail on demand. See `ARCHITECTURE.md` for the map, `docs/` for the user's guide.
//!
//! What is public is the front that the program, the tests and the benches use. A room's `mod.rs` says
//! what of it belongs there; anything else is for the crate, so that the compiler knows what is dead.

mod appconfig;
pub mod cli;
mod constants;
pub mod controllers;
pub mod kernel;
pub mod model;
mod notify;
mod ports;
pub mod replay;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod study;
mod time;
pub mod trace;
pub mod world;
