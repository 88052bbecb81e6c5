//! Problems of a scenario file, with the place and the words that help.
//!
//! Knows texts and places in them, nothing of what they mean. All independent problems of a
//! file are kept and shown in its order, each underlined in the text that caused it: the file,
//! or the command-line option. What a newcomer gets wrong: a problem that may be the mere
//! consequence of another one (*dependent*) is dropped when the file's syntax is broken.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// More problems than this are counted, not shown.
const SHOWN_MAX: usize = 50;
/// A longer region of a text is not shown, only named.
const REGION_MAX: usize = 4096;

/// A text that problems can be found in.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// A file, or an option of the command line.
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
}

/// A place: bytes of one of the sources.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Span {
    /// The number of the source; 0 is the file.
    pub(crate) source: usize,
    /// The first byte.
    pub(crate) start: usize,
    /// The byte after the last one.
    pub(crate) end: usize,
}

impl Span {
    /// Bytes of one source.
    pub(crate) fn new(source: usize, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end }
    }
    /// The whole file: a place that is not worth underlining.
    pub(crate) const FILE: Self = Self { source: 0, start: 0, end: 0 };
}

/// One problem.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    message: String,
    span: Option<Span>,
    label: Option<String>,
    context: Vec<(Span, String)>,
    help: Vec<String>,
    dependent: bool,
    syntax: bool,
    repetition: bool,
    /// The source that it is about when it has no place.
    home: usize,
}

impl Problem {
    /// A problem at a place.
    pub(crate) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::nowhere(message) }
    }
    /// A problem of no place: with a file that cannot be read, say.
    pub(crate) fn nowhere(message: impl Into<String>) -> Self {
        let (message, span, label) = (message.into(), None, None);
        let (context, help) = (Vec::new(), Vec::new());
        Self { message, span, label, context, help, dependent: false, syntax: false, repetition: false, home: 0 }
    }
    /// A place where the text is not TOML.
    pub(crate) fn syntax(span: Span, message: impl Into<String>) -> Self {
        Self { syntax: true, ..Self::at(span, message) }
    }
    /// A key that is there already.
    pub(crate) fn repetition(span: Span, key: &str) -> Self {
        Self { repetition: true, ..Self::syntax(span, format!("{key} is set twice")) }
    }
    /// Whether it may be the consequence of a list whose parts stand under two names.
    pub(crate) fn may_follow(&self) -> bool {
        self.repetition || self.dependent
    }
    /// Words beside the underlined text.
    pub(crate) fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.label = Some(text.into());
        self
    }
    /// Another place that has to do with it.
    pub(crate) fn context(&mut self, span: Span, text: impl Into<String>) -> &mut Self {
        self.context.push((span, text.into()));
        self
    }
    /// No value: nothing comes of what is wrong.
    pub(crate) fn none<T>(&self) -> Option<T> {
        None
    }
    /// A line below: what to do.
    pub(crate) fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help.push(text.into());
        self
    }
    /// Whether it says the same of the same place.
    pub(crate) fn same(&self, other: &Self) -> bool {
        (self.span, &self.message, &self.label) == (other.span, &other.message, &other.label)
    }
    /// Whether it is about a part of that place, and not about all of it.
    pub(crate) fn is_within(&self, place: Span) -> bool {
        self.span.is_some_and(|span| span != place && place.start <= span.start && span.end <= place.end)
    }
    /// It may be the consequence of another problem.
    pub(crate) fn dependent(&mut self) -> &mut Self {
        self.dependent = true;
        self
    }
}

/// Everything that is wrong with a scenario.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

/// One problem as a tool wants it, for example as an annotation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Located<'a> {
    /// The file, or the command-line option.
    pub file: &'a str,
    /// From 1; 0 when the problem has no place in the file.
    pub line: usize,
    /// In characters, from 1; 0 likewise.
    pub column: usize,
    pub message: &'a str,
}

