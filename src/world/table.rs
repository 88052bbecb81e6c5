//! One table of the store: rows by id, listed by key, indexed, watched.
//!
//! It knows nothing of latency or faults: a change takes effect the moment it is called, and the
//! caller decides when that is. Rows are shared snapshots, copied only when a reader still holds
//! the old one. What a newcomer gets wrong: lists come in the order of the rows' keys first, and
//! only among equal ones in that of creation.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::hashed::{Hashed, hash_of};
use crate::kernel::SimTime;
use crate::model::{Controller, Entity, Id, Name, Revision};
use crate::notify::Notify;
use crate::ports::{Change, Listed, Meta, Query, Versioned, WatchEvent};

mod places;

use places::Places;

/// How many changes a table remembers for watches that resume.
const LOG_LEN: usize = 10_000;

/// What a watch is told, besides the event itself.
pub(super) struct Delivery<E: Entity> {
    pub(super) at: SimTime,
    pub(super) event: WatchEvent<E>,
}

/// A watch's mailbox, shared by the table that fills it and the controller that reads it.
pub(super) struct Mailbox<E: Entity> {
    pub(super) controller: Controller,
    pub(super) query: Query<E>,
    pub(super) queue: RefCell<VecDeque<Delivery<E>>>,
    pub(super) reader: Notify,
    /// The connection broke: the reader is told once the queue is empty.
    pub(super) broken: Cell<bool>,
    /// The reader is gone.
    pub(super) closed: Cell<bool>,
}

impl<E: Entity> Mailbox<E> {
    pub(super) fn wake(&self) {
        self.reader.notify_all();
    }
    fn wants(&self, old: Option<&E>, new: Option<&E>) -> bool {
        match self.query {
            Query::All => true,
            Query::By(entry) => old.into_iter().chain(new).any(|entity| has_index(entity, entry)),
        }
    }
}

fn has_index<E: Entity>(entity: &E, entry: E::Index) -> bool {
    let mut found = false;
    entity.for_each_index(&mut |index| found |= index == entry);
    found
}

struct Row<E> {
    key: Name,
    item: Versioned<E>,
}

/// A change, kept for watches that resume.
struct Logged<E: Entity> {
    at: SimTime,
    old: Option<Versioned<E>>,
    event: WatchEvent<E>,
}

/// What a row became at an instant; none: deleted.
type Past<E> = (SimTime, Id<E>, Option<Versioned<E>>);

/// Where lists show a row: by its key, then by its id.
type Place<E> = (Name, Id<E>);

/// The rows that share an index entry.
struct Entry<E> {
    /// Sorted.
    places: Vec<Place<E>>,
    /// Their list, as long as none of them has changed since it was asked for.
    listed: Option<Listed<E>>,
}

impl<E> Default for Entry<E> {
    fn default() -> Self {
        Self { places: Vec::new(), listed: None }
    }
}

/// What belongs to each index entry: by the number of what the entry is about, or by a name.
struct ByIndex<E: Entity, T> {
    /// By kind and number.
    things: Vec<Vec<T>>,
    names: Hashed<(E::Index, T)>,
}

impl<E: Entity, T: Default> ByIndex<E, T> {
    fn new() -> Self {
        Self { things: Vec::new(), names: Hashed::new() }
    }
    fn is_empty(&self) -> bool {
        self.things.is_empty() && self.names.is_empty()
    }
    #[inline]
    fn get(&self, index: E::Index) -> Option<&T> {
        match E::index_subject(index) {
            Some(thing) => self.things.get(thing.kind as usize)?.get(thing.index as usize),
            None => self.names.get(hash_of(index), |(its, _)| *its == index).map(|(_, of)| of),
        }
    }
    #[inline]
    fn get_mut(&mut self, index: E::Index) -> Option<&mut T> {
        match E::index_subject(index) {
            Some(thing) => self.things.get_mut(thing.kind as usize)?.get_mut(thing.index as usize),
            None => self.names.get_mut(hash_of(index), |(its, _)| *its == index).map(|(_, of)| of),
        }
    }
    fn get_or_default(&mut self, index: E::Index) -> &mut T {
        let Some(thing) = E::index_subject(index) else {
            let make = || (index, T::default());
            return &mut self.names.get_or_insert_with(hash_of(index), |(its, _)| *its == index, make).1;
        };
        let (kind, number) = (thing.kind as usize, thing.index as usize);
        if self.things.len() <= kind {
            self.things.resize_with(kind + 1, Vec::new);
        }
        let things = &mut self.things[kind];
        if things.len() <= number {
            things.resize_with(number + 1, T::default);
        }
        &mut things[number]
    }
    fn values(&self) -> impl Iterator<Item = &T> {
        self.things.iter().flatten().chain(self.names.iter().map(|(_, of)| of))
    }
}

