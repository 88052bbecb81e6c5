//! Explanations: why a record came about, from its end back to its root.
//!
//! Reads a trace and what the scenario says of it; runs nothing. [`Explainer::chain`] gives the
//! links as data – time, actor, the rule that decided, the values it compared, the fix or fault
//! that made it so, side causes as branches, repetition folded; `story` and `json` show them.
//! What a newcomer gets wrong: a record names one cause, which is what set it off; that it came
//! out as it did often hangs on another record, and the chain follows that one.

mod after;
mod choose;
mod class;
mod decider;
mod end;
mod evidence;
mod fold;
mod index;
mod json;
mod left;
mod likeness;
pub(crate) mod lines;
mod question;
mod reading;
mod setting;
mod shrink;
mod story;
mod values;
mod walk;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::controllers::fixes::Fixes;
use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{Actor, Reason, Subject};
use crate::trace::timeline::{self, Tone};
use crate::trace::{Trace, What};

pub use choose::{Choice, Unknown, choose};
pub use decider::{Decider, ProgramKey, meaning, otherwise, tag};
pub use end::{End, Ending, Run, family};
pub use evidence::Role;
pub use json::{decider as decider_json, json, link as link_json};
pub use left::{LeftAlone, Looker};
pub use question::{Asked, Question, ask};
pub(crate) use question::{all_failed, broken};
pub use setting::Setting;
pub use story::{Page, decider_line, legend, story};

use fold::Item;
use index::Index;
use walk::{Hop, Walker};

/// One link of a chain: something that happened, and why it came out so.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Link {
    pub record: RecordId,
    pub at: SimTime,
    pub actor: Actor,
    pub subject: Subject,
    pub what: String,
    /// The rule that decided, with the values it compared, in words; empty when nobody decided.
    pub rule: String,
    pub values: Vec<(String, String)>,
    /// How it is meant.
    pub tone: Tone,
    /// What could be otherwise.
    pub decided_by: Vec<Decider>,
    /// In which way the next link of the chain was needed.
    pub role: Role,
    /// What else was needed: each with the way in which it was.
    pub branches: Vec<(Role, Chain)>,
}

/// Links that repeat: those shown stand for all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fold {
    /// The place of the first link of the block in [`Chain::links`].
    pub first: usize,
    /// The place of the last one.
    pub last: usize,
    /// How often the block occurs; a range when the repetitions of an outer block differ.
    pub times: (u64, u64),
    /// From one to the one before; likewise.
    pub every: (SimDuration, SimDuration),
    /// When the earliest of them began.
    pub back_to: SimTime,
}

/// The way from a record back to its root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chain {
    /// The links that are shown, the end first.
    pub links: Vec<Link>,
    /// The blocks among them that stand for more, inner ones first.
    pub folds: Vec<Fold>,
    /// How many links were left out, and after which place, because there are too many.
    pub left_out: Option<(usize, usize)>,
    /// How many branches were left out, likewise.
    pub branches_left_out: usize,
    /// How many links the whole way has.
    pub length: usize,
    /// The link of another chain that this one joins; none when it leads to its own root.
    pub joins: Option<RecordId>,
    /// What decided links that are not shown, and none of those that are; only when it was asked for.
    pub decided_unseen: Vec<Decider>,
    /// Who looked at what its end is about, and left it as it was.
    pub left_alone: Option<LeftAlone>,
}

/// One link by itself; its record is the main one of the occurrence, not always the one asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The link, without branches.
    pub link: Link,
    /// The record of the next one, the cause.
    pub next: Option<RecordId>,
    /// What else was needed, and in which way.
    pub sides: Vec<(Role, RecordId)>,
}

/// How much a chain may show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Links of the chain itself.
    pub links: usize,
    /// Links of each branch.
    pub branch: usize,
    /// Branches in all.
    pub branches: usize,
}

impl Default for Limits {
    /// What fits a screen.
    fn default() -> Self {
        Self { links: 12, branch: 3, branches: 3 }
    }
}

