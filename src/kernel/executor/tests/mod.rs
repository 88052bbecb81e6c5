//! The executor: order, causes, timers, deaths and guards, each on a stage of a few tasks.

mod death;
mod guards;
mod order;
mod passing;
mod timers;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::*;

const PROCESS: GroupId = GroupId(1);
const OTHER: GroupId = GroupId(2);

fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}
fn at(n: u64) -> SimTime {
    SimTime::ZERO + secs(n)
}
fn record(number: u32) -> RecordId {
    RecordId::from_number(number)
}

/// A kernel and the lines that tasks have written.
#[derive(Clone)]
struct Stage {
    kernel: Kernel,
    lines: Rc<RefCell<Vec<String>>>,
}

impl Stage {
    fn new() -> Self {
        Self::with(Budget { events: 100_000, events_per_instant: 10_000 })
    }
    fn with(budget: Budget) -> Self {
        Self { kernel: Kernel::new(budget), lines: Rc::default() }
    }
    fn say(&self, line: impl Into<String>) {
        self.lines.borrow_mut().push(line.into());
    }
    /// Steps until nothing is left or a guard ends it.
    fn run(&self) -> Step {
        self.run_to(SimTime::MAX)
    }
    fn run_to(&self, limit: SimTime) -> Step {
        loop {
            match self.kernel.step(limit) {
                Step::Ran => {}
                end => return end,
            }
        }
    }
    fn read(&self) -> Vec<String> {
        self.lines.take()
    }
    /// Says so when it is dropped.
    fn witness(&self, name: &str) -> Witness {
        Witness { stage: self.clone(), name: name.to_owned() }
    }
    fn living(&self) -> usize {
        self.kernel.0.tasks.borrow().len()
    }
    /// Timers that live, and events in the agenda.
    fn timers(&self) -> (usize, usize) {
        let (timers, tasks) = (self.kernel.0.timers.borrow(), self.kernel.0.tasks.borrow());
        (timers.living(&tasks), timers.pending())
    }
}

struct Witness {
    stage: Stage,
    name: String,
}

impl Drop for Witness {
    fn drop(&mut self) {
        let (group, cause) = (self.stage.kernel.current_group().0, self.stage.kernel.cause().number());
        self.stage.say(format!("{} dropped by group {group} because of {cause}", self.name));
    }
}

/// Wakes whoever waits on it.
#[derive(Clone, Default)]
struct Bell {
    rung: Rc<Cell<bool>>,
    waiting: Rc<RefCell<Vec<Waker>>>,
}

impl Bell {
    fn ring(&self) {
        self.rung.set(true);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }
    async fn wait(&self) {
        poll_fn(|cx| {
            if self.rung.get() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Lets the others run first.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
