//! The work queue of keys (fix `dirty-key-queue`): one mark an entity, two lanes, retries.
//!
//! It knows which entities are to be looked at and in which order; what they are like is read when their turn
//! comes.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use crate::model::{Entity, Id};
use crate::notify::Notify;
use crate::ports::{Clock, Fact, Strain};
use crate::time::{SimDuration, SimTime};

use super::Queued;
use super::retries::Retries;

/// The first wait of a failed entity, and the longest (rule 2.7).
const WAIT: SimDuration = SimDuration::from_secs(1);
const WAIT_MAX: SimDuration = SimDuration::from_mins(1);

/// Which entities go first (rule 2.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Lane {
    /// What a list or a wait that is over brings.
    Repair,
    /// What a watch or another controller tells.
    Urgent,
}

/// Where an entity stands.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Quiet,
    Queued(Lane),
    /// A worker has it; and in which lane it is wanted again.
    Held(Option<Lane>),
    /// It failed and waits; its place among those that do.
    Waits(SimTime, u64),
}

struct Key<E: Entity> {
    state: State,
    /// How often it was done with: what a lane says of an earlier life is void.
    life: u32,
    failures: u32,
    /// It is queued because its wait is over, and for nothing else.
    is_retry: bool,
    /// What put it where it is.
    event: Option<Queued<E>>,
}

impl<E: Entity> Default for Key<E> {
    fn default() -> Self {
        Self { state: State::Quiet, life: 0, failures: 0, is_retry: false, event: None }
    }
}

/// So many handles share a page.
const PAGE: usize = 16;

/// Keys by handle, which count from 0. A node's queues see few of all entities, so only the pages exist on
/// which somebody was ever marked.
struct Pages<E: Entity>(Vec<Option<Box<[Key<E>; PAGE]>>>);

impl<E: Entity> Pages<E> {
    fn key(&mut self, id: Id<E>) -> &mut Key<E> {
        let (page, place) = (id.index() as usize / PAGE, id.index() as usize % PAGE);
        if self.0.len() <= page {
            self.0.resize_with(page + 1, || None);
        }
        &mut self.0[page].get_or_insert_with(|| Box::new(std::array::from_fn(|_| Key::default())))[place]
    }
    fn iter(&self) -> impl Iterator<Item = (u32, &Key<E>)> {
        let pages = (0..).step_by(PAGE).zip(&self.0);
        pages.flat_map(|(first, page)| page.iter().flat_map(move |page| (first..).zip(&**page)))
    }
}

struct Inner<E: Entity> {
    keys: Pages<E>,
    /// By [`Lane`]; each entry with the life of its key.
    lanes: [VecDeque<(Id<E>, u32)>; 2],
    /// By time, then by the order in which they failed.
    waiting: BTreeMap<(SimTime, u64), Id<E>>,
    failed: u64,
    retries: Retries,
}

/// The queue.
pub(super) struct Keys<E: Entity> {
    inner: RefCell<Inner<E>>,
    /// Somebody failed, and waits.
    added: Notify,
}

/// The longest wait after so many failures in a row: it doubles.
fn wait_max(failures: u32) -> SimDuration {
    WAIT.saturating_mul(1 << failures.min(16)).min(WAIT_MAX)
}

/// The wait after so many failures in a row: between half and all of the longest.
fn wait(failures: u32, bits: u64) -> SimDuration {
    let full = wait_max(failures).as_nanos();
    let drawn = (u128::from(bits) * u128::from(full / 2)) >> 64;
    SimDuration::from_nanos(full / 2 + drawn as u64)
}

impl<E: Entity> Inner<E> {
    fn key(&mut self, id: Id<E>) -> &mut Key<E> {
        self.keys.key(id)
    }

    fn append(&mut self, id: Id<E>, lane: Lane) {
        let key = self.key(id);
        key.state = State::Queued(lane);
        let life = key.life;
        self.lanes[lane as usize].push_back((id, life));
    }
}

impl<E: Entity> Keys<E> {
    /// An empty one for so many workers.
    pub(super) fn new(workers: u32) -> Self {
        let (lanes, waiting) = Default::default();
        let inner = Inner { keys: Pages(Vec::new()), lanes, waiting, failed: 0, retries: Retries::new(workers) };
        Self { inner: RefCell::new(inner), added: Notify::default() }
    }

