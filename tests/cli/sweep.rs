//! `schedsim sweep`: results, shards, resuming, and everything that it refuses.

use std::fs;
use std::process::{Command, Stdio};

use super::{Folder, folder};

/// An outage of four minutes, small enough to run many times.
const STORY: &str = r#"
schema = 1
horizon = "20m"
policy.with = ["reset-only-on-new-version"]
tuning.ticker_phase = "seed"
[workload.shop.worker]
start = { uniform = ["300ms", "2s"] }
[[step]]
name = "deploy"
at   = "0s"
do.deploy = { app = "shop", config = "[services.worker]" }
[[step]]
name = "outage"
at   = "4m"
do.set_workload = { app = "shop", service = "worker", exit_after = "2s" }
[[step]]
name = "kill"
at   = "4m"
do.kill = { sandbox = "shop-worker-0" }
[[step]]
name = "back"
at   = "8m"
do.set_workload = { app = "shop", service = "worker", exit_after = "never" }
"#;

const SWEEP: &str = r#"
schema = 1
scenarios = ["outage.toml"]
seeds = "0..4"
baseline = ["tuning.backoff.base=10s", "tuning.backoff.cap=15m"]
[[parameter]]
path = "tuning.backoff.base"
values = ["2s", "10s", "30s"]
[[parameter]]
path = "tuning.backoff.cap"
values = ["1m", "15m"]
[[objective]]
metric = "recovery_s"
[[objective]]
metric = "boots_attempted"
aggregate = "p95"
"#;

fn ready() -> Folder {
    folder(&[("outage.toml", STORY), ("sweep.toml", SWEEP)])
}

fn with(change: impl Fn(&str) -> String) -> Folder {
    folder(&[("outage.toml", STORY), ("sweep.toml", &change(SWEEP))])
}

/// Every file below a folder, with its bytes.
fn bytes(folder: &Folder, below: &str) -> Vec<(String, String)> {
    let files = folder.files().into_iter().filter(|file| file.starts_with(&format!("{below}/")));
    files.map(|file| (file[below.len()..].to_owned(), folder.read(&file))).collect()
}

/// The runs that a folder keeps, each counted once: those in their places, and those that came early.
fn kept(folder: &Folder, out: &str) -> usize {
    let lines = |name: &str| fs::read_to_string(folder.path().join(out).join(name)).unwrap_or_default();
    let rows = lines("runs.csv").matches('\n').count().saturating_sub(1);
    let early = lines("runs.early");
    let whole = early.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let numbers = whole.map(|line| line.split(',').next().expect("a number").parse::<usize>().expect("a number"));
    rows + numbers.filter(|number| *number >= rows).count()
}

#[test]
fn a_sweep_leaves_its_results_in_a_folder_and_says_what_follows() {
    let folder = ready();
    let done = folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    assert!(done.out.contains("6 settings x 1 scenarios and variants x 4 seeds"), "{}", done.out);
    let runs = folder.read("out/runs.csv");
    assert_eq!(runs.lines().count(), 1 + 6 * 4);
    assert!(runs.lines().nth(1).unwrap().starts_with("0,outage,main,0,10s,15m,"), "{runs}");
    assert!(folder.read("out/summary.csv").contains("\n5,30s,15m,recovery_s,4,"));
    assert!(folder.read("out/pareto.csv").starts_with("setting,tuning.backoff.base,tuning.backoff.cap,baseline,"));
    assert_eq!(folder.read("out/recommendation.txt"), done.out);
    assert_eq!(done.err, "", "no progress where there is no terminal");
}

#[test]
fn a_sweep_from_standard_input_finds_its_scenarios_in_the_present_folder() {
    let folder = with(|sweep| format!("name = \"piped\"\n{sweep}"));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole"]).code(0);
    let piped = |text: String, words: &[&str]| {
        super::done(folder.command(&[&["sweep", "-", "--out"], words].concat()).stdin(text))
    };
    piped(folder.read("sweep.toml"), &["out"]).code(0).out("6 settings");
    assert_eq!(bytes(&folder, "out"), bytes(&folder, "whole"));
    piped(folder.read("sweep.toml"), &["out", "--resume"]).code(0);
    let broken = folder.read("sweep.toml").replace("seeds =", "seed =");
    piped(broken, &["other"]).code(2).err("--> stdin:5:1").err("did you mean `seeds`?").err("`-` cannot be used");
}

