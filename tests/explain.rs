//! Explanations of the whole corpus: each leads back to something from outside.
//!
//! For every scenario and variant, every violation is explained; and stories that were once explained
//! wrongly are held to what decides them. What a newcomer gets wrong: a
//! chain that ends in the middle of the scheduler is a cause that got lost, and is mended where
//! the record is written, not here.

use rayon::prelude::*;
use schedsim::controllers::fixes::Fix;
use schedsim::kernel::SimTime;
use schedsim::model::{AnyStatus, Field, Kind, Reason, SandboxStatus, Value};
use schedsim::report::explain::{
    Choice, Decider, End, Explainer, Limits, Page, Question, Run, Setting, ask, story, tag,
};
use schedsim::scenario::{Overrides, Scenario, Variant};
use schedsim::sim::Simulation;
use schedsim::study::deciding::{Trial, Tries, all, decide, otherwise};
use schedsim::study::sealed::sealed;
use schedsim::trace::{Record, Trace, What};

#[path = "common/corpus.rs"]
mod corpus;
use corpus::corpus;

/// Whether a chain may end there: an operator's step, a client, a process that starts, the world
/// itself – or what a ticker began by itself.
fn is_root(trace: &Trace, link: &schedsim::report::explain::Link) -> bool {
    let record = trace.get(link.record).expect("a record");
    matches!(
        record.what,
        What::StepBegan
            | What::ProcessUp
            | What::RequestFailed { .. }
            | What::RequestServed { .. }
            | What::Struck { .. }
    ) || matches!(record.subject.kind, Kind::Node | Kind::Cluster | Kind::Process)
        || (record.cause.index().is_none()
            && matches!(record.what, What::Decided(_) | What::TaskEnded { .. } | What::PortBound))
        // A request raises a pool: nothing inside set it off.
        || trace.get(record.cause).is_some_and(|cause| {
            cause.cause.index().is_none() && matches!(cause.what, What::Decided(Reason::NoRoom { .. }))
        })
}

/// What is wrong with the explanations of one run.
fn faults(scenario: &Scenario, variant: &Variant) -> Vec<String> {
    let outcome = Simulation::new(scenario, variant).keeps_evidence().run();
    let trace = &outcome.trace;
    let setting = Setting::of(scenario, variant);
    let mut explainer = Explainer::new(trace, &setting);
    let mut faults = Vec::new();
    let name = format!("{} @ {}", scenario.name, variant.name);
    for violation in &outcome.violations {
        let chain = explainer.chain(violation.record, Limits::default()).expect("a record");
        let root = chain.links.last().expect("a root");
        if !is_root(trace, root) {
            let what = format!("{} {} {}", trace.name(root.subject), root.what, root.rule);
            faults.push(format!("{name}: {}: ends at record {}: {what}", violation.invariant, root.record.number()));
        }
        let whole = explainer.chain(violation.record, Limits::ALL).expect("a record");
        let known = explainer.chain_and_deciders(violation.record, Limits::default()).expect("a record").all_deciders();
        if let Some(missing) = whole.deciders().iter().find(|decider| !known.contains(decider)) {
            faults.push(format!("{name}: {}: {missing:?} is not listed", violation.invariant));
        }
        let links = story(&Page { trace, setting: &setting }, &chain).lines().count();
        if links > 50 {
            faults.push(format!("{name}: {}: {links} lines are no screen", violation.invariant));
        }
    }
    faults
}

#[test]
fn every_violation_of_the_corpus_leads_back_to_something_from_outside() {
    let scenarios = corpus();
    let runs: Vec<(&Scenario, &Variant)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)))
        .collect();
    let faults: Vec<String> = runs.par_iter().flat_map_iter(|(scenario, variant)| faults(scenario, variant)).collect();
    assert!(faults.is_empty(), "{}\n{} of them", faults.join("\n"), faults.len());
}

