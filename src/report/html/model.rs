//! The picture of a run: lanes with bars, steps and marks, and what can be told of each.
//!
//! Tracks and timeline entries are put together here; the drawing, with or without scripts, reads
//! nothing else. It may know traces only. What a newcomer gets wrong: not every record is told –
//! only what a reader can point at, and all that led to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::SimTime;
use crate::model::{Field, Kind, Reason, Subject};
use crate::trace::timeline::{self, Entry, Tone, actor_name};
use crate::trace::tracks::{Span, State, Step, tracks};
use crate::trace::{Trace, What};

/// Everything that is drawn of one run.
pub(super) struct Picture {
    /// When the run ended.
    pub(super) end: SimTime,
    pub(super) lanes: Vec<Lane>,
    /// In order of records.
    pub(super) told: Vec<Telling>,
}

/// One row.
pub(super) struct Lane {
    pub(super) name: String,
    /// What kind of thing it is, as a word for styles.
    pub(super) kind: &'static str,
    /// How far it stands in.
    pub(super) depth: u8,
    pub(super) bars: Vec<Bar>,
    /// Who held it: these can overlap.
    pub(super) bands: Vec<Bar>,
    pub(super) cooldowns: Vec<Bar>,
    pub(super) desired: Vec<Level>,
    pub(super) ready: Vec<Level>,
    pub(super) crashes: Vec<Level>,
    /// In order of time.
    pub(super) marks: Vec<Mark>,
    /// Whether something broke or failed here.
    pub(super) trouble: bool,
}

/// Something that was so for a while.
pub(super) struct Bar {
    pub(super) from: SimTime,
    pub(super) until: SimTime,
    /// The class of its style.
    pub(super) class: &'static str,
    pub(super) label: String,
    /// What can be told of its begin.
    pub(super) told: usize,
}

/// A number from a moment on.
pub(super) struct Level {
    pub(super) at: SimTime,
    pub(super) value: u64,
    pub(super) told: usize,
}

/// Something at a moment.
pub(super) struct Mark {
    pub(super) at: SimTime,
    pub(super) tone: MarkTone,
    pub(super) told: usize,
}

/// How a mark is meant, the loudest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum MarkTone {
    Plain,
    Good,
    Bad,
    Outside,
    Fault,
    Step,
    Broken,
}

impl MarkTone {
    pub(super) const ALL: &[Self] =
        &[Self::Plain, Self::Good, Self::Bad, Self::Outside, Self::Fault, Self::Step, Self::Broken];

    /// The class of its style.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Outside => "outside",
            Self::Fault => "fault",
            Self::Step => "step",
            Self::Broken => "broken",
        }
    }
}

/// What can be told of one record.
pub(super) struct Telling {
    /// The record's number, from 1.
    pub(super) number: usize,
    pub(super) at: SimTime,
    pub(super) by: String,
    pub(super) subject: String,
    pub(super) what: String,
    pub(super) why: String,
    /// The telling of what caused it.
    pub(super) cause: Option<usize>,
    /// Where it stands in the picture.
    pub(super) lane: Option<usize>,
    pub(super) tone: MarkTone,
    /// How a scheduler works all day; of little interest by itself.
    pub(super) routine: bool,
}

/// The lane of the operator's steps.
const STEPS: usize = 0;
/// All faults together: strikes are about what they strike.
const FAULTS: Subject = Subject { kind: Kind::Fault, index: u32::MAX };

/// Draws up the picture of a trace.
pub(super) fn picture(trace: &Trace, end: SimTime, options: &timeline::Options) -> Picture {
    let shown = timeline::entries(trace, options);
    let all = timeline::entries(trace, &timeline::Options { verbose: true, ..options.clone() });
    let tracks = tracks(trace, end);
    let mut pointed: BTreeSet<usize> = shown.iter().map(|entry| entry.record).collect();
    let mut begun = BTreeSet::new();
    for track in &tracks {
        begun.extend(track.states.iter().chain(&track.cooldowns).map(|span| span.record));
        pointed.extend(track.holders.iter().map(|span| span.record));
        for steps in track.numbers.values() {
            begun.extend(steps.iter().map(|step| step.record));
        }
    }
    pointed.extend(&begun);
    let teller = Teller::new(trace, &shown, &all);
    let (told, index) = teller.tell(&pointed);
    let mut picture = Picture { end, lanes: Vec::new(), told };
    let mut places: BTreeMap<Subject, usize> = BTreeMap::new();
    let lanes = Lanes { trace, index: &index };
    picture.lanes.push(empty("steps", "steps".to_owned(), 0));
    if shown.iter().any(|entry| matches!(trace.records()[entry.record].what, What::Struck { .. })) {
        places.insert(FAULTS, picture.lanes.len());
        picture.lanes.push(empty("faults", "faults".to_owned(), 0));
    }
    for track in &tracks {
        if !matches!(track.subject.kind, Kind::Version | Kind::Step | Kind::Fault) {
            places.insert(track.subject, picture.lanes.len());
            let depth = depth_of(track.subject.kind);
            picture.lanes.push(lanes.lane(track, depth));
        }
    }
    // What has no lane of its own stands with what it belongs to.
    for track in &tracks {
        let place = match track.subject.kind {
            Kind::Step => Some(STEPS),
            Kind::Version => track.parent.and_then(|app| places.get(&app).copied()),
            _ => continue,
        };
        places.extend(place.map(|place| (track.subject, place)));
    }
    let subjects: Vec<Subject> = trace.records().iter().map(|record| record.subject).collect();
    for telling in &mut picture.told {
        telling.lane = places.get(&subjects[telling.number - 1]).copied();
    }
    for entry in &shown {
        picture.mark(trace, entry, &places, &index, &begun);
    }
    picture
}

