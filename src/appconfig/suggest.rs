//! The fields of an app config, and which of them a misspelt one was meant to be.
//!
//! It may know names, not values. The [`Shape`]s are the one list of what rules 3.2 and 3.3 allow: the parser
//! reads by it, unknown fields are told from it, messages take their examples from it. What a newcomer gets wrong:
//! a field added here is not read yet; a test in `parse.rs` fails until it is.

use crate::model::listed;

use super::error::clipped;
use super::{Feature, Grammar};

/// The longest key for which a suggestion is looked for: nobody misspells a name that long.
const MISSPELT_CHARS_MAX: usize = 64;

/// What one kind of table can hold.
pub(super) struct Shape {
    /// What such a table is called.
    pub(super) called: &'static str,
    /// Its fields, in the order of the documentation, each with an example of how to write it, and what it means.
    pub(super) fields: &'static [(&'static str, &'static str, &'static str)],
    /// Those of them that the platform has not always known.
    pub(super) features: &'static [Feature],
}

impl Shape {
    /// How to write a field.
    pub(super) fn example(&self, field: &str) -> &'static str {
        self.fields.iter().find(|(name, ..)| *name == field).map_or("", |(_, example, _)| example)
    }

    /// Whether such a table ever had a field of that name.
    pub(super) fn declares(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, ..)| *name == field)
    }

    /// Whether such a table has a field of that name under this grammar.
    pub(super) fn has(&self, field: &str, grammar: &Grammar) -> bool {
        self.known(grammar).any(|name| name == field)
    }

    fn known<'a>(&self, grammar: &'a Grammar) -> impl Iterator<Item = &'static str> + Clone + use<'a> {
        let (fields, features) = (self.fields, self.features);
        let lacks = |name: &str| features.iter().any(|f| f.name() == name && grammar.lacks.contains(f));
        fields.iter().map(|(name, ..)| *name).filter(move |name| !lacks(name))
    }
}

