//! Steps: what operators do, carried out by the platform or by the world.
//!
//! A request to the platform lives in the coordinator and dies with it; what happens to machines, processes
//! and programs happens at once.

use std::rc::Rc;

use crate::controllers::deploy::{DeployRequest, Deployer};
use crate::controllers::operator::Operator;
use crate::controllers::runtime::{Failure, Rules};
use crate::kernel::{GroupId, SimTime};
use crate::model::{Actor, Controller, Kind, Name, NodeId, SandboxId, Subject};
use crate::scenario::{Action, Step, WorkloadChange};
use crate::trace::What;
use crate::world::spec::WorkloadSpec;
use crate::world::{Process, World};

use super::{Platform, Refusals, rules_under};

/// Why a request to the platform is refused while its process is down.
pub(crate) const COORDINATOR_DOWN: &str = "the coordinator is down";

/// Lets a step happen at its time.
pub(super) fn schedule(world: &World, platform: &Platform, index: usize, step: Step, image: Name) {
    let subject = Subject { kind: Kind::Step, index: index as u32 };
    let (world, platform) = (world.clone(), platform.clone());
    let kernel = world.kernel().clone();
    kernel.spawn(GroupId::WORLD, "step", async move {
        world.kernel().sleep_until(step.at).await;
        let operator = Actor::central(Controller::Operator);
        world.log().record_and_follow(operator, subject, What::StepBegan);
        if !is_platforms(&step.action) {
            let refused = act_on_world(&world, &platform, &step.action).err();
            return end(&world, &platform.refusals, index, refused);
        }
        if !world.processes().is_up(Process::Coordinator) {
            let refused = Some(Name::new(COORDINATOR_DOWN));
            return end(&world, &platform.refusals, index, refused);
        }
        // The request lives in the coordinator, and dies with it.
        let inner = world.clone();
        let rules = Rc::clone(&platform.rules.borrow());
        world.kernel().spawn(Process::Coordinator.group(), "request", async move {
            let refused = act_on_platform(&inner, &rules, &step.action, image).await.err();
            end(&inner, &platform.refusals, index, refused);
        });
    });
}

/// Lets all draws be those of another seed from an instant on.
pub(super) fn redraw(world: &World, from: SimTime, seed: u64) {
    let inner = world.clone();
    world.kernel().spawn(GroupId::WORLD, "redraw", async move {
        inner.kernel().sleep_until(from).await;
        inner.log().redraw_all(seed);
    });
}

/// A step is over.
fn end(world: &World, refusals: &Refusals, index: usize, refused: Option<Name>) {
    let subject = Subject { kind: Kind::Step, index: index as u32 };
    world.log().record(Actor::central(Controller::Operator), subject, What::StepEnded { refused });
    refusals.borrow_mut().extend(refused.map(|error| (index, error)));
}

/// Whether the platform's coordinator carries the action out, or the world itself.
fn is_platforms(action: &Action) -> bool {
    match action {
        Action::Deploy { .. }
        | Action::DeleteApp { .. }
        | Action::RestartApp { .. }
        | Action::SetDesired { .. }
        | Action::DeleteDisk { .. }
        | Action::SetStatus { .. }
        | Action::SetVolume { .. }
        | Action::Drain { .. } => true,
        Action::LoseVolume { .. }
        | Action::LoseMount { .. }
        | Action::SetWorkload { .. }
        | Action::Kill { .. }
        | Action::NodeDown { .. }
        | Action::NodeUp { .. }
        | Action::Restart { .. }
        | Action::Upgrade(_)
        | Action::CutWatch { .. }
        | Action::Note { .. } => false,
    }
}

async fn act_on_platform(world: &World, rules: &Rc<Rules>, action: &Action, image: Name) -> Result<(), Name> {
    let operator = Operator::new(world.ports(Actor::central(Controller::Operator)), Rc::clone(rules));
    let done = match action {
        Action::Deploy { app, config, code, .. } => {
            let deployer = Deployer::new(world.ports(Actor::central(Controller::Deploy)), Rc::clone(rules));
            let request = DeployRequest { app: *app, config: config.clone(), code: code.clone(), image };
            return deployer.deploy(&request).await.map(|_| ()).map_err(Failure::text);
        }
        Action::DeleteApp { app } => operator.delete_app(*app).await,
        Action::RestartApp { app } => operator.restart_app(*app).await,
        Action::SetDesired { app, service, instances } => operator.set_desired(*app, *service, *instances).await,
        Action::DeleteDisk { disk } => operator.delete_disk(*disk).await,
        Action::SetStatus { name, status } => operator.set_status(*name, *status).await,
        Action::SetVolume { disk, volume } => {
            let known =
                volume.map(|name| world.volumes().named(name).ok_or(Failure::Unknown { kind: Kind::Volume, name }));
            match known.transpose() {
                Ok(volume) => operator.set_volume(*disk, volume).await,
                Err(unknown) => Err(unknown),
            }
        }
        Action::Drain { node } => operator.drain(*node).await,
        other => unreachable!("{other:?} is no request to the platform"),
    };
    done.map_err(Failure::text)
}

