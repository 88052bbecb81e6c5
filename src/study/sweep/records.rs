//! Whole rows of a file, one after another.
//!
//! Knows lines and quotes, not what a row says. Both files of rows are read by it. What a newcomer
//! gets wrong: a field may hold a line's end, so a row can have several lines, and what stands behind
//! the last whole row is the half of one that a kill left.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The whole rows of a text.
pub(super) struct Records<R> {
    from: R,
    /// Where the last whole row ended.
    pub(super) bytes: u64,
}

impl Records<BufReader<File>> {
    /// The rows of a file; none: there is no such file.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, String> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self::new(BufReader::new(file)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("cannot read `{}`: {error}", path.display())),
        }
    }
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, bytes: 0 }
    }

    /// The next whole row, with its end; none: what is left is half a row, or nothing.
    pub(super) fn next(&mut self) -> io::Result<Option<String>> {
        let mut row = Vec::new();
        loop {
            let read = self.from.read_until(b'\n', &mut row)?;
            if read == 0 || !row.ends_with(b"\n") {
                return Ok(None);
            }
            if row.iter().filter(|byte| **byte == b'"').count().is_multiple_of(2) {
                self.bytes += row.len() as u64;
                return Ok(Some(String::from_utf8_lossy(&row).into_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_ends_where_its_quotes_are_closed_and_half_a_row_is_none() {
        for (text, rows, bytes) in [
            ("", vec![], 0),
            ("a,b\nc,d\n", vec!["a,b\n", "c,d\n"], 8),
            ("a,b\nc,", vec!["a,b\n"], 4),
            ("a,\"b\nc\"\nd\n", vec!["a,\"b\nc\"\n", "d\n"], 10),
            ("a,\"b\nc", vec![], 0),
            ("a,\"b\n", vec![], 0),
        ] {
            let mut records = Records::new(text.as_bytes());
            let found: Vec<String> = std::iter::from_fn(|| records.next().expect("readable")).collect();
            assert_eq!((found.iter().map(String::as_str).collect(), records.bytes), (rows, bytes), "{text:?}");
        }
    }
}
