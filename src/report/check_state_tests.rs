//! Claims of moments: what holds, what does not, and in which words.

use super::*;
use crate::scenario::claims::{From, Of, THINGS};
use crate::scenario::{Overrides, Scenario};
use crate::sim::{Outcome, Simulation};

/// One app with a disk and a service of two; its sandboxes run from about three seconds on.
const STORY: &str = "schema = 1\nhorizon = \"5m\"\npolicy.as_of = \"2025-12-19\"\n\
    step = [{ name = \"go\", at = \"0s\", do.deploy = { app = \"a\", build = \"b1\", config = '''\n\
    [services.db.concurrency]\nmode = \"fixed\"\nnum_instances = 1\n\
    [[services.db.disks]]\nname = \"d\"\nmount_path = \"/data\"\nsize_gb = 20\nread_only = true\nlease_timeout = \"3m\"\n\
    [services.web]\nport = 8080\n[services.web.concurrency]\nmode = \"fixed\"\nnum_instances = 2\n\
    [[services.web.env]]\nkey = \"A\"\nvalue = \"b\"\n''' } },\n\
    { name = \"kill\", at = \"1m\", do.kill = { sandbox = \"a-web-0\" } }]\n";

fn run(moments: &str) -> (Scenario, Outcome) {
    let text = format!("{STORY}{moments}\n");
    let scenario = Scenario::from_text(&text, "story.toml", None, &Overrides::default());
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let outcome = Simulation::new(&scenario, &scenario.variants[0]).run();
    (scenario, outcome)
}

/// How the claims come out: `ok` or what was found.
fn told(moments: &str) -> Vec<String> {
    let (scenario, outcome) = run(moments);
    let expect = scenario.variants[0].expect.as_ref().expect("claims");
    let held = held(&outcome.trace, &expect.moments, outcome.ended_at);
    held.into_iter().map(|held| held.wrong.unwrap_or_else(|| "ok".to_owned())).collect()
}

fn at(when: &str, claims: &str) -> Vec<String> {
    told(&format!("[[expect.at]]\n{when}\n{claims}\n"))
}

#[test]
fn every_type_of_value_can_hold_and_can_fail() {
    for (claim, other) in [
        ("\"pool/a-web\".desired_instances = 2", "\"pool/a-web\".desired_instances = 3"),
        ("\"pool/a-web\".desired_instances = { min = 2, max = 2 }", "\"pool/a-web\".desired_instances = { min = 3 }"),
        ("\"pool/a-web\".consecutive_crash_count = 0", "\"pool/a-web\".consecutive_crash_count = 1"),
        ("\"pool/a-web\".last_crash_time.absent = true", "\"pool/a-web\".last_crash_time.absent = false"),
        ("\"pool/a-web\".referenced_by_versions = [\"a-v1\"]", "\"pool/a-web\".referenced_by_versions = []"),
        ("\"pool/a-web\".referenced_by_versions.has = \"version/a-v1\"", "\"pool/a-web\".env.has = \"A=c\""),
        ("\"pool/a-web\".referenced_by_versions.max = 1", "\"pool/a-web\".referenced_by_versions.min = 2"),
        ("\"pool/a-web\".port = 8080", "\"pool/a-db\".port = 8080"),
        ("\"pool/a-web\" = { image = \"a:b1\", env = [\"A=b\"] }", "\"pool/a-web\".image = \"a:b2\""),
        ("\"pool/a-db\".volumes = [\"d:/data:20GB:ext4:ro:3m\"]", "\"pool/a-web\".volumes.min = 1"),
        ("\"pool/a-db\".version = \"a-v1\"", "\"pool/a-db\".version.not = \"a-v1\""),
        ("\"version/a-v1\".services = [\"web\", \"db\"]", "\"version/a-v1\".services = [\"web\"]"),
        ("\"lease/d-0\".read_only = true", "\"lease/d-0\".read_only = false"),
        ("\"lease/d-0\".status = \"bound\"", "\"lease/d-0\".status.not = \"bound\""),
        ("\"lease/d-0\".acquired_at.max = \"10s\"", "\"lease/d-0\".acquired_at.min = \"10s\""),
        ("\"sandbox/a-web-0\" = { app = \"a\", task = \"running\" }", "\"sandbox/a-web-0\".task = \"ended\""),
        ("\"sandbox/a-web-0\".created_at.max = \"1s\"", "\"sandbox/a-web-0\".created_at = \"0s\""),
        ("\"volume/d\".mounts = 1", "\"volume/d\".mounts = 0"),
        ("\"disk/d\".absent = false", "\"disk/d\".absent = true"),
        ("count.sandbox = 3", "count.sandbox = 2"),
        ("count.sandbox = { service = \"web\", equals = 2 }", "count.sandbox = { service = \"web\", max = 1 }"),
        ("count.sandbox = { node.not = \"n1\", equals = 0 }", "count.sandbox = { node = \"n1\", min = 4 }"),
        ("count.volume = 1", "count.volume = { min = 2 }"),
    ] {
        let holds = at("at = \"30s\"", claim);
        assert!(!holds.is_empty() && holds.iter().all(|told| told == "ok"), "{claim}: {holds:?}");
        let fails = at("at = \"30s\"", other);
        assert!(fails.iter().any(|told| told != "ok"), "{other} cannot fail");
    }
}

