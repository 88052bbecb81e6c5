//! Entries: records put together into the occurrences that a reader cares about.
//!
//! A write, the decision that caused it and the fields it changed become one entry; routine is
//! left out unless it is asked for. It may know records only. What a newcomer gets wrong: a
//! decision is left out *because* its write tells it – one without a write, or whose write is
//! routine, has a line of its own.

use std::fmt::{self, Write};
use std::ops::Range;

use crate::kernel::SimTime;
use crate::model::{
    Actor, AnyStatus, Controller, DiskStatus, Field, Kind, LeaseStatus, NodeStatus, Reason, SandboxStatus, Subject,
    Upper, Value,
};
use crate::trace::{Record, Trace, What, decision, push_words};

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

/// What is said of an occurrence.
#[derive(Default)]
pub(super) struct Words {
    /// What happened.
    pub(super) what: String,
    /// Why, when that is another thing.
    pub(super) why: String,
}

impl Words {
    /// Says what, in that tone.
    fn say(&mut self, what: fmt::Arguments<'_>, tone: Tone) -> Option<Tone> {
        self.what.write_fmt(what).expect("a string takes everything");
        Some(tone)
    }
    /// Says what and why.
    fn say_both(&mut self, what: fmt::Arguments<'_>, why: fmt::Arguments<'_>, tone: Tone) -> Option<Tone> {
        self.why.write_fmt(why).expect("a string takes everything");
        self.say(what, tone)
    }
}

/// One record as an entry of its own, whatever a timeline would leave out or tell elsewhere.
///
/// # Panics
/// When there is no such record.
pub fn entry(trace: &Trace, options: &Options, index: usize) -> Entry {
    let quiet = Options { verbose: false, ..options.clone() };
    let loud = Options { verbose: true, ..options.clone() };
    let told = [&quiet, &loud].into_iter().find_map(|options| Reader { trace, options }.entry(index));
    told.unwrap_or_else(|| {
        let Record { at, actor, subject, .. } = trace.records().at(index);
        let (what, why, tone) = ("happens".to_owned(), String::new(), Tone::Plain);
        Entry { record: index, at, actor, subject, what, why, tone }
    })
}

/// Whoever reads a trace with these options.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) trace: &'a Trace,
    pub(super) options: &'a Options,
}

