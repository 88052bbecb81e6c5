//! The tables of a scenario file, written down.
//!
//! Plain constants in the order of the reference page. The kinds carry the bounds, so that the reader of
//! files and the reference agree on them.

use std::sync::LazyLock;

use crate::kernel::SimDuration;
use crate::model::Words;
use crate::trace::metrics::Figure;
use crate::world::spec::Latencies;

use super::constants::TUNING;
use super::moments::MOMENT;
use super::{Key, Keys, Kind, ONE_OF, REQUIRED, TableSpec};
use crate::scenario::words::{Golden, Verdict};

const NONE: &str = "none";

pub(super) const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, doc }
}
pub(super) const fn table(name: &'static str, doc: &'static str, keys: &'static [Key]) -> TableSpec {
    TableSpec { name, doc, keys: Keys::Listed(keys) }
}
const fn count(min: u64, max: u64) -> Kind {
    Kind::Int { min, max }
}

pub(crate) static SCENARIO: TableSpec = table(
    "the scenario",
    "The keys at the top of the file.",
    &[
        key("schema", count(0, u64::MAX), REQUIRED, "the version of the format: 1"),
        key("name", Kind::Name, "the file's stem", "what the story is called"),
        key("about", Kind::Text, "\"\"", "what it tells"),
        key("source", Kind::Text, "\"\"", "where it comes from"),
        key(
            "golden",
            Kind::Word(Golden::WORDS),
            "\"lives\"",
            "what its golden texts tell: all lives and figures, or only steps and checks",
        ),
        key("seed", count(0, u64::MAX), "0", "the seed of all draws"),
        key("horizon", Kind::Duration, REQUIRED, "simulated time ends here"),
        key("policy", Kind::Table(&POLICY), "current", "which controller logic runs"),
        key("tuning", Kind::Table(&TUNING), "the scheduler's own", "constants that differ from the scheduler's"),
        key("cluster", Kind::Table(&CLUSTER), "one node", "the machines"),
        key("workload", Kind::PerService(&WORKLOAD), "well-behaved programs", "how programs behave"),
        key("step", Kind::Tables(&STEP), NONE, "what operators do, and when"),
        key("traffic", Kind::Tables(&TRAFFIC), NONE, "who asks"),
        key("fault", Kind::Tables(&FAULT), NONE, "what goes wrong"),
        key("expect", Kind::Table(&EXPECT), "whatever comes", "what must come out, for variants without their own"),
        key("variant", Kind::Tables(&VARIANT), "one, called `main`", "the logics under which the story is told"),
    ],
);

static POLICY: TableSpec = table(
    "`policy`",
    "Which of the scheduler's fixes are in force. A variant's `policy` replaces the scenario's.",
    &[
        key(
            "as_of",
            Kind::Day,
            "\"current\"",
            "the fixes in force at the end of that day; `\"current\"`: all of history; `\"proposed\"`: those too that never landed",
        ),
        key("with", Kind::Names, "[]", "and these fixes"),
        key("without", Kind::Names, "[]", "but not these"),
    ],
);

static CLUSTER: TableSpec = table(
    "`[cluster]`",
    "The machines and services that the scheduler works with.",
    &[
        key("nodes", Kind::Names, "[\"n1\"]", "the nodes' names, 10,000 at most"),
        key("addresses_per_node", count(1, 65_534), "253", "how many addresses each node's subnet has"),
        key("disk_quota_gb", count(0, 1_000_000_000), "10000", "how much all volumes may hold together, in GB"),
        key("latency", Kind::Table(&LATENCY), "as below", "how long calls take"),
    ],
);

static LATENCY: TableSpec =
    TableSpec { name: "`cluster.latency`", doc: "How long each call takes.", keys: Keys::Made(|| &LATENCY_KEYS) };

static LATENCY_KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    // Made once, and as long-lived as the program.
    let text = |default: SimDuration| Box::leak(format!("\"{default}\"").into_boxed_str());
    Latencies::ROWS.iter().map(|(name, default, doc)| key(name, Kind::Spread, text(*default), doc)).collect()
});

