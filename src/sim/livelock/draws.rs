//! Whether what was drawn can have mattered.
//!
//! A queue of keys draws how long a failed entity waits before it is tried again. That decides nothing
//! when the retry finds, whenever it comes, what it found when it came, when nobody else is in want of the
//! worker that it takes ([`Strain`]), and when no state that is compared depends on whether it is over. All
//! other draws matter. It reads the trace, each record once. What a newcomer gets wrong: it is not
//! enough that the retry did nothing – at another moment it might have; and what fails again and again
//! may be tried at any moment at all, for each wait counts from the one before.

use std::collections::BTreeMap;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Actor, AnyStatus, Controller, Field, Kind, Reason, SandboxStatus, Subject, Value};
use crate::ports::Strain;
use crate::trace::{Record, Records, Stretch, What};

/// The one purpose of draws that can be without consequence.
pub(super) const RETRY: &str = "retry";

/// The longest wait after the first failure, and after many; the shortest is half of it (rule 2.7).
const WAIT: SimDuration = SimDuration::from_secs(1);
const WAIT_MAX: SimDuration = SimDuration::from_mins(1);

/// An entity that failed, and was tried again until it failed no more.
#[derive(Clone, Copy)]
struct Chain {
    actor: Actor,
    subject: Subject,
    first: SimTime,
    last: SimTime,
    failures: u32,
    /// How many it may have had in a chain before, which lengthen its waits: it failed then, and was queued again at
    /// once and without a draw, for it had been wanted meanwhile.
    earlier: u32,
    /// It failed without a draw since it was last taken up.
    failed_again: bool,
    /// When the first retry can come, and how late the last, however their waits are drawn.
    from: SimTime,
    until: SimTime,
    /// How long its retries have been in hand.
    lasted: SimDuration,
    /// When it was last taken up, if it has not failed since.
    taken_up: Option<SimTime>,
}

/// All retries of a run, as far as its trace was read.
#[derive(Default)]
pub(super) struct Retries {
    read: usize,
    /// Those that may go on.
    open: BTreeMap<(Actor, Subject), Chain>,
    over: Vec<Chain>,
    /// What is not forgotten of a chain that seems to be over: its failures.
    earlier: BTreeMap<(Actor, Subject), u32>,
}

impl Retries {
    /// Reads on.
    pub(super) fn read(&mut self, records: &Records) {
        let unread = records.range(self.read.min(records.len())..);
        for (before, record) in unread.clone().zip(unread.skip(1)) {
            let Record { at, actor, subject, what, .. } = record;
            let key = (actor, subject);
            match what {
                What::Decided(Reason::Reconcile { .. }) => {
                    // It was taken up before and has not failed: it failed no more.
                    if self.open.get(&key).is_some_and(|chain| chain.taken_up.is_some()) {
                        let chain = self.open.remove(&key).expect("it was just found");
                        if chain.failed_again {
                            self.earlier.insert(key, chain.failures + chain.earlier);
                        }
                        self.over.push(chain);
                    } else if let Some(chain) = self.open.get_mut(&key) {
                        chain.taken_up = Some(at);
                    }
                }
                // The failure is noted in the same instant, by the controller that will try again.
                What::Drawn { purpose: RETRY, .. } if is_failure(&before) => self.fail(&before),
                What::Decided(Reason::HandlerFailed { .. }) => {
                    self.open.entry(key).and_modify(|chain| chain.failed_again = chain.taken_up.is_some());
                }
                _ => {}
            }
        }
        self.read = records.len().saturating_sub(1);
    }

    fn fail(&mut self, failure: &Record) {
        let Record { at, actor, subject, .. } = *failure;
        let new = Chain {
            actor,
            subject,
            first: at,
            last: at,
            failures: 0,
            earlier: self.earlier.remove(&(actor, subject)).unwrap_or_default(),
            failed_again: false,
            from: at + SimDuration::from_nanos(WAIT.as_nanos() / 2),
            until: at,
            lasted: SimDuration::ZERO,
            taken_up: None,
        };
        let chain = self.open.entry((actor, subject)).or_insert(new);
        let lasted = chain.taken_up.take().map_or(SimDuration::ZERO, |since| at.since(since));
        chain.lasted = chain.lasted + lasted;
        chain.until += WAIT.saturating_mul(1 << (chain.failures + chain.earlier).min(6)).min(WAIT_MAX);
        chain.failed_again = false;
        chain.last = at;
        chain.failures += 1;
    }

