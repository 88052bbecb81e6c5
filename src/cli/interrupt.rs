//! What a long command says when it is interrupted: what is kept, and how to go on.
//!
//! It counts results that were written and knows the words of the command line, not what was run. A signal
//! waits until no result is being written, so the count is exact, and then ends the process as that signal
//! does without us: shells show 130 and 143. What a newcomer gets wrong: nothing is saved here – every
//! result was with the system before it was counted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use super::args::shell_line;

/// What is kept so far.
#[derive(Debug)]
struct Kept {
    runs: u64,
    /// How many there are to be; none: nobody knows yet.
    of: Option<u64>,
    dir: PathBuf,
    bar: ProgressBar,
    watched: bool,
}

/// The results of a command that may be interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<Mutex<Kept>>);

impl Interrupt {
    /// A command that writes so many results below `dir`.
    pub(crate) fn new(of: Option<u64>, dir: &Path) -> Self {
        let kept = Kept { runs: 0, of, dir: dir.to_owned(), bar: ProgressBar::hidden(), watched: false };
        Self(Arc::new(Mutex::new(kept)))
    }

    /// From now on a signal meets words: so many more results are kept, and `bar` is in the way of them.
    pub(crate) fn begin(&self, runs: u64, bar: &ProgressBar) {
        let mut kept = self.lock();
        kept.runs += runs;
        kept.bar = bar.clone();
        if !std::mem::replace(&mut kept.watched, true) {
            signals::watch(self.clone());
        }
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
    #[cfg_attr(not(unix), expect(dead_code, reason = "signals are not watched there"))]
    fn message(&self, words: impl Iterator<Item = String>) -> String {
        let of = self.of.map_or_else(String::new, |of| format!(" of {of}"));
        let (runs, dir) = (self.runs, self.dir.display());
        format!("interrupted: {runs}{of} runs are kept in {dir}; to go on:\n  {}", resuming(words))
    }
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

#[cfg(unix)]
mod signals {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::Interrupt;
    use crate::cli::output;

    /// Where signals cannot be watched they do what they always do; nothing is lost by that.
    pub(super) fn watch(interrupt: Interrupt) {
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        std::thread::spawn(move || {
            let Some(signal) = signals.forever().next() else { return };
            // Never given back: no result is written any more.
            let kept = interrupt.lock();
            kept.bar.finish_and_clear();
            let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
            output::note(&kept.message(words));
            let _ = emulate_default_handler(signal);
            std::process::exit(128 + signal);
        });
    }
}

#[cfg(not(unix))]
mod signals {
    /// A break ends the process as always; nothing is lost by that.
    pub(super) fn watch(_: super::Interrupt) {}
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
        let interrupt = Interrupt::new(Some(9), Path::new("out"));
        interrupt.lock().runs = 3;
        assert_eq!(interrupt.writing(|| Ok::<_, ()>(())), Ok(()));
        assert_eq!(interrupt.writing(|| Err("full")), Err("full"));
        let message = interrupt.lock().message(["sweep".to_owned()].into_iter());
        assert_eq!(message, "interrupted: 4 of 9 runs are kept in out; to go on:\n  schedsim sweep --resume");
    }
}
