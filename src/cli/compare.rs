//! `schedsim compare FILE`: the same story under two or more logics side by side, or without each fix.
//!
//! It runs and prints; what differs is decided in `study`. Every side is held against the first,
//! `a`. What a newcomer gets wrong: all sides have the seed and the tuning of *one* variant, so that
//! only the logic differs – unless a side names a variant itself.

use crate::controllers::fixes::Fix;
use crate::replay::{Replay, Wanted};
use crate::report;
use crate::scenario::{Scenario, Variant};
use crate::study::compare::{Comparison, compare};
use crate::study::diverge::Divergence;
use crate::study::each_fix::{Noticed, each_fix};
use crate::study::{self, Logic};
use crate::trace::metrics::Figure;
use crate::trace::timeline;
use clap::Args;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::args::{Format, Look};
use super::output::{Out, fit, painted, style, width};
use super::story::StoryArgs;
use super::{Exit, Refusal, diverge, json, progress};

/// Shows the same story under two or more logics side by side, or what each single fix is worth
#[derive(Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    story: StoryArgs,
    /// One logic: `current`, `proposed`, `as_of=DAY`, `variant=NAME`, `with=FIX`, `without=FIX`, several with commas;
    /// the first variant's by default
    #[arg(long, value_name = "LOGIC", conflicts_with = "each_fix")]
    a: Option<Logic>,
    /// Another (repeatable); those of all other variants by default, or `current` where there is none or --a is given
    #[arg(long, value_name = "LOGIC", conflicts_with = "each_fix")]
    b: Vec<Logic>,
    /// The story without each fix: what breaks when exactly this one is missing
    #[arg(long)]
    each_fix: bool,
    /// The first decision that differs, with its values on both sides, and what follows from it
    #[arg(long, conflicts_with = "each_fix")]
    diverge: bool,
    /// For whom the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &CompareArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let scenario = &args.story.load()?;
    let base = args.story.base(scenario)?;
    if args.each_fix {
        let searched = progress::Searched::new(!look.quiet);
        let noticed = each_fix(scenario, base, Fix::ALL, &|| searched.one());
        drop(searched);
        out.text(&match args.format {
            Format::Text => fit(&matrix(scenario, &noticed), width()),
            Format::Json => matrix_json(scenario, &noticed),
        });
        return Ok(Exit::Fine);
    }
    let variants = sides(args, scenario, base)?;
    let bar = progress::Simulated::new(scenario.horizon, variants.len(), !look.quiet);
    let side = |(nth, variant)| {
        let tell = |now| bar.tell(nth, now);
        let wanted = Wanted { explained: args.diverge, progress: Some(&tell), ..Wanted::default() };
        Replay::with(scenario, variant, &wanted)
    };
    let replays: Vec<_> = variants.par_iter().enumerate().map(side).collect();
    drop(bar);
    let sides: Vec<Side<'_>> = LETTERS.into_iter().zip(&replays).map(|(name, replay)| Side { name, replay }).collect();
    let (a, others) = sides.split_first().expect("there are two at least");
    let found: Vec<Comparison> =
        others.iter().map(|other| compare(a.replay, other.replay, [a.name, other.name])).collect();
    let of = |other: &Side<'_>| args.diverge.then(|| study::diverge::diverge(a.replay, other.replay)).flatten();
    let divergences: Vec<Option<Divergence>> = others.iter().map(of).collect();
    out.text(&match args.format {
        Format::Text if args.diverge => fit(&diverge::text(&sides, &found, &divergences), width()),
        Format::Text => fit(&text(&sides, &found), width()),
        Format::Json => object(&sides, &found, &divergences),
    });
    Ok(Exit::Fine)
}

/// What the sides are called; there cannot be more.
const LETTERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// One logic's run.
pub(super) struct Side<'a> {
    pub(super) name: &'static str,
    pub(super) replay: &'a Replay<'a>,
}