impl Diagnostics {
    /// Sorts, and drops what follows, or may follow, from broken syntax.
    pub(crate) fn new(sources: Vec<Source>, mut problems: Vec<Problem>) -> Self {
        assert!(!sources.is_empty() && !problems.is_empty(), "diagnostics without a source or a problem");
        let broken = problems.iter().filter(|problem| problem.syntax).filter_map(|problem| problem.span);
        let broken: Vec<Range<usize>> = broken.map(|span| line_of(&sources[span.source].text, span.start)).collect();
        // On a broken line, and where the parser left a placeholder, nothing else can be said.
        let on_broken = |span: Span| span == Span::FILE || broken.iter().any(|line| line_holds(line, span.start));
        if !broken.is_empty() {
            problems.retain(|problem| {
                let follows = problem.span.is_some_and(|span| span.source == 0 && on_broken(span));
                problem.syntax || !(problem.dependent || follows)
            });
        }
        problems.sort_by_key(|problem| problem.span.unwrap_or(Span::FILE));
        problems.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        Self { sources, problems }
    }

    /// All of it, and after it all of another one.
    pub(crate) fn join(&mut self, other: Self) {
        let shift = self.sources.len();
        let shifted = |span: Span| Span { source: span.source + shift, ..span };
        self.sources.extend(other.sources);
        self.problems.extend(other.problems.into_iter().map(|problem| Problem {
            span: problem.span.filter(|span| *span != Span::FILE).map(shifted),
            context: problem.context.into_iter().map(|(span, text)| (shifted(span), text)).collect(),
            home: problem.home + shift,
            ..problem
        }));
    }

    /// Its problems as those of another text that caused them: `place` says where, given the name of a
    /// problem's source and its bytes there.
    pub(crate) fn moved(&self, place: impl Fn(&str, Range<usize>) -> Span) -> Vec<Problem> {
        let moved = |problem: &Problem| {
            let span = problem.span.unwrap_or(Span::FILE);
            let source = &self.sources[span.source];
            let mut told = Problem::at(place(&source.name, span.start..span.end), problem.message.clone());
            told.label.clone_from(&problem.label);
            told.help.clone_from(&problem.help);
            if span != Span::FILE && span.source == Span::FILE.source {
                told.help(format!("that is at {}", self::place(source, span.start)));
            }
            for (other, label) in problem.context.iter().filter(|(other, _)| other.source == Span::FILE.source) {
                told.help(format!("{}: {label}", self::place(&self.sources[other.source], other.start)));
            }
            told
        };
        self.problems.iter().map(moved).collect()
    }

    /// The problems, in the order of the file, options last.
    pub fn problems(&self) -> impl Iterator<Item = Located<'_>> {
        self.problems.iter().map(|problem| {
            let span = problem.span.unwrap_or(Span::FILE);
            let source = self.source(problem);
            let (line, column) = if span == Span::FILE { (0, 0) } else { position(&source.text, span.start) };
            Located { file: &source.name, line, column, message: &problem.message }
        })
    }

    /// All of it as text, as rustc would write it.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for problem in self.problems.iter().take(SHOWN_MAX) {
            text.push_str(&renderer.render(&[self.group(problem)]));
            text.push_str("\n\n");
        }
        if let Some(more) = self.problems.len().checked_sub(SHOWN_MAX).filter(|n| *n > 0) {
            text.push_str(&format!("… and {more} more problems\n\n"));
        }
        text.pop();
        text
    }

    fn source(&self, problem: &Problem) -> &Source {
        &self.sources[problem.span.map_or(problem.home, |span| span.source)]
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let mut notes = problem.help.clone();
        let title = Level::ERROR.primary_title(problem.message.as_str());
        let span = problem.span.unwrap_or(Span::FILE);
        let source = self.source(problem);
        let text = &*source.text;
        let mut region = line_of(text, span.start);
        let mut context = Vec::new();
        for (other, label) in &problem.context {
            let line = line_of(&self.sources[other.source].text, other.start);
            let joined = region.start.min(line.start)..region.end.max(line.end);
            if other.source == span.source && joined.len() <= REGION_MAX {
                region = joined;
                context.push((*other, label.as_str()));
            } else {
                let there = &self.sources[other.source];
                notes.push(format!("{}: {label}", place(there, other.start)));
            }
        }
        let group = if span == Span::FILE || region.len() > REGION_MAX {
            let (line, column) = position(text, span.start);
            let origin = Origin::path(source.name.as_str());
            if let Some(label) = &problem.label {
                notes.insert(0, label.clone());
            }
            title.element(if span == Span::FILE { origin } else { origin.line(line).char_column(column) })
        } else {
            let line_start = position(text, region.start).0;
            let local = |span: Span| {
                let line = line_of(text, span.start);
                let (start, end) =
                    (text.floor_char_boundary(span.start), text.floor_char_boundary(span.end).min(line.end));
                start - region.start..end.max(start) - region.start
            };
            let mut snippet = Snippet::source(&text[region.clone()])
                .path(source.name.as_str())
                .line_start(line_start)
                .annotation(AnnotationKind::Primary.span(local(span)).label(problem.label.as_deref()));
            for (other, label) in context {
                snippet = snippet.annotation(AnnotationKind::Context.span(local(other)).label(label));
            }
            title.element(snippet)
        };
        notes.into_iter().fold(group, |group, note| group.element(Level::HELP.message(note)))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}
