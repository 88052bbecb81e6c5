//! The two kinds of process: which controllers start together.
//!
//! The coordinator runs launcher, pool with its monitor, and scheduler; each node runs sandbox,
//! disk, lease and disk-watch controllers, the collectors and the watchdog. This only wires:
//! whoever hosts a process runs the tasks that it returns. What a newcomer gets wrong:
//! everything that a process remembers is created here, so a restart forgets all of it.

use std::rc::Rc;

use crate::constants::Period;
use crate::model::{Controller, Entity, LeaseIndex, NodeId, Pool, SandboxIndex};
use crate::ports::{Platform, Ports, Query, Remembers};

use super::disk::DiskController;
use super::disk_watch::DiskWatch;
use super::fixes::Fix;
use super::launcher::Launcher;
use super::lease::{LeaseCollector, LeaseManager};
use super::migrate;
use super::monitor::Monitor;
use super::node_health::NodeHealth;
use super::runtime::{Drive, OwnWrites, Reconciler, Rules, Runtime, Task};
use super::sandbox::{Addresses, Collector, SandboxController, SandboxReconciler, Watchdog};
use super::scheduler::Scheduler;

/// What hosts a process: it hands each controller its ports.
pub trait Hosting<P: Platform> {
    /// The ports of a controller.
    fn ports(&self, controller: Controller) -> Ports<P>;
    /// The node's container runtime, for a controller of a node's process.
    fn sandboxes(&self, controller: Controller) -> P::Sandboxes;
    /// The volume service, for a controller of a node's process.
    fn disks(&self, controller: Controller) -> P::Disks;
    /// Makes a controller's memory visible from outside, as a debug endpoint does.
    fn expose(&self, memory: Rc<dyn Remembers>);
    /// Starts the pool controller: ours ([`super::pool::PoolController`]), or another.
    fn pool(&self, ports: Ports<P>, rules: &Rc<Rules>, settings: Drive<Pool>, own: OwnWrites) -> Started;
}

/// A controller that has started: what it remembers, and its tasks.
pub type Started = (Rc<dyn Remembers>, Vec<Task>);

/// Starts a controller.
pub fn started<P: Platform, R: Reconciler>(
    ports: Ports<P>,
    rules: &Rc<Rules>,
    settings: Drive<R::Entity>,
    own: OwnWrites,
    reconciler: R,
) -> Started {
    let runtime = Runtime::new(ports, Rc::clone(rules), settings, own, reconciler);
    let tasks = runtime.tasks();
    runtime.start();
    (runtime, tasks)
}

fn exposed<P: Platform>(host: &impl Hosting<P>, (memory, tasks): Started) -> Vec<Task> {
    host.expose(memory);
    tasks
}

fn drive<E: Entity>(name: &'static str, query: Query<E>, workers: u32, resync: Period) -> Drive<E> {
    Drive { name, query, workers, resync: Some(resync) }
}

/// The memory of a controller's own writes (rule 2.4).
fn own_writes(rules: &Rules) -> OwnWrites {
    OwnWrites::new(if rules.has(Fix::SkipOwnWrites) { rules.tuning.own_writes } else { 0 })
}

/// The tasks of the coordinator.
pub fn coordinator<P: Platform>(host: &impl Hosting<P>, rules: &Rc<Rules>) -> Vec<Task> {
    let tuning = &rules.tuning;
    let own = || own_writes(rules);
    let mut tasks = Vec::new();

    let ports = host.ports(Controller::Launcher);
    let launcher = Launcher::new(ports.clone(), Rc::clone(rules));
    // Rule 4.14.
    let workers = if rules.has(Fix::TwoLauncherWorkers) { 2 } else { 1 };
    let settings = drive("launcher", Query::All, workers, tuning.launcher_resync);
    tasks.extend(exposed(host, started(ports, rules, settings, own(), launcher)));

    let ports = host.ports(Controller::Pool);
    // Rule 5.1.
    let workers = if rules.has(Fix::SinglePoolWorker) { 1 } else { 3 };
    let settings = drive("pool", Query::All, workers, tuning.pool_resync);
    tasks.extend(exposed(host, host.pool(ports, rules, settings, own())));
    tasks.push(Monitor::new(host.ports(Controller::Monitor), Rc::clone(rules)).task());
    // Rule 3.5.
    if !rules.has(Fix::ConfigByReference) {
        tasks.push(migrate::task(host.ports(Controller::Deploy)));
    }

    let ports = host.ports(Controller::Scheduler);
    let scheduler = Scheduler::new(ports.clone(), Rc::clone(rules));
    let mut settings = drive("scheduler", Query::All, 1, tuning.scheduler_resync);
    // Rule 6.1.
    settings.resync = settings.resync.filter(|_| rules.has(Fix::SchedulerResyncs));
    let scheduler = Runtime::new(ports, Rc::clone(rules), settings, own(), scheduler);
    host.expose(Rc::clone(&scheduler) as Rc<dyn Remembers>);
    tasks.extend(scheduler.tasks());
    // Rule 6.4.
    if rules.has(Fix::NodeHealth) {
        let ports = host.ports(Controller::NodeHealth);
        let health = NodeHealth::new(ports.clone(), Rc::clone(rules));
        let settings = drive("node-health", Query::All, 1, tuning.node_health_every);
        tasks.extend(exposed(host, started(ports, rules, settings, own(), health)));
    }
    tasks.push((
        "scheduler start",
        Box::pin(async move {
            scheduler.reconciler.remember_nodes().await;
            scheduler.start();
        }),
    ));
    tasks
}

