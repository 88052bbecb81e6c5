//! The walk: from a record back to its root, link by link.
//!
//! A link is an occurrence – a write, the decision behind it and the fields it changed – and its causes are
//! what set it off and what it went by; of these the latest leads on, for with it the last condition was met.
//! It makes no texts.

use crate::kernel::RecordId;
use crate::trace::{Record, What, decision};

use super::class;
use super::evidence::{Because, Evidence, Role};
use super::index::Index;
use super::likeness::Likenesses;

/// One hop of a way: as small as can be, for there may be hundreds of thousands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    at: u32,
    /// [`NOTHING`] when there is none.
    rule: u32,
    likeness: u32,
}

impl Hop {
    /// The main record of the link.
    pub(super) fn at(self) -> usize {
        self.at as usize
    }
    /// The decision behind it, when that is another record.
    pub(super) fn rule(self) -> Option<usize> {
        (self.rule != NOTHING).then_some(self.rule as usize)
    }
    /// The same number for all links that say the same but for times and numbers.
    pub(super) fn likeness(self) -> u32 {
        self.likeness
    }
    /// The records that it tells.
    pub(super) fn tells(self) -> impl Iterator<Item = usize> {
        std::iter::once(self.at()).chain(self.rule())
    }
}

/// Why a link came about.
pub(super) struct Why {
    /// What leads on, and in which way it was needed.
    pub(super) lead: Option<Because>,
    /// What else was needed.
    pub(super) sides: Vec<Because>,
}

/// Walks one trace; remembers what is behind bookkeeping.
pub(super) struct Walker<'a> {
    pub(super) index: Index<'a>,
    /// For each record that was passed over: 1 + what is behind it, or [`NOTHING`].
    behind: Vec<u32>,
    /// Room for the causes of one link, used again for the next.
    causes: Vec<Because>,
    passed: Vec<usize>,
    bases: Vec<usize>,
    likenesses: Likenesses,
}

const NOTHING: u32 = u32::MAX;

impl<'a> Walker<'a> {
    pub(super) fn new(index: Index<'a>) -> Self {
        let records = index.trace().records().len();
        let (causes, passed, bases) = Default::default();
        Self { index, behind: vec![0; records], causes, passed, bases, likenesses: Likenesses::new() }
    }

    /// The main record of the occurrence that a record belongs to.
    pub(super) fn main(&self, at: usize) -> usize {
        let record = self.index.record(at);
        match record.what {
            What::Set { .. } => record.cause.index().unwrap_or(at),
            _ => at,
        }
    }

    /// The way from a record to its root, that record first.
    pub(super) fn rootward(&mut self, from: usize) -> Vec<Hop> {
        let mut way = Vec::new();
        let mut next = Some(self.main(from));
        while let Some(at) = next {
            let hop = self.hop(at);
            way.push(hop);
            next = self.each_cause(hop, |_| ());
        }
        way
    }

    /// The link whose main record that is.
    pub(super) fn hop(&mut self, at: usize) -> Hop {
        let hop = self.plain_hop(at);
        let likeness = self.likenesses.number(&self.index, at, hop.rule());
        Hop { likeness, ..hop }
    }

    /// The same for those who never fold: its likeness is left out.
    pub(super) fn plain_hop(&self, at: usize) -> Hop {
        let record = self.index.record(at);
        let rule = if is_write(&record) { decision(self.index.trace(), &record) } else { None };
        Hop { at: at as u32, rule: rule.map_or(NOTHING, |(rule, _)| rule as u32), likeness: 0 }
    }

    /// Everything that a link needed, in no order and maybe twice; gives what leads on.
    pub(super) fn each_cause(&mut self, hop: Hop, with: impl FnMut(usize)) -> Option<usize> {
        let causes = self.causes(hop);
        causes.iter().map(|because| because.at).for_each(with);
        let lead = lead(&causes).map(|place| causes[place].at);
        self.give_back(causes);
        debug_assert!(lead.is_none_or(|lead| lead < hop.at()), "causes come first");
        lead
    }

