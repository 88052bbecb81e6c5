//! Files that follow the contract are read, and say what they mean.

use std::path::Path;

use crate::appconfig::Loader;
use crate::controllers::fixes::{Fix, Fixes};
use crate::kernel::{SimDuration, SimTime};
use crate::model::{AnyStatus, Controller, Invariant, Name, Point, SandboxStatus};
use crate::scenario::claims::{Claim, Lasting};
use crate::scenario::schema::{self, Kind, ONE_OF, REQUIRED};
use crate::scenario::{Action, Overrides, Scenario, Traffic, Variant};
use crate::world::spec::{Delay, Effect, Phase, Spread, WorkloadSpec};

/// The example of the contract.
pub(super) const EXAMPLE: &str = include_str!("example.toml");

pub(super) const HEAD: &str = "schema = 1\nhorizon = \"1h\"\n";
pub(super) const DEPLOY: &str = "[[step]]\nname = \"go\"\nat = \"0s\"\ndo.deploy = { app = \"pds\", config = '' }\n";

pub(super) fn read(text: &str) -> Scenario {
    read_with(text, &Overrides::default())
}

pub(super) fn read_with(text: &str, overrides: &Overrides) -> Scenario {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scenario/tests/files");
    match Scenario::from_text(text, "story.toml", Some(&dir), overrides) {
        Ok(scenario) => scenario,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn below_head(text: &str) -> Scenario {
    read(&format!("{HEAD}{text}"))
}

fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

fn after(n: u64) -> Delay {
    Delay::After(Spread::Constant(secs(n)))
}

#[test]
fn the_example_of_the_contract_is_read() {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_debug_snapshot!("example", read(EXAMPLE));
    });
}

#[test]
fn a_scenario_without_variants_has_one_called_main() {
    let scenario = below_head("seed = 7\n[policy]\nas_of = \"2026-03-11\"\n[expect]\nverdict = \"settled\"\n");
    let [main] = &scenario.variants[..] else { panic!("{:?}", scenario.variants) };
    assert_eq!((main.name.as_str(), main.seed, main.policy.as_of.as_str()), ("main", 7, "2026-03-11"));
    assert!(main.expect.is_some());
    assert!(below_head("").variants[0].expect.is_none(), "nothing is expected where nothing is written");
}

#[test]
fn names_have_defaults() {
    let fault = "[[fault]]\non = \"disk.*\"\neffect.hang = {}\n";
    let scenario = below_head(&format!("{fault}[[variant]]\n[[variant]]\n[[step]]\nat = \"1s\"\ndo.note = \"x\"\n"));
    assert_eq!(scenario.name, "story");
    assert_eq!(scenario.faults[0].name.as_str(), "fault 1");
    assert_eq!(scenario.variants[1].name, "variant 2");
    assert_eq!(scenario.steps[0].name.as_str(), "step 1");
}

#[test]
fn a_variant_replaces_policy_and_expectations_and_merges_tuning() {
    let scenario = below_head(
        "seed = 1\n[policy]\nwithout = [\"crash-backoff\"]\n[tuning]\nlease_poll = \"1s\"\nready_poll = \"2s\"\n\
         [expect]\nverdict = \"settled\"\nviolations = [\"progress\"]\n\
         [[variant]]\nname = \"same\"\n\
         [[variant]]\nname = \"own\"\nseed = 2\npolicy = { as_of = \"proposed\" }\ntuning.ready_poll = \"3s\"\nexpect = {}\n",
    );
    let [same, own] = &scenario.variants[..] else { panic!("two variants") };
    assert!(!same.policy.fixes.has(Fix::CrashBackoff) && own.policy.fixes.has(Fix::CrashBackoff));
    assert!(own.policy.fixes.has(Fix::DiffClearsFields), "proposed has more than history");
    assert_eq!((same.seed, own.seed), (1, 2));
    let tuning = |variant: &Variant| variant.tuning.under(variant.policy.fixes);
    let polls = |variant| (tuning(variant).lease_poll, tuning(variant).ready_poll);
    assert_eq!((polls(same), polls(own)), ((secs(1), secs(2)), (secs(1), secs(3))));
    assert_eq!(same.expect.as_ref().map(|expect| &expect.violations[..]), Some(&[Invariant::Progress][..]));
    assert_eq!(own.expect, Some(Default::default()));
}

