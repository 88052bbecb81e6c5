//! The reconcile framework that every controller runs in (rules 2.1 to 2.9).
//!
//! A watch and a resync feed one work queue; workers take events, hand the entity *as it was in
//! the event* to the handler, and write back the fields that it changed, last writer wins. It
//! knows the ports only. What a newcomer gets wrong: an error is not requeued – the retry is the
//! next resync or event – and a worker that waits inside its handler is occupied.

mod draft;
mod keys;
mod own_writes;
mod retries;
mod rules;
mod ticker;
mod watch;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;

use crate::constants::Period;
use crate::model::{Entity, Field, Id, Reason};
use crate::notify::Notify;
use crate::ports::{
    Change, Clock, EntityStore, Fact, Host, Origin, Platform, Ports, Query, Remembers, StoreError, Strain, Versioned,
};

use super::fixes::Fix;

pub use draft::Draft;
pub use own_writes::OwnWrites;
pub use rules::{Asked, Rules, Task};
pub use ticker::{End, First, at_once, periodically, poll_until};

pub use crate::model::Failure;

use keys::{Keys, Lane};

/// What a controller does with one entity.
pub trait Reconciler: 'static {
    /// What it is about.
    type Entity: Entity;

    /// Brings the world nearer to what `item` wants; fields changed in `work` are written back.
    ///
    /// # Errors
    /// What went wrong; it is logged, and changes to `work` are written all the same.
    fn reconcile(
        &self,
        item: &Versioned<Self::Entity>,
        work: &mut Draft<Self::Entity>,
    ) -> impl Future<Output = Result<(), Failure>>;

    /// Whether there is nothing to do for an entity that looks like that; then it is not handed
    /// to [`Reconciler::reconcile`].
    fn ignores(&self, item: &Versioned<Self::Entity>) -> bool {
        let _ = item;
        false
    }

    /// The entity was deleted; nothing is known of it but its id.
    ///
    /// # Errors
    /// As [`Reconciler::reconcile`].
    fn deleted(&self, id: Id<Self::Entity>) -> impl Future<Output = Result<(), Failure>> {
        let _ = id;
        async { Ok(()) }
    }

    /// Tells what it remembers, in an order of its own that repeats ([`Remembers`]).
    fn remembers(&self, fact: &mut dyn FnMut(Fact)) {
        let _ = fact;
    }

    /// The fields that the handler names on purpose, so that they can become zero or empty.
    fn writes_zero(&self, field: Field) -> bool {
        let _ = field;
        false
    }
}

/// How a controller is driven.
#[derive(Clone, Copy, Debug)]
pub struct Drive<E: Entity> {
    /// Its name, for its ticker.
    pub name: &'static str,
    /// Which entities it is about.
    pub query: Query<E>,
    /// How many work at once.
    pub workers: u32,
    /// How often everything is listed; none: never.
    pub resync: Option<Period>,
}

/// An event that waits for a worker.
#[derive(Clone)]
struct Queued<E: Entity> {
    change: Change,
    item: Versioned<E>,
    origin: Origin,
}

/// Entities that a worker holds (fix `serialise-entity`), each with what came for it meanwhile.
/// There are no more than workers, so a scan finds it fastest.
type InFlight<E> = Vec<(Id<E>, VecDeque<Queued<E>>)>;

/// One controller: its queue, its workers, its handler.
pub struct Runtime<P: Platform, R: Reconciler> {
    /// What it does.
    pub reconciler: R,
    ports: Ports<P>,
    rules: Rc<Rules>,
    drive: Drive<R::Entity>,
    own: OwnWrites,
    /// The queue holds keys instead of snapshots (fix `dirty-key-queue`, rule 2.6).
    keys: Option<Keys<R::Entity>>,
    queue: RefCell<VecDeque<Queued<R::Entity>>>,
    /// Where workers wait for an event.
    idle: Notify,
    in_flight: RefCell<InFlight<R::Entity>>,
    started: Notify,
}

