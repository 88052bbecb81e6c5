//! The simulated store: typed tables, global revisions, what a write does.
//!
//! A part of the world that knows no latency: whoever calls it acts now. Controllers reach it
//! through `store_calls`. Every write makes a record, one record for each field that changed, and
//! the news for the watches; the faults hear of statuses, which may be what they wait for. What a
//! newcomer gets wrong: timestamps are whole milliseconds, so two writes may carry the same one – revisions
//! tell them apart.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::hashed::{Hashed, hash_of};
use crate::kernel::{SimDuration, SimTime};
use crate::model::{
    Actor, Controller, Entity, Field, Id, Kind, Name, OfAll, PerKind, PoolId, Revision, SandboxId, Subject, Value,
};
use crate::ports::{Change, Meta, Origin, Query, StoreError, Versioned, WatchEvent};
use crate::trace::What;

use super::faults::{Facts, Faults};
use super::log::Log;
use super::order::Order;
use super::spec::Spread;
use super::table::{Mailbox, Table};

/// The tables of the store.
pub type Tables = OfAll<Stored>;

/// Of each kind there is a table.
pub struct Stored;

impl PerKind for Stored {
    type Of<E: Entity> = Table<E>;
}

/// What the store's server does in some eras only.
#[derive(Clone, Copy, Default)]
pub struct StoreRules {
    /// A patch that expects no revision conflicts with what was written since it read.
    pub guards_patches: bool,
    /// A watch event tells the entity as it is at its delivery, not as the change left it.
    pub tells_at_delivery: bool,
}

/// What those of a kind are numbered under.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Under {
    Parent(Subject),
    Name(Name),
}

/// The store of a run.
pub struct Store {
    log: Rc<Log>,
    faults: Rc<Faults>,
    watch_latency: Spread,
    tables: Tables,
    revision: Cell<u64>,
    /// How many of a kind were born under each parent, or under each name.
    births: RefCell<Hashed<(Kind, Under, u32)>>,
    /// The pool that each sandbox was created in, for those that outlive it.
    pools_of: RefCell<Vec<PoolId>>,
    /// The app's own name and the service of each pool, for those that outlive it.
    programs: RefCell<Vec<(Name, Name)>>,
    /// The own name of each app, even when it is deleted.
    app_names: RefCell<Vec<Name>>,
    order: Order,
    rules: Cell<StoreRules>,
    /// When the watches of a controller may be opened again.
    cuts: RefCell<BTreeMap<&'static str, SimTime>>,
}

/// The value of one field.
fn value_of<E: Entity>(entity: &E, wanted: Field) -> Value {
    let mut found = Value::None;
    entity.for_each_field(|field, value| {
        if field == wanted {
            found = value;
        }
    });
    found
}

impl Store {
    /// An empty one, which tells the faults what is written; news take `watch_latency`.
    pub(super) fn new(log: &Rc<Log>, faults: &Rc<Faults>, watch_latency: Spread) -> Self {
        Self {
            log: Rc::clone(log),
            faults: Rc::clone(faults),
            watch_latency,
            tables: Tables {
                apps: Table::default(),
                versions: Table::default(),
                pools: Table::default(),
                sandboxes: Table::default(),
                disks: Table::default(),
                leases: Table::default(),
                nodes: Table::default(),
            },
            revision: Cell::new(0),
            births: RefCell::default(),
            pools_of: RefCell::default(),
            programs: RefCell::default(),
            app_names: RefCell::default(),
            order: Order::default(),
            rules: Cell::default(),
            cuts: RefCell::default(),
        }
    }

    /// What stands in it.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// The server follows these rules from now on.
    pub fn follow(&self, rules: StoreRules) {
        self.rules.set(rules);
    }

    /// What a watch tells of a change, now that it is delivered; none: nothing (rule 1.8).
    pub(super) fn told<E: Entity>(&self, event: WatchEvent<E>) -> Option<WatchEvent<E>> {
        if event.change == Change::Deleted || !self.rules.get().tells_at_delivery {
            return Some(event);
        }
        E::of(&self.tables).get(event.item.id).map(|item| WatchEvent { item, ..event })
    }

    /// Keeps every former state from now on.
    pub(super) fn keep_past(&self) {
        let Tables { apps, versions, pools, sandboxes, disks, leases, nodes } = &self.tables;
        apps.keep_past();
        versions.keep_past();
        pools.keep_past();
        sandboxes.keep_past();
        disks.keep_past();
        leases.keep_past();
        nodes.keep_past();
    }

