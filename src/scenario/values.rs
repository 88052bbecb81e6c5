//! Reading of single values: durations, spreads, numbers, names, words, lists.
//!
//! Knows nodes and their kinds; each reader notes what is wrong and answers nothing then. Numbers
//! with a point are read digit by digit from the text, never by way of a float. What a newcomer
//! gets wrong: a duration is a text with a unit; a bare number is an error that says what to write.

use crate::kernel::time::DurationError;
use crate::kernel::{SimDuration, SimTime};
use crate::model::Name;
use crate::world::spec::{Delay, Spread};

use super::schema::{Kind, SPREAD};
use super::tree::{Node, Value};
use super::walk::{Fields, Walk};

/// Longer lists are mistakes.
const LIST_MAX: usize = 10_000;
/// Longer names are mistakes.
const NAME_MAX: usize = 200;

impl Fields<'_> {
    /// A duration.
    pub(crate) fn duration(&mut self, walk: &mut Walk, name: &str) -> Option<SimDuration> {
        assert!(matches!(self.kind(name), Kind::Duration), "`{name}` is no duration");
        self.get(name).and_then(|node| duration(walk, node))
    }
    /// A time from the start of the run.
    pub(crate) fn time(&mut self, walk: &mut Walk, name: &str) -> Option<SimTime> {
        self.duration(walk, name).map(|d| SimTime::ZERO + d)
    }
    /// A duration that may be random.
    pub(crate) fn spread(&mut self, walk: &mut Walk, name: &str) -> Option<Spread> {
        assert!(matches!(self.kind(name), Kind::Spread), "`{name}` is no spread");
        self.get(name).and_then(|node| spread(walk, node))
    }
    /// A delay for each boot.
    pub(crate) fn delays(&mut self, walk: &mut Walk, name: &str) -> Option<Vec<Delay>> {
        assert!(matches!(self.kind(name), Kind::Delays), "`{name}` is no delay");
        self.get(name).and_then(|node| delays(walk, node))
    }
    /// A whole number within the bounds of its key.
    pub(crate) fn int(&mut self, walk: &mut Walk, name: &str) -> Option<u64> {
        let Kind::Int { min, max } = self.kind(name) else { panic!("`{name}` is no whole number") };
        self.get(name).and_then(|node| int(walk, node, min, max))
    }
    /// Parts per million within the bounds of its key.
    pub(crate) fn decimal(&mut self, walk: &mut Walk, name: &str) -> Option<u64> {
        let Kind::Decimal { min, max } = self.kind(name) else { panic!("`{name}` is no decimal") };
        self.get(name).and_then(|node| decimal(walk, node, min, max))
    }
    /// Which of the words of its key.
    pub(crate) fn word(&mut self, walk: &mut Walk, name: &str) -> Option<usize> {
        let Kind::Word(words) = self.kind(name) else { panic!("`{name}` is no word") };
        self.get(name).and_then(|node| word(walk, node, name, words))
    }
    /// Any text.
    pub(crate) fn text(&mut self, walk: &mut Walk, name: &str) -> Option<String> {
        assert!(matches!(self.kind(name), Kind::Text), "`{name}` is no text");
        self.get(name).and_then(|node| text(walk, node).map(str::to_owned))
    }
    /// A name.
    pub(crate) fn name(&mut self, walk: &mut Walk, name: &str) -> Option<Name> {
        assert!(matches!(self.kind(name), Kind::Name), "`{name}` is no name");
        self.get(name).and_then(|node| self::name(walk, node))
    }
}

/// A text.
pub(crate) fn text<'t>(walk: &mut Walk, node: &'t Node) -> Option<&'t str> {
    if node.string().is_none() {
        walk.mismatch(node, "a text").help("put it in quotes");
    }
    node.string()
}

