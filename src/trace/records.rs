//! The records of a run, in pieces, of which the elder may lie in an archive instead of memory.
//!
//! A record is read by its number and comes as a value: whoever reads knows nothing of pieces. What a
//! newcomer gets wrong: there is no slice of all records – what is wanted of a stretch is asked of its
//! iterator, which may be cloned – and a run without an archive holds all of them.

use std::fmt;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

use super::Record;

/// So many records make a piece.
const PIECE: usize = 1 << 14;

/// Where the elder records of a run lie when there are more than memory is to hold.
pub trait Archive: fmt::Debug + Send + Sync {
    /// Keeps some records, the first of which has that index; their number among all that were kept, from 0, or
    /// none if they cannot be kept.
    fn keep(&self, records: &[Record], first: usize) -> Option<usize>;

    /// Those that were kept under a number, the first of which has that index.
    fn records(&self, number: usize, first: usize) -> Arc<[Record]>;

    /// The run is over: what is kept from now on belongs to what is tried beyond its end.
    fn end(&self) {}
}

/// Somebody who takes in the records of a run, each once and in order.
pub trait Reader: Clone + fmt::Debug + Send + Sync {
    /// Takes the next one in.
    fn take(&mut self, record: &Record);
}

/// Nobody.
impl Reader for () {
    fn take(&mut self, _: &Record) {}
}

/// Two of them.
impl<A: Reader, B: Reader> Reader for (A, B) {
    fn take(&mut self, record: &Record) {
        self.0.take(record);
        self.1.take(record);
    }
}

/// All records of a run, in order.
#[derive(Clone, Default, Debug)]
pub struct Records {
    /// The full ones.
    pieces: Vec<Piece>,
    /// The last one.
    open: Vec<Record>,
    /// Where elder pieces go, how many records stay here, and how many where none can go there.
    archive: Option<(Arc<dyn Archive>, Range<usize>)>,
    /// How many pieces have gone there.
    archived: usize,
}

#[derive(Clone, Debug)]
enum Piece {
    /// Shared by those who go on with a trace that somebody reads.
    Here(Arc<Vec<Record>>),
    /// In the archive, under that number.
    There(usize),
}

impl Records {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.pieces.len() * PIECE + self.open.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push(&mut self, record: Record) {
        if self.open.len() == PIECE {
            self.begin_piece();
        }
        self.open.push(record);
    }

    /// The elder records go into an archive, so that no more than about `held.start` stay in memory; where the
    /// archive takes no more, `held.end` may.
    pub(crate) fn archive(&mut self, archive: Arc<dyn Archive>, held: Range<usize>) {
        self.archive = Some((archive, held));
    }

    #[cold]
    fn begin_piece(&mut self) {
        // The first one grew with the run; no short run needs more.
        let full = std::mem::replace(&mut self.open, Vec::with_capacity(PIECE));
        self.pieces.push(Piece::Here(Arc::new(full)));
        let Some((archive, held)) = &self.archive else { return };
        if self.len() - self.archived() < held.start {
            return;
        }
        let Piece::Here(records) = &self.pieces[self.archived] else { return };
        // What cannot be kept stays here.
        if let Some(number) = archive.keep(records, self.archived()) {
            self.pieces[self.archived] = Piece::There(number);
            self.archived += 1;
        }
    }

    /// How many of them lie in the archive: the first ones.
    pub fn archived(&self) -> usize {
        self.archived * PIECE
    }

    /// Whether more lie in memory than may, because the archive takes no more.
    pub(crate) fn is_cramped(&self) -> bool {
        self.archive.as_ref().is_some_and(|(_, held)| self.len() - self.archived() > held.end + PIECE)
    }

    /// The run is over, whatever is tried beyond its end.
    pub(crate) fn end(&self) {
        if let Some((archive, _)) = &self.archive {
            archive.end();
        }
    }

    /// A piece from the archive.
    #[cold]
    fn fetch(&self, piece: usize) -> Option<Arc<[Record]>> {
        let (Piece::There(number), Some((archive, _))) = (self.pieces.get(piece)?, &self.archive) else { return None };
        Some(archive.records(*number, piece * PIECE))
    }