    /// The first purpose for which another draw might have changed something between two looks, or
    /// what is found at one of them. `since` is the number of the first record after the earlier.
    pub(super) fn matters(
        &self,
        records: &Records,
        since: usize,
        (before, now): (SimTime, SimTime),
        strain: Strain,
    ) -> Option<&'static str> {
        let other = (since..records.len()).find_map(|nth| match records.at(nth).what {
            What::Drawn { purpose: RETRY, .. } if nth > 0 && is_failure(&records.at(nth - 1)) => None,
            What::Drawn { purpose, .. } => Some(purpose),
            _ => None,
        });
        let mut recent = self.over.iter().chain(self.open.values()).filter(|chain| chain.ends(strain) >= before);
        let pressed = strain.pressed.is_some_and(|at| at > before);
        other.or_else(|| {
            (pressed || recent.any(|chain| !self.is_idle(chain, records, since, (before, now), strain)))
                .then_some(RETRY)
        })
    }

    /// Whether its retries find the same whenever they come, and are at both looks as they are
    /// for certain.
    fn is_idle(
        &self,
        chain: &Chain,
        records: &Records,
        since: usize,
        (before, now): (SimTime, SimTime),
        strain: Strain,
    ) -> bool {
        let &Chain { actor, subject, from, .. } = chain;
        let begins = since + records.range(since..).partition_point(|record| record.at < from);
        let ends = since + records.range(since..).partition_point(|record| record.at <= chain.ends(strain));
        let mut meanwhile = records.range(begins..ends);
        if matches!(actor.controller, Controller::Sandbox | Controller::Scheduler)
            && is_dead(records.range(..begins), subject, chain.first)
        {
            // They do nothing for the dead but read them, whatever else is written of them, and no state
            // tells of their retries.
            let rises =
                |record: &Record| matches!(record.what, What::Set { field: Field::Status, .. } | What::Deleted { .. });
            return !meanwhile.any(|record| record.subject == subject && rises(&record));
        }
        let read = reads(actor.controller);
        self.is_certain(chain, (before, now), strain)
            && !meanwhile.any(|record| changes(&record).is_some_and(|kind| read.is_empty() || read.contains(&kind)))
    }

    /// Whether it is the same at both looks, however its waits are drawn: it fails all the time,
    /// or surely waits, or is surely over.
    fn is_certain(&self, chain: &Chain, (before, now): (SimTime, SimTime), strain: Strain) -> bool {
        let fails_on = |at: SimTime| chain.last > at;
        let certain_before = chain.from > before || fails_on(before);
        let lasts = chain.from <= before && chain.failures > 1 && chain.taken_up.is_none();
        // What waits for the first time at the later look did so at the earlier.
        let alike = |other: &Chain| {
            other.actor == chain.actor
                && other.subject.kind == chain.subject.kind
                && before.since(other.first) == now.since(chain.first)
                && other.first <= before
        };
        let waits = chain.from > now && self.over.iter().chain(self.open.values()).any(alike);
        certain_before && (chain.ends(strain) < now || lasts || waits)
    }
}

impl Chain {
    /// When the last retry is over at the latest, if it fails no more.
    fn ends(&self, strain: Strain) -> SimTime {
        self.until + strain.waiting(self.lasted + strain.longest)
    }
}

fn is_failure(record: &Record) -> bool {
    matches!(record.what, What::Decided(Reason::HandlerFailed { .. }))
}

/// Whether a sandbox was DEAD at the end of these records; it was written shortly before `since` or
/// later, or the answer is no.
fn is_dead(records: Stretch<'_>, sandbox: Subject, since: SimTime) -> bool {
    let recent = records.rev().take_while(|record| record.at + WAIT_MAX >= since);
    let status = recent.filter(|record| record.subject == sandbox).find_map(|record| match record.what {
        What::Set { field: Field::Status, to: Value::Status(status), .. } => Some(Some(status)),
        What::Deleted { .. } => Some(None),
        _ => None,
    });
    status.flatten() == Some(AnyStatus::Sandbox(SandboxStatus::Dead))
}

