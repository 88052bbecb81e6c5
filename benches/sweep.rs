//! What a sweep costs beside its runs, and how much simulated time a second holds.
//!
//! `bare` simulates and folds the same runs that `sweep` plans, runs, writes and judges; the ratio is
//! the overhead. A day of crash-loop-idle is one run. What a newcomer gets wrong: both are on one
//! thread here, so that other work on the machine disturbs them alike.

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use schedsim::scenario::{Overrides, Scenario};
use schedsim::study::sweep::file::SweepFile;
use schedsim::study::sweep::finish::finish;
use schedsim::study::sweep::folder::{Folder, Shard};
use schedsim::study::sweep::plan::{PlanOptions, plan};
use schedsim::study::sweep::rows::Measured;
use schedsim::study::sweep::run::{Nobody, run};

const SEEDS: u64 = 16;
const STORY: &str = "crash-loop-idle.toml";

fn sweeps(c: &mut Criterion) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/crashes");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let mut group = c.benchmark_group("crash-loop-idle, days");
    group.throughput(Throughput::Elements(SEEDS)).sample_size(10);

    let overrides = Overrides { set: vec![("horizon".to_owned(), "24h".to_owned())], ..Overrides::default() };
    let scenario = Scenario::from_file(&dir.join(STORY), &overrides).expect("the story");
    let after = scenario.variants.iter().find(|variant| variant.name == "after").expect("a variant");
    group.bench_function("bare", |b| {
        b.iter(|| {
            for seed in 0..SEEDS {
                let mut variant = after.clone();
                variant.seed = seed;
                std::hint::black_box(Measured::of(&scenario, &variant));
            }
        });
    });

    let text = format!(
        "schema = 1\nscenarios = [\"{STORY}\"]\nvariants = [\"after\"]\nseeds = \"0..{SEEDS}\"\nbaseline = [\"horizon=24h\"]\n\
         [[objective]]\nmetric = \"boots_attempted\"\n"
    );
    let file = SweepFile::from_text(&text, "bench").expect("a sweep");
    group.bench_function("sweep", |b| {
        b.iter(|| {
            let out = tempfile::tempdir().expect("a folder");
            pool.install(|| {
                let (plan, stories, _) = plan(&file, &dir, &PlanOptions::default()).expect("a plan");
                let folder = Folder::open(out.path(), &plan, Shard::WHOLE, true).expect("a folder");
                run(&plan, &stories, &folder, &Nobody).expect("it runs");
                finish(&folder, &plan).expect("it is judged");
            });
        });
    });
    group.finish();
}

criterion_group!(benches, sweeps);
criterion_main!(benches);
