//! A scenario after parsing: everything checked, every name resolved, every default filled in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::claims::Moment;
use crate::appconfig::{self, Code, ConfigSource};
use crate::controllers::fixes::{Fix, Fixes};
use crate::kernel::{SimDuration, SimTime};
use crate::model::{AnyStatus, Controller, Invariant, Name};
use crate::world::spec::{ClusterSpec, Delay, FaultSpec, Spread, WorkloadSpec};

use super::constants::Constants;
use super::diagnostics::Shadowed;
use super::words::{Golden, Verdict};

/// One story.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Scenario {
    /// Its name; the file's stem unless it says otherwise.
    pub name: String,
    /// The file, when it came from one.
    pub file: Option<PathBuf>,
    pub about: String,
    /// Where it comes from.
    pub source: String,
    /// What its golden texts tell.
    pub golden: Golden,
    /// Simulated time ends here.
    pub horizon: SimTime,
    pub cluster: ClusterSpec,
    /// The programs, by app and service.
    pub workloads: BTreeMap<(Name, Name), WorkloadSpec>,
    /// What operators do, in the order of the file.
    pub steps: Vec<Step>,
    /// Who asks.
    pub traffic: Vec<Traffic>,
    pub faults: Vec<FaultSpec>,
    /// The logics it is told under; at least one, called `main` when the file has none.
    pub variants: Vec<Variant>,
    /// What is legal and probably a mistake.
    pub warnings: Vec<String>,
    /// Those of them that tell of options which do not reach all variants.
    pub(crate) shadowed: Vec<Shadowed>,
}

/// One logic under which a story is told.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Variant {
    pub name: String,
    pub seed: u64,
    pub policy: Policy,
    pub tuning: Constants,
    /// What must come out; none: whatever comes.
    pub expect: Option<Expect>,
}

/// Which fixes are in force, and how the file said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `"current"`, `"proposed"` or a day.
    pub as_of: String,
    /// Added.
    pub with: Vec<Fix>,
    /// Taken away.
    pub without: Vec<Fix>,
    /// The resulting set.
    pub fixes: Fixes,
}

/// Something an operator does.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name; `step N` unless it says otherwise.
    pub name: Name,
    pub at: SimTime,
    pub action: Action,
}

impl Step {
    /// The keys of its config that nobody knows and that are near to known ones: the path of each, the key that it was
    /// probably meant to be, and the config with it alone as it was meant.
    pub(crate) fn misspelt(&self) -> Vec<(Name, Name, ConfigSource)> {
        let Action::Deploy { config, .. } = &self.action else { return Vec::new() };
        let meant = |(path, near, config): (String, &str, _)| (Name::new(&path), Name::new(near), config);
        appconfig::misspelt(config).into_iter().map(meant).collect()
    }
}

/// What an operator can do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Hand over a new app configuration.
    Deploy {
        app: Name,
        /// The user's own TOML, and how it is found.
        config: ConfigSource,
        /// The code's name; none: a new image.
        build: Option<Name>,
        /// What the code itself says of its services.
        code: Code,
    },
    /// Delete an app and what it references.
    DeleteApp { app: Name },
    /// Stop all sandboxes of an app, clear its cooldowns, restore the configured count.
    RestartApp { app: Name },
    /// Set a pool's desired instances by hand.
    SetDesired { app: Name, service: Name, instances: u32 },
    /// Delete a disk.
    DeleteDisk { disk: Name },
    /// Write a status by hand; it says of what kind the entity of that name is.
    SetStatus { name: Name, status: AnyStatus },
    /// Write by hand which volume a disk has, or that it has none.
    SetVolume { disk: Name, volume: Option<Name> },
    /// The volume of a disk vanishes from the backend.
    LoseVolume { disk: Name },
    /// The volume of a disk is unmounted past the scheduler.
    LoseMount { disk: Name },
    /// Change how a workload behaves, from now on.
    SetWorkload { app: Name, service: Name, change: WorkloadChange },
    /// Make a sandbox's process exit; its name is without `sandbox/`.
    Kill { sandbox: Name },
    /// A machine loses power.
    NodeDown { node: Name },
    /// It comes back.
    NodeUp { node: Name },
    /// Take no new sandboxes.
    Drain { node: Name },
    /// A process loses its memory and starts again: that of the node, or the coordinator where none is named.
    Restart { process: Option<Name> },
    /// Everything restarts with another set of fixes.
    Upgrade(Upgrade),
    /// Watches of a controller break and cannot be reopened for a while.
    CutWatch { controller: Controller, lasts: SimDuration },
    /// Nothing; a line for the reader.
    Note { text: Name },
}

/// How an upgrade changes the running set of fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Replaces the set, when given.
    pub as_of: Option<Fixes>,
    /// Added.
    pub with: Vec<Fix>,
    /// Taken away.
    pub without: Vec<Fix>,
}

impl Upgrade {
    /// The set that takes the place of `fixes`.
    pub fn of(&self, fixes: Fixes) -> Fixes {
        self.as_of.unwrap_or(fixes).changed(&self.with, &self.without)
    }
}

/// The workload keys that a `set_workload` step changes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WorkloadChange {
    pub image_pull: Option<Spread>,
    pub start: Option<Spread>,
    pub ready: Option<Vec<Delay>>,
    pub exit_after: Option<Vec<Delay>>,
    pub request: Option<Spread>,
}

/// A stream of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    pub app: Name,
    pub service: Name,
    /// The mean time between requests.
    pub every: SimDuration,
    /// Random (Poisson) arrivals instead of constant ones.
    pub poisson: bool,
    /// By way of the ingress, which keeps shares, instead of asking the activator itself.
    pub via_ingress: bool,
    /// The first may come then.
    pub from: SimTime,
    /// None comes then or later.
    pub until: SimTime,
}

/// What must come out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Expect {
    pub verdict: Option<Verdict>,
    /// Settled no later than that after `settled_after`.
    pub settled_within: Option<SimDuration>,
    /// The step from which settling is measured: an index; none: the last.
    pub settled_after: Option<usize>,
    /// Exactly these invariants must be violated.
    pub violations: Vec<Invariant>,
    /// Whatever invariants may be violated: this is about something else.
    pub any_violations: bool,
    /// Exactly these steps must be refused: indexes.
    pub rejected: Vec<usize>,
    /// Bounds of metrics, by their names.
    pub metrics: BTreeMap<String, Bounds>,
    /// What must be true of the state at moments.
    pub moments: Vec<Moment>,
}

/// Bounds of one metric, in billionths of its unit (counts, or seconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Bounds {
    pub min: Option<u128>,
    pub max: Option<u128>,
    pub equals: Option<u128>,
}
