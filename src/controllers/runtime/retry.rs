//! Retries of failed handlers (fix `dirty-key-queue`): jittered, bounded waits.
//!
//! Before that fix there are none: the retry is the next resync or event.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::model::{Entity, Id};
use crate::notify::Notify;
use crate::ports::Clock;
use crate::time::{SimDuration, SimTime};

use super::Queued;

/// The first wait; each further one is twice as long, up to the longest.
const WAIT: SimDuration = SimDuration::from_secs(1);
const WAIT_MAX: SimDuration = SimDuration::from_mins(1);

/// Failed events that wait for their next try.
pub(super) struct Retries<E: Entity> {
    failures: RefCell<BTreeMap<Id<E>, u32>>,
    /// By time, then by the order in which they failed.
    waiting: RefCell<BTreeMap<(SimTime, u64), Queued<E>>>,
    added: Notify,
}

impl<E: Entity> Default for Retries<E> {
    fn default() -> Self {
        Self { failures: RefCell::default(), waiting: RefCell::default(), added: Notify::default() }
    }
}

/// The wait after so many failures in a row: between half and all of the doubling series.
fn wait(failures: u32, bits: u64) -> SimDuration {
    let full = WAIT.saturating_mul(1 << failures.min(16)).min(WAIT_MAX).as_nanos();
    let drawn = (u128::from(bits) * u128::from(full / 2)) >> 64;
    SimDuration::from_nanos(full / 2 + drawn as u64)
}

impl<E: Entity> Retries<E> {
    pub(super) fn add(&self, now: SimTime, bits: u64, event: Queued<E>) {
        if self.waiting.borrow().values().any(|waits| waits.item.id == event.item.id) {
            return;
        }
        let failures = {
            let mut failures = self.failures.borrow_mut();
            let count = failures.entry(event.item.id).or_insert(0);
            *count += 1;
            *count - 1
        };
        let key = (now + wait(failures, bits), self.added.generation());
        self.waiting.borrow_mut().insert(key, event);
        self.added.notify_all();
    }

    pub(super) fn forget(&self, id: Id<E>) {
        self.failures.borrow_mut().remove(&id);
    }

    /// The next event whose time has come.
    pub(super) async fn next(&self, clock: &impl Clock) -> Queued<E> {
        loop {
            let seen = self.added.generation();
            let earliest = self.waiting.borrow().keys().next().copied();
            match earliest {
                None => self.added.changed_since(seen).await,
                Some(key @ (at, _)) if at <= clock.now() => {
                    return self.waiting.borrow_mut().remove(&key).expect("just seen");
                }
                Some((at, _)) => {
                    // Ends early when something more urgent may have come.
                    clock.timeout(at.since(clock.now()), self.added.changed_since(seen)).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_are_jittered_by_half() {
        for (failures, least, most) in [(0, 500, 1000), (1, 1000, 2000), (5, 16_000, 32_000), (40, 30_000, 60_000)] {
            assert_eq!(wait(failures, 0), SimDuration::from_millis(least));
            assert!(wait(failures, u64::MAX) <= SimDuration::from_millis(most));
            assert!(wait(failures, u64::MAX) > SimDuration::from_millis(most - 1));
        }
    }
}
