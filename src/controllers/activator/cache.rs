//! What the activator remembers of pools and sandboxes (`docs/rules.md` §10).
//!
//! Three maps: which pool a version's service is led to, what the pool looked like when it was
//! last read for that service, and the sandboxes of each pool. They are filled at the start, by
//! requests that find no pool, and by sandboxes that are discovered; `follow.rs` keeps them. What
//! a newcomer gets wrong: the second is missing for most services until their first raise, and
//! no map is a copy of the store.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::model::{Name, Pool, PoolId, Revision, Sandbox, SandboxId, SandboxStatus, VersionId};
use crate::notify::Notify;
use crate::ports::{Fact, Platform, Remembers, Versioned};
use crate::time::SimTime;

use super::{Activator, Slot};

/// A version's service.
pub(super) type Key = (VersionId, Name);

/// A sandbox that is tracked, dead or alive, until it is deleted.
pub(super) struct Tracked {
    pub(super) pool: PoolId,
    pub(super) key: Key,
    pub(super) status: SandboxStatus,
    pub(super) has_address: bool,
    /// When it was discovered, or last took a request.
    pub(super) renewed: SimTime,
    /// The last activity that the store has, as far as is known.
    pub(super) written: Option<SimTime>,
    used: Rc<Cell<u32>>,
}

impl Tracked {
    /// Whether its last activity is news to the store.
    fn is_news(&self) -> bool {
        self.written.is_none_or(|written| written < self.renewed)
    }
    pub(super) fn new(item: &Versioned<Sandbox>, renewed: SimTime) -> Self {
        let sandbox = &item.entity;
        Self {
            pool: sandbox.pool,
            key: (sandbox.spec.version, sandbox.service),
            status: sandbox.status,
            has_address: sandbox.address.is_some(),
            renewed,
            written: sandbox.last_activity,
            used: Rc::default(),
        }
    }
}

/// A pool as it was when it was last read or raised for a service.
#[derive(Clone, Copy)]
pub(super) struct KnownPool {
    pub(super) id: PoolId,
    pub(super) desired: u32,
    pub(super) cooldown_until: Option<SimTime>,
    pub(super) revision: Revision,
}

impl From<&Versioned<Pool>> for KnownPool {
    fn from(item: &Versioned<Pool>) -> Self {
        let Pool { desired_instances: desired, cooldown_until, .. } = item.entity;
        Self { id: item.id, desired, cooldown_until, revision: item.meta.revision }
    }
}

/// What is kept of one pool, whoever is led to it.
#[derive(Default)]
struct Place {
    sandboxes: Vec<SandboxId>,
    /// Who was ever led to it, or read it.
    keys: BTreeSet<Key>,
}

/// What the activator remembers.
#[derive(Default)]
pub(super) struct Cache {
    bindings: RefCell<BTreeMap<Key, PoolId>>,
    /// Shared: callers that raise a pool together see what the others did to it.
    read: RefCell<BTreeMap<Key, Rc<Cell<KnownPool>>>>,
    sandboxes: RefCell<BTreeMap<SandboxId, Tracked>>,
    /// Those whose last activity is news to the store.
    unwritten: RefCell<BTreeSet<SandboxId>>,
    places: RefCell<BTreeMap<PoolId, Place>>,
    waiting: RefCell<BTreeMap<Key, Rc<Notify>>>,
}

impl Cache {
    /// Where requests of a service wait for news.
    pub(super) fn news(&self, key: Key) -> Rc<Notify> {
        Rc::clone(self.waiting.borrow_mut().entry(key).or_default())
    }

    pub(super) fn tell(&self, key: Key) {
        if let Some(waiting) = self.waiting.borrow().get(&key) {
            waiting.notify_all();
        }
    }

    pub(super) fn tell_all(&self) {
        self.waiting.borrow().values().for_each(|waiting| waiting.notify_all());
    }

    /// Tells those who are led to the pool.
    pub(super) fn tell_of(&self, pool: PoolId) {
        if let Some(place) = self.places.borrow().get(&pool) {
            place.keys.iter().filter(|key| self.bound(**key) == Some(pool)).for_each(|key| self.tell(*key));
        }
    }

    pub(super) fn bound(&self, key: Key) -> Option<PoolId> {
        self.bindings.borrow().get(&key).copied()
    }

    /// Leads a service to a pool; one that is led to another already only if it `moves`.
    pub(super) fn bind(&self, key: Key, pool: PoolId, moves: bool) {
        let mut places = self.places.borrow_mut();
        let place = places.entry(pool).or_default();
        if moves || self.bound(key).is_none() {
            self.bindings.borrow_mut().insert(key, pool);
            place.keys.insert(key);
        }
    }

    pub(super) fn read_for(&self, key: Key) -> Option<Rc<Cell<KnownPool>>> {
        self.read.borrow().get(&key).cloned()
    }

    pub(super) fn remember_read(&self, key: Key, pool: Rc<Cell<KnownPool>>) {
        self.places.borrow_mut().entry(pool.get().id).or_default().keys.insert(key);
        self.read.borrow_mut().insert(key, pool);
    }

    pub(super) fn forget_read(&self, key: Key) {
        self.read.borrow_mut().remove(&key);
    }

    /// What was read of the pool is as it says now.
    pub(super) fn refresh(&self, pool: KnownPool) {
        let (places, read) = (self.places.borrow(), self.read.borrow());
        let keys = places.get(&pool.id).into_iter().flat_map(|place| &place.keys);
        keys.filter_map(|key| read.get(key))
            .filter(|known| known.get().id == pool.id)
            .for_each(|known| known.set(pool));
    }

