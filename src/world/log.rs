//! The log of a run: its clock, its trace, its draws.
//!
//! All parts of the world write into the one, and none of them knows who reads it. It knows what a judge must
//! see, so that time is held until it has been seen.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::kernel::{Kernel, RecordId, SimDuration, SimTime, Step, Streams, TaskId};
use crate::model::{Actor, Detail, Kind, Name, Subject};
use crate::trace::evidence::observed::{Act, Observation, Observations, Observer};
use crate::trace::{Archive, Record, Trace, What};

use super::spec::Spread;
use super::{WORLD, judge};

/// The log of a run.
pub struct Log {
    kernel: Kernel,
    trace: RefCell<Trace>,
    /// How many records there are.
    records: Cell<u32>,
    records_max: usize,
    /// The first record that the judge must see and has not seen.
    news: Cell<Option<RecordId>>,
    streams: RefCell<Streams>,
    observer: Observer,
    /// The fixes that were asked for since the observer was last told, a bit each.
    asked: Rc<Cell<u128>>,
}

impl Log {
    /// An empty one; with `records_max` records it is full.
    pub(super) fn new(kernel: Kernel, records_max: usize, seed: u64, evidence: bool) -> Self {
        Self {
            kernel,
            trace: RefCell::default(),
            records: Cell::new(0),
            records_max,
            news: Cell::new(None),
            streams: RefCell::new(Streams::new(seed)),
            observer: Observer::new(evidence),
            asked: Rc::default(),
        }
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
        self.records.set(id.number());
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
        if self.observes() {
            self.decided(id.number() - 1);
        }
        id
    }

    /// What a part does at the order of the running task, which shows in its first record.
    pub(super) fn ordered<T>(&self, act: impl FnOnce() -> T) -> T {
        if !self.observes() {
            return act();
        }
        let first = self.records.get();
        let done = act();
        if self.records.get() > first {
            self.decided(first);
        }
        done
    }

    #[inline(never)]
    fn decided(&self, record: u32) {
        self.observe_at(record, Act::Decides { asked: self.tell_asked() });
    }

    /// The running task has nothing in hand any more.
    #[inline(never)]
    pub(super) fn turned(&self) {
        self.observe_at(self.records.get(), Act::Turns { asked: self.tell_asked() });
    }

    /// Whether somebody will ask what decisions were taken from.
    #[inline]
    pub(super) fn observes(&self) -> bool {
        self.observer.is_on()
    }

    /// The running task does something.
    #[inline]
    pub(super) fn observe(&self, act: Act) {
        self.observe_at(self.records.get(), act);
    }

    /// The same, of which it sees what was true so long ago.
    pub(super) fn observe_stale(&self, ago: SimDuration, act: Act) {
        let then = self.now().elapsed().saturating_sub(ago);
        let then = self.with_trace(|trace| trace.records().partition_point(|record| record.at.elapsed() <= then));
        self.observe_at(then as u32, act);
    }

    /// The same, of which it sees what so many records tell.
    #[inline]
    fn observe_at(&self, records: u32, act: Act) {
        let kernel = &self.kernel;
        let (task, events, woken) = (kernel.running(), kernel.events() as u32, kernel.take_woken());
        self.observer.add(Observation { task, records, events, woken, act });
    }

    /// Whether fixes were asked for before what is observed next.
    #[inline]
    fn tell_asked(&self) -> bool {
        let asked = self.asked.get();
        if asked != 0 {
            self.asked.set(0);
            self.observer.ask(asked);
        }
        asked != 0
    }

    /// What was asked for and not told yet, that task has asked for, or nobody.
    #[inline]
    fn end_asking(&self, task: Option<TaskId>) {
        if self.tell_asked() {
            let (records, woken) = (self.records.get(), RecordId::NONE);
            self.observer.add(Observation { task, records, events: 0, woken, act: Act::Asks });
        }
    }

    /// Where it is noted which fixes anybody asks for, a bit each.
    pub fn asks(&self) -> Rc<Cell<u128>> {
        Rc::clone(&self.asked)
    }

    /// The fixes that anybody has asked for, a bit each.
    pub fn asked(&self) -> u128 {
        self.observer.asked() | self.asked.get()
    }

    /// Has the kernel run, as [`Kernel::run`].
    pub fn run(&self, limit: SimTime, look_from: SimTime) -> Step {
        if !self.observes() {
            return self.kernel.run(limit, look_from);
        }
        self.end_asking(None);
        self.kernel.run_telling(limit, look_from, |task| self.end_asking(Some(task)))
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
        self.records.get() as usize >= self.records_max || self.trace.borrow().records().is_cramped()
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
        if self.observes() {
            self.end_asking(None);
            self.observer.end();
        }
        let trace = self.trace.take();
        trace.records().end();
        trace
    }

    /// Takes out what was observed.
    pub(crate) fn take_observed(&self) -> Observations {
        self.observer.take()
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
