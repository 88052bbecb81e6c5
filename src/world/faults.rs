//! Faults: what can break, and when it does.
//!
//! What can break, and why the scheduler is supposed to survive it:
//!
//! * A call fails, and nothing is done (`error`). Its caller gives up what it was at; the next
//!   event or resync brings the same entity again, and whoever begins anew looks before it acts.
//! * A call is done, and its answer is lost (`lose_reply`). Asked again, it finds the work done: a
//!   volume has a name, a container its sandbox. What only the answer names – an address, a
//!   nonce – is lost, unless somebody compares what is taken with what is known.
//! * A call takes longer (`delay`), or never ends (`hang`). Others act meanwhile, so what was
//!   read before may be over. Where a rule sets a limit the caller gives up at it; where none
//!   does it waits for ever, and its worker with it.
//! * A read answers what was true a while ago (`stale`). A write that must not rest on that names
//!   the revision it expects, and conflicts; what others make of it the next look puts right.
//! * An event of a watch comes late or never (`delay`, `drop`), or the connection breaks or says
//!   nothing any more (`error`, `hang`). An event only says where to look: resyncs list what is
//!   there, and whoever opens a watch again lists first.
//! * A process dies before its call or after it (`crash`). Its memory is gone and nothing else: it
//!   starts again, lists, and goes on from what the store and the backends say.
//!
//! It does not always survive; that is what scenarios are for. What never breaks: a call is done
//! wholly or not at all, what was done stays done, revisions are in order, a watch tells in
//! order and nothing twice, and all clocks agree. Machines that lose power, programs that are
//! killed and watches that are cut are steps, not faults.
//!
//! This module counts calls and writes, compares them with filters and windows, and says what
//! strikes; the gate carries it out. It knows of a call what filters can ask (`kin`). What a
//! newcomer gets wrong: `calls` counts *matching* calls inside the window, from 1.

use std::cell::RefCell;
use std::rc::Rc;

use crate::kernel::{SimTime, streams};
use crate::model::{AnyStatus, Name, Point, Subject};

