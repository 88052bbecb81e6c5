//! Entries: records put together into the occurrences that a reader cares about.
//!
//! A write, the decision that caused it and the fields it changed become one entry; routine is
//! left out unless it is asked for. It may know records only. What a newcomer gets wrong: a
//! decision is left out *because* its write tells it – one without a write, or whose write is
//! routine, has a line of its own.

use std::fmt::Write;
use std::ops::Range;

use crate::kernel::SimTime;
use crate::model::{
    Actor, AnyStatus, Controller, DiskStatus, Failure, Field, Kind, LeaseStatus, NodeStatus, Reason, SandboxStatus,
    Subject, Upper, Value,
};
use crate::trace::{Record, Trace, What, decision, words};

use super::Options;

/// How an entry is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// As things go.
    Plain,
    /// As wished.
    Good,
    /// Something failed, ended or broke.
    Bad,
    /// From outside: a step, a fault.
    Outside,
}

/// One occurrence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The index of its main record in the trace.
    pub record: usize,
    /// When.
    pub at: SimTime,
    /// Who did it.
    pub actor: Actor,
    /// To what.
    pub subject: Subject,
    /// What happened.
    pub what: String,
    /// Why, when that is another thing.
    pub why: String,
    /// How it is meant.
    pub tone: Tone,
}

/// The name of an actor: with its node where there are several.
pub fn actor_name(trace: &Trace, actor: Actor) -> String {
    let nodes = trace.names_of(Kind::Node);
    match actor.node() {
        Some(node) if nodes.len() > 1 => {
            let name = nodes.get(node.index() as usize).map_or("?", |name| name.as_str());
            format!("{}@{}", actor.controller.name(), name.trim_start_matches("node/"))
        }
        _ => actor.controller.name().to_owned(),
    }
}

/// A field's value as text.
pub fn value_text(trace: &Trace, value: Value) -> String {
    let mut text = String::new();
    push_value(trace, value, &mut text);
    text
}

fn push_value(trace: &Trace, value: Value, out: &mut String) {
    let written = match value {
        Value::None => out.write_str("none"),
        Value::Int(n) => write!(out, "{n}"),
        Value::Time(time) => write!(out, "{}", time.elapsed().clock()),
        Value::Ref(subject) => out.write_str(&trace.name(subject)),
        Value::Text(text) => out.write_str(&text),
        Value::Status(status) => write!(out, "{}", Upper(status.name())),
        Value::Filesystem(filesystem) => write!(out, "{}", Upper(filesystem.name())),
        Value::Address(address) => write!(out, "{address}"),
    };
    written.expect("a string takes everything");
}

/// The entries of a trace, in order of time.
pub fn entries(trace: &Trace, options: &Options) -> Vec<Entry> {
    let reader = Reader { trace, options };
    let told = reader.told();
    let mut entries = Vec::new();
    let mut next = 0;
    for (index, record) in trace.records().iter().enumerate().filter(|(index, _)| !told[*index]) {
        // Most records have no line.
        if index < next || !options.verbose && is_routine(&record) {
            continue;
        }
        next = index + 1 + reader.sets_of(index, &record);
        if let Some((what, why, tone)) = reader.tell(&record, index + 1..next) {
            let Record { at, actor, subject, .. } = record;
            entries.push(Entry { record: index, at, actor, subject, what, why, tone });
        }
    }
    entries
}

/// One record as an entry of its own, whatever a timeline would leave out or tell elsewhere.
///
/// # Panics
/// When there is no such record.
pub fn entry(trace: &Trace, options: &Options, index: usize) -> Entry {
    let quiet = Options { verbose: false, ..options.clone() };
    let loud = Options { verbose: true, ..options.clone() };
    let record = trace.records().at(index);
    let told = [&quiet, &loud].into_iter().find_map(|options| {
        let reader = Reader { trace, options };
        reader.tell(&record, index + 1..index + 1 + reader.sets_of(index, &record))
    });
    let (what, why, tone) = told.unwrap_or_else(|| ("happens".to_owned(), String::new(), Tone::Plain));
    let Record { at, actor, subject, .. } = record;
    Entry { record: index, at, actor, subject, what, why, tone }
}

/// What has begun about a sandbox and not ended.
#[derive(Clone, Copy, Default)]
struct Open {
    boot: Option<usize>,
    clean_up: Option<usize>,
    failure: Option<Failure>,
}

