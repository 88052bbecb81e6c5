//! Invariants of pools, and of the statuses of sandboxes, leases and disks.

use super::*;
use crate::model::{DiskChange, Failure, Reason};
use crate::trace::What;

#[test]
fn more_live_sandboxes_than_wanted_are_an_overshoot_after_the_grace() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    stage.serving(pool);
    let surplus = stage.sandbox(pool, SandboxStatus::Pending);
    stage.pass(secs(60));
    stage.sandbox(pool, SandboxStatus::Pending);
    stage.pass(secs(30) - MOMENT);
    stage.assert_nothing_broken();
    stage.pass(MOMENT);
    stage.assert_broken(Invariant::NoOvershoot, &["pool/pds-db: has 3 live sandboxes and wants 1: limit 1:30"]);
    let violation = &stage.judge.violations()[0];
    assert_eq!(violation.at, stage.now());
    let cause = stage.world.log().with_trace(|trace| trace.get(violation.record).unwrap().cause);
    let cause = stage.world.log().with_trace(|trace| trace.get(cause).unwrap());
    assert_eq!((cause.subject, cause.at), (surplus.into(), SimTime::ZERO), "the creation that broke it");
    assert!(matches!(cause.what, What::Created { .. }));
}

#[test]
fn an_overshoot_that_ends_within_the_grace_is_none_and_the_next_has_its_own() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    stage.serving(pool);
    for _ in 0..3 {
        let surplus = stage.sandbox(pool, SandboxStatus::Pending);
        stage.pass(secs(90) - MOMENT);
        stage.status(surplus, SandboxStatus::Stopped);
        stage.pass(secs(1));
    }
    stage.assert_nothing_broken();
}

#[test]
fn a_subject_is_reported_once_for_each_invariant() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 0);
    for _ in 0..3 {
        let surplus = stage.sandbox(pool, SandboxStatus::Running);
        stage.pass(secs(200));
        stage.status(surplus, SandboxStatus::Dead);
    }
    assert_eq!(stage.broken(Invariant::NoOvershoot).len(), 1);
}

#[test]
fn a_pool_that_wants_or_has_more_than_the_limit_is_told_of_at_once() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&with_instances(20), 20);
    for _ in 0..20 {
        stage.sandbox(pool, SandboxStatus::Pending);
    }
    stage.assert_nothing_broken();
    stage.sandbox(pool, SandboxStatus::Pending);
    stage.assert_broken(Invariant::PoolWithinMaxSize, &["pool/pds-db: has 21: limit 20"]);

    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&with_instances(20), 20);
    pool_change(&mut stage, pool, PoolChange::DesiredInstances(21));
    stage.assert_broken(Invariant::PoolWithinMaxSize, &["pool/pds-db: wants 21: limit 20"]);
}

#[test]
fn no_sandbox_is_created_before_the_end_of_a_cooldown() {
    for (after, broken) in [(secs(10) - MOMENT, true), (secs(10), false)] {
        let mut stage = Stage::new();
        let (_, _, pool) = stage.deployed(&service("db"), 1);
        let until = stage.now() + secs(10);
        pool_change(&mut stage, pool, PoolChange::CooldownUntil(Some(until)));
        stage.pass(after);
        stage.sandbox(pool, SandboxStatus::Pending);
        let text = "pool/pds-db: sandbox/pds-db-0 was created before the cooldown's end";
        let expected = if broken { vec![text] } else { Vec::new() };
        stage.assert_broken(Invariant::NoBootDuringCooldown, &expected);
    }
}

#[test]
fn a_cooldown_that_is_cleared_does_not_count() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    let until = stage.now() + secs(10);
    pool_change(&mut stage, pool, PoolChange::CooldownUntil(Some(until)));
    pool_change(&mut stage, pool, PoolChange::CooldownUntil(None));
    stage.sandbox(pool, SandboxStatus::Pending);
    stage.pass(secs(20));
    stage.assert_nothing_broken();
}

