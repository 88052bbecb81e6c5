//! Crashes at every await: nothing that must never happen does, and what settled still settles.
//!
//! After each poll of one of its tasks a process is suspended at some await. So each story is
//! run once for every poll in its first cycle, of the coordinator and of the node: there it
//! dies, loses its memory, and starts again. First safety: no crash may break an invariant that
//! the undisturbed run keeps. Then liveness: the crashed run must end as the undisturbed one
//! does. What a newcomer gets wrong: an excuse is no way out – one that names a fix is put to the
//! proof by a second search with that fix on, and one that is never needed fails the test.

#[macro_use]
#[path = "common/database.rs"]
mod database;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use schedsim::controllers::fixes::Fix;
use schedsim::kernel::{SimDuration, SimTime, Stop};
use schedsim::model::{Invariant, NodeId, Point, Reason};
use schedsim::scenario::{Overrides, Scenario, Verdict};
use schedsim::sim::{Crash, Outcome, Simulation};
use schedsim::trace::{Record, What};
use schedsim::world::Process;

const NODE: Process = Process::Node(NodeId::from_index(0));

const FOREVER_PENDING: &str = include_str!("../scenarios/mir-788/forever-pending.toml");

/// As scenarios/crashes/crash-loop-idle.toml.
const CRASH_LOOP_IDLE: &str = r#"
schema = 1
[workload.shop.web]
exit_after = "200ms"
[[step]]
at = "0s"
do.deploy = { app = "shop", config = "name = \"shop\"" }
"#;

/// The same, and the third boot heals it; fixed, so that it is not scaled down later.
const CRASH_LOOP_HEALS: &str = r#"
schema = 1
[workload.shop.worker]
exit_after = ["200ms", "200ms", "never"]
[[step]]
at = "0s"
do.deploy = { app = "shop", config = "[services.worker.concurrency]\nmode = \"fixed\"\nnum_instances = 1" }
"#;