const IMAGE_PULL: Key = key("image_pull", Kind::Spread, "\"2s\"", "fetching the image to a node that does not have it");
const START: Key = key("start", Kind::Spread, "\"500ms\"", "starting the task");
const READY: Key = key("ready", Kind::Delays, "\"500ms\"", "from the end of `start` until the port answers");
const EXIT_AFTER: Key =
    key("exit_after", Kind::Delays, "\"never\"", "from the end of `start` until the process exits; a list is per boot");
const REQUEST: Key = key("request", Kind::Spread, "\"50ms\"", "the service time of one request");

pub(crate) static WORKLOAD: TableSpec = table(
    "`[workload.APP.SERVICE]`",
    "How the program of a service behaves. A list for `ready` or `exit_after` counts the service's successful starts, in order of time, over all its sandboxes and versions; its last value repeats.",
    &[IMAGE_PULL, START, READY, EXIT_AFTER, REQUEST],
);

static STEP: TableSpec = table(
    "`[[step]]`",
    "Something that an operator does.",
    &[
        key("name", Kind::Name, "`step N`", "its name, used once; expectations refer to it"),
        key("at", Kind::Duration, REQUIRED, "when, from the start of the run"),
        key("do", Kind::Table(&DO), REQUIRED, "what: exactly one action"),
    ],
);

static DO: TableSpec = table(
    "`do`",
    "The actions. A step has exactly one.",
    &[
        key(
            "deploy",
            Kind::Table(&DEPLOY),
            ONE_OF,
            "hand over an app configuration; one that the platform refuses is an outcome",
        ),
        key("delete_app", Kind::Table(&action::DELETE_APP), ONE_OF, "delete an app and what it references"),
        key(
            "restart_app",
            Kind::Table(&action::RESTART_APP),
            ONE_OF,
            "stop all its sandboxes, clear its cooldowns, restore the configured count",
        ),
        key("set_desired", Kind::Table(&action::SET_DESIRED), ONE_OF, "set a pool's desired instances by hand"),
        key("delete_disk", Kind::Table(&action::DELETE_DISK), ONE_OF, "delete a disk"),
        key("set_status", Kind::Table(&action::SET_STATUS), ONE_OF, "write a status by hand, past the controllers"),
        key("set_volume", Kind::Table(&action::SET_VOLUME), ONE_OF, "write by hand which volume a disk has"),
        key("lose_volume", Kind::Table(&action::LOSE_VOLUME), ONE_OF, "a disk's volume vanishes from the backend"),
        key("lose_mount", Kind::Table(&action::LOSE_MOUNT), ONE_OF, "a disk's volume is unmounted past the scheduler"),
        key("set_workload", Kind::Table(&SET_WORKLOAD), ONE_OF, "change how a program behaves, from now on"),
        key("kill", Kind::Table(&action::KILL), ONE_OF, "a sandbox's process exits"),
        key("node_down", Kind::Table(&action::NODE_DOWN), ONE_OF, "a machine loses power"),
        key("node_up", Kind::Table(&action::NODE_UP), ONE_OF, "it comes back"),
        key("drain", Kind::Table(&action::DRAIN), ONE_OF, "a node takes no new sandboxes"),
        key(
            "restart",
            Kind::Table(&action::RESTART),
            ONE_OF,
            "the controllers of a process lose their memory and start again",
        ),
        key("upgrade", Kind::Table(&UPGRADE), ONE_OF, "everything restarts with another set of fixes"),
        key(
            "cut_watch",
            Kind::Table(&action::CUT_WATCH),
            ONE_OF,
            "watches of a controller break and cannot be reopened for a while",
        ),
        key("note", Kind::Text, ONE_OF, "nothing happens; a line for the reader"),
    ],
);

