//! The gate: the one way in which a controller's call reaches a part of the world.
//!
//! A part acts at once. Around it stands a [`Gated`], which has the port's own interface: it
//! draws how long the call takes, asks the faults, lets the time pass, has the part act, and
//! writes down what came of it. It knows calls by what [`Call`] says of them. What a newcomer
//! gets wrong: a lost reply and a crash after the call both leave the work *done* – the caller
//! just does not know.
//!
//! ASSUMES: a call whose caller dies, or gives it up, within its latency never takes effect; that it
//! might have is what `crash = "after"` shows. Only a program that was told to end ends in any case.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::kernel::SimDuration;
use crate::model::{Actor, Kind, Name, NodeId, Point, Subject};
use crate::ports::{BackendError, StoreError};
use crate::trace::What;
use crate::trace::evidence::observed::Act;

use super::WORLD;
use super::faults::{Faults, Strike};
use super::log::Log;
use super::process::{Process, Processes};
use super::spec::{Effect, Latencies, Spread};
use super::store::Store;

/// A part of the world as one controller reaches it.
pub struct Gated<P> {
    pub(super) gate: Rc<Gate>,
    pub(super) actor: Actor,
    pub(super) part: Rc<P>,
}

impl<P> Clone for Gated<P> {
    fn clone(&self) -> Self {
        Self { gate: Rc::clone(&self.gate), actor: self.actor, part: Rc::clone(&self.part) }
    }
}

/// What all calls pass.
pub(super) struct Gate {
    pub(super) log: Rc<Log>,
    pub(super) faults: Rc<Faults>,
    pub(super) store: Rc<Store>,
    pub(super) processes: Rc<Processes>,
    pub(super) latency: Latencies,
    pub(super) calls_under_way: Cell<u32>,
    /// Calls that will never end, in the order in which they began to hang.
    pub(super) hung: RefCell<Vec<Hung>>,
}

/// A call that never ends: whose, which, and what it is about.
pub type Hung = (Actor, Point, Subject);

/// One call.
#[derive(Clone, Copy)]
pub(super) struct Call {
    /// Where it can go wrong; none: no fault is about such calls.
    pub(super) point: Option<Point>,
    /// What it is about; the cluster when nothing in particular.
    pub(super) subject: Subject,
    /// The kind of entities that a store call is about.
    pub(super) kind: Option<Kind>,
    /// How long it takes.
    pub(super) takes: SimDuration,
    /// Whether its success is written down: not what is asked several times a second, nor what
    /// has records of its own.
    pub(super) told: bool,
    /// What the caller sees of the world.
    pub(super) sees: Sees,
}

/// What the caller of a call sees by its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sees {
    /// Nothing but what became of the order.
    Nothing,
    /// The things of a kind that are the subject's; of none: what the call is about itself.
    Things(Option<Kind>),
}

impl Call {
    /// A question: it takes no time, and is not written down unless it fails.
    pub(super) fn question(point: Option<Point>, subject: Subject) -> Self {
        Self { point, subject, kind: None, takes: SimDuration::ZERO, told: false, sees: Sees::Things(None) }
    }

    /// Something to be done, which takes so long.
    pub(super) fn order(point: Point, subject: Subject, takes: SimDuration) -> Self {
        Self { takes, told: true, sees: Sees::Nothing, ..Self::question(Some(point), subject) }
    }
}

/// What the faults make of a call.
#[derive(Default)]
pub(super) struct Struck {
    /// It fails with that message and nothing is done.
    error: Option<Name>,
    delay: SimDuration,
    /// It is done, and the caller sees an error.
    lose_reply: bool,
    /// It is done, and the caller dies.
    crash_after: bool,
    /// A read answers what was true that long ago.
    pub(super) stale: Option<SimDuration>,
    /// A watch event is lost.
    pub(super) dropped: bool,
}

/// How a call can fail.
pub(super) trait Failure: Sized {
    /// It failed on its way.
    fn on_the_way(message: Name) -> Self;
    /// What is written down; none when that is an answer like any other.
    fn told(&self) -> Option<Name>;
}

