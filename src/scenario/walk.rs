//! The walk over a scenario's tree: finds problems, and reads tables key by key.
//!
//! Knows the tables of the format and the shape of trees, not what the keys mean. Reading never
//! stops at a problem: it is noted, and the value is missing. What a newcomer gets wrong: every
//! key that a table's list names must be asked for before [`Fields`] is dropped – a key that is
//! accepted and not read would be ignored in silence.

use crate::model::Name;

use super::diagnostics::{Problem, Shadowed, Span};
use super::schema::{self, Kind, ONE_OF, PER_THING, TableSpec};
use super::suggest::{listed, similar, typo};
use super::tree::{Entry, Node, Table, Value};

/// More unknown keys of one table than this are counted: finding what was meant takes time.
const UNKNOWN_MAX: usize = 100;

/// No longer list of known names goes with a guess at the one that was meant.
const LISTED_MAX: usize = 10;

/// What a walk finds and remembers.
#[derive(Default)]
pub(crate) struct Walk {
    pub(crate) problems: Vec<Problem>,
    /// What is legal and probably a mistake.
    pub(crate) warnings: Vec<String>,
    /// Those of them that tell of options which do not reach all variants.
    pub(crate) shadowed: Vec<Shadowed>,
    /// The cluster's nodes; none: they could not be read.
    pub(crate) nodes: Option<Vec<Name>>,
    /// The apps that some step deploys.
    pub(crate) apps: Vec<Name>,
    /// Where apps are named that must be deployed by some step.
    pub(crate) apps_named: Vec<(Name, Span)>,
    /// The names of the steps, in the order of the file.
    pub(crate) steps: Vec<Name>,
    /// Whether a list's parts stand under two names, so that what stands under the right one seems to be there twice.
    pub(crate) torn: bool,
}

impl Walk {
    /// Notes a problem at a place.
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) -> &mut Problem {
        self.problems.push(Problem::at(span, message));
        self.problems.last_mut().expect("just pushed")
    }

    /// What steps deploy, as words behind an app that none does.
    pub(crate) fn deployed(&self) -> String {
        if self.apps.is_empty() {
            return String::new();
        }
        let mut apps = self.apps.clone();
        apps.sort_unstable();
        apps.dedup();
        format!(" (steps deploy {})", listed(apps.iter().map(|app| app.as_str())))
    }

    /// Adds a line to the problem that was noted last.
    pub(crate) fn help(&mut self, text: &str) {
        self.problems.last_mut().expect("a problem was noted").help(text);
    }

    /// Notes that a value is of the wrong kind.
    pub(crate) fn mismatch(&mut self, node: &Node, wanted: &str) -> &mut Problem {
        self.error(node.span, format!("expected {wanted}, found {}", node.kind()))
    }

    /// Notes that a name is not among the known ones.
    pub(crate) fn unknown<'a>(
        &mut self,
        span: Span,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> &mut Problem {
        let (meant, count) = (similar(name, known.clone()), known.clone().count());
        let problem = self.error(span, format!("unknown {what} `{name}`"));
        if let Some(meant) = meant {
            problem.label(format!("did you mean `{meant}`?"));
        }
        // Names of one kind tend to look alike (`n1`, `n2`), so a short list goes with the guess.
        let worth_listing = if meant.is_some() { 2..=LISTED_MAX } else { 1..=usize::MAX };
        if worth_listing.contains(&count) {
            problem.help(format!("known: {}", listed(known)));
        }
        problem
    }
}

/// A table of the tree, read by its list of keys.
pub(crate) struct Fields<'t> {
    table: &'t Table,
    pub(crate) spec: &'static TableSpec,
    pub(crate) span: Span,
    asked: Vec<bool>,
    /// Keys that were meant to be known ones, the first for each: what they hold is looked at as well.
    misspelt: Vec<(&'static str, &'t Entry)>,
}

