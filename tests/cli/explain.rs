//! `schedsim explain`, from outside.

use super::{FINE, TWO, folder};

/// A misspelt key, as in the incident: the disk can never be made.
const TYPO: &str = concat!(
    r#"
schema = 1
horizon = "40m"
seed = 7
[policy]
as_of = "2026-03-11"
[[step]]
name = "typo"
at = "0s"
[step.do.deploy]
app = "pds"
config = '''
"#,
    database!("size"),
    r"'''
"
);

/// A fault that strikes the only boot.
const STRUCK: &str = r#"
schema = 1
horizon = "30s"
[workload.a.web]
exit_after = "never"
[[step]]
at = "0s"
[step.do.deploy]
app = "a"
config = '''
[services.web]
command = "run"
'''
[[fault]]
name = "no start"
on = "sandbox.start"
when = { calls = [1] }
effect.error = "the task does not start"
"#;

#[test]
fn the_chain_leads_from_the_violation_to_the_ignored_field() {
    let folder = folder(&[("typo.toml", TYPO)]);
    let done = folder.schedsim(&["explain", "typo.toml"]).code(0).no_err().out("the gravest violation");
    let order = [
        "BROKEN",
        "boot fails after",
        "boot begins",
        "created PENDING",
        "stale PENDING at age 5:24.248: limit 5:00",
        "no pool matches the active version's spec",
        "unknown field `services.database.disks[0].size` is",
        "deploy pds",
        "decided by",
        "-strict-app-config",
    ];
    let mut rest = done.out.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?}, or not there, in\n{}", done.out));
        rest = &rest[at..];
    }
    assert!(done.out.lines().count() <= 45, "at most a screen:\n{}", done.out);
    assert_eq!(done.out, folder.schedsim(&["explain", "typo.toml"]).out, "the same every time");
    assert_eq!(folder.files().len(), 1, "it writes nothing");
}

#[test]
fn what_is_explained_can_be_chosen_and_json_names_the_same_record() {
    let folder = folder(&[("typo.toml", TYPO)]);
    let explain = |words: &[&str]| {
        let all: Vec<&str> = ["explain", "typo.toml", "--format", "json"].iter().chain(words).copied().collect();
        let done = folder.schedsim(&all).code(0).no_err();
        serde_json::from_str::<serde_json::Value>(&done.out).expect("JSON")
    };
    assert_eq!(explain(&[])["chain"], explain(&["--violation", "progress"])["chain"], "the gravest");
    let first = explain(&["--violation", "failures-back-off"]);
    let record = first["event"].to_string();
    assert_eq!(explain(&["--event", &record])["chain"]["links"], first["chain"]["links"]);
    assert_eq!(first["chain"]["links"][0]["about"], "pool/pds-database");
    let stopped = explain(&["--subject", "sandbox/pds-database-0", "--at", "5m20s"]);
    let end = &stopped["chain"]["links"][0];
    assert_eq!((&end["by"], &end["about"]), (&"sandbox".into(), &"sandbox/pds-database-0".into()));
    let at = explain(&["--at", "5m18.340s"]);
    assert!(at["event"].as_u64() > Some(1));
    let run = folder.schedsim(&["run", "typo.toml", "--format", "json"]).out;
    let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
    assert_eq!(run["violations"][0]["event"].to_string(), record, "as `run` counts them");
}

/// The entry of a thing in a list of what decides: its line, and those that belong to it.
fn entry<'a>(done: &'a super::Done, name: &str) -> Vec<&'a str> {
    let mut lines = done.out.lines().skip_while(|line| !line.starts_with(&format!("  {name} ")));
    let first = lines.next().unwrap_or_else(|| panic!("no {name:?} in\n{}", done.out));
    std::iter::once(first).chain(lines.take_while(|line| line.starts_with("      "))).collect()
}

