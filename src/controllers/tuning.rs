//! The constants of the scheduler, each one row.
//!
//! The defaults are those of the scheduler itself, as they were when a set of fixes was in force.
//! What a newcomer gets wrong: latencies are no constants of the scheduler, they belong to the
//! cluster; and how long a process stays down is its surroundings'.

use crate::constants::{LookBack, Period, SettingKind, constants};
use crate::time::SimDuration;

use super::backoff::Backoff;
use super::fixes::{Fix, Fixes};

const fn millis(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}
const fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}
const fn mins(n: u64) -> SimDuration {
    SimDuration::from_mins(n)
}
const fn look(length: SimDuration) -> LookBack {
    LookBack::of(length)
}
const fn resync(every: SimDuration) -> Period {
    Period::of("resync", every)
}
/// Something is done, or looked at, again after each.
const PAUSE: SettingKind = SettingKind::Pause;

constants! {
    /// The constants of the scheduler.
    pub struct Tuning under Fixes {
        pool_resync: Period = resync(secs(60)), "how often pools are listed and reconciled"
            { Fix::CrashBackoff => resync(secs(10)) };
        launcher_resync: Period = resync(secs(60)), "how often apps are listed and reconciled";
        scheduler_resync: Period = resync(secs(60)), "how often the scheduler lists sandboxes";
        sandbox_resync: Period = resync(secs(60)), "how often a node lists its sandboxes";
        disk_resync: Period = resync(secs(60)), "how often disks are listed";
        lease_resync: Period = resync(secs(60)), "how often a node lists its disk leases";
        disk_watch_resync: Period = resync(secs(60)), "how often the disk watch lists disks";
        monitor_every: Period = Period::of("monitor", secs(30)), "how often the monitor looks at all pools";
        stale_pending_after: LookBack = look(mins(5)), "a sandbox PENDING for longer is stopped";
        empty_pool_after: LookBack = look(mins(60)), "an empty pool that was not written for longer is deleted";
        max_pool_size: u32 = 20, "the most sandboxes that a pool may want" [SettingKind::Int { min: 1, max: 100_000 }];
        collect_every: Period = Period::of("collector", mins(5)), "how often dead sandboxes and released leases are collected";
        dead_kept: LookBack = look(mins(60)), "how long a dead sandbox is kept";
        released_kept: LookBack = look(mins(60)), "how long a released lease is kept";
        orphan_sweep_every: Period = Period::of("orphan sweep", mins(5)), "how often leases of dead sandboxes are looked for";
        orphan_lease_age_min: LookBack = look(mins(2)), "a younger lease is no orphan yet";
        watchdog_every: Period = Period::of("watchdog", mins(5)), "how often a node looks for stray containers";
        watchdog_grace: LookBack = look(mins(3)), "how long a sandbox may be dead before its container is a stray";
        port_timeout: SimDuration = secs(5), "how long a boot waits for its port"
            { Fix::PortRequired => secs(10), Fix::PortDeadline15s => secs(15) };
        port_first: SimDuration = millis(100), "when a port is first asked";
        port_poll: SimDuration = millis(500), "how often a port is asked" [PAUSE]
            { Fix::PortDeadline15s => millis(250) };
        shutdown_timeout: SimDuration = millis(50), "how long a program may take to end after SIGTERM"
            { Fix::GracefulShutdown => secs(10) };
        dial_timeout: SimDuration = secs(2), "how long one question to a port may take";
        promote_after: LookBack = look(mins(2)), "a healthy sandbox PENDING for longer becomes RUNNING";
        lease_timeout: SimDuration = mins(5), "how long a boot waits for a disk lease";
        lease_poll: SimDuration = millis(500), "how often it looks" [PAUSE];
        ready_wait: SimDuration = secs(60), "how long the launcher waits for a new pool";
        ready_poll: SimDuration = millis(500), "how often it looks" [PAUSE];
        drain_wait: SimDuration = secs(60), "how long the launcher waits for an old pool to drain";
        request_wait: SimDuration = secs(50), "how long a request waits for capacity"
            { Fix::LongerRequestWait => secs(120) };
        request_tick: SimDuration = secs(30), "how often a waiting request looks again by itself" [PAUSE]
            { Fix::LongerRequestWait => secs(60) };
        activity_every: Period = Period::of("activator activity", secs(30)), "how often last activity is written back";
        ingress_every: Period = Period::of("ingress", secs(30)), "how often the ingress looks at the shares that it keeps";
        ingress_timeout: SimDuration = secs(60), "how long the ingress waits for a sandbox's answer";
        ingress_kept: LookBack = look(mins(5)), "how long the ingress keeps a share that nobody uses, since `ingress-keeps-shares`";
        increment_tries: u32 = 3, "how often raising desired is tried on conflict";
        lookup_tries: u32 = 3, "how often a pool is looked up";
        lookup_wait: SimDuration = millis(100), "the wait between look-ups, doubling";
        node_health_every: Period = resync(secs(30)), "how often node health is looked at";
        node_grace: LookBack = look(mins(5)), "how long a node may be away before its sandboxes are dead";
        queue_capacity: u32 = 1000, "how many events a work queue holds";
        own_writes: u32 = 1000, "how many of its own revisions a controller remembers";
        workers_per_node: u32 = 3, "how many workers a node's controllers have" [SettingKind::Int { min: 1, max: 1000 }];
        addresses_every: Period = Period::of("addresses", mins(5)), "how often a node compares its addresses with its containers";
        address_rest: LookBack = look(mins(30)), "how long a released address is left alone while others are free";
        watch_retry: SimDuration = secs(1), "the first wait before a broken watch is reopened, doubling";
        watch_retry_max: SimDuration = mins(5), "the longest such wait";
    }
    below { backoff: Backoff, "how long a pool waits after crashes"; }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_that_of_the_latest_fix_in_force() {
        let then = Fixes::NONE.with(Fix::PortRequired);
        let timeout = |fixes| Tuning::of(fixes).port_timeout;
        assert_eq!([Fixes::NONE, then, Fixes::current()].map(timeout), [secs(5), secs(10), secs(15)]);
        assert_eq!(timeout(Fixes::NONE.with(Fix::PortDeadline15s)), secs(15));
        assert_eq!(Tuning::of(then).pool_resync.every(), secs(60));
    }
}
