//! Records as few bytes, for an archive.
//!
//! A record of 64 bytes takes about 15 of them: times and causes count from their neighbours, and what people
//! read as a text is itself here. What comes back is equal to what was put in.

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use crate::kernel::{RecordId, SimTime};
use crate::model::{Actor, Subject};

use super::{Record, What};

#[derive(Serialize, Deserialize)]
struct Packed {
    /// Nanoseconds since the record before.
    later: u64,
    subject: Subject,
    /// How many records before this one its cause is; 0: it has none.
    cause_before: u32,
    actor: Actor,
    what: What,
}

/// The bytes of some records, the first of which has that index.
pub(crate) fn pack(records: &[Record], first: usize) -> Vec<u8> {
    let (mut last, mut bytes) = (0, Vec::new());
    for (record, index) in records.iter().zip(first..) {
        let Record { at, subject, cause, actor, what } = *record;
        let later = at.as_nanos() - std::mem::replace(&mut last, at.as_nanos());
        let cause_before = cause.index().map_or(0, |cause| (index - cause) as u32);
        let packed = Packed { later, subject, cause_before, actor, what };
        postcard::serialize_with_flavor(&packed, Behind(&mut bytes)).expect("every record has a form");
    }
    bytes
}

/// Puts bytes behind others; the library's own way to do so takes three times as long.
struct Behind<'a>(&'a mut Vec<u8>);

impl Flavor for Behind<'_> {
    type Output = ();
    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }
    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// The records that were packed into these bytes.
pub(crate) fn unpack(mut bytes: &[u8], first: usize) -> Vec<Record> {
    let (mut records, mut last) = (Vec::new(), 0);
    while !bytes.is_empty() {
        let (packed, rest) =
            postcard::take_from_bytes::<Packed>(bytes).expect("an archive gives back what it was given");
        let Packed { later, subject, cause_before, actor, what } = packed;
        bytes = rest;
        last += later;
        let index = first + records.len();
        let cause =
            if cause_before == 0 { RecordId::NONE } else { RecordId::from_index(index - cause_before as usize) };
        records.push(Record { at: SimTime::from_nanos(last), subject, cause, actor, what });
    }
    records
}
