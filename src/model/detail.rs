//! What a field holds beyond the value that fits a record: specs, lists, how a disk is mounted.
//!
//! Plain data that may be sent between threads. Records stay small because they carry a
//! [`Value`](super::Value); whoever must know all of a field finds its detail beside the trace.

use super::entity::{Mount, SandboxSpec};
use super::id::VersionId;
use super::name::Name;

/// All of a field whose value in a record is a summary.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
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
