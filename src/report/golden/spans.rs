//! Texts that differ only in numbers, put into one text with ranges.
//!
//! Equal lives are told once; what was observed in each becomes `5:00..5:20`. It may know texts
//! only: ages on a clock face, whole numbers, ordinals of names. What a newcomer gets wrong: an
//! age is cut to seconds because it is a measurement, a *limit* never, because it is the rule.

use crate::kernel::SimDuration;

/// A piece of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Word(String),
    Number(u64),
    /// An age; exact when it is a limit.
    Age {
        nanos: u64,
        exact: bool,
    },
}

/// What a text says with its numbers left out: texts with one skeleton can be merged.
pub(super) fn skeleton(text: &str) -> String {
    let blank = |piece| match piece {
        Piece::Word(word) => word,
        Piece::Number(_) => "#".to_owned(),
        Piece::Age { .. } => "#:#".to_owned(),
    };
    pieces(text).into_iter().map(blank).collect()
}

/// One text for many of the same skeleton.
pub(super) fn merge<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<Vec<Piece>> = texts.map(pieces).collect();
    let Some(first) = all.first() else { return String::new() };
    let mut out = String::new();
    for (place, piece) in first.iter().enumerate() {
        let others = all.iter().filter_map(|pieces| pieces.get(place));
        match piece {
            Piece::Word(word) => out.push_str(word),
            Piece::Number(_) => {
                let numbers = others.filter_map(|piece| if let Piece::Number(n) = piece { Some(*n) } else { None });
                out.push_str(&range(numbers, |n| n.to_string()));
            }
            Piece::Age { exact, .. } => {
                let ages = others.filter_map(|p| if let Piece::Age { nanos, .. } = p { Some(*nanos) } else { None });
                out.push_str(&range(ages, |nanos| age(SimDuration::from_nanos(nanos), *exact)));
            }
        }
    }
    out
}

/// The least and the most of some numbers as text: one of them when they read alike.
pub(super) fn range(numbers: impl Iterator<Item = u64>, text: impl Fn(u64) -> String) -> String {
    let (mut low, mut high) = (u64::MAX, 0);
    for n in numbers {
        (low, high) = (low.min(n), high.max(n));
    }
    match (text(low), text(high)) {
        (low, high) if low == high => low,
        (low, high) => format!("{low}..{high}"),
    }
}

/// An age as golden texts write it: measurements cut to seconds, below ten of them to tenths.
pub(super) fn age(d: SimDuration, exact: bool) -> String {
    let nanos = d.as_nanos();
    let unit = match nanos {
        _ if exact => 1,
        10_000_000_000.. => 1_000_000_000,
        100_000_000.. => 100_000_000,
        _ => return "0:00".to_owned(),
    };
    let text = SimDuration::from_nanos(nanos / unit * unit).clock().to_string();
    // 0:02.300 says no more than 0:02.3.
    if text.contains('.') && !exact { text.trim_end_matches('0').to_owned() } else { text }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut word = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !c.is_ascii_digit() {
            word.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (number, tail) = split_number(rest);
        rest = tail;
        let exact = ["limit ", "cooldown ", "within "].iter().any(|before| word.ends_with(before));
        match read(number, exact) {
            Some(piece) => {
                if !word.is_empty() {
                    pieces.push(Piece::Word(std::mem::take(&mut word)));
                }
                pieces.push(piece);
            }
            None => word.push_str(number),
        }
    }
    if !word.is_empty() {
        pieces.push(Piece::Word(word));
    }
    pieces
}

/// Splits off digits with the colons and points between them.
fn split_number(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (end > 0 && matches!(bytes.get(end), Some(b':' | b'.')) && digit(end + 1)) {
        end += 1;
    }
    text.split_at(end)
}

/// `213`, `5:02`, `1:05:00.250`; none for anything else, such as an address.
fn read(number: &str, exact: bool) -> Option<Piece> {
    if !number.contains([':', '.']) {
        return number.parse().ok().map(Piece::Number);
    }
    if !number.contains(':') {
        return None;
    }
    let (clock, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut seconds: u64 = 0;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let digits: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10u64.checked_pow(9u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
    Some(Piece::Age { nanos: seconds.checked_mul(1_000_000_000)?.checked_add(digits.checked_mul(scale)?)?, exact })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observed_values_become_ranges_and_limits_stay() {
        for (texts, merged) in [
            (&["actual 0 < desired 1"][..], "actual 0 < desired 1"),
            (
                &["stale PENDING at age 5:02.114: limit 5:00", "stale PENDING at age 5:29.900: limit 5:00"],
                "stale PENDING at age 5:02..5:29: limit 5:00",
            ),
            (&["limit 0:07.250", "limit 0:07.250"], "limit 0:07.250"),
            (&["ready after 0:03.012", "ready after 0:03.090"], "ready after 0:03"),
            (&["ready after 0:03.412", "ready after 0:04.190"], "ready after 0:03.4..0:04.1"),
            (&["boot fails after 0:00.014: x"], "boot fails after 0:00: x"),
            (&["held by lease/a-0", "held by lease/a-12"], "held by lease/a-0..12"),
            (&["address 10.0.0.7 is taken"], "address 10.0.0.7 is taken"),
            (&["at 1:05:00.000", "at 0:10"], "at 0:10..1:05:00"),
            (&[], ""),
        ] {
            assert_eq!(merge(texts.iter().copied()), merged);
        }
    }

    #[test]
    fn texts_that_differ_in_words_have_different_skeletons() {
        assert_eq!(skeleton("age 5:02: limit 5:00"), skeleton("age 1:05:29.5: limit 0:30"));
        assert_ne!(skeleton("disk a"), skeleton("disk b"));
        assert_ne!(skeleton("exit code 1"), skeleton("exit code"));
    }
}