/// Some watches of a table, each with the number of its opening: they are told in that order.
type Opened<E> = Vec<(u64, Rc<Mailbox<E>>)>;

/// The watches of a table.
struct Mailboxes<E: Entity> {
    opened: u64,
    /// Of whom everything is to be told.
    all: Opened<E>,
    by_index: ByIndex<E, Opened<E>>,
    /// Room for those of one change.
    touched: Opened<E>,
}

impl<E: Entity> Mailboxes<E> {
    fn open(&mut self, mailbox: &Rc<Mailbox<E>>) {
        self.opened += 1;
        let with = match mailbox.query {
            Query::All => &mut self.all,
            Query::By(index) => self.by_index.get_or_default(index),
        };
        with.push((self.opened, Rc::clone(mailbox)));
    }

    /// Shows those that want to hear of a change, in the order of their openings; the closed are forgotten.
    fn of(&mut self, old: Option<&E>, new: Option<&E>, mut show: impl FnMut(&Mailbox<E>)) {
        let is_open = |(_, mailbox): &(u64, Rc<Mailbox<E>>)| !mailbox.closed.get();
        let Self { all, by_index, touched, .. } = self;
        all.retain(is_open);
        if by_index.is_empty() {
            return all.iter().for_each(|(_, mailbox)| show(mailbox));
        }
        touched.extend_from_slice(all);
        for entity in old.into_iter().chain(new) {
            entity.for_each_index(&mut |index| {
                if let Some(with) = by_index.get_mut(index) {
                    with.retain(is_open);
                    touched.extend_from_slice(with);
                }
            });
        }
        touched.sort_unstable_by_key(|(opened, _)| *opened);
        touched.dedup_by_key(|(opened, _)| *opened);
        touched.drain(..).for_each(|(_, mailbox)| show(&mailbox));
    }

    /// All of a controller, in the order of their openings.
    fn of_controller(&self, controller: Controller) -> Vec<Rc<Mailbox<E>>> {
        let all = self.all.iter().chain(self.by_index.values().flatten());
        let mut its: Vec<_> = all.filter(|(_, mailbox)| mailbox.controller == controller).collect();
        its.sort_unstable_by_key(|(opened, _)| *opened);
        its.into_iter().map(|(_, mailbox)| Rc::clone(mailbox)).collect()
    }
}

struct Inner<E: Entity> {
    rows: Vec<Option<Row<E>>>,
    places: Places<E>,
    /// The list of all rows, as long as none has changed since it was asked for.
    listed: Option<Listed<E>>,
    by_index: ByIndex<E, Entry<E>>,
    /// The list of nothing.
    nothing: Listed<E>,
    mailboxes: Mailboxes<E>,
    log: VecDeque<Logged<E>>,
    /// Every former state, when a fault of the scenario asks for old answers.
    past: Option<Vec<Past<E>>>,
}

impl<E: Entity> Inner<E> {
    fn enter(&mut self, index: E::Index, place: Place<E>) {
        let entry = self.by_index.get_or_default(index);
        entry.listed = None;
        if let Err(at) = entry.places.binary_search(&place) {
            entry.places.insert(at, place);
        }
    }

    fn leave(&mut self, index: E::Index, place: Place<E>) {
        let Some(entry) = self.by_index.get_mut(index) else { return };
        entry.listed = None;
        if let Ok(at) = entry.places.binary_search(&place) {
            entry.places.remove(at);
        }
    }

    /// A row of that index entry has changed.
    fn touch(&mut self, index: E::Index) {
        if let Some(entry) = self.by_index.get_mut(index) {
            entry.listed = None;
        }
    }

    fn list(&mut self, query: Query<E>) -> Listed<E> {
        let Self { rows, places, listed, by_index, nothing, .. } = self;
        let item = |(_, id): &Place<E>| rows[id.index() as usize].as_ref().expect("indexed rows exist").item.clone();
        match query {
            Query::All => Rc::clone(listed.get_or_insert_with(|| places.sorted().iter().map(item).collect())),
            Query::By(index) => match by_index.get_mut(index) {
                Some(Entry { places, listed }) if !places.is_empty() => {
                    Rc::clone(listed.get_or_insert_with(|| places.iter().map(item).collect()))
                }
                _ => Rc::clone(nothing),
            },
        }
    }
}

