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

use crate::trace::{Archive, Reader, Record, Trace, packed};

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
    fn keep(&self, records: &[Record], first: usize) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = if state.is_full { Vec::new() } else { packed::pack(records, first) };
        if state.is_full || state.write(&self.folder, &bytes).is_err() {
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
    fn records(&self, number: usize, first: usize) -> Arc<[Record]> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = state.known.iter().find(|(known, _)| *known == number) {
            return Arc::clone(known);
        }
        let bytes = state.read(number).expect("what was written to a file can be read from it");
        let records: Arc<[Record]> = packed::unpack(&bytes, first).into();
        if state.known.len() == KNOWN {
            state.known.pop_front();
        }
        state.known.push_back((number, Arc::clone(&records)));
        records
    }
}

/// Records on disk, each of which somebody has taken in when it went there.
#[derive(Debug)]
pub struct Followed<R> {
    disk: OnDisk,
    /// Who has not taken in any.
    begins: R,
    by: Mutex<Progress<R>>,
}

#[derive(Debug)]
struct Progress<R> {
    reader: R,
    taken: usize,
    is_over: bool,
}

impl<R: Reader> Followed<R> {
    /// Keeps them on disk once this reader has taken them in.
    pub fn by(reader: R) -> Self {
        let progress = Progress { reader: reader.clone(), taken: 0, is_over: false };
        Self { disk: OnDisk::within(None), begins: reader, by: Mutex::new(progress) }
    }

    /// The reader, who takes in what is left of the run's trace.
    pub fn all(&self, trace: &Trace) -> R {
        let progress = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        debug_assert_eq!(progress.taken, trace.records().archived(), "each is taken in when it goes to disk");
        let mut reader = progress.reader.clone();
        trace.records().each(progress.taken..trace.records().len(), |record| reader.take(record));
        reader
    }
}

impl<R: Reader> Archive for Followed<R> {
    fn keep(&self, records: &[Record], first: usize) -> Option<usize> {
        let number = self.disk.keep(records, first)?;
        let mut progress = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if first == 0 {
            *progress = Progress { reader: self.begins.clone(), taken: 0, is_over: false };
        }
        if !progress.is_over {
            records.iter().for_each(|record| progress.reader.take(record));
            progress.taken += records.len();
        }
        Some(number)
    }

    fn records(&self, number: usize, first: usize) -> Arc<[Record]> {
        self.disk.records(number, first)
    }

    fn end(&self) {
        self.by.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
    }
}