/// The tasks of a node's process.
pub fn node<P: Platform>(host: &impl Hosting<P>, rules: &Rc<Rules>, node: NodeId) -> Vec<Task> {
    let tuning = &rules.tuning;
    let workers = tuning.workers_per_node;
    let own = || own_writes(rules);
    let mut tasks = sandbox_tasks(host, rules, node);

    let ports = host.ports(Controller::Disk);
    let disk = DiskController::new(ports.clone(), host.disks(Controller::Disk), Rc::clone(rules), node);
    let settings = drive("disk", Query::All, workers, tuning.disk_resync);
    tasks.extend(exposed(host, started(ports, rules, settings, own(), disk)));

    let ports = host.ports(Controller::Lease);
    let lease = LeaseManager::new(ports.clone(), host.disks(Controller::Lease), Rc::clone(rules));
    let settings = drive("lease", Query::By(LeaseIndex::Node(node)), workers, tuning.lease_resync);
    let lease = Runtime::new(ports, Rc::clone(rules), settings, own(), lease);
    host.expose(Rc::clone(&lease) as Rc<dyn Remembers>);
    tasks.extend(lease.tasks());
    lease.start();
    let collector = LeaseCollector::new(host.ports(Controller::Collector), Rc::clone(rules), node);
    tasks.extend(collector.tasks());

    let ports = host.ports(Controller::DiskWatch);
    let watch = DiskWatch::new(ports.clone(), Rc::clone(rules), node, lease);
    let settings = drive("disk-watch", Query::All, 1, tuning.disk_watch_resync);
    tasks.extend(exposed(host, started(ports, rules, settings, own(), watch)));
    tasks
}

fn sandbox_tasks<P: Platform>(host: &impl Hosting<P>, rules: &Rc<Rules>, node: NodeId) -> Vec<Task> {
    let tuning = &rules.tuning;
    let ports = host.ports(Controller::Sandbox);
    let own = own_writes(rules);
    let backend = host.sandboxes(Controller::Sandbox);
    let controller = Rc::new(SandboxController::new(ports.clone(), backend, Rc::clone(rules), own.clone(), node));
    let settings =
        drive("sandbox", Query::By(SandboxIndex::Node(node)), tuning.workers_per_node, tuning.sandbox_resync);
    let runtime = Runtime::new(ports, Rc::clone(rules), settings, own, SandboxReconciler(Rc::clone(&controller)));
    host.expose(Rc::clone(&runtime) as Rc<dyn Remembers>);
    let mut tasks = runtime.tasks();
    tasks.extend(controller.exit_task());
    tasks.push((
        "boot reconciliation",
        Box::pin(async move {
            controller.reconcile_boots().await;
            runtime.start();
        }),
    ));
    tasks.push(Collector::new(host.ports(Controller::Collector), Rc::clone(rules), node).task());
    let backend = host.sandboxes(Controller::Watchdog);
    // Rule 7.80.
    if rules.has(Fix::ContainerWatchdog) {
        tasks.push(Watchdog::new(host.ports(Controller::Watchdog), backend.clone(), Rc::clone(rules), node).task());
    }
    // Rule 7.82.
    if rules.has(Fix::ReconcileAddresses) {
        let addresses = Rc::new(Addresses::new(host.ports(Controller::Watchdog), backend, Rc::clone(rules)));
        tasks.push(addresses.task());
        host.expose(addresses);
    }
    tasks
}
