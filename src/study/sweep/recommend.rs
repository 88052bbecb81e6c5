//! The recommendation in words: what surely beats today's values, by how much, and what is not known.
//!
//! Reads a judgement and adds nothing to it. To beat the baseline is to be surely better in one objective at least and
//! in no other one surely worse or unknown; "sure" is meant for everything that the sweep compared at once.

use crate::model::counted;
use crate::scenario::suggest::listed;

use super::estimate::Estimate;
use super::file::Aggregate;
use super::judge::seeds_for;
use super::judgement::{Against, Judged, Judgement, Moved, PRECISION};
use super::plan::Plan;
use super::significance::{dominates, surely_beats};
use super::stats::{NEEDED_MAX, Needed, TOLD_MIN, seeds_min};
use super::summary::fixed;

/// So many settings are named in a list.
const NAMED_MAX: usize = 6;

/// The settings that keep the constraints and surely beat the baseline; of those with the same values the first.
fn winners<'a>(plan: &'a Plan, judgement: &'a Judgement) -> impl Iterator<Item = &'a Judged> {
    let wins =
        |judged: &&Judged| judged.twin_of.is_none() && judged.keeps() && surely_beats(plan, &judgement.moved, judged);
    judgement.settings[1..].iter().filter(wins)
}

/// The setting that is recommended: of those that surely beat the baseline the one with the largest relative gain.
pub fn best<'a>(plan: &'a Plan, judgement: &'a Judgement) -> Option<&'a Judged> {
    let base = &judgement.settings[0];
    let more =
        |a: &&Judged, b: &&Judged| gain(plan, base, a).total_cmp(&gain(plan, base, b)).then(b.setting.cmp(&a.setting));
    winners(plan, judgement).max_by(more)
}

/// The sum over the objectives of the gain relative to the baseline's value.
fn gain(plan: &Plan, base: &Judged, judged: &Judged) -> f64 {
    let of = |index: usize| {
        let then = base.objectives[index].value;
        if then == 0.0 { 0.0 } else { super::significance::gain(plan, judged, index) / then.abs() }
    };
    (0..plan.objectives.len()).map(of).sum()
}

/// The recommendation, in plain text.
pub fn recommendation(plan: &Plan, judgement: &Judgement) -> String {
    let mut text = format!("{}: what follows from {} runs\n", plan.name, plan.runs());
    let settings = &judgement.settings;
    let seeds = judgement.seeds.count();
    text.push_str(&format!(
        "{} settings x {} scenarios and variants x {seeds} seeds; {}.\n",
        settings.len(),
        plan.pairs().len(),
        if judgement.seeds.tell() {
            "each interval is 95 %, by Student's t over the seeds".to_owned()
        } else {
            format!("too few to tell an interval, which takes {TOLD_MIN} seeds")
        }
    ));
    compared(plan, judgement, &mut text);
    notes(plan, judgement, &mut text);
    today(plan, &settings[0], &mut text);
    text.push('\n');
    let others = &settings[1..];
    if others.is_empty() {
        text.push_str("There is no other setting to compare it with.\n");
        return text;
    }
    if seeds < 2 {
        text.push_str("One seed says nothing about certainty: run more seeds before anything is changed.\n");
        return text;
    }
    let keeping = others.iter().filter(|judged| judged.keeps()).count();
    if !plan.constraints.is_empty() {
        text.push_str(&format!("{keeping} of {} other settings keep every constraint.\n", others.len()));
    }
    match best(plan, judgement) {
        Some(best) => {
            let sure = winners(plan, judgement).count();
            text.push_str(&format!(
                "{sure} other setting{} the baseline: better in one objective at least, and in no other one worse.\n",
                if sure == 1 { " surely beats" } else { "s surely beat" }
            ));
            text.push_str(&format!("\nRecommended: {}\n", plan.words(best.setting)));
            lines(plan, &settings[0], best, &mut text);
            if sure > 1 {
                text.push_str(
                    "  It is the best of several as their values came out; the best of many also had luck. Confirm it \
                     with other seeds.\n",
                );
            }
        }
        None => traded(plan, judgement, &mut text),
    }
    front(settings, &mut text);
    if let Some(asked) = seeds_for(plan, judgement, PRECISION) {
        let (setting, objective) = (asked.setting, plan.objectives[asked.objective].name());
        let of = if setting == 0 { "today's values".to_owned() } else { format!("setting {setting}") };
        text.push_str(&format!(
            "For every objective of every setting to within {} % of itself: {}; {objective} under {of} needs most.\n",
            PRECISION * 100.0,
            seeds_words(asked.needed)
        ));
    }
    text
}

