//! Drawing: the screen in cells.
//!
//! Where everything stands is worked out from the size alone; rows are drawn by `rows`. It knows the state
//! and changes nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::keys::KEYS;
use super::otherwise::Otherwise;
use super::pane::Scale;
use super::rows::Plot;
use super::why::wrapped;
use super::{Mode, View};
use crate::trace::timeline::clock;

/// From this width on the panel stands beside the rows.
const WIDE: u16 = 130;
/// A run beside another has at least so many columns.
const PANE_WIDTH: u16 = 60;
/// And one above another so many lines.
const PANE_HEIGHT: u16 = 6;
/// Names have at most so many columns.
const NAMES_MAX: u16 = 28;

/// Where everything stands.
pub(super) struct Areas {
    /// The places of the panes that are shown, and where: axis and rows.
    pub(super) panes: Vec<(usize, Rect)>,
    pub(super) names: u16,
    /// How many columns time has.
    pub(super) plot: u16,
    panel: Rect,
    /// Whether there is a rule above the panel.
    ruled: bool,
}

impl View<'_> {
    /// Where everything stands on a screen of that size.
    pub(super) fn areas(&self) -> Areas {
        let (width, height) = self.size;
        let middle = Rect::new(0, 1.min(height), width, height.saturating_sub(2));
        let ruled = middle.height >= 8;
        let (lanes, panel) = if self.tall {
            (Rect { height: 0, ..middle }, middle)
        } else if width >= WIDE {
            let lanes = Rect { width: width - width * 2 / 5, ..middle };
            (lanes, Rect { x: lanes.width + 1, width: width - lanes.width - 1, ..middle })
        } else {
            let panel = (middle.height * 2 / 5).clamp(2.min(middle.height), 14);
            let lanes = Rect { height: middle.height - panel, ..middle };
            (lanes, Rect { y: lanes.bottom(), height: panel, ..middle })
        };
        let panes = self.places(if self.tall { middle } else { lanes });
        let pane = panes.first().map_or(width, |(_, area)| area.width);
        let names = (pane / 3).min(NAMES_MAX);
        Areas {
            panes,
            names,
            plot: pane.saturating_sub(names + 1).max(1),
            panel,
            ruled: ruled && !self.tall && width < WIDE,
        }
    }

    /// The panes that are shown, and where.
    fn places(&self, area: Rect) -> Vec<(usize, Rect)> {
        let across = (area.width / PANE_WIDTH).max(1);
        let down = (area.height / PANE_HEIGHT).max(1);
        let room = if across > 1 { across } else { down };
        let count = if self.beside { self.panes.len().min(usize::from(room)).max(1) } else { 1 };
        // The run that is looked at, the one before it, and their neighbours.
        let mut shown: Vec<usize> = (0..self.panes.len()).collect();
        shown.sort_by_key(|place| match *place {
            place if place == self.now => (0, 0),
            place if place == self.before => (1, 0),
            place => (2, place.abs_diff(self.now)),
        });
        shown.truncate(count);
        shown.sort_unstable();
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        let part = |place: usize| {
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            if across > 1 {
                let width = area.width / count;
                Rect { x: area.x + place * width, width: if count > 1 { width - 1 } else { width }, ..area }
            } else {
                let (height, rest) = (area.height / count, area.height % count);
                // The lines that are left over are the last one's.
                let more = if place + 1 == count { rest } else { 0 };
                Rect { y: area.y + place * height, height: height + more, ..area }
            }
        };
        shown.into_iter().enumerate().map(|(place, pane)| (pane, part(place))).collect()
    }

    /// How many lines the rows of the pane that is looked at have.
    pub(super) fn lines(&self) -> u16 {
        let areas = self.areas();
        let area = areas.panes.iter().find(|(pane, _)| *pane == self.now);
        area.map_or(1, |(_, area)| area.height.saturating_sub(self.heads())).max(1)
    }

    /// How many lines stand above a pane's rows: its axis, and its name where there are several.
    fn heads(&self) -> u16 {
        if self.beside && self.panes.len() > 1 { 2 } else { 1 }
    }

    /// Draws the screen.
    pub(crate) fn draw(&self, buffer: &mut Buffer) {
        let area = buffer.area;
        if area.width == 0 || area.height == 0 {
            return;
        }
        let areas = self.areas();
        self.draw_head(area, buffer);
        if !self.tall {
            for (pane, area) in &areas.panes {
                self.draw_pane(*pane, *area, &areas, buffer);
            }
        }
        self.draw_panel(&areas, buffer);
        self.draw_foot(area, buffer);
        if let Mode::Help(top) = self.mode {
            self.draw_help(top, area, buffer);
        }
    }

    /// The run, how it ended, and the cursor's time.
    fn draw_head(&self, area: Rect, buffer: &mut Buffer) {
        let loaded = self.pane().loaded;
        let runs =
            if self.panes.len() > 1 { format!(" [{}/{}]", self.now + 1, self.panes.len()) } else { String::new() };
        let at = format!(" at {}", clock(self.at));
        let mut name = self.name.clone();
        if self.story.is_some() {
            name = format!("{name} @ {}", loaded.name);
        }
        // A count is shown with what it counts, or not at all.
        let wrong = loaded.wrong.replace(' ', "\u{a0}").replace(",\u{a0}", ", ");
        let end = format!("{runs}  {} {wrong}", loaded.verdict());
        let room = usize::from(area.width).saturating_sub(at.len());
        let style = Style::new().add_modifier(Modifier::BOLD);
        let (x, _) = buffer.set_stringn(0, 0, self.look.text(&name), room, style);
        let left = room.saturating_sub(usize::from(x));
        let end = fitting(end.trim_end(), left).replace('\u{a0}', " ");
        buffer.set_stringn(x, 0, end, left, Style::new());
        buffer.set_stringn(area.width.saturating_sub(u16::try_from(at.len()).unwrap_or(0)), 0, &at, at.len(), style);
    }

    fn draw_pane(&self, place: usize, area: Rect, areas: &Areas, buffer: &mut Buffer) {
        let pane = &self.panes[place];
        let scale = Scale { from: self.from, until: self.until, columns: areas.plot };
        let is_now = place == self.now;
        let mut y = area.y;
        if self.heads() > 1 && area.height > 2 {
            let title = format!("{}  {} {}", pane.loaded.name, pane.loaded.verdict(), pane.loaded.wrong);
            let style = Style::new().add_modifier(if is_now { Modifier::REVERSED } else { Modifier::UNDERLINED });
            buffer.set_stringn(
                area.x,
                y,
                format!("{:1$}", self.look.text(title.trim_end()), usize::from(area.width)),
                usize::from(area.width),
                style,
            );
            y += 1;
        }
        let plot = Plot { look: self.look, scale, x: area.x + areas.names + 1, at: self.at };
        // Below another the columns are the same.
        let below = areas.panes.iter().any(|(_, other)| other.x == area.x && other.y < area.y);
        if y < area.bottom() && !below {
            plot.axis(y, buffer);
            y += 1;
        }
        for (row, lane) in pane.rows.iter().enumerate().skip(pane.top) {
            if y >= area.bottom() {
                break;
            }
            let lane = &pane.lanes()[*lane];
            let opened = lane.members > 0 && pane.opened.contains(&pane.rows[row]);
            plot.name(lane, opened, is_now && row == pane.row, (area.x, y, areas.names), buffer);
            y += plot.row(lane, (y, area.bottom()), is_now && row == pane.row, buffer);
        }
        if pane.rows.is_empty() && y < area.bottom() {
            buffer.set_stringn(area.x, y, "no row has that name", usize::from(area.width), self.look.quiet());
        }
    }

    fn draw_panel(&self, areas: &Areas, buffer: &mut Buffer) {
        let mut area = areas.panel;
        if areas.ruled && area.height > 1 {
            let rule = if self.look.utf8 { "\u{2500}" } else { "-" };
            buffer.set_stringn(
                area.x,
                area.y,
                rule.repeat(usize::from(area.width)),
                usize::from(area.width),
                self.look.quiet(),
            );
            area = Rect { y: area.y + 1, height: area.height - 1, ..area };
        }
        match (&self.mode, &self.why) {
            (Mode::Otherwise(list), _) => self.draw_otherwise(list, area, buffer),
            (_, Some(why)) => why.draw(self.look, area, buffer),
            (_, None) => {
                let text = "nothing is known of this row here; ] goes to what happens next in it";
                let mut y = area.y;
                wrapped(text, 0, usize::from(area.width), self.look, |line| {
                    if y < area.bottom() {
                        buffer.set_string(area.x, y, line, self.look.quiet());
                        y += 1;
                    }
                });
            }
        }
    }

    fn draw_otherwise(&self, list: &Otherwise, area: Rect, buffer: &mut Buffer) {
        let width = usize::from(area.width);
        if area.height < 2 {
            return;
        }
        let title = self.look.text(&format!("What if not? {}", list.what));
        buffer.set_stringn(area.x, area.y, fitting(&title, width), width, Style::new().add_modifier(Modifier::BOLD));
        let mut lines = Vec::new();
        let mut last = 0;
        for (place, thing) in list.list.iter().enumerate() {
            let chosen = if place == list.at { '>' } else { ' ' };
            let sign = if thing.likely { '*' } else { ' ' };
            let came = thing.came.as_ref().map(|(_, words)| format!("  {words}")).unwrap_or_default();
            let style = match &thing.came {
                Some((true, _)) => self.look.fg(ratatui::style::Color::Green),
                Some((false, _)) => self.look.quiet(),
                None => Style::new(),
            };
            let text = format!("{chosen} {sign} {}{came}", thing.name);
            if place == list.at {
                // What is chosen is told to its end.
                wrapped(&text, 4, width, self.look, |line| lines.push((line, style.add_modifier(Modifier::REVERSED))));
                last = lines.len();
            } else {
                lines.push((fitting(&self.look.text(&text), width), style));
            }
        }
        let top = last.saturating_sub(usize::from(area.height - 1));
        for (y, (line, style)) in (area.y + 1..area.bottom()).zip(lines.into_iter().skip(top)) {
            buffer.set_stringn(area.x, y, line, width, style);
        }
    }

    /// What was just said, or what keys there are.
    fn draw_foot(&self, area: Rect, buffer: &mut Buffer) {
        let text = match &self.mode {
            Mode::Find(text) => format!("/{text}_   Enter keeps, Esc shows all"),
            Mode::Help(_) if self.help_lines().len() > self.help_room() => {
                "Down, Up: more of them; another key leaves".to_owned()
            }
            Mode::Help(_) => "any key leaves".to_owned(),
            _ if !self.message.is_empty() => self.message.clone(),
            Mode::Otherwise(_) => "Enter tries it, a tries each, Esc leaves; * is met on the way".to_owned(),
            _ => "? keys  n failure  c cause  o other  w what if not  / find  Tab run  q quit".to_owned(),
        };
        let style = Style::new().add_modifier(Modifier::REVERSED);
        let width = usize::from(area.width);
        let mut lines = Vec::new();
        match self.message.is_empty() {
            true => lines.push(fitting(&self.look.text(&text), width)),
            // What is said is said to its end.
            false => wrapped(&text, 0, width, self.look, |line| lines.push(line)),
        }
        lines.truncate(usize::from(area.height));
        let top = area.bottom() - u16::try_from(lines.len()).unwrap_or(1);
        for (y, text) in (top..).zip(lines) {
            buffer.set_stringn(0, y, format!("{text:width$}"), width, style);
        }
    }

    fn draw_help(&self, top: usize, area: Rect, buffer: &mut Buffer) {
        let lines = self.help_lines().into_iter().skip(top);
        let (room, width) = (self.help_room(), usize::from(area.width));
        for (y, line) in (1..).zip(lines.chain(std::iter::repeat_with(String::new)).take(room)) {
            buffer.set_stringn(0, y, format!("{line:width$}"), width, Style::reset());
        }
    }

    /// What the keys do, in lines of the screen's width.
    pub(super) fn help_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (keys, what) in KEYS {
            wrapped(&format!(" {keys:14} {what}"), 16, usize::from(self.size.0), self.look, |line| lines.push(line));
        }
        lines
    }

    /// How many of these lines the screen has room for.
    pub(super) fn help_room(&self) -> usize {
        usize::from(self.size.1.saturating_sub(2))
    }
}

/// As many words of a line as have room; a word that has none even alone is cut.
fn fitting(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width + 1).collect();
    let end = cut.rfind(' ').filter(|end| !cut[..*end].trim().is_empty());
    end.map_or_else(|| text.chars().take(width).collect(), |end| cut[..end].trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_line_ends_with_a_word() {
        for (width, fits) in [(20, "n next violation"), (15, "n next"), (6, "n next"), (5, "n"), (1, "n")] {
            assert_eq!(fitting("n next violation", width), fits, "{width}");
        }
        assert_eq!(fitting("  violation", 5), "  vio");
    }
}
