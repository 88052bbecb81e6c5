//! Traffic: open-loop requests, and what became of each.
//!
//! Clients are the world's; the activator they ask is the coordinator's, and a request dies with
//! it. What a newcomer gets wrong: arrivals do not wait for answers, so a slow platform gets
//! more requests at once, not fewer.
//!
//! DIFFERS (rule 10.10): routing takes no time and knows the active version. Traffic that comes by way of the ingress says
//! so; the other asks the activator for each request.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

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

/// A request that was taken up and is not answered yet.
pub(super) struct Waiting {
    app: Subject,
    service: Name,
    arrived: SimTime,
    /// Who is to answer it.
    sandbox: Option<SandboxId>,
}

/// All of them, in the order in which they came.
pub(super) type AllWaiting = Rc<RefCell<BTreeMap<u64, Waiting>>>;

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

/// Tells at the end of a run of the requests that nobody will answer: those that have waited for a sandbox for
/// longer than anybody does, as when a call hangs, and those whose sandbox ended meanwhile.
pub(super) fn give_up(world: &World, platform: &Platform) {
    let limit = {
        let rules = platform.rules.borrow();
        rules.tuning.request_wait + rules.tuning.ingress_timeout
    };
    let now = world.kernel().now();
    for request in std::mem::take(&mut *platform.waiting.borrow_mut()).into_values() {
        match request.sandbox {
            Some(sandbox) if !world.answers(sandbox) => request.fails(world, RequestError::BadGateway),
            None if now.since(request.arrived) > limit => request.fails(world, RequestError::NoAnswer(limit)),
            _ => {}
        }
    }
}

impl Waiting {
    fn served(self, world: &World, given: SimTime) {
        let what = What::RequestServed { service: self.service, waited: given.since(self.arrived) };
        world.log().decide(CLIENT, self.app, what);
    }
    fn fails(self, world: &World, error: RequestError) {
        let waited = world.kernel().now().since(self.arrived);
        world.log().decide(CLIENT, self.app, What::RequestFailed { service: self.service, waited, error });
    }
}

/// One request, until its answer. Dropped without one – the coordinator died – it has failed.
struct Attempt {
    world: World,
    waiting: AllWaiting,
    number: u64,
}

