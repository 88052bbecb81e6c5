//! The world: its parts, what stands between them and the controllers, and the judges.
//!
//! It implements the ports on the kernel and knows no controller. Beneath all lies the log: the
//! clock, the trace, the draws. The parts – store, containers, volumes, processes – keep a truth
//! of their own each, and act at once. Before them stands the gate, where calls take time and
//! faults strike. Judges compare what the store says with what really runs and is mounted. What a
//! newcomer gets wrong: the store may be wrong about the world; that is the point.

mod addresses;
mod canon;
mod containers;
mod disk_calls;
mod facts;
mod faults;
mod gate;
mod host;
pub(crate) mod judge;
mod log;
mod order;
mod process;
mod sandbox_calls;
pub(crate) mod spec;
mod store;
mod store_calls;
mod table;
mod volumes;

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::kernel::{Budget, Kernel};
use crate::model::{Actor, Controller, DiskIndex, Kind, Name, NodeId, Point, SandboxId, VolumeId};
use crate::ports::{Ports, Query};

pub(crate) use addresses::AddressSlot;
pub(crate) use canon::{Caps, Capture, Digest, Unrest, Visited};

pub(crate) use containers::{Container, Containers, TaskState};
pub(crate) use disk_calls::SimDisks;
pub(crate) use faults::Faults;
pub(crate) use host::{SimClock, SimHost, SimPlatform};
pub(crate) use log::Log;
pub use process::Process;
pub(crate) use sandbox_calls::SimSandboxes;
pub(crate) use store::{Store, StoreRules, Tables};
pub(crate) use volumes::{Volume, Volumes};

use gate::{Gate, Gated};
use process::Processes;
use spec::{ClusterSpec, FaultSpec, WorkloadSpec};

/// Everything a world is made from.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct WorldSpec {
    pub cluster: ClusterSpec,
    /// The programs, by app and service.
    pub workloads: BTreeMap<(Name, Name), WorkloadSpec>,
    pub faults: Vec<FaultSpec>,
    pub seed: u64,
    pub budget: Budget,
    /// With so many records the trace is full.
    pub records_max: usize,
    /// Whether it is kept what decisions are taken from.
    pub evidence: bool,
    pub environment: spec::Environment,
}

/// A handle to the world of one run; clones share it.
#[derive(Clone)]
pub struct World(Rc<State>);

/// The parts of a world.
struct State {
    log: Rc<Log>,
    faults: Rc<Faults>,
    store: Rc<Store>,
    containers: Rc<RefCell<Containers>>,
    volumes: Rc<RefCell<Volumes>>,
    processes: Rc<Processes>,
    gate: Rc<Gate>,
    cluster: ClusterSpec,
    phase: spec::Phase,
}

impl World {
    /// A world at time zero: nodes, and nothing on them.
    pub fn new(spec: &WorldSpec) -> Self {
        let cluster = spec.cluster.clone();
        let log = Rc::new(Log::new(Kernel::new(spec.budget), spec.records_max, spec.seed, spec.evidence));
        log.name_next(Kind::Cluster, Name::new("cluster"));
        for fault in &spec.faults {
            log.name_next(Kind::Fault, Name::new(&format!("fault/{}", fault.name)));
        }
        let faults = Rc::new(Faults::new(&log, &spec.faults));
        let store = Rc::new(Store::new(&log, &faults, cluster.latency.watch));
        if spec.faults.iter().any(|fault| matches!(fault.effect, spec::Effect::Stale(_))) {
            store.keep_past();
        }
        let size = (cluster.nodes.len(), cluster.addresses_per_node);
        let processes = Rc::new(Processes::new(&log, &store, spec.environment));
        Self(Rc::new(State {
            containers: Rc::new(RefCell::new(Containers::new(&log, &store, size, &spec.workloads))),
            volumes: Rc::new(RefCell::new(Volumes::new(&log, cluster.disk_quota_gb))),
            gate: Rc::new(Gate {
                log: Rc::clone(&log),
                faults: Rc::clone(&faults),
                store: Rc::clone(&store),
                processes: Rc::clone(&processes),
                latency: cluster.latency.clone(),
                calls_under_way: Cell::new(0),
                hung: RefCell::default(),
            }),
            log,
            faults,
            store,
            processes,
            cluster,
            phase: spec.environment.ticker_phase,
        }))
    }

