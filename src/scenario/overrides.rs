//! What the command line changes in a scenario: `--set`, `--seed`, `--as-of`, `--with`, `--without`.
//!
//! `--set` puts values into the file's tree before it is walked, so that they are checked like
//! the file's own, and sweeps can use the same way. It knows paths and values, not their meaning.
//! What a newcomer gets wrong: a value that is not valid TOML is a text, so `5s` needs no quotes,
//! but `[5s]` is a list with a mistake in it.

use std::sync::Arc;

use super::diagnostics::{Shadowed, Source, Span};
use super::expect::Over;
use super::policy::{self, PolicyText};
use super::suggest::{listed, similar};
use super::tree::{self, Entry, Node, Table, Value};
use super::walk::Walk;

/// What the command line changes in a scenario. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Fields by their dotted paths, with their values as TOML or bare words: `tuning.backoff.base` = `5s`.
    /// Parts of a list of tables go by index (from 0) or by name: `step.fix.at`.
    pub set: Vec<(String, String)>,
    /// The seed of every variant.
    pub seed: Option<u64>,
    /// The day of every variant's policy, or `current` or `proposed`.
    pub as_of: Option<String>,
    /// Fixes added to every variant's policy.
    pub with: Vec<String>,
    /// Fixes taken from every variant's policy, after those added.
    pub without: Vec<String>,
}

/// The texts of the options, to point into: `sources` grows by one for each.
fn option(sources: &mut Vec<Source>, name: &str, text: String) -> usize {
    sources.push(Source { name: name.to_owned(), text: Arc::from(text) });
    sources.len() - 1
}

/// A node that holds all of an option's text.
fn whole(sources: &mut Vec<Source>, name: &str, text: &str) -> Node {
    let source = option(sources, name, text.to_owned());
    Node { span: Span::new(source, 0..text.len()), value: Value::String(text.to_owned()) }
}

/// Reads the options that concern policies and seeds.
pub(crate) fn policy(walk: &mut Walk, sources: &mut Vec<Source>, overrides: &Overrides) -> Over {
    let as_of = overrides.as_of.as_ref().and_then(|day| policy::as_of(walk, &whole(sources, "--as-of", day)));
    let mut fixes = |name: &str, texts: &[String]| {
        let fixes: Vec<_> = texts.iter().filter_map(|text| policy::fix(walk, &whole(sources, name, text))).collect();
        fixes
    };
    let (with, without) = (fixes("--with", &overrides.with), fixes("--without", &overrides.without));
    for fix in with.iter().filter(|fix| without.contains(fix)) {
        walk.warnings.push(format!("`--with {fix}` and `--without {fix}` were both given: the fix is left out"));
    }
    Over { seed: overrides.seed, policy: PolicyText { as_of, with, without } }
}

/// Puts every `--set` into the tree.
pub(crate) fn set_all(walk: &mut Walk, sources: &mut Vec<Source>, root: &mut Node, overrides: &Overrides) {
    for (path, value) in &overrides.set {
        let source = option(sources, "--set", format!("{path}={value}"));
        let Some(parts) = split(walk, path, source) else { continue };
        let Some(node) = value_of(walk, value, source, path.len() + 1) else { continue };
        shadowed(walk, root, &parts);
        put(walk, root, &parts, node);
    }
}

/// One part of a path, and where it stands in the option.
struct Part {
    text: String,
    span: Span,
}

/// `a.b."c.d"` as its parts.
fn split(walk: &mut Walk, path: &str, source: usize) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut start = 0;
    loop {
        let rest = &path[start..];
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.find('"').map(|end| (&inner[..end], end + 2)));
        let (text, length) = quoted.unwrap_or_else(|| {
            let end = rest.find('.').unwrap_or(rest.len());
            (rest[..end].trim(), end)
        });
        let span = Span::new(source, start..start + length);
        let after = &rest[length..];
        if text.is_empty() || !(after.is_empty() || after.starts_with('.')) {
            return walk
                .error(span, "this is not a path of a scenario field")
                .help("write one like `tuning.backoff.base`")
                .none();
        }
        parts.push(Part { text: text.to_owned(), span });
        if after.is_empty() {
            return Some(parts);
        }
        start += length + 1;
    }
}

/// A value as TOML; what is not TOML and not the beginning of it is a text.
fn value_of(walk: &mut Walk, text: &str, source: usize, from: usize) -> Option<Node> {
    let span = Span::new(source, from..from + text.len());
    let trimmed = text.trim();
    let offset = from + (text.len() - text.trim_start().len());
    let bare = |text: &str| Node { span, value: Value::String(text.to_owned()) };
    match tree::parse_value(trimmed, source, offset) {
        // A day is a text in our files, and nobody quotes it on a command line.
        Ok(Node { value: Value::Datetime(_), .. }) => Some(bare(trimmed)),
        Ok(node) => Some(node),
        Err(why) if trimmed.starts_with(['[', '{', '"', '\'']) => {
            let problem = walk.error(span, format!("this is not valid TOML: {why}"));
            problem.help("texts inside of lists and tables need quotes: `[\"5s\", \"never\"]`");
            None
        }
        Err(_) => Some(bare(trimmed)),
    }
}

