//! The code base under test: who may use whom, what is banned, how long files are.
//!
//! It reads the sources as text and knows no Rust beyond paths, comments and strings. What it
//! says names the line and where such code belongs. What a newcomer gets wrong: a finding is
//! answered by moving code; an entry is added to a list here only with its reason.

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/front.rs"]
mod front;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/words.rs"]
mod words;

use source::{File, Line, files};

/// A module at the top of the crate.
struct Module {
    name: &'static str,
    /// What belongs there.
    holds: &'static str,
    /// What it may use: modules, or parts of them.
    may_use: &'static [&'static str],
    /// What its tests may use besides.
    tests_may_use: &'static [&'static str],
}

const fn module(name: &'static str, holds: &'static str, may_use: &'static [&'static str]) -> Module {
    Module { name, holds, may_use, tests_may_use: &[] }
}

/// Every module, each above those that it uses.
const MODULES: &[Module] = &[
    module("time", "instants and spans of the simulated clock", &[]),
    module("notify", "waits for a change that another task makes", &[]),
    module("hashed", "finds things by what they are", &[]),
    module("kernel", "the agenda, the executor, random streams", &["time", "hashed"]),
    // The model is timed, and knows nothing of what makes time pass.
    module("model", "entities, names, statuses and their changes", &["time", "hashed"]),
    module("constants", "tables of constants: kinds, eras and roles", &["time", "model"]),
    module("ports", "the traits through which controllers reach the world", &["time", "model"]),
    module("appconfig", "the user's app TOML", &["time", "model"]),
    // The scheduler's own logic: it could run on a wall clock, so it knows no simulator.
    module("controllers", "the scheduler's logic", &["time", "constants", "notify", "model", "ports", "appconfig"]),
    module("trace", "the records of a run and what is folded from them", &["time", "hashed", "kernel", "model"]),
    // What really is: backends, store and faults, and the judges over them.
    module(
        "world",
        "the simulated store and backends, faults, judges",
        &["time", "constants", "notify", "hashed", "kernel", "model", "ports", "trace"],
    ),
    // A file's words become the world's plain data and the scheduler's named switches.
    module(
        "scenario",
        "the scenario file and its messages",
        &[
            "time",
            "constants",
            "kernel",
            "model",
            "appconfig",
            "controllers::backoff",
            "controllers::fixes",
            "controllers::tuning",
            "trace::metrics",
            "world::spec",
        ],
    ),
    // The only place that knows both the controllers and the world.
    module(
        "sim",
        "one run: a scenario wired to a world",
        &["time", "constants", "kernel", "model", "ports", "controllers", "trace", "world", "scenario"],
    ),
    Module {
        name: "report",
        holds: "what is written about a run",
        may_use: &[
            "time",
            "kernel",
            "model",
            "controllers::fixes",
            "controllers::rule_book",
            "trace",
            "world::spec",
            "scenario",
            "sim",
        ],
        tests_may_use: &["appconfig"],
    },
    module(
        "own",
        "what a controller of a user's own is written against",
        &["time", "model", "ports", "controllers::pool", "controllers::runtime"],
    ),
    module("archive", "the elder records of a long run, in a file", &["trace"]),
    module(
        "replay",
        "a run and its report together",
        &["time", "kernel", "trace", "scenario", "sim", "report", "archive"],
    ),
    module(
        "study",
        "many runs: comparisons, searches, sweeps",
        &[
            "time",
            "constants",
            "kernel",
            "model",
            "controllers::fixes",
            "trace",
            "world::spec",
            "scenario",
            "sim",
            "report",
            "replay",
        ],
    ),
    Module {
        name: "view",
        holds: "a run looked at in a terminal",
        may_use: &["time", "kernel", "controllers::fixes", "trace", "scenario", "sim", "report", "study"],
        tests_may_use: &["model"],
    },
    // Commands ask for runs and print what comes back; they look into no world.
    module(
        "cli",
        "the commands",
        &[
            "time",
            "kernel",
            "controllers::fixes",
            "controllers::rule_book",
            "trace",
            "scenario",
            "sim",
            "report",
            "replay",
            "study",
            "view",
        ],
    ),
    module("main", "the program's entry", &["cli"]),
    module("lib", "the list of modules", &[]),
];

