//! Folding: a block of lines that repeats is shown once, with its count and period.
//!
//! Lines are alike when they say the same up to numbers: ordinals of names, ages, counts. Short
//! blocks are folded first, so that a life with six retries and one with seven become alike and
//! fold in their turn. It may know spots only. What a newcomer gets wrong: the lines shown are
//! those of the *first* repetition; the counts and periods are ranges over all of them – narrow
//! ones, for what comes again without a period is no repetition.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Actor, Controller, Field, Kind, Subject, Value, slot};
use crate::trace::{Record, Trace, What, decision};

use super::Spot;
use super::spots::Sort;

/// A line, or a block that repeats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// The spot of that index.
    Line(usize),
    /// A block and its repetitions.
    Block(Box<Block>),
}

impl Item {
    /// Its first spot.
    pub fn first(&self) -> usize {
        match self {
            Self::Line(index) => *index,
            Self::Block(block) => block.body.first().map_or(block.last, Self::first),
        }
    }
    /// The last spot of its last repetition.
    pub fn last(&self) -> usize {
        match self {
            Self::Line(index) => *index,
            Self::Block(block) => block.last,
        }
    }
}

/// A block that repeats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Its first repetition.
    pub body: Vec<Item>,
    /// How often it occurs: the least and the most over the repetitions of an outer block.
    pub times: (u64, u64),
    /// From one repetition's begin to the next one's: the shortest and the longest.
    pub period: (SimDuration, SimDuration),
    /// The last spot of its last repetition.
    pub last: usize,
}

impl Block {
    /// How many spots its first repetition shows.
    pub fn lines(&self) -> usize {
        let lines = self.body.iter().map(|item| match item {
            Item::Line(_) => 1,
            Item::Block(block) => block.lines(),
        });
        lines.sum()
    }
}

/// The longest block that is looked for.
const LONGEST: usize = 64;
/// Fewer repetitions are shown as they are.
const TIMES_MIN: usize = 3;
/// The same for one line about another thing each time: which things these are is what is told.
const OTHERS_MIN: usize = 10;
/// Blocks about another thing each time are lives one after another, not some that begin together.
const LIVES_APART: SimDuration = SimDuration::from_secs(1);

/// What fails alike is one burst for as long as no gap is longer.
const BURST_GAP: SimDuration = SimDuration::from_secs(60);

/// Folds the spots of a timeline.
///
/// Each app is folded by itself, and so is what its collectors remove and what its judges find:
/// loops that run side by side would otherwise hide each other; but of very many nodes, or steps alike in a row,
/// one stands for all. Requests come at random, and a scheduler asks
/// for ever more sandboxes: those of one service that fail for one reason are a burst, without a period.
/// Items are in the order of their first lines.
pub fn fold(trace: &Trace, spots: &[Spot], families: &Families) -> Vec<Item> {
    let mut keys = Keys::default();
    let mut known = Slots::default();
    let mut lanes: BTreeMap<(Subject, Channel), Vec<Node>> = BTreeMap::new();
    for (index, spot) in spots.iter().enumerate() {
        let subject = spot.subject;
        let is_there = spot.at == SimTime::ZERO && matches!(subject.kind, Kind::Node | Kind::Process);
        let begins = is_there || spot.sort == Sort::Step;
        let (head, parent) = match begins {
            true => (Subject::CLUSTER, keys.words.number(subject.kind.name())),
            false => {
                let kin = || (families.head(subject), keys.parent(&trace.name(subject)));
                *known.slot(subject).get_or_insert_with(kin)
            }
        };
        let key = keys.line(spot.actor, parent, spot.said);
        let voice = match (spot.sort, spot.actor.controller) {
            _ if begins => Channel::Begin,
            (Sort::Broken, _) => Channel::Judge,
            (Sort::InVain, _) => Channel::InVain(key),
            (_, Controller::Collector) => Channel::Collector,
            _ => Channel::Other,
        };
        let node = Node { key, subject, first: index, begin: spot.at, item: Item::Line(index) };
        lanes.entry((head, voice)).or_default().push(node);
    }
    let folded = lanes.into_iter().flat_map(|((_, voice), nodes)| match voice {
        Channel::InVain(_) => bursts(nodes, &mut keys),
        Channel::Begin => fold_lines(nodes, &mut keys),
        Channel::Other | Channel::Collector | Channel::Judge => fold_lane(nodes, &mut keys),
    });
    let mut items = vec![None; spots.len()];
    folded.for_each(|node| items[node.first] = Some(node.item));
    items.into_iter().flatten().collect()
}