#[test]
fn a_run_that_keeps_evidence_is_the_same_run() {
    let scenarios = corpus();
    let runs: Vec<(&Scenario, &Variant)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)))
        .step_by(10)
        .collect();
    runs.par_iter().for_each(|(scenario, variant)| {
        let (plain, kept) =
            (Simulation::new(scenario, variant).run(), Simulation::new(scenario, variant).keeps_evidence().run());
        assert!(plain.trace.records() == kept.trace.records(), "{} @ {}", scenario.name, variant.name);
        let taken = |trace: &Trace| {
            let all = (0..trace.records().len()).map(schedsim::kernel::RecordId::from_index);
            all.filter(|record| trace.evidence().of(*record).is_some()).count()
        };
        assert_eq!(taken(&plain.trace), 0, "nobody will ask");
        assert!(taken(&kept.trace) > 0, "{} @ {}", scenario.name, variant.name);
    });
}

#[test]
fn the_fault_that_delayed_a_disk_is_named_by_every_boot_that_waited_for_it() {
    let scenarios = corpus();
    let carousel = scenarios.iter().find(|scenario| scenario.name == "lease-carousel").expect("in the corpus");
    for variant in &carousel.variants {
        let trace = Simulation::new(carousel, variant).keeps_evidence().run().trace;
        let setting = Setting::of(carousel, variant);
        let mut explainer = Explainer::new(&trace, &setting);
        let running = Value::Status(AnyStatus::Sandbox(SandboxStatus::Running));
        let runs = |r: Record| matches!(r.what, What::Set { to, .. } if to == running);
        let booted = trace.records().iter().rposition(runs).expect("the new one runs");
        let record = schedsim::kernel::RecordId::from_index(booted);
        let chain = explainer.chain_and_deciders(record, Limits::default()).expect("a record");
        assert!(chain.all_deciders().contains(&Decider::Fault(0)), "{}: {:?}", variant.name, chain.all_deciders());
    }
}

const NOT_RUNNING: Question<'static> = Question::WhyNot("sandbox/pds-database~2-0", Some("running"), None);
const LEAKED: Question<'static> = Question::Of(Choice::Violation("no-leaked-address", None));

