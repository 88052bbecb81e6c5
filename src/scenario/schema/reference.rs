//! The reference page of the scenario file, in Markdown, made from the tables.
//!
//! Knows the tables and the names of fault points, invariants and fixes, and no file. The page in
//! `docs/` is compared with it by a test, so it cannot grow old. What a newcomer gets wrong: never
//! edit the page; edit the tables and run the test with `UPDATE_DOCS=1`.

use std::fmt::Write;

use crate::model::{Controller, Invariant, Point, Words};
use crate::scenario::claims::Of;
use crate::trace::metrics::Figure;

use super::moments::is_count;
use super::{Key, Kind, ONE_OF, TableSpec, tables};

const HEAD: &str = "\
# Scenario reference

<!-- Generated from the tables in src/scenario/schema; do not edit. Update: UPDATE_DOCS=1 cargo test --lib scenario -->

Every key of a scenario file (`schema = 1`). A key that is not listed here is an error.

**Durations** are texts: `\"500ms\"`, `\"90s\"`, `\"1h30m\"`, `\"2d\"` (units ns, us, ms, s, m, h, d), or as clocks show them: `\"17:45.012\"`, `\"1:05:00\"`. A **random duration** is one of
these or a table (last section); a **delay per boot** is a random duration, `\"never\"`, or a list of them, one for each boot,
the last of which repeats. **Decimals** are read exactly, as parts per million. Names may not contain `/`.

For editors: `schedsim schema > scenario.schema.json`, and `#:schema scenario.schema.json` as the first line of a scenario.
";

/// The reference of the scenario file as a Markdown page.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    // What can be counted by stands in the table of the kind.
    for spec in tables().into_iter().filter(|spec| !is_count(spec)) {
        section(&mut page, spec);
    }
    page.push_str("\n## Names\n");
    names(&mut page, "Fault points", Point::WORDS.iter().copied());
    names(&mut page, "Controllers", Controller::WORDS.iter().copied());
    page.push_str("\n**Invariants**:\n\n| name | what it says, and why |\n| --- | --- |\n");
    for invariant in Invariant::ALL {
        let _ = writeln!(page, "| `{}` | {} |", invariant.name(), invariant.meaning());
    }
    names(&mut page, "Metrics", Figure::WORDS.iter().copied());
    page
}

fn names(page: &mut String, what: &str, names: impl Iterator<Item = &'static str>) {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let _ = write!(page, "\n**{what}**: {}.\n", names.join(", "));
}

/// The section of one table.
pub(crate) fn section(page: &mut String, spec: &TableSpec) {
    let mut title: String = spec.name.chars().collect();
    title[..1].make_ascii_uppercase();
    let _ = write!(page, "\n## {title}\n");
    if !spec.doc.is_empty() {
        let _ = write!(page, "\n{}\n", spec.doc);
    }
    if spec.keys().iter().all(|key| matches!(key.kind, Kind::Counts(_))) {
        let names: Vec<String> = spec.names().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(page, "\nKeys: {}; their fields stand in the tables below.", names.join(", "));
        return;
    }
    if spec.keys().iter().all(|key| key.doc.is_empty()) {
        // The metrics: one list of names at the end of the page says it all.
        return page.push_str("\nKeys: the metrics below; each is a table like `{ max = 3 }`.\n");
    }
    page.push_str("\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for key in spec.keys() {
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", key.name, value(&key.kind), default(key), key.doc);
    }
}

fn default(key: &Key) -> String {
    let toml = key.default.starts_with(['"', '[']) || key.default.starts_with(|c: char| c.is_ascii_digit());
    match key.default {
        ONE_OF => format!("*{ONE_OF}*"),
        text if toml => format!("`{text}`"),
        text => text.to_owned(),
    }
}

/// What may stand under a key, in words.
fn value(kind: &Kind) -> String {
    let point = |ppm: &u64| ppm / 1_000_000;
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Name => "name".to_owned(),
        Kind::Names => "list of names".to_owned(),
        Kind::Day => "day".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Pause => "duration above 0".to_owned(),
        Kind::DurationPair => "two durations".to_owned(),
        Kind::Spread => "random duration".to_owned(),
        Kind::Delays => "delay per boot".to_owned(),
        Kind::Int { min, max: u64::MAX } => format!("integer from {min}"),
        Kind::Int { min, max } => format!("integer, {min} to {max}"),
        Kind::Ints => "list of integers from 1".to_owned(),
        Kind::Decimal { min, max } => format!("decimal, {} to {}", point(min), point(max)),
        Kind::Number => "number".to_owned(),
        Kind::Rate => "rate, like `\"5/s\"` or `\"30/m\"`".to_owned(),
        Kind::Word(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Kind::Empty => "`{}`".to_owned(),
        Kind::Texts => "list of texts".to_owned(),
        Kind::Value => "any value".to_owned(),
        Kind::Values => "list of values".to_owned(),
        Kind::Table(spec) => format!("table: {}", spec.name),
        Kind::Tables(spec) => format!("tables: {}", spec.name),
        Kind::PerService(spec) => format!("tables: {}", spec.name),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::PerThing => "table of claims".to_owned(),
        Kind::Claim(of) => words(*of),
        Kind::Counts(_) => "integer, table, or list of tables".to_owned(),
    }
}

/// The values of a field in words.
fn words(of: Of) -> String {
    match of {
        Of::Count => "claim of an integer".to_owned(),
        Of::Time => "claim of a time, as a duration".to_owned(),
        Of::Flag => "claim of `true` or `false`".to_owned(),
        Of::Text => "claim of a text".to_owned(),
        Of::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            format!("claim of one of {}", words.join(", "))
        }
        Of::Thing(kind) => format!("claim of a name: {}", kind.name()),
        Of::Things(kind) => format!("claim of a list of names: {}", kind.name()),
        Of::Texts => "claim of a list of texts".to_owned(),
    }
}
