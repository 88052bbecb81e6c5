//! The elder records of a long run, in a file that is gone with the run.
//!
//! It knows bytes and records, and keeps those that were read last. What a newcomer gets wrong: the file has
//! no name – nobody else can read it, and nothing is left of it when the program ends; a trace that is to
//! stay is written with `--trace`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::trace::{Archive, Record};

/// So many pieces are known from the last time: 8 MiB.
const KNOWN: usize = 8;

/// Records in a file without a name, which is made when there is something to keep.
#[derive(Debug)]
pub struct OnDisk {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Default, Debug)]
struct State {
    file: Option<File>,
    /// Where each piece begins, and the end.
    begins: Vec<u64>,
    end: u64,
    /// Nothing more can be written.
    is_full: bool,
    known: VecDeque<(usize, Arc<[Record]>)>,
}

impl OnDisk {
    /// Keeps them in that folder, by default the system's for such files.
    pub fn within(folder: Option<&Path>) -> Self {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        Self { folder, state: Mutex::default() }
    }
}

impl State {
    fn write(&mut self, folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile_in(folder)?);
        }
        let file = self.file.as_mut().expect("it was just made");
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(bytes)
    }

    fn read(&mut self, number: usize) -> std::io::Result<Vec<u8>> {
        let begin = self.begins[number];
        let end = self.begins.get(number + 1).copied().unwrap_or(self.end);
        let mut bytes = vec![0; (end - begin) as usize];
        let file = self.file.as_mut().expect("something was written");
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Archive for OnDisk {
    fn keep(&self, bytes: &[u8]) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_full || state.write(&self.folder, bytes).is_err() {
            state.is_full = true;
            return None;
        }
        let begin = state.end;
        state.begins.push(begin);
        state.end += bytes.len() as u64;
        Some(state.begins.len() - 1)
    }

    /// # Panics
    /// When the file cannot be read any more.
    fn records(&self, number: usize, read: &dyn Fn(&[u8]) -> Vec<Record>) -> Arc<[Record]> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = state.known.iter().find(|(known, _)| *known == number) {
            return Arc::clone(known);
        }
        let bytes = state.read(number).expect("what was written to a file can be read from it");
        let records: Arc<[Record]> = read(&bytes).into();
        if state.known.len() == KNOWN {
            state.known.pop_front();
        }
        state.known.push_back((number, Arc::clone(&records)));
        records
    }
}
