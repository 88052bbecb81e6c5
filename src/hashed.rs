//! A table of what is sought by what it is, and not by its order.
//!
//! A run may know no order of hashes, so this table has none to show: what is in it comes in the order in which
//! it was put there. It is the ground floor beside `notify`. What a newcomer gets wrong: a tree compares a text
//! a dozen times to find it, each time with a stranger's; here numbers are compared, and at the end one text.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// The hash of a value: the same in every run.
pub fn hash_of(value: impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}

/// Things, each found by its hash and by what tells it from others of that hash.
#[derive(Clone, Debug)]
pub struct Hashed<T> {
    /// In the order in which they came.
    things: Vec<T>,
    /// Each thing's hash and number.
    numbers: HashTable<(u64, u32)>,
}

impl<T> Default for Hashed<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Hashed<T> {
    /// Nothing.
    pub const fn new() -> Self {
        Self { things: Vec::new(), numbers: HashTable::new() }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// All things, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.things.iter()
    }

    /// The number of a thing.
    fn number(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<usize> {
        let its = |(other, number): &(u64, u32)| *other == hash && is(&self.things[*number as usize]);
        self.numbers.find(hash, its).map(|(_, number)| *number as usize)
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
        let number = self.number(hash, is).unwrap_or_else(|| {
            let number = u32::try_from(self.things.len()).expect("fewer than 2^32");
            self.numbers.insert_unique(hash, (hash, number), |(hash, _)| *hash);
            self.things.push(make());
            number as usize
        });
        &mut self.things[number]
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
}