#[test]
fn who_wrote_it_is_asked_of_the_field_or_of_the_thing() {
    let lines = at(
        "at = \"30s\"",
        "\"sandbox/a-web-0\" = { by = \"activator\", status = { equals = \"running\", by = \"sandbox\" }, \
         node = { by = \"pool\" }, service.by = \"pool\" }\n\"pool/a-web\".desired_instances.by = \"pool\"",
    );
    assert_eq!(lines[..2], ["ok", "ok"]);
    assert!(lines[2] == "ok" && lines[3].contains("by scheduler"), "{lines:?}");
    assert!(lines[4].starts_with("written 0:00.") && lines[4].ends_with("by launcher"), "{lines:?}");
}

#[test]
fn a_moment_sees_all_of_its_instant_and_nothing_of_a_later_one() {
    let (_, outcome) = run("");
    let trace = &outcome.trace;
    let made = trace
        .records()
        .iter()
        .find(|record| matches!(record.what, What::Created { .. }) && record.subject.kind == Kind::Sandbox);
    let made = made.expect("a sandbox").at.as_nanos();
    let count = |nanos: u64, n: u64| at(&format!("at = \"{nanos}ns\""), &format!("count.sandbox = {n}"));
    assert_eq!((count(made - 1, 0), count(made, 1)), (vec!["ok".to_owned()], vec!["ok".to_owned()]));
}

#[test]
fn a_span_asks_once_or_all_along() {
    let status = |word: &str| format!("\"sandbox/a-web-0\".status = \"{word}\"");
    assert_eq!(at("at = \"1s\"\nwithin = \"10s\"", &status("running")), ["ok"]);
    assert_eq!(at("at = \"1s\"\nwithin = \"10s\"", &status("pending")), ["ok"], "it is at the beginning");
    assert!(at("at = \"1s\"\nwithin = \"1s\"", &status("running"))[0].starts_with("found pending"));
    assert_eq!(at("at = \"10s\"\nfor = \"50s\"", &status("running")), ["ok"], "killed at 60 s, and written later");
    let ended = &at("at = \"10s\"\nfor = \"55s\"", &status("running"))[0];
    assert!(ended.starts_with("found ") && ended.contains("by sandbox") && ended.contains(", from 1:00"), "{ended}");
    assert!(at("at = \"10s\"\nwithin = \"10s\"", "\"sandbox/a-web-0\".task = \"ended\"")[0].contains("running"));
}

