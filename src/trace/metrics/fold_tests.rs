//! What each metric counts, on traces made by hand.

use crate::kernel::RecordId;
use crate::model::{Address, EffectKind, Failure, Field, Kind, LeaseId, LeaseStatus, Name, Point, Reason, Value};
use crate::trace::metrics::{Figure, Metric, Metrics};
use crate::trace::testing::{Maker, d, t, word};
use crate::trace::{What, metrics};

use super::Frame;

fn fold(maker: &Maker, end: &str) -> Metrics {
    metrics::fold(&maker.trace, &Frame { ended_at: t(end), ..Frame::default() })
}

fn count(metrics: &Metrics, figure: Figure) -> u64 {
    match metrics.of(figure) {
        Metric::Count(n) => n,
        Metric::Seconds(_) => panic!("{figure:?} is a time"),
    }
}

#[test]
fn a_stuck_sandbox_boots_often_and_crashes_never() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    m.stuck_life(pool, 0, t("1s"), 6);
    m.stuck_life(pool, 1, t("6m"), 7);
    let metrics = fold(&m, "20m");
    for (figure, n) in [
        (Figure::SandboxesCreated, 2),
        (Figure::SandboxesPeak, 1),
        (Figure::BootsAttempted, 13),
        (Figure::BootsFailed, 13),
        (Figure::StalePendingStopped, 2),
        (Figure::CrashesCounted, 0),
        (Figure::Cooldowns, 0),
        (Figure::StoreWrites, 3 + 2 + 4),
    ] {
        assert_eq!(count(&metrics, figure), n, "{figure:?}");
    }
    assert_eq!(metrics.of(Figure::Unready), Metric::Seconds(d("20m")), "never ready, to the horizon");
}

#[test]
fn a_stop_for_another_reason_is_no_stale_pending() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    let why = m.decide(pool, Reason::TooMany { actual: 2, desired: 1 });
    m.status(sandbox, why, "pending", "stopped");
    assert_eq!(count(&fold(&m, "1m"), Figure::StalePendingStopped), 0);
}

#[test]
fn cooldowns_are_measured_as_set_and_crashes_by_increments() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let mut until = Value::None;
    for (time, found, count, wait) in [("10s", 1, 1, "10s"), ("50s", 2, 3, "40s")] {
        m.at(time);
        let limit = d("60s");
        let why = m.decide(pool, Reason::CrashesCounted { found, count, wait: d(wait), limit });
        // The write lands 2 ms later: the wait is the decided one all the same.
        let later = Value::Time(t(time) + d(wait));
        m.at(&(t(time) + d("2ms")).to_string());
        m.patch(
            pool,
            why,
            &[
                (Field::ConsecutiveCrashCount, Value::Int(u64::from(count - found)), Value::Int(u64::from(count))),
                (Field::CooldownUntil, until, later),
            ],
        );
        until = later;
    }
    // Forgiven: neither a decrement nor a cleared cooldown counts.
    m.patch(
        pool,
        RecordId::NONE,
        &[(Field::ConsecutiveCrashCount, Value::Int(3), Value::Int(0)), (Field::CooldownUntil, until, Value::None)],
    );
    let metrics = fold(&m, "10m");
    assert_eq!(count(&metrics, Figure::CrashesCounted), 3);
    assert_eq!(count(&metrics, Figure::Cooldowns), 2);
    assert_eq!(metrics.of(Figure::CooldownTime), Metric::Seconds(d("50s")));
    assert_eq!(metrics.of(Figure::CooldownMax), Metric::Seconds(d("40s")));
}

#[test]
fn a_cooldown_of_zero_is_none() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    m.at("10s");
    let reason = Reason::CrashesCounted { found: 1, count: 1, wait: d("0s"), limit: d("60s") };
    let why = m.decide(pool, reason);
    m.patch(pool, why, &[(Field::CooldownUntil, Value::None, Value::Time(t("10s")))]);
    assert_eq!(count(&fold(&m, "1m"), Figure::Cooldowns), 0);
}

/// A sandbox that runs from 10 s on.
fn running(m: &mut Maker) -> (crate::model::Subject, crate::model::Subject) {
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.at("10s").what(sandbox, What::TaskStarted);
    m.status(sandbox, RecordId::NONE, "pending", "running");
    (pool, sandbox)
}

