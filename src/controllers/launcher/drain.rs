//! Old pools that no longer match: drained before, or given up after, the new one is there.
//!
//! A service with disks is drained first, because a disk has one user at a time; one without is
//! given up when its successor runs. What a newcomer gets wrong: while a drain has not come to
//! its end, the service has no pool at all, and no pass but the first waits for it.

use crate::model::{AppId, Pool, Reason, Sandbox, SandboxIndex, SandboxSpec, SandboxStatus, ServiceConfig, VersionId};
use crate::ports::{Clock, EntityStore, Host, Platform, Query, Versioned};

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::Failure;

use super::Launcher;

impl<P: Platform> Launcher<P> {
    /// Scales the pools of the service that do not match to zero and waits until nobody is left
    /// who could hold a disk; false while that is not so (rule 4.10).
    pub(super) async fn drain_stale(
        &self,
        app: AppId,
        active: VersionId,
        service: &ServiceConfig,
    ) -> Result<bool, Failure> {
        let spec = self.spec(app, active, service).await?;
        let stale = self.stale_pools(app, service, &spec).await?;
        let mut begun = false;
        for pool in &stale {
            if is_retired(&pool.entity) && self.rules.has(Fix::IdempotentDrain) {
                continue;
            }
            self.ports.host.note(pool.id, Reason::DrainFirst);
            self.retire(pool).await?;
            begun = true;
        }
        if let Some(pool) = stale.first().filter(|_| !begun) {
            self.ports.host.note(pool.id, Reason::StillDraining);
            return Ok(false);
        }
        for pool in &stale {
            self.wait_until_drained(pool).await?;
        }
        Ok(true)
    }

    async fn wait_until_drained(&self, pool: &Versioned<Pool>) -> Result<(), Failure> {
        let began = self.ports.clock.now();
        let limit = self.rules.tuning.drain_wait;
        let is_empty = async || Ok(!self.has_active(pool).await?);
        let (empty, waited) = self.wait_for(began, limit, self.rules.tuning.ready_poll, is_empty).await?;
        self.ports.host.note(pool.id, Reason::Drained { empty, waited });
        if empty { Ok(()) } else { Err(Failure::NotDrained { limit }) }
    }

    /// Gives up the pools of a service without disks that do not match, whoever references them
    /// (rule 4.12).
    pub(super) async fn reap(&self, app: AppId, active: VersionId, service: &ServiceConfig) -> Result<(), Failure> {
        let spec = self.spec(app, active, service).await?;
        for pool in self.stale_pools(app, service, &spec).await?.iter().filter(|pool| !is_retired(&pool.entity)) {
            self.ports.host.note(pool.id, Reason::PoolReaped);
            self.retire(pool).await?;
        }
        Ok(())
    }

    /// The service's pools that do not match, without those that are retired and empty.
    async fn stale_pools(
        &self,
        app: AppId,
        service: &ServiceConfig,
        spec: &SandboxSpec,
    ) -> Result<Vec<Versioned<Pool>>, Failure> {
        let mut stale = Vec::new();
        for pool in self.pools_of(app).await?.iter() {
            let other = pool.entity.service != service.name || self.matches(&pool.entity.spec, spec);
            if !other && (!is_retired(&pool.entity) || self.has_active(pool).await?) {
                stale.push(pool.clone());
            }
        }
        Ok(stale)
    }

    /// Whether a sandbox of the pool is left that could hold a disk (rule 4.11).
    async fn has_active(&self, pool: &Versioned<Pool>) -> Result<bool, Failure> {
        let left = self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool.id))).await?;
        Ok(left.iter().any(|sandbox| match sandbox.entity.status {
            SandboxStatus::Pending | SandboxStatus::Running => true,
            SandboxStatus::Stopped => {
                let diskless = sandbox.entity.spec.volumes.is_empty();
                let passes = diskless && self.rules.has(Fix::DisklessStoppedIsDrained);
                self.rules.has(Fix::DrainWaitsForDead) && !passes
            }
            SandboxStatus::Dead => false,
        }))
    }
}

fn is_retired(pool: &Pool) -> bool {
    pool.desired_instances == 0 && pool.referenced_by_versions.is_empty()
}
