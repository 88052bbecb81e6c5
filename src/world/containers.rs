//! The container runtimes: what really runs on each node, and the nodes' address tables.
//!
//! They keep a truth of their own, which outlives every process of the platform. They know
//! sandboxes by id and workloads by app and service, and never read a sandbox's status. What a
//! newcomer gets wrong: a container's task ends when the world says so, not when the store does.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::{Rc, Weak};

use crate::kernel::{GroupId, SimDuration, SimTime};
use crate::model::{Actor, Address, Name, NodeId, Point, SandboxId, SandboxSpec};
use crate::notify::Notify;
use crate::ports::{BackendError, ContainerInfo, Exits, ProcessExit, SandboxBackend, Signal};
use crate::trace::What;

use super::addresses::Addresses;
use super::gate::Call;
use super::spec::{Delay, WorkloadSpec};
use super::{AddressSlot, WORLD, World};

/// The state of a container's task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskState {
    /// Not started.
    Created,
    /// It runs.
    Running {
        /// Whether its port answers.
        bound: bool,
    },
    /// It ended.
    Ended,
}

/// One container.
#[derive(Clone, Debug)]
pub struct Container {
    /// The order of creation, over all nodes.
    pub number: u64,
    /// Its node.
    pub node: NodeId,
    /// Its address.
    pub address: Address,
    /// What it was made from.
    pub spec: Rc<SandboxSpec>,
    /// Its task.
    pub task: TaskState,
    /// When its port will bind and its process exit, if ever.
    pub ahead: [Option<SimTime>; 2],
}

impl Container {
    /// Whether its task runs.
    pub fn is_alive(&self) -> bool {
        matches!(self.task, TaskState::Running { .. })
    }
}

struct Listener {
    queue: RefCell<VecDeque<(ProcessExit, crate::kernel::RecordId)>>,
    reader: Notify,
}

#[derive(Default)]
struct Runtime {
    images: Rc<BTreeSet<Name>>,
    /// Images that are being pulled, and when each will be there.
    pulls: BTreeMap<Name, SimTime>,
    addresses: Rc<Addresses>,
    listeners: Vec<Weak<Listener>>,
}

impl Runtime {
    fn add_image(&mut self, image: Name) {
        Rc::make_mut(&mut self.images).insert(image);
    }
}

/// How often each service has started, over all its sandboxes and versions.
pub(super) type Starts = BTreeMap<(Name, Name), usize>;

/// The container runtimes of all nodes. What stills of the world share with them is copied when
/// it changes.
pub struct Containers {
    containers: BTreeMap<SandboxId, Rc<Container>>,
    made: u64,
    starts: Rc<Starts>,
    runtimes: Vec<Runtime>,
}

impl Containers {
    pub(super) fn new(nodes: usize, addresses_per_node: u16) -> Self {
        let runtime = || Runtime { addresses: Rc::new(Addresses::new(addresses_per_node)), ..Runtime::default() };
        Self {
            containers: BTreeMap::new(),
            made: 0,
            starts: Rc::default(),
            runtimes: (0..nodes).map(|_| runtime()).collect(),
        }
    }

    /// A sandbox's container.
    pub fn get(&self, sandbox: SandboxId) -> Option<&Container> {
        self.containers.get(&sandbox).map(|container| &**container)
    }
    fn get_mut(&mut self, sandbox: SandboxId) -> Option<&mut Container> {
        self.containers.get_mut(&sandbox).map(Rc::make_mut)
    }
    /// All containers, by the order of their sandboxes' creation.
    pub fn iter(&self) -> impl Iterator<Item = (SandboxId, &Container)> {
        self.shared().map(|(id, container)| (id, &**container))
    }
    /// The same, to be shared.
    pub(super) fn shared(&self) -> impl ExactSizeIterator<Item = (SandboxId, &Rc<Container>)> {
        self.containers.iter().map(|(id, container)| (*id, container))
    }
    /// How often each service has started.
    pub(super) fn starts(&self) -> &Rc<Starts> {
        &self.starts
    }
    /// What the runtime of each node keeps: its addresses and its images.
    pub(super) fn nodes(&self) -> impl ExactSizeIterator<Item = (&Rc<Addresses>, &Rc<BTreeSet<Name>>)> {
        self.runtimes.iter().map(|runtime| (&runtime.addresses, &runtime.images))
    }
    /// The address table of a node; the host part of an address is its index plus one.
    pub fn addresses(&self, node: NodeId) -> &[AddressSlot] {
        self.runtimes[node.index() as usize].addresses.slots()
    }

