//! The proof of a livelock: the same state twice, with nothing ahead that could break the circle.
//!
//! The state is looked at on a grid of the tickers' common period, at the first quiet moment of each cell.
//! When it recurs, and in between nothing was drawn that could matter, no fault did what no state tells, and
//! no step, request or edge of a fault lies ahead, the future repeats for ever. Nothing is claimed of that
//! before it has been tried (`certificate.rs`).

mod certificate;
mod draws;
mod reach;
mod repeats;
mod unproved;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::controllers::runtime::Rules;
use crate::kernel::{SimDuration, SimTime};
use crate::model::{EffectKind, Point};
use crate::ports::{Remembers, Strain};
use crate::trace::{Record, Records, Stretch, Trace, What};
use crate::world::{Capture, Unrest, Visited, World};

use super::Livelock;
use draws::Retries;
use reach::{Reach, cell_from};
use unproved::Tallies;

pub(super) use certificate::Certificate;
pub use certificate::Refusal;
pub use repeats::{repeats, while_they_last};
pub use unproved::Unproved;

/// The memory of what was seen.
pub(super) struct Recurrence {
    visited: Visited,
    reach: Reach,
    /// When to look next; the end of time: never.
    next: SimTime,
    /// The grid is that of the tickers which run.
    narrowed: bool,
    /// What was last found to disturb the quiet.
    unrest: Option<Unrest>,
    /// How many records had been written at each look whose state is kept.
    written: BTreeMap<SimTime, usize>,
    /// Nothing that a step or request could do lies beyond.
    nothing_ahead_from: SimTime,
    proved: Option<Livelock>,
    tallies: Tallies,
    retries: Retries,
    /// Why a state that came again proved nothing.
    doubt: Option<Unproved>,
    /// A proof that is tried, given or found: then states are not sought.
    tried: Option<Certificate>,
}

impl Recurrence {
    /// Looks for recurrences under these rules, in a run where steps and requests end at `nothing_ahead_from`.
    pub(super) fn new(rules: &Rules, nothing_ahead_from: SimTime) -> Self {
        let reach = Reach::of(rules, rules.tuning.roles());
        // Not before the first cell with nothing ahead: to find out whether the world is quiet
        // costs as much as there are tasks, and under traffic it never is. Nor while the nodes,
        // which are as old as the run, still age.
        let next = nothing_ahead_from.max(SimTime::ZERO + reach.caps.memory);
        let (visited, written, tallies, retries) = Default::default();
        let (unrest, proved, doubt, tried) = (None, None, None, None);
        Self {
            visited,
            reach,
            next,
            narrowed: false,
            unrest,
            written,
            nothing_ahead_from,
            proved,
            tallies,
            retries,
            doubt,
            tried,
        }
    }

    /// Instead of looking for recurrences, tries one that was found.
    pub(super) fn trying(self, certificate: Certificate) -> Self {
        Self { next: certificate.next_look(), tried: Some(certificate), ..self }
    }

    /// The proof, if there is one.
    pub(super) fn proved(&self) -> Option<Livelock> {
        self.proved
    }

    /// Why there is none, at the end of a run.
    pub(super) fn unproved(&self, world: &World) -> Unproved {
        let now = world.kernel().now();
        let capped_from = world.canonical().given_at() + self.reach.caps.memory;
        let Some(grid) = self.reach.grid else { return Unproved::NoGrid };
        if let Some(doubt) = &self.doubt {
            return doubt.clone();
        }
        if self.tallies.len() == 0 {
            let from = capped_from.max(self.nothing_ahead_from);
            if now < cell_from(from, grid) + grid {
                return Unproved::NotBefore(cell_from(from, grid), grid);
            }
            if world.faults().lie_ahead() {
                return Unproved::Faults(world.faults().ahead());
            }
            return Unproved::never_quiet(world, self.unrest.as_ref());
        }
        world.log().with_trace(|trace| match self.tallies.growths(trace) {
            none if none.is_empty() => Unproved::NotYet(
                self.tallies.len(),
                world.canonical().counting(self.reach.caps),
                self.tallies.drawn(trace),
            ),
            growths => Unproved::Grows(growths),
        })
    }

    /// The certificate that was asked for, or that of the run's own proof, as far as it has come.
    pub(super) fn tried(&self) -> Option<&Certificate> {
        self.tried.as_ref()
    }

    /// When it is time to look; at the end of time: never.
    pub(super) fn next_look(&self) -> SimTime {
        self.next
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self, now: SimTime) -> bool {
        now >= self.next
    }

