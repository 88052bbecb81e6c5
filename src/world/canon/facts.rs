//! What controllers remember, kept as they told it.
//!
//! A fact is a word, or two when its number is large, so that a capture of many thousand facts stays small.
//! It knows how facts are kept and not what they mean: references and instants are as they were told, and
//! become ranks and ages when the state is written.

use crate::kernel::SimTime;
use crate::model::Subject;
use crate::ports::{Fact, Nonce};

/// The kinds of words, in their lowest bits; the rest is the number.
const END: u64 = 0;
const THING: u64 = 1;
const NUMBER: u64 = 2;
const NEVER: u64 = 3;
const MOMENT: u64 = 4;
const NO_NONCE: u64 = 5;
const NONCE: u64 = 6;
const WAITS: u64 = 7;
const TAG_BITS: u32 = 4;
/// Beside a tag: the number is the next word.
const WIDE: u64 = 8;

/// The memories of several controllers.
#[derive(Default)]
pub(super) struct Facts {
    words: Vec<u64>,
    /// How many of them take two words.
    wide: usize,
    /// How many of the facts are about what waits for a retry.
    waits: usize,
}

/// A kept fact, or where the memory of a controller ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decoded {
    End,
    /// The number of a kind, and that of a thing of it.
    Thing(usize, u32),
    Number(u64),
    Moment(Option<SimTime>),
    Nonce(Option<Nonce>),
    /// As [`Decoded::Thing`]: it waits for a retry.
    Waits(usize, u32),
}

impl Facts {
    /// None yet, with room for so many.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { words: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// How many they are, with the ends of memories, but for what waits for a retry.
    pub(super) fn told(&self) -> usize {
        self.words.len() - self.wide - self.waits
    }

    /// About how many bytes they take.
    pub(super) fn weight(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    #[inline]
    pub(super) fn push(&mut self, fact: Fact) {
        let number = |subject: Subject| (subject.kind as u64) << 32 | u64::from(subject.index);
        let (tag, n) = match fact {
            Fact::Thing(subject) => (THING, number(subject)),
            Fact::Waits(subject) => (WAITS, number(subject)),
            Fact::Number(n) => (NUMBER, n),
            Fact::Moment(None) => (NEVER, 0),
            Fact::Moment(Some(at)) => (MOMENT, at.as_nanos()),
            Fact::Nonce(None) => (NO_NONCE, 0),
            Fact::Nonce(Some(nonce)) => (NONCE, nonce.0),
        };
        self.waits += usize::from(tag == WAITS);
        self.word(tag, n);
    }

    /// A controller has told all that it remembers.
    pub(super) fn end(&mut self) {
        self.word(END, 0);
    }

    #[inline]
    fn word(&mut self, tag: u64, n: u64) {
        if n >> (u64::BITS - TAG_BITS) == 0 {
            self.words.push(n << TAG_BITS | tag);
        } else {
            self.wide += 1;
            self.words.extend([tag | WIDE, n]);
        }
    }

    /// All of them, in the order in which they were told.
    pub(super) fn iter(&self) -> impl Iterator<Item = Decoded> {
        let mut words = self.words.iter();
        std::iter::from_fn(move || {
            let word = *words.next()?;
            let n = if word & WIDE == 0 { word >> TAG_BITS } else { *words.next().expect("a wide one has two words") };
            Some(match word & (WIDE - 1) {
                THING => Decoded::Thing((n >> 32) as usize, n as u32),
                WAITS => Decoded::Waits((n >> 32) as usize, n as u32),
                NUMBER => Decoded::Number(n),
                NEVER => Decoded::Moment(None),
                MOMENT => Decoded::Moment(Some(SimTime::from_nanos(n))),
                NO_NONCE => Decoded::Nonce(None),
                NONCE => Decoded::Nonce(Some(Nonce(n))),
                _ => Decoded::End,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn facts_are_read_as_they_were_told() {
        let thing = |index| Fact::Thing(Subject { kind: Kind::Process, index });
        let cases = [
            (thing(0), Decoded::Thing(Kind::Process as usize, 0)),
            (thing(u32::MAX), Decoded::Thing(Kind::Process as usize, u32::MAX)),
            (Fact::Number(0), Decoded::Number(0)),
            (Fact::Number((1 << 60) - 1), Decoded::Number((1 << 60) - 1)),
            (Fact::Number(1 << 60), Decoded::Number(1 << 60)),
            (Fact::Number(u64::MAX), Decoded::Number(u64::MAX)),
            (Fact::Moment(None), Decoded::Moment(None)),
            (Fact::Moment(Some(SimTime::ZERO)), Decoded::Moment(Some(SimTime::ZERO))),
            (Fact::Moment(Some(SimTime::MAX)), Decoded::Moment(Some(SimTime::MAX))),
            (Fact::Waits(Subject { kind: Kind::Lease, index: 3 }), Decoded::Waits(Kind::Lease as usize, 3)),
            (Fact::Nonce(None), Decoded::Nonce(None)),
            (Fact::Nonce(Some(Nonce(7))), Decoded::Nonce(Some(Nonce(7)))),
        ];
        let mut facts = Facts::default();
        for (fact, _) in cases {
            facts.push(fact);
            facts.end();
        }
        let expected: Vec<Decoded> = cases.iter().flat_map(|(_, kept)| [*kept, Decoded::End]).collect();
        assert_eq!(facts.iter().collect::<Vec<_>>(), expected);
        assert_eq!(facts.told(), expected.len() - 1, "however wide they are, but for the wait");
    }
}
