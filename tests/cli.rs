//! The command line from outside: help texts, exit statuses, what is printed where.
//!
//! Each test makes a folder of its own and runs the real binary in it. The stories here are as
//! small as can be; what comes out of real ones is the corpus's matter. What a newcomer gets
//! wrong: results are on standard output, everything else on standard error, and tests say which.

use std::fs;
use std::path::{Path, PathBuf};

use snapbox::cmd::Command;

#[macro_use]
#[path = "common/database.rs"]
mod database;
#[path = "cli/compare.rs"]
mod compare;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/new.rs"]
mod new;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/schema.rs"]
mod schema;
#[path = "cli/small.rs"]
mod small;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "cli/sweep_apart.rs"]
mod sweep_apart;
#[path = "cli/sweep_kept.rs"]
mod sweep_kept;
#[path = "cli/sweep_wrong.rs"]
mod sweep_wrong;
#[path = "cli/test.rs"]
mod test;
#[path = "cli/view.rs"]
mod view;

/// A story that passes whatever comes out.
const FINE: &str = "schema = 1\nhorizon = \"1m\"\nstep = [{ at = \"1s\", do.note = \"Nothing.\" }]\n[expect]\n";
/// A story that fails: an empty cluster is at rest.
const FAILS: &str = "schema = 1\nhorizon = \"1m\"\nstep = [{ at = \"1s\", do.note = \"So what?\" }]\n\
    [expect]\nverdict = \"livelock\"\n";
/// A story without an `[expect]`.
const SILENT: &str = "schema = 1\nhorizon = \"1m\"\nstep = [{ at = \"1s\", do.note = \"Silence.\" }]\n";
/// One with two variants.
const TWO: &str = "schema = 1\nhorizon = \"1m\"\nvariant = [{ name = \"before\" }, { name = \"after\" }]\n\
    step = [{ at = \"1s\", do.note = \"Twice.\" }, { at = \"2s\", do.note = \"Again.\" }]\n[expect]\n";
/// No scenario at all.
const BROKEN: &str = "schema = 1\nhorizon = \"soon\"\nhorizom = 1\n";

/// A folder with these files.
struct Folder(tempfile::TempDir);

fn folder(files: &[(&str, &str)]) -> Folder {
    let folder = Folder(tempfile::tempdir().expect("a temporary folder"));
    for (path, text) in files {
        folder.write(path, text);
    }
    folder
}

/// What a command did.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Folder {
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
    fn exists(&self, path: &str) -> bool {
        self.path().join(path).exists()
    }
    fn command(&self, words: &[&str]) -> Command {
        schedsim().current_dir(self.path()).args(words)
    }
    /// Runs `schedsim` with these words in this folder.
    fn schedsim(&self, words: &[&str]) -> Done {
        done(self.command(words))
    }
    /// Every file below, sorted.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path: PathBuf = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    let short = path.strip_prefix(root).expect("below");
                    found.push(short.to_str().expect("UTF-8").replace('\\', "/"));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.path(), self.path(), &mut found);
        found.sort();
        found
    }
}

fn schedsim() -> Command {
    let command = Command::new(snapbox::cmd::cargo_bin!("schedsim"));
    ["CI", "COLUMNS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"]
        .iter()
        .fold(command, |c, name| c.env_remove(name))
}

fn done(command: Command) -> Done {
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Done {
    #[track_caller]
    fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "status\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }
    #[track_caller]
    fn out(self, part: &str) -> Self {
        assert!(self.out.contains(part), "no {part:?} in stdout:\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }
    #[track_caller]
    fn err(self, part: &str) -> Self {
        assert!(self.err.contains(part), "no {part:?} in stderr:\n{}\n--- stdout\n{}", self.err, self.out);
        self
    }
    /// Nothing on standard output.
    #[track_caller]
    fn no_out(self) -> Self {
        assert_eq!(self.out, "", "on standard output");
        self
    }
    /// Nothing on standard error.
    #[track_caller]
    fn no_err(self) -> Self {
        assert_eq!(self.err, "", "on standard error");
        self
    }
    /// The line after `reproduce:`, as words without the program's name.
    fn reproduce(&self) -> Vec<String> {
        let line =
            self.out.lines().rev().find_map(|line| line.trim().strip_prefix("reproduce: ")).expect("such a line");
        line.split(' ').skip(1).map(str::to_owned).collect()
    }
}