/// How many settings nothing beats.
fn front(settings: &[Judged], text: &mut String) {
    let front = settings.iter().filter(|judged| judged.on_front).count();
    let on = if settings[0].on_front { "is one of them" } else { "is not among them" };
    text.push_str(&format!(
        "\n{front} setting{} on the Pareto front (pareto.csv); the baseline {on}.\n",
        if front == 1 { " is" } else { "s are" }
    ));
}

/// What today's values come to.
fn today(plan: &Plan, base: &Judged, text: &mut String) {
    text.push_str(&format!("\nToday: {}\n", plan.words(0)));
    for (objective, estimate) in plan.objectives.iter().zip(&base.objectives) {
        text.push_str(&format!("  {:<40} {}\n", objective.name(), with_interval(estimate)));
    }
    for (constraint, (value, kept)) in plan.constraints.iter().zip(&base.constraints) {
        let kept = if *kept { "kept" } else { "BROKEN" };
        text.push_str(&format!("  constraint {:<29} {kept}, at {}\n", constraint.text(), fixed(*value)));
    }
}

/// A number of seeds, with how well it is known.
pub fn seeds_words(needed: Needed) -> String {
    let Needed { seeds, low, high } = needed;
    match (seeds, high) {
        (NEEDED_MAX.., _) => "more seeds than anybody will run".to_owned(),
        (_, Some(high)) => format!("about {seeds} seeds ({low} to {high})"),
        (_, None) => format!("at least {low} seeds; it is too early to say how many, {seeds} are a next try"),
    }
}

/// How many differences were compared, and what it takes to be sure among them.
fn compared(plan: &Plan, judgement: &Judgement, text: &mut String) {
    let (count, seeds) = (judgement.compared, judgement.seeds.count());
    let settings = judgement.settings[1..].iter().filter(|judged| judged.twin_of.is_none()).count();
    let testable = count.checked_div(settings).unwrap_or(0);
    text.push_str(&format!(
        "Compared with the baseline: {} ({} x {testable} of {}). What is called sure is meant for all of them at once: of \
         100 such sweeps 5 at most say anything false with that word.\n",
        counted(count, "difference"),
        counted(settings, "setting"),
        counted(plan.objectives.len(), "objective"),
    ));
    let least = seeds_min(count);
    if count > 0 && seeds < least {
        text.push_str(&format!(
            "Nothing can be sure here: among so many differences that takes {least} seeds, and these are {seeds}.\n"
        ));
    }
}

/// What is not as somebody might think: ties, what moves nothing, what has no interval.
fn notes(plan: &Plan, judgement: &Judgement, text: &mut String) {
    let twins: Vec<_> =
        judgement.settings.iter().filter_map(|judged| Some((judged.setting, judged.twin_of?))).collect();
    if !twins.is_empty() {
        let named = twins.iter().take(NAMED_MAX).map(|(setting, first)| match first {
            0 => format!("{setting} as today's"),
            first => format!("{setting} as {first}"),
        });
        let more = if twins.len() > NAMED_MAX { ", …" } else { "" };
        text.push_str(&format!(
            "{} {} the values of another one in every run, and counted with it: {}{more}.\n",
            counted(twins.len(), "setting"),
            if twins.len() == 1 { "has" } else { "have" },
            named.collect::<Vec<_>>().join(", ")
        ));
    }
    if !judgement.idle.is_empty() {
        let paths = listed(judgement.idle.iter().map(|path| plan.paths[*path].as_str()));
        text.push_str(&format!("Moves no figure of any run: {paths}.\n"));
    }
    for ((objective, moved), estimate) in
        plan.objectives.iter().zip(&judgement.moved).zip(&judgement.settings[0].objectives)
    {
        let name = objective.name();
        match moved {
            Moved::Never => text.push_str(&format!("Nothing moves {name}: it says nothing about any setting.\n")),
            Moved::BySettings => text.push_str(&format!(
                "No seed moves {name}: each setting has one value, however many seeds there are. It is not optimised; a \
                 setting that is worse in it is not recommended.\n"
            )),
            Moved::BySeeds if estimate.error.is_none() && judgement.seeds.count() > 1 => {
                let why = match objective.aggregate {
                    Aggregate::Max | Aggregate::Min => "other seeds may go further, and these cannot say how far",
                    _ => "too few of these runs lie beyond it",
                };
                text.push_str(&format!("Nothing is sure of {name}: {why}.\n"));
            }
            Moved::BySeeds => {}
        }
    }
}

