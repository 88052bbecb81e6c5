//! From a file to a [`Scenario`]: reads, parses, walks, checks.
//!
//! The one place that knows the order of the sections: those that define names come before those that use
//! them. Files are refused by size before they are read.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::kernel::{SimDuration, SimTime};
use crate::time::DurationError;

use super::cluster;
use super::constants::backoff_warnings;
use super::deploy::Place;
use super::diagnostics::{Diagnostics, Problem, Source, Span};
use super::expect;
use super::faults;
use super::overrides::{self, Overrides};
use super::schema::SCENARIO;
use super::services;
use super::steps;
use super::story::Scenario;
use super::tree::{self, Node, Value};
use super::values;
use super::walk::{Fields, Walk};

/// A larger file is refused before it is parsed.
const FILE_MAX: usize = 16 << 20;
/// With more syntax errors than this the rest is not looked at.
const SYNTAX_ERRORS_MAX: usize = 100;
/// The format that this version reads.
const SCHEMA: &str = "1";
/// A horizon from here on, ten years, is worth a word: a quiet app's year takes seconds, a busy one's minutes.
const LONG: SimDuration = SimDuration::from_secs(10 * 365 * 24 * 3600);
const LONG_TOLD: &str =
    "ten years and more may take hours: each takes seconds to minutes; `--until 30d` ends earlier, Ctrl-C at once";

impl Scenario {
    /// Reads a scenario file, and the app configurations that it names.
    ///
    /// # Errors
    /// Everything that is wrong with the file and the overrides, in one go.
    pub fn from_file(path: &Path, overrides: &Overrides) -> Result<Self, Diagnostics> {
        let name = path.display().to_string();
        match read(path) {
            Ok(text) => {
                let dir = path.parent().unwrap_or(Path::new(""));
                let mut scenario = Self::from_text(&text, &name, Some(dir), overrides)?;
                scenario.file = Some(path.to_owned());
                Ok(scenario)
            }
            Err(why) => Err(refused(&name, why)),
        }
    }

    /// Reads a scenario from a text. `name` stands in messages and gives the scenario its default
    /// name; files that it names are looked for in `dir`, and refused without one.
    ///
    /// # Errors
    /// Everything that is wrong with the text and the overrides, in one go.
    pub fn from_text(text: &str, name: &str, dir: Option<&Path>, overrides: &Overrides) -> Result<Self, Diagnostics> {
        if text.len() > FILE_MAX {
            return Err(refused(name, too_large(text.len() as u64)));
        }
        let mut sources = vec![Source { name: name.to_owned(), text: Arc::from(text) }];
        let (mut root, mut syntax) = tree::parse(&sources[0]);
        let empty = root.table().is_none_or(|table| table.0.is_empty());
        if empty && syntax.is_empty() {
            return Err(refused(name, "the file is empty; a scenario needs at least `schema = 1` and a `horizon`"));
        }
        let mut walk = Walk::default();
        if syntax.len() > SYNTAX_ERRORS_MAX {
            syntax.truncate(SYNTAX_ERRORS_MAX);
            return Err(Diagnostics::new(sources, syntax));
        }
        overrides::set_all(&mut walk, &mut sources, &mut root, overrides);
        if let Some(problem) = other_schema(&root) {
            return Err(Diagnostics::new(sources, vec![problem]));
        }
        let scenario = scenario(&mut walk, &mut sources, &root, &Place { dir }, overrides);
        walk.problems.extend(syntax);
        walk.problems.retain(|problem| !(walk.torn && problem.may_follow()));
        if walk.problems.is_empty() {
            return Ok(scenario.expect("a scenario without problems is complete"));
        }
        Err(Diagnostics::new(sources, walk.problems))
    }
}

fn refused(name: &str, why: impl Into<String>) -> Diagnostics {
    Diagnostics::new(vec![Source { name: name.to_owned(), text: Arc::from("") }], vec![Problem::nowhere(why)])
}

fn too_large(bytes: u64) -> String {
    let (size, limit) = (bytes >> 20, FILE_MAX >> 20);
    format!("the file is too large ({size} MiB); a scenario can have at most {limit} MiB")
}

