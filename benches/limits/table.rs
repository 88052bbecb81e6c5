//! The table: on standard output as it grows, and in docs/performance.md when that is asked for.

use std::fmt::Write as _;
use std::path::Path;

/// One row.
pub(crate) struct Row {
    name: &'static str,
    before: &'static str,
    goal: &'static str,
    reached: String,
    beside: String,
    met: Option<bool>,
}

impl Row {
    /// A ratio that must not be above its goal.
    pub(crate) fn ratio(
        name: &'static str,
        before: &'static str,
        goal: &'static str,
        value: f64,
        beside: String,
    ) -> Self {
        let met = goal.parse().ok().map(|goal: f64| value <= goal);
        Self { name, before, goal, reached: format!("{value:.2}"), beside, met }
    }
    /// A figure with a unit.
    pub(crate) fn plain(
        name: &'static str,
        before: &'static str,
        goal: &'static str,
        value: f64,
        unit: &str,
        beside: String,
    ) -> Self {
        let digits = if value < 100.0 { 1 } else { 0 };
        Self { reached: format!("{value:.digits$} {unit}"), ..Self::ratio(name, before, goal, value, beside) }
    }
    /// A row for which something is not installed.
    pub(crate) fn missing(name: &'static str, what: &str) -> Self {
        let reached = format!("not measured: no {what} here");
        Self { name, before: "–", goal: "–", reached, beside: String::new(), met: None }
    }
    fn line(&self) -> String {
        let Self { name, before, goal, reached, beside, met } = self;
        let word = match met {
            Some(true) => "yes",
            Some(false) => "**missed**",
            None => "–",
        };
        format!("| {name} | {before} | {goal} | {reached} | {word} | {beside} |")
    }
}

const HEAD: &str = "| work | before | goal | reached | met | in this run |\n| --- | --- | --- | --- | --- | --- |\n";
const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- limits: begin -->\n";
const END: &str = "<!-- limits: end -->";

/// All rows.
pub(crate) struct Table(String);

impl Table {
    /// Makes all rows, one after the other.
    pub(crate) fn of(rows: impl Iterator<Item = Row>) -> Self {
        print!("{HEAD}");
        let mut text = String::from(HEAD);
        for row in rows {
            println!("{}", row.line());
            writeln!(text, "{}", row.line()).expect("a text can grow");
        }
        Self(text)
    }
    /// Writes it into the page, if it is all of it and `UPDATE_DOCS` is set.
    pub(crate) fn publish(&self, whole: bool) {
        if !whole || std::env::var_os("UPDATE_DOCS").is_none() {
            return;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        let page = std::fs::read_to_string(&path).expect("the page can be read");
        let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
        let (_, after) = rest.split_once(END).expect("the place ends");
        std::fs::write(&path, [before, BEGIN, &self.0, END, after].concat()).expect("the page can be written");
    }
}