#[test]
fn what_is_not_there_says_why() {
    let lines = at("at = \"0s\"", "\"disk/d\".size_gb = 20");
    assert!(
        lines[0].starts_with("it is not there yet: created 0:00.") && lines[0].ends_with("by sandbox"),
        "{lines:?}"
    );
    assert_eq!(at("at = \"0s\"", "\"disk/d\".absent = true"), ["ok"]);
    assert!(at("at = \"30s\"", "\"disk/d\".absent = true")[0].starts_with("it is there, written 0:0"));
}

#[test]
fn a_name_that_nothing_ever_had_fails_whatever_is_claimed() {
    for claim in [
        "\"sandbox/a-wbe-0\".status = \"running\"",
        "\"sandbox/a-wbe-0\".absent = true",
        "count.lease = { sandbox = \"a-wbe-0\", equals = 0 }",
        "count.lease = { sandbox.not = \"a-wbe-0\", min = 0 }",
    ] {
        let lines = at("at = \"30s\"", claim);
        let text = "there never was sandbox/a-wbe-0 in this run; did you mean `a-web-0`?";
        assert!(lines[0].starts_with(text), "{claim}: {lines:?}");
    }
}

#[test]
fn a_run_that_ends_early_is_asked_only_for_what_it_reached() {
    let text = "[[expect.at]]\nat = \"1s\"\ncount.sandbox = 7\n[[expect.at]]\nat = \"4m\"\ncount.sandbox = 7";
    let (scenario, outcome) = run(text);
    let moments = &scenario.variants[0].expect.as_ref().expect("claims").moments;
    let until = SimTime::ZERO + crate::kernel::SimDuration::from_secs(60);
    assert_eq!(held(&outcome.trace, moments, until).len(), 1);
    assert_eq!(held(&outcome.trace, moments, outcome.ended_at).len(), 2);
}

/// Whoever adds a field to an entity adds its line to the list of things.
#[test]
fn every_field_of_every_entity_can_be_asked_for() {
    let asked = |kind: Kind, field: Field| {
        let thing = THINGS.iter().find(|thing| thing.kind == kind).expect("a kind of the list");
        thing.fields().any(|known| known.from.field() == Some(field))
    };
    let (_, outcome) = run("");
    for record in outcome.trace.records() {
        if let What::Set { field, .. } = record.what {
            assert!(asked(record.subject.kind, field), "{} of a {}", field.name(), record.subject.kind.name());
        }
    }
    let known = |field: &Field| THINGS.iter().any(|thing| asked(thing.kind, *field));
    let missing: Vec<&Field> = Field::ALL.iter().filter(|field| !known(field)).collect();
    assert!(missing.is_empty(), "no kind of things has {missing:?}");
}

/// The type in the list is the type in the store.
#[test]
fn a_field_has_the_type_that_the_list_says() {
    use crate::model::Value;
    let (_, outcome) = run("");
    for record in outcome.trace.records() {
        let What::Set { field, to, .. } = record.what else { continue };
        let thing = THINGS.iter().find(|thing| thing.kind == record.subject.kind).expect("a kind of the list");
        for known in thing.fields().filter(|known| known.from == From::Store(field)) {
            let fits = match (to, known.of) {
                (Value::Ref(subject), Of::Thing(kind)) => subject.kind == kind,
                (Value::Status(status), Of::Word(words)) => words.contains(&status.name()),
                (Value::Filesystem(filesystem), Of::Word(words)) => words.contains(&filesystem.name()),
                (to, of) => matches!(
                    (to, of),
                    (Value::None, _)
                        | (Value::Int(_), Of::Count | Of::Flag | Of::Things(_) | Of::Texts)
                        | (Value::Time(_), Of::Time)
                        | (Value::Text(_) | Value::Address(_), Of::Text)
                ),
            };
            assert!(fits, "{} of a {}: {to:?} is no {:?}", known.name, thing.kind.name(), known.of);
        }
    }
}