/// The story's variants under all logics: two at least.
fn sides(args: &CompareArgs, scenario: &Scenario, base: &Variant) -> Result<Vec<Variant>, Refusal> {
    let own = |variant: &Variant| Logic::of_variant(&variant.name);
    let current = || "current".parse::<Logic>().expect("a logic");
    let first = args.a.clone().unwrap_or_else(|| own(&scenario.variants[0]));
    let mut logics = vec![first];
    match (&args.b[..], &args.a) {
        ([], None) => logics.extend(scenario.variants[1..].iter().map(own)),
        ([], Some(_)) => {}
        (given, _) => logics.extend(given.iter().cloned()),
    }
    if logics.len() == 1 {
        logics.push(current());
    }
    if logics.len() > LETTERS.len() {
        let (most, asked) = (LETTERS.len(), logics.len());
        return Err(Refusal::wrong(format!(
            "at most {most} logics fit side by side, and this asks for {asked}; choose with --a and --b"
        )));
    }
    let under = |logic: &Logic| logic.variant(scenario, base).map_err(|error| Refusal::wrong(error.to_string()));
    let variants: Vec<Variant> = logics.iter().map(under).collect::<Result<_, _>>()?;
    let ruled = |variant: &Variant| (variant.policy.clone(), variant.tuning.clone(), variant.seed);
    if variants.iter().all(|variant| ruled(variant) == ruled(&variants[0])) {
        let names: Vec<String> = logics.iter().map(|logic| format!("`{}`", logic.text())).collect();
        return Err(Refusal::wrong(format!(
            "{} are one logic, with the same fixes, constants and seed; name another, like `--b as_of=2025-10-01`, \
             `--b proposed` or `--b without=FIX`",
            names.join(" and ")
        )));
    }
    Ok(variants)
}

