//! A capture of a world: all that its canonical state is made from, as it was at one moment.
//!
//! It knows where a world keeps that, and not how it is written: taking one is cheap, for most of it is
//! shared with the world until it changes. Nothing that decides the future may be left out here that the
//! writer writes, or read from the world later.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::kernel::{GroupId, SimTime, TaskId, Waiter};
use crate::model::{Entity, Name, OfAll, PerKind, SandboxId, VolumeId};
use crate::ports::{Listed, Query, Remembers, Snapshot};
use crate::world::addresses::Addresses;
use crate::world::containers::{Containers, Starts, Workloads};
use crate::world::gate::Hung;
use crate::world::process::Process;
use crate::world::{AddressSlot, Container, Volume};

use super::facts::Facts;
use super::sketch::sketch;
use super::{Canonical, Caps};

/// All rows of each table.
pub(super) type Lists = OfAll<Rows>;

/// Of each kind there are its rows.
pub struct Rows;

impl PerKind for Rows {
    type Of<E: Entity> = Listed<E>;
}

/// A capture of a quiet world.
pub struct Capture {
    pub(super) now: SimTime,
    /// How addresses are written is chosen as it was then: now, or at the recurrence that this is compared with.
    pub(super) chosen_at: SimTime,
    pub(super) caps: Caps,
    pub(super) lists: Lists,
    pub(super) containers: Vec<(SandboxId, Rc<Container>)>,
    /// Of each node its addresses and its images.
    pub(super) nodes: Vec<(Rc<Addresses>, Rc<BTreeSet<Name>>)>,
    pub(super) starts: Rc<Starts>,
    pub(super) workloads: Rc<Workloads>,
    pub(super) volumes: Vec<(VolumeId, Rc<Volume>)>,
    pub(super) up: Rc<BTreeMap<Process, bool>>,
    /// Images that are being pulled, each with its node and when it will be there.
    pub(super) pulls: Vec<(u32, Name, SimTime)>,
    /// Calls that never end.
    pub(super) hung: Vec<Hung>,
    /// What faults count that may still strike.
    pub(super) counts: Vec<u64>,
    /// In the order of firing: when, and what each wakes.
    pub(super) timers: Vec<(SimTime, Woken)>,
    pub(super) facts: Facts,
}

/// Whom a timer wakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Woken {
    /// What ends a container's wait for its port, or its life.
    Life(SandboxId),
    /// A task of a process: what it is called, and the number of its birth. Their order is that in
    /// which the process starts them.
    Task(GroupId, &'static str, u64),
}

impl Woken {
    /// A number for the group that it belongs to.
    pub(super) fn group(self) -> u64 {
        match self {
            Self::Life(_) => u64::from(GroupId::WORLD.0),
            Self::Task(group, ..) => u64::from(group.0),
        }
    }
}

impl Capture {
    /// When it was taken.
    pub fn taken_at(&self) -> SimTime {
        self.now
    }

    /// Written as it would have been written at an earlier moment, to be compared with what was.
    pub fn chosen_at(self, at: SimTime) -> Self {
        Self { chosen_at: at, ..self }
    }

    /// A number that is equal when the canonical states are.
    pub fn sketch(&self) -> u64 {
        sketch(self)
    }

    /// About how many bytes it adds to those of an elder capture that was taken at `since`: what
    /// the world holds, too, it will hold alone when that changes.
    pub(super) fn weight(&self, since: SimTime) -> usize {
        let Lists { apps, versions, pools, sandboxes, disks, leases, nodes } = &self.lists;
        let lists = [
            weight(apps, since),
            weight(versions, since),
            weight(pools, since),
            weight(sandboxes, since),
            weight(disks, since),
            weight(leases, since),
            weight(nodes, since),
        ];
        let containers = self.containers.iter().filter(|(_, container)| is_new(container)).count();
        let slots = self.nodes.iter().filter(|(addresses, _)| is_new(addresses));
        let slots: usize = slots.map(|(addresses, _)| addresses.slots().len()).sum();
        let starts = if is_new(&self.starts) { self.starts.len() } else { 0 };
        size_of::<Self>()
            + lists.iter().sum::<usize>()
            + containers * size_of::<Container>()
            + size_of_val(&*self.containers)
            + size_of_val(&*self.nodes)
            + slots * size_of::<AddressSlot>()
            // A tree needs about half as much again.
            + starts * 3 / 2 * size_of::<((Name, Name), usize)>()
            + size_of_val(&*self.volumes)
            + self.timers.capacity() * size_of::<(SimTime, Woken)>()
            + self.facts.weight()
    }
}

