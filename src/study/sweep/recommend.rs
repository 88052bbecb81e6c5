//! The recommendation in words: what beats today's values, by how much, with what certainty.
//!
//! Reads a judgement and adds nothing to it. What a newcomer gets wrong: "better in every objective"
//! is asked of the same resample, so 950 of 1000 is a statement about all objectives at once; among
//! many settings the best one also had luck, and the text says so.

use super::judge::{Estimate, Judged, Judgement, fixed};
use super::plan::Plan;

/// A setting counts as better when it is so in at least this many of a thousand resamples.
const SURE: u32 = 950;

/// The setting that is recommended: keeps the constraints, surely beats the baseline in every
/// objective, and of those the one with the largest relative gain.
pub fn best<'a>(plan: &Plan, judgement: &'a Judgement) -> Option<&'a Judged> {
    let base = &judgement.settings[0];
    let sure = judgement.settings[1..]
        .iter()
        .filter(|judged| judged.keeps() && judged.better_permille.is_some_and(|permille| permille >= SURE));
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
            let sure = others
                .iter()
                .filter(|judged| judged.keeps() && judged.better_permille.is_some_and(|permille| permille >= SURE));
            let sure = sure.count();
            text.push_str(&format!(
                "{sure} of them beat{} the baseline in every objective at once, in at least {SURE} of 1000 resamples.\n",
                if sure == 1 { "s" } else { "" }
            ));
            text.push_str(&format!("\nRecommended: {}\n", plan.words(best.setting)));
            lines(plan, base, best, &mut text);
            let permille = best.better_permille.unwrap_or(0);
            text.push_str(&format!("  Better in every objective in {permille} of 1000 resamples.\n"));
            if sure > 1 {
                text.push_str(
                    "  It is the best of several; the best of many also had luck. Confirm it with other seeds.\n",
                );
            }
        }
        None => {
            text.push_str("No setting surely beats the baseline in every objective. What is traded:\n");
            for (index, objective) in plan.objectives.iter().enumerate() {
                let signed = |judged: &&Judged| {
                    let value = judged.objectives[index].value;
                    if objective.maximise { -value } else { value }
                };
                let candidates = others.iter().filter(|judged| judged.keeps());
                let Some(best) = candidates.min_by(|a, b| signed(a).total_cmp(&signed(b))) else {
                    text.push_str("  nothing: no other setting keeps the constraints.\n");
                    break;
                };
                text.push_str(&format!("\nBest for {}: {}\n", objective.name(), plan.words(best.setting)));
                lines(plan, base, best, &mut text);
            }
        }
    }
    let front = settings.iter().filter(|judged| judged.on_front).count();
    let on = if base.on_front { "is one of them" } else { "is not among them" };
    text.push_str(&format!(
        "\n{front} setting{} on the Pareto front (pareto.csv); the baseline {on}.\n",
        if front == 1 { " is" } else { "s are" }
    ));
    text
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