#[test]
fn a_row_is_the_run_that_its_columns_name() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    let runs = folder.read("out/runs.csv");
    let names: Vec<&str> = runs.lines().next().unwrap().split(',').collect();
    let last: Vec<&str> = runs.lines().last().unwrap().split(',').collect();
    let words = ["--seed", last[3], "--set", "tuning.backoff.base=30s", "--set", "tuning.backoff.cap=15m"];
    let json = folder.schedsim(&[&["run", "outage.toml", "--format", "json"], &words[..]].concat()).code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for metric in ["boots_attempted", "reconciles", "recovery_s", "cooldown_s"] {
        let column = names.iter().position(|name| *name == metric).unwrap();
        let (swept, run): (f64, f64) = (last[column].parse().unwrap(), json["metrics"][metric].as_f64().unwrap());
        assert!((swept - run).abs() < 0.001, "{metric}: {swept} in the sweep, {run} alone");
    }
}

#[test]
fn shards_merge_to_the_bytes_of_a_single_run_whatever_they_are() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "whole", "--jobs", "3"]).code(0);
    for of in [1, 2, 5, 30] {
        let mut words = vec!["sweep".to_owned(), "merge".to_owned(), "--out".to_owned(), format!("merged-{of}")];
        // The shards in any order.
        for number in (1..=of).rev() {
            let (shard, out) = (format!("{number}/{of}"), format!("shard-{number}-of-{of}"));
            folder.schedsim(&["sweep", "sweep.toml", "--shard", &shard, "--out", &out, "--jobs", "1"]).code(0);
            words.push(out);
        }
        folder.schedsim(&words.iter().map(String::as_str).collect::<Vec<_>>()).code(0);
        assert_eq!(bytes(&folder, &format!("merged-{of}")), bytes(&folder, "whole"), "{of} shards");
    }
}

#[test]
fn merge_refuses_what_does_not_belong_together() {
    let folder = ready();
    for shard in ["1/3", "2/3", "3/3"] {
        let out = format!("s{}", &shard[..1]);
        folder.schedsim(&["sweep", "sweep.toml", "--shard", shard, "--out", &out]).code(0).out("shard ");
    }
    folder.schedsim(&["sweep", "sweep.toml", "--seeds", "0..5", "--shard", "3/3", "--out", "other"]).code(0);
    let refused = |shards: &[&str], why: &str| {
        folder.schedsim(&[&["sweep", "merge", "--out", "out"], shards].concat()).code(2).err(why);
        assert!(!folder.exists("out"), "nothing is written");
    };
    refused(&["s1", "s3"], "shards are missing: 2/3");
    refused(&["s1", "s2", "s2"], "are both shard 2/3");
    refused(&["s1", "s2", "other"], "another sweep");
    refused(&["s1", "s2", "none"], "`none` is no shard");
    let rows = folder.read("s3/runs.csv");
    folder.write("s3/runs.csv", &rows.replacen("settled", "livelock", 1));
    refused(&["s1", "s2", "s3"], "changed or is damaged");
    folder.write("s3/runs.csv", &rows);
    folder.schedsim(&["sweep", "merge", "--out", "out", "s1", "s2", "s3"]).code(0);
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
fn a_folder_with_other_results_is_refused_and_nothing_in_it_is_touched() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    folder.write("mine/notes.txt", "mine");
    let before = (bytes(&folder, "out"), bytes(&folder, "mine"));
    folder
        .schedsim(&["sweep", "sweep.toml", "--out", "out"])
        .code(2)
        .err("24 of 24 runs of this very sweep")
        .err("--resume");
    folder
        .schedsim(&["sweep", "sweep.toml", "--out", "out", "--seeds", "0..9"])
        .code(2)
        .err("results of another sweep");
    folder
        .schedsim(&["sweep", "sweep.toml", "--out", "out", "--seeds", "0..9", "--resume"])
        .code(2)
        .err("another sweep");
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out", "--shard", "1/2", "--resume"]).code(2).err("shard 1/1");
    folder.schedsim(&["sweep", "sweep.toml", "--out", "mine"]).code(2).err("not empty and holds no sweep");
    folder.write("outage.toml", &STORY.replace("\"8m\"", "\"9m\""));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out", "--resume"]).code(2).err("other versions of its files");
    assert_eq!((bytes(&folder, "out"), bytes(&folder, "mine")), before);
}

