//! The agenda: pending events, ordered by time and then by the order of their pushes.
//!
//! It knows times and payloads, not what they mean: cancelling is the executor's business. The
//! events that come next lie sorted in `near`; later ones lie in a ladder of rungs, unsorted in
//! buckets that are cut finer or sorted only when their time has come, so that a push and a pop
//! cost about the same however many events are pending. What a newcomer gets wrong: no sequence
//! number is stored; a time belongs to exactly one place at any moment, every place keeps the
//! order of its pushes and every sort is stable, so ties come out as they went in.

mod chunks;
mod rung;

use std::collections::VecDeque;

use self::chunks::{Chunks, Entry, List};
use self::rung::Rung;
use crate::time::SimTime;

/// A bucket of at most so many entries is sorted, a fuller one is cut into a rung of its own.
const SORT_MAX: usize = 48;
/// An insertion that would move more entries than this has `near` cut into a rung instead.
const MOVES_MAX: usize = 64;
/// So many entries of `near` are compared one by one, before a place is searched for.
const SCAN_MAX: usize = 4;
/// With at most so many events pending nobody need know what comes soon: all is near.
const COMING_MIN: usize = 2000;
/// At least so many events are told of at once, if there are. Measured with 100,000 tasks: with 4 a poke
/// takes 1.6 times as long, with 32 1.1 times, with 256 the same.
const COMING: usize = 128;
/// Rungs kept for their storage.
const SPARE_MAX: usize = 8;

/// Pending events. Of two at the same time, the one pushed first comes first.
pub struct Agenda {
    /// All events up to `near_reach`, sorted.
    near: VecDeque<Entry>,
    near_reach: u64,
    /// What was told last of those that come soon.
    coming: Vec<u64>,
    /// The events later than `near_reach`: each rung reaches less far than the one before it,
    /// and answers for the instants that those after it do not reach. The first, if there is
    /// one, reaches to the end of time.
    rungs: Vec<Rung>,
    spare: Vec<Rung>,
    chunks: Chunks,
    len: usize,
}

impl Default for Agenda {
    fn default() -> Self {
        Self {
            near: VecDeque::new(),
            near_reach: u64::MAX,
            coming: Vec::new(),
            rungs: Vec::new(),
            spare: Vec::new(),
            chunks: Chunks::default(),
            len: 0,
        }
    }
}

impl Agenda {
    /// An empty agenda.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event. One that is earlier than what was popped already comes next.
    pub fn push(&mut self, at: SimTime, payload: u64) {
        let entry = Entry { at: at.as_nanos(), payload };
        self.len += 1;
        if entry.at <= self.near_reach {
            self.push_near(entry);
        } else {
            self.push_far(entry);
        }
    }

    /// The time of the next event.
    pub fn peek(&mut self) -> Option<SimTime> {
        self.first().map(|(at, _)| at)
    }

    /// The next event, which stays.
    pub fn first(&mut self) -> Option<(SimTime, u64)> {
        if self.near.is_empty() {
            self.refill();
        }
        self.near.front().map(|entry| (SimTime::from_nanos(entry.at), entry.payload))
    }

    /// Whether events come soon that were not told of; when few are pending, nobody need know.
    #[inline]
    pub fn is_more_coming(&self) -> bool {
        self.len > COMING_MIN && self.rungs.last().is_some_and(Rung::is_untold)
    }

    /// The payloads of the events that come soon, in no order; none when that was told already, or
    /// few are pending. Each is told before its time, unless it was pushed after those around it were.
    pub fn coming(&mut self) -> &[u64] {
        self.coming.clear();
        if self.is_more_coming()
            && let Some(rung) = self.rungs.last_mut()
        {
            self.coming.extend(self.near.iter().take(COMING).map(|entry| entry.payload));
            rung.tell(&self.chunks, &mut self.coming);
        }
        &self.coming
    }

