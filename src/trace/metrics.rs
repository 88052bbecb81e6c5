//! Metrics: the figures of one run, all folded from its trace.
//!
//! It may know records and nothing of the simulation that made them; what a trace cannot tell
//! (when the scenario's causes end) comes in a small [`Frame`]. Expectations, golden texts,
//! JSON results and sweeps read these and count nothing themselves. What a newcomer gets wrong:
//! a metric that has no value in a run is zero, never absent – a sweep's table has no holes.

mod down;
mod fold;
mod slabs;

use std::collections::BTreeMap;
use std::fmt;

use crate::kernel::{SimDuration, SimTime};
use crate::model::Words;
use crate::model::words::words;

pub use fold::{Fold, fold};

/// What a metric counts in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Things.
    Count,
    /// Simulated seconds; the metric's name ends in `_s`.
    Seconds,
}

impl Unit {
    /// The decimals that are always written.
    const fn places(self) -> usize {
        match self {
            Self::Count => 0,
            Self::Seconds => 3,
        }
    }
}

/// The value of a metric.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Metric {
    /// How many.
    Count(u64),
    /// How long, to the millisecond.
    Seconds(SimDuration),
}

impl Metric {
    /// In billionths of its unit: what bounds of expectations are written in.
    pub fn billionths(self) -> u128 {
        match self {
            Self::Count(n) => u128::from(n) * 1_000_000_000,
            Self::Seconds(d) => u128::from(d.as_nanos()),
        }
    }
    /// Whether it is nothing at all.
    pub fn is_zero(self) -> bool {
        self.billionths() == 0
    }
}

impl fmt::Display for Metric {
    /// A plain decimal number, exact; seconds have three decimals: `213`, `314.250`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self {
            Self::Count(_) => Unit::Count,
            Self::Seconds(_) => Unit::Seconds,
        };
        f.pad(&decimal(self.billionths(), unit.places()))
    }
}

/// A number of billionths as a decimal, exact, without needless zeros beyond so many decimals.
pub fn decimal(billionths: u128, places: usize) -> String {
    let (whole, fraction) = (billionths / 1_000_000_000, format!("{:09}", billionths % 1_000_000_000));
    let shown = fraction.trim_end_matches('0').len().max(places);
    if shown == 0 { whole.to_string() } else { format!("{whole}.{}", &fraction[..shown]) }
}

/// A bound or value of the figure of that name, as the figure is written.
pub fn written(figure: &str, billionths: u128) -> String {
    decimal(billionths, Figure::named(figure).map_or(0, |figure| figure.unit().places()))
}

/// Whom a figure is about.
enum About {
    /// The platform itself.
    Platform,
    Callers,
    /// Callers that are not served, for this reason.
    Failures(&'static str),
}

macro_rules! figures {
    ($($variant:ident = $name:literal, $unit:ident, $meaning:literal $(, $about:expr)?;)*) => {
        words!(
            /// One of the figures of a run.
            Figure { $(#[doc = $meaning] $variant = $name),* }
        );

        impl Figure {
            /// What it counts in.
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit),* }
            }
            /// Its exact definition.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
            const fn about(self) -> About {
                match self { $(Self::$variant => figures!(@about $($about)?)),* }
            }
        }
    };
    (@about) => { About::Platform };
    (@about $about:expr) => { $about };
}

