//! A generator of stories that are likely to run in a circle, or nearly: each is a number.
//!
//! It draws what a proof of a livelock must not mistake: periods that have no small multiple in
//! common, delays of an app's own, latencies that are nothing or drawn, phases, quotas, several apps and
//! nodes, faults that end and that do not, calls that hang. It knows the file format only. What a
//! newcomer gets wrong: a story is small, so that thousands run in a minute, and long enough for a
//! state to come twice.

/// Draws of one story: splitmix64 from its number.
struct Draws(u64);

impl Draws {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }
    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
    /// True in so many of a hundred.
    fn in_100(&mut self, n: u64) -> bool {
        self.below(100) < n
    }
}

const DAYS: &[&str] = &[
    "2025-11-13",
    "2025-12-18",
    "2026-01-05",
    "2026-02-15",
    "2026-02-22",
    "2026-03-11",
    "2026-03-12",
    "2026-03-31",
    "2026-06-30",
    "2026-08-30",
    "2026-09-05",
    "2026-09-20",
    "proposed",
];
const FIXES: &[&str] = &[
    "crash-backoff",
    "stale-pending-monitor",
    "dead-on-boot-failure",
    "release-leases-on-stop",
    "max-pool-size",
    "lease-conflict-waits",
    "release-address-without-container",
    "orphan-lease-sweep",
    "single-pool-worker",
    "node-health",
];
const PERIODS: &[&str] = &[
    "pool_resync",
    "launcher_resync",
    "scheduler_resync",
    "sandbox_resync",
    "disk_resync",
    "lease_resync",
    "disk_watch_resync",
    "monitor_every",
    "collect_every",
    "orphan_sweep_every",
    "watchdog_every",
    "activity_every",
    "node_health_every",
];
const LOOKS_BACK: &[&str] = &[
    "stale_pending_after",
    "empty_pool_after",
    "dead_kept",
    "released_kept",
    "orphan_lease_age_min",
    "watchdog_grace",
    "promote_after",
    "address_rest",
    "node_grace",
    "backoff.quick_crash",
    "backoff.healthy_min",
    "backoff.cap",
];
const LATENCIES: &[&str] = &[
    "store",
    "commit",
    "watch",
    "allocate_address",
    "create_container",
    "destroy",
    "create_volume",
    "acquire_volume",
    "initialise",
    "mount",
    "unmount",
    "release_volume",
];
const POINTS: &[&str] = &[
    "store.get",
    "store.list",
    "store.create",
    "store.patch",
    "store.delete",
    "watch.deliver",
    "sandbox.*",
    "sandbox.start",
    "sandbox.pull_image",
    "sandbox.create_container",
    "sandbox.destroy",
    "sandbox.probe_port",
    "disk.*",
    "disk.create_volume",
    "disk.mount",
    "disk.acquire_volume",
];

/// From this number on stories know long times, too: programs that exit after hours, calls that take as long, waits
/// that nothing of the scheduler's bounds, faults about what is born late.
pub const LONG: u64 = 1_000_000;

/// From this number on something comes from outside late, too, when all has been at rest for hours: requests that end or do
/// not, steps and strikes.
pub const VISITED: u64 = 2_000_000;

const WAITS: &[&str] = &[
    "restart_after",
    "session_ttl",
    "drain_wait",
    "ready_wait",
    "lease_timeout",
    "port_timeout",
    "shutdown_timeout",
    "request_wait",
    "watch_retry_max",
    "ingress_kept",
    "ingress_timeout",
];

/// The story of that number. `days`: of which days the scheduler may be; all, where it is empty.
pub fn story(number: u64, days: &[&str]) -> String {
    let draws = &mut Draws(number.wrapping_mul(0xd134_2543_de82_ef95));
    let horizon = draws.of(&["3h", "4h", "5h", "6h"]);
    let day = match days {
        [] if draws.in_100(40) => "current",
        [] => draws.of(DAYS),
        days => draws.of(days),
    };
    let mut text = format!("schema = 1\nhorizon = \"{horizon}\"\nseed = {}\n", draws.below(1000));
    text.push_str(&format!("[policy]\nas_of = \"{day}\"\n"));
    if draws.in_100(15) {
        let which = draws.of(if day == "current" || day == "proposed" { &["without"] } else { &["without", "with"] });
        text.push_str(&format!("{which} = [\"{}\"]\n", draws.of(FIXES)));
    }
    let long = number >= LONG;
    tuning(draws, &mut text, long);
    let nodes = if draws.in_100(70) { 1 } else { 1 + draws.below(3) };
    cluster(draws, &mut text, nodes);
    let apps = 1 + u64::from(draws.in_100(30)) + u64::from(draws.in_100(10));
    for app in 0..apps {
        deploys(draws, &mut text, ["a", "b", "c"][app as usize], long);
    }
    happenings(draws, &mut text, nodes);
    faults(draws, &mut text);
    if long {
        late(draws, &mut text);
    }
    if number >= VISITED {
        visited(draws, &mut text);
    }
    text
}

