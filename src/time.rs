//! Simulated time and its durations, in whole nanoseconds.
//!
//! Knows no clock: time moves in the executor only. Durations are written as users write
//! them in scenario files (`"1h30m"`, `"500ms"`, `"2d"`). What a newcomer gets wrong: a
//! `SimTime` is an instant counted from the start of the run, a `SimDuration` a length;
//! neither is ever a float.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant: nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct SimTime(u64);

/// A length of simulated time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// The last instant the clock can show (about 584 years).
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// The time from `earlier` to `self`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
    /// The time since the start of the run.
    pub const fn elapsed(self) -> SimDuration {
        SimDuration(self.0)
    }
    /// The same instant in whole milliseconds, as the store stamps it.
    pub const fn floor_millis(self) -> Self {
        Self(self.0 - self.0 % 1_000_000)
    }
    /// `self + d`, or the last instant when that lies beyond the clock's end.
    pub const fn saturating_add(self, d: SimDuration) -> Self {
        Self(self.0.saturating_add(d.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest duration.
    pub const MAX: Self = Self(u64::MAX);

    /// A duration of `n` nanoseconds.
    pub const fn from_nanos(n: u64) -> Self {
        Self(n)
    }
    /// A duration of `n` milliseconds.
    pub const fn from_millis(n: u64) -> Self {
        Self(n * 1_000_000)
    }
    /// A duration of `n` seconds.
    pub const fn from_secs(n: u64) -> Self {
        Self(n * 1_000_000_000)
    }
    /// A duration of `n` minutes.
    pub const fn from_mins(n: u64) -> Self {
        Self::from_secs(n * 60)
    }
    /// A duration of `n` hours.
    pub const fn from_hours(n: u64) -> Self {
        Self::from_secs(n * 3600)
    }
    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// To the millisecond: as precise as results are told.
    pub const fn rounded(self) -> Self {
        Self(self.0.saturating_add(500_000) / 1_000_000 * 1_000_000)
    }
    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }
    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// `self × n`, or the longest duration when that is longer.
    pub const fn saturating_mul(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
    /// `self + other`, or the longest duration when that is longer.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// `self − other`, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// `h:mm:ss`, `m:ss` or with milliseconds when there are any: how all texts write times. Finer parts are cut
    /// off, but for what is shorter than a millisecond.
    pub fn clock(self) -> Clockface {
        Clockface(self)
    }
}

/// A duration shown as on a clock face: `5:00`, `1:05:00`, `0:02.350`.
pub struct Clockface(SimDuration);

impl fmt::Display for Clockface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = if self.0.0 < 1_000_000 { self.0.0 } else { self.0.0 / 1_000_000 * 1_000_000 };
        let (secs, frac) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
        // Timelines have tens of thousands of these: from right to left, without a text of its own for each part.
        let (mut face, mut at) = ([b'0'; 32], 32);
        let mut put = |mut number: u64, width: usize, before: &[u8]| {
            let end = at;
            while number > 0 || end - at < width {
                at -= 1;
                face[at] = b'0' + (number % 10) as u8;
                number /= 10;
            }
            at -= before.len();
            face[at..at + before.len()].copy_from_slice(before);
        };
        match frac {
            0 => {}
            n if n % 1_000_000 == 0 => put(n / 1_000_000, 3, b"."),
            n if n % 1_000 == 0 => put(n / 1_000, 6, b"."),
            n => put(n, 9, b"."),
        }
        put(s, 2, b":");
        if h > 0 {
            put(m, 2, b":");
            put(h, 1, b"");
        } else {
            put(m, 1, b"");
        }
        f.pad(std::str::from_utf8(&face[at..]).expect("digits and marks"))
    }
}

/// `.250`, `.000001` or nothing: a fraction of a second in groups of three digits.
fn fraction(nanos: u64) -> String {
    match nanos {
        0 => String::new(),
        n if n % 1_000_000 == 0 => format!(".{:03}", n / 1_000_000),
        n if n % 1_000 == 0 => format!(".{:06}", n / 1_000),
        n => format!(".{n:09}"),
    }
}

