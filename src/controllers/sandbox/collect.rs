//! The collector of a node: deletes sandboxes that have long been dead.
//!
//! What a newcomer gets wrong: the deletion is what lets the sandbox controller remove a dead
//! sandbox's container – an hour late – and, before `release-leases-on-collect`, what leaves its
//! lease BOUND to nobody for ever.

use std::rc::Rc;

use crate::constants::Age;
use crate::model::{NodeId, Reason, Sandbox, SandboxStatus};
use crate::ports::{Clock, EntityStore, Host, Platform, Ports};

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::{Failure, First, Rules, Task, periodically};

use super::volumes::release_leases;

/// The collector of one node's dead sandboxes.
pub struct Collector<P: Platform> {
    ports: Ports<P>,
    rules: Rc<Rules>,
    node: NodeId,
}

impl<P: Platform> Collector<P> {
    /// The collector of a node.
    pub fn new(ports: Ports<P>, rules: Rc<Rules>, node: NodeId) -> Self {
        Self { ports, rules, node }
    }

    /// Its task: at the start and every five minutes.
    pub fn task(self) -> Task {
        (self.rules.tuning.collect_every.task(), Box::pin(self.run()))
    }

    async fn run(self) {
        let period = self.rules.tuning.collect_every;
        periodically(&self.ports, "collector", period, First::AtOnce, async || {
            // What fails now is tried again at the next tick.
            let _ = self.collect().await;
        })
        .await;
    }

    /// Rule 7.70.
    async fn collect(&self) -> Result<(), Failure> {
        let limit = self.rules.tuning.dead_kept;
        for sandbox in self.ports.store.list::<Sandbox>(super::looked_at(&self.rules, self.node)).await?.iter() {
            let age = Age::at(self.ports.clock.now(), sandbox.meta.updated_at);
            if sandbox.entity.status != SandboxStatus::Dead || age <= limit {
                continue;
            }
            self.ports.host.attach(sandbox.meta.origin);
            if self.rules.has(Fix::ReleaseLeasesOnCollect) {
                release_leases(&self.ports, sandbox.id).await?;
            }
            self.ports.host.note(sandbox.id, Reason::Collected { age: age.length(), limit: limit.length() });
            self.ports.store.delete(sandbox.id).await?;
        }
        Ok(())
    }
}
