//! What a scenario claims of the state at a moment, as data; and the kinds and fields there are.
//!
//! Names, types and wanted values, all checked; whether a claim holds is for those who have a run
//! to say. It may know the model. What a newcomer gets wrong: a claim of an entity's field is also
//! the claim that the entity is there.

use crate::kernel::{SimDuration, SimTime};
use crate::model::{
    Controller, DiskStatus, Field, Filesystem, Kind, LeaseStatus, Name, NodeStatus, SandboxStatus, Words,
};

/// What must be true of the state at a moment, or in a span from there on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The moment; everything that happens at that instant has happened.
    pub at: SimTime,
    /// What the span asks of each claim.
    pub lasting: Lasting,
    /// The claims, in the order of the file.
    pub claims: Vec<Claim>,
}

/// For how long, or by when, claims must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// At the moment.
    Now,
    /// At some instant no later than that after the moment.
    Within(SimDuration),
    /// At every instant until that long after the moment.
    For(SimDuration),
}

impl Moment {
    /// The last instant that it asks about.
    pub fn until(&self) -> SimTime {
        match self.lasting {
            Lasting::Now => self.at,
            Lasting::Within(span) | Lasting::For(span) => self.at + span,
        }
    }
}

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// That there is such a thing, or is none.
    Thing {
        kind: Kind,
        /// Its name, without the kind.
        name: Name,
        /// There is none (it must have been there at some time of the run).
        absent: bool,
        /// Who wrote it last; when it is absent, who deleted it.
        by: Option<Controller>,
    },
    /// Of one field of a thing.
    Field {
        kind: Kind,
        /// The thing's name, without the kind.
        name: Name,
        field: &'static ThingField,
        /// What is asked of its value; none: nothing but who wrote it.
        test: Option<Test>,
        /// Who gave it that value.
        by: Option<Controller>,
    },
    /// Of how many there are.
    Count {
        kind: Kind,
        /// Which of them: all of these hold.
        which: Vec<(&'static ThingField, Test)>,
        /// At least.
        min: u64,
        /// At most; none: no limit.
        max: Option<u64>,
    },
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is that.
    Is(Want),
    /// It is not that, or nothing at all.
    Not(Want),
    /// A count, a time in nanoseconds, or the length of a list lies within these.
    Between { min: Option<u64>, max: Option<u64> },
    /// A list holds that.
    Has(Name),
    /// There is no value, or there is one.
    Absent(bool),
}

/// A wanted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// A count, or a time in nanoseconds from the start.
    Number(u64),
    /// A text, a word, or the name of a thing without its kind.
    Text(Name),
    /// Yes or no.
    Flag(bool),
    /// Texts or names, in any order.
    List(Vec<Name>),
}

/// A kind of things, and what can be claimed of each.
#[derive(Debug, PartialEq, Eq)]
pub struct Thing {
    pub kind: Kind,
    /// Its fields: its own, and those that it shares with others.
    fields: &'static [&'static [ThingField]],
}

impl Thing {
    /// Its fields.
    pub fn fields(&self) -> impl Iterator<Item = &'static ThingField> + Clone + use<> {
        self.fields.iter().copied().flatten()
    }
}

/// A field of a kind of things.
#[derive(Debug, PartialEq, Eq)]
pub struct ThingField {
    /// Its name in scenario files.
    pub name: &'static str,
    /// What its values are.
    pub of: Of,
    /// Where it comes from.
    pub from: From,
    /// What it is, in a line.
    pub doc: &'static str,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Whole numbers; nothing is zero.
    Count,
    /// Instants, written as durations from the start of the run.
    Time,
    /// Yes or no; nothing is no.
    Flag,
    Text,
    /// One of these.
    Word(&'static [&'static str]),
    /// Another thing, by name.
    Thing(Kind),
    /// A set of things, by name.
    Things(Kind),
    /// A set of texts.
    Texts,
}

/// What runs of a sandbox, in words.
const TASK: &[&str] = &["none", "made", "running", "ended"];

/// Where a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Store(Field),
    /// A part of what the sandboxes are made from.
    Spec(Part),
    AppOfPool,
    /// Whether a lease mounts without the right to write.
    ReadOnly,
    Created,
    /// When it was last written.
    Updated,
    /// What runs of a sandbox in truth.
    Task,
    /// On how many nodes a volume is mounted.
    Mounts,
}

/// A part of a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Version,
    Image,
    Command,
    Port,
    PortName,
    PortType,
    Ports,
    Env,
    Volumes,
}

const fn field(name: &'static str, of: Of, from: From, doc: &'static str) -> ThingField {
    ThingField { name, of, from, doc }
}
const fn stored(field: Field, of: Of, doc: &'static str) -> ThingField {
    ThingField { name: field.name(), of, from: From::Store(field), doc }
}
const fn part(name: &'static str, part: Part, of: Of, doc: &'static str) -> ThingField {
    ThingField { name, of, from: From::Spec(part), doc }
}

