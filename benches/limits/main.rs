//! What a run costs, and how the cost grows: the table of docs/performance.md, in one command.
//!
//! `cargo bench --bench limits` prints it; with `UPDATE_DOCS=1` it is written into the page. Each row is a
//! ratio, or stands beside its baseline in the same run: nanoseconds of this machine say nothing about
//! another. Times are processor times, so that a machine with other work to do tells the same.
//!
//! A run of the library is one of a process of its own, which this program starts as `limits case NAME`: a
//! command's run begins with cold memory, and so does this. Instructions need valgrind, the toy Python 3,
//! and a row that needs what is not there says so.

#[path = "../common/apps.rs"]
mod apps;
#[path = "../common/cpu_time.rs"]
mod cpu_time;
#[path = "../common/heap.rs"]
mod heap;
#[path = "../common/increments.rs"]
mod increments;
mod peers;
#[path = "../common/phold.rs"]
mod phold;
mod stories;
mod table;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use schedsim::kernel::Budget;
use schedsim::scenario::Scenario;
use schedsim::sim::{Outcome, Simulation};

use cpu_time::cpu_time;
use stories::Story;
use table::{Row, Table};

/// Runs of each thing; the median counts.
const RUNS: usize = 5;
/// No story here has more records or events.
const ENDLESS: usize = 1 << 32;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["case", name] => case(name),
        _ => {
            let wanted = |row: &str| words.is_empty() || words.iter().any(|word| row.contains(word));
            Table::of(ROWS.iter().filter(|(name, _)| wanted(name)).map(|(name, row)| row(name)))
                .publish(words.is_empty());
        }
    }
}

/// What grows, over the same stretch of the same story whatever is counted: an hour is mostly looks that find
/// nothing, its first minutes are deploys, and an event of the one costs another sum than one of the other.
const HOUR: [&str; 2] = ["apps-10-1-1h", "apps-1000-100-1h"];
const TWO_MINUTES: [&str; 2] = ["apps-1000-100-2m", "apps-10000-1000-2m"];

/// A row: its name, and what makes it.
type Make = (&'static str, fn(&'static str) -> Row);

const ROWS: &[Make] = &[
    ("command / library, 1,000 apps, an hour", command_to_library),
    ("time an event, 1,000 / 10 apps, an hour", |name| growth(name, HOUR)),
    ("instructions an event, 1,000 / 10 apps, an hour", |name| instructions(name, HOUR)),
    ("time an event, 10,000 / 1,000 apps, 2 minutes", |name| growth(name, TWO_MINUTES)),
    ("instructions an event, 10,000 / 1,000 apps, 2 minutes", |name| instructions(name, TWO_MINUTES)),
    ("resident memory an event, 1,000 apps", memory),
    ("day of 100 crash-looping pools, command / toy", day_of_pools),
    ("day of crash-loop-idle after, command", day_of_one),
    ("hold at 1e3, agenda / best heap", |name| peers::hold(name, 1_000, "0.7")),
    ("hold at 1e5, agenda / best heap", |name| peers::hold(name, 100_000, "0.35")),
    ("hold at 1e6, agenda / best heap", |name| peers::hold(name, 1_000_000, "0.12")),
    ("PHOLD at 1e3, tasks / bare heap", |name| peers::phold(name, 1_000)),
    ("PHOLD at 1e5, tasks / bare heap", |name| peers::phold(name, 100_000)),
    ("PHOLD at 1e6, tasks / bare heap", |name| peers::phold(name, 1_000_000)),
    ("PHOLD at 1e5, woken tasks / bare heap", |name| peers::phold_woken(name, 100_000)),
    ("100,000 apps, 2 simulated minutes", large),
];