/// What there is to say when nothing surely beats the baseline.
fn traded(plan: &Plan, judgement: &Judgement, text: &mut String) {
    let (base, others) = (&judgement.settings[0], &judgement.settings[1..]);
    let moves = |judged: &Judged| judged.objectives.iter().any(|estimate| fixed(estimate.difference) != "0.000");
    if !others.iter().any(moves) {
        text.push_str("Nothing that is varied moves any objective: every setting has the baseline's values.\n");
        return;
    }
    text.push_str(
        "No setting surely beats the baseline: better in one objective at least, and in no other one worse.\n",
    );
    let keeping = || others.iter().filter(|judged| judged.keeps() && judged.twin_of.is_none());
    let near = keeping().filter(|judged| dominates(plan, judged, base));
    let nearer =
        |a: &&Judged, b: &&Judged| gain(plan, base, a).total_cmp(&gain(plan, base, b)).then(b.setting.cmp(&a.setting));
    if let Some(nearest) = near.max_by(nearer) {
        text.push_str(&format!("\nNearest to it, and not sure: {}\n", plan.words(nearest.setting)));
        lines(plan, base, nearest, text);
        text.push_str("  More seeds may tell.\n");
    }
    text.push_str("\nWhat is traded:\n");
    if keeping().next().is_none() {
        text.push_str("  nothing: no other setting keeps the constraints.\n");
        return;
    }
    let moved = |index: &usize| judgement.moved[*index] != Moved::Never;
    for index in (0..plan.objectives.len()).filter(moved) {
        let objective = &plan.objectives[index];
        let gained = |judged: &Judged| super::significance::gain(plan, judged, index);
        // Of those that are as good in this objective, the one that gains most in all.
        let better = |a: &&Judged, b: &&Judged| {
            let all = gain(plan, base, a).total_cmp(&gain(plan, base, b));
            gained(a).total_cmp(&gained(b)).then(all).then(b.setting.cmp(&a.setting))
        };
        let best = keeping().max_by(better).expect("one keeps the constraints");
        if gained(best) <= 0.0 || fixed(best.objectives[index].difference) == "0.000" {
            text.push_str(&format!("\nNothing is better than the baseline for {}.\n", objective.name()));
            continue;
        }
        text.push_str(&format!("\nBest for {}: {}\n", objective.name(), plan.words(best.setting)));
        lines(plan, base, best, text);
    }
}

fn lines(plan: &Plan, base: &Judged, judged: &Judged, text: &mut String) {
    let estimates = judged.objectives.iter().zip(&base.objectives).zip(&judged.against);
    for (objective, ((estimate, then), against)) in plan.objectives.iter().zip(estimates) {
        let relative = if then.value == 0.0 {
            String::new()
        } else {
            format!(" ({:+.1} %)", estimate.difference / then.value.abs() * 100.0)
        };
        let range = |ends: Option<(f64, f64)>| ends.map(|(low, high)| format!("{} .. {}", fixed(low), fixed(high)));
        let interval =
            range(estimate.difference_interval).map_or_else(String::new, |ends| format!(", interval {ends}"));
        let sure = match against {
            Against::Better => "surely better",
            Against::Worse => "surely worse",
            Against::Same => "the same in every run",
            Against::Unsure => "not sure",
        };
        text.push_str(&format!(
            "  {:<40} {} -> {}{relative}; difference {}{interval}; {sure}\n",
            objective.name(),
            fixed(then.value),
            fixed(estimate.value),
            fixed(estimate.difference),
        ));
        if let (Some(ends), true) = (range(estimate.over_stories), *against != Against::Same) {
            text.push_str(&format!("  {:<40} were the stories a sample, too: interval {ends}\n", ""));
        }
    }
}