#[test]
fn what_decides_is_found_by_trying_and_says_what_comes_instead() {
    let folder = folder(&[("typo.toml", TYPO), ("struck.toml", STRUCK)]);
    let done = folder.schedsim(&["explain", "typo.toml"]).code(0).no_err();
    let strict = entry(&done, "-strict-app-config").join("\n");
    assert!(strict.contains("with it: settled at 0:00, step `typo` is refused"), "{strict}");
    assert!(!done.out.contains("stale-pending-monitor"), "it is in the chain and decides nothing:\n{}", done.out);
    assert!(!done.out.contains("dead-on-boot-failure"), "likewise:\n{}", done.out);
    let verified = folder.schedsim(&["explain", "typo.toml", "--verify"]).code(0).no_err();
    let monitor = entry(&verified, "+stale-pending-monitor").join("\n");
    assert!(monitor.contains("without it: it still comes"), "{monitor}");
    let done = folder.schedsim(&["explain", "struck.toml"]).code(0).out("no violation: the last failed boot");
    assert!(entry(&done, "fault no start")[0].contains("without it: settled at"), "{}", done.out);
    let json = folder.schedsim(&["explain", "struck.toml", "--format", "json"]).code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let decides = json["decided_by"].as_array().expect("a list");
    assert!(decides.iter().any(|t| t["deciders"][0]["fault"] == "no start" && t["ending"] == "averted"), "{json:#}");
}

#[test]
fn quick_tries_nothing_and_says_so_and_so_does_a_run_that_is_too_long_to_try() {
    let folder = folder(&[("typo.toml", TYPO)]);
    let quick = folder.schedsim(&["explain", "typo.toml", "--quick"]).code(0).no_err();
    let quick = quick.out("asked for on the way, and not tried").out("+stale-pending-monitor");
    assert!(!quick.out.contains("\ndecided by"), "{}", quick.out);
    let none = folder.schedsim(&["explain", "typo.toml", "--tries", "0"]).code(0).no_err();
    none.out("asked for on the way, and not tried").out("--tries N tries N of them");
    let few = folder.schedsim(&["explain", "typo.toml", "--tries", "2"]).code(0).no_err();
    few.out("decided by (2 runs tried, ").out(" not: --tries N tries N)");
    folder.schedsim(&["explain", "typo.toml", "--quick", "--verify"]).code(2).err("cannot be used with");
}

#[test]
fn what_only_decides_together_is_found_by_two() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let story = std::fs::read_to_string(root.join(CAROUSEL)).expect("the corpus is there");
    // Half an hour after the refusal there is worse to tell of than that, and it is expected here.
    let short = story.replace("horizon = \"40m\"", "horizon = \"24m\"");
    // A key that is near to no known one could not have been meant otherwise.
    let short = short.replace("\nsize = ", "\nzzz = ");
    let asks: Vec<&str> = short.split("\n[[variant]]").collect();
    let after = asks.iter().find(|variant| variant.contains("name   = \"after\"")).expect("a variant");
    let bare = after.split("[variant.expect]").next().expect("its head");
    let folder = folder(&[("c.toml", &format!("{}\n[[variant]]{bare}", asks[0]))]);
    let near = short.replace("\nzzz = ", "\nsize = ");
    folder.write("near.toml", &format!("{}\n[[variant]]{bare}", near.split("\n[[variant]]").next().expect("a story")));
    folder.schedsim(&["explain", "near.toml"]).code(0).out("key size of step typo").out("for size_gb");
    // Were it not refused for the unknown field, it would be for the disk that it cannot make.
    folder
        .schedsim(&["explain", "c.toml"])
        .code(0)
        .out("why record 8: step `typo` is refused")
        .out("+strict-app-config and +validate-disks-at-deploy")
        .out("with both otherwise: ");
}

