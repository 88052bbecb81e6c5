//! Arguments that several commands share, and the types that parse them.
//!
//! It knows how things are written on a command line and nothing of what they do. What a
//! newcomer gets wrong: everything here that changes the outcome of a run must also be in
//! [`Logic::words`], or the line that reproduces a failure reproduces something else.

use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use crate::kernel::{SimDuration, SimTime};
use crate::scenario::Overrides;
use clap::{ArgAction, Args, ValueEnum};

/// How results look.
#[derive(Args)]
pub(crate) struct Look {
    /// Colour; `auto`: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: ColorArg,
    /// Print more
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Print less
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ColorArg {
    Auto,
    Always,
    Never,
}

impl Look {
    /// Tells both output streams.
    pub(crate) fn apply(&self) {
        let choice = match self.color {
            ColorArg::Auto => anstream::ColorChoice::Auto,
            ColorArg::Always => anstream::ColorChoice::Always,
            ColorArg::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }

    /// Whether there is colour on standard output.
    pub(crate) fn has_colour(&self) -> bool {
        anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
    }
}

/// The colours that `--color` asks for, read before there is a command line that makes sense.
pub(crate) fn color_of(words: &[OsString]) -> clap::ColorChoice {
    let value = |index: usize| match words[index].to_str()? {
        "--color" => words.get(index + 1)?.to_str(),
        word => word.strip_prefix("--color="),
    };
    let options = words.iter().position(|word| word == "--").unwrap_or(words.len());
    match (1..options).rev().find_map(value) {
        Some("never") => clap::ColorChoice::Never,
        Some("always") => clap::ColorChoice::Always,
        _ => clap::ColorChoice::Auto,
    }
}

/// For whom a result is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; no API
    Text,
    /// For programs; has a schema number
    Json,
}

/// Which logic a story runs under, when not the file's own.
#[derive(Args, Default)]
#[command(next_help_heading = "Logic")]
pub(crate) struct Logic {
    /// The seed of all draws, instead of the file's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// One run for each of these seeds; B is the first that is left out
    #[arg(long, value_name = "A..B", conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,
    /// The fixes in force at the end of that day; also `current` and `proposed`
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<String>,
    /// …plus this one (repeatable)
    #[arg(long, value_name = "FIX")]
    pub(crate) with: Vec<String>,
    /// …minus this one (repeatable)
    #[arg(long, value_name = "FIX")]
    pub(crate) without: Vec<String>,
    /// Another value for a field of the file, like `tuning.backoff.base=5s` (repeatable)
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// Ends the run there; expectations are checked only when that is not before the horizon
    #[arg(long, value_name = "T", value_parser = instant)]
    pub(crate) until: Option<SimTime>,
}

impl Logic {
    /// As the scenario loader takes it.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            set: self.set.clone(),
            seed: self.seed,
            as_of: self.as_of.clone(),
            with: self.with.clone(),
            without: self.without.clone(),
        }
    }

    /// The words that bring the same logic about, but for the seed.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut push = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
        self.as_of.iter().for_each(|day| push("--as-of", day));
        self.with.iter().for_each(|fix| push("--with", fix));
        self.without.iter().for_each(|fix| push("--without", fix));
        self.set.iter().for_each(|(path, value)| push("--set", &format!("{path}={value}")));
        self.until.iter().for_each(|until| push("--until", &until.to_string()));
        words
    }
}

/// `A..B`: the seeds from A up to, and without, B.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) Range<u64>);

impl FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write two numbers like \"0..100\" (100 is the first that is left out)";
        let (from, to) = text.split_once("..").ok_or(hint)?;
        if to.starts_with('=') {
            return Err(format!("the range is half-open: {hint}"));
        }
        let number = |part: &str| part.parse::<u64>().map_err(|_| format!("`{part}` is no seed; {hint}"));
        let (from, to) = (number(from)?, number(to)?);
        if from >= to { Err(format!("no seed lies in it; {hint}")) } else { Ok(Self(from..to)) }
    }
}

/// A file that a browser shows.
pub(crate) fn page_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|ending| ending == "html") {
        Ok(path)
    } else {
        Err("a report is a page for browsers: its name ends in `.html`".to_owned())
    }
}

pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => Ok((path.trim().to_owned(), value.to_owned())),
        _ => Err("write PATH=VALUE, like \"tuning.backoff.base=5s\"".to_owned()),
    }
}

fn instant(text: &str) -> Result<SimTime, String> {
    let after = text.parse::<SimDuration>().map_err(|error| error.to_string())?;
    if after.is_zero() {
        return Err("a run that ends at its start shows nothing".to_owned());
    }
    Ok(SimTime::ZERO + after)
}

/// The words as one line that a shell reads as these words.
pub(crate) fn shell_line(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted = words.into_iter().map(|word| quote(word.as_ref()));
    quoted.collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-@=:,%+".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_is_half_open_and_not_empty() {
        assert_eq!("3..5".parse(), Ok(Seeds(3..5)));
        for text in ["5..3", "3..3", "3", "..5", "3..", "a..b", "1..=3", "-1..3", "1...3"] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_assignment_keeps_what_follows_the_first_equals_sign() {
        assert_eq!(assignment("a.b=c=d"), Ok(("a.b".into(), "c=d".into())));
        assert_eq!(assignment("a="), Ok(("a".into(), String::new())));
        for text in ["a", "=b", " =b"] {
            assert!(assignment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_for_the_shell_is_quoted_where_it_must_be() {
        let line = shell_line(["schedsim", "run", "a b.toml", "it's", "", "--set", "tuning.x=5s", "$HOME"]);
        assert_eq!(line, r"schedsim run 'a b.toml' 'it'\''s' '' --set tuning.x=5s '$HOME'");
    }

    #[test]
    fn every_part_of_the_logic_is_in_the_line_that_reproduces_it() {
        let logic = Logic {
            seed: Some(7),
            seeds: None,
            as_of: Some("2026-03-11".into()),
            with: vec!["a".into(), "b".into()],
            without: vec!["c".into()],
            set: vec![("tuning.x".into(), "5s".into())],
            until: Some(SimTime::ZERO + SimDuration::from_secs(90)),
        };
        let line = shell_line(logic.words());
        assert_eq!(line, "--as-of 2026-03-11 --with a --with b --without c --set tuning.x=5s --until 1m30s");
    }
}
