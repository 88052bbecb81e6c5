//! More seeds until the objectives are precise.
//!
//! Rounds of seeds, each in a file of its own below `rounds/`; after each, all rows are joined in the order
//! that a sweep of so many seeds would have had, and judged. The size of a round follows from the rows alone,
//! so a resumed sweep takes the same path.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::folder::{Closed, Folder, PLAN, RUNS, Shard, join, plan_text};
use super::judge;
use super::plan::{Plan, digest};
use super::planning::Stories;
use super::recommend::seeds_words;
use super::results;
use super::run::{self, Watcher};
use super::stats::Needed;

/// No more seeds than this are added; what is not precise by then is said.
const SEEDS_MAX: u64 = 10_000;
/// Where the rounds are, until the end.
const ROUNDS: &str = "rounds";
/// A round multiplies the seeds by four at most.
const GROWTH_MAX: u64 = 4;

/// What a round came to.
pub struct Round {
    pub seeds: u64,
    /// The seeds that the least precise objective needs; none: no objective has intervals.
    pub needed: Option<Needed>,
    pub precision: f64,
}

impl Round {
    /// How many seeds there must be; none: these are enough.
    fn lacks(&self) -> Option<u64> {
        self.needed.map(|needed| needed.seeds).filter(|needed| *needed > self.seeds)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, precision, needed } = self;
        let percent = precision * 100.0;
        match (needed, self.lacks()) {
            (None, _) => write!(f, "{seeds} seeds: no objective has an interval that seeds could narrow"),
            (_, None) => write!(f, "{seeds} seeds: every objective is precise to {percent} %"),
            (Some(needed), Some(_)) => {
                let limit = if *seeds >= SEEDS_MAX { "; this is the limit" } else { "" };
                write!(f, "{seeds} seeds: not yet precise to {percent} %: that needs {}{limit}", seeds_words(*needed))
            }
        }
    }
}

/// Somebody to watch the runs of a round.
pub type Begun<'a> = dyn Fn(&Plan, &Folder) -> Box<dyn Watcher> + 'a;

/// Widens a sweep until it is precise; answers the plan that it came to, and the folder with its rows.
///
/// # Errors
/// As running and judging.
pub fn widen(
    plan: &Plan,
    stories: &Stories,
    dir: &Path,
    resume: bool,
    precision: f64,
    begun: &Begun<'_>,
    told: &mut dyn FnMut(&Round),
) -> Result<(Plan, Folder), Closed> {
    let rounds = dir.join(ROUNDS);
    let mut tell = |plan: &Plan, folder: &Folder| {
        let judgement = results::judged(folder, plan)?;
        let needed = judge::seeds_for(plan, &judgement, precision).map(|asked| asked.needed);
        let round = Round { seeds: plan.seed_count(), needed, precision };
        told(&round);
        Ok::<_, String>(round.lacks().filter(|_| round.seeds < SEEDS_MAX))
    };
    let reached = Folder::complete_plan(dir)?;
    if let Some(reached) = reached.filter(|reached| *reached == plan.over(reached.seeds)) {
        let whole = Folder::open(dir, &reached, Shard::WHOLE, resume)?;
        tidy(&rounds)?;
        if tell(&reached, &whole)?.is_none() {
            return Ok((reached, whole));
        }
        let (shown, seeds) = (dir.display(), reached.seed_count());
        return Err(Closed::Wrong(format!(
            "`{shown}` holds this sweep, complete, with {seeds} seeds, which are not that precise; choose another folder"
        )));
    }
    // Until the seeds are chosen its rows are not to be mixed with those of a sweep whose seeds are.
    let mark = format!("{} until {precision}", plan.digest);
    let sought = plan;
    let plan = &Plan { digest: digest(mark.as_bytes()), ..plan.clone() };
    let lock = Folder::lock(dir, plan, Shard::WHOLE)?;
    if resume && rounds.exists() {
        // Killed between the last round and the end: the rounds know better.
        let _ = fs::remove_file(dir.join(RUNS));
    }
    let whole = Folder::locked(lock, dir, plan, Shard::WHOLE, resume)?;
    let joint = Folder::whole(&rounds);
    let first = plan.seeds.0;
    let mut parts = Vec::new();
    let mut from = first;
    let mut upto = plan.seeds.1;
    loop {
        let part = Plan { seeds: (from, upto), ..plan.clone() };
        let below = rounds.join(format!("{}", parts.len() + 1));
        parts.push((ran(&part, stories, &below, resume, begun)?, upto - from));
        let so_far = Plan { seeds: (first, upto), ..plan.clone() };
        let path = joint.runs();
        let file = File::create(&path).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
        join(&so_far, &parts, &mut BufWriter::new(file))?;
        let seeds = so_far.seed_count();
        let Some(needed) = tell(&so_far, &joint)? else { break };
        // A little more than is needed, for the estimate of it is uncertain, too.
        let next = (needed + needed / 10 + 1).clamp(seeds + 1, (seeds * GROWTH_MAX).min(SEEDS_MAX));
        (from, upto) = (upto, first + next);
    }
    let reached = sought.over((first, upto));
    whole.write(PLAN, &plan_text(&reached))?;
    fs::rename(joint.runs(), whole.runs()).map_err(|error| format!("cannot tidy up: {error}"))?;
    // From here on the folder needs no rounds: a kill before this loses none of them.
    whole.complete(&reached)?;
    tidy(&rounds)?;
    Ok((reached, whole))
}

/// Runs one round in a folder of its own; answers the file of its rows.
fn ran(part: &Plan, stories: &Stories, below: &Path, resume: bool, begun: &Begun<'_>) -> Result<PathBuf, Closed> {
    let folder = Folder::open(below, part, Shard::WHOLE, resume)?;
    run::run(part, stories, &folder, &*begun(part, &folder))?;
    folder.complete(part)?;
    Ok(folder.runs())
}

/// Removes the rounds, if there are any.
fn tidy(rounds: &Path) -> Result<(), String> {
    match fs::remove_dir_all(rounds) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("cannot tidy up: {error}")),
        Ok(()) | Err(_) => Ok(()),
    }
}