impl Limits {
    /// Everything, folded.
    pub const ALL: Self = Self { links: usize::MAX, branch: usize::MAX, branches: usize::MAX };
}

/// Explains the records of one trace.
pub struct Explainer<'a> {
    trace: &'a Trace,
    setting: &'a Setting,
    walker: Walker<'a>,
}

/// What decided links so far; of fixes, which were missing and which in force.
#[derive(Default)]
struct Known {
    deciders: Vec<Decider>,
    fixes: [u128; 2],
}

impl<'a> Explainer<'a> {
    /// Reads the trace once; then each explanation costs its own way only.
    pub fn new(trace: &'a Trace, setting: &'a Setting) -> Self {
        Self { trace, setting, walker: Walker::new(Index::new(trace)) }
    }

    /// The causal chain of a record; none when there is no such record.
    pub fn chain(&mut self, record: RecordId, limits: Limits) -> Option<Chain> {
        let at = record.index().filter(|at| *at < self.trace.records().len())?;
        let way = self.walker.rootward(at);
        Some(self.told(&way, limits))
    }

    /// The chain along a way.
    fn told(&mut self, way: &[Hop], limits: Limits) -> Chain {
        let (mut chain, shown) = self.folded(way, limits.links);
        let mut seen = RecordSet::of(self.trace);
        way.iter().flat_map(|hop| hop.tells()).for_each(|at| seen.add(at));
        let mut branches = 0;
        for place in shown {
            let mut link = self.link(way[place]);
            for because in self.walker.why(way[place]).sides {
                if seen.has(because.at) {
                    continue;
                }
                if branches == limits.branches {
                    chain.branches_left_out += 1;
                } else {
                    let branch = self.branch(because.at, &mut seen, limits.branch);
                    // That a thing was made for what is told here already adds nothing.
                    let is_told = branch.joins.is_some() && self.walker.index.is(because.at, class::BIRTH);
                    if !(is_told && branch.links.len() == 1) {
                        branches += 1;
                        link.branches.push((because.role, branch));
                    }
                }
            }
            chain.links.push(link);
        }
        chain.left_alone = self.left_alone(&chain);
        chain
    }

    /// The causal chain, and all that decided it: whatever is folded, left out, or a cause of a
    /// side cause decided all the same.
    pub fn chain_and_deciders(&mut self, record: RecordId, limits: Limits) -> Option<Chain> {
        let at = record.index().filter(|at| *at < self.trace.records().len())?;
        let (way, deciders) = self.behind(self.walker.main(at));
        let mut chain = self.told(&way, limits);
        let shown = chain.deciders();
        chain.decided_unseen = deciders;
        chain.decided_unseen.retain(|decider| !shown.contains(decider));
        Some(chain)
    }

    /// The way from a record to its root, and what decided any link that it goes back to, those nearest to it first.
    fn behind(&mut self, from: usize) -> (Vec<Hop>, Vec<Decider>) {
        let mut needed = RecordSet::of(self.trace);
        needed.add(from);
        let (mut hops, mut way) = (Vec::new(), Vec::new());
        let mut next = Some(from);
        // Causes come first, so one way back over the trace meets all of them.
        for at in (0..=from).rev() {
            if needed.has(at) {
                let is_next = next == Some(at);
                let hop = if is_next { self.walker.hop(at) } else { self.walker.plain_hop(at) };
                hops.push(hop);
                let lead = self.walker.each_cause(hop, |cause| needed.add(cause));
                if is_next {
                    way.push(hop);
                    next = lead;
                }
            }
        }
        let of_chunk = |hops: &[Hop]| {
            let mut known = Known::default();
            hops.iter().for_each(|hop| self.add_deciders(*hop, &mut known));
            known.deciders
        };
        let found: Vec<Vec<Decider>> = hops.par_chunks(CHUNK).map(of_chunk).collect();
        let mut deciders = Vec::new();
        for decider in found.into_iter().flatten() {
            if !deciders.contains(&decider) {
                deciders.push(decider);
            }
        }
        (way, deciders)
    }

