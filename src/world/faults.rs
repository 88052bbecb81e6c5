//! Faults: which calls they are about, when they strike.
//!
//! It counts calls and writes, compares them with the scenario's filters and windows, and says
//! what strikes; the gate carries it out. Filters compare names, because names are stable
//! between runs and ids are not a scenario's business. What a newcomer gets wrong: `calls`
//! counts *matching* calls inside the window, from 1.

use crate::kernel::{SimTime, streams};
use crate::model::{Kind, Name, Point, Subject};

use super::gate::Call;
use super::spec::{AnyStatus, Effect, FaultSpec, Filter};
use super::{World, spec::Trigger};

/// What a filter can ask about a call or a write.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) app: Option<&'static str>,
    pub(super) service: Option<&'static str>,
    pub(super) sandbox: Option<&'static str>,
    pub(super) pool: Option<&'static str>,
    pub(super) disk: Option<&'static str>,
    pub(super) lease: Option<&'static str>,
    pub(super) node: Option<&'static str>,
    pub(super) controller: Option<&'static str>,
    pub(super) kind: Option<&'static str>,
}

impl Filter {
    fn matches(&self, facts: &Facts) -> bool {
        let fits = |wanted: Option<Name>, is| wanted.is_none_or(|wanted| is == Some(wanted.as_str()));
        fits(self.app, facts.app)
            && fits(self.service, facts.service)
            && fits(self.sandbox, facts.sandbox)
            && fits(self.pool, facts.pool)
            && fits(self.disk, facts.disk)
            && fits(self.lease, facts.lease)
            && fits(self.node, facts.node)
            && fits(self.controller, facts.controller)
            && fits(self.kind, facts.kind)
    }
}

/// One effect on one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strike {
    pub(super) fault: u32,
    pub(super) effect: Effect,
}

struct Fault {
    spec: FaultSpec,
    /// Matching calls inside the window so far.
    calls: u64,
    struck: u64,
    /// Writes seen that match the trigger.
    writes: u64,
    triggered_at: Option<SimTime>,
}

impl Fault {
    /// Whether its window is open.
    fn is_open(&self, now: SimTime) -> bool {
        let when = &self.spec.when;
        let triggered = when.after.as_ref().is_none_or(|trigger| {
            self.triggered_at.is_some_and(|at| trigger.lasts.is_none_or(|lasts| now < at + lasts))
        });
        triggered && when.from.is_none_or(|from| now >= from) && when.until.is_none_or(|until| now < until)
    }

    /// Whether it has struck as often as it can.
    fn is_spent(&self) -> bool {
        let when = &self.spec.when;
        when.times.is_some_and(|times| self.struck >= times)
            || (!when.calls.is_empty() && when.calls.iter().all(|call| *call <= self.calls))
    }

    /// Whether every call at that point that it matches fails now.
    fn is_sure(&self, point: Point, now: SimTime) -> bool {
        let when = &self.spec.when;
        matches!(self.spec.effect, Effect::Error(_) | Effect::Hang)
            && self.spec.on.contains(&point)
            && when.calls.is_empty()
            && when.chance_ppm.is_none()
            && !self.is_spent()
            && self.is_open(now)
    }

    fn strikes(&mut self, chance: &mut dyn FnMut(Name) -> u64) -> bool {
        let when = &self.spec.when;
        self.calls += 1;
        if !when.calls.is_empty() && !when.calls.contains(&self.calls) {
            return false;
        }
        if when.times.is_some_and(|times| self.struck >= times) {
            return false;
        }
        if let Some(ppm) = when.chance_ppm
            && streams::below(chance(self.spec.name), 1_000_000) >= ppm
        {
            return false;
        }
        self.struck += 1;
        true
    }
}

/// The points that faults are about.
#[derive(Clone, Copy)]
pub(super) struct Targets(u64);

impl Targets {
    pub(super) fn of(specs: &[FaultSpec]) -> Self {
        const { assert!(Point::ALL.len() <= u64::BITS as usize, "a bit for each point") }
        let points = specs.iter().flat_map(|fault| &fault.on);
        Self(points.fold(0, |bits, point| bits | Self::bit(*point)))
    }
    pub(super) fn contains(self, point: Point) -> bool {
        self.0 & Self::bit(point) != 0
    }
    const fn bit(point: Point) -> u64 {
        1 << point as u32
    }
}

/// All faults of a scenario.
pub(super) struct Faults {
    faults: Vec<Fault>,
}

