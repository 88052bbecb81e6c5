//! The container runtimes: what really runs on each node, and the nodes' address tables.
//!
//! A part of the world that outlives every process of the platform and acts at once. It knows sandboxes by id
//! and workloads by app and service, and never reads a sandbox's status.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::{Rc, Weak};

use crate::kernel::{GroupId, RecordId, SimDuration, SimTime, TaskId};
use crate::model::{Actor, Address, Name, NodeId, SandboxId, SandboxSpec, slot};
use crate::notify::Notify;
use crate::ports::{BackendError, ContainerInfo, ProcessExit};
use crate::trace::What;

use super::addresses::Addresses;
use super::log::Log;
use super::spec::{Delay, WorkloadSpec};
use super::store::Store;
use super::{AddressSlot, WORLD};

/// The exit code of a program that was told to end.
pub(super) const TERMINATED: i32 = 143;

/// How the programs behave, by app and service.
pub(super) type Workloads = BTreeMap<(Name, Name), Rc<WorkloadSpec>>;

/// How often each service has started, over all its sandboxes and versions.
pub(super) type Starts = BTreeMap<(Name, Name), usize>;

/// The state of a container's task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskState {
    /// Not started.
    Created,
    /// It runs; bound: its port answers.
    Running { bound: bool },
    /// It ended.
    Ended,
}

/// One container.
#[derive(Clone, Debug)]
pub struct Container {
    /// The order of creation, over all nodes.
    pub number: u64,
    pub node: NodeId,
    pub address: Address,
    pub spec: Rc<SandboxSpec>,
    pub task: TaskState,
    /// When its port will bind and its process exit, if ever; and when it will, because it was told to
    /// by somebody who does not wait for it any more.
    pub ahead: [Option<SimTime>; 3],
    pub told_at: Option<SimTime>,
    /// The task that sees to it.
    life: Option<TaskId>,
}

impl Container {
    /// The task of the world that sees to what lies ahead of it.
    pub(super) fn life(&self) -> Option<TaskId> {
        self.life
    }
    /// Whether its task runs.
    pub fn is_alive(&self) -> bool {
        matches!(self.task, TaskState::Running { .. })
    }
    fn info(&self, sandbox: SandboxId) -> ContainerInfo {
        let listening = self.task == TaskState::Running { bound: true };
        ContainerInfo { sandbox, address: self.address, task_alive: self.is_alive(), listening, told_at: self.told_at }
    }
}

/// Somebody who hears of exits, each with the record of it.
#[derive(Default)]
pub(super) struct Listener {
    pub(super) queue: RefCell<VecDeque<(ProcessExit, RecordId)>>,
    pub(super) reader: Notify,
}

/// Of things by the number of the sandbox, that of one.
fn of_mut<T>(things: &mut [T], sandbox: SandboxId) -> Option<&mut T> {
    things.get_mut(sandbox.index() as usize)
}

/// What the runtime of one node keeps besides its containers.
struct Runtime {
    images: Rc<BTreeSet<Name>>,
    /// Images that are being pulled, and when each will be there.
    pulls: BTreeMap<Name, SimTime>,
    addresses: Rc<Addresses>,
    /// Whose containers are on it, by the containers' numbers.
    containers: BTreeMap<u64, SandboxId>,
    listeners: Vec<Weak<Listener>>,
}

/// The container runtimes of all nodes. What captures of the world share with them is copied when
/// it changes.
pub struct Containers {
    log: Rc<Log>,
    /// Tells whose program a sandbox runs.
    store: Rc<Store>,
    workloads: Rc<Workloads>,
    /// By the number of the sandbox: who asks for one does not pass by others.
    containers: Vec<Option<Rc<Container>>>,
    made: u64,
    starts: Rc<Starts>,
    runtimes: Vec<Runtime>,
}

impl Containers {
    /// Those of so many nodes, with so many addresses each.
    pub(super) fn new(
        log: &Rc<Log>,
        store: &Rc<Store>,
        (nodes, addresses): (usize, u16),
        workloads: &BTreeMap<(Name, Name), WorkloadSpec>,
    ) -> Self {
        let runtime = |_| Runtime {
            images: Rc::default(),
            pulls: BTreeMap::new(),
            addresses: Rc::new(Addresses::new(addresses)),
            containers: BTreeMap::new(),
            listeners: Vec::new(),
        };
        Self {
            log: Rc::clone(log),
            store: Rc::clone(store),
            workloads: Rc::new(workloads.iter().map(|(of, workload)| (*of, Rc::new(workload.clone()))).collect()),
            containers: Vec::new(),
            made: 0,
            starts: Rc::default(),
            runtimes: (0..nodes).map(runtime).collect(),
        }
    }

