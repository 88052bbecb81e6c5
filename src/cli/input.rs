//! Reading the scenarios that a command names; `-` is standard input.
//!
//! It knows files, not what a command does with them. What a newcomer gets wrong: all problems
//! of all files are told before anything runs, so that nothing is half done.

use std::io::Read;
use std::path::Path;

use schedsim::scenario::{Overrides, Scenario};

use super::{Exit, Refusal, output};

/// A scenario, and the file as the user named it.
pub(crate) struct Loaded {
    /// As on the command line; `-` for standard input.
    pub(crate) file: String,
    /// What it holds.
    pub(crate) scenario: Scenario,
}

/// Standard input is read to this size; the loader refuses files of that size with its own words.
const STDIN_MAX: u64 = 64 << 20;

/// Reads all of them, or says on standard error what is wrong with each.
pub(crate) fn load(files: &[String], overrides: &Overrides) -> Result<Vec<Loaded>, Refusal> {
    if files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(Refusal::wrong("standard input (`-`) can be read once only"));
    }
    let mut loaded = Vec::new();
    let mut broken = 0;
    for file in files {
        match load_one(file, overrides) {
            Ok(scenario) => loaded.push(Loaded { file: file.clone(), scenario }),
            Err(text) => {
                output::note(text.trim_end());
                broken += 1;
            }
        }
    }
    match broken {
        0 => Ok(loaded),
        1 if files.len() == 1 => Err(Refusal::wrong(format!("`{}` cannot be used", files[0]))),
        n => Err(Refusal { exit: Exit::Wrong, text: format!("{n} of {} files cannot be used", files.len()) }),
    }
}

/// Reads one; the error is the text to show.
pub(crate) fn load_one(file: &str, overrides: &Overrides) -> Result<Scenario, String> {
    if file == "-" {
        let text = stdin()?;
        return Scenario::from_text(&text, "stdin", Some(Path::new("")), overrides).map_err(|d| d.render(true));
    }
    Scenario::from_file(Path::new(file), overrides).map_err(|d| d.render(true))
}

/// All of standard input; the error is the text to show.
pub(crate) fn stdin() -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(STDIN_MAX).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot read standard input: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        format!("standard input is not UTF-8: the first {} bytes are", error.utf8_error().valid_up_to())
    })
}
