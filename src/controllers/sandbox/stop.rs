//! Stops: the full clean-up of a sandbox.
//!
//! Destroys the container, gives back the address and the disk leases, marks DEAD. What a
//! newcomer gets wrong: of a deleted sandbox only the id is known, so its leases stay; and
//! without a container the address in the store is not given back, either, before
//! `release-address-without-container`.

use crate::model::{Name, Reason, Sandbox, SandboxId, SandboxStatus};
use crate::ports::{BackendError, Clock, Host, Platform, SandboxBackend, Versioned};
use crate::time::SimDuration;

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::Failure;

use super::SandboxController;

/// The first wait between tries to destroy a container, the longest, and for how long it is tried.
const DESTROY_WAIT: SimDuration = SimDuration::from_millis(100);
const DESTROY_WAIT_MAX: SimDuration = SimDuration::from_secs(2);
const DESTROY_LIMIT: SimDuration = SimDuration::from_secs(60);

impl<P: Platform> SandboxController<P> {
    /// Cleans up after a sandbox; `item` is none when it was deleted, `mark` says whether it
    /// still has to be marked DEAD.
    pub(super) async fn stop(
        &self,
        id: SandboxId,
        item: Option<&Versioned<Sandbox>>,
        mark: bool,
    ) -> Result<(), Failure> {
        let container = self.backend.inspect(id).await?;
        if item.is_some() || container.is_some() {
            self.ports.host.note(id, Reason::CleanUp);
        }
        if container.is_some() {
            self.destroy(id).await?;
        }
        let stored = item.and_then(|item| item.entity.address);
        let known = container.map(|container| container.address);
        let address = match known {
            Some(address) => Some(address),
            None => stored.filter(|_| self.rules.has(Fix::ReleaseAddressWithoutContainer)),
        };
        if let Some(address) = address {
            self.backend.release_address(address).await;
        }
        if item.is_none() {
            return Ok(());
        }
        if self.rules.has(Fix::ReleaseLeasesOnStop) {
            self.release_leases(id).await?;
        }
        if mark {
            self.ports.host.note(id, Reason::CleanedUp);
            self.mark(id, SandboxStatus::Dead).await?;
        }
        Ok(())
    }

    /// Destroys a sandbox's container; tried for a minute.
    pub(super) async fn destroy(&self, id: SandboxId) -> Result<(), Failure> {
        let deadline = self.ports.clock.now() + DESTROY_LIMIT;
        let mut wait = DESTROY_WAIT;
        loop {
            let left = deadline.since(self.ports.clock.now());
            let error = match self.ports.clock.timeout(left, self.backend.destroy(id)).await {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => error,
                None => BackendError(Name::new(&format!("not destroyed within {DESTROY_LIMIT}"))),
            };
            if self.ports.clock.now() + wait >= deadline {
                self.ports.host.note(id, Reason::CleanUpFailed { error: error.0 });
                return Err(error.into());
            }
            self.ports.clock.sleep(wait).await;
            wait = SimDuration::from_nanos(wait.as_nanos() / 2 * 3).min(DESTROY_WAIT_MAX);
        }
    }
}
