//! The gate that every port call passes: latency, faults, the trace.
//!
//! A call takes effect, and is answered, at the end of its latency. It knows calls by their
//! point, caller and subject only. What a newcomer gets wrong: a lost reply and a crash after
//! the call both leave the work *done* – the caller just does not know.
//!
//! ASSUMES: a call whose caller dies within its latency never takes effect; that it might have
//! is what `crash = "after"` shows.

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Actor, Kind, Name, Point, Subject};
use crate::trace::What;

use super::faults::Strike;
use super::process::Process;
use super::spec::{Effect, Spread};
use super::{WORLD, World};

/// One call at the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) point: Point,
    pub(super) actor: Actor,
    /// What it is about; the cluster when nothing in particular.
    pub(super) subject: Subject,
    /// The kind of entities that a store call is about.
    pub(super) kind: Option<Kind>,
}

/// How the gate lets a call through.
pub(super) struct Passage {
    /// When the call began.
    pub(super) since: SimTime,
    /// It fails with that message and nothing is done.
    pub(super) error: Option<Name>,
    /// It is done, and the caller sees an error.
    pub(super) lose_reply: bool,
    /// It is done, and the caller dies.
    pub(super) crash_after: bool,
    /// A read answers what was true that long ago.
    pub(super) stale: Option<SimDuration>,
}

impl Passage {
    /// As if nothing were in the way.
    fn undisturbed(since: SimTime) -> Self {
        Self { since, error: None, lose_reply: false, crash_after: false, stale: None }
    }
    /// Whether the answer goes back as it is.
    pub(super) fn is_clear(&self) -> bool {
        !self.lose_reply && !self.crash_after
    }
}

/// A call that is under way.
struct UnderWay<'a>(&'a World);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let count = &self.0.0.calls_under_way;
        count.set(count.get() - 1);
    }
}

impl World {
    /// The first half of a call: faults are consulted, latency passes.
    pub(super) async fn enter(&self, call: Call, latency: SimDuration) -> Passage {
        if self.0.faults.are_about(call.point) {
            // Few calls are: the way of all others need not carry what these may need.
            return Box::pin(self.enter_through_faults(call, latency)).await;
        }
        let since = self.kernel().now();
        self.last_for(latency).await;
        Passage::undisturbed(since)
    }

    /// The same, on the spot: where no fault is about such calls, and nothing else happens within
    /// the latency. To be tried first.
    pub(super) fn enter_at_once(&self, point: Point, latency: SimDuration) -> Option<Passage> {
        let since = self.kernel().now();
        let entered = !self.0.faults.are_about(point) && (latency.is_zero() || self.kernel().try_pass(latency));
        entered.then(|| Passage::undisturbed(since))
    }

    async fn enter_through_faults(&self, call: Call, latency: SimDuration) -> Passage {
        let mut passage = Passage::undisturbed(self.kernel().now());
        let mut latency = latency;
        for Strike { fault, effect } in self.strikes(&call) {
            self.log().record_and_follow(
                WORLD,
                call.subject,
                What::Struck { fault, point: call.point, effect: effect.name() },
            );
            match effect {
                Effect::Error(message) => passage.error = Some(message),
                Effect::Hang => {
                    let _under_way = self.under_way();
                    std::future::pending().await
                }
                Effect::Delay(spread) => latency = latency + self.draw_delay(fault, spread),
                Effect::LoseReply => passage.lose_reply = true,
                Effect::Stale(age) => passage.stale = Some(age),
                Effect::Drop => {}
                Effect::CrashBefore => self.crash_caller().await,
                Effect::CrashAfter => passage.crash_after = true,
            }
        }
        self.last_for(latency).await;
        passage
    }

    /// Lets the latency of a call pass.
    async fn last_for(&self, latency: SimDuration) {
        if !latency.is_zero() {
            let _under_way = self.under_way();
            self.kernel().sleep(latency).await;
        }
    }

    /// Counts a call as under way until the guard is dropped – by its end, or by the caller's death.
    fn under_way(&self) -> UnderWay<'_> {
        self.0.calls_under_way.set(self.0.calls_under_way.get() + 1);
        UnderWay(self)
    }

    /// The second half: what happens between the effect and the answer.
    pub(super) async fn leave(&self, passage: &Passage) {
        if passage.crash_after {
            self.crash_caller().await;
        }
    }

    /// A whole backend call: on success `act` has taken effect at the end of the latency.
    pub(super) async fn backend_call<T>(
        &self,
        call: Call,
        latency: SimDuration,
        act: impl FnOnce() -> Result<T, Name>,
    ) -> Result<T, Name> {
        let passage = match self.enter_at_once(call.point, latency) {
            Some(passage) => passage,
            None => self.enter(call, latency).await,
        };
        let since = passage.since;
        let mut result = match passage.error {
            Some(message) => Err(message),
            None => {
                let cause = self.kernel().cause();
                let done = act();
                if done.is_ok() {
                    self.log().record_caused(
                        call.actor,
                        call.subject,
                        cause,
                        What::Called { point: call.point, since },
                    );
                }
                done
            }
        };
        if !passage.is_clear() {
            self.leave(&passage).await;
        }
        if passage.lose_reply && result.is_ok() {
            result = Err(Name::new("the reply was lost"));
        }
        if let Err(error) = &result {
            self.log().record_and_follow(
                call.actor,
                call.subject,
                What::CallFailed { point: call.point, since, error: *error },
            );
        }
        result
    }

    /// What strikes this call.
    pub(super) fn strikes(&self, call: &Call) -> Vec<Strike> {
        if !self.0.faults.are_about(call.point) {
            return Vec::new();
        }
        self.0.faults.consult(call.point, &self.0.store.facts_of_call(call.actor, call.subject, call.kind))
    }

    fn draw_delay(&self, fault: u32, spread: Spread) -> SimDuration {
        self.log().draw(Subject { kind: Kind::Fault, index: fault }, "delay", spread)
    }

    /// The calling process dies; this never returns to it.
    pub(super) async fn crash_caller(&self) {
        if let Some(process) = Process::of(self.kernel().current_group()) {
            self.crash_process(process);
            std::future::pending::<()>().await;
        }
    }
}
