//! "Did you mean": the known name that a misspelt one was most likely meant to be.
//!
//! Pure text; knows no scenario. Two measures, for two kinds of mistake: edits (`horizn`) and a common
//! beginning (`size` for `size_gb`).

use strsim::{damerau_levenshtein, jaro_winkler};

/// How much two names that begin alike must look alike.
const LIKENESS_MIN: f64 = 0.8;
/// Longer texts are no misspelt names, and the measures take quadratic time.
const LENGTH_MAX: usize = 100;

/// The known name closest to `word`, when one is close; of equally close ones the first.
pub fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest(word, known, |edits, name| edits <= edits_max(word) || jaro_winkler(word, name) >= LIKENESS_MIN)
}

/// The same by edits alone: a slip of the fingers, not of the memory.
pub(crate) fn typo<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest(word, known, |edits, _| edits <= edits_max(word))
}

fn edits_max(word: &str) -> usize {
    word.chars().count() / 3
}

fn closest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    close: impl Fn(usize, &str) -> bool,
) -> Option<&'a str> {
    if word.len() > LENGTH_MAX {
        return None;
    }
    known
        .into_iter()
        .filter(|name| name.len() <= LENGTH_MAX)
        // Who writes `sandbox.pull` means one of them, not all.
        .filter(|name| !name.contains('*') || word.contains('*') || !word.contains('.'))
        .map(|name| (edits(&word.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(edits, name)| close(*edits, name))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// How many slips lie between them; of `sandbox.pull_image` the last part may be all that is written, or missing.
fn edits(word: &str, name: &str) -> usize {
    if name.strip_prefix(word).is_some_and(|rest| rest.starts_with(['_', '-'])) {
        return 1;
    }
    let whole = damerau_levenshtein(word, name);
    let last = name.rsplit_once('.').map(|(_, last)| last).filter(|last| *last != "*" && !word.contains('.'));
    last.map_or(whole, |last| whole.min(damerau_levenshtein(word, last)))
}

/// `a, b and c`, each in back quotes; cut where the list gets too long to read.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let text = crate::model::listed(names, "and", 24);
    if text.is_empty() { "none".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        for (word, known, meant) in [
            ("horizn", &["schema", "horizon"][..], Some("horizon")),
            ("size", &["name", "size_gb"], Some("size_gb")),
            ("exit_aftre", &["exit_after", "start"], Some("exit_after")),
            ("Horizon", &["horizon"], Some("horizon")),
            ("colour", &["nodes", "latency"], None),
            ("ab", &["ax", "ay"], None),
            ("nodf", &["nods", "node"], Some("nods")),
            ("", &["a"], None),
            ("pull_image", &["sandbox.signal", "sandbox.pull_image", "sandbox.*"], Some("sandbox.pull_image")),
            ("mout", &["disk.mount", "disk.unmount", "disk.*"], Some("disk.mount")),
            ("sandbox.pull", &["sandbox.start", "sandbox.pull_image", "sandbox.*"], Some("sandbox.pull_image")),
        ] {
            assert_eq!(similar(word, known.iter().copied()), meant, "{word}");
        }
    }

    #[test]
    fn lists_read_as_people_write_them() {
        assert_eq!(listed([]), "none");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
        assert!(listed(["x"; 40]).ends_with("and 16 more"));
    }
}
