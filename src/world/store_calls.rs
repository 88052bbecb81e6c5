//! The store as controllers reach it: every call passes the gate, and every watch can break.
//!
//! It implements [`EntityStore`] with what `store` does to the tables. A call takes time and may
//! fail before or after its effect; reads may answer what was true a while ago. What a newcomer
//! gets wrong: a watch is no call – it is opened at once, and only its events pass the gate.

use std::future::Future;
use std::rc::Rc;

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{Entity, Field, Id, Name, Point, Revision, Subject, Value};
use crate::ports::{EntityStore, Listed, Query, StoreError, Versioned, Watch, WatchEvent};

use super::gate::{Call, Failure, Gated, Sees, Struck};
use super::store::Store;
use super::table::{Delivery, Mailbox};

/// The store as one controller reaches it.
pub type SimStore = Gated<Store>;

impl SimStore {
    /// A call about entities of a kind.
    fn ask<E: Entity, T>(
        &self,
        point: Point,
        subject: Option<Subject>,
        sees: Sees,
        act: impl FnOnce(Option<&Struck>) -> Result<T, StoreError>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        self.reach::<E, _>(point, subject, (sees, SimDuration::ZERO), act)
    }

    /// A call that makes or changes an entity: what it refers to is looked for before its commit.
    fn write<E: Entity, T>(
        &self,
        point: Point,
        subject: Option<Subject>,
        act: impl FnOnce(SimDuration) -> Result<T, StoreError>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let commit = self.latency(Subject::CLUSTER, "commit latency", self.gate.latency.commit);
        self.reach::<E, _>(point, subject, (Sees::Nothing, commit), move |_| act(commit))
    }

    fn reach<E: Entity, T>(
        &self,
        point: Point,
        subject: Option<Subject>,
        (sees, commit): (Sees, SimDuration),
        act: impl FnOnce(Option<&Struck>) -> Result<T, StoreError>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let takes = self.latency(Subject::CLUSTER, "store latency", self.gate.latency.store) + commit;
        let subject = subject.unwrap_or(Subject::CLUSTER);
        self.call(Call { kind: Some(E::KIND), takes, sees, ..Call::question(Some(point), subject) }, act)
    }

    /// A list of what `query` names, asked for about `subject`.
    fn listed<E: Entity>(
        &self,
        subject: Option<Subject>,
        query: Query<E>,
    ) -> impl Future<Output = Result<Listed<E>, StoreError>> {
        let read = move |struck: Option<&Struck>| {
            let table = E::of(self.part.tables());
            Ok(match self.then(struck) {
                None => table.list(query),
                Some(then) => table.list_past(query, then, |entity| self.part.place_of(entity)),
            })
        };
        self.ask::<E, _>(Point::StoreList, subject, Sees::Things(Some(E::KIND)), read)
    }

    /// The instant that a read answers for, when it is not now.
    fn then(&self, struck: Option<&Struck>) -> Option<SimTime> {
        Some(self.ago(struck?.stale?))
    }

    /// The instant `age` ago.
    fn ago(&self, age: SimDuration) -> SimTime {
        SimTime::from_nanos(self.gate.log.now().as_nanos().saturating_sub(age.as_nanos()))
    }
}

impl EntityStore for SimStore {
    type Watch<E: Entity> = SimWatch<E>;

    fn get<E: Entity>(&self, id: Id<E>) -> impl Future<Output = Result<Versioned<E>, StoreError>> {
        let read = move |struck: Option<&Struck>| {
            let table = E::of(self.part.tables());
            let found = match self.then(struck) {
                None => table.get(id),
                Some(then) => table.get_past(id, then),
            };
            found.ok_or(StoreError::NotFound)
        };
        self.ask::<E, _>(Point::StoreGet, Some(id.into()), Sees::Things(None), read)
    }

    fn list<E: Entity>(&self, query: Query<E>) -> impl Future<Output = Result<Listed<E>, StoreError>> {
        let subject = match query {
            Query::All => None,
            Query::By(entry) => E::index_subject(entry),
        };
        self.listed(subject, query)
    }

    fn list_all_for<E: Entity>(&self, wanted: E::Index) -> impl Future<Output = Result<Listed<E>, StoreError>> {
        self.listed(None, Query::By(wanted))
    }

    fn create<E: Entity>(&self, entity: E) -> impl Future<Output = Result<Versioned<E>, StoreError>> {
        // The new entity has no name yet: a filter sees what it belongs to.
        let owner = entity.fields().into_iter().find_map(|(field, value)| match (field, value) {
            (Field::Pool | Field::App | Field::Disk | Field::CreatedBy, Value::Ref(owner)) => Some(owner),
            _ => None,
        });
        self.write::<E, _>(Point::StoreCreate, owner, move |_| Ok(self.part.create(self.actor, entity)))
    }