/// A name of something.
pub(crate) fn name(walk: &mut Walk, node: &Node) -> Option<Name> {
    let text = text(walk, node)?;
    let wrong = match text {
        "" => "a name cannot be empty",
        _ if text.len() > NAME_MAX => "a name cannot be longer than 200 bytes",
        _ if text.contains('/') => "a name cannot contain `/`",
        _ if text.chars().any(char::is_control) => "a name cannot contain control characters",
        _ if text.trim() != text => "a name cannot begin or end with a space",
        _ => return Some(Name::new(text)),
    };
    walk.error(node.span, wrong);
    None
}

/// The items of a list.
pub(crate) fn list<'t>(walk: &mut Walk, node: &'t Node, of: &str) -> Option<&'t [Node]> {
    let Value::Array(items) = &node.value else {
        let problem = walk.mismatch(node, &format!("a list of {of}"));
        if let Some(text) = node.string() {
            problem.help(format!("write `[\"{text}\"]`"));
        }
        return None;
    };
    if items.len() > LIST_MAX {
        walk.error(items[LIST_MAX].span, format!("a list of more than {LIST_MAX}"));
        return None;
    }
    Some(items)
}

/// The items of a list, each read by `read`; a value that comes twice is noted.
pub(crate) fn distinct<T: PartialEq + Copy>(
    walk: &mut Walk,
    node: &Node,
    of: &str,
    mut read: impl FnMut(&mut Walk, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    let items = list(walk, node, of)?;
    let mut found: Vec<(T, &Node)> = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(value) = read(walk, item) else {
            complete = false;
            continue;
        };
        if let Some((_, first)) = found.iter().find(|(known, _)| *known == value) {
            walk.error(item.span, "this is in the list twice").context(first.span, "first here");
            complete = false;
        } else {
            found.push((value, item));
        }
    }
    complete.then(|| found.into_iter().map(|(value, _)| value).collect())
}

