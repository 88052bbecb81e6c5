//! What rows say about settings: estimates, constraints, the Pareto front; `summary.csv`.
//!
//! It reads a plan and its `runs.csv`, one setting at a time beside the baseline, and runs nothing:
//! a single run and merged shards are judged by the same bytes. What a newcomer gets wrong: whether
//! a setting is better is decided by *paired* differences; two overlapping intervals say nothing.

use std::io::{Read, Write};

use rayon::prelude::*;

use super::file::{Aggregate, Objective};
use super::plan::Plan;
use super::rows::{self, Block, Blocks, metric_names};
use super::stats::{self, Resamples, interval};

/// The precision that `seeds_needed` in `summary.csv` is about.
pub const PRECISION: f64 = 0.05;

/// Something is sure when it is so in at least this many of a thousand resamples.
pub const SURE: u32 = 950;

/// A number over all runs of a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Its value.
    pub value: f64,
    /// Its 95 % interval; none with a single seed.
    pub interval: Option<(f64, f64)>,
    /// Its value minus the baseline's.
    pub difference: f64,
    /// The interval of the difference, paired by seed.
    pub difference_interval: Option<(f64, f64)>,
}

/// A setting, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The setting.
    pub setting: usize,
    /// An estimate for each objective.
    pub objectives: Vec<Estimate>,
    /// The bounded number of each constraint, and whether it is kept.
    pub constraints: Vec<(f64, bool)>,
    /// Better than the baseline in each objective, in so many of a thousand resamples.
    pub better_permille: Vec<u32>,
    /// Better than the baseline in every objective at once, likewise.
    pub all_permille: u32,
    /// In each objective the same as the baseline, in every resample.
    pub equal: Vec<bool>,
    /// Worse than the baseline in no objective and better in one at least, in so many of a thousand
    /// resamples; none with a single seed.
    pub beats_permille: Option<u32>,
    /// Nothing that keeps the constraints is as good everywhere and better somewhere.
    pub on_front: bool,
    /// The mean of every metric over the runs whose story has a trigger, for figures; none: there is no such run.
    pub aftermath: Option<Vec<f64>>,
}

impl Judged {
    /// Whether it keeps all constraints.
    pub fn keeps(&self) -> bool {
        self.constraints.iter().all(|(_, kept)| *kept)
    }

    /// Whether it is surely worse than the baseline nowhere, and surely better somewhere.
    pub fn surely_beats(&self) -> bool {
        self.beats_permille.is_some_and(|permille| permille >= SURE)
            && self.better_permille.iter().any(|permille| *permille >= SURE)
    }
}

/// All settings, judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// In the plan's order.
    pub settings: Vec<Judged>,
    /// How many resamples stand behind the intervals.
    pub resamples: usize,
}

/// The baseline's resampled statistics.
struct Baseline {
    block: Block,
    objectives: Vec<Vec<f64>>,
    metrics: Vec<Vec<f64>>,
}

/// Settings are judged in parallel, so many at a time.
const CHUNK: usize = 64;
/// Fewer where each has many runs: so many values are held at once, beside those of the baseline and of one setting.
const HELD_MAX: usize = 1 << 22;

/// How many settings of so many values each are judged at once.
fn chunk(values: usize) -> usize {
    (HELD_MAX / values.max(1)).clamp(1, CHUNK)
}

/// Judges all settings of a plan, and writes `summary.csv` on the way.
///
/// # Errors
/// Rows that are missing or unreadable.
pub fn judge(plan: &Plan, runs: impl Read, summary: &mut impl Write) -> Result<Judgement, String> {
    let cannot = |error: std::io::Error| format!("cannot write summary.csv: {error}");
    let seeds = plan.seed_count() as usize;
    let resamples = Resamples::of(seeds);
    let mut blocks = Blocks::new(plan, runs);
    let first = blocks.next().expect("a plan has a baseline")?;
    let base = Baseline {
        objectives: plan
            .objectives
            .iter()
            .map(|objective| resamples.statistics(objective.aggregate, &values(plan, objective, &first)))
            .collect(),
        metrics: first.values.iter().map(|values| resamples.statistics(Aggregate::Mean, values)).collect(),
        block: first.clone(),
    };
    summary.write_all(summary_header(plan).as_bytes()).map_err(cannot)?;
    let mut settings = Vec::with_capacity(plan.settings.len());
    let chunk = chunk(first.values.iter().map(Vec::len).sum());
    let mut pending = vec![first];
    loop {
        while pending.len() < chunk {
            match blocks.next() {
                Some(block) => pending.push(block?),
                None => break,
            }
        }
        if pending.is_empty() {
            break;
        }
        let done: Vec<(Judged, String)> = pending
            .par_iter()
            .map(|block| (judged(plan, &resamples, &base, block), summary_rows(plan, &resamples, &base, block)))
            .collect();
        for (judged, rows) in done {
            summary.write_all(rows.as_bytes()).map_err(cannot)?;
            settings.push(judged);
        }
        pending.clear();
    }
    summary.flush().map_err(cannot)?;
    mark_front(plan, &mut settings);
    Ok(Judgement { settings, resamples: resamples.count() })
}