impl fmt::Display for SimDuration {
    /// As in a scenario file, exact: `22m7s`, `5m14.250s`, `500ms`, `2d`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0;
        let text = if nanos == 0 {
            "0s".to_owned()
        } else if nanos < 1_000_000_000 {
            match nanos {
                n if n % 1_000_000 == 0 => format!("{}ms", n / 1_000_000),
                n if n % 1_000 == 0 => format!("{}us", n / 1_000),
                n => format!("{n}ns"),
            }
        } else {
            let (secs, frac) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
            let mut text = String::new();
            if h > 0 {
                text.push_str(&format!("{h}h"));
            }
            if m > 0 {
                text.push_str(&format!("{m}m"));
            }
            if s > 0 || frac > 0 {
                text.push_str(&format!("{s}{}s", fraction(frac)));
            }
            text
        };
        f.pad(&text)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.elapsed(), f)
    }
}
impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t={self}")
    }
}
impl fmt::Debug for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl Serialize for SimTime {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.elapsed().serialize(s)
    }
}
impl Serialize for SimDuration {
    /// A text for people, nanoseconds for programs.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { s.serialize_u64(self.as_nanos()) }
    }
}

impl<'de> Deserialize<'de> for SimDuration {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return u64::deserialize(d).map(Self::from_nanos);
        }
        Cow::<str>::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}
impl<'de> Deserialize<'de> for SimTime {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        SimDuration::deserialize(d).map(|since| Self::ZERO + since)
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    fn add(self, d: SimDuration) -> SimTime {
        self.saturating_add(d)
    }
}
impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, d: SimDuration) {
        *self = *self + d;
    }
}
impl Sub<SimTime> for SimTime {
    type Output = SimDuration;
    fn sub(self, earlier: SimTime) -> SimDuration {
        self.since(earlier)
    }
}
impl Add for SimDuration {
    type Output = SimDuration;
    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}
impl Sub for SimDuration {
    type Output = SimDuration;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}
impl Mul<u64> for SimDuration {
    type Output = SimDuration;
    fn mul(self, n: u64) -> Self {
        self.saturating_mul(n)
    }
}

/// Why a text is no duration. The text of each says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DurationError {
    /// The text is empty.
    Empty,
    /// A number without a unit, or with something in its place that is none of ours.
    Unit { number: String, found: String },
    /// Hours, minutes and seconds that no clock shows.
    Clock,
    /// A minus sign.
    Negative,
    /// Not a number where one should stand.
    Number,
    /// More than the clock can count (about 584 years).
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a duration is missing; write one like \"5s\""),
            Self::Unit { number, found } if found.is_empty() => {
                write!(f, "a duration needs a unit (ns, us, ms, s, m, h, d); write \"{number}s\"")
            }
            Self::Unit { number, found } => match meant(found) {
                Some(unit) => write!(f, "`{found}` is not a unit of time; write \"{number}{unit}\""),
                None => write!(f, "`{found}` is not a unit of time; the units are ns, us, ms, s, m, h, d"),
            },
            Self::Clock => f.write_str("no clock shows this; write one like \"5:00\", \"1:05:00\" or \"0:02.350\""),
            Self::Negative => f.write_str("a duration cannot be negative"),
            Self::Number => f.write_str("this is not a duration; write one like \"90s\" or \"1h30m\""),
            Self::TooLong => f.write_str("longer than the simulated clock can count (584 years)"),
        }
    }
}
impl std::error::Error for DurationError {}

/// The units: as they are written, their nanoseconds, and how else people spell them.
const UNITS: [(&str, u64, &[&str]); 7] = [
    ("ns", 1, &["nanosecond"]),
    ("us", 1_000, &["microsecond"]),
    ("ms", 1_000_000, &["msec", "milli", "millisecond"]),
    ("s", 1_000_000_000, &["sec", "second"]),
    ("m", 60_000_000_000, &["min", "minute"]),
    ("h", 3_600_000_000_000, &["hr", "hour"]),
    ("d", 86_400_000_000_000, &["day"]),
];

/// The unit that is spelt out in full, or as other tools have it.
fn meant(unit: &str) -> Option<&'static str> {
    let unit = unit.to_lowercase();
    let names = |short: &str, long: &[&str]| unit == short || long.contains(&unit.trim_end_matches('s'));
    UNITS.iter().find(|(short, _, long)| names(short, long)).map(|(short, ..)| *short)
}

impl FromStr for SimDuration {
    type Err = DurationError;

    /// Parses `"500ms"`, `"90s"`, `"1h30m"`, `"5m14.250s"`, `"2d"`, and what clocks show: `"5:14.250"`, `"1:05:00"`.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let mut rest = text.trim();
        if rest.contains(':') {
            return on_a_clock(rest);
        }
        if rest.is_empty() {
            return Err(DurationError::Empty);
        }
        if rest.starts_with('-') {
            return Err(DurationError::Negative);
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            if number.is_empty() {
                return Err(DurationError::Number);
            }
            let written = if unit == "µs" { "us" } else { unit };
            let Some((_, scale, _)) = UNITS.iter().find(|(short, ..)| *short == written) else {
                let (number, found) = (number.to_owned(), unit.trim().to_owned());
                return Err(DurationError::Unit { number, found });
            };
            let part = decimal_times(number, *scale)?;
            total = total.checked_add(part).ok_or(DurationError::TooLong)?;
            rest = tail;
        }
        Ok(Self(total))
    }
}

