//! The launcher: turns an app's active version into pools (`docs/rules.md` §4).
//!
//! For each service it uses a pool that matches the spec again or creates one, then retires the
//! app's other pools. It may not touch sandboxes: pools do that. What a newcomer gets wrong: it
//! does all this at *every* reconcile, the minutely resync included, and writes whole pools as
//! its list showed them – what others wrote since then is undone.

mod drain;
mod spec;

use std::iter::repeat;
use std::rc::Rc;

use crate::model::{
    App, AppId, AppVersion, Concurrency, Pool, PoolId, Reason, Sandbox, SandboxIndex, SandboxSpec, SandboxStatus,
    ServiceConfig, VersionId,
};
use crate::ports::{Clock, EntityStore, Host, Listed, Platform, Ports, Query, StoreError, Versioned};
use crate::time::{SimDuration, SimTime};

use super::fixes::Fix;
use super::runtime::{Draft, End, Failure, Reconciler, Rules, at_once, poll_until};

/// How often the launcher looked at a new pool before `look-at-new-sandboxes`.
const READY_POLL_BEFORE: SimDuration = SimDuration::from_secs(2);

/// The launcher.
pub struct Launcher<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
}

impl<P: Platform> Launcher<P> {
    /// A launcher under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules }
    }
}

impl<P: Platform> Reconciler for Launcher<P> {
    type Entity = App;

    /// Rule 4.1.
    async fn reconcile(&self, item: &Versioned<App>, _work: &mut Draft<App>) -> Result<(), Failure> {
        let app = item.id;
        let Some(active) = self.active_version(item).await? else { return Ok(()) };
        let version = self.ports.store.get::<AppVersion>(active).await?;
        let mut ensured = Vec::new();
        let mut starting = Vec::new();
        let services = version.entity.config.len();
        for service in version.entity.config.iter() {
            match self.launch(app, active, service).await {
                Ok(Launched::Draining) => {}
                Ok(Launched::Ensured(pool)) => {
                    ensured.push(service);
                    starting.extend(pool);
                }
                Err(failure) => self.skip(app, service, failure),
            }
        }
        // Rule 4.9.
        if !starting.is_empty() && self.rules.has(Fix::WaitForNewPool) {
            for pool in starting {
                self.wait_until_ready(pool).await?;
            }
        }
        let unfinished = ensured.len() < services;
        // Rule 4.12.
        if self.rules.has(Fix::ReapMismatched) {
            for service in ensured.into_iter().filter(|service| service.disks.is_empty()) {
                if let Err(failure) = self.reap(app, active, service).await {
                    self.skip(app, service, failure);
                    break;
                }
            }
        }
        if let Err(failure) = self.retire_others(app, active).await {
            self.ports.host.note(app, failure.passed_over());
        }
        // Rule 4.3.
        if unfinished && self.rules.has(Fix::RetryUnfinishedServices) {
            return Err(Failure::ServiceLeftOut);
        }
        Ok(())
    }
}

/// What became of a service in one pass.
enum Launched {
    /// It has a pool; one that has to start is awaited.
    Ensured(Option<PoolId>),
    /// An old pool still holds its disks: there is no new one yet.
    Draining,
}