/// Which of the words.
pub(crate) fn word(walk: &mut Walk, node: &Node, what: &str, words: &[&'static str]) -> Option<usize> {
    let text = text(walk, node)?;
    let found = words.iter().position(|word| *word == text);
    if found.is_none() {
        walk.unknown(node.span, what, text, words.iter().copied());
    }
    found
}

/// A duration.
pub(crate) fn duration(walk: &mut Walk, node: &Node) -> Option<SimDuration> {
    match parse_duration(walk, node)? {
        Ok(d) => Some(d),
        Err(error) => {
            walk.error(node.span, error.to_string());
            None
        }
    }
}

/// A duration, or why a text is none. Answers nothing where the reason is noted already.
pub(crate) fn parse_duration(walk: &mut Walk, node: &Node) -> Option<Result<SimDuration, DurationError>> {
    match &node.value {
        Value::String(text) if text.trim().contains(char::is_whitespace) => {
            let joined: String = text.split_whitespace().collect();
            let problem = walk.error(node.span, "a duration is written without spaces");
            match joined.parse::<SimDuration>() {
                Ok(_) => problem.help(format!("write \"{joined}\"")),
                Err(_) => problem.help("write one like \"90s\" or \"1h30m\""),
            };
            None
        }
        Value::String(text) if text == "never" => {
            walk.error(node.span, "this duration cannot be \"never\"");
            None
        }
        Value::String(text) => Some(text.parse()),
        Value::Integer(digits, 10) | Value::Float(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => {
            walk.error(node.span, "a duration needs a unit").help(format!("write \"{digits}s\" if you mean seconds"));
            None
        }
        Value::Integer(..) | Value::Float(_) => {
            walk.mismatch(node, "a duration").help("write one like \"5s\"");
            None
        }
        Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            walk.mismatch(node, "a duration like \"5s\"");
            None
        }
    }
}

/// A duration that may be random.
pub(crate) fn spread(walk: &mut Walk, node: &Node) -> Option<Spread> {
    if node.table().is_none() {
        return duration(walk, node).map(Spread::Constant);
    }
    let mut fields = Fields::open(walk, node, &SPREAD)?;
    match fields.exactly_one(walk)? {
        ("exponential", node) => duration(walk, node).map(Spread::Exponential),
        ("uniform", node) => {
            let (low, high) = pair(walk, node, "the shortest and the longest duration")?;
            if low > high {
                walk.error(node.span, format!("the first duration ({low}) is longer than the second ({high})"));
                return None;
            }
            Some(Spread::Uniform(low, high))
        }
        (_, node) => {
            let (mean, deviation) = pair(walk, node, "the mean and the standard deviation")?;
            Some(Spread::Normal(mean, deviation))
        }
    }
}

fn pair(walk: &mut Walk, node: &Node, of: &str) -> Option<(SimDuration, SimDuration)> {
    match list(walk, node, "two durations")? {
        [a, b] => {
            let (a, b) = (duration(walk, a), duration(walk, b));
            Some((a?, b?))
        }
        items => {
            let count = items.len();
            walk.error(node.span, format!("expected two durations, found {count}")).help(format!("they are {of}"));
            None
        }
    }
}

/// A delay for each boot: one value, or a list whose last value repeats.
pub(crate) fn delays(walk: &mut Walk, node: &Node) -> Option<Vec<Delay>> {
    let one = |walk: &mut Walk, node: &Node| match node.string() {
        Some("never") => Some(Delay::Never),
        _ => spread(walk, node).map(Delay::After),
    };
    let Value::Array(_) = &node.value else {
        return one(walk, node).map(|delay| vec![delay]);
    };
    let items = list(walk, node, "delays")?;
    if items.is_empty() {
        walk.error(node.span, "a list of delays cannot be empty").help("write \"never\", or a duration");
        return None;
    }
    let read: Vec<Option<Delay>> = items.iter().map(|item| one(walk, item)).collect();
    read.into_iter().collect()
}

/// A whole number within bounds.
pub(crate) fn int(walk: &mut Walk, node: &Node, min: u64, max: u64) -> Option<u64> {
    let Value::Integer(digits, radix) = &node.value else {
        walk.mismatch(node, "a whole number");
        return None;
    };
    let number = i128::from_str_radix(digits, *radix).ok();
    let within = number.and_then(|n| u64::try_from(n).ok()).filter(|n| (min..=max).contains(n));
    if within.is_none() {
        let message = match number {
            Some(n) if n < 0 && min == 0 => "this cannot be negative".to_owned(),
            Some(n) if n < i128::from(min) => format!("this must be at least {min}"),
            _ => format!("this can be at most {max}"),
        };
        walk.error(node.span, message);
    }
    within
}

/// A number that may have a point, in parts per million.
pub(crate) fn decimal(walk: &mut Walk, node: &Node, min: u64, max: u64) -> Option<u64> {
    let ppm = number(walk, node, 6)?;
    match u64::try_from(ppm).ok().filter(|n| (min..=max).contains(n)) {
        None => {
            let (min, max) = (min / 1_000_000, max / 1_000_000);
            walk.error(node.span, format!("this must be between {min} and {max}"));
            None
        }
        within => within,
    }
}

/// A number that is not negative, as a count of `10^-digits`.
pub(crate) fn number(walk: &mut Walk, node: &Node, digits: u32) -> Option<u128> {
    let result = match &node.value {
        Value::Integer(text, 10) | Value::Float(text) => scaled(text, digits),
        Value::Integer(text, radix) => u128::from_str_radix(text, *radix)
            .ok()
            .and_then(|n| n.checked_mul(10u128.pow(digits)))
            .ok_or("this number is too large".to_owned()),
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            let problem = walk.mismatch(node, "a number");
            if node.string().is_some_and(|text| scaled(text, digits).is_ok()) {
                problem.help("write it without quotes, and with a digit before the point");
            }
            return None;
        }
    };
    match result {
        Ok(n) => Some(n),
        Err(why) => {
            walk.error(node.span, why);
            None
        }
    }
}

