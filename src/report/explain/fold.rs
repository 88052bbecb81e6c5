//! Folding a way: links that repeat are kept once, with their count and period.
//!
//! Short blocks are folded first, so that a life with six tries and one with seven become alike
//! and fold in their turn. It knows links by what they are like, and never their texts: a way
//! of a hundred thousand links is folded before a single text is made. What a newcomer gets
//! wrong: a way runs backwards, so the repetition that is kept is the one nearest to the end.

use std::collections::BTreeMap;

use crate::kernel::{SimDuration, SimTime};

use super::index::Index;
use super::walk::Hop;

/// A link of the way, or a block of them that repeats.
#[derive(Debug)]
pub(super) enum Item {
    /// The link at that place of the way.
    Link(u32),
    Block(Box<Block>),
}

/// A block of links that repeats.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) body: Vec<Item>,
    /// How often: the least and the most over the repetitions of an outer block.
    pub(super) times: (u64, u64),
    /// From one repetition to the one before: the shortest and the longest.
    pub(super) every: (SimDuration, SimDuration),
    pub(super) back_to: SimTime,
}

/// The longest block that is looked for.
const LONGEST: usize = 32;
/// A block is folded when that saves so many lines, its own not counted.
const GAIN_MIN: usize = 2;

/// What is left of the way at some place: a link, or a block of them. As small as can be.
#[derive(Clone, Copy)]
struct Node {
    /// The same for all that are alike.
    key: u32,
    /// The places of its first and last links.
    first: u32,
    last: u32,
    /// Which repeat it is; [`LINK`] when it is a link.
    repeat: u32,
}

const LINK: u32 = u32::MAX;

/// A block, while the way is folded.
struct Repeat {
    /// Where its first repetition is among the bodies, and how long it is.
    body: usize,
    length: usize,
    times: (u64, u64),
    every: (SimDuration, SimDuration),
    back_to: SimTime,
}

/// Folds a way.
pub(super) fn fold(index: &Index<'_>, way: &[Hop]) -> Vec<Item> {
    let next = way.iter().map(|hop| hop.likeness()).max().unwrap_or_default();
    let nodes =
        way.iter().zip(0..).map(|(hop, place)| Node { key: hop.likeness(), first: place, last: place, repeat: LINK });
    let (nodes, bodies, repeats, keys) = (nodes.collect(), Vec::new(), Vec::new(), Vec::new());
    let mut folder = Folder { index, way, nodes, bodies, repeats, blocks: BTreeMap::new(), keys, next };
    let mut longest = 1;
    while longest <= LONGEST {
        while folder.pass(longest) {}
        longest *= 2;
    }
    folder.nodes.iter().map(|node| folder.item(*node)).collect()
}

/// A way that is being folded. Blocks are kept in tables of their own: there are tens of
/// thousands, and all but a few end up inside another.
struct Folder<'i, 'a> {
    index: &'i Index<'a>,
    way: &'i [Hop],
    nodes: Vec<Node>,
    bodies: Vec<Node>,
    repeats: Vec<Repeat>,
    /// Numbers for blocks that are alike, after those of the links.
    blocks: BTreeMap<Vec<u32>, u32>,
    /// Room for the keys of one block.
    keys: Vec<u32>,
    next: u32,
}

impl Folder<'_, '_> {
    /// Folds, from the end of the story on, the block that covers most at each place; tells
    /// whether there was one.
    fn pass(&mut self, longest: usize) -> bool {
        let before = self.nodes.len();
        let (mut at, mut kept) = (0, 0);
        while at < self.nodes.len() {
            let best = (1..=longest)
                .map(|length| (length, repetitions(&self.nodes[at..], length)))
                .filter(|(length, times)| length * times.saturating_sub(1) >= GAIN_MIN)
                .max_by_key(|(length, times)| (length * times, std::cmp::Reverse(*length)));
            let node = best.map_or(self.nodes[at], |(length, times)| self.folded(at, length, times));
            at += best.map_or(1, |(length, times)| length * times);
            // What was looked at is free to be written over.
            self.nodes[kept] = node;
            kept += 1;
        }
        self.nodes.truncate(kept);
        kept < before
    }

    /// One block of what repeats every `length` nodes.
    fn folded(&mut self, at: usize, length: usize, times: usize) -> Node {
        let body = self.bodies.len();
        self.bodies.extend_from_slice(&self.nodes[at..at + length]);
        let key = self.key(body);
        let first = self.nodes[at].first;
        let mut begun = self.time(first);
        let mut every: Option<(SimDuration, SimDuration)> = None;
        for nth in 1..times {
            let from = at + nth * length;
            let begins = self.time(self.nodes[from].first);
            let apart = begun.since(begins);
            every = Some(every.map_or((apart, apart), |(low, high)| (low.min(apart), high.max(apart))));
            begun = begins;
            for place in 0..length {
                self.widen(self.bodies[body + place], self.nodes[from + place]);
            }
        }
        let last = self.nodes[at + times * length - 1].last;
        let (every, back_to) = (every.unwrap_or_default(), self.time(last));
        let repeat = self.repeats.len() as u32;
        let times = (times as u64, times as u64);
        self.repeats.push(Repeat { body, length, times, every, back_to });
        Node { key, first, last, repeat }
    }

    /// The number of a block that was just added to the bodies.
    fn key(&mut self, body: usize) -> u32 {
        self.keys.clear();
        self.keys.extend(self.bodies[body..].iter().map(|node| node.key));
        if let Some(known) = self.blocks.get(&self.keys) {
            return *known;
        }
        self.next += 1;
        self.blocks.insert(self.keys.clone(), self.next);
        self.next
    }

    /// Widens the ranges of a block by those of one that is alike.
    fn widen(&mut self, node: Node, other: Node) {
        if node.repeat == LINK || other.repeat == LINK {
            return;
        }
        let Repeat { body: others, times, every, .. } = self.repeats[other.repeat as usize];
        let repeat = &mut self.repeats[node.repeat as usize];
        repeat.times = (repeat.times.0.min(times.0), repeat.times.1.max(times.1));
        repeat.every = (repeat.every.0.min(every.0), repeat.every.1.max(every.1));
        let (body, length) = (repeat.body, repeat.length);
        for place in 0..length {
            self.widen(self.bodies[body + place], self.bodies[others + place]);
        }
    }

    fn item(&self, node: Node) -> Item {
        if node.repeat == LINK {
            return Item::Link(node.first);
        }
        let Repeat { body, length, times, every, back_to } = self.repeats[node.repeat as usize];
        let body = self.bodies[body..body + length].iter().map(|node| self.item(*node)).collect();
        Item::Block(Box::new(Block { body, times, every, back_to }))
    }

    fn time(&self, place: u32) -> SimTime {
        self.index.record(self.way[place as usize].at()).at
    }
}

/// How often the first `length` nodes follow each other; 0 when they do not.
fn repetitions(nodes: &[Node], length: usize) -> usize {
    // Nearly always the first one tells that there are none.
    if nodes.len() < 2 * length || nodes[0].key != nodes[length].key {
        return 0;
    }
    let (body, after) = nodes.split_at(length);
    let same = |chunk: &[Node]| chunk.iter().zip(body).all(|(a, b)| a.key == b.key);
    match after.chunks_exact(length).take_while(|chunk| same(chunk)).count() {
        0 => 0,
        more => more + 1,
    }
}
