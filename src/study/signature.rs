//! What came of a run, short enough to compare a thousand of them.

use std::collections::BTreeMap;

use crate::model::Invariant;
use crate::model::Name;
use crate::replay;
use crate::scenario::{Scenario, Variant, Verdict};
use crate::sim::Simulation;
use crate::trace::metrics::{Figure, Metric};

/// The verdict, violations, refusals and figures of a run.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Signature {
    pub verdict: Verdict,
    /// How many subjects broke each invariant.
    pub violations: BTreeMap<Invariant, usize>,
    /// The steps that were refused, and why.
    pub rejected: Vec<(usize, Name)>,
    pub figures: Vec<(Figure, Metric)>,
}

impl Signature {
    /// Runs a story and keeps its signature.
    pub fn of(scenario: &Scenario, variant: &Variant) -> Self {
        let (outcome, figures, ()) = replay::folded(Simulation::new(scenario, variant), scenario, ());
        let mut violations = BTreeMap::new();
        for violation in &outcome.violations {
            *violations.entry(violation.invariant).or_insert(0) += 1;
        }
        Self { verdict: outcome.verdict, violations, rejected: outcome.rejected, figures: figures.iter().collect() }
    }

    /// Whether the run is what anybody would wish: settled, and nothing broken.
    pub fn is_sound(&self) -> bool {
        self.verdict == Verdict::Settled && self.violations.is_empty()
    }

    /// What differs from `self` to `other`, the gravest first, in words.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut words = Vec::new();
        if self.verdict != other.verdict {
            words.push(format!("verdict {} -> {}", self.verdict.name(), other.verdict.name()));
        }
        for invariant in Invariant::ALL {
            match (self.violations.get(invariant), other.violations.get(invariant)) {
                (None, Some(_)) => words.push(format!("breaks {invariant}")),
                (Some(_), None) => words.push(format!("no longer breaks {invariant}")),
                _ => {}
            }
        }
        let steps = |run: &Self| run.rejected.iter().map(|(step, _)| *step).collect::<Vec<_>>();
        if steps(self) != steps(other) {
            words.push(format!("steps refused {} -> {}", self.rejected.len(), other.rejected.len()));
        }
        for ((figure, from), (_, to)) in self.figures.iter().zip(&other.figures) {
            if from != to {
                words.push(format!("{} {from} -> {to}", figure.name()));
            }
        }
        words
    }

    /// Figures that count work rather than results: a change of these alone is noise.
    const EFFORT: &[&str] = &["store_writes", "reconciles", "store_conflicts"];

    /// Whether a user would notice the difference: in the verdict, the invariants, the refusals,
    /// a count of results, or a time that is other by a second and a twentieth.
    pub fn is_noticeably_other(&self, other: &Self) -> bool {
        let outcome = |run: &Self| {
            let broken: Vec<_> = run.violations.keys().copied().collect();
            let refused: Vec<_> = run.rejected.iter().map(|(step, _)| *step).collect();
            (run.verdict, broken, refused)
        };
        let figures = self.figures.iter().zip(&other.figures);
        let mut results = figures.filter(|((figure, _), _)| !Self::EFFORT.contains(&figure.name()));
        outcome(self) != outcome(other) || results.any(|((_, from), (_, to))| differs(*from, *to))
    }
}

/// Whether two values of a figure differ by more than a few round trips would explain.
fn differs(from: Metric, to: Metric) -> bool {
    match (from, to) {
        (Metric::Seconds(from), Metric::Seconds(to)) => {
            let (from, to) = (from.as_nanos(), to.as_nanos());
            let difference = from.abs_diff(to);
            difference >= 1_000_000_000 && difference >= from.max(to) / 20
        }
        _ => from != to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SimDuration;

    #[test]
    fn a_few_milliseconds_are_no_difference_and_a_count_of_one_is() {
        let millis = |n| Metric::Seconds(SimDuration::from_millis(n));
        assert!(!differs(millis(75_676), millis(75_672)));
        assert!(!differs(millis(100_000), millis(102_000)), "two in a hundred");
        assert!(differs(millis(1_000), millis(60_000)));
        assert!(differs(Metric::Count(0), Metric::Count(1)));
    }
}
