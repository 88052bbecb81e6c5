//! An index of a trace: which records are about what, and what belongs to what.
//!
//! Made in one pass over the records, nine bytes a record and a few for each entity, so that an explanation
//! looks things up instead of searching. It knows records only, and answers "the last such record before that
//! one".

use std::collections::BTreeMap;

use crate::model::{AnyStatus, Field, Kind, Name, SandboxStatus, Subject, Value, slot};
use crate::trace::evidence::Basis;
use crate::trace::{Record, Trace, What, decision};

use super::class;
use super::reading::{self, Notes, Relation, unpack};

/// Positions of the records of one subject, or of the members of one group, in order.
type Places = Vec<u32>;

/// The index of one trace.
pub(super) struct Index<'a> {
    trace: &'a Trace,
    /// For each kind, where the records of each of its subjects begin in `places`.
    begins: [Vec<u32>; Kind::ALL.len()],
    places: Places,
    /// The class of each record.
    classes: Vec<u8>,
    /// For each record 1 + the row of what it was decided from, or 0.
    bases: Vec<u32>,
    /// For each kind, what each of its subjects belongs to; a lease to its sandbox, and to a disk besides.
    parents: [Vec<Option<Subject>>; Kind::ALL.len()],
    disks: Vec<Option<Subject>>,
    /// What happened to the things that belong to one; the nodes belong to the cluster.
    members: BTreeMap<Subject, Places>,
    /// The last answers to "who wrote this field" and "what happened last", with what was asked: positions only go
    /// back, so one is often good for the next question.
    writes: BTreeMap<(Subject, Field), (usize, Option<usize>)>,
    lasts: BTreeMap<(Subject, u8), (usize, Option<usize>)>,
    /// What workers had decided when something waited for their turn, and what they decided next.
    pub(super) busy: BTreeMap<usize, usize>,
}

impl<'a> Index<'a> {
    pub(super) fn new(trace: &'a Trace) -> Self {
        let mut index = Self {
            trace,
            begins: Default::default(),
            places: Vec::new(),
            classes: Vec::new(),
            bases: trace.evidence().places(trace.records().len()),
            parents: Default::default(),
            disks: Vec::new(),
            members: BTreeMap::new(),
            writes: BTreeMap::new(),
            lasts: BTreeMap::new(),
            busy: BTreeMap::new(),
        };
        index.place();
        index
    }

