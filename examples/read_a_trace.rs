//! A run, read by a program: its verdict, its figures, and what led to the first broken invariant.
//!
//! `cargo run --release --example read_a_trace -- scenarios/mir-788/lease-carousel.toml`

use std::path::PathBuf;

use schedsim::report;
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;
use schedsim::trace::What;
use schedsim::trace::timeline::{self, Options};

fn main() {
    let file = std::env::args().nth(1).unwrap_or_else(|| "scenarios/mir-788/lease-carousel.toml".to_owned());
    let scenario = match Scenario::from_file(&PathBuf::from(file), &Overrides::default()) {
        Ok(scenario) => scenario,
        Err(wrong) => {
            eprint!("{}", wrong.render(false));
            std::process::exit(2);
        }
    };
    for variant in &scenario.variants {
        let outcome = Simulation::new(&scenario, variant).run();
        println!("{} @ {}: {}", scenario.name, variant.name, outcome.verdict.name());
        for (figure, value) in report::figures(&scenario, &outcome).iter().filter(|(_, value)| !value.is_zero()) {
            println!("  {:24}{value}", figure.name());
        }
        let trace = &outcome.trace;
        let broken = trace.records().iter().position(|record| matches!(record.what, What::Broken { .. }));
        // Every record names the one that caused it; causes point backwards, so this ends.
        let chain = std::iter::successors(broken, |index| trace.records().at(*index).cause.index());
        for entry in chain.map(|index| timeline::entry(trace, &Options::default(), index)) {
            let (at, subject) = (entry.at.elapsed().clock(), trace.name(entry.subject));
            println!("  {at:>11}  {subject:26} {} {}", entry.what, entry.why);
        }
    }
}
