//! A pool controller of one's own: after crashes it waits 30 s, however many they were. Beside ours over stories:
//!
//! `cargo run --release --example own_pool -- scenarios/crashes scenarios/requests`

use std::path::{Path, PathBuf};
use std::rc::Rc;

use schedsim::kernel::SimDuration;
use schedsim::model::Field;
use schedsim::own::{
    Clock, Draft, Failure, Platform, Pool, PoolController, PoolId, Ports, Reconciler, Rules, Versioned,
};
use schedsim::report;
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;

/// Ours, but for how long it waits.
struct SteadyPool<P: Platform> {
    ours: PoolController<P>,
    clock: P::Clock,
}

impl<P: Platform> SteadyPool<P> {
    fn new(ports: Ports<P>, rules: Rc<Rules>) -> Self {
        Self { clock: ports.clock.clone(), ours: PoolController::new(ports, rules) }
    }
}

impl<P: Platform> Reconciler for SteadyPool<P> {
    type Entity = Pool;

    async fn reconcile(&self, pool: &Versioned<Pool>, work: &mut Draft<Pool>) -> Result<(), Failure> {
        let before = pool.entity.consecutive_crash_count;
        let done = self.ours.reconcile(pool, work).await;
        if work.consecutive_crash_count > before {
            work.cooldown_until = Some((self.clock.now() + SimDuration::from_secs(30)).floor_millis());
        }
        done
    }

    async fn deleted(&self, pool: PoolId) -> Result<(), Failure> {
        self.ours.deleted(pool).await
    }

    fn writes_zero(&self, field: Field) -> bool {
        self.ours.writes_zero(field)
    }
}

fn stories(path: &Path, found: &mut Vec<PathBuf>) {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| stories(&entry.path(), found)),
        Err(_) if path.extension().is_some_and(|ending| ending == "toml") => found.push(path.to_owned()),
        Err(_) => {}
    }
}

fn main() {
    let mut files = Vec::new();
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let asked = if asked.is_empty() { vec!["scenarios/crashes".to_owned()] } else { asked };
    asked.iter().for_each(|path| stories(Path::new(path), &mut files));
    files.sort();
    println!(
        "{:48} {:>14} {:>14} {:>14} {:>14}",
        "what differs: ours, then with 30 s each time", "boots", "", "recovery_s", ""
    );
    for file in files {
        // What is no scenario, like an app's config, is passed over.
        let Ok(scenario) = Scenario::from_file(&file, &Overrides::default()) else { continue };
        for variant in &scenario.variants {
            let ours = Simulation::new(&scenario, variant).run();
            let theirs = Simulation::new(&scenario, variant).pool_controller(SteadyPool::new).run();
            let told = |outcome| {
                let figures = report::figures(&scenario, outcome);
                ["boots_attempted", "recovery_s"].map(|name| figures.get(name).expect("a figure").to_string())
            };
            let ([boots, recovery], [boots_then, recovery_then]) = (told(&ours), told(&theirs));
            if (&boots, &recovery) != (&boots_then, &recovery_then) {
                let name = format!("{} @ {}", scenario.name, variant.name);
                println!("{name:48} {boots:>14} {boots_then:>14} {recovery:>14} {recovery_then:>14}");
            }
        }
    }
}
