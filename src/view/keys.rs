//! Keys: what each does to what is looked at.
//!
//! The letters are those of the page that `run --report` writes. It knows the state and nothing of terminals.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::kernel::{SimDuration, SimTime};

use super::otherwise::Otherwise;
use super::why::{Destination, Why};
use super::{Mode, Place, Request, View};

/// What each key does, in the order in which one meets them.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("\u{2190} \u{2192}  h l", "earlier, later; with Shift ten columns"),
    ("\u{2191} \u{2193}  k j", "the row above, below; PgUp PgDn: a screen"),
    ("[ ]", "what happened before, after in this row"),
    ("+ -  0", "zoom in, out; the whole run"),
    ("Space", "open or shut a row of many alike"),
    ("n p", "next, previous that failed: violation, request, step, verdict"),
    ("c", "to the cause of what is chosen"),
    ("o", "to another cause: what else was needed"),
    ("b", "back to where one came from"),
    ("w", "what if not: the run with one thing otherwise"),
    ("Tab", "the next run (Shift: the one before)"),
    ("s", "runs side by side, or one alone"),
    ("/", "only rows of that name; Esc: all"),
    ("Enter", "the panel alone, or beside the rows"),
    ("?", "these keys"),
    ("q  Ctrl-C", "leave"),
];

/// Whether a key ends the view whatever is being done.
pub(crate) fn leaves(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}

