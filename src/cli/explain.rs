//! `schedsim explain FILE`: why something happened, from its end back to its root, and what it hangs on.
//!
//! Runs one variant and tells one chain; then it runs it again with each thing otherwise that could be, and
//! names what decides. It may use everything.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::kernel::{SimDuration, SimTime};
use crate::report::explain::{
    self, Asked, Chain, Choice, Decider, Ending, Explainer, Limits, Page, Question, Run, Setting, Unknown,
};
use crate::report::{self, html};
use crate::scenario::{Scenario, Variant};
use crate::sim::Simulation;
use crate::study::deciding::{self, Deciding, Trial, Tries};
use crate::study::sealed::{self, Sealed};
use crate::trace;
use clap::{ArgGroup, Args};
use serde_json::json;

use super::args::{Format, Logic, Look, page_file};
use super::output::{Out, fit, plain, width};
use super::{Exit, Refusal, crash, file, input, json, progress, reproduce, story};

/// Tells why something happened: the causal chain from its end back to its root, and what decides it
#[derive(Args)]
#[command(group(ArgGroup::new("question").args(["event", "violation", "verdict", "proof", "request", "field", "why_not"])))]
pub(crate) struct ExplainArgs {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The variant; by default the first
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The record of that number, as traces and JSON results give it
    #[arg(long, value_name = "N", conflicts_with_all = ["at", "subject"], help_heading = "What to explain")]
    event: Option<u64>,
    /// The first violation of that invariant (of --subject, when given)
    #[arg(long, value_name = "NAME", conflicts_with = "at", help_heading = "What to explain")]
    violation: Option<String>,
    /// Why the run settles, or does not
    #[arg(long, conflicts_with_all = ["at", "subject"], help_heading = "What to explain")]
    verdict: bool,
    /// Why it is proved never to settle
    #[arg(long, conflicts_with_all = ["at", "subject"], help_heading = "What to explain")]
    proof: bool,
    /// What became of the request that came as the Nth
    #[arg(long, value_name = "N", conflicts_with_all = ["at", "subject"], help_heading = "What to explain")]
    request: Option<u64>,
    /// Why a field has its value (at --at, else at the end), like `pool/pds-web.desired_instances`
    #[arg(long, value_name = "THING.FIELD", value_parser = field, conflicts_with = "subject", help_heading = "What to explain")]
    field: Option<(String, String)>,
    /// Why a thing never is so (by --at, else at all), like `sandbox/pds-web-0 running`; without a status: why it
    /// never comes to be
    #[arg(long, value_name = "THING STATUS", value_parser = why_not, conflicts_with = "subject", help_heading = "What to explain")]
    why_not: Option<(String, Option<String>)>,
    /// The last thing that happened (to --subject, when given) up to that instant
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = "What to explain")]
    at: Option<SimTime>,
    /// What it happened to, like `sandbox/pds-database-0`
    #[arg(long, value_name = "NAME", help_heading = "What to explain")]
    subject: Option<String>,
    #[command(flatten)]
    logic: Logic,
    /// Tries nothing: names what was met on the way, at once
    #[arg(long, conflicts_with_all = ["verify", "tries"], help_heading = "Results")]
    quick: bool,
    /// Tries at most so many runs; by default what takes a few seconds, and none where one run is that long
    #[arg(long, value_name = "N", help_heading = "Results")]
    tries: Option<usize>,
    /// Tells of everything that was tried and makes another run what became of the end
    #[arg(long, help_heading = "Results")]
    verify: bool,
    /// Until when each thing that decides would still have helped, and how many futures end so from each moment on
    #[arg(long, conflicts_with = "quick", help_heading = "Results")]
    sealed: bool,
    /// Writes a page about the run with that curve in it: a file of HTML
    #[arg(long, value_name = "FILE", value_parser = page_file, requires = "sealed", help_heading = "Results")]
    report: Option<PathBuf>,
    /// The whole chain, not just a screen of it
    #[arg(long, help_heading = "Results")]
    full: bool,
    /// For whom it is told
    #[arg(long, value_enum, default_value = "text", help_heading = "Results")]
    format: Format,
}