impl<P: Platform, R: Reconciler> Runtime<P, R> {
    /// A controller that has not started.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>, drive: Drive<R::Entity>, own: OwnWrites, reconciler: R) -> Rc<Self> {
        Rc::new(Self {
            reconciler,
            ports,
            // Rule 2.6.
            keys: rules.has(Fix::DirtyKeyQueue).then(|| Keys::new(drive.workers)),
            rules,
            drive,
            own,
            queue: RefCell::default(),
            idle: Notify::default(),
            in_flight: RefCell::default(),
            started: Notify::default(),
        })
    }

    /// Its tasks: the watch, the resync, the workers. They wait for [`Runtime::start`].
    pub fn tasks(self: &Rc<Self>) -> Vec<Task> {
        let watch: Task = match self.keys {
            None => ("watch", Box::pin(Rc::clone(self).watch())),
            Some(_) => ("watch", Box::pin(Rc::clone(self).list_and_watch())),
        };
        let mut tasks = vec![watch];
        // Rules 2.2, 2.8.
        let ticks = self.keys.is_none() || self.rules.has(Fix::TickKeepsWatch);
        if let Some(period) = self.drive.resync.filter(|_| ticks) {
            tasks.push((period.task(), Box::pin(Rc::clone(self).resync(period))));
        }
        for _ in 0..self.drive.workers {
            tasks.push(("worker", Box::pin(Rc::clone(self).work())));
        }
        if self.keys.is_some() {
            tasks.push(("retries", Box::pin(Rc::clone(self).requeue_failed())));
        }
        tasks
    }

    /// Lets the tasks begin.
    pub fn start(&self) {
        self.started.notify_all();
    }

    /// Adds an event to the queue; a full queue drops it. A queue of keys marks the entity, as
    /// urgent, and is never full.
    pub fn enqueue(&self, change: Change, item: Versioned<R::Entity>, origin: Origin) {
        match self.admit(change, &item, origin, Lane::Urgent) {
            Some(true) => self.idle.notify(1),
            Some(false) => {}
            None => self.dropped(item.id, 1, item.id),
        }
    }

    /// Puts an event into the queue; whether a worker is wanted for it, none when there is no room (rule 2.1).
    #[inline]
    fn admit(&self, change: Change, item: &Versioned<R::Entity>, origin: Origin, lane: Lane) -> Option<bool> {
        if let Some(keys) = &self.keys {
            return Some(keys.add(change, item, origin, lane, self.ports.clock.now()));
        }
        let mut queue = self.queue.borrow_mut();
        let has_room = queue.len() < self.rules.tuning.queue_capacity as usize;
        has_room.then(|| {
            queue.push_back(Queued { change, item: item.clone(), origin });
            true
        })
    }

    /// Notes that there was no room for so many events, from the first to the last.
    fn dropped(&self, first: Id<R::Entity>, count: u32, last: Id<R::Entity>) {
        let capacity = self.rules.tuning.queue_capacity;
        self.ports.host.note(first, Reason::EventsDropped { capacity, count, last: last.index() });
    }

    /// The next event that needs work. One for an entity that a worker holds waits for that worker.
    fn take(&self) -> Option<Queued<R::Entity>> {
        loop {
            let event = self.queue.borrow_mut().pop_front()?;
            let id = event.item.id;
            if let Some((_, waiting)) = self.in_flight.borrow_mut().iter_mut().find(|(held, _)| *held == id) {
                waiting.push_back(event);
            } else if !self.skip(&event) {
                return Some(event);
            }
        }
    }

    async fn work(self: Rc<Self>) {
        self.started.changed_since(0).await;
        // Rule 2.5.
        let serialise = self.rules.has(Fix::SerialiseEntity);
        if let Some(keys) = &self.keys {
            return self.work_on(keys).await;
        }
        loop {
            let mut event = self.idle.until(|| self.take()).await;
            if !serialise {
                let _ = self.process(&event).await;
                continue;
            }
            let id = event.item.id;
            self.in_flight.borrow_mut().push((id, VecDeque::new()));
            loop {
                let _ = self.process(&event).await;
                match self.next_for(id) {
                    Some(next) => event = next,
                    None => break,
                }
            }
        }
    }

    /// Works on marked entities, each read just before it is handled (fix `dirty-key-queue`).
    async fn work_on(&self, keys: &Keys<R::Entity>) {
        let Ports { host, clock, store, .. } = &self.ports;
        loop {
            let taken = self.idle.until(|| keys.take(clock.now())).await;
            self.begin(taken.id, taken.origin, taken.change);
            let result = match store.get(taken.id).await {
                Ok(item) => self.reconcile(&item).await,
                Err(StoreError::NotFound) => self.reconciler.deleted(taken.id).await,
                Err(error) => Err(error.into()),
            };
            let failed = self.noted(taken.id, result).is_err();
            if keys.done(&taken, clock.now(), failed.then_some(|| host.draw(&taken.name, "retry"))) {
                self.idle.notify(1);
            }
        }
    }

    /// What came for an entity while its worker held it; the worker lets go when nothing did.
    fn next_for(&self, id: Id<R::Entity>) -> Option<Queued<R::Entity>> {
        let mut in_flight = self.in_flight.borrow_mut();
        let place = in_flight.iter().position(|(held, _)| *held == id).expect("this worker holds it");
        let next = in_flight[place].1.pop_front();
        if next.is_none() {
            in_flight.swap_remove(place);
        }
        next
    }

    /// Passes over an event that the handler ignores. Most do nothing, and this takes no await.
    fn skip(&self, event: &Queued<R::Entity>) -> bool {
        let ignored = event.change != Change::Deleted && self.reconciler.ignores(&event.item);
        if ignored {
            self.begin(event.item.id, event.origin, event.change);
        }
        ignored
    }

    /// Takes up an event.
    fn begin(&self, id: Id<R::Entity>, origin: Origin, change: Change) {
        let host = &self.ports.host;
        host.attach(origin);
        let change = match change {
            Change::Added => "added",
            Change::Updated => "updated",
            Change::Deleted => "deleted",
        };
        host.note(id, Reason::Reconcile { change });
    }

    /// Handles an event.
    async fn process(&self, event: &Queued<R::Entity>) -> Result<(), Failure> {
        let item = &event.item;
        self.begin(item.id, event.origin, event.change);
        let result = match event.change {
            Change::Deleted => self.reconciler.deleted(item.id).await,
            Change::Added | Change::Updated => self.reconcile(item).await,
        };
        self.noted(item.id, result)
    }

    /// An error of the handler is noted.
    fn noted(&self, id: Id<R::Entity>, result: Result<(), Failure>) -> Result<(), Failure> {
        result.inspect_err(|error| self.ports.host.note(id, Reason::HandlerFailed { error: *error }))
    }

    async fn requeue_failed(self: Rc<Self>) {
        let Some(keys) = &self.keys else { return };
        loop {
            keys.retry(&self.ports.clock).await;
            self.idle.notify(1);
        }
    }

    /// Rule 2.9.
    async fn reconcile(&self, item: &Versioned<R::Entity>) -> Result<(), Failure> {
        if self.reconciler.ignores(item) {
            return Ok(());
        }
        let mut work = Draft::of(item);
        let result = self.reconciler.reconcile(item, &mut work).await;
        let Some(work) = work.copy() else { return result };
        let clears = |field| self.reconciler.writes_zero(field) || self.rules.has(Fix::DiffClearsFields);
        let changes = item.entity.diff(work, clears);
        if !changes.is_empty() {
            // Written even when the handler failed (rule 2.9).
            let revision = self.ports.store.patch(item.id, changes, None).await?;
            self.own.remember(revision);
        }
        result
    }
}

/// The memory of a controller is that of its handler, and of its queue what waits for a retry or is held
/// by a worker whose call never ends: nobody ever takes what else such a queue holds.
impl<P: Platform, R: Reconciler> Remembers for Runtime<P, R> {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        self.reconciler.remembers(fact);
        self.in_flight.borrow().iter().for_each(|(id, _)| fact(Fact::Thing((*id).into())));
        if let Some(keys) = &self.keys {
            keys.tell(fact);
        }
    }

    fn strain(&self) -> Strain {
        self.keys.as_ref().map_or(Strain::default(), Keys::strain)
    }
}
