//! The monitor: retires what is idle, empty or stuck in PENDING, every 30 s (`docs/rules.md` §5).
//!
//! It belongs to the pool controller's process and makes three rounds, each with its own lists:
//! a round that fails leaves the others alone. It may not know why a sandbox is stuck. What a
//! newcomer gets wrong: it sets STOPPED and not DEAD, because a stuck sandbox may have booted
//! partly and only STOPPED runs the full clean-up – so its death comes too late to count as a crash.

use std::rc::Rc;

use crate::constants::Age;
use crate::model::{Pool, PoolChange, Reason, Sandbox, SandboxChange, SandboxStatus, Subject, VersionId};
use crate::ports::{Clock, EntityStore, Host, Platform, Ports, Query, Versioned};

use super::fixes::Fix;
use super::pool::{idle_for, idle_limit, members};
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
        (self.rules.tuning.monitor_every.task(), Box::pin(self.run()))
    }

    /// Rule 5.12.
    async fn run(self) {
        let period = self.rules.tuning.monitor_every;
        periodically(&self.ports, "monitor", period, First::AfterPeriod, async || {
            self.log(self.scale_down_idle().await);
            self.log(self.delete_empty().await);
            // Rule 5.15.
            if self.rules.has(Fix::StalePendingMonitor) {
                self.log(self.stop_stale_pending().await);
            }
        })
        .await;
    }

    fn log(&self, round: Result<(), Failure>) {
        self.log_of(Subject::CLUSTER, round);
    }

    fn log_of(&self, about: impl Into<Subject>, done: Result<(), Failure>) {
        if let Err(failure) = done {
            self.ports.host.note(about, failure.passed_over());
        }
    }

    /// Rule 5.13.
    async fn scale_down_idle(&self) -> Result<(), Failure> {
        for pool in self.ports.store.list::<Pool>(Query::All).await?.iter() {
            if pool.entity.desired_instances > 0 || !pool.entity.referenced_by_versions.is_empty() {
                self.ports.host.attach(pool.meta.origin);
                self.log_of(pool.id, self.scale_down(pool).await);
            }
        }
        Ok(())
    }

    /// Lowers what one pool wants by who is idle (rule 5.13).
    async fn scale_down(&self, pool: &Versioned<Pool>) -> Result<(), Failure> {
        let Some(limit) = idle_limit(&self.ports, pool).await? else { return Ok(()) };
        let sandboxes = members(&self.ports, &self.rules, pool).await?;
        let now = self.ports.clock.now();
        let running = sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Running);
        let idle: Vec<_> = running.filter_map(|s| idle_for(s, now)).filter(|since| *since > limit).collect();
        let desired = pool.entity.desired_instances;
        let Some(since) = idle.iter().max().copied().filter(|_| desired > 0) else { return Ok(()) };
        // The minimum of an auto service is zero.
        let fewer = desired.saturating_sub(idle.len() as u32);
        self.ports.host.note(pool.id, Reason::Idle { since: since.length(), limit: limit.length() });
        // A zero was lost on its way to the store until `max-pool-size`.
        if fewer == 0 && !self.rules.has(Fix::MaxPoolSize) {
            return Ok(());
        }
        self.ports.store.set(pool.id, PoolChange::DesiredInstances(fewer)).await?;
        Ok(())
    }

    /// Rule 5.14.
    async fn delete_empty(&self) -> Result<(), Failure> {
        let limit = self.rules.tuning.empty_pool_after;
        let pools = self.ports.store.list::<Pool>(Query::All).await?;
        let now = self.ports.clock.now();
        for pool in pools.iter() {
            let age = Age::at(now, pool.meta.updated_at);
            if pool.entity.desired_instances > 0 || age < limit {
                continue;
            }
            self.ports.host.attach(pool.meta.origin);
            match members(&self.ports, &self.rules, pool).await {
                Ok(sandboxes) if !sandboxes.is_empty() => continue,
                Ok(_) => {}
                Err(failure) => {
                    self.ports.host.note(pool.id, failure.passed_over());
                    continue;
                }
            }
            if self.rules.has(Fix::KeepReferencedPool) && self.is_in_use(pool).await {
                continue;
            }
            self.ports.host.note(pool.id, Reason::PoolEmpty { age: age.length(), limit: limit.length() });
            self.log_of(pool.id, self.ports.store.delete(pool.id).await.map_err(Failure::from));
        }
        Ok(())
    }

    /// Whether the pool is referenced by the active version of that version's app. A version or an
    /// app that cannot be read passes for one that does not use it.
    async fn is_in_use(&self, pool: &Versioned<Pool>) -> bool {
        for version in &pool.entity.referenced_by_versions {
            match self.is_active(*version).await {
                Ok(true) => return true,
                Ok(false) => {}
                Err(failure) => self.ports.host.note(pool.id, failure.passed_over()),
            }
        }
        false
    }

    async fn is_active(&self, version: VersionId) -> Result<bool, Failure> {
        let app = self.ports.store.get(version).await?.entity.app;
        Ok(self.ports.store.get(app).await?.entity.active_version == Some(version))
    }

    /// Rule 5.15: all sandboxes, whatever pool they are in.
    async fn stop_stale_pending(&self) -> Result<(), Failure> {
        let limit = self.rules.tuning.stale_pending_after;
        let sandboxes = self.ports.store.list::<Sandbox>(Query::All).await?;
        let now = self.ports.clock.now();
        for sandbox in sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Pending) {
            let age = Age::at(now, sandbox.meta.created_at);
            if age >= limit {
                self.ports.host.attach(sandbox.meta.origin);
                self.ports.host.note(sandbox.id, Reason::StalePending { age: age.length(), limit: limit.length() });
                self.log_of(
                    sandbox.id,
                    self.ports
                        .store
                        .set(sandbox.id, SandboxChange::Status(SandboxStatus::Stopped))
                        .await
                        .map(drop)
                        .map_err(Failure::from),
                );
            }
        }
        Ok(())
    }
}
