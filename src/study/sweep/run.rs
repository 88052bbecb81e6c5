//! A part of a sweep, run: on all cores, each row kept as soon as its run is over.
//!
//! It knows plans, folders and runs; who watches may wrap each run and each row. What a
//! newcomer gets wrong: a scenario is parsed once for each setting and worker, not for each seed;
//! that is why the seeds of a setting stand next to each other in the order.

use super::folder::Folder;
use super::plan::{Key, Plan};
use super::planning::Stories;
use super::rows::{self, Measured};
use super::workers::run_all;
use crate::scenario::Scenario;

/// Somebody who watches a sweep.
pub trait Watcher: Sync {
    /// Wraps one run; must call it.
    fn around(&self, plan: &Plan, key: Key, run: &mut dyn FnMut()) {
        let _ = (plan, key);
        run();
    }
    /// Wraps the keeping of a run's row, in the order in which runs end; must call it.
    ///
    /// # Errors
    /// Those of the writing.
    fn writing(
        &self,
        plan: &Plan,
        key: Key,
        run: &Measured,
        write: &mut dyn FnMut() -> Result<(), String>,
    ) -> Result<(), String> {
        let _ = (plan, key, run);
        write()
    }
}

/// Nobody.
pub struct Nobody;
impl Watcher for Nobody {}

/// What a worker keeps: the scenario under the last setting.
type Cached = Option<((usize, usize), Scenario)>;

/// Runs what the folder lacks of its shard.
///
/// # Errors
/// A setting that a scenario refuses, or a full disk; finished rows are kept.
pub fn run(plan: &Plan, stories: &Stories, folder: &Folder, watcher: &dyn Watcher) -> Result<(), String> {
    let pairs = plan.pairs();
    let shard = folder.shard;
    let key = |nth: u64| plan.key(&pairs, shard.index(nth));
    let mut appender = folder.append()?;
    let missing = (folder.finished..shard.share(plan.runs())).filter(|nth| !folder.early.contains_key(nth));
    let work = |kept: &mut Cached, nth: u64| {
        let key = key(nth);
        let scenario = loaded(plan, stories, kept, key)?;
        let mut variant = scenario.variants[stories.variant(key)].clone();
        variant.seed = key.seed;
        let mut measured = None;
        watcher.around(plan, key, &mut || measured = Some(Measured::of(scenario, &variant)));
        let measured = measured.expect("a watcher makes the run");
        Ok::<_, String>((rows::row(plan, key, &measured), measured))
    };
    let oldest = appender.next();
    let keep = |nth: u64, (row, measured): (String, Measured)| {
        let mut oldest = 0;
        watcher.writing(plan, key(nth), &measured, &mut || {
            oldest = appender.row(nth, &row)?;
            Ok(())
        })?;
        Ok(oldest)
    };
    run_all(missing, oldest, work, keep)?;
    appender.close(&folder.runs())
}

