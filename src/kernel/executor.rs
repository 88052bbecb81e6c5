//! The executor: one thread, tasks in a slab, woken only by events.
//!
//! It knows tasks, timers and groups (a group is what dies together: a process), and nothing of
//! what they do. Ready tasks run in the order of their wake-ups; when none is ready, the next
//! event of the agenda moves the clock. What a newcomer gets wrong: dropping a task is how a
//! process crashes, so every future must be safe to drop at every await.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;

use super::agenda::Agenda;
use super::cause::RecordId;
use super::time::{SimDuration, SimTime};

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
pub struct TaskId {
    slot: u32,
    birth: u32,
}

/// Why a run stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The horizon was reached, or nothing was left to happen before it.
    Horizon,
    /// The event budget was used up.
    EventBudget,
    /// Too many events without progress of time.
    ZeroTimeLoop {
        /// What the task that ran last is called.
        task: &'static str,
    },
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
    /// Most events (task polls and timers) in the whole run.
    pub events: u64,
    /// Most events at one instant.
    pub events_per_instant: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { events: 50_000_000, events_per_instant: 2_000_000 }
    }
}

type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    birth: u32,
    group: GroupId,
    name: &'static str,
    cause: RecordId,
    /// Taken while the task is polled.
    future: Option<BoxFuture>,
    waker: Waker,
    scheduled: Arc<Scheduled>,
    /// Killed while it was being polled: dropped as soon as the poll returns.
    doomed: bool,
}

/// The ready queue is shared with wakers, which the standard library wants `Send`.
struct Scheduled {
    task: TaskId,
    queued: AtomicBool,
    ready: Arc<Mutex<VecDeque<TaskId>>>,
}

impl Scheduled {
    fn schedule(&self) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.task);
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

/// Who is told when a timer fires.
enum Alarm {
    Task(TaskId),
    Waker(Waker),
}

struct Timer {
    generation: u32,
    alarm: Alarm,
}

struct Core {
    now: Cell<SimTime>,
    cause: Cell<RecordId>,
    current: Cell<Option<TaskId>>,
    agenda: RefCell<Agenda>,
    timers: RefCell<Slab<Timer>>,
    tasks: RefCell<Slab<Task>>,
    ready: Arc<Mutex<VecDeque<TaskId>>>,
    births: Cell<u32>,
    timer_births: Cell<u32>,
    events: Cell<u64>,
    events_now: Cell<u64>,
    running: Cell<&'static str>,
    budget: Budget,
}

/// A handle to the kernel of one run; clones share it.
#[derive(Clone)]
pub struct Kernel(Rc<Core>);

impl Kernel {
    /// A kernel at time zero without tasks.
    pub fn new(budget: Budget) -> Self {
        Self(Rc::new(Core {
            now: Cell::new(SimTime::ZERO),
            cause: Cell::new(RecordId::NONE),
            current: Cell::new(None),
            agenda: RefCell::new(Agenda::new()),
            timers: RefCell::new(Slab::new()),
            tasks: RefCell::new(Slab::new()),
            ready: Arc::default(),
            births: Cell::new(0),
            timer_births: Cell::new(0),
            events: Cell::new(0),
            events_now: Cell::new(0),
            running: Cell::new("start"),
            budget,
        }))
    }

