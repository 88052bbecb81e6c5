//! Boots: from PENDING to RUNNING, and what becomes of a sandbox whose boot fails (rules 7.1 to 7.12).
//!
//! A boot takes an address, finds its volumes, makes the container, pulls the image, starts the
//! program and waits for its port. With fix `dead-on-boot-failure` any failure marks the sandbox
//! DEAD and gives everything back; without it, it depends on how far the boot came. What a
//! newcomer gets wrong: without that fix a failure before the container exists leaves PENDING,
//! and the next resync boots again, for ever.

use std::iter::{once, repeat};
use std::rc::Rc;

use crate::model::{
    Address, DiskLease, LeaseId, LeaseIndex, PortConfig, Protocol, Reason, Sandbox, SandboxChange, SandboxId,
    SandboxStatus,
};
use crate::ports::{BackendError, Clock, EntityStore, Host, Platform, Query, SandboxBackend, Versioned};
use crate::time::{SimDuration, SimTime};

use crate::controllers::fixes::Fix;
use crate::controllers::runtime::{End, Failure, poll_until};

use super::SandboxController;

/// How long one question of a boot to its port may take.
const BOOT_DIAL: SimDuration = SimDuration::from_millis(100);

/// How many addresses a boot tries that a container has.
const ALLOCATE_TRIES: u32 = 32;

/// How far a boot came before it failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    Address,
    /// Up to and including the container's creation.
    Container,
    /// The image, and the start of the program; of a saga the volumes, too.
    Start,
    /// The wait for the port, or the last write.
    Port,
}

/// What a boot has taken so far.
#[derive(Default)]
pub(super) struct Taken {
    address: Option<Address>,
    pub(super) leases: Vec<LeaseId>,
}

impl<P: Platform> SandboxController<P> {
    /// Rule 7.9.
    pub(super) async fn boot(&self, item: &Versioned<Sandbox>) -> Result<(), Failure> {
        let began = self.ports.clock.now();
        self.ports.host.note(item.id, Reason::BootStarted);
        let mut taken = Taken::default();
        let done = self.try_boot(item, &mut taken, began).await;
        self.undo(item, done, taken, began).await
    }

    /// Rule 7.2: goes on with a boot whose program has survived the end of the process that began it.
    pub(super) async fn resume(&self, item: &Versioned<Sandbox>) -> Result<(), Failure> {
        let began = self.ports.clock.now();
        self.ports.host.note(item.id, Reason::BootStarted);
        self.watched.borrow_mut().insert(item.id);
        let leases = self.ports.store.list::<DiskLease>(Query::By(LeaseIndex::Sandbox(item.id))).await?;
        let taken = Taken { address: item.entity.address, leases: leases.iter().map(|lease| lease.id).collect() };
        let done = match self.wait_for_ports(item).await {
            Ok(()) => self.finish(item.id, began, None).await,
            Err(error) => Err(error),
        };
        self.undo(item, done.map_err(|error| (Stage::Port, error)), taken, began).await
    }

    /// Rules 7.8, 7.9: what a boot that failed gives back.
    async fn undo(
        &self,
        item: &Versioned<Sandbox>,
        done: Result<(), (Stage, Failure)>,
        mut taken: Taken,
        began: SimTime,
    ) -> Result<(), Failure> {
        let Err((stage, error)) = done else { return Ok(()) };
        let after = self.ports.clock.now().since(began);
        self.ports.host.note(item.id, Reason::BootFailed { error, after });
        if self.rules.has(Fix::DeadOnBootFailure) {
            // Rule 7.9: what a failed boot undoes.
            let failed = self.fail_boot(item.id, &taken).await;
            let released = self.release_leases_of_boot(item.id, stage, &taken).await;
            failed.and(released)?;
        } else {
            // Rule 7.8: what was left of it before.
            match stage {
                // Stays PENDING, and the next resync boots again.
                Stage::Address => {}
                Stage::Container => self.give_address_back(&mut taken).await,
                Stage::Start => self.tear_down(item.id, &taken).await?,
                // Stays PENDING, and the next resync finds a healthy container.
                Stage::Port => {}
            }
            self.release_leases_of_boot(item.id, stage, &taken).await?;
        }
        Err(error)
    }