impl Open {
    /// Takes note of a decision; returns that one which needs no line of its own any more.
    fn take(&mut self, index: usize, reason: Reason) -> Option<usize> {
        match reason {
            Reason::BootStarted => {
                self.boot = Some(index);
                None
            }
            Reason::BootFailed { error, .. } => {
                self.failure = Some(error);
                self.boot.take()
            }
            Reason::Booted { .. } | Reason::BootOvertaken => self.boot.take(),
            Reason::CleanUp => {
                self.clean_up = Some(index);
                None
            }
            Reason::CleanUpFailed { error } => {
                self.failure = Some(error);
                self.clean_up.take()
            }
            Reason::CleanedUp => self.clean_up.take(),
            Reason::HandlerFailed { error } => (self.failure.take() == Some(error)).then_some(index),
            // Nothing else begins, ends or fails what others tell.
            _ => None,
        }
    }
}

struct Reader<'a> {
    trace: &'a Trace,
    options: &'a Options,
}

type Told = (String, String, Tone);

impl Reader<'_> {
    /// How many `Set` records follow the record and belong to it.
    fn sets_of(&self, index: usize, record: &Record) -> usize {
        let records = self.trace.records();
        if !matches!(record.what, What::Created { .. } | What::Patched { .. }) {
            return 0;
        }
        let belongs = |r: &Record| matches!(r.what, What::Set { .. }) && r.cause.index() == Some(index);
        let end = records.first_in(index + 1..records.len(), |record| !belongs(record));
        end.unwrap_or(records.len()) - index - 1
    }

    /// Which decisions another line tells: the write that they led to, the end of what they
    /// begin, or the failure that they pass on.
    fn told(&self) -> Vec<bool> {
        let records = self.trace.records();
        let mut told = vec![false; records.len()];
        let mut open: Vec<Open> = vec![Open::default(); self.trace.names_of(Kind::Sandbox).len()];
        for (index, record) in records.iter().enumerate() {
            if record.subject.kind == Kind::Sandbox
                && !self.options.verbose
                && let Some(open) = open.get_mut(record.subject.index as usize)
            {
                let ended = match record.what {
                    What::Decided(reason) => open.take(index, reason),
                    What::ContainerGone => open.clean_up.take(),
                    _ => None,
                };
                if let Some(ended) = ended {
                    told[ended] = true;
                }
            }
            let shown = match record.what {
                What::Created { .. } | What::Deleted { .. } => true,
                What::Patched { .. } => {
                    let sets = index + 1..index + 1 + self.sets_of(index, &record);
                    records.first_in(sets, |set| self.is_told(set)).is_some()
                }
                _ => false,
            };
            if let Some((decision, _)) = shown.then(|| decision(self.trace, &record)).flatten() {
                told[decision] = true;
            }
        }
        told
    }

    /// Whether a reader cares about a changed field.
    fn is_told(&self, set: &Record) -> bool {
        let What::Set { field, from, to } = set.what else { return false };
        // A write of the value that is there already changes nothing.
        self.options.verbose
            || from != to
                && matches!(
                    field,
                    Field::Status
                        | Field::DesiredInstances
                        | Field::ConsecutiveCrashCount
                        | Field::CooldownUntil
                        | Field::ActiveVersion
                )
    }

    /// Appends a changed field that a reader cares about.
    fn push_change(&self, set: &Record, out: &mut String) {
        let What::Set { field, from, to } = set.what else { return };
        let value = |value, out: &mut String| push_value(self.trace, value, out);
        match field {
            Field::Status if from == Value::None => {}
            Field::Status => {
                value(from, out);
                out.push_str(" -> ");
            }
            Field::DesiredInstances => {
                out.push_str("desired ");
                value(Value::Int(number(from)), out);
                out.push_str(" -> ");
            }
            Field::ConsecutiveCrashCount => out.push_str("crash count "),
            Field::CooldownUntil if to == Value::None => return out.push_str("cooldown cleared"),
            Field::CooldownUntil => out.push_str("cooldown until "),
            Field::ActiveVersion => out.push_str("active "),
            _ => {
                out.push_str(field.name());
                out.push(' ');
                value(from, out);
                out.push_str(" -> ");
            }
        }
        value(to, out);
    }

    fn why(&self, record: &Record) -> String {
        decision(self.trace, record).map(|(_, reason)| words(reason)).unwrap_or_default()
    }

    /// What a record says, whose fields have these places.
    fn tell(&self, record: &Record, sets: Range<usize>) -> Option<Told> {
        if !self.options.verbose && is_routine(record) {
            return None;
        }
        let sets = || self.trace.records().range(sets.clone());
        match record.what {
            What::Created { .. } => {
                let status = sets().find(|s| matches!(s.what, What::Set { field: Field::Status, .. }));
                let mut what = "created".to_owned();
                if let Some(status) = status.filter(|set| self.is_told(set)) {
                    what.push(' ');
                    self.push_change(&status, &mut what);
                }
                if self.options.verbose {
                    for set in sets().filter(|s| !matches!(s.what, What::Set { field: Field::Status, .. })) {
                        let What::Set { field, to, .. } = set.what else { continue };
                        what.push_str(&format!(", {} {}", field.name(), value_text(self.trace, to)));
                    }
                }
                Some((what, self.why(record), Tone::Plain))
            }
            What::Patched { .. } => {
                let (mut what, mut tone) = (String::new(), Tone::Plain);
                for set in sets() {
                    tone = stronger(tone, tone_of_set(&set));
                    if self.is_told(&set) {
                        what.push_str(if what.is_empty() { "" } else { ", " });
                        self.push_change(&set, &mut what);
                    }
                }
                if what.is_empty() {
                    return self
                        .options
                        .verbose
                        .then(|| ("written, nothing new".to_owned(), self.why(record), Tone::Plain));
                }
                Some((what, self.why(record), tone))
            }
            What::Deleted { .. } => Some(("deleted".to_owned(), self.why(record), Tone::Plain)),
            What::Decided(reason) => Some((words(reason), String::new(), tone_of_reason(reason))),
            other => self.tell_event(record, other),
        }
    }

    /// Everything that is neither a write nor a decision.
    fn tell_event(&self, record: &Record, what: What) -> Option<Told> {
        let said = |what: String, tone| Some((what, String::new(), tone));
        let plain = |what: &str, tone| Some((what.to_owned(), String::new(), tone));
        match what {
            What::Created { .. } | What::Patched { .. } | What::Deleted { .. } | What::Decided(_) => None,
            What::Set { field, from, to } => {
                let text = |value| value_text(self.trace, value);
                said(format!("{} {} -> {}", field.name(), text(from), text(to)), Tone::Plain)
            }
            What::Conflict => plain("write refused: revision conflict", Tone::Bad),
            What::Called { point, since } => {
                said(format!("{} after {}", point.name(), record.at.since(since).clock()), Tone::Plain)
            }
            What::CallFailed { point, since, error } => {
                let after = record.at.since(since);
                Some((format!("{} fails after {}", point.name(), after.clock()), error.to_string(), Tone::Bad))
            }
            What::Struck { fault, point, effect } => {
                let title = self.options.fault_titles.get(fault as usize).map_or("a fault", String::as_str);
                Some((format!("fault: {effect}"), format!("{title}, on {}", point.name()), Tone::Outside))
            }
            What::StepBegan => {
                let title = self.options.step_titles.get(record.subject.index as usize).cloned();
                Some(("begins".to_owned(), title.unwrap_or_default(), Tone::Outside))
            }
            What::StepEnded { refused: Some(error) } => Some(("REFUSED".to_owned(), error.to_string(), Tone::Bad)),
            What::StepEnded { refused: None } => plain("ends", Tone::Outside),
            What::ProcessDown => plain("process down", Tone::Outside),
            What::ProcessUp => plain("process up", Tone::Outside),
            What::TaskStarted => plain("task starts", Tone::Plain),
            What::PortBound => plain("port answers", Tone::Plain),
            // A task that a controller ends is told by its stop; one that ends by itself is news.
            What::TaskEnded { code } if record.actor.controller == Controller::World => {
                said(format!("task ends, code {code}"), Tone::Bad)
            }
            What::TaskEnded { code } => said(format!("task ends, code {code}"), Tone::Plain),
            What::ContainerGone => plain("container gone", Tone::Plain),
            What::AddressTaken(address) => said(format!("takes {address}"), Tone::Plain),
            What::AddressFreed(address) => said(format!("gives back {address}"), Tone::Plain),
            What::VolumeMade => plain("volume made", Tone::Plain),
            What::VolumeGone => plain("volume gone", Tone::Plain),
            What::Mounted { node } => said(format!("mounted on {}", self.node(node)), Tone::Plain),
            What::Unmounted { node } => said(format!("unmounted from {}", self.node(node)), Tone::Plain),
            What::Drawn { purpose, bits } => said(format!("draw for {purpose}: {bits:016x}"), Tone::Plain),
            What::Broken { invariant, detail } => {
                Some(("BROKEN".to_owned(), format!("{invariant}: {detail}"), Tone::Bad))
            }
            What::RequestServed { service, waited } => {
                said(format!("request of {service} served after {}", waited.clock()), Tone::Plain)
            }
            What::RequestFailed { service, waited, error } => {
                Some((format!("request of {service} fails after {}", waited.clock()), error.to_string(), Tone::Bad))
            }
            What::Settled => plain("settled", Tone::Good),
            What::Unsettled => plain("no longer settled", Tone::Plain),
            What::Note(text) => plain(&text, Tone::Outside),
        }
    }

    fn node(&self, index: u32) -> crate::model::Name {
        self.trace.name(Subject { kind: Kind::Node, index })
    }
}

