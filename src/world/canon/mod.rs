//! The canonical state of a world: what decides the future, and nothing else.
//!
//! Times are written relative to now and capped where no rule looks further back; entities are
//! renumbered in the order of their creation, which is that of lists, too; revisions, names and trace
//! positions are left out. Two moments with
//! the same bytes have the same future, as long as nothing lies ahead. What a newcomer gets
//! wrong: it may leave out only what *no* rule reads – when a rule is added, look here.
//!
//! It is written rarely. Of a moment only a capture is taken (`capture.rs`) and a sketch made of it
//! (`sketch.rs`), a number that is equal whenever the bytes are; the bytes are written from the
//! captures when two sketches are equal (`visited.rs`). So what a new rule reads belongs into the
//! capture and into the bytes, and need not be in the sketch.

mod capture;
mod facts;
mod sketch;
mod visited;
mod writer;

use std::collections::BTreeSet;

use crate::kernel::{Awaited, SimDuration, SimTime};
use crate::model::{
    AnyStatus, App, AppVersion, Disk, DiskLease, Kind, Node, NodeId, Pool, Sandbox, SandboxId, SandboxStatus, Value,
};
use crate::ports::Query;

use super::process::Process;
use super::spec::WorkloadSpec;
use super::{AddressSlot, Container, TaskState, World};

pub use capture::Capture;
use capture::Woken;
pub use visited::{Digest, Visited};
use writer::Canon;

/// How the state is written: what the rules cap.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// No rule looks further back than this.
    pub memory: SimDuration,
    /// From this crash count on, the backoff waits its cap.
    pub crashes: u32,
    /// For how long a freed address is left alone.
    pub address_rest: SimDuration,
}

impl Caps {
    /// How an instant is written at `now`: whether it lies ahead (1) or behind (2), and how far,
    /// capped where no rule looks further back.
    fn age(&self, now: SimTime, at: SimTime) -> (u8, SimDuration) {
        if at >= now { (1, at.since(now)) } else { (2, now.since(at).min(self.memory)) }
    }

    /// Whether no rule looks back as far as that.
    fn is_long_past(&self, now: SimTime, at: SimTime) -> bool {
        now.since(at) >= self.memory
    }
}

/// What an address is, and a detail: its owner's rank, or how long it has been free.
type Class = (u64, u64);
const RESTED: u64 = 0;
const RESTING: u64 = 1;
const OWNED: u64 = 2;
const OWNED_BY_NOBODY: u64 = 3;

impl Capture {
    /// The digest of the canonical state; `bytes` is room to write it into.
    pub fn digest(&self, bytes: &mut Vec<u8>) -> Digest {
        let mut canon = Canon::new(self, bytes);
        canon.order_long_past();
        let apps = canon.rank_all::<App>();
        let versions = canon.rank_all::<AppVersion>();
        let pools = canon.rank_all::<Pool>();
        let sandboxes = canon.rank_all::<Sandbox>();
        let disks = canon.rank_all::<Disk>();
        let leases = canon.rank_all::<DiskLease>();
        let nodes = canon.rank_all::<Node>();
        canon.ranks[Kind::Volume as usize] = self.volumes.iter().map(|(id, _)| id.0).collect();
        canon.addresses();
        canon.table(&apps, |_, _| {});
        canon.table(&versions, |_, _| {});
        canon.table(&pools, |canon, pool| {
            canon.number(u64::from(pool.consecutive_crash_count.min(self.caps.crashes)));
            // Jitter looks at the last wait, however long ago it was.
            let wait = pool.cooldown_until.zip(pool.last_crash_time).map(|(until, crash)| until.since(crash));
            canon.number(wait.map_or(0, |wait| wait.as_nanos() + 1));
            canon.number(pool.referenced_by_versions.len() as u64);
            pool.referenced_by_versions.iter().for_each(|version| canon.reference((*version).into()));
            canon.spec(&pool.spec);
        });
        canon.table(&sandboxes, |canon, sandbox| canon.spec(&sandbox.spec));
        let has_container = |id: SandboxId| self.containers.binary_search_by_key(&id, |(id, _)| *id).is_ok();
        for row in &sandboxes {
            // Nobody asks for the address of the dead, unless an exit can still make it STOPPED.
            let asked = row.entity.status != SandboxStatus::Dead || has_container(row.id);
            canon.value(row.entity.address.filter(|_| asked).map_or(Value::None, Value::Address));
            // Whether a death came early is asked however long ago it was.
            canon.number(row.meta.updated_at.since(row.meta.created_at).min(self.caps.memory).as_nanos());
        }
        canon.table(&disks, |_, _| {});
        canon.table(&leases, |canon, lease| canon.number(u64::from(lease.mount.read_only)));
        canon.table(&nodes, |_, _| {});
        canon.containers();
        canon.memories();
        canon.volumes();
        canon.processes();
        canon.calls();
        self.facts.iter().for_each(|fact| canon.fact(fact));
        canon.finish()
    }
}

