//! Evidence: what decisions were taken from – a side table of the trace, kept as they are taken.
//!
//! Of a decision, a write or a request's end: what its task had looked at since it last noted a decision,
//! which fixes it had asked for, what had woken it, what it had been busy with. Records, their digest and
//! their lines know nothing of it. It knows records by number only. What a newcomer gets wrong: a
//! look is told by *when* it was taken; what it showed is in the records before that.

use crate::kernel::RecordId;
use crate::model::{Kind, Subject};

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
}

impl Evidence {
    /// Keeps what a record was decided from; records come in order.
    pub(crate) fn keep(&mut self, record: RecordId, basis: Basis<'_>) {
        debug_assert!(self.rows.last().is_none_or(|last| last.record < record), "one row a record, in order");
        let Basis { looks, asked, woken, before, queued } = basis;
        self.looks.extend_from_slice(looks);
        let looks = u32::try_from(self.looks.len()).expect("fewer looks than records fit");
        self.rows.push(Row { record, looks, asked, woken, before, queued });
    }

    /// After a record these fixes were asked for, too, and nothing was decided.
    pub(crate) fn add_asked(&mut self, record: RecordId, asked: u128) {
        if let Ok(row) = self.rows.binary_search_by_key(&record, |row| row.record) {
            self.rows[row].asked |= asked;
        }
    }

    /// What a record was decided from, where that is known.
    pub fn of(&self, record: RecordId) -> Option<Basis<'_>> {
        let row = self.rows.binary_search_by_key(&record, |row| row.record).ok()?;
        let begin = row.checked_sub(1).map_or(0, |before| self.rows[before].looks);
        let Row { looks, asked, woken, before, queued, .. } = self.rows[row];
        let looks = &self.looks[begin as usize..looks as usize];
        Some(Basis { looks, asked, woken, before, queued })
    }
}