#[test]
fn a_day_selects_the_fixes_of_that_day_and_every_fix_can_be_named() {
    let fixes = |policy: &str| below_head(policy).variants[0].policy.fixes;
    let first = [Fix::SkipDead, Fix::SinglePoolWorker, Fix::ActivatorSeesPending, Fix::MaxPoolSize];
    assert_eq!(fixes("policy.as_of = \"2025-10-27\"\n"), first.into_iter().fold(Fixes::NONE, Fixes::with));
    assert_eq!(fixes("policy.as_of = \"2025-10-26\"\n"), Fixes::NONE);
    let all: Vec<String> = Fix::ALL.iter().map(|fix| format!("\"{fix}\"")).collect();
    let all = all.join(", ");
    assert_eq!(fixes(&format!("policy = {{ as_of = \"2020-01-01\", with = [{all}] }}\n")), Fixes::proposed());
    assert_eq!(fixes(&format!("policy = {{ as_of = \"proposed\", without = [{all}] }}\n")), Fixes::NONE);
}

#[test]
fn traffic_is_read_with_its_defaults() {
    let traffic = |text: &str| {
        let mut read = below_head(&format!("{DEPLOY}[[traffic]]\napp = \"pds\"\nservice = \"web\"\n{text}\n")).traffic;
        read.pop().expect("one")
    };
    let at = |mins| SimTime::ZERO + SimDuration::from_mins(mins);
    let every = |nanos, poisson, from, until| Traffic {
        app: Name::new("pds"),
        service: Name::new("web"),
        every: SimDuration::from_nanos(nanos),
        poisson,
        via_ingress: true,
        from: at(from),
        until: at(until),
    };
    for (text, expected) in [
        ("rate = \"5/s\"", every(200_000_000, true, 0, 60)),
        ("rate = \"30/m\"\narrivals = \"constant\"\nfrom = \"1m\"", every(2_000_000_000, false, 1, 60)),
        ("rate = \"0.5/s\"\narrivals = \"poisson\"\nuntil = \"2h\"", every(2_000_000_000, true, 0, 120)),
    ] {
        assert_eq!(traffic(text), expected, "{text}");
    }
    assert!(!traffic("rate = \"5/s\"\nvia = \"activator\"").via_ingress);
}

#[test]
fn an_upgrade_replaces_the_set_or_changes_it() {
    for (text, as_of, with, without) in [
        ("as_of = \"2025-10-26\"", Some(Fixes::NONE), &[][..], &[][..]),
        ("as_of = \"proposed\"", Some(Fixes::proposed()), &[], &[]),
        ("with = [\"node-health\"]", None, &[Fix::NodeHealth], &[]),
        ("with = [\"node-health\"], without = [\"skip-dead\"]", None, &[Fix::NodeHealth], &[Fix::SkipDead]),
    ] {
        let scenario = below_head(&format!("[[step]]\nat = \"1m\"\ndo.upgrade = {{ {text} }}\n"));
        let Action::Upgrade(upgrade) = &scenario.steps[0].action else { panic!("no upgrade: {text}") };
        assert_eq!((upgrade.as_of, &upgrade.with[..], &upgrade.without[..]), (as_of, with, without), "{text}");
    }
}

