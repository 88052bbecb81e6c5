//! The store as controllers reach it: every call passes the gate, and every watch can break.
//!
//! It implements [`EntityStore`] with what `store` does to the tables. A call takes time and may
//! fail before or after its effect; reads may answer what was true a while ago. What a newcomer
//! gets wrong: a watch is no call – it is opened at once, and only its events pass the gate.

use std::rc::Rc;

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

    /// A whole call: `act` takes effect when its latency is over.
    async fn call<T>(
        &self,
        point: Point,
        subject: Subject,
        kind: Kind,
        act: impl FnOnce(&Passage) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let latency = self.world.log().draw(Subject::CLUSTER, "store latency", self.world.cluster().latency.store);
        let passage = match self.world.enter_at_once(point, latency) {
            Some(passage) => passage,
            None => self.world.enter(Call { point, actor: self.actor, subject, kind: Some(kind) }, latency).await,
        };
        if let Some(message) = passage.error {
            return Err(self.fail(point, subject, &passage, message));
        }
        let result = act(&passage);
        if !passage.is_clear() {
            self.world.leave(&passage).await;
        }
        if passage.lose_reply && result.is_ok() {
            return Err(self.fail(point, subject, &passage, Name::new("the reply was lost")));
        }
        result
    }

    fn fail(&self, point: Point, subject: Subject, passage: &Passage, error: Name) -> StoreError {
        let what = What::CallFailed { point, since: passage.since, error };
        self.world.log().record_and_follow(self.actor, subject, what);
        StoreError::Failed(error)
    }
}

impl EntityStore for SimStore {
    type Watch<E: Entity> = SimWatch<E>;

    async fn get<E: Entity>(&self, id: Id<E>) -> Result<Versioned<E>, StoreError> {
        let read = |passage: &Passage| {
            let table = E::table(self.world.tables());
            let found = match passage.stale {
                None => table.get(id),
                Some(age) => table.get_past(id, self.world.then(age)),
            };
            found.ok_or(StoreError::NotFound)
        };
        self.call(Point::StoreGet, id.into(), E::KIND, read).await
    }

    async fn list<E: Entity>(&self, query: Query<E>) -> Result<Listed<E>, StoreError> {
        let subject = match query {
            Query::All => None,
            Query::By(entry) => E::index_subject(entry),
        };
        let read = |passage: &Passage| {
            let table = E::table(self.world.tables());
            Ok(match passage.stale {
                None => table.list(query),
                Some(age) => table.list_past(query, self.world.then(age), |meta| self.world.store().key_of(&meta.name)),
            })
        };
        self.call(Point::StoreList, subject.unwrap_or(Subject::CLUSTER), E::KIND, read).await
    }

    async fn create<E: Entity>(&self, entity: E) -> Result<Versioned<E>, StoreError> {
        // The new entity has no name yet: a filter sees what it belongs to.
        let owner = entity.fields().into_iter().find_map(|(field, value)| match (field, value) {
            (Field::Pool | Field::App | Field::Disk | Field::CreatedBy, Value::Ref(owner)) => Some(owner),
            _ => None,
        });
        let write = |_: &Passage| Ok(self.world.store().create(self.actor, entity));
        self.call(Point::StoreCreate, owner.unwrap_or(Subject::CLUSTER), E::KIND, write).await
    }

    async fn patch<E: Entity>(
        &self,
        id: Id<E>,
        changes: Vec<E::Change>,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let apply = |entity: &mut E| changes.into_iter().map(|change| entity.apply(change)).collect();
        let write = |_: &Passage| self.world.store().patch(self.actor, id, expected, apply);
        self.call(Point::StorePatch, id.into(), E::KIND, write).await
    }

    async fn replace<E: Entity>(
        &self,
        id: Id<E>,
        entity: E,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let apply = |old: &mut E| old.diff(&entity, |_| true).into_iter().map(|change| old.apply(change)).collect();
        let write = |_: &Passage| self.world.store().patch(self.actor, id, expected, apply);
        self.call(Point::StorePatch, id.into(), E::KIND, write).await
    }

    async fn delete<E: Entity>(&self, id: Id<E>) -> Result<(), StoreError> {
        let write = |_: &Passage| self.world.store().delete(self.actor, id);
        self.call(Point::StoreDelete, id.into(), E::KIND, write).await
    }

    async fn watch<E: Entity>(&self, query: Query<E>, after: Option<Revision>) -> Result<SimWatch<E>, StoreError> {
        let (since, mailbox) = self.world.store().watch(self.actor.controller, query, after)?;
        Ok(SimWatch { world: self.world.clone(), actor: self.actor, since, mailbox })
    }
}

impl World {
    /// The instant `age` ago.
    fn then(&self, age: SimDuration) -> SimTime {
        SimTime::from_nanos(self.kernel().now().as_nanos().saturating_sub(age.as_nanos()))
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
        let Mailbox { queue, broken, reader, .. } = &*self.mailbox;
        let broke = || broken.get().then(|| Err(StoreError::Failed(Name::new("the watch broke"))));
        reader.until(|| queue.borrow_mut().pop_front().map(Ok).or_else(broke)).await
    }
}

impl<E: Entity> Watch<E> for SimWatch<E> {
    fn since(&self) -> Revision {
        self.since
    }

    async fn next(&mut self) -> Result<Option<WatchEvent<E>>, StoreError> {
        loop {
            let Delivery { at, event } = self.head().await?;
            self.world.kernel().sleep_until(at).await;
            if self.mailbox.broken.get() {
                // The connection broke while the event was on its way.
                return Err(StoreError::Failed(Name::new("the watch broke")));
            }
            let subject = Subject::from(event.item.id);
            let call = Call { point: Point::WatchDeliver, actor: self.actor, subject, kind: Some(E::KIND) };
            let mut dropped = false;
            let mut broken = None;
            let mut delay = SimDuration::ZERO;
            for strike in self.world.strikes(&call) {
                let what = What::Struck { fault: strike.fault, point: call.point, effect: strike.effect.name() };
                let record = self.world.log().record_caused(
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
                            + self.world.log().draw(
                                Subject { kind: Kind::Fault, index: strike.fault },
                                "delay",
                                spread,
                            );
                    }
                    Effect::CrashBefore | Effect::CrashAfter => {
                        self.world.kernel().set_cause(record);
                        self.world.crash_caller().await;
                    }
                    Effect::LoseReply | Effect::Stale(_) => {}
                }
            }
            if !delay.is_zero() {
                self.world.kernel().sleep(delay).await;
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
