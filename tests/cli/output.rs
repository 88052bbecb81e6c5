//! Where results go: a terminal of sixty columns, a full disk.
//!
//! What a newcomer gets wrong: only lines that are made to be copied may be wider than the terminal.

use super::folder;

/// A database's node is lost and comes back while callers ask; steps have no names, and more is expected than comes.
const FAIL_OVER: &str = concat!(
    r#"
schema = 1
about = "A database on a disk runs on n1, which loses power and comes back half an hour later."
horizon = "50m"
[cluster]
nodes = ["n1", "n2"]
[[step]]
at = "0s"
[step.do.deploy]
app = "pds"
config = """
[services.database]
port = 5432
"#,
    database!("size_gb"),
    r#""""
[[step]]
at = "10m"
do.node_down = { node = "n1" }
[[step]]
at = "40m"
do.node_up = { node = "n1" }
[[traffic]]
app = "pds"
service = "database"
rate = "30/m"
[expect]
verdict = "settled"
"#
);

#[test]
fn a_scheduler_that_finds_no_node_is_one_line_however_many_sandboxes_there_are() {
    let folder = folder(&[("b.toml", FAIL_OVER)]);
    let ran = folder.schedsim(&["run", "b.toml"]).code(1).out;
    let said = ran.lines().filter(|line| line.contains("no node is ready for it")).count();
    assert_eq!(said, 1, "{ran}");
}

#[test]
fn nothing_is_wider_than_a_terminal_of_sixty_columns() {
    let folder = folder(&[("b.toml", FAIL_OVER)]);
    folder.schedsim(&["new", "a", "--kind", "node"]).code(0);
    let stories = ["a.toml", "b.toml"].into_iter().flat_map(|file| {
        [
            vec!["run", file],
            vec!["run", file, "--state"],
            vec!["run", file, "--lives"],
            vec!["run", file, "--seeds", "0..2"],
            vec!["explain", file],
            vec!["compare", file],
            vec!["compare", file, "--each-fix"],
            vec!["bisect", file, "--from", "as_of=2025-10-01", "--to", "as_of=2025-12-01"],
        ]
    });
    let commands = ["new", "run", "explain", "view", "test", "review", "check", "compare", "bisect", "sweep", "fixes"];
    let helps = commands.into_iter().flat_map(|command| [vec![command, "-h"], vec![command, "--help"]]);
    for words in stories.chain(helps).chain([vec!["--help"], vec!["fixes", "--rules"]]) {
        let out = super::done(folder.command(&words).env("COLUMNS", "60")).out;
        let wide: Vec<&str> = out.lines().filter(|line| line.chars().count() > 60).collect();
        // A line that makes a run again is to be copied as a whole.
        assert!(wide.iter().all(|line| line.contains("reproduce:")), "{words:?}: {wide:#?}");
        assert!(!out.contains("step step") && !out.contains("fault fault"), "{words:?}: {out}");
    }
}

/// What cannot be written is said, and is no success, whichever command was to write it.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let folder = folder(&[("a.toml", super::FINE)]);
    for words in [
        &["--help"] as &[&str],
        &["run", "-h"],
        &["--version"],
        &["run", "a.toml"],
        &["run", "a.toml", "--format", "json"],
        &["check", "a.toml"],
        &["test", "a.toml"],
        &["test", "a.toml", "--junit", "-"],
        &["new", "b"],
        &["fixes"],
        &["schema"],
        &["completions", "bash"],
        &["man"],
    ] {
        let mut command = std::process::Command::new(snapbox::cmd::cargo_bin!("schedsim"));
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
        let done = command.args(words).current_dir(folder.path()).stdout(full).output().expect("the binary runs");
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(told.contains("cannot write"), "{words:?}: {told}");
        assert_eq!(done.status.code(), Some(2), "{words:?}: {told}");
    }
}
