//! Reading of single values: durations, spreads, names, words, lists; numbers are next door.
//!
//! Knows nodes and their kinds, not which keys there are. Each reader notes what is wrong and answers nothing
//! then, so that the walk goes on.

use std::collections::BTreeMap;

use crate::kernel::{SimDuration, SimTime};
use crate::model::{Name, Words};
use crate::time::DurationError;
use crate::world::spec::{Delay, Spread};

use super::numbers;
use super::schema::{Kind, SPREAD};
use super::suggest::typo;
use super::tree::{Node, Value};
use super::walk::{Fields, Walk};

/// Longer lists are mistakes; so a cluster has no more nodes.
const LIST_MAX: usize = 10_000;
/// Longer names are mistakes.
const NAME_MAX: usize = 200;

impl Fields<'_> {
    /// A duration.
    pub(crate) fn duration(&mut self, walk: &mut Walk, name: &str) -> Option<SimDuration> {
        assert!(matches!(self.kind(name), Kind::Duration | Kind::Pause), "`{name}` is no duration");
        self.get(name).and_then(|node| duration(walk, node))
    }
    /// A time from the start of the run.
    pub(crate) fn time(&mut self, walk: &mut Walk, name: &str) -> Option<SimTime> {
        self.duration(walk, name).map(|d| SimTime::ZERO + d)
    }
    /// A duration that may be random.
    pub(crate) fn spread(&mut self, walk: &mut Walk, name: &str) -> Option<Spread> {
        assert!(matches!(self.kind(name), Kind::Spread), "`{name}` is no spread");
        self.get(name).and_then(|node| spread(walk, node))
    }
    /// A delay for each boot.
    pub(crate) fn delays(&mut self, walk: &mut Walk, name: &str) -> Option<Vec<Delay>> {
        assert!(matches!(self.kind(name), Kind::Delays), "`{name}` is no delay");
        self.get(name).and_then(|node| delays(walk, node))
    }
    /// A whole number within the bounds of its key.
    pub(crate) fn int(&mut self, walk: &mut Walk, name: &str) -> Option<u64> {
        let Kind::Int { min, max } = self.kind(name) else { panic!("`{name}` is no whole number") };
        self.get(name).and_then(|node| numbers::int(walk, node, min, max))
    }
    /// Parts per million within the bounds of its key.
    pub(crate) fn decimal(&mut self, walk: &mut Walk, name: &str) -> Option<u64> {
        let Kind::Decimal { min, max } = self.kind(name) else { panic!("`{name}` is no decimal") };
        self.get(name).and_then(|node| numbers::decimal(walk, node, min, max))
    }
    /// Which of the words of its key.
    pub(crate) fn word(&mut self, walk: &mut Walk, name: &str) -> Option<usize> {
        let Kind::Word(words) = self.kind(name) else { panic!("`{name}` is no word") };
        self.get(name).and_then(|node| word(walk, node, name, words))
    }
    /// Which of those that the words of its key name.
    pub(crate) fn choice<T: Words>(&mut self, walk: &mut Walk, name: &str) -> Option<T> {
        self.word(walk, name).map(|index| T::ALL[index])
    }
    /// Any text.
    pub(crate) fn text(&mut self, walk: &mut Walk, name: &str) -> Option<String> {
        assert!(matches!(self.kind(name), Kind::Text), "`{name}` is no text");
        self.get(name).and_then(|node| text(walk, node).map(str::to_owned))
    }
    /// A name.
    pub(crate) fn name(&mut self, walk: &mut Walk, name: &str) -> Option<Name> {
        assert!(matches!(self.kind(name), Kind::Name), "`{name}` is no name");
        self.get(name).and_then(|node| self::name(walk, node))
    }
}

/// A text.
pub(crate) fn text<'t>(walk: &mut Walk, node: &'t Node) -> Option<&'t str> {
    if node.string().is_none() {
        walk.mismatch(node, "a text").help("put it in quotes");
    }
    node.string()
}

/// A name of something.
pub(crate) fn name(walk: &mut Walk, node: &Node) -> Option<Name> {
    let text = text(walk, node)?;
    let wrong = match text {
        "" => "a name cannot be empty",
        _ if text.len() > NAME_MAX => "a name cannot be longer than 200 bytes",
        _ if text.contains('/') => "a name cannot contain `/`",
        _ if text.chars().any(char::is_control) => "a name cannot contain control characters",
        _ if text.trim() != text => "a name cannot begin or end with a space",
        _ => return Some(Name::new(text)),
    };
    walk.error(node.span, wrong).none()
}

/// The items of a list.
pub(crate) fn list<'t>(walk: &mut Walk, node: &'t Node, of: &str) -> Option<&'t [Node]> {
    let Value::Array(items) = &node.value else {
        let problem = walk.mismatch(node, &format!("a list of {of}"));
        if let Some(text) = node.string() {
            problem.help(format!("write `[\"{text}\"]`"));
        }
        return None;
    };
    if items.len() > LIST_MAX {
        return walk.error(items[LIST_MAX].span, format!("a list of more than {LIST_MAX}")).none();
    }
    Some(items)
}

