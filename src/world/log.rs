//! The log of a run: its clock, its trace, its draws.
//!
//! All parts of the world write into the one, and none of them knows who reads it. It knows what a judge must
//! see, so that time is held until it has been seen.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;

use crate::kernel::{Kernel, RecordId, SimDuration, SimTime, Streams};
use crate::model::{Actor, Detail, Kind, Name, Subject};
use crate::trace::evidence::observed::{Act, Observations};
use crate::trace::{Archive, Record, Trace, What};

use super::spec::Spread;
use super::{WORLD, judge};

/// The log of a run.
pub struct Log {
    kernel: Kernel,
    trace: RefCell<Trace>,
    records_max: usize,
    /// The first record that the judge must see and has not seen.
    news: Cell<Option<RecordId>>,
    streams: RefCell<Streams>,
    /// Whether somebody will ask what decisions were taken from.
    observes: Cell<bool>,
    observed: RefCell<Observations>,
}

impl Log {
    /// An empty one; with `records_max` records it is full.
    pub(super) fn new(kernel: Kernel, records_max: usize, seed: u64, evidence: bool) -> Self {
        let streams = RefCell::new(Streams::new(seed));
        let (observes, observed) = (Cell::new(evidence), RefCell::default());
        Self { kernel, trace: RefCell::default(), records_max, news: Cell::new(None), streams, observes, observed }
    }

    /// The kernel, whose clock and causes stand in the records.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The simulated time.
    pub fn now(&self) -> SimTime {
        self.kernel.now()
    }

    /// Writes a record, caused by what the running task was caused by.
    #[inline(always)]
    pub fn record(&self, actor: Actor, subject: impl Into<Subject>, what: What) -> RecordId {
        self.record_caused(actor, subject.into(), self.kernel.cause(), what)
    }

    /// Writes a record with a cause of its own.
    // Where a record is written it is known what it is: inlined, whether the judge must see it is
    // mostly no question any more.
    #[inline(always)]
    pub fn record_caused(&self, actor: Actor, subject: Subject, cause: RecordId, what: What) -> RecordId {
        let news = judge::must_be_seen(&what);
        let id = self.trace.borrow_mut().push(Record { at: self.now(), subject, cause, actor, what });
        if id.number() as usize >= self.records_max {
            self.kernel.hold_time();
        }
        if news {
            self.tell_judge(id);
        }
        id
    }

    /// There is something new for the judge, who sees it before time passes.
    fn tell_judge(&self, id: RecordId) {
        self.kernel.hold_time();
        // The first one stays: whoever looks reads on from there.
        self.news.set(Some(self.news.get().unwrap_or(id)));
    }

    /// Keeps all of a field whose record has a summary of it.
    pub(super) fn keep_detail(&self, record: RecordId, detail: Option<Detail>) {
        if let Some(detail) = detail {
            self.trace.borrow_mut().detail_next(record, detail);
        }
    }

    /// Writes a record, and makes it the cause of what the running task does next.
    pub fn record_and_follow(&self, actor: Actor, subject: impl Into<Subject>, what: What) -> RecordId {
        let id = self.record(actor, subject, what);
        self.kernel.set_cause(id);
        id
    }

    /// Writes what the running task decided, with what it had seen since it last did.
    #[inline(always)]
    pub fn decide(&self, actor: Actor, subject: impl Into<Subject>, what: What) -> RecordId {
        let id = self.record(actor, subject, what);
        if self.observes.get() {
            self.observe_at(id.number() as usize - 1, Act::Decides);
        }
        id
    }

    /// What a part does at the order of the running task, which shows in its first record.
    pub(super) fn ordered<T>(&self, act: impl FnOnce() -> T) -> T {
        if !self.observes.get() {
            return act();
        }
        let first = self.records();
        let done = act();
        if self.records() > first {
            self.observe_at(first, Act::Decides);
        }
        done
    }

    /// The running task looks at a thing, or lists those of a kind that are its, as they are or were so long ago.
    #[inline]
    pub(super) fn look(&self, by: Actor, at: Subject, (listed, real): (Option<Kind>, bool), ago: Option<SimDuration>) {
        let looks = Act::Looks { by, at, listed, real };
        let Some(ago) = ago else { return self.observe_at(self.records(), looks) };
        let then = self.now().elapsed().saturating_sub(ago);
        let then = self.with_trace(|trace| trace.records().partition_point(|record| record.at.elapsed() <= then));
        self.observe_at(self.records(), Act::Calls(by));
        self.observe_at(then, looks);
    }

