//! `schedsim compare FILE`: the same story under two logics side by side, or without each fix.
//!
//! It runs and prints; what differs is decided in `study`. What a newcomer gets wrong: both sides
//! have the seed and the tuning of *one* variant, so that only the logic differs – unless a side
//! names a variant itself.

use clap::Args;
use rayon::join;
use schedsim::controllers::fixes::Fix;
use schedsim::replay::Replay;
use schedsim::report;
use schedsim::scenario::{Scenario, Variant};
use schedsim::study::Logic;
use schedsim::study::compare::{Comparison, compare};
use schedsim::study::each_fix::{Noticed, each_fix};
use schedsim::trace::timeline;
use serde_json::json;

use super::args::Format;
use super::output::{Out, painted, style};
use super::story::StoryArgs;
use super::{Exit, Refusal};

/// Shows the same story under two logics side by side, or what each single fix is worth
#[derive(Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    story: StoryArgs,
    /// One logic: `current`, `proposed`, `as_of=DAY`, `variant=NAME`, `with=FIX`, `without=FIX`, several with commas;
    /// the first variant's by default
    #[arg(long, value_name = "LOGIC", conflicts_with = "each_fix")]
    a: Option<Logic>,
    /// The other; the second variant's by default, else `current`
    #[arg(long, value_name = "LOGIC", conflicts_with = "each_fix")]
    b: Option<Logic>,
    /// The story without each fix: what breaks when exactly this one is missing
    #[arg(long)]
    each_fix: bool,
    /// For whom the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &CompareArgs, out: &mut Out) -> Result<Exit, Refusal> {
    let scenario = &args.story.load()?;
    let base = args.story.base(scenario)?;
    if args.each_fix {
        let noticed = each_fix(scenario, base, Fix::ALL);
        out.text(&match args.format {
            Format::Text => matrix(scenario, &noticed),
            Format::Json => matrix_json(scenario, &noticed),
        });
        return Ok(Exit::Fine);
    }
    let [a, b] = sides(args, scenario, base)?;
    let (one, other) = join(|| Replay::of(scenario, &a, None), || Replay::of(scenario, &b, None));
    let found = compare(&one, &other);
    out.text(&match args.format {
        Format::Text => text(&one, &other, &found),
        Format::Json => object(&one, &other, &found),
    });
    Ok(Exit::Fine)
}

/// The story's variants under both logics.
fn sides(args: &CompareArgs, scenario: &Scenario, base: &Variant) -> Result<[Variant; 2], Refusal> {
    let own = |index: usize| scenario.variants.get(index).map(|variant| Logic::of_variant(&variant.name));
    let current = || "current".parse::<Logic>().expect("a logic");
    let a = args.a.clone().or_else(|| own(0)).unwrap_or_else(current);
    let b = args.b.clone().or_else(|| own(1).filter(|_| args.a.is_none())).unwrap_or_else(current);
    let under = |logic: &Logic| logic.variant(scenario, base).map_err(|error| Refusal::wrong(error.to_string()));
    Ok([under(&a)?, under(&b)?])
}

fn text(a: &Replay<'_>, b: &Replay<'_>, found: &Comparison) -> String {
    let mut text = format!("{}\n", painted(style::HEAD, &a.scenario.name));
    text.push_str(&format!("  a  {}\n  b  {}\n", a.variant.name, b.variant.name));
    let Some(first) = found.first else {
        text.push_str("\nthe same: not one record differs\n");
        return text;
    };
    text.push_str(&format!("\noutcome\n  a  {}\n  b  {}\n", ending(a), ending(b)));
    if !found.figures.is_empty() {
        text.push_str(&format!("\n{:24}{:>14}{:>14}\n", "figures", "a", "b"));
        for (figure, x, y) in &found.figures {
            text.push_str(&format!("  {:22}{:>14}{:>14}\n", figure.name(), x.to_string(), y.to_string()));
        }
    }
    text.push_str("\nfirst difference\n");
    text.push_str(&moment("a", a, first.0));
    text.push_str(&moment("b", b, first.1));
    if found.lives.is_empty() {
        text.push_str("\nlives: the same\n");
    } else {
        text.push_str(&format!("\nlives\n{}", indented(&found.lives)));
    }
    text
}

