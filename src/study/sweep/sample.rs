//! Where settings come from: grids, and random, Latin hypercube and Sobol samples.
//!
//! Knows numbers and ranges, no scenario. All draws come from ChaCha streams of the sample's own
//! seed, so a sample is the same everywhere and says nothing about the runs' seeds. What a newcomer
//! gets wrong: a value is rounded to what a file can say (milliseconds, whole numbers, millionths)
//! *before* it is used, so that the printed setting is the one that ran.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::kernel::SimDuration;
use crate::kernel::streams;
use crate::model::words::words;
use crate::scenario::numbers::scaled;

words!(
    /// How settings are chosen.
    Sampling {
        /// All combinations.
        Grid = "grid",
        /// Independent draws.
        Random = "random",
        /// One draw in each of as many slices of every parameter.
        Latin = "latin",
        /// The sequence of Sobol, shifted at random.
        Sobol = "sobol",
    }
);

words!(
    /// How a range is walked.
    Scale {
        /// Equal differences.
        Linear = "linear",
        /// Equal ratios.
        Log = "log",
    }
);

/// What the numbers of a range are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Duration,
    Whole,
    Decimal,
}

/// A range of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    from: f64,
    to: f64,
    scale: Scale,
    unit: Unit,
}

impl Range {
    /// The range between two values as a file writes them.
    ///
    /// # Errors
    /// Why there is no such range.
    pub fn between(from: &str, to: &str, scale: Scale) -> Result<Self, String> {
        let read = |text: &str| {
            if let Ok(duration) = text.parse::<SimDuration>() {
                return Ok((duration.as_nanos() as f64 / 1e6, Unit::Duration));
            }
            let unit = if text.contains(['.', 'e', 'E']) { Unit::Decimal } else { Unit::Whole };
            scaled(text, 6).map(|millionths| (millionths as f64 / 1e6, unit))
        };
        let ((from, one), (to, other)) = (read(from)?, read(to)?);
        let unit = match (one, other) {
            (Unit::Duration, Unit::Duration) => Unit::Duration,
            (Unit::Duration, _) | (_, Unit::Duration) => {
                return Err("a range goes from a duration to a duration, or from a number to a number".to_owned());
            }
            (Unit::Whole, Unit::Whole) => Unit::Whole,
            _ => Unit::Decimal,
        };
        if from >= to {
            return Err("the range ends before it begins".to_owned());
        }
        if scale == Scale::Log && from <= 0.0 {
            return Err("a logarithmic range cannot begin at zero".to_owned());
        }
        Ok(Self { from, to, scale, unit })
    }

    /// The value at a fraction of the way, as a file writes it.
    pub fn at(&self, fraction: f64) -> String {
        let value = match self.scale {
            Scale::Linear => self.from + (self.to - self.from) * fraction,
            Scale::Log => self.from * libm::exp(libm::log(self.to / self.from) * fraction),
        };
        let value = value.clamp(self.from, self.to);
        match self.unit {
            Unit::Duration => SimDuration::from_millis(value.round() as u64).to_string(),
            Unit::Whole => format!("{}", value.round() as u64),
            Unit::Decimal => {
                let millionths = (value * 1e6).round() as u64;
                let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
                let text = text.trim_end_matches('0');
                if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
            }
        }
    }

    /// So many values, from end to end.
    pub fn steps(&self, count: u64) -> Vec<String> {
        let last = count.saturating_sub(1).max(1) as f64;
        let mut values: Vec<String> = (0..count).map(|step| self.at(step as f64 / last)).collect();
        values.dedup();
        values
    }
}

/// Fractions in `[0, 1)`: one row a sample, one column a parameter.
pub fn fractions(sampling: Sampling, count: u64, parameters: usize, seed: u64) -> Box<dyn Iterator<Item = Vec<f64>>> {
    let stream = |column: usize, purpose| streams::stream(seed, &format!("parameter/{column}"), purpose);
    let columns = |purpose| (0..parameters).map(|column| stream(column, purpose)).collect::<Vec<_>>();
    match sampling {
        Sampling::Grid => unreachable!("a grid takes no fractions"),
        Sampling::Random => {
            let mut columns = columns("random sample");
            Box::new((0..count).map(move |_| columns.iter_mut().map(|stream| stream.random()).collect()))
        }
        Sampling::Latin => {
            let mut slices: Vec<u64> = (0..count).collect();
            let orders = columns("latin order").into_iter().map(|mut stream| {
                slices.sort_unstable();
                slices.shuffle(&mut stream);
                slices.clone()
            });
            let orders: Vec<Vec<u64>> = orders.collect();
            let mut columns = columns("latin sample");
            Box::new((0..count as usize).map(move |row| {
                let at = |(order, stream): (&Vec<u64>, &mut ChaCha8Rng)| {
                    (order[row] as f64 + stream.random::<f64>()) / count as f64
                };
                orders.iter().zip(&mut columns).map(at).collect()
            }))
        }
        Sampling::Sobol => {
            let shifts: Vec<u32> =
                columns("sobol shift").iter_mut().map(|stream| (stream.next_u64() >> 32) as u32).collect();
            Box::new((0..count).map(move |row| {
                let at = |(column, shift): (usize, &u32)| {
                    f64::from(sobol(column, row as u32) ^ shift) / (1_u64 << 32) as f64
                };
                shifts.iter().enumerate().map(at).collect()
            }))
        }
    }
}

