//! Tracks: what each thing of a run was, and for how long.
//!
//! One pass over the records gives every thing its spans (states, cooldowns, who holds what) and its numbers
//! as steps; pictures and the Perfetto trace are drawn from them. It may know records only.

use std::collections::BTreeMap;

use crate::kernel::{RecordId, SimTime};
use crate::model::words::words;
use crate::model::{AnyStatus, Field, Kind, LeaseStatus, Subject, Value};

use super::{Record, Trace, What};

/// Something that was so for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub state: State,
    pub from: SimTime,
    /// Until when: the next span's begin, or the end of the run.
    pub until: SimTime,
    /// The index of the record that began it.
    pub record: usize,
}

/// What a thing can be for a while.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// A status of the store.
    Status(AnyStatus),
    /// What a process, the cluster or a step is.
    Phase(Phase),
    /// An app's active version, or the node on which a volume is mounted.
    Thing(Subject),
    /// A disk's lease is BOUND: the lease, and its sandbox when the trace names it.
    Held {
        lease: Subject,
        /// Who holds the disk by it.
        sandbox: Option<Subject>,
    },
    /// A pool waits before it tries again.
    Cooldown {
        /// Until then, as it was set; the run, a deploy or the next crash can end it earlier.
        set: SimTime,
    },
}

words!(
    /// What something that has no status can be.
    Phase {
        /// A process lives.
        Up = "up",
        /// A process is dead.
        Down = "down",
        /// The cluster is at rest.
        Settled = "settled",
        /// The cluster is not at rest.
        Unsettled = "unsettled",
        /// A step is under way.
        Runs = "runs",
    }
);

/// A number from a moment on; 0 from its owner's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub at: SimTime,
    pub value: u64,
    /// The index of the record that wrote it.
    pub record: usize,
}

/// One thing, from its birth on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Track {
    pub subject: Subject,
    pub parent: Option<Subject>,
    pub born: SimTime,
    /// When it was deleted.
    pub gone: Option<SimTime>,
    pub states: Vec<Span>,
    /// Who held it, or where it was mounted; these can overlap.
    pub holders: Vec<Span>,
    pub cooldowns: Vec<Span>,
    pub numbers: BTreeMap<Field, Vec<Step>>,
}

impl Track {
    fn new(subject: Subject, born: SimTime) -> Self {
        Self {
            subject,
            parent: None,
            born,
            gone: None,
            states: Vec::new(),
            holders: Vec::new(),
            cooldowns: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }

    fn state(&mut self, state: State, at: SimTime, record: usize) {
        end(&mut self.states, at);
        self.states.push(Span { state, from: at, until: SimTime::from_nanos(u64::MAX), record });
    }

    fn cool(&mut self, until: Option<SimTime>, at: SimTime, record: usize) {
        if let Some(last) = self.cooldowns.last_mut() {
            last.until = last.until.min(at);
        }
        if let Some(until) = until.filter(|until| *until > at) {
            self.cooldowns.push(Span { state: State::Cooldown { set: until }, from: at, until, record });
        }
    }
}

fn end(spans: &mut [Span], at: SimTime) {
    if let Some(last) = spans.last_mut() {
        last.until = last.until.min(at);
    }
}

/// The tracks of a trace in reading order: the cluster, then each app with its pools and their
/// sandboxes, each disk with its volume and leases, then nodes and processes, then steps.
pub fn tracks(trace: &Trace, ended_at: SimTime) -> Vec<Track> {
    let mut reader = Reader { trace, tracks: BTreeMap::new(), leases: BTreeMap::new() };
    for (index, record) in trace.records().iter().enumerate() {
        reader.read(index, &record);
    }
    reader.close(ended_at);
    reader.adopt();
    in_order(reader.tracks)
}

struct Reader<'a> {
    trace: &'a Trace,
    tracks: BTreeMap<Subject, Track>,
    /// Each lease's disk and sandbox.
    leases: BTreeMap<Subject, (Option<Subject>, Option<Subject>)>,
}

