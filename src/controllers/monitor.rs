//! The monitor: retires what is idle, stuck in PENDING or empty, every 30 s (`CONTROLLERS.md` §5).
//!
//! It belongs to the pool controller's process and looks at all pools. It may not know why a
//! sandbox is stuck. What a newcomer gets wrong: it sets STOPPED and not DEAD, because a stuck
//! sandbox may have booted partly and only STOPPED runs the full clean-up – so its death comes
//! too late to count as a crash.

use std::rc::Rc;

use crate::model::entity::age;
use crate::model::{Concurrency, Pool, PoolChange, Reason, Sandbox, SandboxChange, SandboxIndex, SandboxStatus};
use crate::ports::{Clock, EntityStore, Host, Platform, Ports, Query, StoreError, Versioned};

use super::fixes::Fix;
use super::runtime::{Failure, First, Rules, Task, periodically};

/// The monitor.
pub struct Monitor<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
}

impl<P: Platform> Monitor<P> {
    /// A monitor under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules }
    }

    /// Its task. The first look comes after one period.
    pub fn task(self) -> Task {
        ("monitor", Box::pin(self.run()))
    }

    async fn run(self) {
        let period = self.rules.tuning.monitor_every;
        periodically(&self.ports, "monitor", period, First::AfterPeriod, async || {
            // What cannot be listed now is listed at the next tick.
            for pool in self.ports.store.list::<Pool>(Query::All).await.unwrap_or_default().iter() {
                self.ports.host.attach(pool.meta.origin);
                if let Err(Failure(error)) = self.look_at(pool).await {
                    self.ports.host.note(pool.id, Reason::HandlerFailed { error });
                }
            }
        })
        .await;
    }

    async fn look_at(&self, pool: &Versioned<Pool>) -> Result<(), Failure> {
        let sandboxes = self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool.id))).await?;
        // What one rule cannot do now keeps no other from its work.
        let idle = self.scale_down_idle(pool, &sandboxes).await;
        if self.rules.has(Fix::StalePendingMonitor) {
            self.stop_stale_pending(&sandboxes).await?;
        }
        if sandboxes.is_empty() {
            self.delete_empty(pool).await?;
        }
        idle
    }

    async fn scale_down_idle(&self, pool: &Versioned<Pool>, sandboxes: &[Versioned<Sandbox>]) -> Result<(), Failure> {
        let running: Vec<_> = sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Running).collect();
        let desired = pool.entity.desired_instances;
        if running.is_empty() || desired == 0 {
            return Ok(());
        }
        let version = self.ports.store.get(pool.entity.spec.version).await?;
        let service = version.entity.config.iter().find(|service| service.name == pool.entity.service);
        let Some(Concurrency::Auto { scale_down_delay: limit, .. }) = service.map(|s| s.concurrency) else {
            return Ok(());
        };
        let now = self.ports.clock.now();
        // ASSUMES: a sandbox that never served a request has been idle since its creation.
        let idle_for = |s: &Versioned<Sandbox>| now.since(s.entity.last_activity.unwrap_or(s.meta.created_at));
        let idle: Vec<_> = running.into_iter().map(idle_for).filter(|since| *since > limit).collect();
        let Some(since) = idle.iter().max().copied() else { return Ok(()) };
        // The minimum of an auto service is zero.
        let fewer = desired.saturating_sub(idle.len() as u32);
        self.ports.host.note(pool.id, Reason::Idle { since, limit });
        // ASSUMES: a zero is lost on its way to the store until `max-pool-size` (#272).
        if fewer == 0 && !self.rules.has(Fix::MaxPoolSize) {
            return Ok(());
        }
        self.ports.store.patch(pool.id, vec![PoolChange::DesiredInstances(fewer)], None).await?;
        Ok(())
    }

    async fn stop_stale_pending(&self, sandboxes: &[Versioned<Sandbox>]) -> Result<(), Failure> {
        let limit = self.rules.tuning.stale_pending_after;
        for sandbox in sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Pending) {
            let age = age(self.ports.clock.now(), sandbox.meta.created_at);
            if age > limit {
                self.ports.host.attach(sandbox.meta.origin);
                self.ports.host.note(sandbox.id, Reason::StalePending { age, limit });
                let stopped = vec![SandboxChange::Status(SandboxStatus::Stopped)];
                self.ports.store.patch(sandbox.id, stopped, None).await?;
            }
        }
        Ok(())
    }

    async fn delete_empty(&self, pool: &Versioned<Pool>) -> Result<(), Failure> {
        let limit = self.rules.tuning.empty_pool_after;
        let age = age(self.ports.clock.now(), pool.meta.updated_at);
        if pool.entity.desired_instances > 0 || age <= limit {
            return Ok(());
        }
        if self.rules.has(Fix::KeepReferencedPool) {
            let active = match self.ports.store.get(pool.entity.app).await {
                Ok(app) => app.entity.active_version,
                Err(StoreError::NotFound) => None,
                Err(error) => return Err(error.into()),
            };
            if active.is_some_and(|version| pool.entity.referenced_by_versions.contains(&version)) {
                return Ok(());
            }
        }
        self.ports.host.note(pool.id, Reason::PoolEmpty { age, limit });
        self.ports.store.delete(pool.id).await?;
        Ok(())
    }
}
