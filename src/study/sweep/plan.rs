//! What a sweep runs, in a total order fixed by its file alone.
//!
//! A plan is plain data: it lies beside the results, and merging, resuming and analysing need
//! nothing else. Making one tries the settings on the scenarios, so that a wrong path is told before
//! anything runs. What a newcomer gets wrong: the order is setting, scenario, variant, seed – a
//! shard is every N-th run of it, and nothing depends on which.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::scenario::diagnostics::Problem;
use crate::scenario::suggest::listed;
use crate::scenario::{Diagnostics, Scenario};

use super::file::{Assignment, Constraint, Domain, Objective, SweepFile, canonical};
use super::sample::{Sampling, fractions};
pub use super::stories::Stories;
use super::stories::{self, Found};
use super::validate::{given, validate_all};

/// The version of plans, manifests and what lies beside them.
pub const SCHEMA: u32 = 2;
/// More runs are made only when somebody means it.
pub const RUNS_MAX: u128 = 1_000_000;

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
    /// The sweep's name.
    pub name: String,
    /// What it is to find out.
    pub about: String,
    /// The digest of all that the scenario files hold, the files that they name included.
    pub files: String,
    /// The digest of the sweep and of everything it names: of this plan without it.
    pub digest: String,
    /// The stories.
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
    /// The setting's number.
    pub setting: usize,
    /// The scenario's number.
    pub scenario: usize,
    /// The variant's number among those of the scenario that are run.
    pub variant: usize,
    /// The seed.
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
    fn digested(mut self) -> Self {
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

/// What a command line changes.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// Other seeds.
    pub seeds: Option<(u64, u64)>,
    /// More than a million runs are meant.
    pub yes_really: bool,
}

/// Why there is no plan.
#[derive(Clone, Debug)]
pub enum Unplanned {
    /// What is wrong with the sweep file, and with the scenarios that it names.
    Wrong(Diagnostics),
    /// Nothing is wrong, but it is more than anybody may mean.
    Large(String),
}

impl fmt::Display for Unplanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(diagnostics) => diagnostics.fmt(f),
            Self::Large(words) => f.write_str(words),
        }
    }
}
impl std::error::Error for Unplanned {}

/// A plan, the scenarios of it, and warnings.
pub type Planned = (Plan, Stories, Vec<String>);

/// Makes a plan of a text; paths in it are relative to `dir`, and `name` stands in messages.
///
/// # Errors
/// Everything that is wrong with it, in one go.
pub fn plan_of(text: &str, name: &str, dir: &Path, options: &PlanOptions) -> Result<Planned, Unplanned> {
    let (file, problems) = SweepFile::read(text, name);
    planned(&file, problems, dir, options)
}

/// Makes a plan of a sweep file; paths in it are relative to `dir`.
///
/// # Errors
/// As above.
pub fn plan(file: &SweepFile, dir: &Path, options: &PlanOptions) -> Result<Planned, Unplanned> {
    planned(file, Vec::new(), dir, options)
}

fn planned(
    file: &SweepFile,
    mut problems: Vec<Problem>,
    dir: &Path,
    options: &PlanOptions,
) -> Result<Planned, Unplanned> {
    let before = problems.len();
    let Found { stories, plans: scenarios, bases, broken } = stories::find(file, dir, &mut problems);
    if broken.is_empty() && problems.len() == before {
        check_names(file, &scenarios, &mut problems);
    }
    let warnings = validate_all(&file.places, &scenarios, &stories, &bases, &mut problems);
    if !problems.is_empty() || !broken.is_empty() {
        return Err(Unplanned::Wrong(all_of(file, problems, broken)));
    }
    let seeds = options.seeds.unwrap_or(file.seeds);
    let cells: u128 = scenarios.iter().map(|story| story.variants.len() as u128).sum();
    let count = setting_count(file);
    let runs = count.saturating_mul(cells).saturating_mul(u128::from(seeds.1 - seeds.0));
    if runs > RUNS_MAX && !options.yes_really {
        return Err(Unplanned::Large(format!(
            "this sweep is {runs} runs ({count} settings x {cells} scenarios and variants x {} seeds); \
             a million is a lot: narrow it, or say --yes-really",
            seeds.1 - seeds.0
        )));
    }
    if runs > u128::from(u64::MAX >> 16) {
        return Err(Unplanned::Large(format!("{runs} runs are more than can be counted")));
    }
    let (paths, settings) = settings(file);
    let plan = Plan {
        schema: SCHEMA,
        tool: format!("schedsim {}", env!("CARGO_PKG_VERSION")),
        name: file.name.clone(),
        about: file.about.clone(),
        files: digest(told(&bases).as_bytes()),
        digest: String::new(),
        scenarios,
        seeds,
        paths,
        settings,
        objectives: file.objectives.clone(),
        constraints: file.constraints.clone(),
    };
    let plan = plan.digested();
    let warnings = given(&warnings, &plan, &stories);
    Ok((plan, stories, warnings))
}

