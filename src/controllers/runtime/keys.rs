//! The work queue of keys (fix `dirty-key-queue`): one mark an entity, two lanes, retries.
//!
//! It knows which entities are to be looked at and in which order; what they are like is read when their turn
//! comes.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use crate::model::{Entity, Id, Name};
use crate::notify::Notify;
use crate::ports::{Change, Clock, Fact, Origin, Strain, Versioned};
use crate::time::{SimDuration, SimTime};

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
    /// It failed and waits.
    Waits,
}

/// What put an entity where it is. Its snapshot is not kept: who takes it reads it anew.
#[derive(Clone, Copy)]
struct Event {
    name: Name,
    origin: Origin,
    change: Change,
}

/// An entity that a worker has.
pub(super) struct Taken<E: Entity> {
    pub(super) id: Id<E>,
    pub(super) name: Name,
    pub(super) origin: Origin,
    pub(super) change: Change,
    place: u32,
}

/// One entity: small, for each look at everything passes by all of them.
struct Key {
    event: Event,
    /// How often it was done with: what a lane says of an earlier life is void.
    life: u32,
    failures: u32,
    state: State,
    /// It is queued because its wait is over, and for nothing else.
    is_retry: bool,
}

/// The keys of those that were ever marked, in the order in which they first were. A node's queues see few of
/// all entities.
struct Known<E: Entity> {
    keys: Vec<Key>,
    /// Whose key is at which place, by id.
    places: Vec<(Id<E>, u32)>,
}

impl<E: Entity> Known<E> {
    fn find(&self, id: Id<E>) -> Result<u32, usize> {
        // Where everything is marked as it is created, it lies at its own number.
        match self.places.get(id.index() as usize) {
            Some((found, place)) if *found == id => Ok(*place),
            _ => self.places.binary_search_by_key(&id, |(id, _)| *id).map(|at| self.places[at].1),
        }
    }
    /// The place of an entity's key; a new one is quiet.
    fn place(&mut self, id: Id<E>, event: Event) -> u32 {
        self.find(id).unwrap_or_else(|at| {
            let place = self.keys.len() as u32;
            self.places.insert(at, (id, place));
            self.keys.push(Key { event, life: 0, failures: 0, state: State::Quiet, is_retry: false });
            place
        })
    }
    fn iter(&self) -> impl Iterator<Item = (Id<E>, &Key)> {
        self.places.iter().map(|(id, place)| (*id, &self.keys[*place as usize]))
    }
}

/// What a lane says: which entity is wanted, at which place its key is, and in which life.
type Wanted<E> = (Id<E>, u32, u32);

struct Inner<E: Entity> {
    known: Known<E>,
    /// By [`Lane`].
    lanes: [VecDeque<Wanted<E>>; 2],
    /// By time, then by the order in which they failed; and where each stands there, by its place.
    waiting: BTreeMap<(SimTime, u64), (Id<E>, u32)>,
    waits: BTreeMap<u32, (SimTime, u64)>,
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
    fn key(&mut self, place: u32) -> &mut Key {
        &mut self.known.keys[place as usize]
    }

    fn append(&mut self, id: Id<E>, place: u32, lane: Lane) {
        let key = self.key(place);
        key.state = State::Queued(lane);
        let life = key.life;
        self.lanes[lane as usize].push_back((id, place, life));
    }
}

impl<E: Entity> Keys<E> {
    /// An empty one for so many workers.
    pub(super) fn new(workers: u32) -> Self {
        let (lanes, waiting, waits) = Default::default();
        let known = Known { keys: Vec::new(), places: Vec::new() };
        let inner = Inner { known, lanes, waiting, waits, failed: 0, retries: Retries::new(workers) };
        Self { inner: RefCell::new(inner), added: Notify::default() }
    }

    /// Marks an entity; true when there is one more thing for a worker that idles.
    pub(super) fn add(&self, change: Change, item: &Versioned<E>, origin: Origin, lane: Lane, now: SimTime) -> bool {
        let inner = &mut *self.inner.borrow_mut();
        let id = item.id;
        let event = Event { name: item.meta.name, origin, change };
        let place = inner.known.place(id, event);
        let key = inner.key(place);
        match key.state {
            State::Quiet => {
                key.event = event;
                inner.append(id, place, lane);
                inner.retries.wanted(id.index(), now);
                true
            }
            State::Queued(before) if before < lane => {
                // What it leaves in the other lane is passed over there.
                key.event = event;
                if std::mem::take(&mut key.is_retry) {
                    inner.retries.overtaken(id.index(), now);
                }
                inner.append(id, place, lane);
                false
            }
            State::Held(again) => {
                if again.is_none_or(|again| again < lane) {
                    key.state = State::Held(Some(lane));
                    key.event = event;
                }
                if lane == Lane::Urgent {
                    key.failures = 0;
                }
                false
            }
            State::Waits if lane == Lane::Urgent => {
                key.failures = 0;
                key.event = event;
                let wait = inner.waits.remove(&place).expect("it waits");
                inner.waiting.remove(&wait);
                inner.append(id, place, lane);
                inner.retries.overtaken(id.index(), now);
                true
            }
            State::Queued(_) | State::Waits => false,
        }
    }

