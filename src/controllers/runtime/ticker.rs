//! What is done again and again: at every tick of a period.

use crate::ports::{Clock, Host, Platform, Ports};
use crate::time::SimDuration;

/// When something periodic is done for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum First {
    /// At the start, and again at the ticks.
    AtOnce,
    /// At the first tick, which comes one phase from the start.
    AtTick,
    /// At the first tick, which comes one phase after a whole period.
    AfterPeriod,
}

/// Acts at every tick of a period, for ever; ticks are offset by the phase of the process, and
/// those that are missed are left out. Each time begins in the trace context of the start.
pub async fn periodically<P: Platform>(
    ports: &Ports<P>,
    name: &'static str,
    period: SimDuration,
    first: First,
    mut act: impl AsyncFnMut(),
) {
    let Ports { clock, host, .. } = ports;
    let origin = host.origin();
    let phase = host.phase(name, period);
    let mut next = clock.now()
        + match first {
            First::AfterPeriod => period + phase,
            // A phase of zero would tick at once, on top of the run at the start.
            First::AtOnce | First::AtTick if phase.is_zero() => period,
            First::AtOnce | First::AtTick => phase,
        };
    if first == First::AtOnce {
        act().await;
        host.attach(origin);
    }
    loop {
        let now = clock.now();
        if next < now {
            let missed = now.since(next).as_nanos().div_ceil(period.as_nanos().max(1));
            next += period.saturating_mul(missed);
        }
        clock.sleep(next.since(now)).await;
        next += period;
        act().await;
        host.attach(origin);
    }
}