/// What comes from outside into a rest: mostly to a service that waits long before it is idle.
fn visited(draws: &mut Draws, text: &mut String) {
    let delay = draws.of(&["15m", "90m", "3h"]);
    text.push_str(&format!(
        "[[step]]\nname = \"visited\"\nat = \"{}s\"\n[step.do.deploy]\napp = \"v\"\nconfig = \"\"\"\n[services.s.concurrency]\n\
         mode = \"auto\"\nscale_down_delay = \"{delay}\"\n\"\"\"\n",
        draws.below(3000)
    ));
    for _ in 0..draws.below(3) {
        let (app, rate, via) =
            (draws.of(&["v", "v", "a"]), draws.of(&["1/m", "6/m"]), draws.of(&["ingress", "activator"]));
        let from = draws.below(10_000);
        text.push_str(&format!(
            "[[traffic]]\napp = \"{app}\"\nservice = \"s\"\nrate = \"{rate}\"\nvia = \"{via}\"\nfrom = \"{from}s\"\n"
        ));
        if draws.in_100(80) {
            text.push_str(&format!("until = \"{}s\"\n", from + 1 + draws.below(6000)));
        }
    }
    if draws.in_100(40) {
        let what = draws.of(&[
            "restart_app = { app = \"v\" }",
            "restart = { process = \"coordinator\" }",
            "restart = { process = \"n1\" }",
            "set_workload = { app = \"v\", service = \"s\", exit_after = \"2h\" }",
            "cut_watch = { controller = \"sandbox\", lasts = \"20m\" }",
        ]);
        text.push_str(&format!("[[step]]\nname = \"late\"\nat = \"{}s\"\ndo.{what}\n", draws.below(15_000)));
    }
    if draws.in_100(40) {
        let (from, point) = (draws.below(15_000), draws.of(POINTS));
        let effect = draws.of(&["delay = \"1h\"", "error = \"no\"", "lose_reply = {}", "crash = \"after\""]);
        text.push_str(&format!(
            "[[fault]]\nname = \"visit\"\non = \"{point}\"\nwhen = {{ from = \"{from}s\", times = {} }}\neffect.{effect}\n",
            1 + draws.below(3)
        ));
    }
}

/// What is long under way, or comes when a proof may have been found.
fn late(draws: &mut Draws, text: &mut String) {
    if draws.in_100(20) {
        let controller = draws.of(&["pool", "scheduler", "sandbox", "launcher", "disk", "lease"]);
        let (at, lasts) = (draws.below(3000), draws.of(&["10m", "2h", "5h"]));
        text.push_str(&format!(
            "[[step]]\nname = \"cut\"\nat = \"{at}s\"\ndo.cut_watch = {{ controller = \"{controller}\", lasts = \"{lasts}\" }}\n"
        ));
    }
    if draws.in_100(15) {
        let (at, exit) = (draws.below(3000), draws.of(&["never", "20s", "3h"]));
        text.push_str(&format!(
            "[[step]]\nname = \"change\"\nat = \"{at}s\"\ndo.set_workload = {{ app = \"a\", service = \"s\", exit_after = \"{exit}\" }}\n"
        ));
    }
    if draws.in_100(30) {
        let (point, nth) = (draws.of(POINTS), 1 + draws.below(300));
        let effect = draws.of(&["hang = {}", "delay = \"2h\"", "delay = \"5h\"", "error = \"no\""]);
        let when = match draws.below(4) {
            0 => format!("where.sandbox = \"a-s-{nth}\"\n"),
            1 => format!("where.pool = \"a-s-{}\"\n", 2 + nth % 3),
            2 => format!("when.calls = [{nth}]\n"),
            _ => format!("when.after = {{ kind = \"sandbox\", status = \"dead\", nth = {nth} }}\n"),
        };
        text.push_str(&format!("[[fault]]\nname = \"late\"\non = \"{point}\"\n{when}effect.{effect}\n"));
    }
    if draws.in_100(15) {
        let (verb, effect) = (draws.of(&["create", "list", "patch"]), draws.of(&["hang = {}", "delay = \"2h\""]));
        text.push_str(&format!(
            "[[fault]]\nname = \"deploys\"\non = \"store.{verb}\"\nwhere.controller = \"deploy\"\nwhen.times = 1\neffect.{effect}\n"
        ));
    }
}

