//! Choosing what to explain: a record by its number, a violation, a moment – or the worst.
//!
//! It reads the trace only and decides nothing about causes. Whatever cannot be found is an
//! answer that says what there is instead. What a newcomer gets wrong: of violations that are alike
//! grave the worst is the *first*, for those after it are often its consequences.

use std::fmt;

use crate::kernel::{RecordId, SimTime};
use crate::model::{AnyStatus, Invariant, Kind, Name, Reason, Subject, Words};
use crate::scenario::Verdict;
use crate::trace::What;

use super::{Explainer, class};

/// What a user wants explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice<'a> {
    /// The gravest violation, else the last failed boot, else the verdict.
    Worst,
    /// The record of that number, from 1.
    Event(u64),
    /// The first violation of that invariant; of that subject, when one is given.
    Violation(&'a str, Option<&'a str>),
    /// The last thing that happened up to an instant (or the end), to that subject or to any.
    Moment(Option<SimTime>, Option<&'a str>),
}

/// Why there is nothing to explain.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub enum Unknown {
    /// The trace has no records.
    NoRecords,
    /// No record has that number.
    NoEvent { wanted: u64, last: usize },
    /// No invariant is called so.
    NoInvariant { name: String, near: Option<&'static str> },
    /// The invariant holds in this run, or for the subject that was asked for; others are broken.
    Holds { name: String, subject: Option<String>, broken: Vec<String> },
    /// Nothing in this run is called so.
    NoSubject { name: String, near: Vec<Name> },
    /// Nothing had happened by then to the subject, or at all; its first record comes later, if ever.
    NotYet { subject: Option<Name>, at: SimTime, first: Option<SimTime> },
    /// No request has that number.
    NoRequest { wanted: u64, requests: usize },
    /// That thing has no such field; near are the one that is meant, perhaps, or all.
    NoField { of: Name, field: String, near: Vec<&'static str> },
    /// The thing is not in the store then.
    NotThere { of: Name, at: SimTime },
    /// No thing of that kind can be so.
    NoStatus { kind: Kind, word: String },
    /// It did happen that it got that status, or came to be, at that instant first.
    Did { of: Name, status: Option<AnyStatus>, at: SimTime },
    /// The moment lies beyond the end of the run.
    TooLate { at: SimTime, ended: SimTime },
    /// It is not proved never to settle.
    NotProved(Verdict),
    /// Nothing happened that asks for an explanation.
    Nothing,
}

impl Unknown {
    /// Whether the question itself is wrong, and would be so of any run.
    pub fn is_mistake(&self) -> bool {
        matches!(self, Self::NoInvariant { .. } | Self::NoStatus { .. })
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecords => f.write_str("the trace has no records: nothing happened"),
            Self::NoEvent { wanted, last } => {
                write!(f, "there is no record {wanted}: this run has the records 1 to {last}")
            }
            Self::NoInvariant { name, near } => {
                write!(f, "no invariant is called `{name}`")?;
                match near {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => {
                        write!(f, "; there are {}", Invariant::WORDS.join(", "))
                    }
                }
            }
            Self::Holds { name, subject, broken } => {
                write!(f, "`{name}` is not broken in this run")?;
                if let Some(subject) = subject {
                    write!(f, " for {subject}")?;
                }
                match broken.as_slice() {
                    [] => f.write_str("; nothing is"),
                    broken => write!(f, "; broken are {}", broken.join(", ")),
                }
            }
            Self::NoSubject { name, near } => {
                write!(f, "nothing in this run is called `{name}`")?;
                match near.as_slice() {
                    [] => f.write_str("; subjects are written like `sandbox/pds-database-0`"),
                    near => {
                        let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
                        write!(f, "; did you mean {}?", near.join(" or "))
                    }
                }
            }
            Self::NotYet { subject, at, first } => {
                let subject = subject.map_or("anything", |name| name.as_str());
                write!(f, "nothing had happened to {subject} by {}", at.elapsed().clock())?;
                match first {
                    Some(first) => write!(f, "; the first thing does at {}", first.elapsed().clock()),
                    None => f.write_str("; nothing ever does"),
                }
            }
            Self::NoRequest { wanted, requests: 0 } => {
                write!(f, "there is no request {wanted}: this run has none; `[[traffic]]` makes them")
            }
            Self::NoRequest { wanted, requests } => {
                write!(f, "there is no request {wanted}: this run has the requests 1 to {requests}, as they came")
            }
            Self::NoField { of, field, near } => match near.as_slice() {
                [one] => write!(f, "{of} has no field `{field}`; did you mean `{one}`?"),
                all => write!(f, "{of} has no field `{field}`; it has {}", all.join(", ")),
            },
            Self::NotThere { of, at } => write!(f, "{of} is not in the store at {}", at.elapsed().clock()),
            Self::NoStatus { kind, word } => {
                let all: Vec<&str> = AnyStatus::of(*kind).iter().map(|status| status.name()).collect();
                write!(f, "no {} is ever `{word}`", kind.name())?;
                match all.as_slice() {
                    [] => f.write_str("; ask only whether it comes to be, by its name alone"),
                    all => write!(f, "; it can be {}", all.join(", ")),
                }
            }
            Self::Did { of, status, at } => {
                let word = status.map_or("there", AnyStatus::name);
                write!(f, "{of} is {word} at {}: ask why with --at and --subject", at.elapsed().clock())
            }
            Self::TooLate { at, ended } => {
                write!(f, "this run ends at {}, before {}", ended.elapsed().clock(), at.elapsed().clock())
            }
            Self::NotProved(verdict) => {
                write!(
                    f,
                    "it is not proved never to settle: its verdict is {}; --verdict explains that",
                    verdict.name()
                )
            }
            Self::Nothing => f.write_str(
                "nothing asks for an explanation: nothing failed, no violation, no failed boot, and the cluster was at \
                 rest from the start; --event N, or --subject NAME, explains what you choose",
            ),
        }
    }
}

