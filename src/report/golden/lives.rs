//! Lives: the trace sorted by entity, each with its states in order, by whom and why.
//!
//! One pass over the records. It may know the trace only; how lives are grouped and worded is
//! its readers' business. What a newcomer gets wrong: a moment's *why* is the decision behind the
//! write, two records up – a reconcile alone explains nothing and is left out.

use std::collections::BTreeMap;
use std::fmt;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{AnyStatus, Controller, Field, LeaseStatus, Reason, SandboxStatus, Subject, Value};
use crate::trace::{Record, Trace, What, decision, words};

use super::page::clean;
use super::spans::skeleton;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Label {
    Status(AnyStatus),
    BootFails,
    BootUnfinished,
    TaskEnds,
    Deleted,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => f.write_str(&status.upper()),
            Self::BootFails => f.write_str("boot fails"),
            Self::BootUnfinished => f.write_str("boot unfinished"),
            Self::TaskEnds => f.write_str("task ends"),
            Self::Deleted => f.write_str("deleted"),
        }
    }
}

/// Something in a life that a reviewer wants to know.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) at: SimTime,
    pub(super) label: Label,
    pub(super) by: Controller,
    /// Why, once for each time that it happened.
    pub(super) whys: Vec<String>,
    /// The reason as data, when it happened once.
    pub(super) reason: Option<Reason>,
}

impl Moment {
    /// What makes moments of two lives alike.
    pub(super) fn key(&self) -> String {
        let why = self.whys.first().map(|why| skeleton(why)).unwrap_or_default();
        format!("{} {} {why}", self.label, self.by.name())
    }
}

/// A field's history: when, by whom, from what to what, why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) by: Controller,
    pub(super) from: Value,
    pub(super) to: Value,
    pub(super) reason: Option<Reason>,
}

/// One entity from its creation on.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) subject: Subject,
    pub(super) born: SimTime,
    /// Nothing happens to it after that: DEAD, FAILED, RELEASED or deleted.
    pub(super) over: Option<SimTime>,
    pub(super) deleted: bool,
    pub(super) moments: Vec<Moment>,
    /// The last value of each field.
    pub(super) fields: BTreeMap<Field, Value>,
    /// Every change of the fields that pools are told by.
    pub(super) settings: Vec<(Field, Setting)>,
    /// The cooldowns that were decided.
    pub(super) waits: Vec<SimDuration>,
    /// How often a pool decided to forget its crashes.
    pub(super) recoveries: u64,
    boot_open: bool,
}

impl Life {
    fn new(subject: Subject, born: SimTime) -> Self {
        Self {
            subject,
            born,
            over: None,
            deleted: false,
            moments: Vec::new(),
            fields: BTreeMap::new(),
            settings: Vec::new(),
            waits: Vec::new(),
            recoveries: 0,
            boot_open: false,
        }
    }

    /// The entity that a field names.
    pub(super) fn reference(&self, field: Field) -> Option<Subject> {
        match self.fields.get(&field) {
            Some(Value::Ref(subject)) => Some(*subject),
            _ => None,
        }
    }
    /// A number that a field holds.
    pub(super) fn number(&self, field: Field) -> u64 {
        match self.fields.get(&field) {
            Some(Value::Int(n)) => *n,
            _ => 0,
        }
    }
    /// Its status as texts have it; none: nothing.
    pub(super) fn status(&self) -> String {
        match self.fields.get(&Field::Status) {
            Some(Value::Status(status)) => status.upper(),
            _ => String::new(),
        }
    }

    fn moment(&mut self, record: &Record, label: Label, reason: Option<Reason>, why: String) {
        let why = clean(&why);
        let by = record.actor.controller;
        if let Some(last) = self.moments.last_mut()
            && (last.label == label && last.by == by)
            && last.whys.first().is_some_and(|first| skeleton(first) == skeleton(&why))
        {
            last.whys.push(why);
            last.reason = None;
            return;
        }
        self.moments.push(Moment { at: record.at, label, by, whys: vec![why], reason });
    }

