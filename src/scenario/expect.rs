//! `expect` and `[[variant]]`: what must come out, under which logics.
//!
//! Knows the names of invariants, metrics and the scenario's steps. A variant's `policy` and `expect` replace
//! the scenario's, its `tuning` is merged key by key.

use crate::kernel::{SimDuration, SimTime};
use crate::model::Invariant;
use crate::trace::metrics::{Figure, Unit};

use super::constants::Constants;
use super::moments;
use super::numbers;
use super::policy::PolicyText;
use super::schema::{BOUNDS, Kind};
use super::story::{Bounds, Expect, Variant};
use super::tree::Node;
use super::values;
use super::walk::{Fields, Walk};
use super::words::Verdict;

/// More variants than this are a mistake.
const VARIANTS_MAX: usize = 1000;
/// What stands for a list of violations when they are not what it is about.
const ANY: &str = "any";
/// Bounds are kept in billionths.
const BOUND_DIGITS: u32 = 9;

/// What a scenario says for variants that say nothing.
pub(crate) struct Common {
    pub(crate) seed: u64,
    pub(crate) policy: PolicyText,
    pub(crate) tuning: Constants,
    pub(crate) expect: Option<Expect>,
}

/// What the command line says for all of them.
#[derive(Default)]
pub(crate) struct Over {
    pub(crate) seed: Option<u64>,
    pub(crate) policy: PolicyText,
}

/// Reads the seed, policy, tuning and expectations of the scenario itself.
pub(crate) fn common(walk: &mut Walk, scenario: &mut Fields<'_>, end: SimTime) -> Common {
    Common {
        seed: scenario.int(walk, "seed").unwrap_or(0),
        policy: scenario.table(walk, "policy").map(|fields| PolicyText::read(walk, fields)).unwrap_or_default(),
        tuning: scenario.table(walk, "tuning").map(|fields| Constants::read(walk, fields)).unwrap_or_default(),
        expect: scenario.table(walk, "expect").map(|fields| expect(walk, fields, end)),
    }
}

/// Reads all variants; without any there is one, called `main`.
pub(crate) fn variants(
    walk: &mut Walk,
    scenario: &mut Fields<'_>,
    common: &Common,
    over: &Over,
    end: SimTime,
) -> Vec<Variant> {
    let tables = scenario.tables(walk, "variant", VARIANTS_MAX);
    let mut variants: Vec<Variant> = Vec::new();
    let mut spans = Vec::new();
    for (index, mut fields) in tables.into_iter().enumerate() {
        let span = fields.get("name").map_or(fields.span, |node| node.span);
        let name = fields.name(walk, "name").map_or_else(|| format!("variant {}", index + 1), |name| name.to_string());
        if let Some(first) = variants.iter().position(|known| known.name == name) {
            let first = spans[first];
            walk.error(span, format!("two variants are called `{name}`")).context(first, "the first one");
        }
        spans.push(span);
        let seed = fields.int(walk, "seed").unwrap_or(common.seed);
        let own = fields.table(walk, "policy").map(|fields| PolicyText::read(walk, fields));
        let policy = own.as_ref().unwrap_or(&common.policy).resolve(&over.policy);
        let own = fields.table(walk, "tuning").map(|fields| Constants::read(walk, fields)).unwrap_or_default();
        let tuning = common.tuning.with(own);
        let own = fields.table(walk, "expect").map(|fields| expect(walk, fields, end));
        let expect = own.or_else(|| common.expect.clone());
        let seed = over.seed.unwrap_or(seed);
        variants.push(Variant { name, seed, policy, tuning, expect });
    }
    if variants.is_empty() {
        variants.push(Variant {
            name: "main".to_owned(),
            seed: over.seed.unwrap_or(common.seed),
            policy: common.policy.resolve(&over.policy),
            tuning: common.tuning.clone(),
            expect: common.expect.clone(),
        });
    }
    variants
}

