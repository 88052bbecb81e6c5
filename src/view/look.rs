//! Signs and colours: how states and marks look in cells.
//!
//! Sixteen colours at most, and every state has a sign of its own besides, for terminals and eyes that see
//! none. It knows what states mean.

use ratatui::style::{Color, Modifier, Style};

use crate::report::picture::{MarkTone, Meaning};
use crate::trace::timeline::Tone;

/// What the terminal can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look {
    pub(crate) colour: bool,
    /// Whether anything but ASCII can be shown.
    pub(crate) utf8: bool,
}

impl Look {
    fn sign(self, utf8: char, ascii: char) -> char {
        if self.utf8 { utf8 } else { ascii }
    }

    /// A style in that colour, where there are any.
    pub(super) fn fg(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// The sign that a state is drawn with, and its colour.
    pub(super) fn state(self, meaning: Meaning) -> (char, Color) {
        const TURNS: [Color; 6] =
            [Color::Cyan, Color::Magenta, Color::Blue, Color::Yellow, Color::LightCyan, Color::LightMagenta];
        match meaning {
            Meaning::Good => (self.sign('\u{2588}', '#'), Color::Green),
            Meaning::Waits => (self.sign('\u{2592}', ':'), Color::Yellow),
            Meaning::Ends => (self.sign('\u{2591}', '.'), Color::Magenta),
            Meaning::Bad => (self.sign('\u{2573}', 'x'), Color::Red),
            Meaning::Over => (self.sign('\u{2500}', '-'), Color::DarkGray),
            Meaning::Cools => ('~', Color::Blue),
            Meaning::Turn(turn) => (self.sign('\u{2593}', '='), TURNS[usize::from(turn) % TURNS.len()]),
        }
    }

    /// The style of a text that lies on a state.
    pub(super) fn label(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(Color::Black).bg(colour) } else { Style::new() }
    }

    /// The sign of a mark, and its style.
    pub(super) fn mark(self, tone: MarkTone) -> (char, Style) {
        let (sign, colour) = match tone {
            MarkTone::Broken => (self.sign('\u{25c6}', '*'), Color::Red),
            MarkTone::Step => (self.sign('\u{25bc}', 'v'), Color::Blue),
            MarkTone::Fault => (self.sign('\u{25b2}', '^'), Color::Magenta),
            MarkTone::Outside => (self.sign('\u{25a0}', 'o'), Color::Yellow),
            MarkTone::Bad => ('!', Color::Red),
            MarkTone::Good => (self.sign('\u{b7}', '+'), Color::Green),
            MarkTone::Plain => (self.sign('\u{b7}', '+'), Color::Gray),
        };
        (sign, self.fg(colour).add_modifier(Modifier::BOLD))
    }

    /// The style of what happened.
    pub(super) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => self.fg(Color::Green),
            Tone::Bad => self.fg(Color::Red),
            Tone::Outside => self.fg(Color::Yellow).add_modifier(Modifier::BOLD),
        }
    }

    /// What is beside the point.
    pub(super) fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// A text in what the terminal can show.
    pub(super) fn text(self, text: &str) -> String {
        if self.utf8 {
            return text.to_owned();
        }
        let plain = |sign: char| match sign {
            '\u{2013}' | '\u{2026}' => '-',
            '\u{d7}' => 'x',
            '\u{2190}' => '<',
            '\u{2192}' => '>',
            sign if sign.is_ascii() => sign,
            _ => '?',
        };
        text.chars().map(plain).collect()
    }
}
