//! What the judges remember of services: since when anything serves, and what was stopped.
//!
//! A service is an app's, whatever the version: whoever calls does not care which one answers. It
//! knows no rule.

use std::collections::BTreeMap;

use crate::kernel::{RecordId, SimTime};
use crate::model::{AppId, Name, SandboxId};

/// A service of an app.
pub(super) type Key = (AppId, Name);

/// What is remembered of one.
#[derive(Clone, Copy, Default)]
pub(super) struct Service {
    /// Since when at least one of its sandboxes truly serves, without a break.
    pub(super) serves_since: Option<SimTime>,
    /// The last of its sandboxes that the scheduler stopped while it served: when, and by which record.
    pub(super) stopped: Option<(SimTime, RecordId, SandboxId)>,
}

/// What is remembered of services.
#[derive(Default)]
pub(super) struct Services {
    of: BTreeMap<Key, Service>,
    /// The RUNNING sandboxes that do not answer, and since when.
    silent: BTreeMap<SandboxId, SimTime>,
}

impl Services {
    pub(super) fn get(&self, key: Key) -> Service {
        self.of.get(&key).copied().unwrap_or_default()
    }

    /// So many of its sandboxes serve now.
    pub(super) fn counted(&mut self, key: Key, serving: u32, now: SimTime) {
        let service = self.of.entry(key).or_default();
        service.serves_since = (serving > 0).then(|| service.serves_since.unwrap_or(now));
    }

    /// One that served was stopped.
    pub(super) fn stopped(&mut self, key: Key, stop: (SimTime, RecordId, SandboxId)) {
        self.of.entry(key).or_default().stopped = Some(stop);
    }

    /// Whether a sandbox is RUNNING and does not answer.
    pub(super) fn hush(&mut self, sandbox: SandboxId, silent: bool, now: SimTime) {
        if silent {
            self.silent.entry(sandbox).or_insert(now);
        } else {
            self.silent.remove(&sandbox);
        }
    }

    /// The RUNNING sandboxes that have not answered since before `then`.
    pub(super) fn silent_since(&self, then: SimTime) -> impl Iterator<Item = SandboxId> {
        self.silent.iter().filter(move |(_, since)| **since <= then).map(|(sandbox, _)| *sandbox)
    }
}
