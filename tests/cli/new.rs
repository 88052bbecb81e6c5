//! A story of one's own: `new`, `run --expect-from-run`, `run --watch`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{FINE, SILENT, folder};

const KINDS: [&str; 5] = ["crash-loop", "disk", "node", "traffic", "rollout"];

#[test]
fn from_nothing_to_a_regression_test_for_every_kind() {
    let folder = folder(&[]);
    for kind in KINDS {
        let file = format!("stories/{kind}.toml");
        folder.schedsim(&["new", &format!("stories/{kind}"), "--kind", kind]).code(0).no_err().out(&file);
        folder.schedsim(&["check", &file]).code(0).no_err().out("ok");
        folder.schedsim(&["run", "-q", &file, "--expect-from-run"]).code(0).err("written to");
        folder.schedsim(&["test", &file, "--accept"]).code(0);
        folder.schedsim(&["test", &file]).code(0);
    }
}

#[test]
fn new_never_replaces_a_file_and_says_what_a_name_is() {
    let folder = folder(&[("a.toml", FINE)]);
    folder.schedsim(&["new", "a"]).code(2).no_out().err("`a.toml` is there already");
    assert_eq!(folder.read("a.toml"), FINE);
    folder.schedsim(&["new", "b/"]).code(2).err("stories/outage");
    folder.schedsim(&["new", "a.toml/c"]).code(2).err("cannot make the folder `a.toml`");
    folder.schedsim(&["new", "c", "--kind", "disc"]).code(2).err("disk");
    folder.schedsim(&["new", "quiet", "-q"]).code(0).no_out().no_err();
    folder.schedsim(&["test", "quiet.toml"]).code(1).out("`run --expect-from-run` writes it");
}

#[test]
fn an_expectation_from_a_run_holds_and_leaves_the_rest_of_the_file() {
    let two = "# Kept.\nschema = 1 # as it is\nhorizon = \"1m\"\n[[step]]\nat = \"1s\"\ndo.note = \"x\"\n\n\
        [[variant]]\nname = \"a\" # first\n\n[[variant]]\nname = \"b\"\n[variant.expect]\nverdict = \"settled\"\n";
    let inline = "schema = 1\nhorizon = \"1m\"\nvariant = [{ name = \"a\" }, { name = \"b\", expect = {} }]\n\
        step = [{ at = \"1s\", do.note = \"x\" }]\n";
    let folder = folder(&[("one.toml", SILENT), ("two.toml", two), ("inline.toml", inline), ("fine.toml", FINE)]);
    for file in ["one.toml", "two.toml", "inline.toml"] {
        let before = folder.read(file);
        folder.schedsim(&["run", "-q", file, "--expect-from-run"]).code(0).err("written to");
        let after = folder.read(file);
        let mut rest = after.lines();
        let kept =
            |line: &str| rest.any(|now| now.starts_with(line.trim_end_matches(" }, { name = \"b\", expect = {} }]")));
        assert!(before.lines().all(kept), "{after}");
        assert!(after.contains("verdict = \"settled\""), "{after}");
        folder.schedsim(&["run", "-q", file]).code(0).out("all as expected");
        folder.schedsim(&["run", "-q", file, "--expect-from-run"]).code(2).err("nothing is written");
        assert_eq!(folder.read(file), after);
    }
    folder
        .schedsim(&["run", "-q", "two.toml", "--variant", "b", "--expect-from-run"])
        .code(2)
        .err("`b` has its [expect]");
    folder.schedsim(&["run", "-q", "fine.toml", "--expect-from-run"]).code(2).err("nothing is written");
    folder.schedsim(&["run", "-q", "one.toml", "--expect-from-run", "--seed", "3"]).code(2).err("cannot be used with");
    folder.schedsim(&["run", "-", "--expect-from-run"]).code(2).err("needs files");
}

/// Ends with the test, whatever came of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_watched_story_runs_again_at_each_save_and_marks_what_changed() {
    let folder = folder(&[("a.toml", FINE)]);
    let mut command = Command::new(snapbox::cmd::cargo_bin!("schedsim"));
    command.current_dir(folder.path()).args(["run", "a.toml", "--watch"]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts"));
    let out = running.0.stdout.take().expect("piped");
    let mut lines = BufReader::new(out).lines().map(|line| line.expect("UTF-8"));
    let mut until_it_waits = || {
        let told: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("-- waiting")).collect();
        told.join("\n")
    };
    assert!(until_it_waits().contains("SETTLED"));
    // A file may be met while it is written: then there is one result more.
    let mut told_after = |text: &str, says: &str| {
        folder.write("a.toml", text);
        (0..3).map(|_| until_it_waits()).find(|told| told.contains(says)).expect("a result after the save")
    };
    let told = told_after(&FINE.replace("Nothing.", "Something."), "Something.");
    assert!(told.contains("- ") && told.contains("Nothing.") && told.contains("+ "), "{told}");
    assert!(!told.contains("SETTLED"), "what stays is not told again: {told}");
    // A file that is broken for a moment is no end.
    told_after("schema = ", "");
    told_after(FINE, "+ ");
}