    /// What a record was decided from, where that is known.
    pub(super) fn basis(&self, at: usize) -> Option<Basis<'a>> {
        let row = self.bases[at].checked_sub(1)?;
        Some(self.trace.evidence().basis(row as usize))
    }

    /// Sorts the positions by subject: counts first, then fills.
    fn place(&mut self) {
        let records = self.trace.records();
        let Notes { subjects, classes, relations } = reading::read(records);
        self.classes = classes;
        relations.into_iter().flatten().for_each(|relation| self.relate(relation));

        let mut counts: [Vec<u32>; Kind::ALL.len()] = Default::default();
        for (kind, index) in subjects.iter().map(|subject| unpack(*subject)) {
            if counts[kind].len() <= index + 1 {
                counts[kind].resize(index + 2, 0);
            }
            counts[kind][index + 1] += 1;
        }
        let mut begin = 0;
        for (begins, mut counts) in self.begins.iter_mut().zip(counts) {
            for count in &mut counts {
                begin += *count;
                *count = begin;
            }
            *begins = counts;
        }
        self.places = vec![0; records.len()];
        let mut next = self.begins.clone();
        for (at, (kind, index)) in (0..).zip(subjects.iter().map(|subject| unpack(*subject))) {
            let place = &mut next[kind][index];
            self.places[*place as usize] = at;
            *place += 1;
        }
    }

    /// Takes down who belongs to whom, and what happened to those who do.
    fn relate(&mut self, Relation { at, subject, owner }: Relation) {
        let Some(owner) = owner else {
            let [parent, disk] = self.owners(subject);
            for owner in [parent, disk].into_iter().flatten() {
                self.members.entry(owner).or_default().push(at);
            }
            return;
        };
        let owners = match owner.kind {
            Kind::Disk => &mut self.disks,
            _ => &mut self.parents[subject.kind as usize],
        };
        *slot(owners, subject.index, None) = Some(owner);
        self.members.entry(owner).or_default().push(at);
    }

    /// What a thing belongs to.
    fn owners(&self, subject: Subject) -> [Option<Subject>; 2] {
        let disk = || self.disks.get(subject.index as usize).copied().flatten();
        match subject.kind {
            Kind::Node => [Some(Subject::CLUSTER), None],
            Kind::Lease => [self.parent(subject), disk()],
            _ => [self.parent(subject), None],
        }
    }

    /// Whether a thing belongs to another.
    pub(super) fn is_of(&self, subject: Subject, owner: Subject) -> bool {
        self.owners(subject).contains(&Some(owner))
    }

    pub(super) fn trace(&self) -> &'a Trace {
        self.trace
    }

    pub(super) fn record(&self, at: usize) -> Record {
        self.trace.records().at(at)
    }

    /// The positions of a subject's records before `before`, in order.
    fn of(&self, subject: Subject, before: usize) -> &[u32] {
        let begins = &self.begins[subject.kind as usize];
        let index = subject.index as usize;
        let Some((begin, end)) = begins.get(index).zip(begins.get(index + 1)) else { return &[] };
        let all = &self.places[*begin as usize..*end as usize];
        &all[..all.partition_point(|at| (*at as usize) < before)]
    }

    /// The last record about a subject, before that one, of one of these classes.
    pub(super) fn last(&self, subject: Subject, before: usize, of: u8) -> Option<usize> {
        self.last_that(subject, before, of, |_| true)
    }

    /// The same that is so.
    pub(super) fn last_that(
        &self,
        subject: Subject,
        before: usize,
        of: u8,
        is: impl Fn(&Record) -> bool,
    ) -> Option<usize> {
        self.find(self.of(subject, before).iter().rev(), of, is)
    }

    /// The first of these records that is so. The classes fit the cache, the records do not.
    fn find<'p>(
        &self,
        mut places: impl Iterator<Item = &'p u32>,
        of: u8,
        is: impl Fn(&Record) -> bool,
    ) -> Option<usize> {
        let found = places.find(|at| self.classes[**at as usize] & of != 0 && is(&self.record(**at as usize)));
        found.map(|at| *at as usize)
    }

    /// The first time after a record that somebody took up a subject.
    pub(super) fn next_turn(&self, subject: Subject, after: usize) -> Option<usize> {
        let all = self.of(subject, usize::MAX);
        let past = all.partition_point(|at| *at as usize <= after);
        self.find(all[past..].iter(), class::TURN, |_| true)
    }

    /// The last record about a subject up to an instant, when there is one.
    pub(super) fn last_any(&self, subject: Subject, before: usize) -> Option<usize> {
        self.of(subject, before).last().map(|at| *at as usize)
    }

    /// The same as [`Self::last`] for callers that ask again and again, going back in time: the records of a thing that
    /// is only looked at for days are searched once.
    pub(super) fn last_again(&mut self, subject: Subject, before: usize, of: u8) -> Option<usize> {
        let search = |index: &Self| index.last(subject, before, of);
        if self.of(subject, before).len() <= FEW {
            return search(self);
        }
        let known = self.lasts.get(&(subject, of)).copied();
        let found = still_good(known, before).unwrap_or_else(|| search(self));
        self.lasts.insert((subject, of), (before, found));
        found
    }

    /// The record of the last write of a field before that record.
    pub(super) fn last_write(&mut self, subject: Subject, field: Field, before: usize) -> Option<usize> {
        let search = |index: &Self| {
            index.last_that(subject, before, class::SET, |r| matches!(r.what, What::Set { field: f, .. } if f == field))
        };
        if self.of(subject, before).len() <= FEW {
            return search(self);
        }
        let known = self.writes.get(&(subject, field)).copied();
        let found = still_good(known, before).unwrap_or_else(|| search(self));
        self.writes.insert((subject, field), (before, found));
        found
    }

    /// Whether anything belongs to it.
    pub(super) fn has_members(&self, owner: Subject) -> bool {
        self.members.contains_key(&owner)
    }

    /// Whether a record is of one of these classes.
    pub(super) fn is(&self, at: usize, of: u8) -> bool {
        self.classes[at] & of != 0
    }

    /// The last that happened to things of a kind that belong to another, before that record,
    /// of one of these classes.
    pub(super) fn last_of(&self, owner: Subject, kind: Kind, before: usize, of: u8) -> Option<usize> {
        let members = self.members.get(&owner)?;
        let members = &members[..members.partition_point(|at| (*at as usize) < before)];
        self.find(members.iter().rev(), of, |r| r.subject.kind == kind)
    }

    /// The last that happened to a sandbox of a pool that does not run, before that record, and to any if all do.
    pub(super) fn unrest(&self, pool: Subject, before: usize) -> Option<usize> {
        let any = class::CHANGE | class::EVENT;
        let runs = |at: usize| {
            let status = |r: &Record| matches!(r.what, What::Set { field: Field::Status, .. });
            let last = self.last_that(self.record(at).subject, before, class::SET, status);
            last.is_some_and(|last| matches!(self.record(last).what, What::Set { to, .. } if to == RUNNING))
        };
        let mut at = self.last_of(pool, Kind::Sandbox, before, any);
        let last = at;
        for _ in 0..LOOKED_BACK_MAX {
            match at {
                Some(found) if runs(found) => at = self.last_of(pool, Kind::Sandbox, found, any),
                Some(found) => return Some(found),
                None => break,
            }
        }
        last
    }

    /// What a subject belongs to: a sandbox to its pool, a pool to its app, a lease to its sandbox.
    pub(super) fn parent(&self, subject: Subject) -> Option<Subject> {
        *self.parents[subject.kind as usize].get(subject.index as usize)?
    }

    /// The app that a subject belongs to in the end: a disk to that of the boot that made it.
    pub(super) fn app(&self, subject: Subject) -> Option<Subject> {
        let mut at = subject;
        if subject.kind == Kind::Disk {
            let birth = self.last(subject, usize::MAX, class::BIRTH)?;
            let (made, _) = decision(self.trace, &self.record(birth))?;
            at = self.record(made).subject;
        }
        // Lease, sandbox, pool, app: no way up is longer.
        for _ in 0..4 {
            if at.kind == Kind::App {
                return Some(at);
            }
            at = self.parent(at)?;
        }
        None
    }

    /// The subject of that name.
    pub(super) fn named(&self, name: &str) -> Option<Subject> {
        Kind::ALL.iter().find_map(|kind| {
            let place = self.trace.names_of(*kind).iter().position(|known| **known == *name)?;
            Some(Subject { kind: *kind, index: place as u32 })
        })
    }

    /// Every name that a record can be about.
    pub(super) fn names(&self) -> impl Iterator<Item = Name> + '_ {
        Kind::ALL.iter().flat_map(|kind| self.trace.names_of(*kind)).copied()
    }
}

