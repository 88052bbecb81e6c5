//! `[[fault]]`: what goes wrong, with which calls, when.
//!
//! Knows the fault points and the statuses of entities. A fault that can never strike because of what the
//! file itself says is a warning.

use crate::kernel::SimTime;
use crate::model::{AnyStatus, EffectKind, Kind, Name, Point, Words};
use crate::world::spec::{Effect, FaultSpec, Filter, Trigger, When};

use super::cluster::node_named;
use super::numbers;
use super::steps::{controller, window, without_kind};
use super::tree::Node;
use super::values;
use super::walk::{Fields, Walk};

/// More faults than this are a mistake.
const FAULTS_MAX: usize = 1000;

/// Reads all faults; those with problems are missing.
pub(crate) fn faults(walk: &mut Walk, scenario: &mut Fields<'_>, horizon: SimTime) -> Vec<FaultSpec> {
    let tables = scenario.tables(walk, "fault", FAULTS_MAX);
    let mut names: Vec<Name> = Vec::new();
    let mut faults = Vec::new();
    for (index, mut fields) in tables.into_iter().enumerate() {
        let name = fields.name(walk, "name").unwrap_or_else(|| Name::new(&format!("fault {}", index + 1)));
        if names.contains(&name) {
            walk.warnings.push(format!("two faults are called `{name}`: nothing tells them apart in the result"));
        }
        names.push(name);
        faults.extend(fault(walk, fields, name, horizon));
    }
    faults
}

fn fault(walk: &mut Walk, mut fields: Fields<'_>, name: Name, horizon: SimTime) -> Option<FaultSpec> {
    let on = fields.need(walk, "on").and_then(|node| points(walk, node));
    let filter = fields.table(walk, "where").map(|fields| filter(walk, fields)).unwrap_or_default();
    let when = fields.table(walk, "when").map(|fields| when(walk, fields)).unwrap_or_default();
    if when.from.is_some_and(|from| from >= horizon) {
        walk.warnings.push(format!("fault `{name}` begins after the horizon"));
    }
    let effect = fields.need(walk, "effect").is_some().then(|| fields.table(walk, "effect")).flatten();
    let effect = effect.and_then(|fields| effect_of(walk, fields, on.as_deref()));
    Some(FaultSpec { name, on: on?, filter, when, effect: effect? })
}

/// One point, or all of a group: `disk.*`.
fn points(walk: &mut Walk, node: &Node) -> Option<Vec<Point>> {
    let text = values::text(walk, node)?;
    let group = text.strip_suffix(".*");
    let found: Vec<Point> = Point::ALL
        .iter()
        .copied()
        .filter(|point| group.map_or(point.name() == text, |group| point.group() == group))
        .collect();
    if found.is_empty() {
        let mut known: Vec<String> = Point::ALL.iter().map(|point| point.name().to_owned()).collect();
        let mut groups: Vec<String> = Point::ALL.iter().map(|point| format!("{}.*", point.group())).collect();
        groups.dedup();
        known.extend(groups);
        walk.unknown(node.span, "fault point", text, known.iter().map(String::as_str));
        return None;
    }
    Some(found)
}

/// Reads a `where`.
fn filter(walk: &mut Walk, mut fields: Fields<'_>) -> Filter {
    let mut entity = |walk: &mut Walk, key: &str| fields.get(key).and_then(|node| without_kind(walk, node, key));
    let filter = Filter {
        app: entity(walk, "app"),
        service: entity(walk, "service"),
        sandbox: entity(walk, "sandbox"),
        pool: entity(walk, "pool"),
        disk: entity(walk, "disk"),
        lease: entity(walk, "lease"),
        node: None,
        controller: None,
        kind: None,
    };
    let node = fields.get("node").and_then(|node| node_named(walk, node));
    let controller = fields.get("controller").and_then(|node| controller(walk, node));
    let super::schema::Kind::Word(kinds) = fields.kind("kind") else { unreachable!("kinds are words") };
    let kind = fields.word(walk, "kind").map(|index| Name::new(kinds[index]));
    if let Some(app) = filter.app.filter(|app| !walk.apps.contains(app)) {
        let deployed = walk.deployed();
        walk.warnings.push(format!("a fault is about the app `{app}`, which no step deploys{deployed}"));
    }
    Filter { node, controller: controller.map(|controller| Name::new(controller.name())), kind, ..filter }
}