/// The story of a case: `apps-APPS-NODES-HORIZON` or `pools-POOLS-DAY`, the day of the logic.
fn story(name: &str) -> Story {
    let (kind, rest) = name.split_once('-').expect("a kind of story");
    let mut words = rest.splitn(if kind == "apps" { 3 } else { 2 }, '-');
    let mut number = || words.next().and_then(|word| word.parse().ok()).expect("a number");
    let first = number();
    match kind {
        "apps" => {
            let nodes = number();
            stories::apps(first, nodes, words.next().expect("a horizon"))
        }
        "pools" => stories::crash_loops(first, words.next().expect("a day")),
        other => panic!("there are no stories of `{other}`"),
    }
}

/// What is measured of a run; a function of its own, for callgrind to find.
#[inline(never)]
fn measured_run(scenario: &Scenario) -> Outcome {
    let budget = Budget { events: ENDLESS as u64, ..Budget::default() };
    Simulation::new(scenario, &scenario.variants[0]).budget(budget).records_max(ENDLESS).run()
}

/// Runs a case once and prints what it cost.
fn case(name: &str) {
    let begun = cpu_time();
    let scenario = story(name).read();
    let read = cpu_time() - begun;
    let before = memory_of("VmRSS:");
    let started = cpu_time();
    let outcome = measured_run(&scenario);
    let wall = cpu_time() - started;
    let peak = memory_of("VmHWM:");
    let dropped = dropped(&outcome);
    let records = outcome.trace.records().len();
    println!("{} {records} {wall} {} {peak} {dropped} {read}", outcome.events, peak.saturating_sub(before));
    drop(black_box(outcome));
}

fn dropped(outcome: &Outcome) -> u64 {
    use schedsim::model::Reason;
    use schedsim::trace::What;
    let of = |what: &What| match what {
        What::Decided(Reason::EventsDropped { count, .. }) => u64::from(*count),
        _ => 0,
    };
    outcome.trace.records().iter().map(|record| of(&record.what)).sum()
}

/// Nanoseconds that all processes had a processor which this one has waited for, in steps of 10 ms.
fn cpu_time_of_children() -> u64 {
    let told = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    // The name of the program may hold anything.
    let (_, fields) = told.rsplit_once(')').expect("the name ends");
    let ticks = fields.split_whitespace().skip(13).take(2).map(|word| word.parse::<u64>().expect("a number"));
    ticks.sum::<u64>() * 10_000_000
}

/// A line of this process's memory in KiB; 0 where the system does not tell.
fn memory_of(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|found| found.strip_prefix(line));
    found.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What a case cost in a process of its own.
#[derive(Clone, Copy, Default)]
struct Case {
    events: u64,
    records: u64,
    wall: u64,
    /// By how much memory grew at most, and how large the process was then, in KiB.
    grown: u64,
    peak: u64,
    dropped: u64,
    read: u64,
}

impl Case {
    fn of(name: &str) -> Self {
        let out = command_of_case(name, None).output().expect("this program can be started");
        let text = String::from_utf8(out.stdout).expect("numbers");
        let numbers: Vec<u64> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        let [events, records, wall, grown, peak, dropped, read] = numbers[..] else { panic!("{name}: {text}") };
        Self { events, records, wall, grown, peak, dropped, read }
    }
    /// Nanoseconds of an event.
    fn nanos(&self) -> f64 {
        self.wall as f64 / self.events as f64
    }
    /// The median of some runs.
    fn median(name: &str, runs: usize) -> Self {
        let mut all: Vec<Self> = (0..runs).map(|_| Self::of(name)).collect();
        all.sort_by_key(|case| case.wall);
        all[runs / 2]
    }
}

fn command_of_case(name: &str, under: Option<&[&str]>) -> Command {
    let own = std::env::current_exe().expect("this program has a file");
    let mut command = match under {
        None => Command::new(&own),
        Some(under) => {
            let mut command = Command::new(under[0]);
            command.args(&under[1..]).arg(&own);
            command
        }
    };
    command.args(["case", name]);
    command
}

