//! The agenda beside a model that cannot be wrong: a binary heap of (time, sequence).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

/// The agenda and the model, fed alike.
#[derive(Default)]
struct Pair {
    agenda: Agenda,
    model: BinaryHeap<Reverse<(u64, u64)>>,
    pushed: u64,
    /// The time of the last pop.
    now: u64,
}

impl Pair {
    fn push(&mut self, at: u64) {
        self.agenda.push(SimTime::from_nanos(at), self.pushed);
        self.model.push(Reverse((at, self.pushed)));
        self.pushed += 1;
    }
    fn peek(&mut self) {
        let expected = self.model.peek().map(|Reverse((at, payload))| (SimTime::from_nanos(*at), *payload));
        assert_eq!(self.agenda.first(), expected);
        assert_eq!(self.agenda.peek(), expected.map(|(at, _)| at));
    }
    fn look_at_all(&self) {
        // Not always: it costs as much as there are events.
        if self.model.len() <= 40
            && let Some(events) = self.agenda.in_order()
        {
            let sorted = self.model.clone().into_sorted_vec();
            let expected = sorted.into_iter().rev().map(|Reverse((at, payload))| (SimTime::from_nanos(at), payload));
            assert!(events.eq(expected));
        }
    }
    fn pop(&mut self) -> bool {
        self.look_at_all();
        let expected = self.model.pop().map(|Reverse((at, payload))| (SimTime::from_nanos(at), payload));
        assert_eq!(self.agenda.pop(), expected);
        assert_eq!(self.agenda.len(), self.model.len());
        assert_eq!(self.agenda.is_empty(), self.model.is_empty());
        self.now = expected.map_or(self.now, |(at, _)| at.as_nanos());
        expected.is_some()
    }
    fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        self.agenda.retain(&keep);
        self.model.retain(|Reverse((_, payload))| keep(*payload));
        assert_eq!(self.agenda.len(), self.model.len());
    }
    fn drain(&mut self) {
        while self.pop() {}
    }
}

/// Repeatable noise (a linear congruential generator, the better upper bits of it).
fn noise(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[derive(Clone, Debug)]
enum Op {
    /// At an instant, which may have passed.
    At(u64),
    /// So much after the last pop.
    After(u64),
    /// Many, each `step` after the one before.
    Burst {
        after: u64,
        step: u64,
        count: u16,
    },
    /// Many, each before the one before.
    Falling {
        after: u64,
        step: u64,
        count: u16,
    },
    Peek,
    Pop(u16),
    /// Drops all but every nth.
    Thin(u64),
}

/// Delays of every size, from none to beyond the end of time.
fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        0..4u64,
        0..1_000u64,
        (0..64u32, any::<u64>()).prop_map(|(shift, noise)| noise >> shift),
        Just(u64::MAX),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => delay().prop_map(Op::At),
        6 => delay().prop_map(Op::After),
        2 => (delay(), delay(), 1..400u16).prop_map(|(after, step, count)| Op::Burst { after, step, count }),
        2 => (delay(), delay(), 1..400u16).prop_map(|(after, step, count)| Op::Falling { after, step, count }),
        2 => Just(Op::Peek),
        4 => (1..300u16).prop_map(Op::Pop),
        1 => (1..5u64).prop_map(Op::Thin),
    ]
}

fn apply(pair: &mut Pair, op: &Op) {
    match *op {
        Op::At(at) => pair.push(at),
        Op::After(d) => pair.push(pair.now.saturating_add(d)),
        Op::Burst { after, step, count } => {
            for n in 0..u64::from(count) {
                pair.push(pair.now.saturating_add(after).saturating_add(step.saturating_mul(n)));
            }
        }
        Op::Falling { after, step, count } => {
            for n in 0..u64::from(count) {
                pair.push(pair.now.saturating_add(after).saturating_sub(step.saturating_mul(n)));
            }
        }
        Op::Peek => pair.peek(),
        Op::Pop(count) => {
            for _ in 0..count {
                pair.pop();
            }
        }
        Op::Thin(n) => pair.retain(|payload| payload % n == 0),
    }
}

proptest! {
    #[test]
    fn events_come_in_the_order_of_a_heap_of_time_and_sequence(ops in prop::collection::vec(op(), 1..80)) {
        let mut pair = Pair::default();
        for op in &ops {
            apply(&mut pair, op);
        }
        pair.drain();
    }
}

