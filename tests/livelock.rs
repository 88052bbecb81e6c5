//! Livelocks are sound: what was proved to repeat for ever does repeat.
//!
//! Whenever a run claims a livelock, it is run on for ten periods more, and each of them is
//! compared with the first, record by record: the same actors, subjects, decisions and values,
//! times shifted by the period, names of what was born and died on the way renumbered one to
//! one. What a newcomer gets wrong: judges and their graces are no part of the state, and what
//! they find once they do not find again; their records are left out.

use std::collections::BTreeMap;
use std::fmt;
use std::mem::discriminant;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use schedsim::kernel::{SimDuration, SimTime, Stop};
use schedsim::model::{Address, Controller, Field, Reason, Subject, Value};
use schedsim::scenario::{Overrides, Scenario, Variant};
use schedsim::sim::{Livelock, Outcome, Proofs, Refusal, Simulation, Unproved};
use schedsim::trace::{Record, Trace, What};

#[path = "common/corpus.rs"]
mod corpus;
use corpus::corpus;
#[path = "common/stories.rs"]
mod stories;

/// From this count on the backoff of the default constants waits its cap.
const CRASHES_CAPPED: u32 = 8;
/// No rule looks further back.
const LONG_PAST: SimDuration = SimDuration::from_mins(70);
/// How many periods are compared with the first.
const PERIODS: u64 = 10;

/// Which thing of a later period stands for which of the first: one to one, and of one kind.
#[derive(Clone, Default)]
struct Renaming {
    subjects: BTreeMap<Subject, Subject>,
    back: BTreeMap<Subject, Subject>,
    addresses: BTreeMap<Address, Address>,
    addresses_back: BTreeMap<Address, Address>,
}

impl Renaming {
    fn same(&mut self, first: Subject, later: Subject) -> bool {
        first.kind == later.kind
            && *self.subjects.entry(first).or_insert(later) == later
            && *self.back.entry(later).or_insert(first) == first
    }
    fn same_address(&mut self, first: Address, later: Address) -> bool {
        first.node == later.node
            && *self.addresses.entry(first).or_insert(later) == later
            && *self.addresses_back.entry(later).or_insert(first) == first
    }
    fn same_value(&mut self, first: Value, later: Value, shift: SimDuration) -> bool {
        match (first, later) {
            (Value::Ref(first), Value::Ref(later)) => self.same(first, later),
            (Value::Address(first), Value::Address(later)) => self.same_address(first, later),
            // A time may lie further back than any rule looks: then it has stood still.
            (Value::Time(first), Value::Time(later)) => later == first + shift || later == first,
            (first, later) => first == later,
        }
    }
}

impl Renaming {
    /// Whether a record of a later period says what one of the first does.
    fn fits(&mut self, a: &Record, b: &Record, shift: SimDuration) -> bool {
        if a.at + shift != b.at || a.actor != b.actor || a.subject.kind != b.subject.kind {
            return false;
        }
        // A collector takes the dead of one pass in the order of random keys: when it takes one
        // is the same in every period, and how many, but not which.
        if a.actor.controller == Controller::Collector {
            return discriminant(&a.what) == discriminant(&b.what);
        }
        let values = match (a.what, b.what) {
            (
                What::Set { field: Field::ConsecutiveCrashCount, to: Value::Int(a), .. },
                What::Set { to: Value::Int(b), .. },
            ) if a.min(b) >= u64::from(CRASHES_CAPPED) => true,
            (What::Set { from: f1, to: t1, .. }, What::Set { from: f2, to: t2, .. }) => {
                self.same_value(f1, f2, shift) && self.same_value(t1, t2, shift)
            }
            (What::AddressTaken(x), What::AddressTaken(y)) => self.same_address(x, y),
            // Free, it is one of many alike: whoever takes it next may take another.
            (What::AddressFreed(x), What::AddressFreed(y)) => {
                let same = self.same_address(x, y);
                self.addresses.remove(&x);
                self.addresses_back.remove(&y);
                same
            }
            _ => true,
        };
        values && words(a.what, SimDuration::ZERO) == words(b.what, shift) && self.same(a.subject, b.subject)
    }
}

