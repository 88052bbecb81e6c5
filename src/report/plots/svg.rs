//! The writer of SVG elements, and the frame that all plots share.
//!
//! It knows coordinates and escaping. What a newcomer gets wrong: coordinates have one decimal, so
//! that the last digit of a computation never reaches the file.

use super::scale::Scale;

/// The size of a plot.
pub(super) const WIDTH: f64 = 640.0;
/// Its height.
pub(super) const HEIGHT: f64 = 400.0;
/// Room for the vertical axis, the title, and the horizontal axis.
pub(super) const LEFT: f64 = 84.0;
pub(super) const TOP: f64 = 44.0;
pub(super) const BOTTOM: f64 = 64.0;
pub(super) const RIGHT: f64 = 24.0;

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:14px;font-weight:600}.axis{stroke:#8c959f}\
.grid{stroke:#d0d7de;stroke-width:.5}.line{fill:none;stroke-width:2}.band{opacity:.18}\
.c0{stroke:#0969da;fill:#0969da}.c1{stroke:#bc4c00;fill:#bc4c00}.c2{stroke:#1a7f37;fill:#1a7f37}\
.c3{stroke:#8250df;fill:#8250df}.c4{stroke:#57606a;fill:#57606a}.line.c0,.line.c1,.line.c2,.line.c3,.line.c4{fill:none}\
.band{stroke:none}.pale{opacity:.35}.paper{fill:#fff}.light{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.axis{stroke:#6e7681}.grid{stroke:#30363d}\
.c0{stroke:#58a6ff;fill:#58a6ff}.c1{stroke:#f0883e;fill:#f0883e}.c2{stroke:#3fb950;fill:#3fb950}}";

/// Text as XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A coordinate.
pub(super) fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The points of a line.
pub(super) fn points(all: impl IntoIterator<Item = (f64, f64)>) -> String {
    all.into_iter().map(|(x, y)| format!("{},{}", at(x), at(y))).collect::<Vec<_>>().join(" ")
}

/// A number for the eye: three significant digits, or all of a whole one.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if size >= 100.0 => format!("{value:.0}"),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 1.0 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

/// How wide a letter of a label is, about.
pub(super) const LETTER: f64 = 6.6;
/// The distance of two lines of a label.
pub(super) const LINE: f64 = 13.0;

/// A label in at most two lines of so many letters; what has no room is left out behind an ellipsis.
pub(super) fn lines(label: &str, letters: usize) -> Vec<String> {
    let cut = |line: &str| match line.char_indices().nth(letters) {
        Some(_) => line.chars().take(letters.saturating_sub(1)).chain(['…']).collect(),
        None => line.to_owned(),
    };
    if label.chars().count() <= letters {
        return vec![label.to_owned()];
    }
    // The list's own commas are the only places to break at.
    let breaks = label.match_indices(", ").map(|(at, _)| at + 1);
    match breaks.filter(|at| label[..*at].chars().count() <= letters).last() {
        Some(at) => vec![label[..at].to_owned(), cut(&label[at + 1..])],
        None => vec![cut(label)],
    }
}

/// A plot under construction.
pub(super) struct Svg {
    text: String,
    height: f64,
    /// Below the plot: labels and names of the axis, the legend.
    bottom: f64,
}

impl Svg {
    /// A plot with a title, and the sentence that a reader without eyes hears.
    pub(super) fn new(title: &str, about: &str, height: f64) -> Self {
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n",
            escaped(about)
        );
        text.push_str(&format!("<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n"));
        let mut svg = Self { text, height, bottom: BOTTOM };
        // Letters of a title are wider; a long one begins farther to the left.
        let fits = |left: f64| ((WIDTH - RIGHT - left) / 9.0) as usize;
        let left = if title.chars().count() <= fits(LEFT) { LEFT } else { RIGHT };
        svg.words(left, 24.0, "start", "title", &lines(title, fits(left))[0]);
        svg
    }

    /// Labels below the columns of a plot, each in the middle of its own.
    pub(super) fn columns(&mut self, left: f64, y: f64, labels: &[&str]) {
        let wide = (WIDTH - left - RIGHT) / labels.len().max(1) as f64;
        for (column, label) in labels.iter().enumerate() {
            for (line, words) in lines(label, letters(wide)).iter().enumerate() {
                self.words(left + wide * (column as f64 + 0.5), y + LINE * line as f64, "middle", "", words);
            }
        }
    }

    /// Makes so much more room below the plot.
    pub(super) fn deepen(&mut self, by: f64) {
        self.bottom += by;
    }

    /// Any element.
    pub(super) fn push(&mut self, element: &str) {
        self.text.push_str(element);
        self.text.push('\n');
    }

    /// Words at a place; `anchor` is `start`, `middle` or `end`.
    pub(super) fn words(&mut self, x: f64, y: f64, anchor: &str, class: &str, words: &str) {
        let (x, y, words) = (at(x), at(y), escaped(words));
        self.push(&format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" class=\"{class}\">{words}</text>"));
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(at);
        self.push(&format!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"{class}\"/>"));
    }

    /// Axes with their ticks and names.
    pub(super) fn axes(&mut self, x: &Scale, y: &Scale, x_name: &str, y_name: &str) {
        let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, TOP, self.height - self.bottom);
        for (value, label) in y.ticks() {
            let place = y.place(value);
            self.line((left, place), (right, place), "grid");
            self.words(left - 6.0, place + 4.0, "end", "", &label);
        }
        for (value, label) in x.ticks() {
            let place = x.place(value);
            self.line((place, bottom), (place, bottom + 5.0), "axis");
            self.words(place, bottom + 18.0, "middle", "", &label);
        }
        self.line((left, bottom), (right, bottom), "axis");
        self.line((left, top), (left, bottom), "axis");
        self.words((left + right) / 2.0, self.height - 24.0, "middle", "", x_name);
        let middle = at((top + bottom) / 2.0);
        self.push(&format!(
            "<text transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escaped(y_name)
        ));
    }

    /// The legend below the plot: a name for each colour, in their order.
    pub(super) fn legend(&mut self, names: &[&str]) {
        self.legend_of(&names.iter().enumerate().map(|(index, name)| (index % 5, *name)).collect::<Vec<_>>());
    }

    /// The legend below the plot: colours with their names.
    pub(super) fn legend_of(&mut self, entries: &[(usize, &str)]) {
        let mut x = LEFT;
        for (class, name) in entries {
            let y = self.height - 8.0;
            let place = at(x);
            self.push(&format!(
                "<rect x=\"{place}\" y=\"{}\" width=\"10\" height=\"10\" class=\"c{class}\"/>",
                at(y - 10.0)
            ));
            self.words(x + 14.0, y, "start", "", name);
            x += 30.0 + LETTER * name.chars().count() as f64;
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

/// How many letters have room in a column.
fn letters(wide: f64) -> usize {
    (wide / LETTER) as usize
}

/// What labels of columns need below a plot, beyond their first line.
pub(super) fn more_lines(left: f64, labels: &[&str]) -> f64 {
    let wide = (WIDTH - left - RIGHT) / labels.len().max(1) as f64;
    let most = labels.iter().map(|label| lines(label, letters(wide)).len()).max().unwrap_or(1);
    LINE * (most - 1) as f64
}

/// A mark with its words.
pub(super) fn titled(element: &str, title: &str) -> String {
    format!("<g>{element}<title>{}</title></g>", escaped(title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_the_eye_are_short_and_never_minus_nothing() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0001, "0"),
            (1234.6, "1235"),
            (12.34, "12.3"),
            (1.5, "1.5"),
            (0.25, "0.25"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn a_long_label_breaks_at_a_comma_and_is_cut_where_it_has_no_room() {
        for (label, letters, wanted) in [
            ("none", 6, &["none"][..]),
            ("1m33.217s", 6, &["1m33.…"]),
            ("exit-wakes, resets", 12, &["exit-wakes,", "resets"]),
            ("one, two, three, four, five", 10, &["one, two,", "three, fo…"]),
            ("no-room, at all", 3, &["no…"]),
        ] {
            assert_eq!(lines(label, letters), wanted, "{label}");
        }
    }

    #[test]
    fn what_a_user_wrote_cannot_end_an_element() {
        let mut svg = Svg::new("<script>", "a \"quoted\" & <b>", 100.0);
        svg.words(0.0, 0.0, "start", "", "</text><script>");
        assert!(!svg.finish().contains("<script>"));
    }
}
