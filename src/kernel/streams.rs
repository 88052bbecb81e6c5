//! Random numbers: one ChaCha8 stream for each (seed, subject, purpose).
//!
//! A draw added in one place moves no draw elsewhere, because every place has a stream of its
//! own. The key of a stream is the BLAKE3 hash of the triple; both algorithms are pinned, a
//! change of either is a change of the scenario schema. What a newcomer gets wrong: a purpose
//! names one question ("boot time"), not a module.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::hashed::{Hashed, hash_of};

/// All streams of one run. Those that are drawn from repeatedly are kept alive.
pub struct Streams {
    seed: u64,
    /// The seed of what is drawn once, which stays.
    first_seed: u64,
    open: Hashed<Open>,
    /// A purpose whose streams are those of another seed.
    redrawn: Option<(&'static str, Box<Streams>)>,
}

/// A stream that was drawn from.
struct Open {
    subject: Box<str>,
    purpose: &'static str,
    stream: Box<ChaCha8Rng>,
}

impl Streams {
    /// The streams of the run with that seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, first_seed: seed, open: Hashed::new(), redrawn: None }
    }

    /// The next 64 bits of the stream (subject, purpose).
    pub fn draw(&mut self, subject: &str, purpose: &'static str) -> u64 {
        if let Some((redrawn, streams)) = &mut self.redrawn
            && *redrawn == purpose
        {
            return streams.draw(subject, purpose);
        }
        let (seed, is) = (self.seed, |open: &Open| *open.subject == *subject && open.purpose == purpose);
        let open = || Open { subject: subject.into(), purpose, stream: Box::new(stream(seed, subject, purpose)) };
        self.open.get_or_insert_with(hash_of((subject, purpose)), is, open).stream.next_u64()
    }

    /// From now on the streams for that purpose are those of another seed, from their beginnings.
    pub fn redraw(&mut self, purpose: &'static str, seed: u64) {
        self.redrawn = Some((purpose, Box::new(Self::new(seed))));
    }

    /// From now on all streams are those of another seed, from their beginnings; what is drawn once stays as it was.
    pub fn redraw_all(&mut self, seed: u64) {
        self.seed = seed;
        self.open = Hashed::new();
    }

    /// The first 64 bits of a stream that is drawn from once only; nothing is kept.
    pub fn once(&self, subject: &str, purpose: &'static str) -> u64 {
        stream(self.first_seed, subject, purpose).next_u64()
    }

    /// The first 64 bits of a stream that is the same for every seed.
    pub fn fixed(subject: &str, purpose: &'static str) -> u64 {
        stream(0, subject, purpose).next_u64()
    }
}

/// A stream as a generator of its own, for what is drawn outside of runs.
pub fn stream(seed: u64, subject: &str, purpose: &str) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    // Lengths keep ("ab", "c") and ("a", "bc") apart.
    for part in [subject, purpose] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// A number below `n` from 64 random bits, by multiplication (no rejection: the bias is below
/// `n / 2^64`, far beneath what any study can see).
pub fn below(bits: u64, n: u64) -> u64 {
    ((u128::from(bits) * u128::from(n)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_elsewhere_moves_nothing() {
        let mut alone = Streams::new(7);
        let mut among = Streams::new(7);
        among.draw("sandbox/a-0", "boot time");
        among.draw("sandbox/b-0", "key");
        assert_eq!(alone.draw("sandbox/b-0", "boot time"), among.draw("sandbox/b-0", "boot time"));
    }

    #[test]
    fn one_purpose_is_drawn_anew_and_no_other() {
        let (mut plain, mut redrawn) = (Streams::new(7), Streams::new(7));
        redrawn.redraw("retry", 8);
        let mut both = |purpose| (plain.draw("a", purpose), redrawn.draw("a", purpose));
        let (retry, key) = (both("retry"), both("key"));
        assert!(retry.0 != retry.1 && key.0 == key.1);
        assert_eq!(retry.1, Streams::new(8).draw("a", "retry"));
    }

    #[test]
    fn everything_is_drawn_anew_but_what_is_drawn_once() {
        let (mut plain, mut redrawn, mut other) = (Streams::new(7), Streams::new(7), Streams::new(8));
        assert_eq!(plain.draw("a", "key"), redrawn.draw("a", "key"));
        redrawn.redraw_all(8);
        assert_eq!(redrawn.draw("a", "key"), other.draw("a", "key"), "from its beginning");
        assert_eq!(redrawn.draw("b", "retry"), other.draw("b", "retry"));
        assert_eq!(redrawn.once("a", "phase"), plain.once("a", "phase"));
    }

    #[test]
    fn the_algorithms_are_pinned() {
        let mut streams = Streams::new(788);
        let drawn: Vec<u64> = (0..2).map(|_| streams.draw("sandbox/pds-database-0", "key")).collect();
        assert_eq!(drawn, [PINNED.0, PINNED.1], "a change here is a change of `schema`");
        assert_eq!(streams.once("sandbox/pds-database-0", "key"), PINNED.0);
    }
    const PINNED: (u64, u64) = (10313240197377595915, 10656469051189320159);

    #[test]
    fn numbers_below_a_bound_reach_both_ends() {
        assert_eq!(below(0, 10), 0);
        assert_eq!(below(u64::MAX, 10), 9);
        assert_eq!(below(u64::MAX, 1), 0);
    }
}
