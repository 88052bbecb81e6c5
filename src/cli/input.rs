//! Reading the scenarios that a command names; `-` is standard input.
//!
//! It knows files, not what a command does with them.

use std::io::Read;
use std::path::Path;

use crate::scenario::{Diagnostics, Overrides, Scenario};
use crate::study::sweep::file::SweepFile;

use super::output::{painted, style};
use super::{Exit, Refusal, output};

/// A scenario, and the file as the user named it.
pub(crate) struct Loaded {
    /// As on the command line; `-` for standard input.
    pub(crate) file: String,
    pub(crate) scenario: Scenario,
}

/// Standard input is read to this size; the loader refuses files of that size with its own words.
const STDIN_MAX: u64 = 64 << 20;
/// A larger file is no sweep.
const SWEEP_MAX: u64 = 16 << 20;

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

/// What a file was meant to be.
pub(crate) enum Meant {
    Scenario(Result<Box<Scenario>, Diagnostics>),
    Sweep(String),
}

/// Reads one; the error is the text to show.
pub(crate) fn load_one(file: &str, overrides: &Overrides) -> Result<Scenario, String> {
    match read_one(file, overrides)? {
        Meant::Scenario(read) => read.map(|scenario| *scenario).map_err(|wrong| wrong.render(true)),
        Meant::Sweep(_) => Err(no_scenario(file)),
    }
}

/// What to say of a sweep file where a scenario is wanted.
fn no_scenario(file: &str) -> String {
    format!(
        "{} `{file}` is a sweep file, not a scenario\n  `schedsim sweep {file} --out DIR` runs it, \
         `schedsim check {file}` looks whether that can be done",
        painted(style::BAD, "error:")
    )
}

/// What is wrong with a file that could not be read as a scenario.
pub(crate) fn why_unreadable(file: &str, diagnostics: &Diagnostics) -> String {
    match small_file(file).filter(|text| SweepFile::is_meant_by(text)) {
        Some(_) => no_scenario(file),
        None => diagnostics.render(true),
    }
}

/// Reads one, whatever it was meant to be; the error is that it cannot be read at all.
pub(crate) fn read_one(file: &str, overrides: &Overrides) -> Result<Meant, String> {
    let (read, text) = if file == "-" {
        let text = stdin()?;
        (Scenario::from_text(&text, "stdin", Some(Path::new("")), overrides), Some(text))
    } else {
        let read = Scenario::from_file(Path::new(file), overrides);
        let text = if read.is_ok() { None } else { small_file(file) };
        (read, text)
    };
    Ok(match text.filter(|text| read.is_err() && SweepFile::is_meant_by(text)) {
        Some(text) => Meant::Sweep(text),
        None => Meant::Scenario(read.map(Box::new)),
    })
}

/// The text of a file that is one, and no larger than a sweep can be.
fn small_file(file: &str) -> Option<String> {
    let there = std::fs::metadata(file).ok().filter(|there| there.is_file() && there.len() <= SWEEP_MAX);
    there.and_then(|_| std::fs::read_to_string(file).ok())
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
