//! The tasks of a run, and the groups in which they die.
//!
//! It knows where tasks are and who belongs together; it never polls or drops one, but hands
//! the bodies out, because a future and its destructors may call the kernel again. The tasks of
//! a group are linked in the order of their births, so that killing costs what dies and not
//! what exists. What a newcomer gets wrong: a task that is being polled has no body here; when
//! it is killed, it is only marked, and dies when its poll returns.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;

use super::keyed::{HasKey, Key, Keyed};
use super::ready::{Ready, Scheduled};
use super::{GroupId, TaskId};
use crate::kernel::cause::RecordId;

pub(super) type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

/// What a poll needs of a task. It is out of the table meanwhile.
pub(super) struct Body {
    pub(super) future: BoxFuture,
    pub(super) waker: Waker,
}

/// What is needed whenever a task runs: with a hundred thousand tasks each run costs a cache
/// miss, so it fills one line and no more.
#[repr(align(64))]
struct Task {
    key: Key,
    /// Taken while the task is polled.
    body: Option<Body>,
    /// The number of the timer on which the task itself waits, 0 for none.
    timer: u64,
    cause: RecordId,
    group: GroupId,
    /// Killed while it was being polled: it dies as soon as the poll returns.
    doomed: bool,
}

impl HasKey for Task {
    fn key(&self) -> Key {
        self.key
    }
}

/// What is needed more rarely.
struct Civil {
    name: &'static str,
    scheduled: Arc<Scheduled>,
    /// Born before and after it in the same group.
    elder: Option<Key>,
    younger: Option<Key>,
}

/// The first and the last born of a group.
struct Ends {
    eldest: Key,
    youngest: Key,
}

/// What the executor needs to know of a task it polls.
pub(super) struct Started {
    pub(super) body: Body,
    pub(super) group: GroupId,
    pub(super) cause: RecordId,
}

/// All tasks that live.
pub(super) struct Tasks {
    table: Keyed<Task>,
    /// By slot of the table.
    civil: Vec<Option<Civil>>,
    groups: BTreeMap<GroupId, Ends>,
    /// How many tasks wait on a timer themselves.
    waiting: usize,
    /// The task that was started last, and its name when it is dead.
    last: Option<TaskId>,
    last_name: &'static str,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self {
            table: Keyed::new(),
            civil: Vec::new(),
            groups: BTreeMap::new(),
            waiting: 0,
            last: None,
            last_name: "start",
        }
    }

    /// Adds a task and queues it.
    pub(super) fn insert(
        &mut self,
        group: GroupId,
        name: &'static str,
        cause: RecordId,
        future: BoxFuture,
        ready: &Ready,
    ) -> TaskId {
        let mut scheduled = None;
        let key = self.table.insert_with(|key| {
            let scheduled = scheduled.insert(ready.register(TaskId(key)));
            let body = Some(Body { future, waker: scheduled.waker() });
            Task { key, body, timer: 0, cause, group, doomed: false }
        });
        let scheduled = scheduled.expect("made with the task");
        scheduled.schedule();
        let elder = self.groups.get(&group).map(|ends| ends.youngest);
        if self.civil.len() <= key.slot() {
            self.civil.resize_with(key.slot() + 1, || None);
        }
        self.civil[key.slot()] = Some(Civil { name, scheduled, elder, younger: None });
        match elder {
            Some(elder) => {
                self.civil(elder).younger = Some(key);
                self.ends(group).youngest = key;
            }
            None => drop(self.groups.insert(group, Ends { eldest: key, youngest: key })),
        }
        TaskId(key)
    }

    pub(super) fn is_alive(&self, id: TaskId) -> bool {
        self.table.contains(id.0)
    }

    /// The name of the task that was started last.
    pub(super) fn last_name(&self) -> &'static str {
        match self.last {
            Some(id) => self.civil[id.0.slot()].as_ref().map_or(self.last_name, |civil| civil.name),
            None => self.last_name,
        }
    }

    /// A queued task is about to run: from now on a wake-up queues it again.
    pub(super) fn unqueue(&mut self, id: TaskId) {
        self.civil(id.0).scheduled.unqueue();
    }

    /// Takes a task out to be polled; none when it is dead.
    pub(super) fn start(&mut self, id: TaskId) -> Option<Started> {
        let task = self.table.get_mut(id.0)?;
        let body = task.body.take().expect("no task is polled while it is polled");
        self.last = Some(id);
        Some(Started { body, group: task.group, cause: task.cause })
    }

    /// Puts a task back that awaits something. Its body comes back when it was killed
    /// meanwhile.
    pub(super) fn put_back(&mut self, id: TaskId, body: Body, cause: RecordId) -> Option<Body> {
        let task = self.table.get_mut(id.0).expect("only marked while it was polled");
        if task.doomed {
            self.remove(id);
            return Some(body);
        }
        task.cause = cause;
        task.body = Some(body);
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

    /// How many tasks wait on a timer themselves.
    /// The task in a slot.
    pub(super) fn at(&self, slot: usize) -> Option<TaskId> {
        self.table.in_slot(slot).map(|task| TaskId(task.key))
    }

    /// The group and the name of a task that lives.
    pub(super) fn describe(&self, id: TaskId) -> Option<(GroupId, &'static str)> {
        let task = self.table.get(id.0)?;
        Some((task.group, self.civil[id.0.slot()].as_ref()?.name))
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Kills a task; its body comes back unless it is being polled or dead.
    pub(super) fn kill(&mut self, id: TaskId) -> Option<Body> {
        let task = self.table.get_mut(id.0)?;
        if task.body.is_none() {
            task.doomed = true;
            return None;
        }
        self.remove(id)
    }

    /// Kills a group; the bodies come back, the eldest first.
    pub(super) fn kill_group(&mut self, group: GroupId) -> Vec<Body> {
        let mut bodies = Vec::new();
        let mut next = self.groups.get(&group).map(|ends| ends.eldest);
        while let Some(key) = next {
            next = self.civil(key).younger;
            bodies.extend(self.kill(TaskId(key)));
        }
        bodies
    }

    /// Kills every group, in the order of their numbers.
    pub(super) fn kill_all(&mut self) -> Vec<Body> {
        let groups: Vec<GroupId> = self.groups.keys().copied().collect();
        groups.into_iter().flat_map(|group| self.kill_group(group)).collect()
    }

    /// Takes a task out of the table and out of its group.
    pub(super) fn remove(&mut self, id: TaskId) -> Option<Body> {
        let Task { body, timer, group, .. } = self.table.remove(id.0)?;
        self.waiting -= usize::from(timer != 0);
        let civil = self.civil[id.0.slot()].take().expect("every task has one");
        if self.last == Some(id) {
            (self.last, self.last_name) = (None, civil.name);
        }
        match civil.elder {
            Some(elder) => self.civil(elder).younger = civil.younger,
            None => {
                if let Some(younger) = civil.younger {
                    self.ends(group).eldest = younger;
                }
            }
        }
        match civil.younger {
            Some(younger) => self.civil(younger).elder = civil.elder,
            None => match civil.elder {
                Some(elder) => self.ends(group).youngest = elder,
                None => drop(self.groups.remove(&group)),
            },
        }
        body
    }

    fn civil(&mut self, key: Key) -> &mut Civil {
        self.civil[key.slot()].as_mut().expect("every task has one")
    }

    fn ends(&mut self, group: GroupId) -> &mut Ends {
        self.groups.get_mut(&group).expect("a group lives as long as its tasks")
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}
