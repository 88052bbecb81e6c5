//! `schedsim test`: expectations, snapshots, fingerprints.

use super::{BROKEN, FAILS, FINE, SILENT, TWO, done, folder};

const SNAPSHOT: &str = "snapshots/m/fine@main.snap";

#[test]
fn what_is_accepted_passes() {
    let folder = folder(&[("scenarios/m/fine.toml", FINE), ("scenarios/m/two.toml", TWO)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0).out("wrote snapshots/m/fine@main.snap").no_err();
    assert_eq!(
        folder.files(),
        [
            "scenarios/m/fine.toml",
            "scenarios/m/two.toml",
            "snapshots/fingerprints.snap",
            SNAPSHOT,
            "snapshots/m/two@after.snap",
            "snapshots/m/two@before.snap",
        ]
    );
    let done = folder.schedsim(&["test", "scenarios"]).code(0).no_err();
    let lines: Vec<_> = done.out.lines().collect();
    assert_eq!(lines, ["pass  m/fine@main", "pass  m/two@before", "pass  m/two@after", "3 passed, 0 failed"]);
    let quiet = folder.schedsim(&["test", "-q", "scenarios/m/two.toml", "--jobs", "1"]).code(0).no_err();
    assert_eq!(quiet.out, "2 passed, 0 failed\n");
    let bytes = folder.read(SNAPSHOT);
    assert!(bytes.starts_with("---\nsource: scenarios/m/fine.toml\n---\n") && bytes.ends_with('\n'), "{bytes}");
    assert_eq!(insta::Snapshot::from_file(&folder.path().join(SNAPSHOT)).unwrap().snapshot_name(), Some("fine@main"));
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0).out("3 passed, 0 failed\n");
    assert_eq!(bytes, folder.read(SNAPSHOT), "accepting what is there changes nothing");
}

#[test]
fn a_missing_snapshot_fails_and_leaves_one_for_review() {
    let folder = folder(&[("scenarios/m/fine.toml", FINE)]);
    let first = folder.schedsim(&["test", "scenarios"]).code(1).out("there is no snapshot yet").no_err();
    assert_eq!(first.reproduce(), ["test", "scenarios/m/fine.toml"]);
    assert!(first.out.ends_with("\n0 passed, 1 failed\n"), "{}", first.out);
    assert_eq!(
        folder.files(),
        ["scenarios/m/fine.toml", "snapshots/fingerprints.snap.new", "snapshots/m/fine@main.snap.new"]
    );
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    assert!(!folder.exists("snapshots/m/fine@main.snap.new"), "accepted is reviewed");
}

