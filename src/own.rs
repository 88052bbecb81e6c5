//! A controller of your own in the place of one of ours.
//!
//! What [`Reconciler`] and the ports are to our controllers they are to yours: it is handed entities, looks at the
//! world through its [`Ports`], and changes its draft; latencies, faults, crashes of its process and the judges come
//! by themselves. [`crate::sim::Simulation::pool_controller`] puts it into a run; `examples/own_pool.rs` is one.
//!
//! What a newcomer gets wrong: state of one's own must be told by [`Reconciler::remembers`], or a livelock could be
//! claimed although it differs.

pub use crate::controllers::pool::PoolController;
pub use crate::controllers::runtime::{Draft, Failure, Reconciler, Rules};
pub use crate::model::{Pool, PoolId, Sandbox, SandboxIndex};
pub use crate::ports::{Clock, EntityStore, Fact, Host, Platform, Ports, Query, Versioned};
