//! Statistics over seeds: aggregates, their errors, Student's intervals, p-values, Holm's correction.
//!
//! Knows numbers. A *seed* is one witness, with all of its runs: runs of one seed share their draws. An error is of
//! the statistic itself, so a difference that is paired by seed has a smaller one than either side. Distributions are
//! statrs'; resamples are drawn with `rand` from a ChaCha stream of their own, so the same rows give the same intervals
//! everywhere. What a newcomer gets wrong: an interval says what other seeds would give, not what other workloads would.

use rand::RngExt;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

use crate::kernel::streams;

use super::file::Aggregate;

/// So many resamples stand behind the error of a quantile.
const RESAMPLES: usize = 200;
/// So many values lie beyond a quantile at least, or it is the largest value rather.
const BEYOND_MIN: usize = 2;
/// What an interval leaves out, and what may be false of all that is called sure.
pub const LEVEL: f64 = 0.05;
/// Fewer seeds have no intervals. What happens to a third of all seeds is missed by four of them in one sweep of five, by
/// eight in one of 25; and seeds that miss it agree with each other, whatever formula is asked about their spread.
pub const TOLD_MIN: usize = 8;

/// The value that a share of the sorted values does not exceed (nearest rank).
pub fn quantile(sorted: &[f64], percent: usize) -> f64 {
    sorted[rank(sorted.len(), percent) - 1]
}

