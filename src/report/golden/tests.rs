//! Golden texts of stories made by hand.

use crate::kernel::RecordId;
use crate::model::{Controller, DiskStatus, Field, Kind, LeaseId, LeaseStatus, Name, Reason, Subject, Value};
use crate::report::testing::Story;
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
