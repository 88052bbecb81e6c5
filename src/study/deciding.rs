//! Deciding by trying: the same story with one thing otherwise – does it still end so?
//!
//! Everything that could be otherwise is tried alone; where no fix, fault, program or constant
//! decides by itself, two are tried together, and then all of them, made fewer as long as the end
//! stays away; of a verdict it is known besides which app each brings to rest, and these are tried together first. It may use simulation, scenario and reports; it prints nothing. What a newcomer gets
//! wrong: how much is tried is counted in records and not in seconds, so that the answer is the same
//! everywhere.

mod text;

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::controllers::fixes::{Fix, Fixes};
use crate::kernel::{SimDuration, SimTime};
use crate::model::Name;
use crate::replay;
use crate::report::Failure;
use crate::report::explain::{Decider, End, Ending, Run};
use crate::scenario::{Scenario, Variant, Verdict};
use crate::sim::{Outcome, PartRest, Simulation};
use crate::trace::What;

pub use super::otherwise::{all, otherwise};
pub use text::told;

/// Some things that were made otherwise, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trial {
    /// What was made otherwise; mostly one thing.
    pub deciders: Vec<Decider>,
    /// What became of the end.
    pub ending: Ending,
    /// What that run came to, in words.
    pub instead: String,
    /// Whether that run is another one at all.
    pub differs: bool,
    /// Of a verdict: who is at rest there and is not in the first run, an app or (none) what belongs to no app.
    pub rests: Vec<Option<Name>>,
    /// The fixes that were asked for there.
    asked: Fixes,
}

/// What an end hangs on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deciding {
    /// All that was tried alone.
    pub alone: Vec<Trial>,
    /// What decides only together, as small as can be.
    pub together: Vec<Trial>,
    /// Whether it is the end of a step, which comes with the step and is not tried without it.
    pub of_step: bool,
    /// How many runs it took.
    pub runs: usize,
    /// How many things, or pairs of them, were left because the runs were used up.
    pub left: usize,
}

/// Who is told that a run of a search begins.
pub type Begun<'a> = &'a (dyn Fn() + Sync);

/// How much may be tried.
#[derive(Clone, Copy)]
pub struct Tries<'a> {
    pub(super) runs: usize,
    /// Of these, so many pairs at most.
    pairs: usize,
    pub(super) begun: Begun<'a>,
}

impl<'a> Tries<'a> {
    /// So many runs, of whatever is to be tried.
    pub const fn of(runs: usize) -> Self {
        Self { runs, pairs: runs, begun: &|| () }
    }

    /// The same, told to whoever waits.
    pub(crate) fn told(self, begun: Begun<'a>) -> Self {
        Self { begun, ..self }
    }

    /// Whether nothing is to be tried.
    pub(crate) fn is_none(self) -> bool {
        self.runs == 0
    }

    /// What takes seconds at most, whatever the run is like.
    pub fn within_seconds(run: &Run<'_>) -> Self {
        let runs = RECORDS / run.outcome.trace.records().len().max(RECORDS_LEAST);
        Self { pairs: PAIRS_MAX, ..Self::of(if runs < RUNS_LEAST { 0 } else { runs }) }
    }
}

/// So many records are written by all tries together, or a little more.
const RECORDS: usize = 8_000_000;
/// A run costs as much as if it had at least so many.
const RECORDS_LEAST: usize = 4000;
/// With fewer runs nothing is learned, and nothing is tried.
const RUNS_LEAST: usize = 10;
/// A run that writes so many times the records of the first, and these, is given up.
const LONGER: (usize, usize) = (8, 100_000);

impl Deciding {
    /// What decides, alone or together.
    pub fn decides(&self) -> impl Iterator<Item = &Trial> {
        self.alone.iter().filter(|trial| trial.ending.is_averted()).chain(&self.together)
    }

