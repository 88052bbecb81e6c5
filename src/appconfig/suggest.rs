//! The fields of an app config, and which of them a misspelt one was meant to be.
//!
//! It may know names, not values. The [`Shape`]s are the one list of what rules 3.2 and 3.3 allow: the parser
//! reads by it, unknown fields are told from it, messages take their examples from it. What a newcomer gets wrong:
//! a field added here is not read yet; a test in `parse.rs` fails until it is.

use super::error::clipped;
use super::{Feature, Grammar};

/// The longest key for which a suggestion is looked for: nobody misspells a name that long.
const MISSPELT_CHARS_MAX: usize = 64;

/// What one kind of table can hold.
pub(super) struct Shape {
    /// What such a table is called.
    pub(super) called: &'static str,
    /// Its fields, in the order of the documentation, each with an example of how to write it.
    pub(super) fields: &'static [(&'static str, &'static str)],
    /// Those of them that the platform has not always known.
    pub(super) features: &'static [(&'static str, Feature)],
}

impl Shape {
    /// How to write a field.
    pub(super) fn example(&self, field: &str) -> &'static str {
        self.fields.iter().find(|(name, _)| *name == field).map_or("", |(_, example)| example)
    }

    /// Whether such a table ever had a field of that name.
    pub(super) fn declares(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| *name == field)
    }

    /// Whether such a table has a field of that name under this grammar.
    pub(super) fn has(&self, field: &str, grammar: &Grammar) -> bool {
        self.known(grammar).any(|name| name == field)
    }

    fn known<'a>(&self, grammar: &'a Grammar) -> impl Iterator<Item = &'static str> + Clone + use<'a> {
        let (fields, features) = (self.fields, self.features);
        let lacks =
            |name: &str| features.iter().any(|(field, feature)| *field == name && grammar.lacks.contains(feature));
        fields.iter().map(|(name, _)| *name).filter(move |name| !lacks(name))
    }
}

