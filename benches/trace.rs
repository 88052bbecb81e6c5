//! What the trace costs: a record pushed, folded into metrics, put into the digest.
//!
//! Each figure is that of 200,000 records, about a simulated day of one busy pool; `elem/s`
//! gives the cost of one. The baseline of a push is a `Vec` of the same records.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use schedsim::kernel::{RecordId, SimDuration, SimTime};
use schedsim::model::{Actor, Controller, Field, Kind, Name, Reason, SandboxStatus, Subject, Value};
use schedsim::trace::metrics::{Frame, fold};
use schedsim::trace::timeline::{Options, render};
use schedsim::trace::{Record, Trace, What};

const RECORDS: usize = 200_000;

/// Records in the mixture of a real run: reconciles, writes, fields, boots.
fn records() -> Vec<Record> {
    let actor = Actor::central(Controller::Pool);
    let mut now = SimTime::ZERO;
    (0..RECORDS)
        .map(|i| {
            now += SimDuration::from_millis(7);
            let life = (i / 20) as u32;
            let sandbox = Subject { kind: Kind::Sandbox, index: life };
            let pool = Subject { kind: Kind::Pool, index: life % 8 };
            let word = |from, to| What::Set { field: Field::Status, from, to };
            let status = |status: SandboxStatus| Value::Status(status.into());
            let (subject, what) = match i % 20 {
                0 => (sandbox, What::Created { revision: i as u64 }),
                1 => (sandbox, word(Value::None, status(SandboxStatus::Pending))),
                2 => (sandbox, What::Set { field: Field::Pool, from: Value::None, to: Value::Ref(pool) }),
                3 => (sandbox, What::Decided(Reason::BootStarted)),
                4 => (sandbox, word(status(SandboxStatus::Pending), status(SandboxStatus::Running))),
                5 => (sandbox, word(status(SandboxStatus::Running), status(SandboxStatus::Stopped))),
                6 => (sandbox, word(status(SandboxStatus::Stopped), status(SandboxStatus::Dead))),
                7 => (pool, What::Patched { revision: i as u64 }),
                8 => {
                    let (field, from, to) = (Field::ReadyInstances, Value::Int(0), Value::Int(1));
                    (pool, What::Set { field, from, to })
                }
                _ => (pool, What::Decided(Reason::Reconcile { change: "updated" })),
            };
            Record { at: now, subject, cause: RecordId::from_index(i.saturating_sub(1)), actor, what }
        })
        .collect()
}

fn trace(records: &[Record]) -> Trace {
    let mut trace = Trace::default();
    for life in 0..RECORDS / 20 {
        trace.name_next(Kind::Sandbox, Name::new(&format!("sandbox/shop-web-{life}")));
    }
    for pool in 0..8 {
        trace.name_next(Kind::Pool, Name::new(&format!("pool/shop-{pool}")));
    }
    for record in records {
        trace.push(*record);
    }
    trace
}

fn costs(c: &mut Criterion) {
    let records = records();
    let whole = trace(&records);
    let mut group = c.benchmark_group("trace");
    group.throughput(Throughput::Elements(RECORDS as u64)).sample_size(20);
    group.bench_function("baseline: push to a Vec", |b| {
        b.iter_batched(
            Vec::new,
            |mut all: Vec<Record>| {
                for record in &records {
                    all.push(*black_box(record));
                }
                all
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("push", |b| {
        b.iter_batched(
            Trace::default,
            |mut trace| {
                for record in &records {
                    trace.push(*black_box(record));
                }
                trace
            },
            BatchSize::LargeInput,
        );
    });
    let frame = Frame { ended_at: SimTime::from_nanos(1_400_000_000_000), ..Frame::default() };
    group.bench_function("fold into metrics", |b| b.iter(|| fold(black_box(&whole), &frame)));
    group.bench_function("digest", |b| b.iter(|| schedsim::trace::digest::of(black_box(&whole))));
    group.sample_size(10);
    group.bench_function("timeline as text", |b| b.iter(|| render(black_box(&whole), &Options::default())));
    group.finish();
}

criterion_group!(benches, costs);
criterion_main!(benches);
