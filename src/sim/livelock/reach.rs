//! How far the rules reach in time: the tickers' common period, and the ages that are told apart.
//!
//! It reads the roles of the constants, and what apps set themselves. What a newcomer gets wrong: the
//! grid decides how often a state can come again and is looked for, not whether it is the same.

use crate::constants::Role;
use crate::controllers::runtime::Rules;
use crate::controllers::tuning::Tuning;
use crate::kernel::{SimDuration, SimTime};
use crate::world::Caps;

/// A grid wider than this is none: too few states would be looked at.
const GRID_MAX: SimDuration = SimDuration::from_hours(24);
/// The least that counts as long past.
const MEMORY_MIN: SimDuration = SimDuration::from_hours(1);
/// Long past is what lies further back than any rule looks, by that much.
const MARGIN: SimDuration = SimDuration::from_mins(10);

/// How far the rules reach in time, as the roles of their constants tell.
pub(super) struct Reach {
    /// The common period of all tickers; none: they have none.
    pub(super) grid: Option<SimDuration>,
    pub(super) caps: Caps,
}

impl Reach {
    /// The reach of these roles.
    pub(super) fn of(rules: &Rules, roles: impl Iterator<Item = Role>) -> Self {
        let mut common = Some(1);
        let mut longest = MEMORY_MIN;
        for role in roles {
            match role {
                Role::Period(period) => {
                    common = common.and_then(|common| multiple(common, period.every().as_nanos().max(1)));
                }
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
        Self { grid: common.map(SimDuration::from_nanos), caps }
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

/// The least common multiple of two periods, if it is no longer than a grid may be.
fn multiple(a: u64, b: u64) -> Option<u64> {
    (a / gcd(a, b)).checked_mul(b).filter(|multiple| *multiple <= GRID_MAX.as_nanos())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