#[test]
fn unready_time_sees_a_task_that_ended_unnoticed() {
    let mut m = Maker::new();
    let (pool, sandbox) = running(&mut m);
    assert_eq!(fold(&m, "1m").of(Figure::Unready), Metric::Seconds(d("10s")));
    m.at("40s").what(sandbox, What::TaskEnded { code: 1 });
    assert_eq!(fold(&m, "1m").of(Figure::Unready), Metric::Seconds(d("30s")), "10 s at first, 20 s at the end");
    m.at("50s").patch(pool, RecordId::NONE, &[(Field::DesiredInstances, Value::Int(1), Value::Int(0))]);
    assert_eq!(fold(&m, "1m").of(Figure::Unready), Metric::Seconds(d("20s")), "nothing is wanted any more");
}

#[test]
fn a_fixed_pool_left_at_one_is_unready() {
    let mut m = Maker::new();
    let (pool, _) = running(&mut m);
    m.at("20s").decide(pool, Reason::InstancesConfigured { instances: 3 });
    assert_eq!(fold(&m, "1m").of(Figure::Unready), Metric::Seconds(d("50s")));
    m.at("30s").patch(pool, RecordId::NONE, &[(Field::ReferencedByVersions, Value::Int(1), Value::Int(0))]);
    assert_eq!(
        fold(&m, "1m").of(Figure::Unready),
        Metric::Seconds(d("20s")),
        "a pool nobody references wants its desired"
    );
}

#[test]
fn leases_bound_to_the_dead_cost_seconds_to_the_horizon() {
    let mut m = Maker::new();
    let (_, sandbox) = running(&mut m);
    let disk = m.create(Kind::Disk, "disk/pds-data", RecordId::NONE, &[]);
    let fields = [
        (Field::Disk, Value::Ref(disk)),
        (Field::Sandbox, Value::Ref(sandbox)),
        (Field::Status, word(LeaseStatus::Pending)),
    ];
    let lease = m.create(Kind::Lease, "lease/pds-data-0", RecordId::NONE, &fields);
    m.status(lease, RecordId::NONE, "pending", "bound");
    assert_eq!(fold(&m, "1m").of(Figure::LeasesBoundToDead), Metric::Seconds(d("0s")));
    m.at("20s").status(sandbox, RecordId::NONE, "running", "dead");
    m.at("30s").delete(sandbox, RecordId::NONE);
    let metrics = fold(&m, "1m");
    assert_eq!(metrics.of(Figure::LeasesBoundToDead), Metric::Seconds(d("40s")), "DEAD, then gone: one stretch");
    assert_eq!(count(&metrics, Figure::LeasesOrphaned), 1);
    m.at("50s").status(lease, RecordId::NONE, "bound", "released");
    let metrics = fold(&m, "1m");
    assert_eq!(metrics.of(Figure::LeasesBoundToDead), Metric::Seconds(d("30s")));
    assert_eq!(count(&metrics, Figure::LeasesOrphaned), 0);
    assert_eq!(count(&metrics, Figure::LeasesCreated), 1);
}

#[test]
fn lease_conflicts_are_refused_leases_and_refused_boots() {
    let mut m = Maker::new();
    let (_, sandbox) = running(&mut m);
    let lease =
        m.create(Kind::Lease, "lease/pds-data-0", RecordId::NONE, &[(Field::Status, word(LeaseStatus::Pending))]);
    let why = m.decide(lease, Reason::AlreadyLeased { by: LeaseId::from_index(7) });
    m.status(lease, why, "pending", "failed");
    for error in [Failure::DiskLeased(Name::new("pds-data")), Failure::Conflict] {
        m.decide(sandbox, Reason::BootFailed { error, after: d("1s") });
    }
    let metrics = fold(&m, "1m");
    assert_eq!(count(&metrics, Figure::LeaseConflicts), 2);
    assert_eq!(count(&metrics, Figure::LeasesFailed), 1);
}