    /// All events in order, when they are few: then they lie sorted. None: some do not.
    pub fn in_order(&self) -> Option<impl Iterator<Item = (SimTime, u64)>> {
        let sorted = self.near.len() == self.len;
        sorted.then(|| self.near.iter().map(|entry| (SimTime::from_nanos(entry.at), entry.payload)))
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(SimTime, u64)> {
        if self.near.is_empty() {
            self.refill();
        }
        let entry = self.near.pop_front()?;
        self.len -= 1;
        Some((SimTime::from_nanos(entry.at), entry.payload))
    }

    /// Drops the events whose payload `keep` does not like. It looks at every one of them.
    pub fn retain(&mut self, mut keep: impl FnMut(u64) -> bool) {
        self.near.retain(|entry| keep(entry.payload));
        self.len = self.near.len();
        for rung in &mut self.rungs {
            rung.retain(&mut self.chunks, &mut keep);
            self.len += rung.len();
        }
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push_near(&mut self, entry: Entry) {
        // Most waits are short, and end before all others do.
        if self.near.front().is_none_or(|first| entry.at < first.at) {
            return self.near.push_front(entry);
        }
        let place = self.place_in_near(entry.at);
        if place.min(self.near.len() - place) <= MOVES_MAX {
            self.near.insert(place, entry);
            return;
        }
        // Entries lie on both sides of the place, so their times differ and cutting makes
        // progress; what is cut off was inserted cheaply, so it can pay for being moved.
        let (min, max) = (self.near[0].at, self.near[self.near.len() - 1].at);
        let mut rung = self.spare.pop().unwrap_or_default();
        rung.reset(self.near.len(), min, max, self.near_reach);
        for entry in self.near.drain(..) {
            rung.push(entry, &mut self.chunks);
        }
        self.rungs.push(rung);
        self.refill();
        // At most one level deep: `near` is now short, or all its times are equal.
        if entry.at <= self.near_reach {
            self.push_near(entry);
        } else {
            self.push_far(entry);
        }
    }

    /// Where an event goes in `near`: after all that are not later.
    fn place_in_near(&self, at: u64) -> usize {
        // Of the others, too, many end before nearly all do.
        match self.near.iter().take(SCAN_MAX).position(|entry| entry.at > at) {
            Some(place) => place,
            None => self.near.partition_point(|entry| entry.at <= at),
        }
    }

    fn push_far(&mut self, entry: Entry) {
        // Nearly always one of the two finest; a ladder can only grow long when times were
        // pushed in falling order.
        let fits = |rung: &Rung| rung.reach() >= entry.at;
        let index = match self.rungs.len() {
            n if fits(&self.rungs[n - 1]) => n - 1,
            n if fits(&self.rungs[n - 2]) => n - 2,
            n => self.rungs[..n - 2].partition_point(fits) - 1,
        };
        self.rungs[index].push(entry, &mut self.chunks);
    }

    /// Fills `near`, which is empty, with the next bucket that holds something.
    fn refill(&mut self) {
        debug_assert!(self.near.is_empty());
        while let Some(rung) = self.rungs.last_mut() {
            let bucket = rung.take();
            if bucket.is_none() || rung.is_spent() {
                self.retire_rung();
            }
            let Some((list, reach)) = bucket else {
                continue;
            };
            if list.len() <= SORT_MAX {
                return self.load(list, reach);
            }
            match self.chunks.range(list) {
                Some((min, max)) if min < max => self.cut(list, min, max, reach),
                // However many: all at the same time, in order already.
                _ => return self.load(list, reach),
            }
        }
        self.near_reach = u64::MAX;
    }

    /// Makes a rung of a bucket that is too full to be sorted.
    fn cut(&mut self, list: List, min: u64, max: u64, reach: u64) {
        let mut rung = self.spare.pop().unwrap_or_default();
        rung.reset(list.len(), min, max, reach);
        self.chunks.drain(list, |chunks, entries| {
            for entry in entries {
                rung.push(*entry, chunks);
            }
        });
        self.rungs.push(rung);
    }

    /// Sorts a bucket into `near`.
    fn load(&mut self, list: List, reach: u64) {
        self.near.clear();
        let near = &mut self.near;
        self.chunks.drain(list, |_, entries| near.extend(entries));
        self.near.make_contiguous().sort_by_key(|entry| entry.at);
        self.near_reach = reach;
    }

    fn retire_rung(&mut self) {
        if let Some(rung) = self.rungs.pop()
            && self.spare.len() < SPARE_MAX
        {
            self.spare.push(rung);
        }
    }
}

#[cfg(test)]
mod tests;
