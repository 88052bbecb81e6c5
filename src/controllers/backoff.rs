//! How long a pool waits after crashes: a pure function of the count.
//!
//! Knows no clock and no pool. The series is `base · factor^(n−1)`, capped, in integers
//! throughout; `free` crashes at its start cost nothing. What a newcomer gets wrong: the jitter
//! is a *fraction of the wait that is drawn*, so 0 is today's scheduler and 1 the full draw.

use crate::constants::{LookBack, SettingKind, constants};
use crate::model::words::words;
use crate::time::SimDuration;

use super::fixes::Fixes;

words!(
    /// How the drawn part of a wait is made.
    #[derive(Default)]
    JitterKind {
        /// Nothing is drawn.
        #[default]
        None = "none",
        /// Uniform between zero and the wait.
        Full = "full",
        /// Half the wait, and uniform up to the other half.
        Equal = "equal",
        /// Uniform between the base and three times the previous wait, capped.
        Decorrelated = "decorrelated",
    }
);

constants! {
    /// The parameters of the series.
    pub struct Backoff under Fixes {
        base: SimDuration = SimDuration::from_secs(10), "the first wait";
        factor_ppm as "factor": u64 = 2_000_000, "what each further crash multiplies it by"
            [SettingKind::Decimal { min: 0, max: 1_000_000_000_000 }];
        cap: LookBack = LookBack::of(SimDuration::from_mins(15)), "the longest wait";
        quick_crash: LookBack = LookBack::of(SimDuration::from_secs(60)), "a death younger than this is a crash";
        healthy_min: LookBack = LookBack::of(SimDuration::from_mins(2)), "the shortest run after which crashes are forgotten";
        jitter_ppm as "jitter": u64 = 0, "the fraction of the wait that is drawn";
        jitter_kind: JitterKind = JitterKind::None, "how it is drawn";
        free: u32 = 0, "crashes that cost nothing before the series begins" [SettingKind::Int { min: 0, max: 1_000_000 }];
    }
}

const PPM: u128 = 1_000_000;

impl Backoff {
    /// The wait after `crashes` in a row, without jitter.
    pub fn wait(&self, crashes: u32) -> SimDuration {
        let Some(power) = crashes.checked_sub(self.free).and_then(|n| n.checked_sub(1)) else {
            return SimDuration::ZERO;
        };
        let cap = u128::from(self.cap.length().as_nanos());
        let mut wait = u128::from(self.base.as_nanos());
        for _ in 0..power {
            let next = wait * u128::from(self.factor_ppm) / PPM;
            // A factor of one or less never reaches the cap: stop where nothing changes.
            if wait >= cap || next == wait {
                break;
            }
            wait = next;
        }
        SimDuration::from_nanos(wait.min(cap) as u64)
    }

    /// The wait after `crashes` in a row, of which a part is drawn: `bits` are 64 random bits,
    /// `previous` the wait before (for the decorrelated kind).
    pub fn jittered(&self, crashes: u32, bits: u64, previous: SimDuration) -> SimDuration {
        let wait = self.wait(crashes);
        if wait.is_zero() || self.jitter_ppm == 0 {
            return wait;
        }
        let uniform = |low: SimDuration, high: SimDuration| {
            let width = u128::from((high - low).as_nanos()) + 1;
            low + SimDuration::from_nanos(((u128::from(bits) * width) >> 64) as u64)
        };
        let half = SimDuration::from_nanos(wait.as_nanos() / 2);
        let drawn = match self.jitter_kind {
            JitterKind::None => return wait,
            JitterKind::Full => uniform(SimDuration::ZERO, wait),
            JitterKind::Equal => uniform(half, wait),
            JitterKind::Decorrelated => {
                uniform(self.base, (previous.saturating_mul(3)).max(self.base)).min(self.cap.length())
            }
        };
        let part = |d: SimDuration, ppm: u64| u128::from(d.as_nanos()) * u128::from(ppm) / PPM;
        let jitter = self.jitter_ppm.min(PPM as u64);
        SimDuration::from_nanos((part(wait, PPM as u64 - jitter) + part(drawn, jitter)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_series_doubles_from_ten_seconds_to_a_quarter_of_an_hour() {
        let backoff = Backoff::default();
        for (crashes, secs) in [(0, 0), (1, 10), (2, 20), (3, 40), (6, 320), (7, 640), (8, 900), (u32::MAX, 900)] {
            assert_eq!(backoff.wait(crashes), SimDuration::from_secs(secs), "{crashes}");
        }
    }

    #[test]
    fn free_crashes_cost_nothing_before_the_series_begins() {
        let backoff = Backoff { free: 2, ..Backoff::default() };
        let waits: Vec<u64> = (0..5).map(|n| backoff.wait(n).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 10, 20]);
    }

    #[test]
    fn a_factor_of_one_ends_at_once() {
        let backoff = Backoff { factor_ppm: 1_000_000, ..Backoff::default() };
        assert_eq!(backoff.wait(u32::MAX), SimDuration::from_secs(10));
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap(crashes: u32, factor in 0u64..100_000_000, base: u64, cap: u64, bits: u64, previous: u64) {
            for kind in JitterKind::ALL {
                let backoff = Backoff {
                    base: SimDuration::from_nanos(base),
                    cap: LookBack::of(SimDuration::from_nanos(cap)),
                    factor_ppm: factor,
                    jitter_ppm: 1_000_000,
                    jitter_kind: *kind,
                    ..Backoff::default()
                };
                prop_assert!(backoff.wait(crashes) <= backoff.cap.length());
                let jittered = backoff.jittered(crashes, bits, SimDuration::from_nanos(previous));
                prop_assert!(jittered <= backoff.cap.length().max(backoff.base));
            }
        }
    }
}
