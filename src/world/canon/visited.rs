//! The states that were seen, and when.
//!
//! It keeps a capture of each and its sketch; only when a sketch comes a second time are states
//! written and their digests compared. What is found is the same as if every state had been
//! written at once. What a newcomer gets wrong: a sketch proves nothing, and a digest that was
//! never made equals none, because equal states have equal sketches.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use crate::kernel::SimTime;

use super::capture::Capture;

/// What the captures that are kept may weigh together, in bytes, besides one picture of the whole
/// world; the eldest give way to their digests. A day of a few apps weighs about 1 MB.
const ROOM: usize = 32 << 20;

/// The digest of a canonical state.
pub type Digest = [u8; 32];

/// What was seen.
pub struct Visited {
    /// By sketch: the number of the only capture that has it; none: digests were made of all states
    /// that have it.
    sketches: BTreeMap<u64, Option<usize>>,
    digests: BTreeMap<Digest, SimTime>,
    /// The captures in the order of their numbers; those that gave way to their digests are empty.
    captures: VecDeque<Place>,
    /// The number of the first of them.
    first: usize,
    weight: usize,
    room: usize,
    /// When the last state was seen.
    last: SimTime,
    /// Room to write states into.
    bytes: Vec<u8>,
}

/// Where a capture is kept.
struct Place {
    sketch: u64,
    weight: usize,
    capture: Option<Box<Capture>>,
}

impl Default for Visited {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl Visited {
    /// Nothing yet, and room for captures of that weight.
    pub fn with_room(room: usize) -> Self {
        Self {
            sketches: BTreeMap::new(),
            digests: BTreeMap::new(),
            captures: VecDeque::new(),
            first: 0,
            weight: 0,
            room,
            last: SimTime::ZERO,
            bytes: Vec::new(),
        }
    }

    /// Notes a state; when it was last seen and its digest, if it ever was.
    pub fn note(&mut self, capture: Capture) -> Option<(SimTime, Digest)> {
        let sketch = capture.sketch();
        let since = std::mem::replace(&mut self.last, capture.now);
        match self.sketches.entry(sketch) {
            Entry::Vacant(entry) => {
                entry.insert(Some(self.first + self.captures.len()));
                self.keep(Place { sketch, weight: capture.weight(since), capture: Some(Box::new(capture)) });
                None
            }
            Entry::Occupied(mut entry) => {
                if let Some(number) = entry.get_mut().take()
                    && let Some(first) = self.captures[number - self.first].capture.take()
                {
                    self.digest(&first);
                }
                self.digest(&capture)
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self { bytes: std::mem::take(&mut self.bytes), ..Self::with_room(self.room) };
    }

    /// Notes the digest of a state; when it was last noted and the digest, if it ever was.
    fn digest(&mut self, capture: &Capture) -> Option<(SimTime, Digest)> {
        let digest = capture.digest(&mut self.bytes);
        self.digests.insert(digest, capture.now).map(|before| (before, digest))
    }

    fn keep(&mut self, place: Place) {
        self.weight += place.weight;
        self.captures.push_back(place);
        while self.weight > self.room
            && let Some(eldest) = self.captures.pop_front()
        {
            self.first += 1;
            self.weight -= eldest.weight;
            if let Some(capture) = eldest.capture {
                self.sketches.insert(eldest.sketch, None);
                self.digest(&capture);
            }
        }
    }

    /// How many captures are kept, and how many digests.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.captures.iter().filter(|place| place.capture.is_some()).count(), self.digests.len())
    }
}
