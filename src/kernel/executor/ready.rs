//! The ready queue, and the wakers that fill it.
//!
//! It knows numbers of tasks and not whether they live: a task may die while it is queued.
//! Tasks come out in the order of their wake-ups, each at most once until it has run. The
//! standard library wants wakers that could cross threads, hence the lock; the executor takes
//! it once for a batch, and not at all while nothing was woken. What a newcomer gets wrong: no
//! second thread ever exists here, so the lock is never contended.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use super::TaskId;

/// Tasks to run, in the order of their wake-ups.
#[derive(Default)]
pub(super) struct Ready {
    /// Those that were woken longest ago.
    batch: RefCell<VecDeque<TaskId>>,
    woken: Arc<Woken>,
}

/// Tasks that were woken since the last batch was fetched.
#[derive(Default)]
struct Woken {
    any: AtomicBool,
    tasks: Mutex<VecDeque<TaskId>>,
}

/// What the waker of one task holds.
pub(super) struct Scheduled {
    task: TaskId,
    /// Whether it is queued: it has been woken and did not run since.
    queued: AtomicBool,
    woken: Arc<Woken>,
}

impl Ready {
    /// What the waker of a new task holds.
    pub(super) fn register(&self, task: TaskId) -> Arc<Scheduled> {
        Arc::new(Scheduled { task, queued: AtomicBool::new(false), woken: Arc::clone(&self.woken) })
    }

    /// Whether no task was woken, not even one that is dead by now.
    pub(super) fn is_empty(&self) -> bool {
        !self.woken.any.load(Ordering::Acquire) && self.batch.borrow().is_empty()
    }

    /// The first task that was woken and that `lives`; the others before it are forgotten.
    pub(super) fn front(&self, lives: impl Fn(TaskId) -> bool) -> Option<TaskId> {
        let batch = &mut *self.batch.borrow_mut();
        loop {
            if batch.is_empty() && self.woken.any.load(Ordering::Acquire) {
                let mut tasks = self.woken.tasks.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(batch, &mut *tasks);
                self.woken.any.store(false, Ordering::Release);
            }
            let first = *batch.front()?;
            if lives(first) {
                return Some(first);
            }
            batch.pop_front();
        }
    }

    /// Takes what [`Ready::front`] gave.
    pub(super) fn pop(&self) {
        self.batch.borrow_mut().pop_front();
    }
}

impl Scheduled {
    /// Puts the task into the queue, unless it is there.
    pub(super) fn schedule(&self) {
        // Not one atomic step, which would cost more: a second thread, if there were one, could
        // only queue the task twice, and a task must bear being polled for nothing.
        if !self.queued.load(Ordering::Relaxed) {
            self.queued.store(true, Ordering::Relaxed);
            let mut tasks = self.woken.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.push_back(self.task);
            self.woken.any.store(true, Ordering::Release);
        }
    }

    /// The task is about to run: from now on a wake-up queues it again.
    pub(super) fn unqueue(&self) {
        self.queued.store(false, Ordering::Relaxed);
    }

    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Scheduled {
    fn wake(self: Arc<Self>) {
        self.schedule();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.schedule();
    }
}
