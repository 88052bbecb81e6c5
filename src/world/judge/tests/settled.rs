//! What settled means, part by part.

use super::*;
use crate::model::AnyStatus;
use crate::model::Point;
use crate::trace::What;
use crate::world::spec::{Effect, Filter, Trigger, When};

/// A stage whose one service has settled, and the instant when it did.
fn settled(service: &ServiceConfig) -> (Stage, AppId, PoolId, SandboxId) {
    settled_on(Stage::new(), service)
}

fn settled_on(mut stage: Stage, service: &ServiceConfig) -> (Stage, AppId, PoolId, SandboxId) {
    let (app, _, pool) = stage.deployed(service, 1);
    stage.pass(secs(1));
    let sandbox = stage.serving(pool);
    assert!(stage.is_settled(), "{:?}", stage.judge.blockers(&stage.world));
    (stage, app, pool, sandbox)
}

fn with_port() -> ServiceConfig {
    ServiceConfig { ports: vec![port()], ..service("db") }
}

#[track_caller]
fn assert_trouble(stage: &Stage, blockers: &[&str]) {
    assert_eq!(stage.judge.blockers(&stage.world), blockers);
    assert_eq!(stage.judge.rest.blockers().count(), blockers.len(), "and none that is over");
    assert_eq!(stage.is_settled(), blockers.is_empty());
}

#[test]
fn an_empty_cluster_is_settled_from_the_start() {
    let mut stage = Stage::new();
    stage.app("pds");
    stage.pass(secs(1));
    assert_eq!(stage.judge.settled_since(), Some(SimTime::ZERO));
}

#[test]
fn a_deploy_unsettles_and_the_record_says_when_and_why() {
    let mut stage = Stage::new();
    let (app, version, pool) = stage.deployed(&service("db"), 1);
    stage.pass(secs(7));
    let sandbox = stage.serving(pool);
    assert_eq!(stage.judge.settled_since(), Some(SimTime::ZERO + secs(7)));
    let told: Vec<_> = stage.world.log().with_trace(|trace| {
        let those = trace.records().iter().filter(|r| matches!(r.what, What::Settled | What::Unsettled));
        those.map(|r| (r.what, r.at, trace.get(r.cause).unwrap().subject)).collect()
    });
    let expected =
        [(What::Unsettled, SimTime::ZERO, app.into()), (What::Settled, SimTime::ZERO + secs(7), sandbox.into())];
    assert_eq!(told, expected);
    assert_eq!(version.index(), 0);
}

#[test]
fn every_service_of_the_active_version_needs_a_pool_that_the_version_references() {
    let (mut stage, app, pool, _) = settled(&service("db"));
    let version = stage.deploy(app, &[service("db"), service("web")]);
    assert_trouble(&stage, &["app/pds has no pool for `db`"]);
    pool_change(&mut stage, pool, PoolChange::ReferencedByVersions(vec![version]));
    assert_trouble(&stage, &["app/pds has no pool for `web`"]);
    let web = stage.pool(app, &service("web"), version, 1);
    assert_trouble(&stage, &["pool/pds-web has 0 able to serve and 0 RUNNING of 1"]);
    stage.serving(web);
    assert_trouble(&stage, &[]);
    stage.delete(web);
    assert_trouble(&stage, &["app/pds has no pool for `web`"]);
}

#[test]
fn a_fixed_service_has_the_configured_number_whatever_its_pool_desires() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&with_instances(2), 1);
    stage.serving(pool);
    assert_trouble(&stage, &["pool/pds-db has 1 able to serve and 1 RUNNING of 2"]);
    stage.serving(pool);
    assert_trouble(&stage, &[]);
    stage.serving(pool);
    assert_trouble(&stage, &["pool/pds-db has 3 able to serve and 3 RUNNING of 2"]);
}

#[test]
fn an_auto_service_has_at_least_what_its_pool_desires() {
    let mut stage = Stage::new();
    let auto = ServiceConfig { concurrency: concurrency_auto(), ..service("db") };
    let (_, _, pool) = stage.deployed(&auto, 0);
    assert_trouble(&stage, &[]);
    stage.serving(pool);
    assert_trouble(&stage, &[]);
    pool_change(&mut stage, pool, PoolChange::DesiredInstances(2));
    assert_trouble(&stage, &["pool/pds-db has 1 able to serve and 1 RUNNING of 2"]);
}