#[test]
fn every_constant_can_be_set_in_a_file() {
    let text = "[tuning]\nmax_pool_size = 3\nticker_phase = \"seed\"\nport_poll = \"1s\"\n\
                [tuning.backoff]\nfactor = 1.5\njitter = 0.25\njitter_kind = \"equal\"\nfree = 2\n\
                [tuning.grace]\nno-overshoot = \"5s\"\n";
    let constants = below_head(text).variants[0].tuning.clone();
    let (tuning, environment) = (constants.under(Fixes::current()), constants.environment());
    assert_eq!((tuning.max_pool_size, environment.ticker_phase, tuning.port_poll), (3, Phase::Seed, secs(1)));
    assert_eq!((tuning.backoff.factor_ppm, tuning.backoff.jitter_ppm, tuning.backoff.free), (1_500_000, 250_000, 2));
    assert_eq!(environment.grace.no_overshoot, secs(5));
}

#[test]
fn workloads_know_lists_and_random_durations() {
    let scenario = below_head(
        "[workload.pds.database]\nexit_after = [\"5s\", \"5s\", \"never\"]\nready = \"never\"\n\
         image_pull = { uniform = [\"1s\", \"4s\"] }\nstart = { exponential = \"2s\" }\nrequest = { normal = [\"2s\", \"1s\"] }\n",
    );
    let expected = WorkloadSpec {
        image_pull: Spread::Uniform(secs(1), secs(4)),
        start: Spread::Exponential(secs(2)),
        ready: vec![Delay::Never],
        exit_after: vec![after(5), after(5), Delay::Never],
        request: Spread::Normal(secs(2), secs(1)),
    };
    assert_eq!(scenario.workloads[&(Name::new("pds"), Name::new("database"))], expected);
}

#[test]
fn every_action_is_read() {
    let actions = [
        "delete_app = { app = \"pds\" }",
        "restart_app = { app = \"pds\" }",
        "set_desired = { app = \"pds\", service = \"web\", instances = 0 }",
        "delete_disk = { disk = \"disk/pds-data\" }",
        "set_workload = { app = \"pds\", service = \"web\", exit_after = [\"5s\", \"never\"] }",
        "set_status = { of = \"lease/pds-data-0\", status = \"bound\" }",
        "set_volume = { disk = \"pds-data\", volume = \"volume/other\" }",
        "set_volume = { disk = \"pds-data\" }",
        "lose_volume = { disk = \"pds-data\" }",
        "lose_mount = { disk = \"pds-data\" }",
        "kill = { sandbox = \"pds-web-0\" }",
        "node_down = { node = \"n1\" }",
        "node_up = { node = \"n1\" }",
        "drain = { node = \"n1\" }",
        "cut_watch = { controller = \"disk-watch\", lasts = \"90s\" }",
        "restart = { process = \"coordinator\" }",
        "restart = { process = \"n1\" }",
        "note = \"here it begins\"",
    ];
    let steps: String = actions.iter().map(|action| format!("[[step]]\nat = \"1m\"\ndo.{action}\n")).collect();
    let scenario = below_head(&format!("{DEPLOY}{steps}"));
    let read: Vec<String> = scenario.steps[1..].iter().map(|step| format!("{:?}", step.action)).collect();
    let expected = [
        "DeleteApp { app: \"pds\" }",
        "RestartApp { app: \"pds\" }",
        "SetDesired { app: \"pds\", service: \"web\", instances: 0 }",
        "DeleteDisk { disk: \"pds-data\" }",
        "SetWorkload { app: \"pds\", service: \"web\", change: WorkloadChange { image_pull: None, start: None, \
         ready: None, exit_after: Some([After(Constant(5s)), Never]), request: None } }",
        "SetStatus { name: \"pds-data-0\", status: Lease(Bound) }",
        "SetVolume { disk: \"pds-data\", volume: Some(\"other\") }",
        "SetVolume { disk: \"pds-data\", volume: None }",
        "LoseVolume { disk: \"pds-data\" }",
        "LoseMount { disk: \"pds-data\" }",
        "Kill { sandbox: \"pds-web-0\" }",
        "NodeDown { node: \"n1\" }",
        "NodeUp { node: \"n1\" }",
        "Drain { node: \"n1\" }",
        "CutWatch { controller: DiskWatch, lasts: 1m30s }",
        "Restart { process: None }",
        "Restart { process: Some(\"n1\") }",
        "Note { text: \"here it begins\" }",
    ];
    assert_eq!(read, expected);
}

