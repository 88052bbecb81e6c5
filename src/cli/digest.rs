//! `schedsim digest FILE…`: the digest of a trace that was written as JSON lines.
//!
//! It reads and prints; what is hashed is said in `trace::digest`.

use std::fs::File;
use std::io::BufReader;

use clap::Args;

use crate::trace::digest;

use super::output::Out;
use super::{Exit, Refusal};

/// Prints the digest of a trace that `run --trace FILE.jsonl` wrote: that of the run
#[derive(Args)]
pub(crate) struct DigestArgs {
    /// Traces as JSON lines; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

pub(crate) fn digest(args: &DigestArgs, out: &mut Out) -> Result<Exit, Refusal> {
    for file in &args.files {
        let digest = match file.as_str() {
            "-" => digest::of_lines(std::io::stdin().lock()),
            path => File::open(path)
                .map_err(|error| error.to_string())
                .and_then(|file| digest::of_lines(BufReader::new(file))),
        };
        let digest = digest.map_err(|why| Refusal::wrong(format!("`{file}` is no trace of JSON lines: {why}")))?;
        out.line(&format!("{digest}  {file}"));
    }
    Ok(Exit::Fine)
}