fn when(walk: &mut Walk, mut fields: Fields<'_>) -> When {
    let calls = fields.get("calls").and_then(|node| {
        let calls = values::distinct(walk, node, "whole numbers", |walk, item| numbers::int(walk, item, 1, u64::MAX))?;
        if calls.is_empty() {
            walk.error(node.span, "`calls` names no call").help("leave it out for all calls");
        }
        Some(calls)
    });
    let chance_ppm = fields.decimal(walk, "chance");
    let times = fields.int(walk, "times");
    let (from, until) = window(walk, &mut fields);
    let after = fields.table(walk, "after").and_then(|fields| trigger(walk, fields));
    let mut calls = calls.unwrap_or_default();
    calls.sort_unstable();
    When { calls, chance_ppm, times, from, until, after }
}

fn trigger(walk: &mut Walk, mut fields: Fields<'_>) -> Option<Trigger> {
    let kind = fields.need(walk, "kind").and_then(|_| fields.word(walk, "kind"));
    let node = fields.need(walk, "status");
    let filter = fields.table(walk, "where").map(|fields| filter(walk, fields)).unwrap_or_default();
    let nth = fields.int(walk, "nth").unwrap_or(1);
    let lasts = fields.duration(walk, "lasts");
    let status = kind.zip(node).and_then(|(kind, node)| status(walk, kind, node));
    Some(Trigger { status: status?, filter, nth, lasts })
}

/// A status of the kinds in the order of `when.after`'s list.
fn status(walk: &mut Walk, kind: usize, node: &Node) -> Option<AnyStatus> {
    let kind = [Kind::Sandbox, Kind::Disk, Kind::Lease, Kind::Node][kind];
    let what = format!("{kind} status");
    values::known(walk, node, &what, &AnyStatus::of(kind), |status| status.name()).copied()
}

fn effect_of(walk: &mut Walk, mut fields: Fields<'_>, on: Option<&[Point]>) -> Option<Effect> {
    let (effect, node) = fields.exactly_one(walk)?;
    let kind = EffectKind::named(effect).expect("the keys are the kinds of effects");
    let only = |walk: &mut Walk, may: &[Point]| {
        let wrong = on.unwrap_or_default().iter().find(|point| !may.contains(point));
        if let Some(point) = wrong {
            let may: Vec<String> = may.iter().map(|point| format!("`{}`", point.name())).collect();
            let message = format!("`{effect}` has no meaning for `{}`", point.name());
            walk.error(node.span, message).help(format!("it is an effect on {}", may.join(" and ")));
        }
        wrong.is_none()
    };
    match kind {
        EffectKind::Error => values::text(walk, node).map(|text| Effect::Error(Name::new(text))),
        EffectKind::Hang => empty(walk, node, effect).then_some(Effect::Hang),
        EffectKind::Delay => fields.spread(walk, "delay").map(Effect::Delay),
        EffectKind::LoseReply => empty(walk, node, effect).then_some(Effect::LoseReply),
        EffectKind::Stale => {
            let fits = only(walk, &[Point::StoreGet, Point::StoreList]);
            fields.duration(walk, "stale").filter(|_| fits).map(Effect::Stale)
        }
        EffectKind::Drop => {
            let fits = only(walk, &[Point::WatchDeliver]);
            (empty(walk, node, effect) && fits).then_some(Effect::Drop)
        }
        EffectKind::Crash => fields.word(walk, "crash").map(|word| [Effect::CrashBefore, Effect::CrashAfter][word]),
    }
}

/// `{}`, of which there is nothing to say.
fn empty(walk: &mut Walk, node: &Node, effect: &str) -> bool {
    match node.table() {
        Some(table) => {
            let extra = table.0.first();
            if let Some(entry) = extra {
                let problem = walk.error(entry.key_span, format!("`{effect}` has no keys, found `{}`", entry.key));
                if let Some(owner) = super::schema::owner_of(&entry.key, &super::schema::EFFECT) {
                    problem.help(format!("`{}` is a key of {}, not of `{effect}`", entry.key, owner.name));
                }
            }
            extra.is_none()
        }
        None => {
            walk.mismatch(node, "an empty table").help(format!("write `effect.{effect} = {{}}`"));
            false
        }
    }
}