/// The records of a period, but for those of the judges, for looks that led to nothing (a list
/// is in the order of random keys, so they come in any order), and for the numbers of instances.
fn window(trace: &Trace, from: SimTime, to: SimTime) -> Vec<Record> {
    let judged = |r: &Record| {
        matches!(
            r.what,
            What::Broken { .. }
                | What::Decided(Reason::Reconcile { .. } | Reason::DiskChanged)
                | What::Set { field: Field::Instance, .. }
        )
    };
    let inside = trace.records().iter().filter(|r| r.at > from && r.at <= to);
    inside.filter(|r| !judged(r)).collect()
}

/// What a record says without names, handles, revisions and times that only shift.
fn words(what: What, shift: SimDuration) -> String {
    match what {
        What::Created { .. } => "created".to_owned(),
        What::Patched { .. } => "patched".to_owned(),
        What::Deleted { .. } => "deleted".to_owned(),
        What::Set { field, .. } => format!("set {field:?}"),
        What::AddressTaken(_) => "takes".to_owned(),
        What::AddressFreed(_) => "frees".to_owned(),
        What::Called { point, since } => {
            format!("called {point:?} {:?}", since.as_nanos().wrapping_sub(shift.as_nanos()))
        }
        What::CallFailed { point, since, error } => {
            format!("failed {point:?} {:?} {error}", since.as_nanos().wrapping_sub(shift.as_nanos()))
        }
        // The count rises for ever; from the backoff's cap on it decides nothing.
        What::Decided(Reason::CrashesCounted { found, count: CRASHES_CAPPED.., wait, limit }) => {
            format!("{found} crashes, {wait} {limit}")
        }
        // An age that has long passed its limit only grows.
        What::Decided(Reason::Recovered { ran, limit }) if ran >= LONG_PAST => format!("ran long enough: {limit}"),
        What::Decided(Reason::NodeLost { since, limit }) if since >= LONG_PAST => format!("lost long ago: {limit}"),
        // Handles of entities are numbers here; the writes that follow tell which they were.
        What::Decided(reason) => reason.to_string(),
        other => format!("{other:?}"),
    }
}

/// The first thing in which a later period differs from the first.
fn difference(trace: &Trace, proof: Livelock, nth: u64) -> Option<String> {
    let shift = proof.period * nth;
    let first = window(trace, proof.from, proof.from + proof.period);
    let later = window(trace, proof.from + shift, proof.from + shift + proof.period);
    let tell = |r: &Record| format!("{} {:?} {} {:?}", r.at, r.actor, trace.name(r.subject), r.what);
    let mut renaming = Renaming::default();
    let mut left: &[Record] = &later;
    let mut waiting: Vec<Record> = Vec::new();
    for a in &first {
        // What happens in one instant to several things may come in another order.
        let instant = left.partition_point(|b| b.at <= a.at + shift);
        waiting.extend(&left[..instant]);
        left = &left[instant..];
        let place = waiting.iter().position(|b| {
            let mut trial = renaming.clone();
            let fits = trial.fits(a, b, shift);
            if fits {
                renaming = trial;
            }
            fits
        });
        match place {
            Some(place) => drop(waiting.remove(place)),
            None => {
                let others: Vec<String> = waiting.iter().map(tell).collect();
                return Some(format!(
                    "period {nth}: nothing fits\n  first  {}\n  later  {}",
                    tell(a),
                    others.join("\n         ")
                ));
            }
        }
    }
    (first.len() != later.len()).then(|| format!("period {nth} has {} records, the first {}", later.len(), first.len()))
}

/// Runs a story; when a livelock is claimed, runs it on for ten periods and compares. Tells
/// whether one was claimed.
fn is_sound(scenario: &Scenario, variant: &Variant) -> Result<Option<Livelock>, String> {
    let Some(proof) = Simulation::new(scenario, variant).run().livelock() else { return Ok(None) };
    let end = proof.from + proof.period * (PERIODS + 1);
    let outcome = Simulation::new(scenario, variant).until(end).run();
    if outcome.livelock() != Some(proof) {
        return Err(format!("a longer run proves {:?}, the story's own {proof:?}", outcome.livelock()));
    }
    let trace = &outcome.trace;
    match (1..=PERIODS).find_map(|nth| difference(trace, proof, nth)) {
        Some(difference) => Err(format!("{} @ {}: {proof:?}: {difference}", scenario.name, variant.name)),
        None => Ok(Some(proof)),
    }
}

