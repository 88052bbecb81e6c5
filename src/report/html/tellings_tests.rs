//! Tests of the tellings.

use super::*;
use crate::kernel::SimDuration;
use crate::model::{Invariant, Kind, Name, Subject};
use crate::report::picture::{LaneKind, picture};
use crate::report::testing::Story;
use crate::sim::Livelock;
use crate::trace::What;
use crate::trace::testing::{Maker, t};

fn drawn(trace: &Trace, end: SimTime, proof: Option<Livelock>) -> Drawn {
    let setting = Setting::plain(crate::controllers::fixes::Fixes::current());
    let picture = picture(trace, end, &setting.timeline, proof);
    Drawn::of(trace, &mut Explainer::new(trace, &setting), picture, &setting, &[])
}

fn draw(maker: &Maker, proof: Option<Livelock>) -> Drawn {
    drawn(&maker.trace, t("1h"), proof)
}

fn lane<'a>(drawn: &'a Drawn, name: &str) -> &'a Lane {
    drawn.picture.lanes.iter().find(|lane| lane.name == name).unwrap_or_else(|| panic!("no lane {name}"))
}

/// A pool whose sandbox never boots, once.
fn stuck() -> Maker {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    m.stuck_life(pool, 0, t("1s"), 6);
    m
}

#[test]
fn what_is_told_of_a_bar_is_the_write_with_its_reason() {
    let drawn = draw(&stuck(), None);
    let stopped = &lane(&drawn, "sandbox/pds-database-0").bars[1];
    let telling = &drawn.told[drawn.index[&stopped.record]];
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
    let drawn = draw(&m, None);
    let mut at = drawn.told.iter().position(|telling| telling.tone == MarkTone::Broken).expect("it is told");
    let mut chain = vec![drawn.told[at].what.as_str()];
    while let Some(cause) = drawn.told[at].cause {
        assert!(cause < at, "causes come first");
        at = cause;
        chain.push(&drawn.told[at].what);
    }
    assert_eq!(chain[..2], ["BROKEN", "STOPPED -> DEAD"], "{chain:?}");
    for (at, telling) in drawn.told.iter().enumerate() {
        assert!(telling.sides.iter().all(|(_, side)| *side < at));
    }
}

#[test]
fn an_arrow_of_causes_never_leads_to_what_is_not_told() {
    let story = Story::forever_pending();
    let drawn = drawn(&story.outcome.trace, story.outcome.ended_at, None);
    assert!(drawn.told.len() < story.outcome.trace.records().len(), "not every record is told");
    for telling in &drawn.told {
        assert!(telling.cause.is_none_or(|cause| cause < drawn.told.len()));
        assert!(!telling.what.is_empty(), "record {} says nothing", telling.number);
    }
    for lane in &drawn.picture.lanes {
        assert!(lane.marks.iter().all(|mark| drawn.index.contains_key(&mark.record)));
    }
}

#[test]
fn a_proof_is_told_in_its_place_and_all_others_are_what_they_were() {
    let mut m = stuck();
    let last = RecordId::from_index(m.trace.records().len() - 1);
    m.push(Subject::CLUSTER, last, What::Broken { invariant: Invariant::Progress, detail: Name::new("stuck") });
    m.stuck_life(Subject { kind: Kind::Pool, index: 0 }, 1, t("10m"), 6);
    let proof = Livelock { from: t("9m"), period: SimDuration::from_mins(20), settled: SimDuration::ZERO };
    let (plain, proved) = (draw(&m, None), draw(&m, Some(proof)));
    let telling = &proved.told[proved.proof.expect("it is told")];
    assert!(telling.what.contains("for ever"), "{}", telling.what);
    assert_eq!(proved.told[telling.cause.expect("a cause")].tone, MarkTone::Broken);
    // All others lead where they led.
    let story = |drawn: &Drawn| -> Vec<(usize, Option<usize>, Vec<usize>)> {
        let others = drawn.told.iter().filter(|telling| telling.by != "proof");
        let number = |at: &usize| drawn.told[*at].number;
        let sides = |telling: &Telling| telling.sides.iter().map(|(_, side)| number(side)).collect();
        others.map(|telling| (telling.number, telling.cause.as_ref().map(number), sides(telling))).collect()
    };
    assert_eq!(story(&plain), story(&proved));
    for lane in proved.picture.lanes.iter().filter(|lane| !lane.bars.is_empty() && lane.kind != LaneKind::Proof) {
        assert_eq!(proved.told[proved.place(lane, lane.bars[0].record)].subject, lane.name);
    }
    assert!(proved.told.iter().all(|telling| telling.lane.is_none_or(|lane| lane < proved.picture.lanes.len())));
}
