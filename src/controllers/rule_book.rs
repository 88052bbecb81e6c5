//! The rule book, `docs/rules.md`, as the program knows it: which rules a fix belongs to.
//!
//! The page is the only list; this reads it. It may know the shape of the page, and no rule.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::fixes::Fix;

const PAGE: &str = include_str!("../../docs/rules.md");

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Like `5.7`.
    pub number: &'static str,
    /// Its heading, without the number.
    pub title: &'static str,
    /// All lines below its heading.
    pub text: &'static str,
}

impl Rule {
    /// What follows `- label:` in its lines, one item a line.
    pub fn lines(&self, label: &str) -> impl Iterator<Item = &'static str> {
        let of = move |line: &'static str| line.strip_prefix("- ")?.strip_prefix(label)?.strip_prefix(':');
        self.text.lines().filter_map(of).map(str::trim)
    }
    /// The names in backticks in those lines, without what is in parentheses.
    pub fn named(&self, label: &str) -> Vec<&'static str> {
        self.lines(label).flat_map(in_backticks).collect()
    }
}

/// The names in backticks, without what is in parentheses.
fn in_backticks(line: &'static str) -> impl Iterator<Item = &'static str> {
    let outside = line.split('(').enumerate().filter_map(|(index, part)| match index {
        0 => Some(part),
        _ => part.split_once(')').map(|(_, after)| after),
    });
    outside.flat_map(|part| part.split('`').skip(1).step_by(2))
}

/// All rules, in the order of the page.
pub fn rules() -> impl Iterator<Item = Rule> {
    PAGE.split("\n### ").skip(1).filter_map(|part| {
        let (heading, text) = part.split_once('\n')?;
        let (number, title) = heading.split_once(' ')?;
        Some(Rule { number, title, text: text.split("\n## ").next()? })
    })
}

/// The numbers of the rules by the names of their fixes: the page is read once.
static BY_FIX: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut by_fix: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in rules() {
        for fix in rule.named("Fixes") {
            let numbers = by_fix.entry(fix).or_default();
            if numbers.last() != Some(&rule.number) {
                numbers.push(rule.number);
            }
        }
    }
    by_fix
});

/// The numbers of the rules that a fix belongs to.
pub fn numbers_of(fix: Fix) -> Vec<&'static str> {
    BY_FIX.get(fix.name()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_parentheses_are_told_by_the_way() {
        let names = |line| in_backticks(line).collect::<Vec<_>>();
        assert_eq!(names("`a`, `b-c` (since `d`; `e`), `f` (proposed)"), ["a", "b-c", "f"]);
        assert!(names("none").is_empty());
    }
}
