//! The fidelity table: `docs/fidelity.md` says what `studies/fidelity.toml` makes of the simulator.
//!
//! `UPDATE_DOCS=1 cargo test --release --test fidelity` runs 200 seeds a row and writes the page,
//! `UPDATE_DOCS=incident,incident` the rows of those.
//! Without it a few seeds of each row are run and must lie inside what the page says, and the
//! page must have all rows. What a newcomer gets wrong: a row whose figure lies outside the
//! observed range must carry a note that says why.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use schedsim::report;
use schedsim::scenario::{Overrides, Scenario, Variant};
use schedsim::sim::Simulation;
use serde::Deserialize;

const PAGE: &str = "docs/fidelity.md";
const ROWS: &str = "studies/fidelity.toml";
/// Where the part of the page begins that `tests/measured.rs` makes.
const STORIES: &str = "## Stories";
/// Seeds of the page, and of a quick look.
const SEEDS: u64 = 200;
const QUICK: u64 = 3;

/// One figure of one incident.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The incident's id.
    incident: String,
    /// What was measured.
    what: String,
    /// As the field reported it.
    observed: String,
    /// The least and the most that the report allows, in units of the figure.
    range: [f64; 2],
    /// The scenario, below `scenarios/`, without its ending.
    scenario: String,
    /// The variant.
    variant: String,
    /// A metric, or `settled_in_s`.
    figure: String,
    /// What the figure is divided by, to give what was observed (hours of a run, say).
    #[serde(default = "one")]
    per: f64,
    /// Why it lies outside, where it does; or what the reader should know.
    #[serde(default)]
    note: String,
    /// The numbers of the rules that make it.
    #[serde(default)]
    rules: Vec<String>,
    /// What the real scheduler of the day gave, and its commit; nothing where it was not run.
    #[serde(default)]
    measured: String,
}

fn one() -> f64 {
    1.0
}

/// All rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// The rows, in the order of the page.
    figure: Vec<Row>,
}

/// The values of a figure over seeds, sorted.
#[derive(Clone, Debug, PartialEq)]
struct Simulated(Vec<f64>);

impl Simulated {
    /// Runs the row's variant under these seeds with random phases. A run in which the figure does
    /// not exist (it never settles) counts as infinite.
    fn of(row: &Row, scenario: &Scenario, variant: &Variant, seeds: std::ops::Range<u64>) -> Self {
        let mut values: Vec<f64> = seeds
            .into_par_iter()
            .map(|seed| {
                let variant = Variant { seed, ..variant.clone() };
                let outcome = Simulation::new(scenario, &variant).run();
                let billionths = if row.figure == "settled_in_s" {
                    report::settled_in(scenario, variant.expect.as_ref(), &outcome).map(|d| u128::from(d.as_nanos()))
                } else {
                    report::figures(scenario, &outcome).get(&row.figure).map(|metric| metric.billionths())
                };
                billionths.map_or(f64::INFINITY, |n| n as f64 / 1e9 / row.per)
            })
            .collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The least, the median and the most.
    fn spread(&self) -> [f64; 3] {
        let last = self.0.len().saturating_sub(1);
        [self.0[0], self.0[last / 2], self.0[last]]
    }

    /// Whether what was observed and what was simulated overlap.
    fn meets(&self, range: [f64; 2]) -> bool {
        let [least, _, most] = self.spread();
        least <= range[1] && most >= range[0]
    }
}

/// A number as the page shows it.
fn shown(value: f64) -> String {
    if value.is_infinite() {
        "never".to_owned()
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join(ROWS)).expect("the rows");
    toml::from_str::<Table>(&text).expect("rows as they should be").figure
}

/// Runs a row under the first seeds.
fn simulate(row: &Row, seeds: u64) -> Simulated {
    let file = root().join("scenarios").join(&row.scenario).with_extension("toml");
    let random = Overrides { set: vec![("tuning.ticker_phase".to_owned(), "seed".to_owned())], ..Overrides::default() };
    let scenario = Scenario::from_file(&file, &random).unwrap_or_else(|d| panic!("{}", d.render(false)));
    let named = |variant: &&Variant| variant.name == row.variant;
    let variant =
        scenario.variants.iter().find(named).unwrap_or_else(|| panic!("{}: no {}", row.scenario, row.variant));
    Simulated::of(row, &scenario, variant, 0..seeds)
}

fn line(row: &Row, simulated: &Simulated) -> String {
    let [least, median, most] = simulated.spread().map(shown);
    let inside = if simulated.meets(row.range) { "yes" } else { "**no**" };
    let note = if row.note.is_empty() { String::new() } else { format!(" {}", row.note) };
    format!(
        "| {} | {} | {} | {median} ({least}..{most}) | {inside} | `{}@{}` `{}`{note} | {} | {} |\n",
        row.incident,
        row.what,
        row.observed,
        row.scenario,
        row.variant,
        row.figure,
        row.rules.join(", "),
        row.measured
    )
}

/// The page, with the rows of the incidents `anew` made anew; the others are as in `old`.
fn page(rows: &[Row], anew: &[String], old: &str) -> String {
    let mut page = String::from(
        "# Fidelity\n\n\
         What the field observed, beside what the simulator makes of it: the median and the range over 200 seeds\n\
         (0 to 199) with random ticker phases. Seconds where nothing else is said. *Inside* says whether the observed and\n\
         the simulated range overlap; where they do not, the note says why. *Measured* is what the scheduler's own controllers\n\
         gave in virtual time, as the second part of this page tells: median and range over 40 random phases (over 5 where nothing is said), and the commit.\n\
         Made by\n\
         `UPDATE_DOCS=1 cargo test --release --test fidelity` from `studies/fidelity.toml`; do not edit.\n\n\
         | incident | figure | observed | simulated | inside | from | rules | measured |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let kept = |row: &&Row| {
        let begin = format!("| {} | {} |", row.incident, row.what);
        old.lines().find(|line| line.starts_with(&begin) && !anew.contains(&row.incident)).map(ToOwned::to_owned)
    };
    let made = rows.par_iter().map(|row| kept(&row).map_or_else(|| line(row, &simulate(row, SEEDS)), |old| old + "\n"));
    page.push_str(&made.collect::<Vec<String>>().concat());
    page
}

/// Least and most of each row of the page, by incident and figure.
fn told(page: &str) -> BTreeMap<(String, String, String), (f64, f64)> {
    let number = |text: &str| if text == "never" { f64::INFINITY } else { text.parse().expect("a number") };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let range = cells.get(4)?.split_once('(')?.1.trim_end_matches(')');
        let (least, most) = range.split_once("..")?;
        let from = cells.get(6)?.split('`').nth(1)?.to_owned();
        Some(((cells[1].to_owned(), cells[2].to_owned(), from), (number(least), number(most))))
    };
    page.lines().filter_map(row).collect()
}