const fn depth_of(kind: Kind) -> u8 {
    match kind {
        Kind::Cluster | Kind::App | Kind::Node | Kind::Step | Kind::Fault => 0,
        Kind::Version | Kind::Pool | Kind::Disk | Kind::Process => 1,
        Kind::Sandbox | Kind::Volume | Kind::Lease => 2,
    }
}

impl Picture {
    fn mark(
        &mut self,
        trace: &Trace,
        entry: &Entry,
        places: &BTreeMap<Subject, usize>,
        index: &BTreeMap<usize, usize>,
        begun: &BTreeSet<usize>,
    ) {
        let what = trace.records()[entry.record].what;
        let tone = tone(&what, entry.tone);
        let told = index[&entry.record];
        let mut put = |lane: usize| self.lanes[lane].marks.push(Mark { at: entry.at, tone, told });
        if let What::Struck { .. } = what
            && let Some(&lane) = places.get(&FAULTS)
        {
            put(lane);
        }
        // A bar's begin is mark enough, unless it is bad news; other writes say little.
        let writes = matches!(what, What::Created { .. } | What::Patched { .. });
        let seen = begun.contains(&entry.record) && tone != MarkTone::Bad || writes && tone == MarkTone::Plain;
        let Some(&lane) = places.get(&entry.subject) else { return };
        if !seen || tone == MarkTone::Step {
            put(lane);
        }
        self.lanes[lane].trouble |= matches!(tone, MarkTone::Bad | MarkTone::Broken);
    }

    /// The telling of a violation's record.
    pub(super) fn violation(&self, violation: &crate::sim::Violation) -> Option<usize> {
        let number = violation.record.index()? + 1;
        self.told.binary_search_by_key(&number, |telling| telling.number).ok()
    }

    /// What led to it, nearest first, without the routine in between.
    pub(super) fn chain(&self, told: usize) -> Vec<usize> {
        let mut chain = vec![told];
        let mut at = told;
        while let Some(cause) = self.told[at].cause {
            let (telling, last) = (&self.told[cause], &self.told[*chain.last().expect("it has one")]);
            at = cause;
            // A write says why itself; its decision would only say so again.
            if !telling.routine && telling.what != last.why {
                chain.push(cause);
            }
        }
        chain
    }
}

/// How a record is meant.
fn tone(what: &What, tone: Tone) -> MarkTone {
    match (what, tone) {
        (What::Broken { .. }, _) => MarkTone::Broken,
        (What::Struck { .. }, _) => MarkTone::Fault,
        (What::StepBegan | What::Note(_), _) => MarkTone::Step,
        (_, Tone::Bad) => MarkTone::Bad,
        (_, Tone::Good) => MarkTone::Good,
        (_, Tone::Outside) => MarkTone::Outside,
        (_, Tone::Plain) => MarkTone::Plain,
    }
}

/// Makes tellings of records.
struct Teller<'a> {
    trace: &'a Trace,
    /// The best entry of each record that has one, and whether it is one of the timeline's.
    entries: BTreeMap<usize, (&'a Entry, bool)>,
}

impl<'a> Teller<'a> {
    fn new(trace: &'a Trace, shown: &'a [Entry], all: &'a [Entry]) -> Self {
        let mut entries: BTreeMap<usize, (&Entry, bool)> =
            all.iter().map(|entry| (entry.record, (entry, false))).collect();
        entries.extend(shown.iter().map(|entry| (entry.record, (entry, true))));
        Self { trace, entries }
    }

    /// Whether something can be told of a record.
    fn can_tell(&self, record: usize) -> bool {
        self.entries.contains_key(&record) || matches!(self.trace.records()[record].what, What::Decided(_))
    }