/// The sweep's own problems, and after them those of each file that it names.
fn all_of(file: &SweepFile, problems: Vec<Problem>, broken: Vec<Diagnostics>) -> Diagnostics {
    let own = (!problems.is_empty()).then(|| Diagnostics::new(vec![file.places.source.clone()], problems));
    let joined = own.into_iter().chain(broken).reduce(|mut all, other| {
        all.join(other);
        all
    });
    joined.expect("something is wrong")
}

/// How many settings there are at most; equal ones are found later.
fn setting_count(file: &SweepFile) -> u128 {
    let sampled = match (file.sampling, file.parameters.is_empty()) {
        (_, true) => 0,
        (Sampling::Grid, false) => file.parameters.iter().fold(1_u128, |product, parameter| {
            product.saturating_mul(match &parameter.domain {
                Domain::Values(values) => values.len() as u128,
                Domain::Range(_, steps) => u128::from(steps.unwrap_or(1)),
            })
        }),
        (_, false) => u128::from(file.samples),
    };
    sampled.saturating_add(1 + file.points.len() as u128)
}

/// Baseline, points, then grid or samples; equal ones once.
fn settings(file: &SweepFile) -> (Vec<String>, Vec<Vec<Option<String>>>) {
    let mut paths: Vec<String> = file.parameters.iter().map(|parameter| parameter.path.clone()).collect();
    for (path, _) in file.baseline.iter().chain(file.points.iter().flatten()) {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    let row = |set: &[Assignment]| -> Vec<Option<String>> {
        let last = |path: &String| set.iter().rev().find(|(known, _)| known == path).map(|(_, value)| value.clone());
        paths.iter().map(last).collect()
    };
    // What a setting does not say, the baseline says.
    let over = |set: Vec<Assignment>| row(&file.baseline.iter().cloned().chain(set).collect::<Vec<_>>());
    let mut all = vec![row(&file.baseline)];
    let mut known = std::collections::BTreeSet::from([all[0].clone()]);
    let mut push = |setting: Vec<Option<String>>| {
        if known.insert(setting.clone()) {
            all.push(setting);
        }
    };
    file.points.iter().for_each(|point| push(over(point.clone())));
    let named = |values: Vec<String>| {
        let pairs = file.parameters.iter().zip(values);
        pairs.map(|(parameter, value)| (parameter.path.clone(), canonical(&value))).collect::<Vec<_>>()
    };
    if file.parameters.is_empty() {
    } else if file.sampling == Sampling::Grid {
        let domains: Vec<Vec<String>> = file.parameters.iter().map(|parameter| values_of(&parameter.domain)).collect();
        let total: u64 = domains.iter().map(|domain| domain.len() as u64).product();
        for index in 0..total {
            let mut rest = index;
            let mut values = vec![String::new(); domains.len()];
            for (value, domain) in values.iter_mut().zip(&domains).rev() {
                *value = domain[(rest % domain.len() as u64) as usize].clone();
                rest /= domain.len() as u64;
            }
            push(over(named(values)));
        }
    } else {
        for fractions in fractions(file.sampling, file.samples, file.parameters.len(), file.sample_seed) {
            let at = |(parameter, fraction): (&super::file::Parameter, f64)| match &parameter.domain {
                Domain::Values(values) => {
                    values[((fraction * values.len() as f64) as usize).min(values.len() - 1)].clone()
                }
                Domain::Range(range, _) => range.at(fraction),
            };
            push(over(named(file.parameters.iter().zip(fractions).map(at).collect())));
        }
    }
    (paths, all)
}

fn values_of(domain: &Domain) -> Vec<String> {
    match domain {
        Domain::Values(values) => values.clone(),
        Domain::Range(range, steps) => range.steps(steps.unwrap_or(2)),
    }
}

/// Objectives may name scenarios and variants; they must exist.
fn check_names(file: &SweepFile, scenarios: &[StoryPlan], problems: &mut Vec<Problem>) {
    for (objective, place) in file.objectives.iter().zip(&file.places.objectives) {
        let fits = |story: &StoryPlan| story.variants.iter().any(|variant| objective.is_about(&story.name, variant));
        if !scenarios.is_empty() && !scenarios.iter().any(fits) {
            let names = listed(scenarios.iter().map(|story| story.name.as_str()));
            let none = format!("the objective `{}` is about no run; the scenarios are {names}", objective.name());
            problems.push(Problem::at(*place, none));
        }
    }
}

/// All that the scenarios hold, the files that they name included.
fn told(bases: &[Scenario]) -> String {
    // The path of the file is no part of the story.
    bases.iter().map(|base| format!("{:?}", Scenario { file: None, ..base.clone() })).collect()
}

/// BLAKE3, as files write it.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("b3:{}", blake3::hash(bytes).to_hex())
}
