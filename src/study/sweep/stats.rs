//! Statistics: aggregates, paired bootstrap over seeds, how many seeds a precision needs.
//!
//! Knows numbers. A *seed* is what is resampled, with all of its runs: runs of one seed share their
//! draws, so they are no independent witnesses. All settings see the same resamples, made from a
//! ChaCha stream of their own, so the same rows give the same intervals everywhere. What a newcomer
//! gets wrong: an interval says what other seeds would give, not what other workloads would.

use crate::kernel::streams::{Streams, below};

use super::file::Aggregate;

/// So many indexes are drawn in all: many seeds need fewer resamples.
const DRAWS: usize = 256_000;
/// At least and at most so many resamples.
const RESAMPLES: (usize, usize) = (200, 1000);

/// The value that a share of the sorted values does not exceed (nearest rank).
pub fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

/// One number for many. There is at least one value.
pub fn aggregate(how: Aggregate, values: &mut [f64]) -> f64 {
    assert!(!values.is_empty(), "nothing to aggregate");
    if how == Aggregate::Mean {
        return mean(values);
    }
    values.sort_unstable_by(f64::total_cmp);
    match how {
        Aggregate::Mean => unreachable!("done above"),
        Aggregate::Median => median(values),
        Aggregate::P95 => quantile(values, 95),
        Aggregate::P99 => quantile(values, 99),
        Aggregate::Max => values[values.len() - 1],
        Aggregate::Min => values[0],
    }
}

/// The mean, summed in order.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The middle of sorted values.
pub fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// The resamples that all settings of a sweep share.
#[derive(Clone, Debug)]
pub struct Resamples {
    seeds: usize,
    /// Resample after resample, `seeds` indexes each.
    indexes: Vec<u32>,
}

