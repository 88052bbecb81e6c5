//! A slab whose keys are never mistaken: each carries the number of its birth.
//!
//! It knows nothing of tasks and timers, which both live in one. A key of something that is
//! gone finds nothing, even when its slot is taken again, so a late wake-up or a cancelled
//! timer needs no bookkeeping. What a newcomer gets wrong: keys are not in the order of the
//! slots, and nothing here may be iterated in the order of the slots, which depends on what
//! died before.

use std::num::NonZeroU64;

use slab::Slab;

/// Bits of a key that name the slot; the next ones number the birth; the highest is 0.
const SLOT_BITS: u32 = 28;
const BIRTH_BITS: u32 = u64::BITS - SLOT_BITS - 1;
/// After so many births (about 3 * 10^10) the numbers start again. No stale key of a timer or
/// a task is expected to live that long.
const BIRTHS_MAX: u64 = (1 << BIRTH_BITS) - 1;

/// A slot and the number of a birth, which is never 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key(NonZeroU64);

impl Key {
    pub(super) fn new(slot: usize, birth: u64) -> Self {
        assert!(slot >> SLOT_BITS == 0, "more than 2^28 tasks or timers at once");
        Self(NonZeroU64::new((birth << SLOT_BITS) | slot as u64).expect("births are numbered from 1"))
    }
    pub(super) fn slot(self) -> usize {
        (self.0.get() & ((1 << SLOT_BITS) - 1)) as usize
    }
    pub(super) fn birth(self) -> u64 {
        self.0.get() >> SLOT_BITS
    }
    /// The key as a number of 63 bits.
    pub(super) fn number(self) -> NonZeroU64 {
        self.0
    }
    /// The key that has this number.
    pub(super) fn from_number(number: NonZeroU64) -> Self {
        Self(number)
    }
}

/// Numbers births from 1.
#[derive(Default)]
pub(super) struct Births(u64);

impl Births {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = if self.0 == BIRTHS_MAX { 1 } else { self.0 + 1 };
        self.0
    }
}

/// What knows the key under which it lives.
pub(super) trait HasKey {
    fn key(&self) -> Key;
}

/// Things under keys.
pub(super) struct Keyed<T> {
    slots: Slab<T>,
    births: Births,
}

impl<T: HasKey> Keyed<T> {
    pub(super) fn new() -> Self {
        Self { slots: Slab::new(), births: Births::default() }
    }
    pub(super) fn insert_with(&mut self, make: impl FnOnce(Key) -> T) -> Key {
        let entry = self.slots.vacant_entry();
        let key = Key::new(entry.key(), self.births.next());
        entry.insert(make(key));
        key
    }
    pub(super) fn contains(&self, key: Key) -> bool {
        self.get(key).is_some()
    }
    pub(super) fn get(&self, key: Key) -> Option<&T> {
        self.in_slot(key.slot()).filter(|value| value.key() == key)
    }
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.in_slot_mut(key.slot()).filter(|value| value.key() == key)
    }
    /// Whoever lives in a slot.
    pub(super) fn in_slot(&self, slot: usize) -> Option<&T> {
        self.slots.get(slot)
    }
    /// Whoever lives in a slot.
    pub(super) fn in_slot_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.slots.get_mut(slot)
    }
    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.contains(key).then(|| self.slots.remove(key.slot()))
    }
    /// Everybody who lives, in an order that nothing may depend on.
    pub(super) fn any_order(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|(_, value)| value)
    }
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(PartialEq, Eq, Debug)]
    struct Named(Key, &'static str);

    impl HasKey for Named {
        fn key(&self) -> Key {
            self.0
        }
    }

    #[test]
    fn the_key_of_a_dead_entry_finds_nobody_in_its_slot() {
        let mut keyed = Keyed::new();
        let dead = keyed.insert_with(|key| Named(key, "dead"));
        assert_eq!(keyed.remove(dead), Some(Named(dead, "dead")));
        let alive = keyed.insert_with(|key| Named(key, "alive"));
        assert_eq!(dead.slot(), alive.slot());
        assert_eq!((keyed.remove(dead), keyed.get(dead), keyed.contains(dead)), (None, None, false));
        assert_eq!((keyed.get(alive), keyed.len()), (Some(&Named(alive, "alive")), 1));
        assert_eq!(Key::from_number(alive.number()), alive);
    }

    #[test]
    fn births_are_numbered_from_one_again_when_the_numbers_are_used_up() {
        let mut births = Births(BIRTHS_MAX - 1);
        assert_eq!((births.next(), births.next()), (BIRTHS_MAX, 1));
        assert_eq!(Key::new(5, BIRTHS_MAX).number().get() >> 63, 0, "the highest bit is the timers'");
    }
}
