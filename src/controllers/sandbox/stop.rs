//! Stops: the full clean-up of a sandbox (rules 7.50 to 7.58).
//!
//! Gives up the disk leases, destroys the container, gives the address back, marks DEAD. What a
//! newcomer gets wrong: the leases go first, while the program may still write; and what cannot
//! be destroyed is DEAD all the same, with its address free under a living program.

use std::iter::successors;

use crate::model::{Reason, Sandbox, SandboxId, SandboxStatus};
use crate::ports::{Clock, Host, Platform, SandboxBackend, Versioned};
use crate::time::{SimDuration, SimTime};

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::{End, Failure, at_once, poll_until};

use super::{SandboxController, Tries};

/// The first wait between tries to destroy a container, the longest, and for how long it is tried, before
/// `graceful-shutdown`.
const DESTROY_WAIT: SimDuration = SimDuration::from_millis(100);
const DESTROY_WAIT_MAX: SimDuration = SimDuration::from_secs(2);
const DESTROY_LIMIT: SimDuration = SimDuration::from_secs(60);
/// How much longer than its program a stop may take since then.
const DESTROY_MARGIN: SimDuration = SimDuration::from_secs(30);

/// How often DEAD is written when others write meanwhile. Rule 7.55.
const RETIRE_TRIES: Tries = Tries { most: 10, pause: SimDuration::ZERO, longest: SimDuration::ZERO };

impl<P: Platform> SandboxController<P> {
    /// Cleans up after a sandbox; `item` is none when it was deleted.
    pub(super) async fn stop(&self, id: SandboxId, item: Option<&Versioned<Sandbox>>) -> Result<(), Failure> {
        // Rule 7.50: what cannot be looked at is taken for gone.
        let container = self.backend.inspect(id).await.unwrap_or_default();
        if item.is_some() || container.is_some() {
            self.ports.host.note(id, Reason::CleanUp);
        }
        // Rule 7.51: first, so that the next sandbox need not wait for this one's end. Rule 1.9: a deleted one's cannot be
        // written before `deleted-releases-leases`.
        let known = item.is_some() || self.rules.has(Fix::DeletedReleasesLeases);
        let releases = known && self.rules.has(Fix::ReleaseLeasesOnStop);
        let first = releases && self.rules.has(Fix::ReleaseLeasesFirst) && !self.rules.has(Fix::ReleaseLeasesLast);
        if first {
            self.release_leases(id).await?;
        }
        if container.is_some() {
            let own = item.and_then(|item| item.entity.spec.shutdown_timeout);
            let destroyed = self.destroy(id, own, container.and_then(|container| container.told_at)).await;
            // Rule 7.53.
            if !self.rules.has(Fix::StopGoesOn) {
                destroyed?;
            }
        }
        // Rule 7.54.
        let stored = item.and_then(|item| item.entity.address);
        let stored = || stored.filter(|_| self.rules.has(Fix::ReleaseAddressWithoutContainer));
        if let Some(address) = container.map(|container| container.address).or_else(stored) {
            self.backend.release_address(address).await;
        }
        if releases && !first {
            self.release_leases(id).await?;
        }
        if item.is_some() {
            self.retire(id).await?;
        }
        Ok(())
    }

    /// Rule 7.55: DEAD, written again where it stands already before `dead-written-once`.
    async fn retire(&self, id: SandboxId) -> Result<(), Failure> {
        let (dead, why) = (SandboxStatus::Dead, Reason::CleanedUp);
        if !self.rules.has(Fix::DeadWrittenOnce) {
            self.ports.host.note(id, why);
            return self.mark(id, dead).await;
        }
        if let Some(revision) = self.set_unless_dead(id, dead, &RETIRE_TRIES, Some(why)).await? {
            self.own.remember(revision);
        }
        Ok(())
    }

    /// Rules 7.56, 7.57: destroys a sandbox's container, whose program may have a time of its `own` to end, and may
    /// have been told to before, by a process that is gone.
    pub(super) async fn destroy(
        &self,
        id: SandboxId,
        own: Option<SimDuration>,
        told_at: Option<SimTime>,
    ) -> Result<(), Failure> {
        let once = self.rules.has(Fix::GracefulShutdown);
        let clock = &self.ports.clock;
        let grace = own.filter(|_| once).unwrap_or(self.rules.tuning.shutdown_timeout);
        let waited = told_at.filter(|_| self.rules.has(Fix::DrainResumes)).map(|at| clock.now().since(at));
        let grace = grace.saturating_sub(waited.unwrap_or_default());
        let limit = if once { grace + DESTROY_MARGIN } else { DESTROY_LIMIT };
        let longer = |wait: &SimDuration| Some(SimDuration::from_nanos(wait.as_nanos() / 2 * 3).min(DESTROY_WAIT_MAX));
        let first = if once { SimDuration::ZERO } else { DESTROY_WAIT };
        // By force the second time; what fails then is left to the watchdog.
        let (mut patience, later) = (grace, if once { SimDuration::ZERO } else { grace });
        let tries = if once { 2 } else { usize::MAX };
        let pauses = at_once(successors(Some(first), longer)).take(tries);
        let mut last = None;
        let destroyed = poll_until(clock, clock.now() + limit, End::BeforeDeadline, pauses, async |left| {
            let grace = std::mem::replace(&mut patience, later);
            last = clock.timeout(left, self.backend.destroy(id, grace)).await;
            Ok::<_, Failure>(last.and_then(Result::ok))
        });
        if destroyed.await?.is_some() {
            return Ok(());
        }
        let late = Failure::NotDestroyed { limit };
        let error = last.and_then(Result::err).map_or(late, Failure::from);
        self.ports.host.note(id, Reason::CleanUpFailed { error });
        Err(error)
    }
}
