//! Golden texts of stories made by hand.

use crate::kernel::RecordId;
use crate::model::{Controller, DiskStatus, Field, Kind, LeaseId, LeaseStatus, Name, Reason, Subject, Value};
use crate::report::testing::Story;
use crate::trace::What;
use crate::trace::testing::{Maker, d, t, word};

/// The lines of one section.
fn section(text: &str, title: &str) -> Vec<String> {
    let body = text.lines().skip_while(|line| *line != title).skip(1);
    body.take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The lives of a trace.
fn lives(m: Maker) -> Vec<String> {
    section(&Story::new(m, "1h").golden(), "lives")
}

#[test]
fn the_story_that_never_ends_is_told_in_one_screen() {
    let expected = r#"forever-pending @ before                                   seed 7 | ran 3:00:00
  A deploy says `size = 20` for `size_gb = 20`: the disk can never be made, the
  sandbox never boots, and nothing counts that as a failure.
  Logic: as of 2026-03-11.

steps
  0:00     typo     deploy pds

lives
  pool/pds-database
    created           by launcher: no pool matches the active version's spec; desired 1
    at the end        desired 1, never counted ready, crash count 0, never in cooldown
  sandbox/pds-database-0 .. -22 (23 alike, one after another)
    PENDING           by pool: actual 0 < desired 1
    boot fails x6..7  disk "pds-data" does not exist and no size specified for auto-creation
    STOPPED           by monitor: stale PENDING at age 5:10..6:11: limit 5:00
    DEAD              by sandbox: clean-up done; age >= 1:00, so no crash
    at the end        sandbox/pds-database-23 PENDING, alike so far

totals
  sandboxes created              24
  boots attempted               146
  boots failed                  146
  crashes counted                 0
  cooldowns                       0
  sandboxes peak                  1
  stale pending stopped          23
  unready                   3:00:00

outcome
  LIVELOCK          from 1:05:00, repeats every 55:00: no fault, step or draw lies ahead

checks
  ok      verdict                     livelock
  BROKEN  failures-back-off           pool/pds-database: 13 failed boots within 10:00, limit 8
                                      (expected here)
"#;
    let text = Story::forever_pending().golden();
    assert_eq!(text, expected, "found:\n{text}");
}

#[test]
fn a_shift_in_time_moves_no_line_of_the_lives() {
    let told = |shift: &str| {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        m.stuck_life(pool, 0, t("1s") + d(shift), 6);
        lives(m)
    };
    assert_eq!(told("0s"), told("17m3s"));
}

#[test]
fn lives_that_went_otherwise_are_told_apart() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    m.stuck_life(pool, 0, t("1s"), 6);
    let odd = m.at("10m").sandbox(pool, 1);
    m.at("10m30s").by(Controller::Sandbox);
    let why = m.decide(odd, Reason::ProcessExited { code: 1 });
    m.status(odd, why, "pending", "dead");
    m.stuck_life(pool, 2, t("20m"), 6);
    let lives = lives(m);
    let headings: Vec<&str> = lives.iter().filter(|l| l.starts_with("  sandbox")).map(|l| l.trim()).collect();
    assert_eq!(headings, ["sandbox/pds-database-0, -2 (2 alike, one after another)", "sandbox/pds-database-1"]);
    assert!(lives.iter().any(|line| line.contains("process exited with code 1; age < 1:00")), "{lives:#?}");
}

#[test]
fn what_is_alive_at_the_end_says_so() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(2);
    for n in 0..2 {
        let sandbox = m.sandbox(pool, n);
        m.by(Controller::Sandbox);
        let why = m.decide(sandbox, Reason::Booted { after: d("3s") });
        m.status(sandbox, why, "pending", "running");
    }
    assert_eq!(
        lives(m)[3..],
        [
            "  sandbox/pds-database-0 .. -1 (2 alike)",
            "    PENDING           by pool: actual 0 < desired 1",
            "    RUNNING           by sandbox: ready after 0:03",
            "    at the end        RUNNING",
        ]
    );
}

#[test]
fn a_boot_that_never_came_to_an_end_is_named() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.by(Controller::Sandbox).decide(sandbox, Reason::BootStarted);
    m.at("5m10s").by(Controller::Monitor);
    let why = m.decide(sandbox, Reason::StalePending { age: d("5m10s"), limit: d("5m") });
    m.status(sandbox, why, "pending", "stopped");
    let told = lives(m);
    assert!(told.iter().any(|line| line.trim() == "boot unfinished"), "{told:#?}");
}

