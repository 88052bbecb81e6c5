//! Words under test: whoever reads a record knows a status, an invariant or an error as such.
//!
//! Such a word stands once, in the table of its enum; elsewhere it is written out and never
//! compared, and no error is known by its prose. A `match` over one of these enums has an arm for
//! each variant, so that a new one asks every reader. What a newcomer gets wrong: this reads
//! shapes of formatted code, not Rust; `cargo fmt` comes first.

use schedsim::model::{AnyStatus, EffectKind, Invariant};

use super::source::{File, Line, files};

/// Enums of which a new variant must be a compile error at every reader.
const CLOSED: &[&str] = &[
    "SandboxStatus",
    "DiskStatus",
    "LeaseStatus",
    "NodeStatus",
    "AnyStatus",
    "Invariant",
    "EffectKind",
    "Effect",
    "RequestError",
    "Failure",
    "Ailment",
    "Verdict",
];

/// Who reads records: no text of theirs is a reason.
const READERS: &[&str] =
    &["src/trace/", "src/world/", "src/sim/", "src/report/", "src/study/counterfactual", "src/study/signature"];

fn words() -> Vec<&'static str> {
    let statuses = AnyStatus::all().map(AnyStatus::name);
    let invariants = Invariant::ALL.iter().map(|invariant| invariant.name());
    statuses.chain(invariants).chain(EffectKind::ALL.iter().map(|kind| kind.name())).collect()
}

/// The strings of a line, each with what stands before and behind it.
fn strings(line: &str) -> Vec<(&str, &str, &str)> {
    let quotes: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
    quotes.chunks_exact(2).map(|pair| (&line[..pair[0]], &line[pair[0] + 1..pair[1]], &line[pair[1] + 1..])).collect()
}

/// Whether a string is compared with something, or is a pattern.
fn is_compared(before: &str, behind: &str) -> bool {
    let (before, behind) = (before.trim_end().trim_end_matches('&'), behind.trim_start().trim_start_matches(')'));
    let pattern =
        before.contains("matches!(") || before.ends_with(['|', '(']) && behind.trim_start().starts_with(['=', '|']);
    pattern
        || ["==", "!="].iter().any(|sign| before.trim_end().ends_with(sign) || behind.starts_with(sign))
        || ["=>", "|", "if "].iter().any(|sign| behind.starts_with(sign))
}

/// Whether a string is looked for in another.
fn is_sought(before: &str) -> bool {
    ["starts_with(", "ends_with(", "contains(", "strip_prefix(", "strip_suffix("]
        .iter()
        .any(|call| before.ends_with(call))
}

fn compares(line: &Line<'_>, words: &[&str], reads_records: bool) -> bool {
    let is_word = |text: &str| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    let code = !line.text.trim_start().starts_with("//");
    code && strings(line.text).into_iter().any(|(before, text, behind)| {
        is_word(text) && (is_compared(before, behind) || is_sought(before))
            || reads_records && is_sought(before) && text.contains(' ')
    })
}

/// Whether an arm's pattern begins with a variant of a closed enum. (A record with a certain
/// status inside is looked for among other records, and not a match over statuses.)
fn names_closed(arm: &str) -> bool {
    let path = arm.split("=>").next().and_then(|pattern| pattern.split_once("::"));
    path.and_then(|(before, _)| before.rsplit([' ', '(', '&', '|']).next()).is_some_and(|name| CLOSED.contains(&name))
}

