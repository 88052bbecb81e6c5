//! When an end was sealed: until when a cure would still have helped, and how likely it was at each moment.
//!
//! A cure is a fix that comes by an upgrade, or a fault that heals, at some instant of the run: the last one at
//! which the end still stays away is searched for by halves. The share of bad futures is found by running the
//! story on from one moment after the other with other draws. It may use simulation, scenario and reports; it
//! prints nothing.

mod text;

use rayon::prelude::*;

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{Kind, Name, Reason, RequestError, Subject};
use crate::replay;
use crate::report::explain::{Asked, Decider, End, Ending, Run};
use crate::scenario::{Action, Scenario, Step, Upgrade, Variant};
use crate::sim::{COORDINATOR_DOWN, Outcome, Simulation};
use crate::trace::{Record, Trace, What};

use super::deciding::{Begun, Tries, longest};

pub use text::{curve, text};

/// When an end was sealed.
#[derive(Clone, PartialEq, Debug)]
pub struct Sealed {
    /// When the end came; of an end without a time, when the run ended.
    pub came: SimTime,
    /// How long each cure would have helped.
    pub cures: Vec<Cure>,
    /// What would have come from each moment on; none: there were too few runs for it.
    pub futures: Option<Futures>,
    /// How many runs it took.
    pub runs: usize,
}

/// Something that could have come in the middle of the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cure {
    /// What is made otherwise from then on: fixes by an upgrade, faults by healing; nothing: all processes restart.
    pub of: Vec<Decider>,
    /// The last moment at which it helps.
    pub last: Option<Sealing>,
    /// Whether between moments at which it helps there are some at which it does not.
    pub wavers: bool,
}

/// A moment at which something was sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealing {
    /// The instant: just before it there was time.
    pub at: SimTime,
    /// The record that tells best what happened then; none: it helps even just before the end.
    pub record: Option<RecordId>,
}

/// The share of bad futures, moment by moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Futures {
    /// In order of time; the last is the end, which has come.
    pub moments: Vec<Moment>,
    /// The place of the moment after which the share changes most, when that is no chance; what happened then.
    pub steepest: Option<(usize, RecordId)>,
    /// Whether nothing that is drawn makes another run.
    pub is_one: bool,
}

/// What comes when everything is drawn anew from just before an instant on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The instant.
    pub at: SimTime,
    /// How many futures end so, whomever it comes to.
    pub bad: usize,
    /// Of how many.
    pub of: usize,
}

impl Moment {
    /// The share of bad futures.
    pub fn share(self) -> f64 {
        self.bad as f64 / self.of.max(1) as f64
    }

    /// Its 95 % interval (Wilson's).
    pub fn interval(self) -> (f64, f64) {
        let (n, share) = (self.of.max(1) as f64, self.share());
        let square = Z * Z;
        let middle = (share + square / (2.0 * n)) / (1.0 + square / n);
        let half = Z / (1.0 + square / n) * libm::sqrt(share * (1.0 - share) / n + square / (4.0 * n * n));
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }

    /// Whether the shares of two moments differ by more than chance explains.
    fn differs(self, other: Self) -> bool {
        let ((low, high), (other_low, other_high)) = (self.interval(), other.interval());
        high < other_low || other_high < low
    }
}

/// So many standard errors to either side hold 95 %.
const Z: f64 = 1.96;
/// At so many moments a cure is tried before the last that helped is searched by halves.
const GRID: usize = 8;
/// No more cures are tried.
const CURES_MAX: usize = 5;
/// At so many moments futures are tried before the steepest change is searched by halves.
const MOMENTS: usize = 12;
/// So many futures of a moment are tried at most, and at least.
const FUTURES: (usize, usize) = (20, 8);

