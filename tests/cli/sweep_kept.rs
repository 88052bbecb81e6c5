//! `schedsim sweep`: what a kill, an interrupt or a full disk leaves, and how it goes on.

use std::fs;
use std::process::{Command, Stdio};

use super::Folder;
use super::sweep::{bytes, ready, with};

/// The runs that a folder keeps, each counted once: those in their places, and those that came early.
pub(crate) fn kept(folder: &Folder, out: &str) -> usize {
    let lines = |name: &str| fs::read_to_string(folder.path().join(out).join(name)).unwrap_or_default();
    let rows = lines("runs.csv").matches('\n').count().saturating_sub(1);
    let early = lines("runs.early");
    let whole = early.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let numbers = whole.map(|line| line.split(',').next().expect("a number").parse::<usize>().expect("a number"));
    rows + numbers.filter(|number| *number >= rows).count()
}

/// Runs it where no file may grow beyond so many bytes; `sh` counts in blocks of 512.
#[cfg(unix)]
fn in_a_full_house(folder: &Folder, bytes: usize, words: &[&str]) -> super::Done {
    let line = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes.div_ceil(512));
    let binary = snapbox::cmd::cargo_bin!("schedsim");
    let command = snapbox::cmd::Command::new("sh").args(["-c", &line]).arg(binary).args(words);
    super::done(command.current_dir(folder.path()))
}

/// A file that cannot grow is to a program what a full disk is.
#[cfg(unix)]
#[test]
fn a_full_disk_at_the_end_leaves_no_half_file_and_says_how_to_go_on() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    let whole = bytes(&folder, "whole");
    let size = |name: &str| folder.read(&format!("whole/{name}")).len();
    let (rows, summary, report) = (size("runs.csv"), size("summary.csv"), size("report.html"));
    for (out, least, most, missing) in
        [("rows", rows, summary, "summary.csv"), ("report", summary, report, "report.html")]
    {
        assert!(least + 512 < most, "{rows} {summary} {report}: no room between them");
        let done = in_a_full_house(&folder, least, &["sweep", "sweep.toml", "--out", out]).code(2).no_out();
        assert!(done.err.contains("cannot write") && done.err.contains(missing), "{}", done.err);
        let line = format!("schedsim sweep sweep.toml --out {out} --resume");
        let told =
            done.err.contains(&format!("all 24 runs are kept in {out}; when that is mended, go on:\n  {line}\n"));
        assert!(told, "{}", done.err);
        for (name, text) in bytes(&folder, out) {
            let same = whole.iter().any(|(known, whole)| *known == name && *whole == text);
            assert!(same || name == "/manifest.json", "{name} is not as it is in the end");
        }
        assert!(!folder.exists(&format!("{out}/{missing}")));
        folder.schedsim(&["sweep", "sweep.toml", "--out", out, "--resume"]).code(0);
        assert_eq!(bytes(&folder, out), whole);
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_meets_a_merge_with_words_and_leaves_nothing_half() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    for shard in ["1/4", "2/4", "3/4", "4/4"] {
        folder.schedsim(&["sweep", "sweep.toml", "--shard", shard, "--out", &shard[..1]]).code(0);
    }
    let merge = ["sweep", "merge", "--out", "out", "1", "2", "3", "4"];
    let (shard, rows) = (folder.read("1/runs.csv").len(), folder.read("whole/runs.csv").len());
    assert!(shard + 512 < rows, "{shard} {rows}");
    let done = in_a_full_house(&folder, shard, &merge).code(2).no_out();
    done.err("cannot write the results").err("the shards are as they were: make room, then merge again");
    assert!(!folder.exists("out"));
    // Where only the judgement has no room, the rows are there, and the sweep goes on with them.
    let done = in_a_full_house(&folder, rows, &merge).code(2).no_out();
    done.err("all 24 runs are joined in out").err("schedsim sweep FILE --out out --resume");
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out", "--resume"]).code(0);
    assert_eq!(bytes(&folder, "out"), bytes(&folder, "whole"));
}

