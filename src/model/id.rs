//! Handles of entities, and what a trace record can be about.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::words;

/// The store's global revision: every write gets the next one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Revision(pub u64);

/// The handle of an entity of type `E`; never used again after a delete.
pub struct Id<E> {
    index: u32,
    of: PhantomData<fn() -> E>,
}

impl<E> Id<E> {
    /// The handle of the entity that was created as number `index` of its kind.
    pub const fn from_index(index: u32) -> Self {
        Self { index, of: PhantomData }
    }
    /// The number of its creation among its kind, from 0.
    pub const fn index(self) -> u32 {
        self.index
    }
}

impl<E> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Id<E> {}
impl<E> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}
impl<E> Eq for Id<E> {}
impl<E> Hash for Id<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}
impl<E> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.index.cmp(&other.index)
    }
}
impl<E> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.index)
    }
}

/// A volume of the disk backend.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VolumeId(pub u32);

/// A network address of a node's subnet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Address {
    /// The node's number, from 0.
    pub node: u16,
    /// The host part, from 1.
    pub host: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "10.{}.{}.{}", self.node, self.host / 256, self.host % 256)
    }
}
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl FromStr for Address {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.strip_prefix("10.").ok_or(())?.split('.').map(|part| part.parse::<u16>().map_err(|_| ()));
        let mut part = || parts.next().ok_or(())?;
        let (node, high, low) = (part()?, part()?, part()?);
        let host = high.checked_mul(256).and_then(|host| host.checked_add(low)).ok_or(())?;
        Ok(Self { node, host })
    }
}
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(d)?;
        text.parse().map_err(|()| D::Error::custom(format!("`{text}` is no address")))
    }
}

words!(
    /// The kinds of things that a trace record can be about; by their words in names:
    /// `sandbox` of `sandbox/pds-database-0`.
    #[expect(missing_docs, reason = "what has no comment is what its name says")]
    Kind {
        /// The whole run.
        Cluster = "cluster",
        App = "app",
        Version = "version",
        Pool = "pool",
        /// A sandbox, and its container.
        Sandbox = "sandbox",
        Disk = "disk",
        Lease = "lease",
        Node = "node",
        /// A volume of the disk backend.
        Volume = "volume",
        Step = "step",
        Fault = "fault",
        /// A process: the coordinator (0) or a node's (1 + its number).
        Process = "process",
    }
);

/// What a trace record is about: the `index`-th thing of a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Subject {
    /// Its kind.
    pub kind: Kind,
    /// Its number among its kind, from 0.
    pub index: u32,
}

impl Subject {
    /// The run as a whole.
    pub const CLUSTER: Self = Self { kind: Kind::Cluster, index: 0 };
}

impl From<VolumeId> for Subject {
    fn from(id: VolumeId) -> Self {
        Self { kind: Kind::Volume, index: id.0 }
    }
}

/// What is kept of the `index`-th thing; `empty` where nothing was kept of it yet.
pub(crate) fn slot<T: Clone>(slots: &mut Vec<T>, index: u32, empty: T) -> &mut T {
    let index = index as usize;
    if index >= slots.len() {
        slots.resize(index + 1, empty);
    }
    &mut slots[index]
}
