//! What callers suffer: failed requests, and rollouts that leave nobody who serves.

use super::*;
use crate::model::{AppChange, RequestError};
use crate::trace::What;

const NOBODY: RequestError = RequestError::PoolTimeout(SimDuration::from_secs(50));

fn request_fails(stage: &mut Stage, app: AppId, waited: SimDuration, error: RequestError) {
    let what = What::RequestFailed { service: name("db"), waited, error };
    stage.world.log().record(OPERATOR, app, what);
    stage.pass(SimDuration::ZERO);
}

fn auto() -> ServiceConfig {
    ServiceConfig { concurrency: concurrency_auto(), ..service("db") }
}

/// An auto service of which two serve, and its pool may have twenty.
fn two_serve() -> (Stage, AppId, PoolId) {
    let mut stage = Stage::new();
    let (app, _, pool) = stage.deployed(&auto(), 2);
    stage.serving(pool);
    stage.serving(pool);
    stage.pass(secs(100));
    (stage, app, pool)
}

#[test]
fn who_finds_no_capacity_while_some_serve_and_none_comes_is_wronged() {
    let (mut stage, app, _) = two_serve();
    request_fails(&mut stage, app, secs(50), NOBODY);
    let text =
        "app/pds: a request of db fails (no capacity within 0:50): 2 of at most 20 serve, and none is on its way";
    stage.assert_broken(Invariant::RequestsServed, &[text]);
}

#[test]
fn who_waits_for_one_that_boots_or_meets_the_limit_is_not() {
    let (mut stage, app, pool) = two_serve();
    stage.sandbox(pool, SandboxStatus::Pending);
    request_fails(&mut stage, app, secs(50), NOBODY);
    stage.assert_nothing_broken();

    let (mut stage, app, pool) = two_serve();
    stage.patch(pool, PoolChange::DesiredInstances(20));
    (0..18).for_each(|_| _ = stage.serving(pool));
    for error in [NOBODY, RequestError::MaxSize(20)] {
        request_fails(&mut stage, app, secs(50), error);
    }
    assert!(stage.broken(Invariant::RequestsServed).is_empty());
}

#[test]
fn a_service_that_does_not_serve_or_cannot_excuses_its_callers_fate() {
    let refused = [NOBODY, RequestError::DiedDuringBoot, RequestError::NoPool, RequestError::BadGateway];
    let mut stage = Stage::new();
    let (app, _, pool) = stage.deployed(&auto(), 1);
    stage.pass(secs(100));
    refused.into_iter().for_each(|error| request_fails(&mut stage, app, secs(50), error));
    // It has served for less than half of the wait.
    stage.serving(pool);
    stage.pass(secs(20));
    request_fails(&mut stage, app, secs(50), NOBODY);
    stage.assert_nothing_broken();

    let (mut stage, app, _) = two_serve();
    let exits = vec![Delay::After(Spread::Constant(secs(1)))];
    stage.world.change_workload(name("pds"), name("db"), |workload| workload.exit_after = exits);
    request_fails(&mut stage, app, secs(50), NOBODY);
    for error in [RequestError::NotDeployed, RequestError::CoordinatorDown, RequestError::Store(name("no"))] {
        request_fails(&mut stage, app, secs(0), error);
    }
    stage.assert_nothing_broken();
}

#[test]
fn who_is_refused_for_the_dead_while_some_serve_is_wronged() {
    for error in [RequestError::DiedDuringBoot, RequestError::NoPool, RequestError::Conflict] {
        let (mut stage, app, _) = two_serve();
        request_fails(&mut stage, app, secs(0), error);
        let told = stage.broken(Invariant::RequestsServed);
        assert!(told.len() == 1 && told[0].ends_with("and a sandbox of the service serves"), "{told:?}");
    }
}

#[test]
fn a_sandbox_is_not_stopped_under_a_request_unless_an_operator_does() {
    for (by, broken) in [(Controller::Pool, 1), (Controller::Operator, 0)] {
        let (mut stage, app, pool) = two_serve();
        let sandbox = stage.serving(pool);
        stage.pass(secs(5));
        stage.status_by(by, sandbox, SandboxStatus::Stopped);
        stage.pass(secs(5));
        request_fails(&mut stage, app, secs(4), RequestError::BadGateway);
        stage.assert_nothing_broken();
        request_fails(&mut stage, app, secs(10), RequestError::BadGateway);
        assert_eq!(stage.broken(Invariant::RequestsServed).len(), broken, "{by:?}");
    }
}

#[test]
fn nobody_is_led_to_a_dead_program_for_longer_than_the_grace() {
    let (mut stage, app, pool) = two_serve();
    let sandbox = stage.serving(pool);
    stage.world.kill_program(sandbox, 1);
    stage.pass(secs(60) - MOMENT);
    request_fails(&mut stage, app, secs(0), RequestError::BadGateway);
    stage.assert_nothing_broken();
    stage.pass(MOMENT);
    request_fails(&mut stage, app, secs(0), RequestError::BadGateway);
    let text = "app/pds: a request of db fails (bad gateway: the sandbox does not answer): \
                sandbox/pds-db-2 is RUNNING and does not answer: limit 1:00";
    stage.assert_broken(Invariant::RequestsServed, &[text]);
}

/// A service of which one serves, and a new version with a pool of its own, where one serves or none.
fn rolled_out(config: &ServiceConfig, new_serves: bool) -> (Stage, SandboxId) {
    let mut stage = Stage::new();
    let (app, _, pool) = stage.deployed(config, 1);
    let old = stage.serving(pool);
    let version = stage.deploy(app, std::slice::from_ref(config));
    let new = stage.pool(app, config, version, 1);
    if new_serves {
        stage.serving(new);
    }
    stage.patch(app, AppChange::ActiveVersion(Some(version)));
    (stage, old)
}

#[test]
fn a_rollout_does_not_stop_the_last_that_serves() {
    let own_disk = ServiceConfig { disks: vec![disk_config("data")], ..auto() };
    for (config, new_serves, by, broken) in [
        (auto(), false, Controller::Pool, 1),
        (auto(), true, Controller::Pool, 0),
        (auto(), false, Controller::Operator, 0),
        (own_disk, false, Controller::Pool, 0),
    ] {
        let (mut stage, old) = rolled_out(&config, new_serves);
        stage.status_by(by, old, SandboxStatus::Stopped);
        assert_eq!(stage.broken(Invariant::RolloutKeepsServing).len(), broken, "{new_serves} {by:?}");
    }
}
