//! The activator's view of pools and sandboxes, fed by watches that may break.
//!
//! It holds what it was told, in the order of revisions. Its watches restart 5 s after a break,
//! from now on; what happened in between is missed until `activator-resyncs`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::model::{Entity, Id, Name, Pool, PoolId, Revision, Sandbox, SandboxId, VersionId};
use crate::notify::Notify;
use crate::ports::{
    Change, Clock, EntityStore, Fact, Platform, Query, Remembers, StoreError, Versioned, Watch, WatchEvent,
};
use crate::time::SimDuration;

use crate::controllers::fixes::Fix;

use super::{Activator, Slot};

/// How long a broken watch waits.
const WATCH_RESTART: SimDuration = SimDuration::from_secs(5);

struct Tracked {
    item: Versioned<Sandbox>,
    used: Rc<Cell<u32>>,
}

/// A pool as the activator remembers it.
#[derive(Clone)]
pub(super) struct KnownPool {
    pub(super) item: Versioned<Pool>,
    pub(super) revision: Revision,
    /// What the activator believes to be wanted; its own raises count at once.
    pub(super) desired: u32,
    /// How many pools it had been told of before this one.
    pub(super) place: u64,
}

/// What the activator was told.
#[derive(Default)]
pub(super) struct Cache {
    pub(super) pools: RefCell<BTreeMap<PoolId, KnownPool>>,
    sandboxes: RefCell<BTreeMap<SandboxId, Tracked>>,
    by_pool: RefCell<BTreeMap<PoolId, BTreeSet<SandboxId>>>,
    /// A sandbox has changed. Who reads the generation before looking for capacity misses
    /// nothing that comes while it asks for more.
    pub(super) changed: Notify,
    pools_told: Cell<u64>,
}

impl Cache {
    pub(super) fn sandboxes_of(&self, pool: PoolId) -> Vec<SandboxId> {
        self.by_pool.borrow().get(&pool).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    pub(super) fn sandboxes_made_for(&self, version: VersionId, service: Name) -> Vec<SandboxId> {
        let made_for = |sandbox: &Sandbox| sandbox.spec.version == version && sandbox.service == service;
        self.sandboxes.borrow().iter().filter(|(_, t)| made_for(&t.item.entity)).map(|(id, _)| *id).collect()
    }

    /// Asks something of a sandbox; no for one that is not known.
    pub(super) fn with(&self, id: SandboxId, ask: impl FnOnce(&Sandbox) -> bool) -> bool {
        self.sandboxes.borrow().get(&id).is_some_and(|tracked| ask(&tracked.item.entity))
    }

    pub(super) fn has_room(&self, id: SandboxId, size: u32, room: u32) -> bool {
        self.sandboxes.borrow().get(&id).is_some_and(|tracked| tracked.used.get().saturating_add(size) <= room)
    }

    /// Takes a share of a sandbox that has room.
    pub(super) fn take(&self, id: SandboxId, size: u32) -> Slot {
        let used = Rc::clone(&self.sandboxes.borrow()[&id].used);
        used.set(used.get().saturating_add(size));
        Slot { sandbox: id, size, used }
    }

    fn put_sandbox(&self, item: &Versioned<Sandbox>) {
        let mut sandboxes = self.sandboxes.borrow_mut();
        let used = match sandboxes.get(&item.id) {
            Some(known) if known.item.meta.revision >= item.meta.revision => return,
            Some(known) => Rc::clone(&known.used),
            None => Rc::default(),
        };
        self.by_pool.borrow_mut().entry(item.entity.pool).or_default().insert(item.id);
        sandboxes.insert(item.id, Tracked { item: item.clone(), used });
        drop(sandboxes);
        self.changed.notify_all();
    }

    fn drop_sandbox(&self, id: SandboxId) {
        if let Some(tracked) = self.sandboxes.borrow_mut().remove(&id)
            && let Some(ids) = self.by_pool.borrow_mut().get_mut(&tracked.item.entity.pool)
        {
            ids.remove(&id);
        }
        self.changed.notify_all();
    }

    /// Remembers a pool. Unless the cache is `fresh` – follows the store – the number that is
    /// believed to be wanted only ever rises.
    pub(super) fn put_pool(&self, item: &Versioned<Pool>, fresh: bool) {
        let mut pools = self.pools.borrow_mut();
        let wanted = item.entity.desired_instances;
        let desired = match pools.get(&item.id) {
            Some(known) if known.revision > item.meta.revision => return,
            Some(known) if !fresh => known.desired.max(wanted),
            Some(_) | None => wanted,
        };
        let place = pools.get(&item.id).map_or_else(|| self.pools_told.replace(self.pools_told.get() + 1), |p| p.place);
        let known = KnownPool { item: item.clone(), revision: item.meta.revision, desired, place };
        pools.insert(item.id, known);
    }
}

impl<P: Platform> Activator<P> {
    pub(super) async fn follow_pools(self: Rc<Self>) {
        self.follow(|item: &Versioned<Pool>| self.put_pool(item), |id| self.pool_deleted(id)).await;
    }