/// Two apps flap, each by its own program's exits, and a third rests: by chance all are at rest at the end.
#[test]
fn what_flaps_in_several_apps_is_told_in_parts_and_tried_together() {
    let mut story = "schema = 1\nhorizon = \"2h\"\n".to_owned();
    for (app, exits) in [("a", "11m"), ("b", "7m"), ("c", "never")] {
        let config = "[services.job.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1";
        let deploy = format!("do.deploy = {{ app = \"{app}\", config = \"{config}\" }}");
        story += &format!("[workload.{app}.job]\nexit_after = \"{exits}\"\n[[step]]\nat = \"0s\"\n{deploy}\n");
    }
    let folder = folder(&[("flaps.toml", &story)]);
    let done = folder.schedsim(&["explain", "flaps.toml", "--verdict", "--format", "json"]).code(0);
    let json: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(json["chosen"], "the verdict: flaps");
    let apps = |trial: &serde_json::Value| -> Vec<String> {
        let of = trial["deciders"].as_array().expect("a list").iter();
        of.map(|thing| format!("{} {}", thing["app"], thing["key"])).collect()
    };
    let all = |list: &str| -> Vec<_> { json[list].as_array().expect("a list").iter().map(apps).collect() };
    let [a, b] = ["a", "b"].map(|app| format!("\"{app}\" \"exit_after\""));
    assert_eq!(all("decided_in_part"), [vec![a.clone()], vec![b.clone()]]);
    assert!(all("decided_by").contains(&vec![a, b]), "{json:#}");
}

/// A program that never answers, and callers that fail for it.
const ASKED: &str = r#"
schema = 1
horizon = "5m"
[workload.a.web]
ready = "never"
[[step]]
at = "0s"
do.deploy = { app = "a", config = "[services.web]\n" }
[[traffic]]
app = "a"
service = "web"
rate = "30/m"
arrivals = "constant"
from = "10s"
until = "40s"
"#;

#[test]
fn it_starts_from_the_failed_check_then_the_refusal_then_the_requests() {
    let expects = format!("{ASKED}[expect]\nmetrics.requests_failed = {{ max = 0 }}\nviolations = \"any\"\n");
    let refused = "schema = 1\nhorizon = \"1m\"\n[[step]]\nname = \"bad\"\nat = \"1s\"\n\
                   do.deploy = { app = \"a\", config = \"[services.web]\\nnone = 1\\n\" }\n";
    let folder = folder(&[("asked.toml", ASKED), ("expects.toml", &expects), ("refused.toml", refused)]);
    let explain = |file: &str| folder.schedsim(&["explain", file]).code(0).no_err();
    let done = explain("expects.toml").out("the check that fails: requests_failed is ");
    assert!(entry(&done, "a.web ready")[0].contains("with its default: "), "{}", done.out);
    let done = explain("asked.toml").out("alike requests that fail");
    assert!(entry(&done, "a.web ready")[0].contains("it is served after"), "{}", done.out);
    explain("refused.toml").out("step `bad` is refused").out("+strict-app-config");
}

#[test]
fn whatever_is_asked_of_a_run_is_answered_or_told_what_there_is() {
    let folder = folder(&[("asked.toml", ASKED), ("typo.toml", TYPO)]);
    let explain = |words: &[&str]| {
        let all: Vec<&str> = ["explain"].iter().chain(words).copied().collect();
        folder.schedsim(&all)
    };
    for (words, part) in [
        (&["asked.toml", "--verdict"][..], "the verdict: "),
        (&["typo.toml", "--verdict"], "the verdict: unsettled"),
        (&["asked.toml", "--request", "1"], "request 1 of 15, which came at 0:10"),
        (
            &["asked.toml", "--field", "pool/a-web.desired_instances", "--at", "30s"],
            "pool/a-web has desired_instances = ",
        ),
        (&["typo.toml", "--why-not", "sandbox/pds-database-0 running"], "why sandbox/pds-database-0 is not running"),
    ] {
        explain(words).code(0).no_err().out(part);
    }
    // The end of the run is a moment of it.
    explain(&["asked.toml", "--field", "pool/a-web.desired_instances", "--at", "5m", "--quick"]).code(0).no_err();
    for (words, code, part) in [
        (&["asked.toml", "--request", "0"][..], 4, "the requests 1 to 15"),
        (&["asked.toml", "--request", "16"], 4, "the requests 1 to 15"),
        (&["typo.toml", "--request", "1"], 4, "this run has none"),
        (&["asked.toml", "--proof"], 4, "its verdict is "),
        (&["asked.toml", "--field", "pool/a-web.desired_instance"], 4, "did you mean `desired_instances`?"),
        (&["asked.toml", "--field", "pool/a-web.zzz"], 4, "it has "),
        (&["asked.toml", "--field", "pool/b-web.desired_instances"], 4, "did you mean `pool/a-web`"),
        (&["asked.toml", "--field", "desired"], 2, "write THING.FIELD"),
        (&["asked.toml", "--field", "pool/a-web.desired_instances", "--at", "6m"], 4, "this run ends at 5:00"),
        (&["asked.toml", "--field", "pool/a-web.desired_instances", "--at", "1ms"], 4, "is not in the store"),
        (&["asked.toml", "--why-not", "sandbox/a-web-0 pending"], 4, "sandbox/a-web-0 is pending at 0:"),
        (&["typo.toml", "--why-not", "sandbox/pds-database-0 runing"], 2, "it can be pending, running, stopped, dead"),
        (&["typo.toml", "--why-not", "sandbox/pds-databse-0 running"], 4, "did you mean `sandbox/pds-database-0`"),
        (&["typo.toml", "--why-not", "a b c"], 2, "write a thing"),
        (&["typo.toml", "--verdict", "--proof"], 2, "cannot be used with"),
    ] {
        explain(words).code(code).no_out().err(part);
    }
}