static DEPLOY: TableSpec = table(
    "`do.deploy`",
    "The configuration is the user's own app TOML, verbatim ([what it may hold](app-config.md)); exactly one of four keys says where it is, and with it which of the platform's three loaders reads it.",
    &[
        key("app", Kind::Name, REQUIRED, "the app"),
        key("config", Kind::Text, ONE_OF, "the text itself (loaded from bytes)"),
        key("config_file", Kind::Text, ONE_OF, "a file, relative to the scenario file (loaded from bytes)"),
        key("config_dir", Kind::Text, ONE_OF, "a directory that holds `.miren/app.toml` (loaded from under it)"),
        key(
            "working_dir",
            Kind::Text,
            ONE_OF,
            "a directory from which `.miren/app.toml` is looked for upwards, never above the scenario file's own",
        ),
        key("build", Kind::Name, "a new image", "the code's name: deploys of the same build run the same image"),
        key(
            "procfile",
            Kind::Text,
            "none",
            "the code's Procfile, verbatim: a line like `web: bin/serve` for each service",
        ),
        key(
            "entrypoint",
            Kind::Text,
            "something, where neither config nor Procfile names a service",
            "what the image runs by itself, which makes a service `web` that nobody else names; \"\": nothing",
        ),
    ],
);

/// The actions with few arguments.
mod action {
    use super::{Key, Kind, REQUIRED, TableSpec, count, key, table};

    const APP: Key = key("app", Kind::Name, REQUIRED, "the app");
    const NODE: Key = key("node", Kind::Name, REQUIRED, "the node");

    pub(crate) static DELETE_APP: TableSpec = table("`do.delete_app`", "", &[APP]);
    pub(crate) static RESTART_APP: TableSpec = table("`do.restart_app`", "", &[APP]);
    pub(crate) static SET_DESIRED: TableSpec = table(
        "`do.set_desired`",
        "",
        &[
            APP,
            key("service", Kind::Name, REQUIRED, "the service"),
            key("instances", count(0, 100_000), REQUIRED, "how many"),
        ],
    );
    pub(crate) static DELETE_DISK: TableSpec =
        table("`do.delete_disk`", "", &[key("disk", Kind::Name, REQUIRED, "the disk")]);
    pub(crate) static SET_STATUS: TableSpec = table(
        "`do.set_status`",
        "Nobody checks whether the change is a legal one.",
        &[
            key("of", Kind::Text, REQUIRED, "the sandbox, disk, lease or node, with its kind: `lease/pds-data-1`"),
            key("status", Kind::Text, REQUIRED, "a status of that kind"),
        ],
    );
    pub(crate) static SET_VOLUME: TableSpec = table(
        "`do.set_volume`",
        "",
        &[
            key("disk", Kind::Name, REQUIRED, "the disk"),
            key(
                "volume",
                Kind::Name,
                "none",
                "the volume, by the name of the disk that it was made for; of several the second is `data~2`",
            ),
        ],
    );
    pub(crate) static LOSE_VOLUME: TableSpec =
        table("`do.lose_volume`", "", &[key("disk", Kind::Name, REQUIRED, "the disk")]);
    pub(crate) static LOSE_MOUNT: TableSpec =
        table("`do.lose_mount`", "", &[key("disk", Kind::Name, REQUIRED, "the disk")]);
    pub(crate) static KILL: TableSpec =
        table("`do.kill`", "", &[key("sandbox", Kind::Name, REQUIRED, "the sandbox, like `pds-database-0`")]);
    pub(crate) static NODE_DOWN: TableSpec = table("`do.node_down`", "", &[NODE]);
    pub(crate) static NODE_UP: TableSpec = table("`do.node_up`", "", &[NODE]);
    pub(crate) static DRAIN: TableSpec = table("`do.drain`", "", &[NODE]);
    pub(crate) static RESTART: TableSpec =
        table("`do.restart`", "", &[key("process", Kind::Name, REQUIRED, "`coordinator` or a node")]);
    pub(crate) static CUT_WATCH: TableSpec = table(
        "`do.cut_watch`",
        "",
        &[
            key("controller", Kind::Name, REQUIRED, "whose watches"),
            key("lasts", Kind::Duration, REQUIRED, "for how long"),
        ],
    );
}