#[test]
fn each_way_to_a_config_goes_through_its_loader() {
    for (key, value, loader, origin) in [
        ("config", "a = 1", Loader::Bytes, "config"),
        ("config_file", "pds/fixed.toml", Loader::Bytes, "pds/fixed.toml"),
        ("config_dir", "apps/blog", Loader::Under, "apps/blog/.miren/app.toml"),
        ("working_dir", "apps/blog/src", Loader::Upwards, "apps/blog/.miren/app.toml"),
    ] {
        let deploy =
            format!("[[step]]\nat = \"0s\"\n[step.do.deploy]\napp = \"pds\"\n{key} = \"{value}\"\nbuild = \"b1\"\n");
        let scenario = below_head(&deploy);
        let Action::Deploy { config, build, .. } = &scenario.steps[0].action else { panic!("no deploy") };
        assert_eq!((config.loader, &*config.origin), (loader, origin), "{key}");
        assert!(!config.text.is_empty(), "{key}");
        assert_eq!(*build, Some(Name::new("b1")));
    }
}

#[test]
fn a_config_that_is_not_there_is_none_and_a_warning() {
    for (key, loader, looked) in [
        ("config_dir", Loader::Under, "no `.miren/app.toml` in `empty`"),
        ("working_dir", Loader::Upwards, "no `.miren/app.toml` in `empty` or `.`"),
    ] {
        let scenario =
            below_head(&format!("[[step]]\nat = \"0s\"\ndo.deploy = {{ app = \"pds\", {key} = \"empty\" }}\n"));
        let Action::Deploy { config, .. } = &scenario.steps[0].action else { panic!("no deploy") };
        assert_eq!(*config, crate::appconfig::ConfigSource::none(loader));
        let warned = format!("{looked}: the app is deployed without a config");
        assert!(scenario.warnings.contains(&warned), "{:?}", scenario.warnings);
    }
}

#[test]
fn every_effect_and_trigger_is_read() {
    for (on, effect, expected) in [
        ("store.*", "error = \"no quorum\"", Effect::Error(Name::new("no quorum"))),
        ("disk.mount", "hang = {}", Effect::Hang),
        ("disk.mount", "delay = { uniform = [\"1s\", \"2s\"] }", Effect::Delay(Spread::Uniform(secs(1), secs(2)))),
        ("disk.unmount", "lose_reply = {}", Effect::LoseReply),
        ("store.list", "stale = \"30s\"", Effect::Stale(secs(30))),
        ("watch.*", "drop = {}", Effect::Drop),
        ("store.patch", "crash = \"before\"", Effect::CrashBefore),
        ("store.patch", "crash = \"after\"", Effect::CrashAfter),
    ] {
        let scenario = below_head(&format!("[[fault]]\non = \"{on}\"\neffect.{effect}\n"));
        assert_eq!(scenario.faults[0].effect, expected, "{effect}");
        assert!(scenario.faults[0].on.iter().all(|point| point.name().starts_with(on.trim_end_matches('*'))));
    }
    let fault = "[[fault]]\non = \"disk.*\"\neffect.hang = {}\n\
                 where = { app = \"pds\", node = \"n1\", controller = \"lease\", kind = \"disk\" }\n\
                 [fault.when]\ncalls = [3, 1]\nchance = 0.25\ntimes = 3\nfrom = \"5m\"\nuntil = \"30m\"\n\
                 after = { kind = \"sandbox\", status = \"stopped\", where = { app = \"pds\" }, nth = 2, lasts = \"30s\" }\n";
    let scenario = below_head(&format!("{DEPLOY}{fault}"));
    let fault = &scenario.faults[0];
    let at = |mins| Some(SimTime::ZERO + SimDuration::from_mins(mins));
    assert_eq!(fault.on.len(), Point::ALL.iter().filter(|point| point.group() == "disk").count());
    assert_eq!((&fault.when.calls[..], fault.when.chance_ppm, fault.when.times), (&[1, 3][..], Some(250_000), Some(3)));
    assert_eq!((fault.when.from, fault.when.until), (at(5), at(30)));
    assert_eq!(fault.filter.controller, Some(Name::new(Controller::Lease.name())));
    let trigger = fault.when.after.as_ref().expect("a trigger");
    assert_eq!(trigger.status, AnyStatus::Sandbox(SandboxStatus::Stopped));
    assert_eq!((trigger.nth, trigger.lasts, trigger.filter.app), (2, Some(secs(30)), Some(Name::new("pds"))));
}

