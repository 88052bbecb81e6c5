//! How long an explanation takes: of any record in a run of a million, under 100 ms.
//!
//! The trace is that of a real run: a disk that can never be made, for as long as it takes to
//! write a million records. What a newcomer gets wrong: the time is that of *one* explanation
//! with its index; whoever explains many makes an `Explainer` once.

#[macro_use]
#[path = "../tests/common/database.rs"]
mod database;

use criterion::{Criterion, criterion_group, criterion_main};
use schedsim::kernel::RecordId;
use schedsim::report::explain::{Explainer, Limits, Setting};
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::{Outcome, Simulation};

const RECORDS: usize = 1_000_000;

const STORY: &str = concat!(
    r#"
schema = 1
horizon = "17d"
[policy]
as_of = "2026-03-11"
[[step]]
name = "typo"
at = "0s"
[step.do.deploy]
app = "pds"
config = '''
"#,
    database!("size"),
    "'''\n"
);

fn story() -> Scenario {
    Scenario::from_text(STORY, "long", None, &Overrides::default())
        .unwrap_or_else(|wrong| panic!("{}", wrong.render(false)))
}

fn run(scenario: &Scenario) -> Outcome {
    let outcome = Simulation::new(scenario, &scenario.variants[0]).keeps_evidence().run();
    assert!(outcome.trace.records().len() >= RECORDS, "{} records", outcome.trace.records().len());
    outcome
}

fn bench(c: &mut Criterion) {
    let scenario = story();
    let outcome = run(&scenario);
    let trace = &outcome.trace;
    let setting = Setting::of(&scenario, &scenario.variants[0]);
    let mut group = c.benchmark_group("explain");
    group.sample_size(10);
    for (name, place) in [("the last record", trace.records().len() - 1), ("one in the middle", RECORDS / 2)] {
        let record = RecordId::from_index(place);
        let chain = Explainer::new(trace, &setting).chain(record, Limits::default()).expect("a record");
        println!("{name}: {} links, {} shown", chain.length, chain.links.len());
        group.bench_function(name, |b| b.iter(|| Explainer::new(trace, &setting).chain(record, Limits::default())));
    }
    // As the command asks for it: what decided links that are not shown is listed, too.
    let last = RecordId::from_index(trace.records().len() - 1);
    let listed = || Explainer::new(trace, &setting).chain_and_deciders(last, Limits::default());
    group.bench_function("the last record, with all that decided it", |b| b.iter(listed));
    group.bench_function("index alone", |b| b.iter(|| drop(Explainer::new(trace, &setting))));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
