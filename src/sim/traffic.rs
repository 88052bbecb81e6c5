//! Traffic: open-loop requests, and what became of each.
//!
//! Clients are the world's; the activator they ask is the coordinator's, and a request dies with
//! it. What a newcomer gets wrong: arrivals do not wait for answers, so a slow platform gets
//! more requests at once, not fewer.
//!
//! DIFFERS (rule 10.4): routing takes no time, knows the active version, and keeps no share between
//! requests.

use crate::controllers::activator::Slot;
use crate::kernel::{GroupId, SimTime};
use crate::model::{Actor, Controller, Name, RequestError, Subject};
use crate::ports::Query;
use crate::scenario::Traffic;
use crate::trace::What;
use crate::world::spec::Spread;
use crate::world::{Process, World};

use super::Platform;

const CLIENT: Actor = Actor::central(Controller::World);

/// Lets requests arrive.
pub(super) fn schedule(world: &World, platform: &Platform, index: usize, traffic: Traffic) {
    let (world, platform) = (world.clone(), platform.clone());
    let stream = format!("traffic/{index}");
    let gap = if traffic.poisson { Spread::Exponential(traffic.every) } else { traffic.every.into() };
    let kernel = world.kernel().clone();
    kernel.spawn(GroupId::WORLD, "traffic", async move {
        // Constant arrivals begin at once, random ones after their first gap.
        let mut at = traffic.from;
        if traffic.poisson {
            at += world.log().draw_unrecorded(&stream, "arrival", gap);
        }
        while at < traffic.until {
            world.kernel().sleep_until(at).await;
            arrive(&world, &platform, traffic);
            at += world.log().draw_unrecorded(&stream, "arrival", gap);
        }
    });
}

/// One request, from its arrival to its answer. Dropped without one – the coordinator died – it
/// has failed.
struct Attempt {
    world: World,
    app: Subject,
    service: Name,
    arrived: SimTime,
    answered: bool,
}

impl Attempt {
    fn served(mut self, slot: SimTime) {
        self.answered = true;
        let what = What::RequestServed { service: self.service, waited: slot.since(self.arrived) };
        self.world.log().record(CLIENT, self.app, what);
    }
    fn failed(&mut self, error: RequestError) {
        self.answered = true;
        let waited = self.world.kernel().now().since(self.arrived);
        self.world.log().record(CLIENT, self.app, What::RequestFailed { service: self.service, waited, error });
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.answered {
            self.failed(RequestError::ConnectionLost);
        }
    }
}

fn arrive(world: &World, platform: &Platform, traffic: Traffic) {
    let app = world.tables().apps.list(Query::By(traffic.app)).first().cloned();
    let subject = app.as_ref().map_or(Subject::CLUSTER, |app| app.id.into());
    let arrived = world.kernel().now();
    let mut attempt =
        Attempt { world: world.clone(), app: subject, service: traffic.service, arrived, answered: false };
    let Some(version) = app.and_then(|app| app.entity.active_version) else {
        return attempt.failed(RequestError::NotDeployed);
    };
    let activator = platform.activator.borrow().clone().filter(|_| world.is_up(Process::Coordinator));
    let Some(activator) = activator else {
        return attempt.failed(RequestError::CoordinatorDown);
    };
    let world = world.clone();
    let kernel = world.kernel().clone();
    kernel.spawn(Process::Coordinator.group(), "request", async move {
        match activator.request(version, traffic.service).await {
            Ok(slot) => serve(&world, slot, traffic, attempt).await,
            Err(error) => attempt.failed(error),
        }
    });
}

/// Hands the request to its sandbox.
async fn serve(world: &World, slot: Slot, traffic: Traffic, mut attempt: Attempt) {
    let given = world.kernel().now();
    let answers = || world.answers(slot.sandbox);
    if answers() {
        let takes = world.containers().workload(traffic.app, traffic.service).request;
        let takes = world.log().draw(slot.sandbox.into(), "request", takes);
        world.kernel().sleep(takes).await;
        if answers() {
            return attempt.served(given);
        }
    }
    attempt.failed(RequestError::BadGateway);
}
