//! The world: the simulated store and backends, the gate, faults, judges.
//!
//! It implements the ports on the kernel and knows no controller. Every port call passes one
//! gate, which adds latency, lets faults strike and writes the trace. The backends keep a truth
//! of their own – what really runs, what is really mounted – which judges compare with the
//! store. What a newcomer gets wrong: the store may be wrong about the world; that is the point.

mod addresses;
mod canon;
mod containers;
mod faults;
mod gate;
mod host;
pub mod judge;
mod kin;
mod log;
mod process;
pub mod spec;
mod store;
mod store_calls;
mod table;
mod volumes;

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::kernel::{Budget, Kernel, SimDuration};
use crate::model::{Actor, Controller, Kind, Name, Point, SandboxId};

pub use addresses::AddressSlot;
pub use canon::{Caps, Digest, Seen, Still, Unrest};
pub use containers::{Container, Containers, SimExits, SimSandboxes, TaskState};
pub use faults::Faults;
pub use host::{SimClock, SimHost, SimPlatform};
pub use log::Log;
pub use process::Process;
pub use store::{Store, Tables};
pub use store_calls::{SimStore, SimWatch};
pub use table::Table;
pub use volumes::{SimDisks, Volume, Volumes};

use spec::{ClusterSpec, FaultSpec, WorkloadSpec};

/// How the programs behave, by app and service.
type Workloads = BTreeMap<(Name, Name), Rc<WorkloadSpec>>;

/// Everything a world is made from.
#[derive(Clone, Debug)]
pub struct WorldSpec {
    /// The machines.
    pub cluster: ClusterSpec,
    /// The programs, by app and service.
    pub workloads: BTreeMap<(Name, Name), WorkloadSpec>,
    /// What goes wrong.
    pub faults: Vec<FaultSpec>,
    /// The seed of all draws.
    pub seed: u64,
    /// The guards of the run.
    pub budget: Budget,
    /// With so many records the trace is full.
    pub records_max: usize,
    /// How long a crashed process is down.
    pub restart_after: SimDuration,
    /// How tickers are offset.
    pub phase: spec::Phase,
    /// How long a node's session lives, and how often its process renews it.
    pub session: (SimDuration, SimDuration),
}

/// A handle to the world of one run; clones share it.
#[derive(Clone)]
pub struct World(Rc<State>);

/// The parts of a world.
struct State {
    log: Rc<Log>,
    faults: Rc<Faults>,
    store: Rc<Store>,
    containers: RefCell<Containers>,
    volumes: RefCell<Volumes>,
    cluster: ClusterSpec,
    /// Shared with stills of the world.
    workloads: RefCell<Rc<Workloads>>,
    processes: RefCell<process::Processes>,
    calls_under_way: Cell<u32>,
    restart_after: SimDuration,
    phase: spec::Phase,
    session: (SimDuration, SimDuration),
}

impl World {
    /// A world at time zero: nodes, and nothing on them.
    pub fn new(spec: &WorldSpec) -> Self {
        let log = Rc::new(Log::new(Kernel::new(spec.budget), spec.records_max, spec.seed));
        log.name_next(Kind::Cluster, Name::new("cluster"));
        for fault in &spec.faults {
            log.name_next(Kind::Fault, Name::new(&format!("fault/{}", fault.name)));
        }
        let faults = Rc::new(Faults::new(&log, &spec.faults));
        let store = Rc::new(Store::new(&log, &faults, spec.cluster.latency.watch));
        if spec.faults.iter().any(|fault| matches!(fault.effect, spec::Effect::Stale(_))) {
            store.keep_past();
        }
        Self(Rc::new(State {
            log,
            faults,
            store,
            containers: RefCell::new(Containers::new(spec.cluster.nodes.len(), spec.cluster.addresses_per_node)),
            volumes: RefCell::new(Volumes::new(spec.cluster.disk_quota_gb)),
            cluster: spec.cluster.clone(),
            workloads: RefCell::new(Rc::new(
                spec.workloads.iter().map(|(of, workload)| (*of, Rc::new(workload.clone()))).collect(),
            )),
            processes: RefCell::default(),
            calls_under_way: Cell::new(0),
            restart_after: spec.restart_after,
            phase: spec.phase,
            session: spec.session,
        }))
    }

    /// Whether nobody else holds this world: its memory is given back with this handle.
    pub fn is_last_handle(&self) -> bool {
        Rc::strong_count(&self.0) == 1
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
    /// The machines.
    pub fn cluster(&self) -> &ClusterSpec {
        &self.0.cluster
    }

    /// Whether a sandbox truly answers: its task runs, its port is bound, its network is there.
    pub fn answers(&self, sandbox: SandboxId) -> bool {
        let found = self.containers().get(sandbox).map(|c| (c.task, c.spec.port.is_some(), c.node));
        let Some((TaskState::Running { bound }, has_port, node)) = found else { return false };
        (bound || !has_port) && !self.network_is_cut(sandbox, Actor::on(Controller::Sandbox, node))
    }

    /// How the program of a service behaves.
    pub fn workload(&self, app: Name, service: Name) -> Rc<WorkloadSpec> {
        self.0.workloads.borrow().get(&(app, service)).cloned().unwrap_or_default()
    }

    /// Changes how the program of a service behaves, from now on.
    pub fn change_workload(&self, app: Name, service: Name, change: impl FnOnce(&mut WorkloadSpec)) {
        let mut workloads = self.0.workloads.borrow_mut();
        change(Rc::make_mut(Rc::make_mut(&mut workloads).entry((app, service)).or_default()));
    }

    /// Whether every probe of a sandbox's port is sure to fail now.
    pub fn network_is_cut(&self, sandbox: SandboxId, actor: Actor) -> bool {
        self.0.faults.always_fail(Point::ProbePort, || self.0.store.facts_of_call(actor, sandbox.into(), None))
    }
}

const WORLD: Actor = Actor::central(Controller::World);
