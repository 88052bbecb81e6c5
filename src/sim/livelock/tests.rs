//! The grid and the caps; and that what a few cheap numbers find is what writing every state would.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::certificate::PERIODS;
use super::*;
use crate::constants::{LookBack, Period, Role};
use crate::controllers::fixes::{Fix, Fixes};
use crate::kernel;
use crate::model::Name;
use crate::scenario::{Action, Overrides, Scenario, Step, Upgrade, Variant};
use crate::sim::crash::Crashes;
use crate::sim::{Crash, Proofs, Simulation};
use crate::world::{Capture, Digest};

/// The reach of these roles alone.
fn reach(roles: &[Role]) -> Reach {
    Reach::of(&Rules::default(), roles.iter().copied())
}

fn ticks(task: &'static str, millis: u64) -> Role {
    Role::Period(Period::of(task, SimDuration::from_millis(millis)))
}

#[test]
fn the_proof_takes_every_ticker_and_every_look_back_into_account() {
    let usual = [ticks("monitor", 30_000), ticks("collector", 300_000), Role::Neither];
    let back = Role::LookBack(LookBack::of(SimDuration::from_hours(5)));
    let Reach { grid, caps, .. } = reach(&usual);
    assert_eq!((grid, caps.memory), (Some(SimDuration::from_mins(5)), SimDuration::from_mins(70)));

    let Reach { grid, caps, .. } = reach(&[&usual[..], &[ticks("sweep", 7_000), back]].concat());
    assert_eq!((grid, caps.memory), (Some(SimDuration::from_mins(35)), SimDuration::from_mins(310)));
    let sevens = [ticks("sweep", 7_000), ticks("watchdog", 11_000), ticks("leases", 13_000)];
    let mut wide = reach(&[&usual[..], &sevens].concat());
    assert_eq!(wide.grid, Some(SimDuration::from_secs(300 * 7 * 11 * 13)), "83 hours");
    wide.narrow(&BTreeSet::from(["monitor", "sweep", "session"]));
    assert_eq!(wide.grid, Some(SimDuration::from_secs(210)), "of those that run");
    wide.narrow(&BTreeSet::from(["session"]));
    assert_eq!(wide.grid, Some(SimDuration::from_secs(210)), "where none is known to, as it was");
    let primes = [29_989, 29_983, 29_959].map(|millis| ticks("sweep", millis));
    assert_eq!(reach(&[&usual[..], &primes].concat()).grid, None, "beyond all time");
}

#[test]
fn the_schedulers_own_constants_are_among_them() {
    let mut rules = Rules::default();
    let grid = |rules: &Rules| Reach::of(rules, rules.tuning.roles()).grid;
    assert!(grid(&rules).is_some(), "without a common period nothing is ever proved");
    rules.tuning.monitor_every = Period::of("monitor", SimDuration::from_millis(29_989));
    assert!(grid(&rules) > Some(SimDuration::from_hours(24)), "a prime has no small multiple in common");
    rules.tuning.backoff.healthy_min = LookBack::of(SimDuration::from_hours(100));
    let memory = Reach::of(&rules, rules.tuning.roles()).caps.memory;
    assert_eq!(memory, SimDuration::from_hours(100) + SimDuration::from_mins(10));
}

/// A rule that compares an age with something that stands in no table of constants must have told the
/// proof of it ([`Reach::look_back`]).
#[test]
fn every_other_look_back_is_one_that_the_proof_was_told_of() {
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let controllers = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/controllers");
    let mut found = Vec::new();
    files(&controllers, &mut found);
    let mut made: Vec<(String, String)> = Vec::new();
    for file in found {
        let name = file.strip_prefix(&controllers).expect("below it").display().to_string();
        let text = std::fs::read_to_string(&file).expect("a text");
        let lines = text.lines().map(str::trim).filter(|line| line.contains("LookBack::of"));
        made.extend(lines.map(|line| (name.clone(), line.to_owned())));
    }
    made.retain(|(name, _)| name != "tuning.rs" && name != "backoff.rs");
    made.sort();
    let known = [
        // At the start every age is enough.
        ("lease.rs", "let mut limit = LookBack::of(SimDuration::ZERO);"),
        // What the longest wait is bounded by is a constant.
        ("pool.rs", "let limit = LookBack::of(backoff.wait(count)).max(backoff.healthy_min);"),
        // What an app sets: `World::longest_delay`.
        ("pool.rs", "Some(scale_down_delay).filter(|limit| !limit.is_zero()).map(LookBack::of)"),
    ];
    let known: Vec<_> = known.iter().map(|(name, line)| ((*name).to_owned(), (*line).to_owned())).collect();
    let mut known = known;
    known.sort();
    assert_eq!(made, known);
}

