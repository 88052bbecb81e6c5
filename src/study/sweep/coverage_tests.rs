//! Whether intervals and the word "sure" keep their word: few seeds of a large run, against all of it.
//!
//! A part of the seeds is drawn again and again and judged as a sweep of so many seeds would be; what the large run
//! says is the truth. What a newcomer gets wrong: false claims are also counted where *nothing* is true – each setting's
//! runs moved to the baseline's means – for clear differences forgive everything.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::estimate::{Estimate, Statistic};
use super::file::Aggregate;
use super::folder::{Folder, PLAN, RUNS, Shard};
use super::judge;
use super::judgement::{Against, values};
use super::plan::Plan;
use super::planning::{PlanOptions, plan_of};
use super::rows::{Block, Blocks, metric_names};
use super::run::{Nobody, run};
use super::significance;
use super::stats::{Seeds, TOLD_MIN, mean};
use crate::kernel::streams;

/// So many parts are drawn of each size.
const PARTS: usize = 4000;

/// A run over many seeds.
struct Large {
    plan: Plan,
    blocks: Vec<Block>,
}

/// What parts of one size came to.
#[derive(Default)]
struct Kept {
    /// Intervals that held the truth, and all intervals: of objectives, of their differences, of single stories, of the
    /// differences of these.
    intervals: [(usize, usize); 4],
    /// The same for each difference of an objective.
    differences: Vec<(usize, usize)>,
    /// Sweeps that said anything false with the word "sure": of the settings as they are, and where nothing is true.
    false_sure: [usize; 2],
    /// What was said with it, and what could have been.
    claims: (usize, usize),
}

impl Large {
    fn read(dir: &Path) -> Self {
        let plan: Plan = serde_json::from_str(&fs::read_to_string(dir.join(PLAN)).expect("a plan")).expect("a plan");
        let rows = File::open(dir.join(RUNS)).expect("rows");
        let blocks = Blocks::new(&plan, rows).collect::<Result<_, _>>().expect("rows of the plan");
        Self { plan, blocks }
    }

    fn seeds(&self) -> usize {
        self.plan.seed_count() as usize
    }

    /// The rows that a sweep over these seeds would have.
    fn part(&self, seeds: &[usize]) -> Self {
        let wide = self.seeds();
        let of =
            |values: &Vec<f64>| values.chunks(wide).flat_map(|story| seeds.iter().map(|seed| story[*seed])).collect();
        let block = |block: &Block| Block { setting: block.setting, values: block.values.iter().map(of).collect() };
        Self { plan: self.plan.over((0, seeds.len() as u64)), blocks: self.blocks.iter().map(block).collect() }
    }

    /// No setting better than another: each story has the baseline's mean.
    fn levelled(&self) -> Self {
        let wide = self.seeds();
        let mut blocks = self.blocks.clone();
        let base = blocks[0].clone();
        for block in &mut blocks[1..] {
            for (values, base) in block.values.iter_mut().zip(&base.values) {
                for (story, base) in values.chunks_mut(wide).zip(base.chunks(wide)) {
                    let more = mean(story) - mean(base);
                    story.iter_mut().for_each(|value| *value -= more);
                }
            }
        }
        Self { plan: self.plan.clone(), blocks }
    }

    /// Without what is not asked here.
    fn narrowed(mut self) -> Self {
        let names = metric_names();
        let wanted = |name: &str| self.plan.objectives.iter().any(|objective| objective.metric == name);
        for block in &mut self.blocks {
            for (values, name) in block.values.iter_mut().zip(&names) {
                if !wanted(name) {
                    values.clear();
                }
            }
        }
        self
    }

    /// Each objective's runs, then those of its single stories, by setting.
    fn statistics(&self, seeds: &Seeds) -> Vec<[Vec<Statistic>; 2]> {
        let count = seeds.count();
        let of = |block: &Block| {
            let all = |index: usize| values(&self.plan, &self.plan.objectives[index], block);
            let objectives = 0..self.plan.objectives.len();
            let stories = objectives.clone().flat_map(|index| {
                let stories = all(index).chunks(count).map(<[f64]>::to_vec).collect::<Vec<_>>();
                stories.into_iter().map(|runs| Statistic::of(Aggregate::Mean, seeds, runs))
            });
            let whole = objectives.map(|index| Statistic::of(Aggregate::Mean, seeds, all(index)));
            [whole.collect(), stories.collect()]
        };
        self.blocks.iter().map(of).collect()
    }

    /// What a sweep of these rows says is surely better or worse, by setting and objective.
    fn sure(&self) -> Vec<Vec<Against>> {
        let seeds = Seeds::of(self.seeds(), false);
        let base = judge::Baseline::of(&self.plan, &seeds, &self.blocks[0]);
        let settings = self.blocks.iter().map(|block| judge::judged(&self.plan, &seeds, &base, block));
        let judgement = significance::decided(&self.plan, seeds.clone(), settings.collect());
        judgement.settings.into_iter().map(|judged| judged.against).collect()
    }