/// The group and the number of the birth of a process's task.
fn birth(woken: Woken) -> Option<(u64, u64)> {
    match woken {
        Woken::Life(_) => None,
        Woken::Task(group, _, birth) => Some((u64::from(group.0), birth)),
    }
}

impl Canon<'_> {
    fn class(&self, slot: &AddressSlot) -> Class {
        match slot.owner {
            Some(owner) => match self.rank(owner.into()) {
                Some(rank) => (OWNED, rank),
                None => (OWNED_BY_NOBODY, 0),
            },
            None => {
                match slot
                    .freed_at
                    .map(|at| self.capture.now.since(at))
                    .filter(|age| *age < self.capture.caps.address_rest)
                {
                    Some(age) => (RESTING, age.as_nanos()),
                    None => (RESTED, 0),
                }
            }
        }
    }

    /// Writes what stands for each address of each node.
    ///
    /// As long as whoever takes one finds one that has rested, one is as good as another: which slot
    /// it is decides nothing, so the slots are written as a sorted list of what they are – free and for
    /// how long, owned by whom, or owned by somebody gone, which nobody can ever free – and with how
    /// often one was taken unrested, so that no two states are the same between which that happened.
    /// Where it did happen lately, which one is taken depends on their order: they are written as they
    /// stand. Equal neighbours are written once, with their count.
    fn addresses(&mut self) {
        let Capture { chosen_at, caps, .. } = self.capture;
        for (addresses, _) in &self.capture.nodes {
            let mut runs = self.runs(addresses.slots());
            let never_taken = addresses.count() - addresses.slots().len();
            runs.extend((never_taken > 0).then_some(((RESTED, 0), never_taken)));
            let by_place = addresses.unrested_at().is_some_and(|at| !caps.is_long_past(*chosen_at, at));
            self.by_place.push(by_place);
            self.number(u64::from(by_place));
            if !by_place {
                runs.sort_unstable();
                self.number(addresses.unrested());
            }
            for alike in runs.chunk_by(|a, b| a.0 == b.0) {
                self.number(alike.iter().map(|run| run.1 as u64).sum());
                self.number(alike[0].0.0);
                self.number(alike[0].0.1);
            }
            self.number(0);
        }
    }

    /// What stands for each slot, equal neighbours once with their count.
    fn runs(&self, slots: &[AddressSlot]) -> Vec<(Class, usize)> {
        let of_slots = slots.chunk_by(|a, b| a.owner == b.owner && a.freed_at == b.freed_at);
        of_slots.map(|alike| (self.class(&alike[0]), alike.len())).collect()
    }

    fn containers(&mut self) {
        let Capture { now, containers, .. } = self.capture;
        // A list of containers is in the order in which they were made.
        let mut made: Vec<u64> = containers.iter().map(|(_, container)| container.number).collect();
        made.sort_unstable();
        self.number(made.len() as u64);
        for (sandbox, container) in containers {
            self.reference((*sandbox).into());
            self.number(made.binary_search(&container.number).expect("it was listed") as u64);
            self.number(u64::from(container.node.index()));
            self.value(Value::Address(container.address));
            self.spec(&container.spec);
            self.number(match container.task {
                TaskState::Created => 0,
                TaskState::Running { bound: false } => 1,
                TaskState::Running { bound: true } => 2,
                TaskState::Ended => 3,
            });
            container.ahead.iter().for_each(|at| self.maybe_time(at.filter(|at| at > now)));
            self.maybe_time(container.told_at.filter(|_| container.is_alive()));
        }
    }

    /// What else the runtimes remember: how often services have started, and the images.
    fn memories(&mut self) {
        let Capture { starts, workloads, nodes, .. } = self.capture;
        let usual = WorkloadSpec::default();
        self.number(starts.len() as u64);
        for (program, starts) in &**starts {
            // A per-boot list repeats its last value: further starts are all alike.
            let workload = workloads.get(program).map_or(&usual, |own| &**own);
            self.text(&program.0);
            self.text(&program.1);
            self.number((*starts).min(workload.ready.len().max(workload.exit_after.len())) as u64);
        }
        for (_, images) in nodes {
            self.number(images.len() as u64);
            images.iter().for_each(|image| self.text(image));
        }
    }

    fn volumes(&mut self) {
        self.number(self.capture.volumes.len() as u64);
        for (id, volume) in &self.capture.volumes {
            self.reference((*id).into());
            self.reference(volume.disk.into());
            self.text(&volume.name);
            self.number(u64::from(volume.node.index()));
            self.number(u64::from(volume.size_gb));
            self.number(u64::from(volume.initialised));
            self.number(volume.lease.map_or(0, |(_, node)| u64::from(node.index()) + 1));
            if let Some((nonce, _)) = volume.lease {
                self.nonce(nonce);
            }
            self.number(volume.mounts.len() as u64);
            volume.mounts.iter().for_each(|node| self.number(u64::from(node.index())));
        }
    }

    fn processes(&mut self) {
        let Capture { up, nodes, timers, .. } = self.capture;
        let nodes = (0..nodes.len()).map(|node| Process::Node(NodeId::from_index(node as u32)));
        for process in std::iter::once(Process::Coordinator).chain(nodes) {
            self.number(u64::from(up.get(&process) == Some(&true)));
        }
        // The ticker of one task is not that of another, whatever they are called: a process starts its
        // tasks in an order that is always the same.
        let mut births: Vec<(u64, u64)> = timers.iter().filter_map(|(_, woken)| birth(*woken)).collect();
        births.sort_unstable();
        self.number(timers.len() as u64);
        for (at, woken) in timers {
            self.number(woken.group());
            match *woken {
                Woken::Life(sandbox) => self.reference(sandbox.into()),
                Woken::Task(_, name, _) => {
                    self.text(name);
                    let place = birth(*woken).and_then(|birth| births.binary_search(&birth).ok());
                    self.number(place.expect("it was listed") as u64);
                }
            }
            self.time(*at);
        }
    }

    /// What is under way in the backends for ever or a while, and what faults still count.
    fn calls(&mut self) {
        let Capture { pulls, hung, counts, .. } = self.capture;
        self.number(pulls.len() as u64);
        for (node, image, done) in pulls {
            self.number(u64::from(*node));
            self.text(image);
            self.time(*done);
        }
        self.number(hung.len() as u64);
        for (actor, point, subject) in hung {
            self.text(actor.controller.name());
            self.number(actor.node().map_or(0, |node| u64::from(node.index()) + 1));
            self.number(*point as u64);
            self.reference(*subject);
        }
        self.number(counts.len() as u64);
        counts.iter().for_each(|count| self.number(*count));
    }
}

