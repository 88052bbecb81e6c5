//! The constants of the scheduler, by the names that scenario files and sweeps use.
//!
//! Each has the value of `CONTROLLERS.md` §13 as its default; three have another one in the
//! scheduler's past and are therefore optional here: what a scenario does not set follows the
//! fixes in force. What a newcomer gets wrong: latencies are no constants of the scheduler,
//! they belong to the cluster.

use crate::time::SimDuration;

use super::backoff::{Backoff, JitterKind};
use super::fixes::{Fix, Fixes};

/// How the phase of a ticker is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TickerPhase {
    /// A fixed offset for each controller and process, the same for every seed.
    #[default]
    Fixed,
    /// Drawn anew for every seed.
    Seed,
    /// None: all tickers are aligned.
    Zero,
}

impl TickerPhase {
    /// Every way.
    pub const ALL: &[Self] = &[Self::Fixed, Self::Seed, Self::Zero];

    /// Its name in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Seed => "seed",
            Self::Zero => "zero",
        }
    }
}

/// The type of a constant, as scenario files write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingKind {
    /// `"5m"`.
    Duration,
    /// A whole number within bounds.
    Int {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// A number that may have a point, read as parts per million, within bounds (in parts per million).
    Decimal {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value for a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// A duration.
    Duration(SimDuration),
    /// A whole number.
    Int(u32),
    /// Parts per million.
    Decimal(u64),
    /// The number of the word in [`SettingKind::Word`].
    Word(usize),
}

const COUNT: SettingKind = SettingKind::Int { min: 1, max: 1_000_000 };

macro_rules! tuning {
    ($($(#[$doc:meta])* $path:literal = $($field:ident).+: $kind:expr, $wrap:ident;)*) => {
        /// Every constant: its path below `[tuning]` and its type.
        pub const SETTINGS: &[(&str, SettingKind)] = &[$(($path, $kind)),*];

        impl Tuning {
            /// Sets the constant at `path`; false when there is none or the value has another type.
            pub fn set(&mut self, path: &str, value: Setting) -> bool {
                match path {
                    $($path => tuning!(@set self, value, $($field).+, $wrap),)*
                    _ => false,
                }
            }
            /// The value of the constant at `path`; `None` where there is no such constant, or it follows the fixes.
            pub fn get(&self, path: &str) -> Option<Setting> {
                match path {
                    $($path => tuning!(@get self, $($field).+, $wrap),)*
                    _ => None,
                }
            }
        }
    };
    (@set $self:ident, $value:ident, $($field:ident).+, duration) => {
        if let Setting::Duration(d) = $value { $self.$($field).+ = d; true } else { false }
    };
    (@set $self:ident, $value:ident, $($field:ident).+, historic) => {
        if let Setting::Duration(d) = $value { $self.$($field).+ = Some(d); true } else { false }
    };
    (@set $self:ident, $value:ident, $($field:ident).+, int) => {
        if let Setting::Int(n) = $value { $self.$($field).+ = n; true } else { false }
    };
    (@set $self:ident, $value:ident, $($field:ident).+, decimal) => {
        if let Setting::Decimal(n) = $value { $self.$($field).+ = n; true } else { false }
    };
    (@set $self:ident, $value:ident, $($field:ident).+, phase) => {
        if let Setting::Word(n) = $value { $self.$($field).+ = TickerPhase::ALL[n]; true } else { false }
    };
    (@set $self:ident, $value:ident, $($field:ident).+, jitter) => {
        if let Setting::Word(n) = $value { $self.$($field).+ = JitterKind::ALL[n]; true } else { false }
    };
    (@get $self:ident, $($field:ident).+, duration) => { Some(Setting::Duration($self.$($field).+)) };
    (@get $self:ident, $($field:ident).+, historic) => { $self.$($field).+.map(Setting::Duration) };
    (@get $self:ident, $($field:ident).+, int) => { Some(Setting::Int($self.$($field).+)) };
    (@get $self:ident, $($field:ident).+, decimal) => { Some(Setting::Decimal($self.$($field).+)) };
    (@get $self:ident, $($field:ident).+, phase) => { Some(Setting::Word($self.$($field).+ as usize)) };
    (@get $self:ident, $($field:ident).+, jitter) => { Some(Setting::Word($self.$($field).+ as usize)) };
}

/// The constants of the scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tuning {
    /// How often pools are listed and reconciled (10 s; 60 s before `crash-backoff`).
    pub pool_resync: Option<SimDuration>,
    /// How often apps are listed and reconciled.
    pub launcher_resync: SimDuration,
    /// How often the scheduler lists sandboxes.
    pub scheduler_resync: SimDuration,
    /// How often a node lists its sandboxes.
    pub sandbox_resync: SimDuration,
    /// How often disks are listed.
    pub disk_resync: SimDuration,
    /// How often a node lists its disk leases.
    pub lease_resync: SimDuration,
    /// How often the disk watch lists disks.
    pub disk_watch_resync: SimDuration,
    /// How often the monitor looks at all pools.
    pub monitor_every: SimDuration,
    /// A sandbox PENDING for longer is stopped.
    pub stale_pending_after: SimDuration,
    /// An empty pool that was not written for longer is deleted.
    pub empty_pool_after: SimDuration,
    /// The most sandboxes that a pool may want.
    pub max_pool_size: u32,
    /// How often dead sandboxes and released leases are collected.
    pub collect_every: SimDuration,
    /// How long a dead sandbox is kept.
    pub dead_kept: SimDuration,
    /// How long a released lease is kept.
    pub released_kept: SimDuration,
    /// How often leases of dead sandboxes are looked for.
    pub orphan_sweep_every: SimDuration,
    /// A lease younger than this is no orphan yet.
    pub orphan_lease_age_min: SimDuration,
    /// How often a node looks for stray containers.
    pub watchdog_every: SimDuration,
    /// How long a sandbox may be dead before its container is a stray.
    pub watchdog_grace: SimDuration,
    /// How long a boot waits for its port (15 s; 10 s, 5 s earlier).
    pub port_timeout: Option<SimDuration>,
    /// When a port is first asked.
    pub port_first: SimDuration,
    /// How often a port is asked (250 ms; 500 ms earlier).
    pub port_poll: Option<SimDuration>,
    /// How long one question to a port may take.
    pub dial_timeout: SimDuration,
    /// A healthy sandbox PENDING for longer becomes RUNNING.
    pub promote_after: SimDuration,
    /// How long a boot waits for a disk lease.
    pub lease_timeout: SimDuration,
    /// How often it looks.
    pub lease_poll: SimDuration,
    /// How long the launcher waits for a new pool.
    pub ready_wait: SimDuration,
    /// How often it looks.
    pub ready_poll: SimDuration,
    /// How long the launcher waits for an old pool to drain.
    pub drain_wait: SimDuration,
    /// How long a request waits for capacity.
    pub request_wait: SimDuration,
    /// How often a waiting request looks again by itself.
    pub request_tick: SimDuration,
    /// How often last activity is written back.
    pub activity_every: SimDuration,
    /// How often raising desired is tried on conflict.
    pub increment_tries: u32,
    /// How often a pool is looked up.
    pub lookup_tries: u32,
    /// The wait between look-ups, doubling.
    pub lookup_wait: SimDuration,
    /// How long a node's session lives.
    pub session_ttl: SimDuration,
    /// How often it is renewed.
    pub session_renew: SimDuration,
    /// How often node health is looked at.
    pub node_health_every: SimDuration,
    /// How long a node may be away before its sandboxes are dead.
    pub node_grace: SimDuration,
    /// How many events a work queue holds.
    pub queue_capacity: u32,
    /// How many of its own revisions a controller remembers.
    pub own_writes: u32,
    /// How many workers a node's controllers have.
    pub workers_per_node: u32,
    /// How long a released address is left alone while others are free.
    pub address_rest: SimDuration,
    /// How long a crashed process is down.
    pub restart_after: SimDuration,
    /// The first wait before a broken watch is reopened, doubling.
    pub watch_retry: SimDuration,
    /// The longest such wait.
    pub watch_retry_max: SimDuration,
    /// How tickers are offset.
    pub ticker_phase: TickerPhase,
    /// How long a pool waits after crashes.
    pub backoff: Backoff,
    /// What invariants forgive.
    pub grace: Graces,
}

/// How long each invariant forgives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Graces {
    /// A lease may be BOUND to a dead sandbox for so long.
    pub bound_lease_has_live_sandbox: SimDuration,
    /// An address may be without a live owner for so long.
    pub no_leaked_address: SimDuration,
    /// A container may outlive its sandbox for so long.
    pub no_orphan_container: SimDuration,
    /// A pool may have too many live sandboxes for so long.
    pub no_overshoot: SimDuration,
    /// What belonged to a deleted app may last for so long.
    pub nothing_outlives_its_app: SimDuration,
    /// The window in which failed boots are counted.
    pub failures_back_off: SimDuration,
    /// How long, beyond the backoff's cap, a cluster may take to settle.
    pub progress: SimDuration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            pool_resync: None,
            launcher_resync: SimDuration::from_secs(60),
            scheduler_resync: SimDuration::from_secs(60),
            sandbox_resync: SimDuration::from_secs(60),
            disk_resync: SimDuration::from_secs(60),
            lease_resync: SimDuration::from_secs(60),
            disk_watch_resync: SimDuration::from_secs(60),
            monitor_every: SimDuration::from_secs(30),
            stale_pending_after: SimDuration::from_mins(5),
            empty_pool_after: SimDuration::from_hours(1),
            max_pool_size: 20,
            collect_every: SimDuration::from_mins(5),
            dead_kept: SimDuration::from_hours(1),
            released_kept: SimDuration::from_hours(1),
            orphan_sweep_every: SimDuration::from_mins(5),
            orphan_lease_age_min: SimDuration::from_mins(2),
            watchdog_every: SimDuration::from_mins(5),
            watchdog_grace: SimDuration::from_mins(3),
            port_timeout: None,
            port_first: SimDuration::from_millis(100),
            port_poll: None,
            dial_timeout: SimDuration::from_secs(2),
            promote_after: SimDuration::from_mins(2),
            lease_timeout: SimDuration::from_mins(5),
            lease_poll: SimDuration::from_millis(500),
            ready_wait: SimDuration::from_secs(60),
            ready_poll: SimDuration::from_millis(500),
            drain_wait: SimDuration::from_secs(60),
            request_wait: SimDuration::from_secs(50),
            request_tick: SimDuration::from_secs(30),
            activity_every: SimDuration::from_secs(30),
            increment_tries: 3,
            lookup_tries: 3,
            lookup_wait: SimDuration::from_millis(100),
            session_ttl: SimDuration::from_secs(60),
            session_renew: SimDuration::from_secs(30),
            node_health_every: SimDuration::from_secs(30),
            node_grace: SimDuration::from_mins(5),
            queue_capacity: 1000,
            own_writes: 1000,
            workers_per_node: 3,
            address_rest: SimDuration::from_mins(30),
            restart_after: SimDuration::from_secs(2),
            watch_retry: SimDuration::from_secs(1),
            watch_retry_max: SimDuration::from_mins(5),
            ticker_phase: TickerPhase::Fixed,
            backoff: Backoff::default(),
            grace: Graces::default(),
        }
    }
}