/// One table of the store.
pub struct Table<E: Entity>(RefCell<Inner<E>>);

impl<E: Entity> Default for Table<E> {
    fn default() -> Self {
        Self(RefCell::new(Inner {
            rows: Vec::new(),
            places: Places::default(),
            listed: None,
            by_index: ByIndex::new(),
            nothing: Rc::new([]),
            mailboxes: Mailboxes { opened: 0, all: Vec::new(), by_index: ByIndex::new(), touched: Vec::new() },
            log: VecDeque::new(),
            past: None,
        }))
    }
}

impl<E: Entity> Table<E> {
    /// Keeps every former state from now on.
    pub(super) fn keep_past(&self) {
        self.0.borrow_mut().past = Some(Vec::new());
    }

    /// The id that the next row gets.
    pub(super) fn next_id(&self) -> Id<E> {
        Id::from_index(u32::try_from(self.0.borrow().rows.len()).expect("fewer than 2^32 of a kind"))
    }

    /// The row, unless it was deleted.
    pub fn get(&self, id: Id<E>) -> Option<Versioned<E>> {
        self.0.borrow().rows.get(id.index() as usize)?.as_ref().map(|row| row.item.clone())
    }

    /// Looks at a row without taking a snapshot.
    pub fn with<T>(&self, id: Id<E>, look: impl FnOnce(&E, &Meta) -> T) -> Option<T> {
        let inner = self.0.borrow();
        let row = inner.rows.get(id.index() as usize)?.as_ref()?;
        Some(look(&row.item.entity, &row.item.meta))
    }

    /// All rows of a query, in the order of their keys.
    pub fn list(&self, query: Query<E>) -> Listed<E> {
        self.0.borrow_mut().list(query)
    }

    /// Looks at all rows of a query, in the order of their keys.
    pub fn for_each(&self, query: Query<E>, mut look: impl FnMut(&Versioned<E>)) {
        if let Query::All = query {
            self.0.borrow_mut().places.sorted();
        }
        let inner = self.0.borrow();
        let row = |id: Id<E>| &inner.rows[id.index() as usize].as_ref().expect("indexed rows exist").item;
        match query {
            Query::All => inner.places.in_order.iter().for_each(|(_, id)| look(row(*id))),
            Query::By(entry) => {
                let entry = inner.by_index.get(entry);
                entry.into_iter().flat_map(|entry| &entry.places).for_each(|(_, id)| look(row(*id)));
            }
        }
    }

    /// The row as it was at `then`.
    pub(super) fn get_past(&self, id: Id<E>, then: SimTime) -> Option<Versioned<E>> {
        let inner = self.0.borrow();
        let past = inner.past.as_ref()?;
        past.iter().rev().find(|(at, changed, _)| *changed == id && *at <= then)?.2.clone()
    }

    /// The row as it was at `then`, if it was written since.
    pub(super) fn before(&self, id: Id<E>, then: SimTime) -> Option<Versioned<E>> {
        let inner = self.0.borrow();
        let since = inner.log.iter().rev().take_while(|logged| logged.at > then);
        since.filter(|logged| logged.event.item.id == id).last()?.old.clone()
    }

    /// The rows of a query as they were at `then`, in the order of their keys.
    pub(super) fn list_past(&self, query: Query<E>, then: SimTime, key: impl Fn(&E) -> Name) -> Listed<E> {
        let inner = self.0.borrow();
        let mut seen: BTreeMap<Id<E>, Option<Versioned<E>>> = BTreeMap::new();
        for (at, id, state) in inner.past.iter().flatten() {
            if *at <= then {
                seen.insert(*id, state.clone());
            }
        }
        let mut found: Vec<Versioned<E>> = seen
            .into_values()
            .flatten()
            .filter(|item| match query {
                Query::All => true,
                Query::By(entry) => has_index(&item.entity, entry),
            })
            .collect();
        found.sort_by_key(|item| (key(&item.entity), item.id));
        found.into()
    }

