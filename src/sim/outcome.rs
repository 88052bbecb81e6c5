//! What came of a run, as data: its trace, its verdict, and what stands behind the verdict.
//!
//! Whoever reports, compares or counts runs reads this; nothing here decides. What a newcomer gets
//! wrong: `settled_at` is empty when the run flaps, although its last moment may be at rest.

use crate::controllers::fixes::Fixes;
use crate::kernel::{SimDuration, SimTime, Stop};
use crate::model::Name;
use crate::scenario::Verdict;
use crate::trace::Trace;

use super::{Flaps, Part, Unproved, Violation};

/// A proof that a run repeats itself for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Livelock {
    /// From here on the future repeats.
    pub from: SimTime,
    /// With this period.
    pub period: SimDuration,
    /// For how much of each period the cluster is settled: all of it, it is at rest for ever; none of
    /// it, it never is again.
    pub settled: SimDuration,
}

impl Livelock {
    /// No moment of a period is settled.
    pub fn never_settles(self) -> bool {
        self.settled.is_zero()
    }

    /// All of a period is settled: the cluster is at rest for ever.
    pub fn is_at_rest(self) -> bool {
        self.settled == self.period
    }
}

/// How long a cluster was settled at the end of a run, and how long it must be until that is the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// The last entry into the settled state, or what last came from outside since.
    pub since: SimTime,
    pub lasted: SimDuration,
    /// As long as the rules look back, and until they look again.
    pub needed: SimDuration,
    /// It is proved that it stays so.
    pub proved: bool,
    /// What is under way and known to end it, and when.
    pub ahead: Option<(SimTime, &'static str)>,
}

impl Quiet {
    /// Whether the run was too short to tell that it stays settled.
    pub fn is_too_short(self) -> bool {
        !self.proved && (self.lasted < self.needed || self.ahead.is_some())
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Outcome {
    pub trace: Trace,
    pub verdict: Verdict,
    /// The last entry into the settled state, when it lasted to the end.
    pub settled_at: Option<SimTime>,
    /// The proof that the run repeats itself, settled or not.
    pub recurrence: Option<Livelock>,
    /// Why there is none; nothing, where proofs are not looked for or the run was at rest.
    pub unproved: Option<Unproved>,
    /// How the cluster settles and unsettles, when the verdict is that it flaps.
    pub flaps: Option<Flaps>,
    /// For how long it was settled at the end, when the verdict is that it is.
    pub quiet: Option<Quiet>,
    /// Where simulated time ended: the horizon, unless a guard stopped the run.
    pub ended_at: SimTime,
    pub stop: Stop,
    pub events: u64,
    /// Who is at rest at the end and who is not, app by app; those who were never anything but at rest are left out.
    pub parts: Vec<Part>,
    /// Which invariants broke, in order of time.
    pub violations: Vec<Violation>,
    /// The steps (by index) that the platform refused, with the refusal's own text.
    pub rejected: Vec<(usize, Name)>,
    /// What is probably a mistake in the scenario, as the run shows it.
    pub warnings: Vec<String>,
    /// The fixes that anybody asked for, in force or not: but for defaults of constants, no other one can have mattered.
    pub asked: Fixes,
}

impl Outcome {
    /// The proof that the cluster never settles: it repeats itself, and no moment of its period is settled.
    pub fn livelock(&self) -> Option<Livelock> {
        self.recurrence.filter(|proof| proof.never_settles())
    }

    /// The names of the invariants that broke, each once, in the order of the alphabet.
    pub(crate) fn broken(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.violations.iter().map(|found| found.invariant.name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// All that is not in the records, for runs that must be alike. Why nothing was proved is left out, for it tells how
    /// far proofs were looked for, and so are the parts, of which the verdict is made.
    pub fn beside_the_trace(&self) -> String {
        let Self {
            trace: _,
            verdict,
            settled_at,
            recurrence,
            unproved: _,
            flaps,
            quiet,
            ended_at,
            stop,
            events,
            parts: _,
            violations,
            rejected,
            warnings,
            asked,
        } = self;
        format!(
            "{verdict:?} {settled_at:?} {recurrence:?} {flaps:?} {quiet:?} {ended_at:?} {stop:?} {events} {violations:?} \
             {rejected:?} {warnings:?} {asked:?}"
        )
    }
}
