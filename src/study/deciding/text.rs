//! What an end hangs on, as text: what decides, what it is, and what comes instead.
//!
//! It knows trials and names, and runs nothing. What a newcomer gets wrong: what only decides together
//! with another thing is one entry with two names.

use crate::report::explain::{self, Ending, Setting};

use super::{Deciding, Trial};

/// What decides; with `all`, then everything else that was tried and makes another run.
pub fn text(setting: &Setting, deciding: &Deciding, all: bool) -> String {
    // How many runs it took changes with every fix that is added: it is told where it matters.
    let mut text = match deciding.left {
        0 => "\ndecided by\n".to_owned(),
        left => {
            let tried = runs(deciding.runs);
            format!("\ndecided by ({tried} tried, {left} not, for they take long: --tries N tries more)\n")
        }
    };
    let decides: Vec<&Trial> = deciding.decides().collect();
    decides.iter().for_each(|trial| text.push_str(&entry(setting, trial, true)));
    if decides.is_empty() {
        text.push_str(if deciding.left > 0 {
            "  nothing that was tried, alone or together: it comes all the same\n"
        } else {
            "  nothing alone, nor any two together: whatever is otherwise, it comes all the same\n"
        });
    }
    if all {
        text.push_str("\nverified\n");
        let others = deciding.alone.iter().filter(|trial| trial.differs && !trial.ending.is_averted());
        others.for_each(|trial| text.push_str(&entry(setting, trial, false)));
        let same = deciding.alone.iter().filter(|trial| !trial.differs).count();
        text.push_str(&format!("  {} tried; {same} of them are the same run\n", runs(deciding.runs)));
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
