//! The container runtime as a node's controllers reach it: every call passes the gate.
//!
//! What a newcomer gets wrong: a pull is joined, or not needed at all, before the gate is asked;
//! then no fault is about it.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use crate::kernel::SimDuration;
use crate::model::{Address, Kind, Name, Point, SandboxId, SandboxSpec, Subject};
use crate::ports::{BackendError, ContainerInfo, Exits, ProcessExit, SandboxBackend, Signal};

use super::WORLD;
use super::containers::{Containers, Listener, TERMINATED};
use super::gate::{Call, Gate, Gated, Sees};

/// How long removing a container takes whose program has ended, at most; the rest of `latency.destroy` is its end.
const REMOVAL: SimDuration = SimDuration::from_millis(100);

/// The container runtime of one node, as one controller reaches it.
pub type SimSandboxes = Gated<RefCell<Containers>>;

impl SimSandboxes {
    fn order<T>(
        &self,
        point: Point,
        sandbox: SandboxId,
        takes: SimDuration,
        act: impl FnOnce(&mut Containers) -> Result<T, BackendError>,
    ) -> impl Future<Output = Result<T, BackendError>> {
        self.call(Call::order(point, sandbox.into(), takes), |_| act(&mut self.part.borrow_mut()))
    }

    /// Writes something into the node's table of addresses, which no fault strikes.
    async fn note(&self, act: impl FnOnce(&mut Containers)) {
        let act = |_: Option<&_>| {
            act(&mut self.part.borrow_mut());
            Ok::<_, BackendError>(())
        };
        _ = self.call(Call { sees: Sees::Nothing, ..Call::question(None, Subject::CLUSTER) }, act).await;
    }

    fn ask<T>(
        &self,
        point: Option<Point>,
        subject: impl Into<Subject>,
        look: impl FnOnce(&Containers) -> T,
    ) -> impl Future<Output = Result<T, BackendError>> {
        self.call(Call::question(point, subject.into()), |_| Ok(look(&self.part.borrow())))
    }
}

impl SandboxBackend for SimSandboxes {
    type Exits = SimExits;

    async fn allocate_address(&self, sandbox: SandboxId, rest: SimDuration) -> Result<Address, BackendError> {
        let takes = self.latency(sandbox, "address latency", self.gate.latency.allocate_address);
        let allocate = |runtime: &mut Containers| runtime.allocate_address(self.actor, self.node(), sandbox, rest);
        self.order(Point::AllocateAddress, sandbox, takes, allocate).await
    }

    async fn reserve_address(&self, address: Address, sandbox: SandboxId) {
        self.note(|runtime| runtime.reserve_address(self.actor, address, sandbox)).await;
    }

    async fn addresses(&self) -> Vec<(Address, SandboxId)> {
        self.ask(None, Subject::CLUSTER, |runtime| runtime.owners(self.node())).await.unwrap_or_default()
    }

    async fn release_address(&self, address: Address) {
        self.note(|runtime| runtime.release_address(self.actor, address)).await;
    }

    async fn pull_image(&self, sandbox: SandboxId, image: Name) -> Result<(), BackendError> {
        let node = self.node();
        let begun = self.part.borrow_mut().begin_pull(node, sandbox, image);
        let Some(takes) = begun else { return Ok(()) };
        let add = |runtime: &mut Containers| {
            runtime.add_image(node, image);
            Ok(())
        };
        let pulled = self.order(Point::PullImage, sandbox, takes, add).await;
        self.part.borrow_mut().end_pull(node, image);
        pulled
    }

    async fn create_container(
        &self,
        sandbox: SandboxId,
        spec: Rc<SandboxSpec>,
        address: Address,
    ) -> Result<(), BackendError> {
        let takes = self.latency(sandbox, "container latency", self.gate.latency.create_container);
        let create = |runtime: &mut Containers| runtime.create(self.node(), sandbox, spec, address);
        self.order(Point::CreateContainer, sandbox, takes, create).await
    }

    async fn start(&self, sandbox: SandboxId) -> Result<(), BackendError> {
        let takes = self.latency(sandbox, "start", self.part.borrow().workload_of(sandbox).start);
        self.call(Call::order(Point::Start, sandbox.into(), takes), |_| {
            Containers::start(&self.part, self.actor, sandbox)
        })
        .await
    }

    async fn inspect(&self, sandbox: SandboxId) -> Result<Option<ContainerInfo>, BackendError> {
        self.ask(None, sandbox, |runtime| runtime.inspect(self.node(), sandbox)).await
    }

    async fn probe_port(&self, sandbox: SandboxId, port: u16) -> Result<bool, BackendError> {
        self.ask(Some(Point::ProbePort), sandbox, |runtime| runtime.is_bound(sandbox, port)).await
    }

    async fn signal(&self, sandbox: SandboxId, signal: Signal) {
        // ASSUMES: a program ends at SIGQUIT as at SIGKILL.
        let code = match signal {
            Signal::Quit => 131,
            Signal::Kill => 137,
        };
        let call = Call { sees: Sees::Nothing, ..Call::question(Some(Point::Signal), sandbox.into()) };
        _ = self.call(call, |_| Ok::<_, BackendError>(self.part.borrow_mut().kill(WORLD, sandbox, code))).await;
    }

