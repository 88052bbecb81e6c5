//! A whole story made by hand, for the tests of reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::appconfig::{Code, ConfigSource, Loader};
use crate::controllers::fixes::Fixes;
use crate::kernel::{RecordId, SimDuration, Stop};
use crate::model::Invariant;
use crate::model::{Name, Subject};
use crate::scenario::{Action, Expect, Golden, Policy, Scenario, Step, Variant, Verdict};
use crate::sim::{Livelock, Outcome, Violation};
use crate::trace::testing::{Maker, d, t};
use crate::world::spec::ClusterSpec;

use super::{ExpectResult, check, figures, golden, json};

/// A scenario, its variant and what came of it.
pub(crate) struct Story {
    pub(crate) scenario: Scenario,
    pub(crate) variant: Variant,
    pub(crate) outcome: Outcome,
}

impl Story {
    /// One deploy at 0 s, and nothing else yet.
    pub(crate) fn new(maker: Maker, end: &str) -> Self {
        let step = Step {
            name: Name::new("typo"),
            at: t("0s"),
            action: Action::Deploy {
                app: Name::new("pds"),
                config: ConfigSource { loader: Loader::Bytes, text: Arc::from(""), origin: Arc::from("config") },
                build: None,
                code: Code::default(),
            },
        };
        let variant = Variant {
            name: "before".to_owned(),
            seed: 7,
            policy: Policy {
                as_of: "2026-03-11".to_owned(),
                with: Vec::new(),
                without: Vec::new(),
                fixes: Fixes::current(),
            },
            tuning: Default::default(),
            expect: None,
        };
        let scenario = Scenario {
            name: "forever-pending".to_owned(),
            file: Some("scenarios/mir-788/forever-pending.toml".into()),
            about: "A deploy says `size = 20` for `size_gb = 20`: the disk can never be made, the \
                    sandbox never boots, and nothing counts that as a failure."
                .to_owned(),
            source: String::new(),
            golden: Golden::Lives,
            horizon: t(end),
            cluster: ClusterSpec::default(),
            workloads: BTreeMap::new(),
            steps: vec![step],
            traffic: Vec::new(),
            faults: Vec::new(),
            variants: vec![variant.clone()],
            warnings: Vec::new(),
            shadowed: Vec::new(),
        };
        let outcome = Outcome {
            asked: Fixes::default(),
            trace: maker.trace,
            verdict: Verdict::Unsettled,
            settled_at: None,
            recurrence: None,
            unproved: None,
            flaps: None,
            quiet: None,
            ended_at: t(end),
            stop: Stop::Horizon,
            events: 1234,
            parts: Vec::new(),
            violations: Vec::new(),
            rejected: Vec::new(),
            warnings: Vec::new(),
        };
        Self { scenario, variant, outcome }
    }

    /// A sandbox that never boots, again and again, proved to go on for ever.
    pub(crate) fn forever_pending() -> Self {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        let mut start = t("1s");
        for n in 0..23 {
            let boots = if n % 3 == 1 { 7 } else { 6 };
            m.stuck_life(pool, n, start, boots);
            start += d("1m") * boots + d("75s");
        }
        m.at(&start.to_string()).sandbox(pool, 23);
        let mut story = Self::new(m, "3h");
        story.outcome.verdict = Verdict::Livelock;
        story.outcome.recurrence = Some(Livelock { from: t("1h5m"), period: d("55m"), settled: SimDuration::ZERO });
        story.violate(Invariant::FailuresBackOff, pool, "13 failed boots within 10:00, limit 8");
        story.variant.expect = Some(Expect {
            verdict: Some(Verdict::Livelock),
            violations: vec![Invariant::FailuresBackOff],
            ..Expect::default()
        });
        story
    }

    pub(crate) fn violate(&mut self, invariant: Invariant, subject: Subject, detail: &str) {
        let (at, detail) = (t("10m"), Name::new(detail));
        self.outcome.violations.push(Violation { invariant, at, record: RecordId::from_number(9), subject, detail });
    }

    pub(crate) fn expect(&mut self) -> &mut Expect {
        self.variant.expect.get_or_insert_default()
    }

    pub(crate) fn check(&self) -> ExpectResult {
        check(&self.scenario, &self.variant, &self.outcome, &figures(&self.scenario, &self.outcome))
    }

    pub(crate) fn json(&self) -> String {
        let metrics = figures(&self.scenario, &self.outcome);
        let digest = crate::trace::digest::of(&self.outcome.trace);
        let object = json(&self.scenario, &self.variant, &self.outcome, &metrics, &self.check(), &digest, []);
        serde_json::to_string(&object).expect("a result can be written")
    }

    pub(crate) fn golden(&self) -> String {
        let metrics = figures(&self.scenario, &self.outcome);
        golden(&self.scenario, &self.variant, &self.outcome, &metrics, &self.check())
    }
}
