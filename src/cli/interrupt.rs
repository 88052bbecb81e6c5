//! What a long command says when it is interrupted: what is kept, and how to go on.
//!
//! It counts results that were written and knows the words of the command line, not what was run. A signal
//! waits until no result is being written, so the count is exact, and then ends the process with the status
//! that shells give to it: 130 or 143. What a newcomer gets wrong: nothing is saved here – every result
//! was with the system before it was counted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use super::args::shell_line;
use super::{output, signals};

/// What is kept so far.
#[derive(Debug)]
struct Kept {
    runs: u64,
    /// How many there are to be; none: nobody knows yet.
    of: Option<u64>,
    dir: PathBuf,
    bar: ProgressBar,
    /// Whether the folder was opened.
    begun: bool,
}

/// The results of a command that may be interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<Mutex<Kept>>);

impl Interrupt {
    /// A command that writes results below `dir`. From now on a signal meets words.
    pub(crate) fn new(dir: &Path) -> Self {
        let interrupt = Self::unwatched(dir);
        let watched = interrupt.clone();
        signals::watch(false, move |signal| {
            // Never given back: no result is written any more.
            let kept = watched.lock();
            kept.bar.finish_and_clear();
            output::note(&kept.message(own_words()));
            std::process::exit(128 + signal);
        });
        interrupt
    }

    fn unwatched(dir: &Path) -> Self {
        let kept = Kept { runs: 0, of: None, dir: dir.to_owned(), bar: ProgressBar::hidden(), begun: false };
        Self(Arc::new(Mutex::new(kept)))
    }

    /// There are to be so many results.
    pub(crate) fn total(&self, runs: u64) {
        self.lock().of = Some(runs);
    }

    /// So many more results are kept, and `bar` is in the way of words.
    pub(crate) fn begin(&self, runs: u64, bar: &ProgressBar) {
        let mut kept = self.lock();
        kept.runs += runs;
        kept.bar = bar.clone();
        kept.begun = true;
    }

    /// Writes one result; no signal ends the process meanwhile.
    pub(crate) fn writing<E>(&self, write: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let mut kept = self.lock();
        write()?;
        kept.runs += 1;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn message(&self, words: impl Iterator<Item = String>) -> String {
        if !self.begun {
            return format!("interrupted before the first run; to begin:\n  {}", resuming(words));
        }
        let of = self.of.map_or_else(String::new, |of| format!(" of {of}"));
        let (runs, dir) = (self.runs, self.dir.display());
        format!("interrupted: {runs}{of} runs are kept in {dir}; to go on:\n  {}", resuming(words))
    }
}

/// A command that joins shards in `dir`. From now on a signal meets words.
pub(crate) fn merging(dir: &Path) {
    let filled = |dir: &Path| std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    // What was there before is refused, and not ours to have removed.
    let (dir, taken) = (dir.to_owned(), filled(dir));
    signals::watch(false, move |signal| {
        let half = (!taken && filled(&dir)).then_some(&*dir);
        output::note(&unmerged(half, own_words()));
        std::process::exit(128 + signal);
    });
}

/// What a merge says that was interrupted; `half` is the folder with a part of its results.
fn unmerged(half: Option<&Path>, words: impl Iterator<Item = String>) -> String {
    let half = half.map_or_else(String::new, |dir| format!("{} is half merged: remove it; ", dir.display()));
    let line = shell_line(std::iter::once("schedsim".to_owned()).chain(words));
    format!("interrupted: nothing is lost, the shards are as they were; {half}to merge again:\n  {line}")
}

/// This process' command line, going on.
pub(crate) fn going_on() -> String {
    resuming(own_words())
}

/// What this process was started with.
fn own_words() -> impl Iterator<Item = String> {
    std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())
}

/// The same command line, going on.
fn resuming(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    if !words[..end].iter().any(|word| word == "--resume") {
        words.insert(end, "--resume".to_owned());
    }
    shell_line(std::iter::once("schedsim".to_owned()).chain(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_goes_on_is_the_one_that_was_given_and_resume() {
        for (words, wanted) in [
            ("sweep a.toml --out o", "schedsim sweep a.toml --out o --resume"),
            ("sweep --resume a.toml --out o", "schedsim sweep --resume a.toml --out o"),
            ("-q sweep --out o -- -a.toml", "schedsim -q sweep --out o --resume -- -a.toml"),
        ] {
            assert_eq!(resuming(words.split(' ').map(str::to_owned)), wanted);
        }
    }

    #[test]
    fn what_was_written_is_counted_and_what_failed_is_not() {
        let interrupt = Interrupt::unwatched(Path::new("out"));
        let said = |words: &str| interrupt.lock().message([words.to_owned()].into_iter());
        assert_eq!(said("sweep"), "interrupted before the first run; to begin:\n  schedsim sweep --resume");
        interrupt.total(9);
        interrupt.begin(3, &ProgressBar::hidden());
        assert_eq!(interrupt.writing(|| Ok::<_, ()>(())), Ok(()));
        assert_eq!(interrupt.writing(|| Err("full")), Err("full"));
        assert_eq!(said("sweep"), "interrupted: 4 of 9 runs are kept in out; to go on:\n  schedsim sweep --resume");
    }
}
