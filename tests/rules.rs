//! The rule book under test: `docs/rules.md` against the fixes, the constants and the code.
//!
//! What the book says of days is what the fixes say, and whoever names a rule names one that
//! exists. It reads the sources as text. What a newcomer gets wrong: a new rule needs its evidence.

use std::collections::BTreeSet;

use regex::Regex;
use schedsim::controllers::fixes::{Day, Fix};
use schedsim::controllers::rule_book::{Rule, rules};

#[path = "architecture/source.rs"]
mod source;

use source::files;

fn report(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// The section and the place in it.
fn place(rule: &Rule) -> (u32, u32) {
    let parts = rule.number.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parts.unwrap_or_else(|| panic!("`{} {}` begins with no number like 5.7", rule.number, rule.title))
}

#[test]
fn rules_are_numbered_upwards() {
    let places: Vec<_> = rules().map(|rule| place(&rule)).collect();
    assert!(places.len() > 30, "only {} rules were found", places.len());
    let wrong: Vec<String> = places
        .windows(2)
        .filter(|two| two[0] >= two[1])
        .map(|two| format!("{:?} before {:?}", two[0], two[1]))
        .collect();
    report("rules out of order, or twice", &wrong);
}

#[test]
fn every_rule_has_its_evidence() {
    let bare = |rule: &Rule| ["Evidence", "Assumed"].iter().all(|label| rule.lines(label).all(str::is_empty));
    let found: Vec<String> = rules().filter(bare).map(|rule| format!("{} {}", rule.number, rule.title)).collect();
    report("rules without a line of evidence", &found);
}

#[test]
fn the_book_and_the_fixes_agree_on_days() {
    let dated =
        Regex::new(r"(?:[Uu]ntil|[Ss]ince) (\d{4}-\d\d-\d\d)(?: at the latest)?(?: / since | \()`([a-z0-9-]+)`")
            .unwrap();
    let proposed = Regex::new(r"`([a-z0-9-]+)`( \(proposed\))?").unwrap();
    let (mut seen, mut wrong) = (0, Vec::new());
    for rule in rules() {
        for found in dated.captures_iter(rule.text) {
            let day = Fix::named(&found[2]).map(|fix| fix.info().day.to_string());
            seen += 1;
            if day.as_deref() != Some(&found[1]) {
                wrong.push(format!(
                    "rule {}: `{}` is of {}, not {}",
                    rule.number,
                    &found[2],
                    day.unwrap_or_default(),
                    &found[1]
                ));
            }
        }
        for found in rule.lines("Fixes").flat_map(|line| proposed.captures_iter(line)) {
            let is = Fix::named(&found[1]).is_some_and(|fix| fix.info().day == Day::PROPOSED);
            if is != found.get(2).is_some() {
                wrong.push(format!(
                    "rule {}: `{}` is {}proposed",
                    rule.number,
                    &found[1],
                    if is { "" } else { "not " }
                ));
            }
        }
    }
    assert!(seen > 20, "only {seen} days were found");
    report("docs/rules.md", &wrong);
}

#[test]
fn every_rule_that_is_named_anywhere_exists() {
    let named = Regex::new(r"\b[Rr]ules? (\d+\.\d+)").unwrap();
    let known: BTreeSet<&str> = rules().map(|rule| rule.number).collect();
    let pages =
        ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "docs/rules.md", "docs/fidelity.md", "docs/upstream.md"];
    let page = |path: &&str| {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
        source::File { path: (*path).to_owned(), text: text.expect("a page") }
    };
    let mut found = Vec::new();
    for file in files("src").into_iter().chain(files("tests")).chain(pages.iter().map(page)) {
        for line in file.lines() {
            for hit in named.captures_iter(line.text).filter(|hit| !known.contains(&hit[1])) {
                found.push(format!("{}:{}: there is no rule {}", file.path, line.number, &hit[1]));
            }
        }
    }
    report("names of rules", &found);
}
