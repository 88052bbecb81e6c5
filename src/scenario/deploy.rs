//! `do.deploy`: the app configuration, written in the scenario or read from beside it.
//!
//! Reads files when the scenario is parsed, so that a run touches none. Which of the platform's three loaders
//! gets the text follows from the key.

use std::path::Path;

use crate::appconfig::{self, Code, ConfigSource, FindError, Loader, ReadError, Runs};

use super::steps;
use super::story::Action;
use super::tree::Node;
use super::values;
use super::walk::{Fields, Walk};

/// Where the files of a scenario are.
pub(crate) struct Place<'a> {
    /// The directory of the scenario file; none when it is not a file.
    pub(crate) dir: Option<&'a Path>,
}

/// Reads the arguments of a deploy, and the file that they name.
pub(crate) fn read(walk: &mut Walk, mut fields: Fields<'_>, place: &Place<'_>) -> Option<Action> {
    let app = steps::needed_name(walk, &mut fields, "app");
    walk.apps.extend(app);
    let build = fields.name(walk, "build");
    let code = code(walk, &mut fields);
    let (key, node) = fields.exactly_one(walk)?;
    let text = values::text(walk, node)?;
    let config = if key == "config" { verbatim(walk, node, text) } else { from_file(walk, node, key, text, place) };
    Some(Action::Deploy { app: app?, config: config?, build, code })
}

/// What the code itself says: its Procfile, and the entry point of its image.
fn code(walk: &mut Walk, fields: &mut Fields<'_>) -> Code {
    let procfile = fields.get("procfile").and_then(|node| {
        let read = appconfig::parse_procfile(values::text(walk, node)?);
        if read.is_empty() {
            walk.error(node.span, "this `procfile` names no service").help("write one like \"web: bin/serve\"");
        }
        Some(read)
    });
    let runs = fields.get("entrypoint").and_then(|node| values::text(walk, node)).map(Runs::entrypoint);
    Code { procfile: procfile.unwrap_or_default(), runs: runs.unwrap_or_default() }
}

fn verbatim(walk: &mut Walk, node: &Node, text: &str) -> Option<ConfigSource> {
    ConfigSource::from_bytes(text.as_bytes(), "config").map_err(|why| walk.error(node.span, why.to_string())).ok()
}

/// The configuration that `key = "given"` leads to.
fn from_file(walk: &mut Walk, node: &Node, key: &str, given: &str, place: &Place<'_>) -> Option<ConfigSource> {
    let Some(dir) = place.dir else {
        let why = format!("`{key}` is relative to the scenario file, and this scenario is not read from one");
        return walk.error(node.span, why).none();
    };
    if given.is_empty() || given.contains('\0') {
        return walk.error(node.span, format!("`{key}` is not a path")).none();
    }
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let found = match key {
        "config_file" => ConfigSource::read_file(dir, given),
        "config_dir" => ConfigSource::read_under(dir, given),
        _ => ConfigSource::read_upwards(dir, given),
    };
    let error = match found {
        Ok(config) => return Some(config),
        Err(error) => error,
    };
    if let ReadError::Find(FindError::NotFound { .. }) = error {
        walk.warnings.push(format!("{error}: the app is deployed without a config"));
        return Some(ConfigSource::none(if key == "config_dir" { Loader::Under } else { Loader::Upwards }));
    }
    let problem = walk.error(node.span, error.to_string());
    match error {
        ReadError::Find(_) | ReadError::Unreadable { .. } | ReadError::NoFile { .. } => {
            problem.help("paths are relative to the scenario file, whose own directory is `.`");
        }
        ReadError::Config(_) => {}
    }
    None
}
