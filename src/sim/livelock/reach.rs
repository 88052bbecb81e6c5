//! How far the rules reach in time: the tickers' common period, and the ages that are told apart.
//!
//! It reads the roles of the constants, and what apps set themselves. What a newcomer gets wrong: the
//! grid decides how often a state can come again and is looked for, not whether it is the same.

use std::collections::BTreeSet;

use crate::constants::{Period, Role};
use crate::controllers::runtime::Rules;
use crate::controllers::tuning::Tuning;
use crate::kernel::{SimDuration, SimTime};
use crate::world::Caps;

/// The least that counts as long past.
const MEMORY_MIN: SimDuration = SimDuration::from_hours(1);
/// Long past is what lies further back than any rule looks, by that much.
const MARGIN: SimDuration = SimDuration::from_mins(10);

/// How far the rules reach in time, as the roles of their constants tell.
pub(super) struct Reach {
    /// The common period of all tickers; none: there is no such number, or it is beyond all time.
    pub(super) grid: Option<SimDuration>,
    pub(super) caps: Caps,
    periods: Vec<Period>,
}

impl Reach {
    /// The reach of these roles.
    pub(super) fn of(rules: &Rules, roles: impl Iterator<Item = Role>) -> Self {
        let mut periods = Vec::new();
        let mut longest = MEMORY_MIN;
        for role in roles {
            match role {
                Role::Period(period) => periods.push(period),
                Role::LookBack(back) => longest = longest.max(back.length()),
                Role::Neither => {}
            }
        }
        let Tuning { backoff, address_rest, .. } = &rules.tuning;
        let crashes = (0..10_000).find(|n| backoff.wait(*n) == backoff.wait(u32::MAX) && *n > backoff.free);
        let caps = Caps {
            memory: longest + MARGIN,
            crashes: crashes.unwrap_or(u32::MAX),
            address_rest: address_rest.length(),
        };
        Self { grid: common(periods.iter()), caps, periods }
    }

    /// Narrows the grid to the tickers that run, as the names of the tasks tell that wait for the time:
    /// whatever comes again does so at a multiple of the periods of all of them.
    pub(super) fn narrow(&mut self, waiting: &BTreeSet<&'static str>) {
        let runs = |period: &&Period| waiting.contains(period.task());
        self.grid = common(self.periods.iter().filter(runs)).or(self.grid);
    }

    /// Takes into account that something that is no constant of the scheduler is compared with an age: a
    /// limit that an app sets itself.
    pub(super) fn look_back(&mut self, limit: SimDuration) {
        self.caps.memory = self.caps.memory.max(limit + MARGIN);
    }
}

/// Where the first cell of the grid begins that does not begin before `at`.
pub(super) fn cell_from(at: SimTime, grid: SimDuration) -> SimTime {
    SimTime::ZERO + grid.saturating_mul(at.as_nanos().div_ceil(grid.as_nanos()))
}

/// The least common multiple of periods; nothing, of none.
fn common<'a>(periods: impl Iterator<Item = &'a Period>) -> Option<SimDuration> {
    let multiple = |a: u64, b: u64| (a / gcd(a, b)).checked_mul(b);
    let lengths = periods.map(|period| period.every().as_nanos().max(1));
    let common = lengths.map(Some).reduce(|a, b| multiple(a?, b?))?;
    common.map(SimDuration::from_nanos)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
