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
mod process;
pub mod spec;
mod store;
mod store_calls;
mod table;
mod volumes;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;

use crate::kernel::{Budget, Kernel, RecordId, SimDuration, Streams};
use crate::model::{Actor, Controller, Kind, Name, Subject};
use crate::trace::{Record, Trace, What};

pub use addresses::AddressSlot;
pub use canon::{Caps, Digest, Seen, Still, Unrest};
pub use containers::{Container, Containers, SimExits, SimSandboxes, TaskState};
pub use host::{SimClock, SimHost, SimPlatform};
pub use process::Process;
pub use store::Tables;
pub use store_calls::{SimStore, SimWatch};
pub use table::Table;
pub use volumes::{SimDisks, Volume, Volumes};

use faults::{Faults, Targets};
use spec::{ClusterSpec, FaultSpec, Spread, WorkloadSpec};

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

/// The state of a world.
pub struct State {
    /// The kernel.
    pub kernel: Kernel,
    /// The store's tables.
    pub tables: Tables,
    /// The container runtimes.
    pub containers: RefCell<Containers>,
    /// The volume service.
    pub volumes: RefCell<Volumes>,
    /// The machines.
    pub cluster: ClusterSpec,
    trace: RefCell<Trace>,
    records_max: usize,
    /// The first record that the judge must see and has not seen.
    news: Cell<Option<RecordId>>,
    streams: RefCell<Streams>,
    faults: RefCell<Faults>,
    targets: Targets,
    /// Shared with stills of the world.
    workloads: RefCell<Rc<Workloads>>,
    processes: RefCell<process::Processes>,
    revision: Cell<u64>,
    calls_under_way: Cell<u32>,
    restart_after: SimDuration,
    phase: spec::Phase,
    session: (SimDuration, SimDuration),
    seed: u64,
}

impl Deref for World {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

impl World {
    /// A world at time zero: nodes, and nothing on them.
    pub fn new(spec: &WorldSpec) -> Self {
        let world = Self(Rc::new(State {
            kernel: Kernel::new(spec.budget),
            tables: Tables::default(),
            containers: RefCell::new(Containers::new(spec.cluster.nodes.len(), spec.cluster.addresses_per_node)),
            volumes: RefCell::new(Volumes::new(spec.cluster.disk_quota_gb)),
            cluster: spec.cluster.clone(),
            trace: RefCell::default(),
            records_max: spec.records_max,
            news: Cell::new(None),
            streams: RefCell::new(Streams::new(spec.seed)),
            faults: RefCell::new(Faults::new(&spec.faults)),
            targets: Targets::of(&spec.faults),
            workloads: RefCell::new(Rc::new(
                spec.workloads.iter().map(|(of, workload)| (*of, Rc::new(workload.clone()))).collect(),
            )),
            processes: RefCell::default(),
            revision: Cell::new(0),
            calls_under_way: Cell::new(0),
            restart_after: spec.restart_after,
            phase: spec.phase,
            session: spec.session,
            seed: spec.seed,
        }));
        {
            let mut trace = world.trace.borrow_mut();
            trace.name_next(Kind::Cluster, Name::new("cluster"));
            for fault in &spec.faults {
                trace.name_next(Kind::Fault, Name::new(&format!("fault/{}", fault.name)));
            }
        }
        if spec.faults.iter().any(|fault| matches!(fault.effect, spec::Effect::Stale(_))) {
            world.tables.keep_past();
        }
        world
    }

    /// Whether nobody else holds this world: its memory is given back with this handle.
    pub fn is_last_handle(&self) -> bool {
        Rc::strong_count(&self.0) == 1
    }

    /// Writes a trace record, caused by what the running task was caused by.
    #[inline(always)]
    pub fn record(&self, actor: Actor, subject: impl Into<Subject>, what: What) -> RecordId {
        self.record_caused(actor, subject.into(), self.kernel.cause(), what)
    }

    /// Writes a trace record with a cause of its own.
    // Where a record is written it is known what it is: inlined, whether the judge must see it is
    // mostly no question any more.
    #[inline(always)]
    pub fn record_caused(&self, actor: Actor, subject: Subject, cause: RecordId, what: What) -> RecordId {
        let news = judge::must_be_seen(&what);
        let id = self.trace.borrow_mut().push(Record { at: self.kernel.now(), subject, cause, actor, what });
        if id.number() as usize >= self.records_max {
            self.kernel.hold_time();
        }
        if news {
            self.tell_judge(id);
        }
        id
    }