/// A run, and the end of it that is explained.
struct Explanation<'a> {
    run: &'a Run<'a>,
    setting: &'a Setting,
    asked: Asked,
    chain: Option<Chain>,
    deciding: Option<Deciding>,
    sealed: Option<Sealed>,
    full: bool,
    verify: bool,
}

pub(crate) fn explain(args: &ExplainArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    if args.logic.seeds.is_some() {
        return Err(Refusal::wrong("one run is explained, and --seeds asks for many; give one --seed"));
    }
    let loaded = input::load(std::slice::from_ref(&args.file), &args.logic.overrides())?;
    let scenario = &loaded[0].scenario;
    let variant = story::variant(scenario, args.variant.as_deref())?;
    if let Some(path) = &args.report {
        file::apart("report", path, [Path::new(&args.file)])?;
        file::probe("report", path)?;
    }
    let mut words = args.logic.words();
    words.extend(question_words(args));
    let line = reproduce::command("explain", &args.file, &variant.name, variant.seed, &words);
    crash::doing_what(&line, || {
        let (until, horizon) = (args.logic.until, scenario.horizon);
        let outcome = {
            let bar = progress::Simulated::new(until.unwrap_or(horizon).min(horizon), 1, !look.quiet);
            let tell = |now| bar.tell(0, now);
            Simulation::new(scenario, variant).keeps_evidence().until(until).progress(&tell).run()
        };
        let run = Run { scenario, variant, outcome: &outcome };
        let setting = setting(scenario, variant, width());
        let explanation = Explanation::of(args, look, &run, &setting)?;
        if let Some(path) = &args.report {
            let page = explanation.page(&args.file, &args.logic, &line);
            file::write("report", path, |out| out.write_all(page.as_bytes()))?;
        }
        match args.format {
            Format::Text => out.text(&fit(&explanation.text(look), width())),
            Format::Json => out.text(&explanation.json()),
        }
        Ok(Exit::Fine)
    })
}

/// How explanations of a run are written in lines of that width.
pub(super) fn setting(scenario: &Scenario, variant: &Variant, width: usize) -> Setting {
    let mut setting = Setting::of(scenario, variant);
    setting.timeline.width = width;
    setting.timeline.palette = trace::timeline::Palette::colour();
    setting
}

fn question(args: &ExplainArgs) -> Question<'_> {
    let subject = args.subject.as_deref();
    let at = args.at.map(shown_as);
    if let Some(event) = args.event {
        return Question::Of(Choice::Event(event));
    }
    if let Some(violation) = &args.violation {
        return Question::Of(Choice::Violation(violation, subject));
    }
    if let Some(request) = args.request {
        return Question::Request(request);
    }
    if let Some((thing, field)) = &args.field {
        return Question::Field(thing, field, at);
    }
    if let Some((thing, status)) = &args.why_not {
        return Question::WhyNot(thing, status.as_deref(), at);
    }
    match (args.verdict, args.proof) {
        (true, _) => Question::Verdict,
        (_, true) => Question::Proof,
        _ if at.is_some() || subject.is_some() => Question::Of(Choice::Moment(at, subject)),
        _ => Question::Failed,
    }
}

/// The last instant that is printed like this one: a text has milliseconds, what happened may lie within one.
fn shown_as(at: SimTime) -> SimTime {
    let within = at.elapsed().as_nanos() % 1_000_000;
    if within == 0 { at + SimDuration::from_nanos(999_999) } else { at }
}

