//! What an end hangs on, as text: what decides, what it is, and what comes instead.
//!
//! It knows trials and names, and runs nothing.

use std::collections::BTreeSet;

use crate::report::counted;
use crate::report::explain::{self, Chain, Decider, Ending, Page, Setting};
use crate::trace::timeline;

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
        some if some < MANY => Meaning::Short,
        _ => Meaning::Together,
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
    let what = match meaning {
        Meaning::None => "decided by (what each is: --full)",
        Meaning::Together => "decided by each of these (what each is: --full)",
        Meaning::Full | Meaning::Short => "decided by",
    };
    // How many runs it took changes with every fix that is added: it is told where it matters.
    let mut text = match deciding.left {
        0 => format!("\n{what}\n"),
        left => {
            let tried = counted(deciding.runs, "run");
            format!("\n{what} ({tried} tried, {left} not: --tries N tries N)\n")
        }
    };
    let decides: Vec<&Trial> = deciding.decides().collect();
    text.push_str(&entries(setting, &decides, meaning, came));
    if decides.is_empty() {
        text.push_str(match (deciding.of_step, deciding.left) {
            (true, _) => "  nothing but the step itself: whatever else is otherwise, it comes all the same\n",
            (false, 1..) => "  nothing that was tried, alone or together: it comes all the same\n",
            (false, 0) => "  nothing alone, nor any two together: whatever is otherwise, it comes all the same\n",
        });
    }
    let parts: Vec<&Trial> = deciding.in_part().collect();
    if !parts.is_empty() {
        text.push_str("\ndecided in part, for each app has reasons of its own, by\n");
        let meaning = if meaning == Meaning::Full { meaning } else { Meaning::Together };
        text.push_str(&entries(setting, &parts, meaning, in_part));
    }
    text
}

/// What some trials came to; together, by that, when they are many.
fn entries(setting: &Setting, trials: &[&Trial], meaning: Meaning, came: impl Fn(&Trial) -> String + Copy) -> String {
    if meaning != Meaning::Together {
        return trials.iter().map(|trial| entry(setting, trial, meaning, came)).collect();
    }
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for trial in trials {
        let (came, name) = (came(trial), names(setting, trial));
        match alike.iter_mut().find(|(known, _)| *known == came) {
            Some((_, names)) => names.push(name),
            None => alike.push((came, vec![name])),
        }
    }
    let line = |(came, names): &(String, Vec<String>)| {
        // A name of several words stands on one line.
        let names: Vec<String> = names.iter().map(|name| name.replace(' ', "\u{a0}")).collect();
        let (words, mut line) = (format!("{came}: {}", names.join(", ")), "  ".to_owned());
        timeline::write_words(&setting.timeline, &words, (2, 4), &mut line).expect("a string takes everything");
        line.replace('\u{a0}', " ")
    };
    alike.iter().map(line).collect()
}

/// Everything that was tried and makes another run.
fn verified(setting: &Setting, deciding: &Deciding) -> String {
    let mut text = "\nverified\n".to_owned();
    let others = deciding.alone.iter().filter(|trial| trial.differs && !trial.ending.is_averted());
    others.for_each(|trial| text.push_str(&entry(setting, trial, Meaning::None, came)));
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
/// So many are told together by what comes instead.
const MANY: usize = 16;

/// How much is said of what a decider is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Full,
    /// Without its prose, which `schedsim fixes` has.
    Short,
    None,
    /// All of them that come to the same in one entry.
    Together,
}

impl Meaning {
    fn less(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::Short),
            Self::Short => Some(Self::None),
            Self::None | Self::Together => None,
        }
    }

    fn of(self, full: String) -> Option<String> {
        match self {
            _ if full.is_empty() => None,
            Self::None | Self::Together => None,
            Self::Full => Some(full),
            Self::Short => {
                let (state, prose) = full.split_once(": ").unwrap_or((&full, ""));
                let rules = prose.rfind(" (rule").map_or("", |at| &prose[at..]);
                Some(format!("{state}{rules}"))
            }
        }
    }
}

fn names(setting: &Setting, trial: &Trial) -> String {
    let names: Vec<String> = trial.deciders.iter().map(|decider| explain::tag(*decider, setting)).collect();
    names.join(" and ")
}

/// What came of it, instead of the end.
fn came(trial: &Trial) -> String {
    match trial.ending {
        Ending::Same(at) => {
            let at = at.map(|at| format!(", at {}", at.elapsed().clock())).unwrap_or_default();
            format!("it still comes{at}")
        }
        Ending::Elsewhere(name, at) => format!("it comes to {name}, at {}", at.elapsed().clock()),
        Ending::Averted => trial.instead.clone(),
        Ending::Unknown => "a guard ended the run: nobody knows".to_owned(),
    }
}

/// Whom it brings to rest.
fn in_part(trial: &Trial) -> String {
    let apps = trial.rests.iter().map(|app| app.map_or("what belongs to no app", |app| app.as_str()));
    format!("{} at rest", apps.collect::<Vec<_>>().join(" and "))
}

fn entry(setting: &Setting, trial: &Trial, meaning: Meaning, came: impl Fn(&Trial) -> String) -> String {
    let name = names(setting, trial);
    let otherwise = match trial.deciders.as_slice() {
        [one] => explain::otherwise(*one),
        [_, _] => "with both otherwise",
        _ => "with all of them otherwise",
    };
    let meanings = trial.deciders.iter().filter_map(|decider| meaning.of(explain::meaning(*decider)));
    let about = meanings.chain([format!("{otherwise}: {}", came(trial))]);
    let line =
        |(place, about): (usize, String)| explain::decider_line(setting, if place == 0 { &name } else { "" }, &about);
    about.enumerate().map(line).collect()
}
