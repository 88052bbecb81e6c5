//! `schedsim explain FILE`: why something happened, from its end back to its root.
//!
//! Runs one variant and tells one chain; `--verify` runs it again with each thing otherwise that
//! decided a link. It may use everything. What a newcomer gets wrong: the run is the same as
//! `run` makes it, so that record numbers of a trace or of a JSON result can be asked for.

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::report::explain::{self, Chain, Choice, Decider, Explainer, Limits, Page, Setting, Unknown};
use crate::scenario::{Scenario, Variant};
use crate::sim::{Outcome, Simulation};
use crate::study::counterfactual::{self, Ending, Tried};
use clap::Args;
use serde_json::json;

use super::args::{Format, Logic, Look, shell_line};
use super::output::{Out, painted, style, width};
use super::{Exit, Refusal, crash, input, reproduce, story};

/// Tells why something happened: the causal chain from its end back to its root
#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The variant; by default the first
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The record of that number, as traces and JSON results give it
    #[arg(long, value_name = "N", conflicts_with_all = ["violation", "at", "subject"], help_heading = "What to explain")]
    event: Option<u64>,
    /// The first violation of that invariant (of --subject, when given)
    #[arg(long, value_name = "NAME", conflicts_with = "at", help_heading = "What to explain")]
    violation: Option<String>,
    /// The last thing that happened (to --subject, when given) up to that instant
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = "What to explain")]
    at: Option<SimTime>,
    /// What it happened to, like `sandbox/pds-database-0`
    #[arg(long, value_name = "NAME", help_heading = "What to explain")]
    subject: Option<String>,
    #[command(flatten)]
    logic: Logic,
    /// Runs again without each fix and fault that decided (or with it, where it is missing), and tells whether the
    /// end still comes
    #[arg(long, help_heading = "Results")]
    verify: bool,
    /// The whole chain, not just a screen of it
    #[arg(long, help_heading = "Results")]
    full: bool,
    /// For whom it is told
    #[arg(long, value_enum, default_value = "text", help_heading = "Results")]
    format: Format,
}

/// A run, and the record of it that is explained.
struct Told<'a> {
    scenario: &'a Scenario,
    variant: &'a Variant,
    outcome: &'a Outcome,
    setting: &'a Setting,
    record: RecordId,
    chosen: &'static str,
    chain: &'a Chain,
    tried: Option<Vec<Tried>>,
}

pub(crate) fn explain(args: &ExplainArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    if args.logic.seeds.is_some() {
        return Err(Refusal::wrong("one run is explained, and --seeds asks for many; give one --seed"));
    }
    let loaded = input::load(std::slice::from_ref(&args.file), &args.logic.overrides())?;
    let scenario = &loaded[0].scenario;
    let variant = match &args.variant {
        None => &scenario.variants[0],
        Some(name) => story::variant_named(scenario, name)?,
    };
    let mut words = args.logic.words();
    words.extend(choice_words(args));
    let line = explain_line(&args.file, &variant.name, variant.seed, &words);
    crash::doing_what(&line, || {
        let mut simulation = Simulation::new(scenario, variant);
        if let Some(until) = args.logic.until {
            simulation = simulation.until(until);
        }
        let outcome = simulation.run();
        let mut setting = Setting::of(scenario, variant);
        setting.timeline.width = width();
        setting.timeline.palette = crate::trace::timeline::Palette::colour();
        let mut explainer = Explainer::new(&outcome.trace, &setting);
        let (record, chosen) = explain::choose(&explainer, choice(args)).map_err(refusal)?;
        let limits = if args.full || look.verbose > 0 { Limits::ALL } else { Limits::default() };
        let chain = explainer.chain_and_deciders(record, limits).expect("the record was found in this trace");
        let tried = args.verify.then(|| {
            // What decided a link that is not shown decided all the same.
            let (until, deciders) = (args.logic.until, chain.all_deciders());
            counterfactual::verify(scenario, variant, until, &outcome.trace, record, &deciders)
        });
        let told =
            Told { scenario, variant, outcome: &outcome, setting: &setting, record, chosen, chain: &chain, tried };
        match args.format {
            Format::Text => out.text(&told.text(look)),
            Format::Json => out.text(&(told.json() + "\n")),
        }
        Ok(Exit::Fine)
    })
}

