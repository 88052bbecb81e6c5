//! What the command line changes in a scenario.

use crate::controllers::fixes::{Fix, Fixes};
use crate::kernel::{SimDuration, SimTime};
use crate::model::Name;
use crate::scenario::{Overrides, Scenario};
use crate::world::spec::{Delay, Spread};

use super::good::{EXAMPLE, read, read_with};

fn set(pairs: &[(&str, &str)]) -> Scenario {
    let set = pairs.iter().map(|(path, value)| (path.to_string(), value.to_string())).collect();
    read_with(EXAMPLE, &Overrides { set, ..Overrides::default() })
}

#[test]
fn any_field_can_be_set_by_its_path() {
    let scenario = set(&[
        ("tuning.backoff.base", "5s"),
        ("tuning.backoff.factor", "1.5"),
        ("fault.0.when.times", "2"),
        ("fault.unmount loses its reply.when.chance", "0.5"),
        ("step.fix.at", "10m"),
        ("workload.pds.database.exit_after", "5s"),
        ("workload.pds.database.start", "{ uniform = [\"1s\", \"2s\"] }"),
        ("workload.pds.web.ready", "never"),
        ("cluster.latency.store", "9ms"),
        ("expect.metrics.boots_failed.max", "5"),
        ("about", "another story"),
        ("horizon", "30m"),
    ]);
    let secs = SimDuration::from_secs;
    let backoff = scenario.variants[0].tuning.under(Fixes::current()).backoff;
    assert_eq!((backoff.base, backoff.factor_ppm), (secs(5), 1_500_000));
    assert_eq!(scenario.faults[0].when.times, Some(2));
    assert_eq!(scenario.faults[1].when.chance_ppm, Some(500_000));
    assert_eq!(scenario.steps[1].at, SimTime::ZERO + secs(600));
    let workload = &scenario.workloads[&(Name::new("pds"), Name::new("database"))];
    assert_eq!(workload.exit_after, [Delay::After(Spread::Constant(secs(5)))]);
    assert_eq!(workload.start, Spread::Uniform(secs(1), secs(2)));
    assert!(scenario.workloads.contains_key(&(Name::new("pds"), Name::new("web"))));
    assert_eq!(scenario.cluster.latency.store, Spread::Constant(SimDuration::from_millis(9)));
    assert_eq!((scenario.about.as_str(), scenario.horizon), ("another story", SimTime::ZERO + secs(1800)));
}

#[test]
fn parts_go_by_number_name_or_default_name() {
    let text = "schema = 1\nhorizon = \"1h\"\n[[step]]\nat = \"0s\"\ndo.note = \"x\"\n[[variant]]\nname = \"a.b\"\n";
    for (path, value) in [("step.0.at", "7s"), ("step.step 1.at", "7s"), ("step.\"step 1\".at", "7s")] {
        let overrides = Overrides { set: vec![(path.to_owned(), value.to_owned())], ..Overrides::default() };
        assert_eq!(read_with(text, &overrides).steps[0].at, SimTime::ZERO + SimDuration::from_secs(7), "{path}");
    }
    let overrides = Overrides { set: vec![("variant.\"a.b\".seed".into(), "9".into())], ..Overrides::default() };
    assert_eq!(read_with(text, &overrides).variants[0].seed, 9);
}

#[test]
fn a_day_needs_no_quotes_on_the_command_line() {
    let scenario = set(&[("variant.before.policy.as_of", "2025-11-14"), ("variant.after.policy.as_of", "\"current\"")]);
    assert_eq!(scenario.variants[0].policy.as_of, "2025-11-14");
    assert_eq!(scenario.variants[1].policy.as_of, "current");
}

#[test]
fn later_options_win_over_earlier_ones() {
    assert_eq!(set(&[("seed", "1"), ("seed", "2")]).variants[0].seed, 2);
}

#[test]
fn policy_options_come_after_every_variants_own_policy() {
    let text = EXAMPLE.replace(
        "policy = { as_of = \"2026-03-12\" }",
        "policy = { as_of = \"2026-03-12\", with = [\"compare-volumes\"] }",
    );
    let own = read(&text);
    assert!(own.variants[1].policy.fixes.has(Fix::CompareVolumes));
    let overrides = Overrides {
        seed: Some(5),
        as_of: Some("2025-11-14".into()),
        with: vec!["drain-before-create".into()],
        without: vec!["compare-volumes".into(), "crash-backoff".into()],
        ..Overrides::default()
    };
    let scenario = read_with(&text, &overrides);
    for variant in &scenario.variants {
        assert_eq!((variant.seed, variant.policy.as_of.as_str()), (5, "2025-11-14"));
        assert!(variant.policy.fixes.has(Fix::DrainBeforeCreate) && variant.policy.fixes.has(Fix::ExitWatch));
        assert!(!variant.policy.fixes.has(Fix::CompareVolumes) && !variant.policy.fixes.has(Fix::CrashBackoff));
        assert_eq!(variant.policy.with, [Fix::DrainBeforeCreate]);
        assert_eq!(variant.policy.without, [Fix::CompareVolumes, Fix::CrashBackoff]);
    }
}

#[test]
fn a_field_that_a_variant_replaces_is_set_with_a_warning() {
    let warning = "--set policy.without does not reach `before` and `after`: a variant's own value replaces it";
    assert_eq!(set(&[("policy.without", "[\"crash-backoff\"]")]).warnings, [warning]);
    let own = ("variant.after.tuning.lease_poll", "1s");
    let warning = "--set tuning.lease_poll does not reach `after`: a variant's own value replaces it";
    assert_eq!(set(&[own, ("tuning.lease_poll", "2s")]).warnings, [warning]);
    assert!(set(&[own, ("tuning.ready_poll", "2s"), ("seed", "3")]).warnings.is_empty());
}
