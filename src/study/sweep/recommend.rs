//! The recommendation in words: what beats today's values, by how much, with what certainty.
//!
//! Reads a judgement and adds nothing to it. To beat the baseline is to be worse in no objective and
//! better in one at least; that is asked of the same resample, so 950 of 1000 is a statement about all
//! objectives at once. What a newcomer gets wrong: among many settings the best one also had luck, and the
//! text says so.

use crate::scenario::suggest::listed;

use super::judge::{Estimate, Judged, Judgement, SURE, beats, fixed};
use super::plan::Plan;

/// The setting that is recommended: keeps the constraints, surely beats the baseline, and of those the one
/// with the largest relative gain.
pub fn best<'a>(plan: &Plan, judgement: &'a Judgement) -> Option<&'a Judged> {
    let base = &judgement.settings[0];
    let sure = judgement.settings[1..].iter().filter(|judged| judged.keeps() && judged.surely_beats());
    sure.max_by(|a, b| gain(plan, base, a).total_cmp(&gain(plan, base, b)).then(b.setting.cmp(&a.setting)))
}

/// The sum over the objectives of the gain relative to the baseline's value.
fn gain(plan: &Plan, base: &Judged, judged: &Judged) -> f64 {
    let of = |index: usize| {
        let (now, then) = (judged.objectives[index].value, base.objectives[index].value);
        let gained = if plan.objectives[index].maximise { now - then } else { then - now };
        if then == 0.0 { 0.0 } else { gained / then.abs() }
    };
    (0..plan.objectives.len()).map(of).sum()
}

/// The recommendation, in plain text.
pub fn recommendation(plan: &Plan, judgement: &Judgement) -> String {
    let mut text = format!("{}: what follows from {} runs\n", plan.name, plan.runs());
    let settings = &judgement.settings;
    text.push_str(&format!(
        "{} settings x {} scenarios and variants x {} seeds; intervals are 95 %, from {} resamples of the seeds.\n\n",
        settings.len(),
        plan.pairs().len(),
        plan.seed_count(),
        judgement.resamples
    ));
    let base = &settings[0];
    text.push_str(&format!("Today: {}\n", plan.words(0)));
    for (objective, estimate) in plan.objectives.iter().zip(&base.objectives) {
        text.push_str(&format!("  {:<40} {}\n", objective.name(), with_interval(estimate)));
    }
    for (constraint, (value, kept)) in plan.constraints.iter().zip(&base.constraints) {
        let kept = if *kept { "kept" } else { "BROKEN" };
        text.push_str(&format!("  constraint {:<29} {kept}, at {}\n", constraint.text(), fixed(*value)));
    }
    text.push('\n');
    let others = &settings[1..];
    if others.is_empty() {
        text.push_str("There is no other setting to compare it with.\n");
        return text;
    }
    if judgement.resamples == 0 {
        text.push_str("One seed says nothing about certainty: run more seeds before anything is changed.\n");
        return text;
    }
    let keeping = others.iter().filter(|judged| judged.keeps()).count();
    if !plan.constraints.is_empty() {
        text.push_str(&format!("{keeping} of {} other settings keep every constraint.\n", others.len()));
    }
    match best(plan, judgement) {
        Some(best) => {
            let sure = others.iter().filter(|judged| judged.keeps() && judged.surely_beats()).count();
            text.push_str(&format!(
                "{sure} other setting{} the baseline: worse in no objective and better in one at least, at once in at \
                 least {SURE} of 1000 resamples.\n",
                if sure == 1 { " beats" } else { "s beat" }
            ));
            text.push_str(&format!("\nRecommended: {}\n", plan.words(best.setting)));
            lines(plan, base, best, &mut text);
            text.push_str(&format!("  {}.\n", certainty(plan, best)));
            if sure > 1 {
                text.push_str(
                    "  It is the best of several; the best of many also had luck. Confirm it with other seeds.\n",
                );
            }
        }
        None => traded(plan, judgement, &mut text),
    }
    let front = settings.iter().filter(|judged| judged.on_front).count();
    let on = if base.on_front { "is one of them" } else { "is not among them" };
    text.push_str(&format!(
        "\n{front} setting{} on the Pareto front (pareto.csv); the baseline {on}.\n",
        if front == 1 { " is" } else { "s are" }
    ));
    text
}