fn choice(args: &ExplainArgs) -> Choice<'_> {
    let subject = args.subject.as_deref();
    match (args.event, args.violation.as_deref()) {
        (Some(event), _) => Choice::Event(event),
        (None, Some(violation)) => Choice::Violation(violation, subject),
        (None, None) if args.at.is_some() || subject.is_some() => Choice::Moment(args.at, subject),
        (None, None) => Choice::Worst,
    }
}

fn choice_words(args: &ExplainArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut push = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    args.event.iter().for_each(|event| push("--event", event.to_string()));
    args.violation.iter().for_each(|name| push("--violation", name.clone()));
    args.at.iter().for_each(|at| push("--at", at.elapsed().to_string()));
    args.subject.iter().for_each(|name| push("--subject", name.clone()));
    words
}

fn explain_line(file: &str, variant: &str, seed: u64, words: &[String]) -> String {
    let file = reproduce::operand(file);
    let seed = seed.to_string();
    let all = ["schedsim", "explain", &file, "--variant", variant, "--seed", &seed].map(str::to_owned);
    shell_line(all.into_iter().chain(words.iter().cloned()))
}

fn refusal(unknown: Unknown) -> Refusal {
    let text = unknown.to_string();
    if unknown.is_mistake() { Refusal::wrong(text) } else { Refusal::nothing(text) }
}

fn instant(text: &str) -> Result<SimTime, String> {
    let after = text.parse::<SimDuration>().map_err(|error| error.to_string())?;
    Ok(SimTime::ZERO + after)
}

impl Told<'_> {
    fn text(&self, look: &Look) -> String {
        let mut text = String::new();
        if !look.quiet {
            let name = format!("{} @ {}", self.scenario.name, self.variant.name);
            let ran = self.outcome.ended_at.elapsed().clock();
            let head = painted(style::HEAD, format!("{name:58}"));
            text.push_str(&format!("{head} seed {} | ran {ran}\n", self.variant.seed));
            text.push_str(&format!("  why record {}: {}\n\n", self.record.number(), self.chosen));
        }
        text.push_str(&explain::story(&Page { trace: &self.outcome.trace, setting: self.setting }, self.chain));
        if let Some(tried) = &self.tried {
            text.push_str("\nverified\n");
            if tried.is_empty() {
                text.push_str("  no fix and no fault decided any of this\n");
            }
            tried.iter().for_each(|tried| text.push_str(&self.verified(tried)));
        }
        text
    }

    fn verified(&self, tried: &Tried) -> String {
        let (word, name) = match tried.decider {
            Decider::Fix { fix, in_force: true } => ("without", fix.to_string()),
            Decider::Fix { fix, in_force: false } => ("with", fix.to_string()),
            Decider::Fault(fault) => {
                let name = self.setting.faults.get(fault as usize).map_or("?", |name| name.as_str());
                ("without", format!("fault `{name}`"))
            }
        };
        let (style, ending) = match tried.ending {
            Ending::Same(at) => (style::BAD, format!("it still comes, at {}", at.elapsed().clock())),
            Ending::Elsewhere(name, at) => (style::WARN, format!("it comes to {name}, at {}", at.elapsed().clock())),
            Ending::Averted => (style::GOOD, "it does not come".to_owned()),
        };
        let verdict = tried.verdict.name();
        format!("  {word:8}{name:35}{}  {verdict}\n", painted(style, format!("{ending:38}")))
    }

    fn json(&self) -> String {
        let trace = &self.outcome.trace;
        let mut object = json!({
            "schema": 1,
            "scenario": self.scenario.name,
            "variant": self.variant.name,
            "seed": self.variant.seed,
            "event": self.record,
            "chosen": self.chosen,
            "chain": explain::json(trace, self.setting, self.chain),
        });
        if let Some(tried) = &self.tried {
            object["verified"] = tried.iter().map(|tried| self.tried_json(tried)).collect();
        }
        serde_json::to_string_pretty(&object).expect("a value of JSON can be written")
    }

    fn tried_json(&self, tried: &Tried) -> serde_json::Value {
        let (ending, subject, at) = match tried.ending {
            Ending::Same(at) => ("same", None, Some(at)),
            Ending::Elsewhere(name, at) => ("elsewhere", Some(name), Some(at)),
            Ending::Averted => ("averted", None, None),
        };
        json!({
            "decider": explain::decider_json(self.setting, tried.decider),
            "ending": ending, "subject": subject, "at": at, "verdict": tried.verdict.name(),
        })
    }
}
