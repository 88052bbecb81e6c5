//! Hand-made traces for the tests of everything that reads one.
//!
//! Writes records in the very order that the simulator guarantees: a decision, the write it caused, then one
//! `Set` for each field. It may know records and the model only.

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::model::{Actor, AnyStatus, Controller, Failure, Field, Kind, Name, Reason, SandboxStatus, Subject, Value};
use crate::trace::evidence::{Basis, Look};
use crate::trace::{Record, Trace, What};

/// Makes a trace by hand.
pub(crate) struct Maker {
    pub(crate) trace: Trace,
    now: SimTime,
    actor: Actor,
    revision: u64,
}

/// `"5m"` as a duration.
pub(crate) fn d(text: &str) -> SimDuration {
    text.parse().expect("a duration")
}

/// `"5m"` as an instant.
pub(crate) fn t(text: &str) -> SimTime {
    SimTime::ZERO + d(text)
}

/// A status as the value of a field.
pub(crate) fn word(status: impl Into<AnyStatus>) -> Value {
    Value::Status(status.into())
}

impl Maker {
    pub(crate) fn new() -> Self {
        let actor = Actor::central(Controller::World);
        Self { trace: Trace::default(), now: SimTime::ZERO, actor, revision: 0 }
    }
    /// Goes to an instant.
    pub(crate) fn at(&mut self, time: &str) -> &mut Self {
        assert!(t(time) >= self.now, "time runs forwards");
        self.now = t(time);
        self
    }
    /// Whose records follow.
    pub(crate) fn by(&mut self, controller: Controller) -> &mut Self {
        self.actor = Actor::central(controller);
        self
    }
    pub(crate) fn push(&mut self, subject: Subject, cause: RecordId, what: What) -> RecordId {
        self.trace.push(Record { at: self.now, subject, cause, actor: self.actor, what })
    }
    /// How many there are.
    pub(crate) fn records(&self) -> u32 {
        self.trace.records().len() as u32
    }
    /// Says what the last record was taken from.
    pub(crate) fn taken_from(&mut self, record: RecordId, basis: Basis<'_>) {
        self.trace.evidence_mut().keep(record, basis);
    }
    /// The same, of one that saw some things, or those of a kind that are theirs, and asked for some fixes.
    pub(crate) fn saw(&mut self, record: RecordId, looks: &[(Subject, Option<Kind>)], asked: u128) {
        let now = record.number() - 1;
        let look = |(at, listed): &(Subject, Option<Kind>)| Look {
            at: *at,
            listed: *listed,
            real: false,
            first: now,
            last: now,
        };
        let looks: Vec<Look> = looks.iter().map(look).collect();
        self.taken_from(record, Basis { looks: &looks, asked, ..Basis::default() });
    }
    pub(crate) fn what(&mut self, subject: Subject, what: What) -> RecordId {
        self.push(subject, RecordId::NONE, what)
    }
    pub(crate) fn decide(&mut self, subject: Subject, reason: Reason) -> RecordId {
        self.push(subject, RecordId::NONE, What::Decided(reason))
    }
    /// Gives a thing a name without creating it in the store.
    pub(crate) fn named(&mut self, kind: Kind, name: &str) -> Subject {
        self.trace.name_next(kind, Name::new(name))
    }
    pub(crate) fn create(&mut self, kind: Kind, name: &str, cause: RecordId, fields: &[(Field, Value)]) -> Subject {
        let subject = self.named(kind, name);
        self.revision += 1;
        let write = self.push(subject, cause, What::Created { revision: self.revision });
        self.sets(subject, write, fields.iter().map(|(field, to)| (*field, Value::None, *to)));
        subject
    }
    pub(crate) fn patch(&mut self, subject: Subject, cause: RecordId, fields: &[(Field, Value, Value)]) -> RecordId {
        self.revision += 1;
        let write = self.push(subject, cause, What::Patched { revision: self.revision });
        self.sets(subject, write, fields.iter().copied());
        write
    }
    pub(crate) fn delete(&mut self, subject: Subject, cause: RecordId) -> RecordId {
        self.revision += 1;
        self.push(subject, cause, What::Deleted { revision: self.revision })
    }
    fn sets(&mut self, subject: Subject, write: RecordId, fields: impl Iterator<Item = (Field, Value, Value)>) {
        for (field, from, to) in fields {
            self.push(subject, write, What::Set { field, from, to });
        }
    }
    /// A patch of the status alone.
    pub(crate) fn status(&mut self, subject: Subject, cause: RecordId, from: &str, to: &str) -> RecordId {
        let status = |word: &str| {
            Value::Status(AnyStatus::all().find(|s| s.kind() == subject.kind && s.name() == word).expect("a status"))
        };
        self.patch(subject, cause, &[(Field::Status, status(from), status(to))])
    }
    /// An app with a pool that wants `desired`.
    pub(crate) fn pool(&mut self, desired: u64) -> (Subject, Subject) {
        let app = self.create(Kind::App, "app/pds", RecordId::NONE, &[(Field::Name, Value::Text(Name::new("pds")))]);
        let version = self.create(Kind::Version, "version/pds-v1", RecordId::NONE, &[(Field::App, Value::Ref(app))]);
        self.by(Controller::Launcher);
        let why =
            self.decide(app, Reason::NoPoolMatches { version: crate::model::VersionId::from_index(version.index) });
        let pool = self.create(
            Kind::Pool,
            "pool/pds-database",
            why,
            &[
                (Field::App, Value::Ref(app)),
                (Field::DesiredInstances, Value::Int(desired)),
                (Field::ReferencedByVersions, Value::Int(1)),
            ],
        );
        (app, pool)
    }
    /// A sandbox that its pool creates because it has too few.
    pub(crate) fn sandbox(&mut self, pool: Subject, n: u32) -> Subject {
        self.by(Controller::Pool);
        let why = self.decide(pool, Reason::TooFew { actual: 0, desired: 1 });
        self.saw(why, &[(pool, None), (pool, Some(Kind::Sandbox))], 0);
        self.create(
            Kind::Sandbox,
            &format!("sandbox/pds-database-{n}"),
            why,
            &[(Field::Status, word(SandboxStatus::Pending)), (Field::Pool, Value::Ref(pool))],
        )
    }
    /// One life of the forever-pending story, from `start`: `boots` failed boots a minute apart, stopped, dead.
    pub(crate) fn stuck_life(&mut self, pool: Subject, n: u32, start: SimTime, boots: u64) -> Subject {
        self.now = start;
        let sandbox = self.sandbox(pool, n);
        let error = Failure::NoDisk(Name::new("pds-data"));
        for boot in 0..boots {
            self.now = start + SimDuration::from_secs(60 * boot);
            self.by(Controller::Sandbox);
            self.decide(sandbox, Reason::BootStarted);
            self.now += SimDuration::from_millis(14);
            self.decide(sandbox, Reason::BootFailed { error, after: SimDuration::from_millis(14) });
        }
        let age = SimDuration::from_secs(60 * boots - 60) + SimDuration::from_secs(10 + u64::from(n % 3));
        self.now = start + age;
        self.by(Controller::Monitor);
        let why = self.decide(sandbox, Reason::StalePending { age, limit: d("5m") });
        self.status(sandbox, why, "pending", "stopped");
        self.by(Controller::Sandbox);
        self.now += SimDuration::from_secs(1);
        let why = self.decide(sandbox, Reason::CleanedUp);
        self.status(sandbox, why, "stopped", "dead");
        sandbox
    }
}