/// The values of an objective's metric in the runs that it is about.
pub fn values(plan: &Plan, objective: &Objective, block: &Block) -> Vec<f64> {
    let seeds = plan.seed_count() as usize;
    let column = metric_names().iter().position(|name| *name == objective.metric).expect("checked when it was read");
    let column = &block.values[column];
    let mut found = Vec::new();
    for (index, (scenario, variant)) in plan.pairs().into_iter().enumerate() {
        let story = &plan.scenarios[scenario];
        if objective.is_about(&story.name, &story.variants[variant]) {
            found.extend_from_slice(&column[index * seeds..(index + 1) * seeds]);
        }
    }
    found
}

fn judged(plan: &Plan, resamples: &Resamples, base: &Baseline, block: &Block) -> Judged {
    let count = resamples.count();
    // Of each resample: in how many objectives better, and in how many as good.
    let mut beaten = vec![(0, 0); count];
    let permille = |resamples: usize| (resamples * 1000).checked_div(count).unwrap_or(0) as u32;
    let (mut objectives, mut better_permille, mut equal) = (Vec::new(), Vec::new(), Vec::new());
    for (objective, base_statistics) in plan.objectives.iter().zip(&base.objectives) {
        let mut runs = values(plan, objective, block);
        let statistics = resamples.statistics(objective.aggregate, &runs);
        let differences: Vec<f64> = statistics.iter().zip(base_statistics).map(|(one, other)| one - other).collect();
        let value = stats::aggregate(objective.aggregate, &mut runs);
        let base_value = stats::aggregate(objective.aggregate, &mut values(plan, objective, &base.block));
        let gain = |difference: f64| if objective.maximise { difference } else { -difference };
        for ((better, as_good), difference) in beaten.iter_mut().zip(&differences) {
            *better += usize::from(gain(*difference) > 0.0);
            *as_good += usize::from(*difference == 0.0);
        }
        better_permille.push(permille(differences.iter().filter(|difference| gain(**difference) > 0.0).count()));
        equal.push(value == base_value && differences.iter().all(|difference| *difference == 0.0));
        objectives.push(Estimate {
            value,
            interval: interval(&statistics),
            difference: value - base_value,
            difference_interval: interval(&differences),
        });
    }
    let constraints = plan.constraints.iter().map(|constraint| {
        let value = stats::aggregate(constraint.what.aggregate, &mut values(plan, &constraint.what, block));
        let bound = constraint.billionths as f64 / 1e9;
        (value, if constraint.at_most { value <= bound } else { value >= bound })
    });
    let all = plan.objectives.len();
    let beats = beaten.iter().filter(|(better, as_good)| *better > 0 && better + as_good == all).count();
    let all_permille = permille(beaten.iter().filter(|(better, _)| *better == all).count());
    Judged {
        setting: block.setting,
        objectives,
        constraints: constraints.collect(),
        better_permille,
        all_permille,
        equal,
        beats_permille: (count > 0).then(|| permille(beats)),
        on_front: false,
        aftermath: aftermath(block),
    }
}

fn aftermath(block: &Block) -> Option<Vec<f64>> {
    let triggered = block.triggered();
    let mean = |values: &Vec<f64>| stats::mean(&triggered.iter().map(|run| values[*run]).collect::<Vec<_>>());
    (!triggered.is_empty()).then(|| block.values.iter().map(mean).collect())
}

/// Whether `a` is at least as good as `b` everywhere and better somewhere.
pub(super) fn beats(plan: &Plan, a: &Judged, b: &Judged) -> bool {
    let signed = |index: usize, judged: &Judged| {
        let value = judged.objectives[index].value;
        if plan.objectives[index].maximise { -value } else { value }
    };
    let all = 0..plan.objectives.len();
    all.clone().all(|index| signed(index, a) <= signed(index, b))
        && all.clone().any(|index| signed(index, a) < signed(index, b))
}

