//! The store as controllers reach it: every call passes the gate, and every watch can break.
//!
//! It implements [`EntityStore`] with what `store` does to the tables. A call takes time and may
//! fail before or after its effect; reads may answer what was true a while ago. What a newcomer
//! gets wrong: a watch is no call – it is opened at once, and only its events pass the gate.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Actor, Entity, Field, Id, Kind, Name, Point, Revision, Subject, Value};
use crate::ports::{EntityStore, Listed, Query, StoreError, Versioned, Watch, WatchEvent};
use crate::trace::What;

use super::gate::{Call, Passage};
use super::spec::Effect;
use super::table::{Delivery, Mailbox};
use super::{WORLD, World};

/// The store as one controller reaches it.
#[derive(Clone)]
pub struct SimStore {
    world: World,
    actor: Actor,
}

impl SimStore {
    /// The store as `actor` reaches it.
    pub fn new(world: &World, actor: Actor) -> Self {
        Self { world: world.clone(), actor }
    }

    /// Enters on the spot, where nothing is in the way. Most calls can, and then need none of what
    /// the long way keeps while it waits. When it cannot: how long the call lasts.
    fn enter_at_once(&self, point: Point) -> Result<Passage, SimDuration> {
        let latency = self.world.draw(Subject::CLUSTER, "store latency", self.world.cluster.latency.store);
        self.world.enter_at_once(point, latency).ok_or(latency)
    }

    /// Enters the long way.
    async fn enter(
        &self,
        point: Point,
        subject: Subject,
        kind: Kind,
        latency: SimDuration,
    ) -> Result<Passage, StoreError> {
        let call = Call { point, actor: self.actor, subject, kind };
        let passage = self.world.enter(call, latency).await;
        match passage.error {
            None => Ok(passage),
            Some(message) => Err(self.fail(point, subject, &passage, message)),
        }
    }

    fn fail(&self, point: Point, subject: Subject, passage: &Passage, error: Name) -> StoreError {
        let what = What::CallFailed { point, since: passage.since, error };
        self.world.record_and_follow(self.actor, subject, what);
        StoreError::Failed(error)
    }

    /// The answer of a call that has taken effect: lost, or never heard by a caller that dies.
    async fn answer<T>(
        &self,
        point: Point,
        subject: Subject,
        passage: &Passage,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.world.leave(passage).await;
        if passage.lose_reply && result.is_ok() {
            return Err(self.fail(point, subject, passage, Name::new("the reply was lost")));
        }
        result
    }
}

impl EntityStore for SimStore {
    type Watch<E: Entity> = SimWatch<E>;

    async fn get<E: Entity>(&self, id: Id<E>) -> Result<Versioned<E>, StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let passage = match self.enter_at_once(Point::StoreGet) {
            Ok(passage) => passage,
            Err(latency) => self.enter(Point::StoreGet, subject, E::KIND, latency).await?,
        };
        let table = E::table(&self.world.tables);
        let found = match passage.stale {
            None => table.get(id),
            Some(age) => table.get_past(id, self.world.then(age)),
        };
        let result = found.ok_or(StoreError::NotFound);
        if passage.is_clear() { result } else { self.answer(Point::StoreGet, subject, &passage, result).await }
    }

    async fn list<E: Entity>(&self, query: Query<E>) -> Result<Listed<E>, StoreError> {
        let subject = match query {
            Query::All => None,
            Query::By(entry) => E::index_subject(entry),
        };
        let subject = subject.unwrap_or(Subject::CLUSTER);
        let passage = match self.enter_at_once(Point::StoreList) {
            Ok(passage) => passage,
            Err(latency) => self.enter(Point::StoreList, subject, E::KIND, latency).await?,
        };
        let table = E::table(&self.world.tables);
        let found = match passage.stale {
            None => table.list(query),
            Some(age) => table.list_past(query, self.world.then(age), |meta| self.world.key_of(&meta.name)),
        };
        let result = Ok(found);
        if passage.is_clear() { result } else { self.answer(Point::StoreList, subject, &passage, result).await }
    }

    async fn create<E: Entity>(&self, entity: E) -> Result<Versioned<E>, StoreError> {
        // The new entity has no name yet: a filter sees what it belongs to.
        let owner = entity.fields().into_iter().find_map(|(field, value)| match (field, value) {
            (Field::Pool | Field::App | Field::Disk | Field::CreatedBy, Value::Ref(owner)) => Some(owner),
            _ => None,
        });
        let subject = owner.unwrap_or(Subject::CLUSTER);
        let passage = match self.enter_at_once(Point::StoreCreate) {
            Ok(passage) => passage,
            Err(latency) => self.enter(Point::StoreCreate, subject, E::KIND, latency).await?,
        };
        let item = self.world.apply_create(self.actor, entity);
        let result = Ok(item);
        if passage.is_clear() { result } else { self.answer(Point::StoreCreate, subject, &passage, result).await }
    }

    async fn patch<E: Entity>(
        &self,
        id: Id<E>,
        changes: Vec<E::Change>,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let passage = match self.enter_at_once(Point::StorePatch) {
            Ok(passage) => passage,
            Err(latency) => self.enter(Point::StorePatch, subject, E::KIND, latency).await?,
        };
        let write = |entity: &mut E| changes.into_iter().map(|change| entity.apply(change)).collect();
        let result = self.world.apply_patch(self.actor, id, expected, write);
        if passage.is_clear() { result } else { self.answer(Point::StorePatch, subject, &passage, result).await }
    }

    async fn replace<E: Entity>(
        &self,
        id: Id<E>,
        entity: E,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let passage = match self.enter_at_once(Point::StorePatch) {
            Ok(passage) => passage,
            Err(latency) => self.enter(Point::StorePatch, subject, E::KIND, latency).await?,
        };
        let write = |old: &mut E| old.diff(&entity, |_| true).into_iter().map(|change| old.apply(change)).collect();
        let result = self.world.apply_patch(self.actor, id, expected, write);
        if passage.is_clear() { result } else { self.answer(Point::StorePatch, subject, &passage, result).await }
    }

    async fn delete<E: Entity>(&self, id: Id<E>) -> Result<(), StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let passage = match self.enter_at_once(Point::StoreDelete) {
            Ok(passage) => passage,
            Err(latency) => self.enter(Point::StoreDelete, subject, E::KIND, latency).await?,
        };
        let result = self.world.apply_delete(self.actor, id);
        if passage.is_clear() { result } else { self.answer(Point::StoreDelete, subject, &passage, result).await }
    }

    async fn watch<E: Entity>(&self, query: Query<E>, after: Option<Revision>) -> Result<SimWatch<E>, StoreError> {
        let now = self.world.kernel.now();
        let controller = self.actor.controller;
        if self.world.tables.cuts.borrow().get(controller.name()).is_some_and(|until| now < *until) {
            return Err(StoreError::Failed(Name::new("the store cannot be reached")));
        }
        let at = now + self.world.draw(Subject::CLUSTER, "watch latency", self.world.cluster.latency.watch);
        let mailbox = E::table(&self.world.tables).watch(controller, query, after, at);
        let since = after.unwrap_or_else(|| self.world.revision());
        Ok(SimWatch { world: self.world.clone(), actor: self.actor, since, mailbox })
    }
}

