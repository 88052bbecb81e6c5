//! `schedsim completions SHELL`: a completion script for the shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::Out;
use super::{Cli, Exit, Refusal};

/// Prints a completion script for a shell
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn completions(args: &CompletionsArgs, out: &mut Out) -> Result<Exit, Refusal> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "schedsim", &mut script);
    out.text(&String::from_utf8_lossy(&script));
    Ok(Exit::Fine)
}
