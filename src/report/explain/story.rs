//! An explanation as a story: the end first, then what led there, in the timeline's columns.
//!
//! Text for people; it knows chains and writes nothing itself. Tags in brackets name what
//! decided a link: `+` a fix that is in force, `-` one that is not. What a newcomer gets wrong:
//! time runs backwards down the page, and lines that begin with `+` in the margin belong to the
//! line above them – they are what else had to be so.

use std::fmt;

use crate::trace::Trace;
use crate::trace::timeline::{self, Entry};

use super::{Chain, Decider, Fold, LeftAlone, Link, Role, Setting, tag};

/// What a story is told on.
pub struct Page<'a> {
    /// The trace that the chain belongs to.
    pub trace: &'a Trace,
    /// Its setting; its timeline options say width and colours.
    pub setting: &'a Setting,
}

/// So many tags at one link; the legend has all.
const TAGS_MAX: usize = 3;
/// So many of those who looked and did nothing are named.
const LOOKERS_MAX: usize = 3;

/// Tells a chain: its links.
pub fn story(page: &Page<'_>, chain: &Chain) -> String {
    let mut out = String::new();
    page.chain(chain, &mut out).expect("a string takes everything");
    out
}

/// Tells what a chain met that could be otherwise, when nothing was tried: most of it decides nothing.
pub fn legend(page: &Page<'_>, chain: &Chain) -> String {
    let mut out = String::new();
    page.legend(chain, &mut out).expect("a string takes everything");
    out
}

/// One line of a list of deciders: a name, and more about it in the column beside it.
pub fn decider_line(setting: &Setting, name: &str, about: &str) -> String {
    let mut out = format!("  {name:34} ");
    let columns = (37.max(3 + name.chars().count()), 37);
    timeline::write_words(&setting.timeline, about, columns, &mut out).expect("a string takes everything");
    out
}

