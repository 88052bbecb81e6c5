//! The limits that the judges apply: graces and bounds, as plain data.
//!
//! They come from the tuning of a run, and know nothing of it. Their values are those of
//! `SCENARIO.md`, *Invariants*, unless a scenario says otherwise. What a newcomer gets wrong: a
//! grace that is zero means *at once*, not *never*.

use crate::kernel::SimDuration;

/// The graces and bounds of the invariants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long a BOUND lease may outlast its live sandbox.
    pub bound_lease_has_live_sandbox: SimDuration,
    /// How long an address may outlast its owner.
    pub no_leaked_address: SimDuration,
    /// How long a container may outlast its sandbox.
    pub no_orphan_container: SimDuration,
    /// How long a pool may have more live sandboxes than it wants.
    pub no_overshoot: SimDuration,
    /// How long what belongs to an app may outlast it.
    pub nothing_outlives_its_app: SimDuration,
    /// The window in which failed boots are counted.
    pub failures_window: SimDuration,
    /// Most failed boots of a pool in that window, for each desired instance.
    pub failures_max: u32,
    /// The most sandboxes that a pool may want or have.
    pub max_pool_size: u32,
    /// The longest wait of the crash backoff.
    pub backoff_cap: SimDuration,
    /// How long, beyond that wait, a cluster that nothing hinders may take to settle.
    pub progress: SimDuration,
}