impl Reader<'_> {
    fn track(&mut self, subject: Subject, at: SimTime) -> &mut Track {
        self.tracks.entry(subject).or_insert_with(|| Track::new(subject, at))
    }

    fn read(&mut self, index: usize, record: &Record) {
        let Record { at, subject, .. } = *record;
        self.track(subject, at);
        match record.what {
            What::Set { field, to, .. } => self.set(subject, field, to, at, written(index, record.cause)),
            What::Deleted { .. } => {
                self.hold(subject, None, at, index);
                let track = self.track(subject, at);
                end(&mut track.states, at);
                track.cool(None, at, index);
                track.gone = Some(at);
                for steps in track.numbers.values_mut().filter(|steps| steps.last().is_some_and(|s| s.value > 0)) {
                    steps.push(Step { at, value: 0, record: index });
                }
            }
            What::ProcessUp => self.track(subject, at).state(State::Phase(Phase::Up), at, index),
            What::ProcessDown => self.track(subject, at).state(State::Phase(Phase::Down), at, index),
            What::Settled => self.track(subject, at).state(State::Phase(Phase::Settled), at, index),
            What::Unsettled => self.track(subject, at).state(State::Phase(Phase::Unsettled), at, index),
            What::StepBegan => self.track(subject, at).state(State::Phase(Phase::Runs), at, index),
            What::StepEnded { .. } => end(&mut self.track(subject, at).states, at),
            What::Mounted { node } => {
                let state = State::Thing(Subject { kind: Kind::Node, index: node });
                let until = SimTime::from_nanos(u64::MAX);
                self.track(subject, at).holders.push(Span { state, from: at, until, record: index });
            }
            What::Unmounted { node } => {
                let state = State::Thing(Subject { kind: Kind::Node, index: node });
                let open = self.track(subject, at).holders.iter_mut().rev().find(|span| span.state == state);
                if let Some(span) = open {
                    span.until = span.until.min(at);
                }
            }
            What::VolumeGone => {
                self.track(subject, at).holders.iter_mut().for_each(|span| span.until = span.until.min(at));
            }
            // Everything else happens at a moment.
            _ => {}
        }
    }

    fn set(&mut self, subject: Subject, field: Field, to: Value, at: SimTime, record: usize) {
        match (field, to) {
            (Field::Status, Value::Status(status)) => {
                self.track(subject, at).state(State::Status(status), at, record);
                self.hold(subject, Some(status), at, record);
            }
            (Field::ActiveVersion, Value::Ref(version)) => {
                self.track(subject, at).state(State::Thing(version), at, record);
            }
            (Field::CooldownUntil, to) => {
                let until = if let Value::Time(until) = to { Some(until) } else { None };
                self.track(subject, at).cool(until, at, record);
            }
            (
                Field::DesiredInstances
                | Field::ReadyInstances
                | Field::CurrentInstances
                | Field::ConsecutiveCrashCount,
                to,
            ) => {
                let value = if let Value::Int(n) = to { n } else { 0 };
                self.track(subject, at).numbers.entry(field).or_default().push(Step { at, value, record });
            }
            (Field::Disk, Value::Ref(disk)) => self.leases.entry(subject).or_default().0 = Some(disk),
            (Field::Sandbox, Value::Ref(sandbox)) => self.leases.entry(subject).or_default().1 = Some(sandbox),
            _ => {}
        }
        let parent = match (subject.kind, field, to) {
            (Kind::Sandbox, Field::Pool, Value::Ref(parent))
            | (Kind::Pool | Kind::Version, Field::App, Value::Ref(parent))
            | (Kind::Lease, Field::Disk, Value::Ref(parent))
            | (Kind::Disk, Field::CreatedBy, Value::Ref(parent)) => Some(parent),
            _ => None,
        };
        if parent.is_some() {
            self.track(subject, at).parent = parent;
        }
        if let (Kind::Disk, Field::Volume, Value::Ref(volume)) = (subject.kind, field, to) {
            self.track(volume, at).parent = Some(subject);
        }
    }

    /// A lease was BOUND, or is so no more: its disk has a holder, or none.
    fn hold(&mut self, lease: Subject, status: Option<AnyStatus>, at: SimTime, record: usize) {
        let Some((Some(disk), sandbox)) = self.leases.get(&lease).copied() else { return };
        let track = self.track(disk, at);
        for span in &mut track.holders {
            if matches!(span.state, State::Held { lease: held, .. } if held == lease) {
                span.until = span.until.min(at);
            }
        }
        if status == Some(LeaseStatus::Bound.into()) {
            let until = SimTime::from_nanos(u64::MAX);
            track.holders.push(Span { state: State::Held { lease, sandbox }, from: at, until, record });
        }
    }

    /// Ends what lasts to the end of the run.
    fn close(&mut self, ended_at: SimTime) {
        for track in self.tracks.values_mut() {
            for span in track.states.iter_mut().chain(&mut track.holders).chain(&mut track.cooldowns) {
                span.until = span.until.min(ended_at);
            }
            // Nothing is known of what comes after: a cooldown that begins at the very end has no length.
            track.cooldowns.retain(|span| span.from < span.until);
        }
        // The cluster is at rest until somebody wants something.
        if let Some(cluster) = self.tracks.get_mut(&Subject::CLUSTER)
            && let Some(first) = cluster.states.first().copied()
            && first.state == State::Phase(Phase::Unsettled)
            && first.from > SimTime::ZERO
        {
            let state = State::Phase(Phase::Settled);
            cluster.states.insert(0, Span { state, from: SimTime::ZERO, until: first.from, record: first.record });
        }
    }

    /// Gives parents to what no field gives one: a disk to the app of its first lease's sandbox,
    /// a volume to the disk, and a process to the node of its name.
    fn adopt(&mut self) {
        for (lease, (disk, sandbox)) in &self.leases {
            let (Some(disk), Some(sandbox)) = (disk, sandbox) else { continue };
            let pool = self.tracks.get(sandbox).and_then(|track| track.parent);
            let app = pool.and_then(|pool| self.tracks.get(&pool)).and_then(|track| track.parent);
            debug_assert!(lease.kind == Kind::Lease, "only leases are kept here");
            if let Some(track) = self.tracks.get_mut(disk)
                && track.parent.is_none()
            {
                track.parent = app;
            }
        }
        let named = |kind: Kind| -> BTreeMap<&'static str, Subject> {
            let names = self.trace.names_of(kind).iter().enumerate();
            let bare = |name: &str| name.split_once('/').map_or(name.len(), |(kind, _)| kind.len() + 1);
            let pair = |(index, name): (usize, &crate::model::Name)| {
                let name = name.as_str();
                (&name[bare(name)..], Subject { kind, index: u32::try_from(index).expect("fewer than 2^32 of a kind") })
            };
            names.map(pair).collect()
        };
        for (child, parent) in [(Kind::Volume, Kind::Disk), (Kind::Process, Kind::Node)] {
            let (children, parents) = (named(child), named(parent));
            for (name, subject) in children {
                if let Some(track) = self.tracks.get_mut(&subject)
                    && track.parent.is_none()
                {
                    track.parent = parents.get(name).copied();
                }
            }
        }
    }
}

