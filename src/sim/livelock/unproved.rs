//! Why nothing was proved: what grows, what was drawn, what lies ahead.
//!
//! It keeps a tally of each look – how many there are of each kind and status – and says what only ever
//! became more.

use std::collections::BTreeSet;
use std::fmt;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{AnyStatus, Kind, Name, plural};
use crate::trace::{Trace, What};
use crate::world::{Caps, Unrest, World};

use super::Refusal;

/// Why a run was not proved to repeat itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unproved {
    /// States are compared only from that moment on, and so often: before, something lies ahead, or ages
    /// are told apart; and the tickers come together no more often.
    NotBefore(SimTime, SimDuration),
    /// The tickers' periods have no common multiple within all time.
    NoGrid,
    /// No moment was quiet: what was going on at the last look.
    NeverQuiet(String),
    /// Faults whose windows open or close later, or that are about things which come and go.
    Faults(Vec<Name>),
    /// The same state came again, but for that purpose something was drawn that may matter.
    Drawn(&'static str),
    /// The same state came again, but a fault did what no state tells.
    Unseen,
    /// It was tried, and did not hold.
    Refused(Refusal),
    /// No state came again: of these there are ever more, so many an hour, and whether any is ever
    /// deleted.
    Grows(Vec<Growth>),
    /// No state came again in so many looks, and nothing grew; this is counted, and for these purposes
    /// something was drawn.
    NotYet(usize, Vec<String>, Vec<&'static str>),
}

/// So many things that count on are named.
const SHOWN: usize = 6;

/// Something of which there are ever more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Growth {
    pub what: String,
    /// How many more in an hour, in tenths.
    pub tenths_an_hour: u64,
    /// Whether one was ever deleted.
    pub deleted: bool,
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBefore(from, every) => {
                let (from, every) = (from.elapsed().clock(), every.clock());
                write!(f, "states are compared from {from} on only, and every {every}, as the tickers come together")
            }
            Self::NoGrid => f.write_str("the tickers' periods have no common multiple"),
            Self::NeverQuiet(what) => write!(f, "no moment is quiet: {what}"),
            Self::Faults(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "faults may still begin or end: {}", names.join(", "))
            }
            Self::Drawn(purpose) => {
                write!(f, "a state came again, but what was drawn in between may matter: {purpose}")
            }
            Self::Unseen => f.write_str("a state came again, but a fault struck in between that no state tells of"),
            Self::Refused(refusal) => write!(f, "a state came again, but {refusal}"),
            Self::Grows(grown) => {
                let tell = |growth: &Growth| {
                    let Growth { what, tenths_an_hour: n, deleted } = growth;
                    let never = if *deleted { "" } else { ", nothing deletes them" };
                    format!("{what}: +{}.{} an hour{never}", n / 10, n % 10)
                };
                let grown: Vec<String> = grown.iter().map(tell).collect();
                write!(f, "no state comes twice: {}", grown.join("; "))
            }
            Self::NotYet(looks, counted, drawn) => {
                write!(f, "no state came twice in {looks} looks")?;
                counted.iter().take(SHOWN).try_for_each(|counted| write!(f, "; {counted}"))?;
                if counted.len() > SHOWN {
                    write!(f, "; and {} more like these", counted.len() - SHOWN)?;
                }
                if drawn.is_empty() { Ok(()) } else { write!(f, "; drawn meanwhile: {}", drawn.join(", ")) }
            }
        }
    }
}

/// How many there are of everything at the looks of a run.
#[derive(Default)]
pub(super) struct Tallies {
    looks: Vec<(SimTime, Vec<u32>)>,
}

/// What is counted besides entities by their status.
const OTHERS: [&str; 4] = ["addresses taken", "containers", "volumes", "calls that hang"];

impl Tallies {
    pub(super) fn clear(&mut self) {
        self.looks.clear();
    }
    pub(super) fn len(&self) -> usize {
        self.looks.len()
    }
    pub(super) fn note(&mut self, world: &World, caps: Caps) {
        self.looks.push((world.kernel().now(), world.canonical().tally(caps)));
    }

    /// For which purposes something was drawn since the first look.
    pub(super) fn drawn(&self, trace: &Trace) -> Vec<&'static str> {
        let Some((from, _)) = self.looks.first() else { return Vec::new() };
        let since = trace.records().iter().rev().take_while(|record| record.at >= *from);
        let purposes = since.filter_map(|record| match record.what {
            What::Drawn { purpose, .. } => Some(purpose),
            _ => None,
        });
        purposes.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What became more and more.
    pub(super) fn growths(&self, trace: &Trace) -> Vec<Growth> {
        let third = self.looks.len() / 3;
        let (Some((from, first)), Some((to, last))) = (self.looks.first(), self.looks.last()) else {
            return Vec::new();
        };
        if third == 0 {
            return Vec::new();
        }
        let (early, late) = (&self.looks[..third], &self.looks[self.looks.len() - third..]);
        let deleted = |kind: Kind| {
            let mut records = trace.records().iter().rev().take_while(|record| record.at >= *from);
            records.any(|record| record.subject.kind == kind && matches!(record.what, What::Deleted { .. }))
        };
        let grew = (0..first.len()).filter(|n| {
            let most = early.iter().map(|(_, tally)| tally[*n]).max();
            let least = late.iter().map(|(_, tally)| tally[*n]).min();
            most < least
        });
        grew.map(|n| {
            let status = AnyStatus::all().nth(n);
            let more = u128::from(last[n] - first[n]);
            let still = self.looks.iter().rev().find(|(_, tally)| tally[n] <= first[n]);
            let since = to.since(still.map_or(*from, |(at, _)| *at));
            let hour = u128::from(SimDuration::from_hours(1).as_nanos());
            Growth {
                what: label(n),
                tenths_an_hour: (more * 10 * hour / u128::from(since.as_nanos().max(1))) as u64,
                deleted: status.is_none_or(|status| deleted(status.kind())),
            }
        })
        .collect()
    }
}

/// What the number of that place counts.
fn label(n: usize) -> String {
    let statuses = AnyStatus::all().count();
    match AnyStatus::all().nth(n) {
        Some(status) => format!("{} {}", status.upper(), plural(status.kind().name())),
        None => OTHERS[n - statuses].to_owned(),
    }
}

impl Unproved {
    /// What keeps a world from being quiet, in words.
    pub(super) fn never_quiet(world: &World, unrest: Option<&Unrest>) -> Self {
        Self::NeverQuiet(match unrest {
            Some(Unrest::Awaited(awaited)) => match world.kernel().describe_awaited(awaited) {
                Some(name) => format!("`{name}` has something in hand"),
                None => "somebody waits for two things at once".to_owned(),
            },
            _ => "a call is under way".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_things_that_count_on_some_are_named_and_the_rest_are_counted() {
        let said = |many: usize| {
            let counted = (0..many).map(|nth| format!("pool {nth}")).collect();
            Unproved::NotYet(3, counted, Vec::new()).to_string()
        };
        assert_eq!(said(1), "no state came twice in 3 looks; pool 0");
        assert!(said(SHOWN).ends_with("; pool 5"), "{}", said(SHOWN));
        assert!(said(100).ends_with("; pool 5; and 94 more like these"), "{}", said(100));
    }
}