    /// Looks at the world, if it is time to and the world is quiet.
    pub(super) fn look<'a>(&mut self, world: &World, memories: impl Iterator<Item = &'a Rc<dyn Remembers>> + Clone) {
        let now = world.kernel().now();
        if !self.is_due(now) || !self.is_quiet(world) {
            return;
        }
        self.reach.look_back(world.canonical().longest_delay());
        let capture = |reach: &Reach| world.canonical().capture(reach.caps, memories.clone().map(|memory| &**memory));
        if let Some(certificate) = &mut self.tried {
            certificate.look(world, capture(&self.reach));
            self.next = certificate.next_look();
            return;
        }
        // The first look finds out how often to look.
        let begun = self.next;
        if !std::mem::replace(&mut self.narrowed, true) {
            self.reach.narrow(
                &world.kernel().pending_timers().iter().filter_map(|(_, who)| Some(who.as_ref()?.name)).collect(),
            );
        }
        let Some(grid) = self.reach.grid else {
            self.next = SimTime::MAX;
            return;
        };
        self.next = cell_from(begun, grid);
        if self.next > now {
            return;
        }
        self.next = cell_from(now + SimDuration::from_nanos(1), grid);
        // What only comes from outside grows older, and no state before its age is capped ever
        // comes back: none of them need be kept.
        let capped_from = world.canonical().given_at() + self.reach.caps.memory;
        if now < capped_from {
            self.next = self.next.max(cell_from(capped_from, grid));
            return;
        }
        // Nothing is claimed while anything lies ahead.
        if now < self.nothing_ahead_from || world.faults().lie_ahead() {
            self.visited.clear();
            self.written.clear();
            self.tallies.clear();
            return;
        }
        self.tallies.note(world, self.reach.caps);
        let strains = memories.clone().map(|memory| memory.strain());
        self.note(world, capture(&self.reach), strains.fold(Strain::default(), Strain::worst));
    }

    /// Notes a state; it may be a proof.
    fn note(&mut self, world: &World, capture: Capture, strain: Strain) {
        let now = capture.taken_at();
        self.proved = world.log().with_trace(|trace| {
            self.written.insert(now, trace.records().len());
            let (before, state) = self.visited.note(capture)?;
            let since = self.written[&before];
            self.retries.read(trace.records());
            self.doubt = match self.retries.matters(trace.records(), since, (before, now), strain) {
                Some(purpose) => Some(Unproved::Drawn(purpose)),
                None => is_moved_unseen(trace.records().range(since..)).then_some(Unproved::Unseen),
            };
            let proof = self.doubt.is_none().then(|| claim(trace, before, now, since))?;
            // Of a cluster at rest nothing is claimed.
            self.tried = (!proof.is_at_rest()).then(|| Certificate::going_on(proof, state, trace.records().len()));
            Some(proof)
        });
        if self.proved.is_some() {
            self.next = self.tried.as_ref().map_or(SimTime::MAX, Certificate::next_look);
            self.visited.clear();
            self.written.clear();
        }
    }

    /// Whether the world is quiet. What disturbed it last is asked first.
    fn is_quiet(&mut self, world: &World) -> bool {
        if self.unrest.as_ref().is_some_and(|unrest| world.canonical().goes_on(unrest)) {
            return false;
        }
        self.unrest = world.canonical().unrest();
        self.unrest.is_none()
    }
}

/// What is claimed of two moments; `since` is the number of the first record after the earlier one.
fn claim(trace: &Trace, from: SimTime, to: SimTime, since: usize) -> Livelock {
    let settled = settled_between(trace.records(), since, (from, to));
    Livelock { from, period: to.since(from), settled }
}

/// Whether a fault did what leaves no mark in the state: it ended a process, which forgets, disturbed a
/// watch, which waits longer the next time, or answered with what had been true before.
fn is_moved_unseen(mut records: Stretch<'_>) -> bool {
    let unseen = |record: Record| match record.what {
        What::Struck { point: Point::WatchDeliver, .. } => true,
        What::Struck { effect, .. } => {
            matches!(effect, EffectKind::Crash | EffectKind::Stale | EffectKind::Drop)
        }
        What::ProcessDown | What::ProcessUp => true,
        _ => false,
    };
    records.any(unseen)
}

/// For how long the cluster was settled between two moments, as it is until a record says otherwise; `first` is the number of the first
/// record after the earlier one.
fn settled_between(records: &Records, first: usize, (from, to): (SimTime, SimTime)) -> SimDuration {
    let turn = |record: Record| match record.what {
        What::Settled => Some(true),
        What::Unsettled => Some(false),
        _ => None,
    };
    let mut since = records.range(..first).rev().find_map(turn).unwrap_or(true).then_some(from);
    let mut sum = SimDuration::ZERO;
    for (at, settled) in records.range(first..).filter_map(|record| Some((record.at, turn(record)?))) {
        match (since, settled) {
            (None, true) => since = Some(at),
            (Some(begun), false) => {
                sum = sum + at.since(begun);
                since = None;
            }
            _ => {}
        }
    }
    sum + since.map_or(SimDuration::ZERO, |begun| to.since(begun))
}

#[cfg(test)]
mod tests;
