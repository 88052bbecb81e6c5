//! The trace as Chrome trace events, for Perfetto and its query language.
//!
//! One thread for each thing (they stand in one process for each kind), spans for states,
//! instants for everything that was decided or happened, flow arrows from causes to effects,
//! counters for pools. It may know records and tracks only. What a newcomer gets wrong: spans of
//! one thread must nest, so what can overlap – calls, holders of a disk, mounts – are
//! asynchronous events; and an arrow is tied to the last slice written on its thread, so it must
//! follow that slice at once.
//!
//! DIFFERS from the usual three decimals: times are whole microseconds, rounded down, and the
//! exact time is in the arguments as `ns`. Readers turn decimals into doubles and cut them, which
//! makes spans that touch overlap by a nanosecond.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value as Json, json};

use crate::kernel::SimTime;
use crate::model::{Field, Kind, Subject};

use super::tracks::{Span, State, Step, Track, tracks};
use super::{Record, Trace, What, words};

/// Thread numbers begin here, so that no thread is taken for a process's main thread.
const FIRST_THREAD: usize = 1000;

/// The kinds in the order of their processes, from number 1.
const PROCESSES: &[(Kind, &str)] = &[
    (Kind::Cluster, "cluster"),
    (Kind::Step, "steps"),
    (Kind::Fault, "faults"),
    (Kind::App, "apps"),
    (Kind::Version, "versions"),
    (Kind::Pool, "pools"),
    (Kind::Sandbox, "sandboxes"),
    (Kind::Disk, "disks"),
    (Kind::Volume, "volumes"),
    (Kind::Lease, "leases"),
    (Kind::Node, "nodes"),
    (Kind::Process, "processes"),
];

fn process(kind: Kind) -> usize {
    PROCESSES.iter().position(|(other, _)| *other == kind).expect("every kind has a process") + 1
}

/// Writes the trace of a run that ended at `ended_at`.
///
/// # Errors
/// The writer's.
pub fn write(trace: &Trace, ended_at: SimTime, out: &mut impl Write) -> io::Result<()> {
    let tracks = tracks(trace, ended_at);
    let mut page = Page { out, trace, threads: BTreeMap::new(), first: true };
    page.out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    page.head(&tracks)?;
    let begun = Begun::of(&tracks);
    let effects = effects(trace);
    for (index, record) in trace.records().iter().enumerate() {
        for (subject, span) in begun.spans(index) {
            page.span(*subject, span)?;
        }
        for (subject, field, step) in begun.steps(index) {
            page.counter(*subject, counter(*field), step.at, step.value)?;
        }
        page.record(index, &record, &effects)?;
    }
    page.out.write_all(b"\n]}\n")?;
    page.out.flush()
}

