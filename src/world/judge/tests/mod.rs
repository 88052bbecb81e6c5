//! The judges on a world that is driven by hand: no controller, every write is the test's own.
//!
//! For each invariant there is one test that breaks it and, where it has a grace, one that ends
//! just inside. All backend calls take no time here, so that a test's clock is its own.

mod apps;
mod callers;
mod containers;
mod disks;
mod pools;
mod progress;
mod settled;
mod walk;

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use crate::kernel::{Budget, GroupId, SimDuration, SimTime, Step};
use crate::model::Invariant;
use crate::model::{
    Actor, Address, App, AppChange, AppId, AppVersion, Concurrency, Controller, Disk, DiskConfig, DiskId, DiskLease,
    DiskLeaseChange, DiskStatus, Entity, Filesystem, Id, LeaseId, LeaseStatus, Mount, Name, Node, NodeId, NodeStatus,
    Pool, PoolChange, PoolId, PortConfig, Protocol, Sandbox, SandboxChange, SandboxId, SandboxSpec, SandboxStatus,
    ServiceConfig, VersionId,
};
use crate::ports::SandboxBackend;
use crate::world::spec::{ClusterSpec, Delay, Environment, FaultSpec, Graces, Latencies, Spread, WorkloadSpec};
use crate::world::{Process, World, WorldSpec};

use super::{Judge, Limits};

const OPERATOR: Actor = Actor::central(Controller::Operator);

fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

fn name(text: &str) -> Name {
    Name::new(text)
}

fn limits() -> Limits {
    let (look_back, look_every) = (secs(3600), secs(300));
    Limits {
        grace: Graces::default(),
        failures_max: 8,
        max_pool_size: 20,
        backoff_cap: secs(900),
        look_back,
        look_every,
    }
}

/// A service without a port; one instance, fixed.
fn service(text: &str) -> ServiceConfig {
    ServiceConfig {
        name: name(text),
        image: name("image"),
        command: None,
        ports: Vec::new(),
        port_timeout: None,
        shutdown_timeout: None,
        concurrency: Concurrency::Fixed { instances: 1 },
        unsaid: false,
        env: Vec::new(),
        disks: Vec::new(),
    }
}

fn disk_config(text: &str) -> DiskConfig {
    DiskConfig {
        name: name(text),
        mount_path: name("/data"),
        read_only: false,
        size_gb: 1,
        filesystem: Filesystem::Ext4,
        lease_timeout: None,
    }
}

/// A program that starts and binds its port in no time.
fn at_once() -> WorkloadSpec {
    let nothing = Spread::Constant(SimDuration::ZERO);
    WorkloadSpec { start: nothing, ready: vec![Delay::After(nothing)], ..WorkloadSpec::default() }
}

/// A world, its judge, and short words for what a test does to them.
struct Stage {
    world: World,
    judge: Judge,
}

impl Stage {
    fn new() -> Self {
        Self::with_faults(Vec::new())
    }

    fn with_faults(faults: Vec<FaultSpec>) -> Self {
        let nothing = Spread::Constant(SimDuration::ZERO);
        let mut latency = Latencies::default();
        for (key, ..) in Latencies::ROWS {
            *latency.get_mut(key).expect("listed") = nothing;
        }
        let world = World::new(&WorldSpec {
            cluster: ClusterSpec { nodes: vec![name("n1"), name("n2")], latency, ..ClusterSpec::default() },
            workloads: ["db", "web"].map(|service| ((name("pds"), name(service)), at_once())).into(),
            faults,
            seed: 1,
            budget: Budget::default(),
            records_max: usize::MAX,
            evidence: false,
            environment: Environment::default(),
        });
        let mut stage = Self { world, judge: Judge::new(limits()) };
        for node in ["n1", "n2"] {
            let node = Node { name: name(node), status: NodeStatus::Ready, session_until: None };
            let node = stage.create(node);
            stage.world.processes().start(Process::Node(node));
        }
        stage.pass(SimDuration::ZERO);
        stage
    }

