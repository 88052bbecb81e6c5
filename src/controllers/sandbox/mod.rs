//! The sandbox controller of one node: boots, checks and stops sandboxes (`docs/rules.md` §7).
//!
//! It knows the node's container runtime and the store. It decides by the container, not by
//! wishes: PENDING and RUNNING alike mean "there should be a healthy container". What a newcomer
//! gets wrong: what happens to a sandbox whose boot *fails* is the heart of the matter – see
//! `boot.rs`.

mod addresses;
mod boot;
mod collect;
mod stop;
mod volumes;
mod watchdog;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::constants::Age;
use crate::model::reason::Ailment;
use crate::model::{NodeId, Reason, Revision, Sandbox, SandboxChange, SandboxId, SandboxIndex, SandboxStatus};
use crate::ports::{
    Clock, ContainerInfo, EntityStore, Exits, Fact, Host, Platform, Ports, Query, SandboxBackend, StoreError, Versioned,
};
use crate::time::SimDuration;

use super::fixes::Fix;
use super::runtime::{Draft, Failure, OwnWrites, Reconciler, Rules, Task};

pub use addresses::Addresses;
pub use collect::Collector;
pub use watchdog::Watchdog;

/// How often a status is written when others write meanwhile, and the pauses between: one, two, three … times the first.
struct Tries {
    most: u64,
    pause: SimDuration,
    longest: SimDuration,
}

/// Those of an exit. Rule 7.36.
const EXIT_TRIES: Tries =
    Tries { most: 100, pause: SimDuration::from_millis(10), longest: SimDuration::from_millis(500) };

/// The sandbox controller of one node.
pub struct SandboxController<P: Platform> {
    ports: Ports<P>,
    backend: P::Sandboxes,
    rules: Rc<Rules>,
    own: OwnWrites,
    node: NodeId,
    /// The boots that wait for a port, and whether their program has exited meanwhile.
    exits_of_boots: RefCell<BTreeMap<SandboxId, bool>>,
    /// Whose programs this process started, or found at its start under a RUNNING sandbox. Rule 7.36.
    watched: RefCell<BTreeSet<SandboxId>>,
    /// Whose stops were cut by the end of the process before this one, and not taken up yet. Rule 7.57.
    cut: RefCell<BTreeSet<SandboxId>>,
}

impl<P: Platform> SandboxController<P> {
    /// The controller of a node.
    pub fn new(ports: Ports<P>, backend: P::Sandboxes, rules: Rc<Rules>, own: OwnWrites, node: NodeId) -> Self {
        let (exits_of_boots, watched, cut) = Default::default();
        Self { ports, backend, rules, own, node, exits_of_boots, watched, cut }
    }

    async fn examine(&self, item: &Versioned<Sandbox>) -> Result<(), Failure> {
        // Rule 7.32: what cannot be looked at is made.
        let Ok(Some(info)) = self.backend.inspect(item.id).await else {
            return self.boot(item).await;
        };
        match self.ailment(&item.entity, &info).await {
            Some(ailment) => {
                self.ports.host.note(item.id, Reason::Unwell { ailment });
                if item.entity.status == SandboxStatus::Running {
                    self.mark(item.id, SandboxStatus::Dead).await?;
                }
                self.stop(item.id, Some(item)).await
            }
            // Rule 7.2.
            None if item.entity.status == SandboxStatus::Pending && self.rules.has(Fix::SagaResumes) => {
                self.resume(item).await
            }
            None => self.promote(item).await,
        }
    }

    /// What is wrong with a container, if anything. Rule 7.34.
    async fn ailment(&self, sandbox: &Sandbox, info: &ContainerInfo) -> Option<Ailment> {
        if !info.task_alive {
            return Some(Ailment::TaskGone);
        }
        let running = sandbox.status == SandboxStatus::Running;
        let ports = &sandbox.spec.ports;
        let first = ports.first().filter(|_| running && self.rules.has(Fix::PortRequired))?;
        // Rule 7.34: the kernel's table of listening TCP ports is the node's own: no network is asked.
        if self.rules.has(Fix::ListenNotDial) {
            let listens = info.listening || !ports.iter().any(|port| port.is_tcp());
            return (!listens).then_some(Ailment::PortSilent);
        }
        let answers = self.dial(info.sandbox, first.number, self.rules.tuning.dial_timeout).await;
        (!answers).then_some(Ailment::PortSilent)
    }