#[test]
fn a_sweep_that_was_killed_anywhere_goes_on_and_ends_in_the_same_bytes() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    let rows = folder.read("whole/runs.csv");
    // As a kill leaves it, at points all over the file: before, in, and at the end of lines.
    for (turn, at) in [0, 1, 700, 901, 1500, 2222, rows.len() - 1, rows.len()].into_iter().enumerate() {
        let out = format!("cut-{turn}");
        folder.write(&format!("{out}/sweep.json"), &folder.read("whole/sweep.json"));
        folder.write(&format!("{out}/runs.csv"), &rows[..at]);
        let mut manifest: serde_json::Value = serde_json::from_str(&folder.read("whole/manifest.json")).unwrap();
        manifest["runs"] = serde_json::Value::Null;
        folder.write(&format!("{out}/manifest.json"), &manifest.to_string());
        folder.schedsim(&["sweep", "sweep.toml", "--out", &out, "--resume"]).code(0);
        assert_eq!(bytes(&folder, &out), bytes(&folder, "whole"), "cut at byte {at}");
    }
}

#[test]
fn a_process_that_is_really_killed_has_lost_nothing() {
    let folder = with(|sweep| sweep.replace("0..4", "0..40"));
    let whole = folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    drop(whole);
    for wanted in [1, 17, 80] {
        let out = format!("killed-{wanted}");
        let mut child = Command::new(snapbox::cmd::cargo_bin!("schedsim"))
            .current_dir(folder.path())
            .args(["sweep", "sweep.toml", "--out", &out])
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let path = folder.path().join(&out).join("runs.csv");
        let rows = || fs::read(&path).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        while rows() <= wanted && child.try_wait().expect("a child").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("killed, or over");
        child.wait().expect("a child");
        let kept = folder.read(&format!("{out}/runs.csv"));
        folder.schedsim(&["sweep", "sweep.toml", "--out", &out, "--resume"]).code(0);
        let kept = &kept[..kept.rfind('\n').expect("a line") + 1];
        assert!(folder.read(&format!("{out}/runs.csv")).starts_with(kept), "finished rows are kept");
        assert_eq!(bytes(&folder, &out), bytes(&folder, "whole"), "killed after {wanted} rows");
    }
}

#[test]
fn runs_that_ended_behind_a_long_one_survive_a_kill() {
    // The first setting is days long, all others are minutes.
    let folder = with(|sweep| {
        let short = "[[parameter]]\npath = \"horizon\"\nvalues = [\"20m\"]\n[[objective]]";
        let sweep = sweep.replacen("[[objective]]", short, 1).replace("0..4", "0..2");
        sweep.replace("baseline = [", "baseline = [\"horizon=4d\", ")
    });
    let mut child = Command::new(snapbox::cmd::cargo_bin!("schedsim"))
        .current_dir(folder.path())
        .args(["sweep", "sweep.toml", "--out", "killed", "--jobs", "3"])
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary runs");
    while kept(&folder, "killed") < 8 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended before it could be killed");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("a child");
    assert_eq!(folder.read("killed/runs.csv").lines().count(), 1, "the long runs are not over");
    let kept = kept(&folder, "killed");
    folder.schedsim(&["sweep", "sweep.toml", "--out", "killed"]).code(2).err(&format!("holds {kept} of 14 runs"));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "killed", "--resume"]).code(0);
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    assert_eq!(bytes(&folder, "killed"), bytes(&folder, "whole"));
}

