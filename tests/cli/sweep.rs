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
    assert!(titles("both")[0].starts_with("today: 100 % of runs came back, calls during: "), "{:?}", titles("both"));
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
