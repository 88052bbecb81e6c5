//! Steps and faults in words: what an operator does, what goes wrong.
//!
//! One describing function for each, used by timelines and golden texts alike. It may read scenarios only.

use crate::model::counted;
use crate::scenario::{Action, Scenario, Upgrade, WorkloadChange};
use crate::trace::timeline::Options;
use crate::world::spec::{Delay, Effect, FaultSpec, Spread, When};

/// What a step does: `deploy pds`.
pub fn action(action: &Action) -> String {
    match action {
        Action::Deploy { app, build: None, .. } => format!("deploy {app}"),
        Action::Deploy { app, build: Some(build), .. } => format!("deploy {app}, build {build}"),
        Action::DeleteApp { app } => format!("delete app {app}"),
        Action::RestartApp { app } => format!("restart app {app}"),
        Action::SetDesired { app, service, instances } => format!("set {app}/{service} to {instances} instances"),
        Action::DeleteDisk { disk } => format!("delete disk {disk}"),
        Action::SetStatus { name, status } => {
            format!("write {}/{name} {} by hand", status.kind().name(), status.upper())
        }
        Action::SetVolume { disk, volume: Some(volume) } => format!("give disk {disk} the volume {volume} by hand"),
        Action::SetVolume { disk, volume: None } => format!("take the volume from disk {disk} by hand"),
        Action::LoseVolume { disk } => format!("the volume of disk {disk} vanishes"),
        Action::LoseMount { disk } => format!("the volume of disk {disk} is unmounted by hand"),
        Action::SetWorkload { app, service, change } => format!("workload {app}/{service}: {}", workload(change)),
        Action::Kill { sandbox } => format!("kill {sandbox}"),
        Action::NodeDown { node } => format!("node {node} down"),
        Action::NodeUp { node } => format!("node {node} up"),
        Action::Drain { node } => format!("drain node {node}"),
        Action::Restart { process: None } => "restart coordinator".to_owned(),
        Action::Restart { process: Some(node) } => format!("restart node {node}"),
        Action::Upgrade(change) => format!("upgrade: {}", upgrade(change)),
        Action::CutWatch { controller, lasts } => format!("cut watch of {} for {}", controller.name(), lasts.clock()),
        Action::Note { text } => format!("note: {text}"),
    }
}

/// The options of a timeline that names the steps and faults of a scenario.
pub fn timeline_options(scenario: &Scenario) -> Options {
    Options {
        step_titles: scenario.steps.iter().map(|step| action(&step.action)).collect(),
        fault_titles: scenario.faults.iter().map(|fault| fault.name.to_string()).collect(),
        ..Options::default()
    }
}

/// Where a fault strikes and what it does: `disk.mount: delay 0:40, calls 1, 2`.
pub(super) fn fault(fault: &FaultSpec) -> String {
    let points: Vec<&str> = fault.on.iter().map(|point| point.name()).collect();
    format!("{}: {}{}", points.join(", "), effect(fault.effect), when(&fault.when))
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Error(message) => format!("error \"{message}\""),
        Effect::Hang => "hang".to_owned(),
        Effect::Delay(by) => format!("delay {}", spread(by)),
        Effect::LoseReply => "lose reply".to_owned(),
        Effect::Stale(age) => format!("stale {}", age.clock()),
        Effect::Drop => "drop".to_owned(),
        Effect::CrashBefore => "crash before".to_owned(),
        Effect::CrashAfter => "crash after".to_owned(),
    }
}

fn when(when: &When) -> String {
    let mut text = String::new();
    if !when.calls.is_empty() {
        let calls: Vec<String> = when.calls.iter().map(ToString::to_string).collect();
        text.push_str(&format!(", calls {}", calls.join(", ")));
    }
    if let Some(chance) = when.chance_ppm {
        text.push_str(&format!(", chance {}", crate::trace::metrics::decimal(u128::from(chance) * 1000, 0)));
    }
    if let Some(times) = when.times {
        text.push_str(&format!(", {}", counted(times, "time")));
    }
    if let Some(from) = when.from {
        text.push_str(&format!(", from {}", from.elapsed().clock()));
    }
    if let Some(until) = when.until {
        text.push_str(&format!(", until {}", until.elapsed().clock()));
    }
    if let Some(after) = &when.after {
        text.push_str(&format!(", after {} number {}", after.status.name(), after.nth));
    }
    text
}

fn upgrade(upgrade: &Upgrade) -> String {
    let mut parts = Vec::new();
    if upgrade.as_of.is_some() {
        parts.push("another set of fixes".to_owned());
    }
    for (word, fixes) in [("with", &upgrade.with), ("without", &upgrade.without)] {
        if !fixes.is_empty() {
            let names: Vec<&str> = fixes.iter().map(|fix| fix.info().name).collect();
            parts.push(format!("{word} {}", names.join(", ")));
        }
    }
    parts.join(", ")
}

fn workload(change: &WorkloadChange) -> String {
    let delays = |delays: &[Delay]| {
        let told = delays.iter().map(|delay| match delay {
            Delay::After(after) => spread(*after),
            Delay::Never => "never".to_owned(),
        });
        told.collect::<Vec<_>>().join(", ")
    };
    let parts = [
        ("image_pull", change.image_pull.map(spread)),
        ("start", change.start.map(spread)),
        ("ready", change.ready.as_deref().map(delays)),
        ("exit_after", change.exit_after.as_deref().map(delays)),
        ("request", change.request.map(spread)),
    ];
    let told = parts.into_iter().filter_map(|(key, value)| value.map(|value| format!("{key} = {value}")));
    told.collect::<Vec<_>>().join(", ")
}

fn spread(spread: Spread) -> String {
    match spread {
        Spread::Constant(d) => d.clock().to_string(),
        Spread::Uniform(low, high) => format!("{}..{}", low.clock(), high.clock()),
        Spread::Exponential(mean) => format!("exponential {}", mean.clock()),
        Spread::Normal(mean, deviation) => format!("normal {} +- {}", mean.clock(), deviation.clock()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SimDuration;
    use crate::model::{LeaseStatus, Name, Point};
    use crate::world::spec::Filter;

    #[test]
    fn actions_read_like_the_scenario_file() {
        let name = Name::new;
        let change = WorkloadChange { exit_after: Some(vec![Delay::Never]), ..WorkloadChange::default() };
        for (given, text) in [
            (Action::DeleteApp { app: name("pds") }, "delete app pds"),
            (Action::Restart { process: None }, "restart coordinator"),
            (
                Action::SetStatus { name: name("pds-data-1"), status: LeaseStatus::Bound.into() },
                "write lease/pds-data-1 BOUND by hand",
            ),
            (Action::SetVolume { disk: name("d"), volume: None }, "take the volume from disk d by hand"),
            (
                Action::SetWorkload { app: name("pds"), service: name("web"), change },
                "workload pds/web: exit_after = never",
            ),
        ] {
            assert_eq!(action(&given), text);
        }
    }

    #[test]
    fn faults_say_where_what_and_when() {
        let spec = FaultSpec {
            name: Name::new("slow"),
            on: vec![Point::Mount, Point::Unmount],
            filter: Filter::default(),
            when: When { calls: vec![1, 3], chance_ppm: Some(250_000), ..When::default() },
            effect: Effect::Delay(SimDuration::from_secs(40).into()),
        };
        assert_eq!(fault(&spec), "disk.mount, disk.unmount: delay 0:40, calls 1, 3, chance 0.25");
    }
}
