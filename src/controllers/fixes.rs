//! The named fixes of the scheduler's history, and sets of them.
//!
//! A fix is a switch with one or two decision points in the controllers; switched off, it gives
//! the older behaviour, bug included. A day selects the fixes that had landed by then. This file
//! may know dates and names only. What a newcomer gets wrong: "current" is all of history, and
//! leaves the *proposed* fixes out.

use std::fmt;
use std::iter::successors;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A calendar day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// Later than any day: not landed yet.
    pub const PROPOSED: Self = Self { year: u16::MAX, month: 0, day: 0 };

    const fn of(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::PROPOSED {
            f.pad("proposed")
        } else {
            f.pad(&format!("{:04}-{:02}-{:02}", self.year, self.month, self.day))
        }
    }
}

impl FromStr for Day {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no day; write one like \"2026-03-11\", or \"current\" or \"proposed\"");
        let mut parts = text.split('-');
        let mut next = |digits: usize| {
            let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse::<u16>().ok()
        };
        let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else {
            return Err(bad());
        };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => return Err(bad()),
        };
        if parts.next().is_some() || day == 0 || day > days {
            return Err(bad());
        }
        Ok(Self { year, month: month as u8, day: day as u8 })
    }
}

/// What is known of one fix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct FixInfo {
    /// Its name in configurations and messages.
    pub name: &'static str,
    pub day: Day,
    pub source: &'static str,
    pub what: &'static str,
}

macro_rules! fixes {
    ($($fix:ident = $name:literal, $day:expr, $source:literal, $what:literal;)*) => {
        /// A fix.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Fix { $(#[doc = $what] $fix),* }

        impl Fix {
            /// Every fix, in the order in which they landed.
            pub const ALL: &[Self] = &[$(Self::$fix),*];

            /// What is known of it.
            pub const fn info(self) -> FixInfo {
                match self {
                    $(Self::$fix => FixInfo { name: $name, day: $day, source: $source, what: $what }),*
                }
            }
        }
    };
}

