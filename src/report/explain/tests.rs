//! What chains must be like, on traces made by hand and on every reason there is.

use super::*;
use crate::controllers::fixes::{Fix, Fixes};
use crate::kernel::RecordId;
use crate::model::{
    Actor, Controller, DiskId, EffectKind, Failure, Field, Invariant, Kind, LeaseId, LeaseStatus, Name, Point, Value,
};
use crate::trace::Record;
use crate::trace::testing::{Maker, d, t, word};

fn setting() -> Setting {
    Setting::plain(Fixes::as_of("2026-03-11".parse().expect("a day")))
}

/// Forever pending, made by hand as a run makes it: `lives` sandboxes one after another, each
/// with six failed boots, and what became of the last.
fn forever(lives: u64) -> (Trace, RecordId) {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let mut end = RecordId::NONE;
    let error = Failure::NoDisk(Name::new("pds-data"));
    for life in 0..lives {
        let at = |after: &str| (t("1s") + d("6m") * life + d(after)).elapsed().to_string();
        m.at(&at("0s")).by(Controller::Pool);
        let birth = m.trace.records().len() + 1;
        let sandbox = m.sandbox(pool, life as u32);
        for boot in 0..6_u64 {
            m.at(&at(&format!("{}s", 60 * boot))).by(Controller::Sandbox);
            let began = m.push(sandbox, RecordId::from_index(birth), What::Decided(Reason::BootStarted));
            m.saw(began, &[(sandbox, None)], 0);
            m.at(&at(&format!("{}s14ms", 60 * boot)));
            let failed = Reason::BootFailed { error, after: d("14ms") };
            let failed = m.push(sandbox, began, What::Decided(failed));
            m.saw(failed, &[], 1 << Fix::DeadOnBootFailure as u32);
        }
        m.at(&at("5m10s")).by(Controller::Monitor);
        let stale = Reason::StalePending { age: d("5m10s"), limit: d("5m") };
        let why = m.push(sandbox, RecordId::from_index(birth), What::Decided(stale));
        m.saw(why, &[(Subject::CLUSTER, Some(Kind::Sandbox))], 1 << Fix::StalePendingMonitor as u32);
        end = m.status(sandbox, why, "pending", "stopped");
    }
    (m.trace, end)
}

#[test]
fn a_chain_leads_from_its_end_to_its_root_through_what_became_true_last() {
    let (trace, _) = forever(2);
    let births = |r: Record| r.subject.kind == Kind::Sandbox && matches!(r.what, What::Created { .. });
    let second = trace.records().iter().rposition(births).expect("a second sandbox");
    let chain = Explainer::new(&trace, &setting()).chain(RecordId::from_index(second), Limits::ALL).expect("a record");
    let told: Vec<String> =
        chain.links.iter().map(|link| format!("{} {}", link.what, link.rule).trim().to_owned()).collect();
    let no_disk = "boot fails after 0:00.014: disk \"pds-data\" does not exist and no size specified for auto-creation";
    let wanted = [
        "created PENDING actual 0 < desired 1",
        "PENDING -> STOPPED stale PENDING at age 5:10: limit 5:00",
        no_disk,
        "boot begins",
    ];
    assert_eq!(told[..4], wanted, "the tries are folded: {told:#?}");
    let [fold] = chain.folds.as_slice() else { panic!("{:?}", chain.folds) };
    assert_eq!((fold.first, fold.last, fold.times), (2, 3, (6, 6)));
    let root = chain.links.last().expect("a root");
    assert_eq!(&*trace.name(root.subject), "pool/pds-database", "it says how many were wanted, too");
    assert!(chain.links.iter().all(|link| link.branches.is_empty()), "nothing is told twice");
}

