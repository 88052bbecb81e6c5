//! The fold: one pass over the records that ends in all the figures.
//!
//! Sweeps fold hundreds of thousands of records for each of thousands of runs, so state lies in
//! slabs by the subject's number and nothing is looked up in a tree. It trusts what the trace
//! guarantees: each changed field is a `Set` record caused by its write, and a write by its
//! decision. What a newcomer gets wrong: times are integrals over *counts* (how many pools are
//! unready now), kept up at each change, never a scan over all things.

use std::collections::BTreeSet;

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{
    Address, AnyStatus, Failure, Field, Kind, LeaseStatus, Reason, RequestError, SandboxStatus, Subject, Value, slot,
};
use crate::trace::{Reader, Record, Trace, What};

use super::down::Down;
use super::slabs::{Disk, Integral, LEASE, Lease, NOBODY, POOL, Pool, SANDBOX, Sandbox, number, reference};
use super::{Figure, Frame, Metrics};

/// Folds a trace into its figures.
pub fn fold(trace: &Trace, frame: &Frame) -> Metrics {
    let mut fold = Fold::default();
    trace.records().each(0..trace.records().len(), |record| fold.take(record));
    fold.finish(frame)
}

/// The figures of a run, as far as its records were taken in.
#[derive(Clone, Debug)]
pub struct Fold {
    /// How many were.
    taken: usize,
    /// The decisions to stop what is pending for too long, and the last write that was made for one.
    stale: BTreeSet<RecordId>,
    stale_write: Option<RecordId>,
    counts: [u64; Figure::ALL.len()],
    sandboxes: Vec<Sandbox>,
    pools: Vec<Pool>,
    leases: Vec<Lease>,
    disks: Vec<Disk>,
    apps: Vec<bool>,
    /// By node and host: who took the address.
    addresses: Vec<Vec<u32>>,
    live: u64,
    cooldown: SimDuration,
    cooldown_max: SimDuration,
    bound_to_dead: Integral,
    unready: Integral,
    down: Down,
    volumes: Vec<bool>,
    settled_time: Integral,
    settled: bool,
    has_run: bool,
    ready_at: Option<SimTime>,
    /// By fault: its last strike.
    struck: Vec<Option<SimTime>>,
    /// How long each request waited, served or not.
    waits: Vec<SimDuration>,
}

/// The figure that counts such failures.
fn why(error: RequestError) -> Figure {
    match error {
        RequestError::PoolTimeout(_) => Figure::FailedNoCapacity,
        RequestError::Cooldown { .. } => Figure::FailedCooldown,
        RequestError::MaxSize(_) => Figure::FailedMaxSize,
        RequestError::DiedDuringBoot => Figure::FailedDied,
        RequestError::NoPool => Figure::FailedNoPool,
        RequestError::Conflict => Figure::FailedConflict,
        RequestError::BadGateway => Figure::FailedBadGateway,
        RequestError::NoAnswer(_) => Figure::FailedNoAnswer,
        RequestError::Store(_) => Figure::FailedStore,
        RequestError::NoService | RequestError::NotDeployed => Figure::FailedNotDeployed,
        RequestError::CoordinatorDown | RequestError::ConnectionLost => Figure::FailedNoPlatform,
    }
}

/// The value that `percent` of the sorted values do not exceed (nearest rank); zero of none.
fn percentile(sorted: &[SimDuration], percent: usize) -> SimDuration {
    let rank = (sorted.len() * percent).div_ceil(100);
    rank.checked_sub(1).map_or(SimDuration::ZERO, |index| sorted[index])
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            taken: 0,
            stale: BTreeSet::new(),
            stale_write: None,
            counts: [0; Figure::ALL.len()],
            sandboxes: Vec::new(),
            pools: Vec::new(),
            leases: Vec::new(),
            disks: Vec::new(),
            apps: Vec::new(),
            addresses: Vec::new(),
            live: 0,
            cooldown: SimDuration::ZERO,
            cooldown_max: SimDuration::ZERO,
            bound_to_dead: Integral::default(),
            unready: Integral::default(),
            down: Down::default(),
            volumes: Vec::new(),
            // A cluster where nothing was deployed is settled, and no record says so.
            settled_time: Integral { level: 1, ..Integral::default() },
            settled: false,
            has_run: false,
            ready_at: None,
            struck: Vec::new(),
            waits: Vec::new(),
        }
    }
}

