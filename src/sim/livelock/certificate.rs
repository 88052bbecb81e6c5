//! A certificate: what was found to repeat is run on, and does.
//!
//! Ten periods, in each of which what is drawn without consequence is drawn otherwise: at the same
//! moment of every period the state must be the same, and in between the cluster settled for as long.
//! A run that goes on so far beyond its recurrence shows them, for its own draws are other ones in each
//! period; one that ends before goes on once its outcome is taken from it. Tests make a run a second
//! time, with draws of another seed. What a newcomer gets wrong: it proves nothing by itself – it would
//! find out where the proof is wrong.

use std::fmt;

use crate::kernel::{SimDuration, SimTime};
use crate::trace::Trace;
use crate::world::{Capture, Digest, World};

use super::{Livelock, claim, draws};

/// How many periods a proof is tried for.
pub const PERIODS: u32 = 10;

/// Why a proof was refused when it was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// In which period, from 1.
    pub period: u32,
    /// What was not as it was claimed to be.
    pub found: Found,
}

/// What a later period shows that the first did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// The world is not quiet at that moment.
    Unquiet,
    /// It is in another state.
    OtherState,
    /// The cluster was settled for another time.
    Settled(SimDuration),
    /// The run did not come so far.
    Ended,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { period, found } = self;
        write!(f, "period {period} after the recurrence ")?;
        match found {
            Found::Unquiet => f.write_str("does not end in a quiet moment"),
            Found::OtherState => f.write_str("ends in another state"),
            Found::Settled(settled) => write!(f, "is settled for {}", settled.clock()),
            Found::Ended => f.write_str("was not reached"),
        }
    }
}

/// A proof that is tried.
pub struct Certificate {
    proof: Livelock,
    periods: u32,
    /// What is drawn in its periods, where that is not the run's own.
    seed: Option<u64>,
    /// The state at the recurrence.
    state: Option<Digest>,
    /// How many periods have come back to it, and where the last look was in the trace.
    held: u32,
    written: usize,
    /// How many looks came upon something under way.
    unquiet: u32,
    refusal: Option<Refusal>,
}

impl Certificate {
    /// Tries a proof for so many periods; `seed` says what is drawn in them where that cannot matter.
    pub fn new(proof: Livelock, periods: u32, seed: u64) -> Self {
        Self { proof, periods, seed: Some(seed), state: None, held: 0, written: 0, unquiet: 0, refusal: None }
    }

    /// Tries a proof in the run that it was found in, in the moment of its recurrence: what the state is then,
    /// and how many records there are.
    pub fn going_on(proof: Livelock, state: Digest, written: usize) -> Self {
        Self { seed: None, state: Some(state), held: 1, written, ..Self::new(proof, PERIODS, 0) }
    }

    /// Until when the run has to go on.
    pub fn until(&self) -> SimTime {
        self.proof.from + self.proof.period.saturating_mul(u64::from(self.periods))
    }

    /// When to look next; the end of time: never.
    pub fn next_look(&self) -> SimTime {
        let nth = self.held + u32::from(self.state.is_some());
        if self.refusal.is_some() || nth > self.periods {
            return SimTime::MAX;
        }
        self.proof.from + self.proof.period.saturating_mul(u64::from(nth))
    }

    /// Compares the world with what it is claimed to be.
    pub fn look(&mut self, world: &World, capture: Capture) {
        let due = self.next_look();
        // A retry may be in hand at that very moment: other periods end in the same state all the same.
        self.unquiet += u32::from(capture.taken_at() != due);
        if capture.taken_at() != due && self.state.is_some() && self.unquiet <= self.periods / 2 {
            self.go_on(world, due);
            return;
        }
        let (now, digest) = (capture.taken_at(), capture.chosen_at(self.proof.from).digest(&mut Vec::new()));
        let found = world.log().with_trace(|trace| self.differs(trace, now, digest));
        if let Some(found) = found {
            self.refusal = Some(Refusal { period: self.held + 1, found });
            return;
        }
        self.state = Some(digest);
        self.go_on(world, now);
    }

    /// The next period begins at `at`.
    fn go_on(&mut self, world: &World, at: SimTime) {
        self.held += u32::from(at > self.proof.from);
        self.written = world.log().with_trace(|trace| trace.records().partition_point(|record| record.at <= at));
        if let Some(seed) = self.seed {
            world.log().redraw(draws::RETRY, seed.wrapping_add(u64::from(self.held) + 1));
        }
    }

    fn differs(&self, trace: &Trace, now: SimTime, digest: Digest) -> Option<Found> {
        let Livelock { period, settled, .. } = self.proof;
        if now != self.next_look() {
            return Some(Found::Unquiet);
        }
        let state = self.state?;
        let from = SimTime::ZERO + now.since(SimTime::ZERO + period);
        let was = claim(trace, from, now, self.written).settled;
        if was != settled {
            return Some(Found::Settled(was));
        }
        (state != digest).then_some(Found::OtherState)
    }

    /// What came of it; none: the run ended before that was known.
    pub fn known(&self) -> Option<Result<(), Refusal>> {
        (self.refusal.is_some() || self.held >= self.periods).then(|| self.result())
    }

    /// What came of it.
    ///
    /// # Errors
    /// The first difference.
    pub fn result(&self) -> Result<(), Refusal> {
        match self.refusal {
            Some(refusal) => Err(refusal),
            None if self.held < self.periods => Err(Refusal { period: self.held + 1, found: Found::Ended }),
            None => Ok(()),
        }
    }
}
