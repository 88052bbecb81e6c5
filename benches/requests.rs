//! What requests cost: a minute at 10,000 a second, asked of three platforms.
//!
//! `served` has room for all, `refused` grows to its maximum and then refuses, `cold` begins
//! with the first boot, so that tens of thousands wait. The goal is seconds for each; `elem/s`
//! gives the cost of one request. Memory is not measured here: what grows with the requests is
//! one trace record each (64 bytes), and what waits at most 50 s.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;

const PER_SECOND: u64 = 10_000;
const SECONDS: u64 = 60;

fn story(config: &str, from: u64) -> Scenario {
    let until = from + SECONDS;
    let text = format!(
        "schema = 1\nhorizon = \"3m\"\n\
         [[step]]\nname = \"deploy\"\nat = \"0s\"\n\
         do.deploy = {{ app = \"shop\", config = '''{config}''' }}\n\
         [[traffic]]\napp = \"shop\"\nservice = \"web\"\nrate = \"{PER_SECOND}/s\"\n\
         from = \"{from}s\"\nuntil = \"{until}s\"\n"
    );
    Scenario::from_text(&text, "burst", None, &Overrides::default()).expect("the story is well formed")
}

fn burst(c: &mut Criterion) {
    let fixed = "[services.web.concurrency]\nmode = \"fixed\"\nnum_instances = 4\n";
    let stories = [("served", fixed, 30), ("refused", "name = \"shop\"\n", 30), ("cold", "name = \"shop\"\n", 0)];
    let mut group = c.benchmark_group("a_minute_at_10000_requests_a_second");
    group.throughput(Throughput::Elements(PER_SECOND * SECONDS)).sample_size(10);
    for (name, config, from) in stories {
        let story = story(config, from);
        group.bench_function(name, |b| b.iter(|| Simulation::new(&story, &story.variants[0]).run().events));
    }
    group.finish();
}

criterion_group!(benches, burst);
criterion_main!(benches);
