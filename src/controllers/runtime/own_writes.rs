//! The revisions that a controller wrote itself, so that it does not react to its own writes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::model::Revision;

/// The revisions that a controller wrote itself; watch events that carry them are skipped.
#[derive(Clone)]
pub struct OwnWrites(Rc<RefCell<Ring>>);

struct Ring {
    /// In the order of the writes, which is that of the revisions.
    known: VecDeque<Revision>,
    capacity: usize,
}

impl OwnWrites {
    /// Remembers the last `capacity` revisions.
    pub fn new(capacity: u32) -> Self {
        let ring = Ring { known: VecDeque::new(), capacity: capacity as usize };
        Self(Rc::new(RefCell::new(ring)))
    }
    /// Remembers one, as soon as its write is answered: answers come in the order of the writes.
    pub fn remember(&self, revision: Revision) {
        let ring = &mut *self.0.borrow_mut();
        debug_assert!(ring.known.back().is_none_or(|last| *last < revision), "a later write was remembered before");
        ring.known.push_back(revision);
        if ring.known.len() > ring.capacity {
            ring.known.pop_front();
        }
    }
    pub(super) fn contains(&self, revision: Revision) -> bool {
        // What a watch tells was written a moment ago: few have been remembered since.
        self.0.borrow().known.iter().rfind(|known| **known <= revision) == Some(&revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_revisions_are_known_and_older_ones_forgotten() {
        let own = OwnWrites::new(2);
        let shared = own.clone();
        [3, 5, 8].into_iter().for_each(|n| shared.remember(Revision(n)));
        assert_eq!([3, 4, 5, 8, 9].map(|n| own.contains(Revision(n))), [false, false, true, true, false]);
    }
}
