//! The reconcile framework that every controller runs in (`docs/rules.md` §2).
//!
//! A watch and a resync feed one work queue; workers take events, hand the entity *as it was in
//! the event* to the handler, and write back the fields that it changed, last writer wins. It
//! knows the ports only. What a newcomer gets wrong: an error is not requeued – the retry is the
//! next resync or event – and a worker that waits inside its handler is occupied.

mod draft;
mod marks;
mod own_writes;
mod retry;
mod rules;
mod ticker;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;

use crate::constants::Period;
use crate::model::{Entity, Field, Id, Reason, Subject};
use crate::notify::Notify;
use crate::ports::{
    Change, Clock, EntityStore, Fact, Host, Origin, Platform, Ports, Query, Remembers, StoreError, Versioned, Watch,
    WatchEvent,
};

use super::fixes::Fix;

pub use draft::Draft;
pub use own_writes::OwnWrites;
pub use rules::{Rules, Task};
pub use ticker::{End, First, at_once, periodically, poll_until};

pub(crate) use crate::model::Failure;

use marks::Marks;
use retry::Retries;

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
    /// The queue holds keys instead of snapshots (fix `dirty-key-queue`, rule 2.3).
    by_key: bool,
    queue: RefCell<VecDeque<Queued<R::Entity>>>,
    /// The keys in the queue (fix `dirty-key-queue`: one mark an entity).
    dirty: RefCell<Marks>,
    retries: Retries<R::Entity>,
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
            // Rule 2.3.
            by_key: rules.has(Fix::DirtyKeyQueue),
            rules,
            drive,
            own,
            queue: RefCell::default(),
            dirty: RefCell::new(Marks::none()),
            retries: Retries::default(),
            idle: Notify::default(),
            in_flight: RefCell::default(),
            started: Notify::default(),
        })
    }

    /// Its tasks: the watch, the resync, the workers. They wait for [`Runtime::start`].
    pub fn tasks(self: &Rc<Self>) -> Vec<Task> {
        let mut tasks: Vec<Task> = vec![("watch", Box::pin(Rc::clone(self).watch()))];
        if let Some(period) = self.drive.resync {
            tasks.push((period.task(), Box::pin(Rc::clone(self).resync(period))));
        }
        for _ in 0..self.drive.workers {
            tasks.push(("worker", Box::pin(Rc::clone(self).work())));
        }
        if self.by_key {
            tasks.push(("retries", Box::pin(Rc::clone(self).requeue_failed())));
        }
        tasks
    }

    /// Lets the tasks begin.
    pub fn start(&self) {
        self.started.notify_all();
    }

    /// Adds an event to the queue; a full queue drops it. A queue of keys marks the entity once
    /// and is never full.
    pub fn enqueue(&self, change: Change, item: Versioned<R::Entity>, origin: Origin) {
        if self.admit(&mut self.queue.borrow_mut(), Queued { change, item, origin }) {
            self.idle.notify(1);
        }
    }

    /// Adds everything that a resync listed.
    fn enqueue_all(&self, items: &[Versioned<R::Entity>]) {
        let mut queue = self.queue.borrow_mut();
        let listed = items.iter().map(|item| (item.clone(), item.meta.origin));
        let events = listed.map(|(item, origin)| Queued { change: Change::Updated, item, origin });
        let admitted: usize = events.map(|event| usize::from(self.admit(&mut queue, event))).sum();
        self.idle.notify(admitted);
    }

    /// Puts an event into the queue, if it may.
    #[inline]
    fn admit(&self, queue: &mut VecDeque<Queued<R::Entity>>, event: Queued<R::Entity>) -> bool {
        let capacity = self.rules.tuning.queue_capacity;
        if self.by_key {
            if !self.dirty.borrow_mut().put(event.item.id) {
                return false;
            }
        } else if queue.len() >= capacity as usize {
            self.ports.host.note(event.item.id, Reason::EventDropped { capacity });
            return false;
        }
        queue.push_back(event);
        true
    }

    /// Rule 2.7.
    async fn watch(self: Rc<Self>) {
        self.started.changed_since(0).await;
        let tuning = &self.rules.tuning;
        let mut retry = tuning.watch_retry;
        let mut seen = None;
        loop {
            let resume = seen.filter(|_| self.rules.has(Fix::WatchResumes));
            if let Ok(mut watch) = self.ports.store.watch(self.drive.query, resume).await {
                seen = Some(watch.since());
                loop {
                    match watch.next().await {
                        Ok(Some(event)) => {
                            retry = tuning.watch_retry;
                            seen = Some(event.item.meta.revision);
                            self.deliver(event);
                        }
                        Ok(None) => {
                            self.ports.host.note(Subject::CLUSTER, Reason::WatchEnded);
                            return;
                        }
                        Err(_) => break,
                    }
                }
            }
            self.ports.host.note(Subject::CLUSTER, Reason::WatchBroke { retry_in: retry });
            self.ports.clock.sleep(retry).await;
            retry = retry.saturating_mul(2).min(tuning.watch_retry_max);
        }
    }

    fn deliver(&self, event: WatchEvent<R::Entity>) {
        if !self.own.contains(event.item.meta.revision) {
            let origin = event.item.meta.origin;
            self.ports.host.attach(origin);
            self.enqueue(event.change, event.item, origin);
        }
    }

    async fn resync(self: Rc<Self>, period: Period) {
        self.started.changed_since(0).await;
        periodically(&self.ports, self.drive.name, period, First::AtOnce, async || {
            let items = loop {
                // A list that fails is tried again at once, without a pause.
                if let Ok(items) = self.ports.store.list(self.drive.query).await {
                    break items;
                }
            };
            self.enqueue_all(&items);
        })
        .await;
    }

    /// The next event that needs work. One for an entity that a worker holds waits for that worker.
    fn take(&self) -> Option<Queued<R::Entity>> {
        loop {
            let event = self.queue.borrow_mut().pop_front()?;
            let id = event.item.id;
            if self.by_key {
                self.dirty.borrow_mut().take(id);
            }
            if let Some((_, waiting)) = self.in_flight.borrow_mut().iter_mut().find(|(held, _)| *held == id) {
                if !self.by_key || waiting.is_empty() {
                    waiting.push_back(event);
                }
            } else if !self.skip(&event) {
                return Some(event);
            }
        }
    }

    /// Rule 2.2.
    async fn work(self: Rc<Self>) {
        self.started.changed_since(0).await;
        let serialise = self.rules.has(Fix::SerialiseEntity);
        loop {
            let mut event = self.idle.until(|| self.take()).await;
            if !serialise {
                self.process(event).await;
                continue;
            }
            let id = event.item.id;
            self.in_flight.borrow_mut().push((id, VecDeque::new()));
            loop {
                self.process(event).await;
                match self.next_for(id) {
                    Some(next) => event = next,
                    None => break,
                }
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
        // A queue of keys knows nothing of the entity as it is by now.
        let ignored = !self.by_key && event.change != Change::Deleted && self.reconciler.ignores(&event.item);
        if ignored {
            self.begin(event);
        }
        ignored
    }

    /// Takes up an event.
    fn begin(&self, event: &Queued<R::Entity>) {
        let host = &self.ports.host;
        host.attach(event.origin);
        let change = match event.change {
            Change::Added => "added",
            Change::Updated => "updated",
            Change::Deleted => "deleted",
        };
        host.note(event.item.id, Reason::Reconcile { change });
    }

    async fn process(&self, event: Queued<R::Entity>) {
        self.begin(&event);
        let host = &self.ports.host;
        let Queued { change, item, origin } = event;
        let result = match change {
            _ if self.by_key => self.reconcile_fresh(item.id).await,
            Change::Deleted => self.reconciler.deleted(item.id).await,
            Change::Added | Change::Updated => self.reconcile(&item).await,
        };
        if let Err(error) = result {
            host.note(item.id, Reason::HandlerFailed { error });
            if self.by_key {
                let bits = host.draw(&item.meta.name, "retry");
                self.retries.add(self.ports.clock.now(), bits, Queued { change, item, origin });
            }
        } else if self.by_key {
            self.retries.forget(item.id);
        }
    }

    /// Reads the entity just before it is handled (fix `dirty-key-queue`).
    async fn reconcile_fresh(&self, id: Id<R::Entity>) -> Result<(), Failure> {
        match self.ports.store.get(id).await {
            Ok(item) => self.reconcile(&item).await,
            Err(StoreError::NotFound) => self.reconciler.deleted(id).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn requeue_failed(self: Rc<Self>) {
        loop {
            let Queued { change, item, origin } = self.retries.next(&self.ports.clock).await;
            self.enqueue(change, item, origin);
        }
    }

    /// Rule 5.3.
    async fn reconcile(&self, item: &Versioned<R::Entity>) -> Result<(), Failure> {
        if self.reconciler.ignores(item) {
            return Ok(());
        }
        let mut work = Draft::of(item);
        let result = self.reconciler.reconcile(item, &mut work).await;
        let Some(work) = work.copy() else { return result };
        let clears = self.rules.has(Fix::DiffClearsFields);
        let changes = item.entity.diff(work, |field| clears || self.reconciler.writes_zero(field));
        if !changes.is_empty() {
            // Written even when the handler failed.
            let revision = self.ports.store.patch(item.id, changes, None).await?;
            self.own.remember(revision);
        }
        result
    }
}

/// The memory of a controller is that of its handler; a quiet queue holds nothing.
impl<P: Platform, R: Reconciler + Remembers> Remembers for Runtime<P, R> {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        self.reconciler.tell(fact);
    }
}