    /// There is something new for the judge, who sees it before time passes.
    fn tell_judge(&self, id: RecordId) {
        self.kernel.hold_time();
        // The first one stays: whoever looks reads on from there.
        self.news.set(Some(self.news.get().unwrap_or(id)));
    }

    /// Writes a trace record, and makes it the cause of what the running task does next.
    pub fn record_and_follow(&self, actor: Actor, subject: impl Into<Subject>, what: What) -> RecordId {
        let id = self.record(actor, subject, what);
        self.kernel.set_cause(id);
        id
    }

    /// Gives the next thing of a kind its name.
    pub fn name_next(&self, kind: Kind, name: Name) -> Subject {
        self.trace.borrow_mut().name_next(kind, name)
    }

    /// The name of a subject, with its kind.
    pub fn name(&self, subject: impl Into<Subject>) -> Name {
        self.trace.borrow().name(subject.into())
    }

    /// Whether the trace has as many records as it may.
    pub fn is_full(&self) -> bool {
        self.trace.borrow().records().len() >= self.records_max
    }

    /// Whether a record was written that a judge must see.
    pub fn has_news(&self) -> bool {
        self.news.get().is_some()
    }

    /// Where in the trace the first record stands that a judge must see, if one was written since
    /// this was last asked.
    pub fn take_news(&self) -> Option<usize> {
        self.news.take().and_then(RecordId::index)
    }

    /// Looks at the trace as it is so far.
    pub fn with_trace<T>(&self, look: impl FnOnce(&Trace) -> T) -> T {
        look(&self.trace.borrow())
    }

    /// Takes the trace out at the end of the run.
    pub fn take_trace(&self) -> Trace {
        std::mem::take(&mut self.trace.borrow_mut())
    }

    /// Draws from a distribution for a subject, and writes the draw down when there was one.
    #[inline]
    pub fn draw(&self, subject: Subject, purpose: &'static str, spread: Spread) -> SimDuration {
        if let Some(constant) = spread.constant() {
            return constant;
        }
        self.draw_from(subject, purpose, spread)
    }

    fn draw_from(&self, subject: Subject, purpose: &'static str, spread: Spread) -> SimDuration {
        let name = self.name(subject);
        let mut last = 0;
        let drawn = spread.draw(|| {
            last = self.streams.borrow_mut().draw(&name, purpose);
            last
        });
        self.record(Actor::central(Controller::World), subject, What::Drawn { purpose, bits: last });
        drawn
    }

    /// Draws from a distribution for something that has no record of its own.
    pub fn draw_unrecorded(&self, subject: &str, purpose: &'static str, spread: Spread) -> SimDuration {
        spread.draw(|| self.streams.borrow_mut().draw(subject, purpose))
    }

    /// Whether a sandbox truly answers: its task runs, its port is bound, its network is there.
    pub fn answers(&self, sandbox: crate::model::SandboxId) -> bool {
        let found = self.containers.borrow().get(sandbox).map(|c| (c.task, c.spec.port.is_some(), c.node));
        let Some((TaskState::Running { bound }, has_port, node)) = found else { return false };
        (bound || !has_port) && !self.network_is_cut(sandbox, Actor::on(Controller::Sandbox, node))
    }

    /// How the program of a service behaves.
    pub fn workload(&self, app: Name, service: Name) -> Rc<WorkloadSpec> {
        self.workloads.borrow().get(&(app, service)).cloned().unwrap_or_default()
    }

    /// Changes how the program of a service behaves, from now on.
    pub fn change_workload(&self, app: Name, service: Name, change: impl FnOnce(&mut WorkloadSpec)) {
        let mut workloads = self.workloads.borrow_mut();
        change(Rc::make_mut(Rc::make_mut(&mut workloads).entry((app, service)).or_default()));
    }

    /// Whether a fault has ever struck, by the fault's number.
    pub fn faults_struck(&self) -> Vec<u64> {
        self.faults.borrow().struck_counts()
    }

    /// Whether a fault's window lies ahead or is open: (is one open now, can one strike later).
    pub fn faults_ahead(&self) -> bool {
        self.faults.borrow().may_strike(self.kernel.now())
    }
}

const WORLD: Actor = Actor::central(Controller::World);