    /// The next entity, for a worker, which tells [`Keys::done`] of it.
    pub(super) fn take(&self, now: SimTime) -> Option<Taken<E>> {
        let inner = &mut *self.inner.borrow_mut();
        for lane in [Lane::Urgent, Lane::Repair] {
            while let Some((id, place, life)) = inner.lanes[lane as usize].pop_front() {
                let key = inner.key(place);
                if key.state == State::Queued(lane) && key.life == life {
                    key.state = State::Held(None);
                    let Event { name, origin, change } = key.event;
                    if std::mem::take(&mut key.is_retry) {
                        inner.retries.begun(id.index(), now);
                    }
                    return Some(Taken { id, name, origin, change, place });
                }
            }
        }
        None
    }

    /// A worker lets go of an entity; `failed` draws a number for its wait when it failed. True
    /// when it is in the queue again.
    pub(super) fn done(&self, taken: &Taken<E>, now: SimTime, failed: Option<impl FnOnce() -> u64>) -> bool {
        let inner = &mut *self.inner.borrow_mut();
        let &Taken { id, place, name, origin, change } = taken;
        inner.retries.ended(id.index(), now);
        let key = inner.key(place);
        let State::Held(again) = key.state else { unreachable!("the worker held it") };
        if failed.is_none() {
            key.failures = 0;
        }
        match (again, failed) {
            (Some(lane), _) => {
                inner.append(id, place, lane);
                inner.retries.wanted(id.index(), now);
                return true;
            }
            (None, None) => {
                key.state = State::Quiet;
                key.life += 1;
            }
            (None, Some(draw)) => {
                let failures = key.failures;
                let at = now + wait(failures, draw());
                key.failures += 1;
                key.event = Event { name, origin, change };
                key.state = State::Waits;
                inner.retries.failed(id.index(), now, failures, wait_max(failures));
                inner.failed += 1;
                inner.waiting.insert((at, inner.failed), (id, place));
                inner.waits.insert(place, (at, inner.failed));
                self.added.notify_all();
            }
        }
        false
    }

    /// Tells which entities wait after failures, and which are held by a worker; not for how long: whoever
    /// looks must ask whether the retries can matter.
    pub(super) fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        for (id, key) in self.inner.borrow().known.iter() {
            let state = match key.state {
                State::Quiet => continue,
                State::Waits => {
                    fact(Fact::Waits(id.into()));
                    continue;
                }
                State::Queued(lane) => lane as u64,
                State::Held(again) => 2 + again.map_or(0, |lane| 1 + lane as u64),
            };
            fact(Fact::Thing(id.into()));
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
                    let (id, place) = inner.waiting.remove(&key).expect("just seen");
                    inner.waits.remove(&place);
                    inner.append(id, place, Lane::Repair);
                    inner.key(place).is_retry = true;
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
    use crate::model::{App, Revision};
    use crate::ports::Meta;

    type AppKeys = Keys<App>;

    /// The queue, and what its worker holds.
    struct Worker(AppKeys, RefCell<Vec<Taken<App>>>);

    fn worker() -> Worker {
        Worker(Keys::new(1), RefCell::default())
    }
    fn add(Worker(keys, _): &Worker, index: u32, lane: Lane) -> bool {
        let meta = Meta {
            name: Name::new("app"),
            revision: Revision(1),
            created_at: SimTime::ZERO,
            updated_at: SimTime::ZERO,
            origin: Origin(0),
        };
        let item = Versioned::new(Id::from_index(index), App { name: Name::new("app"), active_version: None }, meta);
        keys.add(Change::Updated, &item, Origin(0), lane, SimTime::ZERO)
    }
    fn take(Worker(keys, held): &Worker) -> Option<u32> {
        let taken = keys.take(SimTime::ZERO)?;
        let index = taken.id.index();
        held.borrow_mut().push(taken);
        Some(index)
    }
    fn let_go(Worker(keys, held): &Worker, index: u32, failed: Option<fn() -> u64>) -> bool {
        let at = held.borrow().iter().rposition(|taken| taken.id.index() == index).expect("it holds that");
        keys.done(&held.borrow_mut().remove(at), SimTime::ZERO, failed)
    }
    fn done(worker: &Worker, index: u32) -> bool {
        let_go(worker, index, None)
    }
    fn fails(worker: &Worker, index: u32) -> bool {
        let_go(worker, index, Some(|| 0))
    }

    #[test]
    fn urgent_goes_first_and_promotes_what_is_queued_as_repair() {
        let keys = worker();
        assert_eq!([1, 2].map(|index| add(&keys, index, Lane::Repair)), [true, true]);
        assert!(!add(&keys, 2, Lane::Urgent), "it is queued already");
        assert!(add(&keys, 3, Lane::Urgent));
        assert!(!add(&keys, 3, Lane::Repair));
        assert_eq!([0; 4].map(|_| take(&keys)), [Some(2), Some(3), Some(1), None]);
    }

    #[test]
    fn what_a_promotion_left_behind_is_void_when_the_key_comes_again() {
        let keys = worker();
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
        let keys = worker();
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
        let keys = worker();
        add(&keys, 1, Lane::Urgent);
        assert_eq!(take(&keys), Some(1));
        assert!(!fails(&keys, 1));
        assert!(!add(&keys, 1, Lane::Repair));
        assert_eq!(take(&keys), None);
        assert!(add(&keys, 1, Lane::Urgent));
        assert_eq!(take(&keys), Some(1));
        assert!(keys.0.inner.borrow().waiting.is_empty(), "the wait is cancelled");
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
