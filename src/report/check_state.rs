//! Claims of the state at moments, held against a trace.
//!
//! One pass over the records: the state grows, and each claim is looked at when its moment is
//! complete, or at every change within its span. It may read scenarios and traces only. What a
//! newcomer gets wrong: a moment is over when time has moved on – a claim sees everything that
//! happened at that instant, and nothing of a later one.

use crate::kernel::{RecordId, SimTime};
use crate::model::{Controller, Field, Kind, Name, Subject, slot};
use crate::scenario::claims::{Claim, Lasting, Moment, Test, ThingField, Want};
use crate::scenario::similar;
use crate::trace::state::Fold;
use crate::trace::{Trace, What};

use super::found::{Found, value};

/// How a claim came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    /// When, in words: the moment and its span.
    pub(crate) when: String,
    /// What was claimed of what: `pool/a-web current_instances = 3`.
    pub(crate) claim: String,
    /// What was found instead; none: it holds.
    pub(crate) wrong: Option<String>,
}

/// Holds every claim against the trace; those that ask of a time after `until` are left out.
pub(crate) fn held(trace: &Trace, moments: &[Moment], until: SimTime) -> Vec<Held> {
    let asked = moments.iter().filter(|moment| moment.until() <= until);
    let mut open: Vec<Open<'_>> = asked
        .flat_map(|moment| moment.claims.iter().map(move |claim| Open { moment, claim, wrong: None, over: false }))
        .collect();
    if open.is_empty() {
        return Vec::new();
    }
    let mut pass = Pass { trace, fold: Fold::default(), pool_apps: Vec::new() };
    let ends: Vec<SimTime> = open.iter().map(|open| open.moment.until()).collect();
    let last = ends.into_iter().max().unwrap_or(SimTime::ZERO);
    let records = trace.records();
    let mut index = 0;
    // The state holds from `from` until just before `next`.
    let mut from = SimTime::ZERO;
    let mut changed = true;
    loop {
        while let Some(record) = records.get(index).filter(|record| record.at <= from) {
            changed |= pass.take(index, &record);
            index += 1;
        }
        let next = records.get(index).map(|record| record.at);
        for open in open.iter_mut().filter(|open| !open.over) {
            open.look(&pass, from, next, changed);
        }
        changed = false;
        match next.filter(|next| *next <= last) {
            Some(next) => from = next,
            None => break,
        }
    }
    open.into_iter().map(|open| open.held(&pass)).collect()
}

/// A claim that is being looked at.
struct Open<'a> {
    moment: &'a Moment,
    claim: &'a Claim,
    /// What was found instead when it was last looked at; none: it held, or nobody looked yet.
    wrong: Option<String>,
    /// Nothing more can change how it comes out.
    over: bool,
}

impl Open<'_> {
    /// Looks at the state that holds from `from` until just before `next` (none: to the end).
    fn look(&mut self, pass: &Pass<'_>, from: SimTime, next: Option<SimTime>, changed: bool) {
        let (begin, end) = (self.moment.at, self.moment.until());
        // The first state of the span is the one that holds at its beginning.
        let first = from <= begin && next.is_none_or(|next| next > begin);
        if !first && (from <= begin || from > end || !changed) {
            return;
        }
        self.wrong = pass.differs(self.claim);
        let last = next.is_none_or(|next| next > end);
        self.over = match self.moment.lasting {
            Lasting::Now => true,
            Lasting::Within(_) => self.wrong.is_none() || last,
            Lasting::For(_) => self.wrong.is_some() || last,
        };
        if let (Lasting::For(_), Some(wrong)) = (self.moment.lasting, &mut self.wrong)
            && from > begin
        {
            *wrong = format!("{wrong}, from {} on", clock(from));
        }
    }

    fn held(self, pass: &Pass<'_>) -> Held {
        let Moment { at, lasting, .. } = *self.moment;
        let until = clock(self.moment.until());
        let when = match lasting {
            Lasting::Now => clock(at),
            Lasting::Within(_) => format!("{} to {until}, once", clock(at)),
            Lasting::For(_) => format!("{} to {until}", clock(at)),
        };
        // A name that nothing ever had is a mistake of the file, whatever is claimed of it.
        let wrong = pass.never_was(self.claim).or(self.wrong);
        Held { when, claim: text(self.claim), wrong }
    }
}

fn clock(at: SimTime) -> String {
    at.elapsed().clock().to_string()
}

/// The state on the way through a trace.
struct Pass<'a> {
    trace: &'a Trace,
    fold: Fold,
    /// The app of each pool that there ever was.
    pool_apps: Vec<Option<Subject>>,
}

