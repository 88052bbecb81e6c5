//! A walk at random: a judge that was told of every change as it came knows what a judge knows
//! that sees everything for the first time at the end. Where they differ, a change was not marked.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{DiskChange, Kind, Subject};
use crate::ports::Query;
use crate::world::judge::rules;

/// One thing to do, to whom, and how.
type Move = (u8, u8, u8);

fn rows<E: Entity>(world: &World) -> Vec<Id<E>> {
    let mut ids: Vec<Id<E>> = E::of(world.tables()).list(Query::All).iter().map(|row| row.id).collect();
    ids.sort();
    ids
}

fn pick<T: Copy>(those: &[T], which: u8) -> Option<T> {
    (!those.is_empty()).then(|| those[usize::from(which) % those.len()])
}

impl Stage {
    fn any<E: Entity>(&self, which: u8) -> Option<Id<E>> {
        pick(&rows::<E>(&self.world), which)
    }

    /// Does one thing, if there is something to do it to.
    fn step(&mut self, (what, whom, how): Move) -> Option<()> {
        match what % 19 {
            0 => {
                let services = ["db", "web"];
                let app = self.app("pds");
                // The second app of a name has its workloads under `pds~2`.
                let name = Name::new(self.world.log().name(app).trim_start_matches("app/"));
                for service in services {
                    self.world.change_workload(name, Name::new(service), |workload| *workload = at_once());
                }
            }
            1 => {
                let web = ServiceConfig { concurrency: concurrency_auto(), ..service("web") };
                let services = [service("db"), web];
                let app = self.any(whom)?;
                self.deploy(app, &services[..usize::from(how) % 3]);
            }
            2 => {
                let app: AppId = self.any(whom)?;
                let version = self.world.tables().apps.with(app, |app, _| app.active_version)??;
                let which = if how % 2 == 0 { "db" } else { "web" };
                let ports = (how % 3 == 0).then(port).into_iter().collect();
                self.pool(app, &ServiceConfig { ports, ..service(which) }, version, 1);
            }
            3 | 4 => {
                let pool = self.any::<Pool>(whom)?;
                self.sandbox_on(pool, SandboxStatus::Pending, u32::from(how % 2));
            }
            5 | 6 => {
                let status = pick(SandboxStatus::ALL, how)?;
                let sandbox = self.any::<Sandbox>(whom)?;
                self.status(sandbox, status);
            }
            7 | 8 => {
                let sandbox = self.any::<Sandbox>(whom)?;
                if self.world.containers().get(sandbox).is_none() {
                    let address = self.take_address(sandbox);
                    self.start(sandbox, address);
                }
            }
            9 => {
                let sandbox = self.any::<Sandbox>(whom)?;
                self.destroy(sandbox);
            }
            10 => {
                let sandbox = self.any::<Sandbox>(whom)?;
                self.world.kill_program(sandbox, i32::from(how));
            }
            11 => {
                let (sandbox, app) = (self.any(whom)?, self.any::<App>(how));
                let disk: DiskId = match self.any(how) {
                    Some(disk) => disk,
                    None => self.disk("data", Some(app?)),
                };
                self.lease(disk, sandbox, app);
            }
            12 => {
                let (lease, status) = (self.any(whom)?, pick(LeaseStatus::ALL, how)?);
                self.lease_status(lease, status);
            }
            13 => {
                let change = match how % 4 {
                    0 => PoolChange::DesiredInstances(u32::from(how) % 5),
                    1 => PoolChange::CooldownUntil(None),
                    2 => PoolChange::CooldownUntil(Some(self.now() + secs(u64::from(how)))),
                    _ => PoolChange::ReferencedByVersions(self.any(how).into_iter().collect()),
                };
                let pool = self.any::<Pool>(whom)?;
                self.patch(pool, change);
            }
            14 => self.delete_any(whom, how)?,
            15 => self.world.processes().crash(Process::Node(NodeId::from_index(u32::from(whom % 2)))),
            16 => {
                let address = Address { node: u16::from(how % 2), host: u16::from(whom % 8) + 1 };
                let runtime = self.world.sandboxes(Actor::on(Controller::Sandbox, NodeId::from_index(0)));
                self.call(async move { runtime.release_address(address).await });
            }
            17 => {
                let (disk, app) = (self.any::<Disk>(whom)?, self.any(how)?);
                self.patch(disk, DiskChange::CreatedBy(Some(app)));
            }
            _ => self.pass(secs(u64::from(how))),
        }
        self.pass(SimDuration::ZERO);
        Some(())
    }

