//! The addresses of a node, compared with its containers: what is taken by nobody, and what somebody has untaken.
//!
//! The table of addresses and the runtime can come apart: a boot that a crash cuts, a stop that goes on over a living
//! program. What a newcomer gets wrong: an address is given back after several looks only, because a boot has its address
//! before it has its container; and the looks are counted in memory, so that a restart begins anew.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::{Address, SandboxId};
use crate::ports::{Fact, Platform, Ports, Remembers, SandboxBackend};

use crate::controllers::runtime::{First, Rules, Task, periodically};

/// At how many looks an address has no container before it is given back.
const LOOKS: u64 = 3;

/// What compares a node's addresses with its containers.
pub struct Addresses<P: Platform> {
    ports: Ports<P>,
    backend: P::Sandboxes,
    rules: Rc<Rules>,
    /// The addresses that had no container at the last look, for whom they were taken, and at how many looks in a row.
    without: RefCell<BTreeMap<Address, (SandboxId, u64)>>,
}

impl<P: Platform> Addresses<P> {
    /// For the node of that container runtime.
    pub fn new(ports: Ports<P>, backend: P::Sandboxes, rules: Rc<Rules>) -> Self {
        Self { ports, backend, rules, without: RefCell::default() }
    }

    /// Its task: at the start and every five minutes.
    pub fn task(self: &Rc<Self>) -> Task {
        (self.rules.tuning.addresses_every.task(), Box::pin(Rc::clone(self).run()))
    }

    async fn run(self: Rc<Self>) {
        let period = self.rules.tuning.addresses_every;
        periodically(&self.ports, "addresses", period, First::AtOnce, async || self.look().await).await;
    }

    /// Rule 7.82.
    async fn look(&self) {
        // What cannot be listed is looked at the next time.
        let Ok(containers) = self.backend.containers().await else { return };
        let taken = self.backend.addresses().await;
        let mut before = self.without.take();
        for container in &containers {
            if !taken.iter().any(|(address, _)| *address == container.address) {
                self.backend.reserve_address(container.address, container.sandbox).await;
            }
        }
        for (address, owner) in taken {
            if containers.iter().any(|container| container.address == address) {
                continue;
            }
            let looks = before.remove(&address).map_or(0, |(_, looks)| looks) + 1;
            if looks < LOOKS {
                self.without.borrow_mut().insert(address, (owner, looks));
            } else {
                self.backend.release_address(address).await;
            }
        }
    }
}

impl<P: Platform> Remembers for Addresses<P> {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        for (owner, looks) in self.without.borrow().values() {
            fact(Fact::Thing((*owner).into()));
            fact(Fact::Number(*looks));
        }
    }
}
