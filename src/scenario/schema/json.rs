//! The format as a JSON Schema, for editors: completion, documentation, errors while typing.
//!
//! Made from the same tables as the walker and the reference page, so that the three agree. It knows
//! shapes and names and no file: what follows from two places of a file together (a step that no
//! deploy names) only `schedsim check` can say. What a newcomer gets wrong: the schema may be laxer
//! than the walker, never stricter – an editor that underlines a good file is worse than none.

use serde_json::{Map, Value, json};

use crate::controllers::fixes::Fix;
use crate::model::{Controller, Invariant, Point, Words};
use crate::scenario::claims::{Of, THINGS, Thing};

use super::{CLAIM, claimed};
use super::{Key, Kind, ONE_OF, REQUIRED, SCENARIO, SPREAD, TableSpec, tables_from};

/// The schema of a scenario file.
pub fn json_schema() -> Value {
    json_schema_of(&SCENARIO, "a scenario of schedsim")
}

/// The schema of the file whose tables begin with `root`.
pub(crate) fn json_schema_of(root: &'static TableSpec, title: &str) -> Value {
    let mut defs = shared();
    for spec in tables_from(root).into_iter().chain([&SPREAD]).filter(|spec| !std::ptr::eq(*spec, root)) {
        let taken = defs.insert(slug(spec), object(spec));
        assert!(taken.is_none(), "two tables are called {}", spec.name);
    }
    let mut schema = object(root);
    let fields = schema.as_object_mut().expect("a table is an object");
    fields.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    fields.insert("title".to_owned(), title.into());
    fields.insert("$defs".to_owned(), defs.into());
    schema
}

/// What stands below a name of a table in `$defs`.
fn slug(spec: &TableSpec) -> String {
    let kept: String =
        spec.name.chars().map(|c| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { ' ' }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join("-")
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A unit of time.
const UNIT: &str = "(ns|us|µs|ms|s|m|h|d)";
/// A name, as far as an expression can say it; it neither begins nor ends with a space.
const NAME: &str = "[^/\\s]([^/]*[^/\\s])?";

/// The values that many keys share.
fn shared() -> Map<String, Value> {
    let defs = json!({
        "name": { "type": "string", "maxLength": 200, "pattern": format!("^{NAME}$") },
        "duration": {
            "type": "string",
            "pattern": format!("^\\s*([0-9]+(\\.[0-9]+)?{UNIT})+\\s*$"),
            "description": "a duration like \"500ms\", \"90s\", \"1h30m\" or \"2d\"",
        },
        "rate": {
            "type": "string",
            "pattern": format!("^\\s*\\+?[0-9.]+([eE][-+]?[0-9]+)?\\s*/\\s*{UNIT}\\s*$"),
            "description": "a rate like \"5/s\" or \"30/m\"",
        },
        "day": {
            "anyOf": [
                { "enum": ["current", "proposed"] },
                { "type": "string", "pattern": "^[0-9]+-[0-9]+-[0-9]+$" },
            ],
            "description": "a day like \"2026-03-11\", \"current\" or \"proposed\"",
        },
        "spread": {
            "anyOf": [reference("duration"), reference(&slug(&SPREAD))],
            "description": "a duration, or a random one",
        },
        "delay": { "anyOf": [{ "const": "never" }, reference("spread")] },
        "delays": {
            "anyOf": [reference("delay"), { "type": "array", "items": reference("delay"), "minItems": 1 }],
            "description": "a delay, \"never\", or a list with one for each boot, the last of which repeats",
        },
        "fix": { "enum": Fix::ALL.iter().map(|fix| fix.name()).collect::<Vec<_>>() },
        "invariant": { "enum": Invariant::WORDS },
        "controller": { "enum": Controller::WORDS },
        "fault-point": { "enum": points() },
    });
    let Value::Object(defs) = defs else { unreachable!("just written as an object") };
    defs
}

/// Every fault point, and every group of them.
fn points() -> Vec<String> {
    let mut groups: Vec<String> = Point::ALL.iter().map(|point| format!("{}.*", point.group())).collect();
    groups.dedup();
    Point::ALL.iter().map(|point| point.name().to_owned()).chain(groups).collect()
}

/// A table: its keys and no others.
fn object(spec: &'static TableSpec) -> Value {
    let (things, keys): (Vec<&Key>, Vec<&Key>) = spec.keys().iter().partition(|key| matches!(key.kind, Kind::PerThing));
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(spec, key))).collect();
    let mut object = Map::new();
    object.insert("type".to_owned(), "object".into());
    object.insert("additionalProperties".to_owned(), false.into());
    if !spec.doc.is_empty() {
        object.insert("description".to_owned(), spec.doc.into());
    }
    let named =
        |default: &'static str| spec.keys().iter().filter(move |key| key.default == default).map(|key| key.name);
    let required: Vec<&str> = named(REQUIRED).collect();
    if !required.is_empty() {
        object.insert("required".to_owned(), required.into());
    }
    let choices: Vec<Value> = named(ONE_OF).map(|name| json!({ "required": [name] })).collect();
    if !choices.is_empty() {
        object.insert("oneOf".to_owned(), choices.into());
    }
    object.insert("properties".to_owned(), properties.into());
    if !things.is_empty() {
        let claims = |thing: &'static Thing| (format!("^{}/", thing.kind.name()), reference(&slug(claimed(thing))));
        object.insert("patternProperties".to_owned(), THINGS.iter().map(claims).collect::<Map<_, _>>().into());
    }
    Value::Object(object)
}

