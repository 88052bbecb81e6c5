//! Chains of causes as lines: links, what else was needed, what repeats.
//!
//! What the still page lists and the terminal view walks along. It may know chains and names.

use crate::kernel::{RecordId, SimTime};
use crate::trace::Trace;
use crate::trace::timeline::{Tone, actor_name, clock};

use super::{Chain, Fold, Link, Setting, tag};

/// One line of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// Something that happened.
    Link {
        record: RecordId,
        at: SimTime,
        subject: String,
        by: String,
        what: String,
        why: String,
        tags: Vec<String>,
        tone: Tone,
        /// In which way it was needed, when it is a side cause.
        side: Option<&'static str>,
    },
    /// A word about the lines above it.
    Remark(Remark),
}

/// What can be said of the lines above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Remark {
    /// So many links are left out.
    More(usize),
    /// The last so many lines stand for that many times as many.
    Repeats { lines: usize, times: (u64, u64), back_to: SimTime },
}

impl Remark {
    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::More(links) => format!("\u{2026} {links} more links"),
            Self::Repeats { lines, times, back_to } => {
                let lines = match lines {
                    1 => "this line".to_owned(),
                    n => format!("these {n} lines"),
                };
                let times = match times {
                    (low, high) if low == high => low.to_string(),
                    (low, high) => format!("{low}..{high}"),
                };
                format!("{lines} \u{d7}{times}, back to {}", clock(back_to))
            }
        }
    }
}

/// The lines of a chain, the end first.
pub(crate) fn lines(trace: &Trace, setting: &Setting, chain: &Chain) -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, link) in chain.links.iter().enumerate() {
        lines.push(line(trace, setting, link, None));
        for (role, branch) in &link.branches {
            lines.extend(branch.links.iter().map(|link| line(trace, setting, link, Some(role.name()))));
        }
        lines.extend(chain.folds.iter().filter(|fold| fold.last == place).map(repeats));
        if let Some((_, links)) = chain.left_out.filter(|(after, _)| *after == place) {
            lines.push(Line::Remark(Remark::More(links)));
        }
    }
    lines
}

fn line(trace: &Trace, setting: &Setting, link: &Link, side: Option<&'static str>) -> Line {
    Line::Link {
        record: link.record,
        at: link.at,
        subject: trace.name(link.subject).to_string(),
        by: actor_name(trace, link.actor),
        what: link.what.clone(),
        why: link.rule.clone(),
        tags: link.decided_by.iter().map(|decider| tag(*decider, setting)).collect(),
        tone: link.tone,
        side,
    }
}

fn repeats(fold: &Fold) -> Line {
    Line::Remark(Remark::Repeats { lines: fold.last - fold.first + 1, times: fold.times, back_to: fold.back_to })
}