/// A disk that passes from one version to the next: where two could come to hold it.
const DISK_HANDED_OVER: &str = concat!(
    r#"
schema = 1
[[step]]
at = "0s"
[step.do.deploy]
app = "pds"
config = """
"#,
    database!("size_gb"),
    r#""""
[[step]]
at = "65s"
[step.do.deploy]
app = "pds"
config = """
"#,
    database!("size_gb"),
    "\"\"\"\n"
);

/// One story under one logic.
#[derive(Clone, Copy)]
struct Case<'a> {
    name: &'static str,
    text: &'static str,
    as_of: &'static str,
    with: &'a [Fix],
    without: &'a [Fix],
    /// Crashes come within this time: one whole cycle of the story.
    cycle: u64,
    /// The run ends here, so that what a crash did can show.
    end: u64,
    excuses: &'a [Excuse],
}

/// Why a crash may break an invariant, or keep a story from its end (`None`).
struct Excuse {
    of: Option<Invariant>,
    /// What the finding's text must say.
    sign: &'static str,
    why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    /// That fix is not on; with it no crash does this.
    Missing(Fix),
    /// The rules have no answer to it, no fix of history or proposal either.
    NoFixYet(&'static str),
}

/// A deploy that is let through although its disk can never be made.
const LENIENT: &[Fix] = &[Fix::StrictAppConfig, Fix::ValidateDisksAtDeploy];

const ADDRESS_FORGOTTEN: Excuse = Excuse {
    of: Some(Invariant::NoLeakedAddress),
    sign: "is taken although the sandbox is DEAD",
    why: Why::NoFixYet("an address that was taken and not yet written down is forgotten with the node's memory"),
};
const NONCE_LOST: Excuse = Excuse {
    of: None,
    sign: "the volume is leased already",
    why: Why::NoFixYet("the nonce of a volume's lease is in the node's memory alone: nobody can give the lease back"),
};
const CONFLICT_IS_FINAL: Excuse = Excuse {
    of: None,
    sign: "the disk is already leased",
    // Rules 9.4, 9.6: FAILED at once, and nobody drives a FAILED lease (controllers/disk/disk_lease_controller.go:307-326
    // at 57fbcb8; #970).
    why: Why::NoFixYet("its conflict is final until the monitor comes; no fix of later days heals that alone"),
};
const VERDICT_COMES_LATE: Excuse = Excuse {
    of: Some(Invariant::LegalTransition),
    sign: "RELEASED became ",
    // Rule 2.9: pkg/controller/controller.go:403-439 at 57fbcb8 patches with revision 0.
    why: Why::NoFixYet(
        "what the lease manager found is written over a release of the meantime: nobody checks the revision",
    ),
};
const SWEEP_COMES_LATE: Excuse = Excuse {
    of: Some(Invariant::BoundLeaseHasLiveSandbox),
    sign: "is DEAD",
    // Rule 9.11: every five minutes, older than two.
    why: Why::NoFixYet("a lease written BOUND over RELEASED waits for the orphan sweep, up to seven minutes"),
};
const DISK_KEPT_BY_THE_DEAD: Excuse = Excuse {
    of: None,
    sign: "ends unsettled, undisturbed settled",
    why: Why::NoFixYet("until that sweep the disk is a dead sandbox's"),
};
const LEASE_OF_ANOTHER: Excuse = Excuse {
    of: Some(Invariant::OneMountPerVolume),
    sign: "write it at once",
    why: Why::NoFixYet("its conflict is final until the monitor comes; no fix of later days heals that alone"),
};
const VOLUME_FORGOTTEN: Excuse = Excuse {
    of: Some(Invariant::VolumeHasDisk),
    sign: "no disk has it",
    // Rule 8.1: whoever makes a volume and dies before it is written down makes another one.
    why: Why::Missing(Fix::VolumeOfDisk),
};
const WAITS_BEHIND_THE_DEAD: Excuse = Excuse {
    of: Some(Invariant::NoOvershoot),
    sign: "has 1 live sandboxes and wants 0",
    // A crash in a boot: the node's start gives the lease up while its manager binds it, BOUND over RELEASED. Without the proposal the
    // next sandbox is refused that disk, and dies; with it, it waits PENDING until the sweep, and only RUNNING ones are retired.
    why: Why::NoFixYet(
        "the proposed release-leases-last lets a boot wait for a disk that a dead sandbox's lease still has",
    ),
};
const PENDING_STAYS: Excuse = Excuse {
    of: Some(Invariant::NoOvershoot),
    sign: "has 1 live sandboxes and wants 0",
    why: Why::Missing(Fix::DeadOnBootFailure),
};

/// Rule 7.36: the end of a program is written over DEAD; with the fix no crash does this.
const END_OVER_DEAD: &[Excuse] = &[
    Excuse { of: Some(Invariant::DeadIsFinal), sign: "DEAD became STOPPED", why: Why::Missing(Fix::DeadWrittenOnce) },
    Excuse {
        of: Some(Invariant::LegalTransition),
        sign: "DEAD became STOPPED",
        why: Why::Missing(Fix::DeadWrittenOnce),
    },
];

/// What a crash did that it should not: to which invariant (none: to the story's end), when.
struct Finding {
    invariant: Option<Invariant>,
    crash: Crash,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Crash { process, after } = self.crash;
        write!(f, "{process:?} dies after poll {after}: {}", self.what)
    }
}

fn after(seconds: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(seconds)
}

impl Case<'_> {
    fn scenario(&self) -> Scenario {
        let names = |fixes: &[Fix]| fixes.iter().map(|fix| fix.name().to_owned()).collect();
        let overrides = Overrides {
            set: vec![("horizon".to_owned(), format!("{}s", self.end))],
            as_of: Some(self.as_of.to_owned()),
            with: names(self.with),
            without: names(self.without),
            ..Overrides::default()
        };
        let loaded = Scenario::from_text(self.text, self.name, None, &overrides);
        loaded.unwrap_or_else(|diagnostics| panic!("{}", diagnostics.render(false)))
    }

    /// Lets each process die at every await, and returns what should not have come of it.
    fn search(&self) -> Vec<Finding> {
        let scenario = self.scenario();
        let simulation = |until| Simulation::new(&scenario, &scenario.variants[0]).until(after(until));
        let undisturbed = simulation(self.end).run();
        let crashes = [Process::Coordinator, NODE].into_iter().flat_map(|process| {
            let awaits = simulation(self.cycle).awaits(process);
            assert!(awaits > 20, "{self}: only {awaits} awaits of {process:?}, so nothing was searched");
            (0..=awaits).map(move |after| Crash { process, after })
        });
        let crashes: Vec<_> = crashes.collect();
        let found = crashes.par_iter().map(|crash| {
            let crashed = catch_unwind(AssertUnwindSafe(|| simulation(self.end).crashes(&[*crash]).run()));
            let Ok(crashed) = crashed else { panic!("{self}: a panic, with {crash:?}") };
            let finding = |(invariant, what)| Finding { invariant, crash: *crash, what };
            let broken = broken(&undisturbed, &crashed).into_iter().map(|(invariant, what)| (Some(invariant), what));
            let ending = other_end(&undisturbed, &crashed).map(|what| (None, what));
            broken.chain(ending).map(finding).collect::<Vec<_>>()
        });
        found.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// Searches, and holds every finding against the excuses.
    fn check(&self) {
        let found = self.search();
        let excuses =
            |excuse: &Excuse, finding: &Finding| excuse.of == finding.invariant && finding.what.contains(excuse.sign);
        let unexcused = found.iter().filter(|finding| !self.excuses.iter().any(|excuse| excuses(excuse, finding)));
        let mut kinds: BTreeMap<_, (usize, &Finding)> = BTreeMap::new();
        for finding in unexcused {
            kinds.entry(finding.invariant).or_insert((0, finding)).0 += 1;
        }
        let told: Vec<_> = kinds.values().map(|(count, first)| format!("\n  {count} times, first {first}")).collect();
        assert!(told.is_empty(), "{self}: a crash does what has no excuse{}", told.concat());
        for excuse in self.excuses {
            assert!(found.iter().any(|finding| excuses(excuse, finding)), "{self}: no need for {:?}", excuse.why);
            if let Why::Missing(fix) = excuse.why {
                let with = Case { with: &[fix], excuses: &[], ..*self };
                let still = with.search().into_iter().find(|finding| excuses(excuse, finding));
                assert!(still.is_none(), "{with}: {}", still.expect("there is one"));
            }
        }
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} @ {}", self.name, self.as_of)?;
        self.with.iter().try_for_each(|fix| write!(f, " with {fix}"))?;
        self.without.iter().try_for_each(|fix| write!(f, " without {fix}"))
    }
}

/// Not judged here: one counts boots in a time, and a restart reconciles at once what else waits
/// for a resync; the other says again what the end of a story says.
const NOT_JUDGED: [Invariant; 2] = [Invariant::FailuresBackOff, Invariant::Progress];

/// The invariants that a crash broke, each once, and their first detail.
fn broken(undisturbed: &Outcome, crashed: &Outcome) -> BTreeMap<Invariant, String> {
    let breaks = |invariant| undisturbed.violations.iter().any(|violation| violation.invariant == invariant);
    let keeps = |invariant| !NOT_JUDGED.contains(&invariant) && !breaks(invariant);
    let mut broken = BTreeMap::new();
    for violation in crashed.violations.iter().filter(|violation| keeps(violation.invariant)) {
        let text =
            || format!("{}: {}: {}", violation.invariant, crashed.trace.name(violation.subject), violation.detail);
        broken.entry(violation.invariant).or_insert_with(text);
    }
    broken
}

/// How a crashed run ends otherwise than the undisturbed one, if it does.
fn other_end(undisturbed: &Outcome, crashed: &Outcome) -> Option<String> {
    if crashed.stop != Stop::Horizon {
        return Some(format!("stopped: {:?}", crashed.stop));
    }
    let settles = |outcome: &Outcome| outcome.verdict == Verdict::Settled;
    // A request dies with its coordinator, or meets none: then another story is told.
    if settles(undisturbed) == settles(crashed) || steps_taken(undisturbed) != steps_taken(crashed) {
        return None;
    }
    let leased = |what: &What| match what {
        What::CallFailed { point: Point::AcquireVolume, error, .. } => Some(*error),
        _ => None,
    };
    let last = crashed.trace.records().iter().rev().find_map(|record| leased(&record.what));
    let conflict = |record: Record| matches!(record.what, What::Decided(Reason::AlreadyLeased { .. }));
    let conflict = || crashed.trace.records().iter().any(conflict).then(|| "; the disk is already leased".to_owned());
    let why = last.map(|error| format!("; acquiring the volume fails: {error}")).or_else(conflict).unwrap_or_default();
    Some(format!("ends {}, undisturbed {}{why}", crashed.verdict.name(), undisturbed.verdict.name()))
}

/// How many steps came to their end and were not refused because nobody was there.
fn steps_taken(outcome: &Outcome) -> usize {
    let taken = |what: &What| match what {
        What::StepEnded { refused: None } => true,
        What::StepEnded { refused: Some(why) } => !why.contains("the coordinator is down"),
        _ => false,
    };
    outcome.trace.records().iter().filter(|record| taken(&record.what)).count()
}

/// A day of the logic, how many seconds one cycle of the story takes then, and its excuses.
type Day = (&'static str, u64, &'static [Excuse]);

fn check_all(case: Case<'_>, days: &[Day]) {
    for (as_of, cycle, excuses) in days {
        Case { as_of, cycle: *cycle, excuses, ..case }.check();
    }
}

const PLAIN: Case<'_> =
    Case { name: "", text: "", as_of: "current", with: &[], without: &[], cycle: 0, end: 0, excuses: &[] };

#[test]
fn a_refused_deploy_stays_refused() {
    let case = Case { name: "forever-pending", text: FOREVER_PENDING, end: 200, ..PLAIN };
    check_all(case, &[("2026-03-12", 100, &[]), ("current", 100, &[]), ("proposed", 100, &[])]);
}

#[test]
fn no_crash_changes_forever_pending() {
    // Until the sandbox is stopped at 5:00 to 5:30 and the next one boots.
    let case = Case { name: "forever-pending", text: FOREVER_PENDING, end: 500, ..PLAIN };
    check_all(case, &[("2026-03-11", 345, &[])]);
    // Until the second cooldown.
    let days: &[Day] = &[("2026-03-12", 60, &[]), ("current", 60, &[]), ("proposed", 60, &[])];
    check_all(Case { end: 240, without: LENIENT, ..case }, days);
}

#[test]
fn no_crash_changes_an_idle_crash_loop() {
    // Until those that exited are stopped at the first resync, and their deaths are counted.
    let case = Case { name: "crash-loop-idle", text: CRASH_LOOP_IDLE, end: 180, ..PLAIN };
    let days: &[Day] =
        &[("2026-03-11", 75, &[]), ("2026-03-12", 75, END_OVER_DEAD), ("current", 75, &[]), ("proposed", 75, &[])];
    check_all(case, days);
}

#[test]
fn a_crash_loop_that_heals_heals_whatever_crashes() {
    // To the end of the graces: this one also shows what a crash leaves behind.
    let case = Case { name: "crash-loop-heals", text: CRASH_LOOP_HEALS, end: 480, ..PLAIN };
    let days: &[Day] = &[
        ("2026-03-11", 75, &[ADDRESS_FORGOTTEN]),
        ("2026-03-12", 75, &[ADDRESS_FORGOTTEN]),
        ("current", 75, &[ADDRESS_FORGOTTEN]),
        ("proposed", 75, &[ADDRESS_FORGOTTEN]),
    ];
    check_all(case, days);
}

#[test]
fn a_disk_is_never_written_by_two_whatever_crashes() {
    // Until the second sandbox has the disk, or has failed to get it for the first time.
    let case = Case { name: "disk-handed-over", text: DISK_HANDED_OVER, end: 300, ..PLAIN };
    let days: &[Day] = &[
        ("2026-01-29", 100, &[NONCE_LOST, PENDING_STAYS, CONFLICT_IS_FINAL, VOLUME_FORGOTTEN]),
        ("2026-03-12", 100, &[]),
        ("current", 100, &[VERDICT_COMES_LATE, SWEEP_COMES_LATE, DISK_KEPT_BY_THE_DEAD]),
        ("proposed", 100, &[VERDICT_COMES_LATE, SWEEP_COMES_LATE, WAITS_BEHIND_THE_DEAD]),
    ];
    check_all(case, days);
}

#[test]
fn before_leases_belonged_to_sandboxes_a_crash_let_two_write_one_disk() {
    let case = Case { name: "disk-handed-over", text: DISK_HANDED_OVER, end: 200, ..PLAIN };
    check_all(case, &[("2026-01-05", 100, &[LEASE_OF_ANOTHER, PENDING_STAYS, VOLUME_FORGOTTEN])]);
}
