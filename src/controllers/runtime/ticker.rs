//! What is done again and again: at every tick of a period, or until it has succeeded.

use crate::constants::Period;
use crate::ports::{Clock, Host, Platform, Ports};
use crate::time::{SimDuration, SimTime};

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
    period: Period,
    first: First,
    mut act: impl AsyncFnMut(),
) {
    let Ports { clock, host, .. } = ports;
    let period = period.every();
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
        clock.idle(clock.sleep(next.since(now))).await;
        next += period;
        act().await;
        host.attach(origin);
    }
}

/// How a wait with a deadline ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Pauses are never cut short: the first look at the deadline or beyond is the last.
    LooksBeyond,
    /// The last pause is cut short at the deadline, and no look follows.
    AtDeadline,
    /// A pause that would reach the deadline is not begun.
    BeforeDeadline,
}

/// Looks until something is found, or until `deadline` has come: nothing then. Each pause comes
/// before a look: the first look is at once when the first pause is zero ([`at_once`]), and after
/// one period when all are that period. `look` is told how much time is left; it looks
/// once at least.
///
/// # Errors
/// The first error of a look ends the wait.
pub async fn poll_until<T, E>(
    clock: &impl Clock,
    deadline: SimTime,
    end: End,
    pauses: impl IntoIterator<Item = SimDuration>,
    mut look: impl AsyncFnMut(SimDuration) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let left = || deadline.since(clock.now());
    let mut looked = false;
    for pause in pauses {
        let over = if end == End::BeforeDeadline { pause >= left() } else { left().is_zero() };
        if looked && over {
            break;
        }
        if looked || !pause.is_zero() {
            clock.sleep(if end == End::AtDeadline { pause.min(left()) } else { pause }).await;
        }
        if looked && end == End::AtDeadline && left().is_zero() {
            break;
        }
        looked = true;
        let found = look(left()).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Pauses of which none comes before the first look.
pub fn at_once(pauses: impl IntoIterator<Item = SimDuration>) -> impl Iterator<Item = SimDuration> {
    std::iter::once(SimDuration::ZERO).chain(pauses)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::Future;
    use std::iter::repeat;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// A clock on which every sleep is over at once.
    #[derive(Clone, Default)]
    struct Quick(Rc<Cell<SimTime>>);

    impl Clock for Quick {
        fn now(&self) -> SimTime {
            self.0.get()
        }
        async fn sleep(&self, d: SimDuration) {
            self.0.set(self.now() + d);
        }
        async fn timeout<T>(&self, _: SimDuration, future: impl Future<Output = T>) -> Option<T> {
            Some(future.await)
        }
        async fn idle<T>(&self, future: impl Future<Output = T>) -> T {
            future.await
        }
    }

    const S: SimDuration = SimDuration::from_secs(1);

    /// At which seconds a wait looks that finds nothing; every look takes so long. And when it ends.
    fn looks(limit: u64, end: End, pauses: impl Iterator<Item = SimDuration>, takes: u64) -> (Vec<u64>, u64) {
        let (clock, mut looks) = (Quick::default(), Vec::new());
        let second = || (clock.now() - SimTime::ZERO).as_secs();
        let wait = poll_until(&clock, SimTime::ZERO + S * limit, end, pauses, async |_| {
            looks.push(second());
            clock.sleep(S * takes).await;
            Ok::<Option<()>, ()>(None)
        });
        assert_eq!(pin!(wait).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(None)));
        (looks, second())
    }

    #[test]
    fn a_wait_looks_at_once_or_after_a_period_and_ends_as_it_is_told() {
        let every = || repeat(S * 4);
        assert_eq!(looks(10, End::LooksBeyond, at_once(every()), 0), (vec![0, 4, 8, 12], 12));
        assert_eq!(looks(10, End::LooksBeyond, every(), 0), (vec![4, 8, 12], 12));
        assert_eq!(looks(8, End::LooksBeyond, at_once(every()), 0), (vec![0, 4, 8], 8));
        assert_eq!(looks(10, End::AtDeadline, at_once(every()), 0), (vec![0, 4, 8], 10));
        assert_eq!(looks(8, End::AtDeadline, at_once(every()), 0), (vec![0, 4], 8), "no look at the deadline itself");
        assert_eq!(looks(10, End::BeforeDeadline, at_once(every()), 0), (vec![0, 4, 8], 8));
        assert_eq!(looks(10, End::BeforeDeadline, at_once(every()), 3), (vec![0, 7], 10));
        let first_and_last = std::iter::once(S * 9).chain(every());
        assert_eq!(looks(5, End::AtDeadline, first_and_last, 0), (vec![5], 5), "it looks once at least");
    }
}