static SET_WORKLOAD: TableSpec = table(
    "`do.set_workload`",
    "At least one key of the workload, which holds from now on.",
    &[
        key("app", Kind::Name, REQUIRED, "the app"),
        key("service", Kind::Name, REQUIRED, "the service"),
        Key { default: "unchanged", ..IMAGE_PULL },
        Key { default: "unchanged", ..START },
        Key { default: "unchanged", ..READY },
        Key { default: "unchanged", ..EXIT_AFTER },
        Key { default: "unchanged", ..REQUEST },
    ],
);

static UPGRADE: TableSpec = table(
    "`do.upgrade`",
    "At least one key. `with` and `without` change the running set of fixes, `as_of` replaces it.",
    &[
        key("as_of", Kind::Day, "the running set", "the fixes in force from now on"),
        key("with", Kind::Names, "[]", "and these fixes"),
        key("without", Kind::Names, "[]", "but not these"),
    ],
);

static TRAFFIC: TableSpec = table(
    "`[[traffic]]`",
    "A stream of requests.",
    &[
        key("app", Kind::Name, REQUIRED, "the app"),
        key("service", Kind::Name, REQUIRED, "the service"),
        key("rate", Kind::Rate, REQUIRED, "how many requests come"),
        key("arrivals", Kind::Word(&["poisson", "constant"]), "\"poisson\"", "at random, or evenly"),
        key(
            "via",
            Kind::Word(&["ingress", "activator"]),
            "\"ingress\"",
            "who gives each its sandbox: the ingress, which keeps shares for a while, as for every user's request, or the activator behind it, asked anew",
        ),
        key("from", Kind::Duration, "\"0s\"", "the first may come then"),
        key("until", Kind::Duration, "the horizon", "none comes then or later"),
    ],
);

static FAULT: TableSpec = table(
    "`[[fault]]`",
    "Something that goes wrong with calls of the scheduler to the store and the backends.",
    &[
        key("name", Kind::Name, "`fault N`", "its name"),
        key("on", Kind::Name, REQUIRED, "the calls: a fault point, or a group like `disk.*`"),
        key("where", Kind::Table(&WHERE), "all calls", "which of them"),
        key("when", Kind::Table(&WHEN), "always", "when"),
        key("effect", Kind::Table(&EFFECT), REQUIRED, "what happens: exactly one effect"),
    ],
);

static WHERE: TableSpec = table(
    "`where`",
    "All keys that are given must match.",
    &[
        key("app", Kind::Name, "any", "the app that it is about"),
        key("service", Kind::Name, "any", "the service"),
        key("sandbox", Kind::Name, "any", "the sandbox, like `pds-database-0`"),
        key("pool", Kind::Name, "any", "the pool, like `pds-database`"),
        key("disk", Kind::Name, "any", "the disk"),
        key("lease", Kind::Name, "any", "the disk lease, like `pds-data-0`"),
        key("node", Kind::Name, "any", "the node"),
        key("controller", Kind::Name, "any", "the calling controller"),
        key("kind", Kind::Word(KINDS), "any", "the kind of entity of a store call or watch event"),
    ],
);

/// The kinds of entities.
const KINDS: &[&str] = &["app", "version", "pool", "sandbox", "disk", "lease", "node"];

static WHEN: TableSpec = table(
    "`when`",
    "Which of the matching calls. All keys that are given must hold.",
    &[
        key("calls", Kind::Ints, "all", "the numbers of the matching calls, from 1"),
        key("chance", Kind::Decimal { min: 0, max: 1_000_000 }, "1.0", "the chance of each matching call"),
        key("times", count(1, 1_000_000_000), "no limit", "at most so many times"),
        key("from", Kind::Duration, "\"0s\"", "not before that time"),
        key("until", Kind::Duration, "the horizon", "not at that time or after it"),
        key("after", Kind::Table(&AFTER), "the start", "not before the store was written like this"),
    ],
);

static AFTER: TableSpec = table(
    "`when.after`",
    "A trigger on state, which survives a change of timing: the write of a status.",
    &[
        key("kind", Kind::Word(&["sandbox", "disk", "lease", "node"]), REQUIRED, "the kind of entity"),
        key("status", Kind::Name, REQUIRED, "the status that is written"),
        key("where", Kind::Table(&WHERE), "all entities", "to which entities"),
        key("nth", count(1, 1_000_000_000), "1", "which of these writes, counted from 1"),
        key("lasts", Kind::Duration, "to the end", "how long the fault lasts from then on"),
    ],
);

