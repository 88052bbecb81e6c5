//! Two logics side by side, of which there may be more: figures, lives, and the first moment in which they part.
//!
//! It reads two runs of one story. The first difference is that of what *happened*: record
//! numbers and causes are left out, for they shift with every record more. What a newcomer gets
//! wrong: the first difference is often a harmless tick; its cause says why it is there.

use crate::replay::Replay;
use crate::trace::metrics::{Figure, Metric};
use crate::trace::{Record, Trace};

/// What tells two runs apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The figures that differ.
    pub figures: Vec<(Figure, Metric, Metric)>,
    /// The lines of the golden texts that differ, as a unified diff.
    pub lives: String,
    /// The index of the first record of each run that differs; none: the runs are alike.
    pub first: Option<(Option<usize>, Option<usize>)>,
}

/// Compares two runs of one story; `names` are those of the sides in the diff.
pub fn compare(a: &Replay<'_>, b: &Replay<'_>, names: [&str; 2]) -> Comparison {
    let figures = a.metrics.iter().zip(b.metrics.iter());
    let figures = figures.filter(|((_, x), (_, y))| x != y).map(|((figure, x), (_, y))| (figure, x, y)).collect();
    let (one, other) = (body(&a.golden()), body(&b.golden()));
    let diff = similar::TextDiff::from_lines(&one, &other);
    let lives = diff.unified_diff().context_radius(2).header(names[0], names[1]).to_string();
    Comparison { figures, lives, first: first_difference(&a.outcome.trace, &b.outcome.trace) }
}

/// A golden text from its steps on: the head names the logic and would always differ.
fn body(golden: &str) -> String {
    golden.find("\nsteps\n").map_or(golden, |at| &golden[at + 1..]).to_owned()
}

fn first_difference(a: &Trace, b: &Trace) -> Option<(Option<usize>, Option<usize>)> {
    let happened = |trace: &Trace, record: &Record| (record.at, trace.name(record.subject), record.actor, record.what);
    let (ours, theirs) = (a.records(), b.records());
    let common = ours.len().min(theirs.len());
    let parted = (0..common).find(|index| happened(a, &ours[*index]) != happened(b, &theirs[*index]));
    match parted {
        Some(index) => Some((Some(index), Some(index))),
        None if ours.len() == theirs.len() => None,
        None => Some(((common < ours.len()).then_some(common), (common < theirs.len()).then_some(common))),
    }
}
