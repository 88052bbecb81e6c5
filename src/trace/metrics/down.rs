//! How long services were down: without a single ready sandbox although one is wanted.
//!
//! A service is an app's, whatever its pools and versions; it is down only after it was up. It knows
//! counts of pools and no record. What a newcomer gets wrong: a rollout whose old pool serves on is no
//! time down.

use std::collections::BTreeMap;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Name, slot};

#[derive(Clone, Copy, Default, Debug)]
struct Pool {
    app: Option<u32>,
    service: Option<Name>,
    /// The place of its service.
    of: Option<usize>,
    ready: u64,
    wants: u64,
}

#[derive(Clone, Copy, Debug)]
struct Service {
    app: u32,
    ready: u64,
    wants: u64,
    was_up: bool,
    down_since: Option<SimTime>,
}

/// The times of all services.
#[derive(Clone, Default, Debug)]
pub(super) struct Down {
    pools: Vec<Pool>,
    places: BTreeMap<(u32, Name), usize>,
    services: Vec<Service>,
    by_app: BTreeMap<u32, SimDuration>,
}

impl Down {
    pub(super) fn app(&mut self, pool: u32, app: u32) {
        slot(&mut self.pools, pool, Pool::default()).app = Some(app);
        self.place(pool);
    }

    pub(super) fn service(&mut self, pool: u32, service: Name) {
        slot(&mut self.pools, pool, Pool::default()).service = Some(service);
        self.place(pool);
    }

    fn place(&mut self, pool: u32) {
        let pool = &mut self.pools[pool as usize];
        if let (Some(app), Some(service)) = (pool.app, pool.service) {
            let services = &mut self.services;
            pool.of = Some(*self.places.entry((app, service)).or_insert_with(|| {
                services.push(Service { app, ready: 0, wants: 0, was_up: false, down_since: None });
                services.len() - 1
            }));
        }
    }

    /// So many sandboxes of a pool are ready now, of so many that it wants.
    pub(super) fn counted(&mut self, pool: u32, at: SimTime, ready: u64, wants: u64) {
        let pool = slot(&mut self.pools, pool, Pool::default());
        let Some(of) = pool.of else { return };
        let before = std::mem::replace(pool, Pool { ready, wants, ..*pool });
        let service = &mut self.services[of];
        service.ready = service.ready + ready - before.ready;
        service.wants = service.wants + wants - before.wants;
        service.was_up |= service.ready > 0;
        let is_down = service.was_up && service.ready == 0 && service.wants > 0;
        match (service.down_since, is_down) {
            (None, true) => service.down_since = Some(at),
            (Some(since), false) => {
                service.down_since = None;
                let total = self.by_app.entry(service.app).or_default();
                *total = *total + at.since(since);
            }
            (Some(_), true) | (None, false) => {}
        }
    }

    /// The time of each app's services together, by the app's number.
    pub(super) fn finish(mut self, end: SimTime) -> BTreeMap<u32, SimDuration> {
        for service in &self.services {
            if let Some(since) = service.down_since {
                let total = self.by_app.entry(service.app).or_default();
                *total = *total + end.since(since);
            }
        }
        self.by_app
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    #[test]
    fn a_service_is_down_after_it_was_up_and_while_no_pool_of_it_serves() {
        let mut down = Down::default();
        for (pool, app, service) in [(0, 0, "web"), (1, 0, "web"), (2, 0, "db"), (3, 1, "web")] {
            down.app(pool, app);
            down.service(pool, Name::new(service));
            down.counted(pool, at(0), 0, 1);
        }
        // None was up before: these are first boots.
        down.counted(0, at(10), 1, 1);
        // The old pool serves on, then it goes before the new one serves: 5 s.
        down.counted(0, at(20), 0, 0);
        down.counted(1, at(25), 1, 1);
        // What wants none is not down; what crashed is, to the end: 30 s and 40 s.
        down.counted(2, at(30), 1, 1);
        down.counted(2, at(70), 0, 1);
        down.counted(3, at(30), 1, 1);
        down.counted(3, at(60), 0, 1);
        down.counted(1, at(80), 0, 0);
        assert_eq!(down.finish(at(100)), [(0, SimDuration::from_secs(35)), (1, SimDuration::from_secs(40))].into());
    }
}
