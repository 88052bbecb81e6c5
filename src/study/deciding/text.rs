//! What an end hangs on, as text: what decides, what it is, and what comes instead.
//!
//! It knows trials and names, and runs nothing. What a newcomer gets wrong: what only decides together
//! with another thing is one entry with two names.

use crate::report::counted;
use crate::report::explain::{self, Ending, Setting};

use super::{Deciding, Trial};

/// What decides; with `all`, then everything else that was tried and makes another run.
pub fn text(setting: &Setting, deciding: &Deciding, all: bool) -> String {
    // How many runs it took changes with every fix that is added: it is told where it matters.
    let mut text = match deciding.left {
        0 => "\ndecided by\n".to_owned(),
        left => {
            let tried = counted(deciding.runs, "run");
            format!("\ndecided by ({tried} tried, {left} not, for they take long: --tries N tries more)\n")
        }
    };
    let decides: Vec<&Trial> = deciding.decides().collect();
    let meaning = if decides.len() > MEANINGS_MAX { Meaning::Short } else { Meaning::Full };
    decides.iter().for_each(|trial| text.push_str(&entry(setting, trial, meaning)));
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
        others.for_each(|trial| text.push_str(&entry(setting, trial, Meaning::None)));
        let same = deciding.alone.iter().filter(|trial| !trial.differs).count();
        text.push_str(&format!("  {} tried; {same} of them are the same run\n", counted(deciding.runs, "run")));
    }
    text
}

/// So many deciders are told with all that they mean; of more, a screen has room for days and rules only.
const MEANINGS_MAX: usize = 3;

/// How much is said of what a decider is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Full,
    /// Without its prose, which `schedsim fixes` has.
    Short,
    None,
}

impl Meaning {
    fn of(self, full: String) -> Option<String> {
        match self {
            _ if full.is_empty() => None,
            Self::None => None,
            Self::Full => Some(full),
            Self::Short => {
                let (state, prose) = full.split_once(": ").unwrap_or((&full, ""));
                let rules = prose.rfind(" (rule").map_or("", |at| &prose[at..]);
                Some(format!("{state}{rules}"))
            }
        }
    }
}

fn entry(setting: &Setting, trial: &Trial, meaning: Meaning) -> String {
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
    let meanings = trial.deciders.iter().filter_map(|decider| meaning.of(explain::meaning(*decider)));
    let about = meanings.chain([format!("{otherwise}: {came}")]);
    let name = names.join(" and ");
    let line =
        |(place, about): (usize, String)| explain::decider_line(setting, if place == 0 { &name } else { "" }, &about);
    about.enumerate().map(line).collect()
}
