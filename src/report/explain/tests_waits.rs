//! What ended a wait is told, on traces made by hand: one small story for each kind of wait.

use super::*;
use crate::controllers::fixes::Fixes;
use crate::model::Name;
use crate::model::{Controller, DiskId, DiskStatus, EffectKind, Failure, Field, Kind, LeaseStatus, Point, Value};
use crate::trace::testing::{Maker, d, t, word};

fn told(m: &Maker, end: RecordId) -> Chain {
    let setting = Setting::plain(Fixes::as_of("2026-04-02".parse().expect("a day")));
    Explainer::new(&m.trace, &setting).chain_and_deciders(end, Limits::ALL).expect("a record")
}

fn way(chain: &Chain) -> Vec<RecordId> {
    chain.links.iter().map(|link| link.record).collect()
}

/// Whether a record is on the way or the first link of a branch of it.
fn has(chain: &Chain, record: RecordId) -> bool {
    let branches = chain.links.iter().flat_map(|link| &link.branches);
    way(chain).contains(&record)
        || branches.into_iter().any(|(_, branch)| branch.end().map(|l| l.record) == Some(record))
}

/// A boot that asks for a disk which is being made; `slow` strikes the making.
struct Disked {
    m: Maker,
    sandbox: Subject,
    disk: Subject,
    lease: Subject,
    asked: RecordId,
    struck: RecordId,
}

fn asks_for_a_disk() -> Disked {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.at("1s").by(Controller::Sandbox);
    let boot = m.decide(sandbox, Reason::BootStarted);
    let made = m.push(sandbox, boot, What::Decided(Reason::DiskMade { size_gb: 20 }));
    let disk = m.create(Kind::Disk, "disk/pds-data", made, &[(Field::Status, word(DiskStatus::Provisioning))]);
    let asks = Reason::LeaseAsked { disk: DiskId::from_index(disk.index) };
    let asked = m.push(sandbox, made, What::Decided(asks));
    let fields = [
        (Field::Disk, Value::Ref(disk)),
        (Field::Sandbox, Value::Ref(sandbox)),
        (Field::Status, word(LeaseStatus::Pending)),
    ];
    let lease = m.create(Kind::Lease, "lease/pds-data-0", asked, &fields);
    m.by(Controller::World);
    let struck = m.push(disk, made, What::Struck { fault: 3, point: Point::CreateVolume, effect: EffectKind::Delay });
    Disked { m, sandbox, disk, lease, asked, struck }
}

#[test]
fn a_boot_that_waited_for_a_lease_goes_back_to_the_disk_and_the_fault_that_delayed_it() {
    let Disked { mut m, sandbox, disk, lease, asked, struck } = asks_for_a_disk();
    m.at("70s").by(Controller::Disk);
    let ready = m.push(disk, struck, What::Decided(Reason::VolumeReady));
    let provisioned = m.status(disk, ready, "provisioning", "provisioned");
    // Found at a resync: its cause is the lease's own creation, as it is of every other look.
    m.at("75s").by(Controller::Lease);
    let why = m.decide(lease, Reason::LeaseBound);
    let bound = m.status(lease, why, "pending", "bound");
    m.at("76s").by(Controller::Sandbox);
    let booted = m.push(sandbox, asked, What::Decided(Reason::Booted { after: d("75s") }));
    let running = m.status(sandbox, booted, "pending", "running");
    let chain = told(&m, running);
    assert_eq!(way(&chain)[..4], [running, bound, provisioned, struck]);
    assert_eq!(chain.links[0].role, Role::Awaited);
    assert!(chain.deciders().contains(&Decider::Fault(3)));
    // What happens next in the same boot waited as well.
    let started = m.push(sandbox, asked, What::TaskStarted);
    assert_eq!(way(&told(&m, started))[1], bound);
}