fn fail_boots(desired: u32, count: usize, every: SimDuration) -> Vec<String> {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&with_instances(desired.max(1)), desired);
    let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
    for _ in 0..count {
        let reason = Reason::BootFailed { error: Failure::NotFound, after: secs(1) };
        stage.world.log().record(OPERATOR, sandbox, What::Decided(reason));
        stage.pass(every);
    }
    stage.broken(Invariant::FailuresBackOff)
}

#[test]
fn the_ninth_failed_boot_within_ten_minutes_is_one_too_many() {
    let text = "pool/pds-db: more than 8 failed boots per desired instance within 10:00";
    let cases: [(u32, usize, SimDuration, &[&str]); 6] = [
        (1, 8, secs(1), &[]),
        (1, 9, secs(1), &[text]),
        (1, 9, secs(75), &[text]),
        (1, 100, secs(75) + MOMENT, &[]),
        (0, 9, secs(1), &[text]),
        (2, 16, secs(1), &[]),
    ];
    for (desired, count, every, expected) in cases {
        assert_eq!(fail_boots(desired, count, every), expected, "desired {desired}, {count} times every {every}");
    }
    assert_eq!(fail_boots(2, 17, secs(1)), [text]);
}

#[test]
fn failed_boots_are_counted_against_the_number_that_is_configured_or_was_wanted() {
    let twelve = ServiceConfig { concurrency: Concurrency::Fixed { instances: 12 }, ..service("db") };
    let auto = Concurrency::Auto { requests_per_instance: 1, scale_down_delay: secs(120) };
    for config in [twelve, ServiceConfig { concurrency: auto, ..service("db") }] {
        let mut stage = Stage::new();
        let (_, _, pool) = stage.deployed(&config, 12);
        let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
        let reason = Reason::BootFailed { error: Failure::NotFound, after: secs(1) };
        for boot in 0..97 {
            stage.assert_nothing_broken();
            stage.world.log().record(OPERATOR, sandbox, What::Decided(reason));
            stage.pass(secs(1));
            // A cooldown wants one.
            if boot == 0 {
                stage.patch(pool, PoolChange::DesiredInstances(1));
            }
        }
        assert_eq!(stage.broken(Invariant::FailuresBackOff).len(), 1, "eight for each of twelve, and one more");
    }
}

#[test]
fn statuses_change_only_as_they_may() {
    let mut stage = Stage::new();
    let (app, _, pool) = stage.deployed(&service("db"), 1);
    let disk = stage.disk("data", Some(app));
    let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
    let lease = stage.lease(disk, sandbox, Some(app));
    stage.lease_status(lease, LeaseStatus::Bound);
    for status in [SandboxStatus::Running, SandboxStatus::Running, SandboxStatus::Stopped, SandboxStatus::Dead] {
        stage.status(sandbox, status);
    }
    stage.lease_status(lease, LeaseStatus::Released);
    stage.patch(disk, DiskChange::Status(DiskStatus::Provisioned));
    stage.patch(disk, DiskChange::Status(DiskStatus::Deleting));
    stage.assert_nothing_broken();

    stage.patch(disk, DiskChange::Status(DiskStatus::Provisioned));
    stage.lease_status(lease, LeaseStatus::Pending);
    let second = stage.sandbox(pool, SandboxStatus::Stopped);
    stage.status(second, SandboxStatus::Running);
    let texts = [
        "disk/data: DELETING became PROVISIONED",
        "lease/data-0: RELEASED became PENDING",
        "sandbox/pds-db-1: STOPPED became RUNNING",
    ];
    stage.assert_broken(Invariant::LegalTransition, &texts);
    stage.assert_broken(Invariant::DeadIsFinal, &[]);
}

#[test]
fn a_dead_sandbox_that_is_written_to_life_breaks_both_rules_and_one_written_dead_again_none() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Running);
    stage.status(sandbox, SandboxStatus::Dead);
    stage.status(sandbox, SandboxStatus::Dead);
    stage.assert_nothing_broken();
    stage.status(sandbox, SandboxStatus::Running);
    stage.assert_broken(Invariant::DeadIsFinal, &["sandbox/pds-db-0: DEAD became RUNNING"]);
    stage.assert_broken(Invariant::LegalTransition, &["sandbox/pds-db-0: DEAD became RUNNING"]);
}
