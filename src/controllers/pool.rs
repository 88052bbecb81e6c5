//! The pool controller: keeps the wanted number of sandboxes, and backs off after crashes
//! (`docs/rules.md` §5).
//!
//! It sees sandboxes only by listing them, at its own events and resyncs: it does not watch
//! them. It may not know why a sandbox died; an early death is a crash. What a newcomer gets
//! wrong: of the fields that it sets to zero in its copy only the two counts reach the store.

use std::rc::Rc;

use crate::constants::{Age, LookBack};
use crate::model::{
    Concurrency, Field, Pool, PoolChange, PoolId, Reason, Sandbox, SandboxChange, SandboxIndex, SandboxStatus,
};
use crate::ports::{Clock, EntityStore, Host, Listed, Platform, Ports, Query, Versioned};
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

/// The changes by which somebody else forgives a pool's crashes.
pub(super) fn crash_reset() -> Vec<PoolChange> {
    vec![PoolChange::ConsecutiveCrashCount(0), PoolChange::CooldownUntil(None)]
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

    /// Rule 5.3: the counts are named on purpose; a zero or an empty value of any other field is lost.
    fn writes_zero(&self, field: Field) -> bool {
        match field {
            Field::CurrentInstances | Field::ReadyInstances => self.rules.has(Fix::MaxPoolSize),
            _ => !self.rules.has(Fix::PoolByDiff),
        }
    }

    /// Rule 5.1.
    async fn reconcile(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>) -> Result<(), Failure> {
        let mut sandboxes = members(&self.ports, &self.rules, item).await?;
        let now = self.ports.clock.now();
        let mut tally = self.tally(&sandboxes, pool.last_crash_time);

        let crashes = tally.crashed > 0 || pool.consecutive_crash_count > 0 || pool.cooldown_until.is_some();
        if crashes && self.rules.has(Fix::CrashBackoff) {
            self.count_crashes(item, pool, tally.crashed, now);
            if pool.cooldown_until.is_some_and(|until| now < until) {
                self.cool_down(item, pool);
                self.write_counts(item, pool, &tally);
                return Ok(());
            }
            if tally.ready > 0 {
                self.recover(item, pool, &sandboxes, now);
            }
            self.restore_desired(item, pool).await;
        }
        let desired = self.capped(item, pool.desired_instances);
        if tally.actual < desired {
            self.grow(item, pool, &sandboxes, tally.actual, desired).await;
            (sandboxes, tally) = self.recounted(item, pool).await?;
        }
        if tally.actual > desired {
            self.shrink(item, &sandboxes, tally.actual, desired).await;
            (_, tally) = self.recounted(item, pool).await?;
        }
        self.write_counts(item, pool, &tally);
        Ok(())
    }

    /// Rule 5.11.
    async fn deleted(&self, pool: PoolId) -> Result<(), Failure> {
        let orphans = self.ports.store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool))).await?;
        for sandbox in orphans.iter() {
            self.ports.host.note(sandbox.id, Reason::PoolDeleted);
            if let Err(error) = self.ports.store.delete(sandbox.id).await {
                self.ports.host.note(sandbox.id, Failure::from(error).passed_over());
            }
        }
        Ok(())
    }
}

/// The sandboxes that count for a pool (rule 5.2).
///
/// # Errors
/// When the list fails.
pub(super) async fn members<P: Platform>(
    ports: &Ports<P>,
    rules: &Rules,
    pool: &Versioned<Pool>,
) -> Result<Listed<Sandbox>, Failure> {
    if rules.has(Fix::MembershipByPool) {
        return Ok(ports.store.list(Query::By(SandboxIndex::Pool(pool.id))).await?);
    }
    let version = SandboxIndex::Version(pool.entity.spec.version);
    let sandboxes = ports.store.list::<Sandbox>(Query::By(version)).await?;
    if sandboxes.iter().all(|sandbox| sandbox.entity.pool == pool.id) {
        return Ok(sandboxes);
    }
    Ok(sandboxes.iter().filter(|sandbox| sandbox.entity.pool == pool.id).cloned().collect())
}

impl<P: Platform> PoolController<P> {
    /// Lists and counts again after work on the sandboxes (rule 5.8). When that fails, the whole
    /// pass writes nothing: what it wanted to write is handed over at its end (rule 5.3).
    async fn recounted(
        &self,
        item: &Versioned<Pool>,
        pool: &mut Draft<Pool>,
    ) -> Result<(Listed<Sandbox>, Tally), Failure> {
        match members(&self.ports, &self.rules, item).await {
            Ok(sandboxes) => {
                let tally = self.tally(&sandboxes, None);
                Ok((sandboxes, tally))
            }
            Err(failure) => {
                if self.rules.has(Fix::PoolByDiff) {
                    pool.discard();
                }
                Err(failure)
            }
        }
    }

