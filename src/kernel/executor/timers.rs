//! Timers: who is told when an instant comes, and the future that waits for one.
//!
//! It knows the agenda, which holds the keys of the timers as payloads; it never calls anyone,
//! the executor does. Cancelling a timer only forgets its key; what is left in the agenda is
//! skipped when its time comes, and swept out when the dead outnumber the living, so that a
//! time-out around every short call costs no memory. What a newcomer gets wrong: a `Sleep`
//! holds no timer until it is polled, and gives it back when it is dropped.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::keyed::{Births, HasKey, Key, Keyed};
use super::tasks::Tasks;
use super::{Kernel, TaskId};
use crate::kernel::agenda::Agenda;
use crate::time::SimTime;

/// So many dead events may always stay: sweeping a short agenda again and again is no use.
const DEAD_MAX: usize = 64;

/// A timer, as the agenda knows it: the payload of its event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TimerKey(NonZeroU64);

/// The two kinds of timers. Nearly all are a task's own: such a timer is a number in the task,
/// and the key names the task's slot and that number. All others, those of combinators and the
/// second ones of a task, have an entry of their own.
enum Kind {
    Own(Key),
    Other(Key),
}

/// The highest bit of a payload tells the two apart; a key leaves it free.
const OWN: u64 = 1 << 63;

impl TimerKey {
    fn own(key: Key) -> Self {
        Self(key.number() | OWN)
    }
    fn other(key: Key) -> Self {
        Self(key.number())
    }
    fn from_payload(payload: u64) -> Self {
        Self(NonZeroU64::new(payload).expect("made from a key"))
    }
    fn payload(self) -> u64 {
        self.0.get()
    }
    fn kind(self) -> Kind {
        match NonZeroU64::new(self.0.get() & !OWN) {
            Some(number) if number != self.0 => Kind::Own(Key::from_number(number)),
            _ => Kind::Other(Key::from_number(self.0)),
        }
    }
}

/// Who is told when a timer fires.
pub(super) enum Alarm {
    /// A task that awaits it itself.
    Task(TaskId),
    /// A combinator inside a task, or someone outside.
    Waker(Waker),
}

/// What came of looking for the next timer.
pub(super) enum Firing {
    /// None is left before the limit.
    Nothing,
    /// It may not fire.
    Forbidden(SimTime),
    /// It fires.
    Fired(SimTime, TimerKey, Alarm),
}

struct Other {
    key: Key,
    alarm: Alarm,
}

impl HasKey for Other {
    fn key(&self) -> Key {
        self.key
    }
}

/// The timers that live, but for the number in each task, and the agenda in which dead ones
/// may linger.
pub(super) struct Timers {
    others: Keyed<Other>,
    owns: Births,
    agenda: Agenda,
}

impl Timers {
    pub(super) fn new() -> Self {
        Self { others: Keyed::new(), owns: Births::default(), agenda: Agenda::new() }
    }

    #[inline]
    pub(super) fn set(&mut self, at: SimTime, alarm: Alarm, tasks: &mut Tasks) -> TimerKey {
        let timer = match alarm {
            Alarm::Task(id) => {
                let number = self.owns.next();
                if tasks.wait(id, number) { TimerKey::own(Key::new(id.0.slot(), number)) } else { self.other(alarm) }
            }
            Alarm::Waker(_) => self.other(alarm),
        };
        self.agenda.push(at, timer.payload());
        timer
    }

    fn other(&mut self, alarm: Alarm) -> TimerKey {
        TimerKey::other(self.others.insert_with(|key| Other { key, alarm }))
    }

    /// Forgets a timer, unless it has fired. The caller drops the alarm, which may do anything.
    pub(super) fn cancel(&mut self, timer: TimerKey, tasks: &mut Tasks) -> Option<Alarm> {
        let alarm = self.take(timer, tasks);
        if self.agenda.len() > 2 * self.living(tasks) + DEAD_MAX {
            self.sweep(tasks);
        }
        alarm
    }

    #[cold]
    fn sweep(&mut self, tasks: &Tasks) {
        let Self { others, agenda, .. } = self;
        agenda.retain(|payload| lives(TimerKey::from_payload(payload), others, tasks));
    }

    /// When the next timer that lives will fire.
    pub(super) fn first(&mut self, tasks: &Tasks) -> Option<SimTime> {
        while let Some((at, payload)) = self.agenda.first() {
            if lives(TimerKey::from_payload(payload), &self.others, tasks) {
                return Some(at);
            }
            self.agenda.pop();
        }
        None
    }

    /// Whether no timer that lives fires at `at` or before.
    #[inline]
    pub(super) fn none_until(&mut self, at: SimTime, tasks: &Tasks) -> bool {
        match self.agenda.peek() {
            Some(first) if first <= at => {
                // Who the first one is need not be asked when none is dead.
                let all_live = self.agenda.len() == self.living(tasks);
                !all_live && self.first(tasks).is_none_or(|first| first > at)
            }
            _ => true,
        }
    }

    /// Takes the next timer that lives, unless it is later than `limit` or `forbidden` at its
    /// time.
    #[inline]
    pub(super) fn fire(&mut self, limit: SimTime, tasks: &mut Tasks, forbidden: impl Fn(SimTime) -> bool) -> Firing {
        while let Some((at, payload)) = self.agenda.first().filter(|(at, _)| *at <= limit) {
            let timer = TimerKey::from_payload(payload);
            if forbidden(at) && lives(timer, &self.others, tasks) {
                return Firing::Forbidden(at);
            }
            if self.agenda.is_more_coming() {
                self.touch_coming(tasks);
            }
            self.agenda.pop();
            if let Some(alarm) = self.take(timer, tasks) {
                return Firing::Fired(at, timer, alarm);
            }
        }
        Firing::Nothing
    }

