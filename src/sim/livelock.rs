//! The proof of a livelock: the same state twice, with nothing ahead that could break the circle.
//!
//! The state is looked at on a grid of the tickers' common period, at the first quiet moment of
//! each cell. When it recurs, and between the two moments nothing was drawn, and no step, fault
//! window or request lies ahead, the future repeats for ever. What a newcomer gets wrong: a
//! state that is *nearly* the same is not the same – a leaked address more is a different state.

use std::rc::Rc;

use crate::controllers::runtime::Rules;
use crate::kernel::{SimDuration, SimTime};
use crate::ports::Remembers;
use crate::trace::What;
use crate::world::{Caps, Seen, Unrest, World};

use super::Livelock;

/// Tasks that wait at the top of their loop whenever they have a timer.
const IDLE: &[&str] = &[
    "resync",
    "monitor",
    "collector",
    "watchdog",
    "lease collection",
    "orphan sweep",
    "activator activity",
    "life of a task",
    "session",
];

/// A grid wider than this is no grid: the periods have no small common multiple.
const GRID_MAX: SimDuration = SimDuration::from_hours(1);

/// The memory of what was seen.
pub(super) struct Recurrence {
    seen: Seen,
    /// The common period of all tickers; none: they have none.
    grid: Option<SimDuration>,
    /// When to look next; the end of time: never.
    next: SimTime,
    caps: Caps,
    /// What was last found to disturb the quiet.
    unrest: Option<Unrest>,
    /// Nothing that a step or request could do lies beyond.
    nothing_ahead_from: SimTime,
    proved: Option<Livelock>,
}

impl Recurrence {
    /// Looks for recurrences under these rules; steps and requests end at `nothing_ahead_from`.
    pub(super) fn new(rules: &Rules, nothing_ahead_from: SimTime) -> Self {
        let (grid, caps) = (grid(rules), caps(rules));
        // Not before the first cell with nothing ahead: to find out whether the world is quiet
        // costs as much as there are tasks, and under traffic it never is. Nor while the nodes,
        // which are as old as the run, still age.
        let from = nothing_ahead_from.max(SimTime::ZERO + caps.memory);
        let next = grid.map_or(SimTime::MAX, |grid| cell_from(from, grid));
        Self { seen: Seen::default(), grid, next, caps, unrest: None, nothing_ahead_from, proved: None }
    }

    /// The proof, if there is one.
    pub(super) fn proved(&self) -> Option<Livelock> {
        self.proved
    }

    /// When it is time to look; at the end of time: never.
    pub(super) fn next_look(&self) -> SimTime {
        self.next
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self, now: SimTime) -> bool {
        now >= self.next
    }

    /// Looks at the world, if it is time to and the world is quiet and unsettled.
    pub(super) fn look<'a>(
        &mut self,
        world: &World,
        settled: bool,
        memories: impl Iterator<Item = &'a Rc<dyn Remembers>>,
    ) {
        let now = world.kernel().now();
        let Some(grid) = self.grid else { return };
        if !self.is_due(now) || !self.is_quiet(world) {
            return;
        }
        self.next = cell_from(now + SimDuration::from_nanos(1), grid);
        // What only comes from outside grows older, and no state before its age is capped ever
        // comes back: none of them need be kept.
        let capped_from = world.given_at() + self.caps.memory;
        if now < capped_from {
            self.next = self.next.max(cell_from(capped_from, grid));
            return;
        }
        // Nothing is claimed of a cluster at rest, nor while anything lies ahead.
        if settled || now < self.nothing_ahead_from || world.faults().may_strike() {
            self.seen.clear();
            return;
        }
        let still = world.still(self.caps, memories.map(|memory| &**memory));
        let Some(before) = self.seen.note(still) else { return };
        // The order of keys is drawn, too; it decides nothing among one.
        if world.live_younger_than(before) <= 1 && !has_drawn_since(world, before) {
            self.proved = Some(Livelock { from: before, period: now.since(before) });
            self.next = SimTime::MAX;
            self.seen.clear();
        }
    }

    /// Whether the world is quiet. What disturbed it last is asked first.
    fn is_quiet(&mut self, world: &World) -> bool {
        if self.unrest.as_ref().is_some_and(|unrest| world.goes_on(unrest)) {
            return false;
        }
        self.unrest = world.unrest(IDLE);
        self.unrest.is_none()
    }
}

/// Whether anything was drawn after that moment.
fn has_drawn_since(world: &World, moment: SimTime) -> bool {
    world.log().with_trace(|trace| {
        let mut later = trace.records().iter().rev().take_while(|record| record.at > moment);
        later.any(|record| matches!(record.what, What::Drawn { .. }))
    })
}

/// Where the first cell of the grid begins that does not begin before `at`.
fn cell_from(at: SimTime, grid: SimDuration) -> SimTime {
    SimTime::ZERO + grid.saturating_mul(at.as_nanos().div_ceil(grid.as_nanos()))
}

/// The least common multiple of all periods, if it is no longer than an hour.
fn grid(rules: &Rules) -> Option<SimDuration> {
    let tuning = &rules.tuning;
    let periods = [
        tuning.pool_resync(rules.fixes),
        tuning.launcher_resync,
        tuning.scheduler_resync,
        tuning.sandbox_resync,
        tuning.disk_resync,
        tuning.lease_resync,
        tuning.disk_watch_resync,
        tuning.monitor_every,
        tuning.collect_every,
        tuning.orphan_sweep_every,
        tuning.watchdog_every,
        tuning.activity_every,
        tuning.node_health_every,
    ];
    let common = periods.iter().try_fold(1_u64, |common, period| {
        let period = period.as_nanos().max(1);
        let multiple = (common / gcd(common, period)).checked_mul(period)?;
        (multiple <= GRID_MAX.as_nanos()).then_some(multiple)
    });
    common.map(SimDuration::from_nanos)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What the rules cap: how far they look back, and up to which count the backoff grows.
fn caps(rules: &Rules) -> Caps {
    let tuning = &rules.tuning;
    let longest = [
        tuning.stale_pending_after,
        tuning.empty_pool_after,
        tuning.dead_kept,
        tuning.released_kept,
        tuning.orphan_lease_age_min,
        tuning.watchdog_grace,
        tuning.promote_after,
        tuning.lease_timeout,
        tuning.node_grace,
        tuning.address_rest,
        tuning.backoff.quick_crash,
        tuning.backoff.healthy_min,
        tuning.backoff.cap,
        // The longest time that anybody waits before it is read again.
        GRID_MAX,
    ];
    let memory = longest.into_iter().max().unwrap_or_default() + SimDuration::from_mins(10);
    let backoff = &tuning.backoff;
    let crashes = (0..10_000).find(|n| backoff.wait(*n) == backoff.wait(u32::MAX) && *n > backoff.free);
    Caps { memory, crashes: crashes.unwrap_or(u32::MAX), address_rest: tuning.address_rest }
}

#[cfg(test)]
mod tests;
