//! The executor: one thread, tasks in a slab, woken only by events.
//!
//! It knows tasks, timers and groups (a group is what dies together: a process), and nothing of
//! what they do. Ready tasks run in the order of their wake-ups; when none is ready, the next
//! event of the agenda moves the clock – or the running task, where nothing else could happen
//! before it wakes (`passing.rs`). What a newcomer gets wrong: dropping a task is how a process crashes, so
//! every future must be safe to drop at every await.

mod keyed;
mod passing;
mod ready;
mod tasks;
mod timers;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Waker;

use self::keyed::Key;
use self::passing::Passing;
use self::ready::Ready;
use self::tasks::{BoxFuture, Tasks};
pub use self::timers::Sleep;
use self::timers::{Alarm, Firing, TimerKey, Timers};
use super::cause::RecordId;
use crate::time::{SimDuration, SimTime};

/// Tasks that die together: a process of the simulated platform, or the world itself (group 0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GroupId(pub u32);

impl GroupId {
    /// The group that nothing kills.
    pub const WORLD: Self = Self(0);
}

/// A task: its place in the slab and the number of its birth, so that a late wake-up of a dead
/// task finds nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskId(Key);

impl TaskId {
    /// The number of its birth: the younger of two tasks has the higher one.
    pub fn birth(self) -> u64 {
        self.0.birth()
    }
    /// Its place: no two that live have the same.
    pub fn slot(self) -> usize {
        self.0.slot()
    }
}

/// A task that waits for a timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiter {
    /// What it dies with.
    pub group: GroupId,
    /// What it is called.
    pub name: &'static str,
    /// Which it is.
    pub task: TaskId,
}

/// A timer that somebody found pending.
pub struct Awaited(TimerKey);

/// Why a run stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The horizon was reached, or nothing was left to happen before it.
    Horizon,
    /// Whoever drives the run has seen enough.
    Enough,
    /// The trace has as many records as a run may write.
    TraceFull,
    /// The event budget was used up.
    EventBudget,
    /// Too many events without progress of time.
    ZeroTimeLoop {
        /// What the task that ran last is called.
        task: &'static str,
    },
}

impl Stop {
    /// Which guard ended the run before its time, in words; none when none did.
    pub fn guard(self) -> Option<String> {
        match self {
            Self::Horizon | Self::Enough => None,
            Self::TraceFull => Some("the trace is full, before the horizon".to_owned()),
            Self::EventBudget => Some("the budget of events was used up before the horizon".to_owned()),
            Self::ZeroTimeLoop { task } => Some(format!("time stood still: `{task}` and others ran on without it")),
        }
    }
}

/// What one step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Something ran.
    Ran,
    /// Nothing is left that happens before the limit.
    Idle,
    /// A guard ended the run.
    Stopped(Stop),
}

/// The guards of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Most events (polls of tasks, timers, waits that end or pass at once) in the whole run.
    pub events: u64,
    /// Most events at one instant.
    pub events_per_instant: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { events: 50_000_000, events_per_instant: 2_000_000 }
    }
}

/// The task that is being polled.
#[derive(Clone, Copy)]
struct Running {
    task: TaskId,
    group: GroupId,
    /// Tells its own waker from those of the combinators inside it; only ever compared.
    waker: *const (),
}

struct Core {
    now: Cell<SimTime>,
    running: Cell<Option<Running>>,
    /// What the running task was woken by; none when it was a timer.
    woken: Cell<RecordId>,
    polled: Cell<Option<GroupId>>,
    timers: RefCell<Timers>,
    /// The timer that fired last.
    fired: Cell<Option<TimerKey>>,
    tasks: RefCell<Tasks>,
    ready: Ready,
    events: Cell<u64>,
    events_now: Cell<u64>,
    closed: Cell<bool>,
    passing: Passing,
    /// Whether causes are kept at all.
    causes: Cell<bool>,
    budget: Budget,
}

/// A handle to the kernel of one run; clones share it.
///
/// Tasks hold such handles and the kernel holds the tasks: whoever made a kernel must call
/// [`Kernel::close`] in the end, or its memory is never given back.
#[derive(Clone)]
pub struct Kernel(Rc<Core>);