impl Failure for StoreError {
    fn on_the_way(message: Name) -> Self {
        Self::Failed(message)
    }
    fn told(&self) -> Option<Name> {
        if let Self::Failed(message) = self { Some(*message) } else { None }
    }
}

impl Failure for BackendError {
    fn on_the_way(message: Name) -> Self {
        Self(message)
    }
    fn told(&self) -> Option<Name> {
        Some(self.0)
    }
}

/// A call that is under way.
pub(super) struct UnderWay<'a>(&'a Cell<u32>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Somebody who waits for a call; dropped before its end, the call is given up.
struct Waits<F: FnOnce(SimDuration)> {
    given_up: Option<F>,
    delay: SimDuration,
}

impl<F: FnOnce(SimDuration)> Drop for Waits<F> {
    fn drop(&mut self) {
        if let Some(given_up) = self.given_up.take() {
            given_up(self.delay);
        }
    }
}

/// A call that hangs.
struct Hangs<'a>(&'a RefCell<Vec<Hung>>, Hung);

impl Drop for Hangs<'_> {
    fn drop(&mut self) {
        let mut hung = self.0.borrow_mut();
        if let Some(place) = hung.iter().position(|call| *call == self.1) {
            hung.remove(place);
        }
    }
}

impl<P> Gated<P> {
    /// The node of the controller that calls.
    ///
    /// # Panics
    /// When it runs on none.
    pub(super) fn node(&self) -> NodeId {
        self.actor.node().expect("a node's controller")
    }

    /// How long a call takes, drawn for its subject.
    pub(super) fn latency(&self, of: impl Into<Subject>, purpose: &'static str, spread: Spread) -> SimDuration {
        self.gate.log.draw(of.into(), purpose, spread)
    }

    /// A whole call: `act` is what the part does, at the end of the latency.
    pub(super) async fn call<T, E: Failure>(
        &self,
        call: Call,
        act: impl FnOnce(Option<&Struck>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.call_or(call, act, |_| ()).await
    }

    /// The same; what its caller has set going goes on when nobody waits for it any more: `given_up`
    /// is told by how much a fault delays it.
    pub(super) async fn call_or<T, E: Failure>(
        &self,
        call: Call,
        act: impl FnOnce(Option<&Struck>) -> Result<T, E>,
        given_up: impl FnOnce(SimDuration),
    ) -> Result<T, E> {
        let gate = &*self.gate;
        let since = gate.log.now();
        // Few calls are struck: the way of all others need not carry what these may need.
        let point = call.point.filter(|point| gate.faults.are_about(*point));
        // What a look tells need not be told before, unless something happens in between.
        let begins = point.is_some() || call.sees == Sees::Nothing;
        if begins && gate.log.observes() {
            gate.begin(self.actor);
        }
        let struck = match point {
            Some(point) => Some(Box::pin(gate.strike(self.actor, point, call)).await),
            None => None,
        };
        let latency = struck.as_ref().map_or(call.takes, |struck| call.takes + struck.delay);
        if !latency.is_zero() {
            match gate.log.kernel().alone_for(latency) {
                Some(alone) => alone.pass(),
                None => {
                    if !begins && gate.log.observes() {
                        gate.begin(self.actor);
                    }
                    let _under_way = gate.under_way();
                    let mut waits = Waits { given_up: Some(given_up), delay: latency - call.takes };
                    gate.log.kernel().sleep(latency).await;
                    waits.given_up = None;
                }
            }
        }
        let mut result = match struck.as_ref().and_then(|struck| struck.error) {
            Some(message) => Err(E::on_the_way(message)),
            None if call.told => gate.log.ordered(|| act(struck.as_deref())),
            None => act(struck.as_deref()),
        };
        if let Sees::Things(listed) = call.sees
            && gate.log.observes()
        {
            match struck.as_deref().and_then(|struck| struck.stale) {
                None => gate.see(self.actor, &call, listed),
                Some(ago) => gate.see_stale(self.actor, &call, listed, ago),
            }
        }
        let Some(point) = call.point else { return result };
        if call.told && result.is_ok() {
            gate.log.record(self.actor, call.subject, What::Called { point, since });
        }
        if let Some(struck) = struck {
            if struck.crash_after {
                gate.crash_caller().await;
            }
            if struck.lose_reply && result.is_ok() {
                result = Err(E::on_the_way(Name::new("the reply was lost")));
            }
        }
        if let Err(failure) = &result
            && let Some(error) = failure.told()
        {
            let failed = gate.log.decide(self.actor, call.subject, What::CallFailed { point, since, error });
            gate.log.kernel().set_cause(failed);
        }
        // Who tries again at once, without a pause, does so for ever where failing takes no time: a
        // guard has to see it.
        if result.is_err() && gate.log.now() == since {
            gate.log.kernel().sleep(SimDuration::ZERO).await;
        }
        result
    }
}

impl Gate {
    /// Whether a call is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.calls_under_way.get() > 0
    }

