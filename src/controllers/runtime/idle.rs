//! Workers that wait for an event, the one first that has waited longest.

use std::collections::VecDeque;
use std::task::Waker;

/// The idle workers of one queue.
#[derive(Default)]
pub(super) struct Idle {
    /// By worker. Kept: a worker is idle again and again.
    wakers: Vec<Option<Waker>>,
    order: VecDeque<usize>,
}

impl Idle {
    /// A worker has nothing to do.
    pub(super) fn add(&mut self, worker: usize, waker: &Waker) {
        if self.wakers.len() <= worker {
            self.wakers.resize(worker + 1, None);
        }
        let known = &mut self.wakers[worker];
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
        self.order.push_back(worker);
    }

    /// Wakes so many workers, those first that have waited longest; all, when fewer are idle.
    pub(super) fn wake(&mut self, count: usize) {
        for _ in 0..count {
            let Some(worker) = self.order.pop_front() else { break };
            self.wakers[worker].as_ref().expect("it was added with its waker").wake_by_ref();
        }
    }
}
