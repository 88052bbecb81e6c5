//! Agenda and executor beside bare heaps, in turns, so that both see the same machine.
//!
//! Peers that come from the registry stand in a package of their own (benches/peers).

use std::hint::black_box;

use schedsim::kernel::{Agenda, SimTime};

use super::cpu_time;
use super::heap;
use super::increments::Increments;
use super::phold;
use super::table::Row;

/// So many turns; the median of their ratios counts.
const TURNS: usize = 7;
/// Events in one turn of each.
const EVENTS: usize = 1_000_000;
/// Events before measuring, for each that is pending: a queue forgets how it was filled.
const WARM_UP: usize = 3;

type Events = Box<dyn FnMut()>;

/// Nanoseconds of an event of each, the median of all turns.
fn in_turns(pending: usize, mut all: Vec<Events>) -> Vec<f64> {
    for events in &mut all {
        (0..pending * WARM_UP).for_each(|_| events());
    }
    let mut nanos: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
    for _ in 0..TURNS {
        for (events, nanos) in all.iter_mut().zip(&mut nanos) {
            let started = cpu_time();
            (0..EVENTS).for_each(|_| events());
            nanos.push((cpu_time() - started) as f64 / EVENTS as f64);
        }
    }
    let middle = |mut nanos: Vec<f64>| {
        nanos.sort_by(f64::total_cmp);
        nanos[TURNS / 2]
    };
    nanos.into_iter().map(middle).collect()
}

fn agenda(pending: usize) -> Events {
    let mut increments = Increments::new();
    let mut agenda = Agenda::new();
    (0..pending).for_each(|n| agenda.push(SimTime::from_nanos(increments.next()), n as u64));
    Box::new(move || {
        let (at, payload) = agenda.pop().expect("held");
        agenda.push(SimTime::from_nanos(at.as_nanos() + increments.next()), payload);
        black_box(at);
    })
}

fn binary_heap(pending: usize) -> Events {
    let mut hold = heap::hold(pending);
    Box::new(move || {
        black_box(hold());
    })
}

/// A heap of four children a node, and sequence and payload packed into one word beside the time.
fn wide_heap(pending: usize) -> Events {
    const PAYLOAD_BITS: u32 = 24;
    let mut increments = Increments::new();
    let mut heap = WideHeap(Vec::new());
    let mut sequence = 0_u64;
    for n in 0..pending {
        sequence += 1;
        heap.push((increments.next(), sequence << PAYLOAD_BITS | n as u64));
    }
    Box::new(move || {
        // The first goes and the next one takes its place: a pop and a push in one.
        let (at, word) = heap.0[0];
        sequence += 1;
        let payload = word & ((1 << PAYLOAD_BITS) - 1);
        heap.replace_first((at + increments.next(), sequence << PAYLOAD_BITS | payload));
        black_box(at);
    })
}

struct WideHeap(Vec<(u64, u64)>);

impl WideHeap {
    fn push(&mut self, entry: (u64, u64)) {
        self.0.push(entry);
        let mut place = self.0.len() - 1;
        while place > 0 && self.0[(place - 1) / 4] > self.0[place] {
            self.0.swap(place, (place - 1) / 4);
            place = (place - 1) / 4;
        }
    }
    fn replace_first(&mut self, entry: (u64, u64)) {
        let (mut place, len) = (0, self.0.len());
        loop {
            let children = 4 * place + 1..(4 * place + 5).min(len);
            let Some(least) = children.min_by_key(|child| self.0[*child]).filter(|least| self.0[*least] < entry) else {
                break;
            };
            self.0[place] = self.0[least];
            place = least;
        }
        self.0[place] = entry;
    }
}

/// The agenda beside the better of two heaps.
pub(crate) fn hold(name: &'static str, pending: usize, goal: &'static str) -> Row {
    let before = match pending {
        1_000 => "0.85",
        100_000 => "0.42",
        _ => "0.19",
    };
    let nanos = in_turns(pending, vec![agenda(pending), binary_heap(pending), wide_heap(pending)]);
    let [ours, binary, wide] = nanos[..] else { unreachable!("three were measured") };
    let beside = format!("{ours:.0} ns / binary heap {binary:.0}, 4-ary that replaces {wide:.0}");
    Row::ratio(name, before, goal, ours / binary.min(wide), beside)
}

/// Tasks beside a bare loop.
pub(crate) fn phold(name: &'static str, processes: usize) -> Row {
    beside_heap(name, processes, Box::new(phold::tasks(processes)))
}

/// Tasks that wake others beside a bare loop; two events each.
pub(crate) fn phold_woken(name: &'static str, processes: usize) -> Row {
    beside_heap(name, processes, Box::new(phold::waking_tasks(processes)))
}

fn beside_heap(name: &'static str, processes: usize, tasks: Events) -> Row {
    let nanos = in_turns(processes, vec![tasks, Box::new(phold::heap_loop(processes))]);
    Row::ratio(name, "–", "–", nanos[0] / nanos[1], format!("{:.0} ns / {:.0} ns", nanos[0], nanos[1]))
}
