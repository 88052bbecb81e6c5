//! The `[tuning]` table: the constants of the scheduler, made from the scheduler's own list.
//!
//! Names, types and defaults come from `controllers::tuning`; only the words for readers are
//! written here. A constant without words is a panic that every test would meet. What a newcomer
//! gets wrong: three constants have no default, for it follows the fixes in force.

use std::sync::LazyLock;

use crate::controllers::tuning::{SETTINGS, Setting, SettingKind, Tuning};

use super::{Key, Keys, Kind, TableSpec};

pub(crate) static TUNING: TableSpec = TableSpec {
    name: "`tuning`",
    doc: "Constants of the scheduler; list only what differs. Durations that end in `_resync`, `_every`, `_poll`, `_tick` or `_renew` must be longer than nothing.",
    keys: Keys::Made(|| &TOP),
};
static BACKOFF: TableSpec = TableSpec {
    name: "`tuning.backoff`",
    doc: "How long a pool waits after crashes: `base · factor^(n−1)`, at most `cap`.",
    keys: Keys::Made(|| &BACKOFF_KEYS),
};
static GRACE: TableSpec =
    TableSpec { name: "`tuning.grace`", doc: "How long each invariant forgives.", keys: Keys::Made(|| &GRACE_KEYS) };

static TOP: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut keys = keys_below("");
    let table = |name, spec, doc| Key { name, kind: Kind::Table(spec), default: "as below", doc };
    keys.push(table("backoff", &BACKOFF, "how long a pool waits after crashes"));
    keys.push(table("grace", &GRACE, "what invariants forgive"));
    keys
});
static BACKOFF_KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| keys_below("backoff."));
static GRACE_KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| keys_below("grace."));

/// The constants directly below a prefix.
fn keys_below(prefix: &str) -> Vec<Key> {
    let tuning = Tuning::default();
    let below = |(path, kind): &(&'static str, SettingKind)| {
        let name = path.strip_prefix(prefix).filter(|name| !name.contains('.'))?;
        let words = DOCS.iter().find(|(key, _)| key == path);
        let (_, doc) = words.unwrap_or_else(|| panic!("constant `{path}` has no line in DOCS"));
        Some(Key { name, kind: kind_of(*kind), default: default_of(&tuning, path, *kind), doc })
    };
    SETTINGS.iter().filter_map(below).collect()
}

fn kind_of(kind: SettingKind) -> Kind {
    match kind {
        SettingKind::Duration => Kind::Duration,
        SettingKind::Int { min, max } => Kind::Int { min: min.into(), max: max.into() },
        SettingKind::Decimal { min, max } => Kind::Decimal { min, max },
        SettingKind::Word(words) => Kind::Word(words),
    }
}

/// The default as TOML; made once, and as long-lived as the program.
fn default_of(tuning: &Tuning, path: &str, kind: SettingKind) -> &'static str {
    let text = match (tuning.get(path), kind) {
        (Some(Setting::Duration(d)), _) => format!("\"{d}\""),
        (Some(Setting::Int(n)), _) => n.to_string(),
        (Some(Setting::Decimal(ppm)), _) => {
            let fraction = format!("{:06}", ppm % 1_000_000);
            let digits = fraction.trim_end_matches('0');
            format!("{}.{}", ppm / 1_000_000, if digits.is_empty() { "0" } else { digits })
        }
        (Some(Setting::Word(n)), SettingKind::Word(words)) => format!("\"{}\"", words[n]),
        (Some(Setting::Word(_)), _) => unreachable!("a word of a constant that is none"),
        (None, _) => "follows the fixes".to_owned(),
    };
    Box::leak(text.into_boxed_str())
}