pub(crate) static EFFECT: TableSpec = table(
    "`effect`",
    "What happens to the call. A fault has exactly one.",
    &[
        key("error", Kind::Text, ONE_OF, "it fails with that message, and nothing is done"),
        key("hang", Kind::Empty, ONE_OF, "it never ends; the caller's own time-out may"),
        key("delay", Kind::Spread, ONE_OF, "it takes longer"),
        key("lose_reply", Kind::Empty, ONE_OF, "the work is done, and the caller sees an error"),
        key("stale", Kind::Duration, ONE_OF, "a read answers what was true that long ago (`store.get`, `store.list`)"),
        key("drop", Kind::Empty, ONE_OF, "a watch event is lost (`watch.deliver`)"),
        key(
            "crash",
            Kind::Word(&["before", "after"]),
            ONE_OF,
            "the calling process dies before or after the call takes effect",
        ),
    ],
);

static EXPECT: TableSpec = table(
    "`expect`",
    "What must come out. Only keys that are written are checked, except `violations` and `rejected`, whose default is none. A variant's `expect` replaces the scenario's as a whole.",
    &[
        key(
            "verdict",
            Kind::Word(Verdict::WORDS),
            "any",
            "how the run ends; what flaps is met by `unsettled`, too, and by `livelock` if it is proved",
        ),
        key("settled_within", Kind::Duration, "any", "settled no later than that after `settled_after`"),
        key("settled_after", Kind::Name, "the last step", "the step from which settling is measured"),
        key(
            "violations",
            Kind::Names,
            "[]",
            "exactly these invariants must be violated; `\"any\"`: whichever are, for a fact that is about something else",
        ),
        key("rejected", Kind::Names, "[]", "exactly these steps must be refused"),
        key("metrics", Kind::Table(&METRIC_BOUNDS), "any", "bounds of metrics"),
        key("at", Kind::Tables(&MOMENT), "none", "what must be true of the state at a moment"),
    ],
);

static METRIC_BOUNDS: TableSpec = TableSpec {
    name: "`expect.metrics`",
    doc: "Bounds of metrics: counts, or seconds where the name ends in `_s`.",
    keys: Keys::Made(|| &METRIC_KEYS),
};
static METRIC_KEYS: LazyLock<Vec<Key>> =
    LazyLock::new(|| Figure::ALL.iter().map(|figure| key(figure.name(), Kind::Table(&BOUNDS), "any", "")).collect());

pub(crate) static BOUNDS: TableSpec = table(
    "a metric's bounds",
    "`min` and `max`, or `equals`.",
    &[
        key("min", Kind::Number, "any", "at least"),
        key("max", Kind::Number, "any", "at most"),
        key("equals", Kind::Number, "any", "exactly"),
    ],
);

static VARIANT: TableSpec = table(
    "`[[variant]]`",
    "A logic under which the story is told.",
    &[
        key("name", Kind::Name, "`variant N`", "its name, used once"),
        key("seed", count(0, u64::MAX), "the scenario's", "the seed of all draws"),
        key("policy", Kind::Table(&POLICY), "the scenario's", "replaces the scenario's as a whole"),
        key("tuning", Kind::Table(&TUNING), "the scenario's", "merged into the scenario's key by key"),
        key("expect", Kind::Table(&EXPECT), "the scenario's", "replaces the scenario's as a whole"),
    ],
);

pub(crate) static SPREAD: TableSpec = table(
    "a random duration",
    "Where a random duration may stand, either `\"5s\"` or a table with exactly one of these. Never below zero.",
    &[
        key("uniform", Kind::DurationPair, ONE_OF, "between two durations: `{ uniform = [\"1s\", \"4s\"] }`"),
        key("exponential", Kind::Duration, ONE_OF, "with that mean: `{ exponential = \"2s\" }`"),
        key("normal", Kind::DurationPair, ONE_OF, "mean and standard deviation: `{ normal = [\"2s\", \"200ms\"] }`"),
    ],
);