/// A step whose first call hangs for ever: nothing broke yet, and nothing failed.
const HANGS: &str = r#"
schema = 1
horizon = "20m"
[[fault]]
name = "mute"
on = "store.list"
when.until = "2s"
effect.hang = {}
[[step]]
name = "deploy shop"
at = "1s"
do.deploy = { app = "shop", config = "[services.web]\n" }
"#;

#[test]
fn a_step_that_does_not_end_is_explained() {
    let done = folder(&[("hangs.toml", HANGS)]).schedsim(&["explain", "hangs.toml"]).code(0).no_err();
    assert!(done.out.contains("the verdict: unsettled"), "{}", done.out);
    let (_, decides) = done.out.split_once("\ndecided by").unwrap_or_else(|| panic!("{}", done.out));
    assert!(decides.contains("fault mute"), "{decides}");
}

#[test]
fn what_cannot_be_explained_says_why() {
    let folder = folder(&[("typo.toml", TYPO), ("fine.toml", FINE), ("two.toml", TWO)]);
    for (words, code, part) in [
        (&["typo.toml", "--event", "0"][..], 4, "the records 1 to"),
        (&["typo.toml", "--event", "99999999"], 4, "the records 1 to"),
        (&["typo.toml", "--event", "x"], 2, "invalid value"),
        (&["typo.toml", "--subject", "sandbox/pds-databse-0"], 4, "did you mean `sandbox/pds-database-0`"),
        (&["typo.toml", "--subject", "pds-data"], 4, "nothing in this run is called `pds-data`"),
        (&["typo.toml", "--subject", "sandbox/pds-database-3", "--at", "1m"], 4, "the first thing does at"),
        (&["typo.toml", "--violation", "failures-backoff"], 2, "did you mean `failures-back-off`?"),
        (&["typo.toml", "--violation", "dead-is-final"], 4, "is not broken in this run; broken are failures-back-off"),
        (&["typo.toml", "--violation", "progress", "--event", "3"], 2, "cannot be used with"),
        (&["typo.toml", "--at", "soon"], 2, "invalid value"),
        (&["typo.toml", "--at", "900h"], 4, "this run ends at "),
        (&["typo.toml", "--seeds", "1..3"], 2, "give one --seed"),
        (&["two.toml", "--variant", "later"], 4, "`before`, `after`"),
        (&["fine.toml"], 4, "nothing asks for an explanation"),
        (&["none.toml"], 2, "none.toml"),
    ] {
        let all: Vec<&str> = ["explain"].iter().chain(words).copied().collect();
        folder.schedsim(&all).code(code).no_out().err(part);
    }
}