#[test]
fn every_livelock_of_the_corpus_repeats_ten_times_more() {
    let mut proved = 0;
    for scenario in corpus() {
        for variant in &scenario.variants {
            match is_sound(&scenario, variant) {
                Ok(proof) => proved += usize::from(proof.is_some()),
                Err(text) => panic!("{text}"),
            }
        }
    }
    assert!(proved >= 3, "only {proved} livelocks in the corpus: this test shows little");
}

#[test]
fn a_period_that_differs_is_noticed() {
    let scenarios = corpus();
    let runs = scenarios.iter().flat_map(|s| s.variants.iter().map(move |v| Simulation::new(s, v).run()));
    // One where something goes on: in the quietest circles nothing is written at all.
    let busy = |outcome: &Outcome| {
        outcome.livelock().is_some_and(|p| window(&outcome.trace, p.from, p.from + p.period).len() > 50)
    };
    let outcome = runs.into_iter().find(busy).expect("such a story");
    let proof = outcome.livelock().expect("proved");
    let wrong = [
        Livelock { period: proof.period + SimDuration::from_secs(1), ..proof },
        Livelock { from: SimTime::ZERO, ..proof },
    ];
    for wrong in wrong {
        assert!(difference(&outcome.trace, wrong, 1).is_some(), "{wrong:?}");
    }
}

/// The story of that number, read.
fn told(number: u64, days: &[&str]) -> Scenario {
    let text = stories::story(number, days);
    match Scenario::from_text(&text, &format!("story {number}"), None, &Overrides::default()) {
        Ok(scenario) => scenario,
        Err(diagnostics) => panic!("story {number}: {}\n{text}", diagnostics.render(false)),
    }
}

fn given(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Beyond a claim a story is run on for so many periods, or for so long if that is more than a dozen.
const PERIODS_MORE: u64 = 40;
const LONG: SimDuration = SimDuration::from_hours(24);
/// Longer traces are not looked at: a record is 64 bytes, and a list of them that grows needs three times its
/// size at worst.
const RECORDS_MAX: usize = 3_000_000;

/// How many stories are told between two lines about them.
const TOLD_EVERY: u64 = 250;

/// What came of stories.
#[derive(Default)]
struct Told {
    stories: u64,
    claims: u32,
    at_rest: u32,
    /// Settled for longer than anything lasts, without a claim.
    settled: u32,
    /// Unsettled to the end, without a claim, and nothing grows.
    endless: u32,
    /// The same, where something grows.
    growing: u32,
    /// Not looked at: the trace was full before the horizon.
    cut_short: u32,
    reasons: BTreeMap<String, u32>,
    wrong: Vec<String>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stories, claims, at_rest, settled, endless, growing, cut_short, wrong, .. } = self;
        let share = 100 * claims / (claims + endless).max(1);
        write!(
            f,
            "{stories} stories: {claims} claimed to repeat, {at_rest} to rest, {settled} settled for good, {} of them unsound; \
             unproved: {endless}, and {growing} that grow; {share} % of those that never rest and do not grow are proved; {cut_short} not looked at",
            wrong.len()
        )
    }
}

impl Told {
    fn add(&mut self, other: Self) {
        self.stories += other.stories;
        self.claims += other.claims;
        self.at_rest += other.at_rest;
        self.settled += other.settled;
        self.endless += other.endless;
        self.growing += other.growing;
        self.cut_short += other.cut_short;
        self.wrong.extend(other.wrong);
        other.reasons.into_iter().for_each(|(why, count)| *self.reasons.entry(why).or_default() += count);
    }
}

