//! The launcher: turns an app's active version into pools (`CONTROLLERS.md` §4).
//!
//! For each service it uses a pool that matches the spec again or creates one, then retires the
//! app's other pools. It may not touch sandboxes: pools do that. What a newcomer gets wrong: it
//! does all this at *every* reconcile, the minutely resync included, and has one worker – while
//! it waits for a pool, no other app is looked at.

use std::iter::repeat;
use std::rc::Rc;

use crate::model::{
    App, AppId, AppVersion, Concurrency, Name, Pool, PoolChange, PoolId, Reason, Sandbox, SandboxIndex, SandboxSpec,
    SandboxStatus, ServiceConfig, VersionId,
};
use crate::ports::{Clock, EntityStore, Host, Platform, Ports, Query, StoreError, Versioned};
use crate::time::{SimDuration, SimTime};

use super::fixes::Fix;
use super::pool::crash_reset;
use super::runtime::{Draft, End, Failure, Reconciler, Rules, at_once, poll_until};

/// Variables that the platform sets itself.
const PLATFORM_ENV: [&str; 4] = ["MIREN_APP", "MIREN_INSTANCE_NUM", "MIREN_VERSION", "PORT"];

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

    async fn reconcile(&self, item: &Versioned<App>, _work: &mut Draft<App>) -> Result<(), Failure> {
        let Some(active) = item.entity.active_version else { return Ok(()) };
        let version = self.ports.store.get::<AppVersion>(active).await?;
        let mut created = Vec::new();
        for service in version.entity.config.iter() {
            if let Some(pool) = self.launch(item.id, active, service).await? {
                created.push(pool);
            }
        }
        if self.rules.has(Fix::WaitForNewPool) {
            for pool in created {
                self.wait_until_ready(pool).await?;
            }
        }
        self.retire_others(item.id, active).await
    }
}

impl<P: Platform> Launcher<P> {
    /// Sees to one service; returns the pool when it had to be created.
    async fn launch(&self, app: AppId, active: VersionId, service: &ServiceConfig) -> Result<Option<PoolId>, Failure> {
        let spec = Rc::new(spec_of(active, service));
        let pools = self.ports.store.list::<Pool>(Query::By(app)).await?;
        let matching =
            pools.iter().find(|pool| pool.entity.service == service.name && self.matches(&pool.entity.spec, &spec));
        if self.rules.has(Fix::DrainBeforeCreate) && !service.disks.is_empty() {
            let keep = matching.map(|pool| pool.id);
            let old = pools.iter().filter(|pool| pool.entity.service == service.name && Some(pool.id) != keep);
            for pool in old {
                self.drain(pool).await?;
            }
        }
        match matching {
            Some(pool) => {
                self.reuse(pool, active, service, &spec).await?;
                Ok(None)
            }
            None => Ok(Some(self.create(app, active, service, spec).await?)),
        }
    }

    /// Whether a pool's spec will do, whatever its version.
    fn matches(&self, have: &SandboxSpec, want: &SandboxSpec) -> bool {
        have.image == want.image
            && have.command == want.command
            && have.ports == want.ports
            && have.port_timeout == want.port_timeout
            && have.shutdown_timeout == want.shutdown_timeout
            && users_env(have).eq(users_env(want))
            && (!self.rules.has(Fix::CompareVolumes) || have.volumes == want.volumes)
    }

    async fn reuse(
        &self,
        pool: &Versioned<Pool>,
        active: VersionId,
        service: &ServiceConfig,
        spec: &Rc<SandboxSpec>,
    ) -> Result<(), Failure> {
        let have = &pool.entity;
        let is_new = !have.referenced_by_versions.contains(&active);
        let mut changes = Vec::new();
        if is_new {
            let mut references = have.referenced_by_versions.clone();
            references.push(active);
            changes.push(PoolChange::ReferencedByVersions(references));
        }
        if have.spec.version != active {
            // The spec becomes the active version's; its volumes stay, for they were not compared.
            let volumes = have.spec.volumes.clone();
            changes.push(PoolChange::Spec(Rc::new(SandboxSpec { volumes, ..(**spec).clone() })));
        }
        if !changes.is_empty() {
            self.ports.host.note(pool.id, Reason::PoolReused { version: active });
        }
        changes.extend(self.desired_on_reuse(pool, service));
        changes.extend(self.forgiveness(pool, is_new));
        if !changes.is_empty() {
            self.ports.store.patch(pool.id, changes, None).await?;
        }
        Ok(())
    }

    fn desired_on_reuse(&self, pool: &Versioned<Pool>, service: &ServiceConfig) -> Option<PoolChange> {
        let desired = pool.entity.desired_instances;
        match service.concurrency {
            Concurrency::Fixed { instances } if desired != instances => {
                self.ports.host.note(pool.id, Reason::InstancesConfigured { instances });
                Some(PoolChange::DesiredInstances(instances))
            }
            Concurrency::Auto { .. } if desired != 0 && !self.rules.has(Fix::KeepDesiredOnReuse) => {
                self.ports.host.note(pool.id, Reason::ScaleReset);
                Some(PoolChange::DesiredInstances(0))
            }
            Concurrency::Fixed { .. } | Concurrency::Auto { .. } => None,
        }
    }

