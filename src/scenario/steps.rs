//! `[[step]]` and `[[traffic]]`: what operators do, and who asks.
//!
//! Knows the actions and their arguments; config files are read by `deploy`. A name that an action refers to
//! must exist, as far as the file can tell.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{AnyStatus, Controller, Kind, Name};

use super::cluster::{change, node_named, process_named};
use super::deploy::{self, Place};
use super::numbers;
use super::policy::PolicyText;
use super::story::{Action, Step, Traffic, Upgrade};
use super::suggest::listed;
use super::tree::{Node, Value};
use super::values;
use super::walk::{Fields, Walk};

/// More steps than this are a mistake.
const STEPS_MAX: usize = 100_000;

/// Reads all steps; those with problems are missing.
pub(crate) fn steps(walk: &mut Walk, scenario: &mut Fields<'_>, place: &Place<'_>) -> Vec<Step> {
    let tables = scenario.tables(walk, "step", STEPS_MAX);
    let mut steps = Vec::new();
    let mut spans = BTreeMap::new();
    for (index, mut fields) in tables.into_iter().enumerate() {
        let span = fields.get("name").map_or(fields.span, |node| node.span);
        let name = match fields.name(walk, "name") {
            Some(name) => name,
            None => Name::new(&format!("step {}", index + 1)),
        };
        match spans.entry(name) {
            Entry::Vacant(place) => {
                place.insert(span);
            }
            Entry::Occupied(first) => {
                walk.error(span, format!("two steps are called `{name}`")).context(*first.get(), "the first one");
            }
        }
        walk.steps.push(name);
        let at = fields.need(walk, "at").and_then(|node| values::duration(walk, node)).map(|d| SimTime::ZERO + d);
        let action = fields.need(walk, "do").is_some().then(|| fields.table(walk, "do")).flatten();
        let action = action.and_then(|fields| action_of(walk, fields, place));
        steps.extend(at.zip(action).map(|(at, action)| Step { name, at, action }));
    }
    steps
}

fn action_of(walk: &mut Walk, mut choice: Fields<'_>, place: &Place<'_>) -> Option<Action> {
    let (verb, node) = choice.exactly_one(walk)?;
    if verb == "note" {
        return values::text(walk, node).map(|text| Action::Note { text: Name::new(text) });
    }
    let before = walk.problems.len();
    let mut fields = choice.table(walk, verb)?;
    match verb {
        "deploy" => deploy::read(walk, fields, place),
        "delete_app" => app(walk, &mut fields).map(|app| Action::DeleteApp { app }),
        "restart_app" => app(walk, &mut fields).map(|app| Action::RestartApp { app }),
        "set_desired" => {
            let (app, service) = (app(walk, &mut fields), needed_name(walk, &mut fields, "service"));
            let instances = fields.need(walk, "instances").and_then(|_| fields.int(walk, "instances"));
            let instances = instances.map(|n| u32::try_from(n).expect("within bounds of 32 bits"));
            Some(Action::SetDesired { app: app?, service: service?, instances: instances? })
        }
        "delete_disk" => plain_name(walk, &mut fields, "disk").map(|disk| Action::DeleteDisk { disk }),
        "set_status" => set_status(walk, &mut fields),
        "set_volume" => {
            let disk = plain_name(walk, &mut fields, "disk");
            let volume = fields.get("volume").map(|node| without_kind(walk, node, "volume"));
            // A volume that cannot be read is not none.
            let volume = volume.map_or(Some(None), |volume| volume.map(Some));
            Some(Action::SetVolume { disk: disk?, volume: volume? })
        }
        "lose_volume" => plain_name(walk, &mut fields, "disk").map(|disk| Action::LoseVolume { disk }),
        "lose_mount" => plain_name(walk, &mut fields, "disk").map(|disk| Action::LoseMount { disk }),
        "set_workload" => {
            let (app, service) = (app(walk, &mut fields), needed_name(walk, &mut fields, "service"));
            let span = fields.span;
            let change = change(walk, fields);
            if change == Default::default() && walk.problems.len() == before {
                walk.error(span, "`do.set_workload` changes nothing").help("name at least one key of the workload");
            }
            Some(Action::SetWorkload { app: app?, service: service?, change })
        }
        "kill" => plain_name(walk, &mut fields, "sandbox").map(|sandbox| Action::Kill { sandbox }),
        "node_down" => node_of(walk, &mut fields).map(|node| Action::NodeDown { node }),
        "node_up" => node_of(walk, &mut fields).map(|node| Action::NodeUp { node }),
        "drain" => node_of(walk, &mut fields).map(|node| Action::Drain { node }),
        "restart" => {
            let process = fields.need(walk, "process").and_then(|node| process_named(walk, node));
            process.map(|process| Action::Restart { process })
        }
        "upgrade" => upgrade(walk, fields, before).map(Action::Upgrade),
        "cut_watch" => {
            let controller = fields.need(walk, "controller").and_then(|node| watching(walk, node));
            let lasts = fields.need(walk, "lasts").and_then(|node| values::duration(walk, node));
            Some(Action::CutWatch { controller: controller?, lasts: lasts? })
        }
        other => unreachable!("`do.{other}` is listed and not read"),
    }
}

