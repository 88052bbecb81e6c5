//! Lines that differ between two texts.
//!
//! It knows lines, and where a terminal shows them it does not. What a newcomer gets wrong: the crate's own
//! `TextDiff` would do, and bring all its algorithms, a twentieth of the program; Myers' is called by itself.

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, group_diff_ops};

/// Lines that changed, with equal ones around them.
pub(crate) struct Hunk<'t> {
    /// Where it is: `@@ -1,3 +1,4 @@`.
    place: UnifiedHunkHeader,
    /// What became of each line.
    pub(crate) lines: Vec<(ChangeTag, &'t str)>,
}

/// The hunks between two texts, each with so many equal lines around.
pub(crate) fn hunks<'t>(old: &'t str, new: &'t str, around: usize) -> Vec<Hunk<'t>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut found = Compact::new(Replace::new(Capture::new()), &old, &new);
    let done = myers::diff(&mut found, &old, 0..old.len(), &new, 0..new.len());
    done.expect("a list takes everything");
    let groups = group_diff_ops(found.into_inner().into_inner().into_ops(), around);
    let hunk = |ops: &Vec<similar::DiffOp>| {
        let changes = ops.iter().flat_map(|op| op.iter_changes(&old, &new));
        let lines = changes.map(|change| (change.tag(), change.value())).collect();
        Hunk { place: UnifiedHunkHeader::new(ops), lines }
    };
    groups.iter().filter(|ops| !ops.is_empty()).map(hunk).collect()
}

/// The same as text, as `diff -u` prints it, under the names of the sides; empty: they are equal.
pub(crate) fn unified(old: &str, new: &str, around: usize, [of_old, of_new]: [&str; 2]) -> String {
    let hunks = hunks(old, new, around);
    let mut text = if hunks.is_empty() { String::new() } else { format!("--- {of_old}\n+++ {of_new}\n") };
    for Hunk { place, lines } in hunks {
        text.push_str(&format!("{place}\n"));
        lines.iter().for_each(|(tag, line)| text.push_str(&format!("{tag}{line}\n")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_as_diff_tells_it() {
        let (old, new) = ("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nC\nd\ne\nf\ng\nh\ni\n");
        let told = "--- old\n+++ new\n@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n@@ -8 +8,2 @@\n h\n+i\n";
        assert_eq!(unified(old, new, 1, ["old", "new"]), told);
        assert_eq!(unified(old, old, 1, ["old", "new"]), "");
    }
}
