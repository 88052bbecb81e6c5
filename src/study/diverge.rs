//! Where two runs of one story part: the first decision that differs, what it was taken from, what follows.
//!
//! A decision is what somebody noted, wrote into the store, or answered; not what the world or a fault did to them.
//! It reads two runs that kept their evidence.

use std::collections::BTreeSet;

use crate::controllers::fixes::Fix;
use crate::kernel::RecordId;
use crate::replay::Replay;
use crate::report::explain::{Decider, Explainer, Link, Setting};
use crate::trace::{Trace, What, timeline};

/// The first decision that differs.
pub struct Divergence {
    /// The decision on each side; none: nothing is decided there about that thing by that controller any more.
    pub decision: [Option<Link>; 2],
    /// The fixes that it asked for and that are not the same on both sides.
    pub fixes: Vec<Fix>,
    /// The values that it compared, by name, on each side.
    pub values: Vec<(String, [Option<String>; 2])>,
    /// What it set off on each side and not on the other, the nearest first, and whether there is more.
    pub follows: [(Vec<Link>, bool); 2],
}

/// So much is told of what follows.
const FOLLOWS_MAX: usize = 6;
/// So far it is looked for what follows on one side only.
const LOOKED_AT_MAX: usize = 200;

/// Where two runs part; none when no decision differs.
pub fn diverge(a: &Replay<'_>, b: &Replay<'_>) -> Option<Divergence> {
    let traces = [&a.outcome.trace, &b.outcome.trace];
    let places = parting(traces)?;
    let mut values: Vec<(String, [Option<String>; 2])> = Vec::new();
    let mut asked: Vec<Fix> = Vec::new();
    let (mut decision, mut follows) = <([Option<Link>; 2], [(Vec<Link>, bool); 2])>::default();
    for (side, replay) in [a, b].into_iter().enumerate() {
        let Some(record) = places[side].map(RecordId::from_index) else { continue };
        let setting = Setting::of(replay.scenario, replay.variant);
        let mut explainer = Explainer::new(traces[side], &setting);
        let link = explainer.step(record)?.link;
        for (name, value) in link.values.iter().cloned().chain(written(traces[side], link.record)) {
            match values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sides)) => sides[side] = Some(value),
                None => {
                    let mut sides = [None, None];
                    sides[side] = Some(value);
                    values.push((name, sides));
                }
            }
        }
        asked.extend(link.decided_by.iter().filter_map(|decider| match decider {
            Decider::Fix { fix, .. } => Some(*fix),
            _ => None,
        }));
        follows[side] = explainer.after(record, LOOKED_AT_MAX);
        decision[side] = Some(link);
    }
    let told =
        |side: usize, link: &Link| (link.at, traces[side].name(link.subject), link.what.clone(), link.rule.clone());
    let all = [0, 1].map(|side| follows[side].0.iter().map(|link| told(side, link)).collect::<BTreeSet<_>>());
    for (side, (links, more)) in follows.iter_mut().enumerate() {
        links.retain(|link| !all[1 - side].contains(&told(side, link)));
        *more |= links.len() > FOLLOWS_MAX;
        links.truncate(FOLLOWS_MAX);
    }
    let (ours, theirs) = (a.variant.policy.fixes, b.variant.policy.fixes);
    let fixes = Fix::ALL.iter().copied().filter(|fix| asked.contains(fix) && ours.has(*fix) != theirs.has(*fix));
    Some(Divergence { decision, fixes: fixes.collect(), values, follows })
}

/// The places of the first decision that differs: of the earlier side's, and of the next on the other side by the same
/// controller about the same thing.
fn parting(traces: [&Trace; 2]) -> Option<[Option<usize>; 2]> {
    let decisions = traces.map(|trace| {
        let records = trace.records().iter().enumerate();
        records.filter(|(_, record)| is_decided(record.what)).map(|(place, _)| place).collect::<Vec<usize>>()
    });
    let record = |side: usize, nth: usize| Some(traces[side].records().at(*decisions[side].get(nth)?));
    let same = |nth: usize| {
        let told = [0, 1].map(|side| record(side, nth).map(|r| (r.at, traces[side].name(r.subject), r.actor, r.what)));
        told[0].is_some() && told[0] == told[1]
    };
    let nth = (0..).find(|nth| !same(*nth))?;
    let first = match (record(0, nth), record(1, nth)) {
        (None, None) => return None,
        (Some(ours), Some(theirs)) => usize::from(theirs.at < ours.at),
        (ours, _) => usize::from(ours.is_none()),
    };
    let told = record(first, nth)?;
    let other = 1 - first;
    // What a write does not do on the other side, it does there without.
    let as_part_of = |side: usize, place: usize| match traces[side].records().at(place).what {
        What::Set { .. } => traces[side].records().at(place).cause.index(),
        _ => None,
    };
    let mut places = [None, None];
    places[first] = decisions[first].get(nth).copied();
    let write = places[first].and_then(|place| as_part_of(first, place));
    if let Some(write) = write {
        let alike = |side: usize| decisions[side].iter().position(|place| *place == write);
        let at = |side: usize, nth: usize| Some((record(side, nth)?.at, traces[side].name(record(side, nth)?.subject)));
        if let Some(written) = alike(first).filter(|nth| at(first, *nth) == at(other, *nth)) {
            return Some([0, 1].map(|side| decisions[side].get(written).copied()));
        }
    }
    let is_like = |place: &&usize| {
        let theirs = traces[other].records().at(**place);
        theirs.actor == told.actor && traces[other].name(theirs.subject) == traces[first].name(told.subject)
    };
    places[other] = decisions[other].get(nth..)?.iter().find(is_like).copied();
    Some(places)
}

/// Whether somebody decided it.
fn is_decided(what: What) -> bool {
    match what {
        What::Decided(reason) => !reason.is_routine(),
        What::Created { .. } | What::Patched { .. } | What::Set { .. } | What::Deleted { .. } => true,
        What::RequestServed { .. } | What::RequestFailed { .. } => true,
        _ => false,
    }
}

/// What a write set, by field; nothing where the record is no write.
fn written(trace: &Trace, write: RecordId) -> Vec<(String, String)> {
    let later = trace.records().iter().skip(write.index().map_or(usize::MAX, |at| at + 1));
    let sets = later.take_while(|record| record.cause == write).filter_map(|record| match record.what {
        What::Set { field, to, .. } => Some((field.name().to_owned(), timeline::value_text(trace, to))),
        _ => None,
    });
    sets.collect()
}
