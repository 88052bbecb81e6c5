//! The studies of this repository, re-run on a grid small enough for every test run.
//!
//! `studies/backoff/small.toml` is swept, and its summary compared with the one that is kept; every
//! number between backquotes and a `small:` mark in `docs/tuning.md` is looked up in it. What a newcomer
//! gets wrong: a moved number is a finding – say why before writing it anew with UPDATE_DOCS=1.

use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "studies/occ.rs"]
mod occ;
#[path = "studies/published.rs"]
mod published;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The summary's columns of the metrics that the guide speaks of.
fn kept(summary: &str) -> String {
    let wanted = ["recovery_s", "boots_attempted", "cooldowns", "cooldown_after_s", "max_cooldown_s", "boots_during"];
    let is_kept = |line: &&str| {
        let of = |metric: &&str| {
            [",objective,", ",all,"].iter().any(|scope| line.contains(scope)) && line.contains(&format!(",{metric},"))
        };
        line.starts_with("setting,") || wanted.iter().any(of)
    };
    summary.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}

/// The folder that a sweep left.
struct Swept(tempfile::TempDir);

impl Swept {
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join("out").join(name)).expect("a result")
    }
}

/// Runs a sweep from the command line.
fn sweep(file: &Path, words: &[&str]) -> Swept {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_schedsim"));
    let done = command.arg("sweep").arg(file).arg("--out").arg(folder.path().join("out")).args(words).output();
    let done = done.expect("schedsim runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Swept(folder)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn the_small_grid_of_the_backoff_study_gives_the_numbers_that_the_guide_quotes() {
    let swept = sweep(&root().join("studies/backoff/small.toml"), &[]);
    let (summary, words) = (swept.read("summary.csv"), swept.read("recommendation.txt"));
    let golden = root().join("studies/backoff/small-summary.csv");
    let said = root().join("studies/backoff/small-recommendation.txt");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&golden, kept(&summary)).expect("studies/ can be written");
        fs::write(&said, &words).expect("studies/ can be written");
    }
    assert_eq!(kept(&summary), read(&golden), "run UPDATE_DOCS=1 cargo test --test studies, and say why numbers moved");
    assert_eq!(words, read(&said));
    let guide = read(&root().join("docs/tuning.md"));
    let mut quoted = 0;
    let mut rows = csv::Reader::from_reader(summary.as_bytes());
    let column = rows.headers().expect("a header").iter().position(|name| name == "value").expect("a column");
    let values: Vec<f64> = rows.records().map(|row| row.expect("a row")[column].parse().expect("a number")).collect();
    // `small: 47.0` in the guide: a value of the small summary, rounded as it is written.
    for part in guide.split("`small: ").skip(1) {
        let number = part.split('`').next().expect("the mark ends");
        let decimals = number.split_once('.').map_or(0, |(_, after)| after.len());
        let found = values.iter().any(|value| format!("{value:.decimals$}") == number);
        assert!(
            found || words.contains(&format!(" {number} ")),
            "`small: {number}` of docs/tuning.md is no value of the small grid"
        );
        quoted += 1;
    }
    assert!(quoted >= 6, "the guide quotes {quoted} numbers of the small grid");
}
