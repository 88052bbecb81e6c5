//! Slots: a request's share of one sandbox, handed out round robin.

use std::cell::Cell;
use std::rc::Rc;

use crate::model::{Name, SandboxId};
use crate::ports::Host;

/// A request's share of one sandbox; given back when it is dropped.
pub struct Slot {
    /// On which sandbox.
    pub sandbox: SandboxId,
    pub(super) size: u32,
    pub(super) used: Rc<Cell<u32>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.used.set(self.used.get().saturating_sub(self.size));
    }
}

/// The place of a round robin that began at random.
pub(super) struct Rotation {
    next: usize,
}

impl Rotation {
    pub(super) fn start(host: &impl Host, service: Name) -> Self {
        Self { next: host.draw_below(&service, "rotation", 1 << 16) }
    }

    /// The next of `candidates` that is usable.
    pub(super) fn next(&mut self, candidates: &[SandboxId], usable: impl Fn(&SandboxId) -> bool) -> Option<SandboxId> {
        let count = candidates.len();
        let place = (0..count).map(|step| (self.next + step) % count).find(|place| usable(&candidates[*place]))?;
        self.next = place + 1;
        Some(candidates[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sandbox_has_its_turn() {
        let candidates: Vec<SandboxId> = (0..3).map(SandboxId::from_index).collect();
        let mut rotation = Rotation { next: 7 };
        let turns: Vec<u32> =
            (0..4).filter_map(|_| rotation.next(&candidates, |_| true)).map(SandboxId::index).collect();
        assert_eq!(turns, [1, 2, 0, 1]);
        assert_eq!(rotation.next(&candidates, |_| false), None);
        assert_eq!(rotation.next(&[], |_| true), None);
    }
}
