//! How rest comes and goes: whether a cluster settles and unsettles by itself, again and again.
//!
//! It counts from the last thing that happened outside – a step, a strike, an edge of a fault's window, a
//! request that raised a pool. Rests are told apart by what serves in them, so that one service after the
//! other going to sleep is no coming and going. It flaps when a rest has ended by itself twice, when a rest
//! like the one that there is now has ended before, and when this one has not lasted longer than twice the
//! longest like it. Rests that a program's exit ended do not count when no program is about to exit.

use std::collections::BTreeMap;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{AppId, Name};

/// What serves while a cluster is at rest: how many sandboxes of each service.
pub(super) type Serving = BTreeMap<(AppId, Name), u32>;

/// That a cluster settles and unsettles by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flaps {
    /// From the first rest on since anything happened outside.
    pub from: SimTime,
    /// How often it was unsettled by itself since then.
    pub times: u32,
    /// For how long it was settled.
    pub settled: SimDuration,
    /// Out of how long.
    pub of: SimDuration,
}

impl Flaps {
    /// The share of time that it was settled, in thousandths.
    pub fn permille(&self) -> u64 {
        let of = u128::from(self.of.as_nanos().max(1));
        (u128::from(self.settled.as_nanos()) * 1000 / of) as u64
    }
}

/// How a rest ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// A request raised a pool: that is from outside.
    Woken,
    /// A program exited.
    Exit,
    /// The scheduler did something.
    Itself,
}

/// How often rests of one kind ended, and how long the longest had lasted.
#[derive(Clone, Copy, Default)]
struct Ended {
    by_exits: u32,
    by_itself: u32,
    longest: SimDuration,
}

/// What is remembered since the last thing from outside.
#[derive(Default)]
pub(super) struct Rhythm {
    /// When the first rest began.
    from: Option<SimTime>,
    /// When what there is now began, rest or unrest.
    since: SimTime,
    /// What serves in the rest that there is now.
    serving: Option<Serving>,
    ended: BTreeMap<Serving, Ended>,
    times: u32,
    settled: SimDuration,
    longest_unrest: SimDuration,
}

impl Rhythm {
    /// Something happened outside: what was before says nothing of what comes.
    pub(super) fn disturbed(&mut self, now: SimTime) {
        let serving = self.serving.take();
        *self = Self { from: serving.as_ref().map(|_| now), since: now, serving, ..Self::default() };
    }

    /// When what there is now began, rest or unrest, or was last touched from outside.
    pub(super) fn since(&self) -> SimTime {
        self.since
    }

    /// The cluster comes to rest.
    pub(super) fn rests(&mut self, now: SimTime, serving: Serving) {
        if self.from.is_some() {
            self.longest_unrest = self.longest_unrest.max(now.since(self.since));
        }
        self.from = self.from.or(Some(now));
        (self.since, self.serving) = (now, Some(serving));
    }

    /// It leaves its rest.
    pub(super) fn leaves(&mut self, now: SimTime, end: End) {
        if end == End::Woken {
            *self = Self { since: now, ..Self::default() };
            return;
        }
        let Some(serving) = self.serving.take() else { return };
        let rest = now.since(self.since);
        let ended = self.ended.entry(serving).or_default();
        ended.longest = ended.longest.max(rest);
        match end {
            End::Exit => ended.by_exits += 1,
            End::Itself | End::Woken => ended.by_itself += 1,
        }
        (self.since, self.times) = (now, self.times + 1);
        self.settled = self.settled + rest;
    }

