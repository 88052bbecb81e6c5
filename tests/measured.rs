//! Stories that were run on the real scheduler of their day as well: the same events at the same times?
//!
//! `studies/measured/NAME.csv` says what was measured there, `NAME.toml` tells the same story here,
//! and `studies/measured.toml` says of each which rules it shows and why it differs, where it does.
//! The section of `docs/fidelity.md` about them is made from that: `UPDATE_DOCS=1 cargo test --test
//! measured`. What a newcomer gets wrong: a measured file is evidence and is never made to agree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;
use schedsim::trace::jsonl;
use serde::Deserialize;
use serde_json::Value;

const PAGE: &str = "docs/fidelity.md";
const HEADING: &str = "## Stories that were run on the real scheduler";
/// Differences beyond this need a reason, in seconds: a tenth of the shortest ticker's period.
const NEAR: f64 = 1.0;
/// Events nearer to each other than this have no order, in seconds.
const TOGETHER: f64 = 0.1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stories {
    story: Vec<Story>,
}

/// One story, as `studies/measured.toml` has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    name: String,
    /// The commit that was run.
    tree: String,
    /// The numbers of the rules that it shows.
    rules: Vec<String>,
    /// Why it differs, where it does.
    #[serde(default)]
    note: String,
}

/// What an event is about: kind, number in order of appearance, field and value. Requests have no number.
type Key = (String, usize, String, String);
/// When each event came, in seconds.
type Events = BTreeMap<Key, Vec<f64>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str, ending: &str) -> PathBuf {
    root().join("studies/measured").join(format!("{name}.{ending}"))
}

fn key(kind: &str, number: usize, field: &str, value: &str) -> Key {
    (kind.to_owned(), if kind == "request" { 0 } else { number }, field.to_owned(), value.to_owned())
}

fn measured(name: &str) -> Events {
    let mut events = Events::new();
    let mut rows = csv::Reader::from_path(file(name, "csv")).expect("a measured story");
    for row in rows.deserialize() {
        let (at, kind, number, field, value): (f64, String, usize, String, String) = row.expect("a measured event");
        events.entry(key(&kind, number, &field, &value)).or_default().push(at);
    }
    events
}

/// How long a served request is served: it is recorded at its end, and was measured at its begin.
fn service_time(name: &str) -> f64 {
    let story: toml::Table =
        std::fs::read_to_string(file(name, "toml")).expect("the story").parse().expect("the story");
    let text = story["workload"]["shop"]["web"].get("request").and_then(toml::Value::as_str);
    text.map_or(0.05, |text| text.trim_end_matches('s').parse().expect("whole seconds"))
}

fn simulated(name: &str) -> Events {
    let scenario = Scenario::from_file(&file(name, "toml"), &Overrides::default())
        .unwrap_or_else(|found| panic!("{}", found.render(false)));
    let outcome = Simulation::new(&scenario, &scenario.variants[0]).run();
    let mut lines = Vec::new();
    jsonl::write(&outcome.trace, &mut lines).expect("the trace");
    let mut events = Events::new();
    let (mut numbers, mut counts) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
    let service_time = service_time(name);
    for line in String::from_utf8(lines).expect("text").lines() {
        let record: Value = serde_json::from_str(line).expect("a record");
        let at = record["t"].as_f64().expect("a time") / 1e9;
        let (about, what) = (record["about"].as_str().expect("a subject"), &record["what"]);
        let kind = about.split('/').next().expect("a kind");
        if what.get("request-served").is_some() {
            events.entry(key("request", 0, "status", "served")).or_default().push(at - service_time);
        } else if what.get("request-failed").is_some() {
            events.entry(key("request", 0, "status", "failed")).or_default().push(at);
        }
        if !["pool", "sandbox", "lease", "disk"].contains(&kind) {
            continue;
        }
        let number = *numbers.entry(about.to_owned()).or_insert_with(|| {
            let next = counts.entry(kind.to_owned()).or_default();
            *next += 1;
            *next - 1
        });
        // What was so already was not measured.
        let event = if what.get("set").is_some_and(|set| set["from"] == set["to"]) {
            None
        } else if what.get("deleted").is_some() {
            Some(("deleted".to_owned(), "yes".to_owned()))
        } else {
            what.get("set").and_then(|set| told(kind, set))
        };
        if let Some((field, value)) = event {
            events.entry(key(kind, number, &field, &value)).or_default().push(at);
        }
    }
    events
}

/// A write as the measured files say it; none for fields that were not measured.
fn told(kind: &str, set: &Value) -> Option<(String, String)> {
    let (field, to) = (set["field"].as_str()?, &set["to"]);
    let number = || if to.is_null() { "0".to_owned() } else { to.to_string() };
    let value = match (kind, field) {
        ("pool", "desired_instances") => number(),
        // A count that appears at zero is not news.
        ("pool", "current_instances" | "ready_instances" | "consecutive_crash_count") => {
            if set["from"].is_null() && number() == "0" {
                return None;
            }
            number()
        }
        ("pool", "referenced_by_versions") => number(),
        ("pool", "cooldown_until") => to.as_str().map_or("none".to_owned(), |text| format!("{:.0}", seconds(text))),
        ("sandbox", "last_activity") => "set".to_owned(),
        (_, "status") => to.as_str()?.to_owned(),
        _ => return None,
    };
    Some((field.to_owned(), value))
}

