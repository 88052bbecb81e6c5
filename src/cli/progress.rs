//! What stands beside the bar of many runs: how many a second, and how long the rest takes; the bar of
//! one long run: how far simulated time is; and the line of a search: how many runs it has made.
//!
//! It knows numbers and words for people, not what is run. Nothing here is a result; that it is read from a
//! clock is why it is nowhere but on a terminal.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::kernel::{SimDuration, SimTime};
use crate::report::counted;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A run that is over before is not worth a bar.
const SHOWN_AFTER: Duration = Duration::from_secs(2);

/// Longer than 100 days is no estimate.
const LEFT_MAX: u64 = 100 * 24 * 3600;

/// The bar of one run, or some side by side: how far simulated time is, in the slowest of them. It shows on a
/// terminal, once they take longer than two seconds.
pub(crate) struct Simulated {
    bar: ProgressBar,
    end: SimTime,
    /// Where each run is, in nanoseconds.
    at: Vec<AtomicU64>,
    wanted: bool,
}

impl Simulated {
    /// The bar of so many runs to that end, where it is wanted.
    pub(crate) fn new(end: SimTime, runs: usize, wanted: bool) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {msg}, {eta} left").expect("the template is ours");
        let length = end.as_nanos().saturating_mul(runs as u64);
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden()).with_style(style);
        let at = (0..runs).map(|_| AtomicU64::new(0)).collect();
        Self { bar, end, at, wanted: wanted && console::Term::stderr().is_term() }
    }

    /// That one of the runs is that far.
    pub(crate) fn tell(&self, run: usize, now: SimTime) {
        self.at[run].store(now.as_nanos(), Relaxed);
        if !self.wanted || self.bar.elapsed() < SHOWN_AFTER {
            return;
        }
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let at = self.at.iter().map(|at| at.load(Relaxed));
        let least = SimTime::from_nanos(at.clone().min().unwrap_or_default());
        self.bar.set_message(format!("{} of {}", least.elapsed().clock(), self.end.elapsed().clock()));
        self.bar.set_position(at.sum());
    }
}

/// What stands where runs are made until something is found, nobody knows how many: how many there were so far.
/// It shows on a terminal, after two seconds.
pub(crate) struct Searched {
    bar: ProgressBar,
    runs: Arc<AtomicU64>,
}

impl Searched {
    /// The line of a search, where it is wanted.
    pub(crate) fn new(wanted: bool) -> Self {
        let runs = Arc::new(AtomicU64::new(0));
        let so_far = Arc::clone(&runs);
        let style = ProgressStyle::with_template("{searched}").expect("the template is ours");
        let style = style.with_key("searched", move |state: &ProgressState, to: &mut dyn Write| {
            if state.elapsed() >= SHOWN_AFTER {
                let seconds = SimDuration::from_secs(state.elapsed().as_secs());
                let runs = counted(so_far.load(Relaxed), "run");
                let _ = write!(to, "{runs} so far, in {}", seconds.clock());
            }
        });
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, runs }
    }

    /// One more run is made.
    pub(crate) fn one(&self) {
        self.runs.fetch_add(1, Relaxed);
    }
}

impl Drop for Searched {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The look of the bar.
pub(crate) fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs{beside}  {msg}").expect("the template is ours");
    style.with_key("beside", |state: &ProgressState, to: &mut dyn Write| {
        let rest = state.len().unwrap_or(0).saturating_sub(state.pos());
        // A bar that nobody sees is no reason to stop.
        let _ = to.write_str(&beside(rest, state.per_sec()));
    })
}

/// `, 8786/s, 2m5s left`; nothing while nothing is known.
fn beside(rest: u64, rate: f64) -> String {
    // Less than a run in a quarter of an hour is no rate yet.
    if !rate.is_finite() || rate < 0.001 {
        return String::new();
    }
    let speed = if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") };
    let speed = if rate < 0.1 { format!("{:.1}/min", rate * 60.0) } else { speed };
    let seconds = (rest as f64 / rate).ceil() as u64;
    if seconds > LEFT_MAX {
        return format!(", {speed}");
    }
    let seconds = if seconds < 3600 { seconds } else { seconds.div_ceil(60) * 60 };
    format!(", {speed}, {} left", SimDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_times_are_written_as_people_read_them() {
        for (rest, rate, wanted) in [
            (21_504, 0.0, ""),
            (21_504, f64::NAN, ""),
            (21_504, 8785.9, ", 8786/s, 3s left"),
            (1000, 12.34, ", 12/s, 1m22s left"),
            (100, 1.26, ", 1.3/s, 1m20s left"),
            (600, 0.05, ", 3.0/min, 3h20m left"),
            (0, 5.0, ", 5.0/s, 0s left"),
            (u64::MAX, 12.0, ", 12/s"),
            (1_000_000, 77.0, ", 77/s, 3h37m left"),
        ] {
            assert_eq!(beside(rest, rate), wanted, "{rest} at {rate}");
        }
    }
}