/// The lines of `_` arms that stand beside arms of a closed enum.
fn open_arms(lines: &[Line<'_>]) -> Vec<usize> {
    let indent = |line: &&Line<'_>| line.code.len() - line.code.trim_start().len();
    let is_open = |(at, line): &(usize, &Line<'_>)| {
        let above = lines[..*at].iter().rev().filter(|above| !above.code.is_empty());
        let mut arms = above.take_while(|above| indent(above) >= indent(line));
        let open = ["_ =>", "_ if "].iter().any(|arm| line.code.trim_start().starts_with(arm));
        open && !line.in_tests && arms.any(|arm| indent(&arm) == indent(line) && names_closed(&arm.code))
    };
    lines.iter().enumerate().filter(is_open).map(|(at, _)| at).collect()
}

fn sources() -> impl Iterator<Item = File> {
    files("src").into_iter().filter(|file| !file.is_tests())
}

#[test]
fn no_reader_compares_statuses_invariants_or_errors_by_their_text() {
    let words = words();
    let mut found = Vec::new();
    for file in sources().filter(|file| !file.path.starts_with("src/model/")) {
        let reads_records = READERS.iter().any(|place| file.path.starts_with(place));
        let wrong = file.lines().into_iter().filter(|line| !line.in_tests && compares(line, &words, reads_records));
        found.extend(wrong.map(|line| format!("{}:{}: {}", file.path, line.number, line.text.trim())));
    }
    super::report("texts that stand for variants; match on the enum of `model`", &found);
}

#[test]
fn a_new_status_asks_every_reader() {
    let mut found = Vec::new();
    for file in sources() {
        let lines = file.lines();
        found.extend(
            open_arms(&lines).into_iter().map(|at| format!("{}:{}: {}", file.path, at + 1, lines[at].text.trim())),
        );
    }
    super::report("`_` beside the variants of a closed enum; write out the others", &found);
}

#[test]
fn a_word_in_a_comparison_is_found_and_a_word_that_is_written_is_not() {
    let line = |text: &'static str| Line { number: 1, text, code: text.to_owned(), in_tests: false };
    let words = words();
    for (text, yes) in [
        (r#"if status == "dead" {"#, true),
        (r#"    "running" => Life::Running,"#, true),
        (r#"matches!(word, "failed" | "released")"#, true),
        (r#"becomes(r, Value::Word(&("pending" | "running")))"#, true),
        (r#"moment.label == "DEAD""#, true),
        (r#"What::Broken { invariant, .. } => *invariant == "progress","#, true),
        (r#"error.starts_with("no capacity within")"#, true),
        (r#"key("error", Kind::Text, ONE_OF, "it fails")"#, false),
        (r#"("dead", "dead, released"),"#, false),
        (r#"facts.push("failed");"#, false),
        (r#"// status == "dead""#, false),
    ] {
        assert_eq!(compares(&line(text), &words, true), yes, "{text}");
    }
    let arms = |text: &'static str| {
        let lines: Vec<Line<'_>> =
            text.lines().map(|text| Line { number: 1, text, code: text.to_owned(), in_tests: false }).collect();
        !open_arms(&lines).is_empty()
    };
    assert!(arms("match status {\n    SandboxStatus::Dead => 1,\n    _ => 2,\n}"));
    assert!(arms("match (a, b) {\n    (LeaseStatus::Bound, 1) => f(),\n    _ => 2,\n}"));
    assert!(!arms("match status {\n    SandboxStatus::Dead => match n {\n        1 => 1,\n        _ => 2,\n    },\n}"));
    assert!(!arms("match what {\n    What::Settled => 1,\n    _ => 2,\n}"));
}

/// Golden texts write every time as a clock does; a scenario file's spelling stands only where the user's own words do.
#[test]
fn golden_texts_have_one_grammar_of_times() {
    let spelt = regex::Regex::new(r"(^|[\s(])\d+(\.\d+)?(ns|us|ms|s|m|h|d)\b").expect("a pattern");
    let quoted = regex::Regex::new(r#""[^"]*""#).expect("a pattern");
    let stories = glob::glob(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/**/*@*.snap")).expect("a pattern");
    for story in stories.map(|story| story.expect("a file")) {
        let text = std::fs::read_to_string(&story).expect("a golden text");
        for line in text.lines() {
            assert!(
                !spelt.is_match(&quoted.replace_all(line, "")),
                "{}: write a clock's time: {line}",
                story.display()
            );
        }
    }
}