impl Resamples {
    /// Resamples of so many seeds; of fewer than two there are none.
    pub fn of(seeds: usize) -> Self {
        if seeds < 2 {
            return Self { seeds, indexes: Vec::new() };
        }
        let count = (DRAWS / seeds).clamp(RESAMPLES.0, RESAMPLES.1);
        let mut streams = Streams::new(0);
        let draw = |_| below(streams.draw("sweep", "bootstrap"), seeds as u64) as u32;
        Self { seeds, indexes: (0..count * seeds).map(draw).collect() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.indexes.len().checked_div(self.seeds).unwrap_or(0)
    }

    /// The statistic of every resample. `values[pair * seeds + seed]`.
    pub fn statistics(&self, how: Aggregate, values: &[f64]) -> Vec<f64> {
        if self.indexes.is_empty() {
            return Vec::new();
        }
        // Many metrics never move. Sums of whole numbers are exact, so this is what the arithmetic would give.
        if let Some(whole) = same_whole(values) {
            return vec![whole; self.count()];
        }
        if how == Aggregate::Mean {
            let seeds = seed_means(values, self.seeds);
            let of =
                |resample: &[u32]| resample.iter().map(|seed| seeds[*seed as usize]).sum::<f64>() / self.seeds as f64;
            return self.indexes.chunks(self.seeds).map(of).collect();
        }
        let mut drawn = Vec::with_capacity(values.len());
        let of = |resample: &[u32]| {
            drawn.clear();
            for pair in values.chunks(self.seeds) {
                drawn.extend(resample.iter().map(|seed| pair[*seed as usize]));
            }
            aggregate(how, &mut drawn)
        };
        self.indexes.chunks(self.seeds).map(of).collect()
    }
}

/// The whole number that all values are, when they are one and their sums are exact.
fn same_whole(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    let whole = first.fract() == 0.0 && first.abs() < f64::from(u32::MAX) && values.len() < 1 << 20;
    (whole && values.iter().all(|value| *value == first)).then_some(first)
}

/// The mean of each seed over its runs.
pub fn seed_means(values: &[f64], seeds: usize) -> Vec<f64> {
    let pairs = values.len() / seeds;
    (0..seeds).map(|seed| (0..pairs).map(|pair| values[pair * seeds + seed]).sum::<f64>() / pairs as f64).collect()
}

/// The ends of the 95 % interval of a statistic's resamples; none without resamples.
pub fn interval(statistics: &[f64]) -> Option<(f64, f64)> {
    if statistics.is_empty() {
        return None;
    }
    let mut values = statistics.to_vec();
    let last = values.len() - 1;
    // What stands there when all are sorted, without sorting all.
    let mut at = |permille: usize| *values.select_nth_unstable_by((last * permille + 500) / 1000, f64::total_cmp).1;
    Some((at(25), at(975)))
}

/// How many seeds would make the interval no wider than `precision` of the value to either side;
/// none when that cannot be told.
pub fn seeds_needed(seeds: usize, value: f64, interval: Option<(f64, f64)>, precision: f64) -> Option<u64> {
    let (low, high) = interval?;
    let half = (high - low) / 2.0;
    if half <= 0.0 {
        return Some(2.min(seeds as u64));
    }
    let ratio = half / (precision * value.abs());
    let needed = (seeds as f64 * ratio * ratio).ceil();
    (needed.is_finite() && needed < 1e12).then_some((needed as u64).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_of_a_few_numbers() {
        let values = [5.0, 1.0, 4.0, 2.0];
        for (how, wanted) in [
            (Aggregate::Mean, 3.0),
            (Aggregate::Median, 3.0),
            (Aggregate::P95, 5.0),
            (Aggregate::P99, 5.0),
            (Aggregate::Max, 5.0),
            (Aggregate::Min, 1.0),
        ] {
            assert_eq!(aggregate(how, &mut values.clone()), wanted, "{how:?}");
        }
        let many: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((quantile(&many, 95), quantile(&many, 99), median(&many)), (95.0, 99.0, 50.5));
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_to_either_side() {
        // 0..99: standard deviation 28.87, of the mean 2.887.
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let (low, high) = interval(&Resamples::of(100).statistics(Aggregate::Mean, &values)).unwrap();
        assert!((low - (49.5 - 1.96 * 2.887)).abs() < 0.6, "{low}");
        assert!((high - (49.5 + 1.96 * 2.887)).abs() < 0.6, "{high}");
    }

    #[test]
    fn the_bootstrap_covers_the_truth_about_as_often_as_it_says() {
        // 200 samples of 40 uniform numbers: the interval must hold 0.5 in about 95 % of them.
        let mut streams = Streams::new(1);
        let resamples = Resamples::of(40);
        let mut held = 0;
        for _ in 0..200 {
            let values: Vec<f64> = (0..40).map(|_| streams.draw("x", "cover") as f64 / u64::MAX as f64).collect();
            let (low, high) = interval(&resamples.statistics(Aggregate::Mean, &values)).unwrap();
            held += usize::from(low <= 0.5 && 0.5 <= high);
        }
        assert!((178..=199).contains(&held), "{held} of 200");
    }

    #[test]
    fn values_that_never_move_are_resampled_without_arithmetic_and_come_out_the_same() {
        let resamples = Resamples::of(7);
        for (value, how) in [(0.0, Aggregate::Mean), (3.0, Aggregate::Mean), (123_456_789.0, Aggregate::P95)] {
            let same = vec![value; 7 * 3];
            assert_eq!(resamples.statistics(how, &same), vec![value; resamples.count()]);
            let means = seed_means(&same, 7);
            let sum: f64 = means.iter().sum();
            assert_eq!((means[0], sum / 7.0), (value, value), "the arithmetic gives no other bits");
        }
        assert_eq!(same_whole(&[0.1, 0.1]), None, "sums of tenths are not exact");
        assert_eq!(same_whole(&[1.0, 2.0]), None);
    }

    #[test]
    fn pairing_by_seed_takes_the_noise_of_the_seeds_away() {
        let noise: Vec<f64> = (0..50).map(|n| f64::from(n * n % 47) * 10.0).collect();
        let better: Vec<f64> = noise.iter().map(|x| x - 1.0).collect();
        let resamples = Resamples::of(50);
        let (a, b) = (resamples.statistics(Aggregate::Mean, &noise), resamples.statistics(Aggregate::Mean, &better));
        let differences: Vec<f64> = b.iter().zip(&a).map(|(b, a)| b - a).collect();
        let (low, high) = interval(&differences).unwrap();
        assert!((low + 1.0).abs() < 1e-9 && (high + 1.0).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn half_the_interval_needs_four_times_the_seeds() {
        assert_eq!(seeds_needed(10, 100.0, Some((90.0, 110.0)), 0.05), Some(40));
        assert_eq!(seeds_needed(10, 100.0, Some((100.0, 100.0)), 0.05), Some(2));
        assert_eq!(seeds_needed(10, 0.0, Some((-1.0, 1.0)), 0.05), None);
        assert_eq!(seeds_needed(1, 7.0, None, 0.05), None);
    }
}
