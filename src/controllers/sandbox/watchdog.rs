//! The watchdog of a node: removes containers that no living sandbox owns.
//!
//! It compares the runtime's containers with a listing of the store. What a newcomer gets
//! wrong: the listing may lag, and before `confirm-before-release` the watchdog believes it – a
//! live sandbox's address is then handed out a second time.

use std::rc::Rc;

use crate::constants::Age;
use crate::model::{NodeId, Reason, Sandbox, SandboxId, SandboxStatus};
use crate::ports::{
    Clock, ContainerInfo, EntityStore, Host, Platform, Ports, SandboxBackend, Signal, StoreError, Versioned,
};
use crate::time::SimDuration;

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::{Failure, First, Rules, Task, periodically};

/// The time between SIGQUIT and SIGKILL.
const QUIT_GRACE: SimDuration = SimDuration::from_secs(5);

/// The watchdog of one node.
pub struct Watchdog<P: Platform> {
    ports: Ports<P>,
    backend: P::Sandboxes,
    rules: Rc<Rules>,
    node: NodeId,
}

impl<P: Platform> Watchdog<P> {
    /// The watchdog of a node.
    pub fn new(ports: Ports<P>, backend: P::Sandboxes, rules: Rc<Rules>, node: NodeId) -> Self {
        Self { ports, backend, rules, node }
    }

    /// Its task: at the start and every five minutes.
    pub fn task(self) -> Task {
        (self.rules.tuning.watchdog_every.task(), Box::pin(self.run()))
    }

    async fn run(self) {
        let period = self.rules.tuning.watchdog_every;
        periodically(&self.ports, "watchdog", period, First::AtOnce, async || {
            // What fails now is tried again at the next tick.
            let _ = self.look().await;
        })
        .await;
    }

    /// Rule 7.80: all strays are asked to quit, and after one pause all are ended.
    async fn look(&self) -> Result<(), Failure> {
        let listed = self.ports.store.list::<Sandbox>(super::looked_at(&self.rules, self.node)).await?;
        let mut strays = Vec::new();
        for container in self.backend.containers().await? {
            let known = listed.iter().find(|sandbox| sandbox.id == container.sandbox);
            // Who cannot be read is left alone.
            if self.is_stray(known) && self.is_confirmed(container.sandbox).await.unwrap_or(false) {
                if let Some(sandbox) = known {
                    self.ports.host.attach(sandbox.meta.origin);
                }
                self.ports.host.note(container.sandbox, Reason::StrayContainer { known: known.is_some() });
                strays.push(container);
            }
        }
        self.remove(&strays).await;
        Ok(())
    }

    /// Whether the listing says that nobody living owns the container.
    fn is_stray(&self, known: Option<&Versioned<Sandbox>>) -> bool {
        known.is_none_or(|sandbox| {
            let dead = sandbox.entity.status == SandboxStatus::Dead;
            let age = Age::at(self.ports.clock.now(), sandbox.meta.updated_at);
            dead && age > self.rules.tuning.watchdog_grace
        })
    }

    /// Reads the sandbox itself once more, because a listing may lag. Rule 7.81.
    async fn is_confirmed(&self, sandbox: SandboxId) -> Result<bool, Failure> {
        if !self.rules.has(Fix::ConfirmBeforeRelease) {
            return Ok(true);
        }
        match self.ports.store.get(sandbox).await {
            Ok(item) => Ok(item.entity.status == SandboxStatus::Dead),
            Err(StoreError::NotFound) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Rule 7.81.
    async fn remove(&self, strays: &[ContainerInfo]) {
        if strays.is_empty() {
            return;
        }
        let releases = self.rules.has(Fix::WatchdogReleasesAddress);
        let confirms = self.rules.has(Fix::ConfirmBeforeRelease);
        for stray in strays {
            // Rule 7.81: before the removal, and even when it fails.
            if releases && !confirms {
                self.backend.release_address(stray.address).await;
            }
            self.backend.signal(stray.sandbox, Signal::Quit).await;
        }
        self.ports.clock.sleep(QUIT_GRACE).await;
        for stray in strays {
            self.backend.signal(stray.sandbox, Signal::Kill).await;
            let removed = self.backend.destroy(stray.sandbox, SimDuration::ZERO).await.is_ok();
            if releases && confirms && removed {
                self.backend.release_address(stray.address).await;
            }
        }
    }
}
