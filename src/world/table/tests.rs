//! Lists beside what one would find by looking at every row.

use proptest::prelude::*;

use super::*;
use crate::model::{AppId, DiskId, DiskLease, LeaseId, LeaseIndex, LeaseStatus, Mount, Name, NodeId, SandboxId};
use crate::ports::Origin;

fn meta(revision: u64) -> Meta {
    let (name, at) = (Name::new("lease/a-0"), SimTime::ZERO);
    Meta { name, revision: Revision(revision), created_at: at, updated_at: at, origin: Origin(0) }
}

fn lease(app: u32, disk: u32) -> DiskLease {
    DiskLease {
        disk: DiskId::from_index(disk),
        sandbox: SandboxId::from_index(0),
        node: NodeId::from_index(0),
        app: Some(AppId::from_index(app)),
        mount: Mount { path: Name::new("/data"), read_only: false },
        status: LeaseStatus::Pending,
        acquired_at: None,
        error_message: None,
    }
}

/// What a list says: which rows, and as they are at which revision.
fn said(listed: &Listed<DiskLease>) -> Vec<(LeaseId, Revision)> {
    listed.iter().map(|item| (item.id, item.meta.revision)).collect()
}

#[derive(Clone, Debug)]
enum Op {
    /// A new row of an app and a disk, with a key.
    Insert(u32, u32, Name),
    /// Gives the nth row another app, or only another status.
    Update(usize, Option<u32>),
    /// Removes the nth row.
    Remove(usize),
    /// Asks for a list, which may be kept.
    Ask(Option<u32>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0..3_u32, 0..3_u32, 0..4_usize).prop_map(|(app, disk, key)| Op::Insert(app, disk, Name::new(&"abcd"[key..]))),
        (any::<usize>(), proptest::option::of(0..3_u32)).prop_map(|(row, app)| Op::Update(row, app)),
        any::<usize>().prop_map(Op::Remove),
        proptest::option::of(0..3_u32).prop_map(Op::Ask),
    ]
}

proptest! {
    #[test]
    fn a_list_is_what_the_rows_are_now_however_often_it_was_asked_for(ops in proptest::collection::vec(op(), 0..60)) {
        let table = Table::<DiskLease>::default();
        // (key, id, revision, app): what the table should hold.
        let mut rows: Vec<(Name, LeaseId, Revision, u32)> = Vec::new();
        for (revision, op) in (1..).zip(ops) {
            let place = |n: usize, rows: &Vec<_>| (!rows.is_empty()).then(|| n % rows.len());
            match op {
                Op::Insert(app, disk, key) => {
                    let item = table.insert(lease(app, disk), meta(revision), key);
                    rows.push((key, item.id, Revision(revision), app));
                }
                Op::Update(n, app) => {
                    let Some(place) = place(n, &rows) else { continue };
                    let row = &mut rows[place];
                    row.2 = Revision(revision);
                    row.3 = app.unwrap_or(row.3);
                    let (_, item) = table.update(row.1, meta(revision), |lease| {
                        lease.status = LeaseStatus::Bound;
                        lease.app = Some(AppId::from_index(row.3));
                    });
                    prop_assert_eq!(item.meta.revision, row.2);
                }
                Op::Remove(n) => {
                    if let Some(place) = place(n, &rows) {
                        table.remove(rows.swap_remove(place).1);
                    }
                }
                Op::Ask(app) => {
                    let query = app.map_or(Query::All, |app| Query::By(LeaseIndex::App(AppId::from_index(app))));
                    let mut expected: Vec<_> = rows.iter().filter(|row| app.is_none_or(|app| row.3 == app)).collect();
                    expected.sort_by_key(|row| (row.0, row.1));
                    let expected: Vec<_> = expected.into_iter().map(|row| (row.1, row.2)).collect();
                    prop_assert_eq!(said(&table.list(query)), expected.clone());
                }
            }
        }
    }
}

#[test]
fn a_list_that_nothing_has_changed_is_given_again_and_an_old_one_stays_as_it_was() {
    let table = Table::<DiskLease>::default();
    let query = |app| Query::By(LeaseIndex::App(AppId::from_index(app)));
    let first = table.insert(lease(0, 0), meta(1), Name::new("a"));
    table.insert(lease(1, 0), meta(2), Name::new("b"));
    let old = table.list(query(0));
    assert!(Rc::ptr_eq(&old, &table.list(query(0))));
    table.update(first.id, meta(3), |lease| lease.status = LeaseStatus::Bound);
    assert_eq!(
        (said(&old), said(&table.list(query(0)))),
        (vec![(first.id, Revision(1))], vec![(first.id, Revision(3))])
    );
    let other = table.list(query(1));
    table.remove(first.id);
    assert!(Rc::ptr_eq(&other, &table.list(query(1))), "a change elsewhere costs other lists nothing");
    assert!(table.list(query(0)).is_empty());
}