use super::log::Log;
use super::spec::{Effect, FaultSpec, Filter, Trigger, When};

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

    /// Whether it will never strike again.
    fn is_over(&self, now: SimTime) -> bool {
        let when = &self.spec.when;
        let lasts = when.after.as_ref().and_then(|trigger| trigger.lasts);
        let shut = self.triggered_at.zip(lasts).is_some_and(|(at, lasts)| now >= at + lasts);
        shut || when.until.is_some_and(|until| now >= until) || self.is_spent()
    }

    /// Whether what it counts decides whether it strikes.
    fn is_counting(&self, now: SimTime) -> bool {
        let When { calls, times, chance_ppm, after, .. } = &self.spec.when;
        let waits = after.is_some() && self.triggered_at.is_none();
        !self.is_over(now) && (!calls.is_empty() || times.is_some() || chance_ppm.is_some() || waits)
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

/// All faults of a scenario.
pub struct Faults {
    log: Rc<Log>,
    faults: RefCell<Vec<Fault>>,
    /// A bit for each point that one of them is about.
    points: u64,
    has_triggers: bool,
    /// Until when calls are delayed, and what they are about.
    delays: RefCell<Vec<(Subject, SimTime)>>,
}

const fn bit(point: Point) -> u64 {
    const { assert!(Point::ALL.len() <= u64::BITS as usize, "a bit for each point") }
    1 << point as u32
}

impl Faults {
    pub(super) fn new(log: &Rc<Log>, specs: &[FaultSpec]) -> Self {
        let fault = |spec: &FaultSpec| Fault { spec: spec.clone(), calls: 0, struck: 0, writes: 0, triggered_at: None };
        Self {
            log: Rc::clone(log),
            faults: RefCell::new(specs.iter().map(fault).collect()),
            points: specs.iter().flat_map(|fault| &fault.on).fold(0, |bits, point| bits | bit(*point)),
            has_triggers: specs.iter().any(|fault| fault.when.after.is_some()),
            delays: RefCell::default(),
        }
    }

    /// Whether any is about such calls.
    pub(super) fn are_about(&self, point: Point) -> bool {
        self.points & bit(point) != 0
    }

    /// Counts a call, and tells what strikes it, in the order of the file.
    pub(super) fn consult(&self, point: Point, facts: &Facts) -> Vec<Strike> {
        let now = self.log.now();
        let mut chance = |fault: Name| self.log.bits(&fault, "chance");
        let mut strikes = Vec::new();
        for (fault, index) in self.faults.borrow_mut().iter_mut().zip(0..) {
            if fault.spec.on.contains(&point)
                && fault.is_open(now)
                && fault.spec.filter.matches(facts)
                && fault.strikes(&mut chance)
            {
                strikes.push(Strike { fault: index, effect: fault.spec.effect });
            }
        }
        strikes
    }

    /// Whether a call with these facts is sure to fail now: an `error` or `hang` that strikes
    /// every call of an open window. Judges ask this of ports: a network that is cut is cut.
    pub(super) fn always_fail(&self, point: Point, facts: impl FnOnce() -> Facts) -> bool {
        if !self.are_about(point) {
            return false;
        }
        let (now, facts) = (self.log.now(), facts());
        self.faults.borrow().iter().any(|fault| fault.is_sure(point, now) && fault.spec.filter.matches(&facts))
    }

    /// The faults (by number) that fail every probe which they match now: which networks are cut
    /// can change only when these do.
    pub fn network_cuts(&self) -> Vec<u32> {
        let now = self.log.now();
        let faults = self.faults.borrow();
        (0..).zip(&*faults).filter(|(_, fault)| fault.is_sure(Point::ProbePort, now)).map(|(n, _)| n).collect()
    }

    /// Whether a write can open a fault's window.
    pub fn have_triggers(&self) -> bool {
        self.has_triggers
    }

    /// Tells of a write with a status, which may open windows.
    pub(super) fn observe(&self, status: AnyStatus, facts: &Facts) {
        for fault in &mut *self.faults.borrow_mut() {
            let Some(Trigger { status: wanted, filter, nth, .. }) = &fault.spec.when.after else { continue };
            if *wanted == status && filter.matches(facts) {
                fault.writes += 1;
                if fault.writes == *nth {
                    fault.triggered_at = Some(self.log.now());
                }
            }
        }
    }

    /// The node that each is confined to, where it is to one.
    pub fn nodes(&self) -> Vec<Option<Name>> {
        self.faults.borrow().iter().map(|fault| fault.spec.filter.node).collect()
    }

    /// How often each has struck.
    pub fn struck(&self) -> Vec<u64> {
        self.faults.borrow().iter().map(|fault| fault.struck).collect()
    }

    /// Whether any will begin or end to strike by itself: its window opens or closes at a known time, or it
    /// is about names of things that come and go.
    pub fn lie_ahead(&self) -> bool {
        !self.ahead().is_empty()
    }

    /// Which these are.
    pub fn ahead(&self) -> Vec<Name> {
        let now = self.log.now();
        let lies_ahead = |fault: &&Fault| {
            let When { from, until, after, .. } = &fault.spec.when;
            let lasts = after.as_ref().and_then(|trigger| trigger.lasts);
            let passing = |filter: &Filter| filter.sandbox.is_some() || filter.lease.is_some();
            let shuts = fault.triggered_at.is_some() && lasts.is_some();
            from.is_some_and(|from| now < from)
                || until.is_some()
                || shuts
                || passing(&fault.spec.filter)
                || after.as_ref().is_some_and(|trigger| passing(&trigger.filter))
        };
        let faults = self.faults.borrow();
        let living = faults.iter().filter(|fault| !fault.is_over(now));
        living.filter(lies_ahead).map(|fault| fault.spec.name).collect()
    }

    /// What those count that may strike and do not strike always: as long as it stands still, so do they.
    pub(super) fn counts(&self) -> Vec<u64> {
        let now = self.log.now();
        let faults = self.faults.borrow();
        let counting = faults.iter().filter(|fault| fault.is_counting(now));
        counting.flat_map(|fault| [fault.calls, fault.struck, fault.writes]).collect()
    }

    /// Which have begun to count.
    pub(super) fn counting(&self) -> Vec<Name> {
        let now = self.log.now();
        let faults = self.faults.borrow();
        let counting = faults.iter().filter(|fault| fault.is_counting(now) && fault.calls + fault.writes > 0);
        counting.map(|fault| fault.spec.name).collect()
    }

    /// The next instant at which a window opens or closes, as far as it is known now: a trigger
    /// that was not met yet has no instant.
    pub fn next_edge(&self) -> Option<SimTime> {
        let now = self.log.now();
        let faults = self.faults.borrow();
        let edges = faults.iter().flat_map(|fault| {
            let when = &fault.spec.when;
            let lasts = when.after.as_ref().and_then(|trigger| trigger.lasts);
            let shut = fault.triggered_at.zip(lasts).map(|(at, lasts)| at + lasts);
            [when.from, when.until, shut]
        });
        edges.flatten().filter(|at| *at > now).min()
    }

    /// A call about something is delayed until then.
    pub(super) fn delays_call(&self, subject: Subject, until: SimTime) {
        let now = self.log.now();
        let mut delays = self.delays.borrow_mut();
        delays.retain(|(_, until)| *until > now);
        delays.push((subject, until));
    }

    /// What calls that are delayed are about, and until when. Some may be over already.
    pub fn delays(&self) -> Vec<(Subject, SimTime)> {
        self.delays.borrow().clone()
    }
}
