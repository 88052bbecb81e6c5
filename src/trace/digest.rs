//! The digest of a run: BLAKE3 over its records, each as one MessagePack map with the keys and values of its JSON line.
//!
//! The form is pinned by two formats that others define, so that it is the same on every machine, and so that the JSON
//! lines of a trace (`run --trace x.jsonl`) lead to the same digest. It is not made unless somebody asks for it. What a
//! newcomer gets wrong: it is of the records' *values*; how their lines are spaced or escaped does not matter.

use std::io::BufRead;

use rmp_serde::config::{DefaultConfig, HumanReadableConfig, StructMapConfig};
use serde::Serialize;

use super::Trace;

/// Bytes that are gathered before they are hashed: large pieces are hashed faster.
const BLOCK: usize = 1 << 16;
/// What a digest begins with: the hash, and the form of what is hashed.
pub const SIGN: &str = "b3m:";

/// A digest in the making.
struct Digest {
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

impl Digest {
    fn new() -> Self {
        Self { hasher: blake3::Hasher::new(), bytes: Vec::with_capacity(BLOCK + 1024) }
    }

    fn add<T, E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>) -> Result<(), E> {
        write(&mut self.bytes)?;
        if self.bytes.len() >= BLOCK {
            self.hasher.update(&self.bytes);
            self.bytes.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> String {
        self.hasher.update(&self.bytes);
        format!("{SIGN}{}", self.hasher.finalize().to_hex())
    }
}

/// The digest of a trace.
pub fn of(trace: &Trace) -> String {
    let mut digest = Digest::new();
    for index in 0..trace.records().len() {
        let packed = digest.add(|out| trace.line(index).serialize(&mut packer(out)));
        packed.expect("memory can be written");
    }
    digest.finish()
}

/// The digest of a trace that was written as JSON lines.
///
/// # Errors
/// It cannot be read, or a line is not JSON; says which.
pub fn of_lines(lines: impl BufRead) -> Result<String, String> {
    let mut digest = Digest::new();
    for (index, line) in lines.lines().enumerate() {
        let wrong = |error: &dyn std::fmt::Display| format!("line {}: {error}", index + 1);
        let line = line.map_err(|error| wrong(&error))?;
        let mut from = serde_json::Deserializer::from_str(&line);
        let packed = digest.add(|out| serde_transcode::transcode(&mut from, &mut packer(out)));
        packed.map_err(|error| wrong(&error))?;
        from.end().map_err(|error| wrong(&error))?;
    }
    Ok(digest.finish())
}

type Packer<'a> = rmp_serde::Serializer<&'a mut Vec<u8>, StructMapConfig<HumanReadableConfig<DefaultConfig>>>;

/// Fields by name, times as texts: as JSON has them.
fn packer(out: &mut Vec<u8>) -> Packer<'_> {
    rmp_serde::Serializer::new(out).with_human_readable().with_struct_map()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::jsonl;
    use crate::trace::testing::{Maker, t};

    #[test]
    fn the_lines_of_a_trace_have_its_digest_and_other_lines_another() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        for n in 0..400 {
            m.stuck_life(pool, n, t("1s") + crate::kernel::SimDuration::from_mins(7) * u64::from(n), 6);
        }
        let mut lines = Vec::new();
        jsonl::write(&m.trace, &mut lines).expect("memory can be written");
        assert!(lines.len() > 2 * BLOCK, "several pieces, or this test shows little");
        let digest = of(&m.trace);
        assert!(digest.starts_with(SIGN));
        assert_eq!(of_lines(&lines[..]), Ok(digest.clone()));
        let other = String::from_utf8(lines).expect("UTF-8").replacen("\"t\":0", "\"t\":1", 1);
        assert_ne!(of_lines(other.as_bytes()), Ok(digest));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_line() {
        for (text, line) in [("{\"n\":1}\n{", "line 2"), ("{} {}", "line 1"), ("\n", "line 1")] {
            let error = of_lines(text.as_bytes()).expect_err(text);
            assert!(error.starts_with(line), "{error}");
        }
    }
}