#[test]
fn sealed_tells_until_when_it_could_be_averted_in_text_json_and_a_page() {
    let folder = folder(&[("typo.toml", TYPO)]);
    let words = ["explain", "typo.toml", "--sealed"];
    let done = folder.schedsim(&words).code(0).no_err();
    let (_, sealed) = done.out.split_once("\nsealed (the end: ").unwrap_or_else(|| panic!("{}", done.out));
    assert!(sealed.contains("a mere restart of everything") && sealed.contains("\nfutures"), "{sealed}");
    let report = ["--report", "typo.html", "--format", "json"];
    let json = folder.schedsim(&[&words[..], &report].concat()).code(0).no_err().out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let cures = json["sealed"]["cures"].as_array().expect("cures");
    assert!(cures.len() > 1 && cures[0]["of"] == serde_json::json!([]), "{cures:#?}");
    assert!(json["sealed"]["futures"]["moments"].as_array().is_some_and(|moments| moments.len() > 2));
    let page = std::fs::read_to_string(folder.path().join("typo.html")).expect("the page");
    assert!(page.contains("When it was sealed") && page.contains("sealed (the end: "), "{page}");
    folder
        .schedsim(&[&words[..], &["--tries", "3"]].concat())
        .code(0)
        .out("too few tries for this run; --tries N tries more");
    for (more, part) in [
        (&["--quick"][..], "cannot be used with"),
        (&["--report", "typo.txt"], "its name ends in `.html`"),
        (&["--report", "none/typo.html"], "none/typo.html"),
    ] {
        folder.schedsim(&[&words[..], more].concat()).code(2).no_out().err(part);
    }
    folder.schedsim(&["explain", "typo.toml", "--report", "typo.html"]).code(2).no_out().err("--sealed");
}

#[test]
fn run_shows_the_state_and_stops_at_a_proof() {
    let folder = folder(&[("typo.toml", TYPO)]);
    folder
        .schedsim(&["run", "typo.toml", "--state", "--until", "6m"])
        .code(0)
        .out("state at 6:00")
        .out("2 sandboxes")
        .out("in truth");
    let json = folder.schedsim(&["run", "typo.toml", "--state", "--until", "6m", "--format", "json"]).code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["state"]["sandbox"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["state"]["sandbox"][0]["fields"]["status"], "dead");
    assert_eq!(json["state"]["app"][0]["age"], "5m59.989s");
    let plain = folder.schedsim(&["run", "typo.toml", "--format", "json"]).code(1).out;
    assert!(!plain.contains("\"state\""), "only when it is asked for");
}

/// Deployed, deleted, and the disk stays: quiet at once, and proved soon.
const ORPHAN: &str = concat!(
    r#"
schema = 1
horizon = "6h"
[policy]
as_of = "2026-03-11"
[[step]]
at = "0s"
[step.do.deploy]
app = "pds"
config = '''
"#,
    database!("size_gb"),
    r#"'''
[[step]]
at = "30s"
do.delete_app = { app = "pds" }
[expect]
verdict = "livelock"
violations = ["disk-has-owner", "nothing-outlives-its-app", "progress"]
metrics.disks_orphaned = { equals = 7 }
"#
);

#[test]
fn a_run_that_ends_with_its_proof_is_not_held_to_its_metrics() {
    let folder = folder(&[("orphan.toml", ORPHAN)]);
    folder.schedsim(&["run", "orphan.toml"]).code(1).out("disks_orphaned").out("ran 6:00:00");
    let done = folder.schedsim(&["run", "orphan.toml", "--stop-when-proved"]).code(0);
    assert!(done.out.contains("as the livelock was proved") && !done.out.contains("ran 6:00:00"), "{}", done.out);
    let json = folder.schedsim(&["run", "orphan.toml", "--stop-when-proved", "--format", "json"]).code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_ne!(json["ended_at"], "6h");
    assert_eq!(json["verdict"], "livelock");
}

/// Words for `explain`, run where the scenarios are.
fn explained(words: &[&str]) -> super::Done {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    super::done(super::schedsim().current_dir(root).arg("explain").args(words)).code(0).no_err()
}

const CAROUSEL: &str = "scenarios/mir-788/lease-carousel.toml";