impl Pass<'_> {
    fn take(&mut self, index: usize, record: &crate::trace::Record) -> bool {
        if let (Kind::Pool, What::Set { field: Field::App, to: crate::model::Value::Ref(app), .. }) =
            (record.subject.kind, record.what)
        {
            *slot(&mut self.pool_apps, record.subject.index, None) = Some(app);
        }
        self.fold.take(RecordId::from_index(index), record)
    }

    /// The thing of that name, whether it is there or not; names begin with the kind.
    fn named(&self, kind: Kind, name: Name) -> Option<Subject> {
        let found = self.trace.names_of(kind).iter().position(|known| known.short() == name.as_str());
        found.map(|index| Subject { kind, index: u32::try_from(index).expect("fewer than 2^32 of a kind") })
    }

    fn is_there(&self, subject: Subject) -> bool {
        match subject.kind {
            Kind::Volume => self.fold.mounts(subject.index).is_some(),
            _ => self.fold.row(subject).is_some(),
        }
    }

    fn value(&self, subject: Subject, field: &ThingField) -> Found {
        value(self.trace, &self.fold, &self.pool_apps, subject, field)
    }

    /// What is found instead of what is claimed.
    fn differs(&self, claim: &Claim) -> Option<String> {
        match claim {
            Claim::Thing { kind, name, absent, by } => {
                // Whoever asks for what never was is told so at the end.
                let subject = self.named(*kind, *name)?;
                match (absent, self.is_there(subject)) {
                    (false, false) => Some(self.missing(subject)),
                    (true, true) => Some(format!("it is there{}", self.written(subject, None))),
                    (false, true) => self.by_another(*by, self.writer(subject, None)),
                    (true, false) => self.by_another(*by, self.remover(subject)),
                }
            }
            Claim::Field { kind, name, field, test, by } => {
                let subject = self.named(*kind, *name)?;
                if !self.is_there(subject) {
                    return Some(self.missing(subject));
                }
                let found = self.value(subject, field);
                match test.as_ref().filter(|test| !passes(test, &found)) {
                    Some(_) => Some(format!("found {found}{}", self.written(subject, Some(field)))),
                    None => self.by_another(*by, self.writer(subject, Some(field))),
                }
            }
            Claim::Count { kind, which, min, max } => {
                let all: Vec<Subject> = match kind {
                    Kind::Volume => self.fold.volumes().map(|index| Subject { kind: *kind, index }).collect(),
                    _ => self.fold.rows_of(*kind).map(|row| row.subject).collect(),
                };
                let fits =
                    |subject: &&Subject| which.iter().all(|(field, test)| passes(test, &self.value(**subject, field)));
                let found: Vec<&Subject> = all.iter().filter(fits).collect();
                let count = found.len() as u64;
                if count >= *min && max.is_none_or(|max| count <= max) {
                    return None;
                }
                const SHOWN: usize = 6;
                let names: Vec<String> =
                    found.iter().map(|subject| self.trace.name(**subject).short().into()).collect();
                Some(match names.len() {
                    0 => format!("found none of {}", all.len()),
                    n if n <= SHOWN => format!("found {n}: {}", names.join(", ")),
                    n => format!("found {n}: {} and {} more", names[..SHOWN].join(", "), n - SHOWN),
                })
            }
        }
    }

    /// A name in the claim that no thing of the run ever had.
    fn never_was(&self, claim: &Claim) -> Option<String> {
        let unknown = |kind: Kind, name: Name, absent: bool| {
            if self.named(kind, name).is_some() {
                return None;
            }
            let known = self.trace.names_of(kind);
            let meant = similar(name.as_str(), known.iter().map(Name::short));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            let count = if absent { "; that none is there is said by `count`" } else { "" };
            Some(format!("there never was {}/{name} in this run{meant}{count}", kind.name()))
        };
        match claim {
            Claim::Thing { kind, name, absent, .. } => unknown(*kind, *name, *absent),
            Claim::Field { kind, name, .. } => unknown(*kind, *name, false),
            Claim::Count { which, .. } => which.iter().find_map(|(field, test)| {
                let (Some(kind), Test::Is(Want::Text(name)) | Test::Not(Want::Text(name)) | Test::Has(name)) =
                    (field.of.thing(), test)
                else {
                    return None;
                };
                unknown(kind, *name, false)
            }),
        }
    }

    /// Why a thing of the run is not there now.
    fn missing(&self, subject: Subject) -> String {
        let gone = self.remover(subject);
        let told = |index: usize| {
            let record = self.trace.records().at(index);
            (clock(record.at), record.actor.controller.name())
        };
        match gone.map(told) {
            Some((at, by)) => format!("it is gone: deleted {at} by {by}"),
            None => match self.maker(subject).map(told) {
                Some((at, by)) => format!("it is not there yet: created {at} by {by}"),
                None => "it is not there yet".to_owned(),
            },
        }
    }

    /// The record that made it, however late.
    fn maker(&self, subject: Subject) -> Option<usize> {
        let made = |what: &What| matches!(what, What::Created { .. } | What::VolumeMade);
        self.trace.records().iter().position(|record| record.subject == subject && made(&record.what))
    }

    /// The record that removed it, when that lies behind.
    fn remover(&self, subject: Subject) -> Option<usize> {
        let gone = |what: &What| matches!(what, What::Deleted { .. } | What::VolumeGone);
        let records = self.trace.records().range(..self.fold.records());
        { records }.rposition(|record| record.subject == subject && gone(&record.what))
    }

    /// The record that last wrote a thing, or gave a field its value.
    fn writer(&self, subject: Subject, field: Option<&ThingField>) -> Option<usize> {
        let row = self.fold.row(subject)?;
        let set = field.and_then(|field| field.from.field());
        match set {
            // A field that nobody ever set has had its value from the beginning.
            Some(set) => row.sets.get(&set).copied().or(Some(row.created)),
            None => Some(row.written),
        }
        .and_then(RecordId::index)
    }

    fn by_another(&self, by: Option<Controller>, writer: Option<usize>) -> Option<String> {
        let by = by?;
        let record = writer.map(|index| self.trace.records().at(index));
        match record {
            Some(record) if record.actor.controller == by => None,
            Some(record) => Some(format!("written {} by {}", clock(record.at), record.actor.controller.name())),
            None => Some("written by nobody".to_owned()),
        }
    }

    /// Who wrote it, and when, behind what was found.
    fn written(&self, subject: Subject, field: Option<&ThingField>) -> String {
        let record = self.writer(subject, field).map(|index| self.trace.records().at(index));
        let told = |record: crate::trace::Record| {
            format!(", written {} by {}", clock(record.at), record.actor.controller.name())
        };
        record.map(told).unwrap_or_default()
    }
}

