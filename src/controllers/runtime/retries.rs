//! When retries may hold a worker, and whether somebody else wanted it then.
//!
//! A retry comes at a moment that was drawn. That it finds the same whenever it comes can be read off the
//! trace; that it takes a worker cannot. So here it is counted how many retries might be in hand, however
//! their waits had been drawn, whenever something else wants a worker: as long as there is one left for it,
//! nobody waits for a retry, and as long as the others leave one, a retry waits for retries only. It decides nothing for the
//! queue. What a newcomer gets wrong: the retries of something that fails again and again may come at any time at
//! all, for each counts from the one before.

use crate::ports::Strain;
use crate::time::{SimDuration, SimTime};

/// Where the retry stands that a window is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is still to come, or waits for a worker.
    Ahead,
    /// A worker has it since then.
    Begun(SimTime),
    /// It is over, or will never come.
    Over,
}

/// The time in which the retry of an entity may be in hand, as it might have been drawn.
struct Window {
    entity: u32,
    from: SimTime,
    /// When the last wait is over at the latest; while the retry is not over, it may still come later.
    until: SimTime,
    /// How long its retries have been in hand.
    lasted: SimDuration,
    stage: Stage,
    /// Something else about the entity came when its retry might have been in hand.
    joined: bool,
}

/// The retries of a queue, and what else its workers have to do.
pub(super) struct Retries {
    workers: usize,
    /// How much wants a worker or has one, besides retries.
    others: usize,
    /// Since when that many do.
    since: SimTime,
    windows: Vec<Window>,
    strain: Strain,
}

impl Retries {
    /// None yet, of a queue with so many workers.
    pub(super) fn new(workers: u32) -> Self {
        let (windows, strain) = (Vec::new(), Strain::default());
        Self { workers: workers as usize, others: 0, since: SimTime::ZERO, windows, strain }
    }

    /// Something else about an entity wants a worker.
    pub(super) fn wanted(&mut self, entity: u32, now: SimTime) {
        self.look(now);
        let mut open = 0;
        for window in self.windows.iter_mut().filter(|window| window.is_open(now, now, self.strain)) {
            open += 1;
            window.joined |= window.entity == entity;
        }
        if open > 0 && self.others + open >= self.workers {
            self.strain.pressed = Some(now);
        }
        self.others += 1;
    }

    /// Somebody has come for an entity before its retry was begun.
    pub(super) fn overtaken(&mut self, entity: u32, now: SimTime) {
        self.close(entity, self.strain.longest);
        self.wanted(entity, now);
    }

    /// A worker takes the retry of an entity.
    pub(super) fn begun(&mut self, entity: u32, now: SimTime) {
        self.windows
            .iter_mut()
            .filter(|window| window.entity == entity && window.stage == Stage::Ahead)
            .for_each(|window| window.stage = Stage::Begun(now));
    }

    /// A worker lets go of an entity.
    pub(super) fn ended(&mut self, entity: u32, now: SimTime) {
        self.look(now);
        let begun = self.windows.iter().find_map(|window| match window.stage {
            Stage::Begun(at) if window.entity == entity => Some(at),
            _ => None,
        });
        match begun {
            None => {
                self.others -= 1;
                // What might have waited for a retry of the same entity may go on after that could last.
                let of_it = self.windows.iter().filter(|window| window.entity == entity && window.joined);
                if of_it.clone().any(|window| window.is_past(now, self.strain)) {
                    self.strain.pressed = Some(now);
                }
            }
            Some(at) => {
                self.strain.longest = self.strain.longest.max(now.since(at));
                self.close(entity, now.since(at));
            }
        }
        let strain = self.strain;
        self.windows.retain(|window| !window.is_past(now, strain));
    }

    /// An entity has failed, for so many times in a row before, and waits for half of `wait` at
    /// least and all of it at most.
    pub(super) fn failed(&mut self, entity: u32, now: SimTime, failures: u32, wait: SimDuration) {
        let half = SimDuration::from_nanos(wait.as_nanos() / 2);
        let chain = self.windows.iter_mut().rfind(|window| window.entity == entity).filter(|_| failures > 0);
        match chain {
            Some(window) => {
                window.until = window.until.max(now) + wait;
                window.stage = Stage::Ahead;
            }
            None => {
                let from = if failures == 0 { now + half } else { now };
                let (until, lasted, stage) = (now + wait, SimDuration::ZERO, Stage::Ahead);
                self.windows.push(Window { entity, from, until, lasted, stage, joined: false });
                self.strain.crowd = self.strain.crowd.max(self.windows.len() as u32);
            }
        }
    }