    /// Time passes, as in the run loop of a simulation.
    fn pass(&mut self, d: SimDuration) {
        let (world, judge) = (&self.world, &mut self.judge);
        let end = world.kernel().now() + d;
        judge.observe(world);
        loop {
            let deadline = judge.next_deadline().filter(|at| *at <= end);
            match world.kernel().step(deadline.unwrap_or(end)) {
                Step::Ran => judge.observe(world),
                Step::Stopped(stop) => panic!("{stop:?}"),
                Step::Idle => {
                    let at = deadline.unwrap_or(end);
                    world.kernel().advance_to(at);
                    if deadline.is_none() {
                        return;
                    }
                    judge.advance(world, at);
                }
            }
        }
    }

    /// Makes a backend call to its end; it takes no time.
    fn call(&mut self, call: impl Future<Output = ()> + 'static) {
        let done = Rc::new(Cell::new(false));
        let told = Rc::clone(&done);
        self.world.kernel().spawn(GroupId::WORLD, "test", async move {
            call.await;
            told.set(true);
        });
        self.pass(SimDuration::ZERO);
        assert!(done.get(), "backend calls take no time here");
    }

    fn create<E: Entity>(&mut self, entity: E) -> Id<E> {
        let id = self.world.store().create(OPERATOR, entity).id;
        self.judge.observe(&self.world);
        id
    }

    fn delete<E: Entity>(&mut self, id: Id<E>) {
        self.world.store().delete(OPERATOR, id).expect("it exists");
        self.judge.observe(&self.world);
    }

    fn patch<E: Entity>(&mut self, id: Id<E>, change: E::Change) {
        let patched = self.world.store().patch(OPERATOR, id, None, None, |entity| vec![entity.apply(change)]);
        patched.expect("it exists");
        self.judge.observe(&self.world);
    }

    fn app(&mut self, text: &str) -> AppId {
        self.create(App { name: name(text), active_version: None })
    }

    /// A new version of an app, active at once.
    fn deploy(&mut self, app: AppId, services: &[ServiceConfig]) -> VersionId {
        let version = self.create(AppVersion { app, config: services.into(), number: 1 });
        self.patch(app, AppChange::ActiveVersion(Some(version)));
        version
    }

    fn pool(&mut self, app: AppId, service: &ServiceConfig, version: VersionId, desired: u32) -> PoolId {
        let spec = SandboxSpec {
            version,
            image: service.image,
            command: None,
            ports: service.ports.clone(),
            port_timeout: None,
            shutdown_timeout: None,
            env: Vec::new(),
            volumes: service.disks.clone(),
        };
        self.create(Pool {
            app,
            service: service.name,
            spec: Rc::new(spec),
            desired_instances: desired,
            current_instances: 0,
            ready_instances: 0,
            referenced_by_versions: vec![version],
            consecutive_crash_count: 0,
            last_crash_time: None,
            cooldown_until: None,
        })
    }

    /// An app `pds` with the service, and its pool; nothing in it yet.
    fn deployed(&mut self, service: &ServiceConfig, desired: u32) -> (AppId, VersionId, PoolId) {
        let app = self.app("pds");
        let version = self.deploy(app, std::slice::from_ref(service));
        let pool = self.pool(app, service, version, desired);
        (app, version, pool)
    }

    fn sandbox(&mut self, pool: PoolId, status: SandboxStatus) -> SandboxId {
        self.sandbox_on(pool, status, 0)
    }

    fn sandbox_on(&mut self, pool: PoolId, status: SandboxStatus, node: u32) -> SandboxId {
        let (spec, service) =
            self.world.tables().pools.with(pool, |pool, _| (Rc::clone(&pool.spec), pool.service)).expect("it exists");
        self.create(Sandbox {
            status,
            spec,
            pool,
            service,
            instance: 0,
            node: Some(NodeId::from_index(node)),
            address: None,
            last_activity: None,
            boot_failed: false,
        })
    }

    fn status(&mut self, sandbox: SandboxId, status: SandboxStatus) {
        self.patch(sandbox, SandboxChange::Status(status));
    }

    fn status_by(&mut self, by: Controller, sandbox: SandboxId, status: SandboxStatus) {
        let (store, by) = (self.world.store(), Actor::central(by));
        let patched = store.patch(by, sandbox, None, None, |entity| vec![entity.apply(SandboxChange::Status(status))]);
        patched.expect("it exists");
        self.judge.observe(&self.world);
    }

