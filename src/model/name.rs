//! Interned text: names of entities, images, error messages.
//!
//! A name is one pointer, copied freely and sent between threads; equal texts are one text.
//! Names compare by content, so that no address can leak into an order. What a newcomer gets
//! wrong: interned text is never freed – intern what things are called, not what is put together
//! from values: an error is a [`Failure`](super::Failure), and its text is made when it is read.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A piece of interned text.
#[derive(Clone, Copy)]
pub struct Name(&'static &'static str);

/// All names.
static TEXTS: Mutex<Texts> = Mutex::new(Texts { places: Vec::new(), known: 0 });

/// Names by the hash of their text: each at its own place, or at the next that was free. The order is nobody's.
struct Texts {
    /// A power of two, at least half of them free.
    places: Vec<Option<(u64, Name)>>,
    known: usize,
}

impl Texts {
    /// Where the name with that text is, or would be.
    fn place(&self, hash: u64, text: &str) -> usize {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while self.places[place].is_some_and(|(other, name)| other != hash || name.as_str() != text) {
            place = (place + 1) & mask;
        }
        place
    }
    fn grow(&mut self) {
        let all = std::mem::take(&mut self.places);
        self.places = vec![None; (2 * all.len()).max(1024)];
        for (hash, name) in all.into_iter().flatten() {
            let place = self.place(hash, name.as_str());
            self.places[place] = Some((hash, name));
        }
    }
}

/// FNV-1a: the same on every machine, and quick for short texts.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Name {
    /// The name with that text.
    pub fn new(text: &str) -> Self {
        let hash = hash(text);
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        if 2 * texts.known >= texts.places.len() {
            texts.grow();
        }
        let place = texts.place(hash, text);
        if let Some((_, known)) = texts.places[place] {
            return known;
        }
        let leaked: &'static str = Box::leak(Box::from(text));
        let name = Self(Box::leak(Box::new(leaked)));
        texts.places[place] = Some((hash, name));
        texts.known += 1;
        name
    }
    /// The text.
    pub fn as_str(&self) -> &'static str {
        self.0
    }
    /// The name of a thing without its kind: `pds-database` of `pool/pds-database`.
    pub fn short(&self) -> &'static str {
        self.0.split_once('/').map_or(*self.0, |(_, short)| short)
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
impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        self.0
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
