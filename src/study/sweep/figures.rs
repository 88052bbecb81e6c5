//! The figures of a sweep: which plots a judgement and its rows deserve.
//!
//! It chooses and labels; drawing is the plots' own business. Nothing is computed here that is not in a
//! table.

use crate::kernel::SimDuration;
use crate::report::plots::{
    Bar, Curve, Distribution, Dot, HeatMap, Mark, Point, Scatter, bars, curves, distributions, heat_map, scatter,
};

use super::judgement::{Judged, Judgement};
use super::plan::Plan;
use super::recommend;
use super::rows::{Blocks, metric_names};

/// A parameter with more values is a scatter, not a curve or a side of a heat map.
const VALUES_MAX: usize = 16;
/// So many parameters are drawn against each other.
const PAIRED_MAX: usize = 5;
/// So many settings stand in the bars.
const SHOWN_MAX: usize = 6;

/// A figure: the name of its file, what it is, and the drawing.
pub struct Figure {
    /// Without its ending.
    pub name: String,
    /// Under which heading of the report.
    pub heading: &'static str,
    pub svg: String,
}

const TRADES: &str = "What is traded";
const ONE: &str = "One parameter at a time";
const PAIRS: &str = "Pairs of parameters";
const TIMES: &str = "How long recovery takes";
const META: &str = "Does the fleet come back?";
const WAITING: &str = "The cost of waiting";

/// The headings of the report, with what stands under each.
pub const HEADINGS: [(&str, &str); 6] = [
    (TRADES, "Each dot is a setting. Nothing beats those on the front in all objectives at once."),
    (
        TIMES,
        "The share of runs that had recovered after so many seconds, under today's values, the recommended ones, and others of the \
         front. Where stories have a trigger, runs of those without one are left out, here and in the next two figures.",
    ),
    (
        META,
        "Amplification: the rate of backend calls and of boots while the trigger lasted, and after it was gone, against the rate \
         before. A fleet is metastable when it does not return although its trigger is gone.",
    ),
    (WAITING, "The dependency is back, and apps still sit in cooldown: pool-seconds of it, beside the recovery."),
    (ONE, "Bands are 95 % intervals over seeds."),
    (PAIRS, "Means over everything else that is varied; green is better."),
];

/// Draws all of them.
///
/// # Errors
/// Rows that cannot be read.
pub fn figures(plan: &Plan, judgement: &Judgement, runs: impl std::io::Read) -> Result<Vec<Figure>, String> {
    let mut all = Vec::new();
    let best = recommend::best(plan, judgement).map(|judged| judged.setting);
    trades(plan, judgement, best, &mut all);
    let shown = shown(judgement, best);
    recovery(plan, &shown, best, runs, &mut all)?;
    amplification(judgement, &shown, best, &mut all);
    waiting(judgement, &shown, best, &mut all);
    let columns: Vec<(usize, Vec<String>)> =
        (0..plan.paths.len()).map(|column| (column, values_of(plan, column))).filter(|(_, v)| v.len() > 1).collect();
    for (column, values) in &columns {
        one_parameter(plan, judgement, *column, values, &mut all);
    }
    let paired: Vec<_> = columns.iter().filter(|(_, values)| values.len() <= VALUES_MAX).take(PAIRED_MAX).collect();
    for (index, x) in paired.iter().enumerate() {
        for y in &paired[index + 1..] {
            pair(plan, judgement, x, y, &mut all);
        }
    }
    Ok(all)
}

/// A path without what all of them share.
pub fn short(path: &str) -> &str {
    path.strip_prefix("tuning.").unwrap_or(path)
}

/// A name as part of a file's name.
fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

/// A value as a number, in seconds where it is a duration.
fn numeric(text: &str) -> Option<f64> {
    let seconds = text.parse::<SimDuration>().ok().map(|duration| duration.as_nanos() as f64 / 1e9);
    seconds.or_else(|| text.parse().ok())
}

/// A value as a label: of a list what is in it.
pub fn label(value: &str) -> String {
    match value.strip_prefix('[').and_then(|value| value.strip_suffix(']')) {
        Some("") => "none".to_owned(),
        Some(inside) => inside.replace('"', ""),
        None => value.to_owned(),
    }
}

/// The values of a parameter, the numbers among them in their order.
fn values_of(plan: &Plan, column: usize) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for value in plan.settings.iter().filter_map(|setting| setting[column].as_ref()) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    if values.iter().all(|value| numeric(value).is_some()) {
        values.sort_by(|a, b| numeric(a).unwrap_or(0.0).total_cmp(&numeric(b).unwrap_or(0.0)));
    }
    values
}

