//! The view: runs looked at in a terminal – lanes, a cursor in time, and why.
//!
//! A state that keys change and that draws itself into a buffer of cells; whoever owns the terminal
//! hands it both. It may use stories, reports and studies, and prints nothing. What a newcomer gets wrong:
//! a key only moves – what takes long is a [`Request`] that is carried out after the next picture, and chains
//! of causes are asked for when nobody types ([`View::rest`]).

mod draw;
mod keys;
mod loaded;
mod look;
mod otherwise;
mod pane;
mod rows;
mod why;

pub(crate) use keys::leaves;
pub(crate) use loaded::{Loaded, Slots};
pub(crate) use look::Look;

use crate::kernel::{SimDuration, SimTime};
use crate::report::explain::Decider;
use crate::scenario::Scenario;
use crate::trace::Trace;

use otherwise::Otherwise;
use pane::{Pane, Scale};
use why::Why;

/// The story that is looked at, where it is known.
#[derive(Clone, Copy)]
pub(crate) struct Story<'a> {
    /// The scenario, with all its variants.
    pub(crate) scenario: &'a Scenario,
    /// Where runs end, when not at the horizon.
    pub(crate) until: Option<SimTime>,
}

/// Something that takes long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Request {
    /// To end.
    Quit,
    /// To see the variant of that number.
    Variant(usize),
    /// To see the run with that otherwise.
    Otherwise(Decider),
    /// To know what becomes of the end with each thing otherwise.
    Each,
}

/// What keys are for.
enum Mode {
    /// To move about.
    Lanes,
    /// To read what keys do, from that line on.
    Help(usize),
    /// To write what is looked for.
    Find(String),
    /// To choose what is made otherwise.
    Otherwise(Otherwise),
}

/// Where one has come from.
struct Place {
    pane: usize,
    lane: usize,
    at: SimTime,
    record: Option<usize>,
}

/// What is looked at.
pub(crate) struct View<'a> {
    name: String,
    story: Option<Story<'a>>,
    slots: &'a Slots,
    panes: Vec<Pane<'a>>,
    /// The variant of each pane, where it is one of the story's own.
    variants: Vec<Option<usize>>,
    now: usize,
    /// The one that was looked at before.
    before: usize,
    beside: bool,
    /// Whether the panel has the screen to itself.
    tall: bool,
    /// The part of the runs that is shown.
    from: SimTime,
    until: SimTime,
    /// The cursor.
    at: SimTime,
    /// The record that the cursor was sent to.
    record: Option<usize>,
    why: Option<Why>,
    back: Vec<Place>,
    filter: String,
    mode: Mode,
    message: String,
    look: Look,
    size: (u16, u16),
}

/// More runs are not looked at together.
pub(crate) const RUNS_MAX: usize = 12;

impl<'a> View<'a> {
    /// A view of a story, at its variant of that number.
    pub(crate) fn of_story(story: Story<'a>, variant: usize, slots: &'a Slots, look: Look) -> Self {
        let name = story.scenario.name.clone();
        let mut view = Self::new(name, Some(story), slots, look);
        view.show_variant(variant);
        view
    }

    /// A view of a trace.
    pub(crate) fn of_trace(name: String, trace: Trace, slots: &'a Slots, look: Look) -> Self {
        let mut view = Self::new(name.clone(), None, slots, look);
        view.add(|| Loaded::trace(name, trace), None);
        view
    }

    fn new(name: String, story: Option<Story<'a>>, slots: &'a Slots, look: Look) -> Self {
        Self {
            name,
            story,
            slots,
            panes: Vec::new(),
            variants: Vec::new(),
            now: 0,
            before: 0,
            beside: false,
            tall: false,
            from: SimTime::ZERO,
            until: SimTime::ZERO,
            at: SimTime::ZERO,
            record: None,
            why: None,
            back: Vec::new(),
            filter: String::new(),
            mode: Mode::Lanes,
            message: String::new(),
            look,
            size: (80, 24),
        }
    }

