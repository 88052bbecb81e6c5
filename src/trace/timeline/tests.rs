//! What a timeline shows, and how it folds.

use super::*;
use crate::model::{Controller, Field, Name, Reason, Subject, Value};
use crate::trace::What;
use crate::trace::testing::{Maker, d, t};

#[track_caller]
fn same(found: &str, expected: &str) {
    assert_eq!(found, expected.trim_start_matches('\n'), "found:\n{found}");
}

fn stuck(lives: u32) -> Trace {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let mut start = t("1s");
    for n in 0..lives {
        // Six or seven boots, in no simple pattern: lives of two lengths must fold all the same.
        let boots = if n % 3 == 1 { 7 } else { 6 };
        m.stuck_life(pool, n, start, boots);
        start += d("1m") * boots + d("15s");
    }
    m.trace
}

#[test]
fn a_decision_and_its_write_are_one_line() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.at("5m2s").by(Controller::Monitor);
    let why = m.decide(sandbox, Reason::StalePending { age: d("5m2s"), limit: d("5m") });
    m.status(sandbox, why, "pending", "stopped");
    let text = render(&m.trace, &Options::default());
    same(
        &text,
        r#"
   0:00.000     world       app/pds                    created
   0:00.000     world       version/pds-v1             created
   0:00.000     launcher    pool/pds-database          created              no pool matches the active version's spec
   0:00.000     pool        sandbox/pds-database-0     created PENDING      actual 0 < desired 1
   5:02.000     monitor     sandbox/pds-database-0     PENDING -> STOPPED   stale PENDING at age 5:02: limit 5:00
"#,
    );
}

#[test]
fn a_story_that_repeats_for_ever_fits_a_screen() {
    let trace = stuck(33);
    let folded = render(&trace, &Options::default());
    same(
        &folded,
        r#"
   0:00.000     world       app/pds                    created
   0:00.000     world       version/pds-v1             created
   0:00.000     launcher    pool/pds-database          created              no pool matches the active version's spec
   0:01.000 |   pool        sandbox/pds-database-0     created PENDING      actual 0 < desired 1
   0:01.014 ||  sandbox     sandbox/pds-database-0     boot fails after 0:00.014: disk "pds-data" does not exist and no
                  size specified for auto-creation
   5:01.014 |\  this line: x6..7, every 1:00
   5:11.000 |   monitor     sandbox/pds-database-0     PENDING -> STOPPED   stale PENDING at age 5:10: limit 5:00
   5:12.000 |   sandbox     sandbox/pds-database-0     STOPPED -> DEAD      clean-up done
3:36:14.000 \   these 4 lines: x33, every 6:15..7:15
"#,
    );
    let whole = render(&trace, &Options { fold: false, ..Options::default() });
    assert!(whole.lines().count() > 200);
    assert!(folded.is_ascii());
}

#[test]
fn no_line_is_wider_than_asked() {
    let trace = stuck(4);
    for width in [80, 100, 120, 160] {
        let text = render(&trace, &Options { width, ..Options::default() });
        for line in text.lines() {
            assert!(line.len() <= width, "{width}: {line}");
            assert_eq!(line.trim_end(), line);
        }
    }
    same(
        &render(&trace, &Options { width: 80, ..Options::default() }),
        r#"
   0:00.000     world       app/pds                    created
   0:00.000     world       version/pds-v1             created
   0:00.000     launcher    pool/pds-database          created
                  no pool matches the active version's spec
   0:01.000 |   pool        sandbox/pds-database-0     created PENDING
                  actual 0 < desired 1
   0:01.014 ||  sandbox     sandbox/pds-database-0     boot fails after
                  0:00.014: disk "pds-data" does not exist and no size specified
                  for auto-creation
   5:01.014 |\  this line: x6..7, every 1:00
   5:11.000 |   monitor     sandbox/pds-database-0     PENDING -> STOPPED
                  stale PENDING at age 5:10: limit 5:00
   5:12.000 |   sandbox     sandbox/pds-database-0     STOPPED -> DEAD
                  clean-up done
  24:57.000 \   these 4 lines: x4, every 6:15..7:15
"#,
    );
}

#[test]
fn routine_shows_only_when_asked_for() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    m.at("10s").by(Controller::Pool);
    let why = m.decide(pool, Reason::Reconcile { change: "updated" });
    m.patch(pool, why, &[(Field::ReadyInstances, Value::Int(0), Value::Int(1))]);
    let quiet = render(&m.trace, &Options::default());
    assert!(!quiet.contains("ready_instances") && !quiet.contains("reconcile"), "{quiet}");
    let verbose = render(&m.trace, &Options { verbose: true, ..Options::default() });
    assert!(verbose.contains("ready_instances 0 -> 1"), "{verbose}");
}

#[test]
fn a_decision_whose_write_is_routine_keeps_its_line() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let why = m.decide(pool, Reason::CappedAtMax { limit: 20 });
    m.patch(pool, why, &[(Field::ReadyInstances, Value::Int(0), Value::Int(1))]);
    assert!(render(&m.trace, &Options::default()).contains("desired capped at 20"));
}

#[test]
fn steps_and_faults_have_the_scenario_s_titles() {
    let mut m = Maker::new();
    let step = m.named(crate::model::Kind::Step, "step/typo");
    m.by(Controller::Operator).what(step, What::StepBegan);
    let struck = What::Struck { fault: 0, point: crate::model::Point::Mount, effect: &"delay" };
    m.what(Subject::CLUSTER, struck);
    m.what(step, What::StepEnded { refused: Some(Name::new("unknown field `size`")) });
    let options = Options {
        step_titles: vec!["deploy pds".into()],
        fault_titles: vec!["slow mount".into()],
        ..Options::default()
    };
    let text = render(&m.trace, &options);
    same(
        &text,
        r#"
   0:00.000     operator    step/typo                  begins               deploy pds
   0:00.000     operator    cluster                    fault: delay         slow mount, on disk.mount
   0:00.000     operator    step/typo                  REFUSED              unknown field `size`
"#,
    );
}

#[test]
fn colour_changes_nothing_but_colour() {
    let trace = stuck(5);
    let plain = render(&trace, &Options::default());
    let colour = render(&trace, &Options { palette: Palette::colour(), ..Options::default() });
    assert_ne!(plain, colour);
    assert_eq!(anstream::adapter::strip_str(&colour).to_string(), plain);
}

#[test]
fn two_of_a_kind_are_not_folded() {
    let trace = stuck(2);
    let entries = entries(&trace, &Options::default());
    let items = fold(&trace, &entries);
    let lives = items.iter().filter(|item| matches!(item, Item::Block(block) if block.body.len() > 1)).count();
    assert_eq!(lives, 0);
}
