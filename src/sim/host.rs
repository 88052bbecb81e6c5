//! What hosts a process: its controllers get their ports here, and what they remember is kept.

use std::cell::RefCell;
use std::rc::Rc;

use crate::controllers::process::{self, Hosting};
use crate::controllers::runtime::{Drive, OwnWrites, Rules};
use crate::model::{Actor, Controller, NodeId, Pool};
use crate::ports::{Ports, Remembers};
use crate::world::{SimDisks, SimPlatform, SimSandboxes, World};

use super::Memories;
use super::own_pool::{self, OwnPool};

/// Hands each controller of a process its ports.
pub(super) struct Host<'a> {
    pub(super) world: &'a World,
    pub(super) pool: Option<OwnPool>,
    pub(super) node: Option<NodeId>,
    pub(super) memories: RefCell<Memories>,
}

impl Host<'_> {
    fn actor(&self, controller: Controller) -> Actor {
        self.node.map_or(Actor::central(controller), |node| Actor::on(controller, node))
    }
}

impl Hosting<SimPlatform> for Host<'_> {
    fn ports(&self, controller: Controller) -> Ports<SimPlatform> {
        self.world.ports(self.actor(controller))
    }
    fn sandboxes(&self, controller: Controller) -> SimSandboxes {
        self.world.sandboxes(self.actor(controller))
    }
    fn disks(&self, controller: Controller) -> SimDisks {
        self.world.disks(self.actor(controller))
    }
    fn expose(&self, memory: Rc<dyn Remembers>) {
        self.memories.borrow_mut().push(memory);
    }
    fn pool(
        &self,
        ports: Ports<SimPlatform>,
        rules: &Rc<Rules>,
        settings: Drive<Pool>,
        own: OwnWrites,
    ) -> process::Started {
        own_pool::started(self.pool.as_ref(), ports, rules, settings, own)
    }
}
