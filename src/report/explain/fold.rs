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
    /// A block.
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
    /// When its earliest repetition began.
    pub(super) back_to: SimTime,
}

/// The longest block that is looked for.
const LONGEST: usize = 32;
/// A block is folded when that saves so many lines, its own not counted.
const GAIN_MIN: usize = 2;

struct Node {
    /// The same for all that are alike.
    key: u32,
    /// The places of its first and last links.
    first: u32,
    last: u32,
    item: Item,
}

/// Folds a way.
pub(super) fn fold(index: &Index<'_>, way: &[Hop]) -> Vec<Item> {
    let next = way.iter().map(|hop| hop.likeness()).max().unwrap_or_default();
    let mut folder = Folder { index, way, blocks: BTreeMap::new(), next };
    let mut nodes: Vec<Node> = (0..way.len() as u32)
        .map(|place| {
            let key = way[place as usize].likeness();
            Node { key, first: place, last: place, item: Item::Link(place) }
        })
        .collect();
    let mut longest = 1;
    while longest <= LONGEST {
        loop {
            let before = nodes.len();
            nodes = folder.pass(nodes, longest);
            if nodes.len() == before {
                break;
            }
        }
        longest *= 2;
    }
    nodes.into_iter().map(|node| node.item).collect()
}

struct Folder<'i, 'a> {
    index: &'i Index<'a>,
    way: &'i [Hop],
    /// Numbers for blocks that are alike, after those of the links.
    blocks: BTreeMap<Vec<u32>, u32>,
    next: u32,
}

impl Folder<'_, '_> {
    /// Folds, from the end of the story on, the block that covers most at each place. When
    /// nothing folds, there are as many nodes after as before.
    fn pass(&mut self, nodes: Vec<Node>, longest: usize) -> Vec<Node> {
        // Looked for first, so that what stays as it is need not be moved twice.
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < nodes.len() {
            let best = (1..=longest)
                .map(|length| (length, repetitions(&nodes[at..], length)))
                .filter(|(length, times)| length * times.saturating_sub(1) >= GAIN_MIN)
                .max_by_key(|(length, times)| (length * times, std::cmp::Reverse(*length)));
            at += best.map_or(1, |(length, times)| {
                blocks.push((at, length, times));
                length * times
            });
        }
        if blocks.is_empty() {
            return nodes;
        }
        let mut out = Vec::with_capacity(nodes.len());
        let mut nodes = nodes.into_iter();
        let mut at = 0;
        for (begin, length, times) in blocks {
            out.extend(nodes.by_ref().take(begin - at));
            out.push(self.folded(nodes.by_ref().take(length * times), length));
            at = begin + length * times;
        }
        out.extend(nodes);
        out
    }

    /// One block of what repeats every `length` nodes.
    fn folded(&mut self, mut nodes: impl Iterator<Item = Node>, length: usize) -> Node {
        let body: Vec<Node> = nodes.by_ref().take(length).collect();
        let key = self.key(&body);
        let (first, mut last) = (body[0].first, body[length - 1].last);
        let mut body: Vec<Item> = body.into_iter().map(|node| node.item).collect();
        let (mut times, mut begun) = (1_u64, self.time(first));
        let mut every: Option<(SimDuration, SimDuration)> = None;
        for (nth, node) in nodes.enumerate() {
            if nth % length == 0 {
                times += 1;
                let begins = self.time(node.first);
                let apart = begun.since(begins);
                every = Some(every.map_or((apart, apart), |(low, high)| (low.min(apart), high.max(apart))));
                begun = begins;
            }
            widen(&mut body[nth % length], &node.item);
            last = node.last;
        }
        let (every, back_to) = (every.unwrap_or_default(), self.time(last));
        let block = Box::new(Block { body, times: (times, times), every, back_to });
        Node { key, first, last, item: Item::Block(block) }
    }

    fn key(&mut self, body: &[Node]) -> u32 {
        let keys: Vec<u32> = body.iter().map(|node| node.key).collect();
        *self.blocks.entry(keys).or_insert_with(|| {
            self.next += 1;
            self.next
        })
    }

    fn time(&self, place: u32) -> SimTime {
        self.index.record(self.way[place as usize].at()).at
    }
}

/// How often the first `length` nodes follow each other.
fn repetitions(nodes: &[Node], length: usize) -> usize {
    if nodes.len() < 2 * length {
        return 0;
    }
    let same = |chunk: &[Node]| chunk.iter().zip(nodes).all(|(a, b)| a.key == b.key);
    nodes.chunks_exact(length).take_while(|chunk| same(chunk)).count()
}

/// Widens the ranges of a block by those of one that is alike.
fn widen(item: &mut Item, other: &Item) {
    let (Item::Block(block), Item::Block(other)) = (item, other) else { return };
    block.times = (block.times.0.min(other.times.0), block.times.1.max(other.times.1));
    block.every = (block.every.0.min(other.every.0), block.every.1.max(other.every.1));
    for (item, other) in block.body.iter_mut().zip(&other.body) {
        widen(item, other);
    }
}