    fn kept(&self, size: usize, parts: usize) -> Kept {
        let all = Seeds::of(self.seeds(), false);
        let truths = self.statistics(&all);
        let of = |ours: &Statistic, base: &Statistic| ours.against(base, &all);
        let estimates = |ours: &[Vec<Statistic>; 2]| {
            [0, 1].map(|kind| {
                ours[kind].iter().zip(&truths[0][kind]).map(|(ours, base)| of(ours, base)).collect::<Vec<_>>()
            })
        };
        let truth: Vec<[Vec<Estimate>; 2]> = truths.iter().map(estimates).collect();
        let levelled = self.levelled();
        let mut stream = streams::stream(0, "coverage", "parts");
        let mut order: Vec<usize> = (0..self.seeds()).collect();
        let parts: Vec<Vec<usize>> = (0..parts).map(|_| order.partial_shuffle(&mut stream, size).0.to_vec()).collect();
        let one = |part: &Vec<usize>| {
            let mut kept = Kept::default();
            let (drawn, seeds) = (self.part(part), Seeds::of(size, false));
            let statistics = drawn.statistics(&seeds);
            for (setting, kinds) in statistics.iter().enumerate() {
                for (kind, ours) in kinds.iter().enumerate() {
                    for (index, ours) in ours.iter().enumerate() {
                        let (is, says) =
                            (&truth[setting][kind][index], ours.against(&statistics[0][kind][index], &seeds));
                        kept.note(2 * kind, is.value, is.interval.is_some(), says.interval);
                        if setting > 0 {
                            let moves = is.difference_interval.is_some();
                            let before = kept.intervals[1];
                            kept.note(2 * kind + 1, is.difference, moves, says.difference_interval);
                            if kind == 0 {
                                let after = kept.intervals[1];
                                kept.differences.push((after.0 - before.0, after.1 - before.1));
                            }
                        }
                    }
                }
            }
            let wrong = |said: &[Vec<Against>], true_gain: &dyn Fn(usize, usize) -> f64| {
                let all = said.iter().enumerate().flat_map(|(setting, against)| {
                    against.iter().enumerate().map(move |(index, against)| (setting, index, *against))
                });
                all.filter(|(setting, index, against)| match against {
                    Against::Better => true_gain(*setting, *index) <= 0.0,
                    Against::Worse => true_gain(*setting, *index) >= 0.0,
                    Against::Same | Against::Unsure => false,
                })
                .count()
            };
            let gain = |setting: usize, index: usize| {
                let difference = truth[setting][0][index].difference;
                if self.plan.objectives[index].maximise { difference } else { -difference }
            };
            let said = drawn.sure();
            kept.claims.0 = said.iter().flatten().filter(|it| matches!(it, Against::Better | Against::Worse)).count();
            kept.claims.1 = (said.len() - 1) * self.plan.objectives.len();
            kept.false_sure = [wrong(&said, &gain), wrong(&levelled.part(part).sure(), &|_, _| 0.0)].map(|n| n.min(1));
            kept
        };
        parts.par_iter().map(one).reduce(Kept::default, Kept::with)
    }
}

impl Kept {
    /// `moves`: whether seeds move it at all.
    fn note(&mut self, kind: usize, truth: f64, moves: bool, interval: Option<(f64, f64)>) {
        let (held, all) = &mut self.intervals[kind];
        if let Some((low, high)) = interval.filter(|_| moves) {
            *all += 1;
            *held += usize::from(low <= truth && truth <= high);
        }
    }

    fn with(mut self, other: Self) -> Self {
        for (ours, theirs) in self.intervals.iter_mut().zip(other.intervals) {
            *ours = (ours.0 + theirs.0, ours.1 + theirs.1);
        }
        self.differences.resize(self.differences.len().max(other.differences.len()), (0, 0));
        for (ours, theirs) in self.differences.iter_mut().zip(other.differences) {
            *ours = (ours.0 + theirs.0, ours.1 + theirs.1);
        }
        for (ours, theirs) in self.false_sure.iter_mut().zip(other.false_sure) {
            *ours += theirs;
        }
        self.claims = (self.claims.0 + other.claims.0, self.claims.1 + other.claims.1);
        self
    }

    /// The share of intervals that held the truth, in percent; none: no interval was told.
    fn coverage(&self, kind: usize) -> Option<f64> {
        let (held, all) = self.intervals[kind];
        share(held, all)
    }

    /// The same of the difference of which fewest did.
    fn worst(&self) -> Option<f64> {
        self.differences.iter().filter_map(|(held, all)| share(*held, *all)).min_by(f64::total_cmp)
    }
}

