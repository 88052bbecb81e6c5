//! From a sweep file to what it asks for, everything of its own checked.
//!
//! It reads by the walker of the scenario loader and knows nothing of what a path means: settings
//! are tried on the scenarios in `plan`. All independent problems come in one go. What a newcomer
//! gets wrong: a value is kept as TOML text, for it is handed to the loader as if it stood on the
//! command line after `--set`.

use std::path::Path;
use std::sync::Arc;

use crate::kernel::SimDuration;
use crate::scenario::diagnostics::{Problem, Source, Span};
use crate::scenario::numbers;
use crate::scenario::tree::{self, Node, Value};
use crate::scenario::values;
use crate::scenario::walk::{Fields, Walk};

use super::mention::{Mention, VALUES_MAX};
pub use super::objectives::{Aggregate, Constraint, Objective};
use super::objectives::{constraints, objective};
use super::sample::{Range, Sampling, Scale};
use super::schema::SWEEP;

/// A larger file is a mistake.
const FILE_MAX: usize = 16 << 20;
/// More of one kind are a mistake.
const ITEMS_MAX: usize = 10_000;
/// The seeds of a file that does not say them.
const SEEDS: (u64, u64) = (0, 16);
/// So many values of a range that is sampled are tried before anything runs.
const TRIED: u64 = 16;

/// An assignment to a field, as on a command line: path and value as TOML.
pub type Assignment = (String, String);

/// What a sweep file asks for.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct SweepFile {
    pub name: String,
    /// What it is to find out.
    pub about: String,
    pub scenarios: Vec<String>,
    /// Which variants; none named: all.
    pub variants: Option<Vec<String>>,
    /// The first seed, and the first that is left out.
    pub seeds: (u64, u64),
    /// Today's values.
    pub baseline: Vec<Assignment>,
    pub sampling: Sampling,
    pub samples: u64,
    pub sample_seed: u64,
    pub parameters: Vec<Parameter>,
    /// Settings of their own.
    pub points: Vec<Vec<Assignment>>,
    /// What is wished; never empty.
    pub objectives: Vec<Objective>,
    pub constraints: Vec<Constraint>,
    /// Where all of that stands.
    pub(super) places: Places,
}

/// Where a sweep file says things that only the scenarios can judge.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) source: Source,
    /// Of each entry of `scenarios`.
    pub(super) scenarios: Vec<Span>,
    /// Of `variants`.
    pub(super) variants: Span,
    /// Of each objective: what it says of the runs that it is about.
    pub(super) objectives: Vec<Span>,
    /// Where fields of the scenarios are mentioned.
    pub(super) mentions: Vec<Mention>,
}

/// A field that is varied.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Parameter {
    pub path: String,
    pub domain: Domain,
}

/// Where the values of a parameter come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// A list, as TOML.
    Values(Vec<String>),
    /// A range, and how many values of it a grid takes.
    Range(Range, Option<u64>),
}

impl SweepFile {
    /// Whether a text is meant as a sweep file: it names scenarios, which no scenario does.
    pub fn is_meant_by(text: &str) -> bool {
        let source = Source { name: String::new(), text: Arc::from(text) };
        let (root, _) = tree::parse(&source);
        root.table().is_some_and(|table| table.get("scenarios").is_some())
    }

    /// Whether a text is rather meant as a scenario: it has keys of one, and names none.
    pub fn is_scenario(text: &str) -> bool {
        let source = Source { name: String::new(), text: Arc::from(text) };
        let (root, _) = tree::parse(&source);
        let keys = ["step", "horizon", "cluster", "workload", "fault", "tuning", "policy", "expect", "variant"];
        root.table()
            .is_some_and(|table| table.get("scenarios").is_none() && keys.iter().any(|key| table.get(key).is_some()))
    }

    /// Reads what can be read of it; only without problems it is all that the text says.
    pub(super) fn read(text: &str, name: &str) -> (Self, Vec<Problem>) {
        let text = if text.len() > FILE_MAX { None } else { Some(text) };
        let source = Source { name: name.to_owned(), text: Arc::from(text.unwrap_or_default()) };
        let (root, syntax) = tree::parse(&source);
        let mut walk = Walk::default();
        let sweep = read(&mut walk, &root, source);
        walk.problems.extend(syntax);
        if text.is_none() {
            walk.problems = vec![Problem::nowhere("the file is too large for a sweep")];
        }
        (sweep, walk.problems)
    }
}

