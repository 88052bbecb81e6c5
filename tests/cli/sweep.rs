//! `schedsim sweep`: results, shards, seeds. What is kept and what is refused have files of their own.

use super::{Folder, folder};

/// An outage of four minutes, small enough to run many times.
pub(crate) const STORY: &str = r#"
schema = 1
horizon = "20m"
policy.with = ["reset-only-on-new-version"]
tuning.ticker_phase = "seed"
[workload.shop.worker]
start = { uniform = ["300ms", "2s"] }
[[step]]
name = "deploy"
at   = "0s"
do.deploy = { app = "shop", config = "[services.worker.concurrency]\nmode = \"fixed\"\nnum_instances = 1" }
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

pub(crate) const SWEEP: &str = r#"
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

pub(crate) fn ready() -> Folder {
    folder(&[("outage.toml", STORY), ("sweep.toml", SWEEP)])
}

pub(crate) fn with(change: impl Fn(&str) -> String) -> Folder {
    folder(&[("outage.toml", STORY), ("sweep.toml", &change(SWEEP))])
}

/// Every file below a folder, with its bytes.
pub(crate) fn bytes(folder: &Folder, below: &str) -> Vec<(String, String)> {
    let files = folder.files().into_iter().filter(|file| file.starts_with(&format!("{below}/")));
    files.map(|file| (file[below.len()..].to_owned(), folder.read(&file))).collect()
}

#[test]
fn a_sweep_leaves_its_results_in_a_folder_and_says_what_follows() {
    let folder = ready();
    let done = folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    assert!(done.out.contains("6 settings x 1 scenarios and variants x 4 seeds"), "{}", done.out);
    let runs = folder.read("out/runs.csv");
    assert_eq!(runs.lines().count(), 1 + 6 * 4);
    assert!(runs.lines().nth(1).unwrap().starts_with("0,outage,main,0,10s,15m,"), "{runs}");
    assert!(folder.read("out/summary.csv").contains("\n5,30s,15m,objective,,recovery_s,mean,4,"));
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
fn seeds_are_added_until_the_objectives_are_precise() {
    let folder = ready();
    let words = ["sweep", "sweep.toml", "--out", "out", "--until-precise", "60%"];
    let done = folder.schedsim(&words).code(0);
    assert!(done.err.contains("4 seeds: not yet precise to 60 %: that needs at least 8 seeds; "), "{}", done.err);
    assert!(done.err.contains("every objective is precise to 60 %"), "{}", done.err);
    let plan: serde_json::Value = serde_json::from_str(&folder.read("out/sweep.json")).unwrap();
    let seeds = plan["seeds"][1].as_u64().unwrap();
    assert!(seeds > 4);
    // The same as the sweep over the seeds that it came to.
    folder.schedsim(&["sweep", "sweep.toml", "--out", "fixed", "--seeds", &format!("0..{seeds}")]).code(0);
    assert_eq!(bytes(&folder, "out"), bytes(&folder, "fixed"), "digests included");
}

#[test]
fn a_complete_sweep_is_shown_again_by_resuming_it_however_its_seeds_were_chosen() {
    let folder = ready();
    for words in [&[][..], &["--until-precise", "70%"]] {
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
    // What is complete is not gone on with.
    let finer = ["sweep", "sweep.toml", "--out", "out-2", "--until-precise", "9%", "--resume"];
    folder.schedsim(&finer).code(2).err("which are not that precise; choose another folder");
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
    assert!(folder.read("few/summary.csv").lines().next().unwrap().contains(",seeds_needed,"));
    for shard in ["1/2", "2/2"] {
        let out = format!("s{}", &shard[..1]);
        folder.schedsim(&["sweep", "sweep.toml", "--seeds", "0..6", "--shard", shard, "--out", &out]).code(0);
    }
    folder.schedsim(&["sweep", "merge", "--out", "both", "s1", "s2"]).code(0).out("x 6 seeds");
}

#[test]
fn what_a_trigger_does_is_shown_without_the_runs_that_have_none() {
    let folder = with(|sweep| sweep.replace("\"outage.toml\"", "\"outage.toml\", \"never.toml\""));
    // It never runs, and nothing ever comes back in it.
    let never = STORY.split("[[step]]\nname = \"outage\"").next().expect("a deploy");
    folder.write("never.toml", &never.replace("start =", "exit_after = \"2s\"\nstart ="));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "both"]).code(0);
    folder.write("sweep.toml", &folder.read("sweep.toml").replace(", \"never.toml\"", ""));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "one"]).code(0);
    let titles = |name: &str| -> Vec<String> {
        let svg = folder.read(&format!("{name}/plots/metastability.svg"));
        let titles = svg.lines().filter_map(|line| line.split_once("<title>"));
        titles.map(|(_, title)| title.to_owned()).filter(|title| title.starts_with("today: ")).collect()
    };
    assert_eq!(titles("both").len(), 4);
    assert_eq!(titles("both"), titles("one"));
    // With one seed of four three deaths are counted together as the fifth to the seventh, one of them again as the
    // eighth: 15 min from 7:35 on, which the story's 20 min do not see the end of.
    assert!(titles("both")[0].starts_with("today: 75 % of runs came back, calls during: "), "{:?}", titles("both"));
    // Where no story has a trigger there is nothing to show of it.
    folder.write("sweep.toml", &folder.read("sweep.toml").replace("\"outage.toml\"", "\"never.toml\""));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "none"]).code(0);
    assert!(!folder.exists("none/plots/metastability.svg") && !folder.exists("none/plots/cost-of-waiting.svg"));
    assert!(folder.exists("none/plots/recovery.svg"));
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