/// Stories of which `explain` once missed what decides, or their like, with what is asked and what must be named.
const ONCE_WRONG: &[(&str, &str, Question<'static>, &[&str])] = &[
    ("duplicate-address", "before", Question::Failed, &["+watchdog-releases-address", "-confirm-before-release"]),
    // What an operator of the incident would mend is one line of the app's config.
    ("forever-pending", "before", Question::Verdict, &["key size of step typo", "-strict-app-config"]),
    ("forever-pending", "after", Question::Failed, &["key size of step typo"]),
    ("nonce-lost", "before", Question::Failed, &["+volume-leases", "-no-volume-leases", "step restart node"]),
    // Without the upgrade the second version runs; `progress` breaks all the same, for its lease is a dead one's.
    ("upgrade-loses-nonces", "main", NOT_RUNNING, &["-no-volume-leases", "step upgrade"]),
    ("two-writers-by-restart", "current", Question::Failed, &["+lease-belongs-to-sandbox", "-release-leases-last"]),
    ("address-held-an-hour", "before", Question::Failed, &["shop.worker exit_after", "-exit-means-stopped"]),
    (
        "address-leaks-watchdog",
        "before",
        LEAKED,
        &["fault crash before the removal", "-watchdog-releases-address", "fault dead network"],
    ),
    ("hung-image-pull", "before", Question::Failed, &["fault hung pull", "+serialise-entity"]),
    ("deaf-controller", "no-resync", Question::Failed, &["fault the watch goes silent", "-scheduler-resyncs"]),
    ("zombie", "before", Question::Failed, &["-port-required"]),
    ("node-lost", "before", Question::Failed, &["-node-health", "step lost"]),
    (
        "unscheduled",
        "before",
        Question::Failed,
        &["fault the coordinator dies between two writes", "-scheduler-resyncs", "-stale-pending-monitor"],
    ),
    ("intermediate-nonce", "before", Question::Failed, &["fault the node dies between two steps"]),
    ("drain-never-ends", "before", Question::Failed, &["+drain-waits-for-dead", "-idempotent-drain"]),
    ("stale-get-raises-the-dead", "current", Question::Failed, &["fault an old answer", "blog.worker image_pull"]),
    ("two-workers-one-entity", "before", Question::Failed, &["-serialise-entity", "-dirty-key-queue"]),
    ("port-race-share", "before", Question::Failed, &["-port-deadline-15s", "-pending-running-backstop"]),
    (
        "address-leaks-failed-patch",
        "before",
        Question::Failed,
        &["fault store refuses writes", "-release-address-on-failed-patch"],
    ),
    ("crash-loop-idle", "before", Question::Verdict, &["shop.web exit_after"]),
    ("foreign-lease-shared", "before", Question::Failed, &["-lease-belongs-to-sandbox"]),
    ("lease-waits-for-disk", "before", Question::Failed, &["-disk-ownership"]),
];

#[test]
fn what_was_once_explained_wrongly_is_explained_by_what_decides_it() {
    let scenarios = corpus();
    let wrong = ONCE_WRONG.par_iter().flat_map_iter(|(name, variant, question, wanted)| {
        let scenario = scenarios.iter().find(|known| known.name == *name).unwrap_or_else(|| panic!("no {name}"));
        let variant = scenario.variants.iter().find(|known| known.name == *variant).expect("a variant");
        let outcome = Simulation::new(scenario, variant).keeps_evidence().run();
        let (setting, run) = (Setting::of(scenario, variant), Run { scenario, variant, outcome: &outcome });
        let explainer = Explainer::new(&outcome.trace, &setting);
        let asked = ask(&explainer, &run, *question).expect("something to explain");
        // Whatever is tried and decides is named: what is tried, and what comes of it, is looked at here.
        let named: Vec<(String, Decider)> = all(&run).into_iter().map(|thing| (tag(thing, &setting), thing)).collect();
        let mut wrong = Vec::new();
        for wanted in *wanted {
            let Some((_, decider)) = named.iter().find(|(tag, _)| tag == wanted) else {
                wrong.push(format!("{name}: {wanted} is not tried: {named:?}"));
                continue;
            };
            let (scenario, variant) = otherwise(scenario, variant, &[*decider]);
            let outcome = Simulation::new(&scenario, &variant).run();
            let ending = asked.end.look_for(&Run { scenario: &scenario, variant: &variant, outcome: &outcome });
            if !ending.is_averted() {
                wrong.push(format!("{name}: {wanted} does not decide: {ending:?}"));
            }
            let printed = decide(&run, None, &asked.end, &[*decider], Tries::of(1));
            if !printed.decides().any(|trial| trial.deciders == [*decider]) {
                wrong.push(format!("{name}: {wanted} is not printed"));
            }
        }
        wrong
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn story_named(name: &str, variant: &str) -> (Scenario, usize) {
    let scenario = corpus().into_iter().find(|known| known.name == name).expect("in the corpus");
    let variant = scenario.variants.iter().position(|known| known.name == variant).expect("a variant");
    (scenario, variant)
}

#[test]
fn with_other_draws_from_an_instant_on_the_past_is_the_same_and_only_the_future_another() {
    for (name, variant) in [("skip-dead", "before"), ("node-lost", "before"), ("crash-loop-traffic", "before")] {
        let (scenario, variant) = story_named(name, variant);
        let variant = &scenario.variants[variant];
        let plain = Simulation::new(&scenario, variant).run().trace;
        let mut differ = 0;
        for at in [0, 1, 2, 3].map(|quarter| plain.records().at(plain.records().len() * quarter / 4).at) {
            let other = Simulation::new(&scenario, variant).redrawn(at, variant.seed + 1).run().trace;
            let past = |trace: &Trace| trace.records().partition_point(|record| record.at < at);
            assert_eq!(past(&plain), past(&other), "{name} {at:?}");
            assert!(plain.records().range(..past(&plain)).eq(other.records().range(..past(&other))), "{name} {at:?}");
            differ += usize::from(plain.records() != other.records());
        }
        // Under its own seed, before anything is drawn, it is the run itself.
        let same = Simulation::new(&scenario, variant).redrawn(SimTime::ZERO, variant.seed).run().trace;
        assert!(plain.records() == same.records(), "{name}");
        assert!(differ > 0, "{name}");
    }
}

/// Whether an end stays away when a fix comes by an upgrade just before an instant, as a user would write it.
fn upgraded(file: &str, (variant, fix): (&str, Fix), end: &End, at: SimTime) -> bool {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
    let story = std::fs::read_to_string(path).expect("a story");
    let step =
        format!("[[step]]\nname = \"by hand\"\nat = \"{}ns\"\ndo.upgrade.with = [\"{fix}\"]\n", at.as_nanos() - 1);
    let text = format!("{story}\n{step}");
    let scenario = Scenario::from_text(&text, file, None, &Overrides::default()).expect("a story");
    let variant = scenario.variants.iter().find(|known| known.name == variant).expect("a variant");
    let outcome = Simulation::new(&scenario, variant).run();
    end.look_for(&Run { scenario: &scenario, variant, outcome: &outcome }).is_averted()
}

#[test]
fn a_fix_helps_up_to_the_moment_at_which_the_end_was_sealed_and_not_after_it() {
    for (folder, name, fix) in [
        ("nodes", "runner-kills-the-others", Fix::OwnNodeOnly),
        ("mir-788", "lease-carousel", Fix::DeadOnBootFailure),
        ("requests", "skip-dead", Fix::SkipDead),
    ] {
        let (scenario, variant) = story_named(name, "before");
        let variant = &scenario.variants[variant];
        let outcome = Simulation::new(&scenario, variant).keeps_evidence().run();
        let (setting, run) = (Setting::of(&scenario, variant), Run { scenario: &scenario, variant, outcome: &outcome });
        let asked = ask(&Explainer::new(&outcome.trace, &setting), &run, Question::Failed).expect("an end");
        let decider = Decider::Fix { fix, in_force: false };
        let sealed = sealed(&run, None, &asked, &[vec![decider]], Tries::of(150));
        assert!(sealed.runs <= 150 && sealed.futures.is_none(), "{name}: {} runs", sealed.runs);
        let cure = sealed.cures.iter().find(|cure| cure.of == [decider]).expect("it was tried");
        let last = cure.last.unwrap_or_else(|| panic!("{name}: it helps"));
        let record = last.record.and_then(|record| outcome.trace.get(record)).expect("it was sealed before the end");
        assert_eq!(record.at, last.at, "{name}");
        let next = outcome.trace.records().iter().map(|record| record.at).find(|at| *at > last.at).expect("it goes on");
        assert!(next <= sealed.came, "{name}");
        let upgraded = |at| upgraded(&format!("{folder}/{name}.toml"), ("before", fix), &asked.end, at);
        assert!(upgraded(last.at) && !upgraded(next), "{name}");
    }
}

#[test]
fn the_draw_that_gave_a_request_to_the_dead_is_where_its_future_turns() {
    let (scenario, variant) = story_named("skip-dead", "before");
    let variant = &scenario.variants[variant];
    let outcome = Simulation::new(&scenario, variant).keeps_evidence().run();
    let (setting, run) = (Setting::of(&scenario, variant), Run { scenario: &scenario, variant, outcome: &outcome });
    let asked = ask(&Explainer::new(&outcome.trace, &setting), &run, Question::Failed).expect("requests fail");
    let futures = sealed(&run, None, &asked, &[], Tries::within_seconds(&run)).futures.expect("they are run");
    let (place, record) = futures.steepest.expect("one draw decides");
    let record = outcome.trace.get(record).expect("a record");
    assert!(matches!(record.what, What::Drawn { .. }) && record.at == futures.moments[place].at, "{record:?}");
    let [before, after] = [futures.moments[place], futures.moments[place + 1]];
    assert!(before.share() < 0.9 && after.bad == after.of, "{futures:?}");
    let (low, high) = before.interval();
    assert!(low < before.share() && before.share() < high && high < 1.0, "{low} {high}");
    // A story without draws has one future.
    let (scenario, variant) = story_named("lease-carousel", "before");
    let variant = &scenario.variants[variant];
    let outcome = Simulation::new(&scenario, variant).keeps_evidence().run();
    let run = Run { scenario: &scenario, variant, outcome: &outcome };
    let asked = ask(&Explainer::new(&outcome.trace, &setting), &run, Question::Failed).expect("a violation");
    let futures = sealed(&run, None, &asked, &[], Tries::of(400)).futures.expect("they are run");
    assert!(futures.is_one && futures.steepest.is_none(), "{futures:?}");
}

/// A story of what does not happen.
struct Undone {
    story: &'static str,
    /// Who looked at the thing and did nothing, and who never came.
    looked: &'static [&'static str],
    never: &'static [&'static str],
    /// A fix that this hangs on, which was asked for in vain, or when processes start.
    fix: &'static str,
}

const UNDONE: &[Undone] = &[
    Undone {
        story: "node-lost",
        looked: &["pool", "scheduler", "monitor"],
        never: &["node-health", "sandbox"],
        fix: "-node-health",
    },
    Undone {
        story: "unscheduled",
        looked: &["watchdog", "collector"],
        never: &["scheduler", "sandbox"],
        fix: "-scheduler-resyncs",
    },
    Undone {
        story: "hung-image-pull",
        looked: &["scheduler", "watchdog"],
        never: &["sandbox"],
        fix: "+serialise-entity",
    },
];

#[test]
fn who_looked_and_did_nothing_is_named_and_who_never_came_is_not() {
    for Undone { story: name, looked, never, fix } in UNDONE {
        let (scenario, variant) = story_named(name, "before");
        let variant = &scenario.variants[variant];
        let outcome = Simulation::new(&scenario, variant).keeps_evidence().run();
        let (setting, run) = (Setting::of(&scenario, variant), Run { scenario: &scenario, variant, outcome: &outcome });
        let mut explainer = Explainer::new(&outcome.trace, &setting);
        let asked = ask(&explainer, &run, Question::Failed).expect("it breaks");
        let end = outcome.trace.get(asked.record.expect("a violation")).expect("a record").at;
        let chain = explainer.chain_and_deciders(asked.record.expect("it"), Limits::default()).expect("a chain");
        let left = chain.left_alone.as_ref().unwrap_or_else(|| panic!("{name}: nobody looked"));
        let by: Vec<&str> = left.by.iter().map(|looker| looker.actor.controller.name()).collect();
        assert!(looked.iter().all(|looker| by.contains(looker)), "{name}: {by:?}");
        assert!(!never.iter().any(|looker| by.contains(looker)), "{name}: {by:?}");
        assert!(
            left.by.iter().all(|looker| left.since <= looker.last && looker.last <= end && looker.times > 0),
            "{name}"
        );
        // Whoever did something about it since is in the records, and no such record is.
        let touched = outcome.trace.records().iter().any(|record| {
            let within = left.since < record.at && record.at < end;
            record.subject == left.of && within && matches!(record.what, What::Set { field: Field::Status, .. })
        });
        assert!(!touched, "{name}: it was changed");
        let named: Vec<String> = chain.all_deciders().into_iter().map(|decider| tag(decider, &setting)).collect();
        assert!(named.iter().any(|tag| tag == fix), "{name}: {fix} is not among {named:?}");
    }
}

/// The launcher waits a minute for a bad app; a good app's new version has no pool meanwhile, and its callers fail.
const BUSY: &str = r#"
schema  = 1
horizon = "5m"
policy.without = ["two-launcher-workers"]
[workload.bad.web]
ready = "never"
[[step]]
name = "good v1"
at   = "0s"
do.deploy = { app = "good", config = "[services.web]\n" }
[[step]]
name = "bad"
at   = "2m"
do.deploy = { app = "bad", config = "[services.web]\n" }
[[step]]
name = "good v2"
at   = "2m1s"
do.deploy = { app = "good", config = "[services.web]\n" }
[[traffic]]
app = "good"
service = "web"
rate = "30/m"
arrivals = "constant"
from = "1m"
via = "activator"
"#;

#[test]
fn a_request_without_a_pool_leads_to_what_the_launcher_still_waits_for() {
    let scenario = Scenario::from_text(BUSY, "busy", None, &Overrides::default()).expect("a story");
    let variant = &scenario.variants[0];
    let outcome = Simulation::new(&scenario, variant).keeps_evidence().run();
    let (setting, run) = (Setting::of(&scenario, variant), Run { scenario: &scenario, variant, outcome: &outcome });
    let mut explainer = Explainer::new(&outcome.trace, &setting);
    let asked = ask(&explainer, &run, Question::Failed).expect("requests fail");
    let record = asked.record.expect("the request");
    let chain = explainer.chain_and_deciders(record, Limits::default()).expect("a record");
    let text = story(&Page { trace: &outcome.trace, setting: &setting }, &chain);
    let (_, led) = text.split_once("and what its worker was still busy with:").unwrap_or_else(|| panic!("{text}"));
    assert!(led.contains("pool/bad-web") && led.contains("step/bad"), "{text}");
    let deciding = decide(&run, None, &asked.end, &chain.all_deciders(), Tries::within_seconds(&run));
    let named: Vec<String> = deciding.decides().map(|trial| tag(trial.deciders[0], &setting)).collect();
    for wanted in ["+wait-for-new-pool", "-two-launcher-workers", "step bad"] {
        assert!(named.iter().any(|name| name == wanted), "{wanted} is not among {named:?}");
    }
}

/// Two apps, of which each fails for a reason of its own, and a deploy that is refused whatever else happens.
const TWO: &str = r#"
schema  = 1
horizon = "6m"
[workload.slow.web]
ready = "never"
[[step]]
name = "slow"
at   = "0s"
do.deploy = { app = "slow", config = "[services.web.concurrency]\nmode = \"fixed\"\nnum_instances = 1\n" }
[[step]]
name = "gone"
at   = "1m"
do.deploy = { app = "gone", config = "[services.web.concurrency]\nmode = \"fixed\"\nnum_instances = 1\n" }
[[step]]
name = "typo"
at   = "2m"
do.deploy = { app = "typo", config = "[services.web.concurrency]\nmode = \"fixed\"\nnum_instance = 1\n" }
[[fault]]
name = "no image"
on   = "sandbox.pull_image"
where.app = "gone"
effect.error = "no such image"
"#;

#[test]
fn of_two_apps_that_fail_each_has_its_own_reason_and_both_together_decide() {
    let scenario = Scenario::from_text(TWO, "two", None, &Overrides::default()).expect("a story");
    let variant = &scenario.variants[0];
    let outcome = Simulation::new(&scenario, variant).keeps_evidence().run();
    let (setting, run) = (Setting::of(&scenario, variant), Run { scenario: &scenario, variant, outcome: &outcome });
    let explainer = Explainer::new(&outcome.trace, &setting);
    let asked = ask(&explainer, &run, Question::Verdict).expect("a verdict");
    assert!(asked.what.ends_with("of 1, and 1 more like it"), "{}", asked.what);
    let record = outcome.trace.get(asked.record.expect("a record")).expect("it");
    assert!(
        ["sandbox/slow-web", "sandbox/gone-web"].iter().any(|of| outcome.trace.name(record.subject).starts_with(of))
    );
    let deciding = decide(&run, None, &asked.end, &[], Tries::within_seconds(&run));
    let tags = |deciders: &[Decider]| deciders.iter().map(|decider| tag(*decider, &setting)).collect::<Vec<_>>();
    let part = |of: &str| {
        let trial = deciding.in_part().find(|trial| tags(&trial.deciders) == [of]).unwrap_or_else(|| panic!("no {of}"));
        trial.rests.iter().map(|app| app.expect("an app").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (part("slow.web ready"), part("fault no image")),
        (vec!["app/slow".to_owned()], vec!["app/gone".to_owned()])
    );
    let both =
        |trial: &&Trial| trial.ending.is_averted() && tags(&trial.deciders) == ["fault no image", "slow.web ready"];
    assert_eq!(deciding.decides().filter(both).count(), 1, "{:?}", deciding.together);
    // A refusal is asked about: that its step is there is no answer.
    let asked = ask(&explainer, &run, Question::Failed).expect("a refusal");
    assert_eq!(asked.end, End::Refused(2));
    let deciding = decide(&run, None, &asked.end, &[], Tries::within_seconds(&run));
    assert!(deciding.of_step && deciding.decides().next().is_none());
    // More is tried when more is asked for.
    let few = decide(&run, None, &asked.end, &[], Tries::of(deciding.runs / 2));
    let more = decide(&run, None, &asked.end, &[], Tries::of(10_000));
    assert!(few.left > 0 && few.runs < deciding.runs && more.left == 0, "{} {}", few.runs, more.left);
}