/// Degree, coefficients and first direction numbers of the primitive polynomials (Joe and Kuo,
/// `new-joe-kuo-6`), for the second dimension on.
const DIRECTIONS: [(u32, u32, &[u32]); 15] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
];
/// As many parameters a Sobol sample can have.
pub const SOBOL_MAX: usize = DIRECTIONS.len() + 1;

/// Coordinate number `dimension` of point number `index` of the sequence, as 32 bits of a fraction.
fn sobol(dimension: usize, index: u32) -> u32 {
    let mut value = 0;
    // The Gray code of the index picks the direction numbers.
    let gray = index ^ (index >> 1);
    for bit in (0..32).filter(|bit| gray >> bit & 1 == 1) {
        value ^= direction(dimension, bit);
    }
    value
}

fn direction(dimension: usize, bit: u32) -> u32 {
    let Some((degree, coefficients, first)) = dimension.checked_sub(1).map(|index| DIRECTIONS[index]) else {
        return 1 << (31 - bit);
    };
    let mut numbers: Vec<u32> = first.iter().zip(0..).map(|(m, k): (&u32, u32)| m << (31 - k)).collect();
    for k in degree as usize..=bit as usize {
        let mut next = numbers[k - degree as usize] ^ (numbers[k - degree as usize] >> degree);
        for j in 1..degree {
            if coefficients >> (degree - 1 - j) & 1 == 1 {
                next ^= numbers[k - j as usize];
            }
        }
        numbers.push(next);
    }
    numbers[bit as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str, scale: Scale) -> Range {
        Range::between(from, to, scale).unwrap_or_else(|why| panic!("{from} .. {to}: {why}"))
    }

    #[test]
    fn ranges_walk_linearly_or_by_ratios() {
        assert_eq!(range("1s", "9s", Scale::Linear).steps(5), ["1s", "3s", "5s", "7s", "9s"]);
        assert_eq!(range("1s", "16s", Scale::Log).steps(5), ["1s", "2s", "4s", "8s", "16s"]);
        assert_eq!(range("0", "1.0", Scale::Linear).steps(3), ["0.0", "0.5", "1.0"]);
        assert_eq!(range("0", "4", Scale::Linear).steps(3), ["0", "2", "4"]);
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (from, to, scale, why) in [
            ("1s", "5", Scale::Linear, "from a duration to a duration"),
            ("5s", "1s", Scale::Linear, "ends before it begins"),
            ("0s", "1s", Scale::Log, "cannot begin at zero"),
        ] {
            assert!(Range::between(from, to, scale).unwrap_err().contains(why), "{from} .. {to}");
        }
    }

    #[test]
    fn a_latin_hypercube_has_one_sample_in_each_slice_of_each_parameter() {
        let rows: Vec<_> = fractions(Sampling::Latin, 50, 3, 7).collect();
        for column in 0..3 {
            let mut slices: Vec<u64> = rows.iter().map(|row| (row[column] * 50.0) as u64).collect();
            slices.sort_unstable();
            assert_eq!(slices, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_dimension_of_sobol_fills_every_slice_and_the_first_two_every_box() {
        for dimension in 0..SOBOL_MAX {
            let mut slices: Vec<u32> = (0..64).map(|index| sobol(dimension, index) >> 26).collect();
            slices.sort_unstable();
            assert_eq!(slices, (0..64).collect::<Vec<_>>(), "dimension {dimension}");
        }
        // A (0, m, 2)-net: 64 points, one in each of 8 × 8, 4 × 16 and 2 × 32 boxes.
        for bits in 1..6 {
            let mut boxes: Vec<u32> = (0..64)
                .map(|index| (sobol(0, index) >> (32 - bits) << (6 - bits)) | (sobol(1, index) >> (26 + bits)))
                .collect();
            boxes.sort_unstable();
            assert_eq!(boxes, (0..64).collect::<Vec<_>>(), "{bits} bits");
        }
    }

    #[test]
    fn a_sample_is_the_same_everywhere_and_another_with_another_seed() {
        for sampling in [Sampling::Random, Sampling::Latin, Sampling::Sobol] {
            let draw = |seed| fractions(sampling, 20, 4, seed).collect::<Vec<_>>();
            assert_eq!(draw(1), draw(1));
            assert_ne!(draw(1), draw(2));
            assert!(draw(1).iter().flatten().all(|f| (0.0..1.0).contains(f)));
        }
    }
}