    /// Marks an entity; true when there is one more thing for a worker that idles.
    pub(super) fn add(&self, event: Queued<E>, lane: Lane, now: SimTime) -> bool {
        let inner = &mut *self.inner.borrow_mut();
        let id = event.item.id;
        let key = inner.key(id);
        match key.state {
            State::Quiet => {
                key.event = Some(event);
                inner.append(id, lane);
                inner.retries.wanted(id.index(), now);
                true
            }
            State::Queued(before) if before < lane => {
                // What it leaves in the other lane is passed over there.
                key.event = Some(event);
                if std::mem::take(&mut key.is_retry) {
                    inner.retries.overtaken(id.index(), now);
                }
                inner.append(id, lane);
                false
            }
            State::Held(again) => {
                if again.is_none_or(|again| again < lane) {
                    key.state = State::Held(Some(lane));
                    key.event = Some(event);
                }
                if lane == Lane::Urgent {
                    key.failures = 0;
                }
                false
            }
            State::Waits(at, order) if lane == Lane::Urgent => {
                key.failures = 0;
                key.event = Some(event);
                inner.waiting.remove(&(at, order));
                inner.append(id, lane);
                inner.retries.overtaken(id.index(), now);
                true
            }
            State::Queued(_) | State::Waits(..) => false,
        }
    }

    /// The next entity, for a worker, which tells [`Keys::done`] of it.
    pub(super) fn take(&self, now: SimTime) -> Option<Queued<E>> {
        let inner = &mut *self.inner.borrow_mut();
        for lane in [Lane::Urgent, Lane::Repair] {
            while let Some((id, life)) = inner.lanes[lane as usize].pop_front() {
                let key = inner.key(id);
                if key.state == State::Queued(lane) && key.life == life {
                    key.state = State::Held(None);
                    let event = key.event.take();
                    if std::mem::take(&mut key.is_retry) {
                        inner.retries.begun(id.index(), now);
                    }
                    return event;
                }
            }
        }
        None
    }

    /// A worker lets go of an entity; `failed` draws a number for its wait when it failed. True
    /// when it is in the queue again.
    pub(super) fn done(&self, event: Queued<E>, now: SimTime, failed: Option<impl FnOnce() -> u64>) -> bool {
        let inner = &mut *self.inner.borrow_mut();
        let id = event.item.id;
        let key = inner.key(id);
        let State::Held(again) = key.state else { unreachable!("the worker held it") };
        if failed.is_none() {
            key.failures = 0;
        }
        inner.retries.ended(id.index(), now);
        match (again, failed) {
            (Some(lane), _) => {
                inner.append(id, lane);
                inner.retries.wanted(id.index(), now);
                return true;
            }
            (None, None) => {
                let key = inner.key(id);
                key.state = State::Quiet;
                key.life += 1;
            }
            (None, Some(draw)) => {
                let key = inner.key(id);
                let failures = key.failures;
                let at = now + wait(failures, draw());
                key.failures += 1;
                key.event = Some(event);
                inner.retries.failed(id.index(), now, failures, wait_max(failures));
                inner.failed += 1;
                let order = inner.failed;
                inner.key(id).state = State::Waits(at, order);
                inner.waiting.insert((at, order), id);
                self.added.notify_all();
            }
        }
        false
    }

