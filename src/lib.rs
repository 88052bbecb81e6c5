//! `schedsim`: a deterministic discrete-event simulator of a container platform's scheduler.
//!
//! The real controller logic runs on a simulated clock against sandbox and disk backends that
//! fail on demand. See `ARCHITECTURE.md` for the map, `docs/` for the user's guide.
//!
//! A run, from a text to what came of it:
//!
//! ```
//! use schedsim::scenario::{Overrides, Scenario, Verdict};
//! use schedsim::sim::Simulation;
//!
//! let text = r#"
//! schema = 1
//! horizon = "2h"
//! step = [{ at = "0s", do.deploy = { app = "shop", config = "[services.worker.concurrency]\nmode = \"fixed\"\nnum_instances = 2" } }]
//! "#;
//! let scenario = Scenario::from_text(text, "shop", None, &Overrides::default()).map_err(|wrong| wrong.render(false)).unwrap();
//! let outcome = Simulation::new(&scenario, &scenario.variants[0]).run();
//! assert_eq!(outcome.verdict, Verdict::Settled);
//! let figures = schedsim::report::figures(&scenario, &outcome);
//! assert_eq!(figures.get("sandboxes_created").unwrap().to_string(), "2");
//! ```
//!
//! What is public is the front that the program, the tests and the benches use. A room's `mod.rs` says
//! what of it belongs there; anything else is for the crate, so that the compiler knows what is dead.

mod appconfig;
mod archive;
pub mod cli;
mod constants;
pub mod controllers;
mod hashed;
pub mod kernel;
pub mod model;
mod notify;
pub mod own;
mod ports;
pub mod replay;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod study;
mod time;
pub mod trace;
mod view;
pub mod world;
