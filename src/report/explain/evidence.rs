//! Evidence: what a link went by, besides the record that set it off.
//!
//! What a decision looked at stands in the trace's side table ([`crate::trace::evidence`]); here it
//! is looked up what each look showed, what ended a wait, and who had the thing that was wanted. It
//! knows no rule and no controller. What a newcomer gets wrong: a resync names the entity's last
//! write as its cause, which is seldom *why* it acted; what it saw is.

use crate::kernel::RecordId;
use crate::model::words::words;
use crate::model::{AnyStatus, Field, Invariant, Kind, Point, RequestError, Subject, Value};
use crate::trace::evidence::{Basis, Look};
use crate::trace::{Record, What};

use super::class;
use super::index::Index;

words!(
    /// In which way an earlier record was needed.
    Role {
        /// It set off what followed.
        Cause = "set off by",
        /// It said how many there should be.
        Wanted = "how many were wanted",
        /// It began the cooldown.
        Cooldown = "since when it cooled down",
        /// It is what became of the things that were listed.
        Members = "what became of those it listed",
        /// It is who had what was wanted.
        Holder = "who had it",
        /// It is the end of what this belongs to.
        OwnerGone = "the end of its owner",
        /// It is how the thing came to be.
        Birth = "how it came to be",
        /// It is what had happened to the thing.
        Happened = "what had happened to it",
        /// It is what had happened to another thing that was looked at.
        Found = "what it found",
        /// It is what was looked for again and again, and had not changed.
        InVain = "what it waited for in vain",
        /// It ended a wait.
        Awaited = "what it waited for",
        /// It is what a worker had begun and not ended, for whose turn this waited.
        Busy = "what its worker was still busy with",
    }
);

/// An earlier record that was needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Because {
    pub(super) at: usize,
    pub(super) role: Role,
    /// Whether the story follows it, even when another came later.
    pub(super) leads: bool,
}

/// Collects evidence for one record.
pub(super) struct Evidence<'i, 'a> {
    index: &'i mut Index<'a>,
    /// Only what came before that record counts.
    before: usize,
    found: Vec<Because>,
}

impl<'i, 'a> Evidence<'i, 'a> {
    /// Collects into `found`, which must be empty.
    pub(super) fn new(index: &'i mut Index<'a>, before: usize, found: Vec<Because>) -> Self {
        debug_assert!(found.is_empty(), "what it holds belongs to another record");
        Self { index, before, found }
    }

    pub(super) fn found(self) -> Vec<Because> {
        self.found
    }

    fn add(&mut self, role: Role, at: Option<usize>) {
        self.found.extend(at.map(|at| Because { at, role, leads: false }));
    }

    /// What records were taken from, as their task saw it – the link's own, and those that pass on what is behind
    /// them; gives what woke it.
    pub(super) fn of_bases(&mut self, bases: &[usize]) -> Option<RecordId> {
        let (mut woken, mut saw_itself) = (None, false);
        for &record in bases {
            let Some(basis) = self.index.basis(record) else { continue };
            let subject = self.index.record(record).subject;
            basis.looks.iter().for_each(|look| saw_itself |= self.of_look(subject, look));
            woken = woken.or(Some(basis.woken).filter(|woken| *woken != RecordId::NONE));
        }
        // Else it is as the event showed it that was taken up.
        let turn = bases.last().filter(|at| self.index.is(**at, class::TURN) && !saw_itself);
        if let Some(turn) = turn {
            let last = self.index.last_again(self.index.record(*turn).subject, *turn, class::CHANGE | class::EVENT);
            self.add(Role::Happened, last);
        }
        woken
    }