impl Reader for Fold {
    #[inline]
    fn take(&mut self, record: &Record) {
        // Most records are nothing but this.
        if let What::Decided(Reason::Reconcile { .. }) = record.what {
            self.add(Figure::Reconciles, 1);
        } else {
            self.fold(record);
        }
        self.taken += 1;
    }
}

impl Fold {
    fn add(&mut self, figure: Figure, n: u64) {
        self.counts[figure as usize] += n;
    }

    fn fold(&mut self, record: &Record) {
        let (at, subject) = (record.at, record.subject);
        match record.what {
            What::Set { field, from, to } => self.set(record, field, from, to),
            What::Decided(reason) => self.decided(subject, at, reason),
            What::Created { .. } => {
                self.add(Figure::StoreWrites, 1);
                self.created(subject);
            }
            What::Patched { .. } => {
                self.add(Figure::StoreWrites, 1);
                self.stale_write = self.stale.contains(&record.cause).then(|| RecordId::from_index(self.taken));
            }
            What::Deleted { .. } => {
                self.add(Figure::StoreWrites, 1);
                self.deleted(subject, at);
            }
            What::Conflict => self.add(Figure::StoreConflicts, 1),
            What::Called { point: crate::model::Point::CreateContainer, .. } if subject.kind == Kind::Sandbox => {
                slot(&mut self.sandboxes, subject.index, SANDBOX).container = true;
            }
            What::TaskStarted if subject.kind == Kind::Sandbox => {
                slot(&mut self.sandboxes, subject.index, SANDBOX).container = true;
                self.task(subject.index, at, false);
            }
            What::TaskEnded { .. } if subject.kind == Kind::Sandbox => self.task(subject.index, at, true),
            What::ContainerGone if subject.kind == Kind::Sandbox => {
                slot(&mut self.sandboxes, subject.index, SANDBOX).container = false;
                self.task(subject.index, at, true);
            }
            What::AddressTaken(address) => *self.taker(address) = subject.index,
            What::AddressFreed(address) => *self.taker(address) = NOBODY,
            What::Struck { fault, .. } => *slot(&mut self.struck, fault, None) = Some(at),
            What::RequestServed { waited, .. } => {
                self.add(Figure::Requests, 1);
                self.add(Figure::RequestsOk, 1);
                self.waits.push(waited);
            }
            What::RequestFailed { waited, error, .. } => {
                self.add(Figure::Requests, 1);
                self.add(Figure::RequestsFailed, 1);
                self.add(why(error), 1);
                self.waits.push(waited);
            }
            What::Settled => {
                self.settled = true;
                self.settled_time.change(at, 1 - self.settled_time.level, 0);
                self.look_if_ready(at);
            }
            What::Unsettled => {
                self.settled = false;
                self.settled_time.change(at, 0, self.settled_time.level);
                self.add(Figure::UnsettledTimes, 1);
            }
            What::VolumeMade => *slot(&mut self.volumes, subject.index, false) = true,
            What::VolumeGone => *slot(&mut self.volumes, subject.index, false) = false,
            What::Called { .. }
            | What::CallFailed { .. }
            | What::StepBegan
            | What::StepEnded { .. }
            | What::ProcessDown
            | What::ProcessUp
            | What::TaskStarted
            | What::PortBound
            | What::TaskEnded { .. }
            | What::ContainerGone
            | What::Mounted { .. }
            | What::Unmounted { .. }
            | What::Drawn { .. }
            | What::Broken { .. }
            | What::Note(_) => {}
        }
    }

    fn decided(&mut self, subject: Subject, at: SimTime, reason: Reason) {
        match reason {
            Reason::EventsDropped { count, .. } => self.add(Figure::EventsDropped, u64::from(count)),
            Reason::BootStarted => self.add(Figure::BootsAttempted, 1),
            Reason::BootFailed { error, .. } => {
                self.add(Figure::BootsFailed, 1);
                if let Failure::DiskLeased(_) = error {
                    self.add(Figure::LeaseConflicts, 1);
                }
            }
            Reason::StalePending { .. } => {
                self.stale.insert(RecordId::from_index(self.taken));
            }
            Reason::AlreadyLeased { .. } => self.add(Figure::LeaseConflicts, 1),
            Reason::CrashesCounted { wait, .. } if subject.kind == Kind::Pool => {
                slot(&mut self.pools, subject.index, POOL).wait_decided = Some(wait);
            }
            Reason::InstancesConfigured { instances } if subject.kind == Kind::Pool => {
                slot(&mut self.pools, subject.index, POOL).configured = u64::from(instances);
                self.look_at_pool(subject.index, at);
            }
            // Reconciles were counted before; every other reason is told by what it led to.
            _ => {}
        }
    }

