//! What a trigger leaves behind: figures of a run before, during and after its trouble.
//!
//! Folded from the trace in one pass with the common metrics, for two questions that only sweeps
//! ask: does the fleet come back once the trigger is gone (metastability), and how long do apps sit
//! in cooldown although they could run (the cost of waiting)? What a newcomer gets wrong: the
//! trigger *begins* at the first fault window or change of a workload after the first deploy, and
//! is *gone* when `recovery_s` says so; a story without either has no "during".

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Field, Kind, Reason, Value, slot};
use crate::scenario::{Action, Scenario, Verdict};
use crate::sim::Outcome;
use crate::trace::{Reader, Record, What};

/// One column of the aftermath.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// As `runs.csv` heads it.
    pub name: &'static str,
    /// What it is, for the guide.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test makes the guide"))]
    pub meaning: &'static str,
    /// Whether it is in seconds (else a count).
    pub seconds: bool,
}

const fn count(name: &'static str, meaning: &'static str) -> Column {
    Column { name, meaning, seconds: false }
}
const fn seconds(name: &'static str, meaning: &'static str) -> Column {
    Column { name, meaning, seconds: true }
}

/// The columns, in their order.
pub const COLUMNS: [Column; 11] = [
    count("returned", "1 when the run ended settled, else 0"),
    seconds("before_s", "how long the time before the trigger was"),
    seconds("during_s", "how long the trigger lasted; 0 when the story has none"),
    seconds("after_s", "from the end of the trigger to the end of the run"),
    count("boots_before", "boots begun before the trigger"),
    count("boots_during", "boots begun while it lasted"),
    count("boots_after", "boots begun after it was gone"),
    count("calls_before", "calls of the sandbox and disk backends before the trigger (each attempt)"),
    count("calls_during", "such calls while it lasted"),
    count("calls_after", "such calls after it was gone"),
    seconds("cooldown_after_s", "pool-seconds in cooldown after the trigger was gone: the cost of waiting"),
];

/// The values of the columns: counts, or nanoseconds.
pub type Aftermath = [u64; COLUMNS.len()];

/// One end of the trigger.
#[derive(Clone, Copy, Default, Debug)]
struct Edge {
    /// When it is, as far as is known.
    at: Option<SimTime>,
    /// How many boots and calls there were before it, once it is past.
    before: Option<[u64; 2]>,
}

/// What the strikes of a fault say: whether they tell when it begins, and when it ends.
type Tells = (bool, bool);

/// The fold of one run, told its records in order.
#[derive(Clone, Debug)]
pub struct Fold {
    faults: Vec<Tells>,
    /// When the trigger begins and when it is gone.
    from: Edge,
    gone: Edge,
    now: SimTime,
    /// Boots and calls so far, and before this instant.
    counts: [u64; 2],
    earlier: [u64; 2],
    /// Of each pool, until when it cools down, and since when that is so.
    waits: Vec<(Option<SimTime>, SimTime)>,
    waited: SimDuration,
}

impl Fold {
    /// The fold of a run of which nothing was told yet.
    pub fn new(scenario: &Scenario) -> Self {
        let changes =
            || scenario.steps.iter().filter(|step| matches!(step.action, Action::SetWorkload { .. })).map(|s| s.at);
        let windows = || scenario.faults.iter().map(|fault| &fault.when);
        let edge = |at| Edge { at, before: None };
        Self {
            faults: windows().map(|when| (when.from.is_none(), when.until.is_none())).collect(),
            from: edge(windows().filter_map(|when| when.from).chain(changes()).min()),
            gone: edge(windows().filter_map(|when| when.until).chain(changes()).max()),
            now: SimTime::ZERO,
            counts: [0; 2],
            earlier: [0; 2],
            waits: Vec::new(),
            waited: SimDuration::ZERO,
        }
    }

    /// A fault strikes now.
    fn struck(&mut self, fault: u32) {
        let here = Edge { at: Some(self.now), before: Some(self.earlier) };
        let (tells_begin, tells_end) = self.faults[fault as usize];
        if tells_begin && self.from.at.is_none_or(|from| from > self.now) {
            self.from = here;
        }
        if tells_end && self.gone.at.is_none_or(|gone| gone < self.now) {
            self.gone = here;
            // All that pools have waited so far was before.
            self.waited = SimDuration::ZERO;
        }
    }

    /// A cooldown counts from its write, or from the end of the trigger, to its end or its next write.
    fn spent(&self, until: Option<SimTime>, since: SimTime, now: SimTime) -> SimDuration {
        let both = until.zip(self.gone.at);
        both.map_or(SimDuration::ZERO, |(until, gone)| until.min(now).since(since.max(gone)))
    }

    /// The columns, when all records were told.
    pub fn finish(self, outcome: &Outcome) -> Aftermath {
        let end = outcome.ended_at;
        let last = self.waits.iter().map(|(until, since)| self.spent(*until, *since, end));
        let waited = last.fold(self.waited, |sum, wait| sum + wait);
        // Without both ends there is no trigger, and all of the run is before it.
        let has_both = self.from.at.is_some() && self.gone.at.is_some();
        let at_end = Edge { at: Some(end), before: (self.now == end).then_some(self.earlier) };
        let [(from, before), (gone, until_gone)] = [self.from, self.gone].map(|edge| {
            let edge = if has_both && edge.at <= Some(end) { edge } else { at_end };
            (edge.at.unwrap_or(end), edge.before.unwrap_or(self.counts))
        });
        let split = |n: usize| {
            let (low, high) = (before[n].min(until_gone[n]), before[n].max(until_gone[n]));
            [low, high - low, self.counts[n] - high]
        };
        let (boots, calls) = (split(0), split(1));
        [
            u64::from(outcome.verdict == Verdict::Settled),
            from.elapsed().as_nanos(),
            gone.since(from).as_nanos(),
            end.since(gone).as_nanos(),
            boots[0],
            boots[1],
            boots[2],
            calls[0],
            calls[1],
            calls[2],
            if has_both { waited.as_nanos() } else { 0 },
        ]
    }
}

impl Reader for Fold {
    fn take(&mut self, record: &Record) {
        if record.at > self.now {
            (self.now, self.earlier) = (record.at, self.counts);
            for edge in [&mut self.from, &mut self.gone] {
                if edge.before.is_none() && edge.at.is_some_and(|at| at <= record.at) {
                    edge.before = Some(self.counts);
                }
            }
        }
        match record.what {
            What::Decided(Reason::BootStarted) => self.counts[0] += 1,
            What::Called { point, .. } | What::CallFailed { point, .. }
                if matches!(point.group(), "sandbox" | "disk") =>
            {
                self.counts[1] += 1;
            }
            What::Struck { fault, .. } => self.struck(fault),
            What::Set { field: Field::CooldownUntil, to, .. } if record.subject.kind == Kind::Pool => {
                let now = if let Value::Time(until) = to { Some(until) } else { None };
                let wait = slot(&mut self.waits, record.subject.index, (None, SimTime::ZERO));
                let (until, since) = std::mem::replace(wait, (now, record.at));
                self.waited = self.waited + self.spent(until, since, record.at);
            }
            _ => {}
        }
    }
}
