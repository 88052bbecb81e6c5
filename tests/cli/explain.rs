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
        "stale PENDING at age 5:18.303: limit 5:00",
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
        .out("in truth")
        .out("holds 10.0.0.1");
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