/// Ctrl-C, and what a cluster sends before it kills.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_says_what_is_kept_and_how_to_go_on() {
    let folder = with(|sweep| sweep.replace("0..4", "0..40"));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    let binary = snapbox::cmd::cargo_bin!("schedsim");
    for (name, status, words) in [("INT", 130, &["--jobs", "2"][..]), ("TERM", 143, &["-q"])] {
        let out = format!("out {name}");
        let child = Command::new(binary)
            .current_dir(folder.path())
            .args(["sweep", "sweep.toml", "--out", &out])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        while kept(&folder, &out) < 5 {
            std::thread::yield_now();
        }
        let sent = Command::new("sh").arg("-c").arg(format!("kill -s {name} {}", child.id())).status();
        assert!(sent.expect("sh runs").success(), "it ended before it could be interrupted");
        let done = child.wait_with_output().expect("a child");
        assert_eq!(done.status.code(), Some(status), "{}", done.status);
        assert_eq!(done.stdout, b"");
        let said = String::from_utf8(done.stderr).expect("UTF-8");
        let kept = kept(&folder, &out);
        let line = format!("schedsim sweep sweep.toml --out 'out {name}' {} --resume", words.join(" "));
        assert_eq!(said, format!("interrupted: {kept} of 240 runs are kept in {out}; to go on:\n  {line}\n"));
        assert!(kept < 240, "nothing was interrupted");
        // The line itself, as somebody copies it.
        let path =
            format!("{}:{}", binary.parent().expect("a folder").display(), std::env::var("PATH").expect("a path"));
        let again = Command::new("sh").arg("-c").arg(line).current_dir(folder.path()).env("PATH", path).output();
        assert!(again.expect("sh runs").status.success());
        assert_eq!(bytes(&folder, &out), bytes(&folder, "whole"));
    }
}

#[test]
fn a_sweep_that_was_killed_while_its_rounds_were_joined_goes_on() {
    let folder = ready();
    let words = ["sweep", "sweep.toml", "--until-precise", "70%", "--out"];
    let whole = folder.schedsim(&[&words[..], &["whole"]].concat()).code(0);
    // After each round it says how many seeds there were: `16 seeds: not yet precise…`.
    let upto: Vec<&str> = whole.err.lines().filter_map(|line| line.split_once(" seeds: ")).map(|(n, _)| n).collect();
    assert!(upto.len() >= 2, "{}", whole.err);
    let json = |file: &str| serde_json::from_str::<serde_json::Value>(&folder.read(file)).expect("JSON");
    let changed = |file: &str, key: &str, value: serde_json::Value| {
        let mut manifest = json(file);
        manifest[key] = value;
        folder.write(file, &manifest.to_string());
    };
    // While its seeds are sought a folder is marked with the sweep that it began as, and how precise it is to be.
    folder.schedsim(&["sweep", "sweep.toml", "--out", "begun"]).code(0);
    let begun = json("begun/sweep.json")["digest"].as_str().expect("a digest").to_owned();
    let mark = format!("b3:{}", blake3::hash(format!("{begun} until 0.7").as_bytes()).to_hex());
    for name in ["before", "after"] {
        for file in ["sweep.json", "manifest.json", "runs.csv"] {
            folder.write(&format!("{name}/{file}"), &folder.read(&format!("whole/{file}")));
        }
        // The rounds as they were; afterwards the second one is half removed.
        let mut from = "0";
        for (number, upto) in (1..).zip(if name == "before" { &upto[..] } else { &upto[..1] }) {
            let below = format!("{name}/rounds/{number}");
            let seeds = format!("{from}..{upto}");
            folder.schedsim(&["sweep", "sweep.toml", "--out", &below, "--seeds", &seeds]).code(0);
            changed(&format!("{below}/manifest.json"), "sweep", mark.as_str().into());
            from = upto;
        }
        folder.write(&format!("{name}/rounds/2/half removed"), "");
        if name == "before" {
            changed("before/manifest.json", "runs", serde_json::Value::Null);
            changed("before/manifest.json", "sweep", mark.as_str().into());
        }
        let done = folder.schedsim(&[&words[..], &[name, "--resume"]].concat()).code(0);
        assert!(!done.err.contains("cannot"), "{}", done.err);
        assert_eq!(bytes(&folder, name), bytes(&folder, "whole"), "killed {name} the folder was complete");
    }
}
