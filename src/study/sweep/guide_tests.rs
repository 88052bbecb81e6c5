//! The page of the user's guide about the sweep file: its words, and the test that makes it.
//!
//! The keys come from the schema, the columns from the aftermath; the rest is written here. What a
//! newcomer gets wrong: one does not edit the page; one edits this and runs the test with
//! `UPDATE_DOCS=1`.

use crate::scenario::schema::{section, tables_from};

use super::aftermath::COLUMNS;
use super::plan::{PlanOptions, plan_of};
use super::schema::SWEEP;

/// A sweep file for newcomers; it works as it stands, at the top of this repository.
const EXAMPLE: &str = r#"schema      = 1
scenarios   = ["studies/backoff/outage-*.toml"]  # relative to this file
seeds       = "0..16"
baseline    = ["tuning.backoff.base=10s"]        # today's values
constraints = ["boots_attempted.max <= 400"]

[[parameter]]
path  = "tuning.backoff.base"
from  = "1s"
to    = "64s"
scale = "log"
steps = 4                                        # 1s, 4s, 16s, 64s

[[parameter]]
path   = "policy.with"                           # a list is a value like any other
values = [[], ["reset-only-on-new-version"]]

[[objective]]
metric = "recovery_s"

[[objective]]
metric    = "boots_attempted"
aggregate = "p95"
"#;

const EXAMPLE_END: &str = "
In a file `mine.toml` at the top of this repository that is 9 settings x 3 scenarios x 16 seeds:

```sh
schedsim check mine.toml                                   # is it right, and how many runs is it?
schedsim sweep mine.toml --out out                         # CSV, plots, out/report.html; prints the recommendation
schedsim sweep mine.toml --out out --resume                # goes on after an interruption, or shows it again
schedsim sweep mine.toml --out fine --until-precise 25%    # adds seeds until every objective is that precise
schedsim run studies/backoff/outage-2m.toml --seed 3 --set tuning.backoff.base=4s   # one of its runs, looked at
```

With `sampling = \"sobol\"` and `samples = 32` it draws 32 settings from the same ranges instead; `steps` has no meaning then.
";

const HEAD: &str = "\
# Sweep reference

<!-- Generated from src/study/sweep/schema.rs; do not edit. Update: UPDATE_DOCS=1 cargo test --lib sweep -->

Every key of a sweep file (`schema = 1`), the input of `schedsim sweep FILE --out DIR` (`-` is standard
input; its scenarios are then looked for in the present folder). A key that is not listed here is an
error. Any field of a scenario can be varied; it is written as a path, as for `schedsim run --set`
([scenario reference](scenario.md)). Settings come in this order: the baseline, the points, the grid or the samples; equal ones once.
A `sobol` sample can have at most 16 parameters.
";

const RESULTS: &str = "
## Results

Numbers are plain decimals: counts are whole, seconds have three decimals, statistics three. No wall-clock time, host or thread count
is in any file: the same sweep gives the same bytes.

**`runs.csv`**, a row for each run, ordered by setting, scenario, variant, seed:

| column | meaning |
| --- | --- |
| `setting` | its number; 0 is the baseline |
| `scenario`, `variant`, `seed` | which run; `schedsim run FILE --variant V --seed S --set …` repeats it |
| one for each varied field | its value; empty where the setting leaves it as the scenario says |
| `verdict`, `violations` | how the run ended, and the number of violations |
";

const RESULTS_END: &str = "
**`summary.csv`**, a row for each setting and metric: `setting`, the varied fields, `metric`, `runs`, `mean`, `median`, `p95`, `ci_low`, `ci_high`
(95 % interval of the mean: bootstrap over seeds), `diff`, `diff_low`, `diff_high` (mean minus the baseline's, paired by seed, with its
interval), `seeds_needed` (for an interval of ±5 % of the mean, as far as these seeds can tell).

**`pareto.csv`**, a row for each setting that keeps the constraints and that no other such setting beats: `setting`, the varied fields,
`baseline` (1 for today's), and for each objective its value and the ends of its interval.

**`sweep.json`** says what was swept, **`manifest.json`** which part of it this folder holds, **`recommendation.txt`** what follows,
**`report.html`** and **`plots/`** show it. While a sweep runs, **`runs.early`** holds the rows of runs that ended before a slower one in
front of them, each with its number before it; they go to their places in `runs.csv` when that one has ended, and `--resume` reads them.
The empty file **`.lock`** is held, by the system, while a process writes into the folder: a second one is told so and changes nothing.
A process that ends in any way, kills included, holds it no more. On a file system without locks nobody is kept apart.
";

/// Measured by `cargo bench --bench sweep`; the machine is named because the numbers are its own.
const COSTS: &str = "
## What it costs

| | measured | wanted |
| --- | --- | --- |
| a sweep of 32 days of `crash-loop-idle`, from its file to its report, over the same runs alone | 4.6 % more (quartiles 3.7 to 5.2 %) | less than 5 % |
| the same with 96 days on two workers, over one | 1.99 times as fast (quartiles 1.97 to 2.00) | 1.9 times |
| simulated days of `crash-loop-idle` (*after*) a second and core: runs alone, and as a sweep | 107 and 101 | 100 |

By `cargo bench --bench sweep`: 41 pairs for each ratio, the halves of a pair right after one another and turn about first, on one thread (both
halves on a worker) against two; the number is the median of the ratios. The machine had four virtual Xeon cores that other
work shared. Of the 4.6 %, most is the pass over a run's trace that makes the row; planning, judging and plots are 3 ms a sweep of
this size. A day is 107,000 events and 66,000 trace records. It is longer where more happens: 17 ms for the story's *before* (a boot each
minute), 160 ms under today's rules, where a boot that fails is tried again every 20 s and 1.2 million events make the day.
";

/// The page of the user's guide about the sweep file and its results.
fn reference() -> String {
    let mut page = format!("{HEAD}\n## A small one\n\n```toml\n{EXAMPLE}```\n{EXAMPLE_END}");
    for spec in tables_from(&SWEEP) {
        section(&mut page, spec);
    }
    page.push_str(RESULTS);
    for column in COLUMNS {
        page.push_str(&format!("| `{}` | {} |\n", column.name, column.meaning));
    }
    page.push_str("| every [metric](metrics.md) | as defined there |\n");
    page.push_str(RESULTS_END);
    page.push_str(COSTS);
    page
}

#[test]
fn the_example_of_the_page_is_a_sweep_of_so_many_runs() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let planned = plan_of(EXAMPLE, "mine.toml", root, &PlanOptions::default());
    let (plan, _, warnings) = planned.unwrap_or_else(|why| panic!("{why}"));
    let counts = (plan.settings.len(), plan.scenarios.len(), plan.seed_count());
    let told = format!("{} settings x {} scenarios x {} seeds", counts.0, counts.1, counts.2);
    assert!(EXAMPLE_END.contains(&told) && warnings.is_empty(), "{told}: {warnings:?}");
    assert_eq!(plan.settings[3][0].as_deref(), Some("4s"), "as the page says");
    let sampled = EXAMPLE.replacen("seeds ", "sampling = \"sobol\"\nsamples = 32\nseeds ", 1);
    let planned = plan_of(&sampled, "mine.toml", root, &PlanOptions::default());
    assert_eq!(planned.map(|(plan, ..)| plan.settings.len()).ok(), Some(33));
}

#[test]
fn every_key_of_the_sweep_file_is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sweep.md");
    let page = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).expect("docs/ can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/sweep.md is out of date: run UPDATE_DOCS=1 cargo test --lib sweep");
}
