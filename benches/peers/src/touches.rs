//! What a poke with a waker must touch at least, and nothing else: a bound from below for tasks whose
//! wakers the standard library makes of an `Arc`.
//!
//! An agenda is held, and memory of the sizes of our tasks is read and written: the sleeper's place and
//! job, read ahead as the executor does, the other's count and waker, what the waker holds, the woken
//! task's place, its job. What a newcomer gets wrong: it is a chain – where the next of these lies is
//! known when the one before has come.

use std::hint::black_box;

use schedsim::kernel::{Agenda, SimTime};

use super::increments::Increments;
use super::{Peer, each};

/// Words of a pair of tasks: what the sleeper's waker holds (48 bytes) and its job (80), both of the other (48, 48).
const PAIR: usize = 28;
const SLEEPER: usize = 6;
const WAKER: usize = 16;
const WOKEN: usize = 22;
/// Words from the first one of a job to its last.
const JOB: usize = 8;
const WOKEN_JOB: usize = 4;

/// Touches for so many pairs; without the woken task's place, if wakers led to jobs.
pub(crate) fn peer(pairs: usize, through_place: bool) -> Peer {
    let mut increments = Increments::new();
    let mut agenda = Agenda::new();
    (0..pairs).for_each(|pair| agenda.push(SimTime::from_nanos(increments.next()), pair as u64));
    let mut memory = vec![0; PAIR * pairs];
    let mut places = vec![[0; 4]; 2 * pairs];
    let mut wakers = vec![[0; 2]; pairs];
    let mut pokes = vec![0_u64; pairs];
    for pair in 0..pairs {
        let at = pair * PAIR;
        (places[2 * pair][0], places[2 * pair + 1][0]) = (at + SLEEPER, at + WOKEN);
        wakers[pair][0] = at + WAKER;
        memory[at + WAKER] = if through_place { 2 * pair + 1 } else { at + WOKEN };
    }
    let mut soon = Vec::new();
    each(move || {
        let (at, pair) = agenda.first().expect("every pair has an event");
        soon.clear();
        soon.extend(agenda.coming().iter().map(|pair| 2 * *pair as usize));
        black_box(soon.iter().map(|place| places[*place][0]).fold(0, usize::wrapping_add));
        let jobs = soon.iter().map(|place| places[*place][0]);
        black_box(jobs.map(|job| memory[job] + memory[job + JOB]).fold(0, usize::wrapping_add));
        agenda.pop();
        let sleeper = &mut places[2 * pair as usize];
        sleeper[1] += 1;
        memory[sleeper[0] + JOB] += 1;
        let other = increments.below(pairs);
        pokes[other] += 1;
        let [waker, taken] = &mut wakers[other];
        *taken += 1;
        memory[*waker + 1] += 1;
        let mut next = memory[*waker];
        if through_place {
            places[next][1] += 1;
            next = places[next][0];
        }
        memory[next + WOKEN_JOB] += 1;
        // The woken task runs before anything else: what comes next is known when its job is.
        let never = u64::from(memory[next + WOKEN_JOB] == 0);
        agenda.push(SimTime::from_nanos(at.as_nanos() + increments.next() + never), pair);
    })
}
