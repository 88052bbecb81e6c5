//! The platform of a run: what its processes are started with, and what steps and requests reach it by.
//!
//! It knows controllers and world, as its room does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::controllers::activator::Activator;
use crate::controllers::ingress::Ingress;
use crate::controllers::process::{self, Hosting};
use crate::controllers::runtime::Rules;
use crate::model::{Controller, Name};
use crate::ports::Remembers;
use crate::scenario::Constants;
use crate::world::{Process, SimPlatform, World};

use super::OwnPool;
use super::host::Host;
use super::traffic::AllWaiting;

/// The steps (by index) that the platform refused, with the refusal's own text.
pub(super) type Refusals = Rc<RefCell<Vec<(usize, Name)>>>;

/// What the controllers of one process remember.
pub(super) type Memories = Vec<Rc<dyn Remembers>>;

/// What steps and requests reach the platform by.
#[derive(Clone)]
pub(super) struct Platform {
    /// The rules that whatever starts now follows; an upgrade replaces them.
    pub(super) rules: Rc<RefCell<Rc<Rules>>>,
    /// What the variant says of constants, whatever fixes are in force.
    pub(super) constants: Rc<Constants>,
    /// The activator of the running coordinator.
    pub(super) activator: Rc<RefCell<Option<Rc<Activator<SimPlatform>>>>>,
    /// Its ingress, when some traffic comes that way.
    pub(super) ingress: Rc<RefCell<Option<Rc<Ingress<SimPlatform>>>>>,
    /// Whether some traffic does.
    pub(super) has_ingress: bool,
    /// What the controllers of each running process remember.
    pub(super) memories: Rc<RefCell<BTreeMap<Process, Memories>>>,
    /// Requests that were taken up and are not answered yet.
    pub(super) waiting: AllWaiting,
    /// In the order in which they came.
    pub(super) refusals: Refusals,
    /// The pool controller, where it is not ours.
    pub(super) pool: Option<OwnPool>,
}

impl Platform {
    /// Lets go of what the processes remembered.
    pub(super) fn forget(&self) {
        self.activator.take();
        self.ingress.take();
        self.memories.take();
    }
}

/// Starts the controllers of a process.
pub(super) fn start(world: &World, process: Process, platform: &Platform) {
    let rules = Rc::clone(&platform.rules.borrow());
    let node = match process {
        Process::Coordinator => None,
        Process::Node(node) => Some(node),
    };
    let host = Host { world, node, memories: RefCell::default(), pool: platform.pool.clone() };
    let tasks = match node {
        None => {
            let activator = Activator::new(host.ports(Controller::Activator), Rc::clone(&rules));
            *platform.activator.borrow_mut() = Some(Rc::clone(&activator));
            host.expose(Rc::clone(&activator) as Rc<dyn Remembers>);
            let mut tasks = process::coordinator(&host, &rules);
            tasks.extend(activator.tasks());
            if platform.has_ingress {
                let ingress = Ingress::new(host.ports(Controller::Activator), Rc::clone(&rules), activator);
                *platform.ingress.borrow_mut() = Some(Rc::clone(&ingress));
                host.expose(Rc::clone(&ingress) as Rc<dyn Remembers>);
                tasks.push(ingress.task());
            }
            tasks
        }
        Some(node) => process::node(&host, &rules, node),
    };
    platform.memories.borrow_mut().insert(process, host.memories.into_inner());
    for (name, task) in tasks {
        world.kernel().spawn_boxed(process.group(), name, task);
    }
}
