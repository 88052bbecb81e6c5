//! The page of the user's guide about the sweep file: its words, and the test that makes it.
//!
//! The keys come from the schema, the columns from the aftermath; the rest is written here.

use crate::scenario::schema::{section, tables_from};

use super::aftermath::COLUMNS;
use super::planning::{PlanOptions, plan_of};
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
**`summary.csv`**, for each setting its `setting`, the varied fields, and rows of three kinds, told by `scope`: `objective`, as the sweep wishes it,
over the runs that it is about (`story` names them where it leaves some out); `all`, the mean of every metric over all runs; `story`, the same over
one scenario and variant (`story` names it; where there are several). Then `metric`, `aggregate`, `runs`, `value` with the ends of its interval
`low` and `high`, `median` and `p95` of the runs, `diff` (value minus the baseline's) with `diff_low` and `diff_high`, `stories_low` and `stories_high` (the
interval of `diff` were the stories a sample, too), `seeds_needed` for ±5 % of the value, with the ends of its own interval `seeds_needed_low` and
`seeds_needed_high`. A field is empty where it cannot be told.

**`pareto.csv`**, a row for each setting on the Pareto front: `setting`, the varied fields, `baseline` (1 for today's), and for each objective its value,
the ends of its interval, and how it compares with the baseline: `better`, `worse` (both: surely), `same` (in every run) or `unsure`.

**`sweep.json`** says what was swept, **`manifest.json`** which part of it this folder holds, **`recommendation.txt`** what follows,
**`report.html`** and **`plots/`** show it. While a sweep runs, **`runs.early`** holds the rows of runs that ended before a slower one in
front of them, each with its number before it; they go to their places in `runs.csv` when that one has ended, and `--resume` reads them.
The empty file **`.lock`** is held, by the system, while a process writes into the folder: a second one is told so (exit status 75) and changes nothing.
A process that ends in any way, kills included, holds it no more. On a file system without locks nobody is kept apart.
Folders of an older form (`schema` 1 in their manifests) are refused; sweep files have not changed.
";

const STATISTICS: &str = "
## What each figure means

* **The witness is the seed.** All settings are run under the same seeds, and the runs of one seed share their draws, so a seed with all of its runs is one
  witness. Nothing here speaks of stories that were not run, but for `stories_low` and `stories_high`.
* **Quantile.** `p95` and `p99` are the value that 95 or 99 % of the runs do not exceed, by nearest rank: number ⌈0.95 n⌉ of the sorted values. The median of
  an even number of values is the mean of the middle two.
* **Interval of a mean.** Student's, 95 %: the value ± t · s/√n, over the means of the n seeds; of a difference, over the seeds' differences. Where all
  seeds agree there is none: values without a spread do not say how far another one lies. Fewer than 8 seeds have none either (see below).
* **Interval of a median, p95, p99.** The value ± t times its bootstrap error: the deviation over 200 resamples of the seeds, times √(n/(n-1)). Fewer than two
  runs beyond the quantile give none (a p95 needs 40 runs). `max` and `min` have none: other seeds may go further, and these cannot say how far.
* **Stories as a sample.** Mean difference ± t · √(s²(stories)/S + s²(seeds)/n), with the degrees of freedom of the smaller number: what other stories of this
  kind would say. It is wide where stories disagree, and the honest one to quote for a fleet whose stories nobody chose.
* **Ties.** A setting whose runs have in everything that is judged the values of an earlier setting is one with it: it is counted once and stands on the front once.
* **Sure.** Each difference from the baseline – settings without ties, times objectives that seeds move – gets a two-sided p-value: of a mean Student's, or that
  of Hall's statistic, which allows for skew, whichever is larger; of a quantile that of its error, or of the share of runs below either side's value, whichever is
  larger. Holm's correction makes them hold for all at once; *sure* is what stays at 5 % or below. Fewer than 16 seeds make nothing sure, and more than 1,638
  differences ask for a few more seeds. How many were compared always stands in the recommendation.
* **Beats the baseline**: surely better in one objective at least, and in every other one surely better or the same in every run. Recommended is, of those that keep
  the constraints, the one with the largest sum of relative gains *as they came out*; a winner among many had luck, too.
* **What moves nothing.** A parameter is named when settings that differ in it alone have equal figures in every run (samples rarely can tell). An objective that
  only settings move has one value each, however many seeds there are: it is not optimised, but a setting that is worse in it is not recommended. One that
  nothing moves is named and left out.
* **Pareto front.** The settings that keep the constraints and that no other such setting beats *by the values as they came out*. Noise puts settings on it and keeps
  others away; whether one is better than today's is what `better` in its row says.
* **Seeds needed.** The fewest n, 8 or more, for which t · s/√n is within the precision of the value, s from these seeds; its low and high end come from the interval of s
  itself (χ²). The column of the summary, the last line of the recommendation and `--until-precise` (which asks for the most of all objectives and settings, at its own
  precision, and adds a tenth) are this one number. `--until-precise` ends with the files of a plain sweep over the seeds that it came to, digests included.
* **A sample of settings.** `random`: independent uniform numbers; `latin`: one in each of as many slices, the slices shuffled; `sobol`: Sobol's sequence with Joe and Kuo's
  direction numbers, shifted by XOR. Shuffles, bounded draws and resamples are `rand`'s over ChaCha8 streams keyed by the sample's seed; tests pin them.

### Does it keep its word?

`studies/backoff/coverage.toml` runs the study's seven stories under 17 settings and 1,024 seeds. Parts of so many seeds are drawn 4,000 times and judged; what all seeds say
is the truth. The shares of intervals that held it should be 95 %, on average and for the difference that fares worst; sweeps that called something sure that is false, 5 % at most – also where nothing is true, which is
the same rows moved so that every setting has the baseline's means, story by story.

```sh
schedsim sweep studies/backoff/coverage.toml --out target/coverage
COVERAGE=target/coverage UPDATE_DOCS=1 cargo test --lib coverage   # makes studies/backoff/coverage.md
```

";

const COVERAGE: &str = include_str!("../../../studies/backoff/coverage.md");

const COVERAGE_END: &str = "
Why four seeds tell nothing: under today's logic the phases of the tickers let three boots into each minute of a permanent crash in three seeds of ten, and two in the others. Four
seeds are all of one kind in 24 of 100 sweeps; they agree then, and no formula sees in them that others are half as large again. Student's interval over four held the truth of these
differences in 78 of 100 cases, Hall's, which allows for skew, in 81. Of eight seeds all are of one kind in 5 of 100. That is the limit of any number of seeds: n of them miss
what happens to a share q of all in (1-q)^n of the sweeps, for 5 % at q = 53 % (n = 4), 31 % (8), 17 % (16), 9 % (32).

An objective is a mean over six or seven stories. A single story is harder: a recovery that is nearly always the same and seldom ten times as long is beyond any interval
over eight seeds. Half of the differences share the baseline of two kinds, so their misses come together. Where the seeds drawn did not move a story there is no interval.
`cargo test --lib coverage` checks the same on a small story at each run of the tests.
";

/// Measured by `cargo bench --bench sweep`; the machine is named because the numbers are its own.
const COSTS: &str = "
## What it costs

| | measured | wanted |
| --- | --- | --- |
| a sweep of 32 days of `crash-loop-idle`, from its file to its report, over the same runs alone | 1.7 % more (quartiles -0.1 to 3.8 %) | less than 5 % |
| the same with 96 days on two workers, over one | 1.92 times as fast by processor time (3.9 % more of it); 1.99 by the wall clock of an idle machine, earlier | 1.9 times |
| simulated days of `crash-loop-idle` (*after*) a second and core: runs alone, and as a sweep | 76 and 74 | 100: **missed** |

By `cargo bench --bench sweep`: 41 pairs for each ratio, the halves of a pair right after one another and turn about first, on one thread (both
halves on a worker) against two; the number is the median of the ratios. The machine had two processors that other
work shared, so that its wall clock says nothing of two workers. A day is 92,000 events. It was faster before: its livelock is claimed only after it was tried in a second run, which goes on
for ten periods, to 28 hours, and takes a little more than half of the time.
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
    page.push_str(STATISTICS);
    page.push_str(COVERAGE);
    page.push_str(COVERAGE_END);
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
