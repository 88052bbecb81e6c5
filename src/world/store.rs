//! The simulated store: typed tables, global revisions, latency, watches.
//!
//! It implements [`EntityStore`] on the tables, through the gate. Every write makes a record,
//! one record for each field that changed, and the news for the watches. What a newcomer gets
//! wrong: timestamps are whole milliseconds, so two writes may carry the same one – revisions
//! tell them apart.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{
    Actor, App, AppVersion, Disk, DiskLease, Entity, Field, Id, Kind, Name, Node, Point, Pool, PoolId, Revision,
    Sandbox, Subject, TableFamily, Value,
};
use crate::ports::{Change, EntityStore, Meta, Origin, Query, StoreError, Versioned, Watch, WatchEvent};
use crate::trace::What;

use super::gate::{Call, Passage};
use super::spec::{AnyStatus, Effect};
use super::table::{Delivery, Mailbox, Table};
use super::{WORLD, World};

/// The tables of the store.
#[derive(Default)]
pub struct Tables {
    /// The apps.
    pub apps: Table<App>,
    /// The app versions.
    pub versions: Table<AppVersion>,
    /// The pools.
    pub pools: Table<Pool>,
    /// The sandboxes.
    pub sandboxes: Table<Sandbox>,
    /// The disks.
    pub disks: Table<Disk>,
    /// The disk leases.
    pub leases: Table<DiskLease>,
    /// The nodes.
    pub nodes: Table<Node>,
    /// How many children each parent's name has had.
    births: RefCell<BTreeMap<String, u32>>,
    /// The pool that each sandbox was created in, for those that outlive it.
    pools_of: RefCell<Vec<PoolId>>,
    /// The app's own name and the service of each pool, for those that outlive it.
    programs: RefCell<Vec<(Name, Name)>>,
    /// The own name of each app, even when it is deleted.
    app_names: RefCell<Vec<Name>>,
    /// When the watches of a controller may be opened again.
    cuts: RefCell<BTreeMap<&'static str, SimTime>>,
}

impl TableFamily for Tables {
    type Table<E: Entity> = Table<E>;
    fn apps(&self) -> &Table<App> {
        &self.apps
    }
    fn versions(&self) -> &Table<AppVersion> {
        &self.versions
    }
    fn pools(&self) -> &Table<Pool> {
        &self.pools
    }
    fn sandboxes(&self) -> &Table<Sandbox> {
        &self.sandboxes
    }
    fn disks(&self) -> &Table<Disk> {
        &self.disks
    }
    fn leases(&self) -> &Table<DiskLease> {
        &self.leases
    }
    fn nodes(&self) -> &Table<Node> {
        &self.nodes
    }
}

impl Tables {
    pub(super) fn keep_past(&self) {
        self.apps.keep_past();
        self.versions.keep_past();
        self.pools.keep_past();
        self.sandboxes.keep_past();
        self.disks.keep_past();
        self.leases.keep_past();
        self.nodes.keep_past();
    }

    /// The pool that the sandbox was created in, even when the sandbox is gone.
    pub(super) fn pool_of(&self, sandbox: u32) -> Option<PoolId> {
        self.pools_of.borrow().get(sandbox as usize).copied()
    }

    /// The own name of an app, even when it is gone.
    pub(super) fn app_name(&self, app: u32) -> Option<Name> {
        self.app_names.borrow().get(app as usize).copied()
    }
    /// The app's name and the service of a pool, even when both are gone.
    pub(super) fn program_of_pool(&self, pool: u32) -> Option<(Name, Name)> {
        self.programs.borrow().get(pool as usize).copied()
    }

    /// The next number below `base`, and the number as a suffix for the second and later ones.
    fn birth(&self, base: &str) -> u32 {
        let mut births = self.births.borrow_mut();
        match births.get_mut(base) {
            Some(n) => {
                *n += 1;
                *n - 1
            }
            None => {
                births.insert(base.to_owned(), 1);
                0
            }
        }
    }
}

/// `name`, and from the second of that name on `name~2`, `name~3`, …
fn numbered(name: String, n: u32) -> String {
    if n == 0 { name } else { format!("{name}~{}", n + 1) }
}

