//! The platform that the simulator offers to controllers: its clock and process environment.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use crate::kernel::{Kernel, RecordId, SimDuration, SimTime, Streams, streams};
use crate::model::{Actor, Controller, Name, Reason, Subject};
use crate::ports::{Clock, Host, Origin, Platform};
use crate::trace::What;

use super::disk_calls::SimDisks;
use super::log::Log;
use super::sandbox_calls::SimSandboxes;
use super::spec::Phase;
use super::store_calls::SimStore;

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
pub struct SimClock(pub(super) Kernel);

impl Clock for SimClock {
    fn now(&self) -> SimTime {
        self.0.now()
    }
    fn sleep(&self, d: SimDuration) -> impl Future<Output = ()> {
        self.0.sleep(d)
    }
    async fn timeout<T>(&self, limit: SimDuration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut limit = pin!(self.0.sleep(limit));
        poll_fn(|cx| {
            if let Poll::Ready(value) = self.0.beside_others(|| future.as_mut().poll(cx)) {
                return Poll::Ready(Some(value));
            }
            limit.as_mut().poll(cx).map(|()| None)
        })
        .await
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
        self.log.record_and_follow(self.actor, about, What::Decided(reason));
    }
    fn phase(&self, ticker: &'static str, period: SimDuration) -> SimDuration {
        let process = self.actor.node().map_or_else(|| Name::new("coordinator"), |node| self.log.name(node));
        let subject = format!("{ticker}@{process}");
        let bits = match self.phase {
            Phase::Zero => return SimDuration::ZERO,
            Phase::Fixed => Streams::fixed(&subject, "phase"),
            Phase::Seed => self.log.bits_once(&subject, "phase"),
        };
        // Whole milliseconds: nobody's ticker is finer, and times stay readable.
        let millis = period.as_nanos() / 1_000_000;
        SimDuration::from_millis(streams::below(bits, millis))
    }
    fn origin(&self) -> Origin {
        Origin(self.log.kernel().cause().number())
    }
    fn attach(&self, origin: Origin) {
        self.log.kernel().set_cause(RecordId::from_number(origin.0));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::kernel::{Budget, GroupId, Step};

    /// What a wait of so many seconds with a limit comes to, and when. Alone, it would pass on
    /// the spot.
    fn limited(takes: u64, limit: u64) -> (Option<&'static str>, SimTime) {
        let kernel = Kernel::new(Budget::default());
        let clock = SimClock(kernel.clone());
        let came = Rc::new(Cell::new((None, SimTime::MAX)));
        let told = Rc::clone(&came);
        kernel.clone().spawn(GroupId::WORLD, "waits", async move {
            let wait = async {
                if !clock.0.try_pass(SimDuration::from_secs(takes)) {
                    clock.0.sleep(SimDuration::from_secs(takes)).await;
                }
                "done"
            };
            let value = clock.timeout(SimDuration::from_secs(limit), wait).await;
            told.set((value, clock.now()));
        });
        while kernel.step(SimTime::MAX) == Step::Ran {}
        kernel.close();
        came.get()
    }

    #[test]
    fn what_takes_longer_than_its_limit_is_given_up_when_the_limit_is_over() {
        let at = |n| SimTime::ZERO + SimDuration::from_secs(n);
        for (takes, limit, value, when) in [
            (3, 1, None, 1),
            (1, 3, Some("done"), 1),
            (2, 2, Some("done"), 2),
            (1, 0, None, 0),
            (0, 0, Some("done"), 0),
        ] {
            assert_eq!(limited(takes, limit), (value, at(when)), "{takes} s within {limit} s");
        }
    }
}
