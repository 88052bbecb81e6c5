//! Likeness: which links say the same but for their times and numbers.
//!
//! Every link gets a number, the same for all that are alike, while the way is walked: then its records are
//! at hand, and a way of a hundred thousand links is folded by comparing numbers. It makes no texts.

use std::mem::{Discriminant, discriminant};

use crate::model::{AnyStatus, Controller, Failure, Field, Kind, Reason, Subject, Value};
use crate::trace::{Record, What};

use super::index::Index;

/// What a link is like, but for its time and its numbers.
#[derive(PartialEq)]
struct Likeness {
    controller: Controller,
    kind: Kind,
    parent: Option<Subject>,
    what: Discriminant<What>,
    reason: Option<Discriminant<Reason>>,
    /// The status that was written, or the error.
    status: Option<AnyStatus>,
    error: Option<Failure>,
    /// The fault that struck: what one decided, another did not.
    fault: Option<u32>,
}

/// The numbers that were given.
pub(super) struct Likenesses {
    /// By a cheap hash; alike is decided by comparison.
    known: Vec<Vec<(Likeness, u32)>>,
    next: u32,
}

const BUCKETS: usize = 1024;

impl Likenesses {
    pub(super) fn new() -> Self {
        Self { known: (0..BUCKETS).map(|_| Vec::new()).collect(), next: 0 }
    }

    /// The number of a link: its main record, and the decision behind it.
    pub(super) fn number(&mut self, index: &Index<'_>, at: usize, rule: Option<usize>) -> u32 {
        let like = likeness(index, at, rule);
        let parent = like.parent.map_or(0, |parent| parent.index as usize);
        let hash = like.controller as usize + 16 * like.kind as usize + 199 * parent;
        let bucket = &mut self.known[hash % BUCKETS];
        if let Some((_, known)) = bucket.iter().find(|(known, _)| *known == like) {
            return *known;
        }
        self.next += 1;
        bucket.push((like, self.next));
        self.next
    }
}

fn likeness(index: &Index<'_>, at: usize, rule: Option<usize>) -> Likeness {
    let record = index.record(at);
    let reason = match (record.what, rule.map(|rule| index.record(rule).what)) {
        (What::Decided(reason), _) | (_, Some(What::Decided(reason))) => Some(reason),
        _ => None,
    };
    Likeness {
        controller: record.actor.controller,
        kind: record.subject.kind,
        parent: match record.subject.kind {
            Kind::Sandbox => index.parent(record.subject),
            // One lease of a disk is as good as the other.
            Kind::Lease => None,
            _ => Some(record.subject),
        },
        what: discriminant(&record.what),
        reason: reason.as_ref().map(discriminant),
        status: status_of(index, at),
        error: match (reason, record.what) {
            (Some(Reason::BootFailed { error, .. } | Reason::LeaseFailed { error }), _) => Some(error),
            (_, What::CallFailed { error, .. }) => Some(Failure::Other(error)),
            _ => None,
        },
        fault: match record.what {
            What::Struck { fault, .. } => Some(fault),
            _ => None,
        },
    }
}

/// The status that a write gave.
fn status_of(index: &Index<'_>, write: usize) -> Option<AnyStatus> {
    let sets = index.trace().records().range(write + 1..);
    let own = |r: &Record| matches!(r.what, What::Set { .. }) && r.cause.index() == Some(write);
    { sets }.take_while(own).find_map(|set| match set.what {
        What::Set { field: Field::Status, to: Value::Status(status), .. } => Some(status),
        _ => None,
    })
}
