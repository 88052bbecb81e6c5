//! What a sweep runs, in a total order fixed by its file alone.
//!
//! A plan is plain data: it lies beside the results, and merging, resuming and analysing need
//! nothing else. Making one tries the settings on the scenarios, so that a wrong path is told before
//! anything runs. What a newcomer gets wrong: the order is setting, scenario, variant, seed – a
//! shard is every N-th run of it, and nothing depends on which.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scenario::suggest::listed;
use crate::scenario::{Overrides, Scenario};

use super::file::{Assignment, Constraint, Domain, Objective, SweepFile, canonical};
use super::sample::{Sampling, fractions};

/// More runs are made only when somebody means it.
pub const RUNS_MAX: u128 = 1_000_000;
/// Of each field so many values are tried before the runs begin; others meet their error there.
const TRIED_MAX: usize = 50;

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
    /// The digest of the sweep and of everything it names.
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
    /// How many seeds each setting has.
    pub fn seed_count(&self) -> u64 {
        self.seeds.1 - self.seeds.0
    }
    /// How many runs there are.
    pub fn runs(&self) -> u64 {
        self.settings.len() as u64 * self.pairs().len() as u64 * self.seed_count()
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

/// The scenario files of a sweep, read once.
#[derive(Debug)]
pub struct Stories {
    stories: Vec<Story>,
}

#[derive(Debug)]
struct Story {
    path: PathBuf,
    text: String,
    /// The numbers of the chosen variants in the file.
    variants: Vec<usize>,
}

impl Stories {
    /// A scenario under a setting.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load(&self, scenario: usize, set: Vec<Assignment>) -> Result<Scenario, String> {
        self.stories[scenario].load(set)
    }
    /// The number in the file of a chosen variant.
    pub fn variant(&self, key: Key) -> usize {
        self.stories[key.scenario].variants[key.variant]
    }
    /// Its file.
    pub fn file(&self, scenario: usize) -> &Path {
        &self.stories[scenario].path
    }
}

