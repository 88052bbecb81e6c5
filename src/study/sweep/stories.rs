//! The scenario files of a sweep, each read once.
//!
//! It finds files, asks the loader, and knows which variants are run; what a sweep varies it is told.
//! A pattern stands for files in the order of their names, so the plan's order is the same everywhere.

use std::path::{Path, PathBuf};

use crate::scenario::diagnostics::{Problem, Span};
use crate::scenario::suggest::listed;
use crate::scenario::{Diagnostics, Overrides, Scenario};

use super::file::{Assignment, SweepFile};
use super::plan::{Key, StoryPlan};

/// The scenario files of a sweep.
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
    pub fn load(&self, scenario: usize, set: Vec<Assignment>) -> Result<Scenario, Diagnostics> {
        self.stories[scenario].load(set)
    }
    /// The number in the file of a chosen variant.
    pub fn variant(&self, key: Key) -> usize {
        self.stories[key.scenario].variants[key.variant]
    }
}

impl Story {
    fn load(&self, set: Vec<Assignment>) -> Result<Scenario, Diagnostics> {
        let overrides = Overrides { set, ..Overrides::default() };
        let name = self.path.display().to_string();
        let dir = self.path.parent().unwrap_or(Path::new(""));
        Scenario::from_text(&self.text, &name, Some(dir), &overrides)
    }
}

/// What was found: stories, what a plan says of them, each as it is without a setting.
pub(super) struct Found {
    pub(super) stories: Stories,
    pub(super) plans: Vec<StoryPlan>,
    pub(super) bases: Vec<Scenario>,
    /// What is wrong with the files themselves.
    pub(super) broken: Vec<Diagnostics>,
}

/// Finds and reads the files of a sweep; `problems` gets what the sweep says wrongly of them.
pub(super) fn find(file: &SweepFile, dir: &Path, problems: &mut Vec<Problem>) -> Found {
    let mut paths: Vec<(String, PathBuf, Span)> = Vec::new();
    for (pattern, place) in file.scenarios.iter().zip(&file.places.scenarios) {
        for path in expand(dir, pattern, *place, problems) {
            let shown = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
            if !paths.iter().any(|(known, ..)| *known == shown) {
                paths.push((shown, path, *place));
            }
        }
    }
    let stories = Stories { stories: Vec::new() };
    let mut found = Found { stories, plans: Vec::new(), bases: Vec::new(), broken: Vec::new() };
    for (shown, path, place) in paths {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                problems.push(Problem::at(place, format!("cannot read `{}`: {error}", path.display())));
                continue;
            }
        };
        let mut story = Story { path, text, variants: Vec::new() };
        let base = match story.load(Vec::new()) {
            Ok(base) => base,
            Err(wrong) => {
                found.broken.push(wrong);
                continue;
            }
        };
        let wanted = |name: &String| file.variants.as_ref().is_none_or(|names| names.contains(name));
        story.variants = (0..base.variants.len()).filter(|index| wanted(&base.variants[*index].name)).collect();
        let variants: Vec<String> = story.variants.iter().map(|index| base.variants[*index].name.clone()).collect();
        if variants.is_empty() {
            let names = listed(base.variants.iter().map(|variant| variant.name.as_str()));
            let none = format!("`{shown}` has none of these variants; it has {names}");
            problems.push(Problem::at(file.places.variants, none));
        }
        if let Some(other) = found.plans.iter().find(|other| other.name == base.name) {
            let same = format!("`{}` and `{shown}` have the same name, `{}`", other.file, base.name);
            problems.push(Problem::at(place, same));
        }
        found.plans.push(StoryPlan { name: base.name.clone(), file: shown, variants });
        found.stories.stories.push(story);
        found.bases.push(base);
    }
    found
}

/// The files that a pattern stands for, sorted by name.
fn expand(dir: &Path, pattern: &str, place: Span, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    if !pattern.contains(['*', '?', '[']) {
        return vec![dir.join(pattern)];
    }
    let root = glob::Pattern::escape(&dir.to_string_lossy());
    let whole = if root.is_empty() { pattern.to_owned() } else { format!("{root}/{pattern}") };
    let mut refuse = |why: String| problems.push(Problem::at(place, why));
    let found = match glob::glob(&whole) {
        Ok(found) => found,
        Err(error) => {
            refuse(format!("`{pattern}` is no pattern: {error}"));
            return Vec::new();
        }
    };
    let mut paths = Vec::new();
    for path in found {
        match path {
            Ok(path) => paths.push(path),
            Err(error) => refuse(error.to_string()),
        }
    }
    if paths.is_empty() {
        let place = if root.is_empty() { "this folder".to_owned() } else { format!("`{}`", dir.display()) };
        refuse(format!("no scenario in {place} matches `{pattern}`"));
    }
    paths
}