    /// What a look showed to a decision about a subject; true when that is what it saw.
    fn of_look(&mut self, subject: Subject, look: &Look) -> bool {
        let Look { at, listed, real, first, last } = *look;
        let (first, last) = (first as usize, (last as usize).min(self.before));
        let is_own = match listed {
            None => at == subject,
            Some(kind) => subject.kind == kind && (at == Subject::CLUSTER || self.index.is_of(subject, at)),
        };
        // The store shows what was written, and nothing else; in vain one waits for what becomes of a thing.
        let shown = if real { class::EVENT } else { class::CHANGE };
        let any = class::CHANGE | class::EVENT;
        if let Some(kind) = listed.filter(|_| !is_own) {
            // Some list by what the owner is made from.
            let owner = if self.index.has_members(at) { at } else { subject };
            let seen = self.index.last_of(owner, kind, last, shown);
            match seen.is_some_and(|seen| seen >= first) {
                true => self.add(Role::Awaited, seen),
                false if first < last => self.add(Role::InVain, self.index.last_of(owner, kind, last, any)),
                false => self.add(Role::Members, seen),
            }
            if let Some(seen) = seen {
                self.of_owner(self.index.record(seen).subject, last);
            }
            return false;
        }
        let of = if is_own { subject } else { at };
        let seen = self.index.last_again(of, last, shown);
        match (seen.is_some_and(|seen| seen >= first), is_own) {
            (true, _) => self.add(Role::Awaited, seen),
            (false, true) => {
                let happened = self.index.last_again(of, last, any);
                self.add(Role::Happened, happened);
            }
            (false, false) if first < last => {
                let unchanged = self.index.last_again(of, last, any);
                self.add(Role::InVain, unchanged);
                self.waits_for_turn(of);
            }
            (false, false) => self.add_found(seen),
        }
        if of.kind == Kind::Pool {
            for (role, field) in [(Role::Wanted, Field::DesiredInstances), (Role::Cooldown, Field::CooldownUntil)] {
                let write = self.index.last_write(of, field, last);
                self.add(role, write.filter(|at| Some(*at) != seen));
            }
        }
        is_own && !real
    }

    /// What another thing showed; of several of a kind the last to change. That one is as it was made tells nothing.
    fn add_found(&mut self, seen: Option<usize>) {
        let Some(at) = seen.filter(|at| !self.index.is(*at, class::BIRTH)) else { return };
        let index = &*self.index;
        let alike = |known: &&mut Because| {
            known.role == Role::Found && index.record(known.at).subject.kind == index.record(at).subject.kind
        };
        match self.found.iter_mut().find(alike) {
            Some(known) => known.at = known.at.max(at),
            None => self.add(Role::Found, Some(at)),
        }
    }

    /// The end of what a thing belongs to, if that came.
    fn of_owner(&mut self, subject: Subject, before: usize) {
        let Some(owner) = self.index.parent(subject).or_else(|| self.index.app(subject)) else { return };
        let end = self.index.last_again(owner, before, class::CHANGE);
        self.add(Role::OwnerGone, end.filter(|at| has_left(&self.index.record(*at))));
    }

    /// A call that failed by itself: who made it last with success, and what became of them.
    pub(super) fn of_failed_call(&mut self, subject: Subject, failed: Point) {
        let is = |r: &Record| matches!(r.what, What::Called { point, .. } if point == failed);
        let Some(call) = self.index.last_that(subject, self.before, class::CALL, is) else { return };
        if let Some(for_whom) = self.index.record(call).cause.index() {
            self.of_holder(self.index.record(for_whom).subject);
        }
    }

    /// The last thing that happened to the holder of what was wanted.
    pub(super) fn of_holder(&mut self, holder: Subject) {
        let last = self.index.last_again(holder, self.before, class::CHANGE);
        self.add(Role::Holder, last);
    }