/// When a thing of the store was written.
const TIMES: &[ThingField] = &[
    field("created_at", Of::Time, From::Created, "when it was created"),
    field("updated_at", Of::Time, From::Updated, "when it was last written"),
];
/// What sandboxes are made from.
const SPEC: &[ThingField] = &[
    part("version", Part::Version, Of::Thing(Kind::Version), "the version in its spec"),
    part("image", Part::Image, Of::Text, "the image in its spec"),
    part("command", Part::Command, Of::Text, "the command in its spec"),
    part("port", Part::Port, Of::Count, "the first port in its spec; 0: none"),
    part("port_name", Part::PortName, Of::Text, "that port's name"),
    part("port_type", Part::PortType, Of::Text, "that port's type"),
    part("ports", Part::Ports, Of::Texts, "the ports in its spec, like `\"http:3000/tcp\"`"),
    part("env", Part::Env, Of::Texts, "the environment in its spec, like `\"KEY=value\"`"),
    part(
        "volumes",
        Part::Volumes,
        Of::Texts,
        "the disks in its spec, like `\"data:/var/lib:20GB:ext4:rw\"`, with `:5m` behind where a lease time-out is set",
    ),
];

/// The kinds of things, in the order of the documentation.
pub static THINGS: &[Thing] = &[
    Thing {
        kind: Kind::App,
        fields: &[
            &[
                stored(Field::Name, Of::Text, "its own name"),
                stored(Field::ActiveVersion, Of::Thing(Kind::Version), "the version that ought to run"),
            ],
            TIMES,
        ],
    },
    Thing {
        kind: Kind::Version,
        fields: &[
            &[
                stored(Field::App, Of::Thing(Kind::App), "its app"),
                stored(Field::Number, Of::Count, "the order of creation within the app, from 1"),
                field("services", Of::Texts, From::Store(Field::Config), "the names of its services"),
            ],
            TIMES,
        ],
    },
    Thing {
        kind: Kind::Pool,
        fields: &[
            &[
                stored(Field::App, Of::Thing(Kind::App), "its app"),
                stored(Field::Service, Of::Text, "its service"),
                stored(Field::DesiredInstances, Of::Count, "how many there should be"),
                stored(Field::CurrentInstances, Of::Count, "how many were counted running or pending"),
                stored(Field::ReadyInstances, Of::Count, "how many were counted running"),
                stored(Field::ReferencedByVersions, Of::Things(Kind::Version), "the versions that use it"),
                stored(Field::ConsecutiveCrashCount, Of::Count, "crashes in a row"),
                stored(Field::LastCrashTime, Of::Time, "the last crash that was counted"),
                stored(Field::CooldownUntil, Of::Time, "nothing is created before"),
            ],
            SPEC,
            TIMES,
        ],
    },
    Thing {
        kind: Kind::Sandbox,
        fields: &[
            &[
                stored(Field::Status, Of::Word(SandboxStatus::WORDS), "where it is in its life"),
                stored(Field::Pool, Of::Thing(Kind::Pool), "its pool"),
                field("app", Of::Thing(Kind::App), From::AppOfPool, "its pool's app"),
                stored(Field::Service, Of::Text, "its service"),
                stored(Field::Instance, Of::Count, "its number in the pool"),
                stored(Field::Node, Of::Thing(Kind::Node), "the node it is scheduled to"),
                stored(Field::Address, Of::Text, "its network address, like `\"10.0.0.1\"`"),
                stored(Field::LastActivity, Of::Time, "when it last served, as written"),
                stored(Field::BootFailed, Of::Flag, "whether its boot failed (proposed fix only)"),
                field("task", Of::Word(TASK), From::Task, "what runs of it in truth"),
            ],
            SPEC,
            TIMES,
        ],
    },
    Thing {
        kind: Kind::Disk,
        fields: &[
            &[
                stored(Field::Status, Of::Word(DiskStatus::WORDS), "where it is in its life"),
                stored(Field::Name, Of::Text, "its own name"),
                stored(Field::SizeGb, Of::Count, "its size"),
                stored(Field::Filesystem, Of::Word(Filesystem::WORDS), "its file system"),
                stored(Field::Volume, Of::Thing(Kind::Volume), "its volume in the backend"),
                stored(Field::CreatedBy, Of::Thing(Kind::App), "the app whose boot made it"),
            ],
            TIMES,
        ],
    },
    Thing {
        kind: Kind::Lease,
        fields: &[
            &[
                stored(Field::Status, Of::Word(LeaseStatus::WORDS), "where it is in its life"),
                stored(Field::Disk, Of::Thing(Kind::Disk), "the disk"),
                stored(Field::Sandbox, Of::Thing(Kind::Sandbox), "who wants it"),
                stored(Field::App, Of::Thing(Kind::App), "the app of that sandbox"),
                stored(Field::Node, Of::Thing(Kind::Node), "where the sandbox is"),
                stored(Field::Mount, Of::Text, "the path in the sandbox"),
                field("read_only", Of::Flag, From::ReadOnly, "mounted without the right to write"),
                stored(Field::AcquiredAt, Of::Time, "when it was bound"),
                stored(Field::ErrorMessage, Of::Text, "why it failed"),
            ],
            TIMES,
        ],
    },
    Thing {
        kind: Kind::Node,
        fields: &[
            &[
                stored(Field::Status, Of::Word(NodeStatus::WORDS), "whether it takes sandboxes"),
                stored(Field::Name, Of::Text, "its own name"),
                stored(Field::SessionUntil, Of::Time, "when its session ends unless it is renewed"),
            ],
            TIMES,
        ],
    },
    Thing {
        kind: Kind::Volume,
        fields: &[&[field("mounts", Of::Count, From::Mounts, "on how many nodes it is mounted")]],
    },
];

/// The kind of things of that name.
pub(crate) fn thing(name: &str) -> Option<&'static Thing> {
    THINGS.iter().find(|thing| thing.kind.name() == name)
}