/// `m:ss` or `h:mm:ss`, with a fraction or without.
fn on_a_clock(text: &str) -> Result<SimDuration, DurationError> {
    let mut total: u64 = 0;
    let parts: Vec<&str> = text.split(':').collect();
    for (place, part) in parts.iter().enumerate() {
        let (first, last) = (place == 0, place + 1 == parts.len());
        let whole = part.split_once('.').map_or(*part, |(whole, _)| whole);
        let digits = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
        let shown = digits && (first || (whole.len() == 2 && *whole < *"60")) && (last || whole == *part);
        if !shown || parts.len() > 3 {
            return Err(DurationError::Clock);
        }
        let scale = [3_600_000_000_000, 60_000_000_000, 1_000_000_000][3 - parts.len() + place];
        let part = decimal_times(part, scale).map_err(|error| match error {
            DurationError::TooLong => error,
            _ => DurationError::Clock,
        })?;
        total = total.checked_add(part).ok_or(DurationError::TooLong)?;
    }
    Ok(SimDuration(total))
}

/// `number × scale` in integers; digits below a nanosecond are cut.
fn decimal_times(number: &str, scale: u64) -> Result<u64, DurationError> {
    let (whole, frac) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || !frac.bytes().all(|b| b.is_ascii_digit()) || (number.contains('.') && frac.is_empty()) {
        return Err(DurationError::Number);
    }
    let whole: u64 = whole.parse().map_err(|_| DurationError::TooLong)?;
    let mut total = whole.checked_mul(scale).ok_or(DurationError::TooLong)?;
    let mut unit = scale;
    for digit in frac.bytes() {
        unit /= 10;
        total = total.checked_add(unit * u64::from(digit - b'0')).ok_or(DurationError::TooLong)?;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, nanos) in [
            ("0s", 0),
            ("500ms", 500_000_000),
            ("90s", 90_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("2d", 172_800_000_000_000),
            ("5m14.250s", 314_250_000_000),
            ("1.5us", 1_500),
            ("5:14.250", 314_250_000_000),
            ("1:05:00", 3_900_000_000_000),
            ("90:00", 5_400_000_000_000),
        ] {
            assert_eq!(text.parse::<SimDuration>(), Ok(SimDuration(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, error) in [
            ("", DurationError::Empty),
            ("5", DurationError::Unit { number: "5".into(), found: String::new() }),
            ("5 fortnights", DurationError::Unit { number: "5".into(), found: "fortnights".into() }),
            ("1:5", DurationError::Clock),
            ("1:60", DurationError::Clock),
            ("1:00:", DurationError::Clock),
            (":30", DurationError::Clock),
            ("0:0:00:00", DurationError::Clock),
            ("1.5:00", DurationError::Clock),
            ("1:00.", DurationError::Clock),
            ("1:00.5s", DurationError::Clock),
            ("-5s", DurationError::Negative),
            ("soon", DurationError::Number),
            ("1.s", DurationError::Number),
            ("365250000d", DurationError::TooLong),
        ] {
            assert_eq!(text.parse::<SimDuration>(), Err(error), "{text}");
        }
    }

    #[test]
    fn what_to_write_is_said_with_the_number_that_was_written() {
        for (text, says) in [
            ("10", "write \"10s\""),
            ("30min", "write \"30m\""),
            ("1.5 Hours", "write \"1.5h\""),
            ("2S", "write \"2s\""),
            ("500MS", "write \"500ms\""),
            ("3x", "the units are ns"),
        ] {
            let error = text.parse::<SimDuration>().expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn ages_read_as_on_a_clock_face() {
        for (d, text) in [
            (SimDuration::from_secs(300), "5:00"),
            (SimDuration::from_secs(3900), "1:05:00"),
            (SimDuration::from_millis(2350), "0:02.350"),
        ] {
            assert_eq!(d.clock().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn every_duration_survives_being_written(nanos in any::<u64>()) {
            let d = SimDuration(nanos);
            prop_assert_eq!(d.to_string().parse::<SimDuration>(), Ok(d));
            let shown = if nanos < 1_000_000 { d } else { SimDuration(nanos / 1_000_000 * 1_000_000) };
            prop_assert_eq!(d.clock().to_string().parse::<SimDuration>(), Ok(shown), "as it is printed");
        }
    }
}