    /// The terminal has that size.
    pub(crate) fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.scroll();
    }

    /// Says what is being waited for.
    pub(crate) fn wait_for(&mut self, request: Request) {
        self.message = match request {
            Request::Quit => String::new(),
            Request::Variant(variant) => {
                let name = self.story.and_then(|story| story.scenario.variants.get(variant)).map(|v| v.name.as_str());
                format!("running variant {} ... Ctrl-C leaves", name.unwrap_or_default())
            }
            Request::Otherwise(_) => "running it otherwise ... Ctrl-C leaves".to_owned(),
            Request::Each => "trying each ... Ctrl-C leaves".to_owned(),
        };
    }

    /// Does what takes long.
    pub(crate) fn carry_out(&mut self, request: Request) {
        self.message.clear();
        match request {
            Request::Quit => {}
            Request::Variant(variant) => self.show_variant(variant),
            Request::Otherwise(decider) => self.make_otherwise(decider),
            Request::Each => self.try_each(),
        }
    }

    /// Nobody types: asks for what was left until then. Whether there is something new to see.
    pub(crate) fn rest(&mut self) -> bool {
        let pane = &mut self.panes[self.now];
        self.why.as_mut().is_some_and(|why| why.complete(pane))
    }

    /// Whether there is something to do when nobody types.
    pub(crate) fn wants_rest(&self) -> bool {
        self.why.as_ref().is_some_and(|why| why.chain.is_none())
    }

    /// The end of the longest run.
    fn end(&self) -> SimTime {
        self.panes.iter().map(|pane| pane.loaded.end).max().unwrap_or_default()
    }

    /// Adds a run and goes to it; whether there was room.
    fn add(&mut self, make: impl FnOnce() -> Loaded, variant: Option<usize>) -> bool {
        let whole = self.panes.is_empty() || (self.from, self.until) == (SimTime::ZERO, self.end());
        let Some(loaded) = self.slots.put(make) else {
            self.message = format!("{RUNS_MAX} runs are looked at, and there is no room for more");
            return false;
        };
        let mut pane = Pane::new(loaded);
        pane.filter(&self.filter);
        self.panes.push(pane);
        self.variants.push(variant);
        if whole {
            (self.from, self.until) = (SimTime::ZERO, self.end());
        }
        self.go_to_pane(self.panes.len() - 1);
        true
    }

    /// The variant of that number, run if need be.
    fn show_variant(&mut self, variant: usize) {
        if let Some(pane) = self.variants.iter().position(|known| *known == Some(variant)) {
            return self.go_to_pane(pane);
        }
        let Some(Story { scenario, until }) = self.story else { return };
        let Some(found) = scenario.variants.get(variant) else { return };
        self.add(|| Loaded::run(scenario, found, until), Some(variant));
    }

    /// Looks at another run: at the same instant, and at the lane of the same name.
    fn go_to_pane(&mut self, pane: usize) {
        let name = self.panes.get(self.now).and_then(|pane| Some(pane.lanes().get(pane.chosen())?.name.clone()));
        if pane != self.now {
            (self.before, self.now) = (self.now, pane);
        }
        let pane = &mut self.panes[pane];
        if let Some(lane) = name.and_then(|name| pane.lanes().iter().position(|lane| lane.name == name)) {
            pane.choose(lane);
        }
        self.record = None;
        self.look_under();
    }

    fn pane(&self) -> &Pane<'a> {
        &self.panes[self.now]
    }

    /// What part is shown, and in how many columns.
    fn scale(&self) -> Scale {
        Scale { from: self.from, until: self.until, columns: self.areas().plot }
    }

    /// Tells what lies under the cursor.
    fn look_under(&mut self) {
        let scale = self.scale();
        let pane = &mut self.panes[self.now];
        let record = self.record.or_else(|| pane.under(scale, self.at));
        if record != self.why.as_ref().map(|why| why.record) || record.is_none() {
            self.why = record.and_then(|record| Why::link(pane, record));
        }
        self.scroll();
    }

    /// Sends the cursor to a record.
    fn go_to_record(&mut self, record: usize) {
        self.show_record(record);
        self.why = None;
        self.look_under();
    }

    /// The same, without telling anything else.
    fn show_record(&mut self, record: usize) {
        let pane = &mut self.panes[self.now];
        let Some(at) = pane.loaded.records().records().get(record).map(|record| record.at) else { return };
        if let Some(lane) = pane.lane_of(record) {
            pane.choose(lane);
        }
        (self.at, self.record) = (at, Some(record));
        self.reveal();
        self.scroll();
    }

    /// Moves what is shown so that the cursor is in it.
    fn reveal(&mut self) {
        if self.at >= self.from && self.at <= self.until {
            return;
        }
        let length = self.until.since(self.from);
        let half = SimDuration::from_nanos(length.as_nanos() / 2);
        let latest = SimTime::from_nanos(self.end().as_nanos().saturating_sub(length.as_nanos()));
        let from = SimTime::from_nanos(self.at.as_nanos().saturating_sub(half.as_nanos())).min(latest);
        (self.from, self.until) = (from, from + length);
    }

    /// Shows a stretch of time around the cursor, so many times as long as now, in hundredths.
    fn zoom(&mut self, hundredths: u64) {
        let scale = self.scale();
        let length = self.until.since(self.from).as_nanos();
        // A column is never less than a millisecond, for that is what clocks show.
        let shortest = u64::from(scale.columns.max(1)) * 1_000_000;
        let longest = self.end().as_nanos().max(1);
        let wanted = (u128::from(length) * u128::from(hundredths) / 100).max(u128::from(shortest));
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX).min(longest);
        let before = u128::from(self.at.since(self.from).as_nanos()) * u128::from(wanted) / u128::from(length.max(1));
        let before = u64::try_from(before).unwrap_or(u64::MAX);
        let from = self.at.as_nanos().saturating_sub(before).min(longest - wanted);
        (self.from, self.until) = (SimTime::from_nanos(from), SimTime::from_nanos(from + wanted));
    }

    /// Keeps the chosen rows of all panes on the screen.
    fn scroll(&mut self) {
        let height = usize::from(self.lines());
        let chosen = self.pane().lanes().get(self.pane().chosen()).map(|lane| lane.name.clone());
        for (place, pane) in self.panes.iter_mut().enumerate() {
            // What stands beside shows the same.
            if place != self.now
                && let Some(lane) = pane.lanes().iter().position(|lane| Some(&lane.name) == chosen.as_ref())
            {
                pane.choose(lane);
            }
            if pane.rows.is_empty() {
                continue;
            }
            let row = pane.row;
            let tall = |row: usize| rows::height(&pane.lanes()[pane.rows[row]]);
            let mut top = pane.top.min(row);
            while top < row && (top..=row).map(tall).sum::<usize>() > height {
                top += 1;
            }
            pane.top = top;
        }
    }
}

#[cfg(test)]
mod tests;