/// What each constant means.
const DOCS: &[(&str, &str)] = &[
    ("pool_resync", "how often pools are listed and reconciled (10 s; 60 s before `crash-backoff`)"),
    ("launcher_resync", "how often apps are listed and reconciled"),
    ("scheduler_resync", "how often the scheduler lists sandboxes"),
    ("sandbox_resync", "how often a node lists its sandboxes"),
    ("disk_resync", "how often disks are listed"),
    ("lease_resync", "how often a node lists its disk leases"),
    ("disk_watch_resync", "how often the disk watch lists disks"),
    ("monitor_every", "how often the monitor looks at all pools"),
    ("stale_pending_after", "a sandbox PENDING for longer is stopped"),
    ("empty_pool_after", "an empty pool that was not written for longer is deleted"),
    ("max_pool_size", "the most sandboxes that a pool may want"),
    ("collect_every", "how often dead sandboxes and released leases are collected"),
    ("dead_kept", "how long a dead sandbox is kept"),
    ("released_kept", "how long a released lease is kept"),
    ("orphan_sweep_every", "how often leases of dead sandboxes are looked for"),
    ("orphan_lease_age_min", "a younger lease is no orphan yet"),
    ("watchdog_every", "how often a node looks for stray containers"),
    ("watchdog_grace", "how long a sandbox may be dead before its container is a stray"),
    ("port_timeout", "how long a boot waits for its port (15 s; 10 s, 5 s earlier)"),
    ("port_first", "when a port is first asked"),
    ("port_poll", "how often a port is asked (250 ms; 500 ms earlier)"),
    ("dial_timeout", "how long one question to a port may take"),
    ("promote_after", "a healthy sandbox PENDING for longer becomes RUNNING"),
    ("lease_timeout", "how long a boot waits for a disk lease"),
    ("lease_poll", "how often it looks"),
    ("ready_wait", "how long the launcher waits for a new pool"),
    ("ready_poll", "how often it looks"),
    ("drain_wait", "how long the launcher waits for an old pool to drain"),
    ("request_wait", "how long a request waits for capacity"),
    ("request_tick", "how often a waiting request looks again by itself"),
    ("activity_every", "how often last activity is written back"),
    ("increment_tries", "how often raising desired is tried on conflict"),
    ("lookup_tries", "how often a pool is looked up"),
    ("lookup_wait", "the wait between look-ups, doubling"),
    ("session_ttl", "how long a node's session lives"),
    ("session_renew", "how often it is renewed"),
    ("node_health_every", "how often node health is looked at"),
    ("node_grace", "how long a node may be away before its sandboxes are dead"),
    ("queue_capacity", "how many events a work queue holds"),
    ("own_writes", "how many of its own revisions a controller remembers"),
    ("workers_per_node", "how many workers a node's controllers have"),
    ("address_rest", "how long a released address is left alone while others are free"),
    ("restart_after", "how long a crashed process is down"),
    ("watch_retry", "the first wait before a broken watch is reopened, doubling"),
    ("watch_retry_max", "the longest such wait"),
    ("ticker_phase", "how tickers are offset: the same for every seed, by seed, or not at all"),
    ("backoff.base", "the first wait"),
    ("backoff.factor", "what each further crash multiplies it by"),
    ("backoff.cap", "the longest wait"),
    ("backoff.quick_crash", "a death younger than this is a crash"),
    ("backoff.healthy_min", "the shortest run after which crashes are forgotten"),
    ("backoff.jitter", "the fraction of the wait that is drawn"),
    ("backoff.jitter_kind", "how it is drawn"),
    ("backoff.free", "crashes that cost nothing before the series begins"),
    ("grace.bound-lease-has-live-sandbox", "a lease may be BOUND to a dead sandbox for so long"),
    ("grace.no-leaked-address", "an address may be without a live owner for so long"),
    ("grace.no-orphan-container", "a container may outlive its sandbox for so long"),
    ("grace.no-overshoot", "a pool may have too many live sandboxes for so long"),
    ("grace.nothing-outlives-its-app", "what belonged to a deleted app may last for so long"),
    ("grace.failures-back-off", "the window in which failed boots are counted"),
    ("grace.progress", "how long, beyond the backoff's cap, a cluster may take to settle"),
];
