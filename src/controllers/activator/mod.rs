//! The activator: finds a sandbox for every request, or makes the pool grow (`CONTROLLERS.md` §10).
//!
//! It is no reconciler: it serves requests from a cache of its own, fed by watches, and raises
//! `desired_instances` when there is no capacity. It may not look at the store for what the
//! cache tells, save where a rule says so. What a newcomer gets wrong: the cache may be wrong –
//! a pool that was deleted, a watch that broke – and most of its history is about that.

mod cache;
mod capacity;
mod scale;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::model::{
    AppVersion, Concurrency, Name, PoolId, RequestError, SandboxChange, SandboxId, SandboxStatus, ServiceConfig,
    VersionId,
};
use crate::ports::{Clock, EntityStore, Platform, Ports, StoreError, Versioned};
use crate::time::SimTime;

use super::fixes::Fix;
use super::runtime::{First, Rules, Task, periodically};

use cache::Cache;
use capacity::Rotation;

pub use capacity::Slot;

impl From<StoreError> for RequestError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NoPool,
            StoreError::Conflict => Self::Conflict,
            StoreError::Failed(message) => Self::Store(message),
        }
    }
}

/// The activator.
pub struct Activator<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    cache: Cache,
    versions: RefCell<BTreeMap<VersionId, Versioned<AppVersion>>>,
    /// Which pool each version's service was led to first.
    pools: RefCell<BTreeMap<(VersionId, Name), PoolId>>,
    rotations: RefCell<BTreeMap<(VersionId, Name), Rotation>>,
    /// Sandboxes that served something since the last write-back.
    active: RefCell<BTreeMap<SandboxId, SimTime>>,
}

/// What one request knows while it waits.
struct Wanted<'a> {
    version: VersionId,
    service: &'a ServiceConfig,
    /// Dead ones that were there before it began to wait.
    leftovers: BTreeSet<SandboxId>,
    asked: bool,
    waited: bool,
}

