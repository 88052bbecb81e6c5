//! The timeline: a run as text, one line an occurrence, repetition folded.
//!
//! Reads the trace and nothing else; what only a scenario can say of its steps and faults comes
//! in as titles. `run` and `explain` print it, golden texts do not. What a newcomer gets wrong:
//! a line stands for several records – a decision, the write it caused and the fields that
//! changed are one occurrence.

mod entries;
mod folding;
mod spots;

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::kernel::{SimDuration, SimTime};

use super::Trace;

use entries::Reader;
use spots::Sort;

pub use entries::{Entry, Tone, actor_name, entry, value_text};
pub use folding::{Block, Item, fold};
pub use spots::{Spot, spots};

/// How a timeline is made and shown.
#[derive(Clone, Debug)]
pub struct Options {
    /// Reconciles, backend calls and plain store writes as well.
    pub verbose: bool,
    /// Whether repetition is folded.
    pub fold: bool,
    /// How many columns a line may have.
    pub width: usize,
    /// How many lines it may have, about; what is left out is told. None: all.
    pub lines_max: Option<usize>,
    /// The styles of the columns.
    pub palette: Palette,
    /// What each step of the scenario does, by its number.
    pub step_titles: Vec<String>,
    /// The name of each fault of the scenario, by its number.
    pub fault_titles: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            verbose: false,
            fold: true,
            width: 120,
            lines_max: None,
            palette: Palette::plain(),
            step_titles: Vec::new(),
            fault_titles: Vec::new(),
        }
    }
}

/// The styles of a timeline.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    time: Style,
    actor: Style,
    subject: Style,
    why: Style,
    good: Style,
    bad: Style,
    outside: Style,
    fold: Style,
}

impl Palette {
    /// No colour at all.
    pub const fn plain() -> Self {
        let style = Style::new();
        Self {
            time: style,
            actor: style,
            subject: style,
            why: style,
            good: style,
            bad: style,
            outside: style,
            fold: style,
        }
    }
    /// The colours of a terminal.
    pub const fn colour() -> Self {
        Self {
            time: Style::new().dimmed(),
            actor: AnsiColor::Cyan.on_default(),
            subject: Style::new().bold(),
            why: Style::new(),
            good: AnsiColor::Green.on_default(),
            bad: AnsiColor::Red.on_default(),
            outside: AnsiColor::Yellow.on_default().bold(),
            fold: AnsiColor::Magenta.on_default(),
        }
    }

    fn of(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => self.good,
            Tone::Bad => self.bad,
            Tone::Outside => self.outside,
        }
    }
}

const TIME: usize = 11;
const GUTTER: usize = 3;
const ACTOR: usize = 11;
const SUBJECT: usize = 26;
const WHAT: usize = 20;
/// Where what happened begins.
const TEXT_AT: usize = TIME + 1 + GUTTER + 1 + ACTOR + 1 + SUBJECT + 1;
/// Where the reason begins, when it has a column of its own.
const WHY_AT: usize = TEXT_AT + WHAT + 1;
/// A narrower column for the reason is no column; it goes to the next line instead.
const WHY_MIN: usize = 36;
/// Where a reason begins that has a line of its own.
const NEXT_AT: usize = TIME + 1 + GUTTER + 3;

/// The timeline of a whole trace as text.
pub fn render(trace: &Trace, options: &Options) -> String {
    let mut out = String::new();
    write(trace, options, &mut out).expect("a string takes everything");
    out
}