    /// The pool that the sandbox was created in, even when the sandbox is gone.
    pub fn pool_of(&self, sandbox: u32) -> Option<PoolId> {
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
    /// The app and service whose program a sandbox runs.
    pub(super) fn program_of(&self, sandbox: SandboxId) -> Option<(Name, Name)> {
        self.program_of_pool(self.pool_of(sandbox.index())?.index())
    }

    /// How many of a kind were born there so far; it is one more from now on.
    fn birth(&self, kind: Kind, under: Under) -> u32 {
        let mut births = self.births.borrow_mut();
        let is = |(its, place, _): &(Kind, Under, u32)| *its == kind && *place == under;
        let (.., count) = births.get_or_insert_with(hash_of((kind, under)), is, || (kind, under, 0));
        *count += 1;
        *count - 1
    }

    /// The stable name of an entity that is about to be created (`SCENARIO.md`, *Rules for the whole file*).
    fn birth_name<E: Entity>(&self, entity: &E) -> Name {
        let name_in = |field| match value_of(entity, field) {
            Value::Text(name) => name,
            other => unreachable!("{field:?} of a {} is a name, not {other:?}", E::KIND.name()),
        };
        let parent_in = |field| match value_of(entity, field) {
            Value::Ref(parent) => (parent, self.log.name(parent)),
            other => unreachable!("{field:?} of a {} is a thing, not {other:?}", E::KIND.name()),
        };
        let number = |under| self.birth(E::KIND, under);
        // The kind is written first and the parts in one go: this is done at every boot.
        let kind = E::KIND.name();
        let child = |(parent, name): (Subject, Name)| {
            [kind, "/", name.short(), "-", &number(Under::Parent(parent)).to_string()].concat()
        };
        // From the second of that name on it is `name~2`, `name~3`, …
        let numbered = |name: Name| match number(Under::Name(name)) {
            0 => [kind, "/", &name].concat(),
            n => [kind, "/", &name, "~", &(n + 1).to_string()].concat(),
        };
        Name::new(&match E::KIND {
            Kind::Version => {
                let (app, name) = parent_in(Field::App);
                [kind, "/", name.short(), "-v", &(number(Under::Parent(app)) + 1).to_string()].concat()
            }
            Kind::Pool => {
                let base = [parent_in(Field::App).1.short(), "-", &name_in(Field::Service)].concat();
                numbered(Name::new(&base))
            }
            Kind::Sandbox => child(parent_in(Field::Pool)),
            Kind::Lease => child(parent_in(Field::Disk)),
            _ => numbered(name_in(Field::Name)),
        })
    }

    /// The revision of the last write.
    fn revision(&self) -> Revision {
        Revision(self.revision.get())
    }

    fn next_revision(&self) -> Revision {
        self.revision.set(self.revision.get() + 1);
        self.revision()
    }

    /// Where lists show an entity: by what its id would begin with in the real store (rule 1.3).
    pub(super) fn place_of<E: Entity>(&self, entity: &E) -> Name {
        let value = |field| value_of(entity, field);
        let prefix = match (E::KIND, value(Field::Name), value(Field::App), value(Field::Pool)) {
            (Kind::App | Kind::Node, Value::Text(name), ..) => Some((name, None)),
            (Kind::Version, _, Value::Ref(app), _) => {
                Some((self.app_name(app.index).expect("a version's app was created"), None))
            }
            (Kind::Sandbox, _, _, Value::Ref(pool)) => {
                let (app, service) = self.program_of_pool(pool.index).expect("a sandbox's pool was created");
                Some((app, Some(service)))
            }
            _ => None,
        };
        self.order.place(E::KIND, prefix)
    }

    /// Creates an entity, now.
    pub fn create<E: Entity>(&self, actor: Actor, entity: E) -> Versioned<E> {
        let name = self.birth_name(&entity);
        let key = self.place_of(&entity);
        let subject = self.log.name_next(E::KIND, name);
        let revision = self.next_revision();
        let stamp = self.log.now().floor_millis();
        let record = self.log.decide(actor, subject, What::Created { revision: revision.0 });
        entity.for_each_field(|field, to| {
            if !matches!(to, Value::None | Value::Int(0)) {
                let set = self.log.record_caused(actor, subject, record, What::Set { field, from: Value::None, to });
                self.log.keep_detail(set, entity.detail(field));
            }
        });
        let table = E::of(&self.tables);
        debug_assert_eq!(table.next_id().index(), subject.index, "trace and table count alike");
        let meta = Meta { name, revision, created_at: stamp, updated_at: stamp, origin: Origin(record.number()) };
        let item = table.insert(entity, meta, key);
        self.remember_origin(&item.entity);
        self.observe_field(subject, Field::Status, value_of(&item.entity, Field::Status));
        self.publish(None, Change::Added, &item);
        item
    }

    /// Keeps what an entity was born with, for those that outlive it.
    fn remember_origin<E: Entity>(&self, entity: &E) {
        let value = |field| value_of(entity, field);
        match E::KIND {
            Kind::Sandbox => {
                if let Value::Ref(pool) = value(Field::Pool) {
                    self.pools_of.borrow_mut().push(PoolId::from_index(pool.index));
                }
            }
            Kind::Pool => {
                if let (Value::Ref(app), Value::Text(service)) = (value(Field::App), value(Field::Service)) {
                    let app = self.app_name(app.index).expect("a pool's app was created");
                    self.programs.borrow_mut().push((app, service));
                }
            }
            Kind::App => {
                if let Value::Text(name) = value(Field::Name) {
                    self.app_names.borrow_mut().push(name);
                }
            }
            _ => {}
        }
    }

    /// Writes fields of an entity, now.
    ///
    /// With `read_at`, nobody checks the revision: the entity was read then, and is written whole.
    /// What others wrote in between is lost (rule 1.5) – or, before `unchecked-patch`, noticed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Conflict`].
    pub fn patch<E: Entity>(
        &self,
        actor: Actor,
        id: Id<E>,
        expected: Option<Revision>,
        read_at: Option<SimTime>,
        write: impl FnOnce(&mut E) -> Vec<(Field, Value, Value)>,
    ) -> Result<Revision, StoreError> {
        let subject = Subject::from(id);
        let table = E::of(&self.tables);
        let Some(meta) = table.with(id, |_, meta| *meta) else { return Err(StoreError::NotFound) };
        let read = read_at.filter(|_| expected.is_none()).and_then(|at| table.before(id, at));
        let guarded = read.is_some() && self.rules.get().guards_patches;
        if guarded || expected.is_some_and(|expected| expected != meta.revision) {
            self.log.decide(actor, subject, What::Conflict);
            return Err(StoreError::Conflict);
        }
        let revision = self.next_revision();
        let record = self.log.decide(actor, subject, What::Patched { revision: revision.0 });
        let updated_at = self.log.now().floor_millis();
        let meta = Meta { revision, updated_at, origin: Origin(record.number()), ..meta };
        let mut changed = Vec::new();
        let (old, item) = table.update(id, meta, |entity| match read {
            None => changed = write(entity),
            Some(read) => {
                let mut whole = read.entity.clone();
                write(&mut whole);
                changed = entity.become_whole(&whole);
            }
        });
        for (field, from, to) in changed {
            let set = self.log.record_caused(actor, subject, record, What::Set { field, from, to });
            self.log.keep_detail(set, item.entity.detail(field));
            self.observe_field(subject, field, to);
        }
        self.publish(Some(old), Change::Updated, &item);
        Ok(revision)
    }

    /// Deletes an entity, now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn delete<E: Entity>(&self, actor: Actor, id: Id<E>) -> Result<(), StoreError> {
        let table = E::of(&self.tables);
        if table.with(id, |_, _| ()).is_none() {
            return Err(StoreError::NotFound);
        }
        let revision = self.next_revision();
        let subject = Subject::from(id);
        let record = self.log.decide(actor, subject, What::Deleted { revision: revision.0 });
        let last = table.remove(id);
        let meta = Meta { revision, origin: Origin(record.number()), ..last.meta };
        let item = Versioned::new(id, last.entity.clone(), meta);
        self.publish(Some(last), Change::Deleted, &item);
        Ok(())
    }

