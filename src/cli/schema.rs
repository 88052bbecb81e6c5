//! `schedsim schema`: the format of scenario and sweep files, for editors.

use crate::scenario;
use crate::study::sweep;
use clap::{Args, ValueEnum};

use super::output::Out;
use super::{Exit, Refusal, json};

/// Prints the JSON Schema of a scenario or sweep file, for editors
#[derive(Args)]
pub(crate) struct SchemaArgs {
    /// Of which file
    #[arg(value_enum, default_value = "scenario", value_name = "FILE")]
    of: Of,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// What `run`, `test` and most others read
    Scenario,
    /// What `sweep` reads
    Sweep,
}

pub(crate) fn schema(args: &SchemaArgs, out: &mut Out) -> Result<Exit, Refusal> {
    let schema = match args.of {
        Of::Scenario => scenario::json_schema(),
        Of::Sweep => sweep::json_schema(),
    };
    out.text(&json::pretty(&schema));
    Ok(Exit::Fine)
}