/// Runs a story; what is claimed of it is tried for many periods more than it was, with other draws where
/// they cannot matter and with the same, and must never settle otherwise or do anything else.
fn tell(number: u64, days: &[&str], hours: u64) -> Told {
    let scenario = told(number, days);
    let mut simulation = Simulation::new(&scenario, &scenario.variants[0]).records_max(RECORDS_MAX);
    if hours > 0 {
        simulation = simulation.until(SimTime::ZERO + SimDuration::from_hours(hours));
    }
    // Its trace is let go of before there is another.
    let Outcome { recurrence, unproved, stop, settled_at, quiet, ended_at, .. } = simulation.run();
    let mut told = Told { stories: 1, ..Told::default() };
    if stop != Stop::Horizon {
        return Told { cut_short: 1, ..told };
    }
    match recurrence {
        Some(proof) if proof.settled == proof.period => told.at_rest = 1,
        Some(_) => told.claims = 1,
        None => {}
    }
    if let Some(why) = unproved {
        let grows = matches!(why, Unproved::Grows(_));
        told.growing = u32::from(grows);
        told.endless = u32::from(!grows);
        let why: String = why.to_string().chars().filter(|c| !c.is_ascii_digit()).collect();
        told.reasons.insert(why, 1);
    }
    if quiet.is_some_and(|quiet| !quiet.is_too_short()) && recurrence.is_none() {
        told.settled = 1;
        told.wrong.extend(unsettles(&simulation, settled_at, ended_at).map(|wrong| format!("story {number}: {wrong}")));
    }
    if let Some(proof) = recurrence {
        told.wrong.extend(wrong(&simulation, proof).map(|wrong| format!("story {number}: {proof:?}: {wrong}")));
    }
    told
}

/// Whether a rest that is said to last ends in a run of twice the time, with nothing from outside before that.
fn unsettles(simulation: &Simulation<'_>, settled_at: Option<SimTime>, ended_at: SimTime) -> Option<String> {
    let twice = SimTime::ZERO + ended_at.elapsed() * 2;
    let outcome = simulation.clone().until(twice).proofs(Proofs::Off).run();
    let since = outcome.trace.records().iter().skip_while(|record| Some(record.at) <= settled_at);
    let outside = |record: &Record| {
        matches!(
            record.what,
            What::Struck { .. } | What::StepBegan | What::RequestServed { .. } | What::RequestFailed { .. }
        )
    };
    let end = since.take_while(|record| !outside(record)).find(|record| record.what == What::Unsettled)?;
    Some(format!("settled at {settled_at:?} for good as of {ended_at}, and unsettled at {}", end.at))
}

/// In what a claim does not hold.
fn wrong(simulation: &Simulation<'_>, proof: Livelock) -> Option<String> {
    let periods = (LONG.as_nanos() / proof.period.as_nanos()).clamp(12, PERIODS_MORE);
    if proof.settled < proof.period {
        let tried: Result<(), Refusal> = simulation.certify(proof, periods as u32, 0x5eed);
        // A trace that is full before the last period says nothing.
        if let Some(refusal) = tried.err().filter(|refusal| !refusal.to_string().ends_with("was not reached")) {
            return Some(format!("with other draws {refusal}"));
        }
    }
    let until = proof.from + proof.period * periods;
    let outcome = simulation.clone().until(until).proofs(Proofs::Off).run();
    if outcome.stop != Stop::Horizon {
        return None;
    }
    let first = happens(&outcome.trace, proof, 0);
    (1..periods).find_map(|nth| {
        let later = happens(&outcome.trace, proof, nth);
        (first != later).then(|| format!("in period {nth} happens {later:?}\nand in the first {first:?}"))
    })
}

/// How often everything happens in a period that changes the world, and that the cluster comes to rest.
fn happens(trace: &Trace, proof: Livelock, nth: u64) -> BTreeMap<String, u32> {
    let from = proof.from + proof.period * nth;
    let records = trace.records();
    let from = records.partition_point(|r| r.at <= from);
    let to = records.partition_point(|r| r.at <= proof.from + proof.period * (nth + 1));
    let mut counts = BTreeMap::new();
    for record in records.range(from..to) {
        let what = match record.what {
            What::Created { .. } => "created".to_owned(),
            What::Deleted { .. } => "deleted".to_owned(),
            What::Set { field: Field::Status, to, .. } => format!("{to:?}"),
            What::TaskStarted | What::PortBound | What::TaskEnded { .. } | What::ContainerGone => {
                format!("{:?}", record.what)
            }
            What::AddressTaken(_) => "address taken".to_owned(),
            What::AddressFreed(_) => "address freed".to_owned(),
            What::VolumeMade | What::VolumeGone | What::Settled | What::Unsettled => format!("{:?}", record.what),
            _ => continue,
        };
        *counts.entry(format!("{:?} {what}", record.subject.kind)).or_default() += 1;
    }
    counts
}

