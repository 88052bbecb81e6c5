//! What the judges remember, so that a change costs what it touches and not what exists.
//!
//! Counts for each pool and lists of candidates: they say where to look, never what is so – the rules read
//! the store's tables and the backends. It knows no rule.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::kernel::{RecordId, SimTime};
use crate::model::{Address, DiskId, LeaseId, LeaseStatus, Name, PoolId, SandboxId, SandboxStatus};
use crate::ports::Query;
use crate::world::{Container, World};

use super::limits::Limits;
use super::owners::AppOwners;
use super::services::Services;
use super::volumes::Volumes;

/// What does not hold, in words; empty when the rule was asked in a silent view.
pub(super) type Text = String;

/// What a rule may look at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) world: &'a World,
    pub(super) memory: &'a Memory,
    pub(super) limits: &'a Limits,
    /// Nobody reads the texts: mostly it only matters whether a rule holds.
    pub(super) silent: bool,
}

/// How a sandbox stood when it was last looked at.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct SandboxState {
    /// Its status; none when it is gone, or was never seen.
    status: Option<SandboxStatus>,
    /// RUNNING, and truly able to serve.
    serving: bool,
}

impl SandboxState {
    /// Whether it counts as live, as running, as serving.
    fn counts(self) -> [bool; 3] {
        let live = self.status.is_some_and(SandboxStatus::is_live);
        [live, self.status == Some(SandboxStatus::Running), self.serving]
    }
}

/// What a new look at a sandbox shows.
pub(super) struct Look {
    /// Its status; none when it is gone.
    pub(super) status: Option<SandboxStatus>,
    /// The status is another than when it was last looked at.
    pub(super) is_new: bool,
    /// Its pool, when that has other counts now.
    pub(super) recounted: Option<PoolId>,
    /// It served, and is STOPPED now.
    pub(super) retired: bool,
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
    pub(super) owners: AppOwners,
    pub(super) services: Services,
    pub(super) volumes: Volumes,
    states: Vec<SandboxState>,
    counts: Vec<Counts>,
    /// The cooldowns that run, and the records that set them.
    pub(super) cooldowns: BTreeMap<PoolId, (SimTime, RecordId)>,
    /// What operators asked for and is under way: until when it has its time, and the record of its beginning.
    pub(super) steps: BTreeMap<u32, (SimTime, RecordId)>,
    /// When boots failed, and how many instances the pool was meant to have then.
    failed_boots: BTreeMap<PoolId, VecDeque<(SimTime, u32)>>,
    bound: BTreeMap<DiskId, BTreeSet<LeaseId>>,
    bound_to: BTreeMap<LeaseId, DiskId>,
    /// Sorted by the sandbox; those of one in the order in which it took them.
    held: Vec<(SandboxId, Address)>,
    /// By the node and the host of the address.
    users: Vec<Vec<Vec<SandboxId>>>,
    writers: BTreeMap<Written, Vec<SandboxId>>,
}

/// A disk that is written: its name, and which of that name it is, as the lease of the first to write it says.
pub(super) type Written = (Name, Option<DiskId>);

/// The slot of an index, which is made when it is not there.
pub(super) fn slot<T: Default + Clone>(slots: &mut Vec<T>, index: u32) -> &mut T {
    crate::model::slot(slots, index, T::default())
}

impl View<'_> {
    /// What is broken, when it is.
    pub(super) fn broken(self, broken: bool, text: impl FnOnce() -> String) -> Option<Text> {
        broken.then(|| if self.silent { String::new() } else { text() })
    }
}

impl Memory {
    pub(super) fn counts(&self, pool: PoolId) -> Counts {
        self.counts.get(pool.index() as usize).copied().unwrap_or_default()
    }

    /// Looks at a sandbox anew, and counts it anew in its pool.
    pub(super) fn review_sandbox(&mut self, world: &World, sandbox: SandboxId) -> Look {
        let status = world.tables().sandboxes.with(sandbox, |sandbox, _| sandbox.status);
        let serving = status == Some(SandboxStatus::Running) && serves(world, sandbox);
        let now = SandboxState { status, serving };
        let before = std::mem::replace(slot(&mut self.states, sandbox.index()), now);
        let recounted = self.recount(world, sandbox, before.counts(), now.counts());
        let silent = status == Some(SandboxStatus::Running) && !serving;
        self.services.hush(sandbox, silent, world.kernel().now());
        if let Some(pool) = recounted {
            self.recount_service(world, pool);
        }
        let retired = before.serving && status == Some(SandboxStatus::Stopped);
        Look { status, is_new: before.status != status, recounted, retired }
    }

    fn recount(&mut self, world: &World, sandbox: SandboxId, was: [bool; 3], is: [bool; 3]) -> Option<PoolId> {
        if was == is {
            return None;
        }
        let pool = world.store().pool_of(sandbox.index())?;
        let Counts { live, running, serving } = slot(&mut self.counts, pool.index());
        for (count, (was, is)) in [live, running, serving].into_iter().zip(was.into_iter().zip(is)) {
            *count = *count + u32::from(is) - u32::from(was);
        }
        Some(pool)
    }

