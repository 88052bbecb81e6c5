//! Groups: lives of one parent that went alike are told once.
//!
//! Alike is: the same moments, by the same controllers, for the same reasons up to numbers. It
//! may know lives and the page. What a newcomer gets wrong: who is still alive at the end has not
//! shown its whole life – it says so, and adds nothing to a range.

use crate::kernel::SimDuration;
use crate::model::{Controller, Reason, SandboxStatus};
use crate::trace::Trace;

use super::lives::{Label, Life, Moment};
use super::page::Page;
use super::spans::{merge, range};

/// More kinds of lives than that are not told one by one.
const GROUPS_MAX: usize = 8;

/// What the rules of the run say of a life's moments.
pub(super) struct Rules {
    /// A sandbox that dies younger counts as a crash; none: no crash is ever counted.
    pub(super) quick_crash: Option<SimDuration>,
    /// A failed boot counts however long it took.
    pub(super) slow_failures_count: bool,
}

struct Group<'a> {
    key: Vec<String>,
    members: Vec<&'a Life>,
    /// Alive at the end, and alike so far.
    alive: Vec<&'a Life>,
}

/// Tells the lives of one parent, in order of birth.
pub(super) fn tell(page: &mut Page, trace: &Trace, rules: &Rules, lives: &[&Life]) {
    let groups = groups(rules, lives);
    for group in groups.iter().take(GROUPS_MAX) {
        tell_group(page, trace, rules, group);
    }
    if groups.len() > GROUPS_MAX {
        let rest = groups[GROUPS_MAX..].iter();
        let members: usize = rest.map(|group| group.members.len() + group.alive.len()).sum();
        page.heading(&format!("and {members} more, of {} further kinds", groups.len() - GROUPS_MAX));
    }
}

fn groups<'a>(rules: &Rules, lives: &[&'a Life]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let (over, alive): (Vec<&Life>, Vec<&Life>) = lives.iter().partition(|life| life.over.is_some());
    for life in over {
        let key = key(rules, life);
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.members.push(life),
            None => groups.push(Group { key, members: vec![life], alive: Vec::new() }),
        }
    }
    let finished = groups.len();
    for life in alive {
        let key = key(rules, life);
        // Alive, but so far like some that ended: a line below them. Without more than its
        // first moment it is like any, and belongs to the last group.
        let like = groups[..finished].iter().rposition(|g| g.key.len() > key.len() && g.key.starts_with(&key));
        let same = groups[finished..].iter().position(|group| group.key == key).map(|at| at + finished);
        match (like, same) {
            (Some(at), _) => groups[at].alive.push(life),
            (None, Some(at)) => groups[at].alive.push(life),
            (None, None) => groups.push(Group { key, members: Vec::new(), alive: vec![life] }),
        }
    }
    groups.sort_by_key(|group| group.members.first().or(group.alive.first()).map(|life| (life.born, life.subject)));
    groups
}

/// What two alike lives share. That a dead one was collected is a matter of when the run ends.
fn key(rules: &Rules, life: &Life) -> Vec<String> {
    let told = life.moments.iter().filter(|moment| !is_collection(moment));
    told.map(|moment| format!("{} {}", moment.key(), verdict(rules, life, moment))).collect()
}

fn is_collection(moment: &Moment) -> bool {
    moment.by == Controller::Collector && moment.label == Label::Deleted
}

/// What its age makes of a death.
fn verdict(rules: &Rules, life: &Life, moment: &Moment) -> String {
    let dies = moment.label == Label::Status(SandboxStatus::Dead.into());
    let Some(limit) = rules.quick_crash.filter(|_| dies) else { return String::new() };
    let boot_failed = matches!(moment.reason, Some(Reason::BootFailed { .. }));
    if boot_failed && rules.slow_failures_count {
        return String::new();
    }
    if moment.at.since(life.born) < limit {
        format!("age < {}", limit.clock())
    } else {
        format!("age >= {}, so no crash", limit.clock())
    }
}