impl Kernel {
    /// A kernel at time zero without tasks.
    pub fn new(budget: Budget) -> Self {
        Self(Rc::new(Core {
            now: Cell::new(SimTime::ZERO),
            running: Cell::new(None),
            woken: Cell::new(RecordId::NONE),
            polled: Cell::new(None),
            timers: RefCell::new(Timers::new()),
            fired: Cell::new(None),
            tasks: RefCell::new(Tasks::new()),
            ready: Ready::default(),
            events: Cell::new(0),
            events_now: Cell::new(0),
            closed: Cell::new(false),
            passing: Passing::default(),
            causes: Cell::new(true),
            budget,
        }))
    }

    /// The simulated time.
    pub fn now(&self) -> SimTime {
        self.0.now.get()
    }
    /// The cause of whatever happens now.
    pub fn cause(&self) -> RecordId {
        self.0.ready.cause()
    }
    /// What whoever woke the running task was caused by, if somebody did and this was not yet asked.
    pub fn take_woken(&self) -> RecordId {
        self.0.woken.replace(RecordId::NONE)
    }
    /// The task that is being polled.
    pub fn running(&self) -> Option<TaskId> {
        self.0.running.get().map(|running| running.task)
    }
    /// Makes `cause` the cause of what the running task does from here on.
    pub fn set_cause(&self, cause: RecordId) {
        if self.0.causes.get() {
            self.0.ready.set_cause(cause);
        }
    }
    /// Keeps no causes: only to measure what they cost.
    pub fn forget_causes(&self) {
        self.0.causes.set(false);
        self.0.ready.set_cause(RecordId::NONE);
    }
    /// How many events have run.
    pub fn events(&self) -> u64 {
        self.0.events.get()
    }
    /// The group of the running task; the world's when none runs.
    pub fn current_group(&self) -> GroupId {
        self.0.running.get().map_or(GroupId::WORLD, |running| running.group)
    }
    /// The group of the task that was polled last, if one was since this was last asked.
    pub fn take_polled(&self) -> Option<GroupId> {
        self.0.polled.take()
    }
    /// Whether a task is ready to run at this instant.
    pub fn has_ready(&self) -> bool {
        self.first_ready().is_some()
    }
    /// The time of the next timer, should no task be ready. Cancelled ones do not count.
    pub fn next_time(&self) -> Option<SimTime> {
        self.0.timers.borrow_mut().first(&self.0.tasks.borrow())
    }

    /// Every pending timer in the order of firing: when, and the task that it will wake; none where
    /// a combinator inside a task waits.
    pub fn pending_timers(&self) -> Vec<(SimTime, Option<Waiter>)> {
        let tasks = self.0.tasks.borrow();
        let waiter = |task| tasks.describe(task).map(|(group, name)| Waiter { group, name, task });
        let pending = self.0.timers.borrow_mut().pending_in_order(&tasks);
        pending.into_iter().map(|(at, task)| (at, task.and_then(waiter))).collect()
    }