/// The items of a list, each read by `read`; a value that comes twice is noted.
pub(crate) fn distinct<T: Ord + Copy>(
    walk: &mut Walk,
    node: &Node,
    of: &str,
    mut read: impl FnMut(&mut Walk, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    let items = list(walk, node, of)?;
    let (mut found, mut places) = (Vec::new(), BTreeMap::new());
    let mut complete = true;
    for item in items {
        let Some(value) = read(walk, item) else {
            complete = false;
            continue;
        };
        let first = *places.entry(value).or_insert(item.span);
        if first == item.span {
            found.push(value);
        } else {
            walk.error(item.span, "this is in the list twice").context(first, "first here");
            complete = false;
        }
    }
    complete.then_some(found)
}

/// Which of the words.
pub(crate) fn word(walk: &mut Walk, node: &Node, what: &str, words: &[&'static str]) -> Option<usize> {
    let text = text(walk, node)?;
    let found = words.iter().position(|word| *word == text);
    if found.is_none() {
        walk.unknown(node.span, what, text, words.iter().copied());
    }
    found
}

/// A duration.
pub(crate) fn duration(walk: &mut Walk, node: &Node) -> Option<SimDuration> {
    match parse_duration(walk, node)? {
        Ok(d) => Some(d),
        Err(error) => walk.error(node.span, error.to_string()).none(),
    }
}

/// A duration, or why a text is none. Answers nothing where the reason is noted already.
pub(crate) fn parse_duration(walk: &mut Walk, node: &Node) -> Option<Result<SimDuration, DurationError>> {
    match &node.value {
        Value::String(text) if text.trim().contains(char::is_whitespace) => {
            let joined: String = text.split_whitespace().collect();
            let problem = walk.error(node.span, "a duration is written without spaces");
            match joined.parse::<SimDuration>() {
                Ok(_) => problem.help(format!("write \"{joined}\"")),
                Err(error @ DurationError::Unit { .. }) => problem.help(error.to_string()),
                Err(_) => problem.help("write one like \"90s\" or \"1h30m\""),
            };
            None
        }
        Value::String(text) if text == "never" => walk.error(node.span, "this duration cannot be \"never\"").none(),
        Value::String(text) => Some(text.parse()),
        Value::Integer(digits, 10) | Value::Float(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => walk
            .error(node.span, "a duration needs a unit")
            .help(format!("write \"{digits}s\" if you mean seconds"))
            .none(),
        Value::Integer(..) | Value::Float(_) => walk.mismatch(node, "a duration").help("write one like \"5s\"").none(),
        Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            walk.mismatch(node, "a duration like \"5s\"").none()
        }
    }
}

/// A duration that may be random.
pub(crate) fn spread(walk: &mut Walk, node: &Node) -> Option<Spread> {
    if node.table().is_none() {
        return duration(walk, node).map(Spread::Constant);
    }
    let mut fields = Fields::open(walk, node, &SPREAD)?;
    match fields.exactly_one(walk)? {
        ("exponential", node) => duration(walk, node).map(Spread::Exponential),
        ("uniform", node) => {
            let (low, high) = pair(walk, node, "the shortest and the longest duration")?;
            if low > high {
                return walk
                    .error(node.span, format!("the first duration ({low}) is longer than the second ({high})"))
                    .none();
            }
            Some(Spread::Uniform(low, high))
        }
        (_, node) => {
            let (mean, deviation) = pair(walk, node, "the mean and the standard deviation")?;
            Some(Spread::Normal(mean, deviation))
        }
    }
}

fn pair(walk: &mut Walk, node: &Node, of: &str) -> Option<(SimDuration, SimDuration)> {
    match list(walk, node, "two durations")? {
        [a, b] => {
            let (a, b) = (duration(walk, a), duration(walk, b));
            Some((a?, b?))
        }
        items => {
            let count = items.len();
            walk.error(node.span, format!("expected two durations, found {count}"))
                .help(format!("they are {of}"))
                .none()
        }
    }
}

/// A delay for each boot: one value, or a list whose last value repeats.
pub(crate) fn delays(walk: &mut Walk, node: &Node) -> Option<Vec<Delay>> {
    let one = |walk: &mut Walk, node: &Node| match node.string() {
        Some("never") => Some(Delay::Never),
        Some(text) if typo(text, ["never"]).is_some() => {
            walk.error(node.span, "this is not a duration").label("did you mean \"never\"?").none()
        }
        _ => spread(walk, node).map(Delay::After),
    };
    let Value::Array(_) = &node.value else {
        return one(walk, node).map(|delay| vec![delay]);
    };
    let items = list(walk, node, "delays")?;
    if items.is_empty() {
        return walk.error(node.span, "a list of delays cannot be empty").help("write \"never\", or a duration").none();
    }
    let read: Vec<Option<Delay>> = items.iter().map(|item| one(walk, item)).collect();
    read.into_iter().collect()
}

/// A name that must be one of the known; `what` says of which kind.
pub(crate) fn known<'a, T>(
    walk: &mut Walk,
    node: &Node,
    what: &str,
    all: &'a [T],
    name_of: impl Fn(&'a T) -> &'a str + Clone,
) -> Option<&'a T> {
    let text = text(walk, node)?;
    let found = all.iter().find(|item| name_of(item) == text);
    if found.is_none() {
        walk.unknown(node.span, what, text, all.iter().map(name_of));
    }
    found
}
