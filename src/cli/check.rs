//! `schedsim check FILE…`: parses and validates without running.

use std::path::Path;

use crate::report::counted;
use crate::scenario::{Overrides, Scenario};
use crate::sim::config_warnings;
use crate::study::sweep::planning::{PlanOptions, Unplanned, plan_of};
use clap::Args;

use super::args::Look;
use super::input::Meant;
use super::output::{Out, painted, style};
use super::{Exit, Refusal, input, output};

/// Parses and validates scenarios and sweeps without running them
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// Scenario or sweep files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

pub(crate) fn check(args: &CheckArgs, look: &Look, out: &mut Out) -> Result<Exit, Refusal> {
    let mut exit = Exit::Fine;
    if args.files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(Refusal::wrong("standard input (`-`) can be read once only"));
    }
    for file in &args.files {
        let told = input::read_one(file, &Overrides::default()).and_then(|meant| match meant {
            Meant::Scenario(read) => {
                let scenario = *read.map_err(|wrong| wrong.render(true))?;
                let warnings = scenario.warnings.iter().cloned().chain(config_warnings(&scenario)).collect();
                Ok((summary(&scenario), warnings))
            }
            Meant::Sweep(text) => sweep(file, &text),
        });
        match told {
            Ok((summary, warnings)) => {
                warnings.iter().for_each(|warning| output::warning(&format!("{file}: {warning}")));
                if !look.quiet {
                    out.line(&format!("{file}: {} ({summary})", painted(style::GOOD, "ok")));
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

/// A sweep, planned: its summary and warnings, or the text to show.
fn sweep(file: &str, text: &str) -> Result<(String, Vec<String>), String> {
    let (name, path) = if file == "-" { ("stdin", Path::new("")) } else { (file, Path::new(file)) };
    let dir = path.parent().unwrap_or(Path::new(""));
    let error = painted(style::BAD, "error:");
    let (plan, _, warnings) =
        plan_of(text, name, dir, &PlanOptions::default()).map_err(|unplanned| match unplanned {
            Unplanned::Wrong(wrong) => wrong.render(true),
            Unplanned::Large(words) => format!("{error} {file}: {words}"),
        })?;
    let settings = counted(plan.settings.len(), "setting");
    let (cells, seeds, runs) = (plan.pairs().len(), plan.seed_count(), plan.runs());
    let (seeds, runs) = (counted(seeds, "seed"), counted(runs, "run"));
    let counts = format!("{settings} x {cells} scenarios and variants x {seeds}, {runs}");
    Ok((format!("this is a sweep file: {counts}; `schedsim sweep {file} --out DIR` runs it"), warnings))
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