/// How surely a setting beats the baseline.
fn certainty(plan: &Plan, judged: &Judged) -> String {
    let permille = judged.beats_permille.unwrap_or(0);
    if judged.all_permille == permille {
        return format!("Better in every objective in {permille} of 1000 resamples");
    }
    let equal = plan.objectives.iter().zip(&judged.equal).filter(|(_, equal)| **equal);
    let equal: Vec<String> = equal.map(|(objective, _)| objective.name()).collect();
    let same = match equal.len() {
        0 => String::new(),
        _ => format!("; the same in {} in all of them", listed(equal.iter().map(String::as_str))),
    };
    format!("Worse in no objective and better in one at least in {permille} of 1000 resamples{same}")
}

/// What there is to say when nothing surely beats the baseline.
fn traded(plan: &Plan, judgement: &Judgement, text: &mut String) {
    let (base, others) = (&judgement.settings[0], &judgement.settings[1..]);
    let moves = |judged: &Judged| judged.objectives.iter().any(|estimate| fixed(estimate.difference) != "0.000");
    if !others.iter().any(moves) {
        text.push_str("Nothing that is varied moves any objective: every setting has the baseline's values.\n");
        return;
    }
    text.push_str("No setting surely beats the baseline: worse in no objective and better in one at least.\n");
    let keeping = || others.iter().filter(|judged| judged.keeps());
    let permille = |judged: &Judged| judged.beats_permille.unwrap_or(0);
    let near = keeping().filter(|judged| beats(plan, judged, base));
    // Of equals the first.
    if let Some(nearest) = near.max_by_key(|judged| (permille(judged), std::cmp::Reverse(judged.setting))) {
        text.push_str(&format!("\nNearest to it, and not sure: {}\n", plan.words(nearest.setting)));
        lines(plan, base, nearest, text);
        text.push_str(&format!("  {}; more seeds may tell.\n", certainty(plan, nearest)));
    }
    text.push_str("\nWhat is traded:\n");
    if keeping().next().is_none() {
        text.push_str("  nothing: no other setting keeps the constraints.\n");
        return;
    }
    for (index, objective) in plan.objectives.iter().enumerate() {
        let signed = |judged: &Judged| {
            let value = judged.objectives[index].value;
            if objective.maximise { -value } else { value }
        };
        // Of those that are as good in this objective, the one that gains most in all.
        let by_value = |a: &&Judged, b: &&Judged| {
            signed(a).total_cmp(&signed(b)).then(gain(plan, base, b).total_cmp(&gain(plan, base, a)))
        };
        let best = keeping().min_by(by_value).expect("one keeps the constraints");
        let difference = &best.objectives[index].difference;
        if signed(best) >= signed(base) || fixed(*difference) == "0.000" {
            text.push_str(&format!("\nNothing is better than the baseline for {}.\n", objective.name()));
            continue;
        }
        text.push_str(&format!("\nBest for {}: {}\n", objective.name(), plan.words(best.setting)));
        lines(plan, base, best, text);
    }
}

