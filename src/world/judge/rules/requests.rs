//! Rules about those who call: which failed requests are the scheduler's doing.
//!
//! A request fails for many reasons that are nobody's fault here: the program is broken, the node is
//! lost, the service is full. What is judged is only what the scheduler could have known better, by
//! what the backends know to serve. What a newcomer gets wrong: a service whose every sandbox is down
//! excuses each failure but those of requests that were led to a dead one for too long.

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{AppId, Concurrency, Name, PoolId, RequestError, SandboxId};
use crate::ports::Query;
use crate::world::judge::memory::{Text, View};
use crate::world::judge::progress::can_run;

/// A request that failed just now.
#[derive(Clone, Copy)]
pub(in crate::world::judge) struct Failed {
    pub(in crate::world::judge) app: AppId,
    pub(in crate::world::judge) service: Name,
    pub(in crate::world::judge) waited: SimDuration,
    pub(in crate::world::judge) error: RequestError,
}

/// `requests-served`: no request fails for reasons of the scheduler. Tells the record that is to
/// blame, when there is one.
pub(in crate::world::judge) fn requests_served(view: View<'_>, failed: Failed) -> Option<(RecordId, Text)> {
    let Failed { app, service, waited, error } = failed;
    let now = view.world.kernel().now();
    let known = view.memory.services.get((app, service));
    let ago = |d: SimDuration| SimTime::ZERO + (now.elapsed() - d);
    let arrived = ago(waited);
    let half = ago(SimDuration::from_nanos(waited.as_nanos() / 2));
    let name = |sandbox: SandboxId| view.world.log().name(sandbox);
    // Who served for less than half of the wait had not the time; whose program cannot run is not
    // helped by another try.
    let serves = known.serves_since.is_some_and(|since| since <= half) && view.can_service_run(app, service);
    if !serves && error != RequestError::BadGateway {
        return None;
    }
    let why = match error {
        RequestError::BadGateway => {
            if let Some((_, record, sandbox)) = known.stopped.filter(|(at, ..)| *at >= arrived) {
                let text = view
                    .broken(true, || format!("a request of {service} fails: {} is stopped under it", name(sandbox)));
                return text.map(|text| (record, text));
            }
            let limit = view.limits.grace.requests_served;
            let mut silent = view.memory.services.silent_since(ago(limit));
            let silent = silent.find(|sandbox| view.service_of(*sandbox) == Some((app, service)))?;
            format!("{} is RUNNING and does not answer: limit {}", name(silent), limit.clock())
        }
        RequestError::PoolTimeout(_) | RequestError::MaxSize(_) => {
            let (pool, most) = view.growing_pool(app, service)?;
            let Some(most) = most else {
                let text = view.broken(true, || {
                    format!("a request of {service} fails ({error}): one serves, and any number fits")
                })?;
                return Some((RecordId::NONE, text));
            };
            let counts = view.memory.counts(pool);
            let on_its_way = matches!(error, RequestError::PoolTimeout(_)) && counts.live > counts.running;
            if counts.live >= most || on_its_way {
                return None;
            }
            format!("{} of at most {most} serve, and none is on its way", counts.serving)
        }
        RequestError::Cooldown { .. }
        | RequestError::DiedDuringBoot
        | RequestError::NoPool
        | RequestError::Conflict => "and a sandbox of the service serves".to_owned(),
        RequestError::NoAnswer(_)
        | RequestError::NoService
        | RequestError::Store(_)
        | RequestError::NotDeployed
        | RequestError::CoordinatorDown
        | RequestError::ConnectionLost => return None,
    };
    let text = view.broken(true, || format!("a request of {service} fails ({error}): {why}"))?;
    Some((RecordId::NONE, text))
}

/// `rollout-keeps-serving`: the last sandbox of a service that serves is not stopped before the new
/// version serves. Asked when a sandbox that served was stopped.
pub(in crate::world::judge) fn rollout_keeps_serving(view: View<'_>, sandbox: SandboxId) -> Option<Text> {
    let (app, service) = view.service_of(sandbox)?;
    let pool = view.world.store().pool_of(sandbox.index())?;
    let is_old = view.active_concurrency(pool).is_none();
    let (new, _) = view.growing_pool(app, service)?;
    let wants = view.world.tables().pools.with(new, |pool, _| pool.desired_instances).unwrap_or(0);
    let alone = view.memory.services.get((app, service)).serves_since.is_none();
    view.broken(is_old && alone && wants > 0 && !view.has_own_disk(app, service), || {
        let (old, new) = (view.world.log().name(sandbox), view.world.log().name(new));
        format!("{old} was the last that served `{service}`, and none of {new} does")
    })
}

impl View<'_> {
    /// The service that a sandbox is of.
    pub(in crate::world::judge) fn service_of(self, sandbox: SandboxId) -> Option<(AppId, Name)> {
        let service = self.world.tables().sandboxes.with(sandbox, |sandbox, _| sandbox.service)?;
        let pool = self.world.store().pool_of(sandbox.index())?;
        Some((self.memory.owners.of_pool(pool)?, service))
    }

    /// The pool that the active version has for a service, and how large it may become; none inside:
    /// any number of requests fit.
    fn growing_pool(self, app: AppId, service: Name) -> Option<(PoolId, Option<u32>)> {
        let mut found = None;
        self.world.tables().pools.for_each(Query::By(app), |pool| {
            if pool.entity.service == service && self.active_concurrency(pool.id).is_some() {
                found = Some(pool.id);
            }
        });
        let pool = found?;
        let most = match self.active_concurrency(pool)?? {
            Concurrency::Fixed { .. } => None,
            Concurrency::Auto { .. } => Some(self.limits.max_pool_size),
        };
        Some((pool, most))
    }

    /// Whether the program of a service is able to run.
    fn can_service_run(self, app: AppId, service: Name) -> bool {
        self.config(app, service, |config, app| can_run(config, &self.world.containers().workload(app, service)))
            .unwrap_or(true)
    }

    /// Whether a service writes a disk, so that two of it cannot run.
    fn has_own_disk(self, app: AppId, service: Name) -> bool {
        self.config(app, service, |config, _| config.disks.iter().any(|disk| !disk.read_only)).unwrap_or(false)
    }

    fn config<T>(
        self,
        app: AppId,
        service: Name,
        ask: impl FnOnce(&crate::model::ServiceConfig, Name) -> T,
    ) -> Option<T> {
        let tables = self.world.tables();
        let (name, active) = tables.apps.with(app, |app, _| (app.name, app.active_version))?;
        let version = tables.versions.get(active?)?;
        version.entity.config.iter().find(|config| config.name == service).map(|config| ask(config, name))
    }
}
