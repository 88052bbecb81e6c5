//! The state of a run as tables, for people and for programs.
//!
//! One table a kind, one row an entity: its fields as the store has them, its ages, and what the backends
//! know better. It may read traces only.

use comfy_table::{Table, presets};
use serde_json::{Map, Value as Json, json};

use crate::kernel::SimDuration;
use crate::model::{Field, counted};
use crate::trace::state::{Row, State};
use crate::trace::{Trace, timeline};

/// The state as text: one table a kind; where it is wider than `width` columns, one paragraph a row.
pub fn state_text(trace: &Trace, state: &State, width: usize) -> String {
    let mut text = format!("state at {}\n", state.at.elapsed().clock());
    if state.rows.is_empty() {
        text.push_str("  the store is empty\n");
    }
    for (kind, rows) in &state.rows {
        text.push_str(&format!("  {}\n", counted(rows.len(), kind.name())));
        text.push_str(&table(trace, state, rows, width));
    }
    if !state.strays.is_empty() {
        text.push_str("  what no entity knows of\n");
        state.strays.iter().for_each(|stray| text.push_str(&below(stray, width)));
    }
    text
}

/// The columns of a kind: the fields that any of its entities has, the status first.
fn columns(rows: &[Row]) -> Vec<Field> {
    let mut fields: Vec<Field> = rows.iter().flat_map(|row| row.fields.keys().copied()).collect();
    // The name is the row's own.
    fields.retain(|field| *field != Field::Name);
    fields.sort_by_key(|field| (*field != Field::Status, *field));
    fields.dedup();
    fields
}

fn table(trace: &Trace, state: &State, rows: &[Row], width: usize) -> String {
    let columns = columns(rows);
    let differs = rows.iter().any(|row| !row.truth.is_empty());
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let head = ["name", "age", "written"].into_iter().chain(columns.iter().map(|field| field.name()));
    let head: Vec<&str> = head.chain(differs.then_some("in truth")).collect();
    table.set_header(&head);
    let mut paragraphs = String::new();
    for row in rows {
        let ago = |at| round(state.at.since(at)).clock().to_string();
        let cells = [trace.name(row.subject).short().to_owned(), ago(row.created_at), ago(row.updated_at)];
        let fields = columns.iter().map(|field| row.fields.get(field).map_or(String::new(), |v| value(trace, *v)));
        let cells: Vec<String> = cells.into_iter().chain(fields).chain(differs.then(|| row.truth.join("; "))).collect();
        let told = head.iter().zip(&cells).skip(1).filter(|(_, cell)| !cell.is_empty());
        let told: Vec<String> = told.map(|(head, cell)| format!("{head} {cell}")).collect();
        let paragraph = format!("{}: {}", cells[0], told.join(", "));
        paragraphs.push_str(&below(&paragraph, width));
        table.add_row(cells);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    let lines = table.to_string();
    let lines: Vec<String> = lines.lines().map(|line| format!("    {}\n", line.trim_end())).collect();
    let fits = lines.iter().all(|line| textwrap::core::display_width(line) <= width);
    if fits { lines.concat() } else { paragraphs }
}

/// A text below its heading.
fn below(text: &str, width: usize) -> String {
    let options = textwrap::Options::new(width).initial_indent("    ").subsequent_indent("        ");
    textwrap::fill(text, options.break_words(false)) + "\n"
}

fn value(trace: &Trace, value: crate::model::Value) -> String {
    match value {
        crate::model::Value::Ref(subject) => trace.name(subject).short().to_owned(),
        _ => timeline::value_text(trace, value),
    }
}

/// Ages are read, not computed with: whole milliseconds.
fn round(age: SimDuration) -> SimDuration {
    SimDuration::from_millis(age.as_nanos() / 1_000_000)
}

/// The state as JSON, by kind.
pub fn state_json(trace: &Trace, state: &State) -> Json {
    let mut object = Map::new();
    object.insert("at".to_owned(), json!(state.at));
    object.insert("strays".to_owned(), json!(state.strays));
    for (kind, rows) in &state.rows {
        let rows = rows.iter().map(|row| {
            let fields = row.fields.iter().map(|(field, v)| {
                let value = match v {
                    crate::model::Value::Ref(subject) => json!(trace.name(*subject)),
                    other => json!(other),
                };
                (field.name().to_owned(), value)
            });
            json!({
                "name": trace.name(row.subject),
                "age": state.at.since(row.created_at),
                "written": state.at.since(row.updated_at),
                "fields": fields.collect::<Map<String, Json>>(),
                "truth": row.truth,
            })
        });
        object.insert(kind.name().to_owned(), rows.collect());
    }
    Json::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::state::state;
    use crate::trace::testing::{Maker, t};

    #[test]
    fn each_kind_is_a_table_with_the_status_first() {
        let mut m = Maker::new();
        let (_, pool) = m.pool(1);
        m.stuck_life(pool, 0, t("1s"), 6);
        let end = state(&m.trace, t("10m"));
        let text = state_text(&m.trace, &end, 120);
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.trim() == "1 sandbox").expect("a table");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(lines[at + 1]), ["name", "age", "written", "status", "pool", "instance"]);
        assert_eq!(words(lines[at + 2]), ["pds-database-0", "9:59", "4:48", "DEAD", "pds-database", "0"]);
        assert!(lines.iter().all(|line| !line.ends_with(' ')), "{text}");
        let json = state_json(&m.trace, &end);
        assert_eq!(json["sandbox"][0]["fields"]["status"], "dead");
        assert_eq!(json["sandbox"][0]["fields"]["instance"], 0);
    }
}
