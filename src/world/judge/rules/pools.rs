//! Rules about pools: how many, how soon, how often.
//!
//! They compare the pool's own wishes with what the judges counted. What a newcomer gets wrong:
//! live means PENDING or RUNNING, so a STOPPED sandbox is never surplus.

use crate::model::{Concurrency, PoolId, SandboxId};

use crate::world::judge::memory::{Text, View};

/// `pool-within-max-size`: no pool wants or has more than the limit.
pub(in crate::world::judge) fn pool_within_max_size(view: View<'_>, pool: PoolId) -> Option<Text> {
    let wants = view.world.tables().pools.with(pool, |pool, _| pool.desired_instances)?;
    let has = view.memory.counts(pool).live;
    let limit = view.limits.max_pool_size;
    let (verb, number) = if wants > limit { ("wants", wants) } else { ("has", has) };
    view.broken(number > limit, || format!("{verb} {number}: limit {limit}"))
}

/// `no-overshoot`: no pool has more live sandboxes than it wants.
pub(in crate::world::judge) fn no_overshoot(view: View<'_>, pool: PoolId) -> Option<Text> {
    let wants = view.world.tables().pools.with(pool, |pool, _| pool.desired_instances)?;
    let has = view.memory.counts(pool).live;
    let limit = view.limits.grace.no_overshoot;
    view.broken(has > wants, || format!("has {has} live sandboxes and wants {wants}: limit {}", limit.clock()))
}

/// `no-boot-during-cooldown`: no sandbox is created in a pool whose cooldown has not ended.
pub(in crate::world::judge) fn no_boot_during_cooldown(
    view: View<'_>,
    pool: PoolId,
    sandbox: SandboxId,
) -> Option<Text> {
    let cools = view.cooldown(pool).is_some();
    view.broken(cools, || format!("{} was created before the cooldown's end", view.world.log().name(sandbox)))
}

/// `failures-back-off`: at most so many failed boots of one pool within the window, for each
/// instance that it was meant to have at one of them. A pool that is meant to have none is judged
/// as one with one.
pub(in crate::world::judge) fn failures_back_off(view: View<'_>, failed: usize, meant: u32) -> Option<Text> {
    let (each, window) = (view.limits.failures_max, view.limits.grace.failures_back_off);
    view.broken(failed as u64 > u64::from(each) * u64::from(meant.max(1)), || {
        format!("more than {each} failed boots per desired instance within {}", window.clock())
    })
}

/// How many instances a pool is meant to have: what the active version configures of a fixed service
/// that it has the pool for – a cooldown writes a one over the desired number –, else what it wants.
pub(in crate::world::judge) fn meant_instances(view: View<'_>, pool: PoolId) -> u32 {
    let wants = view.world.tables().pools.with(pool, |pool, _| pool.desired_instances).unwrap_or(0);
    match view.active_concurrency(pool) {
        Some(Some(Concurrency::Fixed { instances })) => instances.max(wants),
        Some(Some(Concurrency::Auto { .. }) | None) | None => wants,
    }
}