    fn take_address(&mut self, node: NodeId, owner: SandboxId, now: SimTime, rest: SimDuration) -> Option<Address> {
        let addresses = Rc::make_mut(&mut self.runtimes[node.index() as usize].addresses);
        let host = addresses.take(owner, now, rest)?;
        Some(Address { node: node.index() as u16, host })
    }
}

/// What the value at `index` of a per-boot list is; the last one repeats.
fn per_boot(values: &[Delay], index: usize) -> Delay {
    values.get(index).or(values.last()).copied().unwrap_or(Delay::Never)
}

impl World {
    fn workload_of(&self, sandbox: SandboxId) -> Rc<WorkloadSpec> {
        self.0.store.program_of(sandbox).map(|(app, service)| self.workload(app, service)).unwrap_or_default()
    }

    /// Starts the task of a container: from now on its port binds and its process exits as the
    /// workload says.
    fn start_task(&self, actor: Actor, sandbox: SandboxId) {
        let program = self.0.store.program_of(sandbox);
        let workload = self.workload_of(sandbox);
        let boot = {
            let mut containers = self.0.containers.borrow_mut();
            let boot = program.map_or(0, |program| {
                let starts = Rc::make_mut(&mut containers.starts).entry(program).or_insert(0);
                *starts += 1;
                *starts - 1
            });
            let container = containers.get_mut(sandbox).expect("the caller looked");
            container.task = TaskState::Running { bound: false };
            boot
        };
        let record = self.log().record(actor, sandbox, What::TaskStarted);
        let number = self.containers().containers[&sandbox].number;
        let now = self.kernel().now();
        let when = |purpose, delay| match delay {
            Delay::Never => None,
            Delay::After(spread) => Some(now + self.log().draw(sandbox.into(), purpose, spread)),
        };
        let binds = when("ready", per_boot(&workload.ready, boot));
        let exits = when("exit", per_boot(&workload.exit_after, boot));
        if let Some(container) = self.0.containers.borrow_mut().get_mut(sandbox) {
            container.ahead = [binds, exits];
        }
        let world = self.clone();
        let life = async move {
            world.kernel().set_cause(record);
            if let Some(at) = binds.filter(|at| exits.is_none_or(|exit| *at < exit)) {
                world.kernel().sleep_until(at).await;
                world.bind_port(sandbox, number);
            }
            if let Some(at) = exits {
                world.kernel().sleep_until(at).await;
                world.end_task(sandbox, number, 1);
            }
        };
        if binds.is_some() || exits.is_some() {
            self.kernel().spawn(GroupId::WORLD, "life of a task", life);
        }
    }

    fn bind_port(&self, sandbox: SandboxId, number: u64) {
        {
            let mut containers = self.0.containers.borrow_mut();
            let Some(container) = containers.get_mut(sandbox).filter(|c| c.number == number) else {
                return;
            };
            if !container.is_alive() {
                return;
            }
            container.task = TaskState::Running { bound: true };
        }
        self.log().record(WORLD, sandbox, What::PortBound);
    }

    /// Ends a container's task, if it is that container's and runs; tells who listens.
    fn end_task(&self, sandbox: SandboxId, number: u64, code: i32) {
        let node = {
            let mut containers = self.0.containers.borrow_mut();
            let Some(container) = containers.get_mut(sandbox).filter(|c| c.number == number) else {
                return;
            };
            if !container.is_alive() {
                return;
            }
            container.task = TaskState::Ended;
            container.node
        };
        let record = self.log().record(WORLD, sandbox, What::TaskEnded { code });
        let runtime = &mut self.0.containers.borrow_mut().runtimes[node.index() as usize];
        runtime.listeners.retain(|listener| listener.strong_count() > 0);
        for listener in runtime.listeners.iter().filter_map(Weak::upgrade) {
            listener.queue.borrow_mut().push_back((ProcessExit { sandbox, code }, record));
            listener.reader.notify_all();
        }
    }

    /// Makes a sandbox's process exit; false when none runs.
    pub fn kill_process(&self, sandbox: SandboxId, code: i32) -> bool {
        let number = self.containers().get(sandbox).filter(|c| c.is_alive()).map(|c| c.number);
        if let Some(number) = number {
            self.end_task(sandbox, number, code);
        }
        number.is_some()
    }

    /// Removes a container; its task, if it runs, ends without anybody being told.
    fn remove_container(&self, actor: Actor, sandbox: SandboxId) {
        let removed = self.0.containers.borrow_mut().containers.remove(&sandbox);
        if let Some(container) = removed {
            if container.is_alive() {
                self.log().record(actor, sandbox, What::TaskEnded { code: 143 });
            }
            self.log().record(actor, sandbox, What::ContainerGone);
        }
    }

