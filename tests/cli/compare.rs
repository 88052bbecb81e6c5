//! `compare` and `bisect`: logics side by side, and what they print.

use std::path::Path;

use super::{FAILS, Folder, SILENT, TWO, folder};

/// A story of this repository in which logics differ.
fn carousel() -> Folder {
    folder(&[("story.toml", &carousel_text())])
}

fn carousel_text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/mir-788/forever-pending.toml");
    std::fs::read_to_string(path).expect("the story of the incident")
}

#[test]
fn two_logics_stand_side_by_side() {
    let done = carousel().schedsim(&["compare", "story.toml", "--a", "as_of=2026-03-11", "--b", "current"]).code(0);
    let done = done.out("  a  as_of=2026-03-11\n  b  current\n").out("\nfirst difference\n  a  ").out("\nlives\n");
    let head = done.out.lines().find(|line| line.starts_with("figures")).expect("a table");
    assert_eq!(head.split_whitespace().collect::<Vec<_>>(), ["figures", "a", "b"]);
}

#[test]
fn a_third_logic_is_a_third_column_in_text_and_json() {
    let folder = carousel();
    let words = ["compare", "story.toml", "--a", "as_of=2026-03-11", "--b", "current", "--b", "as_of=2025-10-01"];
    let done = folder.schedsim(&words).code(0).no_err();
    for part in ["  c  as_of=2025-10-01\n", "first difference of a and b\n", "first difference of a and c\n"] {
        assert!(done.out.contains(part), "no {part:?} in\n{}", done.out);
    }
    let mut rows = done.out.lines().skip_while(|line| !line.starts_with("figures")).take_while(|line| !line.is_empty());
    let columns = |row: &str| row.split_whitespace().count();
    assert!(rows.clone().count() > 2 && rows.all(|row| columns(row) == 4), "{}", done.out);
    let text = folder.schedsim(&[&words[..], &["--format", "json"]].concat()).code(0).out;
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&json["a"]["logic"], &json["c"]["logic"]), (&"as_of=2026-03-11".into(), &"as_of=2025-10-01".into()));
    let figure = json["figures"].as_object().and_then(|figures| figures.values().next()).expect("a figure");
    assert_eq!(figure.as_object().expect("values").keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    let differences = json["differences"].as_object().expect("by side");
    assert_eq!(differences.keys().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(json["first_difference"], differences["b"]["first_difference"], "as ever for the first two");
    assert!(differences["c"]["first_difference"]["c"].is_string(), "{differences:#?}");
}

#[test]
fn where_two_logics_part_the_decision_is_named_with_its_values_and_the_fix_that_it_asked_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compare = |words: &[&str]| {
        super::done(super::schedsim().current_dir(root).args(["compare", "--diverge"]).args(words)).code(0).no_err().out
    };
    let in_order = |text: &str, parts: &[&str]| {
        let mut rest = text;
        for part in parts {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("no {part:?}, or not there, in\n{text}")).1;
        }
    };
    let owner = ["scenarios/mir-788/orphaned-disk.toml", "--b", "variant=after"];
    // The same decision, and another write.
    let parts =
        ["first decision that differs\n", "created PROVISIONING", "created_by", "a: -", "b: app/pds", "same on both"];
    let parts =
        [&parts[..], &["disk-ownership", "missing in a, in force in b", "what follows in a only\n", "disk-has-owner"]];
    let told = compare(&owner);
    in_order(&told, &parts.concat());
    let page = std::fs::read_to_string(root.join("docs/reading-a-run.md")).expect("a page");
    let quote =
        page.split_once("```text\nfirst decision").and_then(|(_, rest)| rest.split_once("```")).expect("a quote").0;
    let mut quoted = quote.lines().skip(1).filter(|line| line.trim() != "…");
    assert!(quoted.clone().count() > 8 && quoted.all(|line| told.contains(line)), "{quote}\nis not\n{told}");
    let json: serde_json::Value =
        serde_json::from_str(&compare(&[&owner[..], &["--format", "json"]].concat())).expect("JSON");
    assert_eq!(json["diverge"]["fixes"]["disk-ownership"], serde_json::json!({ "a": false, "b": true }));
    assert_eq!(json["diverge"]["values"]["created_by"], serde_json::json!({ "a": null, "b": "app/pds" }));
    assert_eq!(json["diverge"]["decision"]["a"]["about"], "disk/pds-data");
    let parts = ["bad gateway", "served after", "skip-dead", "missing in a, in force in b", "\noutcome\n"];
    in_order(&compare(&["scenarios/requests/skip-dead.toml"]), &parts);
    // No fix but a fault: the decision is the same, and comes later.
    let race = ["scenarios/mir-788/orphaned-disk.toml", "--b", "variant=before-race", "--b", "variant=after"];
    in_order(&compare(&race), &["differs of a and b\n", "0:45.1", "no fix", "differs of a and c\n"]);
    let folder = folder(&[("two.toml", &variants(&["after"]))]);
    folder.schedsim(&["compare", "two.toml", "--diverge"]).code(0).out("no decision differs");
    folder.schedsim(&["compare", "two.toml", "--diverge", "--each-fix"]).code(2).no_out().err("cannot be used with");
    folder
        .schedsim(&["compare", "two.toml", "--diverge", "--b", "variant=aftr"])
        .code(2)
        .no_out()
        .err("did you mean `after`?");
}