    /// Waits with nothing in hand: whoever looks from outside may take the running task to be at the
    /// top of its loop, so that all of its state is when it will go on.
    pub async fn idle<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let polled = future.as_mut().poll(cx);
            if let Some(running) = self.0.running.get() {
                self.0.tasks.borrow_mut().set_idle(running.task, polled.is_pending());
            }
            polled
        })
        .await
    }

    /// A timer that will wake somebody who has something in hand ([`Kernel::idle`]), or a
    /// combinator. Asking looks at every task.
    pub fn awaited_in_work(&self) -> Option<Awaited> {
        self.0.timers.borrow().in_work(&self.0.tasks.borrow()).map(Awaited)
    }

    /// What the task is called that a timer will wake, if it is pending and wakes one.
    pub fn describe_awaited(&self, awaited: &Awaited) -> Option<&'static str> {
        let tasks = self.0.tasks.borrow();
        let task = self.0.timers.borrow().wakes(awaited.0, &tasks)?;
        tasks.describe(task).map(|(_, name)| name)
    }

    /// Whether a timer that was found is still pending.
    pub fn is_awaited(&self, awaited: &Awaited) -> bool {
        self.0.timers.borrow().lives(awaited.0, &self.0.tasks.borrow())
    }

    /// Starts a task; it runs for the first time after those that are ready now.
    pub fn spawn(&self, group: GroupId, name: &'static str, future: impl Future<Output = ()> + 'static) -> TaskId {
        let core = &*self.0;
        let id = core.tasks.borrow_mut().insert(group, name, core.ready.cause(), future, &core.ready);
        if core.closed.get() {
            self.kill_task(id);
        }
        id
    }

    /// As [`Kernel::spawn`], for a future that is boxed already.
    pub fn spawn_boxed(&self, group: GroupId, name: &'static str, future: BoxFuture) -> TaskId {
        self.spawn(group, name, future)
    }

    /// Drops every task of `group`, the eldest first: the process is dead. A task that kills its
    /// own group is dropped when its poll returns; it must await something that never comes.
    /// What their destructors do, the caller does; what they spawn, lives.
    pub fn kill(&self, group: GroupId) {
        // Destructors may use the kernel (a sleep gives its timer back): no borrow is held when
        // they run. The same goes for every other place where something is dropped.
        let dead = self.0.tasks.borrow_mut().kill_group(group);
        drop(dead);
    }

    /// Drops one task, if it still lives; when it is the caller, as its poll returns.
    pub fn kill_task(&self, id: TaskId) {
        let dead = self.0.tasks.borrow_mut().kill(id);
        drop(dead);
    }

    /// Ends the run: drops all tasks, and at once whatever is spawned from here on.
    pub fn close(&self) {
        self.0.closed.set(true);
        let dead = self.0.tasks.borrow_mut().kill_all();
        drop(dead);
    }

    /// Ends after `d`.
    pub fn sleep(&self, d: SimDuration) -> Sleep {
        self.sleep_until(self.now() + d)
    }

    /// Ends at `at`, at once when that has passed.
    pub fn sleep_until(&self, at: SimTime) -> Sleep {
        Sleep::new(self.clone(), at)
    }

    /// Runs steps until somebody wants to look – time is held, or it is `look_from` or later –
    /// or nothing is left that happens before `limit`.
    pub fn run(&self, limit: SimTime, look_from: SimTime) -> Step {
        self.run_telling(limit, look_from, |_| ())
    }

    /// The same; `polled` is told which task has run, after each that did.
    pub fn run_telling(&self, limit: SimTime, look_from: SimTime, polled: impl Fn(TaskId)) -> Step {
        loop {
            let step = self.step_telling(limit, &polled);
            if step != Step::Ran || self.0.passing.is_held() || self.now() >= look_from {
                return step;
            }
        }
    }

    /// Runs one ready task, or else the next event that is not later than `limit`.
    pub fn step(&self, limit: SimTime) -> Step {
        self.step_telling(limit, |_| ())
    }

    #[inline]
    fn step_telling(&self, limit: SimTime, polled: impl Fn(TaskId)) -> Step {
        let core = &*self.0;
        assert!(core.running.get().is_none(), "a task cannot step the kernel that runs it");
        core.passing.begin(limit);
        let id = if let Some(id) = self.first_ready() {
            if self.is_exhausted(core.now.get()) {
                return Step::Stopped(self.guard(core.now.get()));
            }
            core.woken.set(core.ready.pop());
            id
        } else {
            let firing = {
                let mut tasks = core.tasks.borrow_mut();
                core.timers.borrow_mut().fire(limit, &mut tasks, |at| self.is_exhausted(at))
            };
            let (at, timer, alarm) = match firing {
                Firing::Nothing => return Step::Idle,
                Firing::Forbidden(at) => return Step::Stopped(self.guard(at)),
                Firing::Fired(at, timer, alarm) => (at, timer, alarm),
            };
            self.move_clock(at);
            core.fired.set(Some(timer));
            core.woken.set(RecordId::NONE);
            match alarm {
                // None was ready, so it is next anyhow: no need to queue it.
                Alarm::Task(id) => id,
                Alarm::Waker(waker) => {
                    self.count();
                    waker.wake();
                    return Step::Ran;
                }
            }
        };
        self.count();
        self.poll(id);
        polled(id);
        Step::Ran
    }

    /// Moves the clock to `at`, before which nothing may be left to happen.
    pub fn advance_to(&self, at: SimTime) {
        debug_assert!(!self.has_ready(), "a task is ready at {:?}", self.now());
        debug_assert!(self.next_time().is_none_or(|next| next >= at), "an event comes before {at:?}");
        self.move_clock(at);
    }

    fn move_clock(&self, at: SimTime) {
        if at > self.now() {
            self.0.now.set(at);
            self.0.events_now.set(0);
        }
    }

    /// Whether a guard forbids an event at `at`.
    fn is_exhausted(&self, at: SimTime) -> bool {
        let core = &*self.0;
        let same_instant = at <= core.now.get();
        core.events.get() >= core.budget.events
            || (same_instant && core.events_now.get() >= core.budget.events_per_instant)
    }

    /// The guard that does.
    #[cold]
    fn guard(&self, at: SimTime) -> Stop {
        debug_assert!(self.is_exhausted(at));
        let core = &*self.0;
        if core.events.get() >= core.budget.events {
            return Stop::EventBudget;
        }
        Stop::ZeroTimeLoop { task: core.tasks.borrow().last_name() }
    }

    fn count(&self) {
        self.0.events.set(self.0.events.get() + 1);
        self.0.events_now.set(self.0.events_now.get() + 1);
    }

    /// Counts a sleep that ends at once; false when a guard forbids it.
    fn count_instant_sleep(&self) -> bool {
        let allowed = !self.is_exhausted(self.now());
        if allowed {
            self.count();
        }
        allowed
    }

    /// The first ready task that lives. The dead before it are forgotten.
    #[inline]
    fn first_ready(&self) -> Option<TaskId> {
        // Mostly none is.
        if self.0.ready.is_empty() {
            return None;
        }
        let tasks = self.0.tasks.borrow();
        self.0.ready.front(|id| tasks.is_alive(id))
    }

    fn poll(&self, id: TaskId) {
        let core = &*self.0;
        let Some(mut job) = core.tasks.borrow_mut().start(id) else {
            return;
        };
        let done = job.as_mut().poll(id, core);
        let dead = if done {
            core.tasks.borrow_mut().remove(id);
            Some(job)
        } else {
            core.tasks.borrow_mut().put_back(id, job)
        };
        // Its destructors still belong to it.
        drop(dead);
        core.running.set(None);
        core.ready.set_cause(RecordId::NONE);
    }

    #[inline]
    fn set_timer(&self, at: SimTime, waker: &Waker) -> TimerKey {
        let alarm = match self.awaiting(waker) {
            Some(id) => Alarm::Task(id),
            None => Alarm::Waker(waker.clone()),
        };
        self.0.timers.borrow_mut().set(at, alarm, &mut self.0.tasks.borrow_mut())
    }

    /// Sees to it that a timer tells `waker`. When it tells another, a new one takes its place.
    fn redirect_timer(&self, timer: TimerKey, at: SimTime, waker: &Waker) -> TimerKey {
        let awaiting = self.awaiting(waker);
        if self.0.timers.borrow().tells(timer, awaiting, waker, &self.0.tasks.borrow()) {
            return timer;
        }
        self.cancel_timer(timer);
        self.set_timer(at, waker)
    }

    fn fired_last(&self, timer: TimerKey) -> bool {
        self.0.fired.get() == Some(timer)
    }

    fn cancel_timer(&self, timer: TimerKey) {
        // When it has fired already, the key finds nothing.
        let alarm = self.0.timers.borrow_mut().cancel(timer, &mut self.0.tasks.borrow_mut());
        drop(alarm);
    }

    /// The running task, when `waker` is its own and not that of a combinator inside it.
    fn awaiting(&self, waker: &Waker) -> Option<TaskId> {
        self.0.running.get().filter(|running| running.waker == waker.data()).map(|running| running.task)
    }
}

#[cfg(test)]
mod tests;
