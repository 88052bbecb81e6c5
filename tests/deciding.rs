//! What `explain` prints as deciding, against brute force: every fix, fault, step, stream of requests, key (of
//! programs, and misspelt ones of configs) and constant taken away alone, whether it can matter or not, for every end of the corpus.
//!
//! By default a part of the corpus is measured; `UPDATE_DOCS=1 cargo test --release --test deciding`
//! measures all of it and writes the table of `docs/reading-a-run.md`, `UPDATE_DOCS=part` the same of that part. What a newcomer gets wrong: the
//! figures are not the goals; the goals are asserted below.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;
use schedsim::controllers::fixes::Fix;
use schedsim::report::explain::{
    Asked, Choice, Decider, End, Explainer, Limits, Page, Question, Run, Setting, ask, family,
};
use schedsim::scenario::{Scenario, Variant};
use schedsim::sim::{Outcome, Simulation};
use schedsim::study::deciding::{Tries, all, decide, otherwise, told};
use schedsim::trace::What;

#[path = "common/corpus.rs"]
mod corpus;
use corpus::corpus;

const PAGE: &str = "docs/reading-a-run.md";
const BEGIN: &str = "<!-- explain against brute force: made by tests/deciding.rs -->\n";
const FINISH: &str = "<!-- end of the table -->";
/// A screen.
const LINES: usize = 40;
/// Of so many runs one is measured by default, when it is a short one.
const ONE_OF: usize = 23;
const SHORT: usize = 1500;

/// What was found of one end.
struct Measured {
    name: String,
    truth: BTreeSet<Decider>,
    printed: BTreeSet<Decider>,
    quick: BTreeSet<Decider>,
    together: bool,
    lines: usize,
}

/// The ends of a run that somebody may ask about, each once.
fn ends(explainer: &Explainer<'_>, run: &Run<'_>) -> Vec<(String, Asked)> {
    let trace = &run.outcome.trace;
    let mut questions =
        vec![("by default".to_owned(), Question::Failed), ("the verdict".to_owned(), Question::Verdict)];
    if run.outcome.livelock().is_some() {
        questions.push(("the proof".to_owned(), Question::Proof));
    }
    let mut families = BTreeSet::new();
    for record in trace.records() {
        if let What::Broken { invariant, .. } = record.what {
            let kind = record.subject.kind;
            if families.insert((invariant, family(kind, trace.name(record.subject).as_str()))) {
                let name = trace.name(record.subject).as_str();
                questions.push((
                    format!("{invariant} of {name}"),
                    Question::Of(Choice::Violation(invariant.name(), Some(name))),
                ));
            }
        }
    }
    let mut reasons = Vec::new();
    for (place, record) in trace.records().iter().enumerate() {
        if let What::RequestFailed { error, .. } = record.what {
            let reason = std::mem::discriminant(&error);
            if !reasons.contains(&reason) {
                reasons.push(reason);
                questions.push((format!("request: {error}"), Question::Of(Choice::Event(place as u64 + 1))));
            }
        }
    }
    let mut found: Vec<(String, Asked)> = Vec::new();
    for (name, question) in questions {
        if let Ok(asked) = ask(explainer, run, question)
            && !found.iter().any(|(_, known)| known.end == asked.end)
        {
            found.push((name, asked));
        }
    }
    found
}

/// Everything that could be otherwise, whether it can matter or not; of the whole corpus only what is not known to make
/// the same run, which another test holds.
fn everything(run: &Run<'_>, whole: bool) -> Vec<Decider> {
    let mut things: BTreeSet<Decider> = all(run).into_iter().collect();
    if whole {
        return things.into_iter().collect();
    }
    let fixes = run.variant.policy.fixes;
    things.extend(Fix::ALL.iter().map(|fix| Decider::Fix { fix: *fix, in_force: fixes.has(*fix) }));
    things.extend((0..run.scenario.faults.len() as u32).map(Decider::Fault));
    things.into_iter().collect()
}

