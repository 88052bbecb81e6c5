//! A pool controller of the user's own in the place of ours.

use std::rc::Rc;
use std::sync::Arc;

use crate::controllers::pool::PoolController;
use crate::controllers::process;
use crate::controllers::runtime::{Drive, OwnWrites, Reconciler, Rules};
use crate::model::Pool;
use crate::ports::Ports;
use crate::world::SimPlatform;

use super::Simulation;

/// Starts a pool controller that is not ours.
pub(super) type OwnPool =
    Arc<dyn Fn(Ports<SimPlatform>, &Rc<Rules>, Drive<Pool>, OwnWrites) -> process::Started + Send + Sync>;

/// Starts the user's pool controller, or ours.
pub(super) fn started(
    theirs: Option<&OwnPool>,
    ports: Ports<SimPlatform>,
    rules: &Rc<Rules>,
    settings: Drive<Pool>,
    own: OwnWrites,
) -> process::Started {
    match theirs {
        Some(make) => make(ports, rules, settings, own),
        None => process::started(ports.clone(), rules, settings, own, PoolController::new(ports, Rc::clone(rules))),
    }
}

impl Simulation<'_> {
    /// Runs another pool controller in the place of ours. It is made anew whenever the coordinator starts.
    #[must_use]
    pub fn pool_controller<R: Reconciler<Entity = Pool>>(
        mut self,
        make: impl Fn(Ports<SimPlatform>, Rc<Rules>) -> R + Send + Sync + 'static,
    ) -> Self {
        self.pool = Some(Arc::new(move |ports, rules, settings, own| {
            process::started(ports.clone(), rules, settings, own, make(ports, Rc::clone(rules)))
        }));
        self
    }
}