#[test]
fn a_lease_that_was_there_before_the_boot_asked_was_not_waited_for() {
    let Disked { mut m, sandbox, lease, .. } = asks_for_a_disk();
    m.at("2s").by(Controller::Lease);
    let bound = m.status(lease, RecordId::NONE, "pending", "bound");
    m.at("3s").by(Controller::Sandbox);
    let boot = m.decide(sandbox, Reason::BootStarted);
    let lease = crate::model::LeaseId::from_index(lease.index);
    let taken = m.push(sandbox, boot, What::Decided(Reason::LeaseTakenUp { lease }));
    let started = m.push(sandbox, taken, What::TaskStarted);
    let chain = told(&m, started);
    assert_eq!(way(&chain)[..2], [started, taken], "that it was bound is told with its taking up");
    assert_eq!(chain.links[0].role, Role::Cause);
    assert!(has(&chain, bound));
}

#[test]
fn a_boot_that_waited_in_vain_says_what_held_the_lease_up() {
    let Disked { mut m, sandbox, asked, struck, .. } = asks_for_a_disk();
    m.at("5m1s").by(Controller::Sandbox);
    let error = Failure::LeaseLate { disk: Name::new("pds-data"), limit: d("5m") };
    let failed = m.push(sandbox, asked, What::Decided(Reason::BootFailed { error, after: d("5m") }));
    assert!(has(&told(&m, failed), struck));
    m.by(Controller::Monitor);
    let stale = m.decide(sandbox, Reason::StalePending { age: d("5m1s"), limit: d("5m") });
    assert!(told(&m, stale).all_deciders().contains(&Decider::Fault(3)));
}

#[test]
fn a_volume_that_is_made_at_last_goes_back_to_the_tries_before() {
    let Disked { mut m, disk, struck, .. } = asks_for_a_disk();
    m.at("2s").by(Controller::Disk);
    let error = Name::new("no");
    let first = m.push(disk, struck, What::Decided(Reason::VolumeFailed { error }));
    m.at("62s");
    let second = m.decide(disk, Reason::VolumeFailed { error });
    m.at("122s");
    let ready = m.decide(disk, Reason::VolumeReady);
    let chain = told(&m, ready);
    assert_eq!(way(&chain)[..4], [ready, second, first, struck]);
    assert!(chain.deciders().contains(&Decider::Fault(3)));
}

#[test]
fn a_drain_ends_with_the_last_sandbox_that_left_meanwhile() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(2);
    let (one, other) = (m.sandbox(pool, 0), m.sandbox(pool, 1));
    let before = m.status(one, RecordId::NONE, "pending", "stopped");
    m.at("10s").by(Controller::Launcher);
    let first = m.decide(pool, Reason::DrainFirst);
    let drained = Reason::Drained { empty: true, waited: d("0s") };
    let at_once = m.push(pool, first, What::Decided(drained));
    assert!(!has(&told(&m, at_once), before), "what left before was not waited for");
    m.at("20s").by(Controller::Pool);
    let left = m.status(other, RecordId::NONE, "pending", "stopped");
    m.at("21s").by(Controller::Launcher);
    let end = m.push(pool, first, What::Decided(drained));
    assert_eq!(way(&told(&m, end))[..2], [end, left]);
}

#[test]
fn a_new_pool_that_is_not_ready_says_why_its_sandbox_is_not() {
    let Disked { mut m, struck, .. } = asks_for_a_disk();
    let pool = m.trace.records().iter().find(|r| r.subject.kind == Kind::Pool).expect("a pool").subject;
    m.at("61s").by(Controller::Launcher);
    let late = m.decide(pool, Reason::NewPoolAwaited { ready: false, waited: d("1m") });
    let chain = told(&m, late);
    assert!(has(&chain, struck));
}

