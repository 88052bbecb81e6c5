//! From values to places on a plot, and the round values that an axis shows.
//!
//! Pure arithmetic.

use super::svg::number;

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// The axis that shows these values between two places; it includes zero when that is near.
    pub(super) fn of(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (mut from, mut to) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if !from.is_finite() || !to.is_finite() {
            (from, to) = (0.0, 1.0);
        }
        if from >= 0.0 && from <= to / 2.0 {
            from = 0.0;
        }
        if to - from <= 0.0 {
            let room = if to == 0.0 { 1.0 } else { to.abs() / 10.0 };
            (from, to) = (from - room, to + room);
        } else {
            let room = (to - from) / 20.0;
            (from, to) = (if from == 0.0 { 0.0 } else { from - room }, to + room);
        }
        Self { from, to, start, end }
    }

    /// Where a value is.
    pub(super) fn place(&self, value: f64) -> f64 {
        self.start + (value - self.from) / (self.to - self.from) * (self.end - self.start)
    }

    /// Round values with their labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let raw = (self.to - self.from) / 5.0;
        let power = libm::pow(10.0, libm::floor(libm::log10(raw)));
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= raw).unwrap_or(raw);
        let first = libm::ceil(self.from / step) as i64;
        let last = libm::floor(self.to / step) as i64;
        (first..=last).map(|n| (n as f64 * step, number(n as f64 * step))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let scale = Scale::of([3.0, 97.0].into_iter(), 0.0, 100.0);
        let labels: Vec<String> = scale.ticks().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0", "50", "100"]);
    }

    #[test]
    fn one_value_and_none_have_an_axis_too() {
        for values in [vec![], vec![0.0], vec![7.0, 7.0]] {
            let scale = Scale::of(values.iter().copied(), 0.0, 100.0);
            assert!(scale.place(7.0).is_finite() && !scale.ticks().is_empty(), "{values:?}");
        }
    }
}
