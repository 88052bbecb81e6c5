//! The writer of rows: each is with the system as soon as its run is over, and the file is in order.
//!
//! A row whose turn it is goes to `runs.csv`; one that comes early – a slower run before it is not over –
//! goes to `runs.early`, and from there to its place when that run has ended. It knows numbers and
//! lines, not what a run is. What a newcomer gets wrong: a row may stand in both files, for it is never
//! taken out of one before it is in the other; who reads them looks for what `runs.csv` lacks.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::records::Records;
use super::workers::WINDOW;

/// The file of the rows that came early: each with its number in the shard before it.
const EARLY: &str = "runs.early";
/// So many early rows are written before those that found their place are left out.
const EARLY_MAX: u64 = 2 * WINDOW;

/// Early rows by their numbers.
pub(super) type Early = BTreeMap<u64, String>;

/// Writes the file of the early rows anew, with what still waits.
type Renew<W> = Box<dyn Fn(&Early) -> io::Result<W> + Send>;

/// Keeps rows that come in any order.
pub(super) struct Appender<W> {
    to: W,
    early: W,
    renew: Renew<W>,
    /// How many rows are in the file of the early ones.
    written: u64,
    waiting: Early,
    /// The number of the row whose turn it is.
    next: u64,
    /// How many rows are kept.
    kept: u64,
}

impl Appender<File> {
    /// Goes on after row `next` of `runs`, with early rows beside it.
    pub(super) fn open(runs: &Path, next: u64, waiting: Early) -> Result<Self, String> {
        let early = early_of(runs);
        let cannot = |path: &Path, error: io::Error| format!("cannot write `{}`: {error}", path.display());
        let to = OpenOptions::new().append(true).open(runs).map_err(|error| cannot(runs, error))?;
        let path = early.clone();
        let renew: Renew<File> = Box::new(move |waiting| renewed(&path, waiting));
        let early = renew(&waiting).map_err(|error| cannot(&early, error))?;
        let (written, kept) = (waiting.len() as u64, next + waiting.len() as u64);
        let mut appender = Self { to, early, renew, written, waiting, next, kept };
        appender.settle()?;
        Ok(appender)
    }

    /// All rows are in their places.
    pub(super) fn close(self, runs: &Path) -> Result<(), String> {
        assert!(self.waiting.is_empty(), "a row still waits for one that no longer comes");
        let early = early_of(runs);
        fs::remove_file(&early).map_err(|error| format!("cannot remove `{}`: {error}", early.display()))
    }
}

/// The file of the early rows beside that of the others.
pub(super) fn early_of(runs: &Path) -> PathBuf {
    runs.with_file_name(EARLY)
}

