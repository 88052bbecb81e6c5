//! A handler's copy of an entity, made only when it is written to.

use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// A handler's copy of an entity, made when it first writes to it.
pub struct Draft<E> {
    original: Rc<E>,
    copy: Option<E>,
}

impl<E: Clone> Draft<E> {
    pub(super) fn of(original: &Rc<E>) -> Self {
        Self { original: Rc::clone(original), copy: None }
    }
}
impl<E> Deref for Draft<E> {
    type Target = E;
    fn deref(&self) -> &E {
        self.copy.as_ref().unwrap_or(&self.original)
    }
}
impl<E: Clone> DerefMut for Draft<E> {
    fn deref_mut(&mut self) -> &mut E {
        self.copy.get_or_insert_with(|| (*self.original).clone())
    }
}

impl<E> Draft<E> {
    /// The copy, when the handler wrote to it.
    pub(super) fn into_copy(self) -> Option<E> {
        self.copy
    }
}
