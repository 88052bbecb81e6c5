//! Lists of entries in one arena, made of chunks of a fixed size.
//!
//! It knows nothing of buckets or of order: a list keeps its entries as they were appended,
//! and that is what makes ties come out in the order of their pushes. Many short lists share
//! the arena, so a bucket costs twelve bytes while it is empty and an append never moves what
//! is there. What a newcomer gets wrong: a `List` owns nothing by itself; it must go back
//! through [`Chunks::drain`], or its chunks stay taken.

/// Entries in a chunk: 16 of 16 bytes are four cache lines.
const CHUNK: usize = 16;
const NONE: u32 = u32::MAX;

/// A pending event. Its place in a list is its sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    /// Nanoseconds.
    pub(super) at: u64,
    pub(super) payload: u64,
}

/// A list of entries, in the order they were appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    last: u32,
    len: u32,
}

impl List {
    pub(super) const EMPTY: Self = Self { first: NONE, last: NONE, len: 0 };

    pub(super) const fn len(self) -> usize {
        self.len as usize
    }
    pub(super) const fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// The arena of all lists of one agenda; it is as large as the agenda was at its fullest.
#[derive(Default)]
pub(super) struct Chunks {
    entries: Vec<Entry>,
    /// For each chunk the one after it, in its list or among the free ones.
    next: Vec<u32>,
    free: Option<u32>,
}

impl Chunks {
    pub(super) fn append(&mut self, list: &mut List, entry: Entry) {
        let place = list.len() % CHUNK;
        if place == 0 {
            let chunk = self.take_chunk();
            if list.is_empty() {
                list.first = chunk;
            } else {
                self.next[list.last as usize] = chunk;
            }
            list.last = chunk;
        }
        self.entries[list.last as usize * CHUNK + place] = entry;
        list.len += 1;
    }

    /// The earliest and the latest time in a list; none when it is empty.
    pub(super) fn range(&self, list: List) -> Option<(u64, u64)> {
        let mut range = None;
        self.each(list, |entry| {
            let (min, max) = range.unwrap_or((entry.at, entry.at));
            range = Some((entry.at.min(min), entry.at.max(max)));
        });
        range
    }

    /// Shows all entries of a list, in order.
    pub(super) fn each(&self, list: List, mut each: impl FnMut(&Entry)) {
        let (mut chunk, mut left) = (list.first, list.len());
        while left > 0 {
            self.slice(chunk, left).iter().for_each(&mut each);
            left = left.saturating_sub(CHUNK);
            chunk = self.next[chunk as usize];
        }
    }

    /// Takes a list apart: `each` gets the entries in order, a chunk at a time, and may append
    /// to other lists.
    pub(super) fn drain(&mut self, list: List, mut each: impl FnMut(&mut Self, &[Entry])) {
        let (mut chunk, mut left) = (list.first, list.len());
        while left > 0 {
            let count = left.min(CHUNK);
            let mut copy = [Entry { at: 0, payload: 0 }; CHUNK];
            copy[..count].copy_from_slice(self.slice(chunk, left));
            left -= count;
            let after = self.next[chunk as usize];
            self.give_chunk(chunk);
            each(self, &copy[..count]);
            chunk = after;
        }
    }

    /// Keeps the entries whose payload `keep` likes, in order.
    pub(super) fn retain(&mut self, list: &mut List, keep: &mut impl FnMut(u64) -> bool) {
        let mut kept = List::EMPTY;
        self.drain(*list, |chunks, entries| {
            for entry in entries.iter().filter(|entry| keep(entry.payload)) {
                chunks.append(&mut kept, *entry);
            }
        });
        *list = kept;
    }

    fn slice(&self, chunk: u32, left: usize) -> &[Entry] {
        let start = chunk as usize * CHUNK;
        &self.entries[start..start + left.min(CHUNK)]
    }

    fn take_chunk(&mut self) -> u32 {
        if let Some(chunk) = self.free {
            let after = self.next[chunk as usize];
            self.free = (after != NONE).then_some(after);
            return chunk;
        }
        let chunk = u32::try_from(self.next.len()).expect("fewer than 2^36 pending events");
        self.next.push(NONE);
        self.entries.resize(self.entries.len() + CHUNK, Entry { at: 0, payload: 0 });
        chunk
    }

    fn give_chunk(&mut self, chunk: u32) {
        self.next[chunk as usize] = self.free.unwrap_or(NONE);
        self.free = Some(chunk);
    }

    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.next.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &mut Chunks, list: List) -> Vec<u64> {
        let mut read = Vec::new();
        chunks.drain(list, |_, entries| read.extend(entries.iter().map(|e| e.payload)));
        read
    }

    #[test]
    fn lists_keep_their_order_side_by_side() {
        let mut chunks = Chunks::default();
        let (mut odd, mut even) = (List::EMPTY, List::EMPTY);
        for n in 0..100 {
            chunks.append(if n % 2 == 0 { &mut even } else { &mut odd }, Entry { at: n, payload: n });
        }
        assert_eq!(chunks.range(odd), Some((1, 99)));
        assert_eq!(read(&mut chunks, odd), (1..100).step_by(2).collect::<Vec<_>>());
        assert_eq!(read(&mut chunks, even), (0..100).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn chunks_are_used_again() {
        let mut chunks = Chunks::default();
        for _ in 0..100 {
            let mut list = List::EMPTY;
            for n in 0..50 {
                chunks.append(&mut list, Entry { at: n, payload: n });
            }
            chunks.retain(&mut list, &mut |payload| payload % 3 == 0);
            assert_eq!(read(&mut chunks, list), (0..50).step_by(3).collect::<Vec<_>>());
        }
        assert_eq!(chunks.allocated(), 50usize.div_ceil(CHUNK));
    }

    #[test]
    fn a_list_without_entries_has_no_range() {
        assert_eq!(Chunks::default().range(List::EMPTY), None);
    }
}