    /// The machine loses power: its containers are gone.
    pub fn lose_containers(&self, node: NodeId) {
        let lost: Vec<SandboxId> = self.containers().iter().filter(|(_, c)| c.node == node).map(|(id, _)| id).collect();
        for sandbox in lost {
            self.remove_container(WORLD, sandbox);
        }
        self.0.containers.borrow_mut().runtimes[node.index() as usize].pulls.clear();
    }
}

/// The container runtime of one node, as one controller reaches it.
#[derive(Clone)]
pub struct SimSandboxes {
    world: World,
    actor: Actor,
    node: NodeId,
}

impl SimSandboxes {
    /// The runtime of the node that `actor` runs on.
    pub fn new(world: &World, actor: Actor, node: NodeId) -> Self {
        Self { world: world.clone(), actor, node }
    }

    fn call(&self, point: Point, sandbox: SandboxId) -> Call {
        Call { point, actor: self.actor, subject: sandbox.into(), kind: None }
    }

    async fn run<T>(
        &self,
        point: Point,
        sandbox: SandboxId,
        latency: SimDuration,
        act: impl FnOnce() -> Result<T, Name>,
    ) -> Result<T, BackendError> {
        self.world.backend_call(self.call(point, sandbox), latency, act).await.map_err(BackendError)
    }

    fn info(&self, sandbox: SandboxId, container: &Container) -> ContainerInfo {
        ContainerInfo { sandbox, address: container.address, task_alive: container.is_alive() }
    }
}

impl SandboxBackend for SimSandboxes {
    type Exits = SimExits;

    async fn allocate_address(&self, sandbox: SandboxId, rest: SimDuration) -> Result<Address, BackendError> {
        let world = &self.world;
        let latency = world.log().draw(sandbox.into(), "address latency", world.cluster().latency.allocate_address);
        self.run(Point::AllocateAddress, sandbox, latency, || {
            let now = world.kernel().now();
            let taken = world.0.containers.borrow_mut().take_address(self.node, sandbox, now, rest);
            let address = taken.ok_or_else(|| Name::new("no address is left in the node's subnet"))?;
            world.log().record(self.actor, sandbox, What::AddressTaken(address));
            Ok(address)
        })
        .await
    }

    async fn release_address(&self, address: Address) {
        let owner = {
            let mut containers = self.world.0.containers.borrow_mut();
            let Some(runtime) = containers.runtimes.get_mut(usize::from(address.node)) else { return };
            Rc::make_mut(&mut runtime.addresses).free(address.host, self.world.kernel().now())
        };
        if let Some(owner) = owner {
            self.world.log().record(self.actor, owner, What::AddressFreed(address));
        }
    }

    async fn pull_image(&self, sandbox: SandboxId, image: Name) -> Result<(), BackendError> {
        let world = &self.world;
        let now = world.kernel().now();
        let index = self.node.index() as usize;
        let (present, under_way) = {
            let containers = world.containers();
            let runtime = &containers.runtimes[index];
            (runtime.images.contains(&image), runtime.pulls.get(&image).copied())
        };
        // A node that has the image pulls nothing; a pull in flight is joined.
        // ASSUMES: who joins waits as long as the pull was to take, whatever becomes of it.
        let latency = match (present, under_way) {
            (true, _) => SimDuration::ZERO,
            (false, Some(done)) if done > now => done.since(now),
            (false, _) => {
                let took = world.log().draw(sandbox.into(), "image pull", world.workload_of(sandbox).image_pull);
                world.0.containers.borrow_mut().runtimes[index].pulls.insert(image, now + took);
                took
            }
        };
        if present {
            return Ok(());
        }
        let result = self
            .run(Point::PullImage, sandbox, latency, || {
                world.0.containers.borrow_mut().runtimes[index].add_image(image);
                Ok(())
            })
            .await;
        world.0.containers.borrow_mut().runtimes[index].pulls.remove(&image);
        result
    }

    async fn create_container(
        &self,
        sandbox: SandboxId,
        spec: Rc<SandboxSpec>,
        address: Address,
    ) -> Result<(), BackendError> {
        let world = &self.world;
        let latency = world.log().draw(sandbox.into(), "container latency", world.cluster().latency.create_container);
        self.run(Point::CreateContainer, sandbox, latency, || {
            let mut containers = world.0.containers.borrow_mut();
            if containers.containers.contains_key(&sandbox) {
                return Err(Name::new("the sandbox has a container already"));
            }
            containers.made += 1;
            let number = containers.made;
            let container =
                Container { number, node: self.node, address, spec, task: TaskState::Created, ahead: [None, None] };
            containers.containers.insert(sandbox, Rc::new(container));
            Ok(())
        })
        .await
    }