/// The settings that the bars show: today's, the recommended one, and some of the front that differ from them.
fn shown(judgement: &Judgement, best: Option<usize>) -> Vec<usize> {
    let settings = &judgement.settings;
    let mut shown = vec![0];
    shown.extend(best);
    for judged in settings.iter().filter(|judged| judged.on_front) {
        let same = |known: &usize| settings[*known].objectives == judged.objectives;
        if shown.len() < SHOWN_MAX && !shown.iter().any(same) {
            shown.push(judged.setting);
        }
    }
    shown
}

fn title_of(setting: usize, best: Option<usize>) -> String {
    match setting {
        0 => "today".to_owned(),
        n if Some(n) == best => format!("setting {n} (recommended)"),
        n => format!("setting {n}"),
    }
}

fn trades(plan: &Plan, judgement: &Judgement, best: Option<usize>, all: &mut Vec<Figure>) {
    for x in 0..plan.objectives.len() {
        for y in x + 1..plan.objectives.len() {
            let dots = judgement.settings.iter().map(|judged| Dot {
                x: judged.objectives[x].value,
                y: judged.objectives[y].value,
                words: plan.words(judged.setting),
                front: judged.on_front,
                mark: match judged.setting {
                    0 => Mark::Today,
                    n if Some(n) == best => Mark::Best,
                    _ if judged.on_front => Mark::Front,
                    _ => Mark::Plain,
                },
            });
            let names = (plan.objectives[x].name(), plan.objectives[y].name());
            let title = format!("{} against {}", names.1, names.0);
            let svg = scatter(&Scatter { title, dots: dots.collect(), names: names.clone() });
            let name = format!("pareto-{}-{}", slug(&names.0), slug(&names.1));
            all.push(Figure { name, heading: TRADES, svg });
        }
    }
}

fn metric(means: &[f64], name: &str) -> f64 {
    means[column(name)]
}

fn column(name: &str) -> usize {
    metric_names().iter().position(|known| *known == name).expect("a metric")
}

fn recovery(
    plan: &Plan,
    shown: &[usize],
    best: Option<usize>,
    runs: impl std::io::Read,
    all: &mut Vec<Figure>,
) -> Result<(), String> {
    let column = column("recovery_s");
    let mut wanted: Vec<Distribution> = Vec::new();
    for block in Blocks::new(plan, runs) {
        let block = block?;
        if shown.iter().take(4).any(|known| *known == block.setting) {
            let (all, triggered) = (&block.values[column], block.triggered());
            let some = || triggered.iter().map(|run| all[*run]).collect();
            let values = if triggered.is_empty() { all.clone() } else { some() };
            wanted.push(Distribution { name: title_of(block.setting, best), values });
        }
    }
    let svg = distributions("Recovery times", "recovery_s", &wanted);
    all.push(Figure { name: "recovery".to_owned(), heading: TIMES, svg });
    Ok(())
}

/// Rates during and after the trigger, against before; none without a trigger.
pub fn amplifications(judged: &Judged) -> Option<[f64; 4]> {
    let means = judged.aftermath.as_deref()?;
    let rate = |count: &str, time: &str| {
        let seconds = metric(means, time);
        if seconds > 0.0 { metric(means, count) / seconds } else { 0.0 }
    };
    let (calls, boots) = (rate("calls_before", "before_s"), rate("boots_before", "before_s"));
    let against = |now: f64, before: f64| if before > 0.0 { now / before } else { 0.0 };
    Some([
        against(rate("calls_during", "during_s"), calls),
        against(rate("calls_after", "after_s"), calls),
        against(rate("boots_during", "during_s"), boots),
        against(rate("boots_after", "after_s"), boots),
    ])
}

fn amplification(judgement: &Judgement, shown: &[usize], best: Option<usize>, all: &mut Vec<Figure>) {
    let groups: Vec<Bar> = shown
        .iter()
        .filter_map(|setting| {
            let judged = &judgement.settings[*setting];
            let values = amplifications(judged)?.to_vec();
            let returned = metric(judged.aftermath.as_deref()?, "returned") * 100.0;
            Some(Bar { name: format!("{}: {returned:.0} % of runs came back", title_of(*setting, best)), values })
        })
        .collect();
    if groups.is_empty() {
        return;
    }
    let series = ["calls during", "calls after", "boots during", "boots after"];
    let svg = bars("Amplification", "times the rate before the trigger", &series, &groups);
    all.push(Figure { name: "metastability".to_owned(), heading: META, svg });
}

