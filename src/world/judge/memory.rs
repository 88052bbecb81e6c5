//! What the judges remember, so that a change costs what it touches and not what exists.
//!
//! Counts for each pool and lists of candidates: they say where to look, never what is so – the
//! rules read the store's tables and the backends. It knows no rule. What a newcomer gets wrong:
//! a candidate list may hold what is over by now; whoever reads it asks the truth again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::kernel::{RecordId, SimTime};
use crate::model::{Actor, Address, Controller, DiskId, LeaseId, LeaseStatus, Name, PoolId, SandboxId, SandboxStatus};
use crate::world::{Container, Process, TaskState, World};

use super::homes::Homes;
use super::limits::Limits;

/// The text of what does not hold, made only when somebody reads it.
pub(super) type Text<'a> = Box<dyn FnOnce() -> String + 'a>;

/// What a rule may look at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) world: &'a World,
    pub(super) memory: &'a Memory,
    pub(super) limits: &'a Limits,
}

/// How a sandbox counts in its pool.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Standing {
    live: bool,
    running: bool,
    serving: bool,
}

/// How many sandboxes a pool has.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// PENDING or RUNNING.
    pub(super) live: u32,
    /// RUNNING.
    pub(super) running: u32,
    /// RUNNING, and truly able to serve.
    pub(super) serving: u32,
}

/// What the judges remember.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) homes: Homes,
    standings: Vec<Standing>,
    counts: Vec<Counts>,
    /// The cooldowns that run, and the records that set them.
    pub(super) cooldowns: BTreeMap<PoolId, (SimTime, RecordId)>,
    failed_boots: BTreeMap<PoolId, VecDeque<SimTime>>,
    bound: BTreeMap<DiskId, BTreeSet<LeaseId>>,
    bound_to: BTreeMap<LeaseId, DiskId>,
    held: BTreeMap<SandboxId, Vec<Address>>,
    users: BTreeMap<Address, Vec<SandboxId>>,
    writers: BTreeMap<Name, Vec<SandboxId>>,
}

fn slot<T: Default + Clone>(slots: &mut Vec<T>, index: u32) -> &mut T {
    let index = index as usize;
    if slots.len() <= index {
        slots.resize(index + 1, T::default());
    }
    &mut slots[index]
}

impl<'a> View<'a> {
    /// What is broken, when it is.
    pub(super) fn broken(self, broken: bool, text: impl FnOnce() -> String + 'a) -> Option<Text<'a>> {
        if broken { Some(Box::new(text)) } else { None }
    }
}

impl Memory {
    pub(super) fn counts(&self, pool: PoolId) -> Counts {
        self.counts.get(pool.index() as usize).copied().unwrap_or_default()
    }

    /// Counts a sandbox anew; true when its pool's counts changed.
    pub(super) fn recount(&mut self, world: &World, sandbox: SandboxId) -> bool {
        let Some(pool) = world.tables.pool_of(sandbox.index()) else { return false };
        let status = world.tables.sandboxes.with(sandbox, |sandbox, _| sandbox.status);
        let running = status == Some(SandboxStatus::Running);
        let now = Standing {
            live: status.is_some_and(SandboxStatus::is_live),
            running,
            serving: running && serves(world, sandbox),
        };
        let before = std::mem::replace(slot(&mut self.standings, sandbox.index()), now);
        let counts = slot(&mut self.counts, pool.index());
        for (count, was, is) in [
            (&mut counts.live, before.live, now.live),
            (&mut counts.running, before.running, now.running),
            (&mut counts.serving, before.serving, now.serving),
        ] {
            *count = *count + u32::from(is) - u32::from(was);
        }
        before != now
    }