/// Whether a record has a line only where everything is asked for.
fn is_routine(record: &Record) -> bool {
    match record.what {
        What::Decided(reason) => reason.is_routine(),
        What::TaskEnded { .. } => record.actor.controller != Controller::World,
        What::Set { .. }
        | What::Called { .. }
        | What::CallFailed { .. }
        | What::StepEnded { refused: None }
        | What::TaskStarted
        | What::PortBound
        | What::ContainerGone
        | What::AddressTaken(_)
        | What::AddressFreed(_)
        | What::Mounted { .. }
        | What::Unmounted { .. }
        | What::Drawn { .. }
        | What::RequestServed { .. } => true,
        What::Created { .. }
        | What::Patched { .. }
        | What::Deleted { .. }
        | What::Conflict
        | What::Struck { .. }
        | What::StepBegan
        | What::StepEnded { refused: Some(_) }
        | What::ProcessDown
        | What::ProcessUp
        | What::VolumeMade
        | What::VolumeGone
        | What::Broken { .. }
        | What::RequestFailed { .. }
        | What::Settled
        | What::Unsettled
        | What::Note(_) => false,
    }
}

/// A number that is absent at a creation is zero.
fn number(value: Value) -> u64 {
    match value {
        Value::Int(n) => n,
        _ => 0,
    }
}

