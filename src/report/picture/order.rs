//! The order of the rows, and what folds together.
//!
//! The cluster, then what things hang on – disks with their volumes and leases, nodes with their processes –
//! and then the apps with their pools and sandboxes; of a kind by name, in natural order. It knows tracks.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::{Kind, Subject};
use crate::trace::Trace;
use crate::trace::tracks::Track;

/// From so many on, alike things are one row.
const FOLD_MIN: usize = 4;

/// A row to be drawn.
pub(super) enum Row<'a> {
    /// A thing, and how far it stands in.
    Thing(&'a Track, u8),
    /// The rows of the next so many things together.
    Alike { members: usize, name: String, kind: Kind, depth: u8 },
}

/// The rows of these tracks.
pub(super) fn rows<'a>(trace: &Trace, tracks: &'a [Track]) -> Vec<Row<'a>> {
    let there: BTreeMap<Subject, &Track> = tracks.iter().map(|track| (track.subject, track)).collect();
    let mut children: BTreeMap<Option<Subject>, Vec<&Track>> = BTreeMap::new();
    for track in tracks.iter().filter(|track| place(track.subject.kind).is_some()) {
        // A disk outlives the app that asked for it first.
        let parent = track.parent.filter(|_| track.subject.kind != Kind::Disk);
        let parent = parent.filter(|parent| *parent != track.subject && there.contains_key(parent));
        children.entry(parent).or_default().push(track);
    }
    for list in children.values_mut() {
        list.sort_by(|a, b| {
            let kinds = place(a.subject.kind).cmp(&place(b.subject.kind));
            kinds.then_with(|| natural(&trace.name(a.subject), &trace.name(b.subject)))
        });
    }
    let mut rows = Vec::new();
    put(trace, &children, None, 0, &mut rows);
    rows
}

fn put<'a>(
    trace: &Trace,
    children: &BTreeMap<Option<Subject>, Vec<&'a Track>>,
    parent: Option<Subject>,
    depth: u8,
    rows: &mut Vec<Row<'a>>,
) {
    for alike in
        children.get(&parent).map_or(&[] as &[_], Vec::as_slice).chunk_by(|a, b| a.subject.kind == b.subject.kind)
    {
        let kind = alike[0].subject.kind;
        let folds = matches!(kind, Kind::Sandbox | Kind::Lease) && alike.len() >= FOLD_MIN;
        if folds {
            let names = [alike[0], alike[alike.len() - 1]].map(|track| trace.name(track.subject));
            let name = format!("{}* \u{d7}{}", common(&names[0], &names[1]), alike.len());
            rows.push(Row::Alike { members: alike.len(), name, kind, depth });
        }
        let depth = depth + u8::from(folds);
        for track in alike {
            rows.push(Row::Thing(track, depth));
            // Four kinds stand in each other at most; a circle, which no field of ours makes, ends here.
            if depth < DEPTH_MAX {
                put(trace, children, Some(track.subject), depth + 1, rows);
            }
        }
    }
}

const DEPTH_MAX: u8 = 8;

/// What two names begin with, without the numbers at its end.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let same =
        a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b).map_or(a.len().min(b.len()), |((at, _), _)| at);
    a[..same].trim_end_matches(|sign: char| sign.is_ascii_digit())
}

/// By name, with numbers as what they count: `x-9` before `x-10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let split = |text: &str| text.find(|sign: char| sign.is_ascii_digit()).unwrap_or(text.len());
        let (words, others) = (left.split_at(split(left)), right.split_at(split(right)));
        if words.0 != others.0 {
            return words.0.cmp(others.0);
        }
        let end = |text: &str| text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
        let (digits, other) = (words.1.split_at(end(words.1)), others.1.split_at(end(others.1)));
        let number = |digits: &str| digits.trim_start_matches('0').len();
        let numbers = number(digits.0).cmp(&number(other.0)).then_with(|| digits.0.cmp(other.0));
        if numbers != Ordering::Equal || digits.0.is_empty() {
            return numbers.then_with(|| a.cmp(b));
        }
        (left, right) = (digits.1, other.1);
    }
}

/// Which kind comes first; none: it has no row.
const fn place(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Cluster => Some(0),
        Kind::Disk => Some(1),
        Kind::Volume => Some(2),
        Kind::Lease => Some(3),
        Kind::Node => Some(4),
        Kind::Process => Some(5),
        Kind::App => Some(6),
        Kind::Pool => Some(7),
        Kind::Sandbox => Some(8),
        Kind::Version | Kind::Step | Kind::Fault => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_counted_and_not_spelled() {
        let mut names = ["x-10", "x-9", "y", "x", "x-9-b", "x-010", "x10-2", "x9-10", "x-99999999999999999999", ""];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["", "x", "x9-10", "x10-2", "x-9", "x-9-b", "x-010", "x-10", "x-99999999999999999999", "y"]);
    }

    #[test]
    fn a_name_for_many_is_what_they_begin_with() {
        assert_eq!(common("sandbox/web-0", "sandbox/web-130"), "sandbox/web-");
        assert_eq!(common("sandbox/web-10", "sandbox/web-19"), "sandbox/web-");
        assert_eq!(common("a", "b"), "");
    }
}