fn lines(plan: &Plan, base: &Judged, judged: &Judged, text: &mut String) {
    for ((objective, estimate), then) in plan.objectives.iter().zip(&judged.objectives).zip(&base.objectives) {
        let relative = if then.value == 0.0 {
            String::new()
        } else {
            format!(" ({:+.1} %)", estimate.difference / then.value.abs() * 100.0)
        };
        let range = estimate
            .difference_interval
            .map_or_else(String::new, |(low, high)| format!(", interval {} .. {}", fixed(low), fixed(high)));
        text.push_str(&format!(
            "  {:<40} {} -> {}{relative}; difference {}{range}\n",
            objective.name(),
            fixed(then.value),
            fixed(estimate.value),
            fixed(estimate.difference),
        ));
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
    use crate::study::sweep::file::{Aggregate, Objective};
    use crate::study::sweep::judge::judge;
    use crate::study::sweep::plan::StoryPlan;
    use crate::study::sweep::rows::{self, metric_names};

    /// What follows when settings have these values of recovery and boots, a pair for each seed.
    fn said(settings: &[&[(u32, u32)]]) -> (String, Judgement) {
        let objective = |metric: &str| Objective {
            metric: metric.to_owned(),
            aggregate: Aggregate::Mean,
            maximise: false,
            scenario: None,
            variant: None,
        };
        let story = StoryPlan { name: "story".into(), file: "story.toml".into(), variants: vec!["main".into()] };
        let plan = Plan {
            schema: 1,
            tool: "test".into(),
            name: "test".into(),
            about: String::new(),
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

    #[test]
    fn better_in_one_objective_and_equal_in_the_others_beats_the_baseline() {
        let (text, judgement) =
            said(&[&[(10, 50), (12, 52), (9, 54), (11, 50)], &[(10, 40), (12, 43), (9, 44), (11, 41)]]);
        assert!(!judgement.settings[0].on_front);
        assert!(text.contains("1 other setting beats the baseline"), "{text}");
        assert!(text.contains("Recommended: setting 1 (x=1)"), "{text}");
        let sure = "Worse in no objective and better in one at least in 1000 of 1000 resamples; the same in `recovery_s.mean` in all of them.";
        assert!(text.contains(sure), "{text}");
    }

    #[test]
    fn better_in_one_objective_and_worse_in_another_is_a_trade() {
        let (text, _) =
            said(&[&[(10, 50), (12, 52), (9, 54)], &[(11, 40), (13, 43), (10, 44)], &[(10, 50), (12, 52), (9, 54)]]);
        assert!(text.contains("No setting surely beats the baseline"), "{text}");
        assert!(text.contains("Nothing is better than the baseline for recovery_s.mean."), "{text}");
        assert!(text.contains("Best for boots_attempted.mean: setting 1 (x=1)"), "{text}");
        assert!(!text.contains("Best for recovery_s"), "nothing is best that changes nothing\n{text}");
        assert!(!text.contains("Nearest"), "{text}");
    }

    #[test]
    fn settings_that_change_nothing_are_not_the_best_of_anything() {
        let same: &[(u32, u32)] = &[(10, 50), (12, 52)];
        let (text, judgement) = said(&[same, same, same]);
        assert!(text.contains("Nothing that is varied moves any objective"), "{text}");
        assert!(!text.contains("Best") && !text.contains("Recommended") && !text.contains("+0.0"), "{text}");
        assert!(best_of(&judgement).is_none());
    }

    fn best_of(judgement: &Judgement) -> Option<usize> {
        judgement.settings[1..].iter().find(|judged| judged.surely_beats()).map(|judged| judged.setting)
    }

    #[test]
    fn better_on_average_and_not_surely_is_told_as_such() {
        let (text, judgement) = said(&[&[(10, 50), (12, 52), (9, 54)], &[(10, 20), (12, 60), (9, 55)]]);
        assert!(!judgement.settings[0].on_front);
        assert!(text.contains("No setting surely beats the baseline"), "{text}");
        assert!(text.contains("Nearest to it, and not sure: setting 1 (x=1)"), "{text}");
        assert!(text.contains("of 1000 resamples; the same in `recovery_s.mean` in all of them; more seeds may tell."));
    }

    #[test]
    fn of_those_that_are_as_good_in_an_objective_the_one_that_gains_most_is_named() {
        let base: &[(u32, u32)] = &[(10, 50), (12, 52), (9, 54)];
        let (text, _) = said(&[base, &[(8, 90), (8, 90), (8, 90)], &[(8, 70), (8, 70), (8, 70)]]);
        assert!(text.contains("Best for recovery_s.mean: setting 2 (x=2)"), "{text}");
    }
}
