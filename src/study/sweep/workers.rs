//! Many runs on all cores, each result handed over as soon as it is there.
//!
//! Knows indexes and results, not what they are. The sink keeps every result the moment it comes and
//! says which is the oldest that is missing; no worker runs further ahead of that than a window, so
//! what must wait for its turn does not grow with the number of runs. What a newcomer gets wrong: the
//! sink is called by whichever worker has a result, in any order, and never twice at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

/// A worker may be so many results ahead of the oldest that is missing.
pub(super) const WINDOW: u64 = 4096;

struct State<I, E, S> {
    indexes: I,
    /// The oldest index whose result the sink lacks.
    oldest: u64,
    sink: S,
    /// The failure of the lowest index so far.
    failed: Option<(u64, E)>,
    /// The sink takes no more.
    full: bool,
}

/// Runs `work` for all `indexes`, which ascend, on all threads of the current pool. `sink` gets each
/// result at once and answers the oldest index that it lacks; `oldest` is that at the beginning. Each worker
/// keeps a `local` of its own. A failure ends it; of several, that of the lowest index is told.
pub(super) fn run_all<T: Send, L: Default, E: Send>(
    indexes: impl Iterator<Item = u64> + Send,
    oldest: u64,
    work: impl Fn(&mut L, u64) -> Result<T, E> + Sync,
    sink: impl FnMut(u64, T) -> Result<u64, E> + Send,
) -> Result<(), E> {
    let state = Mutex::new(State { indexes, oldest, sink, failed: None, full: false });
    let moved = Condvar::new();
    // A worker panicked: nobody may wait for its result.
    let broken = AtomicBool::new(false);
    let lock = || state.lock().expect("no worker panics with the lock");
    let over = |held: &State<_, _, _>| held.failed.is_some() || broken.load(Ordering::SeqCst);
    let next = || {
        let mut held: MutexGuard<'_, State<_, _, _>> = lock();
        if over(&held) {
            return None;
        }
        let index = held.indexes.next()?;
        while !over(&held) && index >= held.oldest + WINDOW {
            held = moved.wait(held).expect("no worker panics with the lock");
        }
        (!over(&held)).then_some(index)
    };
    let worker = || {
        let mut local = L::default();
        while let Some(index) = next() {
            let result = {
                let _guard = OnPanic(|| {
                    let _held = lock();
                    broken.store(true, Ordering::SeqCst);
                    moved.notify_all();
                });
                work(&mut local, index)
            };
            let mut held = lock();
            let State { oldest, sink, failed, full, .. } = &mut *held;
            // What others finish after a failure is finished, too.
            let kept = match result {
                Ok(_) if *full => Ok(*oldest),
                Ok(result) => sink(index, result).inspect_err(|_| *full = true),
                Err(error) => Err(error),
            };
            match kept {
                Ok(missing) => *oldest = missing,
                Err(error) if failed.as_ref().is_none_or(|(lowest, _)| index < *lowest) => {
                    *failed = Some((index, error));
                }
                Err(_) => {}
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
    let failed = state.into_inner().expect("all workers are done").failed;
    failed.map_or(Ok(()), |(_, error)| Err(error))
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
    use std::collections::BTreeSet;
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// A sink that remembers what it got and knows what is missing.
    fn sink(seen: &mut BTreeSet<u64>) -> impl FnMut(u64, u64) -> Result<u64, &'static str> + Send {
        let mut oldest = 0;
        move |index, _| {
            assert!(seen.insert(index), "{index} came twice");
            while seen.contains(&oldest) {
                oldest += 1;
            }
            Ok(oldest)
        }
    }

    #[test]
    fn every_result_comes_once_however_long_each_takes() {
        let mut seen = BTreeSet::new();
        let work = |_: &mut (), index: u64| {
            let spin = (index * 7919) % 13 * 1000;
            Ok((0..spin).fold(index, |sum, n| sum ^ n ^ (n + 1) ^ 1) | index)
        };
        run_all(0..10_000, 0, work, sink(&mut seen)).expect("no failure");
        assert!(seen.into_iter().eq(0..10_000));
    }

    #[test]
    fn nobody_runs_further_ahead_of_the_oldest_than_the_window() {
        let (mut seen, begun) = (BTreeSet::new(), AtomicU64::new(0));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let work = |_: &mut (), index: u64| {
            begun.fetch_max(index, Ordering::SeqCst);
            // The first one lasts until the other worker stands still.
            while index == 0 && begun.load(Ordering::SeqCst) < WINDOW - 1 {
                std::thread::yield_now();
            }
            assert!(index != 0 || begun.load(Ordering::SeqCst) == WINDOW - 1);
            Ok(index)
        };
        pool.install(|| run_all(0..WINDOW * 2, 0, work, sink(&mut seen))).expect("no failure");
        assert_eq!(seen.len() as u64, WINDOW * 2);
    }

    #[test]
    fn a_panic_is_passed_on_and_nobody_waits_for_its_result() {
        let work = |_: &mut (), index: u64| if index == 10 { panic!("on purpose") } else { Ok::<_, ()>(()) };
        let caught = std::panic::catch_unwind(|| run_all(0..100_000, 0, work, |_, ()| Ok(0)));
        assert!(caught.is_err());
    }

    #[test]
    fn the_failure_of_the_lowest_index_ends_it_and_what_came_before_is_kept() {
        let mut seen = BTreeSet::new();
        let work = |_: &mut (), index: u64| if index >= 100 { Err("broken") } else { Ok(index) };
        let result = run_all(0..u64::MAX, 0, work, sink(&mut seen));
        assert_eq!(result, Err("broken"));
        assert!(seen.into_iter().eq(0..100));
    }

    #[test]
    fn a_sink_that_takes_no_more_is_not_asked_again() {
        let mut asked = 0;
        let full = |_, ()| {
            asked += 1;
            Err("full")
        };
        assert_eq!(run_all(0..u64::MAX, 0, |_: &mut (), _| Ok(()), full), Err("full"));
        assert_eq!(asked, 1);
    }
}
