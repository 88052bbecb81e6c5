//! Fingerprints: for each scenario and variant, how many events ran and the digest of its trace.
//!
//! All of a folder of snapshots sit in one file beside them, `fingerprints.snap`, one line each, sorted by
//! name, so that all such noise is in one place. It knows files, not runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::snapshot_file::{self, SnapshotError, SnapshotFile};

/// One run, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many kernel events ran.
    pub events: u64,
    /// The digest of the trace, as [`crate::trace::Trace::digest`] gives it.
    pub digest: String,
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>10}  {}", self.events, self.digest)
    }
}

/// The fingerprints of one folder of snapshots, by `scenario@variant`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints {
    /// The lines, by name.
    pub lines: BTreeMap<String, Fingerprint>,
    /// The file as it is on disk, for its header.
    file: Option<SnapshotFile>,
}

impl Fingerprints {
    /// The file in that folder of snapshots.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("fingerprints.snap")
    }

    /// Reads the file of that folder; no file has no lines.
    ///
    /// # Errors
    /// When the file cannot be read or is none of ours; the text says which line.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = Self::path(folder);
        let say = |error: SnapshotError| format!("{}: {error}", path.display());
        let Some(file) = SnapshotFile::read(&path).map_err(say)? else { return Ok(Self::default()) };
        let mut lines = BTreeMap::new();
        for (number, line) in file.body().lines().enumerate() {
            let (name, print) = parse(line).ok_or_else(|| {
                format!("{}: line {} of the body is no fingerprint: `{line}`", path.display(), number + 1)
            })?;
            if lines.insert(name.to_owned(), print).is_some() {
                return Err(format!("{}: `{name}` has two lines", path.display()));
            }
        }
        Ok(Self { lines, file: Some(file) })
    }

    /// The body of the file: events, digest, name; in the order of the names.
    pub fn render(&self) -> String {
        self.lines.iter().map(|(name, print)| format!("{print}  {name}\n")).collect()
    }

    /// Leaves these lines beside the file for review, with all that stay; without any, nothing is pending.
    ///
    /// # Errors
    /// The file system's.
    pub fn leave_pending(&self, folder: &Path, moved: Vec<(String, Fingerprint)>) -> std::io::Result<()> {
        let pending = snapshot_file::pending(&Self::path(folder));
        if moved.is_empty() {
            return snapshot_file::remove(&pending);
        }
        let mut new = self.clone();
        new.lines.extend(moved);
        let file = new.file.clone().unwrap_or_else(|| SnapshotFile::new("schedsim", ""));
        file.with_body(&new.render()).write(&pending)
    }

    /// Writes the file of that folder, unless it says the same already.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let body = self.render();
        match &self.file {
            Some(file) if file.matches(&body) => Ok(()),
            None if body.is_empty() => Ok(()),
            Some(file) => file.clone().with_body(&body).write(&Self::path(folder)),
            None => SnapshotFile::new("schedsim", &body).write(&Self::path(folder)),
        }
    }
}

fn parse(line: &str) -> Option<(&str, Fingerprint)> {
    let (events, rest) = line.trim_start().split_once("  ")?;
    let (digest, name) = rest.split_once("  ")?;
    let events = events.parse().ok()?;
    (digest.starts_with("b3") && !name.is_empty()).then(|| (name, Fingerprint { events, digest: digest.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(events: u64) -> Fingerprint {
        Fingerprint { events, digest: format!("b3:{events:064}") }
    }

    #[test]
    fn what_is_written_is_read_again_in_the_order_of_names() {
        let dir = tempfile::tempdir().unwrap();
        let mut prints = Fingerprints::default();
        for (name, events) in [("b@x", 7), ("a/a@x y", 123_456_789_012), ("a@x", 0)] {
            prints.lines.insert(name.to_owned(), print(events));
        }
        prints.write(dir.path()).unwrap();
        let read = Fingerprints::read(dir.path()).unwrap();
        assert_eq!(read.lines, prints.lines);
        let names: Vec<_> = read.render().lines().map(|l| l[l.rfind("  ").unwrap() + 2..].to_owned()).collect();
        assert_eq!(names, ["a/a@x y", "a@x", "b@x"]);
    }

    #[test]
    fn no_file_is_no_lines_and_no_lines_make_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let prints = Fingerprints::read(dir.path()).unwrap();
        assert_eq!(prints.lines.len(), 0);
        prints.write(dir.path()).unwrap();
        assert!(!Fingerprints::path(dir.path()).exists());
    }

    #[test]
    fn a_line_that_is_no_fingerprint_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let good = format!("{}  a@x", print(1));
        for (body, says) in [
            ("nonsense", "line 1"),
            (&*format!("{good}\n=======\n"), "line 2"),
            (&*format!("{good}\n{good}"), "two lines"),
        ] {
            SnapshotFile::new("schedsim", body).write(&Fingerprints::path(dir.path())).unwrap();
            let error = Fingerprints::read(dir.path()).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
