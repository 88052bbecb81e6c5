//! `schedsim completions SHELL`: a completion script for the shell.
//!
//! Names that are texts on the command line – so that a typo gets a hint of ours – are completed as what they
//! are: fixes, their days, invariants. What only a file knows, like its variants, is not completed.

use clap::builder::PossibleValuesParser;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

use super::output::Out;
use super::{Cli, Exit, Refusal};
use crate::controllers::fixes::{Day, Fix};
use crate::scenario::Invariant;

/// Prints a completion script for a shell
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn completions(args: &CompletionsArgs, out: &mut Out) -> Result<Exit, Refusal> {
    let mut command = Cli::command();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, with_names);
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "schedsim", &mut script);
    out.text(&String::from_utf8_lossy(&script));
    Ok(Exit::Fine)
}

/// The command, which knows the names that some of its arguments take.
fn with_names(command: Command) -> Command {
    let fixes = || Fix::ALL.iter().map(|fix| fix.name().to_owned()).collect::<Vec<_>>();
    let landed = Fix::ALL.iter().map(|fix| fix.info().day).filter(|day| *day != Day::PROPOSED);
    let mut days: Vec<String> =
        landed.map(|day| day.to_string()).chain(["current", "proposed"].map(str::to_owned)).collect();
    days.sort_unstable();
    days.dedup();
    let invariants = Invariant::ALL.iter().map(|invariant| invariant.name().to_owned()).collect();
    let known = [("with", fixes()), ("without", fixes()), ("as_of", days), ("violation", invariants)];
    known.into_iter().fold(command, |command, (id, names)| {
        let taken = command.get_arguments().any(|arg| arg.get_id() == id);
        if taken { command.mut_arg(id, |arg| arg.value_parser(PossibleValuesParser::new(names))) } else { command }
    })
}
