//! PHOLD: logical processes that sleep an exponential time, then poke another one. As tasks of
//! the executor, beside a bare loop over a binary heap that does the same.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::hint::black_box;
use std::rc::Rc;
use std::task::{Poll, Waker};

use schedsim::kernel::{Budget, GroupId, Kernel, SimDuration, SimTime, Step};

use super::increments::Increments;

/// What the processes share.
struct World {
    increments: Increments,
    pokes: Vec<u64>,
}

impl World {
    fn new(processes: usize) -> Self {
        Self { increments: Increments::new(), pokes: vec![0; processes] }
    }
    fn poke_another(&mut self) -> usize {
        let other = self.increments.below(self.pokes.len());
        self.pokes[other] += 1;
        other
    }
}

/// A bare loop over a binary heap.
pub(crate) fn heap_loop(processes: usize) -> impl FnMut() {
    let mut world = World::new(processes);
    let mut heap: BinaryHeap<Reverse<(u64, u64, u64)>> = BinaryHeap::new();
    let mut sequence = 0;
    for process in 0..processes {
        sequence += 1;
        heap.push(Reverse((world.increments.next(), sequence, process as u64)));
    }
    move || {
        let Reverse((now, _, process)) = heap.pop().expect("every process has an event");
        world.poke_another();
        sequence += 1;
        heap.push(Reverse((now + world.increments.next(), sequence, process)));
    }
}

fn kernel() -> Kernel {
    Kernel::new(Budget { events: u64::MAX, events_per_instant: u64::MAX })
}

fn step(kernel: &Kernel) {
    assert_eq!(black_box(kernel.step(SimTime::MAX)), Step::Ran);
}

/// Tasks that sleep.
pub(crate) fn tasks(processes: usize) -> impl FnMut() {
    let kernel = kernel();
    let world = Rc::new(RefCell::new(World::new(processes)));
    for _ in 0..processes {
        let (handle, world) = (kernel.clone(), Rc::clone(&world));
        kernel.spawn(GroupId(1), "process", async move {
            loop {
                let increment = world.borrow_mut().increments.next();
                handle.sleep(SimDuration::from_nanos(increment)).await;
                world.borrow_mut().poke_another();
            }
        });
    }
    let kernel = Closing(kernel);
    move || step(&kernel.0)
}

/// As [`tasks`], and each poke wakes the other's second task through its waker: an event more.
pub(crate) fn waking_tasks(processes: usize) -> impl FnMut() {
    let kernel = kernel();
    let world = Rc::new(RefCell::new(World::new(processes)));
    let wakers: Rc<RefCell<Vec<Option<Waker>>>> = Rc::new(RefCell::new(vec![None; processes]));
    for process in 0..processes {
        let (handle, world, others) = (kernel.clone(), Rc::clone(&world), Rc::clone(&wakers));
        kernel.spawn(GroupId(1), "poker", async move {
            loop {
                let increment = world.borrow_mut().increments.next();
                handle.sleep(SimDuration::from_nanos(increment)).await;
                let other = world.borrow_mut().poke_another();
                if let Some(waker) = others.borrow_mut()[other].take() {
                    waker.wake();
                }
            }
        });
        let own = Rc::clone(&wakers);
        kernel.spawn(
            GroupId(1),
            "poked",
            poll_fn(move |cx| {
                own.borrow_mut()[process] = Some(cx.waker().clone());
                Poll::Pending
            }),
        );
    }
    let kernel = Closing(kernel);
    move || {
        // The timer, and the task it wakes.
        step(&kernel.0);
        step(&kernel.0);
    }
}

/// Gives a kernel's memory back before the next one is measured.
struct Closing(Kernel);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}