impl Story {
    fn load(&self, set: Vec<Assignment>) -> Result<Scenario, String> {
        let overrides = Overrides { set, ..Overrides::default() };
        let name = self.path.display().to_string();
        let dir = self.path.parent().unwrap_or(Path::new(""));
        Scenario::from_text(&self.text, &name, Some(dir), &overrides).map_err(|problems| problems.render(true))
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

/// Makes a plan; paths are relative to `dir`. Answers warnings, too.
///
/// # Errors
/// What is wrong, in words.
pub fn plan(file: &SweepFile, dir: &Path, options: &PlanOptions) -> Result<(Plan, Stories, Vec<String>), String> {
    let (stories, scenarios, bases) = stories(file, dir)?;
    let seeds = options.seeds.unwrap_or(file.seeds);
    let cells: u128 = scenarios.iter().map(|story| story.variants.len() as u128).sum();
    let count = setting_count(file);
    let runs = count.saturating_mul(cells).saturating_mul(u128::from(seeds.1 - seeds.0));
    if runs > RUNS_MAX && !options.yes_really {
        return Err(format!(
            "this sweep is {runs} runs ({count} settings x {cells} scenarios and variants x {} seeds); \
             a million is a lot: narrow it, or say --yes-really",
            seeds.1 - seeds.0
        ));
    }
    if runs > u128::from(u64::MAX >> 16) {
        return Err(format!("{runs} runs are more than can be counted"));
    }
    let (paths, settings) = settings(file);
    check_names(file, &scenarios)?;
    let mut plan = Plan {
        schema: 1,
        tool: format!("schedsim {}", env!("CARGO_PKG_VERSION")),
        name: file.name.clone(),
        about: file.about.clone(),
        digest: String::new(),
        scenarios,
        seeds,
        paths,
        settings,
        objectives: file.objectives.clone(),
        constraints: file.constraints.clone(),
    };
    let stories = Stories { stories };
    let warnings = try_settings(&plan, &stories, &bases)?;
    plan.digest = digest(&plan, &bases);
    Ok((plan, stories, warnings))
}

/// Stories, what a plan says of them, and each as it is without a setting.
type Read = (Vec<Story>, Vec<StoryPlan>, Vec<Scenario>);

/// The files of a sweep, each read once.
fn stories(file: &SweepFile, dir: &Path) -> Result<Read, String> {
    let mut paths: Vec<(String, PathBuf)> = Vec::new();
    for pattern in &file.scenarios {
        let found = expand(dir, pattern)?;
        if found.is_empty() {
            return Err(format!("no scenario matches `{pattern}` (in {})", dir.display()));
        }
        for path in found {
            let shown = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
            if !paths.iter().any(|(known, _)| *known == shown) {
                paths.push((shown, path));
            }
        }
    }
    let (mut stories, mut plans, mut bases) = (Vec::new(), Vec::<StoryPlan>::new(), Vec::new());
    for (shown, path) in paths {
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let mut story = Story { path, text, variants: Vec::new() };
        let base = story.load(Vec::new())?;
        let wanted = |name: &String| file.variants.as_ref().is_none_or(|names| names.contains(name));
        story.variants = (0..base.variants.len()).filter(|index| wanted(&base.variants[*index].name)).collect();
        let variants: Vec<String> = story.variants.iter().map(|index| base.variants[*index].name.clone()).collect();
        if variants.is_empty() {
            let names = listed(base.variants.iter().map(|variant| variant.name.as_str()));
            return Err(format!("`{shown}` has none of the variants that the sweep asks for; it has {names}"));
        }
        if let Some(other) = plans.iter().find(|other| other.name == base.name) {
            return Err(format!("`{}` and `{shown}` have the same name, `{}`", other.file, base.name));
        }
        plans.push(StoryPlan { name: base.name.clone(), file: shown, variants });
        stories.push(story);
        bases.push(base);
    }
    Ok((stories, plans, bases))
}

/// The files that a pattern stands for, sorted by name.
fn expand(dir: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![dir.join(pattern)]);
    }
    let root = glob::Pattern::escape(&dir.to_string_lossy());
    let whole = if root.is_empty() { pattern.to_owned() } else { format!("{root}/{pattern}") };
    let found = glob::glob(&whole).map_err(|error| format!("`{pattern}` is no pattern: {error}"))?;
    found.map(|path| path.map_err(|error| error.to_string())).collect()
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
fn check_names(file: &SweepFile, scenarios: &[StoryPlan]) -> Result<(), String> {
    for objective in &file.objectives {
        let fits = |story: &StoryPlan| story.variants.iter().any(|variant| objective.is_about(&story.name, variant));
        if !scenarios.iter().any(fits) {
            let names = listed(scenarios.iter().map(|story| story.name.as_str()));
            return Err(format!("the objective `{}` is about no run; the scenarios are {names}", objective.name()));
        }
    }
    Ok(())
}

/// Tries values on all scenarios: wrong paths and values, and fields that do not reach a variant.
fn try_settings(plan: &Plan, stories: &Stories, bases: &[Scenario]) -> Result<Vec<String>, String> {
    let mut warnings: Vec<String> = Vec::new();
    for (column, path) in plan.paths.iter().enumerate() {
        let mut values: Vec<&String> = Vec::new();
        for value in plan.settings.iter().filter_map(|setting| setting[column].as_ref()) {
            if values.len() < TRIED_MAX && !values.contains(&value) {
                values.push(value);
            }
        }
        for (number, base) in bases.iter().enumerate() {
            for value in &values {
                let scenario = stories.load(number, vec![(path.clone(), (*value).clone())])?;
                for warning in scenario.warnings.iter().filter(|warning| !base.warnings.contains(warning)) {
                    let story = &plan.scenarios[number];
                    let reaches = warning.contains("does not reach");
                    let chosen = story.variants.iter().any(|variant| warning.contains(&format!("`{variant}`")));
                    let told = format!("{}: {warning}", story.file);
                    if reaches && chosen {
                        return Err(format!("{told}; a sweep over it would compare equal runs"));
                    }
                    if !reaches && !warnings.contains(&told) {
                        warnings.push(told);
                    }
                }
            }
        }
    }
    Ok(warnings)
}

/// BLAKE3 over the plan and all that the scenarios hold, the files that they name included.
fn digest(plan: &Plan, bases: &[Scenario]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&serde_json::to_vec(plan).expect("a plan is plain data"));
    for base in bases {
        // The path of the file is no part of the story.
        let story = Scenario { file: None, ..base.clone() };
        hasher.update(format!("{story:?}").as_bytes());
    }
    format!("b3:{}", hasher.finalize().to_hex())
}