/// The index of the write that a field was set by.
fn written(index: usize, cause: RecordId) -> usize {
    cause.index().unwrap_or(index)
}

/// Parents before children, and otherwise as [`place`] says.
fn in_order(mut tracks: BTreeMap<Subject, Track>) -> Vec<Track> {
    let mut children: BTreeMap<Option<Subject>, Vec<Subject>> = BTreeMap::new();
    for track in tracks.values() {
        let parent = track.parent.filter(|parent| *parent != track.subject && tracks.contains_key(parent));
        children.entry(parent).or_default().push(track.subject);
    }
    children.values_mut().for_each(|list| list.sort_by_key(|subject| (place(subject.kind), subject.index)));
    let mut order = Vec::with_capacity(tracks.len());
    let mut stack: Vec<Subject> = children.remove(&None).unwrap_or_default();
    stack.reverse();
    while let Some(subject) = stack.pop() {
        order.extend(tracks.remove(&subject));
        stack.extend(children.remove(&Some(subject)).unwrap_or_default().into_iter().rev());
    }
    // Whatever belongs to itself in a circle comes last; no field of ours can make one.
    order.extend(tracks.into_values());
    order
}

const fn place(kind: Kind) -> u8 {
    match kind {
        Kind::Cluster => 0,
        Kind::App => 1,
        Kind::Version => 2,
        Kind::Pool => 3,
        Kind::Sandbox => 4,
        Kind::Disk => 5,
        Kind::Volume => 6,
        Kind::Lease => 7,
        Kind::Node => 8,
        Kind::Process => 9,
        Kind::Step => 10,
        Kind::Fault => 11,
    }
}

#[cfg(test)]
#[path = "tracks_tests.rs"]
mod tests;
