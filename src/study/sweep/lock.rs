//! The lock of a folder of results: one process at a time writes into it.
//!
//! An advisory lock of the system on an empty file that stays in the folder; it knows neither plans nor rows. The
//! system lets go of it when a process ends, however it ends, so no kill leaves a stale one. Where a file system has
//! no locks nobody is kept apart, and nothing else is worse. What a newcomer gets wrong: the file says nothing –
//! that it is there does not mean that somebody writes, and to remove it would let a second process in.

use std::fs::{OpenOptions, TryLockError};
use std::path::Path;

/// The file that is locked. It is hidden, for it is no result.
pub(super) const LOCK: &str = ".lock";

/// Why a folder cannot be written into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Another process does; later it may be free.
    Busy(String),
    /// Something must be changed first.
    Wrong(String),
}

impl From<String> for Closed {
    fn from(words: String) -> Self {
        Self::Wrong(words)
    }
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Busy(words) | Self::Wrong(words)) = self;
        f.write_str(words)
    }
}

/// While it lives, no other process writes into the folder.
#[derive(Debug, Default)]
pub(super) struct Lock {
    _file: Option<std::fs::File>,
}

impl Lock {
    /// Takes the lock of a folder that is there.
    ///
    /// # Errors
    /// Somebody else has it.
    pub(super) fn of(dir: &Path) -> Result<Self, Closed> {
        // A folder that cannot be written says so when it is written.
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(LOCK));
        let Ok(file) = opened else { return Ok(Self::default()) };
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(Closed::Busy(format!(
                "another sweep is writing into `{}`; wait for its end, or choose another folder",
                dir.display()
            ))),
            Err(TryLockError::Error(_)) => Ok(Self::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_lock_and_it_is_free_again_when_its_owner_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::of(dir.path()).unwrap();
        assert!(Lock::of(dir.path()).unwrap_err().to_string().contains("another sweep is writing into"));
        drop(first);
        Lock::of(dir.path()).unwrap();
    }

    #[test]
    fn where_there_can_be_no_lock_the_folder_is_used_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(LOCK)).unwrap();
        Lock::of(dir.path()).unwrap();
    }
}
