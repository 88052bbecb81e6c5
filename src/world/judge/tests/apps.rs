//! The invariant of deleted apps, and whose a disk without owner is.

use super::*;
use crate::trace::What;

/// Deletes an app as the platform does: what names it, then the app; sandboxes go with pools.
fn delete_app(stage: &mut Stage, app: AppId, rows: (VersionId, PoolId), sandbox: SandboxId) {
    stage.delete(rows.0);
    stage.delete(rows.1);
    stage.delete(sandbox);
    stage.delete(app);
}

const TEXT: &str = "app/pds was deleted: limit 2:00";

#[test]
fn what_belongs_to_a_deleted_app_may_outlast_it_by_the_grace() {
    for (removed_after, broken) in [(secs(120) - MOMENT, false), (secs(121), true)] {
        let mut stage = Stage::new();
        let (app, version, pool) = stage.deployed(&service("db"), 1);
        let sandbox = stage.sandbox(pool, SandboxStatus::Dead);
        let disk = stage.disk("data", Some(app));
        let lease = stage.lease(disk, sandbox, None);
        stage.delete(app);
        assert!(!stage.is_settled());
        stage.pass(removed_after);
        stage.delete(version);
        stage.delete(pool);
        stage.delete(sandbox);
        stage.delete(disk);
        stage.delete(lease);
        assert!(stage.is_settled(), "{:?}", stage.judge.blockers(&stage.world));
        stage.pass(secs(1000));
        let all = ["version/pds-v1", "pool/pds-db", "sandbox/pds-db-0", "disk/data", "lease/data-0"];
        let texts: Vec<String> = all.iter().map(|name| format!("{name}: {TEXT}")).collect();
        assert_eq!(stage.broken(Invariant::NothingOutlivesItsApp), if broken { texts } else { Vec::new() });
    }
}

#[test]
fn what_is_created_for_a_deleted_app_has_what_is_left_of_its_grace() {
    let mut stage = Stage::new();
    let (app, version, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Dead);
    let disk = stage.disk("data", Some(app));
    delete_app(&mut stage, app, (version, pool), sandbox);
    stage.delete(disk);
    stage.pass(secs(100));
    stage.lease(disk, sandbox, Some(app));
    stage.pass(secs(20) - MOMENT);
    stage.assert_nothing_broken();
    stage.pass(MOMENT);
    stage.lease(disk, sandbox, None);
    stage.assert_broken(
        Invariant::NothingOutlivesItsApp,
        &[&format!("lease/data-0: {TEXT}"), &format!("lease/data-1: {TEXT}")],
    );
}

/// How it is known that a disk without owner was made for an app.
enum Sign {
    Cause,
    Lease,
    Name,
}

/// The stage after the app is deleted and everything but the disk with it.
fn orphan(sign: &Sign) -> (Stage, DiskId) {
    let mut stage = Stage::new();
    let service = ServiceConfig { disks: vec![disk_config("data")], ..service("db") };
    let (app, version, pool) = stage.deployed(&service, 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Dead);
    if let Sign::Cause = sign {
        let boot = stage.world.log().record(OPERATOR, sandbox, What::Note(name("boot")));
        stage.world.kernel().set_cause(boot);
    }
    let disk = stage.disk("data", None);
    stage.world.kernel().set_cause(crate::kernel::RecordId::NONE);
    if let Sign::Lease = sign {
        let lease = stage.lease(disk, sandbox, None);
        stage.delete(lease);
    }
    delete_app(&mut stage, app, (version, pool), sandbox);
    (stage, disk)
}

#[test]
fn a_disk_without_owner_outlives_the_app_that_it_was_made_for() {
    for sign in [Sign::Cause, Sign::Lease, Sign::Name] {
        let (mut stage, _) = orphan(&sign);
        assert!(!stage.is_settled());
        stage.pass(secs(120) - MOMENT);
        stage.assert_broken(Invariant::NothingOutlivesItsApp, &[]);
        stage.pass(MOMENT);
        stage.assert_broken(Invariant::NothingOutlivesItsApp, &[&format!("disk/data: {TEXT}")]);
        assert!(!stage.is_settled());
    }
}

#[test]
fn a_disk_without_owner_that_a_living_app_names_is_no_leftover() {
    let (mut stage, _) = orphan(&Sign::Lease);
    stage.pass(secs(60));
    let service = ServiceConfig { disks: vec![disk_config("data")], ..service("db") };
    let other = stage.app("other");
    stage.deploy(other, std::slice::from_ref(&service));
    stage.pass(secs(600));
    stage.assert_broken(Invariant::NothingOutlivesItsApp, &[]);
    stage.deploy(other, &[]);
    stage.assert_broken(Invariant::NothingOutlivesItsApp, &[&format!("disk/data: {TEXT}")]);
}

#[test]
fn a_disk_that_is_nobodys_outlives_nothing() {
    let mut stage = Stage::new();
    let (app, version, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Dead);
    stage.disk("other", None);
    delete_app(&mut stage, app, (version, pool), sandbox);
    stage.pass(secs(600));
    stage.assert_broken(Invariant::NothingOutlivesItsApp, &[]);
    assert!(stage.is_settled());
}