/// The top level.
pub(super) const APP: Shape = Shape {
    called: "the app config",
    fields: &[
        ("name", r#"name = "shop""#),
        ("post_import", r#"post_import = "migrate""#),
        ("env", r#"env = [{ key = "KEY", value = "text" }]"#),
        ("concurrency", "concurrency = 10"),
        ("services", "[services.web]"),
        ("build", "[build]"),
        ("aliases", "aliases = { console = \"app run console\" }"),
        ("include", r#"include = ["path"]"#),
    ],
    features: &[("aliases", Feature::Aliases)],
};

/// An entry of `env`.
pub(super) const ENV: Shape = Shape {
    called: "an env entry",
    fields: &[("key", r#"key = "KEY""#), ("value", r#"value = "text""#)],
    features: &[],
};

/// `services.NAME`.
pub(super) const SERVICE: Shape = Shape {
    called: "a service",
    fields: &[
        ("command", r#"command = "serve""#),
        ("port", "port = 3000"),
        ("port_name", r#"port_name = "http""#),
        ("port_type", r#"port_type = "http""#),
        ("ports", r#"ports = [{ port = 3000, name = "http", type = "http" }]"#),
        ("port_timeout", r#"port_timeout = "60s""#),
        ("image", r#"image = "postgres:16""#),
        ("env", r#"env = [{ key = "KEY", value = "text" }]"#),
        ("concurrency", r#"concurrency = { mode = "fixed", num_instances = 1 }"#),
        ("disks", r#"disks = [{ name = "data", mount_path = "/data", size_gb = 20 }]"#),
    ],
    features: &[("ports", Feature::Ports), ("port_timeout", Feature::PortTimeout)],
};

/// `services.NAME.concurrency`.
pub(super) const CONCURRENCY: Shape = Shape {
    called: "a service's concurrency",
    fields: &[
        ("mode", r#"mode = "fixed""#),
        ("requests_per_instance", "requests_per_instance = 10"),
        ("scale_down_delay", r#"scale_down_delay = "15m""#),
        ("num_instances", "num_instances = 1"),
        ("shutdown_timeout", r#"shutdown_timeout = "10s""#),
    ],
    features: &[],
};

/// An entry of `services.NAME.ports`.
pub(super) const PORT: Shape = Shape {
    called: "a port",
    fields: &[
        ("port", "port = 3000"),
        ("name", r#"name = "http""#),
        ("type", r#"type = "http""#),
        ("node_port", "node_port = 3000"),
    ],
    features: &[],
};

/// An entry of `services.NAME.disks`.
pub(super) const DISK: Shape = Shape {
    called: "a disk",
    fields: &[
        ("name", r#"name = "data""#),
        ("mount_path", r#"mount_path = "/data""#),
        ("read_only", "read_only = true"),
        ("size_gb", "size_gb = 20"),
        ("filesystem", r#"filesystem = "ext4""#),
        ("lease_timeout", r#"lease_timeout = "5m""#),
    ],
    features: &[],
};

/// Every shape, from the top down.
pub(super) const SHAPES: &[&Shape] = &[&APP, &ENV, &SERVICE, &CONCURRENCY, &PORT, &DISK];

/// What to do about a field that a table of `shape` does not have.
pub(super) fn advice(shape: &Shape, unknown: &str, grammar: &Grammar) -> String {
    let known = || shape.known(grammar);
    let has = format!("{} has {}", shape.called, listed(known(), "and"));
    let elsewhere = SHAPES.iter().filter(|other| other.has(unknown, grammar)).map(|other| other.called);
    if elsewhere.clone().next().is_some() {
        let owners: Vec<&str> = elsewhere.collect();
        return format!("it is a field of {}, while {has}", owners.join(" and of "));
    }
    match nearest(unknown, known()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => has,
    }
}

/// `a`, `b` and `c`.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>, word: &str) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {word} {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The known name that `word` was probably meant to be; of equally near ones the first.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let chars = word.chars().count();
    if chars > MISSPELT_CHARS_MAX {
        return None;
    }
    let mut best: Option<(&str, f64)> = None;
    for name in known {
        // Few slips of the finger, or the same beginning (`size` is three letters away from `size_gb`), or one of
        // the words that the name is made of (`instances`).
        let likeness = strsim::jaro_winkler(&word, name);
        let slips = strsim::damerau_levenshtein(&word, name);
        let near = slips <= chars / 3 || likeness >= 0.8 || name.split('_').any(|part| part == word);
        if near && best.is_none_or(|(_, other)| likeness > other) {
            best = Some((name, likeness));
        }
    }
    best.map(|(name, _)| name)
}

/// What to do about a word that is none of those a field allows.
pub(super) fn choice(word: &str, known: &[&'static str]) -> String {
    let write = format!("write {}", listed(known.iter().copied(), "or"));
    match nearest(word, known.iter().copied()) {
        Some(name) => format!("`{}` is none of them: {write}; did you mean `{name}`?", clipped(word)),
        None => format!("`{}` is none of them: {write}", clipped(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appconfig::Strictness;

    #[test]
    fn the_nearest_field_is_found() {
        for (shape, word, name) in [
            (&DISK, "size", Some("size_gb")),
            (&DISK, "sizeGB", Some("size_gb")),
            (&DISK, "SIZE_GB", Some("size_gb")),
            (&DISK, "mountpath", Some("mount_path")),
            (&DISK, "path", Some("mount_path")),
            (&DISK, "readonly", Some("read_only")),
            (&DISK, "fs", None),
            (&DISK, "timeout", Some("lease_timeout")),
            (&DISK, "", None),
            (&SERVICE, "prot", Some("port")),
            (&SERVICE, "disk", Some("disks")),
            (&SERVICE, "prots", Some("ports")),
            (&CONCURRENCY, "instances", Some("num_instances")),
            (&CONCURRENCY, "requests", Some("requests_per_instance")),
            (&APP, "service", Some("services")),
            (&APP, "replicas", None),
        ] {
            assert_eq!(nearest(word, shape.fields.iter().map(|(name, _)| *name)), name, "{word}");
        }
        assert_eq!(nearest(&"size_gb".repeat(100), DISK.fields.iter().map(|(name, _)| *name)), None);
    }

    #[test]
    fn advice_names_the_nearest_field_or_the_right_place_or_all_fields() {
        for (shape, word, advised) in [
            (&DISK, "size", "did you mean `size_gb`?"),
            (
                &ENV,
                "name",
                "it is a field of the app config and of a port and of a disk, while an env entry has `key` and `value`",
            ),
            (
                &CONCURRENCY,
                "replicas",
                "a service's concurrency has `mode`, `requests_per_instance`, `scale_down_delay`, `num_instances` and \
                 `shutdown_timeout`",
            ),
        ] {
            assert_eq!(advice(shape, word, &Grammar::latest(Strictness::Strict)), advised);
        }
    }

    #[test]
    fn a_wrong_word_is_answered_with_the_right_ones() {
        assert_eq!(
            choice("auot", &["auto", "fixed"]),
            "`auot` is none of them: write `auto` or `fixed`; did you mean `auto`?"
        );
        assert_eq!(choice("", &["auto", "fixed"]), "`` is none of them: write `auto` or `fixed`");
    }
}
