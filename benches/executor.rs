//! PHOLD: logical processes that sleep an exponential time, then poke another one. As tasks of
//! the executor, beside a bare loop over a binary heap that does the same. Read the ratios, not
//! the nanoseconds.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

#[path = "common/increments.rs"]
mod increments;
#[path = "common/phold.rs"]
mod phold;
use phold::{heap_loop, tasks, waking_tasks};

const PROCESSES: [usize; 2] = [1_000, 100_000];
/// Events before measuring, for each process: the queue forgets how it was filled.
const EVENTS_PER_PROCESS: usize = 3;

fn all(c: &mut Criterion) {
    let mut group = c.benchmark_group("phold");
    for processes in PROCESSES {
        let mut run = |name: &str, mut event: Box<dyn FnMut()>| {
            for _ in 0..processes * EVENTS_PER_PROCESS {
                event();
            }
            group.bench_function(BenchmarkId::new(name, processes), |b| b.iter(&mut event));
        };
        run("heap", Box::new(heap_loop(processes)));
        run("tasks", Box::new(tasks(processes)));
        run("tasks and wakers", Box::new(waking_tasks(processes)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