#[test]
fn how_many_seeds_it_takes_is_one_number_in_the_summary_the_advice_and_the_rounds() {
    let folder = with(|sweep| sweep.replace("aggregate = \"p95\"\n", "").replace("0..4", "0..10"));
    let done = folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    let summary = folder.read("out/summary.csv");
    let mut rows = summary.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let column = |name: &str| summary.lines().next().unwrap().split(',').position(|known| known == name).unwrap();
    let (scope, seeds) = (column("scope"), ["seeds_needed", "seeds_needed_low", "seeds_needed_high"].map(column));
    let needed = rows.by_ref().filter(|row| row[scope] == "objective").filter(|row| !row[seeds[0]].is_empty());
    let most = needed.map(|row| seeds.map(|column| row[column].parse::<u64>().unwrap())).max().expect("some");
    let told = format!("about {} seeds ({} to {})", most[0], most[1], most[2]);
    assert!(done.out.contains(&format!("to within 5 % of itself: {told}; ")), "{told}\n{}", done.out);
    // The first round says the same of the same seeds; it need not go on.
    let mut child = std::process::Command::new(snapbox::cmd::cargo_bin!("schedsim"))
        .current_dir(folder.path())
        .args(["sweep", "sweep.toml", "--out", "precise", "--until-precise", "5%"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut first = String::new();
    let mut said = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    std::io::BufRead::read_line(&mut said, &mut first).expect("a line");
    child.kill().expect("killed");
    child.wait().expect("a child");
    assert_eq!(first, format!("10 seeds: not yet precise to 5 %: that needs {told}\n"));
}

#[test]
fn the_summary_says_what_each_number_is_about() {
    let folder = with(|sweep| {
        let sweep = sweep.replace("\"outage.toml\"", "\"outage.toml\", \"never.toml\"");
        sweep.replace("metric = \"recovery_s\"\n", "metric = \"recovery_s\"\nscenario = \"!never\"\n")
    });
    let never = STORY.split("[[step]]\nname = \"outage\"").next().expect("a deploy");
    folder.write("never.toml", &never.replace("start =", "exit_after = \"2s\"\nstart ="));
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    let summary = folder.read("out/summary.csv");
    let value = |about: &str| {
        let row = summary.lines().find(|line| line.starts_with("0,10s,15m,") && line.contains(about));
        row.unwrap_or_else(|| panic!("{about}")).split(about).nth(1).unwrap().split(',').nth(1).unwrap().to_owned()
    };
    let story = value(",story,outage@main,recovery_s,mean,");
    assert_eq!(value(",objective,!never,recovery_s,mean,"), story, "an objective leaves out what it does");
    assert_ne!(value(",all,,recovery_s,mean,"), story, "and all of them have the story that never recovers");
}
