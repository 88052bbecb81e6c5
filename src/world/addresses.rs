//! The address table of one node: who holds which address of its subnet.
//!
//! It knows sandboxes by id and never whether they live: an address whose owner is gone stays
//! taken. A first fit finds the next one, and leaves alone for a while what was just given back.

use crate::kernel::{SimDuration, SimTime};
use crate::model::{SandboxId, slot};

/// One address of a node's subnet.
#[derive(Clone, Copy, Debug, Default)]
pub struct AddressSlot {
    /// Who took it.
    pub owner: Option<SandboxId>,
    /// When it was last given back.
    pub freed_at: Option<SimTime>,
}

/// The addresses of one node.
#[derive(Clone, Default)]
pub(super) struct Addresses {
    /// Those that were ever taken, and none behind them.
    slots: Vec<AddressSlot>,
    count: usize,
    taken: usize,
    /// How often one was taken before it had rested, because none had, and when last.
    unrested: u64,
    unrested_at: Option<SimTime>,
}

impl Addresses {
    pub(super) fn new(count: u16) -> Self {
        Self { count: usize::from(count), ..Self::default() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Those that were ever taken; the host part of an address is its index plus one.
    pub(super) fn slots(&self) -> &[AddressSlot] {
        &self.slots
    }

    /// How many have an owner.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// How often one was taken before it had rested.
    pub(super) fn unrested(&self) -> u64 {
        self.unrested
    }

    /// When one was last taken before it had rested.
    pub(super) fn unrested_at(&self) -> Option<SimTime> {
        self.unrested_at
    }

    /// Rule 7.90: takes the first free one, if it can be one that was free for `rest`; gives its host part.
    pub(super) fn take(&mut self, owner: SandboxId, now: SimTime, rest: SimDuration) -> Option<u16> {
        let free = |slot: &AddressSlot| slot.owner.is_none();
        let rested = |slot: &AddressSlot| slot.freed_at.is_none_or(|at| now.since(at) >= rest);
        let first = self.slots.iter().position(|slot| free(slot) && rested(slot));
        if first.is_none() && self.slots.len() < self.count {
            // One that was never taken has rested for ever.
            self.slots.push(AddressSlot { owner: Some(owner), freed_at: None });
            self.taken += 1;
            return Some(self.slots.len() as u16);
        }
        let index = first.or_else(|| self.slots.iter().position(free))?;
        if first.is_none() {
            self.unrested += 1;
            self.unrested_at = Some(now);
        }
        self.slots[index].owner = Some(owner);
        self.taken += 1;
        Some(index as u16 + 1)
    }

    /// Rule 7.82: marks one as that sandbox's, unless it has an owner.
    pub(super) fn reserve(&mut self, host: u16, owner: SandboxId) -> bool {
        let slot = slot(&mut self.slots, u32::from(host) - 1, AddressSlot::default());
        let free = slot.owner.is_none();
        if free {
            slot.owner = Some(owner);
            self.taken += 1;
        }
        free
    }

    /// Gives one back; who held it, if somebody did.
    pub(super) fn free(&mut self, host: u16, now: SimTime) -> Option<SandboxId> {
        let slot = self.slots.get_mut(usize::from(host).checked_sub(1)?)?;
        let owner = slot.owner.take()?;
        slot.freed_at = Some(now);
        self.taken -= 1;
        Some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fit_leaves_a_freed_address_alone_until_none_else_is_left() {
        let at = |secs| SimTime::ZERO + SimDuration::from_secs(secs);
        let (owner, rest) = (SandboxId::from_index(7), SimDuration::from_secs(60));
        let mut addresses = Addresses::new(2);
        assert_eq!(addresses.take(owner, at(0), rest), Some(1));
        assert_eq!((addresses.free(1, at(1)), addresses.free(1, at(2))), (Some(owner), None));
        assert_eq!(addresses.take(owner, at(3), rest), Some(2));
        assert_eq!(addresses.take(owner, at(3), rest), Some(1));
        assert_eq!((addresses.take(owner, at(3), rest), addresses.taken()), (None, 2));
        assert_eq!((addresses.free(0, at(4)), addresses.free(3, at(4))), (None, None), "there are no such addresses");
        let owned = addresses.slots().iter().filter(|slot| slot.owner.is_some()).count();
        assert_eq!(addresses.taken(), owned);
    }
}
