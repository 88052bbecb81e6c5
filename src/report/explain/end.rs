//! Ends: what an explanation is of, so that it can be looked for in another run.
//!
//! An end is known by what it is and whose, never by its record or its time, for those move with
//! everything else: that violation of that invariant, that check, that request, that verdict. It may
//! read outcomes only, and runs nothing. What a newcomer gets wrong: sandboxes, leases, pools and
//! versions are numbered as they come, so it is the same end when it comes to the next one of a family.

use std::collections::BTreeMap;
use std::mem::discriminant;

use crate::kernel::{RecordId, SimDuration, SimTime, Stop};
use crate::model::{AnyStatus, Field, Invariant, Kind, Name, Subject, Value};
use crate::report::{self, Failure};
use crate::scenario::{Scenario, Variant, Verdict};
use crate::sim::Outcome;
use crate::trace::{Record, Trace, What, state, timeline};

/// A run, with the story that it tells.
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Run<'a> {
    pub scenario: &'a Scenario,
    pub variant: &'a Variant,
    pub outcome: &'a Outcome,
}

/// What is explained.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub enum End {
    /// That the run does not settle, or that it does.
    Verdict { settles: bool },
    /// That it is proved never to settle.
    Proof,
    /// That a step is refused: its number.
    Refused(usize),
    /// That a step begins and does not end: its number.
    Unended(usize),
    /// That the request that came at that instant is not served, or that it is.
    Request { app: Name, service: Name, arrived: SimTime, served: bool },
    /// That a check of the story fails.
    Check(Failure),
    /// That a field has that value at that instant, told as text.
    Field { of: Name, field: Field, at: SimTime, value: String },
    /// That a thing never gets that status, or never comes to be, up to an instant.
    Never { of: Name, status: Option<AnyStatus>, by: SimTime },
    /// That something like this happens to the family of that thing; a field that refers to another by its name.
    Alike { of: Name, kind: Kind, what: What, refers: Option<Name> },
}

/// What became of an end in another run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It comes all the same; at that time first, where it has one.
    Same(Option<SimTime>),
    /// It does not come to that family, but to others of its kind: the first, and when.
    Elsewhere(Name, SimTime),
    /// It does not come.
    Averted,
    /// A guard ended the run before that could be told.
    Unknown,
}

impl Ending {
    /// Whether the end hangs on what was otherwise.
    pub fn is_averted(self) -> bool {
        matches!(self, Self::Averted | Self::Elsewhere(..))
    }
}

impl End {
    /// The end that a record is.
    pub fn of(run: &Run<'_>, record: &Record) -> Self {
        let trace = &run.outcome.trace;
        let of = trace.name(record.subject);
        let request = match record.what {
            What::RequestServed { service, waited } => {
                came(run, record, waited).map(|arrived| (service, arrived, true))
            }
            What::RequestFailed { service, waited, .. } => Some((service, before(record.at, waited), false)),
            _ => None,
        };
        match (record.what, request) {
            (_, Some((service, arrived, served))) => Self::Request { app: of, service, arrived, served },
            (what, None) => Self::Alike { of, kind: record.subject.kind, what, refers: refers(trace, &what) },
        }
    }

    /// What became of it in a run.
    pub fn look_for(&self, run: &Run<'_>) -> Ending {
        let Run { outcome, .. } = *run;
        let is = |same: bool| if same { Ending::Same(None) } else { Ending::Averted };
        let found = match self {
            Self::Verdict { settles } => is((outcome.verdict == Verdict::Settled) == *settles),
            Self::Proof => is(outcome.livelock().is_some()),
            Self::Refused(step) => is(outcome.rejected.iter().any(|(known, _)| known == step)),
            Self::Unended(step) => is(unended(&outcome.trace).is_some_and(|(_, known)| known == *step)),
            Self::Request { app, service, arrived, served } => match failed(&outcome.trace, *app, *service, *arrived) {
                Some(record) if !served => Ending::Same(Some(record.at)),
                failed => is(failed.is_none() == *served),
            },
            Self::Check(failure) => is(failures(run).iter().any(|found| is_same_check(found, failure))),
            Self::Field { of, field, at, value } => {
                is(field_at(&outcome.trace, *of, *field, *at).is_some_and(|(found, _)| found == *value))
            }
            Self::Never { of, status, by } => {
                is(first_time(&outcome.trace, *of, *status).is_none_or(|record| record.at > *by))
            }
            Self::Alike { of, kind, what, refers } => alike(&outcome.trace, *of, *kind, what, *refers),
        };
        // Whatever has not come by then might have.
        let cut = outcome.ended_at < run.scenario.horizon && outcome.stop != Stop::Horizon;
        if cut && found == Ending::Averted { Ending::Unknown } else { found }
    }