impl Attempt {
    fn new(world: &World, platform: &Platform, request: Waiting) -> Self {
        let mut waiting = platform.waiting.borrow_mut();
        let number = waiting.last_key_value().map_or(0, |(last, _)| last + 1);
        waiting.insert(number, request);
        Self { world: world.clone(), waiting: Rc::clone(&platform.waiting), number }
    }
    fn take(&self) -> Option<Waiting> {
        self.waiting.borrow_mut().remove(&self.number)
    }
    /// A sandbox was chosen, or has refused.
    fn led_to(&self, sandbox: Option<SandboxId>) {
        if let Some(request) = self.waiting.borrow_mut().get_mut(&self.number) {
            request.sandbox = sandbox;
        }
    }
    fn answered(self, answer: Result<SimTime, RequestError>) {
        match (self.take(), answer) {
            (Some(request), Ok(given)) => request.served(&self.world, given),
            (Some(request), Err(error)) => request.fails(&self.world, error),
            (None, _) => {}
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(request) = self.take() {
            request.fails(&self.world, RequestError::ConnectionLost);
        }
    }
}

fn arrive(world: &World, platform: &Platform, traffic: Traffic) {
    let app = world.tables().apps.list(Query::By(traffic.app)).first().cloned();
    let subject = app.as_ref().map_or(Subject::CLUSTER, |app| app.id.into());
    let arrived = world.kernel().now();
    let request = Waiting { app: subject, service: traffic.service, arrived, sandbox: None };
    let Some(version) = app.and_then(|app| app.entity.active_version) else {
        return request.fails(world, RequestError::NotDeployed);
    };
    let (activator, ingress) = (platform.activator.borrow().clone(), platform.ingress.borrow().clone());
    let Some(activator) = activator.filter(|_| world.processes().is_up(Process::Coordinator)) else {
        return request.fails(world, RequestError::CoordinatorDown);
    };
    let attempt = Attempt::new(world, platform, request);
    let ingress = ingress.filter(|_| traffic.via_ingress);
    let kernel = world.kernel().clone();
    kernel.spawn(Process::Coordinator.group(), "request", async move {
        let served = match ingress {
            Some(ingress) => pass(&attempt, &ingress, AppId::from_index(subject.index), version, traffic).await,
            None => ask(&attempt, &activator, version, traffic).await,
        };
        attempt.answered(served);
    });
}

/// A request that asks the activator itself; since when it had its sandbox.
async fn ask(
    attempt: &Attempt,
    activator: &Activator<SimPlatform>,
    version: VersionId,
    traffic: Traffic,
) -> Result<SimTime, RequestError> {
    let world = &attempt.world;
    let slot = activator.request(version, traffic.service).await?;
    attempt.led_to(Some(slot.sandbox));
    let given = world.kernel().now();
    match serve(world, slot.sandbox, traffic, None).await {
        Answer::Served => Ok(given),
        Answer::Refused | Answer::BrokenOff => Err(RequestError::BadGateway),
        Answer::Late(limit) => Err(RequestError::NoAnswer(limit)),
    }
}

/// A request that comes by way of the ingress.
async fn pass(
    attempt: &Attempt,
    ingress: &Ingress<SimPlatform>,
    app: AppId,
    version: VersionId,
    traffic: Traffic,
) -> Result<SimTime, RequestError> {
    let world = &attempt.world;
    let came = world.kernel().now();
    loop {
        let lent = ingress.request(app, version, traffic.service).await?;
        attempt.led_to(Some(lent.sandbox()));
        let given = world.kernel().now();
        match serve(world, lent.sandbox(), traffic, Some(ingress.patience(given.since(came)))).await {
            Answer::Served => return Ok(given),
            // Rule 10.13.
            Answer::Late(limit) => return Err(RequestError::NoAnswer(limit)),
            Answer::Refused => {
                attempt.led_to(None);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Stop;
    use crate::scenario::{Overrides, Scenario};
    use crate::sim::Simulation;

    /// Why the requests of a run fail that has this beside an app that serves and is asked every minute for half an hour.
    fn failures(beside: &str) -> Vec<RequestError> {
        let text = format!(
            "schema = 1\nhorizon = \"1h\"\n{beside}\n[[step]]\nname = \"deploy\"\nat = \"0s\"\n\
             do.deploy = {{ app = \"a\", config = \"[services.web.concurrency]\\nmode = \\\"fixed\\\"\\nnum_instances = 1\" }}\n\
             [[traffic]]\napp = \"a\"\nservice = \"web\"\nrate = \"1/m\"\narrivals = \"constant\"\nvia = \"activator\"\n\
             from = \"5m\"\nuntil = \"35m\"\n"
        );
        let scenario = Scenario::from_text(&text, "asked.toml", None, &Overrides::default()).expect("a good text");
        let outcome = Simulation::new(&scenario, &scenario.variants[0]).run();
        assert_eq!(outcome.stop, Stop::Horizon);
        let failed = outcome.trace.records().iter().filter_map(|record| match record.what {
            What::RequestFailed { error, .. } => Some(error),
            _ => None,
        });
        failed.collect()
    }

    #[test]
    fn who_was_never_answered_has_failed_at_the_end() {
        assert_eq!(failures(""), []);
        let hangs =
            "[[fault]]\non = \"store.*\"\nwhere.controller = \"activator\"\nwhen.from = \"4m\"\neffect.hang = {}";
        let found = failures(hangs);
        assert!(found.len() == 30 && found.iter().all(|error| matches!(error, RequestError::NoAnswer(_))), "{found:?}");
        let stopped = "workload.a.web.request = \"2h\"\n[[step]]\nname = \"restart\"\nat = \"40m\"\ndo.restart_app = { app = \"a\" }";
        assert!(failures(stopped).contains(&RequestError::BadGateway));
        assert_eq!(failures("workload.a.web.request = \"58m\""), [], "they are being served");
    }
}