    /// Reads what the tasks of the next timers lie in, so that it is near when their turn comes: first all
    /// their places, then all that these lead to. With a hundred thousand tasks both are far from the
    /// processor, which waits for many at once no longer than for one. Changes nothing but the time it takes.
    #[cold]
    fn touch_coming(&mut self, tasks: &Tasks) {
        let slot = |payload: &u64| match TimerKey::from_payload(*payload).kind() {
            Kind::Own(key) => Some(key.slot()),
            Kind::Other(_) => None,
        };
        let coming = self.agenda.coming();
        coming.iter().filter_map(slot).for_each(|slot| tasks.touch_task(slot));
        coming.iter().filter_map(slot).for_each(|slot| tasks.touch_job(slot));
    }

    #[inline]
    fn take(&mut self, timer: TimerKey, tasks: &mut Tasks) -> Option<Alarm> {
        match timer.kind() {
            Kind::Own(key) => tasks.end_wait(key.slot(), key.birth()).map(Alarm::Task),
            Kind::Other(key) => self.others.remove(key).map(|other| other.alarm),
        }
    }

    /// Whether a timer that lives would tell `task`, or else `waker`.
    pub(super) fn tells(&self, timer: TimerKey, task: Option<TaskId>, waker: &Waker, tasks: &Tasks) -> bool {
        match timer.kind() {
            Kind::Own(key) => {
                task.is_some_and(|task| task.0.slot() == key.slot()) && tasks.waits(key.slot(), key.birth())
            }
            Kind::Other(key) => match (self.others.get(key).map(|other| &other.alarm), task) {
                (Some(Alarm::Task(told)), Some(task)) => *told == task,
                (Some(Alarm::Waker(told)), None) => told.will_wake(waker),
                _ => false,
            },
        }
    }

    /// Every timer that lives, in the order in which they will fire: when, and which task it
    /// will wake (none for a combinator's).
    pub(super) fn pending_in_order(&mut self, tasks: &Tasks) -> Vec<(SimTime, Option<TaskId>)> {
        if let Some(events) = self.agenda.in_order() {
            let timers = events.map(|(at, payload)| (at, TimerKey::from_payload(payload)));
            let living = timers.filter(|(_, timer)| lives(*timer, &self.others, tasks));
            return living.map(|(at, timer)| (at, self.wakes(timer, tasks))).collect();
        }
        // Taken out and put back: the order of ties survives, for it is that of the pushes.
        let mut events = Vec::with_capacity(self.agenda.len());
        while let Some(event) = self.agenda.pop() {
            events.push(event);
        }
        let mut pending = Vec::with_capacity(events.len());
        for (at, payload) in events {
            let timer = TimerKey::from_payload(payload);
            if lives(timer, &self.others, tasks) {
                self.agenda.push(at, payload);
                pending.push((at, self.wakes(timer, tasks)));
            }
        }
        pending
    }

    /// A timer that wakes somebody who has something in hand, if there is one; which of several
    /// nothing may depend on.
    pub(super) fn in_work(&self, tasks: &Tasks) -> Option<TimerKey> {
        let idle = |other: &&Other| matches!(&other.alarm, Alarm::Task(id) if tasks.is_idle(*id));
        let own = tasks.waiting_in_work().map(TimerKey::own);
        own.or_else(|| self.others.any_order().find(|other| !idle(other)).map(|other| TimerKey::other(other.key)))
    }

    /// Whether a timer lives.
    pub(super) fn lives(&self, timer: TimerKey, tasks: &Tasks) -> bool {
        lives(timer, &self.others, tasks)
    }

    /// Which task a timer will wake.
    pub(super) fn wakes(&self, timer: TimerKey, tasks: &Tasks) -> Option<TaskId> {
        match timer.kind() {
            Kind::Own(key) => tasks.at(key.slot()),
            Kind::Other(key) => match self.others.get(key).map(|other| &other.alarm) {
                Some(Alarm::Task(id)) => Some(*id),
                Some(Alarm::Waker(_)) | None => None,
            },
        }
    }

    /// How many timers live.
    pub(super) fn living(&self, tasks: &Tasks) -> usize {
        self.others.len() + tasks.waiting()
    }

    /// How many events the agenda holds, for the living and the dead.
    #[cfg(test)]
    pub(super) fn pending(&self) -> usize {
        self.agenda.len()
    }
}

fn lives(timer: TimerKey, others: &Keyed<Other>, tasks: &Tasks) -> bool {
    match timer.kind() {
        Kind::Own(key) => tasks.waits(key.slot(), key.birth()),
        Kind::Other(key) => others.contains(key),
    }
}

/// A future that ends at an instant. Dropping it takes its timer back.
pub struct Sleep {
    kernel: Kernel,
    at: SimTime,
    timer: Option<TimerKey>,
}

impl Sleep {
    pub(super) fn new(kernel: Kernel, at: SimTime) -> Self {
        Self { kernel, at, timer: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.kernel.now() >= self.at {
            // A loop around sleeps that end at once never comes back to the executor, so the
            // guards must be asked here; the next step then finds them used up.
            if self.timer.is_none() && !self.kernel.count_instant_sleep() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Nearly always it is this very timer that has fired: nothing is left to be cancelled.
            self.timer = self.timer.filter(|timer| !self.kernel.fired_last(*timer));
            return Poll::Ready(());
        }
        self.timer = Some(match self.timer {
            None => self.kernel.set_timer(self.at, cx.waker()),
            // Polled again before its time: perhaps by another task or combinator than before.
            Some(timer) => self.kernel.redirect_timer(timer, self.at, cx.waker()),
        });
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.kernel.cancel_timer(timer);
        }
    }
}