/// The top level.
pub(super) const APP: Shape = Shape {
    called: "the app config",
    fields: &[
        (
            "name",
            r#"name = "shop""#,
            "The app's name. A deploy of a scenario names the app itself, so nothing follows from it here.",
        ),
        (
            "post_import",
            r#"post_import = "migrate""#,
            "A command that the platform runs after an import. The scheduler never does.",
        ),
        (
            "env",
            r#"env = [{ key = "KEY", value = "text" }]"#,
            "The environment of every service; a service's own entries are stronger (rule 3.8).",
        ),
        (
            "concurrency",
            "concurrency = 10",
            "Read and used for nothing, as in the platform (rule 3.3). What you mean is a service's `concurrency`.",
        ),
        (
            "services",
            "[services.web]",
            "The services, a table each, by name. Where there is none, the app has one, `web`, with the defaults of rule 3.6: auto, 10 requests an instance, kept for 15 minutes.",
        ),
        ("build", "[build]", "The image builder's business; what is in it is not looked at."),
        (
            "aliases",
            "aliases = { console = \"app run console\" }",
            "Commands of the command line, by name; what is in it is not looked at.",
        ),
        ("include", r#"include = ["path"]"#, "More files for the image builder."),
    ],
    features: &[Feature::Aliases],
};

/// An entry of `env`.
pub(super) const ENV: Shape = Shape {
    called: "an env entry",
    fields: &[
        ("key", r#"key = "KEY""#, "The variable; needed, and not empty. Of two entries with one key the later counts."),
        ("value", r#"value = "text""#, "Its value; empty by default."),
    ],
    features: &[],
};

/// `services.NAME`.
pub(super) const SERVICE: Shape = Shape {
    called: "a service",
    fields: &[
        (
            "command",
            r#"command = "serve""#,
            "What it runs; by default what the image runs by itself. Part of the spec: another command is another pool (rule 3.9).",
        ),
        (
            "port",
            "port = 3000",
            "The port that it must bind before it counts as RUNNING; 0 is as good as none. `web` has 3000 by default, others have none (rule 3.7).",
        ),
        ("port_name", r#"port_name = "http""#, "What the port is called; `http` by default."),
        ("port_type", r#"port_type = "http""#, "What the port is for; `http` by default, any text."),
        (
            "ports",
            r#"ports = [{ port = 3000, name = "http", type = "http" }]"#,
            "Several ports, instead of `port`, `port_name` and `port_type`; they are waited for in this order. A `web` with none of type `http` gets 3000 on top.",
        ),
        (
            "port_timeout",
            r#"port_timeout = "60s""#,
            "How long a boot waits for the ports; by default the constant `port_timeout`.",
        ),
        (
            "image",
            r#"image = "postgres:16""#,
            "The image, when it is not the one that the deploy built. Part of the spec.",
        ),
        (
            "env",
            r#"env = [{ key = "KEY", value = "text" }]"#,
            "Its own environment, stronger than the app's. Part of the spec.",
        ),
        (
            "concurrency",
            r#"concurrency = { mode = "fixed", num_instances = 1 }"#,
            "How many instances there are; see below. By default as if empty: auto (rule 3.5).",
        ),
        (
            "disks",
            r#"disks = [{ name = "data", mount_path = "/data", size_gb = 20 }]"#,
            "Its disks. A service with disks has mode fixed, written, and one instance.",
        ),
    ],
    features: &[Feature::Port, Feature::PortName, Feature::PortType, Feature::Ports, Feature::PortTimeout],
};

/// `services.NAME.concurrency`.
pub(super) const CONCURRENCY: Shape = Shape {
    called: "a service's concurrency",
    fields: &[
        (
            "mode",
            r#"mode = "fixed""#,
            "`auto` – as many as the requests need, none when idle – or `fixed`. A service that the file names is `auto` by default, whatever its name.",
        ),
        (
            "requests_per_instance",
            "requests_per_instance = 10",
            "How many requests an instance takes at once; 10 by default, and 0 is as good as none. For mode auto only.",
        ),
        (
            "scale_down_delay",
            r#"scale_down_delay = "15m""#,
            "How long an idle instance is kept; `2m` by default. For mode auto only.",
        ),
        (
            "num_instances",
            "num_instances = 1",
            "How many instances there always are, 1 or more. Needed in mode fixed, forbidden in mode auto.",
        ),
        (
            "shutdown_timeout",
            r#"shutdown_timeout = "10s""#,
            "How long a stopped program may take before it is killed; by default the constant `shutdown_timeout`.",
        ),
    ],
    features: &[Feature::ShutdownTimeout],
};

/// An entry of `services.NAME.ports`.
pub(super) const PORT: Shape = Shape {
    called: "a port",
    fields: &[
        (
            "port",
            "port = 3000",
            "The number, from 1 to 65535; needed. A number can stand twice only as TCP and as UDP.",
        ),
        ("name", r#"name = "http""#, "What it is called; needed, and no two of a service are called alike."),
        (
            "type",
            r#"type = "http""#,
            "`http` (by default), `tcp` or `udp`; since 2026-09-22 UDP ports are not waited for.",
        ),
        (
            "node_port",
            "node_port = 3000",
            "The port of the node that leads to it; 0, none, by default. Part of the spec.",
        ),
    ],
    features: &[],
};

/// An entry of `services.NAME.disks`.
pub(super) const DISK: Shape = Shape {
    called: "a disk",
    fields: &[
        ("name", r#"name = "data""#, "The disk's name; needed. Two services that name one disk wait for each other."),
        ("mount_path", r#"mount_path = "/data""#, "Where it is mounted; needed."),
        ("read_only", "read_only = true", "Whether it is mounted read-only; `false` by default."),
        (
            "size_gb",
            "size_gb = 20",
            "Its size in GB when it must be made. Without it, or with 0, the disk must exist; the deploy is refused when it does not (rule 3.10, since 2026-03-12).",
        ),
        ("filesystem", r#"filesystem = "ext4""#, "One of the platform's file systems; `ext4` by default."),
        (
            "lease_timeout",
            r#"lease_timeout = "5m""#,
            "How long a boot waits for the disk's lease; by default the constant `lease_timeout`.",
        ),
    ],
    features: &[],
};

/// Every shape, from the top down.
pub(super) const SHAPES: &[&Shape] = &[&APP, &ENV, &SERVICE, &CONCURRENCY, &PORT, &DISK];

/// What to do about a field that a table of `shape` does not have.
pub(super) fn advice(shape: &Shape, unknown: &str, grammar: &Grammar) -> String {
    let known = || shape.known(grammar);
    let has = format!("{} has {}", shape.called, listed(known(), "and", usize::MAX));
    let elsewhere = SHAPES.iter().filter(|other| other.has(unknown, grammar)).map(|other| other.called);
    if elsewhere.clone().next().is_some() {
        let owners: Vec<&str> = elsewhere.collect();
        return format!("it is a field of {}, while {has}", owners.join(" and of "));
    }
    match meant(shape, unknown, grammar) {
        Some(name) => format!("did you mean `{name}`?"),
        None => has,
    }
}

/// The field of such a table that an unknown one was probably meant to be; none where the name belongs elsewhere.
pub(super) fn meant(shape: &Shape, unknown: &str, grammar: &Grammar) -> Option<&'static str> {
    let elsewhere = SHAPES.iter().any(|other| other.has(unknown, grammar));
    nearest(unknown, shape.known(grammar)).filter(|_| !elsewhere)
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
    let write = format!("write {}", listed(known, "or", usize::MAX));
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
            assert_eq!(nearest(word, shape.fields.iter().map(|(name, ..)| *name)), name, "{word}");
        }
        assert_eq!(nearest(&"size_gb".repeat(100), DISK.fields.iter().map(|(name, ..)| *name)), None);
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