/// A status written by hand: of an entity named with its kind, which says what statuses there are.
fn set_status(walk: &mut Walk, fields: &mut Fields<'_>) -> Option<Action> {
    const KINDS: [Kind; 4] = [Kind::Sandbox, Kind::Disk, Kind::Lease, Kind::Node];
    let (of, status) = (fields.need(walk, "of"), fields.need(walk, "status"));
    let of = of?;
    let text = values::text(walk, of)?;
    let Some((kind, name)) = text.split_once('/') else {
        return walk
            .error(of.span, "a name with its kind is missing")
            .help("write one like \"lease/pds-data-1\"")
            .none();
    };
    let Some(kind) = KINDS.into_iter().find(|known| known.name() == kind) else {
        walk.unknown(of.span, "kind of things with a status", kind, KINDS.iter().map(|kind| kind.name()));
        return None;
    };
    let name = values::name(walk, &Node { span: of.span, value: Value::String(name.to_owned()) });
    let what = format!("status of a {}", kind.name());
    let status = values::known(walk, status?, &what, &AnyStatus::of(kind), |status| status.name()).copied();
    Some(Action::SetStatus { name: name?, status: status? })
}

/// `before` is the number of problems before its table was opened.
fn upgrade(walk: &mut Walk, fields: Fields<'_>, before: usize) -> Option<Upgrade> {
    let span = fields.span;
    let text = PolicyText::read(walk, fields);
    if text.as_of.is_none() && text.with.is_empty() && text.without.is_empty() {
        if walk.problems.len() == before {
            walk.error(span, "`do.upgrade` changes nothing").help("name one of `as_of`, `with` and `without`");
        }
        return None;
    }
    let as_of = text.as_of.map(|(_, fixes)| fixes);
    Some(Upgrade { as_of, with: text.with, without: text.without })
}

/// A controller.
pub(crate) fn controller(walk: &mut Walk, node: &Node) -> Option<Controller> {
    values::known(walk, node, "controller", Controller::ALL, |controller| controller.name()).copied()
}

/// A controller that has watches.
fn watching(walk: &mut Walk, node: &Node) -> Option<Controller> {
    let has: Vec<Controller> = Controller::ALL.iter().copied().filter(|controller| controller.has_watches()).collect();
    let names = || has.iter().map(|controller| controller.name());
    let blind = Controller::ALL.iter().find(|controller| node.string() == Some(controller.name()));
    if let Some(name) = blind.filter(|controller| !controller.has_watches()).map(|controller| controller.name()) {
        return walk
            .error(node.span, format!("`{name}` has no watches"))
            .help(format!("these have: {}", listed(names())))
            .none();
    }
    values::known(walk, node, "controller", &has, |controller| controller.name()).copied()
}

/// The app that an action is about; some step must deploy it.
pub(crate) fn app(walk: &mut Walk, fields: &mut Fields<'_>) -> Option<Name> {
    let node = fields.need(walk, "app")?;
    let name = values::name(walk, node)?;
    walk.apps_named.push((name, node.span));
    Some(name)
}

fn node_of(walk: &mut Walk, fields: &mut Fields<'_>) -> Option<Name> {
    let node = fields.need(walk, "node")?;
    node_named(walk, node)
}

/// A name that must be there.
pub(crate) fn needed_name(walk: &mut Walk, fields: &mut Fields<'_>, key: &str) -> Option<Name> {
    fields.need(walk, key).and_then(|node| values::name(walk, node))
}

/// A runtime entity's name, which may be written with its kind: `sandbox/pds-database-0`.
fn plain_name(walk: &mut Walk, fields: &mut Fields<'_>, key: &str) -> Option<Name> {
    let node = fields.need(walk, key)?;
    without_kind(walk, node, key)
}

/// The name of an entity of a kind, without the kind.
pub(crate) fn without_kind(walk: &mut Walk, node: &Node, kind: &str) -> Option<Name> {
    let bare = node.string().and_then(|text| text.strip_prefix(kind)?.strip_prefix('/'));
    match bare {
        Some(bare) => values::name(walk, &Node { span: node.span, value: Value::String(bare.to_owned()) }),
        None => values::name(walk, node),
    }
}

/// Reads all traffic.
pub(crate) fn traffic(walk: &mut Walk, scenario: &mut Fields<'_>, horizon: SimTime) -> Vec<Traffic> {
    let tables = scenario.tables(walk, "traffic", STEPS_MAX);
    tables.into_iter().filter_map(|fields| one_traffic(walk, fields, horizon)).collect()
}

fn one_traffic(walk: &mut Walk, mut fields: Fields<'_>, horizon: SimTime) -> Option<Traffic> {
    let (app, service) = (app(walk, &mut fields), needed_name(walk, &mut fields, "service"));
    let every: Option<SimDuration> = fields.need(walk, "rate").and_then(|node| numbers::rate(walk, node));
    let poisson = fields.word(walk, "arrivals").unwrap_or(0) == 0;
    let via_ingress = fields.word(walk, "via").unwrap_or(0) == 0;
    let (from, until) = window(walk, &mut fields);
    let (from, until) = (from.unwrap_or_default(), until.unwrap_or(horizon));
    let (app, service) = (app?, service?);
    if from >= horizon {
        walk.warnings.push(format!("the traffic for {app}/{service} begins after the horizon"));
    }
    Some(Traffic { app, service, every: every?, poisson, via_ingress, from, until })
}

/// `from` and `until`, which must leave some time between them.
pub(crate) fn window(walk: &mut Walk, fields: &mut Fields<'_>) -> (Option<SimTime>, Option<SimTime>) {
    let (from, until) = (fields.time(walk, "from"), fields.time(walk, "until"));
    if let (Some(from), Some(until), Some(node)) = (Some(from.unwrap_or_default()), until, fields.get("until"))
        && from >= until
    {
        walk.error(node.span, format!("`until` ({until}) is not later than `from` ({from})"));
    }
    (from, until)
}
