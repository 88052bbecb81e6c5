//! `view`: what it says where it cannot show anything; `src/view` holds what it shows.

use super::{FINE, folder};

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let folder = folder(&[("a.toml", FINE)]);
    folder.schedsim(&["view", "a.toml"]).code(2).no_out().err("`view` needs a terminal").err("run --report");
}

#[test]
fn what_cannot_be_looked_at_is_told_before_the_terminal_is_asked_for() {
    let folder = folder(&[("a.toml", FINE)]);
    folder.schedsim(&["view", "none.toml"]).code(2).no_out().err("none.toml");
    folder.schedsim(&["view", "a.toml", "--variant", "mian"]).code(4).no_out().err("main");
    folder.schedsim(&["view", "a.toml", "--seeds", "0..3"]).code(2).no_out().err("give one --seed");
    folder.schedsim(&["view", "none.jsonl"]).code(2).no_out().err("`none.jsonl` is no trace of JSON lines");
    folder.write("bad.jsonl", "{}\n");
    folder.schedsim(&["view", "bad.jsonl"]).code(2).no_out().err("line 1: missing field");
    folder.schedsim(&["view", "-"]).code(2).no_out().err("keys come from standard input");
}

/// In a terminal: `tests/terminal/view_test.py` looks at what comes out and at what is left behind.
#[test]
fn in_a_terminal_it_is_drawn_and_the_terminal_is_given_back() {
    let folder = folder(&[("a.toml", FINE)]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/view_test.py");
    let file = folder.path().join("a.toml");
    let schedsim = snapbox::cmd::cargo_bin!("schedsim");
    let run = std::process::Command::new("python3").arg(script).arg(schedsim).arg(file).output();
    match run {
        Ok(done) if cfg!(unix) => {
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        _ => eprintln!("SKIPPED: there is no python3 with a pseudo terminal here, so `view` was NOT opened in one"),
    }
}
