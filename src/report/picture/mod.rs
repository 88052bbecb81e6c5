//! The picture of a run: lanes with bars, steps and marks, each with the record behind it.
//!
//! Tracks and timeline entries are put together here; the page and the terminal view draw nothing else. It
//! may know traces only.

mod alike;
mod forever;
mod meaning;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{SimDuration, SimTime};
use crate::model::{AnyStatus, Field, Kind, LeaseStatus, SandboxStatus, Subject};
use crate::sim::Livelock;
use crate::trace::timeline::{self, Options, Spot, Tone};
use crate::trace::tracks::{Span, State, Step, Track, tracks};
use crate::trace::{Trace, What};

pub(crate) use meaning::Meaning;

use order::Row;

/// Everything that is drawn of one run.
pub(crate) struct Picture {
    pub(crate) end: SimTime,
    pub(crate) lanes: Vec<Lane>,
    /// The records that a reader can point at.
    pub(crate) pointed: BTreeSet<usize>,
    /// The lane of each thing.
    pub(crate) places: BTreeMap<Subject, usize>,
    /// The proof that it goes on for ever, if there is one.
    pub(crate) proof: Option<Proof>,
}

/// That a run repeats for ever, and the record that says best why it does not settle.
#[derive(Clone, Copy)]
pub(crate) struct Proof {
    pub(crate) livelock: Livelock,
    pub(crate) because: Option<usize>,
}

/// What a proof says, in words.
pub(crate) const FOR_EVER: &str = "from here on the run repeats for ever";

impl Proof {
    /// How that is known, in words.
    pub(crate) fn why(&self) -> String {
        format!(
            "the same state again after {}; nothing was drawn in between, and no step, request or edge of a fault lies ahead",
            self.livelock.period.clock()
        )
    }
}

/// What a row shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LaneKind {
    Steps,
    Faults,
    Requests,
    Proof,
    Thing(Kind),
}

impl LaneKind {
    /// Its word for styles.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Faults => "faults",
            Self::Requests => "requests",
            Self::Proof => "proof",
            Self::Thing(kind) => kind.name(),
        }
    }
}

/// One row.
pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) kind: LaneKind,
    /// How far it stands in.
    pub(crate) depth: u8,
    pub(crate) bars: Vec<Bar>,
    /// Who held it: these can overlap.
    pub(crate) bands: Vec<Bar>,
    pub(crate) cooldowns: Vec<Bar>,
    pub(crate) desired: Vec<Level>,
    pub(crate) ready: Vec<Level>,
    pub(crate) crashes: Vec<Level>,
    /// When it was deleted: its numbers end there.
    pub(crate) gone: Option<SimTime>,
    /// In order of time.
    pub(crate) marks: Vec<Mark>,
    /// Whether something broke or failed here.
    pub(crate) trouble: bool,
    /// How many of the lanes after it are told together by this one.
    pub(crate) members: usize,
}

/// The step between the times of an axis of that length, in nanoseconds, so that there are at most so many and one; none:
/// it is longer than any that clocks have.
pub(crate) fn step(length: u64, most: u64) -> Option<u64> {
    const SECOND: u64 = 1_000_000_000;
    const STEPS: &[u64] = &[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
    STEPS.iter().map(|step| step * SECOND).find(|step| length / step <= most)
}

impl Lane {
    /// Its name for so many letters: without its kind if need be, then cut in front, for the numbers
    /// stand at its end.
    pub(crate) fn short_name(&self, most: usize) -> String {
        let name = self.name.as_str();
        let bare = name.split_once('/').map_or(name, |(_, bare)| bare);
        let length = bare.chars().count();
        if name.chars().count() <= most {
            name.to_owned()
        } else if length <= most {
            bare.to_owned()
        } else {
            let tail: String = bare.chars().skip(length - most.saturating_sub(1)).collect();
            format!("\u{2026}{tail}")
        }
    }
}

/// Something that was so for a while.
pub(crate) struct Bar {
    pub(crate) from: SimTime,
    pub(crate) until: SimTime,
    pub(crate) class: &'static str,
    pub(crate) meaning: Meaning,
    pub(crate) thin: bool,
    pub(crate) label: String,
    pub(crate) record: usize,
}

/// A number from a moment on.
pub(crate) struct Level {
    pub(crate) at: SimTime,
    pub(crate) value: u64,
    pub(crate) record: usize,
}

/// Something at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) at: SimTime,
    pub(crate) tone: MarkTone,
    pub(crate) record: usize,
}

