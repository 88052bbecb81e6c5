//! Facts of the scheduler's own tests: each scenario says whose it is, and the page lists them all.
//!
//! `docs/upstream.md` has two parts: the facts that scenarios tell, made from their first comments
//! and their `about`, and those that none can tell, each with its reason, written by hand. What a
//! newcomer gets wrong: a fact moves from the second part to the first when it gets a scenario; no
//! row stands in both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schedsim::report::corpus::Corpus;
use schedsim::scenario::{Golden, Overrides, Scenario};

const BEGIN: &str = "<!-- made from scenarios/upstream; update: UPDATE_DOCS=1 cargo test --test upstream -->\n";
const END: &str = "<!-- end of what is made -->\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// One fact, as the first comment of its scenario names it: `# P02a: FILE: TEST`.
struct Fact {
    row: String,
    file: String,
    test: String,
}

/// The scenarios of facts: their paths below the repository, their facts, and themselves.
fn scenarios() -> Vec<(String, Vec<Fact>, Scenario)> {
    let corpus = Corpus::find(&[root().join("scenarios/upstream")]).expect("the corpus can be read");
    let read = |story: &schedsim::report::corpus::Story| {
        let path = story.file.strip_prefix(root()).expect("in the repository").display().to_string();
        let text = fs::read_to_string(&story.file).expect("a scenario can be read");
        let scenario =
            Scenario::from_file(&story.file, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
        (path, facts(&text), scenario)
    };
    corpus.stories.iter().map(read).collect()
}

fn facts(text: &str) -> Vec<Fact> {
    let fact = |line: &str| {
        let mut parts = line.strip_prefix("# ")?.splitn(3, ": ").map(str::to_owned);
        let (row, file, test) = (parts.next()?, parts.next()?, parts.next()?);
        let is_row =
            row.starts_with(|c: char| c.is_ascii_uppercase()) && row.ends_with(|c: char| c.is_ascii_alphanumeric());
        (is_row && !row.contains(' ')).then_some(Fact { row, file, test })
    };
    text.lines().map_while(fact).collect()
}

/// The part of the page that is made.
fn made() -> String {
    let mut table =
        "| row | upstream test | what the scenario says | scenario |\n| --- | --- | --- | --- |\n".to_owned();
    for (path, facts, scenario) in scenarios() {
        let rows: Vec<&str> = facts.iter().map(|fact| fact.row.as_str()).collect();
        let mut tests: Vec<String> = Vec::new();
        let mut files: Vec<&str> = Vec::new();
        for fact in &facts {
            if !files.contains(&fact.file.as_str()) {
                files.push(&fact.file);
            }
            if !tests.contains(&fact.test) {
                tests.push(fact.test.clone());
            }
        }
        let (rows, files, tests) = (rows.join(", "), files.join(", "), tests.join("; "));
        let name = path.strip_prefix("scenarios/upstream/").unwrap_or(&path).trim_end_matches(".toml");
        table.push_str(&format!("| {rows} | {files}: {tests} | {} | [{name}](../{path}) |\n", scenario.about));
    }
    table
}

#[test]
fn the_page_lists_every_fact() {
    let path = root().join("docs/upstream.md");
    let page = fs::read_to_string(&path).expect("docs/upstream.md");
    let (head, rest) = page.split_once(BEGIN).expect("where the made part begins");
    let (_, tail) = rest.split_once(END).expect("where it ends");
    let wanted = format!("{head}{BEGIN}\n{}\n{END}{tail}", made());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).expect("docs/ can be written");
    } else {
        assert!(page == wanted, "docs/upstream.md is out of date: run UPDATE_DOCS=1 cargo test --test upstream");
    }
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (path, facts, _) in scenarios() {
        for fact in facts {
            let place = seen.insert(fact.row.clone(), path.clone());
            assert!(place.is_none_or(|other| other == path), "{} is told by two scenarios", fact.row);
        }
    }
    for line in tail.lines().filter(|line| line.starts_with("| ")) {
        let row = line.trim_start_matches("| ").split(" |").next().unwrap_or_default();
        assert!(!seen.contains_key(row), "{row} has a scenario: take it out of the rows that have none");
    }
}

#[test]
fn every_scenario_of_a_fact_names_its_test_and_claims_something() {
    for (path, facts, scenario) in scenarios() {
        assert!(!facts.is_empty(), "{path}: begin it with a line like `# P02a: FILE: TEST`");
        assert!(!scenario.about.is_empty(), "{path} has no `about`");
        assert_eq!(scenario.golden, Golden::Checks, "{path}: write `golden = \"checks\"`");
        for variant in &scenario.variants {
            let expect = variant.expect.as_ref();
            let claims = expect.is_some_and(|expect| {
                !expect.moments.is_empty() || !expect.metrics.is_empty() || !expect.rejected.is_empty()
            });
            assert!(claims, "{path}: variant {} claims nothing", variant.name);
        }
    }
}
