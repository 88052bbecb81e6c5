//! What is wrong with a config, and where.
//!
//! It may not know what a config means. Every refusal of a config is a [`ConfigError`]: at least one [`Problem`],
//! in the order of the file, each with the place where it begins. What a newcomer gets wrong: a deploy that is
//! refused is an outcome of a simulation, so these texts are part of golden files; they are the same everywhere.

use std::fmt;
use std::sync::Arc;

use crate::model::counted;

/// How many problems the text of an error shows; the rest is counted.
const PROBLEMS_SHOWN: usize = 100;

/// How many problems are told where one line is all there is.
const PROBLEMS_ON_A_LINE: usize = 10;

/// How many characters of a user's own text a message repeats.
const QUOTE_CHARS: usize = 60;

/// How many characters of another module's message are passed on.
pub(super) const MESSAGE_CHARS: usize = 200;

/// A place in a config.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Default for Place {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub place: Place,
    /// What, and what to do next; one line.
    pub text: String,
}

/// Why a config was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    origin: Arc<str>,
    problems: Vec<Problem>,
}

impl ConfigError {
    /// Of what came from `origin`; there must be a problem.
    pub(super) fn new(origin: Arc<str>, mut problems: Vec<Problem>) -> Self {
        assert!(!problems.is_empty(), "an error without a problem");
        problems.sort_by_key(|problem| problem.place);
        Self { origin, problems }
    }

    /// Everything that is wrong, in the order of the file; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All problems with their places on one line; beyond a few, how many more there are.
    pub fn one_line(&self) -> String {
        let mut lines: Vec<String> =
            self.problems.iter().take(PROBLEMS_ON_A_LINE).map(|problem| self.line(problem)).collect();
        match self.problems.len() - lines.len() {
            0 => {}
            more => lines.push(format!("and {}", counted(more, "more problem"))),
        }
        lines.join("; ")
    }

    fn line(&self, problem: &Problem) -> String {
        let Place { line, column } = problem.place;
        format!("{}:{line}:{column}: {}", self.origin, problem.text)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(PROBLEMS_SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.line(problem))?;
        }
        match self.problems.len().saturating_sub(PROBLEMS_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}
impl std::error::Error for ConfigError {}

/// A user's own text as a message shows it: on one line and of bounded length.
pub(super) fn clipped(text: &str) -> String {
    bounded(text, QUOTE_CHARS)
}

/// What somebody else has to say, on one line and of bounded length.
pub(super) fn bounded(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars();
    let mut out = String::new();
    for c in chars.by_ref().take(chars_max) {
        match c {
            '"' | '\'' | '\\' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    if chars.next().is_some() {
        out.push_str("...");
    }
    out
}

/// Finds lines and columns of byte offsets.
pub(super) struct Places<'t> {
    text: &'t str,
    /// The offset at which each line begins.
    lines: Vec<usize>,
    /// How many characters begin before each block of bytes.
    blocks: Vec<usize>,
}

/// Bytes between two counts of characters: a place costs a block, not a line, however long a line is.
const BLOCK: usize = 256;

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut total = 0;
        let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
            let before = total;
            total += begun(block);
            before
        });
        Self { text, lines: std::iter::once(0).chain(ends).collect(), blocks: blocks.collect() }
    }

    /// The place of a byte; what lies beyond the end is at the end.
    pub(super) fn of(&self, offset: usize) -> Place {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|begin| *begin <= offset);
        Place { line, column: self.chars_before(offset) - self.chars_before(self.lines[line - 1]) + 1 }
    }

    fn chars_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        // The end of the text can fall on a block's edge, where no block begins.
        let Some(before) = self.blocks.get(block) else {
            let last = self.blocks.len().saturating_sub(1);
            return self.blocks.last().unwrap_or(&0) + begun(&self.text.as_bytes()[last * BLOCK..]);
        };
        before + begun(&self.text.as_bytes()[block * BLOCK..offset])
    }
}

/// How many characters begin in these bytes of UTF-8.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(count: usize) -> ConfigError {
        let problem = |line| Problem { place: Place { line, column: 7 }, text: format!("wrong {line}") };
        ConfigError::new("app.toml".into(), (1..=count).rev().map(problem).collect())
    }

    #[test]
    fn an_error_lists_its_problems_in_the_order_of_the_file() {
        assert_eq!(error(1).to_string(), "app.toml:1:7: wrong 1");
        assert_eq!(error(2).to_string(), "app.toml:1:7: wrong 1\napp.toml:2:7: wrong 2");
        assert!(error(102).to_string().ends_with("\napp.toml:100:7: wrong 100\nand 2 more"));
        assert_eq!(error(102).problems().len(), 102);
    }

    #[test]
    fn one_line_has_every_problem_of_a_few() {
        assert_eq!(error(1).one_line(), "app.toml:1:7: wrong 1");
        assert_eq!(error(2).one_line(), "app.toml:1:7: wrong 1; app.toml:2:7: wrong 2");
        assert!(error(12).one_line().ends_with("; app.toml:10:7: wrong 10; and 2 more problems"));
    }

    #[test]
    fn a_users_text_is_shown_on_one_line_and_cut() {
        assert_eq!(clipped("a\n\"b\""), "a\\n\"b\"");
        assert_eq!(clipped(&"x".repeat(60)), "x".repeat(60));
        assert_eq!(clipped(&"x".repeat(61)), "x".repeat(60) + "...");
    }

    proptest! {
        #[test]
        fn places_are_those_that_counting_gives(text in "[aé\n]{0,600}", at in any::<prop::sample::Index>()) {
            let offset = at.index(text.chars().count() + 1);
            let (offset, before): (usize, String) = match text.char_indices().nth(offset) {
                Some((byte, _)) => (byte, text[..byte].to_owned()),
                None => (text.len(), text.clone()),
            };
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
            prop_assert_eq!(Places::new(&text).of(offset), Place { line, column });
        }
    }
}