/// The place of a quantile among so many sorted values, from 1.
fn rank(count: usize, percent: usize) -> usize {
    (count * percent).div_ceil(100).max(1)
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

/// The standard deviation of a sample; values that are all the same have none.
pub fn deviation(values: &[f64]) -> f64 {
    if values.iter().all(|value| *value == values[0]) {
        return 0.0;
    }
    let middle = mean(values);
    (values.iter().map(|value| (value - middle) * (value - middle)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

/// The mean of each seed over its runs. `values[pair * seeds + seed]`.
pub fn seed_means(values: &[f64], seeds: usize) -> Vec<f64> {
    let pairs = values.len() / seeds;
    (0..seeds).map(|seed| (0..pairs).map(|pair| values[pair * seeds + seed]).sum::<f64>() / pairs as f64).collect()
}

/// The mean of each story over its seeds, likewise.
fn story_means(values: &[f64], seeds: usize) -> Vec<f64> {
    values.chunks(seeds).map(mean).collect()
}

/// The seeds that all settings of a sweep share, as witnesses.
#[derive(Clone, Debug)]
pub struct Seeds {
    count: usize,
    /// What an error is multiplied by to be half an interval; none with a single seed.
    critical: Option<f64>,
    /// Resample after resample, `count` indexes each; none: nothing is resampled.
    indexes: Vec<u32>,
}

impl Seeds {
    /// So many seeds; `resampled`: something else than means is asked of them.
    pub fn of(count: usize, resampled: bool) -> Self {
        let mut stream = streams::stream(0, "sweep", "bootstrap");
        let draws = if resampled && count > 1 { RESAMPLES * count } else { 0 };
        let indexes = (0..draws).map(|_| stream.random_range(0..count as u32)).collect();
        Self { count, critical: (count > 1).then(|| critical(count - 1)), indexes }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Numbers whose spread is the error of a statistic, those of two settings pair by pair: the means of the seeds, or
    /// the statistics of resamples. None where so many values cannot say how far other seeds would move it.
    pub fn replicates(&self, how: Aggregate, values: &[f64]) -> Option<Vec<f64>> {
        self.critical?;
        let enough = match how {
            Aggregate::Mean => return Some(seed_means(values, self.count)),
            Aggregate::Median => true,
            Aggregate::P95 => values.len() - rank(values.len(), 95) >= BEYOND_MIN,
            Aggregate::P99 => values.len() - rank(values.len(), 99) >= BEYOND_MIN,
            Aggregate::Max | Aggregate::Min => false,
        };
        let mut drawn = Vec::with_capacity(values.len());
        let of = |resample: &[u32]| {
            drawn.clear();
            for pair in values.chunks(self.count) {
                drawn.extend(resample.iter().map(|seed| pair[*seed as usize]));
            }
            aggregate(how, &mut drawn)
        };
        enough.then(|| self.indexes.chunks(self.count).map(of).collect())
    }

    /// The standard error that replicates show.
    pub fn error(&self, how: Aggregate, replicates: &[f64]) -> f64 {
        let count = self.count as f64;
        match how {
            Aggregate::Mean => deviation(replicates) / count.sqrt(),
            // Resamples of few seeds are too close to each other.
            _ => deviation(replicates) * (count / (count - 1.0)).sqrt(),
        }
    }

    /// Whether there are enough of them for intervals.
    pub fn tell(&self) -> bool {
        self.count >= TOLD_MIN
    }

    /// The ends of a statistic's 95 % interval. None for too few seeds, and where no seed moves it: values that are all
    /// the same do not say how far another one may lie.
    pub fn interval(&self, value: f64, error: f64) -> Option<(f64, f64)> {
        let half = self.critical.filter(|_| self.tell() && error > 0.0)? * error;
        Some((value - half, value + half))
    }

    /// How likely a statistic at least that many errors from nothing is when it is nothing, by Student's distribution.
    pub fn p_value(&self, difference: f64, error: f64) -> f64 {
        if difference == 0.0 { 1.0 } else { two_sided(difference / error, self.count - 1) }
    }

    /// The same of a mean of numbers, one a seed; where these are skewed the less likely of Student's and of Hall's
    /// transformed statistic is not believed.
    pub fn p_value_of_mean(&self, values: &[f64]) -> f64 {
        let (middle, deviation, count) = (mean(values), deviation(values), self.count as f64);
        if middle == 0.0 || deviation == 0.0 {
            return if middle == 0.0 { 1.0 } else { 0.0 };
        }
        let cubes = values.iter().map(|value| ((value - middle) / deviation).powi(3)).sum::<f64>();
        let skew = cubes * count / ((count - 1.0) * (count - 2.0)).max(1.0);
        let plain = middle / deviation;
        let hall = plain + skew * plain.powi(2) / 3.0 + skew.powi(2) * plain.powi(3) / 27.0 + skew / (6.0 * count);
        [plain, hall].map(|it| two_sided(it * count.sqrt(), self.count - 1)).into_iter().fold(0.0, f64::max)
    }

    /// The interval of a mean difference when the stories are a sample, too, of those that there could be; none for
    /// fewer than two, for too few seeds, or when all are the same. `values[story * seeds + seed]`.
    pub fn interval_over_stories(&self, values: &[f64]) -> Option<(f64, f64)> {
        let stories = story_means(values, self.count);
        if stories.len() < 2 || !self.tell() {
            return None;
        }
        let squared = |values: &[f64]| deviation(values).powi(2) / values.len() as f64;
        let error = (squared(&stories) + squared(&seed_means(values, self.count))).sqrt();
        if error == 0.0 {
            return None;
        }
        let half = critical(stories.len().min(self.count) - 1) * error;
        let value = mean(values);
        Some((value - half, value + half))
    }

    /// How many seeds would make the interval no wider than `precision` of the value to either side; none where there
    /// is no interval.
    pub fn needed(&self, value: f64, error: f64, precision: f64) -> Option<Needed> {
        self.interval(value, error)?;
        let freedom = (self.count - 1) as f64;
        let one = error * (self.count as f64).sqrt() / (precision * value.abs());
        let spread = ChiSquared::new(freedom).expect("a degree of freedom at least");
        // The deviation behind it is itself no better known than so many seeds allow.
        let end = |share: f64| fewest(one * (freedom / spread.inverse_cdf(share)).sqrt());
        let high = Some(end(LEVEL / 2.0)).filter(|high| *high < NEEDED_MAX);
        Some(Needed { seeds: fewest(one), low: end(1.0 - LEVEL / 2.0), high })
    }
}

/// How many seeds a precision needs, as far as those that were run can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// The estimate; [`NEEDED_MAX`] for as many and more.
    pub seeds: u64,
    /// The low end of its own 95 % interval.
    pub low: u64,
    /// The high end; none: nobody can tell yet.
    pub high: Option<u64>,
}

/// As many seeds nobody will run.
pub const NEEDED_MAX: u64 = 1_000_000_000;

/// From so many seeds on Student's distribution is the normal one.
const MANY: f64 = 1e5;

/// The fewest seeds that have an interval, no wider than one to either side when the deviation of a seed is `one`.
fn fewest(one: f64) -> u64 {
    let normal = (Normal::standard().inverse_cdf(1.0 - LEVEL / 2.0) * one).powi(2).ceil();
    if normal >= MANY {
        return (normal as u64).min(NEEDED_MAX);
    }
    // Student's asks for a few more.
    let wide = |seeds: u64| critical(seeds as usize - 1) * one / (seeds as f64).sqrt() > 1.0;
    let (mut low, mut high) = (TOLD_MIN as u64, normal as u64 + 16);
    while low < high {
        let middle = low + (high - low) / 2;
        if wide(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Student's quantile that leaves out [`LEVEL`] in both tails.
fn critical(freedom: usize) -> f64 {
    student(freedom).inverse_cdf(1.0 - LEVEL / 2.0)
}

fn two_sided(t: f64, freedom: usize) -> f64 {
    2.0 * student(freedom).cdf(-t.abs())
}

fn student(freedom: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom as f64).expect("a degree of freedom at least")
}

/// With fewer seeds the tails of skewed differences are beyond any of these formulas.
const SURE_MIN: usize = 16;

/// The fewest seeds that can make anything sure among so many comparisons: as many as make it unlikely that all of them
/// point to one side by chance in any of these.
pub fn seeds_min(compared: usize) -> usize {
    let chance = |seeds: usize| 0.5_f64.powi(seeds as i32 - 1) * compared as f64;
    (SURE_MIN..).find(|seeds| chance(*seeds) <= LEVEL).expect("it falls")
}

/// Holm's correction: p-values that hold for all of them at once, in the given order.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 0.0_f64;
    for (step, index) in order.into_iter().enumerate() {
        least = least.max(p_values[index] * (p_values.len() - step) as f64).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(is: f64, wanted: f64) {
        assert!((is - wanted).abs() < 1e-9 * wanted.abs().max(1.0), "{is} instead of {wanted}");
    }

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
    fn students_quantiles_are_those_of_the_tables() {
        for (freedom, wanted) in [
            (1, 12.706_204_736_174_7),
            (3, 3.182_446_305_283_71),
            (7, 2.364_624_251_592_78),
            (31, 2.039_513_446_396_41),
            (1000, 1.962_339_080_826_45),
        ] {
            near(critical(freedom), wanted);
            near(two_sided(wanted, freedom), LEVEL);
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_students() {
        let seeds = Seeds::of(8, false);
        let values = [1.0, 2.0, 3.0, 6.0, 1.0, 2.0, 3.0, 6.0];
        let error = seeds.error(Aggregate::Mean, &seeds.replicates(Aggregate::Mean, &values).unwrap());
        let (low, high) = seeds.interval(3.0, error).unwrap();
        // The deviation is 2, of the mean 0.7071; 2.3646 of that.
        assert!((low - 1.327_958).abs() < 1e-5 && (high - 4.672_042).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn what_cannot_be_told_has_no_interval() {
        let same = [7.0; 8];
        let seeds = Seeds::of(8, true);
        assert_eq!(Seeds::of(7, true).interval(7.0, 1.0), None, "few seeds");
        assert_eq!(Seeds::of(7, true).interval_over_stories(&[[1.0; 7], [5.0; 7]].concat()), None, "few seeds");
        assert_eq!(seeds.interval(7.0, seeds.error(Aggregate::Mean, &same)), None, "no spread");
        assert_eq!(Seeds::of(1, true).replicates(Aggregate::Mean, &[7.0]), None, "one seed");
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        for (how, told) in [
            (Aggregate::Mean, true),
            (Aggregate::Median, true),
            (Aggregate::P95, true),
            (Aggregate::P99, false),
            (Aggregate::Max, false),
            (Aggregate::Min, false),
        ] {
            assert_eq!(Seeds::of(40, true).replicates(how, &values).is_some(), told, "{how:?}");
        }
        assert!(Seeds::of(20, true).replicates(Aggregate::P95, &values[..20]).is_none(), "the last but one of 20");
    }

    #[test]
    fn the_error_of_a_median_is_about_that_of_theory() {
        // Of n uniform numbers it is 1 / (2 sqrt(n)).
        let values: Vec<f64> = (0..400).map(|n| f64::from(n) / 400.0).collect();
        let seeds = Seeds::of(400, true);
        let error = seeds.error(Aggregate::Median, &seeds.replicates(Aggregate::Median, &values).unwrap());
        assert!((error - 0.025).abs() < 0.004, "{error}");
    }

    #[test]
    fn resamples_are_pinned() {
        // A new version of `rand` that draws otherwise would move every interval of a quantile.
        assert_eq!(Seeds::of(10, true).indexes[..8], PINNED);
    }
    const PINNED: [u32; 8] = [7, 4, 8, 1, 4, 1, 1, 7];

    #[test]
    fn pairing_by_seed_takes_the_noise_of_the_seeds_away() {
        let noise: Vec<f64> = (0..50).map(|n| f64::from(n * n % 47) * 10.0).collect();
        let better: Vec<f64> = noise.iter().enumerate().map(|(n, x)| x - 1.0 - (n % 2) as f64).collect();
        let differences: Vec<f64> = better.iter().zip(&noise).map(|(a, b)| a - b).collect();
        let seeds = Seeds::of(50, false);
        let error = |values: &[f64]| seeds.error(Aggregate::Mean, values);
        assert!(error(&noise) > 100.0 * error(&differences));
        assert!(seeds.p_value_of_mean(&differences) < 1e-9);
    }

    #[test]
    fn it_takes_sixteen_seeds_to_be_sure_and_more_among_thousands_of_comparisons() {
        for (compared, wanted) in [(0, 16), (1, 16), (1638, 16), (1639, 17), (100_000, 22)] {
            assert_eq!(seeds_min(compared), wanted, "{compared}");
        }
    }

    #[test]
    fn skewed_numbers_are_less_sure_than_student_says() {
        let seeds = Seeds::of(16, false);
        let even: Vec<f64> = (0..16).map(|n| 3.0 + f64::from(n % 4)).collect();
        let p_value = seeds.p_value(mean(&even), deviation(&even) / 4.0);
        near(seeds.p_value_of_mean(&even), p_value);
        // The long tail is below: that it holds none of the numbers beyond nothing may be luck.
        let mut skewed = vec![3.0; 16];
        (skewed[0], skewed[1]) = (-4.0, 0.0);
        let student = seeds.p_value(mean(&skewed), deviation(&skewed) / 4.0);
        assert!(seeds.p_value_of_mean(&skewed) > 2.0 * student, "{} {student}", seeds.p_value_of_mean(&skewed));
        assert_eq!(seeds.p_value_of_mean(&[0.0; 16]), 1.0);
    }

    #[test]
    fn stories_as_a_sample_make_an_interval_wider() {
        let seeds = Seeds::of(8, false);
        // Three stories that differ, under seeds that hardly do.
        let values: Vec<f64> = [1.0, 5.0, 9.0].iter().flat_map(|at| [*at, at + 0.1].repeat(4)).collect();
        let (low, high) = seeds.interval_over_stories(&values).unwrap();
        // Means 1.05, 5.05, 9.05: deviation 4, of the mean 2.31, times 4.303 of two degrees of freedom.
        assert!((low - (5.05 - 9.94)).abs() < 0.05 && (high - (5.05 + 9.94)).abs() < 0.05, "{low} {high}");
        assert_eq!(seeds.interval_over_stories(&values[..8]), None, "one story is no sample");
    }

    #[test]
    fn seeds_needed_make_the_interval_as_narrow_as_asked_and_no_fewer_do() {
        let seeds = Seeds::of(10, false);
        let needed = seeds.needed(100.0, 5.0, 0.05).unwrap();
        let half = |count: u64| critical(count as usize - 1) * 5.0 * (10.0 / count as f64).sqrt();
        assert!(half(needed.seeds) <= 5.0 && half(needed.seeds - 1) > 5.0, "{needed:?}");
        // Ten seeds know a deviation to a factor of 0.69 .. 1.83.
        assert!(needed.low < needed.seeds * 6 / 10 && needed.high > Some(needed.seeds * 3), "{needed:?}");
        assert_eq!(seeds.needed(0.0, 5.0, 0.05).unwrap().seeds, NEEDED_MAX);
        assert_eq!(seeds.needed(100.0, 0.0, 0.05), None);
        assert_eq!((fewest(1e-9), fewest(1000.0), fewest(1e9)), (8, 3_841_459, NEEDED_MAX));
        for one in [0.1, 1.0, 7.0, 100.0] {
            let count = fewest(one);
            let half = |count: u64| critical(count as usize - 1) * one / (count as f64).sqrt();
            assert!(half(count) <= 1.0 && (count == 8 || half(count - 1) > 1.0), "{one}: {count}");
        }
    }

    #[test]
    fn holms_correction_is_that_of_the_textbook() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (is, wanted) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            near(*is, wanted);
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }
}