#[test]
fn lives_that_repeat_are_told_once_with_their_count() {
    let (trace, last) = forever(40);
    let chain = Explainer::new(&trace, &setting()).chain(last, Limits::ALL).expect("a record");
    assert!(chain.length > 500, "{}", chain.length);
    assert!(chain.links.len() <= 8, "{} links are shown", chain.links.len());
    let outer = chain.folds.iter().max_by_key(|fold| fold.last - fold.first).expect("a fold");
    assert!(outer.times.0 >= 38, "{outer:?}");
    assert_eq!(outer.every, (d("6m"), d("6m")), "a life every six minutes");
    assert_eq!(chain.links.first().map(|link| link.record), Some(last));
}

#[test]
fn every_cause_comes_before_what_it_caused() {
    let (trace, _) = forever(5);
    let setting = setting();
    let mut explainer = Explainer::new(&trace, &setting);
    for at in 0..trace.records().len() {
        let chain = explainer.chain(RecordId::from_index(at), Limits::ALL).expect("a record");
        let records: Vec<u32> = chain.links.iter().map(|link| link.record.number()).collect();
        assert!(records.windows(2).all(|pair| pair[0] > pair[1]), "{at}: {records:?}");
        for link in &chain.links {
            for (_, branch) in &link.branches {
                let first = branch.links.first().expect("a branch has a link");
                assert!(first.record < link.record && !records.contains(&first.record.number()), "{at}");
            }
        }
    }
}

#[test]
fn the_lease_that_was_held_is_a_branch_or_leads() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(2);
    let (one, other) = (m.sandbox(pool, 0), m.sandbox(pool, 1));
    m.by(Controller::Sandbox);
    let disk = m.create(Kind::Disk, "disk/pds-data", RecordId::NONE, &[]);
    let lease = |m: &mut Maker, n: u32, sandbox| {
        let asked = m.decide(sandbox, Reason::LeaseAsked { disk: DiskId::from_index(disk.index) });
        let fields = [
            (Field::Disk, Value::Ref(disk)),
            (Field::Sandbox, Value::Ref(sandbox)),
            (Field::Status, word(LeaseStatus::Pending)),
        ];
        m.create(Kind::Lease, &format!("lease/pds-data-{n}"), asked, &fields)
    };
    let (held, refused) = (lease(&mut m, 0, one), lease(&mut m, 1, other));
    m.at("5s").by(Controller::Lease);
    let bound = m.decide(held, Reason::LeaseBound);
    let bound = m.status(held, bound, "pending", "bound");
    m.at("6s");
    let why = m.decide(refused, Reason::AlreadyLeased { by: LeaseId::from_index(held.index) });
    let failed = m.status(refused, why, "pending", "failed");
    let chain = Explainer::new(&m.trace, &setting()).chain(failed, Limits::ALL).expect("a record");
    assert_eq!(chain.links[0].rule, "already leased by another: lease/pds-data-0");
    assert_eq!(chain.links[0].values, [("by".to_owned(), "lease/pds-data-0".to_owned())]);
    assert_eq!(chain.links[0].role, Role::Holder);
    assert_eq!(chain.links[1].record, bound, "who held it leads on");
}

#[test]
fn a_fault_that_struck_is_named() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.by(Controller::Sandbox);
    let began = m.decide(sandbox, Reason::BootStarted);
    let struck = m.push(sandbox, began, What::Struck { fault: 2, point: Point::Start, effect: EffectKind::Error });
    let error = Failure::NotFound;
    let failed = m.push(sandbox, struck, What::Decided(Reason::BootFailed { error, after: d("1s") }));
    let chain = Explainer::new(&m.trace, &setting()).chain(failed, Limits::ALL).expect("a record");
    assert_eq!(chain.links[1].decided_by, [Decider::Fault(2)]);
    assert!(chain.deciders().contains(&Decider::Fault(2)));
}

