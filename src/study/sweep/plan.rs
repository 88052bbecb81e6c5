//! What a sweep runs, in a total order fixed by its file alone.
//!
//! A plan is plain data: it lies beside the results, and merging, resuming and analysing need
//! nothing else. What a newcomer gets wrong: the order is setting, scenario, variant, seed – a
//! shard is every N-th run of it, and nothing depends on which.

use serde::{Deserialize, Serialize};

use super::file::{Assignment, Constraint, Objective};

/// The version of plans, manifests and what lies beside them.
pub const SCHEMA: u32 = 2;

/// A scenario of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryPlan {
    /// Its name; no two have the same.
    pub name: String,
    /// Its file, relative to the sweep's.
    pub file: String,
    /// Its variants that are run.
    pub variants: Vec<String>,
}

/// What a sweep runs and how it is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of this form.
    pub schema: u32,
    /// The program's version.
    pub tool: String,
    pub name: String,
    /// What it is to find out.
    pub about: String,
    /// The digest of all that the scenario files hold, the files that they name included.
    pub files: String,
    /// The digest of the sweep and of everything it names: of this plan without it.
    pub digest: String,
    pub scenarios: Vec<StoryPlan>,
    /// The first seed, and the first that is left out.
    pub seeds: (u64, u64),
    /// The fields that settings set.
    pub paths: Vec<String>,
    /// The settings: a value for each path, or none. The first is the baseline.
    pub settings: Vec<Vec<Option<String>>>,
    /// What is wished.
    pub objectives: Vec<Objective>,
    /// What must be kept.
    pub constraints: Vec<Constraint>,
}

/// One run of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub setting: usize,
    pub scenario: usize,
    /// The variant's number among those of the scenario that are run.
    pub variant: usize,
    pub seed: u64,
}

impl Plan {
    /// Scenario and variant numbers, in order.
    pub fn pairs(&self) -> Vec<(usize, usize)> {
        let each = |(scenario, story): (usize, &StoryPlan)| {
            (0..story.variants.len()).map(move |variant| (scenario, variant)).collect::<Vec<_>>()
        };
        self.scenarios.iter().enumerate().flat_map(each).collect()
    }
    /// The name of each story that is run, `scenario@variant`, in order.
    pub fn stories(&self) -> Vec<String> {
        let name = |(scenario, variant): (usize, usize)| {
            let story = &self.scenarios[scenario];
            format!("{}@{}", story.name, story.variants[variant])
        };
        self.pairs().into_iter().map(name).collect()
    }
    /// How many seeds each setting has.
    pub fn seed_count(&self) -> u64 {
        self.seeds.1 - self.seeds.0
    }
    /// How many runs there are.
    pub fn runs(&self) -> u64 {
        self.settings.len() as u64 * self.pairs().len() as u64 * self.seed_count()
    }
    /// The same sweep over other seeds.
    pub fn over(&self, seeds: (u64, u64)) -> Self {
        Self { seeds, digest: String::new(), ..self.clone() }.digested()
    }
    /// With the digest of all the rest.
    pub(super) fn digested(mut self) -> Self {
        self.digest.clear();
        self.digest = digest(&serde_json::to_vec(&self).expect("a plan is plain data"));
        self
    }
    /// Run number `index` of the order.
    pub fn key(&self, pairs: &[(usize, usize)], index: u64) -> Key {
        let seeds = self.seed_count();
        let (cell, seed) = (index / seeds, self.seeds.0 + index % seeds);
        let (setting, pair) = (cell / pairs.len() as u64, cell % pairs.len() as u64);
        let (scenario, variant) = pairs[pair as usize];
        Key { setting: setting as usize, scenario, variant, seed }
    }
    /// What a setting sets.
    pub fn assignments(&self, setting: usize) -> Vec<Assignment> {
        let values = self.paths.iter().zip(&self.settings[setting]);
        values.filter_map(|(path, value)| Some((path.clone(), value.clone()?))).collect()
    }
    /// A setting in words.
    pub fn words(&self, setting: usize) -> String {
        let set: Vec<String> =
            self.assignments(setting).iter().map(|(path, value)| format!("{path}={value}")).collect();
        match (setting, set.is_empty()) {
            (0, true) => "baseline (as the scenarios say)".to_owned(),
            (0, false) => format!("baseline ({})", set.join(", ")),
            (_, _) => format!("setting {setting} ({})", set.join(", ")),
        }
    }
}

/// BLAKE3, as files write it.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("b3:{}", blake3::hash(bytes).to_hex())
}
