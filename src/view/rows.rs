//! Rows: a lane in cells – its states, who held it, its numbers, its marks.
//!
//! It knows the picture and colours.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::kernel::{SimDuration, SimTime};
use crate::report::picture::{self, Bar, Lane, Level, MarkTone};

use super::look::Look;
use super::pane::Scale;

/// Where a run's time is drawn.
pub(super) struct Plot {
    pub(super) look: Look,
    pub(super) scale: Scale,
    /// The first column on the screen.
    pub(super) x: u16,
    pub(super) at: SimTime,
}

/// What is to be written on a bar.
struct Label<'b> {
    bar: &'b Bar,
    at: (u16, u16),
    /// How many columns it has.
    length: usize,
}

/// Whether a lane's holders have a line of their own.
fn has_two(lane: &Lane) -> bool {
    !lane.bands.is_empty() && !lane.bars.is_empty()
}

/// How many lines a lane has.
pub(super) fn height(lane: &Lane) -> usize {
    if has_two(lane) { 2 } else { 1 }
}

impl Plot {
    /// Times, and where the cursor is.
    pub(super) fn axis(&self, y: u16, buffer: &mut Buffer) {
        const SECOND: u64 = 1_000_000_000;
        let length = self.scale.until.since(self.scale.from).as_nanos();
        let most = u64::from(self.scale.columns / 12).max(1);
        let fits = |step: &&u64| length / **step <= most;
        let finer = [1, 2, 5, 10, 20, 50, 100, 200, 500].map(|millis| millis * SECOND / 1000);
        let days = (1..).map(|days| days * 86_400 * SECOND).find(|step| length / step <= most);
        let step = finer.iter().find(fits).copied().or_else(|| picture::step(length, most));
        let step = step.or(days).unwrap_or(length.max(1));
        let first = self.scale.from.as_nanos().div_ceil(step);
        for at in (first..).map(|n| SimTime::from_nanos(n * step)).take_while(|at| *at <= self.scale.until) {
            let Some(column) = self.scale.column(at) else { continue };
            let text = at.elapsed().clock().to_string();
            let room = self.scale.columns.saturating_sub(column);
            if usize::from(room) >= text.len() {
                buffer.set_stringn(self.x + column, y, &text, usize::from(room), self.look.quiet());
            }
        }
        if let Some(column) = self.scale.column(self.at)
            && let Some(cell) = buffer.cell_mut((self.x + column, y))
        {
            cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
        }
    }

    /// The name of a lane.
    pub(super) fn name(&self, lane: &Lane, opened: bool, chosen: bool, at: (u16, u16, u16), buffer: &mut Buffer) {
        let (x, y, width) = at;
        let indent = usize::from(lane.depth).min(usize::from(width) / 8);
        let sign = match (lane.members, opened) {
            (0, _) => "",
            (_, false) => "+",
            (_, true) => "-",
        };
        let room = usize::from(width).saturating_sub(indent + sign.len());
        let text = format!("{:indent$}{sign}{}", "", self.look.text(&lane.short_name(room)));
        let style = if lane.trouble { self.look.fg(Color::Red).add_modifier(Modifier::BOLD) } else { Style::new() };
        let style = if chosen { style.add_modifier(Modifier::REVERSED) } else { style };
        let width = usize::from(width);
        buffer.set_stringn(x, y, format!("{text:width$}"), width, style);
    }

    /// The lane's lines, as far as there is room; tells how many.
    pub(super) fn row(&self, lane: &Lane, (y, bottom): (u16, u16), chosen: bool, buffer: &mut Buffer) -> u16 {
        let mut labels = Vec::new();
        if lane.desired.is_empty() {
            labels.extend(self.bars(if lane.bars.is_empty() { &lane.bands } else { &lane.bars }, y, buffer));
        } else {
            self.bars(&lane.cooldowns, y, buffer);
            self.levels(lane, y, buffer);
        }
        let two = has_two(lane) && y + 1 < bottom;
        if two {
            labels.extend(self.bars(&lane.bands, y + 1, buffer));
        }
        self.marks(lane, y, buffer);
        labels.into_iter().for_each(|label| self.label(&label, buffer));
        let lines = if two { 2 } else { 1 };
        self.cursor((y, lines), chosen, buffer);
        lines
    }