impl std::error::Error for Diagnostics {}

/// `file:line:column`.
fn place(source: &Source, at: usize) -> String {
    let (line, column) = position(&source.text, at);
    format!("{}:{line}:{column}", source.name)
}

/// Whether a place is in a line or at its very end.
fn line_holds(line: &Range<usize>, at: usize) -> bool {
    (line.start..=line.end).contains(&at)
}

/// The line that holds a byte, without its end.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let at = text.floor_char_boundary(at);
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    start..end
}

/// Line and column (in characters) of a byte, from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let start = line_of(text, at).start;
    let line = text[..start].bytes().filter(|b| *b == b'\n').count() + 1;
    (line, text[start..text.floor_char_boundary(at)].chars().count() + 1)
}

/// A warning that some variants have values of their own where an option sets another.
#[derive(Clone, Debug)]
pub(crate) struct Shadowed {
    /// Its place among the warnings.
    pub(crate) warning: usize,
    pub(crate) variants: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Vec<Source> {
        vec![Source { name: "x.toml".into(), text: text.into() }]
    }

    #[test]
    fn problems_come_in_the_order_of_the_file_and_once() {
        let at = |start| Problem::at(Span::new(0, start..start + 1), format!("at {start}"));
        let all = Diagnostics::new(source("abc\ndef\n"), vec![at(5), at(1), at(5)]);
        let found: Vec<_> = all.problems().map(|p| (p.line, p.column, p.message.to_owned())).collect();
        assert_eq!(found, [(1, 2, "at 1".to_owned()), (2, 2, "at 5".to_owned())]);
    }

    #[test]
    fn joined_problems_stay_with_their_own_texts() {
        let other = vec![Source { name: "y.toml".into(), text: "uvw\n".into() }];
        let problems = vec![
            Problem::nowhere("all of it"),
            Problem::at(Span::FILE, "the file"),
            Problem::at(Span::new(0, 1..2), "v"),
        ];
        let mut all = Diagnostics::new(source("abc\n"), vec![Problem::at(Span::new(0, 2..3), "c")]);
        all.join(Diagnostics::new(other, problems));
        let found: Vec<_> = all.problems().map(|p| (p.file, p.line, p.column, p.message)).collect();
        let wanted =
            [("x.toml", 1, 3, "c"), ("y.toml", 0, 0, "all of it"), ("y.toml", 0, 0, "the file"), ("y.toml", 1, 2, "v")];
        assert_eq!(found, wanted);
        assert_eq!(all.render(false).matches("--> y.toml").count(), 3, "{all}");
    }

    #[test]
    fn a_place_in_the_middle_of_a_character_or_beyond_the_end_is_shown_all_the_same() {
        for (start, end) in [(1, 2), (2, 9), (900, 901), (3, 1)] {
            let problem = Problem::at(Span::new(0, start..end), "odd");
            assert!(Diagnostics::new(source("é\nü"), vec![problem]).render(false).contains("x.toml"));
        }
    }

    #[test]
    fn more_problems_than_a_screen_holds_are_counted() {
        let text = "x\n".repeat(200);
        let problems = (0..120).map(|i| Problem::at(Span::new(0, 2 * i..2 * i + 1), "bad")).collect();
        let shown = Diagnostics::new(source(&text), problems).render(false);
        assert!(shown.ends_with("… and 70 more problems\n"), "{shown}");
    }

    #[test]
    fn a_line_of_a_megabyte_is_named_and_not_shown() {
        let text = "x".repeat(1 << 20);
        let shown = Diagnostics::new(source(&text), vec![Problem::at(Span::new(0, 700..701), "bad")]).render(true);
        assert!(shown.len() < 1000 && shown.contains("x.toml:1:701"), "{shown}");
    }
}