fn tone_of_set(set: &Record) -> Tone {
    let What::Set { field, to, .. } = set.what else { return Tone::Plain };
    match (field, to) {
        (Field::Status, Value::Status(status)) => tone_of_status(status),
        (Field::ConsecutiveCrashCount, Value::Int(1..)) | (Field::CooldownUntil, Value::Time(_)) => Tone::Bad,
        _ => Tone::Plain,
    }
}

fn tone_of_status(status: AnyStatus) -> Tone {
    match status {
        AnyStatus::Sandbox(SandboxStatus::Running)
        | AnyStatus::Disk(DiskStatus::Provisioned)
        | AnyStatus::Lease(LeaseStatus::Bound)
        | AnyStatus::Node(NodeStatus::Ready) => Tone::Good,
        AnyStatus::Sandbox(SandboxStatus::Dead)
        | AnyStatus::Disk(DiskStatus::Error)
        | AnyStatus::Lease(LeaseStatus::Failed)
        | AnyStatus::Node(NodeStatus::Unhealthy) => Tone::Bad,
        AnyStatus::Sandbox(SandboxStatus::Pending | SandboxStatus::Stopped)
        | AnyStatus::Disk(
            DiskStatus::Provisioning | DiskStatus::Attached | DiskStatus::Detached | DiskStatus::Deleting,
        )
        | AnyStatus::Lease(LeaseStatus::Pending | LeaseStatus::Released)
        | AnyStatus::Node(NodeStatus::Disabled) => Tone::Plain,
    }
}

fn stronger(a: Tone, b: Tone) -> Tone {
    match (a, b) {
        (Tone::Bad, _) | (_, Tone::Bad) => Tone::Bad,
        (Tone::Plain, other) => other,
        (other, _) => other,
    }
}

fn tone_of_reason(reason: Reason) -> Tone {
    match reason {
        Reason::BootFailed { .. }
        | Reason::CleanUpFailed { .. }
        | Reason::HandlerFailed { .. }
        | Reason::LeaseFailed { .. }
        | Reason::VolumeFailed { .. }
        | Reason::VolumeStuck { .. }
        | Reason::EventsDropped { .. }
        | Reason::WatchBroke { .. }
        | Reason::WatchEnded
        | Reason::DeployRefused { .. }
        | Reason::FieldIgnored { .. }
        | Reason::ProcessExited { .. } => Tone::Bad,
        // What is left is how a scheduler works.
        _ => Tone::Plain,
    }
}