/// Whether a value is as asked.
fn passes(test: &Test, found: &Found) -> bool {
    match test {
        Test::Is(want) => found.is(want),
        Test::Not(want) => !found.is(want),
        Test::Between { min, max } => found
            .number()
            .is_some_and(|number| min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)),
        Test::Has(name) => matches!(found, Found::List(list) if list.iter().any(|item| item == name.as_str())),
        Test::Absent(absent) => matches!(found, Found::Nothing) == *absent,
    }
}

/// A claim on one line.
fn text(claim: &Claim) -> String {
    let whom = |by: &Option<Controller>| by.map(|by| format!(" by {}", by.name())).unwrap_or_default();
    match claim {
        Claim::Thing { kind, name, absent, by } => {
            let there = if *absent { "is absent" } else { "is there" };
            let by = by.map(|by| format!(", last written by {}", by.name())).unwrap_or_default();
            format!("{}/{name} {there}{by}", kind.name())
        }
        Claim::Field { kind, name, field, test, by } => {
            let asked = test.as_ref().map(|test| asked(field, test)).unwrap_or_default();
            format!("{}/{name} {}{asked}{}", kind.name(), field.name, whom(by))
        }
        Claim::Count { kind, which, min, max } => {
            let number = match max {
                Some(max) if max == min => format!("= {min}"),
                Some(max) if *min == 0 => format!("<= {max}"),
                Some(max) => format!(">= {min} and <= {max}"),
                None => format!(">= {min}"),
            };
            let which: Vec<String> =
                which.iter().map(|(field, test)| format!("{}{}", field.name, asked(field, test))).collect();
            let which = if which.is_empty() { String::new() } else { format!(" ({})", which.join(", ")) };
            format!("count of {}{which} {number}", kind.name())
        }
    }
}

fn asked(field: &ThingField, test: &Test) -> String {
    let number = |n: u64| Found::of_number(field, n).to_string();
    let wanted = |want: &Want| Found::of_want(field, want).to_string();
    match test {
        Test::Is(want) => format!(" = {}", wanted(want)),
        Test::Not(want) => format!(" != {}", wanted(want)),
        Test::Between { min, max } => {
            let parts = [(">=", min), ("<=", max)];
            let parts = parts.iter().filter_map(|(sign, n)| n.map(|n| format!(" {sign} {}", number(n))));
            parts.collect::<Vec<_>>().join(" and")
        }
        Test::Has(name) => format!(" has {name}"),
        Test::Absent(true) => " is absent".to_owned(),
        Test::Absent(false) => " is there".to_owned(),
    }
}

#[cfg(test)]
#[path = "check_state_tests.rs"]
mod tests;