figures! {
    BootsAttempted = "boots_attempted", Count, "Calls of *create*, retries included.";
    BootsFailed = "boots_failed", Count, "Calls of *create* that ended in an error.";
    SandboxesCreated = "sandboxes_created", Count, "Sandboxes written to the store.";
    SandboxesPeak = "sandboxes_peak", Count, "The most sandboxes that were PENDING or RUNNING in the store at once.";
    CrashesCounted = "crashes_counted", Count, "The sum of the increments of the pools' `consecutive_crash_count`.";
    Cooldowns = "cooldowns", Count, "Times that a pool's `cooldown_until` was set to an instant later than before; a wait of zero is none.";
    CooldownTime = "cooldown_s", Seconds, "The waits of these cooldowns together, as set: one that is later forgiven or replaced counts in full.";
    CooldownMax = "max_cooldown_s", Seconds, "The longest wait of these cooldowns, as set.";
    StalePendingStopped = "stale_pending_stopped", Count, "Sandboxes that the monitor stopped because they were PENDING for too long.";
    LeasesCreated = "leases_created", Count, "Disk leases written to the store.";
    LeaseConflicts = "lease_conflicts", Count, "Leases refused because another lease of the disk came first, and boots that failed because the disk has an active lease.";
    LeasesFailed = "leases_failed", Count, "Disk leases that became FAILED.";
    LeasesBoundToDead = "leases_bound_to_dead_s", Seconds, "Lease-seconds BOUND while the lease's sandbox is DEAD or gone, to the horizon.";
    DisksOrphaned = "disks_orphaned", Count, "Disks at the end of the run that no existing app made (`created_by`) and no existing app's sandbox ever leased.";
    VolumesOrphaned = "volumes_orphaned", Count, "Volumes at the end of the run that no disk names.";
    LeasesOrphaned = "leases_orphaned", Count, "Disk leases PENDING or BOUND at the end of the run whose sandbox is DEAD or gone.";
    AddressesLeaked = "addresses_leaked", Count, "Addresses taken at the end of the run by a sandbox that is DEAD or gone.";
    ContainersOrphaned = "containers_orphaned", Count, "Containers at the end of the run whose sandbox is DEAD or gone.";
    Requests = "requests", Count, "Requests made.", About::Callers;
    RequestsOk = "requests_ok", Count, "Requests served.", About::Callers;
    RequestsFailed = "requests_failed", Count, "Requests refused, timed out or broken off.", About::Callers;
    FailedNoCapacity = "failed_no_capacity", Count, "Requests that found no capacity in time.", About::Failures("no capacity");
    FailedCooldown = "failed_cooldown", Count, "Requests refused because their pool cools down.", About::Failures("cooldown");
    FailedMaxSize = "failed_max_size", Count, "Requests refused because their pool may not grow.", About::Failures("max size");
    FailedDied = "failed_died", Count, "Requests that failed because every sandbox was stopped or dead.", About::Failures("died");
    FailedNoPool = "failed_no_pool", Count, "Requests of a version that no pool serves.", About::Failures("no pool");
    FailedConflict = "failed_conflict", Count, "Requests that failed because others kept writing the pool.", About::Failures("conflict");
    FailedBadGateway = "failed_bad_gateway", Count, "Requests led to a sandbox that does not answer, or stopped to.", About::Failures("bad gateway");
    FailedNoAnswer = "failed_no_answer", Count, "Requests that their sandbox did not answer within `ingress_timeout`.", About::Failures("no answer");
    FailedStore = "failed_store", Count, "Requests that failed with the store.", About::Failures("store");
    FailedNotDeployed = "failed_not_deployed", Count, "Requests of an app, or a service, that is not deployed.", About::Failures("not deployed");
    FailedNoPlatform = "failed_no_platform", Count, "Requests that met no coordinator, or whose coordinator died.", About::Failures("no platform");
    RequestWaitP50 = "request_wait_p50_s", Seconds, "The median of the times that requests, served or not, waited for capacity.", About::Callers;
    RequestWaitP99 = "request_wait_p99_s", Seconds, "The 99th percentile of these times (nearest rank).", About::Callers;
    Unready = "unready_s", Seconds, "Pool-seconds, to the horizon, with fewer sandboxes ready (RUNNING in the store, and the task not known to the runtime to have ended) than wanted (the pool's desired instances; in a fixed pool that a version references, at least the configured number that the launcher told last).";
    Down = "down_s", Seconds, "Service-seconds, to the horizon, without a single ready sandbox, of services that had one before and whose pools want one.";
    DownMax = "max_app_down_s", Seconds, "These seconds of the app that has the most, its services together.";
    SettledTime = "settled_s", Seconds, "How long, to the horizon, the cluster was settled.";
    UnsettledTimes = "unsettled_times", Count, "Times that the cluster ceased to be settled.";
    TimeToReady = "time_to_ready_s", Seconds, "From the first deploy step to the first moment at which the cluster is settled and a sandbox has been RUNNING; to the end of the run when there is none; 0 without a deploy.";
    Recovery = "recovery_s", Seconds, "From the moment the cause is gone to the last entry into the settled state (to the end of the run when it did not settle; 0 when it settled before). The cause is gone at the latest of: the end of a fault's window, the last strike of a fault whose window has no end, the last change of a workload; with none of these, at the last step.";
    StoreWrites = "store_writes", Count, "Creates, patches and deletes that took effect in the store.";
    StoreConflicts = "store_conflicts", Count, "Patches refused because the entity had another revision.";
    EventsDropped = "events_dropped", Count, "Events of a watch or a list that met a full work queue.";
    Reconciles = "reconciles", Count, "Times that a handler of a controller began.";
}

