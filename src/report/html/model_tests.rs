//! Tests of the picture.

use super::*;
use crate::kernel::RecordId;
use crate::model::{Controller, DiskStatus, EffectKind, Invariant, Name, Value};
use crate::report::testing::Story;
use crate::trace::testing::{Maker, t, word};

fn draw(maker: &Maker) -> Picture {
    picture(&maker.trace, t("1h"), &plain(), None)
}

fn plain() -> Setting {
    Setting::plain(crate::controllers::fixes::Fixes::current())
}

fn lane<'a>(picture: &'a Picture, name: &str) -> &'a Lane {
    picture.lanes.iter().find(|lane| lane.name == name).unwrap_or_else(|| panic!("no lane {name}"))
}

/// A pool whose sandbox never boots, once.
fn stuck() -> Maker {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    m.stuck_life(pool, 0, t("1s"), 6);
    m
}

#[test]
fn a_lane_has_its_states_as_bars_and_its_failures_as_marks() {
    let picture = draw(&stuck());
    let sandbox = lane(&picture, "sandbox/pds-database-0");
    let bars: Vec<&str> = sandbox.bars.iter().map(|bar| bar.class).collect();
    assert_eq!(bars, ["pending", "stopped", "dead"]);
    let bad = sandbox.marks.iter().filter(|mark| mark.tone == MarkTone::Bad);
    assert!(bad.count() >= 6, "each failed boot is one");
    assert!(sandbox.trouble);
    assert!(!lane(&picture, "app/pds").trouble);
}

#[test]
fn what_is_told_of_a_bar_is_the_write_with_its_reason() {
    let picture = draw(&stuck());
    let stopped = &lane(&picture, "sandbox/pds-database-0").bars[1];
    let telling = &picture.told[stopped.told];
    assert_eq!(telling.what, "PENDING -> STOPPED");
    assert_eq!(telling.why, "stale PENDING at age 5:10: limit 5:00");
    assert_eq!((telling.by.as_str(), telling.at), ("monitor", stopped.from));
}

#[test]
fn causes_lead_to_a_root_and_only_backwards() {
    let mut m = stuck();
    let sandbox = Subject { kind: Kind::Sandbox, index: 0 };
    let last = RecordId::from_index(m.trace.records().len() - 1);
    m.push(sandbox, last, What::Broken { invariant: Invariant::DeadIsFinal, detail: Name::new("it is dead") });
    let picture = draw(&m);
    let mut at = picture.told.iter().position(|telling| telling.tone == MarkTone::Broken).expect("it is told");
    let mut chain = vec![picture.told[at].what.as_str()];
    while let Some(cause) = picture.told[at].cause {
        assert!(cause < at, "causes come first");
        at = cause;
        chain.push(&picture.told[at].what);
    }
    assert_eq!(chain[..2], ["BROKEN", "STOPPED -> DEAD"], "{chain:?}");
    for (at, telling) in picture.told.iter().enumerate() {
        assert!(telling.sides.iter().all(|(_, side)| *side < at));
    }
}

#[test]
fn an_arrow_of_causes_never_leads_to_what_is_not_told() {
    let story = Story::forever_pending();
    let picture = picture(&story.outcome.trace, story.outcome.ended_at, &plain(), None);
    assert!(picture.told.len() < story.outcome.trace.records().len(), "not every record is told");
    for telling in &picture.told {
        assert!(telling.cause.is_none_or(|cause| cause < picture.told.len()));
        assert!(!telling.what.is_empty(), "record {} says nothing", telling.number);
    }
    for lane in &picture.lanes {
        assert!(lane.marks.iter().all(|mark| mark.told < picture.told.len()));
    }
}

#[test]
fn a_strike_stands_where_it_struck_and_in_the_lane_of_faults() {
    let mut m = Maker::new();
    let disk = m.create(Kind::Disk, "disk/d", RecordId::NONE, &[(Field::Status, word(DiskStatus::Provisioning))]);
    let point = crate::model::Point::CreateVolume;
    m.at("5s").what(disk, What::Struck { fault: 0, point, effect: EffectKind::Delay });
    let picture = draw(&m);
    for name in ["faults", "disk/d"] {
        let tones: Vec<MarkTone> = lane(&picture, name).marks.iter().map(|mark| mark.tone).collect();
        assert_eq!(tones, [MarkTone::Fault], "{name}");
    }
}

#[test]
fn the_holder_of_a_disk_is_named_by_its_sandbox() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    let sandbox = m.sandbox(pool, 0);
    let disk = m.create(Kind::Disk, "disk/d", RecordId::NONE, &[(Field::Status, word(DiskStatus::Provisioned))]);
    let fields = [
        (Field::Disk, Value::Ref(disk)),
        (Field::Sandbox, Value::Ref(sandbox)),
        (Field::Status, word(LeaseStatus::Pending)),
    ];
    let lease = m.create(Kind::Lease, "lease/d-0", RecordId::NONE, &fields);
    m.at("9s").by(Controller::Lease).status(lease, RecordId::NONE, "pending", "bound");
    let picture = draw(&m);
    let holders: Vec<&str> = lane(&picture, "disk/d").bands.iter().map(|bar| bar.label.as_str()).collect();
    assert_eq!(holders, ["pds-database-0"]);
}

#[test]
fn a_trace_of_no_events_has_a_lane_for_steps_and_nothing_in_it() {
    let picture = draw(&Maker::new());
    assert_eq!((picture.lanes.len(), picture.told.len()), (1, 0));
}