    fn created(&mut self, subject: Subject) {
        match subject.kind {
            Kind::Sandbox => self.add(Figure::SandboxesCreated, 1),
            Kind::Lease => self.add(Figure::LeasesCreated, 1),
            Kind::Disk => slot(&mut self.disks, subject.index, Disk::default()).exists = true,
            Kind::App => *slot(&mut self.apps, subject.index, false) = true,
            _ => {}
        }
    }

    fn deleted(&mut self, subject: Subject, at: SimTime) {
        let index = subject.index;
        match subject.kind {
            Kind::Sandbox => self.sandbox_becomes(index, at, None),
            Kind::Lease => self.lease_becomes(index, at, None),
            Kind::Pool => {
                let pool = slot(&mut self.pools, index, POOL);
                (pool.desired, pool.configured, pool.references) = (0, 0, 0);
                self.look_at_pool(index, at);
            }
            Kind::Disk => slot(&mut self.disks, index, Disk::default()).exists = false,
            Kind::App => *slot(&mut self.apps, index, false) = false,
            _ => {}
        }
    }

    fn set(&mut self, record: &Record, field: Field, from: Value, to: Value) {
        // A write of the value that is there already changes nothing.
        if from == to {
            return;
        }
        let (at, index) = (record.at, record.subject.index);
        match (record.subject.kind, field) {
            (Kind::Sandbox, Field::Status) => {
                let Value::Status(AnyStatus::Sandbox(status)) = to else { return };
                self.sandbox_becomes(index, at, Some(status));
                let stopped = status == SandboxStatus::Stopped;
                if stopped && self.stale_write == Some(record.cause) {
                    self.add(Figure::StalePendingStopped, 1);
                }
            }
            (Kind::Sandbox, Field::Pool) => {
                let ready = u64::from(self.is_ready(index));
                let former = std::mem::replace(&mut slot(&mut self.sandboxes, index, SANDBOX).pool, reference(to));
                self.pool_ready(former, at, 0, ready);
                self.pool_ready(reference(to), at, ready, 0);
            }
            (Kind::Pool, Field::App) => {
                slot(&mut self.pools, index, POOL).app = reference(to);
                self.down.app(index, reference(to));
            }
            (Kind::Pool, Field::Service) => {
                if let Value::Text(service) = to {
                    self.down.service(index, service);
                }
            }
            (Kind::Pool, Field::DesiredInstances) => {
                slot(&mut self.pools, index, POOL).desired = number(to);
                self.look_at_pool(index, at);
            }
            (Kind::Pool, Field::ReferencedByVersions) => {
                slot(&mut self.pools, index, POOL).references = number(to);
                self.look_at_pool(index, at);
            }
            (Kind::Pool, Field::ConsecutiveCrashCount) => {
                self.add(Figure::CrashesCounted, number(to).saturating_sub(number(from)));
            }
            (Kind::Pool, Field::CooldownUntil) => self.cooldown_set(index, at, from, to),
            (Kind::Lease, Field::Status) => {
                let Value::Status(AnyStatus::Lease(status)) = to else { return };
                self.lease_becomes(index, at, Some(status));
                if status == LeaseStatus::Failed {
                    self.add(Figure::LeasesFailed, 1);
                }
            }
            (Kind::Lease, Field::Sandbox) => {
                slot(&mut self.leases, index, LEASE).sandbox = reference(to);
                self.note_user(index);
            }
            (Kind::Lease, Field::Disk) => slot(&mut self.leases, index, LEASE).disk = reference(to),
            (Kind::Disk, Field::Volume) => {
                slot(&mut self.disks, index, Disk::default()).volume = Some(reference(to)).filter(|v| *v != NOBODY);
            }
            (Kind::Disk, Field::CreatedBy) => {
                slot(&mut self.disks, index, Disk::default()).owner = Some(reference(to)).filter(|o| *o != NOBODY);
            }
            _ => {}
        }
    }

