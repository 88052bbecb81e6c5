//! The ingress: keeps shares of sandboxes between requests (`docs/rules.md` rules 10.10 to 10.13).
//!
//! A request takes a share that is kept for its app and service, if one has room; only without one the activator is
//! asked. It lives in the coordinator and remembers nothing beyond it. What a newcomer gets wrong: a share is kept
//! whatever version was asked for and whatever became of its sandbox, and while it is kept it counts as used.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::constants::Age;
use crate::model::{AppId, Name, RequestError, SandboxId, VersionId};
use crate::ports::{Clock, Fact, Platform, Ports, Remembers};
use crate::time::{SimDuration, SimTime};

use super::activator::{Activator, Slot};
use super::fixes::Fix;
use super::runtime::{First, Rules, Task, periodically};

/// What shares are kept by.
type Key = (AppId, Name);

/// A share of a sandbox, kept for the requests of an app's service.
struct Share {
    sandbox: SandboxId,
    /// None: given back.
    slot: RefCell<Option<Slot>>,
    /// How many requests have it now.
    uses: Cell<u32>,
    last_used: Cell<SimTime>,
}

/// A request's use of a share; it ends when it is dropped.
pub struct ShareGuard {
    share: Rc<Share>,
    key: Key,
    /// Whether the share was kept already when the request came.
    kept: bool,
}

impl ShareGuard {
    /// The sandbox that is to serve the request.
    pub fn sandbox(&self) -> SandboxId {
        self.share.sandbox
    }
}

impl Drop for ShareGuard {
    fn drop(&mut self) {
        self.share.uses.set(self.share.uses.get() - 1);
    }
}

/// The ingress.
pub struct Ingress<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    activator: Rc<Activator<P>>,
    shares: RefCell<BTreeMap<Key, Vec<Rc<Share>>>>,
}

impl<P: Platform> Ingress<P> {
    /// An ingress that keeps nothing yet.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>, activator: Rc<Activator<P>>) -> Rc<Self> {
        Rc::new(Self { ports, rules, activator, shares: RefCell::default() })
    }

    /// Its task: the round of rule 10.11.
    pub fn task(self: &Rc<Self>) -> Task {
        (self.rules.tuning.ingress_every.task(), Box::pin(Rc::clone(self).rounds()))
    }

    /// How long a sandbox may take to answer a request that waited for it so long. Rule 10.13.
    pub fn patience(&self, waited: SimDuration) -> SimDuration {
        let limit = self.rules.tuning.ingress_timeout;
        if self.rules.has(Fix::IngressTimesAnswer) { limit } else { limit.saturating_sub(waited) }
    }

    /// A share for one request: one that is kept, or a new one that is kept from now on. Rule 10.10.
    ///
    /// # Errors
    /// Why the activator has none.
    pub async fn request(&self, app: AppId, version: VersionId, service: Name) -> Result<ShareGuard, RequestError> {
        let key = (app, service);
        let now = || self.ports.clock.now();
        if let Some(share) = self.kept(key) {
            share.uses.set(share.uses.get() + 1);
            share.last_used.set(now());
            return Ok(ShareGuard { share, key, kept: true });
        }
        let slot = self.activator.request(version, service).await?;
        let (uses, last_used) = (Cell::new(1), Cell::new(now()));
        let share = Rc::new(Share { sandbox: slot.sandbox, slot: RefCell::new(Some(slot)), uses, last_used });
        self.shares.borrow_mut().entry(key).or_default().push(Rc::clone(&share));
        Ok(ShareGuard { share, key, kept: false })
    }

    /// The first kept share with room: its size is exceeded by one. Rule 10.10.
    fn kept(&self, key: Key) -> Option<Rc<Share>> {
        // Rule 10.12: told of at once upstream; here whoever next uses the share finds out.
        if self.rules.has(Fix::IngressToldOfStops) {
            self.keep(key, |share| self.activator.runs(share.sandbox));
        }
        let has_room =
            |share: &&Rc<Share>| share.slot.borrow().as_ref().is_some_and(|slot| share.uses.get() <= slot.size());
        self.shares.borrow().get(&key)?.iter().find(has_room).cloned()
    }

    /// Gives back the shares of a service that `keeps` does not want.
    fn keep(&self, key: Key, keeps: impl Fn(&Share) -> bool) {
        let mut all = self.shares.borrow_mut();
        let Some(shares) = all.get_mut(&key) else { return };
        shares.retain(|share| {
            let kept = keeps(share);
            if !kept {
                share.slot.take();
            }
            kept
        });
        if shares.is_empty() {
            all.remove(&key);
        }
    }

    /// The sandbox takes no connection; whether the request asks once more. Rule 10.12.
    pub fn refused(&self, guard: ShareGuard) -> bool {
        let (key, kept, share) = (guard.key, guard.kept, Rc::clone(&guard.share));
        drop(guard);
        let retries = kept && self.rules.has(Fix::IngressRetries);
        if retries {
            self.keep(key, |_| false);
        } else if self.rules.has(Fix::IngressDropsBroken) {
            self.keep(key, |other| !std::ptr::eq(other, &*share));
        }
        retries
    }

    /// The sandbox broke off the connection. Rule 10.12.
    pub fn broke_off(&self, guard: ShareGuard) {
        if !self.rules.has(Fix::IngressRetries) {
            self.refused(guard);
        }
    }

    /// Rule 10.11: what is not used is given back, what is used is renewed.
    async fn rounds(self: Rc<Self>) {
        let tuning = &self.rules.tuning;
        periodically(&self.ports, "ingress", tuning.ingress_every, First::AtTick, async || {
            let now = self.ports.clock.now();
            let keeps = self.rules.has(Fix::IngressKeepsShares);
            let is_old = |share: &Share| !keeps || Age::at(now, share.last_used.get()) > tuning.ingress_kept;
            let renews = |share: &Share| share.slot.borrow().as_ref().is_some_and(|slot| self.activator.renew(slot));
            let keys: Vec<Key> = self.shares.borrow().keys().copied().collect();
            for key in keys {
                self.keep(key, |share| !(share.uses.get() == 0 && is_old(share)) && renews(share));
            }
        })
        .await;
    }
}

impl<P: Platform> Remembers for Ingress<P> {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        for ((app, _), shares) in &*self.shares.borrow() {
            fact(Fact::Thing((*app).into()));
            fact(Fact::Number(shares.len() as u64));
            for share in shares {
                fact(Fact::Thing(share.sandbox.into()));
                fact(Fact::Number(u64::from(share.uses.get())));
                fact(Fact::Moment(Some(share.last_used.get())));
            }
        }
    }
}