impl Figure {
    /// Whether it tells what callers met with.
    pub fn is_of_requests(self) -> bool {
        matches!(self.about(), About::Callers | About::Failures(_))
    }
    /// The reason, in words, of the failures that it counts.
    pub fn why_failed(self) -> Option<&'static str> {
        if let About::Failures(why) = self.about() { Some(why) } else { None }
    }
}

/// What the fold must be told, because no record says it.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Where simulated time ended.
    pub ended_at: SimTime,
    /// The last entry into the settled state, when it lasted to the end.
    pub settled_at: Option<SimTime>,
    /// The first step that deploys something.
    pub first_deploy: Option<SimTime>,
    /// The last step of any kind.
    pub last_step: Option<SimTime>,
    /// The last step that changes a workload.
    pub workload_changed: Option<SimTime>,
    /// Where the window of each fault ends, when it has a fixed end.
    pub fault_ends: Vec<Option<SimTime>>,
}

/// The figures of one run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metrics {
    figures: [Metric; Figure::ALL.len()],
    down: BTreeMap<u32, SimDuration>,
}

impl Default for Metrics {
    fn default() -> Self {
        let figures = std::array::from_fn(|i| match Figure::ALL[i].unit() {
            Unit::Count => Metric::Count(0),
            Unit::Seconds => Metric::Seconds(SimDuration::ZERO),
        });
        Self { figures, down: BTreeMap::new() }
    }
}

impl Metrics {
    /// The value of a figure.
    pub fn of(&self, figure: Figure) -> Metric {
        self.figures[figure as usize]
    }
    /// The value of the figure of that name.
    pub fn get(&self, name: &str) -> Option<Metric> {
        Figure::named(name).map(|figure| self.of(figure))
    }
    /// Every figure with its value, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = (Figure, Metric)> + '_ {
        Figure::ALL.iter().map(|figure| (*figure, self.of(*figure)))
    }
    /// How long each app was down, its services together, by the app's number: what [`Figure::Down`] is the sum
    /// of. Apps that never were are left out.
    pub fn down_by_app(&self) -> &BTreeMap<u32, SimDuration> {
        &self.down
    }
    fn count(&mut self, figure: Figure, n: u64) {
        debug_assert!(figure.unit() == Unit::Count, "{figure:?} is a time");
        self.figures[figure as usize] = Metric::Count(n);
    }
    fn time(&mut self, figure: Figure, d: SimDuration) {
        debug_assert!(figure.unit() == Unit::Seconds, "{figure:?} is a count");
        self.figures[figure as usize] = Metric::Seconds(d.rounded());
    }
}

/// The page of the user's guide that defines the metrics.
pub fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Every figure is folded from the trace of the run; none is counted apart. `schedsim run --format json` and\n\
         the columns of a sweep use these names; those that end in `_s` are simulated seconds, always\n\
         with three decimals. A figure that has no value in a run is 0.\n\n\
         <!-- Made from src/trace/metrics.rs; a test compares. To write it anew: UPDATE_DOCS=1 cargo test --lib metrics -->\n\n\
         | name | unit | meaning |\n| --- | --- | --- |\n",
    );
    for figure in Figure::ALL {
        let unit = match figure.unit() {
            Unit::Count => "count",
            Unit::Seconds => "seconds",
        };
        page.push_str(&format!("| `{}` | {unit} | {} |\n", figure.name(), figure.meaning()));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_says_what_the_code_counts() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, page()).expect("docs/ can be written");
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(found, page(), "run UPDATE_DOCS=1 cargo test --lib metrics");
    }

    #[test]
    fn names_tell_their_unit_and_none_occurs_twice() {
        for (i, figure) in Figure::ALL.iter().enumerate() {
            assert_eq!(figure.name().ends_with("_s"), figure.unit() == Unit::Seconds, "{figure:?}");
            assert_eq!(Figure::named(figure.name()), Some(*figure));
            assert_eq!(*figure as usize, i);
        }
    }

    #[test]
    fn numbers_are_exact_and_plain() {
        for (billionths, count, seconds) in [
            (0, "0", "0.000"),
            (213_000_000_000, "213", "213.000"),
            (314_250_000_000, "314.25", "314.250"),
            (1, "0.000000001", "0.000000001"),
            (10_000_000_001, "10.000000001", "10.000000001"),
        ] {
            assert_eq!([written("requests", billionths), written("down_s", billionths)], [count, seconds]);
        }
        let (one, long) = (Metric::Count(1), Metric::Seconds(SimDuration::from_millis(1_401_030)));
        assert_eq!([one, long].map(|value| value.to_string()), ["1", "1401.030"]);
    }
}