    /// What alone brings a part to rest, where nothing brings all to rest alone.
    pub fn in_part(&self) -> impl Iterator<Item = &Trial> {
        let whole = self.alone.iter().any(|trial| trial.ending.is_averted());
        self.alone.iter().filter(move |trial| !whole && !trial.rests.is_empty() && !is_ground(&trial.deciders[0]))
    }
}

/// Tries what an end of a run (that ran to `until`, or the horizon) hangs on; what is likely, first.
pub fn decide(run: &Run<'_>, until: Option<SimTime>, end: &End, likely: &[Decider], tries: Tries<'_>) -> Deciding {
    let Tries { runs: left, pairs, begun } = tries;
    let mut trying = Trying { run, until, end, left, pairs, begun, found: Deciding::default() };
    let mut things = all(run);
    things.retain(|thing| !asks_for(run, end, *thing));
    trying.found.of_step = matches!(end, End::Refused(_) | End::Unended(_) | End::Check(Failure::Refused { .. }));
    things.sort_by_key(|thing| likely.iter().position(|known| known == thing).unwrap_or(usize::MAX));
    trying.found.alone = trying.each(things.into_iter().map(|thing| vec![thing]).collect());
    trying.found.alone.sort_by_key(|trial| is_ground(&trial.deciders[0]));
    let mut others = trying.found.alone.iter().filter(|trial| !is_ground(&trial.deciders[0]));
    if others.clone().all(|trial| !trial.ending.is_averted()) {
        let differ: Vec<Trial> = others.by_ref().filter(|trial| trial.differs).cloned().collect();
        trying.found.together = trying.parts();
        if trying.found.together.is_empty() {
            trying.found.together = trying.pairs(&differ, likely);
        }
        if trying.found.together.is_empty() && differ.len() > 2 {
            let things = differ.into_iter().map(|trial| trial.deciders[0]).collect();
            trying.found.together = trying.fewest(things).into_iter().collect();
        }
    }
    trying.found
}

/// Whether a thing is nothing but the question itself: without its stream a request is never made.
fn asks_for(run: &Run<'_>, end: &End, thing: Decider) -> bool {
    match (end, thing) {
        (End::Request { service, .. }, Decider::Traffic(stream)) => {
            run.scenario.traffic.get(stream as usize).is_some_and(|traffic| traffic.service == *service)
        }
        (End::Refused(step) | End::Unended(step), Decider::Step(taken)) => taken as usize == *step,
        (End::Check(Failure::Refused { step, .. }), Decider::Step(taken)) => {
            run.scenario.steps.get(taken as usize).is_some_and(|taken| taken.name.as_str() == step)
        }
        _ => false,
    }
}

struct Trying<'a> {
    run: &'a Run<'a>,
    until: Option<SimTime>,
    end: &'a End,
    left: usize,
    pairs: usize,
    begun: Begun<'a>,
    found: Deciding,
}