    /// What a thing's last change waits for, when nobody has come to it yet: the worker that took it up later was
    /// still busy.
    fn waits_for_turn(&mut self, subject: Subject) {
        let Some(turn) = self.index.next_turn(subject, self.before) else { return };
        let set_off = self.index.record(turn).cause.index().filter(|cause| *cause < self.before);
        let Some(set_off) = set_off else { return };
        if self.index.last_again(subject, self.before, class::TURN).is_some_and(|turn| turn > set_off) {
            return;
        }
        let Some(Basis { before, queued: true, .. }) = self.index.basis(turn) else { return };
        let (mut held, mut next) = (before.index(), turn);
        while let Some(at) = held.filter(|at| *at >= self.before) {
            (held, next) = (self.index.basis(at).and_then(|basis| basis.before.index()), at);
        }
        self.add(Role::Happened, Some(set_off));
        if let Some(at) = held {
            self.index.busy.insert(at, next);
            self.found.push(Because { at, role: Role::Busy, leads: true });
        }
    }

    /// What makes a broken invariant broken, besides the record that the judge names.
    pub(super) fn of_violation(&mut self, subject: Subject, invariant: Invariant, detail: &str) {
        // What does not come to rest is told by all that is tried, everything else by what was written.
        let is_progress = invariant == Invariant::Progress;
        let told = if is_progress { class::CHANGE | class::EVENT } else { class::CHANGE };
        let last = self.index.last_again(subject, self.before, told);
        if invariant != Invariant::NothingOutlivesItsApp {
            self.add(Role::Happened, last.filter(|_| !is_progress));
        } else {
            // That it was made as it was made is the story; that the app ended is its occasion.
            let birth = self.index.last_again(subject, self.before, class::BIRTH);
            self.found.extend(birth.map(|at| Because { at, role: Role::Birth, leads: true }));
        }
        // The address that it is about, and no other that the thing has taken.
        let is_named =
            |r: &Record| matches!(r.what, What::AddressTaken(address) if is_in(detail, &address.to_string()));
        let taken = self.index.last_that(subject, self.before, class::ADDRESS, is_named);
        self.add(Role::Holder, taken);
        self.of_owner(subject, self.before);
        let before = self.before;
        let members = |index: &Index<'_>, of| {
            [Kind::Sandbox, Kind::Lease].iter().filter_map(|kind| index.last_of(of, *kind, before, told)).max()
        };
        if matches!(invariant, Invariant::NoOvershoot | Invariant::PoolWithinMaxSize | Invariant::OneBoundLeasePerDisk)
        {
            let last = members(self.index, subject);
            self.add(Role::Members, last);
        }
        let named: Vec<Subject> =
            detail.split([' ', ',', ';']).filter_map(|word| self.index.named(word)).filter(|s| *s != subject).collect();
        for named in named {
            let last = self.index.last_again(named, self.before, told);
            let last = if is_progress { self.index.unrest(named, before).or(last) } else { last };
            self.found.extend(last.map(|at| Because { at, role: Role::Happened, leads: is_progress }));
            self.waits_for_turn(named);
        }
    }

    /// Why a request of an app failed: what its pools last went through, or what kept the launcher from making one.
    pub(super) fn of_request(&mut self, app: Subject, error: RequestError) {
        let pools = self.pools(app);
        if error == RequestError::NoPool {
            self.waits_for_turn(app);
        }
        let any = class::CHANGE | class::EVENT;
        let last = pools.iter().filter_map(|pool| self.index.last_of(*pool, Kind::Sandbox, self.before, any)).max();
        self.add(Role::Members, last);
    }

    /// The pools of an app.
    fn pools(&self, app: Subject) -> Vec<Subject> {
        let count = self.index.trace().names_of(Kind::Pool).len() as u32;
        let pools = (0..count).map(|index| Subject { kind: Kind::Pool, index });
        pools.filter(|pool| self.index.parent(*pool) == Some(app)).collect()
    }
}

/// Whether a text has that word.
fn is_in(text: &str, word: &str) -> bool {
    text.split([' ', ',', ';', ':']).any(|part| part == word)
}

/// A thing that no longer counts: deleted, or a sandbox that is stopped or dead.
fn has_left(r: &Record) -> bool {
    match r.what {
        What::Set { field: Field::Status, to: Value::Status(AnyStatus::Sandbox(to)), .. } => !to.is_live(),
        What::Deleted { .. } => true,
        // No other record takes a thing away.
        _ => false,
    }
}
