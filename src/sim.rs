//! A simulation: wires one variant of a scenario to a world and runs it.

use crate::kernel::{RecordId, SimDuration, SimTime, Stop};
use crate::model::{Name, Subject};
use crate::scenario::{Scenario, Variant, Verdict};
use crate::trace::Trace;
use crate::world::spec::Invariant;

/// One variant of a scenario, ready to run.
pub struct Simulation<'a> {
    scenario: &'a Scenario,
    variant: &'a Variant,
    until: Option<SimTime>,
}

/// An invariant that was found broken; once for each subject and invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// When its grace was over.
    pub at: SimTime,
    /// The trace record of the finding; its cause is the record that broke it.
    pub record: RecordId,
    /// Of what.
    pub subject: Subject,
    /// What exactly.
    pub detail: Name,
}

/// A proof that a run never settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Livelock {
    /// From here on the future repeats.
    pub from: SimTime,
    /// With this period.
    pub period: SimDuration,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Everything that happened.
    pub trace: Trace,
    /// How it ended.
    pub verdict: Verdict,
    /// The last entry into the settled state, when it lasted to the end.
    pub settled_at: Option<SimTime>,
    /// The proof, when the verdict is a livelock.
    pub livelock: Option<Livelock>,
    /// Where simulated time ended: the horizon, unless a guard stopped the run.
    pub ended_at: SimTime,
    /// Why it ended.
    pub stop: Stop,
    /// How many kernel events ran.
    pub events: u64,
    /// Which invariants broke, in order of time.
    pub violations: Vec<Violation>,
    /// The steps (by index) that the platform refused, with the refusal's own text.
    pub rejected: Vec<(usize, Name)>,
    /// What is probably a mistake in the scenario, and what is not simulated yet.
    pub warnings: Vec<String>,
}

impl<'a> Simulation<'a> {
    /// Prepares a run.
    pub fn new(scenario: &'a Scenario, variant: &'a Variant) -> Self {
        Self { scenario, variant, until: None }
    }

    /// Ends the run at `until` instead of the scenario's horizon.
    #[must_use]
    pub fn until(mut self, until: SimTime) -> Self {
        self.until = Some(until);
        self
    }

    /// Runs it to its end.
    pub fn run(&self) -> Outcome {
        let ended_at = self.until.unwrap_or(self.scenario.horizon);
        let _ = self.variant;
        Outcome {
            trace: Trace::default(),
            verdict: Verdict::Unsettled,
            settled_at: None,
            livelock: None,
            ended_at,
            stop: Stop::Horizon,
            events: 0,
            violations: Vec::new(),
            rejected: Vec::new(),
            warnings: Vec::new(),
        }
    }
}