/// The file with these rows and nothing else: it is either the old one or the new one.
fn renewed(path: &Path, waiting: &Early) -> io::Result<File> {
    let beside = path.with_file_name(format!("{EARLY}.new"));
    let written = File::create(&beside).and_then(|mut file| {
        let rows: String = waiting.iter().map(|(nth, row)| entry(*nth, row)).collect();
        file.write_all(rows.as_bytes())?;
        fs::rename(&beside, path)?;
        Ok(file)
    });
    written.inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

fn entry(nth: u64, row: &str) -> String {
    format!("{nth},{row}")
}

/// The early rows beside `runs`, from number `next` on; `is_row` says whether a row is that of its run.
pub(super) fn early(runs: &Path, next: u64, is_row: impl Fn(u64, &str) -> bool) -> Result<Early, String> {
    let path = early_of(runs);
    let shown = path.display();
    let mut found = Early::new();
    let Some(mut records) = Records::open(&path)? else { return Ok(found) };
    while let Some(entry) = records.next().map_err(|error| format!("cannot read `{shown}`: {error}"))? {
        let row = entry.split_once(',').and_then(|(nth, row)| Some((nth.parse::<u64>().ok()?, row)));
        match row.filter(|(nth, row)| is_row(*nth, row.trim_end_matches('\n'))) {
            Some((nth, row)) if nth >= next => {
                found.insert(nth, row.to_owned());
            }
            Some(_) => {}
            None => return Err(format!("`{shown}`: `{}` is no row of this sweep; it was changed", entry.trim_end())),
        }
    }
    Ok(found)
}

impl<W: Write> Appender<W> {
    /// The number of the oldest row that is missing.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Keeps the row of one run; answers the number of the oldest row that is missing.
    ///
    /// # Errors
    /// The system's words, and that what is finished is safe.
    pub(super) fn row(&mut self, nth: u64, row: &str) -> Result<u64, String> {
        assert!(nth >= self.next && !self.waiting.contains_key(&nth), "row {nth} came twice");
        if nth == self.next {
            let written = self.to.write_all(row.as_bytes());
            written.map_err(|error| self.full(&error))?;
            (self.next, self.kept) = (self.next + 1, self.kept + 1);
            self.settle()?;
        } else {
            let written = self.early.write_all(entry(nth, row).as_bytes());
            written.map_err(|error| self.full(&error))?;
            (self.written, self.kept) = (self.written + 1, self.kept + 1);
            self.waiting.insert(nth, row.to_owned());
        }
        if self.written >= EARLY_MAX {
            self.early = (self.renew)(&self.waiting).map_err(|error| self.full(&error))?;
            self.written = self.waiting.len() as u64;
        }
        Ok(self.next)
    }

    /// Puts the early rows whose turn it is into their places.
    fn settle(&mut self) -> Result<(), String> {
        while let Some(row) = self.waiting.get(&self.next) {
            let written = self.to.write_all(row.as_bytes());
            written.map_err(|error| self.full(&error))?;
            self.waiting.remove(&self.next);
            self.next += 1;
        }
        Ok(())
    }

    fn full(&self, error: &io::Error) -> String {
        let kept = self.kept;
        format!("cannot write the results: {error}; {kept} finished runs are kept: make room, then go on with --resume")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk(Vec<u8>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1 - self.0.len();
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let part = bytes.len().min(room);
            self.0.extend_from_slice(&bytes[..part]);
            Ok(part)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn appender(rows: usize, early: usize, next: u64) -> Appender<Disk> {
        Appender {
            to: Disk(Vec::new(), rows),
            early: Disk(Vec::new(), early),
            renew: Box::new(move |waiting| {
                Ok(Disk(waiting.iter().flat_map(|(nth, row)| entry(*nth, row).into_bytes()).collect(), early))
            }),
            written: 0,
            waiting: Early::new(),
            next,
            kept: next,
        }
    }

    #[test]
    fn a_full_disk_is_told_with_what_is_kept_and_finished_rows_are_intact() {
        let mut full = appender(25, 25, 7);
        assert_eq!(full.row(7, "0,first,row\n"), Ok(8));
        assert_eq!(full.row(8, "0,second,row\n"), Ok(9));
        let error = full.row(9, "0,third,row\n").unwrap_err();
        assert!(error.contains("9 finished runs are kept") && error.contains("--resume"), "{error}");
        assert_eq!(full.to.0, b"0,first,row\n0,second,row\n");
        // An early row counts as well, also when there is no room for it in its place.
        let mut full = appender(12, 99, 0);
        assert_eq!(full.row(1, "0,second,row\n"), Ok(0));
        let error = full.row(0, "0,first,row\n").unwrap_err();
        assert!(error.contains("2 finished runs are kept"), "{error}");
        assert_eq!((&full.to.0[..], &full.early.0[..]), (&b"0,first,row\n"[..], &b"1,0,second,row\n"[..]));
    }

    #[test]
    fn rows_in_any_order_are_kept_at_once_and_end_up_in_order() {
        let mut any = appender(99, 99, 0);
        for (nth, oldest, rows, early) in [
            (2, 0, "", "2,c\n"),
            (1, 0, "", "2,c\n1,b\n"),
            (0, 3, "a\nb\nc\n", "2,c\n1,b\n"),
            (3, 4, "a\nb\nc\nd\n", "2,c\n1,b\n"),
        ] {
            let row = format!("{}\n", ["a", "b", "c", "d"][nth as usize]);
            assert_eq!(any.row(nth, &row), Ok(oldest));
            let texts = [&any.to.0, &any.early.0].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            assert_eq!(texts, [rows, early], "after row {nth}");
        }
        assert_eq!(any.kept, 4);
    }

    #[test]
    fn early_rows_that_found_their_place_are_left_out_in_time() {
        let mut long = appender(1 << 20, 1 << 20, 0);
        // Two workers, the second one always faster, and one row that waits for long.
        long.row(30_001, "last\n").expect("room");
        for pair in 0..15_000 {
            long.row(2 * pair + 1, "row\n").expect("room");
            long.row(2 * pair, "row\n").expect("room");
            assert!(long.written <= EARLY_MAX, "{} early rows", long.written);
        }
        assert!(String::from_utf8_lossy(&long.early.0).contains("30001,last\n"));
        assert!(long.early.0.len() < EARLY_MAX as usize * 12);
        assert_eq!(long.row(30_000, "row\n"), Ok(30_002));
    }
}