#[test]
fn sandboxes_of_a_pool_that_nobody_references_may_run_but_not_pend() {
    let (mut stage, app, pool, _) = settled(&service("db"));
    let version = stage.deploy(app, &[]);
    assert_trouble(&stage, &[]);
    let late = stage.sandbox(pool, SandboxStatus::Pending);
    assert_trouble(&stage, &["sandbox/pds-db-1 is PENDING"]);
    stage.status(late, SandboxStatus::Stopped);
    assert_trouble(&stage, &["sandbox/pds-db-1 is STOPPED"]);
    stage.status(late, SandboxStatus::Dead);
    assert_trouble(&stage, &[]);
    stage.delete(version);
    assert_trouble(&stage, &["the active version of app/pds is gone"]);
}

#[test]
fn what_the_store_calls_running_must_truly_serve() {
    let text = ["pool/pds-db has 0 able to serve and 1 RUNNING of 1"];
    let ends: [fn(&mut Stage, SandboxId); 4] = [
        |stage, sandbox| assert!(stage.world.kill_program(sandbox, 1)),
        |stage, sandbox| stage.destroy(sandbox),
        |stage, _| stage.world.set_power(NodeId::from_index(0), false),
        |stage, _| stage.world.0.containers.borrow_mut().lose_all(NodeId::from_index(0)),
    ];
    for end in ends {
        let (mut stage, _, _, sandbox) = settled(&service("db"));
        end(&mut stage, sandbox);
        stage.pass(SimDuration::ZERO);
        assert_trouble(&stage, &text);
    }
}

#[test]
fn a_restart_of_a_nodes_process_does_not_unsettle_what_runs_on() {
    let (mut stage, _, _, _) = settled(&service("db"));
    stage.world.processes().crash(Process::Node(NodeId::from_index(0)));
    stage.pass(secs(1));
    assert_eq!(stage.judge.settled_since(), Some(SimTime::ZERO + secs(1)), "containers outlive it");
}

#[test]
fn a_service_with_a_port_serves_when_the_port_answers() {
    let mut stage = Stage::new();
    let slow = Delay::After(Spread::Constant(secs(3)));
    stage.world.change_workload(name("pds"), name("db"), |workload| workload.ready = vec![slow]);
    let (_, _, pool) = stage.deployed(&with_port(), 1);
    stage.serving(pool);
    assert_trouble(&stage, &["pool/pds-db has 0 able to serve and 1 RUNNING of 1"]);
    stage.pass(secs(3));
    assert_trouble(&stage, &[]);
}

fn cut(when: When) -> FaultSpec {
    let effect = Effect::Error(name("no route"));
    let filter = Filter { app: Some(name("pds")), ..Filter::default() };
    FaultSpec { name: name("cut"), on: vec![Point::ProbePort], filter, when, effect }
}

#[test]
fn a_sandbox_whose_network_is_cut_does_not_serve_although_nothing_was_recorded() {
    let at = |n| Some(SimTime::ZERO + secs(n));
    let window = When { from: at(10), until: at(20), ..When::default() };
    let stage = Stage::with_faults(vec![cut(window)]);
    let (mut stage, _, _, _) = settled_on(stage, &with_port());
    for (seconds, serves) in [(8, true), (1, false), (9, false), (1, true)] {
        stage.pass(secs(seconds));
        assert_eq!(stage.is_settled(), serves, "{}", stage.now());
    }
    assert_eq!(stage.judge.settled_since(), at(20));
}

#[test]
fn a_cut_that_a_write_triggers_is_seen_at_once_and_ends_by_itself() {
    let trigger = Trigger {
        status: AnyStatus::Sandbox(SandboxStatus::Running),
        filter: Filter::default(),
        nth: 2,
        lasts: Some(secs(30)),
    };
    let stage = Stage::with_faults(vec![cut(When { after: Some(trigger), ..When::default() })]);
    let (mut stage, _, _, sandbox) = settled_on(stage, &with_port());
    stage.pass(secs(9));
    stage.status(sandbox, SandboxStatus::Running);
    assert!(!stage.is_settled());
    stage.pass(secs(30) - MOMENT);
    assert!(!stage.is_settled());
    stage.pass(MOMENT);
    assert_eq!(stage.judge.settled_since(), Some(SimTime::ZERO + secs(40)));
}

