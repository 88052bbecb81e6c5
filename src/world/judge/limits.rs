//! The limits that the judges apply: graces and bounds, as plain data.
//!
//! Whoever sets up a run fills them in; how the scheduler came to its own is not known here.

use crate::kernel::{SimDuration, SimTime};
use crate::world::spec::Graces;

/// The graces and bounds of the invariants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long each invariant forgives.
    pub grace: Graces,
    /// Most failed boots of a pool in the window of `failures-back-off`, for each desired instance.
    pub failures_max: u32,
    /// The most sandboxes that a pool may want or have.
    pub max_pool_size: u32,
    /// The longest wait of the crash backoff.
    pub backoff_cap: SimDuration,
    /// How far back the rules look at most.
    pub look_back: SimDuration,
    /// The longest time until everything was looked at again.
    pub look_every: SimDuration,
}

/// For how long what an operator asked for may be under way before the cluster is not at rest for it: store
/// calls take milliseconds.
pub const STEP_MAX: SimDuration = SimDuration::from_mins(1);

impl Limits {
    /// When an app that is unsettled from then on has had its time.
    pub(super) fn progress_due(&self, from: SimTime) -> SimTime {
        from + self.backoff_cap + self.grace.progress
    }
}