    async fn start(&self, sandbox: SandboxId) -> Result<(), BackendError> {
        let world = &self.world;
        let latency = world.log().draw(sandbox.into(), "start", world.workload_of(sandbox).start);
        self.run(Point::Start, sandbox, latency, || {
            match world.containers().get(sandbox).map(|c| c.task) {
                None => return Err(Name::new("the sandbox has no container")),
                Some(TaskState::Running { .. }) => return Err(Name::new("the task runs already")),
                Some(TaskState::Created | TaskState::Ended) => {}
            }
            world.start_task(self.actor, sandbox);
            Ok(())
        })
        .await
    }

    async fn inspect(&self, sandbox: SandboxId) -> Result<Option<ContainerInfo>, BackendError> {
        let containers = self.world.containers();
        Ok(containers.get(sandbox).filter(|c| c.node == self.node).map(|c| self.info(sandbox, c)))
    }

    async fn probe_port(&self, sandbox: SandboxId, _port: u16) -> Result<bool, BackendError> {
        // Asked several times a second: a probe is written down only when it fails.
        let passage = match self.world.enter_at_once(Point::ProbePort, SimDuration::ZERO) {
            Some(passage) => passage,
            None => {
                let passage = self.world.enter(self.call(Point::ProbePort, sandbox), SimDuration::ZERO).await;
                self.world.leave(&passage).await;
                passage
            }
        };
        if let Some(error) = passage.error {
            let what = What::CallFailed { point: Point::ProbePort, since: passage.since, error };
            self.world.log().record_and_follow(self.actor, sandbox, what);
            return Err(BackendError(error));
        }
        let containers = self.world.containers();
        let bound = containers.get(sandbox).is_some_and(|c| c.task == TaskState::Running { bound: true });
        Ok(bound && !passage.lose_reply)
    }

    async fn signal(&self, sandbox: SandboxId, signal: Signal) {
        // A signal goes the same way as a removal: a fault of that way keeps it from arriving.
        let call = self.call(Point::Destroy, sandbox);
        let passage = self.world.enter(call, SimDuration::ZERO).await;
        if let Some(error) = passage.error {
            let what = What::CallFailed { point: Point::Destroy, since: passage.since, error };
            self.world.log().record_and_follow(self.actor, sandbox, what);
            return;
        }
        // ASSUMES: a program ends at SIGQUIT as at SIGKILL.
        let code = match signal {
            Signal::Quit => 131,
            Signal::Kill => 137,
        };
        self.world.kill_process(sandbox, code);
        self.world.leave(&passage).await;
    }

    async fn destroy(&self, sandbox: SandboxId) -> Result<(), BackendError> {
        let world = &self.world;
        let latency = world.log().draw(sandbox.into(), "destroy latency", world.cluster().latency.destroy);
        self.run(Point::Destroy, sandbox, latency, || {
            world.remove_container(self.actor, sandbox);
            Ok(())
        })
        .await
    }

    async fn containers(&self) -> Result<Vec<ContainerInfo>, BackendError> {
        let containers = self.world.containers();
        let mut mine: Vec<(u64, ContainerInfo)> = containers
            .iter()
            .filter(|(_, c)| c.node == self.node)
            .map(|(id, c)| (c.number, self.info(id, c)))
            .collect();
        mine.sort_by_key(|(number, _)| *number);
        Ok(mine.into_iter().map(|(_, info)| info).collect())
    }

    fn exits(&self) -> SimExits {
        let listener = Rc::new(Listener { queue: RefCell::default(), reader: Notify::default() });
        let runtime = &mut self.world.0.containers.borrow_mut().runtimes[self.node.index() as usize];
        runtime.listeners.push(Rc::downgrade(&listener));
        SimExits { world: self.world.clone(), listener }
    }
}

/// A subscription to the exits of a node's processes.
pub struct SimExits {
    world: World,
    listener: Rc<Listener>,
}

impl Exits for SimExits {
    async fn next(&mut self) -> ProcessExit {
        let queue = &self.listener.queue;
        let (exit, record) = self.listener.reader.until(|| queue.borrow_mut().pop_front()).await;
        self.world.kernel().set_cause(record);
        exit
    }
}