#[test]
fn rows_that_somebody_changed_are_not_gone_on_with() {
    let folder = ready();
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    let rows = folder.read("out/runs.csv");
    folder.write("out/runs.csv", &rows.replacen("\n0,outage,main,2,", "\n0,outage,main,3,", 1));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out", "--resume"]).code(2).err("row 3 is not that of its run");
}

#[test]
fn what_is_wrong_with_a_sweep_file_is_told_with_what_to_do() {
    for (from, to, why) in [
        ("tuning.backoff.cap\"\nvalues", "tuning.backof.cap\"\nvalues", "did you mean `backoff`?"),
        ("tuning.backoff.cap\"\nvalues", "tuning.backoff.cup\"\nvalues", "did you mean `cap`?"),
        ("[\"1m\", \"15m\"]", "[]", "the grid is empty"),
        ("[\"1m\", \"15m\"]", "[\"1m\", \"60s\"]", "twice"),
        ("[\"1m\", \"15m\"]", "[\"soon\"]", "soon"),
        ("\"recovery_s\"", "\"recovery\"", "did you mean `recovery_s`?"),
        ("aggregate = \"p95\"", "aggregate = \"p96\"", "did you mean `p95`?"),
        ("seeds = \"0..4\"", "seeds = \"4..4\"", "64 is the first that is left out"),
        ("seeds = ", "seed = ", "did you mean `seeds`?"),
        ("\"outage.toml\"", "\"none.toml\"", "none.toml"),
        ("\"outage.toml\"", "\"n*.toml\"", "no scenario in this folder matches `n*.toml`"),
        ("seeds =", "variants = [\"after\"]\nseeds =", "none of these variants"),
        ("seeds =", "constraints = [\"boots_failed = 3\"]\nseeds =", "this is no constraint"),
        ("seeds =", "constraints = [\"boots_faild.p95 <= 3\"]\nseeds =", "did you mean `boots_failed`?"),
        ("seeds =", "samples = 3\nseeds =", "a grid has no number of samples"),
        ("schema = 1", "schema = 2", "reads schema 1 only"),
        ("path = \"tuning.backoff.cap\"", "path = \"seed\"", "`seed` is no parameter"),
        ("[[objective]]", "[[objektive]]", "did you mean `objective`?"),
    ] {
        let folder = with(|sweep| {
            assert!(sweep.contains(from), "{from}");
            sweep.replacen(from, to, 1)
        });
        folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(2).err(why).no_out();
        assert!(!folder.exists("out"), "{to}: a folder was made");
    }
}

