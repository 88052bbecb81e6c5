//! A number over many runs, with its error, beside the baseline's.
//!
//! Brings the values of an objective, or of any metric, and the statistics of seeds together; it knows no setting. What
//! a newcomer gets wrong: the error of a difference is taken from differences, seed by seed, not from two errors.

use super::file::Aggregate;
use super::stats::{self, Needed, Seeds};

/// A number over all runs of a setting that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    /// Its standard error; none where these seeds cannot tell.
    pub error: Option<f64>,
    /// Its 95 % interval; none where these seeds cannot tell, or do not move it.
    pub interval: Option<(f64, f64)>,
    pub difference: f64,
    /// The interval of the difference, paired by seed.
    pub difference_interval: Option<(f64, f64)>,
    /// The same with the stories as a sample; for means of two stories or more.
    pub over_stories: Option<(f64, f64)>,
    /// How likely such a difference is by chance, taken alone.
    pub p_value: Option<f64>,
}

impl Estimate {
    /// How many seeds would make it that precise.
    pub fn needed(&self, seeds: &Seeds, precision: f64) -> Option<Needed> {
        seeds.needed(self.value, self.error?, precision)
    }
}

/// A statistic of runs, with what its error is taken from.
pub(super) struct Statistic {
    how: Aggregate,
    /// `runs[story * seeds + seed]`.
    pub(super) runs: Vec<f64>,
    value: f64,
    replicates: Option<Vec<f64>>,
}

impl Statistic {
    pub(super) fn of(how: Aggregate, seeds: &Seeds, runs: Vec<f64>) -> Self {
        let value = stats::aggregate(how, &mut runs.clone());
        Self { how, value, replicates: seeds.replicates(how, &runs), runs }
    }

    /// What it says beside the baseline's.
    pub(super) fn against(&self, base: &Self, seeds: &Seeds) -> Estimate {
        let (how, value, difference) = (self.how, self.value, self.value - base.value);
        let error = self.replicates.as_deref().map(|ours| seeds.error(how, ours));
        let pairs = self.replicates.as_deref().zip(base.replicates.as_deref());
        let of_difference = pairs.map(|(ours, theirs)| seeds.error(how, &minus(ours, theirs)));
        let stories = (how == Aggregate::Mean).then(|| seeds.interval_over_stories(&minus(&self.runs, &base.runs)));
        Estimate {
            value,
            error,
            interval: error.and_then(|error| seeds.interval(value, error)),
            difference,
            difference_interval: of_difference.and_then(|error| seeds.interval(difference, error)),
            over_stories: stories.flatten(),
            p_value: of_difference.map(|error| self.p_value(base, seeds, error)),
        }
    }

    /// How likely so large a difference is by chance. Of a quantile it is also asked whether each side's value divides
    /// the other's runs otherwise than its own: where values are few or in clumps, an error alone says too much.
    fn p_value(&self, base: &Self, seeds: &Seeds, error: f64) -> f64 {
        let below = |runs: &[f64], at: f64| {
            let shares: Vec<f64> = runs.iter().map(|run| if *run <= at { 1.0 } else { 0.0 }).collect();
            stats::seed_means(&shares, seeds.count())
        };
        let divided = |at: f64| {
            let more = minus(&below(&self.runs, at), &below(&base.runs, at));
            // More runs below it make a quantile less.
            let agree = stats::mean(&more) * (self.value - base.value) < 0.0;
            if agree { seeds.p_value_of_mean(&more) } else { 1.0 }
        };
        match (self.how, &self.replicates, &base.replicates) {
            (Aggregate::Mean, Some(ours), Some(theirs)) => seeds.p_value_of_mean(&minus(ours, theirs)),
            _ if self.value == base.value => 1.0,
            _ => seeds.p_value(self.value - base.value, error).max(divided(self.value)).max(divided(base.value)),
        }
    }
}

/// Numbers minus others, pair by pair.
fn minus(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(a, b)| a - b).collect()
}
