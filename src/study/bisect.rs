//! Bisection: the smallest set of fixes that turns a failing run into a passing one.
//!
//! By search, not by table: the story is run under one set of fixes after another. Single fixes
//! are all tried, then pairs; beyond that, delta debugging finds a set from which no fix can be
//! left out. What a newcomer gets wrong: fixes are not monotone – one that helps alone may hurt
//! beside another – so what is found is what was *run*.

use rayon::prelude::*;

use crate::controllers::fixes::{Fix, Fixes};
use crate::scenario::{Scenario, Variant};

/// What a bisection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The start passes already.
    StartPasses,
    /// The end fails, too.
    EndFails,
    /// Each of these fixes does it alone.
    Single(Vec<Fix>),
    /// No single fix does it; these sets do, none smaller does.
    Smallest(Vec<Vec<Fix>>),
    /// No set of one or two does it; from this one none can be left out.
    Minimal(Vec<Fix>),
}

/// A bisection and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bisection {
    /// What was found.
    pub found: Found,
    /// How many runs it took.
    pub runs: usize,
    /// The fixes by which start and end differ.
    pub candidates: Vec<Fix>,
}

/// Pairs are all tried while there are no more than this.
const PAIRS_MAX: usize = 5_000;

struct Search<'a, P> {
    scenario: &'a Scenario,
    base: &'a Variant,
    from: Fixes,
    passes: P,
    runs: usize,
}

/// Finds what turns the outcome from `from` to `to`; `passes` judges a run under a variant.
pub fn bisect(
    scenario: &Scenario,
    base: &Variant,
    from: Fixes,
    to: Fixes,
    passes: impl Fn(&Scenario, &Variant) -> bool + Sync,
) -> Bisection {
    let candidates: Vec<Fix> = to.iter().filter(|fix| !from.has(*fix)).collect();
    let mut search = Search { scenario, base, from, passes, runs: 0 };
    let found = search.find(to, &candidates);
    Bisection { found, runs: search.runs, candidates }
}

impl<P: Fn(&Scenario, &Variant) -> bool + Sync> Search<'_, P> {
    fn find(&mut self, to: Fixes, candidates: &[Fix]) -> Found {
        if self.passing(&[vec![]]) == [0] {
            return Found::StartPasses;
        }
        // Towards an older day fixes are taken away; what the end has, decides.
        if !self.passes_under(to) {
            return Found::EndFails;
        }
        let singles: Vec<Vec<Fix>> = candidates.iter().map(|fix| vec![*fix]).collect();
        let passing = self.passing(&singles);
        if !passing.is_empty() {
            return Found::Single(passing.into_iter().map(|index| candidates[index]).collect());
        }
        let pairs = candidates.len() * candidates.len().saturating_sub(1) / 2;
        let minimal = self.shrink(candidates.to_vec());
        if minimal.len() <= 2 || pairs > PAIRS_MAX {
            let sets = if minimal.len() <= 2 { self.pairs(candidates, pairs) } else { Vec::new() };
            return if sets.is_empty() { Found::Minimal(minimal) } else { Found::Smallest(sets) };
        }
        let sets = self.pairs(candidates, pairs);
        if sets.is_empty() { Found::Minimal(minimal) } else { Found::Smallest(sets) }
    }

    fn pairs(&mut self, candidates: &[Fix], count: usize) -> Vec<Vec<Fix>> {
        if count > PAIRS_MAX {
            return Vec::new();
        }
        let mut pairs = Vec::with_capacity(count);
        for (index, first) in candidates.iter().enumerate() {
            pairs.extend(candidates[index + 1..].iter().map(|second| vec![*first, *second]));
        }
        let passing = self.passing(&pairs);
        passing.into_iter().map(|index| pairs[index].clone()).collect()
    }

    /// The indexes of the sets that pass when they are added to the start.
    fn passing(&mut self, sets: &[Vec<Fix>]) -> Vec<usize> {
        self.runs += sets.len();
        let passes = |set: &Vec<Fix>| self.judge(set.iter().fold(self.from, |fixes, fix| fixes.with(*fix)));
        let results: Vec<bool> = sets.par_iter().map(passes).collect();
        results.iter().enumerate().filter(|(_, passes)| **passes).map(|(index, _)| index).collect()
    }

    fn passes_under(&mut self, fixes: Fixes) -> bool {
        self.runs += 1;
        self.judge(fixes)
    }

    fn judge(&self, fixes: Fixes) -> bool {
        let mut variant = self.base.clone();
        variant.policy.fixes = fixes;
        (self.passes)(self.scenario, &variant)
    }

    /// Delta debugging: leaves out ever smaller parts of a passing set while it passes.
    fn shrink(&mut self, mut set: Vec<Fix>) -> Vec<Fix> {
        let mut parts = 2;
        while set.len() >= 2 {
            let size = set.len().div_ceil(parts);
            let without: Vec<Vec<Fix>> = (0..set.len())
                .step_by(size)
                .map(|start| {
                    let end = (start + size).min(set.len());
                    set[..start].iter().chain(&set[end..]).copied().collect()
                })
                .collect();
            match self.passing(&without).first() {
                Some(index) => {
                    set = without[*index].clone();
                    parts = parts.saturating_sub(1).max(2);
                }
                None if size == 1 => break,
                None => parts = (parts * 2).min(set.len()),
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Overrides;

    fn story() -> Scenario {
        let text = "schema = 1\nhorizon = \"1s\"\n";
        Scenario::from_text(text, "story", None, &Overrides::default()).expect("a scenario")
    }

    /// Bisects a made-up predicate over the fixes from none to current.
    fn found(passes: impl Fn(Fixes) -> bool + Sync) -> Found {
        let story = story();
        let judge = |_: &Scenario, variant: &Variant| passes(variant.policy.fixes);
        bisect(&story, &story.variants[0], Fixes::NONE, Fixes::current(), judge).found
    }

    #[test]
    fn a_single_fix_is_found() {
        assert_eq!(found(|set| set.has(Fix::CrashBackoff)), Found::Single(vec![Fix::CrashBackoff]));
    }

    #[test]
    fn of_several_that_do_it_alone_all_are_told() {
        let passes = |set: Fixes| set.has(Fix::CrashBackoff) || set.has(Fix::NodeHealth);
        assert_eq!(found(passes), Found::Single(vec![Fix::CrashBackoff, Fix::NodeHealth]));
    }

    #[test]
    fn a_pair_is_found_where_no_single_one_does_it() {
        let passes = |set: Fixes| set.has(Fix::SkipDead) && set.has(Fix::IdempotentDrain);
        assert_eq!(found(passes), Found::Smallest(vec![vec![Fix::SkipDead, Fix::IdempotentDrain]]));
    }

    #[test]
    fn three_that_need_each_other_are_found_and_none_too_many() {
        let wanted = [Fix::SkipDead, Fix::CompareVolumes, Fix::NodeHealth];
        assert_eq!(found(|set| wanted.iter().all(|fix| set.has(*fix))), Found::Minimal(wanted.to_vec()));
    }

    #[test]
    fn a_start_that_passes_and_an_end_that_fails_are_told() {
        assert_eq!(found(|_| true), Found::StartPasses);
        assert_eq!(found(|_| false), Found::EndFails);
    }
}
