//! The tables of `[[expect.at]]`: a table for each kind of things, made from the list of kinds.
//!
//! Names and texts of keys only; the fields and their types come from `claims`.

use std::sync::LazyLock;

use crate::scenario::claims::{THINGS, Thing};

use super::tables::{key, table};
use super::{Key, Keys, Kind, REQUIRED, TableSpec};

pub(crate) static MOMENT: TableSpec = table(
    "`[[expect.at]]`",
    "What must be true of the store (and of what really runs) at a moment, once everything has happened that happens at that instant. Each claim is held against the state on its own. A claim of a field of a thing that is not there fails, and so does one of a thing that never was there in the whole run, `absent` or not; that nothing of a kind was ever there is said by `count`.",
    &[
        key("at", Kind::Duration, REQUIRED, "the moment, from the start of the run; not after the horizon"),
        key(
            "within",
            Kind::Duration,
            "at the moment itself",
            "each claim holds at some instant no later than that after `at`",
        ),
        key(
            "for",
            Kind::Duration,
            "at the moment itself",
            "each claim holds at every instant until that long after `at`",
        ),
        key("count", Kind::Table(&COUNTS), "none", "how many there are: by kind"),
        key(PER_THING, Kind::PerThing, "none", "claims of one thing, like `\"pool/a-web\".current_instances = 3`"),
    ],
);

/// Stands for every key that is the name of a thing.
pub(crate) const PER_THING: &str = "KIND/NAME";

static COUNTS: TableSpec = TableSpec {
    name: "`expect.at.count`",
    doc: "How many things of a kind there are: a number, `{ equals = 3 }`, or `{ min = 1, max = 2 }`; with fields of the kind beside, of those that match all of them, like `{ status = \"pending\", pool = \"a-web\", equals = 3 }`. A list of such tables counts several times.",
    keys: Keys::Made(|| &COUNT_KEYS),
};
static COUNT_KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    THINGS.iter().zip(&*COUNTED).map(|(thing, spec)| key(thing.kind.name(), Kind::Counts(spec), "any", "")).collect()
});

/// How a claim of a field is written when a value alone does not say it.
pub(crate) static CLAIM: TableSpec = table(
    "a claim",
    "What is claimed of a field: its value, or a table of these, of which one says what (`min` and `max` go together). Numbers and durations take `min` and `max`; so do lists, for how long they are.",
    &[
        key("equals", Kind::Value, "any", "exactly; of a list, in any order"),
        key("not", Kind::Value, "any", "another value, or none"),
        key("min", Kind::Value, "any", "at least"),
        key("max", Kind::Value, "any", "at most"),
        key("has", Kind::Value, "any", "a list holds that"),
        key("absent", Kind::Flag, "any", "whether there is no value"),
        key("by", Kind::Name, "anybody", "the controller that gave it the value that it has"),
    ],
);

/// The table of claims of one thing, by kind as `THINGS` has them.
static CLAIMED: LazyLock<Vec<TableSpec>> = LazyLock::new(|| {
    let own = [
        key("absent", Kind::Flag, "false", "whether it is not there (it must have been at some time)"),
        key("by", Kind::Name, "anybody", "the controller that wrote it last, or deleted it"),
    ];
    THINGS
        .iter()
        .map(|thing| {
            made(thing, format!("`\"{}/NAME\"`", thing.kind.name()), "Claims of one thing of that kind.", &own)
        })
        .collect()
});
/// The table of one count, likewise.
static COUNTED: LazyLock<Vec<TableSpec>> = LazyLock::new(|| {
    let most = |name, doc| key(name, Kind::Int { min: 0, max: u64::MAX }, "any", doc);
    let own = [most("equals", "so many"), most("min", "at least so many"), most("max", "at most so many")];
    THINGS.iter().map(|thing| made(thing, format!("`count.{}`", thing.kind.name()), "", &own)).collect()
});

/// A table of a kind's fields and more keys; as long-lived as the program.
fn made(thing: &'static Thing, name: String, doc: &'static str, own: &[Key]) -> TableSpec {
    let fields = thing.fields().map(|field| key(field.name, Kind::Claim(field.of), "any", field.doc));
    let keys: Vec<Key> = fields.chain(own.iter().copied()).collect();
    TableSpec { name: Box::leak(name.into_boxed_str()), doc, keys: Keys::Listed(Box::leak(keys.into_boxed_slice())) }
}

/// The table of claims of things of a kind.
pub(crate) fn claimed(thing: &'static Thing) -> &'static TableSpec {
    of(&CLAIMED, thing)
}

/// The table of counts of a kind.
pub(crate) fn counted(thing: &'static Thing) -> &'static TableSpec {
    of(&COUNTED, thing)
}

fn of(specs: &'static [TableSpec], thing: &'static Thing) -> &'static TableSpec {
    let index = THINGS.iter().position(|known| known == thing).expect("one of the list");
    &specs[index]
}

/// All tables of claims of things.
pub(super) fn all_claimed() -> &'static [TableSpec] {
    &CLAIMED
}

/// Whether a table is one of counts, whose fields another table documents.
pub(super) fn is_count(spec: &TableSpec) -> bool {
    COUNTED.iter().any(|counted| std::ptr::eq(counted, spec))
}
