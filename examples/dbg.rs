#![allow(missing_docs, reason = "temporary")]
use schedsim::kernel::*;
use schedsim::model::*;
use schedsim::*;
use std::collections::BTreeMap;
fn main() {
    let as_of = std::env::args().nth(1).unwrap_or("2026-03-11".into());
    let mins: u64 = std::env::args().nth(2).unwrap_or("30".into()).parse().unwrap();
    let crash = std::env::args().nth(3).is_some();
    let fixes = controllers::fixes::Fixes::as_of(as_of.parse().unwrap()).split_built().0;
    let text = if crash {
        "[services.web]\n"
    } else {
        "[services.database.concurrency]\nmode = \"fixed\"\nnum_instances = 1\n[[services.database.disks]]\nname = \"pds-data\"\nmount_path = \"/data\"\nsize = 20\n"
    };
    let mut w = BTreeMap::new();
    w.insert(
        (Name::new("pds"), Name::new("web")),
        world::spec::WorkloadSpec {
            exit_after: vec![world::spec::Delay::After(SimDuration::from_secs(1).into())],
            ..Default::default()
        },
    );
    let sc = scenario::Scenario {
        name: "x".into(),
        file: None,
        about: "".into(),
        source: "".into(),
        horizon: SimTime::from_nanos(mins * 60_000_000_000),
        cluster: Default::default(),
        workloads: w,
        steps: vec![scenario::Step {
            name: Name::new("typo"),
            at: SimTime::ZERO,
            action: scenario::Action::Deploy {
                app: Name::new("pds"),
                config: appconfig::ConfigSource {
                    loader: appconfig::Loader::Bytes,
                    text: text.into(),
                    origin: "config".into(),
                },
                build: None,
            },
        }],
        traffic: vec![],
        faults: vec![],
        variants: vec![],
        warnings: vec![],
    };
    let v = scenario::Variant {
        name: "before".into(),
        seed: 7,
        policy: scenario::Policy { as_of, with: vec![], without: vec![], fixes, missing: vec![] },
        tuning: Default::default(),
        expect: None,
    };
    let out = sim::Simulation::new(&sc, &v).run();
    eprintln!("events {} records {} ended {} {:?}", out.events, out.trace.records().len(), out.ended_at, out.stop);
    if std::env::args().nth(4).is_some() {
        return;
    }
    for (i, r) in out.trace.records().iter().enumerate() {
        match r.what {
            trace::What::Decided(reason) if reason.is_routine() => continue,
            trace::What::Decided(reason) => println!(
                "{:>5} {:>12} {:<10} {:<28} {reason}",
                i + 1,
                r.at.elapsed().clock(),
                r.actor.controller.name(),
                out.trace.name(r.subject)
            ),
            _ => {
                println!(
                    "{:>5} {:>12} {:<10} {:<28}     {}",
                    i + 1,
                    r.at.elapsed().clock(),
                    r.actor.controller.name(),
                    out.trace.name(r.subject),
                    serde_json::to_string(&r.what).unwrap()
                );
            }
        }
    }
}
