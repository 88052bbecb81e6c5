//! The judge at work: reads what is new, looks where something changed, writes what it found.
//!
//! It may look at everything in the world and changes nothing but the trace. A step that
//! writes nothing it must see is not even shown to it; one that touches a sandbox costs that
//! sandbox, its pool and its leases, however many others exist. What a newcomer gets wrong: all records of one
//! kernel step are read before any rule is asked, because the truth has moved on meanwhile –
//! nothing can be said of states that no other task could have seen.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{
    Address, AppId, DiskId, EffectKind, LeaseId, LeaseIndex, Name, PoolId, SandboxId, SandboxStatus, Subject, VolumeId,
};
use crate::ports::Query;
use crate::world::World;

use super::alarms::{Alarm, Alarms};
use super::limits::{Limits, STEP_MAX};
use super::memory::{Memory, View, Written};
use super::progress::{Progress, is_evadable};
use super::reader;
use super::rest::{Owner, Part, PartRest, Rest};
use super::rhythm::{Flaps, Rhythm, Serving};
use super::suspicions::{Suspicions, Violation};

/// When the programs exit that run and will.
fn exits(world: &World) -> Vec<SimTime> {
    let containers = world.containers();
    let alive = containers.iter().filter(|(_, container)| container.is_alive());
    alive.filter_map(|(_, container)| container.ahead[1]).collect()
}

/// When the sandboxes will have been idle for as long as their services wait for.
fn idle(world: &World, asked: impl Fn(Name, Name, SimDuration) -> bool) -> Vec<SimTime> {
    let tables = world.tables();
    let mut all = Vec::new();
    tables.sandboxes.for_each(Query::All, |sandbox| {
        let limit = |active: SimTime| {
            let pool = tables.pools.get(sandbox.entity.pool)?;
            let version = tables.versions.get(pool.entity.spec.version)?;
            let limit = version.entity.service(pool.entity.service)?.concurrency.idle_limit()?;
            let app = tables.apps.get(version.entity.app)?.entity.name;
            (pool.entity.desired_instances > 0 && !asked(app, pool.entity.service, limit)).then(|| active + limit)
        };
        let runs = sandbox.entity.status == SandboxStatus::Running;
        all.extend(sandbox.entity.last_activity.filter(|_| runs).and_then(limit));
    });
    all
}

/// What must be looked at again, in the order in which it is: later ones depend on earlier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Dirty {
    Sandbox(SandboxId),
    Lease(LeaseId),
    Disk(DiskId),
    Volume(VolumeId),
    Writers(Written),
    Address(Address),
    App(AppId),
    Pool(PoolId),
    Home(Subject),
    Step(u32),
}

/// What is marked, each thing once. Few are at a time: a short list is quicker than a tree.
#[derive(Default)]
pub(super) struct Marked(Vec<(Dirty, RecordId)>);