    /// Fix `reset-cooldown-on-deploy`: clears the crash state, wherever it is found set – or,
    /// with `reset-only-on-new-version`, for a new version only.
    fn forgiveness(&self, pool: &Versioned<Pool>, is_new: bool) -> Vec<PoolChange> {
        let have = &pool.entity;
        let count = have.consecutive_crash_count;
        let set = count > 0 || have.cooldown_until.is_some();
        let wanted = is_new || !self.rules.has(Fix::ResetOnlyOnNewVersion);
        if !self.rules.has(Fix::ResetCooldownOnDeploy) || !set || !wanted {
            return Vec::new();
        }
        self.ports.host.note(pool.id, Reason::CrashesForgiven { count });
        let mut changes = crash_reset();
        if !self.rules.has(Fix::KeepLastCrashTime) {
            changes.push(PoolChange::LastCrashTime(None));
        }
        changes
    }

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

    /// Waits until a new pool has a ready sandbox, a minute at most.
    async fn wait_until_ready(&self, pool: PoolId) -> Result<(), Failure> {
        let is_ready = async || Ok(self.ports.store.get(pool).await?.entity.ready_instances > 0);
        let (ready, waited) = self.wait_for(self.ports.clock.now(), self.rules.tuning.ready_wait, is_ready).await?;
        self.ports.host.note(pool, Reason::NewPoolAwaited { ready, waited });
        Ok(())
    }

    /// Whether something came true within a limit, and how long after the beginning.
    async fn wait_for(
        &self,
        began: SimTime,
        limit: SimDuration,
        is_so: impl AsyncFn() -> Result<bool, Failure>,
    ) -> Result<(bool, SimDuration), Failure> {
        let clock = &self.ports.clock;
        let pauses = at_once(repeat(self.rules.tuning.ready_poll));
        let look = async |_| Ok::<_, Failure>(is_so().await?.then_some(()));
        let came = poll_until(clock, began + limit, End::LooksBeyond, pauses, look).await?;
        Ok((came.is_some(), clock.now().since(began).min(limit)))
    }

    /// Scales an old pool to zero, takes its references and waits until it is empty, a minute at most.
    ///
    /// ASSUMES: a drained pool is no longer referenced, not even by the active version: of two
    /// pools that the version came to reference, only one is kept (the incident pinned-to-wrong-pool).
    async fn drain(&self, pool: &Versioned<Pool>) -> Result<(), Failure> {
        let gone = pool.entity.desired_instances == 0 && pool.entity.referenced_by_versions.is_empty();
        if gone && self.rules.has(Fix::IdempotentDrain) {
            return Ok(());
        }
        let began = self.ports.clock.now();
        self.ports.host.note(pool.id, Reason::DrainFirst);
        self.ports.store.patch(pool.id, retirement(), None).await?;
        let is_empty = async || {
            let left = self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool.id))).await?;
            Ok(left.iter().all(|sandbox| self.is_drained(sandbox.entity.status)))
        };
        let (empty, waited) = self.wait_for(began, self.rules.tuning.drain_wait, is_empty).await?;
        self.ports.host.note(pool.id, Reason::Drained { empty, waited });
        Ok(())
    }

    fn is_drained(&self, status: SandboxStatus) -> bool {
        match status {
            SandboxStatus::Pending | SandboxStatus::Running => false,
            SandboxStatus::Stopped => !self.rules.has(Fix::DrainWaitsForDead),
            SandboxStatus::Dead => true,
        }
    }

    /// Every other pool of the app that the active version does not reference loses its
    /// references and gets `desired_instances = 0`; one without references is not written again.
    async fn retire_others(&self, app: AppId, active: VersionId) -> Result<(), Failure> {
        for pool in self.ports.store.list::<Pool>(Query::By(app)).await?.iter() {
            let references = &pool.entity.referenced_by_versions;
            if references.is_empty() || references.contains(&active) {
                continue;
            }
            self.ports.host.note(pool.id, Reason::PoolUnreferenced);
            match self.ports.store.patch(pool.id, retirement(), None).await {
                Ok(_) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// What a pool becomes that no version uses any more: unreferenced, and wanted to be empty.
fn retirement() -> Vec<PoolChange> {
    vec![PoolChange::ReferencedByVersions(Vec::new()), PoolChange::DesiredInstances(0)]
}

/// The environment that two specs must share (rule 3.9): variables that the platform sets itself do not count.
fn users_env(spec: &SandboxSpec) -> impl Iterator<Item = &(Name, Name)> {
    spec.env.iter().filter(|(key, _)| !PLATFORM_ENV.contains(&&**key))
}

fn spec_of(version: VersionId, service: &ServiceConfig) -> SandboxSpec {
    let fixed = service.concurrency.fixed().is_some();
    SandboxSpec {
        version,
        image: service.image,
        command: service.command,
        ports: service.ports.clone(),
        port_timeout: service.port_timeout,
        shutdown_timeout: service.shutdown_timeout,
        env: service.env.clone(),
        volumes: if fixed { service.disks.clone() } else { Vec::new() },
    }
}
