//! Reads a trace for its index, once, in chunks and by several threads.
//!
//! A trace is much larger than any cache, and reading it is most of the work: what the index
//! needs of a record is noted down here, so that nobody reads it again. It knows records only.

use rayon::prelude::*;

use crate::model::{Field, Kind, Subject, Value};
use crate::trace::{Records, What};

use super::class;

/// What was noted down of each record.
pub(super) struct Notes {
    /// What it is about, packed.
    pub(super) subjects: Vec<u32>,
    pub(super) classes: Vec<u8>,
    /// What some of them relate, in order.
    pub(super) relations: Vec<Vec<Relation>>,
}

/// Reads all records.
pub(super) fn read(records: &Records) -> Notes {
    let (mut subjects, mut classes) = (vec![0; records.len()], vec![0; records.len()]);
    let parts = subjects.par_chunks_mut(CHUNK).zip(classes.par_chunks_mut(CHUNK));
    let relations = parts.enumerate().map(|(nth, part)| chunk(records, nth, part)).collect();
    Notes { subjects, classes, relations }
}

/// So many records are read in one go.
const CHUNK: usize = 1 << 16;

/// A record that relates two things, or tells of the life of one that has an owner.
pub(super) struct Relation {
    pub(super) at: u32,
    pub(super) subject: Subject,
    /// Whose it is from now on; none: its life goes on.
    pub(super) owner: Option<Subject>,
}

/// Reads one chunk.
fn chunk(records: &Records, nth: usize, (subjects, classes): (&mut [u32], &mut [u8])) -> Vec<Relation> {
    let mut relations = Vec::new();
    let begin = nth * CHUNK;
    for (place, record) in records.range(begin..begin + subjects.len()).enumerate() {
        subjects[place] = pack(record.subject);
        classes[place] = class::of(&record);
        let (at, subject) = ((begin + place) as u32, record.subject);
        match record.what {
            What::Set { field, to: Value::Ref(owner), .. } if owns(subject.kind, field) => {
                // The fields of a creation follow it: it is told now that its owner is known.
                let at = record.cause.index().map_or(at, |birth| birth as u32);
                relations.push(Relation { at, subject, owner: Some(owner) });
            }
            // Of a thing that nobody owns, nobody asks.
            _ if classes[place] & (class::CHANGE | class::EVENT) != 0 && is_owned(subject.kind) => {
                relations.push(Relation { at, subject, owner: None });
            }
            _ => {}
        }
    }
    relations
}

/// Whether a field of a kind names its owner.
fn owns(kind: Kind, field: Field) -> bool {
    matches!(
        (kind, field),
        (Kind::Sandbox, Field::Pool) | (Kind::Pool, Field::App) | (Kind::Lease, Field::Sandbox | Field::Disk)
    )
}

fn is_owned(kind: Kind) -> bool {
    matches!(kind, Kind::Sandbox | Kind::Pool | Kind::Lease | Kind::Node)
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
