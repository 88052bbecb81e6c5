//! Tests of tracks, on traces made by hand.

use super::*;
use crate::model::{Controller, DiskStatus, Reason, SandboxStatus};
use crate::trace::testing::{Maker, t, word};

fn of<'a>(tracks: &'a [Track], trace: &Trace, name: &str) -> &'a Track {
    tracks.iter().find(|track| trace.name(track.subject).as_str() == name).expect("that track")
}

fn words(spans: &[Span]) -> Vec<(State, u64, u64)> {
    spans.iter().map(|s| (s.state, s.from.as_nanos() / 1_000_000_000, s.until.as_nanos() / 1_000_000_000)).collect()
}

#[test]
fn states_follow_each_other_without_a_gap_and_end_with_the_run() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.at("10s").sandbox(pool, 0);
    m.at("20s").status(sandbox, RecordId::NONE, "pending", "running");
    m.at("50s").status(sandbox, RecordId::NONE, "running", "dead");
    let all = tracks(&m.trace, t("1m"));
    let track = of(&all, &m.trace, "sandbox/pds-database-0");
    let expected = [
        (State::Status(SandboxStatus::Pending.into()), 10, 20),
        (State::Status(SandboxStatus::Running.into()), 20, 50),
        (State::Status(SandboxStatus::Dead.into()), 50, 60),
    ];
    assert_eq!(words(&track.states), expected);
    for span in &track.states {
        let what = m.trace.records().at(span.record).what;
        assert!(matches!(what, What::Created { .. } | What::Patched { .. }), "{what:?} is no write");
    }
}

#[test]
fn a_deleted_thing_has_no_state_afterwards() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.at("10s").sandbox(pool, 0);
    m.at("30s").delete(sandbox, RecordId::NONE);
    let all = tracks(&m.trace, t("1m"));
    let track = of(&all, &m.trace, "sandbox/pds-database-0");
    assert_eq!(words(&track.states), [(State::Status(SandboxStatus::Pending.into()), 10, 30)]);
    assert_eq!(track.gone, Some(t("30s")));
}

#[test]
fn a_cooldown_ends_at_its_time_or_when_it_is_replaced_or_cleared() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let cool = |m: &mut Maker, at: &str, to: Value| {
        m.at(at).patch(pool, RecordId::NONE, &[(Field::CooldownUntil, Value::None, to)]);
    };
    cool(&mut m, "10s", Value::Time(t("20s")));
    cool(&mut m, "30s", Value::Time(t("60s")));
    cool(&mut m, "40s", Value::Time(t("70s")));
    cool(&mut m, "50s", Value::None);
    cool(&mut m, "55s", Value::Time(t("55s")));
    cool(&mut m, "58s", Value::Time(t("90s")));
    let all = tracks(&m.trace, t("1m"));
    let spans = &of(&all, &m.trace, "pool/pds-database").cooldowns;
    let times: Vec<(u64, u64)> = words(spans).into_iter().map(|(_, from, until)| (from, until)).collect();
    assert_eq!(times, [(10, 20), (30, 40), (40, 50), (58, 60)]);
}

#[test]
fn a_disk_is_held_while_a_lease_of_it_is_bound_even_by_two_at_once() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(2);
    let (first, second) = (m.sandbox(pool, 0), m.sandbox(pool, 1));
    let disk = m.create(Kind::Disk, "disk/pds-data", RecordId::NONE, &[(Field::Status, word(DiskStatus::Provisioned))]);
    let lease = |m: &mut Maker, name: &str, sandbox| {
        let fields = [
            (Field::Disk, Value::Ref(disk)),
            (Field::Sandbox, Value::Ref(sandbox)),
            (Field::Status, word(LeaseStatus::Pending)),
        ];
        m.create(Kind::Lease, name, RecordId::NONE, &fields)
    };
    let (one, two) = (lease(&mut m, "lease/pds-data-0", first), lease(&mut m, "lease/pds-data-1", second));
    m.at("10s").status(one, RecordId::NONE, "pending", "bound");
    m.at("20s").status(two, RecordId::NONE, "pending", "bound");
    m.at("30s").status(one, RecordId::NONE, "bound", "released");
    let all = tracks(&m.trace, t("1m"));
    let disk = of(&all, &m.trace, "disk/pds-data");
    let held = |lease, sandbox| State::Held { lease, sandbox: Some(sandbox) };
    assert_eq!(words(&disk.holders), [(held(one, first), 10, 30), (held(two, second), 20, 60)]);
}

#[test]
fn a_disk_without_an_owner_stands_with_the_app_that_leased_it() {
    let mut m = Maker::new();
    let (app, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    let disk = m.create(Kind::Disk, "disk/pds-data", RecordId::NONE, &[]);
    let fields = [(Field::Disk, Value::Ref(disk)), (Field::Sandbox, Value::Ref(sandbox))];
    m.create(Kind::Lease, "lease/pds-data-0", RecordId::NONE, &fields);
    let all = tracks(&m.trace, t("1m"));
    assert_eq!(of(&all, &m.trace, "disk/pds-data").parent, Some(app));
    let order: Vec<&str> = all.iter().map(|track| m.trace.name(track.subject).as_str()).collect();
    let wanted = [
        "app/pds",
        "version/pds-v1",
        "pool/pds-database",
        "sandbox/pds-database-0",
        "disk/pds-data",
        "lease/pds-data-0",
    ];
    assert_eq!(order, wanted, "parents stand above what belongs to them");
}

#[test]
fn the_cluster_is_settled_until_it_is_told_otherwise() {
    let mut m = Maker::new();
    m.at("5s").what(Subject::CLUSTER, What::Unsettled);
    m.at("25s").what(Subject::CLUSTER, What::Settled);
    let all = tracks(&m.trace, t("1m"));
    let expected = [
        (State::Phase(Phase::Settled), 0, 5),
        (State::Phase(Phase::Unsettled), 5, 25),
        (State::Phase(Phase::Settled), 25, 60),
    ];
    assert_eq!(words(&all[0].states), expected);
}

#[test]
fn numbers_are_kept_with_the_write_that_set_them() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let why = m.at("10s").by(Controller::Pool).decide(pool, Reason::TooFew { actual: 0, desired: 1 });
    m.patch(pool, why, &[(Field::ReadyInstances, Value::Int(0), Value::Int(3))]);
    m.at("20s").patch(pool, why, &[(Field::ReadyInstances, Value::Int(3), Value::None)]);
    let all = tracks(&m.trace, t("1m"));
    let numbers = &of(&all, &m.trace, "pool/pds-database").numbers;
    let ready: Vec<u64> = numbers[&Field::ReadyInstances].iter().map(|step| step.value).collect();
    assert_eq!(ready, [3, 0], "absent is zero");
    assert_eq!(numbers[&Field::DesiredInstances][0].value, 1);
}

#[test]
fn a_trace_of_no_events_has_no_tracks() {
    assert_eq!(tracks(&Trace::default(), t("1m")), []);
}
