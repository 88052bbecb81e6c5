//! What an end hangs on, as text: what decides, what it is, and what comes instead.
//!
//! It knows trials and names, and runs nothing. What a newcomer gets wrong: what only decides together
//! with another thing is one entry with two names.

use crate::report::explain::{self, Ending, Setting};

use super::{Deciding, Trial};

/// What decides; with `all`, then everything else that was tried and makes another run.
pub fn text(setting: &Setting, deciding: &Deciding, all: bool) -> String {
    let mut text = format!("\ndecided by ({} tried)\n", runs(deciding.runs));
    let decides: Vec<&Trial> = deciding.decides().collect();
    decides.iter().for_each(|trial| text.push_str(&entry(setting, trial, true)));
    if decides.is_empty() {
        text.push_str("  nothing alone, nor any two together: whatever is otherwise, it comes all the same\n");
    }
    if deciding.left > 0 {
        text.push_str(&format!("  {} not tried: they take long; --tries N tries more\n", runs(deciding.left)));
    }
    if all {
        text.push_str("\nverified\n");
        let others = deciding.alone.iter().filter(|trial| trial.differs && !trial.ending.is_averted());
        others.for_each(|trial| text.push_str(&entry(setting, trial, false)));
        let same = deciding.alone.iter().filter(|trial| !trial.differs).count();
        text.push_str(&format!("  the same run is made by {same} of them\n"));
    }
    text
}

fn entry(setting: &Setting, trial: &Trial, with_meaning: bool) -> String {
    let names: Vec<String> = trial.deciders.iter().map(|decider| explain::tag(*decider, setting)).collect();
    let otherwise = match trial.deciders.as_slice() {
        [one] => explain::otherwise(*one),
        [_, _] => "with both otherwise",
        _ => "with all of them otherwise",
    };
    let came = match trial.ending {
        Ending::Same(at) => {
            let at = at.map(|at| format!(", at {}", at.elapsed().clock())).unwrap_or_default();
            format!("it still comes{at}")
        }
        Ending::Elsewhere(name, at) => format!("it comes to {name}, at {}", at.elapsed().clock()),
        Ending::Averted => trial.instead.clone(),
        Ending::Unknown => "a guard ended the run: nobody knows".to_owned(),
    };
    let meanings = trial.deciders.iter().map(|decider| explain::meaning(*decider));
    let meanings = meanings.filter(|meaning| with_meaning && !meaning.is_empty());
    let about = meanings.chain([format!("{otherwise}: {came}")]);
    let name = names.join(" and ");
    let line =
        |(place, about): (usize, String)| explain::decider_line(setting, if place == 0 { &name } else { "" }, &about);
    about.enumerate().map(line).collect()
}

fn runs(n: usize) -> String {
    if n == 1 { "1 run".to_owned() } else { format!("{n} runs") }
}
