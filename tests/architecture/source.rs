//! Source files as text: their lines without comments and strings, and which of them are tests.
//!
//! A reader of shapes, not of Rust: it knows line comments, strings on one line and the two ways
//! in which this code base marks tests. What a newcomer gets wrong: a string over several lines
//! is taken for code from its second line on.

use std::fs;
use std::path::Path;

/// A source file.
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// A line of code.
pub(crate) struct Line<'t> {
    /// From 1.
    pub(crate) number: usize,
    /// As written.
    pub(crate) text: &'t str,
    /// Without comments, and with empty strings.
    pub(crate) code: String,
    /// Whether it is part of tests.
    pub(crate) in_tests: bool,
}

/// All Rust files below a folder of the repository, by path.
pub(crate) fn files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), folder, &mut found);
    assert!(!found.is_empty(), "no source file in {folder}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, folder: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(root.join(folder)).expect("a folder of the repository") {
        let entry = entry.expect("a folder that can be read");
        let path = format!("{folder}/{}", entry.file_name().to_str().expect("names are plain"));
        if entry.file_type().expect("known").is_dir() {
            // What the package of the peers builds is nobody's source.
            if entry.file_name() != "target" {
                collect(root, &path, found);
            }
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("a source file is text");
            found.push(File { path, text });
        }
    }
}

impl File {
    /// The module at the top of the crate that it belongs to.
    pub(crate) fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below.split('/').next().expect("a path has parts").trim_end_matches(".rs")
    }

    /// Whether all of it is tests, or helps them.
    pub(crate) fn is_tests(&self) -> bool {
        let mut parts: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        let stem = parts.pop().expect("a path has parts");
        parts.contains(&"tests")
            || matches!(stem, "tests" | "testing")
            || stem.ends_with("_tests")
            || stem.starts_with("tests_")
    }

    /// Its lines.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let mut in_tests = self.is_tests();
        let mut lines: Vec<Line<'_>> = Vec::new();
        for (index, text) in self.text.lines().enumerate() {
            let code = code_of(text);
            // By custom the tests of a file are its last module.
            let marked = lines.last().is_some_and(|line| line.code.trim() == "#[cfg(test)]");
            in_tests |= marked && code.contains("mod ") && code.ends_with('{');
            lines.push(Line { number: index + 1, text, code, in_tests });
        }
        lines
    }
}

/// A line without its comment, and with nothing in its strings.
fn code_of(line: &str) -> String {
    let (mut code, mut in_string) = (String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => drop(chars.next()),
            '"' => {
                in_string = !in_string;
                code.push('"');
            }
            _ if in_string => {}
            '\'' if chars.peek() == Some(&'"') => drop(chars.next()),
            '/' if chars.peek() == Some(&'/') => break,
            _ => code.push(c),
        }
    }
    code.trim_end().to_owned()
}

#[test]
fn comments_and_strings_are_no_code() {
    for (line, code) in [
        ("let a = b; // crate::c", "let a = b;"),
        ("//! crate::c", ""),
        ("say(\"crate::c \\\" // d\", e)", "say(\"\", e)"),
        ("'\"' => f(\"x\"),", "' => f(\"\"),"),
        ("fn f<'a>(a: &'a str) {}", "fn f<'a>(a: &'a str) {}"),
    ] {
        assert_eq!(code_of(line), code, "{line}");
    }
}

#[test]
fn tests_are_known_by_their_place() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    for (path, tests) in [
        ("src/kernel/time.rs", false),
        ("src/world/judge/tests/mod.rs", true),
        ("src/trace/timeline/tests.rs", true),
        ("src/trace/metrics/fold_tests.rs", true),
        ("src/report/testing.rs", true),
        ("src/world/contests.rs", false),
    ] {
        assert_eq!(file(path, "").is_tests(), tests, "{path}");
    }
    let inside = file("src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\nfn b() {}\n}\n");
    let in_tests: Vec<bool> = inside.lines().iter().map(|line| line.in_tests).collect();
    assert_eq!(in_tests, [false, false, true, true, true]);
    let beside = file("src/a/mod.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
    assert!(beside.lines().iter().all(|line| !line.in_tests));
    assert_eq!((inside.module(), beside.module()), ("a", "a"));
}