    /// Looks at each sandbox once; what died before `counted_until` was counted then (rule 5.4).
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

    /// Whether its death is a crash (rule 5.4).
    fn died_too_early(&self, sandbox: &Versioned<Sandbox>) -> bool {
        let lived = Age::at(sandbox.meta.updated_at, sandbox.meta.created_at);
        let is_slow = || sandbox.entity.boot_failed && self.rules.has(Fix::SlowFailuresCount);
        lived < self.rules.tuning.backoff.quick_crash || is_slow()
    }

    /// Counts the deaths that came too early and were not counted before (rules 5.4, 5.5).
    fn count_crashes(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>, found: u32, now: SimTime) {
        let retired = pool.desired_instances == 0 && pool.referenced_by_versions.is_empty();
        if found == 0 || (retired && self.rules.has(Fix::NoCrashesWhenRetired)) {
            return;
        }
        let backoff = &self.rules.tuning.backoff;
        let count = pool.consecutive_crash_count.saturating_add(found);
        let wait = self.jittered(item, count);
        pool.consecutive_crash_count = count;
        pool.last_crash_time = Some(now.floor_millis());
        pool.cooldown_until = Some((now + wait).floor_millis());
        let limit = backoff.quick_crash.length();
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

    /// Rule 5.6. The zero of an unreferenced pool is lost on its way to the store (rule 5.3).
    fn cool_down(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>) {
        let desired = u32::from(!pool.referenced_by_versions.is_empty());
        if pool.desired_instances != desired
            && let Some(until) = pool.cooldown_until
        {
            self.ports.host.note(item.id, Reason::CoolingDown { until });
            pool.desired_instances = desired;
        }
    }

    /// Forgets the crashes when a sandbox has run long enough (rule 5.7). Since `pool-by-diff` and
    /// before `diff-clears-fields` the store keeps the old values, and this happens again at
    /// every reconcile.
    fn recover(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>, sandboxes: &[Versioned<Sandbox>], now: SimTime) {
        let count = pool.consecutive_crash_count;
        if count == 0 {
            return;
        }
        let backoff = &self.rules.tuning.backoff;
        let limit = LookBack::of(backoff.wait(count)).max(backoff.healthy_min);
        let running = sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Running);
        let longest = running.map(|s| Age::at(now, s.meta.created_at)).max();
        if let Some(ran) = longest.filter(|ran| *ran >= limit) {
            self.ports.host.note(item.id, Reason::Recovered { ran: ran.length(), limit: limit.length() });
            pool.consecutive_crash_count = 0;
            pool.cooldown_until = None;
            if !self.rules.has(Fix::KeepLastCrashTime) {
                pool.last_crash_time = None;
            }
        }
    }

    /// Gives a fixed pool its configured number back when its cooldown is over (rule 5.6).
    async fn restore_desired(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>) {
        let over = item.entity.cooldown_until.is_some() && !pool.referenced_by_versions.is_empty();
        if !over || !self.rules.has(Fix::RestoreDesiredAfterCooldown) {
            return;
        }
        // Without its version there is no configured number to come back to.
        let Ok(version) = self.ports.store.get(pool.spec.version).await else { return };
        if let Some(instances) = version.entity.service(pool.service).and_then(|s| s.concurrency.fixed())
            && pool.desired_instances < instances
        {
            self.ports.host.note(item.id, Reason::CooldownOver { instances });
            pool.desired_instances = instances;
        }
    }

    /// Never more than the maximum; the store keeps what is wanted (rule 5.8).
    fn capped(&self, item: &Versioned<Pool>, desired: u32) -> u32 {
        let limit = self.rules.tuning.max_pool_size;
        if desired <= limit || !self.rules.has(Fix::MaxPoolSize) {
            return desired;
        }
        self.ports.host.note(item.id, Reason::CappedAtMax { limit });
        limit
    }

