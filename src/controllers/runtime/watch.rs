//! What feeds the work queue: the watch of a controller's entities, and its resync.
//!
//! Until the queue holds keys the two know nothing of each other. With it the watch begins with
//! a list, and for a while each tick of the resync closed it. What a newcomer gets wrong: what a
//! controller wrote itself is passed over here and nowhere else.

use std::rc::Rc;

use crate::constants::Period;
use crate::controllers::fixes::Fix;
use crate::model::{Reason, Revision, Subject};
use crate::ports::{Change, Clock, EntityStore, Host, Platform, Versioned, Watch, WatchEvent};
use crate::time::{SimDuration, SimTime};

use super::keys::Lane;
use super::{First, Reconciler, Runtime, periodically};

/// How a watch ends.
enum Ended {
    /// The connection broke, or could not be opened.
    Broke,
    /// It ended without an error.
    Closed,
    /// The tick of the resync has come.
    AtTick,
}

/// The wait before a watch is opened again.
struct Pause {
    next: SimDuration,
    first: SimDuration,
    longest: SimDuration,
}

impl Pause {
    fn reset(&mut self) {
        self.next = self.first;
    }
    /// The wait now; the next is twice that.
    fn take(&mut self) -> SimDuration {
        let doubled = self.next.saturating_mul(2).min(self.longest);
        std::mem::replace(&mut self.next, doubled)
    }
}

impl<P: Platform, R: Reconciler> Runtime<P, R> {
    fn pause(&self) -> Pause {
        let tuning = &self.rules.tuning;
        Pause { next: tuning.watch_retry, first: tuning.watch_retry, longest: tuning.watch_retry_max }
    }

    /// Watches, opening again what breaks (rule 2.3).
    pub(super) async fn watch(self: Rc<Self>) {
        self.started.changed_since(0).await;
        let (mut pause, mut seen) = (self.pause(), None);
        loop {
            match self.follow(&mut seen, None, || pause.reset()).await {
                Ended::Closed => return,
                Ended::Broke | Ended::AtTick => self.rest(&mut pause).await,
            }
        }
    }

    /// Lists, and watches from there (rule 2.8). Before `tick-keeps-watch` every tick begins anew.
    pub(super) async fn list_and_watch(self: Rc<Self>) {
        self.started.changed_since(0).await;
        let Self { ports, drive, .. } = &*self;
        let origin = ports.host.origin();
        let tick = drive.resync.filter(|_| !self.rules.has(Fix::TickKeepsWatch)).map(Period::every);
        let phase = tick.map(|tick| ports.host.phase(drive.name, tick)).filter(|phase| !phase.is_zero());
        let mut until = phase.or(tick).map(|first| ports.clock.now() + first);
        let mut pause = self.pause();
        loop {
            ports.host.attach(origin);
            let Ok(items) = ports.store.list(drive.query).await else {
                ports.clock.sleep(pause.take()).await;
                continue;
            };
            self.enqueue_all(&items);
            pause.reset();
            // Opened in the instant of the list; only where that fails it goes on from what was listed.
            let mut seen = None;
            loop {
                let ended = self.follow(&mut seen, until, || {}).await;
                seen = seen.or_else(|| items.iter().map(|item| item.meta.revision).max());
                if let Ended::AtTick = ended {
                    until = tick.map(|tick| ports.clock.now() + tick);
                    break;
                }
                self.rest(&mut pause).await;
                until = tick.map(|tick| ports.clock.now() + tick);
            }
        }
    }

    /// Opens the watch again later.
    async fn rest(&self, pause: &mut Pause) {
        let retry_in = pause.take();
        self.ports.host.note(Subject::CLUSTER, Reason::WatchBroke { retry_in });
        self.ports.clock.sleep(retry_in).await;
    }

    /// Watches once, from now on or from after what was seen, and at most `until` (rule 1.7).
    async fn follow(&self, seen: &mut Option<Revision>, until: Option<SimTime>, mut told: impl FnMut()) -> Ended {
        let resume = seen.filter(|_| self.rules.has(Fix::WatchResumes));
        let Ok(mut watch) = self.ports.store.watch(self.drive.query, resume).await else { return Ended::Broke };
        *seen = Some(watch.since());
        loop {
            let next = match until {
                None => watch.next().await,
                Some(until) => {
                    let clock = &self.ports.clock;
                    let left = until.since(clock.now());
                    let Some(next) = clock.idle(clock.timeout(left, watch.next())).await else {
                        return Ended::AtTick;
                    };
                    next
                }
            };
            match next {
                Ok(Some(event)) => {
                    told();
                    *seen = Some(event.item.meta.revision);
                    self.deliver(event);
                }
                Ok(None) => {
                    self.ports.host.note(Subject::CLUSTER, Reason::WatchEnded);
                    return Ended::Closed;
                }
                Err(_) => return Ended::Broke,
            }
        }
    }

    /// Takes an event, unless it is of an own write (rule 2.4).
    fn deliver(&self, event: WatchEvent<R::Entity>) {
        if !self.own.contains(event.item.meta.revision) {
            let origin = event.item.meta.origin;
            self.ports.host.attach(origin);
            self.enqueue(event.change, event.item, origin);
        }
    }

    /// Lists at every tick (rule 2.2).
    pub(super) async fn resync(self: Rc<Self>, period: Period) {
        self.started.changed_since(0).await;
        // With keys the first list is that of the watch, and one that fails waits for the next tick.
        let first = if self.keys.is_some() { First::AtTick } else { First::AtOnce };
        periodically(&self.ports, self.drive.name, period, first, async || {
            let items = loop {
                match self.ports.store.list(self.drive.query).await {
                    Ok(items) => break items,
                    Err(_) if self.keys.is_some() => return,
                    // Tried again at once, without a pause.
                    Err(_) => {}
                }
            };
            self.enqueue_all(&items);
        })
        .await;
    }

    /// Adds everything that was listed; what finds no room is noted together, however much it is.
    fn enqueue_all(&self, items: &[Versioned<R::Entity>]) {
        let mut admitted = 0;
        let mut dropped = None;
        for item in items {
            match self.admit(Change::Updated, item, item.meta.origin, Lane::Repair) {
                Some(wanted) => admitted += usize::from(wanted),
                None => {
                    let (first, count) = dropped.map_or((item.id, 0), |(first, count, _)| (first, count));
                    dropped = Some((first, count + 1, item.id));
                }
            }
        }
        if let Some((first, count, last)) = dropped {
            self.dropped(first, count, last);
        }
        self.idle.notify(admitted);
    }
}