#[test]
fn a_request_goes_back_to_the_sandbox_that_it_waited_for() {
    let mut m = Maker::new();
    let (app, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.at("5s").by(Controller::Sandbox);
    let running = m.status(sandbox, RecordId::NONE, "pending", "running");
    m.at("6s").by(Controller::World);
    let service = Name::new("web");
    let quick = m.what(app, What::RequestServed { service, waited: d("0s") });
    let slow = m.what(app, What::RequestServed { service, waited: d("4s") });
    assert!(!has(&told(&m, quick), running), "it found room at once");
    assert_eq!(way(&told(&m, slow))[..2], [slow, running]);
    m.at("60s");
    let other = m.what(app, What::RequestServed { service, waited: d("4s") });
    assert!(!has(&told(&m, other), running), "that ran before it came");
}

#[test]
fn a_pool_that_was_short_in_a_cooldown_waited_for_its_end() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.at("10s").by(Controller::Sandbox);
    m.status(sandbox, RecordId::NONE, "pending", "dead");
    m.by(Controller::Pool);
    let counted = Reason::CrashesCounted { found: 1, count: 1, wait: d("10s"), limit: d("60s") };
    let why = m.decide(pool, counted);
    let cooldown = m.patch(pool, why, &[(Field::CooldownUntil, Value::None, Value::Time(t("20s")))]);
    m.at("20s");
    let few = m.decide(pool, Reason::TooFew { actual: 0, desired: 1 });
    let chain = told(&m, few);
    assert_eq!(way(&chain)[..2], [few, cooldown]);
    assert_eq!(chain.links[0].role, Role::Cooldown);
    let second = m.sandbox(pool, 1);
    m.at("90s").by(Controller::Sandbox);
    m.status(second, RecordId::NONE, "pending", "stopped");
    let later = m.decide(pool, Reason::TooFew { actual: 0, desired: 1 });
    let roles: Vec<Role> = told(&m, later).links[0].branches.iter().map(|(role, _)| *role).collect();
    assert!(!roles.contains(&Role::Cooldown), "that cooldown was over long before: {roles:?}");
}

#[test]
fn a_boot_goes_back_to_its_port_and_to_the_node_that_it_waited_for() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    let node = m.named(Kind::Node, "node/0");
    m.at("1s").by(Controller::Scheduler);
    m.decide(sandbox, Reason::NoNode);
    m.at("30s").by(Controller::World);
    let ready = m.status(node, RecordId::NONE, "unhealthy", "ready");
    m.at("31s").by(Controller::Scheduler);
    m.patch(sandbox, RecordId::NONE, &[(Field::Node, Value::None, Value::Ref(node))]);
    m.at("32s").by(Controller::Sandbox);
    let boot = m.decide(sandbox, Reason::BootStarted);
    assert_eq!(way(&told(&m, boot))[..2], [boot, ready]);
    let started = m.push(sandbox, boot, What::TaskStarted);
    m.at("40s").by(Controller::World);
    let port = m.push(sandbox, started, What::PortBound);
    m.at("41s").by(Controller::Sandbox);
    let booted = m.push(sandbox, boot, What::Decided(Reason::Booted { after: d("9s") }));
    assert_eq!(way(&told(&m, booted))[..3], [booted, port, started]);
}

#[test]
fn what_decided_links_that_are_folded_or_left_out_is_listed() {
    let mut m = Maker::new();
    let subject = m.named(Kind::Sandbox, "sandbox/x");
    let mut cause = RecordId::NONE;
    // Twelve tries, struck by one fault; of a second fault there is one strike in the middle.
    for n in 0..12 {
        m.by(Controller::World);
        let fault = if n == 6 { 1 } else { 0 };
        cause = m.push(subject, cause, What::Struck { fault, point: Point::Start, effect: EffectKind::Delay });
    }
    m.by(Controller::Sandbox);
    let end = m.push(subject, cause, What::Decided(Reason::BootOvertaken));
    let setting = Setting::plain(Fixes::NONE);
    let mut explainer = Explainer::new(&m.trace, &setting);
    let narrow = Limits { links: 2, branch: 2, branches: 2 };
    let chain = explainer.chain_and_deciders(end, narrow).expect("a record");
    assert_eq!(chain.deciders(), [Decider::Fault(0)]);
    assert_eq!(chain.decided_unseen, [Decider::Fault(1)]);
    let text = legend(&Page { trace: &m.trace, setting: &setting }, &chain);
    assert!(text.contains("in links not shown: fault ?"), "{text}");
    let full = explainer.chain_and_deciders(end, Limits::ALL).expect("a record");
    assert_eq!(full.decided_unseen, [], "two faults do not fold into one:\n{full:#?}");
    assert_eq!(full.all_deciders().len(), 2);
}