fn share(of: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| of as f64 * 100.0 / all as f64)
}

/// The table of docs/sweep.md.
fn table(large: &Large, sizes: &[usize], parts: usize) -> (String, Vec<Kept>) {
    let mut text =
        "| seeds | an objective | its difference | the worst difference | a single story | its difference | \
                    \"sure\" and false, a sweep | the same where nothing is true | said to be sure |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    let all: Vec<Kept> = sizes.iter().map(|size| large.kept(*size, parts)).collect();
    for (size, kept) in sizes.iter().zip(&all) {
        let [a, b, c, d] = [0, 1, 2, 3].map(|kind| kept.coverage(kind));
        let [a, b, worst, c, d] = [a, b, kept.worst(), c, d]
            .map(|share| share.map_or("none told".to_owned(), |share| format!("{share:.1} %")));
        let [real, level] = kept.false_sure.map(|count| count as f64 * 100.0 / parts as f64);
        let said = kept.claims.0 as f64 * 100.0 / kept.claims.1 as f64;
        writeln!(text, "| {size} | {a} | {b} | {worst} | {c} | {d} | {real:.1} % | {level:.1} % | {said:.0} % |")
            .expect("a text");
    }
    (text, all)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The kept table, which docs/sweep.md shows. With `COVERAGE`, the folder of the large run, it is made anew.
#[test]
fn the_table_of_coverage_keeps_what_is_promised() {
    let path = root().join("studies/backoff/coverage.md");
    if let Some(dir) = std::env::var_os("COVERAGE") {
        let large = Large::read(&root().join(dir)).narrowed();
        let (table, _) = table(&large, &[4, 8, 12, 16, 32], PARTS);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &table).expect("studies/ can be written");
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), table);
    }
    let kept = fs::read_to_string(&path).expect("a table");
    let rows: Vec<Vec<Option<f64>>> = kept
        .lines()
        .skip(2)
        .map(|line| {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_end_matches(" %"));
            cells.map(|cell| (cell != "none told").then(|| cell.parse().expect("a number"))).collect()
        })
        .collect();
    let sizes: Vec<usize> = rows.iter().map(|row| row[0].expect("a size") as usize).collect();
    assert!([4, 8, 16, 32].iter().all(|size| sizes.contains(size)), "{sizes:?}");
    for (size, row) in sizes.iter().zip(rows) {
        let keeps = |share: Option<f64>| share.is_some_and(|share| (93.0..=97.0).contains(&share));
        let told = *size >= TOLD_MIN;
        assert!(row[1..3].iter().all(|share| if told { keeps(*share) } else { share.is_none() }), "{row:?}");
        assert!(row[6..8].iter().all(|share| *share <= Some(5.0)), "{row:?}");
    }
}

const STORY: &str = "schema = 1\nhorizon = \"4m\"\ntuning.ticker_phase = \"seed\"\n\
    [workload.shop.worker]\nstart = { uniform = [\"300ms\", \"9s\"] }\nexit_after = { uniform = [\"2s\", \"30s\"] }\n\
    [[step]]\nat = \"0s\"\ndo.deploy = { app = \"shop\", config = \"[services.worker.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1\" }\n";
const SWEEP: &str = "schema = 1\nscenarios = [\"story.toml\"]\nseeds = \"0..256\"\n\
    [[parameter]]\npath = \"tuning.backoff.base\"\nvalues = [\"2s\", \"5s\", \"10s\", \"20s\", \"40s\"]\n\
    [[objective]]\nmetric = \"boots_attempted\"\n[[objective]]\nmetric = \"cooldown_s\"\n";

#[test]
fn intervals_and_sureness_keep_their_word_on_parts_of_a_larger_run() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("story.toml"), STORY).expect("a file");
    let (plan, stories, _) = plan_of(SWEEP, "coverage", root.path(), &PlanOptions::default()).expect("a plan");
    let out = root.path().join("out");
    run(&plan, &stories, &Folder::open(&out, &plan, Shard::WHOLE, false).expect("a folder"), &Nobody).expect("it runs");
    let large = Large::read(&out).narrowed();
    let (table, kept) = table(&large, &[4, 8, 16, 32], 200);
    println!("{table}");
    for kept in &kept {
        for share in [kept.coverage(0), kept.coverage(1)].into_iter().flatten() {
            assert!((92.0..=98.0).contains(&share), "{table}");
        }
        assert!(kept.false_sure.iter().all(|count| *count <= 200 / 20), "{table}");
    }
    assert_eq!((kept[0].coverage(0), kept[0].claims.0), (None, 0), "four seeds tell nothing\n{table}");
    assert!(kept[3].claims.0 > 0, "with 32 some things are sure\n{table}");
}
