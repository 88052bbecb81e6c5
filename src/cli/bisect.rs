//! `schedsim bisect FILE`: which fix, or smallest set of fixes, turns the outcome – for better or for worse.
//!
//! It runs and prints; the search is in `study`. What a newcomer gets wrong: *passing* is what the file
//! expects where it expects one thing of all its variants, or of the variant that `--to` names, or what
//! `--expect` names; only else it means settled with nothing broken. The text says which.

use crate::replay;
use crate::report;
use crate::report::counted;
use crate::scenario::{Expect, Scenario, Variant};
use crate::sim::Simulation;
use crate::study::bisect::{Bisection, Change, Found, bisect, changes};
use crate::study::{Logic, Signature};
use clap::Args;
use serde_json::json;

use super::args::{Format, Look, shell_line};
use super::output::{Out, fit_for_eyes};
use super::story::{self, StoryArgs};
use super::text::reproduced;
use super::{Exit, Refusal, json, progress};

/// Finds the fix, or the smallest set of fixes, that heals a story or breaks it
#[derive(Args)]
pub(crate) struct BisectArgs {
    #[command(flatten)]
    story: StoryArgs,
    /// The logic to start from; the first variant's by default
    #[arg(long, value_name = "LOGIC")]
    from: Option<Logic>,
    /// The logic to end at, newer or older
    #[arg(long, value_name = "LOGIC", default_value = "current")]
    to: Logic,
    /// Passing is what this variant expects; by default what `--to variant=NAME` or all variants expect, else: settled,
    /// and no invariant broken
    #[arg(long, value_name = "VARIANT")]
    expect: Option<String>,
    /// For whom the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &BisectArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let scenario = &args.story.load()?;
    let base = args.story.base(scenario)?;
    let from = args.from.clone().unwrap_or_else(|| Logic::of_variant(&base.name));
    let under = |logic: &Logic| logic.variant(scenario, base).map_err(|error| Refusal::wrong(error.to_string()));
    let (start, end) = (under(&from)?, under(&args.to)?);
    let judge = Passing::of(scenario, args, &end)?;
    if changes(start.policy.fixes, end.policy.fixes).is_empty() {
        return Err(Refusal::wrong(format!(
            "the same fixes are in force under `{}` and `{}`: nothing can turn; choose another end, like \
             `--from as_of=2025-10-01` or `--to proposed`",
            from.text(),
            args.to.text()
        )));
    }
    let searched = progress::Searched::new(!look.quiet);
    let done = bisect(scenario, base, start.policy.fixes, end.policy.fixes, |story, variant| {
        searched.one();
        judge.passes(story, variant)
    });
    drop(searched);
    let exit = if done.found == Found::BothFail { Exit::Failed } else { Exit::Fine };
    let line = again(args, &from);
    let ends = [from.text(), args.to.text()];
    out.text(&match args.format {
        Format::Text if exit == Exit::Failed => fit_for_eyes(text(scenario, ends, &judge, &done)) + &reproduced(&line),
        Format::Text => fit_for_eyes(text(scenario, ends, &judge, &done)),
        Format::Json => object(scenario, &judge, &done, &line),
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

/// What passing means.
struct Passing<'a> {
    words: String,
    /// What is expected; none: settled, and nothing broken.
    expect: Option<&'a Expect>,
}

impl<'a> Passing<'a> {
    fn of(scenario: &'a Scenario, args: &BisectArgs, end: &Variant) -> Result<Self, Refusal> {
        let expected = |name: &str, expect: Option<&'a Expect>| {
            let words = format!("what variant `{name}` expects");
            expect.map(|expect| Self { words, expect: Some(expect) })
        };
        if let Some(name) = &args.expect {
            let wrong = || Refusal::wrong(format!("variant `{name}` has no [expect] that could decide"));
            return expected(name, story::variant(scenario, Some(name))?.expect.as_ref()).ok_or_else(wrong);
        }
        let variants = &scenario.variants;
        // A logic has the name it was written with.
        let own = variants.iter().find(|variant| Logic::of_variant(&variant.name).text() == end.name);
        if let Some(passing) = own.and_then(|variant| expected(&variant.name, variant.expect.as_ref())) {
            return Ok(passing);
        }
        let shared =
            variants[0].expect.as_ref().filter(|first| variants.iter().all(|v| v.expect.as_ref() == Some(first)));
        let words = if shared.is_some() { "what the file's [expect] says" } else { "settled, and no invariant broken" };
        Ok(Self { words: words.to_owned(), expect: shared })
    }

    fn passes(&self, scenario: &Scenario, variant: &Variant) -> bool {
        let Some(expect) = self.expect else { return Signature::of(scenario, variant).is_sound() };
        let asked = Variant { expect: Some(expect.clone()), ..variant.clone() };
        let (outcome, figures, ()) = replay::folded(Simulation::new(scenario, &asked), scenario, ());
        report::check(scenario, &asked, &outcome, &figures).passed
    }
}

/// A change as a logic is written; a fix that comes by its name alone.
fn named(change: &Change) -> String {
    let name = change.fix.name();
    if change.comes { name.to_owned() } else { format!("without={name}") }
}

fn set(changes: &[Change]) -> String {
    let one = |change: &Change| format!("{} ({})", named(change), change.fix.info().day);
    changes.iter().map(one).collect::<Vec<_>>().join(" + ")
}

fn text(scenario: &Scenario, [from, to]: [&str; 2], passing: &Passing<'_>, done: &Bisection) -> String {
    let Bisection { found, start_passes, runs, candidates } = done;
    let mut text = format!(
        "{}: from `{from}` to `{to}`, {}, {}\n  passing: {}\n",
        scenario.name,
        counted(candidates.len(), "fix") + " apart",
        counted(runs, "run"),
        passing.words,
    );
    text.push_str(&match found {
        Found::BothPass => "  both pass: there is nothing to find\n".to_owned(),
        Found::BothFail => "  both fail: no set of these fixes is known to help\n".to_owned(),
        _ if *start_passes => format!("  `{from}` passes, `{to}` fails; what breaks it:\n"),
        _ => format!("  `{from}` fails, `{to}` passes; what heals it:\n"),
    });
    match found {
        Found::BothPass | Found::BothFail => {}
        Found::Single(changes) => {
            for change in changes {
                let info = change.fix.info();
                text.push_str(&format!("  {:34}{:12}{}\n", named(change), info.day.to_string(), info.what));
            }
            if changes.len() > 1 {
                text.push_str("  each of these does it alone\n");
            }
        }
        Found::Smallest(sets) => {
            sets.iter().for_each(|changes| text.push_str(&format!("  {}\n", set(changes))));
            text.push_str("  no single one does it\n");
        }
        Found::Minimal(changes) => {
            text.push_str(&format!("  {}\n", set(changes)));
            text.push_str("  none of these can be left out; no smaller set of one or two does it\n");
        }
    }
    text
}

fn object(scenario: &Scenario, passing: &Passing<'_>, done: &Bisection, reproduce: &str) -> String {
    let names = |changes: &[Change]| changes.iter().map(named).collect::<Vec<_>>();
    let (found, sets) = match &done.found {
        Found::BothPass => ("start-passes", Vec::new()),
        Found::BothFail => ("end-fails", Vec::new()),
        Found::Single(changes) => ("single", changes.iter().map(|change| vec![named(change)]).collect()),
        Found::Smallest(sets) => ("smallest", sets.iter().map(|set| names(set)).collect()),
        Found::Minimal(set) => ("minimal", vec![names(set)]),
    };
    let turns = match done.found {
        Found::BothPass | Found::BothFail => None,
        _ if done.start_passes => Some("to-failing"),
        _ => Some("to-passing"),
    };
    let object = json!({
        "schema": 1, "scenario": scenario.name, "passing": passing.words, "found": found, "turns": turns, "sets": sets,
        "runs": done.runs, "candidates": names(&done.candidates), "reproduce": reproduce,
    });
    json::pretty(&object)
}
