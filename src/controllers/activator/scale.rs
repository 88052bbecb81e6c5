//! Raising `desired_instances` when a request finds no capacity (`docs/rules.md` §10).

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::model::{Concurrency, Pool, PoolChange, PoolId, Reason, RequestError, Revision};
use crate::ports::{Clock, EntityStore, Host, Platform, Query, StoreError, Versioned};

use crate::controllers::fixes::Fix;

use super::cache::{Key, KnownPool};
use super::{Activator, Wanted};

/// What became of a try.
enum Try {
    /// Capacity is on its way.
    Done,
    /// The pool is not what it was taken for; look again.
    Again,
}

impl<P: Platform> Activator<P> {
    /// Sees that the pool grows by one – or has grown, or may not grow any more.
    pub(super) async fn raise_desired(&self, wanted: &Wanted) -> Result<(), RequestError> {
        loop {
            let tried = match self.cache.read_for(wanted.key) {
                Some(known) => self.raise_known(wanted, &known).await?,
                None => self.raise_found(wanted).await?,
            };
            if matches!(tried, Try::Done) {
                return Ok(());
            }
        }
    }

    /// A pool that was read before. The cooldown is judged by what was read then, once; the target
    /// stays, so that callers who come together raise it once. Rules 10.7, 10.8.
    async fn raise_known(&self, wanted: &Wanted, known: &Rc<Cell<KnownPool>>) -> Result<Try, RequestError> {
        let KnownPool { id: pool, desired, cooldown_until, .. } = known.get();
        if self.rules.has(Fix::ActivatorResyncs) {
            self.cache.bind(wanted.key, pool, false);
        }
        if let Some(until) = cooldown_until.filter(|until| self.ports.clock.now() < *until) {
            return Err(RequestError::Cooldown { until });
        }
        let limit = self.limit(wanted);
        let mut target = desired + 1;
        for _ in 0..self.rules.tuning.increment_tries {
            let desired = known.get().desired;
            if desired >= limit {
                match self.below_limit(wanted.key, pool, limit).await? {
                    ControlFlow::Break(tried) => return Ok(tried),
                    ControlFlow::Continue(fresh) => {
                        target = fresh.desired + 1;
                        self.learn(wanted.key, known, fresh);
                        continue;
                    }
                }
            }
            if desired >= target {
                return Ok(Try::Done);
            }
            match self.write(known, target).await {
                Ok(revision) => {
                    known.set(KnownPool { desired: target, revision, ..known.get() });
                    return Ok(Try::Done);
                }
                Err(StoreError::Conflict) if self.rules.has(Fix::ConflictIsTold) => {
                    match self.ports.store.get(pool).await {
                        Ok(fresh) => self.learn(wanted.key, known, (&fresh).into()),
                        Err(error) => return self.lost(wanted.key, error),
                    }
                }
                Err(error) => return self.lost(wanted.key, error),
            }
        }
        Err(RequestError::Conflict)
    }

    /// Rule 10.7: whether a conflict is a reason to read the pool again, and known for one.
    fn tries_again(&self) -> bool {
        self.rules.has(Fix::ConflictIsTold) && self.rules.has(Fix::RevisionCheckedIncrement)
    }

    fn learn(&self, key: Key, known: &Rc<Cell<KnownPool>>, fresh: KnownPool) {
        known.set(fresh);
        self.cache.remember_read(key, Rc::clone(known));
    }

    /// A pool that is gone is forgotten, since `drop-missing-pool`, and looked for again.
    /// Rule 10.7.
    fn lost(&self, key: Key, error: StoreError) -> Result<Try, RequestError> {
        if error == StoreError::NotFound && self.rules.has(Fix::DropMissingPool) {
            self.cache.forget_read(key);
            return Ok(Try::Again);
        }
        Err(error.into())
    }