    /// Why one link came about.
    pub(super) fn why(&mut self, hop: Hop) -> Why {
        let mut causes = self.causes(hop);
        let lead = lead(&causes).map(|place| causes.swap_remove(place));
        causes.retain(|because| lead.is_some_and(|lead| lead.at != because.at));
        // One record may be needed in two ways; what it was needed for says more than that it came before.
        causes.sort_by_key(|because| (because.at, because.role == Role::Cause, because.role));
        causes.dedup_by_key(|because| because.at);
        let sides = causes.clone();
        self.give_back(causes);
        Why { lead, sides }
    }

    fn give_back(&mut self, mut room: Vec<Because>) {
        room.clear();
        self.causes = room;
    }

    /// The records in which it stands what a link was taken from: its own, that of the decision behind it, and of
    /// those before it that only pass on what is behind them.
    pub(super) fn bases_of(&self, hop: Hop, bases: &mut Vec<usize>) {
        let mut at = hop.at();
        bases.extend(self.index.busy.get(&at));
        loop {
            bases.push(at);
            let Some(cause) = self.index.record(at).cause.index() else { return };
            let What::Decided(reason) = self.index.record(cause).what else { return };
            if Some(cause) != hop.rule() && !class::is_bookkeeping(reason) {
                return;
            }
            at = cause;
        }
    }

    fn causes(&mut self, hop: Hop) -> Vec<Because> {
        let at = hop.at();
        let base = hop.rule().unwrap_or(at);
        let decided = self.index.record(base);
        let mut bases = std::mem::take(&mut self.bases);
        self.bases_of(hop, &mut bases);
        let mut evidence = Evidence::new(&mut self.index, base, std::mem::take(&mut self.causes));
        // What a busy worker decided next lies ahead.
        bases.retain(|record| *record <= at);
        let woken = evidence.of_bases(&bases);
        bases.clear();
        match decided.what {
            What::Decided(reason) => reason.speaks_of().into_iter().for_each(|holder| evidence.of_holder(holder)),
            What::Broken { invariant, detail } => evidence.of_violation(decided.subject, invariant, &detail),
            What::RequestFailed { error, .. } => evidence.of_request(decided.subject, error),
            What::CallFailed { point, .. } => evidence.of_failed_call(decided.subject, point),
            // What else there is happens for its cause alone.
            _ => {}
        }
        let mut causes = evidence.found();
        self.bases = bases;
        for because in &mut causes {
            because.at = self.main(because.at);
        }
        let woken = woken.and_then(|woken| self.visible(woken));
        causes.extend(woken.map(|at| Because { at, role: Role::Awaited, leads: false }));
        let cause = self.visible(decided.cause);
        causes.extend(cause.map(|at| Because { at, role: Role::Cause, leads: false }));
        causes.retain(|because| because.at < base && because.at != at);
        causes
    }

    /// The first thing worth telling, from a cause on.
    fn visible(&mut self, cause: RecordId) -> Option<usize> {
        let mut at = self.main(cause.index()?);
        let found = loop {
            match self.behind[at] {
                0 => {}
                NOTHING => break None,
                known => break Some(known as usize - 1),
            }
            let record = self.index.record(at);
            if !self.is_bookkeeping(at, &record) {
                break Some(at);
            }
            self.passed.push(at);
            match record.cause.index() {
                Some(cause) => at = self.main(cause),
                None => break None,
            }
        };
        let mark = found.map_or(NOTHING, |found| found as u32 + 1);
        self.passed.drain(..).for_each(|at| self.behind[at] = mark);
        found
    }

    /// Whether a record only passes on what is behind it.
    fn is_bookkeeping(&self, at: usize, record: &Record) -> bool {
        match record.what {
            What::Decided(reason) => class::is_bookkeeping(reason),
            What::Patched { .. } => {
                let sets = self.index.trace().records().range(at + 1..);
                let mut sets = sets.take_while(|set| is_set_of(set, at));
                !sets.any(|set| class::is_telling(&set))
            }
            What::Drawn { .. } | What::Called { .. } => true,
            _ => false,
        }
    }
}

/// The place of the cause that leads on: one that is meant to, else the latest.
fn lead(causes: &[Because]) -> Option<usize> {
    (0..causes.len()).max_by_key(|place| (causes[*place].leads, causes[*place].at))
}

fn is_set_of(record: &Record, write: usize) -> bool {
    matches!(record.what, What::Set { .. }) && record.cause.index() == Some(write)
}

fn is_write(record: &Record) -> bool {
    matches!(record.what, What::Created { .. } | What::Patched { .. } | What::Deleted { .. })
}
