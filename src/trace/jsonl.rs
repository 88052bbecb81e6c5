//! The trace as JSON lines: one record a line.
//!
//! It may know records only.

use std::io::{self, Write};

use super::Trace;

/// Bytes that are gathered before they are written.
const BLOCK: usize = 1 << 16;

/// Writes every record as one line.
///
/// # Errors
/// The writer's.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    let mut lines = Vec::with_capacity(BLOCK + 1024);
    for index in 0..trace.records().len() {
        trace.write_json(index, &mut lines)?;
        lines.push(b'\n');
        if lines.len() >= BLOCK {
            out.write_all(&lines)?;
            lines.clear();
        }
    }
    out.write_all(&lines)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SimTime;
    use crate::trace::testing::{Maker, t};

    fn sample() -> Trace {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        for n in 0..50 {
            m.stuck_life(pool, n, t("1s") + crate::kernel::SimDuration::from_mins(7) * u64::from(n), 6);
        }
        m.trace
    }

    #[test]
    fn each_line_is_an_object_that_names_who_what_and_why() {
        let trace = sample();
        let mut bytes = Vec::new();
        write(&trace, &mut bytes).expect("memory can be written");
        let text = String::from_utf8(bytes).expect("UTF-8");
        for (i, line) in text.lines().enumerate() {
            let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(object["n"], i + 1);
            assert_eq!(object["t"], trace.records().at(i).at.as_nanos());
            assert!(object["cause"].as_u64().expect("a number") <= i as u64, "causes come first");
            assert!(object["about"].is_string() && object["by"].is_string());
        }
        assert_eq!(trace.records().at(0).at, SimTime::ZERO);
    }
}