fn measured(scenario: &Scenario, variant: &Variant, outcome: &Outcome, whole: bool) -> Vec<Measured> {
    let setting = Setting::of(scenario, variant);
    let mut explainer = Explainer::new(&outcome.trace, &setting);
    let run = Run { scenario, variant, outcome };
    let ends = ends(&explainer, &run);
    let mut truths = vec![BTreeSet::new(); ends.len()];
    let quickly = std::env::var("LINES_ONLY").is_ok();
    for thing in everything(&run, whole).into_iter().filter(|_| !quickly) {
        let (scenario, variant) = otherwise(scenario, variant, &[thing]);
        let outcome = Simulation::new(&scenario, &variant).run();
        let other = Run { scenario: &scenario, variant: &variant, outcome: &outcome };
        for ((_, asked), truth) in ends.iter().zip(&mut truths) {
            if asked.end.look_for(&other).is_averted() {
                truth.insert(thing);
            }
        }
    }
    let found = ends.into_iter().zip(truths).map(|((name, asked), mut truth)| {
        // Without its stream a request is never made: that is the question, and no answer.
        truth.retain(|thing| {
            !matches!((&asked.end, thing), (End::Request { .. }, Decider::Traffic(_)))
                && !matches!((&asked.end, thing), (End::Refused(step), Decider::Step(taken)) if *taken as usize == *step)
        });
        let chain = asked.record.and_then(|record| explainer.chain_and_deciders(record, Limits::default()));
        let quick: Vec<Decider> = chain.as_ref().map(|chain| chain.all_deciders()).unwrap_or_default();
        let deciding = decide(&run, None, &asked.end, &quick, Tries::within_seconds(&run));
        let alone = deciding.alone.iter().filter(|trial| trial.ending.is_averted());
        let printed: BTreeSet<Decider> = alone.flat_map(|trial| trial.deciders.clone()).collect();
        let chain = chain.map(|mut chain| {
            deciding.mark(&mut chain);
            chain
        });
        // Above it stand two lines and what it is about.
        let record = asked.record.map(|record| format!(" record {}", record.number())).unwrap_or_default();
        let head = 2 + format!("  why{record}: {}", asked.what).len().div_ceil(setting.timeline.width);
        let page = Page { trace: &outcome.trace, setting: &setting };
        let told = told(&page, (chain, Some(&deciding)), (head, false, false));
        if quickly {
            let name: String = format!("{}-{}-{name}", scenario.name, variant.name).replace(['/', ' ', ':'], "_");
            std::fs::write(format!("/tmp/pages/{:03}-{name}", told.lines().count() + head), &told).unwrap();
        }
        Measured {
            name: format!("{} @ {}: {name}", scenario.name, variant.name),
            truth,
            printed,
            quick: quick.into_iter().collect(),
            together: !deciding.together.is_empty(),
            lines: told.lines().count() + head,
        }
    });
    found.collect()
}

/// Of so many runs one is told again under each fix that it did not ask for, when it is a short one.
const ONE_ASKED_OF: usize = 17;

#[test]
fn a_fix_that_nobody_asked_for_makes_no_other_run() {
    let scenarios = corpus();
    let pairs = scenarios.iter().flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)));
    let pairs: Vec<(&Scenario, &Variant)> = pairs.step_by(ONE_ASKED_OF).collect();
    let tried: Vec<usize> = pairs
        .into_par_iter()
        .map(|(scenario, variant)| {
            let outcome = Simulation::new(scenario, variant).run();
            let run = Run { scenario, variant, outcome: &outcome };
            if outcome.trace.records().len() > SHORT {
                return 0;
            }
            let known = all(&run);
            let fixes = variant.policy.fixes;
            let others = Fix::ALL.iter().map(|fix| Decider::Fix { fix: *fix, in_force: fixes.has(*fix) });
            let others: Vec<Decider> = others.filter(|decider| !known.contains(decider)).collect();
            for decider in &others {
                let (scenario, variant) = otherwise(scenario, variant, &[*decider]);
                let other = Simulation::new(&scenario, &variant).run();
                let same = other.trace.records() == outcome.trace.records();
                assert!(same, "{} @ {}: {decider:?} was not asked for", scenario.name, variant.name);
            }
            others.len()
        })
        .collect();
    let (runs, fixes) = (tried.iter().filter(|count| **count > 0).count(), tried.iter().sum::<usize>());
    assert!(runs > 10 && fixes > 500, "{runs} runs, {fixes} fixes");
}

/// How many of all that decide are printed, of all that is printed decide, and of each how many there are.
struct Score {
    hits: usize,
    truth: usize,
    printed: usize,
}

