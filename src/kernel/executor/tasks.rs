//! The tasks of a run, and the groups in which they die.
//!
//! It knows where tasks are and who belongs together; it never polls or drops one, but hands
//! them out, because a future and its destructors may call the kernel again. The tasks of
//! a group are linked in the order of their births, so that killing costs what dies and not
//! what exists. What a newcomer gets wrong: a task that is being polled has no job here; when
//! it is killed, it is only marked, and dies when its poll returns.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use pin_project_lite::pin_project;

use super::keyed::{HasKey, Key, Keyed};
use super::ready::Ready;
use super::{Core, GroupId, Running, TaskId};
use crate::kernel::cause::RecordId;

pub(super) type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

pin_project! {
    /// A task's future, and beside it what a poll needs: with a hundred thousand tasks every
    /// place that a poll touches costs a cache miss.
    struct Job<F> {
        waker: Waker,
        cause: RecordId,
        group: GroupId,
        #[pin]
        future: F,
    }
}

/// A job whose future's type is forgotten.
pub(super) trait Work {
    /// Polls the future as the running task, with the cause that it had before and will have
    /// next; true when it has finished.
    fn poll(self: Pin<&mut Self>, id: TaskId, core: &Core) -> bool;
    /// Reads both ends of it, so that they are on their way into the cache.
    fn touch(&self);
}

impl<F: Future<Output = ()>> Work for Job<F> {
    fn poll(self: Pin<&mut Self>, id: TaskId, core: &Core) -> bool {
        let job = self.project();
        core.ready.set_cause(*job.cause);
        core.polled.set(Some(*job.group));
        core.running.set(Some(Running { task: id, group: *job.group, waker: job.waker.data() }));
        let done = job.future.poll(&mut Context::from_waker(job.waker)).is_ready();
        *job.cause = core.ready.cause();
        done
    }
    fn touch(&self) {
        std::hint::black_box((self.waker.data(), self.cause));
    }
}

pub(super) type BoxJob = Pin<Box<dyn Work>>;

/// What the agenda and the wakers need to find a task and to know whether it lives: half a line of
/// the cache, and never halves of two.
#[repr(align(32))]
struct Task {
    key: Key,
    /// The number of the timer on which the task itself waits, 0 for none.
    timer: u64,
    /// Taken while the task is polled.
    job: Option<BoxJob>,
}

impl HasKey for Task {
    fn key(&self) -> Key {
        self.key
    }
}

/// What is needed more rarely.
struct TaskInfo {
    name: &'static str,
    group: GroupId,
    /// Whether it waits with nothing in hand.
    idle: bool,
    /// Born before and after it in the same group.
    elder: Option<Key>,
    younger: Option<Key>,
}

/// The first and the last born of a group.
struct Ends {
    eldest: Key,
    youngest: Key,
}