#[test]
fn a_horizon_beyond_the_clock_is_cut_and_warned_of() {
    let scenario = read("schema = 1\nhorizon = \"365250d\"\n[[step]]\nat = \"0s\"\ndo.note = \"x\"\n");
    assert_eq!(scenario.horizon, SimTime::MAX);
    let [cut, long] = &scenario.warnings[..] else { panic!("{:?}", scenario.warnings) };
    assert_eq!(cut, "the horizon 365250d is cut to the end of the simulated clock (584 years)");
    assert!(long.contains("--until"), "{long}");
    let warned = |days| {
        !read(&format!("schema = 1\nhorizon = \"{days}d\"\n[[step]]\nat = \"0s\"\ndo.note = \"x\"\n"))
            .warnings
            .is_empty()
    };
    assert_eq!([365, 3649, 3650, 100_000].map(warned), [false, false, true, true]);
}

#[test]
fn what_is_legal_and_probably_a_mistake_is_a_warning() {
    let fault =
        "[[fault]]\nname = \"f\"\non = \"disk.*\"\neffect.hang = {}\nwhere.app = \"blog\"\nwhen.from = \"2h\"\n";
    let expect = "[expect]\nverdict = \"livelock\"\nsettled_within = \"2m\"\n";
    let late = "[[step]]\nname = \"late\"\nat = \"2h\"\ndo.note = \"x\"\n";
    let traffic = "[[traffic]]\napp = \"pds\"\nservice = \"web\"\nrate = \"1/s\"\nfrom = \"2h\"\n";
    let warnings = below_head(&format!("[workload.blog.web]\n{expect}{DEPLOY}{late}{traffic}{fault}{fault}")).warnings;
    let expected = [
        "the traffic for pds/web begins after the horizon",
        "a fault is about the app `blog`, which no step deploys (steps deploy `pds`)",
        "fault `f` begins after the horizon",
        "two faults are called `f`: nothing tells them apart in the result",
        "a fault is about the app `blog`, which no step deploys (steps deploy `pds`)",
        "fault `f` begins after the horizon",
        "`settled_within` can never hold beside `verdict = \"livelock\"`",
        "step `late` at 2h comes after the horizon",
        "the workload of blog/web is not used: no step deploys the app `blog` (steps deploy `pds`)",
    ];
    assert_eq!(warnings, expected);
    assert_eq!(below_head("").warnings, ["no step: nothing will happen"]);
}

