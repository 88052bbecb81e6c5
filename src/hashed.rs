//! A table of what is sought by what it is, and not by its order.
//!
//! A run may know no order of hashes, so this table has none to show: what is in it comes in the order in which
//! it was put there. It is the ground floor beside `notify`. What a newcomer gets wrong: a tree compares a text
//! a dozen times to find it, each time with a stranger's; here numbers are compared, and at the end one text.

use std::hash::{Hash, Hasher};

/// The hash of a value: the same on every machine and in every run.
pub fn hash_of(value: impl Hash) -> u64 {
    let mut hash = Mixed(0);
    value.hash(&mut hash);
    hash.0
}

/// Eight bytes at a time, each mixed in by a multiplication whose upper half comes down.
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.write_u64(u64::from_le_bytes(word.try_into().expect("eight of them")));
        }
        let rest = words.remainder().iter().fold(1, |rest, byte| rest << 8 | u64::from(*byte));
        self.write_u64(rest);
    }
    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Things, each found by its hash and by what tells it from others of that hash.
#[derive(Clone, Debug)]
pub struct Hashed<T> {
    /// In the order in which they came.
    things: Vec<T>,
    /// A power of two, at least half of them free: each thing's hash, and one more than its number, at its own place
    /// or at the next that was free.
    places: Vec<(u32, u32)>,
}

impl<T> Default for Hashed<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Hashed<T> {
    /// Nothing.
    pub const fn new() -> Self {
        Self { things: Vec::new(), places: Vec::new() }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// All things, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.things.iter()
    }

    /// Where a thing of that hash is, or would be.
    fn place(&self, hash: u32, is: impl Fn(&T) -> bool) -> usize {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.places[place] {
                (_, 0) => return place,
                (other, number) if other == hash && is(&self.things[number as usize - 1]) => return place,
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// The number of a thing.
    fn number(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        self.places[self.place(hash as u32, is)].1.checked_sub(1).map(|number| number as usize)
    }

    /// The thing of that hash that `is` it.
    pub fn get(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<&T> {
        Some(&self.things[self.number(hash, is)?])
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, hash: u64, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        let number = self.number(hash, is)?;
        Some(&mut self.things[number])
    }

    /// The same; where there is none it is made.
    pub fn get_or_insert_with(&mut self, hash: u64, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &mut T {
        if 2 * self.things.len() >= self.places.len() {
            self.grow();
        }
        let place = self.place(hash as u32, is);
        if self.places[place].1 == 0 {
            self.things.push(make());
            self.places[place] = (hash as u32, u32::try_from(self.things.len()).expect("fewer than 2^32"));
        }
        &mut self.things[self.places[place].1 as usize - 1]
    }

    fn grow(&mut self) {
        let longer = vec![(0, 0); (2 * self.places.len()).max(16)];
        for of in std::mem::replace(&mut self.places, longer).into_iter().filter(|(_, number)| *number > 0) {
            let place = self.place(of.0, |_| false);
            self.places[place] = of;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_among_others_of_its_hash() {
        let mut table = Hashed::new();
        let is = |n: u32| move |(other, _): &(u32, u32)| *other == n;
        for n in 0..1000 {
            table.get_or_insert_with(u64::from(n % 7), is(n), || (n, 0)).1 += n;
        }
        assert!((0..1000).all(|n| table.get(u64::from(n % 7), is(n)) == Some(&(n, n))));
        assert_eq!(table.get(3, is(1003)), None);
        assert!(table.iter().map(|(n, _)| *n).eq(0..1000));
    }

    #[test]
    fn hashes_are_those_of_every_machine() {
        assert_eq!(hash_of("sandbox/pds-database-0"), 0x415c_78c2_b824_7c44);
        assert!(hash_of("ab\0") != hash_of("ab"));
    }
}
