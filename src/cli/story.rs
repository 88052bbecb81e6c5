//! One story as several commands take it: the file, the variant that gives seed and tuning, changes.
//!
//! It knows how a story is chosen and nothing of what is done with it. What a newcomer gets
//! wrong: the variant chosen here gives seed and tuning; which fixes are in force is another
//! question, and another option.

use crate::scenario::{Overrides, Scenario, Variant, similar};
use clap::Args;

use super::{Refusal, input, reproduce};

/// Which story, and with which seed and tuning.
#[derive(Args)]
pub(crate) struct StoryArgs {
    /// The scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The variant that gives seed and tuning; the first by default
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The seed of all draws, instead of the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Another value for a field of the file, like `tuning.backoff.base=5s` (repeatable)
    #[arg(long, value_name = "PATH=VALUE", value_parser = super::args::assignment)]
    set: Vec<(String, String)>,
}

impl StoryArgs {
    /// Reads the story.
    pub(crate) fn load(&self) -> Result<Scenario, Refusal> {
        let overrides = Overrides { set: self.set.clone(), seed: self.seed, ..Overrides::default() };
        let mut loaded = input::load(std::slice::from_ref(&self.file), &overrides)?;
        Ok(loaded.remove(0).scenario)
    }

    /// The words that choose the same story.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec![reproduce::operand(&self.file)];
        let mut push = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
        self.variant.iter().for_each(|name| push("--variant", name));
        self.seed.iter().for_each(|seed| push("--seed", &seed.to_string()));
        self.set.iter().for_each(|(path, value)| push("--set", &format!("{path}={value}")));
        words
    }

    /// The variant that gives seed and tuning.
    pub(crate) fn base<'a>(&self, scenario: &'a Scenario) -> Result<&'a Variant, Refusal> {
        variant(scenario, self.variant.as_deref())
    }
}

/// The variant of that name; without one the first.
pub(crate) fn variant<'a>(scenario: &'a Scenario, name: Option<&str>) -> Result<&'a Variant, Refusal> {
    let Some(name) = name else { return Ok(&scenario.variants[0]) };
    let found = scenario.variants.iter().find(|variant| variant.name == name);
    found.ok_or_else(|| no_variant(name, scenario.variants.iter().map(|variant| variant.name.as_str()).collect()))
}

/// Says that there is no such variant, and which one may have been meant.
pub(crate) fn no_variant(name: &str, known: Vec<&str>) -> Refusal {
    let meant = similar(name, known.iter().copied());
    let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    let known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    Refusal::nothing(format!("no variant is called `{name}`; there are {}{hint}", known.join(", ")))
}
