//! `summary.csv` and `pareto.csv`: the numbers of a judgement as tables.
//!
//! Says of every row what it is about: an objective as the sweep wishes it, one story, or all of them. It computes
//! nothing that the judgement or the statistics do not give.

use super::estimate::{Estimate, Statistic};
use super::file::Aggregate;
use super::judgement::{Judged, Judgement, PRECISION, values};
use super::plan::Plan;
use super::rows::{self, Block, metric_names};
use super::stats::{self, NEEDED_MAX, Needed, Seeds};

/// A number with three decimals; never `-0.000`.
pub fn fixed(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

/// What a row is about, and which of them: the words of the columns `scope` and `story`.
type About<'a> = (&'static str, &'a str);

pub(super) fn header(plan: &Plan) -> String {
    let mut names = vec!["setting"];
    names.extend(plan.paths.iter().map(String::as_str));
    names.extend(["scope", "story", "metric", "aggregate", "runs", "value", "low", "high", "median", "p95"]);
    names.extend(["diff", "diff_low", "diff_high", "stories_low", "stories_high"]);
    names.extend(["seeds_needed", "seeds_needed_low", "seeds_needed_high"]);
    rows::line(names)
}

/// The rows of a setting: its objectives, then every metric over all stories, then over each of several.
pub(super) fn rows(plan: &Plan, seeds: &Seeds, base: &Block, block: &Block, judged: &Judged) -> String {
    let mut text = String::new();
    let mut setting = vec![block.setting.to_string()];
    setting.extend(plan.settings[block.setting].iter().map(|value| value.clone().unwrap_or_default()));
    let mut row = |about: About<'_>, metric: &str, how: Aggregate, mut runs: Vec<f64>, estimate: &Estimate| {
        runs.sort_unstable_by(f64::total_cmp);
        let needed = estimate.needed(seeds, PRECISION);
        let ends = |ends: Option<(f64, f64)>| {
            let (low, high) = ends.unzip();
            [low, high].map(|end| end.map(fixed).unwrap_or_default())
        };
        let count = |of: fn(Needed) -> Option<u64>| {
            needed.and_then(of).filter(|count| *count < NEEDED_MAX).map(|count| count.to_string()).unwrap_or_default()
        };
        let mut fields = setting.clone();
        fields.extend([about.0, about.1, metric, how.name()].map(str::to_owned));
        fields.extend([runs.len().to_string(), fixed(estimate.value)]);
        fields.extend(ends(estimate.interval));
        fields.extend([fixed(stats::median(&runs)), fixed(stats::quantile(&runs, 95)), fixed(estimate.difference)]);
        fields.extend(ends(estimate.difference_interval));
        fields.extend(ends(estimate.over_stories));
        fields.extend([
            count(|needed| Some(needed.seeds)),
            count(|needed| Some(needed.low)),
            count(|needed| needed.high),
        ]);
        text.push_str(&rows::line(fields.iter().map(String::as_str)));
    };
    for (objective, estimate) in plan.objectives.iter().zip(&judged.objectives) {
        let runs = values(plan, objective, block);
        row(("objective", &objective.of()), &objective.metric, objective.aggregate, runs, estimate);
    }
    let stories = plan.stories();
    let mut means = |about: About<'_>, runs: std::ops::Range<usize>| {
        for (index, metric) in metric_names().into_iter().enumerate() {
            let of = |block: &Block| Statistic::of(Aggregate::Mean, seeds, block.values[index][runs.clone()].to_vec());
            let ours = of(block);
            let estimate = ours.against(&of(base), seeds);
            row(about, metric, Aggregate::Mean, ours.runs, &estimate);
        }
    };
    means(("all", ""), 0..stories.len() * seeds.count());
    if stories.len() > 1 {
        for (index, story) in stories.iter().enumerate() {
            means(("story", story), index * seeds.count()..(index + 1) * seeds.count());
        }
    }
    text
}

/// `pareto.csv`.
pub fn pareto(plan: &Plan, judgement: &Judgement) -> String {
    let mut names: Vec<String> = vec!["setting".to_owned()];
    names.extend(plan.paths.iter().cloned());
    names.push("baseline".to_owned());
    for objective in &plan.objectives {
        let name = objective.name();
        names.extend([name.clone(), format!("{name} low"), format!("{name} high"), format!("{name} against baseline")]);
    }
    let mut text = rows::line(names.iter().map(String::as_str));
    for judged in judgement.settings.iter().filter(|judged| judged.on_front) {
        let mut fields = vec![judged.setting.to_string()];
        fields.extend(plan.settings[judged.setting].iter().map(|value| value.clone().unwrap_or_default()));
        fields.push(u8::from(judged.setting == 0).to_string());
        for (estimate, against) in judged.objectives.iter().zip(&judged.against) {
            let (low, high) = estimate.interval.unzip();
            let [low, high] = [low, high].map(|end| end.map(fixed).unwrap_or_default());
            fields.extend([fixed(estimate.value), low, high, against.name().to_owned()]);
        }
        text.push_str(&rows::line(fields.iter().map(String::as_str)));
    }
    text
}
