//! Tests of the picture.

use super::*;
use crate::kernel::RecordId;
use crate::model::{Controller, DiskStatus, EffectKind, Value};
use crate::trace::testing::{Maker, t, word};

fn draw(maker: &Maker) -> Picture {
    picture(&maker.trace, t("1h"), &Options::default(), None)
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
    assert_eq!((picture.lanes.len(), picture.pointed.len()), (1, 0));
}

#[test]
fn a_long_name_loses_its_kind_and_then_its_beginning() {
    for (most, short) in
        [(22, "sandbox/pds-database-0"), (21, "pds-database-0"), (14, "pds-database-0"), (8, "\u{2026}abase-0")]
    {
        let lane = empty(LaneKind::Thing(Kind::Sandbox), "sandbox/pds-database-0".to_owned(), 0);
        assert_eq!(lane.short_name(most), short);
    }
}
