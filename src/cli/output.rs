//! Standard output that may be closed by its reader, messages, and progress.
//!
//! It knows nothing of what is written. Colour codes are always written here and taken out by
//! anstream where they are not wanted. What a newcomer gets wrong: a closed pipe is no error –
//! `schedsim run … | head` ends quietly, with the status of what was run so far.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Refusal;

/// Where results go.
pub(crate) struct Out {
    to: Box<dyn Write>,
    failed: Option<io::Error>,
}

impl Out {
    /// Standard output, without colours where they are not wanted.
    pub(crate) fn stdout() -> Self {
        let colours = anstream::AutoStream::choice(&io::stdout());
        // A system call for each line costs as much as the line.
        let whole: Box<dyn Write> = Box::new(io::BufWriter::new(io::stdout()));
        Self::to(anstream::AutoStream::new(whole, colours))
    }

    /// Standard error, for a text beside a result for machines.
    pub(crate) fn stderr() -> Self {
        Self::to(anstream::stderr())
    }

    /// Wherever it can be written, colours and all.
    pub(crate) fn to(to: impl Write + 'static) -> Self {
        Self { to: Box::new(to), failed: None }
    }

    /// Writes a text that brings its own line ends.
    pub(crate) fn text(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush()).err();
        }
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    /// Whether nobody can read any more.
    pub(crate) fn closed(&self) -> bool {
        self.failed.is_some()
    }

    /// Says whether all was written; a reader that left early is fine.
    pub(crate) fn finish(&mut self) -> Result<(), Refusal> {
        match self.failed.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Refusal::wrong(format!("cannot write the result: {error}")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A result that is kept, to be looked at.
#[derive(Clone, Default)]
pub(crate) struct Buffer(Rc<RefCell<Vec<u8>>>);

impl Buffer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many columns a line of a result may have: those of the terminal, within reason; in a file
/// or a pipe as many as COLUMNS says, if it is set, else always as many.
pub(crate) fn width() -> usize {
    const USUAL: usize = 120;
    known_width().unwrap_or(USUAL)
}

/// The same where somebody looks; none in a file or a pipe, for what is read line by line.
fn known_width() -> Option<usize> {
    const NARROWEST: usize = 60;
    const WIDEST: usize = 160;
    let terminal = console::Term::stdout();
    let columns = terminal.size_checked().filter(|_| terminal.is_term()).map(|(_, columns)| usize::from(columns));
    let told = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
    columns.or_else(told).map(|columns: usize| columns.clamp(NARROWEST, WIDEST))
}

/// Prose in lines of that width, each behind `indent` blanks; the first one as well.
pub(crate) fn prose(text: &str, indent: usize, width: usize) -> String {
    let blanks = " ".repeat(indent);
    let line = |line: &str| format!("{blanks}{}", behind(indent, line, indent, width)).trim_end().to_owned() + "\n";
    text.lines().map(line).collect()
}

/// A text behind a label that has `used` columns of its line; what does not fit goes on below, behind `indent`
/// blanks, and all of it where not even its first word fits.
pub(crate) fn behind(used: usize, text: &str, indent: usize, width: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let first = words.first().map_or(0, |word| textwrap::core::display_width(word));
    if used + first > width && indent < used {
        return format!("\n{}", filled(&text, &" ".repeat(indent), indent, width));
    }
    filled(&text, &" ".repeat(used), indent, width).trim_start().to_owned()
}

/// A result whose lines go on below where they do not fit.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let line = |line: &str| {
        let told = line.trim_start();
        let lead = &line[..line.len() - told.len()];
        if textwrap::core::display_width(line) <= width {
            return format!("{line}\n");
        }
        filled(told, lead, lead.len() + 4, width) + "\n"
    };
    text.lines().map(line).collect()
}

/// The same only where somebody looks: in a file or a pipe a line is a line.
pub(crate) fn fit_for_eyes(text: String) -> String {
    match known_width() {
        Some(width) => fit(&text, width),
        None => text,
    }
}

/// No word is ever split.
fn filled(text: &str, lead: &str, indent: usize, width: usize) -> String {
    let blanks = " ".repeat(indent);
    let options = textwrap::Options::new(width)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
        .initial_indent(lead)
        .subsequent_indent(&blanks);
    textwrap::fill(text, options)
}

/// Colours of ours.
pub(crate) mod style {
    use anstyle::{AnsiColor, Style};

    pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
    pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
    pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
    pub(crate) const ADDED: Style = AnsiColor::Green.on_default();
    pub(crate) const REMOVED: Style = AnsiColor::Red.on_default();
    pub(crate) const HEAD: Style = Style::new().bold();
}

/// `text` in that style.
pub(crate) fn painted(style: anstyle::Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A text without colours.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Says what is wrong, on standard error.
pub(crate) fn error(text: &str) {
    note(&format!("{} {}", painted(style::BAD, "error:"), text.trim_end()));
}

/// Says what is odd, on standard error.
pub(crate) fn warning(text: &str) {
    note(&format!("{} {text}", painted(style::WARN, "warning:")));
}

/// A line on standard error. That nobody reads it is no reason to stop.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// A progress bar on standard error: on a terminal only, and only where it is wanted.
pub(crate) fn progress(length: u64, wanted: bool) -> ProgressBar {
    let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("the template is ours");
    ProgressBar::with_draw_target(Some(length), target).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn prose_keeps_its_paragraphs_and_its_width() {
        assert_eq!(prose("one two three\n\nfour", 2, 9), "  one two\n  three\n\n  four\n");
        assert_eq!(prose("a-word-that-fits-nowhere else", 2, 9), "  a-word-that-fits-nowhere\n  else\n");
    }

    #[test]
    fn a_reader_that_left_is_fine_and_a_full_disk_is_not() {
        for (kind, fine) in [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)] {
            let mut out = Out::to(Broken(kind));
            assert!(!out.closed());
            out.line("a");
            out.line("b");
            assert!(out.closed());
            assert_eq!(out.finish().is_ok(), fine, "{kind}");
        }
    }
}
