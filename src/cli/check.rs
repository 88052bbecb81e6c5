//! `schedsim check FILE…`: parses and validates without running.

use clap::Args;
use schedsim::scenario::{Overrides, Scenario};

use super::args::Look;
use super::output::{Out, painted, style};
use super::{Exit, Refusal, input, output};

/// Parses and validates scenarios without running them
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// Scenario files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

pub(crate) fn check(args: &CheckArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let mut exit = Exit::Fine;
    if args.files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(Refusal::wrong("standard input (`-`) can be read once only"));
    }
    for file in &args.files {
        match input::load_one(file, &Overrides::default()) {
            Ok(scenario) => {
                scenario.warnings.iter().for_each(|warning| output::warning(&format!("{file}: {warning}")));
                if !look.quiet {
                    out.line(&format!("{file}: {} ({})", painted(style::GOOD, "ok"), summary(&scenario)));
                }
            }
            Err(text) => {
                output::note(text.trim_end());
                exit = Exit::Wrong;
            }
        }
    }
    Ok(exit)
}

fn summary(scenario: &Scenario) -> String {
    let counts = [
        (scenario.variants.len(), "variant"),
        (scenario.steps.len(), "step"),
        (scenario.traffic.len(), "stream of traffic"),
        (scenario.faults.len(), "fault"),
        (scenario.warnings.len(), "warning"),
    ];
    let told = counts.iter().enumerate().filter(|(place, (n, _))| *place < 2 || *n > 0);
    told.map(|(_, (n, what))| counted(*n, what)).collect::<Vec<_>>().join(", ")
}

/// `1 step`, `2 steps`, `2 streams of traffic`.
pub(crate) fn counted(n: usize, what: &str) -> String {
    match (n, what.split_once(' ')) {
        (1, _) => format!("1 {what}"),
        (_, None) => format!("{n} {what}s"),
        (_, Some((head, rest))) => format!("{n} {head}s {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_people_say_them() {
        for (n, what, text) in
            [(0, "step", "0 steps"), (1, "step", "1 step"), (2, "stream of traffic", "2 streams of traffic")]
        {
            assert_eq!(counted(n, what), text);
        }
    }
}
