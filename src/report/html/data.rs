//! The picture as JSON for the scripts of the page: columns, small numbers, each text once.
//!
//! It may know the picture only. Times are whole microseconds; what grows is written as
//! differences. What a newcomer gets wrong: this goes into a script tag, so `<`, `>` and `&` are
//! escaped – a config that says `</script>` must stay a text.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::kernel::SimTime;

use crate::report::picture::{Bar, Lane, Level, MarkTone};

use super::tellings::Drawn;

#[derive(Serialize)]
struct Run<'a> {
    name: &'a str,
    explain: &'a str,
    end: u64,
    text: Vec<String>,
    tones: Vec<&'static str>,
    /// Telling, and 1 where it is the verdict's; over and over.
    failed: Vec<u64>,
    lanes: Vec<Row>,
    told: Told,
}

#[derive(Serialize)]
struct Row {
    name: u64,
    kind: &'static str,
    depth: u8,
    trouble: bool,
    /// How many of the next lanes it tells together.
    #[serde(skip_serializing_if = "is_zero")]
    members: usize,
    /// From, length, class, label, telling; over and over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bars: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bands: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cooldowns: Vec<u64>,
    /// At, value, telling; over and over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    desired: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ready: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    crashes: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<u64>,
    /// Difference of time, tone, telling; over and over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marks: Vec<u64>,
}

/// Columns, one place a telling.
#[derive(Serialize, Default)]
struct Told {
    /// Differences of record numbers.
    number: Vec<u64>,
    /// Differences of time.
    at: Vec<u64>,
    by: Vec<u64>,
    subject: Vec<u64>,
    what: Vec<u64>,
    why: Vec<u64>,
    /// How many tellings back its cause is; 0: it has none.
    cause: Vec<u64>,
    /// Lane plus 1; 0: it has none.
    lane: Vec<u64>,
    tone: Vec<u64>,
    tags: Vec<u64>,
    /// Telling, how many tellings back its side cause is, in which way it was needed; over and over.
    sides: Vec<u64>,
}

/// Numbers for texts, by first use.
#[derive(Default)]
struct Texts {
    known: BTreeMap<String, u64>,
    list: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let number = self.list.len() as u64;
        self.known.insert(text.to_owned(), number);
        self.list.push(text.to_owned());
        number
    }
}

/// The runs of a report as JSON that can stand in a script tag.
pub(super) fn json<'a>(runs: impl Iterator<Item = ([&'a str; 2], &'a Drawn)>) -> String {
    let runs: Vec<Run<'_>> = runs.map(|(words, drawn)| run(words, drawn)).collect();
    let json = serde_json::to_string(&runs).expect("plain data can be written");
    escape(&json)
}

/// In JSON these stand in strings only, where an escape means the same.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 50);
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

fn run<'a>([name, explain]: [&'a str; 2], drawn: &Drawn) -> Run<'a> {
    let mut texts = Texts::default();
    // The empty text is number 0, so that a reader can ask for it by its falseness.
    texts.number("");
    let lanes = drawn.picture.lanes.iter().map(|lane| row(drawn, lane, &mut texts)).collect();
    let told = told(drawn, &mut texts);
    let tones = MarkTone::ALL.iter().map(|tone| tone.class()).collect();
    let failed = drawn.failed().flat_map(|(told, verdict)| [told as u64, u64::from(verdict)]).collect();
    Run { name, explain, end: micros(drawn.picture.end), text: texts.list, tones, failed, lanes, told }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn row(drawn: &Drawn, lane: &Lane, texts: &mut Texts) -> Row {
    let bars = |bars: &[Bar], texts: &mut Texts| {
        let mut out = Vec::with_capacity(bars.len() * 5);
        for bar in bars {
            let (from, until) = (micros(bar.from), micros(bar.until));
            let (class, label) = (texts.number(bar.class), texts.number(&bar.label));
            out.extend([from, until.saturating_sub(from), class, label, drawn.place(lane, bar.record) as u64]);
        }
        out
    };
    let levels = |levels: &[Level]| {
        levels.iter().flat_map(|l| [micros(l.at), l.value, drawn.place(lane, l.record) as u64]).collect()
    };
    let mut marks = Vec::with_capacity(lane.marks.len() * 3);
    let mut last = 0;
    for mark in &lane.marks {
        let at = micros(mark.at);
        marks.extend([at - last, mark.tone as u64, drawn.place(lane, mark.record) as u64]);
        last = at;
    }
    Row {
        name: texts.number(&lane.name),
        kind: lane.kind.word(),
        depth: lane.depth,
        trouble: lane.trouble,
        members: lane.members,
        bars: bars(&lane.bars, texts),
        bands: bars(&lane.bands, texts),
        cooldowns: bars(&lane.cooldowns, texts),
        desired: levels(&lane.desired),
        ready: levels(&lane.ready),
        crashes: levels(&lane.crashes),
        gone: lane.gone.map(micros),
        marks,
    }
}

fn told(drawn: &Drawn, texts: &mut Texts) -> Told {
    let mut told = Told::default();
    let (mut number, mut at) = (0, 0);
    for (place, telling) in drawn.told.iter().enumerate() {
        told.number.push(telling.number as u64 - number);
        told.at.push(micros(telling.at) - at);
        (number, at) = (telling.number as u64, micros(telling.at));
        told.by.push(texts.number(&telling.by));
        told.subject.push(texts.number(&telling.subject));
        told.what.push(texts.number(&telling.what));
        told.why.push(texts.number(&telling.why));
        told.cause.push(telling.cause.map_or(0, |cause| (place - cause) as u64));
        told.lane.push(telling.lane.map_or(0, |lane| lane as u64 + 1));
        told.tone.push(telling.tone as u64);
        told.tags.push(texts.number(&telling.tags));
        for (role, side) in &telling.sides {
            told.sides.extend([place as u64, (place - side) as u64, texts.number(role)]);
        }
    }
    told
}

pub(super) const fn micros(at: SimTime) -> u64 {
    at.as_nanos() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_can_end_its_script_tag() {
        let text = "</script><!-- & \u{2028} \u{2029}";
        let escaped = escape(&serde_json::to_string(text).expect("JSON"));
        assert!(!escaped.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("still JSON"), text);
    }

    #[test]
    fn a_tone_is_told_by_its_place_in_the_list() {
        for (place, tone) in MarkTone::ALL.iter().enumerate() {
            assert_eq!(*tone as usize, place, "{tone:?}");
        }
    }
}