fn waiting(judgement: &Judgement, shown: &[usize], best: Option<usize>, all: &mut Vec<Figure>) {
    let bar = |setting: &usize| {
        let means = judgement.settings[*setting].aftermath.as_deref()?;
        let values = vec![metric(means, "cooldown_after_s"), metric(means, "recovery_s")];
        Some(Bar { name: title_of(*setting, best), values })
    };
    let groups: Vec<Bar> = shown.iter().filter_map(bar).collect();
    if groups.is_empty() {
        return;
    }
    let series = ["cooldown_after_s", "recovery_s"];
    let svg = bars("In cooldown although the trigger is gone", "seconds, mean of the runs", &series, &groups);
    all.push(Figure { name: "cost-of-waiting".to_owned(), heading: WAITING, svg });
}

fn one_parameter(plan: &Plan, judgement: &Judgement, column: usize, values: &[String], all: &mut Vec<Figure>) {
    let path = short(&plan.paths[column]);
    for (index, objective) in plan.objectives.iter().enumerate() {
        let name = format!("by-{}-{}", slug(path), slug(&objective.name()));
        if values.len() > VALUES_MAX {
            let dots = judgement.settings.iter().filter_map(|judged| {
                let value = plan.settings[judged.setting][column].as_deref().and_then(numeric)?;
                let mark = if judged.setting == 0 { Mark::Today } else { Mark::Plain };
                let (y, words) = (judged.objectives[index].value, plan.words(judged.setting));
                Some(Dot { x: value, y, words, front: false, mark })
            });
            let names = (path.to_owned(), objective.name());
            let svg =
                scatter(&Scatter { title: format!("{} by {path}", objective.name()), names, dots: dots.collect() });
            all.push(Figure { name, heading: ONE, svg });
            continue;
        }
        let others_as_today = |judged: &&Judged| {
            let (here, today) = (&plan.settings[judged.setting], &plan.settings[0]);
            (0..plan.paths.len()).all(|other| other == column || here[other] == today[other])
        };
        let at = |value: &String, slice: bool| -> Vec<&Judged> {
            let has = |judged: &&Judged| plan.settings[judged.setting][column].as_ref() == Some(value);
            judgement.settings.iter().filter(has).filter(|judged| !slice || others_as_today(judged)).collect()
        };
        let slice = values.iter().all(|value| !at(value, true).is_empty());
        let points = values.iter().map(|value| {
            let found: Vec<_> = at(value, slice).iter().map(|judged| &judged.objectives[index]).collect();
            let mean = |number: &dyn Fn(usize) -> f64| (0..found.len()).map(number).sum::<f64>() / found.len() as f64;
            let known = found.iter().all(|estimate| estimate.interval.is_some());
            let end =
                |upper: bool| mean(&|n| found[n].interval.map_or(0.0, |(low, high)| if upper { high } else { low }));
            Point {
                label: label(value),
                value: mean(&|n| found[n].value),
                interval: known.then(|| (end(false), end(true))),
            }
        });
        let curve = Curve { name: objective.name(), points: points.collect() };
        let how = if slice { "the others as today" } else { "mean over the others" };
        let title = format!("{} by {path}", objective.name());
        let svg = curves(&title, &format!("{path} ({how})"), &objective.name(), &[curve]);
        all.push(Figure { name, heading: ONE, svg });
    }
}

fn pair(plan: &Plan, judgement: &Judgement, x: &(usize, Vec<String>), y: &(usize, Vec<String>), all: &mut Vec<Figure>) {
    let (x_name, y_name) = (short(&plan.paths[x.0]), short(&plan.paths[y.0]));
    for (index, objective) in plan.objectives.iter().enumerate() {
        let mut sums = vec![vec![(0.0, 0_u32); x.1.len()]; y.1.len()];
        let place = |setting: usize, side: &(usize, Vec<String>)| {
            let value = plan.settings[setting][side.0].as_ref()?;
            side.1.iter().position(|known| known == value)
        };
        for judged in &judgement.settings {
            if let (Some(column), Some(row)) = (place(judged.setting, x), place(judged.setting, y)) {
                sums[row][column].0 += judged.objectives[index].value;
                sums[row][column].1 += 1;
            }
        }
        let mean = |(sum, count): &(f64, u32)| (*count > 0).then(|| sum / f64::from(*count));
        let svg = heat_map(&HeatMap {
            title: objective.name(),
            x: (x_name.to_owned(), x.1.iter().map(|value| label(value)).collect()),
            y: (y_name.to_owned(), y.1.iter().map(|value| label(value)).collect()),
            cells: sums.iter().map(|row| row.iter().map(mean).collect()).collect(),
            maximise: objective.maximise,
            today: place(0, x).zip(place(0, y)),
        });
        let name = format!("heat-{}-{}-{}", slug(x_name), slug(y_name), slug(&objective.name()));
        all.push(Figure { name, heading: PAIRS, svg });
    }
}
