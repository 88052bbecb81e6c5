//! What a sweep costs beside its runs, what a second worker wins, and how much simulated time a second holds.
//!
//! `bare` simulates and does nothing else; `sweep` plans, runs, folds, writes and judges the same runs on one thread.
//! Days of crash-loop-idle are measured by criterion; the two ratios come from many short pairs, one right after the
//! other, because other work on a machine disturbs both halves of a pair alike. What a newcomer gets wrong: a single
//! pair says nothing on a machine that is not idle – read the median, and the quartiles for how much to trust it.

use std::path::Path;
#[expect(clippy::disallowed_types, reason = "a bench measures the wall clock")]
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group};
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;
use schedsim::study::sweep::folder::{Folder, Shard};
use schedsim::study::sweep::planning::{PlanOptions, plan_of};
use schedsim::study::sweep::results::finish;
use schedsim::study::sweep::run::{Nobody, run};

const STORY: &str = "crash-loop-idle.toml";
/// So many pairs are measured for a ratio.
const PAIRS: usize = 41;

fn dir() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/crashes")
}

/// So many days of crash-loop-idle, simulated and nothing else.
fn bare(scenario: &Scenario, seeds: u64) {
    let after = scenario.variants.iter().find(|variant| variant.name == "after").expect("a variant");
    for seed in 0..seeds {
        let mut variant = after.clone();
        variant.seed = seed;
        std::hint::black_box(Simulation::new(scenario, &variant).run());
    }
}

fn scenario() -> Scenario {
    let overrides = Overrides { set: vec![("horizon".to_owned(), "24h".to_owned())], ..Overrides::default() };
    Scenario::from_file(&dir().join(STORY), &overrides).expect("the story")
}

/// The same days as a sweep of two settings, from its file to its report.
fn swept(seeds: u64) {
    let text = format!(
        "schema = 1\nscenarios = [\"{STORY}\"]\nvariants = [\"after\"]\nseeds = \"0..{}\"\n\
         baseline = [\"horizon=24h\", \"tuning.max_pool_size=20\"]\n\
         [[point]]\nset = [\"tuning.max_pool_size=21\"]\n[[objective]]\nmetric = \"boots_attempted\"\n",
        seeds / 2
    );
    let out = tempfile::tempdir().expect("a folder");
    let (plan, stories, _) = plan_of(&text, "bench", &dir(), &PlanOptions::default()).expect("a plan");
    let folder = Folder::open(out.path(), &plan, Shard::WHOLE, true).expect("a folder");
    run(&plan, &stories, &folder, &Nobody).expect("it runs");
    finish(&folder, &plan).expect("it is judged");
}

fn workers(count: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(count).build().expect("threads")
}

const SEEDS: u64 = 16;

fn days(c: &mut Criterion) {
    let (scenario, one) = (scenario(), workers(1));
    let mut group = c.benchmark_group("crash-loop-idle, days");
    group.throughput(Throughput::Elements(SEEDS)).sample_size(10);
    group.bench_function("bare", |b| b.iter(|| one.install(|| bare(&scenario, SEEDS))));
    group.bench_function("sweep", |b| b.iter(|| one.install(|| swept(SEEDS))));
    group.finish();
}

/// Seconds that something takes.
fn seconds(work: impl FnOnce()) -> f64 {
    #[expect(clippy::disallowed_types, reason = "a bench measures the wall clock")]
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

/// Pairs of times, turn about first: the lower quartile, the median and the upper quartile of their ratios.
fn paired(mut one: impl FnMut(), mut other: impl FnMut()) -> [f64; 3] {
    let mut pairs = Vec::new();
    for turn in 0..PAIRS {
        if turn % 2 == 0 {
            let first = seconds(&mut one);
            pairs.push((first, seconds(&mut other)));
        } else {
            let first = seconds(&mut other);
            pairs.push((seconds(&mut one), first));
        }
    }
    let mut ratios: Vec<f64> = pairs.iter().map(|(one, other)| other / one).collect();
    ratios.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| ratios[PAIRS * quarter / 4])
}

/// The processor time of this process so far, in ticks of its system; none where nobody counts it.
fn ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name: the 12th and 13th are user's and system's.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

fn ratios() {
    let (scenario, one, two) = (scenario(), workers(1), workers(2));
    // Both on a worker: the first thread of a process has memory of another kind.
    let [low, median, high] = paired(|| one.install(|| bare(&scenario, 32)), || one.install(|| swept(32)));
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    let [low, overhead, high] = [low, median, high].map(percent);
    println!("overhead of a sweep over bare runs: {overhead:.1} % (quartiles {low:.1} .. {high:.1} %)");
    let mut spent = [0; 2];
    let counted = |workers: &rayon::ThreadPool, spent: &mut u64| {
        let before = ticks();
        workers.install(|| swept(96));
        *spent += ticks().zip(before).map_or(0, |(now, before)| now - before);
    };
    let [spent_one, spent_two] = &mut spent;
    let [low, median, high] = paired(|| counted(&two, spent_two), || counted(&one, spent_one));
    println!("one worker takes, in times of two: {median:.2} (quartiles {low:.2} .. {high:.2})");
    if spent[0] > 0 {
        let more = percent(spent[1] as f64 / spent[0] as f64);
        println!("processor time of two workers over one: {more:+.1} % (what they cost each other)");
    }
}

criterion_group!(benches, days);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // `cargo test --benches` only looks whether a bench works.
    if std::env::args().all(|word| word != "--test") {
        ratios();
    }
}
