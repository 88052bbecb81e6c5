//! The picture of a run: lanes with bars, steps and marks, and what can be told of each.
//!
//! Tracks and timeline entries are put together here; the drawing, with or without scripts, reads
//! nothing else. It may know traces only. What a newcomer gets wrong: not every record is told –
//! only what a reader can point at, and all that led to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{AnyStatus, Field, Kind, LeaseStatus, SandboxStatus, Subject};
use crate::report::explain::{Explainer, Setting, Step as Link, tag};
use crate::sim::Livelock;
use crate::trace::timeline::{self, Entry, Tone, actor_name};
use crate::trace::tracks::{Span, State, Step, tracks};
use crate::trace::{Trace, What};

use super::forever;

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
    /// When it was deleted: its numbers end there.
    pub(super) gone: Option<SimTime>,
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
    /// Drawn as a line.
    pub(super) thin: bool,
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
    /// What could be otherwise: fixes and faults.
    pub(super) tags: String,
    /// The telling of what led to it.
    pub(super) cause: Option<usize>,
    /// What else was needed: in which way, and its telling.
    pub(super) sides: Vec<(&'static str, usize)>,
    /// Where it stands in the picture.
    pub(super) lane: Option<usize>,
    pub(super) tone: MarkTone,
}

/// The lane of the operator's steps.
const STEPS: usize = 0;
/// All faults together: strikes are about what they strike.
const FAULTS: Subject = Subject { kind: Kind::Fault, index: u32::MAX };

/// All requests together: those that fail are an app's, and would hide everything else on its lane.
const REQUESTS: Subject = Subject { kind: Kind::App, index: u32::MAX };

/// Draws up the picture of a trace.
pub(super) fn picture(trace: &Trace, end: SimTime, setting: &Setting, proof: Option<Livelock>) -> Picture {
    let shown = timeline::entries(trace, &setting.timeline);
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
    let (mut told, mut index) = tell(trace, setting, &pointed);
    let proof = proof.map(|proof| (proof, forever::tell(trace, proof, &mut told, &mut index)));
    let mut picture = Picture { end, lanes: Vec::new(), told };
    let mut places: BTreeMap<Subject, usize> = BTreeMap::new();
    let lanes = Lanes { trace, index: &index };
    picture.lanes.push(empty("steps", "steps".to_owned(), 0));
    let some = |is: fn(&What) -> bool| shown.iter().any(|entry| is(&trace.records()[entry.record].what));
    let own = [
        (FAULTS, "faults", "faults", some(|what| matches!(what, What::Struck { .. }))),
        (REQUESTS, "requests", "failed requests", some(|what| matches!(what, What::RequestFailed { .. }))),
    ];
    for (subject, kind, name, _) in own.into_iter().filter(|(.., some)| *some) {
        places.insert(subject, picture.lanes.len());
        picture.lanes.push(empty(kind, name.to_owned(), 0));
    }
    for track in &tracks {
        if !matches!(track.subject.kind, Kind::Version | Kind::Step | Kind::Fault) {
            places.insert(track.subject, picture.lanes.len());
            let depth = depth_of(track.subject.kind);
            picture.lanes.push(lanes.lane(track, depth));
        }
        if let (Subject::CLUSTER, Some((proof, told))) = (track.subject, proof) {
            picture.lanes.push(forever::lane(proof, end, told));
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
    if let Some((_, told)) = proof {
        picture.told[told].lane = picture.lanes.iter().position(|lane| lane.kind == "proof");
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
        let subject = if matches!(what, What::RequestFailed { .. }) { REQUESTS } else { entry.subject };
        let Some(&lane) = places.get(&subject) else { return };
        if !seen || tone == MarkTone::Step {
            put(lane);
        }
        self.lanes[lane].trouble |= matches!(tone, MarkTone::Bad | MarkTone::Broken);
    }

    /// Whether "for ever" was proved.
    pub(super) fn is_proved(&self) -> bool {
        self.lanes.iter().any(|lane| lane.kind == "proof")
    }

    /// The telling of a violation's record.
    pub(super) fn violation(&self, violation: &crate::sim::Violation) -> Option<usize> {
        let number = violation.record.index()? + 1;
        let place = self.told.partition_point(|telling| telling.number < number);
        self.told.get(place).is_some_and(|telling| telling.number == number).then_some(place)
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

/// Tellings of these records and of all that led to them, and where each is.
fn tell(trace: &Trace, setting: &Setting, pointed: &BTreeSet<usize>) -> (Vec<Telling>, BTreeMap<usize, usize>) {
    let mut explainer = Explainer::new(trace, setting);
    let mut links: BTreeMap<usize, Link> = BTreeMap::new();
    // From the last to the first: causes lie before their effects, and the explainer remembers what
    // it found on a way back.
    let mut open = pointed.clone();
    while let Some(record) = open.pop_last() {
        let Some(link) = explainer.step(RecordId::from_index(record)) else { continue };
        let sides = link.sides.iter().filter_map(|(_, side)| side.index());
        open.extend(link.next.and_then(RecordId::index).into_iter().chain(sides));
        links.insert(record, link);
    }
    let index: BTreeMap<usize, usize> = links.keys().enumerate().map(|(place, record)| (*record, place)).collect();
    let place = |record: RecordId| record.index().and_then(|record| index.get(&record).copied());
    let telling = |(record, Link { link, next, sides }): (&usize, &Link)| Telling {
        number: record + 1,
        at: link.at,
        by: actor_name(trace, link.actor),
        subject: trace.name(link.subject).to_string(),
        what: link.what.clone(),
        why: link.rule.clone(),
        tags: link.decided_by.iter().map(|decider| tag(*decider, setting)).collect::<Vec<_>>().join(", "),
        cause: next.and_then(place),
        sides: sides.iter().filter_map(|(role, side)| Some((role.label(), place(*side)?))).collect(),
        lane: None,
        tone: tone(&trace.records()[*record].what, link.tone),
    };
    (links.iter().map(telling).collect(), index)
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
            gone: track.gone,
            ..empty(track.subject.kind.name(), self.trace.name(track.subject).to_string(), depth)
        }
    }

    fn bar(&self, span: &Span) -> Bar {
        let bare = |subject: Subject| {
            let name = self.trace.name(subject);
            name.split_once('/').map_or_else(|| name.to_string(), |(_, bare)| bare.to_owned())
        };
        let (class, label) = match span.state {
            State::Status(status) => (status.name(), status.loud()),
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
        Bar { from: span.from, until: span.until, class, thin, label, told: self.index[&span.record] }
    }
}

pub(super) fn empty(kind: &'static str, name: String, depth: u8) -> Lane {
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
