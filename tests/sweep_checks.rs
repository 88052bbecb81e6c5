//! What sweeps measure, held against what can be computed by hand.
//!
//! Closed forms check the machine: the times of all boots of a permanent crash, and the mean recovery
//! from an outage. Common random numbers are checked draw by draw. What a newcomer gets wrong: these
//! tests use the scheduler with its proposed fixes, for today's resets the crash count every minute.

use std::collections::BTreeMap;

use schedsim::kernel::{SimDuration, SimTime};
use schedsim::model::Kind;
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::{Outcome, Simulation};
use schedsim::trace::What;

const FIXED: &str = "policy.with = [\"reset-only-on-new-version\", \"exit-wakes-controller\", \"diff-clears-fields\", \"activity-only-for-live\"]";

fn run(text: &str, set: &[(&str, &str)], seed: u64) -> (Scenario, Outcome) {
    let set = set.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let overrides = Overrides { set, seed: Some(seed), ..Overrides::default() };
    let scenario = Scenario::from_text(text, "story", None, &overrides).unwrap_or_else(|problems| panic!("{problems}"));
    let outcome = Simulation::new(&scenario, &scenario.variants[0]).run();
    (scenario, outcome)
}

/// When each sandbox was created.
fn births(outcome: &Outcome) -> Vec<SimTime> {
    let records = outcome.trace.records().iter();
    let born = |what: What| matches!(what, What::Created { .. });
    records.filter(|record| record.subject.kind == Kind::Sandbox && born(record.what)).map(|record| record.at).collect()
}

/// Every draw by its subject and purpose, in order.
fn draws(outcome: &Outcome) -> BTreeMap<(String, &'static str), Vec<u64>> {
    let mut draws: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for record in outcome.trace.records() {
        if let What::Drawn { purpose, bits } = record.what {
            draws.entry((outcome.trace.name(record.subject).to_string(), purpose)).or_default().push(bits);
        }
    }
    draws
}

fn crash_loop(exit_after: &str, horizon: &str) -> String {
    format!(
        "schema = 1\nhorizon = \"{horizon}\"\n{FIXED}\n\
         [tuning]\nticker_phase = \"zero\"\npool_resync = \"1s\"\n\
         [workload.shop.worker]\nimage_pull = \"0s\"\nstart = \"0s\"\nready = \"0s\"\nexit_after = \"{exit_after}\"\n\
         [[step]]\nat = \"0s\"\ndo.deploy = {{ app = \"shop\", config = \"[services.worker.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1\" }}\n"
    )
}

#[test]
fn a_changed_backoff_does_not_change_one_boot_time() {
    let story = crash_loop("0s", "1h").replace("start = \"0s\"", "start = { uniform = [\"300ms\", \"9s\"] }");
    for seed in 0..5 {
        let (_, base) = run(&story, &[], seed);
        let other =
            [("tuning.backoff.base", "2s"), ("tuning.backoff.jitter", "1.0"), ("tuning.backoff.jitter_kind", "full")];
        let (_, other) = run(&story, &other, seed);
        let (base, other) = (draws(&base), draws(&other));
        let mut starts = 0;
        for (key, drawn) in &base {
            let Some(others) = other.get(key) else { continue };
            if key.1 == "backoff jitter" {
                continue;
            }
            let common = drawn.len().min(others.len());
            assert_eq!(drawn[..common], others[..common], "{key:?}, seed {seed}");
            starts += usize::from(key.0.starts_with("sandbox/"));
        }
        assert!(starts >= 5, "only {starts} sandboxes of seed {seed} drew anything in both");
        assert_ne!(base.values().map(Vec::len).sum::<usize>(), other.values().map(Vec::len).sum::<usize>());
    }
}

#[test]
fn the_boots_of_a_permanent_crash_are_where_base_factor_cap_and_resync_put_them() {
    let resync = 1_000_000_000_u64;
    let up = |nanos: u64| nanos.div_ceil(resync) * resync;
    for (base, factor, cap, free) in [(10, 2.0, 900, 0_u32), (1, 2.0, 300, 1), (5, 3.0, 60, 0), (30, 1.5, 120, 2)] {
        let (b, f, c, n) = (format!("{base}s"), format!("{factor:?}"), format!("{cap}s"), free.to_string());
        let set = [
            ("tuning.backoff.base", b.as_str()),
            ("tuning.backoff.factor", &f),
            ("tuning.backoff.cap", &c),
            ("tuning.backoff.free", &n),
        ];
        let (_, outcome) = run(&crash_loop("5s", "2h"), &set, 0);
        let births = births(&outcome);
        assert!(births.len() > 8, "{base} {factor} {cap}: {} boots", births.len());
        // From one birth the next follows: boot and life, the resync that sees the death, the wait, the
        // resync that sees its end. Latencies of calls are some milliseconds and never add up to a resync.
        for (crash, pair) in births.windows(2).enumerate() {
            let mut wait = f64::from(base);
            for _ in 0..(crash as u32).saturating_sub(free) {
                wait *= factor;
            }
            let wait = if (crash as u32) < free { 0.0 } else { wait.min(f64::from(cap)) };
            let tick = pair[0].as_nanos() / resync * resync;
            // 5 s of life, and half a second for making and destroying the container.
            let seen = up(tick + 5_500_000_000);
            let next = if wait == 0.0 { seen + resync } else { up(seen + (wait * 1e9) as u64 + 1) };
            let found = pair[1].as_nanos() / resync * resync;
            assert!(
                found.abs_diff(next) <= resync,
                "{base} {factor} {cap} {free}: boot {} at {} instead of {}",
                crash + 2,
                SimTime::from_nanos(found).elapsed(),
                SimTime::from_nanos(next).elapsed()
            );
        }
    }
}

#[test]
fn the_mean_recovery_from_an_outage_is_half_a_cycle_of_the_backoff() {
    // The outage is long: waits are at the cap. Its end moves over one whole cycle in equal steps, so
    // the mean over the steps is the integral over a random phase.
    let story = |end: u64| {
        let text = crash_loop("never", "70m");
        let step = |name: &str, at: u64, what: &str| format!("[[step]]\nname = \"{name}\"\nat = \"{at}s\"\n{what}\n");
        let change = |after: &str| {
            format!("do.set_workload = {{ app = \"shop\", service = \"worker\", exit_after = \"{after}\" }}")
        };
        text + &step("outage", 600, &change("2s"))
            + &step("kill", 600, "do.kill = { sandbox = \"shop-worker-0\" }")
            + &step("back", end, &change("never"))
    };
    let cap = 120;
    let set = [("tuning.backoff.cap", "120s")];
    let (_, long) = run(&story(4000), &set, 0);
    let born = births(&long);
    let cycle = born[14].since(born[13]).as_nanos() as f64 / 1e9;
    assert!((f64::from(cap)..f64::from(cap) + 8.0).contains(&cycle), "{cycle}");
    let from = 3000;
    let mut sum = 0.0;
    let steps = 20;
    for step in 0..steps {
        let end = from + (cycle * f64::from(step) / f64::from(steps)).round() as u64;
        let (_, outcome) = run(&story(end), &set, 0);
        let back = SimTime::ZERO + SimDuration::from_secs(end);
        let settled = outcome.settled_at.expect("it recovers");
        sum += settled.since(back).as_nanos() as f64 / 1e9;
    }
    let mean = sum / f64::from(steps);
    // Half a cycle until the next boot, and that boot; those that live on past the end recover at once,
    // and a last crash within the two seconds of life costs a cycle more: both are below a resync.
    assert!((mean - cycle / 2.0).abs() < 2.5, "mean {mean}, cycle {cycle}");
}