fn with_interval(estimate: &Estimate) -> String {
    match estimate.interval {
        Some((low, high)) => format!("{} ({} .. {})", fixed(estimate.value), fixed(low), fixed(high)),
        None => fixed(estimate.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sweep::file::Objective;
    use crate::study::sweep::judge::judge;
    use crate::study::sweep::plan::StoryPlan;
    use crate::study::sweep::rows::{self, metric_names};

    /// Values of recovery and boots, a pair for each seed.
    type Runs = Vec<(u32, u32)>;

    /// Sixteen seeds, each of them otherwise: recovery and boots of today's values, changed.
    fn runs(change: impl Fn(u32, (u32, u32)) -> (u32, u32)) -> Runs {
        (0..16).map(|seed| change(seed, (30 + seed * 7 % 16, 50 + seed * 5 % 16))).collect()
    }

    /// What follows when settings have these values.
    fn said(settings: &[Runs]) -> (String, Judgement) {
        let objective = |metric: &str| Objective {
            metric: metric.to_owned(),
            aggregate: Aggregate::Mean,
            maximise: false,
            scenario: None,
            variant: None,
        };
        let story = StoryPlan { name: "story".into(), file: "story.toml".into(), variants: vec!["main".into()] };
        let plan = Plan {
            schema: 2,
            tool: "test".into(),
            name: "test".into(),
            about: String::new(),
            files: String::new(),
            digest: String::new(),
            scenarios: vec![story],
            seeds: (0, settings[0].len() as u64),
            paths: vec!["x".into()],
            settings: (0..settings.len()).map(|setting| vec![Some(setting.to_string())]).collect(),
            objectives: vec![objective("recovery_s"), objective("boots_attempted")],
            constraints: Vec::new(),
        };
        let mut runs = rows::header(&plan);
        for (setting, values) in settings.iter().enumerate() {
            for (seed, (recovery, boots)) in values.iter().enumerate() {
                let of = |name: &&str| match *name {
                    "recovery_s" => recovery.to_string(),
                    "boots_attempted" => boots.to_string(),
                    _ => "1".to_owned(),
                };
                let metrics = metric_names().iter().map(of).collect::<Vec<_>>().join(",");
                runs.push_str(&format!("{setting},story,main,{seed},{setting},settled,0,{metrics}\n"));
            }
        }
        let judgement = judge(&plan, runs.as_bytes(), &mut Vec::new()).expect("rows of this plan");
        (recommendation(&plan, &judgement), judgement)
    }

    fn today() -> Runs {
        runs(|_, today| today)
    }

    #[test]
    fn better_in_one_objective_and_equal_in_the_others_beats_the_baseline() {
        let (text, judgement) = said(&[today(), runs(|seed, (recovery, boots)| (recovery, boots - 8 - seed % 3))]);
        assert!(!judgement.settings[0].on_front);
        assert!(text.contains("1 other setting surely beats the baseline"), "{text}");
        assert!(text.contains("Recommended: setting 1 (x=1)"), "{text}");
        assert!(text.contains("difference 0.000; the same in every run"), "{text}");
        assert!(text.contains("; surely better"), "{text}");
        assert!(text.contains("2 differences (1 setting x 2 of 2 objectives)"), "{text}");
    }

    #[test]
    fn few_seeds_recommend_nothing_and_say_how_many_it_takes() {
        let few = |runs: Runs| runs[..3].to_vec();
        let (text, _) = said(&[few(today()), few(runs(|_, (recovery, boots)| (recovery, boots - 40)))]);
        assert!(text.contains("No setting surely beats the baseline"), "{text}");
        assert!(
            text.contains("Nothing can be sure here") && text.contains("takes 16 seeds, and these are 3."),
            "{text}"
        );
        assert!(text.contains("Nearest to it, and not sure: setting 1 (x=1)"), "{text}");
    }

    #[test]
    fn better_in_one_objective_and_worse_in_another_is_a_trade() {
        let (text, _) =
            said(&[today(), runs(|seed, (recovery, boots)| (recovery + 1 + seed % 2, boots - 10 - seed % 3))]);
        assert!(text.contains("No setting surely beats the baseline"), "{text}");
        assert!(text.contains("Nothing is better than the baseline for recovery_s.mean."), "{text}");
        assert!(text.contains("Best for boots_attempted.mean: setting 1 (x=1)"), "{text}");
        assert!(!text.contains("Best for recovery_s"), "nothing is best that changes nothing\n{text}");
        assert!(!text.contains("Nearest"), "{text}");
    }

    #[test]
    fn settings_that_change_nothing_are_one_with_the_baseline_and_their_parameter_is_named() {
        let (text, judgement) = said(&[today(), today(), today()]);
        assert!(text.contains("Nothing that is varied moves any objective"), "{text}");
        assert!(text.contains("2 settings have the values of another one in every run"), "{text}");
        assert!(text.contains("1 as today's, 2 as today's."), "{text}");
        assert!(text.contains("Moves no figure of any run: `x`."), "{text}");
        assert!(!text.contains("Best") && !text.contains("Recommended") && !text.contains("+0.0"), "{text}");
        assert_eq!(judgement.compared, 0, "what is the same is not compared");
    }

    #[test]
    fn ties_count_once() {
        let better = || runs(|seed, (recovery, boots)| (recovery, boots - 8 - seed % 3));
        let (text, judgement) = said(&[today(), better(), better(), better()]);
        assert_eq!(judgement.compared, 2);
        assert!(text.contains("2 settings have the values of another one in every run"), "{text}");
        assert!(text.contains("2 as 1, 3 as 1."), "{text}");
        assert!(
            text.contains("1 other setting surely beats") && text.contains("1 setting is on the Pareto front"),
            "{text}"
        );
    }

    #[test]
    fn an_objective_that_no_seed_moves_is_not_optimised() {
        let (text, _) = said(&[runs(|_, (recovery, _)| (recovery, 50)), runs(|_, (recovery, _)| (recovery, 20))]);
        assert!(text.contains("No seed moves boots_attempted.mean"), "{text}");
        assert!(text.contains("No setting surely beats the baseline"), "{text}");
        let (text, _) = said(&[runs(|_, (recovery, _)| (recovery, 50)), runs(|_, (recovery, _)| (recovery - 9, 60))]);
        assert!(text.contains("No setting surely beats the baseline"), "it is worse there\n{text}");
        let (text, _) = said(&[runs(|_, (recovery, _)| (recovery, 50)), runs(|_, (recovery, _)| (recovery - 9, 50))]);
        assert!(text.contains("Nothing moves boots_attempted.mean"), "{text}");
        assert!(text.contains("Recommended: setting 1"), "{text}");
    }

    #[test]
    fn better_on_average_and_not_surely_is_told_as_such() {
        let (text, judgement) =
            said(&[today(), runs(|seed, (recovery, boots)| (recovery, if seed == 3 { 5 } else { boots }))]);
        assert!(!judgement.settings[0].on_front);
        assert!(text.contains("No setting surely beats the baseline"), "{text}");
        assert!(text.contains("Nearest to it, and not sure: setting 1 (x=1)"), "{text}");
        assert!(text.contains("; not sure\n  More seeds may tell."), "{text}");
    }

    #[test]
    fn of_those_that_are_as_good_in_an_objective_the_one_that_gains_most_is_named() {
        let (text, _) = said(&[today(), runs(|seed, _| (8 + seed % 2, 90)), runs(|seed, _| (8 + seed % 2, 70))]);
        assert!(text.contains("Best for recovery_s.mean: setting 2 (x=2)"), "{text}");
    }

    #[test]
    fn how_many_seeds_it_takes_is_told_with_how_well_that_is_known() {
        let (text, _) = said(&[today()]);
        assert!(!text.contains("% of itself"), "nothing is compared\n{text}");
        let (text, _) = said(&[today(), runs(|seed, (recovery, boots)| (recovery + seed, boots))]);
        let line = text.lines().last().expect("a line");
        assert!(line.starts_with("For every objective of every setting to within 5 % of itself: about "), "{line}");
        assert!(line.ends_with("recovery_s.mean under setting 1 needs most."), "{line}");
    }
}
