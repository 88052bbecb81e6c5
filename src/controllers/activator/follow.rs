//! How the activator learns of pools and sandboxes: a look at everything when it starts, then
//! watches that break (`docs/rules.md` §10).
//!
//! A broken watch is opened again after 5 s, from then on; what happened in between is missed
//! until `activator-resyncs`. What a newcomer gets wrong: the watches open after the first look,
//! so that what happens between is missed too; and pools are hardly watched at all – their
//! deletions since `watch-pool-deletions`, their numbers since `refresh-pool-cache`.

use std::rc::Rc;

use crate::model::{Entity, Pool, Sandbox, SandboxStatus};
use crate::ports::{Change, Clock, EntityStore, Platform, Query, StoreError, Versioned, Watch, WatchEvent};
use crate::time::{SimDuration, SimTime};

use crate::controllers::fixes::Fix;

use super::Activator;
use super::cache::{KnownPool, Tracked};

/// How long a broken watch waits.
const WATCH_RESTART: SimDuration = SimDuration::from_secs(5);

impl<P: Platform> Activator<P> {
    /// Rule 10.2.
    pub(super) async fn follow_sandboxes(self: Rc<Self>) {
        self.recover().await;
        self.recovered.notify_all();
        self.follow::<Sandbox>(async |change, item| match change {
            Change::Added | Change::Updated => self.sandbox_told(&item).await,
            Change::Deleted if self.rules.has(Fix::ForgetDeleted) => self.cache.drop_sandbox(item.id),
            Change::Deleted => {}
        })
        .await;
    }

    /// Rule 10.3.
    pub(super) async fn follow_pools(self: Rc<Self>) {
        self.until_recovered().await;
        self.follow::<Pool>(async |change, item| match change {
            Change::Added => {}
            Change::Updated => self.pool_told(&item),
            Change::Deleted => self.cache.drop_pool(item.id),
        })
        .await;
    }

    /// Ends when the first look at everything is over: nobody is served before.
    pub(super) async fn until_recovered(&self) {
        self.recovered.changed_since(0).await;
    }

    /// Takes in what a watch tells, and begins anew when it breaks. Rule 10.2.
    async fn follow<E: Entity>(&self, told: impl AsyncFn(Change, Versioned<E>)) {
        loop {
            if let Ok(watch) = self.ports.store.watch::<E>(Query::All, None).await {
                let _ = Self::take_news(watch, &told).await;
            }
            self.ports.clock.sleep(WATCH_RESTART).await;
            if self.rules.has(Fix::ActivatorResyncs) {
                self.recover().await;
                self.cache.tell_all();
            }
        }
    }

    async fn take_news<E: Entity>(
        mut watch: <P::Store as EntityStore>::Watch<E>,
        told: &impl AsyncFn(Change, Versioned<E>),
    ) -> Result<(), StoreError> {
        while let Some(WatchEvent { change, item }) = watch.next().await? {
            told(change, item).await;
        }
        Ok(())
    }

    /// Takes in what there is: all pools, and the sandboxes that run. What cannot be read is
    /// passed over. Rule 10.1.
    async fn recover(&self) {
        if let Ok(pools) = self.ports.store.list::<Pool>(Query::All).await {
            for pool in pools.iter() {
                let _ = self.recover_pool(pool).await;
            }
        }
        let Ok(sandboxes) = self.ports.store.list::<Sandbox>(Query::All).await else { return };
        let now = self.ports.clock.now();
        for sandbox in sandboxes.iter() {
            let _ = self.recover_sandbox(sandbox, now).await;
        }
    }