    /// Adds a row; `key` decides where lists show it.
    pub(super) fn insert(&self, entity: E, meta: Meta, key: Name) -> Versioned<E> {
        let id = self.next_id();
        let item = Versioned::new(id, entity, meta);
        let inner = &mut *self.0.borrow_mut();
        inner.listed = None;
        inner.places.add((key, id));
        item.entity.for_each_index(&mut |index| inner.enter(index, (key, id)));
        inner.rows.push(Some(Row { key, item: item.clone() }));
        item
    }

    /// Rewrites a row; `write` changes the copy. The old state and the new one are returned.
    ///
    /// # Panics
    /// When there is no such row: callers look first.
    pub(super) fn update(&self, id: Id<E>, meta: Meta, write: impl FnOnce(&mut E)) -> (Versioned<E>, Versioned<E>) {
        let inner = &mut *self.0.borrow_mut();
        let row = inner.rows[id.index() as usize].as_mut().expect("the caller looked");
        let mut entity = row.item.entity.clone();
        write(&mut entity);
        let key = row.key;
        let item = Versioned::new(id, entity, meta);
        let old = std::mem::replace(&mut row.item, item.clone());
        inner.listed = None;
        old.entity.for_each_index(&mut |index| {
            if has_index(&item.entity, index) {
                inner.touch(index);
            } else {
                inner.leave(index, (key, id));
            }
        });
        item.entity.for_each_index(&mut |index| {
            if !has_index(&old.entity, index) {
                inner.enter(index, (key, id));
            }
        });
        (old, item)
    }

    /// Removes a row and returns its last state.
    ///
    /// # Panics
    /// When there is no such row: callers look first.
    pub(super) fn remove(&self, id: Id<E>) -> Versioned<E> {
        let inner = &mut *self.0.borrow_mut();
        let row = inner.rows[id.index() as usize].take().expect("the caller looked");
        inner.listed = None;
        inner.places.remove((row.key, id));
        row.item.entity.for_each_index(&mut |index| inner.leave(index, (row.key, id)));
        row.item
    }

    /// Tells all watches of a change; `delivery` says when each watch gets it.
    pub(super) fn publish(
        &self,
        now: SimTime,
        old: Option<Versioned<E>>,
        change: Change,
        item: &Versioned<E>,
        mut delivery: impl FnMut(&Mailbox<E>) -> SimTime,
    ) {
        let inner = &mut *self.0.borrow_mut();
        let new = (change != Change::Deleted).then_some(&item.entity);
        inner.mailboxes.of(old.as_ref().map(|old| &old.entity), new, |mailbox| {
            if !mailbox.broken.get() {
                let at = delivery(mailbox);
                let event = WatchEvent { change, item: item.clone() };
                mailbox.queue.borrow_mut().push_back(Delivery { at, event });
                mailbox.wake();
            }
        });
        if let Some(past) = &mut inner.past {
            past.push((now, item.id, (change != Change::Deleted).then(|| item.clone())));
        }
        if inner.log.len() == LOG_LEN {
            inner.log.pop_front();
        }
        inner.log.push_back(Logged { at: now, old, event: WatchEvent { change, item: item.clone() } });
    }

    /// Opens a watch; with `after`, what came after that revision is delivered first, at `at`.
    pub(super) fn watch(
        &self,
        controller: Controller,
        query: Query<E>,
        after: Option<Revision>,
        at: SimTime,
    ) -> Rc<Mailbox<E>> {
        let mailbox = Rc::new(Mailbox {
            controller,
            query,
            queue: RefCell::default(),
            reader: Notify::default(),
            broken: Cell::new(false),
            closed: Cell::new(false),
        });
        let inner = &mut *self.0.borrow_mut();
        if let Some(after) = after {
            let missed = inner.log.iter().filter(|logged| {
                let old = logged.old.as_ref().map(|old| &old.entity);
                let new = (logged.event.change != Change::Deleted).then_some(&logged.event.item.entity);
                logged.event.item.meta.revision > after && mailbox.wants(old, new)
            });
            let mut queue = mailbox.queue.borrow_mut();
            queue.extend(missed.map(|logged| Delivery { at, event: logged.event.clone() }));
        }
        inner.mailboxes.open(&mailbox);
        mailbox
    }

    /// Breaks the watches of a controller; how many there were.
    pub(super) fn cut(&self, controller: Controller) -> usize {
        let mut count = 0;
        for mailbox in self.0.borrow().mailboxes.of_controller(controller) {
            if !mailbox.closed.get() && !mailbox.broken.replace(true) {
                mailbox.queue.borrow_mut().clear();
                mailbox.wake();
                count += 1;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests;