    /// The simulated time.
    pub fn now(&self) -> SimTime {
        self.0.now.get()
    }
    /// The cause of whatever happens now.
    pub fn cause(&self) -> RecordId {
        self.0.cause.get()
    }
    /// Makes `cause` the cause of what the running task does from here on.
    pub fn set_cause(&self, cause: RecordId) {
        self.0.cause.set(cause);
    }
    /// How many events have run.
    pub fn events(&self) -> u64 {
        self.0.events.get()
    }
    /// The group of the running task; the world's when none runs.
    pub fn current_group(&self) -> GroupId {
        match self.0.current.get() {
            Some(id) => self.0.tasks.borrow().get(id.slot as usize).map_or(GroupId::WORLD, |t| t.group),
            None => GroupId::WORLD,
        }
    }
    /// Whether a task is ready to run at this instant.
    pub fn has_ready(&self) -> bool {
        !self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
    /// The time of the next event, should no task be ready.
    pub fn next_time(&self) -> Option<SimTime> {
        self.0.agenda.borrow_mut().peek()
    }

    /// Starts a task; it runs for the first time after those that are ready now.
    pub fn spawn(&self, group: GroupId, name: &'static str, future: impl Future<Output = ()> + 'static) -> TaskId {
        self.spawn_boxed(group, name, Box::pin(future))
    }

    /// As [`Kernel::spawn`], for a future that is boxed already.
    pub fn spawn_boxed(&self, group: GroupId, name: &'static str, future: BoxFuture) -> TaskId {
        let core = &*self.0;
        let birth = core.births.get() + 1;
        core.births.set(birth);
        let mut tasks = core.tasks.borrow_mut();
        let entry = tasks.vacant_entry();
        let id = TaskId { slot: u32::try_from(entry.key()).expect("fewer than 2^32 tasks"), birth };
        let scheduled =
            Arc::new(Scheduled { task: id, queued: AtomicBool::new(false), ready: Arc::clone(&core.ready) });
        let waker = Waker::from(Arc::clone(&scheduled));
        scheduled.schedule();
        entry.insert(Task {
            birth,
            group,
            name,
            cause: core.cause.get(),
            future: Some(future),
            waker,
            scheduled,
            doomed: false,
        });
        id
    }

    /// Drops every task of `group`: the process is dead. A task that kills its own group is
    /// dropped when its poll returns; it must await something that never comes.
    pub fn kill(&self, group: GroupId) {
        self.kill_where(|task| task.group == group);
    }

    /// Drops one task, if it still lives.
    pub fn kill_task(&self, id: TaskId) {
        self.kill_where(|task| task.birth == id.birth);
    }

    fn kill_where(&self, matches: impl Fn(&Task) -> bool) {
        let dead: Vec<Task> = {
            let mut tasks = self.0.tasks.borrow_mut();
            let slots: Vec<usize> = tasks.iter().filter(|(_, t)| matches(t)).map(|(slot, _)| slot).collect();
            let mut dead = Vec::with_capacity(slots.len());
            for slot in slots {
                if tasks[slot].future.is_none() {
                    tasks[slot].doomed = true;
                } else {
                    dead.push(tasks.remove(slot));
                }
            }
            dead
        };
        // Destructors may use the kernel (a sleep gives its timer back): no borrow is held here.
        drop(dead);
    }

    /// Ends after `d`.
    pub fn sleep(&self, d: SimDuration) -> Sleep {
        self.sleep_until(self.now() + d)
    }

    /// Ends at `at`, at once when that has passed.
    pub fn sleep_until(&self, at: SimTime) -> Sleep {
        Sleep { kernel: self.clone(), at, timer: None }
    }

    /// Runs one ready task, or else the next event that is not later than `limit`.
    pub fn step(&self, limit: SimTime) -> Step {
        let core = &*self.0;
        let ready = core.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(id) = ready {
            return self.count().unwrap_or_else(|| {
                self.poll(id);
                Step::Ran
            });
        }
        loop {
            let (at, payload) = {
                let mut agenda = core.agenda.borrow_mut();
                match agenda.peek() {
                    Some(at) if at <= limit => agenda.pop().expect("peeked"),
                    _ => return Step::Idle,
                }
            };
            let Some(alarm) = self.take_timer(payload) else {
                continue;
            };
            if at > core.now.get() {
                core.now.set(at);
                core.events_now.set(0);
            }
            return self.count().unwrap_or_else(|| {
                match alarm {
                    Alarm::Task(id) => self.poll(id),
                    Alarm::Waker(waker) => waker.wake(),
                }
                Step::Ran
            });
        }
    }

    /// Moves the clock to `at` when nothing happens before.
    pub fn advance_to(&self, at: SimTime) {
        debug_assert!(!self.has_ready());
        if at > self.now() {
            self.0.now.set(at);
            self.0.events_now.set(0);
        }
    }

    fn count(&self) -> Option<Step> {
        let core = &*self.0;
        if core.events.get() >= core.budget.events {
            return Some(Step::Stopped(Stop::EventBudget));
        }
        if core.events_now.get() >= core.budget.events_per_instant {
            return Some(Step::Stopped(Stop::ZeroTimeLoop { task: core.running.get() }));
        }
        core.events.set(core.events.get() + 1);
        core.events_now.set(core.events_now.get() + 1);
        None
    }

    fn poll(&self, id: TaskId) {
        let core = &*self.0;
        let (mut future, waker) = {
            let mut tasks = core.tasks.borrow_mut();
            let Some(task) = tasks.get_mut(id.slot as usize).filter(|t| t.birth == id.birth) else {
                return;
            };
            let Some(future) = task.future.take() else {
                return;
            };
            task.scheduled.queued.store(false, Ordering::Relaxed);
            core.cause.set(task.cause);
            core.running.set(task.name);
            (future, task.waker.clone())
        };
        core.current.set(Some(id));
        let done = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        core.current.set(None);
        let mut tasks = core.tasks.borrow_mut();
        let task = &mut tasks[id.slot as usize];
        if done || task.doomed {
            let task = tasks.remove(id.slot as usize);
            drop(tasks);
            drop(task);
            drop(future);
        } else {
            task.cause = core.cause.get();
            task.future = Some(future);
        }
        core.cause.set(RecordId::NONE);
    }

    fn set_timer(&self, at: SimTime, alarm: Alarm) -> u64 {
        let core = &*self.0;
        let generation = core.timer_births.get().wrapping_add(1);
        core.timer_births.set(generation);
        let slot = core.timers.borrow_mut().insert(Timer { generation, alarm });
        let payload = (u64::from(generation) << 32) | slot as u64;
        core.agenda.borrow_mut().push(at, payload);
        payload
    }

    fn take_timer(&self, payload: u64) -> Option<Alarm> {
        let slot = (payload & 0xffff_ffff) as usize;
        let generation = (payload >> 32) as u32;
        let mut timers = self.0.timers.borrow_mut();
        match timers.get(slot) {
            Some(timer) if timer.generation == generation => Some(timers.remove(slot).alarm),
            _ => None,
        }
    }
}

/// A future that ends at an instant. Dropping it takes its timer back.
pub struct Sleep {
    kernel: Kernel,
    at: SimTime,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.kernel.now() >= self.at {
            return Poll::Ready(());
        }
        if self.timer.is_none() {
            let alarm = self.kernel.alarm_for(cx.waker());
            self.timer = Some(self.kernel.set_timer(self.at, alarm));
        }
        Poll::Pending
    }
}

impl Kernel {
    /// The running task when it is polled with its own waker, else the waker of whatever
    /// combinator polls inside it.
    fn alarm_for(&self, waker: &Waker) -> Alarm {
        let Some(id) = self.0.current.get() else {
            return Alarm::Waker(waker.clone());
        };
        let tasks = self.0.tasks.borrow();
        if tasks[id.slot as usize].waker.will_wake(waker) { Alarm::Task(id) } else { Alarm::Waker(waker.clone()) }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(payload) = self.timer.take() {
            // When it has fired already, the slot holds another generation or nothing.
            self.kernel.take_timer(payload);
        }
    }
}
