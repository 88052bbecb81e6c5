//! Alike things as one row: at each moment what the most telling of them is, and how many are what.
//!
//! It knows lanes.

use std::collections::BTreeMap;

use super::{Bar, Lane, LaneKind, Meaning, empty};

/// The row of these members.
pub(super) fn together(name: String, kind: LaneKind, depth: u8, members: &[Lane]) -> Lane {
    let mut marks: Vec<_> = members.iter().flat_map(|lane| lane.marks.iter().copied()).collect();
    marks.sort_by_key(|mark| (mark.at, mark.record));
    Lane {
        bars: bars(members),
        marks,
        trouble: members.iter().any(|lane| lane.trouble),
        members: members.len(),
        ..empty(kind, name, depth)
    }
}

fn bars(members: &[Lane]) -> Vec<Bar> {
    // Ends before begins, so that whoever goes on is never counted twice.
    let all = || members.iter().flat_map(|lane| &lane.bars);
    let ends = all().map(|bar| (bar.until, false, bar));
    let mut edges: Vec<_> =
        ends.chain(all().map(|bar| (bar.from, true, bar))).filter(|(.., bar)| bar.from < bar.until).collect();
    edges.sort_by_key(|(at, begins, bar)| (*at, *begins, bar.record));
    let mut now: BTreeMap<(Meaning, &'static str), u64> = BTreeMap::new();
    let mut bars: Vec<Bar> = Vec::new();
    for moment in edges.chunk_by(|a, b| a.0 == b.0) {
        let at = moment[0].0;
        for (_, begins, bar) in moment {
            let count = now.entry((bar.meaning, bar.class)).or_default();
            *count = if *begins { *count + 1 } else { count.saturating_sub(1) };
        }
        now.retain(|_, count| *count > 0);
        let label = label(&now);
        if let Some(last) = bars.last_mut().filter(|last| last.until > at) {
            if now.last_key_value().is_some_and(|((_, class), _)| *class == last.class) && label == last.label {
                continue;
            }
            last.until = at;
        }
        if let Some(((meaning, class), _)) = now.last_key_value() {
            let record = moment.iter().map(|(_, _, bar)| bar.record).max().unwrap_or_default();
            let until = crate::kernel::SimTime::from_nanos(u64::MAX);
            let thin = *meaning == Meaning::Over;
            bars.push(Bar { from: at, until, class, meaning: *meaning, thin, label, record });
        }
    }
    bars
}

/// How many are what.
fn label(now: &BTreeMap<(Meaning, &'static str), u64>) -> String {
    let counted = now.iter().rev().filter(|((meaning, _), _)| *meaning != Meaning::Over);
    counted.map(|((_, class), count)| format!("{count} {class}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::trace::testing::t;

    fn member(bars: &[(&str, &str, Meaning, &'static str)]) -> Lane {
        let bar = |(from, until, meaning, class): &(&str, &str, Meaning, &'static str)| Bar {
            from: t(from),
            until: t(until),
            class,
            meaning: *meaning,
            thin: false,
            label: class.to_uppercase(),
            record: 0,
        };
        Lane {
            bars: bars.iter().map(bar).collect(),
            ..empty(LaneKind::Thing(Kind::Sandbox), "sandbox/x".to_owned(), 2)
        }
    }

    #[test]
    fn a_row_of_many_tells_the_worst_and_counts_all_that_live() {
        let (waits, good, over) = ((Meaning::Waits, "pending"), (Meaning::Good, "running"), (Meaning::Over, "dead"));
        let members = [
            member(&[("0s", "5s", waits.0, waits.1), ("5s", "60s", good.0, good.1)]),
            member(&[("2s", "5s", waits.0, waits.1), ("5s", "9s", good.0, good.1), ("9s", "60s", over.0, over.1)]),
            member(&[("30s", "30s", waits.0, waits.1), ("30s", "40s", waits.0, waits.1)]),
        ];
        let row = together("x".to_owned(), LaneKind::Thing(Kind::Sandbox), 1, &members);
        let told: Vec<_> = row.bars.iter().map(|bar| (bar.from, bar.until, bar.label.as_str())).collect();
        let expected = [
            (t("0s"), t("2s"), "1 pending"),
            (t("2s"), t("5s"), "2 pending"),
            (t("5s"), t("9s"), "2 running"),
            (t("9s"), t("30s"), "1 running"),
            (t("30s"), t("40s"), "1 pending, 1 running"),
            (t("40s"), t("60s"), "1 running"),
        ];
        assert_eq!(told, expected);
    }
}