/// Something that may not be written.
struct Banned {
    /// Any of these, as whole words.
    words: &'static [&'static str],
    /// Where: the beginnings of paths.
    within: &'static [&'static str],
    /// Where it may be written nevertheless.
    except: &'static [&'static str],
    /// Whether tests may write it.
    tests_may: bool,
    /// What to write.
    instead: &'static str,
}

const LIBRARY: &[&str] = &["src/"];
const EVERYWHERE: &[&str] = &["src/", "tests/", "benches/"];
/// What a run consists of: the same on every machine, at every hour.
const RUN: &[&str] = &[
    "src/time.rs",
    "src/notify.rs",
    "src/hashed.rs",
    "src/constants.rs",
    "src/kernel/",
    "src/model/",
    "src/ports/",
    "src/controllers/",
    "src/world/",
    "src/sim/",
    "src/trace/",
];

const BANNED: &[Banned] = &[
    Banned {
        words: &["std::time", "Instant", "SystemTime"],
        within: LIBRARY,
        // How long something takes on the wall may be shown to whoever waits for it.
        except: &["src/cli/"],
        tests_may: false,
        instead: "`SimTime` and `SimDuration`: no wall clock is read in a simulation",
    },
    Banned {
        words: &["HashMap", "HashSet", "hash_map", "hash_set", "RandomState"],
        within: EVERYWHERE,
        except: &[],
        tests_may: false,
        instead: "`BTreeMap`, `BTreeSet` or a slab: the order of hashes would leak into the trace",
    },
    Banned {
        // Settings and resamples are shuffled and drawn by it, over a stream; nothing within a run is.
        words: &["rand::"],
        within: LIBRARY,
        except: &["src/study/sweep/"],
        tests_may: false,
        instead: "`Streams`: every draw follows from the seed",
    },
    Banned {
        words: &["rand::rng", "thread_rng", "from_os_rng"],
        within: LIBRARY,
        except: &[],
        tests_may: false,
        instead: "`Streams`: every draw follows from the seed",
    },
    Banned {
        words: &["thread::sleep"],
        within: EVERYWHERE,
        except: &[],
        tests_may: false,
        instead: "`Clock::sleep`, or a bounded wait for the thing itself: nothing waits for the wall clock",
    },
    Banned {
        words: &[".poll("],
        within: &["src/controllers/", "src/world/", "src/sim/"],
        except: &[],
        tests_may: true,
        instead: "`.await`, or `Clock::timeout`: the clock may move within a poll, past what the task waits for beside it",
    },
    Banned {
        words: &["thread::spawn", "thread::scope", "Mutex", "Atomic", "Arc<Cell", "thread_local!"],
        within: RUN,
        // Names are shared by the runs of a study; a waker of the standard library must be `Sync`.
        except: &["src/model/name.rs", "src/kernel/executor/ready.rs"],
        tests_may: false,
        instead: "tasks of the kernel, `Rc` and `Cell`: a run has one thread, many runs are `study`'s",
    },
    Banned {
        words: &["std::fs", "std::env", "std::net", "std::process"],
        within: RUN,
        except: &[],
        tests_may: true,
        instead: "what the scenario says: a run touches nothing of the machine; files are read by `scenario`, `report` and `cli`",
    },
    Banned {
        words: &["f32", "f64"],
        within: RUN,
        // Distributions are rounded to nanoseconds once, at the draw; figures become floats in JSON alone.
        except: &["src/world/spec.rs", "src/trace/metrics.rs"],
        tests_may: true,
        instead: "whole nanoseconds, counts or parts per million: no float in a decision",
    },
    Banned {
        words: &["println!", "eprintln!", "print!", "eprint!"],
        within: LIBRARY,
        except: &["src/cli/", "src/main.rs"],
        tests_may: true,
        instead: "a return value: `cli` alone writes to the terminal",
    },
    Banned {
        words: &["todo!", "unimplemented!", "dbg!"],
        within: EVERYWHERE,
        except: &[],
        tests_may: false,
        instead: "the thing itself, or nothing: what is not built is not there",
    },
    Banned {
        words: &["#[allow", "#![allow", "allow("],
        within: EVERYWHERE,
        except: &[],
        tests_may: false,
        instead: "`#[expect(lint, reason = \"...\")]`, which tells when it is no longer needed",
    },
    Banned {
        words: &["super::super"],
        within: LIBRARY,
        except: &[],
        tests_may: false,
        instead: "the path from `crate`, which shows the module that is meant",
    },
    Banned {
        words: &["#[ignore"],
        within: EVERYWHERE,
        except: &[],
        tests_may: false,
        instead: "an assertion of what happens today, with the reason why it is wrong",
    },
];

