//! `schedsim bisect FILE`: which fix, or smallest set of fixes, turns the outcome.
//!
//! It runs and prints; the search is in `study`. What a newcomer gets wrong: *passing* means
//! settled with nothing broken, unless `--expect` names the variant whose expectations decide.

use crate::controllers::fixes::Fix;
use crate::report;
use crate::scenario::{Scenario, Variant};
use crate::sim::Simulation;
use crate::study::bisect::{Bisection, Found, bisect};
use crate::study::{Logic, Signature};
use clap::Args;
use serde_json::json;

use super::args::{Format, shell_line};
use super::output::Out;
use super::story::{StoryArgs, variant_named};
use super::text::reproduced;
use super::{Exit, Refusal};

/// Finds the fix, or the smallest set of fixes, that turns the outcome from failing to passing
#[derive(Args)]
pub(crate) struct BisectArgs {
    #[command(flatten)]
    story: StoryArgs,
    /// The logic that fails; the first variant's by default
    #[arg(long, value_name = "LOGIC")]
    from: Option<Logic>,
    /// The logic that passes
    #[arg(long, value_name = "LOGIC", default_value = "current")]
    to: Logic,
    /// Passing is what this variant expects; by default: settled, and no invariant broken
    #[arg(long, value_name = "VARIANT")]
    expect: Option<String>,
    /// For whom the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &BisectArgs, out: &mut Out) -> Result<Exit, Refusal> {
    let scenario = &args.story.load()?;
    let base = args.story.base(scenario)?;
    let from = args.from.clone().unwrap_or_else(|| Logic::of_variant(&base.name));
    let under = |logic: &Logic| logic.variant(scenario, base).map_err(|error| Refusal::wrong(error.to_string()));
    let (start, end) = (under(&from)?, under(&args.to)?);
    let judge = judge_of(scenario, args.expect.as_deref())?;
    let done =
        bisect(scenario, base, start.policy.fixes, end.policy.fixes, |story, variant| passes(story, variant, judge));
    let exit = match done.found {
        Found::EndFails => Exit::Failed,
        Found::StartPasses | Found::Single(_) | Found::Smallest(_) | Found::Minimal(_) => Exit::Fine,
    };
    let line = again(args, &from);
    out.text(&match args.format {
        Format::Text if exit == Exit::Failed => text(scenario, &from, &args.to, &done) + &reproduced(&line),
        Format::Text => text(scenario, &from, &args.to, &done),
        Format::Json => object(scenario, &done, &line),
    });
    Ok(exit)
}

/// The line that searches again.
fn again(args: &BisectArgs, from: &Logic) -> String {
    let mut words = vec!["schedsim".to_owned(), "bisect".to_owned()];
    words.extend(args.story.words());
    let mut push = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
    push("--from", from.text());
    push("--to", args.to.text());
    args.expect.iter().for_each(|name| push("--expect", name));
    shell_line(words)
}

/// The variant whose expectations decide, if one was named.
fn judge_of<'a>(scenario: &'a Scenario, name: Option<&str>) -> Result<Option<&'a Variant>, Refusal> {
    let Some(name) = name else { return Ok(None) };
    let variant = variant_named(scenario, name)?;
    if variant.expect.is_none() {
        return Err(Refusal::wrong(format!("variant `{name}` has no [expect] that could decide")));
    }
    Ok(Some(variant))
}

fn passes(scenario: &Scenario, variant: &Variant, judge: Option<&Variant>) -> bool {
    let Some(judge) = judge else { return Signature::of(scenario, variant).is_sound() };
    let asked = Variant { expect: judge.expect.clone(), ..variant.clone() };
    let outcome = Simulation::new(scenario, &asked).run();
    let figures = report::figures(scenario, &outcome);
    report::check(scenario, &asked, &outcome, &figures).passed
}

fn set(fixes: &[Fix]) -> String {
    fixes.iter().map(|fix| format!("{} ({})", fix.name(), fix.info().day)).collect::<Vec<_>>().join(" + ")
}

fn text(scenario: &Scenario, from: &Logic, to: &Logic, done: &Bisection) -> String {
    let Bisection { found, runs, candidates } = done;
    let mut text = format!(
        "{}: from `{}` to `{}`, {} fixes apart, {runs} runs\n",
        scenario.name,
        from.text(),
        to.text(),
        candidates.len()
    );
    match found {
        Found::StartPasses => text.push_str("  the start passes already: there is nothing to find\n"),
        Found::EndFails => text.push_str("  the end fails, too: no set of these fixes is known to help\n"),
        Found::Single(fixes) => {
            for fix in fixes {
                text.push_str(&format!("  {:34}{:12}{}\n", fix.name(), fix.info().day.to_string(), fix.info().what));
            }
            if fixes.len() > 1 {
                text.push_str("  each of these does it alone\n");
            }
        }
        Found::Smallest(sets) => {
            sets.iter().for_each(|fixes| text.push_str(&format!("  {}\n", set(fixes))));
            text.push_str("  no single fix does it\n");
        }
        Found::Minimal(fixes) => {
            text.push_str(&format!("  {}\n", set(fixes)));
            text.push_str("  none of these can be left out; no smaller set of one or two does it\n");
        }
    }
    text
}

fn object(scenario: &Scenario, done: &Bisection, reproduce: &str) -> String {
    let names = |fixes: &[Fix]| fixes.iter().map(|fix| fix.name()).collect::<Vec<_>>();
    let (found, sets) = match &done.found {
        Found::StartPasses => ("start-passes", Vec::new()),
        Found::EndFails => ("end-fails", Vec::new()),
        Found::Single(fixes) => ("single", fixes.iter().map(|fix| vec![fix.name()]).collect()),
        Found::Smallest(sets) => ("smallest", sets.iter().map(|set| names(set)).collect()),
        Found::Minimal(set) => ("minimal", vec![names(set)]),
    };
    let object = json!({
        "schema": 1, "scenario": scenario.name, "found": found, "sets": sets, "runs": done.runs,
        "candidates": names(&done.candidates), "reproduce": reproduce,
    });
    serde_json::to_string_pretty(&object).expect("a value of JSON can be written") + "\n"
}
