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

    /// Wakes the worker that has waited longest, if one is idle.
    pub(super) fn wake_first(&mut self) {
        if let Some(waker) = self.order.pop_front().and_then(|worker| self.wakers[worker].as_ref()) {
            waker.wake_by_ref();
        }
    }
}
