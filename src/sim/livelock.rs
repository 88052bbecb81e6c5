//! The proof of a livelock: the same state twice, with nothing ahead that could break the circle.
//!
//! The state is looked at on a grid of the tickers' common period, at the first quiet moment of
//! each cell. When it recurs, and between the two moments nothing was drawn, and no step, fault
//! window or request lies ahead, the future repeats for ever. What a newcomer gets wrong: a
//! state that is *nearly* the same is not the same – a leaked address more is a different state.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::constants::Role;
use crate::controllers::runtime::Rules;
use crate::controllers::tuning::Tuning;
use crate::kernel::{SimDuration, SimTime};
use crate::ports::Remembers;
use crate::trace::{Record, What};
use crate::world::{Caps, Seen, Unrest, World};

use super::Livelock;

/// Timers of the world itself, which stand in its state.
const TIMERS: &[&str] = &["life of a task", "session"];

/// A grid wider than this is no grid: the periods have no small common multiple.
const GRID_MAX: SimDuration = SimDuration::from_hours(1);

/// The memory of what was seen.
pub(super) struct Recurrence {
    seen: Seen,
    reach: Reach,
    /// When to look next; the end of time: never.
    next: SimTime,
    /// What was last found to disturb the quiet.
    unrest: Option<Unrest>,
    /// How many records had been written at each look whose state is kept.
    written: BTreeMap<SimTime, usize>,
    /// Nothing that a step or request could do lies beyond.
    nothing_ahead_from: SimTime,
    proved: Option<Livelock>,
}

impl Recurrence {
    /// Looks for recurrences under these rules; steps and requests end at `nothing_ahead_from`.
    pub(super) fn new(rules: &Rules, nothing_ahead_from: SimTime) -> Self {
        let reach = Reach::of(rules, rules.tuning.roles());
        // Not before the first cell with nothing ahead: to find out whether the world is quiet
        // costs as much as there are tasks, and under traffic it never is. Nor while the nodes,
        // which are as old as the run, still age.
        let from = nothing_ahead_from.max(SimTime::ZERO + reach.caps.memory);
        let next = reach.grid.map_or(SimTime::MAX, |grid| cell_from(from, grid));
        let (seen, written) = Default::default();
        Self { seen, reach, next, unrest: None, written, nothing_ahead_from, proved: None }
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

    /// Looks at the world, if it is time to and the world is quiet.
    pub(super) fn look<'a>(&mut self, world: &World, memories: impl Iterator<Item = &'a Rc<dyn Remembers>>) {
        let now = world.kernel().now();
        let Some(grid) = self.reach.grid else { return };
        if !self.is_due(now) || !self.is_quiet(world) {
            return;
        }
        self.next = cell_from(now + SimDuration::from_nanos(1), grid);
        // What only comes from outside grows older, and no state before its age is capped ever
        // comes back: none of them need be kept.
        let capped_from = world.given_at() + self.reach.caps.memory;
        if now < capped_from {
            self.next = self.next.max(cell_from(capped_from, grid));
            return;
        }
        // Nothing is claimed while anything lies ahead.
        if now < self.nothing_ahead_from || world.faults().may_strike() {
            self.seen.clear();
            self.written.clear();
            return;
        }
        let still = world.still(self.reach.caps, memories.map(|memory| &**memory));
        let written = world.log().with_trace(|trace| trace.records().len());
        self.written.insert(now, written);
        let Some(before) = self.seen.note(still) else { return };
        let first = self.written[&before];
        self.proved = world.log().with_trace(|trace| {
            let drawn = trace.records()[first..].iter().any(|record| matches!(record.what, What::Drawn { .. }));
            let settled = || settled_between(trace.records(), first, (before, now));
            (!drawn).then(|| Livelock { from: before, period: now.since(before), settled: settled() })
        });
        if self.proved.is_some() {
            self.next = SimTime::MAX;
            self.seen.clear();
            self.written.clear();
        }
    }

    /// Whether the world is quiet. What disturbed it last is asked first.
    fn is_quiet(&mut self, world: &World) -> bool {
        if self.unrest.as_ref().is_some_and(|unrest| world.goes_on(unrest)) {
            return false;
        }
        self.unrest = world.unrest(&self.reach.idle);
        self.unrest.is_none()
    }
}

/// For how long the cluster was settled between two moments; `first` is the number of the first
/// record after the earlier one.
fn settled_between(records: &[Record], first: usize, (from, to): (SimTime, SimTime)) -> SimDuration {
    let turn = |record: &Record| match record.what {
        What::Settled => Some(true),
        What::Unsettled => Some(false),
        _ => None,
    };
    let mut since = records[..first].iter().rev().find_map(turn).unwrap_or(false).then_some(from);
    let mut sum = SimDuration::ZERO;
    for (at, settled) in records[first..].iter().filter_map(|record| Some((record.at, turn(record)?))) {
        match (since, settled) {
            (None, true) => since = Some(at),
            (Some(begun), false) => {
                sum = sum + at.since(begun);
                since = None;
            }
            _ => {}
        }
    }
    sum + since.map_or(SimDuration::ZERO, |begun| to.since(begun))
}

/// Where the first cell of the grid begins that does not begin before `at`.
fn cell_from(at: SimTime, grid: SimDuration) -> SimTime {
    SimTime::ZERO + grid.saturating_mul(at.as_nanos().div_ceil(grid.as_nanos()))
}

/// How far the rules reach in time, as the roles of their constants tell.
struct Reach {
    /// The common period of all tickers; none: they have none.
    grid: Option<SimDuration>,
    caps: Caps,
    /// Tasks that wait at the top of their loop whenever they have a timer.
    idle: Vec<&'static str>,
}

impl Reach {
    /// The reach of these roles. What looks at ages and is no constant (a limit that an app sets
    /// itself) is one more [`Role::LookBack`].
    fn of(rules: &Rules, roles: impl Iterator<Item = Role>) -> Self {
        let mut idle = TIMERS.to_vec();
        let mut common = Some(1);
        // The longest time that anybody waits before it is read again.
        let mut longest = GRID_MAX;
        for role in roles {
            match role {
                Role::Period(period) => {
                    idle.push(period.task());
                    common = common.and_then(|common| multiple(common, period.every().as_nanos().max(1)));
                }
                Role::LookBack(back) => longest = longest.max(back.length()),
                Role::Neither => {}
            }
        }
        let Tuning { backoff, address_rest, .. } = &rules.tuning;
        let crashes = (0..10_000).find(|n| backoff.wait(*n) == backoff.wait(u32::MAX) && *n > backoff.free);
        let caps = Caps {
            memory: longest + SimDuration::from_mins(10),
            crashes: crashes.unwrap_or(u32::MAX),
            address_rest: address_rest.length(),
        };
        idle.sort_unstable();
        idle.dedup();
        Self { grid: common.map(SimDuration::from_nanos), caps, idle }
    }
}

/// The least common multiple of two periods, if it is no longer than an hour.
fn multiple(a: u64, b: u64) -> Option<u64> {
    (a / gcd(a, b)).checked_mul(b).filter(|multiple| *multiple <= GRID_MAX.as_nanos())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests;
