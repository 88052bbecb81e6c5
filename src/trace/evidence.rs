//! Evidence: what decisions were taken from – a side table of the trace, made of what was observed as they were taken.
//!
//! Of passes over things that were left as they are: who looked at what, and asked for which fixes. Of a
//! decision, a write or a request's end: what its task had looked at since it last noted a decision, which
//! fixes it had asked for, what had woken it, what it had been busy with. Records, their digest and their
//! lines know nothing of it. It knows records by number only.

pub(crate) mod observed;
mod trails;

use crate::kernel::RecordId;
use crate::model::{Actor, Kind, Subject};

use super::Records;
use observed::Observations;

/// A look at the store, or at what really runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// At which thing; for a list, whose.
    pub at: Subject,
    /// The kind of things that were listed; none: that one thing was looked at.
    pub listed: Option<Kind>,
    /// At what really is, instead of what the store says.
    pub real: bool,
    /// How many records there were when it was first taken, and when it was last.
    pub first: u32,
    /// Likewise.
    pub last: u32,
}

/// What one decision was taken from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Basis<'a> {
    /// What was looked at since the task last noted a decision, each once; lists also before that, as long as it
    /// had the same in hand.
    pub looks: &'a [Look],
    /// The fixes that were asked for since then, a bit each.
    pub asked: u128,
    /// What whoever woke the task was caused by; none when nobody did but a timer.
    pub woken: RecordId,
    /// What its task had decided before.
    pub before: RecordId,
    /// Whether the task came to it straight from that, so that it had waited for its turn.
    pub queued: bool,
}

/// A pass of a controller that noted nothing and wrote nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pass<'a> {
    /// How many records there were when it was over.
    pub ended: u32,
    /// Whose it was.
    pub actor: Actor,
    /// What it was about, where it was about one thing.
    pub about: Option<Subject>,
    /// What it looked at.
    pub looks: &'a [Look],
    /// The fixes that it asked for, a bit each.
    pub asked: u128,
}

#[derive(Clone, Copy, Debug)]
struct Idle {
    ended: u32,
    actor: Actor,
    about: Option<Subject>,
    /// Where its looks end.
    looks: u32,
    asked: u128,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    record: RecordId,
    /// Where its looks end.
    looks: u32,
    asked: u128,
    woken: RecordId,
    before: RecordId,
    queued: bool,
}

/// The evidence of one run.
#[derive(Clone, Default, Debug)]
pub struct Evidence {
    rows: Vec<Row>,
    looks: Vec<Look>,
    idle: Vec<Idle>,
    idle_looks: Vec<Look>,
    /// The fixes that were asked for by who decided nothing and looked at nothing: when something starts.
    at_start: u128,
}

impl Evidence {
    /// What follows from what was observed of a run with these records.
    pub(super) fn of_run(observed: &Observations, records: &Records) -> Self {
        trails::evidence(observed, records)
    }

    /// Keeps what a record was decided from; records come in order.
    pub(crate) fn keep(&mut self, record: RecordId, basis: Basis<'_>) {
        debug_assert!(self.rows.last().is_none_or(|last| last.record < record), "one row a record, in order");
        let Basis { looks, asked, woken, before, queued } = basis;
        self.looks.extend_from_slice(looks);
        let looks = u32::try_from(self.looks.len()).expect("fewer looks than records fit");
        self.rows.push(Row { record, looks, asked, woken, before, queued });
    }

    /// After a record these fixes were asked for, too, and nothing was decided.
    fn add_asked(&mut self, record: RecordId, asked: u128) {
        if let Ok(row) = self.rows.binary_search_by_key(&record, |row| row.record) {
            self.rows[row].asked |= asked;
        }
    }

    /// Keeps a pass that left everything as it was; they come in the order of their ends.
    fn pass(&mut self, pass: Pass<'_>) {
        let Pass { ended, actor, about, looks, asked } = pass;
        self.idle_looks.extend_from_slice(looks);
        let looks = u32::try_from(self.idle_looks.len()).expect("fewer looks than records fit");
        self.idle.push(Idle { ended, actor, about, looks, asked });
    }

    /// The fixes that were asked for when processes and their tasks started, a bit each.
    pub fn asked_at_start(&self) -> u128 {
        self.at_start
    }

    /// The passes that left everything as it was and ended when there were so many records, or more.
    pub fn passes_from(&self, records: usize) -> impl Iterator<Item = Pass<'_>> {
        let from = self.idle.partition_point(|pass| (pass.ended as usize) < records);
        (from..self.idle.len()).map(|place| {
            let Idle { ended, actor, about, looks, asked } = self.idle[place];
            let begin = place.checked_sub(1).map_or(0, |before| self.idle[before].looks);
            Pass { ended, actor, about, looks: &self.idle_looks[begin as usize..looks as usize], asked }
        })
    }

    /// What a record was decided from, where that is known.
    pub fn of(&self, record: RecordId) -> Option<Basis<'_>> {
        self.rows.binary_search_by_key(&record, |row| row.record).ok().map(|row| self.basis(row))
    }

    /// For each of so many records 1 + the row of its basis, or 0 where there is none: for those who ask for many.
    pub(crate) fn places(&self, records: usize) -> Vec<u32> {
        let mut places = vec![0; records];
        for (place, row) in (1..).zip(&self.rows) {
            if let Some(at) = row.record.index() {
                places[at] = place;
            }
        }
        places
    }

    /// The basis in a row.
    pub(crate) fn basis(&self, row: usize) -> Basis<'_> {
        let begin = row.checked_sub(1).map_or(0, |before| self.rows[before].looks);
        let Row { looks, asked, woken, before, queued, .. } = self.rows[row];
        let looks = &self.looks[begin as usize..looks as usize];
        Basis { looks, asked, woken, before, queued }
    }
}
