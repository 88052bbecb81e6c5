//! The proof of a livelock: the same state twice, with nothing ahead that could break the circle.
//!
//! The state is looked at on a grid of the tickers' common period, at the first quiet moment of
//! each cell. When it recurs, and between the two moments nothing was drawn, and no step, fault
//! window or request lies ahead, the future repeats for ever. What a newcomer gets wrong: a
//! state that is *nearly* the same is not the same – a leaked address more is a different state.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::controllers::runtime::Rules;
use crate::kernel::{SimDuration, SimTime};
use crate::ports::Remembers;
use crate::trace::What;
use crate::world::{Caps, Unrest, World};

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
    seen: BTreeMap<[u8; 32], SimTime>,
    /// The common period of all tickers; none: they have none.
    grid: Option<SimDuration>,
    next: SimTime,
    caps: Caps,
    /// What was last found to disturb the quiet.
    unrest: Option<Unrest>,
    /// Room to write states into.
    bytes: Vec<u8>,
    /// How many records had been looked through for draws, and when the last draw was.
    read: usize,
    drawn_at: Option<SimTime>,
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
        let next =
            grid.map_or(SimTime::ZERO, |grid| cell_from(nothing_ahead_from.max(SimTime::ZERO + caps.memory), grid));
        Self {
            seen: BTreeMap::new(),
            grid,
            next,
            caps,
            unrest: None,
            bytes: Vec::new(),
            read: 0,
            drawn_at: None,
            nothing_ahead_from,
            proved: None,
        }
    }

    /// The proof, if there is one.
    pub(super) fn proved(&self) -> Option<Livelock> {
        self.proved
    }

    /// When it is time to look; never, when nothing is left to be found.
    pub(super) fn next_look(&self) -> SimTime {
        if self.proved.is_none() && self.grid.is_some() { self.next } else { SimTime::MAX }
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self, now: SimTime) -> bool {
        now >= self.next_look()
    }

    /// Looks at the world, if it is time to and the world is quiet and unsettled.
    pub(super) fn look(&mut self, world: &World, settled: bool, memories: &[Rc<dyn Remembers>]) {
        let now = world.kernel.now();
        let Some(grid) = self.grid else { return };
        if self.proved.is_some() || now < self.next || !self.is_quiet(world) {
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
        self.note_draws(world);
        // Nothing is claimed of a cluster at rest, nor while anything lies ahead.
        if settled || now < self.nothing_ahead_from || world.faults_ahead() {
            self.seen.clear();
            return;
        }
        let mut canon = world.canon(self.caps, std::mem::take(&mut self.bytes));
        memories.iter().for_each(|memory| canon.memory(&**memory));
        let (digest, bytes) = canon.finish();
        self.bytes = bytes;
        let Some(before) = self.seen.insert(digest, now) else { return };
        let drawn = self.drawn_at.is_some_and(|at| at > before);
        // The order of keys is drawn, too; it decides nothing among one.
        if !drawn && world.live_younger_than(before) <= 1 {
            self.proved = Some(Livelock { from: before, period: now.since(before) });
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

    fn note_draws(&mut self, world: &World) {
        world.with_trace(|trace| {
            let new = &trace.records()[self.read..];
            let draw = new.iter().rev().find(|record| matches!(record.what, What::Drawn { .. }));
            self.drawn_at = draw.map(|record| record.at).or(self.drawn_at);
            self.read = trace.records().len();
        });
    }
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
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_the_common_period_of_the_tickers() {
        let mut rules = Rules::default();
        assert_eq!(grid(&rules), Some(SimDuration::from_mins(5)));
        rules.tuning.monitor_every = SimDuration::from_secs(7);
        assert_eq!(grid(&rules), Some(SimDuration::from_mins(35)));
        rules.tuning.monitor_every = SimDuration::from_millis(29_989);
        assert_eq!(grid(&rules), None, "a prime has no small multiple in common");
    }

    #[test]
    fn crash_counts_are_told_apart_up_to_the_cap_of_the_backoff() {
        assert_eq!(caps(&Rules::default()).crashes, 8);
    }
}
