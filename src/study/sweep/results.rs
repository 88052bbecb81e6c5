//! What is made of a folder's rows: summary, Pareto front, recommendation, plots, report.
//!
//! It reads `runs.csv` and the plan, so that a single run, a resumed one and merged shards end the same.

use std::fs::File;
use std::io::{BufReader, BufWriter};

use super::figures;
use super::folder::Folder;
use super::judge;
use super::judgement::Judgement;
use super::page;
use super::plan::Plan;
use super::{recommend, summary};

/// Judges the folder's rows and writes everything that follows from them.
///
/// # Errors
/// Rows that cannot be read, files that cannot be written.
pub fn finish(folder: &Folder, plan: &Plan) -> Result<Judgement, String> {
    let judgement = judged(folder, plan)?;
    folder.write("pareto.csv", &summary::pareto(plan, &judgement))?;
    folder.write("recommendation.txt", &recommend::recommendation(plan, &judgement))?;
    let figures = figures::figures(plan, &judgement, open(folder)?)?;
    for figure in &figures {
        folder.write(&format!("plots/{}.svg", figure.name), &figure.svg)?;
    }
    folder.write("report.html", &page::page(plan, &judgement, &figures))?;
    folder.complete(plan)?;
    Ok(judgement)
}

/// Judges the rows and writes `summary.csv`, as a whole or not at all.
///
/// # Errors
/// As above.
pub fn judged(folder: &Folder, plan: &Plan) -> Result<Judgement, String> {
    folder.fill("summary.csv", |file| judge::judge(plan, open(folder)?, &mut BufWriter::new(file)))
}

/// The folder's rows.
pub(super) fn open(folder: &Folder) -> Result<BufReader<File>, String> {
    let file = File::open(folder.runs()).map_err(|error| format!("cannot read `{}`: {error}", folder.runs().display()));
    file.map(BufReader::new)
}
