//! `schedsim new NAME`: the beginning of a story of one's own.
//!
//! It knows the stories in `src/cli/new/`, which say by comments what to change; nothing is asked. Each is
//! an ordinary scenario without an `[expect]`, for what shall come out is for its reader to see and to say.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::args::{Look, shell_line};
use super::output::Out;
use super::{Exit, Refusal, file};

/// Writes the beginning of a scenario, commented
#[derive(Args)]
pub(crate) struct NewArgs {
    /// The scenario's name; `stories/outage` becomes the file `stories/outage.toml`
    #[arg(value_name = "NAME", value_parser = scenario_file)]
    name: PathBuf,
    /// What the story is about
    #[arg(long, value_enum, default_value = "crash-loop")]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A program that exits soon after its start, before and with the backoff
    CrashLoop,
    /// A database on a disk whose backend fails
    Disk,
    /// One of two nodes is lost
    Node,
    /// Callers, and a sandbox that is killed among them
    Traffic,
    /// A good version, a bad one, and the way back
    Rollout,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::CrashLoop => include_str!("new/crash-loop.toml"),
            Self::Disk => include_str!("new/disk.toml"),
            Self::Node => include_str!("new/node.toml"),
            Self::Traffic => include_str!("new/traffic.toml"),
            Self::Rollout => include_str!("new/rollout.toml"),
        }
    }
}

/// `NAME` or `NAME.toml` as a file.
fn scenario_file(text: &str) -> Result<PathBuf, String> {
    let name = text.strip_suffix(".toml").unwrap_or(text);
    match Path::new(name).file_name() {
        Some(_) if !name.ends_with('/') => Ok(PathBuf::from(format!("{name}.toml"))),
        Some(_) | None => Err("write a name, or a path that ends in one, like `stories/outage`".to_owned()),
    }
}

pub(crate) fn new(args: &NewArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let path = args.name.as_path();
    if path.symlink_metadata().is_ok() {
        let path = path.display();
        return Err(Refusal::wrong(format!("`{path}` is there already, and is left as it is; choose another name")));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Refusal::wrong(format!("cannot make the folder `{}`: {error}", folder.display())))?;
    }
    file::write("scenario", path, |out| out.write_all(args.kind.text().as_bytes()))?;
    let name = path.display().to_string();
    if look.quiet {
        return Ok(Exit::Fine);
    }
    out.line(&format!("{name} is written; then:"));
    let next: [(&[&str], _); 5] = [
        (&["run", &name, "--watch"], "what happens, again at each save"),
        (&["explain", &name], "why"),
        (&["run", &name, "--report", "report.html"], "what it looks like"),
        (&["run", &name, "--expect-from-run"], "writes what comes out as its [expect]"),
        (&["test", &name, "--accept"], "keeps its text for review; without --accept: the test"),
    ];
    for (words, what) in next {
        let line = shell_line(["schedsim"].iter().chain(words));
        out.line(&format!("  {line:58} {what}"));
    }
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Replay;
    use crate::scenario::{Overrides, Scenario};

    #[test]
    fn every_kind_is_a_scenario_without_a_warning_that_ends_well_under_its_last_logic() {
        for kind in Kind::value_variants() {
            let read = Scenario::from_text(kind.text(), "new", None, &Overrides::default());
            let scenario = read.unwrap_or_else(|wrong| panic!("{kind:?}: {}", wrong.render(false)));
            assert!(scenario.warnings.is_empty(), "{kind:?}: {:?}", scenario.warnings);
            let variant = scenario.variants.last().expect("one at least");
            assert!(variant.expect.is_none(), "{kind:?}: what shall come out is for its reader to say");
            let replay = Replay::of(&scenario, variant, None);
            assert!(replay.outcome.settled_at.is_some(), "{kind:?}");
            assert!(replay.outcome.rejected.is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn a_name_becomes_a_file_once() {
        for (name, file) in [("a", "a.toml"), ("a.toml", "a.toml"), ("b/c", "b/c.toml"), ("v1.2", "v1.2.toml")] {
            assert_eq!(scenario_file(name), Ok(PathBuf::from(file)));
        }
        for name in ["", "a/", "..", "/"] {
            assert!(scenario_file(name).is_err(), "{name}");
        }
    }
}
