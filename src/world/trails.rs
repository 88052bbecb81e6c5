//! Trails: what each task of a run has looked at and asked for since it last decided.
//!
//! The gate, the host and the rules tell it in passing; when a decision is written down it goes into the
//! trace's side table, and the trail begins anew. It decides nothing, and no run depends on it.

use crate::kernel::{Kernel, RecordId};
use crate::model::{Actor, Subject};
use crate::trace::evidence::{Basis, Evidence, Look, Pass};

/// So many looks are kept of one decision; a pass over hundreds of things is told by its first ones.
const LOOKS_MAX: usize = 64;

/// The trails of all tasks, by their slots.
#[derive(Default)]
pub(super) struct Trails(Vec<Trail>);

#[derive(Default)]
struct Trail {
    /// The number of the task's birth.
    birth: u64,
    /// The event at which the task last did something.
    did_at: u64,
    looks: Vec<Look>,
    asked: u128,
    woken: RecordId,
    /// What it decided last, and whether it has taken up something else since.
    before: RecordId,
    turned: bool,
    queued: bool,
    /// Who called last; what the pass is about, where that is one thing; whether it has noted or written anything.
    actor: Option<Actor>,
    about: Option<Subject>,
    acted: bool,
}

/// What a decision is for the pass in which it is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// A pass begins with it.
    Opens,
    /// A note.
    Notes,
    /// A write, an order, or a call that failed.
    Writes,
}

impl Trails {
    /// The trail of the running task; none when none runs.
    fn of_running(&mut self, kernel: &Kernel, records: usize, evidence: &mut Evidence) -> Option<&mut Trail> {
        let task = kernel.running()?;
        if self.0.len() <= task.slot() {
            self.0.resize_with(task.slot() + 1, Trail::default);
        }
        let trail = &mut self.0[task.slot()];
        if trail.birth != task.birth() {
            trail.turn(records, evidence);
            (trail.birth, trail.did_at, trail.before, trail.actor) = (task.birth(), 0, RecordId::NONE, None);
        }
        Some(trail)
    }

    /// The running task looks at something, of which there are so many records.
    pub(super) fn look(&mut self, kernel: &Kernel, look: Look, records: usize, evidence: &mut Evidence) {
        let Some(trail) = self.of_running(kernel, records, evidence) else { return };
        trail.go_on(kernel);
        let same = |known: &&mut Look| (known.at, known.listed, known.real) == (look.at, look.listed, look.real);
        if let Some(known) = trail.looks.iter_mut().rfind(same) {
            known.last = look.last;
        } else if trail.looks.len() < LOOKS_MAX {
            trail.looks.push(look);
        }
    }

    /// The running task asks whether a fix is in force.
    pub(super) fn ask(&mut self, kernel: &Kernel, fix: u32, records: usize, evidence: &mut Evidence) {
        match self.of_running(kernel, records, evidence) {
            Some(trail) => trail.asked |= 1 << fix,
            None => evidence.ask_at_start(1 << fix),
        }
    }

    /// The running task begins a call, as that actor.
    pub(super) fn go_on(&mut self, kernel: &Kernel, actor: Actor, records: usize, evidence: &mut Evidence) {
        if let Some(trail) = self.of_running(kernel, records, evidence) {
            trail.actor = Some(actor);
            trail.go_on(kernel);
        }
    }

    /// The running task takes up something else, or has nothing in hand any more.
    pub(super) fn turn(&mut self, kernel: &Kernel, records: usize, evidence: &mut Evidence) {
        let Some(trail) = self.of_running(kernel, records, evidence) else { return };
        let straight = trail.did_at == kernel.events();
        trail.turn(records, evidence);
        kernel.take_woken();
        trail.queued = straight && trail.before != RecordId::NONE;
    }

    /// The running task decided: that record is taken from what it saw since it last noted a decision, which this
    /// may be one of.
    pub(super) fn decide(
        &mut self,
        kernel: &Kernel,
        (record, actor, about): (RecordId, Actor, Subject),
        act: Act,
        evidence: &mut Evidence,
    ) {
        let records = record.index().unwrap_or_default();
        let Some(trail) = self.of_running(kernel, records, evidence) else { return };
        trail.go_on(kernel);
        trail.actor = Some(actor);
        match act {
            Act::Opens => trail.about = Some(about),
            Act::Notes | Act::Writes => trail.acted = true,
        }
        let Trail { ref looks, asked, woken, before, queued, .. } = *trail;
        evidence.keep(record, Basis { looks, asked, woken, before, queued });
        if act != Act::Writes {
            // A pass lists first, and then decides about one after the other.
            trail.looks.retain(|look| look.listed.is_some());
            trail.begin();
        }
        (trail.before, trail.turned) = (record, false);
    }

    /// The run is over.
    pub(super) fn end(&mut self, records: usize, evidence: &mut Evidence) {
        self.0.iter_mut().for_each(|trail| trail.turn(records, evidence));
    }
}

impl Trail {
    /// The task does something, woken by somebody or not. A later wake-up by a timer does not undo what
    /// somebody told it.
    fn go_on(&mut self, kernel: &Kernel) {
        self.did_at = kernel.events();
        match kernel.take_woken() {
            RecordId::NONE => {}
            woken => self.woken = woken,
        }
    }

    /// What it asked for since its last decision, and decided nothing after, belongs to that.
    ///
    /// Where nothing was decided at all, the pass itself is kept.
    fn turn(&mut self, records: usize, evidence: &mut Evidence) {
        let looked = !self.looks.is_empty() || self.about.is_some();
        if self.asked != 0 && !self.turned {
            evidence.add_asked(self.before, self.asked);
        } else if self.asked != 0 && !looked {
            evidence.ask_at_start(self.asked);
        }
        if let Some(actor) = self.actor.filter(|_| looked && !self.acted) {
            let ended = u32::try_from(records).expect("fewer records than fit");
            let Self { ref looks, about, asked, .. } = *self;
            evidence.pass(Pass { ended, actor, about, looks, asked });
        }
        self.looks.clear();
        self.begin();
        (self.turned, self.about, self.acted) = (true, None, false);
    }

    fn begin(&mut self) {
        (self.asked, self.woken, self.queued) = (0, RecordId::NONE, false);
    }
}
