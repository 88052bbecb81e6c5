//! Traffic: open-loop requests, and what became of each.
//!
//! Clients are the world's; the activator they ask is the coordinator's, and a request dies with
//! it. What a newcomer gets wrong: arrivals do not wait for answers, so a slow platform gets
//! more requests at once, not fewer.
//!
//! DIFFERS (rule 10.10): routing takes no time and knows the active version. Traffic that comes by way of the ingress says
//! so; the other asks the activator for each request.

use crate::controllers::activator::Activator;
use crate::controllers::ingress::Ingress;
use crate::kernel::{GroupId, SimDuration, SimTime};
use crate::model::{Actor, AppId, Controller, Name, RequestError, SandboxId, Subject, VersionId};
use crate::ports::Query;
use crate::scenario::Traffic;
use crate::trace::What;
use crate::world::spec::Spread;
use crate::world::{Process, SimPlatform, World};

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
        self.world.log().decide(CLIENT, self.app, what);
    }
    fn failed(&mut self, error: RequestError) {
        self.answered = true;
        let waited = self.world.kernel().now().since(self.arrived);
        self.world.log().decide(CLIENT, self.app, What::RequestFailed { service: self.service, waited, error });
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
    let (activator, ingress) = (platform.activator.borrow().clone(), platform.ingress.borrow().clone());
    let Some(activator) = activator.filter(|_| world.is_up(Process::Coordinator)) else {
        return attempt.failed(RequestError::CoordinatorDown);
    };
    let ingress = ingress.filter(|_| traffic.via_ingress);
    let world = world.clone();
    let kernel = world.kernel().clone();
    kernel.spawn(Process::Coordinator.group(), "request", async move {
        let served = match ingress {
            Some(ingress) => pass(&world, &ingress, AppId::from_index(subject.index), version, traffic).await,
            None => ask(&world, &activator, version, traffic).await,
        };
        match served {
            Ok(given) => attempt.served(given),
            Err(error) => attempt.failed(error),
        }
    });
}

/// A request that asks the activator itself; since when it had its sandbox.
async fn ask(
    world: &World,
    activator: &Activator<SimPlatform>,
    version: VersionId,
    traffic: Traffic,
) -> Result<SimTime, RequestError> {
    let slot = activator.request(version, traffic.service).await?;
    let given = world.kernel().now();
    match serve(world, slot.sandbox, traffic, None).await {
        Answer::Served => Ok(given),
        Answer::Refused | Answer::BrokenOff => Err(RequestError::BadGateway),
        Answer::Late(limit) => Err(RequestError::NoAnswer(limit)),
    }
}

/// A request that comes by way of the ingress.
async fn pass(
    world: &World,
    ingress: &Ingress<SimPlatform>,
    app: AppId,
    version: VersionId,
    traffic: Traffic,
) -> Result<SimTime, RequestError> {
    let came = world.kernel().now();
    loop {
        let lent = ingress.request(app, version, traffic.service).await?;
        let given = world.kernel().now();
        match serve(world, lent.sandbox(), traffic, Some(ingress.patience(given.since(came)))).await {
            Answer::Served => return Ok(given),
            // Rule 10.13.
            Answer::Late(limit) => return Err(RequestError::NoAnswer(limit)),
            Answer::Refused => {
                if !ingress.refused(lent) {
                    return Err(RequestError::BadGateway);
                }
            }
            Answer::BrokenOff => {
                ingress.broke_off(lent);
                return Err(RequestError::BadGateway);
            }
        }
    }
}

/// What a sandbox did with a request.
enum Answer {
    Served,
    /// It took no connection.
    Refused,
    /// It ended before its answer.
    BrokenOff,
    /// It takes longer than whoever asked waits.
    Late(SimDuration),
}

/// Hands the request to its sandbox, and waits so long for the answer.
async fn serve(world: &World, sandbox: SandboxId, traffic: Traffic, patience: Option<SimDuration>) -> Answer {
    let answers = || world.answers(sandbox);
    if !answers() {
        return Answer::Refused;
    }
    let takes = world.containers().workload(traffic.app, traffic.service).request;
    let takes = world.log().draw(sandbox.into(), "request", takes);
    let late = patience.filter(|limit| takes > *limit);
    world.kernel().sleep(late.unwrap_or(takes)).await;
    match late {
        _ if !answers() => Answer::BrokenOff,
        Some(limit) => Answer::Late(limit),
        None => Answer::Served,
    }
}