    /// A sandbox's container.
    pub fn get(&self, sandbox: SandboxId) -> Option<&Container> {
        self.shared_of(sandbox).map(|container| &**container)
    }
    fn shared_of(&self, sandbox: SandboxId) -> Option<&Rc<Container>> {
        self.containers.get(sandbox.index() as usize)?.as_ref()
    }
    fn shared_mut(&mut self, sandbox: SandboxId) -> Option<&mut Rc<Container>> {
        of_mut(&mut self.containers, sandbox).and_then(Option::as_mut)
    }
    /// All containers, by the order of their sandboxes' creation.
    pub fn iter(&self) -> impl Iterator<Item = (SandboxId, &Container)> {
        self.shared().map(|(id, container)| (id, &**container))
    }
    /// The same, to be shared.
    pub(super) fn shared(&self) -> impl ExactSizeIterator<Item = (SandboxId, &Rc<Container>)> {
        // There are fewer than sandboxes have ever been.
        let on_nodes = self.runtimes.iter().flat_map(|runtime| runtime.containers.values());
        let mut all: Vec<_> = on_nodes.filter_map(|id| Some((*id, self.shared_of(*id)?))).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter()
    }
    /// How often each service has started.
    pub(super) fn starts(&self) -> &Rc<Starts> {
        &self.starts
    }
    /// How all programs behave.
    pub(super) fn workloads(&self) -> &Rc<Workloads> {
        &self.workloads
    }
    /// What the runtime of each node keeps: its addresses and its images.
    pub(super) fn nodes(&self) -> impl ExactSizeIterator<Item = (&Rc<Addresses>, &Rc<BTreeSet<Name>>)> {
        self.runtimes.iter().map(|runtime| (&runtime.addresses, &runtime.images))
    }
    /// Images that are being pulled to each node, and when each will be there.
    pub(super) fn pulls(&self) -> impl Iterator<Item = (u32, Name, SimTime)> {
        let of_node = |(node, runtime): (u32, &'_ Runtime)| -> Vec<(u32, Name, SimTime)> {
            runtime.pulls.iter().map(|(image, done)| (node, *image, *done)).collect()
        };
        (0..).zip(&self.runtimes).flat_map(of_node)
    }
    /// The addresses of a node that were ever taken; the host part of an address is its index plus one.
    pub fn addresses(&self, node: NodeId) -> &[AddressSlot] {
        self.runtimes[node.index() as usize].addresses.slots()
    }

    /// The addresses of a node that are taken, and whose they are.
    pub(super) fn owners(&self, node: NodeId) -> Vec<(Address, SandboxId)> {
        let slots = (1..).zip(self.addresses(node));
        let address = |host| Address { node: node.index() as u16, host };
        slots.filter_map(|(host, slot)| slot.owner.map(|owner| (address(host), owner))).collect()
    }

    /// How the program of a service behaves.
    pub fn workload(&self, app: Name, service: Name) -> Rc<WorkloadSpec> {
        self.workloads.get(&(app, service)).cloned().unwrap_or_default()
    }
    /// How the program of a sandbox behaves.
    pub(super) fn workload_of(&self, sandbox: SandboxId) -> Rc<WorkloadSpec> {
        self.store.program_of(sandbox).map(|(app, service)| self.workload(app, service)).unwrap_or_default()
    }
    /// Changes how the program of a service behaves, from now on.
    pub(super) fn change_workload(&mut self, app: Name, service: Name, change: impl FnOnce(&mut WorkloadSpec)) {
        change(Rc::make_mut(Rc::make_mut(&mut self.workloads).entry((app, service)).or_default()));
    }

    /// Takes an address of a node.
    pub(super) fn allocate_address(
        &mut self,
        actor: Actor,
        node: NodeId,
        sandbox: SandboxId,
        rest: SimDuration,
    ) -> Result<Address, BackendError> {
        let addresses = Rc::make_mut(&mut self.runtimes[node.index() as usize].addresses);
        let host = addresses.take(sandbox, self.log.now(), rest);
        let host = host.ok_or_else(|| BackendError::new("no address is left in the node's subnet"))?;
        let address = Address { node: node.index() as u16, host };
        self.log.record(actor, sandbox, What::AddressTaken(address));
        Ok(address)
    }

    /// Takes that address for a sandbox, if nobody has it.
    pub(super) fn reserve_address(&mut self, actor: Actor, address: Address, sandbox: SandboxId) {
        let runtime = &mut self.runtimes[usize::from(address.node)];
        if Rc::make_mut(&mut runtime.addresses).reserve(address.host, sandbox) {
            self.log.record(actor, sandbox, What::AddressTaken(address));
        }
    }

    /// Gives an address back, if somebody has it.
    pub(super) fn release_address(&mut self, actor: Actor, address: Address) {
        let Some(runtime) = self.runtimes.get_mut(usize::from(address.node)) else { return };
        if let Some(owner) = Rc::make_mut(&mut runtime.addresses).free(address.host, self.log.now()) {
            self.log.record(actor, owner, What::AddressFreed(address));
        }
    }

