//! What a world is made of: nodes, latencies, workloads, faults – plain data.
//!
//! Scenarios produce these, the world reads them; neither knows the other. What a newcomer gets
//! wrong: a [`Spread`] is drawn once for each use, from the stream of its subject and purpose.

mod environment;

use crate::kernel::{SimDuration, SimTime, streams};
use crate::model::{AnyStatus, EffectKind, Name, Point};

pub use environment::{Environment, Graces, Phase};

/// A duration, constant or random; never below zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// Always the same.
    Constant(SimDuration),
    /// Uniform between two durations.
    Uniform(SimDuration, SimDuration),
    /// Exponential with that mean.
    Exponential(SimDuration),
    /// Normal with that mean and standard deviation, cut at zero.
    Normal(SimDuration, SimDuration),
}

impl Spread {
    /// The value, when nothing is to be drawn.
    pub fn constant(self) -> Option<SimDuration> {
        match self {
            Self::Constant(d) => Some(d),
            Self::Uniform(low, high) => (low == high).then_some(low),
            Self::Exponential(mean) => mean.is_zero().then_some(mean),
            Self::Normal(mean, deviation) => deviation.is_zero().then_some(mean),
        }
    }

    /// One draw; `bits` gives 64 random bits at each call. Rounded to nanoseconds once, here.
    pub fn draw(self, mut bits: impl FnMut() -> u64) -> SimDuration {
        if let Some(d) = self.constant() {
            return d;
        }
        // 53 bits make a float in (0, 1]: never zero, so that its logarithm is finite.
        let mut unit = || ((bits() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        let rounded = |nanos: f64| SimDuration::from_nanos(libm::round(nanos.max(0.0)) as u64);
        match self {
            Self::Constant(d) => d,
            Self::Uniform(low, high) => {
                low + SimDuration::from_nanos(streams::below(bits(), (high - low).as_nanos().saturating_add(1)))
            }
            Self::Exponential(mean) => rounded(-libm::log(unit()) * mean.as_nanos() as f64),
            Self::Normal(mean, deviation) => {
                let radius = libm::sqrt(-2.0 * libm::log(unit()));
                let angle = 2.0 * std::f64::consts::PI * unit();
                rounded(mean.as_nanos() as f64 + deviation.as_nanos() as f64 * radius * libm::cos(angle))
            }
        }
    }
}

impl From<SimDuration> for Spread {
    fn from(d: SimDuration) -> Self {
        Self::Constant(d)
    }
}

/// The machines and services that the scheduler works with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterSpec {
    pub nodes: Vec<Name>,
    /// How many addresses each node's subnet has.
    pub addresses_per_node: u16,
    /// How much the volumes of the cluster may hold together.
    pub disk_quota_gb: u64,
    pub latency: Latencies,
}

macro_rules! latencies {
    ($($field:ident = $millis:literal, $meaning:literal;)*) => {
        /// How long each call takes; the keys below `cluster.latency`.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Latencies { $(#[doc = $meaning] pub $field: Spread),* }

        impl Latencies {
            /// Each key, its default and what it means, in the order of the documentation.
            pub const ROWS: &[(&str, SimDuration, &str)] =
                &[$((stringify!($field), SimDuration::from_millis($millis), $meaning)),*];

            /// The latency under that key.
            pub fn get_mut(&mut self, key: &str) -> Option<&mut Spread> {
                match key {
                    $(stringify!($field) => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
        impl Default for Latencies {
            fn default() -> Self {
                Self { $($field: Spread::Constant(SimDuration::from_millis($millis))),* }
            }
        }
    };
}
latencies! {
    store = 2, "every store call";
    commit = 7, "on top of that for a write: what the entity refers to is looked for, and it is committed; a patch without a revision has read by then";
    watch = 5, "from a write's effect to the delivery of its watch event";
    allocate_address = 10, "taking an address";
    create_container = 100, "making a container";
    destroy = 300, "ending a task and removing its container";
    create_volume = 2000, "making a volume";
    acquire_volume = 50, "taking a volume's exclusive lease";
    initialise = 1000, "making a file system";
    mount = 200, "mounting a volume";
    unmount = 200, "unmounting it";
    release_volume = 50, "giving back a volume's exclusive lease";
    delete_volume = 500, "removing a volume";
}

impl Default for ClusterSpec {
    fn default() -> Self {
        Self {
            nodes: vec![Name::new("n1")],
            addresses_per_node: 253,
            disk_quota_gb: 10_000,
            latency: Latencies::default(),
        }
    }
}

/// A time that may never come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delay {
    /// After this long.
    After(Spread),
    Never,
}

/// How a service's program behaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkloadSpec {
    /// How long a pull of its image takes on a node that does not have it.
    pub image_pull: Spread,
    /// How long its task takes to start.
    pub start: Spread,
    /// From the end of `start` until its port answers.
    pub ready: Vec<Delay>,
    /// From the end of `start` until its process exits. A list is per boot; the last value repeats.
    pub exit_after: Vec<Delay>,
    /// How long one request takes.
    pub request: Spread,
}

impl Default for WorkloadSpec {
    fn default() -> Self {
        let constant = |millis| Spread::Constant(SimDuration::from_millis(millis));
        Self {
            image_pull: constant(2000),
            start: constant(500),
            ready: vec![Delay::After(constant(500))],
            exit_after: vec![Delay::Never],
            request: constant(50),
        }
    }
}

/// What a fault does to a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It fails with that message, and nothing is done.
    Error(Name),
    /// It never ends; the caller's own time-out may.
    Hang,
    /// It takes longer.
    Delay(Spread),
    /// The work is done, and the caller sees an error.
    LoseReply,
    /// A read answers what was true that long ago.
    Stale(SimDuration),
    /// A watch event is lost.
    Drop,
    /// The calling process dies before the call has any effect.
    CrashBefore,
    /// The calling process dies when the call has taken effect, before it is answered.
    CrashAfter,
}

impl Effect {
    /// What a record says of it.
    pub const fn kind(self) -> EffectKind {
        match self {
            Self::Error(_) => EffectKind::Error,
            Self::Hang => EffectKind::Hang,
            Self::Delay(_) => EffectKind::Delay,
            Self::LoseReply => EffectKind::LoseReply,
            Self::Stale(_) => EffectKind::Stale,
            Self::Drop => EffectKind::Drop,
            Self::CrashBefore | Self::CrashAfter => EffectKind::Crash,
        }
    }
}

/// Which calls a fault is about, or which writes trigger it: all that are given must match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    pub app: Option<Name>,
    pub service: Option<Name>,
    /// The sandbox's name, without `sandbox/`.
    pub sandbox: Option<Name>,
    /// The pool's name, without `pool/`.
    pub pool: Option<Name>,
    /// The disk's name, without `disk/`.
    pub disk: Option<Name>,
    /// The lease's name, without `lease/`.
    pub lease: Option<Name>,
    pub node: Option<Name>,
    /// The calling controller.
    pub controller: Option<Name>,
    /// The kind of entity that a store call or watch event is about.
    pub kind: Option<Name>,
}

/// A write that opens a fault's window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trigger {
    pub status: AnyStatus,
    pub filter: Filter,
    /// Which of these writes, counted from 1.
    pub nth: u64,
    /// How long the window stays open; none: to the end.
    pub lasts: Option<SimDuration>,
}

/// When a fault strikes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct When {
    /// The numbers of the matching calls, from 1; empty: all.
    pub calls: Vec<u64>,
    /// The chance of each matching call, in parts per million.
    pub chance_ppm: Option<u64>,
    /// At most so many times.
    pub times: Option<u64>,
    /// Not before.
    pub from: Option<SimTime>,
    /// Not at or after.
    pub until: Option<SimTime>,
    /// Not before that write.
    pub after: Option<Trigger>,
}

/// One fault of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultSpec {
    pub name: Name,
    pub on: Vec<Point>,
    pub filter: Filter,
    pub when: When,
    pub effect: Effect,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_mean() {
        let secs = SimDuration::from_secs;
        for spread in [
            Spread::Uniform(secs(1), secs(3)),
            Spread::Exponential(secs(2)),
            Spread::Normal(secs(2), SimDuration::from_millis(200)),
        ] {
            let mut streams = crate::kernel::Streams::new(1);
            let total: u64 = (0..10_000).map(|_| spread.draw(|| streams.draw("x", "test")).as_nanos()).sum();
            let mean = total / 10_000;
            assert!(mean.abs_diff(2_000_000_000) < 60_000_000, "{spread:?}: {mean}");
        }
    }
}
