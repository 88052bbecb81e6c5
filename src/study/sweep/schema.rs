//! The sweep file as data: its tables, their keys, kinds, defaults and meaning.
//!
//! The same kind of lists as the scenario's own, read by the same walker, so that a misspelt key is as
//! impossible here as there. Only names and texts.

use crate::model::Words;
use crate::scenario::schema::{Key, Keys, Kind, REQUIRED, TableSpec, json_schema_of};

use super::objectives::{Aggregate, GOALS};
use super::sample::{Sampling, Scale};

const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, doc }
}
const fn table(name: &'static str, doc: &'static str, keys: &'static [Key]) -> TableSpec {
    TableSpec { name, doc, keys: Keys::Listed(keys) }
}

pub(super) static SWEEP: TableSpec = table(
    "the sweep",
    "The keys at the top of the file.",
    &[
        key("schema", Kind::Int { min: 0, max: u64::MAX }, REQUIRED, "the version of the format: 1"),
        key("name", Kind::Name, "the file's stem", "what the sweep is called"),
        key("about", Kind::Text, "\"\"", "what it is to find out"),
        key(
            "scenarios",
            Kind::Texts,
            REQUIRED,
            "scenario files, relative to this file; `*` and `?` stand for parts of a name",
        ),
        key("variants", Kind::Names, "all", "which variants of the scenarios"),
        key("seeds", Kind::Text, "\"0..16\"", "the seeds of every setting: `\"0..64\"` is 0 to 63"),
        key(
            "baseline",
            Kind::Texts,
            "[]",
            "today's values, like `\"tuning.backoff.base=10s\"`; `[]`: as the scenarios say",
        ),
        key(
            "sampling",
            Kind::Word(Sampling::WORDS),
            "\"grid\"",
            "all combinations of the parameters' values, or samples of their ranges",
        ),
        key("samples", Kind::Int { min: 1, max: 1_000_000_000 }, "64", "how many samples (not for a grid)"),
        key("sample_seed", Kind::Int { min: 0, max: u64::MAX }, "0", "the seed of the samples"),
        key("constraints", Kind::Texts, "[]", "what a setting must keep, like `\"boots_failed.p95 <= 20\"`"),
        key("parameter", Kind::Tables(&PARAMETER), NONE, "a field that is varied"),
        key("point", Kind::Tables(&POINT), NONE, "a setting of its own, beside the grid or the samples"),
        key("objective", Kind::Tables(&OBJECTIVE), "`recovery_s`, mean, minimise", "what is wished"),
    ],
);
const NONE: &str = "none";

static PARAMETER: TableSpec = table(
    "`[[parameter]]`",
    "A scenario field that is varied: a list of values, or a range with `from` and `to`.",
    &[
        key("path", Kind::Text, REQUIRED, "the field, like `\"tuning.backoff.base\"`"),
        key("values", Kind::Values, "by range", "the values of a grid; a sample takes one of them"),
        key("from", Kind::Value, "none", "the least: a duration or a number"),
        key("to", Kind::Value, "none", "the most"),
        key("scale", Kind::Word(Scale::WORDS), "\"linear\"", "how the range is walked"),
        key("steps", Kind::Int { min: 2, max: 1_000_000 }, "none", "how many values of the range a grid takes"),
    ],
);

static POINT: TableSpec = table(
    "`[[point]]`",
    "A setting of its own: assignments like those of `--set`.",
    &[key("set", Kind::Texts, REQUIRED, "`[\"tuning.backoff.base=1s\", \"tuning.backoff.cap=5m\"]`")],
);

static OBJECTIVE: TableSpec = table(
    "`[[objective]]`",
    "What is wished: a metric, made one number over all runs of a setting.",
    &[
        key("metric", Kind::Text, REQUIRED, "a metric, or a column of the aftermath (see below)"),
        key("aggregate", Kind::Word(Aggregate::WORDS), "\"mean\"", "how the runs become one number"),
        key("goal", Kind::Word(GOALS), "\"minimise\"", "what is better"),
        key("scenario", Kind::Text, "all", "only runs of this scenario; `\"!name\"`: of all others"),
        key("variant", Kind::Text, "all", "only runs of this variant, likewise"),
    ],
);

/// The JSON Schema of a sweep file.
pub fn json_schema() -> serde_json::Value {
    json_schema_of(&SWEEP, "a sweep of schedsim")
}
