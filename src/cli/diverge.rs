//! `compare --diverge`: where two runs part, as text and as JSON.
//!
//! It lays out what `study::diverge` found.

use crate::controllers::fixes::Fix;
use crate::report::explain::{self, Chain, Decider, Link, Page, Setting};
use crate::study::compare::Comparison;
use crate::study::diverge::Divergence;
use serde_json::{Value, json};

use super::compare::{Side, endings, head, moment};
use super::explain::setting as explain_setting;
use super::output::width;

/// So wide is a side's letter before a line.
const LETTER: usize = 3;

/// Where each side parts from the first.
pub(super) fn text(sides: &[Side<'_>], found: &[Comparison], divergences: &[Option<Divergence>]) -> String {
    let (a, others) = sides.split_first().expect("there are two at least");
    let mut text = head(sides);
    for ((other, found), divergence) in others.iter().zip(found).zip(divergences) {
        let which = if others.len() == 1 { String::new() } else { format!(" of a and {}", other.name) };
        let Some((ours, theirs)) = found.first else {
            text.push_str(&format!("\nthe same{which}: not one record differs\n"));
            continue;
        };
        text.push_str(&format!("\nfirst difference{which}\n{}{}", moment(a, ours), moment(other, theirs)));
        match divergence {
            Some(divergence) => text.push_str(&of_two([a, other], divergence, &which)),
            None => text.push_str("\nno decision differs\n"),
        }
    }
    text + &endings(sides)
}

fn of_two(sides: [&Side<'_>; 2], divergence: &Divergence, which: &str) -> String {
    let mut text = format!("\nfirst decision that differs{which}\n");
    for (side, decision) in sides.iter().zip(&divergence.decision) {
        match decision {
            Some(link) => text.push_str(&lines(side, std::slice::from_ref(link))),
            None => text.push_str(&format!("  {}  nothing is decided about that\n", side.name)),
        }
    }
    let setting = setting(sides[0]);
    text.push_str(if divergence.values.is_empty() { "" } else { "\nvalues\n" });
    for (name, [ours, theirs]) in &divergence.values {
        let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        if ours == theirs {
            text.push_str(&explain::decider_line(&setting, name, &format!("both: {}", told(ours))));
            continue;
        }
        text.push_str(&explain::decider_line(&setting, name, &format!("{}: {}", sides[0].name, told(ours))));
        text.push_str(&explain::decider_line(&setting, "", &format!("{}: {}", sides[1].name, told(theirs))));
    }
    text.push_str("\nasked for there, and not the same on both sides\n");
    if divergence.fixes.is_empty() {
        text.push_str("  no fix: it hangs on what had happened before (the first difference), or on a constant\n");
    }
    for fix in &divergence.fixes {
        let about = explain::meaning(Decider::Fix { fix: *fix, in_force: true });
        let about = about.split_once(", ").map_or(about.as_str(), |(_, about)| about);
        text.push_str(&explain::decider_line(&setting, fix.name(), &format!("{}; {about}", force(sides, *fix))));
    }
    for (side, (follows, more)) in sides.iter().zip(&divergence.follows) {
        let nothing = if follows.is_empty() { ": nothing else" } else { "" };
        text.push_str(&format!("\nwhat follows in {} only{nothing}\n{}", side.name, lines(side, follows)));
        if *more {
            text.push_str("  and more (explain --subject tells any of it)\n");
        }
    }
    text
}

/// On which side a fix is in force.
fn force(sides: [&Side<'_>; 2], fix: Fix) -> String {
    let [a, b] = sides.map(|side| if side.replay.variant.policy.fixes.has(fix) { "in force" } else { "missing" });
    format!("{a} in {}, {b} in {}", sides[0].name, sides[1].name)
}

fn setting(side: &Side<'_>) -> Setting {
    explain_setting(side.replay.scenario, side.replay.variant, width().saturating_sub(LETTER))
}

/// Links as the timeline tells them, with the side's letter before the first.
fn lines(side: &Side<'_>, links: &[Link]) -> String {
    let unmarked = |link: &Link| Link { decided_by: Vec::new(), ..link.clone() };
    let chain = Chain { links: links.iter().map(unmarked).collect(), ..Chain::default() };
    let told = explain::story(&Page { trace: &side.replay.outcome.trace, setting: &setting(side) }, &chain);
    told.lines().map(|line| format!("  {}{line}\n", side.name)).collect()
}

/// The same for programs.
pub(super) fn object(sides: [&Side<'_>; 2], divergence: &Divergence) -> Value {
    let link = |side: usize, link: &Link| {
        let Side { replay, .. } = sides[side];
        explain::link_json(&replay.outcome.trace, &Setting::of(replay.scenario, replay.variant), link)
    };
    let by_side = |value: &dyn Fn(usize) -> Value| -> Value {
        [0, 1].map(|side| (sides[side].name.to_owned(), value(side))).into_iter().collect()
    };
    let values = divergence.values.iter().map(|(name, values)| (name.clone(), by_side(&|side| json!(values[side]))));
    let fixes = divergence
        .fixes
        .iter()
        .map(|fix| (fix.name().to_owned(), by_side(&|side| json!(sides[side].replay.variant.policy.fixes.has(*fix)))));
    json!({
        "decision": by_side(&|side| divergence.decision[side].as_ref().map(|decision| link(side, decision)).into()),
        "values": values.collect::<serde_json::Map<_, _>>(),
        "fixes": fixes.collect::<serde_json::Map<_, _>>(),
        "follows": by_side(&|side| divergence.follows[side].0.iter().map(|follows| link(side, follows)).collect()),
    })
}