    /// What there is in its place in a run in which it does not come, in words.
    pub fn instead(&self, base: &Run<'_>, run: &Run<'_>) -> String {
        let trace = &run.outcome.trace;
        let mut words = match self {
            Self::Request { app, service, arrived, .. } => match failed(trace, *app, *service, *arrived) {
                Some(Record { what: What::RequestFailed { error, .. }, .. }) => vec![format!("it fails: {error}")],
                _ => vec![served(run, *app, *service, *arrived)],
            },
            Self::Field { of, field, at, .. } => match field_at(trace, *of, *field, *at) {
                Some((value, _)) => vec![format!("{field} is {value}", field = field.name())],
                None => vec![format!("there is no {of}")],
            },
            Self::Never { of, status, .. } => {
                let at = first_time(trace, *of, *status).map(|record| record.at.elapsed().clock().to_string());
                at.map(|at| format!("it is at {at}")).into_iter().collect()
            }
            _ => Vec::new(),
        };
        words.push(match run.outcome.settled_at {
            Some(at) => format!("settled at {}", at.elapsed().clock()),
            None => run.outcome.verdict.name().to_owned(),
        });
        let refused = |run: &Run<'_>, step| run.outcome.rejected.iter().any(|(known, _)| *known == step);
        let steps = run.scenario.steps.iter().enumerate().filter(|(n, _)| refused(run, *n) && !refused(base, *n));
        words.extend(steps.map(|(_, step)| format!("step `{}` is refused", step.name)));
        let broke = |run: &Run<'_>, invariant| run.outcome.violations.iter().any(|v| v.invariant == invariant);
        let new = Invariant::ALL.iter().filter(|invariant| broke(run, **invariant) && !broke(base, **invariant));
        words.extend(new.map(|invariant| format!("breaks {invariant}")));
        words.join(", ")
    }
}

/// The checks of the story that fail in a run.
pub(super) fn failures(run: &Run<'_>) -> Vec<Failure> {
    let metrics = report::figures(run.scenario, run.outcome);
    report::check(run.scenario, run.variant, run.outcome, &metrics).failures
}

/// The first step that begins and does not end, and the record of its beginning.
pub(super) fn unended(trace: &Trace) -> Option<(RecordId, usize)> {
    let mut begun = BTreeMap::new();
    for (place, record) in trace.records().iter().enumerate().filter(|(_, record)| record.subject.kind == Kind::Step) {
        match record.what {
            What::StepBegan => drop(begun.insert(record.subject.index, place)),
            What::StepEnded { .. } => drop(begun.remove(&record.subject.index)),
            _ => {}
        }
    }
    let (step, place) = begun.into_iter().min_by_key(|(_, place)| *place)?;
    Some((RecordId::from_index(place), step as usize))
}

/// When a request came, or was taken up where that is all that is known of it.
pub(super) fn arrival(run: &Run<'_>, answer: &Record) -> SimTime {
    match answer.what {
        What::RequestServed { waited, .. } => came(run, answer, waited).unwrap_or_else(|| before(answer.at, waited)),
        What::RequestFailed { waited, .. } => before(answer.at, waited),
        _ => answer.at,
    }
}

/// The instant so long before.
fn before(at: SimTime, waited: SimDuration) -> SimTime {
    SimTime::ZERO + at.since(SimTime::ZERO + waited)
}

/// The request that came to a service at that instant, when it failed.
fn failed(trace: &Trace, app: Name, service: Name, arrived: SimTime) -> Option<Record> {
    trace.records().iter().find(|record| match record.what {
        What::RequestFailed { service: of, waited, .. } => {
            of == service && before(record.at, waited) == arrived && is_of(trace, record.subject, app)
        }
        _ => false,
    })
}

/// What became of a request that did not fail.
fn served(run: &Run<'_>, app: Name, service: Name, arrived: SimTime) -> String {
    let trace = &run.outcome.trace;
    let found = trace.records().iter().find_map(|record| match record.what {
        What::RequestServed { service: of, waited } if of == service && is_of(trace, record.subject, app) => {
            (came(run, &record, waited) == Some(arrived)).then_some(waited)
        }
        _ => None,
    });
    found.map_or_else(|| "it does not fail".to_owned(), |waited| format!("it is served after {}", waited.clock()))
}