/// The most names that are suggested.
const NEAR_MAX: usize = 3;
/// How much a name must look like another to be suggested.
pub(super) const LIKENESS_MIN: f64 = 0.8;

/// The record that is to be explained, and what it is, in words.
///
/// # Errors
/// What cannot be found.
pub fn choose(explainer: &Explainer<'_>, choice: Choice<'_>) -> Result<(RecordId, &'static str), Unknown> {
    let records = explainer.trace.records();
    if records.is_empty() {
        return Err(Unknown::NoRecords);
    }
    match choice {
        Choice::Worst => worst(explainer),
        Choice::Event(wanted) => {
            let place = usize::try_from(wanted).ok().and_then(|wanted| wanted.checked_sub(1));
            let place = place.filter(|place| *place < records.len());
            let place = place.ok_or(Unknown::NoEvent { wanted, last: records.len() })?;
            Ok((RecordId::from_index(place), "the record that you chose"))
        }
        Choice::Violation(name, subject) => violation(explainer, name, subject),
        Choice::Moment(at, subject) => moment(explainer, at, subject),
    }
}

fn worst(explainer: &Explainer<'_>) -> Result<(RecordId, &'static str), Unknown> {
    let records = explainer.trace.records();
    let found = |place: Option<usize>, what| place.map(|place| (RecordId::from_index(place), what));
    let graver = |place: &usize| match records.at(*place).what {
        What::Broken { invariant, .. } => Some(gravity(invariant)),
        _ => None,
    };
    let broken = (0..records.len()).filter_map(|place| Some((graver(&place)?, place))).min().map(|(_, place)| place);
    let failed = || records.iter().rposition(|r| matches!(r.what, What::Decided(Reason::BootFailed { .. })));
    let verdict = || records.iter().rposition(|r| matches!(r.what, What::Settled | What::Unsettled));
    found(broken, "the gravest violation")
        .or_else(|| found(failed(), "no violation: the last failed boot"))
        .or_else(|| found(verdict(), "no violation, no failed boot: the verdict"))
        .ok_or(Unknown::Nothing)
}

/// How grave it is that an invariant is broken, the gravest first: data, users, promises, waste.
const fn gravity(invariant: Invariant) -> u8 {
    match invariant {
        Invariant::OneBoundLeasePerDisk
        | Invariant::OneMountPerVolume
        | Invariant::UsedDiskKeepsData
        | Invariant::VolumeKeepsItsApp => 0,
        Invariant::AddressOwnedOnce
        | Invariant::Progress
        | Invariant::RequestsServed
        | Invariant::RolloutKeepsServing => 1,
        Invariant::DeadIsFinal
        | Invariant::LegalTransition
        | Invariant::PoolWithinMaxSize
        | Invariant::NoBootDuringCooldown
        | Invariant::NoOvershoot
        | Invariant::FailuresBackOff
        | Invariant::LiveProgramKeepsItsOwn => 2,
        Invariant::BoundLeaseHasLiveSandbox
        | Invariant::NoLeakedAddress
        | Invariant::NoOrphanContainer
        | Invariant::VolumeHasDisk
        | Invariant::NothingOutlivesItsApp => 3,
        Invariant::DiskHasOwner => 4,
    }
}