    async fn dial(&self, sandbox: SandboxId, port: u16, limit: SimDuration) -> bool {
        let answer = self.ports.clock.timeout(limit, self.backend.probe_port(sandbox, port)).await;
        matches!(answer, Some(Ok(true)))
    }

    /// The backstop: a healthy sandbox that has been PENDING for long is RUNNING. Rule 7.33.
    async fn promote(&self, item: &Versioned<Sandbox>) -> Result<(), Failure> {
        let limit = self.rules.tuning.promote_after;
        let age = Age::at(self.ports.clock.now(), item.meta.created_at);
        let overdue = item.entity.status == SandboxStatus::Pending && age > limit;
        if overdue && self.rules.has(Fix::PendingRunningBackstop) {
            self.ports.host.note(item.id, Reason::HealthyPending { age: age.length(), limit: limit.length() });
            let running = vec![SandboxChange::Status(SandboxStatus::Running)];
            let revision = self.ports.store.patch(item.id, running, Some(item.meta.revision)).await?;
            // Before, the controller does not take it for its own: its event has the port looked at again.
            if self.rules.has(Fix::SagaBoot) {
                self.own.remember(revision);
            }
        }
        Ok(())
    }

    async fn mark(&self, id: SandboxId, status: SandboxStatus) -> Result<(), Failure> {
        let revision = self.ports.store.set(id, SandboxChange::Status(status)).await?;
        self.own.remember(revision);
        Ok(())
    }

    /// Writes a status by revision over any but DEAD, after that reason; none when DEAD stands there.
    async fn set_unless_dead(
        &self,
        id: SandboxId,
        status: SandboxStatus,
        tries: &Tries,
        why: Option<Reason>,
    ) -> Result<Option<Revision>, StoreError> {
        let mut tried = 0;
        loop {
            let now = self.ports.store.get(id).await?;
            if now.entity.status == SandboxStatus::Dead {
                return Ok(None);
            }
            if let Some(reason) = why.filter(|_| tried == 0) {
                self.ports.host.note(id, reason);
            }
            tried += 1;
            let change = vec![SandboxChange::Status(status)];
            match self.ports.store.patch(id, change, Some(now.meta.revision)).await {
                Err(StoreError::Conflict) if tried < tries.most => {
                    self.ports.clock.sleep(tries.pause.saturating_mul(tried).min(tries.longest)).await;
                }
                written => return written.map(Some),
            }
        }
    }

    /// At the start of the controller: RUNNING sandboxes whose container is gone or unwell are
    /// stopped and marked DEAD.
    pub async fn reconcile_boots(&self) {
        // Rule 7.57.
        if self.rules.has(Fix::DrainResumes) {
            let told = self.backend.containers().await.unwrap_or_default();
            let told = told.into_iter().filter(|container| container.told_at.is_some());
            self.cut.borrow_mut().extend(told.map(|container| container.sandbox));
        }
        let listed = self.ports.store.list::<Sandbox>(looked_at(&self.rules, self.node)).await;
        for item in listed.unwrap_or_default().iter() {
            if item.entity.status != SandboxStatus::Running {
                continue;
            }
            let Ok(info) = self.backend.inspect(item.id).await else { continue };
            let ailment = match &info {
                None => Some(Ailment::ContainerGone),
                Some(info) => {
                    self.watched.borrow_mut().insert(item.id);
                    self.ailment(&item.entity, info).await
                }
            };
            let Some(ailment) = ailment else { continue };
            self.ports.host.attach(item.meta.origin);
            self.ports.host.note(item.id, Reason::FoundOnStart { ailment });
            if let Err(error) = self.stop(item.id, Some(item)).await {
                self.ports.host.note(item.id, Reason::CleanUpFailed { error });
            }
        }
        // Rule 7.80.
        if !self.rules.has(Fix::ContainerWatchdog) {
            // What fails now is not tried again.
            let _ = self.clean_up_containers().await;
        }
    }