/// Writes the timeline of a trace.
///
/// # Errors
/// The writer's.
pub fn write(trace: &Trace, options: &Options, out: &mut impl Write) -> fmt::Result {
    let (spots, families) = spots::spots_and_families(trace, options);
    let items = if options.fold { fold(trace, &spots, &families) } else { (0..spots.len()).map(Item::Line).collect() };
    let page = Page { trace, spots: &spots, options };
    let Some(most) = options.lines_max else {
        return items.iter().try_for_each(|item| page.item(item, 0, out));
    };
    let lines: Vec<usize> = items.iter().map(|item| page.lines(item)).collect();
    let mut from = 0;
    for stretch in page.shown(&items, &lines, most).chunk_by(|a, b| a == b) {
        let places = from..from + stretch.len();
        from = places.end;
        match stretch[0] {
            true => items[places].iter().try_for_each(|item| page.item(item, 0, out))?,
            false => page.left_out(&items[places.clone()], lines[places].iter().sum(), out)?,
        }
    }
    Ok(())
}

/// Takes text and keeps how many lines it has.
struct Lines(usize);

impl Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.bytes().filter(|byte| *byte == b'\n').count();
        Ok(())
    }
}

/// Writes one entry with a mark in its margin, as `explain` shows it.
///
/// # Errors
/// The writer's.
pub fn write_line(trace: &Trace, entry: &Entry, gutter: &str, options: &Options, out: &mut impl Write) -> fmt::Result {
    Page { trace, spots: &[], options }.entry(entry, gutter, out)
}

/// Writes a remark below an entry.
///
/// # Errors
/// The writer's.
pub fn write_remark(options: &Options, remark: &str, out: &mut impl Write) -> fmt::Result {
    let style = options.palette.fold;
    write!(out, "{:NEXT_AT$}", "")?;
    let mut column = NEXT_AT;
    for (place, word) in remark.split(' ').enumerate() {
        if place > 0 && column + 1 + word.len() > options.width {
            write!(out, "\n{:NEXT_AT$}", "")?;
            column = NEXT_AT;
        } else if place > 0 {
            out.write_char(' ')?;
            column += 1;
        }
        write!(out, "{style}{word}{style:#}")?;
        column += word.len();
    }
    out.write_char('\n')
}

/// Writes text that begins in the first of two columns and goes on in the second.
///
/// # Errors
/// The writer's.
pub fn write_words(
    options: &Options,
    text: &str,
    (start, indent): (usize, usize),
    out: &mut impl Write,
) -> fmt::Result {
    let trace = Trace::default();
    Page { trace: &trace, spots: &[], options }.text(text, start, indent, Style::new(), out)
}

/// Writes the line below a block that repeats, with the instant at its other end.
///
/// # Errors
/// The writer's.
pub fn write_fold(
    options: &Options,
    depth: usize,
    lines: usize,
    times: (u64, u64),
    every: (SimDuration, SimDuration),
    until: SimTime,
    out: &mut impl Write,
) -> fmt::Result {
    let style = options.palette.fold;
    let gutter = format!("{}\\", "|".repeat(depth));
    let lines = match lines {
        1 => "this line".to_owned(),
        n => format!("these {n} lines"),
    };
    let times = range(times);
    // What comes at random has a count and an end, and no period.
    let every = if folding::steady(every) { format!(", every {}", period(every)) } else { String::new() };
    writeln!(out, "{style}{:>TIME$} {gutter:<GUTTER$} {lines}: x{times}{every}{style:#}", clock(until))
}

struct Page<'a> {
    trace: &'a Trace,
    spots: &'a [Spot],
    options: &'a Options,
}

