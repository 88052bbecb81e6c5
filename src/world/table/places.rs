//! The places of all rows of a table, brought into order when they are asked for.
//!
//! Rows come and go far oftener than all are listed: what is new waits, and so does what is gone. It knows no
//! row. What a newcomer gets wrong: to keep a tree in order costs a comparison of texts at each step of each change.

use super::Place;

/// The places of all rows.
pub(super) struct Places<E> {
    /// Those that were there when they were last asked for.
    pub(super) in_order: Vec<Place<E>>,
    /// Those that came since, and those that went.
    new: Vec<Place<E>>,
    gone: Vec<Place<E>>,
}

impl<E> Default for Places<E> {
    fn default() -> Self {
        Self { in_order: Vec::new(), new: Vec::new(), gone: Vec::new() }
    }
}

impl<E> Places<E> {
    /// One more row.
    pub(super) fn add(&mut self, place: Place<E>) {
        self.new.push(place);
    }

    /// One row less.
    pub(super) fn remove(&mut self, place: Place<E>) {
        self.gone.push(place);
    }

    /// All, in order.
    pub(super) fn sorted(&mut self) -> &[Place<E>] {
        if !self.new.is_empty() {
            self.new.sort_unstable();
            let mut all = Vec::with_capacity(self.in_order.len() + self.new.len());
            let mut rest = &self.in_order[..];
            for place in self.new.drain(..) {
                let (before, after) = rest.split_at(rest.partition_point(|other| *other < place));
                all.extend_from_slice(before);
                all.push(place);
                rest = after;
            }
            all.extend_from_slice(rest);
            self.in_order = all;
        }
        if !self.gone.is_empty() {
            self.gone.sort_unstable();
            let mut gone = self.gone.drain(..).peekable();
            self.in_order.retain(|place| gone.next_if_eq(place).is_none());
        }
        &self.in_order
    }
}
