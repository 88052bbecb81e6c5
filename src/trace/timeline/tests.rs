//! What a timeline shows, and how it folds.

use super::*;
use crate::model::{Controller, EffectKind, Failure, Field, Name, Reason, Subject, Value};
use crate::trace::What;
use crate::trace::testing::{Maker, d, t};

#[track_caller]
fn same(found: &str, expected: &str) {
    assert_eq!(found, expected.trim_start_matches('\n'), "found:\n{found}");
}

fn folded(trace: &Trace) -> Vec<Item> {
    let (spots, families) = spots::spots_and_families(trace, &Options::default());
    fold(trace, &spots, &families)
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
    for width in [60, 80, 100, 120, 160] {
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
    let struck = What::Struck { fault: 0, point: crate::model::Point::Mount, effect: EffectKind::Delay };
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
    let items = folded(&trace);
    let lives = items.iter().filter(|item| matches!(item, Item::Block(block) if block.body.len() > 1)).count();
    assert_eq!(lives, 0);
}

/// The blocks of a story in which something is said of sandboxes at these times, in milliseconds.
fn blocks(said: &[(u32, u64)]) -> Vec<(u64, SimDuration, SimDuration)> {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let mut sandboxes = std::collections::BTreeMap::new();
    for (number, at) in said {
        let sandbox = *sandboxes.entry(*number).or_insert_with(|| {
            let name = format!("sandbox/pds-database-{number}");
            m.named(crate::model::Kind::Sandbox, &name)
        });
        m.at(&format!("{at}ms")).by(Controller::Sandbox);
        m.what(sandbox, What::Set { field: Field::Pool, from: Value::None, to: Value::Ref(pool) });
        m.decide(sandbox, Reason::BootFailed { error: Failure::NotFound, after: d("14ms") });
    }
    let items = folded(&m.trace);
    let blocks = items.iter().filter_map(|item| match item {
        Item::Block(block) => Some((block.times.0, block.period.0, block.period.1)),
        Item::Line(_) => None,
    });
    blocks.collect()
}

#[test]
fn what_comes_again_without_a_period_is_not_folded() {
    let at = |millis: &[u64]| millis.iter().map(|at| (0, *at)).collect::<Vec<_>>();
    let secs = SimDuration::from_secs;
    for (times, expected) in [
        // Every minute, give or take a few seconds.
        (&[0, 60_000, 121_000, 179_000][..], &[(4, secs(58), secs(61))][..]),
        (&[0, 10_000, 20_000, 35_000], &[(4, secs(10), secs(15))]),
        // Now and then; a series that doubles.
        (&[0, 48_000, 979_000, 1_100_000], &[]),
        (&[0, 10_000, 30_000, 70_000, 150_000], &[]),
        // Doubling up to a cap: from there on it has a period.
        (&[0, 10_000, 30_000, 70_000, 110_000, 150_000], &[(4, secs(40), secs(40))]),
    ] {
        assert_eq!(blocks(&at(times)), expected, "{times:?}");
    }
}

#[test]
fn lines_about_different_things_are_told_one_by_one_unless_they_are_very_many() {
    let several = |n: u32, apart: u64| (0..n).map(|n| (n, u64::from(n) * apart)).collect::<Vec<_>>();
    assert_eq!(blocks(&several(3, 2)), []);
    assert_eq!(blocks(&several(9, 60_000)), []);
    assert_eq!(blocks(&several(33, 60_000)).len(), 1);
    // Those about one thing fold, though others follow.
    let mut mixed = vec![(7, 0), (7, 60_000), (7, 120_000)];
    mixed.extend([(8, 180_000), (9, 240_000)]);
    assert_eq!(blocks(&mixed), [(3, SimDuration::from_mins(1), SimDuration::from_mins(1))]);
}

/// So many steps, a second apart, each with a title and followed by what comes of it.
fn steps(titles: impl Iterator<Item = String>) -> (Trace, Options) {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let step_titles: Vec<String> = titles.collect();
    for n in 0..step_titles.len() {
        let step = m.named(crate::model::Kind::Step, &format!("step/{n}"));
        m.at(&format!("{n}s")).by(Controller::Operator).what(step, What::StepBegan);
        m.by(Controller::Pool).decide(pool, Reason::TooMany { actual: n as u32, desired: 1 });
    }
    (m.trace, Options { lines_max: Some(60), step_titles, ..Options::default() })
}

#[test]
fn of_very_many_steps_alike_one_stands_for_all() {
    let (trace, options) = steps((0..200).map(|n| format!("deploy a{n}")));
    let text = render(&trace, &Options { fold: true, ..options });
    same(
        text.lines().filter(|line| line.contains("step")).collect::<Vec<_>>().join("\n").as_str(),
        "   0:00.000 |   operator    step/0                     begins               deploy a0",
    );
    assert!(text.contains("   3:19.000 \\   this line: x200, every 0:01\n"), "{text}");
}

#[test]
fn a_bounded_timeline_is_bounded_however_much_is_news() {
    let name = |n: u8| String::from_utf8(vec![b'a' + n / 20, b'a' + n % 20]).expect("letters");
    let (trace, options) = steps((0..200).map(|n| format!("deploy {}", name(n))));
    let text = render(&trace, &options);
    assert!(text.lines().count() <= 62, "{text}");
    let whole = render(&trace, &Options { lines_max: None, ..options });
    let told = whole.lines().count();
    let left_out = text.lines().filter_map(|line| line.split(": ").nth(1)?.split_once(" lines are left out"));
    let left_out: usize = left_out.map(|(count, _)| count.parse::<usize>().expect("a number")).sum();
    assert_eq!(left_out + text.lines().filter(|line| !line.contains("left out")).count(), told);
}
