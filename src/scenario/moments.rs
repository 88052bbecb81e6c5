//! `[[expect.at]]`: reads what a scenario claims of the state at moments.
//!
//! Knows the kinds of things and their fields; whether such a thing ever comes to be only a run can say, but
//! an app that no step deploys and a node of no cluster are found here.

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Controller, Kind as Entity, Name};

use super::claims::{Claim, Lasting, Moment, Of, THINGS, Test, Thing, ThingField, Want, thing};
use super::diagnostics::Span;
use super::numbers;
use super::schema::{CLAIM, claimed, counted};
use super::suggest::listed;
use super::tree::{Entry, Node, Value};
use super::values;
use super::walk::{Fields, Walk};

/// More moments than this are a mistake.
const MOMENTS_MAX: usize = 1000;

/// The moments of an `expect`; no moment is later than `end`.
pub(crate) fn moments(walk: &mut Walk, expect: &mut Fields<'_>, end: SimTime) -> Vec<Moment> {
    let tables = expect.tables(walk, "at", MOMENTS_MAX);
    tables.into_iter().filter_map(|fields| moment(walk, fields, end)).collect()
}

fn moment(walk: &mut Walk, mut fields: Fields<'_>, end: SimTime) -> Option<Moment> {
    let span = fields.get("at").map_or(fields.span, |node| node.span);
    let at = match fields.need(walk, "at") {
        Some(_) => fields.time(walk, "at"),
        None => None,
    };
    let lasting = lasting(walk, &mut fields);
    let before = walk.problems.len();
    let mut claims = Vec::new();
    for entry in fields.things() {
        claims.extend(of_thing(walk, entry));
    }
    if let Some(mut counts) = fields.table(walk, "count") {
        for thing in THINGS {
            if let Some(node) = counts.get(thing.kind.name()) {
                claims.extend(counts_of(walk, thing, node));
            }
        }
    }
    if claims.is_empty() && walk.problems.len() == before {
        walk.error(fields.span, "nothing is claimed of this moment")
            .help("write one like `\"pool/a-web\".current_instances = 3` or `count.sandbox = 3`")
            .dependent();
    }
    let moment = Moment { at: at?, lasting: lasting?, claims };
    if moment.until() > end {
        let what = if moment.at > end { "this moment" } else { "the end of this span" };
        walk.error(span, format!("{what} comes after the horizon ({})", end.elapsed())).dependent();
    }
    Some(moment)
}

/// What the span asks; nothing where it cannot be read.
fn lasting(walk: &mut Walk, fields: &mut Fields<'_>) -> Option<Lasting> {
    let (within, lasts) = (fields.get("within"), fields.get("for"));
    if let (Some(_), Some(lasts)) = (within, lasts) {
        return walk
            .error(lasts.span, "`within` and `for` say different things of the same span")
            .help("keep one of them")
            .none();
    }
    let read: Option<SimDuration> = match (within, lasts) {
        (None, None) => return Some(Lasting::Now),
        (Some(_), _) => fields.duration(walk, "within"),
        (None, Some(_)) => fields.duration(walk, "for"),
    };
    read.map(if within.is_some() { Lasting::Within } else { Lasting::For })
}

/// The claims of one thing.
fn of_thing(walk: &mut Walk, entry: &Entry) -> Vec<Claim> {
    let (kind, name) = entry.key.split_once('/').expect("a key of a thing has a slash");
    let Some(of) = thing(kind) else {
        walk.unknown(entry.key_span, "kind of things", kind, THINGS.iter().map(|thing| thing.kind.name()));
        return Vec::new();
    };
    let Some(name) = thing_name(walk, of.kind, name, entry.key_span) else { return Vec::new() };
    if entry.node.table().is_none() {
        let names = of.fields().map(|field| field.name);
        let (first, fields) = (names.clone().next().unwrap_or_default(), listed(names));
        walk.mismatch(&entry.node, &format!("claims of the {kind}"))
            .help(format!("name a field, like `\"{}\".{first} = …`: {fields}", entry.key));
        return Vec::new();
    }
    let Some(mut fields) = Fields::open(walk, &entry.node, claimed(of)) else { return Vec::new() };
    let before = walk.problems.len();
    let absent = fields.get("absent").and_then(|node| flag(walk, node));
    let by = fields.get("by").and_then(|node| controller(walk, node));
    let mut claims = Vec::new();
    if absent.is_some() || by.is_some() {
        claims.push(Claim::Thing { kind: of.kind, name, absent: absent == Some(true), by });
    }
    for field in of.fields() {
        let Some(node) = fields.get(field.name) else { continue };
        if absent == Some(true) {
            walk.error(node.span, format!("a {kind} that is absent has no `{}`", field.name));
        } else if let Some((test, by)) = claim(walk, field, node) {
            claims.push(Claim::Field { kind: of.kind, name, field, test, by });
        }
    }
    if claims.is_empty() && walk.problems.len() == before && entry.node.table().is_some_and(|table| table.0.is_empty())
    {
        walk.error(entry.node.span, "nothing is claimed of this thing").help("write `absent = false`: it is there");
    }
    claims
}

