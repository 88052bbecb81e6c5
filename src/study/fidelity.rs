//! Fidelity: what was observed in the field beside what the simulator makes of it.
//!
//! Each row names an incident's figure, the range in which it was observed, and the scenario, variant and
//! figure that stand for it; the simulated value is taken over many seeds with random ticker phases.

use rayon::prelude::*;
use serde::Deserialize;

use crate::constants::Value;
use crate::report;
use crate::scenario::{Scenario, Variant};
use crate::sim::Simulation;
use crate::world::spec::Phase;

/// One figure of one incident.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The incident's id.
    pub incident: String,
    /// What was measured.
    pub what: String,
    /// As the field reported it.
    pub observed: String,
    /// The least and the most that the report allows, in units of the figure.
    pub range: [f64; 2],
    /// The scenario, below `scenarios/`, without its ending.
    pub scenario: String,
    /// The variant.
    pub variant: String,
    /// A metric, or `settled_in_s`.
    pub figure: String,
    /// What the figure is divided by, to give what was observed (hours of a run, say).
    #[serde(default = "one")]
    pub per: f64,
    /// Why it lies outside, where it does; or what the reader should know.
    #[serde(default)]
    pub note: String,
    /// The numbers of the rules that make it.
    #[serde(default)]
    pub rules: Vec<String>,
    /// What the real scheduler of the day gave, and its commit; nothing where it was not run.
    #[serde(default)]
    pub measured: String,
}

fn one() -> f64 {
    1.0
}

/// All rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The rows, in the order of the page.
    pub figure: Vec<Row>,
}

/// The values of a figure over seeds, sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated(pub Vec<f64>);

impl Simulated {
    /// Runs the row's variant under these seeds with random phases. A run in which the figure does
    /// not exist (it never settles) counts as infinite.
    pub fn of(row: &Row, scenario: &Scenario, variant: &Variant, seeds: std::ops::Range<u64>) -> Self {
        let mut values: Vec<f64> = seeds
            .into_par_iter()
            .map(|seed| {
                let mut variant = variant.clone();
                variant.seed = seed;
                variant.tuning.set("ticker_phase", Phase::Seed.get());
                let outcome = Simulation::new(scenario, &variant).run();
                let billionths = if row.figure == "settled_in_s" {
                    report::settled_in(scenario, variant.expect.as_ref(), &outcome).map(|d| u128::from(d.as_nanos()))
                } else {
                    report::figures(scenario, &outcome).get(&row.figure).map(|metric| metric.billionths())
                };
                billionths.map_or(f64::INFINITY, |n| n as f64 / 1e9 / row.per)
            })
            .collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The least, the median and the most.
    pub fn spread(&self) -> [f64; 3] {
        let last = self.0.len().saturating_sub(1);
        [self.0[0], self.0[last / 2], self.0[last]]
    }

    /// Whether what was observed and what was simulated overlap.
    pub fn meets(&self, range: [f64; 2]) -> bool {
        let [least, _, most] = self.spread();
        least <= range[1] && most >= range[0]
    }
}

/// A number as the page shows it.
pub fn shown(value: f64) -> String {
    if value.is_infinite() {
        "never".to_owned()
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
