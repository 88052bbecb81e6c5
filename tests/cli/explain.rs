//! `schedsim explain`, from outside.

use super::{FINE, TWO, folder};

/// A misspelt key, as in the incident: the disk can never be made.
const TYPO: &str = r#"
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
[services.database.concurrency]
mode = "fixed"
num_instances = 1
[[services.database.disks]]
name = "pds-data"
mount_path = "/data"
size = 20
'''
"#;

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
    let done = folder.schedsim(&["explain", "typo.toml"]).code(0).no_err().out("the first violation");
    let order = [
        "BROKEN",
        "boot fails after",
        "boot begins",
        "created PENDING",
        "stale PENDING at age 5:18.307: limit 5:00",
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
    let worst = explain(&[]);
    let record = worst["event"].to_string();
    assert_eq!(explain(&["--event", &record])["chain"], worst["chain"]);
    assert_eq!(explain(&["--violation", "failures-back-off"])["chain"], worst["chain"]);
    assert_eq!(worst["chain"]["links"][0]["about"], "pool/pds-database");
    let stopped = explain(&["--subject", "sandbox/pds-database-0", "--at", "5m20s"]);
    let end = &stopped["chain"]["links"][0];
    assert_eq!((&end["by"], &end["about"]), (&"sandbox".into(), &"sandbox/pds-database-0".into()));
    let at = explain(&["--at", "5m18.340s"]);
    assert!(at["event"].as_u64() > Some(1));
    let run = folder.schedsim(&["run", "typo.toml", "--format", "json"]).out;
    let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
    assert_eq!(run["violations"][0]["event"].to_string(), record, "as `run` counts them");
}

#[test]
fn verify_tells_which_fix_or_fault_it_hangs_on() {
    let folder = folder(&[("typo.toml", TYPO), ("struck.toml", STRUCK)]);
    let done = folder.schedsim(&["explain", "typo.toml", "--verify"]).code(0).no_err();
    let line = |part: &str| {
        let at = done.out.find("verified").expect("a part about it");
        done.out[at..]
            .lines()
            .find(|line| line.contains(part))
            .unwrap_or_else(|| panic!("{part}\n{}", done.out))
            .to_owned()
    };
    assert!(line("strict-app-config").contains("with    strict-app-config"), "{}", done.out);
    assert!(line("strict-app-config").contains("it does not come"), "{}", done.out);
    assert!(line("stale-pending-monitor").contains("without stale-pending-monitor"), "{}", done.out);
    assert!(line("stale-pending-monitor").contains("it still comes"), "{}", done.out);
    folder
        .schedsim(&["explain", "struck.toml", "--verify"])
        .code(0)
        .out("no violation: the last failed boot")
        .out("[fault no start]")
        .out("without fault `no start`")
        .out("it does not come");
    let json = folder.schedsim(&["explain", "struck.toml", "--verify", "--format", "json"]).code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let tried = json["verified"].as_array().expect("a list");
    assert!(tried.iter().any(|t| t["decider"]["fault"] == "no start" && t["ending"] == "averted"), "{json:#}");
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
    assert_eq!(json["state"]["app"][0]["age"], "5m59.996s");
    let plain = folder.schedsim(&["run", "typo.toml", "--format", "json"]).code(0).out;
    assert!(!plain.contains("\"state\""), "only when it is asked for");
}

/// Deployed, deleted, and the disk stays: quiet at once, and proved soon.
const ORPHAN: &str = r#"
schema = 1
horizon = "6h"
[policy]
as_of = "2026-03-11"
[[step]]
at = "0s"
[step.do.deploy]
app = "pds"
config = '''
[services.database.concurrency]
mode = "fixed"
num_instances = 1
[[services.database.disks]]
name = "pds-data"
mount_path = "/data"
size_gb = 20
'''
[[step]]
at = "30s"
do.delete_app = { app = "pds" }
[expect]
verdict = "livelock"
violations = ["disk-has-owner", "nothing-outlives-its-app", "progress"]
metrics.disks_orphaned = { equals = 7 }
"#;

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
    let done = explained(&[CAROUSEL, "--variant", "after", "--verify"]);
    let order = [
        "PENDING -> RUNNING",
        "PENDING -> BOUND",
        "PROVISIONING -> PROVISIONED",
        "slow first volume, on disk.create_volume",
        "decided by",
        "fault slow first volume ",
        "verified",
        // 6.184 s after the step, instead of 1:13.954.
        "without fault `slow first volume`          it still comes, at 22:13.184",
    ];
    let mut rest = done.out.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?}, or not there, in\n{}", done.out));
        rest = &rest[at..];
    }
    assert!(!done.out.contains("no fix and no fault"), "{}", done.out);
    let before = ["--variant", "before", "--subject", "sandbox/pds-database~2-0", "--at", "30m"];
    explained(&[&[CAROUSEL][..], &before].concat()).out("lease/pds-data-0           PENDING -> BOUND");
}

#[test]
fn whatever_is_verified_is_listed_as_deciding_and_the_other_way_round() {
    for words in [&["--at", "26m"][..], &["--variant", "after"], &["--violation", "disk-has-owner"]] {
        let all = [&[CAROUSEL, "--verify"][..], words].concat();
        let done = explained(&all);
        let (story, verified) = done.out.split_once("\nverified\n").expect("both");
        let legend = &story[story.find("\ndecided by").expect("something decided")..];
        let mut tags: Vec<String> = verified
            .lines()
            .map(|line| {
                let (word, rest) = line.trim().split_once(' ').expect("a word");
                let rest = rest.trim();
                match (word, rest.strip_prefix("fault `")) {
                    (_, Some(fault)) => format!("fault {}", fault.split('`').next().expect("a name")),
                    ("with", None) => format!("-{}", rest.split(' ').next().expect("a name")),
                    (_, None) => format!("+{}", rest.split(' ').next().expect("a name")),
                }
            })
            .collect();
        for tag in &tags {
            assert!(legend.contains(tag.as_str()), "{tag} is verified and not listed:\n{}", done.out);
        }
        let json = explained(&[&all[..], &["--format", "json"]].concat()).out;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["verified"].as_array().map(Vec::len), Some(tags.len()));
        tags.dedup();
        // One line below the head for each that is shown, the others in one list.
        let lines = legend.lines().filter(|line| line.starts_with("  ") && "+-f".contains(&line[2..3])).count();
        let unseen = json["chain"]["decided_unseen"].as_array().expect("a list").len();
        assert_eq!(lines + unseen, tags.len(), "{}", done.out);
    }
    let hidden = explained(&[CAROUSEL, "--at", "26m"]).out;
    assert!(
        hidden.contains("decided by, in links not shown: ") && hidden.contains("+stale-pending-monitor"),
        "{hidden}"
    );
}

#[test]
fn that_nothing_decided_it_is_said_only_when_nothing_did() {
    let folder = folder(&[("typo.toml", TYPO)]);
    // The operator's own step: nothing in the scheduler could have been otherwise.
    folder
        .schedsim(&["explain", "typo.toml", "--at", "0s", "--subject", "step/typo", "--verify"])
        .code(0)
        .out("no fix and no fault decided any of this");
    let typo = folder.schedsim(&["explain", "typo.toml", "--verify"]).code(0);
    assert!(!typo.out.contains("no fix and no fault"), "{}", typo.out);
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
