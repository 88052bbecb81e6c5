//! Trace records, and the table that gives their subjects names.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use crate::hashed::{Hashed, hash_of};
use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{
    Actor, Detail, EffectKind, Field, Invariant, Kind, Name, Point, Reason, RequestError, Subject, Value, Word,
    interned,
};

use super::Records;
use super::evidence::Evidence;
use super::evidence::observed::Observations;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub enum What {
    /// A controller decided, for that reason.
    Decided(Reason),
    /// An entity was created; its fields follow as [`What::Set`].
    Created { revision: u64 },
    /// An entity was patched; the fields that changed follow as [`What::Set`].
    Patched { revision: u64 },
    /// An entity was deleted.
    Deleted { revision: u64 },
    /// A patch was refused because the entity had another revision.
    Conflict,
    /// A field got a value.
    Set { field: Field, from: Value, to: Value },
    /// A backend call succeeded (store calls are told by their writes).
    Called { point: Point, since: SimTime },
    /// A port call failed.
    CallFailed { point: Point, since: SimTime, error: Name },
    /// A fault of the scenario took effect on a call about the subject.
    Struck { fault: u32, point: Point, effect: EffectKind },
    /// An operator's step began.
    StepBegan,
    /// An operator's step came to an end; one that was refused has the refusal's own text.
    StepEnded { refused: Option<Name> },
    /// A process died.
    ProcessDown,
    /// A process started.
    ProcessUp,
    /// A container's task started to run.
    TaskStarted,
    /// A container's port answers from now on.
    PortBound,
    /// A container's task ended.
    TaskEnded { code: i32 },
    /// A container is gone.
    ContainerGone,
    /// An address was taken by the subject.
    AddressTaken(crate::model::Address),
    /// An address was given back.
    AddressFreed(crate::model::Address),
    /// A volume came to exist.
    VolumeMade,
    /// A volume was removed.
    VolumeGone,
    /// A volume was mounted on a node.
    Mounted { node: u32 },
    /// A volume was unmounted from a node.
    Unmounted { node: u32 },
    /// A random number was drawn for the subject.
    Drawn {
        /// The purpose.
        #[serde(deserialize_with = "interned")]
        purpose: Word,
        bits: u64,
    },
    /// An invariant was found broken.
    Broken { invariant: Invariant, detail: Name },
    /// A request was served, after it had waited so long for capacity.
    RequestServed { service: Name, waited: SimDuration },
    /// A request failed, after so long a wait.
    RequestFailed { service: Name, waited: SimDuration, error: RequestError },
    /// The cluster came to rest as wished.
    Settled,
    /// It is no longer at rest.
    Unsettled,
    /// Something an operator wants the reader to know.
    Note(Name),
}

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Record {
    pub at: SimTime,
    pub subject: Subject,
    pub cause: RecordId,
    pub actor: Actor,
    pub what: What,
}

const _: () = assert!(size_of::<Record>() <= 64, "a record costs at most 64 bytes");

/// All records of one run, and the names of their subjects.
#[derive(Clone, Default, Debug)]
pub struct Trace {
    records: Records,
    names: BTreeMap<Kind, Vec<Name>>,
    /// Details by the records of the fields that they belong to; equal ones are kept once.
    details: Vec<(RecordId, Arc<Detail>)>,
    known: Hashed<Arc<Detail>>,
    observed: Observations,
    /// What follows from what was observed, once somebody has asked.
    evidence: OnceLock<Evidence>,
}

impl Trace {
    /// Appends a record and returns its number.
    pub fn push(&mut self, record: Record) -> RecordId {
        let id = RecordId::from_index(self.records.len());
        self.records.push(record);
        id
    }
    /// Keeps all of the field that a record just pushed has the summary of.
    pub fn detail_next(&mut self, record: RecordId, detail: Detail) {
        let hash = hash_of(&detail);
        let detail = match self.known.get(hash, |known| **known == detail) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(self.known.get_or_insert_with(hash, |_| false, || Arc::new(detail))),
        };
        self.details.push((record, detail));
    }
    /// All of the field that a record has the summary of; none where the summary is all.
    pub fn detail(&self, record: RecordId) -> Option<&Detail> {
        let found = self.details.binary_search_by_key(&record, |(of, _)| *of);
        found.ok().map(|index| &*self.details[index].1)
    }
    /// What its decisions were taken from.
    pub fn evidence(&self) -> &Evidence {
        self.evidence.get_or_init(|| Evidence::of_run(&self.observed, &self.records))
    }
    /// Keeps what was observed of the run.
    pub(crate) fn keep(&mut self, observed: Observations) {
        self.observed = observed;
    }
    /// The evidence, for whoever makes it by hand.
    #[cfg(test)]
    pub(crate) fn evidence_mut(&mut self) -> &mut Evidence {
        self.evidence();
        self.evidence.get_mut().expect("it was asked for")
    }
    /// All records, in order.
    pub fn records(&self) -> &Records {
        &self.records
    }
    /// The same, for whoever says where they lie.
    pub(crate) fn records_mut(&mut self) -> &mut Records {
        &mut self.records
    }
    /// The record of that number.
    pub fn get(&self, id: RecordId) -> Option<Record> {
        self.records.get(id.index()?)
    }
    /// Gives the next thing of a kind its name. Names are told in the order of the indexes.
    pub fn name_next(&mut self, kind: Kind, name: Name) -> Subject {
        let names = self.names.entry(kind).or_default();
        names.push(name);
        Subject { kind, index: u32::try_from(names.len() - 1).expect("fewer than 2^32 of a kind") }
    }
    /// The name of a subject, with its kind: `sandbox/pds-database-0`.
    pub fn name(&self, subject: Subject) -> Name {
        self.names
            .get(&subject.kind)
            .and_then(|names| names.get(subject.index as usize))
            .copied()
            .unwrap_or_else(|| Name::new(subject.kind.name()))
    }
    /// The names of all things of a kind, by their index.
    pub fn names_of(&self, kind: Kind) -> &[Name] {
        self.names.get(&kind).map_or(&[], Vec::as_slice)
    }
    /// Writes the record as one line of JSON, without the line's end.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_json(&self, index: usize, out: &mut impl std::io::Write) -> std::io::Result<()> {
        serde_json::to_writer(out, &self.line(index)).map_err(Into::into)
    }
    /// The record as its line has it.
    pub(crate) fn line(&self, index: usize) -> impl Serialize {
        Line { trace: self, index }
    }
}

struct Line<'a> {
    trace: &'a Trace,
    index: usize,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let record = self.trace.records.at(self.index);
        let mut line = s.serialize_struct("record", 6)?;
        line.serialize_field("n", &(self.index + 1))?;
        line.serialize_field("t", &record.at.as_nanos())?;
        line.serialize_field("by", &record.actor)?;
        line.serialize_field("about", &self.trace.name(record.subject))?;
        line.serialize_field("cause", &record.cause)?;
        line.serialize_field("what", &record.what)?;
        line.end()
    }
}
