//! Where the config file is: upwards from a folder, or in one.
//!
//! It may know folders and one path below each, and nothing of what the file says. The search is bounded by a folder
//! that the caller names, so that the answer depends on the tree alone and not on the machine. What a newcomer gets
//! wrong: an app without the file is deployed all the same, without a config (rule 3.1); whether that is meant is for
//! the caller to say.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::listed;

/// The file that is looked for, as seen from a folder.
pub const FILE_NAME: &str = ".miren/app.toml";

/// How many folders a message names.
const FOLDERS_SHOWN: usize = 10;

/// Why no config file was found. Paths are written as the caller wrote the folders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FindError {
    /// There is none in the folders looked at, in that order.
    NotFound { looked: Vec<PathBuf> },
    /// The search would begin outside of the folder that bounds it.
    Outside { start: PathBuf, stop: PathBuf },
    /// A folder cannot be looked at.
    Unreadable { folder: PathBuf, why: io::ErrorKind },
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { looked } => {
                let looked = listed(looked.iter().map(|folder| folder.display()), "or", FOLDERS_SHOWN);
                write!(f, "no `{FILE_NAME}` in {looked}")
            }
            Self::Outside { start, stop } => {
                write!(f, "`{}` is not inside `{}`, where the search ends", start.display(), stop.display())
            }
            Self::Unreadable { folder, why } => {
                write!(f, "cannot look for `{FILE_NAME}` in `{}`: {}", folder.display(), told(*why))
            }
        }
    }
}
impl std::error::Error for FindError {}

impl FindError {
    /// The same with its paths as seen from `base`.
    #[must_use]
    pub fn relative_to(self, base: &Path) -> Self {
        let all = |paths: Vec<PathBuf>| paths.iter().map(|path| seen_from(base, path)).collect();
        let one = |path: PathBuf| seen_from(base, &path);
        match self {
            Self::NotFound { looked } => Self::NotFound { looked: all(looked) },
            Self::Outside { start, stop } => Self::Outside { start: one(start), stop: one(stop) },
            Self::Unreadable { folder, why } => Self::Unreadable { folder: one(folder), why },
        }
    }
}

/// A path without the folder that it begins with; that folder itself is `.`.
pub(super) fn seen_from(base: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(base) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Ok(rest) => rest.to_owned(),
        Err(_) => path.to_owned(),
    }
}

/// Why something cannot be read, in words for whoever wrote its path.
pub(super) fn told(why: io::ErrorKind) -> String {
    match why {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        other => other.to_string(),
    }
}

/// The config file in `start` or the nearest folder above it; never looks above `stop`.
///
/// Symbolic links are resolved first: a `start` that only seems to be inside `stop` is refused.
pub fn find_upwards(start: &Path, stop: &Path) -> Result<PathBuf, FindError> {
    let real = |folder: &Path| fs::canonicalize(folder).map_err(|error| unreadable(folder, &error));
    let (real_start, real_stop) = (real(start)?, real(stop)?);
    let Ok(way) = real_start.strip_prefix(&real_stop) else {
        return Err(FindError::Outside { start: start.to_owned(), stop: stop.to_owned() });
    };
    let mut looked = Vec::new();
    // `ancestors` of a relative path ends with the empty path, which is `stop` itself.
    for folder in way.ancestors() {
        let folder = if folder.as_os_str().is_empty() { stop.to_owned() } else { stop.join(folder) };
        if let Some(file) = file_in(&folder)? {
            return Ok(file);
        }
        looked.push(folder);
    }
    Err(FindError::NotFound { looked })
}

/// The config file in `dir`, and nowhere else.
pub fn find_under(dir: &Path) -> Result<PathBuf, FindError> {
    file_in(dir)?.ok_or_else(|| FindError::NotFound { looked: vec![dir.to_owned()] })
}

