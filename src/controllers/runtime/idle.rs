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
        match &mut self.wakers[worker] {
            Some(known) => known.clone_from(waker),
            unknown => *unknown = Some(waker.clone()),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::task::Wake;

    use super::*;

    /// Tells which worker is woken.
    struct Bell(usize, Sender<usize>);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.1.send(self.0).expect("the test listens");
        }
    }

    #[test]
    fn those_are_woken_first_that_have_waited_longest_and_nobody_twice() {
        let (bells, woken) = channel();
        let mut idle = Idle::default();
        for worker in [2, 0, 1] {
            idle.add(worker, &Waker::from(Arc::new(Bell(worker, bells.clone()))));
        }
        let wake = |idle: &mut Idle, count| {
            idle.wake(count);
            woken.try_iter().collect::<Vec<usize>>()
        };
        assert_eq!(wake(&mut idle, 0), [0_usize; 0]);
        assert_eq!(wake(&mut idle, 1), [2]);
        idle.add(2, &Waker::from(Arc::new(Bell(22, bells.clone()))));
        assert_eq!(wake(&mut idle, 9), [0, 1, 22], "no more than are idle, and by the waker of the last wait");
        assert_eq!(wake(&mut idle, 9), [0_usize; 0]);
    }
}
