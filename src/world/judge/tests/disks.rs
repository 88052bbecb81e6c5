//! Invariants of disks, leases and volumes.

use super::*;
use crate::model::{DiskChange, DiskId, VolumeId};
use crate::ports::DiskBackend;

fn with_disk(stage: &mut Stage) -> (AppId, PoolId, DiskId) {
    let service = ServiceConfig { disks: vec![disk_config("data")], ..service("db") };
    let (app, _, pool) = stage.deployed(&service, 1);
    (app, pool, stage.disk("data", Some(app)))
}

#[test]
fn two_bound_leases_of_one_disk_are_one_too_many() {
    let mut stage = Stage::new();
    let (app, pool, disk) = with_disk(&mut stage);
    let holders = [0, 1].map(|_| stage.sandbox(pool, SandboxStatus::Running));
    let leases = holders.map(|sandbox| stage.lease(disk, sandbox, Some(app)));
    stage.lease_status(leases[0], LeaseStatus::Bound);
    stage.lease_status(leases[0], LeaseStatus::Released);
    stage.lease_status(leases[1], LeaseStatus::Bound);
    stage.assert_nothing_broken();
    let third = stage.lease(disk, holders[0], Some(app));
    stage.lease_status(third, LeaseStatus::Bound);
    let text = "disk/data: lease/data-1 and lease/data-2 are BOUND at once";
    stage.assert_broken(Invariant::OneBoundLeasePerDisk, &[text]);
}

#[test]
fn a_bound_lease_may_outlast_its_sandbox_by_the_grace() {
    for (last, text) in [(SandboxStatus::Stopped, "STOPPED"), (SandboxStatus::Dead, "DEAD")] {
        let mut stage = Stage::new();
        let (app, pool, disk) = with_disk(&mut stage);
        let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
        let lease = stage.lease(disk, sandbox, Some(app));
        stage.lease_status(lease, LeaseStatus::Bound);
        stage.pass(secs(600));
        stage.status(sandbox, last);
        stage.pass(secs(90) - MOMENT);
        stage.assert_nothing_broken();
        stage.pass(MOMENT);
        let text = format!("lease/data-0: BOUND while sandbox/pds-db-0 is {text}: limit 1:30");
        stage.assert_broken(Invariant::BoundLeaseHasLiveSandbox, &[&text]);
    }
}

#[test]
fn a_lease_whose_sandbox_is_gone_is_judged_like_one_of_the_dead() {
    for (released_after, broken) in [(secs(90) - MOMENT, false), (secs(91), true)] {
        let mut stage = Stage::new();
        let (app, pool, disk) = with_disk(&mut stage);
        let sandbox = stage.sandbox(pool, SandboxStatus::Running);
        let lease = stage.lease(disk, sandbox, Some(app));
        stage.lease_status(lease, LeaseStatus::Bound);
        stage.delete(sandbox);
        stage.pass(released_after);
        stage.lease_status(lease, LeaseStatus::Released);
        stage.pass(secs(100));
        let text = "lease/data-0: BOUND while sandbox/pds-db-0 is gone: limit 1:30";
        let expected = if broken { vec![text] } else { Vec::new() };
        stage.assert_broken(Invariant::BoundLeaseHasLiveSandbox, &expected);
    }
}

#[test]
fn a_disk_names_the_app_that_made_it() {
    let mut stage = Stage::new();
    let app = stage.app("pds");
    stage.disk("data", Some(app));
    stage.assert_nothing_broken();
    stage.disk("other", None);
    stage.assert_broken(Invariant::DiskHasOwner, &["disk/other: created without an owner"]);
}

#[test]
fn a_volume_is_mounted_on_one_node_at_a_time() {
    let mut stage = Stage::new();
    let nodes = [0, 1].map(|node| stage.world.disks(Actor::on(Controller::Lease, NodeId::from_index(node))));
    let [first, second] = nodes;
    let made = Rc::new(Cell::new(None));
    let (told, service) = (Rc::clone(&made), first.clone());
    stage.call(async move { told.set(service.create_volume(DiskId::from_index(0), name("data"), 1).await.ok()) });
    let volume = made.get().expect("made");
    stage.call(async move {
        first.mount(volume).await.expect("no fault strikes");
        first.mount(volume).await.expect("mounted already is no error");
        first.unmount(volume).await.expect("no fault strikes");
    });
    let here = second.clone();
    stage.call(async move { here.mount(volume).await.expect("no fault strikes") });
    stage.assert_nothing_broken();
    let there = stage.world.disks(Actor::on(Controller::Lease, NodeId::from_index(0)));
    stage.call(async move { there.mount(volume).await.expect("no node is refused") });
    stage.assert_broken(Invariant::OneMountPerVolume, &["volume/data: mounted on node/n2 and node/n1 at once"]);
}

#[test]
fn two_live_containers_never_write_one_disk() {
    let mut stage = Stage::new();
    let (_, pool, _) = with_disk(&mut stage);
    let first = stage.serving(pool);
    stage.destroy(first);
    let second = stage.serving(pool);
    stage.assert_broken(Invariant::OneMountPerVolume, &[]);
    stage.serving(pool);
    let text = "disk/data: sandbox/pds-db-1 and sandbox/pds-db-2 write it at once";
    stage.assert_broken(Invariant::OneMountPerVolume, &[text]);
    assert_ne!(first, second);
}