    fn is_ready(&self, sandbox: u32) -> bool {
        self.sandboxes.get(sandbox as usize).is_some_and(|s| s.status == Some(SandboxStatus::Running) && !s.task_ended)
    }

    fn sandbox_becomes(&mut self, index: u32, at: SimTime, status: Option<SandboxStatus>) {
        let was_ready = self.is_ready(index);
        let sandbox = slot(&mut self.sandboxes, index, SANDBOX);
        let was = *sandbox;
        sandbox.status = status;
        let (is, pool, leases) = (*sandbox, sandbox.pool, u64::from(sandbox.leases_bound));
        self.live = self.live + u64::from(is.is_live()) - u64::from(was.is_live());
        let peak = &mut self.counts[Figure::SandboxesPeak as usize];
        *peak = (*peak).max(self.live);
        match (was.is_over(), is.is_over()) {
            (false, true) => self.bound_to_dead.change(at, leases, 0),
            (true, false) => self.bound_to_dead.change(at, 0, leases),
            _ => {}
        }
        self.pool_ready(pool, at, u64::from(self.is_ready(index)), u64::from(was_ready));
        if status == Some(SandboxStatus::Running) {
            self.has_run = true;
            self.look_if_ready(at);
        }
    }

    fn task(&mut self, sandbox: u32, at: SimTime, ended: bool) {
        let was_ready = self.is_ready(sandbox);
        let state = slot(&mut self.sandboxes, sandbox, SANDBOX);
        state.task_ended = ended;
        let pool = state.pool;
        self.pool_ready(pool, at, u64::from(self.is_ready(sandbox)), u64::from(was_ready));
    }

    fn pool_ready(&mut self, pool: u32, at: SimTime, up: u64, down: u64) {
        if pool != NOBODY && up != down {
            let state = slot(&mut self.pools, pool, POOL);
            state.ready = (state.ready + up).saturating_sub(down);
            self.look_at_pool(pool, at);
        }
    }

    fn look_at_pool(&mut self, index: u32, at: SimTime) {
        let pool = slot(&mut self.pools, index, POOL);
        let configured = if pool.references > 0 { pool.configured } else { 0 };
        self.down.counted(index, at, pool.ready, pool.desired);
        let unready = pool.ready < pool.desired.max(configured);
        if unready != pool.unready {
            pool.unready = unready;
            self.unready.change(at, u64::from(unready), u64::from(!unready));
        }
    }

    fn look_if_ready(&mut self, at: SimTime) {
        if self.settled && self.has_run && self.ready_at.is_none() {
            self.ready_at = Some(at);
        }
    }

    fn cooldown_set(&mut self, pool: u32, at: SimTime, from: Value, to: Value) {
        let decided = slot(&mut self.pools, pool, POOL).wait_decided.take();
        let Value::Time(until) = to else { return };
        if matches!(from, Value::Time(former) if until <= former) {
            return;
        }
        // The write lands a little after the decision; the wait is what the decision said.
        let wait = decided.unwrap_or_else(|| until.since(at));
        if !wait.is_zero() {
            self.add(Figure::Cooldowns, 1);
            self.cooldown = self.cooldown + wait;
            self.cooldown_max = self.cooldown_max.max(wait);
        }
    }

    fn lease_becomes(&mut self, index: u32, at: SimTime, status: Option<LeaseStatus>) {
        let lease = slot(&mut self.leases, index, LEASE);
        let was = std::mem::replace(&mut lease.status, status);
        let bound = status == Some(LeaseStatus::Bound);
        let sandbox = lease.sandbox;
        if bound == (was == Some(LeaseStatus::Bound)) || sandbox == NOBODY {
            return;
        }
        let sandbox = slot(&mut self.sandboxes, sandbox, SANDBOX);
        sandbox.leases_bound = sandbox.leases_bound + u32::from(bound) - u32::from(!bound);
        if sandbox.is_over() {
            self.bound_to_dead.change(at, u64::from(bound), u64::from(!bound));
        }
    }

