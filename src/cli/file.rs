//! Files that a run writes: whole or not at all.
//!
//! A result is written beside its place and moved there when it is complete, so that a reader
//! never meets half of one and a failure leaves what was there. It knows paths and bytes only.
//! What a newcomer gets wrong: a pipe or a device is no place to move a file to – those are
//! written straight, and `/dev/null` stays what it is.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::report::snapshot_file;

use super::Refusal;

/// Asks before a long run whether a file can be written at its end; nothing stays behind.
pub(crate) fn probe(what: &str, path: &Path) -> Result<(), Refusal> {
    let tried = match place(path) {
        Place::Straight => fs::OpenOptions::new().write(true).open(path).map(drop),
        Place::Moved(target) => beside(&target).and_then(tempfile::NamedTempFile::close),
        Place::Nowhere(error) => Err(error),
    };
    tried.map_err(|error| refusal(what, path, &error))
}

/// Refuses to write over a file that is read: a story is not to be lost to a slip of the fingers.
pub(crate) fn apart<'a>(what: &str, path: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), Refusal> {
    let Ok(there) = fs::canonicalize(path) else { return Ok(()) };
    let same = |input: &&Path| fs::canonicalize(input).is_ok_and(|input| input == there);
    match inputs.into_iter().find(same) {
        None => Ok(()),
        Some(input) => {
            let (path, input) = (path.display(), input.display());
            Err(Refusal::wrong(format!("the {what} would replace the input: `{path}` is `{input}`; name another file")))
        }
    }
}

/// Writes a file, or leaves what was there.
pub(crate) fn write(
    what: &str,
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), Refusal> {
    let filled = |file: &File| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        fill(&mut out)?;
        out.flush()
    };
    let written = match place(path) {
        Place::Straight => fs::OpenOptions::new().write(true).open(path).and_then(|file| filled(&file)),
        Place::Moved(target) => beside(&target).and_then(|file| {
            filled(file.as_file())?;
            file.persist(&target).map(drop).map_err(|error| error.error)
        }),
        Place::Nowhere(error) => Err(error),
    };
    written.map_err(|error| refusal(what, path, &error))
}

enum Place {
    /// Something that is no file: bytes go there as they come.
    Straight,
    /// A file, or nothing yet: at this path, links followed.
    Moved(PathBuf),
    /// No place for a file.
    Nowhere(io::Error),
}

fn place(path: &Path) -> Place {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Place::Nowhere(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        // Moving another file over one that may not be written would go round its owner's wish.
        Ok(there) if there.is_file() && there.permissions().readonly() => {
            Place::Nowhere(io::Error::new(io::ErrorKind::PermissionDenied, "the file there is read-only"))
        }
        Ok(there) if there.is_file() => match fs::canonicalize(path) {
            Ok(target) => Place::Moved(target),
            Err(error) => Place::Nowhere(error),
        },
        Ok(_) => Place::Straight,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Place::Moved(path.to_owned()),
        Err(error) => Place::Nowhere(error),
    }
}

/// A file for a while, in the folder where it shall stay.
fn beside(target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = snapshot_file::folder_of(target);
    snapshot_file::beside(target).map_err(|error| {
        // The name of the temporary file says nothing to anybody.
        let inner = error.kind();
        if inner == io::ErrorKind::NotFound && folder.is_dir() {
            io::Error::new(inner, format!("no file can be made in `{}`", folder.display()))
        } else if inner == io::ErrorKind::NotFound {
            io::Error::new(inner, format!("there is no folder `{}`", folder.display()))
        } else {
            error.raw_os_error().map_or_else(|| inner.into(), io::Error::from_raw_os_error)
        }
    })
}

fn refusal(what: &str, path: &Path, error: &io::Error) -> Refusal {
    Refusal::wrong(format!("cannot write the {what} to `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).expect("a folder").count()
    }

    #[test]
    fn a_failure_halfway_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.html");
        fs::write(&path, "old").expect("a file");
        let half = |out: &mut BufWriter<&File>| {
            out.write_all(&[b'x'; 1 << 17])?;
            Err(io::Error::other("the disk is full"))
        };
        let refused = write("report", &path, half).expect_err("it failed");
        assert!(refused.text.contains("r.html") && refused.text.contains("the disk is full"), "{}", refused.text);
        assert_eq!(fs::read_to_string(&path).expect("the old file"), "old");
        assert_eq!(entries(folder.path()), 1);
        let new = folder.path().join("new.html");
        assert!(write("report", &new, half).is_err());
        assert_eq!(entries(folder.path()), 1, "nor does half of a new file stay");
    }

    #[test]
    fn a_probe_leaves_nothing_and_finds_what_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(probe("report", &folder.path().join("r.html")).is_ok());
        assert_eq!(entries(folder.path()), 0);
        for (path, says) in [("no/r.html", "there is no folder"), (".", "it is a folder")] {
            let refused = probe("report", &folder.path().join(path)).expect_err(path);
            assert!(refused.text.contains(says), "{}", refused.text);
        }
    }

    #[test]
    fn no_message_names_the_temporary_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "no folder").expect("a file");
        let error = beside(&file.join("r.html")).expect_err("a file is no folder");
        assert_eq!(error.to_string(), io::Error::from(io::ErrorKind::NotADirectory).to_string());
    }

    #[test]
    fn an_output_that_is_an_input_is_refused_however_it_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("a.toml");
        fs::write(&input, "a story").expect("a file");
        let other = folder.path().join("b.toml");
        let roundabout = folder.path().join(".").join("a.toml");
        let refused = apart("trace", &roundabout, [&*other, &*input]).expect_err("the same file");
        assert!(refused.text.contains("would replace the input"), "{}", refused.text);
        assert!(apart("trace", &other, [&*other, &*input]).is_ok(), "there is nothing to be lost");
        assert!(apart("trace", &input, [Path::new("-")]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_stays_a_device_and_a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        write("trace", Path::new("/dev/null"), |out| out.write_all(b"gone")).expect("it takes everything");
        assert!(!fs::metadata("/dev/null").expect("still there").is_file());
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").expect("a file");
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        write("trace", &link, |out| out.write_all(b"new")).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&target).expect("there"), "new");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
        write("trace", &ours, |out| out.write_all(b"x")).expect("written");
        fs::write(&usual, "x").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }

    #[test]
    fn a_file_that_is_read_only_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.html");
        fs::write(&path, "old").expect("a file");
        let mut permissions = fs::metadata(&path).expect("there").permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).expect("ours");
        assert!(write("report", &path, |out| out.write_all(b"new")).is_err());
        assert_eq!(fs::read_to_string(&path).expect("there"), "old");
    }
}
