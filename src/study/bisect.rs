//! Bisection: the smallest set of changes of the logic that turns the outcome of a run.
//!
//! By search, not by table: the story is run under one set of fixes after another. Single changes
//! are all tried, then pairs; beyond that, delta debugging finds a set from which no change can be
//! left out. A change is a fix that comes or one that goes, and either end may be the one that
//! fails. What a newcomer gets wrong: fixes are not monotone – one that helps alone may hurt
//! beside another – so what is found is what was *run*.

use rayon::prelude::*;

use crate::controllers::fixes::{Fix, Fixes};
use crate::scenario::{Scenario, Variant};

/// A fix that the end has and the start lacks, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which fix.
    pub fix: Fix,
    /// Whether it comes; else it goes.
    pub comes: bool,
}

impl Change {
    fn on(self, fixes: Fixes) -> Fixes {
        if self.comes { fixes.with(self.fix) } else { fixes.without(self.fix) }
    }
}

/// What a bisection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Both ends pass.
    BothPass,
    /// Both ends fail.
    BothFail,
    /// Each of these changes does it alone.
    Single(Vec<Change>),
    /// No single change does it; these sets do, none smaller does.
    Smallest(Vec<Vec<Change>>),
    /// No set of one or two does it; from this one none can be left out.
    Minimal(Vec<Change>),
}

/// A bisection and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bisection {
    /// What was found.
    pub found: Found,
    /// Whether the start passes: what was found then breaks the story, else it heals it.
    pub start_passes: bool,
    /// How many runs it took.
    pub runs: usize,
    /// All that start and end differ by.
    pub candidates: Vec<Change>,
}

struct Search<'a, P> {
    scenario: &'a Scenario,
    base: &'a Variant,
    from: Fixes,
    /// Whether a run passes that turned.
    wanted: bool,
    passes: P,
    runs: usize,
}

/// All that two logics differ by, in the order of history.
pub fn changes(from: Fixes, to: Fixes) -> Vec<Change> {
    let differs = Fix::ALL.iter().filter(|fix| from.has(**fix) != to.has(**fix));
    differs.map(|fix| Change { fix: *fix, comes: to.has(*fix) }).collect()
}

/// Finds what turns the outcome from `from` to `to`; `passes` judges a run under a variant.
pub fn bisect(
    scenario: &Scenario,
    base: &Variant,
    from: Fixes,
    to: Fixes,
    passes: impl Fn(&Scenario, &Variant) -> bool + Sync,
) -> Bisection {
    let candidates = changes(from, to);
    let mut search = Search { scenario, base, from, wanted: true, passes, runs: 2 };
    let (start_passes, end_passes) = rayon::join(|| search.judge(from), || search.judge(to));
    search.wanted = end_passes;
    let found = match (start_passes, end_passes) {
        (true, true) => Found::BothPass,
        (false, false) => Found::BothFail,
        _ => search.find(&candidates),
    };
    Bisection { found, start_passes, runs: search.runs, candidates }
}