/// The figures in which any side differs from the first, each with the values of all sides.
fn figures(sides: &[Side<'_>], found: &[Comparison]) -> Vec<(Figure, Vec<String>)> {
    let all: Vec<Vec<_>> = sides.iter().map(|side| side.replay.metrics.iter().collect()).collect();
    let differs = |figure: Figure| found.iter().any(|found| found.figures.iter().any(|(known, ..)| *known == figure));
    let row = |index: usize| all.iter().map(|metrics| metrics[index].1.to_string()).collect();
    let rows = all[0].iter().enumerate().filter(|(_, (figure, _))| differs(*figure));
    rows.map(|(index, (figure, _))| (*figure, row(index))).collect()
}

fn text(sides: &[Side<'_>], found: &[Comparison]) -> String {
    let (a, others) = sides.split_first().expect("there are two at least");
    let mut text = head(sides);
    if found.iter().all(|found| found.first.is_none()) {
        text.push_str("\nthe same: not one record differs\n");
        return text;
    }
    text.push_str(&endings(sides));
    let figures = figures(sides, found);
    if !figures.is_empty() {
        let row = |name: &str, values: &mut dyn Iterator<Item = &str>| {
            format!("{name:24}{}\n", values.map(|value| format!("{value:>14}")).collect::<String>())
        };
        text.push_str(&format!("\n{}", row("figures", &mut sides.iter().map(|side| side.name))));
        for (figure, values) in &figures {
            text.push_str(&row(&format!("  {}", figure.name()), &mut values.iter().map(String::as_str)));
        }
    }
    for (other, found) in others.iter().zip(found) {
        // With two sides everybody knows which they are.
        let which = if others.len() == 1 { String::new() } else { format!(" of a and {}", other.name) };
        let Some(first) = found.first else {
            text.push_str(&format!("\nfirst difference{which}: none, not one record differs\n"));
            continue;
        };
        let only = if found.only_work { " (of work only: no decision and no write differs)" } else { "" };
        text.push_str(&format!("\nfirst difference{which}{only}\n"));
        text.push_str(&moment(a, first.0));
        text.push_str(&moment(other, first.1));
        if found.lives.is_empty() {
            text.push_str(&format!("\nlives{which}: the same\n"));
        } else {
            text.push_str(&format!("\nlives{which}\n{}", indented(&found.lives)));
        }
    }
    text
}

/// The story, and which side is which.
pub(super) fn head(sides: &[Side<'_>]) -> String {
    let name = |side: &Side<'_>| format!("  {}  {}\n", side.name, side.replay.variant.name);
    let scenario = painted(style::HEAD, &sides[0].replay.scenario.name);
    format!("{scenario}\n{}", sides.iter().map(name).collect::<String>())
}

/// How each side ended.
pub(super) fn endings(sides: &[Side<'_>]) -> String {
    let line = |side: &Side<'_>| format!("  {}  {}\n", side.name, ending(side.replay));
    format!("\noutcome\n{}", sides.iter().map(line).collect::<String>())
}

fn ending(replay: &Replay<'_>) -> String {
    let outcome = &replay.outcome;
    let mut text = outcome.verdict.name().to_owned();
    if let Some(at) = outcome.settled_at {
        text.push_str(&format!(" at {}", at.elapsed().clock()));
    }
    let broken = outcome.broken();
    if !broken.is_empty() {
        text.push_str(&format!("; broken: {}", broken.join(", ")));
    }
    for (step, error) in &outcome.rejected {
        text.push_str(&format!("; step `{}` refused: {error}", replay.scenario.steps[*step].name));
    }
    text
}

/// A record of one side and the record that caused it, as the timeline tells them.
pub(super) fn moment(side: &Side<'_>, index: Option<usize>) -> String {
    let Side { name: side, replay } = side;
    let Some(index) = index else { return format!("  {side}  (ends before)\n") };
    let trace = &replay.outcome.trace;
    let options = timeline::Options { verbose: true, fold: false, ..report::timeline_options(replay.scenario) };
    let line = |index: usize| {
        let (entry, mut told) = (timeline::entry(trace, &options, index), String::new());
        timeline::write_line(trace, &entry, " ", &options, &mut told).expect("a string takes everything");
        told.trim().to_owned()
    };
    let mut text = format!("  {side}  {}\n", line(index));
    if let Some(cause) = trace.records().at(index).cause.index() {
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
    json::pretty(&json!({ "schema": 1, "scenario": scenario.name, "noticed": rows }))
}

fn object(sides: &[Side<'_>], found: &[Comparison], divergences: &[Option<Divergence>]) -> String {
    let (a, others) = sides.split_first().expect("there are two at least");
    let all = |values: &[String]| -> Map<String, Value> {
        sides.iter().zip(values).map(|(side, value)| (side.name.to_owned(), number(value))).collect()
    };
    let rows = figures(sides, found);
    let figures: Map<String, Value> =
        rows.iter().map(|(figure, values)| (figure.name().to_owned(), all(values).into())).collect();
    let at = |side: &Side<'_>, index: Option<usize>| {
        index.map(|index| side.replay.outcome.trace.records().at(index).at.to_string())
    };
    let mut differences = Map::new();
    for ((other, found), divergence) in others.iter().zip(found).zip(divergences) {
        let first = found.first.map(|(x, y)| json!({ a.name: at(a, x), other.name: at(other, y) }));
        let mut difference = json!({ "first_difference": first, "lives": found.lives });
        if let Some(divergence) = divergence {
            difference["diverge"] = diverge::object([a, other], divergence);
        }
        differences.insert(other.name.to_owned(), difference);
    }
    // What differs between the first two, as it was before there could be more.
    let mut object = differences[others[0].name].clone();
    let fields = object.as_object_mut().expect("just made");
    for side in sides {
        let Replay { variant, outcome, .. } = side.replay;
        let value = json!({
            "logic": variant.name, "verdict": outcome.verdict.name(), "trace_digest": side.replay.digest(),
            "fixes": variant.policy.fixes,
        });
        fields.insert(side.name.to_owned(), value);
    }
    fields.insert("schema".to_owned(), 2.into());
    fields.insert("scenario".to_owned(), a.replay.scenario.name.clone().into());
    fields.insert("figures".to_owned(), figures.into());
    fields.insert("differences".to_owned(), differences.into());
    json::pretty(&object)
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