/// Warns where a variant's own table or constant replaces the one that is changed.
fn shadowed(walk: &mut Walk, root: &Node, parts: &[Part]) {
    let length = match parts[0].text.as_str() {
        "policy" | "expect" | "seed" => 1,
        "tuning" => parts.len(),
        _ => return,
    };
    let variants = root.table().and_then(|table| table.get("variant")).map(|node| &node.value);
    let Some(Value::Array(variants)) = variants else { return };
    let own = |node: &Node| {
        let found = parts[..length].iter().try_fold(node, |node, part| node.table()?.get(&part.text));
        found.is_some()
    };
    let names: Vec<&str> = variants.iter().filter(|node| own(node)).filter_map(name_of).collect();
    if !names.is_empty() {
        let path: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        let variants = names.iter().map(ToString::to_string).collect();
        walk.shadowed.push(Shadowed { warning: walk.warnings.len(), variants });
        let (path, names) = (path.join("."), listed(names));
        walk.warnings.push(format!("--set {path} does not reach {names}: a variant's own value replaces it"));
    }
}

/// Puts a value at a path, making tables on the way; whether they may be there, the walk says.
fn put(walk: &mut Walk, mut at: &mut Node, parts: &[Part], value: Node) {
    let (last, way) = parts.split_last().expect("a path has a part");
    for (depth, part) in way.iter().enumerate() {
        let Some(next) = child(walk, at, parts, depth) else { return };
        at = match next {
            Child::There(node) => node,
            Child::Missing(table) => {
                let node = Node { span: part.span, value: Value::Table(Table::default()) };
                table.0.push(Entry { key: part.text.clone(), key_span: part.span, node });
                &mut table.0.last_mut().expect("just pushed").node
            }
        };
    }
    match child(walk, at, parts, way.len()) {
        None => {}
        Some(Child::There(node)) => *node = value,
        Some(Child::Missing(table)) => {
            table.0.push(Entry { key: last.text.clone(), key_span: last.span, node: value });
        }
    }
}

enum Child<'t> {
    There(&'t mut Node),
    Missing(&'t mut Table),
}

/// What part number `depth` of a path leads to, from the node that those before it led to.
fn child<'t>(walk: &mut Walk, at: &'t mut Node, parts: &[Part], depth: usize) -> Option<Child<'t>> {
    let part = &parts[depth];
    let kind = at.kind();
    match &mut at.value {
        Value::Table(table) => match table.0.iter().position(|entry| entry.key == part.text) {
            Some(index) => Some(Child::There(&mut table.0[index].node)),
            None => Some(Child::Missing(table)),
        },
        Value::Array(items) => {
            let above = depth.checked_sub(1).map_or("the scenario", |above| parts[above].text.as_str());
            match index_of(items, &part.text, above) {
                Some(index) => Some(Child::There(&mut items[index])),
                None => {
                    no_such_item(walk, items, part, above);
                    None
                }
            }
        }
        Value::String(_) | Value::Integer(..) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
            let path: Vec<&str> = parts[..depth].iter().map(|part| part.text.as_str()).collect();
            walk.error(part.span, format!("`{}` is {kind}, there is nothing below it", path.join("."))).none()
        }
    }
}

fn no_such_item(walk: &mut Walk, items: &[Node], part: &Part, above: &str) {
    let names: Vec<&str> = items.iter().filter_map(name_of).collect();
    let problem = walk.error(part.span, format!("there is no {above} `{}`", part.text));
    match similar(&part.text, names.iter().copied()) {
        Some(meant) => problem.label(format!("did you mean `{meant}`?")),
        None if names.is_empty() => {
            let count = items.len();
            problem.help(format!("{count} of them, by number from 0"))
        }
        None => problem.help(format!("by name: {}; or by number from 0", listed(names))),
    };
}

/// The item with that number (from 0) or name, given or by default: `step 1`.
fn index_of(items: &[Node], text: &str, above: &str) -> Option<usize> {
    let number = text.parse::<usize>().ok().filter(|number| *number < items.len());
    let named = || items.iter().position(|item| name_of(item) == Some(text));
    let default = || {
        let number = text.strip_prefix(above)?.strip_prefix(' ')?.parse::<usize>().ok()?.checked_sub(1)?;
        items.get(number).filter(|item| name_of(item).is_none()).map(|_| number)
    };
    number.or_else(named).or_else(default)
}

fn name_of(item: &Node) -> Option<&str> {
    item.table()?.get("name")?.string()
}