#[test]
fn values_that_do_not_do_what_they_seem_to_say_are_warnings() {
    for (text, says) in [
        ("tuning.backoff.jitter = 0.5", Some("without a `jitter_kind` draws nothing")),
        ("tuning.backoff.jitter_kind = \"full\"", Some("while `jitter` is 0")),
        ("tuning.backoff = { jitter = 0.5, jitter_kind = \"full\" }", None),
        ("tuning.backoff.base = \"20m\"", Some("`backoff.base` (20m) is above `backoff.cap` (15m)")),
        ("tuning.backoff = { base = \"15m\", cap = \"15m\" }", None),
        (
            "expect.metrics.boots_failed = { max = 2.5 }",
            Some("`boots_failed` is a count, and its bound is no whole number: `max` is as good as 2"),
        ),
        ("expect.metrics.boots_failed = { min = 2.5 }", Some("`min` is as good as 3")),
        ("expect.metrics.boots_failed = { equals = 2.5 }", Some("`equals` can never hold")),
        ("expect.metrics.boots_failed = { equals = 2.0 }", None),
        ("expect.metrics.unready_s = { max = 2.5 }", None),
        // Told once, not for each variant.
        ("tuning.backoff.jitter = 0.5\nvariant = [{ name = \"a\" }, { name = \"b\" }]", Some("draws nothing")),
        ("variant = [{ name = \"a\" }, { name = \"b\", tuning.backoff.base = \"1h\" }]", Some("every wait is the cap")),
    ] {
        let warnings = below_head(&format!("{text}\n{DEPLOY}")).warnings;
        match says {
            None => assert_eq!(warnings, [""; 0], "{text}"),
            Some(says) => {
                assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
                assert!(warnings[0].contains(says), "{text}: {warnings:?}");
            }
        }
    }
}

#[test]
fn a_service_that_no_deploy_has_is_a_warning_wherever_it_is_named() {
    let deploy = |config: &str| {
        format!("[[step]]\nat = \"0s\"\n[step.do.deploy]\napp = \"shop\"\nconfig = \"\"\"\n{config}\n\"\"\"\n")
    };
    let two = deploy("[services.web]\n[services.worker]\nsize = 3");
    let no_deploy = "no deploy of `shop` has a service";
    for (named, what, hint) in [
        ("workload.shop.wbe.start = \"1s\"", "the workload of shop/wbe", "did you mean `web`?"),
        ("workload.shop.db.start = \"1s\"", "the workload of shop/db", "it has `web` and `worker`"),
        (
            "[[step]]\nname = \"s\"\nat = \"1s\"\ndo.set_workload = { app = \"shop\", service = \"wbe\", start = \"1s\" }",
            "step `s` for shop/wbe",
            "did you mean `web`?",
        ),
        (
            "[[step]]\nat = \"1s\"\ndo.set_desired = { app = \"shop\", service = \"wroker\", instances = 2 }",
            "step `step 2` for shop/wroker",
            "did you mean `worker`?",
        ),
        (
            "[[traffic]]\napp = \"shop\"\nservice = \"wbe\"\nrate = \"1/s\"",
            "the traffic for shop/wbe",
            "did you mean `web`?",
        ),
        (
            "[[fault]]\nname = \"f\"\non = \"disk.*\"\neffect.hang = {}\nwhere = { app = \"shop\", service = \"wbe\" }",
            "fault `f` on shop/wbe",
            "did you mean `web`?",
        ),
    ] {
        let (before, after) = if named.starts_with('[') { ("", named) } else { (named, "") };
        let service = what.rsplit('/').next().expect("a part");
        let expected = format!("{what} is not used: {no_deploy} `{service}` ({hint})");
        assert_eq!(below_head(&format!("{before}\n{two}{after}\n")).warnings, [expected], "{named}");
        // Another deploy of the app may have it; and one that cannot be read may have anything.
        for other in [deploy(&format!("[services.{service}]")), deploy("[services")] {
            let warnings = below_head(&format!("{before}\n{two}{after}\n{other}")).warnings;
            assert_eq!(warnings, [""; 0], "{named} beside {other}");
        }
    }
    let many: String = (0..9).map(|n| format!("workload.shop.other{n}.start = \"1s\"\n")).collect();
    let warnings = below_head(&format!("{many}{two}")).warnings;
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert_eq!(warnings[3], "6 more places name services that no deploy of `shop` has");
    // An app that names no service has one.
    assert_eq!(below_head(&format!("workload.shop.web.start = \"1s\"\n{}", deploy(""))).warnings, [""; 0]);
}