    async fn destroy(&self, sandbox: SandboxId, grace: SimDuration) -> Result<(), BackendError> {
        // The program ends in its own time, or is ended: what takes longer is no patience of ours. One that was told
        // before goes on ending. Then the container is removed: an exit is known before it is gone.
        let now = self.gate.log.now();
        let takes = self.latency(sandbox, "destroy latency", self.gate.latency.destroy);
        let removal = takes.min(REMOVAL);
        let told = self.part.borrow().ends_at(sandbox).map(|at| at.max(now).since(now));
        let own = told.unwrap_or(takes.saturating_sub(removal));
        let kill = |_: Option<&_>| {
            self.part.borrow_mut().kill(self.actor, sandbox, TERMINATED);
            Ok(())
        };
        let ends_alone = |delay| Containers::ends_alone(&self.part, sandbox, now, now + own + delay);
        self.call_or(Call::order(Point::Destroy, sandbox.into(), own.min(grace)), kill, ends_alone).await?;
        let remove = |_: Option<&_>| {
            self.part.borrow_mut().destroy(self.actor, sandbox);
            Ok(())
        };
        let call = Call { takes: removal, sees: Sees::Nothing, ..Call::question(None, sandbox.into()) };
        self.call(call, remove).await
    }

    async fn containers(&self) -> Result<Vec<ContainerInfo>, BackendError> {
        let list = |_: Option<&_>| Ok(self.part.borrow().list(self.node()));
        self.call(Call { sees: Sees::Things(Some(Kind::Sandbox)), ..Call::question(None, Subject::CLUSTER) }, list)
            .await
    }

    fn exits(&self) -> SimExits {
        let listener = self.part.borrow_mut().listen(self.node());
        SimExits { gate: Rc::clone(&self.gate), listener }
    }
}

/// A subscription to the exits of a node's processes.
pub struct SimExits {
    gate: Rc<Gate>,
    listener: Rc<Listener>,
}

impl Exits for SimExits {
    async fn next(&mut self) -> ProcessExit {
        let Listener { queue, reader } = &*self.listener;
        let (exit, record) = reader.until(|| queue.borrow_mut().pop_front()).await;
        self.gate.log.kernel().set_cause(record);
        exit
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::kernel::{Budget, GroupId, SimTime, Step};
    use crate::model::{Actor, Controller, NodeId, VersionId};
    use crate::world::spec::{ClusterSpec, Effect, Environment, FaultSpec, Filter, When};
    use crate::world::{World, WorldSpec};

    const SANDBOX: SandboxId = SandboxId::from_index(0);

    /// Whether the task still runs after a signal and the container is there after a removal,
    /// when the first call at `on` fails.
    fn left_with_a_fault(on: Point) -> (bool, bool) {
        let when = When { calls: vec![1], ..When::default() };
        let effect = Effect::Error(Name::new("deadline exceeded"));
        let fault = FaultSpec { name: Name::new("first"), on: vec![on], filter: Filter::default(), when, effect };
        let world = World::new(&WorldSpec {
            cluster: ClusterSpec::default(),
            workloads: Default::default(),
            faults: vec![fault],
            seed: 1,
            budget: Budget::default(),
            records_max: usize::MAX,
            evidence: false,
            environment: Environment::default(),
        });
        let (watchdog, left) =
            (Actor::on(Controller::Watchdog, NodeId::from_index(0)), Rc::new(Cell::new((false, false))));
        let (runtime, told) = (world.sandboxes(watchdog), Rc::clone(&left));
        world.log().name_next(crate::model::Kind::Sandbox, Name::new("sandbox/a-0"));
        world.kernel().spawn(GroupId::WORLD, "test", async move {
            let (version, image) = (VersionId::from_index(0), Name::new("a"));
            let spec = Rc::new(SandboxSpec {
                version,
                image,
                command: None,
                ports: Default::default(),
                port_timeout: None,
                shutdown_timeout: None,
                env: Vec::new(),
                volumes: Vec::new(),
            });
            let address = runtime.allocate_address(SANDBOX, SimDuration::ZERO).await.expect("one is free");
            runtime.create_container(SANDBOX, spec, address).await.expect("there is none");
            runtime.start(SANDBOX).await.expect("it is there");
            runtime.signal(SANDBOX, Signal::Kill).await;
            let alive = runtime.inspect(SANDBOX).await.is_ok_and(|info| info.is_some_and(|info| info.task_alive));
            _ = runtime.destroy(SANDBOX, SimDuration::from_secs(10)).await;
            let there = runtime.inspect(SANDBOX).await.is_ok_and(|info| info.is_some());
            told.set((alive, there));
        });
        while world.kernel().step(SimTime::MAX) == Step::Ran {}
        world.kernel().close();
        left.get()
    }

    #[test]
    fn a_signal_is_no_removal_to_a_fault_that_counts() {
        assert_eq!(left_with_a_fault(Point::Signal), (true, false));
        assert_eq!(left_with_a_fault(Point::Destroy), (false, true));
        assert_eq!(left_with_a_fault(Point::Mount), (false, false), "no fault is about these");
    }
}