fixes! {
    SkipDead = "skip-dead", Day::of(2025, 10, 27), "#269", "a request is given to running sandboxes only";
    SinglePoolWorker = "single-pool-worker", Day::of(2025, 10, 27), "#270", "one worker reconciles pools instead of three";
    ActivatorSeesPending = "activator-sees-pending", Day::of(2025, 10, 27), "#270", "a request waits for pending sandboxes instead of raising desired";
    MaxPoolSize = "max-pool-size", Day::of(2025, 10, 27), "#272", "desired is capped at max_pool_size";
    ProactiveScaleDown = "proactive-scale-down", Day::of(2025, 11, 5), "#294", "a pool that has too many stops them at once, busy or idle, auto or fixed";
    KeepDesiredOnReuse = "keep-desired-on-reuse", Day::of(2025, 11, 5), "#294", "reusing an auto pool keeps its desired instances";
    RevisionCheckedIncrement = "revision-checked-increment", Day::of(2025, 11, 5), "#294", "the activator raises desired with an expected revision";
    ConflictIsTold = "conflict-is-told", Day::of(2025, 11, 11), "#332", "a caller of the store is told that it met a conflict, so that a request that raises a pool tries again";
    ServiceEnv = "service-env", Day::of(2025, 11, 12), "#344", "a service's own environment reaches its version";
    VersionsSharePools = "versions-share-pools", Day::of(2025, 11, 13), "#341", "a version is served by every sandbox of its pool";
    SerialiseEntity = "serialise-entity", Day::of(2025, 11, 13), "#339", "one entity is processed by one worker at a time";
    EarlyAddress = "early-address", Day::of(2025, 11, 13), "#346", "a boot writes its address when it takes it, not with RUNNING";
    ExitWatch = "exit-watch", Day::of(2025, 11, 13), "#348", "the exit of a process is noticed";
    ExitMeansStopped = "exit-means-stopped", Day::of(2025, 11, 13), "#348", "a sandbox whose process exited is STOPPED, so that it is cleaned up";
    RecheckLeaseOnDiskChange = "recheck-lease-on-disk-change", Day::of(2025, 11, 13), "#340", "a change of a disk wakes its leases";
    PortOfWebOnly = "port-of-web-only", Day::of(2025, 11, 13), "#351", "only web has a port of its own accord, not every service";
    StopGoesOn = "stop-goes-on", Day::of(2025, 11, 13), "#357", "a stop whose container cannot be destroyed goes on: its address is freed, the sandbox is DEAD";
    CrashBackoff = "crash-backoff", Day::of(2025, 11, 14), "#370", "early deaths are counted and lead to exponential cooldowns";
    ContainerWatchdog = "container-watchdog", Day::of(2025, 11, 14), "#363", "a node looks for stray containers every 5 min, not at its start only";
    PortOfService = "port-of-service", Day::of(2025, 11, 19), "#385", "a service of an app config can have a `port`, with a name and a type";
    ForgetDeleted = "forget-deleted", Day::of(2025, 11, 19), "#388", "the activator forgets a sandbox that is deleted";
    PortRequired = "port-required", Day::of(2025, 11, 19), "#386", "a sandbox is healthy only while its port answers";
    PortDeadline15s = "port-deadline-15s", Day::of(2025, 11, 24), "#394", "a boot waits 15 s for its port, polled every 250 ms";
    PendingRunningBackstop = "pending-running-backstop", Day::of(2025, 11, 24), "#394", "a healthy sandbox PENDING for 2 min becomes RUNNING";
    PoolByDiff = "pool-by-diff", Day::of(2025, 11, 24), "#397", "the pool controller's changes are written as a diff, which loses zeros (a step back)";
    SkipOwnWrites = "skip-own-writes", Day::of(2025, 11, 24), "#395, #397", "a controller passes over the watch events of its own writes";
    SchedulerResyncs = "scheduler-resyncs", Day::of(2025, 12, 1), "-", "the scheduler resyncs, and lists nodes each time";
    VolumeLeases = "volume-leases", Day::of(2025, 12, 4), "#433", "a volume has an exclusive lease of its own, whose proof is in the lease manager's memory (a step back)";
    IngressDropsBroken = "ingress-drops-broken", Day::of(2025, 12, 8), "#458", "the ingress gives back a share whose sandbox takes no connection";
    UncheckedPatch = "unchecked-patch", Day::of(2025, 12, 10), "#470", "a patch that expects no revision never conflicts: it writes the whole entity over what others wrote since its read";
    ReleaseAddressOnFailedPatch = "release-address-on-failed-patch", Day::of(2025, 12, 11), "#479", "an address whose patch fails is given back";
    WatchdogReleasesAddress = "watchdog-releases-address", Day::of(2025, 12, 11), "#479", "the watchdog gives back the addresses of stray containers";
    DropMissingPool = "drop-missing-pool", Day::of(2025, 12, 15), "#483", "the activator forgets a pool that a write does not find";
    KeepReferencedPool = "keep-referenced-pool", Day::of(2025, 12, 19), "#497", "an empty pool that the active version references is kept";
    WatchPoolDeletions = "watch-pool-deletions", Day::of(2025, 12, 19), "#498", "the activator sees deletions of pools";
    IgnoreStaleDead = "ignore-stale-dead", Day::of(2026, 1, 5), "#509", "a request does not fail fast because of sandboxes that died before it came";
    DeleteClearsVersion = "delete-clears-version", Day::of(2026, 1, 6), "#514", "deleting an app takes its active version away first, so that the launcher leaves it alone";
    ReleaseLeasesOnStop = "release-leases-on-stop", Day::of(2026, 1, 7), "#516", "stopping a sandbox releases its disk leases";
    LeaseBelongsToSandbox = "lease-belongs-to-sandbox", Day::of(2026, 1, 7), "#516", "a boot takes up its own lease only";
    GracefulShutdown = "graceful-shutdown", Day::of(2026, 1, 7), "#520", "a program has 10 s to end after SIGTERM instead of 50 ms";
    VolumeOfDisk = "volume-of-disk", Day::of(2026, 1, 30), "#554", "a disk's volume is looked up before another is made, and is removed with the disk";
    RefuseNoServices = "refuse-no-services", Day::of(2026, 2, 2), "#563", "a deploy of an app without any service is refused";
    RereadApp = "reread-app", Day::of(2026, 2, 6), "#579", "the launcher reads the app again instead of going by the event";
    ConfigByReference = "config-by-reference", Day::of(2026, 2, 11), "#586", "the coordinator's start no longer fills in the numbers of services whose config says none (a step back for some)";
    ReuseRenewsVersion = "reuse-renews-version", Day::of(2026, 2, 11), "#586", "a pool that is used again gets the active version in its spec";
    LeaseConflictWaits = "lease-conflict-waits", Day::of(2026, 2, 12), "#597", "a lease whose disk is another's stays PENDING instead of FAILED; one that is RELEASED or FAILED lets go of its disk at once";
    ReleaseLeasesFirst = "release-leases-first", Day::of(2026, 2, 12), "#597", "a stop releases the disk leases before the program is asked to end, not after";
    ReleaseLeasesOnCollect = "release-leases-on-collect", Day::of(2026, 2, 17), "#613", "collecting a dead sandbox releases its disk leases";
    RefreshPoolCache = "refresh-pool-cache", Day::of(2026, 2, 17), "#616", "the activator reads the pool again before it refuses for its size";
    IngressKeepsShares = "ingress-keeps-shares", Day::of(2026, 2, 22), "#627", "the ingress keeps a share for 5 min after its last use, and renews it meanwhile";
    StalePendingMonitor = "stale-pending-monitor", Day::of(2026, 2, 25), "#629", "sandboxes PENDING for 5 min are stopped";
    IngressTimesAnswer = "ingress-times-answer", Day::of(2026, 2, 27), "#634", "the ingress limits the wait for a sandbox's answer, not that for the sandbox";
    WaitForNewPool = "wait-for-new-pool", Day::of(2026, 3, 2), "#637", "the old pool is scaled down when the new one is ready";
    IngressRetries = "ingress-retries", Day::of(2026, 3, 2), "#637", "a request whose kept share is of a dead sandbox asks once more";
    SeveralPorts = "several-ports", Day::of(2026, 3, 3), "#641", "a service of an app config can have `ports`, each with a protocol";
    BootReadsListeners = "boot-reads-listeners", Day::of(2026, 3, 5), "#646", "a boot looks for its port in the node's list of listeners, not over the sandbox's network";
    ReleaseAddressWithoutContainer = "release-address-without-container", Day::of(2026, 3, 9), "#647", "stop gives back the store's address even without a container";
    NoVolumeLeases = "no-volume-leases", Day::of(2026, 3, 11), "#639", "volumes are files of the node that made them, and have no lease of their own; a disk lease of another node fails";
    StrictAppConfig = "strict-app-config", Day::of(2026, 3, 12), "#666", "an unknown field of an app config is an error, in all three loaders";
    DeadOnBootFailure = "dead-on-boot-failure", Day::of(2026, 3, 12), "#666", "any failed boot marks the sandbox DEAD and releases what it took";
    DiskOwnership = "disk-ownership", Day::of(2026, 3, 12), "#666", "a new disk carries the app that made it";
    ValidateDisksAtDeploy = "validate-disks-at-deploy", Day::of(2026, 3, 12), "#666", "a deploy is refused when a disk of size 0 does not exist";
    MembershipByPool = "membership-by-pool", Day::of(2026, 3, 13), "#672", "a pool lists the sandboxes that name it, not those of its version";
    NoCrashesWhenRetired = "no-crashes-when-retired", Day::of(2026, 3, 13), "#672", "a pool that nothing references counts no crashes";
    LookAtNewSandboxes = "look-at-new-sandboxes", Day::of(2026, 3, 13), "#672", "a new pool is ready when a sandbox of it runs, counted or not, and is looked at every 500 ms";
    IngressToldOfStops = "ingress-told-of-stops", Day::of(2026, 3, 13), "#672", "shares of a sandbox that does not run are given back before they are used, and not renewed";
    AliasesInConfig = "aliases-in-config", Day::of(2026, 3, 26), "#693", "an app config can have `aliases`";
    ResetCooldownOnDeploy = "reset-cooldown-on-deploy", Day::of(2026, 3, 27), "#702", "reusing a pool clears its crash count and cooldown";
    OwnNodeOnly = "own-node-only", Day::of(2026, 3, 30), "#705", "a node's start, watchdog and collection look at its own sandboxes only, not at those of all nodes";
    DisksOnCoordinator = "disks-on-coordinator", Day::of(2026, 3, 30), "#704", "a sandbox with disks goes to the coordinator's node, one without to the others, if one is ready";
    CompareVolumes = "compare-volumes", Day::of(2026, 4, 2), "#718", "a pool matches only when its volumes do";
    KeepLastCrashTime = "keep-last-crash-time", Day::of(2026, 4, 2), "#723", "last_crash_time survives recovery and reset";
    DrainBeforeCreate = "drain-before-create", Day::of(2026, 4, 3), "#725", "with disks, the old pool drains before the new one is created";
    NodeHealth = "node-health", Day::of(2026, 4, 14), "#762", "sandboxes of a node that is lost for 5 min are marked DEAD";
    DeathsOfOwnVersion = "deaths-of-own-version", Day::of(2026, 4, 17), "#766", "a request does not fail fast because of another version's dead";
    DisksOfCoordinator = "disks-of-coordinator", Day::of(2026, 4, 27), "#770", "only the coordinator's node makes and removes volumes, whatever other nodes have made";
    ListenNotDial = "listen-not-dial", Day::of(2026, 5, 11), "#796", "a running sandbox is healthy while its port is listened on; nobody dials";
    PortTimeoutInConfig = "port-timeout-in-config", Day::of(2026, 5, 20), "#792", "a service of an app config can have a `port_timeout`";
    LongerRequestWait = "longer-request-wait", Day::of(2026, 5, 27), "#821", "a request waits 120 s instead of 50 s, also at a pool's maximum, which for a fixed service is its own number";
    ActivatorResyncs = "activator-resyncs", Day::of(2026, 6, 3), "#837", "the activator lists everything when it reconnects";
    SpreadReplicas = "spread-replicas", Day::of(2026, 6, 4), "#829", "a sandbox goes to the node that has the fewest of its pool";
    ConfirmBeforeRelease = "confirm-before-release", Day::of(2026, 6, 15), "#856", "the watchdog reads a sandbox again before it frees its address";
    KeepAddressOnRetry = "keep-address-on-retry", Day::of(2026, 6, 15), "#856", "a second boot of a sandbox keeps its first address";
    ReconcileAddresses = "reconcile-addresses", Day::of(2026, 6, 15), "#856", "a node frees an address that no container has had at three looks, and gives out none that one has";
    ReleaseLeasesOnBootFailure = "release-leases-on-boot-failure", Day::of(2026, 6, 23), "#861", "a boot that fails after binding releases its lease";
    OrphanLeaseSweep = "orphan-lease-sweep", Day::of(2026, 6, 23), "#861", "leases of dead or missing sandboxes are released";
    DeployFloorsPool = "deploy-floors-pool", Day::of(2026, 6, 29), "#869", "a pool at zero that is used again gets one instance and is awaited";
    RepointActivator = "repoint-activator", Day::of(2026, 7, 6), "#883", "the activator leaves a pool that no longer references the version";
    DeletedReleasesLeases = "deleted-releases-leases", Day::of(2026, 7, 9), "#516, #898", "a patch looks only for what it names itself, so that the leases of a deleted sandbox can be released";
    ReapMismatched = "reap-mismatched", Day::of(2026, 7, 17), "#934", "a pool without disks whose spec no longer matches is given up, referenced or not";
    MissingVolumeWaits = "missing-volume-waits", Day::of(2026, 7, 28), "#983", "a lease whose disk names a volume that is not there stays PENDING instead of FAILED";
    DrainWaitsForDead = "drain-waits-for-dead", Day::of(2026, 8, 21), "#1077", "only DEAD counts as drained";
    SagaBoot = "saga-boot", Day::of(2026, 8, 27), "#972", "a boot is a saga: volumes after the container, RUNNING by revision, the action that failed is not undone";
    FloorOnlyNewVersion = "floor-only-new-version", Day::of(2026, 9, 3), "#1150", "a pool at zero is started for a new version only, not by every resync";
    TwoLauncherWorkers = "two-launcher-workers", Day::of(2026, 9, 3), "#1150", "two workers reconcile apps, so that one that waits does not hold up another";
    WatchResumes = "watch-resumes", Day::of(2026, 9, 4), "#841, #1164", "a watch continues from the last revision seen";
    DirtyKeyQueue = "dirty-key-queue", Day::of(2026, 9, 4), "#1164", "the work queue holds keys, read again before each reconcile, retried on failure";
    IdempotentDrain = "idempotent-drain", Day::of(2026, 9, 4), "#1162", "a drain that was begun is neither written nor waited for again";
    DisklessStoppedIsDrained = "diskless-stopped-is-drained", Day::of(2026, 9, 4), "#1162", "a STOPPED sandbox without volumes holds up no drain";
    LostStoppedDie = "lost-stopped-die", Day::of(2026, 9, 4), "#1162", "STOPPED sandboxes of a lost node are marked DEAD, too";
    TickKeepsWatch = "tick-keeps-watch", Day::of(2026, 9, 16), "#1240", "a resync lists beside an open watch, instead of closing it and beginning anew";
    SkipUdpPorts = "skip-udp-ports", Day::of(2026, 9, 22), "#1254", "a boot does not wait for UDP ports, which nobody can be seen to listen on";
    ExitEndsPortWait = "exit-ends-port-wait", Day::of(2026, 9, 29), "2026-09", "a program that exits while its boot waits for the port fails the boot at once";
    SagaResumes = "saga-resumes", Day::of(2026, 9, 29), "2026-09", "a boot whose program has survived a restart goes on waiting for its port";
    DrainResumes = "drain-resumes", Day::of(2026, 9, 29), "MIR-1994", "a stop that a restart has cut goes on with the time that its program had left, of a DEAD sandbox, too";
    DeadWrittenOnce = "dead-written-once", Day::of(2026, 9, 29), "2026-09", "neither an exit nor a stop writes over DEAD";
    ExitWakesController = "exit-wakes-controller", Day::PROPOSED, "rules", "the exit's own write is not skipped, so that the stop follows at once";
    DiffClearsFields = "diff-clears-fields", Day::PROPOSED, "rules", "a diff can write zero, empty and absent";
    ResetOnlyOnNewVersion = "reset-only-on-new-version", Day::PROPOSED, "rules", "crash state is reset by a new version only, not by every resync";
    RestoreDesiredAfterCooldown = "restore-desired-after-cooldown", Day::PROPOSED, "rules", "a fixed pool gets its configured number back after a cooldown";
    RetryUnfinishedServices = "retry-unfinished-services", Day::PROPOSED, "rules", "a pass that leaves a service without its pool fails, so that it is retried within seconds";
    ActivityOnlyForLive = "activity-only-for-live", Day::PROPOSED, "rules", "last activity is written for PENDING and RUNNING sandboxes only";
    WaiterRaises = "waiter-raises", Day::PROPOSED, "rules", "who waited for a pending sandbox and finds it full raises the pool";
    OwnershipOrFail = "ownership-or-fail", Day::PROPOSED, "#666 review", "a boot fails when the app of its new disk cannot be read";
    SlowFailuresCount = "slow-failures-count", Day::PROPOSED, "#666 review", "a failed boot counts as a crash however long it took";
    ReleaseLeasesLast = "release-leases-last", Day::PROPOSED, "hazard H5", "a stop gives up the leases when the program has ended, and a boot waits for a disk that another still holds";
    UndoFailedAction = "undo-failed-action", Day::PROPOSED, "hazard H4", "a saga undoes the action that failed, too, so that its lease does not stay";
}