    /// Looks at a lease anew; returns the disk whose BOUND leases changed.
    pub(super) fn rebind(&mut self, world: &World, lease: LeaseId) -> Option<DiskId> {
        let row = world.tables.leases.with(lease, |lease, _| (lease.disk, lease.status));
        let now = row.filter(|(_, status)| *status == LeaseStatus::Bound).map(|(disk, _)| disk);
        let before = match now {
            Some(disk) => self.bound_to.insert(lease, disk),
            None => self.bound_to.remove(&lease),
        };
        if before == now {
            return None;
        }
        if let Some(disk) = now {
            self.bound.entry(disk).or_default().insert(lease);
        }
        if let Some(disk) = before
            && let Some(leases) = self.bound.get_mut(&disk)
        {
            leases.remove(&lease);
            if leases.is_empty() {
                self.bound.remove(&disk);
            }
        }
        now.or(before)
    }

    /// The BOUND leases of a disk.
    pub(super) fn bound_leases(&self, disk: DiskId) -> impl Iterator<Item = LeaseId> {
        self.bound.get(&disk).into_iter().flatten().copied()
    }

    /// Counts a failed boot of a pool; returns how many there were within the window.
    pub(super) fn boot_failed(&mut self, pool: PoolId, at: SimTime, limits: &Limits) -> usize {
        let boots = self.failed_boots.entry(pool).or_default();
        boots.push_back(at);
        while boots.front().is_some_and(|first| at.since(*first) > limits.failures_window) {
            boots.pop_front();
        }
        boots.len()
    }

    pub(super) fn address_taken(&mut self, sandbox: SandboxId, address: Address) {
        self.held.entry(sandbox).or_default().push(address);
    }

    pub(super) fn address_freed(&mut self, sandbox: SandboxId, address: Address) {
        if let Some(held) = self.held.get_mut(&sandbox) {
            held.retain(|other| *other != address);
            if held.is_empty() {
                self.held.remove(&sandbox);
            }
        }
    }

    /// The addresses that a sandbox took and nobody gave back.
    pub(super) fn held(&self, sandbox: SandboxId) -> &[Address] {
        self.held.get(&sandbox).map_or(&[], Vec::as_slice)
    }

    pub(super) fn uses_address(&mut self, sandbox: SandboxId, address: Address) {
        let users = self.users.entry(address).or_default();
        if !users.contains(&sandbox) {
            users.push(sandbox);
        }
    }

    /// Those who may use an address, in the order in which they came; who cannot any more is dropped.
    pub(super) fn users(&mut self, world: &World, address: Address) -> &[SandboxId] {
        let Some(users) = self.users.get_mut(&address) else { return &[] };
        users.retain(|user| {
            let named = world.tables.sandboxes.with(*user, |sandbox, _| sandbox.address == Some(address));
            let used = world.containers.borrow().get(*user).is_some_and(|c| c.address == address);
            used || named == Some(true)
        });
        users
    }

    pub(super) fn writes_disk(&mut self, sandbox: SandboxId, disk: Name) {
        let writers = self.writers.entry(disk).or_default();
        if !writers.contains(&sandbox) {
            writers.push(sandbox);
        }
    }

    /// Those whose tasks run and may write a disk, in the order in which they started.
    pub(super) fn writers(&mut self, world: &World, disk: Name) -> &[SandboxId] {
        let Some(writers) = self.writers.get_mut(&disk) else { return &[] };
        writers.retain(|sandbox| world.containers.borrow().get(*sandbox).is_some_and(Container::is_alive));
        writers
    }
}

/// Whether a sandbox is truly able to serve: its container lives, its node is up and its port,
/// if it has one, answers – as the backends know, not as the store says.
fn serves(world: &World, sandbox: SandboxId) -> bool {
    let containers = world.containers.borrow();
    let Some(container) = containers.get(sandbox) else { return false };
    if !world.is_up(Process::Node(container.node)) {
        return false;
    }
    let TaskState::Running { bound } = container.task else { return false };
    let dials = Actor::on(Controller::Sandbox, container.node);
    container.spec.port.is_none() || (bound && !world.network_is_cut(sandbox, dials))
}
