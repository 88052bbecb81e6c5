//! What the code itself says of its services: its Procfile, and what its image runs by itself.
//!
//! It may know nothing of the config; `resolve.rs` puts both together.

use std::collections::BTreeMap;

/// The services that the code of a deploy names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Code {
    /// The commands of its Procfile, by service.
    pub procfile: BTreeMap<String, String>,
    /// What its image runs by itself.
    pub runs: Runs,
}

/// What an image runs by itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Runs {
    /// Nobody said. ASSUMES: something, exactly where neither config nor Procfile names a service.
    #[default]
    Unsaid,
    Nothing,
    Command(String),
}

impl Runs {
    /// What the image of that entry point runs: an empty one is none.
    pub fn entrypoint(command: &str) -> Self {
        if command.trim().is_empty() { Self::Nothing } else { Self::Command(command.trim().to_owned()) }
    }
}

/// The commands of a Procfile, by service: `name: command` a line; of two lines of one name the later counts, and a
/// line without name or command does not.
pub fn parse_procfile(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let (name, command) = line.trim().split_once(':')?;
        let says = !name.is_empty() && !command.is_empty() && !name.starts_with('#');
        says.then(|| (name.to_owned(), command.trim().to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_procfile_is_read_line_by_line() {
        let text =
            "# what runs\n\nweb: bin/serve --port 80\nworker:bin/work\nworker: bin/work -v\nnothing\n: x\nempty:\n";
        let read = parse_procfile(text);
        let expected = [("web", "bin/serve --port 80"), ("worker", "bin/work -v")];
        assert_eq!(read, expected.map(|(name, command)| (name.to_owned(), command.to_owned())).into());
    }

    #[test]
    fn an_empty_entry_point_runs_nothing() {
        assert_eq!(Runs::entrypoint(" "), Runs::Nothing);
        assert_eq!(Runs::entrypoint("node server.js "), Runs::Command("node server.js".to_owned()));
    }
}
