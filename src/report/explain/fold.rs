//! Folding a way: links that repeat are kept once, with their count and period.
//!
//! Short blocks are folded first, so that a life with six tries and one with seven become alike
//! and fold in their turn. It knows links by what they are like, and never their texts: a way
//! of a hundred thousand links is folded before a single text is made. What a newcomer gets
//! wrong: a way runs backwards, so the repetition that is kept is the one nearest to the end.

use std::mem::{Discriminant, discriminant};

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Controller, Field, Kind, Name, Reason, Subject, Value};
use crate::trace::{Record, What};

use super::index::Index;
use super::walk::Station;

/// A link of the way, or a block of them that repeats.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// The link at that place of the way.
    Link(usize),
    /// A block.
    Block(Block),
}

/// A block of links that repeats.
#[derive(Clone, Debug)]
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

/// What a link is like, but for its time and its numbers.
#[derive(PartialEq)]
struct Likeness {
    controller: Controller,
    kind: Kind,
    parent: Option<Subject>,
    what: Discriminant<What>,
    reason: Option<Discriminant<Reason>>,
    /// The status that was written, or the error.
    word: Option<&'static str>,
    error: Option<Name>,
}

struct Node {
    begin: SimTime,
    end: SimTime,
    item: Item,
}

/// Folds a way.
pub(super) fn fold(index: &Index<'_>, way: &[Station]) -> Vec<Item> {
    let likes: Vec<Likeness> = way.iter().map(|station| likeness(index, station)).collect();
    let mut nodes: Vec<Node> = (0..way.len())
        .map(|place| {
            let at = index.record(way[place].at).at;
            Node { begin: at, end: at, item: Item::Link(place) }
        })
        .collect();
    let mut longest = 1;
    while longest <= LONGEST {
        loop {
            let before = nodes.len();
            nodes = pass(nodes, longest, &likes);
            if nodes.len() == before {
                break;
            }
        }
        longest *= 2;
    }
    nodes.into_iter().map(|node| node.item).collect()
}

fn likeness(index: &Index<'_>, station: &Station) -> Likeness {
    let record = index.record(station.at);
    let reason = match (record.what, station.rule.map(|rule| index.record(rule).what)) {
        (What::Decided(reason), _) | (_, Some(What::Decided(reason))) => Some(reason),
        _ => None,
    };
    Likeness {
        controller: record.actor.controller,
        kind: record.subject.kind,
        parent: match record.subject.kind {
            Kind::Sandbox => index.parent(record.subject),
            // One lease of a disk is as good as the other.
            Kind::Lease => None,
            _ => Some(record.subject),
        },
        what: discriminant(&record.what),
        reason: reason.as_ref().map(discriminant),
        word: status_of(index, station.at),
        error: match (reason, record.what) {
            (Some(Reason::BootFailed { error, .. } | Reason::LeaseFailed { error }), _)
            | (_, What::CallFailed { error, .. }) => Some(error),
            _ => None,
        },
    }
}

/// The status that a write gave.
fn status_of(index: &Index<'_>, write: usize) -> Option<&'static str> {
    let sets = index.trace().records()[write + 1..].iter();
    let own = |r: &&Record| matches!(r.what, What::Set { .. }) && r.cause.index() == Some(write);
    sets.take_while(own).find_map(|set| match set.what {
        What::Set { field: Field::Status, to: Value::Word(word), .. } => Some(*word),
        _ => None,
    })
}

fn alike(a: &Item, b: &Item, likes: &[Likeness]) -> bool {
    match (a, b) {
        (Item::Link(a), Item::Link(b)) => likes[*a] == likes[*b],
        (Item::Block(a), Item::Block(b)) => {
            a.body.len() == b.body.len() && a.body.iter().zip(&b.body).all(|(a, b)| alike(a, b, likes))
        }
        (Item::Link(_), Item::Block(_)) | (Item::Block(_), Item::Link(_)) => false,
    }
}

/// Folds, from the end of the story on, the block that covers most at each place. When nothing
/// folds, there are as many nodes after as before.
fn pass(nodes: Vec<Node>, longest: usize, likes: &[Likeness]) -> Vec<Node> {
    // Looked for first, so that what stays as it is need not be moved twice.
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < nodes.len() {
        let best = (1..=longest)
            .map(|length| (length, repetitions(&nodes[at..], length, likes)))
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
        out.push(folded(nodes.by_ref().take(length * times), length));
        at = begin + length * times;
    }
    out.extend(nodes);
    out
}

fn repetitions(nodes: &[Node], length: usize, likes: &[Likeness]) -> usize {
    if nodes.len() < 2 * length {
        return 0;
    }
    let same = |chunk: &[Node]| chunk.iter().zip(nodes).all(|(a, b)| alike(&a.item, &b.item, likes));
    nodes.chunks_exact(length).take_while(|chunk| same(chunk)).count()
}

/// One block of what repeats every `length` nodes.
fn folded(mut nodes: impl Iterator<Item = Node>, length: usize) -> Node {
    let first: Vec<Node> = nodes.by_ref().take(length).collect();
    let (begin, mut back_to) = (first[0].begin, first[length - 1].end);
    let mut body: Vec<Item> = first.into_iter().map(|node| node.item).collect();
    let (mut times, mut last) = (1_u64, begin);
    let mut every: Option<(SimDuration, SimDuration)> = None;
    for (nth, node) in nodes.enumerate() {
        if nth % length == 0 {
            times += 1;
            let apart = last.since(node.begin);
            every = Some(every.map_or((apart, apart), |(low, high)| (low.min(apart), high.max(apart))));
            last = node.begin;
        }
        widen(&mut body[nth % length], &node.item);
        back_to = node.end;
    }
    let every = every.unwrap_or_default();
    let block = Block { body, times: (times, times), every, back_to };
    Node { begin, end: back_to, item: Item::Block(block) }
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
