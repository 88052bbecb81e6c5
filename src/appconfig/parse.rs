//! From a text to a checked config: the one parser behind all three loaders.
//!
//! It may know TOML and the rules, and nothing of where the text came from but its name. It walks the tree by hand,
//! because a derived parser loses the place of what it does not know – and what was not known is how the incident
//! began. What a newcomer gets wrong: the grammar decides which fields are known, and what becomes of the others,
//! and nothing else; every other mistake is an error under each.

use toml::de::DeTable;

use super::error::{ConfigError, MESSAGE_CHARS, bounded, clipped};
use super::reader::{Reader, Table};
use super::suggest::{APP, CONCURRENCY, DISK, ENV, PORT, SERVICE};
use super::{
    AppConfig, At, ConfigSource, Disk, EnvVar, Grammar, IgnoredField, Loaded, Port, Scaling, Service, Strictness,
};
use super::{source, validate};

/// What numbers may be, as messages put it.
const COUNT: &str = "a number from 0 to 4294967295";
const PORT_NUMBER: &str = "a number from 1 to 65535";
const INSTANCES: &str = "a number from 1 to 4294967295";

/// Reads and checks a config. All of its independent mistakes are reported at once.
pub fn load(source: &ConfigSource, grammar: &Grammar) -> Result<Loaded, ConfigError> {
    let refused = |problems| Err(ConfigError::new(source.origin.clone(), problems));
    if let Some(problem) = source::too_long(source.text.len()) {
        return refused(vec![problem]);
    }
    // A byte order mark is no character of the first line.
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let mut reader = Reader::new(text, grammar);
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(text.len(), |span| span.start);
        reader.problem_at(at, format!("this is not TOML: {}", bounded(error.message(), MESSAGE_CHARS)));
    }
    // The parser guesses on after a syntax error; the fields that it guesses are not the user's.
    let app = if errors.is_empty() { app(&mut reader, tree.get_ref()) } else { AppConfig::default() };
    if !reader.problems.is_empty() {
        return refused(reader.problems);
    }
    reader.ignored.sort_by_key(|IgnoredField { line, column, .. }| (*line, *column));
    Ok(Loaded { app, ignored: reader.ignored })
}

/// Fields that nobody knows and whose names are near to known ones: the path of each, the known one, and the config in
/// which it alone is written so; none where that cannot be read.
pub(crate) fn misspelt(source: &ConfigSource) -> Vec<(String, &'static str, ConfigSource)> {
    let grammar = Grammar::latest(Strictness::Lenient);
    let ignored = load(source, &grammar).map(|loaded| loaded.ignored).unwrap_or_default();
    let meant = |field: IgnoredField| {
        let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
        let line: usize = text.split_inclusive('\n').take(field.line - 1).map(str::len).sum();
        let at = line + text[line..].char_indices().nth(field.column - 1)?.0;
        let (before, key) = text.split_at(at);
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let rest = match key.chars().next().filter(|quote| "'\"".contains(*quote)) {
            Some(quote) => key[1..].split_once(quote)?.1,
            None => key.trim_start_matches(bare),
        };
        let near = field.near?;
        let config = ConfigSource { text: format!("{before}{near}{rest}").into(), ..source.clone() };
        load(&config, &grammar).is_ok().then_some((field.path, near, config))
    };
    ignored.into_iter().filter_map(meant).collect()
}

fn app(reader: &mut Reader<'_>, tree: &DeTable<'_>) -> AppConfig {
    let table = reader.top(tree, &APP);
    AppConfig {
        name: reader.text(&table, "name"),
        post_import: reader.text(&table, "post_import"),
        env: env(reader, &table, "the app"),
        concurrency: reader.int(&table, "concurrency", 0..=u32::MAX, COUNT),
        services: reader.named_tables(
            &table,
            "services",
            &SERVICE,
            |name| format!("service `{}`", clipped(name)),
            |reader, table| service(reader, &table),
        ),
        // ASSUMES: what is in `build` is checked by the image builder, which knows its fields; we do not.
        build: reader.any_table(&table, "build").map(|(place, _)| place),
        aliases: reader.any_table(&table, "aliases").map(|(place, _)| place),
        include: reader.texts(&table, "include"),
    }
}

