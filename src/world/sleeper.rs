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
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
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
