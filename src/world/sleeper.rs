//! A task that waits for somebody to wake it, and is woken again and again.
//!
//! It keeps the task's waker between its waits: what wakes a watch is rung at every change, and
//! to make and drop a waker each time costs more than all the rest of it. What a newcomer gets
//! wrong: it knows one task only; who waits last is woken.

use std::cell::{Cell, RefCell};
use std::task::Waker;

/// The one task that waits here, if one does.
#[derive(Default)]
pub(super) struct Sleeper {
    waker: RefCell<Option<Waker>>,
    waits: Cell<bool>,
}

impl Sleeper {
    /// The task of that waker waits from now on.
    pub(super) fn sleeps(&self, waker: &Waker) {
        match &mut *self.waker.borrow_mut() {
            Some(known) => known.clone_from(waker),
            unknown => *unknown = Some(waker.clone()),
        }
        self.waits.set(true);
    }

    /// Wakes it, if it waits.
    pub(super) fn wake(&self) {
        if self.waits.replace(false)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::Poll;

    use super::*;
    use crate::kernel::{Budget, GroupId, Kernel, SimTime, Step};

    #[test]
    fn a_wait_is_ended_once_and_a_ring_that_nobody_hears_is_forgotten() {
        let kernel = Kernel::new(Budget::default());
        let (sleeper, runs) = (Rc::new(Sleeper::default()), Rc::new(Cell::new(0)));
        let ring = |times: u32| {
            (0..times).for_each(|_| sleeper.wake());
            while kernel.step(SimTime::MAX) == Step::Ran {}
            runs.take()
        };
        assert_eq!(ring(3), 0, "nobody waits");
        let sleep = |waits_again: bool| {
            let (sleeper, runs) = (Rc::clone(&sleeper), Rc::clone(&runs));
            poll_fn(move |cx| {
                runs.set(runs.get() + 1);
                if waits_again {
                    sleeper.sleeps(cx.waker());
                }
                Poll::<()>::Pending
            })
        };
        kernel.spawn(GroupId::WORLD, "hears", sleep(true));
        assert_eq!(ring(0), 1, "it begins");
        assert_eq!((ring(1), ring(2), ring(0)), (1, 1, 0));
        kernel.kill(GroupId::WORLD);
        kernel.spawn(GroupId::WORLD, "comes after it", sleep(true));
        assert_eq!((ring(0), ring(1)), (1, 1));
        kernel.kill(GroupId::WORLD);
        assert_eq!(ring(1), 0, "the dead are not woken");
        kernel.close();
    }
}