/// A world at this moment, as whoever looks for what comes again sees it.
pub struct Canonical<'a>(&'a World);

impl World {
    /// What decides its future, as it is now.
    pub fn canonical(&self) -> Canonical<'_> {
        Canonical(self)
    }
}

impl Canonical<'_> {
    /// Why the world is not quiet; none: it is. Quiet means that no call, delivery or reconcile
    /// is under way: then the state is the store's, the backends' and the memories', and every
    /// task waits at the top of its loop.
    pub fn unrest(&self) -> Option<Unrest> {
        if self.0.kernel().has_ready() || self.0.0.gate.is_busy() {
            return Some(Unrest::Busy);
        }
        self.0.kernel().awaited_in_work().map(Unrest::Awaited)
    }

    /// Whether what was found to disturb the quiet certainly still does.
    pub fn goes_on(&self, unrest: &Unrest) -> bool {
        match unrest {
            Unrest::Busy => self.0.kernel().has_ready() || self.0.0.gate.is_busy(),
            Unrest::Awaited(awaited) => self.0.kernel().is_awaited(awaited),
        }
    }

    /// How many entities there are of each status, in the order of [`AnyStatus::all`], that were last written longer
    /// ago than any rule waits before it deletes one; then how many addresses are taken, and how many containers,
    /// volumes and calls that hang there are.
    pub fn tally(&self, caps: Caps) -> Vec<u32> {
        let now = self.0.kernel().now();
        let mut tally: Vec<u32> = AnyStatus::all().map(|_| 0).collect();
        let mut count = |status: AnyStatus, written: SimTime| {
            let place = AnyStatus::all().position(|other| other == status);
            if let Some(place) = place.filter(|_| caps.is_long_past(now, written)) {
                tally[place] += 1;
            }
        };
        let tables = self.0.tables();
        tables.sandboxes.for_each(Query::All, |row| count(AnyStatus::Sandbox(row.entity.status), row.meta.updated_at));
        tables.disks.for_each(Query::All, |row| count(AnyStatus::Disk(row.entity.status), row.meta.updated_at));
        tables.leases.for_each(Query::All, |row| count(AnyStatus::Lease(row.entity.status), row.meta.updated_at));
        tables.nodes.for_each(Query::All, |row| count(AnyStatus::Node(row.entity.status), row.meta.updated_at));
        let containers = self.0.containers();
        let taken = containers.nodes().map(|(addresses, _)| addresses.taken()).sum();
        let others = [taken, containers.iter().count(), self.0.volumes().shared().count(), self.0.0.gate.hung().len()];
        tally.extend(others.map(|count| count as u32));
        tally
    }

    /// What part of the state counts on, or goes round in a time of its own, in words: no state comes again until
    /// the one is over and the others meet.
    pub fn counting(&self, caps: Caps) -> Vec<String> {
        let now = self.0.kernel().now();
        let mut counting: Vec<String> =
            self.0.faults().counting().iter().map(|name| format!("fault `{name}` counts")).collect();
        let containers = self.0.containers();
        for ((app, service), starts) in &**containers.starts() {
            let workload = containers.workload(*app, *service);
            let listed = workload.ready.len().max(workload.exit_after.len());
            if *starts < listed {
                counting.push(format!("starts of {app}/{service} are counted to {listed}"));
            }
        }
        self.0.tables().pools.for_each(Query::All, |pool| {
            if (1..caps.crashes).contains(&pool.entity.consecutive_crash_count) {
                counting.push(format!("crashes of {} are counted", self.0.log().name(pool.id)));
            }
        });
        for ((addresses, _), node) in containers.nodes().zip(&self.0.cluster().nodes) {
            if addresses.unrested_at().is_some_and(|at| !caps.is_long_past(now, at)) {
                counting.push(format!("addresses of {node} are taken in turn, before they have rested"));
            }
        }
        let exits = |(_, container): &(SandboxId, &Container)| container.is_alive() && container.ahead[1].is_some();
        let pools = containers.iter().filter(exits).filter_map(|(id, _)| self.0.store().pool_of(id.index()));
        let pools = pools.collect::<BTreeSet<_>>().into_iter();
        counting.extend(pools.map(|pool| format!("programs of {} exit in their own time", self.0.log().name(pool))));
        counting
    }

    /// The longest time for which an app wants something kept that is idle.
    pub fn longest_delay(&self) -> SimDuration {
        let mut longest = SimDuration::ZERO;
        self.0.tables().versions.for_each(Query::All, |version| {
            for service in &*version.entity.config {
                longest = longest.max(service.concurrency.idle_limit().unwrap_or_default());
            }
        });
        longest
    }

    /// When the youngest of what no controller ever makes was made: nodes, apps and versions
    /// come from outside, and their ages stand in the state.
    pub fn given_at(&self) -> SimTime {
        let mut last = SimTime::ZERO;
        self.0.tables().nodes.for_each(Query::All, |item| last = last.max(item.meta.created_at));
        self.0.tables().apps.for_each(Query::All, |item| last = last.max(item.meta.created_at));
        self.0.tables().versions.for_each(Query::All, |item| last = last.max(item.meta.created_at));
        last
    }
}

/// What keeps a world from being quiet.
pub enum Unrest {
    /// A task is ready, or a call under way.
    Busy,
    /// Somebody waits in the middle of what they do.
    Awaited(Awaited),
}

#[cfg(test)]
mod tests;