impl<P: Platform> Launcher<P> {
    /// The active version, as the event has it or as it is by now (rule 4.2).
    async fn active_version(&self, item: &Versioned<App>) -> Result<Option<VersionId>, Failure> {
        if !self.rules.has(Fix::RereadApp) {
            return Ok(item.entity.active_version);
        }
        match self.ports.store.get(item.id).await {
            Ok(app) => Ok(app.entity.active_version),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A service that cannot be seen to now is left to the next pass (rule 4.3).
    fn skip(&self, app: AppId, service: &ServiceConfig, failure: Failure) {
        self.ports.host.note(app, Reason::ServiceLeftOut { service: service.name });
        self.ports.host.note(app, failure.passed_over());
    }

    /// Sees to one service: drains what has its disks (rule 4.10), then ensures its pool.
    async fn launch(&self, app: AppId, active: VersionId, service: &ServiceConfig) -> Result<Launched, Failure> {
        let drains = !service.disks.is_empty() && self.rules.has(Fix::DrainBeforeCreate);
        if drains && !self.drain_stale(app, active, service).await? {
            return Ok(Launched::Draining);
        }
        // Read for its labels, and again for its name in the environment: two calls that can fail.
        self.ports.store.get(app).await?;
        let spec = self.spec(app, active, service).await?;
        let pools = self.pools_of(app).await?;
        let starting =
            match pools.iter().find(|p| p.entity.service == service.name && self.matches(&p.entity.spec, &spec)) {
                Some(pool) => self.reuse(pool, active, service).await?,
                None => Some(self.create(app, active, service, spec).await?),
            };
        Ok(Launched::Ensured(starting))
    }

    async fn pools_of(&self, app: AppId) -> Result<Listed<Pool>, Failure> {
        Ok(self.ports.store.list(Query::By(app)).await?)
    }

    /// Takes up a pool that matches (rule 4.5); returns it when it has to start again.
    async fn reuse(
        &self,
        pool: &Versioned<Pool>,
        active: VersionId,
        service: &ServiceConfig,
    ) -> Result<Option<PoolId>, Failure> {
        let have = &pool.entity;
        let mut next = have.clone();
        let is_new = !have.referenced_by_versions.contains(&active);
        if is_new {
            next.referenced_by_versions.push(active);
        }
        let renews = have.spec.version != active;
        if renews && self.rules.has(Fix::ReuseRenewsVersion) {
            // Its version only: what was not compared stays as it is.
            next.spec = Rc::new(SandboxSpec { version: active, ..(*have.spec).clone() });
        }
        if next != *have {
            self.ports.host.note(pool.id, Reason::PoolReused { version: active });
        }
        self.forgive(pool, &mut next, is_new);
        self.scale_on_reuse(pool, &mut next, service);
        // Rule 4.6.
        let floors = next.desired_instances < 1 && self.rules.has(Fix::DeployFloorsPool);
        let starts = floors && (renews || !self.rules.has(Fix::FloorOnlyNewVersion));
        if starts {
            self.ports.host.note(pool.id, Reason::PoolFloored);
            next.desired_instances = 1;
        }
        if next != *have {
            self.update(pool, next).await?;
        }
        Ok(starts.then_some(pool.id))
    }

    /// A fixed pool gets its configured number, an auto pool keeps its own (rule 4.6).
    fn scale_on_reuse(&self, pool: &Versioned<Pool>, next: &mut Pool, service: &ServiceConfig) {
        match service.concurrency {
            Concurrency::Fixed { instances } if next.desired_instances != instances => {
                self.ports.host.note(pool.id, Reason::InstancesConfigured { instances });
                next.desired_instances = instances;
            }
            Concurrency::Auto { .. } if next.desired_instances != 0 && !self.rules.has(Fix::KeepDesiredOnReuse) => {
                self.ports.host.note(pool.id, Reason::ScaleReset);
                next.desired_instances = 0;
            }
            Concurrency::Fixed { .. } | Concurrency::Auto { .. } => {}
        }
    }

    /// Clears the crash state, wherever it is found set – or, with `reset-only-on-new-version`,
    /// for a new version only (rule 4.7).
    fn forgive(&self, pool: &Versioned<Pool>, next: &mut Pool, is_new: bool) {
        let count = next.consecutive_crash_count;
        let set = count > 0 || next.cooldown_until.is_some();
        if !set || !self.rules.has(Fix::ResetCooldownOnDeploy) {
            return;
        }
        if !is_new && self.rules.has(Fix::ResetOnlyOnNewVersion) {
            return;
        }
        self.ports.host.note(pool.id, Reason::CrashesForgiven { count });
        next.consecutive_crash_count = 0;
        next.cooldown_until = None;
        if !self.rules.has(Fix::KeepLastCrashTime) {
            next.last_crash_time = None;
        }
    }

    /// Rule 4.8.
    async fn create(
        &self,
        app: AppId,
        active: VersionId,
        service: &ServiceConfig,
        spec: Rc<SandboxSpec>,
    ) -> Result<PoolId, Failure> {
        self.ports.host.note(active, Reason::NoPoolMatches { version: active });
        let pool = Pool {
            app,
            service: service.name,
            spec,
            desired_instances: service.concurrency.fixed().unwrap_or(1),
            current_instances: 0,
            ready_instances: 0,
            referenced_by_versions: vec![active],
            consecutive_crash_count: 0,
            last_crash_time: None,
            cooldown_until: None,
        };
        Ok(self.ports.store.create(pool).await?.id)
    }

    /// Waits until a pool that starts has a running sandbox, a minute at most (rule 4.9).
    async fn wait_until_ready(&self, pool: PoolId) -> Result<(), Failure> {
        let looks = self.rules.has(Fix::LookAtNewSandboxes);
        let poll = if looks { self.rules.tuning.ready_poll } else { READY_POLL_BEFORE };
        let is_ready = async || {
            let counted = self.ports.store.get(pool).await?.entity.ready_instances > 0;
            Ok(counted || (looks && self.has_running(pool).await))
        };
        let began = self.ports.clock.now();
        let (ready, waited) = self.wait_for(began, self.rules.tuning.ready_wait, poll, is_ready).await?;
        self.ports.host.note(pool, Reason::NewPoolAwaited { ready, waited });
        Ok(())
    }

    async fn has_running(&self, pool: PoolId) -> bool {
        match self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool))).await {
            Ok(sandboxes) => sandboxes.iter().any(|s| s.entity.status == SandboxStatus::Running),
            Err(error) => {
                self.ports.host.note(pool, Failure::from(error).passed_over());
                false
            }
        }
    }

    /// Whether something came true within a limit, and how long after the beginning.
    async fn wait_for(
        &self,
        began: SimTime,
        limit: SimDuration,
        poll: SimDuration,
        is_so: impl AsyncFn() -> Result<bool, Failure>,
    ) -> Result<(bool, SimDuration), Failure> {
        let clock = &self.ports.clock;
        let look = async |_| Ok::<_, Failure>(is_so().await?.then_some(()));
        let came = poll_until(clock, began + limit, End::LooksBeyond, at_once(repeat(poll)), look).await?;
        Ok((came.is_some(), clock.now().since(began).min(limit)))
    }

    /// Every other pool of the app that the active version does not reference loses its
    /// references and gets `desired_instances = 0`; one without references is not written again
    /// (rule 4.13).
    async fn retire_others(&self, app: AppId, active: VersionId) -> Result<(), Failure> {
        for pool in self.pools_of(app).await?.iter() {
            let references = &pool.entity.referenced_by_versions;
            if references.is_empty() || references.contains(&active) {
                continue;
            }
            self.ports.host.note(pool.id, Reason::PoolUnreferenced);
            if let Err(failure) = self.retire(pool).await {
                self.ports.host.note(pool.id, failure.passed_over());
            }
        }
        Ok(())
    }

    /// Nothing references the pool any more, and it wants nothing.
    async fn retire(&self, pool: &Versioned<Pool>) -> Result<(), Failure> {
        let next = Pool { referenced_by_versions: Vec::new(), desired_instances: 0, ..pool.entity.clone() };
        self.update(pool, next).await
    }

    /// Writes a whole pool, unguarded: the counts, the number that is wanted and the crash state
    /// become what they were in the list (rule 4.4).
    async fn update(&self, listed: &Versioned<Pool>, next: Pool) -> Result<(), Failure> {
        if next == listed.entity && self.rules.has(Fix::IdempotentDrain) {
            return Ok(());
        }
        self.ports.store.replace(listed.id, next, None).await?;
        Ok(())
    }
}
