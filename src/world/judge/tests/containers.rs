//! Invariants of containers and addresses.

use super::*;

#[test]
fn an_address_may_outlast_its_owner_by_the_grace() {
    for (freed_after, broken) in [(secs(300) - MOMENT, false), (secs(301), true)] {
        let mut stage = Stage::new();
        let (_, _, pool) = stage.deployed(&service("db"), 1);
        let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
        let address = stage.take_address(sandbox);
        stage.pass(secs(600));
        stage.status(sandbox, SandboxStatus::Dead);
        stage.pass(freed_after);
        let runtime = stage.runtime(sandbox);
        stage.call(async move { runtime.release_address(address).await });
        stage.pass(secs(600));
        let text = format!("sandbox/pds-db-0: {address} is taken although the sandbox is DEAD: limit 5:00");
        let expected = [text.as_str()];
        stage.assert_broken(Invariant::NoLeakedAddress, if broken { &expected } else { &[] });
    }
}

#[test]
fn an_address_of_a_sandbox_that_is_gone_is_leaked_too() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
    stage.take_address(sandbox);
    stage.delete(sandbox);
    stage.pass(secs(300));
    let text = "sandbox/pds-db-0: 10.0.0.1 is taken although the sandbox is gone: limit 5:00";
    stage.assert_broken(Invariant::NoLeakedAddress, &[text]);
}

#[test]
fn a_live_container_keeps_its_address() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.serving(pool);
    stage.status(sandbox, SandboxStatus::Dead);
    stage.pass(secs(599));
    stage.assert_nothing_broken();
    stage.world.kill_program(sandbox, 1);
    stage.pass(secs(300) - MOMENT);
    stage.assert_broken(Invariant::NoLeakedAddress, &[]);
    stage.pass(MOMENT);
    assert_eq!(stage.broken(Invariant::NoLeakedAddress).len(), 1);
}

#[test]
fn a_container_may_outlast_its_sandbox_by_the_grace() {
    for (removed_after, broken) in [(secs(600) - MOMENT, false), (secs(601), true)] {
        for gone in [false, true] {
            let mut stage = Stage::new();
            let (_, _, pool) = stage.deployed(&service("db"), 1);
            let sandbox = stage.serving(pool);
            stage.pass(secs(1000));
            if gone {
                stage.delete(sandbox);
            } else {
                stage.status(sandbox, SandboxStatus::Dead);
            }
            stage.pass(removed_after);
            stage.destroy(sandbox);
            stage.pass(secs(1000));
            let fate = if gone { "gone" } else { "DEAD" };
            let text = format!("sandbox/pds-db-0: its container is there although the sandbox is {fate}: limit 10:00");
            let expected = [text.as_str()];
            stage.assert_broken(Invariant::NoOrphanContainer, if broken { &expected } else { &[] });
        }
    }
}

#[test]
fn two_live_containers_with_one_address_are_told_of_at_once() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&with_instances(3), 3);
    let sandboxes = [0, 1, 2].map(|_| stage.sandbox(pool, SandboxStatus::Pending));
    let address = stage.take_address(sandboxes[0]);
    stage.start(sandboxes[0], address);
    stage.destroy(sandboxes[0]);
    stage.start(sandboxes[1], address);
    stage.assert_nothing_broken();
    stage.start(sandboxes[2], address);
    stage.assert_broken(Invariant::AddressOwnedOnce, &["sandbox/pds-db-2: 10.0.0.1 belongs to sandbox/pds-db-1 too"]);
}

#[test]
fn two_live_sandboxes_with_containers_never_name_one_address() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&with_instances(3), 3);
    let sandboxes = [0, 1, 2].map(|_| stage.sandbox(pool, SandboxStatus::Pending));
    let address = stage.take_address(sandboxes[0]);
    for sandbox in &sandboxes[..2] {
        stage.patch(*sandbox, SandboxChange::Address(Some(address)));
    }
    stage.start(sandboxes[0], address);
    stage.assert_nothing_broken();
    let other = stage.take_address(sandboxes[1]);
    stage.start(sandboxes[1], other);
    stage.assert_broken(Invariant::AddressOwnedOnce, &["sandbox/pds-db-1: 10.0.0.1 belongs to sandbox/pds-db-0 too"]);
}

#[test]
fn the_same_number_on_two_nodes_is_two_addresses() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&with_instances(2), 2);
    for node in [0, 1] {
        let sandbox = stage.sandbox_on(pool, SandboxStatus::Pending, node);
        let address = stage.take_address(sandbox);
        stage.patch(sandbox, SandboxChange::Address(Some(address)));
        stage.start(sandbox, address);
    }
    stage.assert_nothing_broken();
}
