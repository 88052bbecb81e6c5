//! The invariant `progress`: an app that can settle does.
//!
//! For each app a clock that runs while something of it is unsettled, and starts anew whenever
//! something from outside happens to it: a step, an edge of a fault's window, a fault that strikes
//! a call about it – unless the fault is confined to one node, and the app could be on another. When it has run for the longest backoff and the grace, and nothing excuses the
//! app, the invariant is broken. Excuses are: its program cannot run; no node takes sandboxes; its
//! network is cut; a fault's delay of a call about it still runs. What a newcomer gets wrong: a fault
//! that is open and strikes nothing of the app excuses nothing, and a call that hangs is no excuse
//! for ever – who waits for it had the time to give it up.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::SimTime;
use crate::model::{App, AppId, Name, NodeStatus, PortConfig, SandboxStatus, ServiceConfig, Subject};
use crate::ports::Query;
use crate::world::spec::{Delay, WorkloadSpec};
use crate::world::{Process, World};

use super::alarms::{Alarm, Alarms};
use super::limits::Limits;
use super::memory::{Text, View};
use super::rest::{Owner, Rest};

/// The clocks of those who are unsettled.
///
/// What disturbs all of them only moves `from`: an alarm that rings too early for that is set anew when
/// it rings, for a cluster of many apps has many clocks, and a story as many steps.
#[derive(Default)]
pub(super) struct Progress {
    /// When the alarm of each rings, or did.
    runs: BTreeMap<Owner, SimTime>,
    /// All of them count from then at the earliest.
    from: SimTime,
    /// Those whose alarm has rung, or is later than if it were set now.
    odd: BTreeSet<Owner>,
}

impl Progress {
    /// Starts a clock anew, to be counted from now.
    pub(super) fn restart(&mut self, owner: Owner, now: SimTime, limits: &Limits, alarms: &mut Alarms) {
        self.stop(owner, alarms);
        let due = limits.progress_due(now);
        self.runs.insert(owner, due);
        alarms.set(due, Alarm::Progress(owner));
    }

    /// Starts a clock anew, to be counted from then, which may be later than now.
    pub(super) fn excuse(&mut self, owner: Owner, until: SimTime, limits: &Limits, alarms: &mut Alarms) {
        self.restart(owner, until, limits, alarms);
        self.odd.insert(owner);
    }

    /// Starts all clocks anew, to be counted from now.
    pub(super) fn restart_all(&mut self, now: SimTime, limits: &Limits, alarms: &mut Alarms) {
        for owner in std::mem::take(&mut self.odd) {
            self.restart(owner, now, limits, alarms);
        }
        self.from = now;
    }

    /// The alarm of a clock rings: whether it has run out, or only now gets the alarm that it should have.
    pub(super) fn is_over(&mut self, owner: Owner, now: SimTime, limits: &Limits, alarms: &mut Alarms) -> bool {
        let due = limits.progress_due(self.from);
        if due > now {
            self.runs.insert(owner, due);
            alarms.set(due, Alarm::Progress(owner));
            return false;
        }
        self.odd.insert(owner);
        true
    }

    /// Stops one: that app is settled.
    pub(super) fn stop(&mut self, owner: Owner, alarms: &mut Alarms) {
        if let Some(due) = self.runs.remove(&owner) {
            alarms.unset(due, Alarm::Progress(owner));
            self.odd.remove(&owner);
        }
    }

    pub(super) fn runs(&self, owner: Owner) -> bool {
        self.runs.contains_key(&owner)
    }
}

/// `progress`: an app is not unsettled for so long while nothing excuses it. `hangs`: a call about
/// it was struck by a fault that lets it hang.
pub(super) fn progress(view: View<'_>, rest: &Rest, owner: Owner, hangs: bool) -> Option<Text> {
    let limit = view.limits.backoff_cap + view.limits.grace.progress;
    view.broken(rest.is_troubled(owner), move || {
        let first = rest.troubles_of(owner).find_map(|(blocker, _)| view.blocker(blocker));
        let why = first.map_or_else(String::new, |text| format!("; {text}"));
        let hindered = if hangs { "and a call that hangs is no excuse" } else { "with nothing in the way" };
        format!("unsettled {hindered}: limit {}{why}", limit.clock())
    })
}