    fn observe_field(&self, subject: Subject, field: Field, to: Value) {
        if let (Field::Status, Value::Status(status)) = (field, to)
            && self.faults.have_triggers()
        {
            let facts = Facts { kind: Some(subject.kind.name()), ..self.facts_of(subject) };
            self.faults.observe(status, &facts);
        }
    }

    fn publish<E: Entity>(&self, old: Option<Versioned<E>>, change: Change, item: &Versioned<E>) {
        let now = self.log.now();
        let subject = Subject::from(item.id);
        E::of(&self.tables)
            .publish(now, old, change, item, |_| now + self.log.draw(subject, "watch latency", self.watch_latency));
    }

    /// Opens a watch from now on, or from just after a revision; and what it begins after.
    ///
    /// # Errors
    /// [`StoreError::Failed`] while the watches of that controller are cut.
    pub(super) fn watch<E: Entity>(
        &self,
        controller: Controller,
        query: Query<E>,
        after: Option<Revision>,
    ) -> Result<(Revision, Rc<Mailbox<E>>), StoreError> {
        let now = self.log.now();
        if self.cuts.borrow().get(controller.name()).is_some_and(|until| now < *until) {
            return Err(StoreError::Failed(Name::new("the store cannot be reached")));
        }
        let at = now + self.log.draw(Subject::CLUSTER, "watch latency", self.watch_latency);
        let mailbox = E::of(&self.tables).watch(controller, query, after, at);
        Ok((after.unwrap_or_else(|| self.revision()), mailbox))
    }

    /// Breaks the watches of a controller, of which it says how many were open; they cannot be
    /// reopened for a while.
    pub fn cut_watches(&self, controller: Controller, lasts: SimDuration) -> usize {
        self.cuts.borrow_mut().insert(controller.name(), self.log.now() + lasts);
        let Tables { apps, versions, pools, sandboxes, disks, leases, nodes } = &self.tables;
        apps.cut(controller)
            + versions.cut(controller)
            + pools.cut(controller)
            + sandboxes.cut(controller)
            + disks.cut(controller)
            + leases.cut(controller)
            + nodes.cut(controller)
    }
}