impl<P: Platform> Activator<P> {
    /// An activator with an empty cache.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Rc<Self> {
        Rc::new(Self {
            ports,
            rules,
            cache: Cache::default(),
            versions: RefCell::default(),
            pools: RefCell::default(),
            rotations: RefCell::default(),
            active: RefCell::default(),
        })
    }

    /// Its tasks: the watches that feed the cache, and the write-back of activity.
    pub fn tasks(self: &Rc<Self>) -> Vec<Task> {
        vec![
            ("activator pools", Box::pin(Rc::clone(self).follow_pools())),
            ("activator sandboxes", Box::pin(Rc::clone(self).follow_sandboxes())),
            (self.rules.tuning.activity_every.task(), Box::pin(Rc::clone(self).write_activity())),
        ]
    }

    /// Finds capacity for one request; it lasts as long as the slot is kept.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn request(self: &Rc<Self>, version: VersionId, service: Name) -> Result<Slot, RequestError> {
        let deadline = self.ports.clock.now() + self.rules.tuning.request_wait;
        let config = self.version(version).await?;
        let service = config.entity.service(service).ok_or(RequestError::NoService)?;
        let mut wanted = Wanted { version, service, leftovers: BTreeSet::new(), asked: false, waited: false };
        loop {
            let pool = self.pool_of(&wanted).await;
            let seen = self.cache.changed.generation();
            if let Some(slot) = self.take_slot(&wanted, pool) {
                return Ok(slot);
            }
            // Who has waited for sandboxes that died asks for no others.
            let hopeless = wanted.waited && self.all_died(&wanted, pool);
            if !hopeless && !self.ask_for_capacity(&mut wanted, pool).await? {
                continue;
            }
            if hopeless || self.all_died(&wanted, self.cached_pool(&wanted)) {
                return Err(RequestError::DiedDuringBoot);
            }
            let left = deadline.since(self.ports.clock.now());
            if left.is_zero() {
                return Err(RequestError::PoolTimeout(self.rules.tuning.request_wait));
            }
            let tick = left.min(self.rules.tuning.request_tick);
            wanted.waited = true;
            self.ports.clock.timeout(tick, self.cache.changed.changed_since(seen)).await;
        }
    }

    async fn version(&self, version: VersionId) -> Result<Versioned<AppVersion>, RequestError> {
        if let Some(known) = self.versions.borrow().get(&version) {
            return Ok(known.clone());
        }
        let read = self.ports.store.get(version).await?;
        self.versions.borrow_mut().insert(version, read.clone());
        Ok(read)
    }

    /// A slot on a sandbox that has room, if there is one.
    fn take_slot(self: &Rc<Self>, wanted: &Wanted<'_>, pool: Option<PoolId>) -> Option<Slot> {
        let (size, room) = match wanted.service.concurrency {
            Concurrency::Fixed { .. } => (1, u32::MAX),
            Concurrency::Auto { requests_per_instance: n, .. } => ((n / 5).max(1), n),
        };
        let candidates = self.candidates(wanted, pool);
        let usable = |id: &SandboxId| self.is_usable(*id) && self.cache.has_room(*id, size, room);
        let key = (wanted.version, wanted.service.name);
        let mut rotations = self.rotations.borrow_mut();
        let rotation = rotations.entry(key).or_insert_with(|| Rotation::start(&self.ports.host, wanted.service.name));
        let chosen = rotation.next(&candidates, usable)?;
        self.active.borrow_mut().insert(chosen, self.ports.clock.now());
        Some(self.cache.take(chosen, size))
    }

    /// The sandboxes that may serve the request.
    fn candidates(&self, wanted: &Wanted<'_>, pool: Option<PoolId>) -> Vec<SandboxId> {
        if self.rules.has(Fix::VersionsSharePools) {
            pool.map(|pool| self.cache.sandboxes_of(pool)).unwrap_or_default()
        } else {
            self.cache.sandboxes_made_for(wanted.version, wanted.service.name)
        }
    }

    fn is_usable(&self, id: SandboxId) -> bool {
        self.cache.with(id, |sandbox| {
            let running = sandbox.status == SandboxStatus::Running || !self.rules.has(Fix::SkipDead);
            running && sandbox.address.is_some()
        })
    }

    /// Sees that capacity is on its way; no when the pool turned out to be gone, and another is
    /// to be looked for.
    async fn ask_for_capacity(&self, wanted: &mut Wanted<'_>, pool: Option<PoolId>) -> Result<bool, RequestError> {
        if wanted.asked {
            return Ok(true);
        }
        let candidates = self.candidates(wanted, pool);
        let is = |id: &SandboxId, status| self.cache.with(*id, |sandbox| sandbox.status == status);
        if !wanted.waited {
            let over = |id: &&SandboxId| is(id, SandboxStatus::Dead) || is(id, SandboxStatus::Stopped);
            wanted.leftovers = candidates.iter().filter(over).copied().collect();
        }
        let pending = candidates.iter().any(|id| is(id, SandboxStatus::Pending));
        if pending && self.rules.has(Fix::ActivatorSeesPending) {
            return Ok(true);
        }
        match self.raise_desired(pool).await {
            Ok(()) => wanted.asked = true,
            Err(RequestError::NoPool) if pool.is_some_and(|pool| self.is_forgotten(pool)) => {}
            Err(error) => return Err(error),
        }
        Ok(wanted.asked)
    }

    /// Whether every sandbox that the request could have hoped for is stopped or dead.
    ///
    /// ASSUMES: failing fast came with `exit-watch` (#348): before, callers waited their 50 s, as
    /// the incident crash-unnoticed and the chain of fixes that it belongs to want it.
    fn all_died(&self, wanted: &Wanted<'_>, pool: Option<PoolId>) -> bool {
        if !self.rules.has(Fix::ExitWatch) {
            return false;
        }
        let tracked = self.candidates(wanted, pool);
        if tracked.iter().any(|id| self.cache.with(*id, |sandbox| sandbox.status.is_live())) {
            return false;
        }
        tracked.iter().any(|id| {
            let left_over = self.rules.has(Fix::IgnoreStaleDead) && wanted.leftovers.contains(id);
            let own = self.cache.with(*id, |sandbox| sandbox.spec.version == wanted.version);
            !left_over && (own || !self.rules.has(Fix::DeathsOfOwnVersion))
        })
    }

    /// Writes back when sandboxes last served a request, every 30 s.
    async fn write_activity(self: Rc<Self>) {
        periodically(&self.ports, "activity", self.rules.tuning.activity_every, First::AtTick, async || {
            let active = std::mem::take(&mut *self.active.borrow_mut());
            for (sandbox, at) in active {
                // What cannot be written now is written with the next request's time.
                let _ = self.ports.store.set(sandbox, SandboxChange::LastActivity(Some(at.floor_millis()))).await;
            }
        })
        .await;
    }
}