impl World {
    /// The instant `age` ago.
    fn then(&self, age: SimDuration) -> SimTime {
        SimTime::from_nanos(self.kernel.now().as_nanos().saturating_sub(age.as_nanos()))
    }
}

/// A running watch.
pub struct SimWatch<E: Entity> {
    world: World,
    actor: Actor,
    since: Revision,
    mailbox: Rc<Mailbox<E>>,
}

impl<E: Entity> Drop for SimWatch<E> {
    fn drop(&mut self) {
        self.mailbox.closed.set(true);
    }
}

impl<E: Entity> SimWatch<E> {
    /// Waits until there is something to deliver.
    async fn head(&self) -> Result<Delivery<E>, StoreError> {
        poll_fn(|cx| {
            if let Some(delivery) = self.mailbox.queue.borrow_mut().pop_front() {
                return Poll::Ready(Ok(delivery));
            }
            if self.mailbox.broken.get() {
                return Poll::Ready(Err(StoreError::Failed(Name::new("the watch broke"))));
            }
            self.mailbox.reader.sleeps(cx.waker());
            Poll::Pending
        })
        .await
    }
}

impl<E: Entity> Watch<E> for SimWatch<E> {
    fn since(&self) -> Revision {
        self.since
    }

    async fn next(&mut self) -> Result<Option<WatchEvent<E>>, StoreError> {
        loop {
            let Delivery { at, event } = self.head().await?;
            self.world.kernel.sleep_until(at).await;
            if self.mailbox.broken.get() {
                // The connection broke while the event was on its way.
                return Err(StoreError::Failed(Name::new("the watch broke")));
            }
            let subject = Subject { kind: E::KIND, index: event.item.id.index() };
            let call = Call { point: Point::WatchDeliver, actor: self.actor, subject, kind: E::KIND };
            let mut dropped = false;
            let mut broken = None;
            let mut delay = SimDuration::ZERO;
            for strike in self.world.strikes(&call) {
                let what = What::Struck { fault: strike.fault, point: call.point, effect: strike.effect.name() };
                let record = self.world.record_caused(
                    WORLD,
                    subject,
                    crate::kernel::RecordId::from_number(event.item.meta.origin.0),
                    what,
                );
                match strike.effect {
                    Effect::Drop => dropped = true,
                    Effect::Error(message) => broken = Some(message),
                    Effect::Hang => std::future::pending().await,
                    Effect::Delay(spread) => {
                        delay = delay
                            + self.world.draw(Subject { kind: Kind::Fault, index: strike.fault }, "delay", spread);
                    }
                    Effect::CrashBefore | Effect::CrashAfter => {
                        self.world.kernel.set_cause(record);
                        self.world.crash_caller().await;
                    }
                    Effect::LoseReply | Effect::Stale(_) => {}
                }
            }
            if !delay.is_zero() {
                self.world.kernel.sleep(delay).await;
            }
            if let Some(message) = broken {
                // The connection breaks: what was on its way is lost with it.
                self.mailbox.queue.borrow_mut().clear();
                self.mailbox.broken.set(true);
                return Err(StoreError::Failed(message));
            }
            if !dropped {
                return Ok(Some(event));
            }
        }
    }
}
