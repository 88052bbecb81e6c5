//! `schedsim sweep` beside others: two processes and one folder, and a merge that is interrupted.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use super::sweep::{bytes, ready, with};
use super::sweep_kept::kept;

fn start(folder: &super::Folder, words: &[&str]) -> Child {
    let mut command = Command::new(snapbox::cmd::cargo_bin!("schedsim"));
    let command = command.current_dir(folder.path()).args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary runs")
}

#[test]
fn two_processes_never_write_into_one_folder_and_a_killed_one_is_in_nobodys_way() {
    // The runs of the first setting are days long, all others are minutes.
    let folder = with(|sweep| {
        let short = "[[parameter]]\npath = \"horizon\"\nvalues = [\"20m\"]\n[[objective]]";
        let sweep = sweep.replacen("[[objective]]", short, 1).replace("0..4", "0..2");
        sweep.replace("baseline = [", "baseline = [\"horizon=20d\", ")
    });
    for (out, rows, more) in [("plain", "plain", &[][..]), ("wide", "wide/rounds/1", &["--until-precise", "9%"])] {
        let words = [&["sweep", "sweep.toml", "--jobs", "3", "--out", out], more].concat();
        let mut first = start(&folder, &words);
        while kept(&folder, rows) < 1 {
            assert!(first.try_wait().expect("a child").is_none(), "it ended before it had written anything");
            std::thread::yield_now();
        }
        let busy =
            format!("error: another sweep is writing into `{out}`; wait for its end, or choose another folder\n");
        for resume in [&[][..], &["--resume"]] {
            let second = folder.schedsim(&[&words, resume].concat()).code(75).no_out();
            assert_eq!(second.err, busy);
        }
        assert!(first.try_wait().expect("a child").is_none(), "it ended before somebody came second");
        first.kill().expect("killed");
        first.wait().expect("a child");
        assert!(folder.exists(&format!("{out}/.lock")), "what is locked stays");
        folder.schedsim(&words).code(2).err("of this very sweep; add --resume to go on with it");
    }
}

#[test]
fn a_folder_that_was_killed_at_its_very_beginning_is_begun_again() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    let mut manifest: serde_json::Value = serde_json::from_str(&folder.read("whole/manifest.json")).expect("JSON");
    manifest["runs"] = serde_json::Value::Null;
    let (manifest, plan) = (manifest.to_string(), folder.read("whole/sweep.json"));
    let steps: [&[(&str, &str)]; 4] = [
        &[(".lock", "")],
        &[(".lock", ""), ("manifest.json.new", &manifest[..50])],
        &[(".lock", ""), ("manifest.json", &manifest)],
        &[(".lock", ""), ("manifest.json", &manifest), ("sweep.json.new", &plan[..99])],
    ];
    for (turn, files) in steps.into_iter().enumerate() {
        let out = format!("killed-{turn}");
        files.iter().for_each(|(name, text)| folder.write(&format!("{out}/{name}"), text));
        folder.schedsim(&["sweep", "sweep.toml", "--out", &out, "--resume"]).code(0);
        assert_eq!(bytes(&folder, &out), bytes(&folder, "whole"), "{files:?}");
    }
}

/// The second shard's rows are a pipe: the merge waits in it, for the test to see where it is.
#[cfg(unix)]
#[test]
fn an_interrupted_merge_says_that_nothing_is_lost() {
    let folder = ready();
    for shard in ["1/2", "2/2"] {
        folder.schedsim(&["sweep", "sweep.toml", "--shard", shard, "--out", &shard[..1]]).code(0);
    }
    let (rows, path) = (folder.read("2/runs.csv"), folder.path().join("2/runs.csv"));
    std::fs::remove_file(&path).expect("there it was");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
    for (name, status, half) in [("INT", 130, false), ("TERM", 143, true)] {
        let mut child = start(&folder, &["sweep", "merge", "--out", "out", "1", "2"]);
        // Opening a pipe waits for who reads it: first to check the rows, then to join them.
        let pipe = || OpenOptions::new().write(true).open(&path).expect("a pipe");
        let mut waits = pipe();
        if half {
            waits.write_all(rows.as_bytes()).expect("it reads");
            drop(waits);
            while !folder.exists("out/runs.csv") {
                assert!(child.try_wait().expect("a child").is_none(), "it ended before it could be interrupted");
                std::thread::yield_now();
            }
            waits = pipe();
        }
        let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let done = child.wait_with_output().expect("a child");
        drop(waits);
        assert_eq!((done.status.code(), &done.stdout[..]), (Some(status), &b""[..]));
        let remove = if half { "out is half merged: remove it; " } else { "" };
        assert_eq!(
            String::from_utf8_lossy(&done.stderr),
            format!(
                "interrupted: nothing is lost, the shards are as they were; {remove}to merge again:\n  \
                 schedsim sweep merge --out out 1 2\n"
            )
        );
        assert_eq!(folder.exists("out"), half);
    }
    std::fs::remove_file(&path).expect("a pipe");
    folder.write("2/runs.csv", &rows);
    folder.schedsim(&["sweep", "merge", "--out", "out", "1", "2"]).code(2).err("nothing was overwritten");
    std::fs::remove_dir_all(folder.path().join("out")).expect("half of a merge");
    folder.schedsim(&["sweep", "merge", "--out", "out", "1", "2"]).code(0);
}