impl World {
    fn short(&self, subject: impl Into<Subject>) -> String {
        let name = self.name(subject);
        name.split_once('/').map_or_else(|| name.to_string(), |(_, rest)| rest.to_owned())
    }

    /// The stable name of an entity that is about to be created (`SCENARIO.md`, *Rules for the whole file*).
    fn birth_name<E: Entity>(&self, entity: &E) -> Name {
        let tables = &self.tables;
        let value = |wanted: Field| {
            entity.fields().into_iter().find(|(field, _)| *field == wanted).map_or(Value::None, |(_, value)| value)
        };
        let text = |field: Field| match value(field) {
            Value::Text(name) => name.to_string(),
            _ => String::new(),
        };
        let parent = |field: Field| match value(field) {
            Value::Ref(subject) => self.short(subject),
            _ => String::new(),
        };
        let short = match E::KIND {
            Kind::Version => {
                let app = parent(Field::App);
                let n = tables.birth(&format!("version/{app}"));
                format!("{app}-v{}", n + 1)
            }
            Kind::Pool => {
                let base = format!("{}-{}", parent(Field::App), text(Field::Service));
                let n = tables.birth(&format!("pool/{base}"));
                numbered(base, n)
            }
            Kind::Sandbox => {
                let pool = parent(Field::Pool);
                let n = tables.birth(&format!("sandbox/{pool}"));
                format!("{pool}-{n}")
            }
            Kind::Lease => {
                let disk = parent(Field::Disk);
                let n = tables.birth(&format!("lease/{disk}"));
                format!("{disk}-{n}")
            }
            kind => {
                let base = text(Field::Name);
                let n = tables.birth(&format!("{}/{base}", kind.name()));
                numbered(base, n)
            }
        };
        Name::new(&format!("{}/{short}", E::KIND.name()))
    }

    fn next_revision(&self) -> Revision {
        self.revision.set(self.revision.get() + 1);
        Revision(self.revision.get())
    }

    fn key_of(&self, name: &str) -> u64 {
        crate::kernel::Streams::new(self.seed).once(name, "key")
    }

    /// Creates an entity, now.
    pub fn apply_create<E: Entity>(&self, actor: Actor, entity: E) -> Versioned<E> {
        let name = self.birth_name(&entity);
        let key = self.key_of(&name);
        let subject = self.name_next(E::KIND, name);
        let revision = self.next_revision();
        let stamp = self.kernel.now().floor_millis();
        let record = self.record(actor, subject, What::Created { revision: revision.0 });
        let fields = entity.fields();
        for (field, to) in &fields {
            if !matches!(to, Value::None | Value::Int(0)) {
                let what = What::Set { field: *field, from: Value::None, to: *to };
                self.record_caused(actor, subject, record, what);
            }
        }
        let table = E::table(&self.tables);
        debug_assert_eq!(table.next_id().index(), subject.index, "trace and table count alike");
        let meta = Meta { name, revision, created_at: stamp, updated_at: stamp, origin: Origin(record.number()) };
        let item = table.insert(entity, meta, key);
        self.remember_origin(E::KIND, &fields);
        for (field, to) in fields {
            self.observe_field::<E>(subject, field, to);
        }
        self.publish(None, Change::Added, &item);
        item
    }

    /// Keeps what an entity was born with, for those that outlive it.
    fn remember_origin(&self, kind: Kind, fields: &[(Field, Value)]) {
        let value = |wanted| fields.iter().find(|(field, _)| *field == wanted).map(|(_, value)| *value);
        let tables = &self.tables;
        match (kind, value(Field::Pool), value(Field::App), value(Field::Service), value(Field::Name)) {
            (Kind::Sandbox, Some(Value::Ref(pool)), ..) => {
                tables.pools_of.borrow_mut().push(PoolId::from_index(pool.index));
            }
            (Kind::Pool, _, Some(Value::Ref(app)), Some(Value::Text(service)), _) => {
                let app = tables.app_name(app.index).expect("a pool's app was created");
                tables.programs.borrow_mut().push((app, service));
            }
            (Kind::App, .., Some(Value::Text(name))) => tables.app_names.borrow_mut().push(name),
            _ => {}
        }
    }

