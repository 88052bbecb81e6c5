//! Two logics side by side, of which there may be more: figures, lives, and the first moment in which they part.
//!
//! It reads two runs of one story. The first difference is that of what *came of it*: record numbers and causes
//! are left out, for they shift with every record more, and so are reconciles, draws and calls that did what
//! they were to do, for only what follows from them matters.

use crate::model::Reason;
use crate::replay::Replay;
use crate::report::line_diff;
use crate::trace::metrics::{Figure, Metric};
use crate::trace::{Record, Trace, What};

/// What tells two runs apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub figures: Vec<(Figure, Metric, Metric)>,
    /// The lines of the golden texts that differ, as a unified diff.
    pub lives: String,
    /// The index of the first record of each run that differs, of those that matter if any does; none: the runs are
    /// alike.
    pub first: Option<(Option<usize>, Option<usize>)>,
    /// Whether they differ in none that matters.
    pub only_work: bool,
}

/// Compares two runs of one story; `names` are those of the sides in the diff.
pub fn compare(a: &Replay<'_>, b: &Replay<'_>, names: [&str; 2]) -> Comparison {
    let figures = a.metrics.iter().zip(b.metrics.iter());
    let figures = figures.filter(|((_, x), (_, y))| x != y).map(|((figure, x), (_, y))| (figure, x, y)).collect();
    let (one, other) = (body(&a.golden()), body(&b.golden()));
    let lives = line_diff::unified(&one, &other, 2, names);
    let (a, b) = (&a.outcome.trace, &b.outcome.trace);
    let matter = parting(a, b, matters);
    let first = matter.or_else(|| parting(a, b, |_| true));
    Comparison { figures, lives, first, only_work: matter.is_none() }
}

/// A golden text from its steps on: the head names the logic and would always differ.
fn body(golden: &str) -> String {
    golden.find("\nsteps\n").map_or(golden, |at| &golden[at + 1..]).to_owned()
}

/// Whether a record tells what came of something, and not only that work was done.
fn matters(what: What) -> bool {
    !matches!(what, What::Decided(Reason::Reconcile { .. }) | What::Drawn { .. } | What::Called { .. })
}

/// Where two runs part, of the records that are asked for.
fn parting(a: &Trace, b: &Trace, asked: impl Fn(What) -> bool) -> Option<(Option<usize>, Option<usize>)> {
    let happened = |trace: &Trace, record: Record| (record.at, trace.name(record.subject), record.actor, record.what);
    let mut ours = a.records().iter().enumerate().filter(|(_, record)| asked(record.what));
    let mut theirs = b.records().iter().enumerate().filter(|(_, record)| asked(record.what));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return None,
            (Some((_, ours)), Some((_, theirs))) if happened(a, ours) == happened(b, theirs) => {}
            (ours, theirs) => return Some((ours.map(|(index, _)| index), theirs.map(|(index, _)| index))),
        }
    }
}
