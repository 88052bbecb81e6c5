//! Time that passes on the spot: within the step of the task that waits, not between two steps.
//!
//! Most waits are for nothing but their own end: no task is ready and no timer fires before
//! that. Then the clock moves, and the task goes on, without a timer set and a waker kept. It is
//! the same run, event for event, at half the price; `tests/passing.rs` runs every story both
//! ways. Everything that makes it so stands here: what must hold is said by [`Alone`], and
//! whoever needs more has a verb of [`Kernel`] for it. What a newcomer gets wrong: the clock then
//! moves within a poll, past whatever the same task waits for beside it – so the one combinator
//! is [`Kernel::timeout`], and no other may be written (`tests/architecture.rs` looks for it).

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::Kernel;
use crate::time::{SimDuration, SimTime};

/// The running task is alone until an instant: nothing else can happen before, and nobody wants
/// to look. To be used up at once, for whatever is done next may end it.
///
/// * A task runs that was not killed, and it waits for nothing beside it ([`Kernel::timeout`]).
/// * No task is ready; no timer fires until then, nor at that very instant: it was set before.
/// * No guard forbids the event, and whoever drives the kernel has no deadline before it.
/// * Nothing was written that must be seen before time passes ([`Kernel::hold_time`]).
/// * Nobody looks at every single wait ([`Kernel::pass_between_steps`]).
#[must_use]
pub struct Alone<'a> {
    kernel: &'a Kernel,
    until: SimTime,
}

impl Alone<'_> {
    /// Lets the time pass; counted as if the task had slept.
    #[inline]
    pub fn pass(self) {
        self.kernel.move_clock(self.until);
        self.kernel.count();
    }
}

/// What the step that runs may do with the clock.
#[derive(Default)]
pub(super) struct Passing {
    /// How far it may move it.
    limit: Cell<SimTime>,
    /// Somebody wants to look first.
    held: Cell<bool>,
    /// It may not at all: in this run, or while a task polls one of two futures.
    barred: Cell<bool>,
}

impl Passing {
    /// A step begins.
    pub(super) fn begin(&self, limit: SimTime) {
        self.limit.set(limit);
        self.held.set(false);
    }
    /// Whether somebody wants to look before time passes.
    pub(super) fn is_held(&self) -> bool {
        self.held.get()
    }
}

impl Kernel {
    /// Whether the running task is alone for so long; when it is not, it must sleep.
    pub fn alone_for(&self, d: SimDuration) -> Option<Alone<'_>> {
        let core = &*self.0;
        let Passing { limit, held, barred } = &core.passing;
        let until = self.now() + d;
        let may = !barred.get() && !held.get() && until <= limit.get();
        if !may || core.running.get().is_none() || !core.ready.is_empty() || self.is_exhausted(until) {
            return None;
        }
        let tasks = core.tasks.borrow();
        let alone = core.timers.borrow_mut().none_until(until, &tasks) && !tasks.is_doomed();
        alone.then_some(Alone { kernel: self, until })
    }

    /// Time does not pass any more within the step that runs: whoever drives the kernel has
    /// something to look at first.
    pub fn hold_time(&self) {
        self.0.passing.held.set(true);
    }

    /// Time passes between steps only, for whoever looks at every single wait.
    pub fn pass_between_steps(&self) {
        self.0.passing.barred.set(true);
    }

    /// What `future` gives, or nothing when `limit` passes first; a wait of the future's that
    /// ends at the same instant counts.
    pub async fn timeout<T>(&self, limit: SimDuration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut limit = pin!(self.sleep(limit));
        let barred = &self.0.passing.barred;
        poll_fn(|cx| {
            // It is not all that the task waits for.
            let before = barred.replace(true);
            let polled = future.as_mut().poll(cx);
            barred.set(before);
            match polled {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending => limit.as_mut().poll(cx).map(|()| None),
            }
        })
        .await
    }
}
