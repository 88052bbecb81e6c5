//! Questions: what a user wants explained, and which record and which end that is.
//!
//! By default what failed – a check of the story, a step that was refused, a request – else the gravest that
//! happened. It may read a run and its story, and runs nothing.

use std::mem::discriminant;

use crate::kernel::{RecordId, SimTime};
use crate::model::{AnyStatus, Field, Kind, Name, RequestError, Subject, Words};
use crate::report::Failure;
use crate::report::check_state::held;
use crate::scenario::Verdict;
use crate::scenario::claims::Claim;
use crate::sim::{Part, PartRest};
use crate::trace::metrics::Figure;
use crate::trace::state;
use crate::trace::{Record, Trace, What};

use super::Explainer;
use super::choose::{Choice, LIKENESS_MIN, Unknown, choose, named};
use super::class;
use super::end::{self, End, Run};

/// What a user wants explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question<'a> {
    /// What failed, else the gravest.
    Failed,
    /// A record.
    Of(Choice<'a>),
    /// Why it settles, or does not.
    Verdict,
    /// Why it is proved never to settle.
    Proof,
    /// What became of that request, counted from 1 in the order of their coming.
    Request(u64),
    /// Why a field of a thing has its value at an instant (or the end).
    Field(&'a str, &'a str, Option<SimTime>),
    /// Why a thing does not get that status, or does not come to be, by an instant (or the end).
    WhyNot(&'a str, Option<&'a str>, Option<SimTime>),
}

/// What is to be explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The record whose chain tells it, if there is one.
    pub record: Option<RecordId>,
    /// What to look for in other runs.
    pub end: End,
    /// What it is, in words.
    pub what: String,
}

/// Finds what a question is about.
///
/// # Errors
/// What cannot be found.
pub fn ask(explainer: &Explainer<'_>, run: &Run<'_>, question: Question<'_>) -> Result<Asked, Unknown> {
    let Run { outcome, .. } = *run;
    match question {
        Question::Failed => failed(explainer, run),
        Question::Of(choice) => {
            if let Choice::Moment(at, _) = choice {
                within(run, at)?;
            }
            chosen(explainer, run, choice)
        }
        Question::Verdict => Ok(verdict(explainer, run)),
        Question::Proof => {
            let proof = outcome.livelock().ok_or(Unknown::NotProved(outcome.verdict))?;
            let what = format!("that it never settles is proved from {} on", proof.from.elapsed().clock());
            Ok(Asked { end: End::Proof, what, ..verdict(explainer, run) })
        }
        Question::Request(wanted) => request(explainer, run, wanted),
        Question::Field(thing, field, at) => self::field(explainer, run, thing, field, at),
        Question::WhyNot(thing, status, at) => why_not(explainer, run, thing, status, at),
    }
}

/// A record that was chosen.
fn chosen(explainer: &Explainer<'_>, run: &Run<'_>, choice: Choice<'_>) -> Result<Asked, Unknown> {
    let (record, what) = choose(explainer, choice)?;
    Ok(of_record(explainer, run, record, what.to_owned()))
}

fn of_record(explainer: &Explainer<'_>, run: &Run<'_>, id: RecordId, what: String) -> Asked {
    let record = explainer.trace.get(id).expect("it was found in this trace");
    Asked { record: Some(id), end: End::of(run, &record), what }
}

fn last_of(explainer: &Explainer<'_>, is: impl Fn(&Record) -> bool) -> Option<RecordId> {
    explainer.trace.records().iter().rposition(|record| is(&record)).map(RecordId::from_index)
}

fn first_of(explainer: &Explainer<'_>, is: impl Fn(&Record) -> bool) -> Option<RecordId> {
    explainer.trace.records().iter().position(|record| is(&record)).map(RecordId::from_index)
}

