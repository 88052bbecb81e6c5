//! What makes two states one, and what does not.

use crate::kernel::{Budget, SimDuration, SimTime};
use crate::model::{Actor, Controller, DiskId, Filesystem, Kind, Name, Node, NodeId, NodeStatus, Subject};
use crate::ports::{DiskBackend, Fact, Nonce, Remembers};
use crate::world::spec::{ClusterSpec, Environment, Phase};
use crate::world::{Caps, Capture, Visited, World, WorldSpec};

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
        evidence: false,
        environment: Environment {
            ticker_phase: Phase::Zero,
            session_ttl: SimDuration::from_secs(120),
            session_renew: SimDuration::from_secs(40),
            ..Environment::default()
        },
    });
    let name = world.cluster().nodes[0];
    world
        .store()
        .create(Actor::central(Controller::Operator), Node { name, status: NodeStatus::Ready, session_until: None });
    world
}

struct Told(Vec<Fact>);

impl Remembers for Told {
    fn tell(&self, fact: &mut dyn FnMut(Fact)) {
        self.0.iter().for_each(|told| fact(*told));
    }
}

fn digest(world: &World, memories: &[&Told]) -> [u8; 32] {
    capture(world, memories).digest(&mut Vec::new())
}

fn capture(world: &World, memories: &[&Told]) -> Capture {
    world.canonical().capture(caps(), memories.iter().map(|told| *told as &dyn Remembers))
}

fn at(world: &World, minutes: u64) {
    world.kernel().advance_to(SimTime::ZERO + SimDuration::from_mins(minutes));
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
    assert_eq!(world.canonical().given_at(), SimTime::ZERO);
}

#[test]
fn of_what_is_long_past_the_order_is_told_and_no_age() {
    let world = world();
    at(&world, 200);
    let told = |minutes: [u64; 2]| {
        let moment = |n: u64| Fact::Moment(Some(SimTime::ZERO + SimDuration::from_mins(n)));
        digest(&world, &[&Told(minutes.map(moment).to_vec())])
    };
    assert_eq!(told([50, 60]), told([10, 90]), "both are long past");
    assert_ne!(told([50, 60]), told([60, 50]), "which was earlier");
    assert_ne!(told([50, 60]), told([50, 50]), "at once");
    assert_ne!(told([50, 140]), told([50, 141]), "one is not long past");
}

/// A world with two tickers of one name in one process, which wait for so many seconds.
fn ticking(seconds: [u64; 2], idle: bool) -> World {
    let world = world();
    for seconds in seconds {
        let kernel = world.kernel().clone();
        world.kernel().spawn(crate::kernel::GroupId(1), "resync", async move {
            let sleep = kernel.sleep(SimDuration::from_secs(seconds));
            if idle { kernel.idle(sleep).await } else { sleep.await }
        });
    }
    while world.kernel().has_ready() {
        world.kernel().step(SimTime::ZERO);
    }
    world
}

#[test]
fn tickers_of_one_name_that_swap_places_are_another_state() {
    let [one, same, other] = [[10, 15], [10, 15], [15, 10]].map(|seconds| digest(&ticking(seconds, true), &[]));
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[test]
fn a_world_is_quiet_when_all_who_wait_have_nothing_in_hand() {
    assert!(ticking([10, 15], true).canonical().unrest().is_none());
    assert!(ticking([10, 15], false).canonical().unrest().is_some());
}

#[test]
fn nonces_are_told_apart_by_their_leases_and_not_by_their_numbers() {
    /// A world whose volume was leased so many times, and the nonces that were given.
    fn leased(times: usize) -> (World, Vec<Nonce>) {
        let world = world();
        let disks = world.disks(Actor::on(Controller::Lease, NodeId::from_index(0)));
        let (tell, told) = std::sync::mpsc::channel();
        world.kernel().spawn(crate::kernel::GroupId::WORLD, "test", async move {
            let volume = disks.create_volume(DiskId::from_index(0), Name::new("d"), 1).await.expect("there is room");
            disks.initialise(volume, Filesystem::Ext4).await.expect("it exists");
            for nth in 1..=times {
                let nonce = disks.acquire_volume(volume).await.expect("it is free");
                tell.send(nonce).expect("somebody listens");
                if nth < times {
                    disks.release_volume(volume, nonce).await.expect("it is held");
                }
            }
        });
        while world.kernel().step(SimTime::ZERO + SimDuration::from_mins(90)) == crate::kernel::Step::Ran {}
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

#[test]
fn a_state_is_written_only_when_its_sketch_comes_again() {
    let (world, mut visited) = (world(), Visited::default());
    let mut note = |minutes| {
        at(&world, minutes);
        let before = visited.note(capture(&world, &[]));
        (before.map(|(at, _)| at), visited.kept())
    };
    let instant = |minutes| Some(SimTime::ZERO + SimDuration::from_mins(minutes));
    assert_eq!(note(60), (None, (1, 0)));
    assert_eq!(note(65), (None, (2, 0)));
    assert_eq!(note(70), (None, (3, 0)));
    assert_eq!(note(75), (instant(70), (2, 1)), "from the cap on the ages stand still");
    assert_eq!(note(80), (instant(75), (2, 1)));
    visited.clear();
    at(&world, 85);
    assert_eq!((visited.note(capture(&world, &[])), visited.kept()), (None, (1, 0)));
}

#[test]
fn states_of_one_sketch_are_told_apart_by_their_digests() {
    let (world, mut visited) = (world(), Visited::default());
    let tales = [1, 2, 3].map(|n| Told(vec![Fact::Number(n)]));
    let captures = tales.each_ref().map(|told| capture(&world, &[told]));
    assert!(captures.iter().all(|capture| capture.sketch() == captures[0].sketch()), "it looks at no words");
    for _ in 0..2 {
        let before = tales.each_ref().map(|told| visited.note(capture(&world, &[told])).map(|(at, _)| at));
        assert_eq!((before, visited.kept()), (before.map(|_| before[0]), (0, 3)));
    }
    assert_eq!(visited.note(capture(&world, &[&Told(vec![Fact::Number(4)])])), None);
}

#[test]
fn what_weighs_too_much_gives_way_to_its_digest() {
    let world = world();
    let weigh = |since| capture(&world, &[]).weight(since);
    let alone = weigh(SimTime::ZERO);
    assert!(weigh(SimTime::MAX) < alone, "rows from before the last one weigh nothing more");
    let elder = capture(&world, &[]);
    let one = weigh(SimTime::ZERO);
    assert!(one < alone && one == weigh(elder.taken_at()), "nor does what an elder has, too");
    for (room, kept) in [(0, 0), (2 * one, 2), (10 * one, 5)] {
        let mut visited = Visited::with_room(room);
        // Every one is another state: there is one fact more.
        let tales: Vec<Told> = (0..5).map(|n| Told(vec![Fact::Number(7); n])).collect();
        for told in &tales {
            assert_eq!(visited.note(capture(&world, &[told])), None);
        }
        assert_eq!(visited.kept(), (kept, 5 - kept), "with room for {kept}");
        assert!(tales.iter().all(|told| visited.note(capture(&world, &[told])).is_some()), "none is forgotten");
    }
}
