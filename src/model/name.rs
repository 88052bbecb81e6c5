//! Interned text: names of entities, images, error messages.
//!
//! A name is one pointer, copied freely and sent between threads; equal texts are one text.
//! Names compare by content, so that no address can leak into an order. What a newcomer gets
//! wrong: interned text is never freed – intern what things are called, not what is put together
//! from values: an error is a [`Failure`](super::Failure), and its text is made when it is read.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hashed::{Hashed, hash_of};

/// A piece of interned text.
#[derive(Clone, Copy)]
pub struct Name(&'static Interned);

/// What a name points to.
#[derive(Clone, Copy)]
struct Interned {
    text: &'static str,
    /// Of the text: whoever seeks by a name need not go there.
    hash: u64,
}

/// All names.
static TEXTS: Mutex<Texts> = Mutex::new(Texts { known: Hashed::new(), texts: &mut [], names: &mut [] });

/// The names, and room for more: small things side by side are found sooner.
struct Texts {
    known: Hashed<Name>,
    texts: &'static mut [u8],
    names: &'static mut [Interned],
}

/// The first `count` of what is left of a room; where that is less, of another that is made.
fn take<T: Clone>(room: &mut &'static mut [T], count: usize, empty: T) -> &'static mut [T] {
    if room.len() < count {
        *room = Box::leak(vec![empty; count.max(1 << 10)].into_boxed_slice());
    }
    let (taken, left) = std::mem::take(room).split_at_mut(count);
    *room = left;
    taken
}

impl Name {
    /// The name with that text.
    pub fn new(text: &str) -> Self {
        let hash = hash_of(text);
        let Texts { known, texts, names } = &mut *TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let kept = take(texts, text.len(), 0);
            kept.copy_from_slice(text.as_bytes());
            let interned = Interned { text: str::from_utf8(kept).expect("it is a text"), hash };
            let name = take(names, 1, interned);
            name[0] = interned;
            Self(&name[0])
        };
        *known.get_or_insert_with(hash, |name| name.as_str() == text, make)
    }
    /// The text.
    pub fn as_str(&self) -> &'static str {
        self.0.text
    }
    /// The name of a thing without its kind: `pds-database` of `pool/pds-database`.
    pub fn short(&self) -> &'static str {
        self.0.text.split_once('/').map_or(self.0.text, |(_, short)| short)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // Equal texts are one text, so the address decides, and decides the same on every machine.
        std::ptr::eq(self.0, other.0)
    }
}
impl Eq for Name {}
impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}
impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}
impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        self.0.text
    }
}
impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::new(&Cow::<str>::deserialize(d)?))
    }
}

/// A text that stands in the program.
pub type Word = &'static str;

/// A word, as a trace that was kept has it.
pub(crate) fn interned<'de, D: Deserializer<'de>>(d: D) -> Result<Word, D::Error> {
    Name::deserialize(d).map(|name| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_name_and_order_is_by_content() {
        let (b, a) = (Name::new("b"), Name::new("a"));
        assert_eq!(a, Name::new(&String::from("a")));
        assert!(a < b, "although b was interned first");
    }
}