/// Whether no elder capture has it, but only the world and this one.
fn is_new<T: ?Sized>(shared: &Rc<T>) -> bool {
    Rc::strong_count(shared) <= 2
}

/// What a list adds to those that were made before `since`.
fn weight<E: Entity>(list: &Listed<E>, since: SimTime) -> usize {
    if !is_new(list) {
        return 0;
    }
    let rows = list.iter().filter(|row| row.meta.updated_at >= since).count();
    size_of_val(&**list) + rows * size_of::<Snapshot<E>>()
}

/// The tasks that try failed entities again: when they do is drawn, and told by no state.
const RETRIES: &str = "retries";

/// Whom the timers wake. The lives of containers that are gone or ended already wake nobody.
fn woken(containers: &Containers, timers: Vec<(SimTime, Option<Waiter>)>) -> Vec<(SimTime, Woken)> {
    let alive = containers.iter().filter(|(_, container)| container.is_alive());
    let mut lives: Vec<(u64, SandboxId)> = alive.filter_map(|(id, c)| Some((c.life()?.birth(), id))).collect();
    lives.sort_unstable();
    let life = |task: TaskId| lives.binary_search_by_key(&task.birth(), |life| life.0).ok().map(|at| lives[at].1);
    let woken = |(at, waiter): (SimTime, Option<Waiter>)| {
        let Waiter { group, name, task } = waiter.expect("a quiet world has no combinators waiting");
        if name == RETRIES {
            return None;
        }
        if group != GroupId::WORLD {
            return Some((at, Woken::Task(group, name, task.birth())));
        }
        Some((at, Woken::Life(life(task)?)))
    };
    timers.into_iter().filter_map(woken).collect()
}

impl Canonical<'_> {
    /// A capture of the world and of what its controllers remember.
    pub fn capture<'a>(&self, caps: Caps, memories: impl Iterator<Item = &'a dyn Remembers>) -> Capture {
        let tables = &self.0.tables();
        let lists = Lists {
            apps: tables.apps.list(Query::All),
            versions: tables.versions.list(Query::All),
            pools: tables.pools.list(Query::All),
            sandboxes: tables.sandboxes.list(Query::All),
            disks: tables.disks.list(Query::All),
            leases: tables.leases.list(Query::All),
            nodes: tables.nodes.list(Query::All),
        };
        // Nearly all that is remembered are pools and sandboxes, with a few words about each.
        let mut facts = Facts::with_capacity(16 + 4 * (lists.pools.len() + lists.sandboxes.len()));
        for memory in memories {
            memory.tell(&mut |fact| facts.push(fact));
            facts.end();
        }
        let containers = self.0.containers();
        let volumes = self.0.volumes();
        Capture {
            now: self.0.kernel().now(),
            chosen_at: self.0.kernel().now(),
            caps,
            lists,
            containers: containers.shared().map(|(id, container)| (id, Rc::clone(container))).collect(),
            nodes: containers.nodes().map(|(addresses, images)| (Rc::clone(addresses), Rc::clone(images))).collect(),
            starts: Rc::clone(containers.starts()),
            workloads: Rc::clone(containers.workloads()),
            volumes: volumes.shared().map(|(id, volume)| (id, Rc::clone(volume))).collect(),
            up: self.0.0.processes.up(),
            pulls: containers.pulls().filter(|(.., done)| *done > self.0.kernel().now()).collect(),
            hung: self.0.0.gate.hung(),
            counts: self.0.faults().counts(),
            timers: woken(&containers, self.0.kernel().pending_timers()),
            facts,
        }
    }
}