impl Default for Graces {
    fn default() -> Self {
        Self {
            bound_lease_has_live_sandbox: SimDuration::from_secs(90),
            no_leaked_address: SimDuration::from_mins(5),
            no_orphan_container: SimDuration::from_mins(10),
            no_overshoot: SimDuration::from_secs(90),
            nothing_outlives_its_app: SimDuration::from_mins(2),
            failures_back_off: SimDuration::from_mins(10),
            progress: SimDuration::from_mins(10),
        }
    }
}

tuning! {
    "pool_resync" = pool_resync: SettingKind::Duration, historic;
    "launcher_resync" = launcher_resync: SettingKind::Duration, duration;
    "scheduler_resync" = scheduler_resync: SettingKind::Duration, duration;
    "sandbox_resync" = sandbox_resync: SettingKind::Duration, duration;
    "disk_resync" = disk_resync: SettingKind::Duration, duration;
    "lease_resync" = lease_resync: SettingKind::Duration, duration;
    "disk_watch_resync" = disk_watch_resync: SettingKind::Duration, duration;
    "monitor_every" = monitor_every: SettingKind::Duration, duration;
    "stale_pending_after" = stale_pending_after: SettingKind::Duration, duration;
    "empty_pool_after" = empty_pool_after: SettingKind::Duration, duration;
    "max_pool_size" = max_pool_size: SettingKind::Int { min: 1, max: 100_000 }, int;
    "collect_every" = collect_every: SettingKind::Duration, duration;
    "dead_kept" = dead_kept: SettingKind::Duration, duration;
    "released_kept" = released_kept: SettingKind::Duration, duration;
    "orphan_sweep_every" = orphan_sweep_every: SettingKind::Duration, duration;
    "orphan_lease_age_min" = orphan_lease_age_min: SettingKind::Duration, duration;
    "watchdog_every" = watchdog_every: SettingKind::Duration, duration;
    "watchdog_grace" = watchdog_grace: SettingKind::Duration, duration;
    "port_timeout" = port_timeout: SettingKind::Duration, historic;
    "port_first" = port_first: SettingKind::Duration, duration;
    "port_poll" = port_poll: SettingKind::Duration, historic;
    "dial_timeout" = dial_timeout: SettingKind::Duration, duration;
    "promote_after" = promote_after: SettingKind::Duration, duration;
    "lease_timeout" = lease_timeout: SettingKind::Duration, duration;
    "lease_poll" = lease_poll: SettingKind::Duration, duration;
    "ready_wait" = ready_wait: SettingKind::Duration, duration;
    "ready_poll" = ready_poll: SettingKind::Duration, duration;
    "drain_wait" = drain_wait: SettingKind::Duration, duration;
    "request_wait" = request_wait: SettingKind::Duration, duration;
    "request_tick" = request_tick: SettingKind::Duration, duration;
    "activity_every" = activity_every: SettingKind::Duration, duration;
    "increment_tries" = increment_tries: COUNT, int;
    "lookup_tries" = lookup_tries: COUNT, int;
    "lookup_wait" = lookup_wait: SettingKind::Duration, duration;
    "session_ttl" = session_ttl: SettingKind::Duration, duration;
    "session_renew" = session_renew: SettingKind::Duration, duration;
    "node_health_every" = node_health_every: SettingKind::Duration, duration;
    "node_grace" = node_grace: SettingKind::Duration, duration;
    "queue_capacity" = queue_capacity: COUNT, int;
    "own_writes" = own_writes: COUNT, int;
    "workers_per_node" = workers_per_node: SettingKind::Int { min: 1, max: 1000 }, int;
    "address_rest" = address_rest: SettingKind::Duration, duration;
    "restart_after" = restart_after: SettingKind::Duration, duration;
    "watch_retry" = watch_retry: SettingKind::Duration, duration;
    "watch_retry_max" = watch_retry_max: SettingKind::Duration, duration;
    "ticker_phase" = ticker_phase: SettingKind::Word(&["fixed", "seed", "zero"]), phase;
    "backoff.base" = backoff.base: SettingKind::Duration, duration;
    "backoff.factor" = backoff.factor_ppm: SettingKind::Decimal { min: 0, max: 1_000_000_000_000 }, decimal;
    "backoff.cap" = backoff.cap: SettingKind::Duration, duration;
    "backoff.quick_crash" = backoff.quick_crash: SettingKind::Duration, duration;
    "backoff.healthy_min" = backoff.healthy_min: SettingKind::Duration, duration;
    "backoff.jitter" = backoff.jitter_ppm: SettingKind::Decimal { min: 0, max: 1_000_000 }, decimal;
    "backoff.jitter_kind" = backoff.jitter_kind: SettingKind::Word(&["none", "full", "equal", "decorrelated"]), jitter;
    "backoff.free" = backoff.free: SettingKind::Int { min: 0, max: 1_000_000 }, int;
    "grace.bound-lease-has-live-sandbox" = grace.bound_lease_has_live_sandbox: SettingKind::Duration, duration;
    "grace.no-leaked-address" = grace.no_leaked_address: SettingKind::Duration, duration;
    "grace.no-orphan-container" = grace.no_orphan_container: SettingKind::Duration, duration;
    "grace.no-overshoot" = grace.no_overshoot: SettingKind::Duration, duration;
    "grace.nothing-outlives-its-app" = grace.nothing_outlives_its_app: SettingKind::Duration, duration;
    "grace.failures-back-off" = grace.failures_back_off: SettingKind::Duration, duration;
    "grace.progress" = grace.progress: SettingKind::Duration, duration;
}