    /// Rule 7.1: the order of a boot.
    async fn try_boot(
        &self,
        item: &Versioned<Sandbox>,
        taken: &mut Taken,
        began: SimTime,
    ) -> Result<(), (Stage, Failure)> {
        let at = |stage| move |error: Failure| (stage, error);
        // Without volumes their place in the order is none.
        let saga = !item.entity.spec.volumes.is_empty() && self.rules.has(Fix::SagaBoot);
        let address = self.take_address(item, taken).await.map_err(at(Stage::Address))?;
        if !saga {
            self.configure_volumes(item, taken).await.map_err(at(Stage::Container))?;
        }
        let spec = Rc::clone(&item.entity.spec);
        self.backend.create_container(item.id, spec, address).await.map_err(|e| (Stage::Container, e.into()))?;
        if saga {
            self.configure_volumes(item, taken).await.map_err(at(Stage::Start))?;
        }
        let image = item.entity.spec.image;
        self.backend.pull_image(item.id, image).await.map_err(|e| (Stage::Start, e.into()))?;
        self.watched.borrow_mut().insert(item.id);
        self.backend.start(item.id).await.map_err(|e| (Stage::Start, e.into()))?;
        self.wait_for_ports(item).await.map_err(at(Stage::Port))?;
        // Rule 2.4.
        let late = taken.address.filter(|_| !self.rules.has(Fix::EarlyAddress));
        self.finish(item.id, began, late).await.map_err(at(Stage::Port))
    }

    /// Rules 7.3, 2.4.
    async fn take_address(&self, item: &Versioned<Sandbox>, taken: &mut Taken) -> Result<Address, Failure> {
        if let Some(first) = item.entity.address.filter(|_| self.rules.has(Fix::KeepAddressOnRetry)) {
            self.backend.reserve_address(first, item.id).await;
            taken.address = Some(first);
            return Ok(first);
        }
        let address = self.allocate_address(item.id).await?;
        taken.address = Some(address);
        if item.entity.address.is_some() {
            // A second attempt: the entity keeps the first address, the container gets this one.
            return Ok(address);
        }
        self.ports.host.note(item.id, Reason::AddressTaken);
        if !self.rules.has(Fix::EarlyAddress) {
            return Ok(address);
        }
        match self.ports.store.set(item.id, SandboxChange::Address(Some(address))).await {
            Ok(revision) => {
                self.own.remember(revision);
                Ok(address)
            }
            Err(error) => {
                // Rule 7.4.
                if self.rules.has(Fix::ReleaseAddressOnFailedPatch) {
                    self.give_address_back(taken).await;
                }
                Err(error.into())
            }
        }
    }

    /// Rules 7.90, 7.82: one that a container has although it is free is left to that, and the next is tried.
    async fn allocate_address(&self, id: SandboxId) -> Result<Address, Failure> {
        let checks = self.rules.has(Fix::ReconcileAddresses);
        // What cannot be listed is no reason not to boot.
        let used = if checks { self.backend.containers().await.unwrap_or_default() } else { Vec::new() };
        for _ in 0..ALLOCATE_TRIES {
            let address = self.backend.allocate_address(id, self.rules.tuning.address_rest.length()).await?;
            let Some(container) = used.iter().find(|container| container.address == address) else {
                return Ok(address);
            };
            self.backend.release_address(address).await;
            self.backend.reserve_address(address, container.sandbox).await;
        }
        Err(BackendError::new("every address that was tried is in use").into())
    }

    async fn give_address_back(&self, taken: &mut Taken) {
        if let Some(address) = taken.address.take() {
            self.backend.release_address(address).await;
        }
    }

    /// Rule 7.6: waits until every port answers, one after the other, each with a time limit of its own. Before
    /// `skip-udp-ports` a UDP port is waited for like any other, and nobody is ever seen to listen on it.
    async fn wait_for_ports(&self, item: &Versioned<Sandbox>) -> Result<(), Failure> {
        let spec = &item.entity.spec;
        let limit = spec.port_timeout.unwrap_or(self.rules.tuning.port_timeout);
        let skipped = |port: &PortConfig| port.protocol == Protocol::Udp && self.rules.has(Fix::SkipUdpPorts);
        let ports = spec.ports.iter().filter(|port| !skipped(port));
        // A ticker is made after a first pause, and ticks first a period later. Each look is at all
        // ports: one that was bound meanwhile is found at once.
        let mut first = self.rules.tuning.port_first + self.rules.tuning.port_poll;
        for port in ports {
            self.wait_for_port(item.id, port, std::mem::take(&mut first), limit).await?;
        }
        Ok(())
    }

