//! The walk: from a record back to its root, link by link.
//!
//! A link is an occurrence – a write, the decision behind it and the fields it changed – and its
//! causes are what set it off and what it went by; of these the latest leads on, for with it the
//! last condition was met. It makes no texts. What a newcomer gets wrong: bookkeeping
//! (reconciles, counts, own addresses) is passed over, but never lost: what is behind it leads on.

use crate::kernel::RecordId;
use crate::model::{Field, Reason, Value};
use crate::trace::{Record, What, decision};
use crate::world::spec::Invariant;

use super::evidence::{Because, Evidence, Role};
use super::index::Index;

/// One link, as positions in the trace.
#[derive(Clone, Debug)]
pub(super) struct Station {
    /// The main record.
    pub(super) at: usize,
    /// The decision behind it, when that is another record.
    pub(super) rule: Option<usize>,
    /// In which way the next one (the cause) was needed.
    pub(super) role: Role,
    /// What else was needed.
    pub(super) sides: Vec<Because>,
}

impl Station {
    /// The records that it tells.
    pub(super) fn tells(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.at).chain(self.rule)
    }
}

/// Walks one trace; remembers what is behind bookkeeping.
pub(super) struct Walker<'a> {
    pub(super) index: Index<'a>,
    /// For each record that was passed over: 1 + what is behind it, or [`NOTHING`].
    behind: Vec<u32>,
    /// Room for the causes of one link, used again for the next.
    causes: Vec<Because>,
    passed: Vec<usize>,
}

const NOTHING: u32 = u32::MAX;

impl<'a> Walker<'a> {
    pub(super) fn new(index: Index<'a>) -> Self {
        let records = index.trace().records().len();
        Self { index, behind: vec![0; records], causes: Vec::new(), passed: Vec::new() }
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
    pub(super) fn rootward(&mut self, from: usize) -> Vec<Station> {
        let mut way = Vec::new();
        let mut next = Some(self.main(from));
        while let Some(at) = next {
            let (station, cause) = self.station(at);
            debug_assert!(cause.is_none_or(|cause| cause < at), "causes come first");
            way.push(station);
            next = cause.filter(|cause| *cause < at);
        }
        way
    }

    /// One link, and its leading cause.
    pub(super) fn station(&mut self, at: usize) -> (Station, Option<usize>) {
        let record = *self.index.record(at);
        let rule = decision(self.index.trace(), &record).map(|(rule, _)| rule).filter(|_| is_write(&record));
        let base = rule.unwrap_or(at);
        let mut causes = self.causes(at, base);
        let place = (0..causes.len()).max_by_key(|place| (causes[*place].leads, causes[*place].at));
        let lead = place.map(|place| causes.swap_remove(place));
        causes.retain(|because| lead.is_some_and(|lead| lead.at != because.at));
        // One record may be needed in two ways; what it was needed for says more than that it came before.
        causes.sort_by_key(|because| (because.at, because.role == Role::Cause, because.role));
        causes.dedup_by_key(|because| because.at);
        let sides = causes.as_slice().to_vec();
        causes.clear();
        self.causes = causes;
        let role = lead.map_or(Role::Cause, |lead| lead.role);
        (Station { at, rule, role, sides }, lead.map(|lead| lead.at))
    }

    fn causes(&mut self, at: usize, base: usize) -> Vec<Because> {
        let decided = *self.index.record(base);
        let mut evidence = Evidence::new(&mut self.index, base, std::mem::take(&mut self.causes));
        match decided.what {
            What::Decided(reason) => evidence.of_reason(decided.subject, reason),
            What::Broken { invariant, detail } => {
                if let Some(invariant) = Invariant::named(invariant) {
                    evidence.of_violation(decided.subject, invariant, &detail);
                }
            }
            What::RequestFailed { .. } => evidence.of_request(decided.subject),
            // What else there is happens for its cause alone.
            _ => {}
        }
        let mut causes = evidence.found();
        for because in &mut causes {
            because.at = self.main(because.at);
        }
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
            if !self.is_bookkeeping(at, record) {
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
            What::Decided(reason) => matches!(
                reason,
                Reason::Reconcile { .. }
                    | Reason::Counted { .. }
                    | Reason::NodeChosen { .. }
                    | Reason::AddressTaken
                    | Reason::DiskChanged
                    | Reason::DiskNotReady
                    | Reason::PoolReused { .. }
                    | Reason::CleanUp
                    | Reason::CleanedUp
                    | Reason::HandlerFailed { .. }
            ),
            What::Patched { .. } => {
                let sets = self.index.trace().records()[at + 1..].iter();
                let mut sets = sets.take_while(|set| is_set_of(set, at));
                !sets.any(is_telling)
            }
            What::Drawn { .. } | What::Called { .. } => true,
            _ => false,
        }
    }
}

fn is_set_of(record: &Record, write: usize) -> bool {
    matches!(record.what, What::Set { .. }) && record.cause.index() == Some(write)
}

fn is_write(record: &Record) -> bool {
    matches!(record.what, What::Created { .. } | What::Patched { .. } | What::Deleted { .. })
}

/// Whether a changed field is worth telling.
fn is_telling(set: &Record) -> bool {
    let What::Set { field, from, to } = set.what else { return false };
    from != to
        && match field {
            Field::Status
            | Field::DesiredInstances
            | Field::ConsecutiveCrashCount
            | Field::CooldownUntil
            | Field::ActiveVersion
            | Field::CreatedBy => true,
            Field::ReferencedByVersions => to == Value::Int(0),
            // What is counted, noted down or only passed on.
            _ => false,
        }
}
