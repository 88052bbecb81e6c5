//! Many runs on all cores, their results in order, as they come.
//!
//! Knows indexes and results, not what they are. Results wait only for slower ones before them, and
//! no worker runs further ahead than a window, so memory does not grow with the number of runs. What
//! a newcomer gets wrong: the sink is called by whichever worker finishes the next row; it is never
//! called twice at once, nor out of order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

/// A worker may be so many results ahead of the oldest that is missing.
const WINDOW: u64 = 4096;

struct State<T, E, S> {
    next: u64,
    waiting: BTreeMap<u64, T>,
    sink: S,
    failed: Option<E>,
    /// A worker panicked: nobody may wait for its result.
    broken: bool,
}

/// Runs `work` for `0..count` on all threads of the current pool and hands the results to `sink` in
/// order. Each worker keeps a `local` of its own. The first failure ends it.
pub(super) fn ordered<T: Send, L: Default, E: Send>(
    count: u64,
    work: impl Fn(&mut L, u64) -> Result<T, E> + Sync,
    sink: impl FnMut(u64, T) -> Result<(), E> + Send,
) -> Result<(), E> {
    let counter = AtomicU64::new(0);
    let state = Mutex::new(State { next: 0, waiting: BTreeMap::new(), sink, failed: None, broken: false });
    let moved = Condvar::new();
    let worker = || {
        let mut local = L::default();
        loop {
            let index = counter.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            let mut held = state.lock().expect("no worker panics with the lock");
            while held.failed.is_none() && !held.broken && index >= held.next + WINDOW {
                held = moved.wait(held).expect("no worker panics with the lock");
            }
            if held.failed.is_some() || held.broken {
                return;
            }
            drop(held);
            let result = {
                let _guard = OnPanic(|| {
                    state.lock().expect("no worker panics with the lock").broken = true;
                    moved.notify_all();
                });
                work(&mut local, index)
            };
            let mut held = state.lock().expect("no worker panics with the lock");
            let State { next, waiting, sink, failed, .. } = &mut *held;
            match result {
                Ok(result) => {
                    waiting.insert(index, result);
                }
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
            while failed.is_none() {
                let Some(result) = waiting.remove(next) else { break };
                match sink(*next, result) {
                    Ok(()) => *next += 1,
                    Err(error) => *failed = Some(error),
                }
            }
            drop(held);
            moved.notify_all();
        }
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| worker());
        }
    });
    state.into_inner().expect("all workers are done").failed.map_or(Ok(()), Err)
}

/// Does something when the thread unwinds.
struct OnPanic<F: Fn()>(F);

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_however_long_each_takes() {
        let mut seen = Vec::new();
        let work = |_: &mut (), index: u64| {
            let spin = (index * 7919) % 13 * 1000;
            Ok::<_, ()>((0..spin).fold(index, |sum, n| sum ^ n ^ (n + 1) ^ 1) | index)
        };
        ordered(10_000, work, |index, _| {
            seen.push(index);
            Ok(())
        })
        .expect("no failure");
        assert_eq!(seen, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_is_passed_on_and_nobody_waits_for_its_result() {
        let work = |_: &mut (), index: u64| if index == 10 { panic!("on purpose") } else { Ok::<_, ()>(()) };
        let caught = std::panic::catch_unwind(|| ordered(100_000, work, |_, ()| Ok(())));
        assert!(caught.is_err());
    }

    #[test]
    fn the_first_failure_ends_it_and_what_came_before_is_kept() {
        let mut seen = 0;
        let work = |_: &mut (), index: u64| if index == 100 { Err("broken") } else { Ok(index) };
        let result = ordered(u64::MAX, work, |index, _| {
            seen = index + 1;
            Ok(())
        });
        assert_eq!(result, Err("broken"));
        assert!(seen <= 100);
    }
}
