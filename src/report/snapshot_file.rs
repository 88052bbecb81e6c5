//! Snapshot files in insta's format: `---`, a header, `---`, the body.
//!
//! insta reads such files and offers no way to write them; `schedsim test` must write them
//! without a test harness around it, so the format is written here. It knows files only, not
//! what a golden text says. What a newcomer gets wrong: the header of a file that exists is kept
//! byte by byte – only the body is compared and replaced, so that `cargo insta review` and
//! `schedsim test --accept` never fight.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// One snapshot file, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// From the first `---` to the second, both lines included.
    header: String,
    /// The rest, without its last line ends.
    body: String,
}

/// Why a snapshot file could not be used.
#[derive(Debug)]
pub enum SnapshotError {
    /// The file could not be read or written.
    Io(io::Error),
    /// It has no header of insta's: a merge conflict, or another program's file.
    NotASnapshot,
}

impl std::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::NotASnapshot => {
                f.write_str("no snapshot: it does not begin with a header between two lines of `---`")
            }
        }
    }
}
impl std::error::Error for SnapshotError {}
impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl SnapshotFile {
    /// A new snapshot that says where its text comes from.
    pub fn new(source: &str, body: &str) -> Self {
        // The header is YAML; JSON's way of quoting is valid there whatever the path holds.
        let plain = source.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-@".contains(&b));
        // `null`, `true` and `12` would be read as what they look like; a path is none of these.
        let plain = plain && source.contains('/') && source.starts_with(|c: char| c.is_ascii_alphabetic());
        let source = if plain { source.to_owned() } else { serde_json::json!(source).to_string() };
        Self { header: format!("---\nsource: {source}\n---\n"), body: normal(body) }
    }

    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, or has no header.
    pub fn read(path: &Path) -> Result<Option<Self>, SnapshotError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some).ok_or(SnapshotError::NotASnapshot),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split_inclusive('\n');
        let mut header = lines.next().filter(|line| line.trim_end() == "---")?.len();
        for line in lines {
            header += line.len();
            if line.trim_end() == "---" {
                return Some(Self { header: text[..header].to_owned(), body: normal(&text[header..]) });
            }
        }
        None
    }

    /// The body, without its last line ends.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Whether the body is that text, as insta compares: ends of the text and CRLF do not count.
    pub fn matches(&self, body: &str) -> bool {
        self.body == normal(body)
    }

    /// The same header with another body.
    #[must_use]
    pub fn with_body(self, body: &str) -> Self {
        Self { header: self.header, body: normal(body) }
    }

    /// Writes the file, whole or not at all: an interrupted write leaves the old one.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = self.header.clone();
        text.push_str(&self.body);
        text.push('\n');
        replace(path, text.as_bytes())
    }
}

/// `a.snap` → `a.snap.new`: what a run that does not match leaves for review.
pub fn pending(path: &Path) -> PathBuf {
    path.with_extension("snap.new")
}

/// Removes a file; that there is none is fine.
///
/// # Errors
/// The file system's.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether this is a continuous-integration run, judged as insta does: nothing pending is written then.
pub fn in_ci() -> bool {
    match std::env::var("CI").ok().as_deref() {
        Some("false" | "0" | "") => false,
        None => std::env::var_os("TF_BUILD").is_some(),
        Some(_) => true,
    }
}

/// How insta compares: without the last line ends, and CRLF is LF.
fn normal(body: &str) -> String {
    body.trim_end().replace("\r\n", "\n")
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file for a while, in the folder where it shall stay.
pub(crate) fn beside(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".schedsim-").suffix(".tmp");
    // As any new file: a temporary one would be for its owner's eyes only.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder_of(target))
}

/// Replaces a file by a rename from the same directory, which is made when missing.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder_of(path))?;
    // The error's own text names the temporary file, which says nothing to anybody.
    let mut file = beside(path).map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What insta reads from the file: its source, its body.
    fn by_insta(path: &Path) -> (String, String) {
        let snapshot = insta::Snapshot::from_file(path).unwrap();
        let source = snapshot.metadata().source().unwrap_or_default().to_owned();
        (source, snapshot.as_text().unwrap().to_string())
    }

    #[test]
    fn insta_reads_what_we_write() {
        let dir = tempfile::tempdir().unwrap();
        for source in
            ["scenarios/a.toml", "a b: c.toml", "#1.toml", "tabs\tand \"quotes\".toml", "ä.toml", "123", "null"]
        {
            for body in ["one line", "story @ before\n\n  indented\n---\nno header\n", ""] {
                let path = dir.path().join("deep/er/x@y.snap");
                SnapshotFile::new(source, body).write(&path).unwrap();
                assert_eq!(by_insta(&path), (source.to_owned(), body.trim_end().to_owned()), "{source:?} {body:?}");
                let read = SnapshotFile::read(&path).unwrap().unwrap();
                assert_eq!(read, SnapshotFile::new(source, body));
            }
        }
    }

    #[test]
    fn a_header_that_exists_keeps_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.snap");
        let header = "---\r\nsource: tests/corpus.rs\nassertion_line: 7\ndescription: \"a: b\"\n---\n";
        fs::write(&path, format!("{header}old\n")).unwrap();
        SnapshotFile::read(&path).unwrap().unwrap().with_body("new\n\n").write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{header}new\n"));
        assert_eq!(by_insta(&path).1, "new");
    }

    #[test]
    fn line_ends_make_no_difference() {
        let snapshot = SnapshotFile::parse("---\nsource: x\n---\na\r\nb\r\n\r\n").unwrap();
        assert!(snapshot.matches("a\nb"));
        assert!(snapshot.matches("a\nb\n\n"));
        assert!(!snapshot.matches("\na\nb"), "an empty line before the text does");
    }

    #[test]
    fn what_has_no_header_is_no_snapshot() {
        for text in ["", "a\n", "---\nsource: x\n", "<<<<<<< HEAD\n---\nsource: x\n---\n"] {
            assert_eq!(SnapshotFile::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_missing_file_is_none_and_a_directory_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(SnapshotFile::read(&dir.path().join("none.snap")).unwrap().is_none());
        assert!(SnapshotFile::read(dir.path()).is_err());
    }

    #[test]
    fn nothing_but_the_file_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.snap");
        SnapshotFile::new("x", "a").write(&path).unwrap();
        SnapshotFile::new("x", "b").write(&path).unwrap();
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["x.snap"]);
        assert_eq!(pending(&path), dir.path().join("x.snap.new"));
    }

    #[cfg(unix)]
    #[test]
    fn a_snapshot_is_readable_for_others() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("x.snap"), dir.path().join("plain"));
        SnapshotFile::new("x", "a").write(&ours).unwrap();
        fs::write(&plain, "a").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