/// Finds when the end that was asked for of a run (that ran to `until`, or the horizon) was sealed; `deciding` is what
/// decides it.
pub fn sealed(
    run: &Run<'_>,
    until: Option<SimTime>,
    asked: &Asked,
    deciding: &[Vec<Decider>],
    tries: Tries<'_>,
) -> Sealed {
    let trace = &run.outcome.trace;
    let has_time = matches!(asked.end, End::Alike { .. } | End::Request { .. } | End::Refused(_) | End::Unended(_));
    let record = asked.record.filter(|_| has_time).and_then(|record| trace.get(record));
    let came = match &asked.end {
        End::Field { at, .. } | End::Never { by: at, .. } => *at,
        _ => record.map_or(run.outcome.ended_at, |record| record.at),
    };
    let mut instants: Vec<SimTime> = trace.records().iter().map(|record| record.at).collect();
    instants.retain(|at| *at <= came);
    instants.dedup();
    let search = Search { run, until, end: &asked.end, came, instants, begun: tries.begun };
    let halvings = search.halvings();
    let mut cures = vec![Vec::new()];
    cures.extend(deciding.iter().filter(|things| can_come_later(things)).take(CURES_MAX).cloned());
    let for_each = GRID + halvings.saturating_sub(GRID.ilog2() as usize);
    cures.truncate(tries.runs / for_each);
    let found: Vec<(Cure, usize)> = cures.into_par_iter().map(|of| search.cure(of)).collect();
    let (cures, counts): (Vec<Cure>, Vec<usize>) = found.into_iter().unzip();
    let mut runs = counts.into_iter().sum();
    let seeds = (tries.runs.saturating_sub(runs) / (MOMENTS + halvings)).min(FUTURES.0);
    let futures = (seeds >= FUTURES.1).then(|| search.futures(seeds, &mut runs));
    Sealed { came, cures, futures, runs }
}

/// Whether these things can begin to be otherwise in the middle of a run.
fn can_come_later(things: &[Decider]) -> bool {
    things.iter().all(|thing| matches!(thing, Decider::Fix { .. } | Decider::Fault(_)))
}

struct Search<'a> {
    run: &'a Run<'a>,
    until: Option<SimTime>,
    end: &'a End,
    came: SimTime,
    /// When anything happened, up to the end.
    instants: Vec<SimTime>,
    begun: Begun<'a>,
}

