//! The rows of `runs.csv`: made from runs, read back for the analysis.
//!
//! Knows the columns and their order. Counts are whole numbers, times have three decimals, rounded
//! from nanoseconds without a float. What a newcomer gets wrong: a row has no number of its own; its
//! place in the plan's order *is* its key, and resuming checks that they agree.

use std::io;

use crate::model::Words;
use crate::replay;
use crate::scenario::{Scenario, Variant};
use crate::sim::Simulation;
use crate::trace::metrics::{Figure, Metric};

use super::aftermath::{self, COLUMNS};
use super::plan::{Key, Plan};

/// What one run gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    verdict: &'static str,
    violations: usize,
    aftermath: aftermath::Aftermath,
    figures: Vec<(Figure, Metric)>,
}

impl Measured {
    /// Runs a story and keeps its figures, which are folded from its records as they come.
    pub fn of(scenario: &Scenario, variant: &Variant) -> Self {
        let simulation = Simulation::new(scenario, variant);
        let (outcome, figures, aftermath) = replay::folded(simulation, scenario, aftermath::Fold::new(scenario));
        Self {
            verdict: outcome.verdict.name(),
            violations: outcome.violations.len(),
            aftermath: aftermath.finish(&outcome),
            figures: figures.iter().collect(),
        }
    }
}

impl Measured {
    /// A metric by name, as a number for the eye; 0 for one that does not exist.
    pub fn value(&self, metric: &str) -> f64 {
        if let Some(index) = COLUMNS.iter().position(|column| column.name == metric) {
            let value = self.aftermath[index] as f64;
            return if COLUMNS[index].seconds { value / 1e9 } else { value };
        }
        let found = self.figures.iter().find(|(figure, _)| figure.name() == metric);
        found.map_or(0.0, |(_, value)| value.billionths() as f64 / 1e9)
    }
}

/// Nanoseconds as seconds with three decimals.
pub fn seconds(nanos: u64) -> String {
    let millis = (u128::from(nanos) + 500_000) / 1_000_000;
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// The names of the columns that hold numbers to be judged.
pub fn metric_names() -> Vec<&'static str> {
    let figures = Figure::WORDS.iter().copied();
    COLUMNS.iter().map(|column| column.name).chain(figures).collect()
}

/// How many columns come before the metrics.
fn leading(plan: &Plan) -> usize {
    4 + plan.paths.len() + 2
}

/// The first line.
pub fn header(plan: &Plan) -> String {
    let mut names: Vec<&str> = vec!["setting", "scenario", "variant", "seed"];
    names.extend(plan.paths.iter().map(String::as_str));
    names.extend(["verdict", "violations"]);
    names.extend(metric_names());
    line(names)
}

/// The columns that say which run it is.
fn key_fields(plan: &Plan, key: Key) -> Vec<String> {
    let story = &plan.scenarios[key.scenario];
    let mut fields =
        vec![key.setting.to_string(), story.name.clone(), story.variants[key.variant].clone(), key.seed.to_string()];
    fields.extend(plan.settings[key.setting].iter().map(|value| value.clone().unwrap_or_default()));
    fields
}

/// A run's line.
pub fn row(plan: &Plan, key: Key, run: &Measured) -> String {
    let mut fields = key_fields(plan, key);
    fields.push(run.verdict.to_owned());
    fields.push(run.violations.to_string());
    fields.extend(
        COLUMNS.iter().zip(run.aftermath).map(
            |(column, value)| {
                if column.seconds { seconds(value) } else { value.to_string() }
            },
        ),
    );
    fields.extend(run.figures.iter().map(|(_, metric)| metric.to_string()));
    line(fields.iter().map(String::as_str))
}

/// Whether a line, without its end, is that of this run.
pub fn is_row_of(plan: &Plan, key: Key, text: &str) -> bool {
    let lead = line(key_fields(plan, key).iter().map(String::as_str));
    text.starts_with(&format!("{},", lead.trim_end()))
}

/// Fields as a line of CSV, with its end.
pub fn line<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(fields).expect("memory can be written");
    String::from_utf8(table.into_inner().expect("memory can be written")).expect("texts")
}

/// All runs of one setting: by metric, a value for each scenario and variant, then each seed.
#[derive(Clone, Debug)]
pub struct Block {
    pub setting: usize,
    /// `values[metric][pair * seeds + seed]`.
    pub values: Vec<Vec<f64>>,
}

impl Block {
    /// The places of the runs whose story has a trigger. Without one all of a run is before it, so that its rates
    /// and waits say nothing of what a trigger does.
    pub fn triggered(&self) -> Vec<usize> {
        let column = COLUMNS.iter().position(|column| column.name == "during_s").expect("a column");
        let during = self.values[column].iter().enumerate();
        during.filter(|(_, seconds)| **seconds > 0.0).map(|(run, _)| run).collect()
    }
}

/// Reads the blocks of a `runs.csv` one after another; only one is held.
pub struct Blocks<'a, R> {
    plan: &'a Plan,
    rows: csv::StringRecordsIntoIter<R>,
    next: usize,
}

impl<'a, R: io::Read> Blocks<'a, R> {
    /// The blocks of a plan's results.
    pub fn new(plan: &'a Plan, from: R) -> Self {
        Self { plan, rows: csv::Reader::from_reader(from).into_records(), next: 0 }
    }
}

impl<R: io::Read> Iterator for Blocks<'_, R> {
    type Item = Result<Block, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.plan.settings.len() {
            return None;
        }
        let setting = self.next;
        self.next += 1;
        let rows = self.plan.pairs().len() * self.plan.seed_count() as usize;
        let leading = leading(self.plan);
        let mut values = vec![Vec::with_capacity(rows); metric_names().len()];
        for _ in 0..rows {
            let row = match self.rows.next() {
                Some(Ok(row)) => row,
                Some(Err(error)) => return Some(Err(format!("runs.csv: {error}"))),
                None => return Some(Err("runs.csv ends too early".to_owned())),
            };
            if row.get(0).and_then(|field| field.parse().ok()) != Some(setting) {
                return Some(Err(format!("runs.csv: a row of setting {setting} is missing")));
            }
            for (index, column) in values.iter_mut().enumerate() {
                match row.get(leading + index).and_then(|field| field.parse().ok()) {
                    Some(value) => column.push(value),
                    None => return Some(Err(format!("runs.csv: setting {setting} has a field that is no number"))),
                }
            }
        }
        Some(Ok(Block { setting, values }))
    }
}
