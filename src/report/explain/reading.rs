//! Reads a trace for its index, once, in chunks and by several threads.
//!
//! A trace is much larger than any cache, and reading it is most of the work: what the index
//! needs of a record is noted down here, so that nobody reads it again. It knows records only.
//! What a newcomer gets wrong: chunks are read in any order, and what they say is put together
//! in the order of the trace.

use rayon::prelude::*;

use crate::model::{Field, Kind, Reason, Subject, Value};
use crate::trace::{Record, What};

use super::class;

/// What was noted down of each record.
pub(super) struct Notes {
    /// What it is about, packed.
    pub(super) subjects: Vec<u32>,
    /// Its class.
    pub(super) classes: Vec<u8>,
    /// What some of them relate, in order.
    pub(super) relations: Vec<Vec<Relation>>,
}

/// Reads all records.
pub(super) fn read(records: &[Record]) -> Notes {
    let (mut subjects, mut classes) = (vec![0; records.len()], vec![0; records.len()]);
    let parts = subjects.par_chunks_mut(CHUNK).zip(classes.par_chunks_mut(CHUNK));
    let relations = parts.enumerate().map(|(nth, part)| chunk(records, nth, part)).collect();
    Notes { subjects, classes, relations }
}

/// So many records are read in one go.
const CHUNK: usize = 1 << 16;

/// A record that relates two things, or tells of a sandbox's life.
pub(super) struct Relation {
    pub(super) at: u32,
    pub(super) subject: Subject,
    pub(super) what: Related,
}

pub(super) enum Related {
    SandboxOf(Subject),
    PoolOf(Subject),
    LeaseBy(Subject),
    LeaseOf(Subject),
    Lived,
}

/// Reads one chunk.
fn chunk(records: &[Record], nth: usize, (subjects, classes): (&mut [u32], &mut [u8])) -> Vec<Relation> {
    let mut relations = Vec::new();
    let begin = nth * CHUNK;
    for (place, record) in records[begin..begin + subjects.len()].iter().enumerate() {
        subjects[place] = pack(record.subject);
        classes[place] = class::of(record);
        let at = (begin + place) as u32;
        relations.extend(related(at, record).map(|(at, what)| Relation { at, subject: record.subject, what }));
    }
    relations
}

/// What a record relates, as the fields of a creation say, and of which record that is told.
fn related(at: u32, record: &Record) -> Option<(u32, Related)> {
    let kind = record.subject.kind;
    match record.what {
        What::Set { field, to: Value::Ref(parent), .. } => match (kind, field) {
            // The fields of a creation follow it: it is told now that its pool is known.
            (Kind::Sandbox, Field::Pool) => {
                Some((record.cause.index().map_or(at, |birth| birth as u32), Related::SandboxOf(parent)))
            }
            (Kind::Pool, Field::App) => Some((at, Related::PoolOf(parent))),
            (Kind::Lease, Field::Sandbox) => Some((at, Related::LeaseBy(parent))),
            (Kind::Lease, Field::Disk) => Some((at, Related::LeaseOf(parent))),
            // Other references are read from their own records.
            _ => None,
        },
        What::Set { field: Field::Status, from, .. } if kind == Kind::Sandbox && from != Value::None => {
            Some((at, Related::Lived))
        }
        What::Deleted { .. } | What::Decided(Reason::BootFailed { .. }) if kind == Kind::Sandbox => {
            Some((at, Related::Lived))
        }
        // Nothing else relates two things.
        _ => None,
    }
}

fn pack(Subject { kind, index }: Subject) -> u32 {
    assert!(index >> INDEX_BITS == 0, "fewer than 2^28 of a kind");
    (kind as u32) << INDEX_BITS | index
}

pub(super) fn unpack(subject: u32) -> (usize, usize) {
    ((subject >> INDEX_BITS) as usize, (subject & ((1 << INDEX_BITS) - 1)) as usize)
}

/// A subject is packed into one number: its index below, its kind above.
const INDEX_BITS: u32 = 28;
