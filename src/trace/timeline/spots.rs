//! Spots: where in a trace something occurred that a reader cares about, without a word of what.
//!
//! A run of thousands of occurrences is told in some hundred lines: the words of an occurrence are made once in
//! one buffer, to tell which others are alike and how many lines it takes, and again only where it is shown. It
//! may know records and entries. What a newcomer gets wrong: which decisions have a line of their own is known
//! only when all records are read, for what tells them comes after them.

use std::collections::VecDeque;
use std::ops::Range;

use crate::kernel::SimTime;
use crate::model::{Actor, Failure, Kind, Reason, Subject};
use crate::trace::{Record, Trace, What, decision};

use super::Options;
use super::entries::{Reader, Tone, Words, is_routine};
use super::folding::{Families, Texts};

/// Where something occurred.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    /// The index of its main record in the trace.
    pub record: usize,
    /// When.
    pub at: SimTime,
    /// To what.
    pub subject: Subject,
    /// Who did it.
    pub(super) actor: Actor,
    /// How it is meant.
    pub tone: Tone,
    /// What sort of thing it is.
    pub(super) sort: Sort,
    /// The number of what is said of it: that of all that say the same up to numbers.
    pub(super) said: u32,
    /// The lengths of what and why, where they are short and have no end of a line in them.
    pub(super) lengths: Option<(u8, u8)>,
}

/// What sort of thing occurred, as far as folding and bounds ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// A step begins.
    Step,
    /// An invariant breaks.
    Broken,
    /// A request fails, or a look for a node does.
    InVain,
    Other,
}

impl Sort {
    fn of(what: What) -> Self {
        match what {
            What::StepBegan => Self::Step,
            What::Broken { .. } => Self::Broken,
            What::RequestFailed { .. } | What::Decided(Reason::NoNode) => Self::InVain,
            _ => Self::Other,
        }
    }
}

/// Where something occurred in a trace, in order of time.
pub fn spots(trace: &Trace, options: &Options) -> Vec<Spot> {
    spots_and_families(trace, options).0
}

/// The same, and what belongs to what in it.
pub(super) fn spots_and_families(trace: &Trace, options: &Options) -> (Vec<Spot>, Families) {
    let mut scan = Scan {
        reader: Reader { trace, options },
        told: vec![false; trace.records().len()],
        waiting: VecDeque::new(),
        words: Words::default(),
        forms: Forms::default(),
        spots: Vec::new(),
    };
    let families = scan.all();
    let Scan { told, mut spots, .. } = scan;
    spots.retain(|spot| !told[spot.record]);
    (spots, families)
}

/// So many records after a decision most have come of those that tell of it, and its own are at hand still.
const BEHIND: usize = 1 << 10;

/// One pass over all records.
struct Scan<'a> {
    reader: Reader<'a>,
    /// Which decisions another line tells: the write that they led to, the end of what they begin, or the failure
    /// that they pass on.
    told: Vec<bool>,
    /// The places of the changed fields behind the last records that are an occurrence.
    waiting: VecDeque<Range<usize>>,
    words: Words,
    forms: Forms,
    spots: Vec<Spot>,
}

/// Numbers for what is said, up to numbers in it.
#[derive(Default)]
struct Forms {
    known: Texts,
    /// The last one, for its memory.
    text: String,
}

impl Forms {
    fn number(&mut self, words: &Words) -> u32 {
        self.text.clear();
        blank_numbers(&words.what, &mut self.text);
        self.text.push(' ');
        blank_numbers(&words.why, &mut self.text);
        self.known.number(&self.text)
    }
}

/// Appends `text` with each number, age or time as one `#`.
fn blank_numbers(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        out.push('#');
        let number = rest[at..].bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
        rest = &rest[at + number.count()..];
    }
    out.push_str(rest);
}

/// What has begun about a sandbox and not ended.
#[derive(Clone, Copy, Default)]
struct Open {
    boot: Option<usize>,
    clean_up: Option<usize>,
    failure: Option<Failure>,
}

