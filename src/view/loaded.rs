//! Runs that are looked at, each with its picture.
//!
//! A run is made of a story or read from a trace. It may know simulations, pictures and settings, and nothing
//! of terminals.

use std::cell::OnceCell;

use crate::controllers::fixes::Fixes;
use crate::kernel::SimTime;
use crate::report::explain::{Run, Setting};
use crate::report::picture::{self, Picture};
use crate::scenario::{Scenario, Variant};
use crate::sim::{Outcome, Simulation};
use crate::trace::{Trace, What};

/// Places for runs.
pub(crate) struct Slots(Vec<OnceCell<Loaded>>);

impl Slots {
    /// So many empty places.
    pub(crate) fn new(places: usize) -> Self {
        Self((0..places).map(|_| OnceCell::new()).collect())
    }

    /// Puts a run into the first empty place; none when there is no more.
    pub(super) fn put(&self, make: impl FnOnce() -> Loaded) -> Option<&Loaded> {
        let slot = self.0.iter().find(|slot| slot.get().is_none())?;
        Some(slot.get_or_init(make))
    }
}

/// A run, and what is drawn of it.
pub(crate) struct Loaded {
    /// What tells it from the others.
    pub(super) name: String,
    pub(super) end: SimTime,
    pub(super) setting: Setting,
    pub(super) picture: Picture,
    /// How many violations and failed requests there are, in words.
    pub(super) wrong: String,
    source: Source,
}

enum Source {
    Story(Box<Story>),
    Trace(Box<Trace>),
}

struct Story {
    scenario: Scenario,
    variant: Variant,
    outcome: Outcome,
}

impl Loaded {
    /// Makes the run of a story.
    pub(crate) fn run(scenario: &Scenario, variant: &Variant, until: Option<SimTime>) -> Self {
        let simulation = Simulation::new(scenario, variant).keeps_evidence().until(until);
        Self::of(variant.name.clone(), scenario.clone(), variant.clone(), simulation.run())
    }

    /// A run that was made.
    pub(super) fn of(name: String, scenario: Scenario, variant: Variant, outcome: Outcome) -> Self {
        let setting = Setting::of(&scenario, &variant);
        let picture = picture::picture(&outcome.trace, outcome.ended_at, &setting.timeline, outcome.livelock());
        let (end, wrong) = (outcome.ended_at, wrong(&outcome.trace));
        let source = Source::Story(Box::new(Story { scenario, variant, outcome }));
        Self { name, end, setting, picture, wrong, source }
    }

    /// A trace that was kept: nobody knows its story.
    pub(crate) fn trace(name: String, trace: Trace) -> Self {
        let setting = Setting::plain(Fixes::default());
        let end = trace.records().last().map_or(SimTime::ZERO, |record| record.at);
        let picture = picture::picture(&trace, end, &setting.timeline, None);
        let wrong = wrong(&trace);
        Self { name, end, setting, picture, wrong, source: Source::Trace(Box::new(trace)) }
    }

    pub(super) fn records(&self) -> &Trace {
        match &self.source {
            Source::Story(story) => &story.outcome.trace,
            Source::Trace(trace) => trace,
        }
    }

    /// The run with its story, where that is known.
    pub(super) fn story(&self) -> Option<Run<'_>> {
        match &self.source {
            Source::Story(story) => {
                let Story { scenario, variant, outcome } = &**story;
                Some(Run { scenario, variant, outcome })
            }
            Source::Trace(_) => None,
        }
    }

    /// How it ended, in a word.
    pub(super) fn verdict(&self) -> String {
        self.story().map_or_else(String::new, |run| run.outcome.verdict.name().to_uppercase())
    }
}

fn wrong(trace: &Trace) -> String {
    let (mut broken, mut requests) = (0, 0);
    for record in trace.records() {
        broken += usize::from(matches!(record.what, What::Broken { .. }));
        requests += usize::from(matches!(record.what, What::RequestFailed { .. }));
    }
    let told = [(broken, "violation"), (requests, "failed request")].into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, of)| crate::report::counted(count, of)).collect::<Vec<_>>().join(", ")
}