fn tuning(draws: &mut Draws, text: &mut String, long: bool) {
    text.push_str(&format!("[tuning]\nticker_phase = \"{}\"\n", draws.of(&["fixed", "fixed", "seed", "zero"])));
    let every: &[&str] = match draws.below(4) {
        0 => &["7s", "10s", "15s", "30s", "1m"],
        1 => &["5s", "10s", "20s"],
        2 => &["30s", "1m", "5m", "1h"],
        _ => &[],
    };
    for key in PERIODS {
        if !every.is_empty() && draws.in_100(35) {
            text.push_str(&format!("{key} = \"{}\"\n", draws.of(every)));
        }
    }
    for key in WAITS.iter().filter(|_| long) {
        if draws.in_100(8) {
            text.push_str(&format!("{key} = \"{}\"\n", draws.of(&["0s", "10m", "2h", "5h"])));
        }
    }
    let some = draws.below(3) * 15;
    for key in LOOKS_BACK {
        if draws.in_100(some) {
            let ages = ["20s", "1m", "90s", "3m", "5m", "25m", "1h", "100m"];
            text.push_str(&format!("{key} = \"{}\"\n", draws.of(&ages)));
        }
    }
    for (key, values) in
        [("max_pool_size", ["1", "3"]), ("workers_per_node", ["1", "2"]), ("queue_capacity", ["1", "3"])]
    {
        if draws.in_100(8) {
            text.push_str(&format!("{key} = {}\n", draws.of(&values)));
        }
    }
    if draws.in_100(6) {
        text.push_str(&format!(
            "backoff.jitter = 0.5\nbackoff.jitter_kind = \"{}\"\n",
            draws.of(&["full", "equal", "decorrelated"])
        ));
    }
}

fn cluster(draws: &mut Draws, text: &mut String, nodes: u64) {
    let names: Vec<String> = (1..=nodes).map(|node| format!("\"n{node}\"")).collect();
    let addresses = draws.of(&["1", "1", "2", "3", "4", "8", "30", "250"]);
    let quota = draws.of(&["10000", "10000", "25", "60"]);
    text.push_str(&format!(
        "[cluster]\nnodes = [{}]\naddresses_per_node = {addresses}\ndisk_quota_gb = {quota}\n",
        names.join(", ")
    ));
    let all: &[&str] = match draws.below(5) {
        0 => &["0s"],
        1 => &["0s", "1ms", "5s"],
        2 if draws.in_100(40) => &["{ uniform = [\"1ms\", \"50ms\"] }", "10ms"],
        _ => &[],
    };
    for key in LATENCIES {
        if !all.is_empty() && draws.in_100(60) {
            text.push_str(&format!("latency.{key} = {}\n", quoted(draws.of(all))));
        }
    }
}

fn quoted(value: &str) -> String {
    if value.starts_with('{') { value.to_owned() } else { format!("\"{value}\"") }
}