/// The counts of a kind: one, or a list.
fn counts_of(walk: &mut Walk, of: &'static Thing, node: &Node) -> Vec<Claim> {
    match &node.value {
        Value::Integer(..) => numbers::int(walk, node, 0, u64::MAX)
            .map(|n| Claim::Count { kind: of.kind, which: Vec::new(), min: n, max: Some(n) })
            .into_iter()
            .collect(),
        Value::Array(items) => items.iter().filter_map(|item| count(walk, of, item)).collect(),
        Value::Table(_) => count(walk, of, node).into_iter().collect(),
        _ => {
            walk.mismatch(node, "a whole number or a table like `{ equals = 3 }`");
            Vec::new()
        }
    }
}

fn count(walk: &mut Walk, of: &'static Thing, node: &Node) -> Option<Claim> {
    let mut fields = Fields::open(walk, node, counted(of))?;
    let before = walk.problems.len();
    let [equals, min, max] = ["equals", "min", "max"].map(|key| fields.int(walk, key));
    let mut which = Vec::new();
    for field in of.fields() {
        let Some(node) = fields.get(field.name) else { continue };
        match claim(walk, field, node) {
            Some((Some(test), None)) => which.push((field, test)),
            Some(_) => drop(walk.error(node.span, "`by` does not choose what is counted")),
            None => {}
        }
    }
    if walk.problems.len() > before {
        return None;
    }
    match (equals, min, max) {
        (None, None, None) => {
            return walk
                .error(node.span, "this count says no number")
                .help("write `equals`, `min` or `max`")
                .dependent()
                .none();
        }
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            return walk.error(node.span, "`equals` leaves nothing for `min` and `max` to say").none();
        }
        (_, Some(min), Some(max)) if min > max => {
            return walk.error(node.span, "`min` is more than `max`").none();
        }
        _ => {}
    }
    Some(Claim::Count { kind: of.kind, which, min: equals.or(min).unwrap_or(0), max: equals.or(max) })
}

/// What is claimed of a field: a value, or a table that says more.
fn claim(walk: &mut Walk, field: &'static ThingField, node: &Node) -> Option<(Option<Test>, Option<Controller>)> {
    if node.table().is_none() {
        return want(walk, field, node).map(|want| (Some(Test::Is(want)), None));
    }
    let mut fields = Fields::open(walk, node, &CLAIM)?;
    let before = walk.problems.len();
    let [equals, not, has] = ["equals", "not", "has"].map(|key| fields.get(key));
    let [least, most] = ["min", "max"].map(|key| fields.get(key));
    let absent = fields.get("absent");
    let by_whom = fields.get("by");
    let by = by_whom.and_then(|node| controller(walk, node));

    let mut tests: Vec<(Span, Option<Test>)> = Vec::new();
    tests.extend(equals.map(|node| (node.span, want(walk, field, node).map(Test::Is))));
    tests.extend(not.map(|node| (node.span, want(walk, field, node).map(Test::Not))));
    if let Some(first) = least.or(most) {
        let [min, max] = [least, most].map(|node| node.and_then(|node| limit(walk, field, node)));
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            walk.error(node.span, "`min` is more than `max`");
        }
        tests.push((first.span, Some(Test::Between { min, max })));
    }
    tests.extend(has.map(|node| (node.span, item(walk, field, node).map(Test::Has))));
    if let Some(node) = absent {
        let there = matches!(field.of, Of::Count | Of::Flag | Of::Things(_) | Of::Texts);
        if there || !matches!(field.from, super::claims::From::Store(_) | super::claims::From::Spec(_)) {
            walk.error(node.span, format!("`{}` always has a value", field.name));
        }
        tests.push((node.span, flag(walk, node).map(Test::Absent)));
    }
    if let [_, (second, _), ..] = &tests[..] {
        walk.error(*second, format!("this says another thing of `{}` at the same time", field.name))
            .help("keep one of `equals`, `not`, `min` with `max`, `has` and `absent`");
    }
    if tests.is_empty() && by_whom.is_none() && walk.problems.len() == before {
        walk.error(node.span, "this claim says nothing")
            .help("write a value, or one of the keys of a claim")
            .dependent();
    }
    if walk.problems.len() > before {
        return None;
    }
    Some((tests.pop().and_then(|(_, test)| test), by))
}