    /// Makes what is missing (rule 5.9).
    async fn grow(
        &self,
        item: &Versioned<Pool>,
        pool: &Pool,
        sandboxes: &[Versioned<Sandbox>],
        actual: u32,
        desired: u32,
    ) {
        self.ports.host.note(item.id, Reason::TooFew { actual, desired });
        // Dead ones occupy their numbers, too. Of so many numbers enough are free.
        let mut taken = vec![false; sandboxes.len() + desired as usize];
        for sandbox in sandboxes {
            // Each is read again for its number; that of one which cannot be read seems free.
            if let Ok(found) = self.ports.store.get(sandbox.id).await
                && let Some(taken) = taken.get_mut(found.entity.instance as usize)
            {
                *taken = true;
            }
        }
        let unused = (0..).zip(taken).filter_map(|(n, taken)| (!taken).then_some(n));
        for instance in unused.take((desired - actual) as usize) {
            let sandbox = Sandbox {
                status: SandboxStatus::Pending,
                spec: Rc::clone(&pool.spec),
                pool: item.id,
                service: pool.service,
                instance,
                node: None,
                address: None,
                last_activity: None,
                boot_failed: false,
            };
            if let Err(error) = self.ports.store.create(sandbox).await {
                self.ports.host.note(item.id, Failure::from(error).passed_over());
            }
        }
    }

    /// Stops what is too much (rule 5.10).
    async fn shrink(&self, item: &Versioned<Pool>, sandboxes: &[Versioned<Sandbox>], actual: u32, desired: u32) {
        let now = self.ports.clock.now();
        let candidates = match self.retirable(item, sandboxes, now).await {
            Ok(candidates) => candidates,
            Err(failure) => return self.ports.host.note(item.id, failure.passed_over()),
        };
        for sandbox in candidates.into_iter().take((actual - desired) as usize) {
            self.ports.host.note(sandbox.id, Reason::TooMany { actual, desired });
            if let Err(error) = self.ports.store.set(sandbox.id, SandboxChange::Status(SandboxStatus::Stopped)).await {
                self.ports.host.note(sandbox.id, Failure::from(error).passed_over());
            }
        }
    }

    /// What may be stopped, the least recently active first; one without any activity counts as
    /// active now. Before `proactive-scale-down`: only what is idle for the delay of its service
    /// (rule 5.10).
    async fn retirable<'a>(
        &self,
        item: &Versioned<Pool>,
        sandboxes: &'a [Versioned<Sandbox>],
        now: SimTime,
    ) -> Result<Vec<&'a Versioned<Sandbox>>, Failure> {
        let running = sandboxes.iter().filter(|s| s.entity.status == SandboxStatus::Running);
        let mut candidates: Vec<_> = if self.rules.has(Fix::ProactiveScaleDown) {
            running.collect()
        } else {
            match idle_limit(&self.ports, item).await? {
                Some(limit) => running.filter(|s| idle_for(s, now).is_some_and(|idle| idle > limit)).collect(),
                None => Vec::new(),
            }
        };
        let active = |s: &Versioned<Sandbox>| s.entity.last_activity.unwrap_or(now);
        // The exchange sort of the original: it is not stable, so it decides among equals.
        for i in 0..candidates.len() {
            for j in i + 1..candidates.len() {
                if active(candidates[i]) > active(candidates[j]) {
                    candidates.swap(i, j);
                }
            }
        }
        Ok(candidates)
    }

    /// Rule 5.3.
    fn write_counts(&self, item: &Versioned<Pool>, pool: &mut Draft<Pool>, tally: &Tally) {
        let &Tally { actual, ready, .. } = tally;
        if (pool.current_instances, pool.ready_instances) != (actual, ready) {
            pool.current_instances = actual;
            pool.ready_instances = ready;
            if item.entity.desired_instances == pool.desired_instances {
                self.ports.host.note(item.id, Reason::Counted { actual, ready });
            }
        }
    }
}

/// How long a sandbox has been idle; one of which no activity was ever written passes for active.
pub(super) fn idle_for(sandbox: &Versioned<Sandbox>, now: SimTime) -> Option<Age> {
    sandbox.entity.last_activity.map(|at| Age::at(now, at))
}

/// After how long without activity the service of a pool gives up sandboxes, as its version has
/// it; none: never, it is fixed or gone.
///
/// # Errors
/// When the version cannot be read.
pub(super) async fn idle_limit<P: Platform>(
    ports: &Ports<P>,
    pool: &Versioned<Pool>,
) -> Result<Option<LookBack>, Failure> {
    let version = ports.store.get(pool.entity.spec.version).await?;
    let service = version.entity.service(pool.entity.service);
    Ok(match service.map(|service| service.concurrency) {
        Some(Concurrency::Auto { scale_down_delay, .. }) => {
            Some(scale_down_delay).filter(|limit| !limit.is_zero()).map(LookBack::of)
        }
        Some(Concurrency::Fixed { .. }) | None => None,
    })
}
