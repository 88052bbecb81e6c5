//! An explanation as a story: the end first, then what led there, in the timeline's columns.
//!
//! Text for people; it knows chains and writes nothing itself. Tags in brackets name what
//! decided a link: `+` a fix that is in force, `-` one that is not. What a newcomer gets wrong:
//! time runs backwards down the page, and lines that begin with `+` in the margin belong to the
//! line above them – they are what else had to be so.

use std::fmt::{self, Write};

use crate::trace::Trace;
use crate::trace::timeline::{self, Entry};

use super::decider::meaning;
use super::{Chain, Fold, Link, Role, Setting, tag};

/// What a story is told on.
pub struct Page<'a> {
    /// The trace that the chain belongs to.
    pub trace: &'a Trace,
    /// Its setting; its timeline options say width and colours.
    pub setting: &'a Setting,
}

/// Tells a chain: its links.
pub fn story(page: &Page<'_>, chain: &Chain) -> String {
    let mut out = String::new();
    page.chain(chain, &mut out).expect("a string takes everything");
    out
}

/// Tells what may have decided a chain, when nothing was tried.
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
        for (place, link) in chain.links.iter().enumerate() {
            let depth = chain.folds.iter().filter(|fold| (fold.first..=fold.last).contains(&place)).count();
            self.link(link, &"|".repeat(depth), out)?;
            for (role, branch) in &link.branches {
                self.branch(role.label(), branch, out)?;
            }
            if link.role == Role::Busy {
                timeline::write_remark(&self.setting.timeline, &format!("and {}:", link.role.label()), out)?;
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
        Ok(())
    }

    fn link(&self, link: &Link, gutter: &str, out: &mut String) -> fmt::Result {
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
        if link.decided_by.is_empty() {
            return Ok(());
        }
        let tags: Vec<String> = link.decided_by.iter().map(|decider| tag(*decider, self.setting)).collect();
        timeline::write_remark(&self.setting.timeline, &format!("[{}]", tags.join(", ")), out)
    }

    fn branch(&self, label: &str, branch: &Chain, out: &mut String) -> fmt::Result {
        timeline::write_remark(&self.setting.timeline, &format!("and {label}:"), out)?;
        for (place, link) in branch.links.iter().enumerate() {
            self.link(link, "+", out)?;
            if let Some((_, links)) = branch.left_out.filter(|(after, _)| *after == place) {
                timeline::write_remark(&self.setting.timeline, &format!("... {links} more links (--full)"), out)?;
            }
        }
        match branch.joins {
            Some(record) => {
                let remark = format!("... which goes back to record {}, told here, too", record.number());
                timeline::write_remark(&self.setting.timeline, &remark, out)
            }
            None => Ok(()),
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
        let shown = chain.deciders();
        if !shown.is_empty() {
            writeln!(out, "\nmay be decided by (nothing was tried)")?;
            for decider in &shown {
                out.write_str(&decider_line(self.setting, &tag(*decider, self.setting), &meaning(*decider)))?;
            }
        }
        if !chain.decided_unseen.is_empty() {
            let tags: Vec<String> = chain.decided_unseen.iter().map(|d| tag(*d, self.setting)).collect();
            let text = format!("and by, in links not shown: {}", tags.join(", "));
            out.write_char('\n')?;
            timeline::write_words(&self.setting.timeline, &text, (0, 2), out)?;
        }
        Ok(())
    }
}