const RUNNING: Value = Value::Status(AnyStatus::Sandbox(SandboxStatus::Running));
/// How far it is looked back for a sandbox that does not run.
const LOOKED_BACK_MAX: usize = 1000;
/// What was found for a later record, if it is what would be found now.
fn still_good(known: Option<(usize, Option<usize>)>, before: usize) -> Option<Option<usize>> {
    let (asked, found) = known?;
    (before <= asked && found.is_none_or(|found| found < before)).then_some(found)
}

/// Among so few records of a subject a search is as fast as remembering what was found.
const FEW: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::testing::{Maker, t};

    #[test]
    fn the_last_of_a_subject_is_found_and_never_one_of_its_neighbour() {
        let mut m = Maker::new();
        let (app, pool) = m.pool(1);
        let first = m.stuck_life(pool, 0, t("1s"), 6);
        let second = m.stuck_life(pool, 1, t("10m"), 6);
        let index = Index::new(&m.trace);
        let end = m.trace.records().len();
        for subject in [app, pool, first, second] {
            let all: Vec<usize> = (0..end).filter(|at| m.trace.records().at(*at).subject == subject).collect();
            let placed: Vec<usize> = index.of(subject, end).iter().map(|at| *at as usize).collect();
            assert_eq!(placed, all);
            assert_eq!(index.last_any(subject, all[1] + 1), Some(all[1]));
            assert_eq!(index.last_any(subject, all[0]), None);
        }
        assert_eq!(index.app(second), Some(app));
        assert_eq!(index.named("sandbox/pds-database-1"), Some(second));
        let nobody = Subject { kind: Kind::Lease, index: 7 };
        assert_eq!(index.last_any(nobody, end), None);
    }

    #[test]
    fn the_writer_of_a_field_is_the_same_whether_it_was_asked_for_before_or_not() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        // More than are searched each time.
        for n in 2..200 {
            let from = Value::Int(n - 1);
            m.patch(pool, crate::kernel::RecordId::NONE, &[(Field::DesiredInstances, from, Value::Int(n))]);
        }
        let end = m.trace.records().len();
        let mut asked = Index::new(&m.trace);
        for before in (0..=end).rev().chain(0..=end) {
            let fresh = Index::new(&m.trace).last_write(pool, Field::DesiredInstances, before);
            assert_eq!(asked.last_write(pool, Field::DesiredInstances, before), fresh, "{before}");
            let of = class::CHANGE | class::EVENT;
            assert_eq!(asked.last_again(pool, before, of), asked.last(pool, before, of), "{before}");
        }
    }
}
