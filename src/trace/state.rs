//! The state at the end of a trace: the store's entities, and what the backends know better.
//!
//! Folded from the records alone – creations, fields, deletions; tasks, addresses, volumes – so
//! that it can be asked of any trace, and of any part of one. It may know records only. What a
//! newcomer gets wrong: the store's fields may be wrong about the world, and are shown as the
//! store has them; [`Row::truth`] says where the world differs.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{RecordId, SimTime};
use crate::model::{Address, AnyStatus, Field, Kind, LeaseStatus, Point, SandboxStatus, Subject, Value};

use super::{Record, Trace, What};

/// One entity of the store.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub subject: Subject,
    pub created_at: SimTime,
    pub updated_at: SimTime,
    pub created: RecordId,
    /// The record of the last write.
    pub written: RecordId,
    /// Its fields, in the order of their names.
    pub fields: BTreeMap<Field, Value>,
    /// The records that gave the fields their values, those that became nothing among them.
    pub sets: BTreeMap<Field, RecordId>,
    /// Where the world differs from them.
    pub truth: Vec<String>,
}

/// The state at an instant.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    pub at: SimTime,
    /// The entities by kind, in the order of their creation.
    pub rows: BTreeMap<Kind, Vec<Row>>,
    /// What the backends have and no entity knows of.
    pub strays: Vec<String>,
}

/// What runs of a sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// A container without a task.
    Made,
    /// Its task runs.
    Runs,
    /// Its task has ended; the container is there.
    Ended,
}

/// The state as it grows with the records.
#[derive(Default)]
pub struct Fold {
    records: usize,
    rows: BTreeMap<Subject, Row>,
    truth: Backends,
}

/// What the backends have.
#[derive(Default)]
struct Backends {
    tasks: BTreeMap<u32, Task>,
    addresses: BTreeMap<u32, BTreeSet<Address>>,
    volumes: BTreeMap<u32, BTreeSet<u32>>,
    down: BTreeSet<u32>,
}

impl Fold {
    /// Goes on by one record; whether the state may be another one now.
    pub fn take(&mut self, id: RecordId, record: &Record) -> bool {
        let Record { subject, at, .. } = *record;
        self.records += 1;
        match record.what {
            What::Created { .. } => {
                let (fields, sets, truth) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
                let row =
                    Row { subject, created_at: at, updated_at: at, created: id, written: id, fields, sets, truth };
                self.rows.insert(subject, row);
            }
            What::Patched { .. } => {
                if let Some(row) = self.rows.get_mut(&subject) {
                    (row.updated_at, row.written) = (at, id);
                }
            }
            What::Set { field, to, .. } => {
                if let Some(row) = self.rows.get_mut(&subject) {
                    row.sets.insert(field, id);
                    match to {
                        Value::None => drop(row.fields.remove(&field)),
                        value => drop(row.fields.insert(field, value)),
                    }
                }
            }
            What::Deleted { .. } => drop(self.rows.remove(&subject)),
            _ => return self.truth.take(record),
        }
        true
    }

    /// How many records it has taken.
    pub fn records(&self) -> usize {
        self.records
    }

    /// An entity of the store.
    pub fn row(&self, subject: Subject) -> Option<&Row> {
        self.rows.get(&subject)
    }

    /// The entities of a kind, in the order of their creation.
    pub fn rows_of(&self, kind: Kind) -> impl Iterator<Item = &Row> {
        let from = |index| Subject { kind, index };
        self.rows.range(from(0)..=from(u32::MAX)).map(|(_, row)| row)
    }

    /// What runs of a sandbox; none: it has no container.
    pub fn task(&self, sandbox: u32) -> Option<Task> {
        self.truth.tasks.get(&sandbox).copied()
    }

    /// On how many nodes a volume is mounted; none: there is no such volume (any more).
    pub fn mounts(&self, volume: u32) -> Option<usize> {
        self.truth.volumes.get(&volume).map(BTreeSet::len)
    }

    /// The volumes that there are.
    pub fn volumes(&self) -> impl Iterator<Item = u32> {
        self.truth.volumes.keys().copied()
    }
}