fn question_words(args: &ExplainArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut push = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    args.event.iter().for_each(|event| push("--event", event.to_string()));
    args.violation.iter().for_each(|name| push("--violation", name.clone()));
    args.request.iter().for_each(|request| push("--request", request.to_string()));
    args.field.iter().for_each(|(thing, field)| push("--field", format!("{thing}.{field}")));
    args.why_not.iter().for_each(|(thing, status)| {
        push("--why-not", status.iter().fold(thing.clone(), |thing, status| format!("{thing} {status}")));
    });
    args.at.iter().for_each(|at| push("--at", at.elapsed().to_string()));
    args.subject.iter().for_each(|name| push("--subject", name.clone()));
    words.extend(args.verdict.then(|| "--verdict".to_owned()));
    words.extend(args.proof.then(|| "--proof".to_owned()));
    words
}

fn refusal(unknown: Unknown) -> Refusal {
    let text = unknown.to_string();
    if unknown.is_mistake() { Refusal::wrong(text) } else { Refusal::nothing(text) }
}

fn instant(text: &str) -> Result<SimTime, String> {
    let after = text.parse::<SimDuration>().map_err(|error| error.to_string())?;
    Ok(SimTime::ZERO + after)
}

fn field(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('.') {
        Some((thing, field)) if !thing.is_empty() && !field.is_empty() => Ok((thing.to_owned(), field.to_owned())),
        _ => Err("write THING.FIELD, like `pool/pds-web.desired_instances`".to_owned()),
    }
}

fn why_not(text: &str) -> Result<(String, Option<String>), String> {
    let mut words = text.split_whitespace().map(str::to_owned);
    match (words.next(), words.next(), words.next()) {
        (Some(thing), status, None) => Ok((thing, status)),
        _ => Err("write a thing and what it should be, like \"sandbox/pds-web-0 running\"".to_owned()),
    }
}

impl<'a> Explanation<'a> {
    /// Asks the run, and other runs for what decides.
    fn of(args: &ExplainArgs, look: &Look, run: &'a Run<'a>, setting: &'a Setting) -> Result<Self, Refusal> {
        let searched = progress::Searched::new(!look.quiet);
        let mut explainer = Explainer::new(&run.outcome.trace, setting);
        let asked = explain::ask(&explainer, run, question(args)).map_err(refusal)?;
        let full = args.full || look.verbose > 0;
        let limits = if full { Limits::ALL } else { Limits::default() };
        let mut chain = asked.record.and_then(|record| explainer.chain_and_deciders(record, limits));
        let begun = || searched.one();
        let tries = args.tries.map_or_else(|| Tries::within_seconds(run), Tries::of).told(&begun);
        let deciding = (!args.quick).then(|| {
            let likely = chain.as_ref().map(Chain::all_deciders).unwrap_or_default();
            deciding::decide(run, args.logic.until, &asked.end, &likely, tries)
        });
        if let (Some(chain), Some(deciding)) = (&mut chain, &deciding) {
            deciding.mark(chain);
        }
        let sealed = deciding.as_ref().filter(|_| args.sealed).map(|deciding| {
            let decides: Vec<_> = deciding.decides().map(|trial| trial.deciders.clone()).collect();
            sealed::sealed(run, args.logic.until, &asked, &decides, tries)
        });
        Ok(Self { run, setting, asked, chain, deciding, sealed, full, verify: args.verify })
    }

    fn text(&self, look: &Look) -> String {
        let Run { scenario, variant, outcome } = *self.run;
        let mut text = String::new();
        if !look.quiet {
            text.push_str(&format!("{}\n", super::text::title(scenario, variant, outcome)));
            let record = self.asked.record.map(|record| format!(" record {}", record.number())).unwrap_or_default();
            text.push_str(&format!("  why{record}: {}\n\n", self.asked.what));
        }
        let trace = &outcome.trace;
        let head = fit(&text, width()).lines().count();
        let page = Page { trace, setting: self.setting };
        let told = (self.chain.clone(), self.deciding.as_ref());
        text.push_str(&deciding::told(&page, told, (head, self.full, self.verify)));
        if let Some(sealed) = &self.sealed {
            text.push_str(&sealed::text(trace, self.setting, sealed));
        }
        text
    }

