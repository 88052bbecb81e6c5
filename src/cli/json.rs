//! JSON as a command prints it.

use serde::Serialize;

/// A value, one key or element a line: for people and for `diff`.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("it can be written") + "\n"
}

/// A value on one line, beside others.
pub(crate) fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it can be written") + "\n"
}