impl Faults {
    pub(super) fn new(specs: &[FaultSpec]) -> Self {
        let fault = |spec: &FaultSpec| Fault { spec: spec.clone(), calls: 0, struck: 0, writes: 0, triggered_at: None };
        Self { faults: specs.iter().map(fault).collect() }
    }

    /// Counts the call, and tells what strikes it, in the order of the file.
    pub(super) fn consult(
        &mut self,
        point: Point,
        facts: &Facts,
        now: SimTime,
        chance: &mut dyn FnMut(Name) -> u64,
    ) -> Vec<Strike> {
        let mut strikes = Vec::new();
        for (index, fault) in self.faults.iter_mut().enumerate() {
            if fault.spec.on.contains(&point)
                && fault.is_open(now)
                && fault.spec.filter.matches(facts)
                && fault.strikes(chance)
            {
                strikes.push(Strike { fault: index as u32, effect: fault.spec.effect });
            }
        }
        strikes
    }

    /// Whether a call with these facts is sure to fail now: an `error` or `hang` that strikes
    /// every call of an open window. Judges ask this of ports: a network that is cut is cut.
    pub(super) fn always_fails(&self, point: Point, facts: &Facts, now: SimTime) -> bool {
        self.faults.iter().any(|fault| fault.is_sure(point, now) && fault.spec.filter.matches(facts))
    }

    pub(super) fn has_triggers(&self) -> bool {
        self.faults.iter().any(|fault| fault.spec.when.after.is_some())
    }

    /// Tells of a write with a status, which may open windows.
    pub(super) fn observe(&mut self, status: AnyStatus, facts: &Facts, now: SimTime) {
        for fault in &mut self.faults {
            let Some(Trigger { status: wanted, filter, nth, .. }) = &fault.spec.when.after else { continue };
            if *wanted == status && filter.matches(facts) {
                fault.writes += 1;
                if fault.writes == *nth {
                    fault.triggered_at = Some(now);
                }
            }
        }
    }

    pub(super) fn struck_counts(&self) -> Vec<u64> {
        self.faults.iter().map(|fault| fault.struck).collect()
    }

    /// Whether any fault can still strike, now or later.
    pub(super) fn may_strike(&self, now: SimTime) -> bool {
        self.faults.iter().any(|fault| {
            let when = &fault.spec.when;
            let over = when.until.is_some_and(|until| now >= until)
                || when.after.as_ref().is_some_and(|trigger| {
                    fault.triggered_at.is_some_and(|at| trigger.lasts.is_some_and(|lasts| now >= at + lasts))
                });
            !over && !fault.is_spent()
        })
    }

    /// The instants at which a window opens or closes, as far as the file tells them.
    pub(super) fn edges(&self) -> Vec<SimTime> {
        let mut edges: Vec<SimTime> =
            self.faults.iter().flat_map(|f| [f.spec.when.from, f.spec.when.until]).flatten().collect();
        edges.sort();
        edges.dedup();
        edges
    }

    /// The next instant after `now` at which a window opens or closes, as far as it is known now:
    /// a trigger that was not met yet has no instant.
    pub(super) fn next_edge(&self, now: SimTime) -> Option<SimTime> {
        let edges = self.faults.iter().flat_map(|fault| {
            let when = &fault.spec.when;
            let lasts = when.after.as_ref().and_then(|trigger| trigger.lasts);
            let shut = fault.triggered_at.zip(lasts).map(|(at, lasts)| at + lasts);
            [when.from, when.until, shut]
        });
        edges.flatten().filter(|at| *at > now).min()
    }

    /// Whether a fault's window is open now (and it is not spent).
    pub(super) fn any_open(&self, now: SimTime) -> bool {
        self.faults.iter().any(|fault| fault.is_open(now) && !fault.is_spent())
    }
}

/// A disk made anew under an old name is `name~2`: filters mean the name.
fn unnumbered(name: &str) -> &str {
    name.split_once('~').map_or(name, |(name, _)| name)
}

impl World {
    /// What filters can ask about a call.
    pub(super) fn facts(&self, call: &Call) -> Facts {
        let mut facts = self.facts_of(call.subject);
        facts.controller = Some(call.actor.controller.name());
        if call.kind != Kind::Cluster {
            facts.kind = Some(call.kind.name());
        }
        if let Some(node) = call.actor.node() {
            facts.node = self.tables.nodes.with(node, |node, _| node.name.as_str());
        }
        facts
    }