    /// The nearest record up the causes of which something can be told.
    fn cause(&self, record: usize) -> Option<usize> {
        let mut cause = self.trace.records()[record].cause.index()?;
        while !self.can_tell(cause) {
            cause = self.trace.records()[cause].cause.index()?;
        }
        Some(cause)
    }

    /// Tellings of these records and of all that led to them, and where each is.
    fn tell(&self, pointed: &BTreeSet<usize>) -> (Vec<Telling>, BTreeMap<usize, usize>) {
        let mut records: BTreeSet<usize> = BTreeSet::new();
        for start in pointed {
            let mut next = Some(*start);
            while let Some(record) = next
                && records.insert(record)
            {
                next = self.cause(record);
            }
        }
        let index: BTreeMap<usize, usize> =
            records.iter().enumerate().map(|(place, record)| (*record, place)).collect();
        let told = records.iter().map(|record| self.telling(*record, &index)).collect();
        (told, index)
    }

    fn telling(&self, record: usize, index: &BTreeMap<usize, usize>) -> Telling {
        let of = &self.trace.records()[record];
        let routine = matches!(of.what, What::Decided(reason) if reason.is_routine())
            || matches!(of.what, What::Decided(Reason::Reconcile { .. }) | What::Called { .. });
        let (what, why, meant, shown) = match (self.entries.get(&record), of.what) {
            (Some((entry, shown)), _) => (entry.what.clone(), entry.why.clone(), entry.tone, *shown),
            (None, What::Decided(reason)) => (reason.to_string(), String::new(), Tone::Plain, true),
            (None, _) => (String::new(), String::new(), Tone::Plain, false),
        };
        Telling {
            number: record + 1,
            at: of.at,
            by: actor_name(self.trace, of.actor),
            subject: self.trace.name(of.subject).to_string(),
            what,
            why,
            cause: self.cause(record).map(|cause| index[&cause]),
            lane: None,
            tone: tone(&of.what, meant),
            routine: routine || (!shown && !matches!(of.what, What::Decided(_))),
        }
    }
}

/// Makes lanes of tracks.
struct Lanes<'a> {
    trace: &'a Trace,
    index: &'a BTreeMap<usize, usize>,
}

impl Lanes<'_> {
    fn lane(&self, track: &crate::trace::tracks::Track, depth: u8) -> Lane {
        let bars = |spans: &[Span]| spans.iter().map(|span| self.bar(span)).collect();
        let levels = |field: Field| {
            let steps = track.numbers.get(&field).map_or(&[] as &[Step], Vec::as_slice);
            steps.iter().map(|s| Level { at: s.at, value: s.value, told: self.index[&s.record] }).collect()
        };
        Lane {
            bars: bars(&track.states),
            bands: bars(&track.holders),
            cooldowns: bars(&track.cooldowns),
            desired: levels(Field::DesiredInstances),
            ready: levels(Field::ReadyInstances),
            crashes: levels(Field::ConsecutiveCrashCount),
            ..empty(track.subject.kind.name(), self.trace.name(track.subject).to_string(), depth)
        }
    }

    fn bar(&self, span: &Span) -> Bar {
        let bare = |subject: Subject| {
            let name = self.trace.name(subject);
            name.split_once('/').map_or_else(|| name.to_string(), |(_, bare)| bare.to_owned())
        };
        let (class, label) = match span.state {
            State::Word(word) => (word, word.to_uppercase()),
            State::Cooldown => ("cooldown", format!("cooldown {}", span.until.since(span.from).clock())),
            State::Thing(thing) if thing.kind == Kind::Node => ("mounted", bare(thing)),
            State::Thing(thing) => (turn(thing.index), bare(thing)),
            State::Held { lease, sandbox } => {
                let holder = sandbox.unwrap_or(lease);
                (turn(holder.index), bare(holder))
            }
        };
        Bar { from: span.from, until: span.until, class, label, told: self.index[&span.record] }
    }
}

fn empty(kind: &'static str, name: String, depth: u8) -> Lane {
    Lane {
        name,
        kind,
        depth,
        bars: Vec::new(),
        bands: Vec::new(),
        cooldowns: Vec::new(),
        desired: Vec::new(),
        ready: Vec::new(),
        crashes: Vec::new(),
        marks: Vec::new(),
        trouble: false,
    }
}

/// One of a few colours that take turns, so that neighbours differ.
const fn turn(index: u32) -> &'static str {
    const TURNS: [&str; 6] = ["turn0", "turn1", "turn2", "turn3", "turn4", "turn5"];
    TURNS[index as usize % TURNS.len()]
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