fn expect(walk: &mut Walk, mut fields: Fields<'_>, end: SimTime) -> Expect {
    let verdict = fields.choice::<Verdict>(walk, "verdict");
    let settled_within = fields.duration(walk, "settled_within");
    if let (Some(verdict @ (Verdict::Flaps | Verdict::Unsettled | Verdict::Livelock)), Some(_)) =
        (verdict, settled_within)
    {
        let verdict = verdict.name();
        walk.warnings.push(format!("`settled_within` can never hold beside `verdict = \"{verdict}\"`"));
    }
    let settled_after = fields.get("settled_after").and_then(|node| step(walk, node));
    let any_violations = fields.get("violations").is_some_and(|node| node.string() == Some(ANY));
    let violations = fields.get("violations").filter(|_| !any_violations).and_then(|node| {
        values::distinct(walk, node, "names of invariants", |walk, item| {
            values::known(walk, item, "invariant", Invariant::ALL, |invariant| invariant.name()).copied()
        })
    });
    let rejected = fields.get("rejected").and_then(|node| values::distinct(walk, node, "names of steps", step));
    let mut metrics = std::collections::BTreeMap::new();
    if let Some(mut fields) = fields.table(walk, "metrics") {
        for figure in Figure::ALL {
            let bounds = fields.get(figure.name()).and_then(|node| bounds(walk, node));
            if let Some(bounds) = bounds.filter(|_| figure.unit() == Unit::Count) {
                broken_counts(walk, figure.name(), &bounds);
            }
            metrics.extend(bounds.map(|bounds| (figure.name().to_owned(), bounds)));
        }
    }
    Expect {
        verdict,
        settled_within,
        settled_after,
        violations: violations.unwrap_or_default(),
        any_violations,
        rejected: rejected.unwrap_or_default(),
        metrics,
        moments: moments::moments(walk, &mut fields, end),
    }
}

/// The index of a step of this scenario.
fn step(walk: &mut Walk, node: &Node) -> Option<usize> {
    let steps = walk.steps.clone();
    let before = walk.problems.len();
    let found = values::known(walk, node, "step", &steps, |name| name.as_str());
    let index = found.and_then(|name| steps.iter().position(|step| step == name));
    // It may be a step that could not be read.
    walk.problems[before..].iter_mut().for_each(|problem| {
        problem.dependent();
    });
    index
}

/// A bound that no count can meet exactly.
fn broken_counts(walk: &mut Walk, metric: &str, bounds: &Bounds) {
    let one = 10_u128.pow(BOUND_DIGITS);
    for (key, bound) in [("min", bounds.min), ("max", bounds.max), ("equals", bounds.equals)] {
        if let Some(bound) = bound.filter(|bound| bound % one != 0) {
            let whole = bound / one;
            let what = match key {
                "min" => format!("`min` is as good as {}", whole + 1),
                "max" => format!("`max` is as good as {whole}"),
                _ => "`equals` can never hold".to_owned(),
            };
            walk.warnings.push(format!("`{metric}` is a count, and its bound is no whole number: {what}"));
        }
    }
}

fn bounds(walk: &mut Walk, node: &Node) -> Option<Bounds> {
    if node.table().is_none() {
        return walk.mismatch(node, "bounds like `{ max = 3 }`").none();
    }
    let mut fields = Fields::open(walk, node, &BOUNDS)?;
    let mut one = |walk: &mut Walk, key: &str| {
        assert!(matches!(fields.kind(key), Kind::Number), "bounds are numbers");
        let node = fields.get(key)?;
        let number = numbers::number(walk, node, BOUND_DIGITS);
        if let (None, Some(Ok(d))) = (number, node.string().map(str::parse::<SimDuration>)) {
            walk.help(&format!("durations among metrics are numbers of seconds: write {}", d.as_secs()));
        }
        number
    };
    let bounds = Bounds { min: one(walk, "min"), max: one(walk, "max"), equals: one(walk, "equals") };
    let before = walk.problems.len();
    if bounds == Bounds::default() && node.table().is_some_and(|table| table.0.is_empty()) {
        walk.error(node.span, "these bounds say nothing").help("write `min`, `max` or `equals`");
    }
    if bounds.equals.is_some() && (bounds.min.is_some() || bounds.max.is_some()) {
        walk.error(node.span, "`equals` leaves nothing for `min` and `max` to say");
    }
    if bounds.min.zip(bounds.max).is_some_and(|(min, max)| min > max) {
        walk.error(node.span, "`min` is more than `max`");
    }
    (walk.problems.len() == before).then_some(bounds)
}