fn act_on_world(world: &World, platform: &Platform, action: &Action) -> Result<(), Name> {
    match action {
        Action::SetWorkload { app, service, change } => {
            world.change_workload(*app, *service, |workload| apply(workload, change));
            Ok(())
        }
        Action::LoseVolume { disk } => {
            let lost = world.lose_volume(*disk);
            if lost { Ok(()) } else { Err(Name::new(&format!("disk {disk} has no volume"))) }
        }
        Action::LoseMount { disk } => {
            let lost = world.lose_mounts(*disk);
            if lost { Ok(()) } else { Err(Name::new(&format!("disk {disk} has no volume that is mounted"))) }
        }
        Action::Kill { sandbox } => {
            let full = format!("sandbox/{sandbox}");
            let names = world.log().with_trace(|trace| trace.names_of(Kind::Sandbox).to_vec());
            let index = names.iter().position(|name| **name == *full);
            let killed = index.is_some_and(|index| world.kill_program(SandboxId::from_index(index as u32), 137));
            if killed { Ok(()) } else { Err(Name::new(&format!("{full} runs no process"))) }
        }
        Action::Restart { process } => {
            let process = match process {
                None => Process::Coordinator,
                Some(name) => Process::Node(node_named(world, *name)),
            };
            world.processes().crash(process);
            Ok(())
        }
        Action::NodeDown { node } => {
            world.set_power(node_named(world, *node), false);
            Ok(())
        }
        Action::NodeUp { node } => {
            world.set_power(node_named(world, *node), true);
            Ok(())
        }
        Action::Upgrade(upgrade) => {
            let fixes = upgrade.of(platform.rules.borrow().fixes());
            let rules = rules_under(fixes, &platform.constants, world.log().asks());
            world.store().follow(super::store_rules(&rules));
            *platform.rules.borrow_mut() = Rc::new(rules);
            world.processes().crash(Process::Coordinator);
            for node in 0..world.cluster().nodes.len() {
                world.processes().crash(Process::Node(NodeId::from_index(node as u32)));
            }
            Ok(())
        }
        Action::CutWatch { controller, lasts } => {
            world.store().cut_watches(*controller, *lasts);
            Ok(())
        }
        Action::Note { text } => {
            world.log().record(Actor::central(Controller::Operator), Subject::CLUSTER, What::Note(*text));
            Ok(())
        }
        other => unreachable!("{other:?} is not done by the world"),
    }
}

fn node_named(world: &World, name: Name) -> NodeId {
    let index = world.cluster().nodes.iter().position(|node| *node == name).expect("the scenario was checked");
    NodeId::from_index(index as u32)
}

fn apply(workload: &mut WorkloadSpec, change: &WorkloadChange) {
    let WorkloadChange { image_pull, start, ready, exit_after, request } = change;
    let set = |to: &mut _, from: &Option<_>| {
        if let Some(value) = from {
            *to = *value;
        }
    };
    set(&mut workload.image_pull, image_pull);
    set(&mut workload.start, start);
    set(&mut workload.request, request);
    if let Some(ready) = ready {
        workload.ready.clone_from(ready);
    }
    if let Some(exit_after) = exit_after {
        workload.exit_after.clone_from(exit_after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{SimDuration, SimTime};
    use crate::scenario::{Overrides, Scenario};
    use crate::sim::{Crashes, Simulation};

    /// A cluster with every controller there is, a minute after its start.
    fn after_a_minute(test: impl Fn(&World)) {
        let text = "schema = 1\nhorizon = \"1h\"\npolicy.as_of = \"proposed\"\ncluster.nodes = [\"n1\", \"n2\"]\n";
        let scenario = Scenario::from_text(text, "quiet.toml", None, &Overrides::default()).expect("a good text");
        let simulation = Simulation::new(&scenario, &scenario.variants[0]);
        let mut run = simulation.start(Crashes::default());
        run.drive(SimTime::ZERO + SimDuration::from_mins(1), None);
        test(&run.world);
        run.end();
    }

    #[test]
    fn those_controllers_have_watches_that_are_said_to() {
        after_a_minute(|world| {
            for controller in Controller::ALL {
                let open = world.store().cut_watches(*controller, SimDuration::from_secs(5));
                assert_eq!(open > 0, controller.has_watches(), "{}: {open} watches", controller.name());
            }
        });
    }
}
