//! The rule book under test: `docs/rules.md` against the fixes, the constants and the code.
//!
//! Whatever decides by a fix names a rule in a comment of its function, and that rule lists the
//! fix; what the book says of days is what the fixes say. It reads the sources as text. What a
//! newcomer gets wrong: a new fix or constant needs a line in a rule, and a new rule its evidence.

use std::collections::BTreeSet;

use regex::Regex;
use schedsim::controllers::backoff::Backoff;
use schedsim::controllers::fixes::{Day, Fix};
use schedsim::controllers::rule_book::{Rule, numbers_of, rules};
use schedsim::controllers::tuning::Tuning;

#[path = "architecture/source.rs"]
mod source;

use source::files;

fn report(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

fn constants() -> BTreeSet<String> {
    let deep = Backoff::ROWS.iter().map(|row| format!("backoff.{}", row.name));
    Tuning::ROWS.iter().map(|row| row.name.to_owned()).chain(deep).collect()
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
fn every_fix_and_constant_has_a_rule_and_a_rule_names_no_others() {
    let known = constants();
    let (mut fixes, mut used, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for rule in rules() {
        for name in rule.named("Fixes") {
            match Fix::named(name) {
                Some(fix) => drop(fixes.insert(fix)),
                None => wrong.push(format!("rule {}: there is no fix `{name}`", rule.number)),
            }
        }
        for name in rule.named("Constants") {
            used.insert(name);
            if !known.contains(name) {
                wrong.push(format!("rule {}: there is no constant `{name}`", rule.number));
            }
        }
    }
    wrong
        .extend(Fix::ALL.iter().filter(|fix| !fixes.contains(fix)).map(|fix| format!("no rule lists the fix `{fix}`")));
    wrong.extend(
        known.iter().filter(|name| !used.contains(name.as_str())).map(|n| format!("no rule lists the constant `{n}`")),
    );
    report("docs/rules.md", &wrong);
}

#[test]
fn the_book_and_the_fixes_agree_on_days() {
    let dated =
        Regex::new(r"(?:[Uu]ntil|[Ss]ince) (\d{4}-\d\d-\d\d)(?: at the latest)?(?: / since | \()`([a-z0-9-]+)`")
            .unwrap();
    let proposed = Regex::new(r"`([a-z0-9-]+)` \(proposed\)").unwrap();
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
            if Fix::named(&found[1]).is_none_or(|fix| fix.info().day != Day::PROPOSED) {
                wrong.push(format!("rule {}: `{}` has landed", rule.number, &found[1]));
            }
        }
    }
    assert!(seen > 20, "only {seen} days were found");
    report("docs/rules.md", &wrong);
}

/// What a line says beside its code.
fn comment<'t>(line: &source::Line<'t>) -> &'t str {
    line.text.split_once("//").map_or("", |(_, comment)| comment)
}

/// The rules named in the comments of the function that has the line, above it or beside it.
fn named_above<'t>(lines: &[source::Line<'t>], at: usize, rule: &Regex) -> BTreeSet<&'t str> {
    let head = |line: &source::Line<'_>| {
        let code = line.code.trim_start();
        code.starts_with("fn ") || (code.starts_with("pub") || code.starts_with("async ")) && code.contains("fn ")
    };
    let mut found = BTreeSet::new();
    let mut above_head = false;
    for line in lines[..=at].iter().rev() {
        let code = line.code.trim();
        // Above its head only comments and attributes belong to a function.
        if above_head && !(code.starts_with("#[") || code.is_empty() && !line.text.trim().is_empty()) {
            break;
        }
        found.extend(rule.captures_iter(comment(line)).map(|found| found.get(1).expect("a number").as_str()));
        above_head |= head(line);
    }
    found
}

#[test]
fn every_decision_by_a_fix_names_its_rule() {
    let rule = Regex::new(r"(?:[Rr]ules? |, | and | to )(\d+\.\d+)").unwrap();
    let decision = Regex::new(r"\bhas\(Fix::(\w+)\)").unwrap();
    let (mut decisions, mut found) = (0, Vec::new());
    // What merely tells of a decision, or tries one out, decides nothing.
    let apart = ["src/controllers/fixes.rs", "src/report/", "src/study/"];
    for file in files("src").iter().filter(|file| !apart.iter().any(|path| file.path.starts_with(path))) {
        let lines = file.lines();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.in_tests) {
            for hit in decision.captures_iter(&line.code) {
                decisions += 1;
                let fix = Fix::ALL.iter().find(|fix| format!("{fix:?}") == hit[1]).expect("a fix");
                let named = named_above(&lines, at, &rule);
                let mut lists = rules().filter(|rule| named.contains(rule.number));
                if !lists.any(|rule| rule.named("Fixes").contains(&fix.name())) {
                    let belongs = numbers_of(*fix).join(" and ");
                    found.push(format!(
                        "{}:{}: `{fix}` belongs to {belongs}, named are {named:?}",
                        file.path, line.number
                    ));
                }
            }
        }
    }
    assert!(decisions > 60, "only {decisions} decisions were found");
    report("decisions that name no rule that lists their fix", &found);
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
