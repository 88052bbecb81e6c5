//! What a command does when a signal ends it.
//!
//! A thread waits for it, so that words can be said and a terminal be given back whatever the command is doing.

/// Calls `met` with the first signal that asks the process to end. Where signals cannot be watched they do what they
/// always do; nothing is lost by that. `hangup`: also when the terminal has gone; a command that needs none goes on
/// under `nohup`, and so leaves that one alone.
#[cfg(unix)]
pub(super) fn watch(hangup: bool, met: impl FnOnce(i32) + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ends = [SIGINT, SIGTERM].into_iter().chain(hangup.then_some(SIGHUP));
    let Ok(mut signals) = signal_hook::iterator::Signals::new(ends) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            met(signal);
        }
    });
}

/// A break ends the process as always; nothing is lost by that.
#[cfg(not(unix))]
pub(super) fn watch(_: bool, _: impl FnOnce(i32) + Send + 'static) {}
