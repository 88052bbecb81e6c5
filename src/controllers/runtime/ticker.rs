//! Tickers.

use crate::ports::{Clock, Host, Platform, Ports};
use crate::time::{SimDuration, SimTime};

/// Ticks of one period, offset by the phase of its process.
pub struct Ticker<P: Platform> {
    clock: P::Clock,
    next: SimTime,
    period: SimDuration,
}

impl<P: Platform> Ticker<P> {
    /// A ticker whose first tick comes one phase from now.
    pub fn new(ports: &Ports<P>, name: &'static str, period: SimDuration) -> Self {
        // A phase of zero would tick at once, on top of the run at the start.
        let phase = ports.host.phase(name, period);
        let first = if phase.is_zero() { period } else { phase };
        Self { clock: ports.clock.clone(), next: ports.clock.now() + first, period }
    }

    /// A ticker that first lets a whole period pass.
    pub fn after_period(ports: &Ports<P>, name: &'static str, period: SimDuration) -> Self {
        let next = ports.clock.now() + period + ports.host.phase(name, period);
        Self { clock: ports.clock.clone(), next, period }
    }

    /// Ends at the next tick; ticks that were missed are left out, as tickers do.
    pub async fn tick(&mut self) {
        let now = self.clock.now();
        if self.next < now {
            let missed = now.since(self.next).as_nanos().div_ceil(self.period.as_nanos().max(1));
            self.next += self.period.saturating_mul(missed);
        }
        self.clock.sleep(self.next.since(now)).await;
        self.next += self.period;
    }
}
