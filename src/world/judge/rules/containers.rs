//! Rules about containers and addresses: what the runtime holds against what the store says.
//!
//! They read the runtimes' own tables. What a newcomer gets wrong: a container whose task ended
//! still exists – it is an orphan like any other, but it keeps no address alive.

use crate::model::{Address, NodeId, SandboxId, SandboxStatus};

use crate::world::Container;
use crate::world::judge::memory::{Text, View};

use super::fate;

/// `no-leaked-address`: an address that is taken belongs to a sandbox that is neither DEAD nor
/// gone, or whose container still lives.
pub(in crate::world::judge) fn no_leaked_address<'a>(view: View<'a>, sandbox: SandboxId) -> Option<Text<'a>> {
    let status = is_over(view, sandbox)?;
    let containers = view.world.containers.borrow();
    if containers.get(sandbox).is_some_and(Container::is_alive) {
        return None;
    }
    let taken = |address: &Address| {
        let slots = containers.addresses(NodeId::from_index(u32::from(address.node)));
        slots.get(usize::from(address.host) - 1).is_some_and(|slot| slot.owner == Some(sandbox))
    };
    let address = view.memory.held(sandbox).iter().copied().find(taken)?;
    let limit = view.limits.no_leaked_address;
    view.broken(true, move || {
        format!("{address} is taken although the sandbox is {}: limit {}", fate(status), limit.clock())
    })
}

/// `no-orphan-container`: a container has a sandbox that is neither DEAD nor gone.
pub(in crate::world::judge) fn no_orphan_container<'a>(view: View<'a>, sandbox: SandboxId) -> Option<Text<'a>> {
    let status = is_over(view, sandbox)?;
    let exists = view.world.containers.borrow().get(sandbox).is_some();
    let limit = view.limits.no_orphan_container;
    view.broken(exists, move || {
        format!("its container is there although the sandbox is {}: limit {}", fate(status), limit.clock())
    })
}

/// The status of a sandbox that is DEAD or gone.
fn is_over(view: View<'_>, sandbox: SandboxId) -> Option<Option<SandboxStatus>> {
    match view.status_of(sandbox) {
        None => Some(None),
        Some(SandboxStatus::Dead) => Some(Some(SandboxStatus::Dead)),
        Some(SandboxStatus::Pending | SandboxStatus::Running | SandboxStatus::Stopped) => None,
    }
}

/// `address-owned-once`: no address belongs to two live containers, and no two live sandboxes
/// with containers name the same. The later of the two is told of.
pub(in crate::world::judge) fn address_owned_once<'a>(
    view: View<'a>,
    address: Address,
    users: &[SandboxId],
) -> Option<(SandboxId, Text<'a>)> {
    let containers = view.world.containers.borrow();
    let runs_with = |user: SandboxId| containers.get(user).is_some_and(|c| c.is_alive() && c.address == address);
    let named_by = |user: SandboxId| {
        let names = view
            .world
            .tables
            .sandboxes
            .with(user, |sandbox, _| sandbox.status.is_live() && sandbox.address == Some(address));
        names == Some(true) && containers.get(user).is_some()
    };
    let pair = |uses: &dyn Fn(SandboxId) -> bool| {
        let mut those = users.iter().copied().filter(|user| uses(*user));
        those.next().zip(those.last())
    };
    let (first, last) = pair(&runs_with).or_else(|| pair(&named_by))?;
    let text = view.broken(true, move || format!("{address} belongs to {} too", view.world.name(first)))?;
    Some((last, text))
}
