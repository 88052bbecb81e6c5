//! The model: entities, their ids, statuses and changes, the names of port calls, the reasons of decisions.
//!
//! Plain data: nothing here acts, waits or fails. It may know simulated time and nothing else of
//! the kernel. The fields are those of the scheduler's store (`CONTROLLERS.md` §1). What a
//! newcomer gets wrong: an [`Id`] is a handle; the order in which a store lists entities is that
//! of their random keys, never that of their ids.

pub mod actor;
pub mod config;
pub mod detail;
pub mod entity;
pub mod error;
pub mod field;
pub mod id;
pub mod invariant;
pub mod name;
pub mod point;
pub mod reason;
pub mod status;
mod words;

pub use actor::{Actor, Controller};
pub use config::{Concurrency, DiskConfig, Filesystem, PortConfig, Protocol, ServiceConfig};
pub use detail::Detail;
pub use entity::{
    App, AppChange, AppVersion, AppVersionChange, Disk, DiskChange, DiskIndex, DiskLease, DiskLeaseChange, Entity,
    LeaseIndex, Mount, NoIndex, Node, NodeChange, Pool, PoolChange, PoolIndex, Sandbox, SandboxChange, SandboxIndex,
    SandboxSpec, TableFamily, VersionIndex,
};
pub use error::{Failure, RequestError};
pub use field::{Field, Value};
pub use id::{Address, Id, Kind, Revision, Subject, VolumeId};
pub use id::{AppId, DiskId, LeaseId, NodeId, PoolId, SandboxId, VersionId};
pub use invariant::Invariant;
pub use name::Name;
pub use point::{EffectKind, Point};
pub use reason::Reason;
pub use status::{AnyStatus, DiskStatus, LeaseStatus, NodeStatus, SandboxStatus};
pub(crate) use words::words;