/// The config file of a folder. A folder of that name is no config file.
fn file_in(folder: &Path) -> Result<Option<PathBuf>, FindError> {
    // Asked first: in a path that is no folder at all, the file would merely seem to be missing.
    if !fs::metadata(folder).map_err(|error| unreadable(folder, &error))?.is_dir() {
        return Err(FindError::Unreadable { folder: folder.to_owned(), why: io::ErrorKind::NotADirectory });
    }
    let file = folder.join(FILE_NAME);
    match fs::metadata(&file) {
        Ok(found) => Ok(found.is_file().then_some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(folder, &error)),
    }
}

fn unreadable(folder: &Path, error: &io::Error) -> FindError {
    FindError::Unreadable { folder: folder.to_owned(), why: error.kind() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A tree of folders; a path that ends with the file name gets that file.
    fn tree(paths: &[&str]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let path = root.path().join(path);
            if path.ends_with(FILE_NAME) {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            } else {
                fs::create_dir_all(path).unwrap();
            }
        }
        root
    }

    /// An answer with the root cut off.
    fn answered(root: &TempDir, answer: Result<PathBuf, FindError>) -> String {
        let text = answer.map_or_else(|error| error.to_string(), |path| path.display().to_string());
        text.replace(&root.path().display().to_string(), "ROOT")
    }

    #[test]
    fn upwards_takes_the_nearest_and_never_looks_above_the_stop() {
        for (paths, start, stop, answer) in [
            (&["a/b", ".miren/app.toml", "a/.miren/app.toml"][..], "a/b", "", "ROOT/a/.miren/app.toml"),
            (&["a/b/.miren/app.toml", "a/.miren/app.toml"], "a/b", "a", "ROOT/a/b/.miren/app.toml"),
            (&["a/b", ".miren/app.toml"], "a/b", "", "ROOT/.miren/app.toml"),
            (&["a/b", ".miren/app.toml"], "a/b", "a", "no `.miren/app.toml` in `ROOT/a/b` or `ROOT/a`"),
            (
                &["a/b", "c", ".miren/app.toml"],
                "a/b/../../c",
                "a",
                "`ROOT/a/b/../../c` is not inside `ROOT/a`, where the search ends",
            ),
            (&["a"], "a/gone", "a", "cannot look for `.miren/app.toml` in `ROOT/a/gone`: it does not exist"),
            (
                &["a/.miren/app.toml"],
                "a/.miren/app.toml",
                "a",
                "cannot look for `.miren/app.toml` in `ROOT/a/.miren/app.toml`: it is not a folder",
            ),
        ] {
            let root = tree(paths);
            let at = |path: &str| if path.is_empty() { root.path().to_owned() } else { root.path().join(path) };
            assert_eq!(answered(&root, find_upwards(&at(start), &at(stop))), answer, "{paths:?} {start} {stop}");
        }
    }

    #[test]
    fn under_looks_at_one_place() {
        for (paths, answer) in [
            (&[".miren/app.toml", "a/.miren/app.toml"][..], "ROOT/.miren/app.toml"),
            (&["a/.miren/app.toml"], "no `.miren/app.toml` in `ROOT`"),
            (&["app.toml"], "no `.miren/app.toml` in `ROOT`"),
        ] {
            let root = tree(paths);
            assert_eq!(answered(&root, find_under(root.path())), answer, "{paths:?}");
        }
    }

    #[test]
    fn a_folder_with_the_files_name_is_no_config() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(FILE_NAME)).unwrap();
        assert!(matches!(find_upwards(root.path(), root.path()), Err(FindError::NotFound { .. })));
        assert!(matches!(find_under(root.path()), Err(FindError::NotFound { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out() {
        let root = tree(&["in", "out/.miren/app.toml"]);
        std::os::unix::fs::symlink(root.path().join("out"), root.path().join("in/out")).unwrap();
        let inside = root.path().join("in");
        assert!(matches!(find_upwards(&inside.join("out"), &inside), Err(FindError::Outside { .. })));
    }

    #[test]
    fn a_long_way_is_told_in_short() {
        let root = tempfile::tempdir().unwrap();
        let deep = (0..20).fold(root.path().to_owned(), |folder, n| folder.join(format!("{n}")));
        fs::create_dir_all(&deep).unwrap();
        let told = answered(&root, find_upwards(&deep, root.path()));
        assert!(told.ends_with(" or 11 more"), "{told}");
    }
}