/// Seconds of a duration like `3m50.004s`.
fn seconds(text: &str) -> f64 {
    let mut rest = text;
    let mut total = 0.0;
    for (unit, worth) in [("h", 3600.0), ("m", 60.0), ("s", 1.0)] {
        if let Some((number, after)) = rest.split_once(unit) {
            // `ms` at the end is no minute.
            if unit == "m" && after.starts_with('s') {
                return total + number.parse::<f64>().expect("milliseconds") / 1e3;
            }
            total += number.parse::<f64>().expect("a number") * worth;
            rest = after;
        }
    }
    total
}

/// How two runs of a story compare.
struct Compared {
    measured: usize,
    both: usize,
    simulated: usize,
    farthest: f64,
    same_order: bool,
}

impl Compared {
    fn of(name: &str) -> Self {
        let (measured, simulated) = (measured(name), simulated(name));
        let count = |events: &Events| events.values().map(Vec::len).sum();
        let mut pairs: Vec<(f64, f64)> = Vec::new();
        for (key, here) in &measured {
            let there = simulated.get(key).map_or(&[][..], Vec::as_slice);
            pairs.extend(here.iter().copied().zip(there.iter().copied()));
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut latest = f64::NEG_INFINITY;
        let mut behind = pairs.iter().peekable();
        // No event comes here before one that came clearly earlier there.
        let same_order = pairs.iter().all(|pair| {
            while behind.next_if(|earlier| earlier.0 < pair.0 - TOGETHER).is_some_and(|earlier| {
                latest = latest.max(earlier.1);
                true
            }) {}
            pair.1 >= latest - TOGETHER
        });
        Self {
            measured: count(&measured),
            both: pairs.len(),
            simulated: count(&simulated),
            farthest: pairs.iter().map(|(there, here)| (there - here).abs()).fold(0.0, f64::max),
            same_order,
        }
    }

    fn agrees(&self) -> bool {
        self.measured == self.both && self.simulated == self.both && self.farthest <= NEAR && self.same_order
    }

    fn line(&self, story: &Story) -> String {
        let order = if self.same_order { "same" } else { "**differs**" };
        let rules = story.rules.join(", ");
        format!(
            "| {} | `{}` | {rules} | {} | {} | {} | {order} | {:.3} | {} |\n",
            story.name, story.tree, self.measured, self.both, self.simulated, self.farthest, story.note
        )
    }
}

fn section(stories: &[Story]) -> String {
    let mut text = format!(
        "{HEADING}\n\n\
         The scheduler's own controllers of that commit – launcher, pool manager and monitor, scheduler, activator, sandbox, disk,\n\
         lease and disk-watch controllers, their framework, the entity server and its store – were run in virtual time on an\n\
         in-memory etcd (0.25 ms a round trip, 5 ms to a watch event) and an in-memory container runtime whose programs behave as\n\
         the story says; image pulls, volume calls and probes take what they take here. Every event of both runs is one write of a\n\
         status, a count, a cooldown, a reference, an activity, or an answer to a request. *Both* have the events that came in both\n\
         runs, paired in order; the *order* is that of events more than 0.1 s apart; the *farthest* pair is that many seconds apart.\n\
         The files are `studies/measured/STORY.csv` and `.toml`. Made by `UPDATE_DOCS=1 cargo test --test measured`; do not edit.\n\n\
         | story | commit | rules | measured | both | simulated | order | farthest | why it differs |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    stories.iter().for_each(|story| text.push_str(&Compared::of(&story.name).line(story)));
    text
}

#[test]
fn the_page_says_how_the_stories_compare() {
    let text = std::fs::read_to_string(root().join("studies/measured.toml")).expect("the stories");
    let stories = toml::from_str::<Stories>(&text).expect("stories as they should be").story;
    let page = std::fs::read_to_string(root().join(PAGE)).expect("the page");
    let made = section(&stories);
    let before = page.split(HEADING).next().expect("a page").trim_end();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(PAGE), format!("{before}\n\n{made}")).expect("the page can be written");
    } else {
        let said = page.find(HEADING).map_or("", |from| &page[from..]);
        assert_eq!(said, made, "UPDATE_DOCS=1 cargo test --test measured, and look at what changed");
    }
    let rules = std::fs::read_to_string(root().join("docs/rules.md")).expect("the rules");
    for story in &stories {
        let compared = Compared::of(&story.name);
        assert!(compared.agrees() || !story.note.is_empty(), "{}: differs and does not say why", story.name);
        assert!(!compared.agrees() || story.note.is_empty(), "{}: says why it differs, and does not", story.name);
        for rule in &story.rules {
            assert!(rules.contains(&format!("\n### {rule} ")), "{}: no rule {rule}", story.name);
        }
    }
    let files = std::fs::read_dir(root().join("studies/measured")).expect("the measured stories").count();
    assert_eq!(files, 2 * stories.len(), "a measured story that studies/measured.toml does not have");
}
