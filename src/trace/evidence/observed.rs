//! What tasks do on the way to their decisions, as they do it: the raw material of evidence.
//!
//! A run only appends to a list; what follows from it for each decision is worked out when somebody asks
//! (`trails.rs`). It decides nothing, and no run depends on it.

use std::cell::{Cell, RefCell};

use crate::kernel::{RecordId, TaskId};
use crate::model::{Actor, Kind};

/// What a task does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// It begins a call, as that actor.
    Calls(Actor),
    /// It looks, as that actor, at the thing of a kind and index, or lists those of another kind that are its; at
    /// what really is, or in the store.
    Looks { by: Actor, kind: Kind, index: u32, listed: Option<Kind>, real: bool },
    /// It takes up something else, or has nothing in hand any more.
    Turns { asked: bool },
    /// It decides, writes or orders: that record says what.
    Decides { asked: bool },
    /// Nothing but ask for fixes, before another task runs.
    Asks,
}

impl Act {
    /// Whether it has asked for fixes before.
    fn has_asked(self) -> bool {
        matches!(self, Self::Asks | Self::Turns { asked: true } | Self::Decides { asked: true })
    }
}

/// Something that a task did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    /// None when it was done while no task ran.
    pub(crate) task: Option<TaskId>,
    /// How many records there were: what was seen is what these tell.
    pub(crate) records: u32,
    /// How many events had run; the low half of it tells two of a task's own apart.
    pub(crate) events: u32,
    /// What whoever woke the task was caused by, if it was not told before.
    pub(crate) woken: RecordId,
    pub(crate) act: Act,
}

const _: () = assert!(size_of::<Observation>() <= 32, "an observation costs at most 32 bytes");

/// Nothing yet.
const NOTHING: Observation = Observation { task: None, records: 0, events: 0, woken: RecordId::NONE, act: Act::Asks };

/// So many observations are put away at once.
const PIECE: usize = 1 << 8;

/// Who observes a run. To take one thing down is to cost next to nothing: there is a free place for it, and what else
/// is to be done is done rarely and afterwards, so that nothing need be saved for it.
pub(crate) struct Observer {
    /// Whether somebody will ask.
    is_on: Cell<bool>,
    /// The last ones; empty where nobody will ever ask.
    open: Box<[Cell<Observation>]>,
    taken: Cell<usize>,
    /// All others.
    kept: RefCell<Observations>,
}

impl Observer {
    /// One that observes, or not.
    pub(crate) fn new(is_on: bool) -> Self {
        let open = vec![Cell::new(NOTHING); if is_on { PIECE } else { 0 }].into_boxed_slice();
        Self { is_on: Cell::new(is_on), open, taken: Cell::new(0), kept: RefCell::default() }
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.get()
    }

    /// Of what comes nothing is observed.
    pub(crate) fn end(&self) {
        self.is_on.set(false);
    }

    /// A task does something.
    #[inline]
    pub(crate) fn add(&self, seen: Observation) {
        let place = self.taken.get();
        self.open[place].set(seen);
        self.taken.set(place + 1);
        if place + 1 == self.open.len() {
            self.put_away();
        }
    }

    #[cold]
    fn put_away(&self) {
        let open = self.open[..self.taken.replace(0)].iter().map(Cell::get);
        self.kept.borrow_mut().pieces.push(open.collect());
    }

    /// Fixes were asked for, a bit each, by whoever does what is observed next.
    #[inline(never)]
    pub(crate) fn ask(&self, fixes: u128) {
        self.kept.borrow_mut().asked.push(fixes);
    }

    /// The fixes that anybody asked for.
    pub(crate) fn asked(&self) -> u128 {
        self.kept.borrow().asked.iter().fold(0, |all, fixes| all | fixes)
    }

    /// All that was observed.
    pub(crate) fn take(&self) -> Observations {
        self.put_away();
        self.kept.take()
    }
}

/// All that was observed in a run, in order.
#[derive(Clone, Default, Debug)]
pub(crate) struct Observations {
    pieces: Vec<Vec<Observation>>,
    /// Sets of fixes, a bit each, in the order of the observations that have some.
    asked: Vec<u128>,
}

impl Observations {
    /// Each with the fixes that were asked for before it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Observation, u128)> {
        let mut asked = self.asked.iter();
        let all = self.pieces.iter().flatten();
        all.map(move |seen| (seen, if seen.act.has_asked() { *asked.next().expect("one each") } else { 0 }))
    }
}