#[test]
fn those_who_only_read_a_disk_may_be_many() {
    let mut stage = Stage::new();
    let reads = DiskConfig { read_only: true, ..disk_config("data") };
    let (_, _, pool) = stage.deployed(&ServiceConfig { disks: vec![reads], ..with_instances(2) }, 2);
    stage.serving(pool);
    stage.serving(pool);
    stage.assert_nothing_broken();
}

fn make_volume(stage: &mut Stage, disk: DiskId) -> VolumeId {
    let made = Rc::new(Cell::new(None));
    let service = stage.world.disks(Actor::on(Controller::Disk, NodeId::from_index(0)));
    let told = Rc::clone(&made);
    stage.call(async move { told.set(service.create_volume(disk, name("data"), 1).await.ok()) });
    made.get().expect("made")
}

/// A disk with its volume, and a program of its app that has started with it.
fn used_disk(stage: &mut Stage) -> (AppId, PoolId, DiskId, SandboxId) {
    let (app, pool, disk) = with_disk(stage);
    let volume = make_volume(stage, disk);
    stage.patch(disk, DiskChange::Volume(Some(volume)));
    let sandbox = stage.serving(pool);
    (app, pool, disk, sandbox)
}

#[test]
fn a_volume_that_no_disk_has_is_told_after_the_grace() {
    let mut stage = Stage::new();
    let (_, _, disk) = with_disk(&mut stage);
    let volume = make_volume(&mut stage, disk);
    // Its disk names none yet.
    stage.pass(secs(600));
    stage.assert_nothing_broken();
    let other = make_volume(&mut stage, disk);
    stage.patch(disk, DiskChange::Volume(Some(other)));
    stage.pass(secs(120) - MOMENT);
    stage.assert_nothing_broken();
    stage.pass(MOMENT);
    stage.assert_broken(Invariant::VolumeHasDisk, &["volume/data: no disk has it: limit 2:00"]);
    assert_ne!(volume, other);
}

#[test]
fn a_disk_in_use_is_not_deleted_and_one_that_nobody_names_may_be() {
    for (named, texts) in
        [(true, vec!["disk/data: it is deleted, and app/pds uses it: its data are lost"]), (false, vec![])]
    {
        let mut stage = Stage::new();
        let (app, _, disk, _) = used_disk(&mut stage);
        if !named {
            stage.deploy(app, &[service("db")]);
        }
        stage.delete(disk);
        stage.assert_broken(Invariant::UsedDiskKeepsData, &texts);
    }
    // No program was ever started with it: there are no data.
    let mut stage = Stage::new();
    let (_, _, disk) = with_disk(&mut stage);
    stage.delete(disk);
    stage.assert_broken(Invariant::UsedDiskKeepsData, &[]);
}

#[test]
fn a_volume_goes_to_no_program_of_another_app_and_to_its_own_app_made_anew() {
    for (again, texts) in
        [("pds", vec![]), ("spy", vec!["volume/data: it was made for app/pds, and a program of app/spy gets it"])]
    {
        let mut stage = Stage::new();
        let (app, _, _, sandbox) = used_disk(&mut stage);
        stage.destroy(sandbox);
        stage.delete(app);
        let service = ServiceConfig { disks: vec![disk_config("data")], ..service("db") };
        stage.world.change_workload(name(again), name("db"), |workload| *workload = at_once());
        let app = stage.app(again);
        let version = stage.deploy(app, std::slice::from_ref(&service));
        let pool = stage.pool(app, &service, version, 1);
        stage.serving(pool);
        stage.assert_broken(Invariant::VolumeKeepsItsApp, &texts);
    }
}

#[test]
fn a_program_that_runs_keeps_the_lease_of_what_it_writes() {
    for (ends, broken) in [(true, 0), (false, 1)] {
        let mut stage = Stage::new();
        let (app, _, disk, sandbox) = used_disk(&mut stage);
        let lease = stage.lease(disk, sandbox, Some(app));
        stage.lease_status(lease, LeaseStatus::Bound);
        stage.pass(secs(600));
        stage.assert_broken(Invariant::LiveProgramKeepsItsOwn, &[]);
        stage.lease_status(lease, LeaseStatus::Released);
        stage.pass(secs(90) - MOMENT);
        if ends {
            stage.destroy(sandbox);
        }
        stage.pass(MOMENT);
        assert_eq!(stage.broken(Invariant::LiveProgramKeepsItsOwn).len(), broken);
    }
}

#[test]
fn a_program_that_runs_keeps_its_address() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Running);
    let address = stage.take_address(sandbox);
    stage.start(sandbox, address);
    let runtime = stage.runtime(sandbox);
    stage.call(async move { runtime.release_address(address).await });
    stage.pass(secs(90) - MOMENT);
    stage.assert_nothing_broken();
    stage.pass(MOMENT);
    let text = format!("sandbox/pds-db-0: it runs, and {address} is not its own: limit 1:30");
    stage.assert_broken(Invariant::LiveProgramKeepsItsOwn, &[&text]);
}