fn violation(
    explainer: &Explainer<'_>,
    name: &str,
    subject: Option<&str>,
) -> Result<(RecordId, &'static str), Unknown> {
    let Some(wanted) = Invariant::named(name) else {
        let all = Invariant::WORDS.iter().copied();
        let near = all.map(|known| (strsim::jaro_winkler(name, known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
        let near = near.filter(|(likeness, _)| *likeness >= LIKENESS_MIN).map(|(_, known)| known);
        return Err(Unknown::NoInvariant { name: name.to_owned(), near });
    };
    let of = subject.map(|subject| named(explainer, subject)).transpose()?;
    let records = explainer.trace.records();
    let place = records.iter().position(|r| {
        matches!(r.what, What::Broken { invariant, .. } if invariant == wanted)
            && of.is_none_or(|subject| r.subject == subject)
    });
    if let Some(place) = place {
        return Ok((RecordId::from_index(place), "the first violation of that invariant"));
    }
    let mut broken: Vec<String> = Vec::new();
    for record in records {
        if let What::Broken { invariant, .. } = record.what
            && !broken.iter().any(|known| known == invariant.name())
        {
            broken.push(invariant.name().to_owned());
        }
    }
    Err(Unknown::Holds { name: name.to_owned(), subject: subject.map(str::to_owned), broken })
}

fn moment(
    explainer: &Explainer<'_>,
    at: Option<SimTime>,
    subject: Option<&str>,
) -> Result<(RecordId, &'static str), Unknown> {
    let records = explainer.trace.records();
    let subject = subject.map(|name| named(explainer, name)).transpose()?;
    let before = at.map_or(records.len(), |at| records.partition_point(|r| r.at <= at));
    let index = explainer.index();
    let telling = |r: &crate::trace::Record| match r.what {
        What::Decided(reason) => !reason.is_routine() && !matches!(reason, Reason::HandlerFailed { .. }),
        What::Drawn { .. } | What::Called { .. } | What::StepEnded { refused: None } => false,
        _ => true,
    };
    let place = match subject {
        Some(subject) => {
            index.last_that(subject, before, class::ANY, telling).or_else(|| index.last_any(subject, before))
        }
        None => records.range(..before).rposition(|record| telling(&record)).or(before.checked_sub(1)),
    };
    let place = place.ok_or_else(|| {
        let about = |r: &crate::trace::Record| subject.is_none_or(|subject| r.subject == subject);
        let name = subject.map(|subject| explainer.trace.name(subject));
        let first = records.iter().find(about).map(|r| r.at);
        Unknown::NotYet { subject: name, at: at.unwrap_or(SimTime::MAX), first }
    })?;
    Ok((RecordId::from_index(place), "the last that had happened by then"))
}

/// The subject of that name, with or without its kind.
pub(super) fn named(explainer: &Explainer<'_>, name: &str) -> Result<Subject, Unknown> {
    let index = explainer.index();
    if let Some(subject) = index.named(name) {
        return Ok(subject);
    }
    let mut same = index.names().filter(|known| known.short() == name);
    match (same.next(), same.next()) {
        (Some(only), None) => return index.named(&only).ok_or(Unknown::Nothing),
        (Some(one), Some(other)) => {
            return Err(Unknown::NoSubject { name: name.to_owned(), near: vec![one, other] });
        }
        (None, _) => {}
    }
    let likeness = |known: &Name| strsim::jaro_winkler(name, known).max(strsim::jaro_winkler(name, known.short()));
    let mut near: Vec<(f64, Name)> = index.names().map(|known| (likeness(&known), known)).collect();
    near.retain(|(likeness, _)| *likeness >= LIKENESS_MIN);
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let near = near.into_iter().take(NEAR_MAX).map(|(_, known)| known).collect();
    Err(Unknown::NoSubject { name: name.to_owned(), near })
}
