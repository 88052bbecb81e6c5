//! `schedsim view FILE`: a run to look at in the terminal.
//!
//! It owns the terminal while the view is open: raw, on the other screen, and given back however that ends –
//! a key, a signal, a bug. What is shown and what keys do stands in `view`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::{cursor, event, execute, terminal};

use crate::trace;
use crate::view::{self, RUNS_MAX, Request, Slots, Story, View};

use super::args::{Logic, Look, shell_line};
use super::{Exit, Refusal, crash, input, reproduce, signals, story};

/// Shows a run in the terminal: lanes, a cursor in time, and why – to walk along
#[derive(Args)]
pub(crate) struct ViewArgs {
    /// A scenario file, or a trace that `run --trace FILE.jsonl` wrote
    #[arg(value_name = "FILE")]
    file: String,
    /// The variant to begin with; by default the first
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    #[command(flatten)]
    logic: Logic,
}

/// How soon after the last key what was left is asked for.
const REST: Duration = Duration::from_millis(60);
/// How often it is looked whether somebody has typed while something takes long.
const GLANCE: Duration = Duration::from_millis(50);
/// For how long keys are waited for at a time when nothing else is to be done.
const LONG: Duration = Duration::from_secs(3600);

pub(crate) fn view(args: &ViewArgs, look: &Look) -> Result<Exit, Refusal> {
    if args.logic.seeds.is_some() {
        return Err(Refusal::wrong("one run after another is looked at, and --seeds asks for many; give one --seed"));
    }
    if args.file == "-" {
        return Err(Refusal::wrong("keys come from standard input, so that no file can; write it to disk first"));
    }
    let slots = Slots::new(RUNS_MAX);
    let look = view::Look { colour: look.has_colour(), utf8: takes_utf8() };
    let line = shell_line(["schedsim".to_owned(), "view".to_owned(), reproduce::operand(&args.file)]);
    if args.file.ends_with(".jsonl") {
        let read = File::open(&args.file).map_err(|error| error.to_string());
        let read = read.and_then(|file| trace::read::lines(BufReader::new(file)));
        let trace = read.map_err(|why| Refusal::wrong(format!("`{}` is no trace of JSON lines: {why}", args.file)))?;
        is_terminal()?;
        return crash::doing_what(&line, || {
            let view = View::of_trace(args.file.clone(), trace, &slots, look);
            show(view)
        });
    }
    let loaded = input::load(std::slice::from_ref(&args.file), &args.logic.overrides())?;
    let scenario = &loaded[0].scenario;
    let variant = story::variant(scenario, args.variant.as_deref())?;
    is_terminal()?;
    let place = scenario.variants.iter().position(|known| known.name == variant.name).unwrap_or_default();
    crash::doing_what(&line, || {
        let view = View::of_story(Story { scenario, until: args.logic.until }, place, &slots, look);
        show(view)
    })
}

/// A view is for somebody who looks.
fn is_terminal() -> Result<(), Refusal> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Refusal::wrong(
        "`view` needs a terminal for its keys and its screen; `run` prints a run, `run --report FILE.html` makes a page of it",
    ))
}

/// Whether the terminal is said to take UTF-8.
fn takes_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let said = set.into_iter().find(|value| !value.is_empty());
    said.is_none_or(|value| {
        let value = value.to_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

/// The terminal as the view has it; it is given back when this goes.
struct Screen {
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
}

impl Screen {
    fn open() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
    }

    fn draw(&mut self, view: &mut View<'_>) -> io::Result<()> {
        let shown = self.terminal.draw(|frame| {
            let area = frame.area();
            view.resize(area.width, area.height);
            view.draw(frame.buffer_mut());
        });
        shown.map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// That it cannot be given back is nothing that anybody could still be told.
fn give_back() {
    let _ = execute!(io::stdout(), terminal::LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
}

fn show(mut view: View<'_>) -> Result<Exit, Refusal> {
    crash::before_words(give_back);
    signals::watch(true, |signal| {
        give_back();
        std::process::exit(128 + signal);
    });
    let shown = Screen::open().and_then(|mut screen| watch(&mut view, &mut screen));
    match shown {
        Ok(()) => Ok(Exit::Fine),
        Err(error) => Err(Refusal::wrong(format!("the terminal cannot be used: {error}"))),
    }
}

/// Draws, and does what keys say, until one of them ends it.
fn watch(view: &mut View<'_>, screen: &mut Screen) -> io::Result<()> {
    screen.draw(view)?;
    let mut typed = VecDeque::new();
    loop {
        let wait = match view.wants_rest() {
            _ if !typed.is_empty() => Duration::ZERO,
            true => REST,
            false => LONG,
        };
        match event::poll(wait) {
            Ok(false) if typed.is_empty() => {
                if view.rest() {
                    screen.draw(view)?;
                }
                continue;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        while event::poll(Duration::ZERO)? {
            typed.extend(key_of(event::read()?));
        }
        let mut request = None;
        // All that was typed meanwhile is drawn once.
        while let (None, Some(key)) = (request, typed.pop_front()) {
            request = view.key(key);
        }
        match request {
            Some(Request::Quit) => return Ok(()),
            Some(request) => {
                view.wait_for(request);
                screen.draw(view)?;
                typed.extend(carrying_out(|| view.carry_out(request)));
            }
            None => {}
        }
        screen.draw(view)?;
    }
}

/// Does what takes long, and tells what was typed meanwhile; Ctrl-C, which is a key here and no signal, leaves at once.
fn carrying_out(work: impl FnOnce()) -> Vec<event::KeyEvent> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut typed = Vec::new();
            while !done.load(Ordering::Relaxed) {
                // What cannot be read now is met where keys are waited for.
                let key = match event::poll(GLANCE)
                    .and_then(|ready| if ready { event::read().map(Some) } else { Ok(None) })
                {
                    Ok(event) => event.and_then(key_of),
                    Err(_) => break,
                };
                if key.is_some_and(view::leaves) {
                    give_back();
                    std::process::exit(0);
                }
                typed.extend(key);
            }
            typed
        });
        {
            let _done = Done(&done);
            work();
        }
        watcher.join().unwrap_or_default()
    })
}

/// That it is done is known even where a bug ended it.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn key_of(event: event::Event) -> Option<event::KeyEvent> {
    if let event::Event::Key(key) = event { Some(key) } else { None }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Run again by `view_test.py` on a terminal of its own, it breaks.
    #[test]
    fn a_bug_gives_the_terminal_back_before_it_is_told() {
        if std::env::var_os("BREAKS").is_some() {
            crash::install();
            crash::before_words(give_back);
            let _screen = Screen::open().expect("a terminal");
            panic!("this bug is meant");
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/view_test.py");
        let test = "cli::view::tests::a_bug_gives_the_terminal_back_before_it_is_told";
        let binary = std::env::current_exe().expect("this binary");
        match Command::new("python3").arg(script).arg(binary).args(["--bug", test]).output() {
            Ok(done) if cfg!(unix) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr)),
            _ => eprintln!("SKIPPED: no python3 with a pseudo terminal"),
        }
    }
}
