//! The lane of a proof: where "for ever" begins, round by round.
//!
//! A livelock is proved of two moments, and no record says so; this puts a lane below the
//! cluster's and a telling among the others. It may know pictures and proofs. What a newcomer
//! gets wrong: a telling has a place in order of time, and whoever refers to a later one must
//! move along.

use std::collections::BTreeMap;

use crate::kernel::SimTime;
use crate::model::Invariant;
use crate::sim::Livelock;
use crate::trace::{Trace, What};

use super::model::{Bar, Lane, MarkTone, Telling, empty};

/// More rounds are one bar: nobody tells them apart.
const ROUNDS_MAX: usize = 500;

/// Adds what is told of a proof to the tellings; `index` says where the telling of a record is.
/// Tells where it stands.
pub(super) fn tell(
    trace: &Trace,
    proof: Livelock,
    told: &mut Vec<Telling>,
    index: &mut BTreeMap<usize, usize>,
) -> usize {
    let place = told.partition_point(|telling| telling.at <= proof.from);
    // Why it never comes to rest is the story of what was last found about that.
    let about_rest = |telling: &Telling| match trace.records()[telling.number - 1].what {
        What::Broken { invariant, .. } => invariant == Invariant::Progress,
        What::Unsettled => true,
        _ => false,
    };
    let cause = told[..place].iter().rposition(about_rest);
    for telling in &mut *told {
        let sides = telling.sides.iter_mut().map(|(_, side)| side);
        telling.cause.iter_mut().chain(sides).filter(|at| **at >= place).for_each(|at| *at += 1);
    }
    index.values_mut().filter(|at| **at >= place).for_each(|at| *at += 1);
    let number = place.checked_sub(1).map_or(1, |last| told[last].number);
    let telling = Telling {
        number,
        at: proof.from,
        by: "proof".to_owned(),
        subject: "cluster".to_owned(),
        what: "from here on the run repeats for ever".to_owned(),
        why: format!(
            "the same state again after {}; nothing was drawn in between, and no step, request or edge of a fault lies ahead",
            proof.period.clock()
        ),
        tags: String::new(),
        cause,
        sides: Vec::new(),
        lane: None,
        tone: MarkTone::Bad,
    };
    told.insert(place, telling);
    place
}

/// The lane: a bar for each round up to the end of the run.
pub(super) fn lane(proof: Livelock, end: SimTime, told: usize) -> Lane {
    let mut bars = Vec::new();
    let mut from = proof.from;
    while from < end {
        let label = match bars.len() {
            0 => proof.period.clock().to_string(),
            ROUNDS_MAX => "and so on".to_owned(),
            _ => "again".to_owned(),
        };
        let until = if bars.len() == ROUNDS_MAX { end } else { end.min(from + proof.period) };
        bars.push(Bar { from, until, class: "round", thin: false, label, told });
        from = until;
    }
    Lane { bars, ..empty("proof", "for ever".to_owned(), 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{RecordId, SimDuration};
    use crate::model::{Name, Subject};
    use crate::report::explain::Setting;
    use crate::report::html::model::{Picture, picture};
    use crate::trace::testing::{Maker, t};

    fn drawn(proof: Option<Livelock>) -> Picture {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        m.stuck_life(pool, 0, t("1s"), 6);
        let last = RecordId::from_index(m.trace.records().len() - 1);
        m.push(Subject::CLUSTER, last, What::Broken { invariant: Invariant::Progress, detail: Name::new("stuck") });
        m.stuck_life(pool, 1, t("10m"), 6);
        picture(&m.trace, t("1h"), &Setting::plain(crate::controllers::fixes::Fixes::current()), proof)
    }

    #[test]
    fn a_proof_has_a_lane_with_its_rounds_and_leads_to_what_is_stuck() {
        let proof = Livelock { from: t("9m"), period: SimDuration::from_mins(20), settled: SimDuration::ZERO };
        let (plain, proved) = (drawn(None), drawn(Some(proof)));
        let lane = proved.lanes.iter().find(|lane| lane.kind == "proof").expect("a lane");
        let labels: Vec<&str> = lane.bars.iter().map(|bar| bar.label.as_str()).collect();
        assert_eq!(labels, ["20:00", "again", "again"]);
        assert_eq!(lane.bars.last().map(|bar| bar.until), Some(t("1h")), "cut at the end of the run");
        let telling = &proved.told[lane.bars[0].told];
        assert!(telling.what.contains("for ever"), "{}", telling.what);
        assert_eq!(proved.told[telling.cause.expect("a cause")].tone, MarkTone::Broken);
        // All others are what they were, and lead where they led.
        let story = |picture: &Picture| -> Vec<(usize, Option<usize>, Vec<usize>)> {
            let others = picture.told.iter().filter(|telling| telling.by != "proof");
            let number = |at: &usize| picture.told[*at].number;
            let sides = |telling: &Telling| telling.sides.iter().map(|(_, side)| number(side)).collect();
            others.map(|telling| (telling.number, telling.cause.as_ref().map(number), sides(telling))).collect()
        };
        assert_eq!(story(&plain), story(&proved));
        for lane in &proved.lanes {
            let named = proved.told[lane.bars.first().map_or(0, |bar| bar.told)].subject.as_str();
            assert!(
                lane.bars.is_empty() || lane.kind == "proof" || named == lane.name,
                "{} tells of {named}",
                lane.name
            );
        }
        assert!(proved.told.iter().all(|telling| telling.lane.is_none_or(|lane| lane < proved.lanes.len())));
    }

    #[test]
    fn endless_rounds_are_counted_to_a_limit() {
        let proof = Livelock { from: SimTime::ZERO, period: SimDuration::from_secs(1), settled: SimDuration::ZERO };
        let lane = lane(proof, t("24h"), 0);
        assert_eq!(lane.bars.len(), ROUNDS_MAX + 1);
        assert_eq!(lane.bars.last().map(|bar| (bar.label.as_str(), bar.until)), Some(("and so on", t("24h"))));
    }
}
