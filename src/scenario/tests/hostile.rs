//! Input that nobody writes on purpose: large, broken, random. Never a panic, always a message.

use std::fs;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use crate::scenario::{Diagnostics, Overrides, Scenario};

use super::good::{EXAMPLE, HEAD};

fn parse(text: &str) -> Result<Scenario, Diagnostics> {
    Scenario::from_text(text, "odd.toml", None, &Overrides::default())
}

fn message(result: Result<Scenario, Diagnostics>) -> String {
    result.expect_err("this is refused").problems().next().expect("a problem").message.to_owned()
}

fn file(bytes: &[u8]) -> Result<Scenario, Diagnostics> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    Scenario::from_file(file.path(), &Overrides::default())
}

#[test]
fn a_file_of_50_mb_is_refused_by_its_size_alone() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().set_len(50_000_000).expect("a sparse file");
    let refused = Scenario::from_file(file.path(), &Overrides::default());
    assert_eq!(message(refused), "the file is too large (47 MiB); a scenario can have at most 16 MiB");
    let text = " ".repeat(17 << 20);
    assert_eq!(message(parse(&text)), "the file is too large (17 MiB); a scenario can have at most 16 MiB");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    assert_eq!(
        message(file(b"schema = 1\nabout = \"caf\xe9\"\n")),
        "the file is not UTF-8 text: see byte 23, in line 2"
    );
    assert!(message(file(b"")).starts_with("the file is empty"));
    let gone = Scenario::from_file(Path::new("/nowhere/x.toml"), &Overrides::default());
    assert!(message(gone).starts_with("cannot read the file: "));
    let dir = tempfile::tempdir().expect("a temporary directory");
    let refused = Scenario::from_file(dir.path(), &Overrides::default());
    assert_eq!(message(refused), "this is a directory, not a scenario file");
}

#[test]
fn a_file_finds_what_lies_beside_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("story.toml");
    fs::write(dir.path().join("app.toml"), "name = \"pds\"\n").expect("writable");
    let step = "[[step]]\nat = \"0s\"\ndo.deploy = { app = \"pds\", config_file = \"app.toml\" }\n";
    fs::write(&path, format!("{HEAD}{step}")).expect("writable");
    let scenario = Scenario::from_file(&path, &Overrides::default()).expect("a good file");
    assert_eq!((scenario.name.as_str(), scenario.file.as_deref()), ("story", Some(&*path)));
}

#[test]
fn a_config_file_of_two_megabytes_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("app.toml"), vec![b'#'; 2 << 20]).expect("writable");
    let text = format!("{HEAD}[[step]]\nat = \"0s\"\ndo.deploy = {{ app = \"pds\", config_file = \"app.toml\" }}\n");
    let refused = Scenario::from_text(&text, "odd.toml", Some(dir.path()), &Overrides::default());
    assert_eq!(message(refused), "app.toml:1:1: a config can have 1048576 bytes at most; is this the right file?");
}

#[test]
fn more_unknown_keys_than_anybody_reads_are_counted() {
    let keys: String = (0..300).map(|i| format!("key{i} = 1\n")).collect();
    let errors = parse(&format!("{HEAD}{keys}")).expect_err("unknown keys");
    assert_eq!(errors.problems().count(), 101);
    assert!(errors.problems().any(|problem| problem.message == "and 200 more unknown keys in the scenario"));
}

#[test]
fn a_byte_order_mark_and_line_ends_of_two_characters_are_no_matter() {
    let text = EXAMPLE.replace("config_file = \"pds/fixed.toml\"", "config = ''").replace('\n', "\r\n");
    assert!(parse(&text).is_ok());
    assert!(parse(&format!("\u{feff}{text}")).is_ok());
}

#[test]
fn a_scenario_that_is_no_file_has_nothing_beside_it() {
    let step = "[[step]]\nat = \"0s\"\ndo.deploy = { app = \"pds\", config_file = \"app.toml\" }\n";
    let refused = message(parse(&format!("{HEAD}{step}")));
    assert_eq!(refused, "`config_file` is relative to the scenario file, and this scenario is not read from one");
}

#[test]
fn text_that_nests_or_repeats_without_end_is_refused() {
    let deep = |open: &str, close: &str| format!("{HEAD}a = {}{}", open.repeat(100_000), close.repeat(100_000));
    let texts = [
        deep("[", "]"),
        deep("{ a = ", " }"),
        format!("{HEAD}{}b = 1", "a.".repeat(100_000)),
        format!("{HEAD}[{}b]", "a.".repeat(100_000)),
        format!("{HEAD}{}", "= ".repeat(100_000)),
        format!("{HEAD}{}", "[\n".repeat(100_000)),
        (0..50_000).map(|i| format!("k{i} = 1\n")).collect(),
        "\u{0}".repeat(1000),
        "[[step]]\n".repeat(20_000),
    ];
    for text in texts {
        let errors = parse(&text).expect_err("this is refused");
        assert!(errors.render(false).len() < 100_000, "a message of a size to read");
    }
}

/// Pieces of scenario files, from which odd ones are put together.
fn pieces() -> impl Strategy<Value = String> {
    let lines: Vec<String> = EXAMPLE.lines().map(str::to_owned).collect();
    let words = [
        "[", "]", "{", "}", "=", "\"", "'''", ".", ",", "1", "-1", "1e9", "nan", "\"5s\"", "é", "\n", "never",
        "[[step]]",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(lines),
        1 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
    ];
    proptest::collection::vec((piece, any::<bool>()), 0..40)
        .prop_map(|pieces| pieces.into_iter().map(|(text, end)| if end { text + "\n" } else { text }).collect())
}

/// The example with some bytes replaced, taken out or doubled.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<proptest::sample::Index>(), 0usize..4, proptest::char::any());
    proptest::collection::vec(edit, 1..8).prop_map(|edits| {
        let mut text: Vec<char> = EXAMPLE.chars().collect();
        for (at, what, with) in edits {
            // One character is always left to stand in for the next edit.
            let at = at.index(text.len());
            match what {
                0 => text[at] = with,
                1 if text.len() > 1 => drop(text.remove(at)),
                2 => text.insert(at, text[at]),
                _ => text.truncate(at.max(1)),
            }
        }
        text.into_iter().collect()
    })
}

fn survives(text: &str, overrides: &Overrides) {
    if let Err(errors) = Scenario::from_text(text, "odd.toml", None, overrides) {
        assert!(errors.problems().count() > 0 && errors.render(true).contains("error"));
        assert!(errors.problems().all(|problem| !problem.message.is_empty()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        survives(&text, &Overrides::default());
    }

    #[test]
    fn pieces_of_scenarios_in_any_order_are_read_or_refused(text in pieces()) {
        survives(&text, &Overrides::default());
        survives(&format!("{HEAD}{text}"), &Overrides::default());
    }

    #[test]
    fn a_scenario_with_any_damage_is_read_or_refused(text in mutated()) {
        survives(&text, &Overrides::default());
    }

    #[test]
    fn any_option_is_taken_or_refused(
        path in "(step|fault|variant|tuning|workload|expect|policy|[a-z\"]{0,3})(\\.([a-z0-9\" ]{0,4}|at|do|when|name|0|fix)){0,4}",
        value in ".{0,12}",
        day in proptest::option::of(".{0,12}"),
        fix in ".{0,8}",
    ) {
        let set = vec![(path, value)];
        let overrides = Overrides { set, as_of: day, with: vec![fix.clone()], without: vec![fix], ..Overrides::default() };
        survives(EXAMPLE, &overrides);
    }
}