/// Until when what is outside the scheduler excuses an app that is unsettled; none: it does not. `asked`: for what an
/// operator asked for, which needs no program and no node, only an answer.
pub(super) fn excused_until(
    world: &World,
    owner: Owner,
    asked: bool,
    delayed: impl Fn(Subject) -> bool,
) -> Option<SimTime> {
    let now = world.kernel().now();
    let delay = world.faults().delays().into_iter().filter(|(of, _)| delayed(*of)).map(|(_, until)| until).max();
    let excused =
        !asked && (!programs_can_run(world, owner) || !is_somewhere_to_run(world, &[]) || is_cut_off(world, owner));
    delay.filter(|until| *until > now).or(excused.then_some(now))
}

/// Whether what a fault strikes of an app could have been elsewhere: the fault is confined to one node, another takes
/// sandboxes that no fault is confined to, and no disk binds the app to its place.
pub(super) fn is_evadable(world: &World, fault: u32, owner: Owner) -> bool {
    let nodes = world.faults().nodes();
    if nodes.get(fault as usize).is_none_or(Option::is_none) || !is_somewhere_to_run(world, &nodes) {
        return false;
    }
    let tables = world.tables();
    let version = owner.and_then(|app| tables.apps.with(app, |app, _| app.active_version).flatten());
    let version = version.and_then(|id| tables.versions.get(id));
    version.is_some_and(|version| version.entity.config.iter().all(|service| service.disks.is_empty()))
}

/// Whether a node, none of these, takes sandboxes: it has power, its process is up, and nobody drains it.
fn is_somewhere_to_run(world: &World, but: &[Option<Name>]) -> bool {
    let mut found = false;
    world.tables().nodes.for_each(Query::All, |node| {
        let works = world.processes().has_power(node.id) && world.processes().is_up(Process::Node(node.id));
        found |= works && node.entity.status != NodeStatus::Disabled && !but.contains(&Some(node.entity.name));
    });
    found
}

/// Whether a fault cuts the network of a program of the app that runs.
fn is_cut_off(world: &World, owner: Owner) -> bool {
    if world.faults().network_cuts().is_empty() {
        return false;
    }
    let mut cut = false;
    world.tables().sandboxes.for_each(Query::All, |row| {
        let runs = row.entity.status == SandboxStatus::Running && world.is_cut_off(row.id);
        cut |= runs && world.store().pool_of(row.id.index()).and_then(|pool| app_of(world, pool)) == owner;
    });
    cut
}

fn app_of(world: &World, pool: crate::model::PoolId) -> Option<AppId> {
    world.tables().pools.with(pool, |pool, _| pool.app)
}

/// Whether the program of every service of the app's active version is able to run. Of what
/// belongs to no app, all programs are asked.
fn programs_can_run(world: &World, owner: Owner) -> bool {
    let tables = world.tables();
    let mut all = true;
    let mut ask = |app: &App| {
        let version = app.active_version.and_then(|id| tables.versions.get(id));
        let services = version.iter().flat_map(|version| version.entity.config.iter());
        for service in services {
            all &= can_run(service, &world.containers().workload(app.name, service.name));
        }
    };
    match owner {
        Some(app) => tables.apps.with(app, |app, _| ask(app)).unwrap_or_default(),
        None => tables.apps.for_each(Query::All, |app| ask(&app.entity)),
    }
    all
}

/// Whether a service's program at last stays up and, when it has a port, answers.
pub(super) fn can_run(service: &ServiceConfig, workload: &WorkloadSpec) -> bool {
    let stays = matches!(workload.exit_after.last(), None | Some(Delay::Never));
    let answers = matches!(workload.ready.last(), Some(Delay::After(_)));
    stays && (answers || !service.ports.iter().any(PortConfig::is_tcp))
}