    /// Draws what lasts; tells what is to be written on it.
    fn bars<'b>(&self, bars: &'b [Bar], y: u16, buffer: &mut Buffer) -> Vec<Label<'b>> {
        let mut labels = Vec::new();
        let columns = usize::from(self.scale.columns);
        // For each column what lasts longest in it, and for how long.
        let mut longest: Vec<Option<(usize, SimDuration)>> = vec![None; columns];
        for (place, bar) in bars.iter().enumerate() {
            if bar.until < self.scale.from || bar.from > self.scale.until {
                continue;
            }
            let first = self.scale.column(bar.from.max(self.scale.from)).unwrap_or_default();
            let last = self.scale.column(bar.until.min(self.scale.until)).unwrap_or(self.scale.columns - 1);
            for column in first..=last {
                let from = bar.from.max(self.scale.begin(column));
                let until = bar.until.min(self.scale.begin(column + 1));
                let lasts = if until > from { until.since(from) } else { SimDuration::ZERO };
                let known = &mut longest[usize::from(column)];
                // What begins and ends at once is seen where nothing else is.
                if known.is_none_or(|(_, longest)| lasts > longest) {
                    *known = Some((place, lasts));
                }
            }
        }
        let mut column = 0;
        while column < columns {
            let Some((place, _)) = longest[column] else {
                column += 1;
                continue;
            };
            let same = longest[column..].iter().take_while(|known| known.is_some_and(|(other, _)| other == place));
            let length = same.count();
            let x = self.x + u16::try_from(column).unwrap_or(0);
            let (sign, colour) = self.look.state(bars[place].meaning);
            buffer.set_stringn(x, y, sign.to_string().repeat(length), length, self.look.fg(colour));
            labels.extend((!bars[place].thin).then_some(Label { bar: &bars[place], at: (x, y), length }));
            column += length;
        }
        labels
    }

    /// What a bar is, where in it there is room between the marks.
    fn label(&self, label: &Label<'_>, buffer: &mut Buffer) {
        let Label { bar, at: (x, y), length } = *label;
        let (sign, colour) = self.look.state(bar.meaning);
        let text = self.look.text(&bar.label);
        let text = if self.look.colour { text } else { format!(" {text} ") };
        let wide = text.chars().count();
        let is_free = |column: u16| buffer.cell((column, y)).is_some_and(|cell| cell.symbol().starts_with(sign));
        let mut free = 0;
        for column in x..x + u16::try_from(length).unwrap_or(0) {
            free = if is_free(column) { free + 1 } else { 0 };
            // One column before it shows what it lies on.
            if free == wide + 1 {
                let begin = column + 1 - u16::try_from(wide).unwrap_or(0);
                buffer.set_stringn(begin, y, &text, wide, self.look.label(colour));
                return;
            }
        }
    }

    /// How many are ready, in every column; red where more are wanted.
    fn levels(&self, lane: &Lane, y: u16, buffer: &mut Buffer) {
        for column in 0..self.scale.columns {
            let at = self.scale.begin(column + 1);
            if lane.gone.is_some_and(|gone| gone < at) || lane.desired.first().is_none_or(|first| first.at >= at) {
                continue;
            }
            let (desired, ready) = (value(&lane.desired, at), value(&lane.ready, at));
            let Some(cell) = buffer.cell_mut((self.x + column, y)) else { continue };
            let cools = cell.symbol() == "~";
            let style = match (desired, ready) {
                (0, 0) => self.look.quiet(),
                (desired, ready) if ready < desired => self.look.fg(Color::Red).add_modifier(Modifier::BOLD),
                _ => self.look.fg(Color::Green),
            };
            // A cooldown shows through as long as nothing is ready.
            if !(cools && ready == 0) {
                let digit = u32::try_from(ready).ok().and_then(|ready| char::from_digit(ready, 10));
                cell.set_char(digit.unwrap_or('+')).set_style(style);
            }
        }
    }

    /// Marks, the loudest of a column.
    fn marks(&self, lane: &Lane, y: u16, buffer: &mut Buffer) {
        let first = lane.marks.partition_point(|mark| mark.at < self.scale.from);
        let mut loudest = vec![None; usize::from(self.scale.columns)];
        for mark in lane.marks[first..].iter().take_while(|mark| mark.at <= self.scale.until) {
            // What goes as it should hides no number.
            let shown = lane.desired.is_empty() || mark.tone > MarkTone::Good;
            if let Some(column) = self.scale.column(mark.at).filter(|_| shown) {
                let known = &mut loudest[usize::from(column)];
                *known = (*known).max(Some(mark.tone));
            }
        }
        for (column, tone) in loudest.iter().enumerate().filter_map(|(column, tone)| Some((column, (*tone)?))) {
            let (sign, style) = self.look.mark(tone);
            if let Some(cell) = buffer.cell_mut((self.x + u16::try_from(column).unwrap_or(0), y)) {
                cell.set_char(sign).set_style(Style::reset().patch(style));
            }
        }
    }

    /// The cursor, loudest in the chosen row.
    fn cursor(&self, (y, lines): (u16, u16), chosen: bool, buffer: &mut Buffer) {
        let Some(column) = self.scale.column(self.at) else { return };
        for y in y..y + lines {
            let Some(cell) = buffer.cell_mut((self.x + column, y)) else { continue };
            if chosen {
                cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
            } else if cell.symbol() == " " {
                cell.set_char(if self.look.utf8 { '\u{2502}' } else { '|' }).set_style(self.look.quiet());
            }
        }
    }
}

/// A number at an instant.
fn value(levels: &[Level], at: SimTime) -> u64 {
    let past = levels.partition_point(|level| level.at < at);
    past.checked_sub(1).map_or(0, |last| levels[last].value)
}