    /// A failed boot that its status change tells is not told twice.
    fn forget_boot_failure(&mut self) {
        if let Some(last) = self.moments.last_mut()
            && last.label == Label::BootFails
        {
            last.whys.pop();
            if last.whys.is_empty() {
                self.moments.pop();
            }
        }
    }
}

/// All lives of a trace, by subject.
pub(super) fn lives(trace: &Trace) -> BTreeMap<Subject, Life> {
    let mut lives: BTreeMap<Subject, Life> = BTreeMap::new();
    for record in trace.records() {
        if let What::Created { .. } = record.what {
            lives.insert(record.subject, Life::new(record.subject, record.at));
            continue;
        }
        let Some(life) = lives.get_mut(&record.subject) else { continue };
        match record.what {
            What::Set { field, from, to } => set(trace, life, &record, field, from, to),
            What::Deleted { .. } => {
                life.deleted = true;
                life.over.get_or_insert(record.at);
                let reason = decision(trace, &record).map(|(_, reason)| reason);
                life.moment(&record, Label::Deleted, reason, why(reason));
            }
            What::Decided(reason) => decided(life, &record, reason),
            // A task that a controller ends is no news; one that ends by itself is the world's doing.
            What::TaskEnded { code } if record.actor.controller == Controller::World => {
                life.moment(&record, Label::TaskEnds, None, format!("exit code {code}"));
            }
            // The rest is told by what a controller makes of it.
            _ => {}
        }
    }
    lives
}

fn set(trace: &Trace, life: &mut Life, set: &Record, field: Field, from: Value, to: Value) {
    // A write of the value that is there already changes nothing.
    if from == to {
        return;
    }
    life.fields.insert(field, to);
    let write = set.cause.index().map(|index| trace.records().at(index));
    let reason = write.and_then(|write| decision(trace, &write).map(|(_, reason)| reason));
    match field {
        Field::Status => {
            let Value::Status(status) = to else { return };
            if life.boot_open
                && status != SandboxStatus::Running.into()
                && !matches!(reason, Some(Reason::BootFailed { .. }))
            {
                life.moment(set, Label::BootUnfinished, None, String::new());
            }
            life.boot_open = false;
            if matches!(reason, Some(Reason::BootFailed { .. })) {
                life.forget_boot_failure();
            }
            life.moment(set, Label::Status(status), reason, why(reason));
            if is_over(status) {
                life.over = Some(set.at);
            }
        }
        Field::DesiredInstances | Field::ReadyInstances | Field::ConsecutiveCrashCount | Field::CooldownUntil => {
            life.settings.push((field, Setting { by: set.actor.controller, from, to, reason }));
        }
        // Told by their last value, if at all.
        _ => {}
    }
}

/// Whether nothing comes after a status but a deletion.
const fn is_over(status: AnyStatus) -> bool {
    match status {
        AnyStatus::Sandbox(SandboxStatus::Dead) | AnyStatus::Lease(LeaseStatus::Failed | LeaseStatus::Released) => true,
        AnyStatus::Sandbox(SandboxStatus::Pending | SandboxStatus::Running | SandboxStatus::Stopped)
        | AnyStatus::Lease(LeaseStatus::Pending | LeaseStatus::Bound)
        | AnyStatus::Disk(_)
        | AnyStatus::Node(_) => false,
    }
}

fn decided(life: &mut Life, record: &Record, reason: Reason) {
    match reason {
        Reason::BootStarted => {
            if life.boot_open {
                life.moment(record, Label::BootUnfinished, None, String::new());
            }
            life.boot_open = true;
        }
        Reason::BootFailed { error, .. } => {
            life.boot_open = false;
            life.moment(record, Label::BootFails, None, error.to_string());
        }
        Reason::Booted { .. } | Reason::BootOvertaken => life.boot_open = false,
        Reason::CrashesCounted { wait, .. } => life.waits.push(wait),
        Reason::Recovered { .. } => life.recoveries += 1,
        // Every other decision is told by the write that it led to.
        _ => {}
    }
}

fn why(reason: Option<Reason>) -> String {
    reason.map(words).unwrap_or_default()
}