    /// One link and where it leads, without the way: what a picture of all chains is drawn from.
    pub fn step(&mut self, record: RecordId) -> Option<Step> {
        let at = record.index().filter(|at| *at < self.trace.records().len())?;
        let hop = self.walker.hop(self.walker.main(at));
        let why = self.walker.why(hop);
        let sides = why.sides.iter().map(|side| (side.role, RecordId::from_index(side.at))).collect();
        let next = why.lead.map(|lead| RecordId::from_index(lead.at));
        Some(Step { link: self.link(hop), next, sides })
    }

    /// A side cause with its own way, until that meets what is told already.
    fn branch(&mut self, at: usize, seen: &mut RecordSet, limit: usize) -> Chain {
        let mut way = self.walker.rootward(at);
        let length = way.len();
        let meets = way.iter().skip(1).position(|hop| seen.has(hop.at()));
        let joins = meets.map(|place| way[place + 1].at());
        way.truncate(meets.map_or(length, |place| place + 1));
        way.iter().flat_map(|hop| hop.tells()).for_each(|at| seen.add(at));
        let (mut chain, shown) = self.folded(&way, limit);
        chain.joins = joins.map(RecordId::from_index);
        chain.links = shown.into_iter().map(|place| self.link(way[place])).collect();
        chain
    }

    /// A chain without its links, and which places of its way are to be shown.
    fn folded(&self, way: &[Hop], limit: usize) -> (Chain, Vec<usize>) {
        let mut chain = Chain { length: way.len(), ..Chain::default() };
        let mut shown = Vec::new();
        flatten(&fold::fold(&self.walker.index, way), &mut shown, &mut chain.folds);
        cut(&mut shown, &mut chain, limit);
        (chain, shown)
    }

    fn link(&mut self, hop: Hop) -> Link {
        let at = hop.at();
        let record = self.trace.records().at(at);
        let entry = timeline::entry(self.trace, &self.setting.timeline, at);
        let decided = self.reason(hop);
        let role = self.walker.why(hop).lead.map_or(Role::Cause, |lead| lead.role);
        let values = decided.map(|reason| values::of(self.trace, reason)).unwrap_or_default();
        let (what, rule) = self.words(decided, entry.what, entry.why);
        Link {
            record: RecordId::from_index(at),
            at: record.at,
            actor: record.actor,
            subject: record.subject,
            what,
            rule,
            values,
            tone: entry.tone,
            decided_by: self.deciders_of(hop),
            role,
            branches: Vec::new(),
        }
    }

    /// What happened and the rule, with the names of what the rule speaks of.
    fn words(&self, reason: Option<Reason>, what: String, rule: String) -> (String, String) {
        let named = reason.and_then(|reason| values::counterpart(self.trace, reason));
        let Some(name) = named else { return (what, rule) };
        if rule.is_empty() { (format!("{what}: {name}"), rule) } else { (what, format!("{rule}: {name}")) }
    }

    /// The decision of a link, its own or the one behind it.
    fn reason(&self, hop: Hop) -> Option<Reason> {
        let rule = hop.rule().map(|rule| self.trace.records().at(rule).what);
        match (self.trace.records().at(hop.at()).what, rule) {
            (What::Decided(reason), _) | (_, Some(What::Decided(reason))) => Some(reason),
            _ => None,
        }
    }

    fn deciders_of(&self, hop: Hop) -> Vec<Decider> {
        let mut known = Known::default();
        self.add_deciders(hop, &mut known);
        known.deciders
    }

    /// Adds what decided a link and is not yet known.
    fn add_deciders(&self, hop: Hop, known: &mut Known) {
        let record = self.trace.records().at(hop.at());
        if let What::Struck { fault, .. } = record.what
            && !known.deciders.contains(&Decider::Fault(fault))
        {
            known.deciders.push(Decider::Fault(fault));
        }
        let mut bases = Vec::new();
        self.walker.bases_of(hop, &mut bases);
        let asked = |base: &usize| self.index().basis(*base).map_or(0, |basis| basis.asked);
        let asked = bases.iter().map(asked).fold(0, |all, asked| all | asked);
        let fixes = self.setting.fixes_at(record.at);
        let [missing, in_force] = &mut known.fixes;
        let fresh = asked & (fixes.bits() & !*in_force | !fixes.bits() & !*missing);
        *in_force |= asked & fixes.bits();
        *missing |= asked & !fixes.bits();
        let decider = |fix| Decider::Fix { fix, in_force: fixes.has(fix) };
        known.deciders.extend(Fixes::from_bits(fresh).iter().map(decider));
    }

