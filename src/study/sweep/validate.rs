//! The fields and values of a sweep, tried on its scenarios before anything runs.
//!
//! The scenario loader judges them; what it says of an assignment on a command line is told here of the place
//! in the sweep file that made it. It knows places and words, not what a field means.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::diagnostics::{Problem, Span};
use crate::scenario::suggest::listed;
use crate::scenario::{Diagnostics, Scenario};

use super::file::Places;
use super::mention::{Mention, VALUES_MAX};
use super::plan::{Plan, StoryPlan};
use super::stories::Stories;

/// The option of the command line that assignments are told by.
const OPTION: &str = "--set";

/// A problem, and the scenarios that have it.
type Had = (Problem, BTreeSet<usize>);

/// Tries all of it: wrong paths and values, and fields that do not reach a variant. Answers what scenarios warn of,
/// each value set alone.
pub(super) fn validate_all(
    places: &Places,
    plans: &[StoryPlan],
    stories: &Stories,
    bases: &[Scenario],
    problems: &mut Vec<Problem>,
) -> BTreeSet<String> {
    let mut warnings = BTreeSet::new();
    for mention in &places.mentions {
        let mut had: Vec<Had> = Vec::new();
        let mut note = |problem: Problem, scenario: usize| match had.iter_mut().find(|(known, _)| known.same(&problem))
        {
            Some((_, scenarios)) => drop(scenarios.insert(scenario)),
            None => had.push((problem, BTreeSet::from([scenario]))),
        };
        // Without a value that can be read, the path can be wrong all the same.
        let unread = [("0".to_owned(), mention.place)];
        let values = if mention.values.is_empty() { &unread[..] } else { &mention.values };
        for (number, base) in bases.iter().enumerate() {
            for (value, place) in values.iter().take(VALUES_MAX as usize) {
                let scenario = match stories.load(number, vec![(mention.path.clone(), value.clone())]) {
                    Ok(scenario) => scenario,
                    Err(wrong) => {
                        told_of(&wrong, places, mention, value, *place).for_each(|problem| note(problem, number));
                        continue;
                    }
                };
                let chosen = &plans[number].variants;
                for (place, warning) in scenario.warnings.iter().enumerate() {
                    match scenario.shadowed.iter().find(|shadowed| shadowed.warning == place) {
                        _ if base.warnings.contains(warning) => {}
                        None => drop(warnings.insert(warning.clone())),
                        Some(shadowed) if shadowed.variants.iter().any(|variant| chosen.contains(variant)) => {
                            let warning = warning.strip_prefix("--set ").unwrap_or(warning);
                            let told = format!("{warning}; a sweep over it would compare equal runs");
                            note(Problem::at(mention.place, told), number);
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        for (mut problem, scenarios) in had {
            if scenarios.len() < bases.len() {
                let names = listed(scenarios.iter().map(|number| plans[*number].file.as_str()));
                problem.help(format!("so in {names}, but not in every scenario"));
            }
            problems.push(problem);
        }
    }
    warnings
}

/// What is wrong with a value, told of its place in the sweep file; of one that could not be read only what is wrong
/// with the path.
fn told_of<'a>(
    wrong: &Diagnostics,
    places: &'a Places,
    mention: &'a Mention,
    value: &'a str,
    place: Span,
) -> impl Iterator<Item = Problem> + 'a {
    let text = &*places.source.text;
    let moved = wrong.moved(|source, bytes| match source {
        OPTION => mention.place_of(text, place, bytes),
        _ => place,
    });
    let written = text.get(place.start..place.end).is_some_and(|text| text.contains(value));
    moved.into_iter().filter_map(move |mut problem| {
        let told = problem.is_within(mention.place);
        if !written && !told {
            problem.help(format!("with `{}={value}`", mention.path));
        }
        (told || !mention.values.is_empty()).then_some(problem)
    })
}

/// Of these warnings those that settings of the plan give: what is missing beside a value that is set alone may be set
/// together with it.
pub(super) fn given(warnings: &BTreeSet<String>, plan: &Plan, stories: &Stories) -> Vec<String> {
    if warnings.is_empty() {
        return Vec::new();
    }
    // The first setting that gives it, and the scenarios under which any does.
    let mut given: BTreeMap<&String, (usize, BTreeSet<usize>)> = BTreeMap::new();
    let count = plan.settings.len();
    // Steps of a prime: none of a grid's values is passed over again and again.
    let mut settings: Vec<usize> = (0..count.min(VALUES_MAX as usize)).map(|nth| nth * 7919 % count).collect();
    settings.sort_unstable();
    for setting in settings {
        for scenario in 0..plan.scenarios.len() {
            // One that is refused meets its error in the run.
            let Ok(loaded) = stories.load(scenario, plan.assignments(setting)) else { continue };
            for warning in &loaded.warnings {
                if let Some(known) = warnings.get(warning) {
                    given.entry(known).or_insert((setting, BTreeSet::new())).1.insert(scenario);
                }
            }
        }
    }
    let told = given.into_iter().map(|(warning, (setting, scenarios))| {
        let file = scenarios.first().map_or("", |scenario| &plan.scenarios[*scenario].file);
        let others = match scenarios.len() {
            0 | 1 => String::new(),
            2 => " and another scenario".to_owned(),
            more => format!(" and {} other scenarios", more - 1),
        };
        format!("{file}{others}, setting {setting}: {warning}")
    });
    told.collect()
}
