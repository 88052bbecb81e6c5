//! A run under way: the world, and whoever looks at it while it goes on.
//!
//! It knows the order in which they look: crashes strike, judges judge, recurrences are sought –
//! after every kernel step that gives them something to look at, and at the judges' own
//! deadlines, after the events of that instant and before any later one. It knows no scenario.
//! What a newcomer gets wrong: nobody here may move the clock beyond what is next, and a guard
//! that ends the run ends it at once, wherever it stands.

use crate::kernel::{SimTime, Step, Stop};
use crate::trace::{Record, Trace, What};
use crate::world::World;
use crate::world::judge::{Flaps, Judge};

use super::crash::Crashes;
use super::livelock::Recurrence;
use super::{Livelock, Platform, Progress, Proofs, Refusal, traffic};

/// Who is told how far a run is hears of it after so many looks of the judges.
const LOOKS_PER_TELLING: u32 = 1024;

/// A run under way.
pub(super) struct Run {
    pub(super) world: World,
    pub(super) platform: Platform,
    pub(super) judge: Judge,
    pub(super) recurrence: Recurrence,
    pub(super) crashes: Crashes,
    pub(super) proofs: Proofs,
    /// Whether the judges are asked.
    pub(super) judged: bool,
}

impl Run {
    /// Goes on to the horizon, or until a guard stops it.
    pub(super) fn drive(&mut self, horizon: SimTime, progress: Option<Progress<'_>>) -> Stop {
        self.crashes.strike(&self.world);
        let mut due = self.look(horizon);
        let mut looks = 0_u32;
        loop {
            looks = looks.wrapping_add(1);
            if let Some(progress) = progress.filter(|_| looks.is_multiple_of(LOOKS_PER_TELLING)) {
                progress(self.world.kernel().now());
            }
            match self.world.log().run(due.unwrap_or(horizon), self.look_from()) {
                Step::Ran => {
                    self.crashes.strike(&self.world);
                    // Most steps write nothing that is judged.
                    if self.world.log().has_news() {
                        due = self.look(horizon);
                    }
                    if self.world.log().is_full() {
                        return Stop::TraceFull;
                    }
                    if self.is_proved() {
                        return Stop::Enough;
                    }
                }
                Step::Idle => {
                    let Some(deadline) = due else { break };
                    self.world.kernel().advance_to(deadline);
                    self.judge.advance(&self.world, deadline);
                    if self.world.log().is_full() {
                        return Stop::TraceFull;
                    }
                    due = self.next_deadline(horizon);
                }
                Step::Stopped(stop) => return stop,
            }
        }
        if self.judged {
            self.judge.finish(&self.world, horizon);
        }
        self.world.kernel().advance_to(horizon);
        traffic::give_up(&self.world, &self.platform);
        if self.judged {
            self.judge.observe(&self.world);
        }
        Stop::Horizon
    }

    /// From when on each step is looked at by somebody besides the judges.
    fn look_from(&self) -> SimTime {
        if self.crashes.counts() {
            SimTime::ZERO
        } else if self.proofs == Proofs::Off {
            SimTime::MAX
        } else {
            self.recurrence.next_look()
        }
    }

    /// Has the judges look at what is new; when they want to look again by themselves.
    fn look(&mut self, horizon: SimTime) -> Option<SimTime> {
        if self.judged {
            self.judge.observe(&self.world);
        }
        // Where nobody judges, nothing is news for long.
        self.world.log().take_news();
        self.next_deadline(horizon)
    }

    fn next_deadline(&self, horizon: SimTime) -> Option<SimTime> {
        self.judge.next_deadline().filter(|due| *due <= horizon)
    }

    /// Whether a livelock is proved, and the run was to end then.
    fn is_proved(&mut self) -> bool {
        let due = self.recurrence.is_due(self.world.kernel().now());
        if due && self.proofs != Proofs::Off && !self.crashes.lie_ahead() {
            let memories = self.platform.memories.borrow();
            self.recurrence.look(&self.world, memories.values().flatten());
            return self.proofs == Proofs::Stop && self.recurrence.proved().is_some_and(Livelock::never_settles);
        }
        false
    }

    /// How the cluster settles and unsettles: as is proved, else as the judges saw it.
    pub(super) fn flaps(&self, recurrence: Option<Livelock>) -> Option<Flaps> {
        let Self { world, judge, .. } = self;
        let Some(proof) = recurrence else { return judge.flaps(world) };
        if proof.never_settles() || proof.is_at_rest() {
            return None;
        }
        let Livelock { from, period, settled } = proof;
        let is_end = |record: &Record| record.what == What::Unsettled && record.at > from;
        let times = world.log().with_trace(|trace| trace.records().iter().filter(is_end).count());
        Some(Flaps { from, times: u32::try_from(times).unwrap_or(u32::MAX), settled, of: period })
    }

    /// What comes of trying its claim: for that it goes on beyond its end, and nothing of it is read any more but
    /// the trace, which begins as that was which was taken from it.
    pub(super) fn certify(&mut self, trace: &Trace, progress: Option<Progress<'_>>) -> Result<(), Refusal> {
        let tried = self.recurrence.tried().expect("who claims tries");
        if let Some(known) = tried.known() {
            return known;
        }
        let until = tried.until();
        self.world.log().resume(trace.clone());
        self.proofs = Proofs::Note;
        self.drive(until, progress);
        self.recurrence.tried().expect("it is tried still").result()
    }

    /// Ends it: its tasks are dropped and its memory is given back.
    pub(super) fn end(self) {
        self.world.kernel().close();
        // The world keeps how processes start, and what they remember keeps the world.
        self.platform.forget();
        debug_assert!(self.world.is_last_handle(), "something keeps the world of a run that is over");
    }
}