    /// Begins a pull, and says how long it takes; none when the node has the image. A pull in
    /// flight is joined.
    /// ASSUMES: who joins waits as long as the pull was to take, whatever becomes of it.
    pub(super) fn begin_pull(&mut self, node: NodeId, sandbox: SandboxId, image: Name) -> Option<SimDuration> {
        let now = self.log.now();
        let runtime = &self.runtimes[node.index() as usize];
        if runtime.images.contains(&image) {
            return None;
        }
        if let Some(done) = runtime.pulls.get(&image).filter(|done| **done > now) {
            return Some(done.since(now));
        }
        let takes = self.log.draw(sandbox.into(), "image pull", self.workload_of(sandbox).image_pull);
        self.runtimes[node.index() as usize].pulls.insert(image, now + takes);
        Some(takes)
    }

    /// The image is there.
    pub(super) fn add_image(&mut self, node: NodeId, image: Name) {
        Rc::make_mut(&mut self.runtimes[node.index() as usize].images).insert(image);
    }

    /// A pull is over, whatever came of it.
    pub(super) fn end_pull(&mut self, node: NodeId, image: Name) {
        self.runtimes[node.index() as usize].pulls.remove(&image);
    }

    /// Makes a sandbox's container.
    pub(super) fn create(
        &mut self,
        node: NodeId,
        sandbox: SandboxId,
        spec: Rc<SandboxSpec>,
        address: Address,
    ) -> Result<(), BackendError> {
        if self.get(sandbox).is_some() {
            return Err(BackendError::new("the sandbox has a container already"));
        }
        self.made += 1;
        let container = Container {
            number: self.made,
            node,
            address,
            spec,
            task: TaskState::Created,
            ahead: [None; 3],
            told_at: None,
            life: None,
        };
        self.runtimes[node.index() as usize].containers.insert(self.made, sandbox);
        *slot(&mut self.containers, sandbox.index(), None) = Some(Rc::new(container));
        Ok(())
    }

    /// Starts the task of a container: from now on its port binds and its process exits as the
    /// workload says.
    pub(super) fn start(this: &Rc<RefCell<Self>>, actor: Actor, sandbox: SandboxId) -> Result<(), BackendError> {
        let runtimes = &mut *this.borrow_mut();
        let Some(container) = of_mut(&mut runtimes.containers, sandbox).and_then(Option::as_mut) else {
            return Err(BackendError::new("the sandbox has no container"));
        };
        if container.is_alive() {
            return Err(BackendError::new("the task runs already"));
        }
        let container = Rc::make_mut(container);
        container.task = TaskState::Running { bound: false };
        let log = Rc::clone(&runtimes.log);
        let record = log.record(actor, sandbox, What::TaskStarted);
        let program = runtimes.store.program_of(sandbox);
        let boot = program.map_or(0, |program| {
            let starts = Rc::make_mut(&mut runtimes.starts).entry(program).or_insert(0);
            *starts += 1;
            *starts - 1
        });
        let workload = program.and_then(|program| runtimes.workloads.get(&program)).cloned().unwrap_or_default();
        let when = |purpose, delay| match delay {
            Delay::Never => None,
            Delay::After(spread) => Some(log.now() + log.draw(sandbox.into(), purpose, spread)),
        };
        let binds = when("ready", per_boot(&workload.ready, boot));
        let exits = when("exit", per_boot(&workload.exit_after, boot));
        container.ahead = [binds, exits, None];
        if binds.is_some() || exits.is_some() {
            let number = container.number;
            let (runtimes, kernel) = (Rc::clone(this), log.kernel().clone());
            let life = async move {
                kernel.set_cause(record);
                if let Some(at) = binds.filter(|at| exits.is_none_or(|exit| *at < exit)) {
                    kernel.idle(kernel.sleep_until(at)).await;
                    runtimes.borrow_mut().bind_port(sandbox, number);
                }
                if let Some(at) = exits {
                    kernel.idle(kernel.sleep_until(at)).await;
                    runtimes.borrow_mut().end_task(sandbox, number, 1);
                }
            };
            container.life = Some(log.kernel().spawn(GroupId::WORLD, "life of a task", life));
        }
        Ok(())
    }

    /// When the program of a sandbox will have ended that was told to and is not waited for.
    pub(super) fn ends_at(&self, sandbox: SandboxId) -> Option<SimTime> {
        self.get(sandbox).and_then(|container| container.ahead[2])
    }