#[test]
fn the_page_says_what_comes_out() {
    let (rows, file) = (rows(), root().join(PAGE));
    let old = std::fs::read_to_string(&file).expect("the page");
    let (first, stories) = old.split_at(old.find(STORIES).unwrap_or(old.len()));
    let made = std::env::var("UPDATE_DOCS").ok().map(|which| {
        let all: Vec<String> = rows.iter().map(|row| row.incident.clone()).collect();
        let some: Vec<String> = which.split(',').map(str::to_owned).filter(|name| all.contains(name)).collect();
        page(&rows, if some.is_empty() { &all } else { &some }, first)
    });
    if let Some(made) = &made {
        std::fs::write(&file, format!("{made}\n{stories}")).expect("the page can be written");
    }
    let told = told(made.as_deref().unwrap_or(first));
    assert_eq!(told.len(), rows.len(), "the page has other rows than {ROWS}: make it again");
    let rules_page = std::fs::read_to_string(root().join("docs/rules.md")).expect("the rules");
    let wrong: Vec<String> = rows.par_iter().filter_map(|row| wrong(row, &told, &rules_page)).collect();
    assert!(wrong.is_empty(), "{PAGE}:\n  {}", wrong.join("\n  "));
}

/// What is wrong with the page's row.
fn wrong(row: &Row, told: &BTreeMap<(String, String, String), (f64, f64)>, rules: &str) -> Option<String> {
    let key = (row.incident.clone(), row.what.clone(), format!("{}@{}", row.scenario, row.variant));
    let Some((least, most)) = told.get(&key) else { return Some(format!("lacks {key:?}: make it again")) };
    let [low, _, high] = simulate(row, QUICK).spread();
    // The page rounds to a tenth.
    if low < least - 0.05 || (high > most + 0.05 && most.is_finite()) {
        return Some(format!("{key:?}: {low}..{high} is not within {least}..{most}"));
    }
    let page_meets = *least <= row.range[1] && *most >= row.range[0];
    if !page_meets && row.note.is_empty() {
        return Some(format!("{key:?} lies outside and does not say why"));
    }
    if row.rules.is_empty() {
        return Some(format!("{key:?} names no rule"));
    }
    let unknown = row.rules.iter().find(|rule| !rules.contains(&format!("\n### {rule} ")))?;
    Some(format!("{key:?}: no rule {unknown}"))
}