    /// What filters can ask about a subject: its own name and those it belongs to.
    pub(super) fn facts_of(&self, subject: Subject) -> Facts {
        let mut facts = Facts::default();
        self.add_facts(subject, &mut facts);
        facts
    }

    fn add_facts(&self, subject: Subject, facts: &mut Facts) {
        let full = self.name(subject).as_str();
        let short = full.split_once('/').map_or(full, |(_, rest)| rest);
        let id = subject.index;
        match subject.kind {
            Kind::App => facts.app = self.tables.app_name(id).map(|app| app.as_str()),
            Kind::Version => {
                self.add_owner(self.tables.versions.with(crate::model::Id::from_index(id), |v, _| v.app.into()), facts)
            }
            Kind::Pool => {
                facts.pool = Some(short);
                if let Some((app, service)) = self.tables.program_of_pool(id) {
                    facts.app = Some(app.as_str());
                    facts.service = Some(service.as_str());
                }
            }
            Kind::Sandbox => {
                facts.sandbox = Some(short);
                let node = self.tables.sandboxes.with(crate::model::Id::from_index(id), |s, _| s.node).flatten();
                facts.node = node.and_then(|node| self.tables.nodes.with(node, |node, _| node.name.as_str()));
                // Its pool may outlive it, and the other way round: what it was born with is kept.
                if let Some(pool) = self.tables.pool_of(id) {
                    self.add_facts(pool.into(), facts);
                }
            }
            Kind::Disk => {
                facts.disk = Some(unnumbered(short));
                self.add_owner(
                    self.tables
                        .disks
                        .with(crate::model::Id::from_index(id), |d, _| d.created_by)
                        .flatten()
                        .map(Into::into),
                    facts,
                );
            }
            Kind::Lease => {
                let known =
                    self.tables.leases.with(crate::model::Id::from_index(id), |lease, _| (lease.disk, lease.sandbox));
                if let Some((disk, sandbox)) = known {
                    self.add_facts(sandbox.into(), facts);
                    facts.disk = Some(unnumbered(self.name(disk).as_str().trim_start_matches("disk/")));
                }
                facts.lease = Some(short);
            }
            Kind::Volume => facts.disk = Some(short),
            Kind::Node => facts.node = Some(short),
            Kind::Cluster | Kind::Step | Kind::Fault | Kind::Process => {}
        }
    }

    fn add_owner(&self, owner: Option<Subject>, facts: &mut Facts) {
        if let Some(owner) = owner {
            self.add_facts(owner, facts);
        }
    }

    /// Tells the faults of a write with a status.
    pub(super) fn observe_status(&self, subject: Subject, status: AnyStatus) {
        let mut facts = self.facts_of(subject);
        facts.kind = Some(subject.kind.name());
        self.faults.borrow_mut().observe(status, &facts, self.kernel.now());
    }

    /// The instants at which fault windows open or close, as far as the scenario tells them.
    pub fn fault_edges(&self) -> Vec<SimTime> {
        self.faults.borrow().edges()
    }

    /// The next instant at which a fault window opens or closes, as far as it is known now.
    pub fn next_fault_edge(&self) -> Option<SimTime> {
        self.faults.borrow().next_edge(self.kernel.now())
    }

    /// Whether a write can open a fault's window.
    pub fn faults_have_triggers(&self) -> bool {
        self.faults.borrow().has_triggers()
    }

    /// The faults (by number) that fail every probe which they match now: what
    /// [`World::network_is_cut`] answers can change only when these do.
    pub fn network_cuts(&self) -> Vec<u32> {
        let faults = self.faults.borrow();
        let now = self.kernel.now();
        (0..).zip(&faults.faults).filter(|(_, fault)| fault.is_sure(Point::ProbePort, now)).map(|(n, _)| n).collect()
    }

    /// Whether a fault can strike now.
    pub fn fault_open(&self) -> bool {
        self.faults.borrow().any_open(self.kernel.now())
    }

    /// Whether every probe of a sandbox's port is sure to fail now.
    pub fn network_is_cut(&self, sandbox: crate::model::SandboxId, actor: crate::model::Actor) -> bool {
        if !self.targets.contains(Point::ProbePort) {
            return false;
        }
        let call = Call { point: Point::ProbePort, actor, subject: sandbox.into(), kind: Kind::Cluster };
        self.faults.borrow().always_fails(Point::ProbePort, &self.facts(&call), self.kernel.now())
    }
}