impl Score {
    fn of(
        ends: &[Measured],
        printed: impl Fn(&Measured) -> &BTreeSet<Decider>,
        counts: impl Fn(&Decider) -> bool,
    ) -> Self {
        let sum = |of: &dyn Fn(&Measured) -> usize| ends.iter().map(of).sum();
        Self {
            hits: sum(&|end| printed(end).intersection(&end.truth).filter(|thing| counts(thing)).count()),
            truth: sum(&|end| end.truth.iter().filter(|thing| counts(thing)).count()),
            printed: sum(&|end| printed(end).iter().filter(|thing| counts(thing)).count()),
        }
    }
    fn recall(&self) -> f64 {
        self.hits as f64 / self.truth.max(1) as f64
    }
    fn precision(&self) -> f64 {
        self.hits as f64 / self.printed.max(1) as f64
    }
    fn row(&self, name: &str) -> String {
        let Self { hits, truth, printed } = self;
        if *truth == 0 && *printed == 0 {
            return String::new();
        }
        let (recall, precision) = (self.recall(), self.precision());
        format!("| {name} | {truth} | {printed} | {hits} | {recall:.2} | {precision:.2} |\n")
    }
}

fn is_fix(thing: &Decider) -> bool {
    matches!(thing, Decider::Fix { .. })
}

fn is_fault(thing: &Decider) -> bool {
    matches!(thing, Decider::Fault(_))
}

fn table(ends: &[Measured]) -> String {
    let mut table =
        "| printed by | decide | printed | both | recall | precision |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    table += &Score::of(ends, |end| &end.printed, |_| true).row("`explain`, all");
    table += &Score::of(ends, |end| &end.printed, is_fix).row("... fixes");
    table += &Score::of(ends, |end| &end.printed, is_fault).row("... faults");
    table += &Score::of(ends, |end| &end.printed, |thing| !is_fix(thing) && !is_fault(thing))
        .row("... steps, keys, constants");
    table += &Score::of(ends, |end| &end.quick, |thing| is_fix(thing) || is_fault(thing))
        .row("met on the way, not tried: `explain --quick`, fixes and faults");
    let screens = ends.iter().filter(|end| end.lines <= LINES).count();
    let together = ends.iter().filter(|end| end.together).count();
    let nothing = ends.iter().filter(|end| end.truth.is_empty() && !end.together).count();
    format!(
        "{table}\n{} ends; {together} hang on two or more things together only, {nothing} on nothing that was tried. \
         A screen of {LINES} lines holds {:.0} % of the explanations; the longest has {} lines.\n",
        ends.len(),
        100.0 * screens as f64 / ends.len().max(1) as f64,
        ends.iter().map(|end| end.lines).max().unwrap_or_default(),
    )
}

#[test]
fn what_is_printed_as_deciding_decides_and_what_decides_is_printed() {
    let update = std::env::var("UPDATE_DOCS").ok();
    let whole = update.as_ref().is_some_and(|what| what != "part");
    let scenarios = corpus();
    let pairs = scenarios.iter().flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)));
    let pairs: Vec<(&Scenario, &Variant)> =
        pairs.enumerate().filter(|(n, _)| whole || n % ONE_OF == 0).map(|(_, p)| p).collect();
    let ends: Vec<Measured> = pairs
        .into_par_iter()
        .flat_map_iter(|(scenario, variant)| {
            let outcome = Simulation::new(scenario, variant).keeps_evidence().run();
            let takes = whole || outcome.trace.records().len() <= SHORT;
            if takes { measured(scenario, variant, &outcome, whole) } else { Vec::new() }
        })
        .collect();
    assert!(ends.len() > 10, "{} ends", ends.len());
    for end in &ends {
        let missed: Vec<_> = end.truth.difference(&end.printed).collect();
        let wrong: Vec<_> = end.printed.difference(&end.truth).collect();
        if !missed.is_empty() || !wrong.is_empty() || end.lines > LINES {
            println!("{}: {} lines; missed {missed:?}; wrong {wrong:?}", end.name, end.lines);
        }
    }
    let table = table(&ends);
    println!("{table}");
    let score = Score::of(&ends, |end| &end.printed, |_| true);
    assert!(score.recall() >= 0.95 && score.precision() >= 0.9, "{table}");
    let screens = ends.iter().filter(|end| end.lines <= LINES).count();
    assert!(screens * 100 >= ends.len() * 95, "{table}");
    if update.is_some() {
        let of = if whole {
            "All runs of the corpus".to_owned()
        } else {
            format!("One in {ONE_OF} runs of the corpus, with at most {SHORT} records")
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        let page = std::fs::read_to_string(&path).expect("a page");
        let (before, rest) = page.split_once(BEGIN).expect("a place for the table");
        let (_, after) = rest.split_once(FINISH).expect("its end");
        std::fs::write(&path, format!("{before}{BEGIN}\n{of}:\n\n{table}\n{FINISH}{after}"))
            .expect("it can be written");
    }
}
