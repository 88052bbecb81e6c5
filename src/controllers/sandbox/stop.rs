//! Stops: the full clean-up of a sandbox.
//!
//! Destroys the container, gives back the address and the disk leases, marks DEAD. What a
//! newcomer gets wrong: of a deleted sandbox only the id is known, so its leases stay; and
//! without a container the address in the store is not given back, either, before
//! `release-address-without-container`.

use std::iter::successors;

use crate::model::{Reason, Sandbox, SandboxId, SandboxStatus};
use crate::ports::{Clock, Host, Platform, SandboxBackend, Versioned};
use crate::time::SimDuration;

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::{End, Failure, at_once, poll_until};

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
        let clock = &self.ports.clock;
        let longer = |wait: &SimDuration| Some(SimDuration::from_nanos(wait.as_nanos() / 2 * 3).min(DESTROY_WAIT_MAX));
        let pauses = at_once(successors(Some(DESTROY_WAIT), longer));
        let mut last = None;
        let destroyed = poll_until(clock, clock.now() + DESTROY_LIMIT, End::BeforeDeadline, pauses, async |left| {
            last = clock.timeout(left, self.backend.destroy(id)).await;
            Ok::<_, Failure>(last.and_then(Result::ok))
        });
        if destroyed.await?.is_some() {
            return Ok(());
        }
        let late = Failure::NotDestroyed { limit: DESTROY_LIMIT };
        let error = last.and_then(Result::err).map_or(late, Failure::from);
        self.ports.host.note(id, Reason::CleanUpFailed { error });
        Err(error)
    }
}
