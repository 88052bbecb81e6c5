//! A logic by name, as command lines write it: `current`, `as_of=2026-03-11,without=drain-before-create`.

use std::fmt;
use std::str::FromStr;

use crate::controllers::fixes::{Day, Fix, Fixes};
use crate::scenario::suggest::similar;
use crate::scenario::{Scenario, Variant};

/// Which fixes are in force, relative to a variant of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logic {
    text: String,
    variant: Option<String>,
    base: Option<Fixes>,
    with: Vec<Fix>,
    without: Vec<Fix>,
}

/// Why a text names no logic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicError(String);

impl fmt::Display for LogicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for LogicError {}

fn fix(name: &str) -> Result<Fix, LogicError> {
    Fix::named(name).ok_or_else(|| {
        let meant = similar(name, Fix::ALL.iter().map(|fix| fix.name()));
        let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        LogicError(format!("`{name}` is no fix{hint} (`schedsim fixes` lists them)"))
    })
}

impl FromStr for Logic {
    type Err = LogicError;

    fn from_str(text: &str) -> Result<Self, LogicError> {
        let mut logic =
            Self { text: text.to_owned(), variant: None, base: None, with: Vec::new(), without: Vec::new() };
        for part in text.split(',').map(str::trim) {
            match part.split_once('=') {
                None if part == "current" => logic.base = Some(Fixes::current()),
                None if part == "proposed" => logic.base = Some(Fixes::proposed()),
                Some(("as_of", "current")) => logic.base = Some(Fixes::current()),
                Some(("as_of", "proposed")) => logic.base = Some(Fixes::proposed()),
                Some(("as_of", day)) => logic.base = Some(Fixes::as_of(day.parse::<Day>().map_err(LogicError)?)),
                Some(("variant", name)) => logic.variant = Some(name.to_owned()),
                Some(("with", name)) => logic.with.push(fix(name)?),
                Some(("without", name)) => logic.without.push(fix(name)?),
                _ => {
                    return Err(LogicError(format!(
                        "`{part}` names no logic; write `current`, `proposed`, `as_of=DAY`, `variant=NAME`, \
                         `with=FIX` or `without=FIX`, several with commas"
                    )));
                }
            }
        }
        Ok(logic)
    }
}

impl Logic {
    /// The logic of one of a story's own variants.
    pub fn of_variant(name: &str) -> Self {
        Self {
            text: format!("variant={name}"),
            variant: Some(name.to_owned()),
            base: None,
            with: Vec::new(),
            without: Vec::new(),
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The story's variant under this logic: `fallback`, unless it names one itself.
    ///
    /// # Errors
    /// The story has no such variant.
    pub fn variant(&self, scenario: &Scenario, fallback: &Variant) -> Result<Variant, LogicError> {
        let base = match &self.variant {
            None => fallback,
            Some(name) => scenario.variants.iter().find(|v| v.name == *name).ok_or_else(|| {
                let known: Vec<_> = scenario.variants.iter().map(|v| format!("`{}`", v.name)).collect();
                let meant = similar(name, scenario.variants.iter().map(|v| v.name.as_str()));
                let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                LogicError(format!("no variant is called `{name}`; there are {}{hint}", known.join(", ")))
            })?,
        };
        let fixes = self.base.unwrap_or(base.policy.fixes).changed(&self.with, &self.without);
        let mut variant = base.clone();
        variant.name.clone_from(&self.text);
        variant.policy.fixes = fixes;
        Ok(variant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logic_reads_as_people_write_it() {
        let logic: Logic = "as_of=2026-03-12, without=strict-app-config".parse().unwrap();
        assert_eq!(logic.base, Some(Fixes::as_of("2026-03-12".parse().unwrap())));
        assert_eq!(logic.without, [Fix::StrictAppConfig]);
    }

    #[test]
    fn what_is_no_logic_says_what_would_be_one() {
        for (text, says) in [
            ("yesterday", "write `current`"),
            ("as_of=2026-13-01", "no day"),
            ("with=crash-bakoff", "did you mean `crash-backoff`?"),
        ] {
            let error = text.parse::<Logic>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