    /// Writes fields of an entity, now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Conflict`].
    pub fn apply_patch<E: Entity>(
        &self,
        actor: Actor,
        id: Id<E>,
        expected: Option<Revision>,
        write: impl FnOnce(&mut E) -> Vec<(Field, Value, Value)>,
    ) -> Result<Revision, StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let table = E::table(&self.tables);
        let Some(meta) = table.with(id, |_, meta| *meta) else { return Err(StoreError::NotFound) };
        if expected.is_some_and(|expected| expected != meta.revision) {
            self.record(actor, subject, What::Conflict);
            return Err(StoreError::Conflict);
        }
        let revision = self.next_revision();
        let record = self.record(actor, subject, What::Patched { revision: revision.0 });
        let updated_at = self.kernel.now().floor_millis();
        let meta = Meta { revision, updated_at, origin: Origin(record.number()), ..meta };
        let mut changed = Vec::new();
        let (old, item) = table.update(id, meta, |entity| changed = write(entity));
        for (field, from, to) in changed {
            self.record_caused(actor, subject, record, What::Set { field, from, to });
            self.observe_field::<E>(subject, field, to);
        }
        self.publish(Some(old), Change::Updated, &item);
        Ok(revision)
    }

    /// Deletes an entity, now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn apply_delete<E: Entity>(&self, actor: Actor, id: Id<E>) -> Result<(), StoreError> {
        let table = E::table(&self.tables);
        if table.with(id, |_, _| ()).is_none() {
            return Err(StoreError::NotFound);
        }
        let revision = self.next_revision();
        let subject = Subject { kind: E::KIND, index: id.index() };
        let record = self.record(actor, subject, What::Deleted { revision: revision.0 });
        let mut item = table.remove(id);
        item.meta.revision = revision;
        item.meta.origin = Origin(record.number());
        self.publish(Some(Rc::clone(&item.entity)), Change::Deleted, &item);
        Ok(())
    }

    fn observe_field<E: Entity>(&self, subject: Subject, field: Field, to: Value) {
        let Value::Word(word) = to else { return };
        if field == Field::Status
            && let Some(status) = AnyStatus::of(E::KIND, word)
        {
            self.observe_status(subject, status);
        }
    }

    fn publish<E: Entity>(&self, old: Option<Rc<E>>, change: Change, item: &Versioned<E>) {
        let now = self.kernel.now();
        let subject = Subject { kind: E::KIND, index: item.id.index() };
        E::table(&self.tables)
            .publish(now, old, change, item, |_| now + self.draw(subject, "watch latency", self.cluster.latency.watch));
    }

    /// Breaks the watches of a controller, of which it says how many were open; they cannot be
    /// reopened for a while.
    pub fn cut_watches(&self, controller: crate::model::Controller, lasts: SimDuration) -> usize {
        self.tables.cuts.borrow_mut().insert(controller.name(), self.kernel.now() + lasts);
        self.tables.apps.cut(controller)
            + self.tables.versions.cut(controller)
            + self.tables.pools.cut(controller)
            + self.tables.sandboxes.cut(controller)
            + self.tables.disks.cut(controller)
            + self.tables.leases.cut(controller)
            + self.tables.nodes.cut(controller)
    }
}