    fn take_address(&mut self, sandbox: SandboxId) -> Address {
        let address = Rc::new(Cell::new(None));
        let (taken, runtime) = (Rc::clone(&address), self.runtime(sandbox));
        self.call(async move { taken.set(runtime.allocate_address(sandbox, secs(0)).await.ok()) });
        address.get().expect("one is free")
    }

    /// A container for the sandbox, whose task runs.
    fn start(&mut self, sandbox: SandboxId, address: Address) {
        let runtime = self.runtime(sandbox);
        let spec =
            self.world.tables().sandboxes.with(sandbox, |sandbox, _| Rc::clone(&sandbox.spec)).expect("it exists");
        self.call(async move {
            runtime.create_container(sandbox, spec, address).await.expect("no fault strikes");
            runtime.start(sandbox).await.expect("no fault strikes");
        });
    }

    fn destroy(&mut self, sandbox: SandboxId) {
        let runtime = self.runtime(sandbox);
        self.call(async move { runtime.destroy(sandbox, SimDuration::from_secs(10)).await.expect("no fault strikes") });
    }

    fn runtime(&self, sandbox: SandboxId) -> crate::world::SimSandboxes {
        let node = self.world.tables().sandboxes.with(sandbox, |sandbox, _| sandbox.node).flatten();
        self.world.sandboxes(Actor::on(Controller::Sandbox, node.unwrap_or(NodeId::from_index(0))))
    }

    /// A sandbox that is RUNNING and serves.
    fn serving(&mut self, pool: PoolId) -> SandboxId {
        let sandbox = self.sandbox(pool, SandboxStatus::Pending);
        let address = self.take_address(sandbox);
        self.start(sandbox, address);
        self.status(sandbox, SandboxStatus::Running);
        sandbox
    }

    fn disk(&mut self, text: &str, created_by: Option<AppId>) -> DiskId {
        self.create(Disk {
            name: name(text),
            size_gb: 1,
            filesystem: Filesystem::Ext4,
            status: DiskStatus::Provisioning,
            volume: None,
            created_by,
        })
    }

    fn lease(&mut self, disk: DiskId, sandbox: SandboxId, app: Option<AppId>) -> LeaseId {
        self.create(DiskLease {
            disk,
            sandbox,
            app,
            node: NodeId::from_index(0),
            mount: Mount { path: name("/data"), read_only: false },
            status: LeaseStatus::Pending,
            acquired_at: None,
            error_message: None,
        })
    }

    fn lease_status(&mut self, lease: LeaseId, status: LeaseStatus) {
        self.patch(lease, DiskLeaseChange::Status(status));
    }

    fn now(&self) -> SimTime {
        self.world.kernel().now()
    }

    fn is_settled(&self) -> bool {
        self.judge.settled_since().is_some()
    }

    /// The texts of all violations of one invariant: `subject: detail`.
    fn broken(&self, invariant: Invariant) -> Vec<String> {
        let those = self.judge.violations().iter().filter(|violation| violation.invariant == invariant);
        those.map(|violation| format!("{}: {}", self.world.log().name(violation.subject), violation.detail)).collect()
    }

    #[track_caller]
    fn assert_broken(&self, invariant: Invariant, texts: &[&str]) {
        assert_eq!(self.broken(invariant), texts, "{invariant}");
    }

    #[track_caller]
    fn assert_nothing_broken(&self) {
        let found: Vec<_> = self.judge.violations().iter().map(|v| (v.invariant, v.detail)).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

/// A nanosecond: what lies between inside a grace and outside.
const MOMENT: SimDuration = SimDuration::from_nanos(1);

/// A port that a service must answer on.
fn port() -> PortConfig {
    PortConfig { number: 5432, name: name("main"), port_type: name("tcp"), protocol: Protocol::Tcp, node_port: 0 }
}

fn concurrency_auto() -> Concurrency {
    Concurrency::Auto { requests_per_instance: 10, scale_down_delay: secs(900) }
}

fn with_instances(instances: u32) -> ServiceConfig {
    ServiceConfig { concurrency: Concurrency::Fixed { instances }, ..service("db") }
}

fn pool_change(stage: &mut Stage, pool: PoolId, change: PoolChange) {
    stage.patch(pool, change);
}