#[test]
fn crash_counts_are_told_apart_up_to_the_cap_of_the_backoff() {
    let rules = Rules::default();
    assert_eq!(Reach::of(&rules, rules.tuning.roles()).caps.crashes, 8);
}

#[test]
fn the_proof_reaches_as_far_as_the_rules_after_the_last_upgrade() {
    let mut scenario = story("mir-788/forever-pending.toml");
    let upgrade = |at: u64, with: Vec<Fix>, without: Vec<Fix>| Step {
        name: Name::new("upgrade"),
        at: SimTime::ZERO + SimDuration::from_secs(at),
        action: Action::Upgrade(Upgrade { as_of: None, with, without }),
    };
    // Not in the order of time.
    scenario.steps.push(upgrade(20, vec![Fix::CrashBackoff], Vec::new()));
    scenario.steps.push(upgrade(10, Vec::new(), vec![Fix::CrashBackoff]));
    let mut variant = scenario.variants[0].clone();
    variant.policy.fixes = Fixes::NONE;
    let simulation = Simulation::new(&scenario, &variant);
    let resyncs: Vec<u64> = simulation.all_rules().map(|rules| rules.tuning.pool_resync.every().as_secs()).collect();
    assert_eq!(resyncs, [60, 60, 10]);
    assert_eq!(simulation.last_rules().fixes(), Fixes::NONE.with(Fix::CrashBackoff));
}

fn story(path: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(path);
    let loaded = Scenario::from_file(&path, &Overrides::default());
    loaded.unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render(false)))
}

/// Takes captures of a run in so many cells of its grid, as often as it is quiet there; `see` is told how to take
/// one, which it may do several times.
fn watch(scenario: &Scenario, variant: &Variant, cells: u64, mut see: impl FnMut(&dyn Fn() -> Capture)) {
    const NO_CRASHES: &[Crash] = &[];
    let run = Simulation::new(scenario, variant).start(Crashes::new(NO_CRASHES));
    let Reach { grid, caps, .. } = Reach::of(&run.platform.rules.borrow(), run.platform.rules.borrow().tuning.roles());
    let grid = grid.expect("the usual periods have one");
    let until = SimTime::ZERO + grid.saturating_mul(cells);
    let mut next = cell_from(SimTime::ZERO + caps.memory, grid);
    while run.world.kernel().step(until) == kernel::Step::Ran {
        let now = run.world.kernel().now();
        if now >= next && run.world.canonical().unrest().is_none() {
            next = cell_from(now + SimDuration::from_nanos(1), grid);
            let memories = run.platform.memories.borrow();
            see(&|| run.world.canonical().capture(caps, memories.values().flatten().map(|memory| &**memory)));
        }
    }
    run.end();
}

/// Stories that are proved, that are not, and one with several nodes.
const STORIES: [&str; 7] = [
    "mir-788/forever-pending.toml",
    "mir-788/orphaned-disk.toml",
    "leases/failed-lease-reused.toml",
    "rollouts/drain-never-ends.toml",
    "watches/unscheduled.toml",
    "crashes/crash-loop-idle.toml",
    "nodes/node-lost.toml",
];

#[test]
fn what_is_seen_again_is_what_writing_every_state_would_find() {
    let mut recurrences = 0;
    for path in STORIES {
        let scenario = story(path);
        for variant in &scenario.variants {
            let mut written: BTreeMap<Digest, (SimTime, u64)> = BTreeMap::new();
            // One that keeps nothing, one that keeps some, and the usual one.
            let mut visited = [Visited::with_room(0), Visited::with_room(20_000), Visited::default()];
            let mut last: Option<(Capture, Digest)> = None;
            let mut bytes = Vec::new();
            watch(&scenario, variant, 84, |capture| {
                let this = capture();
                let (digest, at, sketch) = (this.digest(&mut bytes), this.taken_at(), this.sketch());
                let before = written.insert(digest, (at, sketch));
                recurrences += u32::from(before.is_some());
                let place = format!("{path} @ {} at {at}", variant.name);
                if let Some((_, before)) = before {
                    assert_eq!(sketch, before, "equal states have equal sketches: {place}");
                }
                for visited in &mut visited {
                    assert_eq!(visited.note(capture()), before.map(|(at, _)| (at, digest)), "{place}");
                }
                if let Some((capture, digest)) = last.replace((this, digest)) {
                    assert_eq!(capture.digest(&mut bytes), digest, "a capture does not change: {place}");
                }
            });
        }
    }
    assert!(recurrences > 100, "only {recurrences} states came again: this test shows little");
}