impl<'t> Fields<'t> {
    /// Opens a table; keys that it cannot have are noted.
    pub(crate) fn open(walk: &mut Walk, node: &'t Node, spec: &'static TableSpec) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            return walk.mismatch(node, &format!("the table {}", spec.name)).none();
        };
        let unknown = || table.0.iter().filter(|entry| spec.key(&entry.key).is_none());
        let mut misspelt: Vec<(&str, &Entry)> = Vec::new();
        for entry in unknown().take(UNKNOWN_MAX) {
            unknown_key(walk, &entry.key, entry.key_span, spec);
            let slip = typo(&entry.key, spec.names());
            misspelt
                .extend(slip.filter(|name| misspelt.iter().all(|(known, _)| known != name)).map(|name| (name, entry)));
        }
        if let Some(entry) = unknown().nth(UNKNOWN_MAX) {
            let more = unknown().count() - UNKNOWN_MAX;
            walk.error(entry.key_span, format!("and {more} more unknown keys in {}", spec.name));
        }
        Some(Self { table, spec, span: node.span, asked: vec![false; spec.keys().len()], misspelt })
    }

    /// The value under a key, when it is there.
    pub(crate) fn get(&mut self, name: &str) -> Option<&'t Node> {
        let index = self.spec.names().position(|known| known == name);
        let index = index.unwrap_or_else(|| panic!("{} has no key `{name}`", self.spec.name));
        self.asked[index] = true;
        self.table.get(name).or_else(|| self.meant_to_be(name))
    }

    /// The value of the unknown key that was meant to be that one.
    fn meant_to_be(&self, name: &str) -> Option<&'t Node> {
        self.misspelt.iter().find(|(meant, _)| *meant == name).map(|(_, entry)| &entry.node)
    }

    /// The value under a key that must be there.
    pub(crate) fn need(&mut self, walk: &mut Walk, name: &str) -> Option<&'t Node> {
        let found = self.get(name);
        // An unknown key that was meant to be this one is noted already.
        let mut unknown = self.table.0.iter().filter(|entry| self.spec.key(&entry.key).is_none()).take(UNKNOWN_MAX);
        if found.is_none() && !unknown.any(|entry| similar(&entry.key, self.spec.names()) == Some(name)) {
            let what = match self.spec.key(name).map(|key| key.kind) {
                Some(Kind::Word(words)) => format!(": one of {}", listed(words.iter().copied())),
                _ => String::new(),
            };
            let problem = walk.error(self.span, format!("{} needs `{name}`{what}", self.spec.name));
            if self.span != Span::FILE {
                problem.label(format!("`{name}` is missing"));
            }
            problem.dependent();
        }
        found
    }

    /// The keys that are names of things, in the order of the file.
    pub(crate) fn things(&mut self) -> impl Iterator<Item = &'t Entry> {
        self.get(PER_THING);
        self.table.0.iter().filter(|entry| entry.key.contains('/'))
    }

    /// Of the keys of which there is one, that one.
    pub(crate) fn exactly_one(&mut self, walk: &mut Walk) -> Option<(&'static str, &'t Node)> {
        let choices: Vec<&str> =
            self.spec.keys().iter().filter(|key| key.default == ONE_OF).map(|key| key.name).collect();
        for name in &choices {
            self.get(name);
        }
        let mut found = self.table.0.iter().filter_map(|entry| {
            let meant = self.misspelt.iter().find(|(_, misspelt)| std::ptr::eq(*misspelt, entry));
            let meant = meant.filter(|(name, _)| self.table.get(name).is_none());
            let written = meant.map_or(entry.key.as_str(), |(name, _)| name);
            Some((*choices.iter().find(|name| **name == written)?, entry))
        });
        let Some((name, first)) = found.next() else {
            // An unknown key that was meant to be one of them is noted already.
            let unknown = self.table.0.iter().filter(|entry| self.spec.key(&entry.key).is_none());
            let misspelt = unknown
                .take(UNKNOWN_MAX)
                .any(|entry| similar(&entry.key, self.spec.names()).is_none_or(|meant| choices.contains(&meant)));
            if !misspelt {
                let problem = walk.error(self.span, format!("{} needs one of {}", self.spec.name, listed(choices)));
                problem.dependent();
            }
            return None;
        };
        let others: Vec<_> = found.collect();
        if others.is_empty() {
            return Some((name, &first.node));
        }
        for (other, entry) in others {
            let problem = walk.error(entry.key_span, format!("{} has both `{name}` and `{other}`", self.spec.name));
            problem.context(first.key_span, "the first one").help("keep exactly one of them");
        }
        None
    }

    /// The kind of a key, with its bounds.
    pub(crate) fn kind(&self, name: &str) -> Kind {
        self.spec.key(name).unwrap_or_else(|| panic!("{} has no key `{name}`", self.spec.name)).kind
    }

    /// The tables under a key of which there can be several.
    pub(crate) fn tables(&mut self, walk: &mut Walk, name: &str, most: usize) -> Vec<Fields<'t>> {
        let Kind::Tables(spec) = self.kind(name) else { panic!("`{name}` is no list of tables") };
        let Some(node) = self.get(name) else { return Vec::new() };
        let Value::Array(items) = &node.value else {
            if self.meant_to_be(name).is_some() {
                // `[[steps]]` and `[step.do.deploy]`: that the first is no `[[step]]` is noted, and all that is wrong.
                walk.torn = true;
            } else if node.span.source == Span::FILE.source {
                walk.mismatch(node, "a list of tables").help(format!("write {}: there can be several", spec.name));
            } else {
                walk.error(node.span, format!("there is no `[[{name}]]` to change"));
            }
            return Vec::new();
        };
        if items.len() > most {
            walk.error(items[most].span, format!("more than {most} of {}", spec.name));
        }
        items.iter().take(most).filter_map(|item| Fields::open(walk, item, spec)).collect()
    }

    /// The table under a key, when it is there.
    pub(crate) fn table(&mut self, walk: &mut Walk, name: &str) -> Option<Fields<'t>> {
        let Kind::Table(spec) = self.kind(name) else { panic!("`{name}` is no table") };
        self.get(name).and_then(|node| Fields::open(walk, node, spec))
    }
}

impl Drop for Fields<'_> {
    fn drop(&mut self) {
        if let Some(index) = self.asked.iter().position(|asked| !asked)
            && !std::thread::panicking()
        {
            panic!("key `{}` of {} is accepted and never read", self.spec.keys()[index].name, self.spec.name);
        }
    }
}

fn unknown_key(walk: &mut Walk, key: &str, span: Span, spec: &'static TableSpec) {
    let owner = schema::owner_of(key, spec);
    // A key that exists elsewhere is more likely misplaced than badly misspelt.
    let meant = if owner.is_some() { typo(key, spec.names()) } else { similar(key, spec.names()) };
    let problem = walk.error(span, format!("unknown key `{key}` in {}", spec.name));
    if let Some(meant) = meant {
        problem.label(format!("did you mean `{meant}`?"));
    }
    match owner {
        Some(owner) => {
            problem.help(format!("`{key}` is a key of {}, not of {}", owner.name, spec.name));
        }
        None if meant.is_none() => {
            problem.help(format!("the keys of {} are {}", spec.name, listed(spec.names())));
        }
        None => {}
    }
}