/// All tasks that live.
pub(super) struct Tasks {
    table: Keyed<Task>,
    /// By slot of the table.
    info: Vec<Option<TaskInfo>>,
    groups: BTreeMap<GroupId, Ends>,
    /// How many tasks wait on a timer themselves.
    waiting: usize,
    /// The task that is being polled was killed: it dies as soon as the poll returns.
    doomed: bool,
    /// The task that was started last, and its name when it is dead.
    last: Option<TaskId>,
    last_name: &'static str,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self {
            table: Keyed::new(),
            info: Vec::new(),
            groups: BTreeMap::new(),
            waiting: 0,
            doomed: false,
            last: None,
            last_name: "start",
        }
    }

    /// Adds a task and queues it.
    pub(super) fn insert<F: Future<Output = ()> + 'static>(
        &mut self,
        group: GroupId,
        name: &'static str,
        cause: RecordId,
        future: F,
        ready: &Ready,
    ) -> TaskId {
        let key = self.table.insert_with(|key| Task { key, timer: 0, job: None });
        let scheduled = ready.register(TaskId(key));
        scheduled.schedule();
        let waker = Waker::from(scheduled);
        self.enter(key, group, name);
        let task = self.table.get_mut(key).expect("just made");
        task.job = Some(Box::pin(Job { waker, cause, group, future }));
        TaskId(key)
    }

    /// Makes a task the youngest of its group.
    fn enter(&mut self, key: Key, group: GroupId, name: &'static str) {
        let elder = self.groups.get(&group).map(|ends| ends.youngest);
        if self.info.len() <= key.slot() {
            self.info.resize_with(key.slot() + 1, || None);
        }
        self.info[key.slot()] = Some(TaskInfo { name, group, idle: false, elder, younger: None });
        match elder {
            Some(elder) => {
                self.info(elder).younger = Some(key);
                self.ends(group).youngest = key;
            }
            None => drop(self.groups.insert(group, Ends { eldest: key, youngest: key })),
        }
    }

    pub(super) fn is_alive(&self, id: TaskId) -> bool {
        self.table.contains(id.0)
    }

    /// Whether the task that is being polled was killed.
    pub(super) fn is_doomed(&self) -> bool {
        self.doomed
    }

    /// The name of the task that was started last.
    pub(super) fn last_name(&self) -> &'static str {
        match self.last {
            Some(id) => self.info[id.0.slot()].as_ref().map_or(self.last_name, |info| info.name),
            None => self.last_name,
        }
    }

    /// Takes a task out to be polled; none when it is dead.
    pub(super) fn start(&mut self, id: TaskId) -> Option<BoxJob> {
        let task = self.table.get_mut(id.0)?;
        self.last = Some(id);
        Some(task.job.take().expect("no task is polled while it is polled"))
    }

    /// Puts a task back that awaits something. It comes back when it was killed meanwhile.
    pub(super) fn put_back(&mut self, id: TaskId, job: BoxJob) -> Option<BoxJob> {
        if self.doomed {
            self.remove(id);
            return Some(job);
        }
        let task = self.table.get_mut(id.0).expect("only marked while it was polled");
        task.job = Some(job);
        None
    }

    /// Makes a task wait on the timer of that number, unless it waits on one already; tells
    /// whether it does.
    pub(super) fn wait(&mut self, id: TaskId, number: u64) -> bool {
        match self.table.get_mut(id.0) {
            Some(task) if task.timer == 0 => {
                task.timer = number;
                self.waiting += 1;
                true
            }
            _ => false,
        }
    }

    /// Whether the task in a slot waits on the timer of that number.
    pub(super) fn waits(&self, slot: usize, number: u64) -> bool {
        self.table.in_slot(slot).is_some_and(|task| task.timer == number)
    }

    /// The task in a slot does not wait any longer on the timer of that number; tells which
    /// task it is, if it did.
    pub(super) fn end_wait(&mut self, slot: usize, number: u64) -> Option<TaskId> {
        let task = self.table.in_slot_mut(slot).filter(|task| task.timer == number)?;
        task.timer = 0;
        self.waiting -= 1;
        Some(TaskId(task.key))
    }

    /// Reads the place of a task that will be needed soon, so that it is on its way into the
    /// cache.
    pub(super) fn touch_task(&self, slot: usize) {
        std::hint::black_box(self.table.in_slot(slot).map(|task| task.timer));
    }

    /// The same for what the task needs when it runs.
    pub(super) fn touch_job(&self, slot: usize) {
        if let Some(job) = self.table.in_slot(slot).and_then(|task| task.job.as_ref()) {
            job.touch();
        }
    }

    /// The task in a slot.
    pub(super) fn at(&self, slot: usize) -> Option<TaskId> {
        self.table.in_slot(slot).map(|task| TaskId(task.key))
    }

    /// The group and the name of a task that lives.
    pub(super) fn describe(&self, id: TaskId) -> Option<(GroupId, &'static str)> {
        self.table.get(id.0)?;
        self.info[id.0.slot()].as_ref().map(|info| (info.group, info.name))
    }

    /// Says whether a task waits with nothing in hand.
    pub(super) fn set_idle(&mut self, id: TaskId, idle: bool) {
        if let Some(info) = self.info[id.0.slot()].as_mut() {
            info.idle = idle;
        }
    }

    /// Whether a task waits with nothing in hand.
    pub(super) fn is_idle(&self, id: TaskId) -> bool {
        self.is_alive(id) && self.info[id.0.slot()].as_ref().is_some_and(|info| info.idle)
    }

    /// A task that waits on a timer itself with something in hand, and the timer's number.
    pub(super) fn waiting_in_work(&self) -> Option<Key> {
        let mut waiting = self.table.any_order().filter(|task| task.timer != 0);
        waiting.find(|task| !self.is_idle(TaskId(task.key))).map(|task| Key::new(task.key.slot(), task.timer))
    }

    /// How many tasks wait on a timer themselves.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Kills a task; it comes back unless it is being polled or dead.
    pub(super) fn kill(&mut self, id: TaskId) -> Option<BoxJob> {
        if self.table.get(id.0)?.job.is_none() {
            self.doomed = true;
            return None;
        }
        self.remove(id)
    }

    /// Kills a group; its tasks come back, the eldest first.
    pub(super) fn kill_group(&mut self, group: GroupId) -> Vec<BoxJob> {
        let mut dead = Vec::new();
        let mut next = self.groups.get(&group).map(|ends| ends.eldest);
        while let Some(key) = next {
            next = self.info(key).younger;
            dead.extend(self.kill(TaskId(key)));
        }
        dead
    }

    /// Kills every group, in the order of their numbers.
    pub(super) fn kill_all(&mut self) -> Vec<BoxJob> {
        let groups: Vec<GroupId> = self.groups.keys().copied().collect();
        groups.into_iter().flat_map(|group| self.kill_group(group)).collect()
    }

    /// Takes a task out of the table and out of its group.
    pub(super) fn remove(&mut self, id: TaskId) -> Option<BoxJob> {
        let Task { job, timer, .. } = self.table.remove(id.0)?;
        self.waiting -= usize::from(timer != 0);
        // Without a job it is the one that was polled: that doom is fulfilled.
        self.doomed &= job.is_some();
        let info = self.info[id.0.slot()].take().expect("every task has one");
        let group = info.group;
        if self.last == Some(id) {
            (self.last, self.last_name) = (None, info.name);
        }
        match info.elder {
            Some(elder) => self.info(elder).younger = info.younger,
            None => {
                if let Some(younger) = info.younger {
                    self.ends(group).eldest = younger;
                }
            }
        }
        match info.younger {
            Some(younger) => self.info(younger).elder = info.elder,
            None => match info.elder {
                Some(elder) => self.ends(group).youngest = elder,
                None => drop(self.groups.remove(&group)),
            },
        }
        job
    }

    fn info(&mut self, key: Key) -> &mut TaskInfo {
        self.info[key.slot()].as_mut().expect("every task has one")
    }

    fn ends(&mut self, group: GroupId) -> &mut Ends {
        self.groups.get_mut(&group).expect("a group lives as long as its tasks")
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}