fn ending(replay: &Replay<'_>) -> String {
    let outcome = &replay.outcome;
    let mut text = outcome.verdict.name().to_owned();
    if let Some(at) = outcome.settled_at {
        text.push_str(&format!(" at {}", at.elapsed().clock()));
    }
    let mut broken: Vec<&str> = outcome.violations.iter().map(|violation| *violation.invariant.name()).collect();
    broken.sort_unstable();
    broken.dedup();
    if !broken.is_empty() {
        text.push_str(&format!("; broken: {}", broken.join(", ")));
    }
    for (step, error) in &outcome.rejected {
        text.push_str(&format!("; step `{}` refused: {error}", replay.scenario.steps[*step].name));
    }
    text
}

/// A record of one side and the record that caused it, as the timeline tells them.
fn moment(side: &str, replay: &Replay<'_>, index: Option<usize>) -> String {
    let Some(index) = index else { return format!("  {side}  (ends before)\n") };
    let trace = &replay.outcome.trace;
    let options = timeline::Options { verbose: true, fold: false, ..report::timeline_options(replay.scenario) };
    let line = |index: usize| {
        let (entry, mut told) = (timeline::entry(trace, &options, index), String::new());
        timeline::write_line(trace, &entry, " ", &options, &mut told).expect("a string takes everything");
        told.trim().to_owned()
    };
    let mut text = format!("  {side}  {}\n", line(index));
    if let Some(cause) = trace.records()[index].cause.index() {
        text.push_str(&format!("       because of {}\n", line(cause)));
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn matrix(scenario: &Scenario, noticed: &[Noticed]) -> String {
    let mut text = format!("{}: what differs when exactly one fix is missing\n", painted(style::HEAD, &scenario.name));
    if noticed.is_empty() {
        text.push_str("  nothing: this story notices no single fix\n");
    }
    for Noticed { fix, base, differences } in noticed {
        text.push_str(&format!("  {:34}{:12}{}\n", fix.name(), base.name(), differences.join("; ")));
    }
    text
}

fn matrix_json(scenario: &Scenario, noticed: &[Noticed]) -> String {
    let rows: Vec<_> = noticed
        .iter()
        .map(|n| json!({ "fix": n.fix.name(), "base": n.base.name(), "differences": n.differences }))
        .collect();
    let object = json!({ "schema": 1, "scenario": scenario.name, "noticed": rows });
    serde_json::to_string_pretty(&object).expect("a value of JSON can be written") + "\n"
}

fn object(a: &Replay<'_>, b: &Replay<'_>, found: &Comparison) -> String {
    let figures: serde_json::Map<String, serde_json::Value> = found
        .figures
        .iter()
        .map(|(figure, x, y)| {
            (figure.name().to_owned(), json!({ "a": number(&x.to_string()), "b": number(&y.to_string()) }))
        })
        .collect();
    let at = |replay: &Replay<'_>, index: Option<usize>| {
        index.map(|index| replay.outcome.trace.records()[index].at.to_string())
    };
    let first = found.first.map(|(x, y)| json!({ "a": at(a, x), "b": at(b, y) }));
    let side = |replay: &Replay<'_>| {
        json!({
            "logic": replay.variant.name, "verdict": replay.outcome.verdict.name(), "trace_digest": replay.digest,
            "fixes": replay.variant.policy.fixes,
        })
    };
    let object = json!({
        "schema": 1, "scenario": a.scenario.name, "a": side(a), "b": side(b), "figures": figures,
        "first_difference": first, "lives": found.lives,
    });
    serde_json::to_string_pretty(&object).expect("a value of JSON can be written") + "\n"
}

fn number(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
}