impl AnyStatus {
    /// The status of that name for entities of a kind.
    pub fn of(kind: Kind, word: &str) -> Option<Self> {
        use crate::model::{DiskStatus, LeaseStatus, NodeStatus, SandboxStatus};
        match kind {
            Kind::Sandbox => SandboxStatus::ALL.iter().find(|s| s.name() == word).map(|s| Self::Sandbox(*s)),
            Kind::Disk => DiskStatus::ALL.iter().find(|s| s.name() == word).map(|s| Self::Disk(*s)),
            Kind::Lease => LeaseStatus::ALL.iter().find(|s| s.name() == word).map(|s| Self::Lease(*s)),
            Kind::Node => NodeStatus::ALL.iter().find(|s| s.name() == word).map(|s| Self::Node(*s)),
            _ => None,
        }
    }
}

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

    async fn enter(&self, point: Point, subject: Subject, kind: Kind) -> (Passage, Result<(), StoreError>) {
        let call = Call { point, actor: self.actor, subject, kind };
        let latency = self.world.draw(Subject::CLUSTER, "store latency", self.world.cluster.latency.store);
        let passage = self.world.enter(call, latency).await;
        let result = match passage.error {
            None => Ok(()),
            Some(message) => Err(self.fail(point, subject, &passage, message)),
        };
        (passage, result)
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
        let (passage, entered) = self.enter(Point::StoreGet, subject, E::KIND).await;
        entered?;
        let table = E::table(&self.world.tables);
        let found = match passage.stale {
            None => table.get(id),
            Some(age) => table.get_past(id, self.world.then(age)),
        };
        self.answer(Point::StoreGet, subject, &passage, found.ok_or(StoreError::NotFound)).await
    }

    async fn list<E: Entity>(&self, query: Query<E>) -> Result<Vec<Versioned<E>>, StoreError> {
        let subject = match query {
            Query::All => None,
            Query::By(entry) => E::index_subject(entry),
        };
        let subject = subject.unwrap_or(Subject::CLUSTER);
        let (passage, entered) = self.enter(Point::StoreList, subject, E::KIND).await;
        entered?;
        let table = E::table(&self.world.tables);
        let found = match passage.stale {
            None => table.list(query),
            Some(age) => table.list_past(query, self.world.then(age), |meta| self.world.key_of(&meta.name)),
        };
        self.answer(Point::StoreList, subject, &passage, Ok(found)).await
    }

    async fn create<E: Entity>(&self, entity: E) -> Result<Versioned<E>, StoreError> {
        // The new entity has no name yet: a filter sees what it belongs to.
        let owner = entity.fields().into_iter().find_map(|(field, value)| match (field, value) {
            (Field::Pool | Field::App | Field::Disk | Field::CreatedBy, Value::Ref(owner)) => Some(owner),
            _ => None,
        });
        let subject = owner.unwrap_or(Subject::CLUSTER);
        let (passage, entered) = self.enter(Point::StoreCreate, subject, E::KIND).await;
        entered?;
        let item = self.world.apply_create(self.actor, entity);
        self.answer(Point::StoreCreate, subject, &passage, Ok(item)).await
    }

    async fn patch<E: Entity>(
        &self,
        id: Id<E>,
        changes: Vec<E::Change>,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let (passage, entered) = self.enter(Point::StorePatch, subject, E::KIND).await;
        entered?;
        let write = |entity: &mut E| changes.into_iter().map(|change| entity.apply(change)).collect();
        let result = self.world.apply_patch(self.actor, id, expected, write);
        self.answer(Point::StorePatch, subject, &passage, result).await
    }

    async fn replace<E: Entity>(
        &self,
        id: Id<E>,
        entity: E,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let (passage, entered) = self.enter(Point::StorePatch, subject, E::KIND).await;
        entered?;
        let write = |old: &mut E| old.diff(&entity, |_| true).into_iter().map(|change| old.apply(change)).collect();
        let result = self.world.apply_patch(self.actor, id, expected, write);
        self.answer(Point::StorePatch, subject, &passage, result).await
    }

    async fn delete<E: Entity>(&self, id: Id<E>) -> Result<(), StoreError> {
        let subject = Subject { kind: E::KIND, index: id.index() };
        let (passage, entered) = self.enter(Point::StoreDelete, subject, E::KIND).await;
        entered?;
        let result = self.world.apply_delete(self.actor, id);
        self.answer(Point::StoreDelete, subject, &passage, result).await
    }

    async fn watch<E: Entity>(&self, query: Query<E>, after: Option<Revision>) -> Result<SimWatch<E>, StoreError> {
        let now = self.world.kernel.now();
        let controller = self.actor.controller;
        if self.world.tables.cuts.borrow().get(controller.name()).is_some_and(|until| now < *until) {
            return Err(StoreError::Failed(Name::new("the store cannot be reached")));
        }
        let at = now + self.world.draw(Subject::CLUSTER, "watch latency", self.world.cluster.latency.watch);
        let mailbox = E::table(&self.world.tables).watch(controller, query, after, at);
        Ok(SimWatch { world: self.world.clone(), actor: self.actor, mailbox })
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
            *self.mailbox.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl<E: Entity> Watch<E> for SimWatch<E> {
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
