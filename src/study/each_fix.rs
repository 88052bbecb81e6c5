//! What every single fix is worth: the story with and without it.
//!
//! A fix is taken out of two sets: that of its own day (what it changed when it landed) and
//! today's (what it still holds up). Proposed fixes are taken out of the set with all proposals.
//! What a newcomer gets wrong: a fix that nobody misses today may have been vital on its day –
//! a later one covers it.

use rayon::prelude::*;

use crate::controllers::fixes::{Day, Fix, Fixes};
use crate::scenario::{Scenario, Variant};

use super::Signature;
use super::deciding::Begun;

/// Out of which set a fix was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// All that had landed at the end of its own day.
    ItsDay,
    /// All of history (for a proposed fix: and all proposals).
    Today,
}

impl Base {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ItsDay, Self::Today];

    /// The set, with the fix in it.
    pub fn fixes(self, fix: Fix) -> Fixes {
        match (self, fix.info().day) {
            (Self::Today, Day::PROPOSED) => Fixes::proposed(),
            // A proposal has no day: it is added to today's set alone.
            (Self::ItsDay, Day::PROPOSED) => Fixes::current().with(fix),
            (Self::ItsDay, day) => Fixes::as_of(day),
            (Self::Today, _) => Fixes::current(),
        }
    }

    /// As tables head it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ItsDay => "on its day",
            Self::Today => "today",
        }
    }
}

/// A fix whose absence a story notices.
#[derive(Clone, Debug, PartialEq)]
pub struct Noticed {
    /// The fix.
    pub fix: Fix,
    /// Out of which set it was taken.
    pub base: Base,
    /// What differs without it, the gravest first.
    pub differences: Vec<String>,
}

/// Runs a story without each of these fixes, and tells which of them it notices. `variant` gives
/// seed and tuning.
pub fn each_fix(scenario: &Scenario, variant: &Variant, fixes: &[Fix], begun: Begun<'_>) -> Vec<Noticed> {
    let under = |fixes: Fixes| {
        begun();
        let mut variant = variant.clone();
        variant.policy.fixes = fixes;
        Signature::of(scenario, &variant)
    };
    // Many fixes share a base: each base is run once.
    let mut bases: Vec<Fixes> = fixes.iter().flat_map(|fix| Base::ALL.map(|base| base.fixes(*fix))).collect();
    bases.sort_unstable();
    bases.dedup();
    let with: Vec<Signature> = bases.par_iter().map(|base| under(*base)).collect();
    let cells: Vec<(Fix, Base)> = fixes.iter().flat_map(|fix| Base::ALL.map(|base| (*fix, base))).collect();
    let noticed = cells.par_iter().map(|(fix, base)| {
        let set = base.fixes(*fix);
        let with = &with[bases.binary_search(&set).expect("every base was run")];
        let without = under(set.without(*fix));
        let differences = with.is_noticeably_other(&without).then(|| with.differences(&without));
        differences.map(|differences| Noticed { fix: *fix, base: *base, differences })
    });
    noticed.collect::<Vec<_>>().into_iter().flatten().collect()
}