/// Whose lines are folded together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    /// What is there from the first moment on, and the steps.
    Begin,
    Other,
    Collector,
    Judge,
    /// Requests that fail alike, and looks for a node that there is not: with that key.
    InVain(u32),
}

fn bursts(nodes: Vec<Node>, keys: &mut Keys) -> Vec<Node> {
    let together = nodes.chunk_by(|a, b| b.begin.since(a.begin) <= BURST_GAP);
    let folded = together.flat_map(|burst| match burst.len() {
        0..TIMES_MIN => burst.to_vec(),
        _ => vec![folded(burst, 1, keys)],
    });
    folded.collect()
}

/// Very many that are alike in a row, and nothing longer.
fn fold_lines(mut nodes: Vec<Node>, keys: &mut Keys) -> Vec<Node> {
    let again = keys.again(&nodes);
    pass(&mut nodes, &again, &(1..=1), keys);
    nodes
}

fn fold_lane(mut nodes: Vec<Node>, keys: &mut Keys) -> Vec<Node> {
    let mut again = keys.again(&nodes);
    let mut longest = 1;
    while longest <= LONGEST {
        // What was not folded at a shorter length is not before something is.
        let mut lengths = longest / 2 + 1..=longest;
        // Each pass either shortens the list or is the last of its length.
        while pass(&mut nodes, &again, &lengths, keys) {
            again = keys.again(&nodes);
            lengths = 1..=longest;
        }
        longest *= 2;
    }
    nodes
}

/// Something for each of some things, by their kinds and numbers.
struct Slots<T>([Vec<Option<T>>; Kind::ALL.len()]);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Vec::new()))
    }
}

impl<T: Copy> Slots<T> {
    fn slot(&mut self, of: Subject) -> &mut Option<T> {
        slot(&mut self.0[of.kind as usize], of.index, None)
    }
    fn get(&self, of: Subject) -> Option<T> {
        self.0[of.kind as usize].get(of.index as usize).copied().flatten()
    }
}

/// Which thing belongs to which: sandboxes to pools, pools to apps, and so on.
#[derive(Default)]
pub struct Families(Slots<Subject>);

impl Families {
    /// Whether a field says which.
    pub(super) fn read(field: Field) -> bool {
        matches!(field, Field::App | Field::Pool | Field::CreatedBy | Field::Sandbox)
    }

    /// Takes in a record, each in its turn.
    pub(super) fn take(&mut self, trace: &Trace, record: &Record) {
        match record.what {
            What::Set { field: Field::App | Field::Pool | Field::CreatedBy, to: Value::Ref(parent), .. } => {
                *self.0.slot(record.subject) = Some(parent);
            }
            // A lease or disk without an app belongs where its sandbox does.
            What::Set { field: Field::Sandbox, to: Value::Ref(parent), .. } => {
                self.0.slot(record.subject).get_or_insert(parent);
            }
            What::Created { .. } if record.subject.kind == Kind::Disk => {
                if let Some((decision, _)) = decision(trace, record) {
                    *self.0.slot(record.subject) = Some(trace.records().at(decision).subject);
                }
            }
            // Nothing else says who belongs to whom.
            _ => {}
        }
    }