#[test]
fn a_run_that_goes_on_for_long_is_its_own_certificate() {
    let mut tried = 0;
    for path in STORIES {
        let scenario = story(path);
        for variant in &scenario.variants {
            let simulation = Simulation::new(&scenario, variant);
            let Some(proof) = simulation.run().recurrence.filter(|proof| !proof.is_at_rest()) else { continue };
            let place = format!("{path} @ {}: {proof:?}", variant.name);
            let known = |periods: u64| {
                let until = proof.from + proof.period.saturating_mul(periods) + SimDuration::from_mins(1);
                let mut run = simulation.clone().until(until).start(Crashes::new(&[]));
                run.drive(until, None);
                let known = run.recurrence.tried().and_then(Certificate::known);
                run.end();
                known
            };
            assert_eq!(known(u64::from(PERIODS)), Some(Ok(())), "{place}");
            assert_eq!(simulation.certify(proof, PERIODS, 0x5eed), Ok(()), "{place}");
            assert_eq!(known(u64::from(PERIODS) - 1), None, "it has not come so far: {place}");
            // Whatever it comes to beyond its end stays out of what came of it.
            let short = simulation.clone().until(proof.from + proof.period.saturating_mul(2));
            let (claimed, plain) = (short.run(), short.clone().proofs(Proofs::Off).run());
            assert_eq!((claimed.recurrence, claimed.events), (Some(proof), plain.events), "{place}");
            assert!(claimed.trace.records() == plain.trace.records(), "{place}");
            assert_eq!((claimed.ended_at, &claimed.violations), (plain.ended_at, &plain.violations), "{place}");
            let wrong = Livelock { settled: proof.settled + SimDuration::from_secs(1), ..proof };
            assert!(simulation.certify(wrong, PERIODS, 0x5eed).is_err(), "{place}");
            tried += 1;
        }
    }
    assert!(tried > 3, "only {tried} proofs were tried");
}

#[test]
fn a_sketch_tells_nearly_all_states_apart() {
    let mut many = 0;
    for path in ["crashes/crash-loop-idle.toml", "nodes/nonce-lost.toml"] {
        let scenario = story(path);
        for variant in scenario
            .variants
            .iter()
            .filter(|variant| ["after", "current"].iter().any(|name| variant.name.starts_with(name)))
        {
            let (mut looks, mut sketches, mut written) = (0, BTreeSet::new(), BTreeSet::new());
            watch(&scenario, variant, 288, |capture| {
                let capture = capture();
                looks += 1;
                sketches.insert(capture.sketch());
                written.insert(capture.digest(&mut Vec::new()));
            });
            let (states, sketches) = (written.len(), sketches.len());
            assert!(sketches + 2 >= states, "{path} @ {}: {sketches} sketches of {states} states", variant.name);
            many += usize::from(looks > 200 && states > 100);
        }
    }
    assert!(many > 0, "there is none with many states");
}

/// What counts on for longer than a run, or goes round in a time of its own, is told where nothing was proved.
#[test]
fn what_keeps_states_from_coming_again_is_told() {
    let two = "workload.b.s.exit_after = \"2h10m\"\n[[step]]\nname = \"b\"\nat = \"1m\"\ndo.deploy = { app = \"b\", config = \"FIXED\" }";
    for (as_of, exit, beside, told) in [
        (
            "2026-02-22",
            "\"65s\"",
            "[[fault]]\nname = \"late\"\non = \"sandbox.start\"\nwhen.calls = [900]\neffect.error = \"no\"",
            "fault `late` counts",
        ),
        (
            "2026-03-31",
            "\"5m\"",
            "cluster.addresses_per_node = 3",
            "addresses of n1 are taken in turn, before they have rested",
        ),
        (
            "2026-02-22",
            "[\"70s\", \"90s\", \"90s\", \"90s\", \"4m\", \"4m\", \"4m\", \"4m\", \"4m\", \"1h\", \"1h\", \"1h\", \"never\"]",
            "",
            "starts of a/s are counted to 13",
        ),
        ("2026-02-22", "\"2h\"", two, "programs of pool/b-s exit in their own time"),
        (
            "proposed",
            "\"5s\"",
            "tuning.backoff.jitter = 0.5\ntuning.backoff.jitter_kind = \"full\"",
            "drawn meanwhile: backoff jitter",
        ),
    ] {
        let deploy = "[[step]]\nname = \"a\"\nat = \"0s\"\ndo.deploy = { app = \"a\", config = \"FIXED\" }";
        let fixed = "[services.s.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1";
        let text = format!("schema = 1\nhorizon = \"3h\"\npolicy.as_of = \"{as_of}\"\nworkload.a.s.exit_after = {exit}\n{beside}\n{deploy}\n").replace("FIXED", fixed);
        let scenario = Scenario::from_text(&text, "circles.toml", None, &Overrides::default()).expect("a good text");
        let outcome = Simulation::new(&scenario, &scenario.variants[0]).run();
        let why = outcome.unproved.map(|why| why.to_string());
        assert!(why.as_ref().is_some_and(|why| why.contains(told)), "{told}: {why:?}");
    }
}