impl Search<'_> {
    /// How often the instants can be halved.
    fn halvings(&self) -> usize {
        self.instants.len().max(1).ilog2() as usize
    }

    /// The last moment at which a cure helps, and how many runs it took to find it.
    fn cure(&self, of: Vec<Decider>) -> (Cure, usize) {
        let grid = self.grid(GRID);
        let helps = |place: usize| self.helps(&of, self.instants[place]);
        let helped: Vec<Option<bool>> = grid.par_iter().map(|place| helps(*place)).collect();
        let mut runs = grid.len();
        let Some(last) = helped.iter().rposition(|helps| *helps == Some(true)) else {
            return (Cure { of, last: None, wavers: false }, runs);
        };
        let wavers = helped[..last].contains(&Some(false));
        let mut low = grid[last];
        let mut high = grid.get(last + 1).copied().unwrap_or(low + 1);
        while high - low > 1 {
            let middle = low.midpoint(high);
            runs += 1;
            if helps(middle) == Some(true) { low = middle } else { high = middle }
        }
        let at = self.instants[low];
        let record = (high < self.instants.len()).then(|| self.what_happened(at, &of));
        (Cure { of, last: Some(Sealing { at, record }), wavers }, runs)
    }

    /// Places of instants: as many as can be at equal distances, the first and the last among them.
    fn grid(&self, count: usize) -> Vec<usize> {
        let last = self.instants.len().saturating_sub(1);
        let mut grid: Vec<usize> = (0..count).map(|n| last * n / (count - 1)).collect();
        grid.dedup();
        grid.retain(|place| *place < self.instants.len());
        grid
    }

    /// Whether a cure that comes just before an instant helps; none: it takes away what the operator wanted.
    fn helps(&self, of: &[Decider], at: SimTime) -> Option<bool> {
        let (scenario, variant) = cured(self.run.scenario, self.run.variant, of, before(at));
        let outcome = self.simulate(Simulation::new(&scenario, &variant));
        let other = Run { scenario: &scenario, variant: &variant, outcome: &outcome };
        (!self.swallows_a_step(&outcome)).then(|| self.end.look_for(&other).is_averted())
    }

    /// Whether a restart ended an operator's request, or met it: what nobody asks for is not cured.
    fn swallows_a_step(&self, cured: &Outcome) -> bool {
        let taken = |outcome: &Outcome, step: u32| {
            let subject = Subject { kind: Kind::Step, index: step };
            outcome.trace.records().iter().any(|record| match record.what {
                What::StepEnded { refused } => {
                    record.subject == subject && refused.is_none_or(|why| *why != *COORDINATOR_DOWN)
                }
                _ => false,
            })
        };
        let steps = 0..self.run.scenario.steps.len() as u32;
        steps.into_iter().any(|step| taken(self.run.outcome, step) && !taken(cured, step))
    }

    fn simulate(&self, simulation: Simulation<'_>) -> Outcome {
        (self.begun)();
        replay::lean(simulation).records_max(longest(self.run)).until(self.until).run()
    }

    /// What happened at an instant: what asked for one of these fixes or was struck by one of these faults,
    /// else what was decided, else whatever there is.
    fn what_happened(&self, at: SimTime, of: &[Decider]) -> RecordId {
        let trace = &self.run.outcome.trace;
        let from = trace.records().partition_point(|record| record.at < at);
        let until = trace.records().partition_point(|record| record.at <= at);
        let weight = |place: &usize| {
            let record = trace.records().at(*place);
            let by = of.iter().any(|thing| is_by(trace, *place, &record, *thing));
            (by, weight(record.what), std::cmp::Reverse(*place))
        };
        RecordId::from_index((from..until).max_by_key(weight).unwrap_or(from))
    }

    fn futures(&self, seeds: usize, runs: &mut usize) -> Futures {
        let grid = self.grid(MOMENTS);
        let first: Vec<(Moment, bool)> = grid.par_iter().map(|place| self.moment(*place, seeds)).collect();
        *runs += grid.len() * seeds;
        let is_one = first.iter().all(|(_, differs)| !differs);
        let mut found: Vec<(usize, Moment)> =
            grid.into_iter().zip(first.into_iter().map(|(moment, _)| moment)).collect();
        let of = found.iter().map(|(_, moment)| moment.of).max().unwrap_or_default();
        let came = Moment { at: self.came, bad: of, of };
        found.push((self.instants.len(), came));
        // The steepest part is halved until nothing lies between its ends.
        let mut steepest = None;
        loop {
            let rise = |n: &usize| found[*n].1.bad.abs_diff(found[n + 1].1.bad);
            let steep = (0..found.len() - 1).max_by_key(|n| (rise(n), std::cmp::Reverse(*n)));
            // Where several parts are as steep, each is halved in its turn: not for ever.
            let steep = steep.filter(|_| found.len() <= MOMENTS + 1 + 2 * self.halvings());
            let Some(at) = steep.filter(|n| found[*n].1.differs(found[n + 1].1)) else { break };
            let (low, high) = (found[at].0, found[at + 1].0);
            if high - low == 1 {
                steepest = Some((at, self.what_happened(found[at].1.at, &[])));
                break;
            }
            let middle = low.midpoint(high);
            found.insert(at + 1, (middle, self.moment(middle, seeds).0));
            *runs += seeds;
        }
        Futures { moments: found.into_iter().map(|(_, moment)| moment).collect(), steepest, is_one }
    }

    /// What comes from one instant on, and whether any of it is another run than this one.
    fn moment(&self, place: usize, seeds: usize) -> (Moment, bool) {
        let at = self.instants[place];
        let end = anyones(self.end);
        let future = |n: u64| {
            let Run { scenario, variant, outcome } = *self.run;
            let seed = variant.seed.wrapping_add(n);
            let future = self.simulate(Simulation::new(scenario, variant).redrawn(before(at), seed));
            let ending = end.look_for(&Run { scenario, variant, outcome: &future });
            (ending, future.trace.records() != outcome.trace.records())
        };
        let futures: Vec<(Ending, bool)> = (1..=seeds as u64).into_par_iter().map(future).collect();
        let known = futures.iter().filter(|(ending, _)| *ending != Ending::Unknown);
        let bad = known.clone().filter(|(ending, _)| *ending != Ending::Averted).count();
        (Moment { at, bad, of: known.count() }, futures.iter().any(|(_, differs)| *differs))
    }
}

