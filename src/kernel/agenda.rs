//! The agenda: pending events ordered by (time, sequence).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::time::SimTime;

/// Pending events. Of two at the same time, the one pushed first comes first.
#[derive(Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<(SimTime, u64, u64)>>,
    pushed: u64,
}

impl Agenda {
    /// An empty agenda.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds an event.
    pub fn push(&mut self, at: SimTime, payload: u64) {
        self.pushed += 1;
        self.heap.push(Reverse((at, self.pushed, payload)));
    }
    /// The time of the next event.
    pub fn peek(&mut self) -> Option<SimTime> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }
    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(SimTime, u64)> {
        self.heap.pop().map(|Reverse((at, _, payload))| (at, payload))
    }
    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.heap.len()
    }
    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}