/// How a mark is meant, the loudest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum MarkTone {
    Plain,
    Good,
    Bad,
    Outside,
    Fault,
    Step,
    Broken,
}

impl MarkTone {
    pub(crate) const ALL: &[Self] =
        &[Self::Plain, Self::Good, Self::Bad, Self::Outside, Self::Fault, Self::Step, Self::Broken];

    /// The class of its style.
    pub(crate) const fn class(self) -> &'static str {
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

/// The lane of the operator's steps.
const STEPS: usize = 0;
/// All faults together: strikes are about what they strike.
const FAULTS: Subject = Subject { kind: Kind::Fault, index: u32::MAX };

/// All requests together: those that fail are an app's, and would hide everything else on its lane.
const REQUESTS: Subject = Subject { kind: Kind::App, index: u32::MAX };

/// Draws up the picture of a trace.
pub(crate) fn picture(trace: &Trace, end: SimTime, options: &Options, proof: Option<Livelock>) -> Picture {
    let shown = timeline::spots(trace, options);
    let tracks = tracks(trace, end);
    let mut pointed: BTreeSet<usize> = shown.iter().map(|spot| spot.record).collect();
    let mut begun = BTreeSet::new();
    for track in &tracks {
        begun.extend(track.states.iter().chain(&track.cooldowns).map(|span| span.record));
        pointed.extend(track.holders.iter().map(|span| span.record));
        for steps in track.numbers.values() {
            begun.extend(steps.iter().map(|step| step.record));
        }
    }
    pointed.extend(&begun);
    let proof = proof.map(|livelock| Proof { livelock, because: forever::because(trace, livelock) });
    let mut picture = Picture { end, lanes: Vec::new(), pointed, places: BTreeMap::new(), proof };
    picture.lanes.push(empty(LaneKind::Steps, "steps".to_owned(), 0));
    let some = |is: fn(&What) -> bool| shown.iter().any(|spot| is(&trace.records().at(spot.record).what));
    let own = [
        (FAULTS, LaneKind::Faults, "faults", some(|what| matches!(what, What::Struck { .. }))),
        (REQUESTS, LaneKind::Requests, "failed requests", some(|what| matches!(what, What::RequestFailed { .. }))),
    ];
    for (subject, kind, name, _) in own.into_iter().filter(|(.., some)| *some) {
        picture.places.insert(subject, picture.lanes.len());
        picture.lanes.push(empty(kind, name.to_owned(), 0));
    }
    let mut together = Vec::new();
    for row in order::rows(trace, &tracks) {
        match row {
            Row::Thing(track, depth) => {
                picture.places.insert(track.subject, picture.lanes.len());
                picture.lanes.push(lane(trace, track, depth));
                if let (Subject::CLUSTER, Some(proof)) = (track.subject, proof) {
                    picture.lanes.push(forever::lane(proof, end));
                }
            }
            Row::Alike { members, name, kind, depth } => {
                together.push((picture.lanes.len(), members));
                picture.lanes.push(empty(LaneKind::Thing(kind), name, depth));
            }
        }
    }
    // What has no lane of its own stands with what it belongs to.
    for track in &tracks {
        let place = match track.subject.kind {
            Kind::Step => Some(STEPS),
            Kind::Version => track.parent.and_then(|app| picture.places.get(&app).copied()),
            _ => continue,
        };
        picture.places.extend(place.map(|place| (track.subject, place)));
    }
    for spot in &shown {
        picture.mark(trace, spot, &begun);
    }
    for (place, members) in together {
        let Lane { name, kind, depth, .. } = &picture.lanes[place];
        let (name, kind, depth) = (name.clone(), *kind, *depth);
        picture.lanes[place] = alike::together(name, kind, depth, &picture.lanes[place + 1..=place + members]);
    }
    picture
}

impl Picture {
    fn mark(&mut self, trace: &Trace, spot: &Spot, begun: &BTreeSet<usize>) {
        let what = trace.records().at(spot.record).what;
        let tone = tone(&what, spot.tone);
        let mark = || Mark { at: spot.at, tone, record: spot.record };
        if let What::Struck { .. } = what
            && let Some(&lane) = self.places.get(&FAULTS)
        {
            self.lanes[lane].marks.push(mark());
        }
        // A bar's begin is mark enough, unless it is bad news; other writes say little.
        let writes = matches!(what, What::Created { .. } | What::Patched { .. });
        let seen = begun.contains(&spot.record) && tone != MarkTone::Bad || writes && tone == MarkTone::Plain;
        let subject = if matches!(what, What::RequestFailed { .. }) { REQUESTS } else { spot.subject };
        let Some(&lane) = self.places.get(&subject) else { return };
        let lane = &mut self.lanes[lane];
        if !seen || tone == MarkTone::Step {
            lane.marks.push(mark());
        }
        lane.trouble |= matches!(tone, MarkTone::Bad | MarkTone::Broken);
    }