#[test]
fn a_boot_that_waited_for_its_disk_names_the_fault_that_delayed_it() {
    let done = explained(&[CAROUSEL, "--variant", "after", "--verdict", "--quick"]);
    let order = [
        "PENDING -> RUNNING",
        "PENDING -> BOUND",
        "PROVISIONING -> PROVISIONED",
        "slow first volume, on disk.create_volume",
        "asked for on the way, and not tried",
        "fault slow first volume",
    ];
    let mut rest = done.out.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?}, or not there, in\n{}", done.out));
        rest = &rest[at..];
    }
    let before = ["--variant", "before", "--subject", "sandbox/pds-database~2-0", "--at", "30m", "--quick"];
    explained(&[&[CAROUSEL][..], &before].concat()).out("lease/pds-data-0           PENDING -> BOUND");
    let hidden = explained(&[CAROUSEL, "--at", "26m", "--quick"]).out;
    assert!(hidden.contains("in links not shown: ") && hidden.contains("+stale-pending-monitor"), "{hidden}");
}

#[test]
fn only_what_decides_is_marked_in_the_chain() {
    for words in [&["--at", "26m"][..], &["--variant", "after", "--verdict"], &["--violation", "disk-has-owner"]] {
        let done = explained(&[&[CAROUSEL][..], words].concat());
        let (story, decided) = done.out.split_once("\ndecided by").expect("both");
        for tags in story.lines().filter_map(|line| line.trim().strip_prefix('[')?.strip_suffix(']')) {
            for tag in tags.split(", ") {
                assert!(decided.contains(tag), "{tag} is marked and decides nothing:\n{}", done.out);
            }
        }
    }
}

#[test]
fn that_nothing_decides_it_is_said_only_when_nothing_does() {
    let folder = folder(&[("typo.toml", TYPO)]);
    // The operator's own step: nothing in the scheduler could have been otherwise.
    folder
        .schedsim(&["explain", "typo.toml", "--at", "0s", "--subject", "step/typo"])
        .code(0)
        .out("nothing alone, nor any two together");
    let typo = folder.schedsim(&["explain", "typo.toml"]).code(0);
    assert!(!typo.out.contains("nothing alone"), "{}", typo.out);
}

#[test]
fn the_documents_quote_runs_and_golden_texts_as_they_are() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect("a file");
    let golden = |variant: &str| read(&format!("snapshots/mir-788/forever-pending@{variant}.snap"));
    let run =
        super::schedsim().args(["run", CAROUSEL, "--variant", "before"]).current_dir(root).output().expect("it runs");
    let run = String::from_utf8_lossy(&run.stdout).into_owned();
    let pages = read("README.md") + &read("docs/golden-text.md");
    let quotes: Vec<&str> = pages.split("\n```").skip(1).step_by(2).collect();
    let begins = |text: &str| quotes.iter().filter(|quote| quote.starts_with(text)).collect::<Vec<_>>();
    let (runs, lives) = (begins("text\n  22:07"), begins("text\nlives"));
    let (heads, diffs) = (begins("text\nforever-pending"), begins("diff\n"));
    assert_eq!([&runs, &lives, &heads, &diffs].map(Vec::len), [1; 4], "each page quotes what it did");
    let mut lines = 0;
    let mut held = |line: &str, text: &str| {
        assert!(line.trim() == "…" || line.ends_with("...") || text.contains(line), "no {line:?} any more");
        lines += 1;
    };
    runs[0].lines().skip(1).for_each(|line| held(line, &run));
    lives[0]
        .lines()
        .chain(heads[0].lines())
        .filter(|line| *line != "text")
        .for_each(|line| held(line, &golden("before")));
    for line in diffs[0].lines().skip(1) {
        let (sign, line) = line.split_at(1);
        held(line, &golden(if sign == "-" { "before" } else { "after-lenient" }));
    }
    assert!(lines > 25, "{lines} lines");
}

#[test]
fn the_documents_print_what_the_program_prints() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["README.md", "docs/reading-a-run.md"] {
        let text = std::fs::read_to_string(root.join(file)).expect("a document");
        let mut found = 0;
        for part in text.split("$ schedsim explain ").skip(1) {
            let (line, rest) = part.split_once('\n').expect("a line");
            let block =
                rest.split_once("```text\n").and_then(|(_, rest)| rest.split_once("```")).expect("what it prints").0;
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(explained(&words).out, block, "{file}: {line}");
            found += 1;
        }
        assert!(found > 0, "{file} shows an explanation");
    }
}