    /// The app that a subject belongs to, or the subject itself.
    fn head(&self, mut subject: Subject) -> Subject {
        // Lease, sandbox, pool, app: no chain is longer, and none may run in a circle.
        for _ in 0..4 {
            match self.0.get(subject) {
                Some(parent) if parent != subject => subject = parent,
                _ => break,
            }
        }
        subject
    }
}

#[derive(Clone)]
struct Node {
    key: u32,
    /// What its first line is about.
    subject: Subject,
    first: usize,
    begin: SimTime,
    item: Item,
}

/// Numbers for texts, in the order in which they come.
#[derive(Default)]
pub(super) struct Texts(BTreeMap<String, u32>);

impl Texts {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(known) = self.0.get(text) {
            return *known;
        }
        let number = self.0.len() as u32;
        self.0.insert(text.to_owned(), number);
        number
    }
}

/// Numbers for lines and blocks that are alike.
#[derive(Default)]
struct Keys {
    /// By the name of what they are about, without its ordinal.
    words: Texts,
    /// By who says what about whose.
    lines: BTreeMap<(u64, Actor), u32>,
    blocks: BTreeMap<Vec<u32>, u32>,
    /// The last number of a line or block.
    next: u32,
    /// Where a number stood last, and in which list that was.
    seen: Vec<(u32, usize)>,
    lists: u32,
}

impl Keys {
    /// The number of a name without its ordinal.
    fn parent(&mut self, name: &str) -> u32 {
        let parent = name.rsplit_once('-').filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit()));
        self.words.number(parent.map_or(name, |(parent, _)| parent))
    }
    fn line(&mut self, actor: Actor, parent: u32, said: u32) -> u32 {
        let next = &mut self.next;
        *self.lines.entry((u64::from(parent) << 32 | u64::from(said), actor)).or_insert_with(|| following(next))
    }
    fn block(&mut self, body: &[Node]) -> u32 {
        let next = &mut self.next;
        *self.blocks.entry(body.iter().map(|node| node.key).collect()).or_insert_with(|| following(next))
    }
    /// For each node the place of the next one that is alike; none: the end of numbers.
    fn again(&mut self, nodes: &[Node]) -> Vec<usize> {
        self.lists += 1;
        self.seen.resize(self.next as usize + 1, (0, 0));
        let mut again = vec![usize::MAX; nodes.len()];
        for (place, node) in nodes.iter().enumerate().rev() {
            let (list, next) = std::mem::replace(&mut self.seen[node.key as usize], (self.lists, place));
            if list == self.lists {
                again[place] = next;
            }
        }
        again
    }
}

fn following(number: &mut u32) -> u32 {
    *number += 1;
    *number
}

/// Folds, from left to right, the block that covers most at each place; false when nothing folds.
fn pass(nodes: &mut Vec<Node>, again: &[usize], lengths: &RangeInclusive<usize>, keys: &mut Keys) -> bool {
    let mut folds = Vec::new();
    let mut at = 0;
    while at < nodes.len() {
        // Where the first line does not come again often enough, nothing repeats.
        let most = (*lengths.end()).min((nodes.len() - at) / TIMES_MIN);
        let alike = std::iter::successors(Some(again[at]), |place| again.get(*place).copied());
        let best = alike
            .map_while(|place| place.checked_sub(at).filter(|length| *length <= most))
            .filter(|length| lengths.contains(length))
            .filter(|length| (2..TIMES_MIN).all(|nth| nodes[at + nth * length].key == nodes[at].key))
            .map(|length| (length, repetitions(&nodes[at..], length)))
            .filter(|(_, times)| *times >= TIMES_MIN)
            .max_by_key(|(length, times)| (length * times, Reverse(*length)));
        folds.extend(best.map(|(length, times)| (at, length, times)));
        at += best.map_or(1, |(length, times)| length * times);
    }
    let any = !folds.is_empty();
    if any {
        let mut left = std::mem::take(nodes).into_iter();
        let mut done = 0;
        for (at, length, times) in folds {
            nodes.extend(left.by_ref().take(at - done));
            nodes.push(folded(&left.as_slice()[..length * times], length, keys));
            left.nth(length * times - 1);
            done = at + length * times;
        }
        nodes.extend(left);
    }
    any
}