/// Files with more lines are asked what second thing they do.
const LINES_MAX: usize = 500;

/// All code that the rules are about; this file and what belongs to it has to name what it bans.
fn sources() -> Vec<File> {
    let all = ["src", "tests", "benches"].iter().flat_map(|folder| files(folder));
    all.filter(|file| !file.path.starts_with("tests/architecture")).collect()
}

fn report(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}: {}\n\n{}\n", found.len(), found.join("\n"));
}

fn named(name: &str) -> Option<&'static Module> {
    MODULES.iter().find(|module| module.name == name)
}

/// Whether a path is a part of an allowed one: `time` is one of `kernel`.
fn covers(allowed: &str, path: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl Module {
    fn may(&self, path: &str, in_tests: bool) -> bool {
        let tests = if in_tests { self.tests_may_use } else { &[] };
        covers(self.name, path) || self.may_use.iter().chain(tests).any(|allowed| covers(allowed, path))
    }
}

/// The paths from the root of the crate that a line names: `time::SimTime`.
fn paths(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for root in ["crate::", "schedsim::"] {
        for (at, _) in code.match_indices(root) {
            let whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            let rest = &code[at + root.len()..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            if whole {
                found.push(rest[..end].trim_end_matches(':'));
            }
        }
    }
    found
}

/// What is wrong with a line of a module's code.
fn trespass(module: &Module, line: &Line<'_>) -> Option<String> {
    let path = paths(&line.code).into_iter().find(|path| !module.may(path, line.in_tests))?;
    let other = path.split("::").next().expect("a path has parts");
    let Some(used) = named(other) else {
        return Some(format!("`{path}`: name the module in the path, one `use` for each"));
    };
    let may = if module.may_use.is_empty() { "nothing else".to_owned() } else { module.may_use.join(", ") };
    // The first that may use both is the lowest place for what needs both.
    let both = |place: &&Module| place.may(module.name, false) && place.may(path, false);
    let place = match MODULES.iter().find(both) {
        Some(place) => format!("what needs both belongs in `{}` ({})", place.name, place.holds),
        None => format!("nothing may use both: hand it over as an argument, or move it to `{other}` ({})", used.holds),
    };
    Some(format!("`{}` ({}) may use {may}, and not `{path}`; {place}", module.name, module.holds))
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut found = Vec::new();
    for file in files("src") {
        let Some(module) = named(file.module()) else {
            found.push(format!("{}: `{}` is not in the table of modules", file.path, file.module()));
            continue;
        };
        for line in file.lines() {
            let place = format!("{}:{}: {}", file.path, line.number, line.text.trim());
            found.extend(trespass(module, &line).map(|why| format!("{place}\n    {why}")));
            let top =
                file.path == format!("src/{}.rs", module.name) || file.path == format!("src/{}/mod.rs", module.name);
            if top && !line.in_tests && holds(&line.code, "super::") {
                found.push(format!("{place}\n    `super` is the whole crate here: write `crate::`"));
            }
        }
    }
    report("uses that the table of modules does not allow", &found);
}

#[test]
fn the_table_of_modules_points_downwards() {
    for (index, module) in MODULES.iter().enumerate() {
        for used in module.may_use.iter().chain(module.tests_may_use) {
            let name = used.split("::").next().expect("a path has parts");
            let below = MODULES[..index].iter().any(|other| other.name == name);
            assert!(below, "`{}` uses `{used}`, which is not above it in the table", module.name);
        }
    }
}

#[test]
fn a_use_that_is_not_allowed_is_told_with_the_place_where_it_belongs() {
    let told = |module: &str, text: &str, in_tests: bool| {
        let line = Line { number: 1, text, code: text.to_owned(), in_tests };
        trespass(named(module).expect("in the table"), &line)
    };
    for (module, text) in [
        ("world", "use crate::trace::{Trace, What};"),
        ("world", "use crate::world::spec::Spread;"),
        ("controllers", "use crate::time::SimTime;"),
        ("scenario", "fn f(fix: crate::controllers::fixes::Fix) {}"),
        ("cli", "use schedsim::scenario::Scenario;"),
        ("model", "macro_rules! m { () => { $crate::world::World } }"),
    ] {
        assert_eq!(told(module, text, false), None, "{module}: {text}");
    }
    for (module, text, why) in [
        (
            "world",
            "use crate::scenario::Scenario;",
            "`world` (the simulated store and backends, faults, judges) may use time, constants, notify, hashed, kernel, model, ports, trace, and not \
             `scenario::Scenario`; what needs both belongs in `sim` (one run: a scenario wired to a world)",
        ),
        (
            "kernel",
            "now: crate::model::Name,",
            "`kernel` (the agenda, the executor, random streams) may use time, hashed, and not `model::Name`; \
             what needs both belongs in `trace` (the records of a run and what is folded from them)",
        ),
        ("ports", "use crate::{kernel, model};", "``: name the module in the path, one `use` for each"),
    ] {
        assert_eq!(told(module, text, false).as_deref(), Some(why), "{module}: {text}");
    }
    // A part of a module is not all of it.
    assert!(told("controllers", "use crate::kernel::{SimTime, Kernel};", false).is_some());
    assert!(told("scenario", "use crate::controllers::pool::PoolController;", false).is_some());
    assert!(told("report", "use crate::appconfig::Loader;", false).is_some());
    assert!(told("report", "use crate::appconfig::Loader;", true).is_none(), "tests may use a little more");
}

/// Whether a text holds a word that is not a part of a longer one.
fn holds(code: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = word.starts_with(inside) && code[..at].ends_with(inside);
        let after = word.ends_with(inside) && code[at + word.len()..].starts_with(inside);
        !before && !after
    })
}

