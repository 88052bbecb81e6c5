//! The platform that the simulator offers to controllers: its clock and process environment.

use crate::kernel::{Kernel, RecordId, SimDuration, SimTime};
use crate::model::{Actor, Controller, Reason, Subject};
use crate::ports::{Clock, Host, Origin, Platform, Ports};
use crate::trace::What;

use super::World;
use super::containers::SimSandboxes;
use super::store::SimStore;
use super::volumes::SimDisks;

/// The simulated platform.
pub struct SimPlatform;

impl Platform for SimPlatform {
    type Clock = SimClock;
    type Host = SimHost;
    type Store = SimStore;
    type Sandboxes = SimSandboxes;
    type Disks = SimDisks;
}

impl World {
    /// The ports of a controller.
    pub fn ports(&self, actor: Actor) -> Ports<SimPlatform> {
        Ports {
            clock: SimClock(self.kernel.clone()),
            host: SimHost { world: self.clone(), actor },
            store: SimStore::new(self, actor),
        }
    }
    /// The container runtime of the node that `actor` runs on.
    ///
    /// # Panics
    /// When `actor` runs on no node.
    pub fn sandboxes(&self, actor: Actor) -> SimSandboxes {
        SimSandboxes::new(self, actor, actor.node().expect("a node's controller"))
    }
    /// The volume service as seen from the node that `actor` runs on.
    ///
    /// # Panics
    /// When `actor` runs on no node.
    pub fn disks(&self, actor: Actor) -> SimDisks {
        SimDisks::new(self, actor, actor.node().expect("a node's controller"))
    }
}

/// The simulated clock.
#[derive(Clone)]
pub struct SimClock(Kernel);

impl Clock for SimClock {
    fn now(&self) -> SimTime {
        self.0.now()
    }
    async fn sleep(&self, d: SimDuration) {
        self.0.sleep(d).await;
    }
}

/// The simulated process environment of one controller.
#[derive(Clone)]
pub struct SimHost {
    world: World,
    actor: Actor,
}

impl Host for SimHost {
    fn draw(&self, subject: &str, purpose: &'static str) -> u64 {
        let bits = self.world.streams.borrow_mut().draw(subject, purpose);
        self.world.record(Actor::central(Controller::World), Subject::CLUSTER, What::Drawn { purpose, bits });
        bits
    }
    fn note(&self, about: impl Into<Subject>, reason: Reason) {
        self.world.record_and_follow(self.actor, about, What::Decided(reason));
    }
    fn origin(&self) -> Origin {
        Origin(self.world.kernel.cause().number())
    }
    fn attach(&self, origin: Origin) {
        self.world.kernel.set_cause(RecordId::from_number(origin.0));
    }
}
