//! What a link goes by, as the side table of the trace tells: on traces made by hand.

use super::*;
use crate::controllers::fixes::{Fix, Fixes};
use crate::kernel::RecordId;
use crate::model::{Controller, EffectKind, Failure, Field, Kind, LeaseStatus, Name, Point, RequestError, Value};
use crate::trace::evidence::{Basis, Look};
use crate::trace::testing::{Maker, d, word};

fn told(m: &Maker, end: RecordId) -> Chain {
    Explainer::new(&m.trace, &Setting::plain(Fixes::NONE)).chain(end, Limits::ALL).expect("a record")
}

fn way(chain: &Chain) -> Vec<RecordId> {
    chain.links.iter().map(|link| link.record).collect()
}

/// A sandbox whose boot began, and the lease that it asked for.
fn asks_for_a_lease() -> (Maker, Subject, Subject, RecordId) {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.at("2s").by(Controller::Sandbox);
    let began = m.decide(sandbox, Reason::BootStarted);
    let fields = [(Field::Sandbox, Value::Ref(sandbox)), (Field::Status, word(LeaseStatus::Pending))];
    let lease = m.create(Kind::Lease, "lease/pds-data-0", began, &fields);
    (m, sandbox, lease, began)
}

#[test]
fn a_change_between_the_first_look_and_the_last_ended_the_wait() {
    let (mut m, sandbox, lease, began) = asks_for_a_lease();
    let first = m.records();
    m.at("9s").by(Controller::Lease);
    let bound = m.status(lease, RecordId::NONE, "pending", "bound");
    m.at("10s").by(Controller::Sandbox);
    let last = m.records();
    let booted = m.push(sandbox, began, What::Decided(Reason::Booted { after: d("8s") }));
    m.taken_from(
        booted,
        Basis { looks: &[Look { at: lease, listed: None, real: false, first, last }], ..Basis::default() },
    );
    let chain = told(&m, booted);
    assert_eq!(way(&chain)[..2], [booted, bound]);
    assert_eq!(chain.links[0].role, Role::Awaited);
}

#[test]
fn what_did_not_change_between_looks_was_waited_for_in_vain() {
    let (mut m, sandbox, lease, began) = asks_for_a_lease();
    let first = m.records();
    m.at("9s").by(Controller::World);
    let struck = What::Struck { fault: 3, point: Point::Start, effect: EffectKind::Delay };
    m.push(sandbox, began, struck);
    let last = m.records();
    m.by(Controller::Sandbox);
    let failed = Reason::BootFailed { error: Failure::NotFound, after: d("8s") };
    let failed = m.push(sandbox, began, What::Decided(failed));
    m.taken_from(
        failed,
        Basis { looks: &[Look { at: lease, listed: None, real: false, first, last }], ..Basis::default() },
    );
    let chain = told(&m, failed);
    let step = Explainer::new(&m.trace, &Setting::plain(Fixes::NONE)).step(failed).expect("a record");
    let roles: Vec<Role> = step.sides.iter().map(|(role, _)| *role).chain([chain.links[0].role]).collect();
    assert!(roles.contains(&Role::InVain), "{roles:?}");
}

#[test]
fn a_list_shows_the_last_that_happened_to_one_of_its_things_and_of_its_own_subject() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(2);
    let (one, other) = (m.sandbox(pool, 0), m.sandbox(pool, 1));
    m.at("5s").by(Controller::Sandbox);
    let died = m.status(one, RecordId::NONE, "pending", "dead");
    m.at("6s");
    let runs = m.status(other, RecordId::NONE, "pending", "running");
    m.at("9s").by(Controller::Pool);
    for (subject, found) in [(pool, runs), (one, died)] {
        let now = m.records();
        let why = m.decide(subject, Reason::TooFew { actual: 1, desired: 2 });
        let look = Look { at: pool, listed: Some(Kind::Sandbox), real: false, first: now, last: now };
        m.taken_from(why, Basis { looks: &[look], ..Basis::default() });
        assert_eq!(way(&told(&m, why))[..2], [why, found]);
    }
}

#[test]
fn who_woke_a_task_ended_its_wait_and_the_fixes_it_asked_for_are_named() {
    let mut m = Maker::new();
    let (app, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    m.at("5s").by(Controller::Sandbox);
    let runs = m.status(sandbox, RecordId::NONE, "pending", "running");
    m.at("6s").by(Controller::World);
    let served = m.what(app, What::RequestServed { service: Name::new("web"), waited: d("3s") });
    let asked = 1 << Fix::SkipDead as u32;
    m.taken_from(served, Basis { woken: runs, asked, ..Basis::default() });
    let chain = told(&m, served);
    assert_eq!(way(&chain)[..2], [served, runs]);
    assert_eq!(chain.links[0].decided_by, [Decider::Fix { fix: Fix::SkipDead, in_force: false }]);
}

#[test]
fn what_waits_for_its_turn_leads_to_what_its_worker_was_busy_with() {
    let mut m = Maker::new();
    let (app, _) = m.pool(1);
    let bad = m.named(Kind::App, "app/bad");
    m.at("1m").by(Controller::Launcher);
    let made = m.patch(bad, RecordId::NONE, &[(Field::ActiveVersion, Value::None, Value::Int(1))]);
    m.taken_from(made, Basis::default());
    m.at("1m1s").by(Controller::Deploy);
    let active = m.patch(app, RecordId::NONE, &[(Field::ActiveVersion, Value::None, Value::Int(2))]);
    m.at("1m30s").by(Controller::World);
    let (service, error) = (Name::new("web"), RequestError::NoPool);
    let failed = m.what(app, What::RequestFailed { service, waited: d("0s"), error });
    m.at("2m").by(Controller::Launcher);
    let waited = m.decide(bad, Reason::NewPoolAwaited { ready: false, waited: d("1m") });
    let asked = 1 << Fix::WaitForNewPool as u32;
    m.taken_from(waited, Basis { before: made, asked, ..Basis::default() });
    let turn = m.push(app, active, What::Decided(Reason::Reconcile { change: "updated" }));
    m.taken_from(turn, Basis { before: waited, queued: true, ..Basis::default() });
    let chain = told(&m, failed);
    assert_eq!((chain.links[0].role, chain.links[1].record), (Role::Busy, made));
    assert_eq!(chain.links[1].decided_by, [Decider::Fix { fix: Fix::WaitForNewPool, in_force: false }]);
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
