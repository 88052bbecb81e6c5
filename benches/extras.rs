//! What a run pays for its explanations, its proofs and its judges: with and without.
//!
//! Causes may cost 15 % of a run's time, the search for livelocks 10 % of a run of an hour. For
//! seventy minutes nothing can recur and nobody looks, so a run of six hours is measured, too.
//! What a newcomer gets wrong: without causes judges may find other violations, so only the times
//! of the two are to be compared.

use criterion::{Criterion, criterion_group, criterion_main};
use schedsim::kernel::{SimDuration, SimTime};
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::{Proofs, Simulation};

const PENDING: &str = include_str!("../scenarios/mir-788/forever-pending.toml");

/// Scenarios of the corpus, and for how many hours each is run.
const STORIES: [(&str, &str, u64); 4] = [
    ("forever-pending", PENDING, 1),
    ("lease-carousel", include_str!("../scenarios/mir-788/lease-carousel.toml"), 1),
    ("orphaned-disk", include_str!("../scenarios/mir-788/orphaned-disk.toml"), 1),
    // It is proved after five and a half.
    ("forever-pending, six hours", PENDING, 6),
];

fn bench(c: &mut Criterion) {
    for (name, text, hours) in STORIES {
        let end = SimTime::ZERO + SimDuration::from_hours(hours);
        let scenario = Scenario::from_text(text, name, None, &Overrides::default());
        let scenario = scenario.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
        let variant = &scenario.variants[0];
        let mut group = c.benchmark_group(name);
        let run = || Simulation::new(&scenario, variant).until(end);
        group.bench_function("as it is", |b| b.iter(|| run().run()));
        group.bench_function("without causes", |b| b.iter(|| run().without_causes().run()));
        group.bench_function("without proofs", |b| b.iter(|| run().proofs(Proofs::Off).run()));
        group.bench_function("without judges", |b| b.iter(|| run().without_judges().run()));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