#[test]
fn the_defaults_of_the_reference_are_those_of_the_program() {
    let mut texts = std::collections::BTreeMap::new();
    for spec in schema::tables() {
        for key in
            spec.keys().iter().filter(|key| ![REQUIRED, ONE_OF, "any", "none", "unchanged"].contains(&key.default))
        {
            let toml = key.default.starts_with(['"', '[']) || key.default.starts_with(|c: char| c.is_ascii_digit());
            if toml && !matches!(key.kind, Kind::Text | Kind::Name) {
                texts.insert((spec.name, key.name), key.default);
            }
        }
    }
    let line = |table: &str, path: &str| -> String {
        let of = texts.iter().filter(|((name, _), _)| *name == table);
        of.map(|((_, key), value)| format!("{path}{key} = {value}\n")).collect()
    };
    let written = format!(
        "{HEAD}{DEPLOY}[cluster]\n{}{}\n[workload.pds.web]\n{}\n[tuning]\n{}{}{}",
        line("`[cluster]`", ""),
        line("`cluster.latency`", "latency."),
        line("`[workload.APP.SERVICE]`", ""),
        line("`tuning`", ""),
        line("`tuning.backoff`", "backoff."),
        line("`tuning.grace`", "grace."),
    );
    // Steps are tables of their own, so they must come last.
    let (head, rest) = written.split_once(DEPLOY).expect("it is there");
    let (all, none) = (read(&format!("{head}{rest}{DEPLOY}")), below_head(DEPLOY));
    assert_eq!(all.cluster, none.cluster);
    assert_eq!(all.workloads[&(Name::new("pds"), Name::new("web"))], WorkloadSpec::default());
    let constants = |scenario: &Scenario| {
        let Variant { tuning, policy, .. } = &scenario.variants[0];
        (tuning.under(policy.fixes), tuning.environment())
    };
    assert_ne!(all.variants[0].tuning, none.variants[0].tuning, "one says all, the other nothing");
    assert_eq!(constants(&all), constants(&none));
}

#[test]
fn a_fact_can_leave_out_violations() {
    let read = |value: &str| {
        let scenario = below_head(&format!("expect.violations = {value}\n"));
        scenario.variants[0].expect.clone().expect("an expectation")
    };
    assert!(read("\"any\"").any_violations && !read("[]").any_violations);
}

#[test]
fn moments_are_read_in_scenarios_and_variants() {
    let own = "[[variant]]\nname = \"own\"\n[[variant.expect.at]]\nat = \"1h\"\nfor = \"0s\"\ncount.pool = [3, { min = 1 }]\n";
    let own = own.replace("[3,", "[{ equals = 3 },");
    let scenario = below_head(&format!(
        "{DEPLOY}[[expect.at]]\nat = \"4.1s\"\n\"pool/pds-web\".current_instances = 3\n[[variant]]\nname = \"same\"\n{own}"
    ));
    let moments = |index: usize| &scenario.variants[index].expect.as_ref().expect("claims").moments;
    let [same] = &moments(0)[..] else { panic!("one moment") };
    assert_eq!((same.at, same.claims.len()), (SimTime::ZERO + SimDuration::from_millis(4100), 1));
    let [own] = &moments(1)[..] else { panic!("one moment") };
    assert_eq!((own.lasting, own.claims.len()), (Lasting::For(SimDuration::ZERO), 2));
    let count = |index: usize| match own.claims[index] {
        Claim::Count { min, max, .. } => (min, max),
        _ => panic!("a count"),
    };
    assert_eq!((count(0), count(1)), ((3, Some(3)), (1, None)));
}