impl Fix {
    /// Its name in configurations and messages.
    pub const fn name(self) -> &'static str {
        self.info().name
    }
    /// The fix of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fix| fix.name() == name)
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of fixes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Fixes(u128);

impl Fixes {
    /// None of them: the scheduler at the start of its history.
    pub const NONE: Self = Self(0);

    /// Those that had landed at the end of that day.
    pub fn as_of(day: Day) -> Self {
        Fix::ALL.iter().filter(|fix| fix.info().day <= day && fix.info().day != Day::PROPOSED).copied().collect()
    }
    /// All of history.
    pub fn current() -> Self {
        Self::as_of(Day::of(9999, 12, 31))
    }
    /// All of history, and those that are only proposed.
    pub fn proposed() -> Self {
        Fix::ALL.iter().copied().collect()
    }
    /// The set of which the bits are those, each at the place of its fix.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
    /// A bit for each fix of the set, at its place.
    pub const fn bits(self) -> u128 {
        self.0
    }
    /// Whether `fix` is in force.
    #[inline]
    pub const fn has(self, fix: Fix) -> bool {
        self.0 >> fix as u32 & 1 == 1
    }
    /// The set with `fix`.
    #[must_use]
    #[inline]
    pub const fn with(self, fix: Fix) -> Self {
        Self(self.0 | 1 << fix as u32)
    }
    /// The set without `fix`.
    #[must_use]
    pub const fn without(self, fix: Fix) -> Self {
        Self(self.0 & !(1 << fix as u32))
    }
    /// Its members, in the order in which they landed.
    pub fn iter(self) -> impl Iterator<Item = Fix> {
        let places = successors(Some(self.0), |left| Some(left & left.wrapping_sub(1))).take_while(|left| *left != 0);
        places.filter_map(|left| Fix::ALL.get(left.trailing_zeros() as usize).copied())
    }

