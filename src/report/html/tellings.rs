//! Tellings: what the page says of each record that a reader can point at, and of all that led to it.
//!
//! Explanations are asked for once a record; the page holds them as rows that refer to each other. It may
//! know pictures and explanations.

use std::collections::BTreeMap;

use crate::kernel::{RecordId, SimTime};
use crate::report::explain::{Asked, End, Explainer, Setting, Step as Link, tag};
use crate::report::picture::{FOR_EVER, Lane, LaneKind, MarkTone, Picture, Proof, tone};
use crate::sim::Violation;
use crate::trace::Trace;
use crate::trace::timeline::actor_name;

/// The picture of a run and what is told of it.
pub(super) struct Drawn {
    pub(super) picture: Picture,
    /// In order of records.
    pub(super) told: Vec<Telling>,
    /// Where the telling of a record is.
    index: BTreeMap<usize, usize>,
    /// Where that of the proof is.
    proof: Option<usize>,
    /// The records of what failed, and whether that is the verdict.
    failed: Vec<(usize, bool)>,
}

/// What can be told of one record.
pub(super) struct Telling {
    /// The record's number, from 1.
    pub(super) number: usize,
    pub(super) at: SimTime,
    pub(super) by: String,
    pub(super) subject: String,
    pub(super) what: String,
    pub(super) why: String,
    /// What could be otherwise: fixes and faults.
    pub(super) tags: String,
    /// The telling of what led to it.
    pub(super) cause: Option<usize>,
    /// What else was needed: in which way, and its telling.
    pub(super) sides: Vec<(&'static str, usize)>,
    /// Where it stands in the picture.
    pub(super) lane: Option<usize>,
    pub(super) tone: MarkTone,
}

impl Drawn {
    /// A picture with all that is told of it, and of what failed.
    pub(super) fn of(
        trace: &Trace,
        explainer: &mut Explainer<'_>,
        mut picture: Picture,
        setting: &Setting,
        failed: &[Asked],
    ) -> Self {
        let place = |asked: &Asked| Some((asked.record?.index()?, matches!(asked.end, End::Verdict { .. })));
        let failed: Vec<(usize, bool)> = failed.iter().filter_map(place).collect();
        picture.pointed.extend(failed.iter().map(|(record, _)| *record));
        let (told, index) = tell(explainer, trace, &picture, setting);
        let mut drawn = Self { picture, told, index, proof: None, failed };
        drawn.proof = drawn.picture.proof.map(|proof| drawn.tell_proof(proof));
        drawn
    }

    /// The telling of something in a lane.
    pub(super) fn place(&self, lane: &Lane, record: usize) -> usize {
        match self.proof.filter(|_| lane.kind == LaneKind::Proof) {
            Some(proof) => proof,
            None => self.index[&record],
        }
    }

    /// The tellings of what failed, and whether that is the verdict.
    pub(super) fn failed(&self) -> impl Iterator<Item = (usize, bool)> {
        self.failed.iter().filter_map(|(record, verdict)| Some((*self.index.get(record)?, *verdict)))
    }

    /// The telling of a violation's record.
    pub(super) fn violation(&self, violation: &Violation) -> Option<usize> {
        self.index.get(&violation.record.index()?).copied()
    }

    /// Adds what is told of a proof, in its place of time; tells where.
    fn tell_proof(&mut self, proof: Proof) -> usize {
        let Proof { livelock, because } = proof;
        let place = self.told.partition_point(|telling| telling.at <= livelock.from);
        for telling in &mut self.told {
            let sides = telling.sides.iter_mut().map(|(_, side)| side);
            telling.cause.iter_mut().chain(sides).filter(|at| **at >= place).for_each(|at| *at += 1);
        }
        self.index.values_mut().filter(|at| **at >= place).for_each(|at| *at += 1);
        let telling = Telling {
            number: place.checked_sub(1).map_or(1, |last| self.told[last].number),
            at: livelock.from,
            by: "proof".to_owned(),
            subject: "cluster".to_owned(),
            what: FOR_EVER.to_owned(),
            why: proof.why(),
            tags: String::new(),
            cause: because.and_then(|record| self.index.get(&record).copied()),
            sides: Vec::new(),
            lane: self.picture.lanes.iter().position(|lane| lane.kind == LaneKind::Proof),
            tone: MarkTone::Bad,
        };
        self.told.insert(place, telling);
        place
    }
}

/// Tellings of what a reader can point at and of all that led to it, and where each is.
fn tell(
    explainer: &mut Explainer<'_>,
    trace: &Trace,
    picture: &Picture,
    setting: &Setting,
) -> (Vec<Telling>, BTreeMap<usize, usize>) {
    let mut links: BTreeMap<usize, Link> = BTreeMap::new();
    // From the last to the first: causes lie before their effects, and the explainer remembers what
    // it found on a way back.
    let mut open = picture.pointed.clone();
    while let Some(record) = open.pop_last() {
        let Some(link) = explainer.step(RecordId::from_index(record)) else { continue };
        let sides = link.sides.iter().filter_map(|(_, side)| side.index());
        open.extend(link.next.and_then(RecordId::index).into_iter().chain(sides));
        links.insert(record, link);
    }
    let index: BTreeMap<usize, usize> = links.keys().enumerate().map(|(place, record)| (*record, place)).collect();
    let place = |record: RecordId| record.index().and_then(|record| index.get(&record).copied());
    let telling = |(record, Link { link, next, sides }): (&usize, &Link)| Telling {
        number: record + 1,
        at: link.at,
        by: actor_name(trace, link.actor),
        subject: trace.name(link.subject).to_string(),
        what: link.what.clone(),
        why: link.rule.clone(),
        tags: link.decided_by.iter().map(|decider| tag(*decider, setting)).collect::<Vec<_>>().join(", "),
        cause: next.and_then(place),
        sides: sides.iter().filter_map(|(role, side)| Some((role.name(), place(*side)?))).collect(),
        lane: picture.lane_of(trace, *record),
        tone: tone(&trace.records().at(*record).what, link.tone),
    };
    (links.iter().map(telling).collect(), index)
}

#[cfg(test)]
#[path = "tellings_tests.rs"]
mod tests;
