//! `report.html`: one file with the recommendation, every figure, and the numbers under them.
//!
//! No network, no script, the same bytes every time; a strict policy keeps it so. What a newcomer
//! gets wrong: everything that a user wrote passes through maud's escaping; only our own drawings
//! are put in as they are, and they escape for themselves.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::estimate::Estimate;
use super::figures::{Figure, HEADINGS, amplifications, label, short};
use super::judgement::{Against, Judged, Judgement};
use super::plan::Plan;
use super::recommend;
use super::summary::fixed;

/// Longer tables are cut; the files have all of it.
const ROWS_MAX: usize = 200;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:84rem;padding:0 1rem;overflow-wrap:anywhere}\
p,pre{max-width:72rem}pre{white-space:pre-wrap;background:#8881;padding:1rem;border-radius:6px;overflow-x:auto}\
.figures{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;max-width:100%}svg{max-width:100%;height:auto;display:block}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;overflow-wrap:normal}\
td,th{padding:.15rem .6rem;border-bottom:1px solid #8884;text-align:right;white-space:nowrap}th{white-space:normal}\
th:first-child,td:first-child{text-align:left;white-space:normal}small{display:block;opacity:.75}\
.today{background:#bc4c0022}.best{background:#1a7f3722}.wide{overflow-x:auto}\
@media(max-width:48rem){pre{white-space:pre}}\
@media(prefers-color-scheme:dark){body{background:#0d1117}}\
@media print{details{display:block}figure{break-inside:avoid}}";

/// The page.
pub fn page(plan: &Plan, judgement: &Judgement, figures: &[Figure]) -> String {
    let text = recommend::recommendation(plan, judgement);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width";
                title { (plan.name) " - sweep" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (plan.name) }
                @if !plan.about.is_empty() { p { (plan.about) } }
                h2 { "Recommendation" }
                pre { (text) }
                (front(plan, judgement))
                @for (heading, about) in HEADINGS {
                    @let below: Vec<&Figure> = figures.iter().filter(|figure| figure.heading == heading).collect();
                    @if !below.is_empty() {
                        h2 { (heading) }
                        p { (about) }
                        div class="figures" { @for figure in below { figure id=(figure.name) { (PreEscaped(&figure.svg)) } } }
                    }
                }
                (metastability(plan, judgement))
                (all(plan, judgement))
                h2 { "What was run" }
                p {
                    (plan.runs()) " runs: " (plan.settings.len()) " settings, seeds " (plan.seeds.0) " to " (plan.seeds.1 - 1)
                    ", by " (plan.tool) ". Digest of the sweep and all of its files: " code { (plan.digest) }
                }
                ul { @for story in &plan.scenarios { li { code { (story.file) } " (" (story.variants.join(", ")) ")" } } }
            }
        }
    };
    page.into_string()
}

fn class(plan: &Plan, judgement: &Judgement, setting: usize) -> &'static str {
    match setting {
        0 => "today",
        n if recommend::best(plan, judgement).is_some_and(|best| best.setting == n) => "best",
        _ => "",
    }
}

fn heads(plan: &Plan) -> Markup {
    html! {
        th { "setting" }
        @for path in &plan.paths { th { (short(path)) } }
        @for objective in &plan.objectives { th { (objective.name()) } th { "against today" } }
        @for constraint in &plan.constraints { th { (constraint.text()) } }
    }
}

fn cells(plan: &Plan, judged: &Judged) -> Markup {
    let against = |estimate: &Estimate, against: Against| {
        html! {
            (fixed(estimate.difference))
            @if let Some((low, high)) = estimate.difference_interval { small { (fixed(low)) " .. " (fixed(high)) } }
            @if judged.setting != 0 { small { (against.name()) } }
        }
    };
    html! {
        td {
            @if judged.setting == 0 { "today" } @else { (judged.setting) }
            @if let Some(first) = judged.twin_of { small { "the same as " @if first == 0 { "today" } @else { (first) } } }
        }
        @for value in &plan.settings[judged.setting] { td { (value_cell(value.as_deref())) } }
        @for (estimate, sure) in judged.objectives.iter().zip(&judged.against) {
            td { (fixed(estimate.value)) } td { (against(estimate, *sure)) }
        }
        @for (value, kept) in &judged.constraints { td { (fixed(*value)) @if !*kept { " broken" } } }
    }
}

/// A value; of a list each entry in a line of its own.
fn value_cell(value: Option<&str>) -> Markup {
    let text = value.map_or_else(|| "as it is".to_owned(), label);
    html! { @for (index, entry) in text.split(", ").enumerate() { @if index > 0 { br; } (entry) } }
}

fn table(plan: &Plan, judgement: &Judgement, rows: &[&Judged]) -> Markup {
    html! {
        div class="wide" { table {
            thead { tr { (heads(plan)) } }
            tbody { @for judged in rows.iter().take(ROWS_MAX) {
                tr class=(class(plan, judgement, judged.setting)) { (cells(plan, judged)) }
            } }
        } }
        @if rows.len() > ROWS_MAX { p { "… and " (rows.len() - ROWS_MAX) " more in summary.csv" } }
    }
}

fn front(plan: &Plan, judgement: &Judgement) -> Markup {
    let rows: Vec<&Judged> =
        judgement.settings.iter().filter(|judged| judged.on_front || judged.setting == 0).collect();
    html! {
        h2 { "The Pareto front" }
        p { "The settings that keep the constraints and that none beats, as their values came out; with today's for comparison. Differences are paired by seed, with 95 % intervals; better and worse are said where they are sure among all that was compared." }
        (table(plan, judgement, &rows))
    }
}

fn metastability(plan: &Plan, judgement: &Judgement) -> Markup {
    let rows: Vec<(&Judged, [f64; 4])> =
        judgement.settings.iter().filter_map(|judged| Some((judged, amplifications(judged)?))).collect();
    html! { @if !rows.is_empty() {
        h2 { "Amplification, in numbers" }
        details { summary { (rows.len()) " settings" }
            div class="wide" { table {
                thead { tr {
                    th { "setting" } th { "calls during" } th { "calls after" } th { "boots during" } th { "boots after" }
                } }
                tbody { @for (judged, values) in rows.iter().take(ROWS_MAX) {
                    tr class=(class(plan, judgement, judged.setting)) {
                        td { (plan.words(judged.setting)) } @for value in values { td { (fixed(*value)) } }
                    }
                } }
            } }
        }
    } }
}

fn all(plan: &Plan, judgement: &Judgement) -> Markup {
    let rows: Vec<&Judged> = judgement.settings.iter().collect();
    html! {
        h2 { "All settings" }
        details { summary { (rows.len()) " settings" } (table(plan, judgement, &rows)) }
    }
}
