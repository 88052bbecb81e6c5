//! Reading of numbers, digit by digit from the text, never by way of a float.
//!
//! Knows nodes and bounds. What comes out are whole counts: of things, of millionths, of
//! billionths, or the nanoseconds between two events of a rate. What a newcomer gets wrong:
//! `0.1` is exactly 100,000 millionths here, which no float is.

use crate::kernel::SimDuration;

use super::tree::{Node, Value};
use super::values::text;
use super::walk::Walk;

/// A whole number within bounds.
pub(crate) fn int(walk: &mut Walk, node: &Node, min: u64, max: u64) -> Option<u64> {
    let Value::Integer(digits, radix) = &node.value else {
        return walk.mismatch(node, "a whole number").none();
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
            walk.error(node.span, format!("this must be between {min} and {max}")).none()
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
        Err(why) => walk.error(node.span, why).none(),
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
    if let Value::Integer(digits, 10) | Value::Float(digits) = &node.value {
        return walk
            .error(node.span, "a rate needs a unit")
            .help(format!("write \"{digits}/s\" if you mean per second"))
            .none();
    }
    let text = text(walk, node)?;
    match gap(text) {
        Ok(gap) => Some(gap),
        Err(why) => walk.error(node.span, why).help("write one like \"5/s\" or \"30/m\"").none(),
    }
}

fn gap(rate: &str) -> Result<SimDuration, String> {
    let parts = rate.split_once('/').filter(|(_, unit)| !unit.trim().is_empty());
    let (count, unit) = parts.ok_or("this is not a rate")?;
    let (count, unit) = (scaled(count.trim(), 6)?, unit.trim());
    if count == 0 {
        return Err("a rate of zero brings nothing".to_owned());
    }
    // One of a unit, never some: what is "5/10s" to say, and is it what was meant?
    let one = Some(unit).filter(|unit| unit.chars().all(char::is_alphabetic));
    let one = one.and_then(|unit| format!("1{unit}").parse::<SimDuration>().ok());
    let one = one.ok_or_else(|| format!("`{unit}` is not a unit of time, which are ns, us, ms, s, m, h and d"))?;
    let nanos = (u128::from(one.as_nanos()) * 1_000_000 + count / 2) / count;
    match nanos {
        0 => Err("this is more than one in a nanosecond".to_owned()),
        _ => Ok(SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))),
    }
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

    #[test]
    fn a_rate_is_the_time_between_two() {
        for (text, nanos) in [
            ("5/s", 200_000_000),
            ("30/m", 2_000_000_000),
            ("0.5/s", 2_000_000_000),
            (" 1 / ns ", 1),
            ("3/s", 333_333_333),
        ] {
            assert_eq!(gap(text), Ok(SimDuration::from_nanos(nanos)), "{text}");
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