fn property(spec: &TableSpec, key: &Key) -> Value {
    let mut schema = special(spec, key).unwrap_or_else(|| value(&key.kind));
    let fields = schema.as_object_mut().expect("a value's schema is an object");
    let default = match key.default {
        REQUIRED | ONE_OF => None,
        text => Some(text),
    };
    // What reads as a value is one; the rest are words for people.
    match default.map(|text| (text, serde_json::from_str::<Value>(text))) {
        Some((_, Ok(value))) => fields.insert("default".to_owned(), value),
        Some((_, Err(_))) | None => None,
    };
    let words = default.map(|text| format!("default: {text}"));
    let doc = Some(key.doc.to_owned()).filter(|doc| !doc.is_empty());
    let texts: Vec<String> = doc.into_iter().chain(words).collect();
    if !texts.is_empty() {
        fields.insert("description".to_owned(), texts.join("; ").into());
    }
    schema
}

/// The keys of which more is known than their kind says.
fn special(spec: &TableSpec, key: &Key) -> Option<Value> {
    let list = |of: &str| json!({ "type": "array", "items": reference(of) });
    let kind_before = |kind: &str| json!({ "type": "string", "pattern": format!("^({kind}/)?{NAME}$") });
    Some(match (spec.name, key.name) {
        (_, "schema") => json!({ "const": 1 }),
        (_, "with" | "without") => list("fix"),
        (_, "violations") => json!({ "anyOf": [list("invariant"), { "const": "any" }] }),
        (_, "controller") => reference("controller"),
        ("`[[fault]]`", "on") => reference("fault-point"),
        ("`where`", "app" | "service" | "sandbox" | "pool" | "disk" | "lease")
        | ("`do.delete_disk`", "disk")
        | ("`do.kill`", "sandbox") => kind_before(key.name),
        ("the sweep", "seeds") => json!({ "type": "string", "pattern": "^\\s*[0-9]+\\s*\\.\\.\\s*[0-9]+\\s*$" }),
        _ => return None,
    })
}

/// What may stand under a key.
fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Name => reference("name"),
        Kind::Names => json!({ "type": "array", "items": reference("name") }),
        Kind::Day => reference("day"),
        Kind::Duration | Kind::Pause => reference("duration"),
        Kind::DurationPair => {
            json!({ "type": "array", "items": reference("duration"), "minItems": 2, "maxItems": 2 })
        }
        Kind::Spread => reference("spread"),
        Kind::Delays => reference("delays"),
        Kind::Int { min, max: u64::MAX } => json!({ "type": "integer", "minimum": min }),
        Kind::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Ints => json!({ "type": "array", "items": { "type": "integer", "minimum": 1 } }),
        Kind::Decimal { min, max } => {
            json!({ "type": "number", "minimum": millionths(*min), "maximum": millionths(*max) })
        }
        Kind::Number => json!({ "type": "number", "minimum": 0 }),
        Kind::Rate => reference("rate"),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Empty => json!({ "type": "object", "maxProperties": 0 }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Value => json!({}),
        Kind::Values => json!({ "type": "array" }),
        Kind::Table(spec) => reference(&slug(spec)),
        Kind::Tables(spec) => json!({ "type": "array", "items": reference(&slug(spec)) }),
        Kind::PerService(spec) => {
            let services = json!({ "type": "object", "additionalProperties": reference(&slug(spec)) });
            json!({ "type": "object", "additionalProperties": services })
        }
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::PerThing => unreachable!("things are keys, not values"),
        Kind::Claim(of) => json!({ "anyOf": [claimed_value(*of), reference(&slug(&CLAIM))] }),
        Kind::Counts(spec) => {
            let (one, number) = (reference(&slug(spec)), json!({ "type": "integer", "minimum": 0 }));
            json!({ "anyOf": [number, one, { "type": "array", "items": one }] })
        }
    }
}

/// A value that a field is claimed to have.
fn claimed_value(of: Of) -> Value {
    match of {
        Of::Count => json!({ "type": "integer", "minimum": 0 }),
        Of::Time => reference("duration"),
        Of::Flag => json!({ "type": "boolean" }),
        Of::Text | Of::Thing(_) => json!({ "type": "string" }),
        Of::Word(words) => json!({ "enum": words }),
        Of::Things(_) | Of::Texts => json!({ "type": "array", "items": { "type": "string" } }),
    }
}

/// Parts per million as a number of JSON, exact.
fn millionths(ppm: u64) -> Value {
    let text = format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).expect("digits are a number")
}
