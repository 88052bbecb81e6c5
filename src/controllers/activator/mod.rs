//! The activator: finds a sandbox for every request, or makes the pool grow (`docs/rules.md` §10).
//!
//! It is no reconciler: it serves requests from a cache of its own and raises `desired_instances` when there
//! is no capacity. It may not look at the store for what the cache tells, save where a rule says so.

mod cache;
mod capacity;
mod follow;
mod scale;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::{AppVersion, Concurrency, Name, RequestError, SandboxChange, VersionId};
use crate::notify::Notify;
use crate::ports::{Clock, EntityStore, Platform, Ports, StoreError, Versioned};
use crate::time::{SimDuration, SimTime};

use super::fixes::Fix;
use super::runtime::{First, Rules, Task, periodically};

use cache::{Cache, Key, Tracked};

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
    /// The first look at everything is over.
    recovered: Notify,
}

/// What a request wants.
struct Wanted {
    key: Key,
    concurrency: Concurrency,
}

impl<P: Platform> Activator<P> {
    /// An activator with an empty cache.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Rc<Self> {
        let (cache, versions, recovered) = Default::default();
        Rc::new(Self { ports, rules, cache, versions, recovered })
    }

    /// Its tasks: the watches that feed the cache, and the write-back of activity. Rule 10.3.
    pub fn tasks(self: &Rc<Self>) -> Vec<Task> {
        let mut tasks: Vec<Task> = vec![
            ("activator sandboxes", Box::pin(Rc::clone(self).follow_sandboxes())),
            (self.rules.tuning.activity_every.task(), Box::pin(Rc::clone(self).write_activity())),
        ];
        if self.rules.has(Fix::WatchPoolDeletions) {
            tasks.insert(0, ("activator pools", Box::pin(Rc::clone(self).follow_pools())));
        }
        tasks
    }

    /// Finds capacity for one request; it lasts as long as the slot is kept. Who finds none waits
    /// for a sandbox that is booting, and raises the pool only when there is none. Rule 10.5.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn request(&self, version: VersionId, service: Name) -> Result<Slot, RequestError> {
        self.until_recovered().await;
        let config = self.version(version).await?;
        let concurrency = config.entity.service(service).ok_or(RequestError::NoService)?.concurrency;
        let wanted = Wanted { key: (version, service), concurrency };
        if let Some(slot) = self.take_slot(&wanted) {
            return Ok(slot);
        }
        let before = if self.is_one_booting(&wanted) {
            None
        } else {
            let before = self.count_own(&wanted);
            self.raise_desired(&wanted).await?;
            Some(before)
        };
        self.wait(&wanted, before).await
    }

    /// Waits for a slot. Only news of a sandbox's status wakes it: a slot that is given back is
    /// found at the next tick. Rule 10.6.
    async fn wait(&self, wanted: &Wanted, mut before: Option<usize>) -> Result<Slot, RequestError> {
        let clock = &self.ports.clock;
        let (limit, tick) = (self.rules.tuning.request_wait, self.rules.tuning.request_tick);
        let news = self.cache.news(wanted.key);
        let (deadline, mut next) = (clock.now() + limit, clock.now() + tick);
        loop {
            let seen = news.generation();
            if let Some(slot) = self.take_slot(wanted) {
                return Ok(slot);
            }
            if self.all_died(wanted, before) {
                return Err(RequestError::DiedDuringBoot);
            }
            // Rule 10.5: who waited for one that is full asks for another.
            if before.is_none() && self.rules.has(Fix::WaiterRaises) && !self.is_one_booting(wanted) {
                before = Some(self.count_own(wanted));
                self.raise_desired(wanted).await?;
                continue;
            }
            let until = next.min(deadline).since(clock.now());
            clock.timeout(until, news.changed_since(seen)).await;
            if clock.now() >= deadline {
                return Err(RequestError::PoolTimeout(limit));
            }
            if clock.now() >= next {
                next += tick;
            }
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

    /// Writes when sandboxes were last active – discovered, or given a request –, for every one
    /// that is tracked, dead or alive. Rule 10.9.
    async fn write_activity(self: Rc<Self>) {
        let period = self.rules.tuning.activity_every;
        periodically(&self.ports, "activity", period, First::AtTick, async || {
            let now = self.ports.clock.now();
            for (sandbox, at) in self.cache.due(|tracked| self.is_due(tracked, now, period.every())) {
                let write = SandboxChange::LastActivity(Some(at.floor_millis()));
                match self.ports.store.set(sandbox, write).await {
                    Ok(_) => {
                        self.cache.with(sandbox, |tracked| tracked.written = Some(at));
                    }
                    Err(StoreError::NotFound) => self.cache.drop_sandbox(sandbox),
                    Err(StoreError::Conflict | StoreError::Failed(_)) => {}
                }
            }
        })
        .await;
    }

    /// Rule 10.9.
    fn is_due(&self, tracked: &Tracked, now: SimTime, throttle: SimDuration) -> bool {
        let is_news = tracked.written.is_none_or(|at| at < tracked.renewed && now.since(at) > throttle);
        is_news && (tracked.status.is_live() || !self.rules.has(Fix::ActivityOnlyForLive))
    }
}
