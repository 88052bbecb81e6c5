//! A rung of the ladder: a stretch of time cut into buckets of equal width.
//!
//! It knows the lists it fills but not their storage, and nothing of the rungs above and below.
//! Buckets are taken in order of time, and what is inside one is in no order but that of its
//! pushes. What a newcomer gets wrong: the last bucket is not as wide as the others; it takes
//! everything to the end of the rung's reach, so that one far-away timer does not make all
//! buckets wide.

use super::chunks::{Chunks, Entry, List};
use super::{COMING, SORT_MAX};

/// Most buckets of equal width in a rung: their heads (12 bytes each) stay in the first cache.
const BUCKETS_MAX: usize = 1024;
/// How many entries a bucket should get when a rung is made.
const ENTRIES_PER_BUCKET: usize = 4;

/// Buckets of width 2^shift from `start`, and one more for the rest of the reach.
#[derive(Default)]
pub(super) struct Rung {
    start: u64,
    shift: u32,
    /// The last instant that belongs here.
    reach: u64,
    /// The next bucket to take; those before are gone.
    next: usize,
    /// What lies in the buckets before this one was told of.
    told: usize,
    len: usize,
    buckets: Vec<List>,
}

impl Rung {
    /// Makes this an empty rung for `count` entries from `min` to `max` that answers for every
    /// instant up to `reach`.
    pub(super) fn reset(&mut self, count: usize, min: u64, max: u64, reach: u64) {
        debug_assert!(min < max && max <= reach);
        let wanted = (count / ENTRIES_PER_BUCKET).next_power_of_two().clamp(2, BUCKETS_MAX);
        let range = max - min;
        let range_bits = u64::BITS - range.leading_zeros();
        self.start = min;
        self.shift = range_bits.saturating_sub(wanted.trailing_zeros());
        self.reach = reach;
        self.next = 0;
        self.told = 0;
        self.len = 0;
        self.buckets.clear();
        self.buckets.resize((range >> self.shift) as usize + 2, List::EMPTY);
    }

    /// The last instant that belongs here.
    pub(super) fn reach(&self) -> u64 {
        self.reach
    }

    /// Puts an entry into its bucket, which must not be gone.
    pub(super) fn push(&mut self, entry: Entry, chunks: &mut Chunks) {
        let rest = self.buckets.len() - 1;
        let index = usize::try_from((entry.at - self.start) >> self.shift).map_or(rest, |i| i.min(rest));
        debug_assert!(index >= self.next && entry.at <= self.reach);
        chunks.append(&mut self.buckets[index], entry);
        self.len += 1;
    }

    /// Takes the next bucket that is not empty, and the last instant that belonged to it.
    pub(super) fn take(&mut self) -> Option<(List, u64)> {
        if self.len == 0 {
            return None;
        }
        let index = (self.next..self.buckets.len()).find(|&i| !self.buckets[i].is_empty()).expect("len counts them");
        let list = std::mem::replace(&mut self.buckets[index], List::EMPTY);
        self.next = index + 1;
        self.len -= list.len();
        Some((list, self.reach_before(self.next)))
    }

    /// Whether the next bucket was not told of.
    pub(super) fn is_untold(&self) -> bool {
        self.next > self.told
    }

    /// Tells what lies in the next buckets, up to one that is not sorted at once.
    #[cold]
    pub(super) fn tell(&mut self, chunks: &Chunks, coming: &mut Vec<u64>) {
        self.told = self.next;
        while coming.len() < COMING && self.told < self.buckets.len() && self.buckets[self.told].len() <= SORT_MAX {
            chunks.each(self.buckets[self.told], |entry| coming.push(entry.payload));
            self.told += 1;
        }
    }

    /// The last instant of the buckets before `next`.
    fn reach_before(&self, next: usize) -> u64 {
        if next == self.buckets.len() {
            return self.reach;
        }
        // The last bucket of equal width may stick out of the reach, or even of time.
        let end = u128::from(self.start) + ((next as u128) << self.shift);
        u64::try_from(end - 1).map_or(self.reach, |last| last.min(self.reach))
    }

    /// Whether the last bucket has been taken.
    pub(super) fn is_spent(&self) -> bool {
        self.next == self.buckets.len()
    }

    /// Keeps the entries whose payload `keep` likes; tells how many went.
    pub(super) fn retain(&mut self, chunks: &mut Chunks, keep: &mut impl FnMut(u64) -> bool) {
        for list in &mut self.buckets[self.next..] {
            let before = list.len();
            if before > 0 {
                chunks.retain(list, keep);
                self.len -= before - list.len();
            }
        }
    }

    /// How many entries are here.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rung: &mut Rung, chunks: &mut Chunks) -> Vec<(Vec<u64>, u64)> {
        let mut taken = Vec::new();
        while let Some((list, reach)) = rung.take() {
            let mut times = Vec::new();
            chunks.drain(list, |_, entries| times.extend(entries.iter().map(|e| e.at)));
            taken.push((times, reach));
        }
        taken
    }

    #[test]
    fn the_last_bucket_takes_what_lies_far_ahead() {
        let (mut rung, mut chunks) = (Rung::default(), Chunks::default());
        rung.reset(8, 10, 13, u64::MAX);
        for at in [13, 10, 12, 1_000, 10, u64::MAX] {
            rung.push(Entry { at, payload: 0 }, &mut chunks);
        }
        assert_eq!(
            taken(&mut rung, &mut chunks),
            [(vec![10, 10], 11), (vec![13, 12], 13), (vec![1_000, u64::MAX], u64::MAX)]
        );
        assert!(rung.is_spent());
    }

    #[test]
    fn a_rung_over_all_of_time_has_no_overflow() {
        let (mut rung, mut chunks) = (Rung::default(), Chunks::default());
        rung.reset(8, 0, u64::MAX, u64::MAX);
        for at in [u64::MAX, 0, u64::MAX / 2] {
            rung.push(Entry { at, payload: 0 }, &mut chunks);
        }
        assert_eq!(taken(&mut rung, &mut chunks), [(vec![0, u64::MAX / 2], u64::MAX / 2), (vec![u64::MAX], u64::MAX)]);
    }
}