#[test]
fn nothing_banned_is_written() {
    let begins = |path: &str, places: &[&str]| places.iter().any(|place| path.starts_with(place));
    let mut found = Vec::new();
    for file in sources() {
        let rules = || BANNED.iter().filter(|b| begins(&file.path, b.within) && !begins(&file.path, b.except));
        for line in file.lines() {
            for banned in rules().filter(|banned| !(banned.tests_may && line.in_tests)) {
                let word = banned.words.iter().find(|word| holds(&line.code, word));
                let place = || format!("{}:{}: {}", file.path, line.number, line.text.trim());
                found.extend(word.map(|word| format!("{}\n    `{word}`: write {}", place(), banned.instead)));
            }
        }
    }
    report("banned items", &found);
}

#[test]
fn a_banned_item_is_a_whole_word() {
    for (code, word, yes) in [
        ("use std::collections::HashMap;", "HashMap", true),
        ("let a = MyHashMap::new();", "HashMap", false),
        ("struct Instants;", "Instant", false),
        ("let x: u64 = 5f64 as u64", "f64", false),
        ("x as f64", "f64", true),
        ("rand::rng()", "rand::", true),
        ("operand::of()", "rand::", false),
        ("eprintln!(\"\")", "println!", false),
        ("#[allow(dead_code)]", "#[allow", true),
    ] {
        assert_eq!(holds(code, word), yes, "{word} in {code}");
    }
}

#[test]
fn the_exceptions_of_the_lists_exist() {
    let all: Vec<String> = sources().into_iter().map(|file| file.path).collect();
    let named = BANNED.iter().flat_map(|banned| banned.within.iter().chain(banned.except));
    for path in named {
        assert!(all.iter().any(|known| known.starts_with(path)), "{path} is on a list and does not exist");
    }
}

#[test]
fn no_file_does_a_second_thing() {
    let lines = |file: &File| file.text.lines().count();
    let long = sources().into_iter().filter(|file| lines(file) > LINES_MAX);
    let found: Vec<String> = long
        .map(|file| format!("{}: {} lines; what second thing does it do? move that out", file.path, lines(&file)))
        .collect();
    report("files of more than 500 lines", &found);
}

#[test]
fn every_file_says_what_it_is() {
    let silent = |file: &File| !file.text.starts_with("//! ");
    let found: Vec<String> = sources().iter().filter(|file| silent(file)).map(|file| file.path.clone()).collect();
    report("files that do not begin with a module comment", &found);
}