    /// Remembers which app's sandbox leased the disk.
    fn note_user(&mut self, lease: u32) {
        let Lease { disk, sandbox, .. } = self.leases[lease as usize];
        let pool = self.sandboxes.get(sandbox as usize).map_or(NOBODY, |s| s.pool);
        let app = self.pools.get(pool as usize).map_or(NOBODY, |p| p.app);
        if disk != NOBODY && app != NOBODY {
            let users = &mut slot(&mut self.disks, disk, Disk::default()).users;
            if !users.contains(&app) {
                users.push(app);
            }
        }
    }

    fn taker(&mut self, address: Address) -> &mut u32 {
        let hosts = slot(&mut self.addresses, u32::from(address.node), Vec::new());
        slot(hosts, u32::from(address.host), NOBODY)
    }

    /// The figures, when all records were taken in.
    pub fn finish(mut self, frame: &Frame) -> Metrics {
        let end = frame.ended_at;
        self.bound_to_dead.change(end, 0, 0);
        self.unready.change(end, 0, 0);
        self.settled_time.change(end, 0, 0);

        let app_exists = |app: u32| self.apps.get(app as usize).copied().unwrap_or(false);
        let is_over = |sandbox: u32| self.sandboxes.get(sandbox as usize).is_none_or(|s| s.is_over());
        let orphan = |disk: &&Disk| {
            disk.exists && !disk.owner.is_some_and(app_exists) && !disk.users.iter().copied().any(app_exists)
        };
        let disks = self.disks.iter().filter(orphan).count();
        let named =
            |volume: &usize| self.disks.iter().any(|d| d.exists && d.volume.map(|v| v as usize) == Some(*volume));
        let volumes = (0..self.volumes.len()).filter(|volume| self.volumes[*volume] && !named(volume)).count();
        let leases =
            self.leases.iter().filter(|l| l.status.is_some_and(LeaseStatus::is_open) && is_over(l.sandbox)).count();
        let leaked = self.addresses.iter().flatten().filter(|taker| **taker != NOBODY && is_over(**taker)).count();
        let containers = self.sandboxes.iter().filter(|s| s.container && s.is_over()).count();

        let mut metrics = Metrics::default();
        for figure in Figure::ALL {
            if figure.unit() == super::Unit::Count {
                metrics.count(*figure, self.counts[*figure as usize]);
            }
        }
        metrics.count(Figure::DisksOrphaned, disks as u64);
        metrics.count(Figure::VolumesOrphaned, volumes as u64);
        metrics.count(Figure::LeasesOrphaned, leases as u64);
        metrics.count(Figure::AddressesLeaked, leaked as u64);
        metrics.count(Figure::ContainersOrphaned, containers as u64);
        metrics.time(Figure::CooldownTime, self.cooldown);
        metrics.time(Figure::CooldownMax, self.cooldown_max);
        metrics.time(Figure::LeasesBoundToDead, self.bound_to_dead.total);
        metrics.time(Figure::Unready, self.unready.total);
        metrics.time(Figure::SettledTime, self.settled_time.total);
        let down = std::mem::take(&mut self.down).finish(end);
        metrics.time(Figure::Down, down.values().fold(SimDuration::ZERO, |sum, time| sum + *time));
        metrics.time(Figure::DownMax, down.values().copied().max().unwrap_or_default());
        metrics.down = down;
        self.waits.sort_unstable();
        metrics.time(Figure::RequestWaitP50, percentile(&self.waits, 50));
        metrics.time(Figure::RequestWaitP99, percentile(&self.waits, 99));
        metrics.time(Figure::TimeToReady, self.time_to_ready(frame));
        metrics.time(Figure::Recovery, self.recovery(frame));
        metrics
    }

    fn time_to_ready(&self, frame: &Frame) -> SimDuration {
        let Some(deploy) = frame.first_deploy else { return SimDuration::ZERO };
        self.ready_at.unwrap_or(frame.ended_at).since(deploy)
    }

    fn recovery(&self, frame: &Frame) -> SimDuration {
        let faults = frame.fault_ends.iter().enumerate().filter_map(|(fault, end)| {
            end.map(|end| end.min(frame.ended_at)).or_else(|| self.struck.get(fault).copied().flatten())
        });
        let gone = faults.chain(frame.workload_changed).max().or(frame.last_step);
        gone.map_or(SimDuration::ZERO, |gone| frame.settled_at.unwrap_or(frame.ended_at).since(gone))
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
