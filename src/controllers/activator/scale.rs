//! Raising `desired_instances` when a request finds no capacity.

use crate::model::{PoolChange, PoolId, Reason, RequestError, Revision};
use crate::ports::{Clock, EntityStore, Host, Platform, StoreError};

use crate::controllers::fixes::Fix;

use super::cache::KnownPool;
use super::{Activator, Wanted};

impl<P: Platform> Activator<P> {
    /// The pool that the version leads to, as the cache has it.
    pub(super) fn cached_pool(&self, wanted: &Wanted<'_>) -> Option<PoolId> {
        let key = (wanted.version, wanted.service.name);
        let pools = self.cache.pools.borrow();
        let references = |pool: &KnownPool| {
            let entity = &pool.item.entity;
            entity.service == wanted.service.name && entity.referenced_by_versions.contains(&wanted.version)
        };
        let first = self.pools.borrow().get(&key).copied();
        if let Some(pool) = first {
            // The pool found first stays – until it is known to be gone, or to serve others.
            let left = self.rules.has(Fix::RepointActivator) && !pools.get(&pool).is_some_and(references);
            if !left {
                return Some(pool);
            }
        }
        let found = pools.iter().filter(|(_, pool)| references(pool)).min_by_key(|(_, pool)| pool.place);
        let found = found.map(|(id, _)| *id);
        if let Some(found) = found {
            self.pools.borrow_mut().insert(key, found);
        }
        found
    }

    /// The pool that the version leads to; one that is not there yet is looked for again.
    pub(super) async fn pool_of(&self, wanted: &Wanted<'_>) -> Option<PoolId> {
        let mut wait = self.rules.tuning.lookup_wait;
        for attempt in 1..=self.rules.tuning.lookup_tries {
            if let Some(pool) = self.cached_pool(wanted) {
                return Some(pool);
            }
            if attempt < self.rules.tuning.lookup_tries {
                self.ports.clock.sleep(wait).await;
                wait = wait.saturating_mul(2);
            }
        }
        None
    }

    pub(super) async fn raise_desired(&self, pool: Option<PoolId>) -> Result<(), RequestError> {
        let pool = pool.ok_or(RequestError::NoPool)?;
        let known = self.cache.pools.borrow().get(&pool).cloned().ok_or(RequestError::NoPool)?;
        if let Some(until) = known.item.entity.cooldown_until.filter(|until| self.ports.clock.now() < *until) {
            return Err(RequestError::Cooldown { until });
        }
        let known = self.below_max(pool, known).await?;
        self.ports.host.note(pool, Reason::NoRoom { desired: known.desired });
        let raised = if self.rules.has(Fix::RevisionCheckedIncrement) {
            self.raise_checked(pool, &known).await
        } else {
            self.raise_unchecked(pool, &known).await
        };
        if raised == Err(RequestError::NoPool) && self.rules.has(Fix::DropMissingPool) {
            self.forget_pool(pool);
        }
        raised
    }

    /// The pool, when it may grow. Before `refresh-pool-cache` the cached number decides, which
    /// only ever rises.
    ///
    /// ASSUMES: before `max-pool-size` (#272) the activator knew no maximum either.
    async fn below_max(&self, pool: PoolId, known: KnownPool) -> Result<KnownPool, RequestError> {
        let limit = self.rules.tuning.max_pool_size;
        if known.desired < limit || !self.rules.has(Fix::MaxPoolSize) {
            return Ok(known);
        }
        if !self.rules.has(Fix::RefreshPoolCache) {
            return Err(RequestError::MaxSize(limit));
        }
        let item = self.ports.store.get(pool).await?;
        self.put_pool(&item);
        let desired = item.entity.desired_instances;
        let fresh = KnownPool { desired, revision: item.meta.revision, item, place: known.place };
        if fresh.desired < limit { Ok(fresh) } else { Err(RequestError::MaxSize(limit)) }
    }

    /// Writes one more than the cache says, whatever the store says.
    async fn raise_unchecked(&self, pool: PoolId, known: &KnownPool) -> Result<(), RequestError> {
        let target = known.desired + 1;
        self.believe(pool, target, known.revision);
        self.ports.store.set(pool, PoolChange::DesiredInstances(target)).await?;
        Ok(())
    }

    /// Writes one more than the cache says onto that very revision. On a conflict the pool is
    /// read again; the target stays, so that callers who come together raise it once.
    async fn raise_checked(&self, pool: PoolId, known: &KnownPool) -> Result<(), RequestError> {
        let target = known.desired + 1;
        let mut revision = known.revision;
        for _ in 0..self.rules.tuning.increment_tries {
            let change = vec![PoolChange::DesiredInstances(target)];
            match self.ports.store.patch(pool, change, Some(revision)).await {
                Ok(written) => {
                    self.believe(pool, target, written);
                    return Ok(());
                }
                Err(StoreError::Conflict) => {
                    let fresh = self.ports.store.get(pool).await?;
                    self.put_pool(&fresh);
                    if fresh.entity.desired_instances >= target {
                        return Ok(());
                    }
                    revision = fresh.meta.revision;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(RequestError::Conflict)
    }

    /// Counts an own raise at once, and lets no older news undo it.
    fn believe(&self, pool: PoolId, desired: u32, written: Revision) {
        if let Some(known) = self.cache.pools.borrow_mut().get_mut(&pool) {
            known.desired = known.desired.max(desired);
            known.revision = known.revision.max(written);
        }
    }
}