    /// Leads nobody to the pool any more but those whom `keeps` names.
    pub(super) fn unbind(&self, pool: PoolId, keeps: impl Fn(&Key) -> bool) {
        let places = self.places.borrow();
        let (mut bindings, mut read) = (self.bindings.borrow_mut(), self.read.borrow_mut());
        for key in places.get(&pool).into_iter().flat_map(|place| &place.keys).filter(|key| !keeps(key)) {
            if bindings.get(key) == Some(&pool) {
                bindings.remove(key);
            }
            if read.get(key).is_some_and(|known| known.get().id == pool) {
                read.remove(key);
            }
        }
    }

    pub(super) fn know(&self, pool: PoolId) {
        self.places.borrow_mut().entry(pool).or_default();
    }

    pub(super) fn knows(&self, pool: PoolId) -> bool {
        self.places.borrow().contains_key(&pool)
    }

    pub(super) fn drop_pool(&self, pool: PoolId) {
        self.unbind(pool, |_| false);
        for id in self.places.borrow_mut().remove(&pool).unwrap_or_default().sandboxes {
            self.remove(id);
        }
    }

    pub(super) fn sandboxes_of(&self, pool: PoolId) -> Vec<SandboxId> {
        self.places.borrow().get(&pool).map(|place| place.sandboxes.clone()).unwrap_or_default()
    }

    pub(super) fn sandboxes_made_for(&self, key: Key) -> Vec<SandboxId> {
        self.sandboxes.borrow().iter().filter(|(_, tracked)| tracked.key == key).map(|(id, _)| *id).collect()
    }

    /// Asks something of a sandbox, or changes it; nothing for one that is not tracked.
    pub(super) fn with<T>(&self, id: SandboxId, ask: impl FnOnce(&mut Tracked) -> T) -> Option<T> {
        let mut sandboxes = self.sandboxes.borrow_mut();
        let tracked = sandboxes.get_mut(&id)?;
        let before = tracked.is_news();
        let answer = ask(tracked);
        match (before, tracked.is_news()) {
            (false, true) => drop(self.unwritten.borrow_mut().insert(id)),
            (true, false) => drop(self.unwritten.borrow_mut().remove(&id)),
            _ => {}
        }
        Some(answer)
    }

    fn remove(&self, id: SandboxId) -> Option<Tracked> {
        self.unwritten.borrow_mut().remove(&id);
        self.sandboxes.borrow_mut().remove(&id)
    }

    pub(super) fn is(&self, id: SandboxId, ask: impl FnOnce(&Tracked) -> bool) -> bool {
        self.sandboxes.borrow().get(&id).is_some_and(ask)
    }

    pub(super) fn track(&self, id: SandboxId, tracked: Tracked) {
        self.places.borrow_mut().entry(tracked.pool).or_default().sandboxes.push(id);
        if tracked.is_news() {
            self.unwritten.borrow_mut().insert(id);
        }
        self.sandboxes.borrow_mut().insert(id, tracked);
    }

    pub(super) fn drop_sandbox(&self, id: SandboxId) {
        if let Some(tracked) = self.remove(id)
            && let Some(place) = self.places.borrow_mut().get_mut(&tracked.pool)
        {
            place.sandboxes.retain(|other| *other != id);
        }
    }

    pub(super) fn has_room(&self, id: SandboxId, size: u32, room: u32) -> bool {
        self.is(id, |tracked| tracked.used.get().saturating_add(size) <= room)
    }

    /// Takes a share of a sandbox that has room.
    pub(super) fn take(&self, id: SandboxId, size: u32, now: SimTime) -> Option<Slot> {
        self.with(id, |tracked| {
            tracked.renewed = now;
            tracked.used.set(tracked.used.get().saturating_add(size));
            Slot { sandbox: id, size, used: Rc::clone(&tracked.used) }
        })
    }

    /// Those whose last activity is to be written, and what it is.
    pub(super) fn due(&self, is_due: impl Fn(&Tracked) -> bool) -> Vec<(SandboxId, SimTime)> {
        let sandboxes = self.sandboxes.borrow();
        let unwritten = self.unwritten.borrow();
        let news = unwritten.iter().map(|id| (*id, &sandboxes[id]));
        news.filter(|(_, tracked)| is_due(tracked)).map(|(id, tracked)| (id, tracked.renewed)).collect()
    }
}

impl<P: Platform> Remembers for Activator<P> {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        for pool in self.cache.bindings.borrow().values() {
            fact(Fact::Thing((*pool).into()));
        }
        for known in self.cache.read.borrow().values().map(|known| known.get()) {
            fact(Fact::Thing(known.id.into()));
            fact(Fact::Number(u64::from(known.desired)));
            fact(Fact::Moment(known.cooldown_until));
        }
        for (id, tracked) in &*self.cache.sandboxes.borrow() {
            fact(Fact::Thing((*id).into()));
            fact(Fact::Number(tracked.status as u64));
            fact(Fact::Number(u64::from(tracked.used.get())));
            // What is written already is in the store.
            let is_news = tracked.is_news();
            fact(Fact::Moment(is_news.then_some(tracked.renewed)));
            fact(Fact::Moment(tracked.written.filter(|_| is_news)));
        }
    }
}