/// Of what a record is a change, if of anything that a controller can see.
fn changes(record: &Record) -> Option<Kind> {
    match record.what {
        What::Created { .. } | What::Patched { .. } | What::Deleted { .. } | What::Set { .. } => {
            Some(record.subject.kind)
        }
        What::TaskStarted | What::PortBound | What::TaskEnded { .. } | What::ContainerGone => Some(Kind::Sandbox),
        What::AddressTaken(_) | What::AddressFreed(_) => Some(Kind::Sandbox),
        What::VolumeMade | What::VolumeGone | What::Mounted { .. } | What::Unmounted { .. } => Some(Kind::Volume),
        // What is told of calls are acts upon the backends.
        What::Called { .. } => Some(if record.subject.kind == Kind::Sandbox { Kind::Sandbox } else { Kind::Volume }),
        What::ProcessDown | What::ProcessUp => Some(Kind::Process),
        _ => None,
    }
}

/// What a controller looks at when it reconciles; nothing: whatever there is.
fn reads(controller: Controller) -> &'static [Kind] {
    match controller {
        Controller::Pool => &[Kind::Process, Kind::Pool, Kind::Sandbox, Kind::Version],
        Controller::Scheduler => &[Kind::Process, Kind::Sandbox, Kind::Node],
        Controller::Disk => &[Kind::Process, Kind::Disk, Kind::Volume, Kind::Lease],
        Controller::Lease => &[Kind::Process, Kind::Lease, Kind::Disk, Kind::Volume],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::RecordId;
    use crate::model::{Actor, Failure, Name, NodeId};

    /// A failure at ten seconds and the draw that it led to; then a change of something, so many
    /// milliseconds later.
    fn story(controller: Controller, kind: Kind, status: Option<SandboxStatus>, change: (Kind, u64)) -> Vec<Record> {
        let actor = Actor::on(controller, NodeId::from_index(0));
        let record = |millis: u64, kind, what| Record {
            at: at(millis),
            subject: Subject { kind, index: 1 },
            cause: RecordId::NONE,
            actor,
            what,
        };
        let set = |status| What::Set {
            field: Field::Status,
            from: Value::None,
            to: Value::Status(AnyStatus::Sandbox(status)),
        };
        let failure = Reason::HandlerFailed { error: Failure::Other(Name::new("no")) };
        let mut records = vec![
            record(0, kind, What::Decided(failure)),
            record(0, Kind::Cluster, What::Drawn { purpose: RETRY, bits: 7 }),
        ];
        records.extend(status.map(|status| record(2, kind, set(status))));
        records.push(record(change.1, change.0, set(SandboxStatus::Stopped)));
        records
    }

    fn at(millis: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(10) + SimDuration::from_millis(millis)
    }

    /// What is said of a trace between two looks, from five seconds before the failure on.
    fn said(records: &[Record], looks: (SimTime, SimTime), strain: Strain) -> Option<&'static str> {
        let mut retries = Retries::default();
        let kept = |records: &[Record]| records.iter().copied().collect::<Records>();
        retries.read(&kept(&records[..1]));
        retries.read(&kept(records));
        let since = records.partition_point(|record| record.at <= looks.0);
        retries.matters(&kept(records), since, looks, strain)
    }
    const LOOKS: (SimTime, SimTime) = (SimTime::from_nanos(5_000_000_000), SimTime::from_nanos(300_000_000_000));

    #[test]
    fn a_retry_matters_when_what_it_reads_may_change_before_it_comes() {
        let dead = Some(SandboxStatus::Dead);
        let cases = [
            (Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 700), false, "no disk controller reads sandboxes"),
            (Controller::Disk, Kind::Disk, None, (Kind::Volume, 700), true, "but volumes"),
            (Controller::Disk, Kind::Disk, None, (Kind::Volume, 499), false, "before any retry"),
            (Controller::Disk, Kind::Disk, None, (Kind::Volume, 1_011), false, "after every retry"),
            (Controller::Launcher, Kind::App, None, (Kind::Volume, 1_010), true, "a launcher reads whatever there is"),
            (Controller::Sandbox, Kind::Sandbox, dead, (Kind::Lease, 700), false, "the dead are only read"),
            (Controller::Sandbox, Kind::Sandbox, dead, (Kind::Sandbox, 700), true, "it is dead no more"),
            (Controller::Sandbox, Kind::Sandbox, None, (Kind::Lease, 700), true, "it may be living"),
        ];
        let strain = Strain { longest: SimDuration::from_millis(10), ..Strain::default() };
        for (controller, kind, status, change, expected, why) in cases {
            let records = story(controller, kind, status, change);
            assert_eq!(said(&records, LOOKS, strain).is_some(), expected, "{why}");
        }
        let mut other = story(Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 700));
        other[1].what = What::Drawn { purpose: "node", bits: 7 };
        assert_eq!(said(&other, LOOKS, strain), Some("node"));
    }

    #[test]
    fn a_retry_matters_when_somebody_may_be_in_want_of_its_worker() {
        let records = story(Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 700));
        let pressed = |at| Strain { pressed: Some(at), ..Strain::default() };
        assert_eq!(said(&records, LOOKS, pressed(at(1))), Some(RETRY));
        assert_eq!(said(&records, LOOKS, pressed(LOOKS.0)), None, "before the period");
    }

    #[test]
    fn a_retry_matters_when_a_look_may_come_before_or_after_it() {
        let dead = Some(SandboxStatus::Dead);
        let disk = story(Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 700));
        let sandbox = story(Controller::Sandbox, Kind::Sandbox, dead, (Kind::Lease, 700));
        for (look, matters) in [(400, true), (700, true), (1_100, false)] {
            let later = (LOOKS.0, at(look));
            assert_eq!(said(&disk, later, Strain::default()).is_some(), matters, "at {look} ms");
            assert_eq!(said(&sandbox, later, Strain::default()), None, "no state tells of the retries of the dead");
        }
        assert_eq!(said(&disk, (at(700), LOOKS.1), Strain::default()), Some(RETRY));
        assert_eq!(said(&disk, (at(400), LOOKS.1), Strain::default()), None, "it waits for certain");
    }

    /// A disk that fails every 45 seconds, and a change of a volume in the instant after the third failure.
    #[test]
    fn what_fails_again_and_again_may_be_tried_at_any_moment() {
        let one = story(Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 100));
        let taken_up = What::Decided(Reason::Reconcile { change: "updated" });
        let mut records = Vec::new();
        for nth in 0..8 {
            let shift = SimDuration::from_secs(45 * nth);
            let mut link = vec![Record { what: taken_up, ..one[0] }, one[0], one[1]];
            link.iter_mut().for_each(|record| record.at += shift);
            records.extend(link);
        }
        let looks = (at(120_000), at(300_000));
        assert_eq!(said(&records, looks, Strain::default()), None, "nothing that it reads ever changes");
        let volume = Subject { kind: Kind::Volume, index: 1 };
        let place = records.partition_point(|record| record.at <= at(180_000));
        records.insert(place, Record { at: at(180_001), subject: volume, what: What::VolumeMade, ..one[0] });
        assert_eq!(said(&records, looks, Strain::default()), Some(RETRY));
    }

    /// A disk that fails three times, is wanted once more while it is tried, fails and is tried again at once, without a draw:
    /// then it waits for longer than one that failed for the first time.
    #[test]
    fn what_is_tried_again_at_once_waits_for_longer_afterwards() {
        let one = story(Controller::Disk, Kind::Disk, None, (Kind::Sandbox, 100));
        let taken_up = Record { what: What::Decided(Reason::Reconcile { change: "updated" }), ..one[0] };
        let mut records = Vec::new();
        for nth in 0..3 {
            let link = [taken_up, one[0], one[1]];
            records.extend(link.map(|record| Record { at: record.at + SimDuration::from_secs(3 * nth), ..record }));
        }
        let last = [taken_up, one[0], taken_up, one[0], one[1]];
        records.extend(last.map(|record| Record { at: record.at + SimDuration::from_secs(15), ..record }));
        let looks = (SimTime::ZERO, at(300_000));
        for (after, matters) in [(20_000, true), (60_000, false)] {
            let volume = Subject { kind: Kind::Volume, index: 1 };
            let change = Record {
                at: one[0].at + SimDuration::from_millis(after),
                subject: volume,
                what: What::VolumeMade,
                ..one[0]
            };
            let all = [&records[..], &[change]].concat();
            assert_eq!(said(&all, looks, Strain::default()).is_some(), matters, "after {after} ms");
        }
    }
}