    /// A pool that was never read for this service: it is looked for in the store, and raised from
    /// the number that stands there, cooldown or not. Rule 10.8.
    async fn raise_found(&self, wanted: &Wanted) -> Result<Try, RequestError> {
        let (version, service) = wanted.key;
        let mut wait = self.rules.tuning.lookup_wait;
        for attempt in 0..self.rules.tuning.lookup_tries {
            if attempt > 0 {
                self.ports.clock.sleep(wait).await;
                wait = wait.saturating_mul(2);
                if self.cache.read_for(wanted.key).is_some() {
                    return Ok(Try::Again);
                }
            }
            let Ok(pools) = self.ports.store.list::<Pool>(Query::All).await else { continue };
            let serves = |pool: &&Versioned<Pool>| {
                pool.entity.service == service && pool.entity.referenced_by_versions.contains(&version)
            };
            if let Some(found) = pools.iter().find(serves) {
                return self.raise_first(wanted, found.into()).await;
            }
        }
        Err(RequestError::NoPool)
    }

    /// Rules 10.7, 10.8.
    async fn raise_first(&self, wanted: &Wanted, found: KnownPool) -> Result<Try, RequestError> {
        let limit = self.limit(wanted);
        let waits = self.rules.has(Fix::LongerRequestWait);
        if found.desired >= limit && !waits {
            return Err(RequestError::MaxSize(limit));
        }
        let known = Rc::new(Cell::new(found));
        self.cache.remember_read(wanted.key, Rc::clone(&known));
        // Who is led to a pool already stays with it, since `activator-resyncs`.
        self.cache.bind(wanted.key, found.id, !self.rules.has(Fix::ActivatorResyncs));
        if found.desired >= limit {
            return Ok(Try::Done);
        }
        let target = found.desired + 1;
        match self.write(&known, target).await {
            Ok(revision) => {
                if let Some(known) = self.cache.read_for(wanted.key) {
                    known.set(KnownPool { desired: target, revision, ..known.get() });
                }
                Ok(Try::Done)
            }
            Err(StoreError::Conflict) if !self.tries_again() => Err(RequestError::Conflict),
            Err(StoreError::Conflict | StoreError::NotFound) => {
                self.cache.forget_read(wanted.key);
                Ok(Try::Again)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The most that the pool may want. A fixed service's own number bounds it since
    /// `longer-request-wait`.
    ///
    /// Before `max-pool-size` (#272) the activator knew no maximum either. Rule 10.7.
    fn limit(&self, wanted: &Wanted) -> u32 {
        match wanted.concurrency {
            Concurrency::Fixed { instances } if self.rules.has(Fix::LongerRequestWait) => instances,
            _ if self.rules.has(Fix::MaxPoolSize) => self.rules.tuning.max_pool_size,
            _ => u32::MAX,
        }
    }

    /// The pool read again, when it may grow after all; else what becomes of the try: since
    /// `longer-request-wait` who asks waits all the same. Before `refresh-pool-cache` what was
    /// read once decides. Rule 10.7.
    async fn below_limit(
        &self,
        key: Key,
        pool: PoolId,
        limit: u32,
    ) -> Result<ControlFlow<Try, KnownPool>, RequestError> {
        let waits = self.rules.has(Fix::LongerRequestWait);
        if !self.rules.has(Fix::RefreshPoolCache) {
            return Err(RequestError::MaxSize(limit));
        }
        match self.ports.store.get(pool).await {
            Ok(fresh) if fresh.entity.desired_instances < limit => Ok(ControlFlow::Continue((&fresh).into())),
            Err(StoreError::NotFound) => self.lost(key, StoreError::NotFound).map(ControlFlow::Break),
            _ if waits => Ok(ControlFlow::Break(Try::Done)),
            Ok(_) => Err(RequestError::MaxSize(limit)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes one more, since `revision-checked-increment` onto that very revision; before, what is
    /// asked for counts at once, whatever becomes of the write. Rule 10.7.
    async fn write(&self, known: &Cell<KnownPool>, target: u32) -> Result<Revision, StoreError> {
        let KnownPool { id: pool, desired, revision, .. } = known.get();
        self.ports.host.note(pool, Reason::NoRoom { desired });
        let checked = self.rules.has(Fix::RevisionCheckedIncrement);
        if !checked {
            known.set(KnownPool { desired: target, ..known.get() });
        }
        let change = vec![PoolChange::DesiredInstances(target)];
        self.ports.store.patch(pool, change, checked.then_some(revision)).await
    }
}
