//! `run --watch`: again at each save, differences marked.
//!
//! What is watched is what the loader reads – the scenario and every file it names – and not a folder: the
//! same story saved again, or with another comment, runs nothing. It ends with the terminal's Ctrl-C.

use std::time::Duration;

use similar::ChangeTag;

use crate::report::line_diff;
use crate::scenario::Overrides;

use super::output::{Out, painted, plain, style};
use super::{Refusal, input};

/// How often files are read: soon enough for an eye that goes from the editor to the terminal.
const LOOKS: Duration = Duration::from_millis(300);

/// Shows what `run` prints, and what of it changes whenever one of these files does.
pub(crate) fn watch(
    files: &[String],
    overrides: &Overrides,
    out: &mut Out,
    mut run: impl FnMut() -> Result<String, Refusal>,
) -> Result<(), Refusal> {
    let mut before: Option<String> = None;
    while !out.closed() {
        let read = state(files, overrides);
        // What cannot be read is told by the command itself, on standard error; the last result stays for comparison.
        match run() {
            Ok(now) => {
                match &before {
                    None => out.text(&now),
                    Some(before) => out.text(&changes(before, &now)),
                }
                before = Some(now);
            }
            Err(refusal) => super::output::error(&refusal.text),
        }
        out.line(&format!("-- waiting for a change of {}; Ctrl-C ends --", files.join(", ")));
        while state(files, overrides) == read && !out.closed() {
            // No simulated clock here: this is the one wait for a person.
            std::thread::park_timeout(LOOKS);
        }
    }
    Ok(())
}

/// All that a run depends on, or what is wrong with it.
fn state(files: &[String], overrides: &Overrides) -> Vec<Result<String, String>> {
    files.iter().map(|file| input::load_one(file, overrides).map(|scenario| format!("{scenario:?}"))).collect()
}

/// The lines that came and went, with one around each.
fn changes(before: &str, now: &str) -> String {
    let mut text = String::new();
    for (place, hunk) in line_diff::hunks(before, now, 1).iter().enumerate() {
        if place > 0 {
            text.push_str("  …\n");
        }
        for (tag, line) in &hunk.lines {
            text.push_str(&match tag {
                ChangeTag::Equal => format!("  {line}\n"),
                // What changed has the colour of its change, and none of its own.
                ChangeTag::Insert => format!("{}\n", painted(style::ADDED, format!("+ {}", plain(line)))),
                ChangeTag::Delete => format!("{}\n", painted(style::REMOVED, format!("- {}", plain(line)))),
            });
        }
    }
    if text.is_empty() { "the same as before\n".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_told_with_a_line_around() {
        let before = "a\nb\nc\nd\ne\n";
        assert_eq!(changes(before, before), "the same as before\n");
        let told = plain(&changes(before, "a\nb\nc\nD\ne\n"));
        assert_eq!(told, "  c\n- d\n+ D\n  e\n");
    }
}
