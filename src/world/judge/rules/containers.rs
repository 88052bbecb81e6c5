//! Rules about containers and addresses: what the runtime holds against what the store says.
//!
//! They read the runtimes' own tables. What a newcomer gets wrong: a container whose task ended
//! still exists – it is an orphan like any other, but it keeps no address alive.

use crate::model::{Address, DiskIndex, LeaseIndex, LeaseStatus, Name, NodeId, SandboxId, SandboxStatus};
use crate::ports::Query;

use crate::world::Container;
use crate::world::judge::memory::{Text, View};

use super::fate;

/// `no-leaked-address`: an address that is taken belongs to a sandbox that is neither DEAD nor
/// gone, or whose container still lives.
pub(in crate::world::judge) fn no_leaked_address(view: View<'_>, sandbox: SandboxId) -> Option<Text> {
    let status = view.status_of(sandbox);
    let containers = view.world.containers();
    if !is_over(status) || containers.get(sandbox).is_some_and(Container::is_alive) {
        return None;
    }
    let taken = |address: &Address| {
        let slots = containers.addresses(NodeId::from_index(u32::from(address.node)));
        slots.get(usize::from(address.host) - 1).is_some_and(|slot| slot.owner == Some(sandbox))
    };
    let address = view.memory.held(sandbox).find(taken)?;
    let limit = view.limits.grace.no_leaked_address;
    view.broken(true, || {
        format!("{address} is taken although the sandbox is {}: limit {}", fate(status), limit.clock())
    })
}

/// `no-orphan-container`: a container has a sandbox that is neither DEAD nor gone.
pub(in crate::world::judge) fn no_orphan_container(view: View<'_>, sandbox: SandboxId) -> Option<Text> {
    let status = view.status_of(sandbox);
    let broken = is_over(status) && view.world.containers().get(sandbox).is_some();
    let limit = view.limits.grace.no_orphan_container;
    view.broken(broken, || {
        format!("its container is there although the sandbox is {}: limit {}", fate(status), limit.clock())
    })
}

/// Whether a sandbox with that status is DEAD or gone.
pub(in crate::world::judge) fn is_over(status: Option<SandboxStatus>) -> bool {
    match status {
        None | Some(SandboxStatus::Dead) => true,
        Some(SandboxStatus::Pending | SandboxStatus::Running | SandboxStatus::Stopped) => false,
    }
}

/// `address-owned-once`: no address belongs to two live containers, and no two live sandboxes
/// with containers name the same. The later of the two is told of.
pub(in crate::world::judge) fn address_owned_once(view: View<'_>, address: Address) -> Option<(SandboxId, Text)> {
    let users = view.memory.users(address);
    if users.len() < 2 {
        return None;
    }
    let containers = view.world.containers();
    let runs_with = |user: SandboxId| containers.get(user).is_some_and(|c| c.is_alive() && c.address == address);
    let named_by = |user: SandboxId| {
        let names = view
            .world
            .tables()
            .sandboxes
            .with(user, |sandbox, _| sandbox.status.is_live() && sandbox.address == Some(address));
        names == Some(true) && containers.get(user).is_some()
    };
    let pair = |uses: &dyn Fn(SandboxId) -> bool| {
        let mut those = users.iter().copied().filter(|user| uses(*user));
        those.next().zip(those.last())
    };
    let (first, last) = pair(&runs_with).or_else(|| pair(&named_by))?;
    let text = view.broken(true, || format!("{address} belongs to {} too", view.world.log().name(first)))?;
    Some((last, text))
}

/// `live-program-keeps-its-own`: a program that runs holds its address, and a disk that it writes is
/// not leased to nobody, or to another that lives.
pub(in crate::world::judge) fn live_program_keeps_its_own(view: View<'_>, sandbox: SandboxId) -> Option<Text> {
    let containers = view.world.containers();
    let container = containers.get(sandbox).filter(|container| container.is_alive())?;
    let Address { node, host } = container.address;
    let slot = containers.addresses(NodeId::from_index(u32::from(node))).get(usize::from(host) - 1)?;
    let limit = view.limits.grace.live_program_keeps_its_own;
    if slot.owner != Some(sandbox) {
        return view
            .broken(true, || format!("it runs, and {} is not its own: limit {}", container.address, limit.clock()));
    }
    let written = container.spec.volumes.iter().filter(|volume| !volume.read_only);
    let given_away = written.map(|volume| volume.name).find(|name| view.is_given_away(*name, sandbox))?;
    view.broken(true, || format!("it runs, and disk \"{given_away}\" is not leased to it: limit {}", limit.clock()))
}

impl View<'_> {
    /// Whether nobody has the lease of a disk, or another that lives.
    fn is_given_away(self, name: Name, writer: SandboxId) -> bool {
        let tables = self.world.tables();
        let (mut known, mut kept) = (false, false);
        tables.disks.for_each(Query::By(DiskIndex::Name(name)), |disk| {
            known = true;
            tables.leases.for_each(Query::By(LeaseIndex::Disk(disk.id)), |lease| {
                let lives = || self.status_of(lease.entity.sandbox).is_some_and(SandboxStatus::is_live);
                let is_bound = lease.entity.status == LeaseStatus::Bound;
                kept |= is_bound && (lease.entity.sandbox == writer || !lives());
            });
        });
        known && !kept
    }
}
