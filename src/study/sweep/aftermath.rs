//! What a trigger leaves behind: figures of a run before, during and after its trouble.
//!
//! Folded from the trace in one pass with the common metrics, for two questions that only sweeps
//! ask: does the fleet come back once the trigger is gone (metastability), and how long do apps sit
//! in cooldown although they could run (the cost of waiting)? What a newcomer gets wrong: the
//! trigger *begins* at the first fault window or change of a workload after the first deploy, and
//! is *gone* when `recovery_s` says so; a story without either has no "during".

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Field, Kind, Point, Reason, Value};
use crate::scenario::{Action, Scenario, Verdict};
use crate::sim::Outcome;
use crate::trace::{Record, What};

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

/// When the trigger begins and when it is gone.
fn trigger(scenario: &Scenario, outcome: &Outcome) -> Option<(SimTime, SimTime)> {
    let changes =
        || scenario.steps.iter().filter(|step| matches!(step.action, Action::SetWorkload { .. })).map(|s| s.at);
    let mut from: Option<SimTime> = changes().min();
    let mut gone: Option<SimTime> = changes().max();
    let mut struck: Vec<Option<(SimTime, SimTime)>> = vec![None; scenario.faults.len()];
    // Without a fault there is nothing to look for.
    for record in
        outcome.trace.records().range(if scenario.faults.is_empty() { ..0 } else { ..outcome.trace.records().len() })
    {
        if let What::Struck { fault, .. } = record.what {
            let span = &mut struck[fault as usize];
            *span = Some((span.map_or(record.at, |(first, _)| first), record.at));
        }
    }
    for (fault, struck) in scenario.faults.iter().zip(struck) {
        let begins = fault.when.from.or(struck.map(|(first, _)| first));
        let ends = fault.when.until.or(struck.map(|(_, last)| last));
        from = from.into_iter().chain(begins).min();
        gone = gone.into_iter().chain(ends).max();
    }
    let end = outcome.ended_at;
    from.zip(gone).map(|(from, gone)| (from.min(end), gone.min(end)))
}

/// The fold of one run, told its records in order.
pub struct Fold {
    /// When the trigger begins and when it is gone.
    from: SimTime,
    gone: SimTime,
    boots: [u64; 3],
    calls: [u64; 3],
    /// Of each pool, until when it cools down, and since when that is so.
    waits: Vec<(Option<SimTime>, SimTime)>,
    waited: SimDuration,
}

impl Fold {
    /// The fold of a run of which nothing was told yet.
    pub fn new(scenario: &Scenario, outcome: &Outcome) -> Self {
        let end = outcome.ended_at;
        let (from, gone) = trigger(scenario, outcome).unwrap_or((end, end));
        Self { from, gone, boots: [0; 3], calls: [0; 3], waits: Vec::new(), waited: SimDuration::ZERO }
    }

    /// Takes the next record in.
    pub fn take(&mut self, record: &Record) {
        match record.what {
            What::Decided(Reason::BootStarted) => self.boots[self.phase(record.at)] += 1,
            What::Called { point, .. } | What::CallFailed { point, .. } if is_backend(point) => {
                self.calls[self.phase(record.at)] += 1;
            }
            What::Set { field: Field::CooldownUntil, to, .. } if record.subject.kind == Kind::Pool => {
                let index = record.subject.index as usize;
                if self.waits.len() <= index {
                    self.waits.resize(index + 1, (None, SimTime::ZERO));
                }
                let (until, since) = self.waits[index];
                self.waited = self.waited + self.spent(until, since, record.at);
                let until = if let Value::Time(until) = to { Some(until) } else { None };
                self.waits[index] = (until, record.at);
            }
            _ => {}
        }
    }

    /// Before, during or after the trigger.
    fn phase(&self, at: SimTime) -> usize {
        usize::from(at >= self.from) + usize::from(at >= self.gone)
    }

    /// A cooldown counts from its write, or from the end of the trigger, to its end or its next write.
    fn spent(&self, until: Option<SimTime>, since: SimTime, now: SimTime) -> SimDuration {
        until.map_or(SimDuration::ZERO, |until| until.min(now).since(since.max(self.gone)))
    }

    /// The columns, when all records were told.
    pub fn finish(self, outcome: &Outcome) -> Aftermath {
        let Self { from, gone, boots, calls, .. } = self;
        let end = outcome.ended_at;
        let last = self.waits.iter().map(|(until, since)| self.spent(*until, *since, end));
        let waited = last.fold(self.waited, |sum, wait| sum + wait);
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
            waited.as_nanos(),
        ]
    }
}

/// Of each point, whether it is a call of the sandbox or disk backend.
const BACKEND: [bool; Point::ALL.len()] = {
    let mut backend = [false; Point::ALL.len()];
    let mut index = 0;
    while index < backend.len() {
        // `sandbox.` and `disk.` are what no other name begins with.
        let name = Point::ALL[index].name().as_bytes();
        backend[Point::ALL[index] as usize] = matches!(name, [b's', b'a', ..] | [b'd', ..]);
        index += 1;
    }
    backend
};

fn is_backend(point: Point) -> bool {
    BACKEND[point as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_two_backends_are_told_by_their_names() {
        for point in Point::ALL {
            let name = point.name();
            let backend = name.starts_with("sandbox.") || name.starts_with("disk.");
            assert_eq!(is_backend(*point), backend, "{name}");
        }
    }
}