    /// The set with these, and then without those.
    pub(crate) fn changed(self, with: &[Fix], without: &[Fix]) -> Self {
        let with = with.iter().fold(self, |set, fix| set.with(*fix));
        without.iter().fold(with, |set, fix| set.without(*fix))
    }
}

impl FromIterator<Fix> for Fixes {
    fn from_iter<I: IntoIterator<Item = Fix>>(fixes: I) -> Self {
        fixes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for Fixes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter().map(Fix::name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_switches_on_what_had_landed_by_its_end() {
        let day = |text: &str| Fixes::as_of(text.parse().unwrap());
        assert!(!day("2026-03-11").has(Fix::DeadOnBootFailure));
        assert!(day("2026-03-12").has(Fix::DeadOnBootFailure));
        assert!(!day("2026-03-12").has(Fix::MembershipByPool));
        assert_eq!(day("2020-01-01"), Fixes::NONE);
        assert!(!Fixes::current().has(Fix::DiffClearsFields), "proposed is not history");
        assert!(Fixes::proposed().has(Fix::DiffClearsFields));
    }

    #[test]
    fn fixes_are_listed_in_the_order_in_which_they_landed() {
        assert!(Fix::ALL.is_sorted_by_key(|fix| fix.info().day));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["2026-3-11", "2026-02-30", "2026-13-01", "yesterday", "2026-03-11-1", ""] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
