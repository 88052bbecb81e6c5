//! A simulation: wires one variant of a scenario to a world and runs it.
//!
//! The only place that knows both controllers and world. It hosts the processes, carries out the
//! steps, drives the kernel and asks the judges. What a newcomer gets wrong: a step is carried
//! out *by the platform* (a deploy takes store calls and can be refused), not by decree.

mod configs;
mod crash;
mod host;
mod livelock;
mod outcome;
mod own_pool;
mod platform;
mod run;
mod steps;
mod traffic;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::constants::Role;
use crate::controllers::fixes::{Fix, Fixes};
use crate::controllers::runtime::{Asked, Rules};
use crate::controllers::tuning::Tuning;
use crate::kernel::{Budget, RecordId, SimDuration, SimTime, Stop};
use crate::model::{Actor, Controller, Kind, Name, Node, NodeId, NodeStatus};
use crate::scenario::{Action, Constants, Scenario, Traffic, Variant, Verdict};
use crate::trace::{Archive, Trace};
pub(crate) use crate::world::judge::{Flaps, Part, PartRest};
use crate::world::judge::{Judge, Limits, STEP_MAX};
use crate::world::{Process, StoreRules, World, WorldSpec};

pub(crate) use configs::config_warnings;
use crash::Crashes;
use livelock::{Certificate, Recurrence};
use own_pool::OwnPool;
use platform::{Memories, Platform, Refusals, start};
use run::Run;

/// Most failed boots in ten minutes for each desired instance (`failures-back-off`).
const FAILURES_MAX: u32 = 8;

/// Most records of a run that lie in memory. A record is 64 bytes, and a timeline that folds badly takes
/// twice as much again while it is rendered: so a run, and what is read from it, stays below 2 GB.
pub const RECORDS_MAX: usize = 10_000_000;

/// Their numbers have 32 bits.
const RECORDS_EVER: usize = u32::MAX as usize - 1;

/// One variant of a scenario, ready to run.
#[derive(Clone)]
pub struct Simulation<'a> {
    scenario: &'a Scenario,
    variant: &'a Variant,
    until: Option<SimTime>,
    budget: Budget,
    records_max: Option<usize>,
    crashes: Vec<Crash>,
    proofs: Proofs,
    causes: bool,
    judged: bool,
    between_steps: bool,
    evidence: bool,
    pool: Option<OwnPool>,
    redrawn: Option<(SimTime, u64)>,
    progress: Option<Progress<'a>>,
    archive: Option<(Arc<dyn Archive>, Range<usize>)>,
}

/// Who is told now and then how far a run is.
pub(crate) type Progress<'a> = &'a (dyn Fn(SimTime) + Sync);

/// What is done about livelocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Proofs {
    /// A proof is noted, and the run goes on to its horizon.
    #[default]
    Note,
    /// A proof ends the run.
    Stop,
    /// None is looked for: only to measure what looking costs.
    Off,
}

pub use crash::Crash;
pub use livelock::{Refusal, Unproved};
pub(crate) use livelock::{repeats, while_they_last};

pub(crate) use outcome::Quiet;
pub use outcome::{Livelock, Outcome};
pub(crate) use steps::COORDINATOR_DOWN;

pub(crate) use crate::world::judge::Violation;

impl<'a> Simulation<'a> {
    /// Prepares a run.
    pub fn new(scenario: &'a Scenario, variant: &'a Variant) -> Self {
        Self {
            scenario,
            variant,
            until: None,
            budget: Budget::default(),
            records_max: None,
            crashes: Vec::new(),
            proofs: Proofs::Note,
            causes: true,
            judged: true,
            between_steps: false,
            evidence: false,
            pool: None,
            redrawn: None,
            progress: None,
            archive: None,
        }
    }

    /// Ends the run at `until`, if that is given, instead of the scenario's horizon.
    #[must_use]
    pub fn until(mut self, until: impl Into<Option<SimTime>>) -> Self {
        self.until = until.into().or(self.until);
        self
    }

    /// Says what is done about livelocks.
    #[must_use]
    pub fn proofs(mut self, proofs: Proofs) -> Self {
        self.proofs = proofs;
        self
    }

    /// Keeps no causes: only to measure what they cost.
    #[must_use]
    pub fn without_causes(mut self) -> Self {
        self.causes = false;
        self
    }

