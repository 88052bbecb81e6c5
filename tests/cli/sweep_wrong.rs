//! `schedsim sweep`: what it refuses, and what it says then.

use super::sweep::{STORY, bytes, ready, with};

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
    let before = bytes(&folder, "out");
    let again = folder.schedsim(&["sweep", "merge", "--out", "out", "s1", "s2", "s3"]).code(2);
    assert!(!again.err.contains("--resume"), "merge has no such option: {}", again.err);
    again.err("`out` is not empty; nothing was overwritten: merge into a new or empty folder");
    assert_eq!(bytes(&folder, "out"), before);
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
fn a_scenario_is_no_sweep_and_results_of_an_older_form_are_none_of_ours() {
    let folder = ready();
    let done = folder.schedsim(&["sweep", "outage.toml", "--out", "out"]).code(2).no_out();
    assert_eq!(
        done.err,
        "error: `outage.toml` is a scenario, not a sweep file: `schedsim run outage.toml` runs it, and a sweep file \
         names it in `scenarios`\n"
    );
    folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    folder.write("out/manifest.json", &folder.read("out/manifest.json").replace("\"schema\": 2", "\"schema\": 1"));
    for words in [&["sweep", "sweep.toml", "--out", "out", "--resume"][..], &["sweep", "merge", "--out", "m", "out"]] {
        folder.schedsim(words).code(2).err("in the form of schema 1").err("sweep again into another folder");
    }
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
fn a_warning_is_told_once_and_only_when_a_setting_gives_it() {
    let folder = with(|sweep| {
        let kind = "[[parameter]]\npath = \"tuning.backoff.jitter_kind\"\nvalues = [\"full\", \"equal\"]\n";
        let size = "[[parameter]]\npath = \"tuning.backoff.jitter\"\nvalues = [0.5]\n";
        let sweep = sweep.replacen("[[objective]]", &format!("{kind}{size}[[objective]]"), 1);
        sweep.replace("\"outage.toml\"", "\"*ge.toml\"").replace("0..4", "0..1")
    });
    folder.write("huge.toml", STORY);
    folder.schedsim(&["sweep", "sweep.toml", "--out", "fits"]).code(0).no_err();
    folder.write("sweep.toml", &folder.read("sweep.toml").replace("[0.5]", "[0.0, 0.5]"));
    let done = folder.schedsim(&["sweep", "sweep.toml", "--out", "out"]).code(0);
    assert_eq!(
        done.err,
        "warning: huge.toml and another scenario, setting 1: `backoff.jitter_kind` draws nothing while `jitter` is 0: \
         it is the fraction that is drawn\n"
    );
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
