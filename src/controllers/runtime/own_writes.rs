//! The revisions that a controller wrote itself, so that it does not react to its own writes.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use crate::model::Revision;

/// The revisions that a controller wrote itself; watch events that carry them are skipped.
#[derive(Clone)]
pub struct OwnWrites(Rc<RefCell<Ring>>);

struct Ring {
    order: VecDeque<Revision>,
    known: BTreeSet<Revision>,
    capacity: usize,
}

impl OwnWrites {
    /// Remembers the last `capacity` revisions.
    pub fn new(capacity: u32) -> Self {
        let ring = Ring { order: VecDeque::new(), known: BTreeSet::new(), capacity: capacity as usize };
        Self(Rc::new(RefCell::new(ring)))
    }
    /// Remembers one.
    pub fn remember(&self, revision: Revision) {
        let ring = &mut *self.0.borrow_mut();
        if ring.known.insert(revision) {
            ring.order.push_back(revision);
            if ring.order.len() > ring.capacity
                && let Some(oldest) = ring.order.pop_front()
            {
                ring.known.remove(&oldest);
            }
        }
    }
    pub(super) fn contains(&self, revision: Revision) -> bool {
        self.0.borrow().known.contains(&revision)
    }
}
