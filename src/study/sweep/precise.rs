//! More seeds until the objectives are precise.
//!
//! Rounds of seeds, each in a file of its own below `rounds/`; after each, all rows are joined in the
//! order that a sweep of so many seeds would have had, and judged. The size of a round follows from
//! the rows alone, so a resumed sweep takes the same path. What a newcomer gets wrong: the end is
//! byte for byte the sweep over the seeds that it ended with, whatever the rounds were.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use super::finish;
use super::folder::{Folder, PLAN, RUNS, Shard, join, plan_text};
use super::judge;
use super::plan::{Plan, Stories};
use super::run::{self, Watcher};

/// No more seeds than this are added; what is not precise by then is said.
const SEEDS_MAX: u64 = 10_000;
/// Where the rounds are, until the end.
const ROUNDS: &str = "rounds";
/// A round multiplies the seeds by four at most.
const GROWTH_MAX: u64 = 4;

/// What a round came to.
pub struct Round {
    /// The seeds so far.
    pub seeds: u64,
    /// The seeds that the least precise objective would need; none: all are precise.
    pub needed: Option<u64>,
    /// The wanted precision.
    pub precision: f64,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, precision, .. } = self;
        let percent = precision * 100.0;
        match self.needed {
            None => write!(f, "{seeds} seeds: every objective is precise to {percent} %"),
            Some(needed) if *seeds >= SEEDS_MAX => {
                write!(
                    f,
                    "{seeds} seeds: not precise to {percent} % (that would need about {needed}); this is the limit"
                )
            }
            Some(needed) => write!(f, "{seeds} seeds: not yet precise to {percent} % (that needs about {needed})"),
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
) -> Result<(Plan, Folder), String> {
    // Rows of a sweep that chooses its seeds are not to be mixed with those of one that does not.
    let mark = format!("{} until {precision}", plan.digest);
    let plan = &Plan { digest: format!("b3:{}", blake3::hash(mark.as_bytes()).to_hex()), ..plan.clone() };
    let rounds = dir.join(ROUNDS);
    let tidy = || match fs::remove_dir_all(&rounds) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("cannot tidy up: {error}")),
        Ok(()) | Err(_) => Ok(()),
    };
    let mut tell = |plan: &Plan, folder: &Folder| {
        let judgement = finish::judged(folder, plan)?;
        let needed = judge::seeds_for(plan, &judgement, precision);
        told(&Round { seeds: plan.seed_count(), needed, precision });
        Ok::<_, String>(needed)
    };
    if resume && let Some(reached) = Folder::complete_plan(dir, &plan.digest)? {
        let whole = Folder::open(dir, &reached, Shard::WHOLE, true)?;
        tidy()?;
        tell(&reached, &whole)?;
        return Ok((reached, whole));
    }
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
        let folder = Folder::open(&below, &part, Shard::WHOLE, resume)?;
        run::run(&part, stories, &folder, &*begun(&part, &folder))?;
        folder.complete(&part)?;
        parts.push((folder.runs(), upto - from));
        drop(folder);
        let so_far = Plan { seeds: (first, upto), ..plan.clone() };
        let path = joint.runs();
        let file = File::create(&path).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
        join(&so_far, &parts, &mut BufWriter::new(file))?;
        let seeds = so_far.seed_count();
        let needed = tell(&so_far, &joint)?;
        match needed {
            Some(needed) if seeds < SEEDS_MAX => {
                // A little more than is needed, for the estimate of it is uncertain, too.
                let next = (needed + needed / 10 + 1).clamp(seeds + 1, (seeds * GROWTH_MAX).min(SEEDS_MAX));
                (from, upto) = (upto, first + next);
            }
            _ => {
                whole.write(PLAN, &plan_text(&so_far))?;
                fs::rename(&path, whole.runs()).map_err(|error| format!("cannot tidy up: {error}"))?;
                // From here on the folder needs no rounds: a kill before this loses none of them.
                whole.complete(&so_far)?;
                tidy()?;
                return Ok((so_far, whole));
            }
        }
    }
}