    /// Whether it flaps until now; never after a rest of `quiet`, unless exits ended such rests and
    /// (`exits_ahead`) a program that runs will exit.
    pub(super) fn flaps(&self, now: SimTime, quiet: SimDuration, exits_ahead: bool) -> Option<Flaps> {
        let lasts = now.since(self.since);
        let counts = |ended: &Ended, exits: bool| ended.by_itself + if exits { ended.by_exits } else { 0 };
        let (goes_on, exits, rest) = match &self.serving {
            Some(serving) => {
                let alike = self.ended.get(serving).filter(|ended| counts(ended, exits_ahead) > 0);
                let goes_on = alike.is_some_and(|ended| {
                    let exits = exits_ahead && ended.by_exits > 0;
                    (lasts < quiet || exits) && lasts <= ended.longest * 2
                });
                (goes_on, exits_ahead, lasts)
            }
            None => (lasts <= self.longest_unrest * 2, true, SimDuration::ZERO),
        };
        let again = goes_on && self.ended.values().any(|ended| counts(ended, exits) > 1);
        let from = self.from.filter(|_| again)?;
        Some(Flaps { from, times: self.times, settled: self.settled + rest, of: now.since(from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    fn serving(count: u32) -> Serving {
        Serving::from([((AppId::from_index(0), Name::new("web")), count)])
    }

    /// Rests of so many seconds with so many sandboxes each, with 10 s between them, each ended so;
    /// the last goes on.
    fn rests(end: End, rests: &[(u64, u32)]) -> (Rhythm, u64) {
        let (mut rhythm, mut now) = (Rhythm::default(), 0);
        for (index, (lasts, count)) in rests.iter().enumerate() {
            rhythm.rests(at(now), serving(*count));
            now += lasts;
            if index + 1 < rests.len() {
                rhythm.leaves(at(now), end);
                now += 10;
            }
        }
        (rhythm, now)
    }

    #[test]
    fn it_flaps_when_the_same_rest_ends_again_and_again() {
        use End::{Exit, Itself, Woken};
        type Case = (End, &'static [(u64, u32)], bool, bool);
        let cases: [Case; 12] = [
            (Itself, &[(60, 1), (60, 1), (60, 1)], false, true),
            (Itself, &[(60, 1), (60, 1)], false, false),
            // Twice as long as ever, and longer than anybody looks back.
            (Itself, &[(60, 1), (60, 1), (120, 1)], false, true),
            (Itself, &[(60, 1), (60, 1), (121, 1)], false, false),
            (Itself, &[(900, 1), (900, 1), (1000, 1)], false, false),
            // One after the other goes to sleep; a pool that is deleted and made again.
            (Itself, &[(60, 3), (60, 2), (60, 1), (60, 0)], false, false),
            (Itself, &[(60, 1), (60, 0), (60, 1), (60, 0)], false, true),
            // A program that exits, and one that has exited for the last time.
            (Exit, &[(60, 1), (60, 1), (60, 1)], true, true),
            (Exit, &[(60, 1), (60, 1), (60, 1)], false, false),
            (Exit, &[(1100, 1), (1100, 1), (1100, 1)], true, true),
            (Exit, &[(1100, 1), (1100, 1), (1100, 1)], false, false),
            (Woken, &[(60, 1), (60, 1), (60, 1)], true, false),
        ];
        for (case, (end, lasting, ahead, flaps)) in cases.into_iter().enumerate() {
            let (rhythm, now) = rests(end, lasting);
            let found = rhythm.flaps(at(now), SimDuration::from_secs(1000), ahead);
            assert_eq!(found.is_some(), flaps, "case {case}");
        }
    }

    #[test]
    fn the_share_is_that_of_the_time_since_the_first_rest_and_what_is_outside_begins_anew() {
        let (mut rhythm, now) = rests(End::Itself, &[(60, 1), (60, 1), (50, 1)]);
        let quiet = SimDuration::from_secs(1000);
        let flaps = rhythm.flaps(at(now), quiet, false).expect("three times");
        assert_eq!((flaps.from, flaps.times, flaps.settled, flaps.of.as_secs()), (at(0), 2, at(170).elapsed(), 190));
        assert_eq!(flaps.permille(), 894);
        // In between it flaps, too, until that lasts twice as long as ever.
        rhythm.leaves(at(now), End::Itself);
        assert!(rhythm.flaps(at(now + 20), quiet, false).is_some());
        assert!(rhythm.flaps(at(now + 21), quiet, false).is_none());
        rhythm.disturbed(at(now));
        assert!(rhythm.flaps(at(now), quiet, false).is_none());
    }
}