impl Page<'_> {
    fn chain(&self, chain: &Chain, out: &mut String) -> fmt::Result {
        // What could be otherwise is tagged where it is met first.
        let told = &mut Vec::new();
        for (place, link) in chain.links.iter().enumerate() {
            let depth = chain.folds.iter().filter(|fold| (fold.first..=fold.last).contains(&place)).count();
            self.link(link, &"|".repeat(depth), told, out)?;
            for (role, branch) in &link.branches {
                self.branch(role.name(), branch, told, out)?;
            }
            if link.role == Role::Busy {
                timeline::write_remark(&self.setting.timeline, &format!("and {}:", link.role.name()), out)?;
            }
            for fold in chain.folds.iter().filter(|fold| fold.last == place) {
                self.fold(chain, fold, out)?;
            }
            if let Some((_, links)) = chain.left_out.filter(|(after, _)| *after == place) {
                timeline::write_remark(&self.setting.timeline, &format!("... {links} more links (--full)"), out)?;
            }
        }
        if chain.branches_left_out > 0 {
            let remark = format!("... and {} more side causes (--full)", chain.branches_left_out);
            timeline::write_remark(&self.setting.timeline, &remark, out)?;
        }
        match &chain.left_alone {
            Some(left) => self.left_alone(left, told, out),
            None => Ok(()),
        }
    }

    /// Who looked and did nothing.
    fn left_alone(&self, left: &LeftAlone, told: &mut Vec<Decider>, out: &mut String) -> fmt::Result {
        let mut lookers = Vec::new();
        for looker in left.by.iter().take(LOOKERS_MAX) {
            let (by, last) = (timeline::actor_name(self.trace, looker.actor), looker.last.elapsed().clock());
            let tags = self.tags(&looker.asked, told);
            let tags = if tags.is_empty() { tags } else { format!(" [{tags}]") };
            lookers.push(format!("{by} x{}, last at {last}{tags}", looker.times));
        }
        if left.by.len() > LOOKERS_MAX {
            lookers.push(format!("and {} more", left.by.len() - LOOKERS_MAX));
        }
        let (of, since) = (self.trace.name(left.of), left.since.elapsed().clock());
        let remark = format!("{of}, since {since}, was looked at and left as it was by {}", lookers.join("; "));
        timeline::write_remark(&self.setting.timeline, &remark, out)
    }

    /// The tags of those that were not told before, a few at most.
    fn tags(&self, deciders: &[Decider], told: &mut Vec<Decider>) -> String {
        let new: Vec<Decider> = deciders.iter().copied().filter(|decider| !told.contains(decider)).collect();
        let mut tags: Vec<String> = new.iter().take(TAGS_MAX).map(|decider| tag(*decider, self.setting)).collect();
        if new.len() > TAGS_MAX {
            tags.push(format!("{} more", new.len() - TAGS_MAX));
        }
        told.extend(new);
        tags.join(", ")
    }

    fn link(&self, link: &Link, gutter: &str, told: &mut Vec<Decider>, out: &mut String) -> fmt::Result {
        let entry = Entry {
            record: link.record.index().unwrap_or_default(),
            at: link.at,
            actor: link.actor,
            subject: link.subject,
            what: link.what.clone(),
            why: link.rule.clone(),
            tone: link.tone,
        };
        timeline::write_line(self.trace, &entry, gutter, &self.setting.timeline, out)?;
        match self.tags(&link.decided_by, told) {
            tags if tags.is_empty() => Ok(()),
            tags => timeline::write_remark(&self.setting.timeline, &format!("[{tags}]"), out),
        }
    }

    fn branch(&self, label: &str, branch: &Chain, told: &mut Vec<Decider>, out: &mut String) -> fmt::Result {
        timeline::write_remark(&self.setting.timeline, &format!("and {label}:"), out)?;
        let mut gap = String::new();
        for (place, link) in branch.links.iter().enumerate() {
            self.link(link, "+", told, out)?;
            gap.clear();
            if let Some((_, links)) = branch.left_out.filter(|(after, _)| *after == place) {
                gap = format!("... {links} more links (--full)");
                if place + 1 < branch.links.len() {
                    timeline::write_remark(&self.setting.timeline, &gap, out)?;
                }
            }
        }
        let joins = branch.joins.map(|record| format!("goes back to record {}, told here, too", record.number()));
        match (gap.as_str(), joins) {
            ("", None) => Ok(()),
            ("", Some(joins)) => timeline::write_remark(&self.setting.timeline, &format!("... which {joins}"), out),
            (gap, None) => timeline::write_remark(&self.setting.timeline, gap, out),
            (gap, Some(joins)) => timeline::write_remark(&self.setting.timeline, &format!("{gap}; {joins}"), out),
        }
    }

    fn fold(&self, chain: &Chain, fold: &Fold, out: &mut String) -> fmt::Result {
        let outer = chain.folds.iter().filter(|other| {
            (other.first, other.last) != (fold.first, fold.last) && other.first <= fold.first && other.last >= fold.last
        });
        let depth = outer.count();
        let lines = fold.last - fold.first + 1;
        timeline::write_fold(&self.setting.timeline, depth, lines, fold.times, fold.every, fold.back_to, out)
    }

    /// What could be otherwise, each once.
    fn legend(&self, chain: &Chain, out: &mut String) -> fmt::Result {
        let known = [chain.deciders(), chain.decided_unseen.clone()].concat();
        let at_start = chain.left_alone.iter().flat_map(|left| &left.at_start);
        let at_start: Vec<Decider> = at_start.filter(|decider| !known.contains(decider)).copied().collect();
        let parts = [
            ("asked for on the way, and not tried (most of it decides nothing)", chain.deciders()),
            ("likewise, in links not shown", chain.decided_unseen.clone()),
            ("likewise, asked for when processes start", at_start),
        ];
        for (what, deciders) in parts.iter().filter(|(_, deciders)| !deciders.is_empty()) {
            // A name of several words stands on one line.
            let whole = |decider: &Decider| tag(*decider, self.setting).replace(' ', "\u{a0}");
            let tags: Vec<String> = deciders.iter().map(whole).collect();
            let mut words = "\n".to_owned();
            let text = format!("{what}: {}", tags.join(", "));
            timeline::write_words(&self.setting.timeline, &text, (0, 2), &mut words)?;
            out.push_str(&words.replace('\u{a0}', " "));
        }
        Ok(())
    }
}