impl Page<'_> {
    /// Which items have their place on a page that is bounded: the first and the last, and in between what came
    /// from outside and what broke.
    fn shown(&self, items: &[Item], lines: &[usize], most: usize) -> Vec<bool> {
        if lines.iter().sum::<usize>() <= most {
            return vec![true; items.len()];
        }
        // News has half of the page at the most, and what broke is the first of it; of the rest, the beginning has
        // twice as much as the end.
        let mut shown = vec![false; items.len()];
        let mut left = most / 2;
        for (is_news, least) in [(Self::is_broken as fn(&Self, &Item) -> bool, most / 4), (Self::is_from_outside, 0)] {
            for (place, _) in items.iter().enumerate().filter(|(_, item)| is_news(self, item)) {
                // That something is left out before it takes a line, too.
                let takes = lines[place] + usize::from(place > 0 && !shown[place - 1]);
                if takes + least <= left {
                    (shown[place], left) = (true, left - takes);
                }
            }
        }
        let room = most / 2 + left;
        let mut fill = |places: &mut dyn Iterator<Item = usize>, mut room: usize| {
            for place in places {
                if !shown[place] {
                    if room < lines[place] {
                        break;
                    }
                    room -= lines[place];
                    shown[place] = true;
                }
            }
        };
        fill(&mut (0..items.len()), room * 2 / 3);
        fill(&mut (0..items.len()).rev(), room / 3);
        shown
    }

    fn is_broken(&self, item: &Item) -> bool {
        self.spots[item.first()].sort == Sort::Broken
    }

    fn is_from_outside(&self, item: &Item) -> bool {
        self.spots[item.first()].tone == Tone::Outside
    }

    /// One line instead of many.
    fn left_out(&self, items: &[Item], lines: usize, out: &mut impl Write) -> fmt::Result {
        let first = items.first().map(|item| self.spots[item.first()].at);
        let last = items.last().map(|item| self.spots[item.last()].at);
        let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
        let style = self.options.palette.fold;
        let told = format!(
            "{first:>TIME$} … {last}: {lines} lines are left out (--full; --lives: entity by entity)",
            first = clock(first),
            last = clock(last)
        );
        let next = " ".repeat(NEXT_AT);
        let told = textwrap::fill(&told, textwrap::Options::new(self.options.width).subsequent_indent(&next));
        writeln!(out, "{style}{told}{style:#}")
    }

    /// How many lines an item takes.
    fn lines(&self, item: &Item) -> usize {
        match item {
            Item::Line(index) => self.lines_of(&self.spots[*index]),
            Item::Block(block) => block.body.iter().map(|item| self.lines(item)).sum::<usize>() + 1,
        }
    }

    /// Those of a spot: where all of it fits into one, its lengths say so, and nothing need be written.
    fn lines_of(&self, spot: &Spot) -> usize {
        let start = TEXT_AT + self.trace.name(spot.subject).len().saturating_sub(SUBJECT);
        let end = spot.lengths.map(|(what, why)| match (usize::from(what), usize::from(why)) {
            (what, 0) => start + what,
            (what, why) => start + what.max(WHAT) + 2 + why,
        });
        if end.is_some_and(|end| end <= self.options.width) {
            return 1;
        }
        let mut lines = Lines(0);
        self.words(&self.read(spot), &mut lines).expect("it takes everything");
        lines.0
    }

    /// A spot with its words.
    fn read(&self, spot: &Spot) -> Entry {
        let reader = Reader { trace: self.trace, options: self.options };
        reader.entry(spot.record).expect("a spot is where something occurred")
    }

    fn item(&self, item: &Item, depth: usize, out: &mut impl Write) -> fmt::Result {
        match item {
            Item::Line(index) => self.entry(&self.read(&self.spots[*index]), &"|".repeat(depth), out),
            Item::Block(block) => {
                for item in &block.body {
                    self.item(item, depth + 1, out)?;
                }
                let until = self.spots[block.last].at;
                write_fold(self.options, depth, block.lines(), block.times, block.period, until, out)
            }
        }
    }

    fn entry(&self, entry: &Entry, gutter: &str, out: &mut impl Write) -> fmt::Result {
        let Palette { time, actor, fold, .. } = self.options.palette;
        write!(out, "{time}{:>TIME$}{time:#} {fold}{gutter:<GUTTER$}{fold:#} ", clock(entry.at))?;
        write!(out, "{actor}{:<ACTOR$}{actor:#} ", actor_name(self.trace, entry.actor))?;
        self.words(entry, out)
    }

    /// What stands behind who did it.
    fn words(&self, entry: &Entry, out: &mut impl Write) -> fmt::Result {
        let Palette { subject, why, .. } = self.options.palette;
        let tone = self.options.palette.of(entry.tone);
        let name = self.trace.name(entry.subject);
        // What does not fit its column pushes the rest of its own line, never another line's.
        let start = TEXT_AT + name.len().saturating_sub(SUBJECT);
        let width = self.options.width;
        if start + WHAT.min(entry.what.len()) > width {
            writeln!(out, "{subject}{name}{subject:#}")?;
            if !entry.why.is_empty() && NEXT_AT + entry.what.len() + 2 + entry.why.len() <= width {
                return writeln!(out, "{:NEXT_AT$}{tone}{}{tone:#}  {why}{}{why:#}", "", entry.what, entry.why);
            }
            for (text, style) in
                [(&entry.what, tone), (&entry.why, why)].into_iter().filter(|(text, _)| !text.is_empty())
            {
                write!(out, "{:NEXT_AT$}", "")?;
                self.text(text, NEXT_AT, NEXT_AT, style, out)?;
            }
            return Ok(());
        }
        write!(out, "{subject}{name:<SUBJECT$}{subject:#} ")?;
        if entry.why.is_empty() {
            return self.text(&entry.what, start, NEXT_AT, tone, out);
        }
        // Two spaces part what overflows its column from the reason.
        let gap = if entry.what.len() > WHAT { 2 } else { 1 };
        let what_end = start + entry.what.len().max(WHAT) + gap;
        if width >= WHY_AT + WHY_MIN || what_end + entry.why.len() <= width {
            write!(out, "{tone}{:<WHAT$}{tone:#}{:gap$}", entry.what, "")?;
            let indent = if width >= WHY_AT + WHY_MIN { WHY_AT } else { NEXT_AT };
            return self.text(&entry.why, what_end, indent, why, out);
        }
        writeln!(out, "{tone}{}{tone:#}", entry.what)?;
        write!(out, "{:NEXT_AT$}", "")?;
        self.text(&entry.why, NEXT_AT, NEXT_AT, why, out)
    }

    /// Text that begins in column `start` and goes on in column `indent` of further lines.
    fn text(&self, text: &str, start: usize, indent: usize, style: Style, out: &mut impl Write) -> fmt::Result {
        let mut column = start;
        let mut first = true;
        for word in text.split(' ') {
            let length = word.chars().count();
            if !first && column + 1 + length > self.options.width && column > indent {
                write!(out, "\n{:indent$}", "")?;
                column = indent;
            } else if !first {
                out.write_char(' ')?;
                column += 1;
            }
            match style == Style::new() {
                true => out.write_str(word)?,
                false => write!(out, "{style}{word}{style:#}")?,
            }
            column += length;
            first = false;
        }
        out.write_char('\n')
    }
}

/// `h:mm:ss.mmm`, cut to milliseconds: how an instant is written where several stand below each other.
pub(crate) fn clock(at: SimTime) -> String {
    let millis = at.as_nanos() / 1_000_000;
    let (secs, millis) = (millis / 1000, millis % 1000);
    match secs / 3600 {
        0 => format!("{}:{:02}.{millis:03}", secs / 60, secs % 60),
        hours => format!("{hours}:{:02}:{:02}.{millis:03}", secs / 60 % 60, secs % 60),
    }
}

fn range((low, high): (u64, u64)) -> String {
    if low == high { low.to_string() } else { format!("{low}..{high}") }
}

/// A range of periods, to the second where seconds are what matters.
fn period((low, high): (SimDuration, SimDuration)) -> String {
    let unit = if low >= SimDuration::from_secs(10) { 1_000_000_000 } else { 1_000_000 };
    let round = |d: SimDuration| SimDuration::from_nanos((d.as_nanos().saturating_add(unit / 2)) / unit * unit);
    let (low, high) = (round(low), round(high));
    if low == high { low.clock().to_string() } else { format!("{}..{}", low.clock(), high.clock()) }
}

#[cfg(test)]
#[path = "timeline/tests.rs"]
mod tests;
