//! What if not: the run with one thing otherwise, and what becomes of what is chosen.
//!
//! The list of what could be otherwise, and the runs that are made of it; what decides is found by trying, as
//! `explain` does. It may use studies.

use crate::kernel::RecordId;
use crate::report::explain::{self, Decider, End, Ending, Run};
use crate::report::picture::LaneKind;
use crate::study::deciding::{self, Made, Trial, Tries};

use super::loaded::Loaded;
use super::{Mode, View};

/// Things that could be otherwise, and what is known to come of it.
pub(super) struct Otherwise {
    /// What is asked of each run.
    end: End,
    pub(super) what: String,
    pub(super) list: Vec<Thing>,
    pub(super) at: usize,
}

/// One thing that could be otherwise.
pub(super) struct Thing {
    decider: Decider,
    pub(super) name: String,
    /// Whether it is met on the way back to the root.
    pub(super) likely: bool,
    /// What came of it, once it was tried: whether the end was averted, and in words.
    pub(super) came: Option<(bool, String)>,
}

impl Otherwise {
    /// Chooses another thing.
    pub(super) fn choose(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.list.len().saturating_sub(1));
    }

    pub(super) fn chosen(&self) -> Option<Decider> {
        self.list.get(self.at).map(|thing| thing.decider)
    }
}

impl View<'_> {
    /// Asks what could be otherwise about what is chosen.
    pub(super) fn ask_otherwise(&mut self) {
        let pane = &mut self.panes[self.now];
        let Some(run) = pane.loaded.story() else {
            self.message = "a trace does not say what could be otherwise; look at its scenario".to_owned();
            return;
        };
        let Some(record) = self.why.as_ref().and_then(super::why::Why::chosen) else {
            self.message = "nothing is chosen".to_owned();
            return;
        };
        let id = RecordId::from_index(record);
        let chain = pane.explainer.chain_and_deciders(id, explain::Limits::default());
        let likely = chain.map(|chain| chain.all_deciders()).unwrap_or_default();
        let failed = pane.failed.iter().find(|failed| failed.record == record);
        let record = run.outcome.trace.records().at(record);
        let proof = pane.lanes().get(pane.chosen()).is_some_and(|lane| lane.kind == LaneKind::Proof);
        let (end, what) = if proof {
            (End::Proof, "that it goes on for ever".to_owned())
        } else if let Some((Some(end), what)) = failed.map(|failed| (&failed.end, &failed.what)) {
            (end.clone(), format!("{}: {what}", run.outcome.trace.name(record.subject)))
        } else {
            let link = pane.explainer.step(id).map(|step| step.link.what).unwrap_or_default();
            (End::of(&run, &record), format!("{}: {link}", run.outcome.trace.name(record.subject)))
        };
        let mut things = deciding::all(&run);
        things.sort_by_key(|thing| likely.iter().position(|known| known == thing).unwrap_or(usize::MAX));
        let name = |decider: &Decider| explain::tag(*decider, &pane.loaded.setting);
        let thing =
            |decider: Decider| Thing { name: name(&decider), likely: likely.contains(&decider), came: None, decider };
        let list: Vec<Thing> = things.into_iter().map(thing).collect();
        if list.is_empty() {
            self.message = "nothing in this story could be otherwise".to_owned();
            return;
        }
        self.mode = Mode::Otherwise(Otherwise { end, what, list, at: 0 });
    }

    /// Makes the run with that otherwise, and shows it.
    pub(super) fn make_otherwise(&mut self, decider: Decider) {
        let until = self.story.and_then(|story| story.until);
        let base = self.panes[self.now].loaded;
        let (Some(run), Mode::Otherwise(list)) = (base.story(), &mut self.mode) else { return };
        let Made { trial, scenario, variant, outcome } = deciding::one(&run, until, &list.end, decider);
        let what = format!("{} {}", explain::tag(decider, &base.setting), explain::otherwise(decider));
        let came = came(&trial);
        if let Some(thing) = list.list.iter_mut().find(|thing| thing.decider == decider) {
            thing.came = Some(came.clone());
        }
        let name = format!("{}, {what}", base.name);
        let at = self.at;
        let message = format!("{what}: {}", came.1);
        self.remember();
        if !self.add(|| Loaded::of(name, scenario, variant, outcome), None) {
            self.back.pop();
            return;
        }
        self.mode = Mode::Lanes;
        self.beside = true;
        self.at = at;
        self.message = message;
        self.look_under();
    }

    /// Tries each thing alone, as far as a few seconds go.
    pub(super) fn try_each(&mut self) {
        let until = self.story.and_then(|story| story.until);
        let (Some(run), Mode::Otherwise(list)) = (self.panes[self.now].loaded.story(), &mut self.mode) else { return };
        let likely: Vec<Decider> = list.list.iter().map(|thing| thing.decider).collect();
        let tries = Tries::within_seconds(&run);
        let found = deciding::decide(&run, until, &list.end, &likely, tries);
        for trial in &found.alone {
            if let Some(thing) = list.list.iter_mut().find(|thing| thing.decider == trial.deciders[0]) {
                thing.came = Some(came(trial));
            }
        }
        let averted = |thing: &Thing| thing.came.as_ref().map_or(1, |(averted, _)| if *averted { 0 } else { 2 });
        list.list.sort_by_key(averted);
        list.at = 0;
        self.message = told(&run, &found, tries);
    }
}

fn told(run: &Run<'_>, found: &deciding::Deciding, tries: Tries) -> String {
    if tries.is_none() {
        let records = run.outcome.trace.records().len();
        return format!("a run of {records} records takes long: choose one and try it alone");
    }
    let decide = found.decides().count();
    let left = if found.left > 0 { format!(", {} not", found.left) } else { String::new() };
    format!("{} tried{left}: it hangs on {decide}", crate::report::counted(found.runs, "run"))
}

/// What came of a trial: whether the end was averted, and in words.
fn came(trial: &Trial) -> (bool, String) {
    let words = match trial.ending {
        _ if !trial.differs => "the same run".to_owned(),
        Ending::Same(Some(at)) => format!("it still comes, at {}", at.elapsed().clock()),
        Ending::Same(None) => "it still comes".to_owned(),
        Ending::Elsewhere(name, at) => format!("it comes to {name}, at {}", at.elapsed().clock()),
        Ending::Averted => format!("it does not come: {}", trial.instead),
        Ending::Unknown => "a guard ended the run: nobody knows".to_owned(),
    };
    (trial.ending.is_averted(), words)
}
