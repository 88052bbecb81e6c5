//! The trace as a table: one record a line, the same columns for ever.
//!
//! For spreadsheets and data frames; it may know records only. Columns are added at the end and never
//! renamed, and `docs/report.md` says what each holds.

use std::io::{self, Write};

use super::{Trace, What, words};

/// The first line.
pub const HEADER: &[&str] =
    &["number", "time_ns", "by", "about", "cause", "what", "rule", "field", "from", "to", "detail"];

/// Writes every record as one line, after the header.
///
/// # Errors
/// The writer's.
pub fn write(trace: &Trace, out: impl Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(HEADER)?;
    for (index, record) in trace.records().iter().enumerate() {
        let cells = cells(trace, &record.what);
        let number = (index + 1).to_string();
        let time = record.at.as_nanos().to_string();
        let cause = record.cause.index().map(|index| (index + 1).to_string()).unwrap_or_default();
        let (by, what) = (words::actor(record.actor), words::what(&record.what));
        let about = trace.name(record.subject);
        let [rule, field, from, to, detail] = &cells;
        table.write_record([&number, &time, &by, about.as_str(), &cause, &what, rule, field, from, to, detail])?;
    }
    table.flush()
}

/// Rule, field, from, to and detail of a record.
fn cells(trace: &Trace, what: &What) -> [String; 5] {
    let none = String::new;
    let detail = |text: String| [none(), none(), none(), none(), text];
    match what {
        What::Decided(reason) => [words::rule(reason), none(), none(), none(), reason.to_string()],
        What::Created { revision } | What::Patched { revision } | What::Deleted { revision } => {
            detail(format!("revision {revision}"))
        }
        What::Set { field, from, to } => {
            let [from, to] = [*from, *to].map(|value| words::value(trace, value));
            [none(), field.name().to_owned(), from, to, none()]
        }
        What::Called { point, since } => detail(format!("{} since {}", point.name(), since.as_nanos())),
        What::CallFailed { point, since, error } => {
            detail(format!("{} since {}: {error}", point.name(), since.as_nanos()))
        }
        What::Struck { fault, point, effect } => detail(format!("fault {fault}: {effect} on {}", point.name())),
        What::StepEnded { refused } => detail(refused.map(|error| error.to_string()).unwrap_or_default()),
        What::TaskEnded { code } => detail(format!("code {code}")),
        What::AddressTaken(address) | What::AddressFreed(address) => detail(address.to_string()),
        What::Mounted { node } | What::Unmounted { node } => {
            let node = crate::model::Subject { kind: crate::model::Kind::Node, index: *node };
            detail(trace.name(node).to_string())
        }
        What::Drawn { purpose, bits } => detail(format!("{purpose}: {bits:016x}")),
        What::Broken { invariant, detail: text } => {
            [invariant.name().to_owned(), none(), none(), none(), text.to_string()]
        }
        What::RequestServed { service, waited } => detail(format!("{service} after {}", waited.as_nanos())),
        What::RequestFailed { service, waited, error } => {
            detail(format!("{service} after {}: {error}", waited.as_nanos()))
        }
        What::Note(text) => detail(text.to_string()),
        What::Conflict
        | What::StepBegan
        | What::ProcessDown
        | What::ProcessUp
        | What::TaskStarted
        | What::PortBound
        | What::ContainerGone
        | What::VolumeMade
        | What::VolumeGone
        | What::Settled
        | What::Unsettled => detail(none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Name, Subject};
    use crate::trace::testing::{Maker, t};

    fn table(trace: &Trace) -> (Vec<String>, Vec<csv::StringRecord>) {
        let mut bytes = Vec::new();
        write(trace, &mut bytes).expect("memory can be written");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        (header, reader.records().map(|row| row.expect("as many cells as columns")).collect())
    }

    #[test]
    fn every_record_is_a_line_and_every_line_has_all_columns() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        m.stuck_life(pool, 0, t("1s"), 3);
        let text = "a \"quoted\" text, with a comma\nand a second line";
        m.what(Subject::CLUSTER, What::Note(Name::new(text)));
        let (header, rows) = table(&m.trace);
        assert_eq!(header, HEADER);
        assert_eq!(rows.len(), m.trace.records().len());
        assert_eq!(&rows[rows.len() - 1][10], text, "quoted as RFC 4180 says");
        let status: Vec<[&str; 2]> = rows.iter().filter(|r| &r[7] == "status").map(|r| [&r[8], &r[9]]).collect();
        assert_eq!(status, [["", "pending"], ["pending", "stopped"], ["stopped", "dead"]]);
        let stale = rows.iter().find(|row| &row[6] == "stale-pending").expect("the monitor's decision");
        assert_eq!((&stale[2], &stale[5]), ("monitor", "decided"));
        assert_eq!(&stale[10], "stale PENDING at age 2:10: limit 5:00");
    }

    #[test]
    fn a_trace_of_no_events_is_a_header() {
        let (header, rows) = table(&Trace::default());
        assert_eq!((header.as_slice(), rows.len()), (HEADER.map_owned().as_slice(), 0));
    }

    trait Owned {
        fn map_owned(&self) -> Vec<String>;
    }
    impl Owned for [&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }
}
