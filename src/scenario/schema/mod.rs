//! The format as data: every table of a scenario file, its keys, their kinds, defaults and meaning.
//!
//! The walker reads files by these lists and the reference page is made from them, so neither can
//! know a key that the other does not. Only names and texts; nothing is parsed here. What a
//! newcomer gets wrong: a key that is listed and never read is a bug, and the walker asserts it.

mod constants;
mod json;
mod moments;
#[cfg(test)]
mod reference;
mod tables;

pub use json::json_schema;
pub(crate) use json::json_schema_of;
#[cfg(test)]
pub(crate) use reference::{reference, section};

pub(crate) use moments::{CLAIM, PER_THING, claimed, counted};
pub(crate) use tables::{BOUNDS, EFFECT, SCENARIO, SPREAD, WORKLOAD};

use super::claims::Of;

/// What stands under a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// The name of something.
    Name,
    /// A list of names.
    Names,
    /// `"2026-03-11"`, `"current"` or `"proposed"`.
    Day,
    /// `"5m"`.
    Duration,
    /// A duration longer than nothing.
    Pause,
    /// `["1s", "4s"]`.
    DurationPair,
    /// A duration that may be random.
    Spread,
    /// A random duration, `"never"`, or a list of these for each boot.
    Delays,
    /// A whole number within bounds.
    Int { min: u64, max: u64 },
    /// A list of whole numbers from 1.
    Ints,
    /// A number with a point, in parts per million, within bounds.
    Decimal { min: u64, max: u64 },
    /// Any number that is not negative.
    Number,
    /// `"5/s"`.
    Rate,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `{}`: there is nothing to say about it.
    Empty,
    /// A list of texts.
    Texts,
    /// A value of any kind, as some other key takes it.
    Value,
    /// A list of such values.
    Values,
    /// A table.
    Table(&'static TableSpec),
    /// A table of which there can be several.
    Tables(&'static TableSpec),
    /// A table for each app and service: `[workload.APP.SERVICE]`.
    PerService(&'static TableSpec),
    /// `true` or `false`.
    Flag,
    /// Any key that is the name of a thing, with claims of it: `"pool/a-web"`.
    PerThing,
    /// What is claimed of a field with such values.
    Claim(Of),
    /// How many there are: a number, a table, or a list of tables.
    Counts(&'static TableSpec),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As the reference shows it: a value as TOML, or words.
    pub(crate) default: &'static str,
    /// What it means, in one line.
    pub(crate) doc: &'static str,
}

/// The default of a key that must be there.
pub(crate) const REQUIRED: &str = "required";
/// The default of a key of which a table has exactly one.
pub(crate) const ONE_OF: &str = "one of these";

/// One table.
#[derive(Debug)]
pub(crate) struct TableSpec {
    /// As messages name it: `[[step]]`, `do.deploy`.
    pub(crate) name: &'static str,
    /// What it is about.
    pub(crate) doc: &'static str,
    pub(crate) keys: Keys,
}

/// The keys of a table: written down here, or made from another list.
#[derive(Debug)]
pub(crate) enum Keys {
    Listed(&'static [Key]),
    Made(fn() -> &'static [Key]),
}

impl TableSpec {
    /// Its keys, in the order of the documentation.
    pub(crate) fn keys(&self) -> &'static [Key] {
        match self.keys {
            Keys::Listed(keys) => keys,
            Keys::Made(keys) => keys(),
        }
    }
    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys().iter().map(|key| key.name)
    }
    /// The key of that name; where things are keys, any name with a slash is one.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        let thing = |key: &Key| matches!(key.kind, Kind::PerThing) && name.contains('/');
        self.keys().iter().find(|key| key.name == name || thing(key))
    }
    /// The tables directly below it.
    fn children(&self) -> impl Iterator<Item = &'static TableSpec> {
        self.keys().iter().flat_map(|key| match key.kind {
            Kind::Table(spec) | Kind::Tables(spec) | Kind::PerService(spec) | Kind::Counts(spec) => vec![spec],
            Kind::Spread => vec![&SPREAD],
            Kind::PerThing => [&CLAIM].into_iter().chain(moments::all_claimed()).collect(),
            _ => Vec::new(),
        })
    }
}

/// Every table of a scenario file, each once, parents before children, in the order of the documentation.
pub(crate) fn tables() -> Vec<&'static TableSpec> {
    let mut found = tables_from(&SCENARIO);
    found.push(&SPREAD);
    found
}

/// A table and all below it.
pub(crate) fn tables_from(root: &'static TableSpec) -> Vec<&'static TableSpec> {
    fn visit(spec: &'static TableSpec, found: &mut Vec<&'static TableSpec>) {
        if found.iter().any(|known| std::ptr::eq(*known, spec)) {
            return;
        }
        found.push(spec);
        for child in spec.children().filter(|child| !std::ptr::eq(*child, &SPREAD)) {
            visit(child, found);
        }
    }
    let mut found = Vec::new();
    visit(root, &mut found);
    found
}

/// The table that does have a key which `spec` lacks: a child or sibling rather than a stranger.
pub(crate) fn owner_of(key: &str, spec: &'static TableSpec) -> Option<&'static TableSpec> {
    let all = tables();
    let same = |a: &TableSpec, b: &TableSpec| std::ptr::eq(a, b);
    let parents = || all.iter().copied().filter(|parent| parent.children().any(|child| same(child, spec)));
    let distance = |owner: &'static TableSpec| {
        if spec.children().any(|child| same(child, owner)) {
            0
        } else if parents().any(|parent| parent.children().any(|child| same(child, owner))) {
            1
        } else if parents().any(|parent| same(parent, owner)) {
            2
        } else {
            3
        }
    };
    all.iter()
        .copied()
        // Whoever misplaces a field of a thing did not mean a filter of a count.
        .filter(|owner| !same(owner, spec) && !moments::is_count(owner) && owner.key(key).is_some())
        .min_by_key(|owner| distance(owner))
}
