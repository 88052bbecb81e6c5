//! What is printed when schedsim itself breaks.
//!
//! A panic is a bug of ours, whatever the input: the message says so and ends with the line that brings it
//! back. It knows the words of the command line only.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::sync::OnceLock;

use super::args::shell_line;
use super::output;

thread_local! {
    /// The line that reproduces what this thread is doing.
    static DOING: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What is to be done before a panic says anything: giving a terminal back.
static BEFORE: OnceLock<fn()> = OnceLock::new();

/// From now on this is done before a panic says anything.
pub(crate) fn before_words(act: fn()) {
    let _ = BEFORE.set(act);
}

/// Makes panics say whose fault they are.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        BEFORE.get().into_iter().for_each(|act| act());
        let what = info.payload_as_str().unwrap_or("a panic without words");
        let place = info.location().map_or_else(String::new, |at| format!(" ({at})"));
        report(&format!("{what}{place}"), &doing());
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            output::note(&trace.to_string());
        }
    }));
}

/// Does `work`; should it panic, the message ends with that line.
pub(crate) fn doing_what<T>(line: &str, work: impl FnOnce() -> T) -> T {
    DOING.with_borrow_mut(|doing| *doing = Some(line.to_owned()));
    let done = work();
    DOING.with_borrow_mut(|doing| *doing = None);
    done
}

/// Says that this is a bug of ours, and how to see it again.
pub(crate) fn report(what: &str, line: &str) {
    output::error(&message(what, line));
}

fn message(what: &str, line: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("this is a bug in schedsim {version}, not in your file: {what}\n  reproduce: {line}")
}

/// What this thread is running, or the command line itself.
fn doing() -> String {
    let line = DOING.try_with(|doing| doing.try_borrow().ok().and_then(|line| line.clone())).ok().flatten();
    line.unwrap_or_else(|| {
        let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
        shell_line(std::iter::once("schedsim".to_owned()).chain(words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_knows_what_it_is_running() {
        doing_what("schedsim run a.toml --seed 1", || {
            assert_eq!(doing(), "schedsim run a.toml --seed 1");
            std::thread::spawn(|| assert_ne!(doing(), "schedsim run a.toml --seed 1")).join().unwrap();
        });
        assert!(doing().starts_with("schedsim"), "then it is the command line: {}", doing());
    }

    #[test]
    fn a_bug_names_itself_and_the_line_that_brings_it_back() {
        let text = message("index out of bounds (src/x.rs:1:2)", "schedsim run a.toml");
        assert!(text.starts_with("this is a bug in schedsim"));
        assert!(text.ends_with("reproduce: schedsim run a.toml"));
    }
}
