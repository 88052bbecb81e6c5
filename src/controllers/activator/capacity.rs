//! Which sandbox serves a request, and when there is no hope for one (`docs/rules.md` §10).

use std::cell::Cell;
use std::rc::Rc;

use crate::model::{Concurrency, SandboxId, SandboxStatus};
use crate::ports::{Clock, Host, Platform};

use crate::controllers::fixes::Fix;

use super::{Activator, Wanted};

/// A request's share of one sandbox; given back when it is dropped.
pub struct Slot {
    pub sandbox: SandboxId,
    pub(super) size: u32,
    pub(super) used: Rc<Cell<u32>>,
}

impl Slot {
    /// How much of the sandbox it is.
    pub fn size(&self) -> u32 {
        self.size
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.used.set(self.used.get().saturating_sub(self.size));
    }
}

impl<P: Platform> Activator<P> {
    /// A slot on a sandbox that has room, if there is one: the first from a random one on. Rule 10.4.
    pub(super) fn take_slot(&self, wanted: &Wanted) -> Option<Slot> {
        let (size, room) = match wanted.concurrency {
            Concurrency::Fixed { .. } => (1, u32::MAX),
            Concurrency::Auto { requests_per_instance: n, .. } => ((n / 5).max(1), n),
        };
        let candidates = self.candidates(wanted);
        let start = match candidates.len() {
            0 | 1 => 0,
            several => self.ports.host.draw_below(&wanted.key.1, "sandbox", several),
        };
        let (before, after) = candidates.split_at(start);
        let usable = |id: &&SandboxId| self.is_usable(**id) && self.cache.has_room(**id, size, room);
        let chosen = after.iter().chain(before).find(usable)?;
        self.cache.take(*chosen, size, self.ports.clock.now())
    }

    /// Who keeps a slot has used it now; false when its sandbox is not tracked any more, or, since
    /// `ingress-told-of-stops`, does not run. Rule 10.11.
    pub fn renew(&self, slot: &Slot) -> bool {
        let refuses_dead = self.rules.has(Fix::IngressToldOfStops);
        let now = self.ports.clock.now();
        let renewed = self.cache.with(slot.sandbox, |tracked| {
            let renews = tracked.status == SandboxStatus::Running || !refuses_dead;
            tracked.renewed = if renews { now } else { tracked.renewed };
            renews
        });
        renewed == Some(true)
    }

    /// Whether a sandbox is known to be RUNNING. Rule 10.12.
    pub fn runs(&self, sandbox: SandboxId) -> bool {
        self.cache.is(sandbox, |tracked| tracked.status == SandboxStatus::Running)
    }

    /// The sandboxes that may serve the request. Rule 10.2.
    pub(super) fn candidates(&self, wanted: &Wanted) -> Vec<SandboxId> {
        if self.rules.has(Fix::VersionsSharePools) {
            self.cache.bound(wanted.key).map(|pool| self.cache.sandboxes_of(pool)).unwrap_or_default()
        } else {
            self.cache.sandboxes_made_for(wanted.key)
        }
    }

    /// Rule 10.4.
    fn is_usable(&self, id: SandboxId) -> bool {
        self.cache.is(id, |sandbox| {
            (sandbox.status == SandboxStatus::Running || !self.rules.has(Fix::SkipDead)) && sandbox.has_address
        })
    }

    /// Whether one is on its way. Rule 10.5.
    pub(super) fn is_one_booting(&self, wanted: &Wanted) -> bool {
        let pending = |id: &SandboxId| self.cache.is(*id, |sandbox| sandbox.status == SandboxStatus::Pending);
        self.rules.has(Fix::ActivatorSeesPending) && self.candidates(wanted).iter().any(pending)
    }

    /// How many sandboxes there are whose death would be the request's own. Rule 10.6.
    pub(super) fn count_own(&self, wanted: &Wanted) -> usize {
        let own = |id: &&SandboxId| {
            !self.rules.has(Fix::DeathsOfOwnVersion) || self.cache.is(**id, |sandbox| sandbox.key.0 == wanted.key.0)
        };
        self.candidates(wanted).iter().filter(own).count()
    }

    /// Whether every sandbox that the request could have hoped for is stopped or dead; `before` is
    /// how many there were when it asked for more, if it did. Rule 10.6.
    pub(super) fn all_died(&self, wanted: &Wanted, before: Option<usize>) -> bool {
        let live = |id: &SandboxId| self.cache.is(*id, |sandbox| sandbox.status.is_live());
        if !self.rules.has(Fix::ExitWatch) || self.candidates(wanted).iter().any(live) {
            return false;
        }
        let own = self.count_own(wanted);
        let is_new = !self.rules.has(Fix::IgnoreStaleDead) || before.is_none_or(|before| own > before);
        own > 0 && is_new
    }
}