impl Trying<'_> {
    /// Tries each of these, as far as the runs go.
    fn each(&mut self, mut sets: Vec<Vec<Decider>>) -> Vec<Trial> {
        self.found.left += sets.len().saturating_sub(self.left);
        sets.truncate(self.left);
        self.left -= sets.len();
        self.found.runs += sets.len();
        let trial = |set| {
            (self.begun)();
            make(self.run, self.until, self.end, set, false).trial
        };
        sets.into_par_iter().map(trial).collect()
    }

    /// Where each part has something of its own that brings it to rest: these together, a few of each.
    fn parts(&mut self) -> Vec<Trial> {
        let mut sets: Vec<BTreeSet<Decider>> = vec![BTreeSet::new()];
        let restless = restless(self.run);
        let each = OF_EACH_PART.get(restless.len()).copied().unwrap_or(1);
        for part in &restless {
            let brings = self.found.in_part().filter(|trial| trial.rests.contains(part)).take(each);
            let brings: Vec<Decider> = brings.map(|trial| trial.deciders[0]).collect();
            let with = |set: &BTreeSet<Decider>, thing| set.iter().copied().chain([thing]).collect();
            sets = sets.iter().flat_map(|set| brings.iter().map(move |thing| with(set, *thing))).collect();
        }
        sets.retain(|set| set.len() > 1);
        sets.sort_by_key(BTreeSet::len);
        sets.dedup();
        let mut found: Vec<Trial> = Vec::new();
        for trial in self.each(sets.into_iter().map(|set| set.into_iter().collect()).collect()) {
            let more = |known: &Trial| known.deciders.iter().all(|thing| trial.deciders.contains(thing));
            if trial.ending.is_averted() && !found.iter().any(more) {
                found.push(trial);
            }
        }
        found
    }

    /// Those that decide by two. What is asked for only when another thing is otherwise may take its place, and
    /// is tried first; then what is likely with everything else, for whatever took its place made no difference
    /// as long as it was there.
    fn pairs(&mut self, differ: &[Trial], likely: &[Decider]) -> Vec<Trial> {
        let mut sets: Vec<Vec<Decider>> = Vec::new();
        for trial in differ {
            let new = |fix: &Fix| trial.asked.has(*fix) && !self.run.outcome.asked.has(*fix);
            let fixes = self.run.variant.policy.fixes;
            let new = Fix::ALL.iter().copied().filter(new).map(|fix| Decider::Fix { fix, in_force: fixes.has(fix) });
            sets.extend(new.map(|other| vec![trial.deciders[0], other]));
        }
        let firsts = |trials: &[Trial]| trials.iter().map(|trial| trial.deciders[0]).collect::<Vec<_>>();
        let (things, all) = (firsts(differ), firsts(&self.found.alone));
        for thing in things.iter().filter(|thing| likely.contains(thing)) {
            sets.extend(all.iter().filter(|other| !is_ground(other)).map(|other| vec![*thing, *other]));
        }
        let mut pairs: Vec<(usize, usize)> = (0..things.len()).flat_map(|b| (0..b).map(move |a| (a, b))).collect();
        // The likely ones with each other first.
        pairs.sort_by_key(|(a, b)| (a + b, *b));
        sets.extend(pairs.into_iter().map(|(a, b)| vec![things[a], things[b]]));
        sets.retain(|pair| !contradict(pair));
        let mut known = BTreeSet::new();
        sets.retain(|pair| known.insert(pair.iter().copied().collect::<BTreeSet<_>>()));
        // What is left is for all of them together.
        let most = self.pairs.min(self.left.saturating_sub(differ.len() + 1));
        self.found.left += sets.len().saturating_sub(most);
        sets.truncate(most);
        let mut tried = self.each(sets);
        tried.retain(|trial| trial.ending.is_averted());
        tried
    }

    /// As few as decide together, if all of them do.
    fn fewest(&mut self, mut things: Vec<Decider>) -> Option<Trial> {
        let mut seen = Vec::new();
        things.retain(|thing| {
            let alike = seen.iter().any(|known| contradict(&[*known, *thing]));
            seen.push(*thing);
            !alike
        });
        let mut best = self.each(vec![things.clone()]).pop().filter(|trial| trial.ending.is_averted())?;
        let mut place = 0;
        while place < things.len() && self.left > 0 {
            let mut fewer = things.clone();
            fewer.remove(place);
            match self.each(vec![fewer.clone()]).pop().filter(|trial| trial.ending.is_averted()) {
                Some(trial) => (best, things) = (trial, fewer),
                None => place += 1,
            }
        }
        (place == things.len() && things.len() <= TOGETHER_MAX).then_some(best)
    }
}

/// Whether it is what the story is about rather than what went wrong in it: no story has a violation without
/// a deploy.
fn is_ground(thing: &Decider) -> bool {
    matches!(thing, Decider::Step(_) | Decider::Traffic(_))
}

/// Of so many parts that are not at rest, so many things are tried of each together with those of the others.
const OF_EACH_PART: [usize; 4] = [0, 0, 3, 2];
/// More pairs are not tried unless they are asked for: those that are likely stand before them.
const PAIRS_MAX: usize = 300;
/// More things together explain nothing.
const TOGETHER_MAX: usize = 5;