    /// The index, for those who choose a record.
    fn index(&self) -> &Index<'a> {
        &self.walker.index
    }
}

impl Chain {
    /// What could be otherwise, anywhere in the chain, each once: those of the main way first.
    pub fn deciders(&self) -> Vec<Decider> {
        let mut found: BTreeMap<Decider, ()> = BTreeMap::new();
        let mut deciders = Vec::new();
        let branches = self.links.iter().flat_map(|link| &link.branches);
        let side = branches.flat_map(|(_, branch)| &branch.links);
        let passes = self.left_alone.iter().flat_map(|left| &left.by).flat_map(|looker| &looker.asked);
        for decider in self.links.iter().chain(side).flat_map(|link| &link.decided_by).chain(passes) {
            if found.insert(*decider, ()).is_none() {
                deciders.push(*decider);
            }
        }
        deciders
    }

    /// All that is known to have decided it: what decided the links that are shown, and then the others.
    pub fn all_deciders(&self) -> Vec<Decider> {
        let mut all = self.deciders();
        let others = self.left_alone.iter().flat_map(|left| &left.at_start).chain(&self.decided_unseen);
        others.for_each(|decider| {
            if !all.contains(decider) {
                all.push(*decider);
            }
        });
        all
    }

    /// Leaves of what could be otherwise only that on which the end hangs.
    pub fn keep_deciders(&mut self, decides: impl Fn(Decider) -> bool) {
        let main = self.links.iter_mut();
        for link in main {
            let sides = link.branches.iter_mut().flat_map(|(_, branch)| &mut branch.links);
            sides.for_each(|link| link.decided_by.retain(|decider| decides(*decider)));
            link.decided_by.retain(|decider| decides(*decider));
        }
        self.decided_unseen.clear();
        if let Some(left) = &mut self.left_alone {
            left.by.iter_mut().for_each(|looker| looker.asked.retain(|decider| decides(*decider)));
            left.at_start.retain(|decider| decides(*decider));
        }
    }
}

/// Of so many links one thread looks for what decided them.
const CHUNK: usize = 1 << 12;

/// Which records are told already: one bit each.
struct RecordSet(Vec<u64>);

impl RecordSet {
    fn of(trace: &Trace) -> Self {
        Self(vec![0; trace.records().len().div_ceil(64)])
    }
    fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }
    fn add(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }
}

/// Puts the links of folded items in a row, and notes the blocks among them.
fn flatten(items: &[Item], shown: &mut Vec<usize>, folds: &mut Vec<Fold>) {
    for item in items {
        match item {
            Item::Link(place) => shown.push(*place as usize),
            Item::Block(block) => {
                let first = shown.len();
                flatten(&block.body, shown, folds);
                folds.push(Fold {
                    first,
                    last: shown.len() - 1,
                    times: block.times,
                    every: block.every,
                    back_to: block.back_to,
                });
            }
        }
    }
}

/// Leaves out the middle of what is too long: the end and the root stay.
fn cut(shown: &mut Vec<usize>, chain: &mut Chain, limit: usize) {
    let limit = limit.max(2);
    // One link takes no more room than a word about it.
    if shown.len() <= limit.saturating_add(1) {
        return;
    }
    let tail = (limit / 3).max(1);
    let head = limit - tail;
    let gap = shown.len() - limit;
    shown.drain(head..head + gap);
    chain.left_out = Some((head - 1, gap));
    chain.folds.retain(|fold| fold.last < head || fold.first >= head + gap);
    for fold in chain.folds.iter_mut().filter(|fold| fold.first >= head) {
        fold.first -= gap;
        fold.last -= gap;
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_evidence;