    pub(super) async fn follow_sandboxes(self: Rc<Self>) {
        self.follow(|item: &Versioned<Sandbox>| self.cache.put_sandbox(item), |id| self.cache.drop_sandbox(id)).await;
    }

    /// Feeds the cache from a watch: a list at the start, then news. After a break only news,
    /// before `activator-resyncs`.
    async fn follow<E: Entity>(&self, put: impl Fn(&Versioned<E>), gone: impl Fn(Id<E>)) {
        let mut listed: BTreeSet<Id<E>> = BTreeSet::new();
        let mut wants_list = true;
        loop {
            let opened = self.ports.store.watch::<E>(Query::All, None).await;
            if let Ok(watch) = opened {
                if wants_list {
                    wants_list = !self.list_all(&mut listed, &put, &gone).await;
                }
                // A list that fails is made up for after the pause, as a watch that breaks.
                if !wants_list {
                    let _ = self.take_news(watch, &mut listed, &put, &gone).await;
                    wants_list = self.rules.has(Fix::ActivatorResyncs);
                }
            }
            self.ports.clock.sleep(WATCH_RESTART).await;
        }
    }

    /// Takes in everything that there is, and says whether the list came.
    async fn list_all<E: Entity>(
        &self,
        known: &mut BTreeSet<Id<E>>,
        put: &impl Fn(&Versioned<E>),
        gone: &impl Fn(Id<E>),
    ) -> bool {
        let Ok(items) = self.ports.store.list::<E>(Query::All).await else { return false };
        let now: BTreeSet<Id<E>> = items.iter().map(|item| item.id).collect();
        items.iter().for_each(put);
        known.difference(&now).for_each(|id| gone(*id));
        *known = now;
        true
    }

    async fn take_news<E: Entity>(
        &self,
        mut watch: <P::Store as EntityStore>::Watch<E>,
        known: &mut BTreeSet<Id<E>>,
        put: &impl Fn(&Versioned<E>),
        gone: &impl Fn(Id<E>),
    ) -> Result<(), StoreError> {
        while let Some(WatchEvent { change, item }) = watch.next().await? {
            match change {
                Change::Added | Change::Updated => {
                    known.insert(item.id);
                    put(&item);
                }
                Change::Deleted => {
                    known.remove(&item.id);
                    gone(item.id);
                }
            }
        }
        Ok(())
    }

    /// Remembers a pool as it was read; before `refresh-pool-cache` its number can only rise.
    pub(super) fn put_pool(&self, item: &Versioned<Pool>) {
        self.cache.put_pool(item, self.rules.has(Fix::RefreshPoolCache));
    }

    fn pool_deleted(&self, pool: PoolId) {
        if self.rules.has(Fix::WatchPoolDeletions) {
            self.forget_pool(pool);
        }
    }

    /// Forgets a pool that does not exist any more.
    pub(super) fn forget_pool(&self, pool: PoolId) {
        self.cache.pools.borrow_mut().remove(&pool);
        self.pools.borrow_mut().retain(|_, known| *known != pool);
    }
}

impl<P: Platform> Activator<P> {
    /// Whether a pool is not remembered (any more).
    pub(super) fn is_forgotten(&self, pool: PoolId) -> bool {
        !self.cache.pools.borrow().contains_key(&pool)
    }
}

impl<P: Platform> Remembers for Activator<P> {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        for (pool, known) in &*self.cache.pools.borrow() {
            fact(Fact::Thing((*pool).into()));
            fact(Fact::Number(u64::from(known.desired)));
            fact(Fact::Moment(known.item.entity.cooldown_until));
        }
        for (id, tracked) in &*self.cache.sandboxes.borrow() {
            fact(Fact::Thing((*id).into()));
            fact(Fact::Number(tracked.item.entity.status as u64));
            fact(Fact::Number(u64::from(tracked.used.get())));
        }
        for pool in self.pools.borrow().values() {
            fact(Fact::Thing((*pool).into()));
        }
        for sandbox in self.active.borrow().keys() {
            fact(Fact::Thing((*sandbox).into()));
        }
    }
}