impl Open {
    /// Takes note of a decision; returns that one which needs no line of its own any more.
    fn take(&mut self, index: usize, reason: Reason) -> Option<usize> {
        match reason {
            Reason::BootStarted => {
                self.boot = Some(index);
                None
            }
            Reason::BootFailed { error, .. } => {
                self.failure = Some(error);
                self.boot.take()
            }
            Reason::Booted { .. } | Reason::BootOvertaken => self.boot.take(),
            Reason::CleanUp => {
                self.clean_up = Some(index);
                None
            }
            Reason::CleanUpFailed { error } => {
                self.failure = Some(error);
                self.clean_up.take()
            }
            Reason::CleanedUp => self.clean_up.take(),
            Reason::HandlerFailed { error } => (self.failure.take() == Some(error)).then_some(index),
            // Nothing else begins, ends or fails what others tell.
            _ => None,
        }
    }
}

impl Scan<'_> {
    fn all(&mut self) -> Families {
        let Reader { trace, options: &Options { verbose, .. } } = self.reader;
        let records = trace.records();
        let mut open: Vec<Open> = vec![Open::default(); trace.names_of(Kind::Sandbox).len()];
        let mut families = Families::default();
        let (mut from, mut next) = (0, 0);
        while let Some(index) = records.first_in(from..records.len(), |record| verbose || matters(record)) {
            from = index + 1;
            let record = records.at(index);
            families.take(trace, &record);
            if record.subject.kind == Kind::Sandbox
                && !verbose
                && let Some(open) = open.get_mut(record.subject.index as usize)
            {
                let ended = match record.what {
                    What::Decided(reason) => open.take(index, reason),
                    What::ContainerGone => open.clean_up.take(),
                    _ => None,
                };
                if let Some(ended) = ended {
                    self.told[ended] = true;
                }
            }
            let sets = from..from + self.reader.sets_of(index, &record);
            let shown = match record.what {
                What::Created { .. } | What::Deleted { .. } => true,
                What::Patched { .. } => records.first_in(sets.clone(), |set| self.reader.is_told(set)).is_some(),
                _ => false,
            };
            if let Some((decision, _)) = shown.then(|| decision(trace, &record)).flatten() {
                self.told[decision] = true;
            }
            let is_one = !is_routine(&record) && (shown || !matches!(record.what, What::Patched { .. }));
            if index >= next && (verbose || is_one) {
                next = sets.end;
                self.waiting.push_back(sets);
            }
            self.tell_before(index.saturating_sub(BEHIND));
        }
        self.tell_before(records.len() + 1);
        families
    }

    /// Tells of what lies before that index.
    fn tell_before(&mut self, end: usize) {
        while let Some(sets) = self.waiting.front().filter(|sets| sets.start < end).cloned() {
            self.waiting.pop_front();
            let index = sets.start - 1;
            if !self.told[index] {
                let spot = self.spot(index, sets);
                self.spots.extend(spot);
            }
        }
    }

    fn spot(&mut self, index: usize, sets: Range<usize>) -> Option<Spot> {
        let Self { reader, words, forms, .. } = self;
        let record = reader.trace.records().at(index);
        let tone = reader.tell(&record, sets, words)?;
        let Record { at, actor, subject, what, .. } = record;
        let length = |text: &str| u8::try_from(text.len()).ok().filter(|_| !text.contains('\n'));
        let lengths = length(&words.what).zip(length(&words.why));
        Some(Spot { record: index, at, actor, subject, tone, sort: Sort::of(what), said: forms.number(words), lengths })
    }
}

/// Whether a record may be an occurrence, or say of others which these are: most are neither.
fn matters(record: &Record) -> bool {
    match record.what {
        What::Decided(Reason::Reconcile { .. }) | What::Called { .. } => false,
        What::Set { field, .. } => Families::read(field),
        _ => true,
    }
}