/// A delay for the nth event, made of noise.
type Shape = fn(u64, u64) -> u64;

const SHAPES: [(&str, Shape); 9] = [
    ("all at once", |_, _| 0),
    ("uniform", |r, _| r),
    ("two clusters", |r, n| if n % 2 == 0 { r % 100 } else { 1_000_000_000 + r % 100 }),
    ("few instants", |r, _| (r % 5) * 1_000_000_000),
    ("all magnitudes", |r, n| r << (n % 32)),
    ("far timers", |r, n| if n % 7 == 0 { u64::MAX - r % 3 } else { r % 1_000 }),
    ("rising", |r, n| n * 1_000 + r % 7),
    ("falling", |r, n| (1 << 40) - n * 1_000 + r % 9_000),
    ("a lone outlier", |r, n| if n == 0 { u64::MAX } else { r % 10 }),
];

#[test]
fn every_shape_of_load_is_held_in_order() {
    for (name, shape) in SHAPES {
        println!("{name}");
        let (mut pair, mut state) = (Pair::default(), 1);
        for n in 0..5_000 {
            pair.push(shape(noise(&mut state), n));
        }
        for n in 0..20_000 {
            assert!(pair.pop());
            pair.push(pair.now.saturating_add(shape(noise(&mut state), n)));
            if n % 3 == 0 {
                pair.peek();
            }
        }
        pair.drain();
    }
}

#[test]
fn events_before_a_peeked_pile_come_first() {
    let mut pair = Pair::default();
    for _ in 0..10_000 {
        pair.push(1_000_000);
    }
    let mut state = 1;
    for _ in 0..10_000 {
        pair.peek();
        pair.push(noise(&mut state) % 1_000_001);
    }
    pair.drain();
}

#[test]
fn an_event_before_the_last_pop_comes_next() {
    let mut pair = Pair::default();
    for at in 0..1_000 {
        pair.push(at * 10);
    }
    for _ in 0..500 {
        pair.pop();
        pair.push(7);
        pair.push(pair.now);
        pair.peek();
        pair.pop();
    }
    pair.drain();
}

#[test]
fn a_long_ladder_stays_in_order() {
    let (mut pair, mut state) = (Pair::default(), 1);
    // Clusters pushed backwards in time: each is cut, and reaches less far than the one before.
    for cluster in (0..2_000u64).rev() {
        for _ in 0..200 {
            pair.push((cluster << 20) + noise(&mut state) % 1_000);
        }
    }
    assert!(pair.agenda.rungs.len() > 100, "{} rungs: too few to test a long ladder", pair.agenda.rungs.len());
    for _ in 0..10_000 {
        pair.push(noise(&mut state) % (2_000 << 20));
    }
    pair.drain();
}

#[test]
fn memory_follows_what_is_pending_not_what_was() {
    let (mut pair, mut state) = (Pair::default(), 1);
    for _ in 0..1_000 {
        pair.push(noise(&mut state));
    }
    for _ in 0..100_000 {
        pair.pop();
        pair.push(pair.now + noise(&mut state));
    }
    let chunks = pair.agenda.chunks.allocated();
    assert!(chunks <= 1_000, "{chunks} chunks for 1000 pending events");
    assert!(pair.agenda.near.capacity() <= 1_024, "{}", pair.agenda.near.capacity());
}

#[test]
fn what_comes_soon_is_told_of_before_it_comes_and_not_long_before() {
    let (mut agenda, mut state, pending) = (Agenda::new(), 1, 20_000);
    for n in 0..pending {
        agenda.push(SimTime::from_nanos(noise(&mut state) % 1_000_000), n);
    }
    let (mut told, mut unheralded, mut most) = (std::collections::BTreeSet::<u64>::new(), 0, 0);
    for left in (0..pending).rev() {
        agenda.first();
        told.extend(agenda.coming().iter().copied());
        most = most.max(told.len());
        let (_, payload) = agenda.pop().expect("so many were pushed");
        unheralded += usize::from(!told.remove(&payload) && left > COMING_MIN as u64);
    }
    // Those that were sorted in while the agenda was filled are not told of.
    assert!(unheralded < pending as usize / 50 && most < 400, "{unheralded} came untold, {most} were told at once");
}