    /// Tells which entities wait after failures, and which are held by a worker; not for how long: whoever
    /// looks must ask whether the retries can matter.
    pub(super) fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        for (index, key) in self.inner.borrow().keys.iter() {
            let state = match key.state {
                State::Quiet => continue,
                State::Waits(..) => {
                    fact(Fact::Waits(Id::<E>::from_index(index).into()));
                    continue;
                }
                State::Queued(lane) => lane as u64,
                State::Held(again) => 2 + again.map_or(0, |lane| 1 + lane as u64),
            };
            fact(Fact::Thing(Id::<E>::from_index(index).into()));
            fact(Fact::Number(state));
        }
    }

    /// How retries bear on what else is to be done.
    pub(super) fn strain(&self) -> Strain {
        self.inner.borrow().retries.strain()
    }

    /// Waits until the time of one that failed has come, and queues it as repair.
    pub(super) async fn retry(&self, clock: &impl Clock) {
        loop {
            let seen = self.added.generation();
            let earliest = self.inner.borrow().waiting.keys().next().copied();
            match earliest {
                None => self.added.changed_since(seen).await,
                Some(key @ (at, _)) if at <= clock.now() => {
                    let inner = &mut *self.inner.borrow_mut();
                    let id = inner.waiting.remove(&key).expect("just seen");
                    inner.append(id, Lane::Repair);
                    inner.key(id).is_retry = true;
                    return;
                }
                // Ends early when something more urgent may have come.
                Some((at, _)) => {
                    clock.idle(clock.timeout(at.since(clock.now()), self.added.changed_since(seen))).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{App, Name, Revision};
    use crate::ports::{Change, Meta, Origin, Versioned};

    type AppKeys = Keys<App>;

    fn event(index: u32) -> Queued<App> {
        let meta = Meta {
            name: Name::new("app"),
            revision: Revision(1),
            created_at: SimTime::ZERO,
            updated_at: SimTime::ZERO,
            origin: Origin(0),
        };
        let item = Versioned::new(Id::from_index(index), App { name: Name::new("app"), active_version: None }, meta);
        Queued { change: Change::Updated, item, origin: Origin(0) }
    }
    fn add(keys: &AppKeys, index: u32, lane: Lane) -> bool {
        keys.add(event(index), lane, SimTime::ZERO)
    }
    fn take(keys: &AppKeys) -> Option<u32> {
        keys.take(SimTime::ZERO).map(|event| event.item.id.index())
    }
    fn done(keys: &AppKeys, index: u32) -> bool {
        keys.done(event(index), SimTime::ZERO, None::<fn() -> u64>)
    }
    fn fails(keys: &AppKeys, index: u32) -> bool {
        keys.done(event(index), SimTime::ZERO, Some(|| 0))
    }

    #[test]
    fn urgent_goes_first_and_promotes_what_is_queued_as_repair() {
        let keys = AppKeys::new(1);
        assert_eq!([1, 2].map(|index| add(&keys, index, Lane::Repair)), [true, true]);
        assert!(!add(&keys, 2, Lane::Urgent), "it is queued already");
        assert!(add(&keys, 3, Lane::Urgent));
        assert!(!add(&keys, 3, Lane::Repair));
        assert_eq!([0; 4].map(|_| take(&keys)), [Some(2), Some(3), Some(1), None]);
    }

    #[test]
    fn what_a_promotion_left_behind_is_void_when_the_key_comes_again() {
        let keys = AppKeys::new(1);
        add(&keys, 1, Lane::Repair);
        add(&keys, 1, Lane::Urgent);
        assert_eq!(take(&keys), Some(1));
        assert!(!done(&keys, 1));
        add(&keys, 2, Lane::Repair);
        add(&keys, 1, Lane::Repair);
        assert_eq!([0; 3].map(|_| take(&keys)), [Some(2), Some(1), None]);
    }

    #[test]
    fn one_that_is_marked_while_held_comes_once_more_at_the_end() {
        let keys = AppKeys::new(1);
        add(&keys, 1, Lane::Urgent);
        assert_eq!(take(&keys), Some(1));
        assert_eq!([0; 3].map(|_| add(&keys, 1, Lane::Urgent)), [false; 3]);
        add(&keys, 2, Lane::Urgent);
        assert!(done(&keys, 1));
        assert_eq!([0; 3].map(|_| take(&keys)), [Some(2), Some(1), None]);
        assert!(!done(&keys, 1));
        assert_eq!(take(&keys), None);
    }

    #[test]
    fn a_wait_is_ended_by_what_is_urgent_and_not_by_a_repair() {
        let keys = AppKeys::new(1);
        add(&keys, 1, Lane::Urgent);
        assert_eq!(take(&keys), Some(1));
        assert!(!fails(&keys, 1));
        assert!(!add(&keys, 1, Lane::Repair));
        assert_eq!(take(&keys), None);
        assert!(add(&keys, 1, Lane::Urgent));
        assert_eq!(take(&keys), Some(1));
        assert!(keys.inner.borrow().waiting.is_empty(), "the wait is cancelled");
        // Marked while it was held: it does not wait, whatever became of it.
        add(&keys, 1, Lane::Repair);
        assert!(fails(&keys, 1));
        assert_eq!(take(&keys), Some(1));
    }

    #[test]
    fn waits_double_up_to_a_minute_and_are_jittered_by_half() {
        for (failures, least, most) in [(0, 500, 1000), (1, 1000, 2000), (5, 16_000, 32_000), (40, 30_000, 60_000)] {
            assert_eq!(wait(failures, 0), SimDuration::from_millis(least));
            assert!(wait(failures, u64::MAX) <= SimDuration::from_millis(most));
            assert!(wait(failures, u64::MAX) > SimDuration::from_millis(most - 1));
        }
    }
}