/// Stories of which something was claimed once that did not hold: a look that came before or after a
/// retry, as its wait was drawn (1420), and retries that took a worker from others; a rest into which a late watch event came (1,128,697), or a step that hangs (2,005,301). And three whose claim holds, but
/// was once refused: an address taken unrested that grew older than any rule looks, a retry in hand at two looks.
#[test]
fn nothing_wrong_is_claimed_where_it_once_was() {
    let plain =
        [1420, 200_875, 202_133, 202_316, 100_036, 132_146, 151_176, 1_128_697, 2_005_301].map(|number| (number, ""));
    let wrong = plain.into_iter().chain([(202_316, "current")]).map(|(number, day)| {
        let days: Vec<&str> = day.split_whitespace().collect();
        tell(number, &days, 0).wrong
    });
    let wrong: Vec<String> = wrong.flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a rest is said to last that requests have come into, at the end of runs of that many hours.
fn rests_for_good(until: &str, horizons: &[u64]) -> Vec<bool> {
    let text = format!(
        "schema = 1\nhorizon = \"10h\"\n[[step]]\nat = \"0s\"\ndo.deploy = {{ app = \"a\", config = \"[services.web.concurrency]\\nmode = \\\"auto\\\"\\nscale_down_delay = \\\"3h\\\"\" }}\n\
         [[traffic]]\napp = \"a\"\nservice = \"web\"\nrate = \"1/m\"\nfrom = \"1m\"\n{until}\n"
    );
    let scenario = Scenario::from_text(&text, "visited", None, &Overrides::default()).expect("a good text");
    let simulation = Simulation::new(&scenario, &scenario.variants[0]).proofs(Proofs::Off);
    let quiet = |hours| simulation.clone().until(SimTime::ZERO + SimDuration::from_hours(hours)).run().quiet;
    horizons.iter().map(|hours| !quiet(*hours).expect("it is settled").is_too_short()).collect()
}

/// Who was asked an hour ago is idle in two: a rest of three hours and more does not last then.
#[test]
fn a_rest_that_was_visited_is_not_said_to_last() {
    assert_eq!(rests_for_good("until = \"1h\"", &[3, 4, 8]), [false, false, true]);
    assert_eq!(rests_for_good("", &[3, 4]), [false, true], "asked to the end it is never idle");
}

/// Twenty seconds of stories; an hour of them, or those of some days only, by the command in
/// `docs/reading-a-run.md`. `FROM` is the number of the first, and `HOURS` another horizon for all.
#[test]
fn whatever_is_claimed_of_a_story_holds() {
    let days = std::env::var("DAYS").unwrap_or_default();
    let days: Vec<&str> = days.split_whitespace().collect();
    let (from, count, hours) = (given("FROM", 0), given("STORIES", 24), given("HOURS", 0));
    let next = AtomicU64::new(from);
    let all = Mutex::new(Told::default());
    std::thread::scope(|scope| {
        for _ in 0..given("THREADS", 2) {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= from + count {
                        break;
                    }
                    // Of all kinds, where nobody asks for one.
                    let kind = if std::env::var("FROM").is_err() { nth % 3 } else { 0 };
                    let number = nth + [0, stories::LONG, stories::VISITED][kind as usize];
                    let told = tell(number, &days, hours);
                    told.wrong.iter().for_each(|wrong| println!("UNSOUND {wrong}"));
                    let mut all = all.lock().expect("no teller panics");
                    all.add(told);
                    if all.stories % TOLD_EVERY == 0 || all.stories == count {
                        println!("{all}");
                    }
                }
            });
        }
    });
    let Told { claims, at_rest, mut wrong, reasons, .. } = all.into_inner().expect("no teller panics");
    reasons.iter().for_each(|(why, count)| println!("{count:6} {why}"));
    wrong.sort();
    assert!(wrong.is_empty(), "{} unsound claims:\n{}", wrong.len(), wrong.join("\n"));
    assert!(claims + at_rest > 0, "nothing is claimed: this test shows little");
}
