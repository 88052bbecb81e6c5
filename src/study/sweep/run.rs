//! A part of a sweep, run: on all cores, its rows appended in order.
//!
//! It knows plans, folders and runs; who watches may wrap each run and each row. What a
//! newcomer gets wrong: a scenario is parsed once for each setting and worker, not for each seed;
//! that is why the seeds of a setting stand next to each other in the order.

use super::folder::Folder;
use super::ordered::ordered;
use super::plan::{Key, Plan, Stories};
use super::rows::{self, Measured};
use crate::scenario::Scenario;

/// Somebody who watches a sweep.
pub trait Watcher: Sync {
    /// Wraps one run; must call it.
    fn around(&self, plan: &Plan, key: Key, run: &mut dyn FnMut()) {
        let _ = (plan, key);
        run();
    }
    /// Wraps the writing of a run's row; must call it.
    ///
    /// # Errors
    /// Those of the writing.
    fn writing(&self, key: Key, run: &Measured, write: &mut dyn FnMut() -> Result<(), String>) -> Result<(), String> {
        let _ = (key, run);
        write()
    }
}

/// Nobody.
pub struct Nobody;
impl Watcher for Nobody {}

/// What a worker keeps: the scenario under the last setting.
type Kept = Option<((usize, usize), Scenario)>;

/// Runs what the folder lacks of its shard.
///
/// # Errors
/// A setting that a scenario refuses, or a full disk; finished rows are kept.
pub fn run(plan: &Plan, stories: &Stories, folder: &Folder, watcher: &dyn Watcher) -> Result<(), String> {
    let pairs = plan.pairs();
    let shard = folder.shard;
    let missing = shard.share(plan.runs()) - folder.finished;
    let mut appender = folder.append()?;
    let key = |nth: u64| plan.key(&pairs, shard.index(folder.finished + nth));
    let work = |kept: &mut Kept, nth: u64| {
        let key = key(nth);
        let scenario = loaded(plan, stories, kept, key)?;
        let mut variant = scenario.variants[stories.variant(key)].clone();
        variant.seed = key.seed;
        let mut measured = None;
        watcher.around(plan, key, &mut || measured = Some(Measured::of(scenario, &variant)));
        let measured = measured.expect("a watcher makes the run");
        Ok((rows::row(plan, key, &measured), measured))
    };
    ordered(missing, work, |nth, (row, measured)| watcher.writing(key(nth), &measured, &mut || appender.row(&row)))
}

fn loaded<'k>(plan: &Plan, stories: &Stories, kept: &'k mut Kept, key: Key) -> Result<&'k Scenario, String> {
    let wanted = (key.setting, key.scenario);
    if kept.as_ref().is_none_or(|(known, _)| *known != wanted) {
        let scenario = stories
            .load(key.scenario, plan.assignments(key.setting))
            .map_err(|problems| format!("{} cannot be used:\n{problems}", plan.words(key.setting)))?;
        *kept = Some((wanted, scenario));
    }
    Ok(&kept.as_ref().expect("just loaded").1)
}