impl Tuning {
    /// How often pools are reconciled, under these fixes.
    pub fn pool_resync(&self, fixes: Fixes) -> SimDuration {
        let earlier = if fixes.has(Fix::CrashBackoff) { 10 } else { 60 };
        self.pool_resync.unwrap_or(SimDuration::from_secs(earlier))
    }
    /// How long a boot waits for its port, under these fixes.
    pub fn port_timeout(&self, fixes: Fixes) -> SimDuration {
        let secs = match (fixes.has(Fix::PortDeadline15s), fixes.has(Fix::PortRequired)) {
            (true, _) => 15,
            (false, true) => 10,
            (false, false) => 5,
        };
        self.port_timeout.unwrap_or(SimDuration::from_secs(secs))
    }
    /// How often a port is asked, under these fixes.
    pub fn port_poll(&self, fixes: Fixes) -> SimDuration {
        let earlier = if fixes.has(Fix::PortDeadline15s) { 250 } else { 500 };
        self.port_poll.unwrap_or(SimDuration::from_millis(earlier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constant_can_be_set_and_read_back() {
        for (path, kind) in SETTINGS {
            let mut tuning = Tuning::default();
            let value = match kind {
                SettingKind::Duration => Setting::Duration(SimDuration::from_secs(7)),
                SettingKind::Int { min, .. } => Setting::Int(min + 3),
                SettingKind::Decimal { .. } => Setting::Decimal(123_456),
                SettingKind::Word(words) => Setting::Word(words.len() - 1),
            };
            assert!(tuning.set(path, value), "{path}");
            assert_eq!(tuning.get(path), Some(value), "{path}");
            assert_ne!(tuning, Tuning::default(), "{path} changes nothing");
        }
    }

    #[test]
    fn what_a_scenario_leaves_out_follows_the_fixes() {
        let tuning = Tuning::default();
        let then = Fixes::NONE.with(Fix::PortRequired);
        assert_eq!(tuning.port_timeout(Fixes::NONE), SimDuration::from_secs(5));
        assert_eq!(tuning.port_timeout(then), SimDuration::from_secs(10));
        assert_eq!(tuning.port_timeout(Fixes::current()), SimDuration::from_secs(15));
        assert_eq!(tuning.pool_resync(then), SimDuration::from_secs(60));
    }
}