impl View<'_> {
    /// Does what a key says; what takes long is left to be carried out.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Option<Request> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return leaves(key).then_some(Request::Quit);
        }
        self.message.clear();
        match std::mem::replace(&mut self.mode, Mode::Lanes) {
            Mode::Lanes => self.key_of_lanes(key),
            Mode::Help(top) => {
                self.key_of_help(key.code, top);
                None
            }
            Mode::Find(text) => {
                self.key_of_find(key.code, text);
                None
            }
            Mode::Otherwise(list) => self.key_of_otherwise(key.code, list),
        }
    }

    fn key_of_lanes(&mut self, key: KeyEvent) -> Option<Request> {
        let shift = key.modifiers.contains(KeyModifiers::SHIFT);
        let columns = if shift { 10 } else { 1 };
        match key.code {
            KeyCode::Char('q') => return Some(Request::Quit),
            KeyCode::Left | KeyCode::Char('h' | 'H') => self.move_cursor(false, columns),
            KeyCode::Right | KeyCode::Char('l' | 'L') => self.move_cursor(true, columns),
            KeyCode::Up | KeyCode::Char('k') => self.move_row(-1),
            KeyCode::Down | KeyCode::Char('j') => self.move_row(1),
            KeyCode::PageUp => self.move_row(-10),
            KeyCode::PageDown => self.move_row(10),
            KeyCode::Home => self.move_to(self.from),
            KeyCode::End => self.move_to(self.until),
            KeyCode::Char('[') => self.next_in_row(false),
            KeyCode::Char(']') => self.next_in_row(true),
            KeyCode::Char('+' | '=') => self.zoom_and_look(50),
            KeyCode::Char('-') => self.zoom_and_look(200),
            KeyCode::Char('0') => self.zoom_and_look(u64::MAX),
            KeyCode::Char(' ') => self.toggle(),
            KeyCode::Char('n') => self.next_failed(true),
            KeyCode::Char('p') => self.next_failed(false),
            KeyCode::Char('c') => self.walk(Why::next_cause),
            KeyCode::Char('o') => self.walk(Why::other_cause),
            KeyCode::Char('b') | KeyCode::Backspace => self.go_back(),
            KeyCode::Char('w') => self.ask_otherwise(),
            KeyCode::Tab => return self.next_run(true),
            KeyCode::BackTab => return self.next_run(false),
            KeyCode::Char('s') => return self.put_beside(),
            KeyCode::Char('/') => self.mode = Mode::Find(self.filter.clone()),
            KeyCode::Char('?') => self.mode = Mode::Help(0),
            KeyCode::Enter => self.tall = !self.tall,
            KeyCode::Esc => {
                self.tall = false;
                self.find(String::new());
            }
            _ => {}
        }
        None
    }

    /// Where there are more lines than the screen has, they move; any other key ends it.
    fn key_of_help(&mut self, code: KeyCode, top: usize) {
        let room = self.help_room();
        let to = match code {
            KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => top + 1,
            KeyCode::PageUp => top.saturating_sub(room),
            KeyCode::PageDown | KeyCode::Char(' ') => top + room,
            _ => return,
        };
        let below = self.help_lines().len().saturating_sub(room);
        if below > 0 {
            self.mode = Mode::Help(to.min(below));
        }
    }

    fn key_of_find(&mut self, code: KeyCode, mut text: String) {
        match code {
            KeyCode::Enter => {
                let found = self.pane().rows.len();
                if !text.is_empty() {
                    self.message = format!("{found} found; Esc shows all");
                }
                return;
            }
            KeyCode::Esc => return self.find(String::new()),
            KeyCode::Backspace => {
                text.pop();
            }
            KeyCode::Char(letter) => text.push(letter),
            _ => {}
        }
        self.find(text.clone());
        self.mode = Mode::Find(text);
    }

    fn key_of_otherwise(&mut self, code: KeyCode, mut list: Otherwise) -> Option<Request> {
        let mut request = None;
        match code {
            KeyCode::Esc | KeyCode::Char('q' | 'w') => return None,
            KeyCode::Up | KeyCode::Char('k') => list.choose(-1),
            KeyCode::Down | KeyCode::Char('j') => list.choose(1),
            KeyCode::PageUp => list.choose(-10),
            KeyCode::PageDown => list.choose(10),
            KeyCode::Enter => request = list.chosen().map(Request::Otherwise),
            KeyCode::Char('a') => request = Some(Request::Each),
            _ => {}
        }
        self.mode = Mode::Otherwise(list);
        request
    }

    fn move_cursor(&mut self, later: bool, columns: u16) {
        let scale = self.scale();
        let by = scale.step().as_nanos().saturating_mul(u64::from(columns));
        // To the middle of a column, so that no rounding leads back to the one before.
        let column = scale.column(self.at).unwrap_or_default();
        let middle = scale.begin(column) + SimDuration::from_nanos(scale.step().as_nanos() / 2);
        let middle = middle.as_nanos();
        let to = if later { middle.saturating_add(by) } else { middle.saturating_sub(by) };
        self.move_to(SimTime::from_nanos(to));
    }

    fn move_to(&mut self, at: SimTime) {
        self.at = at.min(self.end());
        self.record = None;
        let length = self.until.since(self.from);
        // At the edge the runs move, and the cursor stays.
        if self.at > self.until {
            self.until = self.at;
            self.from = SimTime::from_nanos(self.until.as_nanos() - length.as_nanos());
        } else if self.at < self.from {
            self.from = self.at;
            self.until = self.from + length;
        }
        self.look_under();
    }

    fn move_row(&mut self, by: isize) {
        let pane = &mut self.panes[self.now];
        pane.row = pane.row.saturating_add_signed(by).min(pane.rows.len().saturating_sub(1));
        self.record = None;
        self.look_under();
    }

    fn next_in_row(&mut self, later: bool) {
        let from = self.record.or_else(|| {
            let records = self.pane().loaded.records().records();
            self.why.as_ref().map(|why| why.record).filter(|record| {
                // What began long before says only what is so now.
                self.scale().column(records.at(*record).at) == self.scale().column(self.at)
            })
        });
        match self.pane().next_in_lane(from, self.at, later) {
            Some(record) => {
                let row = self.pane().row;
                self.go_to_record(record);
                // What stands in several rows is still looked at in this one.
                self.panes[self.now].row = row;
                self.scroll();
            }
            None => self.message = format!("nothing happened {} in this row", if later { "after" } else { "before" }),
        }
    }

    fn zoom_and_look(&mut self, hundredths: u64) {
        self.zoom(hundredths);
        self.look_under();
    }

    fn toggle(&mut self) {
        let pane = &mut self.panes[self.now];
        if pane.toggle() {
            pane.filter(&self.filter);
            self.record = None;
            self.look_under();
        } else {
            self.message = "this row is of one thing".to_owned();
        }
    }

    fn next_failed(&mut self, later: bool) {
        let pane = self.pane();
        let (failed, records) = (&pane.failed, pane.loaded.records().records());
        let now = self.record.and_then(|now| failed.iter().position(|failed| failed.record == now));
        let at = |place: usize| records.at(failed[place].record).at;
        let place = match (now, later) {
            (Some(place), true) => Some(place + 1).filter(|next| *next < failed.len()),
            (Some(place), false) => place.checked_sub(1),
            (None, true) => (0..failed.len()).find(|place| at(*place) >= self.at),
            (None, false) => (0..failed.len()).rfind(|place| at(*place) <= self.at),
        };
        match place {
            Some(place) => {
                let record = failed[place].record;
                let message = format!("{} of {}: {}", place + 1, failed.len(), failed[place].what);
                self.remember();
                self.go_to_record(record);
                self.message = message;
            }
            None if failed.is_empty() => self.message = "nothing fails in this run".to_owned(),
            None => self.message = format!("nothing fails {} this", if later { "after" } else { "before" }),
        }
    }

    /// A step along the causes.
    fn walk(&mut self, step: fn(&mut Why) -> Destination) {
        let pane = &mut self.panes[self.now];
        let Some(why) = &mut self.why else {
            self.message = "nothing is chosen".to_owned();
            return;
        };
        why.complete(pane);
        // What stands aside has a chain of its own.
        if why.is_aside() && std::ptr::fn_addr_eq(step, Why::next_cause as fn(&mut Why) -> Destination) {
            let aside = why.chosen();
            if let Some(mut other) = aside.and_then(|record| Why::link(pane, record)) {
                other.complete(pane);
                *why = other;
            }
        }
        match step(why) {
            Destination::Along(record) => {
                self.remember();
                self.show_record(record);
            }
            Destination::None(message) => self.message = message.to_owned(),
        }
    }

    /// Keeps where one is, to come back to it.
    pub(super) fn remember(&mut self) {
        let place = Place { pane: self.now, lane: self.pane().chosen(), at: self.at, record: self.record };
        self.back.push(place);
    }

    fn go_back(&mut self) {
        let Some(Place { pane, lane, at, record }) = self.back.pop() else {
            self.message = "this is where it began".to_owned();
            return;
        };
        self.now = pane;
        self.panes[pane].choose(lane);
        (self.at, self.record) = (at, record);
        self.reveal();
        // Along a chain that is told, the chain stays.
        let pane = &mut self.panes[self.now];
        let here = record.or_else(|| Some(self.why.as_ref()?.record));
        if !here.is_some_and(|record| self.why.as_mut().is_some_and(|why| why.choose(record))) {
            self.why = record.and_then(|record| Why::link(pane, record));
        }
        if self.why.is_none() {
            self.look_under();
        }
        self.scroll();
    }

    /// The next run of those that are there or could be.
    fn next_run(&mut self, later: bool) -> Option<Request> {
        let open = self.story.map_or(0, |story| story.scenario.variants.len());
        let missing = (0..open).find(|variant| !self.variants.contains(&Some(*variant)));
        let last = self.panes.len() - 1;
        if let (Some(variant), true) = (missing, later && self.now == last) {
            return Some(Request::Variant(variant));
        }
        if last == 0 {
            self.message = "this is the only run; w makes another".to_owned();
            return None;
        }
        self.go_to_pane(if later { (self.now + 1) % (last + 1) } else { (self.now + last) % (last + 1) });
        None
    }

    fn put_beside(&mut self) -> Option<Request> {
        self.beside = !self.beside;
        let alone = self.beside && self.panes.len() == 1;
        let request = alone.then(|| self.next_run(true)).flatten();
        if alone && request.is_none() {
            self.beside = false;
        }
        self.scroll();
        request
    }

    fn find(&mut self, text: String) {
        for pane in &mut self.panes {
            pane.filter(&text);
        }
        self.filter = text;
        self.record = None;
        self.look_under();
    }
}
