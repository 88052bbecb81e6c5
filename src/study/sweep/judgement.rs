//! What is said of settings: each beside the baseline, and all of them together. Plain data.

use crate::model::words::words;

use super::estimate::Estimate;
use super::file::Objective;
use super::plan::Plan;
use super::rows::{Block, metric_names};
use super::stats::Seeds;

/// The precision that `seeds_needed` is about, where nobody asks for another.
pub const PRECISION: f64 = 0.05;

words!(
    /// How a setting compares with the baseline in an objective.
    Against {
        /// Surely better.
        Better = "better",
        /// Surely worse.
        Worse = "worse",
        /// Every run has the baseline's value.
        Same = "same",
        /// These seeds cannot tell.
        Unsure = "unsure",
    }
);

/// What moves an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Seeds do, so that settings are compared over them.
    BySeeds,
    /// Only settings do: each has one value, seen as often as there are seeds.
    BySettings,
    /// Nothing does.
    Never,
}

/// A setting, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    pub setting: usize,
    pub objectives: Vec<Estimate>,
    /// The bounded number of each constraint, and whether it is kept.
    pub constraints: Vec<(f64, bool)>,
    /// How it compares with the baseline in each objective.
    pub against: Vec<Against>,
    /// In each objective, whether runs of one story differ by seed.
    pub varies: Vec<bool>,
    /// The digest of all values that objectives and constraints are made of.
    pub judged_values: blake3::Hash,
    /// The digest of all of its figures.
    pub all_values: blake3::Hash,
    /// The first setting with the same values in everything that is judged, when it is another one.
    pub twin_of: Option<usize>,
    /// Nothing that keeps the constraints is as good everywhere and better somewhere.
    pub on_front: bool,
    /// The mean of every metric over the runs whose story has a trigger, for figures; none: there is no such run.
    pub aftermath: Option<Vec<f64>>,
}

impl Judged {
    /// Whether it keeps all constraints.
    pub fn keeps(&self) -> bool {
        self.constraints.iter().all(|(_, kept)| *kept)
    }
}

/// All settings, judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub settings: Vec<Judged>,
    pub seeds: Seeds,
    pub moved: Vec<Moved>,
    /// How many differences were compared at once.
    pub compared: usize,
    /// The parameters that changed no figure of any run, where settings tell.
    pub idle: Vec<usize>,
}

/// The values of an objective's metric in the runs that it is about.
pub fn values(plan: &Plan, objective: &Objective, block: &Block) -> Vec<f64> {
    let seeds = plan.seed_count() as usize;
    let column = metric_names().iter().position(|name| *name == objective.metric).expect("checked when it was read");
    let column = &block.values[column];
    let mut found = Vec::new();
    for (index, (scenario, variant)) in plan.pairs().into_iter().enumerate() {
        let story = &plan.scenarios[scenario];
        if objective.is_about(&story.name, &story.variants[variant]) {
            found.extend_from_slice(&column[index * seeds..(index + 1) * seeds]);
        }
    }
    found
}
