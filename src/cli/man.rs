//! `schedsim man`: the manual page, of schedsim or of one of its commands.

use clap::{Args, CommandFactory};

use super::output::Out;
use super::{Cli, Exit, Refusal};

/// Prints the manual page: `schedsim man | man -l -`
#[derive(Args)]
pub(crate) struct ManArgs {
    /// The page of that command instead
    command: Option<String>,
}

pub(crate) fn man(args: &ManArgs, out: &mut Out) -> Result<Exit, Refusal> {
    let mut all = Cli::command();
    all.build();
    let command = match &args.command {
        None => all,
        Some(name) => {
            let known: Vec<_> = all.get_subcommands().map(|c| c.get_name().to_owned()).collect();
            let found = all.find_subcommand(name).cloned();
            let found = found.ok_or_else(|| {
                Refusal::wrong(format!("there is no command `{name}`; the commands are {}", known.join(", ")))
            })?;
            let page: &'static str = format!("schedsim-{}", found.get_name()).leak();
            found.name(page).version(env!("CARGO_PKG_VERSION"))
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Refusal::wrong(format!("cannot write the page: {error}")))?;
    out.text(&String::from_utf8_lossy(&page));
    Ok(Exit::Fine)
}
