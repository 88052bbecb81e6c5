//! Which invariants are suspected broken, and which were found so.
//!
//! It knows no rule. A rule that does not hold puts its subject under suspicion; when the grace
//! ends and nothing has cleared it, a violation is recorded – once for each subject and
//! invariant in a run. What a newcomer gets wrong: the cause of a violation is the record that
//! *began* it, not the one before the grace ended.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{RecordId, SimTime};
use crate::model::Invariant;
use crate::model::{Actor, Controller, Name, Subject};
use crate::trace::What;
use crate::world::World;

use super::alarms::{Alarm, Alarms};

/// An invariant that was found broken; once for each subject and invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// When its grace was over.
    pub at: SimTime,
    /// The trace record of the finding; its cause is the record that broke it.
    pub record: RecordId,
    /// Of what.
    pub subject: Subject,
    /// What exactly.
    pub detail: Name,
}

/// A rule that does not hold, within its grace.
#[derive(Clone, Copy)]
struct Suspicion {
    due: SimTime,
    cause: RecordId,
}

/// Suspicions and findings.
#[derive(Default)]
pub(super) struct Suspicions {
    suspicions: BTreeMap<(Invariant, Subject), Suspicion>,
    found: BTreeSet<(Invariant, Subject)>,
    pub(super) violations: Vec<Violation>,
}

impl Suspicions {
    /// A rule does not hold; it may stay so until `due`.
    pub(super) fn suspect(&mut self, alarms: &mut Alarms, charge: (Invariant, Subject), due: SimTime, cause: RecordId) {
        self.suspicions.insert(charge, Suspicion { due, cause });
        alarms.set(due, Alarm::Grace(charge.0, charge.1));
    }

    /// A rule holds: drops the suspicion, if there is one.
    pub(super) fn clear(&mut self, alarms: &mut Alarms, charge: (Invariant, Subject)) {
        if let Some(suspicion) = self.suspicions.remove(&charge) {
            alarms.unset(suspicion.due, Alarm::Grace(charge.0, charge.1));
        }
    }

    /// A grace is over: takes the suspicion away and returns its cause.
    pub(super) fn take_due(&mut self, charge: (Invariant, Subject)) -> Option<RecordId> {
        self.suspicions.remove(&charge).map(|suspicion| suspicion.cause)
    }

    /// Whether it is suspected already, or found.
    pub(super) fn is_known(&self, charge: (Invariant, Subject)) -> bool {
        self.suspicions.contains_key(&charge) || self.is_found(charge)
    }

    /// Whether the violation was recorded already.
    pub(super) fn is_found(&self, charge: (Invariant, Subject)) -> bool {
        self.found.contains(&charge)
    }

    /// What is suspected now.
    #[cfg(test)]
    pub(super) fn suspected(&self) -> BTreeSet<(Invariant, Subject)> {
        self.suspicions.keys().copied().collect()
    }

    /// Records a violation, unless it was recorded before.
    pub(super) fn find(&mut self, world: &World, charge: (Invariant, Subject), cause: RecordId, text: &str) {
        if !self.found.insert(charge) {
            return;
        }
        let (invariant, subject) = charge;
        let detail = Name::new(text);
        let judge = Actor::central(Controller::World);
        let record = world.log().record_caused(judge, subject, cause, What::Broken { invariant, detail });
        self.violations.push(Violation { invariant, at: world.kernel().now(), record, subject, detail });
    }
}