fn mark_front(plan: &Plan, settings: &mut [Judged]) {
    let mut front: Vec<usize> = Vec::new();
    for index in 0..settings.len() {
        if !settings[index].keeps() || front.iter().any(|other| beats(plan, &settings[*other], &settings[index])) {
            continue;
        }
        front.retain(|other| !beats(plan, &settings[index], &settings[*other]));
        front.push(index);
    }
    for index in front {
        settings[index].on_front = true;
    }
}

/// A number with three decimals; never `-0.000`.
pub fn fixed(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

fn optional(value: Option<f64>) -> String {
    value.map(fixed).unwrap_or_default()
}

fn summary_header(plan: &Plan) -> String {
    let mut names = vec!["setting"];
    names.extend(plan.paths.iter().map(String::as_str));
    names.extend(["metric", "runs", "mean", "median", "p95", "ci_low", "ci_high"]);
    names.extend(["diff", "diff_low", "diff_high", "seeds_needed"]);
    rows::line(names)
}

fn summary_rows(plan: &Plan, resamples: &Resamples, base: &Baseline, block: &Block) -> String {
    let mut text = String::new();
    let seeds = plan.seed_count() as usize;
    for (index, metric) in metric_names().into_iter().enumerate() {
        let mut runs = block.values[index].clone();
        let statistics = resamples.statistics(Aggregate::Mean, &runs);
        let differences: Vec<f64> = statistics.iter().zip(&base.metrics[index]).map(|(a, b)| a - b).collect();
        let (mean, base_mean) = (stats::mean(&runs), stats::mean(&base.block.values[index]));
        let (ci, difference) = (interval(&statistics), interval(&differences));
        let needed = stats::seeds_needed(seeds, mean, ci, PRECISION);
        runs.sort_unstable_by(f64::total_cmp);
        let mut fields = vec![block.setting.to_string()];
        fields.extend(plan.settings[block.setting].iter().map(|value| value.clone().unwrap_or_default()));
        fields.extend([
            metric.to_owned(),
            runs.len().to_string(),
            fixed(mean),
            fixed(stats::median(&runs)),
            fixed(stats::quantile(&runs, 95)),
            optional(ci.map(|(low, _)| low)),
            optional(ci.map(|(_, high)| high)),
            fixed(mean - base_mean),
            optional(difference.map(|(low, _)| low)),
            optional(difference.map(|(_, high)| high)),
            needed.map(|needed| needed.to_string()).unwrap_or_default(),
        ]);
        text.push_str(&rows::line(fields.iter().map(String::as_str)));
    }
    text
}

/// `pareto.csv`.
pub fn pareto(plan: &Plan, judgement: &Judgement) -> String {
    let mut names: Vec<String> = vec!["setting".to_owned()];
    names.extend(plan.paths.iter().cloned());
    names.push("baseline".to_owned());
    for objective in &plan.objectives {
        let name = objective.name();
        names.extend([name.clone(), format!("{name} low"), format!("{name} high")]);
    }
    let mut text = rows::line(names.iter().map(String::as_str));
    for judged in judgement.settings.iter().filter(|judged| judged.on_front) {
        let mut fields = vec![judged.setting.to_string()];
        fields.extend(plan.settings[judged.setting].iter().map(|value| value.clone().unwrap_or_default()));
        fields.push(u8::from(judged.setting == 0).to_string());
        for estimate in &judged.objectives {
            let (low, high) = estimate.interval.unzip();
            fields.extend([fixed(estimate.value), optional(low), optional(high)]);
        }
        text.push_str(&rows::line(fields.iter().map(String::as_str)));
    }
    text
}

/// How many more seeds the objectives need until each is that precise; none when they are.
pub fn seeds_for(plan: &Plan, judgement: &Judgement, precision: f64) -> Option<u64> {
    let seeds = plan.seed_count() as usize;
    let mut most = 0;
    for judged in &judgement.settings {
        for estimate in &judged.objectives {
            let needed = stats::seeds_needed(seeds, estimate.value, estimate.interval, precision);
            // What cannot be told – a single seed, or a value around zero – needs at least twice as many.
            most = most.max(needed.unwrap_or(2 * seeds as u64));
        }
    }
    (most > seeds as u64).then_some(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_with_many_runs_are_judged_fewer_at_a_time() {
        for (values, wanted) in [(0, 64), (50 * 200, 64), (1 << 20, 4), (HELD_MAX, 1), (HELD_MAX * 9, 1)] {
            assert_eq!(chunk(values), wanted, "{values}");
        }
    }
}
