//! The records of a run, in pieces, so that those which are read seldom need not lie in memory.
//!
//! A record is read by its number and comes as a value: whoever reads knows nothing of pieces. What a
//! newcomer gets wrong: there is no slice of all records – what is wanted of a stretch is asked of its
//! iterator, which may be cloned.

use std::ops::{Bound, RangeBounds};

use super::Record;

/// So many records make a piece.
const PIECE: usize = 1 << 14;

/// All records of a run, in order.
#[derive(Clone, Default, Debug)]
pub struct Records {
    pieces: Vec<Vec<Record>>,
    len: usize,
}

impl Records {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, record: Record) {
        if self.len.is_multiple_of(PIECE) {
            // The first one of a short run grows with it.
            self.pieces.push(if self.len == 0 { Vec::new() } else { Vec::with_capacity(PIECE) });
        }
        let last = self.pieces.last_mut().expect("one was just begun, if there was none");
        last.push(record);
        self.len += 1;
    }

    /// The record at that index, from 0.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn at(&self, index: usize) -> Record {
        self.pieces[index / PIECE][index % PIECE]
    }
    /// The record at that index, if there is one.
    pub fn get(&self, index: usize) -> Option<Record> {
        (index < self.len).then(|| self.at(index))
    }
    /// The last one.
    pub fn last(&self) -> Option<Record> {
        self.get(self.len.checked_sub(1)?)
    }

    /// All of them.
    pub fn iter(&self) -> Stretch<'_> {
        self.range(..)
    }
    /// Those with indexes in a range.
    ///
    /// # Panics
    /// When it ends beyond the last one, or before it begins.
    pub fn range(&self, range: impl RangeBounds<usize>) -> Stretch<'_> {
        let front = match range.start_bound() {
            Bound::Unbounded => 0,
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before + 1,
        };
        let back = match range.end_bound() {
            Bound::Unbounded => self.len,
            Bound::Included(last) => last + 1,
            Bound::Excluded(end) => *end,
        };
        assert!(front <= back && back <= self.len, "there are {} records, not {front}..{back}", self.len);
        Stretch { records: self, front, back }
    }

    /// The index of the first one that is not so, where all before it are and none after it is.
    pub fn partition_point(&self, is: impl FnMut(&Record) -> bool) -> usize {
        self.iter().partition_point(is)
    }
}

#[cfg(test)]
impl FromIterator<Record> for Records {
    fn from_iter<T: IntoIterator<Item = Record>>(all: T) -> Self {
        let mut records = Self::default();
        all.into_iter().for_each(|record| records.push(record));
        records
    }
}

impl<'a> IntoIterator for &'a Records {
    type Item = Record;
    type IntoIter = Stretch<'a>;
    fn into_iter(self) -> Stretch<'a> {
        self.iter()
    }
}

impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other)
    }
}

/// Some records that follow each other; what is left of them while they are read.
#[derive(Clone, Debug)]
pub struct Stretch<'a> {
    records: &'a Records,
    front: usize,
    back: usize,
}

impl Stretch<'_> {
    /// How many of the first are so, where none after them is.
    pub fn partition_point(&self, mut is: impl FnMut(&Record) -> bool) -> usize {
        let (mut from, mut to) = (self.front, self.back);
        while from < to {
            let middle = from + (to - from) / 2;
            if is(&self.records.at(middle)) { from = middle + 1 } else { to = middle }
        }
        from - self.front
    }
}

impl Iterator for Stretch<'_> {
    type Item = Record;
    #[inline]
    fn next(&mut self) -> Option<Record> {
        (self.front < self.back).then(|| {
            self.front += 1;
            self.records.at(self.front - 1)
        })
    }
    fn nth(&mut self, n: usize) -> Option<Record> {
        self.front = self.front.saturating_add(n).min(self.back);
        self.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.back - self.front, Some(self.back - self.front))
    }
}
impl DoubleEndedIterator for Stretch<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Record> {
        (self.front < self.back).then(|| {
            self.back -= 1;
            self.records.at(self.back)
        })
    }
}
impl ExactSizeIterator for Stretch<'_> {}
