//! The model: entities, their ids, statuses and changes, the names of port calls, the reasons of decisions.
//!
//! Plain data: nothing here acts, waits or fails. It may know simulated time and nothing else of
//! the kernel. The fields are those of the scheduler's store (`docs/rules.md` §1). What a
//! newcomer gets wrong: an [`Id`] is a handle; the order in which a store lists entities is rule
//! 1.3's, and not that of their ids.

pub(crate) mod actor;
pub(crate) mod config;
pub(crate) mod entity;
pub(crate) mod error;
pub(crate) mod field;
pub(crate) mod id;
pub(crate) mod invariant;
pub(crate) mod name;
pub(crate) mod point;
pub(crate) mod reason;
pub(crate) mod status;
pub(crate) mod words;

pub use actor::{Actor, Controller};
pub(crate) use config::{Concurrency, DiskConfig, Filesystem, PortConfig, Protocol, ServiceConfig};
pub(crate) use entity::{
    App, AppChange, AppVersion, AppVersionChange, Disk, DiskChange, DiskIndex, DiskLease, DiskLeaseChange, LeaseIndex,
    Mount, Node, NodeChange, NodeIndex, OfAll, PerKind, SandboxSpec,
};
// What a controller of a user's own is written in (`crate::own`).
pub(crate) use entity::{AppId, DiskId, LeaseId, SandboxId, VersionId};
pub(crate) use entity::{Entity, PoolChange, SandboxChange};
pub use entity::{NodeId, Pool, PoolId, Sandbox, SandboxIndex};
pub use error::Failure;
pub(crate) use error::RequestError;
pub(crate) use field::Detail;
pub use field::{Field, Value};
pub use id::{Address, Kind, Subject};
pub(crate) use id::{Id, Revision, VolumeId, slot};
pub use invariant::Invariant;
pub(crate) use name::interned;
pub use name::{Name, Word};
pub use point::{EffectKind, Point};
pub use reason::Reason;
pub use status::{AnyStatus, SandboxStatus};
pub(crate) use status::{DiskStatus, LeaseStatus, NodeStatus};
pub(crate) use words::{Upper, Words, counted, listed, plural};
