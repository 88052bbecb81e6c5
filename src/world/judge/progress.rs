//! The invariant `progress`: a cluster that can settle does.
//!
//! A clock that runs while the cluster is unsettled and starts anew whenever something from
//! outside happens: a step, a fault's strike, the edge of a fault's window. When it has run for
//! the longest backoff and the grace, and neither a fault nor a workload stands in the way, the
//! invariant is broken. What a newcomer gets wrong: a fault that is open, even one that never
//! strikes, keeps the judge silent.

use crate::kernel::SimTime;
use crate::model::{PortConfig, ServiceConfig};
use crate::ports::Query;
use crate::world::spec::{Delay, WorkloadSpec};

use super::alarms::{Alarm, Alarms};
use super::limits::Limits;
use super::memory::{Text, View};
use super::rest::Rest;

/// The clock.
#[derive(Default)]
pub(super) struct Progress {
    /// When it runs out.
    runs: Option<SimTime>,
}

impl Progress {
    /// Starts the clock anew.
    pub(super) fn restart(&mut self, now: SimTime, limits: &Limits, alarms: &mut Alarms) {
        self.stop(alarms);
        let due = now + limits.backoff_cap + limits.grace.progress;
        self.runs = Some(due);
        alarms.set(due, Alarm::Progress);
    }

    /// Stops it: the cluster is settled.
    pub(super) fn stop(&mut self, alarms: &mut Alarms) {
        if let Some(due) = self.runs.take() {
            alarms.unset(due, Alarm::Progress);
        }
    }
}

/// `progress`: it is not unsettled for so long while nothing stands in the way.
pub(super) fn progress(view: View<'_>, rest: &Rest) -> Option<Text> {
    let broken = !rest.is_untroubled() && !view.world.faults().any_open() && workloads_can_run(view);
    let limit = view.limits.backoff_cap + view.limits.grace.progress;
    view.broken(broken, move || {
        let first = rest.troubles().keys().next().and_then(|trouble| view.trouble(*trouble));
        let why = first.map_or_else(String::new, |text| format!("; {text}"));
        format!("unsettled with nothing in the way: limit {}{why}", limit.clock())
    })
}

/// Whether the workload of every deployed service is able to run. This looks at every app: it is
/// asked when the clock runs out and at no other time.
fn workloads_can_run(view: View<'_>) -> bool {
    let tables = view.world.tables();
    let mut all = true;
    tables.apps.for_each(Query::All, |app| {
        let version = app.entity.active_version.and_then(|id| tables.versions.get(id));
        let services = version.iter().flat_map(|version| version.entity.config.iter());
        for service in services {
            all &= can_run(service, &view.world.containers().workload(app.entity.name, service.name));
        }
    });
    all
}

/// Whether a service's program at last stays up and, when it has a port, answers.
fn can_run(service: &ServiceConfig, workload: &WorkloadSpec) -> bool {
    let stays = matches!(workload.exit_after.last(), None | Some(Delay::Never));
    let answers = matches!(workload.ready.last(), Some(Delay::After(_)));
    stays && (answers || !service.ports.iter().any(PortConfig::is_tcp))
}