fn env(reader: &mut Reader<'_>, table: &Table<'_>, whose: &str) -> Vec<EnvVar> {
    reader.tables(table, "env", &ENV, &format!("an env entry of {whose}"), |reader, entry| {
        let key = reader.text(&entry, "key");
        let value = reader.text(&entry, "value").map_or(String::new(), |value| value.value);
        let [key] = required(reader, &entry, [("key", key)])?;
        Some(EnvVar { key, value })
    })
}

fn service(reader: &mut Reader<'_>, table: &Table<'_>) -> Service {
    let concurrency = scaling(reader, table);
    // The rules go by the mode: where the fields that decide it are wrong or misspelt, nothing follows from them.
    let judged = reader.clean(table);
    let service = Service {
        place: table.place,
        command: reader.text(table, "command"),
        port: reader.int(table, "port", 0..=u16::MAX, PORT_NUMBER),
        port_name: reader.text(table, "port_name"),
        port_type: reader.text(table, "port_type"),
        ports: ports(reader, table),
        port_timeout: reader.parsed_unless_empty(table, "port_timeout", validate::duration),
        image: reader.text(table, "image"),
        env: env(reader, table, &table.called),
        concurrency,
        disks: disks(reader, table),
    };
    if judged {
        reader.problems.extend(validate::service(&table.called, &service));
    }
    service
}

fn scaling(reader: &mut Reader<'_>, service: &Table<'_>) -> Scaling {
    let called = format!("the concurrency of {}", service.called);
    let Some(table) = reader.table(service, "concurrency", &CONCURRENCY, called) else {
        return Scaling::default();
    };
    Scaling {
        mode: reader.parsed_unless_empty(&table, "mode", validate::one_of),
        shutdown_timeout: reader.parsed_unless_empty(&table, "shutdown_timeout", validate::duration),
        // Which numbers are too small depends on the mode: a rule says so, with what to write.
        requests_per_instance: reader.int(&table, "requests_per_instance", i64::MIN..=i64::from(u32::MAX), COUNT),
        scale_down_delay: reader.parsed_unless_empty(&table, "scale_down_delay", validate::duration),
        num_instances: reader.int(&table, "num_instances", i64::MIN..=i64::from(u32::MAX), INSTANCES),
    }
}

fn ports(reader: &mut Reader<'_>, service: &Table<'_>) -> Vec<Port> {
    reader.tables(service, "ports", &PORT, &format!("a port of {}", service.called), |reader, table| {
        let number = reader.int(&table, "port", 1..=u16::MAX, PORT_NUMBER);
        let name = reader.text(&table, "name");
        let port_type = reader.parsed_unless_empty(&table, "type", validate::one_of);
        let node_port = reader.int(&table, "node_port", 0..=u16::MAX, "a number from 0 to 65535");
        if number.is_none() && reader.clean(&table) {
            let text = format!("{} has no `port`; add one, like `{}`", table.called, table.shape.example("port"));
            reader.problem(table.place, text);
        }
        let [name] = required(reader, &table, [("name", name)])?;
        Some(Port { number: number?, name, port_type, node_port })
    })
}

fn disks(reader: &mut Reader<'_>, service: &Table<'_>) -> Vec<Disk> {
    reader.tables(service, "disks", &DISK, &format!("a disk of {}", service.called), |reader, table| {
        let (name, mount_path) = (reader.text(&table, "name"), reader.text(&table, "mount_path"));
        let (read_only, size_gb) =
            (reader.truth(&table, "read_only"), reader.int(&table, "size_gb", 0..=u32::MAX, COUNT));
        let filesystem = reader.parsed_unless_empty(&table, "filesystem", validate::one_of);
        let lease_timeout = reader.parsed_unless_empty(&table, "lease_timeout", validate::duration);
        let [name, mount_path] = required(reader, &table, [("name", name), ("mount_path", mount_path)])?;
        Some(Disk { name, mount_path, read_only, size_gb, filesystem, lease_timeout })
    })
}

/// The texts that a table must have. That one is missing is noted only where nothing else is wrong with the table: a
/// misspelt name is not a missing one as well.
fn required<const N: usize>(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    fields: [(&'static str, Option<At<String>>); N],
) -> Option<[At<String>; N]> {
    let clean = reader.clean(table);
    let mut texts = Vec::new();
    for (field, text) in fields {
        match validate::required(field, text, table.shape, &table.called, table.place) {
            Ok(text) => texts.push(text),
            Err(problem) if clean => reader.problems.push(problem),
            Err(_) => {}
        }
    }
    texts.try_into().ok()
}