#[test]
fn a_disk_is_orphaned_when_no_app_that_made_or_used_it_is_left() {
    let mut m = Maker::new();
    let (app, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    let owned = m.create(Kind::Disk, "disk/owned", RecordId::NONE, &[(Field::CreatedBy, Value::Ref(app))]);
    let leased = m.create(Kind::Disk, "disk/leased", RecordId::NONE, &[]);
    m.create(
        Kind::Lease,
        "lease/leased-0",
        RecordId::NONE,
        &[
            (Field::Disk, Value::Ref(leased)),
            (Field::Sandbox, Value::Ref(sandbox)),
            (Field::Status, word(LeaseStatus::Released)),
        ],
    );
    assert_eq!(count(&fold(&m, "1m"), Figure::DisksOrphaned), 0);
    m.delete(app, RecordId::NONE);
    assert_eq!(count(&fold(&m, "1m"), Figure::DisksOrphaned), 2);
    m.delete(owned, RecordId::NONE);
    assert_eq!(count(&fold(&m, "1m"), Figure::DisksOrphaned), 1);
}

#[test]
fn what_the_dead_leave_in_the_backend_is_counted_at_the_end() {
    let mut m = Maker::new();
    let (_, sandbox) = running(&mut m);
    let address = |host| Address { node: 0, host };
    m.what(sandbox, What::AddressTaken(address(1)));
    m.what(sandbox, What::AddressTaken(address(2)));
    m.what(sandbox, What::Called { point: Point::CreateContainer, since: t("1s") });
    m.at("20s").status(sandbox, RecordId::NONE, "running", "dead");
    m.what(sandbox, What::AddressFreed(address(1)));
    let metrics = fold(&m, "1m");
    assert_eq!(count(&metrics, Figure::AddressesLeaked), 1);
    assert_eq!(count(&metrics, Figure::ContainersOrphaned), 1);
    m.what(sandbox, What::ContainerGone);
    m.what(sandbox, What::AddressFreed(address(2)));
    let metrics = fold(&m, "1m");
    assert_eq!(count(&metrics, Figure::AddressesLeaked), 0);
    assert_eq!(count(&metrics, Figure::ContainersOrphaned), 0);
}

#[test]
fn ready_is_the_first_rest_with_something_running_and_recovery_the_last() {
    let mut m = Maker::new();
    // An empty cluster is at rest, which makes nothing ready.
    m.what(crate::model::Subject::CLUSTER, What::Settled);
    m.at("1s").what(crate::model::Subject::CLUSTER, What::Unsettled);
    let (_, sandbox) = running(&mut m);
    m.at("12s").what(crate::model::Subject::CLUSTER, What::Settled);
    let strike = What::Struck { fault: 1, point: Point::ProbePort, effect: EffectKind::Error };
    m.at("5m").what(sandbox, strike);
    let frame = Frame {
        ended_at: t("20m"),
        settled_at: Some(t("9m")),
        first_deploy: Some(t("2s")),
        last_step: Some(t("8m")),
        workload_changed: None,
        fault_ends: vec![None, None],
    };
    let ready = |frame: &Frame| metrics::fold(&m.trace, frame).of(Figure::TimeToReady);
    let recovery = |frame: &Frame| metrics::fold(&m.trace, frame).of(Figure::Recovery);
    assert_eq!(ready(&frame), Metric::Seconds(d("10s")));
    assert_eq!(ready(&Frame { first_deploy: None, ..frame.clone() }), Metric::Seconds(d("0s")));
    for (frame, expected, why) in [
        (frame.clone(), "4m", "the last strike of a fault without an end"),
        (Frame { fault_ends: vec![Some(t("6m")), None], ..frame.clone() }, "3m", "the end of a window"),
        (Frame { workload_changed: Some(t("7m")), ..frame.clone() }, "2m", "a change of a workload"),
        (Frame { fault_ends: vec![], ..frame.clone() }, "1m", "with neither, the last step"),
        (Frame { settled_at: None, ..frame.clone() }, "15m", "never settled: to the end"),
        (Frame { settled_at: Some(t("1m")), ..frame.clone() }, "0s", "settled before"),
    ] {
        assert_eq!(recovery(&frame), Metric::Seconds(d(expected)), "{why}");
    }
}