    /// The lane that tells of a record.
    pub(crate) fn lane_of(&self, trace: &Trace, record: usize) -> Option<usize> {
        let record = trace.records().get(record)?;
        let subject = if matches!(record.what, What::RequestFailed { .. }) { REQUESTS } else { record.subject };
        self.places.get(&subject).copied()
    }
}

/// How a record is meant.
pub(crate) fn tone(what: &What, tone: Tone) -> MarkTone {
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

/// The lane of a track, without its marks.
fn lane(trace: &Trace, track: &Track, depth: u8) -> Lane {
    let bars = |spans: &[Span]| spans.iter().map(|span| bar(trace, span)).collect();
    let levels = |field: Field| {
        let steps = track.numbers.get(&field).map_or(&[] as &[Step], Vec::as_slice);
        steps.iter().map(|s| Level { at: s.at, value: s.value, record: s.record }).collect()
    };
    Lane {
        bars: bars(&track.states),
        bands: bars(&track.holders),
        cooldowns: bars(&track.cooldowns),
        desired: levels(Field::DesiredInstances),
        ready: levels(Field::ReadyInstances),
        crashes: levels(Field::ConsecutiveCrashCount),
        gone: track.gone,
        ..empty(LaneKind::Thing(track.subject.kind), trace.name(track.subject).to_string(), depth)
    }
}

fn bar(trace: &Trace, span: &Span) -> Bar {
    let bare = |subject: Subject| trace.name(subject).short().to_owned();
    let (class, label) = match span.state {
        State::Status(status) => (status.name(), status.upper()),
        State::Phase(phase) => (phase.name(), phase.name().to_uppercase()),
        State::Cooldown { set } => {
            // To the second: who waits for minutes asks for no more.
            let half = SimDuration::from_millis(500);
            let wait = SimDuration::from_secs(set.since(span.from).saturating_add(half).as_secs());
            ("cooldown", format!("cooldown {}", wait.clock()))
        }
        State::Thing(thing) if thing.kind == Kind::Node => ("mounted", bare(thing)),
        State::Thing(thing) => (turn(thing.index), bare(thing)),
        State::Held { lease, sandbox } => {
            let holder = sandbox.unwrap_or(lease);
            (turn(holder.index), bare(holder))
        }
    };
    // What is over is a thin line; of what failed, one wants to see that it did.
    let thin = match span.state {
        State::Status(AnyStatus::Sandbox(status)) => status == SandboxStatus::Dead,
        State::Status(AnyStatus::Lease(status)) => status == LeaseStatus::Released,
        State::Status(AnyStatus::Disk(_) | AnyStatus::Node(_))
        | State::Phase(_)
        | State::Cooldown { .. }
        | State::Thing(_)
        | State::Held { .. } => false,
    };
    let meaning = Meaning::of(span.state);
    Bar { from: span.from, until: span.until, class, meaning, thin, label, record: span.record }
}

pub(crate) fn empty(kind: LaneKind, name: String, depth: u8) -> Lane {
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
        gone: None,
        marks: Vec::new(),
        trouble: false,
        members: 0,
    }
}

/// So many colours take turns, so that neighbours differ.
const TURNS: u32 = 6;

/// The class of one of them.
const fn turn(index: u32) -> &'static str {
    ["turn0", "turn1", "turn2", "turn3", "turn4", "turn5"][(index % TURNS) as usize]
}

#[cfg(test)]
mod tests;