#[test]
fn a_cut_ends_with_its_last_strike() {
    let stage = Stage::with_faults(vec![cut(When { times: Some(2), ..When::default() })]);
    let mut stage = stage;
    let (_, _, pool) = stage.deployed(&with_port(), 1);
    let sandbox = stage.serving(pool);
    for settled in [false, true] {
        assert!(!stage.is_settled());
        let runtime = stage.runtime(sandbox);
        stage.call(async move { assert!(runtime.probe_port(sandbox, 5432).await.is_err()) });
        assert_eq!(stage.is_settled(), settled);
    }
}

#[test]
fn leases_are_at_rest_when_bound_to_a_running_sandbox_or_over() {
    let (mut stage, app, pool, sandbox) = settled(&service("db"));
    let disk = stage.disk("data", Some(app));
    let lease = stage.lease(disk, sandbox, Some(app));
    assert_trouble(&stage, &["lease/data-0 is PENDING"]);
    stage.lease_status(lease, LeaseStatus::Bound);
    assert_trouble(&stage, &[]);
    stage.status(sandbox, SandboxStatus::Dead);
    stage.serving(pool);
    assert_trouble(&stage, &["lease/data-0 is BOUND, and its sandbox is not RUNNING"]);
    stage.delete(sandbox);
    assert_trouble(&stage, &["lease/data-0 is BOUND, and its sandbox is not RUNNING"]);
    stage.lease_status(lease, LeaseStatus::Failed);
    assert_trouble(&stage, &[]);
}

#[test]
fn a_cooldown_ends_at_its_instant_and_can_be_moved() {
    let (mut stage, _, pool, _) = settled(&service("db"));
    let at = |n| SimTime::ZERO + secs(n);
    pool_change(&mut stage, pool, PoolChange::CooldownUntil(Some(at(20))));
    assert_trouble(&stage, &["pool/pds-db cools down"]);
    stage.pass(secs(9));
    pool_change(&mut stage, pool, PoolChange::CooldownUntil(Some(at(30))));
    stage.pass(secs(15));
    assert_trouble(&stage, &["pool/pds-db cools down"]);
    stage.pass(secs(15));
    assert_eq!(stage.judge.settled_since(), Some(at(30)));
    stage.delete(pool);
    assert_eq!(stage.judge.next_deadline().map(|at| at.since(stage.now())), Some(secs(1500)), "progress only");
}

#[test]
fn half_a_deletion_is_not_settled_and_a_whole_one_is() {
    let mut stage = Stage::new();
    let (app, version, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.serving(pool);
    stage.delete(version);
    assert_trouble(&stage, &["the active version of app/pds is gone"]);
    stage.delete(pool);
    stage.delete(app);
    assert_trouble(&stage, &["sandbox/pds-db-0 belongs to app/pds, which is deleted"]);
    stage.delete(sandbox);
    assert_trouble(&stage, &[]);
}

#[test]
fn a_pool_whose_app_is_gone_lacks_nothing_but_its_end() {
    let mut stage = Stage::new();
    let (app, version, _) = stage.deployed(&service("db"), 1);
    assert_trouble(&stage, &["pool/pds-db has 0 able to serve and 0 RUNNING of 1"]);
    stage.delete(app);
    let remains = ["version/pds-v1", "pool/pds-db"].map(|name| format!("{name} belongs to app/pds, which is deleted"));
    assert_trouble(&stage, &[&remains[0], &remains[1]]);
    stage.delete(version);
    assert_trouble(&stage, &[&remains[1]]);
}

#[test]
fn judges_write_nothing_but_their_findings_and_read_nothing_twice() {
    let (mut stage, _, _, _) = settled(&service("db"));
    let count = |stage: &Stage| stage.world.log().with_trace(|trace| trace.records().len());
    let before = count(&stage);
    for _ in 0..3 {
        stage.judge.observe(&stage.world);
    }
    stage.judge.finish(&stage.world, SimTime::ZERO + secs(10));
    assert_eq!(count(&stage), before);
    assert_eq!(stage.world.log().name(crate::model::Subject::CLUSTER), name("cluster"));
}

#[test]
fn the_end_of_a_run_meets_the_graces_that_end_before_it() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 0);
    stage.sandbox(pool, SandboxStatus::Running);
    stage.judge.finish(&stage.world, SimTime::ZERO + (secs(90) - MOMENT));
    stage.assert_nothing_broken();
    stage.judge.finish(&stage.world, SimTime::ZERO + secs(100));
    assert_eq!(stage.judge.violations()[0].at, SimTime::ZERO + secs(90));
}