/// Whether two things cannot be otherwise at once.
fn contradict(pair: &[Decider]) -> bool {
    pair[0] == pair[1]
        || matches!(
            pair,
            [Decider::Phase(_), Decider::Phase(_)]
                | [Decider::Phase(_), Decider::Constant(_)]
                | [Decider::Constant(_), Decider::Phase(_)]
        )
        || matches!(pair, [Decider::Fix { fix: a, .. }, Decider::Fix { fix: b, .. }] if a == b)
}

/// A run that writes more records than that is given up.
pub(super) fn longest(base: &Run<'_>) -> usize {
    base.outcome.trace.records().len() * LONGER.0 + LONGER.1
}

fn is_verdict(end: &End) -> bool {
    matches!(end, End::Verdict { .. } | End::Proof | End::Check(Failure::Verdict { .. } | Failure::Settled { .. }))
}

/// Who is not at rest at the end of a run that never comes to rest, or came to rest again while it flaps: it is at rest
/// at the end by chance.
fn restless(run: &Run<'_>) -> Vec<Option<Name>> {
    let Outcome { verdict, flaps, parts, trace, .. } = run.outcome;
    // The first time may be what came of a step; there are two at least.
    let unsettled = |from| trace.records().iter().filter(move |r| r.what == What::Unsettled && r.at >= from).nth(1);
    let again = flaps.and_then(|flaps| unsettled(flaps.from)).map(|record| record.at);
    let not = parts.iter().filter(|part| match (verdict, &part.rest) {
        (Verdict::Settled, _) | (Verdict::Unsettled | Verdict::Livelock, PartRest::Since(_)) => false,
        (Verdict::Flaps, PartRest::Since(at)) => again.is_some_and(|again| *at > again),
        (_, PartRest::Not { .. }) => true,
    });
    not.map(|part| part.app).collect()
}

/// Who of these is at rest in another run, and has been for the last quarter of it.
fn come_to_rest(base: &Run<'_>, other: &Outcome) -> Vec<Option<Name>> {
    let late = SimTime::ZERO + SimDuration::from_nanos(other.ended_at.as_nanos() / 4 * 3);
    let rests = |of: &Option<Name>| {
        other.parts.iter().any(|part| part.app == *of && matches!(part.rest, PartRest::Since(at) if at <= late))
    };
    restless(base).into_iter().filter(rests).collect()
}

/// A run with one thing otherwise, and what came of it.
pub(crate) struct Made {
    pub(crate) trial: Trial,
    pub(crate) scenario: Scenario,
    pub(crate) variant: Variant,
    pub(crate) outcome: Outcome,
}

/// Tries one thing, and keeps the run, so that it can be explained.
pub(crate) fn one(base: &Run<'_>, until: Option<SimTime>, end: &End, decider: Decider) -> Made {
    make(base, until, end, vec![decider], true)
}

fn make(base: &Run<'_>, until: Option<SimTime>, end: &End, deciders: Vec<Decider>, explained: bool) -> Made {
    let (scenario, variant) = otherwise(base.scenario, base.variant, &deciders);
    let records = base.outcome.trace.records();
    let simulation = Simulation::new(&scenario, &variant).records_max(longest(base));
    let simulation = if explained { simulation.keeps_evidence() } else { replay::lean(simulation) };
    let outcome = simulation.until(until).run();
    let run = Run { scenario: &scenario, variant: &variant, outcome: &outcome };
    let ending = end.look_for(&run);
    let instead = end.instead(base, &run);
    let differs = outcome.trace.records() != records;
    let rests = if is_verdict(end) { come_to_rest(base, &outcome) } else { Vec::new() };
    let trial = Trial { deciders, ending, instead, differs, rests, asked: outcome.asked };
    Made { trial, scenario, variant, outcome }
}
