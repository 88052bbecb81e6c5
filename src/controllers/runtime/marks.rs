//! A set of entities, for marks that come and go at every event.
//!
//! Handles count from 0, so a place for each is cheaper than a tree of those that are marked.

use crate::model::Id;

/// Which entities are marked.
pub(super) struct Marks {
    marked: Vec<bool>,
}

impl Marks {
    pub(super) const fn none() -> Self {
        Self { marked: Vec::new() }
    }
    /// Marks one; false when it was marked already.
    pub(super) fn put<E>(&mut self, id: Id<E>) -> bool {
        let index = id.index() as usize;
        if self.marked.len() <= index {
            self.marked.resize(index + 1, false);
        }
        !std::mem::replace(&mut self.marked[index], true)
    }
    /// Takes a mark away, if there is one.
    pub(super) fn take<E>(&mut self, id: Id<E>) {
        if let Some(marked) = self.marked.get_mut(id.index() as usize) {
            *marked = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SandboxId;

    #[test]
    fn an_entity_is_marked_once_until_its_mark_is_taken() {
        let (low, high) = (SandboxId::from_index(0), SandboxId::from_index(70));
        let mut marks = Marks::none();
        marks.take(high);
        assert_eq!((marks.put(high), marks.put(high), marks.put(low)), (true, false, true));
        marks.take(high);
        assert_eq!((marks.put(high), marks.put(low)), (true, false));
    }
}