#[test]
fn a_snapshot_that_differs_is_shown_as_a_diff_and_keeps_its_header() {
    let folder = folder(&[("scenarios/m/fine.toml", FINE)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    let good = folder.read(SNAPSHOT);
    let header = "---\nsource: tests/corpus.rs\ndescription: mine\n---\n";
    let body = good.split_once("\n---\n").unwrap().1;
    folder.write(SNAPSHOT, &format!("{header}{body}one line too many\n"));
    folder.schedsim(&["test", "scenarios"]).code(1).out("-one line too many").out("--- snapshots/m/fine@main.snap");
    assert_eq!(folder.read("snapshots/m/fine@main.snap.new"), format!("{header}{body}"));
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0).out("wrote");
    assert_eq!(folder.read(SNAPSHOT), format!("{header}{body}"));
    assert!(!folder.exists("snapshots/m/fine@main.snap.new"));
}

#[test]
fn what_is_pending_goes_when_the_test_passes_again() {
    let folder = folder(&[("scenarios/m/fine.toml", FINE)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    folder.write("snapshots/m/fine@main.snap.new", "stale");
    folder.schedsim(&["test", "scenarios"]).code(0);
    assert!(!folder.exists("snapshots/m/fine@main.snap.new"));
}

#[test]
fn in_ci_nothing_is_written() {
    let folder = folder(&[("scenarios/m/fine.toml", FINE)]);
    done(folder.command(&["test", "scenarios"]).env("CI", "true")).code(1).out("no snapshot");
    assert_eq!(folder.files(), ["scenarios/m/fine.toml"]);
}

#[test]
fn a_snapshot_with_a_merge_conflict_fails_and_can_be_replaced() {
    let folder = folder(&[("scenarios/m/fine.toml", FINE)]);
    folder.write(SNAPSHOT, "<<<<<<< HEAD\n");
    folder.schedsim(&["test", "scenarios"]).code(1).out("fine@main.snap: no snapshot");
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    folder.schedsim(&["test", "scenarios"]).code(0);
}

#[test]
fn what_cannot_be_written_is_2_and_no_fingerprint_is_accepted() {
    let folder = folder(&[("scenarios/m/fine.toml", FINE), ("snapshots/m", "a file where a folder should be")]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(2).err(SNAPSHOT);
    assert_eq!(folder.files(), ["scenarios/m/fine.toml", "snapshots/m"]);
    folder.schedsim(&["test", "scenarios"]).code(1).out(SNAPSHOT);
}

#[test]
fn expectations_are_never_accepted() {
    let folder = folder(&[("scenarios/fails.toml", FAILS), ("scenarios/silent.toml", SILENT)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(1).out("0 passed, 2 failed");
    let done = folder.schedsim(&["test", "scenarios/fails.toml"]).code(1).out("[expect] expected livelock, found ");
    assert_eq!(done.reproduce().join(" "), "run scenarios/fails.toml --variant main --seed 0");
    folder
        .schedsim(&["test", "scenarios/silent.toml"])
        .code(1)
        .out("there is no [expect]")
        .out("reproduce: schedsim test");
}

#[test]
fn a_broken_file_is_2_and_the_others_run() {
    let folder = folder(&[("scenarios/broken.toml", BROKEN), ("scenarios/fine.toml", FINE)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(2).err("broken.toml").out("1 passed, 1 failed");
    let done = folder.schedsim(&["test", "scenarios"]).code(2).out("1 passed, 1 failed").out("FAIL  broken\n");
    assert_eq!(done.reproduce(), ["check", "scenarios/broken.toml"]);
}

#[test]
fn nothing_that_matches_is_4_and_a_path_that_is_not_there_is_2() {
    let folder = folder(&[("a/app.toml", "name = \"x\"\n"), ("b/notes.md", "")]);
    folder.schedsim(&["test", "a"]).code(4).no_out().err("none of 1 .toml files is one, with a top-level `schema`");
    folder.schedsim(&["test", "b"]).code(4).no_out().err("there is no .toml file");
    folder.schedsim(&["test", "c"]).code(2).no_out().err("`c`");
    folder.schedsim(&["test", "-"]).code(2).no_out().err("standard input");
    folder.schedsim(&["test"]).code(2).no_out().err("<PATH>");
    folder.schedsim(&["test", "a", "--jobs", "0"]).code(2).no_out();
}

#[test]
fn an_app_config_beside_a_scenario_is_passed_over() {
    let folder = folder(&[("scenarios/fine.toml", FINE), ("scenarios/app.toml", "[services.web]\nport = 1\n")]);
    folder.schedsim(&["test", "-v", "scenarios", "--accept"]).code(0).err("no scenario: scenarios/app.toml");
}

#[test]
fn a_folder_of_ones_own_has_its_snapshots_beside() {
    let folder = folder(&[("mine/deep/fine.toml", FINE)]);
    folder.schedsim(&["test", "mine", "--accept"]).code(0);
    assert_eq!(
        folder.files(),
        ["mine/deep/fine.toml", "mine/deep/snapshots/fine@main.snap", "mine/deep/snapshots/fingerprints.snap",]
    );
    folder.schedsim(&["test", "mine/deep/fine.toml"]).code(0);
}

#[test]
fn a_folder_and_its_scenarios_are_tested_apart_and_together() {
    let folder = folder(&[("scenarios/x/a.toml", FINE), ("top.toml", FINE)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    let both = folder.schedsim(&["test", ".", "--accept"]).code(0).no_err();
    assert!(!both.out.contains("removed"), "{}", both.out);
    let prints = folder.read("snapshots/fingerprints.snap");
    assert!(prints.contains("  x/a@main\n") && prints.contains("  top@main\n"), "{prints}");
    for path in ["scenarios", ".", "top.toml", "scenarios/x/a.toml"] {
        folder.schedsim(&["test", path]).code(0).no_err();
        folder.schedsim(&["test", path, "--accept"]).code(0).no_err();
        assert_eq!(folder.read("snapshots/fingerprints.snap"), prints, "{path}");
    }
    folder.write("scenarios/top.toml", FINE);
    folder.schedsim(&["test", "."]).code(2).no_out().err("one place for their snapshots");
}

#[test]
fn a_sweep_below_a_tested_folder_is_skipped_with_a_note() {
    let sweep = "schema = 1\nscenarios = [\"fine.toml\"]\n[[parameter]]\npath = \"horizon\"\nvalues = [\"1m\"]\n";
    let folder = folder(&[("s/fine.toml", FINE), ("s/sweep.toml", sweep), ("only/sweep.toml", sweep)]);
    folder.schedsim(&["test", "s", "--accept"]).code(0).err("a sweep, skipped: s/sweep.toml").out("1 passed, 0 failed");
    folder.schedsim(&["test", "-q", "s"]).code(0).no_err();
    folder.schedsim(&["test", "only"]).code(4).no_out().err("no scenario below only");
}

#[test]
fn a_fingerprint_that_moved_fails_although_the_text_is_the_same() {
    let folder = folder(&[("scenarios/fine.toml", FINE)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    let prints = folder.read("snapshots/fingerprints.snap");
    folder.write("snapshots/fingerprints.snap", &prints.replace("  b3m:", "99  b3m:"));
    folder.schedsim(&["test", "scenarios"]).code(1).out("the text is the same, the run is not").out("reproduce:");
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    assert_eq!(folder.read("snapshots/fingerprints.snap"), prints);
    std::fs::remove_file(folder.path().join("snapshots/fingerprints.snap")).unwrap();
    folder.schedsim(&["test", "scenarios"]).code(1).out("there is no line for it yet");
}

#[test]
fn accepting_some_stories_keeps_the_fingerprints_of_the_others() {
    let folder = folder(&[("scenarios/fine.toml", FINE), ("scenarios/m/two.toml", TWO)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    let all = folder.read("snapshots/fingerprints.snap");
    folder.schedsim(&["test", "scenarios/m", "--accept"]).code(0);
    assert_eq!(folder.read("snapshots/fingerprints.snap"), all);
}

#[test]
fn what_is_left_of_a_scenario_that_is_gone_is_reported() {
    let folder = folder(&[("scenarios/fine.toml", FINE), ("scenarios/two.toml", TWO)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0);
    std::fs::remove_file(folder.path().join("scenarios/fine.toml")).unwrap();
    let done = folder.schedsim(&["test", "scenarios"]).code(1).out("fine@main").out("its scenario is gone");
    assert!(done.err.contains("snapshots/fine@main.snap belongs to no scenario"), "{}", done.err);
    assert!(done.out.ends_with("2 passed, 1 failed\n"), "{}", done.out);
    assert!(folder.exists("snapshots/fine@main.snap"), "a file is never removed unasked");
    folder.schedsim(&["test", "scenarios/two.toml"]).code(0).no_err();
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0).out("removed fine@main");
    assert!(!folder.exists("snapshots/fine@main.snap"), "accepted is that it is gone");
    assert!(!folder.read("snapshots/fingerprints.snap").contains("fine@main"));
}

#[test]
fn fingerprints_that_cannot_be_read_stop_everything() {
    let folder =
        folder(&[("scenarios/fine.toml", FINE), ("snapshots/fingerprints.snap", "---\nsource: x\n---\n=======\n")]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(2).err("line 1").err("repair the file");
    assert!(!folder.exists("snapshots/fine@main.snap"), "nothing is half done");
}

#[test]
fn results_are_written_for_machines_too() {
    let folder = folder(&[("s/scenarios/fine.toml", FINE), ("s/scenarios/fails.toml", FAILS)]);
    folder.schedsim(&["test", "s", "--accept"]).code(1);
    let done = folder.schedsim(&["test", "s", "--junit", "results.xml"]).code(1);
    assert!(!done.out.contains("::error"), "we are not on GitHub");
    let xml = folder.read("results.xml");
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    assert!(xml.contains("classname=\"fails\" name=\"main\"") && xml.contains("reproduce: schedsim run"), "{xml}");
    folder.schedsim(&["test", "s", "--junit", "no/such/results.xml"]).code(2).err("cannot write the results");
    folder.write("broken/scenarios/b.toml", BROKEN);
    folder.schedsim(&["test", "broken", "--junit", "broken.xml"]).code(2);
    assert!(folder.read("broken.xml").contains("<error"), "a file that cannot be read is an error");
}

#[test]
fn results_for_machines_may_be_standard_output() {
    let folder = folder(&[("s/scenarios/fine.toml", FINE), ("s/scenarios/fails.toml", FAILS)]);
    folder.schedsim(&["test", "s", "--accept"]).code(1);
    let done =
        folder.schedsim(&["test", "s", "--junit", "-"]).code(1).err("1 passed, 1 failed").err("FAIL  fails@main");
    assert!(done.out.starts_with("<?xml") && done.out.trim_end().ends_with("</testsuites>"), "{}", done.out);
    assert!(done.out.contains(" time=\"0."), "a case says how long it took: {}", done.out);
    let done = folder.schedsim(&["test", "s", "--format", "json"]).code(1).err("1 passed, 1 failed");
    let json: serde_json::Value = serde_json::from_str(&done.out).expect("JSON and nothing else");
    assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &1.into()));
    let failed = &json["results"][0];
    assert_eq!((&failed["story"], &failed["passed"]), (&"fails".into(), &false.into()));
    assert!(failed["failure"].as_str().expect("a text").contains("livelock"), "{failed}");
    assert!(failed["reproduce"].as_str().expect("a line").starts_with("schedsim run "), "{failed}");
    folder
        .schedsim(&["test", "s", "--format", "json", "--junit", "-"])
        .code(2)
        .no_out()
        .err("both want standard output");
    assert!(!folder.exists("-"));
}

#[test]
fn runs_are_chosen_by_a_part_of_their_name_or_by_their_variant() {
    let folder = folder(&[("scenarios/a/two.toml", TWO), ("scenarios/fine.toml", FINE)]);
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0).out("3 passed");
    folder.schedsim(&["test", "scenarios", "--filter", "a/tw"]).code(0).out("2 passed");
    folder.schedsim(&["test", "scenarios", "--variant", "before"]).code(0).out("pass  a/two@before\n1 passed");
    folder.schedsim(&["test", "scenarios", "--filter", "fine", "--variant", "main"]).code(0).out("1 passed");
    folder.schedsim(&["test", "scenarios", "--filter", "nine"]).code(4).err("there are 3, such as `a/two@before`");
    folder.schedsim(&["test", "scenarios", "--variant", "befor"]).code(4).err("did you mean `before`?");
    // What was not chosen keeps its text and fingerprint.
    folder.schedsim(&["test", "scenarios", "--filter", "fine", "--accept"]).code(0);
    folder.schedsim(&["test", "scenarios"]).code(0).out("3 passed");
}

#[test]
fn what_a_deleted_scenario_left_goes_with_accept() {
    let folder = folder(&[("scenarios/two.toml", TWO), ("scenarios/fine.toml", FINE), ("own.toml", FINE)]);
    folder.schedsim(&["test", "scenarios", "own.toml", "--accept"]).code(0);
    assert!(folder.read("snapshots/fine@main.snap").starts_with("---\nsource: scenarios/fine.toml\n"));
    assert!(folder.read("snapshots/own@main.snap").starts_with("---\nsource: \"own.toml\"\n"), "where it is");
    std::fs::remove_file(folder.path().join("scenarios/two.toml")).expect("it is there");
    folder.schedsim(&["test", "scenarios"]).code(1).err("two@before.snap belongs to no scenario; --accept removes it");
    folder.schedsim(&["test", "scenarios", "--accept"]).code(0).out("removed snapshots/two@before.snap");
    assert!(!folder.exists("snapshots/two@before.snap") && folder.exists("snapshots/own@main.snap"));
    folder.schedsim(&["test", "scenarios"]).code(0).out("1 passed, 0 failed").no_err();
}

/// The lines of a ready file that are ours, for `sh`.
#[cfg(unix)]
fn ready(file: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(file);
    let text = std::fs::read_to_string(path).expect("a ready file");
    let ours = |line: &&str| line.starts_with("schedsim ") || line.starts_with("sed ");
    text.lines().map(str::trim).filter(ours).map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn the_ready_files_for_ci_test_the_stories_and_report_on_those_that_fail() {
    for file in ["github.yml", "gitlab.yml"] {
        let folder = folder(&[("scenarios/fine.toml", FINE), ("scenarios/fails.toml", FAILS), ("reports/x", "")]);
        folder.schedsim(&["test", "scenarios", "--accept"]).code(1);
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_schedsim")).parent().expect("a folder").display();
        let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
        let run = |line: &str| {
            let mut sh = std::process::Command::new("sh");
            sh.args(["-euc", line]).current_dir(folder.path()).env("PATH", &path).env("STORIES", "scenarios");
            sh.output().expect("sh runs").status.code()
        };
        let lines = ready(file);
        assert_eq!((lines.len(), run(&lines[0]), run(&lines[1])), (2, Some(1), Some(0)), "{file}");
        let reports: Vec<String> = folder.files().into_iter().filter(|file| file.ends_with(".html")).collect();
        assert_eq!(reports, ["reports/fails.html"], "{file}");
    }
}

#[test]
fn where_results_cannot_be_written_is_known_before_anything_runs() {
    let folder = folder(&[("s/scenarios/fine.toml", FINE), ("taken/x", "")]);
    for (path, says) in [("no/such/r.xml", "there is no folder `no/such`"), ("taken", "it is a folder")] {
        let done = folder.schedsim(&["test", "s", "--accept", "--junit", path]).code(2).no_out().err(says);
        assert!(done.err.contains("cannot write the results"), "{}", done.err);
    }
    assert_eq!(folder.files(), ["s/scenarios/fine.toml", "taken/x"], "nothing was accepted");
}

#[cfg(unix)]
#[test]
fn results_are_a_file_as_any_other_and_a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder(&[("s/scenarios/fine.toml", FINE), ("usual", "")]);
    symlink("target.xml", folder.path().join("link.xml")).unwrap();
    folder.write("target.xml", "old");
    for path in ["r.xml", "link.xml"] {
        folder.schedsim(&["test", "s", "--accept", "--junit", path]).code(0);
    }
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
    assert_eq!(mode("r.xml"), mode("usual"));
    assert!(std::fs::symlink_metadata(folder.path().join("link.xml")).unwrap().is_symlink());
    // Each took its own time.
    let untimed = |path: &str| {
        let text = folder.read(path);
        text.split(" time=\"")
            .map(|part| part.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(untimed("target.xml"), untimed("r.xml"));
}

#[test]
fn on_github_failures_are_annotated_and_summed_up() {
    let folder = folder(&[("s/scenarios/fine.toml", FINE), ("s/scenarios/fails.toml", FAILS)]);
    folder.schedsim(&["test", "s", "--accept"]).code(1);
    folder.write("summary.md", "before\n");
    let summary = folder.path().join("summary.md");
    let command = folder.command(&["test", "s"]).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", summary);
    let done = done(command).code(1).out("::error file=s/scenarios/fails.toml,line=1,title=fails@main::");
    assert_eq!(done.out.matches("::error").count(), 1);
    folder.write("b/scenarios/broken.toml", BROKEN);
    let broken = super::done(folder.command(&["test", "b"]).env("GITHUB_ACTIONS", "true")).code(2);
    let broken = broken.out("::error file=b/scenarios/broken.toml,line=2,col=11,title=broken::");
    assert_eq!(broken.out.matches("::error").count(), 2, "one for each problem: {}", broken.out);
    let text = folder.read("summary.md");
    assert!(text.starts_with("before\n## schedsim test\n\n1 passed, 1 failed"), "{text}");
    assert!(text.contains("fails@main") && text.contains("schedsim run s/scenarios/fails.toml"), "{text}");
}

/// Three stories whose texts have moved since they were accepted.
fn moved() -> super::Folder {
    let folder = folder(&[("a.toml", FINE), ("b.toml", FINE), ("c.toml", FINE)]);
    folder.schedsim(&["test", ".", "--accept"]).code(0);
    for file in ["a.toml", "b.toml", "c.toml"] {
        folder.write(file, &FINE.replace("Nothing.", "Something."));
    }
    folder
}

#[test]
fn a_review_asks_about_each_text_and_does_what_is_said() {
    let folder = moved();
    let asked = super::done(folder.command(&["review", "."]).stdin("what?\na\nr\ns\n")).code(1);
    asked.out("moved a@main").out("+").out("1 accepted, 1 rejected, 1 skipped").out("1 passed, 2 failed");
    assert!(!folder.exists("snapshots/a@main.snap.new") && !folder.exists("snapshots/b@main.snap.new"));
    assert!(folder.exists("snapshots/c@main.snap.new"));
    folder.schedsim(&["test", "a.toml"]).code(0);
    folder.schedsim(&["test", "b.toml"]).code(1);
    // Where the answers end, nothing more is accepted; `A` accepts all that follow.
    super::done(folder.command(&["review", "."]).stdin("")).code(1).out("0 accepted, 0 rejected, 2 skipped");
    super::done(folder.command(&["review", "."]).stdin("A\n")).code(0).out("2 accepted");
    super::done(folder.command(&["review", "."]).stdin("")).code(0).out("nothing has moved");
    folder.schedsim(&["test", "."]).code(0).no_err();
}

#[test]
fn a_review_accepts_no_expectation() {
    let folder = folder(&[("a.toml", super::FAILS)]);
    let done = super::done(folder.command(&["review", "a.toml"]).stdin("a\n")).code(1);
    done.out("[expect]").out("1 accepted").out("0 passed, 1 failed");
    assert!(folder.exists("snapshots/a@main.snap"));
}

#[test]
fn what_another_tool_accepts_is_accepted_as_a_whole() {
    let folder = moved();
    folder.schedsim(&["test", "."]).code(1);
    // As `cargo insta accept` does.
    for file in folder.files().iter().filter(|file| file.ends_with(".snap.new")) {
        let (new, old) = (folder.path().join(file), folder.path().join(file.trim_end_matches(".new")));
        std::fs::rename(new, old).expect("a move");
    }
    folder.schedsim(&["test", "."]).code(0).out("3 passed");
    // What is reverted leaves nothing behind.
    folder.write("a.toml", FINE);
    folder.schedsim(&["test", "."]).code(1);
    assert!(folder.exists("snapshots/fingerprints.snap.new"));
    folder.write("a.toml", &FINE.replace("Nothing.", "Something."));
    folder.schedsim(&["test", "."]).code(0);
    assert!(!folder.files().iter().any(|file| file.ends_with(".new")), "{:?}", folder.files());
}
