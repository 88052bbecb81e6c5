//! The memory of a sweep does not grow with its runs.
//!
//! This program starts itself twice: each child sweeps the same settings on two threads, one with twenty times
//! the seeds, and prints its peaks from the system's books. What a newcomer gets wrong: a run leaves nothing in memory, but to
//! *judge* a setting its rows are read back, and those of one setting are held.

use std::fs;
use std::process::Command;

use schedsim::study::sweep::folder::{Folder, Shard};
use schedsim::study::sweep::planning::{PlanOptions, plan_of};
use schedsim::study::sweep::results::finish;
use schedsim::study::sweep::run::{Nobody, run};

/// A child is told its seeds by this variable.
const SEEDS: &str = "SWEEP_MEMORY_SEEDS";
/// Where a system keeps books on its processes.
const BOOKS: &str = "/proc/self/status";
/// So much more may the larger sweep need until all is run: nothing, and what two threads' heaps are apart.
const RUN_KB: u64 = 2 * 1024;
/// And until all is judged: a setting's rows are held while it is judged, 0.4 kB each.
const JUDGED_KB: u64 = 5 * 1024;

const STORY: &str = "schema = 1\nhorizon = \"1m\"\ntuning.ticker_phase = \"seed\"\n\
    [workload.shop.worker]\nexit_after = \"2s\"\n\
    [[step]]\nat = \"0s\"\ndo.deploy = { app = \"shop\", config = \"[services.worker.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1\" }\n";
const SWEEP: &str = "schema = 1\nscenarios = [\"story.toml\"]\n\
    [[parameter]]\npath = \"tuning.backoff.base\"\nvalues = [\"2s\", \"5s\", \"10s\"]\n\
    [[objective]]\nmetric = \"boots_attempted\"\naggregate = \"p95\"\n";

/// The most memory that this process ever had, in kB; none where nobody keeps books.
fn peak() -> Option<u64> {
    let books = fs::read_to_string(BOOKS).ok()?;
    let line = books.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn sweep(seeds: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("story.toml"), STORY).expect("a file");
    let options = PlanOptions { seeds: Some((0, seeds)), yes_really: false };
    let (plan, stories, _) = plan_of(SWEEP, "memory", folder.path(), &options).expect("a plan");
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
    threads.install(|| {
        let folder = Folder::open(&folder.path().join("out"), &plan, Shard::WHOLE, false).expect("a folder");
        run(&plan, &stories, &folder, &Nobody).expect("it runs");
        println!("ran {} kB", peak().expect("the parent looked"));
        finish(&folder, &plan).expect("it is judged");
    });
}

/// What a child prints: its peaks after the runs, and at the end.
fn child(seeds: u64) -> (u64, u64) {
    let test = std::env::current_exe().expect("a program");
    let name = "the_memory_of_a_sweep_does_not_grow_with_its_runs";
    let words = ["--exact", name, "--nocapture", "--test-threads=1"];
    let done = Command::new(test).args(words).env(SEEDS, seeds.to_string()).output().expect("a child");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8(done.stdout).expect("UTF-8");
    let after = |word: &str| {
        let (_, rest) = said.split_once(word)?;
        rest.split_once(" kB")?.0.parse().ok()
    };
    after("ran ").zip(after("judged ")).unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn the_memory_of_a_sweep_does_not_grow_with_its_runs() {
    if let Ok(seeds) = std::env::var(SEEDS) {
        sweep(seeds.parse().expect("a number"));
        println!("judged {} kB", peak().expect("the parent looked"));
        return;
    }
    if peak().is_none() {
        println!("skipped: this system has no {BOOKS} with VmHWM");
        return;
    }
    // Three settings: 201 runs and 4020.
    let (few, many) = (child(67), child(1340));
    println!("kB after the runs and at the end: {few:?} for 201 runs, {many:?} for 4020");
    assert!(many.0 < few.0 + RUN_KB, "201 runs need {} kB, 4020 need {} kB", few.0, many.0);
    assert!(many.1 < few.1 + JUDGED_KB, "judging 201 runs needs {} kB, 4020 need {} kB", few.1, many.1);
}
