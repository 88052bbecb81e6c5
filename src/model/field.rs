//! Fields of entities: their names, the types that they can have, and values small enough for a record.
//!
//! It may know the model's own types and no entity's list of fields; those stand in `entity`. A
//! field is written one at a time, by last-writer-wins, so each has a value of its own in the
//! trace. What a newcomer gets wrong: what counts as zero is decided here, and a diff cannot
//! write it.

use std::rc::Rc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::SimTime;

use super::config::{Filesystem, ServiceConfig};
use super::entity::{Entity, Mount, SandboxSpec, VersionId};
use super::id::{Address, Id, Subject, VolumeId};
use super::name::Name;
use super::status::{AnyStatus, DiskStatus, LeaseStatus, NodeStatus, SandboxStatus};

/// All of a field whose value in a record is a summary: records stay small, and whoever must know the rest finds it beside
/// the trace. Plain data that may be sent between threads.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Detail {
    /// What sandboxes are made from.
    Spec(SandboxSpec),
    /// The versions that use a pool, in the order of the list.
    Versions(Vec<VersionId>),
    /// The names of a version's services.
    Services(Vec<Name>),
    /// How a lease mounts its disk.
    Mount(Mount),
}

/// The value of a field, small enough for a trace record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub enum Value {
    /// Absent.
    None,
    /// A number, or how many a list holds.
    Int(u64),
    Time(SimTime),
    /// Another entity.
    Ref(Subject),
    Text(Name),
    /// A status.
    #[serde(with = "numbered")]
    Status(AnyStatus),
    /// A file system.
    Filesystem(Filesystem),
    Address(Address),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            _ if !s.is_human_readable() => Self::serialize(self, s),
            Self::None => s.serialize_none(),
            Self::Int(n) => s.serialize_u64(*n),
            Self::Time(t) => t.serialize(s),
            Self::Ref(subject) => s.collect_str(&format_args!("{}#{}", subject.kind.name(), subject.index)),
            Self::Text(name) => name.serialize(s),
            Self::Status(status) => status.serialize(s),
            Self::Filesystem(filesystem) => filesystem.serialize(s),
            Self::Address(address) => address.serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    /// As lines have it: what a text stands for depends on the field.
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Int(u64),
            Text(Name),
            None,
        }
        if !d.is_human_readable() {
            return Self::deserialize(d);
        }
        Ok(match Raw::deserialize(d)? {
            Raw::Int(n) => Self::Int(n),
            Raw::Text(text) => Self::Text(text),
            Raw::None => Self::None,
        })
    }
}

/// A status by its number among all.
mod numbered {
    use serde::de::Error;

    use super::{AnyStatus, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(status: &AnyStatus, s: S) -> Result<S::Ok, S::Error> {
        let number = AnyStatus::all().position(|known| known == *status).expect("all are known");
        s.serialize_u8(number as u8)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<AnyStatus, D::Error> {
        let number = u8::deserialize(d)?;
        AnyStatus::all().nth(usize::from(number)).ok_or_else(|| D::Error::custom("no status has that number"))
    }
}

/// A type that a field of an entity can have.
pub(super) trait FieldType: PartialEq {
    /// Zero, empty or absent: what a diff cannot write.
    fn is_zero(&self) -> bool;
    /// As it stands in the trace.
    fn value(&self) -> Value;
    /// All of it, where the value is a summary.
    fn detail(&self) -> Option<Detail> {
        None
    }
}

impl FieldType for u32 {
    fn is_zero(&self) -> bool {
        *self == 0
    }
    fn value(&self) -> Value {
        Value::Int(u64::from(*self))
    }
}
impl FieldType for bool {
    fn is_zero(&self) -> bool {
        !self
    }
    fn value(&self) -> Value {
        Value::Int(u64::from(*self))
    }
}
impl FieldType for Name {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
    fn value(&self) -> Value {
        Value::Text(*self)
    }
}
impl FieldType for SimTime {
    fn is_zero(&self) -> bool {
        false
    }
    fn value(&self) -> Value {
        Value::Time(*self)
    }
}
impl FieldType for Address {
    fn is_zero(&self) -> bool {
        false
    }
    fn value(&self) -> Value {
        Value::Address(*self)
    }
}
impl FieldType for VolumeId {
    fn is_zero(&self) -> bool {
        false
    }
    fn value(&self) -> Value {
        Value::Ref((*self).into())
    }
}
impl<E: Entity> FieldType for Id<E> {
    fn is_zero(&self) -> bool {
        false
    }
    fn value(&self) -> Value {
        Value::Ref((*self).into())
    }
}
impl<T: FieldType> FieldType for Option<T> {
    fn is_zero(&self) -> bool {
        self.as_ref().is_none_or(T::is_zero)
    }
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::None, T::value)
    }
    fn detail(&self) -> Option<Detail> {
        self.as_ref().and_then(T::detail)
    }
}
impl FieldType for Vec<VersionId> {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
    fn value(&self) -> Value {
        Value::Int(self.len() as u64)
    }
    fn detail(&self) -> Option<Detail> {
        Some(Detail::Versions(self.clone()))
    }
}
impl FieldType for Rc<[ServiceConfig]> {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
    fn value(&self) -> Value {
        Value::Int(self.len() as u64)
    }
    fn detail(&self) -> Option<Detail> {
        Some(Detail::Services(self.iter().map(|service| service.name).collect()))
    }
}
impl FieldType for Rc<SandboxSpec> {
    fn is_zero(&self) -> bool {
        false
    }
    fn value(&self) -> Value {
        Value::Ref(self.version.into())
    }
    fn detail(&self) -> Option<Detail> {
        Some(Detail::Spec(SandboxSpec::clone(self)))
    }
}
impl FieldType for Mount {
    fn is_zero(&self) -> bool {
        self.path.is_empty()
    }
    fn value(&self) -> Value {
        Value::Text(self.path)
    }
    fn detail(&self) -> Option<Detail> {
        Some(Detail::Mount(*self))
    }
}

macro_rules! word_field {
    ($($ty:ident: $variant:ident),*) => {$(
        impl FieldType for $ty {
            fn is_zero(&self) -> bool {
                false
            }
            fn value(&self) -> Value {
                Value::$variant((*self).into())
            }
        }
    )*};
}
word_field!(SandboxStatus: Status, DiskStatus: Status, LeaseStatus: Status, NodeStatus: Status, Filesystem: Filesystem);

macro_rules! fields {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// The name of a field of some entity.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "each is the field of that name")]
        pub enum Field { $($variant),* }

        impl Field {
            /// Every field, in the order of the enum.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The field's name as the store has it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}
fields! {
    Name = "name", ActiveVersion = "active_version", App = "app", Config = "config", Number = "number",
    Service = "service", Spec = "spec", DesiredInstances = "desired_instances", CurrentInstances = "current_instances",
    ReadyInstances = "ready_instances", ReferencedByVersions = "referenced_by_versions",
    ConsecutiveCrashCount = "consecutive_crash_count", LastCrashTime = "last_crash_time", CooldownUntil = "cooldown_until",
    Status = "status", Pool = "pool", Instance = "instance", Node = "node", Address = "address", LastActivity = "last_activity",
    SizeGb = "size_gb", Filesystem = "filesystem", Volume = "volume_id", CreatedBy = "created_by", Disk = "disk",
    Sandbox = "sandbox", Mount = "mount", AcquiredAt = "acquired_at", ErrorMessage = "error_message",
    SessionUntil = "session_until", BootFailed = "boot_failed",
}