/// How often the first `length` nodes follow each other with one period.
fn repetitions(nodes: &[Node], length: usize) -> usize {
    let first = &nodes[..length];
    let mut body: Option<Vec<Item>> = None;
    let mut period = None;
    // How many there are, and how many of these are about the very same things.
    let (mut times, mut same) = (1, 1);
    for (chunk, before) in nodes.chunks_exact(length).skip(1).zip(nodes.chunks_exact(length)) {
        if chunk.iter().zip(first).any(|(a, b)| a.key != b.key) {
            break;
        }
        let gap = chunk[0].begin.since(before[0].begin);
        let (least, most) = period.unwrap_or((gap, gap));
        let wider = (gap.min(least), gap.max(most));
        if !steady(wider) {
            break;
        }
        if chunk.iter().any(|node| matches!(node.item, Item::Block(_))) {
            let body = body.get_or_insert_with(|| first.iter().map(|node| node.item.clone()).collect());
            body.iter_mut().zip(chunk).for_each(|(item, node)| widen(item, &node.item));
            if !body.iter().all(steady_within) {
                break;
            }
        }
        period = Some(wider);
        if same == times && chunk.iter().zip(first).all(|(a, b)| a.subject == b.subject) {
            same += 1;
        }
        times += 1;
    }
    let one_line = first.iter().all(|node| node.key == first[0].key && matches!(node.item, Item::Line(_)));
    let of_others =
        if one_line { times * length >= OTHERS_MIN } else { period.is_some_and(|(least, _)| least >= LIVES_APART) };
    if of_others { times } else { same }
}

/// Whether gaps between these are one period, give or take a ticker's phase.
pub(super) fn steady((least, most): (SimDuration, SimDuration)) -> bool {
    most * 2 <= least * 3
}

/// Whether a block, widened, still has one period, and so have those in it.
fn steady_within(item: &Item) -> bool {
    match item {
        Item::Line(_) => true,
        Item::Block(block) => steady(block.period) && block.body.iter().all(steady_within),
    }
}

fn folded(nodes: &[Node], length: usize, keys: &mut Keys) -> Node {
    let repetitions: Vec<&[Node]> = nodes.chunks_exact(length).collect();
    let begins: Vec<SimTime> = repetitions.iter().map(|nodes| nodes[0].begin).collect();
    let mut body: Vec<Item> = repetitions[0].iter().map(|node| node.item.clone()).collect();
    for other in &repetitions[1..] {
        for (item, node) in body.iter_mut().zip(*other) {
            widen(item, &node.item);
        }
    }
    let periods = begins.windows(2).map(|pair| pair[1].since(pair[0]));
    let period = (periods.clone().min().unwrap_or_default(), periods.max().unwrap_or_default());
    let times = repetitions.len() as u64;
    let last = nodes[nodes.len() - 1].item.last();
    let block = Box::new(Block { body, times: (times, times), period, last });
    let Node { subject, first, begin, .. } = nodes[0];
    Node { key: keys.block(repetitions[0]), subject, first, begin, item: Item::Block(block) }
}

/// Widens the ranges of a block by those of one that is alike.
fn widen(item: &mut Item, other: &Item) {
    let (Item::Block(block), Item::Block(other)) = (item, other) else { return };
    block.times = (block.times.0.min(other.times.0), block.times.1.max(other.times.1));
    block.period = (block.period.0.min(other.period.0), block.period.1.max(other.period.1));
    for (item, other) in block.body.iter_mut().zip(&other.body) {
        widen(item, other);
    }
}
