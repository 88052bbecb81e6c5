//! `schedsim`: a deterministic discrete-event simulator of a container platform's scheduler.
//!
//! The real controller logic runs on a simulated clock against sandbox and disk backends that
//! fail on demand. See `ARCHITECTURE.md` for the map, `docs/` for the user's guide.

pub mod appconfig;
pub mod cli;
pub mod constants;
pub mod controllers;
pub mod kernel;
pub mod model;
pub mod notify;
pub mod ports;
pub mod replay;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod study;
pub mod time;
pub mod trace;
pub mod world;