    /// Whether nobody else holds this world or passes its gate: its memory is given back with
    /// this handle.
    pub fn is_last_handle(&self) -> bool {
        Rc::strong_count(&self.0) == 1 && Rc::strong_count(&self.0.gate) == 1
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        self.0.log.kernel()
    }
    /// The trace so far, and who writes it.
    pub fn log(&self) -> &Log {
        &self.0.log
    }
    /// What goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }
    /// The store, where nothing is in between.
    pub fn store(&self) -> &Store {
        &self.0.store
    }
    /// The store's tables.
    pub fn tables(&self) -> &Tables {
        self.0.store.tables()
    }
    /// What runs.
    pub fn containers(&self) -> Ref<'_, Containers> {
        self.0.containers.borrow()
    }
    /// The volumes.
    pub fn volumes(&self) -> Ref<'_, Volumes> {
        self.0.volumes.borrow()
    }
    /// What lives and dies together.
    pub fn processes(&self) -> &Rc<Processes> {
        &self.0.processes
    }
    /// The machines.
    pub fn cluster(&self) -> &ClusterSpec {
        &self.0.cluster
    }

    fn gated<P>(&self, part: &Rc<P>, actor: Actor) -> Gated<P> {
        Gated { gate: Rc::clone(&self.0.gate), actor, part: Rc::clone(part) }
    }
    /// The ports of a controller.
    pub fn ports(&self, actor: Actor) -> Ports<SimPlatform> {
        // Rule 2.10: a process that starts within the story ticks from there.
        let later = self.0.phase == spec::Phase::Seed && self.kernel().now() > crate::time::SimTime::ZERO;
        let phase = if later { spec::Phase::Zero } else { self.0.phase };
        Ports {
            clock: SimClock(Rc::clone(&self.0.log)),
            host: SimHost { log: Rc::clone(&self.0.log), actor, phase },
            store: self.gated(&self.0.store, actor),
        }
    }
    /// The container runtime of the node that `actor` runs on.
    pub fn sandboxes(&self, actor: Actor) -> SimSandboxes {
        self.gated(&self.0.containers, actor)
    }
    /// The volume service as seen from the node that `actor` runs on.
    pub fn disks(&self, actor: Actor) -> SimDisks {
        self.gated(&self.0.volumes, actor)
    }

    /// Tells how a process starts its controllers.
    pub fn on_start(&self, start: impl Fn(&World, Process) + 'static) {
        // The processes do not keep the world that keeps them.
        let state = Rc::downgrade(&self.0);
        self.0.processes.on_start(move |process| {
            if let Some(state) = state.upgrade() {
                start(&Self(state), process);
            }
        });
    }
    /// A machine loses power, and with it its process, its containers and its mounts; or it has
    /// power again, and its process starts.
    pub fn set_power(&self, node: NodeId, has_power: bool) {
        self.0.processes.set_power(node, has_power);
        if !has_power {
            self.0.containers.borrow_mut().lose_all(node);
            self.0.volumes.borrow_mut().lose_mounts(node);
        }
    }

    /// The volume that a disk uses, if one does.
    fn volume_used_by(&self, disk: Name) -> Option<VolumeId> {
        self.tables().disks.list(Query::By(DiskIndex::Name(disk))).first().and_then(|disk| disk.entity.volume)
    }
    /// The volume of a disk vanishes; false when it has none.
    pub fn lose_volume(&self, disk: Name) -> bool {
        let found = self.volume_used_by(disk).filter(|id| self.volumes().get(*id).is_some());
        found.inspect(|id| self.0.volumes.borrow_mut().lose(*id)).is_some()
    }
    /// The volume of a disk is unmounted past everybody; false when it is mounted nowhere.
    pub fn lose_mounts(&self, disk: Name) -> bool {
        let Some(id) = self.volume_used_by(disk) else { return false };
        let mounts = self.volumes().get(id).map(|volume| volume.mounts.clone()).unwrap_or_default();
        let mut volumes = self.0.volumes.borrow_mut();
        mounts.iter().for_each(|node| volumes.unmount(WORLD, *node, id).expect("it is mounted"));
        !mounts.is_empty()
    }
    /// Makes a sandbox's process exit; false when none runs.
    pub fn kill_program(&self, sandbox: SandboxId, code: i32) -> bool {
        self.0.containers.borrow_mut().kill(WORLD, sandbox, code)
    }
    /// Changes how the program of a service behaves, from now on.
    pub fn change_workload(&self, app: Name, service: Name, change: impl FnOnce(&mut WorkloadSpec)) {
        self.0.containers.borrow_mut().change_workload(app, service, change);
    }
    /// Whether a sandbox truly answers: its task runs, its port is bound, its network is there.
    pub fn answers(&self, sandbox: SandboxId) -> bool {
        let found = self.containers().get(sandbox).map(|c| (c.task, c.spec.has_tcp_port(), c.node));
        let Some((TaskState::Running { bound }, has_port, node)) = found else { return false };
        (bound || !has_port) && !self.is_cut(sandbox, node)
    }
    /// Whether a fault cuts the network of a sandbox's container.
    pub fn is_cut_off(&self, sandbox: SandboxId) -> bool {
        let node = self.containers().get(sandbox).map(|container| container.node);
        node.is_some_and(|node| self.is_cut(sandbox, node))
    }
    fn is_cut(&self, sandbox: SandboxId, node: NodeId) -> bool {
        let prober = Actor::on(Controller::Sandbox, node);
        let facts = || self.0.store.facts_of_call(prober, sandbox.into(), None);
        self.0.faults.always_fail(Point::ProbePort, facts)
    }
}

const WORLD: Actor = Actor::central(Controller::World);