/// The instructions of a case's run, if valgrind counts them here.
fn instructions_of(name: &str) -> Option<u64> {
    let under = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measured_run*"];
    let out = command_of_case(name, Some(&under)).output().ok()?;
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let line = text.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

/// The mean time of a command in nanoseconds, over so many runs of it.
fn command_time(runs: usize, mut command: Command) -> Option<f64> {
    let before = cpu_time_of_children();
    for _ in 0..runs {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        assert!(status.code().is_some_and(|code| code <= 1), "{command:?}: {status}");
    }
    Some((cpu_time_of_children() - before) as f64 / runs as f64)
}

/// `schedsim run FILE` for a story.
fn command_run(runs: usize, name: &str) -> f64 {
    let (story, file) = (story(name), file_of(name));
    std::fs::write(&file, &story.text).expect("the folder can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_schedsim"));
    command.arg("run").arg(file).args(story.words());
    command_time(runs, command).expect("the program can be started")
}

fn file_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("toml")
}

fn millis(nanos: f64) -> String {
    format!("{:.1} ms", nanos / 1e6)
}

fn command_to_library(name: &'static str) -> Row {
    let story = "apps-1000-100-1h";
    let library = Case::median(story, RUNS).wall as f64;
    let command = command_run(RUNS, story);
    Row::ratio(name, "2–2.5", "1.15", command / library, format!("{} / {}", millis(command), millis(library)))
}

fn growth(name: &'static str, cases: [&str; 2]) -> Row {
    let [small, large] = cases.map(|case| Case::median(case, RUNS).nanos());
    Row::ratio(name, "2.6–3.0", "1.5", large / small, format!("{large:.0} ns / {small:.0} ns"))
}

fn instructions(name: &'static str, [small, large]: [&str; 2]) -> Row {
    let each = |case| Some(instructions_of(case)? as f64 / Case::of(case).events as f64);
    match (each(small), each(large)) {
        (Some(small), Some(large)) => {
            Row::ratio(name, "1.45 / –", "–", large / small, format!("{large:.0} / {small:.0}"))
        }
        _ => Row::missing(name, "valgrind"),
    }
}

fn memory(name: &'static str) -> Row {
    let case = Case::of("apps-1000-100-1h");
    let bytes = case.grown as f64 * 1024.0 / case.events as f64;
    let beside = format!("{} events, {} records, {} MiB", case.events, case.records, case.grown >> 10);
    Row::plain(name, "218 B", "90", bytes, "B", beside)
}

fn day_of_pools(name: &'static str) -> Row {
    let toy = |words: &[&str]| {
        let mut command = Command::new("python3");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/limits/toy.py")).arg("100").args(words);
        command_time(RUNS, command)
    };
    let command = command_run(RUNS, "pools-100-2025-11-14");
    match (toy(&[]), toy(&["own"])) {
        (Some(lean), Some(own)) => {
            let (ours, theirs, times) = (millis(command), millis(own), command / lean);
            let beside = format!("{ours} / {theirs}; {times:.1} times a toy where one event looks at all pools");
            Row::ratio(name, "3.2", "1.0", command / own, beside)
        }
        _ => Row::missing(name, "python3"),
    }
}

fn day_of_one(name: &'static str) -> Row {
    let story = "pools-1-2025-11-14";
    let command = command_run(20 * RUNS, story);
    let library = Case::median(story, 4 * RUNS).wall as f64;
    Row::plain(name, "8–9 ms", "5", command / 1e6, "ms", format!("of which the run {}", millis(library)))
}

fn large(name: &'static str) -> Row {
    let case = Case::of("apps-100000-1000-2m");
    let beside = format!(
        "{} events, {} records, {} events dropped, {:.1} GiB, read in {:.1} s",
        case.events,
        case.records,
        case.dropped,
        case.peak as f64 / f64::from(1 << 20),
        case.read as f64 / 1e9
    );
    // The goal is an hour's: a thirtieth of it.
    Row::plain(name, "not tried", "2", case.wall as f64 / 1e9, "s", beside)
}