    fn patch<E: Entity>(
        &self,
        id: Id<E>,
        changes: Vec<E::Change>,
        expected: Option<Revision>,
    ) -> impl Future<Output = Result<Revision, StoreError>> {
        let apply = move |entity: &mut E| changes.into_iter().map(|change| entity.apply(change)).collect();
        let write = move |commit| self.part.patch(self.actor, id, expected, Some(self.ago(commit)), apply);
        self.write::<E, _>(Point::StorePatch, Some(id.into()), write)
    }

    fn replace<E: Entity>(
        &self,
        id: Id<E>,
        entity: E,
        expected: Option<Revision>,
    ) -> impl Future<Output = Result<Revision, StoreError>> {
        let apply =
            move |old: &mut E| old.diff(&entity, |_| true).into_iter().map(|change| old.apply(change)).collect();
        let write = move |commit| self.part.patch(self.actor, id, expected, Some(self.ago(commit)), apply);
        self.write::<E, _>(Point::StorePatch, Some(id.into()), write)
    }

    fn delete<E: Entity>(&self, id: Id<E>) -> impl Future<Output = Result<(), StoreError>> {
        let write = move |_: Option<&Struck>| self.part.delete(self.actor, id);
        self.ask::<E, _>(Point::StoreDelete, Some(id.into()), Sees::Nothing, write)
    }

    async fn watch<E: Entity>(&self, query: Query<E>, after: Option<Revision>) -> Result<SimWatch<E>, StoreError> {
        let (since, mailbox) = self.part.watch(self.actor.controller, query, after)?;
        Ok(SimWatch { store: self.clone(), since, mailbox })
    }
}

/// A running watch.
pub struct SimWatch<E: Entity> {
    store: SimStore,
    since: Revision,
    mailbox: Rc<Mailbox<E>>,
}

impl<E: Entity> Drop for SimWatch<E> {
    fn drop(&mut self) {
        self.mailbox.closed.set(true);
    }
}

/// A delivery failed: the connection breaks. Whoever opens it again notes that.
struct Broke(Name);

impl Failure for Broke {
    fn on_the_way(message: Name) -> Self {
        Self(message)
    }
    fn told(&self) -> Option<Name> {
        None
    }
}

impl<E: Entity> SimWatch<E> {
    /// Waits until there is something to deliver.
    async fn head(&self) -> Result<Delivery<E>, StoreError> {
        let Mailbox { queue, broken, reader, .. } = &*self.mailbox;
        let broke = || broken.get().then(|| Err(StoreError::Failed(Name::new("the watch broke"))));
        reader.until(|| queue.borrow_mut().pop_front().map(Ok).or_else(broke)).await
    }

    /// Hands an event over; false when it is lost.
    async fn deliver(&self, event: &WatchEvent<E>) -> Result<bool, Broke> {
        let kernel = self.store.gate.log.kernel();
        // What strikes a delivery follows from the write, and the watch goes on as it was.
        let before = kernel.cause();
        kernel.set_cause(RecordId::from_number(event.item.meta.origin.0));
        let (point, subject) = (Some(Point::WatchDeliver), event.item.id.into());
        let call = Call { kind: Some(E::KIND), sees: Sees::Nothing, ..Call::question(point, subject) };
        let delivered = self.store.call(call, |struck| Ok(struck.is_none_or(|struck| !struck.dropped))).await;
        kernel.set_cause(before);
        delivered
    }
}

impl<E: Entity> Watch<E> for SimWatch<E> {
    fn since(&self) -> Revision {
        self.since
    }

    async fn next(&mut self) -> Result<Option<WatchEvent<E>>, StoreError> {
        loop {
            let Delivery { at, event } = self.head().await?;
            {
                // Whoever waits for news has nothing in hand, but once some are on their way.
                let _under_way = self.store.gate.under_way();
                self.store.gate.log.kernel().sleep_until(at).await;
            }
            if self.mailbox.broken.get() {
                // The connection broke while the event was on its way.
                return Err(StoreError::Failed(Name::new("the watch broke")));
            }
            match self.deliver(&event).await {
                Ok(true) => {
                    if let Some(event) = self.store.part.told(event) {
                        return Ok(Some(event));
                    }
                }
                Ok(false) => {}
                Err(Broke(message)) => {
                    // What was on its way is lost with the connection.
                    self.mailbox.queue.borrow_mut().clear();
                    self.mailbox.broken.set(true);
                    return Err(StoreError::Failed(message));
                }
            }
        }
    }
}
