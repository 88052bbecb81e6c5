//! The agenda in the hold model (take the next event, add one an exponential time later),
//! beside a bare binary heap that does the same. Read the ratios, not the nanoseconds.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use schedsim::kernel::{Agenda, SimTime};

#[path = "common/heap.rs"]
mod heap;
#[expect(dead_code, reason = "the other bench draws numbers below a bound")]
#[path = "common/increments.rs"]
mod increments;
use increments::Increments;

/// Holds before measuring, for each pending event: the queue forgets how it was filled.
const HOLDS_PER_EVENT: usize = 3;

fn hold(c: &mut Criterion) {
    let mut group = c.benchmark_group("hold");
    for pending in [1_000usize, 100_000, 1_000_000] {
        let mut hold_heap = heap::hold(pending);
        for _ in 0..pending * HOLDS_PER_EVENT {
            hold_heap();
        }
        group.bench_function(BenchmarkId::new("heap", pending), |b| b.iter(|| black_box(hold_heap())));

        let mut increments = Increments::new();
        let mut agenda = Agenda::new();
        for n in 0..pending {
            agenda.push(SimTime::from_nanos(increments.next()), n as u64);
        }
        let mut hold_agenda = || {
            let (at, payload) = agenda.pop().expect("held");
            agenda.push(SimTime::from_nanos(at.as_nanos() + increments.next()), payload);
            at
        };
        for _ in 0..pending * HOLDS_PER_EVENT {
            hold_agenda();
        }
        group.bench_function(BenchmarkId::new("agenda", pending), |b| b.iter(|| black_box(hold_agenda())));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = hold
}
criterion_main!(benches);