#[test]
fn all_problems_of_a_sweep_are_told_at_once_each_at_its_place_in_the_file() {
    let folder = with(|sweep| {
        let sweep = sweep.replace("\"outage.toml\"", "\"outage.toml\", \"later.toml\", \"x*.toml\"");
        let sweep = sweep.replace("baseline = [", "baseline = [\"tunig.x=1\", \"tuning.backoff.free=some\", ");
        let sweep = sweep.replace("path = \"tuning.backoff.cap\"", "path = \"tuning.backoff.cup\"");
        let sweep = sweep.replace("values = [\"2s\", \"10s\", \"30s\"]", "values = [\"2s\", \"soon\", \"30s\"]");
        let jitter = "[[parameter]]\npath = \"tuning.backoff.jitter\"\nfrom = 0.5\nto = 2\nsteps = 4\n";
        let step = "[[parameter]]\npath = \"step.late.at\"\nvalues = [\"9m\"]\n";
        let sweep = sweep.replacen("[[objective]]", &format!("{jitter}{step}[[objective]]"), 1);
        sweep.replace("\"recovery_s\"", "\"recovry_s\"")
    });
    folder.write("later.toml", &STORY.replace("\"back\"", "\"late\""));
    folder.write("study/sweep.toml", &folder.read("sweep.toml"));
    let done = folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(2).no_out();
    let problems: Vec<&str> = done.err.lines().filter(|line| line.starts_with("error:")).collect();
    let places = done.err.lines().filter_map(|line| line.trim().strip_prefix("--> "));
    let told: Vec<String> = problems.iter().zip(places).map(|(error, place)| format!("{place} {error}")).collect();
    assert_eq!(
        told,
        [
            "sweep.toml:3:43 error: no scenario in this folder matches `x*.toml`",
            "sweep.toml:5:14 error: unknown key `tunig` in the scenario",
            "sweep.toml:5:47 error: expected a whole number, found a text",
            "sweep.toml:8:17 error: this is not a duration; write one like \"90s\" or \"1h30m\"",
            "sweep.toml:10:24 error: unknown key `cup` in `tuning.backoff`",
            "sweep.toml:15:6 error: this must be between 0 and 1",
            "sweep.toml:18:14 error: there is no step `late`",
            "sweep.toml:21:10 error: unknown metric `recovry_s`",
        ],
        "{}",
        done.err
    );
    assert_eq!(problems.last(), Some(&"error: `sweep.toml` cannot be used"));
    assert!(!done.err.contains("error: error:") && !done.err.contains("--set"), "{}", done.err);
    let done = done.err("with `tuning.backoff.jitter=1.5`").err("so in `outage.toml`, but not in every scenario");
    assert!(!done.err.contains("(in )"), "{}", done.err);
    // In another folder than the present one, its files are elsewhere.
    let done = folder.schedsim(&["sweep", "study/sweep.toml", "--out", "out"]).code(2);
    done.err("no scenario in `study` matches `x*.toml`").err("cannot read `study/outage.toml`");
}

#[test]
fn a_scenario_that_cannot_be_used_is_told_with_its_own_places_beside_what_is_wrong_with_the_sweep() {
    let folder = with(|sweep| sweep.replace("\"recovery_s\"", "\"recovry_s\""));
    folder.write("outage.toml", &STORY.replace("horizon = \"20m\"", "horizon = \"soon\""));
    let done = folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(2).no_out();
    done.err("--> sweep.toml:13:10").err("--> outage.toml:3:11").err("error: `sweep.toml` cannot be used");
}

#[test]
fn a_field_that_a_variant_sets_itself_cannot_be_swept() {
    let folder = ready();
    folder.write("outage.toml", &format!("{STORY}\n[[variant]]\nname = \"own\"\ntuning.backoff.cap = \"5m\"\n"));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(2).err("does not reach `own`");
}

#[test]
fn more_than_a_million_runs_must_be_meant() {
    let folder = ready();
    let done = folder.schedsim(&["sweep", "sweep.toml", "--out", "out", "--seeds", "0..200000"]).code(2);
    assert!(done.err.contains("this sweep is 1400000 runs"), "{}", done.err);
    assert!(done.err.contains("--yes-really"), "{}", done.err);
    assert!(!folder.exists("out"));
}

#[test]
fn the_command_line_of_a_sweep_is_checked() {
    let folder = ready();
    for (words, why) in [
        (vec!["sweep", "sweep.toml"], "--out"),
        (vec!["sweep", "sweep.toml", "--out", "o", "--shard", "3/2"], "K from 1 to N"),
        (vec!["sweep", "sweep.toml", "--out", "o", "--shard", "0/2"], "K from 1 to N"),
        (vec!["sweep", "sweep.toml", "--out", "o", "--until-precise", "5"], "5%"),
        (vec!["sweep", "none.toml", "--out", "o"], "cannot read the sweep file `none.toml`"),
        (vec!["sweep", "merge", "--out", "o"], "SHARD-DIR"),
    ] {
        folder.schedsim(&words).code(2).err(why).no_out();
    }
}

