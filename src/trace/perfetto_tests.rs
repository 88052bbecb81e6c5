//! Tests of the Perfetto form, on traces made by hand. `tests/perfetto/check.py` asks real ones.

use super::*;
use crate::kernel::{RecordId, SimDuration};
use crate::model::{Controller, LeaseStatus, Reason, Value};
use crate::trace::testing::{Maker, t, word};

fn events(trace: &Trace, ended_at: &str) -> Vec<Json> {
    let mut bytes = Vec::new();
    write(trace, t(ended_at), &mut bytes).expect("memory can be written");
    let mut file: Json = serde_json::from_slice(&bytes).expect("JSON");
    match file["traceEvents"].take() {
        Json::Array(events) => events,
        other => panic!("no list of events: {other}"),
    }
}

fn story() -> Maker {
    let mut m = Maker::new();
    let (_, pool) = m.pool(1);
    for n in 0..4 {
        m.stuck_life(pool, n, t("1s") + SimDuration::from_mins(7) * u64::from(n), 6);
    }
    m.at("40m").by(Controller::Pool);
    let why = m.decide(pool, Reason::CoolingDown { until: t("50m") });
    m.patch(pool, why, &[(Field::CooldownUntil, Value::None, Value::Time(t("50m")))]);
    m
}

fn with_phase<'a>(events: &'a [Json], ph: &'a str) -> impl Iterator<Item = &'a Json> {
    events.iter().filter(move |event| event["ph"] == ph)
}

fn number(event: &Json, key: &str) -> u64 {
    event[key].as_u64().unwrap_or_else(|| panic!("{key} is no whole number in {event}"))
}

#[test]
fn spans_of_one_thread_touch_and_never_overlap() {
    let all = events(&story().trace, "1h");
    let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
    let mut spans = 0;
    for event in with_phase(&all, "X") {
        let end = ends.entry(number(event, "tid")).or_default();
        assert!(number(event, "ts") >= *end, "{event} begins before the last one's end at {end}");
        *end = number(event, "ts") + number(event, "dur");
        spans += 1;
    }
    assert_eq!(spans, 4 * 3 + 1, "three states of each of four sandboxes, one cooldown");
}

#[test]
fn events_come_in_order_of_time_but_for_what_tells_its_end_at_once() {
    let all = events(&story().trace, "1h");
    let mut last = 0;
    for event in all.iter().filter(|event| matches!(event["ph"].as_str(), Some("X" | "i" | "s" | "f"))) {
        assert!(number(event, "ts") >= last, "{event} after {last}");
        last = number(event, "ts");
    }
}

#[test]
fn every_arrow_begins_and_ends_right_after_an_instant_of_its_thread() {
    let all = events(&story().trace, "1h");
    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    let mut instant = (0, 0);
    for event in &all {
        let place = |event: &Json| (number(event, "tid"), number(event, "ts"));
        match event["ph"].as_str() {
            Some("i") => instant = place(event),
            Some("s") => {
                assert_eq!(place(event), instant, "{event}");
                begun.push(number(event, "id"));
            }
            Some("f") => {
                assert_eq!((place(event), event["bp"].as_str()), (instant, Some("e")), "{event}");
                ended.push(number(event, "id"));
                assert!(begun.contains(&number(event, "id")), "{event} ends before it begins");
            }
            _ => {}
        }
    }
    begun.sort_unstable();
    ended.sort_unstable();
    assert_eq!(begun, ended);
    assert!(begun.len() > 10, "{} arrows show little", begun.len());
}

#[test]
fn a_cooldown_counts_its_seconds_and_then_nothing() {
    let all = events(&story().trace, "1h");
    let cooldown: Vec<(u64, u64)> = with_phase(&all, "C")
        .filter_map(|event| Some((number(event, "ts") / 60_000_000, event["args"]["cooldown_s"].as_u64()?)))
        .collect();
    assert_eq!(cooldown, [(40, 600), (50, 0)]);
    let desired: Vec<u64> = with_phase(&all, "C").filter_map(|event| event["args"]["desired"].as_u64()).collect();
    assert_eq!(desired, [1]);
}

#[test]
fn what_can_overlap_is_asynchronous_with_a_number_of_its_own() {
    let mut m = Maker::new();
    let (_, pool) = m.pool(2);
    let disk = m.create(Kind::Disk, "disk/pds-data", RecordId::NONE, &[]);
    for (n, at) in [(0, "10s"), (1, "20s")] {
        let sandbox = m.sandbox(pool, n);
        let fields = [
            (Field::Disk, Value::Ref(disk)),
            (Field::Sandbox, Value::Ref(sandbox)),
            (Field::Status, word(LeaseStatus::Pending)),
        ];
        let lease = m.at(at).create(Kind::Lease, &format!("lease/pds-data-{n}"), RecordId::NONE, &fields);
        m.status(lease, RecordId::NONE, "pending", "bound");
    }
    let all = events(&m.trace, "1m");
    let holders = |ph| {
        let all = with_phase(&all, ph).filter(|event| event["cat"] == "holder");
        all.map(|event| (event["name"].as_str().expect("a name").to_owned(), number(event, "id"))).collect::<Vec<_>>()
    };
    assert_eq!(holders("b"), holders("e"));
    let names: Vec<String> = holders("b").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["held by sandbox/pds-database-0", "held by sandbox/pds-database-1"]);
}

#[test]
fn a_trace_of_no_events_is_an_empty_list() {
    assert_eq!(events(&Trace::default(), "1h"), [] as [Json; 0]);
}
