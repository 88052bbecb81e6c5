//! Trails: what each task had looked at and asked for since it last decided, from what was observed of it.

use crate::kernel::RecordId;
use crate::model::{Actor, Reason, Subject};
use crate::trace::{Records, What};

use super::observed::{Act, Observation, Observations};
use super::{Basis, Evidence, Look, Pass};

/// So many looks are kept of one decision; a pass over hundreds of things is told by its first ones.
const LOOKS_MAX: usize = 64;

#[derive(Default)]
struct Trail {
    /// The number of the task's birth.
    birth: u64,
    /// The event at which the task last did something.
    did_at: u32,
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

/// The evidence that follows from what was observed of a run with these records.
pub(super) fn evidence(observed: &Observations, records: &Records) -> Evidence {
    let mut evidence = Evidence::default();
    // By the tasks' slots.
    let mut trails: Vec<Trail> = Vec::new();
    for (seen, asked) in observed.iter() {
        let Some(task) = seen.task else {
            evidence.at_start |= asked;
            continue;
        };
        let (slot, birth) = (task.slot(), task.birth());
        if trails.len() <= slot {
            trails.resize_with(slot + 1, Trail::default);
        }
        let trail = &mut trails[slot];
        if trail.birth != birth {
            trail.turn(seen.records, &mut evidence);
            (trail.birth, trail.did_at, trail.before, trail.actor) = (birth, 0, RecordId::NONE, None);
        }
        trail.asked |= asked;
        trail.take(seen, records, &mut evidence);
    }
    trails.iter_mut().for_each(|trail| trail.turn(records.len() as u32, &mut evidence));
    evidence
}

impl Trail {
    /// The task did something.
    fn take(&mut self, seen: &Observation, records: &Records, evidence: &mut Evidence) {
        match seen.act {
            Act::Asks => {}
            Act::Calls(actor) => {
                self.actor = Some(actor);
                self.go_on(seen);
            }
            Act::Looks { by, kind, index, listed, real } => {
                let at = Subject { kind, index };
                self.actor = Some(by);
                self.go_on(seen);
                let same = |known: &&mut Look| (known.at, known.listed, known.real) == (at, listed, real);
                if let Some(known) = self.looks.iter_mut().rfind(same) {
                    known.last = seen.records;
                } else if self.looks.len() < LOOKS_MAX {
                    self.looks.push(Look { at, listed, real, first: seen.records, last: seen.records });
                }
            }
            Act::Turns { .. } => self.take_up(seen, evidence),
            Act::Decides { .. } => self.decide(seen, records, evidence),
        }
    }

    /// That record is taken from what the task saw since it last noted a decision, which it may be one of.
    fn decide(&mut self, seen: &Observation, records: &Records, evidence: &mut Evidence) {
        let index = seen.records as usize;
        let (id, record) = (RecordId::from_index(index), records.at(index));
        let opens = matches!(record.what, What::Decided(Reason::Reconcile { .. }));
        if opens {
            self.take_up(seen, evidence);
            (self.did_at, self.about) = (seen.events, Some(record.subject));
        } else {
            self.go_on(seen);
            self.acted = true;
        }
        self.actor = Some(record.actor);
        let Self { ref looks, asked, woken, before, queued, .. } = *self;
        evidence.keep(id, Basis { looks, asked, woken, before, queued });
        if let What::Decided(_) = record.what {
            // A pass lists first, and then decides about one after the other.
            self.looks.retain(|look| look.listed.is_some());
            self.begin();
        }
        (self.before, self.turned) = (id, false);
    }

    /// The task does something, woken by somebody or not. A later wake-up by a timer does not undo what
    /// somebody told it.
    fn go_on(&mut self, seen: &Observation) {
        self.did_at = seen.events;
        match seen.woken {
            RecordId::NONE => {}
            woken => self.woken = woken,
        }
    }

    /// It takes up something else, straight from what it did last or not.
    fn take_up(&mut self, seen: &Observation, evidence: &mut Evidence) {
        let straight = self.did_at == seen.events;
        self.turn(seen.records, evidence);
        self.queued = straight && self.before != RecordId::NONE;
    }

    /// What it asked for since its last decision, and decided nothing after, belongs to that.
    ///
    /// Where nothing was decided at all, the pass itself is kept.
    fn turn(&mut self, records: u32, evidence: &mut Evidence) {
        let looked = !self.looks.is_empty() || self.about.is_some();
        if self.asked != 0 && !self.turned {
            evidence.add_asked(self.before, self.asked);
        } else if self.asked != 0 && !looked {
            evidence.at_start |= self.asked;
        }
        if let Some(actor) = self.actor.filter(|_| looked && !self.acted) {
            let Self { ref looks, about, asked, .. } = *self;
            evidence.pass(Pass { ended: records, actor, about, looks, asked });
        }
        self.looks.clear();
        self.begin();
        (self.turned, self.about, self.acted) = (true, None, false);
    }

    fn begin(&mut self) {
        (self.asked, self.woken, self.queued) = (0, RecordId::NONE, false);
    }
}