fn tell_group(page: &mut Page, trace: &Trace, rules: &Rules, group: &Group) {
    let (told, ended) = match group.members.as_slice() {
        [] => (&group.alive, false),
        members => (&members.to_vec(), true),
    };
    page.heading(&heading(trace, told));
    let first = told[0];
    for place in 0..group.key.len() {
        let moments: Vec<&Moment> = told.iter().filter_map(|life| nth(life, place)).collect();
        let moment = moments[0];
        let times = range(moments.iter().map(|moment| moment.whys.len() as u64), |n| n.to_string());
        let label = if times == "1" { moment.label.to_string() } else { format!("{} x{times}", moment.label) };
        let why = merge(moments.iter().flat_map(|moment| moment.whys.iter().map(String::as_str)));
        page.fact(&label, &text(moment, &why, &verdict(rules, first, moment)));
    }
    let collected: Vec<&Moment> =
        told.iter().filter_map(|life| life.moments.iter().find(|moment| is_collection(moment))).collect();
    if let Some(moment) = collected.first() {
        let why = merge(collected.iter().flat_map(|moment| moment.whys.iter().map(String::as_str)));
        let scope = if collected.len() < told.len() { "later, " } else { "" };
        page.fact("deleted", &format!("{scope}{}", text(moment, &why, "")));
    }
    if !ended {
        page.fact("at the end", &first.status());
    }
    if ended && !group.alive.is_empty() {
        let status = group.alive[0].status();
        page.fact("at the end", &format!("{} {status}, alike so far", names(trace, &group.alive)));
    }
}

/// The moments of a life that its key tells of.
fn nth(life: &Life, place: usize) -> Option<&Moment> {
    life.moments.iter().filter(|moment| !is_collection(moment)).nth(place)
}

/// By whom and why; a failed boot says only how it failed.
fn text(moment: &Moment, why: &str, verdict: &str) -> String {
    let mut text = match moment.label {
        Label::BootFails | Label::TaskEnds | Label::BootUnfinished => why.to_owned(),
        Label::Status(_) | Label::Deleted if why.is_empty() => format!("by {}", moment.by.name()),
        Label::Status(_) | Label::Deleted => format!("by {}: {why}", moment.by.name()),
    };
    if !verdict.is_empty() {
        text.push_str(if why.is_empty() { ": " } else { "; " });
        text.push_str(verdict);
    }
    text
}

fn heading(trace: &Trace, lives: &[&Life]) -> String {
    let names = names(trace, lives);
    if lives.len() == 1 {
        return names;
    }
    let apart = lives.windows(2).all(|pair| pair[0].over.is_some_and(|over| over <= pair[1].born));
    let how = if apart { ", one after another" } else { "" };
    format!("{names} ({} alike{how})", lives.len())
}

/// `sandbox/a-0 .. -32`, or `sandbox/a-0, -2 .. -5`: names of one parent, in order of birth.
pub(super) fn names(trace: &Trace, lives: &[&Life]) -> String {
    let split = |life: &Life| {
        let name = trace.name(life.subject).as_str();
        let parts = name.rsplit_once('-').and_then(|(stem, n)| Some((stem, n.parse::<u64>().ok()?)));
        parts.map_or((name, None), |(stem, n)| (stem, Some(n)))
    };
    let follows = |a: &&Life, b: &&Life| matches!(split(a), (stem, Some(n)) if split(b) == (stem, Some(n + 1)));
    let (mut text, mut stem_before, mut left) = (String::new(), None, lives.len());
    for (told, run) in lives.chunk_by(follows).enumerate() {
        left -= run.len();
        if told == 5 && left > 0 {
            let last = trace.name(lives[lives.len() - 1].subject);
            text.push_str(&format!(", ... {last}"));
            return text;
        }
        let (stem, first) = split(run[0]);
        text.push_str(if text.is_empty() { "" } else { ", " });
        match first.filter(|_| stem_before == Some(stem)) {
            Some(n) => text.push_str(&format!("-{n}")),
            None => text.push_str(trace.name(run[0].subject).as_str()),
        }
        if let Some(n) = first.filter(|_| run.len() > 1) {
            text.push_str(&format!(" .. -{}", n + run.len() as u64 - 1));
        }
        stem_before = Some(stem);
    }
    text
}