    /// Rules 10.1, 10.2.
    async fn recover_pool(&self, item: &Versioned<Pool>) -> Result<(), StoreError> {
        let key = (item.entity.spec.version, item.entity.service);
        self.ports.store.get(key.0).await?;
        self.cache.know(item.id);
        // A later look leaves alone what raises keep up to date.
        if !self.rules.has(Fix::ActivatorResyncs) || self.cache.read_for(key).is_none() {
            self.cache.remember_read(key, Rc::new(KnownPool::from(item).into()));
        }
        for version in &item.entity.referenced_by_versions {
            if self.ports.store.get(*version).await.is_ok() {
                self.cache.bind((*version, key.1), item.id, false);
            }
        }
        Ok(())
    }

    async fn recover_sandbox(&self, item: &Versioned<Sandbox>, now: SimTime) -> Result<(), StoreError> {
        let sandbox = &item.entity;
        if sandbox.status != SandboxStatus::Running || sandbox.address.is_none() {
            return Ok(());
        }
        self.ports.store.get(sandbox.spec.version).await?;
        let is_new = !self.cache.is(item.id, |_| true);
        if is_new && self.cache.knows(sandbox.pool) {
            self.cache.track(item.id, Tracked::new(item, now));
        }
        Ok(())
    }

    /// Rule 10.3.
    fn pool_told(&self, item: &Versioned<Pool>) {
        if !self.rules.has(Fix::RefreshPoolCache) {
            return;
        }
        self.cache.refresh(item.into());
        if self.rules.has(Fix::RepointActivator) {
            self.cache.unbind(item.id, |(version, _)| item.entity.referenced_by_versions.contains(version));
        }
    }

    /// Rules 10.2, 10.4.
    async fn sandbox_told(&self, item: &Versioned<Sandbox>) {
        let (status, has_address) = (item.entity.status, item.entity.address.is_some());
        let before = self.cache.with(item.id, |tracked| {
            let arrives = has_address && !tracked.has_address;
            tracked.has_address |= has_address;
            (std::mem::replace(&mut tracked.status, status), tracked.key, arrives)
        });
        let Some((before, key, arrives)) = before else { return self.discover(item).await };
        // The dead were dropped until `exit-watch`; since then they are kept, for those who wait.
        if status == SandboxStatus::Dead && self.rules.has(Fix::SkipDead) && !self.rules.has(Fix::ExitWatch) {
            self.cache.drop_sandbox(item.id);
        }
        let ends = matches!(status, SandboxStatus::Stopped | SandboxStatus::Dead) && self.rules.has(Fix::ExitWatch);
        let runs = status == SandboxStatus::Running;
        let arrives = arrives && runs && self.rules.has(Fix::LongerRequestWait);
        if !arrives && (before == status || !(ends || runs)) {
            return;
        }
        if self.rules.has(Fix::VersionsSharePools) {
            self.cache.tell_of(item.entity.pool);
        } else {
            self.cache.tell(key);
        }
    }

    /// Tracks a sandbox from now on, if it is one that may serve. Rule 10.2.
    ///
    /// DIFFERS: until #348 one without an address was passed over, and until #346 of the same day
    /// the address came with RUNNING; here addresses come early in all days, so that PENDING ones
    /// are passed over by name.
    async fn discover(&self, item: &Versioned<Sandbox>) {
        let sandbox = &item.entity;
        let may_serve = match sandbox.status {
            SandboxStatus::Running => sandbox.address.is_some(),
            SandboxStatus::Pending => self.rules.has(Fix::ExitWatch),
            SandboxStatus::Stopped | SandboxStatus::Dead => false,
        };
        if !may_serve {
            return;
        }
        let Ok(pool) = self.ports.store.get(sandbox.pool).await else { return };
        if self.ports.store.get(sandbox.spec.version).await.is_err() {
            return;
        }
        // The other watch's look at everything may have been quicker.
        if self.cache.is(item.id, |_| true) {
            return;
        }
        self.cache.track(item.id, Tracked::new(item, self.ports.clock.now()));
        for version in &pool.entity.referenced_by_versions {
            if self.ports.store.get(*version).await.is_ok() {
                self.cache.bind((*version, sandbox.service), pool.id, false);
                self.cache.tell((*version, sandbox.service));
            }
        }
    }
}
