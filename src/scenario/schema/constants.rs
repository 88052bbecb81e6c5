//! The `[tuning]` table, made from the tables of constants.
//!
//! The scheduler's and those of what surrounds it are one to users.

use std::sync::LazyLock;

use crate::constants::{Row, Setting, SettingKind};
use crate::controllers::backoff::Backoff;
use crate::controllers::fixes::{Fix, Fixes};
use crate::controllers::tuning::Tuning;
use crate::world::spec::{Environment, Graces};

use super::{Key, Keys, Kind, TableSpec};

pub(crate) static TUNING: TableSpec = TableSpec {
    name: "`tuning`",
    doc: "Constants of the scheduler and of what surrounds it; list only what differs.",
    keys: Keys::Made(|| &TOP),
};
static BACKOFF: TableSpec = TableSpec {
    name: "`tuning.backoff`",
    doc: "How long a pool waits after crashes: `base · factor^(n−1)`, at most `cap`.",
    keys: Keys::Made(|| &BACKOFF_KEYS),
};
static GRACE: TableSpec =
    TableSpec { name: "`tuning.grace`", doc: "How long each invariant forgives.", keys: Keys::Made(|| &GRACE_KEYS) };

static TOP: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let table = |name, spec, doc| Key { name, kind: Kind::Table(spec), default: "as below", doc };
    let mut keys = keys(Tuning::ROWS, |fixes, name| Tuning::of(fixes).get(name));
    keys.extend(self::keys(Environment::ROWS, |_, name| Environment::default().get(name)));
    keys.push(table("backoff", &BACKOFF, "how long a pool waits after crashes"));
    keys.push(table("grace", &GRACE, "what invariants forgive"));
    keys
});
static BACKOFF_KEYS: LazyLock<Vec<Key>> =
    LazyLock::new(|| keys(Backoff::ROWS, |fixes, name| Backoff::of(fixes).get(name)));
static GRACE_KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| keys(Graces::ROWS, |_, name| Graces::default().get(name)));

/// The keys of a table whose defaults these are.
fn keys(rows: &[Row], default: impl Fn(Fixes, &str) -> Option<Setting>) -> Vec<Key> {
    let key = |row: &Row| {
        let of = |fixes| text(default(fixes, row.name).expect("it is listed"), row.kind);
        let mut words = of(Fixes::NONE);
        if !row.eras.is_empty() {
            let fixes = row.eras.iter().rev().map(|name| Fix::named(name).expect("it names a fix"));
            let eras = fixes.map(|fix| format!("{} with `{fix}`, ", of(Fixes::NONE.with(fix))));
            words = format!("follows the fixes: {}else {words}", eras.collect::<String>());
        }
        // Made once, and as long-lived as the program.
        Key { name: row.name, kind: kind(row.kind), default: Box::leak(words.into_boxed_str()), doc: row.meaning }
    };
    rows.iter().map(key).collect()
}

fn kind(kind: SettingKind) -> Kind {
    match kind {
        SettingKind::Duration => Kind::Duration,
        SettingKind::Pause => Kind::Pause,
        SettingKind::Int { min, max } => Kind::Int { min: min.into(), max: max.into() },
        SettingKind::Decimal { min, max } => Kind::Decimal { min, max },
        SettingKind::Word(words) => Kind::Word(words),
    }
}

/// A value as TOML.
fn text(value: Setting, kind: SettingKind) -> String {
    match (value, kind) {
        (Setting::Duration(d), _) => format!("\"{d}\""),
        (Setting::Int(n), _) => n.to_string(),
        (Setting::Decimal(ppm), _) => {
            let fraction = format!("{:06}", ppm % 1_000_000);
            let digits = fraction.trim_end_matches('0');
            format!("{}.{}", ppm / 1_000_000, if digits.is_empty() { "0" } else { digits })
        }
        (Setting::Word(n), SettingKind::Word(words)) => format!("\"{}\"", words[n]),
        (Setting::Word(_), _) => unreachable!("a word of a constant that is none"),
    }
}
