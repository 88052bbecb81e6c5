//! Reports: what came of runs, as files and texts.
//!
//! It reads traces and outcomes and may not run anything. Snapshots and fingerprints are its
//! files on disk; golden texts and JSON its texts. What a newcomer gets wrong: a report counts
//! nothing by itself – every figure comes from the trace.

pub mod corpus;
pub mod fingerprints;
pub mod snapshot_file;
