//! PHOLD through our tasks beside peers from the registry: desque's boxed callbacks, and tokio with paused time.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml`. All run in one process, in turns, and the
//! median of the turns counts; times are processor times. What a newcomer gets wrong: tokio's clock is one
//! of whole milliseconds, so many of its sleeps end at one instant – which is to its advantage.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

#[path = "../../common/cpu_time.rs"]
mod cpu_time;
#[path = "../../common/increments.rs"]
mod increments;
#[path = "../../common/phold.rs"]
mod phold;
mod touches;
use cpu_time::cpu_time;
use increments::Increments;

const PROCESSES: [usize; 3] = [1_000, 100_000, 1_000_000];
const TURNS: usize = 7;
/// Events of each in a turn.
const EVENTS: usize = 1_000_000;
const WARM_UP: usize = 3;

/// Runs so many events.
type Peer = Box<dyn FnMut(usize)>;

fn each(mut event: impl FnMut() + 'static) -> Peer {
    Box::new(move |events| (0..events).for_each(|_| event()))
}

/// desque: each poke is a boxed event that schedules the next one of its process.
mod callbacks {
    use super::{Increments, Peer};
    use desque::SimState;
    use desque::serial::{OkEvent, Simulation};

    struct State {
        increments: Increments,
        pokes: Vec<u64>,
        left: usize,
    }

    impl SimState<u64> for State {
        fn is_complete(&self, _: &u64) -> bool {
            self.left == 0
        }
    }

    #[derive(Debug)]
    struct Poke {
        process: usize,
    }

    impl OkEvent<State, u64> for Poke {
        fn execute(&mut self, simulation: &mut Simulation<State, u64>) {
            let state = simulation.state_mut();
            let other = state.increments.below(state.pokes.len());
            state.pokes[other] += 1;
            state.left -= 1;
            let increment = state.increments.next();
            simulation.schedule_with_delay(Self { process: self.process }, increment).expect("the future");
        }
    }

    pub(super) fn peer(processes: usize) -> Peer {
        let state = State { increments: Increments::new(), pokes: vec![0; processes], left: 0 };
        let mut simulation = Simulation::new(state, 0);
        for process in 0..processes {
            let increment = simulation.state_mut().increments.next();
            simulation.schedule(Poke { process }, increment).expect("the future");
        }
        Box::new(move |events| {
            simulation.state_mut().left = events;
            simulation.run().expect("no event fails");
        })
    }
}

struct Shared {
    increments: RefCell<Increments>,
    pokes: RefCell<Vec<u64>>,
    wakers: RefCell<Vec<Option<std::task::Waker>>>,
    left: Cell<usize>,
    over: tokio::sync::Notify,
}

impl Shared {
    fn count(&self) {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        // Only at the last: those that still run before the turn is over would end the next one at once.
        if left == 1 {
            self.over.notify_one();
        }
    }
}

/// tokio's tasks, on one thread with paused time; `woken`: each poke wakes the other's second task.
fn tokio_paused(processes: usize, woken: bool) -> Peer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let shared = Rc::new(Shared {
        increments: RefCell::new(Increments::new()),
        pokes: RefCell::new(vec![0; processes]),
        wakers: RefCell::new(vec![None; processes]),
        left: Cell::new(0),
        over: tokio::sync::Notify::new(),
    });
    for process in 0..processes {
        let own = Rc::clone(&shared);
        local.spawn_local(async move {
            loop {
                let increment = own.increments.borrow_mut().next();
                tokio::time::sleep(Duration::from_nanos(increment)).await;
                let other = own.increments.borrow_mut().below(own.pokes.borrow().len());
                own.pokes.borrow_mut()[other] += 1;
                own.count();
                if woken && let Some(waker) = own.wakers.borrow_mut()[other].take() {
                    waker.wake();
                }
            }
        });
        if woken {
            let own = Rc::clone(&shared);
            local.spawn_local(std::future::poll_fn(move |cx| {
                own.wakers.borrow_mut()[process] = Some(cx.waker().clone());
                std::task::Poll::<()>::Pending
            }));
        }
    }
    Box::new(move |events| {
        shared.left.set(events);
        local.block_on(&runtime, shared.over.notified());
    })
}

/// Nanoseconds of an event of each: the median of the turns.
fn measure(processes: usize, mut peers: Vec<(&'static str, Peer)>) -> Vec<(&'static str, f64)> {
    for (_, run) in &mut peers {
        run(processes * WARM_UP);
    }
    let mut nanos = vec![Vec::new(); peers.len()];
    for _ in 0..TURNS {
        for ((_, run), nanos) in peers.iter_mut().zip(&mut nanos) {
            let started = cpu_time();
            run(EVENTS);
            nanos.push((cpu_time() - started) as f64 / EVENTS as f64);
        }
    }
    let middle = |mut nanos: Vec<f64>| {
        nanos.sort_by(f64::total_cmp);
        nanos[TURNS / 2]
    };
    peers.iter().map(|(name, _)| *name).zip(nanos.into_iter().map(middle)).collect()
}

fn print(what: &str, processes: usize, found: &[(&str, f64)]) {
    for (name, nanos) in found {
        println!("| {what}, {processes} | {name} | {nanos:.0} ns | {:.2} |", found[0].1 / nanos);
    }
}

fn main() {
    println!("| model, processes | who | a poke | ours / theirs |\n| --- | --- | --- | --- |");
    for processes in PROCESSES {
        let mut peers: Vec<(&str, Peer)> = vec![
            ("our tasks", each(phold::tasks(processes))),
            ("desque 0.4, boxed callbacks", callbacks::peer(processes)),
            ("bare binary heap", each(phold::heap_loop(processes))),
        ];
        if processes < 1_000_000 {
            peers.push(("tokio 1, paused time", tokio_paused(processes, false)));
        }
        print("PHOLD", processes, &measure(processes, peers));
    }
    let processes = 100_000;
    let peers: Vec<(&str, Peer)> = vec![
        ("our tasks", each(phold::waking_tasks(processes))),
        ("tokio 1, paused time", tokio_paused(processes, true)),
        ("a bare loop over the lines that are touched", touches::peer(processes, true)),
        ("the same, were there no places of tasks", touches::peer(processes, false)),
    ];
    print("PHOLD with wakers", processes, &measure(processes, peers));
}
