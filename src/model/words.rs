//! Enums that are known by words: in scenario files, records and texts.
//!
//! The word of a variant is written once, here in its macro's row; everybody else has the
//! variant. It may know nothing. What a newcomer gets wrong: a word is for writing and reading
//! files; whoever decides matches on the variant, without `_`, so that a new one asks for its arm.

use std::fmt::Write;

/// An enum of which each variant has a word.
pub trait Words: Copy + PartialEq + 'static {
    /// Every one, in the order of the documentation.
    const ALL: &'static [Self];
    /// Their words, in the same order.
    const WORDS: &'static [&'static str];

    /// The one of that word.
    fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().position(|known| *known == word).map(|place| Self::ALL[place])
    }
}

/// A word as texts have statuses: `DEAD`.
pub(crate) struct Upper(pub(crate) &'static str);

impl std::fmt::Display for Upper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|c| f.write_char(c.to_ascii_uppercase()))
    }
}

/// Writes such an enum.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            /// Every one, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its word in scenario files, records and texts.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        impl $crate::model::Words for $name {
            const ALL: &'static [Self] = Self::ALL;
            const WORDS: &'static [&'static str] = &[$($text),*];
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
pub(crate) use words;

/// A count and what is counted, as people say it: `1 step`, `2 further steps`, `2 streams of traffic`, `3 fixes`.
pub(crate) fn counted(n: impl std::fmt::Display, what: &str) -> String {
    let n = n.to_string();
    if n == "1" { format!("1 {what}") } else { format!("{n} {}", plural(what)) }
}

/// Names in back quotes as people write a list, `a`, `b` and `c`, with that word before the last; more than so many are counted.
pub(crate) fn listed(names: impl IntoIterator<Item = impl std::fmt::Display>, word: &str, most: usize) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(most);
    if more > 0 {
        names.truncate(most);
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {word} {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Several of them: `pools`, `sandboxes`, `streams of traffic`.
pub(crate) fn plural(what: &str) -> String {
    let (head, rest) = what.split_at(what.find(" of ").unwrap_or(what.len()));
    let ending = if head.ends_with(['x', 's', 'h']) { "es" } else { "s" };
    format!("{head}{ending}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_people_say_them() {
        for (n, what, text) in [
            (0, "step", "0 steps"),
            (1, "step", "1 step"),
            (2, "further step", "2 further steps"),
            (2, "stream of traffic", "2 streams of traffic"),
            (1, "fix", "1 fix"),
            (3, "fix", "3 fixes"),
            (2, "crash", "2 crashes"),
        ] {
            assert_eq!(counted(n, what), text);
        }
    }
}