    /// Asks no judges, so that nothing is found and the run passes for settled: only to measure
    /// what they cost.
    #[must_use]
    pub fn without_judges(mut self) -> Self {
        self.judged = false;
        self
    }

    /// Keeps what decisions are taken from, for explanations: it is the same run, a little slower.
    #[must_use]
    pub fn keeps_evidence(mut self) -> Self {
        self.evidence = true;
        self
    }

    /// Lets all draws from an instant on be those of another seed: the same past, another future.
    #[must_use]
    pub fn redrawn(mut self, from: SimTime, seed: u64) -> Self {
        self.redrawn = Some((from, seed));
        self
    }

    /// Tells somebody now and then how far it is.
    #[must_use]
    pub(crate) fn progress(mut self, progress: Progress<'a>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Lets time pass between kernel steps only, never within one: it is the same run, slower.
    #[must_use]
    pub fn between_steps(mut self) -> Self {
        self.between_steps = true;
        self
    }

    /// Gives the run other guards.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Ends the run when its trace has so many records.
    #[must_use]
    pub fn records_max(mut self, records_max: usize) -> Self {
        self.records_max = Some(records_max);
        self
    }

    /// Lets the elder records go into an archive, so that no more than about `held.start` stay in memory: the trace
    /// is full only when the archive is and `held.end` lie in memory, or numbers of records end.
    #[must_use]
    pub fn archive(mut self, archive: Arc<dyn Archive>, held: Range<usize>) -> Self {
        self.archive = Some((archive, held));
        self
    }

    /// Lets processes die at chosen moments, besides what the scenario tells.
    #[must_use]
    pub fn crashes(mut self, crashes: &[Crash]) -> Self {
        self.crashes = crashes.to_vec();
        self
    }

    /// Runs it to its end.
    pub fn run(&self) -> Outcome {
        self.run_with(Crashes::new(&self.crashes)).0
    }

    /// How many awaits the tasks of a process come to: the moments that a [`Crash`] can name.
    pub fn awaits(&self, process: Process) -> u64 {
        self.run_with(Crashes::counting()).1.polls(process)
    }

    /// Tries a proof: runs the story again, on for so many periods beyond the recurrence, with other draws
    /// where they cannot matter.
    ///
    /// # Errors
    /// The first thing in which a period differs from the first.
    pub fn certify(&self, proof: Livelock, periods: u32, seed: u64) -> Result<(), Refusal> {
        let certificate = Certificate::new(proof, periods, seed);
        let until = certificate.until();
        let mut run = Self { proofs: Proofs::Note, evidence: false, ..self.clone() }.start(Crashes::new(&self.crashes));
        run.recurrence = run.recurrence.trying(certificate);
        run.drive(until, self.progress);
        let result = run.recurrence.tried().expect("it was asked for").result();
        run.end();
        result
    }

    fn run_with(&self, crashes: Crashes) -> (Outcome, Crashes) {
        let mut run = self.start(crashes);
        let stop = run.drive(self.ends_at(), self.progress);
        let crashes = std::mem::take(&mut run.crashes);
        let claim = run.recurrence.proved();
        let mut outcome = self.outcome(&run, stop, claim);
        // Nothing is claimed before it was tried; of a cluster at rest nothing is.
        let unclaimed = claim.filter(|proof| !proof.is_at_rest()).map(|_| self.outcome(&run, stop, None));
        outcome.trace = run.world.log().take_trace();
        let observed = run.world.log().take_observed();
        if let Some(unclaimed) = unclaimed
            && let Err(refusal) = run.certify(&outcome.trace, self.progress)
        {
            if stop == Stop::Enough {
                run.end();
                return Self { proofs: Proofs::Off, ..self.clone() }.run_with(Crashes::new(&self.crashes));
            }
            let unproved = unclaimed.settled_at.is_none().then_some(Unproved::Refused(refusal));
            outcome = Outcome { trace: outcome.trace, unproved, ..unclaimed };
        }
        run.end();
        outcome.trace.keep(observed);
        (outcome, crashes)
    }

    /// When it ends, if nothing ends it sooner.
    fn ends_at(&self) -> SimTime {
        self.until.unwrap_or(self.scenario.horizon)
    }

    /// A run of which nothing has happened yet.
    fn start(&self, crashes: Crashes) -> Run {
        let (world, platform) = self.set_up();
        if self.between_steps || crashes.counts() {
            world.kernel().pass_between_steps();
        }
        let judge = Judge::new(self.limits());
        let recurrence = Recurrence::new(&self.last_rules(), self.nothing_ahead_from());
        let Self { proofs, judged, .. } = *self;
        Run { world, platform, judge, recurrence, crashes, proofs, judged }
    }

    /// A world at time zero in which nothing is.
    fn world(&self) -> World {
        let world = World::new(&WorldSpec {
            cluster: self.scenario.cluster.clone(),
            workloads: self.scenario.workloads.clone(),
            faults: self.scenario.faults.clone(),
            seed: self.variant.seed,
            budget: self.budget,
            records_max: self.records_max.unwrap_or(if self.archive.is_some() { RECORDS_EVER } else { RECORDS_MAX }),
            evidence: self.evidence,
            environment: self.variant.tuning.environment(),
        });
        if let Some((archive, held)) = &self.archive {
            world.log().archive(Arc::clone(archive), held.clone());
        }
        if !self.causes {
            world.kernel().forget_causes();
        }
        world
    }

    /// The same with its processes started and its steps waiting.
    fn set_up(&self) -> (World, Platform) {
        let world = self.world();
        let rules = Rc::new(rules_under(self.variant.policy.fixes, &self.variant.tuning, world.log().asks()));
        world.store().follow(store_rules(&rules));
        for step in &self.scenario.steps {
            world.log().name_next(Kind::Step, Name::new(&format!("step/{}", step.name)));
        }
        let operator = Actor::central(Controller::World);
        world.log().name_next(Kind::Process, Name::new("process/coordinator"));
        for name in &self.scenario.cluster.nodes {
            world.log().name_next(Kind::Process, Name::new(&format!("process/{name}")));
            world.store().create(operator, Node { name: *name, status: NodeStatus::Ready, session_until: None });
        }
        let platform = Platform {
            pool: self.pool.clone(),
            rules: Rc::new(RefCell::new(rules)),
            constants: Rc::new(self.variant.tuning.clone()),
            activator: Rc::default(),
            ingress: Rc::default(),
            has_ingress: self.scenario.traffic.iter().any(|traffic| traffic.via_ingress),
            memories: Rc::default(),
            waiting: Rc::default(),
            refusals: Rc::default(),
        };
        let starts = platform.clone();
        world.on_start(move |world, process| start(world, process, &starts));
        world.processes().start(Process::Coordinator);
        for node in 0..self.scenario.cluster.nodes.len() {
            world.kernel().set_cause(RecordId::NONE);
            world.processes().start(Process::Node(NodeId::from_index(node as u32)));
        }
        // What people and clients do is caused by nothing inside.
        world.kernel().set_cause(RecordId::NONE);
        for (index, (step, image)) in self.scenario.steps.iter().zip(self.images()).enumerate() {
            steps::schedule(&world, &platform, index, step.clone(), image);
        }
        if let Some((from, seed)) = self.redrawn {
            steps::redraw(&world, from, seed);
        }
        for (index, traffic) in self.scenario.traffic.iter().enumerate() {
            traffic::schedule(&world, &platform, index, *traffic);
        }
        (world, platform)
    }

    /// The image that each deploy step builds: named after its `build`, else one of its own, which
    /// no `build` can be called.
    fn images(&self) -> impl Iterator<Item = Name> {
        let mut deploys: BTreeMap<Name, u32> = BTreeMap::new();
        self.scenario.steps.iter().map(move |step| {
            let Action::Deploy { app, build, .. } = &step.action else { return Name::new("") };
            let nth = deploys.entry(*app).or_default();
            *nth += 1;
            Name::new(&match build {
                Some(build) => format!("{app}:{build}"),
                None => format!("{app}@{nth}"),
            })
        })
    }

    /// What the judges forgive, as the tuning says.
    fn limits(&self) -> Limits {
        let tuning = self.variant.tuning.under(self.variant.policy.fixes);
        let grace = self.variant.tuning.environment().grace;
        let [mut look_back, mut look_every] = [SimDuration::ZERO; 2];
        for role in tuning.roles() {
            match role {
                Role::LookBack(back) => look_back = look_back.max(back.length()),
                Role::Period(period) => look_every = look_every.max(period.every()),
                Role::Neither => {}
            }
        }
        let Tuning { backoff, max_pool_size, .. } = tuning;
        let backoff_cap = backoff.cap.length();
        Limits { grace, failures_max: FAILURES_MAX, max_pool_size, backoff_cap, look_back, look_every }
    }

    /// The rules that are in force one after the other: the variant's own, and those of each upgrade.
    fn all_rules(&self) -> impl Iterator<Item = Rules> {
        let mut upgrades: Vec<_> = self.scenario.steps.iter().collect();
        upgrades.sort_by_key(|step| step.at);
        let mut fixes = self.variant.policy.fixes;
        let upgraded = upgrades.into_iter().filter_map(move |step| {
            let Action::Upgrade(upgrade) = &step.action else { return None };
            fixes = upgrade.of(fixes);
            Some(fixes)
        });
        let sets = std::iter::once(self.variant.policy.fixes).chain(upgraded);
        sets.map(|fixes| rules_under(fixes, &self.variant.tuning, Rc::default()))
    }

    /// Those that hold from the last upgrade on: nothing can be proved of a future with another.
    fn last_rules(&self) -> Rules {
        self.all_rules().last().expect("the variant has its own")
    }

    /// When the last step is over, or known to go on, and the last request has been answered or has timed out.
    fn nothing_ahead_from(&self) -> SimTime {
        let steps = self.scenario.steps.iter().map(|step| step.at + STEP_MAX);
        let wait = self.all_rules().map(|rules| rules.tuning.request_wait).max().unwrap_or_default();
        let traffic = self.scenario.traffic.iter().map(|traffic| traffic.until + wait);
        steps.chain(traffic).chain(self.redrawn.map(|(from, _)| from)).max().unwrap_or_default()
    }

    /// What came of a run of which that is proved, but for its trace.
    fn outcome(&self, run: &Run, stop: Stop, recurrence: Option<Livelock>) -> Outcome {
        let Run { world, judge, .. } = run;
        let ended_at = world.kernel().now();
        let mut warnings = self.scenario.warnings.clone();
        for (fault, struck) in self.scenario.faults.iter().zip(world.faults().struck()) {
            if struck == 0 {
                warnings.push(format!("fault `{}` never struck", fault.name));
            }
        }
        // A run that a guard stopped has not lasted to its horizon.
        let settled_at = judge.settled_since().filter(|_| stop == Stop::Horizon);
        let livelock = recurrence.filter(|proof| proof.never_settles());
        let flaps = run.flaps(recurrence).filter(|_| livelock.is_none() && stop == Stop::Horizon);
        let settled_at = settled_at.filter(|_| flaps.is_none());
        let quiet = settled_at.map(|at| {
            let since = at.max(judge.last_touched(world));
            let asked = |app, service, delay| {
                let asks =
                    |traffic: &Traffic| (traffic.app, traffic.service) == (app, service) && traffic.every < delay;
                self.scenario.traffic.iter().any(|traffic| asks(traffic) && traffic.until >= ended_at)
            };
            let (needed, proved, ahead) = (judge.quiet(world), recurrence.is_some(), judge.ahead(world, asked));
            Quiet { since, lasted: ended_at.since(since), needed, proved, ahead }
        });
        let sought = run.recurrence.proved().is_none() && settled_at.is_none() && self.proofs != Proofs::Off;
        Outcome {
            trace: Trace::default(),
            verdict: match (flaps, settled_at, livelock) {
                (Some(_), ..) => Verdict::Flaps,
                (None, Some(_), _) => Verdict::Settled,
                (None, None, Some(_)) => Verdict::Livelock,
                (None, None, None) => Verdict::Unsettled,
            },
            settled_at,
            recurrence,
            unproved: sought.then(|| run.recurrence.unproved(world)),
            flaps,
            quiet,
            ended_at,
            stop,
            events: world.kernel().events(),
            parts: judge.parts(world),
            violations: judge.violations().to_vec(),
            rejected: run.platform.refusals.borrow().clone(),
            warnings,
            asked: Fixes::from_bits(world.log().asked()),
        }
    }
}

/// The rules while these fixes are in force.
fn rules_under(fixes: Fixes, constants: &Constants, asked: Asked) -> Rules {
    Rules::new(fixes, constants.under(fixes), asked)
}

/// What the store's server does under these rules: rules 1.5 and 1.8.
fn store_rules(rules: &Rules) -> StoreRules {
    StoreRules { guards_patches: !rules.has(Fix::UncheckedPatch), tells_at_delivery: !rules.has(Fix::DirtyKeyQueue) }
}