impl Marked {
    pub(super) fn insert(&mut self, what: Dirty, cause: RecordId) {
        // The first to be looked at stands last.
        match self.0.binary_search_by(|(marked, _)| what.cmp(marked)) {
            Ok(place) => self.0[place].1 = cause,
            Err(place) => self.0.insert(place, (what, cause)),
        }
    }
    pub(super) fn pop(&mut self) -> Option<(Dirty, RecordId)> {
        self.0.pop()
    }
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The judges of one run.
pub struct Judge {
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    pub(super) suspicions: Suspicions,
    pub(super) alarms: Alarms,
    pub(super) rest: Rest,
    pub(super) rhythm: Rhythm,
    /// A program has exited by itself since a rest last ended.
    pub(super) exited: bool,
    pub(super) progress: Progress,
    /// Those of whom a call was struck by a fault that lets it hang, while they are unsettled.
    pub(super) hung: BTreeSet<Owner>,
    /// What is marked, and the last record that marked it.
    pub(super) dirty: Marked,
    /// The last record of a creation: the fields that follow belong to it.
    pub(super) birth: RecordId,
    /// The faults that cut networks, and the next edge of a window, when last looked at.
    cuts: Vec<u32>,
    edge: Option<SimTime>,
    pub(super) triggers: bool,
    opened: bool,
}

impl Judge {
    /// A judge of a world where nothing has happened yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            memory: Memory::default(),
            suspicions: Suspicions::default(),
            alarms: Alarms::default(),
            rest: Rest::new(),
            rhythm: Rhythm::default(),
            exited: false,
            progress: Progress::default(),
            hung: BTreeSet::new(),
            dirty: Marked::default(),
            birth: RecordId::NONE,
            cuts: Vec::new(),
            edge: None,
            triggers: false,
            opened: false,
        }
    }

    /// Judges what happened since the last call. To be called before the first kernel step and
    /// after each that wrote news ([`Log::has_news`](crate::world::Log::has_news)), before any other step.
    pub fn observe(&mut self, world: &World) {
        let news = world.log().take_news();
        if !self.opened {
            self.open(world);
            self.catch_up(world, 0);
        } else if let Some(first) = news {
            self.catch_up(world, first);
        }
    }

    fn open(&mut self, world: &World) {
        self.opened = true;
        self.rhythm.rests(world.kernel().now(), Serving::new());
        self.triggers = world.faults().have_triggers();
        self.faults_moved(world, RecordId::NONE);
    }

    /// Reads the records from `first` on, and evaluates what they touched.
    fn catch_up(&mut self, world: &World, first: usize) {
        let end = world.log().with_trace(|trace| trace.records().len());
        let mut next = first;
        while let Some((index, record)) = world.log().with_trace(|trace| reader::first_to_read(trace, next..end)) {
            self.read(world, RecordId::from_index(index), &record);
            next = index + 1;
        }
        // A field that no rule reads touches nothing: then there is nothing to evaluate.
        if !self.dirty.is_empty() {
            self.evaluate(world);
        }
    }

    /// When [`Judge::advance`] must be called, unless something happens before.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.alarms.next()
    }

    /// Judges what the mere passing of time has done until `to`, where the clock must stand: to
    /// be called at each deadline, after the events of that instant and before any later one.
    pub fn advance(&mut self, world: &World, to: SimTime) {
        debug_assert!(world.kernel().now() >= to, "the clock is moved first");
        self.observe(world);
        while let Some(alarm) = self.alarms.pop_due(to) {
            match alarm {
                Alarm::FaultEdge => {
                    self.edge = None;
                    self.disturbed(world, None);
                    self.faults_moved(world, RecordId::NONE);
                }
                Alarm::Cooldown(pool) => {
                    let set_by = self.memory.cooldowns.get(&pool).map_or(RecordId::NONE, |(_, record)| *record);
                    self.mark(Dirty::Pool(pool), set_by);
                }
                Alarm::Step(step) => {
                    let began = self.memory.steps.get(&step).map_or(RecordId::NONE, |(_, record)| *record);
                    self.mark(Dirty::Step(step), began);
                }
                Alarm::Grace(invariant, subject) => self.grace_is_over(world, (invariant, subject)),
                Alarm::Progress(owner) => self.time_is_up(world, owner),
            }
            self.evaluate(world);
        }
    }

    /// Judges what remains until the end of the run, moving the clock from deadline to deadline.
    pub fn finish(&mut self, world: &World, end: SimTime) {
        self.observe(world);
        while let Some(at) = self.next_deadline().filter(|at| *at <= end) {
            if at > world.kernel().now() {
                world.kernel().advance_to(at);
            }
            self.advance(world, at);
        }
        // Nobody can tell any more that what is under way would have been over in time.
        for (step, (due, began)) in &mut self.memory.steps {
            *due = world.kernel().now().min(*due);
            self.dirty.insert(Dirty::Step(*step), *began);
        }
        self.evaluate(world);
    }

    pub(super) fn step_began(&mut self, world: &World, step: u32, id: RecordId) {
        let due = world.kernel().now() + STEP_MAX;
        self.memory.steps.insert(step, (due, id));
        self.alarms.set(due, Alarm::Step(step));
    }

    pub(super) fn step_ended(&mut self, step: u32, id: RecordId) {
        if let Some((due, _)) = self.memory.steps.remove(&step) {
            self.alarms.unset(due, Alarm::Step(step));
            self.mark(Dirty::Step(step), id);
        }
    }

    /// What was found, in order of time; once for each subject and invariant.
    pub fn violations(&self) -> &[Violation] {
        &self.suspicions.violations
    }

    /// Since when the cluster is settled, if it is. A cluster where nothing was deployed is
    /// settled from the start, without a record that says so.
    pub fn settled_since(&self) -> Option<SimTime> {
        self.rest.since
    }

    /// How long a rest must last until nothing can end it but what happens outside: as long as any
    /// rule looks back – an app's own wait before it scales down included – and until it is looked
    /// at again. Whatever happened before is too old for all of them then.
    pub fn quiet(&self, world: &World) -> SimDuration {
        let tables = world.tables();
        let mut look_back = self.limits.look_back;
        tables.apps.for_each(Query::All, |app| {
            let version = app.entity.active_version.and_then(|id| tables.versions.get(id));
            for service in version.iter().flat_map(|version| version.entity.config.iter()) {
                look_back = look_back.max(service.concurrency.idle_limit().unwrap_or_default());
            }
        });
        look_back + self.limits.look_every
    }

    /// Whether the cluster settles and unsettles by itself, again and again, until now.
    pub fn flaps(&self, world: &World) -> Option<Flaps> {
        let exits_ahead = !exits(world).is_empty();
        self.rhythm.flaps(world.kernel().now(), self.quiet(world), exits_ahead)
    }

    /// When anything last came from outside, or rest or unrest began: a step, a strike of a fault, an edge of its window, a call that
    /// it had delayed. What comes within a rest may end it as late as what ended the unrest.
    pub fn last_touched(&self, world: &World) -> SimTime {
        let now = world.kernel().now();
        let delayed = world.faults().delays().into_iter().map(|(_, until)| until).filter(|until| *until <= now);
        delayed.fold(self.rhythm.since(), SimTime::max)
    }

    /// What is under way and known to end a rest that may seem to last, and when: the first of them. Of the services that `asked` names
    /// by app, service and delay nobody knows when they will be idle.
    pub fn ahead(
        &self,
        world: &World,
        asked: impl Fn(Name, Name, SimDuration) -> bool,
    ) -> Option<(SimTime, &'static str)> {
        let delays = world.faults().delays().into_iter().map(|(_, until)| (until, "a delayed call is made"));
        let exits = exits(world).into_iter().map(|at| (at, "a program exits"));
        let idle = idle(world, asked).into_iter().map(|at| (at, "a service goes idle"));
        exits.chain(delays).chain(idle).filter(|(at, _)| *at > world.kernel().now()).min()
    }

    /// Who is at rest at the end, and who is not.
    pub fn parts(&self, world: &World) -> Vec<Part> {
        let view = self.view(world);
        let part = |owner: Owner, rest| Part { app: owner.map(|app| world.log().name(app)), rest };
        let mut restless = BTreeMap::new();
        for (trouble, owner) in self.rest.troubles() {
            if let Entry::Vacant(first) = restless.entry(owner)
                && let Some(why) = view.blocker(trouble)
            {
                first.insert(part(owner, PartRest::Not { of: trouble.subject(), why }));
            }
        }
        let calm = self.rest.calm.iter().map(|(owner, since)| part(*owner, PartRest::Since(*since)));
        restless.into_values().chain(calm).collect()
    }

    /// What keeps the cluster from being settled, one text for each subject.
    #[cfg(test)]
    pub fn blockers(&self, world: &World) -> Vec<String> {
        let view = self.view(world);
        self.rest.blockers().filter_map(|blocker| view.blocker(blocker)).collect()
    }

    pub(super) fn view<'a>(&'a self, world: &'a World) -> View<'a> {
        View { world, memory: &self.memory, limits: &self.limits, silent: false }
    }

    /// The same, for callers that want no texts.
    pub(super) fn silent_view<'a>(&'a self, world: &'a World) -> View<'a> {
        View { silent: true, ..self.view(world) }
    }

    /// Marks something to be looked at, because of a record.
    pub(super) fn mark(&mut self, what: Dirty, cause: RecordId) {
        self.dirty.insert(what, cause);
    }

    /// Something from outside happened to an app, or to all: who is unsettled gets its time anew.
    pub(super) fn disturbed(&mut self, world: &World, of: Owner) {
        self.rhythm.disturbed(world.kernel().now());
        let (now, limits, alarms) = (world.kernel().now(), &self.limits, &mut self.alarms);
        if of.is_none() {
            return self.progress.restart_all(now, limits, alarms);
        }
        for owner in [None, of] {
            if self.progress.runs(owner) {
                self.progress.restart(owner, now, limits, alarms);
            }
        }
    }

    /// A fault struck a call about something.
    pub(super) fn struck(&mut self, world: &World, subject: Subject, (fault, effect): (u32, EffectKind)) {
        let of = self.view(world).owner_of_subject(subject);
        if is_evadable(world, fault, of) {
            self.rhythm.disturbed(world.kernel().now());
        } else {
            self.disturbed(world, of);
        }
        if effect == EffectKind::Hang {
            self.hung.insert(of);
        }
    }

    /// Faults may have begun or ended to cut networks, or an edge may have come to be known.
    pub(super) fn faults_moved(&mut self, world: &World, cause: RecordId) {
        let cuts = world.faults().network_cuts();
        if cuts != self.cuts {
            self.cuts = cuts;
            world.tables().sandboxes.for_each(Query::All, |row| {
                if row.entity.status == SandboxStatus::Running {
                    self.dirty.insert(Dirty::Sandbox(row.id), cause);
                }
            });
        }
        let edge = world.faults().next_edge();
        if edge != self.edge {
            if let Some(at) = self.edge {
                self.alarms.unset(at, Alarm::FaultEdge);
            }
            if let Some(at) = edge {
                self.alarms.set(at, Alarm::FaultEdge);
            }
            self.edge = edge;
        }
    }

    /// Marks the leases of a sandbox.
    pub(super) fn mark_leases(&mut self, world: &World, sandbox: SandboxId, cause: RecordId) {
        world.tables().leases.for_each(Query::By(LeaseIndex::Sandbox(sandbox)), |lease| {
            self.dirty.insert(Dirty::Lease(lease.id), cause);
        });
    }

    /// Marks the pools of an app.
    pub(super) fn mark_pools(&mut self, world: &World, app: AppId, cause: RecordId) {
        world.tables().pools.for_each(Query::By(app), |pool| {
            self.dirty.insert(Dirty::Pool(pool.id), cause);
        });
    }
}
