//! The canonical state of a world: what decides the future, and nothing else.
//!
//! Times are written relative to now and capped where no rule looks further back; entities are
//! renumbered in order; revisions, names, keys and trace positions are left out. Two moments with
//! the same bytes have the same future, as long as nothing lies ahead. What a newcomer gets
//! wrong: it may leave out only what *no* rule reads – when a rule is added, look here.
//!
//! ASSUMES: the order of keys decides nothing while at most one live entity of a kind is younger
//! than the period; who claims a recurrence must check that (`sim/livelock.rs`).

use std::collections::BTreeMap;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Entity, Field, Id, Kind, NodeId, Pool, Sandbox, SandboxSpec, SandboxStatus, Subject, Value};
use crate::ports::{Query, Snapshot};

use super::process::Process;
use super::{AddressSlot, TaskState, World};

/// Collects the bytes of a state.
pub struct Canon {
    bytes: Vec<u8>,
    now: SimTime,
    /// No rule looks further back than this.
    memory: SimDuration,
    /// The entities that exist, by kind, sorted: the number of each is its place.
    ranks: BTreeMap<Kind, Vec<u32>>,
    /// Numbers for what is referred to and gone, in the order of mention.
    gone: BTreeMap<Subject, u32>,
    /// What stands for each address, by node and host.
    addresses: Vec<Vec<Class>>,
}

impl Canon {
    fn new(now: SimTime, memory: SimDuration) -> Self {
        Self {
            bytes: Vec::with_capacity(1024),
            now,
            memory,
            ranks: BTreeMap::new(),
            gone: BTreeMap::new(),
            addresses: Vec::new(),
        }
    }

    /// The digest of everything that was written.
    pub fn digest(&self) -> [u8; 32] {
        *blake3::hash(&self.bytes).as_bytes()
    }

    /// Writes a number.
    pub fn number(&mut self, n: u64) {
        self.bytes.extend(n.to_le_bytes());
    }
    /// Writes a text, with its length.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }
    /// Writes an instant relative to now; what is long past is just "long past".
    pub fn time(&mut self, at: SimTime) {
        if at >= self.now {
            self.number(1);
            self.number(at.since(self.now).as_nanos());
        } else {
            self.number(2);
            self.number(self.now.since(at).min(self.memory).as_nanos());
        }
    }
    /// Writes an instant that may be absent.
    pub fn maybe_time(&mut self, at: Option<SimTime>) {
        match at {
            None => self.number(0),
            Some(at) => self.time(at),
        }
    }
    /// Writes a reference by the number of what it refers to.
    pub fn reference(&mut self, subject: Subject) {
        self.number(subject.kind as u64);
        if let Some(rank) = self.rank(subject) {
            self.number(rank);
        } else {
            let next = self.gone.len() as u32;
            let number = *self.gone.entry(subject).or_insert(next);
            self.number(u64::MAX - u64::from(number));
        }
    }
    /// Writes the value of a field.
    pub fn value(&mut self, value: Value) {
        match value {
            Value::None => self.number(0),
            Value::Int(n) => self.number(n),
            Value::Time(at) => self.time(at),
            Value::Ref(subject) => self.reference(subject),
            Value::Text(text) => self.text(&text),
            Value::Word(word) => self.text(word),
            Value::Address(address) => {
                let (what, detail) = self.addresses[usize::from(address.node)][usize::from(address.host) - 1];
                self.number(what);
                self.number(detail);
            }
        }
    }

    fn rank_all<E: Entity>(&mut self, world: &World) {
        let mut indexes: Vec<u32> = Vec::with_capacity(E::table(&world.tables).count(Query::All));
        E::table(&world.tables).for_each(Query::All, |item| indexes.push(item.id.index()));
        indexes.sort_unstable();
        self.ranks.insert(E::KIND, indexes);
    }

    /// The number of an entity, if it exists.
    fn rank(&self, subject: Subject) -> Option<u64> {
        let rank = self.ranks.get(&subject.kind)?.binary_search(&subject.index).ok()?;
        Some(rank as u64)
    }

    fn table<E: Entity>(&mut self, world: &World, more: impl Fn(&mut Self, &E)) {
        let ids: Vec<Id<E>> = self.ranks[&E::KIND].iter().map(|index| Id::from_index(*index)).collect();
        self.number(ids.len() as u64);
        for id in ids {
            let item = E::table(&world.tables).get(id).expect("it was ranked");
            let Snapshot { entity, meta, .. } = &*item;
            self.time(meta.created_at);
            self.time(meta.updated_at);
            for (field, value) in entity.fields() {
                // An instance number decides nothing but the next one: it is a name.
                if field != Field::ConsecutiveCrashCount && field != Field::Instance {
                    self.value(value);
                }
            }
            more(self, entity);
        }
    }

    fn spec(&mut self, spec: &SandboxSpec) {
        self.text(&spec.image);
        self.number(spec.volumes.len() as u64);
    }
}

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

/// What an address is, and a detail: its owner's rank, or how long it has been free.
type Class = (u64, u64);
const RESTED: u64 = 0;
const RESTING: u64 = 1;
const OWNED: u64 = 2;
const OWNED_BY_NOBODY: u64 = 3;

/// So many rested addresses are more than any cell of the grid takes.
const RESTED_MIN: usize = 20;

impl World {
    /// Whether no call, delivery or reconcile is under way: then the state is the store's, the
    /// backends' and the memories', and every task waits at the top of its loop.
    pub fn is_quiet(&self, idle_tasks: &[&str]) -> bool {
        if self.kernel.has_ready() || self.calls_under_way.get() > 0 {
            return false;
        }
        self.kernel.pending_timers().iter().all(|(_, task)| task.is_some_and(|(_, name)| idle_tasks.contains(&name)))
    }