/// The state after the last record, shown at `at`.
pub fn state(trace: &Trace, at: SimTime) -> State {
    let mut fold = Fold::default();
    for (index, record) in trace.records().iter().enumerate().take_while(|(_, record)| record.at <= at) {
        fold.take(RecordId::from_index(index), &record);
    }
    let Fold { rows, truth, .. } = fold;
    let mut strays = truth.strays(trace, &rows);
    strays.sort();
    let differences: Vec<Vec<String>> = rows.values().map(|row| truth.differs(trace, row, &rows)).collect();
    let mut by_kind: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
    for (mut row, differs) in rows.into_values().zip(differences) {
        row.truth = differs;
        for field in counts(row.subject.kind) {
            row.fields.entry(*field).or_insert(Value::Int(0));
        }
        by_kind.entry(row.subject.kind).or_default().push(row);
    }
    State { at, rows: by_kind, strays }
}

/// Fields that every entity of a kind has; the trace does not say that one begins at zero.
fn counts(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Sandbox => &[Field::Instance],
        Kind::Pool => &[Field::DesiredInstances, Field::CurrentInstances, Field::ReadyInstances],
        _ => &[],
    }
}

impl Backends {
    /// Whether the record says something of the backends.
    fn take(&mut self, record: &Record) -> bool {
        let index = record.subject.index;
        match record.what {
            What::Called { point: Point::CreateContainer, .. } => drop(self.tasks.insert(index, Task::Made)),
            What::TaskStarted => drop(self.tasks.insert(index, Task::Runs)),
            What::TaskEnded { .. } => drop(self.tasks.insert(index, Task::Ended)),
            What::ContainerGone => drop(self.tasks.remove(&index)),
            What::AddressTaken(address) => drop(self.addresses.entry(index).or_default().insert(address)),
            What::AddressFreed(address) => {
                if let Some(held) = self.addresses.get_mut(&index) {
                    held.remove(&address);
                }
            }
            What::VolumeMade => drop(self.volumes.insert(index, BTreeSet::new())),
            What::VolumeGone => drop(self.volumes.remove(&index)),
            What::Mounted { node } => drop(self.volumes.entry(index).or_default().insert(node)),
            What::Unmounted { node } => {
                if let Some(mounts) = self.volumes.get_mut(&index) {
                    mounts.remove(&node);
                }
            }
            What::ProcessDown => drop(self.down.insert(index)),
            What::ProcessUp => drop(self.down.remove(&index)),
            // Nothing else changes what the backends have.
            _ => return false,
        }
        true
    }

    /// Where the world differs from a row.
    fn differs(&self, trace: &Trace, row: &Row, rows: &BTreeMap<Subject, Row>) -> Vec<String> {
        let index = row.subject.index;
        match row.subject.kind {
            Kind::Sandbox => self.sandbox_differs(index, row),
            Kind::Disk => match row.fields.get(&Field::Volume) {
                Some(Value::Ref(volume)) if !self.volumes.contains_key(&volume.index) => {
                    vec![format!("{} is gone", trace.name(*volume))]
                }
                _ => Vec::new(),
            },
            Kind::Lease => self.lease_differs(row, rows),
            // The process of node 0 is number 1, after the coordinator.
            Kind::Node if self.down.contains(&(index + 1)) => vec!["its process is down".to_owned()],
            _ => Vec::new(),
        }
    }

    fn sandbox_differs(&self, index: u32, row: &Row) -> Vec<String> {
        let Some(Value::Status(AnyStatus::Sandbox(status))) = row.fields.get(&Field::Status) else {
            return Vec::new();
        };
        let task = match (status, self.tasks.get(&index)) {
            (SandboxStatus::Running, None) => Some("has no container"),
            (SandboxStatus::Running, Some(Task::Made | Task::Ended)) => Some("its task does not run"),
            (SandboxStatus::Stopped | SandboxStatus::Dead, Some(Task::Runs)) => Some("its task still runs"),
            (SandboxStatus::Stopped | SandboxStatus::Dead, Some(Task::Made | Task::Ended)) => {
                Some("its container is still there")
            }
            (SandboxStatus::Running, Some(Task::Runs))
            | (SandboxStatus::Stopped | SandboxStatus::Dead, None)
            | (SandboxStatus::Pending, _) => None,
        };
        let mut differs: Vec<String> = task.map(str::to_owned).into_iter().collect();
        let stored = match row.fields.get(&Field::Address) {
            Some(Value::Address(address)) => Some(*address),
            _ => None,
        };
        let held = self.addresses.get(&index);
        let live = status.is_live();
        if let Some(stored) = stored.filter(|stored| live && held.is_none_or(|held| !held.contains(stored))) {
            differs.push(format!("{stored} is not its own"));
        }
        let too_many = held.into_iter().flatten().filter(|address| !live || stored != Some(**address));
        let too_many: Vec<String> = too_many.map(ToString::to_string).collect();
        if !too_many.is_empty() {
            differs.push(format!("holds {}", too_many.join(", ")));
        }
        differs
    }