fn failed(explainer: &Explainer<'_>, run: &Run<'_>) -> Result<Asked, Unknown> {
    let Run { scenario, variant, outcome } = *run;
    if outcome.trace.records().is_empty() {
        return Err(Unknown::NoRecords);
    }
    // A run that ends before its horizon is not held to what is expected.
    if outcome.ended_at >= scenario.horizon
        && let Some(failure) = end::failures(run).into_iter().next()
    {
        let what = format!("the check that fails: {failure}");
        return Ok(Asked { record: of_check(explainer, run, &failure), end: End::Check(failure), what });
    }
    let expected = |step: usize| variant.expect.as_ref().is_some_and(|expect| expect.rejected.contains(&step));
    let refused = |unexpected: bool| {
        let step = outcome.rejected.iter().find(|(step, _)| !(unexpected && expected(*step)))?.0;
        Some(refused_step(explainer, run, step))
    };
    if let Some(asked) = refused(true) {
        return Ok(asked);
    }
    if let Some((record, of)) = commonest_failed_request(explainer) {
        let what = if of == 1 {
            "the request that fails".to_owned()
        } else {
            format!("the first of {of} alike requests that fail")
        };
        return Ok(of_record(explainer, run, record, what));
    }
    let worst = chosen(explainer, run, Choice::Worst);
    let is_violation = |asked: &Asked| matches!(asked.end, End::Alike { what: What::Broken { .. }, .. });
    if worst.as_ref().is_ok_and(is_violation) {
        return worst;
    }
    match refused(false) {
        Some(asked) => Ok(asked),
        None if outcome.verdict != Verdict::Settled => Ok(verdict(explainer, run)),
        None if let Some(unended) = end::unended(explainer.trace) => Ok(unended_step(run, unended)),
        None => worst.map(|asked| match asked.end {
            End::Alike { what: What::Settled | What::Unsettled, .. } => verdict(explainer, run),
            _ => asked,
        }),
    }
}

fn refused_step(explainer: &Explainer<'_>, run: &Run<'_>, step: usize) -> Asked {
    let what = format!("step `{}` is refused", run.scenario.steps[step].name);
    Asked { record: of_step(explainer, step), end: End::Refused(step), what }
}

fn unended_step(run: &Run<'_>, (record, step): (RecordId, usize)) -> Asked {
    let what = format!("step `{}` does not end", run.scenario.steps[step].name);
    Asked { record: Some(record), end: End::Unended(step), what }
}

/// The records of violations, and of bursts of alike requests that fail their first; each in words.
pub(crate) fn broken(trace: &Trace) -> Vec<(usize, String)> {
    let mut burst = None;
    let mut what = |record: &Record| match record.what {
        What::Broken { invariant, .. } => Some(format!("{invariant} is broken")),
        What::RequestFailed { service, error, .. } => {
            let alike = Some((record.subject, service, discriminant(&error)));
            (std::mem::replace(&mut burst, alike) != alike).then(|| format!("requests of {service} fail"))
        }
        What::RequestServed { .. } => {
            burst = None;
            None
        }
        _ => None,
    };
    let records = trace.records().iter().enumerate();
    records.filter_map(|(place, record)| Some((place, what(&record)?))).collect()
}

/// All that failed, in the order of records, to be walked through: violations, bursts of alike requests by their
/// first, steps that were refused or do not end, and the verdict where the run does not settle.
pub(crate) fn all_failed(explainer: &Explainer<'_>, run: &Run<'_>) -> Vec<Asked> {
    let outcome = run.outcome;
    let broken = broken(explainer.trace).into_iter();
    let broken = broken.map(|(place, what)| of_record(explainer, run, RecordId::from_index(place), what));
    let mut failed: Vec<Asked> = broken.collect();
    failed.extend(outcome.rejected.iter().map(|(step, _)| refused_step(explainer, run, *step)));
    failed.extend(end::unended(explainer.trace).map(|unended| unended_step(run, unended)));
    if outcome.verdict != Verdict::Settled {
        failed.push(verdict(explainer, run));
    }
    failed.retain(|asked| asked.record.is_some());
    failed.sort_by_key(|asked| asked.record);
    failed.dedup_by_key(|asked| asked.record);
    failed
}

