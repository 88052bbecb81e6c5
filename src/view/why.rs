//! The panel: why something happened, as a chain of causes that one walks along.
//!
//! What lies under the cursor is told at once, by its own link; the chain behind it is asked for when nobody
//! types. It may know explanations, and draws into cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::kernel::RecordId;
use crate::report::explain::lines::{Line, lines};
use crate::report::explain::{Chain, Limits};
use crate::trace::timeline::clock;

use super::look::Look;
use super::pane::Pane;

/// So many links are told, of what else was needed one each.
const LIMITS: Limits = Limits { links: 60, branch: 1, branches: 60 };

/// Why a record came about.
pub(super) struct Why {
    pub(super) record: usize,
    lines: Vec<Line>,
    at: usize,
    /// The chain, once it was asked for.
    pub(super) chain: Option<Chain>,
}

/// Where a step along the causes leads.
pub(super) enum Destination {
    /// To that record, along the chain that is told.
    Along(usize),
    None(&'static str),
}

impl Why {
    /// The link of a record, without what led to it.
    pub(super) fn link(pane: &mut Pane<'_>, record: usize) -> Option<Self> {
        let link = pane.explainer.step(RecordId::from_index(record))?.link;
        let chain = Chain { links: vec![link], length: 1, ..Chain::default() };
        let lines = lines(pane.loaded.records(), &pane.loaded.setting, &chain);
        Some(Self { record, lines, at: 0, chain: None })
    }

    /// Asks for all that led to it; whether that was not known.
    pub(super) fn complete(&mut self, pane: &mut Pane<'_>) -> bool {
        if self.chain.is_some() {
            return false;
        }
        let chain = pane.explainer.chain(RecordId::from_index(self.record), LIMITS).unwrap_or_default();
        self.lines = lines(pane.loaded.records(), &pane.loaded.setting, &chain);
        self.chain = Some(chain);
        true
    }

    fn record_of(&self, line: usize) -> Option<usize> {
        match self.lines.get(line)? {
            Line::Link { record, .. } => record.index(),
            Line::Remark(_) => None,
        }
    }

    fn is_side(&self, line: usize) -> bool {
        matches!(self.lines.get(line), Some(Line::Link { side: Some(_), .. }))
    }

    /// One link further up, to what led to the chosen one.
    pub(super) fn next_cause(&mut self) -> Destination {
        let next = (self.at + 1..self.lines.len()).find(|line| self.record_of(*line).is_some() && !self.is_side(*line));
        self.go_to(next, "nothing led to this: it is the root")
    }

    /// Chooses a line; where there is none it is said why.
    fn go_to(&mut self, line: Option<usize>, none: &'static str) -> Destination {
        let Some(record) = line.and_then(|line| self.record_of(line)) else { return Destination::None(none) };
        self.at = line.unwrap_or(self.at);
        Destination::Along(record)
    }

    /// To what else was needed for the chosen link, one after the other.
    pub(super) fn other_cause(&mut self) -> Destination {
        let link = (0..=self.at).rev().find(|line| !self.is_side(*line) && self.record_of(*line).is_some());
        let first = link.unwrap_or_default() + 1;
        let sides: Vec<usize> = (first..self.lines.len()).take_while(|line| self.is_side(*line)).collect();
        let next = sides.iter().find(|line| **line > self.at).or(sides.first()).copied();
        self.go_to(next, "nothing else was needed for this")
    }

    /// The record that is chosen.
    pub(super) fn chosen(&self) -> Option<usize> {
        self.record_of(self.at)
    }

    /// Chooses the line of a record; whether there is one.
    pub(super) fn choose(&mut self, record: usize) -> bool {
        let found = (0..self.lines.len()).find(|line| self.record_of(*line) == Some(record));
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    /// Whether what is chosen is not of the chain itself, so that its own chain is another.
    pub(super) fn is_aside(&self) -> bool {
        self.is_side(self.at)
    }

    /// Draws it; whatever is chosen can be seen.
    pub(super) fn draw(&self, look: Look, area: Rect, buffer: &mut Buffer) {
        let mut rows: Vec<(String, Style, bool)> = Vec::new();
        let (mut first, mut last) = (0, 0);
        for (place, line) in self.lines.iter().enumerate() {
            let chosen = place == self.at;
            if chosen {
                first = rows.len();
            }
            self.rows(line, look, usize::from(area.width), chosen, &mut rows);
            if chosen {
                last = rows.len();
            }
        }
        if self.chain.is_none() {
            rows.push((look.text("\u{2026}"), look.quiet(), false));
        }
        let height = usize::from(area.height);
        let top = if last <= height {
            0
        } else {
            first.min(last.saturating_sub(height)).max(first.saturating_sub(height / 2))
        };
        for (y, (text, style, chosen)) in (area.y..area.bottom()).zip(rows.into_iter().skip(top)) {
            let style = if chosen { style.add_modifier(Modifier::BOLD) } else { style };
            buffer.set_stringn(area.x, y, text, usize::from(area.width), style);
        }
    }

    fn rows(&self, line: &Line, look: Look, width: usize, chosen: bool, rows: &mut Vec<(String, Style, bool)>) {
        match line {
            Line::Remark(remark) => {
                let text = remark.words();
                rows.push((look.text(&format!("    {text}")), look.quiet(), false));
            }
            Line::Link { at, subject, by, what, why, tags, tone, side, .. } => {
                let margin = if chosen { "> " } else { "  " };
                let role = side.map(|role| format!("{role}: ")).unwrap_or_default();
                let lead = if side.is_some() { "  + " } else { "" };
                let head = format!("{margin}{lead}{} {subject}: {role}{what}", clock(*at));
                wrapped(&head, lead.len() + 6, width, look, |text| rows.push((text, look.tone(*tone), chosen)));
                let tags = if tags.is_empty() { String::new() } else { format!(" [met: {}]", tags.join(", ")) };
                let reason = if why.is_empty() { String::new() } else { format!(": {why}") };
                let why = format!("by {by}{reason}{tags}");
                let indent = " ".repeat(lead.len() + 6);
                let quiet = if chosen { Style::new() } else { look.quiet() };
                wrapped(&format!("{indent}{why}"), lead.len() + 8, width, look, |text| rows.push((text, quiet, false)));
            }
        }
    }
}

/// A text in lines of that width, those after the first set in.
pub(super) fn wrapped(text: &str, indent: usize, width: usize, look: Look, mut put: impl FnMut(String)) {
    let indent = " ".repeat(indent.min(width / 2));
    let options = textwrap::Options::new(width.max(1))
        .subsequent_indent(&indent)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace);
    textwrap::wrap(&look.text(text), options).into_iter().for_each(|line| put(line.into_owned()));
}