/// The value that a field is to have.
fn want(walk: &mut Walk, field: &ThingField, node: &Node) -> Option<Want> {
    match field.of {
        Of::Count => numbers::int(walk, node, 0, u64::MAX).map(Want::Number),
        Of::Time => values::duration(walk, node).map(|d| Want::Number(d.as_nanos())),
        Of::Flag => flag(walk, node).map(Want::Flag),
        Of::Text | Of::Word(_) | Of::Thing(_) => item(walk, field, node).map(Want::Text),
        Of::Things(_) | Of::Texts => {
            let items = values::list(walk, node, "texts")?;
            let read: Vec<Option<Name>> = items.iter().map(|node| item(walk, field, node)).collect();
            read.into_iter().collect::<Option<_>>().map(Want::List)
        }
    }
}

/// A text, a word, or a name of a thing, as the field has them or its list holds them.
fn item(walk: &mut Walk, field: &ThingField, node: &Node) -> Option<Name> {
    match field.of {
        Of::Text | Of::Texts => values::text(walk, node).map(Name::new),
        Of::Word(words) => values::word(walk, node, field.name, words).map(|index| Name::new(words[index])),
        Of::Thing(kind) | Of::Things(kind) => {
            let text = values::text(walk, node)?;
            match text.split_once('/') {
                Some((other, _)) if other != kind.name() => {
                    let problem = walk.error(node.span, format!("`{}` names a {}", field.name, kind.name()));
                    problem.help(format!("write its name, with or without `{}/`", kind.name()));
                    None
                }
                Some((_, name)) => thing_name(walk, kind, name, node.span),
                None => thing_name(walk, kind, text, node.span),
            }
        }
        Of::Count | Of::Time | Of::Flag => {
            walk.error(node.span, format!("`has` is for lists, and `{}` is none", field.name)).none()
        }
    }
}

/// A bound of a count, of a time, or of the length of a list.
fn limit(walk: &mut Walk, field: &ThingField, node: &Node) -> Option<u64> {
    match field.of {
        Of::Count | Of::Things(_) | Of::Texts => numbers::int(walk, node, 0, u64::MAX),
        Of::Time => values::duration(walk, node).map(SimDuration::as_nanos),
        Of::Flag | Of::Text | Of::Word(_) | Of::Thing(_) => {
            walk.error(node.span, format!("`{}` is neither a number nor a time nor a list", field.name)).none()
        }
    }
}

/// The name of a thing, without its kind; apps and nodes are known before anything runs.
fn thing_name(walk: &mut Walk, kind: Entity, name: &str, span: Span) -> Option<Name> {
    // The name of an app may say that it is the second of that name.
    let own = name.split_once('~').map_or(name, |(own, _)| own);
    match kind {
        _ if own.is_empty() => {
            return walk.error(span, "a name cannot be empty").none();
        }
        _ if name.contains('/') => {
            return walk.error(span, "a name cannot contain `/`").none();
        }
        Entity::App => walk.apps_named.push((Name::new(own), span)),
        Entity::Node => {
            let nodes = walk.nodes.clone().unwrap_or_default();
            if !nodes.is_empty() && !nodes.iter().any(|node| node.as_str() == name) {
                walk.unknown(span, "node", name, nodes.iter().map(|node| node.as_str())).dependent();
                return None;
            }
        }
        _ => {}
    }
    Some(Name::new(name))
}

fn flag(walk: &mut Walk, node: &Node) -> Option<bool> {
    if let Value::Boolean(flag) = node.value {
        return Some(flag);
    }
    walk.mismatch(node, "true or false").none()
}

fn controller(walk: &mut Walk, node: &Node) -> Option<Controller> {
    values::known(walk, node, "controller", Controller::ALL, |controller| controller.name()).copied()
}
