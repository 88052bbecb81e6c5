//! Which logic runs: `policy` and `[tuning]`, of the scenario, its variants and the command line.
//!
//! Knows the names of fixes and constants, not what they do. A variant's policy replaces the
//! scenario's as a whole; constants are merged one by one. What a newcomer gets wrong: the command
//! line comes last and takes away what a file's own `with` has added.

use crate::controllers::fixes::{Day, Fix, Fixes};
use crate::controllers::tuning::{Setting, Tuning};
use crate::kernel::SimDuration;

use super::schema::Kind;
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

/// A constant that is set.
pub(crate) type Constant = (String, Setting);

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
        let (as_of, mut fixes) = over
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
        fixes = with.iter().fold(fixes, |fixes, fix| fixes.with(*fix));
        fixes = without.iter().fold(fixes, |fixes, fix| fixes.without(*fix));
        Policy { as_of, with, without, fixes }
    }
}

/// A day, `"current"` or `"proposed"`, and the fixes in force then.
pub(crate) fn as_of(walk: &mut Walk, node: &Node) -> Option<(String, Fixes)> {
    if let Value::Datetime(day) = &node.value {
        walk.mismatch(node, "a text").help(format!("write \"{day}\""));
        return None;
    }
    let text = values::text(walk, node)?;
    let fixes = match text {
        "current" => Fixes::current(),
        "proposed" => Fixes::proposed(),
        day => match day.parse::<Day>() {
            Ok(day) => Fixes::as_of(day),
            Err(why) => {
                walk.error(node.span, why);
                return None;
            }
        },
    };
    Some((text.to_owned(), fixes))
}

/// A fix.
pub(crate) fn fix(walk: &mut Walk, node: &Node) -> Option<Fix> {
    values::known(walk, node, "fix", Fix::ALL, |fix| fix.name()).copied()
}

/// Reads `[tuning]` and the tables below it.
pub(crate) fn tuning(walk: &mut Walk, fields: Fields<'_>) -> Vec<Constant> {
    let mut constants = Vec::new();
    tuning_below(walk, fields, "", &mut constants);
    constants
}

fn tuning_below(walk: &mut Walk, mut fields: Fields<'_>, prefix: &str, constants: &mut Vec<Constant>) {
    for key in fields.spec.keys() {
        let setting = match key.kind {
            Kind::Table(_) => {
                if let Some(below) = fields.table(walk, key.name) {
                    tuning_below(walk, below, &format!("{prefix}{}.", key.name), constants);
                }
                None
            }
            Kind::Duration => period(walk, &mut fields, key.name).map(Setting::Duration),
            Kind::Int { .. } => {
                fields.int(walk, key.name).map(|n| Setting::Int(n.try_into().expect("bounds of 32 bits")))
            }
            Kind::Decimal { .. } => fields.decimal(walk, key.name).map(Setting::Decimal),
            Kind::Word(_) => fields.word(walk, key.name).map(Setting::Word),
            other => unreachable!("a constant of kind {other:?}"),
        };
        constants.extend(setting.map(|setting| (format!("{prefix}{}", key.name), setting)));
    }
}

/// A duration; one that is the period of something cannot be zero, or time would stand still.
fn period(walk: &mut Walk, fields: &mut Fields<'_>, name: &str) -> Option<SimDuration> {
    const PERIODS: &[&str] = &["_resync", "_every", "_poll", "_tick", "_renew"];
    let d = fields.duration(walk, name)?;
    if d.is_zero() && PERIODS.iter().any(|end| name.ends_with(end)) {
        let node = fields.get(name).expect("just read");
        walk.error(node.span, format!("`{name}` must be longer than nothing"))
            .help("it would repeat without end at one instant");
        return None;
    }
    Some(d)
}

/// The scheduler's constants with these set.
pub(crate) fn tuned(constants: &[Constant]) -> Tuning {
    let mut tuning = Tuning::default();
    for (path, setting) in constants {
        assert!(tuning.set(path, *setting), "constant `{path}` is listed and cannot be set");
    }
    tuning
}

/// What of a backoff is legal and does not do what it seems to say.
pub(crate) fn backoff_warnings(tuning: &Tuning) -> Vec<String> {
    let get = |key: &str| tuning.get(&format!("backoff.{key}")).unwrap_or_else(|| panic!("no constant `{key}`"));
    let mut warnings = Vec::new();
    match (get("jitter"), get("jitter_kind")) {
        (Setting::Decimal(part), Setting::Word(0)) if part > 0 => warnings.push(
            "`backoff.jitter` without a `jitter_kind` draws nothing: write \"full\", \"equal\" or \"decorrelated\"",
        ),
        (Setting::Decimal(0), Setting::Word(kind)) if kind > 0 => {
            warnings.push("`backoff.jitter_kind` draws nothing while `jitter` is 0: it is the fraction that is drawn");
        }
        _ => {}
    }
    let mut warnings: Vec<String> = warnings.into_iter().map(str::to_owned).collect();
    if let (Setting::Duration(base), Setting::Duration(cap)) = (get("base"), get("cap"))
        && base > cap
    {
        warnings.push(format!("`backoff.base` ({base}) is above `backoff.cap` ({cap}): every wait is the cap"));
    }
    warnings
}
