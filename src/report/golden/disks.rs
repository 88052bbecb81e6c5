//! The life of a disk, and of the leases that contend for it.
//!
//! A contested thing tells its own story: its holders in order, so that a carousel is a list of names. It may
//! know lives, groups and the page.

use crate::model::{AnyStatus, Controller, Field, LeaseStatus, Reason, Value};
use crate::trace::Trace;

use super::groups::names;
use super::lives::{Label, Life, Moment};
use super::page::Page;
use super::spans::{merge, skeleton};

/// More turns than that are not told one by one.
const TURNS_MAX: usize = 16;

/// A stretch of one kind in the list of holders.
struct Turn<'a> {
    label: &'static str,
    text: String,
    whys: Vec<String>,
    sandboxes: Vec<&'a Life>,
}

/// Tells the life of a disk, with its holders; `leases` are those of the disk, by birth, each
/// with its sandbox.
pub(super) fn tell(page: &mut Page, trace: &Trace, life: &Life, leases: &[(&Life, Option<&Life>)]) {
    page.heading(&trace.name(life.subject));
    let (ended, states): (Vec<&Moment>, Vec<&Moment>) =
        life.moments.iter().partition(|moment| moment.label == Label::Deleted);
    for (place, moment) in states.into_iter().enumerate() {
        let times = moment.whys.len();
        let label = if times == 1 { moment.label.to_string() } else { format!("{} x{times}", moment.label) };
        let mut text = by_and_why(moment);
        if place == 0 {
            text.push_str(&owner(trace, life));
        }
        page.fact(&label, &text);
    }
    let turns = turns(trace, leases);
    for turn in turns.iter().take(TURNS_MAX) {
        let who = names(trace, &turn.sandboxes);
        let times = if turn.sandboxes.len() == 1 { String::new() } else { format!(" ({})", turn.sandboxes.len()) };
        let why = merge(turn.whys.iter().map(String::as_str));
        let why = if why.is_empty() { why } else { format!(": {why}") };
        page.fact(turn.label, &format!("{who}{times}, {}{why}", turn.text));
    }
    if turns.len() > TURNS_MAX {
        page.fact("", &format!("and {} more turns", turns.len() - TURNS_MAX));
    }
    ended.into_iter().for_each(|moment| page.fact(&moment.label.to_string(), &by_and_why(moment)));
    if !life.deleted {
        page.fact("at the end", &life.status());
    }
}

fn owner(trace: &Trace, life: &Life) -> String {
    match life.fields.get(&Field::CreatedBy) {
        Some(Value::Ref(app)) => format!("; owner {}", trace.name(*app)),
        _ => "; no owner".to_owned(),
    }
}

pub(super) fn by_and_why(moment: &Moment) -> String {
    let why = merge(moment.whys.iter().map(String::as_str));
    if why.is_empty() { format!("by {}", moment.by.name()) } else { format!("by {}: {why}", moment.by.name()) }
}

/// Who held the disk, and whom that shut out, in order of time.
fn turns<'a>(trace: &Trace, leases: &[(&'a Life, Option<&'a Life>)]) -> Vec<Turn<'a>> {
    let mut events = Vec::new();
    for (lease, sandbox) in leases {
        let Some(sandbox) = sandbox else { continue };
        for (place, moment) in lease.moments.iter().enumerate() {
            let Label::Status(AnyStatus::Lease(status)) = moment.label else { continue };
            match status {
                LeaseStatus::Bound => events.push((moment.at, "held by", *sandbox, lease.moments.get(place + 1))),
                LeaseStatus::Failed => events.push((moment.at, "refused to", *sandbox, Some(moment))),
                LeaseStatus::Pending | LeaseStatus::Released => {}
            }
        }
    }
    events.sort_by_key(|(at, label, sandbox, _)| (*at, *label, sandbox.subject));
    let mut turns: Vec<Turn<'a>> = Vec::new();
    for (_, label, sandbox, moment) in events {
        let (text, why) = match moment {
            None => ("to the end".to_owned(), String::new()),
            Some(end) => {
                let why = end.whys.join("; ") + &rival(trace, leases, end);
                (format!("{} by {}", end.label, end.by.name()), why)
            }
        };
        match turns.last_mut() {
            Some(last)
                if last.label == label
                    && last.text == text
                    && last.whys.first().is_some_and(|first| skeleton(first) == skeleton(&why)) =>
            {
                last.sandboxes.push(sandbox);
                last.whys.push(why);
            }
            _ => turns.push(Turn { label, text, whys: vec![why], sandboxes: vec![sandbox] }),
        }
    }
    turns
}

/// Whose lease came first, when that is why a lease failed.
fn rival(trace: &Trace, leases: &[(&Life, Option<&Life>)], end: &Moment) -> String {
    let Some(Reason::AlreadyLeased { by }) = end.reason else { return String::new() };
    let holder = leases.iter().find(|(lease, _)| lease.subject.index == by.index()).and_then(|(_, holder)| *holder);
    holder.map(|holder| format!(", {}", trace.name(holder.subject))).unwrap_or_default()
}

/// Whether a lease's life says more than the list of holders does.
pub(super) fn is_plain(lease: &Life) -> bool {
    let whole = [LeaseStatus::Pending, LeaseStatus::Bound, LeaseStatus::Released].map(|s| Label::Status(s.into()));
    let mut labels: Vec<Label> = lease.moments.iter().map(|moment| moment.label).collect();
    let collected = lease.moments.last().is_some_and(|moment| moment.by == Controller::Collector);
    if collected && labels.len() > whole.len() {
        labels.pop_if(|label| *label == Label::Deleted);
    }
    labels == whole || labels == whole[..2]
}
