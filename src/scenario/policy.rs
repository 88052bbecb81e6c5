//! Which logic runs: `policy`, of the scenario, its variants and the command line.
//!
//! Knows the names of fixes, not what they do. A variant's policy replaces the scenario's as a whole.

use crate::controllers::fixes::{Day, Fix, Fixes};

use super::story::Policy;
use super::tree::{Node, Value};
use super::values;
use super::walk::{Fields, Walk};

/// What a policy says, before it is applied.
#[derive(Clone, Debug, Default)]
pub(crate) struct PolicyText {
    pub(crate) as_of: Option<(String, Fixes)>,
    pub(crate) with: Vec<Fix>,
    pub(crate) without: Vec<Fix>,
}

impl PolicyText {
    /// Reads a table with `as_of`, `with` and `without`.
    pub(crate) fn read(walk: &mut Walk, mut fields: Fields<'_>) -> Self {
        let as_of = fields.get("as_of").and_then(|node| as_of(walk, node));
        let [with, without] = ["with", "without"].map(|key| fields.get(key));
        let read = |walk: &mut Walk, node: Option<&Node>| {
            node.and_then(|node| values::distinct(walk, node, "names of fixes", fix)).unwrap_or_default()
        };
        let text = Self { as_of, with: read(walk, with), without: read(walk, without) };
        if let (Some(fix), Some(node)) = (text.with.iter().find(|fix| text.without.contains(fix)), without) {
            walk.error(node.span, format!("`{fix}` is both in `with` and in `without`"));
        }
        text
    }

    /// The policy of the file with that of the command line on top.
    pub(crate) fn resolve(&self, over: &Self) -> Policy {
        let (as_of, fixes) = over
            .as_of
            .clone()
            .or_else(|| self.as_of.clone())
            .unwrap_or_else(|| ("current".to_owned(), Fixes::current()));
        let (mut with, mut without) = (self.with.clone(), self.without.clone());
        for fix in &over.with {
            without.retain(|known| known != fix);
            with.retain(|known| known != fix);
            with.push(*fix);
        }
        for fix in &over.without {
            with.retain(|known| known != fix);
            without.retain(|known| known != fix);
            without.push(*fix);
        }
        Policy { as_of, fixes: fixes.changed(&with, &without), with, without }
    }
}

/// A day, `"current"` or `"proposed"`, and the fixes in force then.
pub(crate) fn as_of(walk: &mut Walk, node: &Node) -> Option<(String, Fixes)> {
    if let Value::Datetime(day) = &node.value {
        return walk.mismatch(node, "a text").help(format!("write \"{day}\"")).none();
    }
    let text = values::text(walk, node)?;
    let fixes = match text {
        "current" => Fixes::current(),
        "proposed" => Fixes::proposed(),
        day => match day.parse::<Day>() {
            Ok(day) => Fixes::as_of(day),
            Err(why) => {
                return walk.error(node.span, why).none();
            }
        },
    };
    Some((text.to_owned(), fixes))
}

/// A fix.
pub(crate) fn fix(walk: &mut Walk, node: &Node) -> Option<Fix> {
    values::known(walk, node, "fix", Fix::ALL, |fix| fix.name()).copied()
}
