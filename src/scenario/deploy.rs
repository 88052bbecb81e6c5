//! `do.deploy`: the app configuration, written in the scenario or read from beside it.
//!
//! Reads files when the scenario is parsed, so that a run touches none. Which of the platform's
//! three loaders gets the text follows from the key. What a newcomer gets wrong: the text is
//! handed on verbatim; whether it is a good configuration is for the platform to say.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::appconfig::{ConfigSource, Loader};

use super::steps;
use super::story::Action;
use super::values;
use super::walk::{Fields, Walk};

/// A larger configuration is a mistake.
const CONFIG_MAX: u64 = 1 << 20;
/// What the platform calls an app's configuration file.
const CONFIG_NAME: &str = "app.toml";

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
    let (key, node) = fields.exactly_one(walk)?;
    let text = values::text(walk, node)?;
    let found = if key == "config" {
        Ok(ConfigSource { loader: Loader::Bytes, text: text.into(), origin: "config".into() })
    } else {
        find(key, text, place)
    };
    match found {
        Ok(config) => Some(Action::Deploy { app: app?, config, build }),
        Err(why) => {
            walk.error(node.span, why);
            None
        }
    }
}

/// The configuration that `key = "given"` leads to.
fn find(key: &str, given: &str, place: &Place<'_>) -> Result<ConfigSource, String> {
    let Some(dir) = place.dir else {
        return Err(format!("`{key}` is relative to the scenario file, and this scenario is not read from one"));
    };
    if given.is_empty() || given.contains('\0') {
        return Err(format!("`{key}` is not a path"));
    }
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let (loader, file) = match key {
        "config_file" => (Loader::Bytes, dir.join(given)),
        "config_dir" => (Loader::Under, find_under(&dir.join(given), given)?),
        _ => (Loader::Upwards, find_upwards(&dir.join(given), dir, given)?),
    };
    let origin = relative(dir, &file).unwrap_or_else(|| slashed(Path::new(given)));
    Ok(ConfigSource { loader, text: content(&file, &origin)?, origin: origin.into() })
}

/// The configuration in a directory. To become that of `appconfig`, like the next one.
fn find_under(dir: &Path, given: &str) -> Result<PathBuf, String> {
    directory(dir, given)?;
    let file = dir.join(CONFIG_NAME);
    if file.is_file() { Ok(file) } else { Err(format!("there is no `{CONFIG_NAME}` in `{given}`")) }
}

/// The configuration in `start` or the nearest directory above it, up to `stop`.
fn find_upwards(start: &Path, stop: &Path, given: &str) -> Result<PathBuf, String> {
    directory(start, given)?;
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| format!("cannot read `{given}`: {error}"));
    let (start, stop) = (real(start)?, real(stop)?);
    if !start.starts_with(&stop) {
        return Err(format!("`{given}` lies outside the scenario file's directory"));
    }
    let way = start.ancestors().take_while(|dir| dir.starts_with(&stop));
    way.map(|dir| dir.join(CONFIG_NAME)).find(|file| file.is_file()).ok_or_else(|| {
        format!("there is no `{CONFIG_NAME}` in `{given}` or above it, up to the scenario file's directory")
    })
}

fn directory(path: &Path, given: &str) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(format!("`{given}` is not a directory")),
        Err(error) => Err(format!("cannot read the directory `{given}`: {error}")),
    }
}

fn content(file: &Path, shown: &str) -> Result<Arc<str>, String> {
    let cannot = |error: std::io::Error| format!("cannot read `{shown}`: {error}");
    let found = fs::metadata(file).map_err(cannot)?;
    if !found.is_file() {
        return Err(format!("`{shown}` is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(file).and_then(|file| file.take(CONFIG_MAX + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > CONFIG_MAX {
        return Err(format!("`{shown}` is larger than 1 MiB; no app configuration is"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(format!("`{shown}` is not UTF-8 text: see byte {}", error.utf8_error().valid_up_to())),
    }
}

/// A path below a directory, as messages show it on every machine.
fn relative(dir: &Path, file: &Path) -> Option<String> {
    let (dir, file) = (fs::canonicalize(dir).ok()?, fs::canonicalize(file).ok()?);
    file.strip_prefix(dir).ok().map(slashed)
}

/// A path with `/` between its parts.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/").replace("//", "/")
}