/// The first of those requests that fail for the commonest reason, and how many they are.
fn commonest_failed_request(explainer: &Explainer<'_>) -> Option<(RecordId, usize)> {
    let mut alike: Vec<((Subject, Name, RequestError), usize, usize)> = Vec::new();
    for (place, record) in explainer.trace.records().iter().enumerate() {
        if let What::RequestFailed { service, error, .. } = record.what {
            let same = |(subject, of, known): &(Subject, Name, RequestError)| {
                *subject == record.subject && *of == service && discriminant(known) == discriminant(&error)
            };
            match alike.iter_mut().find(|(key, ..)| same(key)) {
                Some((_, _, count)) => *count += 1,
                None => alike.push(((record.subject, service, error), place, 1)),
            }
        }
    }
    let commonest = alike.into_iter().rev().max_by_key(|(_, _, count)| *count)?;
    Some((RecordId::from_index(commonest.1), commonest.2))
}

/// What tells best why the run settles, or does not.
fn verdict(explainer: &Explainer<'_>, run: &Run<'_>) -> Asked {
    let settles = run.outcome.verdict == Verdict::Settled;
    let mut what = format!("the verdict: {}", run.outcome.verdict.name());
    let turned = last_of(explainer, |r| if settles { r.what == What::Settled } else { r.what == What::Unsettled });
    let never = matches!(run.outcome.verdict, Verdict::Unsettled | Verdict::Livelock);
    let restless = |part: &Part| match &part.rest {
        PartRest::Not { of, why } if never => Some((*of, why.clone())),
        PartRest::Not { .. } | PartRest::Since(_) => None,
    };
    let restless: Vec<_> = run.outcome.parts.iter().filter_map(restless).collect();
    let mut stuck = None;
    if let [(of, why), others @ ..] = restless.as_slice() {
        let more = if others.is_empty() { String::new() } else { format!(", and {} more like it", others.len()) };
        what.push_str(&format!(": {why}{more}"));
        let (index, end) = (explainer.index(), explainer.trace.records().len());
        let last = match of.kind {
            Kind::Pool => index.unrest(*of, end),
            _ => index.last(*of, end, class::CHANGE | class::EVENT),
        };
        stuck = last.map(RecordId::from_index);
    }
    // What a part last went through says more than that all of them were not at rest any more.
    let record =
        stuck.max(turned).or_else(|| chosen(explainer, run, Choice::Worst).ok().and_then(|asked| asked.record));
    let record =
        record.or_else(|| chosen(explainer, run, Choice::Moment(None, None)).ok().and_then(|asked| asked.record));
    Asked { record, end: End::Verdict { settles }, what }
}

/// The end of a step.
fn of_step(explainer: &Explainer<'_>, step: usize) -> Option<RecordId> {
    let index = u32::try_from(step).ok()?;
    let subject = Subject { kind: Kind::Step, index };
    last_of(explainer, |r| r.subject == subject && matches!(r.what, What::StepEnded { .. }))
}

/// The record that tells best why a check fails.
fn of_check(explainer: &Explainer<'_>, run: &Run<'_>, failure: &Failure) -> Option<RecordId> {
    match failure {
        Failure::Stopped { .. } | Failure::Verdict { .. } | Failure::Settled { .. } => verdict(explainer, run).record,
        Failure::Violated { invariant: wanted, .. } => {
            first_of(explainer, |r| matches!(r.what, What::Broken { invariant, .. } if invariant == *wanted))
        }
        Failure::Refused { step, .. } | Failure::Taken { step } => {
            let place = run.scenario.steps.iter().position(|known| known.name.as_str() == step);
            place.and_then(|place| of_step(explainer, place))
        }
        Failure::State { .. } => of_claim(explainer, run),
        Failure::Metric { name, .. } if Figure::named(name).is_some_and(Figure::is_of_requests) => {
            commonest_failed_request(explainer).map(|(record, _)| record)
        }
        Failure::Held { .. } | Failure::Metric { .. } => None,
    }
}

/// The last that had happened to what the first claim is about that does not hold.
fn of_claim(explainer: &Explainer<'_>, run: &Run<'_>) -> Option<RecordId> {
    let (ended, expect) = (run.outcome.ended_at, run.variant.expect.as_ref()?);
    let asked = expect.moments.iter().filter(|moment| moment.until() <= ended);
    let claims = asked.flat_map(|moment| moment.claims.iter().map(move |claim| (moment, claim)));
    let results = held(&run.outcome.trace, &expect.moments, ended);
    let (moment, claim) = claims.zip(results).find(|(_, held)| held.wrong.is_some())?.0;
    let (Claim::Thing { kind, name, .. } | Claim::Field { kind, name, .. }) = claim else { return None };
    let name = format!("{}/{name}", kind.name());
    chosen(explainer, run, Choice::Moment(Some(moment.until()), Some(&name))).ok()?.record
}