    /// What the faults make of a call.
    async fn strike(&self, actor: Actor, point: Point, call: Call) -> Box<Struck> {
        let facts = self.store.facts_of_call(actor, call.subject, call.kind);
        let mut struck = Box::<Struck>::default();
        for Strike { fault, effect } in self.faults.consult(point, &facts) {
            self.log.record_and_follow(WORLD, call.subject, What::Struck { fault, point, effect: effect.kind() });
            match effect {
                Effect::Error(message) => struck.error = Some(message),
                Effect::Hang => {
                    // It is not under way any more: nothing will come of it while its caller lives.
                    let _hung = self.hang((actor, point, call.subject));
                    std::future::pending().await
                }
                Effect::Delay(spread) => {
                    let fault = Subject { kind: Kind::Fault, index: fault };
                    struck.delay = struck.delay + self.log.draw(fault, "delay", spread);
                    self.faults.delays_call(call.subject, self.log.now() + call.takes + struck.delay);
                }
                Effect::LoseReply => struck.lose_reply = true,
                Effect::Stale(age) => struck.stale = Some(age),
                Effect::Drop => struck.dropped = true,
                Effect::CrashBefore => self.crash_caller().await,
                Effect::CrashAfter => struck.crash_after = true,
            }
        }
        struck
    }

    /// Notes that a call begins.
    #[inline(never)]
    fn begin(&self, caller: Actor) {
        self.log.observe(Act::Calls(caller));
    }

    /// Notes what the caller of a call sees.
    #[inline(never)]
    fn see(&self, caller: Actor, call: &Call, listed: Option<Kind>) {
        self.log.observe(looks(caller, call, listed));
    }

    /// The same, where it sees what was true so long ago.
    #[cold]
    fn see_stale(&self, caller: Actor, call: &Call, listed: Option<Kind>, ago: SimDuration) {
        self.begin(caller);
        self.log.observe_stale(ago, looks(caller, call, listed));
    }

    /// Counts a call as under way until the guard is dropped – by its end, or by the caller's death.
    pub(super) fn under_way(&self) -> UnderWay<'_> {
        self.calls_under_way.set(self.calls_under_way.get() + 1);
        UnderWay(&self.calls_under_way)
    }

    /// Notes a call that hangs until the guard is dropped, by the caller's death or time-out.
    fn hang(&self, call: Hung) -> Hangs<'_> {
        self.hung.borrow_mut().push(call);
        Hangs(&self.hung, call)
    }

    /// The calls that hang.
    pub(super) fn hung(&self) -> Vec<Hung> {
        self.hung.borrow().clone()
    }

    /// The calling process dies; this never returns to it.
    async fn crash_caller(&self) {
        if let Some(process) = Process::of(self.log.kernel().current_group()) {
            self.processes.crash(process);
            std::future::pending::<()>().await;
        }
    }
}

/// What a caller does who sees what a call is about, or lists what is its.
#[inline]
fn looks(by: Actor, call: &Call, listed: Option<Kind>) -> Act {
    let Subject { kind, index } = call.subject;
    Act::Looks { by, kind, index, listed, real: call.kind.is_none() }
}