    /// Whether somebody will ask what decisions were taken from.
    #[inline]
    pub(super) fn observes(&self) -> bool {
        self.observes.get()
    }

    /// The running task does something.
    #[inline]
    pub(super) fn observe(&self, act: Act) {
        if self.observes.get() {
            self.observe_at(self.records(), act);
        }
    }

    /// The same, where what it saw is what so many records tell.
    fn observe_at(&self, records: usize, act: Act) {
        let kernel = &self.kernel;
        if let Some(task) = kernel.running() {
            self.observed.borrow_mut().add(task, (records, kernel.events()), kernel.take_woken(), act);
        }
    }

    /// The running task asks for a fix, by its number.
    pub fn ask(&self, fix: u32) {
        if self.observes.get() {
            self.observed.borrow_mut().ask(self.kernel.running(), fix, || self.records());
        }
    }

    /// How many records there are.
    #[inline]
    fn records(&self) -> usize {
        self.trace.borrow().records().len()
    }

    /// Gives the next thing of a kind its name.
    pub fn name_next(&self, kind: Kind, name: Name) -> Subject {
        self.trace.borrow_mut().name_next(kind, name)
    }

    /// The name of a subject, with its kind.
    pub fn name(&self, subject: impl Into<Subject>) -> Name {
        self.trace.borrow().name(subject.into())
    }

    /// Lets the elder records go into an archive, so that no more than about `held.start` stay in memory; where it
    /// takes no more, `held.end`.
    pub fn archive(&self, archive: Arc<dyn Archive>, held: Range<usize>) {
        self.trace.borrow_mut().records_mut().archive(archive, held);
    }

    /// Whether it has as many records as it may.
    pub fn is_full(&self) -> bool {
        let trace = self.trace.borrow();
        trace.records().len() >= self.records_max || trace.records().is_cramped()
    }

    /// Whether a record was written that a judge must see.
    pub fn has_news(&self) -> bool {
        self.news.get().is_some()
    }

    /// Where in the trace the first record stands that a judge must see, if one was written since
    /// this was last asked.
    pub fn take_news(&self) -> Option<usize> {
        self.news.take().and_then(RecordId::index)
    }

    /// Looks at the trace as it is so far.
    pub fn with_trace<T>(&self, look: impl FnOnce(&Trace) -> T) -> T {
        look(&self.trace.borrow())
    }

    /// Takes the trace out at the end of the run, but for what was observed: of what comes beyond nothing is.
    pub fn take_trace(&self) -> Trace {
        self.observes.set(false);
        let trace = self.trace.take();
        trace.records().end();
        trace
    }

    /// Takes out what was observed.
    pub(crate) fn take_observed(&self) -> Observations {
        self.observed.take().ended()
    }

    /// Goes on with that trace, after the run's end.
    pub fn resume(&self, trace: Trace) {
        *self.trace.borrow_mut() = trace;
    }

    /// Draws from a distribution for a subject, and writes the draw down when there was one.
    #[inline]
    pub fn draw(&self, subject: Subject, purpose: &'static str, spread: Spread) -> SimDuration {
        spread.constant().unwrap_or_else(|| self.draw_from(subject, purpose, spread))
    }

    fn draw_from(&self, subject: Subject, purpose: &'static str, spread: Spread) -> SimDuration {
        let name = self.name(subject);
        let mut last = 0;
        let drawn = spread.draw(|| {
            last = self.bits(&name, purpose);
            last
        });
        self.record(WORLD, subject, What::Drawn { purpose, bits: last });
        drawn
    }

    /// Draws from a distribution for something that has no record of its own.
    pub fn draw_unrecorded(&self, subject: &str, purpose: &'static str, spread: Spread) -> SimDuration {
        spread.draw(|| self.bits(subject, purpose))
    }

    /// The next 64 bits of a stream.
    pub(super) fn bits(&self, subject: &str, purpose: &'static str) -> u64 {
        self.streams.borrow_mut().draw(subject, purpose)
    }

    /// From now on draws for that purpose are those of another seed.
    pub fn redraw(&self, purpose: &'static str, seed: u64) {
        self.streams.borrow_mut().redraw(purpose, seed);
    }

    /// From now on all draws are those of another seed, but for what is drawn once.
    pub fn redraw_all(&self, seed: u64) {
        self.streams.borrow_mut().redraw_all(seed);
    }

    /// The first 64 bits of a stream, the same each time.
    pub(super) fn bits_once(&self, subject: &str, purpose: &'static str) -> u64 {
        self.streams.borrow().once(subject, purpose)
    }
}
