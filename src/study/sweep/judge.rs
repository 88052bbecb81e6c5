//! What rows say about settings: estimates beside the baseline, constraints, and what is sure.
//!
//! It reads a plan and its `runs.csv`, one setting at a time beside the baseline, and runs nothing: a single run and
//! merged shards are judged by the same bytes. What is sure is decided over all settings at once, by `sure`. What a
//! newcomer gets wrong: whether a setting is better is decided by *paired* differences; two overlapping intervals say
//! nothing.

use std::io::{Read, Write};

use rayon::prelude::*;

use super::estimate::Statistic;
use super::file::{Aggregate, Objective};
use super::judgement::{Against, Judged, Judgement, values};
use super::plan::Plan;
use super::rows::{Block, Blocks};
use super::stats::{self, Needed, Seeds, TOLD_MIN};
use super::{significance, summary};

/// The baseline, as others are compared with it.
pub(super) struct Baseline {
    pub(super) block: Block,
    objectives: Vec<Statistic>,
}

impl Baseline {
    pub(super) fn of(plan: &Plan, seeds: &Seeds, block: &Block) -> Self {
        let of = |objective: &Objective| Statistic::of(objective.aggregate, seeds, values(plan, objective, block));
        Self { objectives: plan.objectives.iter().map(of).collect(), block: block.clone() }
    }
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
    judge_blocks(plan, Blocks::new(plan, runs), summary)
}

/// The same for rows that were read already.
pub(super) fn judge_blocks(
    plan: &Plan,
    mut blocks: impl Iterator<Item = Result<Block, String>>,
    summary: &mut impl Write,
) -> Result<Judgement, String> {
    let cannot = |error: std::io::Error| format!("cannot write summary.csv: {error}");
    let resampled = plan.objectives.iter().any(|objective| objective.aggregate != Aggregate::Mean);
    let seeds = Seeds::of(plan.seed_count() as usize, resampled);
    let first = blocks.next().expect("a plan has a baseline")?;
    let base = Baseline::of(plan, &seeds, &first);
    summary.write_all(summary::header(plan).as_bytes()).map_err(cannot)?;
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
            .map(|block| {
                let judged = judged(plan, &seeds, &base, block);
                let rows = summary::rows(plan, &seeds, &base.block, block, &judged);
                (judged, rows)
            })
            .collect();
        for (judged, rows) in done {
            summary.write_all(rows.as_bytes()).map_err(cannot)?;
            settings.push(judged);
        }
        pending.clear();
    }
    summary.flush().map_err(cannot)?;
    Ok(significance::decided(plan, seeds, settings))
}

/// One setting beside the baseline; what is sure of it only all of them decide.
pub(super) fn judged(plan: &Plan, seeds: &Seeds, base: &Baseline, block: &Block) -> Judged {
    let mut hasher = blake3::Hasher::new();
    let mut take = |values: &[f64]| update(&mut hasher, values);
    let (mut objectives, mut varies, mut against) = (Vec::new(), Vec::new(), Vec::new());
    for (objective, base) in plan.objectives.iter().zip(&base.objectives) {
        let ours = Statistic::of(objective.aggregate, seeds, values(plan, objective, block));
        take(&ours.runs);
        varies.push(ours.runs.chunks(seeds.count()).any(|story| story.iter().any(|value| *value != story[0])));
        against.push(if ours.runs == base.runs { Against::Same } else { Against::Unsure });
        objectives.push(ours.against(base, seeds));
    }
    let constraints = plan.constraints.iter().map(|constraint| {
        let mut runs = values(plan, &constraint.what, block);
        take(&runs);
        let value = stats::aggregate(constraint.what.aggregate, &mut runs);
        let bound = constraint.billionths as f64 / 1e9;
        (value, if constraint.at_most { value <= bound } else { value >= bound })
    });
    let constraints = constraints.collect();
    let mut all = blake3::Hasher::new();
    block.values.iter().for_each(|values| update(&mut all, values));
    Judged {
        setting: block.setting,
        objectives,
        constraints,
        against,
        varies,
        judged_values: hasher.finalize(),
        all_values: all.finalize(),
        twin_of: None,
        on_front: false,
        aftermath: aftermath(block),
    }
}

fn update(hasher: &mut blake3::Hasher, values: &[f64]) {
    for value in values {
        hasher.update(&value.to_le_bytes());
    }
}

fn aftermath(block: &Block) -> Option<Vec<f64>> {
    let triggered = block.triggered();
    let mean = |values: &Vec<f64>| stats::mean(&triggered.iter().map(|run| values[*run]).collect::<Vec<_>>());
    (!triggered.is_empty()).then(|| block.values.iter().map(mean).collect())
}

/// What asks for most seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub needed: Needed,
    pub setting: usize,
    pub objective: usize,
}

/// How many seeds make every objective of every setting that precise; none: no objective has intervals.
pub fn seeds_for(plan: &Plan, judgement: &Judgement, precision: f64) -> Option<Asked> {
    let seeds = judgement.seeds.count() as u64;
    let of = |judged: &Judged, objective: usize| {
        let least = seeds.max(TOLD_MIN as u64 - 1) + 1;
        let unknown = Needed { seeds: least.max(2 * seeds), low: least, high: None };
        let estimate = &judged.objectives[objective];
        let untold =
            plan.objectives[objective].aggregate.has_error() && (estimate.error.is_none() || !judgement.seeds.tell());
        let needed = estimate.needed(&judgement.seeds, precision).or(untold.then_some(unknown))?;
        Some(Asked { needed, setting: judged.setting, objective })
    };
    let all = judgement
        .settings
        .iter()
        .flat_map(|judged| (0..judged.objectives.len()).filter_map(move |objective| of(judged, objective)));
    // Of equals the first.
    all.max_by_key(|asked| (asked.needed, std::cmp::Reverse((asked.setting, asked.objective))))
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
