//! `[tuning]`: the constants that a story sets, of the scheduler and of what surrounds it.
//!
//! The two tables are one to users. It knows names and values, not what they do; constants of a
//! variant and of the scenario are merged one by one. What a newcomer gets wrong: what a story
//! leaves out follows the fixes in force, so there is no tuning without a set of fixes.

use std::collections::BTreeMap;

use crate::constants::Setting;
use crate::controllers::backoff::{Backoff, JitterKind};
use crate::controllers::fixes::Fixes;
use crate::controllers::tuning::Tuning;
use crate::kernel::SimDuration;
use crate::world::spec::Environment;

use super::schema::Kind;
use super::walk::{Fields, Walk};

/// The constants that a story sets, by their paths below `[tuning]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Constants(BTreeMap<String, Setting>);

impl Constants {
    /// Reads `[tuning]` and the tables below it.
    pub(crate) fn read(walk: &mut Walk, fields: Fields<'_>) -> Self {
        let mut constants = Self::default();
        constants.read_below(walk, fields, "");
        constants
    }

    fn read_below(&mut self, walk: &mut Walk, mut fields: Fields<'_>, prefix: &str) {
        for key in fields.spec.keys() {
            let setting = match key.kind {
                Kind::Table(_) => {
                    if let Some(below) = fields.table(walk, key.name) {
                        self.read_below(walk, below, &format!("{prefix}{}.", key.name));
                    }
                    None
                }
                Kind::Duration => fields.duration(walk, key.name).map(Setting::Duration),
                Kind::Pause => pause(walk, &mut fields, key.name).map(Setting::Duration),
                Kind::Int { .. } => {
                    fields.int(walk, key.name).map(|n| Setting::Int(n.try_into().expect("bounds of 32 bits")))
                }
                Kind::Decimal { .. } => fields.decimal(walk, key.name).map(Setting::Decimal),
                Kind::Word(_) => fields.word(walk, key.name).map(Setting::Word),
                other => unreachable!("a constant of kind {other:?}"),
            };
            if let Some(setting) = setting {
                self.set(&format!("{prefix}{}", key.name), setting);
            }
        }
    }

    /// Sets a constant.
    ///
    /// # Panics
    /// When there is none at `path`, or it has another type.
    pub fn set(&mut self, path: &str, setting: Setting) {
        let taken = [Tuning::default().set(path, setting), Environment::default().set(path, setting)];
        assert_eq!(taken.map(u8::from).iter().sum::<u8>(), 1, "constant `{path}` stands in exactly one table");
        self.0.insert(path.to_owned(), setting);
    }

    /// These, and on top of them `others`.
    #[must_use]
    pub(crate) fn with(&self, others: Self) -> Self {
        Self(self.0.clone().into_iter().chain(others.0).collect())
    }

    /// The paths of those that are set.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Leaves one to its default.
    pub fn unset(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// The scheduler's constants while these fixes are in force.
    pub fn under(&self, fixes: Fixes) -> Tuning {
        let mut tuning = Tuning::of(fixes);
        self.0.iter().for_each(|(path, setting)| _ = tuning.set(path, *setting));
        tuning
    }

    /// The constants of what surrounds the scheduler.
    pub fn environment(&self) -> Environment {
        let mut environment = Environment::default();
        self.0.iter().for_each(|(path, setting)| _ = environment.set(path, *setting));
        environment
    }
}

/// A duration after each of which something is repeated; were it zero, time would stand still.
fn pause(walk: &mut Walk, fields: &mut Fields<'_>, name: &str) -> Option<SimDuration> {
    let d = fields.duration(walk, name)?;
    if d.is_zero() {
        let node = fields.get(name).expect("just read");
        return walk
            .error(node.span, format!("`{name}` must be longer than nothing"))
            .help("it would repeat without end at one instant")
            .none();
    }
    Some(d)
}

/// What of a backoff is legal and does not do what it seems to say.
pub(crate) fn backoff_warnings(backoff: &Backoff) -> Vec<String> {
    let Backoff { base, cap, jitter_ppm, jitter_kind, .. } = *backoff;
    let mut warnings = Vec::new();
    if jitter_ppm > 0 && jitter_kind == JitterKind::None {
        let text =
            "`backoff.jitter` without a `jitter_kind` draws nothing: write \"full\", \"equal\" or \"decorrelated\"";
        warnings.push(text.to_owned());
    }
    if jitter_ppm == 0 && jitter_kind != JitterKind::None {
        let text = "`backoff.jitter_kind` draws nothing while `jitter` is 0: it is the fraction that is drawn";
        warnings.push(text.to_owned());
    }
    let cap = cap.length();
    if base > cap {
        warnings.push(format!("`backoff.base` ({base}) is above `backoff.cap` ({cap}): every wait is the cap"));
    }
    warnings
}
