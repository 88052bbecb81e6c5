//! The studies of this repository, re-run on a grid small enough for every test run.
//!
//! `studies/backoff/small.toml` is swept, and its summary compared with the one that is kept. The others are
//! swept by `studies/backoff/run.sh`, which keeps what they say; `docs/tuning.md` shows that, and each of its numbers
//! with a mark like `small: 47.0` between backquotes is looked up. What a newcomer gets wrong: a moved number is a
//! finding – say why before writing it anew with UPDATE_DOCS=1.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

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
    keep("docs/tuning.md", "small", &format!("```text\n{words}```\n"));
    assert!(quoted("small", &summary) >= 4, "the page quotes the small grid");
}

#[test]
fn the_page_of_the_backoff_study_shows_what_its_sweeps_said() {
    let results = root().join("studies/backoff/results");
    let mut seen = 0;
    for study in ["sweep", "confirm", "ends", "fleet", "fleet-ends", "lease", "fine"] {
        let file = |ending: &str| read(&results.join(format!("{study}.{ending}")));
        let (words, rows) = (file("txt"), file("csv"));
        if words.is_empty() {
            keep("docs/tuning.md", study, &format!("Not swept yet: `studies/backoff/run.sh {study}` does it.\n"));
            continue;
        }
        assert!(words.contains("what follows from") && rows.contains(",objective,"), "{study} is half kept");
        keep("docs/tuning.md", study, &format!("```text\n{words}```\n"));
        seen += quoted(study, &rows);
    }
    assert!(seen >= 6, "the page quotes {seen} numbers of the large sweeps");
}

/// Looks up every number of the guide that is marked with a study's name; answers how many there are.
fn quoted(study: &str, summary: &str) -> usize {
    let wanted = ["value", "low", "high", "diff", "diff_low", "diff_high", "stories_low", "stories_high"];
    let mut rows = csv::Reader::from_reader(summary.as_bytes());
    let names = rows.headers().expect("a header").clone();
    let columns: Vec<usize> = (0..names.len()).filter(|column| wanted.contains(&&names[*column])).collect();
    let of = |row: csv::StringRecord| columns.iter().filter_map(|n| row[*n].parse().ok()).collect::<Vec<f64>>();
    let values: Vec<f64> = rows.records().flat_map(|row| of(row.expect("a row"))).collect();
    let guide = read(&root().join("docs/tuning.md"));
    let mark = format!("`{study}: ");
    let marks = guide.split(&mark).skip(1).map(|part| part.split('`').next().expect("a mark ends"));
    let found = |number: &&str| {
        let decimals = number.split_once('.').map_or(0, |(_, after)| after.len());
        assert!(
            values.iter().any(|value| format!("{value:.decimals$}") == **number),
            "`{study}: {number}` of docs/tuning.md is no number of that sweep"
        );
    };
    marks.inspect(found).count()
}

/// Puts a text between the marks of that name on a page, or checks that it stands there.
fn keep(page: &str, name: &str, text: &str) {
    /// Tests run at the same time.
    static PAGES: Mutex<()> = Mutex::new(());
    let _one = PAGES.lock().expect("no test panics here when it writes");
    let path = root().join(page);
    let whole = read(&path);
    let (begin, end) = (format!("<!-- {name}: made by tests/studies -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = whole.split_once(&begin).unwrap_or_else(|| panic!("{page} has no mark `{name}`"));
    let (is, after) = rest.split_once(&end).expect("the mark ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{begin}{text}{end}{after}")).expect("docs/ can be written");
    } else {
        assert_eq!(is, text, "{page}: run UPDATE_DOCS=1 cargo test --test studies, and say why it moved");
    }
}
