//! What is sure of all that was compared at once: ties, Holm's correction, the Pareto front.
//!
//! It sees judged settings together and changes no number of theirs. A difference is sure when its p-value, corrected
//! for all differences of the sweep, is at most 5 %: so of a hundred sweeps five at most say anything false with that
//! word. What a newcomer gets wrong: settings with the same values in every run are one setting; to count them as many
//! would make everything else less sure.

use std::collections::BTreeMap;

use super::judgement::{Against, Judged, Judgement, Moved};
use super::plan::Plan;
use super::stats::{LEVEL, Seeds, holm, seeds_min};

/// Settings with what can be said of them together.
pub(super) fn decided(plan: &Plan, seeds: Seeds, mut settings: Vec<Judged>) -> Judgement {
    let mut known = BTreeMap::new();
    for judged in &mut settings {
        let first = *known.entry(*judged.judged_values.as_bytes()).or_insert(judged.setting);
        judged.twin_of = (first != judged.setting).then_some(first);
    }
    let moved: Vec<Moved> = (0..plan.objectives.len()).map(|index| moved(&settings, index)).collect();
    let compared = compare(plan, seeds.count(), &moved, &mut settings);
    for index in 0..settings.len() {
        if let Some(first) = settings[index].twin_of {
            settings[index].against = settings[first].against.clone();
        }
    }
    mark_front(plan, &mut settings);
    let idle = idle(plan, &settings);
    Judgement { settings, seeds, moved, compared, idle }
}

fn moved(settings: &[Judged], index: usize) -> Moved {
    if settings.iter().any(|judged| judged.varies[index]) {
        return Moved::BySeeds;
    }
    let same = settings.iter().all(|judged| judged.against[index] == Against::Same);
    if same { Moved::Never } else { Moved::BySettings }
}

/// Decides which differences are sure; answers how many there were.
fn compare(plan: &Plan, seeds: usize, moved: &[Moved], settings: &mut [Judged]) -> usize {
    let mut family = Vec::new();
    for judged in settings.iter().filter(|judged| judged.setting != 0 && judged.twin_of.is_none()) {
        for (index, estimate) in judged.objectives.iter().enumerate() {
            if let (Moved::BySeeds, Some(p_value)) = (moved[index], estimate.p_value) {
                family.push((judged.setting, index, p_value));
            }
        }
    }
    // Too few seeds make nothing sure, whatever they say.
    let enough = seeds >= seeds_min(family.len());
    let adjusted = holm(&family.iter().map(|(.., p_value)| *p_value).collect::<Vec<_>>());
    for ((setting, index, _), adjusted) in family.iter().zip(adjusted) {
        let judged = &mut settings[*setting];
        if enough && judged.against[*index] == Against::Unsure && adjusted <= LEVEL {
            judged.against[*index] = if gain(plan, judged, *index) > 0.0 { Against::Better } else { Against::Worse };
        }
    }
    family.len()
}

/// By how much a setting is better than the baseline in an objective.
pub(super) fn gain(plan: &Plan, judged: &Judged, index: usize) -> f64 {
    let difference = judged.objectives[index].difference;
    if plan.objectives[index].maximise { difference } else { -difference }
}

/// Whether a setting is surely worse than the baseline nowhere, and surely better somewhere. Where only settings move
/// an objective, its one value may be no worse.
pub(super) fn surely_beats(plan: &Plan, moved: &[Moved], judged: &Judged) -> bool {
    let nowhere_worse = judged.against.iter().enumerate().all(|(index, against)| match against {
        Against::Better | Against::Same => true,
        Against::Unsure => moved[index] == Moved::BySettings && gain(plan, judged, index) >= 0.0,
        Against::Worse => false,
    });
    nowhere_worse && judged.against.contains(&Against::Better)
}

/// Whether `a` is at least as good as `b` everywhere and better somewhere, as their values came out.
pub(super) fn dominates(plan: &Plan, a: &Judged, b: &Judged) -> bool {
    let signed = |index: usize, judged: &Judged| {
        let value = judged.objectives[index].value;
        if plan.objectives[index].maximise { -value } else { value }
    };
    let all = 0..plan.objectives.len();
    all.clone().all(|index| signed(index, a) <= signed(index, b))
        && all.clone().any(|index| signed(index, a) < signed(index, b))
}

/// Of settings with the same values only the first stands on the front.
fn mark_front(plan: &Plan, settings: &mut [Judged]) {
    let mut front: Vec<usize> = Vec::new();
    for index in 0..settings.len() {
        let judged = &settings[index];
        if judged.twin_of.is_some()
            || !judged.keeps()
            || front.iter().any(|other| dominates(plan, &settings[*other], judged))
        {
            continue;
        }
        front.retain(|other| !dominates(plan, &settings[index], &settings[*other]));
        front.push(index);
    }
    for index in front {
        settings[index].on_front = true;
    }
}

/// The parameters that moved nothing: settings that differ in them alone have the same figures in every run, and there
/// are such settings.
fn idle(plan: &Plan, settings: &[Judged]) -> Vec<usize> {
    let is_idle = |path: &usize| {
        let mut groups: BTreeMap<Vec<&Option<String>>, Vec<usize>> = BTreeMap::new();
        for (number, setting) in plan.settings.iter().enumerate() {
            let others = setting.iter().enumerate().filter(|(index, _)| index != path).map(|(_, value)| value);
            groups.entry(others.collect()).or_default().push(number);
        }
        let same = |group: &[usize]| group.iter().all(|n| settings[*n].all_values == settings[group[0]].all_values);
        groups.values().any(|group| group.len() > 1) && groups.values().all(|group| same(group))
    };
    (0..plan.paths.len()).filter(is_idle).collect()
}