/// The file's text, or why there is none.
fn read(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot read the file: {error}");
    let file = File::open(path).map_err(cannot)?;
    let found = file.metadata().map_err(cannot)?;
    if found.is_dir() {
        return Err("this is a directory, not a scenario file".to_owned());
    }
    if found.len() > FILE_MAX as u64 {
        return Err(too_large(found.len()));
    }
    let mut bytes = Vec::new();
    // A pipe or device does not say how long it is.
    file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > FILE_MAX {
        return Err(too_large(bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("the file is not UTF-8 text: see byte {at}, in line {line}")
    })
}

/// A file of another version is not looked at any further.
fn other_schema(root: &Node) -> Option<Problem> {
    let node = root.table()?.get("schema")?;
    match &node.value {
        // A placeholder where the syntax is broken.
        _ if node.span == Span::FILE => None,
        Value::Integer(digits, 10) if digits == SCHEMA => None,
        Value::Integer(..) => {
            let mut problem = Problem::at(node.span, "this version of schedsim reads schema 1 only");
            problem.help("another version of schedsim may be able to read this file");
            Some(problem)
        }
        _ => {
            let mut problem = Problem::at(node.span, format!("expected the number of a schema, found {}", node.kind()));
            problem.help("write `schema = 1`");
            Some(problem)
        }
    }
}

/// Walks the whole tree; answers nothing when a part without which there is no scenario is missing.
fn scenario(
    walk: &mut Walk,
    sources: &mut Vec<Source>,
    root: &Node,
    place: &Place<'_>,
    overrides: &Overrides,
) -> Option<Scenario> {
    let over = overrides::policy(walk, sources, overrides);
    let mut fields = Fields::open(walk, root, &SCENARIO).expect("the root is a table");
    let before = walk.problems.len();
    if fields.need(walk, "schema").is_none() && walk.problems.len() > before {
        walk.help("begin the file with `schema = 1`");
    }
    let stem = Path::new(&sources[0].name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = fields.name(walk, "name").map(|name| name.to_string()).or(stem).unwrap_or_else(|| "scenario".to_owned());
    let about = fields.text(walk, "about").unwrap_or_default();
    let source = fields.text(walk, "source").unwrap_or_default();
    let golden = fields.choice(walk, "golden").unwrap_or_default();
    let horizon = horizon(walk, &mut fields);
    let end = horizon.unwrap_or(SimTime::MAX);

    let cluster = cluster::cluster(walk, &mut fields);
    let steps = steps::steps(walk, &mut fields, place);
    let workloads = cluster::workloads(walk, &mut fields);
    let traffic = steps::traffic(walk, &mut fields, end);
    let faults = faults::faults(walk, &mut fields, end);
    let common = expect::common(walk, &mut fields, end);
    let variants = expect::variants(walk, &mut fields, &common, &over, end);

    check_apps(walk);
    let scenario = Scenario {
        name,
        file: None,
        about,
        source,
        golden,
        horizon: end,
        cluster,
        workloads,
        steps,
        traffic,
        faults,
        variants,
        warnings: Vec::new(),
        shadowed: std::mem::take(&mut walk.shadowed),
    };
    warn(walk, &scenario, end);
    horizon.map(|_| Scenario { warnings: std::mem::take(&mut walk.warnings), ..scenario })
}

/// The end of simulated time; beyond what the clock can show, the clock's end.
fn horizon(walk: &mut Walk, fields: &mut Fields<'_>) -> Option<SimTime> {
    let before = walk.problems.len();
    let Some(node) = fields.need(walk, "horizon") else {
        // A misspelt one was noted where it stands.
        if walk.problems.len() > before {
            walk.help("simulated time must end: write one like `horizon = \"1h\"`");
        }
        return None;
    };
    match values::parse_duration(walk, node)? {
        Ok(SimDuration::ZERO) => walk.error(node.span, "the horizon must be longer than nothing").none(),
        Ok(d) => {
            walk.warnings.extend((d >= LONG).then(|| LONG_TOLD.to_owned()));
            Some(SimTime::ZERO + d)
        }
        Err(DurationError::TooLong) => {
            let text = node.string().unwrap_or_default();
            walk.warnings.push(format!("the horizon {text} is cut to the end of the simulated clock (584 years)"));
            walk.warnings.push(LONG_TOLD.to_owned());
            Some(SimTime::MAX)
        }
        Err(error) => walk.error(node.span, error.to_string()).none(),
    }
}

/// Apps that something happens to must be deployed by some step.
fn check_apps(walk: &mut Walk) {
    let apps = walk.apps.clone();
    let deployed: BTreeSet<_> = apps.iter().copied().collect();
    for (app, span) in std::mem::take(&mut walk.apps_named) {
        if deployed.contains(&app) {
            continue;
        }
        let known = apps.iter().map(|app| app.as_str());
        let problem = walk.unknown(span, "app", app.as_str(), known);
        problem.help("an app exists once a step deploys it").dependent();
    }
}

/// What is legal and probably a mistake, as far as the file itself shows it.
fn warn(walk: &mut Walk, scenario: &Scenario, end: SimTime) {
    for step in scenario.steps.iter().filter(|step| step.at > end) {
        walk.warnings.push(format!("step `{}` at {} comes after the horizon", step.name, step.at));
    }
    if scenario.steps.is_empty() {
        walk.warnings.push("no step: nothing will happen".to_owned());
    }
    let apps: BTreeSet<_> = walk.apps.iter().copied().collect();
    let unused = scenario.workloads.keys().filter(|(app, _)| !apps.contains(app));
    let deployed = walk.deployed();
    let unused = unused.map(|(app, service)| {
        format!("the workload of {app}/{service} is not used: no step deploys the app `{app}`{deployed}")
    });
    walk.warnings.extend(unused);
    for variant in &scenario.variants {
        for warning in backoff_warnings(&variant.tuning.under(variant.policy.fixes).backoff) {
            // Variants mostly share it.
            if !walk.warnings.contains(&warning) {
                walk.warnings.push(warning);
            }
        }
    }
    // Where something is wrong with the file, a deploy may be missing.
    if walk.problems.is_empty() {
        walk.warnings.extend(services::warnings(scenario));
    }
}
