//! The revisions that a controller wrote itself, so that it does not react to its own writes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::model::Revision;

/// The revisions that a controller wrote itself; watch events that carry them are skipped.
#[derive(Clone)]
pub struct OwnWrites(Rc<RefCell<Ring>>);

struct Ring {
    /// Sorted: nearly always the last to come is the highest.
    known: VecDeque<Revision>,
    capacity: usize,
}

impl OwnWrites {
    /// Remembers the `capacity` highest revisions: writes are answered in their order.
    pub fn new(capacity: u32) -> Self {
        let ring = Ring { known: VecDeque::new(), capacity: capacity as usize };
        Self(Rc::new(RefCell::new(ring)))
    }
    /// Remembers one.
    pub fn remember(&self, revision: Revision) {
        let ring = &mut *self.0.borrow_mut();
        let place = ring.known.partition_point(|known| *known < revision);
        if ring.known.get(place) != Some(&revision) {
            ring.known.insert(place, revision);
            if ring.known.len() > ring.capacity {
                ring.known.pop_front();
            }
        }
    }
    pub(super) fn contains(&self, revision: Revision) -> bool {
        self.0.borrow().known.binary_search(&revision).is_ok()
    }
}