/// Variants that differ: the first has the rules of another day.
fn variants(names: &[&str]) -> String {
    let later: Vec<String> = names.iter().map(|name| format!("{{ name = \"{name}\" }}")).collect();
    let first = "{ name = \"before\", policy.as_of = \"2025-10-01\" }";
    TWO.replace("{ name = \"before\" }, { name = \"after\" }", &format!("{first}, {}", later.join(", ")))
}

#[test]
fn without_logics_all_variants_of_the_file_are_compared() {
    let (three, two) = (variants(&["after", "later"]), variants(&["after"]));
    let folder = folder(&[("three.toml", &three), ("two.toml", &two)]);
    let all = "  a  variant=before\n  b  variant=after\n  c  variant=later\n";
    folder.schedsim(&["compare", "three.toml"]).code(0).out(all).out("no decision and no write differs");
    let two = folder.schedsim(&["compare", "two.toml"]).code(0).out("  b  variant=after\n");
    assert!(!two.out.contains("  c  "), "{}", two.out);
    let one = folder.schedsim(&["compare", "three.toml", "--a", "variant=before"]).code(0);
    let one = one.out("  a  variant=before\n  b  current\n");
    assert!(!one.out.contains("  c  "), "{}", one.out);
    let many = [&["compare", "two.toml"][..], &["--b", "current"].repeat(8)].concat();
    folder.schedsim(&many).code(2).no_out().err("at most 8 logics");
    folder.schedsim(&["compare", "two.toml", "--b", "current", "--each-fix"]).code(2).no_out();
}

#[test]
fn a_logic_is_not_held_against_itself() {
    let folder = folder(&[("one.toml", SILENT), ("two.toml", TWO)]);
    for words in [
        &["compare", "one.toml"][..],
        &["compare", "two.toml"],
        &["compare", "one.toml", "--a", "as_of=2025-10-01", "--b", "as_of=2025-10-01"],
    ] {
        folder.schedsim(words).code(2).no_out().err("are one logic").err("name another");
    }
    for words in [&["bisect", "one.toml"][..], &["bisect", "two.toml", "--to", "variant=after"]] {
        folder.schedsim(words).code(2).no_out().err("nothing can turn; choose another end");
    }
}

/// A story that any logic would end alike, but for what it expects of its deploys.
fn typo(expect: &str) -> String {
    let story = carousel_text();
    let head = story.find("[[variant]]").or_else(|| story.find("variant =")).expect("the variants come last");
    format!("{}{expect}", &story[..head])
}

#[test]
fn a_search_goes_both_ways_and_says_what_breaks_a_story() {
    let folder = carousel();
    let pair = ["strict-app-config", "validate-disks-at-deploy"];
    let newer =
        folder.schedsim(&["bisect", "story.toml", "--to", "as_of=2026-03-12"]).code(0).out("passes; what heals it:\n");
    assert!(pair.iter().all(|fix| newer.out.contains(&format!("  {fix} "))), "{}", newer.out);
    let words = ["bisect", "story.toml", "--from", "as_of=2026-03-12", "--to", "variant=before"];
    // To a variant with expectations of its own these are what passing means; so here all is turned round.
    let older = folder.schedsim(&words).code(0).out("passing: what variant `before` expects\n").out("what heals it:\n");
    let both = older.out.lines().find(|line| line.contains(" + ")).expect("a pair");
    assert!(pair.iter().all(|fix| both.contains(&format!("without={fix} "))), "{}", older.out);
    let words = ["bisect", "story.toml", "--from", "as_of=2026-03-12", "--to", "as_of=2026-03-11", "--format", "json"];
    let json: serde_json::Value = serde_json::from_str(&folder.schedsim(&words).code(0).out).expect("JSON");
    assert_eq!((&json["turns"], &json["found"]), (&"to-failing".into(), &"smallest".into()));
    assert_eq!(json["sets"][0], serde_json::json!(pair.map(|fix| format!("without={fix}"))));
}

#[test]
fn passing_is_what_the_file_expects_where_it_expects_one_thing() {
    let expects = typo("[expect]\nrejected = [\"typo\"]\nviolations = \"any\"\n");
    let folder = folder(&[("story.toml", &expects)]);
    let done =
        folder.schedsim(&["bisect", "story.toml", "--from", "as_of=2026-03-11", "--to", "as_of=2026-03-12"]).code(0);
    done.out("passing: what the file's [expect] says\n").out("what heals it:\n").out("strict-app-config");
}

#[test]
fn a_search_that_fails_ends_with_the_line_that_reproduces_it() {
    let folder = folder(&[("fails.toml", FAILS)]);
    let words = ["bisect", "fails.toml", "--seed", "7", "--from", "as_of=2025-10-01", "--expect", "main"];
    let done = folder.schedsim(&words).code(1).out("both fail");
    let line = "bisect fails.toml --seed 7 --from as_of=2025-10-01 --to current --expect main";
    assert_eq!(done.reproduce().join(" "), line);
    assert!(done.out.trim_end().ends_with(line), "it is the last line: {}", done.out);
    let again: Vec<String> = done.reproduce();
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    assert_eq!(folder.schedsim(&again).code(1).out, done.out);
    let json = folder.schedsim(&[&words[..], &["--format", "json"]].concat()).code(1).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["reproduce"], format!("schedsim {line}"));
}
