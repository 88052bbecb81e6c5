//! When an end was sealed, as text and as a curve.
//!
//! It knows what was found, traces and names, and runs nothing.

use crate::kernel::RecordId;
use crate::report::counted;
use crate::report::explain::{self, Decider, Setting};
use crate::report::plots::{Curve, Point, curves};
use crate::trace::{Trace, timeline};

use super::{Cure, Futures, Moment, Sealed};

/// So wide is the bar of a share of one.
const BAR: usize = 30;

/// When it was sealed: how long each cure would have helped, and the share of bad futures.
pub fn text(trace: &Trace, setting: &Setting, sealed: &Sealed) -> String {
    let mut text = format!("\nsealed (the end: {})\n", sealed.came.elapsed().clock());
    if sealed.cures.is_empty() {
        text.push_str("  nothing was tried: too few tries for this run; --tries N tries more\n");
        return text;
    }
    for cure in &sealed.cures {
        let mut about = lines(trace, setting, cure).into_iter();
        let first = about.next().unwrap_or_default();
        text.push_str(&explain::decider_line(setting, &name(setting, &cure.of), &first));
        about.for_each(|line| text.push_str(&explain::decider_line(setting, "", &line)));
    }
    match &sealed.futures {
        Some(futures) => text.push_str(&shares(trace, setting, futures)),
        None => text.push_str("\nfutures: none was tried: too few tries for this run; --tries N tries more\n"),
    }
    text
}

/// A cure's name: `-disk-ownership`, `fault slow disk`.
fn name(setting: &Setting, of: &[Decider]) -> String {
    match of {
        [] => "a mere restart of everything".to_owned(),
        things => things.iter().map(|thing| explain::tag(*thing, setting)).collect::<Vec<_>>().join(" and "),
    }
}

fn lines(trace: &Trace, setting: &Setting, cure: &Cure) -> Vec<String> {
    let comes = match cure.of.as_slice() {
        [] => "",
        things if things.iter().all(|thing| matches!(thing, Decider::Fault(_))) => " when it heals",
        _ => " by an upgrade",
    };
    let Some(last) = cure.last else { return vec![format!("does not help{comes}, whenever that was tried")] };
    let mut lines = vec![match last.record {
        Some(_) => format!("helps{comes} until {}, just before", last.at.elapsed().clock()),
        None => format!("helps{comes} as long as the end has not come"),
    }];
    lines.extend(last.record.map(|record| happened(trace, setting, record)));
    lines.extend(cure.wavers.then(|| "not at each moment before that".to_owned()));
    lines
}

/// What a record says, in one line.
pub(super) fn happened(trace: &Trace, setting: &Setting, record: RecordId) -> String {
    let Some(at) = record.index() else { return String::new() };
    let entry = timeline::entry(trace, &setting.timeline, at);
    let why = if entry.why.is_empty() { String::new() } else { format!(" ({})", entry.why) };
    let by = timeline::actor_name(trace, entry.actor);
    format!("{by}: {} {}{why}", trace.name(entry.subject), entry.what)
}

fn shares(trace: &Trace, setting: &Setting, futures: &Futures) -> String {
    let most = futures.moments.iter().map(|moment| moment.of).max().unwrap_or_default();
    if futures.is_one {
        return format!(
            "\nfutures: there is one, for nothing that is drawn makes another run ({} tried at {})\n",
            counted(most, "draw"),
            counted(futures.moments.len() - 1, "moment")
        );
    }
    let mut text = format!("\nfutures that end so, of {most} with other draws from then on\n");
    let moments = &futures.moments;
    let is_like = |place: usize, other: Option<usize>| {
        other.and_then(|other| moments.get(other)).is_some_and(|other| other.bad == moments[place].bad)
    };
    for (place, moment) in moments.iter().enumerate() {
        // Of a stretch where nothing changes its ends are told.
        if is_like(place, place.checked_sub(1)) && is_like(place, Some(place + 1)) {
            continue;
        }
        let (share, at) = (moment.share(), label(moments, place));
        let bar = "#".repeat((share * BAR as f64 + 0.5) as usize);
        text.push_str(format!("  {at:>12}  {:>3.0} %  {bar}", share * 100.0).trim_end());
        text.push('\n');
        if let Some((_, record)) = futures.steepest.filter(|(steepest, _)| *steepest == place) {
            text.push_str(&explain::decider_line(setting, "    steepest here", &happened(trace, setting, record)));
        }
    }
    if futures.steepest.is_none() {
        text.push_str("  no step of it is steeper than chance explains\n");
    }
    text
}

/// A moment's time; the last is the end.
fn label(moments: &[Moment], place: usize) -> String {
    let is_last = place + 1 == moments.len();
    if is_last { "the end".to_owned() } else { moments[place].at.elapsed().clock().to_string() }
}

/// The share of bad futures as a plot; none where there is one future only, or none was run.
pub fn curve(sealed: &Sealed) -> Option<String> {
    let futures = sealed.futures.as_ref().filter(|futures| !futures.is_one)?;
    let moments = &futures.moments;
    let point = |(place, moment): (usize, &Moment)| Point {
        label: label(moments, place),
        value: moment.share(),
        interval: Some(moment.interval()),
    };
    let curve = Curve { name: "end so".to_owned(), points: moments.iter().enumerate().map(point).collect() };
    Some(curves("Futures that end so", "drawn anew from", "share", &[curve]))
}
