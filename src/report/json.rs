//! The JSON result of one run: one object, keys sorted, numbers exact.
//!
//! The contract that programs read (`schema` 1); text for people is made elsewhere. It may read
//! outcomes only. What a newcomer gets wrong: metrics are plain decimals written digit by digit
//! – a binary float would round long sums, and two runs could no longer be compared by `diff`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::controllers::fixes::Fix;
use crate::scenario::{Policy, Scenario, Variant};
use crate::sim::{self, Outcome, Violation};
use crate::trace::metrics::{Metric, Metrics};

use super::{ExpectResult, is_sound, lasting_faults, settled_in};

/// The version of the object's shape. 2: `trace_digest` is of the records, no longer of their JSON lines.
const SCHEMA: u32 = 2;

/// The result of one run: keys and their values.
pub type RunObject = BTreeMap<&'static str, Entry>;

/// A value of the result.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// One that is no figure.
    Value(Value),
    /// All figures, digit by digit.
    Figures(BTreeMap<&'static str, Box<RawValue>>),
}

/// The result of one run; `digest` is that of its trace, `more` are further keys and their values.
pub fn json(
    scenario: &Scenario,
    variant: &Variant,
    outcome: &Outcome,
    metrics: &Metrics,
    checked: &ExpectResult,
    digest: &str,
    more: impl IntoIterator<Item = (&'static str, Value)>,
) -> RunObject {
    let file = scenario.file.as_ref().map(|file| file.to_string_lossy().replace('\\', "/"));
    let step = |index: usize| scenario.steps.get(index).map(|step| step.name.as_str());
    let rejected = outcome.rejected.iter().map(|(index, error)| json!({ "step": step(*index), "error": error }));
    let failures: Vec<String> = checked.failures.iter().map(ToString::to_string).collect();

    let mut object = RunObject::new();
    let mut put = |key, value: Value| object.insert(key, Entry::Value(value));
    put("schema", json!(SCHEMA));
    put("unproved", json!(outcome.unproved.as_ref().map(ToString::to_string)));
    put("scenario", json!(scenario.name));
    put("variant", json!(variant.name));
    put("file", json!(file));
    put("seed", json!(variant.seed));
    put("policy", policy(&variant.policy));
    put("verdict", json!(outcome.verdict.name()));
    put("settled_at", json!(outcome.settled_at));
    put("settled_in", json!(settled_in(scenario, variant.expect.as_ref(), outcome)));
    put("livelock", livelock(scenario, outcome));
    put("quiet", quiet(outcome));
    put("sound", json!(is_sound(outcome, metrics)));
    put("flaps", flaps(outcome));
    put("rejected", Value::Array(rejected.collect()));
    put("warnings", json!(outcome.warnings.iter().cloned().chain(outcome.stop.guard()).collect::<Vec<_>>()));
    put("ended_at", json!(outcome.ended_at));
    put("events", json!(outcome.events));
    put("trace_digest", json!(digest));
    put("violations", violations(outcome));
    put("expect", json!({ "passed": checked.passed, "failures": failures }));
    for (key, value) in more {
        put(key, value);
    }
    let exact = |metric: Metric| RawValue::from_string(metric.to_string()).expect("a number is JSON");
    let figures = metrics.iter().map(|(figure, metric)| (figure.name(), exact(metric)));
    object.insert("metrics", Entry::Figures(figures.collect()));
    object
}

fn policy(policy: &Policy) -> Value {
    let names = |fixes: &[Fix]| fixes.iter().map(|fix| fix.info().name).collect::<Vec<_>>();
    json!({
        "as_of": policy.as_of, "with": names(&policy.with), "without": names(&policy.without), "fixes": policy.fixes,
    })
}

fn livelock(scenario: &Scenario, outcome: &Outcome) -> Value {
    json!(outcome.livelock().map(|lock| {
        let each: BTreeMap<_, _> = sim::repeats(&outcome.trace, lock).into_iter().collect();
        json!({
            "from": lock.from, "period": lock.period, "proof": "state-recurrence", "each_period": each,
            "while_faults": lasting_faults(scenario, outcome, lock),
        })
    }))
}

fn quiet(outcome: &Outcome) -> Value {
    json!(outcome.quiet.map(|quiet| {
        let ahead = quiet.ahead.map(|(at, what)| json!({ "at": at, "what": what }));
        json!({
            "since": quiet.since, "lasted": quiet.lasted, "needed": quiet.needed, "proved": quiet.proved, "ahead": ahead,
            "too_short": quiet.is_too_short(),
        })
    }))
}

fn flaps(outcome: &Outcome) -> Value {
    json!(outcome.flaps.map(|flaps| {
        json!({
            "from": flaps.from, "times": flaps.times, "settled": flaps.settled, "of": flaps.of,
            "proved": outcome.recurrence.is_some(), "period": outcome.recurrence.map(|proof| proof.period),
        })
    }))
}

fn violations(outcome: &Outcome) -> Value {
    let one = |violation: &Violation| {
        json!({
            "invariant": violation.invariant.name(), "at": violation.at, "event": violation.record,
            "subject": outcome.trace.name(violation.subject), "detail": violation.detail,
        })
    };
    outcome.violations.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::Story;
    use crate::trace::metrics::Figure;

    #[test]
    fn the_object_is_one_line_with_sorted_keys_at_every_level() {
        let story = Story::forever_pending();
        let text = story.json();
        assert!(!text.contains('\n'));
        // serde_json keeps objects sorted, so a second round must change nothing but exact decimals.
        let parsed: Value = serde_json::from_str(&text).expect("valid JSON");
        let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        let in_text = |key: &String| text.find(&format!("\"{key}\":")).expect("the key is there");
        for window in keys(&parsed).windows(2) {
            assert!(in_text(&window[0]) < in_text(&window[1]), "{window:?}");
        }
        assert_eq!(parsed["schema"], 2);
        assert_eq!(parsed["verdict"], "livelock");
        assert_eq!(parsed["livelock"]["period"], "55m");
        assert_eq!(parsed["ended_at"], "3h");
        assert_eq!(parsed["metrics"]["sandboxes_created"], 24);
        assert!(text.contains("\"max_cooldown_s\":0.000,"), "figures keep all of their digits: {text}");
        assert_eq!(parsed["settled_in"], Value::Null);
        assert_eq!(parsed["expect"]["passed"], true);
        assert_eq!(parsed["violations"][0]["subject"], "pool/pds-database");
        assert!(parsed["trace_digest"].as_str().is_some_and(|digest| digest.starts_with("b3m:")));
    }

    #[test]
    fn every_key_of_the_contract_is_there() {
        let parsed: serde_json::Map<String, Value> =
            serde_json::from_str(&Story::forever_pending().json()).expect("valid JSON");
        let keys: Vec<&str> = parsed.keys().map(String::as_str).collect();
        let contract = "ended_at events expect file flaps livelock metrics policy quiet rejected scenario schema seed \
                        settled_at settled_in sound trace_digest unproved variant verdict violations warnings";
        assert_eq!(keys.join(" "), contract);
        assert_eq!(parsed["metrics"].as_object().map(serde_json::Map::len), Some(Figure::ALL.len()));
    }
}
