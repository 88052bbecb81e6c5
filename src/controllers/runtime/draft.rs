//! A handler's copy of an entity, made only when it is written to.

use std::ops::{Deref, DerefMut};

use crate::ports::Versioned;

/// A handler's copy of an entity, made when it first writes to it.
pub struct Draft<E> {
    original: Versioned<E>,
    copy: Option<E>,
}

impl<E: Clone> Draft<E> {
    pub(super) fn of(original: &Versioned<E>) -> Self {
        Self { original: original.clone(), copy: None }
    }
}
impl<E> Deref for Draft<E> {
    type Target = E;
    fn deref(&self) -> &E {
        self.copy.as_ref().unwrap_or(&self.original.entity)
    }
}
impl<E: Clone> DerefMut for Draft<E> {
    fn deref_mut(&mut self) -> &mut E {
        self.copy.get_or_insert_with(|| self.original.entity.clone())
    }
}

impl<E> Draft<E> {
    /// Takes back all that was written to it.
    pub fn discard(&mut self) {
        self.copy = None;
    }
    /// The copy, when the handler wrote to it.
    pub(super) fn copy(&self) -> Option<&E> {
        self.copy.as_ref()
    }
}