    /// Waits until a port answers. Before `port-required` a silent port is no failure. Rule 7.6.
    async fn wait_for_port(
        &self,
        sandbox: SandboxId,
        port: &PortConfig,
        first: SimDuration,
        limit: SimDuration,
    ) -> Result<(), Failure> {
        let poll = self.rules.tuning.port_poll;
        let clock = &self.ports.clock;
        let pauses = once(first).chain(repeat(poll));
        self.exits_of_boots.borrow_mut().insert(sandbox, false);
        let answers = poll_until(clock, clock.now() + limit, End::AtDeadline, pauses, async |left| {
            if self.has_exited(sandbox) {
                return Err(Failure::ProcessExited);
            }
            let answers = if self.rules.has(Fix::BootReadsListeners) {
                let listening = self.backend.inspect(sandbox).await.ok().flatten().is_some_and(|info| info.listening);
                listening && port.is_tcp()
            } else {
                self.dial(sandbox, port.number, left.min(BOOT_DIAL)).await
            };
            Ok(answers.then_some(()))
        });
        let answers = answers.await;
        self.exits_of_boots.borrow_mut().remove(&sandbox);
        if answers?.is_none() && self.rules.has(Fix::PortRequired) {
            Err(Failure::PortNotBound { port: port.number, limit })
        } else {
            Ok(())
        }
    }

    /// Whether the program ended while its boot waits for the port. Rule 7.37.
    fn has_exited(&self, id: SandboxId) -> bool {
        self.exits_of_boots.borrow().get(&id) == Some(&true) && self.rules.has(Fix::ExitEndsPortWait)
    }

    /// Rule 7.7: the last step: RUNNING, unless the sandbox was stopped meanwhile; before
    /// `early-address` (rule 2.4) with the address.
    async fn finish(&self, id: SandboxId, began: SimTime, late: Option<Address>) -> Result<(), Failure> {
        let now = self.ports.store.get(id).await?;
        if now.entity.status == SandboxStatus::Dead || now.entity.status == SandboxStatus::Stopped {
            self.ports.host.note(id, Reason::BootOvertaken);
            return Ok(());
        }
        self.ports.host.note(id, Reason::Booted { after: self.ports.clock.now().since(began) });
        let mut running = vec![SandboxChange::Status(SandboxStatus::Running)];
        running.extend(late.map(|address| SandboxChange::Address(Some(address))));
        let expected = self.rules.has(Fix::SagaBoot).then_some(now.meta.revision);
        let revision = self.ports.store.patch(id, running, expected).await?;
        self.own.remember(revision);
        Ok(())
    }

    /// Rule 7.9, fix `dead-on-boot-failure`: gives back what was taken, and marks the sandbox DEAD. What
    /// cannot be destroyed now is left to the watchdog; the mark is made all the same.
    async fn fail_boot(&self, id: SandboxId, taken: &Taken) -> Result<(), Failure> {
        // Asked, not remembered: the reply of its creation may have been lost.
        let exists = self.backend.inspect(id).await?.is_some();
        let destroyed = if exists { self.destroy(id, None, None).await } else { Ok(()) };
        if let Some(address) = taken.address.filter(|_| destroyed.is_ok()) {
            self.backend.release_address(address).await;
        }
        // Since `dead-written-once` by revision, and not when DEAD already; before, over whatever stands there, and so it
        // is when the sandbox cannot be read.
        let now = if self.rules.has(Fix::DeadWrittenOnce) { self.ports.store.get(id).await.ok() } else { None };
        if now.as_ref().is_some_and(|now| now.entity.status == SandboxStatus::Dead) {
            return destroyed;
        }
        let mut changes = vec![SandboxChange::Status(SandboxStatus::Dead)];
        if self.rules.has(Fix::SlowFailuresCount) {
            changes.push(SandboxChange::BootFailed(true));
        }
        let revision = self.ports.store.patch(id, changes, now.map(|now| now.meta.revision)).await?;
        self.own.remember(revision);
        destroyed
    }

    /// The older way with a first task that does not start. Rules 7.8, 7.9.
    async fn tear_down(&self, id: SandboxId, taken: &Taken) -> Result<(), Failure> {
        self.destroy(id, None, None).await?;
        if let Some(address) = taken.address {
            self.backend.release_address(address).await;
        }
        if self.rules.has(Fix::SlowFailuresCount) {
            self.ports.store.set(id, SandboxChange::BootFailed(true)).await?;
        }
        self.mark(id, SandboxStatus::Dead).await
    }

    /// Rule 7.10: of a saga the action that failed is not undone, and a failure between the lease
    /// and the start of the program leaves the lease to the orphan sweep (hazard H4).
    async fn release_leases_of_boot(&self, id: SandboxId, stage: Stage, taken: &Taken) -> Result<(), Failure> {
        if taken.leases.is_empty() {
            return Ok(());
        }
        let skipped = stage == Stage::Start && self.rules.has(Fix::SagaBoot) && !self.rules.has(Fix::UndoFailedAction);
        if !skipped && self.rules.has(Fix::ReleaseLeasesOnBootFailure) {
            self.release_leases(id).await?;
        }
        Ok(())
    }
}
