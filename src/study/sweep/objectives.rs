//! Objectives and constraints of a sweep, as data and as a file writes them.
//!
//! Knows the names of metrics and how many values become one; what the values are it does not know. A
//! judgement asks it which runs count. What a newcomer gets wrong: an objective is about all runs of a
//! setting unless it names a scenario or a variant – also about those whose story has no end.

use serde::{Deserialize, Serialize};

use crate::kernel::SimDuration;
use crate::model::Words;
use crate::model::words::words;
use crate::scenario::diagnostics::Span;
use crate::scenario::numbers;
use crate::scenario::tree::Node;
use crate::scenario::values;
use crate::scenario::walk::{Fields, Walk};
use crate::trace::metrics::Figure;

use super::aftermath;

words!(
    /// How the values of many runs become one.
    #[expect(missing_docs, reason = "the names say it")]
    Aggregate {
        Mean = "mean",
        Median = "median",
        P95 = "p95",
        P99 = "p99",
        Max = "max",
        Min = "min",
    }
);

impl Aggregate {
    /// Whether some seeds say how far others would move it: the largest of some values does not.
    pub fn has_error(self) -> bool {
        !matches!(self, Self::Max | Self::Min)
    }
}

/// What is wished of an objective.
pub(super) const GOALS: &[&str] = &["minimise", "maximise"];

/// What a setting is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Objective {
    /// A column of `runs.csv`.
    pub metric: String,
    /// How the runs become one number.
    pub aggregate: Aggregate,
    pub maximise: bool,
    pub scenario: Option<String>,
    pub variant: Option<String>,
}

impl Objective {
    /// Whether runs of that scenario and variant count for it.
    pub fn is_about(&self, scenario: &str, variant: &str) -> bool {
        let fits = |wanted: &Option<String>, name: &str| match wanted.as_deref() {
            None => true,
            Some(wanted) => match wanted.strip_prefix('!') {
                Some(other) => other != name,
                None => wanted == name,
            },
        };
        fits(&self.scenario, scenario) && fits(&self.variant, variant)
    }

    /// The runs that it is about: `flapping`, or nothing for all.
    pub fn of(&self) -> String {
        [&self.scenario, &self.variant].into_iter().flatten().cloned().collect::<Vec<_>>().join("@")
    }

    /// `recovery_s.mean`, with the runs it is about: `recovery_s.mean of flapping`.
    pub fn name(&self) -> String {
        let of = self.of();
        let of = if of.is_empty() { of } else { format!(" of {of}") };
        format!("{}.{}{of}", self.metric, self.aggregate.name())
    }
}

/// What a setting must keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// The number that is bounded; `maximise` means nothing here.
    pub what: Objective,
    /// At most (else at least).
    pub at_most: bool,
    /// The bound, in billionths.
    pub billionths: u64,
}

impl Constraint {
    /// As it was written.
    pub fn text(&self) -> String {
        let name = self.what.name().to_owned();
        let bound = crate::trace::metrics::written(&name, u128::from(self.billionths));
        format!("{name} {} {bound}", if self.at_most { "<=" } else { ">=" })
    }
}

/// Every column that can be an objective.
fn metrics() -> impl Iterator<Item = &'static str> + Clone {
    Figure::WORDS.iter().copied().chain(aftermath::COLUMNS.iter().map(|column| column.name))
}

/// Reads an `[[objective]]`, and where it says which runs it is about.
pub(super) fn objective(walk: &mut Walk, mut fields: Fields<'_>) -> Option<(Objective, Span)> {
    let about = fields.get("scenario").or(fields.get("variant")).map_or(fields.span, |node| node.span);
    fields.need(walk, "metric");
    let at = fields.get("metric").map(|node| node.span);
    let metric = fields.text(walk, "metric");
    let aggregate = fields.choice(walk, "aggregate").unwrap_or(Aggregate::Mean);
    let maximise = fields.word(walk, "goal").is_some_and(|word| GOALS[word] == "maximise");
    let [scenario, variant] = ["scenario", "variant"].map(|name| fields.text(walk, name));
    let metric = metric?;
    if !metrics().any(|known| known == metric) {
        walk.unknown(at?, "metric", &metric, metrics());
        return None;
    }
    Some((Objective { metric, aggregate, maximise, scenario, variant }, about))
}

/// `boots_failed.p95 <= 20`.
pub(super) fn constraints(walk: &mut Walk, node: &Node) -> Vec<Constraint> {
    let Some(items) = values::list(walk, node, "texts like `boots_failed.p95 <= 20`") else { return Vec::new() };
    let mut found = Vec::new();
    for item in items {
        let Some(text) = values::text(walk, item) else { continue };
        let halves = text
            .split_once("<=")
            .map(|(what, bound)| (what, true, bound))
            .or_else(|| text.split_once(">=").map(|(what, bound)| (what, false, bound)));
        let Some((what, at_most, bound)) = halves else {
            walk.error(item.span, "this is no constraint").help("write one like \"boots_failed.p95 <= 20\"");
            continue;
        };
        let (metric, aggregate) = what.trim().split_once('.').unwrap_or((what.trim(), "mean"));
        if !metrics().any(|known| known == metric) {
            walk.unknown(item.span, "metric", metric, metrics());
            continue;
        }
        let Some(aggregate) = Aggregate::named(aggregate) else {
            walk.unknown(item.span, "aggregate", aggregate, Aggregate::WORDS.iter().copied());
            continue;
        };
        let bound = bound.trim();
        let seconds = bound.parse::<SimDuration>().ok().map(|duration| u128::from(duration.as_nanos()));
        let billionths = seconds.or_else(|| numbers::scaled(bound, 9).ok()).and_then(|n| u64::try_from(n).ok());
        let Some(billionths) = billionths else {
            walk.error(item.span, format!("`{bound}` is no bound"))
                .help("write a number; for times, seconds or \"5m\"");
            continue;
        };
        let metric = metric.to_owned();
        let what = Objective { metric, aggregate, maximise: false, scenario: None, variant: None };
        found.push(Constraint { what, at_most, billionths });
    }
    found
}