    /// The piece that holds an index, and the place in it; none: it is in the archive.
    #[inline]
    fn in_memory(&self, index: usize) -> Option<(&[Record], usize)> {
        match self.pieces.get(index / PIECE) {
            None => Some((&self.open, index - self.pieces.len() * PIECE)),
            Some(Piece::Here(records)) => Some((records, index % PIECE)),
            Some(Piece::There(_)) => None,
        }
    }

    /// The record at that index, from 0.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn at(&self, index: usize) -> Record {
        match self.in_memory(index) {
            Some((piece, place)) => piece[place],
            None => self.fetch(index / PIECE).expect("it lies there")[index % PIECE],
        }
    }
    /// The record at that index, if there is one.
    pub fn get(&self, index: usize) -> Option<Record> {
        (index < self.len()).then(|| self.at(index))
    }
    /// The last one.
    pub fn last(&self) -> Option<Record> {
        self.get(self.len().checked_sub(1)?)
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
            Bound::Unbounded => self.len(),
            Bound::Included(last) => last + 1,
            Bound::Excluded(end) => *end,
        };
        assert!(front <= back && back <= self.len(), "there are {} records, not {front}..{back}", self.len());
        Stretch { records: self, here: Default::default(), behind: Default::default(), front, back, open: None }
    }

    /// The index of the first one in a range that is so: piece by piece, for it is asked most often of all.
    #[inline]
    pub fn first_in(&self, range: Range<usize>, mut is: impl FnMut(&Record) -> bool) -> Option<usize> {
        let mut from = range.start;
        while from < range.end {
            let (piece, place) = (from / PIECE, from % PIECE);
            let until = range.end.min((piece + 1) * PIECE);
            let found = match self.in_memory(from) {
                Some((records, _)) => records[place..place + until - from].iter().position(&mut is),
                None => self.range(from..until).position(|record| is(&record)),
            };
            if let Some(found) = found {
                return Some(from + found);
            }
            from = until;
        }
        None
    }

    /// Hands over each of a range, for whoever reads them all.
    #[inline]
    pub fn each(&self, range: Range<usize>, mut act: impl FnMut(&Record)) {
        let end = |record: &Record| {
            act(record);
            false
        };
        self.first_in(range, end);
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
        self.len() == other.len() && self.iter().eq(other)
    }
}

/// Some records that follow each other; what is left of them while they are read.
#[derive(Clone, Debug)]
pub struct Stretch<'a> {
    records: &'a Records,
    /// What is left of the pieces in memory that are being read, from `front` on and up to `back`.
    here: std::slice::Iter<'a, Record>,
    behind: std::slice::Iter<'a, Record>,
    front: usize,
    back: usize,
    /// The piece from the archive that is being read, and its number.
    open: Option<(usize, Arc<[Record]>)>,
}

impl Stretch<'_> {
    /// The first one that is left, of a piece that was not read before.
    #[cold]
    fn read_piece(&mut self) -> Record {
        let index = self.front - 1;
        let Some((piece, place)) = self.records.in_memory(index) else { return self.read_there(index) };
        self.here = piece[place + 1..].iter();
        piece[place]
    }

    /// The last one, likewise.
    #[cold]
    fn read_piece_back(&mut self) -> Record {
        let index = self.back;
        let Some((piece, place)) = self.records.in_memory(index) else { return self.read_there(index) };
        self.behind = piece[..place].iter();
        piece[place]
    }

    #[cold]
    fn read_there(&mut self, index: usize) -> Record {
        let (piece, place) = (index / PIECE, index % PIECE);
        if self.open.as_ref().is_none_or(|(open, _)| *open != piece) {
            self.open = self.records.fetch(piece).map(|records| (piece, records));
        }
        self.open.as_ref().expect("it lies there").1[place]
    }

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
            match self.here.next() {
                Some(record) => *record,
                None => self.read_piece(),
            }
        })
    }
    fn nth(&mut self, n: usize) -> Option<Record> {
        (self.front, self.here) = (self.front.saturating_add(n).min(self.back), Default::default());
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
            match self.behind.next_back() {
                Some(record) => *record,
                None => self.read_piece_back(),
            }
        })
    }
}
impl ExactSizeIterator for Stretch<'_> {}
