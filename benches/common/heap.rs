//! A bare binary heap in the hold model: take the first event, add one an exponential time later.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::increments::Increments;

/// Holds so many events; each call is one hold, and gives its time. The sequence number stands for what the
/// agenda promises: ties in order of pushes.
pub(crate) fn hold(pending: usize) -> impl FnMut() -> u64 {
    let mut increments = Increments::new();
    let mut heap: BinaryHeap<Reverse<(u64, u64, u64)>> = BinaryHeap::new();
    let mut sequence = 0;
    for n in 0..pending {
        sequence += 1;
        heap.push(Reverse((increments.next(), sequence, n as u64)));
    }
    move || {
        let Reverse((at, _, payload)) = heap.pop().expect("held");
        sequence += 1;
        heap.push(Reverse((at + increments.next(), sequence, payload)));
        at
    }
}
