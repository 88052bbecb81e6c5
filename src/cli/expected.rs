//! `run --expect-from-run`: what came out, written into the scenario as its `[expect]`.
//!
//! The file is edited, not printed anew: comments and order stay. What a variant expects already is never
//! touched, for an expectation is weakened by hand or not at all.

use std::io::Write;
use std::path::Path;

use crate::kernel::SimDuration;
use crate::replay::Replay;
use crate::report::{self, counted};
use crate::scenario::{Overrides, Scenario, Variant};
use crate::trace::metrics::Figure;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, value};

use super::{Refusal, file, output};

/// What is worth a bound wherever it is not zero; a story's own figures are added by hand.
const TOLD: [Figure; 6] = [
    Figure::SandboxesCreated,
    Figure::BootsFailed,
    Figure::Cooldowns,
    Figure::CooldownMax,
    Figure::LeasesFailed,
    Figure::RequestsFailed,
];

/// Writes what these variants of a scenario come to, each where it expects nothing yet.
pub(crate) fn write(path: &Path, scenario: &Scenario, variants: &[&Variant]) -> Result<(), Refusal> {
    let silent: Vec<&Variant> = variants.iter().copied().filter(|variant| variant.expect.is_none()).collect();
    for kept in variants.iter().filter(|variant| variant.expect.is_some()) {
        output::note(&format!(
            "`{}` has its [expect] and keeps it; remove it there to have it written anew",
            kept.name
        ));
    }
    if silent.is_empty() {
        return Err(Refusal::wrong("nothing is written: every variant says already what it expects"));
    }
    let read = |error: &dyn std::fmt::Display| Refusal::wrong(format!("cannot read `{}`: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| read(&error))?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| read(&error))?;
    for variant in &silent {
        let expect = of(&Replay::of(scenario, variant, None));
        place(&mut document, &variant.name, expect);
    }
    let text = document.to_string();
    judged(path, &text, &silent)?;
    file::write("scenario", path, |out| out.write_all(text.as_bytes()))?;
    let names: Vec<&str> = silent.iter().map(|variant| variant.name.as_str()).collect();
    let what = counted(names.len() as u64, "variant");
    output::note(&format!("[expect] of {what} written to {} ({})", path.display(), names.join(", ")));
    Ok(())
}

/// What came of a run, as a table.
fn of(replay: &Replay<'_>) -> Table {
    let outcome = &replay.outcome;
    let mut expect = Table::new();
    expect.insert("verdict", value(outcome.verdict.name()));
    if let Some(took) = report::settled_in(replay.scenario, None, outcome).filter(|took| !took.is_zero()) {
        let whole = SimDuration::from_secs(took.as_nanos().div_ceil(1_000_000_000));
        expect.insert("settled_within", value(whole.to_string()));
    }
    let names = outcome.rejected.iter().filter_map(|(step, _)| replay.scenario.steps.get(*step));
    let rejected: Vec<&str> = names.map(|step| step.name.as_str()).collect();
    for (key, list) in [("violations", outcome.broken()), ("rejected", rejected)] {
        if !list.is_empty() {
            expect.insert(key, value(list.into_iter().collect::<Array>()));
        }
    }
    let mut metrics = Table::new();
    metrics.set_dotted(true);
    for (figure, found) in TOLD.iter().map(|figure| (figure, replay.metrics.of(*figure))) {
        if !found.is_zero() {
            let number: Item = found.to_string().parse().expect("a figure is a number");
            let number = number.into_value().expect("a number is a value");
            metrics.insert(figure.name(), value(InlineTable::from_iter([("equals", number)])));
        }
    }
    if !metrics.is_empty() {
        expect.insert("metrics", Item::Table(metrics));
    }
    expect
}

/// Puts the table where the variant's is looked for.
fn place(document: &mut DocumentMut, variant: &str, expect: Table) {
    match document.get_mut("variant") {
        Some(Item::ArrayOfTables(tables)) => {
            let named = |table: &&mut Table| table.get("name").and_then(Item::as_str) == Some(variant);
            if let Some(table) = tables.iter_mut().find(named) {
                table.insert("expect", Item::Table(expect));
            }
        }
        Some(Item::Value(toml_edit::Value::Array(array))) => {
            let inline = array.iter_mut().filter_map(toml_edit::Value::as_inline_table_mut);
            let mut named = inline.filter(|table| table.get("name").and_then(|name| name.as_str()) == Some(variant));
            if let Some(table) = named.next() {
                table.insert("expect", toml_edit::Value::InlineTable(expect.into_inline_table()));
            }
        }
        Some(_) | None => {
            document.insert("expect", Item::Table(expect));
        }
    }
}

/// Nothing is written that would not hold.
fn judged(path: &Path, text: &str, variants: &[&Variant]) -> Result<(), Refusal> {
    let name = path.display().to_string();
    let read = Scenario::from_text(text, &name, path.parent(), &Overrides::default());
    let scenario =
        read.map_err(|wrong| Refusal::wrong(format!("what would be written is wrong: {}", wrong.render(true))))?;
    let again = scenario.variants.iter().filter(|variant| variants.iter().any(|asked| asked.name == variant.name));
    for variant in again {
        if variant.expect.is_none() {
            return Err(Refusal::wrong(format!("found no place in `{name}` for the [expect] of `{}`", variant.name)));
        }
        let replay = Replay::of(&scenario, variant, None);
        if !replay.checked.passed {
            let failed = replay.failures().join("; ");
            return Err(Refusal::wrong(format!(
                "what would be written for `{}` does not hold: {failed}",
                variant.name
            )));
        }
    }
    Ok(())
}