/// When a request came that was served: before it waited, and before it was worked on, when that takes a known time.
fn came(run: &Run<'_>, served: &Record, waited: SimDuration) -> Option<SimTime> {
    let What::RequestServed { service, .. } = served.what else { return None };
    let app = run.outcome.trace.name(served.subject).short();
    let program = run.scenario.workloads.get(&(Name::new(app), service)).cloned().unwrap_or_default();
    Some(before(served.at, waited + program.request.constant()?))
}

/// Whether a request is of that app: of one that is not there (yet), nobody knows the name.
fn is_of(trace: &Trace, subject: Subject, app: Name) -> bool {
    subject == Subject::CLUSTER || app == trace.name(Subject::CLUSTER) || trace.name(subject) == app
}

/// Whether two failures are of one check.
fn is_same_check(a: &Failure, b: &Failure) -> bool {
    discriminant(a) == discriminant(b) && about(a) == about(b)
}

/// What a check is of, besides its kind.
fn about(failure: &Failure) -> String {
    match failure {
        Failure::Stopped { .. } | Failure::Verdict { .. } | Failure::Settled { .. } => String::new(),
        Failure::Violated { invariant, .. } | Failure::Held { invariant } => invariant.to_string(),
        Failure::Refused { step, .. } | Failure::Taken { step } => step.clone(),
        Failure::Metric { name, .. } => name.clone(),
        Failure::State { when, claim, .. } => format!("{when} {claim}"),
    }
}

/// The value of a field at an instant, as text, and the record that gave it.
pub(super) fn field_at(trace: &Trace, of: Name, field: Field, at: SimTime) -> Option<(String, RecordId)> {
    let state = state::state(trace, at);
    let row = state.rows.values().flatten().find(|row| trace.name(row.subject) == of)?;
    let value =
        row.fields.get(&field).map_or_else(|| "nothing".to_owned(), |value| timeline::value_text(trace, *value));
    Some((value, row.sets.get(&field).copied().unwrap_or(row.created)))
}

/// The first record that gave a thing that status, or made it.
pub(super) fn first_time(trace: &Trace, of: Name, status: Option<AnyStatus>) -> Option<Record> {
    trace.records().iter().find(|record| {
        let does = match (record.what, status) {
            (What::Set { field: Field::Status, to: Value::Status(to), .. }, Some(status)) => to == status,
            (What::Created { .. }, None) => true,
            _ => false,
        };
        does && trace.name(record.subject) == of
    })
}

fn alike(trace: &Trace, of: Name, kind: Kind, what: &What, to: Option<Name>) -> Ending {
    let alike = |record: &Record| {
        record.subject.kind == kind && is_alike(&record.what, what) && refers(trace, &record.what) == to
    };
    let mut elsewhere = None;
    for record in trace.records().iter().filter(alike) {
        let name = trace.name(record.subject);
        if family(kind, name.as_str()) == family(kind, of.as_str()) {
            return Ending::Same(Some(record.at));
        }
        elsewhere.get_or_insert((name, record.at));
    }
    elsewhere.map_or(Ending::Averted, |(name, at)| Ending::Elsewhere(name, at))
}

/// What those have in common that are numbered as they come: their name without the numbers.
pub fn family(kind: Kind, name: &'static str) -> &'static str {
    let numbered = matches!(kind, Kind::Sandbox | Kind::Lease | Kind::Version);
    let name = match name.rsplit_once('-') {
        Some((rest, number)) if numbered && number.bytes().all(|c| c.is_ascii_digit()) => rest,
        _ => name,
    };
    let again = matches!(kind, Kind::Sandbox | Kind::Lease | Kind::Pool | Kind::Version | Kind::Volume);
    name.split_once('~').filter(|_| again).map_or(name, |(name, _)| name)
}

/// The family of what a field refers to.
fn refers(trace: &Trace, what: &What) -> Option<Name> {
    match what {
        What::Set { to: Value::Ref(to), .. } => Some(Name::new(family(to.kind, trace.name(*to).as_str()))),
        _ => None,
    }
}

/// Whether two records say the same but for their numbers.
fn is_alike(a: &What, b: &What) -> bool {
    match (a, b) {
        (What::Broken { invariant: a, .. }, What::Broken { invariant: b, .. }) => a == b,
        (What::Decided(a), What::Decided(b)) => discriminant(a) == discriminant(b),
        // What it refers to is compared by name.
        (What::Set { field: a, to: Value::Ref(_), .. }, What::Set { field: b, to: Value::Ref(_), .. }) => a == b,
        (What::Set { field: a, to: x, .. }, What::Set { field: b, to: y, .. }) => (a, x) == (b, y),
        _ => discriminant(a) == discriminant(b),
    }
}
