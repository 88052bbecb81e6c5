//! The page of a golden text: sections, fixed columns, wrapped text.
//!
//! Knows columns and nothing of runs. What a newcomer gets wrong: no column is ever computed
//! from the widest value – one long name would move every line of the file, and the diff of a
//! small change would be the whole page.

/// Columns of a page.
const WIDTH: usize = 100;
/// Where the text of an entry with a label begins.
const TEXT_AT: usize = 22;
/// Where the text of a check begins.
const CHECK_AT: usize = 38;

/// A page that is being written.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// One line as it is.
    pub(super) fn raw(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Begins a section.
    pub(super) fn section(&mut self, title: &str) {
        self.raw("");
        self.raw(title);
    }

    /// Prose, two columns in, wrapped at 80.
    pub(super) fn prose(&mut self, text: &str) {
        for paragraph in text.trim().split("\n\n") {
            self.wrap("  ", &clean(paragraph), 2, 80);
        }
    }

    /// A heading of a life.
    pub(super) fn heading(&mut self, text: &str) {
        self.wrap("  ", text, 4, WIDTH);
    }

    /// One fact: a label in its column, and text that goes on below itself.
    pub(super) fn fact(&mut self, label: &str, text: &str) {
        self.labelled(4, label, TEXT_AT, text);
    }

    /// As [`Page::fact`], at the margin of a section's body.
    pub(super) fn entry(&mut self, label: &str, text: &str) {
        self.labelled(2, label, TEXT_AT - 2, text);
    }

    /// A check: its mark, what was checked, and how it came out.
    pub(super) fn check(&mut self, mark: &str, subject: &str, text: &str) {
        self.labelled(2, &format!("{mark:<7} {subject}"), CHECK_AT, text);
    }

    fn labelled(&mut self, indent: usize, label: &str, column: usize, text: &str) {
        let mut head = format!("{:indent$}{label}", "");
        let pad = column.saturating_sub(head.chars().count()).max(1);
        head.push_str(&" ".repeat(pad));
        self.wrap(&head, text, column, WIDTH);
    }

    fn wrap(&mut self, head: &str, text: &str, indent: usize, width: usize) {
        let mut line = head.to_owned();
        let mut empty = true;
        for word in text.split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > width {
                self.raw(&line);
                line = " ".repeat(indent);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.raw(&line);
    }

    /// The page as text.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A user's text on one line: line ends become spaces, other control characters are named.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' => out.push(' '),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_on_below_itself() {
        let mut page = Page::default();
        page.section("lives");
        page.fact("PENDING", &"word ".repeat(20));
        page.fact("a label that is longer than its column", "goes on");
        page.entry("0:00     typo", "deploy pds");
        let text = page.finish();
        assert_eq!(
            text,
            "\nlives\n    PENDING           word word word word word word word word word word word word word word word\n\
             \x20                     word word word word word\n\
             \x20   a label that is longer than its column goes on\n\
             \x20 0:00     typo     deploy pds\n"
        );
        assert!(text.lines().all(|line| line.len() <= WIDTH));
    }

    #[test]
    fn a_user_s_text_cannot_break_the_page() {
        assert_eq!(clean("a\nb\x1b[31m"), "a b\\u{1b}[31m");
    }
}