    /// Counts anew what serves of the service of a pool.
    fn recount_service(&mut self, world: &World, pool: PoolId) {
        let Some((app, service)) = world.tables().pools.with(pool, |pool, _| (pool.app, pool.service)) else { return };
        let mut serving = 0;
        world.tables().pools.for_each(Query::By(app), |pool| {
            if pool.entity.service == service {
                serving += self.counts(pool.id).serving;
            }
        });
        self.services.counted((app, service), serving, world.kernel().now());
    }

    /// Looks at a lease anew; returns the disk whose BOUND leases changed.
    pub(super) fn rebind(&mut self, world: &World, lease: LeaseId) -> Option<DiskId> {
        let row = world.tables().leases.with(lease, |lease, _| (lease.disk, lease.status));
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

    /// Counts a failed boot of a pool that is meant to have so many instances; returns how many
    /// failed within the window, and the most instances that it was meant to have at one of them.
    pub(super) fn boot_failed(&mut self, pool: PoolId, meant: u32, at: SimTime, limits: &Limits) -> (usize, u32) {
        let boots = self.failed_boots.entry(pool).or_default();
        boots.push_back((at, meant));
        while boots.front().is_some_and(|(first, _)| at.since(*first) > limits.grace.failures_back_off) {
            boots.pop_front();
        }
        (boots.len(), boots.iter().map(|(_, meant)| *meant).max().unwrap_or(0))
    }

    pub(super) fn address_taken(&mut self, sandbox: SandboxId, address: Address) {
        let place = self.held.partition_point(|(holder, _)| *holder <= sandbox);
        self.held.insert(place, (sandbox, address));
    }

    pub(super) fn address_freed(&mut self, sandbox: SandboxId, address: Address) {
        let first = self.first_held(sandbox);
        let place = self.held(sandbox).position(|held| held == address);
        if let Some(place) = place {
            self.held.remove(first + place);
        }
    }

    fn first_held(&self, sandbox: SandboxId) -> usize {
        self.held.partition_point(|(holder, _)| *holder < sandbox)
    }

    /// The addresses that a sandbox took and nobody gave back.
    pub(super) fn held(&self, sandbox: SandboxId) -> impl Iterator<Item = Address> {
        let from_there = self.held[self.first_held(sandbox)..].iter();
        from_there.take_while(move |(holder, _)| *holder == sandbox).map(|(_, address)| *address)
    }

    fn users_mut(&mut self, address: Address) -> &mut Vec<SandboxId> {
        slot(slot(&mut self.users, u32::from(address.node)), u32::from(address.host))
    }

    pub(super) fn uses_address(&mut self, sandbox: SandboxId, address: Address) {
        let users = self.users_mut(address);
        if !users.contains(&sandbox) {
            users.push(sandbox);
        }
    }

    /// Drops those who cannot use an address any more.
    pub(super) fn review_users(&mut self, world: &World, address: Address) {
        self.users_mut(address).retain(|user| {
            let named = world.tables().sandboxes.with(*user, |sandbox, _| sandbox.address == Some(address));
            named == Some(true) || world.containers().get(*user).is_some_and(|c| c.address == address)
        });
    }

    /// Those who may use an address, in the order in which they came.
    pub(super) fn users(&self, address: Address) -> &[SandboxId] {
        let there = self.users.get(usize::from(address.node));
        there.and_then(|hosts| hosts.get(usize::from(address.host))).map_or(&[], Vec::as_slice)
    }

    pub(super) fn writes_disk(&mut self, sandbox: SandboxId, disk: Written) {
        let writers = self.writers.entry(disk).or_default();
        if !writers.contains(&sandbox) {
            writers.push(sandbox);
        }
    }

    /// Drops those whose tasks do not run any more.
    pub(super) fn review_writers(&mut self, world: &World, disk: Written) {
        if let Some(writers) = self.writers.get_mut(&disk) {
            writers.retain(|sandbox| world.containers().get(*sandbox).is_some_and(Container::is_alive));
        }
    }

    /// Those that were started with a disk to write, each as often as it has one.
    pub(super) fn all_writers(&self) -> Vec<SandboxId> {
        self.writers.values().flatten().copied().collect()
    }

    /// Those whose tasks run and may write a disk, in the order in which they started.
    pub(super) fn writers(&self, disk: Written) -> &[SandboxId] {
        self.writers.get(&disk).map_or(&[], Vec::as_slice)
    }
}

/// Whether a sandbox is truly able to serve: its container lives, its node is up and its port,
/// if it has one, answers – as the backends know, not as the store says.
///
/// A node is up while it has power: containers outlive a restart of the node's process.
fn serves(world: &World, sandbox: SandboxId) -> bool {
    let node = world.containers().get(sandbox).map(|container| container.node);
    node.is_some_and(|node| world.processes().has_power(node)) && world.answers(sandbox)
}