    fn lease_differs(&self, row: &Row, rows: &BTreeMap<Subject, Row>) -> Vec<String> {
        let bound = row.fields.get(&Field::Status) == Some(&Value::Status(LeaseStatus::Bound.into()));
        let Some(Value::Ref(disk)) = row.fields.get(&Field::Disk) else { return Vec::new() };
        let volume = rows.get(disk).and_then(|disk| disk.fields.get(&Field::Volume));
        let mounted = match volume {
            Some(Value::Ref(volume)) => self.volumes.get(&volume.index).is_some_and(|mounts| !mounts.is_empty()),
            _ => false,
        };
        if bound && !mounted { vec!["its volume is not mounted".to_owned()] } else { Vec::new() }
    }

    /// What the backends have for entities that are gone.
    fn strays(&self, trace: &Trace, rows: &BTreeMap<Subject, Row>) -> Vec<String> {
        let mut strays = Vec::new();
        let sandbox = |index: &u32| Subject { kind: Kind::Sandbox, index: *index };
        for index in self.tasks.keys().filter(|index| !rows.contains_key(&sandbox(index))) {
            strays.push(format!("a container of {}, which is gone", trace.name(sandbox(index))));
        }
        for (index, held) in self.addresses.iter().filter(|(index, _)| !rows.contains_key(&sandbox(index))) {
            for address in held {
                strays.push(format!("address {address}, taken by {}, which is gone", trace.name(sandbox(index))));
            }
        }
        let used = |index: &u32| {
            let volume = Value::Ref(Subject { kind: Kind::Volume, index: *index });
            rows.values().any(|row| row.fields.get(&Field::Volume) == Some(&volume))
        };
        for index in self.volumes.keys().filter(|index| !used(index)) {
            strays.push(format!("{}, which no disk names", trace.name(Subject { kind: Kind::Volume, index: *index })));
        }
        strays
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::RecordId;
    use crate::trace::testing::{Maker, t, word};

    #[test]
    fn what_the_world_knows_better_stands_beside_the_store() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        let sandbox = m.sandbox(pool, 0);
        let address = Address { node: 0, host: 13 };
        m.what(sandbox, What::AddressTaken(address));
        m.what(sandbox, What::TaskStarted);
        let truth = |m: &Maker| state(&m.trace, t("1h")).rows[&Kind::Sandbox][0].truth.join("; ");
        assert_eq!(truth(&m), "holds 10.0.0.13", "the store does not know its address yet");
        let set = (Field::Address, Value::None, Value::Address(address));
        m.patch(
            sandbox,
            RecordId::NONE,
            &[set, (Field::Status, word(SandboxStatus::Pending), word(SandboxStatus::Running))],
        );
        assert_eq!(truth(&m), "");
        m.what(sandbox, What::TaskEnded { code: 1 });
        assert_eq!(truth(&m), "its task does not run");
        m.status(sandbox, RecordId::NONE, "running", "dead");
        assert_eq!(truth(&m), "its container is still there; holds 10.0.0.13");
        m.delete(sandbox, RecordId::NONE);
        let end = state(&m.trace, t("1h"));
        assert!(!end.rows.contains_key(&Kind::Sandbox));
        assert_eq!(end.strays.len(), 2, "{:?}", end.strays);
    }

    #[test]
    fn an_earlier_state_knows_nothing_of_later_records() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(3);
        m.at("5m").patch(pool, RecordId::NONE, &[(Field::DesiredInstances, Value::Int(3), Value::Int(0))]);
        for (at, desired) in [("4m", 3), ("5m", 0)] {
            let rows = state(&m.trace, t(at)).rows;
            assert_eq!(rows[&Kind::Pool][0].fields[&Field::DesiredInstances], Value::Int(desired), "{at}");
        }
    }

    #[test]
    fn a_trace_of_no_records_has_an_empty_state() {
        let empty = state(&Trace::default(), t("1h"));
        assert!(empty.rows.is_empty() && empty.strays.is_empty());
    }
}