fn request(explainer: &Explainer<'_>, run: &Run<'_>, wanted: u64) -> Result<Asked, Unknown> {
    let mut requests: Vec<(SimTime, usize)> = Vec::new();
    for (place, record) in explainer.trace.records().iter().enumerate() {
        if matches!(record.what, What::RequestServed { .. } | What::RequestFailed { .. }) {
            requests.push((end::arrival(run, &record), place));
        }
    }
    requests.sort_unstable();
    let nth = usize::try_from(wanted).ok().and_then(|wanted| wanted.checked_sub(1));
    let found = nth.and_then(|nth| requests.get(nth));
    let (arrived, place) = found.ok_or(Unknown::NoRequest { wanted, requests: requests.len() })?;
    let what = format!("request {wanted} of {}, which came at {}", requests.len(), arrived.elapsed().clock());
    Ok(of_record(explainer, run, RecordId::from_index(*place), what))
}

/// The instant that is meant, within the run.
fn within(run: &Run<'_>, at: Option<SimTime>) -> Result<SimTime, Unknown> {
    let ended = run.outcome.ended_at;
    // Who names the end to the millisecond means the end.
    match at {
        Some(at) if at.floor_millis() > ended => Err(Unknown::TooLate { at, ended }),
        at => Ok(at.map_or(ended, |at| at.min(ended))),
    }
}

fn field(
    explainer: &Explainer<'_>,
    run: &Run<'_>,
    thing: &str,
    field: &str,
    at: Option<SimTime>,
) -> Result<Asked, Unknown> {
    let trace = explainer.trace;
    let at = within(run, at)?;
    let subject = named(explainer, thing)?;
    let of = trace.name(subject);
    let known = Field::ALL.iter().copied().find(|known| known.name() == field);
    let state = state::state(trace, at);
    let row = state.rows.values().flatten().find(|row| row.subject == subject);
    let row = row.ok_or(Unknown::NotThere { of, at })?;
    let had: Vec<&'static str> = row.sets.keys().map(|field| field.name()).collect();
    let known = known.filter(|field| row.sets.contains_key(field)).ok_or_else(|| {
        let likeness = |name: &&&'static str| strsim::jaro_winkler(field, name) >= LIKENESS_MIN;
        let near: Vec<&'static str> = had.iter().filter(likeness).copied().take(1).collect();
        Unknown::NoField { of, field: field.to_owned(), near: if near.is_empty() { had.clone() } else { near } }
    })?;
    let (value, record) = end::field_at(trace, of, known, at).ok_or(Unknown::NotThere { of, at })?;
    let what = format!("{of} has {field} = {value} at {}", at.elapsed().clock());
    Ok(Asked { record: Some(record), end: End::Field { of, field: known, at, value }, what })
}

fn why_not(
    explainer: &Explainer<'_>,
    run: &Run<'_>,
    thing: &str,
    word: Option<&str>,
    by: Option<SimTime>,
) -> Result<Asked, Unknown> {
    let by = within(run, by)?;
    let subject = named(explainer, thing)?;
    let (kind, of) = (subject.kind, explainer.trace.name(subject));
    let status = match word {
        None => None,
        Some(word) => {
            let known = AnyStatus::of(kind).into_iter().find(|status| status.name().eq_ignore_ascii_case(word));
            Some(known.ok_or_else(|| Unknown::NoStatus { kind, word: word.to_owned() })?)
        }
    };
    if let Some(record) = end::first_time(explainer.trace, of, status).filter(|record| record.at <= by) {
        return Err(Unknown::Did { of, status, at: record.at });
    }
    let record = choose(explainer, Choice::Moment(Some(by), Some(&of)))?.0;
    let word = status.map_or("there", AnyStatus::name);
    let what = format!("why {of} is not {word} by {}: the last that had happened to it", by.elapsed().clock());
    Ok(Asked { record: Some(record), end: End::Never { of, status, by }, what })
}
