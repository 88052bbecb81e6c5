//! A TOML text as a tree that remembers where everything stands.
//!
//! Knows TOML and nothing of scenarios. Unlike the parser's own tree it keeps the order of the
//! file, and its nodes may come from several texts, so that `--set` options can be put into it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::{Problem, Source, Span};

/// A value and its place.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What TOML can say.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    String(String),
    /// Digits (and a sign) in a radix.
    Integer(String, u32),
    Float(String),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

/// Keys and values, in the order of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Table(pub(crate) Vec<Entry>);

/// One key with its value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Table {
    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }
}

impl Node {
    /// The table, when it is one.
    pub(crate) fn table(&self) -> Option<&Table> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }
    /// The string, when it is one.
    pub(crate) fn string(&self) -> Option<&str> {
        if let Value::String(text) = &self.value { Some(text) } else { None }
    }
    /// What it is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::String(_) => "a text",
            Value::Integer(..) => "a whole number",
            Value::Float(_) => "a number",
            Value::Boolean(_) => "true or false",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// The tree of a source's text, as far as it can be read, and its syntax errors.
pub(crate) fn parse(source: &Source) -> (Node, Vec<Problem>) {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let problems = errors.iter().map(|error| syntax_problem(&source.text, error)).collect();
    (Node { span: Span::FILE, value: Value::Table(table(root.get_ref(), &|span| Span::new(0, span))) }, problems)
}

/// A value on its own: the text from byte `from` of source number `source`.
pub(crate) fn parse_value(text: &str, source: usize, from: usize) -> Result<Node, String> {
    match DeValue::parse(text) {
        Ok(value) => Ok(node(&value, &|span| Span::new(source, span.start + from..span.end + from))),
        Err(error) => Err(error.message().to_owned()),
    }
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let range = error.span().unwrap_or(text.len()..text.len());
    let (message, span) = (error.message(), Span::new(0, range.clone()));
    match text.get(range).filter(|key| message == "duplicate key" && !key.is_empty()) {
        Some(key) => Problem::repetition(span, key),
        None => Problem::syntax(span, message),
    }
}

fn table(from: &DeTable<'_>, place: &dyn Fn(std::ops::Range<usize>) -> Span) -> Table {
    let mut entries: Vec<Entry> = from
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone().into_owned(),
            key_span: place(key.span()),
            node: node(value, place),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span);
    Table(entries)
}

/// The parser limits how deep values nest and how many parts a key has, so recursion ends.
fn node(from: &Spanned<DeValue<'_>>, place: &dyn Fn(std::ops::Range<usize>) -> Span) -> Node {
    let value = match from.get_ref() {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(n) => Value::Integer(n.as_str().replace('_', ""), n.radix()),
        DeValue::Float(n) => Value::Float(n.as_str().replace('_', "")),
        DeValue::Boolean(b) => Value::Boolean(*b),
        DeValue::Datetime(date) => Value::Datetime(date.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| node(item, place)).collect()),
        DeValue::Table(entries) => Value::Table(table(entries, place)),
    };
    Node { span: place(from.span()), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_the_file_and_numbers_their_digits() {
        let text = "z = 0x1F\na = 0.1_5\n[m]\nk = [1, 2]\n";
        let (root, errors) = parse(&Source { name: "x".into(), text: text.into() });
        assert!(errors.is_empty());
        let Value::Table(table) = root.value else { panic!("no table") };
        let keys: Vec<&str> = table.0.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["z", "a", "m"]);
        assert_eq!(table.get("z").unwrap().value, Value::Integer("1F".into(), 16));
        assert_eq!(table.get("a").unwrap().value, Value::Float("0.15".into()));
    }

    #[test]
    fn all_syntax_errors_are_found_and_the_rest_is_read() {
        let text = "a = \nb = 2\nc = = 3\n[d]\ne = 5\n";
        let (root, errors) = parse(&Source { name: "x".into(), text: text.into() });
        assert!(errors.len() >= 2, "{errors:?}");
        assert!(root.table().unwrap().get("d").unwrap().table().unwrap().get("e").is_some());
    }
}
