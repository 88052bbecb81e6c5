//! Traces read back: the records that JSON lines tell.
//!
//! It may know records only. What a newcomer gets wrong: lines hold neither the whole of a field that is
//! summarised nor what decisions were taken from, so that causes are told as they were recorded, and no
//! more; and an error comes back as its text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::BufRead;

use serde::Deserialize;

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{Actor, AnyStatus, Field, Filesystem, Kind, Name, Subject, Value, Words};

use super::{Record, Trace, What};

#[derive(Deserialize)]
struct Line<'a> {
    n: usize,
    t: u64,
    by: Actor,
    #[serde(borrow)]
    about: Cow<'a, str>,
    cause: u32,
    what: What,
}

/// The value that a text stands for, in that field of a thing of that kind.
fn value(text: Value, kind: Kind, field: Field) -> Option<Value> {
    let Value::Text(name) = text else { return Some(text) };
    let name = name.as_str();
    Some(match field {
        Field::Status => Value::Status(AnyStatus::of(kind).into_iter().find(|status| status.name() == name)?),
        Field::LastCrashTime | Field::CooldownUntil | Field::LastActivity | Field::AcquiredAt | Field::SessionUntil => {
            Value::Time(SimTime::ZERO + name.parse::<SimDuration>().ok()?)
        }
        Field::ActiveVersion
        | Field::App
        | Field::Spec
        | Field::Pool
        | Field::Node
        | Field::Volume
        | Field::CreatedBy
        | Field::Disk
        | Field::Sandbox => Value::Ref(refers(name)?),
        Field::Address => Value::Address(name.parse().ok()?),
        Field::Filesystem => Value::Filesystem(Filesystem::named(name)?),
        Field::Name
        | Field::Config
        | Field::Number
        | Field::Service
        | Field::DesiredInstances
        | Field::CurrentInstances
        | Field::ReadyInstances
        | Field::ReferencedByVersions
        | Field::ConsecutiveCrashCount
        | Field::Instance
        | Field::SizeGb
        | Field::Mount
        | Field::ErrorMessage
        | Field::BootFailed => text,
    })
}

/// `pool#3`
fn refers(text: &str) -> Option<Subject> {
    let (kind, index) = text.split_once('#')?;
    let kind = Kind::ALL.iter().copied().find(|known| known.name() == kind)?;
    Some(Subject { kind, index: index.parse().ok()? })
}

/// Reads a trace that was written as JSON lines.
///
/// # Errors
/// It cannot be read, or a line is no record; says which.
pub(crate) fn lines(mut from: impl BufRead) -> Result<Trace, String> {
    let mut trace = Trace::default();
    let mut known: BTreeMap<String, Subject> = BTreeMap::new();
    let mut text = String::new();
    loop {
        text.clear();
        let number = trace.records().len() + 1;
        if from.read_line(&mut text).map_err(|error| format!("line {number}: {error}"))? == 0 {
            return if number == 1 { Err("it is empty".to_owned()) } else { Ok(trace) };
        }
        let line: Line<'_> = serde_json::from_str(&text).map_err(|error| format!("line {number}: {error}"))?;
        if line.n != number || line.cause as usize >= number {
            return Err(format!("line {number}: records are numbered from 1, and causes come before what they cause"));
        }
        let subject = match known.get(&*line.about) {
            Some(subject) => *subject,
            None => {
                let subject = named(&mut trace, &line.about);
                let subject = subject.ok_or_else(|| format!("line {number}: `{}` is no thing", line.about))?;
                known.insert(line.about.into_owned(), subject);
                subject
            }
        };
        let what = match line.what {
            What::Set { field, from, to } => {
                let of = |text| value(text, subject.kind, field);
                let both =
                    of(from).zip(of(to)).ok_or_else(|| format!("line {number}: {} has no such value", field.name()))?;
                What::Set { field, from: both.0, to: both.1 }
            }
            what => what,
        };
        let (at, cause) = (SimTime::from_nanos(line.t), RecordId::from_number(line.cause));
        trace.push(Record { at, subject, cause, actor: line.by, what });
    }
}

/// A thing that is met for the first time: they are numbered as they come.
fn named(trace: &mut Trace, name: &str) -> Option<Subject> {
    let kind = name.split_once('/').map_or(name, |(kind, _)| kind);
    let kind = Kind::ALL.iter().copied().find(|known| known.name() == kind)?;
    Some(trace.name_next(kind, Name::new(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::jsonl;
    use crate::trace::testing::{Maker, t};

    #[test]
    fn a_line_that_is_no_record_is_named() {
        let line = |n: u32, what: &str| {
            format!("{{\"n\":{n},\"t\":0,\"by\":\"world\",\"about\":\"node/n1\",\"cause\":0,\"what\":{what}}}\n")
        };
        let good = line(1, "\"process-up\"");
        assert_eq!(lines(good.as_bytes()).expect("a record").records().len(), 1);
        for (text, said) in [
            (String::new(), "it is empty"),
            (format!("{good}{}", line(1, "\"process-up\"")), "line 2: records are numbered"),
            (line(1, "\"jumps\""), "line 1: unknown variant `jumps`"),
            (
                line(1, "{\"set\":{\"field\":\"status\",\"from\":null,\"to\":\"odd\"}}"),
                "line 1: status has no such value",
            ),
            (good.replace("node/n1", "cow/n1"), "`cow/n1` is no thing"),
            (good.replace("world", "nobody"), "nobody"),
        ] {
            let wrong = lines(text.as_bytes()).expect_err("it is wrong");
            assert!(wrong.contains(said), "{said}: {wrong}");
        }
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        m.stuck_life(pool, 0, t("1s"), 6);
        let mut written = Vec::new();
        jsonl::write(&m.trace, &mut written).expect("memory can be written");
        let read = lines(written.as_slice()).expect("it was just written");
        let mut again = Vec::new();
        jsonl::write(&read, &mut again).expect("memory can be written");
        assert_eq!(String::from_utf8(written), String::from_utf8(again));
    }
}