/// Just before an instant, so that nothing has happened at it.
fn before(at: SimTime) -> SimTime {
    SimTime::from_nanos(at.as_nanos().saturating_sub(1))
}

/// The end, of whichever request it is: with other draws they come at other instants.
fn anyones(end: &End) -> End {
    match end {
        End::Request { app, service, served: false, .. } => {
            // Of failures the reason does not count.
            let (error, waited) = (RequestError::NoPool, SimDuration::ZERO);
            let what = What::RequestFailed { service: *service, error, waited };
            End::Alike { of: *app, kind: Kind::App, what, refers: None }
        }
        other => other.clone(),
    }
}

/// The story in which these things are otherwise from an instant on.
fn cured(scenario: &Scenario, variant: &Variant, of: &[Decider], at: SimTime) -> (Scenario, Variant) {
    let (mut scenario, mut variant) = (scenario.clone(), variant.clone());
    let mut upgrade = Upgrade { as_of: None, with: Vec::new(), without: Vec::new() };
    let mut restarts = of.is_empty();
    for thing in of {
        match *thing {
            Decider::Fix { fix, in_force } => {
                restarts = true;
                // An upgrade later in the story must not undo it.
                let later = scenario.steps.iter_mut().filter(|step| step.at > at);
                let later = later.filter_map(|step| match &mut step.action {
                    Action::Upgrade(later) => Some(later),
                    _ => None,
                });
                for upgrade in later.chain([&mut upgrade]) {
                    upgrade.with.retain(|known| *known != fix);
                    upgrade.without.retain(|known| *known != fix);
                    if in_force { upgrade.without.push(fix) } else { upgrade.with.push(fix) }
                }
            }
            Decider::Fault(fault) => {
                if let Some(fault) = scenario.faults.get_mut(fault as usize) {
                    let until = fault.when.until.map_or(at, |until| until.min(at));
                    fault.when.until = Some(until);
                }
            }
            _ => {}
        }
    }
    if restarts {
        // What the story says of its last step it says of its own.
        let last = scenario.steps.iter().enumerate().max_by_key(|(place, step)| (step.at, *place));
        if let Some(expect) = &mut variant.expect {
            expect.settled_after = expect.settled_after.or(last.map(|(place, _)| place));
        }
        scenario.steps.push(Step { name: Name::new("cure"), at, action: Action::Upgrade(upgrade) });
    }
    (scenario, variant)
}

/// Whether a record is where one of the things came in.
fn is_by(trace: &Trace, place: usize, record: &Record, thing: Decider) -> bool {
    match thing {
        Decider::Fix { fix, .. } => {
            trace.evidence().of(RecordId::from_index(place)).is_some_and(|basis| basis.asked >> (fix as u32) & 1 == 1)
        }
        Decider::Fault(fault) => matches!(record.what, What::Struck { fault: known, .. } if known == fault),
        _ => false,
    }
}

/// How much a record tells of what happened at its instant.
fn weight(what: What) -> u8 {
    match what {
        What::Struck { .. } | What::StepBegan => 5,
        What::Decided(reason) if !reason.is_routine() => 4,
        What::Created { .. } | What::Deleted { .. } | What::TaskEnded { .. } | What::TaskStarted => 3,
        What::Drawn { .. } => 2,
        What::Decided(Reason::Reconcile { .. }) => 0,
        _ => 1,
    }
}
