//! Reads fields out of a TOML tree and collects everything that is wrong on the way.
//!
//! It may know TOML, shapes and places, and nothing of what a field means. Every field of a config passes here, so
//! that a wrong type or an unknown name gets the same words everywhere. What a newcomer gets wrong: a field that is
//! present and wrong reads as absent, after its problem was noted; whoever relates several fields must ask
//! [`Reader::clean`] first, or one slip is reported twice.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::error::{Place, Places, Problem, clipped};
use super::suggest::{Shape, advice, meant};
use super::{At, Grammar, IgnoredField, Strictness};

/// The state of one reading.
pub(super) struct Reader<'t> {
    places: Places<'t>,
    grammar: &'t Grammar,
    pub(super) problems: Vec<Problem>,
    pub(super) ignored: Vec<IgnoredField>,
}

/// A table of a known shape.
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    pub(super) shape: &'static Shape,
    /// What messages call it: ``a disk of service `database` ``.
    pub(super) called: String,
    /// Its path from the top of the file; empty at the top.
    path: String,
    /// Where it begins.
    pub(super) place: Place,
    /// How many problems there were when its reading began.
    mark: usize,
}

/// A field that is there.
struct Found<'a> {
    value: &'a DeValue<'a>,
    key_place: Place,
    value_place: Place,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, grammar: &'t Grammar) -> Self {
        Self { places: Places::new(text), grammar, problems: Vec::new(), ignored: Vec::new() }
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, place: Place, text: String) {
        self.problems.push(Problem { place, text });
    }

    /// Notes a problem at a byte of the text.
    pub(super) fn problem_at(&mut self, offset: usize, text: String) {
        self.problem(self.places.of(offset), text);
    }

    /// Whether no problem was noted since the reading of this table began.
    pub(super) fn clean(&self, table: &Table<'_>) -> bool {
        self.problems.len() == table.mark
    }

    /// The whole file as a table.
    pub(super) fn top<'a>(&mut self, entries: &'a DeTable<'a>, shape: &'static Shape) -> Table<'a> {
        self.shaped(entries, shape, shape.called.to_owned(), String::new(), Place::default())
    }

    /// A table, whose unknown fields are noted as the first act, so that no reader of a table can forget to.
    fn shaped<'a>(
        &mut self,
        entries: &'a DeTable<'a>,
        shape: &'static Shape,
        called: String,
        path: String,
        place: Place,
    ) -> Table<'a> {
        let table = Table { entries, shape, called, path, place, mark: self.problems.len() };
        for key in entries.keys().filter(|key| !shape.has(key.get_ref(), self.grammar)) {
            let (place, name) = (self.places.of(key.span().start), key.get_ref());
            match self.grammar.strictness {
                Strictness::Strict => {
                    let (called, advice) = (&table.called, advice(shape, name, self.grammar));
                    self.problem(place, format!("unknown field `{}` in {called}; {advice}", clipped(name)));
                }
                Strictness::Lenient => {
                    let Place { line, column } = place;
                    let near = meant(shape, name, self.grammar);
                    self.ignored.push(IgnoredField { path: table.path_of(name), line, column, near });
                }
            }
        }
        table
    }

    fn find<'a>(&self, table: &Table<'a>, field: &str) -> Option<Found<'a>> {
        debug_assert!(table.shape.declares(field), "`{field}` is read and not declared");
        if !table.shape.has(field, self.grammar) {
            return None;
        }
        let (key, value) = table.entries.get_key_value(field)?;
        let place = |offset| self.places.of(offset);
        Some(Found {
            value: value.get_ref(),
            key_place: place(key.span().start),
            value_place: place(value.span().start),
        })
    }

    fn wrong_type(&mut self, table: &Table<'_>, field: &str, found: &Found<'_>, wanted: &str) {
        let (called, kind, example) = (&table.called, kind(found.value), table.shape.example(field));
        let text = format!("`{field}` of {called} is {kind}; write {wanted}, like `{example}`");
        self.problem(found.value_place, text);
    }

    /// A text.
    pub(super) fn text(&mut self, table: &Table<'_>, field: &str) -> Option<At<String>> {
        self.parsed(table, field, |text| Ok(text.to_owned()))
    }

    /// A text of which `parse` makes something, or says what to write instead.
    pub(super) fn parsed<T>(
        &mut self,
        table: &Table<'_>,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        let found = self.find(table, field)?;
        let Some(text) = found.value.as_str() else {
            self.wrong_type(table, field, &found, "a string");
            return None;
        };
        match parse(text) {
            Ok(value) => Some(At { value, place: found.key_place }),
            Err(why) => {
                self.problem(found.value_place, format!("`{field}` of {}: {why}", table.called));
                None
            }
        }
    }

    /// The same, for a field whose empty text is as good as none.
    pub(super) fn parsed_unless_empty<T>(
        &mut self,
        table: &Table<'_>,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        let given = |text: &str| if text.is_empty() { Ok(None) } else { parse(text).map(Some) };
        let At { value, place } = self.parsed(table, field, given)?;
        value.map(|value| At { value, place })
    }

    /// A whole number within `range`, which messages call `wanted`.
    pub(super) fn int<T>(
        &mut self,
        table: &Table<'_>,
        field: &str,
        range: RangeInclusive<T>,
        wanted: &str,
    ) -> Option<At<T>>
    where
        T: TryFrom<i128> + PartialOrd,
    {
        let found = self.find(table, field)?;
        let Some(number) = found.value.as_integer() else {
            self.wrong_type(table, field, &found, "a whole number");
            return None;
        };
        let value = i128::from_str_radix(number.as_str(), number.radix()).ok();
        let value = value.and_then(|value| T::try_from(value).ok()).filter(|value| range.contains(value));
        if let Some(value) = value {
            return Some(At { value, place: found.key_place });
        }
        let written = clipped(&number.to_string());
        self.problem(found.value_place, format!("`{field}` of {} is {written}; write {wanted}", table.called));
        None
    }

    /// True or false.
    pub(super) fn truth(&mut self, table: &Table<'_>, field: &str) -> Option<At<bool>> {
        let found = self.find(table, field)?;
        if let Some(value) = found.value.as_bool() {
            return Some(At { value, place: found.key_place });
        }
        self.wrong_type(table, field, &found, "`true` or `false`");
        None
    }

    /// A table of any content: where its field begins, and its entries.
    pub(super) fn any_table<'a>(&mut self, table: &Table<'a>, field: &str) -> Option<(Place, &'a DeTable<'a>)> {
        let found = self.find(table, field)?;
        let Some(entries) = found.value.as_table() else {
            self.wrong_type(table, field, &found, "a table");
            return None;
        };
        Some((found.key_place, entries))
    }

    /// A table of a known shape.
    pub(super) fn table<'a>(
        &mut self,
        table: &Table<'a>,
        field: &str,
        shape: &'static Shape,
        called: String,
    ) -> Option<Table<'a>> {
        let (place, entries) = self.any_table(table, field)?;
        Some(self.shaped(entries, shape, called, table.path_of(field), place))
    }

    /// What `read` makes of each table, all of one shape, in a table that maps names of the user's own to them.
    pub(super) fn named_tables<'a, T>(
        &mut self,
        table: &Table<'a>,
        field: &str,
        shape: &'static Shape,
        called: impl Fn(&str) -> String,
        mut read: impl FnMut(&mut Self, Table<'a>) -> T,
    ) -> BTreeMap<String, T> {
        let mut read_ones = BTreeMap::new();
        let Some((_, entries)) = self.any_table(table, field) else { return read_ones };
        for (key, value) in entries {
            let (name, place, called) =
                (key.get_ref().as_ref(), self.places.of(key.span().start), called(key.get_ref()));
            let Some(entries) = value.get_ref().as_table() else {
                let (kind, example) = (kind(value.get_ref()), table.shape.example(field));
                self.problem_at(value.span().start, format!("{called} is {kind}; write a table, like `{example}`"));
                continue;
            };
            let path = format!("{}.{}", table.path_of(field), segment(name));
            let one = self.shaped(entries, shape, called, path, place);
            let one = read(self, one);
            read_ones.insert(name.to_owned(), one);
        }
        read_ones
    }

    fn list<'a>(&mut self, table: &Table<'a>, field: &str) -> &'a [Spanned<DeValue<'a>>] {
        let Some(found) = self.find(table, field) else { return &[] };
        if let Some(list) = found.value.as_array() {
            return items(list);
        }
        self.wrong_type(table, field, &found, "a list");
        &[]
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, table: &Table<'_>, field: &str) -> Vec<At<String>> {
        let mut texts = Vec::new();
        for value in self.list(table, field) {
            let place = self.places.of(value.span().start);
            match value.get_ref().as_str() {
                Some(text) => texts.push(At { value: text.to_owned(), place }),
                None => self.wrong_item(table, field, value, "strings"),
            }
        }
        texts
    }

    /// What `read` makes of each table in a list of tables, all of one shape.
    pub(super) fn tables<'a, T>(
        &mut self,
        table: &Table<'a>,
        field: &str,
        shape: &'static Shape,
        called: &str,
        mut read: impl FnMut(&mut Self, Table<'a>) -> Option<T>,
    ) -> Vec<T> {
        let mut read_ones = Vec::new();
        for (index, value) in self.list(table, field).iter().enumerate() {
            let Some(entries) = value.get_ref().as_table() else {
                self.wrong_item(table, field, value, "tables");
                continue;
            };
            let (path, place) = (format!("{}[{index}]", table.path_of(field)), self.places.of(value.span().start));
            let one = self.shaped(entries, shape, called.to_owned(), path, place);
            read_ones.extend(read(self, one));
        }
        read_ones
    }

    fn wrong_item(&mut self, table: &Table<'_>, field: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let (called, kind, example) = (&table.called, kind(value.get_ref()), table.shape.example(field));
        let text = format!("`{field}` of {called} has {kind} in its list; write {wanted} only, like `{example}`");
        self.problem_at(value.span().start, text);
    }
}

impl Table<'_> {
    fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { segment(field) } else { format!("{}.{}", self.path, segment(field)) }
    }
}

/// A key as a path shows it: in quotes when TOML wants quotes, and of bounded length.
fn segment(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if bare { clipped(key) } else { format!("\"{}\"", clipped(key).replace('"', "\\\"")) }
}

fn items<'a>(list: &'a DeArray<'a>) -> &'a [Spanned<DeValue<'a>>] {
    list
}

/// What messages call a value.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