impl<P: Fn(&Scenario, &Variant) -> bool + Sync> Search<'_, P> {
    fn find(&mut self, candidates: &[Change]) -> Found {
        let singles: Vec<Vec<Change>> = candidates.iter().map(|change| vec![*change]).collect();
        let turned = self.turning(&singles);
        if !turned.is_empty() {
            return Found::Single(turned.into_iter().map(|index| candidates[index]).collect());
        }
        let pairs = self.pairs(candidates);
        if pairs.is_empty() { Found::Minimal(self.shrink(candidates.to_vec())) } else { Found::Smallest(pairs) }
    }

    fn pairs(&mut self, candidates: &[Change]) -> Vec<Vec<Change>> {
        let with = |(index, first): (usize, &Change)| {
            let first = *first;
            candidates[index + 1..].iter().map(move |second| vec![first, *second])
        };
        let mut pairs: Vec<Vec<Change>> = candidates.iter().enumerate().flat_map(with).collect();
        let turned = self.turning(&pairs);
        turned.into_iter().map(|index| std::mem::take(&mut pairs[index])).collect()
    }

    /// The indexes of the sets that turn the outcome when they are applied to the start.
    fn turning(&mut self, sets: &[Vec<Change>]) -> Vec<usize> {
        self.runs += sets.len();
        let turns =
            |set: &Vec<Change>| self.judge(set.iter().fold(self.from, |fixes, change| change.on(fixes))) == self.wanted;
        let results: Vec<bool> = sets.par_iter().map(turns).collect();
        results.iter().enumerate().filter(|(_, turned)| **turned).map(|(index, _)| index).collect()
    }

    fn judge(&self, fixes: Fixes) -> bool {
        let mut variant = self.base.clone();
        variant.policy.fixes = fixes;
        (self.passes)(self.scenario, &variant)
    }

    /// Delta debugging: leaves out ever smaller parts of a set that turns the outcome while it does.
    fn shrink(&mut self, mut set: Vec<Change>) -> Vec<Change> {
        let mut parts = 2;
        while set.len() >= 2 {
            let size = set.len().div_ceil(parts);
            let without: Vec<Vec<Change>> = (0..set.len())
                .step_by(size)
                .map(|start| {
                    let end = (start + size).min(set.len());
                    set[..start].iter().chain(&set[end..]).copied().collect()
                })
                .collect();
            match self.turning(&without).first() {
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

    /// Bisects a made-up predicate from one set of fixes to another.
    fn between(from: Fixes, to: Fixes, passes: impl Fn(Fixes) -> bool + Sync) -> Bisection {
        let story = story();
        let judge = |_: &Scenario, variant: &Variant| passes(variant.policy.fixes);
        bisect(&story, &story.variants[0], from, to, judge)
    }

    /// The same from none to current.
    fn found(passes: impl Fn(Fixes) -> bool + Sync) -> Found {
        between(Fixes::NONE, Fixes::current(), passes).found
    }

    fn come<const N: usize>(fixes: [Fix; N]) -> Vec<Change> {
        fixes.map(|fix| Change { fix, comes: true }).to_vec()
    }

    #[test]
    fn a_single_fix_is_found() {
        assert_eq!(found(|set| set.has(Fix::CrashBackoff)), Found::Single(come([Fix::CrashBackoff])));
    }

    #[test]
    fn of_several_that_do_it_alone_all_are_told() {
        let passes = |set: Fixes| set.has(Fix::CrashBackoff) || set.has(Fix::NodeHealth);
        assert_eq!(found(passes), Found::Single(come([Fix::CrashBackoff, Fix::NodeHealth])));
    }

    #[test]
    fn a_pair_is_found_where_no_single_one_does_it() {
        let passes = |set: Fixes| set.has(Fix::SkipDead) && set.has(Fix::IdempotentDrain);
        assert_eq!(found(passes), Found::Smallest(vec![come([Fix::SkipDead, Fix::IdempotentDrain])]));
    }

    #[test]
    fn three_that_need_each_other_are_found_and_none_too_many() {
        let wanted = [Fix::SkipDead, Fix::CompareVolumes, Fix::NodeHealth];
        assert_eq!(found(|set| wanted.iter().all(|fix| set.has(*fix))), Found::Minimal(come(wanted)));
    }

    #[test]
    fn towards_older_logic_what_goes_is_found() {
        let done = between(Fixes::current(), Fixes::NONE, |set| !set.has(Fix::CrashBackoff));
        let gone = Change { fix: Fix::CrashBackoff, comes: false };
        assert_eq!((done.found, done.start_passes), (Found::Single(vec![gone]), false));
    }

    #[test]
    fn what_breaks_a_story_is_found_in_both_directions() {
        let done = between(Fixes::NONE, Fixes::current(), |set| !(set.has(Fix::SkipDead) && set.has(Fix::NodeHealth)));
        assert_eq!(
            (done.found, done.start_passes),
            (Found::Smallest(vec![come([Fix::SkipDead, Fix::NodeHealth])]), true)
        );
        let done = between(Fixes::current(), Fixes::NONE, |set| set.has(Fix::SkipDead));
        let gone = Change { fix: Fix::SkipDead, comes: false };
        assert_eq!((done.found, done.start_passes), (Found::Single(vec![gone]), true));
    }

    #[test]
    fn ends_that_do_not_differ_are_told() {
        assert_eq!(found(|_| true), Found::BothPass);
        assert_eq!(found(|_| false), Found::BothFail);
    }
}
