//! The pool controller: keeps the wanted number of sandboxes, and backs off after crashes
//! (`CONTROLLERS.md` §5).
//!
//! It sees sandboxes only by listing them, at its own events and resyncs: it does not watch
//! them. It may not know why a sandbox died; an early death is a crash. What a newcomer gets
//! wrong: fields that it clears in its copy do not reach the store before `diff-clears-fields`.

use std::rc::Rc;

use crate::model::entity::age;
use crate::model::{Concurrency, Field, Pool, PoolId, Reason, Sandbox, SandboxChange, SandboxIndex, SandboxStatus};
use crate::ports::{Clock, EntityStore, Host, Listed, Platform, Ports, Query, StoreError, Versioned};
use crate::time::{SimDuration, SimTime};

use super::fixes::Fix;
use super::runtime::{Draft, Failure, Reconciler, Rules};

/// The pool controller.
pub struct PoolController<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
}

impl<P: Platform> PoolController<P> {
    /// A pool controller under these rules.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { ports, rules }
    }
}

/// What the sandboxes of a pool are.
#[derive(Default)]
struct Tally {
    /// PENDING or RUNNING.
    actual: u32,
    /// RUNNING.
    ready: u32,
    /// Died too early, and not counted before.
    crashed: u32,
}

impl<P: Platform> Reconciler for PoolController<P> {
    type Entity = Pool;

    /// ASSUMES: numbers are named on purpose since `max-pool-size` (#272, the incident never-to-zero).
    fn writes_zero(&self, field: Field) -> bool {
        let number = matches!(field, Field::DesiredInstances | Field::CurrentInstances | Field::ReadyInstances);
        (number && self.rules.has(Fix::MaxPoolSize)) || field == Field::ReferencedByVersions
    }

    async fn reconcile(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>) -> Result<(), Failure> {
        let sandboxes = self.members(item).await?;
        let now = self.ports.clock.now();
        let Tally { actual, ready, crashed } = self.tally(&sandboxes, pool.last_crash_time);

        if self.rules.has(Fix::CrashBackoff) {
            self.count_crashes(item, pool, crashed, now);
            if pool.cooldown_until.is_some_and(|until| now < until) {
                self.cool_down(item, pool);
                self.write_counts(item, pool, actual, ready);
                return Ok(());
            }
            if ready > 0 {
                self.recover(item, pool, &sandboxes, now);
            }
            self.restore_desired(item, pool).await;
        }
        self.cap(item, pool);
        let result = if actual < pool.desired_instances {
            self.grow(item, pool, &sandboxes, actual).await
        } else {
            self.shrink(pool, &sandboxes, actual).await
        };
        self.write_counts(item, pool, actual, ready);
        result
    }

