//! Values of things at a moment: taken out of the state, compared with what is wanted, shown.
//!
//! It may read traces and the list of fields.

use std::fmt;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Detail, Field, Kind, PortConfig, SandboxSpec, Subject, Value};
use crate::scenario::claims::{From, Of, Part, ThingField, Want};
use crate::trace::Trace;
use crate::trace::state::{Fold, Row, Task};

/// The value of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// None.
    Nothing,
    /// A count.
    Number(u64),
    /// An instant, in nanoseconds from the start.
    Time(u64),
    /// Yes or no.
    Flag(bool),
    /// A text, a word, or a name without its kind.
    Text(String),
    /// Texts or names, sorted.
    List(Vec<String>),
}

impl Found {
    /// Whether it is what is wanted.
    pub(crate) fn is(&self, want: &Want) -> bool {
        match (self, want) {
            (Self::Number(found) | Self::Time(found), Want::Number(want)) => found == want,
            (Self::Flag(found), Want::Flag(want)) => found == want,
            (Self::Text(found), Want::Text(want)) => found == want.as_str(),
            (Self::List(_), Want::List(_)) => *self == Self::list(want_texts(want)),
            _ => false,
        }
    }

    /// As a number: a count, a time, or the length of a list.
    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(n) | Self::Time(n) => Some(*n),
            Self::List(items) => Some(items.len() as u64),
            Self::Nothing | Self::Flag(_) | Self::Text(_) => None,
        }
    }

    /// A number as values of the field are shown.
    pub(crate) fn of_number(field: &ThingField, n: u64) -> Self {
        if field.of == Of::Time { Self::Time(n) } else { Self::Number(n) }
    }

    /// A wanted value, likewise.
    pub(crate) fn of_want(field: &ThingField, want: &Want) -> Self {
        match want {
            Want::Number(n) => Self::of_number(field, *n),
            Want::Flag(flag) => Self::Flag(*flag),
            Want::Text(text) => Self::Text(text.to_string()),
            Want::List(_) => Self::list(want_texts(want)),
        }
    }

    fn list(mut items: Vec<String>) -> Self {
        items.sort();
        Self::List(items)
    }

    fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    /// Nothing, as values of the field are.
    fn none(of: Of) -> Self {
        match of {
            Of::Count => Self::Number(0),
            Of::Flag => Self::Flag(false),
            Of::Things(_) | Of::Texts => Self::List(Vec::new()),
            Of::Time | Of::Text | Of::Word(_) | Of::Thing(_) => Self::Nothing,
        }
    }
}

fn want_texts(want: &Want) -> Vec<String> {
    match want {
        Want::List(items) => items.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Time(nanos) => write!(f, "{}", SimDuration::from_nanos(*nanos).clock()),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => write!(f, "[{}]", items.join(", ")),
        }
    }
}