/// A chain of links of which no two neighbours are alike, so that nothing folds, and its end.
fn unlike() -> (Trace, RecordId) {
    let mut m = Maker::new();
    let subject = m.named(Kind::App, "app/x");
    let mut cause = RecordId::NONE;
    let reasons = [Reason::CleanUp, Reason::BootStarted, Reason::DrainFirst, Reason::VolumeReady];
    for n in 0..400_u64 {
        let reason = reasons[((n * n + n / 7) % 3 + 1) as usize];
        m.by(Controller::ALL[((n * 7 + n * n / 5) % 15) as usize]);
        cause = m.push(subject, cause, What::Decided(reason));
    }
    (m.trace, cause)
}

#[test]
fn what_is_too_long_for_a_screen_keeps_its_end_and_its_root() {
    let (trace, end) = unlike();
    let all = Explainer::new(&trace, &setting()).chain(end, Limits::ALL).expect("a record");
    let cut =
        Explainer::new(&trace, &setting()).chain(end, Limits { links: 9, branch: 2, branches: 2 }).expect("a record");
    assert!(all.links.len() > 50, "{} is too few for this test", all.links.len());
    assert_eq!(cut.links.len(), 9);
    assert_eq!(cut.left_out, Some((5, all.links.len() - 9)));
    assert_eq!((cut.links.first(), cut.links.last()), (all.links.first(), all.links.last()));
    assert!(cut.folds.iter().all(|fold| fold.last < 9 && fold.first <= fold.last));
}

#[test]
fn a_chain_shrinks_to_its_bones_and_what_is_marked_goes_last() {
    let (trace, end) = unlike();
    let setting = setting();
    let whole = Explainer::new(&trace, &setting).chain(end, Limits::ALL).expect("a record");
    let mut chain = whole.clone();
    chain.folds.clear();
    chain.links[2].decided_by = vec![Decider::Fault(0)];
    chain.links[10].branches = vec![(Role::Found, Chain { links: whole.links[..5].to_vec(), ..Chain::default() })];
    let marked = chain.links[2].record;
    let lines = |chain: &Chain| story(&Page { trace: &trace, setting: &setting }, chain).lines().count();
    let mut before = lines(&chain);
    while chain.shrink() {
        assert!(lines(&chain) <= before, "no step makes it longer");
        before = lines(&chain);
    }
    assert_eq!((chain.links.first(), chain.links.last()), (whole.links.first(), whole.links.last()));
    assert!(chain.links.iter().any(|link| link.record == marked), "{:#?}", chain.links);
    let (after, gap) = chain.left_out.expect("a gap");
    assert_eq!((gap + chain.links.len(), chain.branches_left_out), (whole.links.len(), 1));
    assert!(chain.links.len() < 10 && after + 1 < chain.links.len());
}

#[test]
fn no_record_has_no_chain() {
    let (trace, _) = forever(1);
    let setting = setting();
    for record in [RecordId::NONE, RecordId::from_index(trace.records().len()), RecordId::from_number(u32::MAX)] {
        assert_eq!(Explainer::new(&trace, &setting).chain(record, Limits::default()), None);
    }
    let empty = Trace::default();
    assert_eq!(Explainer::new(&empty, &setting).chain(RecordId::from_index(0), Limits::default()), None);
    let explainer = Explainer::new(&empty, &setting);
    for choice in [Choice::Worst, Choice::Event(1), Choice::Moment(None, None)] {
        assert_eq!(choose(&explainer, choice), Err(Unknown::NoRecords));
    }
}

