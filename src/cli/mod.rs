//! The command line: what is asked for, and with which status the process ends.
//!
//! It may use everything and is used by nothing. Results go to standard output, progress and
//! diagnostics to standard error. What a newcomer gets wrong: status 1 always means that
//! something was run and came out otherwise than expected – a broken file is 2, a bug of ours 101.

mod args;
mod bisect;
mod check;
mod compare;
mod completions;
mod crash;
mod digest;
mod diverge;
mod expected;
mod explain;
mod file;
mod fixes;
mod input;
mod interrupt;
mod json;
mod man;
mod new;
mod output;
mod progress;
mod reproduce;
mod results;
mod review;
mod run;
mod schema;
mod signals;
mod snapshots;
mod story;
mod sweep;
mod test;
mod text;
mod view;
mod watch;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use args::Look;
use output::Out;

/// Replays what happened in a container scheduler: same file, same seed, same bytes.
#[derive(Parser)]
#[command(name = "schedsim", version, arg_required_else_help = true)]
#[command(after_help = STATUSES)]
struct Cli {
    #[command(flatten)]
    look: Look,
    #[command(subcommand)]
    command: Command,
}

const STATUSES: &str = "\
Exit status: 0 all as expected; 1 an expectation, snapshot or invariant failed; 2 the command line
or an input file is wrong; 4 nothing matched; 75 another process writes there; 101 a bug in schedsim; 130 interrupted.";

#[derive(Subcommand)]
enum Command {
    New(new::NewArgs),
    Run(run::RunArgs),
    Explain(explain::ExplainArgs),
    View(view::ViewArgs),
    Test(test::TestArgs),
    Review(review::ReviewArgs),
    Check(check::CheckArgs),
    Compare(compare::CompareArgs),
    Bisect(bisect::BisectArgs),
    Sweep(sweep::SweepArgs),
    Fixes(fixes::FixesArgs),
    Digest(digest::DigestArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// How the process ends, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// All as expected.
    Fine,
    /// An expectation, snapshot or invariant failed.
    Failed,
    /// Nothing matched what was asked for.
    NothingMatched,
    /// The command line or an input file is wrong.
    Wrong,
    /// Another process is in the way; later it may not be.
    Busy,
    /// A bug in schedsim.
    Bug,
}

impl Exit {
    const fn status(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Wrong => 2,
            Self::NothingMatched => 4,
            // "Temporary failure" of sysexits.h.
            Self::Busy => 75,
            Self::Bug => 101,
        }
    }
}

/// Why a command did not do what was asked: the status, and what to print to standard error.
#[derive(Debug)]
struct Refusal {
    exit: Exit,
    text: String,
}

impl Refusal {
    /// The command line or an input file is wrong.
    fn wrong(text: impl Into<String>) -> Self {
        Self { exit: Exit::Wrong, text: text.into() }
    }

    /// Nothing matched.
    fn nothing(text: impl Into<String>) -> Self {
        Self { exit: Exit::NothingMatched, text: text.into() }
    }
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    crash::install();
    let cli = parsed();
    cli.look.apply();
    let mut out = Out::stdout();
    let done = match &cli.command {
        Command::New(args) => new::new(args, &cli.look, &mut out),
        Command::Run(args) => run::run(args, &cli.look, &mut out),
        Command::Explain(args) => explain::explain(args, &cli.look, &mut out),
        Command::View(args) => view::view(args, &cli.look),
        Command::Test(args) => test::test(args, &cli.look, &mut out),
        Command::Review(args) => review::review(args, &cli.look, &mut out),
        Command::Check(args) => check::check(args, &cli.look, &mut out),
        Command::Compare(args) => compare::run(args, &cli.look, &mut out),
        Command::Bisect(args) => bisect::run(args, &cli.look, &mut out),
        Command::Sweep(args) => sweep::run(args, &cli.look, &mut out),
        Command::Fixes(args) => fixes::fixes(args, &mut out),
        Command::Digest(args) => digest::digest(args, &mut out),
        Command::Schema(args) => schema::schema(args, &mut out),
        Command::Completions(args) => completions::completions(args, &mut out),
        Command::Man(args) => man::man(args, &mut out),
    };
    let exit = done.and_then(|exit| out.finish().map(|()| exit)).unwrap_or_else(|refusal| {
        output::error(&refusal.text);
        refusal.exit
    });
    ExitCode::from(exit.status())
}

/// The command line; what is wrong with it is told in the colours that it asks for itself.
fn parsed() -> Cli {
    let words: Vec<_> = std::env::args_os().collect();
    let command = Cli::command().color(args::color_of(&words));
    let foreign = words.iter().find(|word| word.to_str().is_none()).map(|word| word.display().to_string());
    let parsed = command.try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
    let printed = |error: &clap::Error| match foreign.as_ref().filter(|_| error.kind() == ErrorKind::InvalidUtf8) {
        Some(word) => {
            output::error(&format!("`{word}` is not UTF-8; a file of that name is found by its folder"));
            Ok(())
        }
        None => error.print(),
    };
    parsed.unwrap_or_else(|error| match printed(&error) {
        // A help that nobody could be shown is no success.
        Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => {
            output::error(&format!("cannot write the result: {failed}"));
            std::process::exit(i32::from(Exit::Wrong.status()))
        }
        _ => std::process::exit(error.exit_code()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_worst_status_wins() {
        assert!(Exit::Bug > Exit::Wrong && Exit::Wrong > Exit::Failed && Exit::Failed > Exit::Fine);
        assert_eq!([Exit::Fine, Exit::Failed].into_iter().max(), Some(Exit::Failed));
    }
}