    /// The program of a sandbox was told to end, and nobody waits for it any more: it ends then.
    pub(super) fn ends_alone(this: &Rc<RefCell<Self>>, sandbox: SandboxId, told_at: SimTime, at: SimTime) {
        let runtimes = &mut *this.borrow_mut();
        let Some(container) = runtimes.shared_mut(sandbox).filter(|container| container.is_alive()) else {
            return;
        };
        let number = container.number;
        let container = Rc::make_mut(container);
        container.ahead[2] = Some(at);
        container.told_at.get_or_insert(told_at);
        let (world, kernel) = (Rc::clone(this), runtimes.log.kernel().clone());
        let end = async move {
            kernel.sleep_until(at).await;
            world.borrow_mut().end_task(sandbox, number, TERMINATED);
        };
        runtimes.log.kernel().spawn(GroupId::WORLD, "life of a task", end);
    }

    /// The container of that number, if it is the sandbox's still and its task runs.
    fn alive(&mut self, sandbox: SandboxId, number: u64) -> Option<&mut Container> {
        let container = self.shared_mut(sandbox)?;
        (container.number == number && container.is_alive()).then(|| Rc::make_mut(container))
    }

    fn bind_port(&mut self, sandbox: SandboxId, number: u64) {
        if let Some(container) = self.alive(sandbox, number) {
            container.task = TaskState::Running { bound: true };
            self.log.record(WORLD, sandbox, What::PortBound);
        }
    }

    /// Ends a container's task, if it is that container's and runs; tells who listens.
    fn end_task(&mut self, sandbox: SandboxId, number: u64, code: i32) {
        if self.alive(sandbox, number).is_some() {
            self.end(WORLD, sandbox, code);
        }
    }

    /// Makes a sandbox's process exit; false when none runs.
    pub(super) fn kill(&mut self, actor: Actor, sandbox: SandboxId, code: i32) -> bool {
        let alive = self.get(sandbox).is_some_and(Container::is_alive);
        if alive {
            self.end(actor, sandbox, code);
        }
        alive
    }

    /// Ends the task of a container that is there.
    fn end(&mut self, actor: Actor, sandbox: SandboxId, code: i32) {
        let Some(container) = self.shared_mut(sandbox) else { return };
        Rc::make_mut(container).task = TaskState::Ended;
        let node = container.node;
        let record = self.log.record(actor, sandbox, What::TaskEnded { code });
        let listeners = &mut self.runtimes[node.index() as usize].listeners;
        listeners.retain(|listener| listener.strong_count() > 0);
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.queue.borrow_mut().push_back((ProcessExit { sandbox, code }, record));
            listener.reader.notify_all();
        }
    }

    /// Removes a container; its task, if it runs, ends with it.
    pub(super) fn destroy(&mut self, actor: Actor, sandbox: SandboxId) {
        self.kill(actor, sandbox, TERMINATED);
        if let Some(gone) = of_mut(&mut self.containers, sandbox).and_then(Option::take) {
            self.runtimes[gone.node.index() as usize].containers.remove(&gone.number);
            self.log.record(actor, sandbox, What::ContainerGone);
        }
    }

    /// The machine loses power: its containers are gone.
    pub(super) fn lose_all(&mut self, node: NodeId) {
        let on_it = self.runtimes[node.index() as usize].containers.values();
        let lost: BTreeSet<SandboxId> = on_it.copied().collect();
        lost.into_iter().for_each(|sandbox| self.destroy(WORLD, sandbox));
        self.runtimes[node.index() as usize].pulls.clear();
    }

    /// What a node's runtime knows of a sandbox's container.
    pub(super) fn inspect(&self, node: NodeId, sandbox: SandboxId) -> Option<ContainerInfo> {
        self.get(sandbox).filter(|container| container.node == node).map(|container| container.info(sandbox))
    }

    /// Every container on a node, in the order of their creation.
    pub(super) fn list(&self, node: NodeId) -> Vec<ContainerInfo> {
        let on_it = self.runtimes[node.index() as usize].containers.values();
        on_it.filter_map(|sandbox| Some(self.get(*sandbox)?.info(*sandbox))).collect()
    }

    /// Whether a sandbox's port takes a connection. A UDP port never does.
    pub(super) fn is_bound(&self, sandbox: SandboxId, port: u16) -> bool {
        self.get(sandbox).is_some_and(|container| {
            let listens = container.spec.ports.iter().any(|known| known.number == port && known.is_tcp());
            listens && container.task == TaskState::Running { bound: true }
        })
    }

    /// Hears of the exits of a node's processes from now on.
    pub(super) fn listen(&mut self, node: NodeId) -> Rc<Listener> {
        let listener = Rc::new(Listener::default());
        self.runtimes[node.index() as usize].listeners.push(Rc::downgrade(&listener));
        listener
    }
}

/// What the value at `index` of a per-boot list is; the last one repeats.
fn per_boot(values: &[Delay], index: usize) -> Delay {
    values.get(index).or(values.last()).copied().unwrap_or(Delay::Never)
}