/// What begins with each record, sorted by it.
struct Begun<'a> {
    spans: Vec<(usize, (Subject, &'a Span))>,
    steps: Vec<(usize, (Subject, Field, &'a Step))>,
}

impl<'a> Begun<'a> {
    fn of(tracks: &'a [Track]) -> Self {
        let (mut spans, mut steps) = (Vec::new(), Vec::new());
        for track in tracks {
            let all = track.states.iter().chain(&track.holders).chain(&track.cooldowns);
            spans.extend(all.map(|span| (span.record, (track.subject, span))));
            for (field, list) in &track.numbers {
                steps.extend(list.iter().map(|step| (step.record, (track.subject, *field, step))));
            }
        }
        // Stable: what one record begins stays in the order of tracks.
        spans.sort_by_key(|(record, _)| *record);
        steps.sort_by_key(|(record, _)| *record);
        Self { spans, steps }
    }
    fn spans(&self, record: usize) -> impl Iterator<Item = &(Subject, &'a Span)> {
        of_record(&self.spans, record)
    }
    fn steps(&self, record: usize) -> impl Iterator<Item = &(Subject, Field, &'a Step)> {
        of_record(&self.steps, record)
    }
}

fn of_record<T>(sorted: &[(usize, T)], record: usize) -> impl Iterator<Item = &T> {
    let first = sorted.partition_point(|(other, _)| *other < record);
    sorted[first..].iter().take_while(move |(other, _)| *other == record).map(|(_, item)| item)
}

/// Whether a record is an instant: all but the fields of a write, which the write tells, and
/// calls, which have a length.
fn is_instant(what: &What) -> bool {
    !matches!(what, What::Set { .. } | What::Called { .. } | What::CallFailed { .. })
}

/// The nearest record up the causes that is an instant.
fn cause_of(trace: &Trace, record: &Record) -> Option<usize> {
    let mut cause = record.cause.index()?;
    while !is_instant(&trace.records().at(cause).what) {
        cause = trace.records().at(cause).cause.index()?;
    }
    Some(cause)
}

/// The effects of each record that has any, in order.
fn effects(trace: &Trace) -> Vec<(usize, usize)> {
    let all = trace.records().iter().enumerate().filter(|(_, record)| is_instant(&record.what));
    let mut pairs: Vec<(usize, usize)> =
        all.filter_map(|(effect, record)| Some((cause_of(trace, &record)?, effect))).collect();
    pairs.sort_unstable();
    pairs
}

const fn counter(field: Field) -> &'static str {
    match field {
        Field::DesiredInstances => "desired",
        Field::ReadyInstances => "ready",
        Field::CurrentInstances => "current",
        Field::ConsecutiveCrashCount => "crashes",
        other => other.name(),
    }
}

struct Page<'a, W> {
    out: &'a mut W,
    trace: &'a Trace,
    threads: BTreeMap<Subject, usize>,
    first: bool,
}

impl<W: Write> Page<'_, W> {
    fn event(&mut self, event: &Json) -> io::Result<()> {
        self.out.write_all(if self.first { b"\n" } else { b",\n" })?;
        self.first = false;
        serde_json::to_writer(&mut *self.out, event).map_err(Into::into)
    }

    /// Names and orders processes and threads.
    fn head(&mut self, tracks: &[Track]) -> io::Result<()> {
        for (index, track) in tracks.iter().enumerate() {
            self.threads.insert(track.subject, FIRST_THREAD + index);
        }
        for (index, (kind, name)) in PROCESSES.iter().enumerate() {
            if tracks.iter().any(|track| track.subject.kind == *kind) {
                let pid = index + 1;
                self.event(&json!({ "ph": "M", "name": "process_name", "pid": pid, "args": { "name": name } }))?;
                let order = json!({ "sort_index": index });
                self.event(&json!({ "ph": "M", "name": "process_sort_index", "pid": pid, "args": order }))?;
            }
        }
        for (index, track) in tracks.iter().enumerate() {
            let (pid, tid) = self.place(track.subject);
            let name = json!({ "name": self.trace.name(track.subject) });
            self.event(&json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": name }))?;
            let order = json!({ "sort_index": index });
            self.event(&json!({ "ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": order }))?;
        }
        Ok(())
    }

    fn place(&self, subject: Subject) -> (usize, usize) {
        let tid = self.threads.get(&subject).copied().expect("every subject has a track");
        (process(subject.kind), tid)
    }

    fn span(&mut self, subject: Subject, span: &Span) -> io::Result<()> {
        let (pid, tid) = self.place(subject);
        let name = match span.state {
            State::Status(status) => status.name().to_owned(),
            State::Phase(phase) => phase.name().to_owned(),
            State::Cooldown { .. } => "cooldown".to_owned(),
            State::Thing(thing) if subject.kind == Kind::Volume => format!("mounted on {}", self.trace.name(thing)),
            State::Thing(thing) => self.trace.name(thing).to_string(),
            State::Held { lease, sandbox } => {
                format!("held by {}", self.trace.name(sandbox.unwrap_or(lease)))
            }
        };
        let (ts, end) = (micros(span.from), micros(span.until));
        let args = json!({ "ns": span.from.as_nanos(), "number": span.record + 1 });
        match span.state {
            State::Status(_) | State::Phase(_) | State::Cooldown { .. } => self.event(&json!({
                "ph": "X", "cat": "state", "name": name, "pid": pid, "tid": tid, "ts": ts, "dur": end - ts, "args": args,
            }))?,
            State::Thing(_) if subject.kind != Kind::Volume => self.event(&json!({
                "ph": "X", "cat": "state", "name": name, "pid": pid, "tid": tid, "ts": ts, "dur": end - ts, "args": args,
            }))?,
            State::Thing(_) | State::Held { .. } => {
                self.overlapping("holder", &name, (pid, tid), span.record + 1, (ts, end), args)?;
            }
        }
        if let State::Cooldown { set } = span.state {
            let wait = set.since(span.from).as_secs();
            self.counter(subject, "cooldown_s", span.from, wait)?;
            self.counter(subject, "cooldown_s", span.until, 0)?;
        }
        Ok(())
    }

    fn overlapping(
        &mut self,
        cat: &str,
        name: &str,
        (pid, tid): (usize, usize),
        id: usize,
        (ts, end): (u64, u64),
        args: Json,
    ) -> io::Result<()> {
        self.event(&json!({
            "ph": "b", "cat": cat, "name": name, "id": id, "pid": pid, "tid": tid, "ts": ts, "args": args,
        }))?;
        self.event(&json!({ "ph": "e", "cat": cat, "name": name, "id": id, "pid": pid, "tid": tid, "ts": end }))
    }

    fn counter(&mut self, subject: Subject, what: &str, at: SimTime, value: u64) -> io::Result<()> {
        let (pid, tid) = self.place(subject);
        let name = self.trace.name(subject);
        self.event(
            &json!({ "ph": "C", "name": name, "pid": pid, "tid": tid, "ts": micros(at), "args": { what: value } }),
        )
    }

    fn record(&mut self, index: usize, record: &Record, effects: &[(usize, usize)]) -> io::Result<()> {
        let (pid, tid) = self.place(record.subject);
        let ts = micros(record.at);
        let mut args = json!({ "by": words::actor(record.actor), "number": index + 1, "ns": record.at.as_nanos() });
        if let Some(cause) = record.cause.index() {
            args["cause"] = json!(cause + 1);
        }
        if let What::Called { point, since } | What::CallFailed { point, since, .. } = record.what {
            if let What::CallFailed { error, .. } = record.what {
                args["error"] = json!(error);
            }
            return self.overlapping("call", point.name(), (pid, tid), index + 1, (micros(since), ts), args);
        }
        let name = match record.what {
            What::Set { .. } => return Ok(()),
            What::Decided(reason) => {
                args["why"] = json!(reason.to_string());
                words::rule(&reason)
            }
            What::Broken { invariant, detail } => {
                args["why"] = json!(detail);
                format!("BROKEN {invariant}")
            }
            other => {
                if let Json::Object(mut map) = serde_json::to_value(other)?
                    && let Some((key, value)) = map.iter_mut().next()
                {
                    args[key.as_str()] = value.take();
                }
                words::what(&other)
            }
        };
        let cat = category(&record.what);
        self.event(&json!({
            "ph": "i", "s": "t", "cat": cat, "name": name, "pid": pid, "tid": tid, "ts": ts, "args": args,
        }))?;
        let caused = cause_of(self.trace, record).is_some();
        let mut arrow = |ph: &str, id: usize| {
            let mut event =
                json!({ "ph": ph, "cat": "cause", "name": "cause", "id": id, "pid": pid, "tid": tid, "ts": ts });
            if ph == "f" {
                event["bp"] = json!("e");
            }
            self.event(&event)
        };
        if caused {
            arrow("f", index + 1)?;
        }
        let first = effects.partition_point(|(cause, _)| *cause < index);
        for (_, effect) in effects[first..].iter().take_while(|(cause, _)| *cause == index) {
            arrow("s", effect + 1)?;
        }
        Ok(())
    }
}

/// What an instant is filed under.
const fn category(what: &What) -> &'static str {
    match what {
        What::Decided(_) => "decision",
        What::Created { .. } | What::Patched { .. } | What::Deleted { .. } | What::Conflict | What::Set { .. } => {
            "store"
        }
        What::Struck { .. } => "fault",
        What::StepBegan | What::StepEnded { .. } | What::Note(_) => "step",
        What::Broken { .. } => "violation",
        What::Drawn { .. } => "draw",
        What::RequestServed { .. } | What::RequestFailed { .. } => "request",
        What::Called { .. } | What::CallFailed { .. } => "call",
        What::ProcessDown
        | What::ProcessUp
        | What::TaskStarted
        | What::PortBound
        | What::TaskEnded { .. }
        | What::ContainerGone
        | What::AddressTaken(_)
        | What::AddressFreed(_)
        | What::VolumeMade
        | What::VolumeGone
        | What::Mounted { .. }
        | What::Unmounted { .. }
        | What::Settled
        | What::Unsettled => "world",
    }
}

const fn micros(at: SimTime) -> u64 {
    at.as_nanos() / 1000
}

#[cfg(test)]
#[path = "perfetto_tests.rs"]
mod tests;