    /// Writes the canonical state of store, backends, processes and timers.
    pub fn canon(&self, caps: Caps) -> Canon {
        let mut canon = Canon::new(self.kernel.now(), caps.memory);
        canon.rank_all::<crate::model::App>(self);
        canon.rank_all::<crate::model::AppVersion>(self);
        canon.rank_all::<Pool>(self);
        canon.rank_all::<Sandbox>(self);
        canon.rank_all::<crate::model::Disk>(self);
        canon.rank_all::<crate::model::DiskLease>(self);
        canon.rank_all::<crate::model::Node>(self);
        let classes = self.address_classes(&mut canon, caps);
        canon.table::<crate::model::App>(self, |_, _| {});
        canon.table::<crate::model::AppVersion>(self, |_, _| {});
        canon.table::<Pool>(self, |canon, pool| {
            canon.number(u64::from(pool.consecutive_crash_count.min(caps.crashes)));
            pool.referenced_by_versions.iter().for_each(|version| canon.reference((*version).into()));
            canon.spec(&pool.spec);
        });
        canon.table::<Sandbox>(self, |canon, sandbox| canon.spec(&sandbox.spec));
        canon.table::<crate::model::Disk>(self, |_, _| {});
        canon.table::<crate::model::DiskLease>(self, |_, _| {});
        canon.table::<crate::model::Node>(self, |_, _| {});
        self.canon_of_containers(&mut canon);
        for (what, detail) in classes {
            canon.number(what);
            canon.number(detail);
        }
        self.canon_of_volumes(&mut canon);
        self.canon_of_processes(&mut canon);
        canon
    }

    /// What stands for each address of each node, in the order in which it is written.
    ///
    /// While more than enough rested addresses are free, one is as good as another: which slot
    /// it is decides nothing, so the slots are written as a sorted list of what they are – free
    /// and for how long, owned by whom, or owned by somebody gone, which nobody can ever free.
    /// With few left the first fit looks at their order, and they are written as they stand.
    fn address_classes(&self, canon: &mut Canon, caps: Caps) -> Vec<Class> {
        let containers = self.containers.borrow();
        let now = canon.now;
        let class = |slot: &AddressSlot| match slot.owner {
            Some(owner) => match canon.rank(owner.into()) {
                Some(rank) => (OWNED, rank),
                None => (OWNED_BY_NOBODY, 0),
            },
            None => match slot.freed_at.filter(|at| now.since(*at) < caps.address_rest) {
                Some(freed) => (RESTING, now.since(freed).as_nanos()),
                None => (RESTED, 0),
            },
        };
        let nodes = (0..self.cluster.nodes.len() as u32).map(NodeId::from_index);
        let by_node: Vec<Vec<Class>> =
            nodes.map(|node| containers.addresses(node).iter().map(class).collect()).collect();
        let mut all = Vec::new();
        for classes in &by_node {
            let first = all.len();
            all.extend_from_slice(classes);
            let count = |wanted: u64| classes.iter().filter(|(what, _)| *what == wanted).count();
            if count(RESTED) + count(RESTING) == 0 || count(RESTED) >= RESTED_MIN {
                all[first..].sort_unstable();
            }
        }
        canon.addresses = by_node;
        all
    }

    fn canon_of_containers(&self, canon: &mut Canon) {
        let containers = self.containers.borrow();
        for (sandbox, container) in containers.iter() {
            canon.reference(sandbox.into());
            canon.number(u64::from(container.node.index()));
            canon.value(Value::Address(container.address));
            canon.number(match container.task {
                TaskState::Created => 0,
                TaskState::Running { bound: false } => 1,
                TaskState::Running { bound: true } => 2,
                TaskState::Ended => 3,
            });
            container.ahead.iter().for_each(|at| canon.maybe_time(at.filter(|at| *at > self.kernel.now())));
        }
        let (starts, images) = containers.memories();
        for ((app, service), starts) in starts {
            // A per-boot list repeats its last value: further starts are all alike.
            let workload = self.workload(*app, *service);
            canon.number((*starts).min(workload.ready.len().max(workload.exit_after.len())) as u64);
        }
        for images in images {
            images.iter().for_each(|image| canon.text(image));
        }
    }

    fn canon_of_volumes(&self, canon: &mut Canon) {
        for (id, volume) in self.volumes.borrow().iter() {
            canon.number(u64::from(id.0));
            canon.text(&volume.name);
            canon.number(u64::from(volume.lease.is_some()) << 1 | u64::from(volume.initialised));
            volume.mounts.iter().for_each(|node| canon.number(u64::from(node.index())));
        }
    }

    fn canon_of_processes(&self, canon: &mut Canon) {
        canon.number(u64::from(self.is_up(Process::Coordinator)));
        for node in 0..self.cluster.nodes.len() {
            canon.number(u64::from(self.is_up(Process::Node(NodeId::from_index(node as u32)))));
        }
        for (at, task) in self.kernel.pending_timers() {
            let (group, name) = task.expect("a quiet world has no combinators waiting");
            canon.number(u64::from(group.0));
            canon.text(name);
            canon.time(at);
        }
    }

    /// How many sandboxes and leases that were created at or after `since` are not dead or over.
    pub fn live_younger_than(&self, since: SimTime) -> usize {
        let mut live = 0;
        self.tables.sandboxes.for_each(Query::All, |item| {
            live += usize::from(item.entity.status != SandboxStatus::Dead && item.meta.created_at >= since);
        });
        live
    }
}
