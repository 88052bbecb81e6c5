//! What a controller tells of its memory, to whoever looks from outside.
//!
//! It knows facts and no controller. What a newcomer gets wrong: what is not told here is not part of the
//! state by which a livelock is proved.

use super::Nonce;
use crate::model::Subject;
use crate::time::{SimDuration, SimTime};

/// One thing that a controller remembers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Something that it knows of.
    Thing(Subject),
    /// A number, or a choice among few.
    Number(u64),
    /// An instant, if there is one.
    Moment(Option<SimTime>),
    /// The proof of a volume's lease, if it has one: of which lease it is matters, not its number.
    Nonce(Option<Nonce>),
    /// Something that failed, and is to be tried again at a moment that was drawn.
    Waits(Subject),
}

/// How the retries of what failed bear on what else a controller has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Strain {
    /// When something else was last in want of a worker that a retry might have had, had its wait been drawn
    /// otherwise; none: never.
    pub pressed: Option<SimTime>,
    /// The longest time that a retry has taken.
    pub longest: SimDuration,
    /// How many retries might have been in hand at once, at most.
    pub crowd: u32,
}

impl Strain {
    /// What is worst of both.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        Self {
            pressed: self.pressed.max(other.pressed),
            longest: self.longest.max(other.longest),
            crowd: self.crowd.max(other.crowd),
        }
    }

    /// How long retries that lasted so long may take at most: each may wait for all others that might be in
    /// hand.
    pub fn waiting(self, lasted: SimDuration) -> SimDuration {
        lasted.saturating_mul(u64::from(self.crowd.max(1)))
    }
}

/// A controller whose memory can be looked at, as through a debug endpoint of a real process.
pub trait Remembers {
    /// Tells what it remembers, in an order of its own that repeats.
    fn tell(&self, fact: &mut dyn FnMut(Fact));
    /// How retries bear on its other work.
    fn strain(&self) -> Strain {
        Strain::default()
    }
}