#[test]
fn seeds_are_added_until_the_objectives_are_precise() {
    let folder = ready();
    let words = ["sweep", "sweep.toml", "--out", "out", "--until-precise", "20%"];
    let done = folder.schedsim(&words).code(0);
    assert!(done.err.contains("4 seeds: not yet precise to 20 %"), "{}", done.err);
    assert!(done.err.contains("every objective is precise to 20 %"), "{}", done.err);
    let plan: serde_json::Value = serde_json::from_str(&folder.read("out/sweep.json")).unwrap();
    let seeds = plan["seeds"][1].as_u64().unwrap();
    assert!(seeds > 4);
    // The same as the sweep over the seeds that it came to.
    folder.schedsim(&["sweep", "sweep.toml", "--out", "fixed", "--seeds", &format!("0..{seeds}")]).code(0);
    for file in ["runs.csv", "summary.csv", "pareto.csv", "recommendation.txt"] {
        assert_eq!(folder.read(&format!("out/{file}")), folder.read(&format!("fixed/{file}")), "{file}");
    }
    assert!(!folder.exists("out/rounds"));
}

#[test]
fn a_complete_sweep_is_shown_again_by_resuming_it_however_its_seeds_were_chosen() {
    let folder = ready();
    for words in [&[][..], &["--until-precise", "40%"]] {
        let out = format!("out-{}", words.len());
        let words = [&["sweep", "sweep.toml", "--out", &out], words].concat();
        let first = folder.schedsim(&words).code(0);
        let before = bytes(&folder, &out);
        folder.schedsim(&words).code(2).err("add --resume");
        let again = folder.schedsim(&[&words[..], &["--resume"]].concat()).code(0);
        assert_eq!(again.out, first.out);
        let last = |text: &str| text.lines().last().map(str::to_owned);
        assert_eq!(last(&again.err), last(&first.err), "and how precise it is");
        assert_eq!(bytes(&folder, &out), before);
    }
    // Another precision is another sweep.
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out-2", "--until-precise", "30%", "--resume"]).code(2);
}

#[test]
fn a_sweep_that_was_killed_while_its_rounds_were_joined_goes_on() {
    let folder = ready();
    let words = ["sweep", "sweep.toml", "--until-precise", "40%", "--out"];
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
    let digest = json("whole/sweep.json")["digest"].clone();
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
            changed(&format!("{below}/manifest.json"), "sweep", digest.clone());
            from = upto;
        }
        folder.write(&format!("{name}/rounds/2/half removed"), "");
        if name == "before" {
            changed("before/manifest.json", "runs", serde_json::Value::Null);
        }
        let done = folder.schedsim(&[&words[..], &[name, "--resume"]].concat()).code(0);
        assert!(!done.err.contains("cannot"), "{}", done.err);
        assert_eq!(bytes(&folder, name), bytes(&folder, "whole"), "killed {name} the folder was complete");
    }
}

#[test]
fn a_shard_that_is_to_choose_its_seeds_is_told_what_to_do_instead() {
    let folder = ready();
    let words = ["sweep", "sweep.toml", "--out", "out", "--until-precise", "20%", "--shard", "1/2"];
    let done = folder.schedsim(&words).code(2).no_out().err("a shard has only its own").err("`seeds_needed`");
    assert!(done.err.contains("give every shard the same --seeds A..B"), "{}", done.err);
    assert!(!folder.exists("out"));
    // And that works: the column is there, and shards over seeds that were chosen by it merge.
    folder.schedsim(&["sweep", "sweep.toml", "--out", "few"]).code(0);
    assert!(folder.read("few/summary.csv").lines().next().unwrap().ends_with(",seeds_needed"));
    for shard in ["1/2", "2/2"] {
        let out = format!("s{}", &shard[..1]);
        folder.schedsim(&["sweep", "sweep.toml", "--seeds", "0..6", "--shard", shard, "--out", &out]).code(0);
    }
    folder.schedsim(&["sweep", "merge", "--out", "both", "s1", "s2"]).code(0).out("x 6 seeds");
}

#[test]
fn samples_are_runs_like_any_other() {
    for method in ["random", "latin", "sobol"] {
        let folder = with(|sweep| {
            let sweep = sweep.replacen("seeds =", &format!("sampling = \"{method}\"\nsamples = 8\nseeds ="), 1);
            sweep.replace("values = [\"1m\", \"15m\"]", "from = \"1m\"\nto = \"15m\"\nscale = \"log\"")
        });
        folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0).out("9 settings");
    }
}
