//! The library's front door: a controller of one's own in the place of ours.

use std::path::Path;

use schedsim::model::Field;
use schedsim::own::{
    Draft, EntityStore, Failure, Platform, Pool, PoolController, PoolId, Ports, Query, Reconciler, Sandbox,
    SandboxIndex, Versioned,
};
use schedsim::scenario::{Overrides, Scenario};
use schedsim::sim::Simulation;
use schedsim::trace;

/// Ours, within another.
struct Wrapped<P: Platform>(PoolController<P>);

impl<P: Platform> Reconciler for Wrapped<P> {
    type Entity = Pool;
    async fn reconcile(&self, pool: &Versioned<Pool>, work: &mut Draft<Pool>) -> Result<(), Failure> {
        self.0.reconcile(pool, work).await
    }
    async fn deleted(&self, pool: PoolId) -> Result<(), Failure> {
        self.0.deleted(pool).await
    }
    fn writes_zero(&self, field: Field) -> bool {
        self.0.writes_zero(field)
    }
}

/// One that counts and makes nothing.
struct Idle<P: Platform>(Ports<P>);

impl<P: Platform> Reconciler for Idle<P> {
    type Entity = Pool;
    async fn reconcile(&self, pool: &Versioned<Pool>, work: &mut Draft<Pool>) -> Result<(), Failure> {
        let sandboxes = self.0.store.list::<Sandbox>(Query::By(SandboxIndex::Pool(pool.id))).await?;
        work.current_instances = sandboxes.len() as u32;
        Ok(())
    }
}

#[test]
fn a_controller_of_ones_own_takes_the_place_of_ours() {
    for story in ["crashes/crash-loop-idle", "nodes/coordinator-restarts", "mir-788/lease-carousel"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{story}.toml"));
        let scenario =
            Scenario::from_file(&file, &Overrides::default()).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
        for variant in &scenario.variants {
            let ours = Simulation::new(&scenario, variant).run();
            let wrapped = Simulation::new(&scenario, variant)
                .pool_controller(|ports, rules| Wrapped(PoolController::new(ports, rules)))
                .run();
            let digests = [&ours, &wrapped].map(|outcome| trace::digest::of(&outcome.trace));
            assert_eq!(digests[0], digests[1], "{story} @ {}", variant.name);
            let idle = Simulation::new(&scenario, variant).pool_controller(|ports, _| Idle(ports)).run();
            assert_ne!(trace::digest::of(&idle.trace), digests[0]);
        }
    }
}
