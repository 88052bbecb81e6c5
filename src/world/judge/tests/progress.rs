//! The invariant `progress`: what starts its clock anew, and what keeps it silent.

use super::*;
use crate::model::{Kind, Point};
use crate::trace::What;
use crate::world::spec::{Effect, Filter, When};

const TIME: SimDuration = SimDuration::from_secs(1500);

fn fault(when: When, effect: Effect) -> FaultSpec {
    FaultSpec { name: name("fault"), on: vec![Point::AllocateAddress], filter: Filter::default(), when, effect }
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
    let text = "app/pds: unsettled with nothing in the way: limit 25:00; \
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
fn the_edges_of_a_fault_start_the_clock_anew_and_an_open_one_that_strikes_nothing_excuses_nothing() {
    let window = |from, until| When { from: Some(from), until: Some(until), ..When::default() };
    let at = |d| SimTime::ZERO + d;
    let mut stage = Stage::with_faults(vec![fault(window(at(secs(100)), at(secs(1500))), Effect::LoseReply)]);
    stage.deployed(&service("db"), 1);
    stage.pass(secs(1500));
    breaks_after(&mut stage, TIME);
    let mut stage = Stage::with_faults(vec![fault(When::default(), Effect::LoseReply)]);
    stage.deployed(&service("db"), 1);
    breaks_after(&mut stage, TIME);
}

/// An app that is not at rest, another that is not either, and the program of the second asks for
/// an address just before the time of both is up.
fn struck_late(effect: Effect) -> Stage {
    let mut stage = Stage::with_faults(vec![fault(When { times: Some(1), ..When::default() }, effect)]);
    stage.deployed(&service("db"), 1);
    let other = stage.app("other");
    let version = stage.deploy(other, &[service("db")]);
    let pool = stage.pool(other, &service("db"), version, 1);
    let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
    stage.pass(TIME - secs(1));
    let runtime = stage.runtime(sandbox);
    stage.world.kernel().spawn(GroupId::WORLD, "test", async move {
        _ = runtime.allocate_address(sandbox, secs(0)).await;
    });
    stage
}

#[test]
fn a_strike_starts_the_clock_of_the_app_anew_that_it_is_about_and_of_no_other() {
    let mut stage = struck_late(Effect::LoseReply);
    stage.pass(TIME - MOMENT);
    let first = "app/pds: unsettled with nothing in the way: limit 25:00; \
                 pool/pds-db has 0 able to serve and 0 RUNNING of 1";
    stage.assert_broken(Invariant::Progress, &[first]);
    stage.pass(secs(1));
    assert_eq!(stage.broken(Invariant::Progress).len(), 2);
}

#[test]
fn a_call_that_hangs_is_no_excuse_and_a_delay_is_one_until_it_is_over() {
    let mut stage = struck_late(Effect::Hang);
    stage.pass(TIME + secs(1));
    let told = stage.broken(Invariant::Progress);
    assert!(told[1].starts_with("app/other: unsettled and a call that hangs is no excuse: limit 25:00"), "{told:?}");

    let mut stage = struck_late(Effect::Delay(Spread::Constant(TIME * 2)));
    stage.pass(TIME * 3 - MOMENT);
    assert_eq!(stage.broken(Invariant::Progress).len(), 1, "only the other");
    stage.pass(secs(1));
    assert_eq!(stage.broken(Invariant::Progress).len(), 2);
}

/// A broken node is no excuse while another works: its share of the boots fails and fails, and the app never has what it
/// is to have. Data bind an app to its node; and where each node has its fault, there is nowhere to go.
#[test]
fn a_fault_of_one_node_excuses_nothing_that_could_be_on_another() {
    let disk = disk_config("data");
    for (disks, nodes, broken) in
        [(vec![], &["n1"][..], true), (vec![], &["n1", "n2"], false), (vec![disk], &["n1"], false)]
    {
        let confined = |node: &&str| {
            let filter = Filter { node: Some(name(node)), ..Filter::default() };
            FaultSpec { filter, ..fault(When::default(), Effect::LoseReply) }
        };
        let mut stage = Stage::with_faults(nodes.iter().map(confined).collect());
        let (.., pool) = stage.deployed(&ServiceConfig { disks, ..service("db") }, 1);
        let sandbox = stage.sandbox(pool, SandboxStatus::Pending);
        stage.pass(TIME - secs(1));
        let runtime = stage.runtime(sandbox);
        stage.world.kernel().spawn(GroupId::WORLD, "test", async move {
            _ = runtime.allocate_address(sandbox, secs(0)).await;
        });
        stage.pass(secs(1));
        assert_eq!(stage.world.faults().struck()[0], 1, "{nodes:?}");
        assert_eq!(is_broken(&stage), broken, "{nodes:?}");
        stage.pass(TIME);
        assert!(is_broken(&stage), "it struck once only");
    }
}

#[test]
fn nobody_settles_without_a_node_that_takes_sandboxes() {
    let mut stage = Stage::new();
    stage.deployed(&service("db"), 1);
    for node in 0..2 {
        stage.world.set_power(NodeId::from_index(node), false);
    }
    stage.pass(TIME * 4);
    assert!(!is_broken(&stage));
    stage.world.set_power(NodeId::from_index(0), true);
    stage.pass(TIME);
    assert!(is_broken(&stage));
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

#[test]
fn what_an_operator_asked_for_and_is_not_over_unsettles_the_cluster_and_no_bad_program_excuses_it() {
    let mut stage = Stage::new();
    let step = stage.world.log().name_next(Kind::Step, name("step/deploy"));
    let record = |stage: &Stage, what| stage.world.log().record(OPERATOR, step, what);
    record(&stage, What::StepBegan);
    stage.pass(secs(60) - MOMENT);
    assert!(stage.is_settled(), "store calls take their time");
    stage.pass(MOMENT);
    assert!(!stage.is_settled());
    record(&stage, What::StepEnded { refused: None });
    stage.pass(MOMENT);
    assert!(stage.is_settled(), "late, and over");
    // Nor does it begin again: it is lost with the coordinator that was asked.
    record(&stage, What::StepBegan);
    stage.world.processes().start(Process::Coordinator);
    stage.world.processes().crash(Process::Coordinator);
    stage.pass(secs(120));
    assert!(stage.is_settled());
    record(&stage, What::StepBegan);
    let never = WorkloadSpec { exit_after: vec![Delay::After(Spread::Constant(secs(1)))], ..at_once() };
    stage.world.change_workload(name("pds"), name("db"), |workload| *workload = never);
    stage.deployed(&service("db"), 0);
    stage.pass(secs(60));
    breaks_after(&mut stage, TIME);
    assert!(stage.judge.violations()[0].detail.ends_with("step/deploy is not over"));
}
