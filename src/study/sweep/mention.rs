//! A field of the scenarios, as a sweep file mentions it.

use std::ops::Range;

use crate::scenario::diagnostics::Span;

/// Of each mention of a field so many values are tried; others meet their error in the run.
pub(super) const VALUES_MAX: u64 = 50;

/// A field of the scenarios, as a sweep file mentions it.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) path: String,
    /// The text that names it.
    pub(super) place: Span,
    /// Values, and where they stand; none: they could not be read.
    pub(super) values: Vec<(String, Span)>,
}

impl Mention {
    /// Where the loader's words about bytes of `PATH=VALUE` belong.
    pub(super) fn place_of(&self, text: &str, value: Span, bytes: Range<usize>) -> Span {
        let of_value = bytes.end > self.path.len();
        if of_value && value != self.place {
            return value;
        }
        // As it stands in the file, unless it is written with escapes.
        let written = text.get(self.place.start..self.place.end).unwrap_or_default();
        let Some(path) = written.find(&self.path) else { return self.place };
        let part =
            |from: usize, to: usize| Span { start: self.place.start + from, end: self.place.start + to, ..self.place };
        match written[path..].find('=') {
            _ if !of_value => part(path + bytes.start, path + bytes.end),
            // Without the quote behind it.
            Some(equals) => part(path + equals + 1, written.len() - 1),
            None => self.place,
        }
    }
}
