//! The invariant `progress`: what starts its clock anew, and what keeps it silent.

use super::*;
use crate::model::{Kind, Point};
use crate::trace::What;
use crate::world::spec::{Effect, Filter, When};

const TIME: SimDuration = SimDuration::from_secs(1500);

fn fault(when: When) -> FaultSpec {
    FaultSpec {
        name: name("fault"),
        on: vec![Point::AllocateAddress],
        filter: Filter::default(),
        when,
        effect: Effect::LoseReply,
    }
}

fn is_broken(stage: &Stage) -> bool {
    !stage.broken(Invariant::Progress).is_empty()
}

/// Lets `time` pass but for a moment, and then the moment: the first may not break it, the second must.
#[track_caller]
fn breaks_after(stage: &mut Stage, time: SimDuration) {
    stage.pass(time - MOMENT);
    assert!(!is_broken(stage), "too early");
    stage.pass(MOMENT);
    assert!(is_broken(stage), "too late");
}

#[test]
fn a_cluster_that_nothing_hinders_settles_within_the_backoff_and_the_grace() {
    let mut stage = Stage::new();
    stage.pass(TIME * 3);
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    stage.sandbox(pool, SandboxStatus::Stopped);
    breaks_after(&mut stage, TIME);
    let text = "cluster: unsettled with nothing in the way: limit 25:00; \
                pool/pds-db has 0 able to serve and 0 RUNNING of 1";
    stage.assert_broken(Invariant::Progress, &[text]);
}

#[test]
fn a_cluster_that_settles_in_between_has_its_time_anew() {
    let mut stage = Stage::new();
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    stage.pass(TIME - MOMENT);
    let sandbox = stage.serving(pool);
    assert!(stage.is_settled());
    stage.pass(TIME * 2);
    assert!(!is_broken(&stage));
    stage.status(sandbox, SandboxStatus::Dead);
    breaks_after(&mut stage, TIME);
}

#[test]
fn a_step_starts_the_clock_anew() {
    let mut stage = Stage::new();
    stage.deployed(&service("db"), 1);
    stage.pass(TIME - secs(1));
    let step = stage.world.log().name_next(Kind::Step, name("step/fix"));
    let began = stage.world.log().record(OPERATOR, step, What::StepBegan);
    breaks_after(&mut stage, TIME);
    let cause = stage.world.log().with_trace(|trace| trace.get(stage.judge.violations()[0].record).unwrap().cause);
    assert!(cause < began && cause.index().is_some(), "the cause is what is not at rest, not the step");
}

#[test]
fn the_edges_of_a_fault_start_the_clock_anew_and_between_them_it_is_silent() {
    let window = |from, until| When { from: Some(from), until: Some(until), ..When::default() };
    let at = |d| SimTime::ZERO + d;
    let mut stage = Stage::with_faults(vec![fault(window(at(secs(100)), at(secs(5000))))]);
    stage.deployed(&service("db"), 1);
    stage.pass(secs(5000));
    assert!(!is_broken(&stage), "the fault was active");
    breaks_after(&mut stage, TIME);
}

#[test]
fn the_last_strike_of_a_fault_starts_the_clock_anew() {
    let mut stage = Stage::with_faults(vec![fault(When { times: Some(1), ..When::default() })]);
    let (_, _, pool) = stage.deployed(&service("db"), 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
    stage.pass(TIME * 2);
    assert!(!is_broken(&stage), "the fault may still strike");
    let runtime = stage.runtime(sandbox);
    stage.call(async move {
        assert!(runtime.allocate_address(sandbox, secs(0)).await.is_err());
    });
    breaks_after(&mut stage, TIME);
}

#[test]
fn a_workload_that_cannot_run_excuses_everything() {
    let soon = Spread::Constant(secs(5));
    type Change = fn(&mut WorkloadSpec, Spread);
    let cases: [(Change, bool); 5] = [
        (|w, d| w.exit_after = vec![Delay::Never, Delay::After(d)], false),
        (|w, d| w.exit_after = vec![Delay::After(d), Delay::Never], true),
        (|w, _| w.ready = vec![Delay::Never], false),
        (|w, d| w.ready = vec![Delay::Never, Delay::After(d)], true),
        (|_, _| {}, true),
    ];
    for (case, (change, broken)) in cases.into_iter().enumerate() {
        let mut stage = Stage::new();
        stage.world.change_workload(name("pds"), name("db"), |workload| change(workload, soon));
        stage.deployed(&ServiceConfig { ports: vec![port()], ..service("db") }, 1);
        stage.pass(TIME * 2);
        assert_eq!(is_broken(&stage), broken, "case {case}");
    }
}

#[test]
fn a_service_without_a_port_need_not_bind_one() {
    let mut stage = Stage::new();
    stage.world.change_workload(name("pds"), name("db"), |workload| workload.ready = vec![Delay::Never]);
    stage.deployed(&service("db"), 1);
    breaks_after(&mut stage, TIME);
}
