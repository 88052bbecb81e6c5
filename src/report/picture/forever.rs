//! The lane of a proof: where "for ever" begins, round by round.
//!
//! A livelock is proved of two moments, and no record says so; its lane stands below the cluster's, and
//! refers to what was last found about the rest that never comes. It may know pictures and proofs.

use crate::kernel::SimTime;
use crate::model::Invariant;
use crate::sim::Livelock;
use crate::trace::{Trace, What};

use super::{Bar, Lane, LaneKind, Meaning, Proof, empty};

/// More rounds are one bar: nobody tells them apart.
const ROUNDS_MAX: usize = 500;

/// The record that says best why it never comes to rest: what was last found about that.
pub(super) fn because(trace: &Trace, proof: Livelock) -> Option<usize> {
    let records = trace.records();
    let past = records.partition_point(|record| record.at <= proof.from);
    records.range(..past).rposition(|record| match record.what {
        What::Broken { invariant, .. } => invariant == Invariant::Progress,
        What::Unsettled => true,
        _ => false,
    })
}

/// The lane: a bar for each round up to the end of the run.
pub(super) fn lane(proof: Proof, end: SimTime) -> Lane {
    let Proof { livelock, because } = proof;
    let mut bars = Vec::new();
    let mut from = livelock.from;
    while from < end {
        let label = match bars.len() {
            0 => livelock.period.clock().to_string(),
            ROUNDS_MAX => "and so on".to_owned(),
            _ => "again".to_owned(),
        };
        let until = if bars.len() == ROUNDS_MAX { end } else { end.min(from + livelock.period) };
        bars.push(Bar {
            from,
            until,
            class: "round",
            meaning: Meaning::Bad,
            thin: false,
            label,
            record: because.unwrap_or_default(),
        });
        from = until;
    }
    Lane { bars, ..empty(LaneKind::Proof, "for ever".to_owned(), 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{RecordId, SimDuration};
    use crate::model::{Name, Subject};
    use crate::report::picture::picture;
    use crate::trace::testing::{Maker, t};
    use crate::trace::timeline::Options;

    #[test]
    fn a_proof_has_a_lane_with_its_rounds_and_refers_to_what_is_stuck() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        m.stuck_life(pool, 0, t("1s"), 6);
        let last = RecordId::from_index(m.trace.records().len() - 1);
        m.push(Subject::CLUSTER, last, What::Broken { invariant: Invariant::Progress, detail: Name::new("stuck") });
        let stuck = m.trace.records().len() - 1;
        m.stuck_life(pool, 1, t("10m"), 6);
        let proof = Livelock { from: t("9m"), period: SimDuration::from_mins(20), settled: SimDuration::ZERO };
        let picture = picture(&m.trace, t("1h"), &Options::default(), Some(proof));
        let lane = picture.lanes.iter().find(|lane| lane.kind == LaneKind::Proof).expect("a lane");
        let labels: Vec<&str> = lane.bars.iter().map(|bar| bar.label.as_str()).collect();
        assert_eq!(labels, ["20:00", "again", "again"]);
        assert_eq!(lane.bars.last().map(|bar| bar.until), Some(t("1h")), "cut at the end of the run");
        assert_eq!(picture.proof.and_then(|proof| proof.because), Some(stuck));
    }

    #[test]
    fn endless_rounds_are_counted_to_a_limit() {
        let livelock = Livelock { from: SimTime::ZERO, period: SimDuration::from_secs(1), settled: SimDuration::ZERO };
        let lane = lane(Proof { livelock, because: None }, t("24h"));
        assert_eq!(lane.bars.len(), ROUNDS_MAX + 1);
        assert_eq!(lane.bars.last().map(|bar| (bar.label.as_str(), bar.until)), Some(("and so on", t("24h"))));
    }
}