    pub(super) fn strain(&self) -> Strain {
        self.strain
    }

    fn close(&mut self, entity: u32, lasts: SimDuration) {
        for window in self.windows.iter_mut().filter(|window| window.entity == entity && window.stage != Stage::Over) {
            window.stage = Stage::Over;
            window.lasted = window.lasted + lasts;
        }
    }

    /// Looks at the time since the last change: whether the others left a worker for retries.
    fn look(&mut self, now: SimTime) {
        let since = std::mem::replace(&mut self.since, now);
        if self.others >= self.workers && self.windows.iter().any(|window| window.is_open(since, now, self.strain)) {
            self.strain.pressed = Some(now);
        }
    }
}

impl Window {
    /// Whether a retry may be in hand at some time between the two.
    fn is_open(&self, from: SimTime, to: SimTime, strain: Strain) -> bool {
        self.from <= to && !self.is_past(from, strain)
    }

    fn is_past(&self, at: SimTime, strain: Strain) -> bool {
        self.stage == Stage::Over && self.until + strain.waiting(self.lasted) < at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_millis(millis)
    }
    const WAIT: SimDuration = SimDuration::from_secs(1);
    const LASTS: u64 = 2;

    /// Entities 1 to `failed` fail at 10 s and wait; others want a worker at those moments, for
    /// two milliseconds each.
    fn pressed(workers: u32, failed: u32, others: &[u64]) -> Option<SimTime> {
        let mut retries = Retries::new(workers);
        for entity in 1..=failed {
            retries.wanted(entity, at(10_000));
            retries.ended(entity, at(10_000));
            retries.failed(entity, at(10_000), 0, WAIT);
        }
        let come = others.iter().map(|millis| (*millis, 0));
        let go = others.iter().map(|millis| (*millis + LASTS, 1));
        let mut events: Vec<(u64, u32)> = come.chain(go).chain([(10_700, 2), (10_702, 3)]).collect();
        events.sort_unstable();
        for (millis, what) in events {
            match what {
                0 => retries.wanted(100, at(millis)),
                1 => retries.ended(100, at(millis)),
                2 => (1..=failed).for_each(|entity| retries.begun(entity, at(millis))),
                _ => (1..=failed).for_each(|entity| retries.ended(entity, at(millis))),
            }
        }
        retries.strain().pressed
    }

    #[test]
    fn others_are_pressed_where_retries_may_leave_them_no_worker() {
        assert_eq!(pressed(1, 1, &[]), None, "nobody else");
        assert_eq!(pressed(1, 1, &[10_490]), None, "over before any retry");
        assert_eq!(pressed(1, 1, &[10_600]), Some(at(10_602)), "the retry came later, and might have come then");
        assert_eq!(pressed(1, 1, &[10_499]), Some(at(10_501)), "a retry might have come before that was over");
        assert_eq!(pressed(1, 1, &[11_001]), Some(at(11_003)), "the retry might still have been in hand");
        assert_eq!(pressed(1, 1, &[11_003]), None, "over after every retry");
        assert_eq!(pressed(2, 1, &[10_600]), None, "there are workers for both");
        assert_eq!(pressed(3, 2, &[10_600]), None);
        assert_eq!(pressed(3, 8, &[10_400]), None, "retries wait for each other, and for nobody else");
        assert_eq!(pressed(3, 3, &[10_600]), Some(at(10_600)), "all three retries may come at once");
        assert_eq!(pressed(3, 1, &[10_600, 10_600]), None);
        assert_eq!(pressed(3, 1, &[10_600, 10_600, 10_600]), Some(at(10_602)));
    }

    #[test]
    fn what_fails_again_and_again_may_come_at_any_time() {
        let mut retries = Retries::new(1);
        retries.wanted(1, at(0));
        retries.ended(1, at(0));
        for nth in 0..4 {
            let failed = at(nth * 50_000);
            retries.failed(1, failed, nth as u32, SimDuration::from_mins(1));
            retries.begun(1, failed + SimDuration::from_secs(50));
            retries.ended(1, failed + SimDuration::from_secs(50));
        }
        assert_eq!(retries.strain().pressed, None);
        // The last one ended at 200 s; four waits of a minute might have taken it to 240 s.
        retries.wanted(2, at(239_000));
        retries.ended(2, at(239_001));
        assert_eq!(retries.strain().pressed, Some(at(239_001)));
    }
}