    /// The report of the run, with how it was sealed.
    fn page(&self, file: &str, logic: &Logic, reproduce: &str) -> String {
        let Run { scenario, variant, outcome } = *self.run;
        let metrics = report::figures(scenario, outcome);
        let checked = report::check(scenario, variant, outcome, &metrics);
        let digest = trace::digest::of(&outcome.trace);
        let explain = reproduce::command("explain", file, &variant.name, variant.seed, &logic.words());
        let source = html::Source {
            scenario,
            variant,
            outcome,
            metrics: &metrics,
            checked: &checked,
            digest: &digest,
            reproduce,
            explain: &explain,
        };
        let mut part = html::Part::of(&source);
        if let Some(sealed) = &self.sealed {
            let (text, curve) = (sealed::text(&outcome.trace, self.setting, sealed), sealed::curve(sealed));
            part.tells(html::Sealed { end: self.asked.what.clone(), text: plain(&text), curve });
        }
        html::page(vec![part])
    }

    fn json(&self) -> String {
        let Run { scenario, variant, outcome } = *self.run;
        let trace = &outcome.trace;
        let mut object = json!({
            "schema": 1,
            "scenario": scenario.name,
            "variant": variant.name,
            "seed": variant.seed,
            "event": self.asked.record,
            "chosen": self.asked.what,
            "chain": self.chain.as_ref().map(|chain| explain::json(trace, self.setting, chain)),
        });
        if let Some(deciding) = &self.deciding {
            object["tried"] = json!({ "runs": deciding.runs, "left": deciding.left });
            object["decided_by"] = deciding.decides().map(|trial| self.trial_json(trial)).collect();
            if deciding.in_part().next().is_some() {
                object["decided_in_part"] = deciding.in_part().map(|trial| self.trial_json(trial)).collect();
            }
            if self.verify {
                object["verified"] = deciding.alone.iter().map(|trial| self.trial_json(trial)).collect();
            }
        }
        if let Some(sealed) = &self.sealed {
            object["sealed"] = self.sealed_json(sealed);
        }
        json::pretty(&object)
    }

    fn sealed_json(&self, sealed: &Sealed) -> serde_json::Value {
        let things = |of: &[Decider]| -> Vec<_> {
            of.iter().map(|decider| explain::decider_json(self.setting, *decider)).collect()
        };
        let cures = sealed.cures.iter().map(|cure| {
            json!({
                "of": things(&cure.of),
                "helps_until": cure.last.map(|last| last.at),
                "event": cure.last.and_then(|last| last.record),
                "wavers": cure.wavers,
            })
        });
        let futures = sealed.futures.as_ref().map(|futures| {
            let moments = futures.moments.iter().map(|moment| {
                let (low, high) = moment.interval();
                let [low, high] = [low, high].map(|share| libm::round(share * 1e4) / 1e4);
                json!({ "at": moment.at, "end_so": moment.bad, "of": moment.of, "interval": [low, high] })
            });
            let steepest = futures.steepest.map(|(place, event)| json!({ "moment": place, "event": event }));
            json!({ "moments": moments.collect::<Vec<_>>(), "steepest": steepest, "is_one": futures.is_one })
        });
        json!({ "came": sealed.came, "runs": sealed.runs, "cures": cures.collect::<Vec<_>>(), "futures": futures })
    }

    fn trial_json(&self, trial: &Trial) -> serde_json::Value {
        let (ending, subject, at) = match trial.ending {
            Ending::Same(at) => ("same", None, at),
            Ending::Elsewhere(name, at) => ("elsewhere", Some(name), Some(at)),
            Ending::Averted => ("averted", None, None),
            Ending::Unknown => ("unknown", None, None),
        };
        let deciders = trial.deciders.iter().map(|decider| explain::decider_json(self.setting, *decider));
        json!({
            "deciders": deciders.collect::<Vec<_>>(),
            "ending": ending, "subject": subject, "at": at, "instead": trial.instead, "another_run": trial.differs, "comes_to_rest": trial.rests,
        })
    }
}
