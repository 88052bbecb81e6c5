//! A number that says at a glance whether two states may be the same.
//!
//! Equal canonical states have equal sketches; states that differ nearly always differ in their
//! sketches, too. So it may be made only of what the writer writes, in the form in which it does
//! – ages, counts, kinds, never an id or a name's address – and it may leave
//! out whatever is costly to look at. What a newcomer gets wrong: a quantity too few costs a
//! comparison now and then, one too many costs a proof.

use crate::kernel::SimTime;
use crate::model::Entity;
use crate::ports::Listed;

use super::Caps;
use super::capture::Capture;
use crate::world::TaskState;

/// An odd number without a pattern (2^64 over the golden ratio).
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(sketch: u64, word: u64) -> u64 {
    let product = u128::from(sketch ^ word ^ SCATTER) * u128::from(SCATTER);
    product as u64 ^ (product >> 64) as u64 ^ sketch.rotate_left(23)
}

struct Sketch {
    now: SimTime,
    caps: Caps,
    sum: u64,
}

impl Sketch {
    fn note(&mut self, word: u64) {
        self.sum = mix(self.sum, word);
    }

    /// The age of an instant as the writer writes it.
    fn age(&self, at: SimTime) -> u64 {
        let (tag, distance) = self.caps.age(self.now, at);
        distance.as_nanos() << 2 | u64::from(tag)
    }

    /// How old the rows of a table are, in whatever order they come.
    fn rows<E: Entity>(&mut self, rows: &Listed<E>) {
        let ages = rows.iter().map(|row| mix(self.age(row.meta.created_at), self.age(row.meta.updated_at)));
        let sum = ages.fold(0, u64::wrapping_add);
        self.note(rows.len() as u64);
        self.note(sum);
    }
}

/// The sketch of a capture.
pub(super) fn sketch(capture: &Capture) -> u64 {
    let mut sketch = Sketch { now: capture.now, caps: capture.caps, sum: 0 };
    let lists = &capture.lists;
    sketch.rows(&lists.apps);
    sketch.rows(&lists.versions);
    sketch.rows(&lists.pools);
    sketch.rows(&lists.sandboxes);
    sketch.rows(&lists.disks);
    sketch.rows(&lists.leases);
    sketch.rows(&lists.nodes);
    for (addresses, images) in &capture.nodes {
        // Whoever owns one, and whether it still exists: it is written as owned.
        sketch.note(addresses.taken() as u64);
        sketch.note(images.len() as u64);
    }
    sketch.note(capture.containers.len() as u64);
    sketch.note(capture.containers.iter().filter(|(_, container)| container.task == TaskState::Ended).count() as u64);
    sketch.note(capture.volumes.len() as u64);
    sketch.note(capture.volumes.iter().filter(|(_, volume)| volume.lease.is_some()).count() as u64);
    // They are written in the order of firing.
    for (at, woken) in &capture.timers {
        sketch.note(sketch.age(*at).wrapping_add(woken.group() << 56));
    }
    sketch.note(capture.hung.len() as u64);
    // Not their words: some facts take two, depending on when they were told.
    sketch.note(capture.facts.told() as u64);
    sketch.sum
}
