//! Chains of causes as lines of the still page: links, what else was needed, what repeats.
//!
//! Explanations are made elsewhere; here they are only laid out. It may know chains and names.
//! What a newcomer gets wrong: the scripts draw chains from the tellings of the picture, these
//! lines are for print and for readers without scripts.

use maud::{Markup, html};

use crate::report::explain::{Chain, Fold, Link, Setting, tag};
use crate::trace::Trace;
use crate::trace::timeline::{Tone, actor_name};

use super::figure::clock;

/// One line of a chain.
pub(super) enum Line {
    /// Something that happened.
    Link {
        /// Time, subject and actor.
        head: [String; 3],
        what: String,
        why: String,
        tags: Vec<String>,
        /// The class of its dot.
        class: &'static str,
        /// In which way it was needed, when it is a side cause.
        side: Option<&'static str>,
    },
    /// A word about the lines above it.
    Remark(String),
}

/// The lines of a chain, the end first.
pub(super) fn lines(trace: &Trace, setting: &Setting, chain: &Chain) -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, link) in chain.links.iter().enumerate() {
        lines.push(line(trace, setting, link, None));
        for (role, branch) in &link.branches {
            lines.extend(branch.links.iter().map(|link| line(trace, setting, link, Some(role.label()))));
        }
        lines.extend(chain.folds.iter().filter(|fold| fold.last == place).map(repeats));
        if let Some((_, links)) = chain.left_out.filter(|(after, _)| *after == place) {
            lines.push(Line::Remark(format!("\u{2026} {links} more links")));
        }
    }
    lines
}

fn line(trace: &Trace, setting: &Setting, link: &Link, side: Option<&'static str>) -> Line {
    Line::Link {
        head: [clock(link.at), trace.name(link.subject).to_string(), actor_name(trace, link.actor)],
        what: link.what.clone(),
        why: link.rule.clone(),
        tags: link.decided_by.iter().map(|decider| tag(*decider, setting)).collect(),
        class: match link.tone {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Outside => "outside",
        },
        side,
    }
}

fn repeats(fold: &Fold) -> Line {
    let lines = match fold.last - fold.first + 1 {
        1 => "this line".to_owned(),
        n => format!("these {n} lines"),
    };
    let times = match fold.times {
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low}..{high}"),
    };
    Line::Remark(format!("{lines} \u{d7}{times}, back to {}", clock(fold.back_to)))
}

/// The lines as a list.
pub(super) fn list(lines: &[Line]) -> Markup {
    html! {
        ol.chain {
            @for line in lines {
                @match line {
                    Line::Remark(text) => { li.remark { (text) } }
                    Line::Link { head: [time, subject, by], what, why, tags, class, side } => {
                        li.{ "m-" (class) }.side[side.is_some()] {
                            span.head {
                                @if let Some(role) = side { span.role { (role) ": " } }
                                span.time { (time) } " " span.subject { (subject) } " " span.by { "by " (by) }
                                @for tag in tags { " " span.tag { (tag) } }
                            } " "
                            span.what { (what) } " "
                            @if !why.is_empty() { span.why { (why) } }
                        }
                    }
                }
            }
        }
    }
}