/// An app: how its program behaves, and its deploys.
fn deploys(draws: &mut Draws, text: &mut String, app: &str, long: bool) {
    let service = draws.of(&["s", "web"]);
    let exit = draws.of(&["never", "never", "2s", "5s", "8s", "44s", "59s", "61s", "90s", "3m", "4m55s", "10m", "40m"]);
    text.push_str(&format!("[workload.{app}.{service}]\n"));
    if long && draws.in_100(40) {
        let exits = ["\"2h\"", "\"5h\"", "[\"8s\", \"8s\", \"never\"]", "[\"never\", \"2h\"]", "[\"1h\", \"never\"]"];
        text.push_str(&format!("exit_after = {}\n", draws.of(&exits)));
    } else {
        text.push_str(&format!("exit_after = \"{exit}\"\n"));
    }
    if draws.in_100(30) {
        text.push_str(&format!("ready = \"{}\"\n", draws.of(&["never", "0s", "3s", "9s", "16s"])));
    }
    if draws.in_100(20) {
        text.push_str(&format!("start = \"{}\"\n", draws.of(&["0s", "3s", "44s"])));
    }
    if draws.in_100(10) {
        text.push_str("image_pull = \"40s\"\n");
    }
    for nth in 0..1 + u64::from(draws.in_100(30)) {
        let latest = if draws.in_100(70) { 300 } else { 3000 };
        let at = if nth == 0 && app == "a" { 0 } else { draws.below(latest) };
        text.push_str(&format!(
            "[[step]]\nname = \"deploy {app} {nth}\"\nat = \"{at}s\"\n[step.do.deploy]\napp = \"{app}\"\nconfig = '''\n\
             [services.{service}]\n"
        ));
        if long && draws.in_100(15) {
            text.push_str(&format!("port_timeout = \"{}\"\n", draws.of(&["1m", "2h"])));
        }
        text.push_str(&format!("[services.{service}.concurrency]\n"));
        if long && draws.in_100(15) {
            text.push_str(&format!("shutdown_timeout = \"{}\"\n", draws.of(&["0s", "1m", "2h"])));
        }
        if draws.in_100(75) {
            text.push_str(&format!(
                "mode = \"fixed\"\nnum_instances = {}\n",
                draws.of(&["1", "1", "1", "2", "3", "4"])
            ));
        } else {
            text.push_str(&format!(
                "mode = \"auto\"\nscale_down_delay = \"{}\"\n",
                draws.of(&["15m", "2m", "1m", "90m", "3h"])
            ));
        }
        if draws.in_100(45) {
            let size = draws.of(&["size_gb = 20", "size_gb = 20", "size_gb = 20", "size = 20", ""]);
            let disk = draws.of(&["d", "d", "e"]);
            text.push_str(&format!("[[services.{service}.disks]]\nname = \"{disk}\"\nmount_path = \"/d\"\n{size}\n"));
            if long && draws.in_100(20) {
                text.push_str(&format!("lease_timeout = \"{}\"\n", draws.of(&["10s", "30m", "3h"])));
            }
            if draws.in_100(20) {
                text.push_str("read_only = true\n");
            }
        }
        text.push_str("'''\n");
    }
}

/// What else people do, and who asks.
fn happenings(draws: &mut Draws, text: &mut String, nodes: u64) {
    for nth in 0..draws.below(3) * u64::from(draws.in_100(50)) {
        let node = 1 + draws.below(nodes);
        let what = match draws.below(10) {
            0 => "delete_app = { app = \"a\" }".to_owned(),
            1 => "restart_app = { app = \"a\" }".to_owned(),
            2 => format!("set_desired = {{ app = \"a\", service = \"s\", instances = {} }}", draws.below(4)),
            3 => "delete_disk = { disk = \"d\" }".to_owned(),
            4 => "lose_volume = { disk = \"d\" }".to_owned(),
            5 => format!("node_down = {{ node = \"n{node}\" }}"),
            6 => format!("drain = {{ node = \"n{node}\" }}"),
            7 => format!("restart = {{ process = \"n{node}\" }}"),
            8 => "restart = { process = \"coordinator\" }".to_owned(),
            _ => format!("kill = {{ sandbox = \"a-s-{}\" }}", draws.below(3)),
        };
        let at = 1 + draws.below(2000);
        text.push_str(&format!("[[step]]\nname = \"step {nth}\"\nat = \"{at}s\"\ndo.{what}\n"));
    }
    if draws.in_100(8) {
        let (from, lasts) = (draws.below(600), 1 + draws.below(900));
        text.push_str(&format!(
            "[[traffic]]\napp = \"a\"\nservice = \"s\"\nrate = \"{}\"\nfrom = \"{from}s\"\nuntil = \"{}s\"\n",
            draws.of(&["1/m", "1/s"]),
            from + lasts
        ));
    }
}

fn faults(draws: &mut Draws, text: &mut String) {
    for nth in 0..u64::from(draws.in_100(45)) + u64::from(draws.in_100(10)) {
        let effect = match draws.below(12) {
            0..6 => "error = \"no\"",
            6..8 => "hang = {}",
            8 => "delay = \"20s\"",
            9 => "lose_reply = {}",
            10 => "crash = \"before\"",
            _ => "crash = \"after\"",
        };
        let when = match draws.below(6) {
            0 => format!("times = {}", 1 + draws.below(3)),
            1 => format!("until = \"{}s\"", 1 + draws.below(3000)),
            2 => format!("calls = [{}, {}]", 1 + draws.below(3), 4 + draws.below(5)),
            3 if draws.in_100(30) => "chance = 0.3".to_owned(),
            4 => format!("from = \"{}s\"", draws.below(3000)),
            _ => String::new(),
        };
        text.push_str(&format!(
            "[[fault]]\nname = \"f{nth}\"\non = \"{}\"\nwhen = {{ {when} }}\neffect.{effect}\n",
            draws.of(POINTS)
        ));
    }
}