/// The value of a field of a thing that is there.
pub(crate) fn value(
    trace: &Trace,
    fold: &Fold,
    pool_apps: &[Option<Subject>],
    subject: Subject,
    field: &ThingField,
) -> Found {
    let name = |subject: Subject| Found::text(trace.name(subject).short());
    let none = Found::none(field.of);
    match field.from {
        From::Mounts => return fold.mounts(subject.index).map_or(none, |n| Found::Number(n as u64)),
        From::Task => {
            return Found::text(match fold.task(subject.index) {
                None => "none",
                Some(Task::Made) => "made",
                Some(Task::Runs) => "running",
                Some(Task::Ended) => "ended",
            });
        }
        _ => {}
    }
    let Some(row) = fold.row(subject) else { return none };
    let time = |at: SimTime| Found::Time(at.as_nanos());
    match field.from {
        From::Created => time(row.created_at),
        From::Updated => time(row.updated_at),
        From::AppOfPool => {
            let Some(Value::Ref(pool)) = row.fields.get(&Field::Pool) else { return none };
            pool_apps.get(pool.index as usize).copied().flatten().map_or(none, name)
        }
        From::ReadOnly => match detail(trace, row, Field::Mount) {
            Some(Detail::Mount(mount)) => Found::Flag(mount.read_only),
            _ => none,
        },
        From::Spec(part) => match detail(trace, row, Field::Spec) {
            Some(Detail::Spec(spec)) => part_of(spec, part, name).unwrap_or(none),
            _ => none,
        },
        From::Store(stored) => match (detail(trace, row, stored), row.fields.get(&stored)) {
            (Some(Detail::Versions(versions)), _) => {
                let names = versions.iter().map(|version| name(Subject::from(*version)).to_string());
                Found::list(names.collect())
            }
            (Some(Detail::Services(services)), _) => Found::list(services.iter().map(ToString::to_string).collect()),
            (_, None | Some(Value::None)) => none,
            (_, Some(value)) => match (*value, field.of) {
                (Value::Int(n), Of::Flag) => Found::Flag(n != 0),
                (Value::Int(n), _) => Found::Number(n),
                (Value::Time(at), _) => time(at),
                (Value::Ref(subject), _) => name(subject),
                (Value::Text(text), _) => Found::text(text),
                (Value::Status(status), _) => Found::text(status.name()),
                (Value::Filesystem(filesystem), _) => Found::text(filesystem),
                (Value::Address(address), _) => Found::text(address),
                (Value::None, _) => none,
            },
        },
        From::Mounts | From::Task => unreachable!("told above"),
    }
}

/// All of a field whose value is a summary.
fn detail<'t>(trace: &'t Trace, row: &Row, field: Field) -> Option<&'t Detail> {
    row.sets.get(&field).and_then(|set| trace.detail(*set))
}

fn part_of(spec: &SandboxSpec, part: Part, name: impl Fn(Subject) -> Found) -> Option<Found> {
    let port = |of: fn(&PortConfig) -> Option<Found>| spec.ports.first().and_then(of);
    match part {
        Part::Version => Some(name(spec.version.into())),
        Part::Image => Some(Found::text(spec.image)),
        Part::Command => spec.command.map(Found::text),
        Part::Port => port(|port| Some(Found::Number(u64::from(port.number)))),
        Part::PortName => port(|port| Some(Found::text(port.name))),
        Part::PortType => port(|port| Some(Found::text(port.port_type))),
        Part::Ports => {
            let port = |port: &PortConfig| format!("{}:{}/{}", port.name, port.number, port.port_type);
            Some(Found::list(spec.ports.iter().map(port).collect()))
        }
        Part::Env => Some(Found::list(spec.env.iter().map(|(key, value)| format!("{key}={value}")).collect())),
        Part::Volumes => {
            let volume = |disk: &crate::model::DiskConfig| {
                let mode = if disk.read_only { "ro" } else { "rw" };
                let wait = disk.lease_timeout.map(|wait| format!(":{wait}")).unwrap_or_default();
                format!("{}:{}:{}GB:{}:{mode}{wait}", disk.name, disk.mount_path, disk.size_gb, disk.filesystem)
            };
            Some(Found::list(spec.volumes.iter().map(volume).collect()))
        }
    }
}

impl From {
    /// The store's field behind it; none: there is none, or several.
    pub(crate) fn field(self) -> Option<Field> {
        match self {
            Self::Store(field) => Some(field),
            Self::Spec(_) => Some(Field::Spec),
            Self::ReadOnly => Some(Field::Mount),
            Self::AppOfPool => Some(Field::Pool),
            Self::Created | Self::Updated | Self::Task | Self::Mounts => None,
        }
    }
}

impl Of {
    /// The kind of things that its values name; none: they are no names.
    pub(crate) fn thing(self) -> Option<Kind> {
        match self {
            Self::Thing(kind) | Self::Things(kind) => Some(kind),
            Self::Count | Self::Time | Self::Flag | Self::Text | Self::Word(_) | Self::Texts => None,
        }
    }
}
