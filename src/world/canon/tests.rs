//! What makes two states one, and what does not.

use crate::kernel::{Budget, SimDuration, SimTime};
use crate::model::{Actor, Controller, Filesystem, Kind, Name, Node, NodeId, NodeStatus, Subject};
use crate::ports::{DiskBackend, Fact, Nonce, Remembers};
use crate::world::spec::{ClusterSpec, Phase};
use crate::world::{Caps, World, WorldSpec};

fn caps() -> Caps {
    Caps { memory: SimDuration::from_mins(70), crashes: 8, address_rest: SimDuration::from_mins(5) }
}

/// One node, and nothing on it.
fn world() -> World {
    let world = World::new(&WorldSpec {
        cluster: ClusterSpec::default(),
        workloads: Default::default(),
        faults: Vec::new(),
        seed: 0,
        budget: Budget::default(),
        records_max: usize::MAX,
        restart_after: SimDuration::from_secs(2),
        phase: Phase::Zero,
        session: (SimDuration::from_secs(120), SimDuration::from_secs(40)),
    });
    let name = world.cluster.nodes[0];
    world.apply_create(
        Actor::central(Controller::Operator),
        Node { name, status: NodeStatus::Ready, session_until: None },
    );
    world
}

struct Told(Vec<Fact>);

impl Remembers for Told {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        self.0.iter().for_each(|told| fact(*told));
    }
}

fn digest(world: &World, memories: &[&Told]) -> [u8; 32] {
    let mut canon = world.canon(caps(), Vec::new());
    memories.iter().for_each(|told| canon.memory(*told));
    canon.finish().0
}

fn at(world: &World, minutes: u64) {
    world.kernel.advance_to(SimTime::ZERO + SimDuration::from_mins(minutes));
}

#[test]
fn ages_are_told_apart_up_to_the_cap() {
    let world = world();
    at(&world, 60);
    let young = digest(&world, &[]);
    at(&world, 65);
    assert_ne!(young, digest(&world, &[]));
    at(&world, 70);
    let old = digest(&world, &[]);
    at(&world, 75);
    assert_eq!(old, digest(&world, &[]));
    assert_eq!(world.given_at(), SimTime::ZERO);
}

#[test]
fn nonces_are_told_apart_by_their_leases_and_not_by_their_numbers() {
    /// A world whose volume was leased so many times, and the nonces that were given.
    fn leased(times: usize) -> (World, Vec<Nonce>) {
        let world = world();
        let disks = world.disks(Actor::on(Controller::Lease, NodeId::from_index(0)));
        let (tell, told) = std::sync::mpsc::channel();
        world.kernel.spawn(crate::kernel::GroupId::WORLD, "test", async move {
            let volume = disks.create_volume(Name::new("d"), 1).await.expect("there is room");
            disks.initialise(volume, Filesystem::Ext4).await.expect("it exists");
            for nth in 1..=times {
                let nonce = disks.acquire_volume(volume).await.expect("it is free");
                tell.send(nonce).expect("somebody listens");
                if nth < times {
                    disks.release_volume(volume, nonce).await.expect("it is held");
                }
            }
        });
        while world.kernel.step(SimTime::ZERO + SimDuration::from_mins(90)) == crate::kernel::Step::Ran {}
        at(&world, 90);
        (world, told.iter().collect())
    }
    let held = |(world, nonces): &(World, Vec<Nonce>), nth: usize| {
        digest(world, &[&Told(vec![Fact::Nonce(Some(nonces[nth]))])])
    };
    let (once, twice) = (leased(1), leased(2));
    assert_ne!(once.1[0], twice.1[1]);
    assert_eq!(held(&once, 0), held(&twice, 1), "the nonce of the lease");
    assert_ne!(held(&twice, 0), held(&twice, 1), "one of a lease that is over");
}

#[test]
fn what_two_controllers_remember_is_not_what_one_does() {
    let world = world();
    let (a, b) = (Fact::Number(1), Fact::Thing(Subject { kind: Kind::Node, index: 0 }));
    let apart = digest(&world, &[&Told(vec![a]), &Told(vec![b])]);
    let together = digest(&world, &[&Told(vec![a, b]), &Told(Vec::new())]);
    assert_ne!(apart, together);
}