/// A decimal number as a count of `10^-places`, exact, its last digit rounded half up.
pub(crate) fn scaled(text: &str, places: u32) -> Result<u128, String> {
    let too_large = || "this number is too large".to_owned();
    let unsigned = text.trim_start_matches(['+', '-']);
    if unsigned.starts_with(['i', 'n']) {
        return Err("this must be a finite number".to_owned());
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err("this is not a number".to_owned());
    }
    if digits.iter().all(|digit| *digit == b'0') {
        return Ok(0);
    }
    if text.starts_with('-') {
        return Err("this cannot be negative".to_owned());
    }
    let exponent: i64 = exponent.parse().map_err(|_| too_large())?;
    // How many of the digits lie before the point once it is moved.
    let point = (whole.len() as i64).saturating_add(exponent).saturating_add(i64::from(places));
    let mut value: u128 = 0;
    for index in 0..point.max(0) {
        let digit = usize::try_from(index).ok().and_then(|index| digits.get(index));
        if digit.is_none() && value == 0 {
            break;
        }
        let digit = u128::from(digit.map_or(0, |digit| digit - b'0'));
        value = value.checked_mul(10).and_then(|value| value.checked_add(digit)).ok_or_else(too_large)?;
    }
    let next = usize::try_from(point).ok().and_then(|point| digits.get(point));
    if next.is_some_and(|digit| *digit >= b'5') {
        value += 1;
    }
    if value == 0 { Err(format!("this is smaller than {places} decimals can show")) } else { Ok(value) }
}

/// A rate like `"5/s"`, as the time between two.
pub(crate) fn rate(walk: &mut Walk, node: &Node) -> Option<SimDuration> {
    let text = text(walk, node)?;
    let parsed = text.split_once('/').and_then(|(count, unit)| {
        let unit = format!("1{}", unit.trim()).parse::<SimDuration>().ok()?;
        Some((scaled(count.trim(), 6).ok().filter(|n| *n > 0)?, u128::from(unit.as_nanos())))
    });
    let Some((count, unit)) = parsed else {
        walk.error(node.span, "this is not a rate").help("write one like \"5/s\" or \"30/m\"");
        return None;
    };
    let nanos = (unit * 1_000_000 + count / 2) / count;
    if nanos == 0 {
        walk.error(node.span, "this is more than one in a nanosecond");
        return None;
    }
    Some(SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

/// A name that must be one of the known; `what` says of which kind.
pub(crate) fn known<'a, T>(
    walk: &mut Walk,
    node: &Node,
    what: &str,
    all: &'a [T],
    name_of: impl Fn(&'a T) -> &'a str + Clone,
) -> Option<&'a T> {
    let text = text(walk, node)?;
    let found = all.iter().find(|item| name_of(item) == text);
    if found.is_none() {
        walk.unknown(node.span, what, text, all.iter().map(name_of));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_exactly_from_their_digits() {
        for (text, ppm) in [
            ("2", 2_000_000),
            ("0.25", 250_000),
            ("0.1", 100_000),
            ("1.000001", 1_000_001),
            ("25e-2", 250_000),
            ("2.5E+1", 25_000_000),
            ("0.3333333", 333_333),
            ("0.6666666", 666_667),
            ("-0.0", 0),
            ("0.000", 0),
            ("0.0000005", 1),
        ] {
            assert_eq!(scaled(text, 6), Ok(ppm), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_of_ours_says_why() {
        for (text, why) in [
            ("-1", "this cannot be negative"),
            ("inf", "this must be a finite number"),
            ("nan", "this must be a finite number"),
            ("1e-9", "this is smaller than 6 decimals can show"),
            ("1e99", "this number is too large"),
            ("1e99999999999999999999", "this number is too large"),
            ("1.2.3", "this is not a number"),
            ("", "this is not a number"),
        ] {
            assert_eq!(scaled(text, 6), Err(why.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_count_of_millionths_survives_being_written(n in 0u64..u64::MAX) {
            let text = format!("{}.{:06}", n / 1_000_000, n % 1_000_000);
            prop_assert_eq!(scaled(&text, 6), Ok(u128::from(n)));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[-+]?[0-9.eE]{0,12}", places in 0u32..12) {
            let _ = scaled(&text, places);
        }
    }
}
