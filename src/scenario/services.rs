//! Services that are named and never deployed: legal, and probably misspelt.
//!
//! Knows a read story and the app configurations of its deploys; reads no file. A deploy that the platform
//! refuses still says what its author calls the services.

use std::collections::{BTreeMap, BTreeSet};

use crate::appconfig::{self, Grammar, Strictness};
use crate::model::Name;
use crate::world::spec::Filter;

use super::story::{Action, Scenario};
use super::suggest::{listed, similar};

/// A place that names a service of an app.
struct Named {
    /// What it is, as a warning begins: `the workload of shop/wbe`.
    what: String,
    app: Name,
    service: Name,
}

/// So many slips of one app are told one by one: a story whose workloads fit another deploy has hundreds.
const TOLD_MAX: u64 = 3;

/// One warning for each place that names a service which no deploy of its app has.
pub(crate) fn warnings(scenario: &Scenario) -> Vec<String> {
    let mut deploys: BTreeMap<Name, Vec<&Action>> = BTreeMap::new();
    for step in &scenario.steps {
        if let Action::Deploy { app, .. } = &step.action {
            deploys.entry(*app).or_default().push(&step.action);
        }
    }
    let mut known: BTreeMap<Name, Option<BTreeSet<String>>> = BTreeMap::new();
    let mut found = Vec::new();
    let mut told: BTreeMap<Name, u64> = BTreeMap::new();
    for Named { what, app, service } in named(scenario) {
        let services = known.entry(app).or_insert_with(|| services_of(deploys.get(&app)?));
        let Some(services) = services.as_ref().filter(|services| !services.contains(service.as_str())) else {
            continue;
        };
        let told = told.entry(app).or_default();
        *told += 1;
        if *told > TOLD_MAX {
            continue;
        }
        let names = || services.iter().map(String::as_str);
        let hint = match similar(service.as_str(), names()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it has {}", listed(names())),
        };
        found.push(format!("{what} is not used: no deploy of `{app}` has a service `{service}` ({hint})"));
    }
    for (app, more) in told.iter().filter_map(|(app, told)| Some((app, told.checked_sub(TOLD_MAX)?))) {
        if more > 0 {
            found.push(format!("{more} more places name services that no deploy of `{app}` has"));
        }
    }
    found
}

/// Every place, in the order of the file's sections.
fn named(scenario: &Scenario) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |what: String, app: Name, service: Name| all.push(Named { what, app, service });
    for (app, service) in scenario.workloads.keys() {
        add(format!("the workload of {app}/{service}"), *app, *service);
    }
    for step in &scenario.steps {
        match &step.action {
            Action::SetWorkload { app, service, .. } | Action::SetDesired { app, service, .. } => {
                add(format!("step `{}` for {app}/{service}", step.name), *app, *service);
            }
            Action::Deploy { .. }
            | Action::DeleteApp { .. }
            | Action::RestartApp { .. }
            | Action::DeleteDisk { .. }
            | Action::SetStatus { .. }
            | Action::SetVolume { .. }
            | Action::LoseVolume { .. }
            | Action::LoseMount { .. }
            | Action::Kill { .. }
            | Action::NodeDown { .. }
            | Action::NodeUp { .. }
            | Action::Drain { .. }
            | Action::Restart { .. }
            | Action::Upgrade(_)
            | Action::CutWatch { .. }
            | Action::Note { .. } => {}
        }
    }
    for traffic in &scenario.traffic {
        add(format!("the traffic for {}/{}", traffic.app, traffic.service), traffic.app, traffic.service);
    }
    for fault in &scenario.faults {
        let filters = std::iter::once(&fault.filter).chain(fault.when.after.as_ref().map(|after| &after.filter));
        for Filter { app, service, .. } in filters {
            if let (Some(app), Some(service)) = (app, service) {
                add(format!("fault `{}` on {app}/{service}", fault.name), *app, *service);
            }
        }
    }
    all
}

/// The services of all deploys of an app; none where one cannot be read.
fn services_of(deploys: &[&Action]) -> Option<BTreeSet<String>> {
    let mut services = BTreeSet::new();
    for deploy in deploys {
        let Action::Deploy { config, code, .. } = deploy else { continue };
        // Leniently: a field that nobody knows hides no service.
        let loaded = appconfig::load(config, &Grammar::latest(Strictness::Lenient)).ok()?;
        services.extend(loaded.app.resolve(Name::new(""), code).into_iter().map(|service| service.name.to_string()));
    }
    Some(services)
}
