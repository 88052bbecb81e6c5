//! What an end hangs on, as text: what decides, what it is, and what comes instead.
//!
//! It knows trials and names, and runs nothing.

use std::collections::BTreeSet;

use crate::report::counted;
use crate::report::explain::{self, Chain, Decider, Ending, Page, Setting};

use super::{Deciding, Trial};

/// A screen.
const SCREEN: usize = 40;

/// What led to an end and what it hangs on, below so many lines of a head.
///
/// Unless it is to be whole, what tells least is left out as long as it is longer than a screen; what is said of
/// everything that was tried (`all`) comes on top of that.
pub fn told(
    page: &Page<'_>,
    (mut chain, deciding): (Option<Chain>, Option<&Deciding>),
    (head, whole, all): (usize, bool, bool),
) -> String {
    let setting = page.setting;
    let tried = deciding.filter(|deciding| deciding.runs > 0);
    let end = |chain: Option<&Chain>, meaning| match tried {
        Some(deciding) => decided_by(setting, deciding, meaning),
        None => chain.map(|chain| explain::legend(page, chain)).unwrap_or_default() + &left(page, deciding),
    };
    let mut meaning = match tried.map_or(0, |deciding| deciding.decides().count()) {
        few if whole || few <= MEANINGS_MAX => Meaning::Full,
        _ => Meaning::Short,
    };
    let mut text = loop {
        let story = chain.as_ref().map(|chain| explain::story(page, chain)).unwrap_or_default();
        let text = story + &end(chain.as_ref(), meaning);
        if whole || head + text.lines().count() <= SCREEN {
            break text;
        }
        // What one or two are is told as long as can be; of many, the list is what is long.
        let less = meaning.less();
        let shrinks = |chain: &mut Option<Chain>| chain.as_mut().is_some_and(Chain::shrink);
        match less {
            Some(less) if meaning != Meaning::Full || !shrinks(&mut chain) => meaning = less,
            None if !shrinks(&mut chain) => break text,
            _ => {}
        }
    };
    if let Some(deciding) = tried.filter(|_| all) {
        text.push_str(&verified(setting, deciding));
    }
    text
}

/// That nothing was tried, where that was not what was asked for.
fn left(page: &Page<'_>, deciding: Option<&Deciding>) -> String {
    let Some(Deciding { left, .. }) = deciding else { return String::new() };
    let records = page.trace.records().len();
    format!("\nnothing was tried: {left} runs of {records} records take long; --tries N tries N of them\n")
}

/// What decides.
fn decided_by(setting: &Setting, deciding: &Deciding, meaning: Meaning) -> String {
    let what = if meaning == Meaning::None { "decided by (what each is: --full)" } else { "decided by" };
    // How many runs it took changes with every fix that is added: it is told where it matters.
    let mut text = match deciding.left {
        0 => format!("\n{what}\n"),
        left => {
            let tried = counted(deciding.runs, "run");
            format!("\n{what} ({tried} tried, {left} not, for they take long: --tries N tries more)\n")
        }
    };
    let decides: Vec<&Trial> = deciding.decides().collect();
    decides.iter().for_each(|trial| text.push_str(&entry(setting, trial, meaning)));
    if decides.is_empty() {
        text.push_str(if deciding.left > 0 {
            "  nothing that was tried, alone or together: it comes all the same\n"
        } else {
            "  nothing alone, nor any two together: whatever is otherwise, it comes all the same\n"
        });
    }
    text
}

/// Everything that was tried and makes another run.
fn verified(setting: &Setting, deciding: &Deciding) -> String {
    let mut text = "\nverified\n".to_owned();
    let others = deciding.alone.iter().filter(|trial| trial.differs && !trial.ending.is_averted());
    others.for_each(|trial| text.push_str(&entry(setting, trial, Meaning::None)));
    let same = deciding.alone.iter().filter(|trial| !trial.differs).count();
    text + &format!("  {} tried; {same} of them are the same run\n", counted(deciding.runs, "run"))
}

impl Deciding {
    /// Of what could be otherwise in a chain, only that stays marked on which the end hangs.
    pub fn mark(&self, chain: &mut Chain) {
        // Where nothing was tried, nobody knows.
        if self.runs == 0 {
            return;
        }
        let decides: BTreeSet<Decider> = self.decides().flat_map(|trial| trial.deciders.clone()).collect();
        chain.keep_deciders(|decider| decides.contains(&decider));
    }
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
    fn less(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::Short),
            Self::Short => Some(Self::None),
            Self::None => None,
        }
    }

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