fn read(walk: &mut Walk, root: &Node, source: Source) -> SweepFile {
    let mut fields = Fields::open(walk, root, &SWEEP).expect("the root of a file is a table");
    let name = source.name.as_str();
    let mut mentions = Vec::new();
    match fields.need(walk, "schema") {
        None => walk.help("begin the file with `schema = 1`"),
        Some(Node { value: Value::Integer(digits, 10), .. }) if digits == "1" => {}
        Some(node) => {
            walk.error(node.span, "this version of schedsim reads schema 1 only");
        }
    }
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = fields.name(walk, "name").map(|name| name.to_string()).or(stem).unwrap_or_else(|| "sweep".to_owned());
    let about = fields.text(walk, "about").unwrap_or_default();
    let scenarios = fields.need(walk, "scenarios").map_or_else(Vec::new, |node| {
        let list = texts(walk, node);
        if list.as_ref().is_some_and(Vec::is_empty) {
            walk.error(node.span, "a sweep without a scenario runs nothing");
        }
        list.unwrap_or_default()
    });
    let (scenarios, scenarios_at) = scenarios.into_iter().unzip();
    let variants_at = fields.get("variants").map_or(Span::FILE, |node| node.span);
    let variants = fields.get("variants").and_then(|node| texts(walk, node));
    let variants = variants.map(|list| list.into_iter().map(|(name, _)| name).collect());
    let seeds = fields.get("seeds").and_then(|node| seeds(walk, node)).unwrap_or(SEEDS);
    let baseline = fields.get("baseline").map_or_else(Vec::new, |node| assignments(walk, node, &mut mentions));
    let sampling = fields.choice(walk, "sampling").unwrap_or(Sampling::Grid);
    let samples_at = fields.get("samples").map(|node| node.span);
    let samples = fields.int(walk, "samples").unwrap_or(64);
    if let (Some(span), Sampling::Grid) = (samples_at, sampling) {
        walk.error(span, "a grid has no number of samples").help("say which samples: `sampling = \"sobol\"`");
    }
    let sample_seed = fields.int(walk, "sample_seed").unwrap_or(0);
    let constraints = fields.get("constraints").map_or_else(Vec::new, |node| constraints(walk, node));
    let parameters = parameters(walk, root, &mut fields, sampling, &mut mentions);
    let points = fields
        .tables(walk, "point", ITEMS_MAX)
        .into_iter()
        .filter_map(|mut fields| fields.need(walk, "set").map(|node| assignments(walk, node, &mut mentions)))
        .collect();
    let (objectives, objectives_at) = objectives(walk, &mut fields);
    SweepFile {
        name,
        about,
        scenarios,
        variants,
        seeds,
        baseline,
        sampling,
        samples,
        sample_seed,
        parameters,
        points,
        objectives,
        constraints,
        places: Places { source, scenarios: scenarios_at, variants: variants_at, objectives: objectives_at, mentions },
    }
}

/// What is varied, each field once.
fn parameters(
    walk: &mut Walk,
    root: &Node,
    fields: &mut Fields<'_>,
    sampling: Sampling,
    mentions: &mut Vec<Mention>,
) -> Vec<Parameter> {
    let parameters: Vec<Parameter> = fields
        .tables(walk, "parameter", ITEMS_MAX)
        .into_iter()
        .filter_map(|fields| parameter(walk, fields, sampling, mentions))
        .collect();
    for (index, parameter) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|other| other.path == parameter.path) {
            walk.error(root.span, format!("`{}` is varied twice", parameter.path));
        }
    }
    if sampling == Sampling::Sobol && parameters.len() > super::sample::SOBOL_MAX {
        walk.error(root.span, format!("a Sobol sample can have at most {} parameters", super::sample::SOBOL_MAX));
    }
    parameters
}

/// What is wished, and where it stands; that is the mean of `recovery_s` where nothing is said.
fn objectives(walk: &mut Walk, fields: &mut Fields<'_>) -> (Vec<Objective>, Vec<Span>) {
    let tables = fields.tables(walk, "objective", 100);
    let objectives = tables.into_iter().filter_map(|fields| objective(walk, fields));
    let (mut objectives, mut places): (Vec<Objective>, Vec<Span>) = objectives.unzip();
    if objectives.is_empty() {
        let metric = "recovery_s".to_owned();
        let aggregate = Aggregate::Mean;
        objectives.push(Objective { metric, aggregate, maximise: false, scenario: None, variant: None });
        places.push(Span::FILE);
    }
    (objectives, places)
}

/// A list of texts, and where each stands.
fn texts(walk: &mut Walk, node: &Node) -> Option<Vec<(String, Span)>> {
    let items = values::list(walk, node, "texts")?;
    let read: Vec<_> =
        items.iter().map(|item| values::text(walk, item).map(|text| (text.to_owned(), item.span))).collect();
    read.into_iter().collect()
}

fn seeds(walk: &mut Walk, node: &Node) -> Option<(u64, u64)> {
    let text = values::text(walk, node)?;
    let range = text.split_once("..").and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    match range {
        Some((from, to)) if from < to => Some((from, to)),
        _ => {
            walk.error(node.span, "these are no seeds").help("write \"0..64\": 64 is the first that is left out").none()
        }
    }
}