    fn delete_any(&mut self, whom: u8, how: u8) -> Option<()> {
        match how % 6 {
            0 => {
                let id = self.any::<Sandbox>(whom)?;
                self.delete(id);
            }
            1 => {
                let id = self.any::<AppVersion>(whom)?;
                self.delete(id);
            }
            2 => {
                let id = self.any::<DiskLease>(whom)?;
                self.delete(id);
            }
            3 => {
                let id = self.any::<Disk>(whom)?;
                self.delete(id);
            }
            4 => {
                // A judge that comes late cannot know whose the sandboxes of a pool were that is gone.
                let id = self.any::<Pool>(whom)?;
                let all = rows::<Sandbox>(&self.world);
                if !all.iter().any(|s| self.world.tables().sandboxes.with(*s, |s, _| s.pool) == Some(id)) {
                    self.delete(id);
                }
            }
            _ => {
                let id = self.any::<App>(whom)?;
                self.delete(id);
            }
        }
        Some(())
    }
}

const WITH_GRACE: [Invariant; 7] = [
    Invariant::BoundLeaseHasLiveSandbox,
    Invariant::NoLeakedAddress,
    Invariant::NoOrphanContainer,
    Invariant::NoOvershoot,
    Invariant::NothingOutlivesItsApp,
    Invariant::LiveProgramKeepsItsOwn,
    Invariant::VolumeHasDisk,
];

/// What the rules with a grace find broken now, asked of every name that the trace knows.
fn broken_now(world: &World, judge: &Judge) -> BTreeSet<(Invariant, Subject)> {
    let kinds = WITH_GRACE.map(|invariant| match invariant {
        Invariant::BoundLeaseHasLiveSandbox => vec![Kind::Lease],
        Invariant::NoLeakedAddress | Invariant::NoOrphanContainer | Invariant::LiveProgramKeepsItsOwn => {
            vec![Kind::Sandbox]
        }
        Invariant::VolumeHasDisk => vec![Kind::Volume],
        Invariant::NoOvershoot => vec![Kind::Pool],
        _ => vec![Kind::Version, Kind::Pool, Kind::Sandbox, Kind::Disk, Kind::Lease],
    });
    let mut all = BTreeSet::new();
    for (invariant, kinds) in WITH_GRACE.into_iter().zip(kinds) {
        for kind in kinds {
            let count = world.log().with_trace(|trace| trace.names_of(kind).len());
            let subjects = (0..count).map(|index| Subject { kind, index: index as u32 });
            all.extend(
                subjects
                    .filter(|subject| rules::ask(judge.view(world), invariant, *subject).is_some())
                    .map(|subject| (invariant, subject)),
            );
        }
    }
    all
}

/// Walks, and compares.
fn check(moves: Vec<Move>) {
    let mut stage = Stage::new();
    for step in moves {
        stage.step(step);
    }
    let mut late = Judge::new(limits());
    late.observe(&stage.world);
    assert!(stage.judge.rest.blockers().eq(late.rest.blockers()));
    assert_eq!(stage.is_settled(), late.settled_since().is_some());
    let broken = broken_now(&stage.world, &late);
    let suspected = stage.judge.suspicions.suspected();
    let found = stage.judge.violations().iter().map(|v| (v.invariant, v.subject)).collect();
    assert!(suspected.is_subset(&broken), "cleared, and nobody noticed: {:?}", suspected.difference(&broken));
    let noticed: BTreeSet<_> = suspected.union(&found).copied().collect();
    assert!(broken.is_subset(&noticed), "broken, and nobody noticed: {:?}", broken.difference(&noticed));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_judge_that_follows_knows_what_one_knows_that_comes_at_the_end(
        moves in proptest::collection::vec(any::<Move>(), 1..400)
    ) {
        check(moves);
    }
}