fn loaded<'k>(plan: &Plan, stories: &Stories, kept: &'k mut Cached, key: Key) -> Result<&'k Scenario, String> {
    let wanted = (key.setting, key.scenario);
    if kept.as_ref().is_none_or(|(known, _)| *known != wanted) {
        let scenario = stories
            .load(key.scenario, plan.assignments(key.setting))
            .map_err(|problems| format!("{} cannot be used:\n{}", plan.words(key.setting), problems.render(true)))?;
        *kept = Some((wanted, scenario));
    }
    Ok(&kept.as_ref().expect("just loaded").1)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::study::sweep::folder::Shard;
    use crate::study::sweep::planning::{PlanOptions, plan_of};

    const STORY: &str = "schema = 1\nhorizon = \"1m\"\n\
        step = [{ at = \"0s\", do.deploy = { app = \"shop\", config = \"[services.worker.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1\" } }]\n";
    const SWEEP: &str = "schema = 1\nscenarios = [\"story.toml\"]\nseeds = \"0..40\"\n\
        baseline = [\"tuning.backoff.base=1s\"]\n\
        [[parameter]]\npath = \"tuning.backoff.base\"\nvalues = [\"2s\", \"3s\"]\n";

    /// The first run lasts until so many others are kept; then it looks at the folder.
    struct Slow<'a> {
        wanted: u64,
        kept: AtomicU64,
        look: &'a (dyn Fn() + Sync),
    }

    impl Watcher for Slow<'_> {
        fn around(&self, _: &Plan, key: Key, run: &mut dyn FnMut()) {
            if (key.setting, key.seed) == (0, 0) {
                // Should they wait for this one, it does not wait for ever.
                let patience = 0..20_000_000;
                patience.take_while(|_| self.kept.load(Ordering::SeqCst) < self.wanted).for_each(|_| {
                    std::thread::yield_now();
                });
                (self.look)();
            }
            run();
        }
        fn writing(
            &self,
            _: &Plan,
            _: Key,
            _: &Measured,
            write: &mut dyn FnMut() -> Result<(), String>,
        ) -> Result<(), String> {
            write()?;
            self.kept.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    /// Counts the runs that are made.
    #[derive(Default)]
    struct Count(AtomicU64);

    impl Watcher for Count {
        fn around(&self, _: &Plan, _: Key, run: &mut dyn FnMut()) {
            self.0.fetch_add(1, Ordering::SeqCst);
            run();
        }
    }

    fn copied(from: &Path, to: &Path) {
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }

    #[test]
    fn runs_that_end_before_a_slow_one_are_kept_at_once_and_a_kill_loses_none_of_them() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::write(root.join("story.toml"), STORY).unwrap();
        let (plan, stories, _) = plan_of(SWEEP, "test", root, &PlanOptions::default()).unwrap();
        let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let out = root.join("out");
        let look = || copied(&out, &root.join("killed"));
        let slow = Slow { wanted: 100, kept: AtomicU64::new(0), look: &look };
        let folder = Folder::open(&out, &plan, Shard::WHOLE, false).unwrap();
        threads.install(|| run(&plan, &stories, &folder, &slow)).unwrap();
        let whole = fs::read_to_string(out.join("runs.csv")).unwrap();
        assert_eq!(whole.lines().count(), 1 + 120);
        assert!(!out.join("runs.early").exists(), "every row is in its place");

        let killed = root.join("killed");
        let early = fs::read(killed.join("runs.early")).unwrap();
        let ends: Vec<usize> = (1..=early.len()).filter(|end| early[end - 1] == b'\n').collect();
        assert!(ends.len() >= 100, "only {} rows were kept while the first run went on", ends.len());
        // A kill leaves the file at any byte: in a row, at its end, in the number before it.
        for cut in [0, 1, 200, ends[0], ends[0] + 1, ends[49] - 1, early.len() - 1, early.len()] {
            let again = root.join(format!("cut at {cut}"));
            copied(&killed, &again);
            fs::write(again.join("runs.early"), &early[..cut]).unwrap();
            let kept = ends.iter().filter(|end| **end <= cut).count() as u64;
            let refused = Folder::open(&again, &plan, Shard::WHOLE, false).unwrap_err().to_string();
            assert!(refused.contains(&format!("holds {kept} of 120 runs")), "{refused}");
            let folder = Folder::open(&again, &plan, Shard::WHOLE, true).unwrap();
            let count = Count::default();
            threads.install(|| run(&plan, &stories, &folder, &count)).unwrap();
            assert_eq!(count.0.into_inner(), 120 - kept, "cut at {cut}");
            assert_eq!(fs::read_to_string(again.join("runs.csv")).unwrap(), whole, "cut at {cut}");
            assert!(!again.join("runs.early").exists());
        }
        // Rows that found their place before the kill are not there twice.
        fs::write(killed.join("runs.csv"), &whole).unwrap();
        let folder = Folder::open(&killed, &plan, Shard::WHOLE, true).unwrap();
        assert_eq!(folder.kept(), 120);
        run(&plan, &stories, &folder, &Count::default()).unwrap();
        drop(folder);
        assert_eq!(fs::read_to_string(killed.join("runs.csv")).unwrap(), whole);
        // And rows that somebody changed are no rows.
        fs::write(killed.join("runs.early"), "7,0,story,main,8,2s,\n").unwrap();
        let refused = Folder::open(&killed, &plan, Shard::WHOLE, true).unwrap_err().to_string();
        assert!(refused.contains("is no row of this sweep"), "{refused}");
    }
}