    /// Rule 7.80, before `container-watchdog`: at the start every container goes whose sandbox does not run.
    async fn clean_up_containers(&self) -> Result<(), Failure> {
        let containers = self.backend.containers().await?;
        let listed = self.ports.store.list::<Sandbox>(Query::All).await?;
        for container in containers {
            let known = listed.iter().find(|sandbox| sandbox.id == container.sandbox);
            if known.is_some_and(|sandbox| sandbox.entity.status == SandboxStatus::Running) {
                continue;
            }
            self.ports.host.note(container.sandbox, Reason::StrayContainer { known: known.is_some() });
            // What cannot be removed stays.
            let _ = self.backend.destroy(container.sandbox, SimDuration::ZERO).await;
        }
        Ok(())
    }

    /// The task that listens for processes that exit (fix `exit-watch`). Rule 7.36.
    pub fn exit_task(self: &Rc<Self>) -> Option<Task> {
        let exits = self.backend.exits();
        self.rules.has(Fix::ExitWatch).then(|| -> Task { ("exits", Box::pin(Rc::clone(self).listen(exits))) })
    }

    /// DIFFERS: one exit after the other; upstream each has a task of its own.
    async fn listen(self: Rc<Self>, mut exits: <P::Sandboxes as SandboxBackend>::Exits) {
        loop {
            let exit = exits.next().await;
            // Rule 7.36: of the programs of a process before, those of RUNNING sandboxes only.
            if !self.watched.borrow_mut().remove(&exit.sandbox) {
                continue;
            }
            self.ports.host.note(exit.sandbox, Reason::ProcessExited { code: exit.code });
            if let Err(error) = self.process_exited(exit.sandbox).await {
                self.ports.host.note(exit.sandbox, Reason::HandlerFailed { error });
            }
        }
    }

    async fn process_exited(&self, id: SandboxId) -> Result<(), Failure> {
        // Rule 7.37: the boot that waits for the port fails with it.
        if let Some(exited) = self.exits_of_boots.borrow_mut().get_mut(&id) {
            *exited = true;
        }
        // Rule 7.36.
        let status = if self.rules.has(Fix::ExitMeansStopped) { SandboxStatus::Stopped } else { SandboxStatus::Dead };
        let written = if self.rules.has(Fix::DeadWrittenOnce) {
            self.set_unless_dead(id, status, &EXIT_TRIES, None).await
        } else {
            self.ports.store.set(id, SandboxChange::Status(status)).await.map(Some)
        };
        let revision = match written {
            Ok(Some(revision)) => revision,
            Ok(None) | Err(StoreError::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        // Remembered as the controller's own, its watch event is skipped, and the stop waits for
        // the next resync: that is what `exit-wakes-controller` would change.
        if !self.rules.has(Fix::ExitWakesController) {
            self.own.remember(revision);
        }
        Ok(())
    }
}

/// Rule 7.31: the sandboxes that a node's start, its watchdog and its collection look at.
fn looked_at(rules: &Rules, node: NodeId) -> Query<Sandbox> {
    if rules.has(Fix::OwnNodeOnly) { Query::By(SandboxIndex::Node(node)) } else { Query::All }
}

/// The controller as its runtime drives it; the node's other tasks share it.
pub struct SandboxReconciler<P: Platform>(pub Rc<SandboxController<P>>);

impl<P: Platform> Reconciler for SandboxReconciler<P> {
    type Entity = Sandbox;

    /// Rule 7.57: a DEAD one is done with, unless its stop was cut.
    fn ignores(&self, item: &Versioned<Sandbox>) -> bool {
        item.entity.status == SandboxStatus::Dead && !self.0.cut.borrow().contains(&item.id)
    }

    async fn reconcile(&self, item: &Versioned<Sandbox>, _work: &mut Draft<Sandbox>) -> Result<(), Failure> {
        match item.entity.status {
            SandboxStatus::Dead | SandboxStatus::Stopped => {
                self.0.cut.borrow_mut().remove(&item.id);
                self.0.stop(item.id, Some(item)).await
            }
            SandboxStatus::Pending | SandboxStatus::Running => self.0.examine(item).await,
        }
    }

    async fn deleted(&self, id: SandboxId) -> Result<(), Failure> {
        self.0.stop(id, None).await
    }

    fn remembers(&self, fact: &mut dyn FnMut(Fact)) {
        for known in [&self.0.cut, &self.0.watched] {
            fact(Fact::Number(known.borrow().len() as u64));
            known.borrow().iter().for_each(|id| fact(Fact::Thing((*id).into())));
        }
    }
}
