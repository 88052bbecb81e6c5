//! The ready queue, and the wakers that fill it.
//!
//! It knows numbers of tasks and not whether they live: a task may die while it is queued.
//! Tasks come out in the order of their wake-ups, each at most once until it has run, with what
//! their wakers were doing: the cause of whatever happens now is kept here for that. The
//! standard library wants wakers that could cross threads, hence the atomics; they are only
//! ever loaded and stored, which costs no more than a plain field. What a newcomer gets wrong:
//! a waker works on the thread of its kernel only – elsewhere a wake-up could be lost.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

use super::TaskId;
use super::keyed::Key;
use crate::kernel::cause::RecordId;

/// So many tasks are ready at once before a list that can grow takes the others.
const RING: usize = 256;

/// Tasks to run, in the order of their wake-ups.
#[derive(Default)]
pub(super) struct Ready(Arc<Queue>);

struct Queue {
    /// Those that were woken longest ago.
    ring: [AtomicU64; RING],
    /// What was the cause of each wake-up.
    wakers: [AtomicU32; RING],
    /// The cause of whatever happens now.
    cause: AtomicU32,
    /// How many were ever taken from the ring, and put into it.
    taken: AtomicUsize,
    put: AtomicUsize,
    /// The others; none unless the ring is full.
    more: Mutex<VecDeque<(TaskId, u32)>>,
    any_more: AtomicBool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            ring: [const { AtomicU64::new(0) }; RING],
            wakers: [const { AtomicU32::new(0) }; RING],
            cause: AtomicU32::new(0),
            taken: AtomicUsize::new(0),
            put: AtomicUsize::new(0),
            more: Mutex::default(),
            any_more: AtomicBool::new(false),
        }
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.taken.load(Relaxed) == self.put.load(Relaxed)
    }

    fn front(&self) -> Option<TaskId> {
        let number = self.ring[self.taken.load(Relaxed) % RING].load(Relaxed);
        NonZeroU64::new(number).filter(|_| !self.is_empty()).map(|number| TaskId(Key::from_number(number)))
    }

    /// Gives how many must be taken, of all that ever were put, until this one is.
    fn push(&self, task: TaskId, waker: u32) -> usize {
        let put = self.put.load(Relaxed);
        if self.any_more.load(Relaxed) || put - self.taken.load(Relaxed) == RING {
            return self.push_more(task, waker);
        }
        self.ring[put % RING].store(task.0.number().get(), Relaxed);
        self.wakers[put % RING].store(waker, Relaxed);
        self.put.store(put + 1, Relaxed);
        put + 1
    }

    #[cold]
    fn push_more(&self, task: TaskId, waker: u32) -> usize {
        let mut more = self.more.lock().unwrap_or_else(PoisonError::into_inner);
        more.push_back((task, waker));
        self.any_more.store(true, Relaxed);
        self.put.load(Relaxed) + more.len()
    }

    /// Takes the first one; gives the cause of its wake-up.
    fn pop(&self) -> u32 {
        let taken = self.taken.load(Relaxed);
        let waker = self.wakers[taken % RING].load(Relaxed);
        self.taken.store(taken + 1, Relaxed);
        if self.any_more.load(Relaxed) && self.is_empty() {
            self.refill();
        }
        waker
    }

    #[cold]
    fn refill(&self) {
        let mut more = self.more.lock().unwrap_or_else(PoisonError::into_inner);
        // No more than find room: with thousands that are ready, all others stay where they are.
        let fits = more.len().min(RING);
        self.any_more.store(false, Relaxed);
        for (task, waker) in more.drain(..fits) {
            self.push(task, waker);
        }
        self.any_more.store(!more.is_empty(), Relaxed);
    }
}

/// What the waker of one task holds.
pub(super) struct Scheduled {
    task: TaskId,
    /// How many must be taken from the queue until it is: it is queued while fewer were.
    turn: AtomicUsize,
    queue: Arc<Queue>,
}

impl Ready {
    /// What the waker of a new task holds.
    pub(super) fn register(&self, task: TaskId) -> Arc<Scheduled> {
        Arc::new(Scheduled { task, turn: AtomicUsize::new(0), queue: Arc::clone(&self.0) })
    }

    /// Whether no task was woken, not even one that is dead by now.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first task that was woken and that `lives`; the others before it are forgotten.
    pub(super) fn front(&self, lives: impl Fn(TaskId) -> bool) -> Option<TaskId> {
        loop {
            let first = self.0.front()?;
            if lives(first) {
                return Some(first);
            }
            self.0.pop();
        }
    }

    /// Takes what [`Ready::front`] gave; gives the cause of whoever woke it.
    pub(super) fn pop(&self) -> RecordId {
        RecordId::from_number(self.0.pop())
    }

    /// The cause of whatever happens now.
    pub(super) fn cause(&self) -> RecordId {
        RecordId::from_number(self.0.cause.load(Relaxed))
    }

    /// Sets it.
    pub(super) fn set_cause(&self, cause: RecordId) {
        self.0.cause.store(cause.number(), Relaxed);
    }
}

impl Scheduled {
    /// Puts the task into the queue, unless it is there.
    pub(super) fn schedule(&self) {
        if self.turn.load(Relaxed) <= self.queue.taken.load(Relaxed) {
            self.turn.store(self.queue.push(self.task, self.queue.cause.load(Relaxed)), Relaxed);
        }
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn tasks_come_in_the_order_of_their_wake_ups_however_many_are_ready() {
        let task = |n: u64| TaskId(Key::new(n as usize, 1));
        for burst in [1, RING as u64 - 1, RING as u64, RING as u64 + 1, 5 * RING as u64 + 3] {
            let ready = Ready::default();
            let (mut put, mut got) = (0, 0);
            // More come while some are taken, so that the ring turns.
            for round in 0..4 {
                for _ in 0..burst {
                    let scheduled = ready.register(task(put));
                    // Twice before it is taken: that is once.
                    (0..2).for_each(|_| scheduled.schedule());
                    put += 1;
                }
                let left = if round == 3 { 0 } else { burst / 2 };
                while put - got > left {
                    assert_eq!(ready.front(|_| true), Some(task(got)), "{burst}");
                    ready.pop();
                    got += 1;
                }
            }
            assert!(ready.is_empty() && ready.front(|_| true).is_none());
        }
    }

    #[test]
    fn a_task_is_queued_once_until_it_runs_and_the_dead_are_passed_over() {
        let ready = Ready::default();
        let [dead, alive] = [1, 2].map(|n| ready.register(TaskId(Key::new(n, 1))));
        for waker in [&dead, &alive, &dead, &alive] {
            Waker::from(Arc::clone(waker)).wake();
        }
        assert_eq!(ready.front(|task| task == alive.task), Some(alive.task));
        ready.pop();
        assert!(ready.is_empty());
        Waker::from(alive).wake_by_ref();
        assert!(!ready.is_empty());
    }
}
