//! Making a plan of a sweep file: its settings, tried on the scenarios, so that a wrong path is told before anything runs.

use std::fmt;
use std::path::Path;

use crate::scenario::diagnostics::Problem;
use crate::scenario::suggest::listed;
use crate::scenario::{Diagnostics, Scenario};

use super::file::{Assignment, Domain, SweepFile, canonical};
use super::plan::{Plan, SCHEMA, StoryPlan, digest};
use super::sample::{Sampling, fractions};
pub use super::stories::Stories;
use super::stories::{self, Found};
use super::validate::{given, validate_all};

/// More runs are made only when somebody means it.
pub const RUNS_MAX: u128 = 1_000_000;

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
    let (file, mut problems) = SweepFile::read(text, name);
    let file = &file;
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
