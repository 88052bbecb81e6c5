//! The corpus and a bisection: every story once, and the search through all fixes of one.
//!
//! The baseline of the corpus is the same run of one short story, so that a ratio tells whether
//! the corpus or the machine became slower.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use schedsim::controllers::fixes::Fixes;
use schedsim::report::corpus::Corpus;
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;
use schedsim::study::Signature;
use schedsim::study::bisect::bisect;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn story(name: &str, set: &[(&str, &str)]) -> Scenario {
    let file = root().join("scenarios").join(name).with_extension("toml");
    let set = set.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    Scenario::from_file(&file, &Overrides { set, ..Overrides::default() }).expect("a story of the corpus")
}

fn run_all(scenario: &Scenario) -> u64 {
    scenario.variants.iter().map(|variant| Simulation::new(scenario, variant).run().events).sum()
}

fn corpus(c: &mut Criterion) {
    let names = Corpus::find(&[root().join("scenarios")]).expect("the corpus can be read").stories;
    let stories: Vec<Scenario> = names.iter().map(|known| story(&known.name, &[])).collect();
    let short = story("mir-788/lease-carousel", &[]);
    let mut group = c.benchmark_group("corpus");
    group.sample_size(10);
    group.bench_function("one story", |b| b.iter(|| run_all(&short)));
    group.bench_function("every story, one thread", |b| b.iter(|| stories.iter().map(run_all).sum::<u64>()));
    group.finish();
}

fn bisection(c: &mut Criterion) {
    let story = story("mir-788/lease-carousel", &[("horizon", "1h")]);
    let base = &story.variants[0];
    let mut group = c.benchmark_group("bisect");
    group.sample_size(10);
    group.bench_function("one run", |b| b.iter(|| Signature::of(&story, base).is_sound()));
    group.bench_function("all fixes of history and proposals", |b| {
        b.iter(|| bisect(&story, base, Fixes::NONE, Fixes::proposed(), |s, v| Signature::of(s, v).is_sound()).runs);
    });
    group.finish();
}

criterion_group!(benches, corpus, bisection);
criterion_main!(benches);