    async fn deleted(&self, pool: PoolId) -> Result<(), Failure> {
        let orphans = self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool))).await?;
        for sandbox in orphans.iter() {
            self.ports.host.note(sandbox.id, Reason::PoolDeleted);
            match self.ports.store.delete(sandbox.id).await {
                // A collector may have been quicker.
                Ok(()) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl<P: Platform> PoolController<P> {
    async fn members(&self, item: &Versioned<Pool>) -> Result<Listed<Sandbox>, Failure> {
        if self.rules.has(Fix::MembershipByPool) {
            return Ok(self.ports.store.list(Query::By(SandboxIndex::Pool(item.id))).await?);
        }
        let version = SandboxIndex::Version(item.entity.spec.version);
        let sandboxes = self.ports.store.list::<Sandbox>(Query::By(version)).await?;
        if sandboxes.iter().all(|sandbox| sandbox.entity.pool == item.id) {
            return Ok(sandboxes);
        }
        Ok(sandboxes.iter().filter(|sandbox| sandbox.entity.pool == item.id).cloned().collect())
    }

    /// Looks at each sandbox once; what died before `counted_until` was counted then.
    fn tally(&self, sandboxes: &[Versioned<Sandbox>], counted_until: Option<SimTime>) -> Tally {
        let mut tally = Tally::default();
        for sandbox in sandboxes {
            match sandbox.entity.status {
                SandboxStatus::Pending => tally.actual += 1,
                SandboxStatus::Running => {
                    tally.actual += 1;
                    tally.ready += 1;
                }
                SandboxStatus::Stopped => {}
                SandboxStatus::Dead => {
                    let counted = counted_until.is_some_and(|mark| sandbox.meta.updated_at <= mark);
                    tally.crashed += u32::from(!counted && self.died_too_early(sandbox));
                }
            }
        }
        tally
    }

    fn died_too_early(&self, sandbox: &Versioned<Sandbox>) -> bool {
        let lived = age(sandbox.meta.updated_at, sandbox.meta.created_at);
        let counts_slow = self.rules.has(Fix::SlowFailuresCount);
        lived < self.rules.tuning.backoff.quick_crash || (counts_slow && sandbox.entity.boot_failed)
    }

    /// Counts the deaths that came too early and were not counted before.
    fn count_crashes(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>, found: u32, now: SimTime) {
        let retired = self.rules.has(Fix::NoCrashesWhenRetired) && pool.referenced_by_versions.is_empty();
        if retired || found == 0 {
            return;
        }
        let backoff = &self.rules.tuning.backoff;
        let count = pool.consecutive_crash_count.saturating_add(found);
        let wait = self.jittered(item, count);
        pool.consecutive_crash_count = count;
        pool.last_crash_time = Some(now.floor_millis());
        pool.cooldown_until = Some((now + wait).floor_millis());
        let limit = backoff.quick_crash;
        self.ports.host.note(item.id, Reason::CrashesCounted { found, count, wait, limit });
    }

    fn jittered(&self, item: &Versioned<Pool>, count: u32) -> SimDuration {
        let backoff = &self.rules.tuning.backoff;
        if backoff.jitter_ppm == 0 {
            return backoff.wait(count);
        }
        let bits = self.ports.host.draw(&item.meta.name, "backoff jitter");
        let previous = match (item.entity.last_crash_time, item.entity.cooldown_until) {
            (Some(crash), Some(until)) => until.since(crash),
            _ => SimDuration::ZERO,
        };
        backoff.jittered(count, bits, previous)
    }

    fn cool_down(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>) {
        let desired = u32::from(!pool.referenced_by_versions.is_empty());
        if pool.desired_instances != desired
            && let Some(until) = pool.cooldown_until
        {
            self.ports.host.note(item.id, Reason::CoolingDown { until });
            pool.desired_instances = desired;
        }
    }

    /// Forgets the crashes when a sandbox has run long enough. Before `diff-clears-fields` the
    /// store keeps the old values, and this happens again at every reconcile.
    fn recover(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>, sandboxes: &[Versioned<Sandbox>], now: SimTime) {
        let count = pool.consecutive_crash_count;
        if count == 0 {
            return;
        }
        let backoff = &self.rules.tuning.backoff;
        let limit = backoff.wait(count).max(backoff.healthy_min);
        let running = sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Running);
        let longest = running.map(|s| age(now, s.meta.created_at)).max();
        if let Some(ran) = longest.filter(|ran| *ran >= limit) {
            self.ports.host.note(item.id, Reason::Recovered { ran, limit });
            pool.consecutive_crash_count = 0;
            pool.cooldown_until = None;
            if !self.rules.has(Fix::KeepLastCrashTime) {
                pool.last_crash_time = None;
            }
        }
    }

    /// Gives a fixed pool its configured number back when its cooldown is over.
    async fn restore_desired(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>) {
        let over = item.entity.cooldown_until.is_some() && !pool.referenced_by_versions.is_empty();
        if !self.rules.has(Fix::RestoreDesiredAfterCooldown) || !over {
            return;
        }
        // Without its version there is no configured number to come back to.
        let Ok(version) = self.ports.store.get(pool.spec.version).await else { return };
        let service = version.entity.config.iter().find(|service| service.name == pool.service);
        if let Some(Concurrency::Fixed { instances }) = service.map(|service| service.concurrency)
            && pool.desired_instances < instances
        {
            self.ports.host.note(item.id, Reason::CooldownOver { instances });
            pool.desired_instances = instances;
        }
    }

    fn cap(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>) {
        let limit = self.rules.tuning.max_pool_size;
        if self.rules.has(Fix::MaxPoolSize) && pool.desired_instances > limit {
            self.ports.host.note(item.id, Reason::CappedAtMax { limit });
            pool.desired_instances = limit;
        }
    }

    async fn grow(
        &self,
        item: &Versioned<Pool>,
        pool: &Pool,
        sandboxes: &[Versioned<Sandbox>],
        actual: u32,
    ) -> Result<(), Failure> {
        let desired = pool.desired_instances;
        self.ports.host.note(item.id, Reason::TooFew { actual, desired });
        // Dead ones occupy their numbers, too. Of so many numbers enough are free.
        let mut taken = vec![false; sandboxes.len() + desired as usize];
        for sandbox in sandboxes {
            if let Some(taken) = taken.get_mut(sandbox.entity.instance as usize) {
                *taken = true;
            }
        }
        let mut unused = (0..).zip(taken).filter_map(|(n, taken)| (!taken).then_some(n));
        for _ in actual..desired {
            let sandbox = Sandbox {
                status: SandboxStatus::Pending,
                spec: Rc::clone(&pool.spec),
                pool: item.id,
                service: pool.service,
                instance: unused.next().expect("numbers do not run out"),
                node: None,
                address: None,
                last_activity: None,
                boot_failed: false,
            };
            self.ports.store.create(sandbox).await?;
        }
        Ok(())
    }

    async fn shrink(&self, pool: &Pool, sandboxes: &[Versioned<Sandbox>], actual: u32) -> Result<(), Failure> {
        let desired = pool.desired_instances;
        let surplus = actual.saturating_sub(desired) as usize;
        if surplus == 0 {
            return Ok(());
        }
        let mut running: Vec<_> = sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Running).collect();
        // Least recent activity first; none recorded counts as the most recent.
        running.sort_by_key(|s| s.entity.last_activity.unwrap_or(SimTime::MAX));
        let retired = running.into_iter().take(surplus);
        for sandbox in retired {
            self.ports.host.note(sandbox.id, Reason::TooMany { actual, desired });
            let stopped = vec![SandboxChange::Status(SandboxStatus::Stopped)];
            self.ports.store.patch(sandbox.id, stopped, None).await?;
        }
        Ok(())
    }

    fn write_counts(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>, actual: u32, ready: u32) {
        if (pool.current_instances, pool.ready_instances) != (actual, ready) {
            pool.current_instances = actual;
            pool.ready_instances = ready;
            if item.entity.desired_instances == pool.desired_instances {
                self.ports.host.note(item.id, Reason::Counted { actual, ready });
            }
        }
    }
}
