//! The platform that the simulator offers to controllers: its clock and process environment.

use std::future::Future;
use std::rc::Rc;

use crate::kernel::{RecordId, SimDuration, SimTime, Streams, streams};
use crate::model::{Actor, Controller, Name, Reason, Subject};
use crate::ports::{Clock, Host, Origin, Platform};
use crate::trace::What;

use super::disk_calls::SimDisks;
use super::log::Log;
use super::sandbox_calls::SimSandboxes;
use super::spec::Phase;
use super::store_calls::SimStore;

/// How long before the story a process began, at most, in milliseconds: a multiple of most periods.
const OLDEST: u64 = 3_600_000;

/// The simulated platform.
pub struct SimPlatform;

impl Platform for SimPlatform {
    type Clock = SimClock;
    type Host = SimHost;
    type Store = SimStore;
    type Sandboxes = SimSandboxes;
    type Disks = SimDisks;
}

/// The simulated clock.
#[derive(Clone)]
pub struct SimClock(pub(super) Rc<Log>);

impl Clock for SimClock {
    fn now(&self) -> SimTime {
        self.0.now()
    }
    fn sleep(&self, d: SimDuration) -> impl Future<Output = ()> {
        self.0.kernel().sleep(d)
    }
    fn timeout<T>(&self, limit: SimDuration, future: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        self.0.kernel().timeout(limit, future)
    }
    fn idle<T>(&self, future: impl Future<Output = T>) -> impl Future<Output = T> {
        if self.0.observes() {
            self.0.turned();
        }
        self.0.kernel().idle(future)
    }
}

/// The simulated process environment of one controller.
#[derive(Clone)]
pub struct SimHost {
    pub(super) log: Rc<Log>,
    pub(super) actor: Actor,
    pub(super) phase: Phase,
}

impl Host for SimHost {
    fn draw(&self, subject: &str, purpose: &'static str) -> u64 {
        let bits = self.log.bits(subject, purpose);
        self.log.record(Actor::central(Controller::World), Subject::CLUSTER, What::Drawn { purpose, bits });
        bits
    }
    fn note(&self, about: impl Into<Subject>, reason: Reason) {
        let what = What::Decided(reason);
        let decided = match reason {
            // What came of it stands in the notes before.
            Reason::HandlerFailed { .. } => self.log.record(self.actor, about, what),
            _ => self.log.decide(self.actor, about, what),
        };
        self.log.kernel().set_cause(decided);
    }
    fn phase(&self, ticker: &'static str, period: SimDuration) -> SimDuration {
        let process = self.actor.node().map_or_else(|| Name::new("coordinator"), |node| self.log.name(node));
        // Whole milliseconds: nobody's ticker is finer, and times stay readable.
        let period = period.as_nanos() / 1_000_000;
        SimDuration::from_millis(match self.phase {
            Phase::Zero => 0,
            Phase::Fixed => streams::below(Streams::fixed(&format!("{ticker}@{process}"), "phase"), period),
            // Rule 2.10: the process began before the story, and all its tickers with it.
            Phase::Seed => {
                let age = streams::below(self.log.bits_once(&process, "phase"), OLDEST);
                (period - age % period.max(1)) % period.max(1)
            }
        })
    }
    fn origin(&self) -> Origin {
        Origin(self.log.kernel().cause().number())
    }
    fn attach(&self, origin: Origin) {
        self.log.kernel().set_cause(RecordId::from_number(origin.0));
    }
}