fn assignments(walk: &mut Walk, node: &Node, mentions: &mut Vec<Mention>) -> Vec<Assignment> {
    let mut found: Vec<Assignment> = Vec::new();
    for item in values::list(walk, node, "texts like `tuning.backoff.base=10s`").unwrap_or_default() {
        let Some(text) = values::text(walk, item) else { continue };
        match text.split_once('=') {
            Some((path, value)) if !path.trim().is_empty() && !value.trim().is_empty() => {
                let (path, value) = (path.trim().to_owned(), canonical(value.trim()));
                let values = vec![(value.clone(), item.span)];
                mentions.push(Mention { path: path.clone(), place: item.span, values });
                found.push((path, value));
            }
            _ => {
                walk.error(item.span, "this sets nothing").help("write PATH=VALUE, like \"tuning.backoff.base=5s\"");
            }
        }
    }
    found
}

/// The one way to write a value: durations as the clock would write them, texts without quotes.
pub(super) fn canonical(text: &str) -> String {
    match tree::parse_value(text, 0, 0) {
        Ok(node) => toml_of(&node),
        Err(_) => bare(text),
    }
}

fn bare(text: &str) -> String {
    // A duration with a unit; `0` and the like are numbers.
    text.parse::<SimDuration>().map_or_else(|_| text.to_owned(), |duration| duration.to_string())
}

/// A value as it is handed to the loader: bare words and durations without quotes.
fn toml_of(node: &Node) -> String {
    match &node.value {
        Value::String(text) => bare(text),
        Value::Integer(digits, 10) => digits.clone(),
        Value::Integer(digits, 16) => format!("0x{digits}"),
        Value::Integer(digits, 8) => format!("0o{digits}"),
        Value::Integer(digits, _) => format!("0b{digits}"),
        Value::Float(text) => text.clone(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Datetime(date) => date.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let pairs: Vec<_> =
                table.0.iter().map(|entry| format!("{:?} = {}", entry.key, quoted(&entry.node))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

/// A value inside of another one: texts need their quotes.
fn quoted(node: &Node) -> String {
    match &node.value {
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        _ => toml_of(node),
    }
}

fn parameter(
    walk: &mut Walk,
    mut fields: Fields<'_>,
    sampling: Sampling,
    mentions: &mut Vec<Mention>,
) -> Option<Parameter> {
    let span = fields.span;
    let place = fields.need(walk, "path").map(|node| node.span);
    let path = fields.text(walk, "path").map(|path| path.trim().to_owned());
    let listed = fields.get("values");
    let [from, to, steps_at] = ["from", "to", "steps"].map(|name| fields.get(name));
    let scale = fields.choice(walk, "scale").unwrap_or(Scale::Linear);
    let steps = fields.int(walk, "steps");
    let (path, place) = path.zip(place)?;
    if path == "seed" {
        return walk
            .error(span, "`seed` is no parameter")
            .help("the seeds of all settings are the same: `seeds = \"0..64\"`")
            .none();
    }
    let mut values = Vec::new();
    let domain = match (listed, from, to) {
        (Some(list), None, None) => listed_values(walk, &path, list, &mut values),
        (None, Some(from), Some(to)) => {
            let range = ends(walk, from).zip(ends(walk, to));
            let range = range.and_then(|(first, last)| match Range::between(&first, &last, scale) {
                Ok(range) => Some(range),
                Err(why) => walk.error(to.span, why).none(),
            });
            if sampling == Sampling::Grid && steps_at.is_none() {
                walk.error(span, format!("a grid needs to know how many values of `{path}` it takes"))
                    .help("write `steps = 5`, or list the `values`, or sample: `sampling = \"sobol\"`");
            }
            if let Some(range) = &range {
                let tried = range.steps(steps.unwrap_or(TRIED).min(VALUES_MAX)).into_iter();
                values = tried.map(|value| (canonical(&value), to.span)).collect();
                values[0].1 = from.span;
            }
            range.map(|range| Domain::Range(range, steps))
        }
        _ => walk.error(span, format!("`{path}` needs either `values` or both `from` and `to`")).none(),
    };
    mentions.push(Mention { path: path.clone(), place, values });
    domain.map(|domain| Parameter { path, domain })
}

fn listed_values(walk: &mut Walk, path: &str, list: &Node, tried: &mut Vec<(String, Span)>) -> Option<Domain> {
    let items = values::list(walk, list, "values")?;
    if items.is_empty() {
        return walk.error(list.span, format!("`{path}` has no value: the grid is empty")).none();
    }
    let values: Vec<String> = items.iter().map(toml_of).collect();
    tried.extend(items.iter().zip(&values).map(|(item, value)| (canonical(value), item.span)));
    if let Some(index) = (1..values.len()).find(|index| values[..*index].contains(&values[*index])) {
        return walk.error(items[index].span, "this is in the list twice").none();
    }
    Some(Domain::Values(values))
}

/// An end of a range, as text.
fn ends(walk: &mut Walk, node: &Node) -> Option<String> {
    match &node.value {
        Value::String(_) => values::duration(walk, node).map(|duration| duration.to_string()),
        _ => numbers::number(walk, node, 6).map(|_| toml_of(node)),
    }
}