impl Reader<'_> {
    /// How many `Set` records follow the record and belong to it.
    pub(super) fn sets_of(&self, index: usize, record: &Record) -> usize {
        let records = self.trace.records();
        if !matches!(record.what, What::Created { .. } | What::Patched { .. }) {
            return 0;
        }
        let belongs = |r: &Record| matches!(r.what, What::Set { .. }) && r.cause.index() == Some(index);
        let end = records.first_in(index + 1..records.len(), |record| !belongs(record));
        end.unwrap_or(records.len()) - index - 1
    }

    /// A record as an entry, if it is one.
    pub(super) fn entry(&self, index: usize) -> Option<Entry> {
        let record = self.trace.records().at(index);
        let mut words = Words::default();
        let tone = self.tell(&record, index + 1..index + 1 + self.sets_of(index, &record), &mut words)?;
        let (Record { at, actor, subject, .. }, Words { what, why }) = (record, words);
        Some(Entry { record: index, at, actor, subject, what, why, tone })
    }

    /// Whether a reader cares about a changed field.
    pub(super) fn is_told(&self, set: &Record) -> bool {
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

    fn push_why(&self, record: &Record, out: &mut String) {
        if let Some((_, reason)) = decision(self.trace, record) {
            push_words(reason, out);
        }
    }

    /// What a record says, whose fields have these places, in the place of what was said before.
    pub(super) fn tell(&self, record: &Record, sets: Range<usize>, words: &mut Words) -> Option<Tone> {
        words.what.clear();
        words.why.clear();
        if !self.options.verbose && is_routine(record) {
            return None;
        }
        let sets = || self.trace.records().range(sets.clone());
        match record.what {
            What::Created { .. } => {
                let status = sets().find(|s| matches!(s.what, What::Set { field: Field::Status, .. }));
                words.what.push_str("created");
                if let Some(status) = status.filter(|set| self.is_told(set)) {
                    words.what.push(' ');
                    self.push_change(&status, &mut words.what);
                }
                if self.options.verbose {
                    for set in sets().filter(|s| !matches!(s.what, What::Set { field: Field::Status, .. })) {
                        let What::Set { field, to, .. } = set.what else { continue };
                        words.say(format_args!(", {} {}", field.name(), value_text(self.trace, to)), Tone::Plain);
                    }
                }
                self.push_why(record, &mut words.why);
                Some(Tone::Plain)
            }
            What::Patched { .. } => {
                let mut tone = Tone::Plain;
                for set in sets() {
                    tone = stronger(tone, tone_of_set(&set));
                    if self.is_told(&set) {
                        words.what.push_str(if words.what.is_empty() { "" } else { ", " });
                        self.push_change(&set, &mut words.what);
                    }
                }
                if words.what.is_empty() {
                    if !self.options.verbose {
                        return None;
                    }
                    words.what.push_str("written, nothing new");
                    tone = Tone::Plain;
                }
                self.push_why(record, &mut words.why);
                Some(tone)
            }
            What::Deleted { .. } => {
                self.push_why(record, &mut words.why);
                words.say(format_args!("deleted"), Tone::Plain)
            }
            What::Decided(reason) => {
                push_words(reason, &mut words.what);
                Some(tone_of_reason(reason))
            }
            other => self.tell_event(record, other, words),
        }
    }

    /// Everything that is neither a write nor a decision.
    fn tell_event(&self, record: &Record, what: What, words: &mut Words) -> Option<Tone> {
        match what {
            What::Created { .. } | What::Patched { .. } | What::Deleted { .. } | What::Decided(_) => None,
            What::Set { field, from, to } => {
                let text = |value| value_text(self.trace, value);
                words.say(format_args!("{} {} -> {}", field.name(), text(from), text(to)), Tone::Plain)
            }
            What::Conflict => words.say(format_args!("write refused: revision conflict"), Tone::Bad),
            What::Called { point, since } => {
                words.say(format_args!("{} after {}", point.name(), record.at.since(since).clock()), Tone::Plain)
            }
            What::CallFailed { point, since, error } => {
                let after = record.at.since(since);
                let what = format_args!("{} fails after {}", point.name(), after.clock());
                words.say_both(what, format_args!("{error}"), Tone::Bad)
            }
            What::Struck { fault, point, effect } => {
                let title = self.options.fault_titles.get(fault as usize).map_or("a fault", String::as_str);
                let why = format_args!("{title}, on {}", point.name());
                words.say_both(format_args!("fault: {effect}"), why, Tone::Outside)
            }
            What::StepBegan => {
                let title = self.options.step_titles.get(record.subject.index as usize).map_or("", String::as_str);
                words.say_both(format_args!("begins"), format_args!("{title}"), Tone::Outside)
            }
            What::StepEnded { refused: Some(error) } => {
                words.say_both(format_args!("REFUSED"), format_args!("{error}"), Tone::Bad)
            }
            What::StepEnded { refused: None } => words.say(format_args!("ends"), Tone::Outside),
            What::ProcessDown => words.say(format_args!("process down"), Tone::Outside),
            What::ProcessUp => words.say(format_args!("process up"), Tone::Outside),
            What::TaskStarted => words.say(format_args!("task starts"), Tone::Plain),
            What::PortBound => words.say(format_args!("port answers"), Tone::Plain),
            What::TaskEnded { code } => {
                // A task that a controller ends is told by its stop; one that ends by itself is news.
                let by_itself = record.actor.controller == Controller::World;
                words.say(format_args!("task ends, code {code}"), if by_itself { Tone::Bad } else { Tone::Plain })
            }
            What::ContainerGone => words.say(format_args!("container gone"), Tone::Plain),
            What::AddressTaken(address) => words.say(format_args!("takes {address}"), Tone::Plain),
            What::AddressFreed(address) => words.say(format_args!("gives back {address}"), Tone::Plain),
            What::VolumeMade => words.say(format_args!("volume made"), Tone::Plain),
            What::VolumeGone => words.say(format_args!("volume gone"), Tone::Plain),
            What::Mounted { node } => words.say(format_args!("mounted on {}", self.node(node)), Tone::Plain),
            What::Unmounted { node } => words.say(format_args!("unmounted from {}", self.node(node)), Tone::Plain),
            What::Drawn { purpose, bits } => words.say(format_args!("draw for {purpose}: {bits:016x}"), Tone::Plain),
            What::Broken { invariant, detail } => {
                words.say_both(format_args!("BROKEN"), format_args!("{invariant}: {detail}"), Tone::Bad)
            }
            What::RequestServed { service, waited } => {
                words.say(format_args!("request of {service} served after {}", waited.clock()), Tone::Plain)
            }
            What::RequestFailed { service, waited, error } => {
                let what = format_args!("request of {service} fails after {}", waited.clock());
                words.say_both(what, format_args!("{error}"), Tone::Bad)
            }
            What::Settled => words.say(format_args!("settled"), Tone::Good),
            What::Unsettled => words.say(format_args!("no longer settled"), Tone::Plain),
            What::Note(text) => words.say(format_args!("{text}"), Tone::Outside),
        }
    }

    fn node(&self, index: u32) -> crate::model::Name {
        self.trace.name(Subject { kind: Kind::Node, index })
    }
}

/// Whether a record has a line only where everything is asked for.
pub(super) fn is_routine(record: &Record) -> bool {
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