#[test]
fn what_cannot_be_found_says_what_there_is() {
    let (mut trace, last) = forever(2);
    let subject = trace.get(last).expect("a record").subject;
    let what = What::Broken { invariant: Invariant::NoLeakedAddress, detail: Name::new("x") };
    trace.push(Record { at: t("20m"), subject, cause: last, actor: Actor::central(Controller::World), what });
    let setting = setting();
    let explainer = Explainer::new(&trace, &setting);
    let records = trace.records().len();
    for (choice, part) in [
        (Choice::Event(0), format!("the records 1 to {records}")),
        (Choice::Event(u64::MAX), format!("the records 1 to {records}")),
        (Choice::Violation("no-leaked-adress", None), "did you mean `no-leaked-address`?".to_owned()),
        (Choice::Violation("zzz", None), "there are one-bound-lease-per-disk".to_owned()),
        (Choice::Violation("dead-is-final", None), "broken are no-leaked-address".to_owned()),
        (
            Choice::Violation("no-leaked-address", Some("sandbox/pds-database-0")),
            "not broken in this run for".to_owned(),
        ),
        (Choice::Moment(None, Some("sandbox/pds-databse-1")), "did you mean `sandbox/pds-database-1`".to_owned()),
        (Choice::Moment(None, Some("zzz")), "written like".to_owned()),
        (Choice::Moment(Some(t("1m")), Some("sandbox/pds-database-1")), "the first thing does at 6:01".to_owned()),
    ] {
        let text = choose(&explainer, choice).expect_err("nothing to find").to_string();
        assert!(text.contains(&part), "{choice:?}: {text}");
    }
    let near = choose(&explainer, Choice::Moment(None, Some("pds-database-1"))).expect("the kind is clear");
    assert!(near.0.index().is_some());
}

#[test]
fn the_worst_is_the_gravest_violation_else_the_last_failed_boot_else_the_verdict() {
    let setting = setting();
    let mut m = Maker::new();
    let what = |m: &Maker| choose(&Explainer::new(&m.trace, &setting), Choice::Worst).map(|(record, _)| record);
    let (_, pool) = m.pool(1);
    assert_eq!(what(&m), Err(Unknown::Nothing));
    let cluster = Subject::CLUSTER;
    let unsettled = m.what(cluster, What::Unsettled);
    assert_eq!(what(&m), Ok(unsettled));
    let sandbox = m.sandbox(pool, 0);
    let error = Failure::NotFound;
    m.decide(sandbox, Reason::BootFailed { error, after: d("1s") });
    let failed = m.decide(sandbox, Reason::BootFailed { error, after: d("2s") });
    assert_eq!(what(&m), Ok(failed));
    let first = m.what(pool, What::Broken { invariant: Invariant::NoOvershoot, detail: Name::new("no") });
    m.what(pool, What::Broken { invariant: Invariant::FailuresBackOff, detail: Name::new("no") });
    assert_eq!(what(&m), Ok(first), "of alike grave ones the first");
    let graver = m.what(pool, What::Broken { invariant: Invariant::Progress, detail: Name::new("no") });
    assert_eq!(what(&m), Ok(graver));
}

#[test]
fn an_upgrade_changes_what_is_in_force() {
    let mut setting = Setting::plain(Fixes::NONE);
    setting.change_at(t("5m"), Fixes::NONE.with(Fix::DiskOwnership));
    assert!(!setting.fixes_at(t("4m59s")).has(Fix::DiskOwnership));
    assert!(setting.fixes_at(t("5m")).has(Fix::DiskOwnership));
}

#[test]
fn the_story_says_who_when_and_what_could_be_otherwise() {
    let (trace, end) = forever(3);
    let setting = setting();
    let mut explainer = Explainer::new(&trace, &setting);
    let chain = explainer.chain(end, Limits::default()).expect("a record");
    let page = Page { trace: &trace, setting: &setting };
    let text = story(&page, &chain) + &legend(&page, &chain);
    for part in [
        "boot fails after 0:00.014",
        "[-dead-on-boot-failure]",
        "stale PENDING at age",
        "[+stale-pending-monitor]",
        "\\   these ",
        "asked for on the way, and not tried",
        "decides nothing): +stale-pending-monitor",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(text.lines().count() < 45, "a screen:\n{text}");
    assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
    let object = json(&trace, &setting, &chain);
    assert_eq!(object["links"][0]["by"], "monitor");
    assert_eq!(object["links"].as_array().map(Vec::len), Some(chain.links.len()));
}