#[test]
fn a_disk_tells_its_holders_in_order() {
    let mut m = Maker::new();
    let (app, pool) = m.pool(1);
    m.by(Controller::Sandbox);
    let sandboxes: Vec<Subject> = (0..3).map(|n| m.sandbox(pool, n)).collect();
    m.by(Controller::Sandbox);
    let why = m.decide(sandboxes[0], Reason::DiskMade { size_gb: 20 });
    let fields = [(Field::Status, word(DiskStatus::Provisioning)), (Field::CreatedBy, Value::Ref(app))];
    let disk = m.create(Kind::Disk, "disk/pds-data", why, &fields);
    for (n, sandbox) in sandboxes.iter().enumerate() {
        m.at(&format!("{n}m1s"));
        m.by(Controller::Sandbox);
        let fields = [
            (Field::Disk, Value::Ref(disk)),
            (Field::Sandbox, Value::Ref(*sandbox)),
            (Field::Status, word(LeaseStatus::Pending)),
        ];
        let lease = m.create(Kind::Lease, &format!("lease/pds-data-{n}"), RecordId::NONE, &fields);
        m.by(Controller::Lease);
        if n == 1 {
            let why = m.decide(lease, Reason::AlreadyLeased { by: LeaseId::from_index(0) });
            m.status(lease, why, "pending", "failed");
            continue;
        }
        let why = m.decide(lease, Reason::LeaseBound);
        m.status(lease, why, "pending", "bound");
        if n == 0 {
            m.at("1m").by(Controller::Sandbox);
            let why = m.decide(lease, Reason::LeaseGivenUp { sandbox: crate::model::SandboxId::from_index(0) });
            m.status(lease, why, "bound", "released");
        }
    }
    let told = lives(m);
    let disk = told.iter().position(|line| line == "  disk/pds-data").expect("the disk is told");
    assert_eq!(
        told[disk..],
        [
            "  disk/pds-data",
            "    PROVISIONING      by sandbox: no disk of that name: made with 20 GB; owner app/pds",
            "    held by           sandbox/pds-database-0, RELEASED by sandbox: its sandbox gives it up",
            "    refused to        sandbox/pds-database-1, FAILED by lease: already leased by another,",
            "                      sandbox/pds-database-0",
            "    held by           sandbox/pds-database-2, to the end",
            "    at the end        PROVISIONING",
            "  lease/pds-data-1",
            "    PENDING           by sandbox",
            "    FAILED            by lease: already leased by another",
        ]
    );
}

#[test]
fn a_pool_tells_its_crashes_and_cooldowns() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(3);
    let mut until = Value::None;
    for (n, wait) in [(1, "10s"), (2, "20s"), (3, "40s")] {
        m.at(&format!("{n}m")).by(Controller::Pool);
        let reason = Reason::CrashesCounted { found: 1, count: n, wait: d(wait), limit: d("60s") };
        let why = m.decide(pool, reason);
        let later = Value::Time(t(&format!("{n}m")) + d(wait));
        let count = |n: u32| Value::Int(u64::from(n));
        m.patch(
            pool,
            why,
            &[
                (Field::DesiredInstances, Value::Int(3), Value::Int(1)),
                (Field::ConsecutiveCrashCount, count(n - 1), count(n)),
                (Field::CooldownUntil, until, later),
            ],
        );
        until = later;
        m.by(Controller::Launcher);
        let why = m.decide(pool, Reason::InstancesConfigured { instances: 3 });
        m.patch(pool, why, &[(Field::DesiredInstances, Value::Int(1), Value::Int(3))]);
    }
    assert_eq!(
        lives(m),
        [
            "  pool/pds-database",
            "    created           by launcher: no pool matches the active version's spec; desired 3",
            "    desired 3 -> 1 x3 by pool: 1 died before age 1:00: crash count 1..3, cooldown 0:10..0:40",
            "    desired 1 -> 3 x3 by launcher: configured instances 3",
            "    crashes           3 counted, at most 3 in a row",
            "    cooldowns         10 s, 20 s, 40 s",
            "    at the end        desired 3, never counted ready, crash count 3",
        ]
    );
}

#[test]
fn refusals_warnings_and_failures_are_in_the_body() {
    let mut m = Maker::new();
    m.pool(1);
    let mut story = Story::new(m, "1h");
    story.outcome.rejected.push((0, Name::new("unknown field\n`size`")));
    story.outcome.warnings.push("fault `slow` never struck".to_owned());
    story.expect().violations = vec![crate::model::Invariant::Progress];
    let text = story.golden();
    assert_eq!(section(&text, "steps"), ["  0:00     typo     deploy pds: REFUSED, unknown field `size`"]);
    assert_eq!(section(&text, "warnings"), ["  fault `slow` never struck"]);
    let checks = section(&text, "checks");
    assert!(checks[0].starts_with("  FAILED  refused "), "{checks:#?}");
    assert!(checks[1].starts_with("  FAILED  progress "), "{checks:#?}");
}

#[test]
fn a_deploy_tells_what_its_loader_ignored() {
    let mut m = Maker::new();
    let step = m.named(Kind::Step, "step/typo");
    let began = m.what(step, What::StepBegan);
    let field = Name::new("services.database.disks[0].size");
    m.push(Subject::CLUSTER, began, What::Decided(Reason::FieldIgnored { field, line: 8 }));
    assert_eq!(
        section(&Story::new(m, "1h").golden(), "steps"),
        [
            "  0:00     typo     deploy pds, config line 8: unknown field `services.database.disks[0].size` is",
            "                    ignored",
        ]
    );
}

#[test]
fn a_node_alone_is_nothing_that_was_created() {
    let mut m = Maker::new();
    m.create(Kind::Node, "node/n1", RecordId::NONE, &[]);
    assert_eq!(lives(m), ["  none              nothing was created"]);
}

#[test]
fn no_line_is_wider_than_the_page() {
    let text = Story::forever_pending().golden();
    assert!(text.lines().all(|line| line.len() <= 100 && line == line.trim_end()), "{text}");
    assert!(text.is_ascii());
    assert!(text.lines().count() <= 60);
}

#[test]
fn a_fact_is_told_by_its_steps_and_checks() {
    let mut story = Story::forever_pending();
    story.scenario.golden = crate::scenario::Golden::Checks;
    let text = story.golden();
    let titles: Vec<&str> = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    assert_eq!(titles[1..], ["steps", "checks"], "{text}");
    assert!(text.contains("BROKEN  failures-back-off"));
}
