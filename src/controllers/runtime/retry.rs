//! Retries of failed handlers (fix `dirty-key-queue`): jittered, bounded waits.
//!
//! Before that fix there are none: the retry is the next resync or event.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::model::{Entity, Id};
use crate::ports::Clock;
use crate::time::{SimDuration, SimTime};

use super::Queued;

/// ASSUMES: the first wait and the longest; the rules say "jittered, bounded" and no more.
const WAIT: SimDuration = SimDuration::from_secs(1);
const WAIT_MAX: SimDuration = SimDuration::from_mins(1);

/// Failed events that wait for their next try.
pub(super) struct Retries<E: Entity> {
    failures: RefCell<BTreeMap<Id<E>, u32>>,
    /// By time, then by the order in which they failed.
    waiting: RefCell<BTreeMap<(SimTime, u64), Queued<E>>>,
    added: RefCell<(u64, Option<Waker>)>,
}

impl<E: Entity> Default for Retries<E> {
    fn default() -> Self {
        Self { failures: RefCell::default(), waiting: RefCell::default(), added: RefCell::default() }
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
        let (number, waker) = {
            let added = &mut *self.added.borrow_mut();
            added.0 += 1;
            (added.0, added.1.take())
        };
        self.waiting.borrow_mut().insert((now + wait(failures, bits), number), event);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn forget(&self, id: Id<E>) {
        self.failures.borrow_mut().remove(&id);
    }

    /// The next event whose time has come.
    pub(super) async fn next(&self, clock: &impl Clock) -> Queued<E> {
        loop {
            let seen = self.added.borrow().0;
            let earliest = self.waiting.borrow().keys().next().copied();
            match earliest {
                None => self.news(seen).await,
                Some(key @ (at, _)) if at <= clock.now() => {
                    return self.waiting.borrow_mut().remove(&key).expect("just seen");
                }
                Some((at, _)) => {
                    // Ends early when something more urgent may have come.
                    clock.timeout(at.since(clock.now()), self.news(seen)).await;
                }
            }
        }
    }

    async fn news(&self, seen: u64) {
        poll_fn(|cx| {
            let added = &mut *self.added.borrow_mut();
            if added.0 != seen {
                return Poll::Ready(());
            }
            added.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
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
