//! A config's text and where it came from: the three loaders' front halves.
//!
//! It may know files and bytes and nothing of TOML. A path loader finds and reads the file, the third is handed its
//! bytes; all three end in one [`ConfigSource`], which [`super::load`] reads. What a newcomer gets wrong: the
//! origin of a file is written as seen from the folder that the caller calls its base, never made absolute, so that
//! an error's text is the same on every machine.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{ConfigError, Places, Problem};
use super::find::{FindError, find_under, find_upwards, seen_from, told};

/// The longest config that is read, in bytes. ASSUMES: no app config comes near it; it bounds what a wrong file
/// (an image, a log) can cost.
pub const CONFIG_BYTES_MAX: usize = 1 << 20;

/// Which of the three loaders reads the config. They must behave alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loader {
    /// Looks for the file from a working directory upwards.
    Upwards,
    /// Looks for the file under a given directory.
    Under,
    /// Is given the bytes.
    Bytes,
}

/// A config as a deploy hands it over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigSource {
    pub loader: Loader,
    pub text: Arc<str>,
    /// Where it came from, for messages: a path, or `config` for a text in the scenario itself.
    pub origin: Arc<str>,
}

impl ConfigSource {
    /// No config at all: `loader` found none (rule 3.1).
    pub fn none(loader: Loader) -> Self {
        Self { loader, text: "".into(), origin: "config".into() }
    }

    /// The config found from the folder `start` upwards, but never above `base`.
    ///
    /// Here and below, `start`, `dir` and `file` are relative to `base`, as is what messages show.
    pub fn read_upwards(base: &Path, start: &str) -> Result<Self, ReadError> {
        let found = find_upwards(&base.join(start), base);
        Self::read(Loader::Upwards, base, &found.map_err(|error| error.relative_to(base))?)
    }

    /// The config in the folder `dir`.
    pub fn read_under(base: &Path, dir: &str) -> Result<Self, ReadError> {
        let found = find_under(&base.join(dir));
        Self::read(Loader::Under, base, &found.map_err(|error| error.relative_to(base))?)
    }

    /// The config in a file whose bytes are handed over.
    pub fn read_file(base: &Path, file: &str) -> Result<Self, ReadError> {
        Self::read(Loader::Bytes, base, &base.join(file))
    }

    /// The config in `bytes`; `origin` is what errors call it.
    pub fn from_bytes(bytes: &[u8], origin: &str) -> Result<Self, ConfigError> {
        Self::of(Loader::Bytes, bytes, origin)
    }

    fn read(loader: Loader, base: &Path, path: &Path) -> Result<Self, ReadError> {
        let shown = seen_from(base, path);
        let unreadable = |error: io::Error| ReadError::Unreadable { path: shown.clone(), why: error.kind() };
        // Asked first: to open a pipe is to wait for whoever writes to it.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(ReadError::NoFile { path: shown });
        }
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        // One byte more than is allowed tells a file that is too long, without reading all of it.
        file.take(CONFIG_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(Self::of(loader, &bytes, &shown.display().to_string())?)
    }

    fn of(loader: Loader, bytes: &[u8], origin: &str) -> Result<Self, ConfigError> {
        let origin: Arc<str> = origin.into();
        if let Some(problem) = too_long(bytes.len()) {
            return Err(ConfigError::new(origin, vec![problem]));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self { loader, text: text.into(), origin }),
            Err(error) => {
                let place = Places::new(&String::from_utf8_lossy(bytes)).of(error.valid_up_to());
                let text = "this byte is not UTF-8 text; save the file as UTF-8".to_owned();
                Err(ConfigError::new(origin, vec![Problem { place, text }]))
            }
        }
    }
}

/// The complaint about a config of `len` bytes, if that is too many.
pub(super) fn too_long(len: usize) -> Option<Problem> {
    let text = format!("a config can have {CONFIG_BYTES_MAX} bytes at most; is this the right file?");
    (len > CONFIG_BYTES_MAX).then(|| Problem { place: Default::default(), text })
}

/// Why a path loader has no config.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// There is no file.
    Find(FindError),
    /// There is one, and it cannot be read.
    Unreadable { path: PathBuf, why: io::ErrorKind },
    /// Something else has that path.
    NoFile { path: PathBuf },
    /// It is too long, or no text.
    Config(ConfigError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Find(error) => error.fmt(f),
            Self::Unreadable { path, why } => write!(f, "cannot read `{}`: {}", path.display(), told(*why)),
            Self::NoFile { path } => write!(f, "`{}` is not a file", path.display()),
            Self::Config(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for ReadError {}

impl From<FindError> for ReadError {
    fn from(error: FindError) -> Self {
        Self::Find(error)
    }
}
impl From<ConfigError> for ReadError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn bytes_that_are_no_text_are_refused_at_the_byte() {
        let error = ConfigSource::from_bytes(b"name = \"a\"\nimage = \"\xff\"", "app.toml").unwrap_err();
        assert_eq!(error.to_string(), "app.toml:2:10: this byte is not UTF-8 text; save the file as UTF-8");
        // What precedes the byte is counted in characters.
        let error = ConfigSource::from_bytes(b"# \xc3\xa9\xff", "config").unwrap_err();
        assert_eq!(error.one_line(), "config:1:4: this byte is not UTF-8 text; save the file as UTF-8");
    }

    #[test]
    fn a_file_that_is_too_long_is_refused_by_every_loader() {
        let dir = tempfile::tempdir().unwrap();
        let long = vec![b'#'; CONFIG_BYTES_MAX + 1];
        fs::create_dir(dir.path().join(".miren")).unwrap();
        fs::write(dir.path().join(".miren/app.toml"), &long).unwrap();
        let text = "a config can have 1048576 bytes at most; is this the right file?";
        let bytes = ConfigSource::from_bytes(&long, "app.toml").unwrap_err();
        assert_eq!(bytes.to_string(), format!("app.toml:1:1: {text}"));
        for found in [
            ConfigSource::read_under(dir.path(), ""),
            ConfigSource::read_upwards(dir.path(), ""),
            ConfigSource::read_file(dir.path(), ".miren/app.toml"),
        ] {
            assert_eq!(found.unwrap_err().to_string(), format!(".miren/app.toml:1:1: {text}"));
        }
        assert!(ConfigSource::from_bytes(&long[1..], "app.toml").is_ok());
    }

    #[test]
    fn what_is_not_found_is_told_as_seen_from_the_base() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for (error, text) in [
            (ConfigSource::read_under(dir.path(), "a"), "no `.miren/app.toml` in `a`"),
            (ConfigSource::read_upwards(dir.path(), "a"), "no `.miren/app.toml` in `a` or `.`"),
            (ConfigSource::read_upwards(dir.path(), ".."), "`..` is not inside `.`, where the search ends"),
            (ConfigSource::read_file(dir.path(), "a"), "`a` is not a file"),
            (ConfigSource::read_file(dir.path(), "c"), "cannot read `c`: it does not exist"),
        ] {
            assert_eq!(error.unwrap_err().to_string(), text);
        }
    }
}
