//! The life of a pool: who made it, what it wanted, what it had, its crashes and cooldowns.
//!
//! A pool has numbers instead of states, so it is summarised. It may know lives and the page.

use crate::kernel::SimDuration;
use crate::model::{Field, Reason, Value, counted};

use crate::trace::words;

use super::lives::{Label, Life, Setting};
use super::page::{Page, clean};
use super::spans::{merge, skeleton};

/// More different changes of the desired number are not told one by one.
const CHANGES_MAX: usize = 6;
/// More series of cooldowns likewise.
const SERIES_MAX: usize = 4;

/// Tells the life of one pool.
pub(super) fn tell(page: &mut Page, name: &str, life: &Life) {
    page.heading(name);
    let history = |field| life.settings.iter().filter(move |(f, _)| *f == field).map(|(_, setting)| setting);
    let mut desired = history(Field::DesiredInstances);
    let first = desired.next().map_or(0, |setting| number(setting.to));
    let by = history(Field::DesiredInstances).next().map(told_by);
    page.fact("created", &format!("{}desired {first}", by.map(|by| format!("{by}; ")).unwrap_or_default()));
    changes(page, &desired.collect::<Vec<_>>());
    crashes(page, life, &history(Field::ConsecutiveCrashCount).collect::<Vec<_>>());
    let deleted = life.moments.iter().find(|moment| moment.label == Label::Deleted);
    if let Some(moment) = deleted {
        let why = merge(moment.whys.iter().map(String::as_str));
        let why = if why.is_empty() { why } else { format!(": {why}") };
        page.fact("deleted", &format!("by {}{why}", moment.by.name()));
    } else {
        let ready_ever = history(Field::ReadyInstances).any(|setting| number(setting.to) > 0);
        let ready = match life.number(Field::ReadyInstances) {
            0 if !ready_ever => "never counted ready".to_owned(),
            n => format!("ready {n}"),
        };
        let desired = life.number(Field::DesiredInstances);
        let count = life.number(Field::ConsecutiveCrashCount);
        let never = if life.waits.is_empty() { ", never in cooldown" } else { "" };
        page.fact("at the end", &format!("desired {desired}, {ready}, crash count {count}{never}"));
    }
}

fn number(value: Value) -> u64 {
    match value {
        Value::Int(n) => n,
        _ => 0,
    }
}

fn told_by(setting: &Setting) -> String {
    let by = setting.by.name();
    setting.reason.map_or_else(|| format!("by {by}"), |reason| clean(&format!("by {by}: {}", words(reason))))
}

/// Changes of the desired number; those that came again are told once, with their count.
fn changes(page: &mut Page, changes: &[&Setting]) {
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for change in changes {
        let label = format!("desired {} -> {}", number(change.from), number(change.to));
        let text = told_by(change);
        match told.iter_mut().find(|(known, texts)| *known == label && skeleton(&texts[0]) == skeleton(&text)) {
            Some((_, texts)) => texts.push(text),
            None => told.push((label, vec![text])),
        }
    }
    for (label, texts) in told.iter().take(CHANGES_MAX) {
        let label = if texts.len() == 1 { label.clone() } else { format!("{label} x{}", texts.len()) };
        page.fact(&label, &merge(texts.iter().map(String::as_str)));
    }
    if told.len() > CHANGES_MAX {
        let rest: usize = told[CHANGES_MAX..].iter().map(|(_, texts)| texts.len()).sum();
        page.fact("desired", &counted(rest, "further change"));
    }
}

fn crashes(page: &mut Page, life: &Life, counts: &[&Setting]) {
    let counted: u64 = counts.iter().map(|s| number(s.to).saturating_sub(number(s.from))).sum();
    if counted == 0 {
        return;
    }
    let most = counts.iter().map(|setting| number(setting.to)).max().unwrap_or(0);
    page.fact("crashes", &format!("{counted} counted, at most {most} in a row"));
    // A pool that forgets its crashes in the diff only counts on, so resets are those written.
    let resets = counts.iter().filter(|s| number(s.to) < number(s.from));
    let by: Vec<String> = resets.map(|setting| told_by(setting)).collect();
    if let Some(first) = by.first() {
        let alike: Vec<&str> = by.iter().filter(|t| skeleton(t) == skeleton(first)).map(String::as_str).collect();
        let others = if alike.len() < by.len() { ", and for other reasons" } else { "" };
        let times = if by.len() == 1 { String::new() } else { format!(" x{}", by.len()) };
        page.fact(&format!("forgotten{times}"), &format!("{}{others}", merge(alike.into_iter())));
    }
    let written = counts.iter().filter(|s| matches!(s.reason, Some(Reason::Recovered { .. }))).count() as u64;
    if life.recoveries > written {
        page.fact("recovered", &format!("decided x{}, written x{written}: the store keeps the count", life.recoveries));
    }
    let waits: Vec<SimDuration> = life.waits.iter().copied().filter(|wait| !wait.is_zero()).collect();
    if waits.is_empty() {
        page.fact("cooldowns", "none");
    } else {
        page.fact("cooldowns", &series(&waits));
    }
}

/// `10 s, 20 s, 40 s, ... 15:00 x9`; a new series begins where the waits fall.
pub(super) fn series(waits: &[SimDuration]) -> String {
    let mut all: Vec<(String, usize)> = Vec::new();
    for rising in waits.chunk_by(|a, b| a <= b) {
        let text = one_series(rising);
        match all.last_mut() {
            Some((last, times)) if *last == text => *times += 1,
            _ => all.push((text, 1)),
        }
    }
    let told = all.iter().take(SERIES_MAX).map(|(text, times)| match times {
        1 => text.clone(),
        n => format!("({text}) x{n}"),
    });
    let mut text = told.collect::<Vec<_>>().join("; then ");
    if all.len() > SERIES_MAX {
        text.push_str(&format!("; then {} more series", all.len() - SERIES_MAX));
    }
    text
}

fn one_series(waits: &[SimDuration]) -> String {
    let runs: Vec<String> = waits
        .chunk_by(|a, b| a == b)
        .map(|run| match run.len() {
            1 => wait(run[0]),
            n => format!("{} x{n}", wait(run[0])),
        })
        .collect();
    match runs.as_slice() {
        [a, b, c, _, .., last] => format!("{a}, {b}, {c}, ... {last}"),
        few => few.join(", "),
    }
}

fn wait(d: SimDuration) -> String {
    if d < SimDuration::from_secs(60) && d.as_nanos().is_multiple_of(1_000_000_000) {
        format!("{} s", d.as_secs())
    } else {
        super::spans::age(d, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::testing::d;

    #[test]
    fn cooldowns_are_listed_as_a_series() {
        for (waits, text) in [
            (&["10s"][..], "10 s"),
            (&["10s", "20s", "40s"], "10 s, 20 s, 40 s"),
            (&["10s", "20s", "40s", "1m20s"], "10 s, 20 s, 40 s, 1:20"),
            (
                &["10s", "20s", "40s", "1m20s", "2m40s", "5m20s", "10m40s", "15m", "15m"],
                "10 s, 20 s, 40 s, ... 15:00 x2",
            ),
            (&["10s", "20s", "10s", "20s", "10s"], "(10 s, 20 s) x2; then 10 s"),
            (&["10s", "10s", "10s"], "10 s x3"),
        ] {
            let waits: Vec<SimDuration> = waits.iter().map(|wait| d(wait)).collect();
            assert_eq!(series(&waits), text);
        }
    }
}
