//! Whole runs: a simulated day of the two oldest stories, and a cluster that grows.
//!
//! Each day stands beside a bare loop over a binary heap that handles as many events and does
//! nothing in them: the ratio is what store, controllers, judges and trace cost. The growing
//! cluster is read per reconcile (`elem/s`): it must not depend on how many *other* apps there
//! are. A run here is one run of [`Simulation`], without digest, figures or text.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use schedsim::model::Reason;
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::{Outcome, Simulation};
use schedsim::trace::What;

#[path = "common/apps.rs"]
mod apps;
#[path = "common/increments.rs"]
mod increments;
use increments::Increments;

const FOREVER_PENDING: &str = include_str!("../scenarios/mir-788/forever-pending.toml");

/// The story of scenarios/crashes/crash-loop-idle.toml.
const CRASH_LOOP_IDLE: &str = r#"
schema  = 1
horizon = "24h"
[workload.shop.web]
exit_after = "200ms"
[[step]]
at = "0s"
do.deploy = { app = "shop", config = "name = \"shop\"" }
"#;

/// Events that wait at once in the two stories, roughly: a ticker or a wait each.
const PENDING: usize = 32;

/// How many apps there are.
const APPS: [usize; 3] = [10, 100, 1_000];

fn scenario(text: &str, as_of: &str, horizon: &str) -> Scenario {
    let set = vec![("horizon".to_owned(), horizon.to_owned())];
    let overrides = Overrides { set, as_of: Some(as_of.to_owned()), ..Overrides::default() };
    let loaded = Scenario::from_text(text, "bench", None, &overrides);
    loaded.unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render(false)))
}

fn run(scenario: &Scenario) -> Outcome {
    Simulation::new(scenario, &scenario.variants[0]).run()
}

/// Takes the first of a few pending events and sets another one, so many times.
fn heap_loop(events: u64) -> u64 {
    let mut increments = Increments::new();
    let mut heap: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
    for sequence in 0..PENDING as u64 {
        heap.push(Reverse((increments.next(), sequence)));
    }
    let mut pokes = [0_u64; PENDING];
    for sequence in 0..events {
        let Some(Reverse((now, _))) = heap.pop() else { break };
        pokes[increments.below(PENDING)] += 1;
        heap.push(Reverse((now + increments.next(), sequence)));
    }
    pokes[0]
}

/// A simulated day of each story, under the logic of its time and under today's.
fn day(c: &mut Criterion) {
    let mut group = c.benchmark_group("day");
    for (name, text, as_of) in [
        ("forever-pending before", FOREVER_PENDING, "2026-03-11"),
        ("crash-loop-idle before", CRASH_LOOP_IDLE, "2025-11-13"),
        ("crash-loop-idle after", CRASH_LOOP_IDLE, "2025-11-14"),
        ("crash-loop-idle current", CRASH_LOOP_IDLE, "current"),
    ] {
        let scenario = scenario(text, as_of, "24h");
        let events = run(&scenario).events;
        group.throughput(Throughput::Elements(events));
        group.bench_function(BenchmarkId::new("heap", name), |b| b.iter(|| heap_loop(black_box(events))));
        group.bench_function(BenchmarkId::new("run", name), |b| b.iter(|| run(black_box(&scenario)).events));
    }
    group.finish();
}

/// So many apps of one healthy service each, and every tenth of them in a crash loop.
fn cluster(apps: usize) -> Scenario {
    let text = apps::text(apps, 10, "1h");
    let without = vec![apps::WITHOUT.to_owned()];
    let overrides = Overrides { as_of: Some("current".to_owned()), without, ..Overrides::default() };
    let loaded = Scenario::from_text(&text, "apps", None, &overrides);
    loaded.unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render(false)))
}

fn reconciles(outcome: &Outcome) -> u64 {
    let is_one = |what: &What| matches!(what, What::Decided(Reason::Reconcile { .. }));
    outcome.trace.records().iter().filter(|record| is_one(&record.what)).count() as u64
}

/// A simulated hour of a cluster; the figure to read is that of one reconcile.
fn apps(c: &mut Criterion) {
    let mut group = c.benchmark_group("hour");
    group.sample_size(10);
    for apps in APPS {
        let scenario = cluster(apps);
        group.throughput(Throughput::Elements(reconciles(&run(&scenario))));
        group.bench_function(BenchmarkId::new("apps", apps), |b| b.iter(|| run(black_box(&scenario)).events));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = day, apps
}
criterion_main!(benches);
